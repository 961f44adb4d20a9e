//! [`JournalFile`]: the results so far, in lines with checksums.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::files::{cannot_write, write_atomically};
use serde_json::Value;

/// The longest time that a line waits for the disk. Lines lost in a power failure are computed again.
const UNSYNCED: Duration = Duration::from_secs(1);

/// A file of JSON lines. The first line identifies the computation, each other line contains a result. Each line
/// ends with its CRC-32, which covers the first line too, so that a line of another journal is not taken for one of this.
///
/// The file is locked while it is open. After a kill, all lines written before are complete. Lines are forced to the disk about once a second.
pub struct JournalFile {
    path: PathBuf,
    header: String,
    state: Mutex<State>,
}

struct State {
    file: File,
    length: u64,
    synced: Instant,
}

/// The reason why a journal cannot be used.
#[derive(Debug)]
pub enum JournalError {
    /// Another process has it open.
    Busy,
    /// The file is something else, or its first line has been changed.
    Foreign,
    /// It is the journal of another computation, with this first line.
    Other(Value),
    /// This line, counted from 1, has been changed since it was written.
    Changed(usize),
    /// The file cannot be read or written.
    Io(io::Error),
}

impl From<io::Error> for JournalError {
    fn from(error: io::Error) -> Self {
        JournalError::Io(error)
    }
}

impl JournalError {
    /// The message, for the journal of this path.
    pub fn at(&self, path: &Path) -> String {
        let place = path.display();
        match self {
            JournalError::Busy => format!("{place}: another process is writing it"),
            JournalError::Foreign => {
                format!(
                    "{place}: this is no journal, or its first line has been changed | move it away, or write elsewhere"
                )
            }
            JournalError::Other(_) => {
                format!("{place}: this is the journal of something else | write elsewhere")
            }
            JournalError::Changed(line) => format!(
                "{place}, line {line}: it has been changed since it was written | delete the line: what it held is computed again"
            ),
            JournalError::Io(error) => cannot_write(path, error),
        }
    }
}

impl JournalFile {
    /// Opens the journal with this first line, an object with at least one entry, or begins it; and returns what the other lines
    /// hold. A last line that was not written to its end is cut off.
    ///
    /// # Errors
    /// If another process has it open, and if it is not whole or not this journal. Then it is as it was.
    pub fn open(path: impl AsRef<Path>, header: &Value) -> Result<(JournalFile, Vec<Value>), JournalError> {
        let path = path.as_ref();
        if fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
            return Err(JournalError::Foreign);
        }
        let header = seal(&header.to_string(), 0);
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        if matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)) {
            return Err(JournalError::Busy);
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (mut values, mut length) = (Vec::new(), header.len());
        if header.as_bytes().starts_with(&bytes) {
            file.rewind()?;
            file.write_all(header.as_bytes())?;
            file.sync_all()?;
        } else {
            let mut lines = bytes.split_inclusive(|&byte| byte == b'\n');
            let first = lines.next().unwrap_or_default();
            if first != header.as_bytes() {
                return Err(unseal(first, 0).map_or(JournalError::Foreign, JournalError::Other));
            }
            for (k, line) in lines.enumerate().filter(|(_, line)| line.ends_with(b"\n")) {
                values
                    .push(unseal(line, checksum(header.as_bytes(), 0)).ok_or(JournalError::Changed(k + 2))?);
                length += line.len();
            }
            file.set_len(length as u64)?;
            file.seek(SeekFrom::End(0))?;
        }
        let state = State { file, length: length as u64, synced: Instant::now() };
        Ok((JournalFile { path: path.into(), header, state: Mutex::new(state) }, values))
    }

    /// Creates the journal with this first line, an object with at least one entry. It is not locked: no other process may write it.
    ///
    /// # Errors
    /// If there is a file of this name, or it cannot be written.
    pub fn create(path: impl AsRef<Path>, header: &Value) -> io::Result<JournalFile> {
        let path = path.as_ref();
        let header = seal(&header.to_string(), 0);
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(header.as_bytes())?;
        file.sync_all()?;
        let state = State { file, length: header.len() as u64, synced: Instant::now() };
        Ok(JournalFile { path: path.into(), header, state: Mutex::new(state) })
    }

    /// Reads a journal that another process may be writing: its first line, and the others without a last one that was not written to
    /// its end; `None` if the first line was not.
    ///
    /// # Errors
    /// If it cannot be read, or is not whole.
    pub fn read(path: impl AsRef<Path>) -> Result<Option<(Value, Vec<Value>)>, JournalError> {
        let path = path.as_ref();
        if fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
            return Err(JournalError::Foreign);
        }
        let bytes = fs::read(path)?;
        let mut lines = bytes.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
        let Some(first) = lines.next() else { return Ok(None) };
        let header = unseal(first, 0).ok_or(JournalError::Foreign)?;
        let before = checksum(first, 0);
        let read = |(k, line)| unseal(line, before).ok_or(JournalError::Changed(k + 2));
        let values = lines.enumerate().map(read).collect::<Result<_, _>>()?;
        Ok(Some((header, values)))
    }

    /// Writes all lines to the disk.
    ///
    /// # Errors
    /// If that is not possible.
    pub fn close(self) -> io::Result<()> {
        self.state.into_inner().unwrap_or_else(|e| e.into_inner()).file.sync_all()
    }

    /// Adds a line, an object with at least one entry.
    ///
    /// # Errors
    /// If it cannot be written; then the journal is as it was.
    pub fn note(&self, value: &Value) -> io::Result<()> {
        let line = self.line(value);
        let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        let State { file, length, synced } = &mut *state;
        if let Err(error) = file.write_all(line.as_bytes()) {
            let _ = file.set_len(*length).and_then(|()| file.seek(SeekFrom::End(0))); // the first error is the one to tell
            return Err(error);
        }
        *length += line.len() as u64;
        if synced.elapsed() > UNSYNCED {
            file.sync_data()?;
            *synced = Instant::now();
        }
        Ok(())
    }

    /// Writes the journal anew with these lines, to the disk.
    ///
    /// # Errors
    /// If it cannot be written; then it is as it was.
    pub fn rewrite(self, values: &[Value]) -> io::Result<()> {
        write_atomically(&self.path, text(&self.header, values).as_bytes())
    }

    /// Writes a journal with this first line and these lines, to the disk, or replaces one.
    ///
    /// # Errors
    /// If it cannot be written; then one that was there is as it was.
    pub fn write(path: impl AsRef<Path>, header: &Value, values: &[Value]) -> io::Result<()> {
        write_atomically(path, text(&seal(&header.to_string(), 0), values).as_bytes())
    }

    /// Removes the file, when what it holds is no longer needed.
    pub fn remove(self) {
        let _ = fs::remove_file(&self.path); // one that stays is read once more, and harms nobody
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn line(&self, value: &Value) -> String {
        seal(&value.to_string(), checksum(self.header.as_bytes(), 0))
    }
}

impl fmt::Debug for JournalFile {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "JournalFile({})", self.path.display())
    }
}

/// A journal with this first line, which is sealed.
fn text(header: &str, values: &[Value]) -> String {
    let before = checksum(header.as_bytes(), 0);
    values.iter().fold(header.into(), |text, value| text + &seal(&value.to_string(), before))
}

/// Returns the keys with different values in two first lines, in words: "data, settings". Their checksums do not count.
pub fn differences(found: &Value, expected: &Value) -> String {
    let keys = [expected, found].map(|line| line.as_object().into_iter().flat_map(|all| all.keys()));
    let keys = BTreeSet::from_iter(keys.into_iter().flatten().map(String::as_str));
    Vec::from_iter(keys.into_iter().filter(|&key| key != "crc32" && found[key] != expected[key])).join(", ")
}

/// The CRC-32 of bytes that come after others with this one.
fn checksum(bytes: &[u8], before: u32) -> u32 {
    let mut crc = crc32fast::Hasher::new_with_initial(before);
    crc.update(bytes);
    crc.finalize()
}

/// An object in JSON as a line, with its checksum as one more entry.
fn seal(object: &str, before: u32) -> String {
    let open = object.strip_suffix('}').unwrap_or(object);
    format!("{open},\"crc32\":\"{:08x}\"}}\n", checksum(open.as_bytes(), before))
}

/// The object in a line, if the line is as it was written.
fn unseal(line: &[u8], before: u32) -> Option<Value> {
    let line = std::str::from_utf8(line).ok()?;
    let (open, _) = line.rsplit_once(",\"crc32\":")?;
    (seal(open, before) == line).then(|| serde_json::from_str(line).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Journals(PathBuf);
    impl Journals {
        fn new(name: &str) -> Journals {
            let folder = std::env::temp_dir().join(format!("surprisal-lines-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            Journals(folder)
        }
        fn path(&self) -> PathBuf {
            self.0.join("journal")
        }
        fn open(&self, of: &str) -> Result<(JournalFile, Vec<Value>), JournalError> {
            JournalFile::open(self.path(), &json!({ "journal": of }))
        }
    }
    impl Drop for Journals {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn cut_anywhere_it_holds_the_whole_lines_before() {
        let journals = Journals::new("cut");
        let lines = [json!({ "x": 1.5 }), json!({ "text": "},\"crc32\":\"\n" }), json!({ "x": [1, 2] })];
        let (journal, found) = journals.open("a").unwrap();
        assert!(found.is_empty());
        assert!(matches!(journals.open("a"), Err(JournalError::Busy)));
        lines.iter().for_each(|line| journal.note(line).unwrap());
        drop(journal);
        let whole = fs::read(journals.path()).unwrap();
        for end in 0..=whole.len() {
            fs::write(journals.path(), &whole[..end]).unwrap();
            let (journal, found) = journals.open("a").unwrap();
            let complete = whole[..end].iter().filter(|&&byte| byte == b'\n').count().saturating_sub(1);
            let plain = found.iter().map(|value| {
                let mut value = value.clone();
                value.as_object_mut().unwrap().remove("crc32");
                value
            });
            assert_eq!(Vec::from_iter(plain), lines[..complete], "cut after {end} bytes");
            lines[complete..].iter().for_each(|line| journal.note(line).unwrap());
            drop(journal);
            assert_eq!(fs::read(journals.path()).unwrap(), whole);
        }
    }

    #[test]
    fn every_changed_byte_is_found_and_the_file_stays_as_it_is() {
        let journals = Journals::new("changed");
        let (journal, _) = journals.open("a").unwrap();
        journal.note(&json!({ "loss": 0.125 })).unwrap();
        journal.note(&json!({ "loss": 0.25 })).unwrap();
        drop(journal);
        let whole = fs::read(journals.path()).unwrap();
        for at in 0..whole.len() - 1 {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(journals.path(), &changed).unwrap();
            let line = whole[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
            match journals.open("a") {
                Err(JournalError::Changed(found)) => {
                    assert!(line.abs_diff(found) <= 1, "byte {at}: line {found}")
                }
                Err(JournalError::Foreign) => assert_eq!(line, 1, "byte {at}"),
                other => panic!("byte {at}: {other:?}"),
            }
            assert_eq!(fs::read(journals.path()).unwrap(), changed);
        }
    }

    #[test]
    fn nothing_that_is_no_journal_is_overwritten_and_no_line_of_another_is_taken() {
        let journals = Journals::new("foreign");
        for foreign in ["notes of my own", "notes\n", "{\"x\": 1}\n", "{\"journal\":\"b\"", "\n"] {
            fs::write(journals.path(), foreign).unwrap();
            assert!(matches!(journals.open("a"), Err(JournalError::Foreign)), "{foreign:?}");
            assert_eq!(fs::read_to_string(journals.path()).unwrap(), foreign);
        }
        fs::remove_file(journals.path()).unwrap();
        let (journal, _) = journals.open("b").unwrap();
        journal.note(&json!({ "x": 1 })).unwrap();
        drop(journal);
        let Err(JournalError::Other(header)) = journals.open("a") else { panic!("it was taken for its own") };
        assert_eq!(header["journal"], "b");
        let line = fs::read_to_string(journals.path()).unwrap().lines().nth(1).unwrap().to_string();
        fs::remove_file(journals.path()).unwrap();
        drop(journals.open("a").unwrap());
        let text = fs::read_to_string(journals.path()).unwrap() + &line + "\n";
        fs::write(journals.path(), text).unwrap();
        assert!(matches!(journals.open("a"), Err(JournalError::Changed(2))));
    }
}
