//! Every operation of the crate, in one list.
//!
//! An operation is one item: its mathematics in the doc comment, its [`Card`], its shape rule, its value and its
//! derivative. [`all`] lists them; the gradient checks, the explanations and the reference in `docs/ops.md` read that
//! list and nothing else, so a new operation needs its item and its line.
//!
//! | file | operations |
//! |---|---|
//! | [`elementwise`] | one number in, one number out: exp, sigmoid, relu, .. (a table) |
//! | [`arithmetic`] | + - * / with broadcasting (a table) |
//! | [`products`] | matmul, affine |
//! | [`reduce`] | sum, mean |
//! | [`softmax`] | softmax, log_softmax |
//! | [`view`] | transpose, reshape |

pub mod arithmetic;
pub mod elementwise;
pub mod products;
pub mod reduce;
pub mod softmax;
pub mod view;

use crate::{Card, Dual, Var};

/// A value on the tape that the gradient checks run on.
pub type Checked<'t> = Var<'t, Dual<f64>>;

/// One line of the list: an operation, how to call it, and on what.
pub struct Entry {
    /// What the operation says of itself.
    pub card: Card,
    /// The numbers it is defined and smooth on.
    pub domain: Domain,
    /// How to call it.
    pub call: Call,
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
}

/// How an operation is called.
pub enum Call {
    /// Any shape to the same or another.
    Unary(for<'t> fn(Checked<'t>) -> Checked<'t>),
    /// Two shapes that broadcast.
    Binary(for<'t> fn(Checked<'t>, Checked<'t>) -> Checked<'t>),
    /// Any shape with at least one axis, and an axis.
    Axis(for<'t> fn(Checked<'t>, isize) -> Checked<'t>),
    /// One matrix.
    Matrix(for<'t> fn(Checked<'t>) -> Checked<'t>),
    /// `[m, k]` and `[k, n]`.
    Product(for<'t> fn(Checked<'t>, Checked<'t>) -> Checked<'t>),
    /// `[m, k]`, `[k, n]` and `[n]`.
    Affine(for<'t> fn(Checked<'t>, Checked<'t>, Checked<'t>) -> Checked<'t>),
}

/// Every operation.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    elementwise::TABLE.iter().chain(arithmetic::TABLE).chain(LIST)
}

const fn entry(card: Card, call: Call) -> Entry {
    Entry { card, domain: Domain::Any, call }
}

/// The operations that come from no table.
const LIST: &[Entry] = &[
    entry(products::Matmul::CARD, Call::Product(|a, b| a.matmul(b))),
    entry(products::Affine::CARD, Call::Affine(|x, w, b| x.affine(w, b))),
    entry(reduce::Sum::CARD, Call::Unary(|x| x.sum())),
    entry(reduce::Sum::CARD, Call::Axis(|x, axis| x.sum_axis(axis))),
    entry(reduce::Mean::CARD, Call::Axis(|x, axis| x.mean_axis(axis))),
    entry(softmax::Softmax::CARD, Call::Axis(|x, axis| x.softmax(axis))),
    entry(softmax::LogSoftmax::CARD, Call::Axis(|x, axis| x.log_softmax(axis))),
    entry(view::Transpose::CARD, Call::Matrix(|x| x.t())),
    entry(view::Reshape::CARD, Call::Unary(|x| x.reshape([x.shape().len()]))),
];
