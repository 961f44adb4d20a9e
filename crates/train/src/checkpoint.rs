//! The state of a training.

use serde::{Deserialize, Serialize};
use surprisal_optim::OptimizerState;
use surprisal_tensor::{Params, Scalar};

use crate::{History, TrainError, Trainer};

/// Everything beside the model's parameters, the data and the settings that is needed to resume a training.
///
/// A schedule and early stopping are functions of the position and the history: they need not be saved. Made by
/// [`At::checkpoint`](crate::At::checkpoint), taken by [`Fit::resume`](crate::Fit::resume); in a file with
/// [`SavedModel`](crate::SavedModel).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint<T> {
    /// Complete epochs.
    pub epoch: u64,
    /// Steps taken in the next one.
    pub step: u64,
    /// Steps in an epoch.
    pub steps_per_epoch: u64,
    /// Where the generator of the order of rows stood before this epoch: words of ChaCha8's stream.
    pub order: u128,
    /// Where the generator of what layers draw stands.
    pub seeds: u128,
    /// The state of the optimizer.
    pub optimizer: OptimizerState<T>,
    /// Every epoch that was measured.
    pub history: History,
    /// The parameters of the best epoch, if they are to be kept.
    pub best: Option<Vec<T>>,
}

impl<T: Scalar> Checkpoint<T> {
    /// Checks that a training with these settings, parameters and this many training rows can resume from here: that its numbers
    /// fit them and each other. A training that [resumes](crate::Fit::resume) checks this first.
    ///
    /// # Errors
    /// [`TrainError::Misfit`] with what was expected and found.
    pub fn check(&self, trainer: &Trainer, params: &Params<T>, rows: usize) -> Result<(), TrainError> {
        let misfit = |message: String| Err(TrainError::Misfit(format!("the checkpoint {message}")));
        let epochs = self.history.epochs();
        if epochs.len() as u64 != self.epoch.saturating_add(1)
            || !epochs.iter().enumerate().all(|(at, epoch)| epoch.epoch == at)
        {
            return misfit(format!(
                "is after epoch {}: expected a history of the epochs 0 to {0}, found {} epochs, the last of them {}",
                self.epoch,
                epochs.len(),
                epochs.last().map_or("none".into(), |epoch| epoch.epoch.to_string())
            ));
        }
        let batches = trainer.batches(rows)?.per_epoch();
        let steps = batches.div_ceil(trainer.accumulate.max(1)) as u64;
        if self.steps_per_epoch != steps {
            return misfit(format!(
                "is of a training with {} steps an epoch, this one has {steps}: have the data, the batch size or the validation fraction changed?",
                self.steps_per_epoch
            ));
        }
        if self.step > steps {
            return misfit(format!("is after step {} of an epoch of {steps} steps", self.step));
        }
        if (self.epoch, self.step.min(1)) > (trainer.epochs as u64, 0) {
            return misfit(format!(
                "is after epoch {} and {} steps, but the training ends after epoch {}: set a larger number of epochs",
                self.epoch, self.step, trainer.epochs
            ));
        }
        const WORDS: u128 = 1 << 68; // of a stream of ChaCha
        if self.order >= WORDS || self.seeds >= WORDS {
            return misfit("has invalid states of random generators".into());
        }
        let numbers = params.as_slice().len();
        let finite = |numbers: &[T]| numbers.iter().all(|x| x.is_finite());
        match &self.best {
            None if trainer.keep_best => return misfit("has no parameters of the best epoch".into()),
            Some(_) if !trainer.keep_best => {
                return misfit(
                    "has parameters of a best epoch, but this training does not keep the best epoch".into(),
                );
            }
            Some(best) if best.len() != numbers => {
                return misfit(format!("has {} best parameters, but the model has {numbers}", best.len()));
            }
            Some(best) if !finite(best) => return misfit("has best parameters that are not finite".into()),
            _ => {}
        }
        if self.optimizer.steps > 1 << 53 {
            return misfit(format!("has an optimizer after {} steps", self.optimizer.steps));
        }
        let (counted, parameters) = (self.optimizer.steps_of_each.len(), params.entries().len());
        if counted != 0 && counted != parameters {
            return misfit(format!("has the steps of {counted} parameters, but the model has {parameters}"));
        }
        for (name, memory) in &self.optimizer.memory {
            if memory.len() != numbers && !(memory.is_empty() && self.optimizer.steps == 0) {
                return misfit(format!(
                    "has {} numbers of the optimizer's state \"{name}\", but the model has {numbers} parameters",
                    memory.len()
                ));
            }
            if !finite(memory) {
                return misfit(format!(
                    "has numbers in the optimizer's state \"{name}\" that are not finite"
                ));
            }
        }
        Ok(())
    }
}
