//! The losses of overlap.
