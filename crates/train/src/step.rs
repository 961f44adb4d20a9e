//! What a step minimizes, and whether its loss is finite.

use surprisal_tensor::{NonFinite, Tape, Var};

use crate::{Batch, Objective, TrainError};

/// Records the loss of a batch.
pub(crate) type Loss<'f> = dyn for<'b, 't> FnMut(&Batch<'b, 't>) -> Var<'t> + 'f;

/// The objective that is minimized, and how it is measured.
pub(crate) struct Step<'a> {
    pub loss: &'a mut Loss<'a>,
    /// What outputs mean, if the loss is one that the library knows by name.
    pub objective: Option<Objective>,
    /// Of the classes.
    pub weights: Option<&'a [f64]>,
    /// Rows that are measured at once.
    pub block: usize,
}

/// An error that names the first value that was not finite, if the loss is not.
pub(crate) fn finite(
    tape: &Tape,
    loss: Var,
    (epoch, step, learning_rate): (usize, usize, f64),
) -> Result<(), TrainError> {
    if loss.item().is_finite() {
        return Ok(());
    }
    let culprit: Option<NonFinite> = tape.first_non_finite();
    Err(TrainError::NotFinite { epoch, step, loss: loss.item(), culprit, learning_rate })
}
