//! `surprisal sweep`

use std::path::{Path, PathBuf};

use clap::Args;
use surprisal_run::report::REPORT;
use surprisal_run::{Plan, Settings, Swept, Vary, sweep};

use crate::progress::Bars;
use crate::setting_options::SettingOptions;
use crate::{Failure, signals};

#[derive(Args)]
#[command(after_help = "\
Values are separated by commas, or by | if they contain commas: --vary 'schedule=constant|step:every=10,factor=0.5'.
With --random a range may stand for the values, --vary lr=0.001..1, from which whole numbers are drawn for a setting of
whole numbers; evenly, or for lr, weight_decay, l1, l2, eps, clip_norm and clip_value above 0 evenly in the logarithm.

The validation part decides which point is the best, by --watch (the loss, if nothing is told). After Ctrl-C, or a fall
of the power, the same command with the same --out goes on.")]
pub struct Options {
    #[command(flatten)]
    settings: SettingOptions,
    /// A setting and the values to try; may be given several times
    #[arg(long, value_name = "SETTING=VALUES", required = true)]
    vary: Vec<Vary>,
    /// Draw so many points instead of trying every combination
    #[arg(long, value_name = "N")]
    random: Option<usize>,
    /// Runs of each point, with the seed, the seed + 1, ..
    #[arg(long, value_name = "K", default_value_t = 1)]
    seeds: usize,
    /// A file of settings, in TOML; options take their place
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder to write to, or to go on in
    #[arg(long, value_name = "DIR", default_value = "runs/sweep")]
    out: PathBuf,
}

pub fn run(options: Options) -> Result<(), Failure> {
    let Options { settings: SettingOptions(told), vary, random, seeds, config, out } = options;
    let interrupted = signals::save_first();
    let settings = match &config {
        Some(path) => Settings::read(path)?.and(&told),
        None => told,
    };
    match sweep(&settings, &Plan { vary, random, seeds }, &out, interrupted, &Bars::new())? {
        Swept::Interrupted { done, runs } => Err(stopped(&out, done, runs)),
        Swept::Finished(sweep) => {
            note!("the runs, the best settings: {}", out.display());
            note!("the page with the picture: {}", out.join(REPORT).display());
            note!(
                "to train with the best settings: surprisal train --config {}",
                out.join("best.toml").display()
            );
            crate::tell(&sweep.to_text())
        }
    }
}

fn stopped(out: &Path, done: usize, runs: usize) -> Failure {
    let message = format!(
        "interrupted after {done} of {runs} runs, which are kept | to go on: the same command again, with --out {}",
        out.display()
    );
    Failure { message, code: signals::exit_code() }
}
