//! Squared hinge loss, for labels y that are +1 or -1 and a margin m.
//!
#![doc = surprisal_formula_macro::math!("l = max(0, m - y x)²")]
//!
#![doc = include_str!("../pictures/squared_hinge_loss.svg")]
//!
//! As [`hinge_loss`](crate::hinge_loss()), but what an example lacks counts by its square. The kink is gone: the slope falls to 0
//! as the margin is reached, so a step is small where little is lacking. The price is the other end: one label that is wrong, far
//! out on the wrong side, pulls as hard as it is far. With weight decay this is the L2 support vector machine.
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("dl/dx = -2 y max(0, m - y x)")]
//!
//! which is continuous. A negative margin is refused, as in [`hinge_loss`](crate::hinge_loss()).
//!
//! # In which form
//!
//! What is lacking first, then its square: `m² - 2 m y x + x²` cancels, and in `f32` with m = 1 it is 0 for y x = 0.9999, where
//! the loss is 1.0003e-8. The gradient of the mean as `(2 / n)` times what is lacking: twice that first would overflow at the top
//! of the range.
//!
//! # Source
//!
//! Tang 2013, "Deep learning using linear support vector machines".

use surprisal_tensor::{Card, Scalar, Var};

use crate::by_name::Curve;
use crate::hinge_loss::lack;
use crate::kinds::Domain;
use crate::kinds::data::check_not_negative;
use crate::kinds::pointwise::{Pointwise, pointwise};
use crate::{LossError, Reduction};

loss! {
    /// The mean over all elements of `max(0, 1 - y x)²`, for scores x, the `input`, and labels y, the `targets`, which are +1 or -1.
    ///
    /// Both have one shape. Targets are not differentiated.
    ///
    /// # Panics
    /// At the caller's line, if the shapes differ or are empty, or if a target is not +1 or -1.
    ///
    /// ```
    /// use surprisal_loss::squared_hinge_loss;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let input = tape.input(&array![0.5, -3.0, 2.0, -0.5]).requires_grad();
    /// let loss = squared_hinge_loss(input, tape.input(&array![1.0, -1.0, -1.0, -1.0]));
    /// loss.backward();
    /// assert_eq!(loss.item(), 2.375); // (0.25 + 0 + 9 + 0.25) / 4
    /// assert_eq!(input.grad().unwrap(), array![-0.25, 0.0, 1.5, 0.25].into_dyn());
    /// ```
    fn squared_hinge_loss(input: gradient(Number, "any shape"), targets: constant(Sign, "the shape of input, +1 or -1"));
    card {
        inputs: "x y",
        forward: "max(0, m - y x)²",
        backward: "dx = -2 y max(0, m - y x) dl",
        story: "The square of what a score lacks to the margin: no kink, and wrong labels far out pull hard.",
    }
    train { "squared_hinge", "squared hinge loss", YesNo, ["margin"] }
    curve Curve::Logit([-1.0, 1.0]);
    #[derive(Clone, Copy, Debug)]
    pub struct SquaredHingeLoss {
        /// How per-element losses are reduced.
        reduction: Reduction;
        /// m: how far on the right side is far enough. Finite and not negative; 1 as usual.
        margin: f64 = 1 in NOT_NEGATIVE, "how far on the right side is far enough, 0 or more";
    }
}

impl Pointwise for SquaredHingeLoss {
    const CARD: Card = ENTRY.card;
    const TARGETS: Domain = Domain::PlusOrMinusOne;
    const TARGET_GRADIENT: bool = false;
    fn settings(&self) -> Vec<(&'static str, f64)> {
        vec![("m", self.margin)]
    }
    #[inline(always)]
    fn value<T: Scalar>(&self, x: T, y: T) -> T {
        let lack = lack(self.margin, y, x);
        lack * lack
    }
    fn share<T: Scalar>(&self, x: T, y: T, n: T) -> T {
        let lack = lack(self.margin, y, x);
        lack * (lack / n)
    }
    #[inline(always)]
    fn slope<T: Scalar>(&self, x: T, y: T, scale: T) -> T {
        -(scale + scale) * y * lack(self.margin, y, x)
    }
}

impl SquaredHingeLoss {
    /// [`squared_hinge_loss`](squared_hinge_loss()) with these options.
    ///
    /// # Errors
    /// Where [`squared_hinge_loss`](squared_hinge_loss()) panics, and if the margin is negative or not finite.
    #[track_caller]
    pub fn try_loss<'t>(&self, input: Var<'t>, targets: Var<'t>) -> Result<Var<'t>, LossError> {
        check_not_negative(ENTRY.card.name, "margin", self.margin)?;
        pointwise(*self, input, targets, self.reduction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::equals_definition;
    use surprisal_tensor::Dual;
    use surprisal_tensor::ndarray::array;

    #[test]
    fn equals_its_definition_in_plain_operations() {
        let x = array![[0.3, -1.2, 2.5], [-4.0, 0.0, 1.0]].into_dyn();
        let y = array![[1.0, -1.0, 1.0], [1.0, -1.0, -1.0]].mapv(Dual::of);
        for margin in [1.0, 0.5, 2.25] {
            equals_definition(std::slice::from_ref(&x), |tape, x, reduction| {
                let y = tape.input(&y);
                let lack = (margin - y * x[0]).relu();
                [SquaredHingeLoss { reduction, margin }.loss(x[0], y), lack * lack]
            });
        }
    }
}
