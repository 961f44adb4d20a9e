//! [`Journal`]: the runs that have ended, so that a sweep that was stopped goes on.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};
use surprisal_report::files::{cannot_write as message, remove_stale};
use surprisal_report::journal::{JournalError, JournalFile, differences};

use super::Run;
use crate::RunError;

/// A line for each run that has ended, behind one that says which sweep it is.
const JOURNAL: &str = "journal.jsonl";
/// The name of the command, in journals.
pub(super) const NAME: &str = "surprisal sweep";

/// The journal of a sweep's folder.
pub(super) struct Journal(JournalFile);

impl Journal {
    /// Opens the journal of this sweep in the folder, and gives the runs that are in it. A last line that was
    /// not written to its end is cut off.
    pub fn open(folder: impl AsRef<Path>, sweep: &Value) -> Result<(Journal, Vec<Run>), RunError> {
        let folder = folder.as_ref();
        let path = folder.join(JOURNAL);
        let another = |what: &str| {
            RunError::run(format!("{}: {what} | name another folder", folder.display())).with(&["out"])
        };
        fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
        remove_stale(folder);
        let mut there = fs::read_dir(folder).map_err(|error| cannot_write(folder, &error))?;
        if fs::symlink_metadata(&path).is_err() && there.next().is_some() {
            return Err(another("the folder is not empty and contains no journal of a sweep"));
        }
        let header = header(sweep);
        let (file, lines) = JournalFile::open(&path, &header).map_err(|error| match error {
            JournalError::Busy => another("the same sweep is already running in this folder"),
            JournalError::Other(found) => another(&difference(&found, &header)),
            error => RunError::run(error.at(&path)),
        })?;
        let read = |(k, line)| {
            serde_json::from_value(line).map_err(|_| RunError::run(JournalError::Changed(k + 2).at(&path)))
        };
        let runs = lines.into_iter().enumerate().map(read).collect::<Result<_, _>>()?;
        Ok((Journal(file), runs))
    }

    /// Notes a run: whatever ends the process, the run is not trained again.
    pub fn note(&self, run: &Run) -> Result<(), RunError> {
        self.0.note(&line(run)?).map_err(|error| cannot_write(self.0.path(), &error))
    }

    /// Puts the runs in their order, which does not depend on which ended first.
    pub fn sort(self, runs: &[Run]) -> Result<(), RunError> {
        let lines = runs.iter().map(line).collect::<Result<Vec<_>, _>>()?;
        let path = self.0.path().to_path_buf();
        self.0.rewrite(&lines).map_err(|error| cannot_write(&path, &error))
    }
}

/// Writes the journal of a sweep whose runs have ended elsewhere.
pub(super) fn write(folder: &Path, sweep: &Value, runs: &[Run]) -> Result<(), RunError> {
    let lines = runs.iter().map(line).collect::<Result<Vec<_>, _>>()?;
    let path = folder.join(JOURNAL);
    JournalFile::write(&path, &header(sweep), &lines).map_err(|error| cannot_write(&path, &error))
}

fn header(sweep: &Value) -> Value {
    let mut header = json!({ "journal": NAME });
    for (key, value) in sweep.as_object().into_iter().flatten() {
        header[key] = value.clone();
    }
    header
}

pub(super) fn line(run: &Run) -> Result<Value, RunError> {
    serde_json::to_value(run).map_err(|error| RunError::run(format!("{JOURNAL}: {error}")))
}

/// How the sweep of a journal differs from this one.
fn difference(found: &Value, expected: &Value) -> String {
    match found["journal"] == expected["journal"] {
        true => {
            format!("the folder belongs to another sweep, with different {}", differences(found, expected))
        }
        false => "the folder contains a journal of another command".into(),
    }
}

pub(super) fn cannot_write(path: &Path, error: &io::Error) -> RunError {
    RunError::run(message(path, error))
}
