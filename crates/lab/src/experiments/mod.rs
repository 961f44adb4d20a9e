//! The experiments of the gallery, one file each: claim, setting, run, measure, verdict, pictures.
//!
//! Adding one is a file here and a line in the list: the command, the index, the pages and the tests read the list.

use crate::gallery::Experiment;

pub mod bias_variance;
pub mod convexity;
pub mod entropy_bound;
pub mod features;
pub mod gradient_flow;
pub mod identities;
pub mod imbalance_and_switching;
pub mod linear_svm;
pub mod mnist_stall;
pub mod noise_and_calibration;
pub mod only_the_rate;
pub mod plateaus;
pub mod saturated_neuron;
pub mod xor_fates;

/// All of them, in the order in which they are best read.
pub(crate) static EXPERIMENTS: &[&Experiment] = &[
    &saturated_neuron::EXPERIMENT,
    &identities::EXPERIMENT,
    &only_the_rate::EXPERIMENT,
    &convexity::EXPERIMENT,
    &plateaus::EXPERIMENT,
    &xor_fates::EXPERIMENT,
    &mnist_stall::EXPERIMENT,
    &gradient_flow::EXPERIMENT,
    &noise_and_calibration::EXPERIMENT,
    &imbalance_and_switching::EXPERIMENT,
    &entropy_bound::EXPERIMENT,
    &linear_svm::EXPERIMENT,
    &features::EXPERIMENT,
    &bias_variance::EXPERIMENT,
];
