//! [`Lion`]: by the sign of a momentum, so that every number moves as far.

use surprisal_formula_macro::math;
use surprisal_tensor::{Scalar, shared_kernel};

use crate::common::moving;
use crate::{HasBetas, Hyperparameter, Memory, Optim, Options, Rule, StepNumbers};

/// Lion: every number moves by the learning rate, in the direction in which its momentum and its gradient together point.
///
/// With learning rate η and weight decay λ, a step is
///
#[doc = math!("θ ← θ - η (sign(β1 m + (1 - β1) g) + λ θ)")]
#[doc = math!("m ← β2 m + (1 - β2) g")]
///
/// The mean m starts from 0; where the sum under the sign is 0, only the decay moves. The defaults are the paper's: β1 = 0.9, β2 = 0.99,
/// no decay. It remembers half of what [`Adam`](crate::Adam) does. All steps are as long as Adam's longest: the paper advises a rate 3 to
/// 10 times smaller than [`AdamW`](crate::AdamW)'s, with as much more decay, and starts its own from 1e-4. As in AdamW, the decay is no part of
/// the gradient.
///
/// Source: Chen et al. (2023), "Symbolic discovery of optimization algorithms", algorithm 2.
///
/// ```
/// use surprisal_optim::{Lion, Optimizer};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
///
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![1.0, 1.0, 1.0]);
/// let steep_flat_and_level = array![1000.0, -0.001, 0.0];
/// let mut workspace = Workspace::new();
/// let (_, grads) = workspace.grad(&params, |tape| (tape.input(&steep_flat_and_level) * tape.param(w)).sum());
/// Lion::new(0.25).weight_decay(0.5).step(&mut params, grads);
/// assert_eq!(params[w], [0.625, 1.125, 0.875]); // 0.25 down, up, or not at all, and 0.25 · 0.5 of itself
/// ```
pub type Lion<T = f32> = Optim<LionRule, T>;

/// The rule of [`Lion`].
#[derive(Clone, Copy, Debug)]
pub struct LionRule;

impl Rule for LionRule {
    const NAME: &'static str = "lion";
    const ABOUT: &'static str =
        "Lion: momentum of which only the sign counts, so that each weight moves by the learning rate";
    const USUAL_RATE: f64 = 0.003; // for tens of epochs on small nets: a third of AdamW's
    const SETTINGS: &'static [(Hyperparameter, f64)] =
        &[(Hyperparameter::Beta1, 0.9), (Hyperparameter::Beta2, 0.99)];

    fn memory(_: &Options) -> &'static [&'static str] {
        &["mean"]
    }
    fn step<T: Scalar>(step: StepNumbers, options: &Options, g: &[T], theta: &mut [T], [m, ..]: Memory<T>) {
        lion(step, *options, g, theta, m);
    }
}
impl HasBetas for LionRule {}

shared_kernel! {
    fn lion<T>(step: StepNumbers, options: Options | g | theta, m) {
        let [beta1, beta2, ..] = options;
        let [lr, share] = [step.learning_rate, step.learning_rate * step.weight_decay].map(T::of);
        let [beta1, rest1, beta2, rest2] = [beta1, 1.0 - beta1, beta2, 1.0 - beta2].map(T::of);
        for ((theta, &g), m) in theta.iter_mut().zip(g).zip(m) {
            let toward = beta1 * *m + rest1 * g;
            let sign = if toward > T::ZERO {
                lr
            } else if toward < T::ZERO {
                -lr
            } else {
                T::ZERO * toward // 0, and NaN where that is NaN
            };
            *theta -= share * *theta + sign;
            *m = moving(beta2 * *m + rest2 * g);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Optimizer;
    use surprisal_tensor::{Params, Workspace, ndarray::array};

    fn steps(mut lion: Lion<f64>, gradients: &[f64]) -> Vec<[f64; 2]> {
        let mut params = Params::default();
        let w = params.add("w", &array![2.0]);
        let mut workspace = Workspace::new();
        let mut step = |&gradient: &f64| {
            let (_, grads) = workspace.grad(&params, |tape| gradient * tape.param(w).sum());
            lion.step(&mut params, grads);
            [params[w][0], lion.memory[0][0]]
        };
        gradients.iter().map(&mut step).collect()
    }

    /// β1 = 1/2, β2 = 3/4, η = 1/4, λ = 1/2, from θ = 2: every number is a fraction of two, and so exact.
    #[test]
    fn five_steps_by_hand() {
        let found = steps(Lion::new(0.25).betas(0.5, 0.75).weight_decay(0.5), &[4.0, -1.0, -2.0, 0.0, 1.0]);
        let expected = [
            [2.0 - 0.25 - 0.25, 1.0],            // sign(2): down, and an eighth of 2; m = 1
            [1.5 - 0.1875, 0.5],                 // sign(1/2 - 1/2) = 0: the decay alone; m = 3/4 - 1/4
            [1.3125 - 0.1640625 + 0.25, -0.125], // sign(1/4 - 1): up; m = 3/8 - 1/2
            [1.3984375 - 0.1748046875 + 0.25, -0.09375], // sign(-1/16): up without a gradient; m = -3/32
            [1.4736328125 - 0.1842041015625 - 0.25, 0.1796875], // sign(-3/64 + 1/2): down; m = -9/128 + 1/4
        ];
        assert_eq!(found, expected);
    }

    /// The defaults, where the momentum wins over the gradient: 0.9 · 0.01 > 0.1 · 0.05.
    #[test]
    fn two_steps_with_the_constants_of_the_paper() {
        let found = steps(Lion::new(0.1), &[1.0, -0.05]);
        for ([theta, m], [expected, mean]) in found.into_iter().zip([[1.9, 0.01], [1.8, 0.0094]]) {
            assert!((theta - expected).abs() < 1e-15 && (m - mean).abs() < 1e-16, "{theta} {m}");
        }
    }

    #[test]
    fn what_is_no_number_is_not_hidden() {
        assert!(steps(Lion::new(0.1), &[f64::NAN])[0][0].is_nan());
    }
}
