//! Calibration of probabilities: [`brier_score_loss`], [`calibration`], [`top_label_calibration`].

use super::{check_probabilities, check_probability_rows, fail};
use crate::error::DataError;
use crate::labels::argmax_rows;
use crate::metrics::error::MetricProblem;
use ndarray::ArrayView2;

/// The mean squared distance from the probability of class 1 to the label, from 0 to 1; smaller is better.
///
/// Errors if there is not one probability per label, or none, if a label is not 0 or 1, and if a probability
/// is not from 0 to 1.
///
/// Source: G. Brier (1950), "Verification of forecasts expressed in terms of probability", Monthly Weather
/// Review 78, 1-3.
///
/// ```
/// use surprisal_data::metrics::brier_score_loss;
///
/// assert_eq!(brier_score_loss(&[0, 1, 1], &[0.5, 1.0, 0.75])?, (0.25 + 0.0 + 0.0625) / 3.0);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn brier_score_loss(labels: &[usize], probabilities: &[f64]) -> Result<f64, DataError> {
    check_probabilities("brier_score_loss", "probability", labels, probabilities)?;
    Ok(mean_square(labels, probabilities))
}

fn mean_square(labels: &[usize], probabilities: &[f64]) -> f64 {
    let square = |(p, &label): (&f64, &usize)| (p - label as f64).powi(2);
    probabilities.iter().zip(labels).map(square).sum::<f64>() / labels.len() as f64
}

/// The difference between confidence and accuracy: see [`calibration`].
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// The bins that hold rows, from low confidence to high: a reliability diagram.
    pub bins: Vec<CalibrationBin>,
    /// Expected calibration error, from 0 to 1: the mean over rows of `|accuracy - confidence|` of their bin.
    pub ece: f64,
    /// Maximum calibration error, from 0 to 1: the largest `|accuracy - confidence|` of a bin.
    pub mce: f64,
    /// The mean squared distance from the confidence to 1 where the answer is right, to 0 where it is wrong.
    pub brier: f64,
}

/// The rows whose confidence lies in `(lo, hi]`; the first bin also takes 0.
///
/// See the example of [`calibration`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// The place among all bins, those without rows included; counts from 0.
    pub index: usize,
    /// The lower edge, `index / bins`.
    pub lo: f64,
    /// The upper edge, `(index + 1) / bins`.
    pub hi: f64,
    /// The number of rows.
    pub count: usize,
    /// The fraction of rows whose prediction is right.
    pub accuracy: f64,
    /// The mean confidence.
    pub confidence: f64,
}

/// More bins than this are a mistake, not a diagram.
pub(crate) const MOST_BINS: usize = 10_000;

/// Compares confidence with accuracy, in `bins` bins of equal width.
///
/// `correct` is 1 where the prediction is right and 0 where it is wrong. For binary classification, give the
/// probability of class 1 and the label; of several classes, see [`top_label_calibration`]. A confidence that
/// is written like an edge, 0.3 of 10 bins, lies in the bin below.
///
/// Errors if there is not one confidence per answer, or none, if `correct` holds anything but 0 and 1, if a
/// confidence is not from 0 to 1, and if `bins` is not from 1 to 10,000.
///
/// Source: M. Naeini, G. Cooper, M. Hauskrecht (2015), "Obtaining well calibrated probabilities using
/// Bayesian binning", AAAI.
///
/// ```
/// use surprisal_data::metrics::calibration;
///
/// let found = calibration(&[1, 1, 1, 0, 0], &[0.75, 1.0, 1.0, 1.0, 0.125], 2)?;
/// assert_eq!(found.bins.len(), 2); // (0, 0.5] with one row, (0.5, 1] with four
/// assert_eq!((found.bins[1].count, found.bins[1].accuracy), (4, 0.75));
/// assert_eq!(found.bins[1].confidence, 0.9375);
/// assert_eq!(found.ece, (1.0 * 0.125 + 4.0 * 0.1875) / 5.0);
/// assert_eq!(found.mce, 0.1875);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn calibration(correct: &[usize], confidence: &[f64], bins: usize) -> Result<Calibration, DataError> {
    const METRIC: &str = "calibration";
    check_probabilities(METRIC, "confidence", correct, confidence)?;
    binned(METRIC, correct, confidence, bins)
}

/// [`calibration`] of several classes: the confidence is the largest probability of a row, and the answer is
/// right if it is the label's. Of equals, the first counts.
///
/// `probabilities` are `[rows, classes]`. Rows need not sum to 1: a sigmoid for each class will do.
///
/// Errors if there is not one row per label, or none, if a label is not below the number of classes, if a
/// probability is not from 0 to 1, and if `bins` is not from 1 to 10,000.
///
/// Source: C. Guo, G. Pleiss, Y. Sun, K. Weinberger (2017), "On calibration of modern neural networks", ICML.
///
/// ```
/// use surprisal_data::metrics::top_label_calibration;
///
/// let probabilities = ndarray::array![[0.125, 0.75, 0.125], [0.5, 0.25, 0.25]];
/// let found = top_label_calibration(&[1, 2], probabilities.view(), 10)?;
/// assert_eq!(found.ece, (0.25 + 0.5) / 2.0);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn top_label_calibration(
    labels: &[usize],
    probabilities: ArrayView2<'_, f64>,
    bins: usize,
) -> Result<Calibration, DataError> {
    const METRIC: &str = "top_label_calibration";
    check_probability_rows(METRIC, labels, probabilities)?;
    let predicted = argmax_rows(&probabilities);
    let confidence: Vec<f64> =
        predicted.iter().enumerate().map(|(row, &class)| probabilities[[row, class]]).collect();
    let correct: Vec<usize> =
        predicted.iter().zip(labels).map(|(class, label)| usize::from(class == label)).collect();
    binned(METRIC, &correct, &confidence, bins)
}

fn binned(
    metric: &'static str,
    correct: &[usize],
    confidence: &[f64],
    bins: usize,
) -> Result<Calibration, DataError> {
    if bins == 0 || bins > MOST_BINS {
        return fail(metric, MetricProblem::Bins { found: bins });
    }
    // the quotient is the number nearest to the edge, so that 0.07 and the edge 7/100 are the same number
    let edges: Vec<f64> = (0..=bins).map(|edge| edge as f64 / bins as f64).collect();
    let mut sums = vec![(0, 0, 0.0); bins]; // rows, right answers, confidence
    for (&confidence, &correct) in confidence.iter().zip(correct) {
        let sum = &mut sums[edges[1..].partition_point(|&hi| hi < confidence)];
        *sum = (sum.0 + 1, sum.1 + correct, sum.2 + confidence);
    }
    let bin = |(index, &(count, right, confidence)): (usize, &(usize, usize, f64))| CalibrationBin {
        index,
        lo: edges[index],
        hi: edges[index + 1],
        count,
        accuracy: right as f64 / count as f64,
        confidence: confidence / count as f64,
    };
    let bins: Vec<CalibrationBin> =
        sums.iter().enumerate().filter(|(_, (count, ..))| *count > 0).map(bin).collect();
    let gap = |bin: &CalibrationBin| (bin.accuracy - bin.confidence).abs();
    let rows = confidence.len() as f64;
    Ok(Calibration {
        ece: bins.iter().map(|bin| bin.count as f64 * gap(bin)).sum::<f64>() / rows,
        mce: bins.iter().map(gap).fold(0.0, f64::max),
        brier: mean_square(correct, confidence),
        bins,
    })
}
