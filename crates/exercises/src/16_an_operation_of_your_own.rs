//! Lesson 16: an operation of your own.

use surprisal::prelude::*;
use surprisal::tensor::Card;
use surprisal::tensor::ops::elementwise::Elementwise;

use crate::unsolved;

/// Softsign, x / (1 + |x|): a bend that goes from -1 to 1 more slowly than tanh. Its derivative is 1 / (1 + |x|)².
#[derive(Clone, Copy)]
pub struct Softsign;

impl Elementwise for Softsign {
    const CARD: Card = Card {
        name: "softsign",
        inputs: "x",
        forward: "x / (1 + |x|)",
        backward: "dy / (1 + |x|)²",
        story: "Goes to its ends slowly, so that it saturates late.",
    };
    fn f<T: Scalar>(&self, x: T) -> T {
        unsolved("use x.abs() and T::ONE")
    }
    fn df<T: Scalar>(&self, x: T, y: T) -> T {
        unsolved("write 1 over the square of 1 + |x|")
    }
}

/// Makes it, for the check.
pub fn softsign() -> impl Elementwise {
    Softsign
}

/// Whether `df` is the derivative of the smooth function `f` at all these points, to a millionth.
pub fn is_derivative(f: impl Fn(f64) -> f64, df: impl Fn(f64) -> f64, points: &[f64]) -> bool {
    unsolved("compare df(x) with (f(x + h) - f(x - h)) / 2h, for a small h such as 1e-5")
}
