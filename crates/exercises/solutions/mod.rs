//! One solution of each exercise, for the checks; there are others as good.

#[path = "00_before_you_start.rs"]
pub mod before_you_start;
#[path = "02_cross_entropy.rs"]
pub mod cross_entropy;
#[path = "13_experiments.rs"]
pub mod experiments;
#[path = "09_layers.rs"]
pub mod layers;
#[path = "10_losses_and_numerics.rs"]
pub mod numerics;
#[path = "11_optimizers.rs"]
pub mod optimizers;
#[path = "07_why_topological_order.rs"]
pub mod order;
#[path = "12_your_own_data.rs"]
pub mod own_data;
#[path = "03_scores_and_probabilities.rs"]
pub mod scores;
#[path = "01_surprise.rs"]
pub mod surprise;
#[path = "06_the_tape.rs"]
pub mod tape;
#[path = "08_why_gradients_are_zeroed.rs"]
pub mod zeroed;
