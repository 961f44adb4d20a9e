//! A start that is sure and wrong. These lines are a part of the program that is copied, too.

use surprisal_layers::{Layer, Mlp};
use surprisal_loss::{binary_cross_entropy_with_logits, softmax_cross_entropy};
use surprisal_optim::{Adam, Optimizer};
use surprisal_tensor::ndarray::Array2;
use surprisal_tensor::{Params, Workspace};

// from here
/// Trains the net on labels that are swapped, class 0 for 1, 1 for 2, .., and scales its last layer so that the mean margin of the
/// logits is `sure`: the net is sure, and wrong.
pub fn mislead(
    model: &Mlp,
    params: &mut Params<f64>,
    x: &Array2<f64>,
    labels: &[usize],
    classes: usize,
    sure: f64,
) {
    let swapped: Vec<usize> = labels.iter().map(|label| (label + 1) % classes).collect();
    let mut workspace = Workspace::new();
    let mut adam = Adam::new(0.05);
    for _ in 0..100 {
        let tape = workspace.tape(params);
        let z = model.forward(tape.input(x));
        let loss = match classes {
            2 => binary_cross_entropy_with_logits(
                z,
                tape.input_with([labels.len(), 1], |row| swapped[row] as f64),
            ),
            _ => softmax_cross_entropy(z, &swapped),
        };
        loss.backward();
        adam.step(params, workspace.grads());
    }
    let z = workspace.eval(params, |tape| model.forward(tape.input(x)));
    let margin = |z: &[f64]| {
        let largest = |but: f64| z.iter().copied().filter(|&z| z != but).fold(f64::NEG_INFINITY, f64::max);
        let first = largest(f64::NAN);
        if z.len() == 1 { first.abs() } else { first - largest(first) }
    };
    let z: Vec<f64> = z.into_iter().collect();
    let rows = z.chunks(z.len() / labels.len());
    let margin = rows.map(margin).sum::<f64>() / labels.len() as f64;
    if let Some(last) = model.layers().last().filter(|_| margin.is_finite() && margin > 0.0) {
        for id in [last.weight, last.bias] {
            params.view_mut(id).mapv_inplace(|number| number * sure / margin);
        }
    }
}
