//! U-Net: an image to an image of the same size.

use surprisal_formula_macro::math;
use surprisal_tensor::ops::convolution;
use surprisal_tensor::{Params, Scalar, Var, concat};

use crate::layer::{note, step};
use crate::*;

/// The settings of a [`UNet`].
///
/// ```
/// use surprisal_layers::{Interpolation, Normalization, UNetOptions};
/// let small = UNetOptions { levels: 2, norm: Normalization::Group(4), ..UNetOptions::default() };
/// assert_eq!((small.width, small.upsample), (8, None)); // transposed convolutions
/// assert!(small.check([30, 32]).is_ok()); // both are even
/// assert!(UNetOptions { upsample: Some(Interpolation::Bilinear), levels: 0, ..small }.check([32, 32]).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UNetOptions {
    /// The number of levels, 1 to 10; each but the first has half the height and width of the level above, and twice its channels.
    pub levels: usize,
    /// The channels of the first level, 1 or more.
    pub width: usize,
    /// The normalization after each 3x3 convolution.
    pub norm: Normalization,
    /// How an image becomes twice as high and wide: `None` by a transposed 2x2 convolution that also halves the channels, otherwise by
    /// interpolation, which keeps them.
    pub upsample: Option<Interpolation>,
}

/// 3 levels, 8 channels, no normalization, transposed convolutions.
impl Default for UNetOptions {
    fn default() -> Self {
        UNetOptions { levels: 3, width: 8, norm: Normalization::None, upsample: None }
    }
}

/// The normalization after the convolutions of a [`UNet`], which then have no bias.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Normalization {
    /// None.
    #[default]
    None,
    /// [`BatchNorm2d`].
    Batch,
    /// [`GroupNorm`] with this number of groups, which divides the channels of each level.
    Group(usize),
}

/// More levels would need images of 1024 pixels or more.
const MOST_LEVELS: usize = 10;

impl UNetOptions {
    /// Whether images of this height and width fit: every level but the last has an even height and width, so that an image has its old
    /// size again where a skip connection joins it.
    ///
    /// ```
    /// use surprisal_layers::UNetOptions;
    /// let (problem, advice) = UNetOptions::default().check([32, 30]).unwrap_err();
    /// assert_eq!(problem, "at level 2, an image of 16x15 comes back as 16x14 and does not fit its skip connection");
    /// assert_eq!(advice, "crop or pad the images to multiples of 4, such as 32x28 or 32x32, or use fewer levels");
    /// ```
    ///
    /// # Errors
    /// If not, or if a setting is out of its range: what is wrong, and what to do.
    pub fn check(&self, [height, width]: [usize; 2]) -> Result<(), (String, String)> {
        let UNetOptions { levels, width: channels, norm, .. } = *self;
        if !(1..=MOST_LEVELS).contains(&levels) || channels == 0 {
            let problem = format!("{levels} levels and {channels} channels");
            return Err((problem, format!("give 1 to {MOST_LEVELS} levels, and 1 channel or more")));
        }
        if let Normalization::Group(groups) = norm
            && (groups == 0 || !channels.is_multiple_of(groups))
        {
            let problem = format!("{groups} groups do not divide {channels} channels");
            return Err((problem, "choose a number of groups that divides them".into()));
        }
        let multiple = 1 << (levels - 1);
        for level in 0..levels - 1 {
            let [h, w] = [height >> level, width >> level];
            if h < 2 || w < 2 || h % 2 + w % 2 > 0 {
                let (halved, by) = ([h / 2 * 2, w / 2 * 2], |[h, w]: [usize; 2]| format!("{h}x{w}"));
                let [low, high] = [false, true].map(|up| {
                    by([height, width].map(|size| {
                        let least = size / multiple * multiple;
                        if size == least { size } else { least + if up { multiple } else { 0 } }
                    }))
                });
                let such =
                    if height < multiple || width < multiple { high } else { format!("{low} or {high}") };
                return Err((
                    format!(
                        "at level {}, an image of {} comes back as {} and does not fit its skip connection",
                        level + 1,
                        by([h, w]),
                        by(halved)
                    ),
                    format!(
                        "crop or pad the images to multiples of {multiple}, such as {such}, or use fewer levels"
                    ),
                ));
            }
        }
        Ok(())
    }

    /// The number of parameters, with buffers, for these numbers of input and output channels.
    ///
    /// ```
    /// assert_eq!(surprisal_layers::UNetOptions::default().parameters([1, 1]), 29_321);
    /// ```
    pub fn parameters(&self, [inputs, outputs]: [usize; 2]) -> usize {
        let product = |factors: &[usize]| factors.iter().fold(1, |n: usize, &k| n.saturating_mul(k));
        let of_norm = match self.norm {
            Normalization::None => 1, // the bias
            Normalization::Batch => 4,
            Normalization::Group(_) => 2,
        };
        let conv = |c: usize, o: usize| product(&[9, c, o]).saturating_add(product(&[of_norm, o]));
        let pair = |c: usize, o: usize| conv(c, o).saturating_add(conv(o, o));
        let width = |level: usize| self.width.saturating_mul(1 << level);
        let mut all = pair(inputs, width(0)).saturating_add(product(&[width(0) + 1, outputs]));
        for level in 1..self.levels {
            let (above, here) = (width(level - 1), width(level));
            let up = if self.upsample.is_none() { product(&[4, here, above]) + above } else { 0 };
            let joined = above + if self.upsample.is_none() { above } else { here };
            all = [pair(above, here), up, pair(joined, above)].into_iter().fold(all, usize::saturating_add);
        }
        all
    }
}

/// An image to an image of the same size, `[N, C, H, W]` to `[N, O, H, W]`: for segmentation, O logits for each pixel.
///
/// With L levels of `c_k = width 2^(k-1)` channels:
///
#[doc = math!("d_1 = f(x), d_(k+1) = f(maxpool_2(d_k))")]
#[doc = math!("u_L = d_L, u_k = f(concat(d_k, up(u_(k+1)))), y = W u_1 + b")]
///
/// where f is a 3x3 convolution with padding 1 and a relu, twice, and `up` doubles height and width ([`UNetOptions::upsample`]). The way down
/// sees more and more of the image at fewer and fewer places; the skip connections `d_k` bring back where exactly things are. With
/// [`Normalization`], it is between convolution and relu, and the 3x3 convolutions have no bias.
///
/// | parameters | of |
/// |---|---|
/// | `NAME.downK.conv1`, `NAME.downK.conv2` | the convolutions on the way down, K = 1 to L |
/// | `NAME.upK.up` | the transposed convolution from level K + 1 up to level K |
/// | `NAME.upK.conv1`, `NAME.upK.conv2` | the convolutions on the way up |
/// | `NAME.downK.norm1`, .. | the normalization after `conv1`, .. |
/// | `NAME.out` | the 1x1 convolution at the end |
///
/// ```
/// use surprisal_layers::{Layer, UNet, UNetOptions, rng};
/// use surprisal_tensor::{Params, Workspace, ndarray::Array4};
/// let mut params = Params::new();
/// let net = UNet::new(&mut params, "unet", [1, 2], UNetOptions::default(), &mut rng(7));
/// let images = Array4::<f32>::zeros((4, 1, 32, 32));
/// let logits = Workspace::new().eval(&params, |tape| net.forward(tape.input(&images)));
/// assert_eq!(logits.shape(), [4, 2, 32, 32]); // for surprisal_loss::softmax_cross_entropy with labels of [4, 32, 32]
/// ```
///
/// # Panics
/// [`forward`](Layer::forward) at the caller's line, if the input is not images of as many channels, or if their size does not fit:
/// [`UNetOptions::check`].
///
/// # Source
/// Ronneberger, Fischer and Brox 2015, "U-Net: Convolutional Networks for Biomedical Image Segmentation"; with padding, so that sizes stay.
#[derive(Clone, Debug)]
pub struct UNet {
    options: UNetOptions,
    down: Vec<[ConvNorm; 2]>,
    up: Vec<(Option<ConvTranspose2d>, [ConvNorm; 2])>, // from level K + 1 to level K
    out: Conv2d,
}

/// A 3x3 convolution, its normalization and a relu.
#[derive(Clone, Copy, Debug)]
enum ConvNorm {
    Plain(Conv2d),
    Batch(Conv2d, BatchNorm1d),
    Group(Conv2d, GroupNorm),
}

impl ConvNorm {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let conv = |conv: &Conv2d| step(conv, x);
        let y = match self {
            ConvNorm::Plain(layer) => conv(layer),
            ConvNorm::Batch(layer, norm) => step(norm, conv(layer)),
            ConvNorm::Group(layer, norm) => step(norm, conv(layer)),
        };
        step(&Relu, y)
    }
}

impl UNet {
    /// Adds the parameters of a net for `[inputs, outputs]` channels, initialized as PyTorch's layers ([`Init::Linear`]).
    ///
    /// See the example above.
    ///
    /// # Panics
    /// If a name is taken, or a setting is out of its range.
    #[track_caller]
    pub fn new<T: Scalar>(
        params: &mut Params<T>,
        name: &str,
        channels: [usize; 2],
        options: UNetOptions,
        rng: &mut Rng,
    ) -> UNet {
        UNet::with_init(params, name, channels, options, Init::Linear, Init::Linear, rng)
    }

    /// [`new`](Self::new) with initializers of weights and biases.
    ///
    /// ```
    /// use surprisal_layers::{Init, UNet, UNetOptions, rng};
    /// use surprisal_tensor::Params;
    /// let mut params = Params::new();
    /// UNet::with_init(&mut params, "unet", [1, 1], UNetOptions::default(), Init::KaimingNormal, Init::Zeros, &mut rng(7));
    /// assert_eq!(params.as_slice().len(), 29_321);
    /// ```
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub fn with_init<T: Scalar>(
        params: &mut Params<T>,
        name: &str,
        [inputs, outputs]: [usize; 2],
        options: UNetOptions,
        weight: Init,
        bias: Init,
        rng: &mut Rng,
    ) -> UNet {
        if let Err((problem, advice)) = options.check([1 << MOST_LEVELS; 2]) {
            panic!("{name}: {problem}: {advice}");
        }
        let params = &mut *params.scope(name);
        let plain = convolution::Conv2d::default();
        let same = convolution::Conv2d { padding: [1, 1], ..plain };
        let twice = convolution::ConvTranspose2d { stride: [2, 2], ..Default::default() };
        let conv = |params: &mut Params<T>, scope: &str, k: usize, channels: [usize; 2], rng: &mut Rng| {
            let params = &mut *params.scope(scope);
            let own_bias = (options.norm == Normalization::None).then_some(bias);
            let conv =
                Conv2d::with_init(params, &format!("conv{k}"), channels, 3, same, weight, own_bias, rng);
            let norm = format!("norm{k}");
            match options.norm {
                Normalization::None => ConvNorm::Plain(conv),
                Normalization::Batch => ConvNorm::Batch(conv, BatchNorm1d::new(params, &norm, channels[1])),
                Normalization::Group(groups) => {
                    ConvNorm::Group(conv, GroupNorm::new(params, &norm, groups, channels[1]))
                }
            }
        };
        let pair = |params: &mut Params<T>, scope: &str, [c, o]: [usize; 2], rng: &mut Rng| {
            [conv(params, scope, 1, [c, o], rng), conv(params, scope, 2, [o, o], rng)]
        };
        let width = |level: usize| if level == 0 { inputs } else { options.width << (level - 1) };
        let down = (1..=options.levels)
            .map(|level| pair(params, &format!("down{level}"), [width(level - 1), width(level)], rng))
            .collect();
        let mut up = Vec::from_iter((1..options.levels).rev().map(|level| {
            let (scope, [here, below]) = (format!("up{level}"), [width(level), width(level + 1)]);
            let transposed = options.upsample.is_none().then(|| {
                let params = &mut *params.scope(&scope);
                ConvTranspose2d::with_init(params, "up", [below, here], 2, twice, weight, Some(bias), rng)
            });
            let joined = here + if transposed.is_some() { here } else { below };
            (transposed, pair(params, &scope, [joined, here], rng))
        }));
        up.reverse();
        let out = Conv2d::with_init(params, "out", [width(1), outputs], 1, plain, weight, Some(bias), rng);
        UNet { options, down, up, out }
    }

    /// Its settings.
    pub fn options(&self) -> UNetOptions {
        self.options
    }
}

impl Layer for UNet {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let (_layer, shape) = (note(self, x), x.shape());
        let &[_, _, height, width] = shape.dims() else {
            panic!("unet: {shape} is not a batch of images [N, C, H, W]");
        };
        if let Err((problem, advice)) = self.options.check([height, width]) {
            panic!("unet: {shape} arrives: {problem}: {advice}");
        }
        let both = |[first, second]: &[ConvNorm; 2], x| second.forward(first.forward(x));
        let mut skips = Vec::with_capacity(self.down.len());
        let mut x = x;
        for (level, layers) in self.down.iter().enumerate() {
            if level > 0 {
                x = step(&MaxPool2d::new([2, 2]), x);
            }
            x = both(layers, x);
            skips.push(x);
        }
        for ((up, layers), skip) in self.up.iter().zip(&skips).rev() {
            x = match (up, self.options.upsample) {
                (Some(transposed), _) => step(transposed, x),
                (None, mode) => step(&Upsample::new(2, mode.unwrap_or(Interpolation::Nearest)), x),
            };
            x = both(layers, concat(&[*skip, x], 1));
        }
        step(&self.out, x)
    }
}
