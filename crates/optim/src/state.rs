//! [`OptimizerState`]: what an optimizer remembers, to be saved and taken up again.

use serde::{Deserialize, Serialize};
use surprisal_tensor::{Buf, Scalar};

use crate::OptimError;
use crate::common::Common;

/// What an optimizer remembers of the steps that it took. Training that is taken up again from it goes on with the same bits.
///
/// What the user sets (learning rate, momentum, groups, ..) is not part of it: make the optimizer as before, then load.
///
/// ```
/// use surprisal_optim::{Adam, Optimizer};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
///
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![1.0, -2.0]);
/// let mut workspace = Workspace::new();
/// let mut step = |adam: &mut Adam<f64>, params: &mut Params<f64>| {
///     let (_, grads) = workspace.grad(params, |tape| tape.param(w).square().sum());
///     adam.step(params, grads);
/// };
/// let mut adam = Adam::new(0.1);
/// step(&mut adam, &mut params);
/// let (state, saved) = (adam.state(), params.clone()); // both go to a file
/// step(&mut adam, &mut params);
///
/// let (mut resumed, mut loaded) = (Adam::new(0.1), saved);
/// resumed.load_state(&state)?;
/// step(&mut resumed, &mut loaded);
/// assert_eq!(loaded[w], params[w]);
/// # Ok::<(), surprisal_optim::OptimError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OptimizerState<T> {
    /// Whose it is, "adam": one of [`OptimizerKind`](crate::OptimizerKind)'s names.
    pub name: String,
    /// How many steps it took.
    pub steps: u64,
    /// How many steps each parameter took, in the order of the parameters; empty where each took all of them, or nobody counts.
    #[serde(default)]
    pub steps_of_each: Vec<u64>,
    /// What it remembers of every number of theta, by name: "mean", "square". Empty before the first step.
    pub memory: Vec<(String, Vec<T>)>,
}

impl<T: Scalar> OptimizerState<T> {
    pub(crate) fn of<'a>(
        optimizer: &'static str,
        Common { steps, counts, .. }: &Common,
        memory: impl IntoIterator<Item = (&'static str, &'a Buf<T>)>,
    ) -> Self {
        let uneven = counts.iter().any(|count| count != steps);
        let memory = memory.into_iter().map(|(name, numbers)| (name.to_string(), numbers.to_vec())).collect();
        let steps_of_each = if uneven { counts.clone() } else { Vec::new() };
        OptimizerState { name: optimizer.to_string(), steps: *steps, steps_of_each, memory }
    }

    /// Writes it to an optimizer of this kind, with such a memory; where it does not fit, nothing is written.
    pub(crate) fn restore<'a>(
        &self,
        optimizer: &'static str,
        common: &mut Common,
        memory: impl IntoIterator<Item = (&'static str, &'a mut Buf<T>)>,
    ) -> Result<(), OptimError> {
        if self.name != optimizer {
            return Err(OptimError::OtherOptimizer { optimizer, found: self.name.clone() });
        }
        let mut memory: Vec<_> = memory.into_iter().collect();
        let numbers_of =
            |name| self.memory.iter().find(|(other, _)| other == name).map(|(_, numbers)| numbers);
        let numbers: Option<Vec<_>> = memory.iter().map(|(name, _)| numbers_of(name)).collect();
        // as many, and each is there: none is missing, unknown or twice
        let Some(numbers) = numbers.filter(|_| memory.len() == self.memory.len()) else {
            let expected = memory.iter().map(|(name, _)| *name).collect();
            let found = self.memory.iter().map(|(name, _)| name.clone()).collect();
            return Err(OptimError::OtherMemory { optimizer, expected, found });
        };
        if numbers.windows(2).any(|pair| pair[0].len() != pair[1].len()) {
            let lengths = self.memory.iter().map(|(name, numbers)| (name.clone(), numbers.len())).collect();
            return Err(OptimError::UnequalMemory { optimizer, lengths });
        }
        if let Some(&found) = self.steps_of_each.iter().find(|&&found| found > self.steps) {
            return Err(OptimError::MoreStepsThanTaken { optimizer, steps: self.steps, found });
        }
        for ((_, slots), numbers) in memory.iter_mut().zip(numbers) {
            slots.resize(numbers.len());
            slots.copy_from_slice(numbers);
        }
        common.steps = self.steps;
        common.counts.clone_from(&self.steps_of_each);
        Ok(())
    }
}
