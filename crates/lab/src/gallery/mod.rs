//! The gallery: experiments on losses that can be falsified.
//!
//! An [`Experiment`] is one item in one file of [`experiments`](crate::experiments), which reads as claim, setting, run, measure,
//! verdict, pictures. It is given a [`Lab`] and gives a [`Report`]; everything else is done here, for all alike.
//!
//! | file | what it holds |
//! |---|---|
//! | this one | [`Experiment`]; running one |
//! | `text` | [`Text`]: the words of an experiment, in a Markdown file beside its code |
//! | `setting` | [`Knob`], [`Values`]: what a user may vary, with a range |
//! | `lab` | [`Lab`]: the setting, the seeds, many runs over the cores |
//! | `journal` | [`Journal`]: going on after an interruption |
//! | `record` | [`Record`]: tables of numbers that go to files |
//! | `finding` | [`Finding`]: a number, its interval, its verdict |
//! | `report` | [`Report`]: findings, pictures and words in order |
//! | `write` | the files: the page, the index, CSV, JSON, SVG |
//! | `training`, `rows`, `pictures` | what several experiments share: descent, heads, data in parts, a fan over seeds |
//!
//! # The rules
//!
//! 1. A comparison of two losses shows both at the same learning rate and each at its own best of a printed grid; a verdict says
//!    of which of the two it speaks.
//! 2. Progress is measured in what both losses share, such as accuracy or epochs to an error, never by the value of one loss against that of
//!    another.
//! 3. "Squared error" of what? On a sigmoid, on a softmax, on raw outputs: see [`Head`].
//! 4. A verdict has a number, a 95 % interval or the word "deterministic", and the bound that it was held against. It may be NOT
//!    SUPPORTED, EQUAL (an exact tie) or INCONCLUSIVE (the interval does not decide).
//! 5. Every experiment has a broken version, in which what the claim is about is taken away. A verdict of SUPPORTED must
//!    not survive it: that is how a test of the test looks.
//! 6. It is deterministic in its seeds, on any number of cores.

mod finding;
mod journal;
mod lab;
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
pub use journal::Journal;
pub use lab::Lab;
pub use pictures::{Arm, fan, fan_of_shares};
pub use record::Record;
pub use report::Report;
pub use rows::{Rows, three_parts};
pub use setting::{Knob, Values};
pub use text::Text;
pub use training::{Training, correct};

pub use surprisal_train::Head;
pub use write::{index, index_markdown};

use surprisal_report::statistics::MOST_RUNS;
use surprisal_train::parallel::Progress;

/// A claim, and what it takes to doubt it.
pub struct Experiment {
    /// What it is called by: "saturated-neuron".
    pub name: &'static str,
    /// Its title, claim, background and all other text.
    pub text: Text,
    /// How long it takes on two cores.
    pub minutes: f64,
    /// How many seeds it takes by default and in the quick version; none where nothing is drawn.
    pub seeds: Option<Seeds>,
    /// What can be set.
    pub knobs: &'static [Knob],
    /// The work.
    pub run: fn(&Lab) -> Result<Report, LabError>,
}

/// How many seeds an experiment takes.
#[derive(Clone, Copy, Debug)]
pub struct Seeds {
    /// By default.
    pub usual: usize,
    /// In the quick version.
    pub quick: usize,
}

/// How an experiment is to be run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The numbers.
    pub setting: Values,
    /// How many seeds, 1, 2, ..; 0 where nothing is drawn.
    pub seeds: usize,
    /// The quick version.
    pub quick: bool,
    /// The broken version.
    pub broken: bool,
}

/// An experiment that has been run.
pub struct Outcome {
    /// Which.
    pub experiment: &'static Experiment,
    /// How.
    pub plan: Plan,
    /// What was found.
    pub report: Report,
    /// The sections of the experiment's text that the run did not use. A section that only some settings show must be filled by all.
    pub unused_text: Vec<&'static str>,
    records: Vec<record::Labelled>,
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
    /// Returns what is claimed, in one sentence.
    pub fn claim(&self) -> &str {
        self.common("Claim")
    }
    /// Returns the claim in a few words, for a list.
    pub fn short(&self) -> &str {
        self.common("In short")
    }
    /// Returns the paragraphs for a reader who has never heard of the subject.
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
    fn common(&self, name: &str) -> &str {
        self.text.sections().section(name).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

impl Experiment {
    /// How long it takes, in words: "84 s".
    pub fn time(&self) -> String {
        match 60.0 * self.minutes {
            seconds if seconds < 120.0 => format!("{:.0} s", seconds.max(1.0)),
            _ => format!("{:.0} min", self.minutes),
        }
    }

    /// What its knobs stand at.
    pub fn setting(&self, quick: bool) -> Values {
        Values::new(self.knobs, quick)
    }

    /// As it is run if nothing is said.
    pub fn plan(&self, quick: bool, broken: bool) -> Plan {
        let seeds = self.seeds.map_or(0, |seeds| if quick { seeds.quick } else { seeds.usual });
        Plan { setting: self.setting(quick), seeds, quick, broken }
    }

    /// Sets the number of seeds.
    ///
    /// # Errors
    /// If nothing is drawn, or there are too few or too many for an interval.
    pub fn check_seeds(&self, seeds: usize) -> Result<(), LabError> {
        let usage = |message| Err(LabError::Usage(message));
        match self.seeds {
            None => usage(format!("{} draws nothing: it has no seeds", self.name)),
            Some(_) if !(2..=MOST_RUNS).contains(&seeds) => {
                usage(format!("{seeds} seeds: an interval needs 2 to {MOST_RUNS}"))
            }
            Some(_) => Ok(()),
        }
    }

    /// Runs it.
    ///
    /// # Errors
    /// If data that it needs are not there, a number that was set does not fit the others, or the journal cannot be written.
    pub fn run(
        &'static self,
        plan: Plan,
        progress: &dyn Progress,
        journal: Option<&Journal>,
    ) -> Result<Outcome, LabError> {
        let seeds = (1..=plan.seeds as u64).collect();
        let (setting, broken) = (plan.setting.clone(), plan.broken);
        let (records, used) = (Mutex::default(), Mutex::default());
        let lab = Lab { setting, seeds, broken, experiment: self, journal, progress, records, used };
        let report = (self.run)(&lab)?;
        let records = lab.records.into_inner().unwrap_or_else(|e| e.into_inner());
        let used: BTreeSet<String> = lab.used.into_inner().unwrap_or_else(|e| e.into_inner());
        let unused_text = self.text.sections().own().filter(|name| !used.contains(*name)).collect();
        Ok(Outcome { experiment: self, plan, report, unused_text, records })
    }
}

impl Plan {
    /// As it is written beside the results, and read again.
    pub fn to_json(&self, experiment: &Experiment) -> Value {
        let Plan { setting, seeds, quick, broken } = self;
        json!({
            "experiment": experiment.name, "seeds": seeds, "quick": quick, "broken": broken, "setting": setting.to_json(),
        })
    }

    /// Takes over what a file says, in which every key but "experiment" may be left out.
    ///
    /// # Errors
    /// If a key is unknown, or its value is not what it takes; the message does not name the file.
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
                ("seeds", value) => match value.as_u64().map(|n| n as usize) {
                    Some(0) if experiment.seeds.is_none() => {}
                    Some(n) => {
                        experiment.check_seeds(n).map_err(|e| LabError::Failure(format!("seeds: {e}")))?;
                        self.seeds = n;
                    }
                    None => return wrong(key, "a count", value),
                },
                ("quick", Value::Bool(_)) => {} // says only from which numbers the setting came
                ("broken", Value::Bool(broken)) => self.broken = *broken,
                ("quick" | "broken", other) => return wrong(key, "true or false", other),
                _ => return wrong(key, "only experiment, seeds, quick, broken and setting", value),
            }
        }
        Ok(())
    }
}

/// Why an experiment could not be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabError {
    /// What was asked for cannot be.
    Usage(String),
    /// A file or the run failed.
    Failure(String),
    /// Data that are too large to carry along are not there.
    Absent(String),
}

impl fmt::Display for LabError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (LabError::Usage(message) | LabError::Failure(message) | LabError::Absent(message)) = self;
        f.write_str(message)
    }
}
impl std::error::Error for LabError {}

impl From<surprisal_data::DataError> for LabError {
    fn from(error: surprisal_data::DataError) -> Self {
        LabError::Failure(error.to_string())
    }
}
