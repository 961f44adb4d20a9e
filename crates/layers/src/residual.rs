//! Residual (skip) connection.

use surprisal_formula_macro::math;
use surprisal_tensor::Var;

use crate::Layer;
use crate::layer::{note, step};

/// Residual (skip) connection around a layer f: any shape to the same.
///
#[doc = math!("y = x + f(x)")]
#[doc = math!("dx = dy + dy ∂f/∂x")]
///
/// However deep the net, the 1 of the first term reaches every layer (He et al. 2016).
///
/// ```
/// use surprisal_layers::{Init, Layer, Linear, Residual, Tanh, rng};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let mut params = Params::<f64>::default();
/// let f = Linear::with_init(&mut params, "change", 2, 2, Init::Zeros, Init::Zeros, &mut rng(0));
/// let x = array![[1.0, -2.0]];
/// let y = Workspace::new().eval(&params, |tape| Residual((f, Tanh)).forward(tape.input(&x)));
/// assert_eq!(y, x.into_dyn()); // a layer that starts at 0 changes nothing yet
/// ```
///
/// # Panics
/// At the caller's line, if the layer does not keep the shape.
#[derive(Clone, Copy, Debug, Default)]
pub struct Residual<L>(pub L);

impl<L: Layer> Layer for Residual<L> {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let _layer = note(self, x);
        around(x, step(&self.0, x))
    }
}

#[track_caller]
fn around<'t>(x: Var<'t>, y: Var<'t>) -> Var<'t> {
    let (before, after) = (x.shape(), y.shape());
    // a sum would repeat a [rows, 1] along the columns and say nothing
    assert!(
        before == after,
        "residual: the layer makes {after} of {before}: what is added must have the same shape"
    );
    x + y
}
