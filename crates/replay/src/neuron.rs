//! Kind `neuron`: `z = w x + b`, `a = σ(z)`, trained on one x and one y.
//!
//! Source: Nielsen, *Neural Networks and Deep Learning* (2015), chapter 3.

use std::path::Path;

use serde_json::{Value, json};
use surprisal_tensor::ndarray::arr2;

use super::ReplayError;
use super::descent::{Milestones, State, descend};
use super::net::{Net, is_cross_entropy};
use super::place::Place;
use surprisal_train::Head;

const LOSSES: &[(&str, Head)] = &[("half_squared", Head::SigmoidSquared), ("bce", Head::SigmoidCrossEntropy)];

pub(super) fn replay(setting: &Place, _: &Path) -> Result<Value, ReplayError> {
    let epochs = setting.get("epochs")?.epochs()?;
    let runs = setting.get("runs")?.list()?.map(|run| train(&run, &epochs)).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "runs": runs }))
}

fn train(run: &Place, epochs: &[usize]) -> Result<Value, ReplayError> {
    let loss = *run.get("loss")?.one_of(LOSSES)?;
    let net = Net::single(&[run.get("w0")?.number()?], run.get("b0")?.number()?, loss);
    let target = run.get("y")?;
    let (x, y) = (run.get("x")?.number()?, target.number()?);
    if is_cross_entropy(loss) && !(0.0..=1.0).contains(&y) {
        return Err(target.wrong("a target from 0 to 1", "a cross-entropy compares probabilities"));
    }
    let mut milestones = Milestones::read(&run.get("milestones")?, &run.get("cap")?)?;
    let trajectory = descend(run, net, (&arr2(&[[x]]), &arr2(&[[y]])), epochs, &mut milestones, row)?;
    Ok(json!({
        "id": run.get("id")?.text()?,
        "trajectory": trajectory,
        "first_epoch_with_abs_error_below": milestones.to_json(),
    }))
}

fn row(state: &State) -> Value {
    let (theta, grads) = (state.net.params.as_slice(), state.grads.as_slice());
    json!({
        "epoch": state.epoch,
        "w": theta[0],
        "b": theta[1],
        "output": state.outputs[[0, 0]],
        "cost": state.loss,
        "grad_w": grads[0],
        "grad_b": grads[1],
        "grad_norm": state.grads.norm(),
    })
}
