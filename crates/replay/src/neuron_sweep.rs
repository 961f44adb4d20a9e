//! Kind `neuron_sweep`: one neuron on one x and one y, under both losses, from starts that are more and more saturated.
//!
//! How long until |a - y| is below a threshold? In the limit of small steps, with u = z for y = 0 and u = -z for y = 1,
//!
//! `du/dt = -η (1 + x²) dL/du`, so `T = [F(u_0) - F(u_threshold)] / (η (1 + x²))` with `F' = 1 / (dL/du)`
//!
//! For cross-entropy dL/du = σ(u), and F is about u; for half the squared error it is σ(u)² σ(-u), and F is about e^u.

use std::path::Path;

use serde_json::{Value, json};
use surprisal_tensor::ndarray::arr2;

use super::ReplayError;
use super::descent::{Milestones, State, descend};
use super::net::Net;
use super::place::{MOST_STEPS, Place};
use surprisal_train::Head;

/// The last epoch that counts where no `cap` is given: some seconds.
const CAP: usize = 10_000_000;

pub(super) fn replay(setting: &Place, _: &Path) -> Result<Value, ReplayError> {
    let within = |threshold| threshold > 0.0 && threshold < 1.0;
    let hint = "it is the size of an error of σ";
    let threshold =
        setting.get("threshold_value")?.number_within(within, "a number between 0 and 1", hint)?;
    let hint = "a cross-entropy compares probabilities";
    let y = setting.get("y")?.number_within(|y| (0.0..=1.0).contains(&y), "a target from 0 to 1", hint)?;
    let sweep = Sweep {
        setting,
        x: setting.get("x")?.number()?,
        y,
        eta: setting.get("eta")?.number()?,
        threshold,
        cap: setting.find("cap")?.map_or(Ok(CAP), |cap| cap.count_to(MOST_STEPS))?,
    };
    let starts =
        setting.get("starts")?.list()?.map(|start| sweep.from(&start)).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "starts": starts }))
}

struct Sweep<'a> {
    setting: &'a Place<'a>,
    x: f64,
    y: f64,
    eta: f64,
    threshold: f64,
    cap: usize,
}

impl Sweep<'_> {
    /// What happens from one start, `[w, b]`.
    fn from(&self, start: &Place) -> Result<Value, ReplayError> {
        let numbers = start.numbers()?;
        let [w, b] = numbers[..] else {
            return Err(start.wrong("a list of 2", "a start is [w, b]"));
        };
        let half_squared = self.descend((w, b), Head::SigmoidSquared, |u| {
            u.exp() + 3.0 * u - 3.0 * (-u).exp() - 0.5 * (-2.0 * u).exp()
        })?;
        let bce = self.descend((w, b), Head::SigmoidCrossEntropy, |u| u - (-u).exp())?;
        let ratio = |key: &str| half_squared[key].as_f64().zip(bce[key].as_f64()).map(|(a, b)| a / b);
        Ok(json!({
            "w0": start.value[0],
            "b0": start.value[1],
            "z0": w * self.x + b,
            "initial_grad_norm_ratio_half_squared_over_bce": ratio("initial_grad_norm"),
            "epochs_ratio_half_squared_over_bce": ratio("epochs_to_threshold"),
            "half_squared": half_squared,
            "bce": bce,
        }))
    }

    /// `antiderivative` is F. What is not reached, or no number, is null.
    fn descend(
        &self,
        (w, b): (f64, f64),
        loss: Head,
        antiderivative: fn(f64) -> f64,
    ) -> Result<Value, ReplayError> {
        let Sweep { setting, x, y, threshold, .. } = *self;
        let (data, mut milestones) =
            ((&arr2(&[[x]]), &arr2(&[[y]])), Milestones::single(threshold, self.cap));
        let rows = descend(setting, Net::single(&[w], b, loss), data, &[0, 1], &mut milestones, row)?;

        let z = w * x + b;
        let u = if y == 1.0 { -z } else { z };
        let until = (threshold / (1.0 - threshold)).ln();
        let time = (antiderivative(u) - antiderivative(until)) / (self.eta * (1.0 + x * x));
        Ok(json!({
            "initial_grad_norm": rows[0]["grad_norm"],
            "cost_after_1": rows[1]["cost"],
            "epochs_to_threshold": milestones.first(),
            "gradient_flow_prediction": (y == 0.0 || y == 1.0).then_some(time), // F is another for y between
        }))
    }
}

fn row(state: &State) -> Value {
    json!({ "cost": state.loss, "grad_norm": state.grads.norm() })
}
