//! What each number that a user sets may be: one table.

use std::any::type_name;
use std::fmt;

use surprisal_settings::{Kind, Range, Value};
use surprisal_tensor::Scalar;

use crate::OptimError;

macro_rules! hyperparameters {
    ($($(#[$doc:meta])* $Name:ident $name:literal $kind:expr, $hint:literal;)+) => {
        /// A number that the user sets and no gradient moves; knows its range.
        ///
        /// Out of it, an optimizer panics: a number that the program chose is then a mistake in the program. For numbers from
        /// outside (a command line, a file) [`check`](Self::check) returns an error instead:
        ///
        /// ```
        /// use surprisal_optim::{Hyperparameter, OptimError, Sgd};
        ///
        /// fn from_outside(lr: f64, mu: f64) -> Result<Sgd, OptimError> {
        ///     Ok(Sgd::try_new(lr)?.momentum(Hyperparameter::Momentum.check(mu)?))
        /// }
        /// assert_eq!(
        ///     from_outside(0.1, 1.5).unwrap_err().to_string(),
        ///     "momentum: expected a number from 0 to below 1, found 1.5 | 0.9 is usual"
        /// );
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Hyperparameter { $($(#[$doc])* $Name,)+ }

        /// Names, the numbers that they may be, and what to try.
        const TABLE: &[(&str, Kind, &str)] = &[$(($name, $kind, $hint)),+];
    };
}

const POSITIVE: Kind = Kind::Number(Range::POSITIVE);
const BELOW_ONE: Kind = Kind::Number(Range::BELOW_ONE);
const NOT_NEGATIVE: Kind = Kind::Number(Range::NOT_NEGATIVE);

hyperparameters! {
    /// Step size: above 0.
    LearningRate "learning rate" POSITIVE, "0.1 is usual for Sgd, 0.001 for Adam";
    /// Momentum coefficient: 0 to below 1.
    Momentum "momentum" BELOW_ONE, "0.9 is usual";
    /// Whether the momentum is Nesterov's: 1 (true) or 0 (false).
    Nesterov "nesterov" Kind::Flag, "it needs a momentum";
    /// Decay rate of the mean gradient: 0 to below 1.
    Beta1 "beta1" BELOW_ONE, "0.9 is usual";
    /// Decay rate of the mean squared gradient: 0 to below 1.
    Beta2 "beta2" BELOW_ONE, "0.999 is usual";
    /// Decay rate of [`RmsProp`](crate::RmsProp)'s mean squared gradient: 0 to below 1.
    Alpha "alpha" BELOW_ONE, "0.99 is usual";
    /// Epsilon added to a denominator: above 0.
    Eps "eps" POSITIVE, "1e-8 is usual";
    /// Weight decay: 0 or above.
    WeightDecay "weight decay" NOT_NEGATIVE, "0 is none, 1e-4 is usual, 1e-2 for AdamW";
    /// λ1 of a [`Penalty`](crate::Penalty): 0 or above.
    L1 "l1" NOT_NEGATIVE, "0 is none, 1e-4 is usual";
    /// λ2 of a [`Penalty`](crate::Penalty): 0 or above.
    L2 "l2" NOT_NEGATIVE, "0 is none, 1e-4 is usual";
    /// The largest norm of a gradient, see [`clip_grad_norm`](crate::clip_grad_norm): above 0.
    MaxNorm "largest norm of a gradient" POSITIVE, "1 is usual";
    /// The largest absolute value of an element of a gradient, see [`clip_grad_value`](crate::clip_grad_value): above 0.
    MaxValue "largest value of a gradient" POSITIVE, "1 is usual";
}

impl Hyperparameter {
    /// The number itself if it is in range.
    ///
    /// ```
    /// use surprisal_optim::Hyperparameter::{Eps, WeightDecay};
    /// assert_eq!(WeightDecay.check(0.0), Ok(0.0));
    /// assert_eq!(
    ///     Eps.check(0.0).unwrap_err().to_string(),
    ///     "eps: expected a finite number above 0, found 0.0 | 1e-8 is usual"
    /// );
    /// ```
    ///
    /// # Errors
    /// [`OptimError::OutOfRange`], also for NaN and infinities.
    pub fn check(self, number: f64) -> Result<f64, OptimError> {
        let value = match self.kind() {
            Kind::Flag if number == 0.0 || number == 1.0 => Value::Flag(number == 1.0),
            _ => Value::Number(number),
        };
        if self.kind().holds(&value) {
            Ok(number)
        } else {
            Err(OptimError::OutOfRange { hyperparameter: self, found: number })
        }
    }

    /// [`check`](Self::check), and whether the number is also in range when it is rounded to the type that the parameters have: what
    /// keeps a division from being by 0 must not become 0.
    ///
    /// ```
    /// use surprisal_optim::Hyperparameter::Eps;
    /// assert_eq!(Eps.check_in::<f64>(1e-46), Ok(1e-46));
    /// assert_eq!(
    ///     Eps.check_in::<f32>(1e-46).unwrap_err().to_string(),
    ///     "eps: expected a finite number above 0 also when rounded to f32, found 1e-46, which becomes 0.0 | 1e-8 is usual"
    /// );
    /// ```
    ///
    /// # Errors
    /// As [`check`](Self::check), and [`OptimError::OutOfRangeWhenRounded`].
    pub fn check_in<T: Scalar>(self, number: f64) -> Result<f64, OptimError> {
        let rounded = T::of(self.check(number)?).value();
        match self.check(rounded) {
            Ok(_) => Ok(number),
            Err(_) => Err(OptimError::OutOfRangeWhenRounded {
                hyperparameter: self,
                found: number,
                rounded,
                to: type_name::<T>(),
            }),
        }
    }

    /// The numbers that it may be: "a finite number above 0".
    ///
    /// ```
    /// assert_eq!(surprisal_optim::Hyperparameter::Beta1.kind().to_string(), "a number from 0 to below 1");
    /// ```
    pub fn kind(self) -> Kind {
        TABLE[self as usize].1
    }

    /// A number as settings write it: 0.01, 1e-8; true for 1 of a switch.
    ///
    /// ```
    /// use surprisal_optim::Hyperparameter::{Eps, Nesterov};
    /// assert_eq!((Eps.written(1e-8), Nesterov.written(0.0)), ("1e-8".to_string(), "false".to_string()));
    /// ```
    pub fn written(self, number: f64) -> String {
        match self {
            Hyperparameter::Nesterov => (number == 1.0).to_string(),
            _ if number == 0.0 || number >= 1e-4 => number.to_string(),
            _ => format!("{number:e}"),
        }
    }

    /// What to try: "0.9 is usual".
    ///
    /// ```
    /// assert_eq!(surprisal_optim::Hyperparameter::Beta2.hint(), "0.999 is usual");
    /// ```
    pub fn hint(self) -> &'static str {
        TABLE[self as usize].2
    }
}

impl fmt::Display for Hyperparameter {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(TABLE[*self as usize].0)
    }
}
