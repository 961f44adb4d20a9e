//! Every row with a mean square of 1.

use surprisal_formula_macro::math;
use surprisal_tensor::{ParamId, Params, Scalar, Var};

use crate::Layer;
use crate::layer::note;
use crate::layer_norm::{add_filled, expect_eps, expect_features, with_last_axis_one};

/// Divides each row by the root of its mean square, then scales: `[.., features]` to the same.
///
#[doc = math!("y = x / √(1/n Σ x² + ε) · weight")]
///
/// The sum goes along the last axis of n = `features` numbers. Unlike [`LayerNorm`](crate::LayerNorm) it does not subtract the mean and has
/// no bias (Zhang and Sennrich 2019). Where squares overflow, in `f32` from 1.8e19 on, the result is 0.
///
/// Has the parameter `NAME.weight`, `[features]`, which starts with ones.
///
/// ```
/// use surprisal_layers::{Layer, RmsNorm};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let mut params = Params::<f64>::default();
/// let layer = RmsNorm { eps: 0.0, ..RmsNorm::new(&mut params, "norm", 2) };
/// let y = Workspace::new().eval(&params, |tape| layer.forward(tape.input(&array![[1.0, 7.0]]))); // 5² = (1² + 7²) / 2
/// assert_eq!(y, array![[0.2, 1.4]].into_dyn());
/// ```
///
/// # Panics
/// [`forward`](Layer::forward) at the caller's line, if the length of the last axis is not `features`, or if `eps` is negative, not
/// finite, or not 0 but rounded to 0 in the type of the numbers.
#[derive(Clone, Copy, Debug)]
pub struct RmsNorm {
    /// `NAME.weight`, `[features]`
    pub weight: ParamId,
    /// Epsilon, added to the mean square; 1e-5 by default. With 0 a row of zeros becomes NaN.
    pub eps: f64,
}

impl RmsNorm {
    /// Adds a layer's parameters.
    ///
    /// See the example above.
    ///
    /// # Panics
    /// If the name is taken.
    #[track_caller]
    pub fn new<T: Scalar>(params: &mut Params<T>, name: &str, features: usize) -> RmsNorm {
        RmsNorm { weight: add_filled(params, name, "weight", features, T::ONE), eps: 1e-5 }
    }
}

impl Layer for RmsNorm {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let _layer = note(self, x);
        expect_features("rms_norm", x, self.weight);
        expect_eps("rms_norm", x, self.eps);
        let mean_square = x.square().mean_axis(-1).reshape(with_last_axis_one(x.shape()));
        x / (mean_square + self.eps).sqrt() * x.tape().param(self.weight)
    }
}
