//! Loss functions. Each loss is a module, and its page explains the formula, the gradient and the numerics.
//!
//! # Which loss to use
//!
//! | task | output of the model | loss | inputs |
//! |---|---|---|---|
//! | one of K classes | K logits | [`softmax_cross_entropy`](mod@softmax_cross_entropy) | logits, class indices or probabilities |
//! | one of K classes, with many easy rows | K logits | [`softmax_focal_loss`](mod@softmax_focal_loss) | logits, class indices |
//! | one of K classes, only the k hardest rows | K logits | [`topk_cross_entropy`](mod@topk_cross_entropy) | logits, class indices, k |
//! | one of K classes, from log-probabilities | K log-probabilities | [`nll_loss`](mod@nll_loss) | log-probabilities, class indices |
//! | one of K classes, by a margin | K scores | [`multi_margin_loss`](mod@multi_margin_loss) | scores, class indices |
//! | two classes, or several labels of a row | 1 logit for each | [`binary_cross_entropy_with_logits`](mod@binary_cross_entropy_with_logits) | logits, targets in \[0, 1\] |
//! | two classes, with many easy negatives | 1 logit for each | [`sigmoid_focal_loss`](mod@sigmoid_focal_loss) | logits, targets 0 or 1 |
//! | two classes, as signs | 1 logit for each | [`soft_margin_loss`](mod@soft_margin_loss) | logits, targets +1 or -1 |
//! | two classes, from probabilities | 1 probability for each | [`binary_cross_entropy`](mod@binary_cross_entropy) | probabilities, targets in \[0, 1\] |
//! | two classes, by a margin | 1 score for each | [`hinge_loss`](mod@hinge_loss) | scores, targets +1 or -1 |
//! | the same, without a kink | 1 score for each | [`squared_hinge_loss`](mod@squared_hinge_loss) | scores, targets +1 or -1 |
//! | regression | a number | [`mse_loss`](mod@mse_loss) | any numbers |
//! | regression, each error counted by its size | a number | [`l1_loss`](mod@l1_loss) | any numbers |
//! | regression with outliers | a number | [`huber_loss`](mod@huber_loss), [`smooth_l1_loss`](mod@smooth_l1_loss), [`log_cosh_loss`](mod@log_cosh_loss) | any numbers |
//! | regression with an estimate of its variance | a mean and a variance | [`gaussian_nll_loss`](mod@gaussian_nll_loss) | any numbers, variances not negative |
//! | regression of quantiles | a number for each quantile q | [`quantile_loss`](mod@quantile_loss) | any numbers, and q in (0, 1) |
//! | regression of counts | the logarithm of a rate, or a rate | [`poisson_nll_loss`](mod@poisson_nll_loss) | counts: not negative |
//! | segmentation: which elements belong to a set | 1 logit for each | [`dice_loss`](mod@dice_loss), [`ce_dice_loss`](mod@ce_dice_loss) | logits, targets in \[0, 1\]; the second also class indices |
//! | similarity, from triplets | an embedding | [`triplet_margin_loss`](mod@triplet_margin_loss) | anchors, positives, negatives |
//! | similarity, from labels, by triplets | an embedding | [`BatchTripletLoss`], see [`batch_triplet_loss`] | embeddings, labels |
//! | similarity, from pairs | an embedding | [`contrastive_loss`](mod@contrastive_loss) | pairs, 1 for similar and 0 for not |
//! | similarity, from labels | an embedding | [`supcon_loss`](mod@supcon_loss) | embeddings, labels |
//! | to match the predictions of another model | K logits | [`kl_div_logits`](mod@kl_div_logits) | logits of both |
//! | to match a given distribution | K log-probabilities | [`kl_div`](mod@kl_div) | log-probabilities, and probabilities or their logarithms |
//! | cross-entropy of two distributions | K probabilities | [`cross_entropy_probs`](mod@cross_entropy_probs) | probabilities of both |
//! | entropy of a prediction (no target) | K logits, or K probabilities | [`entropy_from_logits`](mod@entropy_from_logits), [`entropy`](mod@entropy) | logits, probabilities |
//! | surprise of an outcome | its probability | [`self_information`](mod@self_information) | probabilities |
//! | none (to see why not for classes) | a probability | [`half_squared_error`](mod@half_squared_error) | probabilities, targets |
//!
//! *Logits* are the outputs of the last linear layer, before any sigmoid or softmax. The losses that take logits contain the
//! softmax or the sigmoid. If they got probabilities, these would be squashed twice, and training would seem to work, but badly; so the output of
//! `softmax` or `sigmoid` itself is refused. The functions softmax, sigmoid, log_softmax, logsumexp, log_sigmoid, softplus and tanh are
//! methods of [`Var`](surprisal_tensor::Var), and are tested like the losses.
//!
//! # Why fused
//!
//! Computed in two steps, `-ln softmax(z)[y]` is infinite as soon as softmax rounds to 0, from a gap of 104 between two logits in `f32`; and
//! it is 0, with gradient 0, as soon as softmax rounds to 1, from a gap of 17. As a single operation it is exact for every finite input, and its
//! gradient is the simplest possible: softmax(z) - y.
//!
//! # How to call a loss
//!
//! Every loss is a function with default options, and a struct whose fields are the options:
//! `huber_loss(input, target)`, and `HuberLoss { delta: 2.0, ..Default::default() }.loss(input, target)`. A loss is an ordinary
//! value on the tape, so a weighted sum of losses is an ordinary expression.
//!
//! The default reduction is the [mean](Reduction::Mean): over the rows if a row has one loss (for classes, distributions and
//! embeddings), over all elements if each element has one; the page of each loss says which. Only [`kl_div`](mod@kl_div), as in PyTorch,
//! divides by the number of elements although its rows are distributions. So two losses at the same learning rate also differ in the size of
//! their steps: a mean over 10 outputs makes steps a tenth as large.
//!
//! # What is checked
//!
//! Shapes, labels, weights and options are always checked; targets are checked if they are data: NaN or a number out of range is reported with its index.
//! The outputs of a model are not checked: NaN gives NaN, even if its weight is 0. The exceptions are values that a loss does not read: rows
//! with the ignored label, and in [`nll_loss`](mod@nll_loss) all classes but the target. A panic names the line of the caller;
//! `try_loss`, which each loss has beside `loss`, returns a [`LossError`] instead.
//!
//! Inside the crate, `kinds` contains the loops, checks and reductions that losses of one kind share, [`by_name`] the list of all losses, and
//! `vectors` (a feature) reads and evaluates test cases.

#![forbid(unsafe_code)]

#[macro_use]
mod define;
#[cfg(test)]
mod definition;

mod base;
pub mod by_name;
mod error;
mod functions;
mod kinds;
mod reduction;
#[cfg(feature = "vectors")]
pub mod vectors;

pub mod batch_triplet_loss;
pub mod binary_cross_entropy;
pub mod binary_cross_entropy_with_logits;
pub mod ce_dice_loss;
pub mod contrastive_loss;
pub mod cross_entropy_probs;
pub mod dice_loss;
pub mod entropy;
pub mod entropy_from_logits;
pub mod gaussian_nll_loss;
pub mod half_squared_error;
pub mod hinge_loss;
pub mod huber_loss;
pub mod kl_div;
pub mod kl_div_logits;
pub mod l1_loss;
pub mod log_cosh_loss;
pub mod mse_loss;
pub mod multi_margin_loss;
pub mod nll_loss;
pub mod poisson_nll_loss;
pub mod quantile_loss;
pub mod self_information;
pub mod sigmoid_focal_loss;
pub mod smooth_l1_loss;
pub mod soft_margin_loss;
pub mod softmax_cross_entropy;
pub mod softmax_focal_loss;
pub mod squared_hinge_loss;
pub mod supcon_loss;
pub mod topk_cross_entropy;
pub mod triplet_margin_loss;

pub use base::Base;
pub use batch_triplet_loss::{BatchTripletLoss, Mining, Triplets};
pub use dice_loss::{DiceActivation, DicePer};
pub use error::{LossError, Problem};
pub use kinds::labels::Label;
pub use kl_div::KlReduction;
pub use reduction::Reduction;
pub use softmax_cross_entropy::{ClassTargets, TargetLeaf};

/// The list of all losses, in the order of the front page, and behind it the functions: what stands here is exported, has a row in the
/// command's list and in docs/losses.md, is held against its vectors, and can be called by its name.
macro_rules! losses {
    (functions $($function:ident)+; $($loss:ident $Type:ident $(by $Named:ident)?;)+) => {
        $(pub use $loss::{$Type, $loss};)+

        mod list {
            use surprisal_tensor::Var;

            use crate::by_name::{ByName, CallError, Entry, Given, Options};
            use crate::{Label, functions};

            /// Every loss and function, in the order of the front page.
            pub const ALL: &[Entry] = &[$(crate::$loss::ENTRY,)+ $(functions::$function::ENTRY),+];

            #[derive(Clone, Debug)]
            #[allow(non_camel_case_types)] // each variant has the name of its loss
            pub(crate) enum Any {
                $($loss(losses!(@named $loss $Type $($Named)?)),)+
                $($function(functions::$function::Function)),+
            }

            impl Any {
                pub fn read(options: &Options) -> Self {
                    $(if options.entry.card.name == crate::$loss::ENTRY.card.name {
                        return Any::$loss(ByName::read(options));
                    })+
                    $(if options.entry.card.name == functions::$function::ENTRY.card.name {
                        return Any::$function(ByName::read(options));
                    })+
                    unreachable!("{} is not in the list", options.entry.card.name)
                }

                #[track_caller]
                pub fn call<'t>(&self, inputs: &Given<'_, 't, impl Label>) -> Result<Var<'t>, CallError> {
                    match self {
                        $(Any::$loss(loss) => loss.call(inputs),)+
                        $(Any::$function(function) => function.call(inputs)),+
                    }
                }
            }
        }
    };
    (@named $loss:ident $Type:ident) => { crate::$loss::$Type };
    (@named $loss:ident $Type:ident $Named:ident) => { crate::$loss::$Named };
}
losses! {
    functions softmax log_softmax logsumexp sigmoid log_sigmoid softplus tanh;
    softmax_cross_entropy SoftmaxCrossEntropy;
    softmax_focal_loss SoftmaxFocalLoss;
    topk_cross_entropy TopkCrossEntropy;
    nll_loss NllLoss;
    binary_cross_entropy_with_logits BinaryCrossEntropyWithLogits;
    sigmoid_focal_loss SigmoidFocalLoss;
    soft_margin_loss SoftMarginLoss;
    binary_cross_entropy BinaryCrossEntropy;
    hinge_loss HingeLoss;
    squared_hinge_loss SquaredHingeLoss;
    multi_margin_loss MultiMarginLoss;
    mse_loss MseLoss;
    half_squared_error HalfSquaredError;
    l1_loss L1Loss;
    smooth_l1_loss SmoothL1Loss;
    huber_loss HuberLoss;
    log_cosh_loss LogCoshLoss;
    quantile_loss QuantileLoss;
    poisson_nll_loss PoissonNllLoss;
    gaussian_nll_loss GaussianNllLoss;
    dice_loss DiceLoss;
    ce_dice_loss CeDiceLoss by CeDiceByName;
    triplet_margin_loss TripletMarginLoss;
    contrastive_loss ContrastiveLoss;
    supcon_loss SupconLoss;
    self_information SelfInformation;
    entropy Entropy;
    cross_entropy_probs CrossEntropyProbs;
    kl_div KlDiv;
    kl_div_logits KlDivLogits;
    entropy_from_logits EntropyFromLogits;
}
