//! [`Sgd`]: down the gradient, with or without momentum.

use surprisal_formula_macro::math;
use surprisal_tensor::{Scalar, shared_kernel};

use crate::common::moving;
use crate::error::or_panic;
use crate::{HasMomentum, Hyperparameter, Memory, Optim, OptimError, Options, Rule, StepNumbers};

/// Stochastic gradient descent: a step down the gradient.
///
/// With learning rate η, momentum μ, weight decay λ and the gradient g + λθ instead of g:
///
#[doc = math!("θ ← θ - η g")]
///
/// With [`momentum`](Optim::momentum) it is a ball that rolls on; v starts at 0:
///
#[doc = math!("v ← μ v + g, θ ← θ - η v")]
///
/// With [`nesterov`](Sgd::nesterov) the same, looking one step ahead:
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
pub type Sgd<T = f32> = Optim<SgdRule, T>;

/// The rule of [`Sgd`].
#[derive(Clone, Copy, Debug)]
pub struct SgdRule;

impl Rule for SgdRule {
    const NAME: &'static str = "sgd";
    const ABOUT: &'static str = "SGD: each step follows the negative gradient of one batch";
    const USUAL_RATE: f64 = 0.1;
    const SETTINGS: &'static [(Hyperparameter, f64)] =
        &[(Hyperparameter::Momentum, 0.0), (Hyperparameter::Nesterov, 0.0)];

    fn memory(&[mu, ..]: &Options) -> &'static [&'static str] {
        if mu > 0.0 { &["velocity"] } else { &[] }
    }
    fn check(&[mu, nesterov, ..]: &Options) -> Result<(), OptimError> {
        if nesterov > 0.0 && mu == 0.0 { Err(OptimError::NesterovWithoutMomentum) } else { Ok(()) }
    }
    fn step<T: Scalar>(step: StepNumbers, options: &Options, g: &[T], theta: &mut [T], [v, ..]: Memory<T>) {
        let [mu, nesterov, ..] = *options;
        if mu == 0.0 { descend(step, g, theta) } else { roll(step, mu, nesterov > 0.0, g, theta, v) }
    }
}
impl HasMomentum for SgdRule {}

impl<T: Scalar> Sgd<T> {
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
        self.try_with(Hyperparameter::Nesterov, 1.0)
    }
}

shared_kernel! {
    fn descend<T>(step: StepNumbers | g | theta) {
        let [lr, lambda] = [step.learning_rate, step.weight_decay].map(T::of);
        for (theta, &g) in theta.iter_mut().zip(g) {
            *theta -= lr * (g + lambda * *theta);
        }
    }
}

shared_kernel! {
    fn roll<T>(step: StepNumbers, mu: f64, nesterov: bool | g | theta, v) {
        let [lr, mu, lambda] = [step.learning_rate, mu, step.weight_decay].map(T::of);
        for ((theta, &g), v) in theta.iter_mut().zip(g).zip(v) {
            let g = g + lambda * *theta;
            *v = moving(mu * *v + g);
            *theta -= lr * if nesterov { g + mu * *v } else { *v };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Optimizer;
    use surprisal_tensor::{Params, Workspace, ndarray::array};

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
            assert!(!sgd.memory[0][0].is_subnormal(), "step {step}: {:e}", sgd.memory[0][0]);
        }
    }
}
