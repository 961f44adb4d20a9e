//! [`Journal`]: what has been computed so far, so that an interrupted experiment goes on where it stopped.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::{Value, json};

use super::{LabError, Record};

/// A file with a line for every run that has ended. Its name holds a fingerprint of the whole setting and of the program, so that
/// nothing is taken over that another setting or another program computed.
pub struct Journal {
    path: PathBuf,
    file: Mutex<File>,
    done: HashMap<String, Vec<Record>>,
}

impl Journal {
    /// Opens the journal of an experiment in `folder`, and reads what an interrupted run has left there.
    ///
    /// # Errors
    /// If the folder or file cannot be made, or if another process is at the same experiment.
    pub fn open(folder: &Path, name: &str, setting: &str) -> Result<Journal, LabError> {
        let path =
            folder.join(format!(".{name}-{:016x}.journal", fingerprint(&format!("{setting}{}", program()))));
        let failed = |error: io::Error| {
            LabError::Failure(format!(
                "cannot write {}: {error}; choose another folder with --out",
                path.display()
            ))
        };
        fs::create_dir_all(folder).map_err(failed)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        file.try_lock().map_err(|_| {
            LabError::Failure(format!(
                "{} is in use: the same experiment runs already with --out {}",
                path.display(),
                folder.display()
            ))
        })?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        let (mut done, mut whole) = (HashMap::new(), 0);
        for line in text.split_inclusive('\n') {
            let Some((key, records)) = read(line) else { break }; // the line that was being written
            done.insert(key, records);
            whole += line.len();
        }
        file.set_len(whole as u64).and_then(|()| file.seek(SeekFrom::End(0))).map_err(failed)?;
        Ok(Journal { path, file: Mutex::new(file), done })
    }

    /// How many runs were found.
    pub fn len(&self) -> usize {
        self.done.len()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.done.is_empty()
    }

    pub(super) fn find(&self, key: &str) -> Option<&Vec<Record>> {
        self.done.get(key)
    }

    pub(super) fn note(&self, key: &str, records: &[Record]) -> Result<(), LabError> {
        let records: Vec<Value> = records.iter().map(Record::to_json).collect();
        let line = format!("{}\n", json!({ "key": key, "records": records }));
        let mut file = self.file.lock().unwrap_or_else(|e| e.into_inner());
        file.write_all(line.as_bytes())
            .map_err(|error| LabError::Failure(format!("cannot write {}: {error}", self.path.display())))
    }

    /// Removes the file, when the results are safe.
    pub fn close(self) {
        let _ = fs::remove_file(&self.path); // a file that stays is read once more, and harms nobody
    }
}

fn read(line: &str) -> Option<(String, Vec<Record>)> {
    let value: Value = serde_json::from_str(line.strip_suffix('\n')?).ok()?;
    let records = value["records"].as_array()?.iter().map(Record::from_json).collect::<Option<_>>()?;
    Some((value["key"].as_str()?.to_string(), records))
}

/// What tells this program from one built of other sources.
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
    fn what_was_interrupted_is_found_again() {
        let folder = std::env::temp_dir().join(format!("surprisal-journal-{}", std::process::id()));
        let record = Record::once("r", [("x", 1.5)]);
        let journal = Journal::open(&folder, "name", "setting").unwrap();
        assert!(journal.is_empty());
        journal.note("a", std::slice::from_ref(&record)).unwrap();
        let busy = Journal::open(&folder, "name", "setting").err().unwrap().to_string();
        assert!(busy.contains("is in use: the same experiment runs already"), "{busy}");
        journal.file.lock().unwrap().write_all(b"{\"key\": \"b\", \"rec").unwrap(); // and then the power failed
        drop(journal);

        assert!(Journal::open(&folder, "name", "another setting").unwrap().is_empty());
        let journal = Journal::open(&folder, "name", "setting").unwrap();
        assert_eq!((journal.len(), journal.find("a")), (1, Some(&vec![record])));
        journal.note("b", &[]).unwrap(); // not behind half a line
        drop(journal);
        let journal = Journal::open(&folder, "name", "setting").unwrap();
        assert_eq!(journal.len(), 2);
        journal.close();
        assert!(Journal::open(&folder, "name", "setting").unwrap().is_empty());
        fs::remove_dir_all(folder).unwrap();
    }
}
