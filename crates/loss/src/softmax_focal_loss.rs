//! Focal loss with a softmax, where p_y is the probability of the true class.
//!
#![doc = surprisal_formula_macro::math!("l = α_y (1 - p_y)^γ (-ln p_y)")]
//!
//! Logits z say class c with probability `p_c = softmax(z)_c`. Where a few classes, or a few examples of each, are hard and the
//! rest easy, the factor `(1 - p_y)^γ` turns down what is already known: with γ = 2 an example of p_y = 0.9 counts a hundredth of
//! its surprise. α weighs the classes, rare ones more. γ = 0 is [`softmax_cross_entropy`](crate::softmax_cross_entropy()), times
//! α_y. Take that one where probabilities matter: the focal loss is not least at the true ones. Of two classes, where one happens
//! nine times out of ten, it is least at p = 0.69, for γ = 2.
//!
//! The mean divides by the number of rows, whatever the weights.
//!
//! # The gradient
//!
//! With the surprise `s = -ln p` at p = p_y, and q = 1 - p, of which `dq/ds = p`, the loss is `f(s) = q^γ s`, and
//!
#![doc = surprisal_formula_macro::math!("f'(s) = q^γ + γ q^(γ-1) p s = q^γ (1 + γ p s / q)")]
//!
//! The rest is that of cross-entropy: `dl/dz_j = α_y f'(s) p_j` for j ≠ y, and `dl/dz_y = -α_y f'(s) q`.
//!
//! # In which form
//!
//! s and q as in [`softmax_cross_entropy`](mod@crate::softmax_cross_entropy), summed over the other classes and never taken from
//! 1: in `f32` 1 - p_y is 0 from a gap of 16.64 between two logits on, the loss with it, and all further learning.
//!
//! f' in its second form: `q^(γ-1)` is infinite at q = 0 for γ below 1, and infinity times s = 0 is NaN; `s / q` tends to 1
//! there. Where q is 0, f' is 0, or 1 for γ = 0. Where p is 0, `p s` is 0, though s may be infinite.
//!
//! # Source
//!
//! Lin, Goyal, Girshick, He and Dollár 2017, "Focal loss for dense object detection", there for two classes.

use surprisal_tensor::{Buf, Card, Scalar, Var};

use crate::kinds::data::check_logits;
use crate::kinds::focal::{check_gamma, power};
use crate::kinds::labels::{LabelList, Labeled};
use crate::kinds::rows::{RowLoss, Rows, row_loss};
use crate::softmax_cross_entropy::one_class;
use crate::{Label, LossError, Reduction};

loss! {
    /// The mean over the rows of `(1 - p_y)^2 (-ln p_y)`, where p_y is the probability, softmax(logits), of the class y, the row's
    /// label.
    ///
    /// `logits` are `[rows, classes]` or `[classes]`; `targets` are class indices, one for each row, of any integer type.
    /// Of `[N, classes, d1, ..]`, as of the pixels of images, there is one for each of `[N, d1, ..]`, by rows.
    ///
    /// # Panics
    /// At the caller's line, if shapes do not fit or are empty, if a label is not a class, or if the logits are the output of a
    /// softmax.
    ///
    /// ```
    /// use surprisal_loss::softmax_focal_loss;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let logits = tape.input(&array![[0.0, 0.0]]).requires_grad();
    /// let loss = softmax_focal_loss(logits, &[1]);
    /// loss.backward();
    /// assert_eq!(loss.item(), 0.25 * 2f64.ln()); // (1 - ½)² (-ln ½)
    /// let slope = 0.25 * (1.0 + 2.0 * 2f64.ln()) * 0.5;
    /// assert_eq!(logits.grad().unwrap(), array![[slope, -slope]].into_dyn());
    /// ```
    fn softmax_focal_loss(logits: gradient(Number, "[rows, classes], [N, classes, ..] or [classes]"); targets: constant(Classes, "class indices, one for each row"));
    card {
        inputs: "z y",
        forward: "α_y (1 - p_y)^γ (-ln p_y), p = softmax(z)",
        backward: "dz = α_y q^γ (1 + γ p_y s / q) (p - onehot(y)) dl with q = 1 - p_y, s = -ln p_y",
        story: "The negative log-likelihood of the true class, turned down where it is known already: easy examples no longer drown the hard ones.",
    }
    train { "focal", "focal loss", Class, ["gamma"] }
    weights {
        /// α: one weight for every class. The mean divides by the number of rows all the same.
        alpha: "optional: one for each class";
    }
    #[derive(Clone, Debug)]
    pub struct SoftmaxFocalLoss {
        /// How per-row losses are reduced.
        reduction: Reduction;
        /// γ: how much easy examples are turned down. Finite and not negative; 2 as usual, 0 for not at all.
        gamma: f64 = 2 in NOT_NEGATIVE, "how much easy examples are turned down, 0 or more; 0 for not at all";
    }
}

impl RowLoss for SoftmaxFocalLoss {
    const CARD: Card = ENTRY.card;
    const NAMES: Labeled = Labeled { loss: Self::CARD.name, input: "logits" };
    fn rows<T: Scalar>(&self, rows: Rows<T>, scale: T, losses: &mut [T], d: &mut [T], _: &mut Buf<T>) {
        let gamma = self.gamma;
        let focal = |s: T, p: T, q: T| {
            let factor = power(q, gamma);
            let relative = if p > T::ZERO && q > T::ZERO { p * (s / q) } else { T::ZERO };
            (factor * s, factor * (T::ONE + T::of(gamma) * relative))
        };
        one_class(rows.x, rows.classes, rows.labels, rows.weight, focal, scale, losses, d);
    }
}

impl SoftmaxFocalLoss {
    /// [`softmax_focal_loss`](softmax_focal_loss()) with these options.
    ///
    /// # Errors
    /// Where [`softmax_focal_loss`](softmax_focal_loss()) panics, and if γ is out of its range, if a weight is negative or not finite, or
    /// if their number does not fit.
    #[track_caller]
    pub fn try_loss<'t>(&self, logits: Var<'t>, labels: &[impl Label]) -> Result<Var<'t>, LossError> {
        self.recorded(logits, &labels)
    }

    #[track_caller]
    fn recorded<'t>(&self, logits: Var<'t>, labels: &dyn LabelList) -> Result<Var<'t>, LossError> {
        check_logits(ENTRY.card.name, logits)?;
        check_gamma(ENTRY.card.name, self.gamma)?;
        row_loss(
            SoftmaxFocalLoss { alpha: None, ..*self },
            logits,
            labels,
            ("alpha", &self.alpha),
            self.reduction,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::same;
    use crate::{SigmoidFocalLoss, softmax_cross_entropy};
    use surprisal_tensor::ndarray::{Array2, ArrayD, array};
    use surprisal_tensor::{Dual, Params, Workspace, check_gradient};

    fn logits() -> ArrayD<f64> {
        Array2::from_shape_fn((4, 5), |(i, j)| ((i * 5 + j) as f64 * 1.9).sin() * 3.0).into_dyn()
    }

    #[test]
    fn equals_its_definition_in_plain_operations() {
        let labels = [2, 0, 4, 1];
        let one_hot = Array2::from_shape_fn((4, 5), |(i, j)| Dual::of(f64::from(labels[i] == j)));
        for gamma in [0.0, 0.5, 1.0, 2.0, 5.0] {
            check_gradient(&[logits()], |tape, x| {
                let p_y = (tape.input(&one_hot) * x[0].softmax(-1)).sum_axis(-1);
                let plain = -((1.0 - p_y).powf(gamma) * p_y.ln()).mean();
                same(SoftmaxFocalLoss { gamma, ..Default::default() }.loss(x[0], &labels), plain)
            });
        }
    }

    #[test]
    fn every_option_has_the_right_gradient() {
        for reduction in crate::definition::REDUCTIONS {
            for alpha in [None, Some(vec![0.5, 2.0, 0.0, 1.0, 3.0])] {
                for gamma in [0.0, 0.5, 2.0] {
                    let loss = SoftmaxFocalLoss { reduction, alpha: alpha.clone(), gamma };
                    check_gradient(&[logits()], |_, x| loss.loss(x[0], &[2, 3, 4, 1]));
                    check_gradient(&[array![0.5, -1.0, 2.0, 0.0, 1.0].into_dyn()], |_, x| {
                        loss.loss(x[0], &[1])
                    });
                }
            }
        }
    }

    #[test]
    fn it_is_cross_entropy_without_focus_and_the_sigmoid_of_two_classes() {
        check_gradient(&[logits()], |_, x| {
            let focal = SoftmaxFocalLoss { gamma: 0.0, ..Default::default() }.loss(x[0], &[2, 3, 4, 1]);
            same(focal, softmax_cross_entropy(x[0], &[2, 3, 4, 1]))
        });
        check_gradient(&[array![1.3, -0.4].into_dyn()], |tape, x| {
            let focal = softmax_focal_loss(x[0], &[1]);
            let difference = (x[0] * tape.input(&array![-1.0, 1.0].mapv(Dual::of))).sum();
            let of_two = SigmoidFocalLoss { alpha: -1.0, ..Default::default() };
            same(focal, of_two.loss(difference, tape.constant(1.0)))
        });
    }

    #[test]
    fn certainty_gives_what_it_tends_to() {
        let params = Params::new();
        for gamma in [0.0, 0.5, 1.0, 2.0, 3.5] {
            let mut workspace = Workspace::new();
            let tape = workspace.tape(&params);
            let masked = f32::NEG_INFINITY;
            let z = tape.input(&array![[0.0f32, masked], [masked, 0.0], [masked, 0.0]]).requires_grad();
            let loss = SoftmaxFocalLoss { reduction: Reduction::None, alpha: Some(vec![1.0, 0.0]), gamma };
            let loss = loss.loss(z, &[0, 0, 1]);
            loss.sum().backward();
            assert_eq!(loss.value().as_slice().unwrap(), [0.0, f64::INFINITY, 0.0]);
            assert_eq!(z.grad().unwrap().as_slice().unwrap(), [0.0, 0.0, -1.0, 1.0, 0.0, 0.0]);
        }
    }
}
