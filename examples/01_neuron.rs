//! One neuron learns to output 0 for the input 1, from initial weights with which it is sure of the opposite.
//!
//! Squared error learns slowest where it is most wrong; cross-entropy learns fastest there.
//! (Nielsen, Neural Networks and Deep Learning, chapter 3: w = b = 2, learning rate 0.15.)
//!
//!     cargo run --release --example 01_neuron

use surprisal::ndarray::array;
use surprisal::prelude::*;

/// The neuron's output before each of the steps and at the end.
fn train(squared: bool, steps: usize) -> Vec<f64> {
    let mut params = Params::<f64>::default();
    let (w, b) = (params.add("w", &array![[2.0]]), params.add("b", &array![2.0]));
    let mut sgd = Sgd::new(0.15);
    let mut workspace = Workspace::new();
    let mut outputs = Vec::new();
    for step in 0..=steps {
        let tape = workspace.tape(&params);
        let z = tape.input(&array![[1.0]]).affine(tape.param(w), tape.param(b));
        let a = z.sigmoid();
        outputs.push(a.item());
        if step == steps {
            break;
        }
        let y = tape.input(&array![[0.0]]);
        let loss = if squared { half_squared_error(a, y) } else { binary_cross_entropy_with_logits(z, y) };
        loss.backward();
        sgd.step(&mut params, workspace.grads());
    }
    outputs
}

fn main() {
    let (squared, entropy) = (train(true, 300), train(false, 300));
    println!("epoch   squared error   cross-entropy   (output; it should be 0)");
    for epoch in (0..=300).step_by(25) {
        let bar = |a: f64| "#".repeat((20.0 * a).round() as usize);
        println!(
            "{epoch:5}   {:13.4}   {:13.4}   {:20} {}",
            squared[epoch],
            entropy[epoch],
            bar(squared[epoch]),
            bar(entropy[epoch])
        );
    }
}

#[test]
fn cross_entropy_has_arrived_where_squared_error_still_waits() {
    let (squared, entropy) = (train(true, 50), train(false, 50));
    assert_eq!(squared[0], entropy[0]);
    assert!(squared[50] > 0.97 && entropy[50] < 0.1, "{} {}", squared[50], entropy[50]);
}
