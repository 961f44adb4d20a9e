//! An operation of your own: the bell curve e^-x², with which a single neuron learns XOR. No sigmoid neuron can.
//!
//!     cargo run --release --example 06_own_operation

use surprisal::tensor::{Card, ops::elementwise::Elementwise};
use surprisal::{ndarray::array, prelude::*};

#[derive(Clone, Copy)]
struct Bell;
impl Elementwise for Bell {
    const CARD: Card =
        Card { name: "bell", inputs: "x", forward: "e^-x²", backward: "-2 x y dy", story: "A hill at 0." };
    fn f<T: Scalar>(&self, x: T) -> T {
        (-x * x).exp()
    }
    fn df<T: Scalar>(&self, x: T, y: T) -> T {
        T::of(-2.0) * x * y
    }
}

fn main() {
    let (mut params, mut adam, mut workspace) = (Params::new(), Adam::new(0.05), Workspace::new());
    let neuron = Linear::new(&mut params, "neuron", 2, 1, &mut rng(7));
    let x = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let y = array![[0.0], [1.0], [1.0], [0.0]];
    for step in 0..=200 {
        let (loss, grads) = workspace
            .grad(&params, |tape| mse_loss(neuron.forward(tape.input(&x)).map(Bell), tape.input(&y)));
        println!("step {step:3}: mean squared error {loss:.4}");
        adam.step(&mut params, grads);
    }
}

#[test]
fn its_derivative_is_right() {
    check_gradient(&[array![-3.0, -0.5, 0.0, 0.1, 20.0].into_dyn()], |_, x| x[0].map(Bell));
}
