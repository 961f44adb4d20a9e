//! surprisal-train
