//! Lesson 14: curvature.

use crate::unsolved;

/// The product of two dual numbers, each a value and a tangent: (a + b ε) (c + d ε), with ε² = 0.
pub fn product((a, b): (f64, f64), (c, d): (f64, f64)) -> (f64, f64) {
    unsolved("the value is a c; the tangent is what stands before one ε")
}

/// The eigenvalues of the symmetric table [[a, b], [b, c]], the smaller first.
pub fn eigenvalues(a: f64, b: f64, c: f64) -> (f64, f64) {
    unsolved("with the mean m = (a + c) / 2 and r = √(((a - c) / 2)² + b²) they are m - r and m + r")
}

/// The border of the learning rates at which plain descent on a bowl with these curvatures comes to rest, all positive.
pub fn largest_rate(curvatures: &[f64]) -> f64 {
    unsolved("each allows a rate below 2 over itself, and all have to be allowed")
}
