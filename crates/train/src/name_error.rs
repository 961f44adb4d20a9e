//! Errors of names of losses, monitored metrics and layouts.

use std::fmt;

use surprisal_data::SpecError;
use surprisal_loss::by_name;
use surprisal_suggest::closest;

use crate::Objective;

/// A text that names no [`Objective`], no [`Watch`](crate::Watch) or no [`Layout`](crate::Layout).
///
/// ```
/// use surprisal_train::{NameError, Objective};
/// let error = "focal:gama=3".parse::<Objective>().unwrap_err();
/// assert!(matches!(error, NameError::UnknownOption { loss: "focal", .. }));
/// assert_eq!(error.to_string(), "loss focal has no option \"gama\" | did you mean \"gamma\"?");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum NameError {
    /// There is no loss of this name.
    UnknownLoss { found: String },
    /// The loss does not take the rows of a data set.
    UnfitLoss { found: String, why: &'static str },
    /// The loss has no such option.
    UnknownOption { loss: &'static str, found: String, known: &'static [&'static str] },
    /// An option is given twice.
    OptionTwice { loss: &'static str, option: String },
    /// An option is not what it must be.
    OptionValue { loss: &'static str, option: String, expected: by_name::Kind, found: String },
    /// Neither "loss" nor the name of a metric.
    Watch(SpecError),
    /// There is no layout of this name.
    UnknownLayout { found: String },
}

impl NameError {
    /// The message without the loss and the option that it is about.
    pub fn problem(&self) -> String {
        match self {
            Self::OptionValue { expected, found, .. } => {
                format!("expected {expected}, found {}", by_name::quoted(found))
            }
            other => other.to_string(),
        }
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::UnknownLoss { found } => {
                write!(f, "there is no loss {} | ", by_name::quoted(found))?;
                match closest(found, Objective::all_names()) {
                    Some(near) => write!(f, "did you mean \"{near}\"?"),
                    None => write!(f, "choose one of {}", Vec::from_iter(Objective::names()).join(", ")),
                }
            }
            Self::UnfitLoss { found, why } => write!(f, "loss {found}: {why}"),
            Self::UnknownOption { loss, found, known } => {
                write!(f, "loss {loss} has no option {} | ", by_name::quoted(found))?;
                match closest(found, known.iter().copied()) {
                    Some(near) => write!(f, "did you mean \"{near}\"?"),
                    None if known.is_empty() => f.write_str("it has none"),
                    None => write!(f, "it has {}", known.join(" and ")),
                }
            }
            Self::OptionTwice { loss, option } => write!(f, "loss {loss}: {option} is given twice"),
            Self::OptionValue { loss, option, .. } => write!(f, "loss {loss}: {option}: {}", self.problem()),
            Self::Watch(error) => write!(f, "{error}, or loss"),
            Self::UnknownLayout { found } => {
                write!(f, "there is no layout \"{found}\": choose surprisal or pytorch")
            }
        }
    }
}

impl std::error::Error for NameError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Watch(error) => Some(error),
            _ => None,
        }
    }
}
