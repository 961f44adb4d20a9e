use surprisal::ndarray::array;
use surprisal::prelude::*;

use crate::near;
use crate::solutions::own_loss as right;

/// A value that gradient checks run on.
fn is_poly(poly: impl for<'t> Fn(Var<'t>, &[usize], f64) -> Var<'t>) {
    let z = array![[0.5, -1.0, 2.0], [3.0, 0.1, -0.7]];
    // the probabilities of the true classes are 0.1753 and 0.0229
    let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    for (epsilon, expected) in [(0.0, 2.7590189081693), (2.0, 4.5608309925592)] {
        let tape = workspace.no_grad(&params);
        let found = poly(tape.input(&z), &[0, 2], epsilon).item();
        near(format_args!("with ε = {epsilon}: the loss"), found, expected);
    }
    check_gradient(&[z.into_dyn()], |_, x| poly(x[0], &[0, 2], 2.0));
}
exercise!(
    own_loss::poly,
    is_poly,
    wrong: [
        |z, labels, _| softmax_cross_entropy(z, labels),
        |z, labels, epsilon| {
            let mean = softmax_cross_entropy(z, labels);
            mean + epsilon * (1.0 - (-mean).exp()) // the power of a mean is no mean of powers
        },
        |z, labels, epsilon| {
            let mean = softmax_cross_entropy(z, labels);
            mean + (right::poly(z, labels, epsilon) - mean).detach() // no slope
        },
    ]
);

fn is_cauchy(cauchy: impl for<'t> Fn(Var<'t>, Var<'t>) -> Var<'t>) {
    let (x, t) = (array![1.0, 5.0, -2.0].into_dyn(), array![1.0, 2.0, -1.0].into_dyn());
    let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    let tape = workspace.no_grad(&params);
    let found = cauchy(tape.input(&x.mapv(Dual::of)), tape.input(&t.mapv(Dual::of))).item();
    near("of errors of 0, 3 and -1: the loss", found, (10f64.ln() + 2f64.ln()) / 3.0);
    check_gradient(&[x, t], |_, x| cauchy(x[0], x[1]));
}
exercise!(
    own_loss::cauchy,
    is_cauchy,
    wrong: [
        |x, t| mse_loss(x, t),
        |x, t| (x - t).square().ln_1p().sum(),
        |x, t| (x - t).square().mean().ln_1p(), // the logarithm of a mean
        |x, t| (x - t.detach()).square().ln_1p().mean(), // no slope in t
    ]
);
