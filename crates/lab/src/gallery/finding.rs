//! [`Finding`]: a number with its interval, and its verdict on a claim.

use std::fmt;

use serde_json::{Value, json};

use surprisal_report::Verdict;
use surprisal_report::statistics::Estimate;

/// The origin of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Nothing is random: the number has no interval.
    Deterministic,
    /// Student's t over this number of seeds.
    Seeds(usize),
    /// Student's t over the logarithms of ratios, one for each of this number of seeds.
    Ratios(usize),
    /// Wilson's interval, or Newcombe's for a difference, over this number of trials.
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

/// The condition that a number must meet if the claim holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expected {
    /// Above "no difference" (0 for a difference, 1 for a ratio). A number that is exactly equal to it is [`Verdict::Equal`].
    Above(f64),
    /// Below "no difference".
    Below(f64),
    /// At least this number.
    AtLeast(f64),
    /// At most this number.
    AtMost(f64),
    /// More than this number; exactly this number is too little.
    MoreThan(f64),
    /// Not shown to be above this number: the lower end of the interval is not above it.
    NotAbove(f64),
    /// Within this margin of 0.
    Within(f64),
}

/// Whether an interval meets a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    Met,
    Failed,
    Equal,
    Open,
}

impl Expected {
    fn check(self, Estimate { low, high, .. }: Estimate) -> Check {
        let (met, failed) = match self {
            Expected::Above(bound) => (low > bound, high < bound),
            Expected::Below(bound) => (high < bound, low > bound),
            Expected::AtLeast(bound) => (low >= bound, high < bound),
            Expected::AtMost(bound) => (high <= bound, low > bound),
            Expected::MoreThan(bound) => (low > bound, high <= bound),
            Expected::NotAbove(bound) => (low <= bound, low > bound),
            Expected::Within(margin) => (low >= -margin && high <= margin, low > margin || high < -margin),
        };
        match self {
            _ if met => Check::Met,
            _ if failed => Check::Failed,
            Expected::Above(bound) | Expected::Below(bound) if low == bound && high == bound => Check::Equal,
            _ => Check::Open,
        }
    }

    /// The relation as text, such as "more than", and the bound.
    fn parts(self) -> (&'static str, f64) {
        match self {
            Expected::Above(bound) | Expected::MoreThan(bound) => ("more than", bound),
            Expected::Below(bound) => ("less than", bound),
            Expected::AtLeast(bound) => ("at least", bound),
            Expected::AtMost(bound) => ("at most", bound),
            Expected::NotAbove(bound) => ("not above", bound),
            Expected::Within(margin) => ("within ±", margin),
        }
    }

    /// The condition and whether an estimate meets it: "more than 1 expected, not met".
    fn describe(self, estimate: Estimate) -> String {
        let (_, bound) = self.parts();
        let outcome = match self.check(estimate) {
            Check::Met => String::new(),
            Check::Failed => ", not met".into(),
            Check::Equal => ", exactly equal".into(),
            Check::Open if estimate.mean.is_nan() => ", but the number is unknown".into(),
            Check::Open if matches!(self, Expected::Within(_)) => ", but the interval goes beyond".into(),
            Check::Open => format!(", but the interval contains {}", exact(bound)),
        };
        format!("{self} expected{outcome}")
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (relation, bound) = self.parts();
        let space = if relation.ends_with('±') { "" } else { " " };
        write!(f, "{relation}{space}{}", exact(bound))
    }
}

/// A second condition of a claim.
#[derive(Clone, Debug)]
struct Condition {
    measure: String,
    estimate: Estimate,
    expected: Expected,
}

/// A verdict with its condition, its number, the interval of the number and the bound.
///
/// ```
/// use surprisal_lab::gallery::Finding;
/// use surprisal_report::Verdict;
/// let finding = Finding::seeds("At the same rate", "epochs saved", &[3.0, 4.0, 5.0]).above(0.0);
/// assert_eq!(finding.verdict, Verdict::Supported);
/// assert_eq!(finding.to_string(), "epochs saved = 4 [1.52, 6.48] (more than 0 expected; 95 % interval, t over 3 seeds).");
/// let none = Finding::seeds("Each at its best", "epochs saved", &[-1.0, 0.0, 1.5]).above(0.0);
/// assert_eq!(none.verdict, Verdict::Inconclusive); // the interval contains "no difference"
/// let tie = Finding::deterministic("Each at its best", "epochs saved", 0.0).above(0.0);
/// assert_eq!(tie.verdict, Verdict::Equal);
/// ```
#[derive(Clone, Debug)]
pub struct Finding {
    /// "At the same learning rate".
    pub condition: String,
    /// The name of the number.
    pub measure: String,
    /// The number and its interval.
    pub estimate: Estimate,
    /// The origin of the interval.
    pub basis: Basis,
    /// The verdict, which follows from the interval and the bound.
    pub verdict: Verdict,
    /// A further sentence, or empty.
    pub sentence: String,
    expected: Option<Expected>,
    also: Vec<Condition>,
}

impl Finding {
    /// Returns a finding with the given interval.
    pub fn new(
        condition: impl Into<String>,
        measure: impl Into<String>,
        estimate: Estimate,
        basis: Basis,
    ) -> Finding {
        Finding {
            condition: condition.into(),
            measure: measure.into(),
            estimate,
            basis,
            verdict: Verdict::Inconclusive,
            sentence: String::new(),
            expected: None,
            also: vec![],
        }
    }

    /// Returns a finding about the mean over seeds.
    ///
    /// # Panics
    /// If there are fewer than 2 values, or more than [`MOST_RUNS`](surprisal_report::statistics::MOST_RUNS).
    #[track_caller]
    pub fn seeds(condition: impl Into<String>, measure: impl Into<String>, values: &[f64]) -> Finding {
        Finding::new(condition, measure, Estimate::of(values), Basis::Seeds(values.len()))
    }

    /// Returns a finding about the geometric mean of ratios over seeds; all must be above 0.
    ///
    /// # Panics
    /// As [`Finding::seeds`].
    #[track_caller]
    pub fn ratios(condition: impl Into<String>, measure: impl Into<String>, values: &[f64]) -> Finding {
        let logs: Vec<f64> = values.iter().map(|v| v.ln()).collect();
        Finding::new(condition, measure, Estimate::of(&logs).map(f64::exp), Basis::Ratios(values.len()))
    }

    /// Returns a finding about a number that does not depend on chance; NaN is an unknown number.
    pub fn deterministic(condition: impl Into<String>, measure: impl Into<String>, value: f64) -> Finding {
        Finding::new(condition, measure, Estimate::exactly(value), Basis::Deterministic)
    }

    /// Sets the condition of the claim; the verdict follows.
    ///
    /// ```
    /// use surprisal_lab::gallery::{Expected, Finding};
    /// use surprisal_report::Verdict;
    /// let times = Finding::deterministic("From score 4", "times as many epochs", 2.0);
    /// assert_eq!(times.expect(Expected::AtLeast(2.0)).verdict, Verdict::Supported);
    /// ```
    pub fn expect(self, expected: Expected) -> Finding {
        Finding { expected: Some(expected), ..self }.with_verdict()
    }

    /// Sets the condition that the number is above "no difference", which is 0 or 1.
    pub fn above(self, bound: f64) -> Finding {
        self.expect(Expected::Above(bound))
    }

    /// Sets the condition that the number is below "no difference".
    pub fn below(self, bound: f64) -> Finding {
        self.expect(Expected::Below(bound))
    }

    /// Sets the condition that the whole interval lies within this margin of 0.
    pub fn within(self, margin: f64) -> Finding {
        self.expect(Expected::Within(margin))
    }

    /// Adds a second condition: the claim holds only if this holds too, and fails if this fails.
    pub fn and(mut self, measure: impl Into<String>, estimate: Estimate, expected: Expected) -> Finding {
        self.also.push(Condition { measure: measure.into(), estimate, expected });
        self.with_verdict()
    }

    fn with_verdict(self) -> Finding {
        let main = self.expected.map_or(Check::Open, |expected| expected.check(self.estimate));
        let also = || self.also.iter().map(|condition| condition.expected.check(condition.estimate));
        let verdict = if main == Check::Failed || also().any(|a| matches!(a, Check::Failed | Check::Equal)) {
            Verdict::NotSupported
        } else if main == Check::Open || also().any(|answer| answer == Check::Open) {
            Verdict::Inconclusive
        } else if main == Check::Equal {
            Verdict::Equal
        } else {
            Verdict::Supported
        };
        Finding { verdict, ..self }
    }

    /// Adds a sentence that needs neither the number nor the verdict.
    pub fn sentence(self, sentence: impl Into<String>) -> Finding {
        Finding { sentence: sentence.into(), ..self }
    }

    /// Returns the number with its interval, with enough digits to distinguish them from the bound: "4 [1.52, 6.48]".
    pub fn number(&self) -> String {
        number(self.estimate, self.expected)
    }

    pub(super) fn to_json(&self) -> Value {
        let Finding { condition, measure, estimate, basis, verdict, sentence, expected, also } = self;
        let mut json = json!({
            "condition": condition, "measure": measure, "basis": basis.to_string(), "verdict": verdict.word(),
            "sentence": sentence,
        });
        numbers(&mut json, *estimate, *expected);
        json["also"] = also
            .iter()
            .map(|Condition { measure, estimate, expected }| {
                let mut json = json!({ "measure": measure });
                numbers(&mut json, *estimate, Some(*expected));
                json
            })
            .collect();
        json
    }
}

/// The number, the condition, the origin of the interval, and the sentence.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Finding { measure, estimate, basis, sentence, expected, also, .. } = self;
        let expected = expected.map_or(String::new(), |expected| expected.describe(*estimate) + "; ");
        write!(f, "{measure} = {} ({expected}{basis}).", self.number())?;
        for Condition { measure, estimate, expected } in also {
            let number = number(*estimate, Some(*expected));
            write!(f, " Also needed: {measure} = {number} ({}).", expected.describe(*estimate))?;
        }
        if !sentence.is_empty() {
            write!(f, " {sentence}")?;
        }
        Ok(())
    }
}

/// A number with its interval, if it has one.
fn number(Estimate { mean, low, high }: Estimate, expected: Option<Expected>) -> String {
    let short = |x: f64| match expected {
        Some(expected) => beside(x, expected.parts().1),
        None => short(x),
    };
    match mean {
        _ if mean.is_nan() => "unknown".into(),
        _ if low == mean && high == mean => short(mean),
        _ => format!("{} [{}, {}]", short(mean), short(low), short(high)),
    }
}

/// Adds an estimate and a bound to a JSON object.
fn numbers(json: &mut Value, Estimate { mean, low, high }: Estimate, expected: Option<Expected>) {
    for (key, number) in [("number", mean), ("low", low), ("high", high)] {
        json[key] = super::record::number(number);
    }
    if let Some((relation, bound)) = expected.map(Expected::parts) {
        json["expected"] = relation.into();
        json["bound"] = bound.into();
    }
}

/// A bound with all its digits.
fn exact(bound: f64) -> String {
    if bound == 0.0 || bound.abs() >= 1e-3 { bound.to_string() } else { format!("{bound:e}") }
}

/// As [`short`], with more digits where three would round the number to a bound that it differs from.
fn beside(x: f64, bound: f64) -> String {
    let differs = |text: &String| x == bound || text.parse() != Ok(bound);
    (3..=17).map(|digits| rounded(x, digits)).find(differs).unwrap_or_else(|| x.to_string())
}

/// Returns a number with three significant digits, without an exponent from 0.001 to 1000000.
pub fn short(x: f64) -> String {
    rounded(x, 3)
}

fn rounded(x: f64, digits: usize) -> String {
    let size = x.abs();
    if x.is_infinite() {
        return if x > 0.0 { "∞".into() } else { "-∞".into() };
    }
    if x == 0.0 || x.is_nan() {
        return x.to_string();
    }
    if !(1e-3..1e6).contains(&size) {
        return format!("{x:.0$e}", digits - 1);
    }
    let places = (digits as i32 - 1 - size.log10().floor() as i32).max(0) as usize;
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
    fn the_verdict_follows_from_the_number_and_the_bound() {
        use Verdict::*;
        let of = |low, high| {
            Finding::new("", "", Estimate { mean: (low + high) / 2.0, low, high }, Basis::Seeds(3))
        };
        for (low, high, expected, verdict) in [
            (1.1, 1.1, Expected::Above(1.0), Supported),
            (1.0, 1.0, Expected::Above(1.0), Equal),
            (0.9, 0.9, Expected::Above(1.0), NotSupported),
            (1.0, 1.2, Expected::Above(1.0), Inconclusive), // it only touches
            (0.9, 1.0, Expected::Below(1.0), Inconclusive),
            (1.0, 1.0, Expected::Below(1.0), Equal),
            (2.0, 2.0, Expected::AtLeast(2.0), Supported),
            (1.9, 2.1, Expected::AtLeast(2.0), Inconclusive),
            (3.0, 3.0, Expected::AtMost(3.0), Supported),
            (3.1, 3.2, Expected::AtMost(3.0), NotSupported),
            (0.0, 0.0, Expected::MoreThan(0.0), NotSupported),
            (-0.1, 0.2, Expected::NotAbove(0.0), Supported),
            (0.1, 0.2, Expected::NotAbove(0.0), NotSupported),
            (-0.1, 0.1, Expected::Within(0.1), Supported),
            (-0.1, 0.2, Expected::Within(0.1), Inconclusive),
            (0.2, 0.3, Expected::Within(0.1), NotSupported),
            (f64::NAN, f64::NAN, Expected::AtLeast(1.0), Inconclusive),
        ] {
            assert_eq!(of(low, high).expect(expected).verdict, verdict, "[{low}, {high}]: {expected}");
        }
    }

    #[test]
    fn a_second_condition_must_hold_too() {
        use Verdict::*;
        let with = |first, second| {
            let second = Estimate::exactly(second);
            Finding::deterministic("", "times", first).above(1.0).and(
                "difference",
                second,
                Expected::AtMost(3.0),
            )
        };
        for (first, second, verdict) in [
            (9.0, 0.5, Supported),
            (50.0, 73700.0, NotSupported),
            (1.0, 0.5, Equal),
            (1.0, 4.0, NotSupported),
            (0.5, 0.5, NotSupported),
            (9.0, f64::NAN, Inconclusive),
        ] {
            assert_eq!(with(first, second).verdict, verdict, "{first}, {second}");
        }
        assert_eq!(
            with(50.0, 73700.0).to_string(),
            "times = 50 (more than 1 expected; deterministic). Also needed: difference = 73700 (at most 3 expected, not met)."
        );
    }

    #[test]
    fn a_number_that_differs_from_the_bound_looks_different() {
        let of = |x, bound| Finding::deterministic("", "", x).above(bound).number();
        assert_eq!(of(1.0, 1.0), "1");
        assert_eq!(of(1.00003, 1.0), "1.00003");
        assert_eq!(of(0.99996, 1.0), "0.99996");
        assert_eq!(of(-1e-9, 0.0), "-1.00e-9");
    }
}
