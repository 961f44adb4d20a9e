//! The gallery: experiments on losses, with claims that can be falsified.
//!
//! An [`Experiment`] is one item in one file of [`experiments`](crate::experiments), which reads as claim, settings, run, measure,
//! verdict, charts. Its function takes a [`Lab`] and returns a [`Report`]. Everything else is here, and the same for all.
//!
//! | file | contents |
//! |---|---|
//! | this one | [`Experiment`], and how it runs |
//! | `text` | [`Text`]: the text of an experiment, in a Markdown file beside its code |
//! | `setting` | [`Knob`], [`Values`]: the settings, each with a range |
//! | `lab` | [`Lab`]: settings, seeds and text, and runs on several cores |
//! | `journal` | [`Journal`]: resuming after an interruption, and parts |
//! | `record` | [`Record`]: tables of numbers, which are written to files |
//! | `finding` | [`Finding`]: a number, its interval, its verdict |
//! | `report` | [`Report`]: findings, figures and text in order |
//! | `write` | the files: the page, the index, CSV, JSON, SVG |
//! | `training`, `rows`, `masks`, `pictures` | shared by several experiments: gradient descent, heads, splits of the data, segmentation, charts over seeds |
//!
//! # The rules
//!
//! 1. A comparison of two losses shows both at the same learning rate and each at its own best of a printed grid; a verdict names
//!    the one that it is about.
//! 2. Progress is measured by a metric that both losses share, such as accuracy or epochs to an error. The values of two losses are never compared.
//! 3. "Squared error" names its outputs: of a sigmoid, of a softmax, or raw; see [`Head`].
//! 4. A verdict has a number, a 95 % interval or the word "deterministic", and the bound that it is compared with. It may be NOT
//!    SUPPORTED, EQUAL (an exact tie) or INCONCLUSIVE (the interval does not decide).
//! 5. Every experiment has a broken version, without the effect that the claim is about. A verdict of SUPPORTED must not survive it: this tests
//!    the test.
//! 6. The results depend only on the settings and the seeds, not on the number of cores.

mod finding;
mod journal;
mod lab;
mod masks;
mod pictures;
mod record;
mod report;
mod rows;
mod setting;
mod text;
mod training;
mod write;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Mutex;

use serde_json::{Value, json};

pub use finding::{Basis, Expected, Finding, short};
pub use journal::{Journal, Results};
pub use lab::Lab;
pub use masks::{Masks, average_precision, check_net, dice};
pub use pictures::{Arm, every_run, fan, fan_of_shares, plus_minus};
pub use record::Record;
pub use report::Report;
pub use rows::{Rows, three_parts};
pub use setting::{Knob, Values};
pub use text::Text;
pub use training::{Training, correct};

pub use surprisal_train::Head;
pub use write::{Commands, index, index_markdown};

use surprisal_report::folder::FolderError;
use surprisal_report::parts::PartsError;
use surprisal_report::statistics::MOST_RUNS;
use surprisal_train::parallel::Progress;
use surprisal_train::{Group, GroupError, Team};

/// A claim, with everything needed to test it.
pub struct Experiment {
    /// The name in commands and folders: "saturated-neuron".
    pub name: &'static str,
    /// Its title, claim, background and all other text.
    pub text: Text,
    /// The run time on two cores.
    pub minutes: f64,
    /// The number of seeds; none if nothing is random.
    pub seeds: Option<Seeds>,
    /// The settings.
    pub knobs: &'static [Knob],
    /// The computation.
    pub run: fn(&Lab) -> Result<Report, LabError>,
}

/// The seeds of an experiment.
#[derive(Clone, Copy, Debug)]
pub struct Seeds {
    /// The first seed; the others follow it.
    pub first: u64,
    /// By default.
    pub usual: usize,
    /// In the quick version.
    pub quick: usize,
}

/// The settings of a run of an experiment.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The values of the settings.
    pub setting: Values,
    /// The first seed.
    pub first_seed: u64,
    /// The number of consecutive seeds; 0 if nothing is random.
    pub seeds: usize,
    /// Whether this is the quick version.
    pub quick: bool,
    /// Whether this is the broken version.
    pub broken: bool,
}

/// The results of an experiment.
pub struct Outcome {
    /// The experiment.
    pub experiment: &'static Experiment,
    /// The settings of the run.
    pub plan: Plan,
    /// Findings, figures and text.
    pub report: Report,
    /// The sections of the experiment's text that the run did not use. A section that only some settings show must be filled by all.
    pub unused_text: Vec<&'static str>,
    records: Vec<record::Labeled>,
}

/// The common sections of the text.
///
/// # Panics
/// If the text has no such section.
impl Experiment {
    /// Returns the heading of its page.
    pub fn title(&self) -> &str {
        &self.text.sections().title
    }
    /// Returns the claim, in one sentence.
    pub fn claim(&self) -> &str {
        self.common("Claim")
    }
    /// Returns the claim in a few words, for a list.
    pub fn short(&self) -> &str {
        self.common("In short")
    }
    /// Returns the paragraphs for a reader who is new to the subject.
    pub fn background(&self) -> impl Iterator<Item = &str> {
        self.common("Background").split("\n\n")
    }
    /// Returns what would falsify the claim.
    pub fn falsified_if(&self) -> &str {
        self.common("Falsified if")
    }
    /// Returns what the broken version does.
    pub fn broken(&self) -> &str {
        self.common("Broken version")
    }
    /// Returns where the claim and the data come from.
    pub fn source(&self) -> &str {
        self.common("Source")
    }
    /// Returns the state of the playground that shows it, and what to try there.
    pub fn playground(&self) -> Option<(&str, &str)> {
        self.text.sections().playground()
    }
    fn common(&self, name: &str) -> &str {
        self.text.sections().section(name).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

impl Experiment {
    /// Returns the run time as text: "84 s".
    pub fn time(&self) -> String {
        match 60.0 * self.minutes {
            seconds if seconds < 120.0 => format!("{:.0} s", seconds.max(1.0)),
            _ => format!("{:.0} min", self.minutes),
        }
    }

    /// Returns the default values of the settings.
    pub fn setting(&self, quick: bool) -> Values {
        Values::new(self.knobs, quick)
    }

    /// Returns the default settings of a run.
    pub fn plan(&self, quick: bool, broken: bool) -> Plan {
        let seeds = self.seeds.map_or(0, |seeds| if quick { seeds.quick } else { seeds.usual });
        let first_seed = self.seeds.map_or(1, |seeds| seeds.first);
        Plan { setting: self.setting(quick), first_seed, seeds, quick, broken }
    }

    /// Checks a number of seeds.
    ///
    /// # Errors
    /// If the experiment has no seeds, or there are too few or too many for an interval.
    pub fn check_seeds(&self, seeds: usize) -> Result<(), LabError> {
        let usage = |message| Err(LabError::Usage(message));
        match self.seeds {
            None => usage(format!("{} has no seeds: nothing in it is random", self.name)),
            Some(_) if !(2..=MOST_RUNS).contains(&seeds) => {
                usage(format!("seeds: expected 2 to {MOST_RUNS}, found {seeds}"))
            }
            Some(_) => Ok(()),
        }
    }

    /// Runs the experiment, with a group on all of its ranks, of which rank 0 has the journal.
    ///
    /// # Errors
    /// If its data are missing, a setting does not fit the others, or the journal cannot be written; and if the journal is that of a part, and the
    /// experiment needs results of other parts.
    pub fn run<'a>(
        &'static self,
        plan: Plan,
        progress: &'a dyn Progress,
        journal: Option<&'a Journal>,
        group: Option<&'a mut dyn Group>,
    ) -> Result<Outcome, LabError> {
        let seeds = (0..plan.seeds as u64).map(|i| plan.first_seed.wrapping_add(i)).collect();
        let (setting, broken) = (plan.setting.clone(), plan.broken);
        let (records, used) = (Mutex::default(), Mutex::default());
        let team = Team::new(group);
        let lab = Lab { setting, seeds, broken, experiment: self, journal, progress, team, records, used };
        let report = lab.team.agree((self.run)(&lab))?;
        let records = lab.records.into_inner().unwrap_or_else(|e| e.into_inner());
        let used: BTreeSet<String> = lab.used.into_inner().unwrap_or_else(|e| e.into_inner());
        let unused_text = self.text.sections().own().filter(|name| !used.contains(*name)).collect();
        Ok(Outcome { experiment: self, plan, report, unused_text, records })
    }
}

impl Plan {
    /// Returns the JSON that is written beside the results, and can be read again.
    pub fn to_json(&self, experiment: &Experiment) -> Value {
        let Plan { setting, first_seed, seeds, quick, broken } = self;
        json!({
            "experiment": experiment.name, "first_seed": first_seed, "seeds": seeds, "quick": quick, "broken": broken,
            "setting": setting.to_json(),
        })
    }

    /// Takes the values of a file, in which every key except "experiment" may be missing.
    ///
    /// # Errors
    /// If a key is unknown or its value is invalid. The message does not name the file.
    pub fn take(&mut self, experiment: &Experiment, file: &Value) -> Result<(), LabError> {
        let wrong = |key: &str, expected: &str, found: &Value| {
            Err(LabError::Failure(format!("{key}: expected {expected}, found {found}")))
        };
        let Some(entries) = file.as_object() else {
            return wrong("the file", "an object such as {\"experiment\": .., \"setting\": {..}}", file);
        };
        match &file["experiment"] {
            Value::String(name) if name == experiment.name => {}
            other => return wrong("experiment", &format!("\"{}\"", experiment.name), other),
        }
        for (key, value) in entries {
            match (key.as_str(), value) {
                ("experiment", _) => {}
                ("setting", Value::Object(values)) => {
                    self.setting.take(values).map_err(|e| LabError::Failure(format!("setting: {e}")))?;
                }
                ("setting", other) => return wrong(key, "an object", other),
                ("first_seed", value) => match value.as_u64() {
                    Some(seed) => self.first_seed = seed,
                    None => return wrong(key, "an integer from 0 on", value),
                },
                ("seeds", value) => match value.as_u64().map(|n| n as usize) {
                    Some(0) if experiment.seeds.is_none() => {}
                    Some(n) => {
                        experiment.check_seeds(n).map_err(|e| LabError::Failure(e.to_string()))?;
                        self.seeds = n;
                    }
                    None => return wrong(key, "a count", value),
                },
                ("quick", Value::Bool(_)) => {} // determines only the defaults, which the file contains
                ("broken", Value::Bool(broken)) => self.broken = *broken,
                ("quick" | "broken", other) => return wrong(key, "true or false", other),
                _ => {
                    return wrong(
                        key,
                        "only experiment, first_seed, seeds, quick, broken and setting",
                        value,
                    );
                }
            }
        }
        Ok(())
    }
}

/// The reason why an experiment could not run.
#[derive(Debug)]
pub enum LabError {
    /// A setting is wrong.
    Usage(String),
    /// A file or the run failed.
    Failure(String),
    /// Data that are too large to include are missing.
    Absent(String),
    /// A part has computed its share, and results of other parts are missing.
    Waits,
    /// A part cannot be computed, or the parts of a folder cannot be merged.
    Parts(PartsError),
    /// A folder or a file in it cannot be written.
    Folder(FolderError),
}

impl fmt::Display for LabError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            LabError::Usage(message) | LabError::Failure(message) | LabError::Absent(message) => {
                f.write_str(message)
            }
            LabError::Waits => f.write_str("results of other parts are missing"),
            LabError::Parts(error) => error.fmt(f),
            LabError::Folder(error) => error.fmt(f),
        }
    }
}
impl std::error::Error for LabError {}

impl From<surprisal_data::DataError> for LabError {
    fn from(error: surprisal_data::DataError) -> Self {
        LabError::Failure(error.to_string())
    }
}

impl From<PartsError> for LabError {
    fn from(error: PartsError) -> Self {
        LabError::Parts(error)
    }
}

impl From<GroupError> for LabError {
    fn from(error: GroupError) -> Self {
        LabError::Failure(error.to_string())
    }
}
