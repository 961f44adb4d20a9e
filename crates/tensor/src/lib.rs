//! Numbers, shapes, operations and the tape: everything else in surprisal is a small program over these.
//!
//! 1. A number is a [`Scalar`]: `f32`, `f64`, or [`Dual`], which carries its derivative. What holds numbers has their type as a
//!    parameter; what computes with them, a tape, has none.
//! 2. [`Params`] is theta: one contiguous vector with a layout of named, shaped ranges. [`Gradients`] are a vector over the
//!    same layout, so an optimizer is arithmetic on slices.
//! 3. A [`Tape`] borrows theta and a [`Workspace`], which owns nodes, values and gradients. Starting a tape rewinds the
//!    workspace and keeps its memory: a steady step allocates nothing. A node's inputs have smaller indices, so
//!    the order of recording is the topological order: no sort, no recursion, no reference counts.
//! 4. An [`Op`] is one item in one place: its [`Card`] (name, formula, derivative, a sentence of why), its shape rule, its
//!    value, and its derivative, which can only add to the gradients of its inputs.
//! 5. [`Var`] is a value on a tape: a reference and an index, `Copy`, so that `a * b + c` reads as mathematics.
//!
//! ```
//! use surprisal_tensor::{Params, Workspace, ndarray::array};
//!
//! let mut params = Params::<f64>::default();
//! let w = params.add("w", &array![[0.5], [-1.0]]);
//! let b = params.add("b", &array![0.1]);
//! let x = array![[1.0, 2.0], [3.0, 4.0]];
//! let y = array![[0.0], [1.0]];
//!
//! let mut workspace = Workspace::new();
//! for _ in 0..100 {
//!     let tape = workspace.tape(&params);
//!     let z = tape.input(&x).affine(tape.param(w), tape.param(b));
//!     let loss = (z - tape.input(&y)).square().mean();
//!     loss.backward();
//!     for (theta, g) in params.as_mut_slice().iter_mut().zip(workspace.grads().as_slice()) {
//!         *theta -= 0.05 * g; // above `loss.backward()` this would not compile: the tape still borrows theta
//!     }
//! }
//! let (loss, _) = workspace.grad(&params, |tape| {
//!     let z = tape.input(&x).affine(tape.param(w), tape.param(b));
//!     (z - tape.input(&y)).square().mean()
//! });
//! assert!(loss < 0.02);
//! ```
//!
//! # Where to read on
//!
//! | file | what it holds |
//! |---|---|
//! | `scalar`, `dual`, [`elementary`] | numbers, and the functions behind them |
//! | `shape`, `params` | shapes and the messages if they do not fit; theta and its gradient |
//! | `workspace`, `tape` | the memory, recording and walking back; the core |
//! | `store` | the numbers of a tape behind one type, whichever they are |
//! | `op` | defining operations: what an operation reads, writes and may add to |
//! | [`ops`] | every operation, in one list |
//! | `inspect` | inspection of a tape: nodes, and the backward pass step by step |
//! | `check`, `second_order`, `eigen` | gradient checks, second derivatives, eigenvalues |
//! | [`threads`] | how many threads share large work, and how it is cut so that the bits do not depend on it |
//! | [`sum`], `product`, `buffer`, [`simd`] | the loops underneath; the last is the only file with `unsafe` |

pub mod elementary;
pub mod ops;
pub mod simd;
#[doc(hidden)]
pub mod store;
pub mod sum;
pub mod threads;

mod buffer;
mod check;
mod dual;
mod eigen;
mod inspect;
mod node;
mod op;
mod params;
mod product;
mod scalar;
mod second_order;
mod shape;
mod tape;
mod workspace;

pub use buffer::Buf;
pub use check::{
    Agreement, Derivative, Disagreement, check_gradient, derivatives, gradient_agreement,
    gradient_agreement_in,
};
pub use dual::Dual;
pub use eigen::symmetric_eigen;
pub use inspect::{LayerGuard, Sent, Step};
pub use ndarray;
pub use op::{Backward, Card, Forward, Grad, Inputs, Op, Room, Shapes};
pub use ops::{concat, stack};
pub use params::{Entry, Gradients, NoSuchParameter, ParamId, Params, Scope, Unreached, name_matches};
pub use product::Mat;
pub use scalar::{DType, Logistic, Scalar};
pub use second_order::{SecondOrder, curvature_along, hessian, hessian_vector_product};
pub use shape::{MAX_RANK, Shape, ShapeError};
pub use tape::{NonFinite, Read, Tape, Var, Write};
pub use workspace::{LayerNote, Workspace};
