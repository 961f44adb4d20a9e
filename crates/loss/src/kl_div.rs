//! Kullback-Leibler divergence.
//!
#![doc = surprisal_formula_macro::math!("KL(P‖Q) = Σ_c p_c (ln p_c - ln q_c)")]
//!
//! What it costs, in nats, to expect Q where P is true, above what P costs by itself: `KL(P‖Q) = H(P, Q) - H(P)`. It is 0 if
//! Q is P and positive otherwise, but no distance: KL(Q‖P) is another number. To train Q, KL(P‖Q) punishes every class
//! that P has and Q misses; KL(Q‖P) punishes every class that Q has and P misses.
//!
//! Take it where the target is a distribution: a teacher's, a prior, a histogram. For a fixed P its gradient is that of cross-entropy;
//! it adds a scale whose 0 means perfect. Of two sets of logits take [`kl_div_logits`](crate::kl_div_logits()).
//!
//! As in PyTorch, the order is that of predictions and targets: the input, first, is **ln q**, and the target is **p**, or ln p with
//! `log_target`. Single losses are terms, `l = p (ln p - ln q)`, of which one may be negative. So is their sum, if p and q do not
//! both sum to 1.
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("dl/dx = -p, dl/dp = ln p + 1 - x with x = ln q")]
#![doc = surprisal_formula_macro::math!("dl/dt = p (t - x + 1) with t = ln p")]
//!
//! # In which form
//!
//! * A term of p = 0 is 0 for every x but NaN. Where q is 0 too, x = -∞, the class is one that neither has, and its slopes are 0.
//! * Where x is ln p again, the difference is what rounding the logarithm lost: such terms are computed a second time, with more digits
//!   of ln p. In `f32`, p = 1/256 and x = ln p rounded give 0 in the first go, and 6e-11 in truth.
//! * e^t (t - x) as h (t - x) h with h = e^(t/2): in `f32`, e^t is 0 from t = -104 on, where t - x can be 1e30.
//!
//! # What the mean divides by
//!
//! PyTorch's `mean` divides by the number of elements, classes included, so that it is no divergence. The mathematical one is
//! [`BatchMean`](KlReduction::BatchMean), which divides by the number of rows.
//!
//! # Source
//!
//! Kullback and Leibler 1951, "On information and sufficiency"; PyTorch's `kl_div`.

use surprisal_tensor::ops::softmax::difference;
use surprisal_tensor::{Card, Scalar, Shape, Var};

use crate::kinds::Domain;
use crate::kinds::data::{check, check_log_probs};
use crate::kinds::log_ratio::log_ratios;
use crate::kinds::terms::{Sum, Terms};
use crate::kinds::yes_or_no::nothing_of;
use crate::{Base, LossError, Reduction};

loss! {
    /// The mean over all elements of `target (ln target - input)`: the input is ln q and the target p, of one shape. Both have a gradient.
    ///
    /// # Panics
    /// At the caller's line, if the shapes differ or are empty, if the input is the output of softmax or sigmoid, or if a target is data and
    /// not from 0 to 1.
    ///
    /// ```
    /// use surprisal_loss::{KlDiv, KlReduction, kl_div};
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let p = tape.input(&array![[0.5, 0.5], [1.0, 0.0]]);
    /// let log_q = tape.input(&array![[0.25, 0.75], [0.5, 0.5]]).ln().requires_grad();
    /// let each = KlDiv { reduction: KlReduction::None, ..Default::default() }.loss(log_q, p).sum_axis(-1).value();
    /// assert!((each[0] - 0.144).abs() < 1e-3); // ½ ln 2 + ½ ln ⅔
    /// assert_eq!(each[1], 2f64.ln());
    /// let rows = KlDiv { reduction: KlReduction::BatchMean, ..Default::default() }.loss(log_q, p);
    /// rows.backward();
    /// assert!((rows.item() - (each[0] + each[1]) / 2.0).abs() < 1e-15);
    /// assert_eq!(log_q.grad().unwrap(), array![[-0.25, -0.25], [-0.5, 0.0]].into_dyn()); // -p / 2
    /// assert_eq!(kl_div(log_q, p).item(), rows.item() / 2.0); // PyTorch's default divides by the 2 classes too
    /// ```
    fn kl_div(input: gradient(Number, "ln q, of any shape"), target: gradient(Unit, "p, from 0 to 1, or ln p: the shape of input"));
    card {
        inputs: "x p",
        forward: "p (ln p - x), x = ln q",
        backward: "dx = -p dl, dp = (ln p + 1 - x) dl",
        story: "What it costs to expect Q where P is true, above what P costs by itself.",
    }
    train { "needs probabilities of all classes as targets, but a row of a table has one class: use ce" }
    #[derive(Clone, Copy, Debug)]
    pub struct KlDiv {
        /// How the terms are reduced.
        reduction: KlReduction, "mean (over elements), batchmean (over rows), sum, or none";
        /// Whether the target is ln p, rather than p.
        log_target: bool = false, "whether target is ln p";
    }
}

impl Terms for KlDiv {
    const CARD: Card = ENTRY.card;
    const INPUTS: &'static [&'static str] = &["input", "target"];
    const BY_ROWS: bool = false;
    fn count(&self, shape: &Shape) -> usize {
        if self.reduction == KlReduction::BatchMean {
            *shape.dims().first().unwrap_or(&1)
        } else {
            shape.len()
        }
    }
    #[inline(always)]
    fn terms<T: Scalar>(&self, x: &[T], t: &[T], l: &mut [T]) {
        if self.log_target {
            for ((l, &x), &t) in l.iter_mut().zip(x).zip(t) {
                *l = times_exp(t, x, t - x);
            }
            return;
        }
        log_ratios(t, x, T::ZERO, l);
        for ((l, &x), &p) in l.iter_mut().zip(x).zip(t) {
            *l = if p == T::ZERO { nothing_of(x) } else { p * *l };
        }
    }
    #[inline(always)]
    fn slopes<T: Scalar>(&self, k: usize, x: &[T], t: &[T], d: &mut [T]) {
        // loops rather than closures: these would not be compiled for each instruction set
        if k == 0 {
            for (d, &t) in d.iter_mut().zip(t) {
                *d = -*d * if self.log_target { t.exp() } else { t };
            }
        } else if self.log_target {
            for ((d, &x), &t) in d.iter_mut().zip(x).zip(t) {
                let (ratio, lost) = difference(t, x);
                let lost = if lost.is_finite() { lost } else { T::ZERO }; // x may be -inf
                *d *= times_exp(t, x, (ratio + T::ONE) + lost);
            }
        } else {
            const BLOCK: usize = 128;
            for ((d, x), t) in d.chunks_mut(BLOCK).zip(x.chunks(BLOCK)).zip(t.chunks(BLOCK)) {
                let slopes = &mut [T::ZERO; BLOCK][..d.len()];
                log_ratios(t, x, T::ONE, slopes);
                for (((d, &slope), &x), &t) in d.iter_mut().zip(slopes.iter()).zip(x).zip(t) {
                    let neither = t == T::ZERO && x == T::of(f64::NEG_INFINITY);
                    *d *= if neither { T::ZERO } else { slope };
                }
            }
        }
    }
}

/// e^t a, which is 0 where e^t is, unless x is NaN.
#[inline(always)]
fn times_exp<T: Scalar>(t: T, x: T, a: T) -> T {
    let h = (t * T::of(0.5)).exp();
    if h == T::ZERO { nothing_of(x) } else { h * a * h }
}

/// How the terms are reduced of a [`KlDiv`]: its mean can be over elements or over rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KlReduction {
    /// Their sum over the number of elements, as in PyTorch: a divergence over the number of classes.
    #[default]
    Mean,
    /// Their sum over the length of the first axis: the mean divergence of a row.
    BatchMean,
    /// Their sum.
    Sum,
    /// They stay as they are, one for each element.
    None,
}

words! { KlReduction: "mean" => Mean, "batchmean" => BatchMean, "sum" => Sum, "none" => None }

impl KlDiv {
    /// [`kl_div()`] with these options.
    ///
    /// # Errors
    /// Where [`kl_div()`] panics, and if the target is data that says that it is a logarithm where `log_target` does not, or the reverse.
    #[track_caller]
    pub fn try_loss<'t>(&self, input: Var<'t>, target: Var<'t>) -> Result<Var<'t>, LossError> {
        let name = ENTRY.card.name;
        check_log_probs(name, input)?;
        let (domain, expected) = if self.log_target {
            (Domain::LogProbability, "with log_target, targets are logarithms of probabilities, at most 0")
        } else {
            (
                Domain::Probability,
                "targets are probabilities, from 0 to 1; of their logarithms, set log_target",
            )
        };
        if !target.needs_grad() {
            check(name, "target", target, domain, || expected)?;
        }
        let reduction = match self.reduction {
            KlReduction::Mean | KlReduction::BatchMean => Reduction::Mean,
            KlReduction::Sum => Reduction::Sum,
            KlReduction::None => Reduction::None,
        };
        Sum { loss: *self, base: Base::E, reduction }.record(&[input, target])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use surprisal_tensor::ndarray::{Array, ArrayD, array};
    use surprisal_tensor::{Params, Workspace, check_gradient};

    fn log_q_and_p() -> [ArrayD<f64>; 2] {
        [array![[-0.2, -1.5, -3.0], [-0.7, -4.0, 0.0]], array![[0.2, 0.5, 0.3], [1.0, 0.6, 0.03]]]
            .map(|x| x.into_dyn())
    }

    #[test]
    fn equals_its_definition_in_plain_operations() {
        for reduction in [KlReduction::Mean, KlReduction::BatchMean, KlReduction::Sum, KlReduction::None] {
            check_gradient(&log_q_and_p(), |_, x| {
                let terms = x[1] * (x[1].ln() - x[0]);
                let plain = match reduction {
                    KlReduction::Mean => terms.mean(),
                    KlReduction::BatchMean => terms.sum() / 2.0,
                    KlReduction::Sum => terms.sum(),
                    KlReduction::None => terms,
                };
                let of_probs = KlDiv { reduction, log_target: false }.loss(x[0], x[1]);
                let of_logs = KlDiv { reduction, log_target: true }.loss(x[0], x[1].ln());
                assert!((of_probs - plain).value().iter().all(|d| d.abs() < 1e-14));
                assert!((of_logs - plain).value().iter().all(|d| d.abs() < 1e-14));
                // the differences are 0 with gradient 0 everywhere; the factors make a wrong sign visible
                plain + (of_probs - plain) * 1e3 + (of_logs - plain) * 1e4
            });
        }
    }

    #[test]
    fn terms_of_probability_0_are_0_and_their_neighbors_are_not_disturbed() {
        let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
        let tape = workspace.tape(&params);
        let masked = tape.input(&array![f64::NEG_INFINITY, 0.0, -2.0]).requires_grad();
        let (p, log_p) =
            (tape.input(&array![0.0, 1.0, 0.0]), tape.input(&array![f64::NEG_INFINITY, 0.0, -1e4]));
        for (log_target, target) in [(false, p), (true, log_p)] {
            let loss = KlDiv { reduction: KlReduction::Sum, log_target }.loss(masked, target);
            assert_eq!(loss.item(), 0.0);
            loss.backward();
        }
        assert_eq!(masked.grad().unwrap(), array![0.0, -1.0, 0.0].into_dyn());
    }

    #[test]
    fn where_the_model_has_learned_p_the_rest_is_what_rounding_lost() {
        fn total<T: Scalar>(log_target: bool, log_q: f64, p: f64) -> f64 {
            let (params, mut workspace) = (Params::<T>::default(), Workspace::new());
            let tape = workspace.tape(&params);
            let [log_q, p] = [log_q, p].map(|x| tape.input(&Array::from_elem(256, T::of(x))));
            KlDiv { reduction: KlReduction::Sum, log_target }.loss(log_q, p).item().value()
        }
        let log_p = (-8.0 * std::f64::consts::LN_2) as f32;
        let lost = -8.0 * std::f64::consts::LN_2 - f64::from(log_p);
        assert!((total::<f32>(false, f64::from(log_p), 1.0 / 256.0) / lost - 1.0).abs() < 1e-6); // plainly: 0
        let lost = -8.0 * 2.319_046_813_846_3e-17;
        let log_p = -8.0 * std::f64::consts::LN_2;
        assert!((total::<f64>(false, log_p, 1.0 / 256.0) / lost - 1.0).abs() < 1e-12);
        assert_eq!(total::<f64>(true, log_p, log_p), 0.0);
    }

    #[test]
    fn a_tiny_probability_of_a_huge_surprise_counts() {
        let (params, mut workspace) = (Params::new(), Workspace::new());
        let tape = workspace.tape(&params);
        let (log_q, log_p) = (tape.input(&array![-1e30f32]), tape.input(&array![-110.0f32]));
        let loss = KlDiv { log_target: true, ..Default::default() }.loss(log_q, log_p);
        assert!((loss.item() / (1e30 * (-110f64).exp()) - 1.0).abs() < 1e-6); // e^-110 is 0 in f32
    }

    #[test]
    fn a_class_that_neither_has_is_left_out() {
        let params = Params::<f64>::default();
        let mut workspace = Workspace::new();
        for log_target in [false, true] {
            let tape = workspace.tape(&params);
            let (x, p) = (array![[0.0, f64::NEG_INFINITY]], array![[1.0, 0.0]]);
            let [x, p] = [x, if log_target { p.ln() } else { p }].map(|x| tape.input(&x).requires_grad());
            let loss = KlDiv { log_target, ..Default::default() }.loss(x, p);
            loss.backward();
            assert_eq!(loss.item(), 0.0);
            assert_eq!((x.grad().unwrap()[[0, 1]], p.grad().unwrap()[[0, 1]]), (0.0, 0.0));
        }
    }
}
