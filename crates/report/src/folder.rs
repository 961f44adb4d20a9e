//! Run folders: a free number, and no incomplete contents.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::{error, fmt};

use crate::files::{self, Partial, folder_of, remove_stale, sync_folder};

/// A folder that is reserved before the work begins, so that an unwritable disk is found early.
///
/// Files first go to a hidden folder beside it, which is renamed when all are written. If it is dropped before that, nothing is left. The
/// leftovers of a killed process are used by the next process that takes the folder.
#[derive(Debug)]
pub struct RunFolder {
    place: PathBuf,
    partial: Partial,
}

impl RunFolder {
    /// Takes the first free `name-N` in `parent`, N = 1, 2, .., and creates `parent` if needed.
    ///
    /// # Errors
    /// If a folder cannot be created.
    pub fn take(parent: impl AsRef<Path>, name: &str) -> Result<RunFolder, FolderError> {
        let parent = parent.as_ref();
        remove_stale(parent);
        for n in 1u64.. {
            let place = parent.join(format!("{name}-{n}"));
            if fs::symlink_metadata(&place).is_ok() {
                continue;
            }
            match Partial::folder(&place) {
                Ok(Some(partial)) => return Ok(RunFolder { place, partial }),
                Ok(None) => {} // another run has taken it
                Err(error) if error.kind() == ErrorKind::AlreadyExists && parent.is_dir() => {}
                Err(error) => return Err(FolderError { path: parent.into(), error }),
            }
        }
        unreachable!("there are more numbers than folders")
    }

    /// Takes the folder of this path, which must not exist.
    ///
    /// # Errors
    /// If it exists, another process has begun it, or it cannot be created.
    pub fn exactly(place: impl AsRef<Path>) -> Result<RunFolder, FolderError> {
        let place = place.as_ref();
        let taken = |message| io::Error::new(ErrorKind::AlreadyExists, message);
        let failed = FolderError::at(place);
        if fs::symlink_metadata(place).is_ok() {
            return Err(failed(taken("it already exists and is not overwritten")));
        }
        remove_stale(folder_of(place));
        match Partial::folder(place) {
            Ok(Some(partial)) => Ok(RunFolder { place: place.into(), partial }),
            Ok(None) => Err(failed(taken("another process is about to write it"))),
            Err(error) => Err(failed(error)),
        }
    }

    /// Writes files, given by their path inside the folder, to the disk, and renames the folder.
    ///
    /// # Errors
    /// If a file cannot be written; then none is left.
    pub fn fill(self, files: &[(String, Vec<u8>)]) -> Result<PathBuf, FolderError> {
        self.filled(files, true)
    }

    /// Fills the folder like [`fill`](RunFolder::fill), but only its name is forced to the disk, for files that can be created again.
    ///
    /// # Errors
    /// As [`fill`](RunFolder::fill).
    pub fn fill_unsynced(self, files: &[(String, Vec<u8>)]) -> Result<PathBuf, FolderError> {
        self.filled(files, false)
    }

    fn filled(self, files: &[(String, Vec<u8>)], sync: bool) -> Result<PathBuf, FolderError> {
        let RunFolder { place, partial } = self;
        let mut folders = vec![partial.path().to_path_buf()];
        for (name, content) in files {
            let path = partial.path().join(name);
            let folder = folder_of(&path).to_path_buf();
            let written = fs::create_dir_all(&folder).and_then(|()| write(&path, content, sync));
            written.map_err(FolderError::at(&place.join(name)))?;
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        let synced = if sync { folders.iter().try_for_each(sync_folder) } else { Ok(()) };
        let named =
            synced.and_then(|()| partial.rename(&place)).and_then(|()| sync_folder(folder_of(&place)));
        named.map_err(FolderError::at(&place))?;
        Ok(place)
    }
}

fn write(path: &Path, content: &[u8], sync: bool) -> io::Result<()> {
    let mut file = fs::File::create_new(path)?;
    file.write_all(content)?;
    if sync { file.sync_all() } else { Ok(()) }
}

/// A file or folder that could not be created.
#[derive(Debug)]
pub struct FolderError {
    /// Its path.
    pub path: PathBuf,
    /// The reason.
    pub error: io::Error,
}

impl FolderError {
    fn at(path: &Path) -> impl FnOnce(io::Error) -> FolderError {
        let path = path.to_path_buf();
        move |error| FolderError { path, error }
    }

    /// Whether another path would help.
    pub fn is_about_the_path(&self) -> bool {
        matches!(
            self.error.kind(),
            ErrorKind::InvalidInput | ErrorKind::AlreadyExists | ErrorKind::NotADirectory
        )
    }
}
impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let FolderError { path, error } = self;
        let advice = match error.kind() {
            ErrorKind::InvalidInput => "name a folder".into(),
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => "choose another folder".into(),
            _ => files::advice(path, error),
        };
        write!(f, "cannot write {}: {error}; {advice}", path.display())
    }
}
impl error::Error for FolderError {}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn parent(name: &str) -> PathBuf {
        let parent = std::env::temp_dir().join(format!("surprisal-files-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&parent);
        parent
    }

    #[test]
    fn takes_the_next_free_number_and_keeps_what_is_there() {
        let parent = parent("numbers");
        let file = [("deep/a.csv".to_string(), b"1\n".to_vec())];
        for n in 1..=3 {
            let place = RunFolder::take(&parent, "x").unwrap().fill(&file).unwrap();
            assert_eq!(place, parent.join(format!("x-{n}")));
            assert_eq!(fs::read_to_string(place.join("deep/a.csv")).unwrap(), "1\n");
        }
        fs::remove_dir_all(parent.join("x-2")).unwrap();
        let (two, four) = (RunFolder::take(&parent, "x").unwrap(), RunFolder::take(&parent, "x").unwrap());
        assert_eq!((&two.place, &four.place), (&parent.join("x-2"), &parent.join("x-4")));
        drop((two, four));
        assert_eq!(fs::read_dir(&parent).unwrap().count(), 2); // nothing is left of what was not filled
        drop(RunFolder::take(parent.join("deep/er"), "x").unwrap());
        assert!(!parent.join("deep").exists());
        fs::remove_dir_all(parent).unwrap();
    }

    #[test]
    fn a_folder_that_is_there_is_refused() {
        let parent = parent("exactly");
        let place =
            RunFolder::exactly(parent.join("a/b")).unwrap().fill(&[("x".to_string(), vec![1])]).unwrap();
        assert_eq!(fs::read(place.join("x")).unwrap(), [1]);
        let error = RunFolder::exactly(&place).unwrap_err().to_string();
        expect!["cannot write PATH: it already exists and is not overwritten; choose another folder"]
            .assert_eq(&error.replace(&place.display().to_string(), "PATH"));
        drop(RunFolder::exactly(parent.join("c/d")).unwrap());
        assert!(!parent.join("c").exists());
        fs::remove_dir_all(parent).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let parent = parent("file");
        fs::write(&parent, "a file where the folder should be").unwrap();
        let error = RunFolder::take(&parent, "x").unwrap_err().to_string();
        expect!["cannot write PATH: a part of its path is a file; choose another folder"]
            .assert_eq(&error.replace(&parent.display().to_string(), "PATH"));
        fs::remove_file(parent).unwrap();
    }
}
