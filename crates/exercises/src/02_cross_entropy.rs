//! Lesson 2: cross-entropy.

use crate::unsolved;

/// The cross-entropy H(p, q) in nats; what p says never happens adds nothing, whatever q says of it.
pub fn cross_entropy(p: &[f64], q: &[f64]) -> f64 {
    unsolved("add up -p ln q, and leave out p = 0")
}

/// The Kullback-Leibler divergence KL(p‖q) in nats.
pub fn divergence(p: &[f64], q: &[f64]) -> f64 {
    unsolved("write H(p, q) - H(p), or the sum of p ln(p / q)")
}

/// Of several expectations, the place of the one that is surprised least by what p brings.
pub fn best_expectation(p: &[f64], expectations: &[Vec<f64>]) -> usize {
    unsolved("give the place of the smallest cross-entropy")
}
