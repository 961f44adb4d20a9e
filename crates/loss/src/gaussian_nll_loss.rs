//! Negative log-likelihood of a normal distribution, of which a model gives the mean x and the variance v.
//!
#![doc = surprisal_formula_macro::math!("l = ½ (ln v + (x - t)² / v)")]
//!
//! For a regression that also predicts its uncertainty: a large variance makes an error cheap, and costs its logarithm. For given errors
//! the loss is least where v is their mean square. With [`full`](GaussianNllLoss::full), the constant ½ ln(2π) is added; with a
//! variance of 1 for all, the loss is [`half_squared_error`](crate::half_squared_error()).
//!
//! A variance below ε counts as ε. As in PyTorch, its gradient is the one at ε, so that a variance that has become too small can grow
//! again. A negative variance is an error where it is data.
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("dl/dx = (x - t) / v, dl/dv = (v - (x - t)²) / (2 v²)")]
//!
//! and `dl/dt` is the negative of dl/dx. The mean over n elements divides by n.
//!
//! # In which form
//!
//! `e (e / v)` rather than `e² / v`: in `f32`, e² is infinite from 1.9e19 on. `v - e²` with one rounding, by a fused multiply-add: where
//! the variance is nearly right, it cancels. Where e² is infinite, dl/dv is `½ (1 - e (e / v)) / v`, in which nothing cancels then.
//!
//! # Source
//!
//! Nix and Weigend, "Estimating the mean and variance of the target probability distribution", *ICNN* 1994; PyTorch's
//! `gaussian_nll_loss`.

use std::f64::consts::TAU;

use surprisal_tensor::{Backward, Card, Forward, Op, Scalar, Shape, ShapeError, Shapes, Var, kernel};

use crate::kinds::Domain;
use crate::kinds::data::{apply, check_if_data, check_not_negative};
use crate::kinds::pointwise::{agree, same_shape};
use crate::{LossError, Reduction};

loss! {
    /// The mean over all elements of `½ (ln var + (input - target)² / var)`; all of one shape. All have a gradient.
    ///
    /// # Panics
    /// At the caller's line, if the shapes differ or are empty, or if a target is NaN, or a variance negative or NaN, that is data.
    ///
    /// ```
    /// use surprisal_loss::gaussian_nll_loss;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let [input, var] = [array![1.0, 4.0], array![1.0, 1.0]].map(|x| tape.input(&x).requires_grad());
    /// let loss = gaussian_nll_loss(input, tape.input(&array![0.0, 2.0]), var);
    /// loss.backward();
    /// assert_eq!(loss.item(), 1.25); // (½ 1 + ½ 4) / 2
    /// assert_eq!(input.grad().unwrap(), array![0.5, 1.0].into_dyn());
    /// assert_eq!(var.grad().unwrap(), array![0.0, -0.75].into_dyn()); // right already, and too small
    /// ```
    fn gaussian_nll_loss(input: gradient(Number, "any shape: means"), target: gradient(Number, "the shape of input"), var: gradient(NotNegative, "the shape of input: variances, not negative"));
    card {
        inputs: "x t v",
        forward: "½ (ln v + (x - t)² / v)",
        backward: "dx = (x - t) / v dl, dt = -dx, dv = (v - (x - t)²) / (2 v²) dl",
        story: "The negative log-likelihood of a number under a normal distribution: an error counts by how sure the model was.",
    }
    train { "needs a variance beside each prediction: use it in a program of your own" }
    #[derive(Clone, Copy, Debug)]
    pub struct GaussianNllLoss {
        /// How per-element losses are reduced.
        reduction: Reduction;
        /// Adds the constant ½ ln(2π). False by default.
        full: bool = false, "adds the constant ½ ln(2π)";
        /// ε, finite and 0 or more: the least variance. 1e-6 as in PyTorch.
        eps: f64 = 1e-6 in NOT_NEGATIVE, "the least variance: a smaller one counts as this, 0 or more";
    }
}

impl GaussianNllLoss {
    /// [`gaussian_nll_loss()`] with these options.
    ///
    /// # Errors
    /// Where [`gaussian_nll_loss()`] panics, and if ε is negative or not finite.
    #[track_caller]
    pub fn try_loss<'t>(&self, input: Var<'t>, target: Var<'t>, var: Var<'t>) -> Result<Var<'t>, LossError> {
        check_not_negative(ENTRY.card.name, "eps", self.eps)?;
        check_if_data(ENTRY.card.name, "target", target, Domain::Numbers)?;
        check_if_data(ENTRY.card.name, "variance", var, Domain::NotNegative)?;
        apply(Fused(*self), [input, target, var])
    }
}

struct Fused(GaussianNllLoss);

/// v, or ε where v is less; NaN stays NaN.
#[inline(always)]
fn at_least<T: Scalar>(eps: T, v: T) -> T {
    if v < eps { eps } else { v }
}

kernel! {
    fn values<T: Scalar>(eps: T, constant: T, x: &[T], t: &[T], v: &[T], losses: &mut [T]) {
        for (((l, &x), &t), &v) in losses.iter_mut().zip(x).zip(t).zip(v) {
            let (e, v) = (x - t, at_least(eps, v));
            *l = T::of(0.5) * (v.ln() + e * (e / v)) + constant;
        }
    }
}
kernel! {
    /// The slopes by x where `of_mean`, else by v.
    fn slopes<T: Scalar>(of_mean: bool, eps: T, x: &[T], t: &[T], v: &[T], d: &mut [T]) {
        for (((d, &x), &t), &v) in d.iter_mut().zip(x).zip(t).zip(v) {
            let (e, v) = (x - t, at_least(eps, v));
            let near = T::of(0.5) * T::mul_add::<true>(-e, e, v) / v / v;
            let far = T::of(0.5) * (T::ONE - e * (e / v)) / v;
            let by_variance = if (e * e).abs() < T::of(f64::INFINITY) { near } else { far };
            *d = if of_mean { e / v } else { by_variance };
        }
    }
}

impl Op for Fused {
    fn card(&self) -> Card {
        ENTRY.card
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        same_shape(inputs, "the input", "the target")?;
        agree(("the input", inputs.shape(0)), ("the variance", inputs.shape(2)))?;
        Ok(self.0.reduction.shape(*inputs.shape(0)))
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let [x, t, v] = [0, 1, 2].map(|k| f.inputs.x(k));
        let losses = f.room.scratch.at_least(x.len());
        let constant = if self.0.full { 0.5 * TAU.ln() } else { 0.0 };
        values(T::of(self.0.eps), T::of(constant), x, t, v, losses);
        let count = T::of(x.len() as f64);
        self.0.reduction.reduce_large(losses, count, f.y, |shares| {
            values(T::of(self.0.eps), T::of(constant), x, t, v, shares);
            shares.iter_mut().for_each(|l| *l = *l / count);
        });
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let ([x, t, v], dy, eps) = ([0, 1, 2].map(|k| b.x(k)), b.dy, T::of(self.0.eps));
        let factor: T = self.0.reduction.factor(T::of(x.len() as f64));
        for (k, factor) in [factor, -factor, factor].into_iter().enumerate() {
            let Some(d) = b.dx(k) else { continue };
            d.add_filled(|d, _| {
                slopes(k < 2, eps, x, t, v, d);
                match dy {
                    &[dy] => d.iter_mut().for_each(|d| *d *= factor * dy),
                    _ => d.iter_mut().zip(dy).for_each(|(d, &dy)| *d *= factor * dy),
                }
            });
        }
    }
}
