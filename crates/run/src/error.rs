//! Errors of a run.

use std::fmt;

use surprisal_data::{DataError, DataSource, ErrorKind};
use surprisal_optim::OptimError;
use surprisal_report::folder::FolderError;
use surprisal_train::{ModelFileError, TrainError};

use crate::diagnosis::rate_or_clipping;
use crate::{SettingError, Settings};

/// Why a run could not start or finish.
#[derive(Clone, PartialEq)]
pub enum RunError {
    /// Invalid arguments.
    Usage(String),
    /// A failure of the data, a file or the training.
    Run(String),
}

impl RunError {
    pub(crate) fn usage(error: impl fmt::Display) -> RunError {
        RunError::Usage(error.to_string())
    }
    /// The same; where a file of the run's data is not there and its path is relative, relative to what.
    pub fn of_data_elsewhere(self, settings: &Settings) -> RunError {
        let files = settings.data.as_ref().map_or(Vec::new(), DataSource::files);
        match self {
            RunError::Run(message) if files.iter().any(|file| file.is_relative() && !file.exists()) => {
                RunError::Run(format!(
                    "{message}; the path is relative to the folder in which the run was started: run this command there"
                ))
            }
            error => error,
        }
    }
    /// The same, and where it was: "fold 2 of 5".
    pub(crate) fn at(self, place: &str) -> RunError {
        match self {
            RunError::Usage(message) => RunError::Usage(format!("{place}: {message}")),
            RunError::Run(message) => RunError::Run(format!("{place}: {message}")),
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            RunError::Usage(message) | RunError::Run(message) => f.write_str(message),
        }
    }
}
/// As [`Display`](fmt::Display): what a `main` that returns it prints.
impl fmt::Debug for RunError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl std::error::Error for RunError {}

impl From<DataError> for RunError {
    fn from(error: DataError) -> Self {
        match error.kind() {
            ErrorKind::Spec(_) => RunError::Usage(error.to_string()),
            _ => RunError::Run(error.to_string()),
        }
    }
}
impl From<TrainError> for RunError {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Setting(message) => RunError::Usage(message),
            TrainError::NotFinite { learning_rate, .. } => RunError::Run(format!(
                "{} | try {}",
                not_finite(&error).unwrap_or_default(),
                rate_or_clipping(learning_rate)
            )),
            error => RunError::Run(error.to_string()),
        }
    }
}
/// When the loss left the finite numbers, in one line; where in the program is no news to who runs the command.
pub(crate) fn not_finite(error: &TrainError) -> Option<String> {
    let TrainError::NotFinite { epoch, step, loss, learning_rate, .. } = error else { return None };
    Some(match epoch {
        0 => format!("the loss is {loss} before the first step"),
        _ => format!(
            "the loss became {loss} in epoch {epoch}, step {step}, at learning rate {learning_rate:?}"
        ),
    })
}
impl From<SettingError> for RunError {
    fn from(error: SettingError) -> Self {
        RunError::Usage(error.to_string())
    }
}
impl From<OptimError> for RunError {
    fn from(error: OptimError) -> Self {
        RunError::Usage(error.to_string())
    }
}
impl From<ModelFileError> for RunError {
    fn from(error: ModelFileError) -> Self {
        RunError::Run(error.to_string())
    }
}
impl From<FolderError> for RunError {
    fn from(error: FolderError) -> Self {
        RunError::Run(error.to_string())
    }
}
