//! Kind `pointwise`: losses and their gradients at single points, far out too.

use std::path::Path;

use serde_json::{Map, Value, json};
use surprisal_loss::{
    HalfSquaredError, KlDiv, KlReduction, Reduction, SigmoidFocalLoss, SoftmaxCrossEntropy,
    binary_cross_entropy_with_logits, cross_entropy_probs, entropy, half_squared_error, soft_margin_loss,
    softmax_cross_entropy,
};
use surprisal_tensor::ndarray::arr1;
use surprisal_tensor::{Params, Var, Workspace, hessian_vector_product};

use super::ReplayError;
use super::net::Number;
use super::place::Place;

type Section = fn(&Place) -> Result<Value, ReplayError>;

/// Every list of points, and the results for one point, under another key.
const SECTIONS: &[(&str, &str, Section)] = &[
    ("binary_points", "binary", binary),
    ("softmax_points", "softmax", softmax),
    ("divergence_points", "divergence", divergence),
    ("focal_points", "focal", focal),
];

pub(super) fn replay(setting: &Place, _: &Path) -> Result<Value, ReplayError> {
    let mut result = Map::new();
    for (key, section, tell) in SECTIONS {
        if let Some(points) = setting.find(key)? {
            let each = points.list()?.map(|point| point.with(tell(&point)?));
            result.insert((*section).into(), each.collect::<Result<Vec<_>, _>>()?.into());
        }
    }
    if result.is_empty() {
        let keys: Vec<_> = SECTIONS.iter().map(|(key, ..)| *key).collect();
        return Err(setting.wrong(format!("one of {}", keys.join(", ")), "add a list of points"));
    }
    Ok(result.into())
}

fn binary(point: &Place) -> Result<Value, ReplayError> {
    let (z, y) = (point.get("z")?.number()?, probability(&point.get("y")?)?);
    let ((sigmoid, sigmoid_prime), (bce, bce_dz)) = (Curve::Sigmoid.at(z, y), Curve::Bce.at(z, y));
    let (half_squared, half_squared_dz) = Curve::HalfSquared.at(z, y);
    let mut result = json!({
        "sigmoid": sigmoid,
        "sigmoid_prime": sigmoid_prime,
        "bce": bce,
        "bce_dz": bce_dz,
        "half_squared": half_squared,
        "half_squared_dz": half_squared_dz,
        "half_squared_d2z": Curve::HalfSquared.bend(z, y),
    });
    if y == 0.0 || y == 1.0 {
        result["logistic_pm1"] = Curve::SoftMargin.at(z, y).0.into();
    }
    Ok(result)
}

fn focal(point: &Place) -> Result<Value, ReplayError> {
    let hint = "a focal loss has two classes";
    let y = point.get("y")?.number_within(|y| y == 0.0 || y == 1.0, "0 or 1", hint)?;
    let gamma =
        point.get("gamma")?.number_within(|gamma| gamma >= 0.0, "a number not below 0", "2 is usual")?;
    let alpha = match point.find("alpha")?.filter(|alpha| !alpha.value.is_null()) {
        Some(alpha) => probability(&alpha)?,
        None => -1.0, // no weights
    };
    let (loss, dz) = Curve::Focal { alpha, gamma }.at(point.get("z")?.number()?, y);
    Ok(json!({ "loss": loss, "dz": dz }))
}

fn softmax(point: &Place) -> Result<Value, ReplayError> {
    let (logits_at, label_at) = (point.get("logits")?, point.get("label")?);
    let (logits, label) = (logits_at.numbers()?, label_at.count()?);
    let classes = logits.len();
    if label >= classes {
        let hint = format!("classes count from 0, and {} has {classes}", logits_at.path);
        return Err(label_at.wrong("a class", hint));
    }
    let label_smoothing = point.find("label_smoothing")?.map_or(Ok(0.0), |eps| probability(&eps))?;
    let spread = label_smoothing / classes as f64;
    let target = |k| if k == label { 1.0 - label_smoothing + spread } else { spread };
    let target: Vec<f64> = (0..classes).map(target).collect();

    let smoothed = SoftmaxCrossEntropy { label_smoothing, ..Default::default() };
    let (cross_entropy, ce_dlogits) = gradient(&logits, |z| smoothed.loss(z, &[label]));
    let sum = HalfSquaredError { reduction: Reduction::Sum };
    let (half_squared, half_squared_dlogits) =
        gradient(&logits, |z| sum.loss(z.softmax(-1), beside(z, &target)));
    Ok(json!({
        "log_softmax": values(&logits, |z| z.log_softmax(-1)),
        "softmax": values(&logits, |z| z.softmax(-1)),
        "cross_entropy": cross_entropy,
        "ce_dlogits": ce_dlogits,
        "half_squared": half_squared,
        "half_squared_dlogits": half_squared_dlogits,
    }))
}

fn divergence(point: &Place) -> Result<Value, ReplayError> {
    let (p_at, q_at) = (point.get("p")?, point.get("q")?);
    let p = distribution(&p_at, |p| (0.0..=1.0).contains(&p), "a probability")?;
    let q = distribution(&q_at, |q| q > 0.0 && q <= 1.0, "a probability above 0")?;
    if p.len() != q.len() {
        return Err(q_at.wrong(format!("a list of {}", p.len()), "p and q must have the same classes"));
    }
    let entropy_p = gradient(&p, entropy).0;
    let (cross_entropy, d_cross_entropy_dq) = gradient(&q, |q| cross_entropy_probs(beside(q, &p), q));
    let sum = KlDiv { reduction: KlReduction::Sum, ..Default::default() };
    let (kl, d_kl_dq) = gradient(&q, |q| sum.loss(q.ln(), beside(q, &p)));
    let ln_q: Vec<f64> = q.iter().map(|q| q.ln()).collect(); // logits, of which q is the softmax
    let (_, d_dlogits) = gradient(&ln_q, |z| softmax_cross_entropy(z, beside(z, &p)));
    let rounding = f64::EPSILON * p.len() as f64 * entropy_p;
    Ok(json!({
        "entropy_p": entropy_p,
        "cross_entropy": cross_entropy,
        "kl": kl,
        "d_cross_entropy_dq": d_cross_entropy_dq,
        "d_kl_dq": d_kl_dq,
        "d_dlogits_when_q_is_softmax": d_dlogits,
        "ce_minus_entropy_is_nonnegative": cross_entropy - entropy_p >= -rounding,
    }))
}

fn probability(place: &Place) -> Result<f64, ReplayError> {
    place.number_within(
        |p| (0.0..=1.0).contains(&p),
        "a number from 0 to 1",
        "it is a probability or a fraction",
    )
}

fn distribution(place: &Place, within: fn(f64) -> bool, expected: &str) -> Result<Vec<f64>, ReplayError> {
    let p = place.numbers_within(within, expected, "give one for each class")?;
    let sum: f64 = p.iter().sum();
    if (sum - 1.0).abs() < 1e-6 {
        return Ok(p);
    }
    Err(place.found(format!("a sum of {sum}"), "probabilities that sum to 1", "is a class missing?"))
}

/// A function of one logit z, and of a target y.
#[derive(Clone, Copy)]
pub(super) enum Curve {
    Sigmoid,
    Bce,
    HalfSquared,
    SoftMargin,
    Focal { alpha: f64, gamma: f64 },
}

impl Curve {
    fn of(self, z: Var, y: f64) -> Var {
        match self {
            Curve::Sigmoid => z.sigmoid().sum(),
            Curve::Bce => binary_cross_entropy_with_logits(z, beside(z, &[y])),
            // σ(z) - y has lost its digits where both are nearly 1, but it is (1 - y) - σ(-z)
            Curve::HalfSquared if y > 0.5 => half_squared_error((-z).sigmoid(), beside(z, &[1.0 - y])),
            Curve::HalfSquared => half_squared_error(z.sigmoid(), beside(z, &[y])),
            Curve::SoftMargin => soft_margin_loss(z, beside(z, &[2.0 * y - 1.0])),
            Curve::Focal { alpha, gamma } => {
                SigmoidFocalLoss { alpha, gamma, ..Default::default() }.loss(z, beside(z, &[y]))
            }
        }
    }

    /// Its value and its slope.
    fn at(self, z: f64, y: f64) -> (f64, f64) {
        let (value, slope) = gradient(&[z], |z| self.of(z, y));
        (value, slope[0])
    }

    /// Its second derivative.
    pub fn bend(self, z: f64, y: f64) -> f64 {
        let mut params = Params::default();
        let id = params.add("z", &arr1(&[z]));
        let along = params.map(|_: f64| 1.0);
        let at = hessian_vector_product(&params, &along, |tape| self.of(tape.param(id), y));
        at.product[id][0]
    }
}

/// Data on the tape of a value.
fn beside<'t>(value: Var<'t>, numbers: &[f64]) -> Var<'t> {
    value.tape().input(&arr1(numbers))
}

/// A function's value and gradient.
fn gradient(x: &[f64], f: impl for<'t> FnOnce(Number<'t>) -> Number<'t>) -> (f64, Vec<f64>) {
    let (mut params, mut workspace) = (Params::default(), Workspace::new());
    let id = params.add("x", &arr1(x));
    let (value, grads) = workspace.grad(&params, |tape| f(tape.param(id)));
    (value, grads[id].to_vec())
}

fn values(x: &[f64], f: impl for<'t> FnOnce(Number<'t>) -> Number<'t>) -> Vec<f64> {
    let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    f(workspace.no_grad(&params).input(&arr1(x))).value().into_iter().collect()
}
