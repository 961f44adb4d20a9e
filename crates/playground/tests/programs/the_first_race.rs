//! Two nets on the same data, with the same batches: printed are the loss, the accuracy and the gradient norm on all rows.
//! Cargo.toml needs: surprisal, at version 0.1.0.

use surprisal::loss::*;
use surprisal::ndarray::Array2;
use surprisal::prelude::*;

/// The left loss and the right one: logits, targets, labels.
#[allow(unused_variables)]
fn loss<'t>(side: usize, z: Var<'t>, y: Var<'t>, labels: &[usize]) -> Var<'t> {
    match side {
        0 => mse_loss(z.sigmoid(), y),
        _ => binary_cross_entropy_with_logits(z, y),
    }
}

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

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = rng(7);
    let data = Dataset::xor(200, 0.1, &mut rng)?;
    let x = Standardize::fit(&data.features)?.apply(&data.features)?;
    let labels = data.labels();
    let y = Array2::from_shape_fn((labels.len(), 1), |(row, _)| labels[row] as f64);

    let mut start = Params::<f64>::default();
    let model = Mlp::with_init(
        &mut start,
        &"2-8-1".parse()?,
        Activation::Tanh,
        Init::XavierUniform,
        Init::Zeros,
        &mut rng,
    );
    let mut wrong = start.clone();
    mislead(&model, &mut wrong, &x, labels, 2, 10.0);
    let mut params = [wrong.clone(), wrong.clone()];
    let mut optimizers: [Box<dyn Optimizer<f64>>; 2] = [Box::new(Sgd::new(0.5)), Box::new(Sgd::new(0.5))];
    let mut workspace = Workspace::new();
    let mut batches = Batches::new(labels.len(), 16)?;

    println!("step side loss accuracy gradient_norm");
    for step in 0..=200 {
        if step % 20 == 0 || step == 200 {
            for (side, params) in params.iter().enumerate() {
                let tape = workspace.tape(params);
                let z = model.forward(tape.input(&x));
                let loss = loss(side, z, tape.input(&y), labels);
                loss.backward();
                let (value, accuracy) = (
                    loss.item(),
                    accuracy(labels, &z.value().iter().map(|&z| usize::from(z > 0.0)).collect::<Vec<_>>())?,
                );
                println!("{step} {side} {value} {accuracy} {}", workspace.grads().norm());
            }
        }
        let at = step % batches.per_epoch();
        if at == 0 {
            batches.shuffle(&mut rng);
        }
        let rows = batches.iter().nth(at).unwrap();
        let batch_labels: Vec<usize> = rows.iter().map(|&row| labels[row]).collect();
        for side in 0..2 {
            let tape = workspace.tape(&params[side]);
            let z = model.forward(tape.rows(&x, rows));
            loss(side, z, tape.rows(&y, rows), &batch_labels).backward();
            optimizers[side].step(&mut params[side], workspace.grads());
        }
    }
    Ok(())
}
