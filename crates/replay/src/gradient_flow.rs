//! Kind `gradient_flow`: all gradients of a net at its start, under every activation and loss.
//!
//! How much of the last layer's gradient comes down to the first is a matter of the activations; the loss scales all layers alike.

use std::path::Path;

use serde_json::{Value, json};
use surprisal_tensor::Workspace;

use super::ReplayError;
use super::descent::{matrix, not_finite};
use super::net::{LOSSES, Net, Recorded, rows_of};
use super::place::Place;
use super::rows::Rows;

pub(super) fn replay(setting: &Place, _: &Path) -> Result<Value, ReplayError> {
    let rows = Rows::from_labels(&setting.get("X")?, &setting.get("labels")?)?;
    let evaluate = |run: Place| evaluate(setting, &run, &rows);
    let runs = setting.get("runs")?.list()?.map(evaluate).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "runs": runs }))
}

fn evaluate(setting: &Place, run: &Place, rows: &Rows) -> Result<Value, ReplayError> {
    let loss = *run.get("loss")?.one_of(LOSSES)?;
    let net = Net::read(&setting.get("params")?, &run.get("hidden")?, rows.x.ncols(), loss)?;
    check_sizes(setting, &net, rows.x.ncols())?;
    let targets = net.targets(rows)?;

    let mut workspace = Workspace::new();
    let tape = workspace.tape(&net.params);
    let Recorded { outputs, loss, .. } = net.record(&tape, &rows.x, &targets);
    loss.backward();
    let (loss, outputs) = (loss.item(), matrix(outputs.value()));
    let (grads, norms) = (workspace.grads(), net.norms(workspace.grads()));
    let result = json!({
        "id": run.get("id")?.text()?,
        "loss": loss,
        "outputs": rows_of(&outputs),
        "layer_grad_norms": norms,
        "gradients": net.to_json(grads),
        "ratio_first_to_last": norms[0] / norms[norms.len() - 1],
    });
    match not_finite(&result) {
        None => Ok(result),
        Some(key) => Err(run.found(
            format!("an infinity or NaN in {key:?}"),
            "finite numbers",
            "are the numbers in params and X too large, or does the net fit its targets exactly?",
        )),
    }
}

/// The sizes that the setting names, if it does, are those of its layers.
fn check_sizes(setting: &Place, net: &Net, inputs: usize) -> Result<(), ReplayError> {
    let Some(sizes) = setting.find("sizes")? else { return Ok(()) };
    let named = sizes.list()?.map(|size| size.count()).collect::<Result<Vec<_>, _>>()?;
    let found: Vec<_> = std::iter::once(inputs).chain(net.widths()).collect();
    if named == found {
        return Ok(());
    }
    Err(sizes.found(format!("{named:?}"), &format!("{found:?}"), "the sizes must be those of X and params"))
}
