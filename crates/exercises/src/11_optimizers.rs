//! Lesson 11: optimizers. Each function moves `theta` in place by one step along the gradient `g`.

use crate::unsolved;

/// Plain descent: θ ← θ - η g, with η = `rate`.
pub fn sgd(theta: &mut [f64], g: &[f64], rate: f64) {
    unsolved("take rate times g off each number: for (theta, g) in theta.iter_mut().zip(g)")
}

/// With momentum: v ← μ v + g, then θ ← θ - η v. `v` is kept from step to step, and starts at 0.
pub fn momentum(theta: &mut [f64], g: &[f64], v: &mut [f64], rate: f64, mu: f64) {
    unsolved("bring v up to date first, then step along it")
}

/// What Adam keeps from step to step: the means start at 0, and the first step is number 1.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// The mean of the gradients.
    pub m: Vec<f64>,
    /// The mean of their squares.
    pub v: Vec<f64>,
    /// The steps so far.
    pub t: i32,
}

/// Adam, with β₁ = 0.9, β₂ = 0.999 and ε = 1e-8. The lesson has the formulas.
pub fn adam(theta: &mut [f64], g: &[f64], memory: &mut Memory, rate: f64) {
    unsolved("count the step, bring both means up to date, undo their start from 0, and step")
}
