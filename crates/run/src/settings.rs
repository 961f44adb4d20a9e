//! [`Settings`]: all settings of a run, in one list. From it come the options of the command, the keys of a
//! configuration file, what a sweep can vary, and the messages about each.

mod value;

use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};

use surprisal_data::{CsvOptions, DataSource, Decimal, Missing, Scaling, Task, Thousands, join_list};
use surprisal_layers::{Activation, Architecture, Init};
use surprisal_optim::{Hyperparameter, OptimizerKind, Schedule};
use surprisal_settings::{Kind, Range};
use surprisal_train::{Augment, Monitor, Objective};

pub use value::{Balance, ClassWeight, Group, Groups, Hidden, List, Memory};
use value::{Value, in_range, ranged};

use crate::{RunError, SettingError, ValueError};

/// One setting: its name and what it means.
pub struct Setting {
    /// "weight_decay"; as an option of the command, `--weight-decay`.
    pub key: &'static str,
    /// Its section in the help: "Optimizer".
    pub heading: &'static str,
    /// Placeholder of its value in the help: "RATE"; empty for a switch.
    pub value: &'static str,
    /// What it means, and what holds where it is not given; of an optimizer's settings, see [`full_help`](Self::full_help).
    pub help: &'static str,
    hyperparameter: Option<Hyperparameter>,
    read: fn(&mut Settings, &str) -> Result<(), ValueError>,
    written: fn(&Settings) -> Option<(String, bool)>, // and whether it is text
}

impl Setting {
    /// The help in one line; of an optimizer's settings, with the optimizers, the range and the defaults.
    ///
    /// ```
    /// let alpha = surprisal_run::Settings::ALL.iter().find(|setting| setting.key == "alpha").unwrap();
    /// let help = "The decay rate of the running mean of squared gradients, for rmsprop: a number from 0 to below 1 [default: 0.99]";
    /// assert_eq!(alpha.full_help(), help);
    /// ```
    pub fn full_help(&self) -> String {
        let help = Vec::from_iter(self.help.split_whitespace()).join(" ");
        match (self.key, self.hyperparameter) {
            ("opt", _) => {
                let names = OptimizerKind::ALL.map(OptimizerKind::name);
                format!("{help}: {} [default: {OPTIMIZER}]", names.join(", "))
            }
            (_, Some(setting)) => help + &OptimizerKind::help(setting),
            _ => help,
        }
    }
}

/// The default optimizer.
pub(crate) const OPTIMIZER: OptimizerKind = OptimizerKind::Adam;

impl Setting {
    /// Another name that is accepted: `separator` for `delimiter`, `watch` for `monitor`.
    pub fn alias(&self) -> Option<&'static str> {
        match self.key {
            "delimiter" => Some("separator"),
            "monitor" => Some("watch"),
            _ => None,
        }
    }
}

const COUNT: Kind = Kind::Whole(Range::AT_LEAST_ONE);

macro_rules! settings {
    ($( $heading:literal { $( $(#[doc = $help:literal])+ $key:ident: $type:ty = $value:literal $(of $Hyper:ident)? $(in $kind:expr, $hint:literal)? $(, $check:expr)?; )+ } )+) => {
        /// Run settings: from a file, from options, or set by a program. Unset fields are `None`.
        ///
        /// ```
        /// use surprisal_run::Settings;
        /// let mut settings = Settings::from_toml("data = \"iris\"\nlr = 0.05\n", "iris.toml")?;
        /// settings.set("lr", "0.1").unwrap(); // as an option of the command would
        /// assert_eq!((settings.lr, settings.epochs), (Some(0.1), None));
        /// assert_eq!(settings.to_toml(), "data = \"iris\"\nlr = 0.1\n");
        /// # Ok::<(), surprisal_run::RunError>(())
        /// ```
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Settings {
            $($( $(#[doc = $help])+ pub $key: Option<$type>, )+)+
        }

        impl Settings {
            /// Every setting, in the order of a file.
            pub const ALL: &[Setting] = &[ $($( Setting {
                key: stringify!($key),
                heading: $heading,
                value: $value,
                help: concat!($($help, "\n"),+),
                hyperparameter: [$(Hyperparameter::$Hyper)?].first().copied(),
                read: |settings, text| {
                    let value = <$type as Value>::read(text)?;
                    $( ranged(Hyperparameter::$Hyper, value)?; )?
                    $( in_range($kind, text, $hint)?; )?
                    $( let check: fn(&$type) -> Result<(), ValueError> = $check; check(&value)?; )?
                    settings.$key = Some(value);
                    Ok(())
                },
                written: |settings| settings.$key.as_ref().map(|v| (v.written(), <$type as Value>::TEXT)),
            }, )+)+ ];
        }
    };
}

settings! {
    "Data" {
        /// The data: a table (FILE.csv, .tsv, .txt, .data or .dat, each also with .gz), NumPy arrays (FILE.npz, or X.npy,Y.npy), an included
        /// data set (iris, breast_cancer, digits, penguins; nuclei, images with masks), mnist:DIR, images:DIR or DIR (a folder with a folder of PNG images for each class, or with the folders images and masks), or a synthetic data set (moons:n=500,noise=0.2, xor, circles, blobs, spirals, lines; cells, clutter and mnist-clutter:DIR, images with masks)
        data: DataSource = "SOURCE";
        /// The target column of a table, by name or by index: 0 is the first, -1 the last
        target: String = "COLUMN";
        /// The task: classification, regression, segmentation (a class for every pixel), or auto (regression if the target has a fraction or more than 20 different whole numbers; segmentation if there are masks) [default: auto]
        task: Task = "TASK";
        /// Columns of a table to leave out, separated by commas; a name with a comma is in quotes. Columns without values are always left out; columns without a name and columns of row numbers are left out unless keep names them
        ignore: List = "COLUMNS";
        /// Columns of a table to keep although they have no name or contain row numbers
        keep: List = "COLUMNS";
        /// Columns of a table that contain categories although their values are numbers; columns of text always do
        categorical: List = "COLUMNS";
        /// Columns of a table that contain dates such as 2024-03-31 or 2024-03-31T12:30; a date is converted to days since 1970-01-01
        dates: List = "COLUMNS";
        /// Handling of missing values: error, drop (leave the row out) or mean (fill in the mean of the training rows, or their most frequent category; rows without a target are left out) [default: mean]
        missing: Missing = "POLICY";
        /// The words that mean a missing value in a table, separated by commas, or none; an empty field is always a missing value [default: NA, NaN, null, N/A, None and the other words of pandas, and ?]
        missing_words: List = "WORDS";
        /// The decimal sign of a table: point or comma [default: point]
        decimal: Decimal = "SIGN";
        /// The thousands separator of a table: none, comma, point, space or apostrophe [default: none]
        thousands: Thousands = "SIGN";
        /// The delimiter of a table: one character, tab, comma or semicolon [default: comma; tab for FILE.tsv]
        delimiter: String = "CHARACTER", |text| CsvOptions::parse_delimiter(text).map(drop).map_err(ValueError::from);
        /// Whether the first line of a table contains the names of its columns [default: true]
        header: bool = "BOOL";
        /// Scaling of numeric columns: none, standardize, minmax, divide:BY or channels (of images, each channel to mean 0 and standard deviation 1) [default: standardize; pixels are divided by their maximum]
        scaling: Scaling = "SCALING";
        /// The maximum memory, such as 1GiB: rows are read and encoded once and kept in a temporary file, of which one block at a time is in memory. For data that are larger than memory; the results have the same bits as without it, for the same block [default: all rows are in memory]
        memory: Memory = "SIZE";
        /// The fraction of rows held out as the test set; 0 trains on all rows, for a final model [default: 0.25]
        test: f64 = "FRACTION" in Kind::Number(Range::BELOW_ONE), "0.25 is usual";
        /// A table of test rows with the same columns, instead of a fraction of the rows
        test_data: PathBuf = "FILE";
        /// The fraction of rows held out as the validation set, for early stopping and for choosing the best epoch [default: 0.15 with patience, keep_best or schedule plateau, otherwise 0]
        validation: f64 = "FRACTION" in Kind::Number(Range::BELOW_ONE), "0.15 is usual";
        /// Resampling of the training rows for imbalanced classes: oversample (repeat rows of rare classes), undersample (leave out rows of common classes) or none [default: none]
        balance: Balance = "METHOD";
        /// The fraction of training rows whose label is replaced by a wrong one, to study label noise [default: 0]
        label_noise: f64 = "FRACTION" in Kind::Number(Range::FRACTION), "0.1 is usual";
        /// Random changes of the training images in every epoch, separated by commas: shift:PIXELS, flip (half of them, horizontally), crop:FRACTION (a random part of at least this fraction of the side, resized), noise:NUMBER (the standard deviation, after scaling), or none [default: none]
        augment: Augment = "CHANGES";
    }
    "Net" {
        /// The sizes of all layers, from inputs to outputs, such as 64-32-10, or a net of parts, such as conv(16,5)-relu-maxpool(2)-10; outputs: one for each class, or 1 for regression and for binary losses with two classes.
        /// Parts: conv(OUT,KERNEL) and convt(OUT,KERNEL) with stride, padding, dilation, groups, bias; maxpool(KERNEL) and avgpool(KERNEL) with stride, padding; globalavgpool, upsample(N) or upsample(N,bilinear), batchnorm,
        /// groupnorm(G), dropout(P), dropout2d(P), unet(LEVELS,WIDTH) with norm, groups, up, out, flatten, a number (a dense layer), relu and the other activations. For segmentation [default: unet(3,8)]
        model: Architecture = "NET";
        /// The sizes of the hidden layers, such as 32-16, or none; the numbers of inputs and outputs follow from the data [default: 32]
        hidden: Hidden = "SIZES";
        /// The activation of the hidden layers of a dense net: relu, sigmoid, tanh, leaky_relu, elu, silu, gelu, .. [default: relu]
        activation: Activation = "NAME";
        /// The initializer of weights: linear, xavier_uniform, kaiming_normal, normal:0.5, .. [default: linear]
        init: Init = "NAME";
        /// A model file whose parameters are the initial parameters
        start_from: PathBuf = "FILE";
        /// Layers or parameters to freeze (not trained), separated by commas: layer1, or *.bias
        freeze: List = "NAMES";
    }
    "Optimizer" {
        /// The loss, with its options after a colon: focal:gamma=3. For classification: ce (label_smoothing), focal (gamma), topk (k), multi_margin (margin, p), ce_dice (a, smooth), mse, half_mse. Binary losses for
        /// classification (one output for two classes, one-vs-rest for more): bce (pos_weight), sigmoid_focal (alpha, gamma), soft_margin, hinge (margin), squared_hinge (margin), dice (smooth, squared). For regression, on
        /// the standardized target: mse, half_mse, mae, huber (delta), smooth_l1 (beta), log_cosh, quantile (q); for counts: poisson [default: ce; mse for regression]
        loss: Objective = "LOSS";
        /// The weight of each class in the loss: balanced (rows / (classes * rows of the class)), or class=weight,.. (1 for the others) [default: 1 for all]
        class_weight: ClassWeight = "WEIGHTS";
        /// The optimizer
        opt: OptimizerKind = "NAME";
        /// The learning rate
        lr: f64 = "RATE" of LearningRate;
        /// The momentum
        momentum: f64 = "NUMBER" of Momentum;
        /// Whether to use Nesterov momentum
        nesterov: bool = "BOOL" of Nesterov;
        /// The decay rate of the running mean of squared gradients
        alpha: f64 = "NUMBER" of Alpha;
        /// The decay rate of the running mean of gradients
        beta1: f64 = "NUMBER" of Beta1;
        /// The decay rate of the running mean of squared gradients (lion: of gradients)
        beta2: f64 = "NUMBER" of Beta2;
        /// Epsilon, added to the denominator of a step
        eps: f64 = "NUMBER" of Eps;
        /// The weight decay of all parameters
        weight_decay: f64 = "NUMBER" of WeightDecay;
        /// The L1 penalty on weights, not on biases [default: 0]
        l1: f64 = "NUMBER" of L1;
        /// The L2 penalty on weights, not on biases: the factor of half the sum of squares; with l1 an elastic net [default: 0]
        l2: f64 = "NUMBER" of L2;
        /// Gradient clipping by norm: the maximum gradient norm [default: 1 for sgd without lr and clip_value, otherwise none]
        clip_norm: f64 = "NORM" of MaxNorm;
        /// Gradient clipping by value: the maximum absolute value of an element
        clip_value: f64 = "NUMBER" of MaxValue;
        /// Gradient accumulation: the number of batches for each step [default: 1]
        accumulate: usize = "BATCHES" in COUNT, "1 is a step for each batch";
        /// The number of shards in which each batch is cut, which several processes share under mpirun; the results depend on it, but not on the number of processes. Batch normalization and losses of whole batches see a shard [default: 1; 8 under mpirun]
        shards: usize = "N" in COUNT, "1 is usual for one process";
        /// The learning rate schedule: constant, step:every=10,factor=0.5, exponential:factor=0.95, cosine:warmup=5, plateau:patience=5,factor=0.5 [default: cosine, down to 0]
        schedule: Schedule = "SCHEDULE";
        /// Parameter groups with a learning rate or a weight decay of their own: layer1:lr=0.01,weight_decay=0;layer2:lr=0.1
        groups: Groups = "GROUPS";
    }
    "Training" {
        /// The number of epochs [default: 50; fewer, but at least 10, if 50 epochs have more than 20000 steps]
        epochs: usize = "N" in COUNT, "50 is usual";
        /// The batch size [default: 64; with fewer than 256 training rows a quarter of them, but at least 8]
        batch: usize = "ROWS" in COUNT, "64 is usual";
        /// The number of rows in a block: in each epoch, blocks of consecutive training rows come in random order, and the rows of a block in random order [default: all rows in one block; with memory, as many as fit]
        block: usize = "ROWS" in COUNT, "100000 is usual";
        /// Whether to leave out the last batch of an epoch if it is smaller than the others [default: false]
        drop_last: bool = "BOOL";
        /// The seed of the split, the initial parameters and the order of rows [default: 7]
        seed: u64 = "SEED";
        /// The monitored metric, which decides which epoch is the best: loss, or accuracy, f1_macro, mcc, r2, mae, .. [default: loss]
        monitor: Monitor = "METRIC";
        /// Early stopping: the number of epochs without improvement of the monitored metric after which training stops
        patience: usize = "EPOCHS" in COUNT, "10 is usual";
        /// The smallest change of the monitored metric that counts as an improvement [default: 0]
        min_delta: f64 = "NUMBER" in Kind::Number(Range::NOT_NEGATIVE), "0.001 is usual";
        /// Whether to save the model of the best epoch instead of that of the last epoch [default: true if there are validation rows]
        keep_best: bool = "BOOL";
        /// The number of steps between checkpoints [default: every few seconds, at the end of an epoch]
        checkpoint_every: usize = "STEPS" in COUNT, "1000 is usual";
    }
}

impl Settings {
    /// Sets one, from its text; `-` and `_` are equivalent in the key.
    ///
    /// ```
    /// let mut settings = surprisal_run::Settings::default();
    /// settings.set("weight-decay", "1e-4").unwrap();
    /// assert_eq!(settings.set("lr", "-1").unwrap_err().to_string(), "lr: expected a finite number above 0, found -1.0 | 0.1 is usual for Sgd, 0.001 for Adam");
    /// settings.set("watch", "accuracy").unwrap(); // another name of `monitor`
    /// assert!(settings.monitor.is_some());
    /// assert_eq!(settings.set("wieght_decay", "0").unwrap_err().to_string(), "no setting is named \"wieght_decay\" | did you mean \"weight_decay\"?");
    /// ```
    ///
    /// # Errors
    /// If there is no such setting, or the text is not a value of it.
    pub fn set(&mut self, key: &str, text: &str) -> Result<(), SettingError> {
        let plain = key.replace('-', "_");
        let named = |setting: &&Setting| setting.key == plain || setting.alias() == Some(&plain);
        let Some(setting) = Settings::ALL.iter().find(named) else {
            return Err(SettingError::UnknownKey { key: key.into() });
        };
        (setting.read)(self, text).map_err(|error| SettingError::Value { key: key.into(), error })
    }

    /// The text of a setting, if it is set.
    pub fn get(&self, key: &str) -> Option<String> {
        let setting = Settings::ALL.iter().find(|setting| setting.key == key)?;
        (setting.written)(self).map(|(text, _)| text)
    }

    /// Overrides with the settings that the other has. If the other has `hidden` alone, `model` is dropped, and the reverse: both
    /// set the sizes of the net.
    pub fn and(mut self, over: &Settings) -> Settings {
        match (&over.model, &over.hidden) {
            (Some(_), None) => self.hidden = None,
            (None, Some(_)) => self.model = None,
            _ => {}
        }
        for setting in Settings::ALL {
            if let Some((text, _)) = (setting.written)(over) {
                // it was read once, and is written as it is read
                let _ = (setting.read)(&mut self, &text);
            }
        }
        self
    }

    /// Reads a configuration: one `key = value` a line, in TOML; `path` is for the messages.
    ///
    /// ```
    /// use surprisal_run::Settings;
    /// let error = Settings::from_toml("data = \"iris\"\nlr = 0\n", "iris.toml").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "iris.toml, line 2: lr: expected a finite number above 0, found 0.0 | 0.1 is usual for Sgd, 0.001 for Adam"
    /// );
    /// ```
    ///
    /// # Errors
    /// If it is not TOML, a key is unknown, or a value is invalid: with the line.
    pub fn from_toml(text: &str, path: impl AsRef<Path>) -> Result<Settings, RunError> {
        let path = path.as_ref();
        use toml::de::{DeTable, DeValue};
        let wrong = |at: usize, message: &str| {
            let line = text.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
            Err(RunError::run(format!("{}, line {line}: {message}", path.display())))
        };
        let table = match DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                let message = format!(
                    "not valid TOML: {} | write key = value, with texts in quotes: data = \"iris\"",
                    error.message().trim()
                );
                return wrong(error.span().map_or(0, |span| span.start), &message);
            }
        };
        let mut settings = Settings::default();
        for (key, value) in table.get_ref().iter() {
            let text = match value.get_ref() {
                DeValue::String(text) => text.to_string(),
                DeValue::Array(parts) => {
                    let parts: Option<Vec<_>> = parts.iter().map(|part| part.get_ref().as_str()).collect();
                    match parts {
                        Some(parts) if parts.is_empty() => continue,
                        Some(parts) => join_list(&parts),
                        None => {
                            return wrong(
                                value.span().start,
                                &format!("{}: expected texts in the list", key.get_ref()),
                            );
                        }
                    }
                }
                DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) => {
                    text[value.span()].replace('_', "")
                }
                _ => {
                    return wrong(
                        key.span().start,
                        &format!(
                            "{}: expected a text, a number, true, false or a list of texts",
                            key.get_ref()
                        ),
                    );
                }
            };
            let twice = Settings::ALL.iter().find(|setting| {
                setting
                    .alias()
                    .is_some_and(|alias| key.get_ref() == alias && table.get_ref().contains_key(setting.key))
            });
            if let Some(setting) = twice {
                let message =
                    format!("{}: is another name of {} | give one of them", key.get_ref(), setting.key);
                return wrong(key.span().start, &message);
            }
            if let Err(error) = settings.set(key.get_ref(), &text) {
                return wrong(key.span().start, &error.to_string());
            }
        }
        Ok(settings)
    }

    /// [`from_toml`](Self::from_toml), from a file.
    ///
    /// # Errors
    /// As there, and if the file cannot be read or is not text.
    pub fn read(path: impl AsRef<Path>) -> Result<Settings, RunError> {
        let path = path.as_ref();
        const MOST: u64 = 16 << 20;
        let wrong =
            |error: std::io::Error| RunError::run(format!("{}: cannot read: {error}", path.display()));
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(wrong)?;
        file.take(MOST + 1).read_to_string(&mut text).map_err(wrong)?;
        if text.len() as u64 > MOST {
            return Err(RunError::run(format!(
                "{}: expected a configuration of at most {MOST} bytes, found more",
                path.display()
            )));
        }
        Settings::from_toml(&text, path)
    }

    /// The settings as a configuration file.
    pub fn to_toml(&self) -> String {
        let mut toml = String::new();
        for setting in Settings::ALL {
            match (setting.written)(self) {
                None => {}
                Some((text, true)) => {
                    writeln!(toml, "{} = {}", setting.key, toml::Value::String(text)).unwrap_or(())
                }
                Some((text, false)) => writeln!(toml, "{} = {text}", setting.key).unwrap_or(()),
            }
        }
        toml
    }
}
