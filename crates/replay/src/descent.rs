//! Gradient descent on the whole batch, and its report: rows at chosen epochs, and when errors became small.

use serde_json::{Map, Value};
use surprisal_tensor::ndarray::{Array2, ArrayD, Ix2};
use surprisal_tensor::{Gradients, Workspace};

use super::ReplayError;
use super::net::{Net, Recorded};
use super::place::{MOST_STEPS, Place};

/// Everything known at one epoch, before the next update.
pub(super) struct State<'a> {
    pub epoch: usize,
    pub net: &'a Net,
    pub logits: Array2<f64>,
    pub outputs: Array2<f64>,
    pub loss: f64,
    pub grads: &'a Gradients<f64>,
}

/// Trains `net` on x, `[rows, inputs]`, and y, `[rows, outputs]`, with the eta of the run: `theta -= eta * dL/dtheta`.
///
/// Gives `row` of the state at each of `epochs`, and goes on for as long as `milestones` are searched for.
///
/// # Errors
/// If the loss, or a number that `row` reports, is not finite.
pub(super) fn descend(
    run: &Place,
    mut net: Net,
    (x, y): (&Array2<f64>, &Array2<f64>),
    epochs: &[usize],
    milestones: &mut Milestones,
    row: impl Fn(&State) -> Value,
) -> Result<Vec<Value>, ReplayError> {
    let eta = run.get("eta")?;
    let step = eta.number()?;
    let diverged = |found: String, epoch: usize| {
        eta.found(
            format!("{found} at epoch {epoch}"),
            "numbers that stay finite",
            "try a smaller eta, or a start nearer 0",
        )
    };

    let (mut workspace, mut moved) = (Workspace::new(), true);
    let mut rows = Vec::with_capacity(epochs.len());
    for epoch in 0.. {
        let tape = workspace.tape(&net.params);
        let Recorded { logits, outputs, loss } = net.record(&tape, x, y);
        loss.backward();
        let cost = loss.item();
        if !cost.is_finite() {
            return Err(diverged(format!("a loss of {cost}"), epoch));
        }
        outputs.with_value(|outputs: &[f64]| milestones.note(epoch, outputs, y));
        if epochs.get(rows.len()) == Some(&epoch) {
            let (logits, outputs) = (matrix(logits.value()), matrix(outputs.value()));
            let row = row(&State { epoch, net: &net, logits, outputs, loss: cost, grads: workspace.grads() });
            if let Some(key) = not_finite(&row) {
                return Err(diverged(format!("an infinity or NaN in {key:?}"), epoch));
            }
            rows.push(row);
        }
        // where a step was too small to change anything, all later epochs are as this one
        if rows.len() == epochs.len() && !(moved && milestones.searched_after(epoch)) {
            break;
        }
        moved = false;
        for (theta, g) in net.params.as_mut_slice().iter_mut().zip(workspace.grads().as_slice()) {
            let before = *theta;
            *theta -= step * g;
            moved |= *theta != before;
        }
    }
    Ok(rows)
}

pub(super) fn matrix(values: ArrayD<f64>) -> Array2<f64> {
    values.into_dimensionality::<Ix2>().expect("logits and outputs are [rows, outputs]")
}

/// The key of a row under which a number is not finite: JSON has none such, it stands there as null.
pub(super) fn not_finite(row: &Value) -> Option<&str> {
    fn holds_null(value: &Value) -> bool {
        match value {
            Value::Array(values) => values.iter().any(holds_null),
            Value::Object(values) => values.values().any(holds_null),
            plain => plain.is_null(),
        }
    }
    row.as_object()?.iter().find(|(_, value)| holds_null(value)).map(|(key, _)| key.as_str())
}

/// The first epochs at which |output - target| is below some thresholds everywhere, searched for up to a cap.
pub(super) struct Milestones {
    cap: usize,
    list: Vec<Milestone>,
}

struct Milestone {
    name: String,
    threshold: f64,
    reached: Option<usize>,
}

impl Milestones {
    /// Nothing to search for.
    pub fn none() -> Self {
        Milestones { cap: 0, list: Vec::new() }
    }

    /// One threshold, and the last epoch that counts.
    pub fn single(threshold: f64, cap: usize) -> Self {
        Milestones { cap, list: vec![Milestone { name: String::new(), threshold, reached: None }] }
    }

    /// The thresholds of a list, and the last epoch that counts.
    pub fn read(thresholds: &Place, cap: &Place) -> Result<Self, ReplayError> {
        let milestone = |place: Place| {
            Ok(Milestone { threshold: place.number()?, name: name(place.value), reached: None })
        };
        Ok(Milestones {
            cap: cap.count_to(MOST_STEPS)?,
            list: thresholds.list()?.map(milestone).collect::<Result<_, _>>()?,
        })
    }

    fn note(&mut self, epoch: usize, outputs: &[f64], targets: &Array2<f64>) {
        if epoch > self.cap {
            return;
        }
        for Milestone { threshold, reached, .. } in self.list.iter_mut().filter(|m| m.reached.is_none()) {
            if outputs.iter().zip(targets).all(|(a, y)| (a - y).abs() < *threshold) {
                *reached = Some(epoch);
            }
        }
    }

    fn searched_after(&self, epoch: usize) -> bool {
        epoch < self.cap && self.list.iter().any(|m| m.reached.is_none())
    }

    /// Whether and when the first threshold was reached.
    pub fn first(&self) -> Option<usize> {
        self.list.first()?.reached
    }

    /// Threshold to epoch; null where it was not reached.
    pub fn to_json(&self) -> Value {
        self.list.iter().map(|m| (m.name.clone(), Value::from(m.reached))).collect::<Map<_, _>>().into()
    }
}

/// A threshold as a key, spelled as Python spells the number, which wrote the reference files: 1e-05.
fn name(threshold: &Value) -> String {
    match threshold.as_f64().filter(|_| threshold.is_f64()).map(|number| format!("{number:?}")) {
        None => threshold.to_string(),
        Some(text) => match text.split_once("e-") {
            Some((digits, exponent)) => format!("{digits}e-{exponent:0>2}"),
            None => text,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn thresholds_are_spelled_as_in_the_reference_files() {
        for (threshold, spelled) in [
            (json!(0.5), "0.5"),
            (json!(1), "1"),
            (json!(1.0), "1.0"),
            (json!(0.0001), "0.0001"),
            (json!(2.5e-5), "2.5e-05"),
        ] {
            assert_eq!(name(&threshold), spelled);
        }
    }
}
