//! [`OptimError`]: what can go wrong, and every message on one page.
//!
//! A message reads `where: what was expected, what was found | what to try`.

use std::fmt;

use surprisal_settings::SettingError;
use surprisal_tensor::{NoSuchParameter, Unreached};

use crate::Hyperparameter;

/// Why an optimizer or a schedule cannot be made, a step not taken, or a state not loaded.
///
/// ```
/// use surprisal_optim::{OptimError, Sgd};
/// let error = Sgd::<f32>::new(0.1).try_nesterov().unwrap_err();
/// assert_eq!(error, OptimError::NesterovWithoutMomentum);
/// assert_eq!(
///     error.to_string(),
///     "nesterov: expected a momentum above 0, found none | call `.momentum(0.9)` before `.nesterov()`"
/// );
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum OptimError {
    /// A number that the user set is out of its range.
    OutOfRange { hyperparameter: Hyperparameter, found: f64 },
    /// A number that the user set is out of its range when it is rounded to the type of the parameters, `f32`.
    OutOfRangeWhenRounded { hyperparameter: Hyperparameter, found: f64, rounded: f64, to: &'static str },
    /// Nesterov's look ahead follows the momentum, and there is none.
    NesterovWithoutMomentum,
    /// The loss does not depend on a trainable parameter.
    Unreached(Unreached),
    /// A parameter was frozen while its gradient was computed, and is not any more.
    Unfrozen { parameter: String },
    /// The gradients are those of other parameters; the first difference, `"w" [2, 1]`.
    OtherParameters { parameter: String, gradient: String },
    /// Parameters were added after the first step; how many numbers there were and are.
    LayoutChanged { remembered: usize, found: usize },
    /// What was saved counts the steps of another number of parameters.
    OtherStepCounts { parameters: usize, found: usize },
    /// The pattern of a group, or of `only`, matches no parameter.
    NoSuchParameter(NoSuchParameter),
    /// A micro-batch has no rows.
    NoRows,
    /// There is no mean of nothing.
    NoMicroBatch,
    /// What was saved is the state of another optimizer.
    OtherOptimizer { optimizer: &'static str, found: String },
    /// What was saved is not what this optimizer, with its settings, remembers.
    OtherMemory { optimizer: &'static str, expected: Vec<&'static str>, found: Vec<String> },
    /// In the saved state, a parameter took more steps than the optimizer.
    MoreStepsThanTaken { optimizer: &'static str, steps: u64, found: u64 },
    /// What was saved is not of as many numbers each; their names and lengths.
    UnequalMemory { optimizer: &'static str, lengths: Vec<(String, usize)> },
    /// A setting is one of other optimizers only.
    NoSuchSetting { optimizer: &'static str, setting: String, having: Vec<&'static str> },
    /// No optimizer or schedule has this name, or a setting of a schedule is not what it must be.
    Setting(SettingError),
    /// Training would end before its rate is reached.
    LongWarmup { warmup: usize, epochs: usize },
}

impl OptimError {
    /// The hyperparameter or the schedule that the message begins with, if it does.
    pub fn subject(&self) -> Option<String> {
        match self {
            Self::OutOfRange { hyperparameter, .. } | Self::OutOfRangeWhenRounded { hyperparameter, .. } => {
                Some(hyperparameter.to_string())
            }
            Self::Setting(error) if !error.of.is_empty() => Some(error.of.clone()),
            _ => None,
        }
    }

    /// The message without its [`subject`](Self::subject).
    pub fn problem(&self) -> String {
        let mut problem = String::new();
        self.write_problem(&mut problem).expect("a string takes everything");
        problem
    }

    fn write_problem(&self, f: &mut impl fmt::Write) -> fmt::Result {
        match self {
            Self::OutOfRange { hyperparameter, found } => write!(
                f,
                "expected {}, found {found:?} | {}",
                hyperparameter.kind(),
                hyperparameter.hint()
            ),
            Self::OutOfRangeWhenRounded { hyperparameter, found, rounded, to } => write!(
                f,
                "expected {} also when rounded to {to}, found {found:?}, which becomes {rounded:?} | {}",
                hyperparameter.kind(),
                hyperparameter.hint()
            ),
            Self::NesterovWithoutMomentum => f.write_str(
                "nesterov: expected a momentum above 0, found none | call `.momentum(0.9)` before `.nesterov()`",
            ),
            Self::Unreached(unreached) => write!(f, "{unreached}"),
            Self::Unfrozen { parameter } => write!(
                f,
                "step: expected a gradient of \"{parameter}\", found none: it was frozen when `backward` ran | \
                 unfreeze it before the tape is started"
            ),
            Self::OtherParameters { parameter, gradient } => write!(
                f,
                "step: expected the gradient of {parameter}, found that of {gradient} | \
                 was `backward` called on a tape that was started with these parameters?"
            ),
            Self::LayoutChanged { remembered, found } => write!(
                f,
                "step: expected the {remembered} numbers of the first step, found {found} | \
                 add every parameter before the first step, or start with a new optimizer"
            ),
            Self::OtherStepCounts { parameters, found } => write!(
                f,
                "step: expected step counts of {parameters} parameters, found {found} | was the state saved for other parameters?"
            ),
            Self::NoSuchParameter(error) => write!(f, "{error}"),
            Self::NoRows => {
                f.write_str("add: expected a micro-batch of rows, found an empty one | leave it out")
            }
            Self::NoMicroBatch => {
                f.write_str("take: expected the gradients of a micro-batch, found none | call `add` before each `take`")
            }
            Self::OtherOptimizer { optimizer, found } => write!(
                f,
                "load_state: this is the state of {found}, not of {optimizer} | make the optimizer that it was saved from"
            ),
            Self::OtherMemory { optimizer, expected, found } => write!(
                f,
                "load_state: expected {} in the memory of {optimizer}, found {} | \
                 had it the same settings, such as momentum, when it was saved?",
                listed(expected),
                listed(found)
            ),
            Self::MoreStepsThanTaken { optimizer, steps, found } => write!(
                f,
                "load_state: expected at most the {steps} steps of {optimizer} for each parameter, found {found} | \
                 is the file damaged?"
            ),
            Self::UnequalMemory { optimizer, lengths } => {
                let lengths: Vec<_> = lengths.iter().map(|(name, length)| format!("{length} of {name}")).collect();
                write!(
                    f,
                    "load_state: expected as many numbers of each in the memory of {optimizer}, found {} | \
                     is the file damaged?",
                    listed(&lengths)
                )
            }
            Self::NoSuchSetting { optimizer, setting, having } => {
                write!(
                    f,
                    "{optimizer}: has no {setting} | leave it out, or choose an optimizer that has it: {}",
                    listed(having)
                )
            }
            Self::Setting(error) => write!(f, "{}", error.problem),
            Self::LongWarmup { warmup, epochs } => write!(
                f,
                "cosine: expected a warm-up shorter than training, found {warmup} epochs of {epochs} | \
                 warm up for fewer, or train for more"
            ),
        }
    }
}

impl fmt::Display for OptimError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if let Some(subject) = self.subject() {
            write!(f, "{subject}: ")?;
        }
        self.write_problem(f)
    }
}

/// "mean, square"; "none".
fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    if names.is_empty() { "none".to_string() } else { names.join(", ") }
}

impl std::error::Error for OptimError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreached(error) => Some(error),
            Self::NoSuchParameter(error) => Some(error),
            Self::Setting(error) => Some(error),
            _ => None,
        }
    }
}

impl From<SettingError> for OptimError {
    fn from(error: SettingError) -> Self {
        OptimError::Setting(error)
    }
}

impl From<NoSuchParameter> for OptimError {
    fn from(error: NoSuchParameter) -> Self {
        OptimError::NoSuchParameter(error)
    }
}

impl From<Unreached> for OptimError {
    fn from(unreached: Unreached) -> Self {
        OptimError::Unreached(unreached)
    }
}

/// For callers to whom the error is a mistake in the program: a panic at their line.
#[track_caller]
pub(crate) fn or_panic<V>(result: Result<V, OptimError>) -> V {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}
