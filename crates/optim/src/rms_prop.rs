//! [`RmsProp`]: the gradient, measured by the size it usually has.

use surprisal_formula_macro::math;
use surprisal_tensor::{Buf, Gradients, Params, Scalar, shared_kernel};

use crate::error::or_panic;
use crate::optimizer::{Common, Rule, for_each_span, lost_beside, moving, remember, root};
use crate::{Hyperparameter, OptimError, Optimizer, OptimizerKind, OptimizerState, ParamGroup};

/// RMSprop: steps along the gradient, divided by the size that gradients of this number usually have.
///
/// With learning rate η, weight decay λ and the gradient g + λθ in the place of g:
///
#[doc = math!("v ← α v + (1 - α) g²")]
#[doc = math!("θ ← θ - η g / (√v + ε)")]
///
/// The mean square v starts from 0. With [`momentum`](Self::momentum) μ, m too starts from 0:
///
#[doc = math!("m ← μ m + g / (√v + ε), θ ← θ - η m")]
///
/// The start of v from 0 is not undone, as [`Adam`](crate::Adam) does: the first step is η / √(1 - α), ten times η.
/// ε stands outside of the root, as in PyTorch.
///
/// Source: Tieleman and Hinton (2012), "Neural networks for machine learning", lecture 6.5.
///
/// ```
/// use surprisal_optim::{Optimizer, RmsProp};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
///
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![1.0, 1.0]);
/// let steep_and_flat = array![1000.0, 0.001];
/// let mut workspace = Workspace::new();
/// let (_, grads) = workspace.grad(&params, |tape| (tape.input(&steep_and_flat) * tape.param(w)).sum());
/// RmsProp::new(0.01).step(&mut params, grads);
/// assert!(params[w].iter().all(|w| (w - 0.9).abs() < 1e-4)); // steep or flat: ten learning rates
/// ```
#[derive(Clone, Debug)]
pub struct RmsProp<T: Scalar = f32> {
    common: Common,
    options: Options,
    square: Buf<T>,
    velocity: Buf<T>, // empty without momentum
}

#[derive(Clone, Copy, Debug)]
struct Options {
    alpha: f64,
    eps: f64,
    momentum: f64,
}

impl<T: Scalar> RmsProp<T> {
    /// RMSprop with PyTorch's constants: α = 0.99, ε = 1e-8, no momentum, no decay; the learning rate is above 0.
    ///
    /// ```
    /// use surprisal_optim::{Optimizer, RmsProp};
    /// let mut rms_prop = RmsProp::<f32>::new(0.01);
    /// rms_prop.set_learning_rate(rms_prop.learning_rate() / 2.0); // of a schedule; what it remembers stays
    /// assert_eq!(rms_prop.learning_rate(), 0.005);
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
    ///     surprisal_optim::RmsProp::<f32>::try_new(0.0).unwrap_err().to_string(),
    ///     "learning rate: expected a finite number above 0, found 0.0 | 0.1 is a usual start for Sgd, 0.001 for Adam"
    /// );
    /// ```
    ///
    /// # Errors
    /// If the learning rate is not a finite number above 0.
    pub fn try_new(learning_rate: f64) -> Result<Self, OptimError> {
        let common = Common::new(learning_rate)?;
        let options = Options { alpha: 0.99, eps: 1e-8, momentum: 0.0 };
        Ok(RmsProp { common, options, square: Buf::new(9), velocity: Buf::new(6) })
    }

    /// How much of the mean square stays at each step: from 0 to below 1.
    ///
    /// ```
    /// use surprisal_optim::{Optimizer, RmsProp};
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![1.0]);
    /// # let mut workspace = Workspace::new();
    /// let (_, grads) = workspace.grad(&params, |tape| 7.0 * tape.param(w).sum());
    /// RmsProp::new(0.1).alpha(0.75).step(&mut params, grads);
    /// assert!((params[w][0] - 0.8).abs() < 1e-8); // the first step is η / √(1 - α)
    /// ```
    ///
    /// # Panics
    /// If it is out of range.
    #[track_caller]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.options.alpha = or_panic(Hyperparameter::Alpha.check(alpha));
        self
    }

    /// What is added to the root: above 0.
    ///
    /// ```
    /// use surprisal_optim::{Optimizer, RmsProp};
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![1.0]);
    /// # let mut workspace = Workspace::new();
    /// let (_, grads) = workspace.grad(&params, |tape| 0.5 * tape.param(w).sum());
    /// RmsProp::new(0.1).alpha(0.0).eps(0.5).step(&mut params, grads);
    /// assert_eq!(params[w][0], 0.95); // 0.1 · 0.5 / (0.5 + 0.5)
    /// ```
    ///
    /// # Panics
    /// If it is not a finite number above 0, also when rounded to `T`.
    #[track_caller]
    pub fn eps(mut self, eps: f64) -> Self {
        self.options.eps = or_panic(Hyperparameter::Eps.check_in::<T>(eps));
        self
    }

    /// How much of the last step's velocity stays: μ, from 0 to below 1.
    ///
    /// ```
    /// use surprisal_optim::{Optimizer, RmsProp};
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![1.0]);
    /// # let mut workspace = Workspace::new();
    /// let mut rms_prop = RmsProp::new(0.1).alpha(0.0).momentum(0.5);
    /// for _ in 0..2 {
    ///     let (_, grads) = workspace.grad(&params, |tape| tape.param(w).sum());
    ///     rms_prop.step(&mut params, grads);
    /// }
    /// assert!((params[w][0] - 0.75).abs() < 1e-8); // 0.1, then 0.1 and half of the first
    /// ```
    ///
    /// # Panics
    /// If it is out of range.
    #[track_caller]
    pub fn momentum(mut self, mu: f64) -> Self {
        self.options.momentum = or_panic(Hyperparameter::Momentum.check(mu));
        self
    }

    /// Pulls every number towards 0: adds λθ, the derivative of the penalty λθ²/2, to the gradient; λ is 0 or above.
    ///
    /// ```
    /// use surprisal_optim::{Optimizer, RmsProp};
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![1.0]);
    /// # let mut workspace = Workspace::new();
    /// let (_, grads) = workspace.grad(&params, |tape| 0.0 * tape.param(w).sum());
    /// RmsProp::new(0.1).alpha(0.0).weight_decay(0.5).step(&mut params, grads);
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
    /// `m` is empty where there is no momentum.
    fn rms_prop<T>(rule: Rule, o: Options | g | theta, v, m) {
        let [lr, lambda, mu, eps] = [rule.learning_rate, rule.weight_decay, o.momentum, o.eps].map(T::of);
        let [alpha, rest] = [o.alpha, 1.0 - o.alpha].map(T::of);
        let [lost, square_lost] = lost_beside(o.eps);
        let scaled = |theta: T, g: T, v: &mut T| {
            let g = g + lambda * theta;
            let felt = g.or_zero_below(lost);
            *v = (alpha * *v + rest * felt * felt).or_zero_below(square_lost);
            g / (root(*v) + eps)
        };
        let numbers = theta.iter_mut().zip(g).zip(v);
        if !m.is_empty() {
            for (((theta, &g), v), m) in numbers.zip(m) {
                *m = moving(mu * *m + scaled(*theta, g, v));
                *theta -= lr * *m;
            }
        } else {
            for ((theta, &g), v) in numbers {
                *theta -= lr * scaled(*theta, g, v);
            }
        }
    }
}

impl<T: Scalar> Optimizer<T> for RmsProp<T> {
    fn try_step(&mut self, params: &mut Params<T>, grads: &Gradients<T>) -> Result<(), OptimError> {
        let RmsProp { common, options, square, velocity } = self;
        common.check(params, grads)?;
        remember(square, params)?;
        let velocity = (options.momentum > 0.0).then_some(velocity);
        let velocity =
            velocity.map(|velocity| remember(velocity, params).map(|()| &mut **velocity)).transpose()?;
        for_each_span(common, params, grads, (&mut **square, velocity), |rule, theta, g, (v, m)| {
            rms_prop(rule, *options, g, theta, v, m.unwrap_or_default());
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
        let velocity = (self.options.momentum > 0.0).then_some(("velocity", &self.velocity));
        let memory = [("square", &self.square)].into_iter().chain(velocity);
        OptimizerState::of(OptimizerKind::RmsProp, &self.common, memory)
    }
    fn load_state(&mut self, state: &OptimizerState<T>) -> Result<(), OptimError> {
        let velocity = (self.options.momentum > 0.0).then_some(("velocity", &mut self.velocity));
        let memory = [("square", &mut self.square)].into_iter().chain(velocity);
        state.restore(OptimizerKind::RmsProp, &mut self.common, memory)
    }
}
