//! A net that is written as text: [`Architecture`], as a layer.

use surprisal_tensor::ops::convolution;
use surprisal_tensor::{ParamId, Params, Scalar, Var};

use crate::architecture::{Name, Part};
use crate::layer::step;
use crate::*;

macro_rules! steps {
    ($($Name:ident($Layer:ty)),+) => {
        /// A layer of a [`Sequential`].
        #[derive(Clone, Debug)]
        #[allow(missing_docs, reason = "each has the name of its layer")]
        pub enum Step { $($Name($Layer)),+ }

        impl Layer for Step {
            #[track_caller]
            fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
                match self { $(Step::$Name(layer) => layer.forward(x)),+ }
            }
            fn kind(&self) -> String {
                match self { $(Step::$Name(layer) => layer.kind()),+ }
            }
        }
    };
}
steps! {
    Linear(Linear), Activation(Activation), Conv2d(Conv2d), ConvTranspose2d(ConvTranspose2d), MaxPool2d(MaxPool2d), AvgPool2d(AvgPool2d),
    Upsample(Upsample), BatchNorm(BatchNorm1d), GroupNorm(GroupNorm), Dropout(Dropout), Dropout2d(Dropout2d), Flatten(Flatten),
    UNet(UNet)
}

impl Step {
    /// The weight and the bias of a linear layer or a convolution.
    pub fn weights(&self) -> Option<(ParamId, Option<ParamId>)> {
        match self {
            Step::Linear(layer) => Some((layer.weight, Some(layer.bias))),
            Step::Conv2d(layer) => Some((layer.weight, layer.bias)),
            Step::ConvTranspose2d(layer) => Some((layer.weight, layer.bias)),
            _ => None,
        }
    }
}

/// Layers in a row, whose number and kinds are known only at run time: the net of an [`Architecture`].
///
/// Takes `[N, features]`; if its inputs are images, these are the pixels of `[N, C, H, W]`, which it takes too. The layers of a dense net
/// are named `layer1`, `layer2`, .. in the parameters, as those of an [`Mlp`]; otherwise the k-th part is `layerK`, with or without
/// parameters, so that PyTorch's `Sequential` of the same layers has the same numbers, from 0.
///
/// ```
/// use surprisal_layers::{Activation, Architecture, Init, Layer, Sequential, rng};
/// use surprisal_tensor::{Params, Workspace, ndarray::Array2};
/// let plan = "conv(8,3)-relu-maxpool(2)-10".parse::<Architecture>()?.plan(&[1, 8, 8])?;
/// let mut params = Params::new();
/// let model = Sequential::with_init(&mut params, &plan, Activation::Relu, Init::Linear, Init::Linear, &mut rng(7));
/// let names: Vec<_> = params.entries().iter().map(|entry| entry.name.as_str()).collect();
/// assert_eq!(names, ["layer1.weight", "layer1.bias", "layer5.weight", "layer5.bias"]); // 2: relu, 3: maxpool, 4: flatten
/// let y = Workspace::new().eval(&params, |tape| model.forward(tape.input(&Array2::<f32>::zeros((2, 64)))));
/// assert_eq!(y.shape(), [2, 10]);
/// # Ok::<(), surprisal_layers::ArchitectureError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sequential {
    image: Option<[usize; 3]>,
    steps: Vec<Step>,
}

impl Sequential {
    /// Adds the parameters of a net; the activation is that of a dense net, and those of parts are in their text.
    ///
    /// # Panics
    /// If a name is taken.
    #[track_caller]
    pub fn with_init<T: Scalar>(
        params: &mut Params<T>,
        plan: &Plan,
        activation: Activation,
        weight: Init,
        bias: Init,
        rng: &mut Rng,
    ) -> Sequential {
        if let Some(sizes) = plan.architecture().sizes() {
            return Sequential::from(&Mlp::with_init(params, sizes, activation, weight, bias, rng));
        }
        let mut steps = Vec::new();
        for (k, (part, x)) in plan.parts.iter().enumerate() {
            let name = format!("layer{}", k + 1);
            let (layer, values) = match part {
                Part::Activation(activation) => {
                    steps.push(Step::Activation(*activation));
                    continue;
                }
                Part::Dense(outputs) => {
                    steps.push(Step::Linear(Linear::with_init(
                        params, &name, x[0], *outputs, weight, bias, rng,
                    )));
                    continue;
                }
                Part::Layer(layer, values) => (*layer, values),
            };
            let (pair, number) =
                (|k| Part::pair(values, k), |k: usize| values[k].number().unwrap_or_default());
            /// A convolution or its transpose: the same options.
            macro_rules! convolution {
                ($Layer:ident $($output_padding:ident)?) => {{
                    let bias = (number(6) != 0.0).then_some(bias);
                    let channels = [x[0], pair(0)[0]];
                    let conv = convolution::$Layer {
                        stride: pair(2),
                        padding: pair(3),
                        dilation: pair(4),
                        groups: pair(5)[0],
                        $($output_padding: pair(7),)?
                    };
                    $Layer::with_init(params, &name, channels, pair(1), conv, weight, bias, rng)
                }};
            }
            steps.push(match layer {
                Name::Conv => Step::Conv2d(convolution!(Conv2d)),
                Name::ConvT => Step::ConvTranspose2d(convolution!(ConvTranspose2d output_padding)),
                Name::MaxPool => Step::MaxPool2d(MaxPool2d {
                    stride: pair(1),
                    padding: pair(2),
                    ..MaxPool2d::new(pair(0))
                }),
                Name::AvgPool => Step::AvgPool2d(AvgPool2d {
                    stride: pair(1),
                    padding: pair(2),
                    ..AvgPool2d::new(pair(0))
                }),
                Name::GlobalAvgPool => Step::AvgPool2d(AvgPool2d::new([x[1], x[2]])),
                Name::Upsample => {
                    let bilinear = values[1] == surprisal_settings::Value::Text("bilinear".into());
                    let mode = if bilinear { Interpolation::Bilinear } else { Interpolation::Nearest };
                    Step::Upsample(Upsample::new(pair(0), mode))
                }
                Name::BatchNorm => Step::BatchNorm(BatchNorm1d::new(params, &name, x[0])),
                Name::GroupNorm => Step::GroupNorm(GroupNorm::new(params, &name, pair(0)[0], x[0])),
                Name::Dropout => Step::Dropout(Dropout::new(number(0))),
                Name::Dropout2d => Step::Dropout2d(Dropout2d::new(number(0))),
                Name::Flatten => Step::Flatten(Flatten),
                Name::UNet => {
                    let (options, outputs) = part.unet().expect("a U-Net");
                    let channels = [x[0], outputs];
                    Step::UNet(UNet::with_init(params, &name, channels, options, weight, bias, rng))
                }
            });
        }
        Sequential { image: plan.architecture().image(), steps }
    }

    /// The layers, from the inputs on.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The shape of an image, if the inputs are images.
    pub fn image(&self) -> Option<[usize; 3]> {
        self.image
    }

    /// What the first layer takes: rows of pixels as images `[N, C, H, W]`, and everything else as it is.
    ///
    /// # Panics
    /// At the caller's line, if rows have another number of pixels.
    #[track_caller]
    pub fn arrange<'t>(&self, x: Var<'t>) -> Var<'t> {
        match (self.image, x.shape().dims()) {
            (Some([c, h, w]), &[rows, _]) => x.reshape([rows, c, h, w]),
            _ => x,
        }
    }
}

impl From<&Mlp> for Sequential {
    fn from(mlp: &Mlp) -> Self {
        let mut steps = Vec::new();
        for (k, layer) in mlp.layers().iter().enumerate() {
            if k > 0 {
                steps.push(Step::Activation(mlp.activation()));
            }
            steps.push(Step::Linear(*layer));
        }
        Sequential { image: None, steps }
    }
}
impl From<&Sequential> for Sequential {
    fn from(net: &Sequential) -> Self {
        net.clone()
    }
}

impl Layer for Sequential {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let mut x = self.arrange(x);
        for layer in &self.steps {
            x = step(layer, x);
        }
        x
    }
    fn kind(&self) -> String {
        String::new()
    }
}
