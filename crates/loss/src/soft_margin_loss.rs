//! Soft margin loss, for labels y that are +1 or -1.
//!
#![doc = surprisal_formula_macro::math!("l = ln(1 + e^(-y x))")]
//!
#![doc = include_str!("../pictures/soft_margin_loss.svg")]
//!
//! The score x says +1 where it is positive, and `y x` is how far it stands on the right side. It is the logistic loss under
//! another name: with t = 1 for y = +1 and t = 0 for y = -1, it is
//! [`binary_cross_entropy_with_logits`](crate::binary_cross_entropy_with_logits()) of the logit x, number for number. Take it
//! where labels are signs. Beside [`hinge_loss`](crate::hinge_loss()) its margin is soft: an example on the right side still
//! counts a little, `e^(-y x)`, and no score is ever enough.
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("dl/dx = -y e^(-y x) / (1 + e^(-y x)) = -y σ(-y x)")]
//!
//! Never more than 1 in size, and near 1 wherever the sign is wrong.
//!
//! # In which form
//!
//! `softplus(-y x) = max(-y x, 0) + ln_1p(e^-|x|)`. The formula as it stands is infinite in `f32` from `y x = -88.73` on, its
//! gradient there inf / inf = NaN; and from `y x = 16.64` on it is 0, because 1 + e^(-y x) is rounded to 1. Here neither happens:
//! the loss at `y x = -200` is 200, and at `y x = 20` it is 2.06e-9.
//!
//! # Source
//!
//! Cox 1958, "The regression analysis of binary sequences"; Hastie, Tibshirani and Friedman, *The Elements of Statistical
//! Learning* (2009), 10.6; PyTorch's `soft_margin_loss`.

use surprisal_tensor::{Card, Scalar, Var};

use crate::by_name::Curve;
use crate::kinds::Domain;
use crate::kinds::pointwise::{Pointwise, pointwise};
use crate::{LossError, Reduction};

loss! {
    /// The mean over all elements of `ln(1 + e^(-y x))`, for scores x, the `input`, and labels y, the `targets`, which are +1 or -1.
    ///
    /// Both have one shape. Targets are not differentiated.
    ///
    /// # Panics
    /// At the caller's line, if the shapes differ or are empty, or if a target is not +1 or -1.
    ///
    /// ```
    /// use surprisal_loss::soft_margin_loss;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::new();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let input = tape.input(&array![200.0f32]).requires_grad();
    /// let loss = soft_margin_loss(input, tape.input(&array![-1.0]));
    /// loss.backward();
    /// assert_eq!(loss.item(), 200.0); // ln(1 + e^200), computed as written, is infinite
    /// assert_eq!(input.grad().unwrap()[0], 1.0);
    /// ```
    fn soft_margin_loss(input: gradient(Number, "any shape"), targets: constant(Sign, "the shape of input, +1 or -1"));
    card {
        inputs: "x y",
        forward: "ln(1 + e^(-y x))",
        backward: "dx = -y σ(-y x) dl",
        story: "The logistic loss of labels that are signs: the surprise at the sign y, given the log-odds of +1.",
    }
    train { "soft_margin", "soft margin loss", YesNo, [] }
    curve Curve::Logit([-1.0, 1.0]);
    #[derive(Clone, Copy, Debug)]
    pub struct SoftMarginLoss {
        /// How per-element losses are reduced.
        reduction: Reduction;
    }
}

impl Pointwise for SoftMarginLoss {
    const CARD: Card = ENTRY.card;
    const TARGETS: Domain = Domain::PlusOrMinusOne;
    const TARGET_GRADIENT: bool = false;
    #[inline(always)]
    fn value<T: Scalar>(&self, x: T, y: T) -> T {
        (-y * x).softplus()
    }
    #[inline(always)]
    fn slope<T: Scalar>(&self, x: T, y: T, scale: T) -> T {
        -(scale * y) * (-y * x).sigmoid()
    }
}

impl SoftMarginLoss {
    /// [`soft_margin_loss`](soft_margin_loss()) with these options.
    ///
    /// # Errors
    /// Where [`soft_margin_loss`](soft_margin_loss()) panics.
    #[track_caller]
    pub fn try_loss<'t>(&self, input: Var<'t>, targets: Var<'t>) -> Result<Var<'t>, LossError> {
        pointwise(*self, input, targets, self.reduction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binary_cross_entropy_with_logits;
    use crate::definition::{equals_definition, same};
    use surprisal_tensor::ndarray::array;
    use surprisal_tensor::{Dual, check_gradient};

    #[test]
    fn equals_its_definition_and_binary_cross_entropy() {
        let x = array![[0.3, -1.2, 2.5], [-4.0, 0.0, 1.0]].into_dyn();
        let y = array![[1.0, -1.0, 1.0], [1.0, -1.0, -1.0]].mapv(Dual::of);
        equals_definition(std::slice::from_ref(&x), |tape, x, reduction| {
            let y = tape.input(&y);
            [SoftMarginLoss { reduction }.loss(x[0], y), ((-y * x[0]).exp() + 1.0).ln()]
        });
        check_gradient(&[x], |tape, x| {
            let y = tape.input(&y);
            same(soft_margin_loss(x[0], y), binary_cross_entropy_with_logits(x[0], (y + 1.0) * 0.5))
        });
    }
}
