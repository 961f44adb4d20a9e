//! The run folder: a free number, and nothing half-written.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::CompareError;

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
    pub fn take(parent: &Path, name: &str) -> Result<RunFolder, CompareError> {
        let absent = parent.ancestors().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        let made = absent.map(Path::to_path_buf).collect();
        fs::create_dir_all(parent).map_err(CompareError::write(parent))?;
        for n in 1u64.. {
            let place = parent.join(format!("{name}-{n}"));
            let partial = parent.join(format!(".{name}-{n}.partial"));
            if place.exists() {
                continue;
            }
            match fs::create_dir(&partial) {
                Ok(()) => return Ok(RunFolder { place, partial, made, done: false }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue, // another run is at it
                Err(error) => return Err(CompareError::Write(partial, error)),
            }
        }
        unreachable!("there are more numbers than folders")
    }

    /// Writes files, given by their path inside the folder, and gives the folder its name.
    ///
    /// # Errors
    /// If one cannot be written; then none is left.
    pub fn fill(mut self, files: &[(String, String)]) -> Result<PathBuf, CompareError> {
        for (name, content) in files {
            let path = self.partial.join(name);
            let written =
                path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| write_synced(&path, content));
            written.map_err(CompareError::write(&path))?;
        }
        fs::rename(&self.partial, &self.place).map_err(CompareError::write(&self.place))?;
        self.done = true;
        Ok(self.place.clone())
    }
}

fn write_synced(path: &Path, content: &str) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    io::Write::write_all(&mut file, content.as_bytes())?;
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
        let file = [("deep/a.csv".to_string(), "1\n".to_string())];
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
    fn a_folder_that_cannot_be_made_is_named() {
        let parent = parent("file");
        fs::write(&parent, "a file where the folder should be").unwrap();
        let error = RunFolder::take(&parent, "x").unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot write {}: ", parent.display())), "{error}");
        assert!(error.ends_with("choose another folder with --out"), "{error}");
        fs::remove_file(parent).unwrap();
    }
}
