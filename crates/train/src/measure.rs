//! What a model says, and how good that is.

use std::fmt;
use std::str::FromStr;

use surprisal_data::metrics::Metric;
use surprisal_data::{argmax_rows, gather_rows};
use surprisal_layers::Layer;
use surprisal_tensor::ndarray::{Array2, ArrayD, ArrayView2, Axis, Ix2};
use surprisal_tensor::{Params, Scalar, Tape, Var, Workspace};

use crate::training::finite;
use crate::{Epoch, Examples, History, TrainError, Trainer};

/// Rows at once, whose values fit the caches of most machines.
const CHUNK: usize = 1024;

/// What is measured on the test part to decide when to stop and which epoch was the best.
///
/// ```
/// use surprisal_data::metrics::Metric;
/// use surprisal_train::Watch;
/// assert_eq!("loss".parse(), Ok(Watch::Loss)); // that of the objective
/// assert_eq!("accuracy".parse(), Ok(Watch::Metric(Metric::Accuracy)));
/// assert!(Watch::Metric(Metric::Accuracy).larger_is_better() && !Watch::Loss.larger_is_better());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Watch {
    /// The objective itself.
    Loss,
    /// A metric; not trained for, but often what is meant.
    Metric(Metric),
}

impl Watch {
    /// Whether more of it is better.
    pub fn larger_is_better(self) -> bool {
        match self {
            Watch::Loss => false,
            Watch::Metric(metric) => metric.larger_is_better(),
        }
    }
    /// What was watched after every epoch, with its sign turned where more is better.
    pub(crate) fn smaller_is_better(self, history: &History) -> Vec<f64> {
        let sign = if self.larger_is_better() { -1.0 } else { 1.0 };
        history.epochs().iter().map(|epoch| sign * epoch.watched).collect()
    }
}

impl fmt::Display for Watch {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Watch::Loss => f.write_str("loss"),
            Watch::Metric(metric) => metric.fmt(f),
        }
    }
}
impl FromStr for Watch {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "loss" => Ok(Watch::Loss),
            _ => text.parse().map(Watch::Metric).map_err(|error| format!("{error}, or loss")),
        }
    }
}

/// What a model puts out for every row, `[rows, outputs]`, some rows at a time and without gradients.
///
/// ```
/// use surprisal_layers::Relu;
/// use surprisal_tensor::{Params, ndarray::array};
/// let x = array![[1.0, 2.0], [3.0, 4.0]];
/// assert_eq!(surprisal_train::outputs(&Relu, &Params::<f64>::new(), x.view()), x);
/// ```
///
/// # Panics
/// At the caller's line, if the columns do not fit the model, or its outputs are not `[rows, outputs]`.
#[track_caller]
pub fn outputs<T: Scalar>(model: &impl Layer, params: &Params<T>, features: ArrayView2<T>) -> Array2<T> {
    let mut workspace = Workspace::new();
    let (mut all, mut columns) = (Vec::new(), 0);
    for rows in features.axis_chunks_iter(Axis(0), CHUNK) {
        let tape = workspace.no_grad(params);
        let outputs = model.forward(tape.input(&rows));
        let &[_, outputs_of_row] = outputs.shape().dims() else {
            panic!("the model puts out {}, not [rows, outputs]", outputs.shape());
        };
        columns = outputs_of_row;
        all.extend(outputs.value().iter().copied());
    }
    Array2::from_shape_vec((features.nrows(), columns), all).expect("every row has as many outputs")
}

/// The probabilities that outputs stand for, `[rows, classes]`: several outputs by a softmax, one by a sigmoid, as those of "no" and "yes".
///
/// ```
/// use surprisal_tensor::ndarray::array;
/// use surprisal_train::probabilities;
/// assert_eq!(probabilities(array![[0.0f32]].view()), array![[0.5, 0.5]]);
/// assert_eq!(probabilities(array![[7.0f32, 7.0]].view()), array![[0.5, 0.5]]);
/// ```
pub fn probabilities<T: Scalar>(outputs: ArrayView2<T>) -> Array2<f64> {
    let params = Params::<f64>::new();
    let z = outputs.mapv(|z| z.value());
    let mut workspace = Workspace::new();
    let tape = workspace.no_grad(&params);
    let z = tape.input(&z);
    if outputs.ncols() > 1 {
        return matrix(z.softmax(-1).value());
    }
    let (no, yes) = (matrix((-z).sigmoid().value()), matrix(z.sigmoid().value()));
    Array2::from_shape_fn(
        (no.nrows(), 2),
        |(row, class)| if class == 0 { no[[row, 0]] } else { yes[[row, 0]] },
    )
}

/// A metric of what a model says about examples.
///
/// # Errors
/// If the metric is none for such answers, or the outputs are not finite.
pub fn score<T: Scalar>(
    metric: Metric,
    outputs: ArrayView2<T>,
    examples: &Examples<T>,
) -> Result<f64, TrainError> {
    let value = if examples.of_values() {
        let [targets, said] = [&examples.values[..], &outputs.iter().copied().collect::<Vec<_>>()]
            .map(|values| values.iter().map(|v| v.value()).collect::<Vec<_>>());
        metric.of_numbers(&targets, &said)
    } else {
        metric.of_classes(&examples.labels, probabilities(outputs).view())
    };
    value.map_err(TrainError::Data)
}

/// The whole of the data in the state of `params`, some rows at a time.
#[track_caller]
pub(crate) fn measure<T: Scalar>(
    trainer: &Trainer,
    model: &impl Layer,
    params: &Params<T>,
    parts: [&Examples<T>; 2],
    workspace: &mut Workspace<T>,
    at: (usize, usize, f64),
) -> Result<Epoch, TrainError> {
    let mut gradient = trainer.measure_gradient.then(|| params.map(|_| 0.0));
    let (mut loss, mut accuracy, mut watched) = ([0.0; 2], [0.0; 2], f64::NAN);
    for (part, examples) in parts.into_iter().enumerate() {
        let rows: Vec<usize> = (0..examples.rows()).collect();
        let mut said = Vec::new();
        for rows in rows.chunks(CHUNK) {
            let share = rows.len() as f64 / examples.rows() as f64;
            let tape = match part {
                0 if gradient.is_some() => workspace.tape(params).evaluating(),
                _ => workspace.no_grad(params),
            };
            let outputs = model.forward(gathered(&tape, examples, rows));
            said.extend(outputs.value().iter().copied());
            let range = rows[0]..rows[0] + rows.len();
            let mean = match examples.of_values() {
                true => trainer.objective.loss_of_values(outputs, &examples.values[range]),
                false => trainer.objective.loss(outputs, &examples.labels[range]),
            };
            loss[part] += share * mean.item().value();
            if part > 0 {
                continue;
            }
            finite(&tape, mean, at)?;
            if let Some(gradient) = &mut gradient {
                mean.backward();
                let parts = gradient.as_mut_slice().iter_mut().zip(workspace.grads().as_slice());
                parts.for_each(|(sum, g)| *sum += share * g.value());
            }
        }
        let columns = said.len() / examples.rows();
        let outputs =
            ArrayView2::from_shape((examples.rows(), columns), &said).expect("as many in every row");
        accuracy[part] = match examples.of_values() {
            true => score(Metric::R2, outputs, examples).unwrap_or(f64::NAN), // of a single row there is none
            false => count_right(outputs, &examples.labels) as f64 / examples.rows() as f64,
        };
        if let (1, Watch::Metric(metric)) = (part, trainer.watch) {
            watched = score(metric, outputs, examples)?;
        }
    }
    if trainer.watch == Watch::Loss {
        watched = loss[1];
    }
    let [train_accuracy, test_accuracy] = accuracy;
    Ok(Epoch {
        epoch: at.0,
        loss: loss[0],
        train_accuracy,
        test_accuracy,
        gradient_norm: gradient.map(|gradient: Params<f64>| gradient.norm()),
        test_loss: loss[1],
        learning_rate: at.2,
        watched,
    })
}

/// Runs the model on the first row: do its outputs and the answers fit? Gives how many outputs there are.
#[track_caller]
pub(crate) fn check_fit<T: Scalar>(
    model: &impl Layer,
    params: &Params<T>,
    examples: &Examples<T>,
    workspace: &mut Workspace<T>,
) -> Result<usize, TrainError> {
    let (rows, classes) = (examples.rows(), examples.classes);
    let misfit = |message: String| Err(TrainError::Misfit(message));
    let (answers, what) = match examples.of_values() {
        true => (examples.values.len(), ["values", "value"]),
        false => (examples.labels.len(), ["labels", "label"]),
    };
    if rows == 0 || answers != rows {
        let [many, one] = what;
        return misfit(format!(
            "{rows} rows and {answers} {many}: each row needs a {one}, and there must be a row"
        ));
    }
    let tape = workspace.no_grad(params);
    let shape = model.forward(gathered(&tape, examples, &[0])).shape();
    let outputs = match *shape.dims() {
        [1, outputs] => outputs,
        _ => return misfit(format!("the model turns a row into {shape}, not into [1, outputs]")),
    };
    if examples.of_values() {
        if outputs != 1 {
            return misfit(format!(
                "the data has a number to predict and the model {outputs} outputs: give its last layer 1"
            ));
        }
        return match examples.values.iter().position(|value| !value.is_finite()) {
            Some(row) => misfit(format!("the value of row {row} is {:?}, not finite", examples.values[row])),
            None => Ok(1),
        };
    }
    if outputs != classes && !(outputs == 1 && classes == 2) {
        let wanted = if classes == 2 { "2 outputs, or 1".to_string() } else { format!("{classes} outputs") };
        return misfit(format!(
            "the data has {classes} classes and the model {outputs} outputs: give its last layer {wanted}"
        ));
    }
    match examples.labels.iter().position(|&label| label >= classes) {
        Some(row) => misfit(format!(
            "label {} in row {row} is not one of the {classes} classes 0 to {}",
            examples.labels[row],
            classes - 1
        )),
        None => Ok(outputs),
    }
}

/// Some rows' features, copied straight to the tape.
#[track_caller]
pub(crate) fn gathered<'t, T: Scalar>(
    tape: &'t Tape<'t, T>,
    examples: &Examples<T>,
    rows: &[usize],
) -> Var<'t, T> {
    let features = examples.features.view();
    tape.input_with([rows.len(), features.ncols()], |slots| gather_rows(features, rows, slots))
}

/// How many rows have the true class as their most probable one.
pub(crate) fn count_right<T: Scalar>(outputs: ArrayView2<T>, labels: &[usize]) -> usize {
    said(outputs).iter().zip(labels).filter(|(said, label)| said == label).count()
}

/// The class that each row of outputs says; a single logit says class 1 where it is above 0.
pub(crate) fn said<T: Scalar>(outputs: ArrayView2<T>) -> Vec<usize> {
    match outputs.ncols() {
        1 => outputs.iter().map(|&z| usize::from(z > T::ZERO)).collect(),
        _ => argmax_rows(outputs),
    }
}

pub(crate) fn matrix<T>(values: ArrayD<T>) -> Array2<T> {
    values.into_dimensionality::<Ix2>().expect("an operation on each number keeps the shape")
}
