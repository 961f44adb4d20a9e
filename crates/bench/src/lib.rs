//! How fast is a step? The same work for surprisal and for its peers: data, nets, losses to agree on, and one rule of timing.
//!
//! | file | what it holds |
//! |---|---|
//! | `task` | [`Net`]: the trainings T1 to T5, their data and first weights; [`LOSS_KERNELS`]: T7 |
//! | `images` | the data and first weights of T9 to T11 |
//! | `expected` | [`check_loss`]: the loss that everyone must show, from double precision |
//! | `measure` | [`Bench`]: what to run and how long; [`measure()`]: the median of undisturbed blocks; a line of JSON |
//! | `../benches/tasks.rs` | the tasks, written as a user of the library writes them |
//! | `../benches/images.rs` | the tasks on images |
//! | `../benches/ops.rs` | single operations |
//! | `../examples/t2_once.rs` | a whole process that trains for one step |
//! | `../peers` | the same tasks in candle, burn, dfdx, PyTorch, JAX and by hand: a workspace of its own |
//! | `../compare.py` | runs them in turns and prints the table of ratios |
//!
//! `docs/performance.md` says how to run them and what came out.

#![forbid(unsafe_code)]

mod expected;
pub mod images;
mod measure;
mod task;

pub use expected::check_loss;
pub use measure::{Bench, Timing, measure, print_once};
pub use task::{LOSS_KERNELS, Layer, Loss, Net, Update, from_minus_1_to_1, labels, logits, one_hot};
