//! [`Optimizer`], and what every one of them shares: two numbers, the checks before a step, the walk over theta, the memory.

use surprisal_tensor::threads::{Cut, LIGHT, for_each};
use surprisal_tensor::{Buf, Gradients, NoSuchParameter, ParamId, Params, Scalar, Unreached};

use crate::error::or_panic;
use crate::{Hyperparameter, OptimError, OptimizerState, ParamGroup};

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

    /// Gives some parameters a learning rate or a weight decay of their own, in the place of earlier groups; none, for none.
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
    /// those layers, whoever steps.
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

/// What every optimizer has.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    learning_rate: f64,
    weight_decay: f64,
    only: Vec<String>, // patterns, one of which means what it steps; none for all
    groups: Vec<ParamGroup>,
    learning_rate_of_groups: f64, // the optimizer's when they were set: theirs are meant beside it
    pub(crate) steps: u64,
    pub(crate) counts: Vec<u64>, // the steps of each parameter, which takes none while it is frozen; empty where nobody counts
}

/// The numbers that hold for a stretch of theta in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rule {
    pub(crate) learning_rate: f64,
    pub(crate) weight_decay: f64,
    pub(crate) step: u64, // from 1: the parameter's where its steps are counted, else the optimizer's
}

impl Common {
    pub(crate) fn new(learning_rate: f64) -> Result<Self, OptimError> {
        let learning_rate = Hyperparameter::LearningRate.check(learning_rate)?;
        let groups = Vec::new();
        Ok(Common {
            learning_rate,
            weight_decay: 0.0,
            only: Vec::new(),
            groups,
            learning_rate_of_groups: learning_rate,
            steps: 0,
            counts: Vec::new(),
        })
    }

    pub(crate) fn learning_rate(&self) -> f64 {
        self.learning_rate
    }
    #[track_caller]
    pub(crate) fn set_learning_rate(&mut self, rate: f64) {
        self.learning_rate = or_panic(Hyperparameter::LearningRate.check(rate));
    }
    #[track_caller]
    pub(crate) fn set_weight_decay(&mut self, lambda: f64) {
        self.weight_decay = or_panic(Hyperparameter::WeightDecay.check(lambda));
    }
    pub(crate) fn set_groups(&mut self, groups: Vec<ParamGroup>) {
        (self.groups, self.learning_rate_of_groups) = (groups, self.learning_rate);
    }
    pub(crate) fn add_scope(&mut self, pattern: &str) {
        self.only.push(pattern.to_string());
    }

    /// Whether it moves a parameter: it is trainable, and among those that this optimizer is to step.
    fn moves<T: Scalar>(&self, params: &Params<T>, id: ParamId) -> bool {
        let stepped = || self.only.iter().any(|pattern| params.entry(id).matches(pattern));
        params.is_trainable(id) && (self.only.is_empty() || stepped())
    }

    /// Whether these are the gradients of these parameters, none is missing, and the groups' names are among theirs.
    pub(crate) fn check<T: Scalar>(
        &self,
        params: &Params<T>,
        grads: &Gradients<T>,
    ) -> Result<(), OptimError> {
        same_layout(params, grads)?;
        let means_none = |pattern: &&String| !params.entries().iter().any(|entry| entry.matches(pattern));
        let mut patterns = self.only.iter().chain(self.groups.iter().map(|group| &group.pattern));
        if let Some(pattern) = patterns.find(means_none) {
            return Err(NoSuchParameter::new(pattern, params).into());
        }
        if params.ids().all(|id| !self.moves(params, id) || grads.is_trainable(id) && grads.is_reached(id)) {
            return Ok(());
        }
        let moved = || params.ids().filter(|&id| self.moves(params, id));
        let name = |id| params.entry(id).name.clone();
        let names: Vec<_> =
            moved().filter(|&id| grads.is_trainable(id) && !grads.is_reached(id)).map(name).collect(); // empty: no allocation
        if !names.is_empty() {
            return Err(Unreached { names }.into());
        }
        match moved().find(|&id| !grads.is_trainable(id)) {
            None => Ok(()),
            Some(id) => Err(OptimError::Unfrozen { parameter: name(id) }),
        }
    }

    /// Makes ready to count the steps of each parameter. What was saved without such counts, or has never stepped, took as many with all.
    pub(crate) fn count<T: Scalar>(&mut self, params: &Params<T>) -> Result<(), OptimError> {
        let (counted, parameters) = (self.counts.len(), params.entries().len());
        if counted == 0 {
            self.counts.resize(parameters, self.steps);
        } else if counted != parameters {
            return Err(OptimError::OtherStepCounts { parameters, found: counted });
        }
        Ok(())
    }

    /// By what rule the k-th parameter moves in this step.
    fn rule<T: Scalar>(&self, params: &Params<T>, k: usize) -> Rule {
        let Common { learning_rate, weight_decay, steps, .. } = *self;
        let mut rule =
            Rule { learning_rate, weight_decay, step: self.counts.get(k).copied().unwrap_or(steps) };
        let entry = &params.entries()[k];
        for group in self.groups.iter().filter(|group| entry.matches(&group.pattern)) {
            if let Some(own) = group.learning_rate {
                rule.learning_rate = own * (learning_rate / self.learning_rate_of_groups);
            }
            rule.weight_decay = group.weight_decay.unwrap_or(rule.weight_decay);
        }
        rule
    }
}

/// Whether these are the gradients of these parameters.
pub(crate) fn same_layout<T: Scalar>(params: &Params<T>, grads: &Gradients<T>) -> Result<(), OptimError> {
    if params.same_layout(grads) { Ok(()) } else { Err(first_difference(params, grads)) }
}

#[cold]
fn first_difference<T: Scalar>(params: &Params<T>, grads: &Gradients<T>) -> OptimError {
    let pairs = params.entries().iter().zip(grads.entries());
    let first = pairs.take_while(|(parameter, gradient)| parameter == gradient).count();
    let words = |of: &Params<T>| match of.entries().get(first) {
        Some(entry) => format!("\"{}\" {}", entry.name, entry.shape),
        None => "nothing".to_string(),
    };
    OptimError::OtherParameters { parameter: words(params), gradient: words(grads) }
}

/// Takes a step: calls `update` on each stretch of theta that may move, in pieces, with its gradient and what is remembered of it.
pub(crate) fn for_each_span<T: Scalar, M: Cut>(
    common: &mut Common,
    params: &mut Params<T>,
    grads: &Gradients<T>,
    mut memory: M,
    update: impl Fn(Rule, &mut [T], &[T], M) + Sync,
) {
    common.steps += 1;
    for k in 0..common.counts.len() {
        let id = params.ids().nth(k).expect("as many are counted as there are parameters");
        common.counts[k] += u64::from(common.moves(params, id));
    }
    grads.apply_updates(params); // of running means and the like
    let mut end = 0;
    let mut ids = params.ids().enumerate().peekable();
    while let Some((k, id)) = ids.next() {
        if !common.moves(params, id) {
            continue;
        }
        // as long as can be: neighbours that move by the same rule
        let (rule, mut span) = (common.rule(params, k), params.entry(id).range.clone());
        let same = |&(k, id): &(usize, ParamId)| common.moves(params, id) && common.rule(params, k) == rule;
        while let Some((_, next)) = ids.next_if(same) {
            span.end = params.entry(next).range.end;
        }
        let (remembered, behind) = memory.cut(span.start - end).1.cut(span.len());
        (memory, end) = (behind, span.end);
        let (theta, g) = (&mut params.as_mut_slice()[span.clone()], &grads.as_slice()[span]);
        for_each((theta, g, remembered), LIGHT, |_, (theta, g, memory)| update(rule, theta, g, memory));
    }
}

/// √v; 0 at 0, where the root has no derivative: a dual number would turn into NaN where the gradient is 0.
#[inline(always)]
pub(crate) fn root<T: Scalar>(v: T) -> T {
    if v > T::ZERO { v.sqrt() } else { T::ZERO }
}

/// A root so small that it is lost beside `eps`, and its square: what is smaller counts as 0, see [`Scalar::or_zero_below`].
#[inline(always)]
pub(crate) fn lost_beside<T: Scalar>(eps: f64) -> [T; 2] {
    let root = 0.25 * T::EPSILON * eps;
    [root, root * root].map(T::of)
}

/// A velocity, or 0 where it is so small that a learning rate times it would lose digits: see [`Scalar::or_zero_below`].
#[inline(always)]
pub(crate) fn moving<T: Scalar>(velocity: T) -> T {
    velocity.or_zero_below(T::of(T::MIN_POSITIVE / T::EPSILON))
}

/// Makes ready what is remembered of every number of theta: zeros at the first step, afterwards as it is.
pub(crate) fn remember<T: Scalar>(memory: &mut Buf<T>, params: &Params<T>) -> Result<(), OptimError> {
    let (remembered, found) = (memory.len(), params.as_slice().len());
    if remembered == 0 {
        memory.resize(found);
        memory.fill(T::ZERO);
    } else if remembered != found {
        return Err(OptimError::LayoutChanged { remembered, found });
    }
    Ok(())
}
