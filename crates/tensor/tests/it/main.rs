//! The tape and its operations.

mod edges;
mod images;
mod ops;
mod panics;
mod tape;
