//! Softmax, its logarithm, and the logarithm of its denominator along an axis, in the form that keeps every digit.
//!
//! With m the largest x of a row, at place k: e_j = exp(x_j - m), S = the sum of e_j over j ≠ k. Leaving the maximum, whose
//! e is exactly 1, out of the sum keeps what the others contribute: 1 - p_k = S / (1 + S) is right to the last digits
//! where subtracting p_k from 1 gives 0 from a gap of 17 on in `f32`, and ln(1 + S) is `ln_1p(S)`.
//!
//! x_j - m is rounded, and half an ULP in the argument is an error of |x_j - m| / 2 ULP in its exponential: 25 at a gap of 50.
//! [`difference`] also gives what the rounding lost, and e^(d + lost) = e^d + e^d lost puts it back.

use surprisal_formula_macro::math;

use super::axis::{self, Parts, along};
use super::by_name::{self, Signature};
use super::rows::shape_of_rows;
use crate::op::{Backward, Card, Forward, Op, Shapes};
use crate::sum::{sum_by, sum_of, sum_rows};
use crate::threads::{HEAVY, Rows, for_each, rows_of};
use crate::{Scalar, Shape, ShapeError, Var};

/// Softmax: the probabilities of logits; along the axis they are positive and sum to 1.
///
#[doc = math!("p_i = e^x_i / Σ_j e^x_j")]
#[doc = math!("dx_i = p_i (dy_i - Σ_j dy_j p_j)")]
#[derive(Clone, Copy, Debug)]
pub struct Softmax {
    /// The axis, from the front (0, 1, ..) or the back (-1, ..).
    pub axis: isize,
}

/// The logarithm of softmax, without forming it: minus this is the surprise at each class.
///
#[doc = math!("y_i = x_i - ln Σ_j e^x_j")]
#[doc = math!("dx_i = dy_i - p_i Σ_j dy_j")]
///
/// The two terms of the gradient cancel where all dy are nearly equal: then it has an error of a few roundings of dy, not of its own
/// size. The fused losses do not compute it from these terms.
#[derive(Clone, Copy, Debug)]
pub struct LogSoftmax {
    /// The axis, from the front (0, 1, ..) or the back (-1, ..).
    pub axis: isize,
}

impl Softmax {
    /// The card of the operation.
    pub const CARD: Card = Card {
        name: "softmax",
        inputs: "x",
        forward: "e^x_i / Σ_j e^x_j",
        backward: "p_i (dy_i - Σ_j dy_j p_j)",
        story: "Turns scores into probabilities; each probability's gradient is felt by every score of its row.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X,
        settings: &[by_name::LAST_AXIS],
        run: |given| given.record(Softmax { axis: given.axis()? }),
    };
}
impl LogSoftmax {
    /// The card of the operation.
    pub const CARD: Card = Card {
        name: "log_softmax",
        inputs: "x",
        forward: "x_i - ln Σ_j e^x_j",
        backward: "dy_i - p_i Σ_j dy_j",
        story: "The logarithm of softmax, exact where softmax itself rounds to 0 or 1.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X,
        settings: &[by_name::LAST_AXIS],
        run: |given| given.record(LogSoftmax { axis: given.axis()? }),
    };
}

/// What [`exp_rows`] knows of one row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row<T> {
    /// k, a place of the largest x.
    pub argmax: usize,
    /// m, the largest x.
    pub max: T,
    /// e_k
    pub top: T,
    /// S, the sum of e_j over the others.
    pub rest: T,
    /// e_k + S
    pub total: T,
    /// ln(1 + S / e_k): the logarithm of the softmax's denominator, above m.
    pub log_total: T,
}

impl<T: Scalar> Row<T> {
    /// -ln p of a class with score x: L - (x - m), the last rounding's loss put back.
    #[inline(always)]
    pub fn surprise(&self, x: T) -> T {
        let (d, lost) = difference(x, self.max);
        (self.log_total - lost) - d
    }
}

/// x - m, and what rounding it lost (0 where either is infinite): the two-sum of Knuth.
///
/// Source: Knuth, *The Art of Computer Programming* 2 (1997), 4.2.2, theorem B.
#[inline(always)]
pub fn difference<T: Scalar>(x: T, m: T) -> (T, T) {
    let d = x - m;
    let b = d - x;
    let lost = (x - (d - b)) + (-m - b);
    (d, if d > T::of(f64::NEG_INFINITY) { lost } else { T::ZERO })
}

/// e^(x - m), for x at most m.
#[inline(always)]
fn exp_difference<T: Scalar>(x: T, m: T) -> T {
    let (d, lost) = difference(x, m);
    let e = d.exp();
    e + e * lost
}

/// So many short rows are taken at once, or as many as have 2048 numbers: what is done to each number, and once to each row, then
/// vectorizes.
pub const ROWS: usize = 64;
const NUMBERS: usize = 2048;

/// How many numbers the rows have that are taken at once. `classes` must not be 0.
#[inline(always)]
pub fn at_once(classes: usize) -> usize {
    (NUMBERS / classes).clamp(1, ROWS) * classes
}

crate::in_kernels! {
    /// For rows of x, as many as [`at_once`] says: writes numbers e_j that are to each other, in each row, as the exponentials e^x_j, the
    /// largest being near 1 or above. To be inlined into a kernel.
    pub fn exponentials<T: Scalar>(x: &[T], classes: usize, e: &mut [T]) {
        // a bound from below for the rows' largest: mostly any number of each row will do
        if T::exp_shifted(x, least(x, classes, |x| x[0]), e)
            || T::exp_shifted(x, least(x, classes, |x| maximum(x).1), e)
        {
            return;
        }
        for (x, e) in x.chunks_exact(classes).zip(e.chunks_exact_mut(classes)) {
            let (_, max) = maximum(x);
            for (e, &x) in e.iter_mut().zip(x) {
                *e = exp_difference(x, max);
            }
        }
    }
}

/// The least of one number of each row; NaN is left out.
#[inline(always)]
fn least<T: Scalar>(x: &[T], classes: usize, of_row: impl Fn(&[T]) -> T) -> T {
    let infinity = T::of(f64::INFINITY);
    let mut least = [infinity; ROWS];
    for (least, x) in least.iter_mut().zip(x.chunks_exact(classes)) {
        let x = of_row(x);
        *least = if x < infinity { x } else { infinity };
    }
    halved(least, |a, b| if b < a { b } else { a })
}

/// For every row of x: writes [`exponentials`] e, and gives (number of the row, x, e, [`Row`]) to `each`, which may change e.
///
/// Inlined into its caller, so that a kernel vectorizes it. `classes` must not be 0.
#[inline(always)]
pub fn exp_rows<T: Scalar>(
    x: &[T],
    classes: usize,
    e: &mut [T],
    mut each: impl FnMut(usize, &[T], &mut [T], Row<T>),
) {
    let n = at_once(classes);
    for (chunk, (x, e)) in x.chunks(n).zip(e.chunks_mut(n)).enumerate() {
        let rows = softmax_rows(x, classes, e);
        for (i, (x, e)) in x.chunks_exact(classes).zip(e.chunks_exact_mut(classes)).enumerate() {
            let (argmax, max, top, rest, log_total) =
                (rows.argmax[i], rows.max[i], rows.top[i], rows.rest[i], rows.log_total[i]);
            let row = Row { argmax, max, top, rest, total: top + rest, log_total };
            each(chunk * (n / classes) + i, x, e, row);
        }
    }
}

/// A [`Row`] of each of several rows.
struct SoftmaxRows<T> {
    argmax: [usize; ROWS],
    max: [T; ROWS],
    top: [T; ROWS],
    rest: [T; ROWS],
    log_total: [T; ROWS],
}

crate::kernel! {
    /// Called by other kernels: a part of each of them would be a hundred times as much code.
    fn softmax_rows<T: Scalar>(x: &[T], classes: usize, e: &mut [T]) -> SoftmaxRows<T> {
        exponentials(x, classes, e);
        let (mut argmax, mut max) = ([0; ROWS], [T::ZERO; ROWS]);
        for ((x, argmax), max) in x.chunks_exact(classes).zip(&mut argmax).zip(&mut max) {
            (*argmax, *max) = maximum(x);
        }
        let (mut top, mut rest, mut log_total) = ([T::ONE; ROWS], [T::ZERO; ROWS], [T::ZERO; ROWS]);
        take_out(e, classes, &argmax, &mut top, &mut rest);
        for ((e, &k), &top) in e.chunks_exact_mut(classes).zip(&argmax).zip(&top) {
            e[k] = top;
        }
        for ((log, &top), &rest) in log_total.iter_mut().zip(&top).zip(&rest) {
            *log = (rest / top).ln_1p();
        }
        SoftmaxRows { argmax, max, top, rest, log_total }
    }
}

crate::in_kernels! {
    /// Takes the kth number out of each row, leaving 0, and sums the others.
    pub fn take_out<T: Scalar>(x: &mut [T], n: usize, k: &[usize], taken: &mut [T], others: &mut [T]) {
        for ((x, &k), taken) in x.chunks_exact_mut(n).zip(k).zip(taken) {
            *taken = std::mem::replace(&mut x[k], T::ZERO);
        }
        sum_rows(x, n, others); // in a loop of its own: a number just stored would have to be waited for
    }
}

crate::in_kernels! {
    /// The index of a largest number of a row, and that number.
    pub fn maximum<T: Scalar>(x: &[T]) -> (usize, T) {
        if x.len() < 64 { side_by_side::<T, 4>(x) } else { side_by_side::<T, 16>(x) }
    }
}

/// One of N by halves: those of the upper half with those of the lower.
#[inline(always)]
fn halved<T: Copy, const N: usize>(mut of: [T; N], f: impl Fn(T, T) -> T) -> T {
    let mut half = N / 2;
    while half > 0 {
        for l in 0..half {
            of[l] = f(of[l], of[l + half]);
        }
        half /= 2;
    }
    of[0]
}

/// The bits of a place beside those of its lane, of which there are 16 at most.
const LOW: u32 = u32::MAX >> 4;

/// N maxima, each of every Nth number, and the largest of these and of what does not fill all N.
#[inline(always)]
fn side_by_side<T: Scalar, const N: usize>(x: &[T]) -> (usize, T) {
    let (mut place, mut max) = ([0u32; N], [x[0]; N]);
    let (chunks, rest) = x.as_chunks::<N>();
    for (j, chunk) in chunks.iter().enumerate() {
        for l in 0..N {
            let larger = chunk[l] > max[l];
            place[l] = if larger { j as u32 } else { place[l] };
            max[l] = if larger { chunk[l] } else { max[l] };
        }
    }
    let largest = halved(max, |a, b| if b > a { b } else { a });
    // of equal ones that whose lane comes first in the order of reversed bits, which the upper bits have
    for (l, place) in place.iter_mut().enumerate() {
        let rank = (l as u32).reverse_bits();
        *place = if max[l] < largest { u32::MAX } else { rank | *place };
    }
    let place = halved(place, |a, b| if b < a { b } else { a });
    let lane = (place & !LOW).reverse_bits();
    let first = (((place & LOW) as usize) * N + lane as usize, largest);
    let rest = (chunks.len() * N..).zip(rest);
    rest.fold(first, |(k, max), (j, &x)| if x > max { (j, x) } else { (k, max) })
}

crate::kernel! {
    fn softmax<T: Scalar>(x: &[T], classes: usize, p: &mut [T]) {
        let n = at_once(classes);
        for (x, p) in x.chunks(n).zip(p.chunks_mut(n)) {
            exponentials(x, classes, p);
            let mut totals = [T::ONE; ROWS];
            sum_rows(p, classes, &mut totals);
            for (p, &total) in p.chunks_exact_mut(classes).zip(&totals) {
                for p in p.iter_mut() { *p = *p / total }
            }
        }
    }
}
crate::kernel! {
    /// With D = Σ_{j≠k} p_j (dy_j - dy_k): dx_i = p_i (dy_i - dy_k) - p_i D. Nothing near 1 is subtracted from 1.
    fn softmax_back<T: Scalar>(p: &[T], dy: &[T], classes: usize, dx: &mut [T]) {
        let rows = p.chunks_exact(classes).zip(dy.chunks_exact(classes)).zip(dx.chunks_exact_mut(classes));
        for ((p, dy), dx) in rows {
            let (k, _) = maximum(p);
            let top = dy[k];
            for ((dx, &p), &dy) in dx.iter_mut().zip(p).zip(dy) { *dx = p * (dy - top) }
            let d = sum_of(dx);
            for (dx, &p) in dx.iter_mut().zip(p) { *dx -= p * d }
        }
    }
}
crate::kernel! {
    /// Of each row `kept` gets the place of the largest x.
    fn log_softmax<T: Scalar>(x: &[T], classes: usize, y: &mut [T], kept: &mut [T]) {
        exp_rows(x, classes, y, |i, x, y, row| {
            for (y, &x) in y.iter_mut().zip(x) { *y = -row.surprise(x) }
            kept[i] = T::of(row.argmax as f64);
        });
    }
}
crate::kernel! {
    /// dx_i = dy_i - p_i Σ dy; at the most probable class k, where p may be near 1: dy_k (1 - p_k) - p_k Σ_{j≠k} dy_j. The exponentials are
    /// computed once more: e^y_i would carry the rounding of y, and to keep p takes longer.
    fn log_softmax_back<T: Scalar>(x: &[T], dy: &[T], kept: &[T], classes: usize, dx: &mut [T]) {
        let n = at_once(classes);
        let mut copy = [T::ZERO; NUMBERS];
        for (((x, dy), dx), kept) in x.chunks(n).zip(dy.chunks(n)).zip(dx.chunks_mut(n)).zip(kept.chunks(n / classes)) {
            exponentials(x, classes, dx);
            let mut argmax = [0; ROWS];
            let [mut top, mut rest, mut dy_top, mut others] = [[T::ZERO; ROWS]; 4];
            for ((x, k), kept) in x.chunks_exact(classes).zip(&mut argmax).zip(kept) {
                *k = if classes <= EXACT { kept.value() as usize } else { maximum(x).0 };
            }
            take_out(dx, classes, &argmax, &mut top, &mut rest);
            match copy.get_mut(..dy.len()) {
                Some(copy) => {
                    copy.copy_from_slice(dy);
                    take_out(copy, classes, &argmax, &mut dy_top, &mut others);
                }
                None => (dy_top[0], others[0]) = (dy[argmax[0]], sum_but(dy, argmax[0])), // one row
            }
            let rows = dy.chunks_exact(classes).zip(dx.chunks_exact_mut(classes));
            for (i, (dy, dx)) in rows.enumerate() {
                let (k, dy_top, others, total) = (argmax[i], dy_top[i], others[i], top[i] + rest[i]);
                let factor = (dy_top + others) / total;
                for (dx, &dy) in dx.iter_mut().zip(dy) { *dx = dy - *dx * factor }
                dx[k] = dy_top * (rest[i] / total) - top[i] / total * others;
            }
        }
    }
}

crate::in_kernels! {
    /// The sum of a row without its kth number.
    pub fn sum_but<T: Scalar>(x: &[T], k: usize) -> T {
        sum_of(&x[..k]) + sum_of(&x[k + 1..])
    }
}

/// All places below this are exact in `f32`.
const EXACT: usize = 1 << 24;

/// The input as `[outer, classes, inner]`; `None` if there is nothing to compute.
fn parts(shape: &Shape, axis: isize) -> Option<Parts> {
    let parts = shape.around(shape.axis(axis).ok()?);
    (shape.len() > 0).then_some(parts)
}

fn shape(inputs: Shapes, axis: isize) -> Result<Shape, ShapeError> {
    let shape = inputs.shape(0);
    shape.axis(axis)?;
    Ok(*shape)
}

impl Op for Softmax {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        shape(inputs, self.axis)
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let Some(parts) = parts(f.inputs.shape(0), self.axis) else { return };
        let n = parts.1;
        along(parts, [f.inputs.x(0)], f.y, &mut f.room.scratch, |[x], y| {
            for_each((Rows(x, n), Rows(y, n)), rows_of(HEAVY, n), |_, (x, y)| softmax(x.0, n, y.0));
        });
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let Some(parts) = parts(b.inputs.shape(0), self.axis) else { return };
        let (y, dy) = (b.y, b.dy);
        if let Some(dx) = b.dx(0) {
            dx.add_filled(|dx, room| {
                let n = parts.1;
                along(parts, [y, dy], dx, &mut room.scratch, |[p, dy], dx| {
                    for_each((Rows(p, n), Rows(dy, n), Rows(dx, n)), rows_of(HEAVY, n), |_, (p, dy, dx)| {
                        softmax_back(p.0, dy.0, n, dx.0);
                    });
                });
            });
        }
    }
}

impl Op for LogSoftmax {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        shape(inputs, self.axis)
    }
    fn memo(&self, inputs: Shapes) -> usize {
        parts(inputs.shape(0), self.axis).map_or(0, |(outer, _, inner)| outer * inner)
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let Some(parts) = parts(f.inputs.shape(0), self.axis) else { return };
        let n = parts.1;
        along(parts, [f.inputs.x(0)], f.y, &mut f.room.scratch, |[x], y| {
            let parts = (Rows(x, n), Rows(y, n), &mut *f.memo);
            for_each(parts, rows_of(HEAVY, n), |_, (x, y, kept)| log_softmax(x.0, n, y.0, kept));
        });
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let Some(parts) = parts(b.inputs.shape(0), self.axis) else { return };
        let (x, dy, kept) = (b.x(0), b.dy, b.memo);
        if let Some(dx) = b.dx(0) {
            dx.add_filled(|dx, room| {
                let n = parts.1;
                along(parts, [x, dy], dx, &mut room.scratch, |[x, dy], dx| {
                    let parts = (Rows(x, n), Rows(dy, n), Rows(dx, n), kept);
                    for_each(parts, rows_of(HEAVY, n), |_, (x, dy, dx, kept)| {
                        log_softmax_back(x.0, dy.0, kept, n, dx.0);
                    });
                });
            });
        }
    }
}

/// The logarithm of a sum of exponentials: a smooth maximum, and what [`LogSoftmax`] subtracts.
///
#[doc = math!("y = ln Σ_j e^x_j = m + ln(1 + S)")]
#[doc = math!("dx_j = dy e_j / (1 + S)")]
///
/// Not `e^(x_j - y)`, which would carry the rounding of y.
#[derive(Clone, Copy, Debug)]
pub struct LogSumExp {
    /// The axis, from the front (0, 1, ..) or the back (-1, ..); `None` takes everything as one row.
    pub axis: Option<isize>,
}

impl LogSumExp {
    /// The card of the operation.
    pub const CARD: Card = Card {
        name: "logsumexp",
        inputs: "x",
        forward: "ln Σ_j e^x_j",
        backward: "e^x_i / Σ_j e^x_j dy",
        story: "A smooth maximum: every x gets the share of the gradient that it has in the sum.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X,
        settings: &[by_name::ANY_AXIS],
        run: |given| given.record(LogSumExp { axis: given.find_axis() }),
    };
}

crate::kernel! {
    /// y, and what its gradient is made of: the exponentials, and their total in each row.
    fn logsumexp<T: Scalar>(x: &[T], n: usize, e: &mut [T], totals: &mut [T], y: &mut [T]) {
        exp_rows(x, n, e, |i, x, e, row| {
            (y[i], totals[i]) = (row.max + row.log_total, row.total);
            // where the two all but cancel, what their rounding lost is all there is: it is put back from a sum in f64
            if y[i].abs() < T::of(0.0625) * row.max.abs() {
                y[i] += T::of(in_f64(x) - y[i].value());
            }
            if row.max.value().is_infinite() {
                y[i] = row.max; // every x is -inf, or one is inf
            }
            if row.max.value() == f64::NEG_INFINITY {
                e.fill(T::ZERO); // no x is the largest, and there is no gradient
                totals[i] = T::ONE;
            }
        });
    }
}
crate::kernel! {
    fn logsumexp_back<T: Scalar>(e: &[T], n: usize, totals: &[T], dy: &[T], dx: &mut [T]) {
        let rows = e.chunks_exact(n).zip(dx.chunks_exact_mut(n));
        for ((e, dx), (&total, &dy)) in rows.zip(totals.iter().zip(dy)) {
            for (dx, &e) in dx.iter_mut().zip(e) { *dx = e / total * dy }
        }
    }
}

/// ln Σ e^x, whatever the numbers are; away from the hot path.
#[cold]
fn in_f64<T: Scalar>(x: &[T]) -> f64 {
    sum_by(x.len(), |i| x[i].value().exp()).ln()
}

impl Op for LogSumExp {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        shape_of_rows(inputs.shape(0), self.axis, 1)
    }
    fn memo(&self, inputs: Shapes) -> usize {
        let shape = inputs.shape(0);
        // the exponentials, by rows, and their total in each row
        axis::parts(shape, self.axis).map_or(0, |(outer, _, inner)| shape.len() + outer * inner)
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let Ok(parts) = axis::parts(f.inputs.shape(0), self.axis) else { return };
        let (e, totals) = f.memo.split_at_mut(f.inputs.x(0).len());
        logsumexp(axis::rows(parts, f.inputs.x(0), &mut f.room.scratch), parts.1, e, totals, f.y);
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let Ok(parts) = axis::parts(b.inputs.shape(0), self.axis) else { return };
        let ((e, totals), dy) = (b.memo.split_at(b.x(0).len()), b.dy);
        if let Some(dx) = b.dx(0) {
            dx.add_filled(|dx, room| {
                along(parts, [], dx, &mut room.scratch, |[], dx| logsumexp_back(e, parts.1, totals, dy, dx));
            });
        }
    }
}

macro_rules! try_apply { ($($Type:ident)+) => { $(
    impl $Type {
        /// Records it; not compiled again where it is called.
        ///
        /// # Errors
        /// If there is no such axis, or there are no numbers along it.
        #[track_caller]
        pub fn try_apply<'t>(self, x: Var<'t>) -> Result<Var<'t>, ShapeError> { x.tape().try_apply(self, [x]) }
    }
)+ } }
try_apply!(Softmax LogSoftmax LogSumExp);

impl<'t> Var<'t> {
    /// Softmax: the probabilities of logits along an axis (-1: the last).
    ///
    #[doc = math!("p_i = e^x_i / Σ_j e^x_j")]
    #[doc = math!("dx_i = p_i (dy_i - Σ_j dy_j p_j)")]
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let odds = tape.input(&array![[3.0, 1.0], [1.0, 1.0]]);
    /// assert_eq!(odds.ln().softmax(-1).value(), array![[0.75, 0.25], [0.5, 0.5]].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis.
    #[track_caller]
    pub fn softmax(self, axis: isize) -> Var<'t> {
        self.tape().apply(Softmax { axis }, [self])
    }
    /// The logarithm of [`softmax`](Self::softmax), exact where softmax itself would round to 0 or 1.
    ///
    #[doc = math!("y_i = x_i - ln Σ_j e^x_j")]
    #[doc = math!("dx_i = dy_i - p_i Σ_j dy_j")]
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let z = tape.input(&array![0.0, 1000.0]);
    /// assert_eq!(z.log_softmax(-1).value(), array![-1000.0, 0.0].into_dyn());
    /// assert_eq!(z.softmax(-1).ln().value()[0], f64::NEG_INFINITY); // what it avoids
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis.
    #[track_caller]
    pub fn log_softmax(self, axis: isize) -> Var<'t> {
        self.tape().apply(LogSoftmax { axis }, [self])
    }
    /// The smooth maximum, where no e^x overflows. Its gradient is softmax.
    ///
    #[doc = math!("y = ln Σ_j e^x_j")]
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![1000.0, 1000.0]).requires_grad();
    /// let y = x.logsumexp();
    /// y.backward();
    /// assert_eq!(y.item(), 1000.0 + 2f64.ln()); // e^1000 alone is infinite
    /// assert_eq!(x.grad(), Some(array![0.5, 0.5].into_dyn()));
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there are no numbers.
    #[track_caller]
    pub fn logsumexp(self) -> Var<'t> {
        self.tape().apply(LogSumExp { axis: None }, [self])
    }
    /// [`logsumexp`](Self::logsumexp) along one axis, which disappears. Negative axes count from the back.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[0.0, 0.0], [5.0, -1e9]]);
    /// assert_eq!(x.logsumexp_axis(1).value(), array![2f64.ln(), 5.0].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis, or if there are no numbers along it.
    #[track_caller]
    pub fn logsumexp_axis(self, axis: isize) -> Var<'t> {
        self.tape().apply(LogSumExp { axis: Some(axis) }, [self])
    }
    /// ln Σ e^x along several axes, which disappear: see [`merge_axes`](Self::merge_axes).
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::Array3};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let maps = tape.input(&Array3::<f64>::zeros((2, 3, 4)));
    /// assert_eq!(maps.logsumexp_axes(&[1, 2]).value().as_slice(), Some(&[12f64.ln(); 2][..]));
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis, or one is named twice, or there is nothing along them.
    #[track_caller]
    pub fn logsumexp_axes(self, axes: &[isize]) -> Var<'t> {
        self.merge_axes(axes).logsumexp_axis(-1)
    }
}

#[cfg(test)]
mod tests {
    use super::maximum;

    #[test]
    fn a_largest_number_is_found_wherever_it_stands() {
        for n in (1..70).chain([127, 300]) {
            for k in 0..n {
                let mut x = Vec::from_iter((0..n).map(|i| (i as f32 * 0.37).sin()));
                (x[(k + 16) % n], x[k]) = (2.0, 2.0); // two are equal
                let (found, max) = maximum(&x);
                assert_eq!((max, x[found]), (2.0, 2.0), "{n} {k}");
                x[k] = f32::NAN; // passed over, but in the first place
                let (found, max) = maximum(&x);
                assert!(
                    x[found].to_bits() == max.to_bits() && max.is_nan() == (k == 0),
                    "{n} {k} {found} {max}"
                );
            }
        }
    }
}
