//! Rows compared by their Euclidean distance, in a form that neither overflows nor underflows nor cancels.
//!
//! The squares of a distance above 1.8e19 overflow in `f32`, and those of one below 1e-19 lose their digits; its length and
//! its direction are ordinary numbers. [`Distance::plain`] squares all the same, and tells whether that went well; where it
//! did not, or where what comes of it cancels, [`Distance::careful`] scales by powers of two, which is exact, and sums the
//! squares in twice the precision.

use surprisal_tensor::ops::softmax::difference;
use surprisal_tensor::sum::sum_filled;
use surprisal_tensor::{Scalar, Shape, ShapeError, Shapes, kernel};

use crate::kinds::labels::rows_and_classes;
use crate::kinds::pointwise::not_empty;

/// D = ‖x - y + ε‖ = (length + rest) / (down · scale).
#[derive(Clone, Copy)]
pub(crate) struct Distance<T> {
    down: T,  // 1, or 1/4 where x - y would overflow
    scale: T, // a power of two
    pub length: T,
    rest: T, // what rounding took from the length
}

impl<T: Scalar> Distance<T> {
    /// With this in the place of a distance, "e / D" is e itself.
    pub const ONE: Self = Distance { down: T::ONE, scale: T::ONE, length: T::ONE, rest: T::ZERO };

    /// In plain squares.
    #[inline(always)]
    pub fn plain(x: &[T], y: &[T], eps: T) -> Self {
        let squares = sum_filled(x.len(), |range, squares| {
            for ((square, &x), &y) in squares.iter_mut().zip(&x[range.clone()]).zip(&y[range]) {
                let e = x - y + eps;
                *square = e * e;
            }
        });
        Distance { length: squares.sqrt(), ..Self::ONE }
    }

    /// Whether the squares of [`plain`](Self::plain) were in range.
    #[inline(always)]
    pub fn is_safe(&self) -> bool {
        self.length > T::of(1e-12) && self.length.is_finite()
    }

    /// Scaled, and in twice the precision.
    #[cold]
    pub fn careful(x: &[T], y: &[T], eps: T) -> Self {
        let largest = |d: Self| {
            let sizes = x.iter().zip(y).map(|(&x, &y)| d.component(x, y, eps).value().abs());
            sizes.fold(0.0, |a: f64, b| if a > b || a.is_nan() { a } else { b }) // NaN stays
        };
        let mut d = Self::ONE;
        let mut size = largest(d);
        if size == f64::INFINITY {
            d.down = T::of(0.25);
            size = largest(d);
        }
        if !size.is_finite() || size == 0.0 {
            return Distance { length: T::of(size), ..Self::ONE };
        }
        d.scale = scale_for(size);
        let (mut sum, mut rest) = (T::ZERO, T::ZERO);
        for (&x, &y) in x.iter().zip(y) {
            let (e, lost) = difference(x * d.down, y * d.down);
            let (e, lost_too) = difference(e, -(eps * d.down));
            let (e, lost) = (e * d.scale, (lost + lost_too) * d.scale);
            let square = e * e;
            let (next, lost_in_sum) = difference(sum, -square);
            rest += T::mul_add::<true>(e, e, -square) + (e + e) * lost + lost_in_sum;
            sum = next;
        }
        d.length = sum.sqrt();
        d.rest = (T::mul_add::<true>(-d.length, d.length, sum) + rest) / (d.length + d.length);
        d
    }

    /// 1 where nothing was scaled.
    #[inline(always)]
    pub fn unit(&self) -> T {
        self.down * self.scale
    }

    /// Length and rest of the distance in other units, a power of two.
    #[inline(always)]
    pub fn times(&self, unit: T) -> (T, T) {
        let factor = unit / self.unit();
        (self.length * factor, self.rest * factor)
    }

    /// e = x - y + ε in the units of the length.
    #[inline(always)]
    pub fn component(&self, x: T, y: T, eps: T) -> T {
        ((x * self.down - y * self.down) + eps * self.down) * self.scale
    }

    /// x / D; 0 where D is.
    #[inline(always)]
    pub fn divide(&self, x: T) -> T {
        if self.length == T::ZERO { T::ZERO } else { x / self.length * self.unit() }
    }

    /// Keeps the distance and its `slope`, dl/dD, in [`MEMO`] numbers.
    #[inline(always)]
    pub fn keep(&self, slope: T, memo: &mut [T]) {
        memo.copy_from_slice(&[self.down, self.scale, self.length, slope]);
    }

    /// What was kept.
    #[inline(always)]
    pub fn kept(memo: &[T]) -> (Self, T) {
        (Distance { down: memo[0], scale: memo[1], length: memo[2], rest: T::ZERO }, memo[3])
    }

    /// d += `slope` (x - y + ε) / D, where D is not 0.
    #[inline(always)]
    pub fn add_direction(&self, slope: T, x: &[T], y: &[T], eps: T, d: &mut [T]) {
        if slope == T::ZERO || self.length == T::ZERO {
            return;
        }
        // a large slope meets a small scale before a component of the row does, which might underflow
        let (mut e, mut slope) = (*self, slope);
        if slope.abs() > T::ONE && e.scale < T::ONE {
            (e.scale, slope) = (T::ONE, slope * e.scale);
        }
        for ((d, &x), &y) in d.iter_mut().zip(x).zip(y) {
            *d += e.component(x, y, eps) / e.length * slope;
        }
    }
}

/// A power of two by which `size`, finite and not 0, becomes a number near 1, or at least one whose square keeps its digits.
pub(crate) fn scale_for<T: Scalar>(size: f64) -> T {
    const EXPONENT: u64 = 0x7ff0_0000_0000_0000;
    let scale = T::of(1.0 / f64::from_bits(size.to_bits() & EXPONENT).max(f64::MIN_POSITIVE));
    if scale.is_finite() { scale } else { T::of(2f64.powi(126)) } // of a subnormal f32
}

/// A difference of distances that is smaller than they are by this factor is worth the care.
pub(crate) const CANCELS: f64 = 256.0;

/// How many numbers a distance and its slope take.
pub(crate) const MEMO: usize = 4;

kernel! {
    /// d += `factor` dy dl/dD (x - y + ε) / D for every row. A row's memo starts `first` after a multiple of `stride`.
    pub(crate) fn add_slopes<T: Scalar>(x: &[T], y: &[T], eps: T, memo: &[T], stride: usize, first: usize, factor: T, dy: &[T], d: &mut [T]) {
        let width = x.len() / (memo.len() / stride);
        let each = x.chunks_exact(width).zip(y.chunks_exact(width)).zip(d.chunks_exact_mut(width));
        for (i, ((x, y), d)) in each.enumerate() {
            let (distance, slope) = Distance::kept(&memo[i * stride + first..]);
            distance.add_direction(factor * slope * if dy.len() == 1 { dy[0] } else { dy[i] }, x, y, eps, d);
        }
    }
}

/// The shape of the single losses, if the first inputs, called by `names`, all are `[rows, numbers]`, or all `[numbers]`.
pub(crate) fn same_rows(inputs: Shapes, names: &[&str]) -> Result<Shape, ShapeError> {
    let shape = inputs.shape(0);
    if !matches!(shape.rank(), 1 | 2) {
        let name = names[0];
        return Err(ShapeError::new(format!("{name} is {shape}: it must be [rows, numbers] or [numbers]")));
    }
    for (k, name) in names.iter().enumerate() {
        if inputs.shape(k) != shape {
            let (first, other) = (names[0], inputs.shape(k));
            return Err(ShapeError::new(format!(
                "{first} is {shape}, {name} is {other}: they must have the same shape"
            )));
        }
    }
    not_empty(shape)?;
    Ok(if shape.rank() == 1 { Shape::SCALAR } else { Shape::from([rows_and_classes(shape).0]) })
}
