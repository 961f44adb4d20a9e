//! Weights that a user gives: checked, and recorded as a leaf.

use surprisal_tensor::{Scalar, Tape, Var};

/// Records weights; messages call them by the loss and by `name`.
#[track_caller]
pub(crate) fn record<'t, T: Scalar>(
    tape: &'t Tape<'t, T>,
    loss: &str,
    name: &str,
    weights: &[f64],
) -> Var<'t, T> {
    for (i, &w) in weights.iter().enumerate() {
        assert!(w >= 0.0 && w.is_finite(), "{loss}: {name} {i} is {w}: weights are finite and not negative");
    }
    tape.input_with([weights.len()], |slots| {
        slots.iter_mut().zip(weights).for_each(|(slot, &w)| *slot = T::of(w))
    })
}
