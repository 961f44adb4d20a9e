//! Scores of several classes, `[rows, classes]`: [`top_k_accuracy_score`], [`log_loss`].

use super::{check_classes, check_count, check_probability_rows, fail};
use crate::error::DataError;
use crate::metrics::error::MetricProblem;
use ndarray::{ArrayView1, ArrayView2};

/// The share of rows whose label is among the `k` classes with the highest scores, from 0 to 1.
///
/// `scores` are `[rows, classes]`: logits or probabilities. Of equal scores the first counts as the higher,
/// as in [`argmax_rows`](crate::argmax_rows), so that `k = 1` is the accuracy. (scikit-learn takes the last
/// of several classes and the first of two.)
///
/// Errors if there is not one row per label, or none, if a label is not below the number of classes, if a
/// score is not finite, and if `k` is 0 or not below the number of classes: every row would be right.
///
/// ```
/// use surprisal_data::metrics::top_k_accuracy_score;
///
/// let scores = ndarray::array![[0.5, 0.2, 0.2], [0.3, 0.4, 0.2], [0.2, 0.4, 0.3], [0.7, 0.2, 0.1]];
/// assert_eq!(top_k_accuracy_score(&[0, 1, 2, 2], scores.view(), 1)?, 0.5);
/// assert_eq!(top_k_accuracy_score(&[0, 1, 2, 2], scores.view(), 2)?, 0.75);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn top_k_accuracy_score(
    labels: &[usize],
    scores: ArrayView2<'_, f64>,
    k: usize,
) -> Result<f64, DataError> {
    const METRIC: &str = "top_k_accuracy_score";
    let classes = scores.ncols();
    check_count(METRIC, "row of scores", scores.nrows(), labels.len())?;
    check_classes(METRIC, "label", labels, classes)?;
    if let Some(((row, _), &score)) = scores.indexed_iter().find(|(_, score)| !score.is_finite()) {
        return fail(METRIC, MetricProblem::NotFinite { row, score });
    }
    if k == 0 || k >= classes {
        return fail(METRIC, MetricProblem::TopK { classes, found: k });
    }
    let among = |(scores, label): &(ArrayView1<'_, f64>, &usize)| {
        let before = |&(class, score): &(usize, &f64)| {
            *score > scores[**label] || (*score == scores[**label] && class < **label)
        };
        scores.iter().enumerate().filter(before).count() < k
    };
    let right = scores.rows().into_iter().zip(labels).filter(among).count();
    Ok(right as f64 / labels.len() as f64)
}

/// The mean of `-ln p`, where `p` is the probability that a row gives to its label, from 0 up; smaller is
/// better.
///
/// `probabilities` are `[rows, classes]`. Infinite if a label has the probability 0: scikit-learn clips
/// probabilities at 2e-16, and returns 36 for anything above. If a small probability has rounded to 0,
/// compute the cross-entropy from logits, which is exact.
///
/// Errors if there is not one row per label, or none, if a label is not below the number of classes, if a
/// probability is not from 0 to 1, and if a row does not sum to 1 within 0.001.
///
/// Source: I. J. Good (1952), "Rational decisions", Journal of the Royal Statistical Society B 14, 107-114.
///
/// ```
/// use surprisal_data::metrics::log_loss;
///
/// let probabilities = ndarray::array![[0.75, 0.25], [0.5, 0.5]];
/// assert_eq!(log_loss(&[0, 1], probabilities.view())?, (-0.75_f64.ln() - 0.5_f64.ln()) / 2.0);
/// assert_eq!(log_loss(&[1], ndarray::array![[1.0, 0.0]].view())?, f64::INFINITY);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn log_loss(labels: &[usize], probabilities: ArrayView2<'_, f64>) -> Result<f64, DataError> {
    const METRIC: &str = "log_loss";
    check_probability_rows(METRIC, labels, probabilities)?;
    let sums = probabilities.rows().into_iter().map(|row| row.sum());
    // wide enough for probabilities that were stored in half precision, 11 bits of each
    if let Some((row, sum)) = sums.enumerate().find(|(_, sum)| (sum - 1.0).abs() > 1e-3) {
        return fail(METRIC, MetricProblem::RowSum { row, sum });
    }
    let sum: f64 = labels.iter().enumerate().map(|(row, &label)| probabilities[[row, label]].ln()).sum();
    // not the negative: a sum of 0 gives 0, not -0
    Ok(0.0 - sum / labels.len() as f64)
}
