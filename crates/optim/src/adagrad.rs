//! [`Adagrad`]: shorter steps where gradients have been.

use surprisal_formula_macro::math;
use surprisal_tensor::{Scalar, shared_kernel};

use crate::common::{lost_beside, root};
use crate::{HasEps, Hyperparameter, Memory, Optim, Options, Rule, StepNumbers};

/// Adagrad: steps along the gradient, divided by the length of all gradients that this number ever had.
///
/// With learning rate η, weight decay λ and the gradient g + λθ instead of g:
///
#[doc = math!("s ← s + g²")]
#[doc = math!("θ ← θ - η g / (√s + ε)")]
///
/// The sum s starts from 0 and only grows: what is rarely seen keeps its long steps, and all steps become shorter, like 1/√t
/// where the gradients stay as large. The first is η, however large the gradient. Where the sum should forget, see
/// [`RmsProp`](crate::RmsProp). Defaults as PyTorch's: ε = 1e-10, no decay.
/// PyTorch's `lr_decay` is a [`Schedule`](crate::Schedule)'s task.
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
pub type Adagrad<T = f32> = Optim<AdagradRule, T>;

/// The rule of [`Adagrad`].
#[derive(Clone, Copy, Debug)]
pub struct AdagradRule;

impl Rule for AdagradRule {
    const NAME: &'static str = "adagrad";
    const ABOUT: &'static str = "Adagrad: gradient descent in which each step is divided by the root of the sum of the squared gradients, weight by weight";
    const USUAL_RATE: f64 = 0.05;
    const SETTINGS: &'static [(Hyperparameter, f64)] = &[(Hyperparameter::Eps, 1e-10)];

    fn memory(_: &Options) -> &'static [&'static str] {
        &["sum"]
    }
    fn step<T: Scalar>(step: StepNumbers, options: &Options, g: &[T], theta: &mut [T], [s, ..]: Memory<T>) {
        adagrad(step, options[0], g, theta, s);
    }
}
impl HasEps for AdagradRule {}

shared_kernel! {
    fn adagrad<T>(step: StepNumbers, eps: f64 | g | theta, s) {
        let [lr, lambda] = [step.learning_rate, step.weight_decay].map(T::of);
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
