//! Errors of metrics.

use crate::error::{DataError, ErrorKind};
use crate::metrics::{LARGEST, MOST_BINS, Metric};
use std::fmt::{self, Display, Formatter};

/// Why a metric failed.
#[derive(Debug)]
pub struct MetricError {
    /// The function's name.
    pub metric: &'static str,
    /// The problem.
    pub problem: MetricProblem,
}

/// The problem with predictions or targets; rows count from 0.
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum MetricProblem {
    /// There is not one prediction per label or target (`of`); `what` is the kind of prediction, such as "score".
    Count { what: &'static str, found: usize, of: &'static str, expected: usize },
    /// There are no predictions.
    Nothing { what: &'static str },
    /// A label or a prediction (`what`) is not below the number of classes.
    Label { what: &'static str, row: usize, label: usize, classes: usize },
    /// One of the two classes has no rows.
    OneClass { missing: usize, rows: usize },
    /// A score is NaN or infinite.
    NotFinite { row: usize, score: f64 },
    /// A probability is NaN or not from 0 to 1.
    NotAProbability { row: usize, found: f64 },
    /// The probabilities of all classes do not sum to 1.
    RowSum { row: usize, sum: f64 },
    /// The threshold of class 1 is NaN.
    NanThreshold,
    /// `k` is 0, or not below the number of classes.
    TopK { classes: usize, found: usize },
    /// A binary metric was called with the probabilities of more than two classes, or of one.
    TwoClasses { found: usize },
    /// A target or a prediction (`what`) is NaN, infinite, or so large that squares could overflow.
    UnfitNumber { what: &'static str, row: usize, found: f64 },
    /// One row has no variance.
    OneRow,
    /// A regression metric was called for classes.
    ForNumbers,
    /// A classification metric was called for regression.
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
                "expected one {what} per {of}, found {found} for {expected} {of}s | are they for the same rows?"
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
                if found.is_nan() { "did training diverge?" } else { "apply sigmoid or softmax to logits" }
            ),
            Self::RowSum { row, sum } => write!(
                f,
                "expected the probabilities of a row to sum to 1, found {sum} in row {row} | \
                 softmax makes such rows of logits"
            ),
            Self::NanThreshold => {
                f.write_str("expected a threshold, found NaN | 0.5 is usual for probabilities")
            }
            Self::TopK { classes, found } => write!(
                f,
                "expected k to be at least 1 and below {classes}, the number of classes, found {found} | \
                 every label is among all classes"
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
                    "target" => "leave the row out, or fill in the value",
                    _ => "did training diverge?",
                }
            ),
            Self::OneRow => f.write_str("expected two rows or more, found one | one row has no variance"),
            Self::ForNumbers => write!(
                f,
                "does not support classification | metrics of classification: {}",
                Metric::names(Metric::for_classes).join(", ")
            ),
            Self::ForClasses => write!(
                f,
                "does not support regression | metrics of regression: {}",
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
