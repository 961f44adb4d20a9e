//! A steady training step makes no heap allocation, whatever the loss and the optimizer.

use crate::counting::COUNT;
use surprisal::ndarray::{Array2, Array4};
use surprisal::prelude::*;

/// A loss of logits against labels, or against numbers from 0 to 1.
type Loss = for<'t> fn(Var<'t>, &[usize], Var<'t>) -> Var<'t>;

const LOSSES: [Loss; 5] = [
    |z, labels, _| softmax_cross_entropy(z, labels),
    |z, _, t| softmax_cross_entropy(z, t),
    |z, _, t| binary_cross_entropy_with_logits(z, t),
    |z, _, t| mse_loss(z.sigmoid(), t),
    |z, _, t| {
        (z.log_softmax(-1) * t).sum_axis(1).mean() + 0.1 * (z.softmax(0) - t.t().t()).tanh().square().sum()
    },
];

fn optimizers() -> [Box<dyn Optimizer<f32>>; 5] {
    [
        Box::new(Sgd::new(0.01)),
        Box::new(Sgd::new(0.01).momentum(0.9)),
        Box::new(Sgd::new(0.01).momentum(0.9).nesterov().weight_decay(0.1)),
        Box::new(Adam::new(0.001)),
        Box::new(Adam::new(0.001).groups([ParamGroup::named("*.bias").learning_rate(0.002)])),
    ]
}

/// Trains a net of two layers with all that may come between gradient and step, and calls `watch` after every step.
fn train(
    rows: usize,
    steps: usize,
    loss: Loss,
    optimizer: &mut dyn Optimizer<f32>,
    mut watch: impl FnMut(usize, &Workspace<f32>),
) {
    let (mut params, mut rng) = (Params::new(), rng(1));
    let hidden = Linear::new(&mut params, "hidden", 20, 32, &mut rng);
    let model = (hidden, Relu, Linear::new(&mut params, "out", 32, 10, &mut rng));
    params.freeze(hidden.bias); // theta is walked in two parts
    let x = Array2::from_shape_fn((rows, 20), |(i, j)| ((i * 5 + j) as f32).cos());
    let labels: Vec<usize> = (0..rows).map(|i| i % 10).collect();
    let targets = Array2::from_shape_fn((rows, 10), |(i, j)| ((i + j) % 3) as f32 / 2.0);
    let (mut workspace, mut mean, penalty) =
        (Workspace::new(), GradientMean::new(), Penalty::new(1e-4, 1e-4));
    for step in 0..steps {
        let tape = workspace.tape(&params);
        loss(model.forward(tape.input(&x)), &labels, tape.input(&targets)).backward();
        mean.add(&mut params, workspace.grads(), rows);
        mean.add(&mut params, workspace.grads(), rows);
        let grads = mean.take();
        penalty.add_to(grads, &params);
        clip_grad_norm(grads, 1.0);
        clip_grad_value(grads, 0.5);
        optimizer.step(&mut params, grads);
        watch(step, &workspace);
    }
    assert!(params.as_slice().iter().all(|v| v.is_finite()));
}

#[test]
fn a_steady_step_allocates_nothing() {
    for (l, loss) in LOSSES.into_iter().enumerate() {
        for (o, mut optimizer) in optimizers().into_iter().enumerate() {
            let mut after_two = 0;
            let start = COUNT.get();
            train(64, 52, loss, &mut *optimizer, |step, _| match step {
                1 => after_two = COUNT.get(),
                51 => assert_eq!(COUNT.get() - after_two, 0, "loss {l}, optimizer {o}"),
                _ => {}
            });
            assert!(after_two > start); // the counter counts
        }
    }
}

#[test]
fn memory_is_flat_over_ten_thousand_steps() {
    let mut after_two = (0, 0);
    train(2, 10_000, LOSSES[0], &mut Adam::new(0.001), |step, workspace| match step {
        1 => after_two = (workspace.bytes(), COUNT.get()),
        9_999 => assert_eq!((workspace.bytes(), COUNT.get()), after_two),
        _ => {}
    });
    assert!(after_two.0 > 0);
}

#[test]
fn a_steady_step_on_images_allocates_nothing() {
    let (mut params, mut rng) = (Params::new(), rng(1));
    let model = (
        (Conv2d::new(&mut params, "wide", [3, 8], 5, &mut rng).padding(2), MaxPool2d::new([2, 2])),
        (BatchNorm2d::new(&mut params, "batch", 8), Relu, Dropout2d::new(0.2)),
        (Conv2d::new(&mut params, "deep", [8, 8], 3, &mut rng).padding(1), AvgPool2d::new([2, 2])),
        (GroupNorm::new(&mut params, "group", 2, 8), Upsample::new(2, Interpolation::Bilinear)),
        ConvTranspose2d::new(&mut params, "up", [8, 4], 2, &mut rng).stride(2),
        (Flatten, Linear::new(&mut params, "out", 4 * 12 * 12, 10, &mut rng)),
    );
    let x = Array4::from_shape_fn((4, 3, 12, 12), |(n, c, y, x)| ((n * 7 + c * 5 + y * 3 + x) as f32).cos());
    let (mut workspace, mut adam, mut after_two) = (Workspace::new(), Adam::new(0.001), 0);
    for step in 0..20 {
        let tape = workspace.tape(&params).seeded(step);
        softmax_cross_entropy(model.forward(tape.input(&x)), &[0, 1, 2, 3]).backward();
        adam.step(&mut params, workspace.grads());
        match step {
            1 => after_two = COUNT.get(),
            19 => assert_eq!(COUNT.get() - after_two, 0),
            _ => {}
        }
    }
}
