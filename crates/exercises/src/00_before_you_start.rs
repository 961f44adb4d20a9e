//! Before you start: Rust.

use std::num::ParseFloatError;

use crate::unsolved;

/// The mean of some numbers; `None` if there are none.
pub fn mean(numbers: &[f64]) -> Option<f64> {
    unsolved("give None for an empty slice, and Some(the sum over the length) for others")
}

/// What becomes of `x` when `f` is applied to it so many times.
pub fn repeated(f: impl Fn(f64) -> f64, times: usize, x: f64) -> f64 {
    unsolved("call f in a loop, each time on the last result")
}

/// The numbers of a text such as "1, 2.5, -3".
///
/// # Errors
/// If one part is not a number.
pub fn read_numbers(text: &str) -> Result<Vec<f64>, ParseFloatError> {
    unsolved("split the text at its commas, trim and parse each part, and collect")
}
