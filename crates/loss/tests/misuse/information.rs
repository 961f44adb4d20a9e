//! The losses of information.
