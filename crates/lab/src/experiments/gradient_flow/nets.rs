//! The nets: their gradients, layer by layer, and a reference that another program has computed.

use serde_json::Value;
use surprisal_data::one_hot;
use surprisal_layers::{Activation, Init, Layer, Linear, rng};
use surprisal_optim::Sgd;
use surprisal_tensor::ndarray::{Array2, Axis};
use surprisal_tensor::{Params, Tape, Var, Workspace};

use super::{ACTIVATIONS, HEADS, Quotients, WIDTH};
use crate::gallery::{Head, Lab, Record, Training};

/// An activation and a loss, as indices into their lists; hidden layers, rate and seed.
#[derive(Clone, Copy)]
pub(super) struct Job {
    pub activation: usize,
    pub head: usize,
    pub depth: usize,
    pub rate: f64,
    pub seed: u64,
}

/// "softmax_ce"
pub(super) fn loss_name(head: usize) -> String {
    format!(
        "{}_{}",
        ["softmax", "sigmoid", "linear"][head / 2],
        if head % 2 == 1 || head == 4 { "half_mse" } else { ["ce", "bce"][head / 2] }
    )
}

/// The rows, and the initial parameters of the reference.
pub(super) struct Data {
    x: Array2<f64>,
    y: Array2<f64>,
    start: Vec<f64>,
    sizes: Vec<usize>,
}

impl Data {
    pub fn read(setting: &Value) -> Option<Data> {
        let numbers = |list: &Value| list.as_array()?.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>();
        let rows = setting["X"].as_array()?.iter().map(numbers).collect::<Option<Vec<_>>>()?;
        let labels: Vec<usize> =
            numbers(&setting["labels"])?.into_iter().map(|label| label as usize).collect();
        let sizes: Vec<usize> = numbers(&setting["sizes"])?.into_iter().map(|size| size as usize).collect();
        let mut start = vec![];
        for layer in setting["params"].as_array()? {
            for row in layer["W"].as_array()? {
                start.extend(numbers(row)?);
            }
            start.extend(numbers(&layer["b"])?);
        }
        let x = Array2::from_shape_vec((rows.len(), *sizes.first()?), rows.concat()).ok()?;
        Some(Data { x, y: one_hot(&labels, *sizes.last()?).ok()?, start, sizes })
    }

    /// The quotients of the library with the parameters of the reference, and the largest relative difference from the expected ones.
    pub fn quotients(&self, broken: bool, reference: &Value) -> Option<(Quotients, f64)> {
        let mut params = Params::default();
        let layers = layers(&mut params, &self.sizes, 0.0, 0);
        if params.as_slice().len() != self.start.len() {
            return None;
        }
        params.as_mut_slice().copy_from_slice(&self.start);
        let (mut found, mut off) = (Quotients::default(), 0.0f64);
        for (a, &activation) in ACTIVATIONS.iter().enumerate() {
            for (h, &head) in HEADS.iter().enumerate() {
                let net = Net {
                    layers: layers.clone(),
                    activation: if broken { Activation::Sigmoid } else { activation },
                    head,
                };
                let norms = net.norms(&params, self);
                found[a][h] = norms[0] / norms[norms.len() - 1];
                let id = format!("{activation}_{}", loss_name(h));
                let run =
                    reference["expected"]["runs"].as_array()?.iter().find(|run| run["id"] == id.as_str())?;
                let expected = run["ratio_first_to_last"].as_f64()?;
                off = off.max((found[a][h] / expected - 1.0).abs());
            }
        }
        Some((found, off))
    }
}

/// Layers with random parameters.
fn layers(params: &mut Params<f64>, sizes: &[usize], spread: f64, seed: u64) -> Vec<Linear> {
    let mut rng = rng(seed);
    let pairs = sizes.windows(2).enumerate();
    pairs
        .map(|(i, pair)| {
            let weight = Init::Uniform(spread / (pair[0] as f64).sqrt());
            Linear::with_init(
                params,
                &format!("layer{i}"),
                pair[0],
                pair[1],
                weight,
                Init::Uniform(0.2),
                &mut rng,
            )
        })
        .collect()
}

struct Net {
    layers: Vec<Linear>,
    activation: Activation,
    head: Head,
}

impl Net {
    /// The outputs of every layer before its activation; the last are the logits.
    fn sums<'t>(&self, x: Var<'t>) -> Vec<Var<'t>> {
        let mut sums: Vec<Var> = vec![];
        for layer in &self.layers {
            let below = sums.last().map_or(x, |&z| self.activation.forward(z));
            sums.push(layer.forward(below));
        }
        sums
    }

    fn loss<'t>(&self, tape: &'t Tape<'t>, data: &Data) -> Var<'t> {
        let sums = self.sums(tape.input(&data.x));
        self.head.loss(sums[sums.len() - 1], tape.input(&data.y))
    }

    /// The gradient norm of every layer.
    fn norms(&self, params: &Params<f64>, data: &Data) -> Vec<f64> {
        let mut workspace = Workspace::new();
        self.loss(&workspace.tape(params), data).backward();
        let grads = workspace.grads();
        let norm = |layer: &Linear| {
            grads[layer.weight].iter().chain(&grads[layer.bias]).map(|g| g * g).sum::<f64>().sqrt()
        };
        self.layers.iter().map(norm).collect()
    }

    /// The idle fraction of every hidden layer: sigmoid and tanh outputs within a twentieth of their range from its ends, relu units that are 0 for
    /// all rows.
    fn idle(&self, params: &Params<f64>, data: &Data) -> Vec<f64> {
        let mut workspace = Workspace::new();
        let tape = workspace.no_grad(params);
        let sums = self.sums(tape.input(&data.x));
        let fraction = |z: &Var| {
            let a = self.activation.forward(*z).value();
            let units = match self.activation {
                Activation::Sigmoid => a.mapv(|a| a.min(1.0 - a) < 0.05),
                Activation::Tanh => a.mapv(|a| a.abs() > 0.9),
                _ => a.map_axis(Axis(0), |unit| unit.iter().all(|&a| a == 0.0)),
            };
            units.iter().filter(|&&idle| idle).count() as f64 / units.len() as f64
        };
        sums[..sums.len() - 1].iter().map(fraction).collect()
    }
}

/// Norms by layer before training (stage 0), after training (1), and after training under the other loss of the head (2); and the final loss.
pub(super) fn net(lab: &Lab, data: &Data, Job { activation, head, depth, rate, seed }: Job) -> [Record; 2] {
    let mut sizes = vec![WIDTH; depth + 2];
    (sizes[0], sizes[depth + 1]) = (data.x.ncols(), data.y.ncols());
    let mut params = Params::default();
    let layers = layers(&mut params, &sizes, lab.number("spread"), seed);
    let activation = if lab.broken { Activation::Sigmoid } else { ACTIVATIONS[activation] };
    let other = HEADS[if head == 4 { head } else { head ^ 1 }];
    let (net, other) = (
        Net { layers: layers.clone(), activation, head: HEADS[head] },
        Net { layers, activation, head: other },
    );
    let mut record = Record::new("layers", &["stage", "layer", "norm", "idle"]);
    let mut note = |stage: f64, net: &Net, params: &Params<f64>| {
        let (norms, mut idle) = (net.norms(params, data), net.idle(params, data));
        idle.push(f64::NAN); // the last layer has no activation
        for (layer, (norm, idle)) in norms.into_iter().zip(idle).enumerate() {
            record.push([stage, (layer + 1) as f64, norm, idle]);
        }
    };
    note(0.0, &net, &params);
    let rows = data.x.nrows();
    let finite = Training { epochs: lab.count("epochs"), rows, batch: rows }.run(
        &mut params,
        &mut Sgd::new(rate),
        &mut rng(seed),
        |tape, _| net.loss(tape, data),
        |_, _| true,
    );
    let loss = if finite { net.loss(&Workspace::new().no_grad(&params), data).item() } else { f64::INFINITY };
    if loss.is_finite() {
        note(1.0, &net, &params);
        note(2.0, &other, &params);
    }
    [record, Record::once("end", [("loss", if loss.is_finite() { loss } else { f64::INFINITY })])]
}
