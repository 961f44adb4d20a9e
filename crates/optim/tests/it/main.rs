//! Optimizers: their numbers, and what they refuse.

mod messages;
mod reference;
mod steps;
mod vectors;
