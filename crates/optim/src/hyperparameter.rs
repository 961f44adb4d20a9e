//! What each number that a user sets may be.

use std::any::type_name;
use std::fmt;

use surprisal_tensor::Scalar;

use crate::OptimError;

/// A number that the user sets and no gradient moves; knows its range.
///
/// Out of it, an optimizer panics: a number that the program chose is then a mistake in the program. For numbers from
/// outside (a command line, a file) [`check`](Self::check) gives an error instead:
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
pub enum Hyperparameter {
    /// How far a step goes: above 0.
    LearningRate,
    /// How much of the last step's velocity stays: 0 to below 1.
    Momentum,
    /// Whether the momentum looks a step ahead: 1 (true) or 0 (false).
    Nesterov,
    /// How much of the mean gradient stays: 0 to below 1.
    Beta1,
    /// How much of the mean squared gradient stays: 0 to below 1.
    Beta2,
    /// How much of [`RmsProp`](crate::RmsProp)'s mean squared gradient stays: 0 to below 1.
    Alpha,
    /// What keeps a division from being by 0: above 0.
    Eps,
    /// How strongly theta is pulled to 0: 0 or above.
    WeightDecay,
    /// λ1 of a [`Penalty`](crate::Penalty): 0 or above.
    L1,
    /// λ2 of a [`Penalty`](crate::Penalty): 0 or above.
    L2,
    /// How long a gradient may be, see [`clip_grad_norm`](crate::clip_grad_norm): above 0.
    MaxNorm,
    /// How large a number of a gradient may be, see [`clip_grad_value`](crate::clip_grad_value): above 0.
    MaxValue,
}

use Hyperparameter::*;

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
        let in_range = match self {
            LearningRate | Eps | MaxNorm | MaxValue => number > 0.0,
            Momentum | Beta1 | Beta2 | Alpha => (0.0..1.0).contains(&number),
            Nesterov => number == 0.0 || number == 1.0,
            WeightDecay | L1 | L2 => number >= 0.0,
        };
        if in_range && number.is_finite() {
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

    /// The range, in words: "a finite number above 0".
    ///
    /// ```
    /// assert_eq!(surprisal_optim::Hyperparameter::Beta1.range(), "a number from 0 to below 1");
    /// ```
    pub fn range(self) -> &'static str {
        match self {
            LearningRate | Eps | MaxNorm | MaxValue => "a finite number above 0",
            Momentum | Beta1 | Beta2 | Alpha => "a number from 0 to below 1",
            Nesterov => "true or false",
            WeightDecay | L1 | L2 => "a finite number, 0 or above",
        }
    }

    /// A number as settings write it: 0.01, 1e-8; true for 1 of a switch.
    ///
    /// ```
    /// use surprisal_optim::Hyperparameter::{Eps, Nesterov};
    /// assert_eq!((Eps.written(1e-8), Nesterov.written(0.0)), ("1e-8".to_string(), "false".to_string()));
    /// ```
    pub fn written(self, number: f64) -> String {
        match self {
            Nesterov => (number == 1.0).to_string(),
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
        match self {
            LearningRate => "0.1 is a usual start for Sgd, 0.001 for Adam",
            Momentum | Beta1 => "0.9 is usual",
            Nesterov => "it needs a momentum",
            Beta2 => "0.999 is usual",
            Alpha => "0.99 is usual",
            Eps => "1e-8 is usual",
            WeightDecay => "0 is none, 1e-4 is usual, 1e-2 for AdamW",
            L1 | L2 => "0 is none, 1e-4 is usual",
            MaxNorm | MaxValue => "1 is usual",
        }
    }
}

impl fmt::Display for Hyperparameter {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            LearningRate => "learning rate",
            Momentum => "momentum",
            Nesterov => "nesterov",
            Beta1 => "beta1",
            Beta2 => "beta2",
            Alpha => "alpha",
            Eps => "eps",
            WeightDecay => "weight decay",
            L1 => "l1",
            L2 => "l2",
            MaxNorm => "largest norm of a gradient",
            MaxValue => "largest value of a gradient",
        })
    }
}
