//! ln p - x + c, also where the three all but cancel.

use surprisal_tensor::Scalar;

surprisal_tensor::in_kernels! {
    /// r = ln p - x + c, for every p and x.
    ///
    /// The logarithm is rounded, and where x is that number again, as it is where a model has learned p, what the rounding lost is all there is.
    /// Such r, and those that have lost 12 bits or more, are computed a second time.
    pub(crate) fn log_ratios<T: Scalar>(p: &[T], x: &[T], c: T, r: &mut [T]) {
        let canceled = |r: T, x: T| r.abs() < T::of(1.0 / 4096.0) * (x.abs() + c);
        let mut any = false;
        for ((r, &p), &x) in r.iter_mut().zip(p).zip(x) {
            *r = (p.ln() - x) + c;
            any |= canceled(*r, x);
        }
        if any {
            for ((r, &p), &x) in r.iter_mut().zip(p).zip(x).filter(|((r, _), x)| canceled(**r, **x)) {
                *r += T::of(log_ratio(p.value(), x.value(), c.value()) - r.value()); // a derivative stays what it is
            }
        }
    }
}

/// ln p - x + c, with ln p in twice the digits.
#[cold]
pub(crate) fn log_ratio(p: f64, x: f64, c: f64) -> f64 {
    let (high, low) = ln(p);
    let (d, lost) = two_sum(high, -x);
    let (r, lost_too) = two_sum(d, c);
    r + (lost_too + (lost + low))
}

/// ln p as a sum of two numbers, with an error of about 2^-100: p = 2^k m, ln m = 2 artanh s, s = (m - 1) / (m + 1).
///
/// Source of the arithmetic: Dekker 1971, "A floating-point technique for extending the available precision".
fn ln(p: f64) -> (f64, f64) {
    const SQRT_HALF: i64 = 0x3fe6_a09e_667f_3bcd;
    const LN_2: (f64, f64) = (std::f64::consts::LN_2, 2.319_046_813_846_299_6e-17);
    let (p, shift) = if p < f64::MIN_POSITIVE { (p * 2f64.powi(54), 54) } else { (p, 0) };
    let k = (p.to_bits() as i64 - SQRT_HALF) >> 52;
    let m = f64::from_bits((p.to_bits() as i64 - (k << 52)) as u64);
    let (sum, lost) = two_sum(m, 1.0);
    let s = (m - 1.0) / sum;
    let s = (s, ((-s).mul_add(sum, m - 1.0) - s * lost) / sum);
    // s² is at most 0.03, so that 24 terms of Σ s^2n / (2n + 1) are enough
    let square = product(s, s);
    let series = (0..24).rev().fold((0.0, 0.0), |series, n| {
        let n = f64::from(2 * n + 1);
        let (high, low) = product(series, square);
        let (sum, lost) = two_sum(1.0 / n, high);
        (sum, lost + low + (-1.0 / n).mul_add(n, 1.0) / n)
    });
    let (a, a_low) = product(((k - shift) as f64, 0.0), LN_2);
    let (b, b_low) = product((2.0 * s.0, 2.0 * s.1), series);
    let (high, low) = two_sum(a, b);
    (high, low + (a_low + b_low))
}

/// a + b, and what rounding it lost: Knuth, *The Art of Computer Programming* 2 (1997), 4.2.2, theorem B.
pub(crate) fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let from_b = sum - a;
    (sum, (a - (sum - from_b)) + (b - from_b))
}

fn product(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    let high = a.0 * b.0;
    (high, a.0.mul_add(b.0, -high) + (a.0 * b.1 + a.1 * b.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rounding_a_logarithm_lost() {
        // p, ln p as it is rounded, and the difference from 70 digits
        for (p, x, lost) in [
            (0.1, -2.3025850929940455, -1.7150243628057985e-16),
            (0.99, -0.01005033585350145, 4.341832787901687e-19),
            (0.3, -1.2039728043259361, 8.935521583403776e-17),
            (1e-300, -690.7755278982137, -2.367009617670983e-14),
            (5e-324, -744.4400719213812, -4.422444340918698e-14),
        ] {
            for c in [0.0, 1.0] {
                let mut r = [f64::NAN];
                log_ratios(&[p], &[x + c], c, &mut r);
                let exact = lost + (x - ((x + c) - c)); // the second is what rounding x + c lost
                assert!((r[0] - exact).abs() <= 1e-12 * exact.abs(), "{p}: {:e} is {exact:e}", r[0]);
            }
        }
    }
}
