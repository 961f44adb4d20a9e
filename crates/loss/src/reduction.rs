//! From many losses to one.

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
}
