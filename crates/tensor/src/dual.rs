//! Dual numbers: forward-mode derivatives by arithmetic alone.

use std::cmp::Ordering;
use std::f64::consts::FRAC_2_SQRT_PI;
use std::fmt;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use surprisal_formula_macro::math;

use crate::{DType, Scalar};

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
pub struct Dual {
    /// f(x)
    pub value: f64,
    /// f'(x), times whatever direction was chosen
    pub tangent: f64,
}

impl fmt::Display for Dual {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.tangent == f64::ZERO {
            return fmt::Display::fmt(&self.value, f);
        }
        write!(f, "{} + {} ε", self.value, self.tangent)
    }
}

// Comparisons look at the value alone: a branch takes the side that the number itself would take.
impl PartialEq for Dual {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
impl PartialOrd for Dual {
    #[inline(always)]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl Add for Dual {
    type Output = Self;
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        Dual { value: self.value + o.value, tangent: self.tangent + o.tangent }
    }
}
impl Sub for Dual {
    type Output = Self;
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        Dual { value: self.value - o.value, tangent: self.tangent - o.tangent }
    }
}
impl Mul for Dual {
    type Output = Self;
    #[inline(always)]
    fn mul(self, o: Self) -> Self {
        Dual { value: self.value * o.value, tangent: self.value * o.tangent + self.tangent * o.value }
    }
}
impl Div for Dual {
    type Output = Self;
    #[inline(always)]
    fn div(self, o: Self) -> Self {
        let value = self.value / o.value;
        Dual { value, tangent: (self.tangent - value * o.tangent) / o.value }
    }
}
impl Neg for Dual {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Dual { value: -self.value, tangent: -self.tangent }
    }
}
impl AddAssign for Dual {
    #[inline(always)]
    fn add_assign(&mut self, o: Self) {
        *self = *self + o;
    }
}
impl SubAssign for Dual {
    #[inline(always)]
    fn sub_assign(&mut self, o: Self) {
        *self = *self - o;
    }
}
impl MulAssign for Dual {
    #[inline(always)]
    fn mul_assign(&mut self, o: Self) {
        *self = *self * o;
    }
}

impl Dual {
    /// f(x + tangent ε), from f(x) and f'(x): the chain rule.
    #[inline(always)]
    fn chain(self, value: f64, derivative: f64) -> Self {
        Dual { value, tangent: derivative * self.tangent }
    }
}

impl Scalar for Dual {
    const DTYPE: DType = DType::Dual;
    const ZERO: Self = Dual { value: f64::ZERO, tangent: f64::ZERO };
    const ONE: Self = Dual { value: f64::ONE, tangent: f64::ZERO };
    const EPSILON: f64 = f64::EPSILON;
    const MIN_POSITIVE: f64 = f64::MIN_POSITIVE;
    const HAS_TANGENT: bool = true;
    fn without_tangent(self) -> Self {
        Dual { value: self.value.without_tangent(), tangent: f64::ZERO }
    }
    fn of(x: f64) -> Self {
        Dual { value: f64::of(x), tangent: f64::ZERO }
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
        self.chain(self.value.ln(), f64::ONE / self.value)
    }
    fn ln_1p(self) -> Self {
        self.chain(self.value.ln_1p(), f64::ONE / (f64::ONE + self.value))
    }
    fn sqrt(self) -> Self {
        let r = self.value.sqrt();
        self.chain(r, f64::ONE / (r + r))
    }
    fn tanh(self) -> Self {
        self.chain(self.value.tanh(), self.value.tanh_prime())
    }
    fn erf(self) -> Self {
        let slope = f64::of(FRAC_2_SQRT_PI) * (-self.value * self.value).exp();
        self.chain(Scalar::erf(self.value), slope)
    }
    fn erfc(self) -> Self {
        let slope = f64::of(-FRAC_2_SQRT_PI) * (-self.value * self.value).exp();
        self.chain(Scalar::erfc(self.value), slope)
    }
    fn powf(self, exponent: f64) -> Self {
        let slope =
            if exponent == 0.0 { f64::ZERO } else { f64::of(exponent) * self.value.powf(exponent - 1.0) };
        self.chain(self.value.powf(exponent), slope)
    }
    fn is_finite(self) -> bool {
        self.value.is_finite() && self.tangent.is_finite()
    }
}
