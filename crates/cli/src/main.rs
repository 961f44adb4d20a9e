//! The command `surprisal`.

#![forbid(unsafe_code)]

mod compare;
mod progress;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A mini deep-learning framework: compare losses on real data, with pictures and a verdict.
#[derive(Parser)]
#[command(name = "surprisal", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train the same models under two losses; print a verdict and write a page with pictures.
    Compare(compare::Options),
}

/// What a command that could not do its work says. The exit code is 2 where the command line is wrong (clap's own errors
/// too), 1 where a file or the run is.
struct Failure {
    message: String,
    code: u8,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Compare(options) => compare::run(options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { message, code }) => {
            eprintln!("error: {message}");
            ExitCode::from(code)
        }
    }
}
