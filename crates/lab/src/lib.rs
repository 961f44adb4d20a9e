//! Experiments and their reports: settings in; trajectories, pictures and verdicts out.
//!
//! | module | what it holds |
//! |---|---|
//! | [`gallery`] | experiments that can be falsified: how one is run, written down, taken up again |
//! | [`experiments`] | the experiments, one file each |
//! | [`compare`] | the main job: the same models under two losses, and a verdict |
//! | [`head`] | what turns logits into outputs and measures them: the names of squared error |
//! | [`replay`] | reference experiments computed again, held against their expected numbers |

#![forbid(unsafe_code)]
#![deny(clippy::print_stderr)] // the command writes to standard error, and expects that nobody reads it

pub mod compare;
pub mod experiments;
pub mod gallery;
pub mod head;
pub mod replay;
