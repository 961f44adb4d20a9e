//! Negative log-likelihood of a class.
//!
//! A row of log-probabilities says class c with probability `p_c = e^q_c`. The surprise at the class y that it was stands there
//! already, with the other sign:
//!
#![doc = surprisal_formula_macro::math!("l = -q_y")]
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("dl/dq_j = -[j = y]")]
//!
//! the same wherever q is: more of the true class, and nothing about the others. That
//! probabilities sum to 1 is not known here; the derivative of log_softmax knows it, `dz_j = dq_j - p_j Σ_c dq_c`, and makes
//! `p_j - [j = y]` of this.
//!
//! # When
//!
//! [`softmax_cross_entropy`](crate::softmax_cross_entropy()) of logits is this of their log_softmax, in one node instead of two. Take this
//! one where log-probabilities come from elsewhere: mixtures, ensembles, sequences, counts.
//!
//! Nothing checks that they *are* log-probabilities; any numbers are taken. Given logits, the loss has no lower bound, and training
//! runs away without a warning; given probabilities, it ends at -1. A loss below 0 is the sign of both. Only q_y is read: NaN in the
//! place of another class is not seen.
//!
//! # Source
//!
//! Fisher 1922, "On the mathematical foundations of theoretical statistics"; PyTorch's `nll_loss`, whose conventions for
//! weights and means these are.

use surprisal_tensor::sum::sum_by;
use surprisal_tensor::{Backward, Card, Forward, Op, Scalar, Shape, ShapeError, Shapes, Var};

use crate::kinds::data::{apply_weighted, check_log_probs};
use crate::kinds::labels::{
    LabelList, Labeled, by_labels, by_rows, class, counted, rows_and_classes, total_weight,
};
use crate::kinds::yes_or_no::nothing_of;
use crate::reduction::mean;
use crate::{Label, LossError, Reduction};

loss! {
    /// The mean over the rows of the negative log-likelihood of `targets`, when the model gives the classes the probabilities e^log_probs.
    ///
    /// `log_probs` are `[rows, classes]` or `[classes]`; `targets` are class indices, one for each row, of any integer type.
    /// Of `[N, classes, d1, ..]`, as of the pixels of images, there is one for each of `[N, d1, ..]`, by rows.
    ///
    /// # Panics
    /// At the caller's line, if shapes do not fit or are empty, or if a label is not a class: with the row and the range.
    ///
    /// ```
    /// use surprisal_loss::{nll_loss, softmax_cross_entropy};
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let log_probs = tape.input(&array![[0.25, 0.75], [0.5, 0.5]]).ln().requires_grad();
    /// let loss = nll_loss(log_probs, &[0, 1]);
    /// loss.backward();
    /// assert_eq!(loss.item(), 8f64.ln() / 2.0); // (-ln ¼ - ln ½) / 2
    /// assert_eq!(log_probs.grad().unwrap(), array![[-0.5, 0.0], [0.0, -0.5]].into_dyn());
    /// ```
    fn nll_loss(log_probs: gradient(Number, "[rows, classes], [N, classes, ..] or [classes]"); targets: constant(Classes, "class indices, one for each row"));
    card {
        inputs: "q y",
        forward: "-q_y",
        backward: "dq = -onehot(y) dl",
        story: "The negative log-likelihood of the true class, given log-probabilities of all classes: it is one of them, without its sign.",
    }
    train { "needs log-probabilities, but the outputs are logits: use ce, which computes the same from logits" }
    weights {
        /// w: one weight for every class.
        weight: "optional: one for each class";
    }
    /// With weights w, a row counts `-w_y q_y`, and the mean divides by the weights Σ w_y of the rows that count.
    #[derive(Clone, Debug)]
    pub struct NllLoss {
        /// How per-row losses are reduced.
        reduction: Reduction;
        /// Rows with this label count nothing. -100 as in PyTorch, which no unsigned label ever is.
        ignore_index: i64 = -100, "rows with this label count nothing";
    }
}

const NAMES: Labeled = Labeled { loss: "nll_loss", input: "log_probs" };

impl NllLoss {
    /// [`nll_loss()`] with these options.
    ///
    /// # Errors
    /// Where [`nll_loss()`] panics, and if a weight is negative or not finite, if their number does not fit, or if no row counts anything
    /// and the mean is asked for.
    #[track_caller]
    pub fn try_loss<'t>(&self, log_probs: Var<'t>, labels: &[impl Label]) -> Result<Var<'t>, LossError> {
        self.recorded(log_probs, &labels)
    }

    #[track_caller]
    fn recorded<'t>(&self, log_probs: Var<'t>, labels: &dyn LabelList) -> Result<Var<'t>, LossError> {
        check_log_probs(NAMES.loss, log_probs)?;
        let labels = NAMES.record(log_probs, labels, Some(self.ignore_index))?;
        let op = Picked { reduction: self.reduction };
        let loss = apply_weighted(op, [by_rows(log_probs), labels], ("weight", &self.weight))?;
        if self.reduction == Reduction::Mean {
            NAMES.check_mean(labels, self.weight.as_deref(), self.ignore_index)?;
        }
        Ok(by_labels(loss, log_probs))
    }
}

struct Picked {
    reduction: Reduction,
}

impl Op for Picked {
    fn card(&self) -> Card {
        ENTRY.card
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        Ok(self.reduction.shape(NAMES.each(inputs)?))
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let (q, labels) = (f.inputs.x(0), f.inputs.x(1));
        let weight = (f.inputs.len() > 2).then(|| f.inputs.x(2));
        let (rows, classes) = rows_and_classes(f.inputs.shape(0));
        let times = |i: usize, count: T| {
            let Some(y) = class(labels[i]) else { return T::ZERO };
            let (w, q) = (weight.map_or(T::ONE, |w| w[y]), q[i * classes + y]);
            if w > T::ZERO { w / count * -q } else { nothing_of(q) }
        };
        match self.reduction {
            Reduction::None => f.y.iter_mut().enumerate().for_each(|(i, y)| *y = times(i, T::ONE)),
            Reduction::Sum => f.y[0] = sum_by(rows, |i| times(i, T::ONE)),
            Reduction::Mean => {
                let count = total_weight(labels, weight);
                f.y[0] = mean(sum_by(rows, |i| times(i, T::ONE)), count, rows, |i| times(i, count));
            }
        }
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (labels, dy) = (b.x(1), b.dy);
        let weight = (b.inputs.len() > 2).then(|| b.x(2));
        let (_, classes) = rows_and_classes(b.inputs.shape(0));
        let factor: T = self.reduction.factor(total_weight(labels, weight));
        let each = self.reduction == Reduction::None;
        let Some(dq) = b.dx(0) else { return };
        dq.add_scattered(|dq, _| {
            for (i, (dq, &label)) in dq.chunks_exact_mut(classes).zip(labels).enumerate() {
                if let Some((y, w)) = counted(label, weight) {
                    dq[y] -= factor * w * if each { dy[i] } else { dy[0] };
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::same;
    use crate::softmax_cross_entropy;
    use surprisal_tensor::check_gradient;
    use surprisal_tensor::ndarray::{Array2, ArrayD, array};

    fn log_probs() -> ArrayD<f64> {
        Array2::from_shape_fn((4, 5), |(i, j)| ((i * 5 + j) as f64 * 1.9).sin() - 1.5).into_dyn()
    }

    #[test]
    fn behind_log_softmax_it_is_softmax_cross_entropy() {
        let labels = [2u8, 0, 4, 1];
        check_gradient(&[log_probs()], |_, x| {
            same(softmax_cross_entropy(x[0], &labels), nll_loss(x[0].log_softmax(-1), &labels))
        });
    }

    #[test]
    fn every_option_has_the_right_gradient() {
        for reduction in crate::definition::REDUCTIONS {
            for weight in [None, Some(vec![0.5, 2.0, 0.0, 1.0, 3.0])] {
                for ignore_index in [-100, 3] {
                    let loss = NllLoss { reduction, weight: weight.clone(), ignore_index };
                    check_gradient(&[log_probs()], |_, x| loss.loss(x[0], &[2, 3, 4, 1]));
                }
            }
        }
    }

    #[test]
    fn one_row_may_stand_alone() {
        let row = array![-0.5, -1.0, -2.0].into_dyn();
        check_gradient(&[row], |_, x| nll_loss(x[0], &[1]));
    }
}
