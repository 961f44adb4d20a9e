//! Parameters in another number type, by a function of each number, and their length.

use super::{NoSuchParameter, Params};
use crate::{Buf, Dual, Scalar};

impl<T: Scalar> Params<T> {
    /// The same parameters in another number type.
    ///
    /// ```
    /// use surprisal_tensor::{Params, ndarray::array};
    /// let mut params = Params::new();
    /// let w = params.add("w", &array![0.1f32]);
    /// assert_eq!(params.cast::<f64>()[w], [f64::from(0.1f32)]); // exactly; back to f32 it is rounded
    /// ```
    pub fn cast<U: Scalar>(&self) -> Params<U> {
        self.map(|v| U::of(v.value()))
    }
    /// theta + direction ε, to run a model on: see [`Dual`].
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let w = params.add("w", &array![1.0, 2.0]);
    /// let direction = params.map(|_| 1.0);
    /// let f = Workspace::new().eval(&params.along(&direction), |tape| tape.param(w).square().sum());
    /// assert_eq!((f[[]].value, f[[]].tangent), (5.0, 6.0)); // w² and its slope along (1, 1): 2 w0 + 2 w1
    /// ```
    ///
    /// # Panics
    /// If the layouts differ.
    #[track_caller]
    pub fn along(&self, direction: &Params<T>) -> Params<Dual> {
        self.expect_direction(direction);
        let values = self.values.iter().zip(direction.as_slice());
        self.with_values(Buf::collect(
            0,
            values.map(|(&value, &tangent)| Dual { value: value.value(), tangent: tangent.value() }),
        ))
    }
    #[track_caller]
    pub(crate) fn expect_direction(&self, direction: &Params<T>) {
        assert!(self.same_layout(direction), "a direction has the layout of the parameters it starts from");
    }
    /// The same layout, other numbers.
    ///
    /// ```
    /// use surprisal_tensor::{Params, ndarray::array};
    /// let mut params = Params::new();
    /// let w = params.add("w", &array![3.0, -4.0]);
    /// assert_eq!(params.map(|w| w / 2.0)[w], [1.5, -2.0]);
    /// let momentum = params.map(|_| 0.0); // an optimizer's memory
    /// assert!(momentum.same_layout(&params));
    /// ```
    pub fn map<U: Scalar>(&self, f: impl Fn(T) -> U) -> Params<U> {
        self.with_values(Buf::collect(0, self.values.iter().map(|&v| f(v))))
    }
    /// The Euclidean length of the whole vector.
    ///
    /// ```
    /// use surprisal_tensor::{Params, ndarray::array};
    /// let mut params = Params::new();
    /// params.add("w", &array![3.0]);
    /// params.add("b", &array![4.0]);
    /// assert_eq!(params.norm(), 5.0);
    /// ```
    pub fn norm(&self) -> f64 {
        norm(self.values.iter())
    }
    /// The Euclidean length of the parameters that a pattern means; of a gradient, that of a part of a model.
    ///
    /// ```
    /// use surprisal_tensor::{Params, ndarray::array};
    /// let mut params = Params::<f32>::new();
    /// ["critic.w", "critic.b", "generator.w"].map(|name| params.add(name, &array![3.0, 4.0]));
    /// assert_eq!(params.norm_named("critic")?, 50f64.sqrt());
    /// # Ok::<(), surprisal_tensor::NoSuchParameter>(())
    /// ```
    ///
    /// # Errors
    /// If it matches none.
    pub fn norm_named(&self, pattern: &str) -> Result<f64, NoSuchParameter> {
        let ids = self.matching(pattern)?;
        Ok(norm(ids.iter().flat_map(|&id| &self[id])))
    }
}

impl Params<Dual> {
    /// The ε parts: of a gradient, the Hessian-vector product.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let w = params.add("w", &array![1.0, 2.0]);
    /// let point = params.along(&params.map(|_| 1.0));
    /// let mut workspace = Workspace::new();
    /// let (_, grads) = workspace.grad(&point, |tape| tape.param(w).powf(3.0).sum());
    /// assert_eq!(grads.primals()[w], [3.0, 12.0]); // 3 w²
    /// assert_eq!(grads.tangents()[w], [6.0, 12.0]); // 6 w, the Hessian times (1, 1)
    /// ```
    pub fn tangents(&self) -> Params<f64> {
        self.map(|v| v.tangent)
    }
    /// The values without their ε parts.
    ///
    /// See the example of [`tangents`](Self::tangents).
    pub fn primals(&self) -> Params<f64> {
        self.map(|v| v.value)
    }
}

/// The Euclidean length, in `f64`. Where the squares would overflow or lose digits, the numbers are divided by the largest first.
fn norm<'a, T: Scalar>(values: impl Iterator<Item = &'a T> + Clone) -> f64 {
    let sum_of_squares =
        |scale: f64| values.clone().map(|v| (v.value() / scale) * (v.value() / scale)).sum::<f64>();
    let squares = sum_of_squares(1.0);
    if (1e-280..=f64::MAX).contains(&squares) {
        return squares.sqrt();
    }
    let largest = values.clone().fold(0.0, |largest: f64, v| {
        let size = v.value().abs();
        if size > largest || size.is_nan() { size } else { largest }
    });
    if largest == 0.0 || !largest.is_finite() { largest } else { largest * sum_of_squares(largest).sqrt() }
}

#[cfg(test)]
mod tests {
    fn norm<const N: usize>(values: &[f64; N]) -> f64 {
        super::norm(values.iter())
    }

    #[test]
    fn lengths_neither_overflow_nor_underflow() {
        for scale in [1.0, 1e200, 5e-324, 1e-170, 1e307] {
            let exact = 5.0 * scale;
            assert!((norm(&[3.0 * scale, -4.0 * scale]) - exact).abs() <= 1e-15 * exact, "{scale:e}");
        }
        assert_eq!(norm(&[]), 0.0);
        assert_eq!(norm(&[0.0, -0.0]), 0.0);
        assert_eq!(norm(&[1.0, f64::NEG_INFINITY]), f64::INFINITY);
        for nan in [[f64::NAN, 1e200], [1e200, f64::NAN], [f64::NAN, f64::INFINITY]] {
            assert!(norm(&nan).is_nan(), "{nan:?}");
        }
    }
}
