//! Binary cross-entropy on probabilities.
//!
#![doc = include_str!("../pictures/binary_cross_entropy.svg")]
//!
//! A model says "yes" with probability p. The surprise at what then happens, t = 1 for yes and 0 for no, is
//!
#![doc = surprisal_formula_macro::math!("l = -[t ln p + (1 - t) ln(1 - p)]")]
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("dl/dp = (p - t) / (p (1 - p))")]
//!
//! which is `-1 / p` for t = 1 and `1 / (1 - p)` for t = 0: the surer the wrong answer, the
//! steeper, without bound.
//!
//! # In which form
//!
//! * `ln(1 - p)` as `ln_1p(-p)`: in `f32`, 1 - p is 1 for every p below 3e-8.
//! * A term whose factor is 0 is 0: who says 0 and is right is not surprised, 0 ln 0 = 0, and the slope there is 1, not 0 / 0.
//! * Nothing is clamped: p = 0 for what then happens is an infinite surprise, and its slope is infinite. PyTorch's
//!   `binary_cross_entropy` replaces smaller logarithms by -100 and a smaller p (1 - p) by 1e-12. That is
//!   finite, but the slope no longer belongs to the value: below p = e^-100 the loss is constant, and its gradient is not
//!   0; at p = t = 1 the gradient is 0, and should be -1. Between p = 1e-12 and 1 - 1e-12 both agree.
//!
//! # Rather with logits
//!
//! A probability has forgotten what the logit knew: in `f32`, σ(z) is 1 from z = 16.7 on, the surprise at "no" is then infinite
//! where it should be z, and going back through the sigmoid an infinite slope meets a σ'(z) of nearly 0. With logits, use
//! [`binary_cross_entropy_with_logits`](crate::binary_cross_entropy_with_logits()), where the two have canceled on paper. This loss
//! is for probabilities that come from elsewhere: products, mixtures, tables.
//!
//! # Source
//!
//! Good 1952, "Rational decisions"; PyTorch's `binary_cross_entropy`.

use surprisal_tensor::{Card, Scalar, Var};

use crate::by_name::Curve;
use crate::kinds::Domain;
use crate::kinds::data::check;
use crate::kinds::yes_or_no::{YesOrNo, nothing_of, yes_or_no};
use crate::{LossError, Reduction};

loss! {
    /// The mean over all elements of the negative log-likelihood of `targets`, when the model predicts "yes" with probability `probs`.
    ///
    /// `probs` and `targets` have the same shape and lie in \[0, 1\]; targets are not differentiated. Where a probability is 0 for
    /// what then happens, the loss and its slope are infinite: nothing is clamped, where PyTorch puts -100 for smaller logarithms and 1e-12
    /// for a smaller p (1 - p). Between p = 1e-12 and 1 - 1e-12 both agree.
    ///
    /// With logits, use [`binary_cross_entropy_with_logits`](crate::binary_cross_entropy_with_logits()), which is exact for all of them.
    ///
    /// # Panics
    /// At the caller's line, if the shapes differ or are empty, or if a probability or a target is not in \[0, 1\].
    ///
    /// ```
    /// use surprisal_loss::binary_cross_entropy;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let probs = tape.input(&array![0.25, 0.0]).requires_grad();
    /// let loss = binary_cross_entropy(probs, tape.input(&array![1.0, 0.0]));
    /// loss.backward();
    /// assert_eq!(loss.item(), 4f64.ln() / 2.0); // two surprises: -ln ¼, and none
    /// assert_eq!(probs.grad().unwrap(), array![-2.0, 0.5].into_dyn()); // -1 / p and 1 / (1 - p), halved by the mean
    /// ```
    fn binary_cross_entropy(probs: gradient(Unit, "any shape, from 0 to 1"), targets: constant(Unit, "the shape of probs, from 0 to 1"));
    card {
        inputs: "p t",
        forward: "-t ln p - (1 - t) ln(1 - p)",
        backward: "dp = (p - t) / (p (1 - p)) dl",
        story: "The negative log-likelihood of yes or no, given the probability of yes; its slope has no bound where that is wrong.",
    }
    train { "needs probabilities, but the outputs are logits: use bce, which computes the same from logits" }
    curve Curve::Probability;
    weights {
        /// w: one weight for every element, by rows.
        weight: "optional: the shape of probs";
    }
    /// `l = -w [t ln p + (1 - t) ln(1 - p)]`; the mean divides by the number of elements, whatever the weights.
    #[derive(Clone, Debug)]
    pub struct BinaryCrossEntropy {
        /// How per-element losses are reduced.
        reduction: Reduction;
    }
}

impl YesOrNo for BinaryCrossEntropy {
    const CARD: Card = ENTRY.card;
    #[inline(always)]
    fn element<T: Scalar>(&self, p: T, t: T, weight: T, _: T) -> (T, T) {
        let (yes, no) = (weight * t, weight * (T::ONE - t));
        let of_yes = if yes > T::ZERO { yes * -p.ln() } else { nothing_of(p) };
        let of_no = if no > T::ZERO { no * -(-p).ln_1p() } else { nothing_of(p) };
        let slope = if t <= T::ZERO {
            T::ONE / (T::ONE - p)
        } else if t >= T::ONE {
            -T::ONE / p
        } else {
            (p - t) / (p * (T::ONE - p))
        };
        (of_yes + of_no, if weight > T::ZERO { weight * slope } else { T::ZERO })
    }
}

impl BinaryCrossEntropy {
    /// [`binary_cross_entropy()`] with these options.
    ///
    /// # Errors
    /// Where [`binary_cross_entropy()`] panics, and if a weight is negative or not finite, or if their number does not fit.
    #[track_caller]
    pub fn try_loss<'t>(&self, probs: Var<'t>, targets: Var<'t>) -> Result<Var<'t>, LossError> {
        let expected = "probabilities lie between 0 and 1; logits go to binary_cross_entropy_with_logits";
        check(ENTRY.card.name, "probability", probs, Domain::FromZeroToOne, || expected)?;
        yes_or_no(
            BinaryCrossEntropy { weight: None, ..*self },
            [probs, targets],
            self.reduction,
            &self.weight,
            &None,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binary_cross_entropy_with_logits;
    use crate::definition::same;
    use surprisal_tensor::ndarray::{Array2, ArrayD, array};
    use surprisal_tensor::{Dual, Params, Workspace, check_gradient};

    fn probs() -> ArrayD<f64> {
        Array2::from_shape_fn((3, 4), |(i, j)| 0.5 + ((i * 4 + j) as f64 * 1.3).sin() * 0.45).into_dyn()
    }

    #[test]
    fn equals_its_definition_in_plain_operations() {
        let t = Array2::from_shape_fn((3, 4), |(i, j)| Dual::of((i + j) as f64 % 5.0 / 4.0));
        check_gradient(&[probs()], |tape, x| {
            let (p, t) = (x[0], tape.input(&t));
            same(binary_cross_entropy(p, t), -(t * p.ln() + (1.0 - t) * (1.0 - p).ln()).mean())
        });
    }

    #[test]
    fn behind_a_sigmoid_it_is_the_loss_with_logits() {
        let z = array![-3.0, 0.1, 2.0].into_dyn();
        check_gradient(&[z], |tape, x| {
            let t = tape.input(&array![1.0, 0.25, 0.0].mapv(Dual::of));
            same(binary_cross_entropy_with_logits(x[0], t), binary_cross_entropy(x[0].sigmoid(), t))
        });
    }

    #[test]
    fn every_option_has_the_right_gradient() {
        let t = Array2::from_shape_fn((3, 4), |(i, j)| Dual::of((i + j) as f64 % 3.0 / 2.0));
        for reduction in crate::definition::REDUCTIONS {
            for weight in [None, Some((0..12).map(f64::from).collect())] {
                let loss = BinaryCrossEntropy { reduction, weight };
                check_gradient(&[probs()], |tape, x| loss.loss(x[0], tape.input(&t)));
            }
        }
    }

    #[test]
    fn an_infinite_surprise_of_weight_0_counts_nothing() {
        let params = Params::<f64>::default();
        let mut workspace = Workspace::new();
        let tape = workspace.tape(&params);
        let probs = tape.input(&array![0.0, 1.0, 0.5]).requires_grad();
        let loss = BinaryCrossEntropy { reduction: Reduction::Sum, weight: Some(vec![0.0, 0.0, 1.0]) };
        let total = loss.loss(probs, tape.input(&array![1.0, 0.25, 1.0]));
        total.backward();
        assert_eq!(total.item(), 2f64.ln());
        assert_eq!(probs.grad().unwrap(), array![0.0, 0.0, -2.0].into_dyn());
    }
}
