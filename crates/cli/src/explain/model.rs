//! One row through a net: both passes, the four equations of back-propagation, and what squared error would have sent.

use surprisal_data::Dataset;
use surprisal_explain::{Explanation, digits, explain};
use surprisal_layers::{Layer, Mlp};
use surprisal_tensor::ndarray::{ArrayView2, Axis};
use surprisal_tensor::{Params, Workspace};
use surprisal_train::{Examples, Objective};

use crate::Failure;

/// A net, and the row that goes through it.
pub struct Question<'a> {
    pub model: &'a Mlp,
    pub params: &'a Params<f32>,
    /// As the net sees them ..
    pub examples: &'a Examples<f32>,
    /// .. and as they stand in the data.
    pub data: &'a Dataset,
    pub row: usize,
}

/// What was computed, and what is said of it beside the two passes.
pub struct Answer {
    pub explanation: Explanation,
    pub before: String,
    pub after: String,
}

impl Question<'_> {
    pub fn answer(&self, loss: Objective) -> Result<Answer, Failure> {
        let Question { examples, data, row, .. } = self;
        let class_names = &data.class_names;
        let Some(&label) = examples.labels.get(*row) else {
            return Err(Failure::run(format!(
                "--row {row}: the data have the rows 0 to {}",
                examples.rows().saturating_sub(1)
            )));
        };
        let (explanation, probabilities) = self.explained(loss, label);
        let best = (0..probabilities.len())
            .fold(0, |best, k| if probabilities[k] > probabilities[best] { k } else { best });
        let before = format!(
            "row {row} is {}; the net says {} with probability {}; the loss is {loss}\n{}\n",
            class_names[label],
            class_names[best],
            digits(probabilities[best], 4),
            self.features()
        );
        let mut after = String::from("\nthe four equations of back-propagation\n");
        for equation in explanation.equations() {
            after += &format!("  {}, {}\n", equation.layer, equation.what);
            for line in [&equation.formula, &equation.worked, &equation.result] {
                after += &format!("    {line}\n");
            }
        }
        after += &self.beside(label);
        Ok(Answer { explanation, before, after })
    }

    /// What x is, column by column, where the columns are few.
    fn features(&self) -> String {
        const FEW: usize = 12;
        let Question { examples, data, row, .. } = self;
        if data.columns() > FEW {
            return String::new();
        }
        let scaled = examples.features.row(*row);
        let column = |((name, &x), &scaled): ((&String, &f64), &f32)| match f64::from(scaled) == x {
            true => format!("{name} {}", digits(x, 4)),
            false => format!("{name} {}, scaled {}", digits(x, 4), digits(scaled.into(), 4)),
        };
        let raw = data.features.row(*row);
        let columns: Vec<String> = data.feature_names.iter().zip(&raw).zip(&scaled).map(column).collect();
        format!("x: {}\n", columns.join("; "))
    }

    /// The explanation, and the probability of every class.
    fn explained(&self, loss: Objective, label: usize) -> (Explanation, Vec<f64>) {
        let mut workspace = Workspace::new();
        let tape = workspace.tape(self.params).evaluating();
        let x: ArrayView2<f32> = self.examples.features.slice_axis(Axis(0), (self.row..self.row + 1).into());
        let logits = self.model.forward(tape.input(&x).named("x")).named("logits");
        let value = loss.loss(logits, &[label]);
        value.backward();
        let explanation = explain(value);
        let of = |p: f32| f64::from(p);
        let probabilities = match logits.shape().dims() {
            [_, 1] => {
                let yes = of(logits.sigmoid().item());
                vec![1.0 - yes, yes]
            }
            _ => logits.softmax(-1).value().iter().map(|&p| of(p)).collect(),
        };
        (explanation, probabilities)
    }

    /// The error of the output under cross-entropy and under squared error, of the same net at the same row.
    fn beside(&self, label: usize) -> String {
        let [entropy, squared] = [Objective::CrossEntropy, Objective::HalfSquaredError].map(|other| {
            let (explanation, _) = self.explained(other, label);
            let logits = explanation.nodes.iter().find(|node| node.name == "logits");
            logits.and_then(|node| node.gradient.clone()).unwrap_or_default()
        });
        let line = |name: &str, delta: &[f64], why: &str| {
            let shown: Vec<String> = delta.iter().map(|&d| digits(d, 4)).collect();
            format!("  {name:14}  δ = {}   {why}\n", shown.join("  "))
        };
        let squashed =
            if entropy.len() == 1 { "the slope of the sigmoid stays" } else { "the slopes of softmax stay" };
        let mut text =
            String::from("\nthe error δ of the output, at this row and with these weights, under\n");
        text += &line("cross-entropy", &entropy, "p - y: the slopes have cancelled");
        text += &line("½ Σ (p - y)²", &squared, squashed);
        text
    }
}
