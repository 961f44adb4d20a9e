//! `surprisal lab replay`

use std::path::{Path, PathBuf};

use clap::Args;
use surprisal_replay::{Agreement, Mismatch, Reference};
use surprisal_report::text::for_screen;

use crate::Failure;

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Options {
    /// A reference experiment, as JSON; with --check also several
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The folder of the data files that FILE names [default: the folder of FILE]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Compare the numbers with those expected, instead of printing them
    #[arg(long)]
    check: bool,
}

const EXAMPLES: &str = r#"Examples:
  surprisal lab replay crates/replay/tests/vectors/metrics_ece.json
      {"bins":[..],"brier":0.23535,"ece":0.17375,"mce":0.355}
  surprisal lab replay --check crates/replay/tests/vectors/[!d]*.json

A file contains a "setting", whose "kind" determines what is computed; the output is one JSON object. For --check the file
also contains the "expected" numbers and a "tolerance", {"rtol": .., "atol": ..}: a number x holds if
|x - expected| <= rtol |expected| + atol, and all else if it is the same. The exit code is 1 where something does not."#;

pub fn run(options: Options) -> Result<(), Failure> {
    let Options { files, data, check } = options;
    match &files[..] {
        _ if check => hold(&files, data.as_deref()),
        [file] => {
            let reference = Reference::read(file).map_err(Failure::run)?;
            let numbers = reference.replay(data.as_deref()).map_err(Failure::run)?;
            crate::tell_json(&format!("{numbers}\n")).map(drop)
        }
        several => {
            let message = format!("{} files: expected one file, or --check with several", several.len());
            Err(Failure::usage(message))
        }
    }
}

/// Compares each file and prints a line for it; a file that does not match does not stop the others.
fn hold(files: &[PathBuf], data: Option<&Path>) -> Result<(), Failure> {
    let mut failed = 0;
    for file in files {
        if let Err(message) = hold_one(file, data)? {
            failed += 1;
            note!("error: {}", for_screen(&message));
        }
    }
    if failed > 0 {
        return Err(Failure::run(format!(
            "{failed} of {} files are not within their tolerance",
            files.len()
        )));
    }
    Ok(())
}

/// The inner error is about the file.
fn hold_one(file: &Path, data: Option<&Path>) -> Result<Result<(), String>, Failure> {
    let name = file.display();
    let read = Reference::read(file).and_then(|reference| Ok((reference.replay(data)?, reference)));
    let (found, reference) = match read {
        Ok(read) => read,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let held = reference.compare(&found);
    let (ratio, at) = match &held {
        Ok(Agreement { ratio, at, .. }) | Err(Mismatch { ratio, at, .. }) => (*ratio, at),
    };
    if ratio.is_finite() {
        let place = if at.is_empty() { String::new() } else { format!(", at {at}") };
        let line = format!("{name}: worst ratio {ratio:.1e} of the tolerance{place}");
        crate::tell(&format!("{}\n", for_screen(&line)))?;
    }
    Ok(held.map(drop).map_err(|mismatch| format!("{name}: {mismatch}")))
}
