use surprisal::ndarray::{Array1, Array2, Axis};
use surprisal::prelude::*;

pub fn linear_backward(
    x: &Array2<f64>,
    w: &Array2<f64>,
    dy: &Array2<f64>,
) -> (Array2<f64>, Array2<f64>, Array1<f64>) {
    (dy.dot(&w.t()), x.t().dot(dy), dy.sum_axis(Axis(0)))
}

pub fn parameters(sizes: &[usize]) -> usize {
    sizes.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum()
}

pub struct Leaky;

impl Layer for Leaky {
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        x.maximum(x * 0.1)
    }
}

pub fn leaky() -> impl Layer {
    Leaky
}
