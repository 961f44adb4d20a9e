//! Losses that are sums of terms, one for each element of their inputs, all of one shape.

use surprisal_tensor::sum::{sum_by, sum_filled, sum_of};
use surprisal_tensor::{Backward, Card, Forward, Inputs, Op, Scalar, Shape, ShapeError, Shapes, Var, kernel};

use crate::kinds::data::apply;
use crate::kinds::labels::{Labeled, rows_and_classes};
use crate::kinds::pointwise::{not_empty, same_shape};
use crate::{Base, LossError, Reduction};

/// The terms of a loss of one input or two; the rest (shapes, units, reductions) is the same for all.
///
/// Both functions take slices, so that a loss can look twice at those terms in which everything has canceled. Where there is one input,
/// y is x.
pub(crate) trait Terms: Copy + Send + 'static {
    const CARD: Card;
    /// Its inputs, by the names that messages call them; each has a gradient.
    const INPUTS: &'static [&'static str];
    /// Whether a single loss is the sum over a row of classes, rather than one term.
    const BY_ROWS: bool = true;
    /// How many losses the mean divides by.
    fn count(&self, shape: &Shape) -> usize {
        if Self::BY_ROWS { rows_and_classes(shape).0 } else { shape.len() }
    }
    /// The terms, in nats.
    fn terms<T: Scalar>(&self, x: &[T], y: &[T], l: &mut [T]);
    /// Derivatives by input k. `d` holds a factor for each, so that it can be multiplied where nothing overflows.
    fn slopes<T: Scalar>(&self, k: usize, x: &[T], y: &[T], d: &mut [T]);
}

/// The operation.
pub(crate) struct Sum<L> {
    pub loss: L,
    pub base: Base,
    pub reduction: Reduction,
}

impl<L: Terms> Sum<L> {
    /// Records the loss.
    #[track_caller]
    pub fn record<'t>(self, inputs: &[Var<'t>]) -> Result<Var<'t>, LossError> {
        apply(self, inputs)
    }
}

kernel! {
    fn each<T: Scalar, L: Terms>(loss: L, base: Base, x: &[T], y: &[T], l: &mut [T]) {
        loss.terms(x, y, l);
        to_units(base, l);
    }
}
kernel! {
    fn total<T: Scalar, L: Terms>(loss: L, base: Base, x: &[T], y: &[T]) -> T {
        sum_filled(x.len(), |range, l| {
            loss.terms(&x[range.clone()], &y[range], l);
            to_units(base, l);
        })
    }
}
kernel! {
    fn slopes<T: Scalar, L: Terms>(loss: L, k: usize, x: &[T], y: &[T], d: &mut [T]) {
        loss.slopes(k, x, y, d);
    }
}

/// Term by term, so that whole bits stay whole: the sum of eighths of 3 bits is 3.
#[inline(always)]
fn to_units<T: Scalar>(base: Base, l: &mut [T]) {
    if base != Base::E {
        let unit = base.unit();
        for l in l.iter_mut() {
            *l = *l / unit;
        }
    }
}

impl<L: Terms> Op for Sum<L> {
    fn card(&self) -> Card {
        L::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        if let [first, second] = *L::INPUTS {
            same_shape(inputs, first, second)?;
        }
        let shape = inputs.shape(0);
        let each = if L::BY_ROWS {
            Labeled { loss: L::CARD.name, input: "probabilities" }.each(inputs)?
        } else {
            not_empty(shape)?;
            *shape
        };
        Ok(self.reduction.shape(each))
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let (x, y) = pair(f.inputs);
        match self.reduction {
            Reduction::None if L::BY_ROWS => {
                let l = f.room.scratch.at_least(x.len());
                each(self.loss, self.base, x, y, l);
                let (_, classes) = rows_and_classes(f.inputs.shape(0));
                f.y.iter_mut().zip(l.chunks_exact(classes)).for_each(|(y, row)| *y = sum_of(row));
            }
            Reduction::None => each(self.loss, self.base, x, y, f.y),
            Reduction::Sum => f.y[0] = total(self.loss, self.base, x, y),
            Reduction::Mean => {
                let count = self.loss.count(f.inputs.shape(0));
                let (total, count) = (total(self.loss, self.base, x, y), T::of(count as f64));
                f.y[0] = if total.is_finite() {
                    total / count
                } else {
                    // the sum may be beyond the largest number where the mean is not
                    let l = f.room.scratch.at_least(x.len());
                    each(self.loss, self.base, x, y, l);
                    sum_by(l.len(), |i| l[i] / count)
                };
            }
        }
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let ((x, y), dy) = (pair(b.inputs), b.dy);
        let count = self.loss.count(b.inputs.shape(0));
        let factor = self.reduction.factor(T::of(count as f64)) / self.base.unit();
        for k in 0..L::INPUTS.len() {
            let Some(dx) = b.dx(k) else { continue };
            dx.add_filled(|d, _| {
                let terms = d.len() / dy.len();
                d.chunks_exact_mut(terms).zip(dy).for_each(|(d, &dy)| d.fill(factor * dy));
                slopes(self.loss, k, x, y, d);
            });
        }
    }
}

fn pair<'a, T: Scalar>(inputs: Inputs<'a, T>) -> (&'a [T], &'a [T]) {
    (inputs.x(0), inputs.x(inputs.len() - 1))
}
