//! The loop: epochs over shuffled batches, each measured; it can begin anywhere.

use rand::Rng as _;
use surprisal_data::{Batches, Targets};
use surprisal_layers::{Layer, Rng, rng};
use surprisal_optim::{self as optim, GradientMean, Optimizer, clip_grad_norm, clip_grad_value};
use surprisal_tensor::{NonFinite, Params, Scalar, Tape, Var, Workspace};

use crate::measure::{block_rows, gathered, measure};
use crate::{At, Callback, Checkpoint, Clip, Ended, Examples, History, TrainError, Trainer};

/// One training: the settings, what they work on, and where it stands.
pub(crate) struct Training<'a, T: Scalar, M, O: ?Sized> {
    trainer: &'a Trainer,
    model: &'a M,
    params: &'a mut Params<T>,
    optimizer: &'a mut O,
    parts: [&'a Examples<T>; 2],
    workspace: Workspace<T>,
    batches: Batches,
    block: usize,       // rows that are measured at once
    labels: Vec<usize>, // of the batch
    values: Vec<T>,
    mean: GradientMean<T>, // of several batches
    base: f64,             // the learning rate that the schedule starts from
    epoch: usize,          // complete epochs
    step: usize,           // steps taken in the next one
    order: Rng,            // as it stood before this epoch's shuffle
    seeds: Rng,
    history: History,
    best: Option<Vec<T>>,
}

impl<'a, T: Scalar, M: Layer, O: Optimizer<T> + ?Sized> Training<'a, T, M, O> {
    #[track_caller]
    pub fn new(
        trainer: &'a Trainer,
        model: &'a M,
        params: &'a mut Params<T>,
        optimizer: &'a mut O,
        parts: [&'a Examples<T>; 2],
    ) -> Result<Self, TrainError> {
        trainer.check(model, params, parts)?;
        let batches = trainer.batches(parts[0].rows())?;
        let base = optimizer.learning_rate();
        let block = block_rows(model, params, parts[0].features.view());
        Ok(Training {
            trainer,
            model,
            params,
            optimizer,
            parts,
            workspace: Workspace::new(),
            batches,
            block,
            labels: Vec::new(),
            values: Vec::new(),
            mean: GradientMean::new(),
            base,
            epoch: 0,
            step: 0,
            order: rng(trainer.seed),
            seeds: rng(!trainer.seed),
            history: History::default(),
            best: None,
        })
    }

    fn steps_per_epoch(&self) -> usize {
        self.batches.per_epoch().div_ceil(self.trainer.accumulate)
    }

    /// Measures the start.
    #[track_caller]
    pub fn start(&mut self, callback: &mut impl Callback<T>) -> Result<(), TrainError> {
        self.measured(self.base)?;
        // whoever wants to end it here is asked again after the first step
        let _ = callback.on_epoch(&self.at(f64::NAN, self.base, &|| self.checkpoint()), self.history.last());
        Ok(())
    }

    /// Stands where the checkpoint was made; the parameters are already as they were then.
    pub fn resume(&mut self, checkpoint: Checkpoint<T>) -> Result<(), TrainError> {
        checkpoint.check(self.trainer, self.params, self.parts[0].rows())?;
        self.optimizer.load_state(&checkpoint.optimizer).map_err(TrainError::Optimizer)?;
        (self.epoch, self.step) = (checkpoint.epoch as usize, checkpoint.step as usize);
        self.order.set_word_pos(checkpoint.order);
        self.seeds.set_word_pos(checkpoint.seeds);
        (self.history, self.best) = (checkpoint.history, checkpoint.best);
        Ok(())
    }

    fn checkpoint(&self) -> Checkpoint<T> {
        Checkpoint {
            epoch: self.epoch as u64,
            step: self.step as u64,
            steps_per_epoch: self.steps_per_epoch() as u64,
            order: self.order.get_word_pos(),
            seeds: self.seeds.get_word_pos(),
            optimizer: self.optimizer.state(),
            history: self.history.clone(),
            best: self.best.clone(),
        }
    }

    fn at<'s>(
        &'s self,
        loss: f64,
        learning_rate: f64,
        checkpoint: &'s dyn Fn() -> Checkpoint<T>,
    ) -> At<'s, T> {
        let begun = usize::from(self.step > 0);
        At {
            epoch: self.epoch + begun,
            step: self.step,
            steps_per_epoch: self.steps_per_epoch(),
            epochs: self.trainer.epochs,
            loss,
            learning_rate,
            params: self.params,
            history: &self.history,
            checkpoint,
        }
    }

    /// From where it stands to the end.
    #[track_caller]
    pub fn run(&mut self, callback: &mut impl Callback<T>) -> Result<Ended, TrainError> {
        let trainer = self.trainer;
        let watched = |history: &History| trainer.watch.smaller_is_better(history);
        if self.epoch < trainer.epochs
            && self.step == 0
            && trainer.stop.is_some_and(|stop| stop.ends(&watched(&self.history)))
        {
            return Ok(Ended::Early); // it was saved when it had ended
        }
        while self.epoch < trainer.epochs {
            let mut after = self.order.clone();
            if trainer.batch_size < self.parts[0].rows() {
                self.batches.shuffle(&mut after);
            }
            let (seen, steps_per_epoch) = (watched(&self.history), self.steps_per_epoch());
            let (base, epoch, epochs) = (self.base, self.epoch, trainer.epochs);
            let rate =
                |step| trainer.schedule.rate(base, optim::At { epoch, step, steps_per_epoch, epochs }, &seen);
            for step in self.step..steps_per_epoch {
                let loss = self.step(step, rate(step))?;
                self.step = step + 1;
                if callback.on_step(&self.at(loss, rate(step), &|| self.checkpoint())).is_break() {
                    return Ok(Ended::Interrupted);
                }
            }
            let rate = rate(steps_per_epoch - 1);
            (self.epoch, self.step, self.order) = (self.epoch + 1, 0, after);
            self.measured(rate)?;
            let told =
                callback.on_epoch(&self.at(f64::NAN, rate, &|| self.checkpoint()), self.history.last());
            if self.epoch < trainer.epochs
                && trainer.stop.is_some_and(|stop| stop.ends(&watched(&self.history)))
            {
                return Ok(Ended::Early);
            }
            if told.is_break() && self.epoch < trainer.epochs {
                return Ok(Ended::Interrupted);
            }
        }
        Ok(Ended::Finished)
    }

    /// Leaves the best parameters, if they are wanted, and hands out the history.
    pub fn end(self) -> History {
        if let Some(best) = self.best {
            self.params.as_mut_slice().copy_from_slice(&best);
        }
        self.history
    }

    /// One step of the optimizer, from one batch or several; gives their mean loss.
    #[track_caller]
    fn step(&mut self, step: usize, rate: f64) -> Result<f64, TrainError> {
        let at = (self.epoch + 1, step + 1, rate);
        let Trainer { accumulate, penalty, clip, .. } = *self.trainer;
        let mut loss = 0.0;
        if accumulate == 1 {
            loss = self.backward(step, at)?.0;
        } else {
            for batch in step * accumulate..((step + 1) * accumulate).min(self.batches.per_epoch()) {
                let (of_batch, rows) = self.backward(batch, at)?;
                self.mean.add(self.params, self.workspace.grads(), rows);
                loss += (of_batch - loss) * rows as f64 / self.mean.rows() as f64;
            }
        }
        let grads = if accumulate == 1 { self.workspace.grads_mut() } else { self.mean.take() };
        penalty.add_to(grads, self.params);
        match clip {
            Clip::None => {}
            Clip::Norm(most) => drop(clip_grad_norm(grads, most)),
            Clip::Value(most) => clip_grad_value(grads, most),
        }
        self.optimizer.set_learning_rate(rate);
        self.optimizer.step(self.params, grads);
        Ok(loss)
    }

    /// The gradient of one batch, left in the workspace; gives its loss and its rows.
    #[track_caller]
    fn backward(&mut self, batch: usize, at: (usize, usize, f64)) -> Result<(f64, usize), TrainError> {
        let train = self.parts[0];
        let rows = self.batches.iter().nth(batch).expect("there are so many batches in an epoch");
        let tape = self.workspace.tape(self.params).seeded(self.seeds.next_u64());
        let outputs = self.model.forward(gathered(&tape, train, rows));
        let loss = match &train.targets {
            Targets::Values(values) => {
                self.values.clear();
                self.values.extend(rows.iter().map(|&row| values[row]));
                self.trainer.objective.loss_of_values(outputs, &self.values)
            }
            Targets::Classes { labels, .. } => {
                self.labels.clear();
                self.labels.extend(rows.iter().map(|&row| labels[row]));
                let weights = self.trainer.class_weight.as_deref();
                self.trainer.objective.weighted_loss(outputs, &self.labels, weights)
            }
        };
        finite(&tape, loss, at)?;
        loss.backward();
        Ok((loss.item(), rows.len()))
    }

    /// Measures the state after an epoch and notes it, and whether it is the best so far.
    #[track_caller]
    fn measured(&mut self, rate: f64) -> Result<(), TrainError> {
        let (epoch, step) = (self.epoch, self.steps_per_epoch());
        let measured = measure(
            self.trainer,
            self.model,
            self.params,
            self.parts,
            &mut self.workspace,
            self.block,
            (epoch, step, rate),
        )?;
        self.history.push(measured);
        if self.trainer.keep_best && self.history.best(self.trainer.watch) == self.epoch {
            self.best = Some(self.params.as_slice().to_vec());
        }
        Ok(())
    }
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
    Err(TrainError::NotFinite { epoch, step, loss: loss.item().value(), culprit, learning_rate })
}
