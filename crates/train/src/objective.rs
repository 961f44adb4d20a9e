//! The training objective.

use std::fmt;
use std::str::FromStr;

use surprisal_data::Targets;
use surprisal_loss::by_name::{self, Entry, Kind, Range, Setting, Step, Target, Training, Values};
use surprisal_loss::{
    BinaryCrossEntropyWithLogits, HalfSquaredError, MseLoss, Reduction, SigmoidFocalLoss,
    binary_cross_entropy_with_logits, huber_loss, l1_loss, softmax_cross_entropy,
};
use surprisal_settings::{named, read};
use surprisal_tensor::Var;

use crate::{Batch, NameError, TrainError};

/// A loss of the model's outputs against class labels (of rows or of pixels) or regression targets: every loss of `surprisal_loss` whose target is one class
/// or one number for each row, with its options.
///
/// It is written as a name and options: `ce`, `focal:gamma=3`, `multi_margin:margin=0.5,p=2`. The names in `surprisal_loss` are
/// accepted too: `huber_loss:delta=2`. All are means over the *rows* and sums over the outputs of a row, so that step sizes are
/// comparable at the same learning rate.
///
/// Against labels, the model has an output for each class, or, for two classes, one output, of which positive means class 1. The
/// losses of yes and no (`bce`, `sigmoid_focal`, `soft_margin`, `hinge`, `squared_hinge`, `dice`) see each output by itself, one
/// class against the rest: its target is yes for the row's class and no for the others; as a number that is 1 and 0, or +1 and -1 for
/// `soft_margin` and the hinges. Whatever the loss, the predicted class is that of the largest output, and the probabilities are a
/// softmax of several outputs, a sigmoid of one; of losses by a margin they have the right order and are not calibrated.
///
/// | name | options | loss of a row with label y |
/// |---|---|---|
/// | `ce` | `label_smoothing` 0 | `-ln p_y`, the surprise at the true class |
/// | `focal` | `gamma` 2 | `(1 - p_y)^gamma (-ln p_y)` |
/// | `topk` | `k` 1 | `ce` of the k rows of a batch where it is largest |
/// | `bce` | `pos_weight` 1 | `-ln σ(z)` for yes, times `pos_weight`, and `-ln σ(-z)` for no |
/// | `sigmoid_focal` | `alpha` 0.25, `gamma` 2 | the focal loss of yes and no, weighted by `alpha` and `1 - alpha` |
/// | `soft_margin` | | `ln(1 + e^(-y z))` |
/// | `hinge`, `squared_hinge` | `margin` 1 | `max(0, margin - y z)`, or its square |
/// | `multi_margin` | `margin` 1, `p` 1 | `(1/K) Σ_{j≠y} max(0, margin - z_y + z_j)^p` |
/// | `dice` | `smooth` 1, `squared` false | one minus the overlap of predictions and targets, over a whole batch |
/// | `ce_dice` | `a` 0.5, `smooth` 1 | `a` times the cross-entropy plus `1 - a` times `dice` |
/// | `mse`, `half_mse` | | `Σ_k (p_k - t_k)²`, with t one-hot, or half of it |
///
/// Against numbers, the one output is the prediction z; of `poisson` the prediction is the rate `e^z`.
///
/// | name | options | loss of a row with number t |
/// |---|---|---|
/// | `mse`, `half_mse` | | `(z - t)²`, or half of it |
/// | `mae` | | `|z - t|` |
/// | `huber` | `delta` 1 | `½ (z - t)²` up to a distance of delta, `delta (|z - t| - ½ delta)` beyond |
/// | `smooth_l1` | `beta` 1 | `½ (z - t)² / beta` up to a distance of beta, `|z - t| - ½ beta` beyond |
/// | `log_cosh` | | `ln cosh(z - t)` |
/// | `quantile` | `q` 0.5 | `q (t - z)` where z is too small, `(1 - q) (z - t)` where it is too large |
/// | `poisson` | | `e^z - t z`, for counts t |
///
/// ```
/// use surprisal_train::Objective;
/// assert_eq!("mse".parse(), Ok(Objective::SquaredError));
/// assert_eq!("huber_loss:delta=1".parse(), Ok(Objective::Huber)); // as by default
/// let focal: Objective = "focal:gamma=3".parse()?;
/// assert_eq!((focal.spec().as_str(), focal.to_string().as_str()), ("focal:gamma=3", "focal loss (gamma = 3)"));
/// assert_eq!(
///     "focal:gama=3".parse::<Objective>().unwrap_err().to_string(),
///     "loss focal: no option is named \"gama\" | known: gamma | did you mean \"gamma\"?"
/// );
/// # Ok::<(), surprisal_train::NameError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Objective {
    /// Cross-entropy, fused with the softmax or sigmoid.
    CrossEntropy,
    /// Squared error of the probabilities, or of the number.
    SquaredError,
    /// Half of it.
    HalfSquaredError,
    /// Absolute error, of numbers only.
    AbsoluteError,
    /// Huber's loss with δ = 1, of numbers only.
    Huber,
    /// Any other loss of the tables, or one of these with options: made by parsing its text.
    Registered(Registered),
}

/// A loss with its options; made by parsing an [`Objective`].
///
/// See the example there.
#[derive(Clone, Copy, Debug)]
pub struct Registered {
    entry: &'static Entry,
    options: [f64; 2], // in the order of the entry; what is not used is 0
}

/// Of the same name with the same options.
impl PartialEq for Registered {
    fn eq(&self, other: &Self) -> bool {
        self.entry.card.name == other.entry.card.name && self.options == other.options
    }
}

/// How a loss is trained with, where it is.
#[derive(Clone, Copy)]
struct Known {
    entry: &'static Entry,
    name: &'static str,
    title: &'static str,
    target: Target,
    options: &'static [&'static str],
}

impl Known {
    fn of(entry: &'static Entry) -> Option<Known> {
        match entry.training {
            Training::Rows { name, title, target, options } => {
                Some(Known { entry, name, title, target, options })
            }
            Training::No(_) => None,
        }
    }
    fn all() -> impl Iterator<Item = Known> {
        by_name::ALL.iter().filter_map(Known::of)
    }
    fn settings(&self) -> Vec<Setting> {
        self.options.iter().map(|name| self.setting(name)).collect()
    }
    /// An option as a model with one output for a number has it: one number.
    fn setting(&self, name: &'static str) -> Setting {
        match self.entry.options.iter().find(|option| option.name == name) {
            Some(&Setting { kind: Kind::Numbers(range), default, help, .. }) => {
                Setting { name, kind: Kind::Number(range), default, help }
            }
            Some(&option) => option,
            None => Setting { name, kind: Kind::Number(Range::NOT_NEGATIVE), default: "1", help: "a weight" },
        }
    }
    /// Its options from a list: `gamma=3`.
    fn read(&self, list: Option<&str>) -> Result<[f64; 2], NameError> {
        let mut options = [0.0; 2];
        let values = read(self.name, "option", &self.settings(), list)?;
        options.iter_mut().zip(values).for_each(|(option, value)| *option = value.number().unwrap_or(0.0));
        Ok(options)
    }
    /// Without an allocation.
    fn defaults(&self) -> [f64; 2] {
        let mut options = [0.0; 2];
        for (option, name) in options.iter_mut().zip(self.options) {
            let Setting { kind, default, .. } = self.setting(name);
            *option = kind.parse(default).and_then(|value| value.number()).unwrap_or(0.0);
        }
        options
    }
}

/// The losses without options that have a variant of their own.
const PLAIN: [(&str, Objective); 5] = [
    ("ce", Objective::CrossEntropy),
    ("mse", Objective::SquaredError),
    ("half_mse", Objective::HalfSquaredError),
    ("mae", Objective::AbsoluteError),
    ("huber", Objective::Huber),
];

impl Objective {
    /// The losses without options that have a variant of their own.
    pub const ALL: [Objective; 5] = [
        Objective::CrossEntropy,
        Objective::SquaredError,
        Objective::HalfSquaredError,
        Objective::AbsoluteError,
        Objective::Huber,
    ];
    /// The losses of [`ALL`](Self::ALL) for classification.
    pub const CLASSIFICATION: [Objective; 3] =
        [Objective::CrossEntropy, Objective::SquaredError, Objective::HalfSquaredError];
    /// The losses of [`ALL`](Self::ALL) for regression.
    pub const REGRESSION: [Objective; 4] =
        [Objective::SquaredError, Objective::HalfSquaredError, Objective::AbsoluteError, Objective::Huber];

    fn known(self) -> Known {
        let name = PLAIN.iter().find(|(_, plain)| *plain == self).map(|(name, _)| *name);
        let own = |known: &Known| match self {
            Objective::Registered(registered) => known.entry.card.name == registered.entry.card.name,
            _ => Some(known.name) == name,
        };
        Known::all().find(own).expect("an objective is a loss of the list")
    }
    fn options(self) -> [f64; 2] {
        match self {
            Objective::Registered(Registered { options, .. }) => options,
            _ => self.known().defaults(),
        }
    }

    /// Every name, in the order of the tables: for messages and pages of help.
    ///
    /// ```
    /// use surprisal_train::Objective;
    /// assert!(Objective::names().any(|name| name == "squared_hinge"));
    /// assert!(Objective::names().all(|name| name.parse::<Objective>().is_ok()));
    /// ```
    pub fn names() -> impl Iterator<Item = &'static str> {
        Known::all().map(|known| known.name)
    }

    /// [`names`](Self::names), and those of the library.
    pub(crate) fn all_names() -> impl Iterator<Item = &'static str> {
        Self::names().chain(by_name::ALL.iter().map(|entry| entry.card.name))
    }

    /// The short name, without options: "ce".
    ///
    /// ```
    /// use surprisal_train::Objective;
    /// assert_eq!(Objective::CLASSIFICATION.map(Objective::name), ["ce", "mse", "half_mse"]);
    /// assert_eq!(Objective::CrossEntropy.to_string(), "cross-entropy"); // for readers
    /// ```
    pub fn name(self) -> &'static str {
        self.known().name
    }

    /// The name with the options that are not the defaults: "focal:gamma=3". Parsing it gives the objective again.
    pub fn spec(self) -> String {
        let options = self.changed("=");
        if options.is_empty() { self.name().into() } else { format!("{}:{}", self.name(), options.join(",")) }
    }

    fn changed(self, equals: &str) -> Vec<String> {
        let (known, defaults) = (self.known(), self.known().defaults());
        let changed = |at: usize| {
            let (setting, value) = (known.setting(known.options[at]), self.options()[at]);
            let text =
                if setting.kind == Kind::Flag { (value != 0.0).to_string() } else { value.to_string() };
            (value != defaults[at]).then(|| format!("{}{equals}{text}", setting.name))
        };
        (0..known.options.len()).filter_map(changed).collect()
    }

    /// Checks that it supports classification, or, if `regression`, regression.
    ///
    /// ```
    /// use surprisal_train::Objective;
    /// assert!(Objective::SquaredError.check(true).is_ok());
    /// assert_eq!(
    ///     Objective::CrossEntropy.check(true).unwrap_err().to_string(),
    ///     "loss ce: does not support regression | choose mse, half_mse, mae, smooth_l1, huber, log_cosh, quantile, poisson"
    /// );
    /// ```
    ///
    /// # Errors
    /// [`TrainError::Setting`], if it is not.
    pub fn check(self, regression: bool) -> Result<(), TrainError> {
        let fits = |target| match regression {
            true => matches!(target, Target::Number | Target::Count | Target::ProbabilityOrNumber),
            false => !matches!(target, Target::Number | Target::Count),
        };
        if fits(self.known().target) {
            return Ok(());
        }
        let task = if regression { "regression" } else { "classification" };
        let names = Known::all().filter(|known| fits(known.target)).map(|known| known.name);
        let names = Vec::from_iter(names).join(", ");
        Err(TrainError::Setting(format!("loss {}: does not support {task} | choose {names}", self.name())))
    }

    /// The number of outputs for each pixel of masks with this many classes: one for two classes if the loss has a form for it, so that the
    /// foreground is a set of pixels for `dice` and `ce_dice`; otherwise the number of classes.
    ///
    /// ```
    /// use surprisal_train::Objective;
    /// let outputs = |loss: &str, classes| loss.parse::<Objective>().map(|loss| loss.outputs_of_pixel(classes));
    /// assert_eq!((outputs("ce", 2)?, outputs("ce_dice", 3)?, outputs("multi_margin", 2)?), (1, 3, 2));
    /// # Ok::<(), surprisal_train::NameError>(())
    /// ```
    pub fn outputs_of_pixel(self, classes: usize) -> usize {
        if classes == 2 && self.check_outputs(1).is_ok() { 1 } else { classes }
    }

    /// The number of outputs for this many classes: one for a binary loss of two classes, otherwise the number of classes.
    ///
    /// ```
    /// use surprisal_train::Objective;
    /// let outputs = |loss: &str, classes| loss.parse::<Objective>().map(|loss| loss.outputs(classes));
    /// assert_eq!((outputs("hinge", 2)?, outputs("hinge", 3)?, outputs("ce", 2)?), (1, 3, 2));
    /// # Ok::<(), surprisal_train::NameError>(())
    /// ```
    pub fn outputs(self, classes: usize) -> usize {
        if self.known().target == Target::YesNo && classes == 2 { 1 } else { classes }
    }

    /// Whether it is a loss of a whole batch, so that the mean over batches is not that over rows: `topk`, `dice`, `ce_dice`.
    pub(crate) fn of_batch(self) -> bool {
        matches!(self.name(), "topk" | "dice" | "ce_dice")
    }

    /// Whether batches have enough rows for it, pixels of images with masks: the k of `topk`.
    pub(crate) fn check_batch(self, rows: usize) -> Result<(), TrainError> {
        let k = self.options()[0];
        match self.name() == "topk" && k > rows as f64 {
            true => Err(TrainError::Setting(format!(
                "loss topk: k is {k}, but a batch has {rows} rows | use k = {rows} or less, or larger batches"
            ))),
            false => Ok(()),
        }
    }

    /// Whether a model with this many outputs can have it, for as many classes.
    fn check_outputs(self, outputs: usize) -> Result<(), TrainError> {
        match self.known().target == Target::ClassOfEach && outputs == 1 {
            true => Err(TrainError::Misfit(format!(
                "loss {}: expected an output for each class, found one output for two classes | give the last layer 2 outputs",
                self.name()
            ))),
            false => Ok(()),
        }
    }

    /// Whether a model with this many outputs can have it, for these targets; numbers of `poisson` are not negative.
    pub(crate) fn check_fit(self, targets: &Targets, outputs: usize) -> Result<(), TrainError> {
        let Targets::Values(values) = targets else { return self.check_outputs(outputs) };
        match values.iter().position(|&value| self.is_rate() && value < 0.0) {
            Some(row) => Err(TrainError::Misfit(format!(
                "loss {}: expected counts, 0 or above, found {} in row {row} | use mse or mae",
                self.name(),
                values[row]
            ))),
            None => Ok(()),
        }
    }

    /// The prediction of a regression from the output z: z, or under `poisson` the rate `e^z`.
    ///
    /// ```
    /// use surprisal_train::Objective;
    /// assert_eq!(Objective::SquaredError.prediction(2.0), 2.0);
    /// assert_eq!("poisson".parse::<Objective>()?.prediction(2.0), 2f64.exp());
    /// # Ok::<(), surprisal_train::NameError>(())
    /// ```
    pub fn prediction(self, z: f64) -> f64 {
        if self.is_rate() { z.exp() } else { z }
    }

    /// Whether the output is the logarithm of the prediction, as with `poisson`.
    pub fn is_rate(self) -> bool {
        self.known().target == Target::Count
    }

    /// Records the loss of logits `[rows, outputs]` against one label a row, or of `[rows, outputs, height, width]` against one label a pixel.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// use surprisal_train::Objective;
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let undecided = tape.input(&array![[0.0]]); // p = 1/2
    /// assert_eq!(Objective::CrossEntropy.loss(undecided, &[1]).item(), 2f64.ln());
    /// assert_eq!(Objective::SquaredError.loss(undecided, &[1]).item(), 0.25);
    /// assert_eq!("hinge".parse::<Objective>()?.loss(undecided, &[1]).item(), 1.0); // the margin
    /// # Ok::<(), surprisal_train::NameError>(())
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if the labels do not fit the logits, and if this loss does not support classification.
    #[track_caller]
    pub fn loss<'t>(self, logits: Var<'t>, labels: &[usize]) -> Var<'t> {
        self.weighted_loss(logits, labels, None)
    }

    /// [`loss`](Self::loss) with a weight for each class: the weighted mean over the rows, which divides by the sum of their weights,
    /// as PyTorch's cross-entropy does.
    ///
    /// # Panics
    /// As there, and if a loss of whole batches (`topk`, `dice`, `ce_dice`) is given weights.
    #[track_caller]
    pub fn weighted_loss<'t>(self, logits: Var<'t>, labels: &[usize], weights: Option<&[f64]>) -> Var<'t> {
        let given = logits.shape();
        let logits = match *given.dims() {
            [n, 1, height, width] => logits.reshape([n * height * width, 1]),
            [n, outputs, height, width] => {
                let pixels = height * width;
                logits.reshape([n, outputs, pixels]).t().reshape([n * pixels, outputs])
            }
            _ => logits,
        };
        let &[rows, outputs] = logits.shape().dims() else {
            panic!(
                "{self}: the logits are {given}: they must be [rows, outputs] or [rows, outputs, height, width]"
            );
        };
        assert!(labels.len() == rows, "{self}: {} labels for {rows} rows of logits", labels.len());
        let classes = outputs.max(2);
        if let Some(row) = labels.iter().position(|&label| label >= classes) {
            panic!(
                "{self}: label {} in row {row} is not one of the {classes} classes 0 to {}",
                labels[row],
                classes - 1
            );
        }
        assert!(
            self.check(false).is_ok(),
            "{self} does not support classification: choose ce, mse or half_mse"
        );
        assert!(
            weights.is_none() || !self.of_batch(),
            "{self} does not support weights: it is a loss of whole batches"
        );
        if self == Objective::CrossEntropy && outputs > 1 && weights.is_none() {
            return softmax_cross_entropy(logits, labels);
        }
        let targets = |no: f64, yes: f64| {
            logits.tape().input_with([rows, outputs], |i| {
                let (label, output) = (labels[i / outputs], i % outputs);
                let is_yes = if outputs > 1 { label == output } else { label == 1 };
                if is_yes { yes } else { no }
            })
        };
        let (zero_one, signs) = (|| targets(0.0, 1.0), || targets(-1.0, 1.0));
        let probabilities = || if outputs > 1 { logits.softmax(-1) } else { logits.sigmoid() };
        let over_rows = 1.0 / rows as f64;
        if weights.is_none() {
            match self {
                Objective::CrossEntropy => return binary_cross_entropy_with_logits(logits, zero_one()),
                Objective::SquaredError => {
                    let sum = MseLoss { reduction: Reduction::Sum };
                    return sum.loss(probabilities(), zero_one()) * over_rows;
                }
                Objective::HalfSquaredError => {
                    let sum = HalfSquaredError { reduction: Reduction::Sum };
                    return sum.loss(probabilities(), zero_one()) * over_rows;
                }
                _ => {}
            }
        }
        let reduction = if weights.is_none() { Reduction::Mean } else { Reduction::None };
        let known = self.known();
        let [first, _] = self.options();
        let step = || known.step(reduction, self.options(), rows);
        let mut of_outputs = true; // a loss for each output, not for each row
        let losses = match (known.target, known.name) {
            (Target::Class, "ce") if outputs == 1 => {
                let targets = targets(first / 2.0, 1.0 - first / 2.0);
                BinaryCrossEntropyWithLogits { reduction, ..Default::default() }.loss(logits, targets)
            }
            (Target::Class, "focal") if outputs == 1 => {
                SigmoidFocalLoss { reduction, alpha: -1.0, gamma: first }.loss(logits, zero_one())
            }
            (Target::ProbabilityOrNumber, _) => {
                known.recorded(step().of_targets(probabilities(), zero_one()))
            }
            (Target::YesNo, _) | (Target::Class, "ce_dice")
                if outputs == 1 || known.target == Target::YesNo =>
            {
                of_outputs = known.name != "dice";
                let signed = known.entry.inputs.iter().any(|input| input.values == Values::Sign);
                known.recorded(step().of_targets(logits, if signed { signs() } else { zero_one() }))
            }
            _ => {
                of_outputs = false;
                known.recorded(step().of_classes(logits, labels))
            }
        };
        match weights {
            None if of_outputs && outputs > 1 => losses * outputs as f64,
            None => losses,
            Some(weights) => {
                let each = if of_outputs { outputs } else { 1 };
                let total = total_weight(labels, Some(weights));
                let of_rows = logits.tape().input_with(losses.shape(), |i| weights[labels[i / each]] / total);
                (losses * of_rows).sum()
            }
        }
    }

    /// Records the loss of outputs `[rows, 1]` against one number a row.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// use surprisal_train::Objective;
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let answers = tape.input(&array![[1.0], [5.0]]);
    /// let losses = Objective::REGRESSION.map(|objective| objective.regression_loss(answers, &[1.5, 2.0]).item());
    /// assert_eq!(losses, [(0.25 + 9.0) / 2.0, (0.125 + 4.5) / 2.0, (0.5 + 3.0) / 2.0, (0.125 + 2.5) / 2.0]);
    /// let quantile: Objective = "quantile:q=0.9".parse()?; // too small costs 0.9, too large 0.1
    /// assert!((quantile.regression_loss(answers, &[1.5, 2.0]).item() - (0.45 + 0.3) / 2.0).abs() < 1e-15);
    /// # Ok::<(), surprisal_train::NameError>(())
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if the values do not fit the outputs, and if this loss does not support regression.
    #[track_caller]
    pub fn regression_loss<'t>(self, outputs: Var<'t>, values: &[f64]) -> Var<'t> {
        let shape = outputs.shape();
        assert!(
            shape.dims() == [values.len(), 1],
            "{self}: {} values for outputs {shape}: they must be [rows, 1]",
            values.len()
        );
        self.loss_of_numbers(outputs, outputs.tape().input_with(shape, |i| values[i]))
    }

    /// Records the loss of the outputs of a batch against its targets.
    #[track_caller]
    pub(crate) fn loss_of<'t>(
        self,
        outputs: Var<'t>,
        batch: &Batch<'_, 't>,
        weights: Option<&[f64]>,
    ) -> Var<'t> {
        match batch.targets() {
            Targets::Values(_) => self.loss_of_numbers(outputs, batch.values()),
            Targets::Classes { .. } | Targets::Masks { .. } => {
                self.weighted_loss(outputs, batch.labels(), weights)
            }
        }
    }

    #[track_caller]
    fn loss_of_numbers<'t>(self, outputs: Var<'t>, targets: Var<'t>) -> Var<'t> {
        assert!(
            self.check(true).is_ok(),
            "{self} does not support regression: choose mse, half_mse, mae or huber"
        );
        match self {
            Objective::SquaredError => MseLoss::default().loss(outputs, targets),
            Objective::HalfSquaredError => HalfSquaredError::default().loss(outputs, targets),
            Objective::AbsoluteError => l1_loss(outputs, targets),
            Objective::Huber => huber_loss(outputs, targets),
            _ => {
                let known = self.known();
                let step = known.step(Reduction::Mean, self.options(), targets.shape().len());
                known.recorded(step.of_targets(outputs, targets))
            }
        }
    }
}

impl Known {
    /// The loss of a step of this many rows.
    fn step(&self, reduction: Reduction, mut options: [f64; 2], rows: usize) -> Step {
        if self.name == "topk" {
            options[0] = options[0].min(rows as f64); // the last batch may be smaller
        }
        let mut given = [("", 0.0); 2];
        let names =
            self.options.iter().zip(options).filter(|(name, value)| (**name, *value) != ("pos_weight", 1.0));
        given.iter_mut().zip(names).for_each(|(given, (name, value))| *given = (name, value));
        Step::new(self.entry, reduction, &given)
    }

    #[track_caller]
    fn recorded<'t>(&self, loss: Result<Var<'t>, by_name::CallError>) -> Var<'t> {
        match loss {
            Ok(loss) => loss,
            Err(error) => panic!("{error}"),
        }
    }
}

/// By what the weighted sum over rows is divided: the sum of their weights, 1 where that is 0, and the number of rows without weights.
pub(crate) fn total_weight(labels: &[usize], weights: Option<&[f64]>) -> f64 {
    let Some(weights) = weights else { return labels.len() as f64 };
    let total = labels.iter().map(|&label| weights[label]).sum();
    if total > 0.0 { total } else { 1.0 }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.known().title)?;
        let options = self.changed(" = ");
        if options.is_empty() { Ok(()) } else { write!(f, " ({})", options.join(", ")) }
    }
}

impl FromStr for Objective {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let (name, list) = named(text);
        let Some(known) = Known::all().find(|known| known.name == name || known.entry.card.name == name)
        else {
            return Err(match by_name::find(name).map(|entry| entry.training) {
                Some(Training::No(why)) => NameError::UnfitLoss { found: name.into(), why },
                _ => NameError::UnknownLoss { found: name.into() },
            });
        };
        let options = known.read(list)?;
        let plain = PLAIN.iter().find(|(name, _)| *name == known.name && options == known.defaults());
        let registered = Objective::Registered(Registered { entry: known.entry, options });
        Ok(plain.map_or(registered, |(_, plain)| *plain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_rows_than_a_batch_has_cannot_be_kept() {
        let topk: Objective = "topk:k=8".parse().unwrap();
        assert!(topk.check_batch(8).is_ok() && Objective::CrossEntropy.check_batch(1).is_ok());
        assert_eq!(
            topk.check_batch(7).unwrap_err().to_string(),
            "loss topk: k is 8, but a batch has 7 rows | use k = 7 or less, or larger batches"
        );
    }

    #[test]
    fn each_loss_of_the_library_is_an_objective_or_refused_with_a_reason() {
        for known in Known::all() {
            for name in known.options.iter().filter(|name| **name != "pos_weight") {
                assert!(
                    known.entry.options.iter().any(|option| option.name == *name),
                    "{}: {name}",
                    known.name
                );
            }
            assert!(
                known.options.len() <= 2 && known.defaults().iter().all(|x| x.is_finite()),
                "{}",
                known.name
            );
        }
        for entry in by_name::ALL {
            let name = entry.card.name;
            match Known::of(entry).is_some() {
                true => assert!(name.parse::<Objective>().is_ok(), "{name}"),
                false => {
                    assert!(matches!(name.parse::<Objective>(), Err(NameError::UnfitLoss { .. })), "{name}")
                }
            }
        }
    }

    #[test]
    fn an_objective_is_written_as_it_is_read() {
        for text in [
            "ce",
            "mse",
            "ce:label_smoothing=0.1",
            "focal:gamma=3.5",
            "topk:k=8",
            "bce:pos_weight=3",
            "hinge",
            "multi_margin:margin=0.5,p=2",
            "dice:squared=true",
            "ce_dice:a=0.25",
            "quantile:q=0.9",
            "poisson",
            "sigmoid_focal:alpha=0.5",
            "huber:delta=2",
            "smooth_l1:beta=0.5",
            "log_cosh",
            "squared_hinge:margin=2",
        ] {
            let read: Objective = text.parse().unwrap();
            assert_eq!(read.spec(), text);
            assert_eq!(read.spec().parse(), Ok(read));
        }
        let told = [
            "hing",
            "mse:delta=1",
            "huber:detla=2",
            "huber:delta=0",
            "huber:delta",
            "huber:delta=1,delta=2",
            "quantile:q=1",
            "topk:k=0.5",
            "multi_margin:p=3",
            "focal:gamma=nan",
            "tanh",
        ]
        .map(|text| text.parse::<Objective>().unwrap_err().to_string());
        expect_test::expect![[r#"
            no loss is named "hing" | did you mean "hinge"?
            loss mse: no option is named "delta" | there are none
            loss huber: no option is named "detla" | known: delta | did you mean "delta"?
            loss huber: delta: expected a number above 0, found 0
            loss huber: expected NAME=VALUE, found "delta" | known: delta
            loss huber: delta is given twice | keep one of them
            loss quantile: q: expected a number between 0 and 1, both excluded, found 1
            loss topk: k: expected a whole number, 1 or above, found 0.5
            loss multi_margin: p: expected a whole number from 1 to 2, found 3
            loss focal: gamma: expected a finite number, 0 or above, found nan
            loss tanh: is a function, not a loss: choose ce, mse, .."#]]
        .assert_eq(&told.join("\n"));
    }
}
