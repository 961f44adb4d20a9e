//! How right a computed number is, and what a whole document of cases comes to.

use serde_json::Value;
use surprisal_tensor::Scalar;
use surprisal_tensor::ndarray::{ArrayD, Dimension};

use super::{Case, CaseError, array, cases};
use crate::by_name::Entry;

/// The rules of one number type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Precision {
    /// "f32" or "f64"
    pub name: &'static str,
    /// u, half the distance from 1 to the next number.
    pub unit: f64,
    tiny: f64,
    largest: f64,
    smallest_normal: f64,
}

/// Single precision.
pub const F32: Precision = Precision {
    name: "f32",
    unit: 1.0 / (1u64 << 24) as f64,
    tiny: 7.174_648_137_343_064e-43, // 2^-140
    largest: f32::MAX as f64,
    smallest_normal: f32::MIN_POSITIVE as f64,
};

/// Double precision.
pub const F64: Precision = Precision {
    name: "f64",
    unit: f64::EPSILON / 2.0,
    tiny: 5.06e-321, // 2^-1064
    largest: f64::MAX,
    smallest_normal: f64::MIN_POSITIVE,
};

impl Precision {
    /// How far x is off, as a fraction of what the budget allows; infinite where an infinity or NaN stands for a number, or the
    /// reverse. Beyond the largest number, the infinity of that sign is right.
    pub fn share(&self, x: f64, exact: f64, budget: f64) -> f64 {
        if exact.abs() > self.largest {
            return if x == exact.signum() * f64::INFINITY { 0.0 } else { f64::INFINITY };
        }
        let share = (x - exact).abs() / (4.0 * self.unit * budget + self.tiny);
        if share.is_nan() { f64::INFINITY } else { share }
    }

    /// The error in units in the last place, where that says something: an ordinary result (normal, not beyond the
    /// largest) without unavoidable cancellation (a budget of at most 64 u |exact|).
    pub fn ulp(&self, x: f64, exact: f64, budget: f64) -> Option<f64> {
        let size = exact.abs();
        let ordinary = size >= self.smallest_normal && size <= self.largest && budget <= 64.0 * size;
        let power_below = f64::from_bits(size.to_bits() >> 52 << 52); // of two: the mantissa is cleared
        let ulp = power_below * 2.0 * self.unit;
        (ordinary && x.is_finite()).then(|| (x - exact).abs() / ulp)
    }

    /// Whether 0, an infinity or NaN stands where the true result is an ordinary number (normal, not beyond the largest).
    pub fn is_false(&self, x: f64, exact: f64) -> bool {
        let ordinary = exact.abs() >= self.smallest_normal && exact.abs() <= self.largest;
        ordinary && (x == 0.0 || !x.is_finite())
    }
}

/// One number that was computed, and what it should be.
#[derive(Clone, Debug)]
pub struct Judged {
    /// "value" or the input that the gradient is of, with the place: `logits[3]`.
    pub what: String,
    /// Whether it is a gradient.
    pub gradient: bool,
    /// What was computed.
    pub computed: f64,
    /// What it is.
    pub exact: f64,
    /// The roundings that cannot be avoided, in units of u.
    pub budget: f64,
}

/// Evaluates a case in `T` and pairs every number with the exact one. A gradient that the loss does not offer is left out if it is that of
/// a target.
///
/// # Errors
/// If the case cannot be evaluated, or if results and expectations do not have the same shape.
pub fn judge<T: Scalar>(loss: &Entry, case: &Case, expected: &Value) -> Result<Vec<Judged>, CaseError> {
    if expected.is_null() {
        return Err(CaseError("\"expected\" is missing: there is nothing to hold it against".into()));
    }
    let outcome = case.evaluate::<T>(loss)?;
    let mut judged = vec![];
    let budget = |name: &str, budget: &Value| array(&format!("the budget of {name}"), budget);
    let of_value = budget("value", &expected["budget"]["value"])?;
    judged.extend(pair("value", false, &outcome.value, &expected["value"], &of_value)?);
    let Some(grads) = expected["grad"].as_object() else {
        return Err(CaseError("\"expected\" holds no \"grad\"".into()));
    };
    for (name, exact) in grads {
        match outcome.grads.iter().find(|(given, _)| given == name) {
            Some((_, grad)) => {
                let of_grad = budget(name, &expected["budget"]["grad"][name])?;
                judged.extend(pair(name, true, grad, exact, &of_grad)?);
            }
            None if matches!(name.as_str(), "target" | "target_probs") => {}
            None => return Err(CaseError(format!("there is no gradient of {name}"))),
        }
    }
    Ok(judged)
}

/// Pairs every number of an array with the exact one and its budget.
///
/// # Errors
/// If they do not have the same shape.
pub fn pair<T: Scalar>(
    name: &str,
    gradient: bool,
    computed: &ArrayD<T>,
    exact: &Value,
    budget: &ArrayD<f64>,
) -> Result<Vec<Judged>, CaseError> {
    let exact = array(&format!("the expected {name}"), exact)?;
    if computed.shape() != exact.shape() || exact.shape() != budget.shape() {
        return Err(CaseError(format!(
            "{name} has shape {:?}, expected is {:?}, with a budget of {:?}",
            computed.shape(),
            exact.shape(),
            budget.shape()
        )));
    }
    let numbers = computed.indexed_iter().zip(&exact).zip(budget);
    let judged = numbers.map(|(((place, &computed), &exact), &budget)| {
        let place: String = place.slice().iter().map(|i| format!("[{i}]")).collect();
        Judged { what: format!("{name}{place}"), gradient, computed: computed.value(), exact, budget }
    });
    Ok(judged.collect())
}

/// How accurate the values of a document are, or its gradients.
#[derive(Clone, Debug, Default)]
pub struct Accuracy {
    /// How many were judged.
    pub numbers: usize,
    /// The largest error in units in the last place, among those where [`Precision::ulp`] says something.
    pub worst_ulp: Option<f64>,
    /// Zeros, infinities and NaNs where the true result is an ordinary number.
    pub false_numbers: [usize; 3],
}

impl Accuracy {
    fn add(&mut self, precision: Precision, x: &Judged) {
        self.numbers += 1;
        self.worst_ulp =
            self.worst_ulp.into_iter().chain(precision.ulp(x.computed, x.exact, x.budget)).reduce(f64::max);
        if precision.is_false(x.computed, x.exact) {
            let kind = if x.computed == 0.0 {
                0
            } else if x.computed.is_infinite() {
                1
            } else {
                2
            };
            self.false_numbers[kind] += 1;
        }
    }
}

/// A number that is farther off than its budget allows.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The name of the case.
    pub case: String,
    /// The number.
    pub number: Judged,
    /// How far it is off, as a fraction of what the budget allows.
    pub share: f64,
}

/// How a loss held against the expectations of a document, in one precision.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many cases there are, without those that fit no `f32` where that is asked for.
    pub cases: usize,
    /// Of the values.
    pub values: Accuracy,
    /// Of the gradients.
    pub gradients: Accuracy,
    /// The largest share of a budget that was used.
    pub worst_share: f64,
    /// What exceeds its budget, the worst first.
    pub faults: Vec<Fault>,
    /// Cases that cannot be read, evaluated or compared, and why.
    pub failed: Vec<(String, CaseError)>,
}

impl Report {
    /// Whether every case was evaluated and every number is within its budget.
    pub fn holds(&self) -> bool {
        self.faults.is_empty() && self.failed.is_empty()
    }
}

/// Holds a loss against all cases of a document, which say what is expected of them.
///
/// # Errors
/// If the document is not a list of cases. Errors of single cases are in the report.
pub fn check_document(loss: &Entry, document: &Value, precision: Precision) -> Result<Report, CaseError> {
    check_cases(document, precision, |case, document| match precision {
        F32 => judge::<f32>(loss, case, &document["expected"]),
        _ => judge::<f64>(loss, case, &document["expected"]),
    })
}

/// Judges all cases of a document by `judge`, which gets each, and what the document has of it.
///
/// # Errors
/// If the document is not a list of cases. Errors of single cases are in the report.
pub fn check_cases(
    document: &Value,
    precision: Precision,
    judge: impl Fn(&Case, &Value) -> Result<Vec<Judged>, CaseError>,
) -> Result<Report, CaseError> {
    let mut report = Report::default();
    for (i, (name, case)) in cases(document)?.into_iter().enumerate() {
        let document = document.get("cases").map_or(document, |cases| &cases[i]);
        let judged = match case {
            Ok(case) if case.f64_only && precision == F32 => continue,
            case => case.and_then(|case| judge(&case, document)),
        };
        report.cases += 1;
        for number in judged.unwrap_or_else(|error| {
            report.failed.push((name.clone(), error));
            vec![]
        }) {
            let of = if number.gradient { &mut report.gradients } else { &mut report.values };
            of.add(precision, &number);
            let share = precision.share(number.computed, number.exact, number.budget);
            report.worst_share = report.worst_share.max(share);
            if share > 1.0 {
                report.faults.push(Fault { case: name.clone(), number, share });
            }
        }
    }
    report.faults.sort_by(|a, b| b.share.total_cmp(&a.share));
    Ok(report)
}
