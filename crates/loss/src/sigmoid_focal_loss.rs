//! Focal loss with a sigmoid, where p_t is the probability of the target.
//!
#![doc = surprisal_formula_macro::math!("l = α_t (1 - p_t)^γ (-ln p_t)")]
//!
#![doc = include_str!("../pictures/sigmoid_focal_loss.svg")]
//!
//! A logit z says "yes" with probability σ(z). Where nearly every answer is an easy "no", as over all places of an image that
//! might hold an object, the many small surprises of cross-entropy add up, and drown the few large ones. The factor `(1 - p_t)^γ`
//! turns down what is already known: with γ = 2 an example of p_t = 0.9 counts a hundredth of its surprise. α is the weight of a
//! "yes"; a "no" has 1 - α. With γ = 2 its authors found 0.25 best: once every easy "no" is turned down, the rare "yes" needs no
//! more weight, rather less.
//!
//! γ = 0 is [`binary_cross_entropy_with_logits`](crate::binary_cross_entropy_with_logits()), times α_t. Take that one where yes
//! and no are about as frequent, or where probabilities matter: the focal loss is not least at the true ones. Where yes happens
//! nine times out of ten, it is least at p = 0.69, for γ = 2 and without α.
//!
//! # The gradient
//!
//! Let u be z for "yes" and -z for "no"; then p = p_t = σ(u), q = 1 - p = σ(-u), and the surprise is `s = -ln p = softplus(-u)`.
//! With `ds/du = -q` and `dq/du = -p q`,
//!
#![doc = surprisal_formula_macro::math!("dl/du = -α_t q^γ (γ p s + q)")]
//!
//! which is dl/dz for "yes", and its negative for "no". No power of γ - 1 is in it, so it holds at q = 0 too, for every γ >= 0.
//!
//! # In which form
//!
//! From `e = e^-|z|`, as in the sigmoid: q is `e / (1 + e)` or `1 / (1 + e)`, and never 1 - p, which in `f32` may be off by more
//! than 1 % from u = 12.05 on and is 0 from u = 16.64 on; the factor is its power, so its errors count γ-fold. The terms of the
//! gradient have one sign. `p s` is 0 where p is 0, though s may be infinite there.
//!
//! # Source
//!
//! Lin, Goyal, Girshick, He and Dollár 2017, "Focal loss for dense object detection", equation 5; torchvision's
//! `sigmoid_focal_loss`, whose defaults these are, but for its reduction, which is "none".

use surprisal_tensor::{Card, Scalar, Var};

use crate::by_name::Curve;
use crate::kinds::Domain;
use crate::kinds::data::{check_logits, check_option};
use crate::kinds::focal::{check_gamma, power};
use crate::kinds::yes_or_no::{YesOrNo, nothing_of, yes_or_no};
use crate::{LossError, Reduction};

loss! {
    /// The mean over all elements of `α_t (1 - p_t)^2 (-ln p_t)`, where p_t is the probability, σ(logits) of "yes", of the target;
    /// α_t is 0.25 for a "yes" and 0.75 for a "no".
    ///
    /// `logits` and `targets` have the same shape; targets are 0 or 1, and are not differentiated. The mean divides by the number of
    /// elements; the paper divides the sum by the number of objects instead.
    ///
    /// # Panics
    /// At the caller's line, if the shapes differ or are empty, if a target is not 0 or 1, or if the logits are the output of a
    /// sigmoid.
    ///
    /// ```
    /// use surprisal_loss::sigmoid_focal_loss;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let logits = tape.input(&array![0.0]).requires_grad();
    /// let loss = sigmoid_focal_loss(logits, tape.input(&array![1.0]));
    /// loss.backward();
    /// assert_eq!(loss.item(), 0.25 * 0.25 * 2f64.ln()); // α (1 - ½)² (-ln ½)
    /// assert_eq!(logits.grad().unwrap()[0], -0.25 * 0.25 * (2f64.ln() + 0.5));
    /// ```
    fn sigmoid_focal_loss(logits: gradient(Number, "any shape"), targets: constant(YesNo, "the shape of logits, 0 or 1"));
    card {
        inputs: "z t",
        forward: "α_t (1 - p_t)^γ (-ln p_t), p_t = σ(±z)",
        backward: "dz = ∓ α_t q^γ (γ p_t s + q) dl with q = 1 - p_t, s = -ln p_t",
        story: "The negative log-likelihood of yes or no, turned down where the answer is known already: the many easy examples no longer drown the few hard ones.",
    }
    train { "sigmoid_focal", "sigmoid focal loss", YesNo, ["alpha", "gamma"] }
    curve Curve::Logit([0.0, 1.0]);
    #[derive(Clone, Copy, Debug)]
    pub struct SigmoidFocalLoss {
        /// How per-element losses are reduced.
        reduction: Reduction;
        /// α: the weight of a "yes", from 0 to 1; a "no" has 1 - α. Negative for no weights. 0.25 as in torchvision.
        alpha: f64 = 0.25 in AT_MOST_ONE, "the weight of a yes, 0 to 1; a no has 1 - alpha; negative for no weights";
        /// γ: how much easy examples are turned down. Finite and not negative; 2 as usual, 0 for not at all.
        gamma: f64 = 2 in NOT_NEGATIVE, "how much easy examples are turned down, 0 or more; 0 for not at all";
    }
}

/// The type contains whether γ is the usual 2, so that this loop has no power function and vectorizes.
#[derive(Clone, Copy)]
struct Focal<const SQUARE: bool>(SigmoidFocalLoss);

impl<const SQUARE: bool> YesOrNo for Focal<SQUARE> {
    const CARD: Card = ENTRY.card;
    const TARGETS: Domain = Domain::ZeroOrOne;
    #[inline(always)]
    fn element<T: Scalar>(&self, z: T, t: T, weight: T, pos_weight: T) -> (T, T) {
        let gamma = if SQUARE { 2.0 } else { self.0.gamma };
        let (yes, no) = if self.0.alpha < 0.0 { (1.0, 1.0) } else { (self.0.alpha, 1.0 - self.0.alpha) };
        let is_yes = t > T::ZERO;
        let a = weight * if is_yes { pos_weight * T::of(yes) } else { T::of(no) };
        let u = if is_yes { z } else { -z };
        let e = (-u.abs()).exp(); // of u, not z: at 0 a dual number takes the side that `right` takes
        let r = T::ONE / (T::ONE + e);
        let right = u >= T::ZERO;
        let (p, q) = if right { (r, e * r) } else { (e * r, r) };
        let s = if right { T::ZERO } else { -u } + e.ln_1p();
        let factor = a * power(q, gamma);
        let p_s = if p > T::ZERO { p * s } else { T::ZERO };
        let slope = factor * (T::of(gamma) * p_s + q);
        // who counts nothing counts nothing, also where s is infinite
        let loss = if a > T::ZERO { factor * s } else { nothing_of(z) };
        (loss, if is_yes { -slope } else { slope })
    }
}

impl SigmoidFocalLoss {
    /// [`sigmoid_focal_loss`](sigmoid_focal_loss()) with these options.
    ///
    /// # Errors
    /// Where [`sigmoid_focal_loss`](sigmoid_focal_loss()) panics, and if an option is out of its range.
    #[track_caller]
    pub fn try_loss<'t>(&self, logits: Var<'t>, targets: Var<'t>) -> Result<Var<'t>, LossError> {
        let (name, &SigmoidFocalLoss { reduction, alpha, gamma }) = (ENTRY.card.name, self);
        check_logits(name, logits)?;
        check_option(
            name,
            "alpha",
            alpha,
            alpha <= 1.0,
            "expected 0 to 1, or a negative number for no weights",
        )?;
        check_gamma(name, gamma)?;
        let data = [logits, targets];
        if gamma == 2.0 {
            yes_or_no(Focal::<true>(*self), data, reduction, &None, &None)
        } else {
            yes_or_no(Focal::<false>(*self), data, reduction, &None, &None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binary_cross_entropy_with_logits;
    use surprisal_tensor::ndarray::array;
    use surprisal_tensor::{Dual, Params, Workspace, check_gradient};

    #[test]
    fn equals_its_definition_in_plain_operations() {
        let z = array![[0.3, -1.2, 2.5], [-4.0, 0.1, 1.0]].into_dyn();
        let t = array![[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]].mapv(Dual::of);
        for reduction in [Reduction::Mean, Reduction::Sum, Reduction::None] {
            for alpha in [0.25, -1.0, 1.0] {
                for gamma in [0.0, 0.5, 1.0, 2.0, 5.0] {
                    let focal = SigmoidFocalLoss { reduction, alpha, gamma };
                    check_gradient(std::slice::from_ref(&z), |tape, x| {
                        let t = tape.input(&t);
                        let p_t = t * x[0].sigmoid() + (1.0 - t) * (-x[0]).sigmoid();
                        let (yes, no) = if alpha < 0.0 { (1.0, 1.0) } else { (alpha, 1.0 - alpha) };
                        let plain = -((t * yes + (1.0 - t) * no) * (1.0 - p_t).powf(gamma) * p_t.ln()).mean();
                        let mean = SigmoidFocalLoss { reduction: Reduction::Mean, ..focal }.loss(x[0], t);
                        assert!((mean.item() - plain.item()).abs() < 1e-14);
                        focal.loss(x[0], t) + (mean - plain) * 1e3
                    });
                }
            }
        }
    }

    #[test]
    fn without_focus_it_is_binary_cross_entropy() {
        let z = array![0.3, -1.2, 2.5].into_dyn();
        check_gradient(&[z], |tape, x| {
            let t = tape.input(&array![1.0, 0.0, 0.0].mapv(Dual::of));
            let focal = SigmoidFocalLoss { alpha: -1.0, gamma: 0.0, ..Default::default() }.loss(x[0], t);
            focal + (focal - binary_cross_entropy_with_logits(x[0], t)) * 1e3
        });
    }

    #[test]
    fn infinite_logits_give_what_they_tend_to() {
        let params = Params::new();
        for gamma in [0.0, 0.5, 1.0, 2.0, 3.5] {
            let mut workspace = Workspace::new();
            let tape = workspace.tape(&params);
            let inf = f32::INFINITY;
            let z = tape.input(&array![inf, -inf, inf, -inf]).requires_grad();
            let each = SigmoidFocalLoss { reduction: Reduction::None, alpha: 1.0, gamma };
            let loss = each.loss(z, tape.input(&array![1.0f32, 1.0, 0.0, 0.0])); // with α = 1 a "no" counts nothing
            loss.sum().backward();
            assert_eq!(loss.value().as_slice().unwrap(), [0.0, f64::INFINITY, 0.0, 0.0]);
            assert_eq!(z.grad().unwrap().as_slice().unwrap(), [0.0, -1.0, 0.0, 0.0]);
        }
    }
}
