//! One row through a net: both passes, the four equations of back-propagation, and the errors under other losses.

use surprisal_data::argmax_rows;
use surprisal_explain::{Explanation, digits, explain};
use surprisal_layers::Layer;
use surprisal_tensor::Workspace;
use surprisal_tensor::ndarray::{Array2, Axis, Slice};
use surprisal_train::{Examples, Objective, Predictions, probabilities};

use crate::Failure;
use crate::model_options::OnData;

/// A net, and the row that goes through it.
pub struct Question<'a> {
    pub net: &'a OnData,
    /// The rows as the net sees them.
    pub examples: &'a Examples<f32>,
    pub row: usize,
}

/// The computation, and the text around the two passes.
pub struct Answer {
    pub explanation: Explanation,
    pub before: String,
    pub after: String,
}

impl Question<'_> {
    pub fn answer(&self, loss: Objective) -> Result<Answer, Failure> {
        let Question { net, examples, row } = *self;
        if row >= examples.rows() {
            return Err(Failure::run(format!(
                "--row {row}: expected a row from 0 to {}",
                examples.rows().saturating_sub(1)
            )));
        }
        if let Predictions::Masks(_) = net.predictions {
            return Err(Failure::usage(
                "explain: does not support nets for segmentation, which have outputs for every pixel | explain a net for classification",
            ));
        }
        let (explanation, outputs) = self.explained(loss);
        let truth_and_answer = match &net.predictions {
            Predictions::Classes(names) | Predictions::Masks(names) => {
                let probabilities = probabilities(outputs.view());
                let best = argmax_rows(&probabilities)[0];
                format!(
                    "row {row} is {}; the net predicts {} with probability {}; the loss is {loss}",
                    names[examples.targets.labels()[row]],
                    names[best],
                    digits(probabilities[[0, best]], 4)
                )
            }
            Predictions::Number { name, offset, scale } => {
                let (truth, output) = (net.raw.values()[row], f64::from(outputs[[0, 0]]));
                let answer = net.prediction(output);
                let [truth_, answer_, error] = [truth, answer, answer - truth].map(|x| digits(x, 6));
                let [offset, scale] = [*offset, *scale].map(|x| digits(x, 6));
                let scaled = match net.is_rate() {
                    true => format!("the target is {name} / {scale}, the output the logarithm of its rate"),
                    false => format!("output and target are ({name} - {offset}) / {scale}"),
                };
                format!(
                    "row {row} has {name} {truth_}; the net predicts {answer_}, off by {error}; the loss is {loss}\n\
                     {scaled}: the output {} is {answer_}, the target {} is {truth_}",
                    digits(output, 6),
                    digits(examples.targets.values()[row], 6)
                )
            }
        };
        let before = format!("{truth_and_answer}\n{}\n", self.features());
        let mut after = String::from("\nthe four equations of back-propagation\n");
        for equation in explanation.equations() {
            after += &format!("  {}, {}\n", equation.layer, equation.what);
            for line in [&equation.formula, &equation.worked, &equation.result] {
                after += &format!("    {line}\n");
            }
        }
        after += &self.under_other_losses();
        Ok(Answer { explanation, before, after })
    }

    /// The features x, column by column, if there are few.
    fn features(&self) -> String {
        const FEW: usize = 12;
        let Question { net, examples, row } = *self;
        if net.raw.columns() > FEW {
            return String::new();
        }
        let scaled = examples.features.index_axis(Axis(0), row);
        let column = |((name, &x), &scaled): ((&String, &f64), &f32)| match f64::from(scaled) == x {
            true => format!("{name} {}", digits(x, 4)),
            false => format!("{name} {}, scaled {}", digits(x, 4), digits(scaled.into(), 4)),
        };
        let raw = net.raw.features.row(row);
        let columns: Vec<String> = net.raw.feature_names.iter().zip(&raw).zip(&scaled).map(column).collect();
        format!("x: {}\n", columns.join("; "))
    }

    /// The explanation, and the net's outputs, `[1, outputs]`.
    fn explained(&self, loss: Objective) -> (Explanation, Array2<f32>) {
        let Question { net, examples, row } = *self;
        let mut workspace = Workspace::new();
        let tape = workspace.tape(&net.params).evaluating();
        let x = examples.features.slice_axis(Axis(0), Slice::from(row..row + 1));
        let outputs = net.model.forward(tape.input(&x).named("x"));
        let (outputs, value) = if examples.targets.is_regression() {
            let outputs = outputs.named("output");
            (outputs, loss.regression_loss(outputs, &examples.targets.values()[row..=row]))
        } else {
            let outputs = outputs.named("logits");
            (outputs, loss.loss(outputs, &examples.targets.labels()[row..=row]))
        };
        value.backward();
        let numbers = outputs.to_array().into_iter().collect::<Vec<f32>>();
        let outputs = Array2::from_shape_vec((1, numbers.len()), numbers).expect("all of one row");
        (explain(value), outputs)
    }

    /// The error of the output under other losses, of the same net at the same row.
    fn under_other_losses(&self) -> String {
        let error = |loss| {
            let (explanation, _) = self.explained(loss);
            let output = explanation.nodes.iter().find(|node| ["logits", "output"].contains(&&*node.name));
            output.and_then(|node| node.gradient.clone()).unwrap_or_default()
        };
        let line = |name: &str, delta: &[f64], why: &str| {
            let shown: Vec<String> = delta.iter().map(|&d| digits(d, 4)).collect();
            format!("  {name:14}  δ = {}   {why}\n", shown.join("  "))
        };
        let mut text =
            String::from("\nthe error δ of the output, at this row and with these weights, under\n");
        if self.examples.targets.is_regression() {
            for (loss, why) in [
                (
                    Objective::SquaredError,
                    "2 (z - t): grows with the distance of the output z from the target t",
                ),
                (Objective::AbsoluteError, "the sign of z - t: the same at every distance"),
                (Objective::Huber, "z - t up to a distance of 1, its sign beyond"),
            ] {
                text += &line(&loss.to_string(), &error(loss), why);
            }
            return text;
        }
        let [entropy, squared] = [Objective::CrossEntropy, Objective::HalfSquaredError].map(error);
        let squashed = if entropy.len() == 1 {
            "the slope of the sigmoid remains"
        } else {
            "the slopes of softmax remain"
        };
        text += &line("cross-entropy", &entropy, "p - y: the slopes cancel");
        text += &line("½ Σ (p - y)²", &squared, squashed);
        text
    }
}
