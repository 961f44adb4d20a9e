//! Metrics beyond [`accuracy`](crate::accuracy): rankings, rare classes, calibration of probabilities, and
//! regression.
//!
//! | file | what it holds |
//! |---|---|
//! | `curves.rs` | [`roc_curve`], [`precision_recall_curve`], and the area below each: scores |
//! | `confusion.rs` | [`confusion_matrix`]: predicted classes |
//! | `by_class.rs` | [`precision_recall_fscore_support`], [`recall_score`], [`overlap`], [`matthews_corrcoef`]: class by class |
//! | `several_classes.rs` | [`top_k_accuracy_score`], [`log_loss`]: scores of several classes |
//! | `calibration.rs` | [`brier_score_loss`], [`calibration`], [`top_label_calibration`]: probabilities |
//! | `regression.rs` | [`mean_squared_error`], [`mean_absolute_error`], [`r2_score`]: numbers |
//! | `logits.rs` | [`LabeledLogits`]: all of these from logits, whose probabilities may round to 0 or 1 |
//! | `metric.rs` | [`Metric`]: one of these by name, for a report or for early stopping |
//! | `report.rs` | [`ClassificationReport`], [`ConfusionTable`]: as text, with the names of the classes |
//!
//! Names, definitions and values are scikit-learn's. In binary classification, class 1 is the positive class.
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

pub(crate) mod error;

mod by_class;
mod calibration;
mod confusion;
mod curves;
mod logits;
mod metric;
mod regression;
mod report;
mod several_classes;

pub use by_class::*;
pub(crate) use calibration::MOST_BINS;
pub use calibration::{Calibration, CalibrationBin, brier_score_loss, calibration, top_label_calibration};
pub use confusion::confusion_matrix;
pub use curves::*;
pub use logits::LabeledLogits;
pub use metric::Metric;
pub(crate) use regression::LARGEST;
pub use regression::*;
pub use report::{ClassificationReport, ConfusionTable};
pub use several_classes::*;

use crate::error::DataError;
use crate::metrics::error::{MetricError, MetricProblem};
use ndarray::ArrayView2;

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
    check_count_of(metric, what, found, "label", labels)
}

/// One answer per label or target (`of`), and at least one.
fn check_count_of(
    metric: &'static str,
    what: &'static str,
    found: usize,
    of: &'static str,
    expected: usize,
) -> Result<(), DataError> {
    match found {
        _ if found != expected => fail(metric, MetricProblem::Count { what, found, of, expected }),
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
    labels: &[usize],
    probabilities: &[f64],
) -> Result<(), DataError> {
    check_count(metric, what, probabilities.len(), labels.len())?;
    check_classes(metric, "label", labels, 2)?;
    match probabilities.iter().position(|p| !is_probability(p)) {
        Some(row) => fail(metric, MetricProblem::NotAProbability { row, found: probabilities[row] }),
        None => Ok(()),
    }
}

/// A row of probabilities of all classes per label.
fn check_probability_rows(
    metric: &'static str,
    labels: &[usize],
    probabilities: ArrayView2<'_, f64>,
) -> Result<(), DataError> {
    check_count(metric, "row of probabilities", probabilities.nrows(), labels.len())?;
    check_classes(metric, "label", labels, probabilities.ncols())?;
    match probabilities.indexed_iter().find(|(_, p)| !is_probability(p)) {
        Some(((row, _), &found)) => fail(metric, MetricProblem::NotAProbability { row, found }),
        None => Ok(()),
    }
}

/// NaN is none.
fn is_probability(p: &f64) -> bool {
    (0.0..=1.0).contains(p)
}
