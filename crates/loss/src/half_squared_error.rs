//! # Half the squared error
//!
//! `l = ½ (a - y)²`, averaged over all elements: `dl/da = (a - y) / n`.
//!
//! The "quadratic cost" of the textbooks, with the half so that the derivative is the error itself. Its only difference from
//! [`mse_loss`](crate::mse_loss) is the factor, and so the step: at the same learning rate it moves half as far.
//!
//! Source: Nielsen, *Neural Networks and Deep Learning* (2015), equation 6.

use surprisal_tensor::{Card, Scalar, Var};

use crate::Reduction;
use crate::pointwise::{Pointwise, pointwise};

#[derive(Clone, Copy)]
struct HalfSquaredError;

impl Pointwise for HalfSquaredError {
    const CARD: Card = Card {
        name: "half_squared_error",
        forward: "½ (a - y)²",
        backward: "da = (a - y) dl, dy = -da",
        story: "The quadratic cost of the textbooks: its derivative is the error.",
    };
    fn loss<T: Scalar>(&self, a: T, y: T) -> T {
        let e = a - y;
        T::of(0.5) * e * e
    }
    fn slope<T: Scalar>(&self, a: T, y: T, scale: T) -> T {
        scale * (a - y)
    }
}

/// The mean over all elements of `½ (input - target)²`; both of one shape.
///
/// # Panics
/// At the caller's line, if the shapes differ or are empty.
///
/// ```
/// use surprisal_loss::half_squared_error;
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let params = Params::<f64>::new();
/// let mut workspace = Workspace::new();
/// let tape = workspace.tape(&params);
/// let z = tape.input(&array![2.0]).requires_grad();
/// let loss = half_squared_error(z.sigmoid(), tape.input(&array![0.0]));
/// loss.backward();
/// // almost as wrong as can be, yet the slope is a tenth of the error: σ'(2) = 0.105
/// assert!((loss.item() - 0.388).abs() < 1e-3);
/// assert!((z.grad().unwrap()[0] - 0.881 * 0.105).abs() < 1e-3);
/// ```
#[track_caller]
pub fn half_squared_error<'t, T: Scalar>(input: Var<'t, T>, target: Var<'t, T>) -> Var<'t, T> {
    half_squared_error_with(input, target, Reduction::Mean)
}

/// [`half_squared_error`] with another reduction.
#[track_caller]
pub fn half_squared_error_with<'t, T: Scalar>(
    input: Var<'t, T>,
    target: Var<'t, T>,
    reduction: Reduction,
) -> Var<'t, T> {
    pointwise(HalfSquaredError, input, target, reduction)
}
