//! [`DataError`]: errors of data. Errors of a format are in the folder of that format.
//!
//! A message reads `where: what was expected, what was found | what to try`. An option is called as on a command line,
//! `--missing`; in a program it is the field of that name.

use crate::csv::error::{CsvError, CsvProblem};
use crate::dataset::Dataset;
use crate::encoder::error::{EncoderError, EncoderProblem};
use crate::idx::error::{IdxError, IdxProblem};
use crate::images::error::{ImageError, ImageProblem};
use crate::metrics::error::MetricError;
use crate::npy::error::{NpyError, NpyProblem};
use crate::source::error::SpecError;
use crate::split::error::SplitError;
use crate::words::{did_you_mean, listed, quoted};
use std::fmt::{self, Display, Formatter};
use surprisal_settings::closest;

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
///      | every column but the label column \"label\" must contain numbers"
/// );
/// assert!(matches!(error.kind(), ErrorKind::Csv(csv) if csv.line == Some(3)));
/// ```
pub struct DataError(Box<ErrorKind>);

impl DataError {
    /// What went wrong, to be matched on.
    pub fn kind(&self) -> &ErrorKind {
        &self.0
    }

    /// The settings that help, by the names that they have in [`CsvOptions`](crate::CsvOptions) and in a configuration.
    pub fn settings(&self) -> &'static [&'static str] {
        match self.kind() {
            ErrorKind::Csv(error) => error.problem.settings(),
            ErrorKind::Spec(SpecError::NoTarget { .. }) => &["target"],
            ErrorKind::Spec(SpecError::DecimalAndThousands { .. }) => &["thousands"],
            ErrorKind::Encoder(EncoderError { problem: EncoderProblem::NothingToFill, .. }) => &["ignore"],
            _ => &[],
        }
    }
}

/// The kind of error; the fields are the numbers and names that the message shows.
///
/// ```
/// use surprisal_data::{Dataset, ErrorKind};
///
/// let error = Dataset::iris().only_classes(&["rose"]).unwrap_err();
/// let ErrorKind::UnknownClass { class, known, .. } = error.kind() else { panic!("{error}") };
/// assert_eq!(class, "rose");
/// assert_eq!(known, &["setosa", "versicolor", "virginica"]);
/// ```
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum ErrorKind {
    /// No embedded data set has this name.
    UnknownDataset { name: String },
    /// A table cannot be read as a data set.
    Csv(CsvError),
    /// A file of MNIST, or any file of its format, cannot be read.
    Idx(IdxError),
    /// A file of NumPy's cannot be read.
    Npy(NpyError),
    /// A folder of images, or a file in it, cannot be read.
    Image(ImageError),
    /// A temporary file for data that are larger than memory failed.
    Temporary { folder: String, what: &'static str, error: std::io::Error },
    /// There is no folder here.
    NoFolder { path: String },
    /// A folder lacks a file of MNIST.
    NoFile { folder: String, names: Vec<String> },
    /// A parameter out of range, a label column too few or too many: a usage error, not an error in a file.
    Spec(SpecError),
    /// The parts of a [`Dataset`] contradict each other, or there are no rows.
    Inconsistent { dataset: String, problem: String },
    /// A class order leaves out a class that has rows.
    ClassLeftOut { dataset: String, class: String, order: Vec<String> },
    /// A class order names a class twice.
    ClassTwice { dataset: String, class: String },
    /// A list of classes names one that the set does not have.
    UnknownClass { dataset: String, class: String, known: Vec<String> },
    /// There are no rows or columns to fit.
    NothingToFit { by: &'static str, rows: usize, columns: usize },
    /// A value is NaN, infinite, or so large that its square sums could overflow.
    UnfitValue { by: &'static str, row: usize, column: usize, value: f64 },
    /// Data has another number of columns than the data that the standardization was fitted on.
    ColumnCount { by: &'static str, fitted: usize, found: usize },
    /// Channels cannot be standardized: the rows are not images, or not of this shape.
    NoChannels { shape: Option<[usize; 3]>, columns: usize },
    /// Means and scales that were stored are not as many as each other, or none.
    StandardizeParts { means: usize, scales: usize },
    /// A mean that was stored is not finite, or a scale not finite and above 0.
    StandardizePart { column: usize, mean: f64, scale: f64 },
    /// Smallest values and ranges that were stored are not as many as each other, or none.
    MinMaxParts { mins: usize, ranges: usize },
    /// A smallest value that was stored is not finite, or a range not finite and above 0.
    MinMaxPart { column: usize, min: f64, range: f64 },
    /// An encoder is wrong, or does not fit what it is applied to.
    Encoder(EncoderError),
    /// A divisor is not finite and above 0.
    Divisor { found: f64 },
    /// A test fraction is NaN or not strictly between 0 and 1.
    TestFraction { fraction: f64 },
    /// Rows cannot be divided like this.
    Split(SplitError),
    /// A class has no rows.
    ClassWithoutRows { by: &'static str, class: usize },
    /// The share of labels to change is NaN or not from 0 to 1.
    NoiseShare { share: f64 },
    /// A label cannot be wrong where there is one class.
    NoOtherClass { dataset: String },
    /// There is not one count of rows per class.
    ClassCounts { dataset: String, found: usize, classes: usize },
    /// A batch size is 0, or larger than the number of rows.
    BatchSize { batch_size: usize, rows: usize },
    /// A label is not below the number of classes.
    LabelRange { by: &'static str, row: usize, label: usize, classes: usize },
    /// Predictions and targets cannot be compared.
    Metric(MetricError),
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
            Self::Idx(error) => error.fmt(f),
            Self::Npy(error) => error.fmt(f),
            Self::Image(error) => error.fmt(f),
            Self::Temporary { folder, what, error } => write!(
                f,
                "{folder}: a temporary file cannot be {what}: {error} | free space there, or name another folder in the environment variable TMPDIR"
            ),
            Self::NoFolder { path } => write!(
                f,
                "{path}: expected a folder with the four files of MNIST, found no folder | is the path right?"
            ),
            Self::NoFile { folder, names } => write!(
                f,
                "{folder}: expected one of the files {}, found none | are all four files of MNIST in this folder?",
                names.join(", ")
            ),
            Self::Spec(error) => error.fmt(f),
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
            Self::UnknownClass { dataset, class, known } => {
                write!(
                    f,
                    "data set {dataset:?}: no class is named {} | known: {}",
                    quoted(class),
                    listed(known)
                )?;
                did_you_mean(f, closest(class, known.iter().map(String::as_str)))
            }
            Self::NothingToFit { by, rows, columns } => write!(
                f,
                "{by}::fit: expected at least one row and one column, found [{rows}, {columns}] | \
                 was everything filtered out?"
            ),
            Self::UnfitValue { by, row, column, value } => write!(
                f,
                "{by}::fit: expected finite numbers of size up to 1e300, found {value:e} in row {row}, \
                 column {column} | leave the row out, or fill in the value"
            ),
            Self::ColumnCount { by, fitted, found } => write!(
                f,
                "{by}::apply: expected the {fitted} columns that it was fitted on, found {found} | \
                 keep the same columns, in the same order"
            ),
            Self::NoChannels { shape: None, columns } => write!(
                f,
                "scaling channels: expected images, found a table of {columns} columns | standardize is for tables"
            ),
            Self::NoChannels { shape: Some([channels, height, width]), columns } => write!(
                f,
                "scaling channels: expected rows of images [{channels}, {height}, {width}], found {columns} columns | \
                 every row needs channels * height * width numbers"
            ),
            Self::StandardizeParts { means, scales } => write!(
                f,
                "Standardize::from_parts: expected one mean and one scale per column, found {means} means and \
                 {scales} scales | is the file truncated?"
            ),
            Self::StandardizePart { column, mean, scale } => write!(
                f,
                "Standardize::from_parts: expected a finite mean and a finite scale above 0, found mean {mean:?} \
                 and scale {scale:?} in column {column} | was the file edited?"
            ),
            Self::MinMaxParts { mins, ranges } => write!(
                f,
                "MinMax::from_parts: expected one smallest value and one range per column, found {mins} smallest values \
                 and {ranges} ranges | is the file truncated?"
            ),
            Self::MinMaxPart { column, min, range } => write!(
                f,
                "MinMax::from_parts: expected a finite smallest value and a finite range above 0, found {min:?} and \
                 {range:?} in column {column} | was the file edited?"
            ),
            Self::Encoder(error) => error.fmt(f),
            Self::Divisor { found } => write!(
                f,
                "Preprocess::divide: expected a finite number above 0, found {found:?} | \
                 255 is usual for pixels of one byte"
            ),
            Self::TestFraction { fraction } => write!(
                f,
                "stratified_split: expected a test fraction above 0 and below 1, found {fraction} | \
                 0.2 keeps a fifth of the rows for testing"
            ),
            Self::Split(error) => error.fmt(f),
            Self::ClassWithoutRows { by, class } => write!(
                f,
                "{by}: expected rows of every class, found none of class {class} | leave the class out"
            ),
            Self::NoiseShare { share } => write!(
                f,
                "with_label_noise: expected a fraction from 0 to 1, found {share} | 0.2 changes 20 % of the labels"
            ),
            Self::NoOtherClass { dataset } => write!(
                f,
                "with_label_noise: expected two classes or more in data set {dataset:?}, found one | \
                 a label can only be wrong among several"
            ),
            Self::ClassCounts { dataset, found, classes } => write!(
                f,
                "imbalanced: expected one count for each of the {classes} classes of data set {dataset:?}, \
                 found {found} | usize::MAX keeps every row of a class"
            ),
            Self::BatchSize { rows: 0, .. } => f.write_str(
                "Batches::new: expected at least one row, found none | was everything filtered out?",
            ),
            Self::BatchSize { batch_size, rows } => write!(
                f,
                "Batches::new: expected a batch size from 1 to {rows}, the number of rows, found {batch_size} | \
                 {rows} makes one batch of everything"
            ),
            Self::LabelRange { by, row, label, classes } => write!(
                f,
                "{by}: expected labels below {classes}, the number of classes, found {label} in row {row} | \
                 labels count from 0"
            ),
            Self::Metric(error) => error.fmt(f),
        }
    }
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
            ErrorKind::Csv(CsvError { problem: CsvProblem::Unreadable(error), .. })
            | ErrorKind::Temporary { error, .. } => Some(error),
            ErrorKind::Idx(IdxError {
                problem: IdxProblem::Unreadable(error) | IdxProblem::Packed(error),
                ..
            }) => Some(error),
            ErrorKind::Npy(NpyError {
                problem:
                    NpyProblem::Unreadable(error) | NpyProblem::Unwritable(error) | NpyProblem::Packed(error),
                ..
            }) => Some(error),
            ErrorKind::Image(ImageError { problem: ImageProblem::Unreadable(error), .. }) => Some(error),
            ErrorKind::Spec(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ErrorKind> for DataError {
    fn from(kind: ErrorKind) -> Self {
        DataError(Box::new(kind))
    }
}

impl From<SpecError> for DataError {
    fn from(error: SpecError) -> Self {
        ErrorKind::Spec(error).into()
    }
}
