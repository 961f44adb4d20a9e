//! [`clip_grad_norm`] and [`clip_grad_value`]: gradients that are too large, cut to size before a step.

use surprisal_formula_macro::math;
use surprisal_tensor::sum::sum_filled;
use surprisal_tensor::{Gradients, Scalar, kernel};

use crate::error::or_panic;
use crate::{Hyperparameter, OptimError};

/// Shortens a gradient that is longer than `max_norm` to that length, and keeps its direction. Gives the length before.
///
#[doc = math!("g ← g min(1, c / (‖g‖ + 1e-6))")]
///
/// with c for `max_norm` and the length over all parameters together; what is frozen, or was not reached, has gradient 0.
/// The length is computed in `f64`, and no square overflows or underflows.
/// A length that is infinite or NaN is given back and nothing is changed: no factor would make such a gradient right, and what
/// looks for the trouble should find it.
///
/// Sources: Pascanu, Mikolov and Bengio (2013), "On the difficulty of training recurrent neural networks", algorithm 1; with the
/// 1e-6 of PyTorch's `clip_grad_norm_`.
///
/// ```
/// use surprisal_optim::clip_grad_norm;
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![30.0, 40.0]);
/// let mut workspace = Workspace::new();
/// workspace.grad(&params, |tape| 0.5 * tape.param(w).square().sum());
/// assert_eq!(clip_grad_norm(workspace.grads_mut(), 1.0), 50.0);
/// assert!((workspace.grads()[w][0] - 0.6).abs() < 1e-7 && (workspace.grads()[w][1] - 0.8).abs() < 1e-7);
/// ```
///
/// # Panics
/// If `max_norm` is not a finite number above 0.
#[track_caller]
pub fn clip_grad_norm<T: Scalar>(grads: &mut Gradients<T>, max_norm: f64) -> f64 {
    let max_norm = or_panic(Hyperparameter::MaxNorm.check(max_norm));
    let squares = sum_of_squares(grads.as_slice());
    // else a square may have overflowed, or lost its digits
    let norm = if (1e-280..=f64::MAX).contains(&squares) { squares.sqrt() } else { grads.norm() };
    shorten(norm, max_norm, grads.as_mut_slice());
    norm
}

/// [`clip_grad_norm`] of the parameters that a pattern means, such as a scope's name; the others keep their gradient.
///
/// ```
/// use surprisal_optim::clip_grad_norm_named;
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let mut params = Params::<f64>::default();
/// let [c, g] = ["critic", "generator"].map(|net| params.scope(net).add("weight", &array![30.0, 40.0]));
/// let mut workspace = Workspace::new();
/// workspace.grad(&params, |tape| 0.5 * (tape.param(c).square().sum() + tape.param(g).square().sum()));
/// assert_eq!(clip_grad_norm_named(workspace.grads_mut(), "critic", 1.0), 50.0);
/// assert!((workspace.grads()[c][0] - 0.6).abs() < 1e-7);
/// assert_eq!(workspace.grads()[g], [30.0, 40.0]);
/// ```
///
/// # Panics
/// If `max_norm` is not a finite number above 0, or if the pattern means no parameter.
#[track_caller]
pub fn clip_grad_norm_named<T: Scalar>(grads: &mut Gradients<T>, pattern: &str, max_norm: f64) -> f64 {
    let max_norm = or_panic(Hyperparameter::MaxNorm.check(max_norm));
    let ids = or_panic(grads.matching(pattern).map_err(OptimError::from));
    let norm = or_panic(grads.norm_named(pattern).map_err(OptimError::from));
    for id in ids {
        shorten(norm, max_norm, &mut grads[id]);
    }
    norm
}

fn shorten<T: Scalar>(norm: f64, max_norm: f64, g: &mut [T]) {
    let factor = max_norm / (norm + 1e-6);
    if factor < 1.0 && norm.is_finite() {
        // one that would be subnormal, and lose digits, in two steps
        let half_way = max_norm.sqrt() / (norm + 1e-6).sqrt();
        let (first, second) = if factor > T::MIN_POSITIVE { (factor, 1.0) } else { (half_way, half_way) };
        let [first, second] = [first, second].map(T::of);
        g.iter_mut().for_each(|g| *g = *g * first * second);
    }
}

kernel! {
    /// In `f64`, which holds the squares of `f32` exactly.
    fn sum_of_squares<T: Scalar>(g: &[T]) -> f64 {
        sum_filled(g.len(), |range, squares: &mut [f64]| {
            for (square, g) in squares.iter_mut().zip(&g[range]) {
                *square = g.value() * g.value();
            }
        })
    }
}

/// Moves every number of a gradient that is beyond `limit`, on either side, to it. The direction changes.
///
#[doc = math!("g ← min(c, max(-c, g))")]
///
/// with c for `limit`. Infinite numbers become the limit, NaN stays; as of PyTorch's `clip_grad_value_`.
///
/// ```
/// use surprisal_optim::clip_grad_value;
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![3.0, -0.5, -4.0]);
/// let mut workspace = Workspace::new();
/// workspace.grad(&params, |tape| 0.5 * tape.param(w).square().sum());
/// clip_grad_value(workspace.grads_mut(), 1.0);
/// assert_eq!(workspace.grads()[w], [1.0, -0.5, -1.0]);
/// ```
///
/// # Panics
/// If `limit` is not a finite number above 0, also when rounded to `T`.
#[track_caller]
pub fn clip_grad_value<T: Scalar>(grads: &mut Gradients<T>, limit: f64) {
    let limit = T::of(or_panic(Hyperparameter::MaxValue.check_in::<T>(limit)));
    limit_each(grads.as_mut_slice(), limit);
}

/// [`clip_grad_value`] of the parameters that a pattern means, such as a scope's name; the others keep their gradient.
///
/// ```
/// use surprisal_optim::clip_grad_value_named;
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let mut params = Params::<f64>::default();
/// let [c, g] = ["critic", "generator"].map(|net| params.scope(net).add("weight", &array![3.0, -0.5]));
/// let mut workspace = Workspace::new();
/// workspace.grad(&params, |tape| 0.5 * (tape.param(c).square().sum() + tape.param(g).square().sum()));
/// clip_grad_value_named(workspace.grads_mut(), "critic", 1.0);
/// assert_eq!((&workspace.grads()[c], &workspace.grads()[g]), (&[1.0, -0.5][..], &[3.0, -0.5][..]));
/// ```
///
/// # Panics
/// If `limit` is not a finite number above 0, also when rounded to `T`, or if the pattern means no parameter.
#[track_caller]
pub fn clip_grad_value_named<T: Scalar>(grads: &mut Gradients<T>, pattern: &str, limit: f64) {
    let limit = T::of(or_panic(Hyperparameter::MaxValue.check_in::<T>(limit)));
    for id in or_panic(grads.matching(pattern).map_err(OptimError::from)) {
        limit_each(&mut grads[id], limit);
    }
}

fn limit_each<T: Scalar>(g: &mut [T], limit: T) {
    for g in g {
        *g = if *g > limit {
            limit
        } else if *g < -limit {
            -limit
        } else {
            *g
        };
    }
}
