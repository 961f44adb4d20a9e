//! Losses of rows that contain a softmax: its derivative, also where that cancels.

use surprisal_tensor::Scalar;
use surprisal_tensor::sum::sum_of;

use crate::kinds::log_ratio::two_sum;

surprisal_tensor::in_kernels! {
    /// The mean Σ_j p_j u_j, and that of |u|, by which it is rounded; where p is 0, u may be infinite. `terms` is room to work in.
    pub(crate) fn means<T: Scalar>(p: &[T], u: &[T], terms: &mut [T]) -> (T, T) {
        for ((term, &p), &u) in terms.iter_mut().zip(p).zip(u) {
            *term = if p == T::ZERO { T::ZERO } else { p * u };
        }
        let mean = sum_of(terms);
        for term in terms.iter_mut() {
            *term = term.abs();
        }
        (mean, sum_of(terms))
    }
}

/// Whether of terms of that size so little is left that it cannot be trusted.
#[inline(always)]
pub(crate) fn canceled<T: Scalar>(left: T, size: T) -> bool {
    left.abs() < T::of(1.0 / 65536.0) * size
}

/// Replaces p_i by `scale` p_i (mean - u_i), with the mean of u from [`means`]: what a softmax makes of slopes -u. Uses up u.
///
/// For logits that are nearly equal, u_i of the one in the middle is the mean but for a second-order term. Where so much cancels, the
/// difference is computed again from `log_p(j)`, ln p_j less its maximum, and `difference(j, i)`, u_j - u_i.
#[inline(always)]
pub(crate) fn center<T: Scalar>(
    p: &mut [T],
    u: &mut [T],
    (mean, size): (T, T),
    scale: T,
    log_p: impl Fn(usize) -> f64,
    difference: impl Fn(usize, usize) -> f64,
) {
    let mut any = false;
    for u in u.iter_mut() {
        *u = mean - *u;
        any |= canceled(*u, size);
    }
    if any {
        for (i, u) in u.iter_mut().enumerate().filter(|(_, u)| canceled(**u, size)) {
            // only the value: a derivative stays what it is
            *u += T::of(mean_again(p.len(), &log_p, |j| difference(j, i)) - u.value());
        }
    }
    for (p, &u) in p.iter_mut().zip(u.iter()) {
        *p = if *p == T::ZERO { T::ZERO } else { scale * (*p * u) };
    }
}

/// Σ_j p_j v_j in `f64`, for v of which nearly as much is positive as negative.
///
/// With p_j = (1 + x_j) / Σ, equal shares apart from x: the v are summed exactly, or nearly so, and what the x add is kept beside that.
#[cold]
pub(crate) fn mean_again(n: usize, log_p: impl Fn(usize) -> f64, v: impl Fn(usize) -> f64) -> f64 {
    let (mut equal, mut rest, mut total) = (0.0, 0.0, 0.0);
    for (log_p, j) in (0..n).map(|j| (log_p(j), j)).filter(|&(log_p, _)| log_p > f64::NEG_INFINITY) {
        total += log_p.exp();
        if log_p > -0.5 {
            let (sum, lost) = two_sum(equal, v(j));
            equal = sum;
            rest += lost + log_p.exp_m1() * v(j);
        } else {
            rest += log_p.exp() * v(j);
        }
    }
    (equal + rest) / total
}
