//! Lesson 15: how the tape works inside.

use crate::unsolved;

/// Where the numbers of each node start in the arena, for nodes of these lengths; behind them, how many numbers there are in all.
pub fn places(lens: &[usize]) -> Vec<usize> {
    unsolved("the first starts at 0, and each behind the one before it")
}

/// Adds a part to a gradient in which, until something has `reached` it, stands whatever the last step has left there.
pub fn add(slot: &mut f64, reached: &mut bool, part: f64) {
    unsolved("the first addition is a store, and notes that it was made")
}

/// The gradient of the last node with respect to every node, in old memory: `grads` holds anything at all. `slopes[node]` are
/// (input, slope) pairs, and inputs stand before the nodes that use them. What is not reached gets 0.
pub fn backward(slopes: &[Vec<(usize, f64)>], grads: &mut [f64]) {
    unsolved("as in lesson 7, with `add` and a flag for each node")
}
