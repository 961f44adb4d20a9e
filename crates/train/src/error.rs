//! Errors of training.

use std::fmt;

use surprisal_data::DataError;
use surprisal_optim::OptimError;
use surprisal_tensor::NonFinite;

use crate::GroupError;

/// Why a training failed. The parameters are those before the failed step.
///
/// ```
/// use surprisal_optim::Sgd;
/// use surprisal_train::{TrainError, Trainer};
/// # use surprisal_data::Dataset;
/// # use surprisal_layers::{Linear, rng};
/// # use surprisal_tensor::Params;
/// # let iris = Dataset::iris();
/// # let mut params = Params::new();
/// let two_outputs = Linear::new(&mut params, "out", 4, 2, &mut rng(2));
/// # let trainer = Trainer { epochs: 1, batch_size: 10, seed: 3, ..Trainer::default() };
/// let error = trainer.on(&iris).fit(&two_outputs, &mut params, &mut Sgd::new(0.1)).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the data has 3 classes and the model 2 outputs | give its last layer 3 outputs"
/// );
/// assert!(matches!(error, TrainError::Misfit(_)));
/// ```
pub enum TrainError {
    /// The loss is no longer finite.
    NotFinite {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The step in it, counted from 1.
        step: usize,
        /// The loss.
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
    /// A setting out of its range.
    Setting(String),
    /// The optimizer cannot go on from what was saved.
    Optimizer(OptimError),
    /// The ranks of a [group](crate::Fit::group) cannot train together.
    Group(GroupError),
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
                    "  hint: try a learning rate of {} or less, smaller initial weights, or scaled features",
                    a_tenth(*learning_rate)
                )
            }
            TrainError::Misfit(message) | TrainError::Setting(message) => f.write_str(message),
            TrainError::Data(error) => error.fmt(f),
            TrainError::Optimizer(error) => error.fmt(f),
            TrainError::Group(error) => error.fmt(f),
        }
    }
}
impl TrainError {
    /// An error if there are fewer [shards](crate::Trainer::shards) than ranks.
    ///
    /// # Errors
    /// [`TrainError::Setting`], if there are.
    pub fn check_shards(shards: usize, ranks: usize) -> Result<(), TrainError> {
        if shards >= ranks {
            return Ok(());
        }
        Err(TrainError::Setting(format!(
            "shards: expected at least {ranks}, the number of ranks, found {shards} | start fewer ranks, or cut batches in more shards"
        )))
    }
}

/// A tenth, in one digit, and no more than is usual anywhere: of 1e30, a tenth is no advice.
fn a_tenth(rate: f64) -> String {
    let tenth = format!("{:.0e}", (rate / 10.0).min(1.0));
    tenth.parse::<f64>().map_or(tenth.clone(), |tenth| format!("{tenth:?}"))
}

/// As [`Display`](fmt::Display): what a `main` that returns it prints.
impl fmt::Debug for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl std::error::Error for TrainError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            TrainError::Data(error) => Some(error),
            TrainError::Optimizer(error) => Some(error),
            TrainError::Group(error) => Some(error),
            _ => None,
        }
    }
}

impl From<GroupError> for TrainError {
    fn from(error: GroupError) -> Self {
        TrainError::Group(error)
    }
}
impl From<DataError> for TrainError {
    fn from(error: DataError) -> Self {
        TrainError::Data(error)
    }
}
