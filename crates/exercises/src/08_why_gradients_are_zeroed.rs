//! Lesson 8: why gradients are zeroed.

use crate::unsolved;

/// Where w stands after so many steps of descent on (w - goal)², from 0. The gradient is 2 (w - goal), fresh at every step.
pub fn descend(goal: f64, rate: f64, steps: usize) -> f64 {
    unsolved("in a loop, take rate times the gradient off w")
}

/// The gradient of a mean over all rows, from the gradients of means over parts of them: each a number of rows and a gradient.
pub fn whole_gradient(parts: &[(usize, Vec<f64>)]) -> Vec<f64> {
    unsolved("add the gradients up, each times its share of the rows")
}
