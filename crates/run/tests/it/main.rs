//! Trainings, sweeps and their reports.

#[path = "../../../report/tests/it/support/browser.rs"]
mod browser;
mod cross_validation;
mod defaults;
mod diagnosis;
mod evaluation;
mod lr_range;
mod parts;
mod report;
mod segmentation;
mod sweep;
