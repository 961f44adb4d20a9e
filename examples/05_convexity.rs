//! Convexity: the loss of logistic regression on five rows is a valley under cross-entropy, and a plain with hills under squared error.
//!
//! The Hessian is the matrix of second derivatives. If none of its eigenvalues is negative at any point, the loss is convex: no chord
//! between two points of its graph is below the graph, and every way downhill ends at the minimum.
//!
//!     cargo run --release --example 05_convexity

use surprisal::ndarray::array;
use surprisal::prelude::*;

/// The mean loss of the prediction σ(w x + b) for the five rows, θ = (w, b). The classes overlap, so no θ is right for all rows.
fn loss<'t>(squared: bool, tape: &'t Tape<'t>) -> Var<'t> {
    let x = tape.input(&array![-2.0, -1.0, 0.5, 1.0, 2.0]);
    let y = tape.input(&array![0.0, 0.0, 1.0, 0.0, 1.0]);
    let theta = tape.ids().next().map(|id| tape.param(id)).expect("theta is the one parameter");
    let z = theta.slice(0, 0..1) * x + theta.slice(0, 1..2);
    if squared { mse_loss(z.sigmoid(), y) } else { binary_cross_entropy_with_logits(z, y) }
}

fn at(w: f64, b: f64) -> Params<f64> {
    let mut params = Params::default();
    params.add("theta", &array![w, b]);
    params
}

/// Both eigenvalues of the Hessian, and how the loss bends along w.
fn bends(squared: bool, [w, b]: [f64; 2]) -> [f64; 3] {
    let (values, _) = symmetric_eigen(&hessian(&at(w, b), |tape| loss(squared, tape)));
    [values[0], values[1], curvature_along(&at(w, b), &at(1.0, 0.0), |tape| loss(squared, tape))]
}

/// How far the middle of the chord from one point to another is above the graph: below 0 only if the loss is not convex.
fn chord_above_graph(squared: bool, [from, to]: [[f64; 2]; 2]) -> f64 {
    let height = |w, b| Workspace::new().eval(&at(w, b), |tape| loss(squared, tape)).sum();
    let middle = height(0.5 * (from[0] + to[0]), 0.5 * (from[1] + to[1]));
    0.5 * (height(from[0], from[1]) + height(to[0], to[1])) - middle
}

const POINTS: [[f64; 2]; 6] = [[0.0, 0.0], [1.5, -0.5], [4.0, 0.0], [-1.0, 0.0], [-3.0, 0.0], [-3.0, 2.0]];
const CHORDS: [[[f64; 2]; 2]; 3] =
    [[[-1.0, 0.0], [1.5, -0.5]], [[-6.0, 0.0], [1.5, -0.5]], [[-3.0, 2.0], [-3.0, -2.0]]];

fn main() {
    println!("               cross-entropy                squared error");
    println!("    w     b    eigenvalues     along w      eigenvalues     along w");
    for point in POINTS {
        let [ce, se] = [false, true].map(|squared| {
            let [least, most, along] = bends(squared, point);
            format!("{least:7.4} {most:7.4} {along:9.4}")
        });
        println!("{:5.1} {:5.1}  {ce}   {se}", point[0], point[1]);
    }
    println!("\nchord from .. to ..              above the graph by: cross-entropy, squared error");
    for [from, to] in CHORDS {
        let [ce, se] = [false, true].map(|squared| chord_above_graph(squared, [from, to]));
        println!("{:32} {ce:10.4} {se:10.4}", format!("{from:?} .. {to:?}"));
    }
    println!(
        "\nA negative number is a hill: there the loss bends down, and its slope shrinks on the way up."
    );
}

#[test]
fn cross_entropy_is_convex_and_squared_error_is_not() {
    for point in POINTS {
        let [least, most, along] = bends(false, point);
        assert!(0.0 < least && least <= along && along <= most, "{point:?}: {least} {along} {most}");
    }
    assert!(CHORDS.iter().all(|&chord| chord_above_graph(false, chord) > 0.0));
    assert!(bends(true, [-3.0, 0.0])[0] < -0.01);
    assert!(chord_above_graph(true, CHORDS[1]) < -0.01);
}
