//! surprisal-optim
