//! `surprisal compare`

use std::error::Error;
use std::path::PathBuf;

use clap::Args;
use surprisal_lab::compare::{Compare, CompareError, DataName};
use surprisal_report::folder::RunFolder;
use surprisal_train::Objective;

use crate::Failure;
use crate::progress::Bars;

#[derive(Args)]
pub struct Options {
    /// Data to compare on: breast_cancer or digits; may be given twice [default: both]
    #[arg(long, value_name = "NAME")]
    data: Vec<DataName>,
    /// The two losses: ce, mse or half_mse
    #[arg(long, value_name = "A,B", default_value = "ce,mse", value_parser = pair)]
    losses: [Objective; 2],
    /// The learning rate of both losses [default: 0.1]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    lr: Option<f64>,
    /// The first seed of splits, initial weights and row orders
    #[arg(long, default_value_t = Compare::default().seed, allow_negative_numbers = true)]
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

pub fn run(options: Options) -> Result<(), Failure> {
    let Options { data, losses, lr, seed, seeds, quick, out } = options;
    let defaults = if quick { Compare::quick() } else { Compare::default() };
    let compare = Compare {
        data: defaults.data.into_iter().filter(|name| data.is_empty() || data.contains(name)).collect(),
        losses,
        learning_rate: lr,
        seed,
        seeds: seeds.unwrap_or(defaults.seeds),
        quick,
    };
    compare.check()?;
    let folder = RunFolder::take(&out, "compare")?;
    let comparison = compare.run(&Bars::new())?;
    let place = comparison.write(folder)?;
    crate::tell(&format!("{}\nThe report: {}\n", comparison.summary(), place.join("report.html").display()))
}

impl From<CompareError> for Failure {
    fn from(error: CompareError) -> Self {
        let code = if matches!(error, CompareError::Setting(_)) { 2 } else { 1 };
        Failure { message: error.to_string(), code }
    }
}
