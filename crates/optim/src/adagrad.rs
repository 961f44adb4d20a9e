//! [`Adagrad`]: shorter steps where gradients have been.

use surprisal_formula_macro::math;
use surprisal_tensor::{Buf, Gradients, Params, Scalar, shared_kernel};

use crate::error::or_panic;
use crate::optimizer::{Common, Rule, for_each_span, lost_beside, remember, root};
use crate::{Hyperparameter, OptimError, Optimizer, OptimizerKind, OptimizerState, ParamGroup};

/// Adagrad: steps along the gradient, divided by the length of all gradients that this number ever had.
///
/// With learning rate η, weight decay λ and the gradient g + λθ in the place of g:
///
#[doc = math!("s ← s + g²")]
#[doc = math!("θ ← θ - η g / (√s + ε)")]
///
/// The sum s starts from 0 and only grows: what is rarely seen keeps its long steps, and all steps become shorter, like 1/√t
/// where the gradients stay as large. The first is η, however large the gradient. Where the sum should forget, see
/// [`RmsProp`](crate::RmsProp). PyTorch's `lr_decay` is a [`Schedule`](crate::Schedule)'s task.
///
/// Source: Duchi, Hazan and Singer (2011), "Adaptive subgradient methods for online learning and stochastic optimization".
///
/// ```
/// use surprisal_optim::{Adagrad, Optimizer};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
///
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![1.0]);
/// let mut workspace = Workspace::new();
/// let mut adagrad = Adagrad::new(0.1);
/// for _ in 0..4 {
///     let (_, grads) = workspace.grad(&params, |tape| 7.0 * tape.param(w).sum());
///     adagrad.step(&mut params, grads);
/// }
/// let steps = 1.0 + 1.0 / 2f64.sqrt() + 1.0 / 3f64.sqrt() + 1.0 / 2.0;
/// assert!((params[w][0] - (1.0 - 0.1 * steps)).abs() < 1e-9);
/// ```
#[derive(Clone, Debug)]
pub struct Adagrad<T: Scalar = f32> {
    common: Common,
    eps: f64,
    sum: Buf<T>,
}

impl<T: Scalar> Adagrad<T> {
    /// Adagrad with PyTorch's constants: ε = 1e-10, no decay; the learning rate is above 0.
    ///
    /// ```
    /// use surprisal_optim::{Adagrad, Optimizer};
    /// let mut adagrad = Adagrad::<f32>::new(0.01);
    /// adagrad.set_learning_rate(adagrad.learning_rate() / 2.0); // of a schedule; what it remembers stays
    /// assert_eq!(adagrad.learning_rate(), 0.005);
    /// ```
    ///
    /// # Panics
    /// Where [`try_new`](Self::try_new) is an error.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        or_panic(Self::try_new(learning_rate))
    }

    /// [`new`](Self::new), for a learning rate from outside.
    ///
    /// ```
    /// assert_eq!(
    ///     surprisal_optim::Adagrad::<f32>::try_new(0.0).unwrap_err().to_string(),
    ///     "learning rate: expected a finite number above 0, found 0.0 | 0.1 is a usual start for Sgd, 0.001 for Adam"
    /// );
    /// ```
    ///
    /// # Errors
    /// If the learning rate is not a finite number above 0.
    pub fn try_new(learning_rate: f64) -> Result<Self, OptimError> {
        Ok(Adagrad { common: Common::new(learning_rate)?, eps: 1e-10, sum: Buf::new(9) })
    }

    /// What is added to the root: above 0.
    ///
    /// ```
    /// use surprisal_optim::{Adagrad, Optimizer};
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![1.0]);
    /// # let mut workspace = Workspace::new();
    /// let (_, grads) = workspace.grad(&params, |tape| 0.5 * tape.param(w).sum());
    /// Adagrad::new(0.1).eps(0.5).step(&mut params, grads);
    /// assert_eq!(params[w][0], 0.95); // half a step where ε is as large as the gradient
    /// ```
    ///
    /// # Panics
    /// If it is not a finite number above 0, also when rounded to `T`.
    #[track_caller]
    pub fn eps(mut self, eps: f64) -> Self {
        self.eps = or_panic(Hyperparameter::Eps.check_in::<T>(eps));
        self
    }

    /// Pulls every number towards 0: adds λθ, the derivative of the penalty λθ²/2, to the gradient; λ is 0 or above.
    ///
    /// ```
    /// use surprisal_optim::{Adagrad, Optimizer};
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![1.0]);
    /// # let mut workspace = Workspace::new();
    /// let (_, grads) = workspace.grad(&params, |tape| 0.0 * tape.param(w).sum());
    /// Adagrad::new(0.1).weight_decay(0.5).step(&mut params, grads);
    /// assert!((params[w][0] - 0.9).abs() < 1e-8); // the decay alone is the gradient, and is divided by its own size
    /// ```
    ///
    /// # Panics
    /// If it is negative, infinite or NaN.
    #[track_caller]
    pub fn weight_decay(mut self, lambda: f64) -> Self {
        self.common.set_weight_decay(lambda);
        self
    }
}

shared_kernel! {
    fn adagrad<T>(rule: Rule, eps: f64 | g | theta, s) {
        let [lr, lambda] = [rule.learning_rate, rule.weight_decay].map(T::of);
        let [lost, _] = lost_beside(eps);
        let eps = T::of(eps);
        for ((theta, &g), s) in theta.iter_mut().zip(g).zip(s) {
            let g = g + lambda * *theta;
            let felt = g.or_zero_below(lost);
            *s += felt * felt;
            *theta -= lr * g / (root(*s) + eps);
        }
    }
}

impl<T: Scalar> Optimizer<T> for Adagrad<T> {
    fn try_step(&mut self, params: &mut Params<T>, grads: &Gradients<T>) -> Result<(), OptimError> {
        let Adagrad { common, eps, sum } = self;
        common.check(params, grads)?;
        remember(sum, params)?;
        for_each_span(common, params, grads, &mut **sum, |rule, theta, g, s| {
            adagrad(rule, *eps, g, theta, s)
        });
        Ok(())
    }
    fn learning_rate(&self) -> f64 {
        self.common.learning_rate()
    }
    fn set_learning_rate(&mut self, rate: f64) {
        self.common.set_learning_rate(rate);
    }
    fn set_groups(&mut self, groups: Vec<ParamGroup>) {
        self.common.set_groups(groups);
    }
    fn add_scope(&mut self, pattern: &str) {
        self.common.add_scope(pattern);
    }
    fn state(&self) -> OptimizerState<T> {
        OptimizerState::of(OptimizerKind::Adagrad, &self.common, [("sum", &self.sum)])
    }
    fn load_state(&mut self, state: &OptimizerState<T>) -> Result<(), OptimError> {
        state.restore(OptimizerKind::Adagrad, &mut self.common, [("sum", &mut self.sum)])
    }
}
