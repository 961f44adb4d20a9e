//! The losses of margins.
