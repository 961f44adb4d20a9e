//! [`stratified_split`]: one part to train on, one part to test on.

use crate::dataset::Dataset;
use crate::error::{DataError, ErrorKind};
use rand::Rng;
use rand::seq::SliceRandom;

/// Splits a set into `(train, test)`, every class in the same proportion.
///
/// Of a class of `n` rows, `n * test_fraction` go to the test part, rounded to a whole row, but at least one
/// and at most `n - 1`: no class is missing on either side. Which rows go is drawn from the generator, and
/// from nothing else: the same seed gives the same split. Both parts keep the order of the set;
/// [`Batches`](crate::Batches) shuffles.
///
/// Errors if the fraction is not strictly between 0 and 1, if a class has a single row, and if the set fails
/// [`Dataset::check`].
///
/// ```
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha8Rng;
/// use surprisal_data::{Dataset, stratified_split};
///
/// let (train, test) = stratified_split(&Dataset::iris(), 0.3, &mut ChaCha8Rng::seed_from_u64(1))?;
/// assert_eq!(train.class_counts(), [35, 35, 35]);
/// assert_eq!(test.class_counts(), [15, 15, 15]);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn stratified_split(
    dataset: &Dataset,
    test_fraction: f64,
    rng: &mut (impl Rng + ?Sized),
) -> Result<(Dataset, Dataset), DataError> {
    // written so that NaN fails it
    if !(test_fraction > 0.0 && test_fraction < 1.0) {
        return Err(ErrorKind::TestFraction { fraction: test_fraction }.into());
    }
    dataset.check()?;

    let mut is_test = vec![false; dataset.rows()];
    for (mut members, class) in dataset.rows_by_class().into_iter().zip(&dataset.class_names) {
        match members.len() {
            0 => continue, // a class of other data, kept in the names
            1 => {
                let (dataset, class) = (dataset.name.clone(), class.clone());
                return Err(ErrorKind::LonelyClass { dataset, class }.into());
            }
            n => {
                members.shuffle(rng);
                let tests = ((n as f64 * test_fraction).round() as usize).clamp(1, n - 1);
                members[..tests].iter().for_each(|&row| is_test[row] = true);
            }
        }
    }
    let (test, train): (Vec<usize>, Vec<usize>) = (0..dataset.rows()).partition(|&row| is_test[row]);
    Ok((dataset.select(&train), dataset.select(&test)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// Classes of the given sizes, taking turns; the only feature of a row is its number.
    fn numbered(sizes: &[usize]) -> Dataset {
        let longest = sizes.iter().copied().max().unwrap_or(0);
        let labels: Vec<usize> =
            (0..longest).flat_map(|turn| (0..sizes.len()).filter(move |&k| turn < sizes[k])).collect();
        Dataset {
            name: "numbered".to_owned(),
            features: Array2::from_shape_fn((labels.len(), 1), |(row, _)| row as f64),
            labels,
            class_names: (0..sizes.len()).map(|k| format!("class {k}")).collect(),
            feature_names: vec!["row".to_owned()],
        }
    }

    fn split(set: &Dataset, fraction: f64, seed: u64) -> (Dataset, Dataset) {
        stratified_split(set, fraction, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap()
    }

    #[test]
    fn parts_are_disjoint_complete_in_order_and_keep_each_rows_label() {
        let set = numbered(&[50, 7, 20]);
        for seed in 0..20 {
            let (train, test) = split(&set, 0.3, seed);
            let rows = |part: &Dataset| part.features.column(0).to_vec();
            assert!(rows(&train).is_sorted() && rows(&test).is_sorted());
            let mut all = [rows(&train), rows(&test)].concat();
            all.sort_by(f64::total_cmp);
            assert_eq!(all, rows(&set));
            for part in [&train, &test] {
                let labels: Vec<usize> = rows(part).iter().map(|&row| set.labels[row as usize]).collect();
                assert_eq!(part.labels, labels);
            }
        }
    }

    #[test]
    fn every_class_is_split_in_proportion() {
        let set = numbered(&[100, 40, 10]);
        for (fraction, expected) in
            [(0.2, [20, 8, 2]), (0.25, [25, 10, 3]), (0.5, [50, 20, 5]), (0.9, [90, 36, 9])]
        {
            let (train, test) = split(&set, fraction, 3);
            assert_eq!(test.class_counts(), expected, "{fraction}");
            assert_eq!(train.rows() + test.rows(), 150);
        }
    }

    #[test]
    fn every_class_is_on_both_sides_however_extreme_the_fraction() {
        for fraction in [1e-9, 0.01, 0.99, 1.0 - 1e-9] {
            let (train, test) = split(&numbered(&[2, 3, 30]), fraction, 5);
            assert!(train.class_counts().iter().all(|&n| n >= 1), "{fraction}");
            assert!(test.class_counts().iter().all(|&n| n >= 1), "{fraction}");
        }
    }

    #[test]
    fn same_seed_same_split_other_seed_other_split() {
        let set = numbered(&[50, 50]);
        assert_eq!(split(&set, 0.2, 11), split(&set, 0.2, 11));
        assert_ne!(split(&set, 0.2, 11), split(&set, 0.2, 12));
    }

    #[test]
    fn every_row_has_the_same_chance_of_being_tested() {
        let set = numbered(&[10, 5]);
        let mut tested = [0; 15];
        for seed in 0..2000 {
            split(&set, 0.2, seed).1.features.iter().for_each(|&row| tested[row as usize] += 1);
        }
        // expected 400 of 2000 each, standard deviation 18
        assert!(tested.iter().all(|count| (310..490).contains(count)), "{tested:?}");
    }

    #[test]
    fn a_class_without_rows_does_not_stop_a_split() {
        let (train, test) = split(&numbered(&[4, 0, 4]), 0.5, 1);
        assert_eq!((train.class_counts(), test.class_counts()), (vec![2, 0, 2], vec![2, 0, 2]));
    }
}
