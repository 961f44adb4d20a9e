//! The run folder: a free number, and nothing half-written.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::{error, fmt};

/// A folder that is taken before the work begins, so that an unwritable disk is found before minutes are spent.
///
/// Files first go to a hidden folder beside it, which takes its name when all are written. Dropped unfilled, nothing is left.
#[derive(Debug)]
pub struct RunFolder {
    place: PathBuf,
    partial: PathBuf,
    made: Vec<PathBuf>, // the folders above that were not there, the deepest first
    done: bool,
}

impl RunFolder {
    /// Takes the first free `name-N` in `parent`, N = 1, 2, .., making `parent` if it is not there.
    ///
    /// # Errors
    /// If a folder cannot be made.
    pub fn take(parent: &Path, name: &str) -> Result<RunFolder, FolderError> {
        let made = made_by(parent)?;
        for n in 1u64.. {
            let place = parent.join(format!("{name}-{n}"));
            let partial = parent.join(format!(".{name}-{n}.partial"));
            if place.exists() {
                continue;
            }
            match fs::create_dir(&partial) {
                Ok(()) => return Ok(RunFolder { place, partial, made, done: false }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue, // another run is at it
                Err(error) => return Err(FolderError { path: partial, error }),
            }
        }
        unreachable!("there are more numbers than folders")
    }

    /// Takes one folder, which must not be there.
    ///
    /// # Errors
    /// If it is, or cannot be made.
    pub fn exactly(place: &Path) -> Result<RunFolder, FolderError> {
        if place.exists() {
            let error =
                io::Error::new(ErrorKind::AlreadyExists, "it is already there, and nothing is overwritten");
            return Err(FolderError { path: place.to_path_buf(), error });
        }
        let parent = place.parent().unwrap_or(Path::new(""));
        let made = made_by(parent)?;
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let partial = parent.join(format!(".{name}.partial"));
        fs::create_dir(&partial).map_err(|error| {
            let taken = error.kind() == ErrorKind::AlreadyExists;
            let message = "a run is beginning there, or was killed while it was: remove it if there is none";
            let error = if taken { io::Error::new(ErrorKind::AlreadyExists, message) } else { error };
            FolderError { path: partial.clone(), error }
        })?;
        Ok(RunFolder { place: place.to_path_buf(), partial, made, done: false })
    }

    /// Writes files, given by their path inside the folder, and gives the folder its name.
    ///
    /// # Errors
    /// If one cannot be written; then none is left.
    pub fn fill(mut self, files: &[(String, Vec<u8>)]) -> Result<PathBuf, FolderError> {
        for (name, content) in files {
            let path = self.partial.join(name);
            let written =
                path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| write_synced(&path, content));
            written.map_err(FolderError::at(&path))?;
        }
        fs::rename(&self.partial, &self.place).map_err(FolderError::at(&self.place))?;
        self.done = true;
        Ok(self.place.clone())
    }
}

/// Makes a folder; gives those of its path that were not there, the deepest first.
fn made_by(folder: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let absent = folder.ancestors().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
    let made = absent.map(Path::to_path_buf).collect();
    fs::create_dir_all(folder).map_err(FolderError::at(folder))?;
    Ok(made)
}

fn write_synced(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    io::Write::write_all(&mut file, content)?;
    file.sync_all()
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if !self.done {
            // errors are passed over: nothing better can be done while something else goes wrong
            let _ = fs::remove_dir_all(&self.partial);
            for folder in &self.made {
                let _ = fs::remove_dir(folder); // stays if something else is in it by now
            }
        }
    }
}

/// A file or folder that could not be made.
#[derive(Debug)]
pub struct FolderError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub error: io::Error,
}

impl FolderError {
    fn at(path: &Path) -> impl FnOnce(io::Error) -> FolderError {
        let path = path.to_path_buf();
        move |error| FolderError { path, error }
    }
}
impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "cannot write {}: {}; choose another folder with --out", self.path.display(), self.error)
    }
}
impl error::Error for FolderError {}

#[cfg(test)]
mod tests {
    use super::*;

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
        drop(RunFolder::take(&parent.join("deep/er"), "x").unwrap());
        assert!(!parent.join("deep").exists());
        fs::remove_dir_all(parent).unwrap();
    }

    #[test]
    fn a_folder_that_is_there_is_refused() {
        let parent = parent("exactly");
        let place =
            RunFolder::exactly(&parent.join("a/b")).unwrap().fill(&[("x".to_string(), vec![1])]).unwrap();
        assert_eq!(fs::read(place.join("x")).unwrap(), [1]);
        let error = RunFolder::exactly(&place).unwrap_err().to_string();
        let told = "it is already there, and nothing is overwritten; choose another folder with --out";
        assert_eq!(error, format!("cannot write {}: {told}", place.display()));
        drop(RunFolder::exactly(&parent.join("c/d")).unwrap());
        assert!(!parent.join("c").exists());
        fs::remove_dir_all(parent).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let parent = parent("file");
        fs::write(&parent, "a file where the folder should be").unwrap();
        let error = RunFolder::take(&parent, "x").unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot write {}: ", parent.display())), "{error}");
        assert!(error.ends_with("choose another folder with --out"), "{error}");
        fs::remove_file(parent).unwrap();
    }
}
