//! Harder variants of data sets: [`Dataset::with_label_noise`], [`Dataset::imbalanced`].

use crate::dataset::Dataset;
use crate::error::{DataError, ErrorKind};
use crate::split::rows_by_label;
use crate::targets::Targets;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

/// # Sets made harder on purpose
///
/// What is drawn depends on the generator, and on nothing else. With the same seed, a larger share changes
/// the rows of a smaller one in the same way and others besides, and a larger count keeps the rows of a
/// smaller one.
impl Dataset {
    /// The same rows, a share of them with another label, and which rows these are, in rising order.
    ///
    /// Exactly `share * rows` labels, rounded to a whole row, are changed. The rows are drawn without
    /// replacement; each gets one of the other classes, every one alike.
    ///
    /// Errors if the share is not from 0 to 1, if there is no other class, and if the set fails
    /// [`check`](Dataset::check).
    ///
    /// ```
    /// use rand::SeedableRng;
    /// use rand_chacha::ChaCha8Rng;
    /// use surprisal_data::Dataset;
    ///
    /// let iris = Dataset::iris();
    /// let (noisy, flipped) = iris.clone().with_label_noise(0.2, &mut ChaCha8Rng::seed_from_u64(7))?;
    /// assert_eq!(flipped.len(), 30);
    /// assert!(flipped.iter().all(|&row| noisy.labels()[row] != iris.labels()[row]));
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn with_label_noise(
        mut self,
        share: f64,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<(Dataset, Vec<usize>), DataError> {
        if !(0.0..=1.0).contains(&share) {
            return Err(ErrorKind::NoiseShare { share }.into());
        }
        if !matches!(self.targets, Targets::Classes { .. }) {
            return Err(self.no_classes());
        }
        self.check()?;
        let rows = self.rows();
        let Targets::Classes { labels, names } = &mut self.targets else { return Err(self.no_classes()) };
        let classes = names.len();
        if classes < 2 {
            return Err(ErrorKind::NoOtherClass { dataset: self.name }.into());
        }
        let mut flipped: Vec<usize> = (0..rows).collect();
        flipped.shuffle(rng);
        flipped.truncate((share * rows as f64).round() as usize);
        for &row in &flipped {
            // one step on reaches the next class, `classes - 1` steps the one before
            labels[row] = (labels[row] + rng.random_range(1..classes)) % classes;
        }
        flipped.sort_unstable();
        Ok((self, flipped))
    }

    /// Of class `k`, at most `most[k]` rows, drawn without replacement; in the order of the set.
    ///
    /// Errors if there is not one count per class, if no row is left, and if the set fails
    /// [`check`](Dataset::check).
    ///
    /// ```
    /// use rand::SeedableRng;
    /// use rand_chacha::ChaCha8Rng;
    /// use surprisal_data::Dataset;
    ///
    /// let three_or_eight = Dataset::digits().only_classes(&["3", "8"])?;
    /// let rare = three_or_eight.imbalanced(&[100, 5], &mut ChaCha8Rng::seed_from_u64(7))?;
    /// assert_eq!(rare.class_counts(), [100, 5]);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn imbalanced(&self, most: &[usize], rng: &mut (impl Rng + ?Sized)) -> Result<Dataset, DataError> {
        self.check()?;
        let Targets::Classes { labels, .. } = &self.targets else { return Err(self.no_classes()) };
        if most.len() != self.classes() {
            let (dataset, found) = (self.name.clone(), most.len());
            return Err(ErrorKind::ClassCounts { dataset, found, classes: self.classes() }.into());
        }
        let mut kept = Vec::new();
        for (class, mut rows) in rows_by_label(labels) {
            rows.shuffle(rng);
            rows.truncate(most[class]);
            kept.append(&mut rows);
        }
        kept.sort_unstable();
        let rare = self.select(&kept);
        rare.check()?;
        Ok(rare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn noisy(share: f64, seed: u64) -> (Dataset, Vec<usize>) {
        Dataset::iris().with_label_noise(share, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap()
    }

    fn kept(most: &[usize], seed: u64) -> Dataset {
        Dataset::iris().imbalanced(most, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap()
    }

    #[test]
    fn label_noise_flips_exactly_the_share_to_other_classes_and_touches_nothing_else() {
        let iris = Dataset::iris();
        for (share, count) in [(0.0, 0), (0.003, 0), (0.004, 1), (0.1, 15), (0.29, 44), (0.5, 75), (1.0, 150)]
        {
            for seed in 0..20 {
                let (noisy, flipped) = noisy(share, seed);
                let differ: Vec<usize> =
                    (0..150).filter(|&row| noisy.labels()[row] != iris.labels()[row]).collect();
                assert_eq!(flipped, differ, "{share}");
                assert_eq!(flipped.len(), count, "{share}");
                noisy.check().unwrap();
                assert_eq!(Dataset { targets: iris.targets.clone(), ..noisy }, iris);
            }
        }
    }

    #[test]
    fn every_row_and_every_other_class_has_the_same_chance() {
        let (mut rows, mut steps) = ([0; 150], [0_u32; 3]);
        let iris = Dataset::iris();
        for seed in 0..1000 {
            let (noisy, flipped) = noisy(0.4, seed);
            for row in flipped {
                rows[row] += 1;
                steps[(noisy.labels()[row] + 3 - iris.labels()[row]) % 3] += 1;
            }
        }
        // expected 400 of 1000 each, standard deviation 15
        assert!(rows.iter().all(|count| (325..475).contains(count)), "{rows:?}");
        // expected 30,000 of 60,000 each, standard deviation 122
        assert!(steps[0] == 0 && steps[1].abs_diff(30_000) < 500, "{steps:?}");
    }

    #[test]
    fn the_same_seed_flips_the_same_rows_and_with_a_larger_share_more() {
        assert_eq!(noisy(0.2, 3), noisy(0.2, 3));
        assert_ne!(noisy(0.2, 3), noisy(0.2, 4));
        let ((few, flipped), (many, _)) = (noisy(0.2, 3), noisy(0.6, 3));
        assert!(flipped.iter().all(|&row| few.labels()[row] == many.labels()[row]));
    }

    #[test]
    fn imbalance_keeps_so_many_rows_of_each_class_untouched_and_in_order() {
        // every row once, so that a row tells its place
        let mut set = Dataset::iris();
        set.features.column_mut(0).iter_mut().enumerate().for_each(|(row, value)| *value = row as f64);
        for seed in 0..20 {
            let rare = set.imbalanced(&[5, 200, 20], &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();
            assert_eq!(rare.class_counts(), [5, 50, 20]);
            let rows: Vec<usize> = rare.features.column(0).iter().map(|&row| row as usize).collect();
            assert!(rows.is_sorted_by(|a, b| a < b));
            assert_eq!(rare, set.select(&rows));
        }
    }

    #[test]
    fn the_same_seed_keeps_the_same_rows_and_with_larger_counts_more() {
        assert_eq!(kept(&[5, 9, 20], 3), kept(&[5, 9, 20], 3));
        assert_ne!(kept(&[5, 9, 20], 3), kept(&[5, 9, 20], 4));
        let (few, many) = (kept(&[5, 9, 20], 3), kept(&[10, 9, 25], 3));
        assert!(
            few.features.rows().into_iter().all(|row| many.features.rows().into_iter().any(|r| r == row))
        );
    }

    #[test]
    fn a_class_may_be_left_without_rows() {
        assert_eq!(kept(&[0, 3, 0], 1).class_counts(), [0, 3, 0]);
    }
}
