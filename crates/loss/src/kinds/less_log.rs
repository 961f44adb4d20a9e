//! x - ln t where the two all but cancel, for the few places where that is what a loss is about.

/// `x - ln t` for finite x near ln t and normal t, within 2^-59 where a plain difference is off by half an ULP of ln t.
///
/// With `t = 2^k m`, m in [√½, √2], and `s = (m - 1) / (m + 1)`: `ln t = k ln 2 + 2 (s + s³/3 + s⁵/5 + ..)`. What is large, `k ln 2` and `2s`,
/// is near x, and is taken from it without a rounding (Sterbenz); so only what is small is rounded.
///
/// Source: Muller, *Elementary Functions* (2016), for the series; the two parts of ln 2 are those of fdlibm.
#[cold]
pub(crate) fn less_log(x: f64, t: f64) -> f64 {
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1; // 33 bits: its product with k is exact
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let k = t.log2().round();
    let m = t * 2f64.powi(-k as i32);
    let (difference, sum) = (m - 1.0, m + 1.0);
    let sum_lost = m - (sum - 1.0);
    let s = difference / sum;
    let s_lost = (f64::mul_add(-s, sum, difference) - s * sum_lost) / sum;
    let z = s * s; // at most 0.0295: 13 terms reach 2^-63
    let series = (1..=13).rev().fold(0.0, |tail, j| z * (1.0 / f64::from(2 * j + 1) + tail));
    let large = (x - k * LN_2_HIGH) - 2.0 * s;
    large - (2.0 * (s * series + s_lost) + k * LN_2_LOW)
}

#[cfg(test)]
mod tests {
    use super::less_log;

    #[test]
    fn keeps_what_a_plain_difference_loses() {
        // x is ln t rounded to f64, and what that has lost, computed with 60 digits
        for (t, x, exact) in [
            (0.1, -2.302_585_092_994_045_5, 1.715_024_362_805_798_5e-16),
            (0.7, -0.356_674_943_938_732_45, -4.825_563_799_376_62e-18),
            (2.0, std::f64::consts::LN_2, -2.319_046_813_846_3e-17),
            (7.0, 1.945_910_149_055_313_2, -7.323_586_208_2e-17),
            (1e6, 13.815_510_557_964_274, -4.739_031_053_709_008e-16),
            (1e300, 690.775_527_898_213_7, -2.374_766_002_880_024_4e-14),
        ] {
            let error = less_log(x, t) - exact;
            assert!(error.abs() < 0.5f64.powi(59), "x - ln {t} is {exact:e}, off by {error:e}");
        }
    }
}
