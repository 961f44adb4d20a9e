//! [`Rule`]: the part that is specific to an optimizer; [`Optim`]: what all of them share.

use std::fmt::Debug;
use std::marker::PhantomData;

use surprisal_tensor::{Buf, Gradients, Params, Scalar};

use crate::common::{Common, for_each_span, remember};
use crate::error::or_panic;
use crate::kind::having;
use crate::{Hyperparameter, OptimError, Optimizer, OptimizerSettings, OptimizerState, ParamGroup};

/// The numbers of [`Rule::SETTINGS`], in their order; the rest is 0.
pub type Options = [f64; 4];

/// What [`Rule::memory`] names of a piece of theta, in its order; the rest is empty.
pub type Memory<'m, T> = [&'m mut [T]; 3];

/// The numbers that hold for a stretch of theta in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepNumbers {
    /// How far the step goes, with the schedule's and the group's share.
    pub learning_rate: f64,
    /// How strongly theta is pulled to 0, of the group or of the optimizer.
    pub weight_decay: f64,
    /// Which step this is, from 1: the parameter's where [`Rule::COUNTS_STEPS`], else the optimizer's.
    pub step: u64,
}

/// The part that is specific to an optimizer: its settings, its state, and the formula of a step. [`Optim`] makes an optimizer of it.
///
/// One of this crate is a file with a rule and a type of its name, `type Adam<T = f32> = Optim<AdamRule, T>`, and its line in the list
/// at the end of `kind.rs`. One of your own needs no list:
///
/// ```
/// use surprisal_optim::{Hyperparameter, Optim, Optimizer, Options, Rule, StepNumbers};
/// use surprisal_tensor::{Params, Scalar, Workspace, ndarray::array};
///
/// /// θ ← θ - η sign(v), v ← μ v + g
/// #[derive(Clone, Copy, Debug)]
/// struct SignRule;
/// impl Rule for SignRule {
///     const NAME: &'static str = "sign";
///     const ABOUT: &'static str = "signs: each weight moves by the learning rate";
///     const USUAL_RATE: f64 = 0.001;
///     const SETTINGS: &'static [(Hyperparameter, f64)] = &[(Hyperparameter::Momentum, 0.5)];
///     fn memory(_: &Options) -> &'static [&'static str] {
///         &["velocity"]
///     }
///     fn step<T: Scalar>(step: StepNumbers, &[mu, ..]: &Options, g: &[T], theta: &mut [T], [v, ..]: [&mut [T]; 3]) {
///         let [lr, mu] = [step.learning_rate, mu].map(T::of);
///         for ((theta, &g), v) in theta.iter_mut().zip(g).zip(v) {
///             *v = mu * *v + g;
///             *theta -= if *v > T::ZERO { lr } else { -lr };
///         }
///     }
/// }
///
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![1.0, -1.0]);
/// let mut workspace = Workspace::new();
/// let (_, grads) = workspace.grad(&params, |tape| tape.param(w).square().sum());
/// let mut sign = Optim::<SignRule, f64>::new(0.25).only("w"); // with scopes, groups, states, threads, as any other
/// sign.step(&mut params, grads);
/// assert_eq!(params[w], [0.75, -0.75]);
/// assert_eq!(sign.state().memory, [("velocity".to_string(), vec![2.0, -2.0])]);
/// ```
pub trait Rule: Copy + Debug + Send + Sync + 'static {
    /// What settings and files call it: "adam".
    const NAME: &'static str;
    /// What it does, in words for a report: "Adam: momentum, and ..".
    const ABOUT: &'static str;
    /// A learning rate to start from, for nets of a few layers.
    const USUAL_RATE: f64;
    /// Its settings besides learning rate and weight decay, and their defaults; at most four.
    const SETTINGS: &'static [(Hyperparameter, f64)];
    /// The default of its weight decay.
    const WEIGHT_DECAY: f64 = 0.0;
    /// Whether the formula needs to know how many steps a parameter took, which takes none while it is frozen.
    const COUNTS_STEPS: bool = false;

    /// What it remembers of every number of theta, by name; at most three. Zeros before the first step.
    fn memory(options: &Options) -> &'static [&'static str];

    /// What settings must hold together, beyond the range of each.
    ///
    /// # Errors
    /// If they do not.
    fn check(_options: &Options) -> Result<(), OptimError> {
        Ok(())
    }

    /// The formula, for a piece of theta, its gradient and what is [remembered](Self::memory) of it; of what is not, empty slices.
    ///
    /// The number of a step depends on nothing outside of its place, so that pieces may be cut anywhere, for threads.
    fn step<T: Scalar>(step: StepNumbers, options: &Options, g: &[T], theta: &mut [T], memory: Memory<T>);
}

/// A rule with a momentum: see [`Optim::momentum`].
pub trait HasMomentum: Rule {}
/// A rule with two shares that stay: see [`Optim::betas`].
pub trait HasBetas: Rule {}
/// A rule that divides: see [`Optim::eps`].
pub trait HasEps: Rule {}

/// An optimizer by a [`Rule`]: [`Sgd`](crate::Sgd), [`Adam`](crate::Adam) and the others are this, each with its own.
///
/// See the examples of [`Optimizer`], which it is.
#[derive(Clone, Debug)]
pub struct Optim<R: Rule, T: Scalar = f32> {
    common: Common,
    options: Options,
    pub(crate) memory: [Buf<T>; 3],
    rule: PhantomData<R>,
}

impl<R: Rule, T: Scalar> Optim<R, T> {
    /// With the defaults of its settings; the learning rate is above 0.
    ///
    /// ```
    /// use surprisal_optim::{Adam, AdamW, Optimizer, Sgd};
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut adam = Adam::<f32>::new(0.001);
    /// adam.set_learning_rate(adam.learning_rate() / 2.0); // of a schedule; what it remembers stays
    /// assert_eq!(adam.learning_rate(), 0.0005);
    ///
    /// let mut params = Params::<f64>::default();
    /// let w = params.add("w", &array![4.0]);
    /// let mut workspace = Workspace::new();
    /// let (_, grads) = workspace.grad(&params, |tape| tape.param(w).square().sum()); // gradient 8
    /// Sgd::new(0.25).step(&mut params, grads);
    /// assert_eq!(params[w], [2.0]);
    /// let (_, grads) = workspace.grad(&params, |tape| 0.0 * tape.param(w).sum());
    /// AdamW::new(0.1).step(&mut params, grads);
    /// assert_eq!(params[w][0], 1.998); // without a gradient only AdamW's decay is left, 0.1 · 0.01 of itself
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
    ///     "learning rate: expected a finite number above 0, found -0.1 | 0.1 is usual for Sgd, 0.001 for Adam"
    /// );
    /// ```
    ///
    /// # Errors
    /// If the learning rate is not a finite number above 0.
    pub fn try_new(learning_rate: f64) -> Result<Self, OptimError> {
        let mut options = Options::default();
        const { assert!(R::SETTINGS.len() <= 4, "a rule has at most four settings") }
        for (option, (_, default)) in options.iter_mut().zip(R::SETTINGS) {
            *option = *default;
        }
        let common = Common::new(learning_rate, R::WEIGHT_DECAY)?;
        // skews: of a mean and of a mean square they differ from each other's, theta's and the gradient's
        Ok(Optim { common, options, memory: [6, 9, 12].map(Buf::new), rule: PhantomData })
    }

    /// [`new`](Self::new), with settings by name, from outside.
    ///
    /// See the example of [`OptimizerKind`](crate::OptimizerKind).
    ///
    /// # Errors
    /// If a number is out of its range, or is a setting of other optimizers only; if there is `nesterov` without momentum.
    pub fn of_settings(settings: &OptimizerSettings) -> Result<Self, OptimError> {
        let optimizer = Self::try_new(settings.learning_rate.unwrap_or(R::USUAL_RATE))?;
        settings
            .given()
            .try_fold(optimizer, |optimizer, (setting, number)| optimizer.try_with(setting, number))
    }

    pub(crate) fn try_with(mut self, setting: Hyperparameter, number: f64) -> Result<Self, OptimError> {
        let slot = match setting {
            Hyperparameter::WeightDecay => Some(&mut self.common.weight_decay),
            _ => R::SETTINGS.iter().position(|(own, _)| *own == setting).map(|k| &mut self.options[k]),
        };
        let Some(slot) = slot else {
            let (optimizer, setting, having) = (R::NAME, setting.to_string(), having(setting));
            return Err(OptimError::NoSuchSetting { optimizer, setting, having });
        };
        *slot = match setting {
            Hyperparameter::Eps => setting.check_in::<T>(number)?,
            _ => setting.check(number)?,
        };
        R::check(&self.options)?;
        Ok(self)
    }

    #[track_caller]
    pub(crate) fn with(self, setting: Hyperparameter, number: f64) -> Self {
        or_panic(self.try_with(setting, number))
    }

    /// Pulls every number toward 0; λ is 0 or above.
    ///
    /// It adds λθ, the derivative of the penalty λθ²/2, to the gradient, and goes through means and divisions as the gradient does. In
    /// [`AdamW`](crate::AdamW) it stays out of them: each step takes ηλ of every number.
    ///
    /// ```
    /// use surprisal_optim::{Adam, AdamW, Optimizer, Sgd};
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let stepped = |optimizer: &mut dyn Optimizer<f64>| {
    ///     let mut params = Params::default();
    ///     let w = params.add("w", &array![2.0]);
    ///     let mut workspace = Workspace::new();
    ///     let (_, grads) = workspace.grad(&params, |tape| 0.0 * tape.param(w).sum());
    ///     optimizer.step(&mut params, grads);
    ///     params[w][0]
    /// };
    /// assert_eq!(stepped(&mut Sgd::new(0.5).weight_decay(0.5)), 1.5); // less ηλ of itself
    /// assert_eq!(stepped(&mut AdamW::new(0.5).weight_decay(0.5)), 1.5);
    /// let adam = stepped(&mut Adam::new(0.5).weight_decay(0.01));
    /// assert!((adam - 1.5).abs() < 1e-6); // the decay alone is the gradient, and is divided by its own size
    /// ```
    ///
    /// # Panics
    /// If it is negative, infinite or NaN.
    #[track_caller]
    pub fn weight_decay(self, lambda: f64) -> Self {
        self.with(Hyperparameter::WeightDecay, lambda)
    }
}

impl<R: HasMomentum, T: Scalar> Optim<R, T> {
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
    /// If it is out of range, or if it takes the momentum from [`nesterov`](crate::Sgd::nesterov).
    #[track_caller]
    pub fn momentum(self, mu: f64) -> Self {
        self.with(Hyperparameter::Momentum, mu)
    }
}

impl<R: HasBetas, T: Scalar> Optim<R, T> {
    /// How much of what is remembered stays at each step, of the mean and of the mean square: both from 0 to below 1.
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
    pub fn betas(self, beta1: f64, beta2: f64) -> Self {
        self.with(Hyperparameter::Beta1, beta1).with(Hyperparameter::Beta2, beta2)
    }
}

impl<R: HasEps, T: Scalar> Optim<R, T> {
    /// The number added to the root: above 0.
    ///
    /// ```
    /// use surprisal_optim::{Adagrad, Adam, Optimizer, RmsProp};
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let stepped = |optimizer: &mut dyn Optimizer<f64>| {
    ///     let mut params = Params::default();
    ///     let w = params.add("w", &array![1.0]);
    ///     let mut workspace = Workspace::new();
    ///     let (_, grads) = workspace.grad(&params, |tape| 0.5 * tape.param(w).sum());
    ///     optimizer.step(&mut params, grads);
    ///     params[w][0]
    /// };
    /// // half a step where ε is as large as the gradient
    /// assert!((stepped(&mut Adam::new(0.1).eps(0.5)) - 0.95).abs() < 1e-9);
    /// assert_eq!(stepped(&mut Adagrad::new(0.1).eps(0.5)), 0.95);
    /// assert_eq!(stepped(&mut RmsProp::new(0.1).alpha(0.0).eps(0.5)), 0.95);
    /// ```
    ///
    /// # Panics
    /// If it is not a finite number above 0, also when rounded to `T`.
    #[track_caller]
    pub fn eps(self, eps: f64) -> Self {
        self.with(Hyperparameter::Eps, eps)
    }
}

impl<R: Rule, T: Scalar> Optimizer<T> for Optim<R, T> {
    fn try_step(&mut self, params: &mut Params<T>, grads: &Gradients<T>) -> Result<(), OptimError> {
        let Optim { common, options, memory, .. } = self;
        common.check(params, grads)?;
        let used = R::memory(options).len();
        for memory in &mut memory[..used] {
            remember(memory, params)?;
        }
        if R::COUNTS_STEPS {
            common.count(params)?;
        }
        for_each_span(common, params, grads, memory, |step, theta, g, memory| {
            R::step(step, options, g, theta, memory);
        });
        Ok(())
    }
    fn learning_rate(&self) -> f64 {
        self.common.learning_rate
    }
    fn set_learning_rate(&mut self, rate: f64) {
        self.common.learning_rate = or_panic(Hyperparameter::LearningRate.check(rate));
    }
    fn set_groups(&mut self, groups: Vec<ParamGroup>) {
        self.common.set_groups(groups);
    }
    fn add_scope(&mut self, pattern: &str) {
        self.common.add_scope(pattern);
    }
    fn state(&self) -> OptimizerState<T> {
        let memory = R::memory(&self.options).iter().copied().zip(&self.memory);
        OptimizerState::of(R::NAME, &self.common, memory)
    }
    fn load_state(&mut self, state: &OptimizerState<T>) -> Result<(), OptimError> {
        let memory = R::memory(&self.options).iter().copied().zip(&mut self.memory);
        state.restore(R::NAME, &mut self.common, memory)
    }
}
