//! Lesson 1: surprise.

use crate::unsolved;

/// The surprise at something of probability `p`, in nats.
pub fn nats(p: f64) -> f64 {
    unsolved("write -ln p; the logarithm of f64 is p.ln()")
}

/// The same in bits: 1 for one half.
pub fn bits(p: f64) -> f64 {
    unsolved("write -log2 p")
}

/// The entropy of a distribution, in bits: the mean surprise. What never happens (p = 0) adds nothing.
pub fn entropy(p: &[f64]) -> f64 {
    unsolved("add up p times the surprise at p, and leave out p = 0")
}
