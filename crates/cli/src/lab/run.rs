//! `surprisal lab run`

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use surprisal_lab::gallery::{self, Commands, Experiment, Journal, LabError, Outcome, Plan, Results};
use surprisal_report::folder::RunFolder;
use surprisal_report::journal::JournalError;
use surprisal_run::Part;

use crate::Failure;
use crate::play;
use crate::progress::Bars;
use crate::ranks::Ranks;

#[derive(Args)]
#[command(after_help = "Examples:
  surprisal lab run saturated-neuron
  surprisal lab run only-the-rate --set rates=0.1,1,10 --set cap=500
  surprisal lab run all --quick
  surprisal lab run saturated-neuron --setting runs/saturated-neuron-1/setting.json

Results go to a new folder in DIR: report.html, the figures, the numbers as CSV and JSON, the verdicts, and
setting.json, which --setting takes. If a run is interrupted, the same command goes on where it stopped.

The runs can be spread over processes or machines that share a folder: --part 1/4 to --part 4/4, each with the same other
options, and then surprisal lab run --merge DIR. A program with MPI spreads them itself: mpirun -n 4 surprisal lab run ..")]
pub struct Options {
    /// The name of an experiment (see `lab list`), or all
    #[arg(required = true)]
    name: Option<String>,
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
    /// Compute only part K of N of the runs, beside the other parts in the same --out: run k of a stage, counted from 0, belongs to part (k mod N) + 1. Repeated, it resumes
    #[arg(long, value_name = "K/N", requires = "out")]
    part: Option<Part>,
    /// Merge the parts in this folder: write the results of all runs to a new folder in it, as one process would. Runs that no part could begin are computed
    #[arg(long, value_name = "DIR", exclusive = true)]
    merge: Option<PathBuf>,
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

/// What is run: one experiment, or all.
struct Task {
    all: bool,
    plans: Vec<(&'static Experiment, Plan)>,
}

impl Task {
    fn new(name: &str, options: &Options) -> Result<Task, Failure> {
        if name != "all" {
            let experiment = super::find(name)?;
            return Ok(Task { all: false, plans: vec![(experiment, plan(experiment, options)?)] });
        }
        if !options.set.is_empty() || options.setting.is_some() {
            return Err(Failure::usage(
                "--set and --setting apply to one experiment: name it instead of all",
            ));
        }
        let plan = |&experiment: &&'static Experiment| {
            let mut plan = experiment.plan(options.quick, options.broken);
            if experiment.seeds.is_some() {
                seeds(experiment, options, &mut plan)?;
            }
            Ok((experiment, plan))
        };
        let plans = surprisal_lab::experiments::all().iter().map(plan).collect::<Result<_, LabError>>()?;
        Ok(Task { all: true, plans })
    }

    /// What its results depend on, for the journals of parts.
    fn to_json(&self) -> Value {
        let name = if self.all { "all" } else { self.plans[0].0.name };
        let settings = self.plans.iter().map(|(experiment, plan)| plan.to_json(experiment));
        json!({ "experiment": name, "program": env!("CARGO_PKG_VERSION"), "settings": settings.collect::<Value>() })
    }

    fn from_json(of: &Value) -> Option<Task> {
        let plan = |settings: &Value| {
            let experiment = surprisal_lab::experiments::find(settings["experiment"].as_str()?).ok()?;
            let mut plan = experiment.plan(settings["quick"].as_bool()?, false);
            plan.take(experiment, settings).ok()?;
            Some((experiment, plan))
        };
        let plans = of["settings"].as_array()?.iter().map(plan).collect::<Option<Vec<_>>>()?;
        (!plans.is_empty()).then_some(Task { all: of["experiment"] == "all", plans })
    }

    /// Computes a part of the runs.
    fn part(&self, part: Part, out: &Path) -> Result<(), Failure> {
        let journal = Journal::part(out, part, &self.to_json())?;
        for (experiment, plan) in &self.plans {
            match experiment.run(plan.clone(), &Bars::new(), Some(&journal), None) {
                Ok(_) | Err(LabError::Waits) => {}
                Err(LabError::Absent(why)) if self.all => note!("{} is skipped: {why}", experiment.name),
                Err(error) => return Err(error.into()),
            }
        }
        crate::part_finished("lab run", part, journal.end()?, out)
    }
}

pub fn run(options: Options) -> Result<(), Failure> {
    let out = options.merge.as_deref().unwrap_or(&options.out);
    match (&options.name, options.part) {
        (Some(name), Some(part)) => Task::new(name, &options)?.part(part, out),
        (Some(name), None) => Ranks::together(|ranks| {
            let task = ranks.agree(Task::new(name, &options))?;
            complete(task, out, &Results::new(), ranks)
        }),
        (None, _) => Ranks::together(|ranks| {
            let merged = ranks.first(|| Journal::merged(out).map_err(Failure::run))?;
            let (of, results) = merged.unzip();
            let of = ranks.share(of.map_or(Vec::new(), |of| of.to_string().into_bytes()))?;
            let task = serde_json::from_slice(&of).ok().and_then(|of| Task::from_json(&of));
            let task = ranks.agree(task.ok_or_else(|| Failure::run(JournalError::Foreign.at(out))))?;
            complete(task, out, &results.unwrap_or_default(), ranks)
        }),
    }
}

/// Runs what has no result yet, and writes the pages.
fn complete(task: Task, out: &Path, known: &Results, ranks: &mut Ranks) -> Result<(), Failure> {
    let (mut outcomes, mut journals, mut left_out) = (vec![], vec![], vec![]);
    for (experiment, plan) in task.plans {
        match outcome(experiment, plan, out, known, ranks)? {
            Ok((outcome, journal)) => {
                if task.all {
                    ranks.first(|| crate::tell(&outcome.summary()))?;
                }
                outcomes.push(outcome);
                journals.extend(journal);
            }
            Err(why) if task.all => {
                ranks.first(|| {
                    note!("{} is skipped: {why}", experiment.name);
                    Ok(())
                })?;
                left_out.push((experiment, why));
            }
            Err(why) => return ranks.agree(Err(Failure::run(why))),
        }
    }
    let told = ranks.first(|| {
        let told = match &outcomes[..] {
            [outcome] if !task.all => write_one(outcome, out),
            _ => write_all(&outcomes, &left_out, out),
        };
        told.inspect(|()| journals.into_iter().for_each(Journal::close))
    });
    told.map(drop)
}

fn write_one(outcome: &Outcome, out: &Path) -> Result<(), Failure> {
    let mut files = outcome.files(&commands(PLAYGROUND));
    if let (Some(page), Some(_)) = (play::INCLUDED, outcome.experiment.playground()) {
        files.push((PLAYGROUND.into(), page.into()));
    }
    let place = RunFolder::take(out, outcome.experiment.name)?.fill(&files)?;
    crate::tell(&format!("{}The report: {}\n", outcome.summary(), place.join("report.html").display()))
}

fn write_all(outcomes: &[Outcome], left_out: &[(&Experiment, String)], out: &Path) -> Result<(), Failure> {
    let all: Vec<&Outcome> = outcomes.iter().collect();
    let commands = commands("../playground.html");
    let mut files = vec![
        ("index.html".to_string(), gallery::index(&all, left_out).into_bytes()),
        ("index.md".to_string(), gallery::index_markdown(&all, left_out, &commands).into_bytes()),
    ];
    files.extend(play::INCLUDED.map(|page| (PLAYGROUND.to_string(), page.to_vec())));
    for outcome in outcomes {
        files.extend(
            outcome
                .files(&commands)
                .into_iter()
                .map(|(path, content)| (format!("{}/{path}", outcome.experiment.name), content)),
        );
    }
    let place = RunFolder::take(out, "gallery")?.fill(&files)?;
    crate::tell(&format!("The index of the pages: {}\n", place.join("index.html").display()))
}

/// Runs an experiment, or resumes it; the inner error is why its data are absent.
fn outcome(
    experiment: &'static Experiment,
    plan: Plan,
    out: &Path,
    known: &Results,
    ranks: &mut Ranks,
) -> Result<Result<(Outcome, Option<Journal>), String>, Failure> {
    let journal = ranks.first(|| {
        let mut journal = Journal::open(out, experiment.name, &plan.to_json(experiment).to_string())?;
        if !journal.is_empty() {
            note!("{}: resumed after {} runs", experiment.name, journal.len());
        }
        journal.add(known);
        Ok(journal)
    })?;
    let bars = Bars::new();
    let outcome = experiment.run(plan, ranks.progress(&bars), journal.as_ref(), ranks.group());
    ranks.agree(match outcome {
        Ok(outcome) => Ok(Ok((outcome, journal))),
        Err(LabError::Absent(why)) => {
            journal.into_iter().filter(Journal::is_empty).for_each(Journal::close);
            Ok(Err(why))
        }
        Err(error) => Err(error.into()),
    })
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
