//! Cross-entropy of two distributions.
//!
#![doc = surprisal_formula_macro::math!("H(p, q) = -Σ_c p_c ln q_c")]
//!
//! Class c happens with probability p_c, and who expected q_c is then surprised by -ln q_c. The mean of that surprise is least, and is the
//! [entropy](crate::entropy()) of p, for q = p; what it is above that is the Kullback-Leibler divergence: `H(p, q) = H(p) + KL(p‖q)`.
//!
//! Where p is one-hot, it is the surprise at the one class: -ln 0.8 = 0.223 for a q that gave it 0.8, -ln 0.1 = 2.303 for one that gave
//! it 0.1. The word `HELLO`, to someone who expects all of 256 symbols equally, costs 8 bits a symbol, 40 in all; coded
//! by how often its letters occur in it, it costs their entropy, 1.92 bits each.
//!
//! Take it where both distributions are given as probabilities: tables, histograms, mixtures. With logits, use
//! [`softmax_cross_entropy`](crate::softmax_cross_entropy()), as softmax rounds to 0 and the logarithm of that is infinite.
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("dH/dq_c = -p_c / q_c, dH/dp_c = -ln q_c")]
//!
//! each number on its own: that a row sums to 1 is not known here, and it need not.
//!
//! # In which form
//!
//! * A term of p = 0 is 0, whatever q is: 0 times the infinite surprise of q = 0 would be NaN.
//! * `(p / q) s`, with s the share of the row in the mean, and `p s / q` where p / q overflows: in `f32`, 1 / q is infinite below 2.9e-39.
//! * Bits are counted term by term, so that those of `HELLO` are exactly 8 and 40.
//!
//! # Source
//!
//! Shannon 1948; Good 1952, "Rational decisions"; Cover and Thomas, *Elements of Information Theory* (2006), theorem 5.4.3.

use surprisal_tensor::{Card, Scalar, Var};

use crate::kinds::data::check_probabilities;
use crate::kinds::terms::{Sum, Terms};
use crate::kinds::yes_or_no::nothing_of;
use crate::{Base, LossError, Reduction};

loss! {
    /// The mean over the rows of `-Σ_c p_c ln q_c`, in nats; p and q are `[rows, classes]` or `[classes]`. Both have a gradient.
    ///
    /// # Panics
    /// At the caller's line, if the shapes differ, are others, or are empty, or if p or q is data and not from 0 to 1.
    ///
    /// ```
    /// use surprisal_loss::{Base, CrossEntropyProbs, Reduction, cross_entropy_probs};
    /// use surprisal_tensor::{Params, Workspace, ndarray::{Array2, array}};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let truth = tape.input(&array![0.0, 1.0, 0.0]);
    /// let good = cross_entropy_probs(truth, tape.input(&array![0.1, 0.8, 0.1])).item();
    /// let bad = cross_entropy_probs(truth, tape.input(&array![0.6, 0.1, 0.3])).item();
    /// assert_eq!(format!("{good:.3} {bad:.3}"), "0.223 2.303"); // -ln 0.8 and -ln 0.1
    ///
    /// let hello = Array2::from_shape_fn((5, 256), |(i, c)| f64::from(c == usize::from(b"HELLO"[i])));
    /// let uniform = tape.input(&Array2::from_elem((5, 256), 1.0 / 256.0));
    /// let bits = |reduction| CrossEntropyProbs { base: Base::Two, reduction }.loss(tape.input(&hello), uniform).item();
    /// assert_eq!((bits(Reduction::Mean), bits(Reduction::Sum)), (8.0, 40.0));
    /// ```
    fn cross_entropy_probs(p: gradient(Unit, "what happens: [rows, classes] or [classes], from 0 to 1"), q: gradient(Unit, "what is expected: the shape of p, from 0 to 1"));
    card {
        inputs: "p q",
        forward: "-Σ_c p_c ln q_c",
        backward: "dp = -ln q dl, dq = -p / q dl",
        story: "The expected negative log-likelihood under q where p is true: least where q is p, and then the entropy of p.",
    }
    train { "needs probabilities of all classes as targets, but a row of a table has one class: use ce" }
    #[derive(Clone, Copy, Debug)]
    pub struct CrossEntropyProbs {
        /// Nats or bits.
        base: Base;
        /// How the cross-entropies of the rows are reduced.
        reduction: Reduction;
    }
}

impl Terms for CrossEntropyProbs {
    const CARD: Card = ENTRY.card;
    const INPUTS: &'static [&'static str] = &["p", "q"];
    #[inline(always)]
    fn terms<T: Scalar>(&self, p: &[T], q: &[T], l: &mut [T]) {
        for ((l, &p), &q) in l.iter_mut().zip(p).zip(q) {
            let log = q.ln();
            *l = if p == T::ZERO { nothing_of(log) } else { -p * log };
        }
    }
    #[inline(always)]
    fn slopes<T: Scalar>(&self, k: usize, p: &[T], q: &[T], d: &mut [T]) {
        if k == 0 {
            for (d, &q) in d.iter_mut().zip(q) {
                *d = -*d * q.ln();
            }
            return;
        }
        for ((d, &p), &q) in d.iter_mut().zip(p).zip(q) {
            let ratio = p / q;
            let slope = if ratio.is_finite() || q == T::ZERO { *d * ratio } else { *d * p / q };
            *d = if p == T::ZERO { T::ZERO } else { -slope };
        }
    }
}

impl CrossEntropyProbs {
    /// [`cross_entropy_probs()`] with these options.
    ///
    /// # Errors
    /// Where [`cross_entropy_probs()`] panics.
    #[track_caller]
    pub fn try_loss<'t>(&self, p: Var<'t>, q: Var<'t>) -> Result<Var<'t>, LossError> {
        check_probabilities(ENTRY.card.name, "p", p)?;
        check_probabilities(ENTRY.card.name, "q", q)?;
        Sum { loss: *self, base: self.base, reduction: self.reduction }.record(&[p, q])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{equals_definition, same};
    use crate::{KlDiv, KlReduction, entropy, nll_loss};
    use surprisal_tensor::ndarray::{ArrayD, array};
    use surprisal_tensor::{Params, Workspace, check_gradient};

    fn p_and_q() -> [ArrayD<f64>; 2] {
        [array![[0.2, 0.5, 0.3], [1.0, 0.6, 0.03]], array![[0.1, 0.6, 0.3], [0.3, 1.0, 0.7]]]
            .map(|x| x.into_dyn())
    }

    #[test]
    fn equals_its_definition_in_plain_operations() {
        for base in [Base::E, Base::Two] {
            equals_definition(&p_and_q(), |_, x, reduction| {
                let each = -(x[0] * x[1].ln()).sum_axis(-1) / base.unit::<f64>();
                [CrossEntropyProbs { base, reduction }.loss(x[0], x[1]), each]
            });
        }
    }

    #[test]
    fn it_is_entropy_plus_divergence() {
        check_gradient(&p_and_q(), |_, x| {
            let (p, q, rows) =
                (x[0], x[1], KlDiv { reduction: KlReduction::BatchMean, ..Default::default() });
            same(cross_entropy_probs(p, q), entropy(p) + rows.loss(q.ln(), p))
        });
    }

    #[test]
    fn what_does_not_happen_counts_nothing_however_little_it_was_expected() {
        let (params, mut workspace) = (Params::new(), Workspace::new());
        let tape = workspace.tape(&params);
        let q = tape.input(&array![[0.0, 0.75, 0.25], [2e-39, 0.5, 0.5]]).requires_grad();
        let p = tape.input(&array![[0.0f32, 1.0, 0.0], [1.0, 0.0, 0.0]]);
        let loss = cross_entropy_probs(p, q);
        loss.backward();
        assert_eq!(loss.item(), nll_loss(q.ln(), &[1, 0]).item());
        let slopes = q.grad().unwrap();
        assert_eq!((slopes[[0, 0]], slopes[[0, 2]], slopes[[1, 1]]), (0.0, 0.0, 0.0));
        assert!((slopes[[1, 0]] / -2.5e38 - 1.0).abs() < 1e-6); // 1 / q alone is infinite
    }
}
