//! The command `surprisal`.

#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)] // tell, print and note write

/// Writes a line to standard error, as `eprintln!` does, but where nobody can read it the work goes on all the same. What could
/// act on a terminal is shown as its number.
macro_rules! note {
    ($($text:tt)*) => {
        $crate::write_note(format!($($text)*))
    };
}

mod cases;
mod check;
mod compare;
mod convert;
mod cv;
mod eval;
mod explain;
mod inspect;
mod lab;
mod loss;
mod lr_range;
mod model_options;
#[cfg(feature = "replay")]
mod op;
mod play;
mod predict;
mod progress;
mod ranks;
mod setting_options;
mod signals;
mod sweep;
mod train;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use surprisal_report::files::{cannot_write, folder_of, remove_stale, write_unsynced};
use surprisal_report::folder::FolderError;
use surprisal_report::text::{for_screen, visible, visible_json};
use surprisal_run::{Part, RunError};
use surprisal_tensor::{simd, threads};

const VARIABLES: &str = "\
Environment variables:
  SURPRISAL_MNIST  Folder with the four IDX files of MNIST, for experiments
  SURPRISAL_SIMD   Widest instruction set on x86-64: avx512, avx2 or baseline [default: the widest of the processor]";

/// A small deep-learning framework: compare losses, train small nets, use them.
#[derive(Parser)]
#[command(name = "surprisal", version, arg_required_else_help = true, after_help = VARIABLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train the same models with two losses; print a verdict and write a report with charts.
    Compare(compare::Options),
    /// Train a net on your data or on included data, and save it.
    Train(train::Options),
    /// Cross-validation: train a net for each fold, so that every row is tested once.
    Cv(cv::Options),
    /// Train with many settings, each with several seeds, and rank them on validation rows.
    Sweep(sweep::Options),
    /// Learning rate range test: raise the learning rate step by step, and suggest a good one.
    LrRange(lr_range::Options),
    /// Check a net and its data before training: five checks, each with the expected and the measured values, and advice.
    Check(check::Options),
    /// Predict the targets of rows with a saved net.
    Predict(predict::Options),
    /// Evaluate a saved net on rows with known targets: metrics, a classification report, the confusion matrix.
    Eval(eval::Options),
    /// Show the contents of a file: a model, a checkpoint, parameters of PyTorch or NumPy.
    Inspect(inspect::Options),
    /// Convert a net's parameters to PyTorch or NumPy, and back.
    Convert(convert::Options),
    /// Show the forward and backward pass of a formula or a net: every number, a picture, a page to step through.
    Explain(explain::Options),
    /// Evaluate a loss and its gradient; list all losses, check or draw one.
    Loss(loss::Options),
    /// Evaluate an operation of the tape and its gradient; list all operations, or check one.
    #[cfg(feature = "replay")]
    Op(op::Options),
    /// Show the playground: a page in your browser on which two losses train the same net, step by step.
    Play(play::Options),
    /// Falsifiable experiments on losses: list, run or replay them.
    #[command(subcommand)]
    Lab(lab::Lab),
}

/// Why a command failed. The exit code is 2 where the command line is wrong (clap's own errors
/// too), 1 where a file or the run is.
struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    fn usage(error: impl Display) -> Failure {
        Failure { message: error.to_string(), code: 2 }
    }
    fn run(error: impl Display) -> Failure {
        Failure { message: error.to_string(), code: 1 }
    }
    /// That another process reports.
    fn silent(code: u8) -> Failure {
        Failure { message: String::new(), code }
    }
    /// Reports it, so that what is left is the exit code.
    fn reported(self) -> Failure {
        if !self.message.is_empty() {
            note!("error: {}", for_screen(&self.message));
        }
        Failure::silent(self.code)
    }
    /// The same, and the options of the settings that help.
    fn with_options(mut self, settings: &[&str]) -> Failure {
        let options: Vec<_> = settings.iter().map(|name| format!("--{}", name.replace('_', "-"))).collect();
        self.message += match options.len() {
            0 => "",
            1 => " | option: ",
            _ => " | options: ",
        };
        self.message += &options.join(", ");
        self
    }
}

/// Writes to standard output; a closed pipe is not an error. Control characters are shown as numbers.
fn tell(text: &str) -> Result<(), Failure> {
    print(&visible(text)).map(drop)
}

/// The same for lines of JSON; returns whether the pipe is still open.
fn tell_json(lines: &str) -> Result<bool, Failure> {
    print(&visible_json(lines))
}

/// The same for data that other programs read: as they are, unless they go to a terminal.
fn tell_data(data: &str) -> Result<(), Failure> {
    if io::stdout().is_terminal() { tell(data) } else { print(data).map(drop) }
}

/// Writes an output file atomically.
fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    remove_stale(folder_of(path));
    write_unsynced(path, bytes).map_err(|error| Failure::run(cannot_write(path, &error)))
}

/// Reports that a part of a computation has finished, and how to merge the parts.
fn part_finished(command: &str, part: Part, runs: usize, out: &Path) -> Result<(), Failure> {
    note!("when all parts have finished: surprisal {command} --merge {}", out.display());
    tell(&format!("{part} has finished: {runs} runs\n"))
}

/// See [`note!`].
fn write_note(text: String) {
    let _ = io::stderr().lock().write_all(visible(&(text + "\n")).as_bytes());
}

fn print(text: &str) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    printed(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

fn printed(outcome: io::Result<()>) -> Result<bool, Failure> {
    match outcome {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::run(format!("standard output: cannot write: {error}"))),
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let code = match error {
            RunError::Usage(_) => 2,
            RunError::Run(_) => 1,
        };
        Failure { message: error.to_string(), code }.with_options(error.message().settings)
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        Failure::run(&error).with_options(if error.is_about_the_path() { &["out"] } else { &[] })
    }
}

/// The arguments, those of `explain` with a blank before a formula that begins with minus: it is not an option.
fn arguments(given: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments = Vec::from_iter(given);
    if arguments.get(1).is_some_and(|command| command == "explain") {
        for argument in &mut arguments[2..] {
            let text = argument.to_string_lossy();
            let formula = text.strip_prefix('-').is_some_and(|rest| {
                !rest.starts_with('-') && rest.contains(char::is_alphabetic) && !["h", "V"].contains(&rest)
            });
            if formula {
                *argument = format!(" {text}").into();
            }
        }
    }
    arguments
}

fn main() -> ExitCode {
    let outcome = match Cli::try_parse_from(arguments(std::env::args_os())) {
        Ok(cli) => run(cli.command),
        Err(wrong) if wrong.use_stderr() => {
            note!("{}", for_screen(wrong.to_string().trim_end()));
            return ExitCode::from(2);
        }
        Err(help) => printed(help.print().and_then(|()| io::stdout().flush())).map(drop),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ExitCode::from(failure.reported().code),
    }
}

fn run(command: Command) -> Result<(), Failure> {
    simd::instruction_set().map_err(Failure::usage)?;
    signals::install()?;
    match command {
        Command::Compare(options) => compare::run(options),
        Command::Train(options) => threads::within(|| train::run(options)),
        Command::Cv(options) => cv::run(options),
        Command::Sweep(options) => sweep::run(options),
        Command::LrRange(options) => threads::within(|| lr_range::run(options)),
        Command::Check(options) => threads::within(|| check::run(options)),
        Command::Predict(options) => threads::within(|| predict::run(options)),
        Command::Eval(options) => threads::within(|| eval::run(options)),
        Command::Inspect(options) => inspect::run(options),
        Command::Convert(options) => convert::run(options),
        Command::Explain(options) => explain::run(options),
        Command::Loss(options) => loss::run(options),
        #[cfg(feature = "replay")]
        Command::Op(options) => op::run(options),
        Command::Play(options) => play::run(options),
        Command::Lab(command) => lab::run(command),
    }
}
