//! [`cross_validate`]: k-fold cross-validation: every row is in the test set once.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use surprisal_data::metrics::Metric;
use surprisal_data::{Fold, Loaded, Notice, Targets, k_fold, stratified_k_fold};
use surprisal_layers::rng;
use surprisal_report::csv::csv;
use surprisal_report::files::cannot_write;
use surprisal_report::journal::{JournalError, JournalFile};
use surprisal_report::parts::{self, Computation, Part, PartJournal, Share};
use surprisal_report::statistics::{Estimate, MOST_RUNS};
use surprisal_tensor::ndarray::Axis;
use surprisal_train::parallel::Progress;
use surprisal_train::{Group, Runs, Team};

use crate::job::{checksum, validation_share};
use crate::table::{aligned, short};
use crate::{Job, Rows, RunError, SEED, Settings, hold_out, open};

/// The name of the command, in journals.
const NAME: &str = "surprisal cv";
/// What a row is called, without masks and with them.
const NOUNS: [&str; 2] = ["rows", "images"];

/// The scores of every fold.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossValidation {
    /// Name of the data.
    pub data: String,
    /// What was decided automatically while reading the data.
    pub notices: Vec<Notice>,
    /// What a row is called: "rows", or "images" if each has a mask.
    pub noun: &'static str,
    /// The folds, in order.
    pub folds: Vec<FoldScores>,
}

/// One fold: the scores on it of a net that was trained on the others.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldScores {
    /// Seed of the net's initial parameters and the order of its rows.
    pub seed: u64,
    /// Number of training rows.
    pub train: usize,
    /// Number of validation rows.
    pub validation: usize,
    /// Number of test rows.
    pub test: usize,
    /// Number of epochs.
    pub epochs: usize,
    /// Every metric that applies, on the test rows.
    pub scores: Vec<(Metric, f64)>,
    /// The classes that no pixel of the test masks has. The Dice of such a class is 1 if it is not predicted either, and else 0.
    pub absent: Vec<String>,
}

/// Splits the data into `folds` parts and trains one net for each: it is tested on this part and trained on the
/// others. Classes have the same proportions in all parts.
///
/// The data are opened once. Scaling and categories are fitted anew on each net's training rows. If
/// early stopping, the best epoch or a schedule needs validation rows, they are taken from the
/// training rows, never from the test rows. The setting `test` is ignored. Of data that come with
/// a test part of their own, only the others are cut.
///
/// Fold k has the seed `seed + k`, counted from 1. The folds run over the cores; how many there are changes no bit.
///
/// ```
/// use surprisal_data::metrics::Metric;
/// use surprisal_run::{Settings, cross_validate};
/// let settings = Settings::from_toml("data = \"iris\"\nopt = \"adam\"\nlr = 0.02\nepochs = 30\n", "iris.toml")?;
/// let outcome = cross_validate(&settings, 5, &())?;
/// let accuracy = outcome.estimate(Metric::Accuracy).expect("iris has classes");
/// assert!(accuracy.mean > 0.9 && accuracy.low < accuracy.mean);
/// assert!(outcome.folds.iter().all(|fold| (fold.train, fold.test) == (120, 30)));
/// # Ok::<(), surprisal_run::RunError>(())
/// ```
///
/// # Errors
/// If there are not 2 to 1000 folds, fewer rows (or rows of a class) than folds, where a setting does not
/// fit, and if a training diverges: with the fold.
pub fn cross_validate(
    settings: &Settings,
    folds: usize,
    progress: &dyn Progress,
) -> Result<CrossValidation, RunError> {
    let team = Team::new(None);
    let nets = Nets::of(settings, folds)?;
    let folds = nets.train(&Vec::from_iter(0..folds), vec![None; folds], &|_, _| Ok(()), progress, &team)?;
    Ok(nets.outcome(folds))
}

/// As [`cross_validate`], on the cores of all ranks of a group, which call it with the same arguments and all get the result.
///
/// Rank 0 keeps a hidden journal in `folder`, with which the same cross-validation resumes after a rank was killed. It is returned to rank 0, to
/// be removed when the result is saved.
///
/// # Errors
/// As [`cross_validate`]; and if a rank fails or has other settings or data, or the journal cannot be used.
pub fn cross_validate_on(
    group: &mut dyn Group,
    settings: &Settings,
    folds: usize,
    folder: impl AsRef<Path>,
    progress: &dyn Progress,
) -> Result<(CrossValidation, Option<JournalFile>), RunError> {
    let team = Team::new(Some(group));
    let (nets, of) = team.agree(Nets::of(settings, folds).and_then(|nets| {
        let of = nets.fingerprint()?;
        Ok((nets, of))
    }))?;
    team.same("settings or data", of.to_string().as_bytes())?;
    let (journal, done) = team.first(|| open_journal(folder.as_ref(), of, folds))?.unzip();
    let note = |k: usize, scores: &FoldScores| {
        let note = |journal: &JournalFile| {
            let noted = journal.note(&json!({ "run": k, "result": scores.to_json() }));
            noted.map_err(|error| RunError::run(cannot_write(journal.path(), &error)))
        };
        journal.as_ref().map_or(Ok(()), note)
    };
    let done = done.unwrap_or_else(|| vec![None; folds]);
    let trained = nets.train(&Vec::from_iter(0..folds), done, &note, progress, &team);
    match trained {
        Ok(folds) => Ok((nets.outcome(folds), journal)),
        Err(error) => {
            journal.into_iter().for_each(JournalFile::remove); // it would fail again
            Err(error)
        }
    }
}

/// Opens the journal of a cross-validation, and returns the folds in it.
fn open_journal(
    folder: &Path,
    of: Value,
    folds: usize,
) -> Result<(JournalFile, Vec<Option<FoldScores>>), RunError> {
    fs::create_dir_all(folder).map_err(|error| RunError::run(cannot_write(folder, &error)))?;
    let path = folder.join(format!(".cv-{:08x}.journal", crc32fast::hash(of.to_string().as_bytes())));
    let failed = |error: JournalError| RunError::run(error.at(&path));
    let (journal, lines) = JournalFile::open(&path, &json!({ "journal": NAME, "of": of })).map_err(failed)?;
    let mut done = vec![None; folds];
    for (line, value) in lines.iter().enumerate() {
        let k = value["run"].as_u64().map(|k| k as usize).filter(|&k| k < folds);
        let changed = || failed(JournalError::Changed(line + 2));
        done[k.ok_or_else(changed)?] = Some(FoldScores::from_json(&value["result"]).ok_or_else(changed)?);
    }
    Ok((journal, done))
}

/// Trains the nets of the folds that belong to one part, counted from 0, in a folder that all parts share.
///
/// The part has a folder in `folder`, in which each process writes a journal of its own: parts may run at the same time, on several machines. A
/// part that was stopped goes on when it is called again. [`merge_cross_validation`] makes the result of all parts. Returned are the runs of the
/// part, and what was decided automatically while reading the data.
///
/// # Errors
/// As [`cross_validate`], and if the folder contains parts of another number or another cross-validation.
pub fn cross_validate_part(
    settings: &Settings,
    folds: usize,
    part: Part,
    folder: impl AsRef<Path>,
    progress: &dyn Progress,
) -> Result<(Share, Vec<Notice>), RunError> {
    let nets = Nets::of(settings, folds)?;
    let computation = Computation { name: NAME, runs: folds, of: nets.fingerprint()? };
    let (journal, done) = PartJournal::open(folder, part, &computation)?;
    let mine = Vec::from_iter((0..folds).filter(|&k| part.has(k)));
    let done = mine.iter().map(|k| done.get(k).and_then(FoldScores::from_json)).collect();
    let note = |k: usize, scores: &FoldScores| Ok(journal.note(k, &scores.to_json())?);
    nets.train(&mine, done, &note, progress, &Team::new(None))?;
    journal.close()?;
    Ok((Share { done: mine.len(), runs: mine.len() }, nets.loaded.notices().to_vec()))
}

/// The cross-validation whose parts are in this folder, to the bit what one process computes, and its settings as a configuration file.
/// The notices about its data are left to the parts.
///
/// # Errors
/// If a part is missing, unfinished, there twice, or of other settings, other data or another version of the program.
pub fn merge_cross_validation(folder: impl AsRef<Path>) -> Result<(CrossValidation, String), RunError> {
    let folder = folder.as_ref();
    let (of, results) = parts::merge(folder, NAME).map_err(RunError::run)?;
    let read = || {
        let text = |key: &str| of[key].as_str().map(str::to_string);
        let noun = NOUNS.into_iter().find(|&noun| of["noun"] == noun)?;
        let folds = results.iter().map(FoldScores::from_json).collect::<Option<Vec<_>>>()?;
        let outcome = CrossValidation { data: text("name")?, notices: Vec::new(), noun, folds };
        Some((outcome, text("settings")?))
    };
    read()
        .filter(|(outcome, _)| !outcome.folds.is_empty())
        .ok_or_else(|| RunError::run(JournalError::Foreign.at(folder)))
}

/// The folds, and the data that they cut.
struct Nets<'a> {
    settings: &'a Settings,
    seed: u64,
    share: f64,
    loaded: Loaded,
    folds: Vec<Fold>,
}

impl Nets<'_> {
    fn of(settings: &Settings, folds: usize) -> Result<Nets<'_>, RunError> {
        if !(2..=MOST_RUNS).contains(&folds) {
            let message = format!("folds: expected 2 to {MOST_RUNS}, found {folds} | 5 or 10 are usual");
            return Err(RunError::usage(message));
        }
        if settings.test_data.is_some() {
            return Err(RunError::usage(
                "test_data: not used in cross-validation, where each part of the data is the test set once | leave it out",
            ));
        }
        let share = validation_share(settings)?;
        let seed = settings.seed.unwrap_or(SEED);
        let mut rng = rng(seed);
        let loaded = open(settings, &mut rng)?;
        let folds = match (loaded.given_test(), loaded.targets()) {
            (None, _) => loaded.k_fold(folds, &mut rng)?,
            (Some(test), Targets::Classes { labels, .. }) => {
                stratified_k_fold(&labels[..test.start], folds, &mut rng)?
            }
            (Some(test), _) => k_fold(test.start, folds, &mut rng)?,
        };
        Ok(Nets { settings, seed, share, loaded, folds })
    }

    fn outcome(&self, folds: Vec<FoldScores>) -> CrossValidation {
        CrossValidation {
            data: self.loaded.name().to_string(),
            notices: self.loaded.notices().to_vec(),
            noun: self.noun(),
            folds,
        }
    }

    /// What a row is called.
    fn noun(&self) -> &'static str {
        NOUNS[usize::from(self.loaded.targets().is_segmentation())]
    }

    /// Everything that the results depend on.
    fn fingerprint(&self) -> Result<Value, RunError> {
        Ok(json!({
            "data": checksum(&self.loaded)?, "folds": self.folds.len(), "name": self.loaded.name(), "noun": self.noun(),
            "program": env!("CARGO_PKG_VERSION"), "settings": self.settings.to_toml(),
        }))
    }

    /// Trains the nets of some folds, counted from 0, and tests them, unless that is done; notes the new ones.
    fn train(
        &self,
        folds: &[usize],
        done: Vec<Option<FoldScores>>,
        note: &(dyn Fn(usize, &FoldScores) -> Result<(), RunError> + Sync),
        progress: &dyn Progress,
        team: &Team,
    ) -> Result<Vec<FoldScores>, RunError> {
        let at = |k: usize| format!("fold {} of {}", k + 1, self.folds.len());
        let runs = Runs {
            what: "cross-validation",
            done,
            run: &|i| self.scores(folds[i]).map(Some).map_err(|error| error.at(&at(folds[i]))),
            keep: &|i, scores| note(folds[i], scores),
            encode: FoldScores::to_json,
            decode: |scores| FoldScores::from_json(&scores),
        };
        Ok(team.compute(runs, progress)?.into_iter().flatten().collect())
    }

    /// Trains the net of a fold, and tests it.
    fn scores(&self, k: usize) -> Result<FoldScores, RunError> {
        let Nets { settings, loaded, .. } = self;
        let (fold, seed) = (&self.folds[k], self.seed.wrapping_add(k as u64 + 1));
        let mut rng = rng(seed);
        let (train, validation) = hold_out(loaded, fold.train.clone(), self.share, &mut rng)?;
        let rows = Rows { train, validation, test: fold.test.clone() };
        let [train, validation, test] = [rows.train.len(), rows.validation.len(), rows.test.len()];
        let settings = Settings { seed: Some(seed), ..(*settings).clone() };
        let mut job = Job::on(&settings, loaded, rows, &mut rng)?;
        let (history, _) = job.fit(None, &mut ())?;
        let scores = job.scores()?.pop().map_or(Vec::new(), |(_, of_test)| of_test);
        let absent = absent(loaded.targets(), &fold.test);
        Ok(FoldScores { seed, train, validation, test, epochs: history.last().epoch, scores, absent })
    }
}

impl FoldScores {
    /// All of it for a journal, to the bit. JSON has no NaN or infinity: these are text.
    fn to_json(&self) -> Value {
        let FoldScores { seed, train, validation, test, epochs, scores, absent } = self;
        let number = |x: f64| if x.is_finite() { json!(x) } else { json!(x.to_string()) };
        let scores = Vec::from_iter(scores.iter().map(|(metric, x)| json!([metric.to_string(), number(*x)])));
        json!({
            "seed": seed, "train": train, "validation": validation, "test": test, "epochs": epochs, "absent": absent, "scores": scores,
        })
    }

    fn from_json(value: &Value) -> Option<FoldScores> {
        let count = |key: &str| Some(value[key].as_u64()? as usize);
        let number = |x: &Value| x.as_f64().or_else(|| x.as_str()?.parse().ok());
        let score = |pair: &Value| Some((pair[0].as_str()?.parse().ok()?, number(&pair[1])?));
        let name = |name: &Value| name.as_str().map(str::to_string);
        Some(FoldScores {
            seed: value["seed"].as_u64()?,
            train: count("train")?,
            validation: count("validation")?,
            test: count("test")?,
            epochs: count("epochs")?,
            scores: value["scores"].as_array()?.iter().map(score).collect::<Option<_>>()?,
            absent: value["absent"].as_array()?.iter().map(name).collect::<Option<_>>()?,
        })
    }
}

/// The names of the classes that no pixel of these rows has; empty if they have no masks.
fn absent(targets: &Targets, rows: &[usize]) -> Vec<String> {
    let Targets::Masks { masks, names } = targets else { return Vec::new() };
    let mut found = vec![false; names.len()];
    for &row in rows {
        masks.index_axis(Axis(0), row).iter().for_each(|&class| found[usize::from(class)] = true);
    }
    names.iter().zip(found).filter(|(_, found)| !found).map(|(name, _)| name.clone()).collect()
}

impl CrossValidation {
    /// The metrics that every fold has.
    pub fn metrics(&self) -> impl Iterator<Item = Metric> {
        Metric::all().filter(|&metric| self.values(metric).len() == self.folds.len())
    }

    /// A metric of every fold that has it.
    pub fn values(&self, metric: Metric) -> Vec<f64> {
        let scores = self.folds.iter().flat_map(|fold| &fold.scores);
        scores.filter(|(of, _)| *of == metric).map(|(_, value)| *value).collect()
    }

    /// A metric's mean over the folds and its 95 % interval, by Student's t, as far as it lies in the metric's
    /// [range](Metric::range); `None` if a fold does not have the metric.
    ///
    /// The nets share most of their training rows and so are no independent runs: an interval from folds is
    /// rather too narrow (Bengio and Grandvalet 2004, *No Unbiased Estimator of the Variance of K-Fold
    /// Cross-Validation*).
    pub fn estimate(&self, metric: Metric) -> Option<Estimate> {
        let values = self.values(metric);
        (values.len() == self.folds.len()).then(|| Estimate::of(&values).within(metric.range()))
    }

    /// A metric's standard deviation over the folds, with k - 1 in the denominator; `None` if a fold does not have it.
    pub fn deviation(&self, metric: Metric) -> Option<f64> {
        let (values, mean) = (self.values(metric), self.estimate(metric)?.mean);
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        Some((squares / (values.len() - 1) as f64).sqrt())
    }

    /// A row for each metric, numbers written by `number`.
    fn rows(&self, number: fn(f64) -> String) -> Vec<Vec<String>> {
        let names = ["metric", "mean", "sd", "low", "high"].map(str::to_string).into_iter();
        let header = names.chain((1..=self.folds.len()).map(|k| format!("fold_{k}"))).collect();
        let row = |metric: Metric| {
            let (estimate, deviation) = (self.estimate(metric)?, self.deviation(metric)?);
            let summary = [estimate.mean, deviation, estimate.low, estimate.high];
            let numbers = summary.into_iter().chain(self.values(metric)).map(number);
            Some([metric.to_string()].into_iter().chain(numbers).collect())
        };
        [header].into_iter().chain(self.metrics().filter_map(row)).collect()
    }

    /// A table for readers: every metric, its mean, standard deviation and 95 % interval from `low` to
    /// `high`, and its folds.
    pub fn to_text(&self) -> String {
        let FoldScores { train, validation, test, .. } = &self.folds[0];
        let validation =
            if *validation > 0 { format!(", {validation} for validation") } else { String::new() };
        let rows = self.noun;
        let table = format!(
            "{}, {} folds: about {train} training {rows}{validation}, {test} test {rows}; 95 % intervals\n{}",
            self.data,
            self.folds.len(),
            aligned(&self.rows(short))
        );
        let absent = (1..).zip(&self.folds).flat_map(|(k, fold)| {
            fold.absent.iter().map(move |name| {
                format!(
                    "fold_{k}: no test pixel is \"{name}\": its Dice is 1 if it is predicted nowhere, and else 0\n"
                )
            })
        });
        table + &absent.collect::<String>()
    }

    /// The same table as CSV, with every digit.
    pub fn to_csv(&self) -> String {
        csv(self.rows(|number| number.to_string()))
    }

    /// The same and what each fold was, as JSON.
    pub fn to_json(&self) -> String {
        let fold = |fold: &FoldScores| {
            let scores = fold.scores.iter().map(|(metric, value)| (metric.to_string(), json!(value)));
            json!({
                "seed": fold.seed, "train": fold.train, "validation": fold.validation, "test": fold.test,
                "epochs": fold.epochs, "absent": fold.absent, "scores": scores.collect::<serde_json::Map<_, _>>(),
            })
        };
        let metric = |metric: Metric| {
            let (estimate, deviation) = (self.estimate(metric)?, self.deviation(metric)?);
            let Estimate { mean, low, high } = estimate;
            Some((metric.to_string(), json!({ "mean": mean, "sd": deviation, "low": low, "high": high })))
        };
        let metrics: serde_json::Map<_, _> = self.metrics().filter_map(metric).collect();
        let folds = Vec::from_iter(self.folds.iter().map(fold));
        format!("{:#}\n", json!({ "data": self.data, "metrics": metrics, "folds": folds }))
    }
}
