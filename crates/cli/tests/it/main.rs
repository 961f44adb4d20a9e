//! The command, as it is typed.

mod book;
#[path = "../../../report/tests/it/support/browser.rs"]
mod browser;
mod check;
mod common;
mod compare;
mod explain;
mod images;
mod lab_replay;
mod lab_run;
mod loss;
mod memory;
mod messages;
#[cfg(feature = "replay")]
mod op;
mod parts;
mod play;
mod playground_commands;
mod ranks;
#[cfg(target_arch = "x86_64")]
mod simd;
mod sources;
mod tables;
mod train;
mod trust;
