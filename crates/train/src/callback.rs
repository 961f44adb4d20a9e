//! Callbacks.

use std::ops::ControlFlow;

use surprisal_tensor::{Params, Scalar};

use crate::{Checkpoint, Epoch, History};

/// Is called after every step and every epoch of a training, and may end it with `ControlFlow::Break(())`.
///
/// See the example of [`Fit::resume`](crate::Fit::resume). `()` does nothing; a pair calls both of its parts.
pub trait Callback<T: Scalar> {
    /// After a step of the optimizer.
    fn on_step(&mut self, _at: &At<T>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    /// After an epoch, and once before the first.
    fn on_epoch(&mut self, _at: &At<T>, _measured: &Epoch) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl<T: Scalar> Callback<T> for () {}

impl<T: Scalar, C: Callback<T> + ?Sized> Callback<T> for &mut C {
    fn on_step(&mut self, at: &At<T>) -> ControlFlow<()> {
        (**self).on_step(at)
    }
    fn on_epoch(&mut self, at: &At<T>, measured: &Epoch) -> ControlFlow<()> {
        (**self).on_epoch(at, measured)
    }
}

/// Both are called, even if the first ends the training.
impl<T: Scalar, A: Callback<T>, B: Callback<T>> Callback<T> for (A, B) {
    fn on_step(&mut self, at: &At<T>) -> ControlFlow<()> {
        let first = self.0.on_step(at);
        self.1.on_step(at)?;
        first
    }
    fn on_epoch(&mut self, at: &At<T>, measured: &Epoch) -> ControlFlow<()> {
        let first = self.0.on_epoch(at, measured);
        self.1.on_epoch(at, measured)?;
        first
    }
}

/// The state of a training, after a step or an epoch.
///
/// See the example of [`Fit::resume`](crate::Fit::resume).
pub struct At<'a, T: Scalar> {
    /// The epoch, counted from 1; 0 before the first.
    pub epoch: usize,
    /// Steps done in it.
    pub step: usize,
    /// Steps in an epoch.
    pub steps_per_epoch: usize,
    /// Epochs in all.
    pub epochs: usize,
    /// The loss of the last step's batch; NaN before the first.
    pub loss: f64,
    /// The learning rate of the last step.
    pub learning_rate: f64,
    /// Whether the training ends after this call, because it was [interrupted](crate::Fit::interrupt).
    pub ends: bool,
    /// The parameters now.
    pub params: &'a Params<T>,
    /// Every epoch that was measured.
    pub history: &'a History,
    pub(crate) checkpoint: &'a dyn Fn() -> Checkpoint<T>,
}

impl<T: Scalar> At<'_, T> {
    /// Everything but the parameters that is needed to resume from here.
    pub fn checkpoint(&self) -> Checkpoint<T> {
        (self.checkpoint)()
    }
}

/// Why a training ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ended {
    /// All epochs are done.
    Finished,
    /// Early stopping: the monitored metric did not improve for [`EarlyStopping::patience`](crate::EarlyStopping::patience) epochs.
    Early,
    /// A callback ended it, or it was [interrupted](crate::Fit::interrupt).
    #[default]
    Interrupted,
}
