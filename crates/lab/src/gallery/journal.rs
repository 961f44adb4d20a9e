//! [`Journal`]: the results so far, with which an interrupted experiment resumes, and those of parts.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use serde_json::{Value, json};

use super::{LabError, Record};
use surprisal_report::folder::FolderError;
use surprisal_report::journal::{JournalError, JournalFile};
use surprisal_report::parts::{self, Part, PartsError};

/// The name of the command, in journals.
const NAME: &str = "surprisal lab run";

/// The results of runs, by their names.
pub type Results = HashMap<String, Vec<Record>>;

/// A file with a line for every finished run. Its name contains a fingerprint of all settings and of the program, so that
/// results of other settings or another program are not used.
pub struct Journal {
    file: JournalFile,
    done: Results,
    part: Option<(Part, AtomicUsize)>, // the number of its runs so far
}

impl Journal {
    /// Opens the journal of an experiment in `folder`, and reads the results of an interrupted run.
    ///
    /// # Errors
    /// If the folder or file cannot be created, another process runs the same experiment, or a line has been changed.
    pub fn open(folder: impl AsRef<Path>, name: &str, setting: &str) -> Result<Journal, LabError> {
        let folder = folder.as_ref();
        let fingerprint = fingerprint(&format!("{setting}{}", program()));
        let path = folder.join(format!(".{name}-{fingerprint:016x}.journal"));
        let failed = |path: &Path, error| LabError::Folder(FolderError { path: path.into(), error });
        fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        let header = json!({ "journal": NAME, "experiment": name, "fingerprint": fingerprint });
        let (file, lines) = JournalFile::open(&path, &header).map_err(|error| match error {
            JournalError::Busy => LabError::Failure(format!(
                "{} is in use: the same experiment is running in this folder | choose another folder",
                path.display()
            )),
            JournalError::Io(error) => failed(&path, error),
            error => LabError::Failure(error.at(&path)),
        })?;
        Ok(Journal { file, done: read([(path, lines)].into())?, part: None })
    }

    /// Begins a journal of a part, in a folder that all parts share, and reads the results of all parts so far. `of` is what the results
    /// depend on, an object; its entry "program" is the version of the program.
    ///
    /// A part computes the runs k of each stage with (k mod N) + 1 = K. An experiment that needs results of other parts before its next stage
    /// ends with [`LabError::Waits`].
    ///
    /// # Errors
    /// If the folder contains something else, parts of another number, or of something else, or cannot be written.
    pub fn part(folder: impl AsRef<Path>, part: Part, of: &Value) -> Result<Journal, LabError> {
        let (file, lines) = parts::open_lines(folder, part, NAME, of)?;
        Ok(Journal { file, done: read(lines)?, part: Some((part, AtomicUsize::new(0))) })
    }

    /// Ends the journal of a part that has computed all that it can, and returns the number of its runs.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn end(self) -> Result<usize, LabError> {
        parts::end(self.file)?;
        Ok(self.part.map_or(0, |(_, runs)| runs.into_inner()))
    }

    /// Returns what the parts in a folder depend on, and their results.
    ///
    /// # Errors
    /// If a part is missing, has not ended, is there twice or of something else, or was computed by another version of the program.
    pub fn merged(folder: impl AsRef<Path>) -> Result<(Value, Results), LabError> {
        let (of, lines) = parts::merge_lines(folder, NAME)?;
        Ok((of, read(lines)?))
    }

    /// Adds results that were computed elsewhere.
    pub fn add(&mut self, results: &Results) {
        self.done.extend(results.iter().map(|(key, records)| (key.clone(), records.clone())));
    }

    /// Returns which of this number of runs belong to this part; all if there are no parts.
    pub(super) fn share(&self, runs: usize) -> Vec<usize> {
        let Some((part, count)) = &self.part else { return Vec::from_iter(0..runs) };
        count.fetch_add(part.share(runs), Relaxed);
        Vec::from_iter((0..runs).filter(|&run| part.has(run)))
    }

    /// Returns the number of runs found.
    pub fn len(&self) -> usize {
        self.done.len()
    }

    /// Returns whether no run was found.
    pub fn is_empty(&self) -> bool {
        self.done.is_empty()
    }

    pub(super) fn find(&self, key: &str) -> Option<&Vec<Record>> {
        self.done.get(key)
    }

    pub(super) fn note(&self, key: &str, records: &[Record]) -> Result<(), LabError> {
        let records: Vec<Value> = records.iter().map(Record::to_json).collect();
        let line = json!({ "key": key, "records": records });
        self.file
            .note(&line)
            .map_err(|error| LabError::Folder(FolderError { path: self.file.path().into(), error }))
    }

    /// Removes the file, once the results are saved.
    pub fn close(self) {
        self.file.remove();
    }
}

fn read(journals: Vec<(PathBuf, Vec<Value>)>) -> Result<Results, LabError> {
    let mut results = Results::new();
    for (path, lines) in journals {
        for (k, line) in lines.iter().enumerate() {
            let records = || line["records"].as_array()?.iter().map(Record::from_json).collect::<Option<_>>();
            let (Some(key), Some(records)) = (line["key"].as_str(), records()) else {
                if line["ended"] == true {
                    continue;
                }
                return Err(LabError::Failure(JournalError::Changed(k + 2).at(&path)));
            };
            let known: &Vec<Record> = results.entry(key.into()).or_insert_with(|| Vec::clone(&records));
            if !same(known, &records) {
                return Err(PartsError::Contradiction { path, run: key.into() }.into());
            }
        }
    }
    Ok(results)
}

/// Whether records are the same, of which a NaN is the same as a NaN.
fn same(a: &[Record], b: &[Record]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_json() == b.to_json())
}

/// Size and time of the program file, which another build changes.
fn program() -> String {
    let file = std::env::current_exe().and_then(fs::metadata);
    file.map_or(String::new(), |file| format!("{} {:?}", file.len(), file.modified().ok()))
}

/// FNV-1a.
fn fingerprint(content: &str) -> u64 {
    content
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read_again_after_an_interruption() {
        let folder = std::env::temp_dir().join(format!("surprisal-journal-{}", std::process::id()));
        let record = Record::once("r", [("x", 1.5)]);
        let journal = Journal::open(&folder, "name", "setting").unwrap();
        assert!(journal.is_empty());
        journal.note("a", std::slice::from_ref(&record)).unwrap();
        let refused = || Journal::open(&folder, "name", "setting").err().unwrap().to_string();
        let mut told = vec![refused()];
        let path = journal.file.path().to_path_buf();
        drop(journal);
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, whole.clone() + "{\"key\": \"b\", \"rec").unwrap(); // and then the power failed

        assert!(Journal::open(&folder, "name", "another setting").unwrap().is_empty());
        let journal = Journal::open(&folder, "name", "setting").unwrap();
        assert_eq!((journal.len(), journal.find("a")), (1, Some(&vec![record])));
        journal.note("b", &[]).unwrap(); // not behind half a line
        drop(journal);
        let journal = Journal::open(&folder, "name", "setting").unwrap();
        assert_eq!(journal.len(), 2);
        drop(journal);
        fs::write(&path, whole.replace("1.5", "2.5")).unwrap();
        told.push(refused());
        expect_test::expect![[r#"
            JOURNAL is in use: the same experiment is running in this folder | choose another folder
            JOURNAL, line 2: it has been changed since it was written | delete the line: what it held is computed again"#]].assert_eq(&told.join("\n").replace(&path.display().to_string(), "JOURNAL"));
        fs::write(&path, whole).unwrap();
        Journal::open(&folder, "name", "setting").unwrap().close();
        assert!(Journal::open(&folder, "name", "setting").unwrap().is_empty());
        fs::remove_dir_all(folder).unwrap();
    }
}
