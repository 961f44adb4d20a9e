//! [`confusion_matrix`] and what is read from it: [`recall_score`], [`precision_recall_f1`].

use super::{check_classes, check_count, check_scores, fail};
use crate::error::{DataError, MetricProblem};
use ndarray::Array2;

/// How often a row of class `i` was predicted to be of class `j`: `[classes, classes]`, labels down,
/// predictions across.
///
/// Errors if there is not one prediction per label, or none, and if a label or a prediction is not below
/// `classes`.
///
/// ```
/// use surprisal_data::metrics::confusion_matrix;
///
/// let counts = confusion_matrix(&[2, 0, 2, 2, 0, 1], &[0, 0, 2, 2, 0, 2], 3)?;
/// assert_eq!(counts, ndarray::array![[2, 0, 0], [0, 0, 1], [1, 0, 2]]);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn confusion_matrix(
    labels: &[usize],
    predicted: &[usize],
    classes: usize,
) -> Result<Array2<usize>, DataError> {
    counts("confusion_matrix", labels, predicted, classes)
}

/// Of the rows of each class, the share that was predicted to be of it; `None` for a class without rows.
///
/// scikit-learn's `average=None`; their mean is the balanced accuracy.
///
/// Errors as [`confusion_matrix`] does.
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
    let counts = counts("recall_score", labels, predicted, classes)?;
    let recall = |(class, row): (usize, ndarray::ArrayView1<'_, usize>)| match row.sum() {
        0 => None,
        rows => Some(row[class] as f64 / rows as f64),
    };
    Ok(counts.rows().into_iter().enumerate().map(recall).collect())
}

fn counts(
    metric: &'static str,
    labels: &[usize],
    predicted: &[usize],
    classes: usize,
) -> Result<Array2<usize>, DataError> {
    check_count(metric, "prediction", predicted.len(), labels.len())?;
    check_classes(metric, "label", labels, classes)?;
    check_classes(metric, "prediction", predicted, classes)?;
    let mut counts = Array2::zeros((classes, classes));
    for (&label, &prediction) in labels.iter().zip(predicted) {
        counts[[label, prediction]] += 1;
    }
    Ok(counts)
}

/// Three measures of a yes/no answer, each from 0 to 1: see [`precision_recall_f1`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrecisionRecallF1 {
    /// Of the rows with the answer yes, the share of class 1.
    pub precision: f64,
    /// Of the rows of class 1, the share with the answer yes.
    pub recall: f64,
    /// The harmonic mean of the two.
    pub f1: f64,
}

/// How good the answer is that says yes, class 1, from `threshold` up.
///
/// With `tp` rows of class 1 and `fp` of class 0 answered yes, and `fn` of class 1 answered no: precision
/// `tp / (tp + fp)`, recall `tp / (tp + fn)`, F1 `2 tp / (2 tp + fp + fn)`. Where nothing scores as much as
/// the threshold, all three are 0: the precision by scikit-learn's convention (`zero_division=0`).
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
    let counts = counts(METRIC, labels, &predicted, 2)?;
    let (right, found, there) = (counts[[1, 1]] as f64, counts.column(1).sum(), counts.row(1).sum());
    Ok(PrecisionRecallF1 {
        precision: right / found.max(1) as f64,
        recall: right / there as f64,
        f1: 2.0 * right / (found + there) as f64,
    })
}
