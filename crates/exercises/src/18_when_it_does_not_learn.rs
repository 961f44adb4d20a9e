//! Lesson 18: when it does not learn.

use crate::unsolved;

/// The cross-entropy, in nats, of a model that gives so many classes equal probabilities.
pub fn loss_of_guessing(classes: usize) -> f64 {
    unsolved("the surprise at something of probability 1 / classes")
}

/// How many relu units of a layer are dead: below 0 in every row. `z[row][unit]` are their scores.
pub fn dead_units(z: &[Vec<f64>]) -> usize {
    unsolved("count the units for which no row is above 0")
}

/// Two rows with the same features and different labels, the first such pair; a model cannot be right on both.
pub fn contradiction(features: &[Vec<f64>], labels: &[usize]) -> Option<(usize, usize)> {
    unsolved("compare each row with those behind it")
}
