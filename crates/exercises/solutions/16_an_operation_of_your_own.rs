use surprisal::prelude::*;
use surprisal::tensor::Card;
use surprisal::tensor::ops::elementwise::Elementwise;

#[derive(Clone, Copy)]
pub struct Softsign;

impl Elementwise for Softsign {
    const CARD: Card = Card {
        name: "softsign",
        inputs: "x",
        forward: "x / (1 + |x|)",
        backward: "dy / (1 + |x|)²",
        story: "",
    };
    fn f<T: Scalar>(&self, x: T) -> T {
        x / (T::ONE + x.abs())
    }
    fn df<T: Scalar>(&self, x: T, _: T) -> T {
        let below = T::ONE + x.abs();
        T::ONE / (below * below)
    }
}

pub fn softsign() -> impl Elementwise {
    Softsign
}

pub fn is_derivative(f: impl Fn(f64) -> f64, df: impl Fn(f64) -> f64, points: &[f64]) -> bool {
    let h = 1e-5;
    points.iter().all(|&x| (df(x) - (f(x + h) - f(x - h)) / (2.0 * h)).abs() < 1e-6)
}
