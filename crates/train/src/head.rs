//! [`Head`]: a loss together with what stands between logits and outputs.

use std::fmt;

use surprisal_loss::{
    BinaryCrossEntropyWithLogits, HalfSquaredError, L1Loss, Reduction, mse_loss, softmax_cross_entropy,
};
use surprisal_tensor::Var;

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
    pub fn outputs(self, logits: Var<'_>) -> Var<'_> {
        match self {
            Head::SoftmaxCrossEntropy | Head::SoftmaxSquared | Head::SoftmaxAbsolute => logits.softmax(-1),
            Head::SigmoidCrossEntropy | Head::SigmoidSquared | Head::SigmoidMse => logits.sigmoid(),
            Head::LinearSquared => logits,
        }
    }

    /// Records the loss.
    #[track_caller]
    pub fn loss<'t>(self, logits: Var<'t>, targets: Var<'t>) -> Var<'t> {
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
            Head::SigmoidMse => mse_loss(self.outputs(logits), targets),
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
