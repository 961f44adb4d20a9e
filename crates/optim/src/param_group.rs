//! [`ParamGroup`]: a learning rate and a weight decay of their own for some of the parameters.

use crate::Hyperparameter;
use crate::error::or_panic;

/// Some parameters, by name, and what is other with them: their learning rate, their weight decay, or both.
///
/// A pattern is a parameter's name, the name of a layer, which stands for all that is under it, or either with `*` for any
/// letters: see [`Entry::matches`](surprisal_tensor::Entry::matches). Where several groups mean one parameter, each of its two
/// numbers comes from the last group that sets it; where none does, from the optimizer.
///
/// A schedule scales an own rate as it scales the optimizer's: half the optimizer's rate is half of every group's, as with
/// PyTorch's `LambdaLR`.
///
/// ```
/// use surprisal_optim::{Adam, Optimizer, ParamGroup};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
///
/// let mut params = Params::<f64>::default();
/// let [w, b, head] = ["body.weight", "body.bias", "head.weight"].map(|name| params.add(name, &array![1.0]));
/// let mut adam = Adam::new(0.1)
///     .groups([ParamGroup::named("body").learning_rate(0.01), ParamGroup::named("*.bias").weight_decay(0.0)]);
///
/// let mut workspace = Workspace::new();
/// for expected in [[0.99, 0.99, 0.9], [0.985, 0.985, 0.85]] {
///     let (_, grads) = workspace.grad(&params, |tape| (tape.param(w) + tape.param(b) + tape.param(head)).sum());
///     adam.step(&mut params, grads);
///     assert!(params.as_slice().iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6));
///     adam.set_learning_rate(0.05); // half of it, for all
/// }
/// ```
///
/// A pattern that matches no parameter is an error of the step, before anything has moved:
///
/// ```
/// # use surprisal_optim::{Adam, Optimizer, ParamGroup};
/// # use surprisal_tensor::{Params, Workspace, ndarray::array};
/// # let mut params = Params::<f64>::default();
/// # let w = params.add("head.weight", &array![1.0]);
/// # let mut workspace = Workspace::new();
/// # let (_, grads) = workspace.grad(&params, |tape| tape.param(w).sum());
/// let mut adam = Adam::new(0.1).groups([ParamGroup::named("haed").weight_decay(0.0)]);
/// assert_eq!(
///     adam.try_step(&mut params, grads).unwrap_err().to_string(),
///     "no parameter matches \"haed\" | there are \"head.weight\""
/// );
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ParamGroup {
    pub(crate) pattern: String,
    pub(crate) learning_rate: Option<f64>,
    pub(crate) weight_decay: Option<f64>,
}

impl ParamGroup {
    /// The parameters that a pattern means; as all the others until something is set.
    ///
    /// See the example of [`ParamGroup`], as of the next two.
    pub fn named(pattern: &str) -> Self {
        ParamGroup { pattern: pattern.to_string(), learning_rate: None, weight_decay: None }
    }

    /// Their learning rate, while the optimizer's is what it was when it was given the group; above 0.
    ///
    /// For no steps at all, freeze them: [`Params::freeze_named`](surprisal_tensor::Params::freeze_named).
    ///
    /// # Panics
    /// If it is out of range.
    #[track_caller]
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = Some(or_panic(Hyperparameter::LearningRate.check(rate)));
        self
    }

    /// Their weight decay, 0 or above.
    ///
    /// # Panics
    /// If it is negative, infinite or NaN.
    #[track_caller]
    pub fn weight_decay(mut self, lambda: f64) -> Self {
        self.weight_decay = Some(or_panic(Hyperparameter::WeightDecay.check(lambda)));
        self
    }
}
