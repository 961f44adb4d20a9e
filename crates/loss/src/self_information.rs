//! Self-information: the surprise at something of probability p.
//!
#![doc = surprisal_formula_macro::math!("I(p) = -ln p")]
//!
#![doc = include_str!("../pictures/self_information.svg")]
//!
//! What was certain tells nothing, `I(1) = 0`; the rarer it was, the more it tells. Of independent events the probabilities multiply, so
//! their surprises add: the logarithm is the only smooth function that does that, up to its base. In bits, it is the length
//! of the shortest code word for the event: a model's surprise at a text is the size to which it compresses the text.
//!
//! | | p | surprise |
//! |---|---|---|
//! | expected | 0.9 | -ln 0.9 = 0.105 nats |
//! | unexpected | 0.1 | -ln 0.1 = 2.303 nats; it is 1 to base 10, and 3.322 in bits |
//! | a fair coin | 1/2 | 1 bit |
//! | one of 256 symbols | 1/256 | 8 bits: `HELLO`, five of them, costs 40 |
//!
//! Cross-entropy losses are averages of this; take it alone to look at single outcomes.
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("dI/dp = -1 / p")]
//!
//! The less probable, the more there is to gain. At p = 0 both are infinite, and nothing is clamped.
//!
//! # In which form
//!
//! `-ln p`, of the probability of what happened. Where that is known as q = 1 - p, the digits are in q: in `f32`, 1 - q is 1 for every q
//! below 3e-8, and -ln_1p(-q) is q.
//!
//! The factor of a mean comes before the division by p: in `f32`, 1 / p is infinite below 2.9e-39. Bits are nats over ln 2; of p = 2^-k they
//! are exactly k up to k = 12 in `f32` and 28 in `f64`, and beyond that right to the last digit but one.
//!
//! # Source
//!
//! Shannon 1948, "A mathematical theory of communication"; Cover and Thomas, *Elements of Information Theory* (2006), chapter 2.

use surprisal_tensor::{Card, Scalar, Var};

use crate::by_name::Curve;
use crate::kinds::data::check_probabilities;
use crate::kinds::terms::{Sum, Terms};
use crate::{Base, LossError, Reduction};

loss! {
    /// The mean over all elements of the surprise `-ln p`, in nats; p of any shape.
    ///
    /// # Panics
    /// At the caller's line, if p is empty, or if it is data and not from 0 to 1.
    ///
    /// ```
    /// use surprisal_loss::{Base, Reduction, SelfInformation, self_information};
    /// use surprisal_tensor::{Params, Workspace, ndarray::{Array, array}};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let surprise = |p: f64| self_information(tape.input(&array![p])).item();
    /// assert_eq!(format!("{:.3} {:.3}", surprise(0.9), surprise(0.1)), "0.105 2.303");
    /// let hello = tape.input(&Array::from_elem(5, 1.0 / 256.0)); // H E L L O, each one of 256 symbols
    /// let bits = SelfInformation { base: Base::Two, reduction: Reduction::None };
    /// assert_eq!(bits.loss(hello).value(), array![8.0, 8.0, 8.0, 8.0, 8.0].into_dyn());
    /// assert_eq!(bits.loss(hello).sum().item(), 40.0);
    /// ```
    fn self_information(p: gradient(Unit, "any shape, from 0 to 1"));
    card {
        inputs: "p",
        forward: "-ln p",
        backward: "dp = -dl / p",
        story: "The surprise at something of probability p: none if it was certain, without bound if it was not thought possible.",
    }
    train { "has no target, so nothing can be learned from it" }
    curve Curve::Outcome;
    #[derive(Clone, Copy, Debug)]
    pub struct SelfInformation {
        /// Nats or bits.
        base: Base;
        /// How per-element values are reduced.
        reduction: Reduction;
    }
}

impl Terms for SelfInformation {
    const CARD: Card = ENTRY.card;
    const INPUTS: &'static [&'static str] = &["p"];
    const BY_ROWS: bool = false;
    #[inline(always)]
    fn terms<T: Scalar>(&self, p: &[T], _: &[T], l: &mut [T]) {
        for (l, &p) in l.iter_mut().zip(p) {
            *l = T::ZERO - p.ln(); // -ln 1 would be -0
        }
    }
    #[inline(always)]
    fn slopes<T: Scalar>(&self, _: usize, p: &[T], _: &[T], d: &mut [T]) {
        for (d, &p) in d.iter_mut().zip(p) {
            *d = -*d / p;
        }
    }
}

impl SelfInformation {
    /// [`self_information()`] with these options.
    ///
    /// # Errors
    /// Where [`self_information()`] panics.
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
        let p = array![[0.9, 0.1, 0.5], [1.0, 0.2, 0.25]].into_dyn();
        for base in [Base::E, Base::Two] {
            equals_definition(std::slice::from_ref(&p), |_, p, reduction| {
                [SelfInformation { base, reduction }.loss(p[0]), -p[0].ln() / base.unit::<f64>()]
            });
        }
    }

    #[test]
    fn halves_are_whole_bits() {
        fn bits<T: Scalar>(p: &[f64]) -> Vec<f64> {
            let (params, mut workspace) = (Params::<T>::default(), Workspace::new());
            let tape = workspace.tape(&params);
            let p: Vec<_> = p.iter().map(|&p| T::of(p)).collect();
            let loss = SelfInformation { base: Base::Two, reduction: Reduction::None };
            loss.loss(tape.input(&Array::from(p))).value().iter().map(|bits| bits.value()).collect()
        }
        let (p, k): (Vec<_>, Vec<_>) = (0..=28).map(|k| (0.5f64.powi(k), f64::from(k))).unzip();
        assert_eq!(bits::<f64>(&p), k);
        assert_eq!(bits::<f32>(&p[..=12]), k[..=12]);
    }

    #[test]
    fn the_impossible_surprises_without_bound_and_the_rare_within() {
        let (params, mut workspace) = (Params::new(), Workspace::new());
        let tape = workspace.tape(&params);
        let p = tape.input(&array![1.0, 2e-39, 0.0]).requires_grad();
        let each = SelfInformation { reduction: Reduction::None, ..Default::default() }.loss(p).value();
        assert_eq!((each[0].to_bits(), each[2]), (0, f64::INFINITY)); // 0, not -0
        self_information(p).backward();
        let slopes = p.grad().unwrap();
        assert!((slopes[1] / -1.666_667e38 - 1.0).abs() < 1e-6, "{slopes}"); // 1 / p alone is infinite
        assert_eq!(slopes[2], f64::NEG_INFINITY);
    }
}
