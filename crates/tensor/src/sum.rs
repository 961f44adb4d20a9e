//! Sums whose error does not grow with their length.

use crate::{Buf, Scalar};

const LANES: usize = 16; // sums side by side, one vector register of f32
const BLOCK: usize = 512;

/// f(0) + .. + f(n - 1), pairwise over blocks: the error grows with log n, not with n.
///
/// Inlined into its caller, so that a kernel vectorises it.
#[inline(always)]
pub fn sum_by<T: Scalar>(n: usize, f: impl Fn(usize) -> T) -> T {
    if n <= LANES {
        return (0..n).fold(T::ZERO, |sum, i| sum + f(i));
    }
    // waiting[l] is the sum of 2^l blocks: adding block sums works like counting in binary
    let mut waiting = [T::ZERO; usize::BITS as usize];
    let mut blocks = 0usize;
    for start in (0..n).step_by(BLOCK) {
        let mut sum = block(start, BLOCK.min(n - start), &f);
        let level = blocks.trailing_ones() as usize;
        for earlier in &waiting[..level] {
            sum = *earlier + sum;
        }
        waiting[level] = sum;
        blocks += 1;
    }
    (0..usize::BITS as usize)
        .filter(|level| blocks >> level & 1 == 1)
        .fold(T::ZERO, |sum, level| waiting[level] + sum)
}

#[inline(always)]
fn block<T: Scalar>(start: usize, n: usize, f: &impl Fn(usize) -> T) -> T {
    let mut lanes = [T::ZERO; LANES];
    let whole = n / LANES * LANES;
    for i in (0..whole).step_by(LANES) {
        for (l, lane) in lanes.iter_mut().enumerate() {
            *lane += f(start + i + l);
        }
    }
    for (l, i) in (whole..n).enumerate() {
        lanes[l] += f(start + i);
    }
    for half in [8, 4, 2, 1] {
        for l in 0..half {
            let other = lanes[l + half];
            lanes[l] += other;
        }
    }
    lanes[0]
}

crate::kernel! {
    /// The sum of a slice.
    pub fn sum<T: Scalar>(x: &[T]) -> T {
        sum_by(x.len(), |i| x[i])
    }
}

crate::kernel! {
    /// d += a, element by element.
    pub(crate) fn accumulate<T: Scalar>(d: &mut [T], a: &[T]) {
        for (d, &a) in d.iter_mut().zip(a) { *d += a }
    }
}

crate::kernel! {
    /// d = the sums of the columns of `a` (or d += them): rows are summed in blocks, and the blocks' sums then added.
    pub(crate) fn column_sums<T: Scalar>(d: &mut [T], add: bool, a: &[T], scratch: &mut Buf<T>) {
        const ROWS: usize = 128;
        let n = d.len();
        if n == 1 {
            let sum = sum_by(a.len(), |i| a[i]);
            d[0] = if add { d[0] + sum } else { sum };
            return;
        }
        if !add { d.fill(T::ZERO) }
        if n == 0 { return }
        if a.len() <= ROWS * n {
            for row in a.chunks_exact(n) {
                for (d, &a) in d.iter_mut().zip(row) { *d += a }
            }
            return;
        }
        let part = scratch.at_least(n);
        for rows in a.chunks(ROWS * n) {
            part.fill(T::ZERO);
            for row in rows.chunks_exact(n) {
                for (p, &a) in part.iter_mut().zip(row) { *p += a }
            }
            for (d, &p) in d.iter_mut().zip(part.iter()) { *d += p }
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
