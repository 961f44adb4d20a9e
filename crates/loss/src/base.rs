//! The unit of information.

use std::f64::consts::LN_2;

use surprisal_tensor::Scalar;

/// The base of the logarithms, and so the unit in which information is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Base {
    /// Nats, the natural logarithm: what training uses.
    #[default]
    E,
    /// Bits, the logarithm to base 2: what codes and files are measured in. One bit is ln 2 = 0.693 nats.
    Two,
}

impl Base {
    /// One unit in nats: what natural logarithms are divided by.
    pub(crate) fn unit<T: Scalar>(self) -> T {
        match self {
            Base::E => T::ONE,
            Base::Two => T::of(LN_2),
        }
    }
}
