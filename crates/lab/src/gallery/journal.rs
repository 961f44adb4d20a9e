//! [`Journal`]: the results so far, with which an interrupted experiment resumes.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{LabError, Record};
use surprisal_report::folder::FolderError;
use surprisal_report::journal::{JournalError, JournalFile};

/// A file with a line for every finished run. Its name contains a fingerprint of all settings and of the program, so that
/// results of other settings or another program are not used.
pub struct Journal {
    file: JournalFile,
    done: HashMap<String, Vec<Record>>,
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
        let header =
            json!({ "journal": "surprisal lab run", "experiment": name, "fingerprint": fingerprint });
        let (file, lines) = JournalFile::open(&path, &header).map_err(|error| match error {
            JournalError::Busy => LabError::Failure(format!(
                "{} is in use: the same experiment is running in this folder | choose another folder",
                path.display()
            )),
            JournalError::Io(error) => failed(&path, error),
            error => LabError::Failure(error.at(&path)),
        })?;
        let read =
            |(k, line)| read(line).ok_or_else(|| LabError::Failure(JournalError::Changed(k + 2).at(&path)));
        let done = lines.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        Ok(Journal { file, done })
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

fn read(line: &Value) -> Option<(String, Vec<Record>)> {
    let records = line["records"].as_array()?.iter().map(Record::from_json).collect::<Option<_>>()?;
    Some((line["key"].as_str()?.to_string(), records))
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
