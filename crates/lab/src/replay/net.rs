//! A fully connected net: a neuron and a logistic regression are the smallest ones.

use surprisal_loss::{
    BinaryCrossEntropyWithLogits, Reduction, half_squared_error_with, mse_loss, softmax_cross_entropy,
};
use surprisal_tensor::ndarray::{Array2, arr1};
use surprisal_tensor::{ParamId, Params, Tape, Var, Workspace};

use super::ReplayError;
use super::place::Place;

/// A value on the tape that all kinds compute on.
pub(super) type Number<'t> = Var<'t, f64>;

type Activation = for<'t> fn(Number<'t>) -> Number<'t>;

/// What may stand between two layers.
const ACTIVATIONS: &[(&str, Activation)] =
    &[("sigmoid", |z| z.sigmoid()), ("tanh", |z| z.tanh()), ("relu", |z| z.relu())];

/// What turns logits into outputs, and measures them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    SigmoidBce,
    SigmoidHalfMse,
    SigmoidMse,
    SoftmaxCe,
    SoftmaxHalfMse,
}

impl Loss {
    /// σ or softmax of the logits, `[rows, outputs]`.
    fn outputs(self, logits: Number) -> Number {
        match self {
            Loss::SigmoidBce | Loss::SigmoidHalfMse | Loss::SigmoidMse => logits.sigmoid(),
            Loss::SoftmaxCe | Loss::SoftmaxHalfMse => logits.softmax(-1),
        }
    }

    /// The loss of a batch: a sum over rows and outputs, divided by the rows only, but for `SigmoidMse`.
    fn of<'t>(self, logits: Number<'t>, outputs: Number<'t>, targets: Number<'t>) -> Number<'t> {
        let rows = targets.shape().dims()[0] as f64;
        let sum = Reduction::Sum;
        match self {
            Loss::SigmoidBce => {
                BinaryCrossEntropyWithLogits { reduction: sum, ..Default::default() }.loss(logits, targets)
                    / rows
            }
            Loss::SigmoidHalfMse | Loss::SoftmaxHalfMse => {
                half_squared_error_with(outputs, targets, sum) / rows
            }
            Loss::SigmoidMse => mse_loss(outputs, targets),
            Loss::SoftmaxCe => softmax_cross_entropy(logits, targets),
        }
    }

    /// The loss at given logits.
    pub fn at(self, logits: &Array2<f64>, targets: &Array2<f64>) -> f64 {
        let (params, mut workspace) = (Params::new(), Workspace::new());
        let tape = workspace.no_grad(&params);
        let logits = tape.input(logits);
        self.of(logits, self.outputs(logits), tape.input(targets)).item()
    }

    /// Whether targets must be probabilities.
    pub fn is_cross_entropy(self) -> bool {
        matches!(self, Loss::SigmoidBce | Loss::SoftmaxCe)
    }
}

/// A layer's place in theta; the last has no activation: what follows it belongs to the loss.
struct Layer {
    weight: ParamId, // [inputs, outputs]
    bias: ParamId,   // [outputs]
    activation: Option<Activation>,
}

/// Layers, their parameters, and the loss at the end.
pub(super) struct Net {
    pub params: Params<f64>,
    layers: Vec<Layer>,
    loss: Loss,
}

/// What one evaluation puts on the tape.
pub(super) struct Recorded<'t> {
    pub logits: Number<'t>,
    pub outputs: Number<'t>,
    pub loss: Number<'t>,
}

impl Net {
    fn new(loss: Loss) -> Self {
        Net { params: Params::new(), layers: Vec::new(), loss }
    }

    /// One layer with one output.
    pub fn single(weight: &[f64], bias: f64, loss: Loss) -> Self {
        let mut net = Net::new(loss);
        let weight = Array2::from_shape_fn((weight.len(), 1), |(i, _)| weight[i]);
        net.push(&weight, &[bias], None);
        net
    }

    /// The layers that `init` lists as `{"W": rows, "b": numbers}`, with `hidden_activations` between them.
    pub fn read(run: &Place, inputs: usize, loss: Loss) -> Result<Self, ReplayError> {
        let mut net = Net::new(loss);
        let init = run.get("init")?;
        let layers: Vec<_> = init.list()?.collect();
        if layers.is_empty() {
            return Err(init.wrong("at least one layer", "write [{\"W\": [[..], ..], \"b\": [..]}]"));
        }
        let between = run.get("hidden_activations")?;
        let activations: Vec<_> =
            between.list()?.map(|name| name.one_of(ACTIVATIONS).copied()).collect::<Result<_, _>>()?;
        if activations.len() + 1 != layers.len() {
            return Err(between.wrong(
                format!("a list of {}", layers.len() - 1),
                format!("one activation stands between two of the {} layers in init", layers.len()),
            ));
        }
        let mut width = inputs;
        for (l, layer) in layers.iter().enumerate() {
            let (weight_at, bias_at) = (layer.get("W")?, layer.get("b")?);
            let (weight, bias) = (weight_at.matrix()?, bias_at.numbers()?);
            if weight.nrows() != width {
                return Err(weight_at.found(
                    weight.nrows().to_string(),
                    &format!("as many rows as the layer has inputs, {width}"),
                    "W is listed as [inputs, outputs]: is it transposed?",
                ));
            }
            width = weight.ncols();
            if bias.len() != width {
                return Err(
                    bias_at.wrong(format!("a list of {width}"), "b has one number for each column of W")
                );
            }
            net.push(&weight, &bias, activations.get(l).copied());
        }
        Ok(net)
    }

    fn push(&mut self, weight: &Array2<f64>, bias: &[f64], activation: Option<Activation>) {
        let layer = self.layers.len();
        self.layers.push(Layer {
            weight: self.params.add(&format!("{layer}.weight"), weight),
            bias: self.params.add(&format!("{layer}.bias"), &arr1(bias)),
            activation,
        });
    }

    /// Weight and bias of each layer, input side first.
    pub fn layers(&self) -> impl Iterator<Item = [ParamId; 2]> {
        self.layers.iter().map(|layer| [layer.weight, layer.bias])
    }

    /// The number of outputs.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| self.params.entry(layer.bias).range.len())
    }

    /// Computes the loss of a batch: x is `[rows, inputs]`, y `[rows, outputs]`.
    pub fn record<'t>(&self, tape: &'t Tape<'t, f64>, x: &Array2<f64>, y: &Array2<f64>) -> Recorded<'t> {
        let logits = self.layers.iter().fold(tape.input(x), |x, layer| {
            let z = x.affine(tape.param(layer.weight), tape.param(layer.bias));
            layer.activation.map_or(z, |activation| activation(z))
        });
        let outputs = self.loss.outputs(logits);
        Recorded { logits, outputs, loss: self.loss.of(logits, outputs, tape.input(y)) }
    }
}
