//! How a model is trained.

use surprisal_data::metrics::Metric;
use surprisal_data::{Batches, Targets};
use surprisal_layers::Layer;
use surprisal_optim::{Hyperparameter, Optimizer, Penalty, Schedule};
use surprisal_tensor::{Params, Scalar, Workspace};

use crate::measure::check_fit;
use crate::training::Training;
use crate::{Callback, Checkpoint, Ended, Epoch, Examples, History, Objective, TrainError, Watch};

/// The bytes that the activations of a batch and their gradients may take, 4 GiB.
const MOST_BYTES: usize = 1 << 32;

/// How a model is trained. Two runs from equal settings and equal parameters give equal numbers.
///
/// The rest of the settings stay as they are with `..Trainer::default()`. See the example of [`fit`](Self::fit).
#[derive(Clone, Debug, PartialEq)]
pub struct Trainer {
    /// What is minimized.
    pub objective: Objective,
    /// How much a row of each class counts in the loss, in the order of the classes; without it, all count 1.
    pub class_weight: Option<Vec<f64>>,
    /// Passes over the training data.
    pub epochs: usize,
    /// Rows in a batch; the number of training rows for full-batch descent. The last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// Whether a last batch that is smaller than the others is left out of its epoch: see [`Batches::drop_last`].
    pub drop_last: bool,
    /// The seed of the shuffling, and of what layers draw.
    pub seed: u64,
    /// Batches whose gradients are averaged, row by row, before a step is made of them: 1 or more.
    pub accumulate: usize,
    /// What the learning rate does over time.
    pub schedule: Schedule,
    /// What large weights cost: added to the gradients, not to the losses that are told.
    pub penalty: Penalty,
    /// How long a step's gradient may be.
    pub clip: Clip,
    /// What is measured on the test part after every epoch, to decide when to stop, which epoch was the best, and for the schedule.
    pub watch: Watch,
    /// When to give up before the last epoch.
    pub stop: Option<EarlyStopping>,
    /// Whether the parameters are, in the end, those of the best epoch and not of the last.
    pub keep_best: bool,
    /// Whether the gradient over all training rows is measured too, after every epoch: about half as much work again.
    pub measure_gradient: bool,
}

/// The usual: cross-entropy, 10 epochs, batches of 32, seed 0, and nothing else.
impl Default for Trainer {
    fn default() -> Self {
        Trainer {
            objective: Objective::CrossEntropy,
            class_weight: None,
            epochs: 10,
            batch_size: 32,
            drop_last: false,
            seed: 0,
            accumulate: 1,
            schedule: Schedule::Constant,
            penalty: Penalty::default(),
            clip: Clip::None,
            watch: Watch::Loss,
            stop: None,
            keep_best: false,
            measure_gradient: false,
        }
    }
}

/// How long a step's gradient may be.
///
/// ```
/// use surprisal_train::{Clip, Trainer};
/// let trainer = Trainer { clip: Clip::Norm(1.0), ..Trainer::default() }; // as torch.nn.utils.clip_grad_norm_
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clip {
    /// As long as it is.
    None,
    /// The Euclidean length of the whole is at most this.
    Norm(f64),
    /// Every number is at most this, and at least minus this.
    Value(f64),
}

/// Gives up when what is watched has not become better for so many epochs.
///
/// ```
/// use surprisal_train::{EarlyStopping, Trainer};
/// let stop = EarlyStopping { patience: 5, min_delta: 0.0 };
/// assert_eq!(stop.ends(&[3.0, 1.0, 2.0, 2.0, 2.0, 2.0, 1.0]), true); // the best is five epochs old; smaller is better
/// assert_eq!(stop.ends(&[3.0, 1.0, 2.0, 2.0, 2.0, 2.0, 0.5]), false);
/// let trainer = Trainer { stop: Some(stop), keep_best: true, ..Trainer::default() };
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EarlyStopping {
    /// So many epochs: 1 or more.
    pub patience: usize,
    /// By how much it has to be better to count: 0 or more.
    pub min_delta: f64,
}

impl EarlyStopping {
    /// Whether it is time to give up after epochs with these values, of which the smaller are the better; NaN is worse than all.
    pub fn ends(&self, watched: &[f64]) -> bool {
        let mut best = (0, f64::INFINITY);
        for (epoch, &value) in watched.iter().enumerate() {
            if value < best.1 - self.min_delta || (best.1 == f64::INFINITY && value < best.1) {
                best = (epoch, value);
            }
        }
        watched.len() > self.patience.saturating_add(best.0)
    }
}

impl Trainer {
    /// Trains `params` in place and measures every epoch, the start included; `each` sees them as they come.
    ///
    /// ```
    /// use surprisal_data::Dataset;
    /// use surprisal_layers::{Linear, rng};
    /// use surprisal_optim::Sgd;
    /// use surprisal_tensor::Params;
    /// use surprisal_train::{Examples, Objective, Trainer};
    ///
    /// let blobs = Examples::<f32>::new(&Dataset::blobs(60, 0.5, 2, 2, 5.0, &mut rng(1))?);
    /// let mut params = Params::new();
    /// let model = Linear::new(&mut params, "out", 2, 1, &mut rng(2));
    /// let trainer = Trainer { epochs: 5, batch_size: 20, seed: 3, measure_gradient: true, ..Trainer::default() };
    /// let history = trainer.fit(&model, &mut params, &mut Sgd::new(0.1), &blobs, &blobs, |epoch| {
    ///     println!("{}: {}", epoch.epoch, epoch.loss);
    /// })?;
    /// assert_eq!(history.epochs().len(), 6); // the start, and five more
    /// assert!(history.last().loss < history.epochs()[0].loss);
    /// assert!(history.to_csv().starts_with("epoch,loss,train_accuracy,test_accuracy,gradient_norm,"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the model's outputs, the data, the objective and the settings do not fit, or if the loss is no longer finite: with the
    /// step, the first value that was not, and what to try.
    ///
    /// # Panics
    /// At the caller's line, if a shape inside the model does not fit, or the loss never reaches a trainable parameter.
    #[track_caller]
    pub fn fit<T: Scalar>(
        &self,
        model: &impl Layer,
        params: &mut Params<T>,
        optimizer: &mut (impl Optimizer<T> + ?Sized),
        train: &Examples<T>,
        test: &Examples<T>,
        each: impl FnMut(&Epoch),
    ) -> Result<History, TrainError> {
        struct Each<F>(F);
        impl<T: Scalar, F: FnMut(&Epoch)> Callback<T> for Each<F> {
            fn on_epoch(&mut self, _: &crate::At<T>, measured: &Epoch) -> std::ops::ControlFlow<()> {
                (self.0)(measured);
                std::ops::ControlFlow::Continue(())
            }
        }
        self.fit_with(model, params, optimizer, [train, test], None, &mut Each(each))
            .map(|(history, _)| history)
    }

    /// [`fit`](Self::fit) that tells a [`Callback`] of every step and epoch, which may end it, and that goes on from a
    /// [`Checkpoint`], if one is given: the parameters then are those that were saved with it.
    ///
    /// Where it ended and went on, nothing can be told from the numbers: the bits are those of a training that was not interrupted.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use surprisal_optim::Adam;
    /// use surprisal_tensor::{Params, Scalar};
    /// use surprisal_train::{At, Callback, Checkpoint, Ended, Examples, Trainer};
    /// # use surprisal_data::Dataset;
    /// # use surprisal_layers::{Linear, rng};
    ///
    /// /// Ends in the middle of an epoch, and keeps what is needed to go on.
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
    /// # let iris = Examples::<f32>::new(&Dataset::iris());
    /// # let mut params = Params::new();
    /// # let model = Linear::new(&mut params, "out", 4, 3, &mut rng(2));
    /// let trainer = Trainer { epochs: 5, ..Trainer::default() };
    /// let mut interrupted = Interrupt(None);
    /// let mut to_the_end = params.clone();
    /// trainer.fit(&model, &mut to_the_end, &mut Adam::new(0.01), &iris, &iris, |_| ())?;
    ///
    /// let parts = [&iris, &iris];
    /// let (_, ended) =
    ///     trainer.fit_with(&model, &mut params, &mut Adam::new(0.01), parts, None, &mut interrupted)?;
    /// assert_eq!(ended, Ended::Interrupted);
    /// let (mut params, checkpoint) = interrupted.0.expect("kept above");
    /// trainer.fit_with(&model, &mut params, &mut Adam::new(0.01), parts, Some(checkpoint), &mut ())?;
    /// assert_eq!(params.as_slice(), to_the_end.as_slice());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As there, and if the checkpoint is that of another optimizer, or of a training with other data or settings, as far as that can be seen.
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub fn fit_with<T: Scalar>(
        &self,
        model: &impl Layer,
        params: &mut Params<T>,
        optimizer: &mut (impl Optimizer<T> + ?Sized),
        [train, test]: [&Examples<T>; 2],
        checkpoint: Option<Checkpoint<T>>,
        callback: &mut impl Callback<T>,
    ) -> Result<(History, Ended), TrainError> {
        let rate = optimizer.learning_rate();
        let mut training = Training::new(self, model, params, optimizer, [train, test])?;
        match checkpoint {
            Some(checkpoint) => training.resume(checkpoint)?,
            None => training.start(callback)?,
        }
        let ended = training.run(callback);
        let history = training.end();
        optimizer.set_learning_rate(rate);
        ended.map(|ended| (history, ended))
    }
}

impl Trainer {
    /// Whether the settings are in range, and fit the model and the data: what [`fit_with`](Self::fit_with) asks first.
    ///
    /// ```
    /// use surprisal_data::Dataset;
    /// use surprisal_layers::{Linear, rng};
    /// use surprisal_tensor::Params;
    /// use surprisal_train::{Examples, Trainer};
    /// let iris = Examples::<f32>::new(&Dataset::iris());
    /// let mut params = Params::new();
    /// let model = Linear::new(&mut params, "out", 4, 3, &mut rng(2));
    /// let trainer = Trainer { accumulate: 9, ..Trainer::default() };
    /// assert_eq!(
    ///     trainer.check(&model, &params, [&iris, &iris]).unwrap_err().to_string(),
    ///     "accumulate: expected 1 to 5, the batches of an epoch, found 9 | smaller batches leave room for more"
    /// );
    /// ```
    ///
    /// # Errors
    /// If not: what was expected, what was found.
    #[track_caller]
    pub fn check<T: Scalar>(
        &self,
        model: &impl Layer,
        params: &Params<T>,
        parts: [&Examples<T>; 2],
    ) -> Result<(), TrainError> {
        let batches = self.batches(parts[0].rows())?;
        let (least, smallest) = (model.least_rows(), batches.iter().map(<[usize]>::len).min().unwrap_or(0));
        if smallest < least {
            return Err(TrainError::Setting(format!(
                "batch size: expected at least {least} rows in every batch, which the model's normalization needs in training, found \
                 {smallest} in the last of {} rows in batches of {} | {}",
                parts[0].rows(),
                self.batch_size,
                if self.batch_size < least {
                    "take larger batches"
                } else {
                    "set drop_last, or take another batch size"
                }
            )));
        }
        let batches = batches.per_epoch();
        let mut workspace = Workspace::new();
        let setting = |message| Err(TrainError::Setting(message));
        for examples in parts {
            let outputs = check_fit(model, params, examples, &mut workspace)?;
            let fits = match &examples.targets {
                Targets::Values(values) => self.objective.check_values(values),
                Targets::Classes { .. } => self.objective.check_outputs(outputs),
            };
            fits?;
        }
        if parts[0].targets.is_regression() != parts[1].targets.is_regression() {
            return Err(TrainError::Misfit("one part of the data has classes and the other numbers".into()));
        }
        // a batch's values, and as many gradients
        let bytes = workspace.bytes().saturating_mul(2 * self.batch_size.min(parts[0].rows()));
        if bytes > MOST_BYTES {
            return setting(format!(
                "batch: {} rows of this model take {} MiB for activations and their gradients: expected at most {} MiB | \
                 take smaller batches or layers",
                self.batch_size,
                bytes >> 20,
                MOST_BYTES >> 20
            ));
        }
        self.check_settings(
            batches,
            (!parts[0].targets.is_regression()).then(|| parts[0].targets.classes()),
        )?;
        match self.clip {
            Clip::Value(most) => Hyperparameter::MaxValue
                .check_in::<T>(most)
                .map(drop)
                .map_err(|error| TrainError::Setting(error.to_string())),
            _ => Ok(()),
        }
    }

    /// The batches of so many rows.
    pub(crate) fn batches(&self, rows: usize) -> Result<Batches, TrainError> {
        let batches = Batches::new(rows, self.batch_size)?;
        Ok(if self.drop_last { batches.drop_last() } else { batches })
    }

    fn check_settings(&self, batches: usize, classes: Option<usize>) -> Result<(), TrainError> {
        let setting = |message: String| Err(TrainError::Setting(message));
        self.objective.check(classes.is_none())?;
        if let Some(weights) = &self.class_weight {
            let Some(classes) = classes else {
                return setting(
                    "class weight: is for classes, and numbers are predicted | leave it out".into(),
                );
            };
            if self.objective.of_batch() {
                return setting(format!(
                    "class weight: loss {} is that of a whole batch and has no weights | leave it out, or choose ce or focal",
                    self.objective.name()
                ));
            }
            let in_range = |weight: &f64| *weight >= 0.0 && weight.is_finite();
            if weights.len() != classes || !weights.iter().all(in_range) || weights.iter().all(|&w| w == 0.0)
            {
                return setting(format!(
                    "class weight: expected {classes} finite numbers, 0 or above and not all 0, found {weights:?}"
                ));
            }
        }
        let judges = |metric: &Metric| classes.map_or(metric.for_numbers(), |n| metric.for_so_many(n));
        if let Watch::Metric(metric) = self.watch
            && !judges(&metric)
        {
            let what = classes.map_or("numbers".into(), |n| format!("{n} classes"));
            let names = Vec::from_iter(Metric::all().filter(judges).map(|metric| metric.to_string()));
            return setting(format!(
                "watch: {metric} does not judge {what} | choose one of {}, or loss",
                names.join(", ")
            ));
        }
        if self.accumulate == 0 || self.accumulate > batches {
            return setting(format!(
                "accumulate: expected 1 to {batches}, the batches of an epoch, found {} | smaller batches leave room for more",
                self.accumulate
            ));
        }
        self.schedule.check(self.epochs).map_err(|error| TrainError::Setting(error.to_string()))?;
        let positive = |what: &str, number: f64| match number > 0.0 && number.is_finite() {
            true => Ok(()),
            false => {
                setting(format!("{what}: expected a finite number above 0, found {number:?} | 1.0 is usual"))
            }
        };
        match self.clip {
            Clip::None => {}
            Clip::Norm(most) => positive("clip norm", most)?,
            Clip::Value(most) => positive("clip value", most)?,
        }
        match self.stop {
            Some(EarlyStopping { patience: 0, .. }) => {
                setting("patience: expected 1 or more, found 0 | 10 epochs are usual".into())
            }
            Some(EarlyStopping { min_delta, .. }) if !(min_delta >= 0.0 && min_delta.is_finite()) => setting(
                format!("min delta: expected a finite number, 0 or above, found {min_delta:?} | 0 is usual"),
            ),
            _ => Ok(()),
        }
    }
}
