//! Errors of names of losses, monitored metrics and layouts.

use std::fmt;

use surprisal_data::SpecError;
use surprisal_settings::{SettingError, closest, quoted};

use crate::Objective;

/// A text that names no [`Objective`], no [`Monitor`](crate::Monitor) or no [`Layout`](crate::Layout).
///
/// ```
/// use surprisal_train::{NameError, Objective};
/// let error = "focal:gama=3".parse::<Objective>().unwrap_err();
/// assert!(matches!(error, NameError::Option(_)));
/// assert_eq!(error.to_string(), "loss focal: no option is named \"gama\" | known: gamma | did you mean \"gamma\"?");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum NameError {
    /// There is no loss of this name.
    UnknownLoss { found: String },
    /// The loss does not take the rows of a data set.
    UnfitLoss { found: String, why: &'static str },
    /// An option of a loss is unknown, given twice, or not what it must be.
    Option(SettingError),
    /// Neither "loss" nor the name of a metric.
    Monitor(SpecError),
    /// There is no layout of this name.
    UnknownLayout { found: String },
}

impl NameError {
    /// The message without the loss and the option that it is about.
    pub fn problem(&self) -> String {
        match self {
            Self::Option(error) => error.problem.to_string(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::UnknownLoss { found } => {
                write!(f, "no loss is named {} | ", quoted(found))?;
                match closest(found, Objective::all_names()) {
                    Some(near) => write!(f, "did you mean \"{near}\"?"),
                    None => write!(f, "choose one of {}", Vec::from_iter(Objective::names()).join(", ")),
                }
            }
            Self::UnfitLoss { found, why } => write!(f, "loss {found}: {why}"),
            Self::Option(error) => write!(f, "loss {error}"),
            Self::Monitor(error) => write!(f, "{error}, or loss"),
            Self::UnknownLayout { found } => {
                write!(f, "there is no layout \"{found}\": choose surprisal or pytorch")
            }
        }
    }
}

impl From<SettingError> for NameError {
    fn from(error: SettingError) -> Self {
        NameError::Option(error)
    }
}

impl std::error::Error for NameError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Monitor(error) => Some(error),
            Self::Option(error) => Some(error),
            _ => None,
        }
    }
}
