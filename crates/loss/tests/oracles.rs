//! Every value and every gradient against vectors computed with 500 digits, in f32 and f64, within each case's error budget.
//!
//! What the vectors contain and how they were made stands in `vectors/README.md`; how they are read and judged, in
//! `surprisal_loss::vectors`.

use serde_json::Value;
use surprisal_loss::by_name;
use surprisal_loss::vectors::{F32, F64, cases, judge};

#[track_caller]
fn holds(loss: &str, text: &str) {
    let document: Value = serde_json::from_str(text).unwrap();
    assert_eq!(document["loss"], loss);
    let entry = by_name::find(loss).expect("it is in the list");
    let cases = cases(&document).unwrap();
    assert!(cases.len() >= 10);
    let (mut failures, mut worst, mut numbers) = (vec![], 0f64, 0);
    for (i, (name, case)) in cases.into_iter().enumerate() {
        let (case, expected) = (case.unwrap(), &document["cases"][i]["expected"]);
        for precision in [F32, F64] {
            let judged = match precision {
                F32 if case.f64_only => continue,
                F32 => judge::<f32>(entry, &case, expected),
                _ => judge::<f64>(entry, &case, expected),
            };
            let judged = judged.unwrap_or_else(|error| panic!("{loss}, {name}, {}: {error}", precision.name));
            for x in judged {
                numbers += 1;
                let share = precision.share(x.computed, x.exact, x.budget);
                worst = worst.max(share);
                if share > 1.0 || precision.is_false(x.computed, x.exact) {
                    failures.push(format!(
                        "{name} {} {}: {:e}, exactly {:e}: {share:.2} of the budget",
                        precision.name, x.what, x.computed, x.exact
                    ));
                }
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{loss}: {} of {numbers} numbers:\n{}",
        failures.len(),
        failures[..failures.len().min(20)].join("\n")
    );
    println!("{loss}: {numbers} numbers, at worst {worst:.2} of the budget");
}

macro_rules! oracle {
    ($($loss:ident)+) => {
        $(
            #[test]
            fn $loss() {
                holds(stringify!($loss), include_str!(concat!("vectors/", stringify!($loss), ".json")));
            }
        )+

        #[test]
        fn every_loss_in_the_list_is_held_against_vectors() {
            let held = [$(stringify!($loss)),+];
            let listed: Vec<_> = by_name::ALL.iter().map(|entry| entry.card.name).collect();
            let unheld: Vec<_> = listed.iter().filter(|name| !held.contains(name)).collect();
            assert!(unheld.is_empty(), "without vectors: {unheld:?}");
            assert_eq!(held.len(), listed.len());
        }
    };
}
oracle! {
    softmax_cross_entropy nll_loss
    binary_cross_entropy_with_logits binary_cross_entropy
    mse_loss half_squared_error l1_loss smooth_l1_loss huber_loss log_cosh_loss quantile_loss poisson_nll_loss
    softmax log_softmax logsumexp sigmoid log_sigmoid softplus tanh
}
