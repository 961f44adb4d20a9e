//! Lesson 13: experiments.

use crate::unsolved;

/// What a number says of a claim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// The claim holds.
    Supported,
    /// It does not.
    NotSupported,
    /// It cannot be known.
    Inconclusive,
}

/// The verdict on "the number is above `border`", where all that is known is that it lies between `low` and `high`.
pub fn verdict(low: f64, high: f64, border: f64) -> Verdict {
    unsolved("compare both ends of the interval with the border")
}

/// How many times as long, over several seeds: the geometric mean of the ratios `slow / fast`, so that half as long and twice as long
/// make 1.
pub fn times_as_long(slow: &[f64], fast: &[f64]) -> f64 {
    unsolved("take the mean of ln(slow / fast), and e to the power of it")
}
