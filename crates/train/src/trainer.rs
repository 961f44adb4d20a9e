//! Epochs over shuffled batches.

use rand::Rng as _;
use surprisal_data::{Batches, argmax_rows, gather_rows};
use surprisal_layers::{Layer, Rng, rng};
use surprisal_optim::Optimizer;
use surprisal_tensor::ndarray::{ArrayD, ArrayView2, Ix2};
use surprisal_tensor::{Params, Scalar, Tape, Var, Workspace};

use crate::{Epoch, Examples, History, Objective, TrainError};

/// How a model is trained. Two runs from equal settings and equal parameters give equal numbers.
///
/// See the example of [`fit`](Self::fit).
#[derive(Clone, Debug)]
pub struct Trainer {
    /// What is minimised.
    pub objective: Objective,
    /// Passes over the training data.
    pub epochs: usize,
    /// Rows in a step; the number of training rows for full-batch descent. The last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// The seed of the shuffling, and of what layers draw.
    pub seed: u64,
    /// Whether the gradient over all training rows is measured too, after every epoch: about half as much work again.
    pub measure_gradient: bool,
}

impl Trainer {
    /// Trains `params` in place and measures every epoch, the start included; `each` sees them as they come.
    ///
    /// ```
    /// use surprisal_data::Dataset;
    /// use surprisal_layers::{Linear, rng};
    /// use surprisal_optim::Sgd;
    /// use surprisal_tensor::Params;
    /// use surprisal_train::{Examples, Objective, Trainer};
    ///
    /// let blobs = Examples::<f32>::new(&Dataset::blobs(60, 0.5, 2, 2, 5.0, &mut rng(1))?);
    /// let mut params = Params::new();
    /// let model = Linear::new(&mut params, "out", 2, 1, &mut rng(2));
    /// let trainer =
    ///     Trainer { objective: Objective::CrossEntropy, epochs: 5, batch_size: 20, seed: 3, measure_gradient: true };
    /// let history = trainer.fit(&model, &mut params, &mut Sgd::new(0.1), &blobs, &blobs, |epoch| {
    ///     println!("{}: {}", epoch.epoch, epoch.loss);
    /// })?;
    /// assert_eq!(history.epochs().len(), 6); // the start, and five more
    /// assert!(history.last().loss < history.epochs()[0].loss);
    /// assert!(history.to_csv().starts_with("epoch,loss,train_accuracy,test_accuracy,gradient_norm\n0,"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
        let mut run =
            Run { trainer: self, model, train, test, workspace: Workspace::new(), labels: Vec::new() };
        for examples in [train, test] {
            check_fit(model, params, examples, &mut run.workspace)?;
        }
        let (mut order, mut seeds) = (rng(self.seed), rng(!self.seed));
        let mut at = At { epoch: 0, step: 0, learning_rate: optimizer.learning_rate() };
        let start = run.measure(params, at)?;
        each(&start);
        let mut history = History::new(start);
        for epoch in 1..=self.epochs {
            if self.batch_size < train.rows() {
                batches.shuffle(&mut order);
            }
            for (step, rows) in batches.iter().enumerate() {
                at = At { epoch, step: step + 1, learning_rate: optimizer.learning_rate() };
                run.step(params, optimizer, rows, &mut seeds, at)?;
            }
            let measured = run.measure(params, at)?;
            each(&measured);
            history.push(measured);
        }
        Ok(history)
    }
}

/// Where in the training something happened.
#[derive(Clone, Copy)]
struct At {
    epoch: usize,
    step: usize,
    learning_rate: f64,
}

/// One training, with the memory it works in.
struct Run<'a, T: Scalar, M> {
    trainer: &'a Trainer,
    model: &'a M,
    train: &'a Examples<T>,
    test: &'a Examples<T>,
    workspace: Workspace<T>,
    labels: Vec<usize>, // of the batch
}

impl<T: Scalar, M: Layer> Run<'_, T, M> {
    #[track_caller]
    fn step(
        &mut self,
        params: &mut Params<T>,
        optimizer: &mut (impl Optimizer<T> + ?Sized),
        rows: &[usize],
        seeds: &mut Rng,
        at: At,
    ) -> Result<(), TrainError> {
        self.labels.clear();
        self.labels.extend(rows.iter().map(|&row| self.train.labels[row]));
        let tape = self.workspace.tape(params).seeded(seeds.next_u64());
        let loss =
            self.trainer.objective.loss(self.model.forward(gathered(&tape, self.train, rows)), &self.labels);
        finite(&tape, loss, at)?;
        loss.backward();
        optimizer.step(params, self.workspace.grads());
        Ok(())
    }

    /// The whole of the data in the state of `params`, some rows at a time.
    #[track_caller]
    fn measure(&mut self, params: &Params<T>, at: At) -> Result<Epoch, TrainError> {
        const CHUNK: usize = 1024; // rows whose values fit the caches of most machines
        let mut gradient = self.trainer.measure_gradient.then(|| params.map(|_| 0.0));
        let (mut loss, mut right) = (0.0, [0; 2]);
        for (part, examples) in [self.train, self.test].into_iter().enumerate() {
            let rows: Vec<usize> = (0..examples.rows()).collect();
            for rows in rows.chunks(CHUNK) {
                let labels = &examples.labels[rows[0]..][..rows.len()];
                let share = rows.len() as f64 / examples.rows() as f64;
                let tape = match part {
                    0 if gradient.is_some() => self.workspace.tape(params).evaluating(),
                    _ => self.workspace.no_grad(params),
                };
                let logits = self.model.forward(gathered(&tape, examples, rows));
                right[part] += count_right(&logits.value(), labels);
                if part > 0 {
                    continue;
                }
                let mean = self.trainer.objective.loss(logits, labels);
                finite(&tape, mean, at)?;
                loss += share * mean.item().value();
                if let Some(gradient) = &mut gradient {
                    mean.backward();
                    let parts = gradient.as_mut_slice().iter_mut().zip(self.workspace.grads().as_slice());
                    parts.for_each(|(sum, g)| *sum += share * g.value());
                }
            }
        }
        let train_accuracy = right[0] as f64 / self.train.rows() as f64;
        let test_accuracy = right[1] as f64 / self.test.rows() as f64;
        let gradient_norm = gradient.map(|gradient: Params<f64>| gradient.norm());
        Ok(Epoch { epoch: at.epoch, loss, train_accuracy, test_accuracy, gradient_norm })
    }
}

/// Runs the model on the first row: do its outputs and the classes fit? Gives how many outputs there are.
#[track_caller]
pub(crate) fn check_fit<T: Scalar>(
    model: &impl Layer,
    params: &Params<T>,
    examples: &Examples<T>,
    workspace: &mut Workspace<T>,
) -> Result<usize, TrainError> {
    let (rows, classes) = (examples.features.nrows(), examples.classes);
    let misfit = |message: String| Err(TrainError::Misfit(message));
    if rows == 0 || examples.labels.len() != rows {
        let labels = examples.labels.len();
        return misfit(format!(
            "{rows} rows and {labels} labels: each row needs a label, and there must be a row"
        ));
    }
    let tape = workspace.no_grad(params);
    let shape = model.forward(gathered(&tape, examples, &[0])).shape();
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

/// An error that names the first value that was not finite, if the loss is not.
fn finite<T: Scalar>(tape: &Tape<T>, loss: Var<T>, at: At) -> Result<(), TrainError> {
    if loss.item().is_finite() {
        return Ok(());
    }
    let (loss, culprit) = (loss.item().value(), tape.first_non_finite());
    let At { epoch, step, learning_rate } = at;
    Err(TrainError::NotFinite { epoch, step, loss, culprit, learning_rate })
}

/// How many rows have the true class as their most probable one; a single logit says class 1 where it is above 0.
pub(crate) fn count_right<T: Scalar>(logits: &ArrayD<T>, labels: &[usize]) -> usize {
    let logits =
        logits.view().into_dimensionality::<Ix2>().expect("checked by check_fit: logits are [rows, outputs]");
    said(logits).iter().zip(labels).filter(|(said, label)| said == label).count()
}

/// The class that each row of logits says.
pub(crate) fn said<T: Scalar>(logits: ArrayView2<T>) -> Vec<usize> {
    match logits.ncols() {
        1 => logits.iter().map(|&z| usize::from(z > T::ZERO)).collect(),
        _ => argmax_rows(logits),
    }
}
