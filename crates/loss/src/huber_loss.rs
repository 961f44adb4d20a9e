//! Huber's loss.
//!
#![doc = surprisal_formula_macro::math!("l = e² / 2 where |e| <= δ, else δ (|e| - δ/2); e = x - t")]
//!
#![doc = include_str!("../pictures/huber_loss.svg")]
//!
//! Squared error for what is near, absolute error for what is far. Within δ it averages, as [`mse_loss`](crate::mse_loss()) does;
//! an error beyond δ pulls with the force δ and no more, so that a few wild targets do not decide. Take it where the data
//! holds outliers that you cannot take out. δ is the size of the errors that are still ordinary: 1.345 times their standard
//! deviation is the common choice, which costs 5 % of efficiency if they are normal and there are no outliers at all.
//!
//! It is [`smooth_l1_loss`](crate::smooth_l1_loss()) of β = δ, times δ; of δ = 1 they are one.
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("dl/dx = e where |e| <= δ, else δ sign(e)")]
//!
//! It is the error, cut off at δ; `dl/dt` is its negative. Both pieces meet at `|e| = δ` with
//! the same value and the same slope. The mean over n elements divides by n.
//!
//! # In which form
//!
//! No e² where it is not asked for: in `f32` it is infinite from 1.9e19 on, where the loss is an ordinary number. And for x = 3e38,
//! t = -3e38 and δ = 0.1, x - t itself is infinite, the loss 6e37: there the difference is taken in halves.
//!
//! # Source
//!
//! Huber, "Robust estimation of a location parameter", *Annals of Mathematical Statistics* 35 (1964); PyTorch's `huber_loss`.

use surprisal_tensor::{Card, Scalar, Var};

use crate::by_name::Curve;
use crate::kinds::data::check_option;
use crate::kinds::pointwise::{Pointwise, linear, pointwise, signed};
use crate::{LossError, Reduction};

loss! {
    /// The mean over all elements of `e² / 2` where `|e| <= 1`, else `|e| - ½`, with `e = input - target`; both of one shape. Both have a
    /// gradient.
    ///
    /// # Panics
    /// At the caller's line, if the shapes differ or are empty, or if a target is NaN that is data.
    ///
    /// ```
    /// use surprisal_loss::{HuberLoss, huber_loss};
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let (input, target) = (tape.input(&array![0.5, -3.0]).requires_grad(), tape.input(&array![0.0, 0.0]));
    /// assert_eq!(huber_loss(input, target).item(), 1.3125); // (0.125 + 2.5) / 2
    /// let loss = HuberLoss { delta: 2.0, ..Default::default() }.loss(input, target);
    /// loss.backward();
    /// assert_eq!(loss.item(), 2.0625); // (0.125 + 2 (3 - 1)) / 2
    /// assert_eq!(input.grad().unwrap(), array![0.25, -1.0].into_dyn());
    /// ```
    fn huber_loss(input: gradient(Number, "any shape"), target: gradient(Number, "the shape of input"));
    card {
        inputs: "x t",
        forward: "½ (x - t)² where |x - t| <= δ, else δ (|x - t| - δ/2)",
        backward: "dx = (x - t) dl where |x - t| <= δ, else δ sign(x - t) dl; dt = -dx",
        story: "Squared error that stops growing steeper at δ: what is far off pulls with a bounded force.",
    }
    train { "huber", "Huber's loss", Number, ["delta"] }
    curve Curve::Error;
    #[derive(Clone, Copy, Debug)]
    pub struct HuberLoss {
        /// How per-element losses are reduced.
        reduction: Reduction;
        /// δ, above 0: the error up to which the loss is quadratic. 1 by default; infinity gives half the squared error.
        delta: f64 = 1 in POSITIVE_OR_INFINITE, "the error up to which it is quadratic, above 0";
    }
}

impl Pointwise for HuberLoss {
    const CARD: Card = ENTRY.card;
    fn settings(&self) -> Vec<(&'static str, f64)> {
        vec![("δ", self.delta)]
    }
    #[inline(always)]
    fn value<T: Scalar>(&self, x: T, t: T) -> T {
        let (e, delta, half) = (x - t, T::of(self.delta), T::of(0.5));
        if e.abs() <= delta { half * e * e } else { linear(x, t, half * delta, delta) }
    }
    fn share<T: Scalar>(&self, x: T, t: T, n: T) -> T {
        let (e, delta, half) = (x - t, T::of(self.delta), T::of(0.5));
        if e.abs() <= delta { half * e * (e / n) } else { linear(x / n, t / n, half * delta / n, delta) }
    }
    #[inline(always)]
    fn slope<T: Scalar>(&self, x: T, t: T, scale: T) -> T {
        let (e, delta) = (x - t, T::of(self.delta));
        if e.abs() <= delta { scale * e } else { signed(scale * delta, e) }
    }
}

impl HuberLoss {
    /// [`huber_loss()`] with these options.
    ///
    /// # Errors
    /// Where [`huber_loss()`] panics, and if δ is not above 0 in the input's type.
    #[track_caller]
    pub fn try_loss<'t>(&self, input: Var<'t>, target: Var<'t>) -> Result<Var<'t>, LossError> {
        let delta = self.delta;
        let expected = "it is above 0, also when rounded to the input's type";
        check_option(ENTRY.card.name, "delta", delta, input.tape().dtype().round(delta) > 0.0, expected)?;
        pointwise(*self, input, target, self.reduction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::equals_definition;
    use crate::{SmoothL1Loss, half_squared_error};
    use surprisal_tensor::check_gradient;
    use surprisal_tensor::ndarray::{ArrayD, array};

    fn pair() -> [ArrayD<f64>; 2] {
        let x = array![[0.3, -1.2, 2.5], [-4.0, 0.0, 1.0]].into_dyn();
        [x, array![[1.0, -1.0, 2.25], [4.0, 0.2, 7.0]].into_dyn()]
    }

    #[test]
    fn equals_its_definition_in_plain_operations() {
        for delta in [0.1, 0.5, 1.0, 30.0] {
            equals_definition(&pair(), |_, x, reduction| {
                let e = x[0] - x[1];
                let cut = e.clamp(-delta, delta);
                let plain = cut * (e - cut * 0.5); // c e - ½ c², whichever piece it is
                [HuberLoss { reduction, delta }.loss(x[0], x[1]), plain]
            });
        }
    }

    #[test]
    fn reduces_to_its_relatives() {
        check_gradient(&pair(), |_, x| {
            let huber = |delta| HuberLoss { delta, ..Default::default() }.loss(x[0], x[1]);
            let smooth = SmoothL1Loss { beta: 0.5, ..Default::default() }.loss(x[0], x[1]);
            let unbounded = huber(f64::INFINITY) - half_squared_error(x[0], x[1]);
            let scaled = huber(0.5) - smooth * 0.5;
            assert!(unbounded.item().abs() < 1e-14 && scaled.item().abs() < 1e-14);
            huber(1.0) + (unbounded + scaled) * 1e3
        });
    }

    #[test]
    fn no_step_overflows_before_the_loss_does() {
        let loss = HuberLoss { delta: 0.125, ..Default::default() };
        assert_eq!((loss.value(3e38f32, -3e38), loss.slope(3e38f32, -3e38, 8.0)), (7.5e37, 1.0));
        assert!(loss.value(f32::NAN, 0.0).is_nan() && loss.slope(f32::NAN, 0.0, 1.0).is_nan());
    }
}
