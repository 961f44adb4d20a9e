use surprisal::ndarray::array;
use surprisal::prelude::*;
use surprisal_exercises::optimizers::Memory;

use crate::all_near;

/// Ten steps down the valley ½ (θ_1² + 100 θ_2²), beside the library's optimizer.
#[track_caller]
fn goes_as(mut optimizer: impl Optimizer<f64>, mut step: impl FnMut(&mut [f64], &[f64])) {
    let mut params = Params::<f64>::default();
    let id = params.add("theta", &array![1.0, 1.0]);
    let (mut theta, mut workspace) = ([1.0, 1.0], Workspace::new());
    for count in 1..=10 {
        let g = [theta[0], 100.0 * theta[1]];
        step(&mut theta, &g);
        let tape = workspace.tape(&params);
        (0.5 * (tape.input(&array![1.0, 100.0]) * tape.param(id).square()).sum()).backward();
        optimizer.step(&mut params, workspace.grads());
        all_near(format_args!("step {count}: theta"), &theta, &params[id]);
    }
}

fn is_sgd(sgd: impl Fn(&mut [f64], &[f64], f64)) {
    goes_as(Sgd::new(0.015), |theta, g| sgd(theta, g, 0.015));
}
exercise!(
    optimizers::sgd,
    is_sgd,
    wrong: [
        |theta, g, rate| theta.iter_mut().zip(g).for_each(|(theta, g)| *theta += rate * g),
        |theta, g, _| theta.iter_mut().zip(g).for_each(|(theta, g)| *theta -= g),
        |_, _, _| (),
    ]
);

fn is_momentum(momentum: impl Fn(&mut [f64], &[f64], &mut [f64], f64, f64)) {
    let mut v = [0.0, 0.0];
    goes_as(Sgd::new(0.01).momentum(0.9), |theta, g| momentum(theta, g, &mut v, 0.01, 0.9));
}
exercise!(
    optimizers::momentum,
    is_momentum,
    wrong: [
        |theta, g, _, rate, _| crate::solutions::optimizers::sgd(theta, g, rate), // v is forgotten
        |theta, g, v, rate, mu| {
            for i in 0..theta.len() {
                theta[i] -= rate * v[i]; // steps first
                v[i] = mu * v[i] + g[i];
            }
        },
        |theta, g, v, rate, mu| {
            for i in 0..theta.len() {
                v[i] = mu * v[i] + (1.0 - mu) * g[i]; // a mean, and not a sum
                theta[i] -= rate * v[i];
            }
        },
    ]
);

fn is_adam(adam: impl Fn(&mut [f64], &[f64], &mut Memory, f64)) {
    let mut memory = Memory { m: vec![0.0; 2], v: vec![0.0; 2], t: 0 };
    goes_as(Adam::new(0.1), |theta, g| adam(theta, g, &mut memory, 0.1));
}
/// Adam with a mistake: without undoing the start from 0, without the root, or with a count that stands still.
fn nearly_adam(theta: &mut [f64], g: &[f64], memory: &mut Memory, [undo, root, count]: [bool; 3]) {
    memory.t += i32::from(count || memory.t == 0);
    for i in 0..theta.len() {
        memory.m[i] = 0.9 * memory.m[i] + (1.0 - 0.9) * g[i];
        memory.v[i] = 0.999 * memory.v[i] + (1.0 - 0.999) * g[i] * g[i];
        let undone = |mean: f64, beta: f64| if undo { mean / (1.0 - beta.powi(memory.t)) } else { mean };
        let (mean, square) = (undone(memory.m[i], 0.9), undone(memory.v[i], 0.999));
        theta[i] -= 0.1 * mean / (if root { square.sqrt() } else { square } + 1e-8);
    }
}
exercise!(
    optimizers::adam,
    is_adam,
    wrong: [
        |theta, g, memory, _| nearly_adam(theta, g, memory, [false, true, true]),
        |theta, g, memory, _| nearly_adam(theta, g, memory, [true, false, true]),
        |theta, g, memory, _| nearly_adam(theta, g, memory, [true, true, false]),
    ]
);

#[test]
fn without_a_mistake_nearly_adam_is_adam() {
    is_adam(|theta, g, memory, _| nearly_adam(theta, g, memory, [true, true, true]));
}
