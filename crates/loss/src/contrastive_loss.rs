//! Contrastive loss.
//!
#![doc = surprisal_formula_macro::math!("l = ½ [y D² + (1 - y) max(0, margin - D)²]")]
#![doc = surprisal_formula_macro::math!("D = ‖x₁ - x₂‖")]
//!
//! For learning distances from pairs: two items, mapped to rows of numbers by the same network, are drawn together where
//! they are similar, y = 1, and pushed apart where they are not, y = 0, until a margin lies between them. Without the
//! margin dissimilar pairs would fly apart for ever; without dissimilar pairs all rows would fall into one point.
//!
//! **y = 1 is similar here.** The paper, and some libraries with it, have it the other way round, Y = 1 for dissimilar:
//! with labels of that kind give 1 - Y. No message can tell: training goes on, and learns the opposite.
//!
//! [`triplet_margin_loss`](mod@crate::triplet_margin_loss) compares two distances instead, and needs no absolute measure of
//! near and far.
//!
//! # The gradient
//!
//! With respect to x₁, and its negative for x₂: `x₁ - x₂` for a similar pair; `-(margin - D) (x₁ - x₂) / D` for a
//! dissimilar one inside of the margin, and 0 outside. A dissimilar pair of equal rows has no direction to be pushed to:
//! its gradient is taken as 0.
//!
//! # In which form
//!
//! * A similar pair needs no distance: `½ D²` is a sum of squares. By way of D, equal rows would have the gradient
//!   `0 · 0 / 0`.
//! * The squares of a distance overflow in `f32` above 1.8e19, and lose digits below 1.1e-19; for dissimilar pairs rows are
//!   there scaled by powers of two, so that two rows that are 1e-25 apart are pushed apart as any others.
//! * Where D nearly equals the margin, `margin - D` is what rounding left of D; there D is computed in twice the precision.
//!
//! # Source
//!
//! Hadsell, Chopra and LeCun 2006, "Dimensionality reduction by learning an invariant mapping", equation 4, with y = 1 - Y.

use surprisal_tensor::ops::softmax::difference;
use surprisal_tensor::sum::sum_filled;
use surprisal_tensor::{Backward, Card, Forward, Op, Scalar, Shape, ShapeError, Shapes, Var, kernel};

use crate::kinds::Domain;
use crate::kinds::data::{apply, check_constant, check_not_negative};
use crate::kinds::distance::{CANCELS, Distance, MEMO, add_slopes, same_rows, scale_for};
use crate::kinds::labels::rows_and_classes;
use crate::{LossError, Reduction};

loss! {
    /// The mean over pairs of rows of half the squared distance where they are similar (target 1), and of half the square of
    /// what it lacks to a margin of 1 where they are not (target 0).
    ///
    /// `x1` and `x2` are `[rows, numbers]`, or `[numbers]` for one pair; `targets` hold 0 or 1 for each row, and are not
    /// differentiated.
    ///
    /// # Panics
    /// At the caller's line, if the shapes do not fit or are empty, or if a target is neither 0 nor 1.
    ///
    /// ```
    /// use surprisal_loss::contrastive_loss;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let x1 = tape.input(&array![[3.0, 4.0], [0.0, 0.5]]).requires_grad();
    /// let (x2, similar) = (tape.input(&array![[0.0, 0.0], [0.0, 0.0]]), tape.input(&array![1.0, 0.0]));
    /// let loss = contrastive_loss(x1, x2, similar);
    /// loss.backward();
    /// assert_eq!(loss.item(), (12.5 + 0.125) / 2.0); // ½ 5², and ½ (1 - ½)²
    /// assert_eq!(x1.grad().unwrap(), array![[1.5, 2.0], [0.0, -0.25]].into_dyn());
    /// ```
    fn contrastive_loss(x1: gradient(Number, "[rows, numbers] or [numbers]"), x2: gradient(Number, "the shape of x1"), targets: constant(Pairs, "one for each row: 1 where the pair is similar, else 0"));
    card {
        inputs: "x₁ x₂ y",
        forward: "½ [y D² + (1 - y) max(0, margin - D)²], D = ‖x₁ - x₂‖",
        backward: "dx₁ = [y - (1 - y) max(0, margin - D) / D] (x₁ - x₂) dl, dx₂ = -dx₁",
        story: "Draws similar pairs together and pushes others apart, until a margin lies between them.",
    }
    train { "needs pairs or triplets of embeddings, which a table does not have: use it in a program of your own" }
    #[derive(Clone, Copy, Debug)]
    pub struct ContrastiveLoss {
        /// How per-pair losses are reduced.
        reduction: Reduction;
        /// How far dissimilar pairs are pushed apart: 0 or more. The default is 1.
        margin: f64 = 1 in NOT_NEGATIVE, "how far dissimilar pairs are pushed apart, 0 or more";
    }
}

impl ContrastiveLoss {
    /// [`contrastive_loss()`] with these options.
    ///
    /// # Errors
    /// Where [`contrastive_loss()`] panics, and if the margin is negative or not finite.
    #[track_caller]
    pub fn try_loss<'t>(&self, x1: Var<'t>, x2: Var<'t>, targets: Var<'t>) -> Result<Var<'t>, LossError> {
        let name = ENTRY.card.name;
        check_not_negative(name, "margin", self.margin)?;
        check_constant(name, "target", targets, Domain::ZeroOrOne)?;
        apply(Fused(*self), [x1, x2, targets])
    }
}

struct Fused(ContrastiveLoss);

/// margin - D, and whether that did not cancel.
#[inline(always)]
fn gap<T: Scalar>(distance: Distance<T>, margin: T) -> (T, bool) {
    let unit = if distance.unit() < T::ONE { distance.unit() } else { T::ONE };
    let ((length, rest), margin) = (distance.times(unit), margin * unit);
    let (gap, lost) = difference(margin, length);
    let all = if gap.is_finite() { gap + (lost - rest) } else { gap };
    (all / unit, T::of(CANCELS) * gap.abs() > margin + length)
}

kernel! {
    fn pairs<T: Scalar>(x1: &[T], x2: &[T], targets: &[T], margin: T, losses: &mut [T], memo: &mut [T]) {
        let (width, half) = (x1.len() / losses.len(), T::of(0.5));
        let rows = x1.chunks_exact(width).zip(x2.chunks_exact(width)).zip(targets);
        for ((l, memo), ((x1, x2), &y)) in losses.iter_mut().zip(memo.chunks_exact_mut(MEMO)).zip(rows) {
            if y == T::ONE {
                *l = sum_filled(width, |range, squares| {
                    for ((square, &x1), &x2) in squares.iter_mut().zip(&x1[range.clone()]).zip(&x2[range]) {
                        let e = x1 - x2;
                        *square = half * e * e;
                    }
                });
                Distance::ONE.keep(T::ONE, memo);
                continue;
            }
            let mut distance = Distance::plain(x1, x2, T::ZERO);
            let (mut all, sure) = gap(distance, margin);
            if !sure || !distance.is_safe() {
                distance = Distance::careful(x1, x2, T::ZERO);
                (all, _) = gap(distance, margin);
            }
            let all = if all <= T::ZERO { T::ZERO } else { all }; // NaN stays NaN
            *l = half * all * all;
            distance.keep(-all, memo);
        }
    }
}

impl Op for Fused {
    fn card(&self) -> Card {
        ENTRY.card
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        let each = same_rows(inputs, &["x1", "x2"])?;
        let targets = inputs.shape(2);
        if targets.len() != each.len() || targets.rank() > 1 {
            let (rows, shape) = (each.len(), inputs.shape(0));
            return Err(ShapeError::new(format!(
                "the targets are {targets}, the pairs {shape}: one target is needed for each pair, [{rows}]"
            )));
        }
        Ok(self.0.reduction.shape(each))
    }
    fn memo(&self, inputs: Shapes) -> usize {
        rows_and_classes(inputs.shape(0)).0 * MEMO
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let rows = rows_and_classes(f.inputs.shape(0)).0;
        let (losses, [x1, x2, targets]) = (f.room.scratch.at_least(rows), [0, 1, 2].map(|k| f.inputs.x(k)));
        pairs(x1, x2, targets, T::of(self.0.margin), losses, f.memo);
        let count = T::of(rows as f64);
        self.0.reduction.reduce_large(losses, count, f.y, |shares| {
            // the loss is a square of lengths: with all of them smaller
            let h: T = scale_for(8.0 * rows as f64);
            let [x1, x2] = [x1, x2].map(|x| x.iter().map(|&x| x * h).collect::<Vec<_>>());
            pairs(&x1, &x2, targets, T::of(self.0.margin) * h, shares, &mut vec![T::ZERO; rows * MEMO]);
            shares.iter_mut().for_each(|l| *l = *l / h / count / h);
        });
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (memo, dy, [x1, x2]) = (b.memo, b.dy, [b.x(0), b.x(1)]);
        let factor: T = self.0.reduction.factor(T::of((memo.len() / MEMO) as f64));
        for (k, factor) in [factor, -factor].into_iter().enumerate() {
            let Some(d) = b.dx(k) else { continue };
            d.add_filled(|d, _| {
                d.fill(T::ZERO);
                add_slopes(x1, x2, T::ZERO, memo, MEMO, 0, factor, dy, d);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::equals_definition;
    use surprisal_tensor::ndarray::{Array2, ArrayD, array};
    use surprisal_tensor::{Dual, Params, Workspace};

    fn rows(salt: f64) -> ArrayD<f64> {
        Array2::from_shape_fn((6, 3), |(i, j)| ((i * 3 + j) as f64 * 1.7 + salt).sin()).into_dyn()
    }

    #[test]
    fn equals_its_definition_with_every_option() {
        let y = array![1.0, 0.0, 0.0, 1.0, 0.0, 0.0].mapv(Dual::of);
        for margin in [0.0, 0.5, 1.5, 5.0] {
            equals_definition(&[rows(0.0), rows(1.0)], |tape, x, reduction| {
                let (y, d) = (tape.input(&y), (x[0] - x[1]).norm_axis(-1));
                let gap = (margin - d).relu();
                let each = 0.5 * (y * d * d + (1.0 - y) * gap * gap);
                [ContrastiveLoss { reduction, margin }.loss(x[0], x[1], y), each]
            });
        }
    }

    /// The loss of x and 0, and the gradient of x.
    fn at(margin: f64, similar: f32, x: [f32; 2]) -> (f32, [f32; 2]) {
        let params = Params::new();
        let mut workspace = Workspace::new();
        let tape = workspace.tape(&params);
        let x = tape.input(&array![x[0], x[1]]).requires_grad();
        let zero = tape.input(&array![0.0, 0.0]);
        let l = ContrastiveLoss { margin, ..Default::default() }.loss(x, zero, tape.input(&array![similar]));
        l.backward();
        let d = x.grad().unwrap();
        (l.item() as f32, [d[0] as f32, d[1] as f32])
    }

    #[test]
    fn equal_rows_and_kinks_have_no_direction() {
        for similar in [0.0, 1.0] {
            assert_eq!(at(1.0, similar, [0.0; 2]), ((1.0 - similar) / 2.0, [0.0; 2]));
        }
        assert_eq!(at(5.0, 0.0, [3.0, 4.0]), (0.0, [0.0; 2])); // at the margin
        assert_eq!(at(6.0, 0.0, [3.0, 4.0]), (0.5, [-0.6, -0.8]));
    }

    #[test]
    fn all_sizes_are_pushed_and_drawn() {
        for x in [1e-10, 1e-25, 1e-44] {
            let (l, d) = at(1.0, 0.0, [x, -x]);
            assert!(
                (l - 0.5).abs() < 1e-7 && (d[0] + 0.5f32.sqrt()).abs() < 1e-6 && d[1] == -d[0],
                "{l} {d:?}"
            );
        }
        let (l, d) = at(3e38, 0.0, [1e38, 1e-5]);
        assert!(l == f32::INFINITY && (d[0] / -2e38 - 1.0).abs() < 1e-6 && (d[1] / -2e-5 - 1.0).abs() < 1e-6);
        assert_eq!(at(1.0, 1.0, [2e18, 0.0]), (2e36, [2e18, 0.0]));
    }

    #[test]
    fn what_rounding_takes_does_not_decide() {
        for margin in [2f32.sqrt().next_down(), 2f32.sqrt(), 2f32.sqrt().next_up()] {
            let gap = (f64::from(margin) - 2f64.sqrt()).max(0.0);
            let (l, d) = at(f64::from(margin), 0.0, [1.0, 1.0]);
            assert!(
                (f64::from(l) - gap * gap / 2.0).abs() <= 1e-5 * gap * gap,
                "{l} instead of {}",
                gap * gap / 2.0
            );
            assert!((f64::from(d[0]) + gap * 0.5f64.sqrt()).abs() <= 1e-5 * gap);
        }
    }
}
