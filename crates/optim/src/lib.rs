//! Optimizers: from a gradient to the next theta.
//!
//! Theta, its gradient and what an optimizer remembers are vectors over one layout, so an optimizer is arithmetic on
//! slices: a formula, a kernel that applies it to every number, and the memory it needs. Each is one file.
//!
//! | file | what it holds |
//! |---|---|
//! | `optimizer` | [`Optimizer`]: one step, and what is checked before it |
//! | `rule` | [`Rule`]: what is an optimizer's own; [`Optim`]: what all of them share |
//! | `sgd`, `adam`, .. | [`Sgd`], [`Adam`], ..: each optimizer, with its formula and its source |
//! | `kind` | [`OptimizerKind`]: every optimizer by its name, to be built from settings; the list of them |
//! | `param_group` | [`ParamGroup`]: a learning rate and a weight decay of their own for some of the parameters |
//! | `penalty` | [`Penalty`]: a price for large weights, L1, L2 or both |
//! | `clip` | [`clip_grad_norm`], [`clip_grad_value`]: gradients cut to size |
//! | `gradient_mean` | [`GradientMean`]: the gradient of a batch that is too large for one go |
//! | `schedule` | [`Schedule`]: how the learning rate changes while training goes on |
//! | `state` | [`OptimizerState`]: what an optimizer remembers, to be saved and taken up again |
//! | `hyperparameter` | [`Hyperparameter`]: what a learning rate, a momentum, .. may be |
//! | `error` | [`OptimError`]: every message of this crate on one page |
//!
//! ```
//! use surprisal_optim::{Adam, Optimizer, Sgd};
//! use surprisal_tensor::{Params, Workspace, ndarray::array};
//!
//! let x = array![[0.0], [1.0], [2.0], [3.0]];
//! let y = array![[1.0], [3.0], [5.0], [7.0]]; // 2 x + 1
//!
//! let optimizers: [Box<dyn Optimizer<f64>>; 3] =
//!     [Box::new(Sgd::new(0.1)), Box::new(Sgd::new(0.02).momentum(0.9).nesterov()), Box::new(Adam::new(0.1))];
//! for mut optimizer in optimizers {
//!     let mut params = Params::default();
//!     let w = params.add("w", &array![[0.0]]);
//!     let b = params.add("b", &array![0.0]);
//!     let mut workspace = Workspace::new();
//!     for _ in 0..300 {
//!         let tape = workspace.tape(&params);
//!         let loss = (tape.input(&x).affine(tape.param(w), tape.param(b)) - tape.input(&y)).square().mean();
//!         loss.backward();
//!         optimizer.step(&mut params, workspace.grads());
//!     }
//!     assert!((params[w][0] - 2.0).abs() < 1e-3 && (params[b][0] - 1.0).abs() < 1e-3);
//! }
//! ```
#![forbid(unsafe_code)]

mod adagrad;
mod adam;
mod adam_w;
mod clip;
mod common;
mod error;
mod gradient_mean;
mod hyperparameter;
mod kind;
mod lion;
mod optimizer;
mod param_group;
mod penalty;
mod rms_prop;
mod rule;
mod schedule;
mod scheduler;
mod sgd;
mod state;

pub use clip::{clip_grad_norm, clip_grad_norm_named, clip_grad_value, clip_grad_value_named};
pub use error::OptimError;
pub use gradient_mean::GradientMean;
pub use hyperparameter::Hyperparameter;
pub use kind::optimizers::*;
pub use kind::{OptimizerKind, OptimizerSettings, optimizers, rules};
pub use optimizer::Optimizer;
pub use param_group::ParamGroup;
pub use penalty::Penalty;
pub use rule::{HasBetas, HasEps, HasMomentum, Optim, Options, Rule, StepNumbers};
pub use schedule::{At, Schedule};
pub use scheduler::Scheduler;
pub use state::OptimizerState;
