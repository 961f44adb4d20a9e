//! What the focal losses share: the factor that turns down easy examples.

use surprisal_tensor::Scalar;

use crate::kinds::data::{Checked, check_option};

/// q^γ, without a power function for the usual γ; 0^0 = 1.
#[inline(always)]
pub(crate) fn power<T: Scalar>(q: T, gamma: f64) -> T {
    if gamma == 0.0 {
        T::ONE
    } else if gamma == 1.0 {
        q
    } else if gamma == 2.0 {
        q * q
    } else {
        q.powf(gamma)
    }
}

pub(crate) fn check_gamma(loss: &'static str, gamma: f64) -> Checked {
    let told = "it is finite and not negative; 0 is cross-entropy, 2 is usual";
    check_option(loss, "gamma", gamma, gamma >= 0.0 && gamma.is_finite(), told)
}
