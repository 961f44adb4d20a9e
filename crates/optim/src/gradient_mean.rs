//! [`GradientMean`]: the gradient of a batch that is too large for one go.

use surprisal_formula_macro::math;
use surprisal_tensor::{Gradients, Params, Scalar};

use crate::OptimError;
use crate::common::same_layout;
use crate::error::or_panic;

/// The mean gradient of several micro-batches: of a batch whose loss is the mean over its rows, taken a few rows at a time.
///
/// After micro-batches of n1, n2, .. rows with gradients g1, g2, ..:
///
#[doc = math!("g = sum_k n_k g_k / sum_k n_k")]
///
/// which is, but for rounding, the gradient of the loss over all rows at once. A layer that looks at a whole batch, as batch
/// normalization does, sees the micro-batches one by one, as in PyTorch.
///
/// ```
/// use surprisal_optim::{GradientMean, Optimizer, Sgd};
/// use surprisal_tensor::{Params, Workspace, ndarray::{array, Axis}};
///
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![[1.0]]);
/// let x = array![[1.0], [2.0], [6.0]];
/// let mut workspace = Workspace::new();
/// let mut mean = GradientMean::new();
/// for rows in x.axis_chunks_iter(Axis(0), 2) {
///     let (_, grads) = workspace.grad(&params, |tape| tape.input(&rows).matmul(tape.param(w)).mean());
///     mean.add(&mut params, grads, rows.nrows());
/// }
/// Sgd::new(1.0).step(&mut params, mean.take());
/// assert!((params[w][0] - (1.0 - 3.0)).abs() < 1e-15); // the mean of x, not that of 1.5 and 6
/// ```
#[derive(Clone, Debug, Default)]
pub struct GradientMean<T: Scalar = f32> {
    mean: Gradients<T>,
    rows: usize,
}

impl<T: Scalar> GradientMean<T> {
    /// Of nothing yet.
    ///
    /// See the example of [`GradientMean`], as of the others.
    pub fn new() -> Self {
        GradientMean { mean: Gradients::default(), rows: 0 }
    }

    /// Takes in the gradient of the mean loss over so many rows.
    ///
    /// Running means that the tape noted are written to the parameters at once, so that the next micro-batch goes on from them.
    ///
    /// # Panics
    /// If there are no rows, or if the gradients are those of other parameters.
    #[track_caller]
    pub fn add(&mut self, params: &mut Params<T>, grads: &Gradients<T>, rows: usize) {
        or_panic(if rows > 0 { Ok(()) } else { Err(OptimError::NoRows) });
        or_panic(same_layout(params, grads));
        grads.apply_updates(params);
        self.rows += rows;
        self.mean.mix(rows as f64 / self.rows as f64, grads);
    }

    /// How many rows were taken in since the last [`take`](Self::take): 0 where there is nothing to take.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The mean of what was taken in, to be clipped and to step along; what is added next begins anew.
    ///
    /// # Panics
    /// If nothing was.
    #[track_caller]
    pub fn take(&mut self) -> &mut Gradients<T> {
        or_panic(if self.rows > 0 { Ok(()) } else { Err(OptimError::NoMicroBatch) });
        self.rows = 0;
        &mut self.mean
    }
}
