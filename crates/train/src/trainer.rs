//! Epochs over shuffled batches.

use surprisal_data::{Batches, accuracy, argmax_rows, gather_rows};
use surprisal_layers::{Layer, rng};
use surprisal_optim::Optimizer;
use surprisal_tensor::ndarray::{ArrayD, Ix2};
use surprisal_tensor::{Params, Scalar, Tape, Var, Workspace};

use crate::{Epoch, Examples, History, Objective, TrainError};

/// How a model is trained. Two runs from equal settings and equal parameters give equal numbers.
#[derive(Clone, Debug)]
pub struct Trainer {
    /// What is minimised.
    pub objective: Objective,
    /// Passes over the training data.
    pub epochs: usize,
    /// Rows in a step; the number of training rows for full-batch descent. The last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// The seed of the shuffling.
    pub seed: u64,
}

impl Trainer {
    /// Trains `params` in place and measures every epoch, the start included; `each` sees them as they come.
    ///
    /// # Errors
    /// If the model's outputs, the data and the batch size do not fit, or if the loss is no longer finite: with the
    /// step, the first value that was not, and what to try.
    ///
    /// # Panics
    /// At the caller's line, if a shape inside the model does not fit, or the loss never reaches a trainable parameter.
    #[track_caller]
    pub fn fit<T: Scalar>(
        &self,
        model: &impl Layer,
        params: &mut Params<T>,
        optimizer: &mut (impl Optimizer<T> + ?Sized),
        train: &Examples<T>,
        test: &Examples<T>,
        mut each: impl FnMut(&Epoch),
    ) -> Result<History, TrainError> {
        let mut batches = Batches::new(train.rows(), self.batch_size)?;
        let mut workspace = Workspace::new();
        for examples in [train, test] {
            check_fit(model, params, &mut workspace, examples)?;
        }
        let columns = train.features.ncols();
        let mut labels = Vec::with_capacity(self.batch_size);
        let mut rng = rng(self.seed);
        let start =
            self.measure(0, 0, model, params, optimizer.learning_rate(), &mut workspace, train, test)?;
        each(&start);
        let mut history = History::new(start);
        for epoch in 1..=self.epochs {
            if self.batch_size < train.rows() {
                batches.shuffle(&mut rng);
            }
            for (step, rows) in batches.iter().enumerate() {
                labels.clear();
                labels.extend(rows.iter().map(|&row| train.labels[row]));
                let tape = workspace.tape(params);
                let x = tape.input_with([rows.len(), columns], |slots| {
                    gather_rows(train.features.view(), rows, slots)
                });
                let loss = self.objective.loss(model.forward(x), &labels);
                finite(&tape, loss, epoch, step + 1, optimizer.learning_rate())?;
                loss.backward();
                optimizer.step(params, workspace.grads());
            }
            let rate = optimizer.learning_rate();
            let measured =
                self.measure(epoch, batches.per_epoch(), model, params, rate, &mut workspace, train, test)?;
            each(&measured);
            history.push(measured);
        }
        Ok(history)
    }

    #[allow(clippy::too_many_arguments)] // one caller, one job: what it measures is all of these
    fn measure<T: Scalar>(
        &self,
        epoch: usize,
        steps: usize,
        model: &impl Layer,
        params: &Params<T>,
        learning_rate: f64,
        workspace: &mut Workspace<T>,
        train: &Examples<T>,
        test: &Examples<T>,
    ) -> Result<Epoch, TrainError> {
        let test_accuracy = {
            let tape = workspace.no_grad(params);
            share_right(&model.forward(tape.input(&test.features)).value(), &test.labels)
        };
        let tape = workspace.tape(params);
        let logits = model.forward(tape.input(&train.features));
        let loss = self.objective.loss(logits, &train.labels);
        finite(&tape, loss, epoch, steps, learning_rate)?;
        loss.backward();
        let (loss, train_accuracy) = (loss.item().value(), share_right(&logits.value(), &train.labels));
        let gradient_norm = workspace.grads().norm();
        Ok(Epoch { epoch, loss, train_accuracy, test_accuracy, gradient_norm })
    }
}

/// An error that names the first value that was not finite, if the loss is not.
fn finite<T: Scalar>(
    tape: &Tape<T>,
    loss: Var<T>,
    epoch: usize,
    step: usize,
    learning_rate: f64,
) -> Result<(), TrainError> {
    if loss.item().is_finite() {
        return Ok(());
    }
    let (loss, culprit) = (loss.item().value(), tape.first_non_finite());
    Err(TrainError::NotFinite { epoch, step, loss, culprit, learning_rate })
}

/// The share of rows whose most probable class is the true one; one logit says class 1 where it is above 0.
fn share_right<T: Scalar>(logits: &ArrayD<T>, labels: &[usize]) -> f64 {
    let logits =
        logits.view().into_dimensionality::<Ix2>().expect("checked by check_fit: logits are [rows, outputs]");
    let predicted = match logits.ncols() {
        1 => logits.iter().map(|&z| usize::from(z > T::ZERO)).collect(),
        _ => argmax_rows(logits),
    };
    accuracy(&predicted, labels).expect("checked by check_fit: there is a label for every row, and a row")
}

/// Runs the model on the first row: do its outputs and the classes fit?
fn check_fit<T: Scalar>(
    model: &impl Layer,
    params: &Params<T>,
    workspace: &mut Workspace<T>,
    examples: &Examples<T>,
) -> Result<(), TrainError> {
    let (rows, columns) = examples.features.dim();
    let misfit = |message: String| Err(TrainError::Misfit(message));
    if rows == 0 || examples.labels.len() != rows {
        return misfit(format!(
            "{rows} rows and {} labels: each row needs a label, and there must be a row",
            examples.labels.len()
        ));
    }
    let tape = workspace.no_grad(params);
    let row = tape.input_with([1, columns], |slots| gather_rows(examples.features.view(), &[0], slots));
    let shape = model.forward(row).shape();
    let classes = examples.classes;
    let outputs = match *shape.dims() {
        [1, outputs] => outputs,
        _ => return misfit(format!("the model turns a row into {shape}, not into [1, outputs]")),
    };
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
        None => Ok(()),
    }
}
