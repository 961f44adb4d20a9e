//! [`compare`]: is this the number that was expected, everywhere?

use std::fmt;

use serde_json::Value;

use super::ReplayError;
use super::place::{Place, describe};

/// How well everything agrees.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    /// The largest difference in units of the tolerance, from 0 to 1.
    pub ratio: f64,
    /// Where that is: the key path, or nothing if nothing differs.
    pub at: String,
    /// How many values were held: numbers, texts, truths and nulls.
    pub held: usize,
}

/// What differs most from what was expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// The key path, `expected.runs[0].rows[3].loss`.
    pub at: String,
    /// What should stand there, and how exactly.
    pub expected: String,
    /// What stands there.
    pub found: String,
    /// The difference in units of the tolerance; infinite where something else than a number differs.
    pub ratio: f64,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Mismatch { at, expected, found, ratio } = self;
        write!(f, "{at}: expected {expected}, found {found}")?;
        if ratio.is_finite() { write!(f, " | {ratio:.3} times the tolerance") } else { Ok(()) }
    }
}

impl std::error::Error for Mismatch {}

/// A tolerance that cannot be read is reported as a mismatch, too.
impl From<ReplayError> for Mismatch {
    fn from(ReplayError { at, expected, found, .. }: ReplayError) -> Self {
        Mismatch { at, expected, found, ratio: f64::INFINITY }
    }
}

/// Holds `found` against `expected`: numbers to `|found - expected| <= rtol |expected| + atol`, integers, text, null
/// and the lengths of lists exactly. A number without a decimal point is held as an integer if an integer was computed, too. More keys in `found` than are expected are welcome.
///
/// `tolerance` is `{"rtol": number, "atol": number}`; its `sections.NAME` holds other numbers for the part
/// `expected.NAME`.
///
/// # Errors
/// The worst difference, if there is one above 1; of equally bad ones the first.
///
/// ```
/// use serde_json::json;
/// use surprisal_replay::compare;
///
/// let tolerance = json!({ "rtol": 0.01, "atol": 0.0, "sections": { "rough": { "rtol": 0.1 } } });
/// let expected = json!({ "fine": 2.0, "rough": [2.0], "count": 3 });
/// let agreement = compare(&json!({ "fine": 2.01, "rough": [2.1], "count": 3 }), &expected, &tolerance)?;
/// assert!((agreement.ratio - 0.5).abs() < 1e-12 && agreement.held == 3);
///
/// let mismatch = compare(&json!({ "fine": 2.03, "rough": [2.1], "count": 3 }), &expected, &tolerance).unwrap_err();
/// assert_eq!(mismatch.at, "expected.fine");
/// # Ok::<(), surprisal_replay::Mismatch>(())
/// ```
pub fn compare(found: &Value, expected: &Value, tolerance: &Value) -> Result<Agreement, Mismatch> {
    let tolerance = Place::root("tolerance", tolerance);
    let whole =
        Tolerance { rtol: positive(&tolerance.get("rtol")?)?, atol: positive(&tolerance.get("atol")?)? };
    let sections = tolerance.find("sections")?;
    let mut comparison = Comparison::default();
    match expected {
        Value::Object(parts) => {
            for (name, part) in parts {
                let section = match &sections {
                    Some(sections) if sections.value.get(name).is_some() => {
                        whole.with(&sections.get(name)?)?
                    }
                    _ => whole,
                };
                comparison.hold(&format!("expected.{name}"), found.get(name), part, section);
            }
        }
        single => comparison.hold("expected", Some(found), single, whole),
    }
    let Comparison { ratio, at, held, worst } = comparison;
    worst.map_or(Ok(Agreement { ratio, at, held }), Err)
}

#[derive(Clone, Copy)]
struct Tolerance {
    rtol: f64,
    atol: f64,
}

impl Tolerance {
    /// With the numbers of a section, where it has them.
    fn with(self, section: &Place) -> Result<Self, ReplayError> {
        let or = |key, whole| section.find(key)?.map_or(Ok(whole), |place| positive(&place));
        Ok(Tolerance { rtol: or("rtol", self.rtol)?, atol: or("atol", self.atol)? })
    }
}

fn positive(number: &Place) -> Result<f64, ReplayError> {
    number.number_within(|number| number >= 0.0, "a number not below 0", "1e-10 is usual")
}

#[derive(Default)]
struct Comparison {
    ratio: f64,
    at: String,
    held: usize,
    worst: Option<Mismatch>, // if the ratio is above 1
}

impl Comparison {
    fn hold(&mut self, at: &str, found: Option<&Value>, expected: &Value, tolerance: Tolerance) {
        match (expected, found) {
            (Value::Object(expected), Some(Value::Object(found))) => {
                for (key, expected) in expected {
                    self.hold(&format!("{at}.{key}"), found.get(key), expected, tolerance);
                }
            }
            (Value::Array(expected), Some(Value::Array(found))) if expected.len() == found.len() => {
                for (i, (expected, found)) in expected.iter().zip(found).enumerate() {
                    self.hold(&format!("{at}[{i}]"), Some(found), expected, tolerance);
                }
            }
            (Value::Number(e), Some(Value::Number(f))) if e.is_f64() || f.is_f64() => {
                let (e, f) = (e.as_f64().unwrap_or(f64::NAN), f.as_f64().unwrap_or(f64::NAN));
                let Tolerance { rtol, atol } = tolerance;
                let ratio = if e == f { 0.0 } else { (f - e).abs() / (rtol * e.abs() + atol) };
                self.note(ratio, at, || {
                    (format!("{e:?} to rtol {rtol:?} and atol {atol:?}"), format!("{f:?}"))
                });
            }
            (expected, Some(found)) if expected == found => self.held += 1,
            (expected, found) => self.note(f64::INFINITY, at, || {
                (describe(expected), found.map_or_else(|| "nothing".into(), describe))
            }),
        }
    }

    /// Remembers what is worse than all before it.
    fn note(&mut self, ratio: f64, at: &str, texts: impl FnOnce() -> (String, String)) {
        self.held += 1;
        if ratio <= self.ratio {
            return;
        }
        (self.ratio, self.at) = (ratio, at.into());
        if ratio > 1.0 {
            let (expected, found) = texts();
            self.worst = Some(Mismatch { at: at.into(), expected, found, ratio });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const EXPECTED: &str = r#"{ "runs": [{ "id": "a", "loss": [0.5, 2.0], "epoch": 3, "reached": null }], "rough": { "zero": 0.0 } }"#;

    /// What `compare` says when `found` is as expected, but for one change.
    #[track_caller]
    fn outcome(change: impl FnOnce(&mut Value)) -> String {
        let expected: Value = serde_json::from_str(EXPECTED).unwrap();
        let mut found = expected.clone();
        change(&mut found);
        let tolerance = json!({ "rtol": 1e-3, "atol": 0.0, "sections": { "rough": { "atol": 0.5 } } });
        match compare(&found, &expected, &tolerance) {
            Ok(agreement) => format!("{:.3}", agreement.ratio),
            Err(mismatch) => mismatch.to_string(),
        }
    }

    #[test]
    fn what_is_close_enough_passes_with_its_worst_ratio() {
        assert_eq!(outcome(|_| ()), "0.000");
        assert_eq!(outcome(|found| found["runs"][0]["loss"][1] = json!(2.0005)), "0.250");
        assert_eq!(outcome(|found| found["runs"][0]["loss"][1] = json!(2)), "0.000");
        assert_eq!(outcome(|found| found["runs"][0]["epoch"] = json!(3.0)), "0.000");
        assert_eq!(outcome(|found| found["rough"]["zero"] = json!(-0.25)), "0.500"); // the section's atol
        assert_eq!(outcome(|found| found["runs"][0]["more"] = json!("is welcome")), "0.000");
    }

    #[test]
    fn the_worst_place_is_reported_also_where_all_is_well() {
        let expected = json!({ "a": [1.0, 2.0], "b": "text", "c": null });
        let held = |found: Value| compare(&found, &expected, &json!({ "rtol": 0.1, "atol": 0 })).unwrap();
        assert_eq!(held(expected.clone()), Agreement { ratio: 0.0, at: String::new(), held: 4 });
        let agreement = held(json!({ "a": [1.01, 2.1], "b": "text", "c": null }));
        assert_eq!((agreement.at.as_str(), agreement.held), ("expected.a[1]", 4));
    }

    #[test]
    fn every_other_difference_is_a_mismatch() {
        type Change = fn(&mut Value);
        let cases: &[(Change, &str)] = &[
            (
                |found| {
                    found["runs"][0]["loss"] = json!([0.501, 2.5]);
                },
                "expected.runs[0].loss[1]: expected 2.0 to rtol 0.001 and atol 0.0, found 2.5 | 250.000 times the tolerance",
            ),
            (|found| found["rough"]["zero"] = json!(0.75), "1.500 times the tolerance"),
            (|found| found["runs"][0]["epoch"] = json!(4), "expected.runs[0].epoch: expected 3, found 4"),
            (
                |found| found["runs"][0]["epoch"] = json!(3.1),
                "expected.runs[0].epoch: expected 3.0 to rtol 0.001 and atol 0.0, found 3.1",
            ),
            (
                |found| found["runs"][0]["reached"] = json!(3),
                "expected.runs[0].reached: expected null, found 3",
            ),
            (|found| found["runs"][0]["id"] = json!("b"), r#"expected.runs[0].id: expected "a", found "b""#),
            (
                |found| found["runs"][0]["loss"][0] = Value::Null,
                "expected.runs[0].loss[0]: expected 0.5, found null",
            ),
            (
                |found| found["runs"][0]["loss"] = json!([0.5]),
                "expected.runs[0].loss: expected a list of 2, found a list of 1",
            ),
            (|found| found["runs"] = json!([]), "expected.runs: expected a list of 1, found a list of 0"),
            (
                |found| found["rough"] = json!({ "zer": 0.0 }),
                "expected.rough.zero: expected 0.0, found nothing",
            ),
            (|found| *found = Value::Null, "expected.rough: expected an object, found nothing"),
        ];
        for (change, message) in cases {
            assert!(outcome(change).contains(message), "{}\nis not\n{message}", outcome(change));
        }
    }

    #[test]
    fn a_tolerance_without_numbers_is_no_tolerance() {
        let outcome =
            |tolerance: Value| compare(&json!(1.0), &json!(1.0), &tolerance).unwrap_err().to_string();
        assert_eq!(outcome(json!({ "rtol": 0.1 })), "tolerance.atol: expected this key, found only rtol");
        assert_eq!(
            outcome(json!({ "rtol": 0.1, "atol": -1 })),
            "tolerance.atol: expected a number not below 0, found -1"
        );
        assert_eq!(
            outcome(json!({ "rtol": "tight", "atol": 0 })),
            "tolerance.rtol: expected a finite number, found \"tight\""
        );
    }
}
