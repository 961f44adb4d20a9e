//! The gradient of each weight, and why it is small.
//!
//! The gradient of a weight from unit i to unit j is a sum over the rows: what arrives at the output of j, times the slope of j, times the output of
//! i. It is small if one of the factors is, or if the rows cancel.

use surprisal_explain::SATURATED;
use surprisal_tensor::ndarray::{Array2, ArrayD, Ix2};
use surprisal_tensor::{Var, Workspace};

use crate::data::Data;
use crate::race::{Condition, Recorded, Side};

/// A weight or a bias.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weight {
    /// Its value.
    pub value: f64,
    /// The derivative of the loss of all rows.
    pub gradient: f64,
    /// Why the gradient is small.
    pub why: Why,
    /// How small that makes it: 1 is not at all.
    pub share: f64,
}

/// Why a gradient is small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is not.
    None,
    /// The unit that it leads to passes nothing on.
    Dead,
    /// The unit that it leads to, or the output, is saturated.
    Slope,
    /// The number that it multiplies is near 0.
    Input,
    /// Little arrives from the layers above.
    Arrives,
    /// Some rows pull up and others down.
    Cancel,
}

/// A layer: `weights[i][j]` leads from input i to unit j.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// From each input to each unit.
    pub weights: Vec<Vec<Weight>>,
    /// Of each unit.
    pub biases: Vec<Weight>,
}

/// Below this share of what could be, a factor makes a gradient small.
const SMALL: f64 = SATURATED;

/// Every layer of a net, from the inputs on.
pub fn weights(side: &Side, data: &Data) -> Vec<Layer> {
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&side.params);
    let Recorded { z, hidden, loss } = side.record(&tape, data);
    loss.backward();
    let rows = data.set.rows() as f64;
    let matrix = |x: ArrayD<f64>| x.into_dimensionality::<Ix2>().expect("a matrix");
    let gradient =
        |x: Var| x.grad().map_or_else(|| Array2::zeros((data.set.rows(), x.shape().dims()[1])), matrix);
    // how far the outputs are from the targets, which is what a loss can send at most
    let probabilities = matrix(if data.classes() == 2 { z.sigmoid() } else { z.softmax(-1) }.value());
    let errors = (probabilities - &data.targets).mapv(f64::abs) / rows;
    let error = mean(errors.iter().copied());

    let mut layers = Vec::new();
    let mut input = data.set.features.clone();
    for (at, layer) in side.model.layers().iter().enumerate() {
        // what arrives at the outputs of the layer, and what is left of it in front of the slope
        let (arrives, slopes) = match hidden.get(at) {
            Some(&a) => {
                (gradient(a).mapv(f64::abs), Some(matrix(a.slopes().expect("activations are elementwise"))))
            }
            None => (errors.clone(), None),
        };
        let dz = match &slopes {
            Some(slopes) => gradient(hidden[at]) * slopes,
            None => gradient(z),
        };
        let view = |id| side.params.view(id).to_owned();
        let (values, biases) = (matrix(view(layer.weight)), view(layer.bias));
        let why = |unit: usize, inputs: &mut dyn Iterator<Item = f64>| {
            let terms: Vec<f64> = dz.column(unit).iter().zip(inputs).map(|(dz, x)| dz * x).collect();
            let gradient: f64 = terms.iter().sum();
            let absolute = mean(dz.column(unit).iter().map(|dz| dz.abs()));
            let size = mean(terms.iter().map(|term| term.abs()));
            let shares = [
                (Why::Slope, absolute / mean(arrives.column(unit).iter().copied())),
                (Why::Input, if absolute > 0.0 { size / absolute } else { 1.0 }),
                (
                    Why::Arrives,
                    if slopes.is_some() { mean(arrives.column(unit).iter().copied()) / error } else { 1.0 },
                ),
                (Why::Cancel, if size > 0.0 { gradient.abs() / rows / size } else { 1.0 }),
            ];
            let dead = slopes
                .as_ref()
                .is_some_and(|slopes| Condition::of(slopes.column(unit).iter().copied()) == Condition::Dead);
            let smallest =
                shares.into_iter().filter(|(_, share)| *share < SMALL).min_by(|a, b| a.1.total_cmp(&b.1));
            let (why, share) = if dead { (Why::Dead, 0.0) } else { smallest.unwrap_or((Why::None, 1.0)) };
            (gradient, why, share)
        };
        let weight = |value: f64, (gradient, why, share)| Weight { value, gradient, why, share };
        let (inputs, units) = values.dim();
        layers.push(Layer {
            weights: (0..inputs)
                .map(|i| {
                    (0..units)
                        .map(|j| weight(values[[i, j]], why(j, &mut input.column(i).iter().copied())))
                        .collect()
                })
                .collect(),
            biases: (0..units).map(|j| weight(biases[[j]], why(j, &mut std::iter::repeat(1.0)))).collect(),
        });
        if let Some(&a) = hidden.get(at) {
            input = matrix(a.value());
        }
    }
    layers
}

fn mean(numbers: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = numbers.len() as f64;
    numbers.sum::<f64>() / count
}
