//! Lesson 7: why topological order.
//!
//! A graph is a list: `inputs[node]` are the places of the nodes that `node` is computed from.

use crate::unsolved;

/// Whether `order` is one in which gradients may be passed on: every node once, and each before its inputs.
pub fn is_topological(inputs: &[Vec<usize>], order: &[usize]) -> bool {
    unsolved("check that every node is there once, and that each input stands behind the nodes that use it")
}

/// An order in which gradients may be passed on, for a graph whose nodes stand in no order at all; it has no cycle.
pub fn sorted(inputs: &[Vec<usize>]) -> Vec<usize> {
    unsolved("take, again and again, a node that no node left over uses")
}

/// The gradient of the last node with respect to every node. `slopes[node]` are (input, slope) pairs, and inputs stand before the
/// nodes that use them.
pub fn gradients(slopes: &[Vec<(usize, f64)>]) -> Vec<f64> {
    unsolved(
        "give the last node 1, and go from the last to the first: each adds slope times its gradient to its inputs'",
    )
}
