//! [`Job`]: a run built from settings: data, a net, an optimizer, a trainer.

mod defaults;
mod memory;
mod part;
mod rows;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use surprisal_data::metrics::{Average, Metric};
use surprisal_data::{Dataset, Encoder, Loaded, Notice, Scaling, Spill, Targets, Unseen};
use surprisal_layers::{Init, Rng, Sequential, rng};
use surprisal_optim::Optimizer;
use surprisal_tensor::Params;
use surprisal_tensor::ndarray::{Array2, ArrayView2};
use surprisal_train::{
    Augment, Batched, Callback, Checkpoint, Ended, Evaluation, Examples, Fit, Group, History, KeptOutputs,
    Objective, Predictions, SavedModel, TrainError, Trainer, evaluate, outputs_of, probabilities,
};

pub(crate) use defaults::objective;
use defaults::{balanced, net, number, optimizer, resolved, trainer, usual_batch, with_usual};
use part::BlockFile;
pub use part::DataPart;
pub use rows::{Rows, hold_out, open, split};
use rows::{Unfit, open_in, other_name, other_of, unfit_feature};
pub(crate) use rows::{check_features, check_target, labeled_table, table_options, validation_share};

use crate::{RunError, Settings};

/// The default seed.
pub const SEED: u64 = 7;
/// The default fraction of validation rows, where they are needed.
pub(crate) const VALIDATION: f64 = 0.15;
/// The default fraction of test rows.
const TEST: f64 = 0.25;
/// The default net of a segmentation.
const UNET: &str = "unet(3,8)";
/// The default number of epochs is reduced if they have more steps than this ..
const EPOCHS: usize = 50;
const MOST_STEPS: usize = 20_000;
/// .. but at least this many.
const FEWEST_EPOCHS: usize = 10;
/// The default batch size, unless that makes fewer than [`LEAST_STEPS`] in an epoch ..
const BATCH: usize = 64;
const LEAST_STEPS: usize = 4;
/// .. but at least this many.
const LEAST_BATCH: usize = 8;
/// The maximum gradient norm of SGD at its default learning rate: without it, a few extreme rows would make it diverge.
const CLIP_NORM: f64 = 1.0;
/// The maximum number of parameters, 512 MiB: a checkpoint, with Adam's state and the best epoch four times as large, can still be read.
const MOST_NUMBERS: usize = 1 << 27;
/// The maximum number of classes: a confusion matrix has the square of it.
const MOST_CLASSES: usize = 4096;
/// The largest target of a regression: squares of larger ones overflow.
const LARGEST: f64 = 1e150;

/// A run ready to train: every setting decided, the data split, the net initialized.
///
/// ```
/// use surprisal_run::{Job, Settings};
/// let settings = Settings::from_toml("data = \"iris\"\nhidden = \"8\"\nopt = \"adam\"\nlr = 0.01\nepochs = 50\n", "iris.toml")?;
/// let mut job = Job::new(&settings)?;
/// let (history, _) = job.fit(None, &mut ())?;
/// assert!(history.last().held_out().accuracy > Some(0.9));
/// let [_, (test, scores)] = &job.scores()?[..] else { unreachable!() };
/// assert_eq!(*test, "test");
/// # Ok::<(), surprisal_run::RunError>(())
/// ```
pub struct Job {
    /// Every setting, with the defaults filled in: they reproduce the run.
    pub settings: Settings,
    /// The training, validation (if any) and test set.
    pub parts: Parts,
    /// The net.
    pub model: Sequential,
    /// Its parameters: initial, or trained.
    pub params: Params<f32>,
    /// How it is trained.
    pub trainer: Trainer,
    /// The optimizer.
    pub optimizer: Box<dyn Optimizer<f32>>,
    /// From a table's columns to the net's inputs.
    pub encoder: Encoder,
    /// The classes, or the number, that the net predicts.
    pub predictions: Predictions,
    /// What was decided automatically while reading the data.
    pub notices: Vec<Notice>,
}

/// Metrics and their values.
pub type Scores = Vec<(Metric, f64)>;

/// The outputs of a net for the rows of every part, `[rows, outputs]`, a row for each pixel of masks: scores, findings and pictures
/// are made of them.
///
/// See the example of [`write_results`](crate::write_results).
pub struct Outputs(Vec<(&'static str, Array2<f32>)>);

impl Outputs {
    /// Those of a part by its name: "train", "validation", "test".
    pub(crate) fn of(&self, part: &str) -> &Array2<f32> {
        let of_part = self.0.iter().find(|(name, _)| *name == part);
        &of_part.expect("every part that has rows is named").1
    }
}

/// The parts of the data, encoded for the net.
pub struct Parts {
    /// The training set.
    pub train: DataPart,
    /// The validation set.
    pub validation: Option<DataPart>,
    /// The test set, for the evaluation at the end; without rows if all are for training.
    pub test: DataPart,
    augment: Option<(Augment, [usize; 3])>, // of the training set
    file: Option<Arc<BlockFile>>,           // of the features, if they are not in memory
}

impl Parts {
    /// What is measured after every epoch beside the training part: the validation part, the test part where there is none, or the
    /// training part itself where there is neither.
    pub fn monitored(&self) -> (&'static str, &DataPart) {
        match &self.validation {
            Some(validation) => ("validation", validation),
            None if self.test.rows() > 0 => ("test", &self.test),
            None => ("train", &self.train),
        }
    }
    /// What the net is evaluated on at the end, the last of the parts that have rows.
    pub fn evaluated(&self) -> (&'static str, &DataPart) {
        self.named().last().unwrap_or(("train", &self.train))
    }
    /// The training set and the monitored part.
    fn training<'a>(&'a self, trainer: &'a Trainer) -> Fit<'a> {
        let mut training = trainer.on(&self.train);
        if let Some((augment, image_shape)) = self.augment {
            training = training.augment(augment, image_shape);
        }
        match self.monitored() {
            ("train", _) => training,
            (_, monitored) => training.validate(monitored),
        }
    }
    /// Whether a temporary file could be written and read, if there is one.
    fn check_file(&self) -> Result<(), RunError> {
        match &self.file {
            Some(file) => Ok(file.spill.check()?),
            None => Ok(()),
        }
    }
    fn named(&self) -> impl Iterator<Item = (&'static str, &DataPart)> {
        let parts = [
            ("train", Some(&self.train)),
            ("validation", self.validation.as_ref()),
            ("test", Some(&self.test).filter(|test| test.rows() > 0)),
        ];
        parts.into_iter().filter_map(|(name, part)| Some((name, part?)))
    }
}

impl Job {
    /// Opens and splits the data, and initializes a net.
    ///
    /// # Errors
    /// If a setting is missing or conflicts with another, and if the data cannot be read or split.
    pub fn new(settings: &Settings) -> Result<Job, RunError> {
        let mut rng = rng(settings.seed.unwrap_or(SEED));
        let spill = memory::spill(settings)?;
        let loaded = open_in(settings, &mut rng, spill.as_ref())?;
        let rows = split(settings, &loaded, &mut rng)?;
        Job::build(settings, Cow::Owned(loaded), rows, &mut rng, (false, spill))
    }

    /// As [`new`](Self::new), with features that are not rounded to `f32` in [`DataPart::dataset`].
    ///
    /// # Errors
    /// As there.
    pub fn exact(settings: &Settings) -> Result<Job, RunError> {
        needs_all_rows(settings)?;
        let mut rng = rng(settings.seed.unwrap_or(SEED));
        let loaded = open(settings, &mut rng)?;
        let rows = split(settings, &loaded, &mut rng)?;
        Job::build(settings, Cow::Owned(loaded), rows, &mut rng, (true, None))
    }

    /// As [`new`](Self::new), on data that are already open and split; the generator draws the rest.
    ///
    /// # Errors
    /// As there.
    pub fn on(settings: &Settings, loaded: &Loaded, rows: Rows, rng: &mut Rng) -> Result<Job, RunError> {
        needs_all_rows(settings)?;
        Job::build(settings, Cow::Borrowed(loaded), rows, rng, (false, None))
    }

    fn build(
        settings: &Settings,
        data: Cow<Loaded>,
        rows: Rows,
        rng: &mut Rng,
        (exact, spill): (bool, Option<Arc<Spill>>),
    ) -> Result<Job, RunError> {
        let loaded = &*data;
        let (regression, classes) = (loaded.targets().is_regression(), loaded.targets().classes());
        if classes > MOST_CLASSES {
            return Err(RunError::run(format!(
                "{}: {} rows have {classes} classes: expected at most {MOST_CLASSES} | is the target an identifier, or is this a regression \
                 (task = regression)?",
                loaded.name(),
                loaded.rows()
            )));
        }
        let objective = objective(settings, regression);
        objective.check(regression)?;
        let encoder = loaded.prepare(&rows.train, settings.scaling)?;
        let predictions = match loaded.targets() {
            Targets::Classes { names, .. } => Predictions::Classes(names.clone()),
            Targets::Values(values) => number(settings, objective, values, &rows.train, loaded.name())?,
            Targets::Masks { names, .. } => Predictions::Masks(names.clone()),
        };
        let outputs = match &predictions {
            Predictions::Number { .. } => 1,
            Predictions::Classes(_) => objective.outputs(classes),
            Predictions::Masks(_) => objective.outputs_of_pixel(classes),
        };
        let plan = net(settings, &encoder, outputs, loaded)?;
        if plan.parameters() > MOST_NUMBERS {
            return Err(RunError::run(format!(
                "a net {} has {} parameters: expected at most {MOST_NUMBERS} | make its layers smaller",
                plan.architecture(),
                plan.parameters()
            )));
        }

        let init = settings.init.unwrap_or(Init::Linear);
        // with PyTorch's initializer for weights also its one for biases, otherwise 0
        let bias = if init == Init::Linear { Init::Linear } else { Init::Zeros };
        let activation = settings.activation.unwrap_or_default();
        let mut params = Params::new();
        let model = Sequential::with_init(&mut params, &plan, activation, init, bias, rng);
        if let Some(file) = &settings.start_from {
            let start = SavedModel::read(file)?;
            start
                .load_into(&mut params)
                .map_err(|error| RunError::run(format!("{}: {error}", file.display())))?;
        }
        for pattern in settings.freeze.iter().flat_map(|names| &names.0) {
            params.freeze_named(pattern).map_err(|error| RunError::usage(format!("freeze: {error}")))?;
        }
        if params.trainable_spans().next().is_none() {
            return Err(RunError::usage(
                "freeze: all parameters are frozen | name fewer layers or parameters",
            ));
        }

        let train = balanced(settings, loaded, rows.train, rng)?;
        let rows_to_train_on = train.len();
        let noise = settings.label_noise.unwrap_or(0.0);
        let mut of_train = loaded.without_features(&train, &encoder);
        if noise > 0.0 {
            let targets = Dataset { feature_names: Vec::new(), image_shape: None, ..of_train.clone() };
            of_train.targets = targets.with_label_noise(noise, rng)?.0.targets;
        }
        let (notices, name) = (loaded.notices().to_vec(), loaded.name().to_owned());
        let cut = loaded.given_test().is_none() && settings.test_data.is_none();
        let lists = [&train[..], &rows.validation, &rows.test];
        let mut block = settings.block;
        if let Some(memory) = settings.memory {
            if loaded.targets().is_segmentation() {
                return Err(RunError::usage("memory: does not support segmentation | leave it out"));
            }
            let needs = memory::Needs {
                rows: lists.iter().map(|rows| rows.len()).sum(),
                train: train.len(),
                batch: settings.batch.unwrap_or(usual_batch(train.len())),
                outputs: classes.max(1),
                parameters: plan.parameters(),
                encoder: &encoder,
            };
            block = Some(needs.block(memory, block)?);
        }
        let file = spill.zip(block).map(|(spill, rows)| BlockFile::new(spill, rows));
        let [_, of_validation, of_test] = lists.map(|rows| loaded.without_features(rows, &encoder));
        let mut parts = [of_train, of_validation, of_test]
            .map(|set| DataPart::new(set, &predictions, exact, file.as_ref()));
        let mut unfit: Option<(usize, Unfit)> = None;
        let as_bytes = parts.iter().all(DataPart::may_be_bytes);
        match loaded.numbers_of_bytes(&encoder).filter(|_| as_bytes) {
            Some(numbers) => {
                parts.iter_mut().for_each(|part| part.hold_bytes(numbers, &encoder));
                Loaded::bytes(data, &lists, |part, first, bytes| parts[part].write_bytes(first, bytes));
            }
            None => Loaded::encode(data, &lists, &encoder, |part, first, numbers| {
                parts[part].write(first, numbers);
                let found = unfit_feature(numbers, &encoder).map(|found| (part, found.below(first)));
                unfit =
                    found.into_iter().chain(unfit.take()).min_by_key(|(part, found)| (*part, found.place()));
                Ok::<_, RunError>(())
            })?,
        }
        if let Some((part, unfit)) = unfit {
            return Err(unfit.error(&encoder, &name, |row| lists[part][row]));
        }
        let [train, validation, mut test] = parts;
        if let Some(path) = &settings.test_data {
            let set = labeled_table(path, &encoder, &predictions, &table_options(settings)?, Unseen::Error)?;
            check_features(set.features.view(), &encoder, &set.name, |row| row)?;
            test = DataPart::of(set, &predictions, exact, file.as_ref());
        }
        let augment =
            match (settings.augment.filter(|&augment| augment != Augment::default()), train.image_shape) {
                (None, _) => None,
                (Some(augment), Some(image_shape)) => Some((augment, image_shape)),
                (Some(_), None) => {
                    return Err(RunError::usage(format!(
                        "augment: expected images, found a table, {name} | leave it out"
                    )));
                }
            };
        let validation = Some(validation).filter(|validation| validation.rows() > 0);
        let parts = Parts { train, validation, test, augment, file };
        parts.check_file()?;

        let validation = validation_share(settings)?;
        let test = settings.test.or(cut.then_some(TEST));
        let settings = &Settings { validation: Some(validation), test, block, ..with_usual(settings) };
        let trainer = trainer(settings, objective, &parts.train.targets, validation > 0.0)?;
        let optimizer = optimizer(settings, &params)?;
        if trainer.batch_size > rows_to_train_on {
            return Err(RunError::run(format!(
                "batch: expected 1 to {rows_to_train_on}, the number of training rows, found {} | leave it out, or give {rows_to_train_on} \
                 for one batch of all rows",
                trainer.batch_size
            )));
        }
        // before a folder is made for it
        parts.training(&trainer).check(&model, &params)?;
        let resolved = resolved(settings, &trainer, plan.architecture(), optimizer.learning_rate());
        Ok(Job {
            settings: resolved,
            parts,
            model,
            params,
            trainer,
            optimizer,
            encoder,
            predictions,
            notices,
        })
    }

    /// Trains the net, from its initial parameters or from a checkpoint.
    ///
    /// # Errors
    /// As [`Fit::fit`].
    pub fn fit(
        &mut self,
        checkpoint: Option<Checkpoint<f32>>,
        callback: &mut impl Callback<f32>,
    ) -> Result<(History, Ended), RunError> {
        Ok(self.try_fit(checkpoint, callback, None, None, None)?)
    }

    /// [`fit`](Self::fit) with the trainer's own error, with a flag that [interrupts](Fit::interrupt) it, and together with the other
    /// ranks of a [group](Fit::group); [keeps the outputs](Fit::keep_outputs) for [`outputs_beside`](Self::outputs_beside).
    ///
    /// # Errors
    /// As there.
    pub fn try_fit(
        &mut self,
        checkpoint: Option<Checkpoint<f32>>,
        callback: &mut dyn Callback<f32>,
        interrupt: Option<&AtomicBool>,
        group: Option<&mut dyn Group>,
        kept: Option<&mut KeptOutputs<f32>>,
    ) -> Result<(History, Ended), TrainError> {
        let Job { parts, model, params, trainer, optimizer, .. } = self;
        let mut training = parts.training(trainer).resume(checkpoint).callback(callback);
        // those of pixels may need more memory than the training
        if let Some(kept) = kept.filter(|_| !parts.train.targets.is_segmentation()) {
            training = training.keep_outputs(kept);
        }
        if let Some(interrupt) = interrupt {
            training = training.interrupt(interrupt);
        }
        if let Some(group) = group {
            training = training.group(group);
        }
        let history = training.fit(model, params, &mut **optimizer);
        if let Some(file) = &parts.file {
            file.spill.check().map_err(TrainError::Data)?; // before what follows from numbers that could not be read
        }
        let history = history?;
        let ended = history.ended();
        Ok((history, ended))
    }

    /// Every metric that applies, on every part: "train", "validation" if there is one, "test". Those of a regression are
    /// in the units of the data.
    ///
    /// # Errors
    /// If the net's outputs are not finite.
    pub fn scores(&self) -> Result<Vec<(&'static str, Scores)>, RunError> {
        self.scored(|_, part| evaluate(&self.model, &self.params, self.trainer.objective, part))
    }

    /// [`scores`](Self::scores), from outputs that were computed before.
    ///
    /// # Errors
    /// As there.
    pub fn scores_of(&self, outputs: &Outputs) -> Result<Vec<(&'static str, Scores)>, RunError> {
        self.scored(|name, part| {
            Evaluation::of(self.trainer.objective, outputs.of(name).view(), Batched::targets(part))
        })
    }

    fn scored(
        &self,
        evaluation: impl Fn(&str, &DataPart) -> Result<Evaluation, TrainError>,
    ) -> Result<Vec<(&'static str, Scores)>, RunError> {
        let of_part = |(name, part): (&'static str, &DataPart)| {
            let evaluation = evaluation(name, part);
            self.parts.check_file()?;
            let evaluation = in_units(evaluation?, &self.predictions, &part.targets);
            Ok((name, scores(&self.predictions, &evaluation)))
        };
        self.parts.named().map(of_part).collect()
    }

    /// The outputs of the net for the rows of every part.
    pub fn outputs(&self) -> Outputs {
        self.outputs_beside(KeptOutputs::default())
    }

    /// [`outputs`](Self::outputs), of which the training has kept some.
    pub fn outputs_beside(&self, [mut of_train, mut of_monitored]: KeptOutputs<f32>) -> Outputs {
        let (monitored, _) = self.parts.monitored();
        let of_part = |(name, part): (&'static str, &DataPart)| {
            let mut kept = (name == "train").then(|| of_train.take()).flatten();
            kept = kept.or_else(|| (name == monitored).then(|| of_monitored.take()).flatten());
            (name, kept.unwrap_or_else(|| outputs_of(&self.model, &self.params, part)))
        };
        Outputs(self.parts.named().map(of_part).collect())
    }

    /// Whether a saved training can be resumed here: its data, the names of their columns, classes and categories, and its
    /// checkpoint. Loads the parameters.
    ///
    /// # Errors
    /// If not, with what differs.
    pub fn resume(&mut self, saved: &SavedModel) -> Result<Checkpoint<f32>, RunError> {
        self.same_data(saved)
            .map_err(|error| RunError::run(format!("{error} | begin a new run, or restore the data")))?;
        saved.load_into(&mut self.params).map_err(|error| RunError::run(error.to_string()))?;
        let Some(checkpoint) = saved.checkpoint.clone() else {
            return Err(RunError::run("the model contains no training state to resume"));
        };
        checkpoint.check(&self.trainer, &self.params, self.parts.train.rows())?;
        self.optimizer.load_state(&checkpoint.optimizer).map_err(TrainError::Optimizer)?;
        Ok(checkpoint)
    }

    /// Checks that the data are those of a saved training.
    ///
    /// # Errors
    /// If not, with what differs.
    pub fn same_data(&self, saved: &SavedModel) -> Result<(), RunError> {
        let differs = |what: &str, found: &str, expected: &str| {
            Err(RunError::run(format!(
                "the data differ from those of the training: expected the {what} {expected}, found {found}"
            )))
        };
        if let Some((what, found, expected)) = other_name(&self.encoder, &saved.encoder) {
            return differs(what, &found, &expected);
        }
        match (&self.predictions, &saved.predictions) {
            (Predictions::Classes(found), Predictions::Classes(expected))
            | (Predictions::Masks(found), Predictions::Masks(expected)) => {
                if let Some((found, expected)) = other_of(found, expected) {
                    return differs("class", &found, &expected);
                }
            }
            (Predictions::Number { name: found, .. }, Predictions::Number { name: expected, .. }) => {
                if found != expected {
                    return differs("target", &format!("\"{found}\""), &format!("\"{expected}\""));
                }
            }
            (found, expected) => {
                let [found, expected] = [found, expected].map(|predictions| match predictions {
                    Predictions::Classes(_) => "classes",
                    Predictions::Number { .. } => "a number",
                    Predictions::Masks(_) => "masks",
                });
                return differs("target", found, expected);
            }
        }
        match self.data_checksum() == saved.data_checksum {
            true => Ok(()),
            false => Err(RunError::run("the rows have changed since the training")),
        }
    }

    /// The model to save, with the state of the training if it is to be resumed.
    pub fn model_file(&self, params: &Params<f32>, checkpoint: Option<Checkpoint<f32>>) -> SavedModel {
        SavedModel {
            sizes: self.settings.get("model").unwrap_or_default(),
            activation: self.settings.get("activation").unwrap_or_default(),
            encoder: self.encoder.clone(),
            predictions: self.predictions.clone(),
            settings: self.settings.to_toml(),
            data_checksum: self.data_checksum(),
            checkpoint,
            ..SavedModel::of(params)
        }
    }

    /// The CRC-32 of the features and targets of every part.
    pub fn data_checksum(&self) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        self.parts.named().for_each(|(_, part)| part.add_to(&mut crc));
        crc.finalize()
    }
}

/// Whether all rows may be in memory.
fn needs_all_rows(settings: &Settings) -> Result<(), RunError> {
    match settings.memory {
        Some(_) => Err(RunError::usage("memory: is supported by a training alone | leave it out")),
        None => Ok(()),
    }
}

/// The CRC-32 of all rows and their targets, and of the names of columns, categories and classes.
pub(crate) fn checksum(data: &Loaded) -> Result<u32, RunError> {
    let all = Vec::from_iter(0..data.rows());
    let set = data.dataset(&all, &data.prepare(&all, Some(Scaling::None))?)?;
    let mut crc = crc32fast::Hasher::new();
    set.features.iter().for_each(|x| crc.update(&x.to_le_bytes()));
    match &set.targets {
        Targets::Values(values) => values.iter().for_each(|x| crc.update(&x.to_le_bytes())),
        Targets::Masks { masks, .. } => masks.iter().for_each(|&class| crc.update(&[class])),
        Targets::Classes { labels, .. } => {
            labels.iter().for_each(|&label| crc.update(&(label as u64).to_le_bytes()));
        }
    }
    for name in set.feature_names.iter().chain(set.class_names()) {
        crc.update(&(name.len() as u64).to_le_bytes());
        crc.update(name.as_bytes());
    }
    Ok(crc.finalize())
}

/// Features and targets as the net needs them: regression targets are scaled before they are rounded.
pub(crate) fn examples_of(part: &Dataset, predictions: &Predictions) -> Examples<f32> {
    let (offset, scale) = match predictions {
        Predictions::Classes(_) | Predictions::Masks(_) => (0.0, 1.0),
        Predictions::Number { offset, scale, .. } => (*offset, *scale),
    };
    let targets = part.targets.map(|value| f64::from(((value - offset) / scale) as f32));
    Examples { features: part.features.mapv(|x| x as f32).into_dyn(), targets }
}

/// The same in the units of the data, which the `targets` have.
pub(crate) fn in_units(evaluation: Evaluation, predictions: &Predictions, targets: &Targets) -> Evaluation {
    match (evaluation, predictions, targets) {
        (
            Evaluation::Values { predicted, .. },
            Predictions::Number { offset, scale, .. },
            Targets::Values(values),
        ) => Evaluation::Values {
            targets: values.clone(),
            predicted: predicted.into_iter().map(|z| offset + scale * z).collect(),
        },
        (evaluation, ..) => evaluation,
    }
}

/// Every metric that applies to this task and these rows.
pub fn scores(predictions: &Predictions, evaluation: &Evaluation) -> Scores {
    let fits = |metric: &Metric| match predictions {
        Predictions::Classes(names) => metric.for_so_many(names.len()) && !is_of_masks(metric),
        Predictions::Masks(names) => metric.for_so_many(names.len()),
        Predictions::Number { .. } => metric.for_numbers(),
    };
    // a curve needs rows of both classes, and R² two rows: where there are none, there is no such number
    let value = |metric| Some((metric, evaluation.metric(metric).ok()?));
    Metric::all().filter(|metric| fits(metric) && !is_accuracy_again(metric)).filter_map(value).collect()
}

/// Whether it is meant for masks: how far a predicted one overlaps the true one.
fn is_of_masks(metric: &Metric) -> bool {
    matches!(metric, Metric::Dice | Metric::Iou | Metric::MeanIou)
}

/// The class of every row, or of every pixel of masks.
pub(crate) fn labels(targets: &Targets) -> Cow<'_, [usize]> {
    match targets {
        Targets::Masks { masks, .. } => masks.iter().map(|&class| usize::from(class)).collect(),
        targets => Cow::from(targets.labels()),
    }
}

/// Predictions from outputs: the probability of every class, or the number.
pub(crate) fn said(objective: Objective, predictions: &Predictions, outputs: ArrayView2<f32>) -> Array2<f64> {
    match predictions {
        Predictions::Classes(_) | Predictions::Masks(_) => probabilities(outputs),
        Predictions::Number { offset, scale, .. } => {
            outputs.mapv(|z| offset + scale * objective.prediction(f64::from(z)))
        }
    }
}

/// Whether it is the accuracy under another name: where every row has one class, micro averages and the weighted recall are.
fn is_accuracy_again(metric: &Metric) -> bool {
    use Average::{Micro, Weighted};
    use Metric::{F1, Precision, Recall};
    matches!(metric, Precision(Micro) | Recall(Micro | Weighted) | F1(Micro))
}

/// The factor from a metric in the scale of the net to the units of the data.
pub fn unit(metric: Metric, predictions: &Predictions) -> f64 {
    match predictions {
        Predictions::Number { scale, .. } => scale.abs().powi(metric.power_of_unit()),
        _ => 1.0,
    }
}
