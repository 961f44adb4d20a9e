//! The command, run in a folder of its own.
#![allow(dead_code)] // each test file uses some of it

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of this test's own, removed in the end.
pub struct Folder(pub PathBuf);
impl Folder {
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("surprisal-cli-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn surprisal(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_surprisal")).args(arguments).current_dir(folder).output().unwrap()
}

/// Exit code and standard error of a command that must fail and write nothing.
pub fn fails(arguments: &[&str]) -> (i32, String) {
    let folder = Folder::new(&format!("fails-{}", arguments.join("")).replace(['/', ' '], ""));
    let output = surprisal(&folder.0, arguments);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{arguments:?}");
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0, "{arguments:?} left something behind");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}
