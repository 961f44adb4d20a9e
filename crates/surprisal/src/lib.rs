//! surprisal
