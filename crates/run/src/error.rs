//! Errors of a run.

use std::fmt;

use surprisal_data::{DataError, DataSource, ErrorKind};
use surprisal_optim::OptimError;
use surprisal_report::folder::FolderError;
use surprisal_report::parts::PartsError;
use surprisal_train::{GroupError, ModelFileError, TrainError};

use crate::diagnosis::rate_or_clipping;
use crate::{SettingError, Settings};

/// Why a run could not start or finish.
#[derive(Clone, PartialEq)]
pub enum RunError {
    /// Invalid arguments.
    Usage(Message),
    /// A failure of the data, a file or the training.
    Run(Message),
}

/// A message, and the settings that help.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The error, and what to do.
    pub text: String,
    /// The names of the settings that help, as in a configuration, and of arguments such as "out" or "random": for a program that
    /// has them as options.
    pub settings: &'static [&'static str],
}

impl Message {
    fn new(text: impl fmt::Display) -> Message {
        Message { text: text.to_string(), settings: &[] }
    }
}

impl RunError {
    /// Invalid arguments.
    pub fn usage(error: impl fmt::Display) -> RunError {
        RunError::Usage(Message::new(error))
    }
    /// A failure of the data, a file or the training.
    pub fn run(error: impl fmt::Display) -> RunError {
        RunError::Run(Message::new(error))
    }
    /// The message, and the settings that help.
    pub fn message(&self) -> &Message {
        match self {
            RunError::Usage(message) | RunError::Run(message) => message,
        }
    }
    fn message_mut(&mut self) -> &mut Message {
        match self {
            RunError::Usage(message) | RunError::Run(message) => message,
        }
    }
    /// The same, with the settings that help.
    pub(crate) fn with(mut self, settings: &'static [&'static str]) -> RunError {
        self.message_mut().settings = settings;
        self
    }
    /// The same; where a file of the run's data is not there and its path is relative, relative to what.
    pub fn of_data_elsewhere(mut self, settings: &Settings) -> RunError {
        let files = settings.data.as_ref().map_or(Vec::new(), DataSource::files);
        if let RunError::Run(message) = &mut self
            && files.iter().any(|file| file.is_relative() && !file.exists())
        {
            message.text +=
                "; the path is relative to the folder in which the run was started: run this command there";
        }
        self
    }
    /// The same, and where it was: "fold 2 of 5".
    pub(crate) fn at(mut self, place: &str) -> RunError {
        self.message_mut().text.insert_str(0, &format!("{place}: "));
        self
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.message().text)
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
            ErrorKind::Spec(_) => RunError::usage(&error),
            _ => RunError::run(&error),
        }
        .with(error.settings())
    }
}
impl From<TrainError> for RunError {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Setting(message) => RunError::usage(message),
            TrainError::NotFinite { learning_rate, .. } => RunError::run(format!(
                "{} | try {}",
                not_finite(&error).unwrap_or_default(),
                rate_or_clipping(learning_rate)
            )),
            error => RunError::run(error),
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
        RunError::usage(error)
    }
}
impl From<OptimError> for RunError {
    fn from(error: OptimError) -> Self {
        RunError::usage(error)
    }
}
impl From<ModelFileError> for RunError {
    fn from(error: ModelFileError) -> Self {
        RunError::run(error)
    }
}
impl From<FolderError> for RunError {
    fn from(error: FolderError) -> Self {
        RunError::run(&error).with(if error.is_about_the_path() { &["out"] } else { &[] })
    }
}
impl From<PartsError> for RunError {
    fn from(error: PartsError) -> Self {
        RunError::run(&error).with(if error.is_about_the_path() { &["out"] } else { &[] })
    }
}
impl From<GroupError> for RunError {
    fn from(error: GroupError) -> Self {
        RunError::run(error)
    }
}
