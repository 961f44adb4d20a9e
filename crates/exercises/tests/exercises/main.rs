//! The checks of the exercises. Of each exercise there are two tests: `yours`, which is ignored unless you ask for it, holds what
//! you wrote; `the_check_is_fair` shows that it can be passed, and that no wrong answer we could think of passes it.
//!
//! `cargo test -p surprisal-exercises -- --ignored surprise` runs `yours` of the lesson on surprise.

use std::panic::{AssertUnwindSafe, catch_unwind};

#[path = "../../solutions/mod.rs"]
mod solutions;

/// The tests of one exercise: `exercise!(lesson::function, check, wrong: [answer, ..])`, where `check` takes the function.
macro_rules! exercise {
    ($lesson:ident::$function:ident, $check:ident, wrong: [$($wrong:expr),+ $(,)?]) => {
        mod $function {
            use super::*;

            #[test]
            #[ignore = "an exercise: it passes when you have solved it"]
            fn yours() {
                $check(surprisal_exercises::$lesson::$function);
            }
            #[test]
            fn the_check_is_fair() {
                $check(crate::solutions::$lesson::$function);
                let wrong: &[(&str, &dyn Fn())] = &[$((stringify!($wrong), &|| $check($wrong))),+];
                for (answer, check) in wrong {
                    assert!(crate::fails(check), "a wrong answer passes: {answer}");
                }
            }
        }
    };
}

/// Whether a check finds something to say.
fn fails(check: impl Fn()) -> bool {
    catch_unwind(AssertUnwindSafe(check)).is_err()
}

/// Panics at the caller's line unless two numbers are the same but for rounding.
#[track_caller]
fn near(what: impl std::fmt::Display, found: f64, expected: f64) {
    let same = found == expected || (found - expected).abs() <= 1e-9 * expected.abs().max(1e-3);
    assert!(same, "{what} is {expected}, and yours gives {found}");
}

/// [`near`], number by number.
#[track_caller]
fn all_near(what: impl std::fmt::Display, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}: how many numbers there are");
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        near(format_args!("{what}, place {i},"), found, expected);
    }
}

#[path = "00_before_you_start.rs"]
mod before_you_start;
#[path = "05_back_propagation_by_hand.rs"]
mod by_hand;
#[path = "02_cross_entropy.rs"]
mod cross_entropy;
#[path = "14_curvature.rs"]
mod curvature;
#[path = "18_when_it_does_not_learn.rs"]
mod does_not_learn;
#[path = "19_every_pixel.rs"]
mod every_pixel;
#[path = "13_experiments.rs"]
mod experiments;
#[path = "20_learning_features.rs"]
mod features;
#[path = "15_how_the_tape_works_inside.rs"]
mod inside;
#[path = "09_layers.rs"]
mod layers;
#[path = "10_losses_and_numerics.rs"]
mod numerics;
#[path = "04_one_neuron.rs"]
mod one_neuron;
#[path = "11_optimizers.rs"]
mod optimizers;
#[path = "07_why_topological_order.rs"]
mod order;
#[path = "12_your_own_data.rs"]
mod own_data;
#[path = "17_a_loss_of_your_own.rs"]
mod own_loss;
#[path = "16_an_operation_of_your_own.rs"]
mod own_operation;
#[path = "03_scores_and_probabilities.rs"]
mod scores;
#[path = "01_surprise.rs"]
mod surprise;
#[path = "06_the_tape.rs"]
mod tape;
#[path = "21_two_nets_that_play.rs"]
mod two_nets;
#[path = "08_why_gradients_are_zeroed.rs"]
mod zeroed;

#[test]
fn an_exercise_that_is_not_solved_fails_and_says_what_to_do() {
    let panic = catch_unwind(|| surprisal_exercises::unsolved("write -ln p")).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "not solved yet: write -ln p, instead of this line");
}
