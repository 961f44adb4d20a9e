//! [`Spill`]: a temporary file for data that are larger than memory.

use crate::error::{DataError, ErrorKind};
use std::fmt::{self, Debug, Formatter};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A temporary file without a name, whose space is free again when the process ends, however it ends.
///
/// An error while it is written or read is kept: numbers that could not be read are NaN, and [`check`](Spill::check) returns the error.
///
/// ```
/// use surprisal_data::Spill;
///
/// let spill = Spill::new(std::env::temp_dir())?;
/// let place = spill.append(&[1.5f32, -2.0].map(f32::to_le_bytes).concat());
/// let mut numbers = [0.0; 2];
/// spill.read_f32(place, &mut numbers);
/// spill.check()?;
/// assert_eq!(numbers, [1.5, -2.0]);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub struct Spill {
    folder: PathBuf,
    inside: Mutex<Inside>,
}

struct Inside {
    file: File,
    /// Where the file still has the name that could not be removed while it was open.
    named: Option<PathBuf>,
    end: u64,
    failed: Option<(&'static str, io::Error)>,
}

impl Spill {
    /// Creates the file in a folder.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn new(folder: impl AsRef<Path>) -> Result<Arc<Spill>, DataError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let folder = folder.as_ref().to_path_buf();
        let name = format!(".surprisal-{}-{}.tmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = folder.join(name);
        let file = match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
            Ok(file) => file,
            Err(error) => return Err(failed(&folder, "created", error)),
        };
        let named = std::fs::remove_file(&path).is_err().then_some(path);
        Ok(Arc::new(Spill { folder, inside: Mutex::new(Inside { file, named, end: 0, failed: None }) }))
    }

    /// Reserves bytes at the end; returns where they begin.
    pub fn reserve(&self, bytes: u64) -> u64 {
        let inside = &mut *self.inside();
        inside.end += bytes;
        inside.end - bytes
    }

    /// Writes bytes to the end; returns where they begin.
    pub fn append(&self, bytes: &[u8]) -> u64 {
        let at = self.reserve(bytes.len() as u64);
        self.write(at, bytes);
        at
    }

    /// Writes bytes.
    pub fn write(&self, at: u64, bytes: &[u8]) {
        self.inside().attempt("written", |file| {
            file.seek(SeekFrom::Start(at))?;
            file.write_all(bytes)
        });
    }

    /// Reads bytes.
    pub fn read(&self, at: u64, bytes: &mut [u8]) {
        let read = self.inside().attempt("read", |file| {
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(bytes)
        });
        if !read {
            bytes.fill(0xff); // NaN
        }
    }

    /// Reads numbers.
    pub fn read_f32(&self, at: u64, numbers: &mut [f32]) {
        let mut bytes = [0; 1 << 14];
        for (part, numbers) in numbers.chunks_mut(bytes.len() / 4).enumerate() {
            let bytes = &mut bytes[..4 * numbers.len()];
            self.read(at + (part << 14) as u64, bytes);
            numbers
                .iter_mut()
                .zip(bytes.as_chunks().0)
                .for_each(|(x, bytes)| *x = f32::from_le_bytes(*bytes));
        }
    }

    /// The first error so far, if there was one.
    ///
    /// # Errors
    /// With it.
    pub fn check(&self) -> Result<(), DataError> {
        match &self.inside().failed {
            Some((what, error)) => Err(failed(&self.folder, what, same(error))),
            None => Ok(()),
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    /// Keeps the first error; returns whether there is none.
    fn attempt(&mut self, what: &'static str, run: impl FnOnce(&mut File) -> io::Result<()>) -> bool {
        let outcome = run(&mut self.file);
        let fine = outcome.is_ok();
        if let (Err(error), None) = (outcome, &self.failed) {
            self.failed = Some((what, error));
        }
        fine
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        if let Some(path) = &self.named {
            let _ = std::fs::remove_file(path); // where an open file can be removed, it has been
        }
    }
}

fn failed(folder: &Path, what: &'static str, error: io::Error) -> DataError {
    ErrorKind::Temporary { folder: folder.display().to_string(), what, error }.into()
}

fn same(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

impl Debug for Spill {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Spill in {}", self.folder.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_kept_and_what_could_not_be_read_is_nan() {
        let spill = Spill::new(std::env::temp_dir()).unwrap();
        let at = spill.append(&1.0_f32.to_le_bytes());
        let mut numbers = [0.0; 2];
        spill.read_f32(at, &mut numbers);
        assert!(numbers[0].is_nan() && spill.check().is_err());
        assert!(Spill::new("no/such/folder").is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_file_has_no_name() {
        let folder = std::env::temp_dir().join(format!("surprisal-spill-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let spill = Spill::new(&folder).unwrap();
        spill.append(&[7; 100]);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        std::fs::remove_dir(&folder).unwrap();
    }
}
