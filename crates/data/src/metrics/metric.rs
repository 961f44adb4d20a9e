//! [`Metric`]: what a report shows and what early stopping watches, by name.

use super::logits::of_predicted;
use super::{
    Average, average_precision_score, check_probability_rows, fail, log_loss, mean_absolute_error,
    mean_squared_error, r2_score, roc_auc_score, root_mean_squared_error, top_k_accuracy_score,
};
use crate::error::DataError;
use crate::labels::argmax_rows;
use crate::metrics::error::MetricProblem;
use crate::source::error::SpecError;
use ndarray::ArrayView2;
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

/// One measure of answers; its name is how it is read and written.
///
/// | name | what it is |
/// |---|---|
/// | `accuracy` | [`accuracy`](crate::accuracy) |
/// | `top2_accuracy`, `top3_accuracy`, ... | [`top_k_accuracy_score`] |
/// | `balanced_accuracy` | [`balanced_accuracy_score`](super::balanced_accuracy_score) |
/// | `precision_macro`, `recall_micro`, `f1_weighted`, ... | [`precision_recall_fscore_average`](super::precision_recall_fscore_average) |
/// | `mcc` | [`matthews_corrcoef`](super::matthews_corrcoef) |
/// | `log_loss` | [`log_loss`] |
/// | `roc_auc` | [`roc_auc_score`], of two classes |
/// | `average_precision` | [`average_precision_score`], of two classes |
/// | `r2` | [`r2_score`] |
/// | `mae`, `mse`, `rmse` | [`mean_absolute_error`], [`mean_squared_error`], [`root_mean_squared_error`] |
///
/// ```
/// use surprisal_data::metrics::{Average, Metric};
///
/// let metric: Metric = "f1_macro".parse()?;
/// assert_eq!(metric, Metric::F1(Average::Macro));
/// assert!(metric.larger_is_better() && metric.for_classes());
///
/// let probabilities = ndarray::array![[0.75, 0.25], [0.25, 0.75], [0.5, 0.5]];
/// assert_eq!(metric.of_classes(&[0, 1, 1], probabilities.view())?, 2.0 / 3.0);
/// assert_eq!("rmse".parse::<Metric>()?.of_numbers(&[1.0, 2.0], &[4.0, 5.0])?, 3.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the table above says what each of them is")]
pub enum Metric {
    Accuracy,
    TopKAccuracy(usize),
    BalancedAccuracy,
    Precision(Average),
    Recall(Average),
    F1(Average),
    MatthewsCorrcoef,
    LogLoss,
    RocAuc,
    AveragePrecision,
    R2,
    MeanAbsoluteError,
    MeanSquaredError,
    RootMeanSquaredError,
}

use Metric::{F1, Precision, Recall};

/// Every metric and its name; of [`Metric::TopKAccuracy`], examples.
const NAMED: [(&str, Metric); 21] = [
    ("accuracy", Metric::Accuracy),
    ("top2_accuracy", Metric::TopKAccuracy(2)),
    ("top5_accuracy", Metric::TopKAccuracy(5)),
    ("balanced_accuracy", Metric::BalancedAccuracy),
    ("precision_macro", Precision(Average::Macro)),
    ("precision_micro", Precision(Average::Micro)),
    ("precision_weighted", Precision(Average::Weighted)),
    ("recall_macro", Recall(Average::Macro)),
    ("recall_micro", Recall(Average::Micro)),
    ("recall_weighted", Recall(Average::Weighted)),
    ("f1_macro", F1(Average::Macro)),
    ("f1_micro", F1(Average::Micro)),
    ("f1_weighted", F1(Average::Weighted)),
    ("mcc", Metric::MatthewsCorrcoef),
    ("log_loss", Metric::LogLoss),
    ("roc_auc", Metric::RocAuc),
    ("average_precision", Metric::AveragePrecision),
    ("r2", Metric::R2),
    ("mae", Metric::MeanAbsoluteError),
    ("mse", Metric::MeanSquaredError),
    ("rmse", Metric::RootMeanSquaredError),
];

impl Metric {
    /// Every metric; of [`TopKAccuracy`](Metric::TopKAccuracy), the first two and the first five.
    ///
    /// ```
    /// use surprisal_data::metrics::Metric;
    /// assert_eq!(Metric::all().filter(Metric::for_numbers).count(), 4);
    /// ```
    pub fn all() -> impl Iterator<Item = Metric> {
        NAMED.into_iter().map(|(_, metric)| metric)
    }

    /// Whether it judges answers of so many classes.
    ///
    /// ```
    /// use surprisal_data::metrics::Metric;
    /// assert!(Metric::RocAuc.for_so_many(2) && !Metric::RocAuc.for_so_many(3));
    /// assert!(Metric::TopKAccuracy(2).for_so_many(3) && !Metric::TopKAccuracy(2).for_so_many(2));
    /// ```
    pub fn for_so_many(&self, classes: usize) -> bool {
        match self {
            Metric::TopKAccuracy(k) => *k < classes,
            Metric::RocAuc | Metric::AveragePrecision => classes == 2,
            _ => self.for_classes(),
        }
    }

    /// Whether a better answer has the larger value: of all but the errors and `log_loss`.
    ///
    /// ```
    /// use surprisal_data::metrics::Metric;
    ///
    /// assert!(Metric::R2.larger_is_better());
    /// assert!(!Metric::LogLoss.larger_is_better());
    /// ```
    pub fn larger_is_better(&self) -> bool {
        use Metric::{LogLoss, MeanAbsoluteError, MeanSquaredError, RootMeanSquaredError};
        !matches!(self, LogLoss | MeanAbsoluteError | MeanSquaredError | RootMeanSquaredError)
    }

    /// The least and the largest value that it can have.
    ///
    /// ```
    /// use surprisal_data::metrics::Metric;
    ///
    /// assert_eq!(Metric::Accuracy.range(), (0.0, 1.0));
    /// assert_eq!(Metric::R2.range(), (f64::NEG_INFINITY, 1.0));
    /// ```
    pub fn range(&self) -> (f64, f64) {
        use Metric::{
            LogLoss, MatthewsCorrcoef, MeanAbsoluteError, MeanSquaredError, R2, RootMeanSquaredError,
        };
        match self {
            MatthewsCorrcoef => (-1.0, 1.0),
            R2 => (f64::NEG_INFINITY, 1.0),
            LogLoss | MeanAbsoluteError | MeanSquaredError | RootMeanSquaredError => (0.0, f64::INFINITY),
            _ => (0.0, 1.0),
        }
    }

    /// Whether it judges classes: [`of_classes`](Metric::of_classes) is for these.
    ///
    /// ```
    /// # use surprisal_data::metrics::Metric;
    /// assert!(Metric::Accuracy.for_classes() && !Metric::R2.for_classes());
    /// ```
    pub fn for_classes(&self) -> bool {
        !self.for_numbers()
    }

    /// Whether it judges numbers: [`of_numbers`](Metric::of_numbers) is for these.
    ///
    /// ```
    /// # use surprisal_data::metrics::Metric;
    /// assert!(Metric::R2.for_numbers() && !Metric::Accuracy.for_numbers());
    /// ```
    pub fn for_numbers(&self) -> bool {
        use Metric::{MeanAbsoluteError, MeanSquaredError, R2, RootMeanSquaredError};
        matches!(self, R2 | MeanAbsoluteError | MeanSquaredError | RootMeanSquaredError)
    }

    /// Its value for `probabilities`, `[rows, classes]`; the predicted class is the one with the highest.
    ///
    /// Of equals, the first. Of two classes, class 1 is what `roc_auc` and `average_precision` look for.
    ///
    /// Errors if it judges numbers, if there is not one row per label, or none, if a label is not below the
    /// number of classes, if a probability is not from 0 to 1 (NaN is not), and as its function does.
    ///
    /// ```
    /// use surprisal_data::metrics::Metric;
    ///
    /// let probabilities = ndarray::array![[0.5, 0.3, 0.2], [0.6, 0.3, 0.1]];
    /// assert_eq!(Metric::Accuracy.of_classes(&[0, 1], probabilities.view())?, 0.5);
    /// assert_eq!(Metric::TopKAccuracy(2).of_classes(&[0, 1], probabilities.view())?, 1.0);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn of_classes(&self, labels: &[usize], probabilities: ArrayView2<'_, f64>) -> Result<f64, DataError> {
        check_probability_rows(self.name(), labels, probabilities)?;
        let classes = probabilities.ncols();
        let of_class_1 = |metric: fn(&[usize], &[f64]) -> Result<f64, DataError>| match classes {
            2 => metric(labels, &probabilities.column(1).to_vec()),
            found => fail(self.name(), MetricProblem::TwoClasses { found }),
        };
        match *self {
            Metric::TopKAccuracy(k) => top_k_accuracy_score(labels, probabilities, k),
            Metric::LogLoss => log_loss(labels, probabilities),
            Metric::RocAuc => of_class_1(roc_auc_score),
            Metric::AveragePrecision => of_class_1(average_precision_score),
            _ => of_predicted(*self, labels, &argmax_rows(&probabilities), classes),
        }
    }

    /// Its value for one predicted number per target.
    ///
    /// Errors if it judges classes, and as its function does.
    ///
    /// ```
    /// use surprisal_data::metrics::Metric;
    ///
    /// assert_eq!(Metric::MeanAbsoluteError.of_numbers(&[1.0, 2.0], &[1.5, 2.5])?, 0.5);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn of_numbers(&self, targets: &[f64], predicted: &[f64]) -> Result<f64, DataError> {
        match self {
            Metric::R2 => r2_score(targets, predicted),
            Metric::MeanAbsoluteError => mean_absolute_error(targets, predicted),
            Metric::MeanSquaredError => mean_squared_error(targets, predicted),
            Metric::RootMeanSquaredError => root_mean_squared_error(targets, predicted),
            _ => fail(self.name(), MetricProblem::ForClasses),
        }
    }

    /// The names of the metrics that a message is about.
    pub(crate) fn names(which: fn(&Metric) -> bool) -> Vec<&'static str> {
        NAMED.iter().filter(|(_, metric)| which(metric)).map(|(name, _)| *name).collect()
    }

    pub(crate) fn name(&self) -> &'static str {
        NAMED.iter().find(|(_, metric)| metric == self).map_or("top_k_accuracy", |(name, _)| name)
    }
}

impl Display for Metric {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Metric::TopKAccuracy(k) => f.pad(&format!("top{k}_accuracy")),
            _ => f.pad(self.name()),
        }
    }
}

impl FromStr for Metric {
    type Err = SpecError;

    /// Errors if no metric goes by this name; the message lists all.
    fn from_str(name: &str) -> Result<Metric, SpecError> {
        let top_k = || {
            let k: usize = name.strip_prefix("top")?.strip_suffix("_accuracy")?.parse().ok()?;
            // what cannot be written is not read: top0, top+2, top02
            Some(Metric::TopKAccuracy(k)).filter(|metric| k > 0 && metric.to_string() == name)
        };
        let named = NAMED.iter().find(|(known, _)| *known == name).map(|&(_, metric)| metric);
        named.or_else(top_k).ok_or_else(|| SpecError::UnknownMetric { name: name.into() })
    }
}
