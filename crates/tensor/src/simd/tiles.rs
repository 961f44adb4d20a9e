//! Products of matrices in registers: a tile of C stays in registers while A and B stream past it.
//!
//! A tile is R rows by C vectors. For each step along k it loads C vectors of B once and uses each R times; with 12 x 2
//! tiles in AVX-512 (6 x 2 in AVX2) the 24 (12) sums hide the latency of the multiply-adds. The last vector of a row is
//! loaded and stored under a mask, so no size needs a border case and small products are not packed at all. Large ones
//! are copied into panels that the tiles read in order.

use std::arch::x86_64::*;

use super::choice;
use crate::{Buf, Mat};

/// One vector register of numbers.
///
/// # Safety
/// Every method needs the instruction set that the type is named after; loads and stores touch the lanes of the mask only.
trait Lanes: Copy {
    type Number: Copy + Default;
    type Mask: Copy;
    /// How many numbers.
    const N: usize;
    /// The first `n` lanes, or all if `n` is larger.
    unsafe fn first(n: usize) -> Self::Mask;
    unsafe fn zero() -> Self;
    unsafe fn splat(x: Self::Number) -> Self;
    unsafe fn load(p: *const Self::Number) -> Self;
    unsafe fn load_some(p: *const Self::Number, mask: Self::Mask) -> Self;
    unsafe fn store_some(self, p: *mut Self::Number, mask: Self::Mask);
    unsafe fn plus(self, other: Self) -> Self;
    /// a b + self
    unsafe fn plus_product(self, a: Self, b: Self) -> Self;
    /// The sum of all lanes.
    unsafe fn total(self) -> Self::Number;
}

macro_rules! lanes {
    ($V:ty, $T:ty, $N:literal, $Mask:ty, |$n:ident| $first:expr, |$p:ident, $mask:ident| $load_some:expr,
     |$to:ident, $m:ident, $v:ident| $store_some:expr, $zero:ident $splat:ident $load:ident $add:ident $fma:ident,
     |$s:ident| $total:expr) => {
        impl Lanes for $V {
            type Number = $T;
            type Mask = $Mask;
            const N: usize = $N;
            #[inline(always)]
            unsafe fn first($n: usize) -> $Mask {
                $first
            }
            #[inline(always)]
            unsafe fn zero() -> Self {
                unsafe { $zero() }
            }
            #[inline(always)]
            unsafe fn splat(x: $T) -> Self {
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn load(p: *const $T) -> Self {
                unsafe { $load(p) }
            }
            #[inline(always)]
            unsafe fn load_some($p: *const $T, $mask: $Mask) -> Self {
                unsafe { $load_some }
            }
            #[inline(always)]
            unsafe fn store_some(self, $to: *mut $T, $m: $Mask) {
                let $v = self;
                unsafe { $store_some }
            }
            #[inline(always)]
            unsafe fn plus(self, other: Self) -> Self {
                unsafe { $add(self, other) }
            }
            #[inline(always)]
            unsafe fn plus_product(self, a: Self, b: Self) -> Self {
                unsafe { $fma(a, b, self) }
            }
            #[inline(always)]
            unsafe fn total(self) -> $T {
                let $s = self;
                unsafe { $total }
            }
        }
    };
}

lanes!(__m512, f32, 16, __mmask16, |n| if n >= 16 { !0 } else { (1 << n) - 1 },
    |p, mask| _mm512_maskz_loadu_ps(mask, p), |p, mask, v| _mm512_mask_storeu_ps(p, mask, v),
    _mm512_setzero_ps _mm512_set1_ps _mm512_loadu_ps _mm512_add_ps _mm512_fmadd_ps, |v| _mm512_reduce_add_ps(v));
lanes!(__m512d, f64, 8, __mmask8, |n| if n >= 8 { !0 } else { (1 << n) - 1 },
    |p, mask| _mm512_maskz_loadu_pd(mask, p), |p, mask, v| _mm512_mask_storeu_pd(p, mask, v),
    _mm512_setzero_pd _mm512_set1_pd _mm512_loadu_pd _mm512_add_pd _mm512_fmadd_pd, |v| _mm512_reduce_add_pd(v));
lanes!(__m256, f32, 8, __m256i, |n| unsafe {
        _mm256_cmpgt_epi32(_mm256_set1_epi32(n.min(8) as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
    },
    |p, mask| _mm256_maskload_ps(p, mask), |p, mask, v| _mm256_maskstore_ps(p, mask, v),
_mm256_setzero_ps _mm256_set1_ps _mm256_loadu_ps _mm256_add_ps _mm256_fmadd_ps, |v| {
    let half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
    let quarter = _mm_add_ps(half, _mm_movehl_ps(half, half));
    _mm_cvtss_f32(_mm_add_ss(quarter, _mm_shuffle_ps::<1>(quarter, quarter)))
});
lanes!(__m256d, f64, 4, __m256i, |n| unsafe {
        _mm256_cmpgt_epi64(_mm256_set1_epi64x(n.min(4) as i64), _mm256_setr_epi64x(0, 1, 2, 3))
    },
|p, mask| _mm256_maskload_pd(p, mask), |p, mask, v| _mm256_maskstore_pd(p, mask, v),
_mm256_setzero_pd _mm256_set1_pd _mm256_loadu_pd _mm256_add_pd _mm256_fmadd_pd, |v| {
    let half = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd::<1>(v));
    _mm_cvtsd_f64(_mm_add_sd(half, _mm_unpackhi_pd(half, half)))
});

/// C (+)= A B over k steps, from where the pointers stand. B's rows are contiguous, C is stored by rows.
#[derive(Clone, Copy)]
struct Task<T> {
    k: usize,
    a: *const T,
    a_row: usize, // strides
    a_col: usize,
    b: *const T,
    b_row: usize,
    c: *mut T,
    c_row: usize,
    add: bool,
}

impl<T> Task<T> {
    #[inline(always)]
    unsafe fn down(self, rows: usize) -> Self {
        unsafe { Task { a: self.a.add(rows * self.a_row), c: self.c.add(rows * self.c_row), ..self } }
    }
    #[inline(always)]
    unsafe fn right(self, cols: usize) -> Self {
        unsafe { Task { b: self.b.add(cols), c: self.c.add(cols), ..self } }
    }
}

/// R rows by C vectors; of the last vector only the lanes of `last`.
#[inline(always)]
unsafe fn tile<V: Lanes, const R: usize, const C: usize>(t: Task<V::Number>, last: V::Mask) {
    unsafe {
        let mut sums = [[V::zero(); C]; R];
        for p in 0..t.k {
            let row = t.b.add(p * t.b_row);
            let mut b = [V::zero(); C];
            for (j, b) in b.iter_mut().enumerate() {
                let from = row.add(j * V::N);
                *b = if j + 1 == C { V::load_some(from, last) } else { V::load(from) };
            }
            for (i, sums) in sums.iter_mut().enumerate() {
                let a = V::splat(*t.a.add(i * t.a_row + p * t.a_col));
                for (sum, b) in sums.iter_mut().zip(b) {
                    *sum = sum.plus_product(a, b);
                }
            }
        }
        let all = V::first(V::N);
        for (i, sums) in sums.iter().enumerate() {
            for (j, sum) in sums.iter().enumerate() {
                let mask = if j + 1 == C { last } else { all };
                let to = t.c.add(i * t.c_row + j * V::N);
                let sum = if t.add { sum.plus(V::load_some(to, mask)) } else { *sum };
                sum.store_some(to, mask);
            }
        }
    }
}

/// `m` rows by C vectors, in tiles of MOST rows, then of fewer.
#[inline(always)]
unsafe fn rows<V: Lanes, const MOST: usize, const C: usize>(m: usize, t: Task<V::Number>, last: V::Mask) {
    unsafe {
        let mut i = 0;
        while i + MOST <= m {
            tile::<V, MOST, C>(t.down(i), last);
            i += MOST;
        }
        while i + 6 <= m {
            tile::<V, 6, C>(t.down(i), last);
            i += 6;
        }
        let t = t.down(i);
        match m - i {
            5 => tile::<V, 5, C>(t, last),
            4 => tile::<V, 4, C>(t, last),
            3 => tile::<V, 3, C>(t, last),
            2 => tile::<V, 2, C>(t, last),
            1 => tile::<V, 1, C>(t, last),
            _ => {}
        }
    }
}

/// One row by C vectors: four steps along k side by side, because one row alone has too few sums to hide the latency.
#[inline(always)]
unsafe fn one_row<V: Lanes, const C: usize>(t: Task<V::Number>, last: V::Mask) {
    unsafe {
        let mut sums = [[V::zero(); C]; 4];
        let step = |sums: &mut [V; C], p: usize| {
            let a = V::splat(*t.a.add(p * t.a_col));
            for (j, sum) in sums.iter_mut().enumerate() {
                let from = t.b.add(p * t.b_row + j * V::N);
                let b = if j + 1 == C { V::load_some(from, last) } else { V::load(from) };
                *sum = sum.plus_product(a, b);
            }
        };
        for p in (0..t.k / 4 * 4).step_by(4) {
            for (q, sums) in sums.iter_mut().enumerate() {
                step(sums, p + q);
            }
        }
        for p in t.k / 4 * 4..t.k {
            step(&mut sums[0], p);
        }
        let [one, two, three, four] = sums;
        for j in 0..C {
            let mask = if j + 1 == C { last } else { V::first(V::N) };
            let to = t.c.add(j * V::N);
            let sum = one[j].plus(three[j]).plus(two[j].plus(four[j]));
            let sum = if t.add { sum.plus(V::load_some(to, mask)) } else { sum };
            sum.store_some(to, mask);
        }
    }
}

/// [m, n] in strips of two vectors, or of four where there is one row only.
#[inline(always)]
unsafe fn strips<V: Lanes, const TWO: usize, const ONE: usize>(m: usize, n: usize, t: Task<V::Number>) {
    unsafe {
        let mut j = 0;
        while j < n {
            let left = n - j;
            let t = t.right(j);
            let vectors = left.div_ceil(V::N).min(if m == 1 { 4 } else { 2 });
            let last = V::first(left - (vectors - 1) * V::N);
            match (m, vectors) {
                (1, 4) => one_row::<V, 4>(t, last),
                (1, 3) => one_row::<V, 3>(t, last),
                (1, 2) => one_row::<V, 2>(t, last),
                (1, _) => one_row::<V, 1>(t, last),
                (_, 2) => rows::<V, TWO, 2>(m, t, last),
                _ => rows::<V, ONE, 1>(m, t, last),
            }
            j += vectors * V::N;
        }
    }
}

/// c = A b for contiguous rows of A and a contiguous b: four rows side by side.
#[inline(always)]
unsafe fn matrix_vector<V: Lanes>(m: usize, t: Task<V::Number>) {
    unsafe {
        for i in (0..m).step_by(4) {
            let rows = (m - i).min(4);
            let mut sums = [V::zero(); 4];
            for p in (0..t.k).step_by(V::N) {
                let mask = V::first(t.k - p);
                let b = V::load_some(t.b.add(p), mask);
                for (q, sum) in sums[..rows].iter_mut().enumerate() {
                    *sum = sum.plus_product(V::load_some(t.a.add((i + q) * t.a_row + p), mask), b);
                }
            }
            for (q, sum) in sums[..rows].iter().enumerate() {
                let (to, one) = (t.c.add(i + q), V::first(1));
                let mut total = V::splat(sum.total());
                if t.add {
                    total = total.plus(V::load_some(to, one));
                }
                total.store_some(to, one);
            }
        }
    }
}

/// Copies `rows` x `cols` numbers to `to`, by rows of `width`, wherever they lie.
fn panel<T: Copy>(from: &[T], row: usize, col: usize, rows: usize, cols: usize, width: usize, to: &mut [T]) {
    if col == 1 {
        for p in 0..rows {
            to[p * width..][..cols].copy_from_slice(&from[p * row..][..cols]);
        }
        return;
    }
    const B: usize = 8; // a transpose, in blocks that stay in the nearest cache
    for j in (0..cols).step_by(B) {
        for p in (0..rows).step_by(B) {
            for q in p..rows.min(p + B) {
                for l in j..cols.min(j + B) {
                    to[q * width + l] = from[q * row + l * col];
                }
            }
        }
    }
}

/// Above this many multiplications, copying both factors into panels pays.
const LARGE: usize = 20_000_000;
/// A panel of B, K x 2 vectors, stays in the first cache; one of A, M x K, in the second.
const K: usize = 256;
const M: usize = 240;

/// A view of a matrix from some row and column on.
fn from<'a, T>(m: &Mat<'a, T>, row: usize, col: usize) -> &'a [T] {
    &m.data[row * m.row_stride + col * m.col_stride..]
}

macro_rules! products {
    ($name:ident, $T:ty, avx512: $wide:ident $V512:ty, avx2: $narrow:ident $V256:ty) => {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
        unsafe fn $wide(m: usize, n: usize, t: Task<$T>, vector: bool) {
            unsafe { if vector { matrix_vector::<$V512>(m, t) } else { strips::<$V512, 12, 16>(m, n, t) } }
        }
        #[target_feature(enable = "avx2,fma")]
        unsafe fn $narrow(m: usize, n: usize, t: Task<$T>, vector: bool) {
            unsafe { if vector { matrix_vector::<$V256>(m, t) } else { strips::<$V256, 6, 12>(m, n, t) } }
        }

        /// c = A B or c += A B; `false` if this machine has no instruction set for it, and nothing was done.
        pub(crate) fn $name(a: Mat<$T>, b: Mat<$T>, c: &mut [$T], add: bool, scratch: &mut Buf<$T>) -> bool {
            let (run, lanes, tall): (unsafe fn(usize, usize, Task<$T>, bool), _, _) = match choice::level() {
                choice::AVX512 => ($wide, <$V512>::N, 12),
                choice::AVX2 => ($narrow, <$V256>::N, 6),
                _ => return false,
            };
            let (m, k, n) = (a.rows, a.cols, b.cols);
            // SAFETY of all that follows: a `Mat` lies inside its slice, and these say that C is [m, n] and k is one k.
            assert!(
                k == b.rows && c.len() == m * n,
                "[{m}, {k}] x [{}, {n}] into {} numbers",
                b.rows,
                c.len()
            );
            if m == 0 || n == 0 || k == 0 {
                if !add {
                    c.fill(0.0);
                }
                return true;
            }
            let task = Task {
                k,
                a: a.data.as_ptr(),
                a_row: a.row_stride,
                a_col: a.col_stride,
                b: b.data.as_ptr(),
                b_row: b.row_stride,
                c: c.as_mut_ptr(),
                c_row: n,
                add,
            };
            if n == 1 && b.row_stride == 1 && a.col_stride == 1 {
                unsafe { run(m, 1, task, true) };
            } else if n == 1 && a.row_stride == 1 {
                // a column of sums over columns of A: one row, with the roles exchanged
                let task =
                    Task { a: task.b, a_row: 0, a_col: b.row_stride, b: task.a, b_row: a.col_stride, ..task };
                unsafe { run(1, m, task, false) };
            } else if m * k * n > LARGE && n > 16 && m > 1 && k > 16 {
                // panels of B for K steps, then M rows of A at a time
                let width = 2 * lanes;
                let (b_len, a_len) = (n.next_multiple_of(width) * K, M * K);
                let (b_panels, a_panels) = scratch.at_least(b_len + a_len).split_at_mut(b_len);
                for p in (0..k).step_by(K) {
                    let k = K.min(k - p);
                    for j in (0..n).step_by(width) {
                        let cols = width.min(n - j);
                        panel(
                            from(&b, p, j),
                            b.row_stride,
                            b.col_stride,
                            k,
                            cols,
                            width,
                            &mut b_panels[j * K..],
                        );
                    }
                    for i in (0..m).step_by(M) {
                        let rows = M.min(m - i);
                        for r in (0..rows).step_by(tall) {
                            let count = tall.min(rows - r);
                            panel(
                                from(&a, i + r, p),
                                a.col_stride,
                                a.row_stride,
                                k,
                                count,
                                tall,
                                &mut a_panels[r * K..],
                            );
                        }
                        for j in (0..n).step_by(width) {
                            for r in (0..rows).step_by(tall) {
                                let task = Task {
                                    k,
                                    a: a_panels[r * K..].as_ptr(),
                                    a_row: 1,
                                    a_col: tall,
                                    b: b_panels[j * K..].as_ptr(),
                                    b_row: width,
                                    c: c[(i + r) * n + j..].as_mut_ptr(),
                                    c_row: n,
                                    add: add || p > 0,
                                };
                                unsafe { run(tall.min(rows - r), width.min(n - j), task, false) };
                            }
                        }
                    }
                }
            } else if b.col_stride != 1 && n > 1 {
                let rows = scratch.at_least(k * n);
                panel(b.data, b.row_stride, b.col_stride, k, n, n, rows);
                unsafe { run(m, n, Task { b: rows.as_ptr(), b_row: n, ..task }, false) };
            } else {
                unsafe { run(m, n, task, false) };
            }
            true
        }
    };
}

products!(f32, f32, avx512: avx512_f32 __m512, avx2: avx2_f32 __m256);
products!(f64, f64, avx512: avx512_f64 __m512d, avx2: avx2_f64 __m256d);

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the AVX2 twin on a machine that would choose AVX-512.
    #[test]
    fn the_narrow_tiles_agree_with_the_wide() {
        if choice::level() != choice::AVX512 {
            return; // then every other test runs them
        }
        for (m, k, n) in [(1, 5, 40), (7, 9, 33), (13, 20, 8), (14, 3, 1), (30, 64, 17)] {
            let number = |i: usize| ((i * 7) % 11) as f32 - 5.0;
            let a: Vec<f32> = (0..m * k).map(number).collect();
            let b: Vec<f32> = (0..k * n).map(|i| number(i + 3)).collect();
            let mut c = [vec![0.5f32; m * n], vec![0.5f32; m * n]];
            for (c, run) in c.iter_mut().zip([avx2_f32 as unsafe fn(_, _, _, _), avx512_f32]) {
                let task = Task {
                    k,
                    a: a.as_ptr(),
                    a_row: k,
                    a_col: 1,
                    b: b.as_ptr(),
                    b_row: n,
                    c: c.as_mut_ptr(),
                    c_row: n,
                    add: true,
                };
                // SAFETY: the slices are as long as the sizes say, and AVX-512 machines have AVX2.
                unsafe { run(m, n, task, n == 1) };
            }
            assert_eq!(c[0], c[1], "[{m}, {k}] x [{k}, {n}]");
        }
    }
}
