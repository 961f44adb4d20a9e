//! Images in another size: interpolation, means of equal parts, borders.

use surprisal_formula_macro::math;
use surprisal_settings::{Kind, Setting};

use super::by_name::{self, Signature};
use super::pooling::images;
use crate::op::{Backward, Card, Forward, Op, Shapes};
use crate::threads::{LIGHT, Rows, for_each, rows_of};
use crate::{Scalar, Shape, ShapeError, Var};

/// Images in another size, of which each pixel is a mean of a few pixels of the image: `[N, C, H, W]` to `[N, C, OH, OW]`.
///
#[doc = math!("y_(ij) = Σ r_(iu) c_(jv) x_(uv)")]
///
/// with weights r of rows and c of columns that follow from the sizes and [`Interpolation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resize {
    /// Height and width of the result: 1 or more.
    pub size: [usize; 2],
    /// How pixels are mixed.
    pub mode: Interpolation,
}

/// How [`Resize`] mixes pixels along an axis, from H to OH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    /// The one at floor(i H / OH): PyTorch's `nearest`.
    Nearest,
    /// The two around s = max((i + 1/2) H / OH - 1/2, 0), by their distances: PyTorch's `bilinear`.
    Bilinear,
    /// The two around s = i (H - 1) / (OH - 1), by their distances, so that corners stay corners: `bilinear` with `align_corners`.
    BilinearAlignCorners,
    /// The mean of floor(i H / OH) to ceil((i + 1) H / OH): PyTorch's adaptive average pooling, its `area`.
    Area,
}

/// Rows and columns around images: `[N, C, H, W]` to `[N, C, H + top + bottom, W + left + right]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pad2d {
    /// Columns at the left and at the right, rows above and below.
    pub pad: [usize; 4],
    /// What they hold.
    pub mode: Border,
}

/// What surrounds an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Border {
    /// This number.
    Constant(f64),
    /// The image, mirrored at its border pixels, which are not repeated.
    Reflect,
    /// The border pixels.
    Replicate,
}

const RESIZE_MODE: Setting = Setting {
    name: "mode",
    kind: Kind::Word(&["nearest", "bilinear", "bilinear_align_corners", "area"]),
    default: "nearest",
    help: "How pixels are mixed",
};
const MODE: Setting = Setting {
    name: "mode",
    kind: Kind::Word(&["constant", "reflect", "replicate"]),
    default: "constant",
    help: "What the border holds",
};

impl Resize {
    pub(super) const CARD: Card = Card {
        name: "resize",
        inputs: "x",
        forward: "Σ r c x over the pixels around",
        backward: "Σ r c dy over the pixels that x is part of",
        story: "An image in another size: each pixel is a mixture of those around its place, and passes its gradient back to them.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X,
        settings: &[by_name::wholes("size", "Height and width of the result"), RESIZE_MODE],
        run: |given| {
            let mode = match given.word("mode")? {
                "bilinear" => Interpolation::Bilinear,
                "bilinear_align_corners" => Interpolation::BilinearAlignCorners,
                "area" => Interpolation::Area,
                _ => Interpolation::Nearest,
            };
            given.record(Resize { size: given.pair("size")?, mode })
        },
    };
}
impl Pad2d {
    pub(super) const CARD: Card = Card {
        name: "pad2d",
        inputs: "x",
        forward: "x, with rows and columns around",
        backward: "Σ dy over the places that show x",
        story: "A border around an image; what is repeated in it learns from each of its copies.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X,
        settings: &[
            by_name::wholes("pad", "Columns at the left and at the right, rows above and below"),
            MODE,
            by_name::number("value", "0", "What the border of mode constant holds"),
        ],
        run: |given| {
            let mode = match given.word("mode")? {
                "reflect" => Border::Reflect,
                "replicate" => Border::Replicate,
                _ => Border::Constant(given.number("value")?),
            };
            given.record(Pad2d { pad: given.list("pad")?, mode })
        },
    };
}

/// The place and weight of each pixel of an axis of length `from` that pixel `i` of `to` is made of, `each` in order.
fn mixture(mode: Interpolation, from: usize, to: usize, i: usize, mut each: impl FnMut(usize, f64)) {
    let mut around = |s: f64| {
        let below = (s.floor() as usize).min(from - 1);
        let share = s - below as f64;
        each(below, 1.0 - share);
        if share > 0.0 && below + 1 < from {
            each(below + 1, share);
        } else if share > 0.0 {
            each(below, share);
        }
    };
    let (n, m, place) = (from as f64, to as f64, i as f64);
    match mode {
        Interpolation::Nearest => each((i as u128 * from as u128 / to as u128) as usize, 1.0),
        Interpolation::Bilinear => around(((place + 0.5) * n / m - 0.5).max(0.0)),
        Interpolation::BilinearAlignCorners if to == 1 => around(0.0),
        Interpolation::BilinearAlignCorners => around(place * (n - 1.0) / (m - 1.0)),
        Interpolation::Area => {
            let (i, from, to) = (i as u128, from as u128, to as u128);
            let (start, end) = ((i * from / to) as usize, ((i + 1) * from).div_ceil(to) as usize);
            (start..end).for_each(|at| each(at, 1.0 / (end - start) as f64));
        }
    }
}

impl Op for Resize {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        let [n, c, h, w] = images(inputs)?;
        if self.size.contains(&0) || h == 0 || w == 0 {
            return Err(ShapeError::new(format!("an image of {h}x{w} cannot become one of {:?}", self.size))
                .hint("all four lengths are 1 or more"));
        }
        Shape::try_new(&[n, c, self.size[0], self.size[1]])
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let ([h, w], [oh, ow], x) = (last_two(f.inputs.dims(0)), self.size, f.inputs.x(0));
        for_each(
            (Rows(&mut *f.y, oh * ow), Rows(x, h * w)),
            rows_of(LIGHT, oh * ow),
            |_, (Rows(y, _), Rows(x, _))| {
                for (y, x) in y.chunks_exact_mut(oh * ow).zip(x.chunks_exact(h * w)) {
                    y.fill(T::ZERO);
                    self.each_weight([h, w], |to, from, weight| y[to] += T::of(weight) * x[from]);
                }
            },
        );
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let ([h, w], [oh, ow], dy) = (last_two(b.inputs.dims(0)), self.size, b.dy);
        let Some(dx) = b.dx(0) else { return };
        dx.add_scattered(|dx, _| {
            for_each(
                (Rows(dx, h * w), Rows(dy, oh * ow)),
                rows_of(LIGHT, oh * ow),
                |_, (Rows(dx, _), Rows(dy, _))| {
                    for (dx, dy) in dx.chunks_exact_mut(h * w).zip(dy.chunks_exact(oh * ow)) {
                        self.each_weight([h, w], |to, from, weight| dx[from] += T::of(weight) * dy[to]);
                    }
                },
            );
        });
    }
}

impl Resize {
    /// Every pixel of the result with every pixel that it is made of.
    fn each_weight(&self, [h, w]: [usize; 2], mut each: impl FnMut(usize, usize, f64)) {
        let [oh, ow] = self.size;
        for i in 0..oh {
            mixture(self.mode, h, oh, i, |row, of_row| {
                for j in 0..ow {
                    mixture(self.mode, w, ow, j, |column, of_column| {
                        each(i * ow + j, row * w + column, of_row * of_column);
                    });
                }
            });
        }
    }
}

fn last_two(dims: &[usize]) -> [usize; 2] {
    [dims[dims.len() - 2], dims[dims.len() - 1]]
}

impl Pad2d {
    /// The place along an axis that place `i` of the result shows; none for a constant.
    fn shows(&self, before: usize, size: usize, i: usize) -> Option<usize> {
        let inside = |i: &usize| *i < size;
        match self.mode {
            Border::Constant(_) => i.checked_sub(before).filter(inside),
            Border::Replicate => Some(i.saturating_sub(before).min(size - 1)),
            Border::Reflect => match i.checked_sub(before) {
                None => Some(before - i),
                Some(i) if i < size => Some(i),
                Some(i) => Some(2 * (size - 1) - i),
            },
        }
    }

    /// Every place of a plane of the result, and what it shows.
    fn each(&self, [h, w]: [usize; 2], mut each: impl FnMut(usize, Option<usize>)) {
        let [left, right, top, bottom] = self.pad;
        let wide = w + left + right;
        for i in 0..h + top + bottom {
            let row = self.shows(top, h, i);
            for j in 0..wide {
                let place = row.zip(self.shows(left, w, j));
                each(i * wide + j, place.map(|(row, column)| row * w + column));
            }
        }
    }

    fn plane(&self, [h, w]: [usize; 2]) -> usize {
        let [left, right, top, bottom] = self.pad;
        (h + top + bottom) * (w + left + right)
    }
}

impl Op for Pad2d {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        let ([n, c, h, w], [left, right, top, bottom]) = (images(inputs)?, self.pad);
        let copies = !matches!(self.mode, Border::Constant(_));
        if copies && (h == 0 && top.max(bottom) > 0 || w == 0 && left.max(right) > 0) {
            let error =
                ShapeError::new(format!("an image of {h}x{w} has no pixels for a border of {:?}", self.pad));
            return Err(error.hint("a border around an empty image can only be constant; was the image cropped or pooled to nothing?"));
        }
        let fits = |size: usize, before: usize, behind: usize| {
            self.mode != Border::Reflect || before.max(behind) < size || before.max(behind) == 0
        };
        if !fits(h, top, bottom) || !fits(w, left, right) {
            return Err(ShapeError::new(format!("a border of {:?} around an image of {h}x{w}", self.pad))
                .hint("a mirrored border is smaller than the image: left and right less than its width, top and bottom than its height"));
        }
        let along = |size: usize, before: usize, behind: usize| {
            size.checked_add(before)?.checked_add(behind).filter(|size| isize::try_from(*size).is_ok())
        };
        match (along(h, top, bottom), along(w, left, right)) {
            (Some(oh), Some(ow)) => Shape::try_new(&[n, c, oh, ow]),
            _ => Err(ShapeError::new(format!("a border of {:?} is larger than any image", self.pad))),
        }
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let (image, x) = (last_two(f.inputs.dims(0)), f.inputs.x(0));
        let around = if let Border::Constant(value) = self.mode { T::of(value) } else { T::ZERO };
        let planes = x.chunks_exact((image[0] * image[1]).max(1)).map(Some).chain(std::iter::repeat(None));
        for (y, x) in f.y.chunks_exact_mut(self.plane(image).max(1)).zip(planes) {
            self.each(image, |to, from| y[to] = from.zip(x).map_or(around, |(from, x)| x[from]));
        }
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (image, dy) = (last_two(b.inputs.dims(0)), b.dy);
        let Some(dx) = b.dx(0) else { return };
        dx.add_scattered(|dx, _| {
            let planes = dx.chunks_exact_mut((image[0] * image[1]).max(1));
            for (dx, dy) in planes.zip(dy.chunks_exact(self.plane(image).max(1))) {
                self.each(image, |to, from| {
                    if let Some(from) = from {
                        dx[from] += dy[to];
                    }
                });
            }
        });
    }
}

impl<'t> Var<'t> {
    /// Images `[N, C, H, W]` in another size: see [`Resize`]. `Interpolation::Area` to `[1, 1]` is the global average.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array, ops::resample::Interpolation};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[[[0.0, 4.0]]]]);
    /// assert_eq!(x.resize([1, 4], Interpolation::Nearest).value(), array![[[[0.0, 0.0, 4.0, 4.0]]]].into_dyn());
    /// assert_eq!(x.resize([1, 4], Interpolation::Bilinear).value(), array![[[[0.0, 1.0, 3.0, 4.0]]]].into_dyn());
    /// assert_eq!(x.resize([1, 3], Interpolation::BilinearAlignCorners).value(), array![[[[0.0, 2.0, 4.0]]]].into_dyn());
    /// assert_eq!(x.resize([1, 1], Interpolation::Area).value(), array![[[[2.0]]]].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if this is not a batch of images, or a length is 0.
    #[track_caller]
    pub fn resize(self, size: [usize; 2], mode: Interpolation) -> Var<'t> {
        self.tape().apply(Resize { size, mode }, [self])
    }

    /// Images `[N, C, H, W]` with a border of `[left, right, top, bottom]`: see [`Pad2d`].
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array, ops::resample::Border};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[[[1.0, 2.0, 3.0]]]]);
    /// assert_eq!(x.pad2d([1, 1, 0, 0], Border::Constant(0.0)).value(), array![[[[0.0, 1.0, 2.0, 3.0, 0.0]]]].into_dyn());
    /// assert_eq!(x.pad2d([2, 1, 0, 0], Border::Reflect).value(), array![[[[3.0, 2.0, 1.0, 2.0, 3.0, 2.0]]]].into_dyn());
    /// assert_eq!(x.pad2d([2, 0, 0, 0], Border::Replicate).value(), array![[[[1.0, 1.0, 1.0, 2.0, 3.0]]]].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if this is not a batch of images, or a mirrored border is not smaller than the image.
    #[track_caller]
    pub fn pad2d(self, pad: [usize; 4], mode: Border) -> Var<'t> {
        self.tape().apply(Pad2d { pad, mode }, [self])
    }
}
