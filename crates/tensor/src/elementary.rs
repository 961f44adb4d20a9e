//! exp, ln, ln_1p and tanh for `f32`: branch-free, so that a loop over a slice vectorises.
//!
//! The method is the classic one of Cody and Waite: reduce the argument exactly, evaluate a short polynomial, put the
//! exponent back by its bits. The polynomials are those of Moshier's Cephes library (`expf.c`, `logf.c`,
//! `tanhf.c`, single precision, public domain). No fused multiply-add is used, so the bits are the same on every
//! instruction set. Each function says its worst error in units in the last place (ULP); the tests below hold it to that.

/// Adding and subtracting 1.5 · 2^23 rounds to the nearest integer and leaves it in the low bits.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts: the first has nine bits, so its product with an exponent is exact.
const LN_2_HIGH: f32 = 355.0 / 512.0;
const LN_2_LOW: f32 = -2.121_944_4e-4;
/// The bits of sqrt(1/2): mantissas are taken from [sqrt(1/2), sqrt(2)).
const SQRT_HALF: i32 = 0x3f35_04f3;

/// e^x, within 1.1 ULP over the whole range, subnormal results included; NaN stays NaN.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // beyond these the result is inf or 0 whatever x is; the comparisons let NaN through
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let exponent = rounded.to_bits() as i32 - ROUND.to_bits() as i32;
    let n = rounded - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let p = 1.987_569_1e-4 * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let p = p * (r * r) + r + 1.0;
    // 2^exponent in two factors: one alone would overflow or lose subnormal results
    let half = exponent >> 1;
    let power = |n: i32| f32::from_bits((n.wrapping_add(127) as u32) << 23);
    p * power(half) * power(exponent.wrapping_sub(half))
}

/// ln(m 2^e) for m in [sqrt(1/2), sqrt(2)).
#[inline(always)]
fn ln_of_parts(m: f32, e: f32) -> f32 {
    let f = m - 1.0;
    let z = f * f;
    let p = 7.037_683_6e-2 * f - 1.151_461e-1;
    let p = p * f + 1.167_699_9e-1;
    let p = p * f - 1.242_014_1e-1;
    let p = p * f + 1.424_932_3e-1;
    let p = p * f - 1.666_805_8e-1;
    let p = p * f + 2.000_071_5e-1;
    let p = p * f - 2.499_999_4e-1;
    let p = p * f + 3.333_333e-1;
    let y = p * f * z + e * LN_2_LOW - 0.5 * z;
    e * LN_2_HIGH + (f + y)
}

/// x = m 2^e with m in [sqrt(1/2), sqrt(2)), for normal positive x.
#[inline(always)]
fn parts(x: f32) -> (f32, f32) {
    let bits = x.to_bits() as i32;
    let e = bits.wrapping_sub(SQRT_HALF) >> 23;
    (f32::from_bits(bits.wrapping_sub(e << 23) as u32), e as f32)
}

/// ln x, within 1.1 ULP, for subnormal x too; -inf at 0, NaN below.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    let subnormal = x < f32::MIN_POSITIVE;
    let (m, e) = parts(if subnormal { x * 8_388_608.0 } else { x });
    let y = ln_of_parts(m, if subnormal { e - 23.0 } else { e });
    let y = if x == f32::INFINITY { x } else { y };
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if x >= 0.0 { y } else { f32::NAN }
}

/// ln(1 + x), within 1.6 ULP; -inf at -1, NaN below.
#[inline(always)]
pub fn ln_1p(x: f32) -> f32 {
    let u = 1.0 + x;
    let (m, e) = parts(u);
    // ln(1 + x) = ln u + (what rounding 1 + x to u lost) / u
    let lost = if x > 1.0 { 1.0 - (u - x) } else { x - (u - 1.0) };
    let y = ln_of_parts(m, e) + lost / u;
    let y = if u == f32::INFINITY { u } else { y };
    let y = if u == 0.0 { f32::NEG_INFINITY } else { y };
    let y = if x.abs() < 1e-7 { x } else { y };
    if u >= 0.0 { y } else { f32::NAN }
}

/// tanh x, within 1.5 ULP: a polynomial below 0.625, 1 - 2 / (e^2|x| + 1) above.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let a = x.abs();
    let z = x * x;
    let p = -5.704_988_7e-3 * z + 2.063_909e-2;
    let p = p * z - 5.373_971_6e-2;
    let p = p * z + 1.333_144_2e-1;
    let p = p * z - 3.333_328e-1;
    let near = p * z * x + x;
    let far = (1.0 - 2.0 / (exp(a + a) + 1.0)).copysign(x);
    if a < 0.625 { near } else { far } // NaN takes the second
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One unit in the last place of an `f32` result near `y`, subnormals included.
    fn ulp(y: f64) -> f64 {
        let exponent = (y.abs().log2().floor() as i32).max(-126);
        2f64.powi(exponent - 23)
    }

    /// The worst error of `f` over every 1009th float, against `f64`, in ULP, and where it occurs.
    fn worst(f: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64) -> (f64, f32) {
        let mut worst = (0.0, 0.0);
        for bits in (0..=u32::MAX).step_by(1009) {
            let x = f32::from_bits(bits);
            let (y, e) = (f(x), exact(f64::from(x)));
            if e.is_nan() {
                assert!(y.is_nan(), "at {x:e}: {y:e} instead of NaN");
            } else if (e as f32).is_infinite() || e == 0.0 {
                assert_eq!(y, e as f32, "at {x:e}");
            } else {
                let error = (f64::from(y) - e).abs() / ulp(e);
                assert!(!error.is_nan(), "at {x:e}: {y:e} instead of {e:e}");
                if error > worst.0 {
                    worst = (error, x);
                }
            }
        }
        worst
    }

    #[track_caller]
    fn within(bound: f64, worst: (f64, f32)) {
        assert!(worst.0 <= bound, "{:.3} ULP at {:e}, promised {bound}", worst.0, worst.1);
    }

    #[test]
    fn exp_keeps_its_bound_over_the_whole_range() {
        within(1.1, worst(exp, f64::exp));
    }
    #[test]
    fn ln_keeps_its_bound_over_the_whole_range() {
        within(1.1, worst(ln, f64::ln));
    }
    #[test]
    fn ln_1p_keeps_its_bound_over_the_whole_range() {
        within(1.6, worst(ln_1p, f64::ln_1p));
    }
    #[test]
    fn tanh_keeps_its_bound_over_the_whole_range() {
        within(1.5, worst(tanh, f64::tanh));
    }
}
