//! The losses that everyone must show: who computes something else does not do the same work.

/// The loss at step 5; for T7 the loss, for T8 the sum of the logits, for T9_b1 of their magnitudes. From `peers/expected.py`, in double precision.
const LOSSES: &[(&str, f64)] = &[
    ("T1", 0.6965463052169986),
    ("T2", 0.6854130522586285),
    ("T3", 2.179119858794188),
    ("T4", 2.2976272033350016),
    ("T5q", 0.39533506193874146),
    ("T5c", 2.5719846346591164),
    ("T6", 0.5888093527141596),
    ("T7ce_1024x10", 4.028287617039153),
    ("T7ce_128x32000", 12.175726482194285),
    ("T7bce_1M", 1.2010677701385846),
    ("T8_b1", -0.3147687036754697),
    ("T8_b64", -17.688180478377788),
    ("T9", 2.22564290900863),
    ("T9_b1", 1.05343609938543),
    ("T10", 0.799149934101012),
    ("T10bn", 0.800265642210311),
];

/// How much of it single precision may cost.
const TOLERANCE: f64 = 1e-6;

/// Compares a loss with what double precision gives. A scaled task has nothing to compare with.
///
/// # Panics
/// If the relative difference is above 1e-6.
#[track_caller]
pub fn check_loss(task: &str, loss: f64) {
    let Some(&(_, expected)) = LOSSES.iter().find(|(name, _)| *name == task) else { return };
    let difference = ((loss - expected) / expected).abs();
    assert!(
        difference <= TOLERANCE,
        "{task}: the loss is {loss}, and should be {expected}: a relative difference of {difference:.1e}"
    );
}

#[cfg(test)]
mod tests {
    use super::check_loss;

    #[test]
    fn another_loss_is_reported() {
        check_loss("T6", 0.5888095);
        std::panic::catch_unwind(|| check_loss("T6", 0.5889)).unwrap_err();
    }
}
