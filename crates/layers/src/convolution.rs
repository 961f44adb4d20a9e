//! Convolutions of images and sequences.

use surprisal_formula_macro::math;
use surprisal_tensor::ops::{convolution, sequences};
use surprisal_tensor::{ParamId, Params, Scalar, Shape, Var};

use crate::layer::note;
use crate::{Init, Layer, Rng};

/// The same weights for every window of a sequence: `[N, C, L]` to `[N, O, OL]`, as PyTorch's `Conv1d`.
///
#[doc = math!("y_(noi) = b_o + Σ w_(ocu) x_(nc, i s + u d - p)")]
#[doc = math!("OL = floor((L + 2 p - d (K - 1) - 1) / s) + 1")]
///
/// with stride s, padding p and dilation d: see [`Var::conv1d`].
///
/// Has the parameters `NAME.weight`, `[O, C / groups, K]`, and `NAME.bias`, `[O]`.
///
/// ```
/// use surprisal_layers::{Conv1d, Layer, rng};
/// use surprisal_tensor::{Params, Workspace, ndarray::Array3};
/// let mut params = Params::new();
/// let layer = Conv1d::new(&mut params, "conv", [2, 16], 5, &mut rng(7)).padding(2).stride(2);
/// let sequences = Array3::<f32>::zeros((64, 2, 100));
/// let y = Workspace::new().eval(&params, |tape| layer.forward(tape.input(&sequences)));
/// assert_eq!(y.shape(), [64, 16, 50]);
/// ```
///
/// # Panics
/// [`forward`](Layer::forward) at the caller's line, if the sequences have other channels, or are shorter than the kernel.
#[derive(Clone, Copy, Debug)]
pub struct Conv1d {
    /// `NAME.weight`, `[O, C / groups, K]`
    pub weight: ParamId,
    /// `NAME.bias`, `[O]`
    pub bias: Option<ParamId>,
    /// Stride, padding, dilation, groups.
    pub conv: sequences::Conv1d,
}

/// The same weights for every window of an image: `[N, C, H, W]` to `[N, O, OH, OW]`, as PyTorch's `Conv2d`.
///
#[doc = math!("y_(noij) = b_o + Σ w_(ocuv) x_(nc, i s + u d - p, j s + v d - p)")]
#[doc = math!("OH = floor((H + 2 p - d (KH - 1) - 1) / s) + 1")]
///
/// with stride s, padding p and dilation d along each of the two axes: see [`convolution::Conv2d`].
///
/// Has the parameters `NAME.weight`, `[O, C / groups, KH, KW]`, and `NAME.bias`, `[O]`.
///
/// ```
/// use surprisal_layers::{Conv2d, Layer, rng};
/// use surprisal_tensor::{Params, Workspace, ndarray::Array4};
/// let mut params = Params::new();
/// let layer = Conv2d::new(&mut params, "conv", [1, 16], 5, &mut rng(7)).padding(2);
/// let images = Array4::<f32>::zeros((64, 1, 28, 28));
/// let y = Workspace::new().eval(&params, |tape| layer.forward(tape.input(&images)));
/// assert_eq!(y.shape(), [64, 16, 28, 28]);
/// ```
///
/// # Panics
/// [`forward`](Layer::forward) at the caller's line, if the images have other channels, or are smaller than the kernel.
#[derive(Clone, Copy, Debug)]
pub struct Conv2d {
    /// `NAME.weight`, `[O, C / groups, KH, KW]`
    pub weight: ParamId,
    /// `NAME.bias`, `[O]`
    pub bias: Option<ParamId>,
    /// Stride, padding, dilation, groups.
    pub conv: convolution::Conv2d,
}

/// Each number of an image spread over its window of a larger one: `[N, C, H, W]` to `[N, O, OH, OW]`, as PyTorch's `ConvTranspose2d`.
///
#[doc = math!("y_(no, i s + u d - p, j s + v d - p) = b_o + Σ w_(couv) x_(ncij)")]
#[doc = math!("OH = (H - 1) s - 2 p + d (KH - 1) + q + 1")]
///
/// with stride s, padding p, output padding q and dilation d along each of the two axes: see [`convolution::ConvTranspose2d`].
///
/// Has the parameters `NAME.weight`, `[C, O / groups, KH, KW]`, and `NAME.bias`, `[O]`.
///
/// ```
/// use surprisal_layers::{ConvTranspose2d, Layer, rng};
/// use surprisal_tensor::{Params, Workspace, ndarray::Array4};
/// let mut params = Params::new();
/// let up = ConvTranspose2d::new(&mut params, "up", [32, 16], 2, &mut rng(7)).stride(2);
/// let images = Array4::<f32>::zeros((8, 32, 16, 16));
/// let y = Workspace::new().eval(&params, |tape| up.forward(tape.input(&images)));
/// assert_eq!(y.shape(), [8, 16, 32, 32]);
/// ```
///
/// # Panics
/// [`forward`](Layer::forward) at the caller's line, if the images have other channels.
#[derive(Clone, Copy, Debug)]
pub struct ConvTranspose2d {
    /// `NAME.weight`, `[C, O / groups, KH, KW]`
    pub weight: ParamId,
    /// `NAME.bias`, `[O]`
    pub bias: Option<ParamId>,
    /// Stride, padding, output padding, dilation, groups.
    pub conv: convolution::ConvTranspose2d,
}

/// Height and width: `3` or `[3, 5]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair(pub [usize; 2]);
impl From<usize> for Pair {
    fn from(both: usize) -> Self {
        Pair([both; 2])
    }
}
impl From<[usize; 2]> for Pair {
    fn from(pair: [usize; 2]) -> Self {
        Pair(pair)
    }
}

impl Pair {
    /// The shape of a weight.
    fn of(self, [rows, columns]: [usize; 2]) -> Shape {
        [rows, columns, self.0[0], self.0[1]].into()
    }
}

/// A length in a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length(pub usize);
impl From<usize> for Length {
    fn from(length: usize) -> Self {
        Length(length)
    }
}
impl Length {
    fn of(self, [rows, columns]: [usize; 2]) -> Shape {
        [rows, columns, self.0].into()
    }
}

/// How lengths are written, in a doc comment.
macro_rules! lengths {
    (Length, $one:literal, $two:literal) => {
        concat!("`", $one, "`")
    };
    (Pair, $one:literal, $two:literal) => {
        concat!("`", $one, "` or `", $two, "`")
    };
}

macro_rules! layers {
    ($module:ident::$Layer:ident($Kernel:ident), $first:literal, |$c:ident, $o:ident, $groups:ident| [$rows:expr, $columns:expr]) => {
        impl $Layer {
            #[doc = concat!("Adds a layer's parameters, for `[channels, outputs]` and a kernel, ", lengths!($Kernel, "5", "[5, 3]"), ", initialized as in PyTorch: weight and bias")]
            /// uniform in ±1/√fan, of which fan is the number of weights of one output ([`Init::Linear`]).
            ///
            /// See the example above.
            ///
            /// # Panics
            /// If the name is taken.
            #[track_caller]
            pub fn new<T: Scalar>(
                params: &mut Params<T>,
                name: &str,
                channels: [usize; 2],
                kernel: impl Into<$Kernel>,
                rng: &mut Rng,
            ) -> $Layer {
                $Layer::with(params, name, channels, kernel, Default::default(), rng)
            }

            /// Adds a layer's parameters, as [`new`](Self::new), with all settings of the operation: stride, padding, dilation and groups.
            ///
            /// ```
            #[doc = concat!("use surprisal_layers::{", stringify!($Layer), ", rng};")]
            #[doc = concat!("use surprisal_tensor::{Params, ops::", stringify!($module), "};")]
            /// let mut params = Params::new();
            #[doc = concat!("let settings = ", stringify!($module), "::", stringify!($Layer), " { groups: 2, ..Default::default() };")]
            #[doc = concat!("let layer = ", stringify!($Layer), "::with(&mut params, \"deep\", [4, 8], 3, settings, &mut rng(7));")]
            #[doc = concat!("assert_eq!(params.entry(layer.weight).shape.dims(), ", $first, ");")]
            /// ```
            ///
            /// # Panics
            /// If the name is taken, or the groups do not divide channels and outputs.
            #[track_caller]
            pub fn with<T: Scalar>(
                params: &mut Params<T>,
                name: &str,
                channels: [usize; 2],
                kernel: impl Into<$Kernel>,
                conv: $module::$Layer,
                rng: &mut Rng,
            ) -> $Layer {
                $Layer::with_init(params, name, channels, kernel, conv, Init::Linear, Some(Init::Linear), rng)
            }

            /// Adds a layer's parameters with all settings and initializers; without a bias if it has none.
            ///
            /// ```
            #[doc = concat!("use surprisal_layers::{", stringify!($Layer), ", Init, rng};")]
            #[doc = concat!("use surprisal_tensor::{Params, ops::", stringify!($module), "};")]
            /// let mut params = Params::new();
            #[doc = concat!("let settings = ", stringify!($module), "::", stringify!($Layer), " { groups: 2, ..Default::default() };")]
            #[doc = concat!("let layer = ", stringify!($Layer), "::with_init(&mut params, \"deep\", [4, 8], 3, settings, Init::KaimingNormal, None, &mut rng(7));")]
            #[doc = concat!("assert_eq!(params.entry(layer.weight).shape.dims(), ", $first, ");")]
            /// ```
            ///
            /// # Panics
            /// If the name is taken, or the groups do not divide channels and outputs.
            #[track_caller]
            #[allow(clippy::too_many_arguments)] // each is a choice of its own
            pub fn with_init<T: Scalar>(
                params: &mut Params<T>,
                name: &str,
                [$c, $o]: [usize; 2],
                kernel: impl Into<$Kernel>,
                conv: $module::$Layer,
                weight: Init,
                bias: Option<Init>,
                rng: &mut Rng,
            ) -> $Layer {
                let $groups = conv.groups;
                assert!(
                    $groups > 0 && $c % $groups == 0 && $o % $groups == 0,
                    "{name}: {} groups do not divide {} channels and {} outputs", $groups, $c, $o
                );
                let kernel: $Kernel = kernel.into();
                let (rows, columns): (usize, usize) = ($rows, $columns);
                // PyTorch's fans: of a row of the weight, and of as many numbers for each row
                let shape = kernel.of([rows, columns]);
                let area = shape.dims()[2..].iter().product::<usize>();
                let [fan_in, fan_out] = [columns * area, rows * area];
                $Layer {
                    weight: params.add_with(&format!("{name}.weight"), shape, |w| match weight {
                        Init::Orthogonal(_) => weight.fill(w, rows, fan_in, rng),
                        _ => weight.fill(w, fan_in, fan_out, rng),
                    }),
                    bias: bias.map(|bias| {
                        params.add_with(&format!("{name}.bias"), [$o], |b| bias.fill(b, fan_in, fan_out, rng))
                    }),
                    conv,
                }
            }

            #[doc = concat!("With this stride, ", lengths!($Kernel, "2", "[2, 1]"), "; 1 by default.")]
            pub fn stride(mut self, stride: impl Into<$Kernel>) -> Self {
                self.conv.stride = stride.into().0;
                self
            }
            #[doc = concat!("With this padding, ", lengths!($Kernel, "1", "[1, 0]"), "; 0 by default.")]
            pub fn padding(mut self, padding: impl Into<$Kernel>) -> Self {
                self.conv.padding = padding.into().0;
                self
            }
            #[doc = concat!("With this dilation, ", lengths!($Kernel, "2", "[2, 1]"), "; 1 by default.")]
            pub fn dilation(mut self, dilation: impl Into<$Kernel>) -> Self {
                self.conv.dilation = dilation.into().0;
                self
            }
        }
    };
}
layers!(sequences::Conv1d(Length), "[8, 2, 3]", |c, o, groups| [o, c / groups]);
layers!(convolution::Conv2d(Pair), "[8, 2, 3, 3]", |c, o, groups| [o, c / groups]);
layers!(convolution::ConvTranspose2d(Pair), "[4, 4, 3, 3]", |c, o, groups| [c, o / groups]);

impl ConvTranspose2d {
    /// With rows and columns more at the bottom and at the right, `1` or `[1, 0]`; 0 by default.
    pub fn output_padding(mut self, padding: impl Into<Pair>) -> Self {
        self.conv.output_padding = padding.into().0;
        self
    }
}

impl Layer for Conv1d {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let (_layer, tape) = (note(self, x), x.tape());
        x.conv1d(tape.param(self.weight), self.bias.map(|bias| tape.param(bias)), self.conv)
    }
}

impl Layer for Conv2d {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let (_layer, tape) = (note(self, x), x.tape());
        x.conv2d(tape.param(self.weight), self.bias.map(|bias| tape.param(bias)), self.conv)
    }
}

impl Layer for ConvTranspose2d {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let (_layer, tape) = (note(self, x), x.tape());
        x.conv_transpose2d(tape.param(self.weight), self.bias.map(|bias| tape.param(bias)), self.conv)
    }
}
