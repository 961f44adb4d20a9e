//! [`AdamW`]: Adam, with a weight decay that stays out of its division.

use surprisal_formula_macro::math;
use surprisal_tensor::{Gradients, Params, Scalar};

use crate::adam::Adam;
use crate::{OptimError, Optimizer, OptimizerState, ParamGroup};

/// [`Adam`] that decays every number by the same share.
///
/// With learning rate η and weight decay λ, a step is
///
#[doc = math!("θ ← θ - η λ θ - η m̂ / (√v̂ + ε)")]
///
/// with Adam's m̂ and v̂ of the gradient alone. In [`Adam`] the decay is part of the gradient and divided as it is: a number
/// with large gradients hardly decays. Here the two are decoupled.
///
/// Source: Loshchilov and Hutter (2019), "Decoupled weight decay regularization", algorithm 2; η in front of λ as in PyTorch.
///
/// ```
/// use surprisal_optim::{Adam, AdamW, Optimizer};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
///
/// let steep_and_flat = array![1000.0, 0.001];
/// let stepped = |optimizer: &mut dyn Optimizer<f64>| {
///     let mut params = Params::default();
///     let w = params.add("w", &array![1.0, 1.0]);
///     let mut workspace = Workspace::new();
///     let (_, grads) = workspace.grad(&params, |tape| (tape.input(&steep_and_flat) * tape.param(w)).sum());
///     optimizer.step(&mut params, grads);
///     params[w].to_vec()
/// };
/// let is = |found: Vec<f64>, w: f64| found.iter().all(|v| (v - w).abs() < 1e-5);
/// assert!(is(stepped(&mut AdamW::new(0.1).weight_decay(0.5)), 0.85)); // one learning rate, and 0.1 · 0.5 of itself
/// assert!(is(stepped(&mut Adam::new(0.1).weight_decay(0.5)), 0.9)); // the decay is gone: divided by itself
/// ```
#[derive(Clone, Debug)]
pub struct AdamW<T: Scalar = f32>(Adam<T>);

impl<T: Scalar> AdamW<T> {
    /// AdamW with PyTorch's constants: β1 = 0.9, β2 = 0.999, ε = 1e-8, λ = 0.01; the learning rate is above 0.
    ///
    /// ```
    /// use surprisal_optim::{AdamW, Optimizer};
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![1.0]);
    /// # let mut workspace = Workspace::new();
    /// let (_, grads) = workspace.grad(&params, |tape| 0.0 * tape.param(w).sum());
    /// AdamW::new(0.1).step(&mut params, grads);
    /// assert_eq!(params[w][0], 0.999); // without a gradient only the decay is left, 0.1 · 0.01
    /// ```
    ///
    /// # Panics
    /// Where [`try_new`](Self::try_new) is an error.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        AdamW(Adam::new(learning_rate).decoupled()).weight_decay(0.01)
    }

    /// [`new`](Self::new), for a learning rate from outside.
    ///
    /// ```
    /// assert_eq!(
    ///     surprisal_optim::AdamW::<f32>::try_new(f64::NAN).unwrap_err().to_string(),
    ///     "learning rate: expected a finite number above 0, found NaN | 0.1 is a usual start for Sgd, 0.001 for Adam"
    /// );
    /// ```
    ///
    /// # Errors
    /// If the learning rate is not a finite number above 0.
    pub fn try_new(learning_rate: f64) -> Result<Self, OptimError> {
        Ok(AdamW(Adam::try_new(learning_rate)?.decoupled()).weight_decay(0.01))
    }

    /// How much of the mean and of the mean square stays at each step: both from 0 to below 1.
    ///
    /// See the example of [`Adam::betas`].
    ///
    /// # Panics
    /// If one is out of range.
    #[track_caller]
    pub fn betas(self, beta1: f64, beta2: f64) -> Self {
        AdamW(self.0.betas(beta1, beta2))
    }

    /// What is added to the root: above 0.
    ///
    /// See the example of [`Adam::eps`].
    ///
    /// # Panics
    /// If it is not a finite number above 0, also when rounded to `T`.
    #[track_caller]
    pub fn eps(self, eps: f64) -> Self {
        AdamW(self.0.eps(eps))
    }

    /// Pulls every number towards 0, by ηλ of itself at each step; λ is 0 or above.
    ///
    /// ```
    /// use surprisal_optim::{AdamW, Optimizer};
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![2.0]);
    /// # let mut workspace = Workspace::new();
    /// let (_, grads) = workspace.grad(&params, |tape| 0.0 * tape.param(w).sum());
    /// AdamW::new(0.5).weight_decay(0.5).step(&mut params, grads);
    /// assert_eq!(params[w][0], 1.5); // less a quarter of itself
    /// ```
    ///
    /// # Panics
    /// If it is negative, infinite or NaN.
    #[track_caller]
    pub fn weight_decay(self, lambda: f64) -> Self {
        AdamW(self.0.weight_decay(lambda))
    }
}

impl<T: Scalar> Optimizer<T> for AdamW<T> {
    fn try_step(&mut self, params: &mut Params<T>, grads: &Gradients<T>) -> Result<(), OptimError> {
        self.0.try_step(params, grads)
    }
    fn learning_rate(&self) -> f64 {
        self.0.learning_rate()
    }
    fn set_learning_rate(&mut self, rate: f64) {
        self.0.set_learning_rate(rate);
    }
    fn set_groups(&mut self, groups: Vec<ParamGroup>) {
        self.0.set_groups(groups);
    }
    fn add_scope(&mut self, pattern: &str) {
        self.0.add_scope(pattern);
    }
    fn state(&self) -> OptimizerState<T> {
        self.0.state()
    }
    fn load_state(&mut self, state: &OptimizerState<T>) -> Result<(), OptimError> {
        self.0.load_state(state)
    }
}
