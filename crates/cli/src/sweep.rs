//! `surprisal sweep`

use std::path::{Path, PathBuf};

use clap::Args;
use surprisal_run::report::REPORT;
use surprisal_run::{Part, Plan, Share, Sweep, Swept, Vary, merge_sweep, sweep, sweep_part};

use crate::progress::Bars;
use crate::ranks::Ranks;
use crate::setting_options::SettingOptions;
use crate::{Failure, signals};

#[derive(Args)]
#[command(after_help = "\
Values are separated by commas, or by | if they contain commas: --vary 'schedule=constant|step:every=10,factor=0.5'.
With --random, values can be drawn from a range, --vary lr=0.001..1: uniformly, or log-uniformly for lr, weight_decay,
l1, l2, eps, clip_norm and clip_value above 0. For integer settings, integers are drawn.

The point with the best monitored metric (--monitor) on the validation set is the best. After Ctrl-C or a power failure,
the same command with the same --out resumes the sweep.

The runs can be spread over processes or machines that share a folder: --part 1/4 to --part 4/4, each with the same other
options, and then surprisal sweep --merge DIR. A program with MPI spreads them itself: mpirun -n 4 surprisal sweep ..")]
pub struct Options {
    #[command(flatten)]
    settings: SettingOptions,
    /// A setting and its values to try; may be given several times
    #[arg(long, value_name = "SETTING=VALUES", required = true)]
    vary: Vec<Vary>,
    /// Random search: draw this many points instead of trying every combination
    #[arg(long, value_name = "N")]
    random: Option<usize>,
    /// Number of runs of each point, with seeds counted up from --seed
    #[arg(long, value_name = "K", default_value_t = 1)]
    seeds: usize,
    /// Choose by cross-validation: cut the rows outside the test set into this many folds, each of which is the validation set of a net once
    #[arg(long, value_name = "N")]
    folds: Option<usize>,
    /// A configuration file in TOML; options override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The output folder; an interrupted sweep in it is resumed
    #[arg(long, value_name = "DIR", default_value = "runs/sweep")]
    out: PathBuf,
    /// Compute only part K of N of the runs, beside the other parts in the same --out: run k, counted from 0, belongs to part (k mod N) + 1. Repeated, it resumes
    #[arg(long, value_name = "K/N")]
    part: Option<Part>,
    /// Merge the parts in this folder: write the results of all runs to it, as one process would
    #[arg(long, value_name = "DIR", exclusive = true)]
    merge: Option<PathBuf>,
}

pub fn run(options: Options) -> Result<(), Failure> {
    let Options { settings, vary, random, seeds, folds, config, out, part, merge } = options;
    if let Some(folder) = merge {
        return Ranks::together(|ranks| ranks.first(|| finished(&merge_sweep(&folder)?, &folder)).map(drop));
    }
    let plan = Plan { vary, random, seeds, folds };
    let interrupted = signals::save_first();
    if let Some(part) = part {
        let settings = settings.over(config.as_deref())?;
        let Share { done, runs } = sweep_part(&settings, &plan, part, &out, interrupted, &Bars::new())?;
        return if done < runs {
            Err(stopped(&out, done, runs))
        } else {
            crate::part_finished("sweep", part, runs, &out)
        };
    }
    Ranks::together(|ranks| {
        let (settings, bars) = (settings.over(config.as_deref()), Bars::new());
        let settings = ranks.agree(settings.map_err(Failure::from))?;
        let swept = sweep(&settings, &plan, &out, interrupted, ranks.progress(&bars), ranks.group());
        let swept = ranks.agree(swept.map_err(Failure::from))?;
        let told = ranks.first(|| match swept {
            Swept::Interrupted { done, runs } => Err(stopped(&out, done, runs)),
            Swept::Finished(sweep) => finished(&sweep, &out),
        });
        told.map(drop)
    })
}

fn finished(sweep: &Sweep, out: &Path) -> Result<(), Failure> {
    note!("the runs and the best settings: {}", out.display());
    note!("the report: {}", out.join(REPORT).display());
    note!("to train with the best settings: surprisal train --config {}", out.join("best.toml").display());
    crate::tell(&sweep.to_text())
}

fn stopped(out: &Path, done: usize, runs: usize) -> Failure {
    let message = format!(
        "interrupted after {done} of {runs} runs, which are kept | to resume, repeat the command with --out {}",
        out.display()
    );
    Failure { message, code: signals::exit_code() }
}
