//! [`Optimizer`]: one step, and the checks before it.

use surprisal_tensor::{Gradients, Params, Scalar};

use crate::error::or_panic;
use crate::{OptimError, OptimizerState, ParamGroup};

/// Moves the parameters down their gradient, one step at a time.
///
/// Frozen parameters do not move, and what is remembered of them does not change. Nothing has to be set to
/// zero between steps. After the first step, a step allocates nothing.
///
/// ```
/// use surprisal_optim::{Optimizer, Sgd};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
///
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![4.0, -2.0]);
/// let mut workspace = Workspace::new();
/// let (_, grads) = workspace.grad(&params, |tape| tape.param(w).square().sum()); // gradient 2 w
///
/// let mut optimizer: Box<dyn Optimizer<f64>> = Box::new(Sgd::new(0.25));
/// optimizer.step(&mut params, grads);
/// assert_eq!(params[w], [2.0, -1.0]); // w - 0.25 * 2 w
/// ```
pub trait Optimizer<T: Scalar> {
    /// One step.
    ///
    /// # Panics
    /// At the caller's line, where [`try_step`](Self::try_step) is an error.
    #[track_caller]
    fn step(&mut self, params: &mut Params<T>, grads: &Gradients<T>) {
        or_panic(self.try_step(params, grads));
    }

    /// [`step`](Self::step), with what does not fit as an error; then nothing has moved.
    ///
    /// ```
    /// use surprisal_optim::{Optimizer, Sgd};
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![4.0]);
    /// # let forgotten = params.add("forgotten", &array![1.0]);
    /// # let mut workspace = Workspace::new();
    /// let (_, grads) = workspace.grad(&params, |tape| tape.param(w).square().sum());
    /// let error = Sgd::new(0.25).try_step(&mut params, grads).unwrap_err();
    /// assert!(error.to_string().starts_with("the loss never reached the trainable parameter \"forgotten\""));
    /// assert_eq!(params[w], [4.0]);
    /// ```
    ///
    /// # Errors
    /// If the loss never reached a trainable parameter, or it was frozen then; if the gradients are those of other
    /// parameters; if parameters were added since this optimizer's first step; if the pattern of a group or of
    /// [`only`](Self::only) means no parameter. With `only`, it looks at those parameters alone.
    fn try_step(&mut self, params: &mut Params<T>, grads: &Gradients<T>) -> Result<(), OptimError>;

    /// How far a step goes.
    fn learning_rate(&self) -> f64;

    /// Changes how far the next steps go; keeps what is remembered.
    ///
    /// ```
    /// use surprisal_optim::{Optimizer, Sgd};
    /// let mut optimizer = Sgd::<f32>::new(0.5);
    /// for _epoch in 0..3 {
    ///     optimizer.set_learning_rate(optimizer.learning_rate() / 2.0);
    /// }
    /// assert_eq!(optimizer.learning_rate(), 0.0625);
    /// ```
    ///
    /// # Panics
    /// If the rate is not a finite number above 0.
    #[track_caller]
    fn set_learning_rate(&mut self, rate: f64);

    /// Gives some parameters a learning rate or a weight decay of their own, instead of earlier groups; none, for none.
    ///
    /// See [`ParamGroup`].
    fn set_groups(&mut self, groups: Vec<ParamGroup>);

    /// [`set_groups`](Self::set_groups), of an optimizer that is being made.
    ///
    /// See the example of [`ParamGroup`].
    fn groups(mut self, groups: impl Into<Vec<ParamGroup>>) -> Self
    where
        Self: Sized,
    {
        self.set_groups(groups.into());
        self
    }

    /// From now on it steps only the parameters that a pattern means, and looks at no others; called again, also those of another.
    ///
    /// See [`only`](Self::only).
    fn add_scope(&mut self, pattern: &str);

    /// An optimizer that steps only the parameters that a pattern means: a scope's name, a layer's, or either with `*`, see
    /// [`Entry::matches`](surprisal_tensor::Entry::matches). The loss has to reach these and no others. Called again, it adds those of
    /// another pattern.
    ///
    /// So two optimizers share the parameters of two nets:
    ///
    /// ```
    /// use surprisal_optim::{Adam, Optimizer, Sgd};
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let generator = params.scope("generator").add("shift", &array![0.0]);
    /// let critic = params.scope("critic").add("slope", &array![1.0]);
    /// let mut step_generator = Sgd::new(0.5).only("generator");
    /// let mut step_critic = Adam::new(0.01).only("critic");
    ///
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let score = tape.param(critic) * tape.param(generator).detach(); // the loss never reaches the generator
    /// score.sum().backward();
    /// step_critic.step(&mut params, workspace.grads());
    /// assert_eq!(params[generator], [0.0]);
    ///
    /// let tape = workspace.tape(&params);
    /// let score = tape.param(critic) * tape.param(generator);
    /// (-score.sum()).backward();
    /// let before = params[critic][0];
    /// step_generator.step(&mut params, workspace.grads());
    /// assert_eq!((params[critic][0], params[generator][0]), (before, 0.5 * before));
    /// ```
    ///
    /// A pattern that means no parameter is an error of the step, before anything has moved. What was noted with
    /// [`Tape::update`](surprisal_tensor::Tape::update), running means and the like, is written wherever it stands: the tape went through
    /// those layers, in the steps of any optimizer.
    fn only(mut self, pattern: &str) -> Self
    where
        Self: Sized,
    {
        self.add_scope(pattern);
        self
    }

    /// A copy of what it remembers, to be saved.
    ///
    /// See the example of [`OptimizerState`].
    fn state(&self) -> OptimizerState<T>;

    /// Goes on from where an optimizer stood when this was its [`state`](Self::state).
    ///
    /// ```
    /// use surprisal_optim::{Adam, Optimizer, Sgd};
    /// let state = Adam::<f32>::new(0.001).state();
    /// assert_eq!(
    ///     Sgd::<f32>::new(0.1).load_state(&state).unwrap_err().to_string(),
    ///     "load_state: this is the state of adam, not of sgd | make the optimizer that it was saved from"
    /// );
    /// ```
    ///
    /// # Errors
    /// If it is another optimizer's, if something is missing or unknown in its memory, or if that is not of one length; then
    /// nothing has changed. Whether the length is that of the parameters shows at the next step.
    fn load_state(&mut self, state: &OptimizerState<T>) -> Result<(), OptimError>;
}
