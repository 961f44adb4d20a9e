//! Maxima and means of windows of an image.

use surprisal_formula_macro::math;
use surprisal_settings::{Kind, Setting};

use super::by_name::{self, CallError, Given, Signature};
use crate::op::{Backward, Card, Forward, Inputs, Op, Shapes};
use crate::threads::{LIGHT, Rows, for_each, rows_of};
use crate::{Scalar, Shape, ShapeError, Var};

/// The largest number of each window: `[N, C, H, W]` to `[N, C, OH, OW]`.
///
#[doc = math!("y_(ij) = max of x_(i s + u - p, j s + v - p) over u < KH, v < KW")]
#[doc = math!("OH = floor((H + 2 p - KH) / s) + 1")]
///
/// with stride s and padding p along each of the two axes; padding is never the largest. Of several largest numbers the first one, by rows,
/// gets the gradient, as in PyTorch. A NaN in a window is its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool2d {
    /// Height and width of the window: 1 or more.
    pub kernel: [usize; 2],
    /// Steps of the window, down and to the right: 1 or more.
    pub stride: [usize; 2],
    /// Rows and columns around the image: at most half the window.
    pub padding: [usize; 2],
}

/// The mean of each window: `[N, C, H, W]` to `[N, C, OH, OW]`.
///
#[doc = math!("y_(ij) = Σ x_(i s + u - p, j s + v - p) / n over u < KH, v < KW")]
///
/// where x outside of the image is 0, and n the size of the window, or, unless padding counts, its size inside of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvgPool2d {
    /// Height and width of the window: 1 or more.
    pub kernel: [usize; 2],
    /// Steps of the window, down and to the right: 1 or more.
    pub stride: [usize; 2],
    /// Rows and columns of zeros around the image: at most half the window.
    pub padding: [usize; 2],
    /// Whether padding counts in the mean, as by default in PyTorch.
    pub count_include_pad: bool,
}

const KERNEL: Setting = by_name::lengths("kernel", "", "Height and width of the window");
const STRIDE: Setting = by_name::lengths("stride", "", "Steps of the window; without it those of the kernel");
const PADDING: Setting = by_name::borders("padding", "Rows above and below, columns at both sides");
pub(super) const COUNT_INCLUDE_PAD: Setting = Setting {
    name: "count_include_pad",
    kind: Kind::Flag,
    default: "true",
    help: "Whether padding counts in the mean",
};

fn lengths(given: &Given) -> Result<[[usize; 2]; 3], CallError> {
    let kernel = given.pair("kernel")?;
    Ok([kernel, given.pair_or("stride", kernel)?, given.pair("padding")?])
}

impl MaxPool2d {
    pub(super) const CARD: Card = Card {
        name: "max_pool2d",
        inputs: "x",
        forward: "max of each window",
        backward: "dy where x is the first largest of its window, else 0",
        story: "Keeps what was found and forgets where exactly: the largest of each window, which alone gets the gradient.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X,
        settings: &[KERNEL, STRIDE, PADDING],
        run: |given| {
            let [kernel, stride, padding] = lengths(given)?;
            given.record(MaxPool2d { kernel, stride, padding })
        },
    };
    /// Windows of `kernel` side by side.
    pub fn new(kernel: [usize; 2]) -> MaxPool2d {
        MaxPool2d { kernel, stride: kernel, padding: [0, 0] }
    }
}
impl AvgPool2d {
    pub(super) const CARD: Card = Card {
        name: "avg_pool2d",
        inputs: "x",
        forward: "mean of each window",
        backward: "Σ dy / n over the windows of each x",
        story: "Each window becomes its mean; the gradient is shared evenly among its pixels.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X,
        settings: &[KERNEL, STRIDE, PADDING, COUNT_INCLUDE_PAD],
        run: |given| {
            let [kernel, stride, padding] = lengths(given)?;
            given.record(AvgPool2d {
                kernel,
                stride,
                padding,
                count_include_pad: given.flag("count_include_pad")?,
            })
        },
    };
    /// Windows of `kernel` side by side.
    pub fn new(kernel: [usize; 2]) -> AvgPool2d {
        AvgPool2d { kernel, stride: kernel, padding: [0, 0], count_include_pad: true }
    }
}

/// The sizes of windows over planes.
#[derive(Clone, Copy)]
struct Windows {
    image: [usize; 2],
    out: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
}

/// Height and width of a batch of images.
pub(super) fn images(inputs: Shapes) -> Result<[usize; 4], ShapeError> {
    inputs.dims(0).try_into().map_err(|_| {
        ShapeError::new(format!("{} is not a batch of images [N, C, H, W]", inputs.shape(0)))
            .hint("one image is x.unsqueeze(0), rows of pixels are x.reshape([n, channels, height, width])")
    })
}

impl Windows {
    fn of(inputs: Shapes, lengths: [[usize; 2]; 3]) -> Result<(Windows, Shape), ShapeError> {
        let [kernel, stride, padding] = lengths;
        let [n, c, h, w] = images(inputs)?;
        if kernel.contains(&0) || stride.contains(&0) {
            return Err(ShapeError::new(format!("a window of {kernel:?} with stride {stride:?}"))
                .hint("all four lengths are 1 or more"));
        }
        if (0..2).any(|axis| padding[axis] > kernel[axis] / 2) {
            return Err(ShapeError::new(format!("a padding of {padding:?} around windows of {kernel:?}"))
                .hint("padding is at most half the window: every window must meet the image"));
        }
        let image = [h, w];
        let along = |axis: usize| {
            let padded = padding[axis].checked_mul(2)?.checked_add(image[axis])?;
            Some(padded.checked_sub(kernel[axis])? / stride[axis] + 1)
        };
        let (Some(oh), Some(ow)) = (along(0), along(1)) else {
            return Err(ShapeError::new(format!(
                "a window of {}x{} does not fit into an image of {h}x{w} with padding {padding:?}",
                kernel[0], kernel[1]
            ))
            .hint("use a smaller window, or fewer poolings before"));
        };
        let shape = Shape::try_new(&[n, c, oh, ow])?;
        Ok((Windows { image, out: [oh, ow], kernel, stride, padding }, shape))
    }

    /// Those of an operation that was recorded: its shapes were checked then.
    fn checked<T: Scalar>(inputs: Inputs<T>, lengths: [[usize; 2]; 3]) -> Windows {
        Windows::of(inputs.shapes(), lengths)
            .expect("the shapes were checked when the operation was recorded")
            .0
    }

    /// Every plane of the images, and of the result.
    fn planes<T: Scalar>(&self, x: &[T], y: &mut [T], each: impl Fn(&[T], &mut [T]) + Sync) {
        let [image, out] = self.sizes();
        if image == 0 || out == 0 {
            return;
        }
        let parts = (Rows(x, image), Rows(y, out));
        for_each(parts, rows_of(LIGHT, image), |_, (Rows(x, _), Rows(y, _))| {
            for (x, y) in x.chunks_exact(image).zip(y.chunks_exact_mut(out)) {
                each(x, y);
            }
        });
    }

    /// The pixels of a window along an axis: those inside of the image.
    fn along(&self, axis: usize, i: usize) -> std::ops::Range<usize> {
        let start = i * self.stride[axis];
        let end = (start + self.kernel[axis]).saturating_sub(self.padding[axis]).min(self.image[axis]);
        start.saturating_sub(self.padding[axis]).min(end)..end
    }

    /// Every window of a plane: its number, and the ranges of its rows and columns.
    fn each(&self, mut each: impl FnMut(usize, std::ops::Range<usize>, std::ops::Range<usize>)) {
        for i in 0..self.out[0] {
            for j in 0..self.out[1] {
                each(i * self.out[1] + j, self.along(0, i), self.along(1, j));
            }
        }
    }

    /// Places of a plane of the image, and of the result.
    fn sizes(&self) -> [usize; 2] {
        [self.image, self.out].map(|[h, w]| h * w)
    }

    /// Whether windows of 2x2 lie side by side.
    fn pairs(&self) -> bool {
        [self.kernel, self.stride] == [[2, 2], [2, 2]] && self.padding == [0, 0]
    }
}

crate::kernel! {
    /// The maxima of 2x2 windows of two rows.
    fn max_of_pairs<T: Scalar>(above: &[T], below: &[T], y: &mut [T]) {
        for ((y, a), b) in y.iter_mut().zip(above.chunks_exact(2)).zip(below.chunks_exact(2)) {
            let larger = |a: T, b: T| if a >= b || a.value().is_nan() { a } else { b };
            *y = larger(larger(a[0], a[1]), larger(b[0], b[1]));
        }
    }
}
crate::kernel! {
    /// The gradients of two rows: of each window to its first largest number.
    fn to_first_of_pairs<T: Scalar>(above: &[T], below: &[T], y: &[T], dy: &[T], da: &mut [T], db: &mut [T]) {
        let rows = above.chunks_exact(2).zip(below.chunks_exact(2)).zip(y.iter().zip(dy));
        for ((((a, b), (&y, &dy)), da), db) in rows.zip(da.chunks_exact_mut(2)).zip(db.chunks_exact_mut(2)) {
            let is = |x: T| x.value() == y.value() || x.value().is_nan();
            let first = is(a[0]);
            let second = !first & is(a[1]);
            let third = !first & !second & is(b[0]);
            let fourth = !first & !second & !third;
            let of = |is: bool| if is { dy } else { T::ZERO };
            (da[0], da[1], db[0], db[1]) = (of(first), of(second), of(third), of(fourth));
        }
    }
}

/// The position of the first largest number of a window.
fn first_largest<T: Scalar>(
    x: &[T],
    width: usize,
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
) -> usize {
    let mut best = rows.start * width + columns.start;
    for at in rows.flat_map(|row| columns.clone().map(move |column| row * width + column)) {
        if x[at].value() > x[best].value() || x[at].value().is_nan() && !x[best].value().is_nan() {
            best = at;
        }
    }
    best
}

impl Op for MaxPool2d {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        Ok(Windows::of(inputs, [self.kernel, self.stride, self.padding])?.1)
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let windows = Windows::checked(f.inputs, [self.kernel, self.stride, self.padding]);
        let width = windows.image[1];
        windows.planes(f.inputs.x(0), f.y, |x, y| {
            if !windows.pairs() {
                return windows.each(|at, rows, columns| y[at] = x[first_largest(x, width, rows, columns)]);
            }
            for (two, y) in x.chunks_exact(2 * width).zip(y.chunks_exact_mut(windows.out[1])) {
                let (above, below) = two.split_at(width);
                max_of_pairs(above, below, y);
            }
        });
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (windows, x, y, dy) =
            (Windows::checked(b.inputs, [self.kernel, self.stride, self.padding]), b.x(0), b.y, b.dy);
        let ([image, out], width) = (windows.sizes(), windows.image[1]);
        let Some(dx) = b.dx(0) else { return };
        dx.add_filled(|dx, _| {
            if image == 0 || out == 0 {
                return dx.fill(T::ZERO);
            }
            let parts = (Rows(x, image), Rows(dx, image), Rows(y, out), Rows(dy, out));
            for_each(
                parts,
                rows_of(LIGHT, image),
                |_, (Rows(x, _), Rows(dx, _), Rows(y, _), Rows(dy, _))| {
                    let planes = x.chunks_exact(image).zip(dx.chunks_exact_mut(image));
                    for ((x, dx), (y, dy)) in planes.zip(y.chunks_exact(out).zip(dy.chunks_exact(out))) {
                        if !windows.pairs() || windows.image[0] % 2 + width % 2 > 0 {
                            dx.fill(T::ZERO);
                        }
                        if !windows.pairs() {
                            windows.each(|at, rows, columns| {
                                dx[first_largest(x, width, rows, columns)] += dy[at]
                            });
                            continue;
                        }
                        let ow = windows.out[1];
                        let rows = x.chunks_exact(2 * width).zip(dx.chunks_exact_mut(2 * width));
                        for ((x, dx), (y, dy)) in rows.zip(y.chunks_exact(ow).zip(dy.chunks_exact(ow))) {
                            let ((above, below), (da, db)) = (x.split_at(width), dx.split_at_mut(width));
                            to_first_of_pairs(above, below, y, dy, da, db);
                        }
                    }
                },
            );
        });
    }
}

impl AvgPool2d {
    /// One over the number of places of a window, and with padding of the places inside.
    fn share<T: Scalar>(&self, inside: usize) -> T {
        let window = self.kernel[0] as f64 * self.kernel[1] as f64;
        T::ONE / T::of(if self.count_include_pad { window } else { inside as f64 })
    }
}

impl Op for AvgPool2d {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        Ok(Windows::of(inputs, [self.kernel, self.stride, self.padding])?.1)
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let windows = Windows::checked(f.inputs, [self.kernel, self.stride, self.padding]);
        let width = windows.image[1];
        windows.planes(f.inputs.x(0), f.y, |x, y| {
            windows.each(|at, rows, columns| {
                let share: T = self.share(rows.len() * columns.len());
                let mut sum = T::ZERO;
                for row in rows {
                    x[row * width..][columns.clone()].iter().for_each(|&x| sum += x);
                }
                y[at] = sum * share;
            });
        });
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (windows, dy) = (Windows::checked(b.inputs, [self.kernel, self.stride, self.padding]), b.dy);
        let ([image, out], width) = (windows.sizes(), windows.image[1]);
        let Some(dx) = b.dx(0) else { return };
        dx.add_scattered(|dx, _| {
            if image == 0 || out == 0 {
                return;
            }
            let parts = (Rows(dx, image), Rows(dy, out));
            for_each(parts, rows_of(LIGHT, image), |_, (Rows(dx, _), Rows(dy, _))| {
                for (dx, dy) in dx.chunks_exact_mut(image).zip(dy.chunks_exact(out)) {
                    windows.each(|at, rows, columns| {
                        let d = dy[at] * self.share(rows.len() * columns.len());
                        for row in rows {
                            dx[row * width..][columns.clone()].iter_mut().for_each(|dx| *dx += d);
                        }
                    });
                }
            });
        });
    }
}

impl<'t> Var<'t> {
    /// The largest number of each window of images `[N, C, H, W]`: see [`MaxPool2d`].
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array, ops::pooling::MaxPool2d};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[[[1.0, 5.0, 2.0, 0.0], [3.0, 4.0, 2.0, 6.0]]]]).requires_grad();
    /// let y = x.max_pool2d(MaxPool2d::new([2, 2]));
    /// assert_eq!(y.value(), array![[[[5.0, 6.0]]]].into_dyn());
    /// y.sum().backward();
    /// assert_eq!(x.grad(), Some(array![[[[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]]].into_dyn()));
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if this is not a batch of images, or a window is larger than an image with its padding.
    #[track_caller]
    pub fn max_pool2d(self, pool: MaxPool2d) -> Var<'t> {
        self.tape().apply(pool, [self])
    }

    /// The mean of each window of images `[N, C, H, W]`: see [`AvgPool2d`]. The mean of whole images is `x.mean_axes(&[2, 3])`.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array, ops::pooling::AvgPool2d};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[[[1.0, 5.0, 2.0, 0.0], [3.0, 3.0, 2.0, 6.0]]]]);
    /// assert_eq!(x.avg_pool2d(AvgPool2d::new([2, 2])).value(), array![[[[3.0, 2.5]]]].into_dyn());
    /// ```
    ///
    /// # Panics
    /// As [`max_pool2d`](Self::max_pool2d).
    #[track_caller]
    pub fn avg_pool2d(self, pool: AvgPool2d) -> Var<'t> {
        self.tape().apply(pool, [self])
    }
}
