//! Errors of splitting.

use crate::error::{DataError, ErrorKind};
use crate::words::quoted;
use std::fmt::{self, Display, Formatter};

/// Why a split failed.
#[derive(Debug)]
pub struct SplitError {
    /// The function's name.
    pub by: &'static str,
    /// The data set or its file, if it has a name.
    pub name: Option<String>,
    /// What is wrong.
    pub problem: SplitProblem,
}

/// The problem of a split.
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum SplitProblem {
    /// The fractions are not two or more, above 0 and with the sum 1.
    Shares { shares: Vec<f64> },
    /// Cross-validation takes two folds or more.
    Folds { k: usize },
    /// There are fewer rows than parts.
    TooFewRows { parts: usize, rows: usize },
    /// A class has fewer rows than there are parts.
    RareClass { parts: usize, rows: usize, class: String },
}

impl Display for SplitError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.by)?;
        let of = self.name.as_ref().map_or(String::new(), |name| format!(" of {}", quoted(name)));
        match &self.problem {
            SplitProblem::Shares { shares } => write!(
                f,
                "expected two shares or more, above 0 and 1 in all, found {shares:?} | \
                 0.6, 0.15 and 0.25 are for training, choosing and testing"
            ),
            SplitProblem::Folds { k } => {
                write!(f, "expected 2 folds or more, found {k} | 5 and 10 are usual")
            }
            SplitProblem::TooFewRows { parts, rows } => {
                write!(
                    f,
                    "expected {parts} rows or more{of}, one for each part, found {rows} | use fewer parts"
                )
            }
            SplitProblem::RareClass { parts, rows, class } => write!(
                f,
                "expected {parts} rows or more of every class{of}, one for each part, found {rows} of {} | \
                 add rows of it, merge it with another class, or leave it out",
                quoted(class)
            ),
        }
    }
}

impl From<SplitError> for DataError {
    fn from(error: SplitError) -> Self {
        ErrorKind::Split(error).into()
    }
}
