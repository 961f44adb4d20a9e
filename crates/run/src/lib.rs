//! A training from settings: from a configuration to a trained model and everything that tells how it came about.
//!
//! | file | what it holds |
//! |---|---|
//! | `settings` | [`Settings`]: everything that a run can be told, in one list |
//! | `job` | [`Job`]: settings made real: data, a net, an optimizer, a trainer |
//! | `recorder` | [`Recorder`]: what stands in a run's folder while it runs |
//! | `asked` | [`Asked`]: a trained net, and data to ask it about |
//! | `error` | [`RunError`]: what could not be done |
//!
//! Everything here can be had without it: the library's `Trainer` takes data and a model of any kind, and a loop of one's own needs
//! neither. This crate is for those who have a table and want a model.

#![forbid(unsafe_code)]

mod answers;
mod asked;
mod error;
mod job;
pub mod recorder;
mod settings;

pub use asked::Asked;
pub use error::RunError;
pub use job::{Job, Parts, Rows, SEED, Scores, hold_out, open, scores, split, unit};
pub use recorder::Recorder;
pub use settings::{Balance, Group, Groups, Hidden, List, Setting, Settings};
