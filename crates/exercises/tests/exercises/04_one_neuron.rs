use surprisal::ndarray::array;
use surprisal::prelude::*;

use crate::near;
use crate::solutions::one_neuron as right;

/// w, b, x, y
const NEURONS: [[f64; 4]; 4] =
    [[2.0, 2.0, 1.0, 0.0], [0.5, -1.0, 2.0, 1.0], [-3.0, 1.0, 0.5, 0.0], [1.0, 0.0, -2.0, 0.3]];

/// Held against the tape.
fn is_gradient(gradient: impl Fn(f64, f64, f64, f64) -> (f64, f64), squared: bool) {
    for [w, b, x, y] in NEURONS {
        let mut params = Params::<f64>::default();
        let ids = [("w", w), ("b", b)].map(|(name, number)| params.add(name, &array![number]));
        let mut workspace = Workspace::new();
        let (_, grads) = workspace.grad(&params, |tape| {
            let z = tape.param(ids[0]) * x + tape.param(ids[1]);
            let y = tape.input(&array![y]);
            if squared { half_squared_error(z.sigmoid(), y) } else { binary_cross_entropy_with_logits(z, y) }
        });
        let (of_w, of_b) = gradient(w, b, x, y);
        near(format_args!("w = {w}, b = {b}, x = {x}, y = {y}: ∂w"), of_w, grads[ids[0]][0]);
        near(format_args!("w = {w}, b = {b}, x = {x}, y = {y}: ∂b"), of_b, grads[ids[1]][0]);
    }
}
fn is_squared_gradient(gradient: impl Fn(f64, f64, f64, f64) -> (f64, f64)) {
    is_gradient(gradient, true);
}
exercise!(
    one_neuron::squared_gradient,
    is_squared_gradient,
    wrong: [
        right::entropy_gradient, // the slope is missing
        |w, b, x, y| {
            let (_, of_b) = right::squared_gradient(w, b, x, y);
            (of_b, of_b) // the x is missing
        },
        |w, b, x, y| {
            let (of_w, of_b) = right::squared_gradient(w, b, x, y);
            (2.0 * of_w, 2.0 * of_b) // of (a - y)², without the half
        },
    ]
);

fn is_entropy_gradient(gradient: impl Fn(f64, f64, f64, f64) -> (f64, f64)) {
    let (of_w, of_b) = gradient(30.0, 30.0, 1.0, 0.0);
    near("where a rounds to 1: ∂w", of_w, 1.0);
    near("where a rounds to 1: ∂b", of_b, 1.0);
    is_gradient(gradient, false);
}
exercise!(
    one_neuron::entropy_gradient,
    is_entropy_gradient,
    wrong: [
        right::squared_gradient,
        |w, b, x, y| {
            let (of_w, of_b) = right::entropy_gradient(w, b, x, y);
            (-of_w, -of_b)
        },
        |w, b, x, y| {
            let a: f64 = 1.0 / (1.0 + (-w * x - b).exp());
            let of_z = (a - y) / (a * (1.0 - a)) * (a * (1.0 - a)); // 0 by 0
            (x * of_z, of_z)
        },
    ]
);

fn tells_saturation(is_saturated: impl Fn(f64) -> bool) {
    for (z, expected) in
        [(0.0, false), (2.8, false), (2.95, true), (-2.8, false), (-2.95, true), (40.0, true)]
    {
        assert_eq!(is_saturated(z), expected, "a score of {z}");
    }
}
exercise!(
    one_neuron::is_saturated,
    tells_saturation,
    wrong: [
        |z| z > 2.9, // it has two ends
        |z| z.abs() > 1.0,
        |z| 1.0 / (1.0 + (-z).exp()) > 0.95,
    ]
);
