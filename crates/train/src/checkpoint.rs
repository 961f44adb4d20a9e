//! Where a training stands.

use serde::{Deserialize, Serialize};
use surprisal_optim::OptimizerState;
use surprisal_tensor::{Params, Scalar};

use crate::{History, TrainError, Trainer};

/// All that is needed, beside the model's parameters, the data and the settings, to go on with a training as if nothing had happened.
///
/// A schedule and early stopping are functions of the position and the history: nothing of them has to be kept. Made by
/// [`At::checkpoint`](crate::At::checkpoint), taken by [`Fit::resume`](crate::Fit::resume); in a file with
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

impl<T: Scalar> Checkpoint<T> {
    /// Whether a training with these settings, parameters and this many training rows can go on from here: whether its numbers
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
                "stands after epoch {}: expected a history of the epochs 0 to {0}, found {} epochs, the last of them {}",
                self.epoch,
                epochs.len(),
                epochs.last().map_or("none".into(), |epoch| epoch.epoch.to_string())
            ));
        }
        let batches = trainer.batches(rows)?.per_epoch();
        let steps = batches.div_ceil(trainer.accumulate.max(1)) as u64;
        if self.steps_per_epoch != steps {
            return misfit(format!(
                "is of a training with {} steps an epoch, this one has {steps}: are the data, the batch size or the validation share others?",
                self.steps_per_epoch
            ));
        }
        if self.step > steps {
            return misfit(format!("stands after step {} of an epoch of {steps} steps", self.step));
        }
        if (self.epoch, self.step.min(1)) > (trainer.epochs as u64, 0) {
            return misfit(format!(
                "stands after epoch {} and {} steps, and the training ends after epoch {}: expected as many epochs or more",
                self.epoch, self.step, trainer.epochs
            ));
        }
        const WORDS: u128 = 1 << 68; // of a stream of ChaCha
        if self.order >= WORDS || self.seeds >= WORDS {
            return misfit("holds places of generators that do not exist".into());
        }
        let numbers = params.as_slice().len();
        let finite = |numbers: &[T]| numbers.iter().all(|x| x.is_finite());
        match &self.best {
            None if trainer.keep_best => return misfit("lacks the parameters of the best epoch".into()),
            Some(_) if !trainer.keep_best => {
                return misfit("holds parameters of a best epoch, which this training does not keep".into());
            }
            Some(best) if best.len() != numbers => {
                return misfit(format!("holds {} best parameters, and the model has {numbers}", best.len()));
            }
            Some(best) if !finite(best) => return misfit("holds best parameters that are not finite".into()),
            _ => {}
        }
        if self.optimizer.steps > 1 << 53 {
            return misfit(format!("holds an optimizer after {} steps", self.optimizer.steps));
        }
        let (counted, parameters) = (self.optimizer.steps_of_each.len(), params.entries().len());
        if counted != 0 && counted != parameters {
            return misfit(format!(
                "holds the steps of {counted} parameters, and the model has {parameters}"
            ));
        }
        for (name, memory) in &self.optimizer.memory {
            if memory.len() != numbers && !(memory.is_empty() && self.optimizer.steps == 0) {
                return misfit(format!(
                    "holds {} numbers of the optimizer's memory \"{name}\", and the model has {numbers} parameters",
                    memory.len()
                ));
            }
            if !finite(memory) {
                return misfit(format!(
                    "holds numbers in the optimizer's memory \"{name}\" that are not finite"
                ));
            }
        }
        Ok(())
    }
}
