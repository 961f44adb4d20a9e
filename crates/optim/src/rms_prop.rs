//! [`RmsProp`]: the gradient, measured by the size it usually has.

use surprisal_formula_macro::math;
use surprisal_tensor::{Scalar, shared_kernel};

use crate::common::{lost_beside, moving, root};
use crate::{HasEps, HasMomentum, Hyperparameter, Memory, Optim, Options, Rule, StepNumbers};

/// RMSprop: steps along the gradient, divided by the size that gradients of this number usually have.
///
/// With learning rate η, weight decay λ and the gradient g + λθ instead of g:
///
#[doc = math!("v ← α v + (1 - α) g²")]
#[doc = math!("θ ← θ - η g / (√v + ε)")]
///
/// The mean square v starts from 0. With [`momentum`](Optim::momentum) μ, m too starts from 0:
///
#[doc = math!("m ← μ m + g / (√v + ε), θ ← θ - η m")]
///
/// The start of v from 0 is not undone, as [`Adam`](crate::Adam) does: the first step is η / √(1 - α), ten times η.
/// ε is outside of the root, as in PyTorch, and the defaults are its own: α = 0.99, ε = 1e-8, no momentum, no decay.
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
pub type RmsProp<T = f32> = Optim<RmsPropRule, T>;

/// The rule of [`RmsProp`].
#[derive(Clone, Copy, Debug)]
pub struct RmsPropRule;

impl Rule for RmsPropRule {
    const NAME: &'static str = "rmsprop";
    const ABOUT: &'static str = "RMSprop: gradient descent in which each step is divided by the root of the running mean of the squared gradients, weight by weight";
    const USUAL_RATE: f64 = 0.003;
    const SETTINGS: &'static [(Hyperparameter, f64)] =
        &[(Hyperparameter::Alpha, 0.99), (Hyperparameter::Eps, 1e-8), (Hyperparameter::Momentum, 0.0)];

    fn memory(&[_, _, mu, _]: &Options) -> &'static [&'static str] {
        if mu > 0.0 { &["square", "velocity"] } else { &["square"] }
    }
    fn step<T: Scalar>(step: StepNumbers, options: &Options, g: &[T], theta: &mut [T], [v, m, _]: Memory<T>) {
        rms_prop(step, *options, g, theta, v, m);
    }
}
impl HasEps for RmsPropRule {}
impl HasMomentum for RmsPropRule {}

impl<T: Scalar> RmsProp<T> {
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
    pub fn alpha(self, alpha: f64) -> Self {
        self.with(Hyperparameter::Alpha, alpha)
    }
}

shared_kernel! {
    /// `m` is empty without momentum.
    fn rms_prop<T>(step: StepNumbers, options: Options | g | theta, v, m) {
        let [alpha, eps, mu, _] = options;
        let [lost, square_lost] = lost_beside(eps);
        let [lr, lambda, mu, eps] = [step.learning_rate, step.weight_decay, mu, eps].map(T::of);
        let [alpha, rest] = [alpha, 1.0 - alpha].map(T::of);
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
