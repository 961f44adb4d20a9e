//! Losses that compare a number with a target from 0 (no) to 1 (yes), element by element, with weights.

use surprisal_tensor::sum::{sum_by, sum_filled};
use surprisal_tensor::threads::{HEAVY, reduce};
use surprisal_tensor::{Backward, Card, Forward, Op, Scalar, Shape, ShapeError, Shapes, Var, kernel};

use crate::kinds::Domain;
use crate::kinds::data::{apply, check_constant, weights};
use crate::kinds::pointwise::same_shape;
use crate::reduction::mean;
use crate::{LossError, Reduction};

/// A loss of one number against its target; the rest (weights, shapes, reductions) is the same for all.
pub(crate) trait YesOrNo: Send + Sync + 'static {
    const CARD: Card;
    /// What targets may be.
    const TARGETS: Domain = Domain::FromZeroToOne;
    /// l(x, t) and dl/dx, both times `weight`; a yes counts `pos_weight` times as much.
    fn element<T: Scalar>(&self, x: T, t: T, weight: T, pos_weight: T) -> (T, T);
    /// The losses of some numbers without weights, and their slopes times `scale`, where that is less work.
    #[inline(always)]
    fn block<T: Scalar>(&self, x: &[T], t: &[T], scale: T, losses: &mut [T], slopes: &mut [T]) {
        for ((l, d), (&x, &t)) in losses.iter_mut().zip(slopes).zip(x.iter().zip(t)) {
            let (loss, slope) = self.element(x, t, T::ONE, T::ONE);
            (*l, *d) = (loss, slope * scale);
        }
    }
}

/// What a factor of 0 leaves of x, an infinity included: 0, but NaN of NaN.
#[inline(always)]
pub(crate) fn nothing_of<T: Scalar>(x: T) -> T {
    if x.abs() >= T::ZERO { T::ZERO } else { x } // no comparison holds for NaN
}

/// The same of a whole row.
#[inline(always)]
pub(crate) fn nothing_of_row<T: Scalar>(x: &[T]) -> T {
    x.iter().fold(T::ZERO, |sum, &x| sum + nothing_of(x))
}

/// Records the loss, with weights where there are any.
#[track_caller]
pub(crate) fn yes_or_no<'t, L: YesOrNo>(
    loss: L,
    [x, targets]: [Var<'t>; 2],
    reduction: Reduction,
    weight: &Option<Vec<f64>>,
    pos_weight: &Option<Vec<f64>>,
) -> Result<Var<'t>, LossError> {
    let (name, op) = (L::CARD.name, Fused { loss, reduction });
    check_constant(name, "target", targets, L::TARGETS)?;
    if weight.is_none() && pos_weight.is_none() {
        return apply(op, [x, targets]);
    }
    let weight = weights(x, name, "weight", weight.as_deref().unwrap_or(&[1.0]))?;
    let pos_weight = weights(x, name, "pos_weight", pos_weight.as_deref().unwrap_or(&[1.0]))?;
    apply(op, [x, targets, weight, pos_weight])
}

struct Fused<L> {
    loss: L,
    reduction: Reduction,
}

/// The sum of the losses; `slope` gets their derivatives, times `scale`.
pub(crate) fn fused<T: Scalar, L: YesOrNo>(loss: &L, x: &[T], t: &[T], scale: T, slope: &mut [T]) -> T {
    let piece = |_, (x, t, slope): (&[T], &[T], &mut [T])| fused_in_one(loss, x, t, scale, slope);
    reduce((x, t, slope), HEAVY, piece, |left, right| left + right)
}

kernel! {
    fn fused_in_one<T: Scalar, L: YesOrNo>(loss: &L, x: &[T], t: &[T], scale: T, slope: &mut [T]) -> T {
        sum_filled(x.len(), |range, losses| {
            loss.block(&x[range.clone()], &t[range.clone()], scale, losses, &mut slope[range]);
        })
    }
}

impl<L: YesOrNo> Op for Fused<L> {
    fn card(&self) -> Card {
        L::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        same_shape(inputs, "the input", "the targets")?;
        let shape = inputs.shape(0);
        if inputs.len() > 2 {
            let (weights, pos_weights) = (inputs.shape(2).len(), inputs.shape(3).len());
            let last = *shape.dims().last().unwrap_or(&1);
            if weights != 1 && weights != shape.len() {
                return Err(ShapeError::new(format!("{weights} weights do not fit {shape}"))
                    .hint(format!("give one for every element: {}", shape.len())));
            }
            if pos_weights != 1 && pos_weights != last {
                return Err(ShapeError::new(format!("{pos_weights} pos_weights do not fit {shape}"))
                    .hint(format!("give one for all, or one for each index along the last axis: {last}")));
            }
        }
        Ok(self.reduction.shape(*shape))
    }
    fn memo(&self, inputs: Shapes) -> usize {
        inputs.shape(0).len() // the slopes: they share most of their work with the losses
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let (x, t) = (f.inputs.x(0), f.inputs.x(1));
        let one = [T::ONE];
        let weighed = f.inputs.len() > 2;
        let (w, p) = if weighed { (f.inputs.x(2), f.inputs.x(3)) } else { (&one[..], &one[..]) };
        let at = |weights: &[T], i: usize| {
            if weights.len() == 1 { weights[0] } else { weights[i % weights.len()] }
        };
        let each = |i: usize| self.loss.element(x[i], t[i], at(w, i), at(p, i));
        if self.reduction == Reduction::None {
            for (i, (y, d)) in f.y.iter_mut().zip(f.memo.iter_mut()).enumerate() {
                (*y, *d) = each(i);
            }
            return;
        }
        let total = if weighed {
            sum_by(x.len(), |i| {
                let (l, d) = each(i);
                f.memo[i] = d;
                l
            })
        } else {
            fused(&self.loss, x, t, T::ONE, f.memo)
        };
        let count = T::of(x.len() as f64);
        f.y[0] = if self.reduction == Reduction::Mean {
            // a smaller weight, so that no product is beyond the largest number
            mean(total, count, x.len(), |i| self.loss.element(x[i], t[i], at(w, i) / count, at(p, i)).0)
        } else {
            total
        };
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (slope, dy) = (b.memo, b.dy);
        let Some(dx) = b.dx(0) else { return };
        if self.reduction == Reduction::None {
            return dx.add2(slope, dy, |slope, dy| slope * dy);
        }
        let factor = dy[0] * self.reduction.factor(T::of(slope.len() as f64));
        dx.add(slope, |slope| slope * factor);
    }
}
