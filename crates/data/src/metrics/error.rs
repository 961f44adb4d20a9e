//! Why answers and labels cannot be compared.

use crate::error::{DataError, ErrorKind};
use crate::metrics::{LARGEST, MOST_BINS, Metric};
use std::fmt::{self, Display, Formatter};

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

impl From<MetricError> for DataError {
    fn from(error: MetricError) -> Self {
        ErrorKind::Metric(error).into()
    }
}
