//! [`roc_curve`] and [`precision_recall_curve`], and the area below each: [`roc_auc_score`],
//! [`average_precision_score`].

use super::check_scores;
use crate::error::DataError;

/// True and false positive rates, threshold by threshold: see [`roc_curve`].
#[derive(Debug, Clone, PartialEq)]
pub struct RocCurve {
    /// The share of class 0 that scores at least the threshold; rises from 0 to 1.
    pub false_positive_rate: Vec<f64>,
    /// The share of class 1 that scores at least the threshold; rises from 0 to 1.
    pub true_positive_rate: Vec<f64>,
    /// Falling, the first infinite: nothing scores as much.
    pub thresholds: Vec<f64>,
}

/// The receiver operating characteristic: both rates for every threshold that makes a corner.
///
/// Rows with the same score are one point. A point in the middle of a straight line between its neighbors is
/// left out, as scikit-learn does by default; the area below is the same.
///
/// Errors if there is not one score per label, or none, if a label is not 0 or 1, if a score is not finite,
/// and if a class has no rows.
///
/// Source: T. Fawcett (2006), "An introduction to ROC analysis", Pattern Recognition Letters 27, 861-874.
///
/// ```
/// use surprisal_data::metrics::roc_curve;
///
/// let curve = roc_curve(&[0, 0, 1, 1], &[0.1, 0.4, 0.35, 0.8])?;
/// assert_eq!(curve.false_positive_rate, [0.0, 0.0, 0.5, 0.5, 1.0]);
/// assert_eq!(curve.true_positive_rate, [0.0, 0.5, 0.5, 1.0, 1.0]);
/// assert_eq!(curve.thresholds, [f64::INFINITY, 0.8, 0.4, 0.35, 0.1]);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn roc_curve(labels: &[usize], scores: &[f64]) -> Result<RocCurve, DataError> {
    let (cuts, positives, negatives) = cuts("roc_curve", labels, scores)?;
    let start = Cut { threshold: f64::INFINITY, positives: 0, negatives: 0 };
    let bends = |near: &&[Cut]| {
        2 * near[1].positives != near[0].positives + near[2].positives
            || 2 * near[1].negatives != near[0].negatives + near[2].negatives
    };
    let corners: Vec<&Cut> = std::iter::once(&start)
        .chain(cuts.first())
        .chain(cuts.windows(3).filter(bends).map(|near| &near[1]))
        .chain(cuts.iter().skip(1).last())
        .collect();
    Ok(RocCurve {
        false_positive_rate: corners.iter().map(|cut| share(cut.negatives, negatives)).collect(),
        true_positive_rate: corners.iter().map(|cut| share(cut.positives, positives)).collect(),
        thresholds: corners.iter().map(|cut| cut.threshold).collect(),
    })
}

/// The area below [`roc_curve`], from 0 to 1: the chance that a row of class 1 scores higher than one of
/// class 0, where a tie counts one half.
///
/// That is Mann and Whitney's U over the number of pairs. Pairs are counted as whole numbers, so that the
/// only rounding is that of the last division. Random scores reach 0.5.
///
/// Errors as [`roc_curve`] does.
///
/// ```
/// use surprisal_data::metrics::roc_auc_score;
///
/// // of the four pairs, one is a tie and one is the wrong way round
/// assert_eq!(roc_auc_score(&[0, 1, 0, 1], &[0.2, 0.2, 0.5, 0.7])?, (0.5 + 0.0 + 1.0 + 1.0) / 4.0);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn roc_auc_score(labels: &[usize], scores: &[f64]) -> Result<f64, DataError> {
    let (mut before, mut twice_area) = ((0, 0), 0);
    let (positives, negatives) = each_cut("roc_auc_score", labels, scores, |cut| {
        twice_area += (cut.negatives - before.1) * (cut.positives + before.0);
        before = (cut.positives, cut.negatives);
    })?;
    Ok(share(twice_area, 2 * positives * negatives))
}

/// Precision and recall, threshold by threshold: see
/// [`precision_recall_curve`].
#[derive(Debug, Clone, PartialEq)]
pub struct PrecisionRecallCurve {
    /// Of the rows that score at least the threshold, the share of class 1; then 1.
    pub precision: Vec<f64>,
    /// Of class 1, the share that scores at least the threshold; falls from 1, and ends with 0.
    pub recall: Vec<f64>,
    /// Every score once, rising; one fewer than the points, for the last point has none.
    pub thresholds: Vec<f64>,
}

/// Precision and recall for every threshold, from the lowest score up, and at the end the point of
/// precision 1 and recall 0.
///
/// Where class 1 is rare, it tells more than [`roc_curve`], whose false positives are a share of many.
///
/// Errors as [`roc_curve`] does.
///
/// ```
/// use surprisal_data::metrics::precision_recall_curve;
///
/// let curve = precision_recall_curve(&[0, 0, 1, 1], &[0.1, 0.4, 0.35, 0.8])?;
/// assert_eq!(curve.precision, [0.5, 2.0 / 3.0, 0.5, 1.0, 1.0]);
/// assert_eq!(curve.recall, [1.0, 1.0, 0.5, 0.5, 0.0]);
/// assert_eq!(curve.thresholds, [0.1, 0.35, 0.4, 0.8]);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn precision_recall_curve(labels: &[usize], scores: &[f64]) -> Result<PrecisionRecallCurve, DataError> {
    let (cuts, positives, _) = cuts("precision_recall_curve", labels, scores)?;
    let rising = || cuts.iter().rev();
    Ok(PrecisionRecallCurve {
        precision: rising().map(Cut::precision).chain([1.0]).collect(),
        recall: rising().map(|cut| share(cut.positives, positives)).chain([0.0]).collect(),
        thresholds: rising().map(|cut| cut.threshold).collect(),
    })
}

/// The mean of the precisions at which class 1 is found, from 0 to 1: the sum over thresholds of
/// `(R_n - R_(n-1)) P_n`, with recall `R` and precision `P`.
///
/// A sum of steps: lines between the points of [`precision_recall_curve`] would be too optimistic. Random scores
/// reach about the share of class 1.
///
/// Errors as [`roc_curve`] does.
///
/// ```
/// use surprisal_data::metrics::average_precision_score;
///
/// // class 1 is found in places 1 and 3
/// let found = average_precision_score(&[1, 0, 1, 0], &[0.9, 0.8, 0.7, 0.1])?;
/// assert_eq!(found, (1.0 / 1.0 + 2.0 / 3.0) / 2.0);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn average_precision_score(labels: &[usize], scores: &[f64]) -> Result<f64, DataError> {
    let (cuts, positives, _) = cuts("average_precision_score", labels, scores)?;
    let (mut before, mut sum) = (0, 0.0);
    for cut in &cuts {
        sum += (cut.positives - before) as f64 * cut.precision();
        before = cut.positives;
    }
    Ok(sum / positives as f64)
}

/// The threshold with the largest F1, which is Dice's coefficient, of predicting class 1 for scores from it up, and this F1; of equals, the
/// highest threshold.
///
/// It is for scores on validation data: on the same data, the F1 at the best threshold is too optimistic.
///
/// Errors as [`roc_curve`] does.
///
/// ```
/// use surprisal_data::metrics::best_f1_threshold;
///
/// let (threshold, f1) = best_f1_threshold(&[0, 1, 0, 1, 1], &[0.1, 0.3, 0.2, 0.4, 0.25])?;
/// assert_eq!((threshold, f1), (0.25, 1.0)); // at 1/2, nothing would be class 1
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn best_f1_threshold(labels: &[usize], scores: &[f64]) -> Result<(f64, f64), DataError> {
    let (cuts, positives, _) = cuts("best_f1_threshold", labels, scores)?;
    let f1 = |cut: &Cut| share(2 * cut.positives, cut.positives + cut.negatives + positives);
    Ok(cuts.iter().fold(
        (f64::INFINITY, 0.0),
        |best, cut| {
            if f1(cut) > best.1 { (cut.threshold, f1(cut)) } else { best }
        },
    ))
}

/// How many rows of either class score at least the threshold.
struct Cut {
    threshold: f64,
    positives: u64,
    negatives: u64,
}

impl Cut {
    fn precision(&self) -> f64 {
        share(self.positives, self.positives + self.negatives)
    }
}

/// One cut per score, from the highest down, and the numbers of all rows of class 1 and of class 0.
fn cuts(metric: &'static str, labels: &[usize], scores: &[f64]) -> Result<(Vec<Cut>, u64, u64), DataError> {
    let mut cuts = Vec::new();
    let (positives, negatives) = each_cut(metric, labels, scores, |cut| cuts.push(cut))?;
    Ok((cuts, positives, negatives))
}

/// Calls `each` with one cut per score, from the highest down; returns the numbers of all rows of class 1 and of class 0.
fn each_cut(
    metric: &'static str,
    labels: &[usize],
    scores: &[f64],
    mut each: impl FnMut(Cut),
) -> Result<(u64, u64), DataError> {
    check_scores(metric, labels, scores)?;
    let mut falling: Vec<(f64, usize)> = scores.iter().copied().zip(labels.iter().copied()).collect();
    falling.sort_unstable_by(|(a, _), (b, _)| b.total_cmp(a));
    let (mut positives, mut negatives) = (0, 0);
    for (at, &(threshold, label)) in falling.iter().enumerate() {
        match label {
            1 => positives += 1,
            _ => negatives += 1,
        }
        // 0 and -0 are a tie too
        if falling.get(at + 1).is_none_or(|(next, _)| *next != threshold) {
            each(Cut { threshold, positives, negatives });
        }
    }
    Ok((positives, negatives))
}

fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
