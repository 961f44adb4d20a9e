//! From many losses to one.

use surprisal_tensor::sum::{sum, sum_by};
use surprisal_tensor::{Scalar, Shape};

/// What becomes of the losses of single rows or elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduction {
    /// Their mean: the size of the gradient does not depend on the size of the batch. What it divides by stands with each loss.
    #[default]
    Mean,
    /// Their sum.
    Sum,
    /// They stay as they are, one for each row or element.
    None,
}

impl Reduction {
    /// The shape of the result, when the single losses have shape `each`.
    pub(crate) fn shape(self, each: Shape) -> Shape {
        if self == Reduction::None { each } else { Shape::SCALAR }
    }

    /// What each single loss is multiplied by, when the mean divides by `count`.
    pub(crate) fn factor<T: Scalar>(self, count: T) -> T {
        if self == Reduction::Mean { T::ONE / count } else { T::ONE }
    }

    /// Writes the result, when the mean divides by `count`.
    pub(crate) fn reduce<T: Scalar>(self, losses: &[T], count: T, y: &mut [T]) {
        match self {
            Reduction::None => y.copy_from_slice(losses),
            Reduction::Sum => y[0] = sum(losses),
            Reduction::Mean => y[0] = mean(sum(losses), count, losses.len(), |i| losses[i]),
        }
    }
}

/// The mean of n losses that count as `count`. Where their total is beyond the largest number, the mean may still be one.
#[inline(always)]
pub(crate) fn mean<T: Scalar>(total: T, count: T, n: usize, loss: impl Fn(usize) -> T) -> T {
    if total.is_finite() { total / count } else { sum_by(n, |i| loss(i) / count) }
}

#[cfg(test)]
mod tests {
    use crate::*;
    use surprisal_tensor::ndarray::array;
    use surprisal_tensor::{Params, Workspace};

    #[test]
    fn a_mean_is_a_number_where_the_sum_is_beyond_the_range() {
        let params = Params::<f32>::new();
        let mut workspace = Workspace::new();
        let tape = workspace.tape(&params);
        let is =
            |mean: f32, expected: f32| assert!((mean / expected - 1.0).abs() < 1e-6, "{mean}: {expected}");
        let signs = tape.input(&array![-1.0f32, -1.0]);
        is(squared_hinge_loss(tape.input(&array![1.5e19f32, 1.5e19]), signs).item(), 2.25e38);
        let (large, no) = (tape.input(&array![3e38f32, 3e38]), tape.input(&array![0.0f32, 0.0]));
        is(binary_cross_entropy_with_logits(large, no).item(), 3e38);
        let rows = tape.input(&array![[0.0f32, 3e38], [0.0, 3e38]]);
        is(softmax_cross_entropy(rows, &[0, 0]).item(), 3e38);
    }
}
