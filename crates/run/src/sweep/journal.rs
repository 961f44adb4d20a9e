//! [`Journal`]: the runs that have ended, so that a sweep that was stopped goes on.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::Value;
use surprisal_train::write_atomically;

use super::Run;
use crate::RunError;

/// A line for each run that has ended, behind one that says which sweep it is.
const JOURNAL: &str = "journal.jsonl";

/// The journal of a sweep's folder.
pub(super) struct Journal {
    path: PathBuf,
    sweep: String,
    file: Mutex<File>,
}

impl Journal {
    /// Opens the journal of this sweep in the folder, and gives the runs that are in it. A last line that was
    /// not written to its end is cut off.
    pub fn open(folder: &Path, sweep: &Value) -> Result<(Journal, Vec<Run>), RunError> {
        let path = folder.join(JOURNAL);
        let failed = |error: io::Error| cannot_write(&path, &error);
        let another = |what: &str| {
            Err(RunError::Run(format!("{}: {what} | name another folder with --out", folder.display())))
        };
        fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
        if !path.exists() && fs::read_dir(folder).map_err(failed)?.next().is_some() {
            return another("there is something in it, and no journal of a sweep");
        }
        let mut options = OpenOptions::new();
        let mut file =
            options.read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        if file.try_lock().is_err() {
            return another("the same sweep is running in it");
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let sweep = format!("{sweep}\n");
        let mut lines = bytes.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
        let (mut runs, mut whole) = (Vec::new(), sweep.len());
        match lines.next() {
            None => {
                file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
                file.write_all(sweep.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
            }
            Some(line) if line != sweep.as_bytes() => return another(&difference(line, &sweep)),
            Some(_) => {
                for line in lines {
                    let Ok(run) = serde_json::from_slice(line) else { break };
                    runs.push(run);
                    whole += line.len();
                }
                file.set_len(whole as u64).and_then(|()| file.seek(SeekFrom::End(0))).map_err(failed)?;
            }
        }
        Ok((Journal { path, sweep, file: Mutex::new(file) }, runs))
    }

    /// Notes a run; when this has returned, it is on the disk.
    pub fn note(&self, run: &Run) -> Result<(), RunError> {
        let mut file = self.file.lock().unwrap_or_else(|e| e.into_inner());
        let written = file.write_all(line(run)?.as_bytes()).and_then(|()| file.sync_data());
        written.map_err(|error| cannot_write(&self.path, &error))
    }

    /// Puts the runs in their order, which does not depend on which ended first.
    pub fn sort(&self, runs: &[Run]) -> Result<(), RunError> {
        let lines = runs.iter().map(line).collect::<Result<String, _>>()?;
        write_atomically(&self.path, (self.sweep.clone() + &lines).as_bytes())
            .map_err(|error| cannot_write(&self.path, &error))
    }
}

fn line(run: &Run) -> Result<String, RunError> {
    let line = serde_json::to_string(run).map_err(|error| RunError::Run(format!("{JOURNAL}: {error}")))?;
    Ok(line + "\n")
}

/// In what the sweep of a journal is another than this.
fn difference(found: &[u8], sweep: &str) -> String {
    let [found, expected] =
        [found, sweep.as_bytes()].map(|line| serde_json::from_slice::<Value>(line).unwrap_or_default());
    let differs = |key: &&String| found[key.as_str()] != expected[key.as_str()];
    let keys = expected.as_object().into_iter().flat_map(|all| all.keys()).filter(differs);
    format!(
        "there is another sweep in it, with other {}",
        Vec::from_iter(keys.map(String::as_str)).join(", ")
    )
}

pub(super) fn cannot_write(path: &Path, error: &io::Error) -> RunError {
    RunError::Run(format!("{}: cannot write: {error}", path.display()))
}
