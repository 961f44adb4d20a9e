//! From many losses to one.

use surprisal_tensor::sum::sum;
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

    /// Writes the result of the single losses, when the mean divides by `count`.
    pub(crate) fn reduce<T: Scalar>(self, losses: &[T], count: T, y: &mut [T]) {
        match self {
            Reduction::None => y.copy_from_slice(losses),
            Reduction::Sum => y[0] = sum(losses),
            Reduction::Mean => y[0] = sum(losses) / count,
        }
    }
}
