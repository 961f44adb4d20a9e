//! Logarithm of the hyperbolic cosine.
//!
#![doc = surprisal_formula_macro::math!("l = ln cosh(x - t)")]
//!
#![doc = include_str!("../pictures/log_cosh_loss.svg")]
//!
//! Like [`huber_loss`](crate::huber_loss()) without a seam: `e²/2` for small errors, `|e| - ln 2` for large ones, smooth in between and of
//! one piece. An error pulls with the force tanh e, which never exceeds 1. Take it where a few targets are far off and where second
//! derivatives are wanted, which Huber's loss has only between its seams. There is no δ: to set the size of an ordinary error, divide
//! input and target by it.
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("d ln cosh e / de = sinh e / cosh e = tanh e")]
//!
//! and `dl/dt` is its negative. The mean over n elements divides by n.
//!
//! # In which form
//!
//! cosh overflows in `f32` from |e| = 89.42 on, and rounds to 1, which makes the loss 0, up to |e| = 3.45e-4, where it is 6e-8. The usual
//! cure, `|e| + softplus(-2|e|) - ln 2`, cures the large end only: at e = 1e-4 it gives -1.7e-8 where the loss is 5e-9.
//!
//! With `s = e^-|e| - 1` (by exp_m1, so that it keeps every digit of a small e), `1 + s = e^-|e|` and
//!
//! * `cosh e - 1 = s² / (2 (1 + s))`, so for |e| < 1 the loss is `ln_1p(s² / (2 (1 + s)))`: no difference at all;
//! * `cosh e = e^|e| (1 + (1 + s)²) / 2`, so beyond it is `|e| + (ln_1p((1 + s)²) - ln 2)`.
//!
//! # Source
//!
//! Green, "Bayesian reconstructions from emission tomography data using a modified EM algorithm", *IEEE Transactions on Medical
//! Imaging* 9 (1990); Keras's `log_cosh`.

use std::f64::consts::LN_2;

use surprisal_tensor::{Card, Scalar, Var};

use crate::by_name::Curve;
use crate::kinds::pointwise::{Pointwise, linear, pointwise};
use crate::{LossError, Reduction};

loss! {
    /// The mean over all elements of `ln cosh(input - target)`; both of one shape. Both have a gradient.
    ///
    /// # Panics
    /// At the caller's line, if the shapes differ or are empty, or if a target is NaN that is data.
    ///
    /// ```
    /// use surprisal_loss::log_cosh_loss;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::new();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let loss = |error: f32| log_cosh_loss(tape.input(&array![error]), tape.input(&array![0.0])).item() as f32;
    /// assert_eq!(loss(1e-4), 5e-9); // as ln(cosh(e)): 0
    /// assert_eq!(loss(200.0), 200.0 - std::f32::consts::LN_2); // as ln(cosh(e)): infinity
    /// ```
    fn log_cosh_loss(input: gradient(Number, "any shape"), target: gradient(Number, "the shape of input"));
    card {
        inputs: "x t",
        forward: "ln cosh(x - t)",
        backward: "dx = tanh(x - t) dl, dt = -dx",
        story: "Squared error for what is near, absolute error for what is far, with no seam between them.",
    }
    train { "log_cosh", "log-cosh loss", Number, [] }
    curve Curve::Error;
    #[derive(Clone, Copy, Debug)]
    pub struct LogCoshLoss {
        /// How per-element losses are reduced.
        reduction: Reduction;
    }
}

impl Pointwise for LogCoshLoss {
    const CARD: Card = ENTRY.card;
    #[inline(always)]
    fn value<T: Scalar>(&self, x: T, t: T) -> T {
        let a = (x - t).abs();
        let s = (-a).exp_m1();
        let r = T::ONE + s;
        let near = a < T::ONE;
        // one logarithm for both sides
        let tail = (if near { s * s / (r + r) } else { r * r }).ln_1p();
        if near { tail } else { a + (tail - T::of(LN_2)) }
    }
    fn share<T: Scalar>(&self, x: T, t: T, n: T) -> T {
        let far = (x - t).abs() > T::of(64.0);
        if far { linear(x / n, t / n, T::of(LN_2) / n, T::ONE) } else { self.value(x, t) / n }
    }
    #[inline(always)]
    fn slope<T: Scalar>(&self, x: T, t: T, scale: T) -> T {
        scale * (x - t).tanh()
    }
}

impl LogCoshLoss {
    /// [`log_cosh_loss()`] with these options.
    ///
    /// # Errors
    /// Where [`log_cosh_loss()`] panics.
    #[track_caller]
    pub fn try_loss<'t>(&self, input: Var<'t>, target: Var<'t>) -> Result<Var<'t>, LossError> {
        pointwise(*self, input, target, self.reduction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::equals_definition;
    use surprisal_tensor::ndarray::array;

    #[test]
    fn equals_its_definition_in_plain_operations() {
        let x = array![[0.3, -1.2, 2.5], [-4.0, 0.0, 1.0]].into_dyn();
        let t = array![[1.25, -1.0, 2.5], [4.0, 0.5, 7.0]].into_dyn(); // 2.5: no error at all
        equals_definition(&[x, t], |_, x, reduction| {
            let e = x[0] - x[1];
            [LogCoshLoss { reduction }.loss(x[0], x[1]), ((e.exp() + (-e).exp()) * 0.5).ln()]
        });
    }

    #[test]
    fn both_ends_are_what_they_tend_to() {
        let loss = LogCoshLoss::default();
        for e in [1e-4f64, -1e-6, 1e-18, 1e-150] {
            assert!((loss.value(e, 0.0) - e * e / 2.0).abs() <= e * e * e * e + 1e-15 * e * e, "{e}");
        }
        for e in [50f32, -1e30, f32::MAX, f32::INFINITY] {
            assert_eq!(loss.value(e, 0.0), e.abs() - LN_2 as f32);
            assert_eq!(loss.slope(e, 0.0, 1.0), e.signum());
        }
        assert!(loss.value(f32::NAN, 0.0).is_nan() && loss.slope(f32::NAN, 0.0, 1.0).is_nan());
    }
}
