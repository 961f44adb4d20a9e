//! Softmax, its logarithm, and the logarithm of its denominator along an axis, in the form that keeps every digit.
//!
//! With m the largest x of a row, at place k: e_j = exp(x_j - m), S = the sum of e_j over j ≠ k. Leaving the maximum, whose
//! e is exactly 1, out of the sum keeps what the others contribute: 1 - p_k = S / (1 + S) is right to the last digits
//! where subtracting p_k from 1 gives 0 from a gap of 17 on in `f32`, and ln(1 + S) is `ln_1p(S)`.
//!
//! x_j - m is rounded, and half an ULP in the argument is an error of |x_j - m| / 2 ULP in its exponential: 25 at a gap of 50.
//! [`difference`] also gives what the rounding lost, and e^(d + lost) = e^d + e^d lost puts it back.

use super::axis::{Parts, along};
use super::rows::{RowFunction, reductions};
use crate::op::{Backward, Card, Forward, Inputs, Op};
use crate::sum::{sum_by, sum_filled, sum_of};
use crate::threads::{HEAVY, Rows, for_each, rows_of};
use crate::{Scalar, Shape, ShapeError, Var};

/// The probabilities that belong to log-odds: along the axis they are positive and sum to 1.
///
/// `p_i = e^x_i / Σ_j e^x_j`, `dx_i = p_i (dy_i - Σ_j dy_j p_j)`.
#[derive(Clone, Copy, Debug)]
pub struct Softmax {
    /// The axis, from the front (0, 1, ..) or the back (-1, ..).
    pub axis: isize,
}

/// The logarithm of softmax, without forming it: minus this is the surprise at each class.
///
/// `y_i = x_i - ln Σ_j e^x_j`, `dx_i = dy_i - p_i Σ_j dy_j`.
#[derive(Clone, Copy, Debug)]
pub struct LogSoftmax {
    /// The axis, from the front (0, 1, ..) or the back (-1, ..).
    pub axis: isize,
}

impl Softmax {
    /// What the operation says of itself.
    pub const CARD: Card = Card {
        name: "softmax",
        forward: "e^x_i / Σ_j e^x_j",
        backward: "p_i (dy_i - Σ_j dy_j p_j)",
        story: "Turns scores into probabilities; each probability's gradient is felt by every score of its row.",
    };
}
impl LogSoftmax {
    /// What the operation says of itself.
    pub const CARD: Card = Card {
        name: "log_softmax",
        forward: "x_i - ln Σ_j e^x_j",
        backward: "dy_i - p_i Σ_j dy_j",
        story: "The logarithm of softmax, exact where softmax itself rounds to 0 or 1.",
    };
}

/// What [`exp_rows`] knows of one row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row<T> {
    /// k, the first place of the largest x.
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

/// For every row of x: writes numbers e_j that are to each other as the exponentials e^x_j, the largest being near 1 or above, and
/// gives (number of the row, x, e, [`Row`]) to `each`, which may change e.
///
/// Inlined into its caller, so that a kernel vectorises it. `classes` must not be 0.
#[inline(always)]
pub fn exp_rows<T: Scalar>(
    x: &[T],
    classes: usize,
    e: &mut [T],
    mut each: impl FnMut(usize, &[T], &mut [T], Row<T>),
) {
    // short rows' exponentials and logarithms are taken in one go, so that they vectorise too
    const ROWS: usize = 64;
    const NUMBERS: usize = 1024;
    let at_once = (NUMBERS / classes).clamp(1, ROWS);
    for (chunk, (x, e)) in x.chunks(at_once * classes).zip(e.chunks_mut(at_once * classes)).enumerate() {
        let (mut argmax, mut max) = ([0; ROWS], [T::ZERO; ROWS]);
        let (mut low, mut high) = (T::of(f64::INFINITY), T::of(f64::NEG_INFINITY));
        for ((x, argmax), max) in x.chunks_exact(classes).zip(&mut argmax).zip(&mut max) {
            (*argmax, *max) = maximum(x);
            (low, high) = (if *max < low { *max } else { low }, max.max(high));
        }
        if !T::exp_shifted(x, low, high, e) {
            for ((x, e), &max) in x.chunks_exact(classes).zip(e.chunks_exact_mut(classes)).zip(&max) {
                for (e, &x) in e.iter_mut().zip(x) {
                    *e = exp_difference(x, max);
                }
            }
        }
        let (mut top, mut rest, mut log) = ([T::ONE; ROWS], [T::ZERO; ROWS], [T::ZERO; ROWS]);
        for (i, e) in e.chunks_exact_mut(classes).enumerate() {
            top[i] = std::mem::replace(&mut e[argmax[i]], T::ZERO);
            rest[i] = sum_of(e);
            e[argmax[i]] = top[i];
        }
        for ((log, &top), &rest) in log.iter_mut().zip(&top).zip(&rest) {
            *log = (rest / top).ln_1p();
        }
        for (i, (x, e)) in x.chunks_exact(classes).zip(e.chunks_exact_mut(classes)).enumerate() {
            let (argmax, max, top, rest, log_total) = (argmax[i], max[i], top[i], rest[i], log[i]);
            each(chunk * at_once + i, x, e, Row { argmax, max, top, rest, total: top + rest, log_total });
        }
    }
}

/// The largest of a row, and its first place. Where all are NaN, the first.
#[inline(always)]
fn maximum<T: Scalar>(x: &[T]) -> (usize, T) {
    const LANES: usize = 16;
    if x.len() < 2 * LANES {
        return x
            .iter()
            .enumerate()
            .fold((0, x[0]), |(k, max), (j, &x)| if x > max { (j, x) } else { (k, max) });
    }
    let mut lanes = [x[0]; LANES];
    let chunks = x.chunks_exact(LANES);
    let tail = chunks.remainder().iter().fold(x[0], |max, &x| x.max(max));
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = x.max(*lane);
        }
    }
    let max = lanes.into_iter().fold(tail, |max, x| x.max(max));
    // whether it is among many is found out by a loop that vectorises, as one that may stop does not
    let among = |x: &[T]| x.iter().fold(false, |found, &x| found | (x == max));
    let block = x.chunks(4 * LANES).position(among).unwrap_or(0) * 4 * LANES;
    (block + x[block..].iter().position(|&x| x == max).unwrap_or(0), max)
}

crate::kernel! {
    fn softmax<T: Scalar>(x: &[T], classes: usize, p: &mut [T]) {
        exp_rows(x, classes, p, |_, _, e, row| {
                        for e in e.iter_mut() { *e = *e / row.total }
        });
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
    fn log_softmax<T: Scalar>(x: &[T], classes: usize, y: &mut [T], p: &mut [T]) {
        exp_rows(x, classes, p, |i, x, e, row| {
                        let y = &mut y[i * classes..(i + 1) * classes];
            for ((y, e), &x) in y.iter_mut().zip(e).zip(x) {
                *y = -row.surprise(x);
                *e = *e / row.total;
            }
        });
    }
}
crate::kernel! {
    /// dx_i = dy_i - p_i Σ dy; at the most probable class, where p may be near 1: dy_k (1 - p_k) - p_k Σ_{j≠k} dy_j.
    fn log_softmax_back<T: Scalar>(p: &[T], dy: &[T], classes: usize, dx: &mut [T]) {
        let rows = p.chunks_exact(classes).zip(dy.chunks_exact(classes)).zip(dx.chunks_exact_mut(classes));
        for ((p, dy), dx) in rows {
            let (k, _) = maximum(p);
            let others = |values: &[T]| sum_of(&values[..k]) + sum_of(&values[k + 1..]);
            let (rest_p, rest_dy) = (others(p), others(dy));
            let total = rest_dy + dy[k];
            for ((dx, &p), &dy) in dx.iter_mut().zip(p).zip(dy) { *dx = dy - p * total }
            dx[k] = dy[k] * rest_p - p[k] * rest_dy;
        }
    }
}

/// The input as `[outer, classes, inner]`; `None` if there is nothing to compute.
fn parts<T: Scalar>(inputs: Inputs<T>, axis: isize) -> Option<Parts> {
    let shape = inputs.shape(0);
    let parts = shape.around(shape.axis(axis).ok()?);
    (shape.len() > 0).then_some(parts)
}

fn shape<T: Scalar>(inputs: Inputs<T>, axis: isize) -> Result<Shape, ShapeError> {
    let shape = inputs.shape(0);
    shape.axis(axis)?;
    Ok(*shape)
}

impl<T: Scalar> Op<T> for Softmax {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Inputs<T>) -> Result<Shape, ShapeError> {
        shape(inputs, self.axis)
    }
    fn forward(&self, f: &mut Forward<T>) {
        let Some(parts) = parts(f.inputs, self.axis) else { return };
        let n = parts.1;
        along(parts, [f.inputs.x(0)], f.y, f.scratch, |[x], y| {
            for_each((Rows(x, n), Rows(y, n)), rows_of(HEAVY, n), |_, (x, y)| softmax(x.0, n, y.0));
        });
    }
    fn backward(&self, b: &mut Backward<T>) {
        let Some(parts) = parts(b.inputs, self.axis) else { return };
        let (y, dy) = (b.y, b.dy);
        if let Some(dx) = b.dx(0) {
            dx.add_filled(|dx, scratch| {
                let n = parts.1;
                along(parts, [y, dy], dx, scratch, |[p, dy], dx| {
                    for_each((Rows(p, n), Rows(dy, n), Rows(dx, n)), rows_of(HEAVY, n), |_, (p, dy, dx)| {
                        softmax_back(p.0, dy.0, n, dx.0);
                    });
                });
            });
        }
    }
}

impl<T: Scalar> Op<T> for LogSoftmax {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Inputs<T>) -> Result<Shape, ShapeError> {
        shape(inputs, self.axis)
    }
    fn memo(&self, inputs: Inputs<T>) -> usize {
        inputs.shape(0).len() // the probabilities, by rows along the axis
    }
    fn forward(&self, f: &mut Forward<T>) {
        let Some(parts) = parts(f.inputs, self.axis) else { return };
        let (n, memo) = (parts.1, &mut *f.memo);
        along(parts, [f.inputs.x(0)], f.y, f.scratch, |[x], y| {
            for_each((Rows(x, n), Rows(y, n), Rows(memo, n)), rows_of(HEAVY, n), |_, (x, y, p)| {
                log_softmax(x.0, n, y.0, p.0);
            });
        });
    }
    fn backward(&self, b: &mut Backward<T>) {
        let Some(parts) = parts(b.inputs, self.axis) else { return };
        let (p, dy) = (b.memo, b.dy);
        if let Some(dx) = b.dx(0) {
            dx.add_filled(|dx, scratch| {
                let n = parts.1;
                along(parts, [dy], dx, scratch, |[dy], dx| {
                    for_each((Rows(p, n), Rows(dy, n), Rows(dx, n)), rows_of(HEAVY, n), |_, (p, dy, dx)| {
                        log_softmax_back(p.0, dy.0, n, dx.0);
                    });
                });
            });
        }
    }
}

/// The logarithm of a sum of exponentials: a smooth maximum, and what [`LogSoftmax`] subtracts.
///
/// `y = ln Σ_j e^x_j = m + ln(1 + S)`, `dx_j = dy e_j / (1 + S)`: not e^(x_j - y), which would carry the rounding of y.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogSumExp;

/// In `f64`, whatever the numbers are; away from the hot path.
#[cold]
fn log_sum_exp<T: Scalar>(x: &[T]) -> f64 {
    sum_by(x.len(), |i| x[i].value().exp()).ln()
}

impl RowFunction for LogSumExp {
    const CARD: Card = Card {
        name: "logsumexp",
        forward: "ln Σ_j e^x_j",
        backward: "e^x_i / Σ_j e^x_j dy",
        story: "A smooth maximum: every x gets the share of the gradient that it has in the sum.",
    };
    #[inline(always)]
    fn f<T: Scalar>(&self, x: &[T]) -> T {
        let (k, max) = maximum(x);
        if max.value().is_infinite() {
            return max; // every x is -inf, or one is inf
        }
        let rest = sum_filled(x.len(), |range, e| {
            for (e, &x) in e.iter_mut().zip(&x[range.clone()]) {
                *e = exp_difference(x, max);
            }
            if range.contains(&k) {
                e[k - range.start] = T::ZERO;
            }
        });
        let y = max + rest.ln_1p();
        // where the two all but cancel, what their rounding lost is all there is: it is put back from a sum in f64
        let small = y.abs() < T::of(0.0625) * max.abs();
        if small { y + T::of(log_sum_exp(x) - y.value()) } else { y }
    }
    #[inline(always)]
    fn df<T: Scalar>(&self, x: &[T], y: T, dy: T, dx: &mut [T]) {
        if y.value() == f64::NEG_INFINITY {
            return dx.fill(T::ZERO); // a row of -inf has no largest, and no gradient
        }
        let (k, max) = maximum(x);
        for (dx, &x) in dx.iter_mut().zip(x) {
            *dx = exp_difference(x, max);
        }
        let top = std::mem::replace(&mut dx[k], T::ZERO);
        let total = T::ONE + sum_of(dx);
        dx[k] = top;
        for dx in dx.iter_mut() {
            *dx = *dx / total * dy;
        }
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The probabilities that belong to log-odds along an axis (-1: the last).
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis.
    #[track_caller]
    pub fn softmax(self, axis: isize) -> Var<'t, T> {
        self.tape().apply(Softmax { axis }, [self])
    }
    /// The logarithm of [`softmax`](Self::softmax), exact where softmax itself would round to 0 or 1.
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis.
    #[track_caller]
    pub fn log_softmax(self, axis: isize) -> Var<'t, T> {
        self.tape().apply(LogSoftmax { axis }, [self])
    }
}

reductions! {
    /// ln Σ e^x, where no e^x overflows: the smooth maximum. Its gradient is softmax.
    logsumexp, logsumexp_axis, LogSumExp;
}
