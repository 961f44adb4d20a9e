//! [`Finding`]: a number, how sure it is, and what it says about a claim.

use std::fmt;

use serde_json::{Value, json};

use crate::page::Verdict;
use crate::statistics::Estimate;

/// What stands behind an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Nothing is drawn: the number is what it is.
    Deterministic,
    /// Student's t over so many seeds.
    Seeds(usize),
    /// Student's t over the logarithms of ratios, of so many seeds.
    Ratios(usize),
    /// Wilson's interval, or Newcombe's for a difference, over so many trials.
    Trials(usize),
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Basis::Deterministic => f.write_str("deterministic"),
            Basis::Seeds(n) => write!(f, "95 % interval, t over {n} seeds"),
            Basis::Ratios(n) => write!(f, "95 % interval, t over the logarithms of {n} seeds"),
            Basis::Trials(n) => write!(f, "95 % interval, Wilson over {n} trials"),
        }
    }
}

/// One verdict: under which condition, about which number, with its interval.
///
/// ```
/// use surprisal_lab::gallery::Finding;
/// use surprisal_lab::page::Verdict;
/// let finding = Finding::seeds("At the same rate", "epochs saved", &[3.0, 4.0, 5.0]).above(0.0);
/// assert_eq!(finding.verdict, Verdict::Supported);
/// assert_eq!(finding.number(), "4 [1.52, 6.48]");
/// let none = Finding::seeds("Each at its best", "epochs saved", &[-1.0, 0.0, 1.5]).above(0.0);
/// assert_eq!(none.verdict, Verdict::Inconclusive); // the interval covers "no difference"
/// ```
#[derive(Clone, Debug)]
pub struct Finding {
    /// "At the same learning rate".
    pub condition: String,
    /// What the number is.
    pub measure: String,
    /// The number and its interval.
    pub estimate: Estimate,
    /// Where the interval comes from.
    pub basis: Basis,
    /// What the interval says about the claim.
    pub verdict: Verdict,
    /// The same in words.
    pub sentence: String,
}

impl Finding {
    /// A number with an interval of one's own.
    pub fn new(
        condition: impl Into<String>,
        measure: impl Into<String>,
        estimate: Estimate,
        basis: Basis,
    ) -> Finding {
        let (condition, measure) = (condition.into(), measure.into());
        Finding {
            condition,
            measure,
            estimate,
            basis,
            verdict: Verdict::Inconclusive,
            sentence: String::new(),
        }
    }

    /// The mean over seeds.
    ///
    /// # Panics
    /// If there are fewer than 2, or more than [`MOST_RUNS`](crate::statistics::MOST_RUNS): as of the next.
    #[track_caller]
    pub fn seeds(condition: impl Into<String>, measure: impl Into<String>, values: &[f64]) -> Finding {
        Finding::new(condition, measure, Estimate::of(values), Basis::Seeds(values.len()))
    }

    /// The geometric mean of ratios over seeds; all must be above 0.
    #[track_caller]
    pub fn ratios(condition: impl Into<String>, measure: impl Into<String>, values: &[f64]) -> Finding {
        let logs: Vec<f64> = values.iter().map(|v| v.ln()).collect();
        Finding::new(condition, measure, Estimate::of(&logs).map(f64::exp), Basis::Ratios(values.len()))
    }

    /// A number without chance.
    pub fn deterministic(condition: impl Into<String>, measure: impl Into<String>, value: f64) -> Finding {
        Finding::new(condition, measure, Estimate::exactly(value), Basis::Deterministic)
    }

    /// The claim is that the number is above this one, "no difference" or the least that matters.
    pub fn above(self, bound: f64) -> Finding {
        let Estimate { low, high, .. } = self.estimate;
        self.judged(low > bound, high < bound)
    }

    /// The claim is that the number is below this one.
    pub fn below(self, bound: f64) -> Finding {
        let Estimate { low, high, .. } = self.estimate;
        self.judged(high < bound, low > bound)
    }

    /// The claim is that the number is 0 but for this margin: it holds where the whole interval lies inside.
    pub fn within(self, margin: f64) -> Finding {
        let Estimate { low, high, .. } = self.estimate;
        self.judged(low > -margin && high < margin, low > margin || high < -margin)
    }

    /// The claim holds, fails, or neither is shown.
    pub fn judged(self, holds: bool, fails: bool) -> Finding {
        let verdict = match (holds, fails) {
            (true, _) => Verdict::Supported,
            (_, true) => Verdict::NotSupported,
            _ => Verdict::Inconclusive,
        };
        Finding { verdict, ..self }
    }

    /// Says it in a sentence, without the number and the verdict.
    pub fn say(self, sentence: impl Into<String>) -> Finding {
        Finding { sentence: sentence.into(), ..self }
    }

    /// The number with its interval in four digits at most: "4 [1.52, 6.48]".
    pub fn number(&self) -> String {
        let Estimate { mean, low, high } = self.estimate;
        match self.basis {
            Basis::Deterministic => short(mean),
            _ => format!("{} [{}, {}]", short(mean), short(low), short(high)),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let Finding { condition, measure, estimate: Estimate { mean, low, high }, basis, verdict, sentence } =
            self;
        json!({
            "condition": condition, "measure": measure, "number": mean, "low": low, "high": high,
            "basis": basis.to_string(), "verdict": verdict.word(), "sentence": sentence,
        })
    }
}

/// A number in three significant digits, without an exponent where that is short.
pub fn short(x: f64) -> String {
    let size = x.abs();
    if x.is_infinite() {
        return if x > 0.0 { "∞".into() } else { "-∞".into() };
    }
    if x == 0.0 || x.is_nan() {
        return x.to_string();
    }
    if !(1e-3..1e6).contains(&size) {
        return format!("{x:.2e}");
    }
    let places = (2 - size.log10().floor() as i32).max(0) as usize;
    let text = format!("{x:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (x, text) in [
            (0.0, "0"),
            (0.12345, "0.123"),
            (1.0, "1"),
            (37.648, "37.6"),
            (469.0, "469"),
            (123456.7, "123457"),
            (1e-4, "1.00e-4"),
            (-2.5e7, "-2.50e7"),
            (0.0999, "0.0999"),
        ] {
            assert_eq!(short(x), text);
        }
    }

    #[test]
    fn a_bound_that_is_met_exactly_is_no_difference() {
        let verdict = |finding: Finding| finding.verdict;
        let at = |x| Finding::deterministic("", "", x);
        assert_eq!(verdict(at(1.0).above(1.0)), Verdict::Inconclusive);
        assert_eq!(verdict(at(1.1).above(1.0)), Verdict::Supported);
        assert_eq!(verdict(at(1.1).below(1.0)), Verdict::NotSupported);
        assert_eq!(verdict(at(f64::NAN).below(1.0)), Verdict::Inconclusive);
    }
}
