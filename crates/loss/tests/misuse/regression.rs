//! The losses of regression.
