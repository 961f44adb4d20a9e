//! The notation, and the book that is written in it.

mod book;
mod notation;
