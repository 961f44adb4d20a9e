//! `surprisal loss`

mod check;
mod list;
mod plot;

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::Value;
use surprisal_loss::by_name::{self, Entry};
use surprisal_loss::vectors::{self, CaseError, F32, F64, JsonError, Precision};

use crate::Failure;

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Options {
    /// The name of the loss (see --list)
    #[arg(required_unless_present_any = ["list", "check"], conflicts_with_all = ["list", "check"])]
    name: Option<String>,
    /// The inputs, as JSON [default: standard input]
    file: Option<PathBuf>,
    /// The number type [default: f64; both with --check]
    #[arg(long, value_enum, value_name = "TYPE", conflicts_with_all = ["list", "plot"])]
    dtype: Option<Dtype>,
    /// List every loss with its formula, its inputs and its options
    #[arg(long, conflicts_with_all = ["file", "check", "plot"])]
    list: bool,
    /// Compare the results with the expected results in files, within their error budgets
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "plot")]
    check: Vec<PathBuf>,
    /// Draw the loss and its gradient
    #[arg(long, value_name = "FILE.svg", conflicts_with = "file")]
    plot: Option<PathBuf>,
}

const EXAMPLES: &str = r#"Examples:
  echo '{"inputs": {"logits": [[2, -1]], "targets": [1]}}' | surprisal loss softmax_cross_entropy
      {"name": "case 0", "value": 3.048587351573742, "grad": {"logits": [[0.9525.., -0.9525..]]}}
  surprisal loss huber_loss cases.json --dtype f32
  surprisal loss --list
  surprisal loss --check crates/loss/tests/vectors/*.json
  surprisal loss half_squared_error --plot picture.svg

A file contains one case, {"inputs": {name: array}, "options": {name: value}}, or several, {"cases": [case, ..]}; a
case may have a "name". Arrays are nested lists of numbers, "inf", "-inf" and "nan". Unknown inputs and options are
errors; other keys of a case are ignored.

The output has one line for each case: the value, and the gradient of the sum of all outputs, or of
sum(grad_output * output) if the inputs contain "grad_output". If a case cannot be evaluated, its line contains the
reason, and the exit code is 1.

With --check, a file also contains the name of its "loss", and each case its results, "expected": {"value": ..,
"grad": {..}, "budget": {"value": .., "grad": {..}}}. A number x passes if |x - expected| <= 4 u budget + tiny:
u = 2^-24, tiny = 2^-140 in f32; u = 2^-53, tiny = 2^-1064 in f64."#;

#[derive(Clone, Copy, ValueEnum)]
enum Dtype {
    F32,
    F64,
}

impl Dtype {
    fn precision(self) -> Precision {
        match self {
            Dtype::F32 => F32,
            Dtype::F64 => F64,
        }
    }
}

pub fn run(options: Options) -> Result<(), Failure> {
    let Options { name, file, dtype, list, check, plot } = options;
    let Some(name) = name else {
        return if list {
            crate::tell(&list::table())
        } else {
            check::run(&check, dtype.map(Dtype::precision))
        };
    };
    let entry = find(&name).map_err(Failure::usage)?;
    match plot {
        Some(path) => plot::write(entry, &path),
        None => evaluate(entry, file.as_deref(), dtype.unwrap_or(Dtype::F64)),
    }
}

/// Prints a line for every case.
fn evaluate(entry: &Entry, file: Option<&Path>, dtype: Dtype) -> Result<(), Failure> {
    let (place, document) = read(file).map_err(Failure::run)?;
    let cases = vectors::cases(&document).map_err(|error| Failure::run(format!("{place}: {error}")))?;
    drop(document); // it may be large
    let (all, mut failed) = (cases.len(), 0);
    for (name, case) in cases {
        let line = case.and_then(|case| {
            Ok(match dtype {
                Dtype::F32 => vectors::to_json(&name, &case.evaluate::<f32>(entry)?),
                Dtype::F64 => vectors::to_json(&name, &case.evaluate::<f64>(entry)?),
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

/// The loss of that name, or a message.
fn find(name: &str) -> Result<&'static Entry, String> {
    by_name::find(name).ok_or_else(|| {
        let near =
            surprisal_settings::nearest(name, by_name::ALL.iter().map(|entry| entry.card.name)).join(" or ");
        let meant = if near.is_empty() { near } else { format!(" (did you mean {near}?)") };
        format!("there is no loss {}{meant}; `surprisal loss --list` shows all", by_name::quoted(name))
    })
}
