//! Multi-class margin loss.
//!
#![doc = surprisal_formula_macro::math!("l = (w_y / C) Σ_{j≠y} max(0, m - x_y + x_j)^p")]
//!
//! The score of the class y that it was shall lead every other score by the margin m. Each of the others that comes nearer, or
//! leads, counts what is lacking: by itself (p = 1), or by its square (p = 2), which has no kink. A row where y leads by the
//! margin costs nothing. It is [`hinge_loss`](crate::hinge_loss()) for more than two classes. Take it where only the ranking
//! matters; [`softmax_cross_entropy`](crate::softmax_cross_entropy()) gives probabilities.
//!
//! The sum over the other classes is divided by all C classes, and the mean by the number of rows, whatever the weights: so it is
//! in PyTorch, whose weighted cross-entropy divides by the weights. A negative margin, which PyTorch takes, is refused here.
//!
//! # The gradient
//!
//! With `m_j = max(0, m - x_y + x_j)`: for p = 1, `dl/dx_j = w_y / C` where m_j > 0, else 0, and `dl/dx_y = -w_y / C` times how
//! many those are. For p = 2, `dl/dx_j = (2 w_y / C) m_j`, and `dl/dx_y` is minus their sum. At the kink it is 0.
//!
//! # In which form
//!
//! * `m + (x_j - x_y)` and not `(m - x_y) + x_j`: for m = 0.1 and equal scores of 10000 the latter is 0.09961 in `f32`.
//! * But the difference is rounded too, and for m = 1, x_y = 1, x_j = 1e-9 it is -1, and nothing seems to be lacking. What the
//!   rounding lost is known exactly (the two-sum of Knuth), and is added at the end: 1e-9.
//! * The classes that count are counted, then multiplied: adding 1/1000 in `f32` 999 times is 157 ULP off.
//!
//! # Source
//!
//! Weston and Watkins 1999, "Support vector machines for multi-class pattern recognition"; PyTorch's `multi_margin_loss`.

use surprisal_tensor::ops::softmax::difference;
use surprisal_tensor::sum::{sum_by, sum_filled, sum_of};
use surprisal_tensor::{Buf, Card, Scalar, Var, kernel};

use crate::kinds::data::{check_not_negative, check_option};
use crate::kinds::labels::{LabelList, Labeled, counted};
use crate::kinds::rows::{RowLoss, Rows, row_loss};
use crate::kinds::yes_or_no::{nothing_of, nothing_of_row};
use crate::{Label, LossError, Reduction};

loss! {
    /// The mean over the rows of `(1 / C) Σ_{j≠y} max(0, 1 - x_y + x_j)`: what the scores of the classes y, the `targets`, lack to
    /// lead by 1.
    ///
    /// `input` is `[rows, classes]` or `[classes]`; `targets` are class indices, one for each row, of any integer type.
    /// Of `[N, classes, d1, ..]`, as of the pixels of images, there is one for each of `[N, d1, ..]`, by rows.
    ///
    /// # Panics
    /// At the caller's line, if shapes do not fit or are empty, or if a label is not a class: with the row and the range.
    ///
    /// ```
    /// use surprisal_loss::multi_margin_loss;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let input = tape.input(&array![[1.0, 0.5, -2.0, 1.5]]).requires_grad();
    /// let loss = multi_margin_loss(input, &[0]);
    /// loss.backward();
    /// assert_eq!(loss.item(), 0.5); // (0.5 + 0 + 1.5) / 4
    /// assert_eq!(input.grad().unwrap(), array![[-0.5, 0.25, 0.0, 0.25]].into_dyn());
    /// ```
    fn multi_margin_loss(input: gradient(Number, "[rows, classes], [N, classes, ..] or [classes]"); targets: constant(Classes, "class indices, one for each row"));
    card {
        inputs: "x y",
        forward: "(w_y / C) Σ_{j≠y} max(0, m - x_y + x_j)^p",
        backward: "dx_j = (w_y / C) p max(0, m - x_y + x_j)^(p-1) dl, dx_y = -Σ_{j≠y} dx_j",
        story: "What the score of the true class lacks to lead every other by the margin.",
    }
    train { "multi_margin", "multi-class margin loss", ClassOfEach, ["margin", "p"] }
    weights {
        /// w: one weight for every class; a row counts that of its class. The mean divides by the number of rows all the same.
        weight: "optional: one for each class";
    }
    #[derive(Clone, Debug)]
    pub struct MultiMarginLoss {
        /// How per-row losses are reduced.
        reduction: Reduction;
        /// m: by how much the true class must lead. Finite and not negative; 1 as usual.
        margin: f64 = 1 in NOT_NEGATIVE, "how far on the right side is far enough, 0 or more";
        /// 1 (as usual), or 2 for squares.
        p: usize = 1 in ONE_OR_TWO, "1, or 2 for squares";
    }
}

impl RowLoss for MultiMarginLoss {
    const CARD: Card = ENTRY.card;
    const NAMES: Labeled = Labeled { loss: Self::CARD.name, input: "input" };
    fn rows<T: Scalar>(&self, rows: Rows<T>, scale: T, losses: &mut [T], d: &mut [T], _: &mut Buf<T>) {
        multi_margin(rows, T::of(self.margin), self.p == 2, scale, losses, d);
    }
}

kernel! {
    fn multi_margin<T: Scalar>(rows: Rows<'_, T>, margin: T, squared: bool, scale: T, losses: &mut [T], d: &mut [T]) {
        let classes = rows.classes;
        let each = rows.x.chunks_exact(classes).zip(d.chunks_exact_mut(classes)).zip(rows.labels).zip(losses);
        for (((x, d), &label), loss) in each {
            let Some((y, w)) = counted(label, rows.weight) else {
                d.fill(T::ZERO);
                *loss = nothing_of_row(x);
                continue;
            };
            // where the sum is beyond the largest number, what it is a share of may not be: once more, in halves
            let (mut h, half) = (T::ONE, T::of(0.5));
            let total = loop {
                let x_y = h * x[y];
                for (d, &x) in d.iter_mut().zip(x) {
                    let (lead, lost) = difference(h * x, x_y);
                    let lack = h * margin + lead;
                    let lack = if lead.abs() < T::of(f64::INFINITY) { lack + lost } else { lack };
                    *d = if lack <= T::ZERO { T::ZERO } else { lack }; // NaN stays NaN
                }
                d[y] = nothing_of(x_y);
                let total = if squared {
                    sum_filled(classes, |range, squares| {
                        for (s, &d) in squares.iter_mut().zip(&d[range]) { *s = d * d }
                    })
                } else {
                    sum_of(d)
                };
                if total.is_finite() || h < T::ONE { break total }
                h = half;
            };
            let share = w / T::of(classes as f64);
            *loss = if h == T::ONE {
                share * total
            } else {
                sum_by(classes, |j| if squared { share / h * d[j] * (d[j] / h) } else { share / h * d[j] })
            };
            let share = share * scale;
            if squared {
                let twice = (share + share) / h;
                for d in d.iter_mut() { *d = twice * *d }
                d[y] = -sum_of(d);
            } else {
                for d in d.iter_mut() { *d = if *d > T::ZERO { T::ONE } else { T::ZERO } }
                d[y] = -sum_of(d);
                for d in d.iter_mut() { *d = share * *d }
            }
        }
    }
}

impl MultiMarginLoss {
    /// [`multi_margin_loss`](multi_margin_loss()) with these options.
    ///
    /// # Errors
    /// Where [`multi_margin_loss`](multi_margin_loss()) panics, and if an option is out of its range, if a weight is negative or not
    /// finite, or if their number does not fit.
    #[track_caller]
    pub fn try_loss<'t>(&self, input: Var<'t>, labels: &[impl Label]) -> Result<Var<'t>, LossError> {
        self.recorded(input, &labels)
    }

    #[track_caller]
    fn recorded<'t>(&self, input: Var<'t>, labels: &dyn LabelList) -> Result<Var<'t>, LossError> {
        let (name, p) = (ENTRY.card.name, self.p);
        check_option(name, "p", p as f64, p == 1 || p == 2, "it is 1, or 2 for squares")?;
        check_not_negative(name, "margin", self.margin)?;
        let loss = MultiMarginLoss { weight: None, ..*self };
        row_loss(loss, input, labels, ("weight", &self.weight), self.reduction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::same;
    use crate::hinge_loss;
    use surprisal_tensor::ndarray::{Array2, ArrayD, array};
    use surprisal_tensor::{Dual, Params, Workspace, check_gradient};

    fn scores() -> ArrayD<f64> {
        Array2::from_shape_fn((4, 5), |(i, j)| ((i * 5 + j) as f64 * 1.9).sin() * 2.0).into_dyn()
    }

    #[test]
    fn equals_its_definition_in_plain_operations() {
        let labels = [2, 0, 4, 1];
        let one_hot = Array2::from_shape_fn((4, 5), |(i, j)| Dual::of(f64::from(labels[i] == j)));
        for p in [1, 2] {
            check_gradient(&[scores()], |tape, x| {
                let y = tape.input(&one_hot);
                let x_y = (y * x[0]).sum_axis(-1).reshape([4, 1]);
                let lack = (1.0 - x_y + x[0]).relu() * (1.0 - y);
                let plain = (if p == 2 { lack * lack } else { lack }).mean(); // over 4 rows and 5 classes
                same(MultiMarginLoss { p, ..Default::default() }.loss(x[0], &labels), plain)
            });
        }
    }

    #[test]
    fn every_option_has_the_right_gradient() {
        for reduction in crate::definition::REDUCTIONS {
            for weight in [None, Some(vec![0.5, 2.0, 0.0, 1.0, 3.0])] {
                for (p, margin) in [(1, 1.0), (1, 0.0), (2, 0.7)] {
                    let loss = MultiMarginLoss { reduction, p, margin, weight: weight.clone() };
                    check_gradient(&[scores()], |_, x| loss.loss(x[0], &[2, 3, 4, 1]));
                    check_gradient(&[array![0.5, -1.0, 2.0, 0.0, 1.0].into_dyn()], |_, x| {
                        loss.loss(x[0], &[1])
                    });
                }
            }
        }
    }

    #[test]
    fn of_two_classes_it_is_half_the_hinge_loss_of_their_difference() {
        check_gradient(&[array![[0.3, -0.5]].into_dyn()], |tape, x| {
            let difference = (x[0] * tape.input(&array![[1.0, -1.0]].mapv(Dual::of))).sum_axis(-1);
            let hinge = hinge_loss(difference, tape.input(&array![1.0].mapv(Dual::of)));
            let multi = multi_margin_loss(x[0], &[0]);
            assert!(hinge.item() > 0.1 && (multi.item() * 2.0 - hinge.item()).abs() < 1e-15);
            multi + (multi * 2.0 - hinge) * 1e3
        });
    }

    #[test]
    fn keeps_what_rounding_loses_and_what_is_beyond_the_range() {
        let params = Params::new();
        let mut workspace = Workspace::new();
        let tape = workspace.tape(&params);
        let loss = |x: [f32; 3], p| -> f32 {
            let loss = MultiMarginLoss { p, ..Default::default() };
            loss.loss(tape.input(&surprisal_tensor::ndarray::arr2(&[x])), &[0]).item() as f32
        };
        assert_eq!(loss([1.0, 1e-9, -5.0], 1), 1e-9 / 3.0);
        assert_eq!(loss([1.0, 0.0, f32::NEG_INFINITY], 1), 0.0); // at the kink; and a masked class
        assert_eq!(loss([0.0, f32::INFINITY, 0.0], 1), f32::INFINITY);
        assert!((loss([-2e38, 2e38, 2e38], 1) / 2.666_666_6e38 - 1.0).abs() < 1e-6); // every difference is beyond
        assert!((loss([0.0, 3e19, 0.0], 2) / 3e38 - 1.0).abs() < 1e-6); // its square is
        assert!(loss([0.0, f32::NAN, 0.0], 1).is_nan());
    }
}
