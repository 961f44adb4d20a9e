//! Loss functions: their numbers, and what they refuse.

mod accuracy;
mod cards;
mod every_f32;
mod misuse;
mod oracles;
mod properties;
