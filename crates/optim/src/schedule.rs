//! [`Schedule`]: how the learning rate changes while training goes on.

use std::f64::consts::PI;
use std::fmt;
use std::str::FromStr;

use surprisal_formula_macro::math;

use crate::OptimError;
use crate::error::or_panic;

/// The learning rate of every step, from the rate η that training begins with.
///
/// A schedule is a function: of the place in training and of what was measured so far, see [`rate`](Self::rate). It remembers
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
    /// η all the time.
    #[default]
    Constant,
    /// Less after every n epochs, n for `every`; PyTorch's `StepLR`. In epoch e, counted from 0:
    ///
    #[doc = math!("η factor^k, k = floor(e / n)")]
    Step {
        /// Epochs with one rate: 1 or more.
        every: usize,
        /// What a rate is of the one before: above 0, up to 1.
        factor: f64,
    },
    /// Less after every epoch; PyTorch's `ExponentialLR`. In epoch e, counted from 0:
    ///
    #[doc = math!("η factor^e")]
    Exponential {
        /// What a rate is of the one before: above 0, up to 1.
        factor: f64,
    },
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
    Cosine {
        /// Epochs of warm-up: fewer than there are.
        warmup: usize,
        /// Where the wave ends, as a share of η: 0 to below 1.
        floor: f64,
    },
    /// Less where what is watched does not become better; PyTorch's `ReduceLROnPlateau`, per epoch.
    ///
    /// Better is smaller than the best by more than `threshold` times the best's size, |best|. PyTorch asks for less than
    /// best (1 - threshold), which is the same while what is watched is above 0; below 0, as the negative of an accuracy is, that would
    /// take what is a little worse for better. After more than `patience` epochs in a row
    /// that were not better, the rate becomes `factor` times what it was, but not less than `least`, and counting begins anew.
    Plateau {
        /// Epochs that need not be better.
        patience: usize,
        /// What a rate is of the one before: above 0, up to 1.
        factor: f64,
        /// How much better is better, as a share of the best: 0 to below 1.
        threshold: f64,
        /// A rate that is not gone below: 0 or above.
        least: f64,
    },
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
    const NAMES: [&'static str; 5] = ["constant", "step", "exponential", "cosine", "plateau"];

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
    ///     "step: expected factor to be a number above 0, up to 1, found 1.5"
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
        let out = |parameter: &Parameter| !parameter.range.contains(parameter.value);
        match self.parameters().iter().find(|parameter| out(parameter)) {
            None => Ok(()),
            Some(parameter) => Err(self.out_of_range(parameter, parameter.value.to_string())),
        }
    }

    fn out_of_range(&self, parameter: &Parameter, found: String) -> OptimError {
        let (schedule, expected) = (self.name(), parameter.range.words());
        OptimError::ScheduleOutOfRange { schedule, parameter: parameter.name, expected, found }
    }

    fn name(&self) -> &'static str {
        match self {
            Constant => "constant",
            Step { .. } => "step",
            Exponential { .. } => "exponential",
            Cosine { .. } => "cosine",
            Plateau { .. } => "plateau",
        }
    }

    /// Its numbers, in the order in which text has them.
    fn parameters(&self) -> Vec<Parameter> {
        let number = |name, value, range| Parameter { name, value, range };
        match *self {
            Constant => vec![],
            Step { every, factor } => {
                vec![number("every", every as f64, Range::Counting), number("factor", factor, Range::Factor)]
            }
            Exponential { factor } => vec![number("factor", factor, Range::Factor)],
            Cosine { warmup, floor } => {
                vec![number("warmup", warmup as f64, Range::Whole), number("floor", floor, Range::Share)]
            }
            Plateau { patience, factor, threshold, least } => vec![
                number("patience", patience as f64, Range::Whole),
                number("factor", factor, Range::Factor),
                number("threshold", threshold, Range::Share),
                number("least", least, Range::Least),
            ],
        }
    }

    /// The schedule of a name, with its usual numbers.
    fn named(name: &str) -> Option<Schedule> {
        Some(match name {
            "constant" => Constant,
            "step" => Step { every: 10, factor: 0.5 },
            "exponential" => Exponential { factor: 0.95 },
            "cosine" => Cosine { warmup: 0, floor: 0.0 },
            "plateau" => Plateau { patience: 5, factor: 0.5, threshold: 1e-4, least: 1e-6 },
            _ => return None,
        })
    }

    /// With other numbers, in the order of [`parameters`](Self::parameters), each in its range.
    fn with(self, numbers: &[Parameter]) -> Schedule {
        let at = |k: usize| numbers[k].value;
        match self {
            Constant => Constant,
            Step { .. } => Step { every: at(0) as usize, factor: at(1) },
            Exponential { .. } => Exponential { factor: at(0) },
            Cosine { .. } => Cosine { warmup: at(0) as usize, floor: at(1) },
            Plateau { .. } => {
                Plateau { patience: at(0) as usize, factor: at(1), threshold: at(2), least: at(3) }
            }
        }
    }
}

/// A number of a schedule.
#[derive(Clone, Copy, Debug)]
struct Parameter {
    name: &'static str,
    value: f64,
    range: Range,
}

#[derive(Clone, Copy, Debug)]
enum Range {
    Counting,
    Whole,
    Factor,
    Share,
    Least,
}

impl Range {
    fn contains(self, number: f64) -> bool {
        match self {
            Range::Counting => number.fract() == 0.0 && (1.0..=1e6).contains(&number),
            Range::Whole => number.fract() == 0.0 && (0.0..=1e6).contains(&number),
            Range::Factor => number > 0.0 && number <= 1.0,
            Range::Share => (0.0..1.0).contains(&number),
            Range::Least => number >= 0.0 && number.is_finite(),
        }
    }
    fn words(self) -> &'static str {
        match self {
            Range::Counting => "a whole number from 1 to 1000000",
            Range::Whole => "a whole number from 0 to 1000000",
            Range::Factor => "a number above 0, up to 1",
            Range::Share => "a number from 0 to below 1",
            Range::Least => "a finite number, 0 or above",
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())?;
        for (at, Parameter { name, value, .. }) in self.parameters().into_iter().enumerate() {
            write!(f, "{}{name}={value}", if at == 0 { ':' } else { ',' })?;
        }
        Ok(())
    }
}

impl FromStr for Schedule {
    type Err = OptimError;
    fn from_str(text: &str) -> Result<Self, OptimError> {
        let (name, assignments) = match text.split_once(':') {
            Some((name, list)) => (name, Some(list)),
            None => (text, None),
        };
        let unknown =
            || OptimError::UnknownName { what: "schedule", found: name.to_string(), known: &Self::NAMES };
        let usual = Schedule::named(name).ok_or_else(unknown)?;
        let schedule = usual.name();
        let mut parameters = usual.parameters();
        let mut seen = vec![];

        for assignment in assignments.into_iter().flat_map(|list| list.split(',')) {
            let known = || usual.parameters().iter().map(|parameter| parameter.name).collect();
            let Some((name, value)) = assignment.split_once('=') else {
                return Err(OptimError::NoAssignment {
                    schedule,
                    found: assignment.to_string(),
                    known: known(),
                });
            };
            let (name, value) = (name.trim(), value.trim());
            let Some(parameter) = parameters.iter_mut().find(|parameter| parameter.name == name) else {
                return Err(OptimError::UnknownParameter {
                    schedule,
                    found: name.to_string(),
                    known: known(),
                });
            };
            if seen.contains(&parameter.name) {
                return Err(OptimError::ParameterTwice { schedule, parameter: parameter.name });
            }
            seen.push(parameter.name);
            match value.parse() {
                Ok(number) if parameter.range.contains(number) => parameter.value = number,
                _ => return Err(usual.out_of_range(parameter, value.to_string())),
            }
        }
        Ok(usual.with(&parameters))
    }
}
