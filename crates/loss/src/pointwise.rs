//! Losses that compare an input with a target element by element.

use surprisal_tensor::sum::sum_filled;
use surprisal_tensor::{Backward, Card, Forward, Inputs, Op, Scalar, Shape, ShapeError, Var, kernel};

use crate::Reduction;

/// A loss of one number against its target, in terms of both; the rest (shapes, reductions, both gradients) is the same for all.
pub(crate) trait Pointwise: Copy + Send + 'static {
    const CARD: Card;
    /// l(x, t)
    fn loss<T: Scalar>(&self, x: T, t: T) -> T;
    /// `scale` dl/dx; the target gets the negative. `scale` comes in so that it can be multiplied where nothing overflows.
    fn slope<T: Scalar>(&self, x: T, t: T, scale: T) -> T;
}

struct Fused<L> {
    loss: L,
    reduction: Reduction,
}

kernel! {
    fn total<T: Scalar, L: Pointwise>(loss: L, x: &[T], t: &[T]) -> T {
        sum_filled(x.len(), |range, losses| {
            for ((l, &x), &t) in losses.iter_mut().zip(&x[range.clone()]).zip(&t[range]) { *l = loss.loss(x, t) }
        })
    }
}
kernel! {
    fn each<T: Scalar, L: Pointwise>(loss: L, x: &[T], t: &[T], y: &mut [T]) {
        for ((y, &x), &t) in y.iter_mut().zip(x).zip(t) { *y = loss.loss(x, t) }
    }
}
kernel! {
    fn slopes<T: Scalar, L: Pointwise>(loss: L, x: &[T], t: &[T], scale: T, d: &mut [T]) {
        for ((d, &x), &t) in d.iter_mut().zip(x).zip(t) { *d = loss.slope(x, t, scale) }
    }
}
kernel! {
    fn slopes_each<T: Scalar, L: Pointwise>(loss: L, x: &[T], t: &[T], dy: &[T], sign: T, d: &mut [T]) {
        for (((d, &x), &t), &dy) in d.iter_mut().zip(x).zip(t).zip(dy) { *d = loss.slope(x, t, sign * dy) }
    }
}

impl<T: Scalar, L: Pointwise> Op<T> for Fused<L> {
    fn card(&self) -> Card {
        L::CARD
    }
    fn shape(&self, inputs: Inputs<T>) -> Result<Shape, ShapeError> {
        same_shape(inputs, "target")?;
        Ok(self.reduction.shape(*inputs.shape(0)))
    }
    fn forward(&self, f: &mut Forward<T>) {
        let (x, t) = (f.inputs.x(0), f.inputs.x(1));
        match self.reduction {
            Reduction::None => each(self.loss, x, t, f.y),
            Reduction::Sum => f.y[0] = total(self.loss, x, t),
            Reduction::Mean => f.y[0] = total(self.loss, x, t) / T::of(x.len() as f64),
        }
    }
    fn backward(&self, b: &mut Backward<T>) {
        let (x, t, dy) = (b.x(0), b.x(1), b.dy);
        let factor = self.reduction.factor(T::of(x.len() as f64));
        for (k, sign) in [T::ONE, -T::ONE].into_iter().enumerate() {
            let Some(d) = b.dx(k) else { continue };
            d.add_filled(|d, _| match self.reduction {
                Reduction::None => slopes_each(self.loss, x, t, dy, sign, d),
                _ => slopes(self.loss, x, t, sign * factor * dy[0], d),
            });
        }
    }
}

/// The first two inputs must have the same shape, and elements. Broadcasting here would be a mistake that trains: [64, 1] against
/// [64] would compare every row with every target.
pub(crate) fn same_shape<T: Scalar>(inputs: Inputs<T>, second: &str) -> Result<(), ShapeError> {
    let (x, t) = (inputs.shape(0), inputs.shape(1));
    if x != t {
        let error =
            ShapeError::new(format!("the input is {x}, the {second} {t}: they must have the same shape"));
        return Err(if x.len() == t.len() {
            error.hint(format!("the numbers of elements agree: reshape the {second} to {x}"))
        } else {
            error
        });
    }
    if x.len() == 0 {
        return Err(ShapeError::new(format!("the batch {x} is empty: there is no loss of nothing")));
    }
    Ok(())
}

#[track_caller]
pub(crate) fn pointwise<'t, T: Scalar, L: Pointwise>(
    loss: L,
    input: Var<'t, T>,
    target: Var<'t, T>,
    reduction: Reduction,
) -> Var<'t, T> {
    input.tape().apply(Fused { loss, reduction }, [input, target])
}
