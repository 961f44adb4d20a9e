//! Charts and pages.

mod browser;
mod chart;
mod pictures;
mod support;
