//! `surprisal lab`

mod list;
#[cfg(feature = "replay")]
mod replay;
pub mod run;

use clap::Subcommand;
use surprisal_lab::gallery::{Experiment, LabError};

use crate::Failure;

#[derive(Subcommand)]
pub enum Lab {
    /// List the experiments with their claims and run times, or show one in detail.
    List(list::Options),
    /// Run one experiment, or all: numbers, intervals, figures, verdicts.
    Run(run::Options),
    /// Compute a reference experiment again and compare it with the numbers in its file.
    #[cfg(feature = "replay")]
    Replay(replay::Options),
}

pub fn run(lab: Lab) -> Result<(), Failure> {
    match lab {
        Lab::List(options) => list::run(options),
        Lab::Run(options) => run::run(options),
        #[cfg(feature = "replay")]
        Lab::Replay(options) => replay::run(options),
    }
}

fn find(name: &str) -> Result<&'static Experiment, Failure> {
    surprisal_lab::experiments::find(name)
        .map_err(|error| Failure::usage(format!("{error} | `surprisal lab list` shows all")))
}

impl From<LabError> for Failure {
    fn from(error: LabError) -> Self {
        match error {
            LabError::Usage(_) => Failure::usage(error),
            LabError::Folder(error) => error.into(),
            LabError::Parts(error) => {
                let options: &[_] = if error.is_about_the_path() { &["out"] } else { &[] };
                Failure::run(error).with_options(options)
            }
            _ => Failure::run(error),
        }
    }
}
