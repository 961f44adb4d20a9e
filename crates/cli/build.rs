//! Includes the page of `surprisal play` if the environment variable `SURPRISAL_PLAYGROUND` names it; `just playground` sets it.

#[path = "src/play/page.rs"]
mod page;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

const VARIABLE: &str = "SURPRISAL_PLAYGROUND";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/play/page.rs");
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    match write() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            println!("cargo::error={message}");
            ExitCode::FAILURE
        }
    }
}

/// Writes what `src/play/mod.rs` includes: an expression of the type `Option<&[u8]>`, and the page beside it.
fn write() -> Result<(), String> {
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let expression = match env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        None => "None",
        Some(path) => {
            put(&folder.join("playground.html"), &read(Path::new(&path))?)?;
            "Some(include_bytes!(concat!(env!(\"OUT_DIR\"), \"/playground.html\")))"
        }
    };
    put(&folder.join("playground.rs"), expression.as_bytes())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let shown = format!("{VARIABLE}={}", path.display());
    if !path.is_absolute() {
        return Err(format!("{shown}: expected an absolute path of a built page"));
    }
    println!("cargo::rerun-if-changed={}", path.display());
    let page = fs::read(path)
        .map_err(|error| format!("{shown}: cannot read: {error} | crates/playground/build makes the page"))?;
    match page::policy(&page) {
        Some(_) => Ok(page),
        None => Err(format!("{shown}: not a page that crates/playground/build has made")),
    }
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|error| format!("{}: cannot write: {error}", path.display()))
}
