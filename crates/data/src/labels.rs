//! Class indices and one-hot targets: [`one_hot`], the [`argmax_rows`] of scores, and their
//! [`accuracy`].

use crate::error::{DataError, ErrorKind};
use crate::metrics::check_count;
use ndarray::{Array2, ArrayBase, ArrayView1, Data, Dimension};

/// One-hot targets, `[labels, classes]`: row `i` has its 1 in column `labels[i]`.
///
/// Errors if a label is not below `classes`.
///
/// ```
/// use surprisal_data::one_hot;
///
/// assert_eq!(one_hot(&[2, 0], 3)?, ndarray::array![[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn one_hot(labels: &[usize], classes: usize) -> Result<Array2<f64>, DataError> {
    let mut targets = Array2::zeros((labels.len(), classes));
    for (row, &label) in labels.iter().enumerate() {
        *targets.get_mut((row, label)).ok_or(ErrorKind::LabelRange {
            by: "one_hot",
            row,
            label,
            classes,
        })? = 1.0;
    }
    Ok(targets)
}

/// The index of the largest value in every row of `scores`, where a row is the last axis: of `[rows, columns]`, a column for each row; of
/// equals, the first. Axes before the last are rows too, in their order.
///
/// NaN loses to every number; a row of NaN only gives 0. If that must not count as a prediction,
/// there is [`Metric::of_classes`](crate::metrics::Metric::of_classes): it refuses NaN.
///
/// # Panics
/// If there are rows but no columns, and for a single number, which has no axis.
///
/// ```
/// use surprisal_data::argmax_rows;
///
/// let scores = ndarray::array![[0.1, 0.7, 0.2], [0.5, 0.5, 0.0], [f64::NAN, -1.0, f64::NAN]];
/// assert_eq!(argmax_rows(&scores), [1, 0, 1]);
/// assert_eq!(argmax_rows(&scores.row(0)), [1]);
/// ```
#[track_caller]
pub fn argmax_rows<T, S, D>(scores: &ArrayBase<S, D>) -> Vec<usize>
where
    T: PartialOrd + Copy,
    S: Data<Elem = T>,
    D: Dimension,
{
    let Some(&columns) = scores.shape().last() else {
        panic!("argmax_rows: a single number has no rows");
    };
    let rows: usize = scores.shape()[..scores.ndim() - 1].iter().product();
    assert!(rows == 0 || columns > 0, "argmax_rows: {rows} rows of 0 columns have no largest value");
    let is_nan = |value: T| value.partial_cmp(&value).is_none();
    let argmax = |row: ArrayView1<'_, T>| {
        (1..columns).fold(0, |best, column| {
            let better = row[column] > row[best] || (is_nan(row[best]) && !is_nan(row[column]));
            if better { column } else { best }
        })
    };
    scores.rows().into_iter().map(argmax).collect()
}

/// The fraction of rows whose predicted class is the label, from 0 to 1.
///
/// Errors if there is not one prediction per label, or none at all.
///
/// ```
/// use surprisal_data::accuracy;
///
/// assert_eq!(accuracy(&[0, 1, 1, 2], &[0, 1, 2, 2])?, 0.75);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn accuracy(labels: &[usize], predicted: &[usize]) -> Result<f64, DataError> {
    check_count("accuracy", "prediction", predicted.len(), labels.len())?;
    let correct = labels.iter().zip(predicted).filter(|(label, predicted)| label == predicted).count();
    Ok(correct as f64 / labels.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn one_hot_and_argmax_undo_each_other() {
        let labels = [3, 0, 1, 1, 2];
        let targets = one_hot(&labels, 5).unwrap();
        assert_eq!(targets.dim(), (5, 5));
        assert_eq!(targets.sum(), 5.0);
        assert_eq!(argmax_rows(&targets), labels);
    }

    #[test]
    fn argmax_takes_the_first_of_equals_and_passes_over_nan() {
        let (nan, inf) = (f32::NAN, f32::INFINITY);
        let scores = array![
            [1.0, 1.0, 1.0],
            [0.0, 2.0, 2.0],
            [-0.0, 0.0, -1.0],
            [nan, -inf, nan],
            [1.0, nan, 2.0],
            [2.0, nan, 1.0],
            [nan, nan, nan],
            [-inf, -3.0, -2.0],
        ];
        assert_eq!(argmax_rows(&scores), [0, 1, 0, 1, 2, 0, 0, 2]);
    }

    #[test]
    fn argmax_reads_integers_and_transposed_views() {
        let scores = array![[1, 9], [5, 2], [3, 4]];
        assert_eq!(argmax_rows(&scores), [1, 0, 1]);
        assert_eq!(argmax_rows(&scores.t()), [1, 0]);
        assert!(argmax_rows(&Array2::<f64>::zeros((0, 0))).is_empty());
    }

    #[test]
    fn argmax_takes_any_rank_by_its_last_axis() {
        let scores = array![[[1.0, 9.0], [5.0, 2.0]], [[3.0, 4.0], [0.0, -1.0]]];
        assert_eq!(argmax_rows(&scores), [1, 0, 1, 0]);
        assert_eq!(argmax_rows(&scores.into_dyn()), [1, 0, 1, 0]);
        assert_eq!(argmax_rows(&array![1.0, 3.0, 2.0]), [1]);
    }

    #[test]
    fn accuracy_counts_rows_not_classes() {
        assert_eq!(accuracy(&[1, 1, 1], &[1, 1, 1]).unwrap(), 1.0);
        assert_eq!(accuracy(&[0, 1, 2], &[1, 2, 0]).unwrap(), 0.0);
        assert_eq!(accuracy(&[0, 0, 0, 0, 9], &[0, 0, 0, 0, 0]).unwrap(), 0.8);
    }
}
