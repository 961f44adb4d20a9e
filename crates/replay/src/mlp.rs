//! Kind `mlp`: `A_l = act(A_{l-1} W_l + b_l)`, with sigmoid or softmax outputs.

use std::path::Path;

use serde_json::{Value, json};
use surprisal_data::argmax_rows;
use surprisal_tensor::ndarray::Array2;

use super::ReplayError;
use super::descent::{Milestones, State, descend};
use super::net::{LOSSES, Net, rows_of};
use super::place::Place;
use super::rows::Rows;

pub(super) fn replay(setting: &Place, folder: &Path) -> Result<Value, ReplayError> {
    let rows = Rows::read(setting, folder)?;
    let runs =
        setting.get("runs")?.list()?.map(|run| train(setting, &run, &rows)).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "runs": runs }))
}

fn train(setting: &Place, run: &Place, rows: &Rows) -> Result<Value, ReplayError> {
    let epochs = setting.get("epochs")?.epochs()?;
    let loss = *run.get("loss")?.one_of(LOSSES)?;
    let net = Net::read(&run.get("init")?, &run.get("hidden_activations")?, rows.x.ncols(), loss)?;
    let targets = net.targets(rows)?;

    let thresholds = setting.find("thresholds")?;
    let mut milestones = match &thresholds {
        Some(thresholds) => Milestones::read(&thresholds.get("values")?, &thresholds.get("caps")?)?,
        None => Milestones::none(),
    };
    let result =
        descend(run, net, (&rows.x, &targets), &epochs, &mut milestones, |state| row(state, &targets))?;
    let mut result = json!({ "id": run.get("id")?.text()?, "rows": result });
    if thresholds.is_some() {
        result["first_epoch_with_all_abs_errors_below"] = milestones.to_json();
    }
    Ok(result)
}

fn row(state: &State, targets: &Array2<f64>) -> Value {
    let State { net, grads, .. } = state;
    json!({
        "epoch": state.epoch,
        "loss": state.loss,
        "correct": correct(&state.outputs, targets),
        "grad_norm": grads.norm(),
        "layer_grad_norms": net.norms(grads),
        "outputs": rows_of(&state.outputs),
        "params": net.to_json(&net.params),
    })
}

/// How many rows have their largest output where the target has, of equals the first; a single output says yes above ½.
fn correct(outputs: &Array2<f64>, targets: &Array2<f64>) -> usize {
    if outputs.ncols() == 1 {
        return outputs.iter().zip(targets).filter(|&(&a, &y)| (a > 0.5) == (y == 1.0)).count();
    }
    let (said, meant) = (argmax_rows(outputs), argmax_rows(targets));
    said.iter().zip(&meant).filter(|(said, meant)| said == meant).count()
}
