//! Losses of rows that belong to one class each, whose mean divides by a number of rows.

use surprisal_tensor::{Backward, Buf, Card, Forward, Grad, Op, Scalar, Shape, ShapeError, Shapes, Var};

use crate::kinds::data::apply_weighted;
use crate::kinds::labels::{LabelList, Labeled, by_labels, by_rows, rows_and_classes};
use crate::{LossError, Reduction};

/// A loss of one row and its class; the rest (shapes, labels, weights, reductions) is the same for all.
pub(crate) trait RowLoss: Send + 'static {
    const CARD: Card;
    /// What messages call it and its input.
    const NAMES: Labeled;
    /// What the mean divides by.
    fn count(&self, rows: usize) -> usize {
        rows
    }
    /// Writes each row's loss, and `scale` times its gradient to `d`.
    fn rows<T: Scalar>(&self, rows: Rows<T>, scale: T, losses: &mut [T], d: &mut [T], scratch: &mut Buf<T>);
}

/// What such a loss reads.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a, T> {
    pub x: &'a [T],
    pub classes: usize,
    /// One for each row.
    pub labels: &'a [T],
    /// One for each class.
    pub weight: Option<&'a [T]>,
}

/// Records the loss. Messages call the weights, one for each class, by the name given with them.
#[track_caller]
pub(crate) fn row_loss<'t, L: RowLoss>(
    loss: L,
    input: Var<'t>,
    labels: &dyn LabelList,
    weight: (&str, &Option<Vec<f64>>),
    reduction: Reduction,
) -> Result<Var<'t>, LossError> {
    let labels = L::NAMES.record(input, labels, None)?;
    let losses = apply_weighted(Fused { loss, reduction }, [by_rows(input), labels], weight)?;
    Ok(by_labels(losses, input))
}

struct Fused<L> {
    loss: L,
    reduction: Reduction,
}

impl<L: RowLoss> Op for Fused<L> {
    fn card(&self) -> Card {
        L::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        Ok(self.reduction.shape(L::NAMES.each(inputs)?))
    }
    fn memo(&self, inputs: Shapes) -> usize {
        let (rows, classes) = rows_and_classes(inputs.shape(0));
        rows * classes + rows // the gradient, which shares its work with the losses; and each row's loss
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let (rows, classes) = rows_and_classes(f.inputs.shape(0));
        let weight = (f.inputs.len() > 2).then(|| f.inputs.x(2));
        let input = Rows { x: f.inputs.x(0), classes, labels: f.inputs.x(1), weight };
        let count = T::of(self.loss.count(rows) as f64);
        let (d, losses) = f.memo.split_at_mut(rows * classes);
        let scale = self.reduction.factor(count);
        self.loss.rows(input, scale, losses, d, &mut f.room.scratch);
        self.reduction.reduce_large(losses, count, f.y, |shares| {
            let weight = smaller_weights(weight, classes, count);
            let input = Rows { weight: Some(&weight), ..input };
            self.loss.rows(input, scale, shares, &mut vec![T::ZERO; rows * classes], &mut f.room.scratch);
        });
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (rows, classes) = rows_and_classes(b.inputs.shape(0));
        let (d, dy) = (&b.memo[..rows * classes], b.dy);
        if let Some(dx) = b.dx(0) {
            add_rows(dx, d, dy, classes);
        }
    }
}

/// The weights over `count`: with them the losses are shares of a mean, which may be numbers where the losses are not.
#[cold]
pub(crate) fn smaller_weights<T: Scalar>(weight: Option<&[T]>, classes: usize, count: T) -> Vec<T> {
    match weight {
        Some(weight) => weight.iter().map(|&w| w / count).collect(),
        None => vec![T::ONE / count; classes],
    }
}

/// Adds the rows of d, times `dy`, which holds one number for all or one for each row.
pub(crate) fn add_rows<T: Scalar>(dx: Grad<T>, d: &[T], dy: &[T], classes: usize) {
    match dy {
        &[dy] => dx.add(d, |d| d * dy),
        _ => dx.add_filled(|dx, _| {
            for ((dx, d), &dy) in dx.chunks_exact_mut(classes).zip(d.chunks_exact(classes)).zip(dy) {
                dx.iter_mut().zip(d).for_each(|(dx, &d)| *dx = d * dy);
            }
        }),
    }
}
