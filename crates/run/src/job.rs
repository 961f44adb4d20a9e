//! [`Job`]: a run built from settings: data, a net, an optimizer, a trainer.

use std::path::Path;

use surprisal_data::metrics::{Average, Metric};
use surprisal_data::{
    Categorical, CsvOptions, DataSource, Dataset, Encoder, Encoding, Loaded, Notice, TargetColumn, Targets,
    Unseen, oversampled, undersampled,
};
use surprisal_layers::{Init, Mlp, Rng, Sizes, rng};
use surprisal_optim::{Optimizer, OptimizerKind, OptimizerSettings, ParamGroup, Penalty, Schedule};
use surprisal_tensor::Params;
use surprisal_tensor::ndarray::{Array2, ArrayView2};
use surprisal_train::{
    Callback, Checkpoint, Clip, EarlyStopping, Ended, Evaluation, Examples, Fit, History, Monitor, Objective,
    Predictions, SavedModel, TrainError, Trainer, evaluate, probabilities,
};

use crate::settings::{Balance, ClassWeight, Hidden, List, OPTIMIZER};
use crate::{RunError, Settings};

/// The default seed.
pub const SEED: u64 = 7;
/// The default fraction of validation rows, where they are needed.
pub(crate) const VALIDATION: f64 = 0.15;
/// The default fraction of test rows.
const TEST: f64 = 0.25;
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
    pub model: Mlp,
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

/// The parts of the data, encoded for the net.
pub struct Parts {
    /// The training set.
    pub train: Dataset,
    /// The validation set.
    pub validation: Option<Dataset>,
    /// The test set, for the evaluation at the end; without rows if all are for training.
    pub test: Dataset,
    examples: Vec<Examples<f32>>, // of the three, values in the scale of the net
}

impl Parts {
    /// What is measured after every epoch beside the training part: the validation part, the test part where there is none, or the
    /// training part itself where there is neither.
    pub fn monitored(&self) -> (&'static str, &Dataset) {
        match &self.validation {
            Some(validation) => ("validation", validation),
            None if self.test.rows() > 0 => ("test", &self.test),
            None => ("train", &self.train),
        }
    }
    /// What the net is evaluated on at the end, the last of the parts that have rows.
    pub fn evaluated(&self) -> (&'static str, &Dataset) {
        self.named().last().map_or(("train", &self.train), |(name, part, _)| (name, part))
    }
    /// The training set and the monitored part.
    fn training<'a>(&'a self, trainer: &'a Trainer) -> Fit<'a> {
        let training = trainer.on(&self.examples[0]);
        match self.examples.get(1) {
            Some(monitored) => training.validate(monitored),
            None => training,
        }
    }
    fn named(&self) -> impl Iterator<Item = (&'static str, &Dataset, &Examples<f32>)> {
        let parts = [
            ("train", Some(&self.train)),
            ("validation", self.validation.as_ref()),
            ("test", Some(&self.test).filter(|test| test.rows() > 0)),
        ];
        let parts = parts.into_iter().filter_map(|(name, part)| Some((name, part?)));
        parts.zip(&self.examples).map(|((name, part), examples)| (name, part, examples))
    }
}

/// How the rows are split.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// Training rows.
    pub train: Vec<usize>,
    /// Validation rows; may be empty.
    pub validation: Vec<usize>,
    /// Test rows.
    pub test: Vec<usize>,
}

/// The data of these settings, opened.
pub fn open(settings: &Settings, rng: &mut Rng) -> Result<Loaded, RunError> {
    let Some(data) = &settings.data else {
        return Err(
            RunError::usage("no data given | set data, such as \"iris\" or \"FILE.csv\"").with(&["data"])
        );
    };
    if let (DataSource::Csv(path), None) = (data, &settings.target) {
        return Err(RunError::usage(format!(
            "{}: no target column given | set target to its name",
            path.display()
        ))
        .with(&["target"]));
    }
    let names = |list: &Option<List>| list.clone().unwrap_or_default().0;
    let options = CsvOptions {
        task: settings.task.unwrap_or_default(),
        ignore: names(&settings.ignore),
        keep: names(&settings.keep),
        categorical: match &settings.categorical {
            Some(columns) => Categorical::Columns(columns.0.clone()),
            None => Categorical::Auto,
        },
        dates: names(&settings.dates),
        missing: settings.missing.unwrap_or_default(),
        ..table_options(settings)?
    };
    Ok(data.open(&options, rng)?)
}

/// The format of a table and its target column, which new rows share with the training table.
pub(crate) fn table_options(settings: &Settings) -> Result<CsvOptions, RunError> {
    let delimiter = settings.delimiter.as_deref().map(CsvOptions::parse_delimiter).transpose();
    Ok(CsvOptions {
        header: settings.header.unwrap_or(true),
        delimiter: delimiter.map_err(RunError::usage)?,
        decimal: settings.decimal.unwrap_or_default(),
        thousands: settings.thousands.unwrap_or_default(),
        missing_words: settings.missing_words.as_ref().map(|List(words)| match &words[..] {
            [none] if none == "none" => Vec::new(),
            words => words.to_vec(),
        }),
        target: settings.target.clone(),
        ..CsvOptions::default()
    })
}

/// The fraction of validation rows, which decide which epoch is the best, when to stop, and when a plateau is reached.
///
/// # Errors
/// If it is 0 and a setting needs validation rows: the test rows would decide then.
pub(crate) fn validation_share(settings: &Settings) -> Result<f64, RunError> {
    let deciding = [
        ("patience", settings.patience.is_some()),
        ("keep_best", settings.keep_best == Some(true)),
        ("schedule plateau", matches!(settings.schedule, Some(Schedule::Plateau { .. }))),
    ];
    let deciding = deciding.into_iter().find(|(_, decides)| *decides);
    match (settings.validation, deciding) {
        (Some(0.0), Some((what, _))) => Err(RunError::usage(format!(
            "validation 0: {what} needs validation rows | leave validation out, or set it to {VALIDATION}"
        ))),
        (Some(share), _) => Ok(share),
        (None, Some(_)) => Ok(VALIDATION),
        (None, None) => Ok(0.0),
    }
}

/// Splits the rows by the settings.
pub fn split(settings: &Settings, loaded: &Loaded, rng: &mut Rng) -> Result<Rows, RunError> {
    let validation = validation_share(settings)?;
    if settings.test_data.is_some()
        && (settings.test.is_some_and(|share| share > 0.0) || loaded.given_test().is_some())
    {
        return Err(RunError::usage(
            "test_data: the data already have test rows | leave out test, or use data without a test set",
        ));
    }
    let all_to_train = settings.test_data.is_some() || settings.test == Some(0.0);
    let share = if all_to_train { 0.0 } else { settings.test.unwrap_or(TEST) };
    if validation + share >= 1.0 {
        return Err(RunError::usage(format!(
            "test {share:?} and validation {validation:?}: expected fractions whose sum is below 1 | 0.25 and 0.15 are usual"
        )));
    }
    if let Some(test) = loaded.given_test() {
        if settings.test.is_some() {
            return Err(RunError::usage("test: these data have their own test set | leave it out"));
        }
        let (train, validation) = hold_out(loaded, Vec::from_iter(0..test.start), validation, rng)?;
        return Ok(Rows { train, validation, test: test.collect() });
    }
    if all_to_train {
        let (train, validation) = hold_out(loaded, Vec::from_iter(0..loaded.rows()), validation, rng)?;
        return Ok(Rows { train, validation, test: Vec::new() });
    }
    let shares = match validation {
        0.0 => vec![1.0 - share, share],
        _ => vec![1.0 - share - validation, validation, share],
    };
    let mut parts = loaded.split(&shares, rng).map_err(|error| match loaded.targets() {
        Targets::Classes { names, .. } if names.iter().all(|name| name.parse::<f64>().is_ok()) => {
            RunError::run(format!("{error} | for regression, set task to regression")).with(&["task"])
        }
        _ => RunError::from(error),
    })?;
    let test = parts.pop().unwrap_or_default();
    let validation = if parts.len() > 1 { parts.pop().unwrap_or_default() } else { Vec::new() };
    Ok(Rows { train: parts.pop().unwrap_or_default(), validation, test })
}

/// Splits a fraction off some rows, stratified by class.
pub fn hold_out(
    loaded: &Loaded,
    rows: Vec<usize>,
    share: f64,
    rng: &mut Rng,
) -> Result<(Vec<usize>, Vec<usize>), RunError> {
    if share == 0.0 {
        return Ok((rows, Vec::new()));
    }
    let shares = [1.0 - share, share];
    let parts = match loaded.targets() {
        Targets::Classes { labels, .. } => {
            let labels = Vec::from_iter(rows.iter().map(|&row| labels[row]));
            surprisal_data::stratified_split_rows(&labels, &shares, rng)?
        }
        Targets::Values(_) => surprisal_data::split_rows(rows.len(), &shares, rng)?,
    };
    let [kept, taken] = [0, 1].map(|part: usize| parts[part].iter().map(|&i| rows[i]).collect());
    Ok((kept, taken))
}

impl Job {
    /// Opens and splits the data, and initializes a net.
    ///
    /// # Errors
    /// If a setting is missing or conflicts with another, and if the data cannot be read or split.
    pub fn new(settings: &Settings) -> Result<Job, RunError> {
        let mut rng = rng(settings.seed.unwrap_or(SEED));
        let loaded = open(settings, &mut rng)?;
        let rows = split(settings, &loaded, &mut rng)?;
        Job::on(settings, &loaded, rows, &mut rng)
    }

    /// As [`new`](Self::new), on data that are already open and split; the generator draws the rest.
    ///
    /// # Errors
    /// As there.
    pub fn on(settings: &Settings, loaded: &Loaded, rows: Rows, rng: &mut Rng) -> Result<Job, RunError> {
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
        };
        let outputs = if regression { 1 } else { objective.outputs(classes) };
        let sizes = sizes(settings, encoder.width(), outputs, loaded.name())?;
        let numbers = sizes
            .as_slice()
            .windows(2)
            .fold(0usize, |n, pair| n.saturating_add(pair[0].saturating_add(1).saturating_mul(pair[1])));
        if numbers > MOST_NUMBERS {
            return Err(RunError::run(format!(
                "a net {sizes} has {numbers} parameters: expected at most {MOST_NUMBERS} | make its layers smaller"
            )));
        }

        let init = settings.init.unwrap_or(Init::Linear);
        // with PyTorch's initializer for weights also its one for biases, otherwise 0
        let bias = if init == Init::Linear { Init::Linear } else { Init::Zeros };
        let activation = settings.activation.unwrap_or_default();
        let mut params = Params::new();
        let model = Mlp::with_init(&mut params, &sizes, activation, init, bias, rng);
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
        let part = |rows: &[usize]| {
            let part = loaded.dataset(rows, &encoder)?;
            check_features(part.features.view(), &encoder, loaded.name(), |row| rows[row])?;
            Ok::<_, RunError>(part)
        };
        let mut train = part(&train)?;
        if noise > 0.0 {
            train = train.with_label_noise(noise, rng)?.0;
        }
        let validation = if rows.validation.is_empty() { None } else { Some(part(&rows.validation)?) };
        let test = match &settings.test_data {
            Some(path) => {
                let test =
                    labeled_table(path, &encoder, &predictions, &table_options(settings)?, Unseen::Error)?;
                check_features(test.features.view(), &encoder, &test.name, |row| row)?;
                test
            }
            None => part(&rows.test)?,
        };
        let examples = [Some(&train), validation.as_ref(), Some(&test).filter(|test| test.rows() > 0)];
        let examples = examples.into_iter().flatten().map(|part| examples_of(part, &predictions)).collect();
        let parts = Parts { train, validation, test, examples };

        let validation = validation_share(settings)?;
        let cut = loaded.given_test().is_none() && settings.test_data.is_none();
        let test = settings.test.or(cut.then_some(TEST));
        let settings = &Settings { validation: Some(validation), test, ..with_usual(settings) };
        let trainer = trainer(settings, objective, &parts.train, validation > 0.0)?;
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
        let resolved = resolved(settings, &trainer, &sizes, optimizer.learning_rate());
        let notices = loaded.notices().to_vec();
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
        Ok(self.try_fit(checkpoint, callback)?)
    }

    /// [`fit`](Self::fit), with the trainer's own error.
    ///
    /// # Errors
    /// As there.
    pub fn try_fit(
        &mut self,
        checkpoint: Option<Checkpoint<f32>>,
        callback: &mut impl Callback<f32>,
    ) -> Result<(History, Ended), TrainError> {
        let Job { parts, model, params, trainer, optimizer, .. } = self;
        let training = parts.training(trainer).resume(checkpoint).callback(callback);
        let history = training.fit(model, params, &mut **optimizer)?;
        let ended = history.ended();
        Ok((history, ended))
    }

    /// Every metric that applies, on every part: "train", "validation" if there is one, "test". Those of a regression are
    /// in the units of the data.
    ///
    /// # Errors
    /// If the net's outputs are not finite.
    pub fn scores(&self) -> Result<Vec<(&'static str, Scores)>, RunError> {
        let mut all = Vec::new();
        for (name, part, examples) in self.parts.named() {
            let evaluation = evaluate(&self.model, &self.params, self.trainer.objective, examples)?;
            all.push((
                name,
                scores(&self.predictions, &in_units(evaluation, &self.predictions, &part.targets)),
            ));
        }
        Ok(all)
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
            (Predictions::Classes(found), Predictions::Classes(expected)) => {
                if let Some((found, expected)) = other_of(found, expected) {
                    return differs("class", &found, &expected);
                }
            }
            (Predictions::Number { name: found, .. }, Predictions::Number { name: expected, .. }) => {
                if found != expected {
                    return differs("target", &format!("\"{found}\""), &format!("\"{expected}\""));
                }
            }
            (Predictions::Classes(_), _) => return differs("target", "classes", "a number"),
            _ => return differs("target", "a number", "classes"),
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
            activation: self.model.activation().to_string(),
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
        for part in &self.parts.examples {
            part.features.iter().for_each(|x| crc.update(&x.to_le_bytes()));
            match &part.targets {
                Targets::Classes { labels, .. } => {
                    labels.iter().for_each(|label| crc.update(&(*label as u64).to_le_bytes()));
                }
                Targets::Values(values) => {
                    values.iter().for_each(|value| crc.update(&(*value as f32).to_le_bytes())); // which they are
                }
            }
        }
        crc.finalize()
    }
}

/// The rows of a table with their targets, encoded for an existing net.
pub(crate) fn labeled_table(
    path: &Path,
    encoder: &Encoder,
    predictions: &Predictions,
    options: &CsvOptions,
    unseen: Unseen,
) -> Result<Dataset, RunError> {
    let features = encoder.read_csv_path(path, options, unseen)?;
    let (column, file) = (TargetColumn::read_csv_path(path, options)?, path.display().to_string());
    let targets = match predictions {
        Predictions::Classes(names) => {
            Targets::Classes { labels: column.labels(names)?, names: names.clone() }
        }
        Predictions::Number { name, .. } => {
            let values = column.values()?;
            check_target(&values, name, &file)?;
            Targets::Values(values)
        }
    };
    Ok(Dataset { name: file, features, targets, feature_names: encoder.feature_names() })
}

/// The first name in two lists that differs: what was found, and what was expected.
fn other_of(found: &[String], expected: &[String]) -> Option<(String, String)> {
    let name =
        |names: &[String], at| names.get(at).map_or("none".into(), |name: &String| format!("\"{name}\""));
    let at = (0..found.len().max(expected.len())).find(|&at| found.get(at) != expected.get(at))?;
    Some((name(found, at), name(expected, at)))
}

/// The first column or category of an encoder with another name: what it is, what was found, and what was expected.
fn other_name(found: &Encoder, expected: &Encoder) -> Option<(&'static str, String, String)> {
    let columns =
        |encoder: &Encoder| Vec::from_iter(encoder.columns.iter().map(|column| column.name.clone()));
    if let Some((found, expected)) = other_of(&columns(found), &columns(expected)) {
        return Some(("column", found, expected));
    }
    let (found, expected) = other_of(&found.feature_names(), &expected.feature_names())?;
    Some(("input", found, expected))
}

/// Features and targets as the net needs them: regression targets are scaled before they are rounded.
pub(crate) fn examples_of(part: &Dataset, predictions: &Predictions) -> Examples<f32> {
    let (offset, scale) = match predictions {
        Predictions::Classes(_) => (0.0, 1.0),
        Predictions::Number { offset, scale, .. } => (*offset, *scale),
    };
    let targets = part.targets.map(|value| f64::from(((value - offset) / scale) as f32));
    Examples { features: part.features.mapv(|x| x as f32).into_dyn(), targets }
}

/// Whether `f32` holds the features, before and after they are encoded; `row` is the number of a row in the data.
pub(crate) fn check_features(
    features: ArrayView2<f64>,
    encoder: &Encoder,
    data: &str,
    row: impl Fn(usize) -> usize,
) -> Result<(), RunError> {
    let most = f64::from(f32::MAX);
    let mut columns = features.columns().into_iter();
    for column in &encoder.columns {
        let (offset, scale) = match &column.encoding {
            Encoding::OneHot { categories, .. } => {
                columns.by_ref().take(categories.len()).for_each(drop);
                continue;
            }
            Encoding::Number { offset, scale, .. } | Encoding::Date { offset, scale, .. } => {
                (*offset, *scale)
            }
        };
        let Some(encoded) = columns.next() else { break };
        let raw = |x: f64| x * scale + offset;
        if let Some(at) = encoded.iter().position(|&x| raw(x).abs() > most || x.abs() > most) {
            // what was read, up to the rounding of the scaling
            let found = format!("{:.14e}", raw(encoded[at])).parse().unwrap_or(raw(encoded[at]));
            return Err(RunError::run(format!(
                "{data}: row {}, column \"{}\": {found:?} is outside the range of f32, up to {:.1e} | correct the value, leave the \
                 row out, or divide the column",
                row(at),
                column.name,
                f32::MAX
            )));
        }
    }
    Ok(())
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
        Predictions::Classes(names) => metric.for_so_many(names.len()),
        Predictions::Number { .. } => metric.for_numbers(),
    };
    // a curve needs rows of both classes, and R² two rows: where there are none, there is no such number
    let value = |metric| Some((metric, evaluation.metric(metric).ok()?));
    Metric::all().filter(|metric| fits(metric) && !is_accuracy_again(metric)).filter_map(value).collect()
}

/// Predictions from outputs: the probability of every class, or the number.
pub(crate) fn said(objective: Objective, predictions: &Predictions, outputs: ArrayView2<f32>) -> Array2<f64> {
    match predictions {
        Predictions::Classes(_) => probabilities(outputs),
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

/// The loss of these settings.
pub(crate) fn objective(settings: &Settings, regression: bool) -> Objective {
    let usual = if regression { Objective::SquaredError } else { Objective::CrossEntropy };
    settings.loss.unwrap_or(usual)
}

/// How the net's output becomes a number: by the mean and the standard deviation of the training rows, or, where it is the logarithm of a
/// rate, by their mean.
fn number(
    settings: &Settings,
    objective: Objective,
    values: &[f64],
    train: &[usize],
    data: &str,
) -> Result<Predictions, RunError> {
    let name = settings.target.clone().unwrap_or_else(|| "value".into());
    check_target(values, &name, data)?;
    let of_train = || train.iter().map(|&row| values[row]);
    let n = train.len().max(1) as f64;
    let mean = of_train().sum::<f64>() / n;
    // by a power of two, which changes no digit, so that no square overflows or vanishes
    let largest = of_train().map(|value| (value - mean).abs()).fold(0.0, f64::max);
    let unit = if largest > 0.0 { 2f64.powi(largest.log2() as i32) } else { 1.0 };
    let squares = of_train().map(|value| (value - mean) / unit * ((value - mean) / unit));
    let deviation = (squares.sum::<f64>() / n).sqrt() * unit;
    let constant = of_train().next().filter(|&first| of_train().all(|value| value == first));
    let (offset, scale) = match constant {
        _ if objective.is_rate() => (0.0, if mean > 0.0 { mean } else { 1.0 }),
        Some(value) => (value, 1.0),
        None => (mean, deviation),
    };
    match values.iter().position(|value| ((value - offset) / scale).abs() > f64::from(f32::MAX)) {
        Some(row) => Err(RunError::run(format!(
            "{data}: row {row}, target \"{name}\": {:?} is too far from the training rows, {offset:?} with a standard deviation of \
             {scale:?} | correct the value, or leave the row out",
            values[row]
        ))),
        None => Ok(Predictions::Number { name, offset, scale }),
    }
}

/// Whether the squares of numbers to predict do not overflow.
pub(crate) fn check_target(values: &[f64], name: &str, data: &str) -> Result<(), RunError> {
    match values.iter().position(|value| value.abs() > LARGEST || value.is_nan()) {
        Some(row) => Err(RunError::run(format!(
            "{data}: row {row}, target \"{name}\": {:?} is too large: expected numbers up to {LARGEST:e}, whose squares do not overflow | \
             divide the column",
            values[row]
        ))),
        None => Ok(()),
    }
}

fn sizes(settings: &Settings, inputs: usize, outputs: usize, data: &str) -> Result<Sizes, RunError> {
    match (&settings.model, &settings.hidden) {
        (Some(sizes), Some(told)) if hidden(sizes) != *told => Err(RunError::usage(format!(
            "model {sizes} and hidden {told}: the hidden layers differ | give only one of them: model has all sizes, hidden those of the hidden layers"
        ))),
        (Some(sizes), _) if sizes.inputs() != inputs => Err(RunError::run(format!(
            "model {sizes}: expected {inputs} inputs, the features of {data}, found {} | begin with {inputs}, or set hidden instead",
            sizes.inputs(),
        ))
        .with(&["hidden"])),
        (Some(sizes), _) => Ok(sizes.clone()),
        (None, hidden) => {
            let hidden = hidden.clone().unwrap_or(Hidden(vec![32]));
            let all = [&[inputs], &hidden.0[..], &[outputs]].concat();
            Sizes::new(&all).map_err(|error| RunError::run(error.to_string()))
        }
    }
}

/// The sizes of the hidden layers.
fn hidden(sizes: &Sizes) -> Hidden {
    let sizes = sizes.as_slice();
    Hidden(sizes[1..sizes.len() - 1].to_vec())
}

fn balanced(
    settings: &Settings,
    loaded: &Loaded,
    rows: Vec<usize>,
    rng: &mut Rng,
) -> Result<Vec<usize>, RunError> {
    let balance = settings.balance.unwrap_or(Balance::None);
    let labels = match (balance, loaded.targets()) {
        (Balance::None, _) => return Ok(rows),
        (_, Targets::Classes { labels, .. }) => Vec::from_iter(rows.iter().map(|&row| labels[row])),
        (_, Targets::Values(_)) => {
            return Err(RunError::usage("balance: does not support regression | leave it out"));
        }
    };
    let chosen = match balance {
        Balance::Oversample => oversampled(&labels, rng),
        _ => undersampled(&labels, rng),
    };
    Ok(chosen.into_iter().map(|i| rows[i]).collect())
}

/// The settings, with the default optimizer and the defaults that depend on the optimizer.
fn with_usual(settings: &Settings) -> Settings {
    let opt = settings.opt.unwrap_or(OPTIMIZER);
    let free = opt == OptimizerKind::Sgd && settings.lr.is_none() && settings.clip_value.is_none();
    Settings {
        opt: Some(opt),
        lr: settings.lr.or(Some(opt.usual_rate())),
        clip_norm: settings.clip_norm.or(free.then_some(CLIP_NORM)),
        schedule: settings.schedule.or(Some(Schedule::Cosine { warmup: 0, floor: 0.0 })),
        ..settings.clone()
    }
}

/// The default batch size.
fn usual_batch(rows: usize) -> usize {
    rows.div_ceil(LEAST_STEPS).clamp(LEAST_BATCH, BATCH).min(rows)
}

/// The default number of epochs, by the steps in each.
fn usual_epochs(steps_per_epoch: usize) -> usize {
    MOST_STEPS.div_ceil(steps_per_epoch).clamp(FEWEST_EPOCHS, EPOCHS)
}

fn trainer(
    settings: &Settings,
    objective: Objective,
    train: &Dataset,
    validated: bool,
) -> Result<Trainer, RunError> {
    let rows = train.rows();
    let clip = match (settings.clip_norm, settings.clip_value) {
        (Some(most), _) => Clip::Norm(most),
        (None, Some(most)) => Clip::Value(most),
        (None, None) => Clip::None,
    };
    let min_delta = settings.min_delta.unwrap_or(0.0);
    let batch_size = settings.batch.unwrap_or(usual_batch(rows));
    let accumulate = settings.accumulate.unwrap_or(1);
    let steps_per_epoch = rows.div_ceil(batch_size).div_ceil(accumulate);
    Ok(Trainer {
        objective,
        class_weight: class_weight(settings, train)?,
        epochs: settings.epochs.unwrap_or_else(|| usual_epochs(steps_per_epoch)),
        batch_size,
        drop_last: settings.drop_last.unwrap_or(false),
        seed: settings.seed.unwrap_or(SEED),
        accumulate,
        schedule: settings.schedule.unwrap_or_default(),
        penalty: Penalty::new(settings.l1.unwrap_or(0.0), settings.l2.unwrap_or(0.0)),
        clip,
        monitor: settings.monitor.unwrap_or(Monitor::Loss),
        stop: settings.patience.map(|patience| EarlyStopping { patience, min_delta }),
        keep_best: settings.keep_best.unwrap_or(validated),
        measure_train: true,
        measure_gradient: false,
    })
}

/// The weight of each class, if they differ.
fn class_weight(settings: &Settings, train: &Dataset) -> Result<Option<Vec<f64>>, RunError> {
    let of = match &settings.class_weight {
        None | Some(ClassWeight::None) => return Ok(None),
        Some(_) if train.is_regression() => {
            return Err(RunError::usage("class_weight: does not support regression | leave it out"));
        }
        Some(ClassWeight::Balanced) => {
            let (rows, counts) = (train.rows() as f64, train.class_counts());
            // a class without rows has no loss: any weight will do
            let weight = |&count: &usize| rows / (counts.len() * count.max(1)) as f64;
            return Ok(Some(counts.iter().map(weight).collect()));
        }
        Some(ClassWeight::Of(of)) => of,
    };
    let mut weights = vec![1.0; train.classes()];
    for (class, weight) in of {
        let Some(at) = train.class_names().iter().position(|name| name == class) else {
            let names = || train.class_names().iter().map(String::as_str);
            let advice = match surprisal_settings::closest(class, names()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("the classes are {}", Vec::from_iter(names().take(20)).join(", ")),
            };
            return Err(RunError::usage(format!("class_weight: there is no class \"{class}\" | {advice}")));
        };
        weights[at] = *weight;
    }
    Ok(Some(weights))
}

fn optimizer(settings: &Settings, params: &Params<f32>) -> Result<Box<dyn Optimizer<f32>>, RunError> {
    if settings.clip_norm.is_some() && settings.clip_value.is_some() {
        return Err(RunError::usage(
            "clip_norm and clip_value: only one kind of gradient clipping is supported | give one of them",
        ));
    }
    if settings.min_delta.is_some() && settings.patience.is_none() {
        return Err(RunError::usage("min_delta: needs early stopping | set patience too"));
    }
    let Settings { momentum, alpha, beta1, beta2, eps, weight_decay, .. } = *settings;
    let nesterov = settings.nesterov.unwrap_or(false);
    if nesterov && momentum.unwrap_or(0.0) == 0.0 {
        return Err(RunError::usage("nesterov: needs momentum | set momentum too, 0.9 is usual"));
    }
    let told = OptimizerSettings {
        learning_rate: settings.lr,
        momentum,
        nesterov,
        alpha,
        beta1,
        beta2,
        eps,
        weight_decay,
    };
    let mut optimizer = settings.opt.unwrap_or(OPTIMIZER).build(&told)?;
    if let Some(groups) = &settings.groups {
        let group = |group: &crate::settings::Group| {
            let mut made = ParamGroup::named(&group.pattern);
            if let Some(lr) = group.lr {
                made = made.learning_rate(lr);
            }
            if let Some(decay) = group.weight_decay {
                made = made.weight_decay(decay);
            }
            made
        };
        for group in &groups.0 {
            params.matching(&group.pattern).map_err(|error| RunError::usage(format!("groups: {error}")))?;
        }
        optimizer.set_groups(groups.0.iter().map(group).collect());
    }
    Ok(optimizer)
}

/// The settings, with the defaults that the outcome depends on filled in.
fn resolved(settings: &Settings, trainer: &Trainer, sizes: &Sizes, rate: f64) -> Settings {
    Settings {
        model: Some(sizes.clone()),
        hidden: Some(hidden(sizes)),
        activation: Some(settings.activation.unwrap_or_default()),
        init: Some(settings.init.unwrap_or(Init::Linear)),
        loss: Some(trainer.objective),
        lr: Some(rate),
        schedule: Some(trainer.schedule),
        epochs: Some(trainer.epochs),
        batch: Some(trainer.batch_size),
        seed: Some(trainer.seed),
        monitor: Some(trainer.monitor),
        keep_best: Some(trainer.keep_best),
        ..settings.clone()
    }
}
