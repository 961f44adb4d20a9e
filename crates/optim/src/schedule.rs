//! [`Schedule`]: how the learning rate changes while training goes on.

use std::f64::consts::PI;
use std::fmt;
use std::str::FromStr;

use surprisal_formula_macro::math;
use surprisal_settings::{Kind, Problem, Range, Setting, Value, named, read};

use crate::OptimError;
use crate::error::or_panic;

macro_rules! schedules {
    ($($(#[$meta:meta])* $Name:ident $name:literal $({ $($(#[$doc:meta])* $field:ident: $type:ty = $default:literal in $kind:expr, $help:literal;)+ })?)+) => {
        /// The learning rate of every step, from the rate η that training begins with.
        ///
        /// A schedule is a function of the position in training and of the metrics so far, see [`rate`](Self::rate). It remembers
        /// nothing, so there is nothing of it to save.
        ///
        /// As text, for a command line, it is its name and what is to differ from the defaults, which are those shown here:
        ///
        /// ```
        /// use surprisal_optim::Schedule;
        /// for (text, whole) in [
        ///     ("constant", "constant"),
        ///     ("step", "step:every=10,factor=0.5"),
        ///     ("exponential", "exponential:factor=0.95"),
        ///     ("cosine:warmup=5", "cosine:warmup=5,floor=0"),
        ///     ("plateau:patience=3", "plateau:patience=3,factor=0.5,threshold=0.0001,least=0.000001"),
        /// ] {
        ///     assert_eq!(text.parse::<Schedule>()?.to_string(), whole);
        /// }
        /// assert_eq!(
        ///     "cosin".parse::<Schedule>().unwrap_err().to_string(),
        ///     "no schedule is named \"cosin\" | known: constant, step, exponential, cosine, plateau | did you mean \"cosine\"?"
        /// );
        /// # Ok::<(), surprisal_optim::OptimError>(())
        /// ```
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub enum Schedule {
            $($(#[$meta])* $Name $({ $(#[doc = $help] $(#[$doc])* $field: $type,)+ })?,)+
        }

        impl Schedule {
            const NAMES: &[&str] = &[$($name),+];

            fn name(&self) -> &'static str {
                match self { $(Schedule::$Name { .. } => $name,)+ }
            }

            /// The settings of the schedule of that name, and how it is made of their values.
            fn named(name: &str) -> Option<(&'static [Setting], fn(&[f64]) -> Schedule)> {
                match name {
                    $($name => Some((
                        &[$($(Setting { name: stringify!($field), kind: $kind, default: stringify!($default), help: $help },)+)?],
                        |numbers| {
                            let mut numbers = numbers.iter().copied();
                            let mut next = || numbers.next().unwrap_or(f64::NAN);
                            let _ = &mut next; // not used by a schedule without settings
                            Schedule::$Name $({ $($field: next() as $type,)+ })?
                        },
                    )),)+
                    _ => None,
                }
            }

            /// The values of its settings, in their order.
            fn numbers(&self) -> Vec<f64> {
                match *self { $(Schedule::$Name $({ $($field,)+ })? => vec![$($($field as f64,)+)?],)+ }
            }
        }
    };
}

const EPOCHS: Kind = Kind::Whole(Range::at_least(0.0).at_most(1e6));
const AT_LEAST_ONE: Kind = Kind::Whole(Range::at_least(1.0).at_most(1e6));
const FACTOR: Kind = Kind::Number(Range::FACTOR);
const FRACTION: Kind = Kind::Number(Range::BELOW_ONE);

schedules! {
    /// η all the time.
    #[default]
    Constant "constant"
    /// Less after every n epochs, n for `every`; PyTorch's `StepLR`. In epoch e, counted from 0:
    ///
    #[doc = math!("η factor^k, k = floor(e / n)")]
    Step "step" {
        every: usize = 10 in AT_LEAST_ONE, "Number of epochs at one rate: 1 or more.";
        factor: f64 = 0.5 in FACTOR, "Factor between a rate and the one before: above 0, at most 1.";
    }
    /// Less after every epoch; PyTorch's `ExponentialLR`. In epoch e, counted from 0:
    ///
    #[doc = math!("η factor^e")]
    Exponential "exponential" {
        factor: f64 = 0.95 in FACTOR, "Factor between a rate and the one before: above 0, at most 1.";
    }
    /// Down along half a wave, after a warm-up along a line; PyTorch's `LinearLR` and `CosineAnnealingLR`. In step t of n, counted
    /// from 0, of which the first w are warm-up:
    ///
    #[doc = math!("η (t + 1) / (w + 1) where t < w")]
    #[doc = math!("η (f + (1 - f) (1 + cos(π (t - w) / (n - w))) / 2) where t >= w")]
    ///
    /// with f for `floor`. The line comes from 0, which no step takes: it would go nowhere. The wave ends at η f, one step after
    /// the last.
    ///
    /// Sources: Loshchilov and Hutter (2017), "SGDR: stochastic gradient descent with warm restarts", without restarts; the warm-up
    /// is that of Goyal et al. (2017), "Accurate, large minibatch SGD".
    Cosine "cosine" {
        warmup: usize = 0 in EPOCHS, "Epochs of warm-up: fewer than those of training.";
        floor: f64 = 0 in FRACTION, "Final rate, as a fraction of η: 0 to below 1.";
    }
    /// Less where the monitored metric does not improve; PyTorch's `ReduceLROnPlateau`, per epoch.
    ///
    /// An improvement is a value smaller than the best by more than `threshold` times the best's size, |best|. PyTorch asks for less than
    /// best (1 - threshold), which is the same while the metric is above 0; below 0, as the negative of an accuracy is, that would
    /// count a slightly worse value as an improvement. After more than `patience` epochs in a row
    /// without improvement, the rate is multiplied by `factor`, but does not fall below `least`, and counting begins anew.
    Plateau "plateau" {
        patience: usize = 5 in EPOCHS, "Number of epochs without improvement that are accepted.";
        factor: f64 = 0.5 in FACTOR, "Factor between a rate and the one before: above 0, at most 1.";
        threshold: f64 = 1e-4 in FRACTION, "Relative improvement threshold: 0 to below 1.";
        least: f64 = 1e-6 in Kind::Number(Range::NOT_NEGATIVE), "Minimum learning rate: 0 or above.";
    }
}

/// A place in training.
///
/// See the example of [`Schedule::rate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// Epochs that are over.
    pub epoch: usize,
    /// Steps of this epoch that are over.
    pub step: usize,
    /// Steps that an epoch has.
    pub steps_per_epoch: usize,
    /// Epochs that training has.
    pub epochs: usize,
}

use Schedule::*;

impl Schedule {
    /// The learning rate of the step to come, from the one that training began with; above 0, however often it was halved.
    ///
    /// `watched` is what was measured after each epoch that is over, such as the validation loss: small is good, so of an accuracy
    /// its negative. Only [`Plateau`](Self::Plateau) reads it, and all of it each time: a comparison for each epoch.
    ///
    /// ```
    /// use surprisal_optim::{At, Schedule};
    /// let rates = |schedule: Schedule, watched: &[f64]| {
    ///     let at = |epoch| At { epoch, step: 0, steps_per_epoch: 10, epochs: 4 };
    ///     [0, 1, 2, 3].map(|epoch| schedule.rate(0.8, at(epoch), &watched[..epoch.min(watched.len())]))
    /// };
    /// assert_eq!(rates(Schedule::Step { every: 2, factor: 0.5 }, &[]), [0.8, 0.8, 0.4, 0.4]);
    /// let plateau = Schedule::Plateau { patience: 0, factor: 0.5, threshold: 0.0, least: 0.0 };
    /// assert_eq!(rates(plateau, &[1.0, 1.0, 0.9]), [0.8, 0.8, 0.4, 0.4]);
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is a step after every 0 epochs. Whether all numbers are in their ranges: see
    /// [`check`](Self::check).
    #[track_caller]
    pub fn rate(&self, base: f64, at: At, watched: &[f64]) -> f64 {
        let rate = match *self {
            Constant => base,
            Step { every: 0, .. } => or_panic(self.check_ranges().map(|()| base)),
            Step { every, factor } => base * factor.powf((at.epoch / every) as f64),
            Exponential { factor } => base * factor.powf(at.epoch as f64),
            Cosine { warmup, floor } => {
                // who wants to train for ever asks for more epochs than there are numbers of steps
                let [warmup, steps] =
                    [warmup, at.epochs].map(|epochs| epochs.saturating_mul(at.steps_per_epoch));
                let step = at.epoch.saturating_mul(at.steps_per_epoch).saturating_add(at.step);
                if step < warmup {
                    base * (step + 1) as f64 / (warmup as f64 + 1.0)
                } else {
                    // training that goes on beyond its epochs stays at the floor
                    let way = ((step - warmup) as f64 / steps.saturating_sub(warmup) as f64).min(1.0);
                    base * (floor + (1.0 - floor) * (1.0 + (PI * way).cos()) / 2.0)
                }
            }
            Plateau { patience, factor, threshold, least } => {
                let (mut rate, mut best, mut not_better) = (base, f64::INFINITY, 0);
                for &now in watched {
                    // of infinity there is no share
                    let bar = if best.is_finite() { best - threshold * best.abs() } else { best };
                    (best, not_better) = if now < bar { (now, 0) } else { (best, not_better + 1) };
                    if not_better > patience {
                        (rate, not_better) = (rate.min(least.max(rate * factor)), 0);
                    }
                }
                rate
            }
        };
        rate.max(f64::MIN_POSITIVE)
    }

    /// Whether every number is in its range, and a warm-up shorter than training.
    ///
    /// ```
    /// use surprisal_optim::Schedule;
    /// assert_eq!(
    ///     Schedule::Step { every: 10, factor: 1.5 }.check(100).unwrap_err().to_string(),
    ///     "step: factor: expected a number above 0, at most 1, found 1.5"
    /// );
    /// assert_eq!(
    ///     Schedule::Cosine { warmup: 5, floor: 0.0 }.check(3).unwrap_err().to_string(),
    ///     "cosine: expected a warm-up shorter than training, found 5 epochs of 3 | warm up for fewer, or train for more"
    /// );
    /// ```
    ///
    /// # Errors
    /// If not.
    pub fn check(&self, epochs: usize) -> Result<(), OptimError> {
        self.check_ranges()?;
        match *self {
            Cosine { warmup, .. } if warmup >= epochs => Err(OptimError::LongWarmup { warmup, epochs }),
            _ => Ok(()),
        }
    }

    fn check_ranges(&self) -> Result<(), OptimError> {
        let settings = Schedule::named(self.name()).map_or(&[][..], |(settings, _)| settings);
        for (setting, number) in settings.iter().zip(self.numbers()) {
            setting.parse(&number.to_string()).map_err(|problem| problem.of(self.name()))?;
        }
        Ok(())
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())?;
        let settings = Schedule::named(self.name()).map_or(&[][..], |(settings, _)| settings);
        for (at, (setting, value)) in settings.iter().zip(self.numbers()).enumerate() {
            write!(f, "{}{}={value}", if at == 0 { ':' } else { ',' }, setting.name)?;
        }
        Ok(())
    }
}

impl FromStr for Schedule {
    type Err = OptimError;
    fn from_str(text: &str) -> Result<Self, OptimError> {
        let (name, list) = named(text);
        let Some((settings, make)) = Schedule::named(name) else {
            let (what, known) = ("schedule", Schedule::NAMES.to_vec());
            return Err(Problem::Unknown { what, found: name.into(), known }.of("").into());
        };
        let numbers = read(name, "parameter", settings, list)?;
        Ok(make(&Vec::from_iter(numbers.iter().filter_map(Value::number))))
    }
}
