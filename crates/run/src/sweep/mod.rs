//! [`sweep`]: grid or random search over settings, each with several seeds; [`sweep_part`]: a part of its runs.

mod journal;
mod report;
mod vary;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use surprisal_data::metrics::Metric;
use surprisal_data::{Loaded, Targets, k_fold, stratified_k_fold};
use surprisal_layers::{Rng, rng};
use surprisal_report::files::write_unsynced;
use surprisal_report::journal::JournalError;
use surprisal_report::parts::{self, Computation, Part, PartJournal, Share};
use surprisal_report::statistics::Estimate;
use surprisal_train::parallel::Progress;
use surprisal_train::{Group, History, Monitor, Team};

use crate::job::{VALIDATION, checksum};
use crate::{Job, Rows, RunError, SEED, Settings, hold_out, open, split};
use journal::{Journal, NAME, cannot_write};
use vary::Assignment;
pub use vary::{Plan, Vary};

/// Settings of the data that do not change how they are read and split.
const OF_TRAINING_ROWS: [&str; 4] = ["scaling", "balance", "label_noise", "augment"];
/// The best settings, for `train --config`.
const BEST: &str = "best.toml";

/// How a sweep ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Swept {
    /// All runs have ended.
    Finished(Box<Sweep>),
    /// It was interrupted; the same sweep in the same folder resumes it.
    Interrupted {
        /// Runs that have ended.
        done: usize,
        /// Runs that there are.
        runs: usize,
    },
}

/// The results of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// The settings that all runs share.
    pub settings: Settings,
    /// The monitored metric, which ranks the points: "loss", or a metric.
    pub monitor: Monitor,
    /// The number of folds of which each run is the mean; `None` for one validation set.
    pub folds: Option<usize>,
    /// Every point, the best first; those of which a run failed last.
    pub points: Vec<Point>,
}

/// Some values of the settings that vary.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Each setting that varies, and its value here.
    pub values: Vec<(&'static str, String)>,
    /// A run for each seed.
    pub runs: Vec<Run>,
}

/// One training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Which point it is of, in the order of the plan.
    pub point: usize,
    /// Its seed.
    pub seed: u64,
    /// What was measured, or why nothing could be.
    pub outcome: Result<Measured, String>,
}

/// What was measured at the end of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Number of epochs.
    pub epochs: usize,
    /// The monitored metric and all others, on the validation set.
    pub validation: Vec<(String, f64)>,
    /// Every metric on the test set; reported for the best point alone.
    pub test: Vec<(String, f64)>,
}

/// Trains every point of the plan with every seed, and writes the results to a folder.
///
/// The monitored metric (by default the loss), measured on the *validation* set and averaged over the
/// seeds, decides which point is the best; by default the validation set is 15 % of the rows. The
/// test set is the same in all runs, decides nothing, and is reported for the best point alone. The first seed is
/// that of the settings, and its runs are to the bit what [`Job::new`] trains from the same settings; another
/// seed draws the validation set, the initial parameters and the order of rows anew. A point with a failed run is never
/// the best, whatever its other runs give.
///
/// With [`folds`](Plan::folds), a run is a cross-validation of the rows outside the test set, cut by its seed: a net is trained for each fold,
/// with this fold as its validation set, and every number of the run is the mean over the folds.
///
/// | file | what it holds |
/// |---|---|
/// | `sweep.csv` | a row for each run |
/// | `sweep.txt`, `sweep.json` | the points, the best first, with 95 % intervals over the seeds |
/// | `sweep.svg` | the monitored metric against the setting that varies, or point by point |
/// | `report.html` | the picture and the tables as a page |
/// | `best.toml` | the best settings |
/// | `journal.jsonl` | which sweep it is, and every run that has ended: from it a sweep goes on |
///
/// A run that has ended is in the journal, and at least once a second the journal goes to the disk. The same sweep in the same folder trains the others,
/// and in the end every file has the bytes of a sweep that was never stopped, on any number of cores. When
/// `interrupted` becomes true, the runs that have begun are ended and no other begins.
///
/// With a `group`, all ranks call it with the same arguments: their cores compute the runs, and rank 0 alone writes.
///
/// ```
/// use std::sync::atomic::AtomicBool;
/// use surprisal_run::{Plan, Settings, Swept, sweep};
/// # let folder = std::env::temp_dir().join(format!("surprisal-sweep-example-{}", std::process::id()));
/// let settings = Settings::from_toml("data = \"iris\"\nepochs = 20\nwatch = \"accuracy\"\n", "iris.toml")?;
/// let plan = Plan { vary: vec!["lr=0.0001,0.1".parse().unwrap()], random: None, seeds: 2, folds: None };
/// let Swept::Finished(sweep) = sweep(&settings, &plan, &folder, &AtomicBool::new(false), &(), None)? else { unreachable!() };
/// assert_eq!(sweep.best().lr, Some(0.1));
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), surprisal_run::RunError>(())
/// ```
///
/// # Errors
/// If the plan or the settings are invalid, if the data cannot be read, if the folder holds another sweep or
/// cannot be written, if no point has come through all its runs, and if a rank fails or has other settings or data. A run that diverges is not an
/// error, but a row with its reason.
pub fn sweep(
    settings: &Settings,
    plan: &Plan,
    folder: impl AsRef<Path>,
    interrupted: &AtomicBool,
    progress: &dyn Progress,
    group: Option<&mut dyn Group>,
) -> Result<Swept, RunError> {
    let (folder, team) = (folder.as_ref(), Team::new(group));
    let all = team.agree(Runs::of(settings, plan))?;
    team.same("settings or data", all.fingerprint.to_string().as_bytes())?;
    let (journal, done) = team.first(|| Journal::open(folder, &all.fingerprint))?.unzip();
    let done = done.unwrap_or_default();
    let find = |k: usize| {
        let of = |run: &&Run| (run.point, run.seed) == all.jobs[k];
        done.iter().find(of).cloned()
    };
    let runs = Vec::from_iter(0..all.jobs.len());
    let note = |_, run: &Run| journal.as_ref().map_or(Ok(()), |journal| journal.note(run));
    let ended = all.train(&runs, find, note, interrupted, progress, &team)?;
    if ended.len() < runs.len() {
        return Ok(Swept::Interrupted { done: ended.len(), runs: runs.len() });
    }
    let sweep = Sweep::new(all.base, plan.folds, all.points, &ended)?;
    if let Some(journal) = journal {
        sweep.write(folder)?;
        journal.sort(&ended)?;
    }
    Ok(Swept::Finished(Box::new(sweep)))
}

/// Trains the runs of a sweep that belong to one part, in a folder that all parts share. Runs are numbered point by point, from 0, and
/// seed by seed.
///
/// The part has a folder in `folder`, in which each process writes a journal of its own: parts may run at the same time, on several machines. A
/// part that was stopped goes on when it is called again. [`merge_sweep`] makes the result of all parts.
///
/// # Errors
/// As [`sweep`], and if the folder contains parts of another number or another sweep.
pub fn sweep_part(
    settings: &Settings,
    plan: &Plan,
    part: Part,
    folder: impl AsRef<Path>,
    interrupted: &AtomicBool,
    progress: &dyn Progress,
) -> Result<Share, RunError> {
    let all = Runs::of(settings, plan)?;
    let computation = Computation { name: NAME, runs: all.jobs.len(), of: all.fingerprint.clone() };
    let (journal, done) = PartJournal::open(folder, part, &computation)?;
    let mut ended = BTreeMap::new();
    for (k, result) in done {
        ended.insert(k, all.read(k, result)?);
    }
    let runs = Vec::from_iter((0..all.jobs.len()).filter(|&k| part.has(k)));
    let note = |k: usize, run: &Run| Ok(journal.note(k, &journal::line(run)?)?);
    let find = |k| ended.get(&k).cloned();
    let done = all.train(&runs, find, note, interrupted, progress, &Team::new(None))?.len();
    journal.close()?;
    Ok(Share { done, runs: runs.len() })
}

/// Writes the results of a sweep whose parts are in this folder: every file with the bytes that one process writes, see [`sweep`].
///
/// ```
/// use std::sync::atomic::AtomicBool;
/// use surprisal_run::{Plan, Settings, merge_sweep, sweep_part};
/// # let folder = std::env::temp_dir().join(format!("surprisal-parts-example-{}", std::process::id()));
/// let settings = Settings::from_toml("data = \"iris\"\nepochs = 20\nmonitor = \"accuracy\"\n", "iris.toml")?;
/// let plan = Plan { vary: vec!["lr=0.0001,0.1".parse().unwrap()], random: None, seeds: 2, folds: None };
/// for part in ["1/2", "2/2"] {
///     sweep_part(&settings, &plan, part.parse().unwrap(), &folder, &AtomicBool::new(false), &())?;
/// }
/// assert_eq!(merge_sweep(&folder)?.best().lr, Some(0.1));
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), surprisal_run::RunError>(())
/// ```
///
/// # Errors
/// If a part is missing, unfinished, there twice, or of other settings, other data or another version of the program; if no point has come through
/// all its runs; and if a file cannot be written.
pub fn merge_sweep(folder: impl AsRef<Path>) -> Result<Sweep, RunError> {
    let folder = folder.as_ref();
    let (fingerprint, results) = parts::merge(folder, NAME).map_err(RunError::run)?;
    let foreign = || RunError::run(JournalError::Foreign.at(folder));
    let (points, folds) = points_and_folds(&fingerprint).ok_or_else(foreign)?;
    let base = Settings::from_toml(fingerprint["settings"].as_str().ok_or_else(foreign)?, folder)?;
    let read = |result| serde_json::from_value(result).map_err(|_| foreign());
    let runs = results.into_iter().map(read).collect::<Result<Vec<Run>, _>>()?;
    let sweep = Sweep::new(base, folds, points, &runs)?;
    sweep.write(folder)?;
    journal::write(folder, &fingerprint, &runs)?;
    Ok(sweep)
}

/// The points of a fingerprint, and its folds.
fn points_and_folds(fingerprint: &Value) -> Option<(Vec<Assignment>, Option<usize>)> {
    let known =
        |key: String| Settings::ALL.iter().find(|setting| setting.key == key).map(|setting| setting.key);
    let texts: Vec<Vec<(String, String)>> = serde_json::from_value(fingerprint["points"].clone()).ok()?;
    let point = |point: Vec<(String, String)>| {
        point.into_iter().map(|(key, value)| Some((known(key)?, value))).collect::<Option<Assignment>>()
    };
    let points = texts.into_iter().map(point).collect::<Option<Vec<_>>>()?;
    let folds = fingerprint["folds"].as_u64().map(|folds| folds as usize);
    (!points.is_empty()).then_some((points, folds))
}

/// All runs of a sweep, with their data.
struct Runs {
    base: Settings,
    points: Vec<Assignment>,
    at_points: Vec<Settings>,
    data: Vec<Data>,
    folds: Option<usize>,
    jobs: Vec<(usize, u64)>, // the point and the seed of each run
    fingerprint: Value,
}

impl Runs {
    fn of(settings: &Settings, plan: &Plan) -> Result<Runs, RunError> {
        let points = plan.points(settings)?;
        if settings.validation == Some(0.0) {
            return Err(RunError::usage(
                "validation 0: a sweep chooses the best settings on validation rows | leave it out, or set it to 0.15",
            ));
        }
        let seed = settings.seed.unwrap_or(SEED);
        let validation = settings.validation.unwrap_or(VALIDATION);
        let base = Settings { seed: Some(seed), validation: Some(validation), ..settings.clone() };
        let at_points = points.iter().map(|point| at(&base, point)).collect::<Result<Vec<_>, _>>()?;
        let data = Data::of_all(&at_points)?;

        let crcs = data.iter().map(|data| checksum(&data.loaded)).collect::<Result<Vec<_>, _>>()?;
        let program = env!("CARGO_PKG_VERSION");
        let (seeds, text) = (plan.seeds, base.to_toml());
        let mut fingerprint =
            json!({ "data": crcs, "points": points, "program": program, "seeds": seeds, "settings": text });
        if let Some(folds) = plan.folds {
            fingerprint["folds"] = folds.into();
        }
        let seeds = (0..plan.seeds as u64).map(|k| seed.wrapping_add(k));
        let jobs =
            Vec::from_iter((0..points.len()).flat_map(|point| seeds.clone().map(move |seed| (point, seed))));
        Ok(Runs { base, points, at_points, data, folds: plan.folds, jobs, fingerprint })
    }

    /// Trains some of the runs, and returns those that have ended. A run that `done` finds is not trained again.
    fn train(
        &self,
        runs: &[usize],
        done: impl Fn(usize) -> Option<Run>,
        note: impl Fn(usize, &Run) -> Result<(), RunError> + Sync,
        interrupted: &AtomicBool,
        progress: &dyn Progress,
        team: &Team,
    ) -> Result<Vec<Run>, RunError> {
        let run = |k: usize| {
            if interrupted.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let (point, seed) = self.jobs[runs[k]];
            let settings = &self.at_points[point];
            let key = Data::key(settings);
            let data = self.data.iter().find(|data| data.key == key).expect("opened for every point");
            let outcome = train(settings, seed, data, self.folds).map_err(|error| error.to_string());
            Ok(Some(Run { point, seed, outcome }))
        };
        let runs = surprisal_train::Runs {
            what: "sweep",
            done: runs.iter().map(|&k| done(k)).collect(),
            run: &run,
            keep: &|k, run| note(runs[k], run),
            encode: |run| json!(run),
            decode: |run| serde_json::from_value(run).ok(),
        };
        Ok(team.compute(runs, progress)?.into_iter().flatten().collect())
    }

    /// A run from the journal of a part.
    fn read(&self, k: usize, result: Value) -> Result<Run, RunError> {
        let run = serde_json::from_value(result).ok();
        run.filter(|run: &Run| (run.point, run.seed) == self.jobs[k]).ok_or_else(|| {
            RunError::run(format!("run {k} of a journal is not one of this sweep | name another folder"))
                .with(&["out"])
        })
    }
}

/// The settings of a point.
fn at(base: &Settings, point: &Assignment) -> Result<Settings, RunError> {
    let mut settings = Settings::default();
    for (key, value) in point {
        settings.set(key, value)?;
    }
    Ok(base.clone().and(&settings))
}

/// Data that are open and cut.
struct Data {
    key: String, // the settings that it was opened by
    loaded: Loaded,
    rows: Rows,
    rng: Rng, // as it stood then
    seed: u64,
}

impl Data {
    fn key(settings: &Settings) -> String {
        let of_data =
            Settings::ALL.iter().filter(|setting| setting.heading == "Data").map(|setting| setting.key);
        let keys = of_data.filter(|key| !OF_TRAINING_ROWS.contains(key));
        Vec::from_iter(keys.map(|key| settings.get(key).unwrap_or_default())).join("\n")
    }

    /// The data of all these settings, each opened once.
    fn of_all(all: &[Settings]) -> Result<Vec<Data>, RunError> {
        let mut opened: Vec<Data> = Vec::new();
        for settings in all {
            let (key, seed) = (Data::key(settings), settings.seed.unwrap_or(SEED));
            if opened.iter().all(|data| data.key != key) {
                let mut rng = rng(seed);
                let loaded = open(settings, &mut rng)?;
                let rows = split(settings, &loaded, &mut rng)?;
                opened.push(Data { key, loaded, rows, rng, seed });
            }
        }
        Ok(opened)
    }

    /// The rows of a run with this seed, and what it draws the rest from.
    fn rows(&self, seed: u64) -> Result<(Rows, Rng), RunError> {
        let Rows { train, validation, test } = self.rows.clone();
        if seed == self.seed {
            return Ok((Rows { train, validation, test }, self.rng.clone()));
        }
        let mut rng = rng(seed);
        let share = validation.len() as f64 / (train.len() + validation.len()) as f64;
        let mut rest = [train, validation].concat();
        rest.sort_unstable();
        let (train, validation) = hold_out(&self.loaded, rest, share, &mut rng)?;
        Ok((Rows { train, validation, test }, rng))
    }

    /// The rows outside the test set in `k` folds, each of which is the validation set once.
    fn folds(&self, seed: u64, k: usize) -> Result<Vec<(Rows, Rng)>, RunError> {
        let Rows { train, validation, test } = self.rows.clone();
        let mut rest = [train, validation].concat();
        rest.sort_unstable();
        let mut rng = rng(seed);
        let folds = match self.loaded.targets() {
            Targets::Classes { labels, .. } => {
                let labels = Vec::from_iter(rest.iter().map(|&row| labels[row]));
                stratified_k_fold(&labels, k, &mut rng)?
            }
            _ => k_fold(rest.len(), k, &mut rng)?,
        };
        let of_rest = |rows: Vec<usize>| Vec::from_iter(rows.into_iter().map(|row| rest[row]));
        let rows = folds.into_iter().map(|fold| Rows {
            train: of_rest(fold.train),
            validation: of_rest(fold.test),
            test: test.clone(),
        });
        Ok(rows.map(|rows| (rows, rng.clone())).collect())
    }
}

/// One run: a training, or one for each fold.
fn train(settings: &Settings, seed: u64, data: &Data, folds: Option<usize>) -> Result<Measured, RunError> {
    let Some(folds) = folds else { return train_on(settings, seed, data, data.rows(seed)?) };
    let of_fold = |(k, cut)| {
        train_on(settings, seed, data, cut).map_err(|error| error.at(&format!("fold {} of {folds}", k + 1)))
    };
    let all = data.folds(seed, folds)?.into_iter().enumerate().map(of_fold);
    let all = all.collect::<Result<Vec<_>, RunError>>()?;
    let mean = |part: fn(&Measured) -> &Vec<(String, f64)>| {
        let names = part(&all[0]).iter().map(|(name, _)| name);
        let of_all = names.filter_map(|name| {
            let values = all.iter().map(|fold| find(part(fold), name)).collect::<Option<Vec<f64>>>()?;
            Some((name.clone(), surprisal_report::statistics::mean(&values)))
        });
        of_all.collect()
    };
    let epochs = all.iter().map(|fold| fold.epochs).max().unwrap_or(0);
    Ok(Measured { epochs, validation: mean(|fold| &fold.validation), test: mean(|fold| &fold.test) })
}

fn train_on(
    settings: &Settings,
    seed: u64,
    data: &Data,
    (rows, mut rng): (Rows, Rng),
) -> Result<Measured, RunError> {
    let mut job = Job::on(&Settings { seed: Some(seed), ..settings.clone() }, &data.loaded, rows, &mut rng)?;
    let (history, _) = job.fit(None, &mut ())?;
    let all = job.scores()?;
    let scores = |part: &str| {
        let of_part = all.iter().filter(|(name, _)| *name == part).flat_map(|(_, scores)| scores);
        // JSON has no other numbers
        let finite = of_part.filter(|(_, value)| value.is_finite());
        Vec::from_iter(finite.map(|(metric, value)| (metric.to_string(), *value)))
    };
    let (mut validation, test) = (scores("validation"), scores("test"));
    let name = job.trainer.monitor.to_string();
    if find(&validation, &name).is_none() {
        let monitored = monitored(&history, job.trainer.monitor, job.trainer.keep_best);
        validation.insert(0, (name.clone(), monitored));
    }
    match find(&validation, &name).filter(|value| !value.is_finite()) {
        Some(value) => {
            Err(RunError::run(format!("the validation part's {name} is {value}: did the training diverge?")))
        }
        None => Ok(Measured { epochs: history.last().epoch, validation, test }),
    }
}

/// A score by its name.
fn find(scores: &[(String, f64)], name: &str) -> Option<f64> {
    scores.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
}

/// The monitored metric, of the parameters that the training left: those of the last epoch, or of the best.
fn monitored(history: &History, monitor: Monitor, keep_best: bool) -> f64 {
    let values = history.epochs().iter().map(|epoch| epoch.monitored);
    match (keep_best, monitor.larger_is_better()) {
        (false, _) => history.last().monitored,
        (true, true) => values.fold(f64::NAN, f64::max),
        (true, false) => values.fold(f64::NAN, f64::min),
    }
}

impl Sweep {
    fn new(
        settings: Settings,
        folds: Option<usize>,
        points: Vec<Assignment>,
        runs: &[Run],
    ) -> Result<Sweep, RunError> {
        let point = |(i, values)| {
            let runs = runs.iter().filter(|run| run.point == i).cloned().collect();
            Point { values, runs }
        };
        let points = Vec::from_iter(points.into_iter().enumerate().map(point));
        let monitor = settings.monitor.unwrap_or(Monitor::Loss);
        let mut sweep = Sweep { settings, monitor, folds, points };
        let name = monitor.to_string();
        let sign = if monitor.larger_is_better() { -1.0 } else { 1.0 };
        let rank =
            |point: &Point| point.validation(&name).map_or(f64::INFINITY, |estimate| sign * estimate.mean);
        sweep.points.sort_by(|a, b| rank(a).total_cmp(&rank(b))); // of equals the first stays first
        match sweep.points[0].failure() {
            Some(reason) => Err(RunError::run(format!(
                "no point came through all its runs; the first that failed: {reason}"
            ))),
            None => Ok(sweep),
        }
    }

    /// Writes every file but the journal.
    fn write(&self, folder: &Path) -> Result<(), RunError> {
        for (name, content) in self.files() {
            let path = folder.join(name);
            write_unsynced(&path, content.as_bytes()).map_err(|error| cannot_write(&path, &error))?;
        }
        Ok(())
    }

    /// The settings of the best point.
    pub fn best(&self) -> Settings {
        // its values were read once
        at(&self.settings, &self.points[0].values).unwrap_or_else(|_| self.settings.clone())
    }
}

impl Point {
    /// The monitored metric on the validation set: its mean over the seeds, and a 95 % interval; `None` if a run failed.
    pub fn validation(&self, name: &str) -> Option<Estimate> {
        self.estimate(name, |measured| &measured.validation)
    }

    fn estimate(&self, name: &str, part: fn(&Measured) -> &Vec<(String, f64)>) -> Option<Estimate> {
        let of_run = |run: &Run| find(part(run.outcome.as_ref().ok()?), name);
        let values = self.runs.iter().map(of_run).collect::<Option<Vec<f64>>>()?;
        // a loss has no bounds: an objective may be below 0
        let range = name.parse().map_or((f64::NEG_INFINITY, f64::INFINITY), |metric: Metric| metric.range());
        Some(if let [one] = values[..] {
            Estimate::exactly(one)
        } else {
            Estimate::of(&values).within(range)
        })
    }

    /// Why a run of it failed, if one did.
    fn failure(&self) -> Option<&str> {
        self.runs.iter().find_map(|run| run.outcome.as_ref().err()).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_share_the_test_part_and_draw_what_they_choose_by() {
        let settings = Settings::from_toml("data = \"iris\"\nvalidation = 0.2\n", "test.toml").unwrap();
        let data = Data::of_all(&[settings.clone(), Settings { lr: Some(1.0), ..settings }]).unwrap();
        let [data] = &data[..] else { panic!("opened once for both") };
        let [(first, _), (second, _)] = [SEED, SEED + 1].map(|seed| data.rows(seed).unwrap());
        assert_eq!(first.test, second.test);
        assert_ne!(first.validation, second.validation);
        assert_eq!(first.validation.len(), second.validation.len());
        let all = |rows: Rows| {
            let mut all = [rows.train, rows.validation, rows.test].concat();
            all.sort_unstable();
            all
        };
        assert!(all(first) == Vec::from_iter(0..150) && all(second) == Vec::from_iter(0..150));

        let folds = data.folds(SEED, 3).unwrap();
        let mut seen = Vec::new();
        for (rows, _) in folds {
            assert_eq!((&rows.test, rows.validation.len()), (&data.rows.test, 37));
            seen.extend(rows.validation.clone());
            assert!(all(rows) == Vec::from_iter(0..150));
        }
        seen.extend(&data.rows.test);
        seen.sort_unstable();
        assert!(seen == Vec::from_iter(0..150)); // each row outside the test set is validated once
    }
}
