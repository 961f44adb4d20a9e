//! Nets written as text, and the shapes in them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use surprisal_settings::{Kind, Problem, Range, Setting, SettingError, Value, quoted, read};

use crate::activation::NAMES;
use crate::{Activation, Interpolation, Normalization, Sizes, SizesError, UNetOptions};

/// A net as text: `784-128-64-10`, or parts, `conv(16,5)-relu-maxpool(2)-10`.
///
/// Numbers alone are the [`Sizes`] of a dense net, from its inputs to its outputs, with one activation between the layers. Otherwise each
/// part is a layer, in the order of the data, and nothing is added between them:
///
/// | part | layer | shape of a sample |
/// |---|---|---|
/// | `10` | [`Linear`](crate::Linear) with 10 outputs | \[F] to \[10]; images are flattened |
/// | `conv(OUT,KERNEL)`, and `stride`, `padding`, `dilation`, `groups`, `bias=false` | [`Conv2d`](crate::Conv2d) | \[C, H, W] to \[OUT, H', W'] |
/// | `convt(OUT,KERNEL)`, the same, and `output_padding` | [`ConvTranspose2d`](crate::ConvTranspose2d) | \[C, H, W] to \[OUT, H', W'] |
/// | `maxpool(KERNEL)`, `avgpool(KERNEL)`, and `stride` (by default KERNEL), `padding` | [`MaxPool2d`](crate::MaxPool2d), [`AvgPool2d`](crate::AvgPool2d) | \[C, H, W] to \[C, H', W'] |
/// | `globalavgpool` | [`AvgPool2d`](crate::AvgPool2d) of the whole image | \[C, H, W] to \[C, 1, 1] |
/// | `upsample(N)`, `upsample(N,bilinear)` | [`Upsample`](crate::Upsample) | \[C, H, W] to \[C, N H, N W] |
/// | `batchnorm` | [`BatchNorm1d`](crate::BatchNorm1d) | the same |
/// | `groupnorm(G)` | [`GroupNorm`](crate::GroupNorm) | the same |
/// | `dropout(P)`, `dropout2d(P)` | [`Dropout`](crate::Dropout), [`Dropout2d`](crate::Dropout2d) | the same |
/// | `flatten` | [`Flatten`](crate::Flatten) | \[C, H, W] to \[C H W] |
/// | `unet(LEVELS,WIDTH)`, and `norm`, `groups`, `up`, `out` | [`UNet`](crate::UNet) | \[C, H, W] to \[OUT, H, W] |
/// | `relu`, `tanh`, .. | the [`Activation`] of this name | the same |
///
/// Kernels, strides, paddings and dilations are one number, or two: `3x5` is 3 high and 5 wide. Options may be given in their order or by
/// name: `conv(16,5,2)` is `conv(16,5,stride=2)`. They may also follow a colon instead of being in parentheses, which needs no quotes in a shell:
/// `unet:levels=3,width=8`. A net of images may begin with the shape of an image, `1x28x28-conv(16,5)-..`.
///
/// ```
/// use surprisal_layers::Architecture;
/// let net: Architecture = "conv(8,3)-relu-maxpool(2,2)-10".parse()?;
/// assert_eq!(net.to_string(), "conv(8,3)-relu-maxpool(2)-10");
/// let plan = net.plan(&[1, 8, 8])?;
/// assert_eq!(plan.architecture().to_string(), "1x8x8-conv(8,3)-relu-maxpool(2)-flatten-10");
/// assert_eq!((plan.outputs(), plan.parameters()), (10, 8 * 9 + 8 + 72 * 10 + 10));
/// assert_eq!(
///     net.plan(&[1, 2, 8]).unwrap_err().to_string(),
///     "part 1, conv(8,3): [1, 2, 8] arrives: a kernel of 3x3 does not fit into an image of 2x8 | use a smaller kernel, more padding, or less pooling before"
/// );
/// # Ok::<(), surprisal_layers::ArchitectureError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture(Form);

#[derive(Clone, Debug, PartialEq)]
enum Form {
    Dense(Sizes),
    Parts { image: Option<[usize; 3]>, parts: Vec<Part> },
}

/// A part of a net.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    Dense(usize),
    Activation(Activation),
    Layer(Name, Vec<Value>),
}

/// The layers with options, in the order of [`SPECS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Conv,
    ConvT,
    MaxPool,
    AvgPool,
    GlobalAvgPool,
    Upsample,
    BatchNorm,
    GroupNorm,
    Dropout,
    Dropout2d,
    Flatten,
    UNet,
}
use Name::*;

const fn setting(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Setting {
    Setting { name, kind, default, help }
}
const COUNT: Kind = Kind::Whole(Range::AT_LEAST_ONE);
const LENGTHS: Kind = Kind::Pair(Range::AT_LEAST_ONE);
const OUT: Setting = setting("out", COUNT, "1", "Channels of the result");
const KERNEL: Setting = setting("kernel", LENGTHS, "1", "Height and width of the window");
const STRIDE: Setting = setting("stride", LENGTHS, "1", "Steps of the window, down and to the right");
const PADDING: Setting =
    setting("padding", Kind::Pair(Range::NOT_NEGATIVE), "0", "Rows and columns of zeros at each side");
const DILATION: Setting = setting("dilation", LENGTHS, "1", "Distances of the pixels of a window");
const GROUPS: Setting = setting("groups", COUNT, "1", "Groups of channels, each by itself");
const BIAS: Setting = setting("bias", Kind::Flag, "true", "Whether a number is added for each channel");
const OUTPUT_PADDING: Setting = setting(
    "output_padding",
    Kind::Pair(Range::NOT_NEGATIVE),
    "0",
    "Rows and columns more, at the bottom and at the right",
);
const SCALE: Setting = setting("scale", LENGTHS, "1", "How many times as high and as wide");
const MODE: Setting =
    setting("mode", Kind::Word(&["nearest", "bilinear"]), "nearest", "How pixels are mixed");
const P: Setting = setting("p", Kind::Number(Range::BELOW_ONE), "0", "The fraction that is set to 0");

const LEVELS: Setting = setting(
    "levels",
    Kind::Whole(Range::AT_LEAST_ONE.at_most(10.0)),
    "1",
    "Levels, each half as high and wide",
);
const WIDTH: Setting =
    setting("width", COUNT, "1", "Channels of the first level; each other level has twice as many");
const NORM: Setting = setting(
    "norm",
    Kind::Word(&["none", "batch", "group"]),
    "none",
    "Normalization after each 3x3 convolution",
);
const NORM_GROUPS: Setting = setting("groups", COUNT, "4", "Groups of channels of norm=group");
const UP: Setting = setting(
    "up",
    Kind::Word(&["transpose", "nearest", "bilinear"]),
    "transpose",
    "A transposed convolution, or an interpolation",
);
const UNET_OUT: Setting = setting(
    "out",
    Kind::Whole(Range::NOT_NEGATIVE),
    "0",
    "Channels of the result; 0: as many as the data need",
);

/// Layer, name, options, and how many of them have to be given.
const SPECS: [(Name, &str, &[Setting], usize); 12] = [
    (Conv, "conv", &[OUT, KERNEL, STRIDE, PADDING, DILATION, GROUPS, BIAS], 2),
    (ConvT, "convt", &[OUT, KERNEL, STRIDE, PADDING, DILATION, GROUPS, BIAS, OUTPUT_PADDING], 2),
    (MaxPool, "maxpool", &[KERNEL, STRIDE, PADDING], 1),
    (AvgPool, "avgpool", &[KERNEL, STRIDE, PADDING], 1),
    (GlobalAvgPool, "globalavgpool", &[], 0),
    (Upsample, "upsample", &[SCALE, MODE], 1),
    (BatchNorm, "batchnorm", &[], 0),
    (GroupNorm, "groupnorm", &[GROUPS], 1),
    (Dropout, "dropout", &[P], 1),
    (Dropout2d, "dropout2d", &[P], 1),
    (Flatten, "flatten", &[], 0),
    (UNet, "unet", &[LEVELS, WIDTH, NORM, NORM_GROUPS, UP, UNET_OUT], 2),
];

/// More parts than this are a mistake.
const MOST_PARTS: usize = 1000;
/// A sample with more numbers than this, 512 MiB of them, is a mistake.
const MOST_NUMBERS: usize = 1 << 27;

impl Name {
    fn is_pool(self) -> bool {
        matches!(self, MaxPool | AvgPool)
    }
}

impl FromStr for Architecture {
    type Err = ArchitectureError;
    fn from_str(text: &str) -> Result<Self, ArchitectureError> {
        if !text.contains(|c: char| c.is_alphabetic() || "()".contains(c)) {
            return Ok(Architecture(Form::Dense(text.parse().map_err(ArchitectureError::Sizes)?)));
        }
        let mut texts = split(text);
        let first = texts[0].trim();
        let image = match first.split_once('x').filter(|_| first.starts_with(|c: char| c.is_ascii_digit())) {
            None => None,
            Some(_) => {
                texts.remove(0);
                let shape = first.split('x').map(|size| size.parse().ok().filter(|&size: &usize| size > 0));
                let shape = shape.collect::<Option<Vec<_>>>().and_then(|shape| shape.try_into().ok());
                Some(shape.ok_or_else(|| ArchitectureError::Image { found: first.into() })?)
            }
        };
        if texts.len() > MOST_PARTS {
            return Err(ArchitectureError::Parts { found: texts.len() });
        }
        let part = |(k, text): (usize, &&str)| Part::parse(k + 1, text.trim());
        let parts = texts.iter().enumerate().map(part).collect::<Result<Vec<_>, _>>()?;
        if parts.is_empty() {
            return Err(ArchitectureError::Parts { found: 0 });
        }
        if image.is_none() && parts.iter().all(|part| matches!(part, Part::Dense(_))) {
            return Ok(Architecture(Form::Dense(text.parse().map_err(ArchitectureError::Sizes)?)));
        }
        Ok(Architecture(Form::Parts { image, parts }))
    }
}

/// The parts between the dashes that are not in parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            '-' if depth <= 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

impl Part {
    fn parse(number: usize, text: &str) -> Result<Part, ArchitectureError> {
        let owner = match text.len() {
            0 => format!("part {number}"),
            1..60 => format!("part {number}, {text}"),
            _ => format!("part {number}, {}", quoted(text)),
        };
        let wrong = |problem: Problem| ArchitectureError::Part(problem.of(owner.clone()));
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            let expected = COUNT.into();
            let size = COUNT.parse(text).and_then(|size| size.number());
            let no_size = || wrong(Problem::Value { name: String::new(), expected, found: text.into() });
            return Ok(Part::Dense(size.ok_or_else(no_size)? as usize));
        }
        let (name, list) = match text.split_once('(') {
            None => match text.split_once(':') {
                Some((name, list)) => (name.trim(), Some(list).filter(|list| !list.trim().is_empty())),
                None => (text, None),
            },
            Some((name, rest)) => match rest.strip_suffix(')') {
                Some(list) => (name.trim(), Some(list).filter(|list| !list.trim().is_empty())),
                None => return Err(ArchitectureError::Open { part: owner }),
            },
        };
        let read = |table: &[Setting], list: Option<&str>| {
            read(&owner, "option", table, list).map_err(ArchitectureError::Part)
        };
        if let Ok(activation) = name.parse() {
            return read(&[], list).map(|_| Part::Activation(activation));
        }
        let Some(&(layer, _, options, required)) = SPECS.iter().find(|(_, known, ..)| *known == name) else {
            let known = SPECS.iter().map(|(_, known, ..)| *known).chain(NAMES.iter().copied()).collect();
            return Err(wrong(Problem::Unknown { what: "part", found: name.into(), known }));
        };
        // in their order, until one is named
        let mut given = Vec::new();
        let mut in_order = options.iter();
        for text in list.into_iter().flat_map(|list| list.split(',')) {
            given.push(match in_order.next() {
                Some(option) if !text.contains('=') => format!("{}={}", option.name, text.trim()),
                _ => {
                    in_order = [].iter();
                    text.trim().to_string()
                }
            });
        }
        let named = |name: &str, given: &[String]| {
            let of = |text: &String| {
                text.split_once('=').filter(|(key, _)| key.trim() == name).map(|(_, value)| value.to_string())
            };
            given.iter().find_map(of)
        };
        for option in &options[..required] {
            if named(option.name, &given).is_none() {
                given.push(format!("{}=", option.name)); // which is not a value
            }
        }
        if layer.is_pool()
            && let (None, Some(kernel)) = (named("stride", &given), named("kernel", &given))
        {
            given.push(format!("stride={kernel}"));
        }
        let list = Some(given.join(",")).filter(|list| !list.is_empty());
        Ok(Part::Layer(layer, read(options, list.as_deref())?))
    }

    /// The whole numbers of an option: those of a pair, or a single one twice.
    pub(crate) fn pair(values: &[Value], option: usize) -> [usize; 2] {
        match values[option].numbers() {
            [high, wide] => [*high as usize, *wide as usize],
            numbers => [numbers[0] as usize; 2],
        }
    }

    /// The settings of a U-Net and its number of output channels.
    pub(crate) fn unet(&self) -> Option<(UNetOptions, usize)> {
        let Part::Layer(UNet, values) = self else { return None };
        let whole = |option: usize| Part::pair(values, option)[0];
        let is = |option: usize, word: &str| values[option] == Value::Text(word.into());
        let norm = match () {
            _ if is(2, "batch") => Normalization::Batch,
            _ if is(2, "group") => Normalization::Group(whole(3)),
            _ => Normalization::None,
        };
        let upsample = match () {
            _ if is(4, "nearest") => Some(Interpolation::Nearest),
            _ if is(4, "bilinear") => Some(Interpolation::Bilinear),
            _ => None,
        };
        Some((UNetOptions { levels: whole(0), width: whole(1), norm, upsample }, whole(5)))
    }

    /// The shape of a sample that leaves this part, for one that arrives; or what is wrong, and what to do.
    fn shape(&self, x: &[usize]) -> Result<Vec<usize>, (String, Cow<'static, str>)> {
        if let (Some((options, outputs)), &[_, h, w]) = (self.unet(), x) {
            options.check([h, w]).map_err(|(problem, advice)| (problem, advice.into()))?;
            return match outputs {
                0 => Err(("the number of output channels is missing".into(), "give it, out=1".into())),
                _ => Ok(vec![outputs, h, w]),
            };
        }
        self.shape_of_others(x).map_err(|(problem, advice)| (problem, advice.into()))
    }

    fn shape_of_others(&self, x: &[usize]) -> Result<Vec<usize>, (String, &'static str)> {
        let image = || match *x {
            [c, h, w] => Ok([c, h, w]),
            _ => Err((
                "expected images [C, H, W]".to_string(),
                "move it before the first dense layer or flatten; if the inputs are pixels, begin with their shape: 1x28x28-..",
            )),
        };
        let by = |[h, w]: [usize; 2]| format!("{h}x{w}");
        let (name, values) = match self {
            Part::Dense(outputs) => return Ok(vec![*outputs]),
            Part::Activation(_) => return Ok(x.to_vec()),
            Part::Layer(name, values) => (*name, values),
        };
        let pair = |option: usize| Part::pair(values, option);
        // along each axis, or nothing
        let each = |f: &dyn Fn(usize) -> Option<usize>| Some([f(0)?, f(1)?]);
        let padded = |size: usize, padding: usize| padding.checked_mul(2)?.checked_add(size);
        let reach = |kernel: usize, dilation: usize| (kernel - 1).checked_mul(dilation)?.checked_add(1);
        match name {
            Conv | ConvT => {
                let [c, h, w] = image()?;
                let [o, _] = pair(0);
                let ([kernel, stride, padding, dilation], [groups, _]) = ([1, 2, 3, 4].map(pair), pair(5));
                if c % groups != 0 || o % groups != 0 {
                    let problem = format!("{groups} groups do not divide {c} channels and {o} outputs");
                    return Err((problem, "choose a number of groups that divides both"));
                }
                let image = [h, w];
                let reached = each(&|axis| reach(kernel[axis], dilation[axis]));
                // the operation copies an image with its padding
                let too_large = |c: usize, image: [usize; 2]| {
                    let lengths = each(&|axis| padded(image[axis], padding[axis]));
                    lengths.is_none_or(|[h, w]| size(&[c, h, w]) > MOST_NUMBERS)
                };
                let most = (
                    format!("with padding {}, images have more than {MOST_NUMBERS} numbers", by(padding)),
                    "use less padding",
                );
                if name == Conv {
                    if too_large(c, image) {
                        return Err(most);
                    }
                    let along = |axis: usize| {
                        let left = padded(image[axis], padding[axis])?.checked_sub(reached?[axis])?;
                        Some(left / stride[axis] + 1)
                    };
                    let with = |name: &str, pair: [usize; 2], usual: usize| match pair == [usual; 2] {
                        true => String::new(),
                        false => format!(" with {name} {}", by(pair)),
                    };
                    let [dilation, padding] = [with("dilation", dilation, 1), with("padding", padding, 0)];
                    let problem = format!(
                        "a kernel of {}{dilation} does not fit into an image of {}{padding}",
                        by(kernel),
                        by(image)
                    );
                    let [oh, ow] = each(&along)
                        .ok_or((problem, "use a smaller kernel, more padding, or less pooling before"))?;
                    return Ok(vec![o, oh, ow]);
                }
                let more = pair(7);
                if (0..2).any(|axis| more[axis] >= stride[axis].max(dilation[axis])) {
                    let problem = format!(
                        "an output padding of {} with stride {} and dilation {}",
                        by(more),
                        by(stride),
                        by(dilation)
                    );
                    return Err((problem, "output padding is smaller than the stride or the dilation"));
                }
                let along = |axis: usize| {
                    let spread = (image[axis] - 1).checked_mul(stride[axis])?;
                    let whole = spread.checked_add(reached?[axis])?.checked_add(more[axis])?;
                    whole.checked_sub(padding[axis].checked_mul(2)?).filter(|&size| size > 0)
                };
                let problem =
                    format!("a kernel of {} with padding {} leaves no pixels", by(kernel), by(padding));
                let out = each(&along).ok_or((problem, "use less padding, or a larger kernel"))?;
                if too_large(o, out) { Err(most) } else { Ok(vec![o, out[0], out[1]]) }
            }
            MaxPool | AvgPool => {
                let [c, h, w] = image()?;
                let [kernel, stride, padding] = [0, 1, 2].map(pair);
                if (0..2).any(|axis| padding[axis] > kernel[axis] / 2) {
                    let problem = format!("a padding of {} around windows of {}", by(padding), by(kernel));
                    return Err((problem, "padding is at most half the window"));
                }
                let along = |axis: usize| {
                    let left = padded([h, w][axis], padding[axis])?.checked_sub(kernel[axis])?;
                    Some(left / stride[axis] + 1)
                };
                let problem =
                    || format!("a window of {} does not fit into an image of {}", by(kernel), by([h, w]));
                let [oh, ow] = each(&along)
                    .ok_or_else(|| (problem(), "use a smaller window, or less pooling before"))?;
                Ok(vec![c, oh, ow])
            }
            GlobalAvgPool => Ok(vec![image()?[0], 1, 1]),
            Upsample => {
                let ([c, h, w], [high, wide]) = (image()?, pair(0));
                Ok(vec![c, h.saturating_mul(high), w.saturating_mul(wide)])
            }
            GroupNorm if !x[0].is_multiple_of(pair(0)[0]) => {
                let problem = format!("{} groups do not divide {} channels", pair(0)[0], x[0]);
                Err((problem, "choose a number of groups that divides them"))
            }
            Dropout2d | UNet => image().map(|image| image.to_vec()),
            Flatten => Ok(vec![size(x)]),
            BatchNorm | GroupNorm | Dropout => Ok(x.to_vec()),
        }
    }

    /// How many parameters, with buffers, the part has for samples of this shape.
    fn parameters(&self, x: &[usize]) -> usize {
        let product = |factors: &[usize]| size(factors);
        match self {
            Part::Dense(outputs) => product(&[size(x).saturating_add(1), *outputs]),
            Part::Layer(name @ (Conv | ConvT), values) => {
                let ([o, _], [kh, kw], [groups, _]) =
                    (Part::pair(values, 0), Part::pair(values, 1), Part::pair(values, 5));
                let bias = if values[6] == Value::Flag(true) { o } else { 0 };
                let (rows, columns) = if *name == Conv { (o, x[0] / groups) } else { (x[0], o / groups) };
                product(&[rows, columns, kh, kw]).saturating_add(bias)
            }
            Part::Layer(UNet, _) => {
                self.unet().map_or(0, |(options, outputs)| options.parameters([x[0], outputs]))
            }
            Part::Layer(BatchNorm, _) => x[0].saturating_mul(4),
            Part::Layer(GroupNorm, _) => x[0].saturating_mul(2),
            _ => 0,
        }
    }

    /// Whether it only makes sense for images.
    fn is_of_images(&self) -> bool {
        let Part::Layer(name, _) = self else { return false };
        !matches!(name, BatchNorm | GroupNorm | Dropout | Flatten)
    }
}

/// How many numbers a sample has.
fn size(shape: &[usize]) -> usize {
    shape.iter().fold(1, |n: usize, &length| n.saturating_mul(length))
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (name, values) = match self {
            Part::Dense(outputs) => return outputs.fmt(f),
            Part::Activation(activation) => return activation.fmt(f),
            Part::Layer(name, values) => (*name, values),
        };
        let (_, text, options, required) = SPECS[name as usize];
        let written = |value: &Value| match value {
            Value::Numbers(pair) if pair[0] == pair[1] => pair[0].to_string(),
            Value::Numbers(pair) => format!("{}x{}", pair[0], pair[1]),
            Value::Text(word) => word.clone(),
            value => value.to_string(),
        };
        let mut given = Vec::new();
        for (k, (option, value)) in options.iter().zip(values).enumerate() {
            let usual = match option.name {
                "stride" if name.is_pool() => *value == values[0],
                _ => option.parse(option.default).is_ok_and(|usual| usual == *value),
            };
            if k < required || !usual && name == Upsample {
                given.push(written(value));
            } else if !usual {
                given.push(format!("{}={}", option.name, written(value)));
            }
        }
        f.write_str(text)?;
        if given.is_empty() { Ok(()) } else { write!(f, "({})", given.join(",")) }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.0 {
            Form::Dense(sizes) => sizes.fmt(f),
            Form::Parts { image, parts } => {
                let image = image.iter().map(|[c, h, w]| format!("{c}x{h}x{w}"));
                f.write_str(&Vec::from_iter(image.chain(parts.iter().map(Part::to_string))).join("-"))
            }
        }
    }
}

impl From<Sizes> for Architecture {
    fn from(sizes: Sizes) -> Self {
        Architecture(Form::Dense(sizes))
    }
}

impl Architecture {
    /// The sizes of a dense net.
    pub fn sizes(&self) -> Option<&Sizes> {
        match &self.0 {
            Form::Dense(sizes) => Some(sizes),
            Form::Parts { .. } => None,
        }
    }

    /// The shape of an image that it begins with.
    ///
    /// ```
    /// use surprisal_layers::Architecture;
    /// assert_eq!("1x8x8-conv(8,3)-10".parse::<Architecture>()?.image(), Some([1, 8, 8]));
    /// assert_eq!("conv(8,3)-10".parse::<Architecture>()?.image(), None);
    /// # Ok::<(), surprisal_layers::ArchitectureError>(())
    /// ```
    pub fn image(&self) -> Option<[usize; 3]> {
        match self.0 {
            Form::Parts { image, .. } => image,
            Form::Dense(_) => None,
        }
    }

    /// Whether its inputs are images: it begins with their shape, or has parts for images alone.
    pub fn takes_images(&self) -> bool {
        match &self.0 {
            Form::Parts { image, parts } => image.is_some() || parts.iter().any(Part::is_of_images),
            Form::Dense(_) => false,
        }
    }

    /// The net for samples of a shape, `[C, H, W]` or `[features]`: every shape in it is inferred.
    ///
    /// # Errors
    /// If a part does not fit what arrives there, or the net ends with images.
    pub fn plan(&self, input: &[usize]) -> Result<Plan, ArchitectureError> {
        match self.planned(input)? {
            (plan, out) if out.len() == 1 => Ok(plan),
            (_, found) => Err(ArchitectureError::Ends { net: self.clone(), found }),
        }
    }

    /// [`plan`](Self::plan) of a net that ends with images of the size of its input, with some outputs for each pixel.
    ///
    /// ```
    /// use surprisal_layers::Architecture;
    /// let net: Architecture = "unet:levels=3,width=8".parse()?;
    /// let plan = net.with_outputs(1).plan_images(&[1, 32, 32])?;
    /// assert_eq!(plan.architecture().to_string(), "1x32x32-unet(3,8,out=1)");
    /// assert_eq!((plan.outputs(), plan.parameters()), (1, 29_321));
    /// # Ok::<(), surprisal_layers::ArchitectureError>(())
    /// ```
    ///
    /// # Errors
    /// If a part does not fit what arrives there, or the net ends with something else.
    pub fn plan_images(&self, input: &[usize]) -> Result<Plan, ArchitectureError> {
        let (plan, found) = self.planned(input)?;
        match (plan.architecture.image(), &found[..]) {
            (Some([_, h, w]), &[_, high, wide]) if [h, w] == [high, wide] => Ok(plan),
            (image, _) => Err(ArchitectureError::EndsOtherwise { net: self.clone(), image, found }),
        }
    }

    /// The same net, whose last part, if it is a `unet` without `out`, has this number of output channels.
    ///
    /// See the example of [`plan_images`](Self::plan_images).
    pub fn with_outputs(&self, outputs: usize) -> Architecture {
        let mut net = self.clone();
        if let Form::Parts { parts, .. } = &mut net.0
            && let Some(Part::Layer(UNet, values)) = parts.last_mut()
            && let Some(out) = values.last_mut()
            && out.number() == Some(0.0)
        {
            *out = Value::Number(outputs as f64);
        }
        net
    }

    /// The net and the shape of what it ends with.
    fn planned(&self, input: &[usize]) -> Result<(Plan, Vec<usize>), ArchitectureError> {
        let (written, parts) = match &self.0 {
            Form::Dense(sizes) => {
                if size(input) != sizes.inputs() {
                    return Err(ArchitectureError::Inputs {
                        net: self.clone(),
                        expected: sizes.inputs(),
                        found: size(input),
                    });
                }
                let parameters = sizes.as_slice().windows(2).fold(0usize, |n, pair| {
                    n.saturating_add(pair[0].saturating_add(1).saturating_mul(pair[1]))
                });
                let (architecture, outputs) = (self.clone(), sizes.outputs());
                return Ok((Plan { architecture, parts: Vec::new(), outputs, parameters }, vec![outputs]));
            }
            Form::Parts { image, parts } => (image, parts),
        };
        let image = match (written, input) {
            (Some(image), _) if size(image) != size(input) => {
                return Err(ArchitectureError::Inputs {
                    net: self.clone(),
                    expected: size(image),
                    found: size(input),
                });
            }
            (Some(image), _) => Some(*image),
            (None, &[c, h, w]) => Some([c, h, w]),
            (None, _) => None,
        };
        let mut x = image.map_or(vec![size(input)], Vec::from);
        let (mut planned, mut parameters) = (Vec::new(), 0usize);
        for (k, part) in parts.iter().enumerate() {
            if matches!(part, Part::Dense(_)) && x.len() > 1 {
                planned.push((Part::Layer(Flatten, Vec::new()), x.clone()));
                x = vec![size(&x)];
            }
            let wrong = |(problem, advice): (String, Cow<'static, str>)| ArchitectureError::Shape {
                part: format!("part {}, {part}", k + 1),
                found: x.clone(),
                problem,
                advice,
            };
            let y = part.shape(&x).map_err(wrong)?;
            if size(&y) > MOST_NUMBERS {
                let problem = format!("its result, {y:?}, has more than {MOST_NUMBERS} numbers");
                return Err(wrong((problem, "make it smaller".into())));
            }
            parameters = parameters.saturating_add(part.parameters(&x));
            planned.push((part.clone(), std::mem::replace(&mut x, y)));
        }
        let parts = planned.iter().map(|(part, _)| part.clone()).collect();
        let architecture = Architecture(Form::Parts { image, parts });
        Ok((Plan { architecture, parts: planned, outputs: x[0], parameters }, x))
    }
}

/// An [`Architecture`] for samples of one shape, with every shape inferred; [`Sequential`](crate::Sequential) builds it.
///
/// See the example of [`Architecture`].
#[derive(Clone, Debug)]
pub struct Plan {
    architecture: Architecture,
    /// Each part with the shape that arrives; none of a dense net.
    pub(crate) parts: Vec<(Part, Vec<usize>)>,
    outputs: usize,
    parameters: usize,
}

impl Plan {
    /// The net with everything that was inferred written down: the shape of an image, and the part `flatten` before a dense layer.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }
    /// How many numbers come out for each sample, or for each pixel if the net ends with images.
    pub fn outputs(&self) -> usize {
        self.outputs
    }
    /// How many numbers the parameters have, with buffers.
    pub fn parameters(&self) -> usize {
        self.parameters
    }
}

/// Text that is not a net, or a net that does not fit its inputs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum ArchitectureError {
    /// Numbers that are not the sizes of a dense net.
    Sizes(SizesError),
    /// No part has this name, or an option of it is wrong.
    Part(SettingError),
    /// A parenthesis of a part is not closed, or text follows it.
    Open { part: String },
    /// Not the shape of images.
    Image { found: String },
    /// No parts, or too many.
    Parts { found: usize },
    /// A part does not fit what arrives there.
    Shape { part: String, found: Vec<usize>, problem: String, advice: Cow<'static, str> },
    /// The net ends with images.
    Ends { net: Architecture, found: Vec<usize> },
    /// A net for segmentation ends with something else than images of the size of its input.
    EndsOtherwise { net: Architecture, image: Option<[usize; 3]>, found: Vec<usize> },
    /// The data have another number of features.
    Inputs { net: Architecture, expected: usize, found: usize },
}

impl fmt::Display for ArchitectureError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Sizes(error) => error.fmt(f),
            Self::Part(error) => error.fmt(f),
            Self::Open { part } => {
                write!(f, "{part}: expected a closing parenthesis at the end | for example conv(16,5)")
            }
            Self::Image { found } => write!(
                f,
                "{}: expected channels, height and width, each 1 or above | for example 1x28x28",
                quoted(found)
            ),
            Self::Parts { found } => write!(
                f,
                "expected 1 to {MOST_PARTS} parts, found {found} | for example conv(16,5)-relu-maxpool(2)-10"
            ),
            Self::Shape { part, found, problem, advice } => {
                write!(f, "{part}: {found:?} arrives: {problem} | {advice}")
            }
            Self::Ends { net, found } => write!(
                f,
                "{net} ends with images {found:?}: expected one number for each output | end with the number of outputs, or with flatten"
            ),
            Self::EndsOtherwise { net, image, found } => {
                let size = image.map_or("H, W".into(), |[_, h, w]| format!("{h}, {w}"));
                write!(
                    f,
                    "{net} ends with {found:?}: expected images [outputs, {size}], with outputs for each pixel | end with unet(3,8), or with a \
                     convolution that keeps the size, such as conv(1,1)"
                )
            }
            Self::Inputs { net, expected, found } => {
                write!(f, "{net} takes {expected} inputs, found {found} | write the net for {found} inputs")
            }
        }
    }
}

impl std::error::Error for ArchitectureError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Sizes(error) => Some(error),
            Self::Part(error) => Some(error),
            _ => None,
        }
    }
}
