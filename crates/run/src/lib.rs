//! A training from settings: from a configuration to a trained model and everything that tells how it came about.
//!
//! | file | what it holds |
//! |---|---|
//! | `settings` | [`Settings`]: everything that a run can be told, in one list |
//! | `job` | [`Job`]: settings made real: data, a net, an optimizer, a trainer |
//! | `recorder` | [`Recorder`]: what stands in a run's folder while it runs |
//! | `asked` | [`Asked`]: a trained net, and data to ask it about |
//! | `cross_validation` | [`cross_validate`]: every row is tested once, by a net that has not seen it |
//! | `sweep` | [`sweep`](fn@sweep): many settings, each with several seeds; judged by rows that are neither trained on nor tested |
//! | `lr_range` | [`LrRange`]: from which learning rate on a net learns, and from which on it no longer does |
//! | `cores`, `table` | many trainings over the cores; tables as text and CSV |
//! | `diagnosis` | [`diagnose`]: what a training's numbers say about it, in words |
//! | `report` | [`write_results`]: what it came to, as numbers, pictures and a page |
//! | `error` | [`RunError`]: what could not be done |
//!
//! Everything here can be had without it: the library's `Trainer` takes data and a model of any kind, and a loop of one's own needs
//! neither. This crate is for those who have a table and want a model.

#![forbid(unsafe_code)]
#![deny(clippy::print_stderr)] // the command writes to standard error, and expects that nobody reads it

mod asked;
mod cores;
mod cross_validation;
mod diagnosis;
mod error;
mod job;
mod lr_range;
pub mod recorder;
pub mod report;
mod setting_error;
mod settings;
mod sweep;
mod table;

pub use asked::Asked;
pub use cross_validation::{CrossValidation, FoldScores, cross_validate};
pub use diagnosis::{Finding, Kind, commonest_class, diagnose, diagnose_failure};
pub use error::RunError;
pub use job::{Job, Parts, Rows, SEED, Scores, hold_out, open, scores, split, unit};
pub use lr_range::{LrCurve, LrRange, LrStep};
pub use recorder::Recorder;
pub use report::write_results;
pub use setting_error::{SettingError, ValueError};
pub use settings::{Balance, ClassWeight, Group, Groups, Hidden, List, Setting, Settings};
pub use sweep::{Measured, Plan, Point, Run, Sweep, Swept, Vary, sweep};
