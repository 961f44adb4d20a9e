//! Cross-entropy of the k hardest examples: the mean of the k largest `l = -ln softmax(z)_y` of a batch.
//!
//! Rows that the model has learned already teach it little, and in a mean over all rows they water down the others. This loss
//! keeps the k rows with the largest surprise and leaves the rest of the batch out: online hard example mining. Take it for large
//! batches with many easy rows. k = 1 is the worst row alone, and k = N, all rows, is
//! [`softmax_cross_entropy`](crate::softmax_cross_entropy()). The hardest rows are also those with a wrong label: in noisy data
//! it learns them first. [`softmax_focal_loss`](crate::softmax_focal_loss()) turns easy rows down instead of dropping them.
//!
//! The mean divides by k. Between equal losses at the border, the first rows are kept.
//!
//! # The gradient
//!
//! That of cross-entropy for the rows that are kept, `(softmax(z) - onehot(y)) / k`, and 0 for the others.
//!
//! # In which form
//!
//! The choice is as good as the losses it compares: `-ln(p)` is 0 in `f32` for every gap of 16.64 or more between two logits, and
//! one among many zeros would be chosen by its place. As in [`softmax_cross_entropy`](mod@crate::softmax_cross_entropy) the loss
//! is `ln_1p(S)` there, and keeps the order down to 1e-38. Losses that are equal to the last bit cannot be distinguished, though exactly
//! another may be the larger: the first row is kept. A row whose loss is NaN counts as the hardest: it is kept, and seen.
//!
//! # Source
//!
//! Shrivastava, Gupta and Girshick 2016, "Training region-based object detectors with online hard example mining"; Fan, Lyu, Ying
//! and Hu 2017, "Learning with average top-k loss".

use surprisal_tensor::{Buf, Card, Scalar, Var};

use crate::kinds::data::check_logits;
use crate::kinds::labels::{LabelList, Labeled, rows_and_classes};
use crate::kinds::rows::{RowLoss, Rows, row_loss};
use crate::softmax_cross_entropy::{itself, one_class};
use crate::{Label, LossError, Reduction};

loss! {
    of topk_cross_entropy(logits: gradient(Number, "[rows, classes], [N, classes, ..] or [classes]"); targets: constant(Classes, "class indices, one for each row"));
    card {
        inputs: "z y",
        forward: "the k largest of ln Σ_j e^z_j - z_y",
        backward: "dz = (softmax(z) - onehot(y)) dl in the rows that are kept, else 0",
        story: "The negative log-likelihood of the true class, in the k rows where it is largest: what is known already is left out.",
    }
    train { "topk", "top-k cross-entropy", ClassOfEach, ["k"] }
    #[derive(Clone, Copy, Debug)]
    pub struct TopkCrossEntropy {
        /// How per-row losses are reduced. Where they stay as they are, those of the rows that are left out are 0.
        reduction: Reduction;
        /// How many rows are kept, from 1 (the worst alone) to all.
        k: usize = 1 in AT_LEAST_ONE, "how many rows are kept, 1 to all";
    }
}

impl RowLoss for TopkCrossEntropy {
    const CARD: Card = ENTRY.card;
    const NAMES: Labeled = Labeled { loss: Self::CARD.name, input: "logits" };
    fn count(&self, _: usize) -> usize {
        self.k
    }
    fn rows<T: Scalar>(&self, rows: Rows<T>, scale: T, losses: &mut [T], d: &mut [T], scratch: &mut Buf<T>) {
        one_class(rows.x, rows.classes, rows.labels, rows.weight, itself, scale, losses, d);
        if (1..losses.len()).contains(&self.k) {
            keep_largest(self.k, losses, d, rows.classes, scratch.at_least(losses.len()));
        }
    }
}

/// Sets to 0 all but the k largest losses, and the rows of d that belong to them.
fn keep_largest<T: Scalar>(k: usize, losses: &mut [T], d: &mut [T], classes: usize, keys: &mut [T]) {
    let infinity = T::of(f64::INFINITY);
    let key = |loss: T| if loss <= infinity { loss } else { infinity }; // NaN is the largest
    keys.iter_mut().zip(losses.iter()).for_each(|(slot, &loss)| *slot = key(loss));
    let (_, &mut border, _) = keys.select_nth_unstable_by(k - 1, |a, b| b.partial_cmp(a).expect("no NaN"));
    let mut equals = k - losses.iter().filter(|&&loss| key(loss) > border).count();
    for (loss, d) in losses.iter_mut().zip(d.chunks_exact_mut(classes)) {
        let equal = key(*loss) == border && equals > 0;
        equals -= usize::from(equal);
        if !(equal || key(*loss) > border) {
            *loss = T::ZERO;
            d.fill(T::ZERO);
        }
    }
}

/// The mean of the `k` largest surprises at `labels` among the rows, when the model gives the classes probabilities
/// softmax(logits).
///
/// `logits` are `[rows, classes]` or `[classes]`; `labels` are class indices, one for each row, of any integer type.
/// Of `[N, classes, d1, ..]`, as of the pixels of images, there is one for each of `[N, d1, ..]`, by rows. `k` lies
/// between 1 and the number of rows.
///
/// # Panics
/// At the caller's line, if shapes do not fit or are empty, if a label is not a class, if k is out of its range, or if the logits
/// are the output of a softmax.
///
/// ```
/// use surprisal_loss::topk_cross_entropy;
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let params = Params::<f64>::default();
/// let mut workspace = Workspace::new();
/// let tape = workspace.tape(&params);
/// let logits = tape.input(&array![[0.0, 9.0], [0.0, 0.0], [0.0, 5.0]]).requires_grad();
/// let loss = topk_cross_entropy(logits, &[1, 0, 1], 1);
/// loss.backward();
/// assert_eq!(loss.item(), 2f64.ln()); // of the second row; the others are easy
/// assert_eq!(logits.grad().unwrap(), array![[0.0, 0.0], [-0.5, 0.5], [0.0, 0.0]].into_dyn());
/// ```
#[track_caller]
pub fn topk_cross_entropy<'t>(logits: Var<'t>, labels: &[impl Label], k: usize) -> Var<'t> {
    TopkCrossEntropy { k, ..Default::default() }.loss(logits, labels)
}

impl TopkCrossEntropy {
    /// [`topk_cross_entropy`](topk_cross_entropy()) with these options.
    ///
    /// # Errors
    /// Where [`topk_cross_entropy`](topk_cross_entropy()) panics.
    #[track_caller]
    pub fn try_loss<'t>(&self, logits: Var<'t>, labels: &[impl Label]) -> Result<Var<'t>, LossError> {
        self.recorded(logits, &labels)
    }

    #[track_caller]
    fn recorded<'t>(&self, logits: Var<'t>, labels: &dyn LabelList) -> Result<Var<'t>, LossError> {
        let (name, k) = (ENTRY.card.name, self.k);
        check_logits(name, logits)?;
        let loss = row_loss(*self, logits, labels, ("weight", &None), self.reduction)?;
        let (rows, _) = rows_and_classes(&logits.shape());
        if !(1..=rows).contains(&k) {
            let expected = "expected 1 to the number of rows; use k.min(rows) if the last batch is smaller";
            return Err(LossError::option(name, format!("k is {k}, of {rows} rows: {expected}")));
        }
        Ok(loss)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::same;
    use crate::{SoftmaxCrossEntropy, softmax_cross_entropy};
    use surprisal_tensor::ndarray::{Array1, Array2, ArrayD, array};
    use surprisal_tensor::{Dual, Params, Workspace, check_gradient};

    fn logits() -> ArrayD<f64> {
        Array2::from_shape_fn((4, 5), |(i, j)| ((i * 5 + j) as f64 * 1.9).sin() * 3.0).into_dyn()
    }

    #[test]
    fn equals_cross_entropy_of_the_rows_that_are_hardest() {
        let labels = [2, 0, 4, 1];
        let each = SoftmaxCrossEntropy { reduction: Reduction::None, ..Default::default() };
        let mut workspace = Workspace::new();
        let losses =
            workspace.eval(&Params::<f64>::default(), |tape| each.loss(tape.input(&logits()), &labels));
        let mut order = [0, 1, 2, 3];
        order.sort_by(|&a, &b| losses[b].total_cmp(&losses[a]));
        for k in 1..=4 {
            let kept = Array1::from_shape_fn(4, |row| Dual::of(f64::from(order[..k].contains(&row))));
            check_gradient(&[logits()], |tape, x| {
                let plain = each.loss(x[0], &labels) * tape.input(&kept);
                let top = |reduction| TopkCrossEntropy { reduction, k }.loss(x[0], &labels);
                let mean = (plain.sum() / k as f64 - topk_cross_entropy(x[0], &labels, k)) * 1e3;
                let sum = (plain.sum() - top(Reduction::Sum)) * 1e4;
                assert!((mean.item()).abs() < 1e-11 && sum.item().abs() < 1e-10);
                top(Reduction::None) + mean + sum + (plain - top(Reduction::None)) * 1e5
            });
        }
    }

    #[test]
    fn of_all_rows_it_is_cross_entropy() {
        check_gradient(&[logits()], |_, x| {
            let top = topk_cross_entropy(x[0], &[2, 0, 4, 1], 4);
            same(top, softmax_cross_entropy(x[0], &[2, 0, 4, 1]))
        });
        check_gradient(&[array![0.5, -1.0, 2.0].into_dyn()], |_, x| topk_cross_entropy(x[0], &[1], 1));
    }

    #[test]
    fn equal_losses_are_kept_from_the_first_and_nan_is_seen() {
        let kept = |logits: Array2<f32>, k| {
            let loss = TopkCrossEntropy { reduction: Reduction::None, k };
            let rows = logits.nrows();
            let each =
                Workspace::new().eval(&Params::new(), |tape| loss.loss(tape.input(&logits), &vec![0; rows]));
            each.iter().map(|&l| l != 0.0).collect::<Vec<_>>()
        };
        assert_eq!(
            kept(array![[0.0, 0.0], [1.0, 1.0], [0.0, 9.0], [2.0, 2.0]], 3),
            [true, true, true, false]
        );
        assert_eq!(kept(array![[0.0, 1e30], [f32::NAN, 0.0], [0.0, 0.0]], 2), [true, true, false]);
        // losses of 1e-13: all three are 0 where softmax is followed by a logarithm
        assert_eq!(kept(array![[30.0, 0.0], [29.0, 0.0], [31.0, 0.0]], 1), [false, true, false]);
    }
}
