//! The reference trajectories.

mod trajectories;
