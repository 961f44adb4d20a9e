//! What does the model believe before it has learned anything?

use surprisal_layers::Layer;
use surprisal_tensor::{Params, Scalar, Workspace};

use super::Check;
use crate::measure::{check_labels, gathered};
use crate::{Examples, Objective, TrainError};

/// How many times the loss of guessing it may be, at least and at most.
const TIMES: [f64; 2] = [0.1, 3.0];
/// The largest standard deviation that logits may have: odds of e³, 20 to 1, before anything was seen.
const SURE: f64 = 3.0;

/// What [`init_loss`] measured.
///
/// See the example of [`init_loss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InitLoss {
    /// The mean loss over all rows.
    pub loss: f64,
    /// That of equal probabilities.
    pub expected: f64,
    /// That of answering every row with the class frequencies, the best constant answer: under cross-entropy their entropy.
    pub constant: f64,
    /// The standard deviation of all logits.
    pub logit_deviation: f64,
}

/// Compares the loss at the start with that of guessing, equal probabilities for K classes: ln K under cross-entropy, (K-1)/K
/// under squared error (1/4 for one sigmoid output), half of it under half squared error.
///
/// It may be from a tenth to three times of it: logits of standard deviation σ add about (1 - 1/K) σ²/2 to a cross-entropy
/// (σ²/8 for one logit), which for a σ of 1 is at most 36 % of ln K; the rest is for luck, as classes that are easy to tell
/// apart may lie on the right or on the wrong side of a random line. A squared error is bounded, so that a start that is sure of
/// itself may escape this: the standard deviation of the logits may be 3 at most.
///
/// ```
/// use surprisal_train::check;
/// # use surprisal_data::Dataset;
/// # use surprisal_layers::{Init, Linear, rng};
/// # use surprisal_tensor::Params;
/// # use surprisal_train::{Examples, Objective};
/// let iris = Examples::<f64>::new(&Dataset::iris());
/// let mut params = Params::new();
/// let model = Linear::with_init(&mut params, "out", 4, 3, Init::Zeros, Init::Zeros, &mut rng(7));
/// let check = check::init_loss(&model, &params, Objective::CrossEntropy, &iris)?;
/// assert!(check.holds, "{check}");
/// assert!((check.measured.loss - 3f64.ln()).abs() < 1e-12); // zeros know nothing: ln K
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the model's outputs and the data do not fit.
///
/// # Panics
/// At the caller's line, if a shape inside the model does not fit.
#[track_caller]
pub fn init_loss<T: Scalar>(
    model: &impl Layer,
    params: &Params<T>,
    objective: Objective,
    examples: &Examples<T>,
) -> Result<Check<InitLoss>, TrainError> {
    let mut workspace = Workspace::new();
    let outputs = check_labels(model, params, examples, &mut workspace)?;
    let rows: Vec<usize> = (0..examples.rows()).collect();
    let (mut loss, mut logits) = (0.0, Vec::new());
    const AT_ONCE: usize = 1024;
    for rows in rows.chunks(AT_ONCE) {
        let tape = workspace.no_grad(params);
        let z = model.forward(gathered(&tape, examples, rows));
        let mean = objective.loss(z, &examples.labels[rows[0]..][..rows.len()]);
        loss += mean.item().value() * rows.len() as f64 / examples.rows() as f64;
        z.with_value(|z| logits.extend(z.iter().map(|z| z.value())));
    }
    let (_, logit_deviation) = mean_and_deviation(&logits);

    let (expected, formula) = guessing(objective, outputs);
    let constant = best_constant(objective, outputs, &examples.labels, examples.classes);
    let [low, high] = TIMES.map(|times| times * expected);
    let holds = (low..=high).contains(&loss) && logit_deviation <= SURE;
    let (means, advice) = if holds {
        ("at the start the model has no opinion yet: nothing has to be unlearned first".into(), None)
    } else if loss < low {
        let means = "better than guessing can be: the model is not at its start, or it has seen the answers";
        (
            means.into(),
            Some("check a model that has not been trained; is the label among the features?".into()),
        )
    } else {
        let mut means = format!(
            "the model is sure before it has seen anything: its logits have a standard deviation of {logit_deviation:.3}\n\
             (up to 1 is usual)"
        );
        if let Some((gain, name)) = largest_gain(params) {
            means += &format!(
                "\nthe largest weights: {name}, whose outputs are {gain:.3} times as large as its inputs (0.5 to 1.5 is usual)"
            );
        }
        let (_, size) = mean_and_deviation(&Vec::from_iter(examples.features.iter().map(|x| x.value())));
        means += &format!("\nthe features have a standard deviation of {size:.3} (about 1 is usual)");
        (means, Some("start with smaller weights in the last layer, or scale the features".into()))
    };
    Ok(Check {
        name: "init-loss",
        holds,
        expected: format!(
            "about {expected:.4}, the loss of guessing: {formula}\n\
             ({low:.4} to {high:.4}, a tenth to three times: logits of a standard deviation of 1 add up to 36 %, the rest is for luck;\n\
             and logits of a standard deviation up to {SURE}: more would be odds of 20 to 1 before anything was seen)"
        ),
        found: format!(
            "{loss:.4} over all {} rows, logits of a standard deviation of {logit_deviation:.3};\nalways answering the class frequencies gives {constant:.4}",
            rows.len()
        ),
        means,
        advice,
        measured: InitLoss { loss, expected, constant, logit_deviation },
    })
}

/// The loss of equal probabilities, and its formula.
pub(super) fn guessing(objective: Objective, outputs: usize) -> (f64, String) {
    let k = outputs.max(2);
    let (squared, formula) = match outputs {
        1 => (0.25, "(1/2)²".to_string()),
        _ => ((k - 1) as f64 / k as f64, format!("{}/{k}", k - 1)),
    };
    match objective {
        Objective::CrossEntropy => ((k as f64).ln(), format!("ln {k}")),
        Objective::SquaredError => (squared, formula),
        Objective::HalfSquaredError => (squared / 2.0, format!("½ {formula}")),
        Objective::AbsoluteError | Objective::Huber => unreachable!("{objective} judges no labels"),
    }
}

/// The least loss of an answer that does not look at the features.
fn best_constant(objective: Objective, outputs: usize, labels: &[usize], classes: usize) -> f64 {
    let mut frequencies = vec![0.0; classes];
    labels.iter().for_each(|&label| frequencies[label] += 1.0 / labels.len() as f64);
    let surprise = |&p: &f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    let squared =
        frequencies.iter().map(|p| p * (1.0 - p)).sum::<f64>() / if outputs == 1 { 2.0 } else { 1.0 };
    match objective {
        Objective::CrossEntropy => frequencies.iter().map(surprise).sum(),
        Objective::SquaredError => squared,
        Objective::HalfSquaredError => squared / 2.0,
        Objective::AbsoluteError | Objective::Huber => unreachable!("{objective} judges no labels"),
    }
}

/// The weight matrix that makes its inputs grow most, by √inputs times the root mean square of its numbers.
fn largest_gain<T: Scalar>(params: &Params<T>) -> Option<(f64, &str)> {
    let gains = params.entries().iter().filter_map(|entry| {
        let &[_, outputs] = entry.shape.dims() else { return None };
        let squares: f64 = params.as_slice()[entry.range.clone()].iter().map(|w| w.value() * w.value()).sum();
        Some(((squares / outputs as f64).sqrt(), entry.name.as_str()))
    });
    gains.max_by(|a, b| a.0.total_cmp(&b.0))
}

/// Of numbers, in two passes.
pub(super) fn mean_and_deviation(numbers: &[f64]) -> (f64, f64) {
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    (mean, (numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt())
}
