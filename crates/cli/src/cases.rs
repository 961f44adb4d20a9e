//! What `loss` and `op` share: cases are read and evaluated, files are checked, everything is listed.

pub mod check;
pub mod list;

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use clap::ValueEnum;
use serde_json::Value;
use surprisal_loss::vectors::{self, Case, CaseError, F32, F64, JsonError, Outcome, Precision};

use crate::Failure;

#[derive(Clone, Copy, ValueEnum)]
pub enum Dtype {
    F32,
    F64,
}

impl Dtype {
    pub fn precision(self) -> Precision {
        match self {
            Dtype::F32 => F32,
            Dtype::F64 => F64,
        }
    }
}

/// Prints a line for every case: what one of the two functions gives.
pub fn evaluate(
    file: Option<&Path>,
    dtype: Dtype,
    in_f32: impl Fn(&Case) -> Result<Outcome<f32>, CaseError>,
    in_f64: impl Fn(&Case) -> Result<Outcome<f64>, CaseError>,
) -> Result<(), Failure> {
    let (place, document) = read(file).map_err(Failure::run)?;
    let cases = vectors::cases(&document).map_err(|error| Failure::run(format!("{place}: {error}")))?;
    drop(document); // it may be large
    let (all, mut failed) = (cases.len(), 0);
    for (name, case) in cases {
        let line = case.and_then(|case| {
            Ok(match dtype {
                Dtype::F32 => vectors::to_json(&name, &in_f32(&case)?),
                Dtype::F64 => vectors::to_json(&name, &in_f64(&case)?),
            })
        });
        let line = line.unwrap_or_else(|CaseError(error)| {
            failed += 1;
            format!("{{\"name\": {}, \"error\": {}}}", Value::from(name), Value::from(error))
        });
        if !crate::tell_json(&(line + "\n"))? {
            break;
        }
    }
    if failed > 0 {
        return Err(Failure::run(format!("{failed} of {all} cases could not be evaluated")));
    }
    Ok(())
}

/// The name of the file in messages, and its contents.
fn read(file: Option<&Path>) -> Result<(String, Value), String> {
    let place = file.map_or("standard input".into(), |file| file.display().to_string());
    let mut bytes = vec![];
    let result = match file {
        Some(file) => fs::File::open(file).and_then(|mut file| file.read_to_end(&mut bytes)),
        None => io::stdin().lock().read_to_end(&mut bytes),
    };
    result.map_err(|error| format!("{place}: cannot read: {error}"))?;
    let document = vectors::parse(&bytes).map_err(|JsonError { line, column, told }| {
        format!("{place}, line {line}, column {column}: {told}")
    })?;
    Ok((place, document))
}

/// The message that there is nothing of that name, with the nearest.
pub fn unknown(command: &str, name: &str, known: impl Iterator<Item = &'static str>) -> String {
    let noun = if command == "op" { "operation" } else { command };
    let near = surprisal_settings::nearest(name, known).join(" or ");
    let meant = if near.is_empty() { near } else { format!(" (did you mean {near}?)") };
    let name = surprisal_settings::quoted(name);
    format!("there is no {noun} {name}{meant}; `surprisal {command} --list` shows all")
}
