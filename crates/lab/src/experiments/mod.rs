//! The experiments of the gallery, one file each: claim, setting, run, measure, verdict, pictures.
//!
//! Adding one is a Rust file and a Markdown file here and a line in the list: the command, the index, the pages and the tests read the list.

use surprisal_settings::closest;

use crate::gallery::{Experiment, LabError};

pub mod bias_variance;
pub mod ce_dice_weight;
pub mod compare;
pub mod convexity;
pub mod dice_and_imbalance;
mod encoders;
pub mod entropy_bound;
pub mod features;
pub mod gan_is_cross_entropy;
pub mod gradient_flow;
pub mod hard_examples;
pub mod identities;
pub mod imbalance_and_switching;
pub mod joint_triplet;
pub mod linear_svm;
pub mod loss_or_accuracy;
pub mod mnist_stall;
pub mod noise_and_calibration;
pub mod only_the_rate;
pub mod plateaus;
pub mod saturated_neuron;
pub mod xor_fates;

/// Every experiment, in the order in which they are best read.
pub fn all() -> &'static [&'static Experiment] {
    EXPERIMENTS
}

/// The experiment of that name.
///
/// # Errors
/// If there is none: with the nearest name.
pub fn find(name: &str) -> Result<&'static Experiment, LabError> {
    let names = || EXPERIMENTS.iter().map(|experiment| experiment.name);
    EXPERIMENTS.iter().copied().find(|experiment| experiment.name == name).ok_or_else(|| {
        let meant = closest(name, names()).map_or(String::new(), |n| format!(" (did you mean {n}?)"));
        LabError::Usage(format!("there is no experiment {name:?}{meant}"))
    })
}

static EXPERIMENTS: &[&Experiment] = &[
    &saturated_neuron::EXPERIMENT,
    &identities::EXPERIMENT,
    &only_the_rate::EXPERIMENT,
    &convexity::EXPERIMENT,
    &plateaus::EXPERIMENT,
    &xor_fates::EXPERIMENT,
    &compare::EXPERIMENT,
    &mnist_stall::EXPERIMENT,
    &gradient_flow::EXPERIMENT,
    &noise_and_calibration::EXPERIMENT,
    &loss_or_accuracy::EXPERIMENT,
    &imbalance_and_switching::EXPERIMENT,
    &dice_and_imbalance::EXPERIMENT,
    &ce_dice_weight::EXPERIMENT,
    &entropy_bound::EXPERIMENT,
    &linear_svm::EXPERIMENT,
    &features::EXPERIMENT,
    &joint_triplet::EXPERIMENT,
    &hard_examples::EXPERIMENT,
    &gan_is_cross_entropy::EXPERIMENT,
    &bias_variance::EXPERIMENT,
];
