//! The tasks in dfdx. Its shapes are types, so each task is written out, and scaled tasks are left out.

use dfdx::optim::{Adam, AdamConfig, Momentum, Sgd, SgdConfig};
use dfdx::prelude::*;
use surprisal_bench::{Bench, Net, labels, logits, one_hot, print_once};

type Matrix<const M: usize, const N: usize> = Tensor<Rank2<M, N>, f32, Cpu>;

/// A model with the first weights of a net; the fields are its linear layers.
macro_rules! model {
    ($cpu:ident, $net:ident, $type:ty, $($field:tt)+) => {{
        let mut model = $cpu.build_module::<$type, f32>();
        let mut layers = $net.layers().into_iter();
        $({
            let layer = layers.next().expect("a layer for each field");
            model.$field.weight.copy_from(&layer.weight_by_outputs());
            model.$field.bias.copy_from(&layer.bias);
        })+
        model
    }};
}

/// Five steps to tell the loss, then steps to be timed. A macro, because a function would need a page of bounds.
macro_rules! train {
    ($bench:expr, $task:expr, $model:ident, $optimizer:expr, $x:expr, $loss:expr) => {{
        let (x, loss, mut optimizer) = ($x, $loss, $optimizer);
        let mut grads = Some($model.alloc_grads());
        let mut step = || {
            let out =
                $model.forward_mut(x.clone().traced(grads.take().expect("the last step gave them back")));
            let loss = loss(out);
            let value = loss.array();
            let mut after = loss.backward();
            optimizer.update(&mut $model, &after).expect("every parameter has a gradient");
            $model.zero_grads(&mut after);
            grads = Some(after);
            value
        };
        if std::env::args().nth(1).as_deref() == Some("once") {
            print_once(f64::from(step()));
            return;
        }
        let loss = std::iter::repeat_with(&mut step).nth(4).expect("a fifth step");
        $bench.run($task, f64::from(loss), step);
    }};
}

/// Value and gradient of a loss of logits alone.
macro_rules! loss_kernel {
    ($bench:expr, $task:expr, $z:expr, $y:expr, $loss:expr) => {{
        let (z, y) = ($z, $y);
        let value_and_gradient = || {
            let loss = $loss(z.leaky_trace(), y.clone());
            (loss.array(), loss.backward().get(&z))
        };
        $bench.run($task, f64::from(value_and_gradient().0), value_and_gradient);
    }};
}

fn sgd(lr: f64) -> SgdConfig {
    SgdConfig { lr, momentum: None, weight_decay: None }
}

fn main() {
    let cpu = Cpu::default();
    let bench = Bench::new("dfdx", 1.5);
    let once = std::env::args().nth(1).as_deref() == Some("once");
    let wanted =
        |task| (bench.wants(task) || once && task == "T2").then(|| Net::named(task).expect("a task"));

    if let Some(net) = wanted("T2") {
        type Model = (Linear<2, 16>, ReLU, Linear<16, 16>, ReLU, Linear<16, 1>);
        let mut model = model!(cpu, net, Model, 0 2 4);
        let x: Matrix<100, 2> = cpu.tensor(net.inputs());
        let y: Matrix<100, 1> = cpu.tensor(net.targets());
        let loss = |z| binary_cross_entropy_with_logits_loss(z, y.clone());
        train!(bench, "T2", model, Sgd::new(&model, sgd(0.01)), x, loss);
    }
    if let Some(net) = wanted("T1") {
        let mut model = model!(cpu, net, (Linear<30, 1>,), 0);
        let x: Matrix<569, 30> = cpu.tensor(net.inputs());
        let y: Matrix<569, 1> = cpu.tensor(net.targets());
        let loss = |z| binary_cross_entropy_with_logits_loss(z, y.clone());
        train!(bench, "T1", model, Sgd::new(&model, sgd(0.1)), x, loss);
    }
    type Model3 = (Linear<784, 128>, ReLU, Linear<128, 64>, ReLU, Linear<64, 10>);
    if let Some(net) = wanted("T3") {
        let mut model = model!(cpu, net, Model3, 0 2 4);
        let x: Matrix<64, 784> = cpu.tensor(net.inputs());
        let y: Matrix<64, 10> = cpu.tensor(net.targets()); // there is no loss of labels
        let loss = |z| cross_entropy_with_logits_loss(z, y.clone());
        let adam = AdamConfig { lr: 0.001, ..Default::default() };
        train!(bench, "T3", model, Adam::new(&model, adam), x, loss);
    }
    if let Some(net) = wanted("T4") {
        type Model = (Linear<784, 1024>, ReLU, Linear<1024, 1024>, ReLU, Linear<1024, 10>);
        let mut model = model!(cpu, net, Model, 0 2 4);
        let x: Matrix<256, 784> = cpu.tensor(net.inputs());
        let y: Matrix<256, 10> = cpu.tensor(net.targets());
        let loss = |z| cross_entropy_with_logits_loss(z, y.clone());
        let rule = SgdConfig { momentum: Some(Momentum::Classic(0.9)), ..sgd(0.01) };
        train!(bench, "T4", model, Sgd::new(&model, rule), x, loss);
    }
    if let Some(net) = wanted("T5q") {
        type Model = (Linear<784, 30>, Sigmoid, Linear<30, 10>, Sigmoid);
        let mut model = model!(cpu, net, Model, 0 2);
        let x: Matrix<10, 784> = cpu.tensor(net.inputs());
        let y: Matrix<10, 10> = cpu.tensor(net.targets());
        let loss =
            |a: Tensor<_, _, _, OwnedTape<f32, Cpu>>| (a - y.clone()).square().sum::<Rank0, _>() * 0.05;
        train!(bench, "T5q", model, Sgd::new(&model, sgd(3.0)), x, loss);
    }
    if let Some(net) = wanted("T5c") {
        type Model = (Linear<784, 30>, Sigmoid, Linear<30, 10>);
        let mut model = model!(cpu, net, Model, 0 2);
        let x: Matrix<10, 784> = cpu.tensor(net.inputs());
        let y: Matrix<10, 10> = cpu.tensor(net.targets());
        let loss = |z| binary_cross_entropy_with_logits_loss(z, y.clone()) * 10.0;
        train!(bench, "T5c", model, Sgd::new(&model, sgd(0.5)), x, loss);
    }
    if bench.wants("T6") {
        let mut model = cpu.build_module::<(Linear<1, 1>, Sigmoid), f32>();
        model.0.weight.copy_from(&[0.6]);
        model.0.bias.copy_from(&[0.9]);
        let y: Tensor<Rank1<1>, f32, Cpu> = cpu.tensor([0.0]);
        let loss = |a| mse_loss(a, y.clone());
        train!(bench, "T6", model, Sgd::new(&model, sgd(0.15)), cpu.tensor([1.0f32]), loss);
    }

    if bench.wants("T7ce_1024x10") {
        let z: Matrix<1024, 10> = cpu.tensor(logits(1024 * 10));
        let y: Matrix<1024, 10> = cpu.tensor(one_hot(&labels(4, 1024, 10), 10));
        loss_kernel!(bench, "T7ce_1024x10", z, y, cross_entropy_with_logits_loss);
    }
    if bench.wants("T7ce_128x32000") {
        let z: Matrix<128, 32_000> = cpu.tensor(logits(128 * 32_000));
        let y: Matrix<128, 32_000> = cpu.tensor(one_hot(&labels(4, 128, 32_000), 32_000));
        loss_kernel!(bench, "T7ce_128x32000", z, y, cross_entropy_with_logits_loss);
    }
    if bench.wants("T7bce_1M") {
        let y: Vec<f32> = labels(4, 1_000_000, 2).into_iter().map(|y| y as f32).collect();
        let z: Tensor<Rank1<1_000_000>, f32, Cpu> = cpu.tensor(logits(1_000_000));
        let y: Tensor<Rank1<1_000_000>, f32, Cpu> = cpu.tensor(y);
        loss_kernel!(bench, "T7bce_1M", z, y, binary_cross_entropy_with_logits_loss);
    }

    let net = Net::named("T3").expect("a task");
    if bench.wants("T8_b1") {
        let model = model!(cpu, net, Model3, 0 2 4);
        let x: Matrix<1, 784> = cpu.tensor(net.inputs()[..784].to_vec());
        let sum = model.forward(x.clone()).sum::<Rank0, _>().array();
        bench.run("T8_b1", f64::from(sum), || model.forward(x.clone()));
    }
    if bench.wants("T8_b64") {
        let model = model!(cpu, net, Model3, 0 2 4);
        let x: Matrix<64, 784> = cpu.tensor(net.inputs());
        let sum = model.forward(x.clone()).sum::<Rank0, _>().array();
        bench.run("T8_b64", f64::from(sum), || model.forward(x.clone()));
    }
}
