//! Hinge loss, for labels y that are +1 or -1 and a margin m.
//!
#![doc = surprisal_formula_macro::math!("l = max(0, m - y x)")]
//!
#![doc = include_str!("../pictures/hinge_loss.svg")]
//!
//! The score x says +1 where it is positive. An example costs nothing once it stands on the right side by the margin, `y x >= m`,
//! and one for each step that it lacks. So only the examples near the border or beyond it pull at the model: the support vectors.
//! With weight decay this is the linear support vector machine; with m = 0 it is the loss of the perceptron. Take it where the
//! side is asked for, and not a probability: how sure the model is, a score does not say here.
//! [`soft_margin_loss`](crate::soft_margin_loss()) is smooth and gives log-odds.
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("dl/dx = -y where y x < m, else 0")]
//!
//! At the kink `y x = m` it is 0. A negative margin is refused: it would allow scores on the wrong side.
//!
//! # In which form
//!
//! As it stands: y x is exact, so `m - y x` is rounded once, and the side of the kink is never mistaken. Only the maximum needs
//! care: `f32::max` of 0 and NaN is 0, and a model that has broken down would have a perfect loss. Here an input of NaN gives
//! NaN.
//!
//! # Source
//!
//! Cortes and Vapnik 1995, "Support-vector networks"; Rosenblatt 1958 for m = 0.

use surprisal_tensor::{Card, Scalar, Var};

use crate::by_name::Curve;
use crate::kinds::Domain;
use crate::kinds::data::check_not_negative;
use crate::kinds::pointwise::{Pointwise, pointwise};
use crate::{LossError, Reduction};

loss! {
    /// The mean over all elements of `max(0, 1 - y x)`, for scores x, the `input`, and labels y, the `targets`, which are +1 or -1.
    ///
    /// Both have one shape. Targets are not differentiated.
    ///
    /// # Panics
    /// At the caller's line, if the shapes differ or are empty, or if a target is not +1 or -1.
    ///
    /// ```
    /// use surprisal_loss::hinge_loss;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let input = tape.input(&array![0.5, -3.0, 2.0, -0.5]).requires_grad();
    /// let loss = hinge_loss(input, tape.input(&array![1.0, -1.0, -1.0, -1.0]));
    /// loss.backward();
    /// assert_eq!(loss.item(), 1.0); // (0.5 + 0 + 3 + 0.5) / 4
    /// assert_eq!(input.grad().unwrap(), array![-0.25, 0.0, 0.25, 0.25].into_dyn());
    /// ```
    fn hinge_loss(input: gradient(Number, "any shape"), targets: constant(Sign, "the shape of input, +1 or -1"));
    card {
        inputs: "x y",
        forward: "max(0, m - y x)",
        backward: "dx = -y dl where y x < m, else 0",
        story: "What a score lacks to stand on the right side by the margin; a score beyond it no longer counts.",
    }
    train { "hinge", "hinge loss", YesNo, ["margin"] }
    curve Curve::Logit([-1.0, 1.0]);
    #[derive(Clone, Copy, Debug)]
    pub struct HingeLoss {
        /// How per-element losses are reduced.
        reduction: Reduction;
        /// m: how far on the right side is far enough. Finite and not negative; 1 as usual, 0 for the perceptron.
        margin: f64 = 1 in NOT_NEGATIVE, "how far on the right side is far enough, 0 or more";
    }
}

/// What x lacks: max(0, margin - y x), and NaN where x is.
#[inline(always)]
pub(crate) fn lack<T: Scalar>(margin: f64, y: T, x: T) -> T {
    let lack = T::of(margin) - y * x;
    if lack <= T::ZERO { T::ZERO } else { lack }
}

impl Pointwise for HingeLoss {
    const CARD: Card = ENTRY.card;
    const TARGETS: Domain = Domain::PlusOrMinusOne;
    const TARGET_GRADIENT: bool = false;
    fn settings(&self) -> Vec<(&'static str, f64)> {
        vec![("m", self.margin)]
    }
    #[inline(always)]
    fn value<T: Scalar>(&self, x: T, y: T) -> T {
        lack(self.margin, y, x)
    }
    fn share<T: Scalar>(&self, x: T, y: T, n: T) -> T {
        lack(self.margin / n.value(), y, x / n)
    }
    #[inline(always)]
    fn slope<T: Scalar>(&self, x: T, y: T, scale: T) -> T {
        if lack(self.margin, y, x) > T::ZERO { -(scale * y) } else { T::ZERO }
    }
}

impl HingeLoss {
    /// [`hinge_loss`](hinge_loss()) with these options.
    ///
    /// # Errors
    /// Where [`hinge_loss`](hinge_loss()) panics, and if the margin is negative or not finite.
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
    use surprisal_tensor::ndarray::array;
    use surprisal_tensor::{Dual, Params, Workspace};

    #[test]
    fn equals_its_definition_in_plain_operations() {
        let x = array![[0.3, -1.2, 2.5], [-4.0, 0.1, 1.1]].into_dyn();
        let y = array![[1.0, -1.0, 1.0], [1.0, -1.0, -1.0]].mapv(Dual::of);
        for margin in [1.0, 0.0, 2.25] {
            equals_definition(std::slice::from_ref(&x), |tape, x, reduction| {
                let y = tape.input(&y);
                [HingeLoss { reduction, margin }.loss(x[0], y), (margin - y * x[0]).relu()]
            });
        }
    }

    #[test]
    fn the_kink_has_gradient_0_and_nan_stays_nan() {
        let params = Params::new();
        let mut workspace = Workspace::new();
        let tape = workspace.tape(&params);
        let x = tape.input(&array![1.0f32, -1.0, f32::NAN]).requires_grad();
        let each = HingeLoss { reduction: Reduction::None, ..Default::default() };
        let loss = each.loss(x, tape.input(&array![1.0f32, -1.0, 1.0]));
        loss.sum().backward();
        assert!(loss.value()[2].is_nan());
        assert_eq!(x.grad().unwrap().as_slice().unwrap()[..2], [0.0, 0.0]);
    }
}
