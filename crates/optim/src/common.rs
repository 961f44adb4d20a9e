//! What every optimizer has: two numbers, groups, the checks before a step, the walk over theta.

use std::ops::Range;

use surprisal_tensor::threads::{Cut, LIGHT, for_each};
use surprisal_tensor::{Buf, Gradients, NoSuchParameter, Params, Scalar, Unreached};

use crate::{Hyperparameter, Memory, OptimError, ParamGroup, StepNumbers};

/// What every optimizer has.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    pub(crate) learning_rate: f64,
    pub(crate) weight_decay: f64,
    only: Vec<String>, // patterns, one of which means what it steps; none for all
    groups: Vec<ParamGroup>,
    learning_rate_of_groups: f64, // the optimizer's when they were set: theirs are meant beside it
    pub(crate) steps: u64,
    pub(crate) counts: Vec<u64>, // the steps of each parameter, which takes none while it is frozen; empty where nobody counts
}

impl Common {
    pub(crate) fn new(learning_rate: f64, weight_decay: f64) -> Result<Self, OptimError> {
        let learning_rate = Hyperparameter::LearningRate.check(learning_rate)?;
        let groups = Vec::new();
        Ok(Common {
            learning_rate,
            weight_decay,
            only: Vec::new(),
            groups,
            learning_rate_of_groups: learning_rate,
            steps: 0,
            counts: Vec::new(),
        })
    }

    pub(crate) fn set_groups(&mut self, groups: Vec<ParamGroup>) {
        (self.groups, self.learning_rate_of_groups) = (groups, self.learning_rate);
    }
    pub(crate) fn add_scope(&mut self, pattern: &str) {
        self.only.push(pattern.to_string());
    }

    /// Whether it moves the k-th parameter: it is trainable, and among those that this optimizer is to step.
    #[inline]
    fn moves<T: Scalar>(&self, params: &Params<T>, k: usize) -> bool {
        let stepped = || self.only.iter().any(|pattern| params.entries()[k].matches(pattern));
        !params.frozen()[k] && (self.only.is_empty() || stepped())
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
        let (frozen, reached) = (grads.frozen(), grads.reached());
        let mut moved = (0..reached.len()).filter(|&k| self.moves(params, k));
        if moved.clone().all(|k| reached[k] && !frozen[k]) {
            return Ok(());
        }
        let name = |k: usize| params.entries()[k].name.clone();
        let names: Vec<_> = moved.clone().filter(|&k| !reached[k] && !frozen[k]).map(name).collect(); // empty: no allocation
        if !names.is_empty() {
            return Err(Unreached { names }.into());
        }
        match moved.find(|&k| frozen[k]) {
            None => Ok(()),
            Some(k) => Err(OptimError::Unfrozen { parameter: name(k) }),
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

    /// Whether all parameters move by the same rule.
    #[inline]
    fn has_one_rule(&self) -> bool {
        self.groups.is_empty() && self.counts.is_empty()
    }

    /// By what rule the k-th parameter moves in this step.
    #[inline]
    fn rule<T: Scalar>(&self, params: &Params<T>, k: usize) -> StepNumbers {
        let Common { learning_rate, weight_decay, steps, .. } = *self;
        let mut rule =
            StepNumbers { learning_rate, weight_decay, step: self.counts.get(k).copied().unwrap_or(steps) };
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
pub(crate) fn for_each_span<T: Scalar>(
    common: &mut Common,
    params: &mut Params<T>,
    grads: &Gradients<T>,
    memory: &mut [Buf<T>; 3],
    update: impl Fn(StepNumbers, &mut [T], &[T], Memory<T>) + Sync,
) {
    common.steps += 1;
    for k in 0..common.counts.len() {
        common.counts[k] += u64::from(common.moves(params, k));
    }
    grads.apply_updates(params); // of running means and the like
    let (mut k, n) = (0, params.entries().len());
    while k < n {
        let first = k;
        k += 1;
        if !common.moves(params, first) {
            continue;
        }
        // as long as can be: neighbors that move by the same rule
        let rule = common.rule(params, first);
        while k < n && common.moves(params, k) && (common.has_one_rule() || common.rule(params, k) == rule) {
            k += 1;
        }
        let span = params.entries()[first].range.start..params.entries()[k - 1].range.end;
        let [a, b, c] = memory;
        let remembered = [of(a, &span), of(b, &span), of(c, &span)];
        let (theta, g) = (&mut params.as_mut_slice()[span.clone()], &grads.as_slice()[span]);
        for_each((theta, g, Remembered(remembered)), LIGHT, |_, (theta, g, Remembered(memory))| {
            update(rule, theta, g, memory);
        });
    }
}

/// What is remembered of a stretch of theta: nothing, if nothing is of any.
#[inline]
fn of<'m, T>(memory: &'m mut Buf<T>, span: &Range<usize>) -> &'m mut [T] {
    if memory.is_empty() { &mut [] } else { &mut memory[span.clone()] }
}

/// [`Memory`], to be cut in pieces as theta is; what is empty stays so.
struct Remembered<'m, T>(Memory<'m, T>);

impl<T: Send> Cut for Remembered<'_, T> {
    fn units(&self) -> usize {
        self.0[0].len()
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let [a, b, c] = self.0.map(|memory| memory.split_at_mut(at.min(memory.len())));
        (Remembered([a.0, b.0, c.0]), Remembered([a.1, b.1, c.1]))
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

/// Makes ready what is remembered of every number of theta: zeros at the first step, afterward as it is.
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
