//! Experiments and their reports: settings in; trajectories, pictures and verdicts out.
//!
//! | module | what it holds |
//! |---|---|
//! | [`gallery`] | experiments that can be falsified: how one is run, written down, taken up again |
//! | [`experiments`] | the experiments, one file each |
//! | [`compare`] | the main job: the same models under two losses, and a verdict |

#![forbid(unsafe_code)]
#![deny(clippy::print_stderr)] // the command writes to standard error, and expects that nobody reads it

pub mod compare;
pub mod experiments;
pub mod gallery;
