//! Absolute error.
//!
#![doc = surprisal_formula_macro::math!("l = |x - t|")]
//!
#![doc = include_str!("../pictures/l1_loss.svg")]
//!
//! Every error counts by its size and no more: a target that is far off pulls with the same force as one that is near, so a
//! few of them do not carry the model away. Minimizing it finds the median of what may happen, where
//! [`mse_loss`](crate::mse_loss()) finds the mean. It is the surprise of a Laplace distribution of fixed width.
//!
//! The force does not shrink near the target either: with a fixed learning rate the model ends by stepping over it, to and
//! fro. Where that hurts, [`huber_loss`](crate::huber_loss()) rounds the tip off.
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("dl/dx = sign(x - t)")]
//!
//! and `dl/dt` is its negative. The mean over n elements divides by n. At x = t there is a kink, and
//! every slope from -1 to 1 would do; it is taken as 0, so that a model that is right is left alone.
//!
//! # In which form
//!
//! As it stands: there is one rounding, that of x - t. As `√(x - t)²` it would be 0 in `f32` for errors up to 2.6e-23, infinite
//! from 1.9e19 on, and its gradient `e / √e²` NaN at 0.
//!
//! # Source
//!
//! Boscovich 1757; Laplace 1774; PyTorch's `l1_loss`.

use surprisal_tensor::{Card, Scalar, Var};

use crate::by_name::Curve;
use crate::kinds::pointwise::{Pointwise, pointwise, signed};
use crate::{LossError, Reduction};

loss! {
    /// The mean over all elements of `|input - target|`; both of one shape. Both have a gradient.
    ///
    /// # Panics
    /// At the caller's line, if the shapes differ or are empty, or if a target is NaN that is data.
    ///
    /// ```
    /// use surprisal_loss::l1_loss;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let input = tape.input(&array![1.0, 5.0, 2.0, 3.0]).requires_grad();
    /// let loss = l1_loss(input, tape.input(&array![0.0, 8.0, 2.0, 3.5]));
    /// loss.backward();
    /// assert_eq!(loss.item(), 1.125); // (1 + 3 + 0 + 0.5) / 4
    /// assert_eq!(input.grad().unwrap(), array![0.25, -0.25, 0.0, -0.25].into_dyn());
    /// ```
    fn l1_loss(input: gradient(Number, "any shape"), target: gradient(Number, "the shape of input"));
    card {
        inputs: "x t",
        forward: "|x - t|",
        backward: "dx = sign(x - t) dl, dt = -dx",
        story: "Punishes an error by its size: far or near, every error pulls with the same force.",
    }
    train { "mae", "absolute error", Number, [] }
    curve Curve::Error;
    #[derive(Clone, Copy, Debug)]
    pub struct L1Loss {
        /// How per-element losses are reduced.
        reduction: Reduction;
    }
}

impl Pointwise for L1Loss {
    const CARD: Card = ENTRY.card;
    #[inline(always)]
    fn value<T: Scalar>(&self, x: T, t: T) -> T {
        (x - t).abs()
    }
    fn share<T: Scalar>(&self, x: T, t: T, n: T) -> T {
        (x / n - t / n).abs()
    }
    #[inline(always)]
    fn slope<T: Scalar>(&self, x: T, t: T, scale: T) -> T {
        signed(scale, x - t)
    }
}

impl L1Loss {
    /// [`l1_loss`](l1_loss()) with these options.
    ///
    /// # Errors
    /// Where [`l1_loss`](l1_loss()) panics.
    #[track_caller]
    pub fn try_loss<'t>(&self, input: Var<'t>, target: Var<'t>) -> Result<Var<'t>, LossError> {
        pointwise(*self, input, target, self.reduction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::equals_definition;
    use surprisal_tensor::ndarray::{ArrayD, array};
    use surprisal_tensor::{Params, Workspace};

    #[test]
    fn equals_its_definition_in_plain_operations() {
        let x = array![[0.3, -1.2, 2.5], [-4.0, 0.0, 1.0]].into_dyn();
        let t = array![[1.0, -3.0, 2.25], [4.0, 0.5, 7.0]].into_dyn();
        equals_definition(&[x, t], |_, x, reduction| {
            [L1Loss { reduction }.loss(x[0], x[1]), (x[0] - x[1]).abs()]
        });
    }

    /// The value and the gradient with respect to both.
    fn all(x: [f32; 2], t: [f32; 2]) -> (f32, ArrayD<f32>, ArrayD<f32>) {
        let (params, mut workspace) = (Params::new(), Workspace::new());
        let tape = workspace.tape(&params);
        let [x, t] = [x, t].map(|x| tape.input(&array![x[0], x[1]]).requires_grad());
        let loss = l1_loss(x, t);
        loss.backward();
        let [dx, dt] = [x, t].map(|x| x.grad().unwrap().mapv(|d| d as f32));
        (loss.item() as f32, dx, dt)
    }

    #[test]
    fn the_kink_is_flat_and_not_a_number_stays_so() {
        let (loss, dx, dt) = all([1.0, 2.0], [1.0, 5.0]);
        assert_eq!((loss, dx, dt), (1.5, array![0.0, -0.5].into_dyn(), array![0.0, 0.5].into_dyn()));
        let (loss, dx, _) = all([f32::NAN, 2.0], [1.0, 5.0]);
        assert!(loss.is_nan() && dx[0].is_nan() && dx[1] == -0.5);
    }

    #[test]
    fn a_mean_is_finite_where_the_sum_is_not() {
        assert_eq!(all([f32::MAX, -f32::MAX], [0.0, 0.0]).0, f32::MAX);
    }
}
