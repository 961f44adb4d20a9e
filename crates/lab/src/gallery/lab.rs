//! [`Lab`]: the settings, seeds and text of an experiment, and the function that runs jobs on several cores.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Mutex;

use super::record::Labeled;
use super::{Experiment, Journal, LabError, Record, Values};
use serde_json::Value;
use surprisal_train::parallel::Progress;
use surprisal_train::{Runs, Team};

/// The surroundings of an experiment.
pub struct Lab<'a> {
    /// The values of its settings.
    pub setting: Values,
    /// The seeds; empty if nothing is random.
    pub seeds: Vec<u64>,
    /// Whether this is the broken version, which must not support the claim.
    pub broken: bool,
    pub(super) experiment: &'static Experiment,
    pub(super) journal: Option<&'a Journal>,
    pub(super) progress: &'a dyn Progress,
    pub(super) team: Team<'a>,
    pub(super) records: Mutex<Vec<Labeled>>,
    pub(super) used: Mutex<BTreeSet<String>>,
}

impl Lab<'_> {
    /// Returns the value of a setting; [`Values`] has further methods.
    #[track_caller]
    pub fn number(&self, key: &str) -> f64 {
        self.setting.number(key)
    }
    /// Returns the values of a list.
    #[track_caller]
    pub fn numbers(&self, key: &str) -> &[f64] {
        self.setting.numbers(key)
    }
    /// Returns the value of a count.
    #[track_caller]
    pub fn count(&self, key: &str) -> usize {
        self.setting.count(key)
    }

    /// Returns a section of the experiment's text, which has no placeholders: `lab.text("caption: rates")`.
    ///
    /// # Panics
    /// If there is no such section, a placeholder has no value, or a value no placeholder: mistakes in the program, which the tests find.
    #[track_caller]
    pub fn text(&self, name: &str) -> String {
        self.text_with(name, &[])
    }

    /// Returns a section with its placeholders filled: `lab.text_with("finding: rates", &[("rate", &0.1)])`.
    ///
    /// # Panics
    /// As [`Lab::text`].
    #[track_caller]
    pub fn text_with(&self, name: &str, values: &[(&str, &dyn Display)]) -> String {
        self.used.lock().unwrap_or_else(|e| e.into_inner()).insert(name.into());
        let filled = self.experiment.text.sections().filled(name, values);
        filled.unwrap_or_else(|error| panic!("the text of {}: {error}", self.experiment.name))
    }

    /// Returns the index of a number in a list.
    ///
    /// # Errors
    /// If the list does not contain it.
    pub fn place(&self, key: &str, list: &str) -> Result<usize, LabError> {
        let (number, values) = (self.number(key), self.numbers(list));
        values.iter().position(|&value| value == number).ok_or_else(|| {
            LabError::Usage(format!(
                "{key}: {number} is not among {list}, {values:?}: add it there, or choose one of them"
            ))
        })
    }

    /// Returns the batch size, the setting `batch`, for this number of training images.
    ///
    /// # Errors
    /// If there are not as many.
    pub fn batch_of(&self, rows: usize) -> Result<usize, LabError> {
        match self.count("batch") {
            batch if batch > rows => {
                Err(LabError::Usage(format!("batch: {batch} images in a step, but there are only {rows}")))
            }
            batch => Ok(batch),
        }
    }

    /// Computes `run` of every job, on several cores. The results are in the order of the jobs and do not depend on the number of cores. All
    /// records go to the files of the experiment, with the labels of their jobs.
    ///
    /// Labels identify the jobs of an experiment: a job that was finished before an interruption is not run again. Under MPI, the cores of all
    /// ranks compute.
    ///
    /// # Errors
    /// If the journal cannot be written, or belongs to a part and results of other parts are missing. Stages that do not depend on each
    /// other are all run before the first error is returned, so that a part has its share of each.
    pub fn runs<J: Sync, const L: usize, const R: usize>(
        &self,
        what: &str,
        jobs: &[J],
        label: impl Fn(&J) -> [(&'static str, String); L] + Sync,
        run: impl Fn(&J) -> [Record; R] + Sync,
    ) -> Result<Vec<[Record; R]>, LabError> {
        let results = self.try_runs(what, jobs, &label, |job| Ok(run(job)))?;
        for (job, records) in jobs.iter().zip(&results) {
            records.iter().for_each(|record| self.keep_labeled(label(job).to_vec(), record.clone()));
        }
        Ok(results)
    }

    /// Computes runs that may fail, without adding their records to the files.
    ///
    /// # Errors
    /// If a run fails, and as [`Lab::runs`].
    pub fn try_runs<J: Sync, const L: usize, const R: usize>(
        &self,
        what: &str,
        jobs: &[J],
        label: impl Fn(&J) -> [(&'static str, String); L] + Sync,
        run: impl Fn(&J) -> Result<[Record; R], LabError> + Sync,
    ) -> Result<Vec<[Record; R]>, LabError> {
        let label = |job: usize| label(&jobs[job]).to_vec();
        let run = |job: usize| run(&jobs[job]).map(Vec::from);
        let results = self.numbered(what, jobs.len(), R, &label, &run)?;
        let records = |records: Vec<Record>| records.try_into().expect("as many records as were computed");
        Ok(results.into_iter().map(records).collect())
    }

    /// The runs of jobs by their numbers, with `records` records each: compiled once, for all experiments.
    fn numbered(
        &self,
        what: &str,
        jobs: usize,
        records: usize,
        label: &(dyn Fn(usize) -> Vec<(&'static str, String)> + Sync),
        run: &(dyn Fn(usize) -> Result<Vec<Record>, LabError> + Sync),
    ) -> Result<Vec<Vec<Record>>, LabError> {
        let name = self.experiment.name;
        let keys = Vec::from_iter((0..jobs).map(|job| format!("{name}: {what} {:?}", label(job))));
        let find = |job: usize| {
            let found = self.journal?.find(&keys[job])?;
            (found.len() == records).then(|| found.clone())
        };
        let share = self.journal.map_or_else(|| Vec::from_iter(0..jobs), |journal| journal.share(jobs));
        let runs = Runs {
            what,
            done: share.iter().map(|&job| find(job)).collect(),
            run: &|k| run(share[k]).map(Some),
            keep: &|k, found: &Vec<Record>| {
                self.journal.map_or(Ok(()), |journal| journal.note(&keys[share[k]], found))
            },
            encode: |records| records.iter().map(Record::to_json).collect(),
            decode: |value: Value| value.as_array()?.iter().map(Record::from_json).collect(),
        };
        let mut computed = vec![None; jobs];
        for (job, found) in share.iter().zip(self.team.compute(runs, self.progress)?) {
            computed[*job] = found;
        }
        let others = computed.into_iter().enumerate().map(|(job, found)| found.or_else(|| find(job)));
        others.collect::<Option<_>>().ok_or(LabError::Waits)
    }

    /// Adds a record that does not come from a run, such as the points of a surface.
    pub fn keep(&self, record: Record) {
        self.keep_labeled(vec![], record);
    }

    /// Adds a record with its labels. Records of one name go to one file, and have the same labels and columns.
    pub fn keep_labeled(&self, labels: Vec<(&'static str, String)>, record: Record) {
        self.records.lock().unwrap_or_else(|e| e.into_inner()).push(Labeled { labels, record });
    }
}
