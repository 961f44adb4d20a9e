//! `surprisal lab list`

use clap::Args;
use surprisal_lab::gallery::Experiment;

use crate::Failure;

#[derive(Args)]
pub struct Options {
    /// The name of an experiment, to show its full claim and its settings
    name: Option<String>,
}

pub fn run(options: Options) -> Result<(), Failure> {
    crate::tell(&match &options.name {
        Some(name) => details(super::find(name)?),
        None => table(),
    })
}

/// A line for every experiment: its name, its claim in short, and how long it takes.
fn table() -> String {
    let all = surprisal_lab::experiments::all();
    let width = |of: fn(&Experiment) -> &str| all.iter().map(|e| of(e).chars().count()).max().unwrap_or(0);
    let (names, claims) = (width(|e| e.name), width(|e| e.short()));
    let mut text = format!("Start here: surprisal lab run {}\n\n", all[0].name);
    text += &format!("{:names$}  {:claims$}  {:>5}\n", "experiment", "claim", "time");
    for experiment in all {
        text += &format!(
            "{:names$}  {:claims$}  {:>5}\n",
            experiment.name,
            experiment.short(),
            experiment.time()
        );
    }
    text + "\nDetails of one: surprisal lab list NAME. Run all: surprisal lab run all.\n"
}

/// The claim, what would falsify it, and the settings.
fn details(experiment: &Experiment) -> String {
    let (name, claim, falsified_if, broken) =
        (experiment.name, experiment.claim(), experiment.falsified_if(), experiment.broken());
    let seeds = experiment.seeds.map_or("no seeds".into(), |seeds| format!("{} seeds", seeds.usual));
    let mut text = format!(
        "{name}: {claim}\n  Not supported if {falsified_if}.\n  With --break: {broken}.\n  Run it: surprisal lab run {name} ({}, {seeds})\n",
        experiment.time()
    );
    let setting = experiment.setting(false);
    let set = || {
        setting.entries().map(|(knob, value)| (format!("{}={value}", knob.setting.name), knob.setting.help))
    };
    let width = set().map(|(set, _)| set.len()).filter(|&length| length <= 40).max().unwrap_or(0);
    for (set, meaning) in set() {
        text += &format!("  --set {set:width$}  {meaning}\n");
    }
    text
}
