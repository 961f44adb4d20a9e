//! What can go wrong between a model and an ONNX file.

use std::fmt;
use std::io;
use std::path::PathBuf;

use surprisal_report::files::cannot_write;

use crate::LoadError;

/// Why a model could not be written as an ONNX file, or read from one.
#[derive(Debug)]
#[non_exhaustive]
pub enum OnnxError {
    /// The model has no net, or its parts contradict each other.
    Model(LoadError),
    /// A column is read as a date, from text, for which ONNX has no operator.
    Date {
        /// The column.
        column: String,
    },
    /// The scaling of a column, or of the target, is not of `f32`.
    Scaling {
        /// The column.
        column: String,
        /// Its offset.
        offset: f64,
        /// Its scale.
        scale: f64,
    },
    /// A regression has no probabilities.
    NoProbabilities {
        /// The name of the number.
        target: String,
    },
    /// A file of the format has less than 2 GiB.
    TooLarge {
        /// The bytes that it would have.
        bytes: usize,
    },
    /// The file cannot be opened or read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The file is not an ONNX model, or contradicts itself.
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where, what was expected and what was found.
        message: String,
    },
    /// The model has an operator, a setting or a type that is not read.
    Unsupported {
        /// The file.
        path: PathBuf,
        /// Where, what was expected and what was found.
        message: String,
    },
    /// The file cannot be written.
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

impl fmt::Display for OnnxError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Model(error) => error.fmt(f),
            Self::Date { column } => write!(
                f,
                "column \"{column}\": its dates are read from text, for which ONNX has no operator | train with the date as a number of days"
            ),
            Self::Scaling { column, offset, scale } => write!(
                f,
                "column \"{column}\": expected an offset and a scale within the range of float32, found {offset:?} and {scale:?} | train with the \
                 column in another unit"
            ),
            Self::NoProbabilities { target } => {
                write!(
                    f,
                    "the net predicts the number \"{target}\", which has no probabilities | leave them out"
                )
            }
            Self::TooLarge { bytes } => {
                write!(
                    f,
                    "expected a file of less than 2 GiB, the limit of the format, found {bytes} bytes | use a smaller net"
                )
            }
            Self::Unreadable { path, error } => write!(f, "{}: cannot read: {error}", path.display()),
            Self::Damaged { path, message } | Self::Unsupported { path, message } => {
                write!(f, "{}: {message}", path.display())
            }
            Self::Unwritable { path, error } => f.write_str(&cannot_write(path, error)),
        }
    }
}

impl std::error::Error for OnnxError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Model(error) => Some(error),
            Self::Unreadable { error, .. } | Self::Unwritable { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<LoadError> for OnnxError {
    fn from(error: LoadError) -> Self {
        Self::Model(error)
    }
}
