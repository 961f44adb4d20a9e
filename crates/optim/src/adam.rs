//! [`Adam`]: every number at a pace of its own.

use surprisal_formula_macro::math;
use surprisal_tensor::{Scalar, shared_kernel};

use crate::common::{lost_beside, root};
use crate::{HasBetas, HasEps, Hyperparameter, Memory, Optim, Options, Rule, StepNumbers};

/// Adam: steps along the mean gradient, measured by the size that gradients of this number usually have.
///
/// With learning rate η, weight decay λ and the gradient g + λθ instead of g, at step t = 1, 2, ..:
///
#[doc = math!("m ← β1 m + (1 - β1) g")]
#[doc = math!("v ← β2 v + (1 - β2) g²")]
#[doc = math!("θ ← θ - η m̂ / (√v̂ + ε), m̂ = m / (1 - β1^t), v̂ = v / (1 - β2^t)")]
///
/// The mean m and the mean square v start from 0. The divisions by 1 - β^t undo that: without them the first steps would be
/// far too small or too large. A step moves no number by much more than η, however large the gradients.
/// The steps t are those of each parameter, as in PyTorch: one that was frozen begins with step 1 when it is unfrozen.
///
/// The defaults are the paper's: β1 = 0.9, β2 = 0.999, ε = 1e-8, no decay. The decay goes through the mean and the division as the gradient does; in [`AdamW`](crate::AdamW) it does not.
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
pub type Adam<T = f32> = Optim<AdamRule, T>;

/// The rule of [`Adam`], or, with decoupled weight decay, of [`AdamW`](crate::AdamW).
#[derive(Clone, Copy, Debug)]
pub struct AdamLike<const DECOUPLED: bool>;

/// The rule of [`Adam`].
pub type AdamRule = AdamLike<false>;

impl<const DECOUPLED: bool> Rule for AdamLike<DECOUPLED> {
    const NAME: &'static str = if DECOUPLED { "adamw" } else { "adam" };
    const ABOUT: &'static str = if DECOUPLED {
        "AdamW: Adam with decoupled weight decay"
    } else {
        "Adam: momentum in which each step is divided by the root of the running mean of the squared gradients, weight by weight"
    };
    const USUAL_RATE: f64 = 0.01;
    const SETTINGS: &'static [(Hyperparameter, f64)] =
        &[(Hyperparameter::Beta1, 0.9), (Hyperparameter::Beta2, 0.999), (Hyperparameter::Eps, 1e-8)];
    const WEIGHT_DECAY: f64 = if DECOUPLED { 0.01 } else { 0.0 };
    const COUNTS_STEPS: bool = true;

    fn memory(_: &Options) -> &'static [&'static str] {
        &["mean", "square"]
    }
    fn step<T: Scalar>(step: StepNumbers, options: &Options, g: &[T], theta: &mut [T], [m, v, _]: Memory<T>) {
        adam(step, *options, DECOUPLED, g, theta, m, v);
    }
}
impl<const DECOUPLED: bool> HasBetas for AdamLike<DECOUPLED> {}
impl<const DECOUPLED: bool> HasEps for AdamLike<DECOUPLED> {}

shared_kernel! {
    fn adam<T>(step: StepNumbers, options: Options, decoupled: bool | g | theta, m, v) {
        let StepNumbers { learning_rate: lr, weight_decay: lambda, step } = step;
        let [beta1, beta2, eps, _] = options;
        let t = step as f64;
        // in f64: in f32, 1 - 0.999 has four digits
        let rate = T::of(lr / (1.0 - beta1.powf(t)));
        let correction = T::of(1.0 / (1.0 - beta2.powf(t)));
        let [beta1, rest1, beta2, rest2] = [beta1, 1.0 - beta1, beta2, 1.0 - beta2].map(T::of);
        // the decay is added either to the gradient or to the step
        let (lambda, share) = if decoupled { (0.0, lr * lambda) } else { (lambda, 0.0) };
        let [lost, square_lost] = lost_beside(eps);
        let still = lost * T::of(T::EPSILON); // a mean smaller than this moves nothing
        let [eps, lambda, share] = [eps, lambda, share].map(T::of);
        for (((theta, &g), m), v) in theta.iter_mut().zip(g).zip(m).zip(v) {
            let g = g + lambda * *theta;
            *m = (beta1 * *m + rest1 * g).or_zero_below(still);
            let felt = g.or_zero_below(lost);
            *v = (beta2 * *v + rest2 * felt * felt).or_zero_below(square_lost);
            *theta -= share * *theta + rate * *m / (root(*v * correction) + eps);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Optimizer;
    use surprisal_tensor::{Params, Workspace, ndarray::array};

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
            assert!(
                !adam.memory[0][0].is_subnormal() && !adam.memory[1][0].is_subnormal(),
                "{then:e}: {adam:?}"
            );
        }
    }

    #[test]
    fn a_small_eps_feels_small_gradients() {
        let (_, w) = stepped(Adam::new(0.1).eps(1e-30), [1e-15, 1e-15], 10);
        assert!((w + 1.0).abs() < 1e-5, "{w}"); // ten steps of the learning rate
    }
}
