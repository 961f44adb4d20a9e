//! The errors of a loss.

use std::error::Error;
use std::fmt;

use surprisal_tensor::ShapeError;

/// Why a loss could not be recorded.
///
/// ```
/// use surprisal_loss::{HuberLoss, Problem};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let params = Params::new();
/// let mut workspace = Workspace::new();
/// let tape = workspace.tape(&params);
/// let (input, target) = (tape.input(&array![1.0, 2.0]), tape.input(&array![1.0, f64::NAN]));
/// let error = HuberLoss::default().try_loss(input, target).unwrap_err();
/// assert_eq!(error.to_string(), "huber_loss: target 1 is NaN: a target is a number: is one missing in the data?");
/// let error = HuberLoss::default().try_loss(input, tape.input(&array![1.0])).unwrap_err();
/// assert!(matches!(error.problem, Problem::Shape(_)));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LossError {
    /// "huber_loss"
    pub loss: &'static str,
    /// What is wrong.
    pub problem: Problem,
}

/// What a [`LossError`] is about.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// The shapes of the inputs, the number of labels or the number of weights.
    Shape(ShapeError),
    /// The value of an option or a weight.
    Option(String),
    /// An input, a target or a label: its values, or what it was computed by.
    Data(String),
}

impl LossError {
    pub(crate) fn shape(loss: &'static str, message: impl fmt::Display) -> Self {
        LossError { loss, problem: Problem::Shape(ShapeError::new(format!("{loss}: {message}"))) }
    }
    pub(crate) fn option(loss: &'static str, message: impl Into<String>) -> Self {
        LossError { loss, problem: Problem::Option(message.into()) }
    }
    pub(crate) fn data(loss: &'static str, message: impl Into<String>) -> Self {
        LossError { loss, problem: Problem::Data(message.into()) }
    }
}

impl fmt::Display for LossError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.problem {
            Problem::Shape(error) => error.fmt(f), // which names the loss
            Problem::Option(message) | Problem::Data(message) => write!(f, "{}: {message}", self.loss),
        }
    }
}

impl Error for LossError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.problem {
            Problem::Shape(error) => Some(error),
            Problem::Option(_) | Problem::Data(_) => None,
        }
    }
}

/// The loss; an error is a panic at the caller's line.
#[track_caller]
pub(crate) fn unwrap<T>(loss: Result<T, LossError>) -> T {
    match loss {
        Ok(loss) => loss,
        Err(error) => panic!("{error}"),
    }
}
