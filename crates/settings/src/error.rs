//! [`SettingError`]: the errors of all tables.

use std::fmt;

use crate::{Kind, nearest};

/// Why a text is not the value of a setting, or of several: what the settings belong to, and the [`Problem`].
///
/// ```
/// use surprisal_settings::{Problem, SettingError};
/// let error = SettingError { of: "cosine".into(), problem: Problem::Twice { name: "warmup".into() } };
/// assert_eq!(error.to_string(), "cosine: warmup is given twice | keep one of them");
/// assert_eq!(error.problem.to_string(), "warmup is given twice | keep one of them");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SettingError {
    /// The object that has the setting, "cosine"; empty if the text around names it.
    pub of: String,
    /// What is wrong.
    pub problem: Problem,
}

/// The problem of a setting.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum Problem {
    /// No setting, or no loss, optimizer, .. has this name; `what` is the noun.
    Unknown { what: &'static str, found: String, known: Vec<&'static str> },
    /// A part of the list is not of the form `NAME=VALUE`.
    NoAssignment { found: String, known: Vec<&'static str> },
    /// A setting is given twice.
    Twice { name: String },
    /// The value is not of its kind, or out of its range.
    Value { name: String, expected: Box<Kind>, found: String },
}

impl Problem {
    /// The error of that owner.
    pub fn of(self, owner: impl Into<String>) -> SettingError {
        SettingError { of: owner.into(), problem: self }
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if !self.of.is_empty() {
            write!(f, "{}: ", self.of)?;
        }
        self.problem.fmt(f)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Problem::Unknown { what, found, known } => {
                write!(f, "no {what} is named {} | {}", quoted(found), listed(known))?;
                match nearest(found, known.iter().copied()).first() {
                    Some(near) => write!(f, " | did you mean \"{near}\"?"),
                    None => Ok(()),
                }
            }
            Problem::NoAssignment { found, known } => {
                write!(f, "expected NAME=VALUE, found {} | {}", quoted(found), listed(known))
            }
            Problem::Twice { name } => write!(f, "{name} is given twice | keep one of them"),
            Problem::Value { name, expected, found } => {
                if !name.is_empty() {
                    write!(f, "{name}: ")?;
                }
                f.write_str(&expected.refusal(found))
            }
        }
    }
}

impl std::error::Error for SettingError {}

fn listed(known: &[&str]) -> String {
    if known.is_empty() { "there are none".into() } else { format!("known: {}", known.join(", ")) }
}

/// A user's text in quotes, as messages show it: a long text is cut, and characters that do not print are escaped.
///
/// ```
/// assert_eq!(surprisal_settings::quoted("a\tb"), "\"a\\tb\"");
/// ```
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{:?}..", &text[..end]),
        None => format!("{text:?}"),
    }
}
