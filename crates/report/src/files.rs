//! Atomic writing of files and folders.
//!
//! A file or folder is written under a hidden name beside its path, `.surprisal-NUMBER.partial`, and renamed when it is
//! complete. It is locked while its process lives, so that the leftovers of a killed process are recognized
//! ([`remove_stale`]) and the files of other processes are not touched.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// Writes a file so that at every moment its path has either the old content or the new, whatever stops the program or the machine.
///
/// The bytes go to a hidden file in the same folder and to the disk (`fsync`). Then the file is renamed, and the folder goes to
/// the disk too. The mode of a replaced file is kept, and its owner if the process may set it. Only a regular file is replaced.
///
/// ```
/// let path = std::env::temp_dir().join(format!("surprisal-example-{}.txt", std::process::id()));
/// surprisal_report::files::write_atomically(&path, b"old")?;
/// surprisal_report::files::write_atomically(&path, b"new")?;
/// assert_eq!(std::fs::read(&path)?, b"new");
/// std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// If it cannot be written, or the path is a folder, a symbolic link, a device, a pipe, a socket or a file without
/// permission to write. The old content is kept. [`cannot_write`] makes a message with advice.
pub fn write_atomically(path: impl AsRef<Path>, bytes: &[u8]) -> io::Result<()> {
    let path = path.as_ref();
    replace(path, bytes, true)
}

/// Writes a file like [`write_atomically`], without waiting for the disk, for files that can be created again.
///
/// A killed program leaves the old file or the new one. After a power failure the new one may be empty.
///
/// # Errors
/// As [`write_atomically`].
pub fn write_unsynced(path: impl AsRef<Path>, bytes: &[u8]) -> io::Result<()> {
    let path = path.as_ref();
    replace(path, bytes, false)
}

fn replace(path: &Path, bytes: &[u8], sync: bool) -> io::Result<()> {
    let old = replaceable(path)?;
    let (partial, mut file) = Partial::file(folder_of(path), old.as_ref())?;
    file.write_all(bytes)?;
    if sync {
        file.sync_all()?;
    }
    partial.rename(path)?;
    if sync { sync_folder(folder_of(path)) } else { Ok(()) }
}

/// The file at this path, if there is one; an error if it is not a writable regular file.
fn replaceable(path: &Path) -> io::Result<Option<Metadata>> {
    let refused = |kind, what| Err(io::Error::new(kind, what));
    let old = match fs::symlink_metadata(path) {
        Ok(old) => old,
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Err(_) if path.file_name().is_none() => {
            return refused(ErrorKind::InvalidInput, "this is not the name of a file");
        }
        Err(_) => return Ok(None),
    };
    match old.file_type() {
        kind if kind.is_dir() => refused(ErrorKind::IsADirectory, "it is a folder"),
        kind if kind.is_symlink() => refused(ErrorKind::InvalidInput, "it is a symbolic link"),
        kind if !kind.is_file() => refused(ErrorKind::InvalidInput, "it is a device, a pipe or a socket"),
        _ if old.permissions().readonly() => refused(ErrorKind::PermissionDenied, "it is write-protected"),
        _ => Ok(Some(old)),
    }
}

/// Returns a message about a file that could not be written: path, reason and advice.
///
/// ```
/// use surprisal_report::files::{cannot_write, write_atomically};
/// let path = "no/such/folder/net.txt";
/// let error = write_atomically(path, b"").unwrap_err();
/// assert!(cannot_write(path, &error).ends_with("| there is no folder no/such/folder: make it first, or write elsewhere"));
/// ```
pub fn cannot_write(path: impl AsRef<Path>, error: &io::Error) -> String {
    let path = path.as_ref();
    format!("{}: cannot write: {error} | {}", path.display(), advice(path, error))
}

/// Advice about a file or folder that could not be written.
pub fn advice(path: impl AsRef<Path>, error: &io::Error) -> String {
    let path = path.as_ref();
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room, or write elsewhere".into(),
        ErrorKind::FileTooLarge => "raise the limit on the size of files, or write elsewhere".into(),
        // the permissions of the file have been checked before
        ErrorKind::PermissionDenied if error.raw_os_error().is_some() => {
            format!("change the permissions of the folder {}, or write elsewhere", folder_of(path).display())
        }
        ErrorKind::PermissionDenied => "change its permissions, or write elsewhere".into(),
        ErrorKind::ReadOnlyFilesystem => "this disk can only be read: write elsewhere".into(),
        ErrorKind::NotFound if !folder_of(path).exists() => {
            let folder = folder_of(path).display();
            format!("there is no folder {folder}: make it first, or write elsewhere")
        }
        ErrorKind::NotADirectory => "a part of its path is a file: write elsewhere".into(),
        ErrorKind::IsADirectory => "name a file in it".into(),
        ErrorKind::InvalidInput => "name a regular file".into(),
        ErrorKind::InvalidFilename => "choose a shorter name".into(),
        _ => "write elsewhere".into(),
    }
}

/// Returns the folder of a path.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether both paths lead to the same file.
pub fn same_file(a: impl AsRef<Path>, b: impl AsRef<Path>) -> bool {
    let (a, b) = (a.as_ref(), b.as_ref());
    #[cfg(unix)]
    let id = |path: &Path| path.metadata().ok().map(|data| id(&data));
    #[cfg(not(unix))]
    let id = |path: &Path| path.canonicalize().ok();
    id(a).is_some_and(|a| Some(a) == id(b))
}

/// The identity of a file, independent of its name.
#[cfg(unix)]
fn id(data: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (data.dev(), data.ino())
}

/// Writes the names in a folder to the disk (`fsync`), so that renamed files keep their new names.
///
/// # Errors
/// If the folder cannot be opened, or the disk fails.
pub fn sync_folder(folder: impl AsRef<Path>) -> io::Result<()> {
    let folder = folder.as_ref();
    open_folder(folder)?.map_or(Ok(()), |folder| folder.sync_all())
}

/// Opens a folder as a file, on systems where that is possible.
fn open_folder(folder: &Path) -> io::Result<Option<File>> {
    if cfg!(unix) { File::open(folder).map(Some) } else { Ok(None) }
}

/// The lock of a folder. It ends with its process, however that ends.
#[derive(Debug)]
pub struct FolderLock(Option<File>);

/// Locks a folder; `None` if another process has locked it.
///
/// On Windows and some network file systems folders cannot be locked. Then this succeeds without a lock.
///
/// ```
/// use surprisal_report::files::lock_folder;
/// let folder = std::env::temp_dir().join(format!("surprisal-example-lock-{}", std::process::id()));
/// std::fs::create_dir_all(&folder)?;
/// let lock = lock_folder(&folder)?;
/// assert!(lock.is_some());
/// assert!(cfg!(not(unix)) || lock_folder(&folder)?.is_none());
/// # std::fs::remove_dir(&folder)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// If it cannot be opened.
pub fn lock_folder(folder: impl AsRef<Path>) -> io::Result<Option<FolderLock>> {
    let folder = folder.as_ref();
    let file = open_folder(folder)?;
    let free = file.as_ref().is_none_or(is_free);
    Ok(free.then_some(FolderLock(file)))
}

/// Locks a file, unless another process has locked it.
fn is_free(file: &File) -> bool {
    !matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

/// Whether the path still leads to the open file, and is not a link to it.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    let ids = file.metadata().and_then(|file| Ok((id(&file), id(&fs::symlink_metadata(path)?))));
    ids.is_ok_and(|(file, path)| file == path)
}
#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

/// Every [`Partial`] of this process, which [`exit`] removes.
static UNFINISHED: Mutex<Vec<Unfinished>> = Mutex::new(Vec::new());

struct Unfinished {
    path: PathBuf,
    above: Vec<PathBuf>, // folders that were created for it, the deepest first
}

impl Unfinished {
    /// Errors are ignored, since this runs after another error.
    fn remove(&self) {
        let _ = if self.path.is_dir() { fs::remove_dir_all(&self.path) } else { fs::remove_file(&self.path) };
        for folder in &self.above {
            let _ = fs::remove_dir(folder); // stays if something else is in it by now
        }
    }
}

fn unfinished() -> MutexGuard<'static, Vec<Unfinished>> {
    UNFINISHED.lock().unwrap_or_else(|e| e.into_inner())
}

/// Ends the process, and removes its unfinished files and folders.
pub fn exit(code: i32) -> ! {
    let unfinished = unfinished(); // held until the end, so that nothing else is begun or renamed
    unfinished.iter().for_each(Unfinished::remove);
    std::process::exit(code)
}

/// A file or folder that is being written under a temporary name. If it is dropped before it is renamed, it is removed.
#[derive(Debug)]
pub struct Partial {
    path: PathBuf,
    _lock: FolderLock,
}

impl Partial {
    /// Begins a file in this folder, with the mode and owner of the file that it replaces.
    fn file(folder: &Path, old: Option<&Metadata>) -> io::Result<(Partial, File)> {
        loop {
            let number = RandomState::new().build_hasher().finish();
            let path = folder.join(format!(".surprisal-{number:016x}.partial"));
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            if old.is_some() {
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600); // until it gets that of the old file
            }
            let mut all = unfinished();
            let file = match options.open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            };
            // another process that finds it before it is locked takes it for a leftover
            if !is_free(&file) || !is_at(&file, &path) {
                continue;
            }
            all.push(Unfinished { path: path.clone(), above: Vec::new() });
            drop(all);
            let partial = Partial { path, _lock: FolderLock(None) };
            if let Some(old) = old {
                take_after(&file, old)?;
            }
            return Ok((partial, file));
        }
    }

    /// Begins a folder, and creates the folders above it; `None` if another process has begun it. The leftovers of a killed process are removed.
    ///
    /// # Errors
    /// If the path exists, or a folder cannot be created.
    pub fn folder(place: impl AsRef<Path>) -> io::Result<Option<Partial>> {
        let place = place.as_ref();
        let Some(name) = place.file_name() else {
            return Err(io::Error::new(ErrorKind::InvalidInput, "this is not the name of a folder"));
        };
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let parent = folder_of(place);
        let path = parent.join(format!(".surprisal-{:016x}.partial", hasher.finish()));
        let absent = parent.ancestors().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        let above = Vec::from_iter(absent.map(Path::to_path_buf));
        let mut all = unfinished();
        let made = fs::create_dir_all(parent).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => {
                io::Error::new(ErrorKind::NotADirectory, "a part of its path is a file")
            }
            _ => error,
        });
        let lock = match made.and_then(|()| take(&path)) {
            Ok(Some(lock)) => lock,
            other => {
                for folder in &above {
                    let _ = fs::remove_dir(folder); // the first error is the one to report
                }
                return other.map(|_| None);
            }
        };
        all.push(Unfinished { path: path.clone(), above });
        drop(all);
        let partial = Partial { path, _lock: lock };
        // checked again: only the owner of the lock gives this name
        if fs::symlink_metadata(place).is_ok() {
            return Err(io::Error::new(ErrorKind::AlreadyExists, "it already exists and is not overwritten"));
        }
        Ok(Some(partial))
    }

    /// The temporary path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its final name, replacing a file of that name. The names of folders that were created for it go to the disk.
    ///
    /// # Errors
    /// If it cannot be renamed; then it is removed.
    pub fn rename(self, place: impl AsRef<Path>) -> io::Result<()> {
        let place = place.as_ref();
        let mut all = unfinished();
        fs::rename(&self.path, place)?;
        let place = all.iter().position(|unfinished| unfinished.path == self.path);
        let above = place.map_or(Vec::new(), |place| all.swap_remove(place).above);
        drop(all);
        above.iter().try_for_each(|folder| sync_folder(folder_of(folder)))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        let mut all = unfinished();
        if let Some(k) = all.iter().position(|unfinished| unfinished.path == self.path) {
            all.swap_remove(k).remove();
        }
    }
}

/// Gives a new file the mode of another and, as far as the process may, the owner.
fn take_after(file: &File, old: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let now = file.metadata()?;
        if (now.uid(), now.gid()) != (old.uid(), old.gid()) {
            // without permission the file belongs to the user
            let _ = std::os::unix::fs::fchown(file, Some(old.uid()), Some(old.gid()));
        }
    }
    file.set_permissions(old.permissions())
}

/// Creates a folder, or empties the one that a killed process has left, and locks it; `None` if another process has locked it.
fn take(folder: &Path) -> io::Result<Option<FolderLock>> {
    let mut looks = 0;
    loop {
        let made = match fs::create_dir(folder) {
            Ok(()) => true,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
            Err(error) => return Err(error),
        };
        let lock = match lock_folder(folder) {
            Ok(Some(lock)) if made || lock.0.is_some() => lock,
            Ok(_) if looks == 3 => return Ok(None), // locked, or its process may be alive
            Ok(_) => {
                looks += 1; // it may be locked by a process that checks whether it is a leftover
                thread::sleep(Duration::from_millis(5));
                continue;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => continue, // it has been renamed meanwhile
            Err(error) => return Err(error),
        };
        if lock.0.as_ref().is_none_or(|lock| is_at(lock, folder)) {
            return empty(folder).map(|()| Some(lock));
        }
    }
}

/// Removes the contents of a folder.
fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())
        } else {
            fs::remove_file(entry.path())
        }?;
    }
    Ok(())
}

/// Removes the unfinished files and folders of killed processes in a folder; those of living processes are kept.
pub fn remove_stale(folder: impl AsRef<Path>) {
    let folder = folder.as_ref();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let number =
            name.to_str().and_then(|name| name.strip_prefix(".surprisal-")?.strip_suffix(".partial"));
        let ours = number.is_some_and(|n| n.len() == 16 && n.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let path = entry.path();
        let file = match entry.file_type() {
            Ok(kind) if ours && kind.is_file() => File::open(&path).ok(),
            Ok(kind) if ours && kind.is_dir() => open_folder(&path).ok().flatten(),
            _ => None,
        };
        if file.is_some_and(|file| is_free(&file) && is_at(&file, &path)) {
            Unfinished { path, above: Vec::new() }.remove();
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    struct Folder(PathBuf);
    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("surprisal-files-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }
        fn names(&self) -> Vec<String> {
            let names = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name());
            let mut names = Vec::from_iter(names.map(|name| name.into_string().unwrap()));
            names.sort();
            names
        }
    }
    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_keeps_its_mode_and_a_new_one_has_the_usual_one() {
        let folder = Folder::new("modes");
        let path = folder.0.join("x");
        write_atomically(&path, b"1").unwrap();
        fs::write(folder.0.join("usual"), b"").unwrap();
        let mode = |name: &str| folder.0.join(name).metadata().unwrap().mode() & 0o7777;
        assert_eq!(mode("x"), mode("usual"));
        for kept in [0o600, 0o640, 0o604, 0o666, 0o755] {
            fs::set_permissions(&path, fs::Permissions::from_mode(kept)).unwrap();
            for write in [write_atomically, write_unsynced] {
                write(&path, b"22").unwrap();
                assert_eq!((mode("x"), fs::read(&path).unwrap()), (kept, b"22".to_vec()));
            }
        }
        assert_eq!(folder.names(), ["usual", "x"]);
    }

    #[test]
    fn only_regular_files_that_may_be_written_are_replaced() {
        let folder = Folder::new("kinds");
        let at = |name: &str| folder.0.join(name);
        fs::write(at("precious"), "precious").unwrap();
        symlink("precious", at("link")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        fs::write(at("protected"), "protected").unwrap();
        fs::set_permissions(at("protected"), fs::Permissions::from_mode(0o444)).unwrap();
        let before = folder.names();
        for (name, message) in [
            ("link", "it is a symbolic link | name a regular file"),
            ("dangling", "it is a symbolic link | name a regular file"),
            ("folder", "it is a folder | name a file in it"),
            ("socket", "it is a device, a pipe or a socket | name a regular file"),
            ("pipe", "it is a device, a pipe or a socket | name a regular file"),
            ("protected", "it is write-protected | change its permissions, or write elsewhere"),
            ("..", "it is a folder | name a file in it"),
            ("nowhere/..", "this is not the name of a file | name a regular file"),
        ] {
            let path = at(name);
            let error = write_atomically(&path, b"new").unwrap_err();
            assert_eq!(cannot_write(&path, &error), format!("{}: cannot write: {message}", path.display()));
        }
        assert_eq!(folder.names(), before);
        assert!(at("pipe").metadata().unwrap().file_type().is_fifo());
        assert!(at("link").symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read(at("precious")).unwrap(), b"precious");
        assert_eq!(fs::read(at("protected")).unwrap(), b"protected");
    }

    #[test]
    fn a_message_names_the_file_that_was_asked_for_and_what_to_do() {
        let folder = Folder::new("messages");
        fs::write(folder.0.join("file"), "").unwrap();
        let advice_for = |name: &str| {
            let path = folder.0.join(name);
            let message = cannot_write(&path, &write_atomically(&path, b"new").unwrap_err());
            assert!(message.starts_with(&format!("{}: cannot write: ", path.display())), "{message}");
            message.split_once(" | ").unwrap().1.to_string()
        };
        let nowhere = folder.0.join("nowhere");
        assert_eq!(
            advice_for("nowhere/x"),
            format!("there is no folder {}: make it first, or write elsewhere", nowhere.display())
        );
        assert_eq!(advice_for("file/x"), "a part of its path is a file: write elsewhere");
        assert_eq!(advice_for(&"x".repeat(256)), "choose a shorter name");
        write_atomically(folder.0.join("x".repeat(255)), b"new").unwrap();
        assert_eq!(
            advice("a/x", &io::Error::from_raw_os_error(13)),
            "change the permissions of the folder a, or write elsewhere"
        );
        for (kind, expected) in [
            (ErrorKind::StorageFull, "make room, or write elsewhere"),
            (ErrorKind::QuotaExceeded, "make room, or write elsewhere"),
            (ErrorKind::PermissionDenied, "change its permissions, or write elsewhere"),
            (ErrorKind::ReadOnlyFilesystem, "this disk can only be read: write elsewhere"),
        ] {
            assert_eq!(advice(folder.0.join("x"), &kind.into()), expected);
        }
    }

    #[test]
    fn what_another_process_writes_stays_and_what_a_killed_one_left_goes() {
        let folder = Folder::new("stale");
        let others = [".z.csv.1.0.partial", ".surprisal-1.partial", ".surprisal-00000000000000zz.partial"];
        for name in others {
            fs::write(folder.0.join(name), "somebody's").unwrap();
        }
        symlink("nowhere", folder.0.join(".surprisal-0000000000000001.partial")).unwrap();
        fs::write(folder.0.join(".surprisal-0000000000000002.partial"), "left").unwrap();
        fs::create_dir_all(folder.0.join(".surprisal-0000000000000003.partial/deep")).unwrap();
        let (living, _file) = Partial::file(&folder.0, None).unwrap();
        let begun = Partial::folder(folder.0.join("run")).unwrap().unwrap();
        let kept =
            [living.path(), begun.path()].map(|path| path.file_name().unwrap().to_str().unwrap().to_string());
        remove_stale(&folder.0);
        let expected =
            others.map(String::from).into_iter().chain([".surprisal-0000000000000001.partial".into()]);
        let mut expected = Vec::from_iter(expected.chain(kept));
        expected.sort();
        assert_eq!(folder.names(), expected);
        drop((living, begun));
        assert_eq!(folder.names().len(), 4);
    }

    #[test]
    fn a_folder_is_begun_by_one_process_and_what_a_killed_one_left_is_used_again() {
        let folder = Folder::new("folders");
        let place = folder.0.join("a/b/run");
        let begun = Partial::folder(&place).unwrap().unwrap();
        assert!(Partial::folder(&place).unwrap().is_none());
        let path = begun.path().to_path_buf();
        drop(begun);
        assert!(folder.names().is_empty(), "folders that were made for it have stayed");

        fs::create_dir_all(path.join("deep")).unwrap(); // as a killed process leaves it
        fs::write(path.join("half"), "half").unwrap();
        let begun = Partial::folder(&place).unwrap().unwrap();
        assert_eq!(begun.path(), path);
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
        begun.rename(&place).unwrap();
        assert_eq!(Partial::folder(&place).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_dir(folder.0.join("a/b")).unwrap().count(), 1);
        assert_eq!(Partial::folder(folder.0.join("a/..")).unwrap_err().kind(), ErrorKind::InvalidInput);
    }

    #[test]
    fn the_same_file_is_known_by_any_name() {
        let folder = Folder::new("same");
        let at = |name: &str| folder.0.join(name);
        fs::write(at("a"), "").unwrap();
        fs::write(at("b"), "").unwrap();
        fs::hard_link(at("a"), at("hard")).unwrap();
        symlink("a", at("soft")).unwrap();
        for (other, same) in
            [("a", true), ("hard", true), ("soft", true), ("./a", true), ("b", false), ("no", false)]
        {
            assert_eq!(same_file(at("a"), at(other)), same, "{other}");
        }
        assert!(!same_file(at("no"), at("no")));
    }
}
