//! [`Penalty`]: a price for large weights.

use surprisal_formula_macro::math;
use surprisal_tensor::{Gradients, ParamId, Params, Scalar};

use crate::common::same_layout;
use crate::error::or_panic;
use crate::{Hyperparameter, OptimError};

/// What is added to a loss so that weights stay small: L1, L2, or both, the elastic net.
///
#[doc = math!("λ1 sum_i |θ_i| + λ2/2 sum_i θ_i²")]
///
/// whose derivative is λ1 sign(θ) + λ2 θ, with 0 for the sign of 0. The sums are over weights: trainable parameters whose name does
/// not end in "bias". L1 pulls all as strongly: those that the loss hardly needs come to 0, and rock there by ηλ1, as a step does not
/// stop at 0 itself. L2 pulls each by a share of itself; with [`Sgd`](crate::Sgd) it is its weight decay, for weights only.
///
/// Source: Zou and Hastie (2005), "Regularization and variable selection via the elastic net".
///
/// ```
/// use surprisal_optim::{Optimizer, Penalty, Sgd};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
///
/// let mut params = Params::<f64>::default();
/// let [w, b] = ["out.weight", "out.bias"].map(|name| params.add(name, &array![-4.0]));
/// let penalty = Penalty::new(0.5, 0.25);
/// assert_eq!(penalty.value(&params), 0.5 * 4.0 + 0.25 / 2.0 * 16.0);
///
/// let mut workspace = Workspace::new();
/// workspace.grad(&params, |tape| (tape.param(w) + tape.param(b)).sum());
/// penalty.add_to(workspace.grads_mut(), &params);
/// assert_eq!(workspace.grads().as_slice(), [1.0 - 0.5 - 0.25 * 4.0, 1.0]);
/// Sgd::new(0.1).step(&mut params, workspace.grads());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Penalty {
    l1: f64,
    l2: f64,
}

impl Penalty {
    /// λ1 and λ2, each 0 or above; 0 is none.
    ///
    /// See the example of [`Penalty`].
    ///
    /// # Panics
    /// If one is negative, infinite or NaN.
    #[track_caller]
    pub fn new(l1: f64, l2: f64) -> Self {
        or_panic(Self::try_new(l1, l2))
    }

    /// [`new`](Self::new), for numbers from outside.
    ///
    /// ```
    /// assert_eq!(
    ///     surprisal_optim::Penalty::try_new(-1.0, 0.0).unwrap_err().to_string(),
    ///     "l1: expected a finite number, 0 or above, found -1.0 | 0 is none, 1e-4 is usual"
    /// );
    /// ```
    ///
    /// # Errors
    /// If one is negative, infinite or NaN.
    pub fn try_new(l1: f64, l2: f64) -> Result<Self, OptimError> {
        Ok(Penalty { l1: Hyperparameter::L1.check(l1)?, l2: Hyperparameter::L2.check(l2)? })
    }

    /// The price itself, to be reported beside the loss.
    ///
    /// See the example of [`Penalty`].
    pub fn value<T: Scalar>(&self, params: &Params<T>) -> f64 {
        self.price(params, params.ids())
    }

    /// [`value`](Self::value), of the parameters that a pattern means, such as a scope's name.
    ///
    /// ```
    /// use surprisal_optim::Penalty;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let [c, g] = ["critic", "generator"].map(|net| params.scope(net).add("weight", &array![-4.0]));
    /// let penalty = Penalty::new(0.5, 0.0);
    /// assert_eq!((penalty.value_named(&params, "critic"), penalty.value(&params)), (2.0, 4.0));
    /// let mut workspace = Workspace::new();
    /// workspace.grad(&params, |tape| (tape.param(c) + tape.param(g)).sum());
    /// penalty.add_to_named(workspace.grads_mut(), &params, "critic");
    /// assert_eq!(workspace.grads().as_slice(), [0.5, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If the pattern means no parameter.
    #[track_caller]
    pub fn value_named<T: Scalar>(&self, params: &Params<T>, pattern: &str) -> f64 {
        self.price(params, or_panic(params.matching(pattern).map_err(OptimError::from)))
    }

    fn price<T: Scalar>(&self, params: &Params<T>, ids: impl IntoIterator<Item = ParamId>) -> f64 {
        let price = |theta: &T| self.l1 * theta.value().abs() + self.l2 / 2.0 * theta.value() * theta.value();
        weights(params, ids).flat_map(|id| &params[id]).map(price).sum()
    }

    /// Adds its derivative to the gradient of a loss, before the step.
    ///
    /// See the example of [`Penalty`].
    ///
    /// # Panics
    /// If the gradients are those of other parameters.
    #[track_caller]
    pub fn add_to<T: Scalar>(&self, grads: &mut Gradients<T>, params: &Params<T>) {
        self.add(grads, params, params.ids());
    }

    /// [`add_to`](Self::add_to), for the parameters that a pattern means, such as a scope's name.
    ///
    /// See the example of [`value_named`](Self::value_named).
    ///
    /// # Panics
    /// If the gradients are those of other parameters, or if the pattern means no parameter.
    #[track_caller]
    pub fn add_to_named<T: Scalar>(&self, grads: &mut Gradients<T>, params: &Params<T>, pattern: &str) {
        self.add(grads, params, or_panic(params.matching(pattern).map_err(OptimError::from)));
    }

    #[track_caller]
    fn add<T: Scalar>(
        &self,
        grads: &mut Gradients<T>,
        params: &Params<T>,
        ids: impl IntoIterator<Item = ParamId>,
    ) {
        or_panic(same_layout(params, grads));
        let [l1, l2] = [self.l1, self.l2].map(T::of);
        if self.l1 == 0.0 && self.l2 == 0.0 {
            return; // what a training without penalties does in every step
        }
        for id in weights(params, ids) {
            let pairs = grads[id].iter_mut().zip(&params[id]);
            if self.l1 == 0.0 {
                pairs.for_each(|(g, &theta)| *g += l2 * theta); // several at once, without a branch
                continue;
            }
            for (g, &theta) in pairs {
                let sign = if theta > T::ZERO {
                    T::ONE
                } else if theta < T::ZERO {
                    -T::ONE
                } else {
                    T::ZERO
                };
                *g += l1 * sign + l2 * theta;
            }
        }
    }
}

/// Those that are trainable and no biases.
fn weights<T: Scalar>(
    params: &Params<T>,
    ids: impl IntoIterator<Item = ParamId>,
) -> impl Iterator<Item = ParamId> {
    let weight = |id: &ParamId| params.is_trainable(*id) && !params.entry(*id).name.ends_with("bias");
    ids.into_iter().filter(weight)
}
