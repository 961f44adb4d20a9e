//! Every operation of the crate, in one list.
//!
//! An operation is one item: its mathematics in the doc comment, its [`Card`], its shape rule, its value and its
//! derivative. [`all`] lists them; the gradient checks, the explanations and the reference in `docs/ops.md` read that
//! list and nothing else, so a new operation needs its item and its line.
//!
//! | file | operations |
//! |---|---|
//! | [`elementwise`] | one number in, one number out: exp, sigmoid, relu, gelu, clamp, .. (a table) |
//! | [`arithmetic`] | two in, one out, with broadcasting: + - * /, maximum, minimum (a table) |
//! | [`choose`] | where |
//! | [`products`] | matmul, affine |
//! | [`convolution`], [`pooling`] | conv2d, conv_transpose2d; max_pool2d, avg_pool2d |
//! | [`sequences`] | conv1d; max_pool1d, avg_pool1d |
//! | [`normalize`] | moments, normalize, normalize_rows |
//! | [`resample`] | resize (nearest, bilinear, adaptive mean), pad2d |
//! | [`reduce`] | sum, mean |
//! | [`rows`], [`extreme`] | a row in, one number out: prod, var, norm; max, min |
//! | [`softmax`] | softmax, log_softmax, logsumexp |
//! | [`view`] | transpose, permute, reshape, flatten, unsqueeze, squeeze |
//! | [`join`] | slice, concat, stack |
//! | [`index`] | index_select, gather; one_hot |
//! | [`dropout`] | dropout |
//! | [`by_name`] | how each is called by its name |
//!
//! # Kinks and ties
//!
//! Where a function bends, any mixture of the slopes around could stand for its gradient. One rule chooses everywhere: the
//! mixture of the smallest size, because its opposite is the direction in which the function falls fastest.
//!
//! | at a kink | gradient |
//! |---|---|
//! | abs and relu at 0, clamp at a border, norm of the vector 0 | 0 |
//! | maximum and minimum of two equal numbers | half to each |
//! | max and min of a row in which k numbers are equal | 1/k to each |
//! | leaky_relu at 0, elu at 0 | `slope`, `alpha`: the side below, which is the smaller for values from 0 to 1 |
//!
//! A 0 of this table, and that of relu, clamp, leaky_relu with slope 0 and elu with alpha 0 where they are constant, stops whatever
//! comes back, an infinite gradient too: `x.relu().sqrt()` and `x.abs().sqrt()` have gradient 0 at 0. Where no slope was chosen the
//! gradient is the product of the two, and 0 times infinity is NaN: `x.square().sqrt()` at 0 (`x.abs()` and `x.norm()` are not).
//!
//! PyTorch agrees but for clamp, which passes the gradient on at its borders, and `max` along an axis, which gives it to one
//! of the equal numbers (`amax` shares it).

pub mod arithmetic;
mod axis;
mod broadcast;
pub mod by_name;
pub mod choose;
pub mod convolution;
pub mod dropout;
pub mod elementwise;
pub mod extreme;
pub mod index;
pub mod join;
pub mod normalize;
pub mod pooling;
pub mod products;
pub mod reduce;
pub mod resample;
pub mod rows;
pub mod sequences;
pub mod softmax;
pub mod view;

pub use by_name::Signature;
pub use join::{concat, stack};

use ndarray::ArrayD;

use rows::RowFunction;

#[cfg(test)]
use crate::Scalar;
use crate::{Card, Var};

/// One line of the list: an operation, how to call it, and on what.
///
/// See the example of [`all`].
pub struct Entry {
    /// The card of the operation.
    pub card: Card,
    /// The numbers it is defined and smooth on.
    pub domain: Domain,
    /// How to call it.
    pub call: Call,
    /// How to call it by its name: its inputs and its options; `call` uses options of its own.
    pub signature: Signature,
}

/// Numbers that an operation is defined and differentiable on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Domain {
    /// Any number.
    Any,
    /// Any number but 0.
    NonZero,
    /// Greater than 0.
    Positive,
    /// Greater than -1.
    AboveMinusOne,
}

/// How an operation is called.
pub enum Call {
    /// Any shape to the same or another.
    Unary(for<'t> fn(Var<'t>) -> Var<'t>),
    /// Two shapes that broadcast.
    Binary(for<'t> fn(Var<'t>, Var<'t>) -> Var<'t>),
    /// Any shape with at least one axis, and an axis.
    Axis(for<'t> fn(Var<'t>, isize) -> Var<'t>),
    /// Everything, or along an axis, where at least so many numbers are.
    Reduction(usize, for<'t> fn(Var<'t>) -> Var<'t>, for<'t> fn(Var<'t>, isize) -> Var<'t>),
    /// Several inputs of one shape, and an axis.
    Join(for<'t> fn(&[Var<'t>], isize) -> Var<'t>),
    /// A matrix, or a batch of them.
    Matrix(for<'t> fn(Var<'t>) -> Var<'t>),
    /// `[m, k]` and `[k, n]`, or batches of them.
    Product(for<'t> fn(Var<'t>, Var<'t>) -> Var<'t>),
    /// `[m, k]`, `[k, n]` and `[n]`.
    Affine(for<'t> fn(Var<'t>, Var<'t>, Var<'t>) -> Var<'t>),
    /// Inputs of shapes that belong together, such as images and kernels.
    Shapes(&'static [&'static [&'static [usize]]], for<'t> fn(&[Var<'t>]) -> Var<'t>),
}

/// Every operation.
///
/// ```
/// use surprisal_tensor::ops;
/// let tanh = ops::all().find(|entry| entry.card.name == "tanh").unwrap();
/// assert_eq!((tanh.card.forward, tanh.card.backward), ("tanh x", "(1 - y²) dy"));
/// assert_eq!(tanh.domain, ops::Domain::Any);
/// ```
pub fn all() -> impl Iterator<Item = &'static Entry> {
    elementwise::TABLE.iter().chain(arithmetic::TABLE).chain(LIST)
}

const fn entry(card: Card, signature: Signature, call: Call) -> Entry {
    Entry { card, domain: Domain::Any, call, signature }
}

/// An operation with the card and the signature of its type.
macro_rules! op {
    ($Op:ty, $call:expr $(,)?) => {
        entry(<$Op>::CARD, <$Op>::SIGNATURE, $call)
    };
}

/// The operations that come from no table.
const LIST: &[Entry] = &[
    op!(choose::Where, Call::Join(|x, _| every_other(x[0]).where_(x[0], x[1]))),
    op!(products::Matmul, Call::Product(|a, b| a.matmul(b))),
    op!(products::Affine, Call::Affine(|x, w, b| x.affine(w, b))),
    op!(
        convolution::Conv2d,
        Call::Shapes(
            &[
                &[&[2, 4, 5, 4], &[6, 2, 3, 2], &[6]],
                &[&[1, 2, 3, 7], &[2, 1, 1, 1]],
                &[&[0, 2, 3, 3], &[4, 1, 2, 2], &[4]],
            ],
            |x| {
                let conv =
                    convolution::Conv2d { stride: [2, 1], padding: [1, 2], dilation: [1, 2], groups: 2 };
                x[0].conv2d(x[1], x.get(2).copied(), conv)
            },
        ),
    ),
    op!(
        convolution::ConvTranspose2d,
        Call::Shapes(
            &[
                &[&[2, 4, 3, 2], &[4, 3, 3, 2], &[6]],
                &[&[1, 2, 2, 3], &[2, 1, 2, 1]],
                &[&[0, 2, 3, 3], &[2, 2, 2, 2], &[4]],
            ],
            |x| {
                let conv = convolution::ConvTranspose2d {
                    stride: [2, 1],
                    padding: [1, 0],
                    output_padding: [1, 0],
                    dilation: [1, 2],
                    groups: 2,
                };
                x[0].conv_transpose2d(x[1], x.get(2).copied(), conv)
            },
        ),
    ),
    op!(
        pooling::MaxPool2d,
        Call::Shapes(&[&[&[2, 2, 4, 6]], &[&[1, 2, 5, 7]], &[&[0, 1, 2, 2]]], |x| {
            let around = pooling::MaxPool2d { kernel: [2, 2], stride: [1, 2], padding: [1, 1] };
            x[0].max_pool2d(pooling::MaxPool2d::new([2, 2])).sum() + x[0].max_pool2d(around)
        }),
    ),
    op!(
        pooling::AvgPool2d,
        Call::Shapes(&[&[&[2, 2, 4, 6]], &[&[1, 2, 5, 7]], &[&[0, 1, 2, 2]]], |x| {
            let inside = pooling::AvgPool2d { count_include_pad: false, ..pooling::AvgPool2d::new([2, 2]) };
            let around = pooling::AvgPool2d { stride: [1, 2], padding: [1, 1], ..inside };
            x[0].avg_pool2d(pooling::AvgPool2d::new([2, 2])).sum() + x[0].avg_pool2d(around)
        }),
    ),
    op!(
        sequences::Conv1d,
        Call::Shapes(
            &[&[&[2, 4, 7], &[6, 2, 3], &[6]], &[&[1, 2, 3], &[2, 1, 1]], &[&[0, 2, 3], &[4, 1, 2]]],
            |x| {
                let conv = sequences::Conv1d { stride: 2, padding: 1, dilation: 2, groups: 2 };
                x[0].conv1d(x[1], x.get(2).copied(), conv)
            },
        ),
    ),
    op!(
        sequences::MaxPool1d,
        Call::Shapes(&[&[&[2, 3, 7]], &[&[0, 1, 3]]], |x| {
            x[0].max_pool1d(sequences::MaxPool1d { kernel: 3, stride: 2, padding: 1 })
        }),
    ),
    op!(
        sequences::AvgPool1d,
        Call::Shapes(&[&[&[2, 3, 7]], &[&[0, 1, 3]]], |x| {
            let pool = sequences::AvgPool1d { stride: 2, padding: 1, ..sequences::AvgPool1d::new(3) };
            x[0].avg_pool1d(pool)
                + x[0].avg_pool1d(sequences::AvgPool1d { count_include_pad: false, ..pool }).square()
        }),
    ),
    op!(
        resample::Resize,
        Call::Shapes(&[&[&[2, 2, 3, 4]], &[&[1, 1, 1, 1]], &[&[0, 1, 2, 2]]], |x| {
            use resample::Interpolation::*;
            let sizes = [[2, 7], [5, 3]].into_iter();
            let all = sizes
                .flat_map(|size| [Nearest, Bilinear, BilinearAlignCorners, Area].map(|mode| (size, mode)));
            all.map(|(size, mode)| x[0].resize(size, mode).square().sum())
                .reduce(|a, b| a + b)
                .unwrap_or(x[0])
        }),
    ),
    op!(
        resample::Pad2d,
        Call::Shapes(&[&[&[2, 2, 3, 4]], &[&[0, 1, 3, 3]]], |x| {
            use resample::Border::*;
            let all = [Constant(1.5), Reflect, Replicate].map(|mode| x[0].pad2d([1, 2, 2, 0], mode));
            all[0] + all[1].square() + all[2].square() * 0.5
        }),
    ),
    op!(
        normalize::Moments,
        Call::Shapes(&[&[&[2, 3, 4]], &[&[3, 2]], &[&[2, 2, 2, 3]], &[&[131, 17]]], |x| {
            let moments = x[0].moments();
            let part = |k: usize| moments.slice(0, k..k + 1);
            (part(0) + part(1)) * 2.0 + part(2) // the first two are one number in two parts
        }),
    ),
    op!(
        normalize::Normalize,
        Call::Shapes(
            &[&[&[2, 3, 4], &[3], &[3]], &[&[3, 2, 2, 2], &[2], &[2]], &[&[5, 3], &[3], &[3]]],
            |x| {
                let by = |of_input| normalize::Normalize { eps: 0.1, of_input };
                let constant = x[0].tape().input_with([3, x[1].shape().len()], |i| i as f64 * 0.3);
                x[0].normalize(x[0].moments(), x[1], x[2], by(true))
                    + x[0].normalize(constant, x[1], x[2], by(false)).square()
            }
        ),
    ),
    op!(
        normalize::NormalizeRows,
        Call::Shapes(&[&[&[2, 3, 4], &[4], &[4]], &[&[40, 2], &[2], &[2]]], |x| x[0]
            .normalize_rows(x[1], x[2], 0.1)),
    ),
    op!(reduce::Sum, Call::Reduction(0, |x| x.sum(), |x, axis| x.sum_axis(axis))),
    op!(reduce::Mean, Call::Reduction(1, |x| x.mean(), |x, axis| x.mean_axis(axis))),
    entry(
        extreme::Max::CARD,
        rows::reduction::<extreme::Max>(),
        Call::Reduction(1, |x| x.max(), |x, axis| x.max_axis(axis)),
    ),
    entry(
        extreme::Min::CARD,
        rows::reduction::<extreme::Min>(),
        Call::Reduction(1, |x| x.min(), |x, axis| x.min_axis(axis)),
    ),
    entry(
        rows::Prod::CARD,
        rows::reduction::<rows::Prod>(),
        Call::Reduction(0, |x| x.prod(), |x, axis| x.prod_axis(axis)),
    ),
    op!(rows::Variance, Call::Reduction(2, |x| x.var(), |x, axis| x.var_axis(axis))),
    entry(
        rows::Norm::CARD,
        rows::reduction::<rows::Norm>(),
        Call::Reduction(0, |x| x.norm(), |x, axis| x.norm_axis(axis)),
    ),
    op!(softmax::LogSumExp, Call::Reduction(1, |x| x.logsumexp(), |x, axis| x.logsumexp_axis(axis))),
    op!(softmax::Softmax, Call::Axis(|x, axis| x.softmax(axis))),
    op!(softmax::LogSoftmax, Call::Axis(|x, axis| x.log_softmax(axis))),
    op!(view::Transpose, Call::Matrix(|x| x.t())),
    op!(view::Permute, Call::Unary(|x| x.permute(&Vec::from_iter((0..x.shape().rank()).rev())))),
    op!(view::Reshape, Call::Unary(|x| x.reshape([x.shape().len()]))),
    entry(view::Reshape::FLATTEN, view::Reshape::FLATTEN_SIGNATURE, Call::Axis(|x, axis| x.flatten(axis))),
    op!(view::Unsqueeze, Call::Axis(|x, axis| x.unsqueeze(axis))),
    op!(view::Squeeze, Call::Axis(|x, axis| x.unsqueeze(axis).squeeze(axis))),
    op!(join::Slice, Call::Axis(|x, axis| x.slice(axis, length(x, axis) / 2..length(x, axis)))),
    op!(join::Concat, Call::Join(|x, axis| concat(x, axis))),
    entry(join::Concat::STACK, join::Concat::STACK_SIGNATURE, Call::Join(|x, axis| stack(x, axis))),
    op!(index::IndexSelect, Call::Axis(|x, axis| x.index_select(axis, &[length(x, axis) - 1, 0, 0]))),
    op!(index::Gather, Call::Axis(|x, axis| x.gather(axis, &backward_places(x, axis)))),
    op!(dropout::Dropout, Call::Unary(|x| x.dropout(0.4, 7))),
];

// what the lines above need for the checks

fn length(x: Var, axis: isize) -> usize {
    x.shape().axis(axis).map_or(0, |axis| x.shape().dims()[axis])
}

/// A condition that changes from number to number.
fn every_other<'t>(x: Var<'t>) -> Var<'t> {
    x.tape().input_with(x.shape(), |i| (i % 2) as f64)
}

/// Along an axis the last place first, but the first place always named twice.
fn backward_places(x: Var, axis: isize) -> ArrayD<usize> {
    let n = length(x, axis);
    let axis = x.shape().axis(axis).unwrap_or(0);
    ArrayD::from_shape_fn(x.shape().dims(), |place| (n - 1 - place[axis]).saturating_sub(1))
}

/// For the tests of the operations: the values of f at x, and the gradient of their sum.
#[cfg(test)]
fn at<T: Scalar, D: ndarray::Dimension>(
    x: &ndarray::Array<T, D>,
    f: impl for<'t> Fn(Var<'t>) -> Var<'t>,
) -> (ArrayD<T>, ArrayD<T>) {
    let params = crate::Params::<T>::default();
    let mut workspace = crate::Workspace::new();
    let tape = workspace.tape(&params);
    let x = tape.input(x).requires_grad();
    let y = f(x);
    y.sum().backward();
    (y.to_array(), x.grad().expect("it was asked for").mapv(T::of))
}

/// The message with which f panics, without the places where nodes were recorded.
#[cfg(test)]
pub(crate) fn complaint<R>(f: impl FnOnce() -> R) -> String {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
    let panic = panic.err().expect("this should have panicked");
    let message =
        panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    let lines =
        message.expect("a message").lines().map(|line| line.split(", recorded at ").next().unwrap_or(line));
    Vec::from_iter(lines).join("\n")
}
