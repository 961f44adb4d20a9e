//! Training, and the files of a model.

mod check;
mod interchange;
mod onnx;
#[allow(dead_code)] // not all of it is used here
#[path = "../../../tensor/tests/it/panics.rs"]
mod panics;
mod pytorch;
mod resume;
mod saved;
mod training;
