//! Convolutions and windows of sequences `[N, C, L]`: those of images of height 1.

use surprisal_formula_macro::math;
use surprisal_settings::{Kind, Range, Setting};

use super::by_name::{self, CallError, Given, Signature};
use super::convolution::Conv2d;
use super::pooling::{AvgPool2d, MaxPool2d};
use super::view::{Squeeze, Unsqueeze};
use crate::op::{Card, Op};
use crate::{ShapeError, Var};

/// The settings of a convolution of sequences, for [`Var::conv1d`]; see [`Conv2d`].
///
#[doc = math!("OL = floor((L + 2 p - d (K - 1) - 1) / s) + 1")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv1d {
    /// Steps of the window: 1 or more.
    pub stride: usize,
    /// Zeros at both ends.
    pub padding: usize,
    /// Distances of the places of a window: 1 or more.
    pub dilation: usize,
    /// Groups of channels and outputs: 1 or more.
    pub groups: usize,
}

/// The windows of [`Var::max_pool1d`]; see [`MaxPool2d`].
///
#[doc = math!("OL = floor((L + 2 p - K) / s) + 1")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool1d {
    /// Length of the window: 1 or more.
    pub kernel: usize,
    /// Steps of the window: 1 or more.
    pub stride: usize,
    /// Places at both ends: at most half the window.
    pub padding: usize,
}

/// The windows of [`Var::avg_pool1d`]; see [`AvgPool2d`].
///
#[doc = math!("OL = floor((L + 2 p - K) / s) + 1")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvgPool1d {
    /// Length of the window: 1 or more.
    pub kernel: usize,
    /// Steps of the window: 1 or more.
    pub stride: usize,
    /// Zeros at both ends: at most half the window.
    pub padding: usize,
    /// Whether padding counts in the mean, as by default in PyTorch.
    pub count_include_pad: bool,
}

impl Default for Conv1d {
    fn default() -> Self {
        Conv1d { stride: 1, padding: 0, dilation: 1, groups: 1 }
    }
}

const fn length(name: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { name, kind: Kind::Whole(Range::AT_LEAST_ONE), default, help }
}
const KERNEL: Setting = length("kernel", "", "Length of the window");
const POOL_STRIDE: Setting = length("stride", "", "Steps of the window; without it the length of the kernel");
const PADDING: Setting = by_name::whole("padding", "0", "Places at both ends");

impl Conv1d {
    pub(super) const CARD: Card = Card {
        name: "conv1d",
        story: "The same small weights look at every window of a sequence: a pattern is found wherever it stands.",
        ..Conv2d::CARD
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X_WEIGHT_BIAS,
        settings: &[
            length("stride", "1", "Steps of the window"),
            PADDING,
            length("dilation", "1", "Distances of the places of a window"),
            by_name::GROUPS,
        ],
        run: |given| {
            let [stride, padding, dilation, groups] =
                ["stride", "padding", "dilation", "groups"].map(|name| given.whole(name));
            let conv = Conv1d { stride: stride?, padding: padding?, dilation: dilation?, groups: groups? };
            by_name(given, Conv1d::CARD.name, conv.of_images())
        },
    };
    /// Not compiled again where it is called.
    #[inline(never)]
    #[track_caller]
    fn record<'t>(self, x: Var<'t>, weight: Var<'t>, bias: Option<Var<'t>>) -> Var<'t> {
        let (name, conv) = (Conv1d::CARD.name, self.of_images());
        match bias {
            Some(bias) => record(name, conv, &[x, weight, bias]),
            None => record(name, conv, &[x, weight]),
        }
    }
    fn of_images(self) -> Conv2d {
        let Conv1d { stride, padding, dilation, groups } = self;
        Conv2d { stride: [1, stride], padding: [0, padding], dilation: [1, dilation], groups }
    }
}
impl MaxPool1d {
    pub(super) const CARD: Card = Card { name: "max_pool1d", ..MaxPool2d::CARD };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X,
        settings: &[KERNEL, POOL_STRIDE, PADDING],
        run: |given| {
            let kernel = given.whole("kernel")?;
            let (stride, padding) = (given.whole_or("stride", kernel)?, given.whole("padding")?);
            by_name(given, MaxPool1d::CARD.name, MaxPool1d { kernel, stride, padding }.of_images())
        },
    };
    /// Windows of `kernel` side by side.
    pub fn new(kernel: usize) -> MaxPool1d {
        MaxPool1d { kernel, stride: kernel, padding: 0 }
    }
    fn of_images(self) -> MaxPool2d {
        MaxPool2d { kernel: [1, self.kernel], stride: [1, self.stride], padding: [0, self.padding] }
    }
}
impl AvgPool1d {
    pub(super) const CARD: Card = Card { name: "avg_pool1d", ..AvgPool2d::CARD };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X,
        settings: &[KERNEL, POOL_STRIDE, PADDING, super::pooling::COUNT_INCLUDE_PAD],
        run: |given| {
            let kernel = given.whole("kernel")?;
            let (stride, padding) = (given.whole_or("stride", kernel)?, given.whole("padding")?);
            let count_include_pad = given.flag("count_include_pad")?;
            let pool = AvgPool1d { kernel, stride, padding, count_include_pad };
            by_name(given, AvgPool1d::CARD.name, pool.of_images())
        },
    };
    /// Windows of `kernel` side by side.
    pub fn new(kernel: usize) -> AvgPool1d {
        AvgPool1d { kernel, stride: kernel, padding: 0, count_include_pad: true }
    }
    fn of_images(self) -> AvgPool2d {
        AvgPool2d {
            kernel: [1, self.kernel],
            stride: [1, self.stride],
            padding: [0, self.padding],
            count_include_pad: self.count_include_pad,
        }
    }
}

/// The inputs with an axis H of length 1: of sequences `[N, C, L]`, then of kernels; a bias has none.
#[track_caller]
fn with_height<'t>(name: &str, inputs: &[Var<'t>]) -> Result<[Var<'t>; 3], ShapeError> {
    let forms = ["a batch of sequences [N, C, L]", "a weight [O, C / groups, K]"];
    let mut images = [inputs[0]; 3];
    images[..inputs.len()].copy_from_slice(inputs);
    for (x, form) in images[..inputs.len()].iter_mut().zip(forms) {
        if x.shape().rank() != 3 {
            let error = ShapeError::new(format!("{name}: {} is not {form}", x.shape()));
            return Err(error.hint("reshape(..) gives it three axes; one sequence is x.unsqueeze(0)"));
        }
        *x = x.tape().try_apply(Unsqueeze { axis: 2 }, [*x])?;
    }
    Ok(images)
}

#[track_caller]
fn by_name<'t>(given: &Given<'_, 't>, name: &str, op: impl Op) -> Result<Var<'t>, CallError> {
    let images = with_height(name, given.inputs())?;
    let y = given.with(&images[..given.inputs().len()]).record(op)?;
    Ok(y.tape().try_apply(Squeeze { axis: 2 }, [y])?)
}

#[track_caller]
fn record<'t>(name: &str, op: impl Op, inputs: &[Var<'t>]) -> Var<'t> {
    match with_height(name, inputs) {
        Ok(images) => images[0].tape().apply(op, &images[..inputs.len()]).squeeze(2),
        Err(error) => panic!("{error}"),
    }
}

impl<'t> Var<'t> {
    /// A convolution of sequences `[N, C, L]` with kernels `[O, C / groups, K]` to `[N, O, OL]`, as PyTorch's `Conv1d`; the bias, `[O]`, may be
    /// `None`. On the tape it is [`conv2d`](Self::conv2d) of images of height 1.
    ///
    #[doc = math!("y_(noi) = b_o + Σ w_(ocu) x_(nc, i s + u d - p)")]
    #[doc = math!("OL = floor((L + 2 p - d (K - 1) - 1) / s) + 1")]
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array, ops::sequences::Conv1d};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[[0.0, 0.0, 1.0, 1.0, 3.0]]]);
    /// let difference = tape.input(&array![[[-1.0, 1.0]]]);
    /// assert_eq!(x.conv1d(difference, None, Conv1d::default()).value(), array![[[0.0, 1.0, 0.0, 2.0]]].into_dyn());
    /// let padded = Conv1d { padding: 1, stride: 2, ..Conv1d::default() };
    /// assert_eq!(x.conv1d(difference, None, padded).shape().dims(), [1, 1, 3]);
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if the shapes do not fit, or the kernel is longer than the sequence with its padding.
    #[track_caller]
    pub fn conv1d(self, weight: Var<'t>, bias: impl Into<Option<Var<'t>>>, conv: Conv1d) -> Var<'t> {
        conv.record(self, weight, bias.into())
    }

    /// The largest number of each window of sequences `[N, C, L]`: see [`MaxPool2d`].
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array, ops::sequences::MaxPool1d};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[[1.0, 5.0, 2.0, 0.0, 7.0]]]);
    /// assert_eq!(x.max_pool1d(MaxPool1d::new(2)).value(), array![[[5.0, 2.0]]].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if this is not a batch of sequences, or a window is longer than a sequence with its padding.
    #[track_caller]
    pub fn max_pool1d(self, pool: MaxPool1d) -> Var<'t> {
        record(MaxPool1d::CARD.name, pool.of_images(), &[self])
    }

    /// The mean of each window of sequences `[N, C, L]`: see [`AvgPool2d`]. The mean of whole sequences is `x.mean_axis(2)`.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array, ops::sequences::AvgPool1d};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[[1.0, 5.0, 2.0, 0.0, 7.0]]]);
    /// assert_eq!(x.avg_pool1d(AvgPool1d::new(2)).value(), array![[[3.0, 1.0]]].into_dyn());
    /// ```
    ///
    /// # Panics
    /// As [`max_pool1d`](Self::max_pool1d).
    #[track_caller]
    pub fn avg_pool1d(self, pool: AvgPool1d) -> Var<'t> {
        record(AvgPool1d::CARD.name, pool.of_images(), &[self])
    }
}
