//! Dual numbers: forward-mode derivatives by arithmetic alone.

use std::cmp::Ordering;
use std::f64::consts::FRAC_2_SQRT_PI;
use std::fmt;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use surprisal_formula_macro::math;

use crate::Scalar;

/// `value + tangent ε` with ε² = 0: a number that carries its derivative along one direction.
///
#[doc = math!("f(x + ε) = f(x) + f'(x) ε")]
///
/// Because this holds exactly, running a model on dual numbers differentiates it without any rule of the tape; running the
/// tape itself on dual numbers gives, in the tangents of the gradient, the Hessian-vector product.
///
/// ```
/// use surprisal_tensor::{Dual, Scalar};
/// let x = Dual { value: 3.0, tangent: 1.0 };
/// let y = x * x + Dual::of(1.0);
/// assert_eq!((y.value, y.tangent), (10.0, 6.0)); // x² + 1 and 2x at x = 3
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Dual<T> {
    /// f(x)
    pub value: T,
    /// f'(x), times whatever direction was chosen
    pub tangent: T,
}

impl<T: Scalar> fmt::Display for Dual<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.tangent == T::ZERO {
            return fmt::Display::fmt(&self.value, f);
        }
        write!(f, "{} + {} ε", self.value, self.tangent)
    }
}

// Comparisons look at the value alone: a branch takes the side that the number itself would take.
impl<T: Scalar> PartialEq for Dual<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
impl<T: Scalar> PartialOrd for Dual<T> {
    #[inline(always)]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<T: Scalar> Add for Dual<T> {
    type Output = Self;
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        Dual { value: self.value + o.value, tangent: self.tangent + o.tangent }
    }
}
impl<T: Scalar> Sub for Dual<T> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        Dual { value: self.value - o.value, tangent: self.tangent - o.tangent }
    }
}
impl<T: Scalar> Mul for Dual<T> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, o: Self) -> Self {
        Dual { value: self.value * o.value, tangent: self.value * o.tangent + self.tangent * o.value }
    }
}
impl<T: Scalar> Div for Dual<T> {
    type Output = Self;
    #[inline(always)]
    fn div(self, o: Self) -> Self {
        let value = self.value / o.value;
        Dual { value, tangent: (self.tangent - value * o.tangent) / o.value }
    }
}
impl<T: Scalar> Neg for Dual<T> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Dual { value: -self.value, tangent: -self.tangent }
    }
}
impl<T: Scalar> AddAssign for Dual<T> {
    #[inline(always)]
    fn add_assign(&mut self, o: Self) {
        *self = *self + o;
    }
}
impl<T: Scalar> SubAssign for Dual<T> {
    #[inline(always)]
    fn sub_assign(&mut self, o: Self) {
        *self = *self - o;
    }
}
impl<T: Scalar> MulAssign for Dual<T> {
    #[inline(always)]
    fn mul_assign(&mut self, o: Self) {
        *self = *self * o;
    }
}

impl<T: Scalar> Dual<T> {
    /// f(x + tangent ε), from f(x) and f'(x): the chain rule.
    #[inline(always)]
    fn chain(self, value: T, derivative: T) -> Self {
        Dual { value, tangent: derivative * self.tangent }
    }
}

impl<T: Scalar> Scalar for Dual<T> {
    const ZERO: Self = Dual { value: T::ZERO, tangent: T::ZERO };
    const ONE: Self = Dual { value: T::ONE, tangent: T::ZERO };
    const EPSILON: f64 = T::EPSILON;
    const MIN_POSITIVE: f64 = T::MIN_POSITIVE;
    const HAS_TANGENT: bool = true;
    fn without_tangent(self) -> Self {
        Dual { value: self.value.without_tangent(), tangent: T::ZERO }
    }
    fn of(x: f64) -> Self {
        Dual { value: T::of(x), tangent: T::ZERO }
    }
    fn value(self) -> f64 {
        self.value.value()
    }
    fn exp(self) -> Self {
        let e = self.value.exp();
        self.chain(e, e)
    }
    fn exp_m1(self) -> Self {
        self.chain(self.value.exp_m1(), self.value.exp())
    }
    fn ln(self) -> Self {
        self.chain(self.value.ln(), T::ONE / self.value)
    }
    fn ln_1p(self) -> Self {
        self.chain(self.value.ln_1p(), T::ONE / (T::ONE + self.value))
    }
    fn sqrt(self) -> Self {
        let r = self.value.sqrt();
        self.chain(r, T::ONE / (r + r))
    }
    fn tanh(self) -> Self {
        self.chain(self.value.tanh(), self.value.tanh_prime())
    }
    fn erf(self) -> Self {
        let slope = T::of(FRAC_2_SQRT_PI) * (-self.value * self.value).exp();
        self.chain(self.value.erf(), slope)
    }
    fn erfc(self) -> Self {
        let slope = T::of(-FRAC_2_SQRT_PI) * (-self.value * self.value).exp();
        self.chain(self.value.erfc(), slope)
    }
    fn powf(self, exponent: f64) -> Self {
        let slope = if exponent == 0.0 { T::ZERO } else { T::of(exponent) * self.value.powf(exponent - 1.0) };
        self.chain(self.value.powf(exponent), slope)
    }
    fn is_finite(self) -> bool {
        self.value.is_finite() && self.tangent.is_finite()
    }
}
