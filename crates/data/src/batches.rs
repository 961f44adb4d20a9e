//! [`Batches`]: the order in which an epoch visits the rows; [`gather_rows`]: the rows themselves.

use crate::error::{DataError, ErrorKind};
use ndarray::ArrayView2;
use rand::Rng;
use rand::seq::SliceRandom;
use std::slice::Chunks;

/// Mini-batches of row numbers: every row once per epoch, `batch_size` rows at a time.
///
/// The last batch is smaller if the batch size does not divide the number of rows, or is left out after [`drop_last`](Self::drop_last). Until the first
/// [`shuffle`](Batches::shuffle) the rows stand in order. One vector holds the order; epochs do not allocate.
///
/// ```
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha8Rng;
/// use surprisal_data::Batches;
///
/// let mut batches = Batches::new(10, 4)?;
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// for _epoch in 0..2 {
///     batches.shuffle(&mut rng);
///     let sizes: Vec<usize> = batches.iter().map(<[usize]>::len).collect();
///     assert_eq!(sizes, [4, 4, 2]);
/// }
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Batches {
    order: Vec<usize>,
    batch_size: usize,
    drop_last: bool,
    block: usize,
}

impl Batches {
    /// Batches of `batch_size` out of `rows` rows, in order.
    ///
    /// Errors if the batch size is 0 or larger than the number of rows.
    ///
    /// ```
    /// use surprisal_data::Batches;
    ///
    /// let batches = Batches::new(5, 2)?;
    /// assert_eq!(Vec::from_iter(&batches), [&[0, 1][..], &[2, 3], &[4]]);
    /// assert_eq!(batches.per_epoch(), 3);
    /// assert!(Batches::new(5, 6).is_err());
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn new(rows: usize, batch_size: usize) -> Result<Batches, DataError> {
        if batch_size == 0 || batch_size > rows {
            return Err(ErrorKind::BatchSize { batch_size, rows }.into());
        }
        Ok(Batches { order: (0..rows).collect(), batch_size, drop_last: false, block: rows })
    }

    /// Leaves the last batch of an epoch out where it is smaller than the others: its rows have their turn in another epoch, after the next
    /// shuffle. For layers such as batch normalization, whose statistics are poor for a small batch.
    ///
    /// ```
    /// use surprisal_data::Batches;
    ///
    /// let batches = Batches::new(5, 2)?.drop_last();
    /// assert_eq!(Vec::from_iter(&batches), [[0, 1], [2, 3]]);
    /// assert_eq!(batches.per_epoch(), 2);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn drop_last(self) -> Batches {
        Batches { drop_last: true, ..self }
    }

    /// Shuffles blocks of this number of rows: a [`shuffle`](Self::shuffle) draws an order of the blocks, and one of the rows within each. For data
    /// of which one block is in memory at a time. A block of all rows is the same as none.
    ///
    /// ```
    /// use rand::SeedableRng;
    /// use rand_chacha::ChaCha8Rng;
    /// use surprisal_data::Batches;
    ///
    /// let mut batches = Batches::new(10, 4)?.in_blocks(4);
    /// batches.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
    /// let order = Vec::from_iter(batches.iter().flatten().map(|row| row / 4));
    /// assert_eq!(order.chunk_by(|a, b| a == b).count(), 3); // each block at once
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    ///
    /// # Panics
    /// If a block has 0 rows.
    #[track_caller]
    pub fn in_blocks(self, rows: usize) -> Batches {
        assert!(rows > 0, "in_blocks: expected 1 row or more in a block, found 0");
        Batches { block: rows, ..self }
    }

    /// Draws a new order from the generator, every order alike (Fisher and Yates).
    ///
    /// The order depends on the generator alone, not on the order before: who stores the generator's state
    /// can take training up again in any epoch.
    ///
    /// ```
    /// use rand::SeedableRng;
    /// use rand_chacha::ChaCha8Rng;
    /// use surprisal_data::Batches;
    ///
    /// let shuffled = |seed| {
    ///     let mut batches = Batches::new(100, 100)?;
    ///     batches.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    ///     Ok::<_, surprisal_data::DataError>(batches.iter().flatten().copied().collect::<Vec<_>>())
    /// };
    /// assert_eq!(shuffled(7)?, shuffled(7)?); // a seed repeats a training
    /// assert_ne!(shuffled(7)?, shuffled(8)?);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn shuffle(&mut self, rng: &mut (impl Rng + ?Sized)) {
        let rows = self.order.len();
        if self.block >= rows {
            self.order.iter_mut().enumerate().for_each(|(row, slot)| *slot = row);
            return self.order.shuffle(rng);
        }
        let mut blocks = Vec::from_iter(0..rows.div_ceil(self.block));
        blocks.shuffle(rng);
        let mut rest = &mut self.order[..];
        for block in blocks {
            let first = block * self.block;
            let (order, left) = rest.split_at_mut(self.block.min(rows - first));
            (first..).zip(&mut *order).for_each(|(row, slot)| *slot = row);
            order.shuffle(rng);
            rest = left;
        }
    }

    /// The batches of one epoch: slices of row numbers, together every row once, but for a batch that is left out.
    pub fn iter(&self) -> Chunks<'_, usize> {
        let left_out = if self.drop_last { self.order.len() % self.batch_size } else { 0 };
        self.order[..self.order.len() - left_out].chunks(self.batch_size)
    }

    /// The number of batches in an epoch: `rows / batch_size`, rounded up, or down after [`drop_last`](Self::drop_last).
    pub fn per_epoch(&self) -> usize {
        self.iter().len()
    }
}

impl<'a> IntoIterator for &'a Batches {
    type Item = &'a [usize];
    type IntoIter = Chunks<'a, usize>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Copies the chosen rows of `from`, `[rows, columns]`, one after the other into `into`.
///
/// Writes into memory that is there already, such as the input of a network, row by row
/// (`[chosen, columns]` in standard layout). A row may be chosen more than once.
///
/// Panics if `into` does not hold `rows.len() * columns` values, or a row is not in `from`.
///
/// ```
/// use ndarray::array;
/// use surprisal_data::gather_rows;
///
/// let x = array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
/// let mut batch = [0.0; 4];
/// gather_rows(x.view(), &[2, 0], &mut batch);
/// assert_eq!(batch, [5.0, 6.0, 1.0, 2.0]);
/// ```
#[track_caller]
pub fn gather_rows<T: Copy>(from: ArrayView2<'_, T>, rows: &[usize], into: &mut [T]) {
    let (available, columns) = from.dim();
    let (chosen, room) = (rows.len(), into.len());
    assert!(
        chosen.checked_mul(columns) == Some(room),
        "gather_rows: {chosen} rows of {columns} columns do not fit a slice of {room} values"
    );
    // chunks of 0 columns would panic; of no values there is no chunk of any size
    for (slot, &row) in into.chunks_exact_mut(columns.max(1)).zip(rows) {
        assert!(row < available, "gather_rows: row {row} of an array of {available} rows");
        let source = from.row(row);
        match source.as_slice() {
            Some(source) => slot.copy_from_slice(source),
            None => slot.iter_mut().zip(source).for_each(|(slot, &value)| *slot = value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, Axis, Slice};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn rows_of(batches: &Batches) -> Vec<usize> {
        batches.iter().flatten().copied().collect()
    }

    #[test]
    fn every_epoch_visits_every_row_once_whatever_the_sizes() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (rows, batch_size) in [(1, 1), (7, 1), (7, 7), (10, 4), (12, 4), (1797, 128)] {
            let mut batches = Batches::new(rows, batch_size).unwrap();
            for _epoch in 0..3 {
                batches.shuffle(&mut rng);
                let mut visited = rows_of(&batches);
                visited.sort();
                assert_eq!(visited, (0..rows).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn blocks_are_whole_and_each_row_comes_once() {
        for (rows, block) in [(10, 3), (10, 5), (7, 1), (1797, 100)] {
            let mut batches = Batches::new(rows, 2).unwrap().in_blocks(block);
            let mut orders = Vec::new();
            for seed in 0..20 {
                batches.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
                let order = rows_of(&batches);
                let blocks = order.chunk_by(|a, b| a / block == b / block).count();
                assert_eq!(blocks, rows.div_ceil(block), "{order:?}");
                let mut sorted = order.clone();
                sorted.sort();
                assert_eq!(sorted, (0..rows).collect::<Vec<_>>());
                orders.push(order);
            }
            assert!(orders.iter().any(|order| order[0] / block != orders[0][0] / block));
        }
        let order = |batches: Batches| {
            let mut batches = batches;
            batches.shuffle(&mut ChaCha8Rng::seed_from_u64(1));
            rows_of(&batches)
        };
        let batches = Batches::new(50, 8).unwrap();
        assert_eq!(order(batches.clone()), order(batches.clone().in_blocks(50)));
        assert_ne!(order(batches.clone()), order(batches.in_blocks(49)));
    }

    #[test]
    fn only_the_last_batch_is_smaller() {
        let sizes =
            |rows, size| Batches::new(rows, size).unwrap().iter().map(<[usize]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(10, 4), [4, 4, 2]);
        assert_eq!(sizes(12, 4), [4, 4, 4]);
        assert_eq!(sizes(4, 4), [4]);
        assert_eq!(Batches::new(10, 4).unwrap().per_epoch(), 3);
    }

    #[test]
    fn a_last_batch_that_is_left_out_has_its_turn_in_another_epoch() {
        let mut batches = Batches::new(101, 10).unwrap().drop_last();
        let (mut rng, mut seen) = (ChaCha8Rng::seed_from_u64(3), [false; 101]);
        for _epoch in 0..20 {
            batches.shuffle(&mut rng);
            assert_eq!(batches.iter().map(<[usize]>::len).collect::<Vec<_>>(), [10; 10]);
            batches.iter().flatten().for_each(|&row| seen[row] = true);
        }
        assert!(seen.iter().all(|&seen| seen));
        for (rows, size, batches) in [(10, 5, 2), (10, 10, 1), (11, 10, 1), (3, 2, 1)] {
            assert_eq!(Batches::new(rows, size).unwrap().drop_last().per_epoch(), batches);
        }
    }

    #[test]
    fn order_is_the_rows_before_the_first_shuffle_and_another_after_each() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mut batches = Batches::new(100, 10).unwrap();
        let untouched = rows_of(&batches);
        batches.shuffle(&mut rng);
        let first = rows_of(&batches);
        batches.shuffle(&mut rng);
        let second = rows_of(&batches);
        assert!(untouched.is_sorted());
        assert!(untouched != first && first != second);
    }

    #[test]
    fn order_depends_on_the_generator_alone_so_training_can_be_taken_up_again() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut straight = Batches::new(50, 8).unwrap();
        straight.shuffle(&mut rng);
        let mut stored = rng.clone();
        straight.shuffle(&mut rng);

        let mut resumed = Batches::new(50, 8).unwrap();
        resumed.shuffle(&mut stored);
        assert_eq!(rows_of(&resumed), rows_of(&straight));
    }

    #[test]
    fn epochs_reuse_the_one_vector() {
        let mut batches = Batches::new(50, 8).unwrap();
        let before = batches.order.as_ptr();
        for seed in 0..5 {
            batches.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        }
        assert_eq!(before, batches.order.as_ptr());
    }

    #[test]
    fn gather_agrees_with_select_in_every_layout() {
        let x = Array2::from_shape_fn((6, 5), |(i, j)| (10 * i + j) as f32);
        let rows = [4, 0, 4, 3];
        let every_other = x.slice_axis(Axis(1), Slice::new(1, None, 2));
        let mut upside_down = x.view();
        upside_down.invert_axis(Axis(0));
        let no_columns = x.slice_axis(Axis(1), Slice::from(2..2));
        for view in [x.view(), x.t(), every_other, upside_down, no_columns] {
            let rows = &rows.map(|row| row.min(view.nrows() - 1));
            let mut into = vec![-1.0; rows.len() * view.ncols()];
            gather_rows(view, rows, &mut into);
            let expected: Vec<f32> = rows.iter().flat_map(|&row| view.row(row).to_vec()).collect();
            assert_eq!(into, expected);
        }
    }
}
