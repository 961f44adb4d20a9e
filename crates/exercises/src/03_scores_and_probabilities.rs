//! Lesson 3: scores and probabilities.

use crate::unsolved;

/// The sigmoid: the probability of "yes" whose log-odds are `z`.
pub fn sigmoid(z: f64) -> f64 {
    unsolved("write 1 / (1 + e^-z)")
}

/// The log-odds of a probability: the sigmoid undone.
pub fn logit(p: f64) -> f64 {
    unsolved("write ln(p / (1 - p))")
}

/// Softmax, for scores of any size: also 1000.
pub fn softmax(z: &[f64]) -> Vec<f64> {
    unsolved("take the largest score off all, then divide each e^z by their sum")
}

/// The logistic loss of a score, for a truth `y` of 1 or -1.
pub fn logistic_loss(z: f64, y: f64) -> f64 {
    unsolved("write ln(1 + e^(-y z))")
}
