//! What the figures say, and no more.

use super::{Arm, Outcome, Scenario};
use crate::gallery::{self, Basis};
use surprisal_report::Verdict;
use surprisal_report::statistics::Estimate;

/// One comparison of two arms.
#[derive(Clone, Debug)]
pub struct Finding {
    /// "at the same learning rate", "each at its own best".
    pub condition: String,
    /// Epochs to the accuracy, the second loss's minus the first's, paired by seed.
    pub difference: Estimate,
    /// Test accuracy at the end, the first loss's minus the second's, paired by seed; `None` if a run did not come to an end.
    pub accuracy_difference: Option<Estimate>,
    /// Whether the first loss needs fewer epochs.
    pub verdict: Verdict,
    /// The verdict in words.
    pub sentence: String,
}

impl Outcome {
    /// The claim "the first loss needs fewer epochs", at the shared rate and at each loss's own best.
    pub fn findings(&self) -> [Finding; 2] {
        let [first, second] = self.best();
        let rate = self.same[0].learning_rate;
        let best = format!(
            "each at its own best learning rate ({} and {})",
            first.learning_rate, second.learning_rate
        );
        [
            finding(
                &self.scenario,
                format!("at the same learning rate {rate}"),
                &self.same[0],
                &self.same[1],
            ),
            finding(&self.scenario, best, first, second),
        ]
    }
}

fn finding(scenario: &Scenario, condition: String, first: &Arm, second: &Arm) -> Finding {
    let (a, b) = (first.epochs(scenario), second.epochs(scenario));
    let difference = Estimate::of(&a.iter().zip(&b).map(|(a, b)| b - a).collect::<Vec<_>>());
    let measure = format!("epochs under {} minus under {}", second.objective, first.objective);
    let measured = gallery::Finding::new(&condition, measure, difference, Basis::Seeds(a.len())).above(0.0);
    let verdict = measured.verdict;
    let (x, y) = (first.test_accuracies(), second.test_accuracies());
    let accuracy_difference = (x.len() == a.len() && y.len() == b.len())
        .then(|| Estimate::of(&x.iter().zip(&y).map(|(x, y)| x - y).collect::<Vec<_>>()));
    let conclusion = match verdict {
        Verdict::Supported => format!("here {} was faster", first.objective),
        Verdict::NotSupported => format!("here {} was the faster one", second.objective),
        Verdict::Equal => "both took the same with every seed".to_string(),
        Verdict::Inconclusive => "a difference is not shown".to_string(),
    };
    let sentence = format!(
        "{}, to {} % training accuracy {} took {}, {} {}: {conclusion}. {}{}{}",
        capitalized(&condition),
        100.0 * scenario.accuracy,
        first.objective,
        needed(scenario, &a),
        second.objective,
        needed(scenario, &b),
        capitalized(&measured.to_string()),
        stall_sentence(first, second),
        accuracy_difference.map_or(String::new(), |d| accuracy_sentence(d, first, second)),
    );
    Finding { condition, difference, accuracy_difference, verdict, sentence }
}

/// "12.5 epochs", or how many runs never got there.
fn needed(scenario: &Scenario, epochs: &[f64]) -> String {
    let limit = scenario.epochs as f64;
    let short = epochs.iter().filter(|&&e| e > limit).count();
    let mean = epochs.iter().sum::<f64>() / epochs.len() as f64;
    match short {
        0 => format!("{mean:.1} epochs on average"),
        _ if short == epochs.len() => {
            format!("more than {limit} epochs in every one of {} runs", epochs.len())
        }
        _ => format!(
            "{mean:.1} epochs or more on average ({short} of {} runs did not get there in {limit})",
            epochs.len()
        ),
    }
}

/// What explains a stall, if there is one: how much shorter the second gradient is where both stand at the same place.
fn stall_sentence(first: &Arm, second: &Arm) -> String {
    let start =
        |arm: &Arm| arm.histories().filter_map(|history| history.epochs()[0].gradient_norm).sum::<f64>();
    let ratio = start(first) / start(second);
    if first.learning_rate != second.learning_rate || !ratio.is_finite() || ratio < 2.0 {
        return String::new();
    }
    format!(
        " At the start, where both stand at the same place, the gradient of {} was {ratio:.0} times as long.",
        first.objective
    )
}

fn accuracy_sentence(difference: Estimate, first: &Arm, second: &Arm) -> String {
    let Estimate { mean, low, high } = difference;
    let points = |x: f64| format!("{:.1}", 100.0 * x.abs());
    if low > 0.0 {
        format!(" After training, {} was {} points better on unseen rows.", first.objective, points(mean))
    } else if high < 0.0 {
        format!(" After training, {} was {} points better on unseen rows.", second.objective, points(mean))
    } else if high - low > 0.1 {
        " After training, their accuracy on unseen rows varied too much between seeds to tell which is better.".into()
    } else {
        " After training, their accuracy on unseen rows did not differ by more than chance.".into()
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}
