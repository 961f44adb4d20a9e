//! Kind `logreg`: `z = w·x + b`, `a = σ(z)` for every row, trained from several starts.

use std::path::Path;

use serde_json::{Value, json};
use surprisal_tensor::ndarray::Array2;

use super::ReplayError;
use super::descent::{Milestones, State, descend};
use super::net::{Net, loss_at, norm};
use super::place::Place;
use super::rows::Rows;
use surprisal_train::Head;

const LOSSES: &[(&str, Head)] =
    &[("bce", Head::SigmoidCrossEntropy), ("half_mse", Head::SigmoidSquared), ("mse", Head::SigmoidMse)];

pub(super) fn replay(setting: &Place, folder: &Path) -> Result<Value, ReplayError> {
    let epochs = setting.get("epochs")?.epochs()?;
    let rows = Rows::read(setting, folder)?;
    let targets = rows.probabilities(1)?; // also for squared error: the cross-entropy is reported of every run
    let features = rows.x.ncols();
    if let Some(count) = setting.find("n_features")?
        && count.count()? != features
    {
        return Err(count.wrong(features.to_string(), "is this the right data file?"));
    }
    let starts = setting.get("starts")?;
    let starts = starts.list()?.map(|start| read_start(&start, features)).collect::<Result<Vec<_>, _>>()?;

    let train = |run: Place| {
        let (weight, bias) = run.get("start")?.one_of(&starts)?;
        let net = Net::single(weight, *bias, *run.get("loss")?.one_of(LOSSES)?);
        let data = (&rows.x, &targets);
        let result =
            descend(&run, net, data, &epochs, &mut Milestones::none(), |state| row(state, &targets))?;
        Ok(json!({ "id": run.get("id")?.text()?, "rows": result }))
    };
    let runs = setting.get("runs")?.list()?.map(train).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "runs": runs }))
}

type Start<'a> = (&'a str, (Vec<f64>, f64));

fn read_start<'a>(start: &Place<'a>, features: usize) -> Result<Start<'a>, ReplayError> {
    let (weight_at, bias) = (start.get("w0")?, start.get("b0")?.number()?);
    let weight = weight_at.numbers()?;
    if weight.len() != features {
        return Err(weight_at.wrong(format!("a list of {features}"), "there is one weight for each feature"));
    }
    Ok((start.get("id")?.text()?, (weight, bias)))
}

fn row(state: &State, targets: &Array2<f64>) -> Value {
    let (bias, weight) = state.net.params.as_slice().split_last().expect("w and then b");
    let answers = state.logits.iter().zip(targets);
    json!({
        "epoch": state.epoch,
        "loss": state.loss,
        "bce": loss_at(Head::SigmoidCrossEntropy, &state.logits, targets),
        "half_mse": loss_at(Head::SigmoidSquared, &state.logits, targets),
        "correct": answers.filter(|&(&z, &y)| (z > 0.0) == (y == 1.0)).count(), // a logit of 0 says no
        "grad_norm": state.grads.norm(),
        "w_norm": norm(&[weight]),
        "b": bias,
        "w": weight,
    })
}
