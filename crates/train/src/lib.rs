//! The loop: from data and a model to a trained model and its history.
//!
//! | file | what it holds |
//! |---|---|
//! | `objective` | [`Objective`]: what is minimised behind the model's last layer, cross-entropy or squared error |
//! | `examples` | [`Examples`]: features and labels in the number type of the model |
//! | `trainer` | [`Trainer`]: epochs over shuffled batches, each measured |
//! | `history` | [`Epoch`] and [`History`]: what was measured, and as CSV |
//! | [`check`] | is this model, on this data, worth training? five checks before the first epoch |
//! | `saved` | [`SavedModel`]: a trained model in a file |
//! | [`interchange`] | parameters in safetensors and NPZ files, for PyTorch and NumPy and back |
//! | `files` | [`write_atomically`]: files that are there whole or not at all |
//! | `error` | [`TrainError`]: what stopped it, where, and what to try |
//!
//! ```
//! use surprisal_data::{Dataset, Standardize};
//! use surprisal_layers::{Linear, rng};
//! use surprisal_optim::Sgd;
//! use surprisal_tensor::Params;
//! use surprisal_train::{Examples, Objective, Trainer};
//!
//! let mut data = Dataset::iris();
//! data.features = Standardize::fit(&data.features)?.apply(&data.features)?;
//! let examples = Examples::<f64>::new(&data);
//!
//! let mut params = Params::new();
//! let model = Linear::new(&mut params, "out", 4, 3, &mut rng(7));
//! let trainer =
//!     Trainer { objective: Objective::CrossEntropy, epochs: 50, batch_size: 30, seed: 7, measure_gradient: false };
//! let history = trainer.fit(&model, &mut params, &mut Sgd::new(0.5), &examples, &examples, |_| ())?;
//! assert!(history.last().train_accuracy > 0.94);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

pub mod check;
mod error;
mod examples;
mod files;
mod history;
pub mod interchange;
mod objective;
mod saved;
mod trainer;

pub use error::TrainError;
pub use examples::Examples;
pub use files::write_atomically;
pub use history::{Epoch, History};
pub use interchange::{
    InterchangeError, Layout, Misfit, load_npz, load_safetensors, load_safetensors_bytes, save_npz,
    save_safetensors,
};
pub use objective::Objective;
pub use saved::{SavedError, SavedModel, SavedParameter};
pub use trainer::Trainer;
