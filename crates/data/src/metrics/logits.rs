//! [`LabeledLogits`]: the metrics of logits, without the detour over probabilities.

use super::{Metric, check_classes, check_count, fail};
use crate::error::DataError;
use crate::metrics::error::MetricProblem;
use ndarray::ArrayView2;

/// Rows with labels and logits, reduced to what metrics need: four numbers for each row, for any number of
/// classes.
///
/// A probability rounds to 1 where the logit is above 37 (17 in single precision), and to 0 below -745: rows beyond that are ties
/// for `roc_auc`, and `log_loss` is infinite or 0. Logits have no such end. Rows come block by block, so that the whole matrix
/// `[rows, classes]` is never needed.
///
/// ```
/// use ndarray::array;
/// use surprisal_data::metrics::{LabeledLogits, Metric};
///
/// // one logit: "yes" is class 1. All three probabilities of class 1 round to 1.
/// let mut rows = LabeledLogits::new(2);
/// rows.extend(&[0, 1], array![[50.0], [70.0]].view())?;
/// rows.extend(&[1], array![[60.0]].view())?;
/// assert_eq!(rows.metric(Metric::RocAuc)?, 1.0);
/// assert_eq!(rows.metric(Metric::LogLoss)?, 50.0 / 3.0); // the surprise at row 0 is 50
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LabeledLogits {
    pub(super) classes: usize,
    pub(super) labels: Vec<usize>,
    pub(super) predicted: Vec<usize>,
    pub(super) before: Vec<usize>, // how many classes come before the label when they are sorted by logit
    pub(super) surprises: Vec<f64>, // -ln p of the label
    pub(super) scores: Vec<f64>,   // of two classes: the log-odds of class 1
}

impl LabeledLogits {
    /// No rows yet, of this many classes.
    pub fn new(classes: usize) -> LabeledLogits {
        let (labels, predicted, before) = (Vec::new(), Vec::new(), Vec::new());
        LabeledLogits { classes, labels, predicted, before, surprises: Vec::new(), scores: Vec::new() }
    }

    /// Takes the memory for further rows at once.
    pub fn reserve(&mut self, rows: usize) {
        let of_indices = [&mut self.labels, &mut self.predicted, &mut self.before];
        of_indices.into_iter().for_each(|all| all.reserve_exact(rows));
        [&mut self.surprises, &mut self.scores].into_iter().for_each(|all| all.reserve_exact(rows));
    }

    /// More rows: `logits` are `[rows, classes]`, or `[rows, 1]` for the log-odds of class 1 of two.
    ///
    /// Errors if there is not one row per label, if a label is not below the number of classes, and if a logit is not finite.
    ///
    /// # Panics
    /// If there are as many columns as neither 1 (of two classes) nor the number of classes.
    pub fn extend(&mut self, labels: &[usize], logits: ArrayView2<'_, f64>) -> Result<(), DataError> {
        const METRIC: &str = "logits";
        let (classes, columns) = (self.classes, logits.ncols());
        assert!(
            columns == classes || (columns, classes) == (1, 2),
            "{columns} columns of logits for {classes} classes"
        );
        if !labels.is_empty() || logits.nrows() > 0 {
            check_count(METRIC, "row of logits", logits.nrows(), labels.len())?;
        }
        check_classes(METRIC, "label", labels, classes)?;
        if let Some(((row, _), &score)) = logits.indexed_iter().find(|(_, z)| !z.is_finite()) {
            return fail(METRIC, MetricProblem::NotFinite { row: self.labels.len() + row, score });
        }
        for (&label, z) in labels.iter().zip(logits.rows()) {
            let (predicted, before, surprise, score) = match columns {
                1 => {
                    let (z, predicted) = (z[0], usize::from(z[0] > 0.0));
                    let against = if label == 1 { -z } else { z };
                    (predicted, usize::from(predicted != label), softplus(against), z)
                }
                _ => {
                    let best = (0..classes).fold(0, |best, k| if z[k] > z[best] { k } else { best });
                    let own = z[label];
                    let before = (0..classes).filter(|&k| z[k] > own || (z[k] == own && k < label)).count();
                    let rest: f64 = (0..classes).filter(|&k| k != best).map(|k| (z[k] - z[best]).exp()).sum();
                    let score = if classes == 2 { z[1] - z[0] } else { f64::NAN };
                    (best, before, (z[best] - own) + rest.ln_1p(), score)
                }
            };
            self.labels.push(label);
            self.predicted.push(predicted);
            self.before.push(before);
            self.surprises.push(surprise);
            self.scores.push(score);
        }
        Ok(())
    }

    /// The predicted class of each row: the one with the largest logit, the first of equals.
    pub fn predicted(&self) -> &[usize] {
        &self.predicted
    }

    /// The true class of each row.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// A metric of all rows so far; it is defined as for [`Metric::of_classes`], with probabilities by a softmax over the logits, or by
    /// a sigmoid of the only one.
    ///
    /// Errors if the metric is for regression, if there are no rows, and as its function does.
    pub fn metric(&self, metric: Metric) -> Result<f64, DataError> {
        metric.of_logits(self)
    }
}

/// `ln(1 + e^x)`
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use ndarray::{Array2, array};

    #[test]
    fn every_metric_is_that_of_the_probabilities_where_these_have_room() {
        let labels = [0, 2, 1, 1, 0, 2];
        let logits = Array2::from_shape_fn((6, 3), |(row, k)| ((3 * row + k) as f64 * 1.7).sin() * 4.0);
        let probabilities = Array2::from_shape_fn((6, 3), |(row, k)| {
            logits[[row, k]].exp() / logits.row(row).iter().map(|z| z.exp()).sum::<f64>()
        });
        let mut rows = LabeledLogits::new(3);
        let (first, rest) = logits.view().split_at(ndarray::Axis(0), 2);
        rows.extend(&labels[..2], first).unwrap();
        rows.extend(&labels[2..], rest).unwrap();
        for metric in Metric::all().filter(|metric| metric.for_so_many(3)) {
            let (expected, found) =
                (metric.of_classes(&labels, probabilities.view()).unwrap(), rows.metric(metric).unwrap());
            assert!((expected - found).abs() < 1e-14, "{metric}: {expected} and {found}");
        }
    }

    #[test]
    fn one_logit_two_logits_and_probabilities_agree() {
        let (labels, z) = ([0, 1, 1, 0, 1], [-2.0_f64, 0.5, -0.25, 0.0, 3.0]);
        let one = Array2::from_shape_fn((5, 1), |(row, _)| z[row]);
        let two = Array2::from_shape_fn((5, 2), |(row, k)| if k == 1 { z[row] } else { 0.0 });
        let p = Array2::from_shape_fn((5, 2), |(row, k)| {
            1.0 / (1.0 + (if k == 1 { -z[row] } else { z[row] }).exp())
        });
        for metric in Metric::all().filter(|metric| metric.for_so_many(2)) {
            let expected = metric.of_classes(&labels, p.view()).unwrap();
            for logits in [&one, &two] {
                let mut rows = LabeledLogits::new(2);
                rows.extend(&labels, logits.view()).unwrap();
                assert!((rows.metric(metric).unwrap() - expected).abs() < 1e-14, "{metric}");
            }
        }
    }

    #[test]
    fn rows_whose_probabilities_round_to_0_or_1_keep_their_order_and_their_surprise() {
        let mut rows = LabeledLogits::new(2);
        rows.extend(&[0, 1, 1], array![[900.0, 0.0], [0.0, 800.0], [-800.0, 900.0]].view()).unwrap();
        assert_eq!(rows.metric(Metric::RocAuc).unwrap(), 1.0);
        assert_eq!(rows.metric(Metric::LogLoss).unwrap(), 0.0);
        rows.extend(&[1], array![[1000.0, 0.0]].view()).unwrap();
        assert_eq!(rows.metric(Metric::LogLoss).unwrap(), 250.0);
        assert_eq!(rows.metric(Metric::RocAuc).unwrap(), 2.0 / 3.0);
    }

    #[test]
    fn what_is_not_finite_is_refused_with_its_row() {
        let mut rows = LabeledLogits::new(2);
        rows.extend(&[0], array![[1.0]].view()).unwrap();
        let error = rows.extend(&[0, 1], array![[1.0], [f64::NAN]].view()).unwrap_err();
        let ErrorKind::Metric(error) = error.kind() else { panic!("{error}") };
        assert!(matches!(error.problem, MetricProblem::NotFinite { row: 2, .. }), "{error:?}");
        assert!(LabeledLogits::new(2).metric(Metric::Accuracy).is_err());
        assert!(rows.metric(Metric::R2).is_err());
    }
}
