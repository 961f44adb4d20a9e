//! Predictions and metrics.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use surprisal_data::metrics::{LabeledLogits, Metric};
use surprisal_data::{Targets, argmax_rows};
use surprisal_layers::Layer;
use surprisal_tensor::ndarray::{
    Array2, ArrayD, ArrayView, ArrayView1, ArrayView2, ArrayView3, Axis, CowArray, Ix2, RemoveAxis,
};
use surprisal_tensor::{Params, Scalar, Shape, Workspace, store};

use crate::link::{About, Link};
use crate::objective::total_weight;
use crate::step::{Step, finite};
use crate::{Batch, Batched, Epoch, History, Measured, NameError, Objective, TrainError, Trainer};

/// Rows at once, whose values fit the caches of most machines.
const CHUNK: usize = 1024;
/// Numbers that a block of rows may take on a tape; of a wide model, a block has fewer rows.
const BLOCK: usize = 1 << 24;

/// How many rows are run at once, so that memory is bounded however many rows and outputs there are.
#[track_caller]
pub(crate) fn block_rows<T: Scalar>(model: &impl Layer, params: &Params<T>, data: &dyn Batched) -> usize {
    if data.rows() <= 1 {
        return CHUNK;
    }
    let mut workspace = Workspace::new();
    let tape = workspace.no_grad(params);
    model.forward(data.features(&tape, &[0]));
    rows_of(workspace.bytes() / size_of::<T>())
}

/// The number of rows to run at once.
fn rows_of(numbers: usize) -> usize {
    (BLOCK / numbers.max(1)).clamp(1, CHUNK)
}

/// The monitored metric, measured on the validation data, which decides when to stop and which epoch was the best.
///
/// ```
/// use surprisal_data::metrics::{LabeledLogits, Metric};
/// use surprisal_train::Monitor;
/// assert_eq!("loss".parse(), Ok(Monitor::Loss)); // that of the objective
/// assert_eq!("accuracy".parse(), Ok(Monitor::Metric(Metric::Accuracy)));
/// assert!(Monitor::Metric(Metric::Accuracy).larger_is_better() && !Monitor::Loss.larger_is_better());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Monitor {
    /// The objective itself.
    Loss,
    /// A metric; not minimized, but often the real goal.
    Metric(Metric),
}

impl Monitor {
    /// Whether larger values are better.
    pub fn larger_is_better(self) -> bool {
        match self {
            Monitor::Loss => false,
            Monitor::Metric(metric) => metric.larger_is_better(),
        }
    }
    /// The monitored metric after every epoch, negated where larger is better.
    pub(crate) fn smaller_is_better(self, history: &History) -> Vec<f64> {
        let sign = if self.larger_is_better() { -1.0 } else { 1.0 };
        history.epochs().iter().map(|epoch| sign * epoch.monitored).collect()
    }
}

impl fmt::Display for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Monitor::Loss => f.write_str("loss"),
            Monitor::Metric(metric) => metric.fmt(f),
        }
    }
}
impl FromStr for Monitor {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        match text {
            "loss" => Ok(Monitor::Loss),
            _ => text.parse().map(Monitor::Metric).map_err(NameError::Monitor),
        }
    }
}

/// The outputs of a model for every row, `[rows, outputs]`, some rows at a time and without gradients; features may be numbers of any type.
/// A model that ends with images `[rows, outputs, height, width]` has outputs for every pixel, `[rows height width, outputs]`.
///
/// ```
/// use surprisal_layers::Relu;
/// use surprisal_tensor::{Params, ndarray::array};
/// let x = array![[1.0, 2.0], [3.0, 4.0]];
/// assert_eq!(surprisal_train::outputs(&Relu, &Params::<f64>::default(), x.view()), x);
/// ```
///
/// # Panics
/// At the caller's line, if the features do not fit the model, or its outputs have another shape.
#[track_caller]
pub fn outputs<T: Scalar, E: Scalar, D: RemoveAxis>(
    model: &impl Layer,
    params: &Params<T>,
    features: ArrayView<E, D>,
) -> Array2<T> {
    let rows_in_all = features.len_of(Axis(0));
    let mut workspace = Workspace::new();
    let (mut all, mut columns) = (Vec::new(), 0);
    let block = if rows_in_all <= 1 {
        CHUNK
    } else {
        let mut workspace = Workspace::new();
        let tape = workspace.no_grad(params);
        model.forward(tape.input(&features.slice_axis(Axis(0), (0..1).into())));
        rows_of(workspace.bytes() / size_of::<T>())
    };
    for rows in features.axis_chunks_iter(Axis(0), block) {
        let tape = workspace.no_grad(params);
        let outputs = model.forward(tape.input(&rows));
        let shape = outputs.shape();
        outputs.with_value(|values: &[T]| {
            let Some(outputs) = by_rows(&shape, values) else {
                panic!("{}", no_rows(&shape));
            };
            columns = outputs.ncols();
            all.extend(outputs);
        });
    }
    let rows = all.len().checked_div(columns).unwrap_or(rows_in_all);
    Array2::from_shape_vec((rows, columns), all).expect("every row has as many outputs")
}

/// Outputs `[rows, outputs]` as they are, and of `[rows, outputs, height, width]` a row for each pixel.
pub(crate) fn by_rows<'v, T: Scalar>(shape: &Shape, values: &'v [T]) -> Option<CowArray<'v, T, Ix2>> {
    match *shape.dims() {
        [rows, outputs] => ArrayView2::from_shape((rows, outputs), values).ok().map(CowArray::from),
        [n, 1, h, w] => ArrayView2::from_shape((n * h * w, 1), values).ok().map(CowArray::from),
        [n, outputs, h, w] => {
            let by_image = ArrayView3::from_shape((n, outputs, h * w), values).ok()?;
            let by_pixel = by_image.permuted_axes([0, 2, 1]).as_standard_layout().into_owned();
            by_pixel.into_shape_with_order((n * h * w, outputs)).ok().map(CowArray::from)
        }
        _ => None,
    }
}

/// The probabilities of outputs, `[rows, classes]`: several outputs by a softmax, one by a sigmoid, as those of "no" and "yes".
///
/// ```
/// use surprisal_tensor::ndarray::array;
/// use surprisal_train::probabilities;
/// assert_eq!(probabilities(array![[0.0f32]].view()), array![[0.5, 0.5]]);
/// assert_eq!(probabilities(array![[7.0f32, 7.0]].view()), array![[0.5, 0.5]]);
/// ```
pub fn probabilities<T: Scalar>(outputs: ArrayView2<T>) -> Array2<f64> {
    const ROWS: usize = 1 << 14;
    let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    let mut all = Array2::zeros((outputs.nrows(), outputs.ncols().max(2)));
    for (outputs, mut all) in
        outputs.axis_chunks_iter(Axis(0), ROWS).zip(all.axis_chunks_iter_mut(Axis(0), ROWS))
    {
        let tape = workspace.no_grad(&params);
        let z = tape.input(&outputs.mapv(|z| z.value()));
        if outputs.ncols() > 1 {
            all.assign(&matrix(z.softmax(-1).value()));
        } else {
            all.column_mut(0).assign(&matrix((-z).sigmoid().value()).column(0));
            all.column_mut(1).assign(&matrix(z.sigmoid().value()).column(0));
        }
    }
    all
}

/// The predictions of a model for examples, reduced to what metrics need: some numbers for each row, for any number of classes.
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
    /// Of class labels, those of rows or of pixels.
    Classes(LabeledLogits),
    /// Of numbers.
    Values {
        /// The target of each row.
        targets: Vec<f64>,
        /// The prediction for each row.
        predicted: Vec<f64>,
    },
}

impl Evaluation {
    fn new(targets: &Targets) -> Self {
        match targets {
            Targets::Values(_) => Evaluation::Values { targets: Vec::new(), predicted: Vec::new() },
            Targets::Classes { names, .. } | Targets::Masks { names, .. } => {
                let mut logits = LabeledLogits::new(names.len());
                logits.reserve(match targets {
                    Targets::Masks { masks, .. } => masks.len(),
                    targets => targets.len(),
                });
                Evaluation::Classes(logits)
            }
        }
    }

    /// The outputs of some rows, which come one after the other.
    fn extend<T: Scalar>(
        &mut self,
        objective: Objective,
        outputs: ArrayView2<T>,
        all: &Targets,
        rows: Range<usize>,
    ) -> Result<(), TrainError> {
        let finite = |row: ArrayView1<T>| row.iter().all(|z| objective.prediction(z.value()).is_finite());
        if let Some(row) = outputs.rows().into_iter().position(|row| !finite(row)) {
            return Err(TrainError::Misfit(format!(
                "the net's output for row {} is not finite: did the training diverge?",
                rows.start + row * rows.len() / outputs.nrows()
            )));
        }
        match self {
            Evaluation::Classes(logits) => {
                let outputs = outputs.mapv(|z| z.value());
                match all {
                    Targets::Masks { masks, .. } => {
                        let classes = masks.slice_axis(Axis(0), rows.into());
                        let classes = Vec::from_iter(classes.iter().map(|&class| usize::from(class)));
                        logits.extend(&classes, outputs.view())?;
                    }
                    _ => logits.extend(&all.labels()[rows], outputs.view())?,
                }
            }
            Evaluation::Values { targets, predicted } => {
                targets.extend_from_slice(&all.values()[rows]);
                predicted.extend(outputs.iter().map(|z| objective.prediction(z.value())));
            }
        }
        Ok(())
    }

    /// Of outputs `[rows, outputs]` that were computed before, a row for each pixel of masks.
    ///
    /// # Errors
    /// As [`evaluate`].
    ///
    /// # Panics
    /// If there are not as many outputs as targets.
    #[track_caller]
    pub fn of<T: Scalar>(
        objective: Objective,
        outputs: ArrayView2<T>,
        targets: &Targets,
    ) -> Result<Self, TrainError> {
        let mut evaluation = Evaluation::new(targets);
        let of_row = outputs.nrows() / targets.len().max(1);
        assert!(
            outputs.nrows() == of_row * targets.len(),
            "{} outputs for {} targets",
            outputs.nrows(),
            targets.len()
        );
        for first in (0..targets.len()).step_by(CHUNK) {
            let rows = first..(first + CHUNK).min(targets.len());
            let outputs = outputs.slice_axis(Axis(0), (rows.start * of_row..rows.end * of_row).into());
            evaluation.extend(objective, outputs, targets, rows)?;
        }
        Ok(evaluation)
    }

    /// A metric of all rows.
    ///
    /// # Errors
    /// If the metric does not apply to this task, and where it is not defined: a curve needs rows of both classes, and R² two rows.
    pub fn metric(&self, metric: Metric) -> Result<f64, TrainError> {
        let value = match self {
            Evaluation::Classes(logits) => logits.metric(metric),
            Evaluation::Values { targets, predicted } => metric.of_numbers(targets, predicted),
        };
        value.map_err(TrainError::Data)
    }
}

/// Runs the model on every row, some rows at a time and without gradients; `objective` determines what outputs mean.
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
    examples: &dyn Batched,
) -> Result<Evaluation, TrainError> {
    let targets = examples.targets();
    let mut evaluation = Evaluation::new(targets);
    each_block(model, params, examples, |rows, outputs| {
        evaluation.extend(objective, outputs, targets, rows)
    })?;
    Ok(evaluation)
}

/// The outputs of a model for every row, `[rows, outputs]`, as [`outputs`] returns them.
///
/// ```
/// use surprisal_layers::{Layer, Linear, rng};
/// use surprisal_tensor::Params;
/// use surprisal_train::{outputs, outputs_of};
/// # use surprisal_data::Dataset;
/// let (iris, mut params) = (Dataset::iris(), Params::<f64>::default());
/// let model = Linear::new(&mut params, "out", 4, 3, &mut rng(2));
/// assert_eq!(outputs_of(&model, &params, &iris), outputs(&model, &params, iris.features.view()));
/// ```
///
/// # Panics
/// As [`outputs`] does.
#[track_caller]
pub fn outputs_of<T: Scalar>(model: &impl Layer, params: &Params<T>, data: &dyn Batched) -> Array2<T> {
    let (mut all, mut columns) = (Vec::new(), 0);
    let outcome = each_block(model, params, data, |rows, outputs| {
        columns = outputs.ncols();
        if rows.start == 0 {
            all.reserve_exact(outputs.len() / rows.len() * data.rows());
        }
        all.extend(outputs);
        Ok(())
    });
    outcome.expect("nothing was refused");
    let rows = all.len().checked_div(columns).unwrap_or(data.rows());
    Array2::from_shape_vec((rows, columns), all).expect("every row has as many outputs")
}

/// Runs the model on all rows, some rows at a time and without gradients.
#[track_caller]
fn each_block<T: Scalar>(
    model: &impl Layer,
    params: &Params<T>,
    data: &dyn Batched,
    mut each: impl FnMut(Range<usize>, ArrayView2<T>) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    let (block, mut workspace) = (block_rows(model, params, data), Workspace::new());
    for start in (0..data.rows()).step_by(block) {
        let rows = start..(start + block).min(data.rows());
        let tape = workspace.no_grad(params);
        let outputs = model.forward(data.features(&tape, &Vec::from_iter(rows.clone())));
        let shape = outputs.shape();
        outputs.with_value(|values: &[T]| match by_rows(&shape, values) {
            Some(outputs) => each(rows, outputs.view()),
            None => panic!("{}", no_rows(&shape)),
        })?;
    }
    Ok(())
}

fn no_rows(shape: &Shape) -> String {
    format!("the model's output is {shape}, neither [rows, outputs] nor [rows, outputs, height, width]")
}

/// The outputs of a model as it is after the training, as [`outputs_of`] returns them: for the training and the validation rows, if they are known.
/// See [`Fit::keep_outputs`](crate::Fit::keep_outputs).
pub type KeptOutputs<T> = [Option<Array2<T>>; 2];

/// A metric of the outputs of a model; in regression, the outputs are the predictions.
///
/// # Errors
/// If the metric does not apply to this task, or the outputs are not finite.
pub fn score<T: Scalar>(
    metric: Metric,
    outputs: ArrayView2<T>,
    data: &dyn Batched,
) -> Result<f64, TrainError> {
    let mut evaluation = Evaluation::new(data.targets());
    evaluation.extend(Objective::SquaredError, outputs, data.targets(), 0..data.rows())?;
    evaluation.metric(metric)
}

/// Measures all of the data in the state of `params`, in blocks of rows.
#[track_caller]
pub(crate) fn measure<T: Scalar>(
    trainer: &Trainer,
    minimized: &mut Step,
    params: &Params<T>,
    (train, validation): (&dyn Batched, Option<&dyn Batched>),
    (workspace, kept): (&mut Workspace<T>, Option<&mut KeptOutputs<T>>),
    link: &mut Link<T>,
    at: (usize, usize, f64),
) -> Result<Epoch, TrainError> {
    let [kept_of_train, kept_of_validation] = kept.map_or([None, None], |kept| kept.each_mut().map(Some));
    let metric = |monitored: bool| match trainer.monitor {
        Monitor::Metric(metric) if monitored => Some(metric),
        _ => None,
    };
    let mut gradient = trainer.measure_gradient.then(|| params.map(|_| 0.0));
    let metrics = [metric(validation.is_none()), metric(true)];
    let (of_train, mut monitored) = match trainer.measure_train || trainer.measure_gradient {
        true => {
            let wanted = (metrics[0], gradient.as_mut(), kept_of_train);
            measure_part(minimized, params, train, wanted, workspace, link, (at, true))?
        }
        false => (Measured { loss: f64::NAN, accuracy: None, r2: None }, None),
    };
    let mut of_validation = None;
    if let Some(validation) = validation {
        let (measured, metric) = measure_part(
            minimized,
            params,
            validation,
            (metrics[1], None, kept_of_validation),
            workspace,
            link,
            (at, false),
        )?;
        (of_validation, monitored) = (Some(measured), metric);
    }
    let held_out = of_validation.as_ref().unwrap_or(&of_train);
    Ok(Epoch {
        epoch: at.0,
        train: of_train,
        validation: of_validation,
        gradient_norm: gradient.map(|gradient: Params<f64>| gradient.norm()),
        learning_rate: at.2,
        monitored: monitored.unwrap_or(held_out.loss),
    })
}

/// The measured loss and outputs of a block of rows.
#[derive(Default)]
struct Block<T> {
    loss: f64,
    right: usize,
    noted: bool,
    columns: usize,
    outputs: Vec<T>, // if the metric needs them
}

impl<T: Scalar> Block<T> {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.clear();
        let words = [self.loss.to_bits(), self.right as u64, u64::from(self.noted), self.columns as u64];
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend_from_slice(store::bytes(T::numbers(&self.outputs)));
    }
    fn read(&mut self, bytes: &[u8]) {
        let (words, outputs) = bytes.split_at(32);
        let word = |i: usize| u64::from_le_bytes(words.as_chunks().0[i]);
        (self.loss, self.right) = (f64::from_bits(word(0)), word(1) as usize);
        (self.noted, self.columns) = (word(2) == 1, word(3) as usize);
        self.outputs.resize(outputs.len() / size_of::<T>(), T::ZERO);
        store::bytes_mut(T::numbers_mut(&mut self.outputs)).copy_from_slice(outputs);
    }
}

/// What is wanted beside loss and accuracy: a metric, the gradient, the outputs.
type Wanted<'w, T> = (Option<Metric>, Option<&'w mut Params<f64>>, Option<&'w mut Option<Array2<T>>>);

/// One part of the data, and the metric if one is wanted; adds up the gradient if one is given, and keeps the outputs. Only of the training part, a loss that is not
/// finite is an error. Blocks of rows are measured in turn by the ranks, all of them by every rank if the gradient is wanted.
#[track_caller]
fn measure_part<T: Scalar>(
    minimized: &mut Step,
    params: &Params<T>,
    data: &dyn Batched,
    (metric, mut gradient, kept): Wanted<T>,
    workspace: &mut Workspace<T>,
    link: &mut Link<T>,
    (at, is_train): ((usize, usize, f64), bool),
) -> Result<(Measured, Option<f64>), TrainError> {
    let (all, objective) = (data.targets(), minimized.objective.unwrap_or(Objective::SquaredError));
    let of_numbers = all.is_regression();
    let rows: Vec<usize> = (0..data.rows()).collect();
    let (count, total) = match all {
        Targets::Classes { labels, .. } => (labels.len(), total_weight(labels, minimized.weights)),
        Targets::Values(_) => (data.rows(), data.rows() as f64),
        Targets::Masks { masks, .. } => {
            let weight =
                |weights: &[f64]| masks.iter().map(|&class| weights[usize::from(class)]).sum::<f64>();
            let total = minimized.weights.map_or(masks.len() as f64, weight);
            (masks.len(), if total > 0.0 { total } else { 1.0 })
        }
    };
    let (mut loss, mut right, mut noted) = (0.0, 0, true);
    let wants_evaluation = of_numbers || metric.is_some();
    let mut said = wants_evaluation.then(|| Ok(Evaluation::new(all)));
    let wants_outputs = wants_evaluation || kept.is_some();
    let (mut outputs_to_keep, mut columns) = (Vec::new(), 0);
    let mut memory = Vec::new(); // for the labels of a batch
    let (mut block, mut bytes) = (Block::default(), Vec::new());
    let (rank, size) = if gradient.is_some() { (0, 1) } else { link.place() };
    let blocks = Vec::from_iter(rows.chunks(minimized.block));
    for (round, blocks) in blocks.chunks(size).enumerate() {
        if let Some(rows) = blocks.get(rank) {
            let tape = match gradient {
                Some(_) => workspace.tape(params).evaluating(),
                None => workspace.no_grad(params),
            };
            data.class_indices(rows, &mut memory);
            let batch = Batch::new(data.features(&tape, rows), all, rows, memory);
            let mean = (minimized.loss)(&batch);
            block.loss = mean.item();
            block.noted = batch.noted().is_some();
            if let Some(outputs) = batch.noted() {
                let shape = outputs.shape();
                check_outputs(&shape, rows.len(), all)?;
                outputs.with_value(|values: &[T]| {
                    let outputs = by_rows(&shape, values).expect("the shape was checked");
                    if !of_numbers {
                        block.right = count_right(outputs.view(), batch.labels());
                    }
                    if wants_outputs {
                        block.columns = outputs.ncols();
                        block.outputs.clear();
                        block.outputs.extend(outputs.iter());
                    }
                });
            }
            memory = batch.into_labels();
            if gradient.is_some() {
                mean.backward();
            }
        }
        let mut each = |rank: usize, block: &Block<T>| {
            let Some(rows) = blocks.get(rank) else { return Ok(()) };
            data.class_indices(rows, &mut memory);
            let share = match of_numbers {
                true => rows.len() as f64 / total,
                false => total_weight(&memory, minimized.weights) / total,
            };
            (loss, right, noted) = (loss + share * block.loss, right + block.right, noted && block.noted);
            if kept.is_some() && block.noted {
                if outputs_to_keep.is_empty() {
                    outputs_to_keep.reserve_exact(block.outputs.len() / rows.len() * data.rows());
                }
                outputs_to_keep.extend_from_slice(&block.outputs);
                columns = block.columns;
            }
            if let Some(Ok(evaluation)) = &mut said
                && block.noted
            {
                let lines = block.outputs.len() / block.columns;
                let outputs = ArrayView2::from_shape((lines, block.columns), &block.outputs);
                let outputs = outputs.expect("every row has as many outputs");
                if let Err(error) = evaluation.extend(objective, outputs, all, rows[0]..rows[0] + rows.len())
                {
                    said = Some(Err(error));
                }
            }
            if is_train && !block.loss.is_finite() {
                // every rank looks for the first value that was not finite
                let tape = workspace.no_grad(params);
                finite(&tape, (minimized.loss)(&data.batch(&tape, rows)), at)?;
                let (epoch, step, learning_rate) = at;
                return Err(TrainError::NotFinite {
                    epoch,
                    step,
                    loss: block.loss,
                    culprit: None,
                    learning_rate,
                });
            }
            if let Some(gradient) = &mut gradient {
                let parts = gradient.as_mut_slice().iter_mut().zip(workspace.grads().as_slice());
                parts.for_each(|(sum, g)| *sum += share * g.value());
            }
            Ok(())
        };
        if size == 1 {
            each(0, &block)?;
        } else {
            block.write(&mut bytes);
            let about = About::Rows { epoch: at.0, row: round * size * minimized.block };
            link.gather(about, &bytes, |rank, bytes| {
                block.read(bytes);
                each(rank, &block)
            })?;
        }
    }
    let r2 = match &said {
        Some(Ok(evaluation)) if of_numbers => evaluation.metric(Metric::R2).unwrap_or(f64::NAN), // of one row there is none
        _ => f64::NAN,
    };
    let monitored = match (metric, said) {
        (Some(metric), Some(evaluation)) => Some(evaluation?.metric(metric)?),
        _ => None,
    };
    if let Some(kept) = kept {
        let lines = outputs_to_keep.len().checked_div(columns).unwrap_or(0);
        *kept = Array2::from_shape_vec((lines, columns), outputs_to_keep).ok().filter(|_| noted);
    }
    let accuracy = (noted && !of_numbers).then_some(right as f64 / count as f64);
    Ok((Measured { loss, accuracy, r2: (noted && of_numbers).then_some(r2) }, monitored))
}

/// Runs the model on the first row: do its outputs and the targets fit? Returns how many outputs there are, and how many rows a batch
/// must have in training.
#[track_caller]
pub(crate) fn check_fit<T: Scalar>(
    model: &impl Layer,
    params: &Params<T>,
    data: &dyn Batched,
    workspace: &mut Workspace<T>,
) -> Result<(usize, usize), TrainError> {
    check_rows(data)?;
    let tape = workspace.no_grad(params);
    let shape = model.forward(data.features(&tape, &[0])).shape();
    let outputs = check_outputs(&shape, 1, data.targets())?;
    check_targets(data.targets())?;
    Ok((outputs, tape.least_rows()))
}

/// Are there rows, and does each have a target?
pub(crate) fn check_rows(data: &dyn Batched) -> Result<(), TrainError> {
    let (rows, targets) = (data.rows(), data.targets().len());
    if rows > 0 && targets == rows {
        return Ok(());
    }
    let one = match data.targets() {
        Targets::Values(_) => "value",
        Targets::Classes { .. } => "label",
        Targets::Masks { .. } => "mask",
    };
    Err(TrainError::Misfit(format!(
        "{rows} rows and {targets} {one}s: each row needs a {one}, and there must be a row"
    )))
}

/// Whether outputs of this shape fit this number of rows and these targets; gives the number of outputs of a row.
pub(crate) fn check_outputs(shape: &Shape, rows: usize, targets: &Targets) -> Result<usize, TrainError> {
    let misfit = |message: String| Err(TrainError::Misfit(message));
    let outputs = match (shape.dims(), targets) {
        (&[n, outputs, h, w], Targets::Masks { masks, .. }) if n == rows && masks.shape()[1..] == [h, w] => {
            outputs
        }
        (_, Targets::Masks { masks, .. }) => {
            let (h, w) = (masks.shape()[1], masks.shape()[2]);
            return misfit(format!(
                "the model turns {rows} images into {shape}: expected [{rows}, outputs, {h}, {w}], with outputs for each pixel of the masks \
                 [{rows}, {h}, {w}] | end with a layer that keeps the size of the images"
            ));
        }
        (&[n, outputs], _) if n == rows => outputs,
        _ if rows == 1 => {
            return misfit(format!("the model turns a row into {shape}, not into [1, outputs]"));
        }
        _ => return misfit(format!("the model turns {rows} rows into {shape}, not into [{rows}, outputs]")),
    };
    let classes = targets.classes();
    if targets.is_regression() && outputs != 1 {
        return misfit(format!(
            "the task is regression and the model has {outputs} outputs | give its last layer 1"
        ));
    }
    if !targets.is_regression() && outputs != classes && !(outputs == 1 && classes == 2) {
        let wanted = if classes == 2 { "2 outputs, or 1".to_string() } else { format!("{classes} outputs") };
        return misfit(format!(
            "the data has {classes} classes and the model {outputs} outputs | give its last layer {wanted}"
        ));
    }
    Ok(outputs)
}

/// Are numbers finite, and labels classes?
pub(crate) fn check_targets(targets: &Targets) -> Result<(), TrainError> {
    let wrong = match targets {
        Targets::Values(values) => values
            .iter()
            .position(|value| !value.is_finite())
            .map(|row| format!("the value of row {row} is {:?}, not finite", values[row])),
        Targets::Masks { masks, names } => {
            let wrong = masks.indexed_iter().find(|(_, class)| usize::from(**class) >= names.len());
            wrong.map(|((row, y, x), class)| {
                format!(
                    "class {class} at [{y}, {x}] of row {row} is not one of the {} classes 0 to {}",
                    names.len(),
                    names.len().saturating_sub(1)
                )
            })
        }
        Targets::Classes { labels, names } => {
            let classes = names.len();
            labels.iter().position(|&label| label >= classes).map(|row| {
                format!(
                    "label {} in row {row} is not one of the {classes} classes 0 to {}",
                    labels[row],
                    classes.saturating_sub(1)
                )
            })
        }
    };
    wrong.map_or(Ok(()), |message| Err(TrainError::Misfit(message)))
}

/// How many rows have the true class as their most probable one.
pub(crate) fn count_right<T: Scalar>(outputs: ArrayView2<T>, labels: &[usize]) -> usize {
    said(outputs).iter().zip(labels).filter(|(said, label)| said == label).count()
}

/// The class that each row of outputs says; a single logit says class 1 where it is above 0.
pub(crate) fn said<T: Scalar>(outputs: ArrayView2<T>) -> Vec<usize> {
    match outputs.ncols() {
        1 => outputs.iter().map(|&z| usize::from(z > T::ZERO)).collect(),
        _ => argmax_rows(&outputs),
    }
}

pub(crate) fn matrix<T>(values: ArrayD<T>) -> Array2<T> {
    values.into_dimensionality::<Ix2>().expect("an operation on each number keeps the shape")
}
