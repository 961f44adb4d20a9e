//! Lesson 5: back-propagation by hand. All neurons have sigmoids; `w[j][k]` leads from neuron j of a layer to neuron k of the next.

use crate::unsolved;

/// The errors δ of the outputs under the squared error ½ Σ (a - y)², from their answers `a` and the truth `y`.
pub fn output_errors(a: &[f64], y: &[f64]) -> Vec<f64> {
    unsolved("write (a - y) times the slope a (1 - a), for each output")
}

/// The errors of a hidden layer, from its answers `a`, the weights behind it and the errors `delta` of the next layer.
pub fn hidden_errors(a: &[f64], w: &[Vec<f64>], delta: &[f64]) -> Vec<f64> {
    unsolved("for each j: the sum over k of w[j][k] delta[k], times the slope of neuron j")
}

/// The gradient of the weights between a layer with the answers `a` and one with the errors `delta`.
pub fn weight_gradient(a: &[f64], delta: &[f64]) -> Vec<Vec<f64>> {
    unsolved("write a[j] delta[k] at place [j][k]")
}
