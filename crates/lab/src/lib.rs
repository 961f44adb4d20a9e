//! Experiments on loss functions: they take settings and return trajectories, figures and verdicts.
//!
//! | module | contents |
//! |---|---|
//! | [`gallery`] | the framework of the experiments: running, resuming and writing them |
//! | [`experiments`] | the experiments |

#![forbid(unsafe_code)]
#![deny(clippy::print_stderr)] // the command writes to standard error, and expects that nobody reads it

pub mod experiments;
pub mod gallery;
