//! How a loss bends: its matrix of second derivatives.

use surprisal_tensor::ndarray::Array2;
use surprisal_tensor::{Dual, Params, Tape, Var, hessian_vector_product};

/// The Hessian of a function at `params`: `H_ij = ∂²f / ∂θ_i ∂θ_j`, in the order of [`Params::as_slice`].
///
/// One Hessian-vector product for each parameter gives one row, exact to rounding; the two halves, which differ in their last
/// digits, are averaged. Rows and columns of frozen parameters are 0.
///
/// ```
/// use surprisal_lab::curvature::hessian;
/// use surprisal_tensor::{Params, ndarray::array};
///
/// let mut params = Params::<f64>::new();
/// let w = params.add("w", &array![1.0, 2.0]);
/// let h = hessian(&params, |tape| tape.param(w).square().sum().square()); // (w0² + w1²)²
/// assert_eq!(h, array![[28.0, 16.0], [16.0, 52.0]]);
/// ```
#[track_caller]
pub fn hessian(
    params: &Params<f64>,
    f: impl for<'t> Fn(&'t Tape<'t, Dual<f64>>) -> Var<'t, Dual<f64>>,
) -> Array2<f64> {
    let n = params.as_slice().len();
    let (mut h, mut direction) = (Array2::zeros((n, n)), params.map(|_| 0.0));
    for i in params.trainable_spans().flatten() {
        direction.as_mut_slice()[i] = 1.0;
        let at = hessian_vector_product(params, &direction, &f);
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
    use surprisal_tensor::ndarray::array;

    #[test]
    fn entries_stand_in_the_order_of_the_parameters_and_frozen_ones_are_0() {
        let (a, b, c) = (0.7, -0.4, 1.5);
        let mut params = Params::<f64>::new();
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
