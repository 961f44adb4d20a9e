//! Numbers, shapes, operations and the tape, on which all other crates of surprisal are built.
//!
//! 1. A number is a [`Scalar`]: `f32`, `f64`, or [`Dual`], an `f64` with a derivative. Types that store numbers, such as
//!    [`Params`] and [`Workspace`], have the number type as a parameter; [`Tape`] and [`Var`] have none.
//! 2. [`Params`] contains all parameters, called theta: one contiguous vector with a layout of names and shapes. [`Gradients`]
//!    is a vector with the same layout, so an optimizer is arithmetic on slices.
//! 3. A [`Tape`] records one computation. It borrows theta and a [`Workspace`], which owns nodes, values and gradients. Each
//!    new tape reuses the memory of the workspace, so that a step allocates nothing after the first. The inputs of a node
//!    have smaller indices than the node, so the order of recording is a topological order, and the backward pass needs no
//!    sort, no recursion and no reference counts.
//! 4. An [`Op`] defines an operation in one place: its [`Card`] (name, formula, derivative, a one-sentence explanation), its
//!    shape rule, its forward pass, and its backward pass, which can only add to the gradients of its inputs.
//! 5. A [`Var`] is a value on a tape. It is a reference and an index, and `Copy`, so that `a * b + c` reads like mathematics.
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
//!         *theta -= 0.05 * g; // before `loss.backward()` this would not compile: the tape borrows theta
//!     }
//! }
//! let (loss, _) = workspace.grad(&params, |tape| {
//!     let z = tape.input(&x).affine(tape.param(w), tape.param(b));
//!     (z - tape.input(&y)).square().mean()
//! });
//! assert!(loss < 0.02);
//! ```
//!
//! # Source files
//!
//! | file | contents |
//! |---|---|
//! | `scalar`, `dual`, [`elementary`] | number types, and elementary functions such as exp and tanh |
//! | `shape`, `params` | shapes and shape errors; parameters and gradients |
//! | `workspace`, `tape`, `var` | the core: memory, recording, the backward pass, values |
//! | `store` | the numbers of a tape, behind one type for all number types |
//! | `op` | the definition of operations |
//! | [`ops`] | every operation, in one list |
//! | `inspect` | inspection of a tape: nodes, and the backward pass step by step |
//! | `check`, `second_order`, `eigen` | gradient checks, second derivatives, eigenvalues |
//! | [`threads`] | the number of threads, and the splitting of large operations so that results do not depend on it |
//! | [`sum`], `product`, `buffer`, [`simd`] | sums, matrix products, aligned memory, kernels; only `simd` contains `unsafe` code |

pub mod elementary;
pub mod ops;
pub mod simd;
#[doc(hidden)]
pub mod store;
pub mod sum;
pub mod threads;

mod buffer;
mod check;
mod convolution;
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
mod var;
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
pub use params::{Entry, Gradients, NoSuchParameter, ParamId, Params, Scope, Unreached, lerp, name_matches};
pub use product::Mat;
pub use scalar::{DType, Logistic, Scalar};
pub use second_order::{SecondOrder, curvature_along, hessian, hessian_vector_product};
pub use shape::{MAX_RANK, Shape, ShapeError};
pub use tape::{NonFinite, Read, Tape, Write};
pub use var::Var;
pub use workspace::{LayerNote, Workspace};
