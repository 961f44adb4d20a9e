//! Kind `stationary_points`: where the slope of the loss of one neuron, `a = σ(w x)`, is 0.
//!
//! The exact derivative is evaluated on a grid; wherever its sign changes, the place is halved until no number is left between.
//! Two stationary points inside one cell of the grid, and one where the sign stays, are not found.
//!
//! Source: Auer, Herbster and Warmuth 1995, "Exponentially many local minima for single neurons".

use std::path::Path;

use serde_json::{Value, json};
use surprisal_tensor::Workspace;
use surprisal_tensor::ndarray::Array2;

use super::ReplayError;
use super::net::Net;
use super::place::Place;
use surprisal_train::Head;

/// Cells of the grid.
const CELLS: usize = 100_000;

pub(super) fn replay(setting: &Place, _: &Path) -> Result<Value, ReplayError> {
    let points = setting.get("points")?;
    let mut rows = points.matrix()?;
    if rows.ncols() != 2 {
        return Err(points.found(format!("rows of {}", rows.ncols()), "rows of 2", "a point is [x, y]"));
    }
    for (point, mut row) in points.list()?.zip(rows.rows_mut()) {
        if !(0.0..=1.0).contains(&row[1]) {
            return Err(point.found(
                row[1].to_string(),
                "a target y from 0 to 1",
                "a cross-entropy compares probabilities",
            ));
        }
        if row[1] > 0.5 {
            // σ(-wx) against 1 - y is the same loss, whose error a - y keeps its digits where σ(wx) is nearly 1
            (row[0], row[1]) = (-row[0], 1.0 - row[1]);
        }
    }
    let interval = setting.get("search_interval")?;
    let ends = match interval.numbers()?[..] {
        [low, high] if low < high => (low, high),
        _ => return Err(interval.wrong("two numbers, the lower first", "write [-20, 10]")),
    };
    Ok(json!({
        "half_mse": stationary(&rows, Head::SigmoidSquared, ends),
        "bce": stationary(&rows, Head::SigmoidCrossEntropy, ends),
    }))
}

fn stationary(rows: &Array2<f64>, loss: Head, (low, high): (f64, f64)) -> Vec<Value> {
    let (x, y) = (column(rows, 0), column(rows, 1));
    let (mut net, mut workspace) = (Net::single(&[0.0], 0.0, loss), Workspace::new());
    // the bias stays 0
    let mut at = |w: f64| {
        net.params.as_mut_slice()[0] = w;
        let (loss, grads) = workspace.grad(&net.params, |tape| net.record(tape, &x, &y).loss);
        (loss, grads.as_slice()[0])
    };

    let mut result = Vec::new();
    let mut last: Option<(f64, f64)> = None; // w, and a slope that is not 0: far out it may be too small for a number
    for i in 0..=CELLS {
        let share = i as f64 / CELLS as f64;
        let w = low * (1.0 - share) + high * share;
        let slope = at(w).1;
        if slope == 0.0 {
            continue;
        }
        if let Some((before, falling)) = last.filter(|(_, before)| (*before < 0.0) != (slope < 0.0)) {
            let kind = if falling < 0.0 { "min" } else { "max" };
            let w = halve((before, w), |w| at(w).1 * falling.signum());
            result.push(json!({ "w": w, "kind": kind, "loss": at(w).0 }));
        }
        last = Some((w, slope));
    }
    result
}

fn column(rows: &Array2<f64>, k: usize) -> Array2<f64> {
    Array2::from_shape_fn((rows.nrows(), 1), |(i, _)| rows[[i, k]])
}

/// Where a function that is positive at the first end, and negative at the second, is 0: to the last digit.
fn halve((mut positive, mut negative): (f64, f64), mut f: impl FnMut(f64) -> f64) -> f64 {
    loop {
        let middle = positive + 0.5 * (negative - positive);
        if middle == positive || middle == negative {
            return middle;
        }
        match f(middle) {
            0.0 => return middle,
            value if value > 0.0 => positive = middle,
            _ => negative = middle,
        }
    }
}
