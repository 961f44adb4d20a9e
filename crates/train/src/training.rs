//! The loop: epochs over shuffled batches, each measured; it can begin anywhere.

use std::ops::ControlFlow;

use rand::Rng as _;
use surprisal_data::Batches;
use surprisal_layers::{Rng, rng};
use surprisal_optim::{self as optim, GradientMean, Optimizer, clip_grad_norm, clip_grad_value};
use surprisal_tensor::{Params, Scalar, Workspace};

use crate::history::first_best;
use crate::link::{About, Link, checksum_of_data, checksum_of_params};
use crate::measure::measure;
use crate::shards::Shards;
use crate::step::{Step, finite};
use crate::{
    At, Augment, Batch, Batched, Callback, Checkpoint, Clip, Ended, GroupError, History, KeptOutputs,
    TrainError, Trainer,
};

/// One training: the settings, what they work on, and where it stands.
pub(crate) struct Training<'a, 'f, T: Scalar> {
    trainer: &'a Trainer,
    minimized: Step<'f>,
    params: &'a mut Params<T>,
    optimizer: &'a mut dyn Optimizer<T>,
    train: &'a dyn Batched,
    validation: Option<&'a dyn Batched>,
    augment: Option<(Augment, [usize; 3])>,
    link: Link<'a, T>,
    kept: Option<&'a mut KeptOutputs<T>>,
    workspace: Workspace<T>,
    batches: Batches,
    rows: Vec<usize>,      // memory for those of a batch
    labels: Vec<usize>,    // and for their labels
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
        (train, validation): (&'a dyn Batched, Option<&'a dyn Batched>),
        augment: Option<(Augment, [usize; 3])>,
        (link, mut kept): (Link<'a, T>, Option<&'a mut KeptOutputs<T>>),
    ) -> Result<Self, TrainError> {
        let batches = trainer.batches(train.rows())?;
        let base = optimizer.learning_rate();
        if let Some(kept) = &mut kept {
            **kept = KeptOutputs::default();
        }
        Ok(Training {
            trainer,
            minimized,
            params,
            optimizer,
            train,
            validation,
            augment,
            link,
            kept,
            workspace: Workspace::new(),
            batches,
            rows: Vec::new(),
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
        self.agree()?;
        self.measured(self.base)?;
        if self.epoch_ends(self.base, callback) && self.trainer.epochs > 0 {
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
        self.agree()?;
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
            ends: self.link.ends(),
            params: self.params,
            history: &self.history,
            checkpoint,
        }
    }

    /// Calls the callback after an epoch; returns whether the training is interrupted.
    fn epoch_ends(&mut self, rate: f64, callback: &mut dyn Callback<T>) -> bool {
        let checkpoint = || self.checkpoint();
        let at = self.at(f64::NAN, rate, &checkpoint);
        let (ends, control) = (at.ends, callback.on_epoch(&at, self.history.last()));
        ends || (control.is_break() && self.link.end())
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
            let ends = self.epoch_ends(rate, callback);
            if self.epoch < trainer.epochs && is_early(&self.monitored) {
                return Ok(Ended::Early);
            }
            if ends && self.epoch < trainer.epochs {
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
            let checkpoint = || self.checkpoint();
            let at = self.at(loss, rate(step), &checkpoint);
            let (ends, control) = (at.ends, callback.on_step(&at));
            if ends || (control.is_break() && self.link.end()) {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(rate(steps_per_epoch - 1)))
    }

    /// Leaves the best parameters, if they are wanted, and hands out the history.
    pub fn end(self) -> History {
        let measured_later = self.best.is_some() && first_best(&self.monitored) != self.epoch;
        if let Some(kept) = self.kept.filter(|_| self.step > 0 || measured_later) {
            *kept = KeptOutputs::default(); // of other parameters
        }
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
        let mut rows = std::mem::take(&mut self.rows);
        rows.clear();
        rows.extend(self.batches.iter().nth(batch).expect("an epoch has this batch"));
        let loss = self.backward_shards(batch, &rows, at);
        let count = rows.len();
        self.rows = rows;
        Ok((loss?, count))
    }

    /// The mean gradient of the shards of a batch; gives the mean loss.
    #[track_caller]
    fn backward_shards(
        &mut self,
        batch: usize,
        rows: &[usize],
        at: (usize, usize, f64),
    ) -> Result<f64, TrainError> {
        let shards = Shards::new(rows.len(), self.trainer.shards);
        if shards.count == 1 && self.link.place().1 == 1 {
            let seed = self.seeds.next_u64();
            return self.record(rows, seed, at);
        }
        let (rank, size) = self.link.place();
        let of_rank = shards.of_rank(rank, size);
        // a rank without a shard of its own learns from the first which buffers there are new values for
        let recorded = if of_rank.is_empty() { 0..1 } else { of_rank.clone() };
        let seeds = self.seeds.clone();
        self.link.begin();
        for shard in 0..shards.count {
            let seed = self.seeds.next_u64();
            if recorded.contains(&shard) {
                let loss = match self.record(&rows[shards.rows(shard..shard + 1)], seed, at) {
                    Err(TrainError::NotFinite { loss, .. }) if size > 1 => loss,
                    loss => loss?,
                };
                if of_rank.contains(&shard) {
                    self.link.add(shards, shard, loss, self.workspace.grads());
                }
            }
        }
        let about = About::Batch { epoch: at.0, batch };
        let losses = self.link.mean(shards, about, self.workspace.grads_mut())?;
        if let Some(shard) = losses.iter().position(|loss| !loss.is_finite()) {
            // all ranks look for the first value that was not finite, and end with the same error
            let (loss, mut seeds) = (losses[shard], seeds);
            for _ in 0..shard {
                seeds.next_u64();
            }
            self.record(&rows[shards.rows(shard..shard + 1)], seeds.next_u64(), at)?;
            let (epoch, step, learning_rate) = at;
            return Err(TrainError::NotFinite { epoch, step, loss, culprit: None, learning_rate });
        }
        let mut mean = 0.0;
        for (shard, loss) in losses.iter().enumerate() {
            let (of_shard, all) = (shards.rows(shard..shard + 1).len(), shards.rows(0..shard + 1).len());
            mean += (loss - mean) * of_shard as f64 / all as f64;
        }
        Ok(mean)
    }

    /// Records the loss of some rows and walks back from it; gives the loss.
    #[track_caller]
    fn record(&mut self, rows: &[usize], seed: u64, at: (usize, usize, f64)) -> Result<f64, TrainError> {
        let tape = self.workspace.tape(self.params).seeded(seed);
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
        let finite = finite(&tape, loss, at);
        loss.backward();
        let loss = loss.item();
        finite.map(|()| loss)
    }

    /// Checks that all ranks begin with the same data, settings and parameters.
    fn agree(&mut self) -> Result<(), TrainError> {
        let (_, size) = self.link.place();
        TrainError::check_shards(self.trainer.shards, size)?;
        if size == 1 {
            return Ok(());
        }
        let mut checksums = vec![
            crc32fast::hash(format!("{:?}{:?}", self.trainer, self.augment).as_bytes()),
            checksum_of_params(self.params),
        ];
        for data in [Some(self.train), self.validation].into_iter().flatten() {
            checksums.push(checksum_of_data(data, self.minimized.block, self.params, &mut self.workspace));
        }
        const WHAT: [&str; 4] = ["settings", "initial parameters", "training data", "validation data"];
        let differs = |rank, at: usize| GroupError::Differs { rank, what: WHAT[at] };
        Ok(self.link.agree(About::Start, &checksums, differs)?)
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
            (&mut self.workspace, self.kept.as_deref_mut()),
            &mut self.link,
            (epoch, step, rate),
        )?;
        if self.link.place().1 > 1 {
            let drifted = |rank, _| GroupError::Drifted { rank, epoch };
            self.link.agree(About::Params { epoch }, &[checksum_of_params(self.params)], drifted)?;
        }
        let sign = if self.trainer.monitor.larger_is_better() { -1.0 } else { 1.0 };
        self.monitored.push(sign * measured.monitored);
        self.history.push(measured);
        if self.trainer.keep_best && first_best(&self.monitored) == self.epoch {
            self.best = Some(self.params.as_slice().to_vec());
        }
        Ok(())
    }
}
