//! The initial loss.

use surprisal_data::Targets;
use surprisal_layers::Layer;
use surprisal_tensor::{Params, Scalar, Workspace};

use super::{Check, features_of, fit, loss_of, targets_of};
use crate::{Batched, Objective, TrainError};

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
    /// That of equal probabilities; of numbers, that of predicting the mean of the targets.
    pub expected: f64,
    /// The loss of predicting the class frequencies for every row: under cross-entropy their entropy. For numbers as `expected`.
    pub constant: f64,
    /// The standard deviation of all outputs.
    pub logit_deviation: f64,
}

/// Compares the loss at the start with that of guessing, equal probabilities for K classes: ln K under cross-entropy, (K-1)/K
/// under squared error (1/4 for one sigmoid output), half of it under half squared error. Where numbers are to be predicted, with
/// the loss of predicting their mean: under squared error the variance of the targets.
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
/// # use surprisal_train::Objective;
/// let iris = Dataset::iris();
/// let mut params = Params::<f64>::default();
/// let model = Linear::with_init(&mut params, "out", 4, 3, Init::Zeros, Init::Zeros, &mut rng(7));
/// let check = check::init_loss(&model, &params, Objective::CrossEntropy, &iris)?;
/// assert!(check.holds, "{check}");
/// assert!((check.measured.loss - 3f64.ln()).abs() < 1e-12); // zeros know nothing: ln K
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the model's outputs, the loss and the data do not fit.
///
/// # Panics
/// At the caller's line, if a shape inside the model does not fit.
#[track_caller]
pub fn init_loss<T: Scalar>(
    model: &impl Layer,
    params: &Params<T>,
    objective: Objective,
    examples: &dyn Batched,
) -> Result<Check<InitLoss>, TrainError> {
    let outputs = fit(model, params, objective, examples)?;
    let mut workspace = Workspace::new();
    let rows: Vec<usize> = (0..examples.rows()).collect();
    let (mut loss, mut answers, regression) = (0.0, Vec::new(), examples.targets().is_regression());
    const AT_ONCE: usize = 1024;
    for rows in rows.chunks(AT_ONCE) {
        let tape = workspace.no_grad(params);
        let z = model.forward(examples.features(&tape, rows));
        let mean = loss_of(objective, z, &targets_of(examples, rows));
        loss += mean.item() * rows.len() as f64 / examples.rows() as f64;
        let answer = |&z: &f64| if regression { objective.prediction(z) } else { z };
        answers.extend(z.value().iter().map(answer));
    }
    let (center, deviation) = mean_and_deviation(&answers);
    let targets = targets_of(examples, &rows);
    let (expected, formula) = guessing(objective, outputs, &targets);
    let (constant, spread) = match &targets {
        Targets::Values(values) => (expected, mean_and_deviation(values)),
        other => {
            let (labels, names) = (other.labels(), other.class_names());
            let frequencies = class_frequencies(outputs, labels, names.len());
            (of_constant(objective, &targets, &frequencies), (f64::NAN, f64::NAN))
        }
    };
    let [low, high] = TIMES.map(|times| times * expected);
    let sure = !regression && deviation > SURE;
    let holds = (low..=high).contains(&loss) && !sure;
    let size = mean_and_deviation(&Vec::from_iter(features_of(examples, &rows))).1;
    let (means, advice) = if holds {
        let means = match regression {
            true => {
                "the first predictions are about as good as the mean of the targets: targets and outputs have the same scale"
            }
            false => "the initial model prefers no class: nothing has to be unlearned first",
        };
        (means.to_string(), None)
    } else if regression && expected == 0.0 {
        (
            format!("every target is {}: there is nothing to learn", targets.values()[0]),
            Some("look at the column to predict"),
        )
    } else if loss < low {
        let better = if regression { "predicting the mean" } else { "guessing" };
        (
            format!(
                "better than {better} can be: the model is already trained, or the features contain the target"
            ),
            Some("check a model that has not been trained; is the target among the features?"),
        )
    } else {
        let mut means = match regression {
            true => format!(
                "the first predictions are far from the targets: outputs are {center:.3} ± {deviation:.3}, targets {:.3} ± {:.3}",
                spread.0, spread.1
            ),
            false => format!(
                "the model is sure before it has seen anything: its logits have a standard deviation of {deviation:.3}\n\
                 (up to 1 is usual)"
            ),
        };
        if let Some((gain, name)) = largest_gain(params) {
            means += &format!(
                "\nthe largest weights: {name}, whose outputs are {gain:.3} times as large as its inputs (0.5 to 1.5 is usual)"
            );
        }
        means += &format!("\nthe features have a standard deviation of {size:.3} (about 1 is usual)");
        let advice = match regression {
            true => {
                "scale the targets to mean 0 and standard deviation 1 and the features too, or use smaller initial weights"
            }
            false => "use smaller initial weights in the last layer, or scale the features",
        };
        (means, Some(advice))
    };
    let n = rows.len();
    let (expects, found) = match regression {
        true => (
            format!(
                "about {expected:.4}, the loss of {formula}\n\
                 ({low:.4} to {high:.4}, a tenth to three times: outputs at the start add to it what they vary)"
            ),
            format!(
                "{loss:.4} over all {n} rows; outputs {center:.3} ± {deviation:.3}, targets {:.3} ± {:.3}",
                spread.0, spread.1
            ),
        ),
        false => (
            format!(
                "about {expected:.4}, the loss of {formula}\n\
                 ({low:.4} to {high:.4}, a tenth to three times: logits of a standard deviation of 1 add up to 36 %, the rest is for luck;\n\
                 and logits of a standard deviation up to {SURE}: more would be odds of 20 to 1 before anything was seen)"
            ),
            format!(
                "{loss:.4} over all {n} rows, logits of a standard deviation of {deviation:.3};\nalways answering the class frequencies gives {constant:.4}"
            ),
        ),
    };
    Ok(Check {
        name: "init-loss",
        holds,
        expected: expects,
        found,
        means,
        advice: advice.map(String::from),
        measured: InitLoss { loss, expected, constant, logit_deviation: deviation },
    })
}

/// The loss of a prediction that ignores the features, and its origin: equal scores for all classes, or the mean of the numbers.
pub(super) fn guessing(objective: Objective, outputs: usize, targets: &Targets) -> (f64, String) {
    if let Targets::Values(values) = targets {
        let (mean, _) = mean_and_deviation(values);
        let output = if objective.is_rate() { mean.max(f64::MIN_POSITIVE).ln() } else { mean };
        return (
            of_constant(objective, targets, &[output]),
            "predicting the mean of the targets for every row".into(),
        );
    }
    let k = outputs.max(2);
    let squared = match outputs {
        1 => "(1/2)²".to_string(),
        _ => format!("{}/{k}", k - 1),
    };
    let formula = match objective.name() {
        "ce" => format!("ln {k}"),
        "mse" => squared,
        "half_mse" => format!("½ {squared}"),
        name => format!("{name} of equal scores"),
    };
    (of_constant(objective, targets, &vec![0.0; outputs]), format!("guessing: {formula}"))
}

/// The loss of the same outputs for every row.
fn of_constant(objective: Objective, targets: &Targets, outputs: &[f64]) -> f64 {
    let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    let tape = workspace.no_grad(&params);
    let all = tape.input_with([targets.len(), outputs.len()], |i| outputs[i % outputs.len()]);
    loss_of(objective, all, targets).item()
}

/// The outputs whose probabilities are the frequencies of the classes: their logarithms, or for one output the log-odds.
fn class_frequencies(outputs: usize, labels: &[usize], classes: usize) -> Vec<f64> {
    // a class that does not occur keeps a probability too small to count, instead of a logit of -inf
    let mut counts = vec![f64::MIN_POSITIVE; classes];
    labels.iter().for_each(|&label| counts[label] += 1.0);
    match outputs {
        1 => vec![counts[1].ln() - counts[0].ln()],
        _ => counts.into_iter().map(f64::ln).collect(),
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
