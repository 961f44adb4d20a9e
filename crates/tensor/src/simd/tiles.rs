//! Products of matrices in registers: a tile of C stays in registers while A and B stream past it.
//!
//! A tile is R rows by C vectors. For each step along k it loads C vectors of B once and uses each R times; with 12 x 2
//! tiles in AVX-512 (6 x 2 in AVX2) the 24 (12) sums hide the latency of the multiply-adds. The last vector of a row is
//! loaded and stored under a mask, so no size needs a border case and small products are not copied at all. Of large ones
//! both factors are copied, block by block, into panels that the tiles read in order.
//!
//! Every number of C is summed in an order that only the sizes of the whole product decide, wherever it lies.
//!
//! # Safety
//! The functions of `products!` are safe and the only way in. They establish what everything else here relies on:
//!
//! 1. **The instruction set** of the vectors was found on this machine (`is_there`).
//! 2. **The factors lie in their slices**: a [`Mat`] cannot be made otherwise, and its fields are private.
//! 3. **The sizes fit**: A is `[m, k]`, B is `[k, n]` and C has m n numbers, by `product::sizes`, whose arithmetic is checked.
//!    C is borrowed mutably, so nothing else reads or writes it.
//!
//! A [`Task`] of `m` rows and `n` columns *fits* if every number of A at `(i, p)` and of B at `(p, j)` may be read and every
//! number of C at `(i, j)` may be read and written, for i < m, p < k, j < n. An `unsafe` function that takes a task needs
//! the instruction set of its vectors and a task that fits the rows and columns that it names; each says what else it needs.
//!
//! Places are found with `wrapping_add` where the result may lie behind the matrix (behind its last row or column): nothing is read or
//! written there. Loads and stores touch only the lanes of their mask.

use arch::{fetch, instruction_sets, is_there, widest};

use crate::product::sizes;
use crate::{Buf, Mat, threads};

/// One vector register of numbers.
///
/// # Safety
/// Every method needs the instruction set that the type is named after; loads and stores touch the lanes of the mask only.
trait Lanes: Copy {
    type Number: Copy + Default + Send + Sync;
    type Mask: Copy;
    /// How many numbers.
    const N: usize;
    /// Whether a mask costs nothing.
    const MASKS: bool;
    /// The first `n` lanes, or all if `n` is larger.
    unsafe fn first(n: usize) -> Self::Mask;
    unsafe fn zero() -> Self;
    unsafe fn splat(x: Self::Number) -> Self;
    unsafe fn load(p: *const Self::Number) -> Self;
    unsafe fn load_some(p: *const Self::Number, mask: Self::Mask) -> Self;
    /// Half a vector from one place, half from another.
    unsafe fn load_halves(low: *const Self::Number, high: *const Self::Number) -> Self;
    unsafe fn store_some(self, p: *mut Self::Number, mask: Self::Mask);
    unsafe fn plus(self, other: Self) -> Self;
    /// a b + self
    unsafe fn plus_product(self, a: Self, b: Self) -> Self;
    /// The lanes of both in turn: self's first, the other's first, self's second, ...
    unsafe fn zip(self, other: Self) -> [Self; 2];
    /// Adds the sum of the lanes, halves to halves, to a number.
    unsafe fn add_up(self, to: *mut Self::Number);
}

macro_rules! lanes {
    ($V:ty, $T:ty, $N:literal, $MASKS:literal, $Mask:ty, |$n:ident| $first:expr, |$p:ident, $mask:ident| $load_some:expr,
     |$to:ident, $m:ident, $v:ident| $store_some:expr, $zero:tt $splat:ident $load:ident $add:ident $fma:tt,
     |$low:ident, $high:ident| $halves:expr,
     |$x:ident, $y:ident| $zip:expr) => {
        impl Lanes for $V {
            type Number = $T;
            type Mask = $Mask;
            const N: usize = $N;
            const MASKS: bool = $MASKS;
            #[inline(always)]
            unsafe fn first($n: usize) -> $Mask {
                $first
            }
            #[inline(always)]
            unsafe fn zero() -> Self {
                // SAFETY: the instruction set is there.
                unsafe { $zero() }
            }
            #[inline(always)]
            unsafe fn splat(x: $T) -> Self {
                // SAFETY: the instruction set is there.
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn load(p: *const $T) -> Self {
                // SAFETY: the instruction set is there, and so is a vector of numbers, aligned or not.
                unsafe { $load(p) }
            }
            #[inline(always)]
            unsafe fn load_some($p: *const $T, $mask: $Mask) -> Self {
                // SAFETY: the instruction set is there, and so is a number for each lane of the mask, aligned or not.
                unsafe { $load_some }
            }
            #[inline(always)]
            unsafe fn load_halves($low: *const $T, $high: *const $T) -> Self {
                // SAFETY: the instruction set is there, and so is half a vector of numbers at each place, aligned or not.
                unsafe { $halves }
            }
            #[inline(always)]
            unsafe fn store_some(self, $to: *mut $T, $m: $Mask) {
                let $v = self;
                // SAFETY: the instruction set is there, and so is a number for each lane of the mask, aligned or not.
                unsafe { $store_some }
            }
            #[inline(always)]
            unsafe fn plus(self, other: Self) -> Self {
                // SAFETY: the instruction set is there.
                unsafe { $add(self, other) }
            }
            #[inline(always)]
            unsafe fn plus_product(self, a: Self, b: Self) -> Self {
                // SAFETY: the instruction set is there.
                unsafe { $fma(a, b, self) }
            }
            #[inline(always)]
            unsafe fn add_up(self, to: *mut $T) {
                let mut lanes = [0.0; $N];
                // SAFETY: the instruction set is there, as many lanes are, and the caller may write the number.
                unsafe {
                    self.store_some(lanes.as_mut_ptr(), Self::first($N));
                    let mut half = $N / 2;
                    while half > 0 {
                        for i in 0..half {
                            lanes[i] += lanes[i + half];
                        }
                        half /= 2;
                    }
                    *to += lanes[0];
                }
            }
            #[inline(always)]
            unsafe fn zip(self, other: Self) -> [Self; 2] {
                let ($x, $y) = (self, other);
                // SAFETY: the instruction set is there.
                unsafe { $zip }
            }
        }
    };
}

// behind the macro, which they use
#[cfg_attr(target_arch = "x86_64", path = "tiles/x86.rs")]
#[cfg_attr(target_arch = "aarch64", path = "tiles/neon.rs")]
mod arch;
pub(crate) mod convolution;

/// Where the numbers of a matrix stand. One of the strides is 1.
#[derive(Clone, Copy)]
struct View<T> {
    at: *const T,
    row: usize,
    col: usize,
}

impl<T> View<T> {
    fn of(m: Mat<T>) -> Self {
        let (at, [row, col]) = m.place();
        View { at, row, col }
    }
    /// What begins at this row and column; nothing, if they lie behind the last.
    #[inline(always)]
    fn from(self, row: usize, col: usize) -> Self {
        View { at: self.at.wrapping_add(row * self.row + col * self.col), ..self }
    }
    #[inline(always)]
    fn t(self) -> Self {
        View { at: self.at, row: self.col, col: self.row }
    }
}

/// What sums begin with, or are added to.
#[derive(Clone, Copy)]
enum Start<T> {
    /// Nothing: C holds any numbers.
    Nothing,
    /// C.
    C,
    /// A number for each row.
    Column(*const T),
}

/// C (+)= A B over k steps, from where the pointers stand. C is stored by rows, and so is B where nothing else is said.
#[derive(Clone, Copy)]
struct Task<T> {
    k: usize,
    a: View<T>,
    b: View<T>,
    c: *mut T,
    c_row: usize,
    start: Start<T>,
}

impl<T> Task<T> {
    /// From this row of A and C on; of nothing, if it lies behind the last.
    #[inline(always)]
    fn down(self, rows: usize) -> Self {
        let start = match self.start {
            Start::Column(at) => Start::Column(at.wrapping_add(rows)),
            start => start,
        };
        Task { a: self.a.from(rows, 0), c: self.c.wrapping_add(rows * self.c_row), start, ..self }
    }
    /// From this column of B and C on.
    #[inline(always)]
    fn right(self, cols: usize) -> Self {
        Task { b: self.b.from(0, cols), c: self.c.wrapping_add(cols), ..self }
    }
}

/// R rows by C vectors. Of B's last vector only the lanes of `masks` are read unless it is WHOLE; of C only those are
/// written. Row p of B begins at `row_of_b(p)`; `meanwhile` is done at each step along k.
///
/// # Safety
/// The task fits R rows and the columns of the masks' lanes; if WHOLE, C whole vectors of B may be read.
#[inline(always)]
unsafe fn tile<V: Lanes, const R: usize, const C: usize, const WHOLE: bool>(
    t: Task<V::Number>,
    masks: [V::Mask; C],
    row_of_b: impl Fn(usize) -> usize,
    meanwhile: impl Fn(usize, *mut V::Number),
) {
    // SAFETY: A is read in rows below R, B and C under their masks; a vector without lanes may lie behind C, and is not touched.
    unsafe {
        let mut sums = [[V::zero(); C]; R];
        if let Start::Column(at) = t.start {
            sums.iter_mut().enumerate().for_each(|(i, sums)| *sums = [V::splat(*at.add(i)); C]);
        }
        for p in 0..t.k {
            meanwhile(p, t.c);
            let mut b = [V::zero(); C];
            for (j, b) in b.iter_mut().enumerate() {
                let from = t.b.at.add(row_of_b(p) + j * V::N);
                *b = if WHOLE || j + 1 < C { V::load(from) } else { V::load_some(from, masks[j]) };
            }
            for (i, sums) in sums.iter_mut().enumerate() {
                let a = V::splat(*t.a.at.add(i * t.a.row + p * t.a.col));
                for (sum, b) in sums.iter_mut().zip(b) {
                    *sum = sum.plus_product(a, b);
                }
            }
        }
        for (i, sums) in sums.iter().enumerate() {
            for (j, (sum, mask)) in sums.iter().zip(masks).enumerate() {
                let to = t.c.wrapping_add(i * t.c_row + j * V::N);
                let sum = if matches!(t.start, Start::C) { sum.plus(V::load_some(to, mask)) } else { *sum };
                sum.store_some(to, mask);
            }
        }
    }
}

/// `m` rows by C vectors, in tiles of MOST rows, then of fewer.
///
/// # Safety
/// The task fits `m` rows and the columns of the masks' lanes; if WHOLE, C whole vectors of B may be read.
#[inline(always)]
unsafe fn rows<V: Lanes, const MOST: usize, const C: usize, const WHOLE: bool>(
    m: usize,
    t: Task<V::Number>,
    masks: [V::Mask; C],
    row_of_b: impl Fn(usize) -> usize + Copy,
    meanwhile: impl Fn(usize, *mut V::Number) + Copy,
) {
    // SAFETY: the tiles share the rows, i + R <= m; with no rows left none is computed.
    unsafe {
        let mut i = 0;
        while i + MOST <= m {
            tile::<V, MOST, C, WHOLE>(t.down(i), masks, row_of_b, meanwhile);
            i += MOST;
        }
        if MOST > 10 && i + 10 <= m {
            // ten rows, a usual batch, read B once
            tile::<V, 10, C, WHOLE>(t.down(i), masks, row_of_b, meanwhile);
            i += 10;
        }
        if MOST > 8 && i + 8 <= m {
            tile::<V, 8, C, WHOLE>(t.down(i), masks, row_of_b, meanwhile);
            i += 8;
        }
        while i + 6 <= m {
            tile::<V, 6, C, WHOLE>(t.down(i), masks, row_of_b, meanwhile);
            i += 6;
        }
        let t = t.down(i);
        match m - i {
            5 => tile::<V, 5, C, WHOLE>(t, masks, row_of_b, meanwhile),
            4 => tile::<V, 4, C, WHOLE>(t, masks, row_of_b, meanwhile),
            3 => tile::<V, 3, C, WHOLE>(t, masks, row_of_b, meanwhile),
            2 => tile::<V, 2, C, WHOLE>(t, masks, row_of_b, meanwhile),
            1 => tile::<V, 1, C, WHOLE>(t, masks, row_of_b, meanwhile),
            _ => {}
        }
    }
}

/// One row by C vectors: four steps along k side by side, because one row alone has too few sums to hide the latency.
///
/// # Safety
/// The task fits one row and C vectors, of the last of which only the lanes of `last`.
#[inline(always)]
unsafe fn one_row<V: Lanes, const C: usize>(t: Task<V::Number>, last: V::Mask) {
    // SAFETY: as the caller promises; only the last vector of a row may be cut, and is masked.
    unsafe {
        let mut sums = [[V::zero(); C]; 4];
        for p in (0..t.k / 4 * 4).step_by(4) {
            for (q, sums) in sums.iter_mut().enumerate() {
                row_step(sums, p + q, t, last);
            }
        }
        for p in t.k / 4 * 4..t.k {
            row_step(&mut sums[0], p, t, last);
        }
        let [one, two, three, four] = sums;
        for j in 0..C {
            let mask = if j + 1 == C { last } else { V::first(V::N) };
            let to = t.c.add(j * V::N);
            let sum = one[j].plus(three[j]).plus(two[j].plus(four[j]));
            let sum = if matches!(t.start, Start::C) { sum.plus(V::load_some(to, mask)) } else { sum };
            sum.store_some(to, mask);
        }
    }
}

/// One step along k of a row.
///
/// # Safety
/// As [`one_row`], and p < k.
#[inline(always)]
unsafe fn row_step<V: Lanes, const C: usize>(sums: &mut [V; C], p: usize, t: Task<V::Number>, last: V::Mask) {
    // SAFETY: as the caller promises, for this p.
    unsafe {
        let a = V::splat(*t.a.at.add(p * t.a.col));
        for (j, sum) in sums.iter_mut().enumerate() {
            let from = t.b.at.add(p * t.b.row + j * V::N);
            let b = if j + 1 == C { V::load_some(from, last) } else { V::load(from) };
            *sum = sum.plus_product(a, b);
        }
    }
}

/// A single row of `n`, in strips of four vectors.
///
/// # Safety
/// The task fits one row and `n` columns.
#[inline(always)]
unsafe fn row<V: Lanes>(n: usize, t: Task<V::Number>) {
    // SAFETY: a strip begins at j < n and has at most n - j columns.
    unsafe {
        for j in (0..n).step_by(4 * V::N) {
            let (t, left) = (t.right(j), n - j);
            let vectors = left.div_ceil(V::N).min(4);
            let last = V::first(left - (vectors - 1) * V::N);
            match vectors {
                4 => one_row::<V, 4>(t, last),
                3 => one_row::<V, 3>(t, last),
                2 => one_row::<V, 2>(t, last),
                _ => one_row::<V, 1>(t, last),
            }
        }
    }
}

/// A single row of `n` where the columns of B are contiguous: dot products, `N` side by side. `N` is that of `V`.
///
/// # Safety
/// The task fits one row and `n` columns; A's row and B's columns are contiguous.
#[inline(always)]
unsafe fn dots<V: Lanes, const N: usize>(n: usize, t: Task<V::Number>) {
    // SAFETY: a round begins at j < n, with n - j columns left; steps beyond k are masked.
    unsafe {
        for j in (0..n).step_by(N) {
            let mut sums = [V::zero(); N];
            let whole = t.k / N * N;
            for p in (0..whole).step_by(N) {
                dots_step(&mut sums, p, t.right(j), n - j, V::first(N));
            }
            if whole < t.k {
                dots_step(&mut sums, whole, t.right(j), n - j, V::first(t.k - whole));
            }
            let sum = added_up(sums);
            let (to, mask) = (t.c.add(j), V::first(n - j));
            let sum = if matches!(t.start, Start::C) { sum.plus(V::load_some(to, mask)) } else { sum };
            sum.store_some(to, mask);
        }
    }
}

/// The sums of the lanes of N vectors of N numbers: each round adds the halves of two vectors into one.
///
/// # Safety
/// The instruction set of V is there.
#[inline(always)]
unsafe fn added_up<V: Lanes, const N: usize>(mut sums: [V; N]) -> V {
    for half in (0..N.ilog2()).rev().map(|round| 1 << round) {
        for q in 0..half {
            // SAFETY: as the caller promises.
            unsafe {
                let [low, high] = sums[q].zip(sums[q + half]);
                sums[q] = low.plus(high);
            }
        }
    }
    sums[0]
}

/// A vector of steps along k of dot products; what is beyond the last column is computed, and not stored.
///
/// # Safety
/// As [`dots`] of `n` columns above 0, and A and each column of B have the mask's lanes from `p` on.
#[inline(always)]
unsafe fn dots_step<V: Lanes, const N: usize>(
    sums: &mut [V; N],
    p: usize,
    t: Task<V::Number>,
    n: usize,
    mask: V::Mask,
) {
    // SAFETY: q.min(n - 1) is a column, and the mask has no lane behind it.
    unsafe {
        let a = V::load_some(t.a.at.add(p), mask);
        for (q, sum) in sums.iter_mut().enumerate() {
            *sum = sum.plus_product(V::load_some(t.b.at.add(q.min(n - 1) * t.b.col + p), mask), a);
        }
    }
}

/// Copies `rows` x `cols` numbers to `to`, by rows of `width`; what is left of the last vector of a row becomes 0.
///
/// # Safety
/// Every number of `from` in `rows` x `cols` may be read, `rows` x `width` of `to` be written, and cols <= width. N is `V::N`,
/// and one stride of `from` is 1.
#[inline(always)]
unsafe fn copy<V: Lanes, const N: usize>(
    from: View<V::Number>,
    rows: usize,
    cols: usize,
    to: *mut V::Number,
    width: usize,
) {
    // SAFETY: i < rows and j < cols where something is read, and lanes beyond them are masked; a row of `to` ends at `width`.
    unsafe {
        for j in (0..cols).step_by(N) {
            let (some, whole) = (V::first(cols - j), V::first(width - j));
            if from.col == 1 {
                for i in 0..rows {
                    V::load_some(from.at.add(i * from.row + j), some)
                        .store_some(to.add(i * width + j), whole);
                }
                continue;
            }
            for i in (0..rows).step_by(N) {
                let some = V::first(rows - i);
                let mut x = [V::zero(); N];
                for (q, x) in x[..N.min(cols - j)].iter_mut().enumerate() {
                    *x = V::load_some(from.at.add(i + (j + q) * from.col), some);
                }
                for (q, x) in transpose(x)[..N.min(rows - i)].iter().enumerate() {
                    x.store_some(to.add((i + q) * width + j), whole);
                }
            }
        }
    }
}

/// N vectors of N numbers. A number's place is written in binary, vector before lane; each round turns it left by one
/// digit, until the two halves have changed places.
///
/// # Safety
/// The instruction set of V is there.
#[inline(always)]
unsafe fn transpose<V: Lanes, const N: usize>(mut x: [V; N]) -> [V; N] {
    for _ in 0..N.ilog2() {
        let mut turned = x;
        for i in 0..N / 2 {
            // SAFETY: as the caller promises.
            [turned[2 * i], turned[2 * i + 1]] = unsafe { x[i].zip(x[i + N / 2]) };
        }
        x = turned;
    }
    x
}

/// Asks for row `i` of a tile of C, if it has one.
#[inline(always)]
fn fetch_row<V: Lanes>(i: usize, c: *mut V::Number, c_row: usize, rows: usize) {
    if i < rows {
        let c = c.wrapping_add(i * c_row);
        fetch(c);
        fetch(c.wrapping_add(V::N));
    }
}

/// The columns of B that come after these, cache line by cache line: each tile that is computed here fetches its share.
#[derive(Clone, Copy)]
struct Next<T> {
    at: *const T,
    share: usize,
    down: usize,
    right: usize,
    wide: u32, // lines side by side: two to the power of this
}

impl<T> Next<T> {
    #[inline(always)]
    fn after(b: View<T>, k: usize, width: usize, tiles: usize) -> Self {
        let line = 64 / size_of::<T>();
        let at = b.at.wrapping_add(width * b.col);
        if b.col == 1 {
            let lines = (width / line).max(1); // of a row
            let share = (k * lines).div_ceil(tiles);
            Next { at, share, down: b.row, right: line, wide: lines.ilog2() }
        } else {
            let share = (k * width / line).div_ceil(tiles);
            Next { at, share, down: line, right: b.col, wide: width.ilog2() }
        }
    }
    #[inline(always)]
    fn fetch(self, tile: usize, i: usize) {
        if i < self.share {
            let i = tile * self.share + i;
            let (down, right) = (i >> self.wide, i & ((1 << self.wide) - 1));
            fetch(self.at.wrapping_add(down * self.down + right * self.right));
        }
    }
}

/// `m` x `n` numbers in strips of two vectors, in tiles of TWO rows; the last may be of one vector, in tiles of ONE.
///
/// # Safety
/// The task fits `m` rows and `n` columns, and B is stored by rows.
#[inline(always)]
unsafe fn strips<V: Lanes, const TWO: usize, const ONE: usize>(
    m: usize,
    n: usize,
    t: Task<V::Number>,
    row_of_b: impl Fn(usize) -> usize + Copy,
    meanwhile: impl Fn(usize, *mut V::Number) + Copy,
) {
    // SAFETY: a strip begins at j < n and has `left` columns, the last vector of which is masked unless it is whole.
    unsafe {
        let all = V::first(V::N);
        for j in (0..n).step_by(2 * V::N) {
            let (t, left) = (t.right(j), n - j);
            if left >= 2 * V::N {
                rows::<V, TWO, 2, true>(m, t, [all; 2], row_of_b, meanwhile); // a mask on a load takes the place of a multiply-add
            } else if left > V::N {
                let masks = [all, V::first(left - V::N)];
                if V::MASKS {
                    rows::<V, TWO, 2, false>(m, t, masks, row_of_b, meanwhile);
                } else {
                    rows::<V, 8, 2, false>(m, t, masks, row_of_b, meanwhile); // more sums would be kept in memory
                }
            } else {
                rows::<V, ONE, 1, false>(m, t, [V::first(left)], row_of_b, meanwhile);
            }
        }
    }
}

/// `m` x `n` numbers, of two vectors at most, where A stands in panels of R rows and B in rows of two vectors.
///
/// # Safety
/// The task fits `m` rows and `n` columns, at most two vectors, where A stands in panels of R rows, the last of them whole, and rows
/// of B are two vectors long, whatever `n` is.
#[inline(always)]
unsafe fn panels<V: Lanes, const R: usize>(m: usize, n: usize, t: Task<V::Number>, next: Next<V::Number>) {
    // SAFETY: panel i / R begins at i k and has R k numbers; of C only lanes below n are touched.
    unsafe {
        let masks = [V::first(n), V::first(n.saturating_sub(V::N))];
        for i in (0..m).step_by(R) {
            let a = View { at: t.a.at.add(i * t.k), row: 1, col: R };
            let t = Task { a, ..t.down(i) };
            let row_of_b = |p| p * t.b.row;
            let meanwhile = |p, _| {
                fetch(a.at.wrapping_add((p + 16) * R));
                if p % 4 == 0 {
                    fetch_row::<V>(p / 4, t.c, t.c_row, R);
                    next.fetch(i / R, p / 4);
                }
            };
            if !V::MASKS && n == 2 * V::N {
                rows::<V, R, 2, true>(R.min(m - i), t, [V::first(V::N); 2], row_of_b, meanwhile);
            } else {
                rows::<V, R, 2, true>(R.min(m - i), t, masks, row_of_b, meanwhile);
            }
        }
    }
}

/// The loops above, each compiled for an instruction set as a function of its own: in a common one, small products would
/// wait for what the compiler prepares for large ones.
///
/// # Safety
/// Each as the function of its name above.
trait Loops: Lanes {
    /// Rows of a tile of two vectors.
    const ROWS: usize;
    unsafe fn row(n: usize, t: Task<Self::Number>);
    unsafe fn dots(n: usize, t: Task<Self::Number>);
    unsafe fn strips(m: usize, n: usize, t: Task<Self::Number>);
    unsafe fn panels(m: usize, n: usize, t: Task<Self::Number>, next: Next<Self::Number>);
    unsafe fn copy(from: View<Self::Number>, rows: usize, cols: usize, to: *mut Self::Number, width: usize);
}

macro_rules! loops {
    ($features:literal, $V:ty, $T:ty, $N:literal, $TWO:literal, $ONE:literal, $TAPS:literal) => {
        impl Loops for $V {
            const ROWS: usize = $TWO;
            #[target_feature(enable = $features)]
            unsafe fn row(n: usize, t: Task<$T>) {
                // SAFETY: the caller promises what it needs, and the attribute names the instruction set.
                unsafe { row::<$V>(n, t) }
            }
            #[target_feature(enable = $features)]
            unsafe fn dots(n: usize, t: Task<$T>) {
                // SAFETY: the caller promises what it needs, and the attribute names the instruction set.
                unsafe { dots::<$V, $N>(n, t) }
            }
            #[target_feature(enable = $features)]
            unsafe fn strips(m: usize, n: usize, t: Task<$T>) {
                // SAFETY: the caller promises what it needs, and the attribute names the instruction set.
                unsafe { strips::<$V, $TWO, $ONE>(m, n, t, |p| p * t.b.row, |_, _| {}) }
            }
            #[target_feature(enable = $features)]
            unsafe fn panels(m: usize, n: usize, t: Task<$T>, next: Next<$T>) {
                // SAFETY: the caller promises what it needs, and the attribute names the instruction set.
                unsafe { panels::<$V, $TWO>(m, n, t, next) }
            }
            #[target_feature(enable = $features)]
            unsafe fn copy(from: View<$T>, rows: usize, cols: usize, to: *mut $T, width: usize) {
                // SAFETY: the caller promises what it needs, and the attribute names the instruction set.
                unsafe { copy::<$V, $N>(from, rows, cols, to, width) }
            }
        }
    };
}

instruction_sets!(loops);

/// K steps of a tile of A and of the columns of B that it meets stay in the first cache, M rows of A in the second.
const K: usize = 272;
const M: usize = 512;

/// How long the blocks are if they are at most so long, and as equal as can be.
fn block(n: usize, most: usize) -> usize {
    if n <= most { n } else { n.div_ceil(n.div_ceil(most)) }
}

/// Where the blocks begin.
fn cuts(n: usize, block: usize) -> impl Iterator<Item = usize> {
    (0..n).step_by(block)
}

/// In which blocks a product is computed: of so many steps along k, of rows, and of columns.
///
/// With `pack`, a block of A and as many columns of B as a tile has are copied, to be read in order. Else B is, where it is
/// not stored by rows.
#[derive(Clone, Copy)]
struct Blocks {
    pack: bool,
    copy_b: bool,
    k: usize,
    m: usize,
    n: usize,
}

impl Blocks {
    fn of<V: Loops>(m: usize, n: usize, t: Task<V::Number>, pack: bool) -> Self {
        let copy_b = pack || t.b.col != 1;
        Blocks {
            pack,
            copy_b,
            k: block(t.k, if pack { K } else { 4 * K }), // unpacked, B may come from the second cache
            m: block(m, M).next_multiple_of(V::ROWS),
            n: if copy_b { 2 * V::N } else { n },
        }
    }
    /// Room for the copies: of B, and of A.
    fn room(self) -> [usize; 2] {
        [if self.copy_b { self.k * self.n } else { 0 }, if self.pack { self.k * self.m } else { 0 }]
    }
}

/// C (+)= A B of `m` x `n` numbers, above 0 as `t.k` is, block by block; `scratch` has room for the copies.
///
/// # Safety
/// The task fits `m` rows and `n` columns, and `scratch` has at least the numbers of `blocks.room()`.
unsafe fn blocks<V: Loops>(
    m: usize,
    n: usize,
    t: Task<V::Number>,
    blocks: Blocks,
    scratch: &mut [V::Number],
) {
    let (columns, panels) = scratch.split_at_mut(blocks.room()[0]);
    let (columns, panels) = (columns.as_mut_ptr(), panels.as_mut_ptr());
    for p in cuts(t.k, blocks.k) {
        for i in cuts(m, blocks.m) {
            // SAFETY: a block begins at p < k, i < m, j < n and ends with the task; the copies take blocks.k times blocks.n and,
            // as blocks.m is a multiple of the rows of a panel, at most blocks.k times blocks.m numbers: the room that there is.
            unsafe {
                let (k, m) = (blocks.k.min(t.k - p), blocks.m.min(m - i));
                let t = Task {
                    k,
                    a: t.a.from(i, p),
                    b: t.b.from(p, 0),
                    start: if p > 0 { Start::C } else { t.start },
                    ..t
                };
                let mut t = Task { c: t.c.wrapping_add(i * t.c_row), ..t };
                if blocks.pack {
                    for r in cuts(m, V::ROWS) {
                        V::copy(t.a.from(r, 0).t(), k, V::ROWS.min(m - r), panels.add(r * k), V::ROWS);
                    }
                    t.a.at = panels;
                }
                for j in cuts(n, blocks.n) {
                    let (mut t, n) = (t.right(j), blocks.n.min(n - j));
                    let next = t.b;
                    if blocks.copy_b {
                        V::copy(t.b, k, n, columns, blocks.n);
                        t.b = View { at: columns, row: blocks.n, col: 1 };
                    }
                    if blocks.pack {
                        V::panels(m, n, t, Next::after(next, k, blocks.n, m.div_ceil(V::ROWS)));
                    } else {
                        V::strips(m, n, t);
                    }
                }
            }
        }
    }
}

/// How many multiplications take five microseconds or more.
const PIECE: usize = 400_000;

/// A task of which several threads compute different parts of C.
struct Parted<T>(Task<T>);
// SAFETY: no part of C belongs to two threads, and A and B are only read.
unsafe impl<T: Sync> Sync for Parted<T> {}

impl<T: Copy> Parted<T> {
    fn task(&self) -> Task<T> {
        self.0
    }
}

/// [`blocks`] by several threads, if that pays: each computes rows of C, or columns if there are more of them. How a number's
/// products are added does not depend on where C is cut.
///
/// # Safety
/// The task fits `m` rows and `n` columns, above 0 as k is.
unsafe fn in_parts<V: Loops>(
    m: usize,
    n: usize,
    t: Task<V::Number>,
    pack: bool,
    scratch: &mut Buf<V::Number>,
) {
    let parts = threads::number_of_parts(m.saturating_mul(t.k).saturating_mul(n) / PIECE);
    let (by_rows, tile) = (m > n, [V::ROWS, 2 * V::N]);
    let part = |size: usize, tile: usize| size.div_ceil(parts).next_multiple_of(tile);
    let (down, right) = if by_rows { (part(m, tile[0]), n) } else { (m, part(n, tile[1])) };
    let plan = Blocks::of::<V>(down.min(m), right.min(n), t, pack);
    let room = plan.room().iter().sum();
    let t = Parted(t);
    let count = m.div_ceil(down) * n.div_ceil(right); // at most `parts`
    threads::for_each_part(count, scratch.at_least(count * room), room, |i, scratch| {
        let (i, j) = if by_rows { (i * down, 0) } else { (0, i * right) };
        let t = t.task().down(i).right(j);
        // SAFETY: i < m and j < n, so these rows or columns are part of a task that fits; no other part writes to them, and
        // `plan`, made for the largest part, has room for this one.
        unsafe { blocks::<V>(down.min(m - i), right.min(n - j), t, plan, scratch) }
    });
}

/// C (+)= A B, of sizes above 0.
///
/// # Safety
/// The instruction set of V is there, and `sizes(a, b, c.len())` has been checked.
#[inline(always)]
unsafe fn product<V: Loops>(
    a: Mat<V::Number>,
    b: Mat<V::Number>,
    c: &mut [V::Number],
    add: bool,
    scratch: &mut Buf<V::Number>,
) {
    // a column is stored as a row is, and is one: of the transposes
    let (a, b) = if b.size()[1] == 1 { (b.t(), a.t()) } else { (a, b) };
    let ([m, k], [_, n]) = (a.size(), b.size());
    let (a, b, c) = (View::of(a), View::of(b), c.as_mut_ptr());
    let start = if add { Start::C } else { Start::Nothing };
    let t = Task { k, a, b, c, c_row: n, start };
    let work = m.saturating_mul(k).saturating_mul(n);
    // SAFETY: the task fits m rows and n columns, as the sizes do; a single row and a single column are contiguous, and of B, where
    // its columns are not next to each other, the rows are. `wide` has m n numbers, and is C transposed.
    unsafe {
        if m == 1 && b.col == 1 {
            V::row(n, t);
        } else if m == 1 {
            V::dots(n, t);
        } else if n < V::N && n < m && k > 2 * V::N && a.row == 1 {
            // a narrow C leaves lanes idle; its transpose is wide
            let wide = scratch.at_least(m * n).as_mut_ptr();
            if add {
                V::copy(View { at: c, row: 1, col: n }, n, m, wide, m);
            }
            let t = Task { a: b.t(), b: a.t(), c: wide, c_row: m, ..t };
            in_parts::<V>(n, m, t, false, &mut Buf::new(0)); // nothing is copied
            V::copy(View { at: wide, row: 1, col: m }, m, n, c, n);
        } else {
            let pack = match a.row {
                1 => n >= 128 && work > 8_000_000, // each step along k is a row away
                _ => n >= 512 && work > 32_000_000,
            };
            if pack || b.col != 1 || k > 4 * K || m > M || work > 2 * PIECE {
                in_parts::<V>(m, n, t, pack, scratch);
            } else {
                V::strips(m, n, t); // a single block, of which nothing is copied
            }
        }
    }
}

macro_rules! products {
    ($T:ident) => {
        /// c = A B or c += A B; `false` if this machine has no instruction set for it, and nothing was done.
        #[track_caller]
        pub(crate) fn $T(a: Mat<$T>, b: Mat<$T>, c: &mut [$T], add: bool, scratch: &mut Buf<$T>) -> bool {
            if !is_there() {
                return false;
            }
            let [_, k, _] = sizes(a, b, c.len());
            if k == 0 || c.is_empty() {
                if !add {
                    c.fill(0.0);
                }
                return true;
            }
            // SAFETY: the instruction set is there, and `sizes` has checked that the factors and C fit.
            unsafe { widest!($T, V => product::<V>(a, b, c, add, scratch)) }
            true
        }
    };
}

products!(f32);
products!(f64);

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::simd::choice;
    use std::arch::x86_64::{__m256, __m512};

    /// Runs the AVX2 twin on a machine that would choose AVX-512.
    #[test]
    fn the_narrow_tiles_agree_with_the_wide() {
        if choice::level() != choice::AVX512 {
            return; // then every other test runs them
        }
        for (m, k, n) in
            [(1, 5, 40), (7, 9, 33), (13, 20, 8), (14, 3, 1), (30, 64, 17), (40, 40, 3), (130, 300, 530)]
        {
            let number = |i: usize| ((i * 7) % 11) as f32 - 5.0;
            let a: Vec<f32> = (0..m * k).map(number).collect();
            let b: Vec<f32> = (0..k * n).map(|i| number(i + 3)).collect();
            for a in [Mat::new(&a, m, k), Mat::new(&a, k, m).t()] {
                for b in [Mat::new(&b, k, n), Mat::new(&b, n, k).t()] {
                    let [mut narrow, mut wide] = [(); 2].map(|()| vec![0.5f32; m * n]);
                    // SAFETY: the slices are as long as the sizes say, and AVX-512 machines have AVX2.
                    unsafe {
                        product::<__m256>(a, b, &mut narrow, true, &mut Buf::new(0));
                        product::<__m512>(a, b, &mut wide, true, &mut Buf::new(0));
                    }
                    assert!(narrow == wide, "[{m}, {k}] x [{k}, {n}]");
                }
            }
        }
    }
}
