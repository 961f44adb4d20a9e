//! Lesson 20: learning features.

use crate::unsolved;

/// The loss of one row in SupCon, in nats: `cosines` are its cosines with all other rows, and `same` says which of them are of its
/// class, one or more.
pub fn contrast(cosines: &[f64], same: &[bool], temperature: f64) -> f64 {
    unsolved("the mean surprise at those of its class, by the softmax of cosines / temperature")
}

/// The hardest triplet of an anchor: of the rows at these distances from it, the farthest of its class and the nearest of another.
pub fn hardest(distances: &[f64], same: &[bool]) -> (usize, usize) {
    unsolved("a maximum over the rows of its class, a minimum over the others")
}

/// The label of the row whose features have the largest cosine with those of a new row; no features are all 0.
pub fn nearest(features: &[Vec<f64>], labels: &[usize], new: &[f64]) -> usize {
    unsolved("compare dot products divided by the lengths of the rows")
}
