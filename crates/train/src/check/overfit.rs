//! Can the model learn at all?

use surprisal_layers::Layer;
use surprisal_optim::{Adam, Optimizer};
use surprisal_tensor::{Params, Scalar, Workspace};

use super::Check;
use super::init_loss::guessing;
use crate::measure::{check_labels, count_right, gathered, matrix};
use crate::{Examples, Objective, TrainError};

const LEARNING_RATE: f64 = 0.01;
/// The share of the loss at the start that may be left.
const LEFT: f64 = 0.01;

/// What [`overfit_one_batch`] measured.
///
/// See the example of [`overfit_one_batch`].
#[derive(Clone, Debug, PartialEq)]
pub struct Overfit {
    /// The rows of the batch.
    pub rows: Vec<usize>,
    /// How many steps were taken.
    pub steps: usize,
    /// The loss before the first ..
    pub start: f64,
    /// .. and after the last.
    pub loss: f64,
    /// How many rows are right in the end.
    pub right: usize,
    /// The Euclidean length of the gradient at the start.
    pub gradient_norm: f64,
    /// Two rows of the batch with the same features and different labels, if there are such.
    pub contradiction: Option<[usize; 2]>,
}

/// Trains a copy of the parameters on one small batch, by Adam at a rate of 0.01, until less than 1 % of the loss is left (of that at
/// the start or that of guessing, the larger) and every row is right, or `steps` are taken.
///
/// The batch has up to `rows` rows, as many of each class as there are. Dropout is off, and batch normalisation in evaluation:
/// what makes learning by heart harder on purpose would be in the way.
///
/// ```
/// use surprisal_train::check;
/// # use surprisal_data::Dataset;
/// # use surprisal_layers::{Activation, Linear, Mlp, rng};
/// # use surprisal_tensor::Params;
/// # use surprisal_train::{Examples, Objective};
/// let xor = Examples::<f64>::new(&Dataset::xor(4, 0.0, &mut rng(1))?);
/// # let mut params = Params::new();
/// let net = Mlp::new(&mut params, &"2-8-2".parse()?, Activation::Tanh, &mut rng(7));
/// let check = check::overfit_one_batch(&net, &params, Objective::CrossEntropy, &xor, 4, check::STEPS)?;
/// assert!(check.holds && check.measured.right == 4, "{check}");
///
/// # let mut params = Params::new();
/// let line = Linear::new(&mut params, "out", 2, 2, &mut rng(7)); // no line separates xor
/// let check = check::overfit_one_batch(&line, &params, Objective::CrossEntropy, &xor, 4, check::STEPS)?;
/// assert!(!check.holds && check.measured.right < 4, "{check}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the model's outputs and the data do not fit.
///
/// # Panics
/// At the caller's line, if a shape inside the model does not fit, or the loss never reaches a trainable parameter.
#[track_caller]
pub fn overfit_one_batch<T: Scalar>(
    model: &impl Layer,
    params: &Params<T>,
    objective: Objective,
    examples: &Examples<T>,
    rows: usize,
    steps: usize,
) -> Result<Check<Overfit>, TrainError> {
    let mut workspace = Workspace::new();
    let outputs = check_labels(model, params, examples, &mut workspace)?;
    let rows = of_every_class(&examples.labels, rows.max(1));
    let labels: Vec<usize> = rows.iter().map(|&row| examples.labels[row]).collect();

    let (guess, _) = guessing(objective, outputs);
    let (mut params, mut adam) = (params.clone(), Adam::new(LEARNING_RATE));
    let (mut losses, mut gradient_norm) = (Vec::new(), 0.0);
    let (holds, right, goal) = loop {
        let tape = workspace.tape(&params).evaluating();
        let logits = model.forward(gathered(&tape, examples, &rows));
        let loss = objective.loss(logits, &labels);
        let right = count_right(matrix(logits.value()).view(), &labels);
        loss.backward();
        let loss = loss.item().value();
        losses.push(loss);
        let goal = LEFT * guess.max(losses[0]);
        let learned = loss < goal && right == rows.len();
        if losses.len() == 1 {
            gradient_norm = workspace.grads().norm();
        }
        if learned || losses.len() > steps || !loss.is_finite() {
            break (learned, right, goal);
        }
        adam.step(&mut params, workspace.grads());
    };

    let step = losses.len() - 1;
    let (start, loss, of) = (losses[0], losses[step], rows.len());
    let contradiction = contradiction(examples, &rows);
    let (means, advice) = if holds {
        ("the loss, the gradient and the optimizer work together: this model can learn".into(), None)
    } else {
        let (means, advice) = if let Some([a, b]) = contradiction {
            let [m, n] = [a, b].map(|row| examples.labels[row]);
            (
                format!(
                    "rows {a} and {b} have the same features and the labels {m} and {n}: no model can be right on both"
                ),
                "is a column missing that tells them apart, or are labels wrong?",
            )
        } else if !loss.is_finite() {
            (
                format!("the loss became {loss} at step {step}"),
                "scale the features, or start with smaller weights",
            )
        } else if gradient_norm < 1e-7 * start {
            (
                format!(
                    "the gradient at the start is {gradient_norm:.1e} long: no parameter makes a difference"
                ),
                "look for dead or saturated units, and for frozen layers: `units`",
            )
        } else if loss < 0.9 * losses[step / 2] {
            (
                "the loss still falls: the way is long, not closed".into(),
                "more steps; smaller or scaled features, another start",
            )
        } else {
            (
                "the loss has stopped falling: the model is too small for these rows, units have died on the way, or this start\n\
                 leads to a plateau (under squared error an output that is sure and wrong learns no more)"
                    .into(),
                "more hidden units or a hidden layer, another start, cross-entropy; look at `gradients` and `units`",
            )
        };
        (means, Some(advice.to_string()))
    };
    Ok(Check {
        name: "overfit-one-batch",
        holds,
        expected: format!(
            "a model that can learn can learn {of} rows by heart: a loss below {goal:.4}\n\
             (1 % of the start, or of guessing if that is larger) and all right, after at most {steps} steps\n\
             of Adam at a rate of {LEARNING_RATE}"
        ),
        found: format!(
            "a loss of {start:.4} at the start, {loss:.4} after {step} steps; {right} of {of} rows right"
        ),
        means,
        advice,
        measured: Overfit { rows, steps: step, start, loss, right, gradient_norm, contradiction },
    })
}

/// The first row of each class in turn, then the second of each, up to so many.
fn of_every_class(labels: &[usize], rows: usize) -> Vec<usize> {
    let mut seen = vec![0; labels.iter().max().map_or(0, |most| most + 1)];
    let mut turns: Vec<(usize, usize)> = Vec::new();
    for (row, &label) in labels.iter().enumerate() {
        turns.push((seen[label], row));
        seen[label] += 1;
    }
    turns.sort_unstable();
    turns.into_iter().take(rows).map(|(_, row)| row).collect()
}

/// Two of these rows whose features are equal and whose labels are not.
fn contradiction<T: Scalar>(examples: &Examples<T>, rows: &[usize]) -> Option<[usize; 2]> {
    let pairs = rows.iter().enumerate().flat_map(|(i, &a)| rows[i + 1..].iter().map(move |&b| [a, b]));
    let mut pairs = pairs.filter(|&[a, b]| examples.labels[a] != examples.labels[b]);
    pairs.find(|&[a, b]| examples.features.row(a) == examples.features.row(b))
}
