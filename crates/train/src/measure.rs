//! What a model says, and how good that is.

use std::fmt;
use std::str::FromStr;

use surprisal_data::metrics::{LabeledLogits, Metric};
use surprisal_data::{Targets, argmax_rows};
use surprisal_layers::Layer;
use surprisal_tensor::ndarray::{Array2, ArrayD, ArrayView, ArrayView1, ArrayView2, Axis, Ix2, RemoveAxis};
use surprisal_tensor::{Params, Scalar, Tape, Var, Workspace};

use crate::objective::total_weight;
use crate::training::finite;
use crate::{Epoch, Examples, History, NameError, Objective, TrainError, Trainer};

/// Rows at once, whose values fit the caches of most machines.
const CHUNK: usize = 1024;
/// Numbers that a block of rows may take on a tape; of a wide model, a block has fewer rows.
const BLOCK: usize = 1 << 24;

/// How many rows are run at once, so that memory is bounded however many rows and outputs there are.
#[track_caller]
pub(crate) fn block_rows<T: Scalar, D: RemoveAxis>(
    model: &impl Layer,
    params: &Params<T>,
    features: ArrayView<T, D>,
) -> usize {
    if features.len_of(Axis(0)) <= 1 {
        return CHUNK;
    }
    let mut workspace = Workspace::new();
    let tape = workspace.no_grad(params);
    model.forward(tape.input(&features.slice_axis(Axis(0), (0..1).into())));
    let numbers = workspace.bytes() / size_of::<T>();
    (BLOCK / numbers.max(1)).clamp(1, CHUNK)
}

/// What is measured on the test part to decide when to stop and which epoch was the best.
///
/// ```
/// use surprisal_data::metrics::{LabeledLogits, Metric};
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
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        match text {
            "loss" => Ok(Watch::Loss),
            _ => text.parse().map(Watch::Metric).map_err(NameError::Watch),
        }
    }
}

/// What a model puts out for every row, `[rows, outputs]`, some rows at a time and without gradients.
///
/// ```
/// use surprisal_layers::Relu;
/// use surprisal_tensor::{Params, ndarray::array};
/// let x = array![[1.0, 2.0], [3.0, 4.0]];
/// assert_eq!(surprisal_train::outputs(&Relu, &Params::<f64>::default(), x.view()), x);
/// ```
///
/// # Panics
/// At the caller's line, if the features do not fit the model, or its outputs are not `[rows, outputs]`.
#[track_caller]
pub fn outputs<T: Scalar, D: RemoveAxis>(
    model: &impl Layer,
    params: &Params<T>,
    features: ArrayView<T, D>,
) -> Array2<T> {
    let rows_in_all = features.len_of(Axis(0));
    let mut workspace = Workspace::new();
    let (mut all, mut columns) = (Vec::new(), 0);
    for rows in features.axis_chunks_iter(Axis(0), block_rows(model, params, features.view())) {
        let tape = workspace.no_grad(params);
        let outputs = model.forward(tape.input(&rows));
        let &[_, outputs_of_row] = outputs.shape().dims() else {
            panic!("the model puts out {}, not [rows, outputs]", outputs.shape());
        };
        columns = outputs_of_row;
        outputs.with_value(|values: &[T]| all.extend_from_slice(values));
    }
    Array2::from_shape_vec((rows_in_all, columns), all).expect("every row has as many outputs")
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
    let params = Params::<f64>::default();
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

/// What a model says about examples, as far as metrics look at it: some numbers for each row, however many classes there are.
///
/// ```
/// use surprisal_data::metrics::Metric;
/// use surprisal_train::{Objective, evaluate};
/// # use surprisal_data::Dataset;
/// # use surprisal_layers::{Init, Linear, rng};
/// # use surprisal_tensor::Params;
/// # use surprisal_train::Examples;
/// # let iris = Examples::<f32>::new(&Dataset::iris());
/// # let mut params = Params::new();
/// # let model = Linear::with_init(&mut params, "out", 4, 3, Init::Zeros, Init::Zeros, &mut rng(2));
/// let evaluation = evaluate(&model, &params, Objective::CrossEntropy, &iris)?;
/// assert_eq!(evaluation.metric(Metric::Accuracy)?, 1.0 / 3.0); // all zeros: the first class
/// assert!((evaluation.metric(Metric::LogLoss)? - 3f64.ln()).abs() < 1e-14);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Evaluation {
    /// Of class labels.
    Classes(LabeledLogits),
    /// Of numbers.
    Values {
        /// What is true of each row.
        targets: Vec<f64>,
        /// What the model predicts for it.
        predicted: Vec<f64>,
    },
}

impl Evaluation {
    fn new<T: Scalar>(examples: &Examples<T>) -> Self {
        match &examples.targets {
            Targets::Values(_) => Evaluation::Values { targets: Vec::new(), predicted: Vec::new() },
            Targets::Classes { names, .. } => Evaluation::Classes(LabeledLogits::new(names.len())),
        }
    }

    /// The outputs of some rows, which come one after the other.
    fn extend<T: Scalar>(
        &mut self,
        objective: Objective,
        outputs: ArrayView2<T>,
        examples: &Examples<T>,
        rows: std::ops::Range<usize>,
    ) -> Result<(), TrainError> {
        let finite = |row: ArrayView1<T>| row.iter().all(|z| objective.prediction(z.value()).is_finite());
        if let Some(row) = outputs.rows().into_iter().position(|row| !finite(row)) {
            return Err(TrainError::Misfit(format!(
                "the net's output for row {} is not finite: did the training diverge?",
                rows.start + row
            )));
        }
        match self {
            Evaluation::Classes(logits) => {
                logits.extend(&examples.targets.labels()[rows], outputs.mapv(|z| z.value()).view())?;
            }
            Evaluation::Values { targets, predicted } => {
                targets.extend(examples.targets.values()[rows].iter().map(|value| value.value()));
                predicted.extend(outputs.iter().map(|z| objective.prediction(z.value())));
            }
        }
        Ok(())
    }

    /// A metric of all rows.
    ///
    /// # Errors
    /// If the metric is not one of such targets, and where it is not defined: a curve needs rows of both classes, and R² two rows.
    pub fn metric(&self, metric: Metric) -> Result<f64, TrainError> {
        let value = match self {
            Evaluation::Classes(logits) => logits.metric(metric),
            Evaluation::Values { targets, predicted } => metric.of_numbers(targets, predicted),
        };
        value.map_err(TrainError::Data)
    }
}

/// Runs the model on every row, some rows at a time and without gradients; `objective` says what outputs mean.
///
/// # Errors
/// If an output is not finite, with its row, and if labels and outputs do not fit.
///
/// # Panics
/// As [`outputs`] does.
#[track_caller]
pub fn evaluate<T: Scalar>(
    model: &impl Layer,
    params: &Params<T>,
    objective: Objective,
    examples: &Examples<T>,
) -> Result<Evaluation, TrainError> {
    let mut evaluation = Evaluation::new(examples);
    let mut start = 0;
    for rows in
        examples.features.axis_chunks_iter(Axis(0), block_rows(model, params, examples.features.view()))
    {
        let end = start + rows.len_of(Axis(0));
        evaluation.extend(objective, outputs(model, params, rows).view(), examples, start..end)?;
        start = end;
    }
    Ok(evaluation)
}

/// A metric of what a model says about examples; of numbers, the outputs are the predictions.
///
/// # Errors
/// If the metric is not one of such targets, or the outputs are not finite.
pub fn score<T: Scalar>(
    metric: Metric,
    outputs: ArrayView2<T>,
    examples: &Examples<T>,
) -> Result<f64, TrainError> {
    let mut evaluation = Evaluation::new(examples);
    evaluation.extend(Objective::SquaredError, outputs, examples, 0..examples.rows())?;
    evaluation.metric(metric)
}

/// The whole of the data in the state of `params`, so many rows at a time; of a loss of whole batches, a batch at a time.
#[track_caller]
pub(crate) fn measure<T: Scalar>(
    trainer: &Trainer,
    model: &impl Layer,
    params: &Params<T>,
    parts: [&Examples<T>; 2],
    workspace: &mut Workspace<T>,
    block: usize,
    at: (usize, usize, f64),
) -> Result<Epoch, TrainError> {
    let block = if trainer.objective.of_batch() { trainer.batch_size } else { block };
    let weights = trainer.class_weight.as_deref();
    let mut gradient = trainer.measure_gradient.then(|| params.map(|_| 0.0));
    let (mut loss, mut accuracy, mut watched) = ([0.0; 2], [0.0; 2], f64::NAN);
    for (part, examples) in parts.into_iter().enumerate() {
        let rows: Vec<usize> = (0..examples.rows()).collect();
        let total = match &examples.targets {
            Targets::Classes { labels, .. } => total_weight(labels, weights),
            Targets::Values(values) => values.len() as f64,
        };
        let metric = match (part, trainer.watch) {
            (1, Watch::Metric(metric)) => Some(metric),
            _ => None,
        };
        let mut right = 0;
        let mut said =
            (examples.targets.is_regression() || metric.is_some()).then(|| Ok(Evaluation::new(examples)));
        for rows in rows.chunks(block) {
            let tape = match part {
                0 if gradient.is_some() => workspace.tape(params).evaluating(),
                _ => workspace.no_grad(params),
            };
            let outputs = model.forward(gathered(&tape, examples, rows));
            let range = rows[0]..rows[0] + rows.len();
            outputs.with_value(|values: &[T]| {
                let columns = values.len() / rows.len();
                let outputs =
                    ArrayView2::from_shape((rows.len(), columns), values).expect("as many in every row");
                if let Targets::Classes { labels, .. } = &examples.targets {
                    right += count_right(outputs, &labels[range.clone()]);
                }
                if let Some(Ok(evaluation)) = &mut said
                    && let Err(error) = evaluation.extend(trainer.objective, outputs, examples, range.clone())
                {
                    said = Some(Err(error));
                }
            });
            let (mean, share) = match &examples.targets {
                Targets::Values(values) => {
                    (trainer.objective.loss_of_values(outputs, &values[range]), rows.len() as f64 / total)
                }
                Targets::Classes { labels, .. } => {
                    let labels = &labels[range];
                    let mean = trainer.objective.weighted_loss(outputs, labels, weights);
                    (mean, total_weight(labels, weights) / total)
                }
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
        accuracy[part] = match (&said, examples.targets.is_regression()) {
            (Some(Ok(evaluation)), true) => evaluation.metric(Metric::R2).unwrap_or(f64::NAN), // of one row there is none
            (_, true) => f64::NAN,
            (_, false) => right as f64 / examples.rows() as f64,
        };
        if let (Some(metric), Some(evaluation)) = (metric, said) {
            watched = evaluation?.metric(metric)?;
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
    let (rows, answers) = (examples.rows(), examples.targets.len());
    let misfit = |message: String| Err(TrainError::Misfit(message));
    if rows == 0 || answers != rows {
        let one = if examples.targets.is_regression() { "value" } else { "label" };
        return misfit(format!(
            "{rows} rows and {answers} {one}s: each row needs a {one}, and there must be a row"
        ));
    }
    let tape = workspace.no_grad(params);
    let shape = model.forward(gathered(&tape, examples, &[0])).shape();
    let outputs = match *shape.dims() {
        [1, outputs] => outputs,
        _ => return misfit(format!("the model turns a row into {shape}, not into [1, outputs]")),
    };
    match &examples.targets {
        Targets::Values(_) if outputs != 1 => misfit(format!(
            "the data has a number to predict and the model {outputs} outputs: give its last layer 1"
        )),
        Targets::Values(values) => match values.iter().position(|value| !value.is_finite()) {
            Some(row) => misfit(format!("the value of row {row} is {:?}, not finite", values[row])),
            None => Ok(1),
        },
        Targets::Classes { labels, names } => {
            let classes = names.len();
            if outputs != classes && !(outputs == 1 && classes == 2) {
                let wanted =
                    if classes == 2 { "2 outputs, or 1".to_string() } else { format!("{classes} outputs") };
                return misfit(format!(
                    "the data has {classes} classes and the model {outputs} outputs: give its last layer {wanted}"
                ));
            }
            match labels.iter().position(|&label| label >= classes) {
                Some(row) => misfit(format!(
                    "label {} in row {row} is not one of the {classes} classes 0 to {}",
                    labels[row],
                    classes - 1
                )),
                None => Ok(outputs),
            }
        }
    }
}

/// Some rows' features, copied straight to the tape.
#[track_caller]
pub(crate) fn gathered<'t, T: Scalar>(tape: &'t Tape<'t>, examples: &Examples<T>, rows: &[usize]) -> Var<'t> {
    tape.rows(&examples.features, rows)
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
