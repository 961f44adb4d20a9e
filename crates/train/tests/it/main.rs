//! Training, and the files of a model.

mod check;
mod interchange;
mod pytorch;
mod resume;
mod saved;
mod training;
