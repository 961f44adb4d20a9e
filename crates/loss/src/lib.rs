//! Loss functions: one loss is one file, and each file is a lesson.
//!
//! # Which loss when
//!
//! | the question | the last layer gives | loss | what it takes |
//! |---|---|---|---|
//! | which one of K classes? | K logits | [`softmax_cross_entropy`] | logits, class indices or probabilities |
//! | which one, where only log-probabilities are at hand? | K log-probabilities | [`nll_loss`] | log-probabilities, class indices |
//! | yes or no? (once, or for each of several labels) | 1 logit each | [`binary_cross_entropy_with_logits`] | logits, targets in \[0, 1\] |
//! | yes or no, where only a probability is at hand? | 1 probability each | [`binary_cross_entropy`] | probabilities, targets in \[0, 1\] |
//! | how much? | a number | [`mse_loss`] | any numbers |
//! | (to see why not for classes) | a probability | [`half_squared_error`] | probabilities, targets |
//!
//! *Logits* are what the last linear layer gives, before any sigmoid or softmax. The two losses that take them contain the
//! softmax and the sigmoid: giving them probabilities squashes twice, and training still seems to work, only badly.
//!
//! # Why fused
//!
//! `-ln softmax(z)[y]` in two steps is infinite as soon as softmax rounds to 0, from a gap of 104 between two logits in `f32`; and
//! 0, with gradient 0, as soon as it rounds to 1, from a gap of 17. As one node nothing is lost but what rounding the
//! difference of two logits costs, for every finite input, and its gradient is the simplest there is: softmax(z) - y.
//!
//! # Reductions
//!
//! Losses return the [mean](Reduction::Mean) unless told otherwise: over the rows for the losses of classes, over all elements for
//! the others. Comparing two losses at one learning rate therefore compares step sizes too: a mean over 10 outputs
//! takes a tenth of the step.

#![forbid(unsafe_code)]

mod binary_cross_entropy;
mod binary_cross_entropy_with_logits;
mod half_squared_error;
mod labels;
mod mse_loss;
mod nll_loss;
mod pointwise;
mod reduction;
mod softmax_cross_entropy;
mod weights;
mod yes_or_no;

pub use binary_cross_entropy::{BinaryCrossEntropy, binary_cross_entropy};
pub use binary_cross_entropy_with_logits::{BinaryCrossEntropyWithLogits, binary_cross_entropy_with_logits};
pub use half_squared_error::{half_squared_error, half_squared_error_with};
pub use labels::Label;
pub use mse_loss::{mse_loss, mse_loss_with};
pub use nll_loss::{NllLoss, nll_loss};
pub use reduction::Reduction;
pub use softmax_cross_entropy::{ClassTargets, SoftmaxCrossEntropy, TargetLeaf, softmax_cross_entropy};
