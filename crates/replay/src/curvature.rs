//! Kind `curvature`: second derivatives in the logit, Hessians with their eigenvalues, and chords.
//!
//! Cross-entropy of a logistic regression is convex in its parameters; squared error through the sigmoid is not, and with a hidden
//! layer neither is. A function is convex where no chord lies below it: one whose middle does is a counterexample.

use std::path::Path;

use serde_json::{Map, Value, json};
use surprisal_tensor::ndarray::{Array2, arr2};
use surprisal_tensor::{Workspace, hessian, symmetric_eigen};

use super::ReplayError;
use super::net::{Net, rows_of};
use super::place::Place;
use super::pointwise::Curve;
use super::rows::Rows;
use surprisal_train::Head;

/// The largest Hessian, in rows.
const MOST_PARAMETERS: usize = 500;

pub(super) fn replay(setting: &Place, _: &Path) -> Result<Value, ReplayError> {
    let mut result = Map::new();
    let mut tell = |key: &str, section: &str, each: &dyn Fn(&Place) -> Result<Value, ReplayError>| {
        if let Some(points) = setting.find(key)? {
            let each = points.list()?.map(|point| each(&point)).collect::<Result<Vec<_>, _>>()?;
            result.insert(section.into(), each.into());
        }
        Ok(())
    };
    tell("scalar_points", "scalar", &scalar)?;
    tell("thetas", "logreg", &|theta| LogReg::read(setting)?.spectra(theta))?;
    tell("midpoint_pairs", "midpoint", &|pair| LogReg::read(setting)?.chords(pair))?;
    tell("mlp_points", "mlp", &xor)?;
    if result.is_empty() {
        let keys = "one of scalar_points, thetas, midpoint_pairs, mlp_points";
        return Err(setting.wrong(keys, "add a list of points"));
    }
    Ok(result.into())
}

fn scalar(point: &Place) -> Result<Value, ReplayError> {
    let hint = "a cross-entropy compares probabilities";
    let y = point.get("y")?.number_within(|y| (0.0..=1.0).contains(&y), "a target from 0 to 1", hint)?;
    let z = point.get("z")?.number()?;
    point.with(json!({ "bce_d2": Curve::Bce.bend(z, y), "half_squared_d2": Curve::HalfSquared.bend(z, y) }))
}

/// A logistic regression; theta is its weights, and then its bias.
struct LogReg {
    x: Array2<f64>,
    y: Array2<f64>,
}

impl LogReg {
    fn read(setting: &Place) -> Result<Self, ReplayError> {
        let rows = Rows::from_labels(&setting.get("X")?, &setting.get("y")?)?;
        Ok(LogReg { y: rows.probabilities(1)?, x: rows.x })
    }

    fn net(&self, theta: &Place, loss: Head) -> Result<Net, ReplayError> {
        let (numbers, features) = (theta.numbers()?, self.x.ncols());
        if numbers.len() != features + 1 {
            let hint = "theta is one weight for each column of X, and then the bias";
            return Err(theta.wrong(format!("a list of {}", features + 1), hint));
        }
        Ok(Net::single(&numbers[..features], numbers[features], loss))
    }

    fn spectra(&self, theta: &Place) -> Result<Value, ReplayError> {
        let spectrum = |loss| spectrum(theta, &self.net(theta, loss)?, (&self.x, &self.y));
        Ok(json!({
            "theta": theta.value,
            "bce": spectrum(Head::SigmoidCrossEntropy)?,
            "half_mse": spectrum(Head::SigmoidSquared)?,
        }))
    }

    fn chords(&self, pair: &Place) -> Result<Value, ReplayError> {
        pair.with(json!({
            "bce": self.chord(pair, Head::SigmoidCrossEntropy)?,
            "half_mse": self.chord(pair, Head::SigmoidSquared)?,
        }))
    }

    fn chord(&self, pair: &Place, loss: Head) -> Result<Value, ReplayError> {
        let [a, b] = ["theta_a", "theta_b"].map(|key| self.net(&pair.get(key)?, loss));
        let (a, b) = (a?, b?);
        let theta = a.params.as_slice().iter().zip(b.params.as_slice()).map(|(a, b)| 0.5 * a + 0.5 * b);
        let theta: Vec<f64> = theta.collect();
        let middle = Net::of_sizes(&[self.x.ncols(), 1], &theta, loss);
        let [f_a, f_b, f_mid] = [&a, &b, &middle].map(|net| evaluate(net, (&self.x, &self.y)));
        let chord = 0.5 * (f_a + f_b);
        Ok(json!({
            "f_a": f_a,
            "f_b": f_b,
            "f_mid": f_mid,
            "chord_minus_mid": chord - f_mid,
            "violates_convexity": chord - f_mid < -ROUNDING * chord,
        }))
    }
}

/// What is smaller, in relation, may be the rounding of a 0.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// A net of any `sizes` on the four rows of XOR.
fn xor(point: &Place) -> Result<Value, ReplayError> {
    let (sizes_at, theta_at) = (point.get("sizes")?, point.get("theta")?);
    let sizes = sizes_at.list()?.map(|size| size.count_to(MOST_PARAMETERS)).collect::<Result<Vec<_>, _>>()?;
    if sizes.len() < 2 || sizes[0] != 2 || sizes[sizes.len() - 1] != 1 || sizes.contains(&0) {
        let found = format!("{sizes:?}");
        return Err(sizes_at.found(
            found,
            "sizes from 2 to 1, such as [2, 4, 1]",
            "XOR has two inputs and one output",
        ));
    }
    let theta = theta_at.numbers()?;
    let count: usize = sizes.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum();
    if theta.len() != count {
        let hint = "theta is W by rows, a row for each input, and then b, of one layer after the other";
        return Err(theta_at.wrong(format!("a list of {count}"), hint));
    }
    let x = arr2(&[[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
    let y = arr2(&[[0.0], [1.0], [1.0], [0.0]]);
    let spectrum = |loss| spectrum(&theta_at, &Net::of_sizes(&sizes, &theta, loss), (&x, &y));
    point.with(json!({
        "sigmoid_bce": spectrum(Head::SigmoidCrossEntropy)?,
        "sigmoid_half_mse": spectrum(Head::SigmoidSquared)?,
    }))
}

/// The loss, its Hessian, and the eigenvalues of that.
fn spectrum(theta: &Place, net: &Net, (x, y): (&Array2<f64>, &Array2<f64>)) -> Result<Value, ReplayError> {
    let count = net.params.as_slice().len();
    if count > MOST_PARAMETERS {
        let expected = format!("at most {MOST_PARAMETERS} numbers");
        return Err(theta.wrong(expected, "the Hessian has as many rows, and as many columns"));
    }
    let loss = evaluate(net, (x, y));
    let hessian = hessian(&net.params, |tape| net.record(tape, x, y).loss);
    if !loss.is_finite() || !hessian.iter().all(|h| h.is_finite()) {
        return Err(theta.found("an infinity or NaN".into(), "finite derivatives", "try numbers nearer 0"));
    }
    let (eigenvalues, _) = symmetric_eigen(&hessian);
    let largest = eigenvalues.iter().fold(0.0, |most: f64, value| value.abs().max(most));
    let negative = eigenvalues.iter().filter(|&&value| value < -ROUNDING * count as f64 * largest).count();
    Ok(json!({
        "loss": loss,
        "hessian": rows_of(&hessian),
        "eigenvalues_ascending": eigenvalues,
        "negative_eigenvalues": negative,
    }))
}

fn evaluate(net: &Net, (x, y): (&Array2<f64>, &Array2<f64>)) -> f64 {
    let mut workspace = Workspace::new();
    let tape = workspace.no_grad(&net.params);
    net.record(&tape, x, y).loss.item()
}
