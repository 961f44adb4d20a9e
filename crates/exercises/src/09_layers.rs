//! Lesson 9: layers.

use surprisal::ndarray::{Array1, Array2};
use surprisal::prelude::*;

use crate::unsolved;

/// The way back through `y = x W + b`: from x `[rows, inputs]`, W `[inputs, outputs]` and the gradient `dy` `[rows, outputs]` that
/// arrives, the gradients of x, of W and of b.
pub fn linear_backward(
    x: &Array2<f64>,
    w: &Array2<f64>,
    dy: &Array2<f64>,
) -> (Array2<f64>, Array2<f64>, Array1<f64>) {
    unsolved("write dy Wᵀ, xᵀ dy and the column sums of dy: a.dot(&b), a.t(), a.sum_axis(Axis(0))")
}

/// How many numbers a net of linear layers has, weights and biases: for the sizes 64, 32, 10 it is 2410.
pub fn parameters(sizes: &[usize]) -> usize {
    unsolved(
        "for each pair of neighbors, sizes.windows(2), count inputs times outputs, and the outputs once more",
    )
}

/// A layer that bends: max(x, x / 10), which lets a tenth of the negative numbers pass.
pub struct Leaky;

impl Layer for Leaky {
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        unsolved("use x.maximum(..) and * on the tape")
    }
}

/// Makes the layer, for the check.
pub fn leaky() -> impl Layer {
    Leaky
}
