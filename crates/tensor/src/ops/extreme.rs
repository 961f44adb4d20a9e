//! The largest and the smallest of a row.

use super::rows::{RowFunction, fold, larger, reductions};
use crate::Scalar;
use crate::op::Card;

/// The largest number; equal largest numbers share the gradient.
#[derive(Clone, Copy, Debug, Default)]
pub struct Max;

/// The smallest number; equal smallest numbers share the gradient.
#[derive(Clone, Copy, Debug, Default)]
pub struct Min;

/// Every x that equals y gets the same share of dy.
#[inline(always)]
fn shared<T: Scalar>(x: &[T], y: T, dy: T, dx: &mut [T]) {
    let equal = x.iter().filter(|&&x| x == y).count();
    let share = dy / T::of(equal as f64);
    for (dx, &x) in dx.iter_mut().zip(x) {
        *dx = if x == y { share } else { T::ZERO };
    }
}

impl RowFunction for Max {
    const CARD: Card = Card {
        name: "max",
        inputs: "x",
        forward: "max x",
        backward: "dy / k for each of the k largest x, else 0",
        story: "Only the winner counts, so only the winner learns; equal winners share.",
    };
    #[inline(always)]
    fn f<T: Scalar>(&self, x: &[T]) -> T {
        fold(x, larger)
    }
    #[inline(always)]
    fn df<T: Scalar>(&self, x: &[T], y: T, dy: T, dx: &mut [T]) {
        shared(x, y, dy, dx);
    }
}

impl RowFunction for Min {
    const CARD: Card = Card {
        name: "min",
        inputs: "x",
        forward: "min x",
        backward: "dy / k for each of the k smallest x, else 0",
        story: "Only the smallest counts, so only it learns; equals share.",
    };
    #[inline(always)]
    fn f<T: Scalar>(&self, x: &[T]) -> T {
        fold(x, |a, b| -larger(-a, -b))
    }
    #[inline(always)]
    fn df<T: Scalar>(&self, x: &[T], y: T, dy: T, dx: &mut [T]) {
        shared(x, y, dy, dx);
    }
}

reductions! {
    /// The largest number; equal largest numbers share the gradient. NaN if a number is.
    max, max_axis, max_axes, Max, [4.0, 8.0];
    /// The smallest number; equal smallest numbers share the gradient. NaN if a number is.
    min, min_axis, min_axes, Min, [3.0, 6.0];
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, ArrayD, array};

    use crate::ops::at;

    fn list<T: Clone>(x: &[T]) -> ArrayD<T> {
        Array1::from(x.to_vec()).into_dyn()
    }

    #[test]
    fn equal_winners_share_the_gradient() {
        assert_eq!(at(&array![1.0, 3.0, 3.0, -2.0], |x| x.max()).1, list(&[0.0, 0.5, 0.5, 0.0]));
        assert_eq!(at(&array![5.0, 5.0, 5.0, 5.0], |x| x.min()).1, list(&[0.25; 4]));
        let x = array![[1.0, 4.0], [3.0, 4.0]];
        assert_eq!(at(&x, |x| x.max_axis(0)).0, list(&[3.0, 4.0]));
        assert_eq!(at(&x, |x| x.max_axis(0)).1, array![[0.0, 0.5], [1.0, 0.5]].into_dyn());
        assert_eq!(at(&x, |x| x.min_axis(-1)).0, list(&[1.0, 3.0]));
    }

    #[test]
    fn the_extremes_are_found_wherever_they_stand_and_nan_is_not_lost() {
        for n in [1, 15, 16, 17, 33, 100] {
            for place in 0..n {
                let mut x = Array1::from_shape_fn(n, |i| (i as f32 * 0.37).sin());
                x[place] = 7.0;
                assert_eq!(at(&x, |x| x.max()).0.sum(), 7.0);
                x[place] = -7.0;
                assert_eq!(at(&x, |x| x.min()).0.sum(), -7.0);
                x[place] = f32::NAN;
                for y in [
                    at(&x, |x| x.max()),
                    at(&x, |x| x.min()),
                    at(&x, |x| x.norm()),
                    at(&x, |x| x.logsumexp()),
                ] {
                    assert!(y.0.sum().is_nan(), "{n} {place}");
                }
            }
        }
    }
}
