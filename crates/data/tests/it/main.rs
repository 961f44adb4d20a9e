//! Data sets, files and metrics, beside numbers of others.

mod checksums;
mod idx;
mod images;
mod made_files;
mod messages;
mod metrics;
mod numpy;
#[allow(dead_code)] // not all of it is used here
#[path = "../../../tensor/tests/it/panics.rs"]
mod panics;
mod scikit_learn;
mod tables;
mod vectors;
