//! Layers, the parts of models: a layer maps a value on a tape to another.
//!
//! | file | contents |
//! |---|---|
//! | `layer` | the trait [`Layer`]; tuples, vectors and references of layers are layers |
//! | `linear` | [`Linear`]: x W + b |
//! | `activation` | [`Relu`], [`LeakyRelu`], [`Elu`], [`Silu`], [`Gelu`], [`Sigmoid`], [`Tanh`], .. (a table), and [`Activation`] to choose one at run time |
//! | `softmax` | [`Softmax`], [`LogSoftmax`]: from logits to probabilities of classes, or their logarithms |
//! | `embedding` | [`Embedding`]: a vector for each index |
//! | `layer_norm`, `rms_norm`, `batch_norm` | [`LayerNorm`], [`BatchNorm1d`]: mean 0 and variance 1, for each row or for each feature; [`RmsNorm`]: mean square 1, for each row |
//! | `convolution` | [`Conv2d`], [`ConvTranspose2d`]: images `[N, C, H, W]`; [`Conv1d`]: sequences `[N, C, L]` |
//! | `pooling` | [`MaxPool2d`], [`AvgPool2d`], [`Upsample`]: images in other sizes; [`MaxPool1d`], [`AvgPool1d`]: sequences |
//! | `group_norm` | [`GroupNorm`]: mean 0 and variance 1, for each group of channels of a sample |
//! | `dropout` | [`Dropout`], [`Dropout2d`]: random zeros in training, of numbers or of channels |
//! | `flatten`, `residual` | [`Flatten`], [`Unflatten`]; [`Residual`]: x + f(x) |
//! | `unet` | [`UNet`]: an image to an image of the same size, for segmentation |
//! | `architecture`, `sequential` | [`Architecture`]: a net as text, "conv(16,5)-relu-maxpool(2)-10"; [`Sequential`]: its layers |
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
mod architecture;
mod batch_norm;
mod convolution;
mod dropout;
mod embedding;
mod flatten;
mod group_norm;
mod init;
mod layer;
mod layer_norm;
mod linear;
mod mlp;
mod pooling;
mod residual;
mod rms_norm;
mod sequential;
mod softmax;
mod summary;
mod unet;

pub use activation::*;
pub use architecture::{Architecture, ArchitectureError, Plan};
pub use convolution::{Length, Pair};
pub use init::{Init, Rng, normal, rng};
pub use layer::Layer;
pub use layers::*;
pub use mlp::{Sizes, SizesError};
pub use pooling::Interpolation;
pub use rand;
pub use sequential::Step;
pub use summary::{Summary, SummaryRow, summary};
pub use unet::{Normalization, UNetOptions};

/// A file, its layer, the shape of an input, and a layer for such inputs: with the tests, a layer is its file and its two lines here.
macro_rules! layers {
    ($($module:ident::$Layer:ident: $shape:expr => |$params:pat_param, $name:pat_param| $make:expr;)+) => {
        /// Every layer but the [activations](crate::Activation): for `use`.
        pub mod layers {
            pub use crate::batch_norm::BatchNorm2d;
            $(pub use crate::$module::$Layer;)+
        }

        /// One of each, with the shape of an input: for tests.
        #[doc(hidden)]
        pub fn samples(params: &mut surprisal_tensor::Params<f64>) -> Vec<(Box<dyn Layer>, Vec<usize>)> {
            vec![$({
                let ($params, $name) = (&mut *params, stringify!($module));
                (Box::new($make) as Box<dyn Layer>, $shape.to_vec())
            }),+]
        }
    };
}
layers! {
    linear::Linear: [3, 4] => |params, name| Linear::new(params, name, 4, 2, &mut rng(1));
    softmax::Softmax: [3, 4] => |_, _| Softmax;
    softmax::LogSoftmax: [3, 4] => |_, _| LogSoftmax;
    embedding::Embedding: [3] => |params, name| Embedding::new(params, name, 4, 2, &mut rng(1));
    layer_norm::LayerNorm: [3, 4] => |params, name| LayerNorm::new(params, name, 4);
    rms_norm::RmsNorm: [3, 4] => |params, name| RmsNorm::new(params, name, 4);
    batch_norm::BatchNorm1d: [3, 4] => |params, name| BatchNorm1d::new(params, name, 4);
    convolution::Conv1d: [2, 3, 5] => |params, _| Conv1d::new(params, "conv1d", [3, 2], 3, &mut rng(1)).padding(1).stride(2);
    convolution::Conv2d: [2, 3, 5, 4] => |params, name| Conv2d::new(params, name, [3, 2], [2, 3], &mut rng(1)).padding(1).stride([2, 1]);
    convolution::ConvTranspose2d: [2, 3, 3, 2] => |params, _| ConvTranspose2d::new(params, "up", [3, 2], 2, &mut rng(1)).stride(2);
    pooling::MaxPool1d: [2, 3, 5] => |_, _| MaxPool1d::new(2);
    pooling::AvgPool1d: [2, 3, 5] => |_, _| AvgPool1d::new(2);
    pooling::MaxPool2d: [2, 3, 4, 5] => |_, _| MaxPool2d::new([2, 2]);
    pooling::AvgPool2d: [2, 3, 4, 5] => |_, _| AvgPool2d::new([2, 2]);
    pooling::Upsample: [2, 3, 2, 3] => |_, _| Upsample::new(2, Interpolation::Bilinear);
    group_norm::GroupNorm: [2, 4, 3, 2] => |params, name| GroupNorm::new(params, name, 2, 4);
    dropout::Dropout: [3, 4] => |_, _| Dropout::new(0.5);
    dropout::Dropout2d: [3, 4, 2, 2] => |_, _| Dropout2d::new(0.5);
    flatten::Flatten: [3, 2, 2] => |_, _| Flatten;
    flatten::Unflatten: [3, 12] => |_, _| Unflatten::new([3, 2, 2]);
    unet::UNet: [2, 2, 4, 2] => |params, name| {
        let options = UNetOptions { levels: 2, width: 2, norm: Normalization::Group(2), upsample: Some(Interpolation::Bilinear) };
        UNet::new(params, name, [2, 1], options, &mut rng(1))
    };
    residual::Residual: [3, 4] => |params, name| Residual(Linear::new(params, name, 4, 4, &mut rng(1)));
    sequential::Sequential: [2, 48] => |params, name| {
        let net = "conv(6,3,padding=1,groups=3)-groupnorm(3)-relu-maxpool(2)-convt(2,2,stride=2)-tanh-dropout(0.5)-3";
        let plan = net.parse::<Architecture>().and_then(|net| net.plan(&[3, 4, 4])).expect("a net");
        Sequential::with_init(&mut params.scope(name), &plan, Activation::Relu, Init::Linear, Init::Linear, &mut rng(1))
    };
    mlp::Mlp: [3, 4] => |params, _| Mlp::new(params, &"4-5-2".parse().expect("sizes"), Activation::Tanh, &mut rng(1));
}
