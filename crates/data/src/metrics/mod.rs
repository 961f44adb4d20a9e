//! How good answers are, where the [`accuracy`](crate::accuracy) does not tell: rankings, classes that are
//! rare, and whether a probability is one.
//!
//! | file | what it holds |
//! |---|---|
//! | `curves.rs` | [`roc_curve`], [`precision_recall_curve`], and the area below each: scores |
//! | `confusion.rs` | [`confusion_matrix`], [`recall_score`], [`precision_recall_f1`]: predicted classes |
//! | `calibration.rs` | [`brier_score_loss`], [`calibration`], [`top_label_calibration`]: probabilities |
//!
//! Names, definitions and values are scikit-learn's. Of a yes/no question, class 1 is what is looked for.
//! Counts are whole numbers until the last division.
//!
//! ```
//! use surprisal_data::metrics::{average_precision_score, roc_auc_score};
//!
//! let labels = [0, 0, 1, 1];
//! let scores = [0.1, 0.4, 0.35, 0.8];
//! assert_eq!(roc_auc_score(&labels, &scores)?, 0.75); // 3 of 4 pairs are in order
//! assert_eq!(average_precision_score(&labels, &scores)?, 0.5 * 1.0 + 0.5 * (2.0 / 3.0));
//! # Ok::<(), surprisal_data::DataError>(())
//! ```

mod calibration;
mod confusion;
mod curves;

pub(crate) use calibration::MOST_BINS;
pub use calibration::{Calibration, CalibrationBin, brier_score_loss, calibration, top_label_calibration};
pub use confusion::{PrecisionRecallF1, confusion_matrix, precision_recall_f1, recall_score};
pub use curves::{
    PrecisionRecallCurve, RocCurve, average_precision_score, precision_recall_curve, roc_auc_score, roc_curve,
};

use crate::error::{DataError, MetricError, MetricProblem};

fn fail<T>(metric: &'static str, problem: MetricProblem) -> Result<T, DataError> {
    Err(MetricError { metric, problem }.into())
}

/// One answer per label, and at least one; `what` is such an answer in one word.
pub(crate) fn check_count(
    metric: &'static str,
    what: &'static str,
    found: usize,
    labels: usize,
) -> Result<(), DataError> {
    match found {
        _ if found != labels => fail(metric, MetricProblem::Count { what, found, labels }),
        0 => fail(metric, MetricProblem::Nothing { what }),
        _ => Ok(()),
    }
}

/// Every label (or prediction: `what`) is the number of a class.
fn check_classes(
    metric: &'static str,
    what: &'static str,
    labels: &[usize],
    classes: usize,
) -> Result<(), DataError> {
    match labels.iter().position(|&label| label >= classes) {
        Some(row) => fail(metric, MetricProblem::Label { what, row, label: labels[row], classes }),
        None => Ok(()),
    }
}

/// Finite scores, one per label, of rows of class 0 and of class 1.
fn check_scores(metric: &'static str, labels: &[usize], scores: &[f64]) -> Result<(), DataError> {
    check_count(metric, "score", scores.len(), labels.len())?;
    check_classes(metric, "label", labels, 2)?;
    if let Some(row) = scores.iter().position(|score| !score.is_finite()) {
        return fail(metric, MetricProblem::NotFinite { row, score: scores[row] });
    }
    match [0, 1].into_iter().find(|class| !labels.contains(class)) {
        Some(missing) => fail(metric, MetricProblem::OneClass { missing, rows: labels.len() }),
        None => Ok(()),
    }
}

/// Probabilities of 0/1 labels.
fn check_probabilities(
    metric: &'static str,
    what: &'static str,
    probabilities: &[f64],
    labels: &[usize],
) -> Result<(), DataError> {
    check_count(metric, what, probabilities.len(), labels.len())?;
    check_classes(metric, "label", labels, 2)?;
    match probabilities.iter().position(|p| !is_probability(p)) {
        Some(row) => fail(metric, MetricProblem::NotAProbability { row, found: probabilities[row] }),
        None => Ok(()),
    }
}

/// NaN is none.
fn is_probability(p: &f64) -> bool {
    (0.0..=1.0).contains(p)
}
