//! [`Adam`]: every number at a pace of its own.

use surprisal_formula_macro::math;
use surprisal_tensor::{Buf, Gradients, Params, Scalar, shared_kernel};

use crate::error::or_panic;
use crate::optimizer::{Common, Rule, for_each_span, lost_beside, remember, root};
use crate::{Hyperparameter, OptimError, Optimizer, OptimizerKind, OptimizerState, ParamGroup};

/// Adam: steps along the mean gradient, measured by the size that gradients of this number usually have.
///
/// With learning rate η, weight decay λ and the gradient g + λθ in the place of g, at step t = 1, 2, ..:
///
#[doc = math!("m ← β1 m + (1 - β1) g")]
#[doc = math!("v ← β2 v + (1 - β2) g²")]
#[doc = math!("θ ← θ - η m̂ / (√v̂ + ε), m̂ = m / (1 - β1^t), v̂ = v / (1 - β2^t)")]
///
/// The mean m and the mean square v start from 0. The divisions by 1 - β^t undo that: without them the first steps would be
/// far too small or too large. A step moves no number by much more than η, however large the gradients.
/// The steps t are those of each parameter, as in PyTorch: one that was frozen begins with step 1 when it is unfrozen.
///
/// The decay goes through the mean and the division as the gradient does; in [`AdamW`](crate::AdamW) it does not.
///
/// Source: Kingma and Ba (2015), "Adam: A method for stochastic optimization", algorithm 1.
///
/// ```
/// use surprisal_optim::{Adam, Optimizer};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
///
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![1.0, 1.0]);
/// let steep_and_flat = array![1000.0, 0.001];
/// let mut workspace = Workspace::new();
/// let (_, grads) = workspace.grad(&params, |tape| (tape.input(&steep_and_flat) * tape.param(w)).sum());
/// Adam::new(0.1).step(&mut params, grads);
/// assert!(params[w].iter().all(|w| (w - 0.9).abs() < 1e-5)); // the first step is the learning rate, both times
/// ```
#[derive(Clone, Debug)]
pub struct Adam<T: Scalar = f32> {
    common: Common,
    options: Options,
    mean: Buf<T>,
    square: Buf<T>,
}

#[derive(Clone, Copy, Debug)]
struct Options {
    beta1: f64,
    beta2: f64,
    eps: f64,
    decoupled: bool, // AdamW's decay
}

impl<T: Scalar> Adam<T> {
    /// Adam with the paper's constants: β1 = 0.9, β2 = 0.999, ε = 1e-8, no decay; the learning rate is above 0.
    ///
    /// ```
    /// use surprisal_optim::{Adam, Optimizer};
    /// let mut adam = Adam::<f32>::new(0.001);
    /// adam.set_learning_rate(adam.learning_rate() / 2.0); // of a schedule; what it remembers stays
    /// assert_eq!(adam.learning_rate(), 0.0005);
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
    ///     surprisal_optim::Adam::<f32>::try_new(-0.1).unwrap_err().to_string(),
    ///     "learning rate: expected a finite number above 0, found -0.1 | 0.1 is a usual start for Sgd, 0.001 for Adam"
    /// );
    /// ```
    ///
    /// # Errors
    /// If the learning rate is not a finite number above 0.
    pub fn try_new(learning_rate: f64) -> Result<Self, OptimError> {
        let common = Common::new(learning_rate)?;
        let options = Options { beta1: 0.9, beta2: 0.999, eps: 1e-8, decoupled: false };
        Ok(Adam { common, options, mean: Buf::new(6), square: Buf::new(9) })
    }

    /// How much of the mean and of the mean square stays at each step: both from 0 to below 1.
    ///
    /// ```
    /// use surprisal_optim::{Adam, Optimizer};
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![1.0]);
    /// let mut adam = Adam::new(0.1).betas(0.0, 0.0); // nothing is remembered: g / |g|, the sign of the gradient
    /// # let mut workspace = Workspace::new();
    /// for gradient in [5.0, -0.3] {
    ///     let (_, grads) = workspace.grad(&params, |tape| gradient * tape.param(w).sum());
    ///     adam.step(&mut params, grads);
    /// }
    /// assert!((params[w][0] - 1.0).abs() < 1e-6); // 0.1 down, 0.1 up
    /// ```
    ///
    /// # Panics
    /// If one is out of range.
    #[track_caller]
    pub fn betas(mut self, beta1: f64, beta2: f64) -> Self {
        self.options.beta1 = or_panic(Hyperparameter::Beta1.check(beta1));
        self.options.beta2 = or_panic(Hyperparameter::Beta2.check(beta2));
        self
    }

    /// What is added to the root: above 0.
    ///
    /// ```
    /// use surprisal_optim::{Adam, Optimizer};
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![1.0]);
    /// # let mut workspace = Workspace::new();
    /// let (_, grads) = workspace.grad(&params, |tape| 0.5 * tape.param(w).sum());
    /// Adam::new(0.1).eps(0.5).step(&mut params, grads);
    /// assert!((params[w][0] - 0.95).abs() < 1e-9); // half a step where ε is as large as the gradient
    /// ```
    ///
    /// # Panics
    /// If it is not a finite number above 0, also when rounded to `T`.
    #[track_caller]
    pub fn eps(mut self, eps: f64) -> Self {
        self.options.eps = or_panic(Hyperparameter::Eps.check_in::<T>(eps));
        self
    }

    /// Pulls every number towards 0: adds λθ, the derivative of the penalty λθ²/2, to the gradient; λ is 0 or above.
    ///
    /// Large gradients hide it: see the example of [`AdamW`](crate::AdamW).
    ///
    /// ```
    /// use surprisal_optim::{Adam, Optimizer};
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![1.0]);
    /// # let mut workspace = Workspace::new();
    /// let (_, grads) = workspace.grad(&params, |tape| 0.0 * tape.param(w).sum());
    /// Adam::new(0.1).weight_decay(0.01).step(&mut params, grads);
    /// assert!((params[w][0] - 0.9).abs() < 1e-6); // the decay alone is the gradient, and is divided by its own size
    /// ```
    ///
    /// # Panics
    /// If it is negative, infinite or NaN.
    #[track_caller]
    pub fn weight_decay(mut self, lambda: f64) -> Self {
        self.common.set_weight_decay(lambda);
        self
    }

    /// Keeps the decay out of the gradient: what [`AdamW`](crate::AdamW) is.
    pub(crate) fn decoupled(mut self) -> Self {
        self.options.decoupled = true;
        self
    }

    fn kind(&self) -> OptimizerKind {
        if self.options.decoupled { OptimizerKind::AdamW } else { OptimizerKind::Adam }
    }
}

shared_kernel! {
    fn adam<T>(rule: Rule, o: Options | g | theta, m, v) {
        let Rule { learning_rate: lr, weight_decay: lambda, step } = rule;
        let t = step as f64;
        // in f64: in f32, 1 - 0.999 has four digits
        let rate = T::of(lr / (1.0 - o.beta1.powf(t)));
        let correction = T::of(1.0 / (1.0 - o.beta2.powf(t)));
        let [beta1, rest1, beta2, rest2] = [o.beta1, 1.0 - o.beta1, o.beta2, 1.0 - o.beta2].map(T::of);
        // the decay is added either to the gradient or to the step
        let (lambda, share) = if o.decoupled { (0.0, lr * lambda) } else { (lambda, 0.0) };
        let [lost, square_lost] = lost_beside(o.eps);
        let still = lost * T::of(T::EPSILON); // a mean smaller than this moves nothing
        let [eps, lambda, share] = [o.eps, lambda, share].map(T::of);
        for (((theta, &g), m), v) in theta.iter_mut().zip(g).zip(m).zip(v) {
            let g = g + lambda * *theta;
            *m = (beta1 * *m + rest1 * g).or_zero_below(still);
            let felt = g.or_zero_below(lost);
            *v = (beta2 * *v + rest2 * felt * felt).or_zero_below(square_lost);
            *theta -= share * *theta + rate * *m / (root(*v * correction) + eps);
        }
    }
}

impl<T: Scalar> Optimizer<T> for Adam<T> {
    fn try_step(&mut self, params: &mut Params<T>, grads: &Gradients<T>) -> Result<(), OptimError> {
        let Adam { common, options, mean, square } = self;
        common.check(params, grads)?;
        remember(mean, params)?;
        remember(square, params)?;
        common.count(params)?;
        for_each_span(common, params, grads, (&mut **mean, &mut **square), |rule, theta, g, (m, v)| {
            adam(rule, *options, g, theta, m, v);
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
        let memory = [("mean", &self.mean), ("square", &self.square)];
        OptimizerState::of(self.kind(), &self.common, memory)
    }
    fn load_state(&mut self, state: &OptimizerState<T>) -> Result<(), OptimError> {
        let kind = self.kind();
        let memory = [("mean", &mut self.mean), ("square", &mut self.square)];
        state.restore(kind, &mut self.common, memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use surprisal_tensor::{Workspace, ndarray::array};

    /// So many steps along one gradient, then along another.
    fn stepped(mut adam: Adam, [first, then]: [f32; 2], steps: usize) -> (Adam, f32) {
        let mut params = Params::new();
        let w = params.add("w", &array![0.0f32]);
        let mut workspace = Workspace::new();
        for step in 0..steps {
            let g = array![if step == 0 { first } else { then }];
            let (_, grads) = workspace.grad(&params, |tape| (tape.input(&g) * tape.param(w)).sum());
            adam.step(&mut params, grads);
        }
        (adam, params[w][0])
    }

    #[test]
    fn what_is_remembered_of_a_dead_unit_never_becomes_subnormal() {
        for then in [0.0, 1e-19, -1e-38] {
            let (adam, _) = stepped(Adam::new(0.1).betas(0.9, 0.5), [1.0, then], 3000);
            assert!(!adam.mean[0].is_subnormal() && !adam.square[0].is_subnormal(), "{then:e}: {adam:?}");
        }
    }

    #[test]
    fn a_small_eps_feels_small_gradients() {
        let (_, w) = stepped(Adam::new(0.1).eps(1e-30), [1e-15, 1e-15], 10);
        assert!((w + 1.0).abs() < 1e-5, "{w}"); // ten steps of the learning rate
    }
}
