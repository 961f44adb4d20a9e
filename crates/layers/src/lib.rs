//! Layers, the parts of models: a layer maps a value on a tape to another.
//!
//! | file | contents |
//! |---|---|
//! | `layer` | the trait [`Layer`]; tuples, vectors and references of layers are layers |
//! | `linear` | [`Linear`]: x W + b |
//! | `activation` | [`Relu`], [`LeakyRelu`], [`Elu`], [`Silu`], [`Gelu`], [`Sigmoid`], [`Tanh`], .. (a table), and [`Activation`] to choose one at run time |
//! | `softmax` | [`Softmax`], [`LogSoftmax`]: from logits to probabilities of classes, or their logarithms |
//! | `embedding` | [`Embedding`]: a vector for each index |
//! | `layer_norm`, `batch_norm` | [`LayerNorm`], [`BatchNorm1d`]: mean 0 and variance 1, for each row or for each feature |
//! | `dropout` | [`Dropout`]: random zeros in training |
//! | `flatten`, `residual` | [`Flatten`]; [`Residual`]: x + f(x) |
//! | `mlp` | [`Mlp`]: a multilayer perceptron whose sizes are known only at run time, "64-32-10" |
//! | `init` | initializers of weights: [`Init`]; the random number generator: [`rng`] |
//! | `summary` | [`summary()`]: the summary of a model, as a table |
//!
//! A layer contains the indices of its parameters, not their values: these are in [`Params`](surprisal_tensor::Params). So the
//! same model computes in `f32`, in `f64` and with dual numbers.
//!
//! ```
//! use surprisal_layers::{Layer, Linear, Relu, rng};
//! use surprisal_tensor::{Params, Workspace, ndarray::Array2};
//!
//! let mut rng = rng(7);
//! let mut params = Params::new();
//! let model = (
//!     Linear::new(&mut params, "hidden", 64, 32, &mut rng),
//!     Relu,
//!     Linear::new(&mut params, "out", 32, 10, &mut rng),
//! );
//! let mut workspace = Workspace::new();
//! let tape = workspace.tape(&params);
//! let logits = model.forward(tape.input(&Array2::<f32>::zeros((5, 64))));
//! assert_eq!(logits.shape().dims(), [5, 10]);
//! ```

#![forbid(unsafe_code)]

mod activation;
mod batch_norm;
mod dropout;
mod embedding;
mod flatten;
mod init;
mod layer;
mod layer_norm;
mod linear;
mod mlp;
mod residual;
mod softmax;
mod summary;

pub use activation::{
    Activation, Elu, Gelu, GeluTanh, LeakyRelu, LogSigmoid, Relu, Sigmoid, Silu, Softplus, Tanh,
};
pub use batch_norm::BatchNorm1d;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use flatten::Flatten;
pub use init::{Init, Rng, normal, rng};
pub use layer::Layer;
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use mlp::{Mlp, Sizes, SizesError};
pub use rand;
pub use residual::Residual;
pub use softmax::{LogSoftmax, Softmax};
pub use summary::{Summary, SummaryRow, summary};
