//! Supervised contrastive loss.
//!
#![doc = surprisal_formula_macro::math!("l_i = -1/|P(i)| Σ_{p ∈ P(i)} ln (e^(z_i·z_p / τ) / Σ_{a ≠ i} e^(z_i·z_a / τ))")]
//!
//! For learning a representation from class labels without a last layer for the classes. Every row z_i, an anchor, is
//! asked: which of the other rows are of your kind? Its answer is a softmax over the others, by similarity `z_i·z_a / τ`;
//! P(i) are those with its label, and the right answer is any of them. It is the cross-entropy of the target `1/|P(i)|` on
//! P(i), and is computed as that.
//!
//! With [`normalize`](SupconLoss::normalize), rows are brought to length 1, `z = x / ‖x‖`, so that the similarity is the
//! cosine of their angle. A row of zeros has no direction; it stays 0 and gets no gradient. The temperature τ says how much
//! the nearest rows count: with τ = 0.07, a cosine of 1 weighs `e^(1/τ)` = 1.6e6 times as much as one of 0. 0.07 is the
//! default of the authors' code.
//!
//! Anchors without a positive have the loss 0 and are left out of the mean, which divides by the number of those that have
//! one. Rows are single views: for several views of each item, give all of them as rows with the item's label. There is no
//! further factor τ / τ₀, as the authors' code has.
//!
//! # The gradient
//!
//! As of every softmax, predicted minus true, with respect to the similarity of i and a; and each row is both anchor and other:
//!
#![doc = surprisal_formula_macro::math!("G_ia = p_ia - [a ∈ P(i)] / |P(i)|, dZ = (G + Gᵀ) Z / τ")]
//!
//! Through the normalization the part along the row changes nothing:
//!
#![doc = surprisal_formula_macro::math!("dx = (dz - z (z·dz)) / ‖x‖")]
//!
//! # In which form
//!
//! * Not by e^(z·z / τ), which is infinite in `f32` for equal rows from τ = 0.0112 down, and without normalization much
//!   sooner. The softmax leaves its largest out of the sum, so that the loss of well separated kinds keeps every digit; the
//!   row itself is masked, not subtracted.
//! * `‖x‖` overflows in `f32` above 1.8e19 and loses digits below 1.1e-19 if it is squared as it is: such rows are scaled
//!   by a power of two.
//! * Rows that are nearly parallel are distinguished by cosines that differ in their last digits: at an angle of θ to each other the loss
//!   and its gradient have relative errors of about u / (θ² τ), as in every implementation by cosines.
//!
//! # Source
//!
//! Khosla et al. 2020, "Supervised contrastive learning", equation 2 (L_out), of which `sum` is the paper's form.

use surprisal_tensor::sum::sum_filled;
use surprisal_tensor::{Backward, Card, Forward, Op, Scalar, Shape, ShapeError, Shapes, Var, kernel};

use crate::kinds::data::check_option;
use crate::kinds::distance::{Distance, MEMO};
use crate::kinds::labels::{LabelList, Labeled};
use crate::kinds::pointwise::not_empty;
use crate::{Label, LossError, Reduction, SoftmaxCrossEntropy};

loss! {
    /// The mean over the rows, of which others have the same label, of the surprise at those, when softmax over all others says
    /// who is of a kind.
    ///
    /// `features` are `[rows, numbers]`, brought to length 1; `labels` are integers of any type, one for each row, and only
    /// compared with each other.
    ///
    /// # Panics
    /// At the caller's line, if the labels are not as many as the rows, if there are fewer than two rows, or if no two labels
    /// are equal.
    ///
    /// ```
    /// use surprisal_loss::supcon_loss;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let features = tape.input(&array![[2.0, 0.0], [5.0, 0.0], [0.0, 1.0], [0.0, 3.0]]);
    /// let loss = supcon_loss(features, &[7, 7, 4, 4]); // one other at cosine 1, two at cosine 0
    /// assert!((loss.item() / (2.0 * (-1.0 / 0.07f64).exp()).ln_1p() - 1.0).abs() < 1e-12);
    /// ```
    fn supcon_loss(features: gradient(Number, "[rows, numbers]"); labels: constant(Pairs, "one for each row: equal labels belong together"));
    card {
        inputs: "z y",
        forward: "-1/|P(i)| Σ_{p ∈ P(i)} ln softmax_{a ≠ i}(z_i·z_a / τ)_p",
        backward: "with G_ia = (softmax(z_i·z_a / τ)_a - [a ∈ P(i)] / |P(i)|) dl_i / τ: dZ = (G + Gᵀ) Z",
        story: "Every row asks which others are of its kind, by their angles; a row's own kind is drawn nearer, the rest pushed away.",
    }
    train { "is for embeddings, and predicts no class: use it in a program of your own" }
    #[derive(Clone, Copy, Debug)]
    pub struct SupconLoss {
        /// How per-anchor losses are reduced.
        reduction: Reduction;
        /// τ, finite and greater than 0. The default is 0.07.
        temperature: f64 = 0.07 in POSITIVE, "τ, greater than 0: the smaller, the more the nearest rows count";
        /// Whether rows are brought to length 1 first. By default they are.
        normalize: bool = true, "whether rows are brought to length 1";
    }
}

impl SupconLoss {
    /// [`supcon_loss()`] with these options.
    ///
    /// # Errors
    /// Where [`supcon_loss()`] panics, and if the temperature is not finite and greater than 0. That no two labels are equal is an error
    /// only where the mean is asked for.
    #[track_caller]
    pub fn try_loss<'t>(&self, features: Var<'t>, labels: &[impl Label]) -> Result<Var<'t>, LossError> {
        self.recorded(features, &labels)
    }

    #[track_caller]
    fn recorded<'t>(&self, features: Var<'t>, labels: &dyn LabelList) -> Result<Var<'t>, LossError> {
        let (name, tau, shape, tape) = (ENTRY.card.name, self.temperature, features.shape(), features.tape());
        let expected = "it is finite and greater than 0";
        check_option(name, "temperature", tau, tau > 0.0 && tau.is_finite(), expected)?;
        let wrong_shape = |message: String| LossError::shape(name, message);
        let &[rows, _] = shape.dims() else {
            return Err(wrong_shape(format!("the features are {shape}: they must be [rows, numbers]")));
        };
        Labeled { loss: name, input: "features" }.check_count(labels.len(), rows, &shape)?;
        not_empty(&shape).map_err(|message| wrong_shape(message.to_string()))?;
        if rows == 1 {
            return Err(wrong_shape(format!(
                "the batch {shape} is one row: it has no other to be compared with"
            )));
        }
        let same = |i: usize, j: usize| i != j && labels.at(i) == labels.at(j);
        let positives = |i: usize| (0..rows).filter(|&j| same(i, j)).count();
        let anchors = (0..rows).filter(|&i| (0..rows).any(|j| same(i, j))).count();
        if anchors == 0 && self.reduction == Reduction::Mean {
            let message =
                format!("all {rows} labels differ, so no row has a positive: there is nothing to average");
            return Err(LossError::data(name, message));
        }

        let z = if self.normalize { tape.apply(UnitRows, [features]) } else { features };
        let itself = tape.input_with([rows, rows], |k| f64::from(k % (rows + 1) == 0));
        let logits = itself.where_(tape.constant(f64::NEG_INFINITY), z.matmul(z.t()) / tau);
        let shares: Vec<f64> = (0..rows).map(|i| 1.0 / positives(i) as f64).collect();
        let targets = tape.input_with([rows, rows], |k| {
            let (i, j) = (k / rows, k % rows);
            if same(i, j) { shares[i] } else { 0.0 }
        });
        let each = |reduction| SoftmaxCrossEntropy { reduction, ..Default::default() };
        match self.reduction {
            Reduction::Mean => Ok(each(Reduction::Sum).try_loss(logits, targets)? / anchors as f64),
            other => each(other).try_loss(logits, targets),
        }
    }
}

/// x / ‖x‖ for every row, 0 for a row of zeros.
pub(crate) struct UnitRows;

kernel! {
    fn unit_rows<T: Scalar>(x: &[T], zeros: &[T], z: &mut [T], memo: &mut [T]) {
        let width = zeros.len();
        let rows = x.chunks_exact(width).zip(z.chunks_exact_mut(width)).zip(memo.chunks_exact_mut(MEMO));
        for ((x, z), memo) in rows {
            let mut length = Distance::plain(x, zeros, T::ZERO);
            if !length.is_safe() { length = Distance::careful(x, zeros, T::ZERO) }
            z.fill(T::ZERO);
            length.add_direction(T::ONE, x, zeros, T::ZERO, z);
            length.keep(T::ONE, memo);
        }
    }
}
kernel! {
    /// dx = (dz - z (z·dz)) / ‖x‖
    fn unit_rows_back<T: Scalar>(z: &[T], dz: &[T], memo: &[T], dx: &mut [T]) {
        let width = z.len() / (memo.len() / MEMO);
        let rows = z.chunks_exact(width).zip(dz.chunks_exact(width)).zip(dx.chunks_exact_mut(width));
        for (((z, dz), dx), memo) in rows.zip(memo.chunks_exact(MEMO)) {
            let (length, _) = Distance::kept(memo);
            let along = sum_filled(width, |range, products| {
                for ((product, &z), &dz) in products.iter_mut().zip(&z[range.clone()]).zip(&dz[range]) { *product = z * dz }
            });
            for ((dx, &z), &dz) in dx.iter_mut().zip(z).zip(dz) { *dx = length.divide(dz - z * along) }
        }
    }
}

impl Op for UnitRows {
    fn card(&self) -> Card {
        Card {
            name: "unit_rows",
            inputs: "x",
            forward: "x / ‖x‖",
            backward: "(dy - y (y·dy)) / ‖x‖",
            story: "Keeps the direction of a row and forgets its length.",
        }
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        Ok(*inputs.shape(0))
    }
    fn memo(&self, inputs: Shapes) -> usize {
        inputs.dims(0)[0] * MEMO
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let zeros = f.room.scratch.at_least(f.inputs.dims(0)[1]);
        zeros.fill(T::ZERO);
        unit_rows(f.inputs.x(0), zeros, f.y, f.memo);
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (z, dz, memo) = (b.y, b.dy, b.memo);
        let Some(dx) = b.dx(0) else { return };
        dx.add_filled(|dx, _| unit_rows_back(z, dz, memo, dx));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use surprisal_tensor::ndarray::{Array2, ArrayD, array};
    use surprisal_tensor::{Dual, Params, Workspace, check_gradient};

    const LABELS: [u8; 5] = [3, 1, 3, 3, 0]; // two anchors have no positive

    fn features() -> ArrayD<f64> {
        Array2::from_shape_fn((5, 3), |(i, j)| ((i * 3 + j) as f64 * 1.7).sin() * 2.0).into_dyn()
    }

    #[test]
    fn equals_its_definition_with_every_option() {
        let same =
            Array2::from_shape_fn((5, 5), |(i, j)| Dual::of(f64::from(i != j && LABELS[i] == LABELS[j])));
        let other = Array2::from_shape_fn((5, 5), |(i, j)| Dual::of(f64::from(i != j)));
        let positives = array![2.0, 1.0, 2.0, 2.0, 1.0].mapv(Dual::of); // 1 stands for none: there the sum is 0
        for reduction in [Reduction::None, Reduction::Sum, Reduction::Mean] {
            for (temperature, normalize) in [(0.5, true), (2.0, false)] {
                check_gradient(&[features()], |tape, x| {
                    let (x, [same, other]) = (x[0], [&same, &other].map(|x| tape.input(x)));
                    let z = if normalize { x / (x * x).sum_axis(-1).sqrt().unsqueeze(-1) } else { x };
                    let e = (z.matmul(z.t()) / temperature).exp();
                    let p = e / (e * other).sum_axis(-1).unsqueeze(-1);
                    let each = -(same * p.ln()).sum_axis(-1) / tape.input(&positives);
                    let plain = match reduction {
                        Reduction::None => each,
                        Reduction::Sum => each.sum(),
                        Reduction::Mean => each.sum() / 3.0,
                    };
                    crate::definition::same(
                        SupconLoss { reduction, temperature, normalize }.loss(x, &LABELS),
                        plain,
                    )
                });
            }
        }
    }

    #[test]
    fn lengths_of_all_sizes_are_forgotten() {
        let of = |lengths: [f32; 3]| {
            let params = Params::new();
            let mut workspace = Workspace::new();
            let tape = workspace.tape(&params);
            let x = Array2::from_shape_fn((3, 2), |(i, j)| {
                lengths[i] * [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]][i][j]
            });
            let x = tape.input(&x).requires_grad();
            let loss = supcon_loss(x, &[0, 0, 1]);
            loss.backward();
            (loss.item(), x.grad().unwrap().into_iter().skip(2).take(2).collect::<Vec<_>>())
        };
        let (loss, d) = of([1.0, 1.0, 1.0]);
        for length in [f32::MAX, 1e25, 1e-25, 1e-44] {
            let (other, e) = of([length, 1.0, length]);
            assert!((other - loss).abs() + (e[0] - d[0]).abs() + (e[1] - d[1]).abs() < 1e-6, "{length}");
        }
        assert_eq!(of([1.0, 0.0, 1.0]).1, [0.0, 0.0]); // a row of zeros
    }

    #[test]
    fn without_any_positive_the_sum_is_zero() {
        check_gradient(&[features()], |_, x| {
            let sum =
                SupconLoss { reduction: Reduction::Sum, ..Default::default() }.loss(x[0], &[0, 1, 2, 3, 4]);
            assert_eq!(sum.item(), 0.0);
            sum
        });
    }
}
