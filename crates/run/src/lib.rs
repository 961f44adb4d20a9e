//! Training from settings: from a configuration to a trained model, its history and its report.
//!
//! | file | what it holds |
//! |---|---|
//! | `settings` | [`Settings`]: all settings of a run, in one list |
//! | `job` | [`Job`]: a run built from settings: data, a net, an optimizer, a trainer |
//! | `recorder` | [`Recorder`]: the files of a run's folder while it trains |
//! | `predictor` | [`Predictor`]: a trained net, for predictions and evaluation |
//! | `cross_validation` | [`cross_validate`]: k-fold cross-validation; [`cross_validate_part`]: some of the folds |
//! | `sweep` | [`sweep`](fn@sweep): grid or random search over settings, each with several seeds, compared on validation rows; [`sweep_part`]: some of the runs |
//! | `lr_range` | [`LrRange`]: the learning rate range test |
//! | `table` | tables as text and CSV |
//! | `diagnosis` | [`diagnose`]: findings about a training, in words |
//! | `report` | [`write_results`]: the results, as numbers, pictures and a page |
//! | `error` | [`RunError`]: why a run failed |
//!
//! Use this crate if you have a table and want a model. For other data and models, use the library's `Trainer` or a loop of your
//! own.

#![forbid(unsafe_code)]
#![deny(clippy::print_stderr)] // the command writes to standard error, and expects that nobody reads it

mod cross_validation;
mod diagnosis;
mod error;
mod job;
mod lr_range;
mod predictor;
pub mod recorder;
pub mod report;
mod setting_error;
mod settings;
mod sweep;
mod table;

pub use cross_validation::{
    CrossValidation, FoldScores, cross_validate, cross_validate_on, cross_validate_part,
    merge_cross_validation,
};
pub use diagnosis::{Finding, Kind, commonest_class, diagnose, diagnose_failure};
pub use error::{Message, RunError};
pub use job::{DataPart, Job, Outputs, Parts, Rows, SEED, Scores, hold_out, open, scores, split, unit};
pub use lr_range::{LrCurve, LrRange, LrStep};
pub use predictor::Predictor;
pub use recorder::Recorder;
pub use report::{ChosenThreshold, chosen_threshold, overlap_table, write_results};
pub use setting_error::{SettingError, ValueError};
pub use settings::{Balance, ClassWeight, Group, Groups, Hidden, List, Memory, Setting, Settings};
pub use surprisal_report::parts::{Part, Share};
pub use sweep::{Measured, Plan, Point, Run, Sweep, Swept, Vary, merge_sweep, sweep, sweep_part};
