//! [`OptimError`]: what can go wrong, and every message on one page.
//!
//! A message reads `where: what was expected, what was found | what to try`.

use std::fmt;

use surprisal_tensor::Unreached;

use crate::Hyperparameter;

/// Why an optimizer cannot be made, or a step cannot be taken.
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
}

impl fmt::Display for OptimError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::OutOfRange { hyperparameter, found } => write!(
                f,
                "{hyperparameter}: expected {}, found {found:?} | {}",
                hyperparameter.range(),
                hyperparameter.hint()
            ),
            Self::NesterovWithoutMomentum => f.write_str(
                "nesterov: expected a momentum above 0, found none | call `.momentum(0.9)` before `.nesterov()`",
            ),
            Self::Unreached(unreached) => unreached.fmt(f),
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
        }
    }
}

impl std::error::Error for OptimError {}

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
