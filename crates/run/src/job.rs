//! [`Job`]: settings made real: data, a net, an optimizer, a trainer.

use surprisal_data::metrics::{Average, Metric};
use surprisal_data::{
    Categorical, CsvOptions, DataSource, Dataset, Encoder, Loaded, Notice, oversampled, undersampled,
};
use surprisal_layers::{Init, Mlp, Rng, Sizes, rng};
use surprisal_optim::{Optimizer, OptimizerKind, OptimizerSettings, ParamGroup, Penalty, Schedule};
use surprisal_tensor::Params;
use surprisal_train::{
    Answers, Callback, Checkpoint, Clip, EarlyStopping, Ended, Examples, History, Objective, SavedModel,
    TrainError, Trainer, Watch, outputs, score,
};

use crate::settings::{Balance, Hidden, List};
use crate::{RunError, Settings};

/// The seed where none is told.
pub const SEED: u64 = 7;
/// The share of rows that decides about epochs, where something depends on it and none is told.
pub(crate) const VALIDATION: f64 = 0.15;
/// Epochs where none are given, unless they have fewer or more steps than [`STEPS`] ..
const EPOCHS: usize = 50;
const STEPS: [usize; 2] = [200, 20_000];
/// .. and at least this many where rows are many.
const FEWEST_EPOCHS: usize = 10;
/// The length that gradients are cut to where gradient descent takes its usual rate: a few extreme rows would make it diverge.
const CLIP_NORM: f64 = 1.0;
/// The numbers of the largest net, 512 MiB: a checkpoint of it, with the four times as many of Adam and a best epoch, can still be read.
const MOST_NUMBERS: usize = 1 << 27;

/// A run that can be begun: every setting decided, the data in parts, the net at its start.
///
/// ```
/// use surprisal_run::{Job, Settings};
/// let settings = Settings::from_toml("data = \"iris\"\nhidden = \"8\"\nopt = \"adam\"\nlr = 0.01\nepochs = 50\n", "iris.toml".as_ref())?;
/// let mut job = Job::new(&settings)?;
/// let (history, _) = job.fit(None, &mut ())?;
/// assert!(history.last().test_accuracy > 0.9);
/// let [_, (test, scores)] = &job.scores()?[..] else { unreachable!() };
/// assert_eq!(*test, "test");
/// # Ok::<(), surprisal_run::RunError>(())
/// ```
pub struct Job {
    /// Every setting, with what was decided where nothing was told: the same run comes from them.
    pub settings: Settings,
    /// What is trained on, decides about epochs (if any), and judges at the end.
    pub parts: Parts,
    /// The net.
    pub model: Mlp,
    /// Its parameters: at the start, or trained.
    pub params: Params<f32>,
    /// How it is trained.
    pub trainer: Trainer,
    /// What moves the parameters.
    pub optimizer: Box<dyn Optimizer<f32>>,
    /// From a table's columns to the net's inputs.
    pub encoder: Encoder,
    /// What the net's outputs mean.
    pub answers: Answers,
    /// What reading the data decided without being asked.
    pub notices: Vec<Notice>,
}

/// Metrics, and what they came to.
pub type Scores = Vec<(Metric, f64)>;

/// The parts of the data, as the net wants them.
pub struct Parts {
    /// What is trained on.
    pub train: Dataset,
    /// What decides about epochs.
    pub validation: Option<Dataset>,
    /// What judges at the end.
    pub test: Dataset,
    examples: Vec<Examples<f32>>, // of the three, values in the scale of the net
}

impl Parts {
    /// What is measured after every epoch beside the training part: the validation part, or the test part where there is none.
    pub fn watched(&self) -> (&'static str, &Dataset) {
        match &self.validation {
            Some(validation) => ("validation", validation),
            None => ("test", &self.test),
        }
    }
    fn named(&self) -> impl Iterator<Item = (&'static str, &Examples<f32>)> {
        let names =
            if self.validation.is_some() { &["train", "validation", "test"][..] } else { &["train", "test"] };
        names.iter().copied().zip(&self.examples)
    }
}

/// Which rows are for what.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// To train on.
    pub train: Vec<usize>,
    /// To decide about epochs; may be empty.
    pub validation: Vec<usize>,
    /// To judge at the end.
    pub test: Vec<usize>,
}

/// The data of these settings, opened.
pub fn open(settings: &Settings, rng: &mut Rng) -> Result<Loaded, RunError> {
    let Some(data) = &settings.data else {
        return Err(RunError::Usage(
            "there are no data: name them with --data, or data = \"..\" in the configuration".into(),
        ));
    };
    if let (DataSource::Csv(path), None) = (data, &settings.target) {
        return Err(RunError::Usage(format!(
            "{}: nobody says which column is to be predicted | name it with --target, or target = \"..\" in the configuration",
            path.display()
        )));
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

/// How a table is written, and which column is its target: what new rows have to share with those of the training.
pub(crate) fn table_options(settings: &Settings) -> Result<CsvOptions, RunError> {
    let separator = settings.separator.as_deref().map(CsvOptions::parse_separator).transpose();
    Ok(CsvOptions {
        header: settings.header.unwrap_or(true),
        separator: separator.map_err(RunError::usage)?,
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

/// The share of rows that decides which epoch is the best, when to stop, and when a plateau is reached.
///
/// # Errors
/// If it is 0 and there is something to decide: the test rows would decide it then.
pub(crate) fn validation_share(settings: &Settings) -> Result<f64, RunError> {
    let deciding = [
        ("patience", settings.patience.is_some()),
        ("keep_best", settings.keep_best == Some(true)),
        ("schedule plateau", matches!(settings.schedule, Some(Schedule::Plateau { .. }))),
    ];
    let deciding = deciding.into_iter().find(|(_, decides)| *decides);
    match (settings.validation, deciding) {
        (Some(0.0), Some((what, _))) => Err(RunError::Usage(format!(
            "validation 0: {what} needs validation rows, or the test rows would decide | leave validation out, or choose {VALIDATION}"
        ))),
        (Some(share), _) => Ok(share),
        (None, Some(_)) => Ok(VALIDATION),
        (None, None) => Ok(0.0),
    }
}

/// Cuts the rows as the settings say.
pub fn split(settings: &Settings, loaded: &Loaded, rng: &mut Rng) -> Result<Rows, RunError> {
    let validation = validation_share(settings)?;
    let share = settings.test.unwrap_or(DataSource::TEST_SHARE);
    if validation + share >= 1.0 {
        return Err(RunError::Usage(format!(
            "test {share:?} and validation {validation:?}: expected shares that leave rows to train on | 0.25 and 0.15 are usual"
        )));
    }
    if let Some(test) = loaded.given_test() {
        if settings.test.is_some() {
            return Err(RunError::Usage(
                "test: these data come with a test part of their own | leave it out".into(),
            ));
        }
        let (train, validation) = hold_out(loaded, Vec::from_iter(0..test.start), validation, rng)?;
        return Ok(Rows { train, validation, test: test.collect() });
    }
    let shares = match validation {
        0.0 => vec![1.0 - share, share],
        _ => vec![1.0 - share - validation, validation, share],
    };
    let mut parts = loaded.split(&shares, rng).map_err(|error| {
        let numbers = loaded.class_names().iter().all(|name| name.parse::<f64>().is_ok());
        let advice = " | or is it a number that is to be predicted? Then --task numbers";
        RunError::Run(format!("{error}{}", if numbers && loaded.labels().is_some() { advice } else { "" }))
    })?;
    let test = parts.pop().unwrap_or_default();
    let validation = if parts.len() > 1 { parts.pop().unwrap_or_default() } else { Vec::new() };
    Ok(Rows { train: parts.pop().unwrap_or_default(), validation, test })
}

/// Takes a share of some rows away, every class alike.
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
    let parts = match loaded.labels() {
        Some(labels) => {
            let labels = Vec::from_iter(rows.iter().map(|&row| labels[row]));
            surprisal_data::stratified_split_rows(&labels, &shares, rng)?
        }
        None => surprisal_data::split_rows(rows.len(), &shares, rng)?,
    };
    let [kept, taken] = [0, 1].map(|part: usize| parts[part].iter().map(|&i| rows[i]).collect());
    Ok((kept, taken))
}

impl Job {
    /// Opens the data, cuts them, and draws a net.
    ///
    /// # Errors
    /// If a setting is missing or does not go with another, and where the data cannot be read or cut.
    pub fn new(settings: &Settings) -> Result<Job, RunError> {
        let mut rng = rng(settings.seed.unwrap_or(SEED));
        let loaded = open(settings, &mut rng)?;
        let rows = split(settings, &loaded, &mut rng)?;
        Job::on(settings, &loaded, rows, &mut rng)
    }

    /// As [`new`](Self::new), on data that are open and cut; what is still to draw comes from the generator.
    ///
    /// # Errors
    /// As there.
    pub fn on(settings: &Settings, loaded: &Loaded, rows: Rows, rng: &mut Rng) -> Result<Job, RunError> {
        let encoder = loaded.prepare(&rows.train, settings.scaling)?;
        let of_values = loaded.labels().is_none();
        let classes = loaded.class_names().len();
        let answers = match loaded.values() {
            None => Answers::Classes(loaded.class_names().to_vec()),
            Some(values) => number(settings, rows.train.iter().map(|&row| values[row])),
        };
        let sizes = sizes(settings, encoder.width(), if of_values { 1 } else { classes }, loaded.name())?;
        let numbers = sizes
            .as_slice()
            .windows(2)
            .fold(0usize, |n, pair| n.saturating_add(pair[0].saturating_add(1).saturating_mul(pair[1])));
        if numbers > MOST_NUMBERS {
            return Err(RunError::Run(format!(
                "a net {sizes} has {numbers} numbers: expected at most {MOST_NUMBERS} | make its layers smaller"
            )));
        }

        let init = settings.init.unwrap_or(Init::Linear);
        // biases start as PyTorch's do where weights do, and at 0 otherwise
        let bias = if init == Init::Linear { Init::Linear } else { Init::Zeros };
        let activation = settings.activation.unwrap_or_default();
        let mut params = Params::new();
        let model = Mlp::with_init(&mut params, &sizes, activation, init, bias, rng);
        if let Some(file) = &settings.start_from {
            let start = SavedModel::read(file)?;
            start
                .load_into(&mut params)
                .map_err(|message| RunError::Run(format!("{}: {message}", file.display())))?;
        }
        for pattern in settings.freeze.iter().flat_map(|names| &names.0) {
            params.freeze_named(pattern).map_err(|error| RunError::Usage(format!("freeze: {error}")))?;
        }
        if params.trainable_spans().next().is_none() {
            return Err(RunError::Usage(
                "freeze: nothing is left that could learn | name fewer layers or parameters".into(),
            ));
        }

        let train = balanced(settings, loaded, rows.train, rng)?;
        let rows_to_train_on = train.len();
        let noise = settings.label_noise.unwrap_or(0.0);
        let mut train = loaded.dataset(&train, &encoder)?;
        if noise > 0.0 {
            train = train.with_label_noise(noise, rng)?.0;
        }
        let validation = match rows.validation.is_empty() {
            true => None,
            false => Some(loaded.dataset(&rows.validation, &encoder)?),
        };
        let test = loaded.dataset(&rows.test, &encoder)?;
        let examples = [Some(&train), validation.as_ref(), Some(&test)];
        let examples =
            examples.into_iter().flatten().map(|part| scaled(Examples::new(part), &answers)).collect();
        let parts = Parts { train, validation, test, examples };

        let validation = validation_share(settings)?;
        let test = settings.test.or(loaded.given_test().is_none().then_some(DataSource::TEST_SHARE));
        let settings = &Settings { validation: Some(validation), test, ..with_usual(settings) };
        let trainer = trainer(settings, rows_to_train_on, of_values, validation > 0.0);
        let optimizer = optimizer(settings, &params)?;
        if trainer.batch_size > rows_to_train_on {
            return Err(RunError::Run(format!(
                "batch: expected 1 to {rows_to_train_on}, the rows to train on, found {} | leave it out, or give {rows_to_train_on} \
                 for one batch of everything",
                trainer.batch_size
            )));
        }
        // before a folder is made for it
        trainer.check(&model, &params, [&parts.examples[0], &parts.examples[1]])?;
        let resolved = resolved(settings, &trainer, &sizes, optimizer.learning_rate());
        let notices = loaded.notices().to_vec();
        Ok(Job { settings: resolved, parts, model, params, trainer, optimizer, encoder, answers, notices })
    }

    /// Trains the net, from the start or from a checkpoint.
    ///
    /// # Errors
    /// As [`Trainer::fit_with`].
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
        let watched = parts.examples.get(1).expect("there is a test part");
        trainer.fit_with(model, params, &mut **optimizer, [&parts.examples[0], watched], checkpoint, callback)
    }

    /// Every metric that there is for such answers, on every part: "train", "validation" if there is one, "test".
    ///
    /// # Errors
    /// If the net's outputs are not finite.
    pub fn scores(&self) -> Result<Vec<(&'static str, Scores)>, RunError> {
        let mut all = Vec::new();
        for (name, examples) in self.parts.named() {
            let outputs = outputs(&self.model, &self.params, examples.features.view());
            all.push((name, scores(&self.answers, outputs.view(), examples)?));
        }
        Ok(all)
    }

    /// The model as a file, and its training if it is to go on.
    pub fn model_file(&self, params: &Params<f32>, checkpoint: Option<Checkpoint<f32>>) -> SavedModel {
        SavedModel {
            sizes: self.settings.get("model").unwrap_or_default(),
            activation: self.model.activation().to_string(),
            encoder: self.encoder.clone(),
            answers: self.answers.clone(),
            settings: self.settings.to_toml(),
            data_checksum: self.data_checksum(),
            checkpoint,
            ..SavedModel::of(params)
        }
    }

    /// The CRC-32 of the numbers of every part, and of their answers.
    pub fn data_checksum(&self) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        for part in &self.parts.examples {
            part.features.iter().for_each(|x| crc.update(&x.to_le_bytes()));
            part.labels.iter().for_each(|label| crc.update(&(*label as u64).to_le_bytes()));
            part.values.iter().for_each(|value| crc.update(&value.to_le_bytes()));
        }
        crc.finalize()
    }
}

/// Values in the scale of the net.
pub(crate) fn scaled(mut examples: Examples<f32>, answers: &Answers) -> Examples<f32> {
    if let Answers::Number { offset, scale, .. } = answers {
        examples.values.iter_mut().for_each(|value| *value = ((f64::from(*value) - offset) / scale) as f32);
    }
    examples
}

/// Every metric that there is for such answers and such rows; those of numbers in the units of the data.
pub fn scores(
    answers: &Answers,
    outputs: surprisal_tensor::ndarray::ArrayView2<f32>,
    examples: &Examples<f32>,
) -> Result<Scores, RunError> {
    if let Some(row) = outputs.rows().into_iter().position(|row| row.iter().any(|z| !z.is_finite())) {
        return Err(RunError::Run(format!(
            "the net's output for row {row} is not finite: did the training diverge?"
        )));
    }
    let mut all = Vec::new();
    for metric in Metric::all().filter(|metric| !is_accuracy_again(metric)) {
        let fits = match answers {
            Answers::Classes(names) => metric.for_so_many(names.len()),
            Answers::Number { .. } => metric.for_numbers(),
        };
        // a curve needs rows of both classes, and R² two rows: where there are none, there is no such number
        if let (true, Ok(value)) = (fits, score(metric, outputs, examples)) {
            all.push((metric, value * unit(metric, answers)));
        }
    }
    Ok(all)
}

/// Whether it is the accuracy under another name: where every row has one class, micro averages and the weighted recall are.
fn is_accuracy_again(metric: &Metric) -> bool {
    use Average::{Micro, Weighted};
    use Metric::{F1, Precision, Recall};
    matches!(metric, Precision(Micro) | Recall(Micro | Weighted) | F1(Micro))
}

/// What one of a metric, measured in the scale of the net, is in the units of the data.
pub fn unit(metric: Metric, answers: &Answers) -> f64 {
    match (answers, metric) {
        (Answers::Number { scale, .. }, Metric::MeanAbsoluteError | Metric::RootMeanSquaredError) => {
            scale.abs()
        }
        (Answers::Number { scale, .. }, Metric::MeanSquaredError) => scale * scale,
        _ => 1.0,
    }
}

/// Mean and standard deviation of the answers, by which the net's output becomes one.
fn number(settings: &Settings, values: impl Iterator<Item = f64> + Clone) -> Answers {
    let n = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / n;
    let deviation = (values.map(|value| (value - mean) * (value - mean)).sum::<f64>() / n).sqrt();
    let name = settings.target.clone().unwrap_or_else(|| "value".into());
    Answers::Number { name, offset: mean, scale: if deviation > 0.0 { deviation } else { 1.0 } }
}

fn sizes(settings: &Settings, inputs: usize, outputs: usize, data: &str) -> Result<Sizes, RunError> {
    match (&settings.model, &settings.hidden) {
        (Some(sizes), Some(told)) if hidden(sizes) != *told => Err(RunError::Usage(format!(
            "model {sizes} and hidden {told}: the sizes differ | give one of them: model has all sizes, hidden those between"
        ))),
        (Some(sizes), _) if sizes.inputs() != inputs => Err(RunError::Run(format!(
            "--model {sizes} takes {} numbers, but {data} has {inputs} feature columns: begin with {inputs}, or give the layers \
             between with --hidden",
            sizes.inputs(),
        ))),
        (Some(sizes), _) => Ok(sizes.clone()),
        (None, hidden) => {
            let hidden = hidden.clone().unwrap_or(Hidden(vec![32]));
            let all = [&[inputs], &hidden.0[..], &[outputs]].concat();
            Sizes::new(&all).map_err(|error| RunError::Run(error.to_string()))
        }
    }
}

/// The sizes between the first and the last.
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
    let labels = match (balance, loaded.labels()) {
        (Balance::None, _) => return Ok(rows),
        (_, Some(labels)) => Vec::from_iter(rows.iter().map(|&row| labels[row])),
        (_, None) => {
            return Err(RunError::Usage(
                "balance: is for classes, found numbers to predict | leave it out".into(),
            ));
        }
    };
    let chosen = match balance {
        Balance::Oversample => oversampled(&labels, rng),
        _ => undersampled(&labels, rng),
    };
    Ok(chosen.into_iter().map(|i| rows[i]).collect())
}

/// The settings, with the default optimizer and what suits the optimizer where nothing is given.
fn with_usual(settings: &Settings) -> Settings {
    let opt = settings.opt.unwrap_or(OptimizerKind::Adam);
    let free = opt == OptimizerKind::Sgd && settings.lr.is_none() && settings.clip_value.is_none();
    Settings {
        opt: Some(opt),
        lr: settings.lr.or(Some(opt.usual_rate())),
        clip_norm: settings.clip_norm.or(free.then_some(CLIP_NORM)),
        schedule: settings.schedule.or(Some(Schedule::Cosine { warmup: 0, floor: 0.0 })),
        ..settings.clone()
    }
}

/// The epochs where none are given, by the steps in each.
fn usual_epochs(steps_per_epoch: usize) -> usize {
    let [least, most] = STEPS.map(|steps| steps.div_ceil(steps_per_epoch));
    EPOCHS.max(least).min(most.max(FEWEST_EPOCHS))
}

fn trainer(settings: &Settings, rows: usize, of_values: bool, validated: bool) -> Trainer {
    let usual = if of_values { Objective::SquaredError } else { Objective::CrossEntropy };
    let clip = match (settings.clip_norm, settings.clip_value) {
        (Some(most), _) => Clip::Norm(most),
        (None, Some(most)) => Clip::Value(most),
        (None, None) => Clip::None,
    };
    let min_delta = settings.min_delta.unwrap_or(0.0);
    let batch_size = settings.batch.unwrap_or(64.min(rows));
    let accumulate = settings.accumulate.unwrap_or(1);
    let steps_per_epoch = rows.div_ceil(batch_size).div_ceil(accumulate);
    Trainer {
        objective: settings.loss.unwrap_or(usual),
        epochs: settings.epochs.unwrap_or_else(|| usual_epochs(steps_per_epoch)),
        batch_size,
        drop_last: false, // no net of the settings needs it
        seed: settings.seed.unwrap_or(SEED),
        accumulate,
        schedule: settings.schedule.unwrap_or_default(),
        penalty: Penalty::new(settings.l1.unwrap_or(0.0), settings.l2.unwrap_or(0.0)),
        clip,
        watch: settings.watch.unwrap_or(Watch::Loss),
        stop: settings.patience.map(|patience| EarlyStopping { patience, min_delta }),
        keep_best: settings.keep_best.unwrap_or(validated),
        measure_gradient: false,
    }
}

fn optimizer(settings: &Settings, params: &Params<f32>) -> Result<Box<dyn Optimizer<f32>>, RunError> {
    if settings.clip_norm.is_some() && settings.clip_value.is_some() {
        return Err(RunError::Usage(
            "clip_norm and clip_value: a gradient is cut in one way | give one of them".into(),
        ));
    }
    if settings.min_delta.is_some() && settings.patience.is_none() {
        return Err(RunError::Usage("min_delta: is for early stopping | give patience too".into()));
    }
    let Settings { momentum, alpha, beta1, beta2, eps, weight_decay, .. } = *settings;
    let nesterov = settings.nesterov.unwrap_or(false);
    if nesterov && momentum.unwrap_or(0.0) == 0.0 {
        return Err(RunError::Usage(
            "nesterov: is about sgd's momentum | give momentum too, 0.9 is usual".into(),
        ));
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
    let mut optimizer = settings.opt.unwrap_or(OptimizerKind::Adam).build(&told)?;
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
            params.matching(&group.pattern).map_err(|error| RunError::Usage(format!("groups: {error}")))?;
        }
        optimizer.set_groups(groups.0.iter().map(group).collect());
    }
    Ok(optimizer)
}

/// The settings, with what was decided where nothing was told and the outcome depends on it.
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
        watch: Some(trainer.watch),
        keep_best: Some(trainer.keep_best),
        ..settings.clone()
    }
}
