//! [`Recorder`]: the files of a run's folder while it trains.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use surprisal_report::csv::csv;
use surprisal_report::files::{self, FolderLock, lock_folder, remove_stale, write_unsynced};
use surprisal_tensor::Params;
use surprisal_train::{At, Callback, Epoch, History, Monitor, Predictions, SavedModel};

use crate::job::unit;
use crate::{Job, RunError};

/// The settings of the run.
pub const CONFIG: &str = "config.toml";
/// The state of the training.
pub const CHECKPOINT: &str = "checkpoint.surprisal";
/// The trained model.
pub const MODEL: &str = "model.surprisal";
/// One row for each epoch.
pub const HISTORY: &str = "history.csv";
/// The same as JSON lines, one object for each epoch.
pub const HISTORY_LINES: &str = "history.jsonl";

/// The longest time between checkpoints if `checkpoint_every` is not set.
const PATIENCE: Duration = Duration::from_secs(5);

/// Writes every epoch to the history at once, and writes checkpoints, also where the training is interrupted.
pub struct Recorder {
    folder: PathBuf,
    model: SavedModel, // without parameters
    table: EpochTable,
    files: [File; 2],
    every: Option<usize>,
    saved: Instant,
    failed: Option<RunError>,
}

impl Recorder {
    /// Begins the files of a history in the folder, with the epochs that there are already.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn new(folder: impl AsRef<Path>, job: &Job, begun: Option<&History>) -> Result<Self, RunError> {
        let folder = folder.as_ref();
        remove_stale(folder);
        let table = EpochTable::new(job);
        let epochs = begun.map_or(&[][..], History::epochs);
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            let written = write_unsynced(&path, text.as_bytes())
                .and_then(|()| OpenOptions::new().append(true).open(&path));
            written.map_err(|error| cannot_write(folder, name, &error))
        };
        let files = [write(HISTORY, table.csv(epochs))?, write(HISTORY_LINES, table.lines(epochs))?];
        let model = SavedModel { parameters: Vec::new(), ..job.model_file(&job.params, None) };
        let every = job.settings.checkpoint_every;
        let folder = folder.to_path_buf();
        Ok(Recorder { folder, model, table, files, every, saved: Instant::now(), failed: None })
    }

    /// Returns the model to save with these parameters, as [`Job::model_file`] does.
    ///
    /// # Errors
    /// If something could not be written: that ended the training.
    pub fn end(self, params: &Params<f32>) -> Result<SavedModel, RunError> {
        match self.failed {
            Some(error) => Err(error),
            None => Ok(SavedModel { parameters: SavedModel::of(params).parameters, ..self.model }),
        }
    }

    fn save(&mut self, at: &At<f32>) -> Result<(), RunError> {
        let parameters = SavedModel::of(at.params).parameters;
        let model = SavedModel { parameters, checkpoint: Some(at.checkpoint()), ..self.model.clone() };
        let path = self.folder.join(CHECKPOINT);
        // before the first epoch nothing can be lost
        let start = at.epoch == 0;
        let written = if start { model.write_unsynced(&path) } else { model.write(&path) };
        written.map_err(|error| {
            let (how, settings) = to_go_on(&self.folder);
            RunError::run(format!("{error}; {how}")).with(settings)
        })?;
        self.saved = Instant::now();
        Ok(())
    }

    fn note(&mut self, epoch: &Epoch) -> Result<(), RunError> {
        let rows = [self.table.csv_row(epoch), self.table.line(epoch)];
        for ((file, row), name) in self.files.iter_mut().zip(rows).zip([HISTORY, HISTORY_LINES]) {
            file.write_all(row.as_bytes()).map_err(|error| cannot_write(&self.folder, name, &error))?;
        }
        Ok(())
    }

    /// Goes on if all went well.
    fn flow(&mut self, outcome: Result<(), RunError>) -> ControlFlow<()> {
        self.failed = self.failed.take().or(outcome.err());
        if self.failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Callback<f32> for Recorder {
    fn on_step(&mut self, at: &At<f32>) -> ControlFlow<()> {
        let steps = at.steps_per_epoch * (at.epoch - 1) + at.step;
        let due = self.every.is_some_and(|every| steps.is_multiple_of(every));
        let outcome = if due || at.ends { self.save(at) } else { Ok(()) };
        self.flow(outcome)
    }
    fn on_epoch(&mut self, at: &At<f32>, measured: &Epoch) -> ControlFlow<()> {
        let due = self.every.is_none() && self.saved.elapsed() > PATIENCE;
        let last = at.epoch == at.epochs;
        let mut outcome = self.note(measured);
        if outcome.is_ok() && (due || last || at.epoch == 0 || at.ends) {
            outcome = self.save(at);
        }
        self.flow(outcome)
    }
}

fn cannot_write(folder: &Path, name: &str, error: &io::Error) -> RunError {
    let message = files::cannot_write(folder.join(name), error);
    let (how, settings) = to_go_on(folder);
    RunError::run(format!("{message}; {how}")).with(settings)
}

/// How to resume when files can be written again.
fn to_go_on(folder: &Path) -> (String, &'static [&'static str]) {
    let place = folder.display();
    match folder.join(CHECKPOINT).exists() {
        true => (format!("the last checkpoint is whole: resume {place}"), &["resume"]),
        false => (begin_again(folder), &["config"]),
    }
}

fn begin_again(folder: &Path) -> String {
    format!("begin again with the settings of {}/{CONFIG}", folder.display())
}

/// Locks the folder of a run, so that no other process trains the same run meanwhile. The lock ends with its process.
///
/// # Errors
/// If another process has locked it, and if there is no such folder.
pub fn lock_run(folder: impl AsRef<Path>) -> Result<FolderLock, RunError> {
    let folder = folder.as_ref();
    let place = folder.display();
    match lock_folder(folder) {
        Ok(Some(lock)) => Ok(lock),
        Ok(None) => Err(RunError::run(format!(
            "{place}: another process is training in it | wait until it has ended, or name another folder"
        ))),
        Err(error) => Err(RunError::run(format!("{place}: cannot open: {error} | change its permissions"))),
    }
}

/// The columns of the history and their names.
pub struct EpochTable {
    columns: Vec<(String, Column)>,
}

type Column = Box<dyn Fn(&Epoch) -> f64>;

impl EpochTable {
    /// The columns of this run: losses and accuracies (or R²) of the training part and of the part that is monitored.
    pub fn new(job: &Job) -> Self {
        let monitored = job.parts.monitored().0;
        let share = if matches!(job.predictions, Predictions::Number { .. }) { "r2" } else { "accuracy" };
        let mut columns: Vec<(String, Column)> = vec![
            ("epoch".into(), Box::new(|e| e.epoch as f64)),
            ("train_loss".into(), Box::new(|e| e.train.loss)),
            (format!("train_{share}"), Box::new(|e| e.train.score())),
            (format!("{monitored}_loss"), Box::new(|e| e.held_out().loss)),
            (format!("{monitored}_{share}"), Box::new(|e| e.held_out().score())),
            ("learning_rate".into(), Box::new(|e| e.learning_rate)),
        ];
        if monitored == "train" {
            columns.drain(3..5); // there is no other part to measure
        }
        if let Monitor::Metric(metric) = job.trainer.monitor {
            let name = format!("{monitored}_{metric}");
            if !columns.iter().any(|(column, _)| *column == name) {
                let unit = unit(metric, &job.predictions);
                columns.push((name, Box::new(move |e| unit * e.monitored)));
            }
        }
        EpochTable { columns }
    }

    /// The names of the columns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }
    /// A column by its name.
    pub fn column<'t>(&'t self, name: &str) -> Option<impl Fn(&Epoch) -> f64 + 't> {
        self.columns.iter().find(|(column, _)| column == name).map(|(_, value)| value)
    }

    fn csv(&self, epochs: &[Epoch]) -> String {
        let rows: String = epochs.iter().map(|epoch| self.csv_row(epoch)).collect();
        csv([self.names()]) + &rows
    }
    fn csv_row(&self, epoch: &Epoch) -> String {
        csv([self.columns.iter().map(|(_, value)| value(epoch).to_string())])
    }
    fn lines(&self, epochs: &[Epoch]) -> String {
        epochs.iter().map(|epoch| self.line(epoch)).collect()
    }
    fn line(&self, epoch: &Epoch) -> String {
        let cells = self.columns.iter().map(|(name, value)| {
            let value = if name == "epoch" { epoch.epoch.into() } else { value(epoch).into() }; // NaN becomes null
            (name.clone(), value)
        });
        format!("{}\n", serde_json::Value::Object(cells.collect()))
    }
}

/// The model, its settings and its checkpoint, of a run that is to go on, and the lock of its folder.
///
/// # Errors
/// If there is no such folder, if another process is training in it, and if there is no checkpoint in it that can be used.
pub fn interrupted_run(folder: impl AsRef<Path>) -> Result<(SavedModel, FolderLock), RunError> {
    let folder = folder.as_ref();
    let lock = folder.is_dir().then(|| lock_run(folder)).transpose()?;
    let path = folder.join(CHECKPOINT);
    let Some(lock) = lock.filter(|_| fs::exists(&path).unwrap_or(false)) else {
        let place = folder.display();
        let none = format!("{place}: contains no checkpoint ({CHECKPOINT})");
        return Err(match folder.join(CONFIG).exists() {
            true => {
                RunError::run(format!("{none}: it ended before its first step | {}", begin_again(folder)))
                    .with(&["config"])
            }
            false => RunError::run(format!("{none} | name the folder of a run that was interrupted")),
        });
    };
    let saved = SavedModel::read(&path).map_err(|error| {
        RunError::run(format!("{error} | restore the file, or {}", begin_again(folder))).with(&["config"])
    })?;
    Ok((saved, lock))
}
