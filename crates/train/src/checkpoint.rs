//! Where a training stands.

use serde::{Deserialize, Serialize};
use surprisal_optim::OptimizerState;

use crate::History;

/// All that is needed, beside the model's parameters, the data and the settings, to go on with a training as if nothing had happened.
///
/// A schedule and early stopping are functions of the position and the history: nothing of them has to be kept. Made by
/// [`At::checkpoint`](crate::At::checkpoint), taken by [`Trainer::fit_with`](crate::Trainer::fit_with); in a file with
/// [`SavedModel`](crate::SavedModel).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint<T> {
    /// Complete epochs.
    pub epoch: u64,
    /// Steps taken in the next one.
    pub step: u64,
    /// Steps that an epoch has.
    pub steps_per_epoch: u64,
    /// Where the generator of the order of rows stood before this epoch: words of ChaCha8's stream.
    pub order: u128,
    /// Where the generator of what layers draw stands.
    pub seeds: u128,
    /// What the optimizer remembers.
    pub optimizer: OptimizerState<T>,
    /// Every epoch that was measured.
    pub history: History,
    /// The parameters of the best epoch, if they are to be kept.
    pub best: Option<Vec<T>>,
}
