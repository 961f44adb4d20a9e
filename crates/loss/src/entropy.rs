//! Entropy: the surprise to be expected.
//!
#![doc = surprisal_formula_macro::math!("H(p) = -Σ_c p_c ln p_c")]
//!
//! Class c happens with probability p_c, and then surprises by -ln p_c. The mean of that is the least number of bits, or nats, that a
//! message about the class takes on average: 0 for a certain class, and most, ln C, where all C classes are equally probable.
//!
//! It is not a loss of predictions, as no target is in it: it tells how unsure a distribution is. Added to a loss it makes predictions
//! sharper, and subtracted from it, broader. Of logits take [`entropy_from_logits`](crate::entropy_from_logits()).
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("dH/dp_c = -(ln p_c + 1)")]
//!
//! each p_c on its own: that they sum to 1 is not known here, and p need not. At p = 0 it is +inf.
//!
//! # In which form
//!
//! * A term of p = 0 is 0, which is what p ln p goes to; 0 times -inf would be NaN.
//! * ln p + 1 is 0 at p = 1/e, and near it the rounding of ln p is all that is left: in `f32` it is 0 at p = 0.36787945, and should be
//!   2.5e-8. For p within half of 1/e either way it is `ln_1p(e p - 1)`, with `e p - 1 = e ((p - r) - s)`. Here r + s is 1/e in two
//!   parts, and p - r is exact (Sterbenz).
//!
//! # Source
//!
//! Shannon 1948, "A mathematical theory of communication", section 6; Sterbenz, *Floating-Point Computation* (1974), theorem 4.3.1.

use std::f64::consts::E;

use surprisal_tensor::{Card, Scalar, Var};

use crate::kinds::data::check_probabilities;
use crate::kinds::terms::{Sum, Terms};
use crate::{Base, LossError, Reduction};

loss! {
    /// The mean over the rows of `-Σ_c p_c ln p_c`, in nats; p is `[rows, classes]` or `[classes]`.
    ///
    /// # Panics
    /// At the caller's line, if p has another shape or is empty, or if it is data and not from 0 to 1.
    ///
    /// ```
    /// use surprisal_loss::{Base, Entropy, entropy};
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let coins = tape.input(&array![[0.5, 0.5], [1.0, 0.0]]); // a fair one, and one that always shows heads
    /// assert_eq!(Entropy { base: Base::Two, ..Default::default() }.loss(coins).item(), 0.5); // 1 bit and 0 bits
    /// let p = tape.input(&array![0.25, 0.75]).requires_grad();
    /// let h = entropy(p);
    /// h.backward();
    /// assert!((h.item() - 0.562).abs() < 1e-3); // below ln 2 = 0.693
    /// assert!((p.grad().unwrap()[0] - 0.386).abs() < 1e-3); // -(ln ¼ + 1)
    /// ```
    fn entropy(p: gradient(Unit, "[rows, classes] or [classes], from 0 to 1"));
    card {
        inputs: "p",
        forward: "-Σ_c p_c ln p_c",
        backward: "dp = -(ln p + 1) dl",
        story: "The surprise to be expected: 0 where one class is certain, ln C where all C are equally probable.",
    }
    train { "has no target, so nothing can be learned from it" }
    #[derive(Clone, Copy, Debug)]
    pub struct Entropy {
        /// Nats or bits.
        base: Base;
        /// How the entropies of the rows are reduced.
        reduction: Reduction;
    }
}

impl Terms for Entropy {
    const CARD: Card = ENTRY.card;
    const INPUTS: &'static [&'static str] = &["p"];
    #[inline(always)]
    fn terms<T: Scalar>(&self, p: &[T], _: &[T], l: &mut [T]) {
        for (l, &p) in l.iter_mut().zip(p) {
            *l = if p == T::ZERO { T::ZERO } else { -p * p.ln() };
        }
    }
    #[inline(always)]
    fn slopes<T: Scalar>(&self, _: usize, p: &[T], _: &[T], d: &mut [T]) {
        const ONE_OVER_E: (f64, f64) = (0.36787944117144233, -1.2428753672788363e-17); // their sum is right to 32 digits
        let r = T::of(ONE_OVER_E.0);
        let s = T::of((ONE_OVER_E.0 - r.value()) + ONE_OVER_E.1);
        for (d, &p) in d.iter_mut().zip(p) {
            let near = T::of(E) * ((p - r) - s);
            *d = -*d * if near.abs() < T::of(0.5) { near.ln_1p() } else { p.ln() + T::ONE };
        }
    }
}

impl Entropy {
    /// [`entropy()`] with these options.
    ///
    /// # Errors
    /// Where [`entropy()`] panics.
    #[track_caller]
    pub fn try_loss<'t>(&self, p: Var<'t>) -> Result<Var<'t>, LossError> {
        check_probabilities(ENTRY.card.name, "p", p)?;
        Sum { loss: *self, base: self.base, reduction: self.reduction }.record(&[p])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::equals_definition;
    use surprisal_tensor::ndarray::{Array, array};
    use surprisal_tensor::{Params, Workspace};

    #[test]
    fn equals_its_definition_in_plain_operations() {
        let p = array![[0.2, 0.5, 0.3], [0.36787944, 0.6, 0.03], [0.9, 0.5, 1.0]].into_dyn();
        for base in [Base::E, Base::Two] {
            equals_definition(std::slice::from_ref(&p), |_, p, reduction| {
                let each = -(p[0] * p[0].ln()).sum_axis(-1) / base.unit::<f64>();
                [Entropy { base, reduction }.loss(p[0]), each]
            });
        }
    }

    #[test]
    fn it_lies_between_none_and_as_many_bits_as_the_classes_need() {
        let (params, mut workspace) = (Params::new(), Workspace::new());
        let tape = workspace.tape(&params);
        let bits = Entropy { base: Base::Two, ..Default::default() };
        assert_eq!(bits.loss(tape.input(&Array::from_elem(256, 1.0 / 256.0))).item(), 8.0);
        assert_eq!(bits.loss(tape.input(&array![0.0f32, 1.0, 0.0])).item(), 0.0);
        let hello = tape.input(&array![0.2f32, 0.2, 0.4, 0.2]); // H E L O
        assert!((bits.loss(hello).item() - 1.9219).abs() < 1e-4);
    }

    #[test]
    fn the_slope_near_1_over_e_keeps_its_digits() {
        let (params, mut workspace) = (Params::new(), Workspace::new());
        let tape = workspace.tape(&params);
        let p: Vec<f32> = (0..40).map(|i| f32::from_bits(0.367_879_45f32.to_bits() - 20 + i)).collect();
        let p = tape.input(&Array::from(p)).requires_grad();
        entropy(p).backward();
        for (&p, &slope) in p.value().iter().zip(&p.grad().unwrap()) {
            let exact = -(p.ln() + 1.0);
            assert!((slope / exact - 1.0).abs() < 3e-7, "{p}: {slope:e}, exactly {exact:e}");
        }
    }
}
