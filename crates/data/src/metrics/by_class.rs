//! What is counted class by class, [`precision_recall_fscore_support`] and its [`Average`]s, and what follows
//! from these counts: [`recall_score`], [`balanced_accuracy_score`], [`matthews_corrcoef`].

use super::{check_classes, check_count, check_scores, fail};
use crate::error::DataError;
use crate::metrics::error::MetricProblem;

/// Three measures from 0 to 1 of how well a class is found: see [`precision_recall_fscore_support`] and
/// [`precision_recall_f1`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrecisionRecallF1 {
    /// Of the rows that were predicted to be of the class, the share that is.
    pub precision: f64,
    /// Of the rows of the class, the share that was predicted to be.
    pub recall: f64,
    /// The harmonic mean of the two.
    pub f1: f64,
    /// The number of rows of the class; of an average, of all.
    pub support: usize,
}

/// How well each class is found, one item per class.
///
/// With `tp` rows of the class predicted to be of it, `fp` rows of others predicted to be of it, and `fn`
/// rows of it predicted to be of others: precision `tp / (tp + fp)`, recall `tp / (tp + fn)`, F1 `2 tp / (2
/// tp + fp + fn)`. Where there is nothing to divide by, the measure is 0 (scikit-learn's `zero_division=0`).
///
/// Errors as [`confusion_matrix`](super::confusion_matrix) does.
///
/// ```
/// use surprisal_data::metrics::precision_recall_fscore_support;
///
/// let found = precision_recall_fscore_support(&[2, 0, 2, 2, 0, 1], &[0, 0, 2, 2, 0, 2], 3)?;
/// assert_eq!((found[0].precision, found[0].recall, found[0].f1), (2.0 / 3.0, 1.0, 4.0 / 5.0));
/// assert_eq!((found[1].f1, found[1].support), (0.0, 1));
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn precision_recall_fscore_support(
    labels: &[usize],
    predicted: &[usize],
    classes: usize,
) -> Result<Vec<PrecisionRecallF1>, DataError> {
    let counts = counts("precision_recall_fscore_support", labels, predicted, classes)?;
    Ok(counts.iter().map(Counts::measures).collect())
}

/// How the measures of several classes become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Average {
    /// The mean over the classes: a rare class counts as much as a frequent one.
    Macro,
    /// Of the counts of all classes together. Every row has one label and one prediction, so that all three
    /// measures are the accuracy.
    Micro,
    /// The mean over the classes, each as often as it has rows.
    Weighted,
}

/// [`precision_recall_fscore_support`], averaged over the classes.
///
/// The macro average is over all `classes`, with 0 for one that neither has rows nor is predicted:
/// scikit-learn's `labels=range(classes)`. Without `labels`, scikit-learn leaves such classes out, and the
/// average of a few rows would change its meaning with the predictions.
///
/// Errors as [`confusion_matrix`](super::confusion_matrix) does.
///
/// ```
/// use surprisal_data::metrics::{Average, precision_recall_fscore_average};
///
/// let (labels, predicted) = ([2, 0, 2, 2, 0, 1], [0, 0, 2, 2, 0, 2]);
/// let f1 = |average| precision_recall_fscore_average(&labels, &predicted, 3, average).map(|found| found.f1);
/// assert_eq!(f1(Average::Macro)?, (4.0 / 5.0 + 0.0 + 2.0 / 3.0) / 3.0);
/// assert_eq!(f1(Average::Micro)?, 4.0 / 6.0);
/// assert_eq!(f1(Average::Weighted)?, (2.0 * (4.0 / 5.0) + 1.0 * 0.0 + 3.0 * (2.0 / 3.0)) / 6.0);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn precision_recall_fscore_average(
    labels: &[usize],
    predicted: &[usize],
    classes: usize,
    average: Average,
) -> Result<PrecisionRecallF1, DataError> {
    Ok(average.of(&counts("precision_recall_fscore_average", labels, predicted, classes)?))
}

impl Average {
    pub(super) fn of(self, counts: &[Counts]) -> PrecisionRecallF1 {
        let all = Counts::sum(counts);
        let weight = |class: &Counts| match self {
            Average::Weighted => class.support as f64,
            _ => 1.0,
        };
        let weights: f64 = counts.iter().map(weight).sum();
        let mean = |measure: fn(PrecisionRecallF1) -> f64| {
            counts.iter().map(|class| weight(class) * measure(class.measures())).sum::<f64>() / weights
        };
        match self {
            Average::Micro => all.measures(),
            Average::Macro | Average::Weighted => PrecisionRecallF1 {
                precision: mean(|class| class.precision),
                recall: mean(|class| class.recall),
                f1: mean(|class| class.f1),
                support: all.support,
            },
        }
    }
}

/// Of the rows of each class, the share that was predicted to be of it; `None` for a class without rows.
///
/// scikit-learn's `average=None`; their mean is the [`balanced_accuracy_score`].
///
/// Errors as [`confusion_matrix`](super::confusion_matrix) does.
///
/// ```
/// use surprisal_data::metrics::recall_score;
///
/// let recall = recall_score(&[2, 0, 2, 2, 0, 1], &[0, 0, 2, 2, 0, 2], 4)?;
/// assert_eq!(recall, [Some(1.0), Some(0.0), Some(2.0 / 3.0), None]);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn recall_score(
    labels: &[usize],
    predicted: &[usize],
    classes: usize,
) -> Result<Vec<Option<f64>>, DataError> {
    let recall = |class: &Counts| (class.support > 0).then(|| class.measures().recall);
    Ok(counts("recall_score", labels, predicted, classes)?.iter().map(recall).collect())
}

/// The mean recall of the classes that have rows, from 0 to 1: an accuracy that a frequent class cannot carry
/// alone.
///
/// Always predicting the same class reaches `1 / classes`.
///
/// Errors as [`confusion_matrix`](super::confusion_matrix) does.
///
/// ```
/// use surprisal_data::metrics::balanced_accuracy_score;
///
/// // nine of ten rows are of class 0, and it is always predicted
/// let labels = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
/// assert_eq!(balanced_accuracy_score(&labels, &[0; 10], 2)?, 0.5);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn balanced_accuracy_score(
    labels: &[usize],
    predicted: &[usize],
    classes: usize,
) -> Result<f64, DataError> {
    let counts = counts("balanced_accuracy_score", labels, predicted, classes)?;
    let with_rows = || counts.iter().filter(|class| class.support > 0);
    Ok(with_rows().map(|class| class.measures().recall).sum::<f64>() / with_rows().count() as f64)
}

/// The correlation of labels and predictions, from -1 to 1: 1 if all are right, 0 if the predictions are
/// independent of the labels.
///
/// With `n` rows, `c` of them right, `t_k` of class `k` and `p_k` predicted to be of it:
/// `(c n - sum_k t_k p_k) / sqrt((n^2 - sum_k t_k^2) (n^2 - sum_k p_k^2))`, and 0 where all labels, or all
/// predictions, are the same.
///
/// Errors as [`confusion_matrix`](super::confusion_matrix) does.
///
/// Source: J. Gorodkin (2004), "Comparing two K-category assignments by a K-category correlation
/// coefficient", Computational Biology and Chemistry 28, 367-374.
///
/// ```
/// use surprisal_data::metrics::matthews_corrcoef;
///
/// assert_eq!(matthews_corrcoef(&[0, 1, 2, 2], &[0, 1, 2, 2], 3)?, 1.0);
/// assert_eq!(matthews_corrcoef(&[0, 0, 1, 1], &[1, 1, 0, 0], 2)?, -1.0);
/// assert_eq!(matthews_corrcoef(&[0, 0, 1, 1], &[0, 1, 0, 1], 2)?, 0.0);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn matthews_corrcoef(labels: &[usize], predicted: &[usize], classes: usize) -> Result<f64, DataError> {
    let counts = counts("matthews_corrcoef", labels, predicted, classes)?;
    let sum = |product: fn(&Counts) -> (usize, usize)| -> i128 {
        counts.iter().map(product).map(|(a, b)| a as i128 * b as i128).sum()
    };
    let (right, rows) = (Counts::sum(&counts).right as i128, labels.len() as i128);
    let together = right * rows - sum(|class| (class.support, class.predicted));
    let of_labels = rows * rows - sum(|class| (class.support, class.support));
    let of_predictions = rows * rows - sum(|class| (class.predicted, class.predicted));
    match of_labels as f64 * of_predictions as f64 {
        0.0 => Ok(0.0),
        // the root of the product, not the product of roots: all right is 1 without a rounding
        product => Ok(together as f64 / product.sqrt()),
    }
}

/// Cohen's kappa: how far labels and predictions agree beyond what chance would give, from -1 to 1: 1 if all are right, 0 if as many are
/// as by drawing predictions that are as frequent.
///
/// With `n` rows, `c` of them right, `t_k` of class `k` and `p_k` predicted to be of it, the share that is right is `c / n`, and by chance
/// `e = sum_k t_k p_k / n^2`: `(c / n - e) / (1 - e)`, computed as `(c n - sum_k t_k p_k) / (n^2 - sum_k t_k p_k)`. Where all labels and all
/// predictions are one class, this is 0 / 0: 0 as of [`matthews_corrcoef`], NaN in scikit-learn.
///
/// Errors as [`confusion_matrix`](super::confusion_matrix) does.
///
/// Source: J. Cohen (1960), "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20, 37-46.
///
/// ```
/// use surprisal_data::metrics::cohen_kappa_score;
///
/// assert_eq!(cohen_kappa_score(&[0, 2, 0, 1, 2], &[0, 2, 0, 1, 0], 3)?, 11.0 / 16.0); // (4 · 5 - 9) / (25 - 9)
/// assert_eq!(cohen_kappa_score(&[0, 0, 1, 1], &[0, 1, 0, 1], 2)?, 0.0);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn cohen_kappa_score(labels: &[usize], predicted: &[usize], classes: usize) -> Result<f64, DataError> {
    let counts = counts("cohen_kappa_score", labels, predicted, classes)?;
    let (right, rows) = (Counts::sum(&counts).right as i128, labels.len() as i128);
    let by_chance: i128 = counts.iter().map(|class| class.support as i128 * class.predicted as i128).sum();
    match rows * rows - by_chance {
        0 => Ok(0.0),
        beyond => Ok((right * rows - by_chance) as f64 / beyond as f64),
    }
}

/// How far the labels and the predictions of each class overlap, one item per class: Dice's coefficient, which is F1, and the Jaccard index,
/// which is called intersection over union.
///
/// With the counts of [`precision_recall_fscore_support`], `dice = 2 tp / (2 tp + fp + fn)` and `iou = tp / (tp + fp + fn)`. A class that has
/// no rows and is not predicted overlaps completely: both are 1, where F1 is 0. So an image without foreground, in which none is
/// found, is right.
///
/// Errors as [`confusion_matrix`](super::confusion_matrix) does.
///
/// Source: Dice 1945, "Measures of the amount of ecologic association between species"; Jaccard 1912; with 1 for two empty sets as in
/// scikit-learn's `jaccard_score(zero_division=1)`.
///
/// ```
/// use surprisal_data::metrics::{Overlap, overlap};
///
/// let found = overlap(&[0, 0, 1, 1, 1], &[0, 1, 1, 1, 0], 3)?;
/// assert_eq!(found[1], Overlap { dice: 2.0 * 2.0 / (3.0 + 3.0), iou: 2.0 / 4.0 });
/// assert_eq!(found[2], Overlap { dice: 1.0, iou: 1.0 }); // neither there nor found
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn overlap(labels: &[usize], predicted: &[usize], classes: usize) -> Result<Vec<Overlap>, DataError> {
    Ok(counts("overlap", labels, predicted, classes)?.iter().map(Counts::overlap).collect())
}

/// The overlap of labels and predictions of a class: see [`overlap`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overlap {
    /// Twice what both have in common, over what each has.
    pub dice: f64,
    /// What both have in common, over what either has.
    pub iou: f64,
}

/// The mean [`Overlap::dice`] of all classes but class 0, the background; of two classes, that of class 1.
///
/// Errors as [`overlap`] does.
///
/// ```
/// use surprisal_data::metrics::dice_score;
/// assert_eq!(dice_score(&[0, 0, 1, 2], &[0, 1, 1, 1], 3)?, (2.0 / 4.0 + 0.0) / 2.0);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn dice_score(labels: &[usize], predicted: &[usize], classes: usize) -> Result<f64, DataError> {
    Ok(mean(&overlap(labels, predicted, classes)?, 1, |class| class.dice))
}

/// The mean [`Overlap::iou`] of all classes but class 0, the background; of two classes, that of class 1.
///
/// Errors as [`overlap`] does.
///
/// ```
/// use surprisal_data::metrics::iou_score;
/// assert_eq!(iou_score(&[0, 0, 1, 2], &[0, 1, 1, 1], 3)?, (1.0 / 3.0 + 0.0) / 2.0);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn iou_score(labels: &[usize], predicted: &[usize], classes: usize) -> Result<f64, DataError> {
    Ok(mean(&overlap(labels, predicted, classes)?, 1, |class| class.iou))
}

/// The mean [`Overlap::iou`] of all classes, with class 0.
///
/// Errors as [`overlap`] does.
///
/// ```
/// use surprisal_data::metrics::mean_iou_score;
/// assert_eq!(mean_iou_score(&[0, 0, 1, 1], &[0, 1, 1, 1], 2)?, (1.0 / 2.0 + 2.0 / 3.0) / 2.0);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn mean_iou_score(labels: &[usize], predicted: &[usize], classes: usize) -> Result<f64, DataError> {
    Ok(mean(&overlap(labels, predicted, classes)?, 0, |class| class.iou))
}

/// Of the classes from `first` on; of a single class, that one.
fn mean(of: &[Overlap], first: usize, part: fn(&Overlap) -> f64) -> f64 {
    let of = &of[first.min(of.len() - 1)..];
    of.iter().map(part).sum::<f64>() / of.len() as f64
}

/// Precision, recall and F1 of predicting class 1 for scores from `threshold` up: the measures of
/// [`precision_recall_fscore_support`] of class 1.
///
/// Where nothing scores as much as the threshold, all three are 0.
///
/// Errors as [`roc_curve`](super::roc_curve) does, and if the threshold is NaN.
///
/// ```
/// use surprisal_data::metrics::precision_recall_f1;
///
/// let at_half = precision_recall_f1(&[0, 1, 0, 1, 1], &[0.1, 0.4, 0.6, 0.5, 0.8], 0.5)?;
/// assert_eq!((at_half.precision, at_half.recall, at_half.f1), (2.0 / 3.0, 2.0 / 3.0, 4.0 / 6.0));
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn precision_recall_f1(
    labels: &[usize],
    scores: &[f64],
    threshold: f64,
) -> Result<PrecisionRecallF1, DataError> {
    const METRIC: &str = "precision_recall_f1";
    check_scores(METRIC, labels, scores)?;
    if threshold.is_nan() {
        return fail(METRIC, MetricProblem::NanThreshold);
    }
    let predicted: Vec<usize> = scores.iter().map(|&score| usize::from(score >= threshold)).collect();
    Ok(counts(METRIC, labels, &predicted, 2)?[1].measures())
}

/// Rows of one class.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    /// Of the class, and predicted to be.
    right: usize,
    /// Predicted to be of the class.
    predicted: usize,
    /// Of the class.
    support: usize,
}

impl Counts {
    pub(super) fn measures(&self) -> PrecisionRecallF1 {
        let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
        PrecisionRecallF1 {
            precision: share(self.right, self.predicted),
            recall: share(self.right, self.support),
            f1: share(2 * self.right, self.predicted + self.support),
            support: self.support,
        }
    }

    fn overlap(&self) -> Overlap {
        let either = self.support + self.predicted - self.right;
        let share = |part: usize, whole: usize| if whole == 0 { 1.0 } else { part as f64 / whole as f64 };
        Overlap { dice: share(2 * self.right, self.support + self.predicted), iou: share(self.right, either) }
    }

    fn sum(counts: &[Counts]) -> Counts {
        counts.iter().fold(Counts::default(), |sum, class| Counts {
            right: sum.right + class.right,
            predicted: sum.predicted + class.predicted,
            support: sum.support + class.support,
        })
    }
}

/// One item per class. No matrix: its size would be the square of the number of classes.
pub(super) fn counts(
    metric: &'static str,
    labels: &[usize],
    predicted: &[usize],
    classes: usize,
) -> Result<Vec<Counts>, DataError> {
    check_count(metric, "prediction", predicted.len(), labels.len())?;
    check_classes(metric, "label", labels, classes)?;
    check_classes(metric, "prediction", predicted, classes)?;
    let mut counts = vec![Counts::default(); classes];
    for (&label, &prediction) in labels.iter().zip(predicted) {
        counts[label].support += 1;
        counts[prediction].predicted += 1;
        counts[label].right += usize::from(label == prediction);
    }
    Ok(counts)
}
