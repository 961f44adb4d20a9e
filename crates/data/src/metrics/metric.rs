//! [`Metric`]: the metrics of reports and early stopping, by name.

use super::*;
use crate::error::DataError;
use crate::labels::{accuracy, argmax_rows};
use crate::metrics::error::MetricProblem;
use crate::source::error::SpecError;
use ndarray::ArrayView2;
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

type OfPredicted = fn(&[usize], &[usize], usize) -> Result<f64, DataError>;

/// How a metric is computed.
enum Of {
    /// Of labels, the predicted classes, and the number of classes.
    Predicted(OfPredicted),
    /// Precision, recall or F1, averaged over the classes.
    Averaged(Average, fn(PrecisionRecallF1) -> f64),
    /// Of two classes: of labels and the score of class 1.
    Scores(fn(&[usize], &[f64]) -> Result<f64, DataError>),
    /// Of the places that the labels have among all classes.
    TopK(usize),
    /// Of the probabilities of the labels.
    LogLoss,
    /// Of targets and predicted numbers; in which power of their unit it is.
    Numbers(i32, fn(&[f64], &[f64]) -> Result<f64, DataError>),
}

/// The description of a metric in the list.
struct Card {
    range: (f64, f64),
    larger_is_better: bool,
    of: Of,
}

macro_rules! metrics {
    ($(
        $(#[doc = $doc:literal])+
        $Variant:ident $(($arg:ident: $Arg:ty))? { $($name:literal $(= $value:expr)?),+ }
        $range:expr, $larger_is_better:literal, $of:expr;
    )+) => {
        /// A metric of predictions; it is read and written by its name.
        ///
        /// `top3_accuracy` and the like are read too, beside those of [`all`](Metric::all).
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
        pub enum Metric {
            $( $(#[doc = $doc])+ $Variant $(($Arg))?, )+
        }

        /// Every metric and its name; of [`Metric::TopKAccuracy`], examples.
        const NAMED: &[(&str, Metric)] = &[ $($( ($name, Metric::$Variant $(($value))?), )+)+ ];

        impl Metric {
            fn card(self) -> Card {
                match self {
                    $( Metric::$Variant $(($arg))? => Card {
                        range: $range,
                        larger_is_better: $larger_is_better,
                        of: $of,
                    }, )+
                }
            }
        }
    };
}

// The one list: name, range, whether larger is better, and the function. Everything else follows: what a report shows, what early stopping
// can watch, the messages, and what the tests go through.
metrics! {
    /// [`accuracy`]
    Accuracy { "accuracy" } (0.0, 1.0), true, Of::Predicted(|labels, predicted, _| accuracy(labels, predicted));
    /// [`top_k_accuracy_score`]
    TopKAccuracy(k: usize) { "top2_accuracy" = 2, "top5_accuracy" = 5 } (0.0, 1.0), true, Of::TopK(k);
    /// [`balanced_accuracy_score`]
    BalancedAccuracy { "balanced_accuracy" } (0.0, 1.0), true, Of::Predicted(balanced_accuracy_score);
    /// The precision of [`precision_recall_fscore_average`](super::precision_recall_fscore_average)
    Precision(average: Average) {
        "precision_macro" = Average::Macro, "precision_micro" = Average::Micro, "precision_weighted" = Average::Weighted
    }
    (0.0, 1.0), true, Of::Averaged(average, |found| found.precision);
    /// The recall of [`precision_recall_fscore_average`](super::precision_recall_fscore_average)
    Recall(average: Average) {
        "recall_macro" = Average::Macro, "recall_micro" = Average::Micro, "recall_weighted" = Average::Weighted
    }
    (0.0, 1.0), true, Of::Averaged(average, |found| found.recall);
    /// The F1 of [`precision_recall_fscore_average`](super::precision_recall_fscore_average)
    F1(average: Average) {
        "f1_macro" = Average::Macro, "f1_micro" = Average::Micro, "f1_weighted" = Average::Weighted
    }
    (0.0, 1.0), true, Of::Averaged(average, |found| found.f1);
    /// [`dice_score`]
    Dice { "dice" } (0.0, 1.0), true, Of::Predicted(dice_score);
    /// [`iou_score`]
    Iou { "iou" } (0.0, 1.0), true, Of::Predicted(iou_score);
    /// [`mean_iou_score`]
    MeanIou { "mean_iou" } (0.0, 1.0), true, Of::Predicted(mean_iou_score);
    /// `mcc`: [`matthews_corrcoef`]
    MatthewsCorrcoef { "mcc" } (-1.0, 1.0), true, Of::Predicted(matthews_corrcoef);
    /// [`cohen_kappa_score`]
    CohenKappa { "cohen_kappa" } (-1.0, 1.0), true, Of::Predicted(cohen_kappa_score);
    /// [`log_loss`]
    LogLoss { "log_loss" } (0.0, f64::INFINITY), false, Of::LogLoss;
    /// [`roc_auc_score`], of two classes
    RocAuc { "roc_auc" } (0.0, 1.0), true, Of::Scores(roc_auc_score);
    /// [`average_precision_score`], of two classes
    AveragePrecision { "average_precision" } (0.0, 1.0), true, Of::Scores(average_precision_score);
    /// [`r2_score`]
    R2 { "r2" } (f64::NEG_INFINITY, 1.0), true, Of::Numbers(0, r2_score);
    /// `mae`: [`mean_absolute_error`]
    MeanAbsoluteError { "mae" } (0.0, f64::INFINITY), false, Of::Numbers(1, mean_absolute_error);
    /// `mse`: [`mean_squared_error`]
    MeanSquaredError { "mse" } (0.0, f64::INFINITY), false, Of::Numbers(2, mean_squared_error);
    /// `rmse`: [`root_mean_squared_error`]
    RootMeanSquaredError { "rmse" } (0.0, f64::INFINITY), false, Of::Numbers(1, root_mean_squared_error);
}

impl Metric {
    /// Every metric; of [`TopKAccuracy`](Metric::TopKAccuracy), the first two and the first five.
    ///
    /// ```
    /// use surprisal_data::metrics::Metric;
    /// assert_eq!(Metric::all().filter(Metric::for_numbers).count(), 4);
    /// ```
    pub fn all() -> impl Iterator<Item = Metric> {
        NAMED.iter().map(|&(_, metric)| metric)
    }

    /// Whether it supports `n` classes.
    ///
    /// ```
    /// use surprisal_data::metrics::Metric;
    /// assert!(Metric::RocAuc.for_so_many(2) && !Metric::RocAuc.for_so_many(3));
    /// assert!(Metric::TopKAccuracy(2).for_so_many(3) && !Metric::TopKAccuracy(2).for_so_many(2));
    /// ```
    pub fn for_so_many(&self, classes: usize) -> bool {
        match self.card().of {
            Of::TopK(k) => k < classes,
            Of::Scores(_) => classes == 2,
            _ => self.for_classes(),
        }
    }

    /// Whether larger values are better: true for all but the errors and `log_loss`.
    ///
    /// ```
    /// use surprisal_data::metrics::Metric;
    ///
    /// assert!(Metric::R2.larger_is_better());
    /// assert!(!Metric::LogLoss.larger_is_better());
    /// ```
    pub fn larger_is_better(&self) -> bool {
        self.card().larger_is_better
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
        self.card().range
    }

    /// Whether it supports classification: [`of_classes`](Metric::of_classes) is for these.
    ///
    /// ```
    /// # use surprisal_data::metrics::Metric;
    /// assert!(Metric::Accuracy.for_classes() && !Metric::R2.for_classes());
    /// ```
    pub fn for_classes(&self) -> bool {
        !self.for_numbers()
    }

    /// Whether it supports regression: [`of_numbers`](Metric::of_numbers) is for these.
    ///
    /// ```
    /// # use surprisal_data::metrics::Metric;
    /// assert!(Metric::R2.for_numbers() && !Metric::Accuracy.for_numbers());
    /// ```
    pub fn for_numbers(&self) -> bool {
        matches!(self.card().of, Of::Numbers(..))
    }

    /// Its value for `probabilities`, `[rows, classes]`; the predicted class is the one with the highest.
    ///
    /// Of equals, the first. Of two classes, class 1 is what `roc_auc` and `average_precision` look for.
    ///
    /// Errors if it is for regression, if there is not one row per label, or none, if a label is not below the
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
        match self.card().of {
            Of::TopK(k) => top_k_accuracy_score(labels, probabilities, k),
            Of::LogLoss => log_loss(labels, probabilities),
            Of::Scores(score) => {
                self.check_two(probabilities.ncols())?;
                score(labels, &probabilities.column(1).to_vec())
            }
            _ => self.of_predicted(labels, &argmax_rows(&probabilities), probabilities.ncols()),
        }
    }

    /// Its value for one predicted number per target.
    ///
    /// Errors if it is for classification, and as its function does.
    ///
    /// ```
    /// use surprisal_data::metrics::Metric;
    ///
    /// assert_eq!(Metric::MeanAbsoluteError.of_numbers(&[1.0, 2.0], &[1.5, 2.5])?, 0.5);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn of_numbers(&self, targets: &[f64], predicted: &[f64]) -> Result<f64, DataError> {
        match self.card().of {
            Of::Numbers(_, score) => score(targets, predicted),
            _ => fail(self.name(), MetricProblem::ForClasses),
        }
    }

    /// In which power of the targets' unit it is: 1 of `mae` and `rmse`, 2 of `mse`, 0 of `r2` and of all metrics of classification.
    ///
    /// ```
    /// # use surprisal_data::metrics::Metric;
    /// assert_eq!([Metric::R2, Metric::MeanAbsoluteError, Metric::MeanSquaredError].map(|m| m.power_of_unit()), [0, 1, 2]);
    /// ```
    pub fn power_of_unit(&self) -> i32 {
        match self.card().of {
            Of::Numbers(power, _) => power,
            _ => 0,
        }
    }

    /// A metric of rows of logits, from what is kept of them.
    pub(super) fn of_logits(&self, rows: &LabeledLogits) -> Result<f64, DataError> {
        let LabeledLogits { classes, labels, predicted, before, surprises, scores } = rows;
        check_count(self.name(), "row of logits", labels.len(), labels.len())?;
        match self.card().of {
            Of::TopK(k) if k == 0 || k >= *classes => {
                fail(self.name(), MetricProblem::TopK { classes: *classes, found: k })
            }
            Of::TopK(k) => {
                Ok(before.iter().filter(|&&before| before < k).count() as f64 / labels.len() as f64)
            }
            Of::LogLoss => Ok(surprises.iter().sum::<f64>() / labels.len() as f64),
            Of::Scores(score) => {
                self.check_two(*classes)?;
                score(labels, scores)
            }
            _ => self.of_predicted(labels, predicted, *classes),
        }
    }

    /// A metric that depends on the predicted classes alone.
    fn of_predicted(&self, labels: &[usize], predicted: &[usize], classes: usize) -> Result<f64, DataError> {
        match self.card().of {
            Of::Predicted(score) => score(labels, predicted, classes),
            Of::Averaged(average, part) => {
                precision_recall_fscore_average(labels, predicted, classes, average).map(part)
            }
            _ => fail(self.name(), MetricProblem::ForNumbers),
        }
    }

    fn check_two(&self, classes: usize) -> Result<(), DataError> {
        match classes {
            2 => Ok(()),
            found => fail(self.name(), MetricProblem::TwoClasses { found }),
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

    /// Errors if no metric has this name; the message lists all.
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
