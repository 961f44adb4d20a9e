//! Half the squared error.
//!
#![doc = surprisal_formula_macro::math!("l = ½ (a - y)²")]
//!
#![doc = include_str!("../pictures/half_squared_error.svg")]
//!
//! The "quadratic cost" of the textbooks, with the half so that the derivative is the error itself. Its only difference from
//! [`mse_loss`](crate::mse_loss()) is the factor, and so the step: at the same learning rate it moves half as far.
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("dl/da = a - y")]
//!
//! and `dl/dy` is its negative. For an output `a = σ(z)` of a logit z, the chain rule gives
//!
#![doc = surprisal_formula_macro::math!("dl/dz = dl/da · da/dz = (a - y) σ'(z)")]
//!
//! At z = 10 and y = 0, as wrong as can be, it is 4.5e-5, where cross-entropy's is 1.
//!
//! # In which form
//!
//! The difference first, then its square: `½ a² - a y + ½ y²` cancels. `½ e` times e, not `e²` halved, which overflows earlier.
//!
//! # Source
//!
//! Nielsen, *Neural Networks and Deep Learning* (2015), equation 6.

use surprisal_tensor::{Card, Scalar, Var};

use crate::by_name::Curve;
use crate::kinds::pointwise::{Pointwise, pointwise};
use crate::{LossError, Reduction};

loss! {
    /// The mean over all elements of `½ (input - target)²`; both of one shape. Both have a gradient.
    ///
    /// # Panics
    /// At the caller's line, if the shapes differ or are empty, or if a target is NaN that is data.
    ///
    /// ```
    /// use surprisal_loss::half_squared_error;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let z = tape.input(&array![2.0]).requires_grad();
    /// let loss = half_squared_error(z.sigmoid(), tape.input(&array![0.0]));
    /// loss.backward();
    /// // almost as wrong as can be, yet the slope is a tenth of the error: σ'(2) = 0.105
    /// assert!((loss.item() - 0.388).abs() < 1e-3);
    /// assert!((z.grad().unwrap()[0] - 0.881 * 0.105).abs() < 1e-3);
    /// ```
    fn half_squared_error(input: gradient(Number, "any shape"), target: gradient(Number, "the shape of input"));
    card {
        inputs: "a y",
        forward: "½ (a - y)²",
        backward: "da = (a - y) dl, dy = -da",
        story: "The quadratic cost of the textbooks: its derivative is the error.",
    }
    train { "half_mse", "half squared error", ProbabilityOrNumber, [] }
    curve Curve::Probability; // it is shown where the textbooks use it: behind a sigmoid
    #[derive(Clone, Copy, Debug)]
    pub struct HalfSquaredError {
        /// How per-element losses are reduced.
        reduction: Reduction;
    }
}

impl Pointwise for HalfSquaredError {
    const CARD: Card = ENTRY.card;
    #[inline(always)]
    fn value<T: Scalar>(&self, a: T, y: T) -> T {
        let e = a - y;
        T::of(0.5) * e * e
    }
    fn share<T: Scalar>(&self, a: T, y: T, n: T) -> T {
        let e = a - y;
        T::of(0.5) * e * (e / n)
    }
    #[inline(always)]
    fn slope<T: Scalar>(&self, a: T, y: T, scale: T) -> T {
        scale * (a - y)
    }
}

impl HalfSquaredError {
    /// [`half_squared_error`](half_squared_error()) with these options.
    ///
    /// # Errors
    /// Where [`half_squared_error`](half_squared_error()) panics.
    #[track_caller]
    pub fn try_loss<'t>(&self, input: Var<'t>, target: Var<'t>) -> Result<Var<'t>, LossError> {
        pointwise(*self, input, target, self.reduction)
    }
}
