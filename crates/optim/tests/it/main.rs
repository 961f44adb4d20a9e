//! Optimizers: their numbers, and what they refuse.

mod messages;
mod steps;
mod vectors;
