//! The tasks in candle.

use candle_core::{Device, Result, Tensor, Var};
use candle_nn::loss::{binary_cross_entropy_with_logit, cross_entropy};
use candle_nn::optim::{AdamW, Optimizer, ParamsAdamW, SGD};
use candle_nn::{Linear, Module, ops::sigmoid};
use surprisal_bench::{Bench, LOSS_KERNELS, Loss, Net, Update, labels, logits, print_once};

const CPU: Device = Device::Cpu;

fn main() -> Result<()> {
    if std::env::args().nth(1).as_deref() == Some("once") {
        let loss = Training::new(&Net::named("T2").expect("a task"))?.step()?;
        print_once(f64::from(loss.to_scalar::<f32>()?));
        return Ok(());
    }
    let bench = Bench::new("candle", 1.5);
    for net in bench.nets() {
        let mut training = Training::new(&net)?;
        let loss = after_five(|| training.step())?;
        bench.run(&net.task, loss, || training.step().expect("as before"));
    }
    if bench.wants("T6") {
        let (w, b) = (Var::new(0.6f32, &CPU)?, Var::new(0.9f32, &CPU)?);
        let (x, y) = (Tensor::new(1f32, &CPU)?, Tensor::new(0f32, &CPU)?);
        let mut sgd = SGD::new(vec![w.clone(), b.clone()], 0.15)?;
        let mut step = || {
            let a = sigmoid(&((w.as_tensor() * &x)? + b.as_tensor())?)?;
            let loss = (a - &y)?.sqr()?;
            sgd.backward_step(&loss)?;
            Ok(loss)
        };
        let loss = after_five(&mut step)?;
        bench.run("T6", loss, || step().expect("as before"));
    }
    for (task, rows, classes) in LOSS_KERNELS {
        if bench.wants(task) {
            loss_kernel(&bench, task, rows, classes)?;
        }
    }
    for (task, rows) in [("T8_b1", 1), ("T8_b64", 64)] {
        if bench.wants(task) {
            let Training { mut model, x, .. } = Training::new(&Net::named("T3").expect("a task"))?;
            // plain tensors, so that nothing is recorded
            for l in &mut model.layers {
                *l = Linear::new(l.weight().detach(), l.bias().map(Tensor::detach));
            }
            let x = x.narrow(0, 0, rows)?.contiguous()?;
            let sum = model.forward(&x)?.sum_all()?.to_scalar::<f32>()?;
            bench.run(task, f64::from(sum), || model.forward(&x).expect("as before"));
        }
    }
    Ok(())
}

fn after_five(mut step: impl FnMut() -> Result<Tensor>) -> Result<f64> {
    for _ in 0..4 {
        step()?;
    }
    Ok(f64::from(step()?.to_scalar::<f32>()?))
}

struct Model {
    layers: Vec<Linear>,
    loss: Loss,
}

impl Model {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = x.clone();
        for (l, layer) in self.layers.iter().enumerate() {
            x = layer.forward(&x)?;
            let hidden = l + 1 < self.layers.len();
            x = match self.loss {
                Loss::Binary | Loss::Classes if hidden => x.relu()?,
                Loss::EachOutput if hidden => sigmoid(&x)?,
                Loss::SquaredError => sigmoid(&x)?,
                _ => x,
            };
        }
        Ok(x)
    }
}

enum Rule {
    Sgd(SGD),
    Adam(AdamW),
    Momentum(Vec<(Var, Tensor)>, f64), // which candle's SGD does not have
}

struct Training {
    model: Model,
    rule: Rule,
    x: Tensor,
    y: Tensor,
    rows: f64,
}

impl Training {
    fn new(net: &Net) -> Result<Training> {
        let (mut vars, mut layers) = (vec![], vec![]);
        for layer in net.layers() {
            let w = Var::from_vec(layer.weight_by_outputs(), (layer.outputs, layer.inputs), &CPU)?;
            let b = Var::from_vec(layer.bias, layer.outputs, &CPU)?;
            layers.push(Linear::new(w.as_tensor().clone(), Some(b.as_tensor().clone())));
            vars.extend([w, b]);
        }
        let y = match net.loss {
            Loss::Classes => Tensor::from_vec(net.labels(), net.rows, &CPU)?,
            _ => Tensor::from_vec(net.targets(), (net.rows, net.sizes[net.sizes.len() - 1]), &CPU)?,
        };
        let rule = match net.update {
            Update::Sgd(rate) => Rule::Sgd(SGD::new(vars, rate)?),
            Update::Adam(lr) => {
                Rule::Adam(AdamW::new(vars, ParamsAdamW { lr, weight_decay: 0.0, ..Default::default() })?)
            }
            Update::Momentum(rate) => {
                let zeros = vars.iter().map(|v| v.zeros_like()).collect::<Result<Vec<_>>>()?;
                Rule::Momentum(vars.into_iter().zip(zeros).collect(), rate)
            }
        };
        let x = Tensor::from_vec(net.inputs(), (net.rows, net.sizes[0]), &CPU)?;
        Ok(Training { model: Model { layers, loss: net.loss }, rule, x, y, rows: net.rows as f64 })
    }

    fn step(&mut self) -> Result<Tensor> {
        let (y, out) = (&self.y, self.model.forward(&self.x)?);
        let loss = match self.model.loss {
            Loss::Binary => binary_cross_entropy_with_logit(&out, y)?,
            Loss::Classes => cross_entropy(&out, y)?,
            Loss::SquaredError => ((out - y)?.sqr()?.sum_all()? * (0.5 / self.rows))?,
            Loss::EachOutput => (binary_cross_entropy_with_logit(&out, y)? * 10.0)?,
        };
        match &mut self.rule {
            Rule::Sgd(sgd) => sgd.backward_step(&loss)?,
            Rule::Adam(adam) => adam.backward_step(&loss)?,
            Rule::Momentum(vars, rate) => {
                let grads = loss.backward()?;
                for (var, velocity) in vars {
                    let grad = grads.get(var.as_tensor()).expect("the loss reaches every parameter");
                    *velocity = ((&*velocity * 0.9)? + grad)?;
                    var.set(&var.sub(&(&*velocity * *rate)?)?)?;
                }
            }
        }
        Ok(loss)
    }
}

fn loss_kernel(bench: &Bench, task: &str, rows: usize, classes: usize) -> Result<()> {
    let (z, y) = if classes == 1 {
        let y: Vec<f32> = labels(4, rows, 2).into_iter().map(|y| y as f32).collect();
        (Var::from_vec(logits(rows), rows, &CPU)?, Tensor::from_vec(y, rows, &CPU)?)
    } else {
        let y = Tensor::from_vec(labels(4, rows, classes), rows, &CPU)?;
        (Var::from_vec(logits(rows * classes), (rows, classes), &CPU)?, y)
    };
    let value_and_gradient = || -> Result<(f32, Option<Tensor>)> {
        let loss = match classes {
            1 => binary_cross_entropy_with_logit(z.as_tensor(), &y)?,
            _ => cross_entropy(z.as_tensor(), &y)?,
        };
        Ok((loss.to_scalar()?, loss.backward()?.remove(z.as_tensor())))
    };
    let loss = value_and_gradient()?.0;
    bench.run(task, f64::from(loss), || value_and_gradient().expect("as before"));
    Ok(())
}
