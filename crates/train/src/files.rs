//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Writes a file so that at every moment its place holds the old content or the new, whatever stops the program or the machine.
///
/// The bytes go to a file of another name in the same folder, `.NAME.PROCESS.NUMBER.partial`, and to the disk; then it is given
/// its name, and the folder goes to the disk too. Only a program that is killed leaves such a file behind. What is no plain file,
/// such as `/dev/stdout`, is written to as it is.
///
/// ```
/// let path = std::env::temp_dir().join(format!("surprisal-example-{}.txt", std::process::id()));
/// surprisal_train::write_atomically(&path, b"old")?;
/// surprisal_train::write_atomically(&path, b"new")?;
/// assert_eq!(std::fs::read(&path)?, b"new");
/// std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// If it cannot be written; what stood at the place is still there.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        return fs::write(path, bytes);
    }
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no name of a file"));
    };
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = name.to_string_lossy();
    let partial = path.with_file_name(format!(".{name}.{}.{number}.partial", std::process::id()));
    let written = File::create_new(&partial).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&partial, path)).inspect_err(|_| {
        let _ = fs::remove_file(&partial); // the first error is the one to tell
    })?;
    sync_folder(path)
}

/// The new name is on the disk when its folder is.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Elsewhere a folder cannot be opened as a file.
#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}
