//! A loss of your own: generalized cross-entropy, (1 - p^q) / q, where p is the probability of the true class. As q falls to 0 it
//! becomes cross-entropy; a larger q gives less weight to rows that look mislabeled (Zhang and Sabuncu 2018). Computed from ln p, which
//! keeps its digits where p itself rounds to 0 or 1.
//!
//!     cargo run --release --example 07_own_loss

use surprisal::ndarray::Array2;
use surprisal::prelude::*;

fn generalized<'t>(q: f64, logits: Var<'t>, labels: &Array2<usize>) -> Var<'t> {
    let ln_p = logits.log_softmax(-1).gather(-1, labels); // [rows, 1], as the labels
    (q * ln_p).exp_m1().mean() / -q
}

fn main() {
    let (iris, mut params) = (Dataset::iris(), Params::new());
    let labels = Array2::from_shape_fn((150, 1), |(row, _)| iris.labels()[row]);
    let model = Linear::new(&mut params, "out", 4, 3, &mut rng(7));
    let (mut adam, mut workspace) = (Adam::new(0.1), Workspace::new());
    for step in 0..=200 {
        let (loss, grads) = workspace
            .grad(&params, |tape| generalized(0.7, model.forward(tape.input(&iris.features)), &labels));
        println!("step {step:3}: loss {loss:.4}");
        adam.step(&mut params, grads);
    }
}

#[test]
fn its_gradient_is_right_and_for_q_near_0_it_is_cross_entropy() {
    use surprisal::ndarray::array;
    let (logits, labels) = (array![[0.5, -1.0, 2.0], [900.0, 0.1, -0.7]].into_dyn(), array![[0], [2]]);
    check_gradient(std::slice::from_ref(&logits), |_, x| generalized(0.7, x[0], &labels));
    let apart = Workspace::new().eval(&Params::<f64>::default(), |tape| {
        let z = tape.input(&logits);
        generalized(1e-9, z, &labels) - softmax_cross_entropy(z, &[0, 2])
    });
    assert!(apart.sum().abs() < 1e-3, "{apart}"); // q times the square of a loss of 900
}
