//! The tape and its operations.

mod edges;
mod images;
mod ops;
mod panics;
#[cfg(target_arch = "x86_64")]
mod simd;
mod tape;
