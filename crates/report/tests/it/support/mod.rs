//! What several tests need.

pub mod browser;
pub mod gallery;
pub mod xml;
