//! The tape and its operations.

mod edges;
mod ops;
mod panics;
mod tape;
