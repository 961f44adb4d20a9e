//! The reference trajectories, and every message.

mod messages;
mod operations;
mod trajectories;
