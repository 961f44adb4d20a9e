//! The whole library, with an allocator that counts.

#[path = "../counting/mod.rs"]
mod counting;
mod explain;
mod fuzz;
mod hints;
mod no_allocation;
mod programs;
mod scopes;
mod threads;
