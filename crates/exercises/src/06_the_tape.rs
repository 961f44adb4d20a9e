//! Lesson 6: the tape.

use surprisal::prelude::*;

use crate::unsolved;

/// The derivative of x³ + 2x at `x`, by a tape: record the formula, walk back, read the gradient.
pub fn derivative(x: f64) -> f64 {
    unsolved(
        "make empty Params and a Workspace, start a tape, tape.constant(x).requires_grad(), and go on from there",
    )
}

/// The gradient of a neuron's squared error (wx + b - y)² with respect to w and b, in this order, by a tape.
pub fn neuron(w: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    unsolved("make w and b parameters, record the error squared, and read workspace.grads()")
}

/// One step of gradient descent on the loss w², for the one number of `params`, at this rate.
pub fn step(params: &mut Params<f64>, rate: f64) {
    unsolved("take the id from params.ids(), record the square of the parameter, walk back, and let Sgd step")
}
