use surprisal::ndarray::array;
use surprisal::prelude::*;

pub fn derivative(x: f64) -> f64 {
    let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    let tape = workspace.tape(&params);
    let x = tape.constant(x).requires_grad();
    (x * x * x + 2.0 * x).backward();
    x.grad().expect("asked for")[[]]
}

pub fn neuron(w: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    let mut params = Params::<f64>::default();
    let (w, b) = (params.add("w", &array![w]), params.add("b", &array![b]));
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    (tape.param(w) * x + tape.param(b) - y).square().sum().backward();
    (workspace.grads()[w][0], workspace.grads()[b][0])
}

pub fn step(params: &mut Params<f64>, rate: f64) {
    let w = params.ids().next().expect("there is one parameter");
    let mut workspace = Workspace::new();
    let tape = workspace.tape(params);
    tape.param(w).square().sum().backward();
    Sgd::new(rate).step(params, workspace.grads());
}
