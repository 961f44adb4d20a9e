//! Sums whose error does not grow with their length.

use std::hint::black_box;
use std::ops::Range;

use crate::threads::{LIGHT, for_each, reduce};
use crate::{Buf, Scalar};

const LANES: usize = 16; // sums side by side, one vector register of f32
const BLOCK: usize = 128;
pub(crate) const SHORT: usize = 64; // so few are summed in four lanes: more would be more work to put together

/// The sum of `n` numbers that `fill` writes a block at a time, given the block's range and a slice of that length.
///
/// Blocks are summed pairwise, so the error grows with log n, not with n. Inlined into its caller: inside a kernel a
/// `fill` that zips slices vectorizes (it is called from one place only, or it would not be inlined there).
#[inline(always)]
pub fn sum_filled<T: Scalar>(n: usize, mut fill: impl FnMut(Range<usize>, &mut [T])) -> T {
    let [sum] = sums_filled(n, |range, [numbers]| fill(range, numbers));
    sum
}

/// [`sum_filled`] of several sums at once.
#[inline(always)]
pub(crate) fn sums_filled<T: Scalar, const N: usize>(
    n: usize,
    mut fill: impl FnMut(Range<usize>, [&mut [T]; N]),
) -> [T; N] {
    let mut numbers = [[T::ZERO; BLOCK]; N];
    let mut pairs = [(); N].map(|()| Pairs::new());
    let mut start = 0;
    loop {
        let end = n.min(start + BLOCK);
        fill(start..end, numbers.each_mut().map(|numbers| &mut numbers[..end - start]));
        let mut sums = [T::ZERO; N];
        for (sum, numbers) in sums.iter_mut().zip(&numbers) {
            *sum = block(&numbers[..end - start]); // in a loop: in a closure it would not be inlined
        }
        if n <= BLOCK {
            return sums;
        }
        for (pairs, sum) in pairs.iter_mut().zip(sums) {
            add_block(pairs, sum);
        }
        start = end;
        if start == n {
            return pairs.each_ref().map(Pairs::total);
        }
    }
}

/// f(0) + .. + f(n - 1), pairwise as in [`sum_filled`]; for what no slice holds.
#[inline(always)]
pub fn sum_by<T: Scalar>(n: usize, mut f: impl FnMut(usize) -> T) -> T {
    sum_filled(n, |range, numbers| {
        for (number, i) in numbers.iter_mut().zip(range) {
            *number = f(i);
        }
    })
}

/// The same for few numbers, to the same bits, without memory for a block.
#[inline(always)]
pub(crate) fn short_sum_by<T: Scalar>(n: usize, mut f: impl FnMut(usize) -> T) -> T {
    debug_assert!(n < SHORT);
    let mut lanes = [T::ZERO; 4];
    let whole = n & !3;
    for start in (0..whole).step_by(4) {
        for (l, lane) in lanes.iter_mut().enumerate() {
            *lane += f(start + l);
        }
    }
    (whole..n).fold(together(lanes), |sum, i| sum + f(i))
}

/// More blocks than 2^40 fit no memory.
const LEVELS: usize = 40;

/// Sums of blocks, waiting for their like: adding them works like counting in binary.
struct Pairs<T> {
    waiting: [T; LEVELS], // at l, the sum of 2^l blocks
    blocks: usize,
}

impl<T: Scalar> Pairs<T> {
    #[inline(always)]
    fn new() -> Self {
        Pairs { waiting: [T::ZERO; LEVELS], blocks: 0 }
    }
    #[inline(never)]
    fn total(&self) -> T {
        let (mut left, mut sum) = (self.blocks, T::ZERO);
        while left > 0 {
            sum = self.waiting[left.trailing_zeros() as usize] + sum;
            left &= left - 1;
        }
        sum
    }
}

crate::in_kernels! {
    fn add_block<T: Scalar>(pairs: &mut Pairs<T>, sum: T) {
        let (mut sum, level) = (sum, pairs.blocks.trailing_ones() as usize);
        for earlier in &pairs.waiting[..level] {
            sum = *earlier + sum;
        }
        pairs.waiting[level] = sum;
        pairs.blocks += 1;
    }
}

crate::in_kernels! {
    /// The sum of at most a block.
    fn block<T: Scalar>(x: &[T]) -> T {
        if x.len() < SHORT { side_by_side::<T, 4>(x) } else { side_by_side::<T, LANES>(x) }
    }
}

/// N sums, each over every Nth number, and the sum of these; what does not fill all N is added at last, one by one.
#[inline(always)]
fn side_by_side<T: Scalar, const N: usize>(x: &[T]) -> T {
    let mut lanes = [T::ZERO; N];
    let (chunks, rest) = x.as_chunks::<N>();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane += x;
        }
    }
    rest.iter().fold(together(lanes), |sum, &x| sum + x)
}

#[inline(always)]
fn together<T: Scalar, const N: usize>(lanes: [T; N]) -> T {
    // through memory, or LLVM, which starts from the last pair, would sum N / 2 pairs side by side instead of N lanes
    let mut lanes = if N < LANES { lanes } else { black_box(lanes) };
    let mut half = N / 2;
    while half > 0 {
        for l in 0..half {
            let other = lanes[l + half];
            lanes[l] += other;
        }
        half /= 2;
    }
    lanes[0]
}

crate::in_kernels! {
    /// The sum of each row of n numbers; to be inlined into a kernel.
    pub fn sum_rows<T: Scalar>(x: &[T], n: usize, sums: &mut [T]) {
        let rows = x.chunks_exact(n).zip(sums);
        if n < SHORT {
            for (x, sum) in rows {
                *sum = side_by_side::<T, 4>(x);
            }
        } else {
            for (x, sum) in rows {
                *sum = sum_of(x);
            }
        }
    }
}

crate::in_kernels! {
    /// The sum of a slice, pairwise as in [`sum_filled`]; to be inlined into a kernel.
    pub fn sum_of<T: Scalar>(x: &[T]) -> T {
        if x.len() <= BLOCK { block(x) } else { long_sum(x) }
    }
}

crate::kernel! {
    fn long_sum<T: Scalar>(x: &[T]) -> T {
        let mut pairs = Pairs::new();
        for x in x.chunks(BLOCK) {
            add_block(&mut pairs, block(x));
        }
        pairs.total()
    }
}

/// The sum of a slice.
pub fn sum<T: Scalar>(x: &[T]) -> T {
    reduce(x, LIGHT, |_, x| sum_in_one(x), |left, right| left + right)
}

crate::kernel! {
    fn sum_in_one<T: Scalar>(x: &[T]) -> T {
        sum_of(x)
    }
}

/// d += a, element by element.
pub(crate) fn accumulate<T: Scalar>(d: &mut [T], a: &[T]) {
    for_each((d, a), LIGHT, |_, (d, a)| accumulate_in_one(d, a));
}

crate::kernel! {
    pub(crate) fn accumulate_in_one<T: Scalar>(d: &mut [T], a: &[T]) {
        for (d, &a) in d.iter_mut().zip(a) { *d += a }
    }
}

crate::kernel! {
    /// d = the sums of the columns of `a`, or d += them.
    pub(crate) fn column_sums<T: Scalar>(d: &mut [T], add: bool, a: &[T], scratch: &mut Buf<T>) {
        let n = d.len();
        if n == 0 { return }
        if !add { d.fill(T::ZERO) }
        if n == 1 {
            d[0] += sum_of(a);
        } else if n < LANES {
            let part = scratch.at_least(n);
            for rows in a.chunks(BLOCK * n) {
                part.fill(T::ZERO);
                for row in rows.chunks_exact(n) {
                    for (part, &a) in part.iter_mut().zip(row) { *part += a }
                }
                for (d, &part) in d.iter_mut().zip(part.iter()) { *d += part }
            }
        } else {
            for left in (0..n).step_by(LANES) {
                let start = left.min(n - LANES); // the last columns are a whole register too, some of them for the second time
                for rows in a.chunks(BLOCK * n) {
                    let sums = columns_at(rows, n, start);
                    for (d, &sum) in d[left..].iter_mut().zip(&sums[left - start..]) { *d += sum }
                }
            }
        }
    }
}

/// The sums of the columns from `start` on, which stay in registers: four sums side by side hide the latency of additions.
#[inline(always)]
fn columns_at<T: Scalar>(rows: &[T], n: usize, start: usize) -> [T; LANES] {
    let mut sums = [[T::ZERO; LANES]; 4];
    for (i, row) in rows.chunks_exact(n).enumerate() {
        for (sum, &a) in sums[i % 4].iter_mut().zip(&row[start..start + LANES]) {
            *sum += a;
        }
    }
    let [mut total, second, third, fourth] = sums;
    for l in 0..LANES {
        total[l] = (total[l] + second[l]) + (third[l] + fourth[l]);
    }
    total
}

/// The number of columns that are summed at once by [`sum_columns`], at most.
const COLUMNS: usize = 512;

/// The number of columns in a piece of work, for a number of rows: whole registers, and more than one.
pub(crate) fn columns_of(rows: usize) -> usize {
    (LIGHT / rows.max(1) / LANES * LANES).clamp(2 * LANES, COLUMNS)
}

/// N sums of each of some columns, as many as [`columns_of`] says: `add` gets the number of a row and adds its terms.
///
/// Inlined into its caller, so that a kernel vectorizes it; four sums side by side hide the latency of additions.
#[inline(always)]
pub(crate) fn sum_columns<T: Scalar, const N: usize>(
    rows: usize,
    mut totals: [&mut [T]; N],
    mut add: impl FnMut(usize, [&mut [T]; N]),
) {
    let width = totals[0].len();
    let mut parts = [[[T::ZERO; COLUMNS]; N]; 4];
    totals.iter_mut().for_each(|total| total.fill(T::ZERO));
    for start in (0..rows).step_by(BLOCK) {
        parts.iter_mut().flatten().for_each(|part| part[..width].fill(T::ZERO));
        for row in start..rows.min(start + BLOCK) {
            add(row, parts[row % 4].each_mut().map(|part| &mut part[..width]));
        }
        let [first, second, third, fourth] = &parts;
        for (k, total) in totals.iter_mut().enumerate() {
            for (j, total) in total.iter_mut().enumerate() {
                *total += (first[k][j] + second[k][j]) + (third[k][j] + fourth[k][j]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_tenths_sum_to_a_hundred_thousand() {
        let tenths = vec![0.1f32; 1_000_000];
        let exact = f64::from(0.1f32) * 1e6;
        assert!((f64::from(sum(&tenths)) - exact).abs() < 1e-6 * exact); // one after the other: 100958.34
        let mut columns = [0f32; 2];
        column_sums(&mut columns, false, &tenths, &mut Buf::new(0));
        assert!(columns.iter().all(|&c| (f64::from(c) - exact / 2.0).abs() < 1e-4 * exact), "{columns:?}");
    }

    #[test]
    fn every_length_sums_every_element_once() {
        for n in (0..70usize).chain([511, 512, 513, 1023, 1024, 1025, 5000]) {
            let x: Vec<f64> = (0..n).map(|i| i as f64).collect();
            assert_eq!(sum(&x), (n * n.saturating_sub(1) / 2) as f64, "{n} numbers");
        }
    }
}
