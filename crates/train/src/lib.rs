//! Training: from data and a model to a trained model and its history.
//!
//! | file | contents |
//! |---|---|
//! | `objective` | [`Objective`]: the loss to minimize, with its options |
//! | `batch` | [`Batched`], [`Batch`], [`Rows`]: mini-batches of a data set on the tape, for a loop of your own too |
//! | `head` | [`Head`]: a loss of logits together with the activation before it |
//! | `examples` | [`Examples`]: features of any shape and number type, with targets |
//! | `trainer` | [`Trainer`]: the settings of a training |
//! | `fit` | [`Fit`]: a trainer with its data: validation, callbacks, [`fit`](Fit::fit), [`minimize`](Fit::minimize), and the checks before training |
//! | `training` | the training loop: epochs of shuffled batches, with metrics after each; it can be resumed at any step |
//! | `group`, `shards`, `link` | [`Group`]: processes that train one model; the shards of a batch; what ranks exchange |
//! | `measure` | [`outputs`], [`probabilities`], [`evaluate`]: predictions and metrics |
//! | `callback` | [`Callback`]: is called after every step and epoch, and can end the training |
//! | `history` | [`Epoch`], [`Measured`] and [`History`]: the metrics of every epoch, also as CSV |
//! | [`check`] | five checks of a model and its data before the first epoch |
//! | `checkpoint` | [`Checkpoint`]: the state of a training |
//! | `model_file` | [`ModelFile`]: a file with a model and everything that is needed to use it, or to resume its training |
//! | [`interchange`] | parameters in safetensors and NPZ files, for PyTorch and NumPy and back; nets as ONNX files |
//! | [`parallel`], `team` | many independent runs on several cores, with results in order; [`Team`]: on the cores of several ranks |
//! | `error` | [`TrainError`]: why a training failed, where, and what to try |
//!
//! ```
//! use surprisal_data::{Dataset, Standardize};
//! use surprisal_layers::{Linear, rng};
//! use surprisal_optim::Sgd;
//! use surprisal_tensor::Params;
//! use surprisal_train::Trainer;
//!
//! let mut data = Dataset::iris();
//! data.features = Standardize::fit(&data.features)?.apply(&data.features)?;
//!
//! let mut params = Params::new();
//! let model = Linear::new(&mut params, "out", 4, 3, &mut rng(7));
//! let trainer = Trainer { epochs: 50, batch_size: 30, seed: 7, ..Trainer::default() };
//! let history = trainer.on(&data).fit(&model, &mut params, &mut Sgd::new(0.5))?;
//! assert!(history.last().train.accuracy > Some(0.94));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![deny(clippy::print_stderr)] // the command writes to standard error, and expects that nobody reads it

mod augment;
mod batch;
mod callback;
pub mod check;
mod checkpoint;
mod error;
mod examples;
mod fit;
mod group;
mod head;
mod history;
pub mod interchange;
mod link;
mod measure;
mod model_file;
mod name_error;
mod objective;
pub mod parallel;
mod shards;
mod step;
mod team;
mod trainer;
mod training;

pub use augment::Augment;
pub use batch::{Batch, Batched, Rows};
pub use callback::{At, Callback, Ended};
pub use checkpoint::Checkpoint;
pub use error::TrainError;
pub use examples::Examples;
pub use fit::Fit;
pub use group::{Group, GroupError};
pub use head::Head;
pub use history::{Epoch, History, Measured};
pub use interchange::{
    InterchangeError, Layout, Misfit, OnnxError, OnnxOutput, load_npz, load_npz_named, load_onnx,
    load_onnx_bytes, load_safetensors, load_safetensors_bytes, load_safetensors_named, onnx_bytes, save_npz,
    save_npz_named, save_onnx, save_safetensors, save_safetensors_named,
};
pub use measure::{Evaluation, KeptOutputs, Monitor, evaluate, outputs, outputs_of, probabilities, score};
pub use model_file::{
    LoadError, ModelFile, ModelFileError, Numbers, Predictions, SavedModel, SavedParameter,
};
pub use name_error::NameError;
pub use objective::{Objective, Registered};
pub use surprisal_report::files::write_atomically;
pub use team::{Runs, Team};
pub use trainer::{Clip, EarlyStopping, Trainer};
