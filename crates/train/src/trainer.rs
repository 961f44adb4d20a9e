//! How a model is trained.

use surprisal_data::Batches;
use surprisal_data::metrics::Metric;
use surprisal_optim::{Penalty, Schedule};
use surprisal_tensor::Scalar;

use crate::{Batched, Fit, Monitor, Objective, TrainError};

/// How a model is trained. Two runs from equal settings and equal parameters give equal numbers.
///
/// The rest of the settings stay as they are with `..Trainer::default()`.
///
/// ```
/// use surprisal_data::{Dataset, stratified_split};
/// use surprisal_layers::{Linear, rng};
/// use surprisal_optim::Sgd;
/// use surprisal_tensor::Params;
/// use surprisal_train::Trainer;
///
/// let mut rng = rng(1);
/// let (train, test) = stratified_split(&Dataset::blobs(80, 0.5, 2, 2, 5.0, &mut rng)?, 0.25, &mut rng)?;
/// let mut params = Params::new();
/// let model = Linear::new(&mut params, "out", 2, 1, &mut rng);
/// let trainer = Trainer { epochs: 40, batch_size: 20, seed: 3, ..Trainer::default() };
/// let history = trainer.on(&train).validate(&test).fit(&model, &mut params, &mut Sgd::new(0.5))?;
/// assert_eq!(history.epochs().len(), 41); // the start, and forty more
/// assert!(history.last().train.loss < history.epochs()[0].train.loss);
/// assert!(history.last().validation.is_some_and(|unseen| unseen.accuracy > Some(0.9)));
/// assert!(history.to_csv().starts_with("epoch,train_loss,train_accuracy,train_r2,validation_loss,"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Trainer {
    /// The loss that [`fit`](Fit::fit) minimizes.
    pub objective: Objective,
    /// The weight of each class in the loss, in the order of the classes; `None` means 1 for all.
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
    /// The number of shards in which each batch is cut: 1 or more. The gradient of a batch is the mean of those of its shards, weighted by
    /// their numbers of rows (at least 2) and added in a fixed order. So the numbers depend on it, but not on who computes which shard: see
    /// [`Fit::group`]. Layers and losses that look at a whole batch, such as batch normalization, see a shard.
    pub shards: usize,
    /// The learning rate schedule.
    pub schedule: Schedule,
    /// L1 and L2 penalties: added to the gradients, not included in reported losses.
    pub penalty: Penalty,
    /// Gradient clipping.
    pub clip: Clip,
    /// What is measured on the validation data after every epoch, or on the training data where there is none: to decide when to stop, which
    /// epoch was the best, and for the schedule.
    pub monitor: Monitor,
    /// Early stopping.
    pub stop: Option<EarlyStopping>,
    /// The number of rows in a [block](Batches::in_blocks): blocks are shuffled, and the rows within each. `None` shuffles all rows.
    pub block: Option<usize>,
    /// Whether the parameters are, in the end, those of the best epoch and not of the last.
    pub keep_best: bool,
    /// Whether the training data are measured after every epoch: about a third of the work of the epoch again. Without it, an epoch's `train` has a
    /// loss of NaN and nothing else.
    pub measure_train: bool,
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
            shards: 1,
            schedule: Schedule::Constant,
            penalty: Penalty::default(),
            clip: Clip::None,
            monitor: Monitor::Loss,
            stop: None,
            block: None,
            keep_best: false,
            measure_train: true,
            measure_gradient: false,
        }
    }
}

/// Gradient clipping.
///
/// ```
/// use surprisal_train::{Clip, Trainer};
/// let trainer = Trainer { clip: Clip::Norm(1.0), ..Trainer::default() }; // as torch.nn.utils.clip_grad_norm_
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clip {
    /// No clipping.
    None,
    /// The maximum gradient norm (Euclidean, over all parameters).
    Norm(f64),
    /// The maximum absolute value of every element.
    Value(f64),
}

/// Early stopping: stops when the monitored metric has not improved for `patience` epochs.
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
    /// The number of epochs without improvement: 1 or more.
    pub patience: usize,
    /// The minimum improvement that counts: 0 or more.
    pub min_delta: f64,
}

impl EarlyStopping {
    /// Whether to stop after epochs with these values, of which the smaller are the better; NaN is worse than all.
    pub fn ends(&self, monitored: &[f64]) -> bool {
        let mut best = (0, f64::INFINITY);
        for (epoch, &value) in monitored.iter().enumerate() {
            if value < best.1 - self.min_delta || (best.1 == f64::INFINITY && value < best.1) {
                best = (epoch, value);
            }
        }
        monitored.len() > self.patience.saturating_add(best.0)
    }
}

impl Trainer {
    /// A training with these settings on this data: [`fit`](Fit::fit) begins it.
    pub fn on<'a, T: Scalar>(&'a self, train: &'a dyn Batched) -> Fit<'a, T> {
        Fit {
            trainer: self,
            train,
            validation: None,
            augment: None,
            checkpoint: None,
            each: None,
            callback: None,
            order: None,
            group: None,
            interrupt: None,
            kept: None,
        }
    }

    /// The batches of a given number of rows.
    pub(crate) fn batches(&self, rows: usize) -> Result<Batches, TrainError> {
        let batches = Batches::new(rows, self.batch_size)?;
        let batches = match self.block {
            Some(0) => {
                return Err(TrainError::Setting(
                    "block: expected 1 row or more, found 0 | leave it out".into(),
                ));
            }
            Some(block) => batches.in_blocks(block),
            None => batches,
        };
        Ok(if self.drop_last { batches.drop_last() } else { batches })
    }

    /// Whether the settings are in range; `classes` is `None` for numbers, `named` says whether the [`Objective`] is minimized.
    pub(crate) fn check_settings(
        &self,
        batches: usize,
        classes: Option<usize>,
        named: bool,
    ) -> Result<(), TrainError> {
        let setting = |message: String| Err(TrainError::Setting(message));
        if named {
            self.objective.check(classes.is_none())?;
        } else if self.class_weight.is_some() {
            return setting(
                "class weight: needs a named objective | leave it out, and pass weights to the loss in the closure".into(),
            );
        }
        if let Some(weights) = &self.class_weight {
            let Some(classes) = classes else {
                return setting("class weight: does not support regression | leave it out".into());
            };
            if self.objective.of_batch() {
                return setting(format!(
                    "class weight: loss {} is that of a whole batch and does not support weights | leave it out, or choose ce or focal",
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
        if let Monitor::Metric(metric) = self.monitor
            && !judges(&metric)
        {
            let what = classes.map_or("regression".into(), |n| format!("{n} classes"));
            let names = Vec::from_iter(Metric::all().filter(judges).map(|metric| metric.to_string()));
            return setting(format!(
                "monitor: {metric} does not support {what} | choose one of {}, or loss",
                names.join(", ")
            ));
        }
        if self.accumulate == 0 || self.accumulate > batches {
            return setting(format!(
                "accumulate: expected 1 to {batches}, the number of batches in an epoch, found {} | reduce the batch size for more",
                self.accumulate
            ));
        }
        if self.shards == 0 {
            return setting("shards: expected 1 or more, found 0 | 1 is usual on one machine".into());
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
