//! Optimizers: from gradients to the next parameters.
//!
//! The parameters (theta), their gradients and the state of an optimizer are vectors with the same layout, so an optimizer is
//! arithmetic on slices: a formula, a kernel that applies it to every element, and a state. Each optimizer is one file.
//!
//! | file | contents |
//! |---|---|
//! | `optimizer` | [`Optimizer`]: one step, and the checks before it |
//! | `rule` | [`Rule`]: the part that differs between optimizers; [`Optim`]: the part that is the same |
//! | `sgd`, `adam`, .. | [`Sgd`], [`Adam`], ..: each optimizer, with its formula and its source |
//! | `kind` | [`OptimizerKind`]: the list of all optimizers, and their construction by name from settings |
//! | `param_group` | [`ParamGroup`]: a learning rate and a weight decay of their own for some of the parameters |
//! | `penalty` | [`Penalty`]: L1 and L2 penalties on weights |
//! | `clip` | [`clip_grad_norm`], [`clip_grad_value`]: gradient clipping |
//! | `gradient_mean` | [`GradientMean`]: gradient accumulation over micro-batches |
//! | `schedule` | [`Schedule`]: learning rate schedules |
//! | `state` | [`OptimizerState`]: the state of an optimizer, to be saved and restored |
//! | `hyperparameter` | [`Hyperparameter`]: the ranges of learning rate, momentum, .. |
//! | `error` | [`OptimError`]: all error messages of this crate |
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
pub use rule::{HasBetas, HasEps, HasMomentum, Memory, Optim, Options, Rule, StepNumbers};
pub use schedule::{At, Schedule};
pub use scheduler::Scheduler;
pub use state::OptimizerState;
