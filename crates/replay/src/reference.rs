//! [`Reference`]: a reference file.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::place::Place;
use super::{Agreement, Mismatch, ReplayError, compare, replay};

/// A reference file: JSON with a `setting`, what it is `expected` to give, and a `tolerance`.
///
/// ```
/// use surprisal_replay::Reference;
///
/// let reference = Reference::read("tests/vectors/metrics_ece.json")?;
/// let found = reference.replay(None)?;
/// assert_eq!(found["mce"], 0.355);
/// assert!(reference.compare(&found)?.ratio < 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reference {
    path: PathBuf,
    document: Value,
}

impl Reference {
    /// Reads the file.
    ///
    /// # Errors
    /// If it cannot be read, or if it is not JSON: with line and column.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ReplayError> {
        let path = path.as_ref();
        let at = path.display();
        let bytes = fs::read(path).map_err(|error| {
            ReplayError::new(
                at.to_string(),
                "a file that can be read",
                error.to_string(),
                "is the path right?",
            )
        })?;
        let document = serde_json::from_slice(&bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let found = error.to_string().replace(&format!(" at line {line} column {column}"), "");
            ReplayError::new(
                format!("{at}, line {line}, column {column}"),
                "JSON",
                found,
                "is the file complete?",
            )
        })?;
        Ok(Reference { path: path.to_path_buf(), document })
    }

    /// Computes what the file expects, as [`replay`] does; `data` is the folder of the data file that the setting names, if any: if
    /// none is given, the reference file's own.
    ///
    /// # Errors
    /// If there is no `setting`, or if something is wrong with it.
    pub fn replay(&self, data: Option<&Path>) -> Result<Value, ReplayError> {
        let folder = data.or(self.path.parent()).unwrap_or(Path::new(""));
        let result = self.file().get("setting").and_then(|setting| replay(setting.value, folder));
        result.map_err(|error| {
            let file = self.path.display();
            let at = if error.at.is_empty() { file.to_string() } else { format!("{file}: {}", error.at) };
            ReplayError { at, ..error }
        })
    }

    /// Holds `found` against what the file expects, as [`compare()`] does.
    ///
    /// # Errors
    /// The worst difference, if there is one beyond the tolerance. Also if the file lacks `expected` or `tolerance`, or expects
    /// nothing. The place is the key path, without the name of the file.
    pub fn compare(&self, found: &Value) -> Result<Agreement, Mismatch> {
        let (expected, tolerance) = (self.file().get("expected")?, self.file().get("tolerance")?);
        let agreement = compare(found, expected.value, tolerance.value)?;
        if agreement.held == 0 {
            return Err(expected.wrong("something to hold", "").into());
        }
        Ok(agreement)
    }

    fn file(&self) -> Place<'_> {
        Place::root("", &self.document)
    }
}
