//! Layers, beside PyTorch and on their own.

mod layers;
mod misuse;
mod pytorch;
mod starts;
mod summary;
