//! For tests: a loss against its definition in plain operations.

use surprisal_tensor::ndarray::ArrayD;
use surprisal_tensor::{Tape, Var, check_gradient};

use crate::Reduction;

pub(crate) const REDUCTIONS: [Reduction; 3] = [Reduction::Mean, Reduction::Sum, Reduction::None];

/// `fused`, and behind it, where a wrong sign shows, what it must not differ by from `plain`: the difference is 0, with gradient 0
/// everywhere.
#[track_caller]
pub(crate) fn same<'t>(fused: Var<'t>, plain: Var<'t>) -> Var<'t> {
    let difference = fused - plain;
    let near = |(d, plain): (&f64, &f64)| d.abs() <= 1e-14 * (1.0 + plain.abs());
    assert!(difference.value().iter().zip(&plain.value()).all(near), "{fused:?} is not {plain:?}");
    fused + difference * 1e3
}

/// That a loss under each reduction is the single losses in plain operations, reduced, and that its gradients are right. The function
/// returns both.
#[track_caller]
pub(crate) fn equals_definition(
    inputs: &[ArrayD<f64>],
    both: impl for<'t> Fn(&'t Tape<'t>, &[Var<'t>], Reduction) -> [Var<'t>; 2],
) {
    for reduction in REDUCTIONS {
        check_gradient(inputs, |tape, x| {
            let [fused, each] = both(tape, x, reduction);
            same(fused, reduced(each, reduction))
        });
    }
}

pub(crate) fn reduced(each: Var, reduction: Reduction) -> Var {
    match reduction {
        Reduction::Mean => each.mean(),
        Reduction::Sum => each.sum(),
        Reduction::None => each,
    }
}
