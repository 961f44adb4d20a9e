//! The command, run in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// A folder of this test's own, removed in the end.
pub struct Folder(pub PathBuf);
impl Folder {
    pub fn new(name: &str) -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("surprisal-cli-{name}-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), content).unwrap();
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Every file and folder below this one.
pub fn tree(folder: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            paths.extend(tree(&path));
        }
        paths.push(path);
    }
    paths.sort();
    paths
}

/// Standard output of a command that must succeed.
#[track_caller]
pub fn works(folder: &Path, arguments: &[&str]) -> String {
    let output = surprisal(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Exit code and message of a command that must fail in a folder that stays as it is.
#[track_caller]
pub fn refuses(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let before = tree(folder);
    let output = surprisal(folder, arguments);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{arguments:?}");
    assert_eq!(tree(folder), before, "{arguments:?} left something behind");
    let stderr = String::from_utf8(output.stderr).unwrap();
    let error = stderr.find("error: ").map_or("", |at| &stderr[at + 7..]);
    (output.status.code().unwrap_or_else(|| panic!("{arguments:?}: {stderr}")), error.trim_end().to_string())
}

/// The words of a command, in which '..' is one word.
pub fn words(command: &str) -> Vec<&str> {
    let parts = command.split('\'').enumerate();
    parts
        .flat_map(|(k, part)| if k % 2 == 1 { vec![part] } else { part.split_whitespace().collect() })
        .collect()
}

pub fn surprisal(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_surprisal")).args(arguments).current_dir(folder).output().unwrap()
}

/// Exit code and standard error of a command that must fail and write nothing.
pub fn fails(arguments: &[&str]) -> (i32, String) {
    let name: String = arguments.join("").replace(['/', ' '], "").chars().take(60).collect();
    let folder = Folder::new(&format!("fails-{name}"));
    let output = surprisal(&folder.0, arguments);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{arguments:?}");
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0, "{arguments:?} left something behind");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// Writes a table of 60 houses, whose price is nearly a line in area and rooms.
pub fn houses(folder: &Path) {
    let mut table = String::from("area,rooms,price\n");
    for row in 0..60 {
        let (area, rooms) = (40 + 7 * row % 130, 1 + row % 5);
        table +=
            &format!("{area},{rooms},{}\n", 50_000 + 2_000 * area + 9_000 * rooms + (row * 37 % 11) * 500);
    }
    fs::write(folder.join("houses.csv"), table).unwrap();
}
