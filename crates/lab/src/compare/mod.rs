//! The main job: the same models from the same starts under two losses, and what can be said of it.
//!
//! | file | what it holds |
//! |---|---|
//! | this one | [`Compare`]: the settings; running all arms; [`Comparison`]: the results |
//! | `scenario` | what is trained: the data, the model, its start, the rates that are tried |
//! | `verdict` | what the figures say, and no more |
//! | `tables`, `pictures` | the numbers as CSV, tables and text; the charts |
//! | `report` | the page, for a reader who has never heard of the subject |
//!
//! Each scenario is trained from the same initial weights under both losses, once at the same learning rate and once each
//! at its own best of a grid, for several seeds of split, start and order. Progress is measured in epochs to a training accuracy
//! and in test accuracy, never by one loss's value against the other's.

mod pictures;
mod report;
mod scenario;
mod tables;
mod verdict;

use std::fmt;
use std::path::PathBuf;

use surprisal_data::DataError;
use surprisal_optim::Hyperparameter;
use surprisal_train::{History, Objective, TrainError};

pub use scenario::{DataName, Scenario, Start};
pub use verdict::Finding;

use surprisal_report::folder::{FolderError, RunFolder};
use surprisal_report::statistics::MOST_RUNS;
use surprisal_train::parallel::{Progress, in_parallel};

/// What is compared.
#[derive(Clone, Debug)]
pub struct Compare {
    /// On which data.
    pub data: Vec<DataName>,
    /// The two losses: the first is the one that is said to learn faster.
    pub losses: [Objective; 2],
    /// The learning rate that both share; `None` takes the scenario's.
    pub learning_rate: Option<f64>,
    /// The first seed; the others follow it.
    pub seed: u64,
    /// How many seeds: 2 to [`MOST_RUNS`].
    pub seeds: usize,
    /// The quick version: half of the epochs.
    pub quick: bool,
}

impl Default for Compare {
    fn default() -> Self {
        Compare {
            data: DataName::ALL.to_vec(),
            losses: [Objective::CrossEntropy, Objective::SquaredError],
            learning_rate: None,
            seed: 7,
            seeds: 8,
            quick: false,
        }
    }
}

/// One loss at one learning rate, over the seeds.
#[derive(Clone, Debug)]
pub struct Arm {
    /// What was minimized.
    pub objective: Objective,
    /// At which rate.
    pub learning_rate: f64,
    /// One run for each seed; `Err` tells what stopped it.
    pub runs: Vec<Result<History, String>>,
}

impl Arm {
    /// Epochs to the scenario's accuracy, for each seed; one more than were trained where it never came to that.
    fn epochs(&self, scenario: &Scenario) -> Vec<f64> {
        let reached = |run: &Result<History, String>| run.as_ref().ok()?.epochs_to(scenario.accuracy);
        self.runs.iter().map(|run| reached(run).unwrap_or(scenario.epochs + 1) as f64).collect()
    }
    /// The test accuracy at the end, for each seed that came to an end.
    fn test_accuracies(&self) -> Vec<f64> {
        self.histories().map(|history| history.last().held_out().score()).collect()
    }
    /// Whether every seed came to the scenario's accuracy.
    fn all_reached(&self, scenario: &Scenario) -> bool {
        self.epochs(scenario).iter().all(|&epochs| epochs <= scenario.epochs as f64)
    }
    /// The runs that came to an end.
    fn histories(&self) -> impl Iterator<Item = &History> {
        self.runs.iter().filter_map(|run| run.as_ref().ok())
    }
}

/// All arms of one scenario.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was trained.
    pub scenario: Scenario,
    /// Both losses at the rate they share.
    pub same: [Arm; 2],
    /// Both losses at every rate of the grid.
    pub grid: [Vec<Arm>; 2],
    /// For each loss the place in the grid of its own best rate: fewest epochs on average, the smaller rate at a tie.
    pub best: [usize; 2],
}

impl Outcome {
    /// Each loss at its own best rate.
    pub fn best(&self) -> [&Arm; 2] {
        [0, 1].map(|loss| &self.grid[loss][self.best[loss]])
    }
}

/// Everything that was found.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// What was asked.
    pub setting: Compare,
    /// One for each scenario.
    pub outcomes: Vec<Outcome>,
}

/// What the quick version says of itself.
const QUICK: &str = "fewer epochs and seeds, for orderings and not for digits.";

impl Compare {
    /// The default settings of the quick version: fewer seeds, and half of the epochs.
    pub fn quick() -> Self {
        Compare { seeds: 2, quick: true, ..Compare::default() }
    }

    /// Trains every arm.
    ///
    /// # Errors
    /// If the settings are out of range, or a run at the shared learning rate cannot go on; a rate of the grid that is too
    /// large is a result, not an error.
    pub fn run(&self, progress: &impl Progress) -> Result<Comparison, CompareError> {
        self.check()?;
        let scenarios = self.data.iter().flat_map(|&data| Scenario::on(data));
        let outcomes =
            scenarios.map(|scenario| self.outcome(scenario, progress)).collect::<Result<_, _>>()?;
        Ok(Comparison { setting: self.clone(), outcomes })
    }

    /// Whether the settings are in range.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), CompareError> {
        let setting = |message: String| Err(CompareError::Setting(message));
        if let Some(rate) = self.learning_rate {
            Hyperparameter::LearningRate
                .check(rate)
                .map_err(|error| CompareError::Setting(error.to_string()))?;
        }
        if !(2..=MOST_RUNS).contains(&self.seeds) {
            return setting(format!("{} seeds: an interval needs 2 to {MOST_RUNS}", self.seeds));
        }
        if self.losses[0] == self.losses[1] {
            return setting(format!(
                "{} is compared with itself: choose two different losses",
                self.losses[0]
            ));
        }
        if let Some(loss) = self.losses.iter().find(|loss| !Objective::CLASSIFICATION.contains(loss)) {
            return setting(format!("loss {} is not compared: choose two of ce, mse, half_mse", loss.name()));
        }
        if self.data.is_empty() {
            return setting("no data is chosen".into());
        }
        Ok(())
    }

    /// The seeds of split, start and order.
    fn seeds(&self) -> Vec<u64> {
        (0..self.seeds as u64).map(|i| self.seed.wrapping_add(i)).collect()
    }

    fn outcome(&self, mut scenario: Scenario, progress: &impl Progress) -> Result<Outcome, CompareError> {
        if let Some(rate) = self.learning_rate {
            scenario.same_rate = rate;
        }
        if self.quick {
            scenario.epochs /= 2;
        }
        let seeds = self.seeds();
        let prepared: Vec<_> = seeds.iter().map(|&seed| scenario.prepare(seed)).collect::<Result<_, _>>()?;
        let rates: Vec<f64> = [scenario.same_rate].iter().chain(scenario.grid).copied().collect();
        let mut jobs = Vec::new();
        for objective in self.losses {
            for &rate in &rates {
                jobs.extend((0..seeds.len()).map(|seed| (objective, rate, seed)));
            }
        }
        progress.begin(scenario.id, jobs.len());
        let mut runs = in_parallel(&jobs, |&(objective, rate, seed)| {
            let run = prepared[seed].train(&scenario, objective, rate);
            progress.advance();
            run
        })
        .into_iter();
        progress.end();

        let mut arms = |objective| -> Result<(Arm, Vec<Arm>), CompareError> {
            let at_same_rate = runs.by_ref().take(seeds.len()).collect::<Result<Vec<_>, _>>();
            let at_same_rate = at_same_rate
                .map_err(|error| CompareError::Training(scenario.id, objective, Box::new(error)))?;
            let arm = |learning_rate, runs| Arm { objective, learning_rate, runs };
            let same = arm(scenario.same_rate, at_same_rate.into_iter().map(Ok).collect());
            let of_rate = |&rate| {
                arm(rate, runs.by_ref().take(seeds.len()).map(|r| r.map_err(|e| e.to_string())).collect())
            };
            Ok((same, scenario.grid.iter().map(of_rate).collect()))
        };
        let ((first, first_grid), (second, second_grid)) = (arms(self.losses[0])?, arms(self.losses[1])?);
        let grid = [first_grid, second_grid];
        let best = [0, 1].map(|loss: usize| {
            let mean = |arm: &Arm| arm.epochs(&scenario).iter().sum::<f64>();
            let means: Vec<f64> = grid[loss].iter().map(mean).collect();
            (0..means.len()).fold(0, |best, i| if means[i] < means[best] { i } else { best })
        });
        Ok(Outcome { scenario, same: [first, second], grid, best })
    }
}

impl Comparison {
    /// Writes the page, the pictures and the histories into the folder.
    ///
    /// # Errors
    /// If a file cannot be written; then none is left.
    pub fn write(&self, folder: RunFolder) -> Result<PathBuf, FolderError> {
        folder.fill(&tables::files(self))
    }

    /// The tables and the verdicts, for a terminal.
    pub fn summary(&self) -> String {
        tables::summary(self)
    }
}

/// Why a comparison could not be made.
#[derive(Debug)]
pub enum CompareError {
    /// A setting is out of range.
    Setting(String),
    /// There is no such data set to compare on.
    UnknownData {
        /// The name that was given.
        name: String,
    },
    /// An embedded data set could not be prepared.
    Data(DataError),
    /// A run at the learning rate that was asked for could not go on.
    Training(&'static str, Objective, Box<TrainError>),
}

impl fmt::Display for CompareError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            CompareError::Setting(message) => f.write_str(message),
            CompareError::UnknownData { name } => {
                let known = DataName::ALL.map(DataName::name).join(", ");
                write!(f, "there is no data set \"{name}\" to compare on: choose one of {known}")
            }
            CompareError::Data(error) => error.fmt(f),
            CompareError::Training(scenario, objective, error) => {
                write!(f, "{scenario} under {objective}: {error}")
            }
        }
    }
}
impl std::error::Error for CompareError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            CompareError::Data(error) => Some(error),
            CompareError::Training(.., error) => Some(error),
            CompareError::Setting(_) | CompareError::UnknownData { .. } => None,
        }
    }
}

impl From<DataError> for CompareError {
    fn from(error: DataError) -> Self {
        CompareError::Data(error)
    }
}
