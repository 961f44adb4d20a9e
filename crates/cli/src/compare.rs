//! `surprisal compare`

use std::error::Error;
use std::path::PathBuf;

use clap::Args;
use surprisal_lab::experiments::compare::EXPERIMENT;
use surprisal_lab::gallery::{Commands, Experiment, Plan};
use surprisal_optim::Hyperparameter;
use surprisal_report::folder::RunFolder;
use surprisal_train::Objective;

use crate::Failure;
use crate::lab::run::{ENTERED, command};
use crate::progress::Bars;

#[derive(Args)]
pub struct Options {
    /// Data to compare on: breast_cancer or digits; may be given twice [default: both]
    #[arg(long, value_name = "NAME", value_parser = ["breast_cancer", "digits"], hide_possible_values = true)]
    data: Vec<String>,
    /// The two losses: ce, mse or half_mse
    #[arg(long, value_name = "A,B", default_value = "ce,mse", value_parser = pair)]
    losses: [Objective; 2],
    /// The learning rate of both losses [default: 0.1]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    lr: Option<f64>,
    /// The first seed of splits, initial weights and row orders
    #[arg(long, default_value_t = EXPERIMENT.plan(false, false).first_seed, allow_negative_numbers = true)]
    seed: u64,
    /// Number of consecutive seeds [default: 8, or 2 with --quick]
    #[arg(long, allow_negative_numbers = true)]
    seeds: Option<usize>,
    /// Fewer epochs and seeds: enough to rank, not for exact numbers
    #[arg(long)]
    quick: bool,
    /// The folder in which compare-1, compare-2, .. are created
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
}

fn pair(names: &str) -> Result<[Objective; 2], Box<dyn Error + Send + Sync>> {
    let (first, second) = names.split_once(',').ok_or("give two, such as ce,mse")?;
    Ok([first.trim().parse()?, second.trim().parse()?])
}

/// The command lines on the page; `lab run compare` has the settings that have no option here.
const COMMANDS: Commands = Commands {
    run: reproduce,
    entered: ENTERED,
    set: "surprisal lab run compare --set key=value",
    play: crate::play::command,
    playground: None,
};

fn reproduce(experiment: &Experiment, plan: &Plan) -> String {
    if plan.broken {
        return command(experiment, plan);
    }
    let mut line = String::from("surprisal compare");
    line += if plan.quick { " --quick" } else { "" };
    let changed = plan.setting.changed(plan.quick);
    for (key, value) in &changed {
        line += &match *key {
            "data" => format!(" --data {value}"),
            "rate" => format!(" --lr {value}"),
            _ => continue,
        };
    }
    if changed.iter().any(|(key, _)| ["first", "second"].contains(key)) {
        line += &format!(" --losses {},{}", plan.setting.word("first"), plan.setting.word("second"));
    }
    format!("{line} --seed {} --seeds {}", plan.first_seed, plan.seeds)
}

pub fn run(options: Options) -> Result<(), Failure> {
    let Options { data, losses, lr, seed, seeds, quick, out } = options;
    let mut plan = EXPERIMENT.plan(quick, false);
    if let Some(name) = data.first().filter(|first| data.iter().all(|name| name == *first)) {
        plan.setting.set("data", name)?;
    }
    for (key, loss) in ["first", "second"].into_iter().zip(losses) {
        plan.setting.set(key, &loss.spec())?;
    }
    if let Some(rate) = lr {
        Hyperparameter::LearningRate.check(rate).map_err(Failure::usage)?;
        plan.setting.set("rate", &rate.to_string())?;
    }
    plan.first_seed = seed;
    plan.seeds = seeds.unwrap_or(plan.seeds);
    EXPERIMENT.check_seeds(plan.seeds)?;
    let folder = RunFolder::take(&out, EXPERIMENT.name)?;
    let outcome = EXPERIMENT.run(plan, &Bars::new(), None, None)?;
    let place = folder.fill(&outcome.files(&COMMANDS))?;
    crate::tell(&format!(
        "{}(This holds for these models, data, initial parameters and learning rates.)\n\nThe report: {}\n",
        outcome.summary(),
        place.join("report.html").display()
    ))
}
