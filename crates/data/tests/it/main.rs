//! Data sets, files and metrics, beside numbers of others.

mod checksums;
mod idx;
mod images;
mod made_files;
mod messages;
mod metrics;
mod numpy;
mod scikit_learn;
mod tables;
mod vectors;
