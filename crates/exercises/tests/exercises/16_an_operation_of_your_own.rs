use surprisal::ndarray::array;
use surprisal::prelude::*;
use surprisal::tensor::Card;
use surprisal::tensor::ops::elementwise::Elementwise;

use crate::near;

fn is_softsign<F: Elementwise>(make: impl Fn() -> F) {
    for (x, y) in [(0.0, 0.0), (1.0, 0.5), (-3.0, -0.75)] {
        near(format_args!("softsign of {x}"), make().f(x), y);
    }
    check_gradient(&[array![-4.0, -0.5, 0.3, 2.0].into_dyn()], |_, x| x[0].map(make()));
}
/// x / (1 + |x|), with whatever derivative.
#[derive(Clone, Copy)]
struct With(fn(f64) -> f64);
impl Elementwise for With {
    const CARD: Card = Card { name: "with", inputs: "x", forward: "", backward: "", story: "" };
    fn f<T: Scalar>(&self, x: T) -> T {
        x / (T::ONE + x.abs())
    }
    fn df<T: Scalar>(&self, x: T, _: T) -> T {
        T::of((self.0)(x.value()))
    }
}
exercise!(
    own_operation::softsign,
    is_softsign,
    wrong: [
        || With(|x| 1.0 / (1.0 + x.abs())),
        || With(|x| 1.0 / (1.0 + x).powi(2)), // right for half of the numbers
        || With(|x| x.signum() / (1.0 + x.abs()).powi(2)),
    ]
);

/// A function.
type F = fn(f64) -> f64;

fn finds_mistakes(is_derivative: impl Fn(F, F, &[f64]) -> bool) {
    let points = [-2.0, -0.5, 0.0, 1.0];
    for (what, f, df, expected) in [
        ("x³ and 3x²", (|x| x * x * x) as F, (|x| 3.0 * x * x) as F, true),
        ("x³ and x²", |x| x * x * x, |x| x * x, false),
        ("x² and 2x", |x| x * x, |x| 2.0 * x, true),
        ("x² and -2x", |x| x * x, |x| -2.0 * x, false),
        ("e^x and e^x", f64::exp, f64::exp, true),
        ("e^x and a ten-thousandth more", f64::exp, |x| 1.0001 * x.exp(), false),
    ] {
        assert_eq!(is_derivative(f, df, &points), expected, "{what}");
    }
}
exercise!(
    own_operation::is_derivative,
    finds_mistakes,
    wrong: [
        |f, df, points| points.iter().any(|&x| (df(x) - (f(x + 1e-5) - f(x - 1e-5)) / 2e-5).abs() < 1e-6),
        |f, df, points| points.iter().all(|&x| (df(x) - (f(x + 1e-5) - f(x)) / 1e-5).abs() < 1e-6), // one side only
        |f, df, points| points.iter().all(|&x| (df(x) - (f(x + 0.1) - f(x - 0.1)) / 0.2).abs() < 1e-6),
        |f, df, points| points.iter().all(|&x| (df(x).abs() - ((f(x + 1e-5) - f(x - 1e-5)) / 2e-5).abs()).abs() < 1e-6),
    ]
);
