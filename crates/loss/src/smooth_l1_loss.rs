//! Smooth L1.
//!
#![doc = surprisal_formula_macro::math!("l = e² / (2β) where |e| < β, else |e| - β/2; e = x - t")]
//!
#![doc = include_str!("../pictures/smooth_l1_loss.svg")]
//!
//! [`l1_loss`](crate::l1_loss()) with its tip rounded off: far from the target every error pulls with the same force, which is 1
//! whatever β is; within β the force falls to 0, so that training comes to rest. β is the size of an error that is no matter.
//! Take it where targets are sometimes wrong, as the corners of boxes drawn by hand are.
//!
//! It is [`huber_loss`](crate::huber_loss()) of δ = β, divided by β: as β shrinks this becomes L1, where Huber's becomes 0; as
//! it grows this becomes 0, where Huber's becomes half the squared error. β = 0 is L1 exactly.
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("dl/dx = e / β where |e| < β, else sign(e)")]
//!
//! and `dl/dt` is its negative. Both pieces meet at `|e| = β` with the same value, β/2, and the same slope. The mean over
//! n elements divides by n.
//!
//! # In which form
//!
//! `e / β` first, which is at most 1, then times e: `e²` first is 0 in `f32` for e = 1e-23, and for β = 1e-20 the loss there is 5e-27.
//! `|e|` is at least β where β/2 is taken from it, so the difference loses nothing. Where x - t overflows it is taken in
//! halves.
//!
//! # Source
//!
//! Girshick, "Fast R-CNN" (2015), equation 3, with β = 1; PyTorch's `smooth_l1_loss`.

use surprisal_tensor::{Card, Scalar, Var};

use crate::by_name::Curve;
use crate::kinds::data::check_option;
use crate::kinds::pointwise::{Pointwise, linear, pointwise, signed};
use crate::{LossError, Reduction};

loss! {
    /// The mean over all elements of `e² / 2` where `|e| < 1`, else `|e| - ½`, with `e = input - target`; both of one shape. Both have a
    /// gradient.
    ///
    /// # Panics
    /// At the caller's line, if the shapes differ or are empty, or if a target is NaN that is data.
    ///
    /// ```
    /// use surprisal_loss::smooth_l1_loss;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let input = tape.input(&array![0.5, -3.0]).requires_grad();
    /// let loss = smooth_l1_loss(input, tape.input(&array![0.0, 0.0]));
    /// loss.backward();
    /// assert_eq!(loss.item(), 1.3125); // (0.125 + 2.5) / 2
    /// assert_eq!(input.grad().unwrap(), array![0.25, -0.5].into_dyn());
    /// ```
    fn smooth_l1_loss(input: gradient(Number, "any shape"), target: gradient(Number, "the shape of input"));
    card {
        inputs: "x t",
        forward: "(x - t)² / (2 β) where |x - t| < β, else |x - t| - β/2",
        backward: "dx = (x - t) / β dl where |x - t| < β, else sign(x - t) dl; dt = -dx",
        story: "Absolute error with its tip rounded off: the force of an error is its size up to β, and then stays 1.",
    }
    train { "smooth_l1", "smooth L1 loss", Number, ["beta"] }
    curve Curve::Error;
    #[derive(Clone, Copy, Debug)]
    pub struct SmoothL1Loss {
        /// How per-element losses are reduced.
        reduction: Reduction;
        /// β, 0 or more: the error below which the loss is quadratic. 1 by default; 0 gives L1.
        beta: f64 = 1 in NOT_NEGATIVE, "the error below which it is quadratic; 0 gives L1";
    }
}

impl Pointwise for SmoothL1Loss {
    const CARD: Card = ENTRY.card;
    fn settings(&self) -> Vec<(&'static str, f64)> {
        vec![("β", self.beta)]
    }
    #[inline(always)]
    fn value<T: Scalar>(&self, x: T, t: T) -> T {
        let (e, beta, half) = (x - t, T::of(self.beta), T::of(0.5));
        if e.abs() < beta { half * (e * (e / beta)) } else { linear(x, t, half * beta, T::ONE) }
    }
    fn share<T: Scalar>(&self, x: T, t: T, n: T) -> T {
        let beta = T::of(self.beta);
        if (x - t).abs() < beta {
            self.value(x, t) / n
        } else {
            linear(x / n, t / n, T::of(0.5) * beta / n, T::ONE)
        }
    }
    #[inline(always)]
    fn slope<T: Scalar>(&self, x: T, t: T, scale: T) -> T {
        let (e, beta) = (x - t, T::of(self.beta));
        if e.abs() < beta { scale * (e / beta) } else { signed(scale, e) }
    }
}

impl SmoothL1Loss {
    /// [`smooth_l1_loss()`] with these options.
    ///
    /// # Errors
    /// Where [`smooth_l1_loss()`] panics, and if β is negative, NaN, or beyond the largest number of the input's type.
    #[track_caller]
    pub fn try_loss<'t>(&self, input: Var<'t>, target: Var<'t>) -> Result<Var<'t>, LossError> {
        let beta = self.beta;
        let expected = "expected 0 (which gives l1_loss) or above, finite in the input's type";
        check_option(
            ENTRY.card.name,
            "beta",
            beta,
            beta >= 0.0 && input.tape().dtype().round(beta).is_finite(),
            expected,
        )?;
        pointwise(*self, input, target, self.reduction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::equals_definition;
    use crate::l1_loss;
    use surprisal_tensor::check_gradient;
    use surprisal_tensor::ndarray::array;

    #[test]
    fn equals_its_definition_in_plain_operations() {
        let x = array![[0.3, -1.2, 2.5], [-4.0, 0.0, 1.0]].into_dyn();
        let t = array![[1.0, -1.0, 2.25], [4.0, 0.2, 7.0]].into_dyn();
        for beta in [0.1, 0.5, 1.0, 30.0] {
            equals_definition(&[x.clone(), t.clone()], |_, x, reduction| {
                let e = x[0] - x[1];
                let cut = e.clamp(-beta, beta);
                let plain = cut * (e - cut * 0.5) * (1.0 / beta); // c e - ½ c², whichever piece it is
                [SmoothL1Loss { reduction, beta }.loss(x[0], x[1]), plain]
            });
        }
    }

    #[test]
    fn of_beta_0_it_is_l1_loss() {
        let (x, t) = (array![0.3, -1.2, 2.5].into_dyn(), array![1.0, -1.0, 2.25].into_dyn());
        check_gradient(&[x, t], |_, x| {
            let (smooth, l1) =
                (SmoothL1Loss { beta: 0.0, ..Default::default() }.loss(x[0], x[1]), l1_loss(x[0], x[1]));
            assert_eq!(smooth.item(), l1.item());
            smooth + (smooth - l1) * 1e3
        });
        let flat = SmoothL1Loss { beta: 0.0, ..Default::default() };
        assert_eq!((flat.value(2.0f32, 2.0), flat.slope(2.0f32, 2.0, 1.0)), (0.0, 0.0));
    }

    #[test]
    fn no_step_overflows_or_vanishes_before_the_loss_does() {
        let half = 2f32.powi(127); // of what is just too large
        let far = SmoothL1Loss { beta: f64::from(half), ..Default::default() };
        assert_eq!(far.value(half, -half), 1.5 * half);
        let small = SmoothL1Loss { beta: 0.5f64.powi(70), ..Default::default() };
        assert_eq!(small.value(0.5f32.powi(80), 0.0), 0.5f32.powi(91));
        assert!(far.value(f32::NAN, 0.0).is_nan() && far.slope(f32::NAN, 0.0, 1.0).is_nan());
    }
}
