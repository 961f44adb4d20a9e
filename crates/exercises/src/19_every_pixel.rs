//! Lesson 19: every pixel.

use crate::unsolved;

/// Dice of two masks, each with whether a pixel is foreground; 1 if neither has any.
pub fn dice(mask: &[bool], prediction: &[bool]) -> f64 {
    unsolved("twice the number of pixels that are foreground in both, over what each of them has")
}

/// The slope of the loss 1 - (2 Σ p t) / (Σ p + Σ t) along the probability of pixel `i`; t is 0 or 1, and there is some foreground.
pub fn dice_slope(p: &[f64], t: &[f64], i: usize) -> f64 {
    unsolved("with D for Dice and S for Σ p + Σ t it is (D - 2 t) / S, where t is that of the pixel")
}

/// Which of these thresholds has the highest Dice, if a pixel is foreground from the threshold on; of equals, the first.
pub fn best_threshold(mask: &[bool], probabilities: &[f64], thresholds: &[f64]) -> f64 {
    unsolved("call dice, or count anew, for each of them")
}
