use surprisal::ndarray::{Array1, Array2, Axis, array};
use surprisal::prelude::*;

use crate::all_near;

fn is_the_way_back<F>(backward: F)
where
    F: Fn(&Array2<f64>, &Array2<f64>, &Array2<f64>) -> (Array2<f64>, Array2<f64>, Array1<f64>),
{
    let x = array![[3.0, 4.0], [1.0, -1.0]];
    let w = array![[1.0, 0.5], [0.0, 2.0]];
    let dy = array![[1.0, 2.0], [0.0, 5.0]];
    let (dx, dw, db) = backward(&x, &w, &dy);
    assert_eq!(dx, array![[2.0, 4.0], [2.5, 10.0]], "the gradient of x");
    assert_eq!(dw, array![[3.0, 11.0], [4.0, 3.0]], "the gradient of W");
    assert_eq!(db, array![1.0, 7.0], "the gradient of b");
}
exercise!(
    layers::linear_backward,
    is_the_way_back,
    wrong: [
        |x, w, dy| (dy.dot(w), x.t().dot(dy), dy.sum_axis(Axis(0))),
        |x, w, dy| (dy.dot(&w.t()), x.dot(dy), dy.sum_axis(Axis(0))),
        |x, w, dy| (dy.dot(&w.t()), x.t().dot(dy), dy.sum_axis(Axis(1))),
        |x, w, dy| (dy.dot(&w.t()), x.t().dot(dy), dy.mean_axis(Axis(0)).unwrap()),
    ]
);

fn counts_parameters(parameters: impl Fn(&[usize]) -> usize) {
    for (sizes, expected) in [(&[30, 1][..], 31), (&[64, 32, 10], 2410), (&[784, 128, 64, 10], 109_386)] {
        assert_eq!(parameters(sizes), expected, "the parameters of a net {sizes:?}");
    }
}
exercise!(
    layers::parameters,
    counts_parameters,
    wrong: [
        |sizes| sizes.windows(2).map(|pair| pair[0] * pair[1]).sum(), // no biases
        |sizes| sizes.windows(2).map(|pair| pair[0] * (pair[1] + 1)).sum(),
        |sizes| sizes.iter().product(),
    ]
);

fn is_leaky<L: Layer>(make: impl Fn() -> L) {
    let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    let tape = workspace.tape(&params);
    let x = tape.input(&array![2.0, -3.0]).requires_grad();
    let y = make().forward(x);
    all_near("the values at 2 and -3", y.value().as_slice().unwrap(), &[2.0, -0.3]);
    y.sum().backward();
    all_near("the slopes at 2 and -3", x.grad().unwrap().as_slice().unwrap(), &[1.0, 0.1]);
}
/// Right in value, but with a part cut off from what made it.
struct CutOff;
impl Layer for CutOff {
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        x.relu() - (-x * 0.1).relu().detach()
    }
}
exercise!(layers::leaky, is_leaky, wrong: [|| Relu, || LeakyRelu { slope: 0.01 }, || CutOff]);
