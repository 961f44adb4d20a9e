//! `surprisal train`

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use clap::Args;
use surprisal_data::metrics::Metric;
use surprisal_layers::summary;
use surprisal_report::files::FolderLock;
use surprisal_report::folder::RunFolder;
use surprisal_run::recorder::{CHECKPOINT, CONFIG, HISTORY, MODEL, interrupted_run, lock_run};
use surprisal_run::report::REPORT;
use surprisal_run::{
    Finding, Job, Kind, Outputs, Recorder, RunError, Settings, chosen_threshold, commonest_class,
    diagnose_failure, write_results,
};
use surprisal_train::{
    At, Callback, Checkpoint, Ended, Epoch, History, KeptOutputs, Predictions, SavedModel, TrainError,
};

use crate::progress::EpochBar;
use crate::ranks::{Ranks, SHARDS};
use crate::setting_options::SettingOptions;
use crate::{Failure, signals};

#[derive(Args)]
#[command(
    after_help = "All options but those under \"Options\" can be set in the configuration file, with _ instead of -: weight_decay = 1e-4."
)]
pub struct Options {
    #[command(flatten)]
    settings: SettingOptions,
    /// A configuration file in TOML; options override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The output folder [default: the next free runs/train-N]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Resume the interrupted run in this folder; of the settings, only --epochs may be changed
    #[arg(long, value_name = "DIR", conflicts_with_all = ["config", "out"])]
    resume: Option<PathBuf>,
    /// Print only the result
    #[arg(long)]
    quiet: bool,
}

pub fn run(options: Options) -> Result<(), Failure> {
    let interrupted = signals::save_first();
    Ranks::together(|ranks| train(options, interrupted, ranks))
}

fn train(options: Options, interrupted: &AtomicBool, ranks: &mut Ranks) -> Result<(), Failure> {
    let Options { settings, config, out, resume, quiet } = options;
    let shards = ranks.are_there().then_some(SHARDS);
    let begun = ranks.first(|| match resume {
        Some(folder) => resumed(folder, &settings.0),
        None => begun(settings.over(config.as_deref())?, out.as_deref(), shards),
    });
    let Begun { place, settings, saved } = shared(begun?, ranks)?;
    let (mut job, checkpoint) = ranks.agree(prepared(&settings, saved.as_ref(), place.as_ref()))?;
    ranks.check(&job)?;
    let first = place.map(|place| {
        let (place, lock) = place.with_settings(&job.settings)?;
        let recorder = Recorder::new(&place, &job, checkpoint.as_ref().map(|c| &c.history))?;
        Ok((place, lock, recorder))
    });
    let Some((place, _lock, recorder)) = ranks.agree(first.transpose())? else {
        return followed(job.try_fit(checkpoint, &mut (), Some(interrupted), ranks.group(), None));
    };
    let share = if matches!(job.predictions, Predictions::Number { .. }) { "r2" } else { "accuracy" };
    let (bar, monitored) = (EpochBar::new(job.trainer.epochs, quiet), job.parts.monitored().0);
    let seen = checkpoint.as_ref().map_or(Vec::new(), |checkpoint| checkpoint.history.epochs().to_vec());
    let telling = Telling { bar, monitored, share, seen };
    if !quiet {
        note!("{}", introduction(&job).trim_end());
    }
    if let Some(checkpoint) = checkpoint.as_ref().filter(|c| c.epoch as usize == job.trainer.epochs) {
        note!("all {} epochs are done | to continue, set a larger --epochs", checkpoint.epoch);
    }
    let mut callbacks = (telling, recorder);
    let mut kept = KeptOutputs::default();
    let outcome = job.try_fit(checkpoint, &mut callbacks, Some(interrupted), ranks.group(), Some(&mut kept));
    let (telling, recorder) = callbacks;
    telling.bar.end();
    let model = recorder.end(&job.params)?;
    let (history, ended) = outcome.map_err(|error| diverged(&job, telling.seen, &place, error))?;
    match ended {
        Ended::Interrupted => Err(stopped(&place, &history)),
        Ended::Early | Ended::Finished => {
            model.write(place.join(MODEL)).map_err(Failure::run)?;
            finished(&place, &job, (&history, ended), &job.outputs_beside(kept), quiet)
        }
    }
}

/// The end of a rank that does not write; rank 0 reports.
fn followed(outcome: Result<(History, Ended), TrainError>) -> Result<(), Failure> {
    match outcome.map(|(_, ended)| ended) {
        Ok(Ended::Early | Ended::Finished) => Ok(()),
        Ok(Ended::Interrupted) => Err(Failure::silent(signals::exit_code())),
        Err(_) => Err(Failure::silent(1)),
    }
}

/// Where a run is written.
enum Place {
    New(RunFolder),
    Old(PathBuf, FolderLock),
}

impl Place {
    /// The locked folder, with the settings in it.
    fn with_settings(self, settings: &Settings) -> Result<(PathBuf, FolderLock), Failure> {
        let settings = settings.to_toml();
        match self {
            Place::New(folder) => {
                let path = folder.fill_unsynced(&[(CONFIG.to_string(), settings.into_bytes())])?;
                let lock = lock_run(&path)?;
                Ok((path, lock))
            }
            Place::Old(folder, lock) => {
                let path = folder.join(CONFIG);
                if std::fs::read_to_string(&path).ok().as_ref() != Some(&settings) {
                    crate::write_file(&path, settings.as_bytes())?;
                }
                Ok((folder, lock))
            }
        }
    }
}

/// A run that is about to begin, or to be resumed from what was saved; only rank 0 has a place for it.
struct Begun {
    place: Option<Place>,
    settings: Settings,
    saved: Option<SavedModel>,
}

/// What rank 0 has begun, on all ranks.
fn shared(begun: Option<Begun>, ranks: &mut Ranks) -> Result<Begun, Failure> {
    let mut bytes = Vec::new();
    if let Some(Begun { settings, saved, .. }) = begun.as_ref().filter(|_| ranks.are_there()) {
        bytes = settings.to_toml().into_bytes();
        bytes.push(0); // which TOML does not contain
        bytes.extend(saved.iter().flat_map(SavedModel::to_bytes));
    }
    let bytes = ranks.share(bytes)?;
    match (begun, bytes.iter().position(|&byte| byte == 0)) {
        (None, Some(end)) => {
            let settings =
                Settings::from_toml(&String::from_utf8_lossy(&bytes[..end]), "the settings of rank 0")?;
            let saved = Some(&bytes[end + 1..]).filter(|saved| !saved.is_empty());
            let saved = saved
                .map(|saved| SavedModel::from_bytes(saved, CHECKPOINT))
                .transpose()
                .map_err(Failure::run)?;
            Ok(Begun { place: None, settings, saved })
        }
        (begun, _) => Ok(begun.expect("a rank that is not the first gets what the first has")),
    }
}

/// A new run, and the folder for it.
fn begun(mut settings: Settings, out: Option<&Path>, shards: Option<usize>) -> Result<Begun, Failure> {
    let folder = match out {
        Some(place) if place.join(CHECKPOINT).exists() => {
            let place = place.display();
            return Err(Failure::run(format!(
                "{place}: already contains a run, which is not overwritten | choose another folder with --out, or resume the run: \
                 train --resume {place}"
            )));
        }
        Some(place) => RunFolder::exactly(place)?,
        None => RunFolder::take("runs", "train")?,
    };
    settings.shards = settings.shards.or(shards);
    Ok(Begun { place: Some(Place::New(folder)), settings, saved: None })
}

/// An interrupted run, from its checkpoint.
fn resumed(folder: PathBuf, given: &Settings) -> Result<Begun, Failure> {
    let (saved, lock) = interrupted_run(&folder)?;
    let path = folder.join(CHECKPOINT);
    if let Some(other) = Settings::ALL.iter().find(|s| s.key != "epochs" && given.get(s.key).is_some()) {
        return Err(Failure::usage(format!(
            "--{}: cannot be changed when a run is resumed; only --epochs can | start a new run instead, perhaps with \
             --start-from {}",
            other.key.replace('_', "-"),
            path.display()
        )));
    }
    if let (Some(epochs), Some(checkpoint)) = (given.epochs, &saved.checkpoint) {
        let done = checkpoint.epoch.saturating_add(checkpoint.step.min(1));
        if (epochs as u64) < done {
            return Err(Failure::usage(format!(
                "--epochs {epochs}: epoch {done} has already started | give {done} or more, or leave it out"
            )));
        }
    }
    let settings = Settings::from_toml(&saved.settings, &path)?.and(given);
    Ok(Begun { place: Some(Place::Old(folder, lock)), settings, saved: Some(saved) })
}

/// The run, and the state of the training that is resumed.
fn prepared(
    settings: &Settings,
    saved: Option<&SavedModel>,
    place: Option<&Place>,
) -> Result<(Job, Option<Checkpoint<f32>>), Failure> {
    let Some(saved) = saved else { return Ok((Job::new(settings)?, None)) };
    let mut job = Job::new(settings).map_err(|error| error.of_data_elsewhere(settings))?;
    let path = match place {
        Some(Place::Old(folder, _)) => folder.join(CHECKPOINT),
        _ => CHECKPOINT.into(),
    };
    let checkpoint =
        job.resume(saved).map_err(|error| Failure::run(format!("{}: {error}", path.display())))?;
    Ok((job, Some(checkpoint)))
}

/// A summary of the data and the net before training.
fn introduction(job: &Job) -> String {
    let (data, [train, test]) =
        (job.settings.get("data").unwrap_or_default(), [&job.parts.train, &job.parts.test].map(|p| p.rows()));
    let rows = match (&job.parts.validation, test) {
        (Some(validation), 0) => {
            format!("{train} training and {} validation rows, no test rows", validation.rows())
        }
        (Some(validation), _) => {
            format!("{train} training, {} validation and {test} test rows", validation.rows())
        }
        (None, 0) => format!("{train} training rows, no test rows"),
        (None, _) => format!("{train} training and {test} test rows"),
    };
    let answers = match &job.predictions {
        Predictions::Classes(names) => format!("{} classes", names.len()),
        Predictions::Number { name, .. } => format!("\"{name}\" is a number"),
        Predictions::Masks(names) => format!("masks with {} classes", names.len()),
    };
    let mut notices: String = job.notices.iter().map(|notice| format!("\n{notice}")).collect();
    if let (Some(memory), Some(block)) = (job.settings.memory, job.settings.block) {
        notices += &format!("\nat most {memory} of memory: a block of {block} rows is in memory at a time");
    }
    let inputs = job.encoder.width();
    format!("{data}: {rows}, {answers}{notices}\n{}\n", summary(&job.params, &job.model, [1, inputs]))
}

/// Reports every epoch.
struct Telling {
    bar: EpochBar,
    monitored: &'static str,
    share: &'static str,
    seen: Vec<Epoch>,
}

impl Callback<f32> for Telling {
    fn on_step(&mut self, at: &At<f32>) -> ControlFlow<()> {
        self.bar.step(at);
        ControlFlow::Continue(())
    }
    fn on_epoch(&mut self, _: &At<f32>, measured: &Epoch) -> ControlFlow<()> {
        self.bar.show(measured, self.monitored, self.share);
        self.seen.push(*measured);
        ControlFlow::Continue(())
    }
}

/// Why it failed, the findings, and the files that remain.
fn diverged(job: &Job, seen: Vec<Epoch>, place: &Path, error: TrainError) -> Failure {
    let findings = diagnose_failure(job, &History::from_iter(seen), &error);
    let mut failure = Failure::from(RunError::from(error));
    if !findings.is_empty() {
        failure.message = Vec::from_iter(findings.iter().map(Finding::to_string)).join("\n");
    }
    failure.message += &format!("\nthe history so far: {}", place.join(HISTORY).display());
    failure
}

fn stopped(place: &Path, history: &History) -> Failure {
    let place = place.display();
    let message = format!(
        "interrupted in epoch {}; all steps are saved | to resume: surprisal train --resume {place}",
        history.last().epoch + 1
    );
    Failure { message, code: signals::exit_code() }
}

fn finished(
    place: &Path,
    job: &Job,
    (history, ended): (&History, Ended),
    outputs: &Outputs,
    quiet: bool,
) -> Result<(), Failure> {
    let scores = job.scores_of(outputs)?;
    let findings = write_results(place, job, history, ended, outputs, &scores)?;
    if !quiet {
        if ended == Ended::Early {
            note!("stopped early: {}", why_early(job, history));
        }
        findings
            .iter()
            .filter(|finding| finding.kind != Kind::Nothing)
            .for_each(|finding| note!("{finding}"));
        note!("the model: {}", place.join(MODEL).display());
        note!("the report: {}", place.join(REPORT).display());
        if let Some(commonest) = commonest(job) {
            note!("the baseline: {commonest}");
        }
    }
    let mut text = String::new();
    for (part, scores) in &scores {
        for (metric, value) in scores {
            match metric {
                Metric::Accuracy => text += &format!("{part} accuracy: {:.2}%\n", 100.0 * value),
                Metric::Dice | Metric::R2 | Metric::MeanAbsoluteError => {
                    text += &format!("{part} {metric}: {value:.4}\n")
                }
                _ => {}
            }
        }
    }
    if let Some(chosen) = chosen_threshold(job, outputs)? {
        text += &format!("{chosen}\n");
    }
    crate::tell(&text)
}

/// The metric that did not improve, its best epoch, and which epoch's net is saved.
fn why_early(job: &Job, history: &History) -> String {
    let (part, monitor) = (job.parts.monitored().0, job.trainer.monitor);
    let best = history.best(monitor);
    let kept = if job.trainer.keep_best {
        format!("; the saved net is that of epoch {best}")
    } else {
        String::new()
    };
    format!("{monitor} on the {part} rows was best after epoch {best} of {}{kept}", history.last().epoch)
}

/// The score of always predicting the same class.
fn commonest(job: &Job) -> Option<String> {
    let test = &job.parts.test;
    if test.rows() == 0 || test.targets.is_regression() {
        return None; // R² is that comparison: always answering the mean has 0
    }
    let (best, counts) = (commonest_class(&job.parts.train.targets), test.targets.class_counts());
    let share = 100.0 * counts[best] as f64 / counts.iter().sum::<usize>() as f64;
    let what = if test.targets.is_segmentation() { "pixels of the test images" } else { "test rows" };
    Some(format!(
        "always predicting \"{}\" is right on {share:.2}% of the {what}",
        test.targets.class_names()[best]
    ))
}
