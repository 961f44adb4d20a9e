//! Training, validation and test sets: [`stratified_split`], [`split_rows`], [`k_fold`].

pub(crate) mod error;

use crate::dataset::Dataset;
use crate::error::{DataError, ErrorKind};
use crate::split::error::{SplitError, SplitProblem};
use rand::Rng;
use rand::seq::SliceRandom;
use std::collections::BTreeMap;

/// Splits a set into `(train, test)`, every class in the same proportion.
///
/// Of a class of `n` rows, `n * test_fraction` go to the test part, rounded to a whole row, but at least one
/// and at most `n - 1`: no class is missing on either side. Where numbers are to be predicted, all rows are
/// one class in this. Which rows go is drawn from the generator, and from nothing else: the same seed gives
/// the same split. Both parts keep the order of the set; [`Batches`](crate::Batches) shuffles.
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
    let strata = Strata {
        by: "stratified_split",
        name: Some(&dataset.name),
        rows: dataset.rows(),
        labels: (!dataset.is_regression()).then(|| dataset.labels()),
        class_names: dataset.class_names(),
    };
    let parts = strata.split(&[1.0 - test_fraction, test_fraction], rng)?;
    Ok((dataset.select(&parts[0]), dataset.select(&parts[1])))
}

/// The indices of `rows` rows, in as many parts as there are shares, each in ascending order.
///
/// Of `n` rows, `n * share` go to a part, rounded to a whole row, but at least one; the first part takes what
/// the others leave. The last part is drawn first: shares of 0.6, 0.15 and 0.25 leave the same rows for
/// testing as 0.75 and 0.25 with the same generator.
///
/// Errors if there are not two shares or more, above 0 and 1 in all, and if there are fewer rows than parts.
///
/// ```
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha8Rng;
/// use surprisal_data::split_rows;
///
/// let parts = split_rows(100, &[0.6, 0.15, 0.25], &mut ChaCha8Rng::seed_from_u64(7))?;
/// assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [60, 15, 25]);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn split_rows(
    rows: usize,
    shares: &[f64],
    rng: &mut (impl Rng + ?Sized),
) -> Result<Vec<Vec<usize>>, DataError> {
    Strata { by: "split_rows", rows, ..Strata::default() }.split(shares, rng)
}

/// As [`split_rows`], every class in the same proportion; `labels` tell the class of every row.
///
/// Errors as [`split_rows`] does, and if a class has fewer rows than there are parts.
///
/// ```
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha8Rng;
/// use surprisal_data::stratified_split_rows;
///
/// let labels = [[0; 80], [1; 80]].concat();
/// let parts = stratified_split_rows(&labels, &[0.5, 0.25, 0.25], &mut ChaCha8Rng::seed_from_u64(7))?;
/// assert_eq!(parts[2].iter().filter(|&&row| labels[row] == 0).count(), 20);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn stratified_split_rows(
    labels: &[usize],
    shares: &[f64],
    rng: &mut (impl Rng + ?Sized),
) -> Result<Vec<Vec<usize>>, DataError> {
    Strata::of_labels("stratified_split_rows", labels).split(shares, rng)
}

/// The training and test rows of one fold.
///
/// See the example of [`k_fold`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// The training rows, in ascending order.
    pub train: Vec<usize>,
    /// The test rows, in ascending order.
    pub test: Vec<usize>,
}

/// Splits rows into `k` folds: each row is a test row once, and a training row `k - 1` times.
///
/// The test parts differ by one row at most. Which row is in which is drawn from the generator.
///
/// Errors if `k` is below 2 or above the number of rows.
///
/// ```
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha8Rng;
/// use surprisal_data::k_fold;
///
/// let folds = k_fold(10, 3, &mut ChaCha8Rng::seed_from_u64(7))?;
/// assert_eq!(folds.iter().map(|fold| fold.test.len()).collect::<Vec<_>>(), [4, 3, 3]);
/// assert!(folds.iter().all(|fold| fold.train.len() + fold.test.len() == 10));
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn k_fold(rows: usize, k: usize, rng: &mut (impl Rng + ?Sized)) -> Result<Vec<Fold>, DataError> {
    Strata { by: "k_fold", rows, ..Strata::default() }.k_fold(k, rng)
}

/// As [`k_fold`], and the rows of each class in the test parts differ by one at most, too; `labels` tell the
/// class of every row.
///
/// Errors as [`k_fold`] does, and if a class has fewer than `k` rows.
///
/// ```
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha8Rng;
/// use surprisal_data::{Dataset, stratified_k_fold};
///
/// let iris = Dataset::iris();
/// for fold in stratified_k_fold(iris.labels(), 5, &mut ChaCha8Rng::seed_from_u64(7))? {
///     assert_eq!(iris.select(&fold.test).class_counts(), [10, 10, 10]);
/// }
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn stratified_k_fold(
    labels: &[usize],
    k: usize,
    rng: &mut (impl Rng + ?Sized),
) -> Result<Vec<Fold>, DataError> {
    Strata::of_labels("stratified_k_fold", labels).k_fold(k, rng)
}

/// Rows to be divided, every class alike, and what messages call them.
#[derive(Default)]
pub(crate) struct Strata<'a> {
    /// The function that was called.
    pub by: &'static str,
    /// The data set or its file, if it has a name.
    pub name: Option<&'a str>,
    /// How many rows there are.
    pub rows: usize,
    /// The class of each, if there are classes.
    pub labels: Option<&'a [usize]>,
    /// What they are called; by their numbers, if this is too short.
    pub class_names: &'a [String],
}

impl<'a> Strata<'a> {
    fn of_labels(by: &'static str, labels: &'a [usize]) -> Self {
        Strata { by, rows: labels.len(), labels: Some(labels), ..Strata::default() }
    }

    /// Rows in as many parts as there are shares: see [`split_rows`].
    pub fn split(&self, shares: &[f64], rng: &mut (impl Rng + ?Sized)) -> Result<Vec<Vec<usize>>, DataError> {
        let sound =
            shares.iter().all(|&share| share > 0.0) && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9;
        if shares.len() < 2 || !sound {
            return Err(self.wrong(SplitProblem::Shares { shares: shares.to_vec() }));
        }
        let mut parts = vec![Vec::new(); shares.len()];
        for mut members in self.members(shares.len())? {
            members.shuffle(rng);
            let n = members.len() as f64;
            let mut rest = &members[..];
            for (part, &share) in shares.iter().enumerate().skip(1).rev() {
                // a row is left for each of the parts to come
                let (chosen, left) =
                    rest.split_at(((n * share).round() as usize).clamp(1, rest.len() - part));
                parts[part].extend(chosen);
                rest = left;
            }
            parts[0].extend(rest);
        }
        parts.iter_mut().for_each(|part| part.sort_unstable());
        Ok(parts)
    }

    /// Rows cut `k` times: see [`k_fold`].
    pub fn k_fold(&self, k: usize, rng: &mut (impl Rng + ?Sized)) -> Result<Vec<Fold>, DataError> {
        if k < 2 {
            return Err(self.wrong(SplitProblem::Folds { k }));
        }
        let mut fold_of = vec![0; self.rows];
        // one class goes on where the last one ended, so that the parts differ by one row at most
        let mut dealt = 0;
        for mut members in self.members(k)? {
            members.shuffle(rng);
            for row in members {
                fold_of[row] = dealt % k;
                dealt += 1;
            }
        }
        let fold = |fold| {
            let (test, train) = (0..self.rows).partition(|&row| fold_of[row] == fold);
            Fold { train, test }
        };
        Ok((0..k).map(fold).collect())
    }

    /// The rows of each class that has any, or of all as one; enough for so many parts.
    fn members(&self, parts: usize) -> Result<Vec<Vec<usize>>, DataError> {
        if self.rows < parts {
            return Err(self.wrong(SplitProblem::TooFewRows { parts, rows: self.rows }));
        }
        let Some(labels) = self.labels else { return Ok(vec![(0..self.rows).collect()]) };
        let members = rows_by_label(labels);
        if let Some((&label, members)) = members.iter().find(|(_, members)| members.len() < parts) {
            let class = self.class_names.get(label).cloned().unwrap_or(label.to_string());
            return Err(self.wrong(SplitProblem::RareClass { parts, rows: members.len(), class }));
        }
        Ok(members.into_values().collect())
    }

    fn wrong(&self, problem: SplitProblem) -> DataError {
        SplitError { by: self.by, name: self.name.map(str::to_owned), problem }.into()
    }
}

/// The rows of every class that has any, in the order of the classes.
pub(crate) fn rows_by_label(labels: &[usize]) -> BTreeMap<usize, Vec<usize>> {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    labels.iter().enumerate().for_each(|(row, &label)| members.entry(label).or_default().push(row));
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::Targets;
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
            targets: Targets::Classes {
                labels,
                names: (0..sizes.len()).map(|k| format!("class {k}")).collect(),
            },
            feature_names: vec!["row".to_owned()],
            image_shape: None,
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
                let labels: Vec<usize> = rows(part).iter().map(|&row| set.labels()[row as usize]).collect();
                assert_eq!(part.labels(), labels);
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

    /// Labels of classes of the given sizes, mixed.
    fn mixed(sizes: &[usize]) -> Vec<usize> {
        numbered(sizes).labels().to_vec()
    }

    #[test]
    fn shares_are_met_by_every_class_with_a_row_for_each_part_at_least() {
        for (sizes, shares, expected) in [
            (&[100, 40, 10][..], &[0.6, 0.2, 0.2][..], &[[60, 24, 6], [20, 8, 2], [20, 8, 2]]),
            (&[3, 4, 30], &[0.98, 0.01, 0.01], &[[1, 2, 28], [1, 1, 1], [1, 1, 1]]),
            (&[3, 4, 30], &[0.01, 0.01, 0.98], &[[1, 1, 1], [1, 1, 1], [1, 2, 28]]),
        ] {
            let labels = mixed(sizes);
            let parts = stratified_split_rows(&labels, shares, &mut ChaCha8Rng::seed_from_u64(3)).unwrap();
            let count =
                |part: &Vec<usize>| [0, 1, 2].map(|k| part.iter().filter(|&&row| labels[row] == k).count());
            assert_eq!(parts.iter().map(count).collect::<Vec<_>>(), expected, "{shares:?}");
            assert!(parts.iter().all(|part| part.is_sorted_by(|a, b| a < b)));
            let mut all = parts.concat();
            all.sort_unstable();
            assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_part_to_choose_by_leaves_the_part_to_test_on_alone() {
        let labels = mixed(&[41, 23, 8]);
        let split = |shares: &[f64]| {
            stratified_split_rows(&labels, shares, &mut ChaCha8Rng::seed_from_u64(9)).unwrap().pop().unwrap()
        };
        assert_eq!(split(&[0.75, 0.25]), split(&[0.6, 0.15, 0.25]));
    }

    #[test]
    fn each_row_is_tested_once_and_sizes_and_classes_differ_by_one_at_most() {
        let within_one = |counts: &[usize]| counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1;
        for (sizes, k) in [(&[50, 50, 50][..], 5), (&[7, 11, 23, 5], 5), (&[2, 3], 2), (&[10, 10], 10)] {
            let labels = mixed(sizes);
            for seed in 0..20 {
                let rng = &mut ChaCha8Rng::seed_from_u64(seed);
                let stratified = stratified_k_fold(&labels, k, rng).unwrap();
                for folds in [&stratified, &k_fold(labels.len(), k, rng).unwrap()] {
                    let mut tested: Vec<usize> = folds.iter().flat_map(|fold| fold.test.clone()).collect();
                    tested.sort_unstable();
                    assert_eq!(tested, (0..labels.len()).collect::<Vec<_>>());
                    let counts: Vec<usize> = folds.iter().map(|fold| fold.test.len()).collect();
                    assert!(counts.len() == k && within_one(&counts), "{counts:?}");
                    for Fold { train, test } in folds {
                        let mut all = [&train[..], test].concat();
                        all.sort_unstable();
                        assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
                        assert!(train.is_sorted() && test.is_sorted());
                    }
                }
                for class in 0..sizes.len() {
                    let of = |fold: &Fold| fold.test.iter().filter(|&&row| labels[row] == class).count();
                    let counts: Vec<usize> = stratified.iter().map(of).collect();
                    assert!(within_one(&counts), "class {class}: {counts:?}");
                }
            }
        }
    }

    #[test]
    fn folds_are_drawn_from_the_generator_alone() {
        let folds = |seed| k_fold(40, 4, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();
        assert_eq!(folds(1), folds(1));
        assert_ne!(folds(1), folds(2));
    }

    #[test]
    fn numbers_to_predict_are_split_like_one_class() {
        let mut set = numbered(&[100]);
        set.targets = Targets::Values((0..100).map(f64::from).collect());
        let (train, test) = split(&set, 0.25, 1);
        assert_eq!((train.rows(), test.rows()), (75, 25));
        assert_eq!(test.values(), test.features.column(0).to_vec());
        let rows = split_rows(100, &[0.75, 0.25], &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        assert_eq!(rows[1].iter().map(|&row| row as f64).collect::<Vec<_>>(), test.values());
    }
}
