//! Binary cross-entropy with logits.
//!
#![doc = surprisal_formula_macro::math!("l = t softplus(-z) + (1 - t) softplus(z)")]
//!
#![doc = include_str!("../pictures/binary_cross_entropy_with_logits.svg")]
//!
//! A logit z says "yes" with probability `a = σ(z)`. The surprise at what then happens, t = 1 for yes and 0 for no, is
//!
#![doc = surprisal_formula_macro::math!("l = -[t ln a + (1 - t) ln(1 - a)]")]
//!
//! # The gradient
//!
//! `dl/da = (a - t) / (a (1 - a))` and `da/dz = σ'(z) = a (1 - a)`. The product is
//!
#![doc = surprisal_formula_macro::math!("dl/dz = a - t = (1 - t) σ(z) - t σ(-z)")]
//!
//! The factor σ'(z), which makes squared error learn slowest where it is most wrong, has canceled.
//!
//! # In which form
//!
//! `-ln σ(z) = softplus(-z)` and `-ln(1 - σ(z)) = softplus(z)`, with `softplus(x) = max(x, 0) + ln_1p(e^-|x|)`, so
//!
#![doc = surprisal_formula_macro::math!("l = t softplus(-z) + (1 - t) softplus(z)")]
//!
//! is a sum of terms that are not negative: nothing cancels, nothing overflows. The usual `max(z, 0) - t z + ln(1 + e^-|z|)`
//! cancels for t = 1, and sigmoid followed by a logarithm is infinite in `f32` from z = -104 on (for t = 1). The gradient of
//! t = 1 is `-σ(-z)`: as `σ(z) - 1` it is 0 in `f32` from z = 16.7 on, and has 1 % errors long before.
//!
//! # Source
//!
//! Cox 1958; Bishop, *Pattern Recognition and Machine Learning* (2006), equation 4.90; PyTorch's
//! `binary_cross_entropy_with_logits`.

use surprisal_tensor::{Card, Logistic, Scalar, Var};

use crate::by_name::Curve;
use crate::kinds::data::check_logits;
use crate::kinds::yes_or_no::{YesOrNo, fused, nothing_of, yes_or_no};
use crate::{LossError, Reduction};

loss! {
    /// The mean over all elements of the negative log-likelihood of `targets`, when the model predicts "yes" with probability σ(logits).
    ///
    /// `logits` and `targets` have the same shape; targets lie in \[0, 1\], and are not differentiated.
    ///
    /// # Panics
    /// At the caller's line, if the shapes differ or are empty, or if a target is not in \[0, 1\].
    ///
    /// ```
    /// use surprisal_loss::binary_cross_entropy_with_logits;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::new();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let logits = tape.input(&array![200.0f32]).requires_grad();
    /// let loss = binary_cross_entropy_with_logits(logits, tape.input(&array![0.0]));
    /// loss.backward();
    /// assert_eq!(loss.item(), 200.0); // -ln(1 - σ(200)): a sigmoid followed by a logarithm gives infinity
    /// assert_eq!(logits.grad().unwrap()[0], 1.0); // and learns at full speed
    /// ```
    fn binary_cross_entropy_with_logits(logits: gradient(Number, "any shape"), targets: constant(Unit, "the shape of logits, from 0 to 1"));
    card {
        inputs: "z t",
        forward: "t softplus(-z) + (1 - t) softplus(z)",
        backward: "dz = (σ(z) - t) dl",
        story: "The negative log-likelihood of yes or no, given the log-odds of yes; its slope is the error itself.",
    }
    train { "bce", "binary cross-entropy", YesNo, ["pos_weight"] }
    curve Curve::Logit([0.0, 1.0]);
    weights {
        /// w: one weight for every element, by rows.
        weight: "optional: the shape of logits";
        /// p: what a "yes" counts, one for all or one for each index along the last axis. Above 1 it trades precision for recall. For one of
        /// each channel of `[N, C, H, W]`, logits and targets come as `x.permute(&[0, 2, 3, 1])`.
        pos_weight: "optional: one number, or one for each index along the last axis";
    }
    /// `l = w [p t softplus(-z) + (1 - t) softplus(z)]`; the mean divides by the number of elements, whatever the weights.
    #[derive(Clone, Debug)]
    pub struct BinaryCrossEntropyWithLogits {
        /// How per-element losses are reduced.
        reduction: Reduction;
    }
}

impl YesOrNo for BinaryCrossEntropyWithLogits {
    const CARD: Card = ENTRY.card;
    /// From e = e^-|z|, which never overflows.
    #[inline(always)]
    fn element<T: Scalar>(&self, z: T, t: T, weight: T, pos_weight: T) -> (T, T) {
        let Logistic { e, ln_1p: tail, reciprocal: r } = z.logistic();
        let (yes, no) = (weight * pos_weight * t, weight * (T::ONE - t));
        let (sigma, sigma_minus) = if z >= T::ZERO { (T::ONE, e) } else { (e, T::ONE) };
        let (plus, minus) = if z >= T::ZERO { (z, T::ZERO) } else { (T::ZERO, -z) };
        // a term whose factor is 0 is 0, also where softplus is infinite
        let of_yes = if yes > T::ZERO { yes * (minus + tail) } else { nothing_of(z) };
        let of_no = if no > T::ZERO { no * (plus + tail) } else { nothing_of(z) };
        (of_yes + of_no, no * (sigma * r) - yes * (sigma_minus * r))
    }
    /// l = s |z| + ln(1 + e), where s is the target on the side that z is against: 1 - t for z >= 0, t below.
    ///
    /// In three loops: in one, each number would be a single long chain of operations, which a processor can overlap with too few others.
    #[inline(always)]
    fn block<T: Scalar>(&self, z: &[T], t: &[T], scale: T, losses: &mut [T], slopes: &mut [T]) {
        for (e, &z) in slopes.iter_mut().zip(z) {
            *e = z.exp_of_minus_abs();
        }
        for (tail, &e) in losses.iter_mut().zip(&*slopes) {
            *tail = e.ln_1p_of_unit();
        }
        for ((l, d), (&z, &t)) in losses.iter_mut().zip(slopes).zip(z.iter().zip(t)) {
            let (e, tail, right, size) = (*d, *l, z >= T::ZERO, z.abs());
            let against = if right { T::ONE - t } else { t };
            let along = if right { t } else { T::ONE - t };
            let linear = if against > T::ZERO { against * size } else { T::ZERO }; // not 0 times infinity
            let slope = (against - along * e) / (T::ONE + e) * scale;
            (*l, *d) = (linear + tail, if right { slope } else { -slope });
        }
    }
}

impl BinaryCrossEntropyWithLogits {
    /// [`binary_cross_entropy_with_logits()`] with these options.
    ///
    /// # Errors
    /// Where [`binary_cross_entropy_with_logits()`] panics, and if a weight is negative or not finite, or if their number does not fit.
    #[track_caller]
    pub fn try_loss<'t>(&self, logits: Var<'t>, targets: Var<'t>) -> Result<Var<'t>, LossError> {
        check_logits(ENTRY.card.name, logits)?;
        let loss = BinaryCrossEntropyWithLogits { weight: None, pos_weight: None, ..*self };
        yes_or_no(loss, [logits, targets], self.reduction, &self.weight, &self.pos_weight)
    }
}

/// The mean loss of logits against targets, and its gradient: the kernel behind [`binary_cross_entropy_with_logits()`], without a tape.
///
/// Nothing is checked but the lengths; targets must lie in \[0, 1\].
///
/// # Panics
/// If the lengths differ.
///
/// ```
/// let mut gradient = [0.0f32; 2];
/// let loss = surprisal_loss::binary_cross_entropy_with_logits::value_and_gradient(&[200.0, 0.0], &[0.0, 1.0], &mut gradient);
/// assert_eq!(loss, (200.0 + 2f32.ln()) / 2.0);
/// assert_eq!(gradient, [0.5, -0.25]);
/// ```
#[track_caller]
pub fn value_and_gradient<T: Scalar>(logits: &[T], targets: &[T], gradient: &mut [T]) -> T {
    assert_eq!(
        (logits.len(), logits.len()),
        (targets.len(), gradient.len()),
        "one target and one gradient for each logit"
    );
    let count = T::of(logits.len() as f64);
    fused(&BinaryCrossEntropyWithLogits::default(), logits, targets, T::ONE / count, gradient) / count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::same;
    use surprisal_tensor::ndarray::{Array2, array};
    use surprisal_tensor::{Dual, check_gradient};

    #[test]
    fn equals_its_definition_in_plain_operations() {
        let z = array![[0.3, -1.2, 2.5], [-4.0, 0.0, 1.0]].into_dyn();
        let t = array![[1.0, 0.0, 0.25], [0.0, 0.5, 1.0]].mapv(Dual::of);
        check_gradient(std::slice::from_ref(&z), |tape, x| {
            let t = tape.input(&t);
            let a = x[0].sigmoid();
            let plain = -(t * a.ln() + (1.0 - t) * (1.0 - a).ln()).mean();
            same(binary_cross_entropy_with_logits(x[0], t), plain)
        });
    }

    #[test]
    fn every_option_has_the_right_gradient() {
        let z = Array2::from_shape_fn((3, 4), |(i, j)| ((i * 4 + j) as f64 * 1.3).sin() * 3.0).into_dyn();
        let t = Array2::from_shape_fn((3, 4), |(i, j)| Dual::of((i + j) as f64 % 3.0 / 2.0));
        let weight: Vec<f64> = (0..12).map(|i| 0.5 + i as f64).collect();
        for reduction in crate::definition::REDUCTIONS {
            for weight in [None, Some(weight.clone())] {
                for pos_weight in [None, Some(vec![3.0]), Some(vec![0.5, 1.0, 2.0, 0.0])] {
                    let loss = BinaryCrossEntropyWithLogits { reduction, weight: weight.clone(), pos_weight };
                    check_gradient(std::slice::from_ref(&z), |tape, x| loss.loss(x[0], tape.input(&t)));
                }
            }
        }
    }
}
