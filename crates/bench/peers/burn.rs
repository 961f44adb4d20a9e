//! The tasks in burn, on its CPU backend "flex".
#![recursion_limit = "256"]

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::nn::loss::{BinaryCrossEntropyLossConfig, CrossEntropyLossConfig};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::prelude::*;
use burn::tensor::TensorData;
use burn::tensor::activation::{relu, sigmoid};
use surprisal_bench::{Bench, LOSS_KERNELS, Loss, Net, Update, labels, logits, print_once};

fn main() {
    if std::env::args().nth(1).as_deref() == Some("once") {
        print_once(number(Training::new(&Net::named("T2").expect("a task")).step()));
        return;
    }
    let bench = Bench::new("burn", 1.5);
    for net in bench.nets() {
        let mut training = Training::new(&net);
        let loss = after_five(|| training.step());
        bench.run(&net.task, loss, || training.step());
    }
    if bench.wants("T6") {
        let device = Device::flex().autodiff();
        let one = |v: f32| tensor(vec![v], [1], &device);
        let (mut w, mut b) = (one(0.6).require_grad(), one(0.9).require_grad());
        let (x, y) = (one(1.0), one(0.0));
        let mut step = || {
            let a = sigmoid(w.clone() * x.clone() + b.clone());
            let loss = (a - y.clone()).powi_scalar(2);
            let grads = loss.backward();
            let moved = |v: &Tensor<1>| {
                let grad = v.grad(&grads).expect("the loss reaches it");
                Tensor::from_inner(v.clone().inner() - grad * 0.15).require_grad()
            };
            (w, b) = (moved(&w), moved(&b));
            loss
        };
        let loss = after_five(&mut step);
        bench.run("T6", loss, step);
    }
    for (task, rows, classes) in LOSS_KERNELS {
        if bench.wants(task) {
            loss_kernel(&bench, task, rows, classes);
        }
    }
    for (task, rows) in [("T8_b1", 1), ("T8_b64", 64)] {
        if bench.wants(task) {
            let net = Net::named("T3").expect("a task");
            let model = Training::new(&net).model.expect("no step has taken it").valid();
            let x = tensor(net.inputs()[..rows * 784].to_vec(), [rows, 784], &Device::flex());
            let sum = number(model.forward(x.clone()).sum());
            bench.run(task, sum, || model.forward(x.clone()));
        }
    }
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn integers<const D: usize>(values: Vec<i32>, shape: [usize; D], device: &Device) -> Tensor<D, Int> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn number(loss: Tensor<1>) -> f64 {
    f64::from(loss.into_scalar::<f32>())
}

fn after_five(step: impl FnMut() -> Tensor<1>) -> f64 {
    number(std::iter::repeat_with(step).nth(4).expect("a fifth step"))
}

#[derive(Module, Debug)]
struct Model {
    layers: Vec<Linear>,
    sigmoid_hidden: bool,
    sigmoid_out: bool,
}

impl Model {
    fn forward(&self, mut x: Tensor<2>) -> Tensor<2> {
        for (l, layer) in self.layers.iter().enumerate() {
            x = layer.forward(x);
            if l + 1 < self.layers.len() {
                x = if self.sigmoid_hidden { sigmoid(x) } else { relu(x) };
            } else if self.sigmoid_out {
                x = sigmoid(x);
            }
        }
        x
    }
}

struct Training {
    model: Option<Model>, // an optimizer's step takes it and gives it back
    optimizer: ModuleOptimizer,
    rate: f64,
    loss: Loss,
    rows: f64,
    x: Tensor<2>,
    labels: Tensor<1, Int>,
    targets: Tensor<2>,
    integer_targets: Tensor<2, Int>,
    device: Device,
}

impl Training {
    fn new(net: &Net) -> Training {
        let device = Device::flex().autodiff();
        let layers = net.layers().into_iter().map(|layer| Linear {
            weight: Param::from_tensor(tensor(layer.weight, [layer.inputs, layer.outputs], &device)),
            bias: Some(Param::from_tensor(tensor(layer.bias, [layer.outputs], &device))),
        });
        let (optimizer, rate) = match net.update {
            Update::Sgd(rate) => (SgdConfig::new().init(), rate),
            Update::Adam(rate) => (AdamConfig::new().with_epsilon(1e-8).init(), rate),
            Update::Momentum(rate) => {
                let momentum = MomentumConfig { momentum: 0.9, dampening: 0.0, nesterov: false };
                (SgdConfig::new().with_momentum(Some(momentum)).init(), rate)
            }
        };
        let (targets, labels) = (net.targets(), net.labels().into_iter().map(|y| y as i32).collect());
        let shape = [net.rows, targets.len() / net.rows];
        Training {
            model: Some(Model {
                layers: layers.collect(),
                sigmoid_hidden: net.sigmoid_hidden(),
                sigmoid_out: net.loss == Loss::SquaredError,
            }),
            optimizer,
            rate,
            loss: net.loss,
            rows: net.rows as f64,
            x: tensor(net.inputs(), [net.rows, net.sizes[0]], &device),
            labels: integers(labels, [net.rows], &device),
            integer_targets: integers(targets.iter().map(|&y| y as i32).collect(), shape, &device),
            targets: tensor(targets, shape, &device),
            device,
        }
    }

    fn step(&mut self) -> Tensor<1> {
        let model = self.model.take().expect("the last step gave it back");
        let out = model.forward(self.x.clone());
        let binary = || BinaryCrossEntropyLossConfig::new().with_logits(true).init(&self.device);
        let loss = match self.loss {
            Loss::Binary => binary().forward(out, self.integer_targets.clone()),
            Loss::Classes => {
                CrossEntropyLossConfig::new().init(&self.device).forward(out, self.labels.clone())
            }
            Loss::SquaredError => {
                (out - self.targets.clone()).powi_scalar(2).sum().mul_scalar(0.5 / self.rows)
            }
            Loss::EachOutput => binary().forward(out, self.integer_targets.clone()).mul_scalar(10.0),
        };
        let grads = GradientsParams::from_grads(loss.backward(), &model);
        self.model = Some(self.optimizer.step(self.rate, model, grads));
        loss
    }
}

fn loss_kernel(bench: &Bench, task: &str, rows: usize, classes: usize) {
    let device = Device::flex().autodiff();
    let labels = labels(4, rows, classes.max(2)).into_iter().map(|y| y as i32).collect();
    let (z, y) = (logits(rows * classes), integers(labels, [rows], &device));
    if classes == 1 {
        let z = tensor(z, [rows], &device).require_grad();
        let loss = BinaryCrossEntropyLossConfig::new().with_logits(true).init(&device);
        let value_and_gradient = || {
            let loss = loss.forward(z.clone(), y.clone());
            let grads = loss.backward();
            (loss, z.grad(&grads))
        };
        bench.run(task, number(value_and_gradient().0), value_and_gradient);
    } else {
        let z = tensor(z, [rows, classes], &device).require_grad();
        let loss = CrossEntropyLossConfig::new().init(&device);
        let value_and_gradient = || {
            let loss = loss.forward(z.clone(), y.clone());
            let grads = loss.backward();
            (loss, z.grad(&grads))
        };
        bench.run(task, number(value_and_gradient().0), value_and_gradient);
    }
}
