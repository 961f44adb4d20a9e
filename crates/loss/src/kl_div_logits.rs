//! Kullback-Leibler divergence of two softmaxes.
//!
#![doc = surprisal_formula_macro::math!("KL(P‖Q) = Σ_c p_c (ln p_c - ln q_c), p = softmax(a), q = softmax(b)")]
//!
//! What it costs to expect Q where P is true, above what P costs by itself; 0 where the logits are equal but for a shift. It is how a
//! small model learns from a large one (distillation: a from the teacher, b from the student, both over a temperature), how a policy
//! is kept near its last version, and how a prediction is held steady against noise. [`kl_div`](crate::kl_div()) explains more.
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("dKL/db_i = q_i - p_i")]
#![doc = surprisal_formula_macro::math!("dKL/da_i = p_i (r_i - KL) with r_c = ln p_c - ln q_c")]
//!
//! # In which form
//!
//! Nearly equal distributions are where training ends: r is small, KL, of second order, much smaller, and all that is subtracted
//! above cancels. With `w_c = b_c - a_c`, each less its maximum:
//!
//! * `r_c = ln Σ_j p_j e^w_j - w_c`, the logarithm as `ln_1p(x)`: x is the change of the denominator, in which nearly equal logits
//!   enter by `p_j expm1(w_j)`.
//! * `KL = Σ_c p_c h(r_c)`, with `h(r) = r + expm1(-r)`: what is added is `Σ q - Σ p = 0`, and no term is negative any more. For |r| < ½, h is
//!   a series that begins with r² / 2. For logits 1e-4 apart, log_softmax and a sum give a KL below 0 in `f32` nearly every second time.
//! * `q_i - p_i = p_i expm1(-r_i)` for |r| < 1.
//! * `r_i - KL = Σ_j p_j w_j - w_i`, with the w relative to that of the most probable class k: for a confident P, KL is r_k in all digits,
//!   and what the others add to it is the whole gradient.
//! * What still cancels, in rows whose logits are nearly equal, is computed a second time around equal shares.
//!
//! # What the mean divides by
//!
//! The mean divides by the number of rows, so that it is the mean divergence: what [`kl_div`](crate::kl_div()) calls "batchmean". Its "mean", over elements,
//! is 1/C of that.
//!
//! # Source
//!
//! Kullback and Leibler 1951, "On information and sufficiency"; distillation: Hinton, Vinyals and Dean 2015; PyTorch's `kl_div` of
//! two `log_softmax`, with `log_target` and "batchmean".

use surprisal_tensor::ops::softmax::{Row, difference, exp_rows};
use surprisal_tensor::sum::sum_of;
use surprisal_tensor::{Backward, Card, Forward, Op, Scalar, Shape, ShapeError, Shapes, Var, kernel};

use crate::kinds::data::{apply, check_logits};
use crate::kinds::labels::{Labeled, rows_and_classes};
use crate::kinds::pointwise::same_shape;
use crate::kinds::rows::add_rows;
use crate::kinds::softmax_rows::{canceled, center, mean_again, means};
use crate::{LossError, Reduction};

loss! {
    /// The mean over the rows of KL(P‖Q), with P = softmax(p_logits) and Q = softmax(q_logits), in nats; both are `[rows, classes]` or
    /// `[classes]`. Both have a gradient.
    ///
    /// # Panics
    /// At the caller's line, if the shapes differ, are others, or are empty, or if one of them is the output of softmax or sigmoid.
    ///
    /// ```
    /// use surprisal_loss::kl_div_logits;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::new();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let teacher = tape.input(&array![[2.0f32, 0.0, -1.0]]);
    /// let student = tape.input(&array![[2.0f32, 0.0001, -1.0]]).requires_grad();
    /// let loss = kl_div_logits(teacher, student);
    /// loss.backward();
    /// assert!((loss.item() / 5.0579e-10 - 1.0).abs() < 1e-4); // ½ p (1 - p) 1e-8, for p = 0.114
    /// let there = tape.input(&array![0.0f32, 3.0]);
    /// let back = tape.input(&array![0.0f32, 0.0]);
    /// let [one, other] = [kl_div_logits(there, back), kl_div_logits(back, there)].map(|kl| kl.item());
    /// assert!((one - 0.502).abs() < 1e-3 && (other - 0.855).abs() < 1e-3); // KL is not symmetric
    /// ```
    fn kl_div_logits(p_logits: gradient(Number, "a: [rows, classes] or [classes]"), q_logits: gradient(Number, "b: the shape of p_logits"));
    card {
        inputs: "a b",
        forward: "Σ_c p_c (ln p_c - ln q_c), p = softmax(a), q = softmax(b)",
        backward: "da = p (ln p - ln q - KL) dl, db = (q - p) dl",
        story: "What it costs to expect Q where P is true, above what P costs by itself; exact also where Q is nearly P.",
    }
    train { "needs probabilities of all classes as targets, but a row of a table has one class: use ce" }
    #[derive(Clone, Copy, Debug)]
    pub struct KlDivLogits {
        /// How the divergences of the rows are reduced; the mean divides by the number of rows, PyTorch's "batchmean".
        reduction: Reduction among ["mean", "batchmean", "sum", "none"], "mean or batchmean (both over rows), sum, or none";
    }
}

const NAMES: Labeled = Labeled { loss: "kl_div_logits", input: "p_logits" };

impl KlDivLogits {
    /// [`kl_div_logits()`] with these options.
    ///
    /// # Errors
    /// Where [`kl_div_logits()`] panics.
    #[track_caller]
    pub fn try_loss<'t>(&self, p_logits: Var<'t>, q_logits: Var<'t>) -> Result<Var<'t>, LossError> {
        check_logits(NAMES.loss, p_logits)?;
        check_logits(NAMES.loss, q_logits)?;
        apply(Fused(*self), [p_logits, q_logits])
    }
}

struct Fused(KlDivLogits);

/// h(r) = r + e^-r - 1 for |r| < ½: r²/2 - r³/6 + .., of which r^16 / 16! is the first that is left out.
#[inline(always)]
fn series<T: Scalar>(r: T) -> T {
    let sum = (3..16).rev().fold(T::ONE, |sum, n| T::ONE - r * T::of(1.0 / f64::from(n)) * sum);
    T::of(0.5) * r * r * sum
}

/// p h(r), which is p r - p + q, and q - p.
#[inline(always)]
fn excess<T: Scalar>(p: T, q: T, r: T) -> (T, T) {
    let e = (-r).exp_m1();
    let (near, far, very_far) = (p * series(r), p * (r + e), p * r + (q - p)); // all three, so that loops vectorize
    let value = if r > T::of(-4.0) { far } else { very_far };
    let value = if r.abs() < T::of(0.5) { near } else { value };
    let slope = if r.abs() < T::ONE { p * e } else { q - p };
    if p == T::ZERO { (q, q) } else { (value, slope) } // of p = 0, r may be infinite
}

/// r of one class, for logits that are nearly equal each: ln Σ_j p_j e^v_j with v_j = w_j - w_c, as 1 + v + h(-v) for e^v.
#[cold]
fn ratio_again(n: usize, log_p: impl Fn(usize) -> f64, v: impl Fn(usize) -> f64) -> Option<f64> {
    let nearly_equal = !(0..n).any(|j| v(j).abs() >= 0.5); // of a class that both mask, v is NaN, and p is 0
    nearly_equal.then(|| (mean_again(n, &log_p, &v) + mean_again(n, &log_p, |j| series(-v(j)))).ln_1p())
}

/// Makes probabilities of exponentials e_j; what is left to know of the row is its largest logit, Σ_j e_j, and the logarithm of that.
#[inline(always)]
fn normalize<T: Scalar>(e: &mut [T], row: Row<T>) -> [T; 3] {
    for e in e.iter_mut() {
        *e = *e / row.total;
    }
    [row.max, row.total / row.top, row.log_total]
}

/// w = b - a, each less a logit of its row.
#[inline(always)]
fn differences<T: Scalar>(a: &[T], b: &[T], [of_a, of_b]: [T; 2], w: &mut [T]) {
    for ((w, &a), &b) in w.iter_mut().zip(a).zip(b) {
        let ((d_a, lost_a), (d_b, lost_b)) = (difference(a, of_a), difference(b, of_b));
        *w = (d_b - d_a) + (lost_b - lost_a);
    }
}

kernel! {
    /// Each row's divergence; p and q become `scale` times the gradients. `room` is for two numbers of every class and six of every row.
    ///
    /// What is done class by class is done for all rows at once, so that short rows vectorize too.
    fn divergences<T: Scalar>(a: &[T], b: &[T], classes: usize, scale: T, room: &mut [T], losses: &mut [T], p: &mut [T], q: &mut [T]) {
        let (r, room) = room.split_at_mut(a.len());
        let (terms, totals) = room.split_at_mut(a.len());
        for (x, e, at) in [(a, &mut *p, 0), (b, &mut *q, 3)] {
            exp_rows(x, classes, e, |i, _, e, row| totals[6 * i + at..][..3].copy_from_slice(&normalize(e, row)));
        }

        // w, instead of r
        let logits = a.chunks_exact(classes).zip(b.chunks_exact(classes));
        for ((w, (a, b)), totals) in r.chunks_exact_mut(classes).zip(logits).zip(totals.chunks_exact(6)) {
            differences(a, b, [totals[0], totals[3]], w);
        }
        // r
        for (term, w) in terms.iter_mut().zip(r.iter()) { *term = w.exp_m1() }
        let rows = r.chunks_exact_mut(classes).zip(terms.chunks_exact_mut(classes)).zip(totals.chunks_exact_mut(6));
        for (((w, terms), totals), (p, q)) in rows.zip(p.chunks_exact(classes).zip(q.chunks_exact(classes))) {
            let ratio = totals[4] / totals[1];
            for (((term, &w), &p), &q) in terms.iter_mut().zip(w.iter()).zip(p).zip(q) {
                *term = if w.abs() < T::ONE { p * *term } else { q * ratio - p };
            }
            let change = sum_of(terms);
            let log = if change.abs() < T::of(0.5) { change.ln_1p() } else { totals[5] - totals[2] };
            totals[1] = means(p, w, terms).1;
            for w in w.iter_mut() { *w = log - *w }
        }
        // the terms of KL, and the slopes by b
        for (((term, &r), &p), q) in terms.iter_mut().zip(r.iter()).zip(p.iter()).zip(q.iter_mut()) {
            let (value, slope) = excess(p, *q, r);
            (*term, *q) = (value, scale * slope);
        }

        // KL, and the slopes by a
        let logits = a.chunks_exact(classes).zip(b.chunks_exact(classes)).zip(totals.chunks_exact(6));
        let rows = r.chunks_exact_mut(classes).zip(terms.chunks_exact_mut(classes)).zip(losses);
        let slopes = p.chunks_exact_mut(classes).zip(q.chunks_exact_mut(classes));
        for ((((a, b), totals), ((r, terms), loss)), (p, q)) in logits.zip(rows).zip(slopes) {
            let (max_a, size) = (totals[0], totals[1]);
            *loss = sum_of(terms);
            let log_p = |j: usize| a[j].value() - max_a.value();
            let difference = |j: usize, i: usize| (b[j].value() - b[i].value()) - (a[j].value() - a[i].value());
            if r.iter().fold(false, |any, &r| any | canceled(r, size)) {
                for c in (0..classes).filter(|&c| canceled(r[c], size)) {
                    if let Some(r) = ratio_again(classes, log_p, |j| difference(j, c)) {
                        let slope = scale * p[c] * T::of((-r).exp_m1());
                        q[c] += T::of(slope.value() - q[c].value()); // a derivative stays what it is
                    }
                }
            }
            if loss.is_finite() {
                // w once more, less that of the most probable class
                let (w, k) = (r, a.iter().position(|&a| a == max_a).unwrap_or(0));
                differences(a, b, [a[k], b[k]], w);
                center(p, w, means(p, w, terms), scale, log_p, difference);
            } else {
                // more of a class that q has not makes it infinitely worse, and more of any other infinitely better
                for (p, &r) in p.iter_mut().zip(r.iter()) {
                    let slope = if r == *loss { r } else { *p * (r - *loss) };
                    *p = if *p == T::ZERO { T::ZERO } else { scale * slope };
                }
            }
        }
    }
}

impl Op for Fused {
    fn card(&self) -> Card {
        ENTRY.card
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        same_shape(inputs, "p_logits", "q_logits")?;
        Ok(self.0.reduction.shape(NAMES.each(inputs)?))
    }
    fn memo(&self, inputs: Shapes) -> usize {
        let (rows, classes) = rows_and_classes(inputs.shape(0));
        2 * rows * classes + rows // both gradients, which cost little more while p and q are at hand; and each row's loss
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let (rows, classes) = rows_and_classes(f.inputs.shape(0));
        let (da, rest) = f.memo.split_at_mut(rows * classes);
        let (db, losses) = rest.split_at_mut(rows * classes);
        let scale = self.0.reduction.factor(T::of(rows as f64));
        let room = f.room.scratch.at_least(2 * rows * classes + 6 * rows);
        divergences(f.inputs.x(0), f.inputs.x(1), classes, scale, room, losses, da, db);
        self.0.reduction.reduce(losses, T::of(rows as f64), f.y);
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (dy, shape) = (b.dy, b.inputs.shape(0));
        let (_, classes) = rows_and_classes(shape);
        let kept = b.memo;
        for (k, d) in kept.chunks_exact(shape.len()).take(2).enumerate() {
            if let Some(dx) = b.dx(k) {
                add_rows(dx, d, dy, classes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{equals_definition, same};
    use crate::{KlDiv, KlReduction, entropy_from_logits};
    use surprisal_tensor::ndarray::{Array, Array2, ArrayD, array};
    use surprisal_tensor::{Params, Workspace, check_gradient};

    fn logits(step: f64) -> ArrayD<f64> {
        Array2::from_shape_fn((4, 5), |(i, j)| ((i * 5 + j) as f64 * step).sin() * 3.0).into_dyn()
    }

    #[test]
    fn equals_the_divergence_of_two_softmaxes() {
        let near = logits(1.9) + logits(1.3) * 1e-3;
        let row = [array![0.5, -1.0, 2.0, 3.0].into_dyn(), array![1.0, 9.0, 2.5, 3.0].into_dyn()];
        for x in [[logits(1.9), logits(1.3)], [logits(1.9), near], [logits(1.9), logits(1.9)], row] {
            equals_definition(&x, |_, x, reduction| {
                let terms = KlDiv { reduction: KlReduction::None, log_target: true };
                let rows = terms.loss(x[1].log_softmax(-1), x[0].log_softmax(-1)).sum_axis(-1);
                [KlDivLogits { reduction }.loss(x[0], x[1]), rows]
            });
        }
    }

    #[test]
    fn from_equal_shares_it_is_what_entropy_lacks() {
        check_gradient(&[logits(1.9)], |tape, x| {
            let equal = tape.input(&Array2::from_elem((4, 5), 7.0));
            same(kl_div_logits(x[0], equal), 5f64.ln() - entropy_from_logits(x[0]))
        });
    }

    /// In `f32`, what it says of two rows: the loss and its gradients.
    fn of(a: &[f32], b: &[f32]) -> (f64, [Vec<f64>; 2]) {
        let (params, mut workspace) = (Params::new(), Workspace::new());
        let tape = workspace.tape(&params);
        let both = [a, b].map(|x| tape.input(&Array::from(x.to_vec())).requires_grad());
        let kl = kl_div_logits(both[0], both[1]);
        kl.backward();
        (kl.item(), both.map(|x| x.grad().unwrap().iter().copied().collect()))
    }

    #[test]
    fn nearly_equal_logits_keep_their_digits() {
        for x in [1e-2, 1e-4, 1e-6, 1e-12f32] {
            let exact = f64::from(x);
            // P = ⅓, and Q = ⅓ (1 + x, 1, 1 - x) but for terms of second order
            let (kl, [da, db]) = of(&[0.0, 0.0, 0.0], &[x, 0.0, -x]);
            for (computed, exact) in [
                (kl, exact * exact / 3.0),
                (da[0], -exact / 3.0),
                (db[0], exact / 3.0),
                (db[1], -exact * exact / 9.0),
            ] {
                assert!((computed / exact - 1.0).abs() < 0.02, "{x:e}: {computed:e}, exactly {exact:e}");
            }
        }
        assert_eq!(of(&[1.0, 2.0, 3.0], &[8.0, 9.0, 10.0]), (0.0, [vec![0.0; 3], vec![0.0; 3]]));
    }

    #[test]
    fn a_class_that_only_q_has_is_allowed_and_one_that_only_p_has_is_not() {
        let masked = f32::NEG_INFINITY;
        let (kl, [da, db]) = of(&[0.0, masked, masked], &[0.0, 0.0, masked]);
        assert_eq!((kl, da), (f64::from(2f32.ln()), vec![0.0; 3]));
        assert_eq!(db, [-0.5, 0.5, 0.0]);
        let (kl, [da, db]) = of(&[0.0, 0.0, masked], &[0.0, masked, masked]);
        assert_eq!((kl, da), (f64::INFINITY, vec![f64::NEG_INFINITY, f64::INFINITY, 0.0]));
        assert_eq!(db, [0.5, -0.5, 0.0]);
    }
}
