//! Is a tumor benign? Logistic regression on 569 real cases: one linear layer and a fused loss.
//!
//!     cargo run --release --example 02_logistic_regression

use surprisal::prelude::*;

/// Accuracy on rows that were not trained on, and the probability of "benign" for the first of them.
fn train() -> Result<(f64, f64), Box<dyn std::error::Error>> {
    let mut rng = rng(7);
    let (mut train, mut test) = stratified_split(&Dataset::breast_cancer(), 0.25, &mut rng)?;
    let standardize = Standardize::fit(&train.features)?; // on the training rows alone
    train.features = standardize.apply(&train.features)?;
    test.features = standardize.apply(&test.features)?;
    let targets =
        surprisal::ndarray::Array2::from_shape_fn((train.rows(), 1), |(row, _)| train.labels()[row] as f64);

    let mut params = Params::<f64>::default();
    let model = Linear::with_init(&mut params, "out", 30, 1, Init::Zeros, Init::Zeros, &mut rng);
    let mut sgd = Sgd::new(0.5).momentum(0.9);
    let mut workspace = Workspace::new();
    for epoch in 0..100 {
        let tape = workspace.tape(&params);
        let logits = model.forward(tape.input(&train.features));
        let loss = binary_cross_entropy_with_logits(logits, tape.input(&targets));
        loss.backward();
        if epoch % 20 == 0 {
            println!("epoch {epoch:3}: loss {:.4}", loss.item());
        }
        sgd.step(&mut params, workspace.grads());
    }
    let probabilities = workspace.eval(&params, |tape| model.forward(tape.input(&test.features)).sigmoid());
    let said: Vec<usize> = probabilities.iter().map(|&p| usize::from(p > 0.5)).collect();
    Ok((accuracy(test.labels(), &said)?, probabilities[[0, 0]]))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (accuracy, first) = train()?;
    println!(
        "{:.1} % of the unseen cases are right; the first is benign with probability {first:.3}",
        100.0 * accuracy
    );
    Ok(())
}

#[test]
fn it_is_right_on_nineteen_of_twenty_unseen_cases() {
    let (accuracy, probability) = train().unwrap();
    assert!(accuracy > 0.95, "{accuracy}");
    assert!((0.0..=1.0).contains(&probability));
}
