//! Handwritten digits: a net with one hidden layer, mini-batches and Adam, in a plain loop.
//!
//!     cargo run --release --example 03_mlp_digits

use surprisal::prelude::*;

/// The test accuracy after `epochs` epochs.
fn train(epochs: usize) -> Result<f64, Box<dyn std::error::Error>> {
    let mut rng = rng(7);
    let mut digits = Dataset::digits();
    digits.features /= 16.0; // pixels 0 to 16
    let (train, test) = stratified_split(&digits, 0.25, &mut rng)?;

    let mut params = Params::new();
    let hidden = Linear::new(&mut params, "hidden", 64, 32, &mut rng);
    let model = (hidden, Relu, Linear::new(&mut params, "out", 32, 10, &mut rng));
    let mut adam = Adam::new(0.01);
    let mut workspace = Workspace::new();
    let mut batches = Batches::new(train.rows(), 64)?;
    for epoch in 1..=epochs {
        batches.shuffle(&mut rng);
        let mut total = 0.0;
        for rows in &batches {
            let tape = workspace.tape(&params);
            let batch = train.batch(&tape, rows);
            let loss = softmax_cross_entropy(model.forward(batch.x), batch.labels());
            loss.backward();
            total += loss.item() * rows.len() as f64;
            adam.step(&mut params, workspace.grads());
        }
        println!("epoch {epoch:2}: mean loss {:.4}", total / train.rows() as f64);
    }
    let logits = workspace.eval(&params, |tape| model.forward(tape.input(&test.features)));
    Ok(accuracy(test.labels(), &argmax_rows(&logits))?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("test accuracy: {:.1} %", 100.0 * train(20)?);
    Ok(())
}

#[test]
fn it_recognizes_most_unseen_digits() {
    let accuracy = train(10).unwrap();
    assert!(accuracy > 0.94, "{accuracy}");
}
