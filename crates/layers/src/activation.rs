//! Activations as layers.

use std::fmt;
use std::str::FromStr;

use surprisal_settings::{Problem, SettingError};
use surprisal_tensor::Var;

use crate::Layer;
use crate::layer::note;

/// Type, PyTorch's name, the layer with PyTorch's settings.
macro_rules! activations {
    ($($(#[$default:meta])? $Type:ident $name:literal $layer:expr;)+) => {
        $(
            pub use surprisal_tensor::ops::elementwise::$Type;

            impl Layer for $Type {
                #[track_caller]
                fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
                    let _layer = note(self, x);
                    self.apply(x)
                }
                fn kind(&self) -> String {
                    format!("{self:?}")
                }
            }
        )+

        /// An activation chosen at run time by its name in PyTorch, with PyTorch's settings.
        ///
        /// ```
        /// use surprisal_layers::Activation;
        /// assert_eq!("tanh".parse(), Ok(Activation::Tanh));
        /// assert_eq!(Activation::LeakyRelu.to_string(), "leaky_relu");
        /// assert_eq!(
        ///     "maxout".parse::<Activation>().unwrap_err().to_string(),
        ///     "no activation is named \"maxout\" | known: relu, leaky_relu, elu, silu, mish, gelu, gelu_tanh, sigmoid, tanh, \
        ///      softplus, logsigmoid"
        /// );
        /// ```
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum Activation {
            $(
                $(#[$default])?
                #[doc = concat!("\"", $name, "\": [`", stringify!($layer), "`](", stringify!($Type), ")")]
                $Type
            ),+
        }

        impl Activation {
            /// Every one of them.
            pub const ALL: &[Activation] = &[$(Activation::$Type),+];
        }

        impl Layer for Activation {
            #[track_caller]
            fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
                match self {
                    $(Activation::$Type => $layer.forward(x)),+
                }
            }
            fn kind(&self) -> String {
                match self {
                    $(Activation::$Type => $layer.kind()),+
                }
            }
        }

        /// The names, in the order of [`Activation::ALL`].
        pub(crate) const NAMES: &[&str] = &[$($name),+];
    };
}

activations! {
    #[default]
    Relu "relu" Relu;
    LeakyRelu "leaky_relu" LeakyRelu { slope: 0.01 };
    Elu "elu" Elu { alpha: 1.0 };
    Silu "silu" Silu;
    Mish "mish" Mish;
    Gelu "gelu" Gelu;
    GeluTanh "gelu_tanh" GeluTanh;
    Sigmoid "sigmoid" Sigmoid;
    Tanh "tanh" Tanh;
    Softplus "softplus" Softplus;
    LogSigmoid "logsigmoid" LogSigmoid;
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(NAMES[*self as usize])
    }
}

impl FromStr for Activation {
    type Err = SettingError;
    fn from_str(name: &str) -> Result<Self, SettingError> {
        let unknown = || Problem::Unknown { what: "activation", found: name.into(), known: NAMES.to_vec() };
        let at = NAMES.iter().position(|known| *known == name).ok_or_else(|| unknown().of(""))?;
        Ok(Activation::ALL[at])
    }
}
