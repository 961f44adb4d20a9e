//! A fully connected net: a neuron and a logistic regression are the smallest ones.

use serde_json::{Value, json};
use surprisal_tensor::ndarray::{Array2, arr1};
use surprisal_tensor::{ParamId, Params, Tape, Var, Workspace};

use super::ReplayError;
use super::place::Place;
use super::rows::Rows;
use surprisal_train::Head;

/// A value on the tape that all kinds compute on.
pub(super) type Number<'t> = Var<'t>;

/// What may stand between two layers.
#[derive(Clone, Copy)]
enum Activation {
    Sigmoid,
    Tanh,
    Relu,
}

const ACTIVATIONS: &[(&str, Activation)] =
    &[("sigmoid", Activation::Sigmoid), ("tanh", Activation::Tanh), ("relu", Activation::Relu)];

impl Activation {
    fn of(self, z: Var) -> Var {
        match self {
            Activation::Sigmoid => z.sigmoid(),
            Activation::Tanh => z.tanh(),
            Activation::Relu => z.relu(),
        }
    }
}

/// Every loss of a net.
pub(super) const LOSSES: &[(&str, Head)] = &[
    ("sigmoid_bce", Head::SigmoidCrossEntropy),
    ("sigmoid_half_mse", Head::SigmoidSquared),
    ("sigmoid_mse", Head::SigmoidMse),
    ("softmax_ce", Head::SoftmaxCrossEntropy),
    ("softmax_half_mse", Head::SoftmaxSquared),
    ("linear_half_mse", Head::LinearSquared),
];

/// The loss at given logits.
pub(super) fn loss_at(loss: Head, logits: &Array2<f64>, targets: &Array2<f64>) -> f64 {
    let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    let tape = workspace.no_grad(&params);
    loss.loss(tape.input(logits), tape.input(targets)).item()
}

/// Whether targets must be probabilities.
pub(super) fn is_cross_entropy(loss: Head) -> bool {
    matches!(loss, Head::SigmoidCrossEntropy | Head::SoftmaxCrossEntropy)
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
    loss: Head,
}

/// What one evaluation puts on the tape.
pub(super) struct Recorded<'t> {
    pub logits: Var<'t>,
    pub outputs: Var<'t>,
    pub loss: Var<'t>,
}

impl Net {
    fn new(loss: Head) -> Self {
        Net { params: Params::default(), layers: Vec::new(), loss }
    }

    /// One layer with one output.
    pub fn single(weight: &[f64], bias: f64, loss: Head) -> Self {
        let mut net = Net::new(loss);
        let weight = Array2::from_shape_fn((weight.len(), 1), |(i, _)| weight[i]);
        net.push(&weight, &[bias], None);
        net
    }

    /// Layers between these sizes, with sigmoids; theta is W by rows, a row for each input, and then b, of one layer after the
    /// other, and as long as that takes.
    pub fn of_sizes(sizes: &[usize], theta: &[f64], loss: Head) -> Self {
        let (mut net, mut rest) = (Net::new(loss), theta.iter().copied());
        for (l, pair) in sizes.windows(2).enumerate() {
            let weight = Array2::from_shape_simple_fn((pair[0], pair[1]), || rest.next().unwrap_or(f64::NAN));
            let bias: Vec<_> = rest.by_ref().take(pair[1]).collect();
            net.push(&weight, &bias, (l + 2 < sizes.len()).then_some(Activation::Sigmoid));
        }
        net
    }

    /// The layers of a list of `{"W": rows, "b": numbers}`; `between` them are the activations of a list, or everywhere the one that is
    /// named.
    pub fn read(list: &Place, between: &Place, inputs: usize, loss: Head) -> Result<Self, ReplayError> {
        let mut net = Net::new(loss);
        let layers: Vec<_> = list.list()?.collect();
        if layers.is_empty() {
            return Err(list.wrong("at least one layer", "write [{\"W\": [[..], ..], \"b\": [..]}]"));
        }
        let activations: Vec<_> = if between.value.is_string() {
            vec![*between.one_of(ACTIVATIONS)?; layers.len() - 1]
        } else {
            between.list()?.map(|name| name.one_of(ACTIVATIONS).copied()).collect::<Result<_, _>>()?
        };
        if activations.len() + 1 != layers.len() {
            return Err(between.wrong(
                format!("a list of {}", layers.len() - 1),
                format!(
                    "give one activation between each two of the {} layers in {}",
                    layers.len(),
                    list.path
                ),
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

    /// The width of each layer, input side first.
    pub fn widths(&self) -> impl Iterator<Item = usize> {
        self.layers.iter().map(|layer| self.params[layer.bias].len())
    }

    /// The targets of this net, `[rows, outputs]`.
    pub fn targets(&self, rows: &Rows) -> Result<Array2<f64>, ReplayError> {
        let outputs = self.widths().last().unwrap_or(0);
        if is_cross_entropy(self.loss) { rows.probabilities(outputs) } else { rows.targets(outputs) }
    }

    /// The numbers of each layer: of theta, or of its gradient.
    pub fn to_json(&self, values: &Params<f64>) -> Vec<Value> {
        let layer = |layer: &Layer| {
            let (weight, bias) = (&values[layer.weight], &values[layer.bias]);
            json!({ "W": weight.chunks(bias.len()).collect::<Vec<_>>(), "b": bias })
        };
        self.layers.iter().map(layer).collect()
    }

    /// The Euclidean length of each layer's numbers.
    pub fn norms(&self, values: &Params<f64>) -> Vec<f64> {
        self.layers.iter().map(|layer| norm(&[&values[layer.weight], &values[layer.bias]])).collect()
    }

    /// Computes the loss of a batch: x is `[rows, inputs]`, y `[rows, outputs]`. The numbers on the tape may carry derivatives.
    pub fn record<'t>(&self, tape: &'t Tape<'t>, x: &Array2<f64>, y: &Array2<f64>) -> Recorded<'t> {
        let logits = self.layers.iter().fold(input(tape, x), |x, layer| {
            let z = x.affine(tape.param(layer.weight), tape.param(layer.bias));
            layer.activation.map_or(z, |activation| activation.of(z))
        });
        let outputs = self.loss.outputs(logits);
        Recorded { logits, outputs, loss: self.loss.loss(logits, input(tape, y)) }
    }
}

/// Data on a tape of any numbers.
fn input<'t>(tape: &'t Tape<'t>, x: &Array2<f64>) -> Var<'t> {
    tape.input(x)
}

/// The Euclidean length of all parts together.
pub(super) fn norm(parts: &[&[f64]]) -> f64 {
    parts.iter().flat_map(|part| part.iter()).map(|v| v * v).sum::<f64>().sqrt()
}

/// A matrix as a list of lists.
pub(super) fn rows_of(matrix: &Array2<f64>) -> Vec<Vec<f64>> {
    matrix.rows().into_iter().map(|row| row.to_vec()).collect()
}
