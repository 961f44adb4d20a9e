use surprisal::ndarray::array;
use surprisal::prelude::*;

use crate::{all_near, near};

fn is_derivative(derivative: impl Fn(f64) -> f64) {
    for (x, slope) in [(0.0, 2.0), (1.0, 5.0), (-2.0, 14.0)] {
        near(format_args!("the derivative of x³ + 2x at {x}"), derivative(x), slope);
    }
}
exercise!(
    tape::derivative,
    is_derivative,
    wrong: [|x| x * x * x + 2.0 * x, |x| x * x + 2.0, |x| 3.0 * x * x]
);

fn is_gradient_of_a_neuron(neuron: impl Fn(f64, f64, f64, f64) -> (f64, f64)) {
    for ([w, b, x, y], of_w, of_b) in [([2.0, 1.0, 3.0, 5.0], 12.0, 4.0), ([1.0, 0.0, -2.0, 1.0], 12.0, -6.0)]
    {
        let (found_w, found_b) = neuron(w, b, x, y);
        near(format_args!("w = {w}, b = {b}, x = {x}, y = {y}: the gradient of w"), found_w, of_w);
        near(format_args!("w = {w}, b = {b}, x = {x}, y = {y}: the gradient of b"), found_b, of_b);
    }
}
exercise!(
    tape::neuron,
    is_gradient_of_a_neuron,
    wrong: [
        |w, b, x, y| (2.0 * (w * x + b - y), 2.0 * (w * x + b - y)), // forgets the x
        |w, b, x, y| ((w * x + b - y) * x, w * x + b - y),
        |w, b, x, y| (-2.0 * (w * x + b - y) * x, -2.0 * (w * x + b - y)),
    ]
);

fn is_a_step(step: impl Fn(&mut Params<f64>, f64)) {
    let mut params = Params::default();
    params.add("w", &array![8.0]);
    for after in [4.0, 2.0, 1.0] {
        step(&mut params, 0.25);
        all_near("w² goes down by half a step of w: w", params.as_slice(), &[after]);
    }
}
exercise!(
    tape::step,
    is_a_step,
    wrong: [
        |_, _| (),
        |params, rate| params.as_mut_slice()[0] += rate * 2.0 * params.as_slice()[0],
        |params, rate| params.as_mut_slice()[0] -= rate * params.as_slice()[0].powi(2),
    ]
);
