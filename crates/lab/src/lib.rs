//! Experiments and their reports: settings in; trajectories, pictures and verdicts out.
//!
//! | module | what it holds |
//! |---|---|
//! | [`gallery`] | experiments that can be falsified: how one is run, written down, taken up again |
//! | [`experiments`] | the experiments, one file each |
//! | [`compare`] | the main job: the same models under two losses, and a verdict |
//! | [`folder`] | run folders: a free name, nothing half-written |
//! | [`journal`] | what has been computed so far, in lines that each carry a checksum |
//! | [`statistics`] | means with their intervals |
//! | [`head`] | what turns logits into outputs and measures them: the names of squared error |
//! | [`parallel`] | many runs over the cores, results in order |
//! | [`replay`] | reference experiments computed again, held against their expected numbers |
//! | [`chart`], [`page`] | line charts as SVG and self-contained HTML pages |

#![forbid(unsafe_code)]
#![deny(clippy::print_stderr)] // the command writes to standard error, and expects that nobody reads it

pub mod chart;
pub mod compare;
pub mod experiments;
pub mod folder;
pub mod gallery;
pub mod head;
pub mod journal;
pub mod parallel;
pub mod replay;
pub mod statistics;

pub use surprisal_page as page;
