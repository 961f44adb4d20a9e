//! The tasks on images, T9 to T11, written as a user of the library writes them.
//!
//! `cargo bench -p surprisal-bench --bench images -- T9` runs those whose name starts with T9. Before it is timed, a task must show
//! what double precision gives. `BENCH_THREADS=2` lets two threads share the work.

use surprisal::ndarray::{Array, ArrayD, IxDyn};
use surprisal::prelude::*;
use surprisal_bench::{Bench, check_loss, images};
use surprisal_loss::{CeDiceLoss, softmax_cross_entropy};
use surprisal_tensor::ops::concat;

fn main() {
    let bench = Bench::new("surprisal", 1.5);
    threads::with(bench.threads(), || threads::within(|| run_all(&bench)));
}

fn run_all(bench: &Bench) {
    if bench.wants("T9") || bench.wants("T9_b1") {
        lenet(bench);
    }
    for (task, normalized) in [("T10", false), ("T10bn", true)] {
        if bench.wants(task) {
            unet(bench, task, normalized);
        }
    }
    if bench.wants("T11") || bench.wants("T11_fwd") {
        convolution(bench);
    }
}

fn array(shape: &[usize], numbers: Vec<f32>) -> ArrayD<f32> {
    Array::from_shape_vec(IxDyn(shape), numbers).expect("as many numbers as the shape says")
}

/// A convolution with the weights of layer `l`.
fn conv(params: &mut Params, l: u64, name: &str, channels: [usize; 2], kernel: usize) -> Conv2d {
    let layer = Conv2d::new(params, name, channels, kernel, &mut rng(0));
    let (weight, bias) = images::weights(l, &[channels[1], channels[0], kernel, kernel], false);
    params[layer.weight].copy_from_slice(&weight);
    params[layer.bias.expect("it has one")].copy_from_slice(&bias);
    layer
}

/// T9: one step of LeNet; T9_b1: inference of one image.
fn lenet(bench: &Bench) {
    let mut params = Params::new();
    let pool = MaxPool2d::new([2, 2]);
    let first = (conv(&mut params, 0, "c1", [1, 16], 5), Relu, pool);
    let second = (conv(&mut params, 1, "c2", [16, 32], 5), Relu, pool);
    let out = Linear::new(&mut params, "fc", 512, 10, &mut rng(0));
    let (weight, bias) = images::weights(2, &[10, 512], false);
    for (i, w) in params[out.weight].iter_mut().enumerate() {
        *w = weight[i % 10 * 512 + i / 10];
    }
    params[out.bias].copy_from_slice(&bias);
    let model = (first, second, Flatten, out);
    let (x, labels) = images::digits();
    let x = array(&[64, 1, 28, 28], x);
    if bench.wants("T9_b1") {
        let one = array(&[1, 1, 28, 28], x.as_slice().expect("by rows")[..784].to_vec());
        let mut workspace = Workspace::new();
        let mut logits = || workspace.eval(&params, |tape| model.forward(tape.input(&one)));
        let sum = logits().iter().map(|x| f64::from(x.abs())).sum();
        check_loss("T9_b1", sum);
        bench.run("T9_b1", sum, logits);
    }
    if bench.wants("T9") {
        let x = x.into_shared();
        train(bench, "T9", params, |tape| softmax_cross_entropy(model.forward(tape.shared(&x)), &labels));
    }
}

/// A convolution of 3x3, with or without batch norm, and relu.
type Block = (Conv2d, Option<BatchNorm1d>);

fn block<'t>((conv, norm): &Block, x: Var<'t>) -> Var<'t> {
    let y = conv.forward(x);
    norm.map_or(y, |norm| norm.forward(y)).relu()
}

/// T10 and T10bn: one step of a U-Net.
fn unet(bench: &Bench, task: &str, normalized: bool) {
    let mut params = Params::new();
    let add = |params: &mut Params, l: u64, name: &str, channels: [usize; 2]| -> Block {
        let conv = conv(params, l, name, channels, 3).padding(1);
        (conv, normalized.then(|| BatchNorm1d::new(params, &format!("{name}_bn"), channels[1])))
    };
    let up = |params: &mut Params, l: u64, name: &str, channels: [usize; 2]| {
        let layer = ConvTranspose2d::new(params, name, channels, 2, &mut rng(0)).stride(2);
        let (weight, bias) = images::weights(l, &[channels[0], channels[1], 2, 2], true);
        params[layer.weight].copy_from_slice(&weight);
        params[layer.bias.expect("it has one")].copy_from_slice(&bias);
        layer
    };
    let p = &mut params;
    let [e1a, e1b] = [add(p, 0, "e1a", [1, 8]), add(p, 1, "e1b", [8, 8])];
    let [e2a, e2b] = [add(p, 2, "e2a", [8, 16]), add(p, 3, "e2b", [16, 16])];
    let [ma, mb] = [add(p, 4, "ma", [16, 32]), add(p, 5, "mb", [32, 32])];
    let u2 = up(p, 6, "u2", [32, 16]);
    let [f2a, f2b] = [add(p, 7, "f2a", [32, 16]), add(p, 8, "f2b", [16, 16])];
    let u1 = up(p, 9, "u1", [16, 8]);
    let [f1a, f1b] = [add(p, 10, "f1a", [16, 8]), add(p, 11, "f1b", [8, 8])];
    let out = conv(p, 12, "out", [8, 1], 1);
    let (x, t) = images::discs();
    let [x, t] = [x, t].map(|numbers| array(&[8, 1, 64, 64], numbers).into_shared());
    let pool = MaxPool2d::new([2, 2]);
    train(bench, task, params, |tape| {
        let first = block(&e1b, block(&e1a, tape.shared(&x)));
        let second = block(&e2b, block(&e2a, pool.forward(first)));
        let deep = block(&mb, block(&ma, pool.forward(second)));
        let second = block(&f2b, block(&f2a, concat(&[second, u2.forward(deep)], 1)));
        let first = block(&f1b, block(&f1a, concat(&[first, u1.forward(second)], 1)));
        CeDiceLoss { a: 0.5, smooth: 1.0 }.loss(out.forward(first), tape.shared(&t))
    });
}

/// T11: one convolution, its value and its three gradients, from a given gradient of the result.
/// T11_fwd: its value alone.
fn convolution(bench: &Bench) {
    let mut params = Params::new();
    let layer = conv(&mut params, 0, "conv", [32, 32], 3).padding(1);
    let [x, g] = images::maps().map(|numbers| array(&[64, 32, 32, 32], numbers));
    let input = params.add("x", &x);
    if bench.wants("T11") {
        let g = g.to_shared();
        let mut workspace = Workspace::new();
        let mean =
            |y: Var| y.value().iter().zip(&g).map(|(y, g)| y * f64::from(*g)).sum::<f64>() / g.len() as f64;
        let mut step = |mean: Option<&dyn Fn(Var) -> f64>| {
            let tape = workspace.tape(&params);
            let y = layer.forward(tape.param(input));
            y.backward_by(tape.shared(&g));
            mean.map(|mean| mean(y))
        };
        let value = step(Some(&mean)).expect("it was asked for");
        assert!((value - 0.000169494965460892).abs() < 1e-8, "T11: the mean of y g is {value}");
        bench.run("T11", value, || step(None));
        let grads = workspace.grads();
        let sum = |id| grads[id].iter().map(|x| f64::from(x.abs())).sum::<f64>();
        let ids = [input, layer.weight, layer.bias.expect("it has one")];
        for (sum, expected) in
            ids.map(sum).into_iter().zip([547668.181857065, 614802.246785976, 4046.92286539078])
        {
            assert!(
                (sum / expected - 1.0).abs() < 2e-6,
                "T11: a sum of magnitudes is {sum}, and should be {expected}"
            );
        }
    }
    if bench.wants("T11_fwd") {
        let x = x.into_shared();
        let mut workspace = Workspace::new();
        bench.run("T11_fwd", 0.0, || {
            let tape = workspace.no_grad(&params);
            layer.forward(tape.shared(&x)).shape().len()
        });
    }
}

/// Five steps of Adam to be checked, then steps to be timed.
fn train(bench: &Bench, task: &str, mut params: Params, loss: impl for<'t> Fn(&'t Tape<'t>) -> Var<'t>) {
    let (mut workspace, mut adam) = (Workspace::new(), Adam::new(0.001));
    let mut step = || {
        let tape = workspace.tape(&params);
        let loss = loss(&tape);
        loss.backward();
        let value = loss.item();
        adam.step(&mut params, workspace.grads());
        value
    };
    let loss = [(); 5].map(|()| step())[4];
    check_loss(task, loss);
    let timing = bench.time(step);
    bench.print(task, timing, &[("loss5", loss)]);
}
