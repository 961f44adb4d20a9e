//! Training as experiments do it: any loss of any model, by batches, watched epoch by epoch.

use std::fmt;

use surprisal_data::{Batches, argmax_rows};
use surprisal_layers::Rng;
use surprisal_loss::{
    BinaryCrossEntropyWithLogits, HalfSquaredError, L1Loss, MseLoss, Reduction, softmax_cross_entropy,
};
use surprisal_optim::Optimizer;
use surprisal_tensor::ndarray::{Array2, ArrayView2};
use surprisal_tensor::{Params, Scalar, Tape, Var, Workspace};

/// What turns logits into outputs, and measures them: "squared error" has three names.
///
/// All are sums over the outputs of a row and means over the rows; z are the logits `[rows, outputs]`, t the targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// -Σ t ln softmax(z)
    SoftmaxCrossEntropy,
    /// Σ softplus(z) - t z, each output a question of its own
    SigmoidCrossEntropy,
    /// ½ Σ (softmax(z) - t)²
    SoftmaxSquared,
    /// ½ Σ (σ(z) - t)²
    SigmoidSquared,
    /// Σ (σ(z) - t)² divided by the number of outputs, without the half: PyTorch's `MSELoss`
    SigmoidMse,
    /// ½ Σ (z - t)²
    LinearSquared,
    /// Σ |softmax(z) - t|
    SoftmaxAbsolute,
}

impl Head {
    /// σ or softmax of the logits, or they themselves: `[rows, outputs]`.
    #[track_caller]
    pub fn outputs<T: Scalar>(self, logits: Var<'_, T>) -> Var<'_, T> {
        match self {
            Head::SoftmaxCrossEntropy | Head::SoftmaxSquared | Head::SoftmaxAbsolute => logits.softmax(-1),
            Head::SigmoidCrossEntropy | Head::SigmoidSquared | Head::SigmoidMse => logits.sigmoid(),
            Head::LinearSquared => logits,
        }
    }

    /// Records the loss.
    #[track_caller]
    pub fn loss<'t, T: Scalar>(self, logits: Var<'t, T>, targets: Var<'t, T>) -> Var<'t, T> {
        let per_row = 1.0 / targets.shape().dims()[0] as f64;
        let reduction = Reduction::Sum;
        match self {
            Head::SoftmaxCrossEntropy => softmax_cross_entropy(logits, targets),
            Head::SigmoidCrossEntropy => {
                BinaryCrossEntropyWithLogits { reduction, ..Default::default() }.loss(logits, targets)
                    * per_row
            }
            Head::SoftmaxSquared | Head::SigmoidSquared | Head::LinearSquared => {
                HalfSquaredError { reduction }.loss(self.outputs(logits), targets) * per_row
            }
            Head::SigmoidMse => MseLoss::default().loss(self.outputs(logits), targets),
            Head::SoftmaxAbsolute => L1Loss { reduction }.loss(self.outputs(logits), targets) * per_row,
        }
    }

    /// A short name for files.
    pub fn name(self) -> &'static str {
        match self {
            Head::SoftmaxCrossEntropy | Head::SigmoidCrossEntropy => "ce",
            Head::SoftmaxSquared => "softmax_squared",
            Head::SigmoidSquared => "squared",
            Head::SigmoidMse => "mse",
            Head::LinearSquared => "linear_squared",
            Head::SoftmaxAbsolute => "absolute",
        }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Head::SoftmaxCrossEntropy | Head::SigmoidCrossEntropy => "cross-entropy",
            Head::SoftmaxSquared => "squared error on softmax",
            Head::SigmoidSquared | Head::SigmoidMse => "squared error",
            Head::LinearSquared => "squared error on raw outputs",
            Head::SoftmaxAbsolute => "absolute error on softmax",
        })
    }
}

/// How long, and in which pieces.
#[derive(Clone, Copy, Debug)]
pub struct Training {
    /// Passes over the rows.
    pub epochs: usize,
    /// How many rows there are.
    pub rows: usize,
    /// How many of them make a step; all of them for descent on the whole batch, in their own order.
    pub batch: usize,
}

impl Training {
    /// Steps down the gradient of `loss`, which records the loss of the rows it is given. `each` sees the state after every epoch, 0
    /// being the start, and says whether to go on.
    ///
    /// Gives whether the loss stayed finite; if it did not, nothing more is done.
    ///
    /// # Panics
    /// If a batch is empty or larger than all rows, or the loss does not reach a parameter.
    #[track_caller]
    pub fn run<T: Scalar>(
        self,
        params: &mut Params<T>,
        optimizer: &mut impl Optimizer<T>,
        order: &mut Rng,
        loss: impl for<'t> Fn(&'t Tape<'t, T>, &[usize]) -> Var<'t, T>,
        mut each: impl FnMut(usize, &Params<T>) -> bool,
    ) -> bool {
        let mut workspace = Workspace::new();
        let mut batches = Batches::new(self.rows, self.batch).unwrap_or_else(|error| panic!("{error}"));
        for epoch in 0..=self.epochs {
            if !each(epoch, params) || epoch == self.epochs {
                break;
            }
            if self.batch < self.rows {
                batches.shuffle(order);
            }
            for rows in &batches {
                let tape = workspace.tape(params);
                let value = loss(&tape, rows);
                if !value.item().is_finite() {
                    return false;
                }
                value.backward();
                optimizer.step(params, workspace.grads());
            }
        }
        true
    }
}

/// 1 where the label is, else 0: `[rows, classes]`.
pub fn one_hot<T: Scalar>(labels: &[usize], classes: usize) -> Array2<T> {
    Array2::from_shape_fn((labels.len(), classes), |(i, k)| if labels[i] == k { T::ONE } else { T::ZERO })
}

/// How many rows have their largest logit at the label; a single logit says 1 where it is above 0.
pub fn correct<T: Scalar>(logits: ArrayView2<T>, labels: &[usize]) -> usize {
    match logits.ncols() {
        1 => logits.iter().zip(labels).filter(|&(&z, &label)| usize::from(z > T::ZERO) == label).count(),
        _ => argmax_rows(logits).iter().zip(labels).filter(|(said, label)| said == label).count(),
    }
}
