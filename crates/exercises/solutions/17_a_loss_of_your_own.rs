use surprisal::prelude::*;

pub fn poly<'t, T: Scalar>(logits: Var<'t, T>, labels: &[usize], epsilon: f64) -> Var<'t, T> {
    let each = SoftmaxCrossEntropy { reduction: Reduction::None, ..Default::default() };
    let surprise = each.loss(logits, labels);
    (surprise + epsilon * (1.0 - (-surprise).exp())).mean()
}

pub fn cauchy<'t, T: Scalar>(x: Var<'t, T>, t: Var<'t, T>) -> Var<'t, T> {
    (x - t).square().ln_1p().mean()
}
