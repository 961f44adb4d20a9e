//! Quantile loss, or pinball loss.
//!
#![doc = surprisal_formula_macro::math!("l = q u where u = t - x >= 0, else (1 - q) (-u)")]
//!
#![doc = include_str!("../pictures/quantile_loss.svg")]
//!
//! Minimizing it finds the q-quantile of what may happen: the number that it stays below with probability q. Too low costs q,
//! too high costs 1 - q, and the two balance where a fraction q of the targets lies below. Take it where the question is not
//! "how much?" but "how much at most, nine times out of ten?", and take several levels at once for an interval: 0.1
//! and 0.9 enclose four cases out of five. q = ½ finds the median, and is half of [`l1_loss`](crate::l1_loss()).
//!
//! The levels are learned each for itself; nothing keeps a higher one above a lower one.
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("dl/dx = -q where x < t, 1 - q where x > t")]
//!
//! At the kink, x = t, it is taken as 0. The mean divides by the number of elements of the input: rows times levels.
//! Targets have no gradient.
//!
//! # In which form
//!
//! The side by the sign of u, then one product. What matters is `1 - q`, which is taken before q is rounded: from q = 0.999 in
//! `f32` it would be 0.00099998713, where 0.001 is meant. Where t - x overflows, the product is taken in halves.
//!
//! # Source
//!
//! Koenker and Bassett, "Regression quantiles", *Econometrica* 46 (1978).

use surprisal_tensor::{Backward, Card, Forward, Op, Scalar, Shape, ShapeError, Shapes, Tape, Var, kernel};

use crate::by_name::Curve;
use crate::error::unwrap;
use crate::kinds::Domain;
use crate::kinds::data::{apply, check_constant};
use crate::kinds::pointwise::{linear, not_empty, same_shape};
use crate::{LossError, Reduction};

loss! {
    of quantile_loss(input: gradient(Number, "any shape; for several levels one axis more, the last: [rows, levels]"), target: constant(Number, "the shape of input without that axis"));
    card {
        inputs: "x t",
        forward: "q (t - x) where x <= t, else (1 - q) (x - t)",
        backward: "dx = -q dl where x < t, (1 - q) dl where x > t",
        story: "Too low costs q, too high 1 - q: the two balance where a fraction q of the targets lies below.",
    }
    train { "quantile", "quantile loss", Number, ["q"] }
    curve Curve::Error;
    #[derive(Clone, Debug)]
    pub struct QuantileLoss {
        /// How per-element losses are reduced.
        reduction: Reduction;
        /// The levels, each between 0 and 1. One by default: ½, the median.
        q: Vec<f64> = 0.5 in INSIDE, "the level, between 0 and 1, or a list of levels";
    }
}

/// The mean over all elements of `q u` where `u = target - input` is not negative, else `(q - 1) u`.
///
/// For one level, `&[0.9]`, input and target have the same shape. For several, the input has one axis more, the last, with one number
/// for each level: `[rows, levels]` against `[rows]`. Only the input has a gradient.
///
/// # Panics
/// At the caller's line, if the shapes do not fit or are empty, if a level does not lie between 0 and 1, or if a target is NaN or
/// needs a gradient.
///
/// ```
/// use surprisal_loss::quantile_loss;
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let params = Params::<f64>::default();
/// let mut workspace = Workspace::new();
/// let tape = workspace.tape(&params);
/// let input = tape.input(&array![[1.0, 6.0], [2.0, 4.0]]).requires_grad();
/// let loss = quantile_loss(input, tape.input(&array![3.0, 4.0]), &[0.25, 0.75]);
/// loss.backward();
/// assert_eq!(loss.item(), 0.4375); // (0.25 · 2 + 0.25 · 3 + 0.25 · 2 + 0) / 4
/// assert_eq!(input.grad().unwrap(), array![[-0.0625, 0.0625], [-0.0625, 0.0]].into_dyn());
/// ```
#[track_caller]
pub fn quantile_loss<'t>(input: Var<'t>, target: Var<'t>, q: &[f64]) -> Var<'t> {
    unwrap(record(input, target, q, Reduction::Mean))
}

impl QuantileLoss {
    /// [`quantile_loss()`] with these options.
    ///
    /// # Errors
    /// Where [`quantile_loss()`] panics.
    #[track_caller]
    pub fn try_loss<'t>(&self, input: Var<'t>, target: Var<'t>) -> Result<Var<'t>, LossError> {
        record(input, target, &self.q, self.reduction)
    }
}

#[track_caller]
fn record<'t>(
    input: Var<'t>,
    target: Var<'t>,
    q: &[f64],
    reduction: Reduction,
) -> Result<Var<'t>, LossError> {
    let (loss, tape) = (ENTRY.card.name, input.tape());
    let dtype = tape.dtype();
    let inside = |q: f64| q < 1.0 && dtype.round(q) > 0.0; // NaN is not
    if q.is_empty() {
        let message = "q is empty: expected levels between 0 and 1, such as 0.5 for the median";
        return Err(LossError::option(loss, message));
    }
    if let Some((i, q)) = q.iter().enumerate().find(|(_, q)| !inside(**q)) {
        let message = format!("level {i} is {q}: expected a number between 0 and 1, both excluded");
        return Err(LossError::option(loss, message));
    }
    check_constant(loss, "target", target, Domain::Numbers)?;
    let level = if let &[q] = q { Some(q) } else { None };
    apply(Pinball { reduction, level }, [input, target, levels(tape, q)])
}

/// The levels q, and behind them all 1 - q.
fn levels<'t>(tape: &'t Tape<'t>, q: &[f64]) -> Var<'t> {
    tape.input_with([2, q.len()], |i| if i < q.len() { q[i] } else { 1.0 - q[i - q.len()] })
}

struct Pinball {
    reduction: Reduction,
    /// The level if it is one, for messages.
    level: Option<f64>,
}

kernel! {
    /// y = f(x, t, q, 1 - q): a row of x for every t, a column for every level.
    fn map<T: Scalar, F: Fn(T, T, T, T) -> T>(f: F, x: &[T], t: &[T], levels: &[T], y: &mut [T]) {
        let (low, high) = levels.split_at(levels.len() / 2);
        if let (&[low], &[high]) = (low, high) {
            for ((y, &x), &t) in y.iter_mut().zip(x).zip(t) { *y = f(x, t, low, high) }
            return;
        }
        for ((y, x), &t) in y.chunks_exact_mut(low.len()).zip(x.chunks_exact(low.len())).zip(t) {
            for (((y, &x), &low), &high) in y.iter_mut().zip(x).zip(low).zip(high) { *y = f(x, t, low, high) }
        }
    }
}

#[inline(always)]
fn value<T: Scalar>(x: T, t: T, low: T, high: T) -> T {
    linear(x, t, T::ZERO, if x < t { low } else { high })
}

#[inline(always)]
fn slope<T: Scalar>(x: T, t: T, low: T, high: T) -> T {
    let e = x - t;
    if e < T::ZERO {
        -low
    } else if e > T::ZERO {
        high
    } else {
        T::ZERO * e // 0 at the kink, NaN for NaN
    }
}

impl Op for Pinball {
    fn card(&self) -> Card {
        ENTRY.card
    }
    fn settings(&self) -> Vec<(&'static str, f64)> {
        self.level.map(|q| ("q", q)).into_iter().collect()
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        let (x, t, levels) = (inputs.shape(0), inputs.shape(1), inputs.dims(2)[1]);
        match x.dims() {
            [rows @ .., last] if *last == levels && rows == t.dims() => not_empty(x)?,
            _ if levels == 1 => same_shape(inputs, "the input", "the target")?,
            _ => {
                return Err(ShapeError::new(format!(
                    "the input is {x}, the target {t}, with {levels} levels q: the input must have the target's shape and behind it \
                     one axis more, of length {levels}"
                )));
            }
        }
        Ok(self.reduction.shape(*x))
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let (x, t, levels) = (f.inputs.x(0), f.inputs.x(1), f.inputs.x(2));
        if self.reduction == Reduction::None {
            return map(value, x, t, levels, f.y);
        }
        let losses = f.room.scratch.at_least(x.len());
        map(value, x, t, levels, losses);
        let count = T::of(x.len() as f64);
        self.reduction.reduce_large(losses, count, f.y, |shares| {
            map(|x, t, low, high| value(x / count, t / count, low, high), x, t, levels, shares);
        });
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (x, t, levels, dy) = (b.x(0), b.x(1), b.x(2), b.dy);
        let factor: T = self.reduction.factor(T::of(x.len() as f64));
        let Some(dx) = b.dx(0) else { return };
        dx.add_filled(|dx, _| {
            map(slope, x, t, levels, dx);
            match dy {
                &[dy] => dx.iter_mut().for_each(|dx| *dx *= factor * dy),
                _ => dx.iter_mut().zip(dy).for_each(|(dx, &dy)| *dx *= dy),
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{equals_definition, same};
    use crate::l1_loss;
    use surprisal_tensor::ndarray::{Array1, ArrayD, array};
    use surprisal_tensor::{Dual, check_gradient};

    fn input() -> ArrayD<f64> {
        array![[0.3, -1.2, 2.5], [-4.0, 0.0, 1.0]].into_dyn()
    }

    #[test]
    fn equals_its_definition_in_plain_operations() {
        let (levels, t) = (vec![0.1, 0.5, 0.75], array![1.0, -1.0].mapv(Dual::of));
        equals_definition(&[input()], |tape, x, reduction| {
            let q = tape.input(&Array1::from(levels.clone()).mapv(Dual::of));
            let u = tape.input(&t).reshape([2, 1]) - x[0];
            let plain = q * u.relu() + (1.0 - q) * (-u).relu();
            [QuantileLoss { reduction, q: levels.clone() }.loss(x[0], tape.input(&t)), plain]
        });
    }

    #[test]
    fn the_median_is_half_of_l1_loss() {
        let t = array![[1.0, -1.0, 2.25], [4.0, 0.2, 7.0]].mapv(Dual::of);
        check_gradient(&[input()], |tape, x| {
            let t = tape.input(&t);
            same(quantile_loss(x[0], t, &[0.5]), l1_loss(x[0], t) * 0.5)
        });
    }

    #[test]
    fn the_kink_is_flat_and_nothing_overflows_before_the_loss_does() {
        assert_eq!((value(2.0, 2.0, 0.25, 0.75), slope(2.0, 2.0, 0.25, 0.75)), (0.0, 0.0));
        assert_eq!(value(-3e38f32, 3e38, 0.25, 0.75), 1.5e38);
        assert!(value(f32::NAN, 0.0, 0.25, 0.75).is_nan() && slope(f32::NAN, 0.0, 0.25, 0.75).is_nan());
    }
}
