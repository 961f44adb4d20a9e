//! The fully connected layer.

use surprisal_formula_macro::math;
use surprisal_tensor::{ParamId, Params, Scalar, Var};

use crate::layer::note;
use crate::{Init, Layer, Rng};

/// A weighted sum of all inputs, and a bias, for every output: `[rows, inputs]` to `[rows, outputs]`.
///
#[doc = math!("y = x W + b")]
///
/// Holds the places of two parameters, `NAME.weight` of shape `[inputs, outputs]` and `NAME.bias` of shape `[outputs]`. The weight
/// stands as it is multiplied; PyTorch's is its transpose.
///
/// ```
/// use surprisal_layers::{Init, Layer, Linear, rng};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let mut params = Params::<f64>::default();
/// let layer = Linear::with_init(&mut params, "sum", 2, 1, Init::Constant(1.0), Init::Constant(0.5), &mut rng(0));
/// let y = Workspace::new().eval(&params, |tape| layer.forward(tape.input(&array![[1.0, 2.0]])));
/// assert_eq!(y, array![[3.5]].into_dyn());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Linear {
    /// `NAME.weight`, `[inputs, outputs]`
    pub weight: ParamId,
    /// `NAME.bias`, `[outputs]`
    pub bias: ParamId,
}

impl Linear {
    /// Adds a layer's parameters, initialized as in PyTorch's `Linear`: weight and bias uniform in ±1/√inputs ([`Init::Linear`]).
    ///
    /// ```
    /// use surprisal_layers::{Linear, rng};
    /// use surprisal_tensor::Params;
    /// let mut params = Params::new();
    /// let layer = Linear::new(&mut params, "hidden", 100, 10, &mut rng(7));
    /// assert_eq!(params.entry(layer.weight).name, "hidden.weight");
    /// assert_eq!(params.entry(layer.weight).shape.dims(), [100, 10]);
    /// assert!(params.as_slice().iter().all(|w| w.abs() <= 0.1)); // 1/√100
    /// ```
    ///
    /// # Panics
    /// If the name is taken.
    #[track_caller]
    pub fn new<T: Scalar>(
        params: &mut Params<T>,
        name: &str,
        inputs: usize,
        outputs: usize,
        rng: &mut Rng,
    ) -> Linear {
        Linear::with_init(params, name, inputs, outputs, Init::Linear, Init::Linear, rng)
    }

    /// Adds a layer's parameters with given initializers.
    ///
    /// ```
    /// use surprisal_layers::{Init, Linear, rng};
    /// use surprisal_tensor::Params;
    /// let mut params = Params::new();
    /// let layer = Linear::with_init(&mut params, "out", 2, 2, Init::Orthogonal(3.0), Init::Zeros, &mut rng(7));
    /// let &[a, b, c, d] = &params[layer.weight] else { panic!("[2, 2]") };
    /// assert!((a * b + c * d).abs() < 1e-6 && (a * a + c * c - 9.0).abs() < 1e-5); // columns at right angles, 3 long
    /// assert_eq!(params[layer.bias], [0.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the name is taken.
    #[track_caller]
    pub fn with_init<T: Scalar>(
        params: &mut Params<T>,
        name: &str,
        inputs: usize,
        outputs: usize,
        weight: Init,
        bias: Init,
        rng: &mut Rng,
    ) -> Linear {
        Linear {
            weight: params.add_with(&format!("{name}.weight"), [inputs, outputs], |w| {
                weight.fill(w, inputs, outputs, rng);
            }),
            bias: params.add_with(&format!("{name}.bias"), [outputs], |b| bias.fill(b, inputs, outputs, rng)),
        }
    }
}

impl Layer for Linear {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let (_layer, tape) = (note(self, x), x.tape());
        x.affine(tape.param(self.weight), tape.param(self.bias))
    }
}
