//! Second derivatives, exactly: the tape run on dual numbers.

use ndarray::Array2;
use surprisal_formula_macro::math;

use crate::{Params, Scalar, Tape, Var, Workspace};

/// Value, gradient and Hessian-vector product of a function at one point.
///
/// ```
/// use surprisal_tensor::{Params, hessian_vector_product, ndarray::array};
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![1.0, 2.0]);
/// let direction = params.map(|_| 1.0);
/// let at = hessian_vector_product(&params, &direction, |tape| tape.param(w).powf(3.0).sum());
/// assert_eq!((at.value, at.slope), (9.0, 15.0)); // 1 + 8, and (3, 12) · (1, 1)
/// assert_eq!((&at.gradient[w], &at.product[w]), (&[3.0, 12.0][..], &[6.0, 12.0][..])); // 3 w², 6 w
/// ```
pub struct SecondOrder {
    /// f(θ)
    pub value: f64,
    /// ∇f(θ) · v, the slope along the direction, of which the part on frozen parameters does not count
    pub slope: f64,
    /// ∇f(θ)
    pub gradient: Params<f64>,
    /// H v = d/dε ∇f(θ + ε v)
    pub product: Params<f64>,
}

/// The product of the Hessian with a direction, exact to rounding, at about three times the cost of a gradient.
///
#[doc = math!("∇f(θ + v ε) = ∇f(θ) + H v ε")]
///
/// The model is run on θ + v ε; the ε part of its gradient is H v. No operation needs a rule for it. Frozen parameters are
/// constants: their numbers in v do not count. So are values that are [detached](Var::detach), as in PyTorch and JAX:
///
/// ```
/// use surprisal_tensor::{Params, hessian_vector_product, ndarray::array};
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![3.0]);
/// let at = hessian_vector_product(&params, &params.map(|_| 1.0), |tape| (tape.param(w) * tape.param(w).detach()).sum());
/// assert_eq!((at.gradient[w][0], at.slope, at.product[w][0]), (3.0, 3.0, 0.0)); // the gradient is a constant
/// ```
///
/// ```
/// use surprisal_tensor::{Params, hessian_vector_product, ndarray::array};
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![1.0, 2.0]);
/// let mut v = params.clone();
/// v[w].copy_from_slice(&[1.0, 0.0]);
/// // f = (w0² + w1²)², whose Hessian at (1, 2) is [[28, 16], [16, 52]]
/// let at = hessian_vector_product(&params, &v, |tape| tape.param(w).square().sum().square());
/// assert_eq!(at.product[w], [28.0, 16.0]);
/// ```
///
/// # Panics
/// If the direction has another layout.
#[track_caller]
pub fn hessian_vector_product(
    params: &Params<f64>,
    direction: &Params<f64>,
    f: impl for<'t> FnOnce(&'t Tape<'t>) -> Var<'t>,
) -> SecondOrder {
    let mut workspace = Workspace::new();
    let (value, grads) = workspace.grad(&params.along(&on_trainable(params, direction)), f);
    SecondOrder {
        value: value.value,
        slope: value.tangent,
        gradient: grads.primals(),
        product: grads.tangents(),
    }
}

/// The direction, with 0 for frozen parameters.
#[track_caller]
fn on_trainable(params: &Params<f64>, direction: &Params<f64>) -> Params<f64> {
    params.expect_direction(direction);
    let mut v = direction.map(|_| 0.0);
    for span in params.trainable_spans() {
        v.as_mut_slice()[span.clone()].copy_from_slice(&direction.as_slice()[span]);
    }
    v
}

/// How a function bends along a direction: `vᵀHv / vᵀv`, the second derivative at θ per unit of length. Of an eigenvector of the
/// Hessian it is the eigenvalue; along any direction it lies between the smallest and the largest.
///
/// ```
/// use surprisal_tensor::{Params, curvature_along, ndarray::array};
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![1.0, 2.0]);
/// let mut v = params.clone();
/// v[w].copy_from_slice(&[1.0, 1.0]);
/// // f = (w0² + w1²)², whose Hessian at (1, 2) is [[28, 16], [16, 52]]
/// let bend = curvature_along(&params, &v, |tape| tape.param(w).square().sum().square());
/// assert_eq!(bend, (28.0 + 2.0 * 16.0 + 52.0) / 2.0);
/// ```
///
/// Frozen parameters are constants: neither the slope nor the length of the direction has a part of theirs.
///
/// # Panics
/// If the direction has another layout, or is 0 on every trainable parameter.
#[track_caller]
pub fn curvature_along(
    params: &Params<f64>,
    direction: &Params<f64>,
    f: impl for<'t> FnOnce(&'t Tape<'t>) -> Var<'t>,
) -> f64 {
    let direction = on_trainable(params, direction);
    let v = direction.as_slice();
    let squared_length: f64 = v.iter().map(|v| v * v).sum();
    assert!(
        squared_length > 0.0,
        "curvature_along: the direction is 0 on every trainable parameter: it needs a length"
    );
    let at = hessian_vector_product(params, &direction, f);
    v.iter().zip(at.product.as_slice()).map(|(v, hv)| v * hv).sum::<f64>() / squared_length
}

/// The Hessian of a function at `params`: `H_ij = ∂²f / ∂θ_i ∂θ_j`, in the order of [`Params::as_slice`].
///
/// One Hessian-vector product for each parameter gives one row, exact to rounding; the two halves, which differ in their last
/// digits, are averaged. Rows and columns of frozen parameters are 0.
///
/// ```
/// use surprisal_tensor::{Params, hessian, ndarray::array};
///
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![1.0, 2.0]);
/// let h = hessian(&params, |tape| tape.param(w).square().sum().square()); // (w0² + w1²)²
/// assert_eq!(h, array![[28.0, 16.0], [16.0, 52.0]]);
/// ```
#[track_caller]
pub fn hessian<T: Scalar>(params: &Params<T>, f: impl for<'t> Fn(&'t Tape<'t>) -> Var<'t>) -> Array2<f64> {
    hessian_of(&params.cast(), &f)
}

fn hessian_of(params: &Params<f64>, f: &dyn for<'t> Fn(&'t Tape<'t>) -> Var<'t>) -> Array2<f64> {
    let n = params.as_slice().len();
    let (mut h, mut direction) = (Array2::zeros((n, n)), params.map(|_| 0.0));
    for i in params.trainable_spans().flatten() {
        direction.as_mut_slice()[i] = 1.0;
        let at = hessian_vector_product(params, &direction, f);
        direction.as_mut_slice()[i] = 0.0;
        for (j, &product) in at.product.as_slice().iter().enumerate() {
            h[[i, j]] += 0.5 * product;
            h[[j, i]] += 0.5 * product;
        }
    }
    h
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn what_is_detached_is_a_constant_of_second_derivatives_and_is_found_by_the_check() {
        let mut params = Params::<f64>::default();
        let [w, z] = [("w", 2.0), ("z", 5.0)].map(|(name, value)| params.add(name, &array![value]));
        // w sg(w³) + sg(z) z²: the slopes are sg(w³) and 2 sg(z) z
        let h = hessian(&params, |tape| {
            let [w, z] = [w, z].map(|id| tape.param(id).sum());
            w * w.powf(3.0).detach() + z.detach() * z.square()
        });
        assert_eq!(h, array![[0.0, 0.0], [0.0, 10.0]]);
        // detached twice, through other operations, and used again behind it
        let direction = params.map(|_| 1.0);
        let at = hessian_vector_product(&params, &direction, |tape| {
            let w = tape.param(w).sum();
            let fixed = (w.detach().exp() * w).detach();
            (fixed * w).square() + fixed + tape.param(z).detach().requires_grad().sum()
        });
        let fixed = 2f64.exp() * 2.0;
        assert_eq!(at.gradient.as_slice()[0], 2.0 * fixed * 2.0 * fixed);
        assert_eq!((at.product.as_slice()[0], at.slope), (2.0 * fixed * fixed, 2.0 * fixed * 2.0 * fixed));
        let check = crate::gradient_agreement(&params, |tape| {
            (tape.param(w) * tape.param(w).detach() + tape.param(z)).sum()
        });
        assert_eq!(check.unwrap_err().input, "w");
    }

    #[test]
    fn frozen_parameters_are_constants_whatever_the_direction_says() {
        let mut params = Params::<f64>::default();
        let [w, z] = [("w", 2.0), ("z", 5.0)].map(|(name, value)| params.add(name, &array![value]));
        params.freeze(z);
        let mut direction = params.map(|_| 1.0);
        let at = hessian_vector_product(&params, &direction, |tape| {
            (tape.param(w).square() * tape.param(z)).sum()
        });
        assert_eq!((at.slope, at.product.as_slice()), (20.0, &[10.0, 0.0][..]));
        let bend = |direction: &Params<f64>| {
            curvature_along(&params, direction, |tape| (tape.param(w).square() * tape.param(z)).sum())
        };
        assert_eq!(bend(&direction), 10.0);
        direction[w][0] = 0.0;
        expect_test::expect![
            "curvature_along: the direction is 0 on every trainable parameter: it needs a length"
        ]
        .assert_eq(&crate::ops::complaint(|| bend(&direction)));
    }

    #[test]
    fn entries_stand_in_the_order_of_the_parameters_and_frozen_ones_are_0() {
        let (a, b, c) = (0.7, -0.4, 1.5);
        let mut params = Params::<f64>::default();
        let [x, y, z] = [("x", a), ("y", b), ("z", c)].map(|(name, value)| params.add(name, &array![value]));
        let f = |params: &Params<f64>| {
            hessian(params, |tape| {
                let [x, y, z] = [x, y, z].map(|id| tape.param(id).sum());
                x.square() * z + (y * z).exp()
            })
        };
        let e = (b * c).exp();
        let expected = array![
            [2.0 * c, 0.0, 2.0 * a],
            [0.0, c * c * e, (1.0 + b * c) * e],
            [2.0 * a, (1.0 + b * c) * e, b * b * e],
        ];
        let close = |h: Array2<f64>, expected: &Array2<f64>| {
            assert!((h.clone() - expected).iter().all(|d| d.abs() < 1e-15), "{h}\nis not\n{expected}");
        };
        close(f(&params), &expected);
        params.freeze(z);
        close(f(&params), &array![[2.0 * c, 0.0, 0.0], [0.0, c * c * e, 0.0], [0.0, 0.0, 0.0]]);
    }
}
