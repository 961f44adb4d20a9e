//! Two nets on the same data, with the same batches: printed are the loss, the accuracy and the gradient norm on all rows.
//! Cargo.toml needs: surprisal, at version 0.1.0.

use surprisal::data::Targets;
use surprisal::loss::*;
use surprisal::ndarray::Array2;
use surprisal::prelude::*;

/// The left loss and the right one: logits, targets, labels.
#[allow(unused_variables)]
fn loss<'t>(side: usize, z: Var<'t>, y: Var<'t>, labels: &[usize]) -> Var<'t> {
    match side {
        0 => half_squared_error(z.sigmoid(), y),
        _ => hinge_loss(z, 2.0 * y - 1.0),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = rng(7);
    let points = [
        ([0.0, 0.5], 0),
        ([1.0, 1.0], 1),
        ([-1.0, 1.25], 0),
        ([0.5, -1.0], 1),
        ([-0.5, -0.5], 0),
        ([1.5, 0.25], 1),
    ];
    let data = Dataset {
        name: "points".into(),
        features: Array2::from_shape_fn((points.len(), 2), |(row, column)| points[row].0[column]),
        targets: Targets::Classes {
            labels: points.iter().map(|point| point.1).collect(),
            names: (0..2).map(|class| class.to_string()).collect(),
        },
        feature_names: vec!["x".into(), "y".into()],
        image_shape: None,
    };
    let x = data.features.clone();
    let labels = data.labels();
    let y = Array2::from_shape_fn((labels.len(), 1), |(row, _)| labels[row] as f64);

    let mut start = Params::<f64>::default();
    let model = Mlp::with_init(
        &mut start,
        &"2-1".parse()?,
        Activation::Tanh,
        Init::XavierUniform,
        Init::Zeros,
        &mut rng,
    );
    let mut params = [start.clone(), start.clone()];
    let mut optimizers: [Box<dyn Optimizer<f64>>; 2] =
        [Box::new(Lion::new(0.05)), Box::new(Adagrad::new(0.5))];
    let mut workspace = Workspace::new();
    let mut batches = Batches::new(labels.len(), 6)?;

    println!("step side loss accuracy gradient_norm");
    for step in 0..=60 {
        if step % 6 == 0 || step == 60 {
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
