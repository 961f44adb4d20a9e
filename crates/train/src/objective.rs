//! The training objective.

use std::fmt;
use std::str::FromStr;

use surprisal_data::Targets;
use surprisal_loss::{
    BinaryCrossEntropyWithLogits, CeDiceLoss, DiceLoss, HalfSquaredError, HingeLoss, HuberLoss, L1Loss,
    LogCoshLoss, MseLoss, MultiMarginLoss, PoissonNllLoss, QuantileLoss, Reduction, SigmoidFocalLoss,
    SmoothL1Loss, SoftMarginLoss, SoftmaxCrossEntropy, SoftmaxFocalLoss, SquaredHingeLoss, TopkCrossEntropy,
    binary_cross_entropy_with_logits, by_name, huber_loss, l1_loss, softmax_cross_entropy,
};
use surprisal_tensor::Var;

use crate::{Batch, NameError, TrainError};

/// A loss of the model's outputs against class labels or regression targets: every loss of `surprisal_loss` whose target is one class
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
///     "loss focal has no option \"gama\" | did you mean \"gamma\"?"
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
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Registered {
    kind: Kind,
    options: [f64; 2], // in the order of the table; what is not used is 0
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Ce,
    Focal,
    TopK,
    Bce,
    SigmoidFocal,
    SoftMargin,
    Hinge,
    SquaredHinge,
    MultiMargin,
    Dice,
    CeDice,
    Mse,
    HalfMse,
    Mae,
    Huber,
    SmoothL1,
    LogCosh,
    Quantile,
    Poisson,
}

/// The target of a loss, and the number of outputs for K classes.
#[derive(Clone, Copy, PartialEq)]
enum Target {
    /// A class; K outputs, or one for two classes.
    Class,
    /// A class; K outputs also for two classes.
    ClassOfEach,
    /// Yes or no for each output; one for two classes.
    YesNo,
    /// A number.
    Number,
    /// A class (as `Class`) or a number.
    Any,
}

/// A row of the tables above.
struct Known {
    kind: Kind,
    name: &'static str,
    registered: &'static str, // in surprisal_loss
    title: &'static str,
    target: Target,
    options: &'static [&'static str],
}

impl Known {
    /// The range of an option, and its default.
    fn option(&self, name: &str) -> (by_name::Kind, f64) {
        let card = by_name::find(self.registered)
            .and_then(|entry| entry.options.iter().find(|option| option.name == name));
        match card {
            Some(card) => {
                // a model has one output for one number: one level
                let kind = if let by_name::Kind::Numbers(range) = card.kind {
                    by_name::Kind::Number(range)
                } else {
                    card.kind
                };
                (kind, number(kind, card.default).unwrap_or(0.0))
            }
            None => (by_name::Kind::Number(by_name::Range::NotNegative), 1.0), // weights are inputs there
        }
    }
    fn defaults(&self) -> [f64; 2] {
        let mut options = [0.0; 2];
        options.iter_mut().zip(self.options).for_each(|(value, name)| *value = self.option(name).1);
        options
    }
}

/// The number that an option's text stands for: 1 for true.
fn number(kind: by_name::Kind, text: &str) -> Option<f64> {
    match kind.parse(text)? {
        by_name::Setting::Number(number) => Some(number),
        by_name::Setting::Flag(flag) => Some(f64::from(flag)),
        _ => None,
    }
}

const fn known(
    kind: Kind,
    [name, registered, title]: [&'static str; 3],
    target: Target,
    options: &'static [&'static str],
) -> Known {
    Known { kind, name, registered, title, target, options }
}

const TABLE: [Known; 19] = [
    known(Kind::Ce, ["ce", "softmax_cross_entropy", "cross-entropy"], Target::Class, &["label_smoothing"]),
    known(Kind::Focal, ["focal", "softmax_focal_loss", "focal loss"], Target::Class, &["gamma"]),
    known(Kind::TopK, ["topk", "topk_cross_entropy", "top-k cross-entropy"], Target::ClassOfEach, &["k"]),
    known(
        Kind::Bce,
        ["bce", "binary_cross_entropy_with_logits", "binary cross-entropy"],
        Target::YesNo,
        &["pos_weight"],
    ),
    known(
        Kind::SigmoidFocal,
        ["sigmoid_focal", "sigmoid_focal_loss", "sigmoid focal loss"],
        Target::YesNo,
        &["alpha", "gamma"],
    ),
    known(Kind::SoftMargin, ["soft_margin", "soft_margin_loss", "soft margin loss"], Target::YesNo, &[]),
    known(Kind::Hinge, ["hinge", "hinge_loss", "hinge loss"], Target::YesNo, &["margin"]),
    known(
        Kind::SquaredHinge,
        ["squared_hinge", "squared_hinge_loss", "squared hinge loss"],
        Target::YesNo,
        &["margin"],
    ),
    known(
        Kind::MultiMargin,
        ["multi_margin", "multi_margin_loss", "multi-class margin loss"],
        Target::ClassOfEach,
        &["margin", "p"],
    ),
    known(Kind::Dice, ["dice", "dice_loss", "Dice loss"], Target::YesNo, &["smooth", "squared"]),
    known(
        Kind::CeDice,
        ["ce_dice", "ce_dice_loss", "cross-entropy and Dice loss"],
        Target::Class,
        &["a", "smooth"],
    ),
    known(Kind::Mse, ["mse", "mse_loss", "squared error"], Target::Any, &[]),
    known(Kind::HalfMse, ["half_mse", "half_squared_error", "half squared error"], Target::Any, &[]),
    known(Kind::Mae, ["mae", "l1_loss", "absolute error"], Target::Number, &[]),
    known(Kind::Huber, ["huber", "huber_loss", "Huber's loss"], Target::Number, &["delta"]),
    known(Kind::SmoothL1, ["smooth_l1", "smooth_l1_loss", "smooth L1 loss"], Target::Number, &["beta"]),
    known(Kind::LogCosh, ["log_cosh", "log_cosh_loss", "log-cosh loss"], Target::Number, &[]),
    known(Kind::Quantile, ["quantile", "quantile_loss", "quantile loss"], Target::Number, &["q"]),
    known(Kind::Poisson, ["poisson", "poisson_nll_loss", "Poisson loss"], Target::Number, &[]),
];

/// The losses without options that have a variant of their own.
const PLAIN: [(Kind, Objective); 5] = [
    (Kind::Ce, Objective::CrossEntropy),
    (Kind::Mse, Objective::SquaredError),
    (Kind::HalfMse, Objective::HalfSquaredError),
    (Kind::Mae, Objective::AbsoluteError),
    (Kind::Huber, Objective::Huber),
];

/// Why a loss of the library cannot train a model on rows with one class or one number each.
fn unfit(name: &str) -> Option<&'static str> {
    Some(match name {
        "triplet_margin_loss" | "contrastive_loss" => {
            "needs pairs or triplets of embeddings, which a table does not have: use it in a program of your own"
        }
        "supcon_loss" => "is for embeddings, and predicts no class: use it in a program of your own",
        "nll_loss" => {
            "needs log-probabilities, but the outputs are logits: use ce, which computes the same from logits"
        }
        "binary_cross_entropy" => {
            "needs probabilities, but the outputs are logits: use bce, which computes the same from logits"
        }
        "cross_entropy_probs" | "kl_div" | "kl_div_logits" => {
            "needs probabilities of all classes as targets, but a row of a table has one class: use ce"
        }
        "self_information" | "entropy" | "entropy_from_logits" => {
            "has no target, so nothing can be learned from it"
        }
        _ => {
            return by_name::find(name).map(|entry| match entry.inputs {
                [_] => "is a function, not a loss: choose ce, mse, ..",
                _ => "cannot train on a table: use it in a program of your own",
            });
        }
    })
}

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
    pub const OF_LABELS: [Objective; 3] =
        [Objective::CrossEntropy, Objective::SquaredError, Objective::HalfSquaredError];
    /// The losses of [`ALL`](Self::ALL) for regression.
    pub const OF_VALUES: [Objective; 4] =
        [Objective::SquaredError, Objective::HalfSquaredError, Objective::AbsoluteError, Objective::Huber];

    fn kind(self) -> Kind {
        match self {
            Objective::Registered(Registered { kind, .. }) => kind,
            plain => PLAIN.iter().find(|(_, of)| *of == plain).map_or(Kind::Ce, |(kind, _)| *kind),
        }
    }
    fn known(self) -> &'static Known {
        &TABLE[self.kind() as usize]
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
        TABLE.iter().map(|known| known.name)
    }

    /// [`names`](Self::names), and those of the library.
    pub(crate) fn all_names() -> impl Iterator<Item = &'static str> {
        Self::names().chain(TABLE.iter().map(|known| known.registered))
    }

    /// The short name, without options: "ce".
    ///
    /// ```
    /// use surprisal_train::Objective;
    /// assert_eq!(Objective::OF_LABELS.map(Objective::name), ["ce", "mse", "half_mse"]);
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
        let known = self.known();
        let options =
            known.options.iter().zip(self.options()).map(|(name, value)| (name, value, known.option(name)));
        let text = |(name, value, (kind, _)): (&&str, f64, (by_name::Kind, f64))| match kind {
            by_name::Kind::Flag => format!("{name}{equals}{}", value != 0.0),
            _ => format!("{name}{equals}{value}"),
        };
        options.filter(|(_, value, (_, default))| value != default).map(text).collect()
    }

    /// Checks that it supports classification, or, if `of_values`, regression.
    ///
    /// ```
    /// use surprisal_train::Objective;
    /// assert!(Objective::SquaredError.check(true).is_ok());
    /// assert_eq!(
    ///     Objective::CrossEntropy.check(true).unwrap_err().to_string(),
    ///     "loss ce: does not support regression | choose mse, half_mse, mae, huber, smooth_l1, log_cosh, quantile, poisson"
    /// );
    /// ```
    ///
    /// # Errors
    /// [`TrainError::Setting`], if it is not.
    pub fn check(self, of_values: bool) -> Result<(), TrainError> {
        let fits = |target| match of_values {
            true => matches!(target, Target::Number | Target::Any),
            false => target != Target::Number,
        };
        if fits(self.known().target) {
            return Ok(());
        }
        let task = if of_values { "regression" } else { "classification" };
        let names = TABLE.iter().filter(|known| fits(known.target)).map(|known| known.name);
        let names = Vec::from_iter(names).join(", ");
        Err(TrainError::Setting(format!("loss {}: does not support {task} | choose {names}", self.name())))
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
        matches!(self.kind(), Kind::TopK | Kind::Dice | Kind::CeDice)
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
        match values.iter().position(|&value| self.kind() == Kind::Poisson && value < 0.0) {
            Some(row) => Err(TrainError::Misfit(format!(
                "loss poisson: expected counts, 0 or above, found {} in row {row} | use mse or mae",
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

    /// Whether the output is the logarithm of what is predicted: of `poisson`.
    pub fn is_rate(self) -> bool {
        self.kind() == Kind::Poisson
    }

    /// Records the loss of logits `[rows, outputs]` against one label a row.
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
        let &[rows, outputs] = logits.shape().dims() else {
            panic!("{self}: the logits are {}: they must be [rows, outputs]", logits.shape());
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
        let [first, second] = self.options();
        let mut of_outputs = true; // a loss for each output, not for each row
        let losses = match self.kind() {
            Kind::Ce if outputs == 1 => {
                let targets = targets(first / 2.0, 1.0 - first / 2.0);
                BinaryCrossEntropyWithLogits { reduction, ..Default::default() }.loss(logits, targets)
            }
            Kind::Focal if outputs == 1 => {
                SigmoidFocalLoss { reduction, alpha: -1.0, gamma: first }.loss(logits, zero_one())
            }
            Kind::Bce => {
                let pos_weight = (first != 1.0).then(|| vec![first]);
                BinaryCrossEntropyWithLogits { reduction, pos_weight, weight: None }.loss(logits, zero_one())
            }
            Kind::SigmoidFocal => {
                SigmoidFocalLoss { reduction, alpha: first, gamma: second }.loss(logits, zero_one())
            }
            Kind::SoftMargin => SoftMarginLoss { reduction }.loss(logits, signs()),
            Kind::Hinge => HingeLoss { reduction, margin: first }.loss(logits, signs()),
            Kind::SquaredHinge => SquaredHingeLoss { reduction, margin: first }.loss(logits, signs()),
            Kind::Mse => MseLoss { reduction }.loss(probabilities(), zero_one()),
            Kind::HalfMse => HalfSquaredError { reduction }.loss(probabilities(), zero_one()),
            of_rows => {
                of_outputs = false;
                match of_rows {
                    Kind::Focal => {
                        SoftmaxFocalLoss { reduction, gamma: first, alpha: None }.loss(logits, labels)
                    }
                    Kind::TopK => {
                        TopkCrossEntropy { reduction, k: rows.min(first as usize) }.loss(logits, labels)
                    }
                    Kind::MultiMargin => {
                        let (margin, p) = (first, second as usize);
                        MultiMarginLoss { reduction, p, margin, weight: None }.loss(logits, labels)
                    }
                    Kind::Dice => {
                        let (smooth, squared) = (first, second != 0.0);
                        DiceLoss { smooth, squared, ..Default::default() }.loss(logits, zero_one())
                    }
                    Kind::CeDice if outputs == 1 => {
                        CeDiceLoss { a: first, smooth: second }.loss(logits, zero_one())
                    }
                    Kind::CeDice => CeDiceLoss { a: first, smooth: second }.loss(logits, labels),
                    _ => SoftmaxCrossEntropy { reduction, label_smoothing: first, ..Default::default() }
                        .loss(logits, labels),
                }
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
    /// let losses = Objective::OF_VALUES.map(|objective| objective.loss_of_values(answers, &[1.5, 2.0]).item());
    /// assert_eq!(losses, [(0.25 + 9.0) / 2.0, (0.125 + 4.5) / 2.0, (0.5 + 3.0) / 2.0, (0.125 + 2.5) / 2.0]);
    /// let quantile: Objective = "quantile:q=0.9".parse()?; // too small costs 0.9, too large 0.1
    /// assert!((quantile.loss_of_values(answers, &[1.5, 2.0]).item() - (0.45 + 0.3) / 2.0).abs() < 1e-15);
    /// # Ok::<(), surprisal_train::NameError>(())
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if the values do not fit the outputs, and if this loss does not support regression.
    #[track_caller]
    pub fn loss_of_values<'t>(self, outputs: Var<'t>, values: &[f64]) -> Var<'t> {
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
            Targets::Classes { .. } => self.weighted_loss(outputs, batch.labels(), weights),
        }
    }

    #[track_caller]
    fn loss_of_numbers<'t>(self, outputs: Var<'t>, targets: Var<'t>) -> Var<'t> {
        assert!(
            self.check(true).is_ok(),
            "{self} does not support regression: choose mse, half_mse, mae or huber"
        );
        let [first, _] = self.options();
        match self.kind() {
            Kind::Mse => MseLoss::default().loss(outputs, targets),
            Kind::HalfMse => HalfSquaredError::default().loss(outputs, targets),
            Kind::Mae => l1_loss(outputs, targets),
            Kind::Huber if self == Objective::Huber => huber_loss(outputs, targets),
            Kind::Huber => HuberLoss { delta: first, ..Default::default() }.loss(outputs, targets),
            Kind::SmoothL1 => SmoothL1Loss { beta: first, ..Default::default() }.loss(outputs, targets),
            Kind::LogCosh => LogCoshLoss::default().loss(outputs, targets),
            Kind::Quantile => QuantileLoss { q: vec![first], ..Default::default() }.loss(outputs, targets),
            Kind::Poisson => PoissonNllLoss::default().loss(outputs, targets),
            _ => L1Loss::default().loss(outputs, targets), // refused above
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
        let (name, options) = text.split_once(':').unwrap_or((text, ""));
        let name = name.trim();
        let Some(known) = TABLE.iter().find(|known| known.name == name || known.registered == name) else {
            let found = name.to_string();
            return Err(match unfit(name) {
                Some(why) => NameError::UnfitLoss { found, why },
                None => NameError::UnknownLoss { found },
            });
        };
        let mut values = known.defaults();
        let mut given = [false; 2];
        for part in options.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let (key, value) = (key.trim(), value.trim());
            let Some(at) = known.options.iter().position(|name| *name == key) else {
                let (loss, found, known) = (known.name, key.into(), known.options);
                return Err(NameError::UnknownOption { loss, found, known });
            };
            if std::mem::replace(&mut given[at], true) {
                return Err(NameError::OptionTwice { loss: known.name, option: key.into() });
            }
            let (kind, _) = known.option(key);
            values[at] = number(kind, value).ok_or_else(|| NameError::OptionValue {
                loss: known.name,
                option: key.into(),
                expected: kind,
                found: value.into(),
            })?;
        }
        let plain = PLAIN.iter().find(|(kind, _)| *kind == known.kind && values == known.defaults());
        let registered = Objective::Registered(Registered { kind: known.kind, options: values });
        Ok(plain.map_or(registered, |(_, plain)| *plain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_loss_of_the_library_is_an_objective_or_refused_with_a_reason() {
        for (at, known) in TABLE.iter().enumerate() {
            assert_eq!(known.kind as usize, at, "{}", known.name);
            let entry = by_name::find(known.registered).unwrap_or_else(|| panic!("{}", known.registered));
            for name in known.options.iter().filter(|name| **name != "pos_weight") {
                assert!(entry.options.iter().any(|option| option.name == *name), "{}: {name}", known.name);
                let (kind, default) = known.option(name);
                assert!(
                    kind == by_name::Kind::Flag || kind.holds(&by_name::Setting::Number(default)),
                    "{name}"
                );
            }
        }
        for entry in by_name::ALL {
            let name = entry.card.name;
            match TABLE.iter().any(|known| known.registered == name) {
                true => assert!(name.parse::<Objective>().is_ok(), "{name}"),
                false => {
                    assert!(name.parse::<Objective>().unwrap_err().to_string().starts_with("loss "), "{name}")
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
        for (text, message) in [
            ("hing", "there is no loss \"hing\" | did you mean \"hinge\"?"),
            ("mse:delta=1", "loss mse has no option \"delta\" | it has none"),
            ("huber:detla=2", "loss huber has no option \"detla\" | did you mean \"delta\"?"),
            ("huber:delta=0", "loss huber: delta: expected a number above 0, found \"0\""),
            ("huber:delta", "loss huber: delta: expected a number above 0, found \"\""),
            ("huber:delta=1,delta=2", "loss huber: delta is given twice"),
            ("quantile:q=1", "loss quantile: q: expected a number between 0 and 1, found \"1\""),
            ("topk:k=0.5", "loss topk: k: expected a whole number, 1 or more, found \"0.5\""),
            ("multi_margin:p=3", "loss multi_margin: p: expected a whole number, 1 or 2, found \"3\""),
            ("focal:gamma=nan", "loss focal: gamma: expected a number, 0 or more, found \"nan\""),
            ("tanh", "loss tanh: is a function, not a loss: choose ce, mse, .."),
        ] {
            assert_eq!(text.parse::<Objective>().unwrap_err().to_string(), message);
        }
    }
}
