//! The exercises of the book: functions whose body you write.
//!
//! | lesson | file | module |
//! |---|---|---|
//! | 0 | `src/00_before_you_start.rs` | [`before_you_start`] |
//! | 1 | `src/01_surprise.rs` | [`surprise`] |
//! | 2 | `src/02_cross_entropy.rs` | [`cross_entropy`] |
//! | 3 | `src/03_scores_and_probabilities.rs` | [`scores`] |
//! | 4 | `src/04_one_neuron.rs` | [`one_neuron`] |
//! | 5 | `src/05_back_propagation_by_hand.rs` | [`by_hand`] |
//! | 6 | `src/06_the_tape.rs` | [`tape`] |
//! | 7 | `src/07_why_topological_order.rs` | [`order`] |
//! | 8 | `src/08_why_gradients_are_zeroed.rs` | [`zeroed`] |
//! | 9 | `src/09_layers.rs` | [`layers`] |
//! | 10 | `src/10_losses_and_numerics.rs` | [`numerics`] |
//! | 11 | `src/11_optimizers.rs` | [`optimizers`] |
//! | 12 | `src/12_your_own_data.rs` | [`own_data`] |
//! | 13 | `src/13_experiments.rs` | [`experiments`] |
//! | 14 | `src/14_curvature.rs` | [`curvature`] |
//! | 15 | `src/15_how_the_tape_works_inside.rs` | [`inside`] |
//! | 16 | `src/16_an_operation_of_your_own.rs` | [`own_operation`] |
//! | 17 | `src/17_a_loss_of_your_own.rs` | [`own_loss`] |
//! | 18 | `src/18_when_it_does_not_learn.rs` | [`does_not_learn`] |
//! | 19 | `src/19_every_pixel.rs` | [`every_pixel`] |
//! | 20 | `src/20_learning_features.rs` | [`features`] |
//! | 21 | `src/21_two_nets_that_play.rs` | [`two_nets`] |
//!
//! Read the lesson, open its file, and replace `unsolved(..)` by your code. Then let it be checked:
//!
//! ```sh
//! cargo test -p surprisal-exercises -- --ignored surprise
//! ```
//!
//! The last word is the module, or `surprise::nats` for one exercise of it. The checks are in `tests/exercises`: when one fails, it
//! says on which numbers. A solution of each is in `solutions`; look there last.

#![forbid(unsafe_code)]
#![allow(unused_variables, reason = "a body that is not yet written uses nothing")]

#[cfg(doctest)]
mod book;

#[path = "00_before_you_start.rs"]
pub mod before_you_start;
#[path = "05_back_propagation_by_hand.rs"]
pub mod by_hand;
#[path = "02_cross_entropy.rs"]
pub mod cross_entropy;
#[path = "14_curvature.rs"]
pub mod curvature;
#[path = "18_when_it_does_not_learn.rs"]
pub mod does_not_learn;
#[path = "19_every_pixel.rs"]
pub mod every_pixel;
#[path = "13_experiments.rs"]
pub mod experiments;
#[path = "20_learning_features.rs"]
pub mod features;
#[path = "15_how_the_tape_works_inside.rs"]
pub mod inside;
#[path = "09_layers.rs"]
pub mod layers;
#[path = "10_losses_and_numerics.rs"]
pub mod numerics;
#[path = "04_one_neuron.rs"]
pub mod one_neuron;
#[path = "11_optimizers.rs"]
pub mod optimizers;
#[path = "07_why_topological_order.rs"]
pub mod order;
#[path = "12_your_own_data.rs"]
pub mod own_data;
#[path = "17_a_loss_of_your_own.rs"]
pub mod own_loss;
#[path = "16_an_operation_of_your_own.rs"]
pub mod own_operation;
#[path = "03_scores_and_probabilities.rs"]
pub mod scores;
#[path = "01_surprise.rs"]
pub mod surprise;
#[path = "06_the_tape.rs"]
pub mod tape;
#[path = "21_two_nets_that_play.rs"]
pub mod two_nets;
#[path = "08_why_gradients_are_zeroed.rs"]
pub mod zeroed;

/// Stands where your code will.
///
/// # Panics
/// Always, and says what to do.
#[track_caller]
pub fn unsolved(what: &str) -> ! {
    panic!("not solved yet: {what}, instead of this line")
}
