//! # Squared error
//!
//! `l = (x - t)²`, averaged over all elements: `dl/dx = 2 (x - t) / n`.
//!
//! The natural loss of a regression: minimising it finds the mean of what may happen, and it is the cross-entropy of a
//! normal distribution with a fixed width. For classes it is the wrong question. Behind a sigmoid, `x = σ(z)`, the chain rule
//! multiplies by `σ'(z)`, which is at most 1/4 and vanishes for a confident answer, *also when the answer is wrong*:
//! the larger the error, the less is learned from it.
//!
//! Source: Gauss 1809; PyTorch's `mse_loss`.

use surprisal_tensor::{Card, Scalar, Var};

use crate::Reduction;
use crate::pointwise::{Pointwise, pointwise};

#[derive(Clone, Copy)]
struct SquaredError;

impl Pointwise for SquaredError {
    const CARD: Card = Card {
        name: "mse_loss",
        forward: "(x - t)²",
        backward: "dx = 2 (x - t) dy, dt = -dx",
        story: "Punishes an error by its square: large errors count most.",
    };
    fn loss<T: Scalar>(&self, x: T, t: T) -> T {
        let e = x - t;
        e * e
    }
    fn slope<T: Scalar>(&self, x: T, t: T, scale: T) -> T {
        (scale + scale) * (x - t) // not 2 e first: it would overflow at the top of the range
    }
}

/// The mean over all elements of `(input - target)²`; both of one shape.
///
/// # Panics
/// At the caller's line, if the shapes differ or are empty.
///
/// ```
/// use surprisal_loss::mse_loss;
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let params = Params::<f64>::new();
/// let mut workspace = Workspace::new();
/// let tape = workspace.tape(&params);
/// let input = tape.input(&array![1.0, 5.0]).requires_grad();
/// let loss = mse_loss(input, tape.input(&array![0.0, 3.0]));
/// loss.backward();
/// assert_eq!(loss.item(), 2.5); // (1 + 4) / 2
/// assert_eq!(input.grad().unwrap(), array![1.0, 2.0].into_dyn());
/// ```
#[track_caller]
pub fn mse_loss<'t, T: Scalar>(input: Var<'t, T>, target: Var<'t, T>) -> Var<'t, T> {
    mse_loss_with(input, target, Reduction::Mean)
}

/// [`mse_loss`] with another reduction.
#[track_caller]
pub fn mse_loss_with<'t, T: Scalar>(
    input: Var<'t, T>,
    target: Var<'t, T>,
    reduction: Reduction,
) -> Var<'t, T> {
    pointwise(SquaredError, input, target, reduction)
}
