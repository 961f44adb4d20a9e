//! Errors of names of activations and initializers.

use std::fmt;

use crate::Activation;

/// A text that names no [`Activation`] or no [`Init`](crate::Init).
///
/// ```
/// use surprisal_layers::{Activation, NameError};
/// let error = "swish".parse::<Activation>().unwrap_err();
/// assert_eq!(error, NameError::Activation { found: "swish".into() });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameError {
    /// There is no activation of this name.
    Activation {
        /// The text.
        found: String,
    },
    /// There is no initializer of this name, or its number is out of range.
    Init {
        /// The text.
        found: String,
    },
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            NameError::Activation { found } => {
                let names: Vec<_> = Activation::ALL.iter().map(Activation::to_string).collect();
                let (last, others) = names.split_last().expect("there are activations");
                write!(f, "there is no activation \"{found}\": choose {} or {last}", others.join(", "))
            }
            NameError::Init { found } => write!(
                f,
                "unknown initializer \"{found}\": choose zeros, constant:VALUE, uniform:BOUND, normal, normal:DEVIATION, \
                 linear, normal_over_sqrt_inputs, xavier_uniform, xavier_normal, kaiming_uniform, kaiming_normal, \
                 orthogonal or orthogonal:GAIN; numbers are finite, a bound, standard deviation or gain not negative"
            ),
        }
    }
}

impl std::error::Error for NameError {}
