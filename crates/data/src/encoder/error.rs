//! Errors of encoders.

use crate::csv::column::MOST_CATEGORIES;
use crate::error::{DataError, ErrorKind};
use crate::words::{did_you_mean, listed, quoted};
use std::fmt::{self, Display, Formatter};
use surprisal_settings::closest;

/// Where an [`Encoder`](crate::Encoder) fails, and how.
#[derive(Debug)]
pub struct EncoderError {
    /// The name of the table, "an array", or "Encoder" if the encoder itself is invalid.
    pub place: String,
    /// The column's name, if the problem is in one.
    pub column: Option<String>,
    /// The problem.
    pub problem: EncoderProblem,
}

/// The problem of an encoder or its input; rows count from 0.
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum EncoderProblem {
    /// There are no columns.
    NoColumns,
    /// Two columns have the same name.
    ColumnTwice,
    /// A number is not finite, or a scale not above 0.
    Number { fill: Option<f64>, offset: f64, scale: f64 },
    /// A column has no categories, or too many.
    CategoryCount { found: usize },
    /// A category is there twice.
    CategoryTwice { category: String },
    /// The category to fill in does not exist.
    FillRange { fill: usize, categories: usize },
    /// An array has another number of columns, or there is not one name for each.
    ColumnCount { expected: usize, found: usize },
    /// A table lacks columns.
    MissingColumns { missing: Vec<String>, columns: Vec<String> },
    /// A column holds categories for numbers, or numbers for categories.
    Kind { expected: &'static str, found: &'static str },
    /// A value is missing, and there is no fill value.
    MissingValue { row: usize },
    /// There are no values to compute a fill value from.
    NothingToFill,
    /// A category was not in the training data.
    UnseenCategory { row: usize, category: String, known: Vec<String> },
}

impl Display for EncoderError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)?;
        if let Some(column) = &self.column {
            write!(f, ", column {}", quoted(column))?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl Display for EncoderProblem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoColumns => f.write_str("expected one column or more, found none | was the file damaged?"),
            Self::ColumnTwice => {
                f.write_str("expected one column of this name, found two | was the file edited?")
            }
            Self::Number { fill, offset, scale } => {
                write!(
                    f,
                    "expected finite numbers and a scale above 0, found offset {offset:?}, scale {scale:?}"
                )?;
                if let Some(fill) = fill {
                    write!(f, " and {fill:?} for missing values")?;
                }
                f.write_str(" | was the file edited?")
            }
            Self::CategoryCount { found } => write!(
                f,
                "expected from 1 to {MOST_CATEGORIES} categories, found {found} | was the file edited?"
            ),
            Self::CategoryTwice { category } => write!(
                f,
                "expected every category once, found {} twice | was the file edited?",
                quoted(category)
            ),
            Self::FillRange { fill, categories } => write!(
                f,
                "expected one of {categories} categories for missing values, found number {fill} | \
                 was the file edited?"
            ),
            Self::ColumnCount { expected, found } => write!(
                f,
                "expected {expected} columns, found {found} | keep the same columns, in the same order"
            ),
            Self::MissingColumns { missing, columns } => {
                write!(f, "expected columns named {}, found {}", listed(missing), listed(columns))?;
                match missing.as_slice() {
                    [one] => did_you_mean(f, closest(one, columns.iter().map(String::as_str))),
                    _ => Ok(()),
                }
            }
            Self::Kind { expected, found } => {
                write!(
                    f,
                    "expected {expected}, found {found} | read the data with the options of the training"
                )
            }
            Self::MissingValue { row } => {
                write!(f, "expected a value, found none in row {row} | fill it in, or leave the row out")
            }
            Self::NothingToFill => f.write_str(
                "the column has no value in the training rows | name it in ignore, which leaves it out",
            ),
            Self::UnseenCategory { row, category, known } => write!(
                f,
                "expected a category of the training, found {} in row {row} | known: {}",
                quoted(category),
                listed(known)
            ),
        }
    }
}

impl From<EncoderError> for DataError {
    fn from(error: EncoderError) -> Self {
        ErrorKind::Encoder(error).into()
    }
}
