//! A row of numbers in, one number out: over everything, or along an axis.

use surprisal_formula_macro::math;

use super::axis::{along, parts, reduced, rows};
use super::by_name::{self, Signature};
use crate::op::{Backward, Card, Forward, Op, Shapes};
use crate::sum::{sum_filled, sum_of};
use crate::threads::{HEAVY, Rows, for_each, rows_of};
use crate::{Scalar, Shape, ShapeError, Var};

/// A function of a row of numbers and its derivative; [`Reduce`] makes an operation of it.
///
/// ```
/// use surprisal_tensor::{Card, Scalar, check_gradient, ndarray::array, ops::rows::RowFunction};
///
/// #[derive(Clone, Copy)]
/// struct Harmonic; // n / Σ 1/x
/// impl RowFunction for Harmonic {
///     const CARD: Card = Card { name: "harmonic", inputs: "x", forward: "n / Σ 1/x", backward: "y² / (n x²) dy", story: "" };
///     fn f<T: Scalar>(&self, x: &[T]) -> T {
///         let n = T::of(x.len() as f64);
///         n / x.iter().fold(T::ZERO, |sum, &x| sum + T::ONE / x)
///     }
///     fn df<T: Scalar>(&self, x: &[T], y: T, dy: T, dx: &mut [T]) {
///         let n = T::of(x.len() as f64);
///         for (dx, &x) in dx.iter_mut().zip(x) {
///             *dx = (y / x) * (y / x) / n * dy;
///         }
///     }
/// }
/// check_gradient(&[array![[0.3, 2.0], [1.0, 5.0]].into_dyn()], |_, x| x[0].reduce(Harmonic, Some(0)));
/// ```
pub trait RowFunction: Copy + Send + Sync + 'static {
    /// The card of the function.
    const CARD: Card;
    /// The fewest numbers for which it has a value.
    fn least(&self) -> usize {
        1
    }
    /// y = f(x)
    fn f<T: Scalar>(&self, x: &[T]) -> T;
    /// Writes dx, the gradient of every x, from x, y = f(x) and the gradient dy.
    fn df<T: Scalar>(&self, x: &[T], y: T, dy: T, dx: &mut [T]);
}

/// The operation that applies a [`RowFunction`] to everything, or along an axis, which disappears.
#[derive(Clone, Copy, Debug)]
pub struct Reduce<F> {
    /// The function.
    pub function: F,
    /// The axis, from the front (0, 1, ..) or the back (-1, ..); `None` takes everything as one row.
    pub axis: Option<isize>,
}

crate::kernel! {
    fn reduce<T: Scalar, F: RowFunction>(f: F, x: &[T], n: usize, y: &mut [T]) {
        for (i, y) in y.iter_mut().enumerate() { *y = f.f(&x[i * n..(i + 1) * n]) }
    }
}
crate::kernel! {
    fn reduce_back<T: Scalar, F: RowFunction>(f: F, x: &[T], n: usize, y: &[T], dy: &[T], dx: &mut [T]) {
        for (i, (&y, &dy)) in y.iter().zip(dy).enumerate() {
            let row = i * n..(i + 1) * n;
            f.df(&x[row.clone()], y, dy, &mut dx[row]);
        }
    }
}

/// How a function without settings is called by its name.
pub(super) const fn reduction<F: RowFunction + Default>() -> Signature {
    Signature {
        inputs: by_name::X,
        settings: &[by_name::ANY_AXIS],
        run: |given| given.record(Reduce { function: F::default(), axis: given.find_axis() }),
    }
}

/// The shape without the axis, or without any, if the rows have enough numbers.
pub(super) fn shape_of_rows(shape: &Shape, axis: Option<isize>, least: usize) -> Result<Shape, ShapeError> {
    let (_, n, _) = parts(shape, axis)?;
    if n >= least {
        return reduced(shape, axis);
    }
    let place = axis.map_or(String::new(), |axis| format!(" along axis {axis}"));
    let found = if n == 1 { "one number".to_string() } else { format!("{n} numbers") };
    let error = ShapeError::new(format!("{shape} has {found}{place}, at least {least} are needed"));
    Err(if n == 0 { error.hint("is the batch empty?") } else { error })
}

impl<F: RowFunction> Op for Reduce<F> {
    fn card(&self) -> Card {
        F::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        shape_of_rows(inputs.shape(0), self.axis, self.function.least())
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let Ok(parts) = parts(f.inputs.shape(0), self.axis) else { return };
        let (n, x) = (parts.1, rows(parts, f.inputs.x(0), &mut f.room.scratch));
        for_each((&mut *f.y, Rows(x, n)), rows_of(HEAVY, n), |_, (y, x)| reduce(self.function, x.0, n, y));
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let Ok(parts) = parts(b.inputs.shape(0), self.axis) else { return };
        let (x, y, dy) = (b.x(0), b.y, b.dy);
        if let Some(dx) = b.dx(0) {
            dx.add_filled(|dx, room| {
                along(parts, [x], dx, &mut room.scratch, |[x], dx| {
                    let n = parts.1;
                    for_each((y, dy, Rows(x, n), Rows(dx, n)), rows_of(HEAVY, n), |_, (y, dy, x, dx)| {
                        reduce_back(self.function, x.0, n, y, dy, dx.0);
                    });
                });
            });
        }
    }
}

impl<'t> Var<'t> {
    /// Applies a function of a row of numbers to everything, or along an axis, which disappears.
    ///
    /// [`RowFunction`] shows a function of one's own.
    ///
    /// ```
    /// use surprisal_tensor::ops::rows::Norm;
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[3.0, 4.0], [6.0, 8.0]]);
    /// assert_eq!(x.reduce(Norm, Some(1)).value(), array![5.0, 10.0].into_dyn());
    /// assert_eq!(x.reduce(Norm, None).item(), 125f64.sqrt());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis, or too few numbers.
    #[track_caller]
    pub fn reduce<F: RowFunction>(self, function: F, axis: Option<isize>) -> Var<'t> {
        self.tape().apply(Reduce { function, axis }, [self])
    }
}

/// The methods of a function of a row: of everything, and along an axis. Its values of [3, 4] and [6, 8] are for the examples.
macro_rules! reductions {
    ($($(#[doc = $doc:literal])+ $all:ident, $along:ident, $axes:ident, $function:expr, [$first:expr, $second:expr];)+) => {
        impl<'t> $crate::Var<'t> { $(
            $(#[doc = $doc])+
            ///
            /// ```
            /// # use surprisal_tensor::{Params, Workspace, check_gradient, ndarray::array};
            /// let x = array![3.0, 4.0].into_dyn();
            #[doc = concat!(
                "let y = Workspace::new().eval(&Params::<f64>::default(), |tape| tape.input(&x).",
                stringify!($all), "());"
            )]
            #[doc = concat!("assert_eq!(y[[]], ", stringify!($first), ");")]
            #[doc = concat!("check_gradient(&[x], |_, x| x[0].", stringify!($all), "());")]
            /// ```
            ///
            /// # Panics
            /// At the caller's line, if there are too few numbers.
            #[track_caller]
            pub fn $all(self) -> $crate::Var<'t> { self.reduce($function, None) }

            #[doc = concat!("[`", stringify!($all), "`](Self::", stringify!($all), ") along one axis, which disappears.")]
            /// Negative axes count from the back.
            ///
            /// ```
            /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
            /// let x = array![[3.0, 4.0], [6.0, 8.0]];
            #[doc = concat!(
                "let y = Workspace::new().eval(&Params::<f64>::default(), |tape| tape.input(&x).",
                stringify!($along), "(-1));"
            )]
            #[doc = concat!("assert_eq!(y, array![", stringify!($first), ", ", stringify!($second), "].into_dyn());")]
            /// ```
            ///
            /// # Panics
            /// At the caller's line, if there is no such axis, or too few numbers along it.
            #[track_caller]
            pub fn $along(self, axis: isize) -> $crate::Var<'t> { self.reduce($function, Some(axis)) }

            #[doc = concat!("[`", stringify!($all), "`](Self::", stringify!($all), ") along several axes, which disappear: see [`merge_axes`](Self::merge_axes).")]
            ///
            /// # Panics
            /// At the caller's line, if there is no such axis, one is named twice, or there are too few numbers along them.
            #[track_caller]
            pub fn $axes(self, axes: &[isize]) -> $crate::Var<'t> { self.merge_axes(axes).$along(-1) }
        )+ }
    };
}
pub(super) use reductions;

/// The product of all numbers.
///
#[doc = math!("y = Π x")]
#[doc = math!("dx_i = dy Π_{j≠i} x_j")]
///
/// The product of the others comes from those before and those behind: nothing is divided, so zeros do no harm. Factors are
/// multiplied in their order, as in PyTorch: of `[1e-200, 1e-200, 1e200, 1e200]` the product is 0, because the first two underflow, and
/// of `[1e200, 1e200, 1e-200, 1e-200]` it is infinite. For many factors of one sign sum their logarithms.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prod;

impl RowFunction for Prod {
    const CARD: Card = Card {
        name: "prod",
        inputs: "x",
        forward: "Π x",
        backward: "dy Π_{j≠i} x_j",
        story: "Each factor's gradient is the product of the others.",
    };
    fn least(&self) -> usize {
        0
    }
    #[inline(always)]
    fn f<T: Scalar>(&self, x: &[T]) -> T {
        x.iter().fold(T::ONE, |y, &x| y * x)
    }
    #[inline(always)]
    fn df<T: Scalar>(&self, x: &[T], _y: T, dy: T, dx: &mut [T]) {
        let mut before = T::ONE;
        for (dx, &x) in dx.iter_mut().zip(x) {
            *dx = before;
            before *= x;
        }
        let mut after = dy;
        for (dx, &x) in dx.iter_mut().zip(x).rev() {
            *dx *= after;
            after *= x;
        }
    }
}

/// The mean square of the distances from the mean, whose denominator is n less a correction.
///
#[doc = math!("y = Σ (x - mean)² / (n - correction)")]
#[doc = math!("dx = 2 (x - mean) / (n - correction) dy")]
///
/// With correction 1 it is the unbiased estimate from a sample, with 0 that of the numbers themselves. Computed in two
/// passes, the second of which also finds what rounding left in the mean: an offset common to all numbers costs no digits.
#[derive(Clone, Copy, Debug)]
pub struct Variance {
    /// What n is lessened by.
    pub correction: usize,
}

/// The mean m, and r, the mean of x - m, which is what m lacks.
#[inline(always)]
pub(super) fn center<T: Scalar>(x: &[T]) -> (T, T) {
    let n = T::of(x.len() as f64);
    let m = sum_of(x) / n;
    let rest = sum_filled(x.len(), |range, d| {
        for (d, &x) in d.iter_mut().zip(&x[range]) {
            *d = x - m;
        }
    });
    (m, rest / n)
}

/// Σ (x - mean)², the mean given in two parts.
#[inline(always)]
pub(super) fn squares<T: Scalar>(x: &[T], m: T, rest: T) -> T {
    sum_filled(x.len(), |range, squares| {
        for (square, &x) in squares.iter_mut().zip(&x[range]) {
            let d = (x - m) - rest;
            *square = d * d;
        }
    })
}

impl Variance {
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X,
        settings: &[by_name::ANY_AXIS, by_name::whole("correction", "1", "What n is lessened by")],
        run: |given| {
            let function = Variance { correction: given.whole("correction")? };
            given.record(Reduce { function, axis: given.find_axis() })
        },
    };
}

impl RowFunction for Variance {
    const CARD: Card = Card {
        name: "var",
        inputs: "x",
        forward: "Σ (x - mean)² / (n - correction)",
        backward: "2 (x - mean) / (n - correction) dy",
        story: "Pulls every number toward the mean, the more the farther it is.",
    };
    fn least(&self) -> usize {
        self.correction + 1
    }
    #[inline(always)]
    fn f<T: Scalar>(&self, x: &[T]) -> T {
        let (m, r) = center(x);
        squares(x, m, r) / T::of((x.len() - self.correction) as f64)
    }
    #[inline(always)]
    fn df<T: Scalar>(&self, x: &[T], _y: T, dy: T, dx: &mut [T]) {
        let (m, r) = center(x);
        let factor = (dy + dy) / T::of((x.len() - self.correction) as f64);
        for (dx, &x) in dx.iter_mut().zip(x) {
            *dx = ((x - m) - r) * factor;
        }
    }
}

/// The Euclidean length. Its gradient, the direction of x, is taken as 0 where x is 0.
///
#[doc = math!("y = √(Σ x²)")]
#[doc = math!("dx = x / y dy")]
///
/// The numbers are divided by a power of two near the largest of them before they are squared: that is exact, and no square
/// overflows or underflows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Norm;

/// A power of two near the largest |x|, and the length of x divided by it. If the largest is infinite or NaN, that and 1.
#[inline(always)]
fn scaled<T: Scalar>(x: &[T]) -> (T, T) {
    const EXPONENT: u64 = 0x7ff0_0000_0000_0000;
    let largest = if x.is_empty() { T::ZERO } else { fold(x, |a, b| larger(a.abs(), b.abs())) };
    let size = largest.value();
    if !size.is_finite() {
        return (largest, T::ONE);
    }
    let scale = T::of(f64::from_bits(size.to_bits() & EXPONENT).max(f64::MIN_POSITIVE));
    let squares = sum_filled(x.len(), |range, squares| {
        for (square, &x) in squares.iter_mut().zip(&x[range]) {
            let x = x / scale;
            *square = x * x;
        }
    });
    (scale, if size > 0.0 { squares.sqrt() } else { T::ZERO })
}

impl RowFunction for Norm {
    const CARD: Card = Card {
        name: "norm",
        inputs: "x",
        forward: "√(Σ x²)",
        backward: "x / y dy, 0 where x is 0",
        story: "How long a vector is; its gradient is the direction in which it points.",
    };
    fn least(&self) -> usize {
        0
    }
    #[inline(always)]
    fn f<T: Scalar>(&self, x: &[T]) -> T {
        let (scale, length) = scaled(x);
        scale * length
    }
    #[inline(always)]
    fn df<T: Scalar>(&self, x: &[T], y: T, dy: T, dx: &mut [T]) {
        let (scale, length) = scaled(x);
        for (dx, &x) in dx.iter_mut().zip(x) {
            *dx = if y == T::ZERO { T::ZERO } else { x / scale / length * dy };
        }
    }
}

reductions! {
    /// The product of all numbers, multiplied in their order; its gradient is right where some are 0, too.
    prod, prod_axis, prod_axes, Prod, [12.0, 48.0];
    /// The unbiased estimate of the variance, Σ (x - mean)² / (n - 1). [`var_with`](Self::var_with) takes another denominator.
    var, var_axis, var_axes, Variance { correction: 1 }, [0.5, 2.0];
    /// The Euclidean length, √(Σ x²), whose squares neither overflow nor underflow. Its gradient at 0 is taken as 0.
    norm, norm_axis, norm_axes, Norm, [5.0, 10.0];
}

impl<'t> Var<'t> {
    /// The variance of everything, or along an axis, with a correction: 1 is unbiased, 0 takes n as it is.
    ///
    #[doc = math!("y = Σ (x - mean)² / (n - correction)")]
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![1.0, 2.0, 6.0]);
    /// assert_eq!(x.var_with(None, 1).item(), 7.0); // (4 + 1 + 9) / 2, as `var`
    /// assert_eq!(x.var_with(None, 0).item(), 14.0 / 3.0);
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis, or not more numbers than the correction.
    #[track_caller]
    pub fn var_with(self, axis: Option<isize>, correction: usize) -> Var<'t> {
        self.reduce(Variance { correction }, axis)
    }
}

/// `f` over all numbers, sixteen side by side; for an `f` that may see them in any order, and the first of them often.
#[inline(always)]
pub(super) fn fold<T: Scalar>(x: &[T], f: impl Fn(T, T) -> T) -> T {
    const LANES: usize = 16;
    let mut lanes = [x[0]; LANES];
    for chunk in x.chunks(LANES) {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = f(*lane, x);
        }
    }
    lanes.into_iter().fold(x[0], f)
}

/// The larger of two; NaN if one of them is.
#[inline(always)]
pub(super) fn larger<T: Scalar>(a: T, b: T) -> T {
    if a > b || a.value().is_nan() { a } else { b }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2, ArrayD, array};

    use crate::ops::{at, complaint};

    fn list<T: Clone>(x: &[T]) -> ArrayD<T> {
        Array1::from(x.to_vec()).into_dyn()
    }

    #[test]
    fn a_product_with_zeros_has_the_gradient_of_its_factors() {
        assert_eq!(at(&array![2.0, 3.0, 4.0], |x| x.prod()).1, list(&[12.0, 8.0, 6.0]));
        assert_eq!(at(&array![2.0, 0.0, 4.0], |x| x.prod()).1, list(&[0.0, 8.0, 0.0]));
        assert_eq!(at(&array![0.0, 0.0, 4.0], |x| x.prod()).1, list(&[0.0; 3]));
        assert_eq!(at(&Array2::<f32>::zeros((1, 0)), |x| x.prod_axis(1)).0, list(&[1.0]));
    }

    #[test]
    fn factors_are_multiplied_in_their_order() {
        let product = |x: [f64; 4]| at(&Array1::from(x.to_vec()), |x| x.prod());
        assert_eq!(
            product([1e-200, 1e-200, 1e200, 1e200]),
            (ArrayD::zeros(vec![]), list(&[f64::INFINITY, f64::INFINITY, 0.0, 0.0]))
        );
        assert_eq!(product([1e200, 1e200, 1e-200, 1e-200]).0.sum(), f64::INFINITY);
        assert!((product([1e-200, 1e200, 1e-200, 1e200]).0.sum() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn the_variance_does_not_see_an_offset() {
        assert_eq!(at(&array![1.0, 2.0, 3.0, 4.0], |x| x.var()).0.sum(), 5.0 / 3.0);
        assert_eq!(at(&array![1.0, 2.0, 3.0, 4.0], |x| x.var_with(None, 0)).0.sum(), 1.25);
        let (y, dx) = at(&array![1e6f32 + 1.0, 1e6 + 2.0, 1e6 + 4.0], |x| x.var()); // the mean has no exact f32
        assert!((y.sum() - 7.0 / 3.0).abs() < 3e-7, "{y}");
        let exact = [-4.0 / 3.0, -1.0 / 3.0, 5.0 / 3.0];
        assert!(dx.iter().zip(exact).all(|(dx, exact)| (dx - exact).abs() < 3e-7), "{dx}");
        let (y, dx) = at(&Array1::from_elem(1000, 0.1f32), |x| x.var());
        assert!(y.sum() < 1e-30 && dx.iter().all(|dx| dx.abs() < 1e-9), "{y} {dx}"); // constant numbers have none
    }

    #[test]
    fn a_length_neither_overflows_nor_underflows() {
        for scale in [1.0f32, 1e30, 1e-30, 1e-40, 5e37] {
            let (y, dx) = at(&array![3.0 * scale, -4.0 * scale], |x| x.norm());
            let exact = (3.0 * scale).hypot(4.0 * scale);
            assert!((y.sum() - exact).abs() <= 2e-7 * exact, "{y} instead of {exact}");
            assert!((dx[0] - 0.6).abs() < 1e-4 && (dx[1] + 0.8).abs() < 1e-4, "{dx}"); // 1e-40 has few digits
        }
        assert_eq!(at(&array![3e-320, 4e-320], |x| x.norm()).0.sum(), 5e-320);
        assert_eq!(at(&array![0.0f32, 0.0], |x| x.norm()), (ArrayD::zeros(vec![]), list(&[0.0, 0.0])));
        assert_eq!(at(&array![1.0, f64::NEG_INFINITY], |x| x.norm()).0.sum(), f64::INFINITY);
    }

    #[test]
    fn logsumexp_keeps_its_digits_at_an_offset() {
        let (y, dx) = at(&array![[1e4f32, 1e4 + 1.0, 1e4 - 2.0]], |x| x.logsumexp_axis(-1));
        assert!((y[0] - 10_001.349).abs() < 1e-3, "{y}");
        let p = [0.259_496_46f64, 0.705_384_5, 0.035_119_05]; // not e^(x - y), which would be off by 0.0005
        assert!(dx.iter().zip(p).all(|(&dx, p)| (f64::from(dx) - p).abs() < 1e-7), "{dx}");
        assert_eq!(at(&array![1e30f32, 1e30, 1e30], |x| x.logsumexp()).1, list(&[1.0f32 / 3.0; 3]));
        let nothing = f32::NEG_INFINITY;
        assert_eq!(
            at(&array![nothing, 2.0], |x| x.logsumexp()),
            (array![2.0].sum_axis(ndarray::Axis(0)).into_dyn(), list(&[0.0, 1.0]))
        );
        let (y, dx) = at(&array![nothing, nothing], |x| x.logsumexp());
        assert_eq!((y.sum(), dx), (nothing, list(&[0.0, 0.0])));
    }

    #[test]
    fn too_few_numbers_are_an_error() {
        let (one, none) = (array![[1.0], [2.0]], Array2::<f64>::zeros((2, 0)));
        let messages = [
            complaint(|| at(&one, |x| x.var_axis(1))),
            complaint(|| at(&one, |x| x.var_with(None, 5))),
            complaint(|| at(&none, |x| x.max())),
            complaint(|| at(&none, |x| x.min_axis(7))),
        ];
        expect_test::expect![[r#"
            var: [2, 1] has one number along axis 1, at least 2 are needed
              input:  input [2, 1]
            var: [2, 1] has 2 numbers, at least 6 are needed
              input:  input [2, 1]
            max: [2, 0] has 0 numbers, at least 1 are needed
              input:  input [2, 0]
              hint: is the batch empty?
            min: there is no axis 7
              input:  input [2, 0]
              hint: axes are 0 to 1 from the front, -1 to -2 from the back"#]]
        .assert_eq(&messages.join("\n"));
    }
}
