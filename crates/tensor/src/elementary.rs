//! exp, exp_m1, ln, ln_1p, tanh, erf and erfc for `f32`: branch-free, so that a loop over a slice vectorises; erf and erfc for
//! `f64`, which the standard library lacks.
//!
//! The method is the classic one of Cody and Waite: reduce the argument exactly, evaluate a short polynomial, put the
//! exponent back by its bits. The polynomials are those of Moshier's Cephes library (`expf.c`, `logf.c`,
//! `tanhf.c`, `ndtrf.c`, single precision, public domain). No fused multiply-add is used, so the bits are the same on every
//! instruction set. Each function says its worst error in units in the last place (ULP); the tests below hold it to that.

/// Adding and subtracting 1.5 · 2^23 rounds to the nearest integer and leaves it in the low bits.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts: the first has nine bits, so its product with an exponent is exact.
const LN_2_HIGH: f32 = 355.0 / 512.0;
const LN_2_LOW: f32 = -2.121_944_4e-4;
/// The bits of sqrt(1/2): mantissas are taken from [sqrt(1/2), sqrt(2)).
const SQRT_HALF: i32 = 0x3f35_04f3;

/// x = n ln 2 + r: e^r - 1 and n, for x in [-104, 89]; the comparisons let NaN through.
#[inline(always)]
fn reduced(x: f32) -> (f32, i32) {
    // beyond these e^x is inf or 0 whatever x is
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let p = 1.987_569_1e-4 * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    (p * (r * r) + r, rounded.to_bits() as i32 - ROUND.to_bits() as i32)
}

/// 2^n as two factors: one alone would overflow or lose subnormal results.
#[inline(always)]
fn power(n: i32) -> [f32; 2] {
    let half = n >> 1;
    [half, n.wrapping_sub(half)].map(|n| f32::from_bits((n.wrapping_add(127) as u32) << 23))
}

/// e^x, within 1.1 ULP over the whole range, subnormal results included; NaN stays NaN.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let (p, n) = reduced(x);
    let [one, other] = power(n);
    (p + 1.0) * one * other
}

/// e^x - 1, within 1.6 ULP over the whole range: 2^n (e^r - 1) + (2^n - 1), of which the second is 0 near x = 0.
#[inline(always)]
pub fn exp_m1(x: f32) -> f32 {
    let (p, n) = reduced(x);
    let [one, other] = power(n);
    let y = if n > 30 { (p + 1.0) * one * other } else { p * (one * other) + (one * other - 1.0) };
    if x.abs() < 1e-7 { x } else { y } // subnormal numbers, and the sign of 0
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

/// erf x for |x| < 1: x times a polynomial in x², whose first coefficient, 1.128.., is taken as 1 + 0.128..
#[inline(always)]
fn erf_near(x: f32) -> f32 {
    let z = x * x;
    let p = 7.853_861_4e-5 * z - 8.010_193_7e-4;
    let p = p * z + 5.188_327_7e-3;
    let p = p * z - 2.685_381_2e-2;
    let p = p * z + 1.128_358_5e-1;
    let p = p * z - 3.761_262_6e-1;
    let p = p * z + 1.283_791_7e-1;
    x + x * p
}

/// erfc a for a >= 1: e^-a² / a times a polynomial in 1 / a², one below 2 and one above.
#[inline(always)]
fn erfc_far(a: f32) -> f32 {
    let a = if a > 14.0 { 14.0 } else { a }; // from 10.06 on the result is 0
    let q = 1.0 / a;
    let y = q * q;
    let below = 2.326_82e-2 * y - 1.387_039_4e-1;
    let below = below * y + 3.687_424_7e-1;
    let below = below * y - 5.824_733e-1;
    let below = below * y + 6.210_004_6e-1;
    let below = below * y - 4.944_515_3e-1;
    let below = below * y + 3.404_88e-1;
    let below = below * y - 2.741_127e-1;
    let below = below * y + 5.638_259_4e-1;
    let above = -1.047_766_4e1 * y + 1.297_72e1;
    let above = above * y - 7.495_518_7;
    let above = above * y + 2.921_019;
    let above = above * y - 1.015_265_3;
    let above = above * y + 4.218_463_4e-1;
    let above = above * y - 2.820_767_5e-1;
    let above = above * y + 5.641_895e-1;
    // a² rounded would cost a² ULP: the square of the high part is exact, and what it lacks is small
    let high = f32::from_bits(a.to_bits() & 0xffff_f000);
    let e = exp(-high * high) * exp(-(a - high) * (a + high));
    e * (q * if a < 2.0 { below } else { above })
}

/// The error function, 2/√π times the integral of e^-t² from 0 to x, within 1.5 ULP.
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let a = x.abs();
    let far = (1.0 - erfc_far(a)).copysign(x);
    if a < 1.0 { erf_near(x) } else { far } // NaN takes the second
}

/// 1 - erf x without the cancellation, within 5.5 ULP over the whole range.
#[inline(always)]
pub fn erfc(x: f32) -> f32 {
    let a = x.abs();
    let tail = erfc_far(a);
    let far = if x < 0.0 { 2.0 - tail } else { tail };
    if a < 1.0 { 1.0 - erf_near(x) } else { far }
}

/// Rational approximations of erf and erfc in `f64`, from W. J. Cody, "Rational Chebyshev approximations for the error
/// function", Mathematics of Computation 23 (1969), tables II and III.
pub(crate) mod cody {
    use std::f64::consts::FRAC_2_SQRT_PI;

    /// p / q, coefficients from the highest power down.
    fn ratio<const P: usize, const Q: usize>(x: f64, p: [f64; P], q: [f64; Q]) -> f64 {
        let at = |coefficients: &[f64]| coefficients.iter().fold(0.0, |y, &c| y * x + c);
        at(&p) / at(&q)
    }

    /// erf x, for |x| <= 0.46875.
    fn erf_near(x: f64) -> f64 {
        const P: [f64; 5] = [
            1.857_777_061_846_031_5e-1,
            3.161_123_743_870_565_5,
            1.138_641_541_510_501_6e2,
            3.774_852_376_853_02e2,
            3.209_377_589_138_469_4e3,
        ];
        const Q: [f64; 5] = [
            1.0,
            2.360_129_095_234_412_2e1,
            2.440_246_379_344_441_7e2,
            1.282_616_526_077_372_3e3,
            2.844_236_833_439_171e3,
        ];
        x * ratio(x * x, P, Q)
    }

    /// erfc a, for a > 0.46875.
    fn erfc_far(a: f64) -> f64 {
        const P: [f64; 9] = [
            2.153_115_354_744_038_3e-8,
            5.641_884_969_886_701e-1,
            8.883_149_794_388_377,
            6.611_919_063_714_163e1,
            2.986_351_381_974_001e2,
            8.819_522_212_417_69e2,
            1.712_047_612_634_070_7e3,
            2.051_078_377_826_071_6e3,
            1.230_339_354_797_997_2e3,
        ];
        const Q: [f64; 9] = [
            1.0,
            1.574_492_611_070_983_5e1,
            1.176_939_508_913_125e2,
            5.371_811_018_620_099e2,
            1.621_389_574_566_690_3e3,
            3.290_799_235_733_459_7e3,
            4.362_619_090_143_247e3,
            3.439_367_674_143_721_6e3,
            1.230_339_354_803_749_3e3,
        ];
        const R: [f64; 6] = [
            1.631_538_713_730_209_7e-2,
            3.053_266_349_612_323_6e-1,
            3.603_448_999_498_044_5e-1,
            1.257_817_261_112_292_6e-1,
            1.608_378_514_874_228e-2,
            6.587_491_615_298_378e-4,
        ];
        const S: [f64; 6] = [
            1.0,
            2.568_520_192_289_822,
            1.872_952_849_923_460_4,
            5.279_051_029_514_285e-1,
            6.051_834_131_244_132e-2,
            2.335_204_976_268_691_8e-3,
        ];
        let a = if a > 28.0 { 28.0 } else { a }; // from 27.3 on the result is 0
        let scaled = if a <= 4.0 {
            ratio(a, P, Q)
        } else {
            let z = 1.0 / (a * a);
            (FRAC_2_SQRT_PI / 2.0 - z * ratio(z, R, S)) / a
        };
        let high = (a * 16.0).trunc() / 16.0; // its square is exact
        (-high * high).exp() * (-(a - high) * (a + high)).exp() * scaled
    }

    /// The error function, within 2 ULP.
    pub fn erf(x: f64) -> f64 {
        if x.abs() <= 4.687_5e-1 { erf_near(x) } else { (1.0 - erfc_far(x.abs())).copysign(x) }
    }

    /// 1 - erf x without the cancellation, within 4 ULP.
    pub fn erfc(x: f64) -> f64 {
        let tail = if x.abs() <= 4.687_5e-1 { return 1.0 - erf_near(x) } else { erfc_far(x.abs()) };
        if x < 0.0 { 2.0 - tail } else { tail }
    }
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
    fn exp_m1_keeps_its_bound_over_the_whole_range() {
        within(1.6, worst(exp_m1, f64::exp_m1));
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
    #[test]
    fn erf_and_erfc_keep_their_bounds_over_the_whole_range() {
        within(1.5, worst(erf, cody::erf));
        within(5.5, worst(erfc, cody::erfc));
    }

    /// x, erf x, erfc x, computed with 420 digits from erf x = 2/√π e^-x² Σ 2^n x^(2n+1) / (2n+1)!!.
    const EXACT: [(f64, f64, f64); 10] = [
        (1e-300, 1.1283791670955126e-300, 1.0),
        (0.125, 0.1403162048013338, 0.8596837951986662),
        (-0.46875, -0.49261347321793797, 1.492613473217938),
        (0.5, 0.5204998778130465, 0.4795001221869535),
        (1.0, 0.8427007929497149, 0.15729920705028513),
        (-2.5, -0.999593047982555, 1.999593047982555),
        (3.984375, 0.9999999824694816, 1.7530518404701306e-08),
        (5.0625, 0.99999999999919, 8.099774240291918e-13),
        (10.0, 1.0, 2.088487583762545e-45),
        (26.5, 1.0, 2.2109076642637343e-307),
    ];

    #[test]
    fn erf_and_erfc_in_f64_agree_with_420_digits() {
        for (x, erf, erfc) in EXACT {
            let error = |y: f64, exact: f64| (y - exact).abs() / (exact.next_up() - exact).abs();
            assert!(error(cody::erf(x), erf) <= 2.0, "erf {x}: {:e} instead of {erf:e}", cody::erf(x));
            assert!(error(cody::erfc(x), erfc) <= 4.0, "erfc {x}: {:e} instead of {erfc:e}", cody::erfc(x));
        }
        assert_eq!(
            [cody::erf(0.0), cody::erfc(0.0), cody::erfc(-30.0), cody::erfc(30.0)],
            [0.0, 1.0, 2.0, 0.0]
        );
        assert!(cody::erf(f64::NAN).is_nan() && cody::erfc(f64::NAN).is_nan());
        assert_eq!([cody::erf(f64::NEG_INFINITY), cody::erfc(f64::INFINITY)], [-1.0, 0.0]);
    }
}
