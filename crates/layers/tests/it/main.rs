//! Layers, beside PyTorch and on their own.

mod architecture;
mod layers;
mod misuse;
mod pytorch;
mod starts;
mod summary;
mod unet;
