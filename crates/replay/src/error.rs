//! [`ReplayError`]: what is wrong with a setting, and where.

use std::fmt;

/// Why a setting cannot be replayed.
///
/// ```
/// use serde_json::json;
/// use surprisal_replay::replay;
///
/// let error = replay(&json!({ "kind": "neurone" }), ".").unwrap_err();
/// assert_eq!(error.at, "setting.kind");
/// assert_eq!(
///     error.to_string(),
///     "setting.kind: expected one of neuron, neuron_sweep, logreg, mlp, gradient_flow, optimizers, curvature, stationary_points, pointwise, calibration, conv_net, found \"neurone\" | did you mean \"neuron\"?"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayError {
    /// The key path, `setting.runs[2].eta`.
    pub at: String,
    /// What should stand there.
    pub expected: String,
    /// What stands there.
    pub found: String,
    /// What to try.
    pub hint: String,
}

impl ReplayError {
    pub(super) fn new(
        at: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        ReplayError { at: at.into(), expected: expected.into(), found: found.into(), hint: hint.into() }
    }
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let ReplayError { at, expected, found, hint } = self;
        write!(f, "{at}: expected {expected}, found {found} | {hint}")
    }
}

impl std::error::Error for ReplayError {}
