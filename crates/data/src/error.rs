//! [`DataError`]: what can go wrong with data; [`SpecError`]: what can be wrong with the text that names it;
//! and every message on one page.
//!
//! A message reads `where: what was expected, what was found | what to try`.

mod npy;

pub use npy::{NpyError, NpyProblem};

use crate::dataset::Dataset;
use crate::idx::MOST_ELEMENTS;
use crate::metrics::{LARGEST, MOST_BINS, Metric};
use crate::suggest::closest;
use crate::synthetic::{Synthetic, parameter_names};
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
    /// There is no folder here.
    NoFolder { path: String },
    /// A folder has none of the names that a file of MNIST goes by.
    NoFile { folder: String, names: Vec<String> },
    /// A parameter out of range, a label column too few or too many: a mistake in the command, not in a file.
    Spec(SpecError),
    /// The parts of a [`Dataset`] contradict each other, or there are no rows.
    Inconsistent { dataset: String, problem: String },
    /// A class order leaves out a class that has rows.
    ClassLeftOut { dataset: String, class: String, order: Vec<String> },
    /// A class order names a class twice.
    ClassTwice { dataset: String, class: String },
    /// A list of classes names one that the set does not have.
    UnknownClass { dataset: String, class: String, known: Vec<String> },
    /// There is no mean and no spread of nothing.
    NothingToFit { rows: usize, columns: usize },
    /// A value is NaN, infinite, or so large that its square sums could overflow.
    UnfitValue { row: usize, column: usize, value: f64 },
    /// Data has another number of columns than the data that the standardisation was fitted on.
    ColumnCount { fitted: usize, found: usize },
    /// Means and scales that were stored are not as many as each other, or none.
    StandardizeParts { means: usize, scales: usize },
    /// A mean that was stored is not finite, or a scale not finite and above 0.
    StandardizePart { column: usize, mean: f64, scale: f64 },
    /// A divisor is not finite and above 0.
    Divisor { found: f64 },
    /// A test fraction is NaN or not strictly between 0 and 1.
    TestFraction { fraction: f64 },
    /// A class with a single row cannot stand on both sides of a split.
    LonelyClass { dataset: String, class: String },
    /// The share of labels to change is NaN or not from 0 to 1.
    NoiseShare { share: f64 },
    /// A label cannot be wrong where there is one class.
    NoOtherClass { dataset: String },
    /// There is not one count of rows per class.
    ClassCounts { dataset: String, found: usize, classes: usize },
    /// A batch size is 0, or larger than the number of rows.
    BatchSize { batch_size: usize, rows: usize },
    /// A label is not below the number of classes.
    LabelRange { row: usize, label: usize, classes: usize },
    /// Answers and labels cannot be compared.
    Metric(MetricError),
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
    /// No column has the name of one or more that a model reads.
    MissingColumns { missing: Vec<String>, columns: Vec<String> },
    /// Two columns have the same name; positions count from 1.
    DuplicateColumn { first: usize, second: usize },
    /// The label column is the only column.
    NoFeatures { target: String },
    /// A row has more or fewer fields than the header.
    FieldCount { expected: usize, found: usize },
    /// A field is empty; `expected` is "a number" or "a class name".
    EmptyField { expected: &'static str },
    /// A feature is text; the label column `target` could have been, if there is one.
    NotANumber { found: String, target: Option<String> },
    /// A feature is NaN or infinite, or too large for an `f64`.
    NotFinite { found: String },
    /// There is nothing below the header.
    NoRows,
    /// All rows have the same label.
    OneClass { class: String, rows: usize },
}

/// Where a file in the IDX format is wrong, and how.
#[derive(Debug)]
pub struct IdxError {
    /// The file's path, or the name given to the reader's content.
    pub source_name: String,
    /// The byte of the content, counted from 0; of a packed file, the content is what it unpacks to.
    pub byte: u64,
    /// What is wrong there.
    pub problem: IdxProblem,
}

/// What is wrong with a file in the IDX format.
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum IdxProblem {
    /// The file cannot be opened or read.
    Unreadable(io::Error),
    /// Packed content is damaged, or ends early.
    Packed(io::Error),
    /// There is no byte at all.
    Empty,
    /// The first two bytes are not 0; up to four that were found.
    NotIdx { found: Vec<u8> },
    /// The content ends before the header does; sizes in bytes.
    HeaderCut { expected: u64, found: u64 },
    /// The elements are not unsigned bytes.
    ElementType { found: u8 },
    /// The array has no dimensions.
    NoDimensions,
    /// The header claims more elements than are read; `product` is `None` from 2^64 on.
    TooLarge { dims: Vec<usize>, product: Option<u64> },
    /// The content ends before the last element.
    Cut { expected: u64, found: u64 },
    /// The content goes on after the last element.
    Trailing { elements: u64 },
    /// Images have three dimensions, labels one.
    Dimensions { expected: usize, found: usize },
    /// There are no images, or no pixels in them.
    NoImages { dims: Vec<usize> },
    /// There is not one label per image.
    LabelCount { images: usize, images_name: String, labels: usize },
    /// The images of the test part have other rows and columns than those of the training part.
    ImageSize { train: [usize; 2], test: [usize; 2] },
}

/// Which measure of answers failed, and why.
#[derive(Debug)]
pub struct MetricError {
    /// The function's name.
    pub metric: &'static str,
    /// What is wrong with what it was given.
    pub problem: MetricProblem,
}

/// What is wrong with answers or labels; rows count from 0.
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum MetricProblem {
    /// There is not one answer per label or target (`of`); `what` is an answer in one word, such as "score".
    Count { what: &'static str, found: usize, of: &'static str, expected: usize },
    /// There are no answers.
    Nothing { what: &'static str },
    /// A label or a prediction (`what`) is not below the number of classes.
    Label { what: &'static str, row: usize, label: usize, classes: usize },
    /// A class has no rows, so that there is nothing to tell the other from.
    OneClass { missing: usize, rows: usize },
    /// A score is NaN or infinite.
    NotFinite { row: usize, score: f64 },
    /// A probability is NaN or not from 0 to 1.
    NotAProbability { row: usize, found: f64 },
    /// The probabilities of all classes do not sum to 1.
    RowSum { row: usize, sum: f64 },
    /// The threshold from which the answer is yes is NaN.
    NanThreshold,
    /// The label cannot be, or cannot but be, among so many of the classes.
    TopK { classes: usize, found: usize },
    /// A yes/no question's metric was asked of probabilities of more classes, or of one.
    TwoClasses { found: usize },
    /// A target or a prediction (`what`) is NaN, infinite, or so large that squares could overflow.
    UnfitNumber { what: &'static str, row: usize, found: f64 },
    /// One number does not vary.
    OneRow,
    /// A metric of numbers was asked of classes.
    ForNumbers,
    /// A metric of classes was asked of numbers.
    ForClasses,
    /// The number of bins is 0, or more than a diagram can show.
    Bins { found: usize },
}

/// What is wrong with the text that names data or a metric, or with a parameter: a mistake of whoever typed it.
///
/// ```
/// use surprisal_data::{DataSource, SpecError};
///
/// let error = "mooons:n=500".parse::<DataSource>().unwrap_err();
/// assert!(matches!(error, SpecError::UnknownSource { .. }));
/// assert!(error.to_string().ends_with("did you mean \"moons\"?"));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum SpecError {
    /// No data set goes by this name, and it is no file of a table.
    UnknownSource { text: String },
    /// An embedded set is followed by parameters.
    NoParameters { set: &'static str, found: String },
    /// A parameter is not of the form `NAME=VALUE`.
    NoAssignment { set: &'static str, found: String },
    /// The set has no parameter of this name.
    UnknownParameter { set: &'static str, name: String },
    /// A parameter is given twice.
    ParameterTwice { set: &'static str, parameter: &'static str },
    /// The value of a parameter is not a number, not a whole one, or out of its range.
    OutOfRange {
        set: &'static str,
        parameter: &'static str,
        whole: bool,
        least: f64,
        most: f64,
        found: String,
    },
    /// `mnist` comes without a folder.
    NoMnistFolder,
    /// A table comes without the name of its label column.
    NoTarget { table: String },
    /// Data whose labels are known comes with the name of a label column.
    NeedlessTarget { origin: String, target: String },
    /// No metric goes by this name.
    UnknownMetric { name: String },
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
            Self::StandardizeParts { means, scales } => write!(
                f,
                "Standardize::from_parts: expected one mean and one scale per column, found {means} means and \
                 {scales} scales | was the file cut short?"
            ),
            Self::StandardizePart { column, mean, scale } => write!(
                f,
                "Standardize::from_parts: expected a finite mean and a finite scale above 0, found mean {mean:?} \
                 and scale {scale:?} in column {column} | was the file changed by hand?"
            ),
            Self::Divisor { found } => write!(
                f,
                "Preprocess::divide: expected a finite number above 0, found {found:?} | \
                 pixels are divided by their largest value"
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
            Self::NoiseShare { share } => write!(
                f,
                "with_label_noise: expected a share from 0 to 1, found {share} | 0.2 changes a fifth of the labels"
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
            Self::LabelRange { row, label, classes } => write!(
                f,
                "one_hot: expected labels below {classes}, the number of classes, found {label} in row {row} | \
                 labels count from 0"
            ),
            Self::Metric(error) => error.fmt(f),
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
                let (name, columns_listed) = (quoted(target), listed(columns));
                write!(f, "expected a label column named {name}, found the columns {columns_listed}")?;
                about_header(f, columns, closest(target, columns.iter().map(String::as_str)))
            }
            Self::MissingColumns { missing, columns } => {
                let (names, columns_listed) = (listed(missing), listed(columns));
                let (wanted, near) = match missing.as_slice() {
                    [one] => ("a column", closest(one, columns.iter().map(String::as_str))),
                    _ => ("columns", None),
                };
                write!(f, "expected {wanted} named {names}, found the columns {columns_listed}")?;
                about_header(f, columns, near)
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
            Self::NotANumber { found, target } => {
                write!(f, "expected a number, found {} | every column ", quoted(found))?;
                match target {
                    Some(target) => write!(f, "but the label column {} must hold numbers", quoted(target)),
                    None => f.write_str("that the model reads must hold numbers"),
                }
            }
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

impl Display for IdxError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}, byte {}: {}", self.source_name, self.byte, self.problem)
    }
}

impl Display for IdxProblem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "cannot be read: {error} | is the path right?"),
            Self::Packed(error) => write!(
                f,
                "from here on the content cannot be unpacked: {error} | was the file damaged or cut short?"
            ),
            Self::Empty => {
                f.write_str("expected the header of an IDX file, found nothing | is the file empty?")
            }
            Self::NotIdx { found } => {
                f.write_str("expected the bytes 00 00 08 of an IDX file, found")?;
                found.iter().try_for_each(|byte| write!(f, " {byte:02x}"))?;
                f.write_str(" | is this a file of MNIST?")
            }
            Self::HeaderCut { expected, found } => write!(
                f,
                "expected a header of {expected} bytes, found {found} bytes in all | is the file cut short?"
            ),
            Self::ElementType { found } => {
                let name = match found {
                    0x09 => " (signed bytes)",
                    0x0b => " (16-bit integers)",
                    0x0c => " (32-bit integers)",
                    0x0d => " (32-bit floats)",
                    0x0e => " (64-bit floats)",
                    _ => "",
                };
                write!(
                    f,
                    "expected elements of type 0x08 (unsigned bytes), found type 0x{found:02x}{name} | \
                     other types are not read"
                )
            }
            Self::NoDimensions => {
                f.write_str("expected one dimension or more, found none | is the file damaged?")
            }
            Self::TooLarge { dims, product } => {
                write!(f, "expected at most {MOST_ELEMENTS} elements, found a header that claims ")?;
                match product {
                    Some(product) => write!(f, "{product}")?,
                    None => f.write_str("2^64 or more")?,
                }
                write!(f, ", {} | is the file damaged?", sizes(dims))
            }
            Self::Cut { expected, found } => write!(
                f,
                "expected {expected} elements, as the header says, found {found} | is the file cut short?"
            ),
            Self::Trailing { elements } => write!(
                f,
                "expected the end after {elements} elements, as the header says, found more bytes | \
                 is the file damaged?"
            ),
            Self::Dimensions { expected, found } => write!(
                f,
                "expected the number of dimensions to be {expected}, found {found} | \
                 images have 3, labels 1: do the files have each other's names?"
            ),
            Self::NoImages { dims } => write!(
                f,
                "expected one image or more, of one pixel or more, found {} | is this a file of images?",
                sizes(dims)
            ),
            Self::LabelCount { images, images_name, labels } => write!(
                f,
                "expected {images} labels, one per image of {images_name}, found {labels} | \
                 are the two files of the same set?"
            ),
            Self::ImageSize { train, test } => write!(
                f,
                "expected images of {}, as in the training part, found {} | are the files of the same set?",
                sizes(train),
                sizes(test)
            ),
        }
    }
}

impl Display for MetricError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.metric, self.problem)
    }
}

impl Display for MetricProblem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { what, found, of, expected } => write!(
                f,
                "expected one {what} per {of}, found {found} for {expected} {of}s | are they of the same rows?"
            ),
            Self::Nothing { what } => {
                write!(f, "expected at least one {what}, found none | was everything filtered out?")
            }
            Self::Label { what, row, label, classes: 2 } => write!(
                f,
                "expected every {what} to be 0 or 1, found {label} in row {row} | 0 is no, 1 is yes"
            ),
            Self::Label { what, row, label, classes } => write!(
                f,
                "expected every {what} to be below {classes}, the number of classes, found {label} in row {row} | \
                 classes count from 0"
            ),
            Self::OneClass { missing, rows } => write!(
                f,
                "expected labels of both classes, found none of class {missing} in {rows} rows | \
                 is the class too rare for so few rows?"
            ),
            Self::NotFinite { row, score } => {
                write!(f, "expected finite scores, found {score} in row {row} | did training diverge?")
            }
            Self::NotAProbability { row, found } => write!(
                f,
                "expected probabilities from 0 to 1, found {found} in row {row} | {}",
                if found.is_nan() {
                    "did training diverge?"
                } else {
                    "sigmoid or softmax makes them of logits"
                }
            ),
            Self::RowSum { row, sum } => write!(
                f,
                "expected the probabilities of a row to sum to 1, found {sum} in row {row} | \
                 softmax makes such rows of logits"
            ),
            Self::NanThreshold => f.write_str(
                "expected a threshold that is a number, found NaN | 0.5 is usual for probabilities",
            ),
            Self::TopK { classes, found } => write!(
                f,
                "expected k to be at least 1 and below {classes}, the number of classes, found {found} | \
                 among all classes is every label"
            ),
            Self::TwoClasses { found } => write!(
                f,
                "expected the probabilities of two classes, found {found} columns | \
                 for several classes there are log_loss, f1_macro, balanced_accuracy"
            ),
            Self::UnfitNumber { what, row, found } => write!(
                f,
                "expected every {what} to be a finite number of size up to {LARGEST:e}, found {found:?} in row {row} | \
                 {}",
                match *what {
                    "target" => "leave the row out, or fill the value in",
                    _ => "did training diverge?",
                }
            ),
            Self::OneRow => {
                f.write_str("expected two rows or more, found one | how much of its variance is explained?")
            }
            Self::ForNumbers => write!(
                f,
                "expected numbers to compare, found classes | metrics of classes: {}",
                Metric::names(Metric::for_classes).join(", ")
            ),
            Self::ForClasses => write!(
                f,
                "expected classes, found numbers to compare | metrics of numbers: {}",
                Metric::names(Metric::for_numbers).join(", ")
            ),
            Self::Bins { found } => {
                write!(f, "expected from 1 to {MOST_BINS} bins, found {found} | 10 and 15 are usual")
            }
        }
    }
}

impl Display for SpecError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownSource { text } => {
                let known: Vec<&str> =
                    Dataset::NAMES.into_iter().chain(Synthetic::NAMES).chain(["mnist"]).collect();
                let name = text.split(':').next().unwrap_or_default();
                // "mnist" stands last, and needs its folder
                write!(
                    f,
                    "no data set is named {} | known: {}:DIR, FILE.csv",
                    quoted(text),
                    known.join(", ")
                )?;
                did_you_mean(f, closest(name, known))
            }
            Self::NoParameters { set, found } => {
                write!(f, "{set}: expected no parameters, found {} | the set is what it is", quoted(found))
            }
            Self::NoAssignment { set, found } => {
                let known = parameter_names(set).join(", ");
                write!(f, "{set}: expected NAME=VALUE, found {} | parameters: {known}", quoted(found))
            }
            Self::UnknownParameter { set, name } => {
                let known = parameter_names(set);
                write!(f, "{set}: no parameter is named {} | known: {}", quoted(name), known.join(", "))?;
                did_you_mean(f, closest(name, known))
            }
            Self::ParameterTwice { set, parameter } => {
                write!(f, "{set}: expected {parameter} once, found it twice | keep one of them")
            }
            Self::OutOfRange { set, parameter, whole, least, most, found } => {
                let kind = if *whole { "a whole number" } else { "a number" };
                write!(f, "{set}: expected {parameter} to be {kind} from {least} to {most}, found ")?;
                match found.parse::<f64>() {
                    Ok(_) => f.write_str(found),
                    Err(_) => f.write_str(&quoted(found)),
                }
            }
            Self::NoMnistFolder => f.write_str(
                "mnist: expected the folder with the four files of MNIST, found none | write mnist:DIR",
            ),
            Self::NoTarget { table } => {
                write!(f, "{table}: expected the name of the label column, found none | a table needs one")
            }
            Self::NeedlessTarget { origin, target } => write!(
                f,
                "{origin}: expected no label column, found {} | only a table (FILE.csv) needs one",
                quoted(target)
            ),
            Self::UnknownMetric { name } => {
                let known = Metric::names(|_| true);
                write!(f, "no metric is named {} | known: {}", quoted(name), known.join(", "))?;
                did_you_mean(f, closest(name, known))
            }
        }
    }
}

/// Names in quotes; not more than a message can bear.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 40;
    let list: Vec<String> = names.iter().take(SHOWN).map(|name| quoted(name)).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => list.join(", "),
        more => format!("{} and {more} more", list.join(", ")),
    }
}

/// What may have happened to a header that lacks a column.
fn about_header(f: &mut Formatter<'_>, columns: &[String], near: Option<&str>) -> fmt::Result {
    match columns {
        [only] if only.contains([';', '\t', '|']) => f.write_str(" | separate the fields by commas"),
        _ if columns.iter().any(|column| column.parse::<f64>().is_ok()) => {
            f.write_str(" | is the header line missing?")
        }
        _ => did_you_mean(f, near),
    }
}

/// The sizes of an array, "60000 x 28 x 28"; not more than a message can bear.
fn sizes(dims: &[usize]) -> String {
    const SHOWN: usize = 8;
    let list: Vec<String> = dims.iter().take(SHOWN).map(usize::to_string).collect();
    list.join(" x ") + if dims.len() > SHOWN { " x ..." } else { "" }
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
            ErrorKind::Idx(IdxError {
                problem: IdxProblem::Unreadable(error) | IdxProblem::Packed(error),
                ..
            }) => Some(error),
            ErrorKind::Npy(NpyError {
                problem:
                    NpyProblem::Unreadable(error) | NpyProblem::Unwritable(error) | NpyProblem::Packed(error),
                ..
            }) => Some(error),
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

impl std::error::Error for SpecError {}

impl From<MetricError> for DataError {
    fn from(error: MetricError) -> Self {
        ErrorKind::Metric(error).into()
    }
}

impl From<SpecError> for DataError {
    fn from(error: SpecError) -> Self {
        ErrorKind::Spec(error).into()
    }
}
