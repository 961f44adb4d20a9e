//! Entropy of a softmax.
//!
#![doc = surprisal_formula_macro::math!("H(p) = -Σ_c p_c ln p_c, p = softmax(z)")]
//!
//! How unsure a model is, from its logits: 0 where it bets on one class, ln C where it holds all C equally probable. Subtracted from a
//! loss it keeps predictions broad (a confidence penalty, or exploration in reinforcement learning); added, it makes them sharp, also
//! where there are no labels.
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("dH/dz_i = p_i ((-ln p_i) - H)")]
//!
//! What is more surprising than the average gains. In other words, with `-ln p_i = ln Σ_j e^z_j - z_i`,
//!
#![doc = surprisal_formula_macro::math!("dH/dz_i = p_i (Σ_j p_j z_j - z_i)")]
//!
//! # In which form
//!
//! With m the largest logit, d_j = z_j - m, S = the sum of e^d_j without the largest, and `u = Σ_j p_j d_j`:
//!
//! * `H = ln_1p(S) - u`: two terms that are not negative. Softmax, then p ln p, gives 0 in `f32` from a gap of 104 on, or NaN, and
//!   for one confident class loses all digits from a gap of 17 on: its part, -p ln p, is then computed from p = 1.
//! * `dH/dz_i = p_i (u - d_i)`: the logarithm of the sum has canceled on paper. In `f32` it is more than the difference of two logits can
//!   bear: for z = (1e-30, 0) both -ln p are 0.6931472, and the gradient would be 0.
//! * Where u - d_i all but cancels, it is computed a second time around equal shares.
//!
//! # Source
//!
//! Shannon 1948; as a confidence penalty, Pereyra et al. 2017, "Regularizing neural networks by penalizing confident output
//! distributions"; without labels, Grandvalet and Bengio 2004, "Semi-supervised learning by entropy minimization".

use surprisal_tensor::ops::softmax::{difference, exp_rows};
use surprisal_tensor::{Backward, Card, Forward, Op, Scalar, Shape, ShapeError, Shapes, Var, kernel};

use crate::kinds::data::{apply, check_logits};
use crate::kinds::labels::{Labeled, rows_and_classes};
use crate::kinds::rows::add_rows;
use crate::kinds::softmax_rows::{center, means};
use crate::{Base, LossError, Reduction};

loss! {
    /// The mean over the rows of the entropy of softmax(logits), in nats; `logits` are `[rows, classes]` or `[classes]`.
    ///
    /// # Panics
    /// At the caller's line, if the logits have another shape, are empty, or are the output of softmax or sigmoid.
    ///
    /// ```
    /// use surprisal_loss::{Base, EntropyFromLogits, entropy_from_logits};
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::new();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let bits = EntropyFromLogits { base: Base::Two, ..Default::default() };
    /// assert_eq!(bits.loss(tape.input(&array![[7.0f32, 7.0, 7.0, 7.0], [9.0, 9.0, -50.0, -99.0]])).item(), 1.5); // 2 and 1
    /// let logits = tape.input(&array![0.0f32, 40.0]).requires_grad();
    /// let h = entropy_from_logits(logits);
    /// h.backward();
    /// assert!((h.item() / 1.7418e-16 - 1.0).abs() < 1e-4); // e^-40 (1 + 40); from probabilities: 1.6993e-16
    /// assert!((logits.grad().unwrap()[1] / -1.6993e-16 - 1.0).abs() < 1e-4); // its slope, -40 e^-40
    /// ```
    fn entropy_from_logits(logits: gradient(Number, "[rows, classes] or [classes]"));
    card {
        inputs: "z",
        forward: "-Σ_c p_c ln p_c, p = softmax(z)",
        backward: "dz = p (Σ_j p_j z_j - z) dl",
        story: "How unsure a model is: 0 where it bets on one class, ln C where all C are equally probable.",
    }
    train { "has no target, so nothing can be learned from it" }
    #[derive(Clone, Copy, Debug)]
    pub struct EntropyFromLogits {
        /// Nats or bits.
        base: Base;
        /// How the entropies of the rows are reduced.
        reduction: Reduction;
    }
}

const NAMES: Labeled = Labeled { loss: "entropy_from_logits", input: "logits" };

impl EntropyFromLogits {
    /// [`entropy_from_logits()`] with these options.
    ///
    /// # Errors
    /// Where [`entropy_from_logits()`] panics.
    #[track_caller]
    pub fn try_loss<'t>(&self, logits: Var<'t>) -> Result<Var<'t>, LossError> {
        check_logits(NAMES.loss, logits)?;
        apply(Fused(*self), [logits])
    }
}

struct Fused(EntropyFromLogits);

kernel! {
    /// Each row's entropy over `unit`, and `scale` times its gradient.
    fn entropies<T: Scalar>(z: &[T], classes: usize, unit: T, scale: T, u: &mut [T], terms: &mut [T], losses: &mut [T], d: &mut [T]) {
        exp_rows(z, classes, d, |i, z, e, row| {
            for ((e, u), &z) in e.iter_mut().zip(u.iter_mut()).zip(z) {
                *e = *e / row.total;
                *u = difference(z, row.max).0;
            }
            let means = means(e, u, terms);
            losses[i] = (row.log_total - means.0) / unit;
            let z = |j: usize| z[j].value();
            center(e, u, means, scale, |j| z(j) - row.max.value(), |j, i| z(j) - z(i));
        });
    }
}

impl Op for Fused {
    fn card(&self) -> Card {
        ENTRY.card
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        Ok(self.0.reduction.shape(NAMES.each(inputs)?))
    }
    fn memo(&self, inputs: Shapes) -> usize {
        let (rows, classes) = rows_and_classes(inputs.shape(0));
        rows * classes + rows // the gradient, which costs little more while p is at hand; and each row's loss
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let (rows, classes) = rows_and_classes(f.inputs.shape(0));
        let (d, losses) = f.memo.split_at_mut(rows * classes);
        let unit: T = self.0.base.unit();
        let scale = self.0.reduction.factor(T::of(rows as f64)) / unit;
        let (u, terms) = f.room.scratch.at_least(2 * classes).split_at_mut(classes);
        entropies(f.inputs.x(0), classes, unit, scale, u, terms, losses, d);
        self.0.reduction.reduce(losses, T::of(rows as f64), f.y);
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let ((rows, classes), dy) = (rows_and_classes(b.inputs.shape(0)), b.dy);
        let d = &b.memo[..rows * classes];
        if let Some(dz) = b.dx(0) {
            add_rows(dz, d, dy, classes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Entropy;
    use crate::definition::equals_definition;
    use surprisal_tensor::ndarray::{Array2, array};
    use surprisal_tensor::{Params, Workspace};

    #[test]
    fn equals_the_entropy_of_the_softmax() {
        let z = Array2::from_shape_fn((4, 5), |(i, j)| ((i * 5 + j) as f64 * 1.9).sin() * 3.0);
        for z in [z.into_dyn(), array![0.5, -1.0, 2.0].into_dyn(), array![7.0].into_dyn()] {
            for base in [Base::E, Base::Two] {
                equals_definition(std::slice::from_ref(&z), |_, z, reduction| {
                    let each = Entropy { base, reduction: Reduction::None }.loss(z[0].softmax(-1));
                    [EntropyFromLogits { base, reduction }.loss(z[0]), each]
                });
            }
        }
    }

    #[test]
    fn the_slope_of_nearly_equal_logits_is_of_second_order_in_the_middle() {
        fn slopes<T: Scalar>(x: f64) -> Vec<f64> {
            let (params, mut workspace) = (Params::<T>::default(), Workspace::new());
            let tape = workspace.tape(&params);
            let z = tape.input(&array![x, 0.0, -x].mapv(T::of)).requires_grad();
            entropy_from_logits(z).backward();
            z.grad().unwrap().iter().map(|d| d.value()).collect()
        }
        for (x, slopes) in [1e-4, 1e-6, 1e-12]
            .map(|x| (x, slopes::<f32>(x)))
            .into_iter()
            .chain([(1e-30, slopes::<f64>(1e-30))])
        {
            // p (Σ p z - z) with p = (1 + z) / 3: -x / 3 at the ends, 2 x² / 9 between
            assert!(
                (slopes[0] / (-x / 3.0) - 1.0).abs() < 1e-3 && (slopes[2] / (x / 3.0) - 1.0).abs() < 1e-3
            );
            assert!((slopes[1] / (2.0 * x * x / 9.0) - 1.0).abs() < 1e-3, "{x:e}: {slopes:?}");
        }
    }

    #[test]
    fn masked_classes_count_nothing() {
        let (params, mut workspace) = (Params::new(), Workspace::new());
        let tape = workspace.tape(&params);
        let z = tape.input(&array![[1.0, f32::NEG_INFINITY, 1.0], [-3e38, 3e38, -3e38]]).requires_grad();
        let sum = EntropyFromLogits { base: Base::Two, reduction: Reduction::Sum }.loss(z);
        sum.backward();
        assert_eq!(sum.item(), 1.0);
        assert_eq!(z.grad().unwrap().iter().filter(|&&d| d == 0.0).count(), 6);
    }
}
