//! `surprisal op`

use std::path::PathBuf;

use clap::Args;
use surprisal_replay::{Operation, find_operation, operations};

use crate::Failure;
use crate::cases::{self, Dtype, check, list};

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Options {
    /// The name of the operation (see --list)
    #[arg(required_unless_present_any = ["list", "check"], conflicts_with_all = ["list", "check"])]
    name: Option<String>,
    /// The inputs, as JSON [default: standard input]
    file: Option<PathBuf>,
    /// The number type [default: f64; both with --check]
    #[arg(long, value_enum, value_name = "TYPE", conflicts_with = "list")]
    dtype: Option<Dtype>,
    /// List every operation with its formula, its inputs and its options
    #[arg(long, conflicts_with_all = ["file", "check"])]
    list: bool,
    /// Compare the results with the expected results in files, within their tolerance
    #[arg(long, value_name = "FILE", num_args = 1..)]
    check: Vec<PathBuf>,
}

const EXAMPLES: &str = r#"Examples:
  echo '{"inputs": {"x": [1, 2, 3]}, "grad_output": 10}' | surprisal op sum
      {"name": "case 0", "value": 6.0, "grad": {"x": [10.0, 10.0, 10.0]}}
  surprisal op conv2d cases.json --dtype f32
  surprisal op --list
  surprisal op --check crates/replay/tests/operations/*.json

A file contains one case, {"inputs": {name: array}, "options": {name: value}, "grad_output": array}, or several,
{"cases": [case, ..]}; a case may have a "name". Arrays are nested lists of numbers, "inf", "-inf" and "nan"; images are
[N, C, H, W]. Options with two lengths are [along H, along W], or one number for both. Unknown inputs and options are
errors; other keys of a case are ignored.

The output has one line for each case: the value, and the gradient of sum(grad_output * value), in which grad_output is 1
everywhere if it is not given. If a case cannot be evaluated, its line contains the reason, and the exit code is 1.

With --check, a file also contains the name of its "op", and each case its results, "expected": {"value": .., "grad": {..}},
and for each of these arrays "size": {"value": {"terms": n, "scale": s}, "grad": {input: {..}}}. A number x passes if
|x - expected| <= 1e-11 scale in f64, 2^-24 (terms + 8) scale in f32."#;

pub fn run(options: Options) -> Result<(), Failure> {
    let Options { name, file, dtype, list, check } = options;
    let Some(name) = name else {
        return if list {
            crate::tell(&list::table(operations().map(described)))
        } else {
            check::run(
                &check,
                dtype.map(Dtype::precision),
                ("op", "its operation"),
                |name, document, precision| {
                    find(name)?.check_document(document, precision).map_err(|error| error.to_string())
                },
            )
        };
    };
    let operation = find(&name).map_err(Failure::usage)?;
    cases::evaluate(
        file.as_deref(),
        dtype.unwrap_or(Dtype::F64),
        |case| operation.evaluate::<f32>(case),
        |case| operation.evaluate::<f64>(case),
    )
}

fn find(name: &str) -> Result<Operation, String> {
    find_operation(name)
        .ok_or_else(|| cases::unknown("op", name, operations().map(|operation| operation.name)))
}

fn described(operation: Operation) -> list::Described {
    let about = |optional| if optional { "may be left out" } else { "" };
    let inputs = operation.inputs.iter();
    list::Described {
        name: operation.name,
        forward: operation.forward,
        backward: operation.backward,
        inputs: inputs.map(|x| (x.name.into(), x.differentiable, about(x.optional).into())).collect(),
        options: operation.options,
    }
}
