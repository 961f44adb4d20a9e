//! The exercises of the book: functions whose body you write.
//!
//! | lesson | file | module |
//! |---|---|---|
//! | 0 | `src/00_before_you_start.rs` | [`before_you_start`] |
//! | 1 | `src/01_surprise.rs` | [`surprise`] |
//! | 2 | `src/02_cross_entropy.rs` | [`cross_entropy`] |
//! | 3 | `src/03_scores_and_probabilities.rs` | [`scores`] |
//! | 6 | `src/06_the_tape.rs` | [`tape`] |
//! | 7 | `src/07_why_topological_order.rs` | [`order`] |
//! | 8 | `src/08_why_gradients_are_zeroed.rs` | [`zeroed`] |
//! | 9 | `src/09_layers.rs` | [`layers`] |
//! | 10 | `src/10_losses_and_numerics.rs` | [`numerics`] |
//! | 11 | `src/11_optimizers.rs` | [`optimizers`] |
//! | 12 | `src/12_your_own_data.rs` | [`own_data`] |
//! | 13 | `src/13_experiments.rs` | [`experiments`] |
//!
//! Read the lesson, open its file, and put your code in the place of `unsolved(..)`. Then let it be checked:
//!
//! ```sh
//! cargo test -p surprisal-exercises -- --ignored surprise
//! ```
//!
//! The last word is the module, or `surprise::nats` for one exercise of it. The checks are in `tests/exercises`: when one fails, it
//! says on which numbers. A solution of each is in `solutions`; look there last.

#![forbid(unsafe_code)]
#![allow(unused_variables, reason = "a body that is not yet written uses nothing")]

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

/// Stands where your code will.
///
/// # Panics
/// Always, and says what to do.
#[track_caller]
pub fn unsolved(what: &str) -> ! {
    panic!("not solved yet: {what}, in the place of this line")
}
