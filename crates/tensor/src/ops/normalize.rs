//! Mean and variance of channels, and channels with mean 0 and variance 1.

use surprisal_formula_macro::math;
use surprisal_settings::{Kind, Range, Setting};

use super::by_name::{self, Input, Signature};
use crate::op::{Backward, Card, Forward, Inputs, Op, Shapes};
use crate::sum::{sum, sum_filled};
use crate::threads::{LIGHT, Rows, for_each, rows_of};
use crate::{Buf, Scalar, Shape, ShapeError, Var};

/// Mean and variance of each channel: `[N, C, ..]` to `[3, C]`. The mean is the sum of the first two rows, the rounded mean and what rounding left of it, so
/// that an offset common to a channel costs no digits; the third is the variance, over the n numbers of a channel.
///
#[doc = math!("μ_c = 1/n Σ x, σ²_c = 1/n Σ (x - μ_c)²")]
#[derive(Clone, Copy, Debug)]
pub struct Moments;

/// Channels with given moments, as of [`Moments`], made to have mean 0 and variance 1, then scaled and shifted: inputs x, `[N, C, ..]`, the moments
/// `[3, C]`, weight and bias `[C]`.
///
#[doc = math!("y = (x - μ_c) / √(σ²_c + ε) · w_c + b_c")]
#[doc = math!("dx = w / σ (dy - mean dy - x̂ mean(dy x̂)), dw = Σ dy x̂, db = Σ dy")]
#[derive(Clone, Copy, Debug)]
pub struct Normalize {
    /// Added to the variance.
    pub eps: f64,
    /// Whether the moments are those of x, so that the gradient goes through them; else they are constants.
    pub of_input: bool,
}

const EPS: Setting = Setting {
    name: "eps",
    kind: Kind::Number(Range::NOT_NEGATIVE),
    default: "1e-5",
    help: "Added to the variance",
};
const OF_INPUT: Setting = Setting {
    name: "of_input",
    kind: Kind::Flag,
    default: "true",
    help: "Whether the moments are those of x, so that the gradient goes through them",
};

impl Moments {
    pub(super) const CARD: Card = Card {
        name: "moments",
        inputs: "x",
        forward: "μ and σ² of each channel",
        backward: "dμ / n + 2 (x - μ) dσ² / n",
        story: "Where the numbers of a channel lie, and how far apart.",
    };
    pub(super) const SIGNATURE: Signature =
        Signature { inputs: by_name::X, settings: &[], run: |given| given.record(Moments) };
}
impl Normalize {
    pub(super) const CARD: Card = Card {
        name: "normalize",
        inputs: "x m w b",
        forward: "(x - μ) / σ · w + b",
        backward: "dx = w / σ (dy - mean dy - x̂ mean(dy x̂)), dw = Σ dy x̂, db = Σ dy",
        story: "Every channel on the same scale; backward takes out what would only move its mean or its size.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: &[Input::new("x"), Input::constant("moments"), Input::new("weight"), Input::new("bias")],
        settings: &[EPS, OF_INPUT],
        run: |given| given.record(Normalize { eps: given.number("eps")?, of_input: given.flag("of_input")? }),
    };
}

/// x as `[outer, channels, inner]`.
fn blocks(shape: &Shape) -> Result<[usize; 3], ShapeError> {
    match shape.dims() {
        [n, c, rest @ ..] => Ok([*n, *c, rest.iter().product()]),
        _ => Err(ShapeError::new(format!("{shape} has no channels")).hint("[N, C, ..] was expected")),
    }
}

/// Every row of inner numbers of a channel.
fn rows_of_channel<T>(
    x: &[T],
    [_, channels, inner]: [usize; 3],
    channel: usize,
) -> impl Iterator<Item = &[T]> {
    x.chunks_exact((channels * inner).max(1)).map(move |x| &x[channel * inner..][..inner])
}

crate::kernel! {
    /// Σ (x - rounded) of a row.
    fn sum_from<T: Scalar>(x: &[T], rounded: T) -> T {
        sum_filled(x.len(), |range, to| {
            for (to, &x) in to.iter_mut().zip(&x[range]) { *to = x - rounded }
        })
    }
}
crate::kernel! {
    /// Σ ((x - rounded) - rest)² of a row.
    fn squares_from<T: Scalar>(x: &[T], rounded: T, rest: T) -> T {
        sum_filled(x.len(), |range, to| {
            for (to, &x) in to.iter_mut().zip(&x[range]) {
                let d = x - rounded - rest;
                *to = d * d;
            }
        })
    }
}
crate::kernel! {
    /// Σ dy (x - mean) of a row.
    fn products_of_row<T: Scalar>(x: &[T], dy: &[T], rounded: T, rest: T) -> T {
        sum_filled(x.len(), |range, to| {
            for ((to, &x), &dy) in to.iter_mut().zip(&x[range.clone()]).zip(&dy[range]) {
                *to = dy * (x - rounded - rest);
            }
        })
    }
}
crate::kernel! {
    fn normal_row<T: Scalar>(x: &[T], rounded: T, rest: T, scale: T, shift: T, y: &mut [T]) {
        for (y, &x) in y.iter_mut().zip(x) { *y = (x - rounded - rest) * scale + shift }
    }
}
crate::kernel! {
    fn gradient_row<T: Scalar>(x: &[T], dy: &[T], rounded: T, rest: T, scale: T, mean: T, slope: T, dx: &mut [T]) {
        for ((dx, &x), &dy) in dx.iter_mut().zip(x).zip(dy) {
            *dx = scale * (dy - mean - (x - rounded - rest) * slope)
        }
    }
}

impl Op for Moments {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        let [outer, channels, inner] = blocks(inputs.shape(0))?;
        if outer * inner == 0 {
            return Err(ShapeError::new(format!("{} has channels without numbers", inputs.shape(0))));
        }
        Shape::try_new(&[3, channels])
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let (x, Ok(sizes)) = (f.inputs.x(0), blocks(f.inputs.shape(0))) else { return };
        let [outer, channels, inner] = sizes;
        let n = T::of((outer * inner) as f64);
        let (rounded, others) = f.y.split_at_mut(channels);
        let (rest, variance) = others.split_at_mut(channels);
        let piece = (LIGHT / (outer * inner)).max(1);
        for_each((rounded, rest, variance), piece, |start, (rounded, rest, variance)| {
            for (c, ((rounded, rest), variance)) in rounded.iter_mut().zip(rest).zip(variance).enumerate() {
                let rows = || rows_of_channel(x, sizes, start + c);
                let mean = rows().map(sum).fold(T::ZERO, |a, b| a + b) / n;
                *rounded = T::of(mean.value()); // no derivative: the rest has all of it
                *rest = rows().map(|x| sum_from(x, *rounded)).fold(T::ZERO, |a, b| a + b) / n;
                let (rounded, rest) = (*rounded, *rest);
                *variance = rows().map(|x| squares_from(x, rounded, rest)).fold(T::ZERO, |a, b| a + b) / n;
            }
        });
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (x, y, dy, Ok(sizes)) = (b.x(0), b.y, b.dy, blocks(b.inputs.shape(0))) else { return };
        let [outer, channels, inner] = sizes;
        let n = T::of((outer * inner) as f64);
        let Some(dx) = b.dx(0) else { return };
        dx.add_filled(|dx, _| {
            for (i, (dx, x)) in dx.chunks_exact_mut(inner).zip(x.chunks_exact(inner)).enumerate() {
                let c = i % channels;
                let (rounded, rest) = (y[c], y[channels + c]);
                let (d_mean, d_variance) = (dy[channels + c] / n, T::of(2.0) * dy[2 * channels + c] / n);
                for (dx, &x) in dx.iter_mut().zip(x) {
                    *dx = d_mean + (x - rounded - rest) * d_variance;
                }
            }
        });
    }
}

impl Normalize {
    /// 1 / √(σ² + ε) of a channel.
    fn reciprocal<T: Scalar>(&self, inputs: Inputs<T>, channels: usize, c: usize) -> T {
        T::ONE / (inputs.x(1)[2 * channels + c] + T::of(self.eps)).sqrt()
    }
}

impl Op for Normalize {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        let [_, channels, _] = blocks(inputs.shape(0))?;
        for (k, (what, shape)) in
            [("moments", &[3, channels][..]), ("weight", &[channels]), ("bias", &[channels])]
                .into_iter()
                .enumerate()
        {
            if inputs.dims(k + 1) != shape {
                return Err(ShapeError::new(format!(
                    "the {what} {} does not fit the {channels} channels of {}",
                    inputs.shape(k + 1),
                    inputs.shape(0)
                )));
            }
        }
        Ok(*inputs.shape(0))
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let (inputs, Ok([_, channels, inner])) = (f.inputs, blocks(f.inputs.shape(0))) else { return };
        let (x, moments, w, bias) = (inputs.x(0), inputs.x(1), inputs.x(2), inputs.x(3));
        if inner == 0 {
            return;
        }
        for_each(
            (Rows(&mut *f.y, inner), Rows(x, inner)),
            rows_of(LIGHT, inner),
            |start, (Rows(y, _), Rows(x, _))| {
                for (i, (y, x)) in y.chunks_exact_mut(inner).zip(x.chunks_exact(inner)).enumerate() {
                    let c = (start + i) % channels;
                    let scale = self.reciprocal(inputs, channels, c) * w[c];
                    normal_row(x, moments[c], moments[channels + c], scale, bias[c], y);
                }
            },
        );
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (inputs, dy, Ok(sizes)) = (b.inputs, b.dy, blocks(b.inputs.shape(0))) else { return };
        let [outer, channels, inner] = sizes;
        let (x, moments, w) = (inputs.x(0), inputs.x(1), inputs.x(2));
        if inner == 0 || channels == 0 {
            return;
        }
        // Σ dy and Σ dy (x - mean) of each channel, for all three gradients
        let mut scratch = std::mem::replace(&mut b.room.scratch, Buf::new(0));
        let (sums, products) = scratch.at_least(2 * channels).split_at_mut(channels);
        for_each(
            (&mut *sums, &mut *products),
            (LIGHT / (outer * inner).max(1)).max(1),
            |start, (sums, products)| {
                for (i, (total, product)) in sums.iter_mut().zip(products).enumerate() {
                    let c = start + i;
                    let rows = rows_of_channel(x, sizes, c).zip(rows_of_channel(dy, sizes, c));
                    [*total, *product] = rows.fold([T::ZERO; 2], |[a, b], (x, dy)| {
                        [a + sum(dy), b + products_of_row(x, dy, moments[c], moments[channels + c])]
                    });
                }
            },
        );
        let (sums, products) = (&*sums, &*products);
        if let Some(dx) = b.dx(0) {
            let n = T::of((outer * inner) as f64);
            dx.add_filled(|dx, _| {
                let parts = (Rows(dx, inner), Rows(x, inner), Rows(dy, inner));
                for_each(parts, rows_of(LIGHT, inner), |start, (Rows(dx, _), Rows(x, _), Rows(dy, _))| {
                    let rows =
                        dx.chunks_exact_mut(inner).zip(x.chunks_exact(inner)).zip(dy.chunks_exact(inner));
                    for (i, ((dx, x), dy)) in rows.enumerate() {
                        let c = (start + i) % channels;
                        let r = self.reciprocal(inputs, channels, c);
                        let (mean, slope) = match self.of_input {
                            true => (sums[c] / n, products[c] / n * r * r),
                            false => (T::ZERO, T::ZERO),
                        };
                        gradient_row(x, dy, moments[c], moments[channels + c], r * w[c], mean, slope, dx);
                    }
                });
            });
        }
        if let Some(dw) = b.dx(2) {
            dw.add_filled(|dw, _| {
                for (c, dw) in dw.iter_mut().enumerate() {
                    *dw = products[c] * self.reciprocal(inputs, channels, c);
                }
            });
        }
        if let Some(db) = b.dx(3) {
            db.add_filled(|db, _| db.copy_from_slice(sums));
        }
        b.room.scratch = scratch;
    }
}

impl<'t> Var<'t> {
    /// Mean and variance of each channel of `[N, C, ..]`, as `[3, C]`: see [`Moments`].
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[[1.0, 3.0]], [[3.0, 5.0]]]);
    /// assert_eq!(x.moments().value(), array![[3.0], [0.0], [2.0]].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there are no channels, or no numbers in them.
    #[track_caller]
    pub fn moments(self) -> Var<'t> {
        self.tape().apply(Moments, [self])
    }

    /// Channels of `[N, C, ..]` with mean 0 and variance 1, scaled and shifted: see [`Normalize`].
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array, ops::normalize::Normalize};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[[1.0, 3.0]], [[1.0, 3.0]]]);
    /// let (w, b) = (tape.input(&array![10.0]), tape.input(&array![0.5]));
    /// let y = x.normalize(x.moments(), w, b, Normalize { eps: 0.0, of_input: true });
    /// assert_eq!(y.value(), array![[[-9.5, 10.5]], [[-9.5, 10.5]]].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if moments, weight or bias do not fit the channels.
    #[track_caller]
    pub fn normalize(self, moments: Var<'t>, weight: Var<'t>, bias: Var<'t>, by: Normalize) -> Var<'t> {
        self.tape().apply(by, [self, moments, weight, bias])
    }
}
