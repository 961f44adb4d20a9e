//! Errors of model files.

use std::fmt;
use std::path::{Path, PathBuf};

/// A model file that cannot be written or used.
///
/// ```
/// use surprisal_train::SavedModel;
/// let error = SavedModel::from_bytes(b"no model", "notes.txt").unwrap_err();
/// assert_eq!(error.at, Some(0));
/// assert_eq!(
///     error.to_string(),
///     "notes.txt, byte 0: expected \"SURPRISL\", found something else: is this a model of surprisal?"
/// );
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFileError {
    /// The file.
    pub path: PathBuf,
    /// The byte at which something was wrong.
    pub at: Option<usize>,
    /// What was wrong.
    pub message: String,
}

impl ModelFileError {
    pub(crate) fn new(path: &Path, at: Option<usize>, message: String) -> Self {
        ModelFileError { path: path.to_path_buf(), at, message }
    }
}
impl fmt::Display for ModelFileError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "{}, byte {at}: {}", self.path.display(), self.message),
            None => write!(f, "{}: {}", self.path.display(), self.message),
        }
    }
}
impl std::error::Error for ModelFileError {}
