//! Squared error.
//!
#![doc = surprisal_formula_macro::math!("l = (x - t)²")]
//!
#![doc = include_str!("../pictures/mse_loss.svg")]
//!
//! The natural loss of a regression: minimizing it finds the mean of what may happen, and it is the cross-entropy of a
//! normal distribution of fixed width. For classes it is the wrong question. Behind a sigmoid, `x = σ(z)`, the chain rule
//! multiplies by `σ'(z)`, which is at most 1/4 and vanishes for a confident answer, *also when the answer is wrong*:
//! the larger the error, the less is learned from it.
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("dl/dx = 2 (x - t)")]
//!
//! and `dl/dt` is its negative. The mean over n elements divides by n.
//!
//! # In which form
//!
//! The difference first, then its square: `x² - 2 x t + t²` cancels, and in `f32` is 0 for x = 10001, t = 10000.5, where the loss is
//! 0.25. The gradient of the mean as `(2 / n) e`: `2 e` first would overflow at the top of the range.
//!
//! # Source
//!
//! Gauss, *Theoria motus* (1809); PyTorch's `mse_loss`.

use surprisal_tensor::{Card, Scalar, Var};

use crate::by_name::Curve;
use crate::kinds::pointwise::{Pointwise, pointwise};
use crate::{LossError, Reduction};

loss! {
    /// The mean over all elements of `(input - target)²`; both of one shape. Both have a gradient.
    ///
    /// # Panics
    /// At the caller's line, if the shapes differ or are empty, or if a target is NaN that is data.
    ///
    /// ```
    /// use surprisal_loss::mse_loss;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let input = tape.input(&array![1.0, 5.0]).requires_grad();
    /// let loss = mse_loss(input, tape.input(&array![0.0, 3.0]));
    /// loss.backward();
    /// assert_eq!(loss.item(), 2.5); // (1 + 4) / 2
    /// assert_eq!(input.grad().unwrap(), array![1.0, 2.0].into_dyn());
    /// ```
    fn mse_loss(input: gradient(Number, "any shape"), target: gradient(Number, "the shape of input"));
    card {
        inputs: "x t",
        forward: "(x - t)²",
        backward: "dx = 2 (x - t) dl, dt = -dx",
        story: "Punishes an error by its square: large errors count most.",
    }
    train { "mse", "squared error", ProbabilityOrNumber, [] }
    curve Curve::Error;
    #[derive(Clone, Copy, Debug)]
    pub struct MseLoss {
        /// How per-element losses are reduced.
        reduction: Reduction;
    }
}

impl Pointwise for MseLoss {
    const CARD: Card = ENTRY.card;
    #[inline(always)]
    fn value<T: Scalar>(&self, x: T, t: T) -> T {
        let e = x - t;
        e * e
    }
    fn share<T: Scalar>(&self, x: T, t: T, n: T) -> T {
        let e = x - t;
        e * (e / n)
    }
    #[inline(always)]
    fn slope<T: Scalar>(&self, x: T, t: T, scale: T) -> T {
        (scale + scale) * (x - t)
    }
}

impl MseLoss {
    /// [`mse_loss`](mse_loss()) with these options.
    ///
    /// # Errors
    /// Where [`mse_loss`](mse_loss()) panics.
    #[track_caller]
    pub fn try_loss<'t>(&self, input: Var<'t>, target: Var<'t>) -> Result<Var<'t>, LossError> {
        pointwise(*self, input, target, self.reduction)
    }
}
