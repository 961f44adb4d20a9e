//! The tasks T1 to T8, written as a user of the library writes them: one full step is forward, backward, update.
//!
//! `cargo bench -p surprisal-bench --bench tasks -- T3` runs those whose name starts with T3. Before it is timed, a task must show
//! the loss that double precision gives. `BENCH_THREADS=2` lets two threads share the work.

use surprisal::ndarray::{ArcArray2, Array2, array, s};
use surprisal::prelude::*;
use surprisal_bench::{Bench, LOSS_KERNELS, Net, Update, check_loss, labels, logits};
use surprisal_loss::{binary_cross_entropy_with_logits as bce, softmax_cross_entropy as cross_entropy};

fn main() {
    let bench = Bench::new("surprisal", 1.5);
    threads::with(bench.threads(), || threads::within(|| run_all(&bench)));
}

fn run_all(bench: &Bench) {
    for net in bench.nets() {
        training(bench, &net);
    }
    if bench.wants("T6") {
        neuron(bench);
    }
    for (task, rows, classes) in LOSS_KERNELS {
        if bench.wants(task) {
            loss_kernel(bench, task, rows, classes);
        }
    }
    for (task, rows) in [("T8_b1", 1), ("T8_b64", 64)] {
        if bench.wants(task) {
            inference(bench, task, rows);
        }
    }
}

/// T1 to T5.
fn training(bench: &Bench, net: &Net) {
    let mut params = Params::new();
    let layers = linears(&mut params, net);
    let x = inputs(net);
    let (labels, targets) = (net.labels(), net.targets());
    let y = Array2::from_shape_vec((net.rows, targets.len() / net.rows), targets)
        .expect("a target for each output");
    match (net.base, &layers[..]) {
        ("T1", &[linear]) => train(bench, net, params, |tape| {
            binary_cross_entropy_with_logits(linear.forward(tape.shared(&x)), tape.input(&y))
        }),
        ("T2", &[first, second, out]) => {
            let model = (first, Relu, second, Relu, out);
            train(bench, net, params, |tape| {
                binary_cross_entropy_with_logits(model.forward(tape.shared(&x)), tape.input(&y))
            });
        }
        ("T3" | "T4", &[first, second, out]) => {
            let model = (first, Relu, second, Relu, out);
            train(bench, net, params, |tape| softmax_cross_entropy(model.forward(tape.shared(&x)), &labels));
        }
        // the losses are means over rows and outputs: ten outputs make the mean over the rows
        ("T5q", &[hidden, out]) => {
            let model = (hidden, Sigmoid, out, Sigmoid);
            train(bench, net, params, |tape| {
                10.0 * half_squared_error(model.forward(tape.shared(&x)), tape.input(&y))
            });
        }
        ("T5c", &[hidden, out]) => {
            let model = (hidden, Sigmoid, out);
            train(bench, net, params, |tape| {
                10.0 * binary_cross_entropy_with_logits(model.forward(tape.shared(&x)), tape.input(&y))
            });
        }
        _ => unreachable!("every net has its model here"),
    }
}

fn linears(params: &mut Params<f32>, net: &Net) -> Vec<Linear> {
    let mut rng = rng(0);
    let linears = net.layers().into_iter().enumerate().map(|(l, start)| {
        let linear = Linear::new(params, &format!("layer{}", l + 1), start.inputs, start.outputs, &mut rng);
        params[linear.weight].copy_from_slice(&start.weight);
        params[linear.bias].copy_from_slice(&start.bias);
        linear
    });
    linears.collect()
}

fn inputs(net: &Net) -> ArcArray2<f32> {
    Array2::from_shape_vec((net.rows, net.sizes[0]), net.inputs())
        .expect("a number for each input")
        .into_shared()
}

/// Any model and loss, with the optimizer of the net.
fn train(bench: &Bench, net: &Net, params: Params<f32>, loss: impl for<'t> Fn(&'t Tape<'t>) -> Var<'t>) {
    let task = &net.task;
    match net.update {
        Update::Sgd(rate) => run(bench, task, params, Sgd::new(rate), loss),
        Update::Momentum(rate) => run(bench, task, params, Sgd::new(rate).momentum(0.9), loss),
        Update::Adam(rate) => run(bench, task, params, Adam::new(rate), loss),
    };
}

/// Five steps to be checked, then steps to be timed.
fn run(
    bench: &Bench,
    task: &str,
    mut params: Params<f32>,
    mut optimizer: impl Optimizer<f32>,
    loss: impl for<'t> Fn(&'t Tape<'t>) -> Var<'t>,
) {
    let (mut workspace, mut nodes) = (Workspace::new(), 0);
    let mut step = || {
        let tape = workspace.tape(&params);
        let loss = loss(&tape);
        loss.backward();
        let value = loss.item();
        nodes = tape.len();
        optimizer.step(&mut params, workspace.grads());
        value
    };
    let loss = [(); 5].map(|()| step())[4];
    check_loss(task, loss);
    let timing = bench.time(step);
    let mut numbers = vec![("loss5", loss), ("nodes", nodes as f64)];
    if task == "T6" {
        numbers.push(("ns_per_node", timing.us * 1e3 / nodes as f64)); // elsewhere the arithmetic is most of it
    }
    bench.print(task, timing, &numbers);
}

/// T6: one neuron, one sample.
fn neuron(bench: &Bench) {
    let mut params = Params::new();
    let neuron = Linear::new(&mut params, "neuron", 1, 1, &mut rng(0));
    params[neuron.weight][0] = 0.6;
    params[neuron.bias][0] = 0.9;
    let (x, y) = (array![[1.0f32]], array![[0.0f32]]);
    run(bench, "T6", params, Sgd::new(0.15), |tape| {
        mse_loss((neuron, Sigmoid).forward(tape.input(&x)), tape.input(&y))
    });
}

/// T7: value and gradient on slices, without a tape.
fn loss_kernel(bench: &Bench, task: &str, rows: usize, classes: usize) {
    let logits = logits(rows * classes);
    let labels: Vec<f32> = labels(4, rows, classes.max(2)).into_iter().map(|label| label as f32).collect();
    let mut gradient = vec![0.0; logits.len()];
    let mut loss = || match classes {
        1 => bce::value_and_gradient(&logits, &labels, &mut gradient),
        _ => cross_entropy::value_and_gradient(&logits, classes, &labels, &mut gradient),
    };
    let value = f64::from(loss());
    check_loss(task, value);
    bench.run(task, value, loss);
}

/// T8: the logits of T3's net.
fn inference(bench: &Bench, task: &str, rows: usize) {
    let net = Net::named("T3").expect("T3 is a task");
    let mut params = Params::new();
    let layers = linears(&mut params, &net);
    let model = (layers[0], Relu, layers[1], Relu, layers[2]);
    let x = inputs(&net).slice_move(s![..rows, ..]);
    let mut workspace = Workspace::new();
    let mut logits = || workspace.eval(&params, |tape| model.forward(tape.shared(&x)));
    let sum = logits().mapv(f64::from).sum();
    check_loss(task, sum);
    bench.run(task, sum, logits);
}
