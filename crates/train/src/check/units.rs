//! Dead and saturated units, vanishing and exploding gradients.

use surprisal_layers::{Layer, Mlp};
use surprisal_tensor::ndarray::{Array2, ArrayD, ArrayView2, Axis, Ix2};
use surprisal_tensor::{Params, Scalar, Workspace};

use super::init_loss::mean_and_deviation;
use super::{Check, fit, loss_of, targets_of};
use crate::{Batched, Objective, TrainError};

/// A slope below this share of the activation's largest is flat.
const FLAT: f64 = 0.05;
/// A unit that is flat on this share of the rows is saturated.
const MOST: f64 = 0.9;
/// The share of a layer's units that may be dead or saturated.
const LOST: f64 = 0.5;
/// How many times as long or as short the first layer's gradient may be as the last's.
const RATIO: f64 = 1e3;

/// What the units of one layer do, over all rows.
///
/// See the example of [`unit_health`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnitHealth {
    /// How many there are.
    pub units: usize,
    /// How many put out the same for every row, with slope 0: they learn nothing and pass nothing back.
    pub dead: usize,
    /// How many of the others have a slope below 5 % of the activation's largest, on nine rows of ten or more.
    pub saturated: usize,
    /// The mean of the pre-activations, over rows and units ..
    pub mean: f64,
    /// .. and their standard deviation.
    pub deviation: f64,
}

/// What [`units`] measured.
///
/// See the example of [`units`].
#[derive(Clone, Debug, PartialEq)]
pub struct Units {
    /// Every layer that an activation follows, by name.
    pub layers: Vec<(String, UnitHealth)>,
    /// Every layer, by name, and the Euclidean length of the loss's gradient with respect to its parameters.
    pub gradient_norms: Vec<(String, f64)>,
    /// The first of these lengths divided by the last.
    pub ratio: f64,
}

/// The health of the units with pre-activations `z`, `[rows, units]`, behind an activation that works on each number by itself.
///
/// The largest slope of the activation is looked for from -10 to 10.
///
/// ```
/// use surprisal_layers::Relu;
/// use surprisal_tensor::ndarray::array;
/// use surprisal_train::check::unit_health;
/// let health = unit_health(array![[1.0, -1.0], [-2.0, -3.0]].view(), &Relu);
/// assert_eq!((health.units, health.dead, health.mean), (2, 1, -1.25));
/// ```
#[track_caller]
pub fn unit_health<T: Scalar>(z: ArrayView2<T>, activation: &impl Layer) -> UnitHealth {
    let grid = Array2::from_shape_fn((2001, 1), |(i, _)| T::of((i as f64 - 1000.0) / 100.0));
    let (_, slopes) = values_and_slopes(grid.view(), activation);
    let flat = FLAT * slopes.iter().fold(0.0, |most: f64, slope| most.max(slope.value().abs()));

    let (y, slopes) = values_and_slopes(z, activation);
    let (mut dead, mut saturated) = (0, 0);
    for (y, slopes) in y.axis_iter(Axis(1)).zip(slopes.axis_iter(Axis(1))) {
        let flat_rows = slopes.iter().filter(|slope| slope.value().abs() < flat).count();
        if slopes.iter().all(|&slope| slope == T::ZERO) && y.iter().all(|&value| Some(&value) == y.first()) {
            dead += 1;
        } else if flat_rows as f64 >= MOST * slopes.len() as f64 {
            saturated += 1;
        }
    }
    let (mean, deviation) = mean_and_deviation(&Vec::from_iter(z.iter().map(|z| z.value())));
    UnitHealth { units: z.ncols(), dead, saturated, mean, deviation }
}

/// f(z) and f'(z) of every number.
#[track_caller]
fn values_and_slopes<T: Scalar>(z: ArrayView2<T>, activation: &impl Layer) -> (ArrayD<T>, ArrayD<T>) {
    let (params, mut workspace) = (Params::<T>::default(), Workspace::new());
    let tape = workspace.tape(&params).evaluating();
    let z = tape.input(&z).requires_grad();
    let y = activation.forward(z);
    y.sum().backward();
    (y.to_array(), z.grad().expect("asked for above").mapv(T::of))
}

/// Runs a net on all rows and looks at every hidden layer: dead and saturated units, the size of pre-activations; and at how long
/// the gradient of the loss is at every layer.
///
/// It does not hold if more than half of a layer's units are dead or saturated, or if the first layer's gradient is a thousand times
/// as long as the last's, or a thousandth: a rate that suits one of them is useless for the other.
///
/// ```
/// use surprisal_layers::{Activation, Mlp, rng};
/// use surprisal_train::check;
/// # use surprisal_data::Dataset;
/// # use surprisal_tensor::Params;
/// # use surprisal_train::Objective;
/// # let iris = Dataset::iris();
/// # let mut params = Params::new();
/// let model = Mlp::new(&mut params, &"4-8-3".parse()?, Activation::Relu, &mut rng(7));
/// params[model.layers()[0].bias].fill(-1000.0); // no input lifts a unit above 0
/// let check = check::units(&model, &params, Objective::CrossEntropy, &iris)?;
/// let (layer, health) = &check.measured.layers[0];
/// assert_eq!((layer.as_str(), health.units, health.dead), ("layer1", 8, 8));
/// assert!(check.means.starts_with("8 of 8 units of layer1 are dead"), "{check}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the model's outputs, the loss and the data do not fit.
#[track_caller]
pub fn units<T: Scalar>(
    model: &Mlp,
    params: &Params<T>,
    objective: Objective,
    examples: &dyn Batched,
) -> Result<Check<Units>, TrainError> {
    fit(model, params, objective, examples)?;
    let mut workspace = Workspace::new();
    let name = |layer: usize| {
        let name = &params.entry(model.layers()[layer].weight).name;
        name.trim_end_matches(".weight").to_string()
    };

    let mut layers = Vec::new();
    let rows = Vec::from_iter(0..examples.rows());
    let mut x = workspace.eval(params, |tape| examples.features(tape, &rows));
    for (i, layer) in model.layers().iter().enumerate().take(model.layers().len() - 1) {
        let z = matrix(workspace.eval(params, |tape| layer.forward(tape.input(&x))));
        layers.push((name(i), unit_health(z.view(), &model.activation())));
        x = workspace.eval(params, |tape| model.activation().forward(tape.input(&z)));
    }

    let tape = workspace.tape(params).evaluating();
    let targets = targets_of(examples, &rows);
    loss_of(objective, model.forward(examples.features(&tape, &rows)), &targets).backward();
    let grads = workspace.grads();
    let length = |layer: usize| {
        let layer = &model.layers()[layer];
        let g = grads[layer.weight].iter().chain(&grads[layer.bias]);
        g.map(|g| g.value() * g.value()).sum::<f64>().sqrt()
    };
    let gradient_norms: Vec<_> = (0..model.layers().len()).map(|i| (name(i), length(i))).collect();
    let ratio = gradient_norms[0].1 / gradient_norms[gradient_norms.len() - 1].1;

    let lost = layers.iter().find(|(_, h)| (h.dead + h.saturated) as f64 > LOST * h.units as f64);
    let flows = (1.0 / RATIO..=RATIO).contains(&ratio);
    let (means, advice) = if let Some((name, h)) = lost {
        let (units, advice) = if h.dead >= h.saturated {
            (
                format!("{} of {} units of {name} are dead", h.dead, h.units),
                "biases initialized to 0, scaled features, leaky_relu",
            )
        } else {
            (
                format!("{} of {} units of {name} are saturated", h.saturated, h.units),
                "scaled features or smaller weights, so that pre-activations are about 1",
            )
        };
        (
            format!(
                "{units}: pre-activations are {:.3} ± {:.3}, where the activation is flat",
                h.mean, h.deviation
            ),
            Some(advice),
        )
    } else if !ratio.is_finite() {
        (
            "the gradient is 0 or not finite everywhere: the model cannot learn".to_string(),
            Some("look at `init-loss`: is the model sure already? Smaller weights, scaled features"),
        )
    } else if !flows {
        let how = if ratio > RATIO { "explodes" } else { "vanishes" };
        (
            format!("the gradient {how}: no learning rate suits all layers"),
            Some(
                "another initializer (xavier_normal for tanh and sigmoid, kaiming_normal for relu), fewer layers",
            ),
        )
    } else {
        ("one learning rate suits all layers".to_string(), None)
    };
    Ok(Check {
        name: "units",
        holds: lost.is_none() && flows,
        expected: format!(
            "in no layer more than half of the units dead (same output, slope 0, on every row) or saturated\n\
             (slope below 5 % of the largest on nine rows of ten); gradients of first and last layer within {RATIO} times"
        ),
        found: table(&layers, &gradient_norms, ratio),
        means,
        advice: advice.map(String::from),
        measured: Units { layers, gradient_norms, ratio },
    })
}

fn table(layers: &[(String, UnitHealth)], gradient_norms: &[(String, f64)], ratio: f64) -> String {
    let mut text = format!(
        "{:8}  {:>5}  {:>5}  {:>9}  {:^21}  {}\n",
        "layer", "units", "dead", "saturated", "pre-activations", "gradient"
    );
    for (i, (name, norm)) in gradient_norms.iter().enumerate() {
        text += &match layers.get(i) {
            Some((_, h)) => format!(
                "{name:8}  {:5}  {:5}  {:9}  {:9.3} ± {:9.3}  {norm:.3e}\n",
                h.units, h.dead, h.saturated, h.mean, h.deviation
            ),
            None => format!("{name:8}  {:47}  {norm:.3e}\n", "no activation"),
        };
    }
    text + &format!("the gradient norm of the first layer is {ratio:.1e} times that of the last")
}

fn matrix<T>(x: ArrayD<T>) -> Array2<T> {
    x.into_dimensionality::<Ix2>().expect("a linear layer turns [rows, inputs] into [rows, outputs]")
}
