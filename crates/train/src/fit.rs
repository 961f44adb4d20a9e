//! One training: settings, data, validation data and callbacks.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

use surprisal_data::Targets;
use surprisal_layers::{Layer, Rng};
use surprisal_optim::{Hyperparameter, Optimizer, Schedule};
use surprisal_tensor::{Params, Scalar, Shape, Var, Workspace};

use crate::link::Link;
use crate::measure::{block_rows, check_fit, check_outputs, check_rows, check_targets};
use crate::shards::Shards;
use crate::step::Step;
use crate::training::Training;
use crate::{
    At, Augment, Batch, Batched, Callback, Checkpoint, Clip, Epoch, Group, History, KeptOutputs, Monitor,
    TrainError, Trainer,
};

/// The maximum memory of the activations of a batch and their gradients, 4 GiB.
const MOST_BYTES: u64 = 1 << 32;

/// A closure that is called with every epoch.
type Each<'a> = Box<dyn FnMut(&Epoch) + 'a>;

/// A training that is ready to start: made by [`Trainer::on`].
///
/// See the example of [`Trainer`].
#[must_use = "a training begins with `fit` or `minimize`"]
pub struct Fit<'a, T: Scalar = f32> {
    pub(crate) trainer: &'a Trainer,
    pub(crate) train: &'a dyn Batched,
    pub(crate) validation: Option<&'a dyn Batched>,
    pub(crate) augment: Option<(Augment, [usize; 3])>,
    pub(crate) checkpoint: Option<Checkpoint<T>>,
    pub(crate) each: Option<Each<'a>>,
    pub(crate) callback: Option<&'a mut dyn Callback<T>>,
    pub(crate) order: Option<&'a mut Rng>,
    pub(crate) group: Option<&'a mut dyn Group>,
    pub(crate) interrupt: Option<&'a AtomicBool>,
    pub(crate) kept: Option<&'a mut KeptOutputs<T>>,
}

impl<'a, T: Scalar> Fit<'a, T> {
    /// Sets the validation data, measured after every epoch: they decide when to stop and which epoch was the best.
    pub fn validate(self, validation: &'a dyn Batched) -> Self {
        Fit { validation: Some(validation), ..self }
    }

    /// Changes the images of training batches at random; what is measured is not changed. The features of a row are an image of
    /// `[channels, height, width]`, or as many numbers; class indices of masks are moved with their images.
    ///
    /// ```
    /// # use surprisal_data::Dataset;
    /// # use surprisal_layers::{Linear, rng};
    /// # use surprisal_optim::Adam;
    /// # use surprisal_tensor::Params;
    /// # use surprisal_train::{Augment, Trainer};
    /// let mut digits = Dataset::digits().only_classes(&["0", "1"])?;
    /// digits.features /= 16.0;
    /// let mut params = Params::new();
    /// let model = Linear::new(&mut params, "out", 64, 2, &mut rng(2));
    /// let (trainer, shift) = (Trainer { epochs: 2, ..Trainer::default() }, Augment { shift: 1, ..Augment::default() });
    /// let image_shape = digits.image_shape.expect("digits are images");
    /// trainer.on(&digits).augment(shift, image_shape).fit(&model, &mut params, &mut Adam::new(0.01))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn augment(self, augment: Augment, image_shape: [usize; 3]) -> Self {
        Fit { augment: Some((augment, image_shape)), ..self }
    }

    /// Calls a closure with every epoch, including epoch 0.
    ///
    /// ```
    /// # use surprisal_data::Dataset;
    /// # use surprisal_layers::{Linear, rng};
    /// # use surprisal_optim::Sgd;
    /// # use surprisal_tensor::Params;
    /// # use surprisal_train::Trainer;
    /// # let iris = Dataset::iris();
    /// # let mut params = Params::new();
    /// # let model = Linear::new(&mut params, "out", 4, 3, &mut rng(2));
    /// # let trainer = Trainer { epochs: 2, ..Trainer::default() };
    /// let mut sgd = Sgd::new(0.01);
    /// trainer.on(&iris).each(|e| println!("{}: {}", e.epoch, e.train.loss)).fit(&model, &mut params, &mut sgd)?;
    /// # Ok::<(), surprisal_train::TrainError>(())
    /// ```
    pub fn each(self, each: impl FnMut(&Epoch) + 'a) -> Self {
        Fit { each: Some(Box::new(each)), ..self }
    }

    /// Calls a [`Callback`] with every step and epoch; it may end the training.
    ///
    /// See the example of [`resume`](Self::resume).
    pub fn callback(self, callback: &'a mut dyn Callback<T>) -> Self {
        Fit { callback: Some(callback), ..self }
    }

    /// Draws the order of rows from this generator, instead of one with the trainer's seed.
    pub fn order(self, rng: &'a mut Rng) -> Self {
        Fit { order: Some(rng), ..self }
    }

    /// Trains together with the other ranks of a group, each of which computes some of the [shards](Trainer::shards) of every batch.
    ///
    /// Every rank calls [`fit`](Self::fit) with the same data, settings and parameters, which are compared first, and leaves it with the same
    /// parameters and history: they have the same bits for any number of ranks, also for one without a group. After each epoch, the
    /// parameters are compared. A callback that ends the training on one rank ends it on all, after one more step.
    ///
    /// The `surprisal-distributed` crate has groups over MPI, and in the threads of one process.
    pub fn group(self, group: &'a mut dyn Group) -> Self {
        Fit { group: Some(group), ..self }
    }

    /// Ends the training, with [`Ended::Interrupted`](crate::Ended), after the step in which this becomes true, here or on another rank. That
    /// step's callbacks see it in [`At::ends`].
    pub fn interrupt(self, interrupt: &'a AtomicBool) -> Self {
        Fit { interrupt: Some(interrupt), ..self }
    }

    /// Keeps the outputs that were measured after the last epoch, if the model is left as it was then, and if they were measured here, in the
    /// blocks of [`outputs_of`](crate::outputs_of): a loss of a whole batch is not, and the ranks of a [group](Self::group) measure a part each.
    ///
    /// ```
    /// use surprisal_layers::{Linear, rng};
    /// use surprisal_optim::Adam;
    /// use surprisal_train::{KeptOutputs, Trainer, outputs_of};
    /// # use surprisal_data::Dataset;
    /// # use surprisal_tensor::Params;
    /// # let (iris, mut params) = (Dataset::iris(), Params::<f32>::default());
    /// # let model = Linear::new(&mut params, "out", 4, 3, &mut rng(2));
    /// let mut kept = KeptOutputs::default();
    /// let trainer = Trainer { epochs: 3, ..Trainer::default() };
    /// trainer.on(&iris).keep_outputs(&mut kept).fit(&model, &mut params, &mut Adam::new(0.01))?;
    /// assert_eq!(kept, [Some(outputs_of(&model, &params, &iris)), None]);
    /// # Ok::<(), surprisal_train::TrainError>(())
    /// ```
    pub fn keep_outputs(self, kept: &'a mut KeptOutputs<T>) -> Self {
        Fit { kept: Some(kept), ..self }
    }

    /// Resumes from a checkpoint, if there is one: the parameters must be those that were saved with it.
    ///
    /// The results have the same bits as those of a training that was not interrupted.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use surprisal_optim::Adam;
    /// use surprisal_tensor::Params;
    /// use surprisal_train::{At, Callback, Checkpoint, Ended, Trainer};
    /// # use surprisal_data::Dataset;
    /// # use surprisal_layers::{Linear, rng};
    ///
    /// /// Ends in the middle of an epoch, and keeps what is needed to resume.
    /// struct Interrupt(Option<(Params<f32>, Checkpoint<f32>)>);
    /// impl Callback<f32> for Interrupt {
    ///     fn on_step(&mut self, at: &At<f32>) -> ControlFlow<()> {
    ///         if (at.epoch, at.step) != (2, 1) {
    ///             return ControlFlow::Continue(());
    ///         }
    ///         self.0 = Some((at.params.clone(), at.checkpoint()));
    ///         ControlFlow::Break(())
    ///     }
    /// }
    ///
    /// # let iris = Dataset::iris();
    /// # let mut params = Params::new();
    /// # let model = Linear::new(&mut params, "out", 4, 3, &mut rng(2));
    /// let trainer = Trainer { epochs: 5, ..Trainer::default() };
    /// let mut interrupted = Interrupt(None);
    /// let mut to_the_end = params.clone();
    /// trainer.on(&iris).fit(&model, &mut to_the_end, &mut Adam::new(0.01))?;
    ///
    /// let history =
    ///     trainer.on(&iris).callback(&mut interrupted).fit(&model, &mut params, &mut Adam::new(0.01))?;
    /// assert_eq!(history.ended(), Ended::Interrupted);
    /// let (mut params, checkpoint) = interrupted.0.expect("kept above");
    /// trainer.on(&iris).resume(checkpoint).fit(&model, &mut params, &mut Adam::new(0.01))?;
    /// assert_eq!(params.as_slice(), to_the_end.as_slice());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resume(self, checkpoint: impl Into<Option<Checkpoint<T>>>) -> Self {
        Fit { checkpoint: checkpoint.into(), ..self }
    }

    /// Trains `params` in place to minimize the trainer's [`Objective`](crate::Objective) of the model's outputs. Returns the
    /// measurements after every epoch, including epoch 0.
    ///
    /// # Errors
    /// If the model's outputs, the data, the objective and the settings do not fit; if every parameter is frozen; if the loss is no longer
    /// finite, with the step, the first value that was not, and what to try; if the checkpoint is that of another optimizer, or of a training with other data or settings, as far
    /// as that can be seen.
    ///
    /// # Panics
    /// If a shape inside the model does not fit, or the loss never reaches a trainable parameter.
    #[track_caller]
    pub fn fit(
        self,
        model: &impl Layer,
        params: &mut Params<T>,
        optimizer: &mut dyn Optimizer<T>,
    ) -> Result<History, TrainError> {
        self.check(model, params)?;
        let Trainer { objective, ref class_weight, .. } = *self.trainer;
        let weights = class_weight.as_deref();
        let block = if objective.of_batch() {
            self.trainer.batch_size
        } else {
            block_rows(model, params, self.train)
        };
        let mut loss =
            record(|batch| objective.loss_of(batch.outputs(model.forward(batch.x)), batch, weights));
        let step = Step { loss: &mut loss, objective: Some(objective), weights, block };
        let kept = self.kept.filter(|_| !objective.of_batch() && self.group.is_none());
        Fit { kept, ..self }.run(step, params, optimizer)
    }

    /// [`fit`](Self::fit) with any loss: the closure records the loss of a batch, of one model or several. It is also called to measure, in
    /// batches of the same size, and its values are averaged, weighted by their numbers of rows. The trainer's objective and class weights are not used.
    ///
    /// ```
    /// use surprisal_data::Dataset;
    /// use surprisal_layers::{Layer, Linear, Tanh, rng};
    /// use surprisal_loss::{SoftmaxCrossEntropy, mse_loss};
    /// use surprisal_optim::Adam;
    /// use surprisal_tensor::Params;
    /// use surprisal_train::Trainer;
    ///
    /// let iris = Dataset::iris();
    /// let (mut params, mut rng) = (Params::new(), rng(7));
    /// let body = (Linear::new(&mut params, "body", 4, 8, &mut rng), Tanh);
    /// let class = Linear::new(&mut params, "class", 8, 3, &mut rng);
    /// let copy = Linear::new(&mut params, "copy", 8, 4, &mut rng); // a second head: the features again
    /// let smoothed = SoftmaxCrossEntropy { label_smoothing: 0.1, ..Default::default() };
    ///
    /// let history = Trainer::default().on(&iris).minimize(
    ///     |batch| {
    ///         let h = body.forward(batch.x);
    ///         let logits = batch.outputs(class.forward(h)); // so that accuracy is measured
    ///         smoothed.loss(logits, batch.labels()) + 0.1 * mse_loss(copy.forward(h), batch.x)
    ///     },
    ///     &mut params,
    ///     &mut Adam::new(0.01),
    /// )?;
    /// assert!(history.last().train.loss < history.epochs()[0].train.loss);
    /// assert!(history.last().train.accuracy > Some(0.8));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Further inputs are rows of other arrays: `batch.tape().rows(&others, batch.rows)`.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    ///
    /// # Panics
    /// As [`fit`](Self::fit); and if a batch is too small for a layer, which the closure does not show.
    #[track_caller]
    pub fn minimize(
        self,
        mut loss: impl for<'b, 't> FnMut(&Batch<'b, 't>) -> Var<'t>,
        params: &mut Params<T>,
        optimizer: &mut dyn Optimizer<T>,
    ) -> Result<History, TrainError> {
        let mut step =
            Step { loss: &mut loss, objective: None, weights: None, block: self.trainer.batch_size };
        self.check_closure(&mut step, params)?;
        Fit { kept: None, ..self }.run(step, params, optimizer)
    }

    #[track_caller]
    fn run(
        self,
        step: Step,
        params: &mut Params<T>,
        optimizer: &mut dyn Optimizer<T>,
    ) -> Result<History, TrainError> {
        let rate = optimizer.learning_rate();
        let mut callbacks = Told { each: self.each, callback: self.callback };
        let group = self.group.map(|group| group as &mut dyn Group);
        let link = Link::new(group, self.interrupt);
        let data = (self.train, self.validation);
        let mut training =
            Training::new(self.trainer, step, params, optimizer, data, self.augment, (link, self.kept))?;
        if let Some(order) = &self.order {
            training.draw_order(order);
        }
        let ended = match self.checkpoint {
            Some(checkpoint) => training.resume(checkpoint).and_then(|()| training.run(&mut callbacks)),
            None => training.run_from_start(&mut callbacks),
        };
        if let Some(order) = self.order {
            order.clone_from(training.order());
        }
        let history = training.end();
        optimizer.set_learning_rate(rate);
        ended.map(|ended| history.with_end(ended))
    }

    /// Checks that the settings are in range and fit the model and the data, as [`fit`](Self::fit) does first.
    ///
    /// ```
    /// use surprisal_data::Dataset;
    /// use surprisal_layers::{Linear, rng};
    /// use surprisal_tensor::Params;
    /// use surprisal_train::Trainer;
    /// let iris = Dataset::iris();
    /// let mut params = Params::new();
    /// let model = Linear::new(&mut params, "out", 4, 3, &mut rng(2));
    /// let trainer = Trainer { accumulate: 9, ..Trainer::default() };
    /// assert_eq!(
    ///     trainer.on(&iris).check(&model, &params).unwrap_err().to_string(),
    ///     "accumulate: expected 1 to 5, the number of batches in an epoch, found 9 | reduce the batch size for more"
    /// );
    /// ```
    ///
    /// # Errors
    /// If not: what was expected, what was found.
    #[track_caller]
    pub fn check(&self, model: &impl Layer, params: &Params<T>) -> Result<(), TrainError> {
        self.check_batches(1)?;
        let mut workspace = Workspace::new();
        for data in self.parts() {
            let (outputs, least_rows) = check_fit(model, params, data, &mut workspace)?;
            self.trainer.objective.check_fit(data.targets(), outputs)?;
            self.check_batches(least_rows)?;
        }
        let pixels = match self.train.targets() {
            Targets::Masks { masks, .. } => masks.shape()[1] * masks.shape()[2],
            _ => 1,
        };
        let rows = self.trainer.batch_size.min(self.train.rows());
        let rows = Shards::new(rows, self.trainer.shards).least_rows();
        self.trainer.objective.check_batch(rows * pixels)?;
        self.check_augment(params)?;
        self.check_rest(params, true, workspace.bytes())
    }

    /// The same for a closure, on the first batch.
    fn check_closure(&self, step: &mut Step, params: &Params<T>) -> Result<(), TrainError> {
        self.check_batches(1)?;
        let mut workspace = Workspace::new();
        for data in self.parts() {
            if data.rows() == 0 || !data.targets().is_empty() {
                check_rows(data)?; // of `Rows`, there are no targets
            }
            check_targets(data.targets())?;
            let rows = Vec::from_iter(0..self.trainer.batch_size.min(data.rows()));
            let tape = workspace.no_grad(params);
            let batch = data.batch(&tape, &rows);
            let loss = (step.loss)(&batch);
            check_scalar(&loss.shape())?;
            self.check_batches(tape.least_rows())?;
            match batch.noted() {
                Some(outputs) => drop(check_outputs(&outputs.shape(), rows.len(), data.targets())?),
                None => check_unnoted(self.trainer.monitor)?,
            }
        }
        self.check_augment(params)?;
        self.check_rest(params, false, 0)
    }

    fn parts(&self) -> impl Iterator<Item = &'a dyn Batched> {
        [Some(self.train), self.validation].into_iter().flatten()
    }

    /// Whether the changes of images fit the data.
    fn check_augment(&self, params: &Params<T>) -> Result<(), TrainError> {
        let Some((augment, image_shape)) = self.augment else { return Ok(()) };
        let mut workspace = Workspace::new();
        let tape = workspace.no_grad(params);
        augment.check(image_shape, self.train.features(&tape, &[0]).shape().len())
    }

    /// Whether the model can take the smallest batch.
    fn check_batches(&self, least: usize) -> Result<(), TrainError> {
        check_batches(self.trainer, self.train.rows(), least)
    }

    /// The settings, whether there is anything to train, and the memory of a batch, where that of a row is known.
    fn check_rest(&self, params: &Params<T>, named: bool, bytes_of_row: usize) -> Result<(), TrainError> {
        if params.trainable_spans().next().is_none() {
            return Err(TrainError::Misfit(format!(
                "params: expected one or more trainable parameters, found none among {} | \
                 unfreeze some with unfreeze_named, or add a layer that is trained",
                params.entries().len()
            )));
        }
        check_rest(self.trainer, self.train, self.validation, named, bytes_of_row)?;
        match self.trainer.clip {
            Clip::Value(most) => Hyperparameter::MaxValue
                .check_in::<T>(most)
                .map(drop)
                .map_err(|error| TrainError::Setting(error.to_string())),
            _ => Ok(()),
        }
    }
}

/// Fixes the type of a closure, so that its lifetimes are inferred.
fn record<F: for<'b, 't> FnMut(&Batch<'b, 't>) -> Var<'t>>(loss: F) -> F {
    loss
}

fn check_scalar(loss: &Shape) -> Result<(), TrainError> {
    match loss.len() {
        1 => Ok(()),
        _ => Err(TrainError::Misfit(format!(
            "the loss of a batch is {loss}: expected one number | take its mean, or the loss with a reduction"
        ))),
    }
}

fn check_unnoted(monitor: Monitor) -> Result<(), TrainError> {
    match monitor {
        Monitor::Loss => Ok(()),
        Monitor::Metric(metric) => Err(TrainError::Setting(format!(
            "monitor: {metric} needs the outputs of the model, but the closure does not pass them | call batch.outputs(..), or monitor the loss"
        ))),
    }
}

fn check_batches(trainer: &Trainer, rows: usize, least: usize) -> Result<(), TrainError> {
    let batches = trainer.batches(rows)?;
    let shard = |rows: &[usize]| Shards::new(rows.len(), trainer.shards.max(1)).least_rows();
    let smallest = batches.iter().map(shard).min().unwrap_or(0);
    if smallest >= least {
        return Ok(());
    }
    Err(TrainError::Setting(format!(
        "batch size: expected at least {least} rows in every batch, which the model's normalization needs in training, found \
         {smallest} in the last of {rows} rows in batches of {} | {}",
        trainer.batch_size,
        if trainer.batch_size < least {
            "use larger batches"
        } else {
            "set drop_last, or use another batch size"
        }
    )))
}

fn check_rest(
    trainer: &Trainer,
    train: &dyn Batched,
    validation: Option<&dyn Batched>,
    named: bool,
    bytes_of_row: usize,
) -> Result<(), TrainError> {
    let of_numbers = train.targets().is_regression();
    if validation.is_some_and(|validation| validation.targets().is_regression() != of_numbers) {
        return Err(TrainError::Misfit(
            "the training and validation data have different tasks: classification and regression".into(),
        ));
    }
    // a batch's values, and as many gradients
    let bytes = bytes_of_row.saturating_mul(2 * trainer.batch_size.min(train.rows()));
    if bytes as u64 > MOST_BYTES {
        return Err(TrainError::Setting(format!(
            "batch: {} rows of this model take {} MiB for activations and their gradients: expected at most {} MiB | \
             take smaller batches or layers",
            trainer.batch_size,
            bytes >> 20,
            MOST_BYTES >> 20
        )));
    }
    let decides =
        trainer.stop.is_some() || trainer.keep_best || matches!(trainer.schedule, Schedule::Plateau { .. });
    if decides && !trainer.measure_train && validation.is_none() {
        return Err(TrainError::Setting(
            "measure_train: early stopping, keep_best and the schedule plateau need a measured epoch | set it, or give validation data"
                .into(),
        ));
    }
    let batches = trainer.batches(train.rows())?.per_epoch();
    trainer.check_settings(batches, (!of_numbers).then(|| train.targets().classes()), named)
}

/// The closure and the callback, one after the other.
struct Told<'a, T: Scalar> {
    each: Option<Each<'a>>,
    callback: Option<&'a mut dyn Callback<T>>,
}

impl<T: Scalar> Callback<T> for Told<'_, T> {
    fn on_step(&mut self, at: &At<T>) -> ControlFlow<()> {
        self.callback.as_mut().map_or(ControlFlow::Continue(()), |callback| callback.on_step(at))
    }
    fn on_epoch(&mut self, at: &At<T>, measured: &Epoch) -> ControlFlow<()> {
        if let Some(each) = &mut self.each {
            each(measured);
        }
        self.callback.as_mut().map_or(ControlFlow::Continue(()), |callback| callback.on_epoch(at, measured))
    }
}
