//! [`DataError`]: what can go wrong with data, and every message on one page.
//!
//! A message reads `where: what was expected, what was found | what to try`.

use crate::dataset::Dataset;
use crate::suggest::closest;
use std::fmt::{self, Display, Formatter};
use std::io;

/// Why data could not be read, split or used; the message tells where, what was expected, and what to try.
///
/// It is one pointer wide, so that results stay small. `Debug` prints the message too: that is what
/// `fn main() -> Result<(), DataError>` shows.
///
/// ```
/// use surprisal_data::{Dataset, ErrorKind};
///
/// let error = Dataset::from_csv("x,label\n1,a\nfour,b\n".as_bytes(), "tiny", "label").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "tiny, line 3, column \"x\": expected a number, found \"four\" \
///      | every column but the label column \"label\" must hold numbers"
/// );
/// assert!(matches!(error.kind(), ErrorKind::Csv(csv) if csv.line == Some(3)));
/// ```
pub struct DataError(Box<ErrorKind>);

impl DataError {
    /// What went wrong, to be matched on.
    pub fn kind(&self) -> &ErrorKind {
        &self.0
    }
}

/// What went wrong; the fields are the numbers and names that the message shows.
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum ErrorKind {
    /// No embedded data set has this name.
    UnknownDataset { name: String },
    /// A table cannot be read as a data set.
    Csv(CsvError),
    /// The parts of a [`Dataset`] contradict each other, or there are no rows.
    Inconsistent { dataset: String, problem: String },
    /// A class order leaves out a class that has rows.
    ClassLeftOut { dataset: String, class: String, order: Vec<String> },
    /// A class order names a class twice.
    ClassTwice { dataset: String, class: String },
    /// There is no mean and no spread of nothing.
    NothingToFit { rows: usize, columns: usize },
    /// A value is NaN, infinite, or so large that its square sums could overflow.
    UnfitValue { row: usize, column: usize, value: f64 },
    /// Data has another number of columns than the data that the standardisation was fitted on.
    ColumnCount { fitted: usize, found: usize },
    /// A test fraction is NaN or not strictly between 0 and 1.
    TestFraction { fraction: f64 },
    /// A class with a single row cannot stand on both sides of a split.
    LonelyClass { dataset: String, class: String },
    /// A batch size is 0, or larger than the number of rows.
    BatchSize { batch_size: usize, rows: usize },
    /// A label is not below the number of classes.
    LabelRange { row: usize, label: usize, classes: usize },
    /// Predictions and labels differ in number.
    PredictionCount { predicted: usize, labels: usize },
    /// The share of correct answers among no answers is not defined.
    NoPredictions,
}

/// Where a table is wrong, and how.
#[derive(Debug)]
pub struct CsvError {
    /// The file's path, or the name given to the reader's content.
    pub source_name: String,
    /// The line in the file, counted from 1, if the problem sits in one line.
    pub line: Option<usize>,
    /// The column's name in the header, if the problem sits in one column.
    pub column: Option<String>,
    /// What is wrong there.
    pub problem: CsvProblem,
}

/// What is wrong with a table.
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum CsvProblem {
    /// The file cannot be opened or read.
    Unreadable(io::Error),
    /// The table is not UTF-8 text.
    NotUtf8 { byte: u8 },
    /// The table has no line at all.
    NoHeader,
    /// No column has the name of the label column.
    UnknownTarget { target: String, columns: Vec<String> },
    /// Two columns have the same name; positions count from 1.
    DuplicateColumn { first: usize, second: usize },
    /// The label column is the only column.
    NoFeatures { target: String },
    /// A row has more or fewer fields than the header.
    FieldCount { expected: usize, found: usize },
    /// A field is empty; `expected` is "a number" or "a class name".
    EmptyField { expected: &'static str },
    /// A feature is text.
    NotANumber { found: String, target: String },
    /// A feature is NaN or infinite, or too large for an `f64`.
    NotFinite { found: String },
    /// There is nothing below the header.
    NoRows,
    /// All rows have the same label.
    OneClass { class: String, rows: usize },
}

impl Display for ErrorKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownDataset { name } => {
                let known = Dataset::NAMES;
                write!(f, "no data set is named {} | known: {}", quoted(name), known.join(", "))?;
                did_you_mean(f, closest(name, known))
            }
            Self::Csv(error) => error.fmt(f),
            Self::Inconsistent { dataset, problem } => write!(f, "data set {dataset:?}: {problem}"),
            Self::ClassLeftOut { dataset, class, order } => write!(
                f,
                "data set {dataset:?}: expected every class in the order [{}], found rows of {} | \
                 add it to the order, or leave its rows out",
                order.join(", "),
                quoted(class)
            ),
            Self::ClassTwice { dataset, class } => write!(
                f,
                "data set {dataset:?}: expected every class once in the order, found {} twice | \
                 name each class once",
                quoted(class)
            ),
            Self::NothingToFit { rows, columns } => write!(
                f,
                "Standardize::fit: expected at least one row and one column, found [{rows}, {columns}] | \
                 was everything filtered out?"
            ),
            Self::UnfitValue { row, column, value } => write!(
                f,
                "Standardize::fit: expected finite numbers of size up to 1e300, found {value:e} in row {row}, \
                 column {column} | leave the row out, or fill the value in"
            ),
            Self::ColumnCount { fitted, found } => write!(
                f,
                "Standardize::apply: expected the {fitted} columns that it was fitted on, found {found} | \
                 keep the same columns, in the same order"
            ),
            Self::TestFraction { fraction } => write!(
                f,
                "stratified_split: expected a test fraction above 0 and below 1, found {fraction} | \
                 0.2 keeps a fifth of the rows for testing"
            ),
            Self::LonelyClass { dataset, class } => write!(
                f,
                "stratified_split: expected two rows or more of each class of data set {dataset:?}, \
                 found one of {} | add rows of it, or leave the class out",
                quoted(class)
            ),
            Self::BatchSize { rows: 0, .. } => f.write_str(
                "Batches::new: expected at least one row, found none | was everything filtered out?",
            ),
            Self::BatchSize { batch_size, rows } => write!(
                f,
                "Batches::new: expected a batch size from 1 to {rows}, the number of rows, found {batch_size} | \
                 {rows} makes one batch of everything"
            ),
            Self::LabelRange { row, label, classes } => write!(
                f,
                "one_hot: expected labels below {classes}, the number of classes, found {label} in row {row} | \
                 labels count from 0"
            ),
            Self::PredictionCount { predicted, labels } => write!(
                f,
                "accuracy: expected one prediction per label, found {predicted} predictions and {labels} labels \
                 | are they of the same rows?"
            ),
            Self::NoPredictions => f.write_str(
                "accuracy: expected at least one prediction, found none | was everything filtered out?",
            ),
        }
    }
}

impl Display for CsvError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source_name)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column {}", quoted(column))?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl Display for CsvProblem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "cannot be read: {error} | is the path right?"),
            Self::NotUtf8 { byte } => {
                write!(f, "expected UTF-8 text, found the byte 0x{byte:02X} | save the table as UTF-8")
            }
            Self::NoHeader => f.write_str(
                "expected a header line with the names of the columns, found nothing | is the file empty?",
            ),
            Self::UnknownTarget { target, columns } => {
                const SHOWN: usize = 40;
                let listed: Vec<String> = columns.iter().take(SHOWN).map(|column| quoted(column)).collect();
                let (target_name, listed) = (quoted(target), listed.join(", "));
                write!(f, "expected a label column named {target_name}, found the columns {listed}")?;
                if columns.len() > SHOWN {
                    write!(f, " and {} more", columns.len() - SHOWN)?;
                }
                match columns.as_slice() {
                    [only] if only.contains([';', '\t', '|']) => {
                        f.write_str(" | separate the fields by commas")
                    }
                    _ if columns.iter().any(|column| column.parse::<f64>().is_ok()) => {
                        f.write_str(" | is the header line missing?")
                    }
                    _ => did_you_mean(f, closest(target, columns.iter().map(String::as_str))),
                }
            }
            Self::DuplicateColumn { first, second } => write!(
                f,
                "expected one column of this name, found it as column {first} and as column {second} | \
                 rename one of them"
            ),
            Self::NoFeatures { target } => write!(
                f,
                "expected columns of numbers beside the label column {}, found none | \
                 are the fields separated by commas?",
                quoted(target)
            ),
            Self::FieldCount { expected, found } => {
                write!(f, "expected {expected} fields, as in the header, found {found} | ")?;
                f.write_str(match found < expected {
                    true => "is a value missing, or the line cut short?",
                    false => "a value that contains a comma stands in double quotes",
                })
            }
            Self::EmptyField { expected } => {
                write!(f, "expected {expected}, found an empty field | fill it in, or leave the row out")
            }
            Self::NotANumber { found, target } => write!(
                f,
                "expected a number, found {} | every column but the label column {} must hold numbers",
                quoted(found),
                quoted(target)
            ),
            Self::NotFinite { found } => write!(
                f,
                "expected a finite number, found {} | fill the value in, or leave the row out",
                quoted(found)
            ),
            Self::NoRows => {
                f.write_str("expected rows below the header, found none | is the file cut short?")
            }
            Self::OneClass { class, rows } => write!(
                f,
                "expected two classes or more, found {} in all {rows} rows | is this the label column?",
                quoted(class)
            ),
        }
    }
}

/// Text from outside, in quotes, on one line, and not longer than a message can bear.
///
/// An unclosed quote makes one field of the rest of the file.
fn quoted(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

fn did_you_mean(f: &mut Formatter<'_>, candidate: Option<&str>) -> fmt::Result {
    candidate.map_or(Ok(()), |candidate| write!(f, " | did you mean {candidate:?}?"))
}

impl Display for DataError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for DataError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl std::error::Error for DataError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            ErrorKind::Csv(CsvError { problem: CsvProblem::Unreadable(error), .. }) => Some(error),
            _ => None,
        }
    }
}

impl From<ErrorKind> for DataError {
    fn from(kind: ErrorKind) -> Self {
        DataError(Box::new(kind))
    }
}
