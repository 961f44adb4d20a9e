//! Convolutions of images, and their transposes.

use surprisal_formula_macro::math;
use surprisal_settings::Setting;

use super::by_name::{self, Signature};
use super::pooling::images;
use crate::convolution::{Geometry, forward, of_images, of_kernels};
use crate::op::{Backward, Card, Forward, Grad, Op, Shapes};
use crate::sum::sum;
use crate::{Scalar, Shape, ShapeError, Var};

/// A convolution of images with kernels, in PyTorch's sense: the kernels are not turned. `[N, C, H, W]` and `[O, C / groups, KH, KW]`, with
/// `[O]` for a bias, to `[N, O, OH, OW]`.
///
#[doc = math!("y_(noij) = b_o + Σ w_(ocuv) x_(nc, i s + u d - p, j s + v d - p)")]
#[doc = math!("OH = floor((H + 2 p - d (KH - 1) - 1) / s) + 1")]
///
/// with stride s, padding p and dilation d along each of the two axes; outside of the image x is 0. Channels and outputs are cut in
/// `groups`, which do not see each other. What is left over at the bottom and at the right belongs to no window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2d {
    /// Steps of the window, down and to the right: 1 or more.
    pub stride: [usize; 2],
    /// Rows of zeros above and below, and columns at the left and at the right.
    pub padding: [usize; 2],
    /// Distances of the places of a window: 1 or more.
    pub dilation: [usize; 2],
    /// Groups of channels and outputs: 1 or more.
    pub groups: usize,
}

/// A transposed convolution: the gradient of a [`Conv2d`] with respect to its images, as an operation. `[N, C, H, W]` and
/// `[C, O / groups, KH, KW]`, with `[O]` for a bias, to `[N, O, OH, OW]`.
///
#[doc = math!("y_(no, i s + u d - p, j s + v d - p) = b_o + Σ w_(couv) x_(ncij)")]
#[doc = math!("OH = (H - 1) s - 2 p + d (KH - 1) + q + 1")]
///
/// with stride s, padding p, dilation d and output padding q along each of the two axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvTranspose2d {
    /// Distances of the windows in the result: 1 or more.
    pub stride: [usize; 2],
    /// Rows and columns of the result that are cut off at each side.
    pub padding: [usize; 2],
    /// Rows and columns more at the bottom and at the right: fewer than the stride or the dilation.
    pub output_padding: [usize; 2],
    /// Distances of the places of a window: 1 or more.
    pub dilation: [usize; 2],
    /// Groups of channels and outputs: 1 or more.
    pub groups: usize,
}

impl Default for Conv2d {
    fn default() -> Self {
        Conv2d { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 }
    }
}
impl Default for ConvTranspose2d {
    fn default() -> Self {
        let Conv2d { stride, padding, dilation, groups } = Conv2d::default();
        ConvTranspose2d { stride, padding, output_padding: [0, 0], dilation, groups }
    }
}

const STRIDE: Setting = by_name::lengths("stride", "1", "Steps of the window, down and to the right");
const DILATION: Setting = by_name::lengths("dilation", "1", "Distances of the places of a window");

impl Conv2d {
    pub(super) const CARD: Card = Card {
        name: "conv2d",
        inputs: "x w b",
        forward: "b + Σ w x over each window",
        backward: "dx = Σ w dy over the windows of each x, dw = Σ x dy, db = Σ dy over each map",
        story: "The same small weights look at every window of the image: a feature is found wherever it stands.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X_WEIGHT_BIAS,
        settings: &[
            STRIDE,
            by_name::borders("padding", "Rows above and below, columns at both sides"),
            DILATION,
            by_name::GROUPS,
        ],
        run: |given| {
            given.record(Conv2d {
                stride: given.pair("stride")?,
                padding: given.pair("padding")?,
                dilation: given.pair("dilation")?,
                groups: given.whole("groups")?,
            })
        },
    };
}
impl ConvTranspose2d {
    pub(super) const CARD: Card = Card {
        name: "conv_transpose2d",
        inputs: "x w b",
        forward: "b + Σ w x over the windows of each y",
        backward: "dx = Σ w dy over each window, dw = Σ x dy, db = Σ dy over each map",
        story: "Each number paints the kernel into its window of the result: a convolution that goes back, and makes images larger.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X_WEIGHT_BIAS,
        settings: &[
            STRIDE,
            by_name::borders("padding", "Rows and columns that are cut off at each side"),
            by_name::borders("output_padding", "Rows and columns more at the bottom and at the right"),
            DILATION,
            by_name::GROUPS,
        ],
        run: |given| {
            given.record(ConvTranspose2d {
                stride: given.pair("stride")?,
                padding: given.pair("padding")?,
                output_padding: given.pair("output_padding")?,
                dilation: given.pair("dilation")?,
                groups: given.whole("groups")?,
            })
        },
    };
}

/// `[N, C, H, W]` of input 0 and the four lengths of the weights, input 1; the bias, input 2, has `outputs` numbers.
fn images_and_weights(inputs: Shapes, weights: &str) -> Result<([usize; 4], [usize; 4]), ShapeError> {
    let x = images(inputs)?;
    let w: [usize; 4] = inputs.dims(1).try_into().map_err(|_| {
        let rank = inputs.shape(1).rank();
        ShapeError::new(format!("the weight {} has {rank} axes: expected four, {weights}", inputs.shape(1)))
            .hint("height and width of the kernels are the last two axes; one kernel is w.reshape([1, 1, height, width])")
    })?;
    if w[2..].contains(&0) {
        let error = ShapeError::new(format!(
            "the kernels of the weight {} are {}: they are empty",
            inputs.shape(1),
            by([w[2], w[3]])
        ));
        return Err(error.hint("height and width of a kernel are 1 or more"));
    }
    Ok((x, w))
}

fn check_bias(inputs: Shapes, outputs: usize) -> Result<(), ShapeError> {
    if inputs.len() < 3 || inputs.dims(2) == [outputs] {
        return Ok(());
    }
    Err(ShapeError::new(format!("the bias {} does not fit {outputs} outputs", inputs.shape(2)))
        .hint(format!("a bias has one number for each output: [{outputs}]")))
}

fn check_settings(stride: [usize; 2], dilation: [usize; 2], groups: usize) -> Result<(), ShapeError> {
    for (name, setting) in [("stride", stride), ("dilation", dilation)] {
        if setting.contains(&0) {
            return Err(
                ShapeError::new(format!("the {name} is {setting:?}")).hint("both lengths are 1 or more")
            );
        }
    }
    if groups == 0 {
        return Err(ShapeError::new("there are 0 groups").hint("1 is a convolution without groups"));
    }
    Ok(())
}

/// "5x3"
fn by([high, wide]: [usize; 2]) -> String {
    format!("{high}x{wide}")
}

/// How far a kernel reaches along an axis, and the size of an image with its padding; none where that is no number.
fn reach(kernel: usize, dilation: usize) -> Option<usize> {
    kernel.checked_sub(1)?.checked_mul(dilation)?.checked_add(1)
}
fn padded(size: usize, padding: usize) -> Option<usize> {
    padding.checked_mul(2)?.checked_add(size).filter(|size| isize::try_from(*size).is_ok())
}

impl Conv2d {
    /// The sizes, of inputs with these shapes.
    fn geometry(&self, inputs: Shapes) -> Result<Geometry, ShapeError> {
        let Conv2d { stride, padding, dilation, groups } = *self;
        let ([n, c, h, w], [o, of_group, kh, kw]) = images_and_weights(inputs, "[O, C / groups, KH, KW]")?;
        check_settings(stride, dilation, groups)?;
        if c % groups != 0 || o % groups != 0 {
            return Err(ShapeError::new(format!(
                "{groups} groups do not divide {c} channels and {o} outputs"
            ))
            .hint("choose a number of groups that divides both"));
        }
        if of_group != c / groups {
            let error = ShapeError::new(format!(
                "the weight {} has {of_group} channels, but {} of {} channels are {} in each of {groups} groups",
                inputs.shape(1),
                inputs.shape(0),
                c,
                c / groups
            ));
            return Err(error.hint("make the layer for the channels of its input"));
        }
        let (image, kernel) = ([h, w], [kh, kw]);
        let along = |axis: usize| {
            let left =
                padded(image[axis], padding[axis])?.checked_sub(reach(kernel[axis], dilation[axis])?)?;
            Some(left / stride[axis] + 1)
        };
        let (Some(oh), Some(ow)) = (along(0), along(1)) else {
            let spread =
                if dilation == [1, 1] { String::new() } else { format!(" with dilation {dilation:?}") };
            return Err(ShapeError::new(format!(
                "a kernel of {}{spread} does not fit into an image of {} with padding {padding:?}",
                by(kernel),
                by(image)
            ))
            .hint("use a smaller kernel, more padding, or fewer poolings before"));
        };
        // the copy with its padding must be a size too
        Shape::try_new(&[c, padded(h, padding[0]).unwrap_or(0), padded(w, padding[1]).unwrap_or(0)])?;
        let (c, o) = (c / groups, o / groups);
        Ok(Geometry { n, groups, c, o, image, kernel, out: [oh, ow], stride, padding, dilation })
    }
}

impl ConvTranspose2d {
    /// The sizes of the convolution whose images are the result.
    fn geometry(&self, inputs: Shapes) -> Result<Geometry, ShapeError> {
        let ConvTranspose2d { stride, padding, output_padding, dilation, groups } = *self;
        let ([n, c, h, w], [of, o, kh, kw]) = images_and_weights(inputs, "[C, O / groups, KH, KW]")?;
        check_settings(stride, dilation, groups)?;
        if of != c {
            return Err(ShapeError::new(format!(
                "the weight {} is for {of} channels, but {} has {c}",
                inputs.shape(1),
                inputs.shape(0)
            ))
            .hint("make the layer for the channels of its input"));
        }
        if c % groups != 0 {
            return Err(ShapeError::new(format!("{groups} groups do not divide {c} channels"))
                .hint("choose a number of groups that divides them"));
        }
        if (0..2).any(|axis| output_padding[axis] >= stride[axis].max(dilation[axis])) {
            return Err(ShapeError::new(format!(
                "an output padding of {output_padding:?} with stride {stride:?} and dilation {dilation:?}"
            ))
            .hint("output padding is smaller than the stride or the dilation"));
        }
        let (small, kernel) = ([h, w], [kh, kw]);
        let along = |axis: usize| {
            let spread = small[axis].checked_sub(1)?.checked_mul(stride[axis])?;
            let whole = spread
                .checked_add(reach(kernel[axis], dilation[axis])?)?
                .checked_add(output_padding[axis])?;
            whole.checked_sub(padding[axis].checked_mul(2)?).filter(|size| *size > 0)
        };
        let (Some(oh), Some(ow)) = (along(0), along(1)) else {
            return Err(ShapeError::new(format!(
                "an image of {} under a kernel of {} with padding {padding:?} leaves nothing",
                by(small),
                by(kernel)
            ))
            .hint("use less padding, or a larger kernel"));
        };
        Shape::try_new(&[o, padded(oh, padding[0]).unwrap_or(0), padded(ow, padding[1]).unwrap_or(0)])?;
        let image = [oh, ow];
        Ok(Geometry { n, groups, c: o, o: c / groups, image, kernel, out: small, stride, padding, dilation })
    }
}

/// Adds the sums of each map to the gradient of its output's bias.
fn add_map_sums<T: Scalar>(db: Grad<T>, dy: &[T], outputs: usize, [high, wide]: [usize; 2]) {
    db.add_filled(|db, _| {
        db.fill(T::ZERO);
        for (i, map) in dy.chunks_exact((high * wide).max(1)).enumerate() {
            db[i % outputs] += sum(map);
        }
    });
}

const CHECKED: &str = "the shapes were checked when the operation was recorded";

impl Op for Conv2d {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        let g = self.geometry(inputs)?;
        let outputs = g.groups * g.o;
        check_bias(inputs, outputs)?;
        Shape::try_new(&[g.n, outputs, g.out[0], g.out[1]])
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let g = self.geometry(f.inputs.shapes()).expect(CHECKED);
        let bias = (f.inputs.len() > 2).then(|| f.inputs.x(2));
        forward(&g, f.inputs.x(0), f.inputs.x(1), bias, f.y, &mut f.room.scratch);
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let g = self.geometry(b.inputs.shapes()).expect(CHECKED);
        let (x, w, dy) = (b.x(0), b.x(1), b.dy);
        if let Some(dx) = b.dx(0) {
            dx.add_filled(|dx, room| of_images(&g, w, dy, dx, &mut room.scratch));
        }
        if let Some(dw) = b.dx(1) {
            dw.add_filled(|dw, room| of_kernels(&g, x, dy, dw, &mut room.scratch));
        }
        if b.inputs.len() > 2
            && let Some(db) = b.dx(2)
        {
            add_map_sums(db, dy, g.groups * g.o, g.out);
        }
    }
}

impl Op for ConvTranspose2d {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        let g = self.geometry(inputs)?;
        let outputs = g.groups * g.c;
        check_bias(inputs, outputs)?;
        Shape::try_new(&[g.n, outputs, g.image[0], g.image[1]])
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let g = self.geometry(f.inputs.shapes()).expect(CHECKED);
        of_images(&g, f.inputs.x(1), f.inputs.x(0), f.y, &mut f.room.scratch);
        if f.inputs.len() > 2 {
            let maps = f.y.chunks_exact_mut((g.image[0] * g.image[1]).max(1));
            for (map, &b) in maps.zip(f.inputs.x(2).iter().cycle()) {
                map.iter_mut().for_each(|y| *y += b);
            }
        }
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let g = self.geometry(b.inputs.shapes()).expect(CHECKED);
        let (x, w, dy) = (b.x(0), b.x(1), b.dy);
        if let Some(dx) = b.dx(0) {
            dx.add_filled(|dx, room| forward(&g, dy, w, None, dx, &mut room.scratch));
        }
        if let Some(dw) = b.dx(1) {
            dw.add_filled(|dw, room| of_kernels(&g, dy, x, dw, &mut room.scratch));
        }
        if b.inputs.len() > 2
            && let Some(db) = b.dx(2)
        {
            add_map_sums(db, dy, g.groups * g.c, g.image);
        }
    }
}

macro_rules! record { ($($Type:ident)+) => { $(
    impl $Type {
        /// Not compiled again where it is called.
        #[inline(never)]
        #[track_caller]
        fn record<'t>(self, x: Var<'t>, weight: Var<'t>, bias: Option<Var<'t>>) -> Var<'t> {
            match bias {
                Some(bias) => x.tape().apply(self, [x, weight, bias]),
                None => x.tape().apply(self, [x, weight]),
            }
        }
    }
)+ } }
record!(Conv2d ConvTranspose2d);

impl<'t> Var<'t> {
    /// A convolution: `x.conv2d(w, b, Conv2d::default())` of images `[N, C, H, W]` with kernels `[O, C / groups, KH, KW]`; the bias,
    /// `[O]`, may be `None`.
    ///
    #[doc = math!("y_(noij) = b_o + Σ w_(ocuv) x_(nc, i s + u d - p, j s + v d - p)")]
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array, ops::convolution::Conv2d};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let image = tape.input(&array![[[[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0]]]]); // dark, then light
    /// let edge = tape.input(&array![[[[-1.0, 1.0]]]]);
    /// let y = image.conv2d(edge, None, Conv2d::default());
    /// assert_eq!(y.value(), array![[[[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]]].into_dyn());
    /// let padded = Conv2d { padding: [1, 1], stride: [2, 2], ..Conv2d::default() };
    /// assert_eq!(image.conv2d(edge, None, padded).shape().dims(), [1, 1, 2, 3]);
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if the shapes do not fit, or the kernel is larger than the image with its padding.
    #[track_caller]
    pub fn conv2d(self, weight: Var<'t>, bias: impl Into<Option<Var<'t>>>, conv: Conv2d) -> Var<'t> {
        conv.record(self, weight, bias.into())
    }

    /// A transposed convolution: `x.conv_transpose2d(w, b, ConvTranspose2d { stride: [2, 2], .. })` of images `[N, C, H, W]` with kernels
    /// `[C, O / groups, KH, KW]`; the bias, `[O]`, may be `None`.
    ///
    #[doc = math!("y_(no, i s + u d - p, j s + v d - p) = b_o + Σ w_(couv) x_(ncij)")]
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array, ops::convolution::ConvTranspose2d};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let image = tape.input(&array![[[[1.0, 2.0]]]]);
    /// let kernel = tape.input(&array![[[[1.0, 10.0]]]]);
    /// let twice = ConvTranspose2d { stride: [1, 2], ..ConvTranspose2d::default() };
    /// assert_eq!(image.conv_transpose2d(kernel, None, twice).value(), array![[[[1.0, 10.0, 2.0, 20.0]]]].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if the shapes do not fit, or nothing is left of the result.
    #[track_caller]
    pub fn conv_transpose2d(
        self,
        weight: Var<'t>,
        bias: impl Into<Option<Var<'t>>>,
        conv: ConvTranspose2d,
    ) -> Var<'t> {
        conv.record(self, weight, bias.into())
    }
}
