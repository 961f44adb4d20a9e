//! Loss functions: their numbers, and what they refuse.

mod accuracy;
mod cards;
mod every_f32;
mod images;
mod misuse;
mod oracles;
mod properties;
