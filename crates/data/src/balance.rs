//! Classes of unequal size: [`oversampled`] and [`undersampled`] rows, [`balanced_weights`].

use crate::error::{DataError, ErrorKind};
use crate::split::rows_by_label;
use rand::Rng;
use rand::seq::SliceRandom;
use std::collections::BTreeMap;

/// Rows in which every class is as frequent as the most frequent one, in ascending order.
///
/// Every row occurs; the rows of a smaller class occur equally often, up to one. The generator draws which
/// ones occur once more. Use this for training rows only: copies of a row must not be in both training and test
/// set.
///
/// ```
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha8Rng;
/// use surprisal_data::oversampled;
///
/// let rows = oversampled(&[0, 0, 1, 0, 0, 0, 1], &mut ChaCha8Rng::seed_from_u64(7));
/// assert_eq!(rows.len(), 10);
/// assert!(rows.iter().filter(|&&row| row == 2 || row == 6).count() == 5);
/// ```
pub fn oversampled(labels: &[usize], rng: &mut (impl Rng + ?Sized)) -> Vec<usize> {
    let classes = rows_by_label(labels);
    let most = classes.values().map(Vec::len).max().unwrap_or(0);
    resampled(classes, most, rng)
}

/// Rows in which every class with rows is as frequent as the rarest one, in ascending order; drawn from
/// the generator.
///
/// ```
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha8Rng;
/// use surprisal_data::undersampled;
///
/// let rows = undersampled(&[0, 0, 1, 0, 0, 0, 1], &mut ChaCha8Rng::seed_from_u64(7));
/// assert_eq!(rows.len(), 4);
/// assert!(rows.contains(&2) && rows.contains(&6));
/// ```
pub fn undersampled(labels: &[usize], rng: &mut (impl Rng + ?Sized)) -> Vec<usize> {
    let classes = rows_by_label(labels);
    let least = classes.values().map(Vec::len).min().unwrap_or(0);
    resampled(classes, least, rng)
}

/// `n` rows of every class: all of them as often as possible, then some of them once more.
fn resampled(
    classes: BTreeMap<usize, Vec<usize>>,
    count: usize,
    rng: &mut (impl Rng + ?Sized),
) -> Vec<usize> {
    let mut rows = Vec::new();
    for mut members in classes.into_values() {
        members.shuffle(rng);
        rows.extend(members.iter().cycle().take(count));
    }
    rows.sort_unstable();
    rows
}

/// A weight for every class, so that all have the same total weight: `n / (k n_c)`.
///
/// `n` is the number of rows, `k` of classes, `n_c` of the rows of class `c`: the mean weight of all rows is
/// 1. scikit-learn's `compute_class_weight("balanced")`.
///
/// Source: G. King, L. Zeng (2001), "Logistic regression in rare events data", Political Analysis 9 (2),
/// 137-163.
///
/// Errors if a label is not below `classes`, and if a class has no rows, which no weight can balance.
///
/// ```
/// use surprisal_data::balanced_weights;
///
/// assert_eq!(balanced_weights(&[0, 0, 0, 1], 2)?, [4.0 / 6.0, 2.0]);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn balanced_weights(labels: &[usize], classes: usize) -> Result<Vec<f64>, DataError> {
    let by = "balanced_weights";
    if let Some((row, &label)) = labels.iter().enumerate().find(|&(_, &label)| label >= classes) {
        return Err(ErrorKind::LabelRange { by, row, label, classes }.into());
    }
    let members = rows_by_label(labels);
    (0..classes)
        .map(|class| match members.get(&class) {
            Some(rows) => Ok(labels.len() as f64 / (classes as f64 * rows.len() as f64)),
            None => Err(ErrorKind::ClassWithoutRows { by, class }.into()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn every_class_stands_as_often_and_every_row_as_often_as_its_fellows() {
        // class 2 has no rows
        let labels = [[0; 7].as_slice(), &[1; 3], &[3; 10]].concat();
        for seed in 0..10 {
            let rng = &mut ChaCha8Rng::seed_from_u64(seed);
            let (over, under) = (oversampled(&labels, rng), undersampled(&labels, rng));
            let count = |rows: &[usize], class| rows.iter().filter(|&&row| labels[row] == class).count();
            assert_eq!([0, 1, 2, 3].map(|class| count(&over, class)), [10, 10, 0, 10]);
            assert_eq!([0, 1, 2, 3].map(|class| count(&under, class)), [3, 3, 0, 3]);
            assert!(over.is_sorted() && under.is_sorted_by(|a, b| a < b));
            let times = |row| over.iter().filter(|&&r| r == row).count();
            for (row, &label) in labels.iter().enumerate() {
                assert!([[1, 2], [3, 4], [0, 0], [1, 1]][label].contains(&times(row)), "row {row}");
            }
        }
        let rng = &mut ChaCha8Rng::seed_from_u64(0);
        assert!(oversampled(&[], rng).is_empty() && undersampled(&[], rng).is_empty());
    }

    #[test]
    fn rows_differ_from_seed_to_seed() {
        let labels = [[0; 50].as_slice(), &[1; 20]].concat();
        let draw = |seed| {
            let rng = &mut ChaCha8Rng::seed_from_u64(seed);
            (oversampled(&labels, rng), undersampled(&labels, rng))
        };
        assert_eq!(draw(1), draw(1));
        assert!(draw(1).0 != draw(2).0 && draw(1).1 != draw(2).1);
    }
}
