//! `surprisal lab run`

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;
use surprisal_lab::gallery::{self, Commands, Experiment, Journal, LabError, Outcome, Plan};
use surprisal_report::folder::RunFolder;

use crate::Failure;
use crate::play;
use crate::progress::Bars;

#[derive(Args)]
#[command(after_help = "Examples:
  surprisal lab run saturated-neuron
  surprisal lab run only-the-rate --set rates=0.1,1,10 --set cap=500
  surprisal lab run all --quick
  surprisal lab run saturated-neuron --setting runs/saturated-neuron-1/setting.json

Results go to a new folder in DIR: report.html, the figures, the numbers as CSV and JSON, the verdicts, and
setting.json, which --setting takes. If a run is interrupted, the same command goes on where it stopped.")]
pub struct Options {
    /// The name of an experiment (see `lab list`), or all
    name: String,
    /// The first seed [default: that of the experiment]
    #[arg(long, allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Number of consecutive seeds [default: that of the experiment]
    #[arg(long, allow_negative_numbers = true)]
    seeds: Option<usize>,
    /// Change a setting of the experiment; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = assignment, allow_hyphen_values = true)]
    set: Vec<(String, String)>,
    /// Read the settings from a file such as setting.json
    #[arg(long, value_name = "FILE")]
    setting: Option<PathBuf>,
    /// The folder in which NAME-1, NAME-2, .. are created
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    /// Fewer epochs and seeds: enough to rank, not for exact numbers
    #[arg(long)]
    quick: bool,
    /// Remove the effect that the claim is about: a verdict must no longer be SUPPORTED
    #[arg(long = "break")]
    broken: bool,
}

/// The command lines on the pages, and where the page of the playground is, if this command has it.
const fn commands(playground: &'static str) -> Commands {
    let playground = if play::INCLUDED.is_some() { Some(playground) } else { None };
    Commands { run: command, entered: ENTERED, set: "--set key=value", play: play::command, playground }
}
const PLAYGROUND: &str = "playground.html";
/// For a reader who has the page and not the program.
pub const ENTERED: &str = "Type it into a terminal; in the folder of the source code, write `cargo run --release --` instead of `surprisal`:";

/// The command line of a plan.
pub fn command(experiment: &Experiment, plan: &Plan) -> String {
    let usual = experiment.plan(plan.quick, false);
    let mut line = format!("surprisal lab run {}", experiment.name);
    line += if plan.quick { " --quick" } else { "" };
    if plan.first_seed != usual.first_seed {
        line += &format!(" --seed {}", plan.first_seed);
    }
    if plan.seeds != usual.seeds {
        line += &format!(" --seeds {}", plan.seeds);
    }
    line.extend(plan.setting.changed(plan.quick).iter().map(|(key, value)| format!(" --set {key}={value}")));
    line + if plan.broken { " --break" } else { "" }
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE, such as eta=0.3")?;
    Ok((key.trim().into(), value.trim().into()))
}

pub fn run(options: Options) -> Result<(), Failure> {
    if options.name == "all" { run_all(&options) } else { run_one(super::find(&options.name)?, &options) }
}

fn run_one(experiment: &'static Experiment, options: &Options) -> Result<(), Failure> {
    let plan = plan(experiment, options)?;
    let (outcome, journal) = outcome(experiment, plan, &options.out)?;
    let mut files = outcome.files(&commands(PLAYGROUND));
    if let (Some(page), Some(_)) = (play::INCLUDED, experiment.playground()) {
        files.push((PLAYGROUND.into(), page.into()));
    }
    let place = RunFolder::take(&options.out, experiment.name)?.fill(&files)?;
    journal.close();
    crate::tell(&format!("{}The report: {}\n", outcome.summary(), place.join("report.html").display()))
}

fn run_all(options: &Options) -> Result<(), Failure> {
    if !options.set.is_empty() || options.setting.is_some() {
        return Err(Failure::usage("--set and --setting apply to one experiment: name it instead of all"));
    }
    let (mut outcomes, mut journals, mut left_out) = (vec![], vec![], vec![]);
    for &experiment in surprisal_lab::experiments::all() {
        let mut plan = experiment.plan(options.quick, options.broken);
        if experiment.seeds.is_some() {
            seeds(experiment, options, &mut plan)?;
        }
        match outcome(experiment, plan, &options.out) {
            Ok((outcome, journal)) => {
                crate::tell(&outcome.summary())?;
                outcomes.push(outcome);
                journals.push(journal);
            }
            Err(LabError::Absent(why)) => {
                note!("{} is skipped: {why}", experiment.name);
                left_out.push((experiment, why));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let all: Vec<&Outcome> = outcomes.iter().collect();
    let commands = commands("../playground.html");
    let mut files = vec![
        ("index.html".to_string(), gallery::index(&all, &left_out).into_bytes()),
        ("index.md".to_string(), gallery::index_markdown(&all, &left_out, &commands).into_bytes()),
    ];
    files.extend(play::INCLUDED.map(|page| (PLAYGROUND.to_string(), page.to_vec())));
    for outcome in &outcomes {
        files.extend(
            outcome
                .files(&commands)
                .into_iter()
                .map(|(path, content)| (format!("{}/{path}", outcome.experiment.name), content)),
        );
    }
    let place = RunFolder::take(&options.out, "gallery")?.fill(&files)?;
    journals.into_iter().for_each(Journal::close);
    crate::tell(&format!("The index of the pages: {}\n", place.join("index.html").display()))
}

/// Runs an experiment, or resumes it.
fn outcome(experiment: &'static Experiment, plan: Plan, out: &Path) -> Result<(Outcome, Journal), LabError> {
    let journal = Journal::open(out, experiment.name, &plan.to_json(experiment).to_string())?;
    if !journal.is_empty() {
        note!("{}: resumed after {} runs", experiment.name, journal.len());
    }
    let outcome = experiment.run(plan, &Bars::new(), Some(&journal))?;
    Ok((outcome, journal))
}

/// The defaults, with the values of the file and then of the options.
fn plan(experiment: &Experiment, options: &Options) -> Result<Plan, Failure> {
    let mut plan = experiment.plan(options.quick, options.broken);
    if let Some(path) = &options.setting {
        let shown = path.display();
        let failed = |error: String| Failure::run(format!("{shown}: {error}"));
        let text = fs::read_to_string(path).map_err(|error| failed(format!("cannot read: {error}")))?;
        let file: Value =
            serde_json::from_str(&text).map_err(|error| failed(format!("not valid JSON: {error}")))?;
        plan.take(experiment, &file).map_err(|error| failed(error.to_string()))?;
    }
    for (key, value) in &options.set {
        plan.setting.set(key, value)?;
    }
    seeds(experiment, options, &mut plan)?;
    Ok(plan)
}

fn seeds(experiment: &Experiment, options: &Options, plan: &mut Plan) -> Result<(), LabError> {
    if options.seed.is_some() || options.seeds.is_some() {
        experiment.check_seeds(options.seeds.unwrap_or(plan.seeds))?;
    }
    plan.first_seed = options.seed.unwrap_or(plan.first_seed);
    plan.seeds = options.seeds.unwrap_or(plan.seeds);
    Ok(())
}
