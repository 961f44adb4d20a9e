//! Every value and every gradient against vectors computed with 500 digits, in f32 and f64, within each case's error budget.
//!
//! What the vectors contain and how they were made stands in `vectors/README.md`; how they are read and judged, in
//! `surprisal_loss::vectors`.

use serde_json::Value;
use surprisal_loss::by_name::{self, Entry};
use surprisal_loss::vectors::{F32, F64, Fault, Judged, check_document};

#[track_caller]
fn holds(entry: &Entry, text: &str) {
    let (loss, document) = (entry.card.name, serde_json::from_str::<Value>(text).unwrap());
    assert_eq!(document["loss"], loss);
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

/// One after the other, so that a new loss needs no test of its own: its name in the list is enough.
#[test]
fn every_loss_holds_against_its_vectors() {
    for entry in by_name::ALL {
        let path = format!("{}/tests/vectors/{}.json", env!("CARGO_MANIFEST_DIR"), entry.card.name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        holds(entry, &text);
    }
}
