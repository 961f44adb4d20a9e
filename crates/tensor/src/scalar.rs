//! Numbers, the elements of tensors.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};
use std::fmt::{self, Debug, Display};
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::convolution::{Geometry, Pass};
use crate::product::{self, Mat};
use crate::store::Stored;
use crate::{Buf, elementary};

/// A number that the tape can compute with: `f32`, `f64` or a [`Dual`](crate::Dual) over either.
///
/// A model is written once, generic over `T: Scalar`. Run on `f32` it trains, on `f64` it is held against
/// oracles, on `Dual` its gradient carries exact second derivatives.
///
/// The `f32` functions are branch-free polynomials that vectorize (bounds and origin in
/// [`elementary`]); those of `f64` are the standard library's, and erf and erfc Cody's.
///
/// ```
/// use surprisal_tensor::{Dual, Scalar};
/// fn cube<T: Scalar>(x: T) -> T {
///     x * x * x
/// }
/// assert_eq!((cube(2f32), cube(2f64)), (8.0, 8.0));
/// let at_2 = cube(Dual { value: 2.0, tangent: 1.0 });
/// assert_eq!((at_2.value, at_2.tangent), (8.0, 12.0)); // 3 x²
/// ```
pub trait Scalar:
    Stored
    + Copy
    + PartialOrd
    + Default
    + Debug
    + Display
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
{
    /// Which of the three this is.
    const DTYPE: DType;
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;
    /// From 1 to the next larger number.
    const EPSILON: f64;
    /// The smallest number with all its digits: below it are the subnormal ones.
    const MIN_POSITIVE: f64;

    /// Whether a number carries a derivative.
    #[doc(hidden)]
    const HAS_TANGENT: bool = false;
    #[doc(hidden)]
    const IS_F32: bool = false;
    /// The number without the derivative that it may carry.
    #[doc(hidden)]
    #[inline(always)]
    fn without_tangent(self) -> Self {
        self
    }

    /// The number nearest to `x`; a constant where the type carries a derivative.
    fn of(x: f64) -> Self;
    /// The value as `f64`, without any derivative.
    fn value(self) -> f64;

    /// e^x
    fn exp(self) -> Self;
    /// e^x - 1, accurate near 0
    fn exp_m1(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// ln(1 + x), accurate near 0
    fn ln_1p(self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// The error function, 2/√π times the integral of e^-t² from 0 to x.
    fn erf(self) -> Self;
    /// 1 - erf x, accurate where erf x is near 1.
    fn erfc(self) -> Self;
    /// x^exponent
    fn powf(self, exponent: f64) -> Self;

    /// a b + c, in one rounding if `FMA`, which is slow where the processor has no instruction for it: products of matrices ask for it
    /// only where it has.
    #[inline(always)]
    fn mul_add<const FMA: bool>(a: Self, b: Self, c: Self) -> Self {
        a * b + c
    }

    /// Whether the value, and the derivative if there is one, is neither infinite nor NaN.
    fn is_finite(self) -> bool;

    /// |x|
    #[inline(always)]
    fn abs(self) -> Self {
        if self < Self::ZERO { -self } else { self }
    }

    /// The larger of the two; `other` where `self` is NaN.
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }

    /// The number, or 0 if it is smaller than `bound`; one that carries a derivative stays as it is.
    ///
    /// For what decays from step to step without end: it would become subnormal and stay so, and arithmetic on subnormal numbers
    /// takes some processors a hundred cycles.
    #[inline(always)]
    fn or_zero_below(self, _bound: Self) -> Self {
        self
    }

    /// e^-|x|, from 0 to 1.
    #[doc(hidden)]
    #[inline(always)]
    fn exp_of_minus_abs(self) -> Self {
        (-self.abs()).exp()
    }
    /// ln(1 + x) for x from 0 to 1.
    #[doc(hidden)]
    #[inline(always)]
    fn ln_1p_of_unit(self) -> Self {
        self.ln_1p()
    }

    /// e = e^-|x|, ln(1 + e) and 1 / (1 + e): what [`sigmoid`](Self::sigmoid), [`softplus`](Self::softplus) and the losses made of them
    /// share. None of it overflows.
    #[inline(always)]
    fn logistic(self) -> Logistic<Self> {
        let e = self.exp_of_minus_abs();
        Logistic { e, ln_1p: e.ln_1p_of_unit(), reciprocal: Self::ONE / (Self::ONE + e) }
    }

    /// 1 / (1 + e^-x), accurate to the last digits on both sides: e^x / (1 + e^x) where x < 0.
    #[inline(always)]
    fn sigmoid(self) -> Self {
        let Logistic { e, reciprocal, .. } = self.logistic();
        let numerator = if self >= Self::ZERO { Self::ONE } else { e };
        numerator * reciprocal
    }

    /// The derivative of [`sigmoid`](Self::sigmoid): e / (1 + e)^2 with e = e^-|x|.
    ///
    /// Not a (1 - a), which is 0 in `f32` from x = 16.7 on; and the square as 1 + e (2 + e), which rounds 1 + e only once.
    #[inline(always)]
    fn sigmoid_prime(self) -> Self {
        let e = self.logistic().e;
        e / (Self::ONE + e * (Self::of(2.0) + e))
    }

    /// The derivative of [`tanh`](Self::tanh): 4 e / (1 + e)^2 with e = e^-2|x|.
    ///
    /// Not 1 - tanh^2, which has no correct digit in `f32` from |x| = 8.7 on.
    #[inline(always)]
    fn tanh_prime(self) -> Self {
        let x = self.abs();
        let e = (-(x + x)).exp();
        Self::of(4.0) * e / (Self::ONE + e * (Self::of(2.0) + e))
    }

    /// ln(1 + e^x) = max(x, 0) + ln_1p(e^-|x|), which neither overflows nor loses the small end.
    #[inline(always)]
    fn softplus(self) -> Self {
        let tail = self.logistic().ln_1p;
        if self >= Self::ZERO { self + tail } else { tail }
    }

    /// Φ(x), the probability that a standard normal number is at most x: erfc(-x / √2) / 2, which keeps its digits on the left,
    /// but for what rounding x / √2 costs there: a relative error of x² / 2^23 in `f32`.
    #[inline(always)]
    fn normal_cdf(self) -> Self {
        Self::of(0.5) * (self * Self::of(-FRAC_1_SQRT_2)).erfc()
    }

    /// φ(x) = e^(-x²/2) / √(2π), the derivative of [`normal_cdf`](Self::normal_cdf).
    #[inline(always)]
    fn normal_density(self) -> Self {
        Self::of(0.5 * FRAC_1_SQRT_2 * FRAC_2_SQRT_PI) * (Self::of(-0.5) * self * self).exp()
    }

    /// The seam for exponentials of many numbers: writes e^x / 2^k with one k for all, near `low` / ln 2, and tells whether it could.
    /// Without x - max, so nothing is rounded but the result.
    #[doc(hidden)]
    #[inline(always)]
    fn exp_shifted(_x: &[Self], _low: Self, _e: &mut [Self]) -> bool {
        false
    }

    /// The seam for products of matrices: c = A B, or c += A B.
    ///
    /// `c` is `[m, n]` by rows, `a` is `[m, k]`, `b` is `[k, n]`; a transpose is a matter of strides.
    #[doc(hidden)]
    #[track_caller]
    fn product(a: Mat<Self>, b: Mat<Self>, c: &mut [Self], accumulate: bool, scratch: &mut Buf<Self>) {
        product::plain(a, b, c, accumulate, scratch);
    }

    /// The seam for convolutions: one of three passes, or `false` where there is nothing faster than the plain loops.
    #[doc(hidden)]
    fn convolution(_: Pass, _: &Geometry, _: [&[Self]; 3], _: &mut [Self], _: &mut Buf<Self>) -> bool {
        false
    }
}

/// The type of the numbers on a tape: see [`Tape::dtype`](crate::Tape::dtype).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DType {
    /// `f32`, for training.
    F32,
    /// `f64`, for comparisons.
    F64,
    /// [`Dual`](crate::Dual), for gradient checks and second derivatives.
    Dual,
}

impl DType {
    /// The distance from 1 to the next larger number.
    ///
    /// ```
    /// use surprisal_tensor::DType;
    /// assert_eq!(DType::F32.epsilon(), f64::from(f32::EPSILON));
    /// ```
    pub fn epsilon(self) -> f64 {
        match self {
            DType::F32 => f32::EPSILON.into(),
            DType::F64 | DType::Dual => f64::EPSILON,
        }
    }
    /// The number of this type that is nearest to `x`.
    ///
    /// ```
    /// use surprisal_tensor::DType;
    /// assert_eq!(DType::F32.round(1e-50), 0.0);
    /// ```
    pub fn round(self, x: f64) -> f64 {
        match self {
            DType::F32 => f64::from(x as f32),
            DType::F64 | DType::Dual => x,
        }
    }
}

impl Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            DType::F32 => "f32",
            DType::F64 => "f64",
            DType::Dual => "dual numbers",
        })
    }
}

/// The parts of the logistic function at one x, from [`Scalar::logistic`].
#[derive(Clone, Copy, Debug)]
pub struct Logistic<T> {
    /// e = e^-|x|, from 0 to 1.
    pub e: T,
    /// ln(1 + e)
    pub ln_1p: T,
    /// 1 / (1 + e), which is σ(|x|).
    pub reciprocal: T,
}

/// Methods that are one function of `self`.
macro_rules! functions {
    ($($(#[$inline:meta])? $name:ident: $function:path;)+) => { $(
        $(#[$inline])?
        fn $name(self) -> Self {
            $function(self)
        }
    )+ };
}

impl Scalar for f32 {
    const DTYPE: DType = DType::F32;
    const IS_F32: bool = true;
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;
    const EPSILON: f64 = f32::EPSILON as f64;
    const MIN_POSITIVE: f64 = f32::MIN_POSITIVE as f64;
    #[inline(always)]
    fn of(x: f64) -> f32 {
        x as f32
    }
    #[inline(always)]
    fn value(self) -> f64 {
        f64::from(self)
    }
    functions! {
        #[inline(always)] exp: elementary::exp;
        #[inline(always)] exp_m1: elementary::exp_m1;
        #[inline(always)] ln: elementary::ln;
        #[inline(always)] ln_1p: elementary::ln_1p;
        #[inline(always)] sqrt: f32::sqrt;
        #[inline(always)] tanh: elementary::tanh;
        #[inline(always)] erf: elementary::erf;
        #[inline(always)] erfc: elementary::erfc;
        #[inline(always)] abs: f32::abs;
    }
    #[inline(always)]
    fn exp_of_minus_abs(self) -> f32 {
        elementary::exp_down(-self.abs())
    }
    #[inline(always)]
    fn ln_1p_of_unit(self) -> f32 {
        elementary::ln_1p_of_unit(self)
    }
    #[inline(always)]
    fn exp_shifted(x: &[f32], low: f32, e: &mut [f32]) -> bool {
        let Some(shift) = elementary::Shift::new(low) else { return false };
        let mut exceeded = false;
        for (e, &x) in e.iter_mut().zip(x) {
            *e = shift.exp(x);
            exceeded |= shift.exceeded_by(x);
        }
        !exceeded
    }
    fn powf(self, exponent: f64) -> f32 {
        f64::from(self).powf(exponent) as f32 // an exponent such as 0.1 is not rounded
    }
    #[inline(always)]
    fn mul_add<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
        if FMA { f32::mul_add(a, b, c) } else { a * b + c }
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        f32::is_finite(self)
    }
    #[inline(always)]
    fn or_zero_below(self, bound: f32) -> f32 {
        if self.abs() < bound { 0.0 } else { self }
    }
    #[track_caller]
    fn product(a: Mat<f32>, b: Mat<f32>, c: &mut [f32], accumulate: bool, scratch: &mut Buf<f32>) {
        product::f32(a, b, c, accumulate, scratch);
    }
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    fn convolution(
        pass: Pass,
        g: &Geometry,
        factors: [&[f32]; 3],
        c: &mut [f32],
        scratch: &mut Buf<f32>,
    ) -> bool {
        crate::simd::tiles::convolution::f32(pass, g, factors, c, scratch)
    }
}

impl Scalar for f64 {
    const DTYPE: DType = DType::F64;
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
    const EPSILON: f64 = f64::EPSILON;
    const MIN_POSITIVE: f64 = f64::MIN_POSITIVE;
    #[inline(always)]
    fn of(x: f64) -> f64 {
        x
    }
    #[inline(always)]
    fn value(self) -> f64 {
        self
    }
    functions! {
        #[inline(always)] sqrt: f64::sqrt;
        #[inline(always)] abs: f64::abs;
        exp: f64::exp;
        exp_m1: f64::exp_m1;
        ln: f64::ln;
        ln_1p: f64::ln_1p;
        tanh: f64::tanh;
        erf: elementary::cody::erf;
        erfc: elementary::cody::erfc;
    }
    fn powf(self, exponent: f64) -> f64 {
        f64::powf(self, exponent)
    }
    #[inline(always)]
    fn mul_add<const FMA: bool>(a: f64, b: f64, c: f64) -> f64 {
        if FMA { f64::mul_add(a, b, c) } else { a * b + c }
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        f64::is_finite(self)
    }
    #[inline(always)]
    fn or_zero_below(self, bound: f64) -> f64 {
        if self.abs() < bound { 0.0 } else { self }
    }
    #[track_caller]
    fn product(a: Mat<f64>, b: Mat<f64>, c: &mut [f64], accumulate: bool, scratch: &mut Buf<f64>) {
        product::f64(a, b, c, accumulate, scratch);
    }
}
