//! Reference experiments, computed again: from the `setting` of a reference file, the numbers of its `expected`.
//!
//! A reference file is JSON with a `setting`, what it is `expected` to give, and a `tolerance`; nothing is random.
//! [`replay`] computes in `f64`, on the tape that users train with; [`compare()`] holds the result against the reference.
//! So one file, made by another program in another language, checks operations, losses and gradients at once, over
//! thousands of steps.
//!
//! Conventions: epoch k is the state after exactly k updates, and its numbers are evaluated before update k + 1. An
//! update is `theta -= eta * dL/dtheta` (or an optimizer's step), full batch, all parameters at once. Losses are sums over rows and outputs
//! divided by the number of rows only, `sigmoid_mse` also by the number of outputs; `half_..` carries the factor 1/2.
//!
//! | file | what it holds |
//! |---|---|
//! | `neuron` | kind `neuron`: one weight, one bias, one input |
//! | `logreg` | kind `logreg`: logistic regression on a data file |
//! | `mlp` | kind `mlp`: fully connected nets |
//! | `neuron_sweep` | kind `neuron_sweep`: how long a neuron takes to leave saturation, from many starts |
//! | `gradient_flow` | kind `gradient_flow`: all gradients of a deeper net at its start |
//! | `optimizers` | kind `optimizers`: some steps of every optimizer |
//! | `curvature` | kind `curvature`: second derivatives, Hessians and their eigenvalues, chords |
//! | `stationary_points` | kind `stationary_points`: where the slope of a neuron's loss is 0 |
//! | `pointwise` | kind `pointwise`: losses and their gradients at single points |
//! | `calibration` | kind `calibration`: is who says 70 % right in 70 of 100 cases? |
//! | `conv_net` | kind `conv_net`: graphs of convolutions and other operations, on batches; a linear probe on their features |
//! | `net` | the net that these are, its activations and its losses |
//! | `descent` | the steps, the rows at chosen epochs, and the first epochs with small errors |
//! | `rows` | inputs and targets, from the setting or from a data file beside it |
//! | `place` | JSON values that know where they stand, to be read with good errors |
//! | `compare`, `error` | is it the same? what is wrong with the setting? |
//! | `reference` | a whole reference file |
//! | `operation` | operations by name on the numbers of a file: [`find_operation`] |

#![forbid(unsafe_code)]
#![deny(clippy::print_stderr)] // the command writes to standard error, and expects that nobody reads it

mod calibration;
mod compare;
mod conv_net;
mod curvature;
mod descent;
mod error;
mod gradient_flow;
mod logreg;
mod mlp;
mod net;
mod neuron;
mod neuron_sweep;
mod operation;
mod optimizers;
mod place;
mod pointwise;
mod reference;
mod rows;
mod stationary_points;

use std::path::Path;

use serde_json::Value;

pub use compare::{Agreement, Mismatch, compare};
pub use error::ReplayError;
pub use operation::{Operation, find_operation, operations};
use place::Place;
pub use reference::Reference;

/// How a kind of setting is replayed; the path is the folder of its data files.
type Kind = fn(&Place, &Path) -> Result<Value, ReplayError>;

/// Every kind of setting.
const KINDS: &[(&str, Kind)] = &[
    ("neuron", neuron::replay),
    ("neuron_sweep", neuron_sweep::replay),
    ("logreg", logreg::replay),
    ("mlp", mlp::replay),
    ("gradient_flow", gradient_flow::replay),
    ("optimizers", optimizers::replay),
    ("curvature", curvature::replay),
    ("stationary_points", stationary_points::replay),
    ("pointwise", pointwise::replay),
    ("calibration", calibration::replay),
    ("conv_net", conv_net::replay),
];

/// Computes what `setting` is expected to give; `data` is the folder of the data file that it names, if any.
///
/// The result has every key that the `expected` of a reference file has, and may have more: parameters and outputs are
/// given at every epoch that is reported.
///
/// # Errors
/// If something in the setting is missing, misspelled, unknown, or of the wrong type or size, if the data file cannot be
/// read, or if the numbers do not stay finite: with the key path, and what to try.
///
/// ```
/// use serde_json::json;
/// use surprisal_replay::replay;
///
/// let setting = json!({
///     "kind": "neuron",
///     "epochs": [0, 1],
///     "runs": [{ "id": "saturated", "loss": "half_squared", "eta": 0.15, "x": 1, "y": 0, "w0": 2, "b0": 2,
///                "milestones": [0.5], "cap": 1000 }],
/// });
/// let replayed = replay(&setting, "tests/vectors")?;
/// let run = &replayed["runs"][0];
/// assert_eq!(run["trajectory"][0]["output"], 0.9820137900379085); // as wrong as can be, and yet ..
/// assert_eq!(run["first_epoch_with_abs_error_below"]["0.5"], 232); // .. it takes 232 steps to half the error
/// # Ok::<(), surprisal_replay::ReplayError>(())
/// ```
pub fn replay(setting: &Value, data: impl AsRef<Path>) -> Result<Value, ReplayError> {
    let setting = Place::root("setting", setting);
    let kind = setting.get("kind")?.one_of(KINDS)?;
    kind(&setting, data.as_ref())
}
