//! Training gives the same bits with one thread, two and three.

use surprisal::ndarray::Array2;
use surprisal::optim::{OptimizerKind, OptimizerSettings};
use surprisal::prelude::*;

/// A loss of logits against labels, or against numbers from 0 to 1.
type Loss = for<'t> fn(Var<'t>, &[usize], Var<'t>) -> Var<'t>;

const LOSSES: [Loss; 6] = [
    |z, labels, _| softmax_cross_entropy(z, labels),
    |z, _, t| softmax_cross_entropy(z, t),
    |z, _, t| binary_cross_entropy_with_logits(z, t),
    |z, _, t| mse_loss(z.sigmoid(), t),
    |z, labels, _| -(z.log_softmax(-1).softmax(0)).logsumexp() + softmax_cross_entropy(z, labels),
    |z, labels, t| nll_loss(z.log_softmax(-1), labels) + (z - t).abs().mean(),
];

/// Every one, and those with a momentum.
fn optimizers() -> Vec<Box<dyn Optimizer<f32>>> {
    let mut all: Vec<Box<dyn Optimizer<f32>>> = vec![
        Box::new(Sgd::new(0.01).momentum(0.9).nesterov().weight_decay(0.1)),
        Box::new(RmsProp::new(0.001).momentum(0.5)),
    ];
    all.extend(OptimizerKind::ALL.map(|kind| kind.build(&OptimizerSettings::default()).unwrap()));
    all
}

/// Two steps of a net that is large enough for all to be shared: the losses, and the parameters at the end.
fn train(loss: Loss, optimizer: &mut dyn Optimizer<f32>) -> Vec<u32> {
    let (mut params, mut rng) = (Params::new(), rng(1));
    let hidden = Linear::new(&mut params, "hidden", 100, 300, &mut rng);
    let norm = LayerNorm::new(&mut params, "norm", 300);
    let model = (hidden, norm, Tanh, Dropout::new(0.2), Linear::new(&mut params, "out", 300, 100, &mut rng));
    params.freeze(hidden.bias); // theta is walked in two parts
    let x = Array2::from_shape_fn((1000, 100), |(i, j)| ((i * 5 + j) as f32).cos());
    let labels: Vec<usize> = (0..1000).map(|i| i % 100).collect();
    let targets = Array2::from_shape_fn((1000, 100), |(i, j)| ((i + j) % 3) as f32 / 2.0);
    let mut workspace = Workspace::new();
    let mut bits = Vec::new();
    for step in 0..2 {
        let tape = workspace.tape(&params).seeded(step);
        let loss = loss(model.forward(tape.input(&x)), &labels, tape.input(&targets));
        loss.backward();
        bits.push((loss.item() as f32).to_bits());
        optimizer.step(&mut params, workspace.grads());
    }
    bits.extend(params.as_slice().iter().map(|theta| theta.to_bits()));
    bits
}

#[test]
fn training_has_the_bits_of_one_thread() {
    // every loss with one optimizer, and every optimizer with one loss
    let pairs = (1..LOSSES.len()).map(|l| (l, 0)).chain((0..optimizers().len()).map(|o| (0, o)));
    for (l, o) in pairs {
        let run = || train(LOSSES[l], &mut *optimizers().into_iter().nth(o).unwrap());
        let one = threads::with(1, run);
        for n in [2, 3] {
            assert!(
                threads::with(n, || threads::within(run)) == one,
                "loss {l}, optimizer {o}, within {n} threads"
            );
        }
        assert!(threads::with(3, run) == one, "loss {l}, optimizer {o}, from outside");
    }
}
