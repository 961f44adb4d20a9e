//! Overfitting one batch.

use surprisal_data::Targets;
use surprisal_layers::Layer;
use surprisal_optim::{Adam, Optimizer};
use surprisal_tensor::ndarray::Axis;
use surprisal_tensor::{Params, Scalar, Workspace};

use super::init_loss::{guessing, mean_and_deviation};
use super::{Check, features_of, fit, loss_of, targets_of};
use crate::measure::{by_rows, count_right};
use crate::{Batched, Objective, TrainError};

const LEARNING_RATE: f64 = 0.01;
/// The share of the loss at the start that may be left.
const LEFT: f64 = 0.01;
/// How far a number that was learned may be off, as a share of the targets' standard deviation: its square is [`LEFT`].
const OFF: f64 = 0.1;

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
    /// How many rows are right in the end: of numbers, within a tenth of the targets' standard deviation.
    pub right: usize,
    /// The Euclidean length of the gradient at the start.
    pub gradient_norm: f64,
    /// Two rows of the batch with the same features and different targets, if there are such.
    pub contradiction: Option<[usize; 2]>,
}

/// Trains a copy of the parameters on one small batch, by Adam at a rate of 0.01, until less than 1 % of the loss is left (of that at
/// the start or that of guessing, the larger) and every row is right, or `steps` are taken. Where numbers are to be predicted, until
/// every prediction is within a tenth of the targets' standard deviation, which is 1 % of the squared error of predicting the mean.
///
/// The batch has up to `rows` rows, as many of each class as there are, or spread evenly from the smallest number to the largest. Dropout is off, and batch normalization in evaluation:
/// what makes memorizing harder on purpose would be in the way.
///
/// ```
/// use surprisal_train::check;
/// # use surprisal_data::Dataset;
/// # use surprisal_layers::{Activation, Linear, Mlp, rng};
/// # use surprisal_tensor::Params;
/// # use surprisal_train::Objective;
/// let xor = Dataset::xor(4, 0.0, &mut rng(1))?;
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
/// If the model's outputs, the loss and the data do not fit.
///
/// # Panics
/// At the caller's line, if a shape inside the model does not fit, or the loss never reaches a trainable parameter.
#[track_caller]
pub fn overfit_one_batch<T: Scalar>(
    model: &impl Layer,
    params: &Params<T>,
    objective: Objective,
    examples: &dyn Batched,
    rows: usize,
    steps: usize,
) -> Result<Check<Overfit>, TrainError> {
    let mut workspace = Workspace::new();
    let outputs = fit(model, params, objective, examples)?;
    let regression = examples.targets().is_regression();
    // where all targets are equal, any scale will do
    let (rows, tolerance) = match examples.targets() {
        Targets::Classes { labels, .. } => (of_every_class(labels, rows.max(1)), 0.0),
        Targets::Masks { .. } => ((0..rows.clamp(1, examples.rows())).collect(), 0.0),
        Targets::Values(all) => {
            let deviation = Some(mean_and_deviation(all).1).filter(|&deviation| deviation > 0.0);
            (spread(all, rows.max(1)), OFF * deviation.unwrap_or(1.0))
        }
    };
    let targets = targets_of(examples, &rows);
    let is_near = |(z, target): (&f64, &f64)| (z - target).abs() <= tolerance;

    let (guess, _) = guessing(objective, outputs, &targets);
    let (mut params, mut adam) = (params.clone(), Adam::new(LEARNING_RATE));
    let (mut losses, mut gradient_norm) = (Vec::new(), 0.0);
    let (holds, right, goal) = loop {
        let tape = workspace.tape(&params).evaluating();
        let logits = model.forward(examples.features(&tape, &rows));
        let loss = loss_of(objective, logits, &targets);
        let (shape, outputs) = (logits.shape(), Vec::from_iter(logits.value()));
        let outputs = by_rows(&shape, &outputs).expect("the shape was checked");
        let right = match &targets {
            Targets::Values(values) => {
                Vec::from_iter(outputs.iter().map(|z| objective.prediction(z.value())))
                    .iter()
                    .zip(values)
                    .filter(|&pair| is_near(pair))
                    .count()
            }
            other => count_right(outputs.view(), other.labels()),
        };
        loss.backward();
        let loss = loss.item().value();
        losses.push(loss);
        let goal = LEFT * guess.max(losses[0]);
        let learned = (regression || loss < goal) && right == targets.len();
        if losses.len() == 1 {
            gradient_norm = workspace.grads().norm();
        }
        if learned || losses.len() > steps || !loss.is_finite() {
            break (learned, right, goal);
        }
        adam.step(&mut params, workspace.grads());
    };

    let step = losses.len() - 1;
    let (start, loss, of) = (losses[0], losses[step], targets.len());
    let contradiction = contradiction(examples, &rows, 2.0 * tolerance);
    let (means, advice) = if holds {
        ("the loss, the gradient and the optimizer work together: this model can learn".into(), None)
    } else {
        let (means, advice) = if let Some([a, b]) = contradiction {
            let [m, n] = [a, b].map(|row| match examples.targets() {
                Targets::Values(values) => values[row].to_string(),
                Targets::Classes { labels, .. } => labels[row].to_string(),
                Targets::Masks { .. } => format!("of mask {row}"),
            });
            let what = if regression { "targets" } else { "labels" };
            (
                format!(
                    "rows {a} and {b} have the same features and the {what} {m} and {n}: no model can be right on both"
                ),
                "is a column missing that tells them apart, or are targets wrong?",
            )
        } else if !loss.is_finite() {
            (
                format!("the loss became {loss} at step {step}"),
                "scale the features, or use smaller initial weights",
            )
        } else if gradient_norm < 1e-7 * start {
            (
                format!("the initial gradient norm is {gradient_norm:.1e}: no parameter makes a difference"),
                "look for dead or saturated units, and for frozen layers: `units`",
            )
        } else if loss < 0.9 * losses[step / 2] {
            (
                "the loss is still falling: more steps are needed".into(),
                "more steps; smaller or scaled features, other initial weights",
            )
        } else {
            (
                "the loss has stopped falling: the model is too small for these rows, units have died, or these initial weights\n\
                 leads to a plateau (under squared error an output that is sure and wrong learns no more)"
                    .into(),
                "more hidden units or a hidden layer, other initial weights, cross-entropy; look at `gradients` and `units`",
            )
        };
        (means, Some(advice.to_string()))
    };
    let goal = match regression {
        true => format!(
            "every answer within {tolerance:.4} of its target\n\
             (a tenth of the targets' standard deviation), after at most {steps} steps"
        ),
        false => format!(
            "a loss below {goal:.4}\n\
             (1 % of the start, or of guessing if that is larger) and all right, after at most {steps} steps"
        ),
    };
    Ok(Check {
        name: "overfit-one-batch",
        holds,
        expected: format!(
            "a model that can learn can memorize {of} rows: {goal}\nof Adam at a learning rate of {LEARNING_RATE}"
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

/// Rows at even distances in the order of their numbers, up to a given count.
fn spread(values: &[f64], rows: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let chosen = rows.min(order.len());
    (0..chosen).map(|k| order[k * (order.len() - 1) / (chosen - 1).max(1)]).collect()
}

/// Two of these rows whose features are equal and whose targets are not: labels, or numbers further apart than `tolerance`.
fn contradiction(examples: &dyn Batched, rows: &[usize], tolerance: f64) -> Option<[usize; 2]> {
    let features = features_of(examples, rows);
    let same = |i: usize, k: usize| features.index_axis(Axis(0), i) == features.index_axis(Axis(0), k);
    let pairs = (0..rows.len()).flat_map(|i| (i + 1..rows.len()).map(move |k| (i, k)));
    let differ = |[a, b]: [usize; 2]| match examples.targets() {
        Targets::Values(values) => (values[a] - values[b]).abs() > tolerance,
        Targets::Classes { labels, .. } => labels[a] != labels[b],
        Targets::Masks { masks, .. } => masks.index_axis(Axis(0), a) != masks.index_axis(Axis(0), b),
    };
    let mut pairs = pairs.filter(|&(i, k)| differ([rows[i], rows[k]]) && same(i, k));
    pairs.next().map(|(i, k)| [rows[i], rows[k]])
}
