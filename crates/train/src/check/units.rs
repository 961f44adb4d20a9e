//! Dead and saturated units, vanishing and exploding gradients.

use surprisal_layers::{Activation, Layer, Sequential, Step};
use surprisal_tensor::ndarray::{Array2, ArrayD, ArrayView2, Axis};
use surprisal_tensor::{ParamId, Params, Scalar, Workspace};

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

/// The maximum number of rows that are looked at for a net of images.
const MOST_IMAGES: usize = 256;

fn most_rows(model: &Sequential) -> usize {
    if model.image().is_some() { MOST_IMAGES } else { usize::MAX }
}

/// "layer1", of "layer1.weight".
fn layer_name<T: Scalar>(params: &Params<T>, weight: ParamId) -> String {
    params.entry(weight).name.trim_end_matches(".weight").to_string()
}

/// Every layer with weights that an activation follows, perhaps behind a normalization: its name, the activation, and the health of its
/// units on these rows. The units of a convolution are its channels, whose rows are all pixels of all images; of images, only the first
/// 256 are used.
///
/// See the example of [`units`].
#[track_caller]
pub fn hidden_units<T: Scalar>(
    model: &Sequential,
    params: &Params<T>,
    data: &dyn Batched,
) -> Vec<(String, Activation, UnitHealth)> {
    lost_units(model, params, data, |_, _| true)
}

/// The [`hidden_units`] of the layers that are lost. If a layer is, it is with more dead or saturated units too: as soon as those that
/// there can still be are too few in every layer, no more rows are looked at.
///
/// ```
/// use surprisal_layers::{Activation, Mlp, Sequential, rng};
/// use surprisal_train::check::{hidden_units, lost_units};
/// # use surprisal_data::Dataset;
/// # use surprisal_tensor::Params;
/// let (iris, mut params) = (Dataset::iris(), Params::<f32>::default());
/// let mlp = Mlp::new(&mut params, &"4-8-6-3".parse()?, Activation::Relu, &mut rng(7));
/// params[mlp.layers()[1].bias].fill(-1000.0); // no input lifts a unit above 0
/// let net = Sequential::from(&mlp);
/// let lost = lost_units(&net, &params, &iris, |_, health| health.dead == health.units);
/// assert_eq!(lost, hidden_units(&net, &params, &iris)[1..]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn lost_units<T: Scalar>(
    model: &Sequential,
    params: &Params<T>,
    data: &dyn Batched,
    is_lost: impl Fn(Activation, &UnitHealth) -> bool,
) -> Vec<(String, Activation, UnitHealth)> {
    let rows = Vec::from_iter(0..data.rows().min(most_rows(model)));
    let mut workspace = Workspace::new();
    let mut all: Vec<(String, Activation, Watched<T>)> = Vec::new();
    let width = workspace.eval(params, |tape| data.features(tape, &rows[..rows.len().min(1)])).len();
    let mut seen = 0;
    for some in rows.chunks((MOST_NUMBERS / width.max(1)).clamp(1, TOGETHER)) {
        let mut x = workspace.eval(params, |tape| model.arrange(data.features(tape, some)));
        let (mut layer, mut before) = (0, None);
        for step in model.steps() {
            if let Step::Activation(activation) = step
                && let Some(weight) = before.take()
            {
                let watched = Watched::new(units_last(x.clone()).view(), activation);
                match all.get_mut(layer) {
                    Some((_, _, earlier)) => earlier.add(watched),
                    None => all.push((layer_name(params, weight), *activation, watched)),
                }
                layer += 1;
            }
            before = step.weights().map(|(weight, _)| weight).or(before);
            x = workspace.eval(params, |tape| step.forward(tape.input(&x)));
        }
        seen += some.len();
        let in_all = |watched: &Watched<T>| watched.rows / seen * rows.len(); // with the pixels of images
        if !all.iter().any(|(_, activation, watched)| is_lost(*activation, &watched.at_most(in_all(watched))))
        {
            return Vec::new();
        }
    }
    let health = |(name, activation, watched): (String, _, Watched<T>)| {
        (name, activation, watched.at_most(watched.rows))
    };
    let all = all.into_iter().map(health);
    all.filter(|(_, activation, health)| is_lost(*activation, health)).collect()
}

/// The maximum number of rows that are run at a time ..
const TOGETHER: usize = 1 << 14;
/// .. and that of their features.
const MOST_NUMBERS: usize = 1 << 20;

/// What was seen of the units of a layer in some rows.
struct Watched<T> {
    rows: usize,
    /// The first output of each unit, if all are the same, with slope 0.
    same: Vec<Option<T>>,
    /// In how many rows each unit is flat.
    flat: Vec<usize>,
    mean: f64,
    deviation: f64,
}

impl<T: Scalar> Watched<T> {
    #[track_caller]
    fn new(z: ArrayView2<T>, activation: &impl Layer) -> Self {
        let grid = Array2::from_shape_fn((2001, 1), |(i, _)| T::of((i as f64 - 1000.0) / 100.0));
        let (_, slopes) = values_and_slopes(grid.view(), activation);
        let flat = FLAT * slopes.iter().fold(0.0, |most: f64, slope| most.max(slope.abs()));

        let (y, slopes) = values_and_slopes(z, activation);
        let (mut same, mut flat_rows) = (vec![None; z.ncols()], vec![0; z.ncols()]);
        let rows = y.chunks_exact(z.ncols().max(1)).zip(slopes.chunks_exact(z.ncols().max(1)));
        for (row, (y, slopes)) in rows.enumerate() {
            let units = same.iter_mut().zip(&mut flat_rows);
            for ((same, flat_rows), (&y, &slope)) in units.zip(y.iter().zip(slopes)) {
                let is_dead = slope == 0.0 && (row == 0 || *same == Some(y));
                *same = is_dead.then_some(y);
                *flat_rows += usize::from(slope.abs() < flat);
            }
        }
        let (mean, deviation) = mean_and_deviation(&Vec::from_iter(z.iter().map(|z| z.value())));
        Watched { rows: z.nrows(), same, flat: flat_rows, mean, deviation }
    }

    /// Takes more rows into account.
    fn add(&mut self, more: Watched<T>) {
        self.same.iter_mut().zip(more.same).for_each(|(one, other)| *one = one.filter(|_| *one == other));
        self.flat.iter_mut().zip(more.flat).for_each(|(one, other)| *one += other);
        // Chan, Golub, LeVeque (1983), "Algorithms for computing the sample variance"
        let share = more.rows as f64 / (self.rows + more.rows) as f64;
        let (between, [one, other]) =
            (more.mean - self.mean, [self.deviation, more.deviation].map(|d| d * d));
        self.deviation = (one + share * (other - one) + share * (1.0 - share) * between * between).sqrt();
        self.mean += share * between;
        self.rows += more.rows;
    }

    /// Their health, if they were flat on all others of this number of rows.
    fn at_most(&self, rows: usize) -> UnitHealth {
        let (dead, others) = (self.same.iter().flatten().count(), rows - self.rows);
        let flat = |(same, &flat): (&Option<T>, &usize)| {
            same.is_none() && (flat + others) as f64 >= MOST * rows as f64
        };
        let saturated = self.same.iter().zip(&self.flat).filter(|&unit| flat(unit)).count();
        UnitHealth { units: self.same.len(), dead, saturated, mean: self.mean, deviation: self.deviation }
    }
}

/// `[N, C, ..]` as `[N .., C]`.
fn units_last<T: Scalar>(x: ArrayD<T>) -> Array2<T> {
    let units = x.len_of(Axis(1));
    let mut axes = Vec::from_iter(0..x.ndim());
    axes.remove(1);
    axes.push(1);
    let rows = Vec::from_iter(x.permuted_axes(axes).iter().copied());
    Array2::from_shape_vec((rows.len() / units.max(1), units), rows).expect("all rows have all units")
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
    let watched = Watched::new(z, activation);
    watched.at_most(watched.rows)
}

/// f(z) and f'(z) of every number, by rows.
#[track_caller]
fn values_and_slopes<T: Scalar>(z: ArrayView2<T>, activation: &impl Layer) -> (Vec<T>, Vec<f64>) {
    let (params, mut workspace) = (Params::<T>::default(), Workspace::new());
    let tape = workspace.tape(&params).evaluating();
    let z = tape.input(&z).requires_grad();
    let y = activation.forward(z);
    y.sum().backward();
    let slopes = z.grad().expect("asked for above"); // in standard layout
    (y.with_value(<[T]>::to_vec), slopes.into_raw_vec_and_offset().0)
}

/// Runs a net on all rows and looks at every hidden layer: dead and saturated units, the size of pre-activations; and at how long
/// the gradient of the loss is at every layer. Of a net of images, the first 256 rows are used.
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
    model: impl Into<Sequential>,
    params: &Params<T>,
    objective: Objective,
    examples: &dyn Batched,
) -> Result<Check<Units>, TrainError> {
    let model = &model.into();
    fit(model, params, objective, examples)?;
    let mut workspace = Workspace::new();
    let rows = Vec::from_iter(0..examples.rows().min(most_rows(model)));
    let layers = Vec::from_iter(
        hidden_units(model, params, examples).into_iter().map(|(name, _, health)| (name, health)),
    );

    let tape = workspace.tape(params).evaluating();
    let targets = targets_of(examples, &rows);
    loss_of(objective, model.forward(examples.features(&tape, &rows)), &targets).backward();
    let grads = workspace.grads();
    let length = |(weight, bias): (ParamId, Option<ParamId>)| {
        let g = grads[weight].iter().chain(bias.iter().flat_map(|&bias| &grads[bias]));
        let length = g.map(|g| g.value() * g.value()).sum::<f64>().sqrt();
        (layer_name(params, weight), length)
    };
    let gradient_norms = Vec::from_iter(model.steps().iter().filter_map(Step::weights).map(length));
    let (Some(first), Some(last)) = (gradient_norms.first(), gradient_norms.last()) else {
        return Err(TrainError::Misfit("units: the model has no layer with weights".into()));
    };
    let ratio = first.1 / last.1;

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
    for (name, norm) in gradient_norms {
        text += &match layers.iter().find(|(layer, _)| layer == name) {
            Some((_, h)) => format!(
                "{name:8}  {:5}  {:5}  {:9}  {:9.3} ± {:9.3}  {norm:.3e}\n",
                h.units, h.dead, h.saturated, h.mean, h.deviation
            ),
            None => format!("{name:8}  {:47}  {norm:.3e}\n", "no activation"),
        };
    }
    text + &format!("the gradient norm of the first layer is {ratio:.1e} times that of the last")
}
