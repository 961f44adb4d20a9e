//! What stopped a training run.

use std::fmt;

use surprisal_data::DataError;
use surprisal_tensor::NonFinite;

/// Why a training run could not go on. The parameters are left as they were before the step that failed.
pub enum TrainError {
    /// The loss left the finite numbers.
    NotFinite {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The step in it, counted from 1.
        step: usize,
        /// What the loss was.
        loss: f64,
        /// The first value of the computation that was not finite.
        culprit: Option<NonFinite>,
        /// The learning rate at that step.
        learning_rate: f64,
    },
    /// The model and the data do not fit.
    Misfit(String),
    /// The data itself.
    Data(DataError),
}

impl fmt::Display for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            TrainError::NotFinite { epoch, step, loss, culprit, learning_rate } => {
                writeln!(
                    f,
                    "the loss became {loss} in epoch {epoch}, step {step}, at learning rate {learning_rate:?}"
                )?;
                if let Some(culprit) = culprit {
                    writeln!(f, "  first: {culprit}")?;
                }
                write!(
                    f,
                    "  hint: try a learning rate of {:?} or less, a smaller start, or scaled features",
                    learning_rate / 10.0
                )
            }
            TrainError::Misfit(message) => f.write_str(message),
            TrainError::Data(error) => error.fmt(f),
        }
    }
}
/// As [`Display`](fmt::Display): what a `main` that returns it prints.
impl fmt::Debug for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl std::error::Error for TrainError {}

impl From<DataError> for TrainError {
    fn from(error: DataError) -> Self {
        TrainError::Data(error)
    }
}
