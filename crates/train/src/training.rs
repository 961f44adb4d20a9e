//! The loop: epochs over shuffled batches, each measured; it can begin anywhere.

use std::ops::ControlFlow;

use rand::Rng as _;
use surprisal_data::Batches;
use surprisal_layers::{Rng, rng};
use surprisal_optim::{self as optim, GradientMean, Optimizer, clip_grad_norm, clip_grad_value};
use surprisal_tensor::{Params, Scalar, Workspace};

use crate::history::first_best;
use crate::measure::measure;
use crate::step::{Step, finite};
use crate::{At, Augment, Batch, Batched, Callback, Checkpoint, Clip, Ended, History, TrainError, Trainer};

/// One training: the settings, what they work on, and where it stands.
pub(crate) struct Training<'a, 'f, T: Scalar> {
    trainer: &'a Trainer,
    minimized: Step<'f>,
    params: &'a mut Params<T>,
    optimizer: &'a mut dyn Optimizer<T>,
    train: &'a dyn Batched,
    validation: Option<&'a dyn Batched>,
    augment: Option<(Augment, [usize; 3])>,
    workspace: Workspace<T>,
    batches: Batches,
    labels: Vec<usize>,    // memory for those of a batch
    mean: GradientMean<T>, // of several batches
    base: f64,             // the learning rate that the schedule starts from
    epoch: usize,          // complete epochs
    step: usize,           // steps taken in the next one
    order: Rng,            // as it stood before this epoch's shuffle
    seeds: Rng,
    history: History,
    monitored: Vec<f64>, // of every epoch of the history; the smaller the better
    best: Option<Vec<T>>,
}

impl<'a, 'f, T: Scalar> Training<'a, 'f, T> {
    /// Of what has been checked.
    pub fn new(
        trainer: &'a Trainer,
        minimized: Step<'f>,
        params: &'a mut Params<T>,
        optimizer: &'a mut dyn Optimizer<T>,
        train: &'a dyn Batched,
        validation: Option<&'a dyn Batched>,
        augment: Option<(Augment, [usize; 3])>,
    ) -> Result<Self, TrainError> {
        let batches = trainer.batches(train.rows())?;
        let base = optimizer.learning_rate();
        Ok(Training {
            trainer,
            minimized,
            params,
            optimizer,
            train,
            validation,
            augment,
            workspace: Workspace::new(),
            batches,
            labels: Vec::new(),
            mean: GradientMean::new(),
            base,
            epoch: 0,
            step: 0,
            order: rng(trainer.seed),
            seeds: rng(!trainer.seed),
            history: History::default(),
            monitored: Vec::new(),
            best: None,
        })
    }

    fn steps_per_epoch(&self) -> usize {
        self.batches.per_epoch().div_ceil(self.trainer.accumulate)
    }

    /// Measures the initial model, and continues from there.
    #[track_caller]
    pub fn run_from_start(&mut self, callback: &mut dyn Callback<T>) -> Result<Ended, TrainError> {
        self.measured(self.base)?;
        let control =
            callback.on_epoch(&self.at(f64::NAN, self.base, &|| self.checkpoint()), self.history.last());
        if control.is_break() && self.trainer.epochs > 0 {
            return Ok(Ended::Interrupted);
        }
        self.run(callback)
    }

    /// Shuffles with this generator from now on.
    pub fn draw_order(&mut self, order: &Rng) {
        self.order.clone_from(order);
    }
    /// Where the generator of the order of rows stands.
    pub fn order(&self) -> &Rng {
        &self.order
    }

    /// Stands where the checkpoint was made; the parameters are already as they were then.
    pub fn resume(&mut self, checkpoint: Checkpoint<T>) -> Result<(), TrainError> {
        checkpoint.check(self.trainer, self.params, self.train.rows())?;
        self.optimizer.load_state(&checkpoint.optimizer).map_err(TrainError::Optimizer)?;
        (self.epoch, self.step) = (checkpoint.epoch as usize, checkpoint.step as usize);
        self.order.set_word_pos(checkpoint.order);
        self.seeds.set_word_pos(checkpoint.seeds);
        (self.history, self.best) = (checkpoint.history, checkpoint.best);
        self.history.of(self.train.targets().is_regression(), self.validation.is_some());
        self.monitored = self.trainer.monitor.smaller_is_better(&self.history);
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
    pub fn run(&mut self, callback: &mut dyn Callback<T>) -> Result<Ended, TrainError> {
        let trainer = self.trainer;
        let is_early = |monitored: &[f64]| trainer.stop.is_some_and(|stop| stop.ends(monitored));
        if self.epoch < trainer.epochs && self.step == 0 && is_early(&self.monitored) {
            return Ok(Ended::Early); // it was saved when it had ended
        }
        while self.epoch < trainer.epochs {
            let mut after = self.order.clone();
            if trainer.batch_size < self.train.rows() {
                self.batches.shuffle(&mut after);
            }
            let monitored = std::mem::take(&mut self.monitored);
            let steps = self.steps(&monitored, callback);
            self.monitored = monitored;
            let rate = match steps {
                Ok(ControlFlow::Continue(rate)) => rate,
                Ok(ControlFlow::Break(())) => return Ok(Ended::Interrupted),
                Err(error) => {
                    self.order = after; // this epoch's order has been drawn
                    return Err(error);
                }
            };
            (self.epoch, self.step, self.order) = (self.epoch + 1, 0, after);
            self.measured(rate)?;
            let control =
                callback.on_epoch(&self.at(f64::NAN, rate, &|| self.checkpoint()), self.history.last());
            if self.epoch < trainer.epochs && is_early(&self.monitored) {
                return Ok(Ended::Early);
            }
            if control.is_break() && self.epoch < trainer.epochs {
                return Ok(Ended::Interrupted);
            }
        }
        Ok(Ended::Finished)
    }

    /// The steps that the epoch still has; gives the learning rate of the last one.
    #[track_caller]
    fn steps(
        &mut self,
        monitored: &[f64],
        callback: &mut dyn Callback<T>,
    ) -> Result<ControlFlow<(), f64>, TrainError> {
        let (steps_per_epoch, trainer) = (self.steps_per_epoch(), self.trainer);
        let (base, epoch, epochs) = (self.base, self.epoch, trainer.epochs);
        let rate =
            |step| trainer.schedule.rate(base, optim::At { epoch, step, steps_per_epoch, epochs }, monitored);
        for step in self.step..steps_per_epoch {
            let loss = self.step(step, rate(step))?;
            self.step = step + 1;
            if callback.on_step(&self.at(loss, rate(step), &|| self.checkpoint())).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(rate(steps_per_epoch - 1)))
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
        // for the caller's line, which a method of `dyn Optimizer` does not know
        if let Err(error) = self.optimizer.try_step(self.params, grads) {
            panic!("{error}");
        }
        Ok(loss)
    }

    /// The gradient of one batch, left in the workspace; gives its loss and its rows.
    #[track_caller]
    fn backward(&mut self, batch: usize, at: (usize, usize, f64)) -> Result<(f64, usize), TrainError> {
        let rows = self.batches.iter().nth(batch).expect("there are so many batches in an epoch");
        let tape = self.workspace.tape(self.params).seeded(self.seeds.next_u64());
        let mut labels = std::mem::take(&mut self.labels);
        self.train.class_indices(rows, &mut labels);
        let (mut x, targets) = (self.train.features(&tape, rows), self.train.targets());
        if let Some((augment, image_shape)) = self.augment {
            let masks = if targets.is_segmentation() { &mut labels[..] } else { &mut [] };
            x = augment.record(x, (self.trainer.seed, self.epoch), rows, image_shape, masks);
        }
        let batch = Batch::new(x, targets, rows, labels);
        let loss = (self.minimized.loss)(&batch);
        self.labels = batch.into_labels();
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
            &mut self.minimized,
            self.params,
            (self.train, self.validation),
            &mut self.workspace,
            (epoch, step, rate),
        )?;
        let sign = if self.trainer.monitor.larger_is_better() { -1.0 } else { 1.0 };
        self.monitored.push(sign * measured.monitored);
        self.history.push(measured);
        if self.trainer.keep_best && first_best(&self.monitored) == self.epoch {
            self.best = Some(self.params.as_slice().to_vec());
        }
        Ok(())
    }
}
