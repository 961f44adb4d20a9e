//! [`Finding`]: a number, how sure it is, and what it says about a claim.

use std::fmt;

use serde_json::{Value, json};

use surprisal_report::Verdict;
use surprisal_report::statistics::Estimate;

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

/// What is expected of a number if the claim holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expected {
    /// Above "no difference" (0 for a difference, 1 for a ratio); a number that is exactly that is [`Verdict::Equal`].
    Above(f64),
    /// Below "no difference".
    Below(f64),
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
    /// More than this; exactly this is too little.
    MoreThan(f64),
    /// Not shown to be above this: at least the lower end of the interval is not.
    NotAbove(f64),
    /// 0 but for this margin.
    Within(f64),
}

/// What an interval says of an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Met,
    Failed,
    Equal,
    Open,
}

impl Expected {
    fn answer(self, Estimate { low, high, .. }: Estimate) -> Answer {
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
            _ if met => Answer::Met,
            _ if failed => Answer::Failed,
            Expected::Above(bound) | Expected::Below(bound) if low == bound && high == bound => Answer::Equal,
            _ => Answer::Open,
        }
    }

    /// "more than", and the number that it is more than.
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

    /// The expectation and how an estimate meets it: "more than 1 expected, not met".
    fn told(self, estimate: Estimate) -> String {
        let (_, bound) = self.parts();
        let outcome = match self.answer(estimate) {
            Answer::Met => String::new(),
            Answer::Failed => ", not met".into(),
            Answer::Equal => ", exactly equal".into(),
            Answer::Open if estimate.mean.is_nan() => ", but the number is unknown".into(),
            Answer::Open if matches!(self, Expected::Within(_)) => ", but the interval goes beyond".into(),
            Answer::Open => format!(", but the interval contains {}", exact(bound)),
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

/// One verdict: under which condition, about which number, with its interval, against which bound.
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
    /// What the number is.
    pub measure: String,
    /// The number and its interval.
    pub estimate: Estimate,
    /// Where the interval comes from.
    pub basis: Basis,
    /// What the interval says about the claim.
    pub verdict: Verdict,
    /// What else there is to say.
    pub sentence: String,
    expected: Option<Expected>,
    also: Vec<Condition>,
}

impl Finding {
    /// A number with an interval of one's own.
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

    /// The mean over seeds.
    ///
    /// # Panics
    /// If there are fewer than 2, or more than [`MOST_RUNS`](surprisal_report::statistics::MOST_RUNS): as of the next.
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

    /// A number without chance; NaN stands for a number that is not known.
    pub fn deterministic(condition: impl Into<String>, measure: impl Into<String>, value: f64) -> Finding {
        Finding::new(condition, measure, Estimate::exactly(value), Basis::Deterministic)
    }

    /// What the claim expects of the number; the verdict follows.
    ///
    /// ```
    /// use surprisal_lab::gallery::{Expected, Finding};
    /// use surprisal_report::Verdict;
    /// let times = Finding::deterministic("From score 4", "times as many epochs", 2.0);
    /// assert_eq!(times.expect(Expected::AtLeast(2.0)).verdict, Verdict::Supported);
    /// ```
    pub fn expect(self, expected: Expected) -> Finding {
        Finding { expected: Some(expected), ..self }.judged()
    }

    /// The claim is that the number is above "no difference", which is 0 or 1.
    pub fn above(self, bound: f64) -> Finding {
        self.expect(Expected::Above(bound))
    }

    /// The claim is that the number is below "no difference".
    pub fn below(self, bound: f64) -> Finding {
        self.expect(Expected::Below(bound))
    }

    /// The claim is that the number is 0 but for this margin: it holds where the whole interval lies inside.
    pub fn within(self, margin: f64) -> Finding {
        self.expect(Expected::Within(margin))
    }

    /// A second condition: the claim holds only if this holds too, and fails if this fails.
    pub fn and(mut self, measure: impl Into<String>, estimate: Estimate, expected: Expected) -> Finding {
        self.also.push(Condition { measure: measure.into(), estimate, expected });
        self.judged()
    }

    fn judged(self) -> Finding {
        let main = self.expected.map_or(Answer::Open, |expected| expected.answer(self.estimate));
        let also = || self.also.iter().map(|condition| condition.expected.answer(condition.estimate));
        let verdict = if main == Answer::Failed || also().any(|a| matches!(a, Answer::Failed | Answer::Equal))
        {
            Verdict::NotSupported
        } else if main == Answer::Open || also().any(|answer| answer == Answer::Open) {
            Verdict::Inconclusive
        } else if main == Answer::Equal {
            Verdict::Equal
        } else {
            Verdict::Supported
        };
        Finding { verdict, ..self }
    }

    /// Adds a sentence that needs neither the number nor the verdict.
    pub fn say(self, sentence: impl Into<String>) -> Finding {
        Finding { sentence: sentence.into(), ..self }
    }

    /// The number with its interval, each in as few digits as tell it from the bound: "4 [1.52, 6.48]".
    pub fn number(&self) -> String {
        number(self.estimate, self.expected)
    }

    pub(super) fn to_json(&self) -> Value {
        let Finding { condition, measure, estimate, basis, verdict, sentence, expected, also } = self;
        let mut told = json!({
            "condition": condition, "measure": measure, "basis": basis.to_string(), "verdict": verdict.word(),
            "sentence": sentence,
        });
        numbers(&mut told, *estimate, *expected);
        told["also"] = also
            .iter()
            .map(|Condition { measure, estimate, expected }| {
                let mut told = json!({ "measure": measure });
                numbers(&mut told, *estimate, Some(*expected));
                told
            })
            .collect();
        told
    }
}

/// The number, what was expected of it, where that comes from, and whatever else there is to say.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Finding { measure, estimate, basis, sentence, expected, also, .. } = self;
        let expected = expected.map_or(String::new(), |expected| expected.told(*estimate) + "; ");
        write!(f, "{measure} = {} ({expected}{basis}).", self.number())?;
        for Condition { measure, estimate, expected } in also {
            let number = number(*estimate, Some(*expected));
            write!(f, " Also needed: {measure} = {number} ({}).", expected.told(*estimate))?;
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
fn numbers(told: &mut Value, Estimate { mean, low, high }: Estimate, expected: Option<Expected>) {
    for (key, number) in [("number", mean), ("low", low), ("high", high)] {
        told[key] = super::record::number(number);
    }
    if let Some((relation, bound)) = expected.map(Expected::parts) {
        told["expected"] = relation.into();
        told["bound"] = bound.into();
    }
}

/// A bound in all its digits.
fn exact(bound: f64) -> String {
    if bound == 0.0 || bound.abs() >= 1e-3 { bound.to_string() } else { format!("{bound:e}") }
}

/// As [`short`], with more digits where three would make it look like the bound that it differs from.
fn beside(x: f64, bound: f64) -> String {
    let differs = |text: &String| x == bound || text.parse() != Ok(bound);
    (3..=17).map(|digits| rounded(x, digits)).find(differs).unwrap_or_else(|| x.to_string())
}

/// A number in three significant digits, without an exponent where that is short.
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
