//! [`Optimizer`], and what every one of them shares: the checks before a step, the walk over theta, the memory.

use surprisal_tensor::threads::{Cut, LIGHT, for_each};
use surprisal_tensor::{Buf, Gradients, Params, Scalar};

use crate::OptimError;
use crate::error::or_panic;

/// Moves the parameters down their gradient, one step at a time.
///
/// Frozen parameters do not move, and what is remembered of them does not change. Nothing has to be set to
/// zero between steps. After the first step, a step allocates nothing.
///
/// ```
/// use surprisal_optim::{Optimizer, Sgd};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
///
/// let mut params = Params::<f64>::new();
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
    /// # let mut params = Params::<f64>::new();
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
    /// parameters; if parameters were added since this optimizer's first step.
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
}

/// Whether these are the gradients of these parameters, and none is missing.
pub(crate) fn check<T: Scalar>(params: &Params<T>, grads: &Gradients<T>) -> Result<(), OptimError> {
    if !params.same_layout(grads) {
        return Err(first_difference(params, grads));
    }
    grads.all_reached()?;
    match params.ids().find(|&id| params.is_trainable(id) && !grads.is_trainable(id)) {
        None => Ok(()),
        Some(id) => Err(OptimError::Unfrozen { parameter: params.entry(id).name.clone() }),
    }
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

/// Calls `update` on each stretch of theta that may move, in pieces, with its gradient and what is remembered of it.
pub(crate) fn for_each_span<T: Scalar, M: Cut>(
    params: &mut Params<T>,
    grads: &Gradients<T>,
    mut memory: M,
    update: impl Fn(&mut [T], &[T], M) + Sync,
) {
    grads.apply_updates(params); // of running means and the like
    let mut end = 0;
    // by number, as theta cannot change while an iterator over its spans is held; there is one, or few
    for k in 0.. {
        let Some(span) = params.trainable_spans().nth(k) else { return };
        let (remembered, behind) = memory.cut(span.start - end).1.cut(span.len());
        (memory, end) = (behind, span.end);
        let (theta, g) = (&mut params.as_mut_slice()[span.clone()], &grads.as_slice()[span]);
        for_each((theta, g, remembered), LIGHT, |_, (theta, g, memory)| update(theta, g, memory));
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
