//! Mean and variance of channels, and channels with mean 0 and variance 1; the same of rows.

use surprisal_formula_macro::math;
use surprisal_settings::{Kind, Range, Setting};

use super::by_name::{self, Input, Signature};
use super::rows::{center, squares};
use crate::op::{Backward, Card, Forward, Inputs, Op, Shapes};
use crate::sum::{accumulate, columns_of, sum, sum_columns, sum_filled, sums_filled};
use crate::threads::{HEAVY, LIGHT, Rows, for_each, rows_of};
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

/// Rows along the last axis made to have mean 0 and variance 1, then scaled and shifted: inputs x, `[.., n]`, weight and bias `[n]`.
///
#[doc = math!("y = (x - μ) / √(σ² + ε) · w + b, μ = 1/n Σ x, σ² = 1/n Σ (x - μ)²")]
#[doc = math!("dx = 1 / σ (w dy - mean(w dy) - x̂ mean(w dy x̂)), dw = Σ dy x̂, db = Σ dy")]
///
/// The means of the gradient go along a row, the sums over all rows.
#[derive(Clone, Copy, Debug)]
pub struct NormalizeRows {
    /// Added to the variance.
    pub eps: f64,
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

impl NormalizeRows {
    pub(super) const CARD: Card = Card {
        name: "normalize_rows",
        inputs: "x w b",
        forward: "(x - μ) / σ · w + b",
        backward: "dx = 1 / σ (w dy - mean(w dy) - x̂ mean(w dy x̂)), dw = Σ dy x̂, db = Σ dy",
        story: "Every row on the same scale, whatever the rows beside it; backward takes out what would only move its mean or its size.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: &[Input::new("x"), Input::new("weight"), Input::new("bias")],
        settings: &[EPS],
        run: |given| given.record(NormalizeRows { eps: given.number("eps")? }),
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

/// The rows of x, `[rows, channels]`, from a column on.
#[inline(always)]
fn row_from<T>(x: &[T], row: usize, channels: usize, start: usize) -> &[T] {
    &x[row * channels + start..]
}

crate::kernel! {
    /// The moments of columns from `start` on.
    fn column_moments<T: Scalar>(x: &[T], channels: usize, start: usize, rounded: &mut [T], rest: &mut [T], variance: &mut [T]) {
        let rows = x.len() / channels;
        let n = T::of(rows as f64);
        sum_columns(rows, [&mut *rounded], |row, [sum]| {
            for (sum, &x) in sum.iter_mut().zip(row_from(x, row, channels, start)) { *sum += x }
        });
        for rounded in rounded.iter_mut() { *rounded = T::of((*rounded / n).value()) } // no derivative: the rest has all of it
        sum_columns(rows, [&mut *rest], |row, [sum]| {
            let x = row_from(x, row, channels, start);
            for ((sum, &x), &rounded) in sum.iter_mut().zip(x).zip(&*rounded) { *sum += x - rounded }
        });
        for rest in rest.iter_mut() { *rest = *rest / n }
        sum_columns(rows, [&mut *variance], |row, [sum]| {
            let x = row_from(x, row, channels, start).iter().zip(&*rounded).zip(&*rest);
            for (sum, ((&x, &rounded), &rest)) in sum.iter_mut().zip(x) {
                let d = x - rounded - rest;
                *sum += d * d;
            }
        });
        for variance in variance.iter_mut() { *variance = *variance / n }
    }
}
crate::kernel! {
    /// Σ dy and Σ dy (x - mean) of columns from `start` on; rounded and rest are those of all.
    fn column_products<T: Scalar>(x: &[T], dy: &[T], moments: &[T], channels: usize, start: usize, sums: &mut [T], products: &mut [T]) {
        let (rounded, rest) = (&moments[start..], &moments[channels + start..]);
        sum_columns(x.len() / channels, [sums, products], |row, [sum, product]| {
            let x = row_from(x, row, channels, start).iter().zip(rounded).zip(rest);
            let dy = row_from(dy, row, channels, start);
            for (((sum, product), ((&x, &rounded), &rest)), &dy) in sum.iter_mut().zip(product).zip(x).zip(dy) {
                *sum += dy;
                *product += dy * (x - rounded - rest);
            }
        });
    }
}
crate::kernel! {
    /// Rows of one number for each channel.
    fn normal_columns<T: Scalar>(x: &[T], moments: &[T], scale: &[T], shift: &[T], y: &mut [T]) {
        let n = scale.len();
        for (x, y) in x.chunks_exact(n).zip(y.chunks_exact_mut(n)) {
            let x = x.iter().zip(moments).zip(&moments[n..]);
            for ((y, ((&x, &rounded), &rest)), (&scale, &shift)) in y.iter_mut().zip(x).zip(scale.iter().zip(shift)) {
                *y = (x - rounded - rest) * scale + shift;
            }
        }
    }
}
crate::kernel! {
    fn gradient_columns<T: Scalar>(x: &[T], dy: &[T], moments: &[T], scale: &[T], mean: &[T], slope: &[T], dx: &mut [T]) {
        let n = scale.len();
        for ((x, dy), dx) in x.chunks_exact(n).zip(dy.chunks_exact(n)).zip(dx.chunks_exact_mut(n)) {
            let (x, by) = (x.iter().zip(moments).zip(&moments[n..]), scale.iter().zip(mean).zip(slope));
            for (((dx, ((&x, &rounded), &rest)), &dy), ((&scale, &mean), &slope)) in dx.iter_mut().zip(x).zip(dy).zip(by) {
                *dx = scale * (dy - mean - (x - rounded - rest) * slope);
            }
        }
    }
}

crate::kernel! {
    /// Rows with mean 0 and variance 1, scaled and shifted. Of each row `kept` gets the rounded mean, what it lacks, and 1 / σ.
    fn normal_rows<T: Scalar>(x: &[T], w: &[T], bias: &[T], eps: T, y: &mut [T], kept: &mut [T]) {
        let n = w.len();
        for ((x, y), kept) in x.chunks_exact(n).zip(y.chunks_exact_mut(n)).zip(kept.as_chunks_mut::<KEPT>().0) {
            let (m, rest) = center(x);
            let r = T::ONE / (squares(x, m, rest) / T::of(n as f64) + eps).sqrt();
            for ((y, &x), (&w, &bias)) in y.iter_mut().zip(x).zip(w.iter().zip(bias)) {
                *y = ((x - m) - rest) * r * w + bias;
            }
            *kept = [m, rest, r];
        }
    }
}
crate::kernel! {
    /// dx, and the sums over these rows in `sums`: those of dw, those of db, and room for as many. They are added up some rows at a time.
    fn gradient_rows<T: Scalar>(x: &[T], dy: &[T], w: &[T], kept: &[T], dx: Option<&mut [T]>, sums: &mut [T]) {
        let (n, mut dx) = (w.len(), dx);
        let count = T::of(n as f64);
        let (totals, parts) = sums.split_at_mut(2 * n);
        totals.fill(T::ZERO);
        for start in (0..x.len() / n).step_by(ROWS) {
            parts.fill(T::ZERO);
            let (dw, db) = parts.split_at_mut(n);
            for (i, &[m, rest, r]) in kept.as_chunks::<KEPT>().0.iter().enumerate().skip(start).take(ROWS) {
                let row = i * n..(i + 1) * n;
                let (x, dy) = (&x[row.clone()], &dy[row.clone()]);
                let means = sums_filled(n, |range, [to, to_slope]| {
                    let sums = dw[range.clone()].iter_mut().zip(&mut db[range.clone()]).zip(to.iter_mut().zip(to_slope));
                    let from = x[range.clone()].iter().zip(&dy[range.clone()]).zip(&w[range]);
                    for (((dw, db), (to, to_slope)), ((&x, &dy), &w)) in sums.zip(from) {
                        let normal = ((x - m) - rest) * r;
                        *dw += dy * normal;
                        *db += dy;
                        *to = dy * w;
                        *to_slope = dy * w * normal;
                    }
                });
                let Some(dx) = &mut dx else { continue };
                let [mean, slope] = means.map(|sum| sum / count);
                for (dx, ((&x, &dy), &w)) in dx[row].iter_mut().zip(x.iter().zip(dy).zip(w)) {
                    *dx = (dy * w - mean - ((x - m) - rest) * r * slope) * r;
                }
            }
            for (total, &part) in totals.iter_mut().zip(&*parts) { *total += part }
        }
    }
}

/// How many numbers are kept of each row.
const KEPT: usize = 3;
/// The number of rows whose sums are added up one by one.
const ROWS: usize = 32;

impl Op for NormalizeRows {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        let shape = inputs.shape(0);
        for (k, what) in [(1, "weight"), (2, "bias")] {
            if inputs.shape(k).rank() != 1 || shape.dims().last() != inputs.dims(k).first() {
                return Err(ShapeError::new(format!(
                    "the {what} {} does not fit the rows of {shape}",
                    inputs.shape(k)
                )));
            }
        }
        Ok(*shape)
    }
    fn memo(&self, inputs: Shapes) -> usize {
        inputs.shape(0).len() / inputs.shape(1).len().max(1) * KEPT
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let (x, w, bias, eps) = (f.inputs.x(0), f.inputs.x(1), f.inputs.x(2), T::of(self.eps));
        let n = w.len();
        let parts = (Rows(&mut *f.y, n), Rows(x, n), Rows(&mut *f.memo, KEPT));
        for_each(parts, rows_of(HEAVY, n), |_, (y, x, kept)| {
            if n > 0 {
                normal_rows(x.0, w, bias, eps, y.0, kept.0);
            }
        });
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (x, w, dy, kept) = (b.x(0), b.x(1), b.dy, b.memo);
        let n = w.len();
        if n == 0 {
            return;
        }
        // pieces of rows, each with sums of its own: together at most a quarter of x, and few to add up
        let rows = x.len() / n;
        let piece = rows_of(LIGHT, n).max(16).max(rows.div_ceil(64));
        let mut scratch = std::mem::replace(&mut b.room.scratch, Buf::new(0));
        let sums = scratch.at_least(rows.div_ceil(piece).max(1) * 4 * n);
        let whole = |x| Rows(x, piece * n);
        let mut gradients = |dx: Option<&mut [T]>| {
            let parts = (
                whole(x),
                whole(dy),
                (Rows(kept, piece * KEPT), dx.map(|dx| Rows(dx, piece * n))),
                Rows(&mut *sums, 4 * n),
            );
            for_each(parts, 1, |_, (x, dy, (kept, dx), sums)| {
                gradient_rows(x.0, dy.0, w, kept.0, dx.map(|dx| dx.0), sums.0);
            });
        };
        match b.dx(0) {
            Some(dx) => dx.add_filled(|dx, _| gradients(Some(dx))),
            None => gradients(None),
        }
        for (k, first) in [(1, 0), (2, n)] {
            let Some(d) = b.dx(k) else { continue };
            d.add_filled(|d, _| {
                d.fill(T::ZERO);
                for sums in sums.chunks_exact(4 * n) {
                    accumulate(d, &sums[first..first + n]);
                }
            });
        }
        b.room.scratch = scratch;
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
        let parts = (rounded, rest, variance);
        if inner == 1 {
            return for_each(parts, columns_of(outer), |start, (rounded, rest, variance)| {
                column_moments(x, channels, start, rounded, rest, variance);
            });
        }
        let piece = (LIGHT / (outer * inner)).max(1);
        for_each(parts, piece, |start, (rounded, rest, variance)| {
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
        if inner == 1 {
            let scale = f.room.scratch.at_least(channels);
            for (c, scale) in scale.iter_mut().enumerate() {
                *scale = self.reciprocal(inputs, channels, c) * w[c];
            }
            let (scale, parts) = (&*scale, (Rows(&mut *f.y, channels), Rows(x, channels)));
            return for_each(parts, rows_of(LIGHT, channels), |_, (y, x)| {
                normal_columns(x.0, moments, scale, bias, y.0);
            });
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
        let (sums, others) = scratch.at_least(5 * channels).split_at_mut(channels);
        let (products, others) = others.split_at_mut(channels);
        let parts = (&mut *sums, &mut *products);
        if inner == 1 {
            for_each(parts, columns_of(outer), |start, (sums, products)| {
                column_products(x, dy, moments, channels, start, sums, products);
            });
        } else {
            for_each(parts, (LIGHT / (outer * inner).max(1)).max(1), |start, (sums, products)| {
                for (i, (total, product)) in sums.iter_mut().zip(products).enumerate() {
                    let c = start + i;
                    let rows = rows_of_channel(x, sizes, c).zip(rows_of_channel(dy, sizes, c));
                    [*total, *product] = rows.fold([T::ZERO; 2], |[a, b], (x, dy)| {
                        [a + sum(dy), b + products_of_row(x, dy, moments[c], moments[channels + c])]
                    });
                }
            });
        }
        let (sums, products) = (&*sums, &*products);
        if let Some(dx) = b.dx(0) {
            let n = T::of((outer * inner) as f64);
            let (scales, others) = others.split_at_mut(channels);
            let (means, slopes) = others.split_at_mut(channels);
            for (c, ((scale, mean), slope)) in
                scales.iter_mut().zip(&mut *means).zip(&mut *slopes).enumerate()
            {
                let r = self.reciprocal(inputs, channels, c);
                *scale = r * w[c];
                (*mean, *slope) = match self.of_input {
                    true => (sums[c] / n, products[c] / n * r * r),
                    false => (T::ZERO, T::ZERO),
                };
            }
            let (scales, means, slopes) = (&*scales, &*means, &*slopes);
            dx.add_filled(|dx, _| {
                let width = if inner == 1 { channels } else { inner };
                let parts = (Rows(dx, width), Rows(x, width), Rows(dy, width));
                for_each(parts, rows_of(LIGHT, width), |start, (Rows(dx, _), Rows(x, _), Rows(dy, _))| {
                    if inner == 1 {
                        return gradient_columns(x, dy, moments, scales, means, slopes, dx);
                    }
                    let rows =
                        dx.chunks_exact_mut(inner).zip(x.chunks_exact(inner)).zip(dy.chunks_exact(inner));
                    for (i, ((dx, x), dy)) in rows.enumerate() {
                        let c = (start + i) % channels;
                        let (rounded, rest) = (moments[c], moments[channels + c]);
                        gradient_row(x, dy, rounded, rest, scales[c], means[c], slopes[c], dx);
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

    /// Rows along the last axis with mean 0 and variance 1, scaled and shifted: see [`NormalizeRows`].
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let (x, w, b) = (array![[1.0, 3.0], [7.0, 5.0]], array![10.0, 1.0], array![0.0, 0.5]);
    /// let y = tape.input(&x).normalize_rows(tape.input(&w), tape.input(&b), 0.0);
    /// assert_eq!(y.value(), array![[-10.0, 1.5], [10.0, -0.5]].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if weight or bias do not fit the last axis.
    #[track_caller]
    pub fn normalize_rows(self, weight: Var<'t>, bias: Var<'t>, eps: f64) -> Var<'t> {
        self.tape().apply(NormalizeRows { eps }, [self, weight, bias])
    }
}
