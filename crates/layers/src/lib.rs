//! surprisal-layers
