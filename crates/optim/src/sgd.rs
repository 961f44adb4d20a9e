//! [`Sgd`]: down the gradient, with or without momentum.

use surprisal_formula_macro::math;
use surprisal_tensor::{Buf, Gradients, Params, Scalar, shared_kernel};

use crate::error::or_panic;
use crate::optimizer::{Common, Rule, for_each_span, moving, remember};
use crate::{Hyperparameter, OptimError, Optimizer, OptimizerKind, OptimizerState, ParamGroup};

/// Stochastic gradient descent: a step down the gradient.
///
/// With learning rate η, momentum μ, weight decay λ and the gradient g + λθ in the place of g:
///
#[doc = math!("θ ← θ - η g")]
///
/// With [`momentum`](Self::momentum) it is a ball that rolls on; v starts at 0:
///
#[doc = math!("v ← μ v + g, θ ← θ - η v")]
///
/// With [`nesterov`](Self::nesterov) the same, looking one step ahead:
///
#[doc = math!("v ← μ v + g, θ ← θ - η (g + μ v)")]
///
/// The learning rate stands outside of v, as in PyTorch: changing it acts on the whole of the next step.
///
/// Sources: Robbins and Monro (1951), "A stochastic approximation method"; Polyak (1964), "Some methods of
/// speeding up the convergence of iteration methods"; Nesterov's in the form of Sutskever, Martens, Dahl and Hinton
/// (2013), "On the importance of initialization and momentum in deep learning".
///
/// ```
/// use surprisal_optim::{Optimizer, Sgd};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
///
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![8.0]);
/// let mut workspace = Workspace::new();
/// let mut optimizer = Sgd::new(0.25).momentum(0.5);
/// let mut path = vec![];
/// for _ in 0..3 {
///     let (_, grads) = workspace.grad(&params, |tape| tape.param(w).square().sum()); // gradient 2 w
///     optimizer.step(&mut params, grads);
///     path.push(params[w][0]);
/// }
/// assert_eq!(path, [4.0, 0.0, -2.0]); // rolls past the minimum at 0
/// ```
#[derive(Clone, Debug)]
pub struct Sgd<T: Scalar = f32> {
    common: Common,
    momentum: f64,
    nesterov: bool,
    velocity: Buf<T>, // empty without momentum
}

impl<T: Scalar> Sgd<T> {
    /// Plain gradient descent; the learning rate is above 0.
    ///
    /// ```
    /// use surprisal_optim::{Optimizer, Sgd};
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![3.0]);
    /// # let mut workspace = Workspace::new();
    /// let (_, grads) = workspace.grad(&params, |tape| tape.param(w).square().sum()); // gradient 6
    /// Sgd::new(0.25).step(&mut params, grads);
    /// assert_eq!(params[w], [1.5]);
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
    ///     surprisal_optim::Sgd::<f32>::try_new(f64::INFINITY).unwrap_err().to_string(),
    ///     "learning rate: expected a finite number above 0, found inf | 0.1 is a usual start for Sgd, 0.001 for Adam"
    /// );
    /// ```
    ///
    /// # Errors
    /// If the learning rate is not a finite number above 0.
    pub fn try_new(learning_rate: f64) -> Result<Self, OptimError> {
        let common = Common::new(learning_rate)?;
        Ok(Sgd { common, momentum: 0.0, nesterov: false, velocity: Buf::new(6) })
    }

    /// How much of the last step's velocity stays: μ, from 0 to below 1.
    ///
    /// ```
    /// use surprisal_optim::{Optimizer, Sgd};
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![1.0]);
    /// # let mut workspace = Workspace::new();
    /// let mut sgd = Sgd::new(0.25).momentum(0.5);
    /// for _ in 0..2 {
    ///     let (_, grads) = workspace.grad(&params, |tape| tape.param(w).sum()); // gradient 1
    ///     sgd.step(&mut params, grads);
    /// }
    /// assert_eq!(params[w], [1.0 - 0.25 - 0.25 * 1.5]); // the second step keeps half of the first
    /// ```
    ///
    /// # Panics
    /// If it is out of range, or if it takes the momentum from [`nesterov`](Self::nesterov).
    #[track_caller]
    pub fn momentum(self, mu: f64) -> Self {
        let sgd = Sgd { momentum: or_panic(Hyperparameter::Momentum.check(mu)), ..self };
        if sgd.nesterov { sgd.nesterov() } else { sgd }
    }

    /// Steps from where the momentum is about to lead.
    ///
    /// ```
    /// use surprisal_optim::{Optimizer, Sgd};
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![1.0]);
    /// # let mut workspace = Workspace::new();
    /// let (_, grads) = workspace.grad(&params, |tape| tape.param(w).sum()); // gradient 1
    /// Sgd::new(0.25).momentum(0.5).nesterov().step(&mut params, grads);
    /// assert_eq!(params[w], [1.0 - 0.25 * 1.5]); // half a step further than without
    /// ```
    ///
    /// # Panics
    /// Where [`try_nesterov`](Self::try_nesterov) is an error.
    #[track_caller]
    pub fn nesterov(self) -> Self {
        or_panic(self.try_nesterov())
    }

    /// [`nesterov`](Self::nesterov), for a momentum from outside.
    ///
    /// ```
    /// use surprisal_optim::{OptimError, Sgd};
    /// assert!(Sgd::<f32>::new(0.1).momentum(0.9).try_nesterov().is_ok());
    /// assert_eq!(Sgd::<f32>::new(0.1).try_nesterov().unwrap_err(), OptimError::NesterovWithoutMomentum);
    /// ```
    ///
    /// # Errors
    /// If there is no momentum: set it first.
    pub fn try_nesterov(self) -> Result<Self, OptimError> {
        if self.momentum == 0.0 {
            return Err(OptimError::NesterovWithoutMomentum);
        }
        Ok(Sgd { nesterov: true, ..self })
    }

    /// Pulls every number towards 0: adds λθ, the derivative of the penalty λθ²/2, to the gradient; λ is 0 or above.
    ///
    /// ```
    /// use surprisal_optim::{Optimizer, Sgd};
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![2.0]);
    /// # let mut workspace = Workspace::new();
    /// let (_, grads) = workspace.grad(&params, |tape| 0.0 * tape.param(w).sum());
    /// Sgd::new(0.5).weight_decay(0.5).step(&mut params, grads);
    /// assert_eq!(params[w], [1.5]); // less ηλ of itself
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
    fn descend<T>(rule: Rule | g | theta) {
        let [lr, lambda] = [rule.learning_rate, rule.weight_decay].map(T::of);
        for (theta, &g) in theta.iter_mut().zip(g) {
            *theta -= lr * (g + lambda * *theta);
        }
    }
}

shared_kernel! {
    fn roll<T>(rule: Rule, mu: f64, nesterov: bool | g | theta, v) {
        let [lr, mu, lambda] = [rule.learning_rate, mu, rule.weight_decay].map(T::of);
        for ((theta, &g), v) in theta.iter_mut().zip(g).zip(v) {
            let g = g + lambda * *theta;
            *v = moving(mu * *v + g);
            *theta -= lr * if nesterov { g + mu * *v } else { *v };
        }
    }
}

impl<T: Scalar> Optimizer<T> for Sgd<T> {
    fn try_step(&mut self, params: &mut Params<T>, grads: &Gradients<T>) -> Result<(), OptimError> {
        let Sgd { common, momentum: mu, nesterov, velocity } = self;
        common.check(params, grads)?;
        if *mu == 0.0 {
            for_each_span(common, params, grads, (), |rule, theta, g, ()| descend(rule, g, theta));
        } else {
            remember(velocity, params)?;
            for_each_span(common, params, grads, &mut **velocity, |rule, theta, g, v| {
                roll(rule, *mu, *nesterov, g, theta, v);
            });
        }
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
        let memory = (self.momentum > 0.0).then_some(("velocity", &self.velocity));
        OptimizerState::of(OptimizerKind::Sgd, &self.common, memory)
    }
    fn load_state(&mut self, state: &OptimizerState<T>) -> Result<(), OptimError> {
        let memory = (self.momentum > 0.0).then_some(("velocity", &mut self.velocity));
        state.restore(OptimizerKind::Sgd, &mut self.common, memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use surprisal_tensor::{Workspace, ndarray::array};

    #[test]
    fn the_velocity_of_a_dead_unit_never_becomes_subnormal() {
        let mut params = Params::new();
        let w = params.add("w", &array![0.0f32]);
        let mut workspace = Workspace::new();
        let mut sgd = Sgd::new(0.1).momentum(0.9);
        for step in 0..2000 {
            let g = array![if step == 0 { 1.0f32 } else { 0.0 }];
            let (_, grads) = workspace.grad(&params, |tape| (tape.input(&g) * tape.param(w)).sum());
            sgd.step(&mut params, grads);
            assert!(!sgd.velocity[0].is_subnormal(), "step {step}: {:e}", sgd.velocity[0]);
        }
    }
}
