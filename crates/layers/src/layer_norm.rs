//! Every row with mean 0 and variance 1.

use surprisal_formula_macro::math;
use surprisal_tensor::{MAX_RANK, ParamId, Params, Scalar, Shape, Var};

use crate::Layer;
use crate::layer::note;

/// Subtracts from each row its mean, divides by its standard deviation, then scales and shifts: `[.., features]` to the same.
///
#[doc = math!("y = (x - μ) / √(σ² + ε) · weight + bias")]
#[doc = math!("μ = 1/n Σ x, σ² = 1/n Σ (x - μ)²")]
///
/// Mean and variance go along the last axis of n = `features` numbers. Each row is normalized by itself, so
/// training and evaluation are the same, and a batch may be a single row (Ba, Kiros and Hinton 2016).
/// What rounding leaves in the mean is taken off in a second pass, so an offset common to a row costs no digits. Where squares
/// overflow, in `f32` from distances of 1.8e19 on, σ is infinite and the result is the bias.
///
/// Holds `NAME.weight` (starts with ones) and `NAME.bias` (zeros), both `[features]`.
///
/// ```
/// use surprisal_layers::{Layer, LayerNorm};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let mut params = Params::<f64>::default();
/// let layer = LayerNorm::new(&mut params, "norm", 2);
/// let y = Workspace::new().eval(&params, |tape| layer.forward(tape.input(&array![[1.0, 3.0], [70.0, 50.0]])));
/// let sign = y.mapv(|y| (y * 1e4).round() / 1e4); // without ε it would be ±1
/// assert_eq!(sign, array![[-1.0, 1.0], [1.0, -1.0]].into_dyn());
/// ```
///
/// # Panics
/// [`forward`](Layer::forward) at the caller's line, if the last axis has another length than `features`, or if `eps` is negative, not
/// finite, or not 0 but rounded to 0 in the type of the numbers.
#[derive(Clone, Copy, Debug)]
pub struct LayerNorm {
    /// `NAME.weight`, `[features]`
    pub weight: ParamId,
    /// `NAME.bias`, `[features]`
    pub bias: ParamId,
    /// Epsilon, added to the variance against a division by 0; 1e-5 by default. With 0 such a row is NaN.
    pub eps: f64,
}

impl LayerNorm {
    /// Adds a layer's parameters.
    ///
    /// ```
    /// use surprisal_layers::LayerNorm;
    /// use surprisal_tensor::Params;
    /// let mut params = Params::new();
    /// let layer = LayerNorm::new(&mut params, "norm", 3);
    /// assert_eq!((&params[layer.weight], &params[layer.bias]), (&[1.0; 3][..], &[0.0; 3][..]));
    /// assert_eq!(params.entry(layer.bias).name, "norm.bias");
    /// ```
    ///
    /// # Panics
    /// If the name is taken.
    #[track_caller]
    pub fn new<T: Scalar>(params: &mut Params<T>, name: &str, features: usize) -> LayerNorm {
        LayerNorm {
            weight: add_filled(params, name, "weight", features, T::ONE),
            bias: add_filled(params, name, "bias", features, T::ZERO),
            eps: 1e-5,
        }
    }
}

impl Layer for LayerNorm {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let _layer = note(self, x);
        expect_features("layer_norm", x, self.weight);
        expect_eps("layer_norm", x, self.eps);
        x.normalize_rows(x.tape().param(self.weight), x.tape().param(self.bias), self.eps)
    }
}

/// The means, and how far the numbers are from them, in two passes: the second takes off what rounding left in the first mean.
///
/// The gradient goes through the second pass alone: (x - c) less its mean is x less its mean, whatever the constant c.
#[track_caller]
pub(crate) fn centered<'t>(x: Var<'t>, mean: impl Fn(Var<'t>) -> Var<'t>) -> (Var<'t>, Var<'t>) {
    let rounded = mean(x).detach();
    let near = x - rounded;
    let rest = mean(near);
    (rounded + rest, near - rest)
}

pub(crate) fn with_last_axis_one(shape: Shape) -> Shape {
    let (mut dims, last) = ([1; MAX_RANK], shape.rank() - 1);
    dims[..last].copy_from_slice(&shape.dims()[..last]);
    Shape::new(&dims[..=last])
}

/// Adds `NAME.PART`, `[features]`, every number the same.
#[track_caller]
pub(crate) fn add_filled<T: Scalar>(
    params: &mut Params<T>,
    name: &str,
    part: &str,
    features: usize,
    start: T,
) -> ParamId {
    params.add_with(&format!("{name}.{part}"), [features], |slots| slots.fill(start))
}

/// Refuses an ε that is not finite, negative, or rounded to 0.
#[track_caller]
pub(crate) fn expect_eps(layer: &str, x: Var, eps: f64) {
    let dtype = x.tape().dtype();
    let rounded = dtype.round(eps);
    assert!(
        eps == 0.0 || eps > 0.0 && rounded > 0.0 && rounded.is_finite(),
        "{layer}: eps is {eps:?}, which {dtype} rounds to {rounded:?}: expected a finite number above 0 (1e-5 is usual), or 0 for none"
    );
}

/// Refuses what does not end with as many features as the layer has weights.
#[track_caller]
pub(crate) fn expect_features(layer: &str, x: Var, weight: ParamId) {
    let (shape, entry) = (x.shape(), x.tape().entry(weight));
    assert!(
        shape.dims().last() == Some(&entry.shape.len()),
        "{layer}: {shape} does not end with the {} features of \"{}\"",
        entry.shape.len(),
        entry.name
    );
}
