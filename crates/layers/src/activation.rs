//! Activations as layers.

use std::fmt;
use std::str::FromStr;

pub use surprisal_tensor::ops::elementwise::{Relu, Sigmoid, Tanh};
use surprisal_tensor::{Scalar, Var};

use crate::Layer;

macro_rules! layers {
    ($($Type:ident $method:ident)+) => { $(
        impl Layer for $Type {
            #[track_caller]
            fn forward<'t, T: Scalar>(&self, x: Var<'t, T>) -> Var<'t, T> {
                x.$method()
            }
        }
    )+ };
}
layers! { Sigmoid sigmoid Tanh tanh Relu relu }

/// The probabilities of the classes, along the last axis. For training leave it out: the fused losses take logits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Softmax;

impl Layer for Softmax {
    #[track_caller]
    fn forward<'t, T: Scalar>(&self, x: Var<'t, T>) -> Var<'t, T> {
        x.softmax(-1)
    }
}

/// An activation chosen at run time, from "relu", "sigmoid" or "tanh".
///
/// ```
/// use surprisal_layers::Activation;
/// assert_eq!("tanh".parse(), Ok(Activation::Tanh));
/// assert_eq!(
///     "swish".parse::<Activation>().unwrap_err(),
///     "there is no activation \"swish\": choose relu, sigmoid or tanh"
/// );
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activation {
    /// [`Relu`]
    #[default]
    Relu,
    /// [`Sigmoid`]
    Sigmoid,
    /// [`Tanh`]
    Tanh,
}

impl Layer for Activation {
    #[track_caller]
    fn forward<'t, T: Scalar>(&self, x: Var<'t, T>) -> Var<'t, T> {
        match self {
            Activation::Relu => x.relu(),
            Activation::Sigmoid => x.sigmoid(),
            Activation::Tanh => x.tanh(),
        }
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Activation::Relu => "relu",
            Activation::Sigmoid => "sigmoid",
            Activation::Tanh => "tanh",
        })
    }
}

impl FromStr for Activation {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        let all = [Activation::Relu, Activation::Sigmoid, Activation::Tanh];
        all.into_iter()
            .find(|activation| activation.to_string() == name)
            .ok_or_else(|| format!("there is no activation \"{name}\": choose relu, sigmoid or tanh"))
    }
}
