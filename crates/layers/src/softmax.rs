//! Numbers as probabilities of classes.

use surprisal_formula_macro::math;
use surprisal_tensor::Var;

use crate::Layer;
use crate::layer::note;

/// The probabilities of the classes along the last axis: `[.., classes]` to the same.
///
#[doc = math!("y_i = e^x_i / Σ_j e^x_j")]
///
/// For training leave it out: the fused losses take logits.
///
/// ```
/// use surprisal_layers::{Layer, Softmax};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let logits = array![[7.0, 7.0], [0.0, 3f64.ln()]];
/// let y = Workspace::new().eval(&Params::<f64>::default(), |tape| Softmax.forward(tape.input(&logits)));
/// assert!((y - array![[0.5, 0.5], [0.25, 0.75]]).iter().all(|difference| difference.abs() < 1e-15));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Softmax;

/// The logarithms of those probabilities along the last axis: `[.., classes]` to the same.
///
#[doc = math!("y_i = x_i - ln Σ_j e^x_j")]
///
/// The probabilities are not formed, so a small one is not rounded to 0 and its logarithm to -∞. For training leave it out:
/// the fused losses take logits.
///
/// ```
/// use surprisal_layers::{Layer, LogSoftmax};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let logits = array![[0f32, 1000.0]];
/// let y = Workspace::new().eval(&Params::new(), |tape| LogSoftmax.forward(tape.input(&logits)));
/// assert_eq!(y, array![[-1000.0, 0.0]].into_dyn());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct LogSoftmax;

impl Layer for Softmax {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let _layer = note(self, x);
        x.softmax(-1)
    }
}

impl Layer for LogSoftmax {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let _layer = note(self, x);
        x.log_softmax(-1)
    }
}
