//! A whole process that trains T2 for one step: what starting costs. `compare.py --startup` measures it.

use surprisal::ndarray::Array2;
use surprisal::prelude::*;
use surprisal_bench::{Net, print_once};

fn main() {
    let net = Net::named("T2").expect("T2 is a task");
    let (mut params, mut rng) = (Params::new(), rng(0));
    let layers = ["first", "second", "out"].into_iter().zip(net.layers()).map(|(name, start)| {
        let linear = Linear::new(&mut params, name, start.inputs, start.outputs, &mut rng);
        params[linear.weight].copy_from_slice(&start.weight);
        params[linear.bias].copy_from_slice(&start.bias);
        linear
    });
    let layers: Vec<_> = layers.collect();
    let model = (layers[0], Relu, layers[1], Relu, layers[2]);
    let x = Array2::from_shape_vec((net.rows, 2), net.inputs()).expect("two inputs a row");
    let y = Array2::from_shape_vec((net.rows, 1), net.targets()).expect("one target a row");

    let mut workspace = Workspace::new();
    let (loss, grads) = workspace.grad(&params, |tape| {
        binary_cross_entropy_with_logits(model.forward(tape.input(&x)), tape.input(&y))
    });
    Sgd::new(0.1).step(&mut params, grads);
    print_once(f64::from(loss));
}
