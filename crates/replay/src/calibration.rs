//! Kind `calibration`: is who says 70 % right in 70 of 100 cases?
//!
//! Answers are sorted by their confidence into bins of equal width, `(lo, hi]`, and the first also takes 0. The expected
//! calibration error is `ECE = Σ_b (n_b / n) |accuracy_b - confidence_b|`, the maximal one MCE the largest of these differences, and the Brier
//! score the mean of (confidence - correct)².
//!
//! Source: Guo, Pleiss, Sun and Weinberger 2017, "On calibration of modern neural networks", section 2; Brier 1950.

use std::path::Path;

use serde_json::{Value, json};
use surprisal_data::metrics::{Calibration, calibration};

use super::ReplayError;
use super::place::Place;

/// More bins than anybody looks at.
const MOST_BINS: usize = 10_000;

pub(super) fn replay(setting: &Place, _: &Path) -> Result<Value, ReplayError> {
    let (confidence, correct) = (setting.get("confidence")?, setting.get("correct")?);
    let from_0_to_1 = |c: f64| (0.0..=1.0).contains(&c);
    let said =
        confidence.numbers_within(from_0_to_1, "a number from 0 to 1", "a confidence is a probability")?;
    let right =
        correct.numbers_within(|c| c == 0.0 || c == 1.0, "0 or 1", "write 1 for a correct prediction")?;
    let right: Vec<usize> = right.iter().map(|&right| right as usize).collect();
    if said.is_empty() {
        return Err(confidence.wrong("at least one number", "add confidences, and whether each was correct"));
    }
    if right.len() != said.len() {
        return Err(correct.wrong(format!("a list of {}", said.len()), "each prediction has a confidence"));
    }
    let bins = setting.get("bins")?;
    let count = bins.count_to(MOST_BINS)?;
    if count == 0 {
        return Err(bins.wrong("at least one bin", "10 is usual"));
    }

    let Calibration { bins, ece, mce, brier } = calibration(&right, &said, count).map_err(|error| {
        confidence.found(error.to_string(), "confidences and answers", "look at both lists")
    })?;
    let result: Vec<Value> = bins
        .iter()
        .map(|bin| {
            json!({ "bin": bin.index, "count": bin.count, "accuracy": bin.accuracy, "confidence": bin.confidence })
        })
        .collect();
    Ok(json!({ "ece": ece, "mce": mce, "brier": brier, "bins": result }))
}
