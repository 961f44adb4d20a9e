//! Lesson 21: a game of two nets.

use crate::unsolved;

/// The probability "real" that the best discriminator gives, where real points have density p and samples density q, not both 0.
pub fn best_discriminator(p: f64, q: f64) -> f64 {
    unsolved("the share of real points among all that are here")
}

/// The lowest loss of a discriminator, in nats, for the probabilities of each kind of point among real points and among samples.
pub fn lowest_loss(p: &[f64], q: &[f64]) -> f64 {
    unsolved(
        "p times -ln D and q times -ln(1 - D), summed over all kinds; what has probability 0 costs nothing",
    )
}

/// The slopes of the saturating and of the non-saturating loss of a generator at a logit of the discriminator.
pub fn slopes(logit: f64) -> (f64, f64) {
    unsolved("D is the sigmoid of the logit; the slopes are -D and -(1 - D)")
}
