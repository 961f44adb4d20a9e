//! Losses that compare an input with a target element by element.

use surprisal_tensor::sum::sum_filled;
use surprisal_tensor::threads::{HEAVY, for_each, reduce};
use surprisal_tensor::{Backward, Card, Forward, Op, Scalar, Shape, ShapeError, Shapes, Var, kernel};

use crate::kinds::Domain;
use crate::kinds::data::{apply, check_constant, check_if_data};
use crate::reduction::mean;
use crate::{LossError, Reduction};

/// A loss of one number against its target, in terms of both; the rest (shapes, checks, reductions, gradients) is the same for all.
pub(crate) trait Pointwise: Copy + Send + Sync + 'static {
    const CARD: Card;
    /// What targets may be.
    const TARGETS: Domain = Domain::Numbers;
    /// Whether the target has a gradient too; a label has none.
    const TARGET_GRADIENT: bool = true;
    /// Its options, by the names that its card has for them.
    fn settings(&self) -> Vec<(&'static str, f64)> {
        Vec::new()
    }
    /// l(x, t)
    fn value<T: Scalar>(&self, x: T, t: T) -> T;
    /// Puts right losses `l` that [`value`](Self::value) leaves out parts of, for options that are rare: off the hot path.
    fn repair_values<T: Scalar>(&self, _x: &[T], _t: &[T], _l: &mut [T]) {}
    /// l(x, t) / n, also where l is beyond the largest number and this is not: what one element adds to a mean of n.
    fn share<T: Scalar>(&self, x: T, t: T, n: T) -> T {
        self.value(x, t) / n
    }
    /// `scale` dl/dx. `scale` comes in so that it can be multiplied where nothing overflows.
    fn slope<T: Scalar>(&self, x: T, t: T, scale: T) -> T;
    /// `scale` dl/dt; minus the slope, where the loss is one of x - t.
    fn target_slope<T: Scalar>(&self, x: T, t: T, scale: T) -> T {
        self.slope(x, t, -scale)
    }
    /// Puts right slopes `d` with respect to x, element i scaled by `scale(i)`, in which everything has canceled: off the hot path.
    fn repair<T: Scalar>(&self, _x: &[T], _t: &[T], _scale: impl Fn(usize) -> T, _d: &mut [T]) {}
}

/// Records the loss.
#[track_caller]
pub(crate) fn pointwise<'t, L: Pointwise>(
    loss: L,
    input: Var<'t>,
    target: Var<'t>,
    reduction: Reduction,
) -> Result<Var<'t>, LossError> {
    if L::TARGET_GRADIENT {
        check_if_data(L::CARD.name, "target", target, L::TARGETS)?;
    } else {
        check_constant(L::CARD.name, "target", target, L::TARGETS)?;
    }
    apply(Fused { loss, reduction }, [input, target])
}

/// `slope (|x - t| - offset)`, with an offset of at most |x - t|. In halves where x - t overflows: the result may not.
#[inline(always)]
pub(crate) fn linear<T: Scalar>(x: T, t: T, offset: T, slope: T) -> T {
    let (distance, half) = ((x - t).abs(), T::of(0.5));
    if distance < T::of(f64::INFINITY) {
        return slope * (distance - offset);
    }
    let halved = slope * ((half * x - half * t).abs() - half * offset);
    halved + halved
}

/// `size` with the sign of e: 0 at the kink, e = 0, and NaN for NaN.
#[inline(always)]
pub(crate) fn signed<T: Scalar>(size: T, e: T) -> T {
    if e > T::ZERO {
        size
    } else if e < T::ZERO {
        -size
    } else {
        T::ZERO * e
    }
}

struct Fused<L> {
    loss: L,
    reduction: Reduction,
}

kernel! {
    fn total<T: Scalar, L: Pointwise>(loss: L, x: &[T], t: &[T]) -> T {
        sum_filled(x.len(), |range, losses| values(loss, &x[range.clone()], &t[range], losses))
    }
}
kernel! {
    fn each<T: Scalar, L: Pointwise>(loss: L, x: &[T], t: &[T], y: &mut [T]) {
        values(loss, x, t, y);
    }
}

#[inline(always)]
fn values<T: Scalar, L: Pointwise>(loss: L, x: &[T], t: &[T], y: &mut [T]) {
    for ((y, &x), &t) in y.iter_mut().zip(x).zip(t) {
        *y = loss.value(x, t);
    }
    loss.repair_values(x, t, y);
}

kernel! {
    /// `dy` holds one number for all or one for each.
    fn slopes<T: Scalar, F: Fn(T, T, T) -> T>(slope: F, x: &[T], t: &[T], factor: T, dy: &[T], d: &mut [T]) {
        if let &[dy] = dy {
            let scale = factor * dy;
            for ((d, &x), &t) in d.iter_mut().zip(x).zip(t) { *d = slope(x, t, scale) }
        } else {
            for (((d, &x), &t), &dy) in d.iter_mut().zip(x).zip(t).zip(dy) { *d = slope(x, t, dy) }
        }
    }
}

fn all_slopes<T: Scalar>(
    slope: impl Fn(T, T, T) -> T + Copy + Sync,
    x: &[T],
    t: &[T],
    factor: T,
    dy: &[T],
    d: &mut [T],
) {
    for_each((x, t, d), HEAVY, |first, (x, t, d)| {
        let dy = if dy.len() == 1 { dy } else { &dy[first..][..d.len()] };
        slopes(slope, x, t, factor, dy, d);
    });
}

impl<L: Pointwise> Op for Fused<L> {
    fn card(&self) -> Card {
        L::CARD
    }
    fn settings(&self) -> Vec<(&'static str, f64)> {
        self.loss.settings()
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        same_shape(inputs, "the input", "the target")?;
        Ok(self.reduction.shape(*inputs.shape(0)))
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let (x, t) = (f.inputs.x(0), f.inputs.x(1));
        if self.reduction == Reduction::None {
            return for_each((x, t, &mut *f.y), HEAVY, |_, (x, t, y)| each(self.loss, x, t, y));
        }
        let total = reduce((x, t), HEAVY, |_, (x, t)| total(self.loss, x, t), |left, right| left + right);
        f.y[0] = if self.reduction == Reduction::Mean {
            let count = T::of(x.len() as f64);
            mean(total, count, x.len(), |i| self.loss.share(x[i], t[i], count))
        } else {
            total
        };
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (x, t, dy, loss) = (b.x(0), b.x(1), b.dy, self.loss);
        let factor = self.reduction.factor(T::of(x.len() as f64));
        if let Some(dx) = b.dx(0) {
            dx.add_filled(|d, _| {
                all_slopes(|x, t, scale| loss.slope(x, t, scale), x, t, factor, dy, d);
                loss.repair(x, t, |i| if let &[dy] = dy { factor * dy } else { dy[i] }, d);
            });
        }
        if let Some(dt) = b.dx(1).filter(|_| L::TARGET_GRADIENT) {
            dt.add_filled(|d, _| {
                all_slopes(|x, t, scale| loss.target_slope(x, t, scale), x, t, factor, dy, d)
            });
        }
    }
}

/// The first two inputs must have the same shape, and elements. Broadcasting here would be a mistake that trains: [64, 1] against
/// [64] would compare every row with every target.
#[inline]
pub(crate) fn same_shape(inputs: Shapes, first: &str, second: &str) -> Result<(), ShapeError> {
    agree((first, inputs.shape(0)), (second, inputs.shape(1)))
}

/// [`same_shape`] of two shapes with their names.
#[inline]
pub(crate) fn agree((first, x): (&str, &Shape), (second, t): (&str, &Shape)) -> Result<(), ShapeError> {
    if x == t { not_empty(x) } else { Err(disagreement((first, x), (second, t))) }
}

#[cold]
fn disagreement((first, x): (&str, &Shape), (second, t): (&str, &Shape)) -> ShapeError {
    let error = ShapeError::new(format!("{first} is {x}, {second} {t}: they must have the same shape"));
    if x.len() == t.len() {
        error.hint(format!("the numbers of elements agree: reshape {second} to {x}"))
    } else {
        error
    }
}

#[inline]
pub(crate) fn not_empty(shape: &Shape) -> Result<(), ShapeError> {
    if shape.len() == 0 { Err(empty(shape)) } else { Ok(()) }
}

#[cold]
fn empty(shape: &Shape) -> ShapeError {
    ShapeError::new(format!("the batch {shape} is empty: a loss needs at least one element"))
}

/// For tests: a fused loss, and behind it, where a wrong sign shows, what it must not differ by from single losses in plain
/// operations: the difference is 0, with gradient 0 everywhere.
#[cfg(test)]
#[track_caller]
pub(crate) fn equal<'t>(fused: Var<'t>, each: Var<'t>, reduction: Reduction) -> Var<'t> {
    let plain = match reduction {
        Reduction::Mean => each.mean(),
        Reduction::Sum => each.sum(),
        Reduction::None => each,
    };
    let difference = fused - plain;
    assert!(difference.value().iter().all(|d| d.abs() < 1e-12));
    fused + difference * 1e3
}
