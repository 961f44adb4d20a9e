//! `surprisal lab`

mod list;
mod replay;
mod run;

use clap::Subcommand;
use surprisal_lab::gallery::LabError;

use crate::Failure;

#[derive(Subcommand)]
pub enum Lab {
    /// Name every experiment, with its claim and how long it takes.
    List,
    /// Run an experiment, or all: numbers, intervals, pictures, verdicts.
    Run(run::Options),
    /// Compute a reference experiment again, and hold it against what its file expects.
    Replay(replay::Options),
}

pub fn run(lab: Lab) -> Result<(), Failure> {
    match lab {
        Lab::List => crate::tell(&list::table()),
        Lab::Run(options) => run::run(options),
        Lab::Replay(options) => replay::run(options),
    }
}

impl From<LabError> for Failure {
    fn from(error: LabError) -> Self {
        match error {
            LabError::Usage(_) => Failure::usage(error),
            _ => Failure::run(error),
        }
    }
}
