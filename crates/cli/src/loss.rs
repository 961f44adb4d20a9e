//! `surprisal loss`

mod plot;

use std::path::PathBuf;

use clap::Args;
use surprisal_loss::by_name::{self, Entry};
use surprisal_loss::vectors;

use crate::Failure;
use crate::cases::{self, Dtype, check, list};

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

pub fn run(options: Options) -> Result<(), Failure> {
    let Options { name, file, dtype, list, check, plot } = options;
    let Some(name) = name else {
        return if list {
            crate::tell(&list::table(by_name::ALL.iter().map(described)))
        } else {
            check::run(
                &check,
                dtype.map(Dtype::precision),
                ("loss", "its loss"),
                |name, document, precision| {
                    let entry = find(name)?;
                    vectors::check_document(entry, document, precision).map_err(|error| error.to_string())
                },
            )
        };
    };
    let entry = find(&name).map_err(Failure::usage)?;
    match plot {
        Some(path) => plot::write(entry, &path),
        None => cases::evaluate(
            file.as_deref(),
            dtype.unwrap_or(Dtype::F64),
            |case| case.evaluate::<f32>(entry),
            |case| case.evaluate::<f64>(entry),
        ),
    }
}

fn described(entry: &Entry) -> list::Described {
    let input = |input: &by_name::Input| (input.name.into(), input.differentiable, input.about.into());
    list::Described {
        name: entry.card.name,
        forward: entry.card.forward,
        backward: entry.card.backward,
        inputs: entry.inputs.iter().map(input).collect(),
        options: entry.options,
    }
}

/// The loss of that name, or a message.
fn find(name: &str) -> Result<&'static Entry, String> {
    by_name::find(name)
        .ok_or_else(|| cases::unknown("loss", name, by_name::ALL.iter().map(|entry| entry.card.name)))
}
