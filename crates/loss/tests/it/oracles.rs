//! Every value and every gradient against vectors computed with 500 digits, in f32 and f64, within each case's error budget.
//!
//! What the vectors contain and how they were made stands in `vectors/README.md`; how they are read and judged, in
//! `surprisal_loss::vectors`.

use serde_json::Value;
use surprisal_loss::by_name;
use surprisal_loss::vectors::{F32, F64, Fault, Judged, check_document};

#[track_caller]
fn holds(loss: &str, text: &str) {
    let document: Value = serde_json::from_str(text).unwrap();
    assert_eq!(document["loss"], loss);
    let entry = by_name::find(loss).expect("it is in the list");
    for precision in [F32, F64] {
        let name = precision.name;
        let report = check_document(entry, &document, precision).unwrap();
        assert!(report.cases >= 10);
        if let Some((case, error)) = report.failed.first() {
            panic!("{loss}, {case}, {name}: {error}");
        }
        let told = |Fault { case, number: x, share }: &Fault| {
            let Judged { what, computed, exact, .. } = x;
            format!("{case} {what}: {computed:e}, exactly {exact:e}: {share:.2} of the budget")
        };
        let faults: Vec<_> = report.faults.iter().take(20).map(told).collect();
        let (values, gradients) = (&report.values, &report.gradients);
        let numbers = values.numbers + gradients.numbers;
        let told = format!("{loss}, {name}: {} of {numbers} numbers", report.faults.len());
        assert!(report.holds(), "{told}:\n{}", faults.join("\n"));
        let false_numbers = [values.false_numbers, gradients.false_numbers];
        assert_eq!(false_numbers, [[0; 3]; 2], "{loss}, {name}: false zeros, infinities, NaNs");
        println!("{loss}, {name}: {numbers} numbers, at worst {:.2} of the budget", report.worst_share);
    }
}

macro_rules! oracle {
    ($($loss:ident)+) => {
        $(
            #[test]
            fn $loss() {
                holds(stringify!($loss), include_str!(concat!("../vectors/", stringify!($loss), ".json")));
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
    softmax_cross_entropy softmax_focal_loss topk_cross_entropy nll_loss
    binary_cross_entropy_with_logits sigmoid_focal_loss soft_margin_loss binary_cross_entropy
    hinge_loss squared_hinge_loss multi_margin_loss
    mse_loss half_squared_error l1_loss smooth_l1_loss huber_loss log_cosh_loss quantile_loss poisson_nll_loss
    dice_loss ce_dice_loss triplet_margin_loss contrastive_loss supcon_loss
    self_information entropy cross_entropy_probs kl_div kl_div_logits entropy_from_logits
    softmax log_softmax logsumexp sigmoid log_sigmoid softplus tanh
}
