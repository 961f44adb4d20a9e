//! [`Predictor`]: a trained net, for predictions and evaluation.

use std::path::Path;

use surprisal_data::{CsvOptions, DataSource, Dataset, TargetColumn, Task, Unseen};
use surprisal_layers::{Sequential, rng};
use surprisal_tensor::Params;
use surprisal_tensor::ndarray::{Array2, ArrayView2};
use surprisal_train::{Objective, Predictions, SavedModel, evaluate, load_onnx, outputs};

use crate::job::{self, SEED, Scores};
use crate::{Job, RunError, Settings};

/// A saved net, ready for predictions.
pub struct Predictor {
    /// The file.
    pub saved: SavedModel,
    /// The net in it ..
    pub model: Sequential,
    /// .. and its parameters.
    pub params: Params<f32>,
    settings: Settings, // of its training, overridden by those given now
    given: Settings,
}

impl Predictor {
    /// Reads the file, a model file or an ONNX file; `given` says which data are asked about and how tables are read, where that is not as it was in training.
    ///
    /// # Errors
    /// If it is neither, or its settings cannot be read.
    pub fn read(file: impl AsRef<Path>, given: &Settings) -> Result<Predictor, RunError> {
        let file = file.as_ref();
        let saved = if file.extension().is_some_and(|ending| ending == "onnx") {
            load_onnx(file).map_err(RunError::run)?
        } else {
            SavedModel::read(file)?
        };
        let (model, params) =
            saved.load().map_err(|message| RunError::run(format!("{}: {message}", file.display())))?;
        let settings = Settings::from_toml(&saved.settings, file)?.and(given);
        Ok(Predictor { saved, model, params, settings, given: given.clone() })
    }

    /// The settings of its training, overridden by those given now.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The data to predict or evaluate.
    ///
    /// # Errors
    /// If none are given.
    pub fn data(&self) -> Result<&DataSource, RunError> {
        let none = || RunError::usage("no data given | set data").with(&["data"]);
        self.settings.data.as_ref().ok_or_else(none)
    }

    /// Whether these are the data of its training, whose split is known.
    pub fn on_its_own_data(&self) -> bool {
        self.given.data.is_none()
    }

    /// The features of the data, encoded for the net; of MNIST the test images.
    ///
    /// # Errors
    /// If the data cannot be read, or have other columns than the net was trained on.
    pub fn features(&self, unseen: Unseen) -> Result<Array2<f64>, RunError> {
        let data = self.data()?;
        let features = match data {
            DataSource::Csv(path) => {
                self.saved.encoder.read_csv_path(path, &job::table_options(&self.settings)?, unseen)?
            }
            other => self.arrays(other, false)?.features,
        };
        job::check_features(features.view(), &self.saved.encoder, &data.to_string(), |row| row)?;
        Ok(features)
    }

    /// The features and targets: labels in the order of the net's classes, or values.
    ///
    /// # Errors
    /// As [`features`](Self::features), and if the targets are missing, or contain classes that the net does not know.
    pub fn labeled(&self, unseen: Unseen) -> Result<Dataset, RunError> {
        let set = match self.data()? {
            DataSource::Csv(path) => {
                let (encoder, predictions) = (&self.saved.encoder, &self.saved.predictions);
                job::labeled_table(path, encoder, predictions, &job::table_options(&self.settings)?, unseen)?
            }
            other => self.arrays(other, true)?,
        };
        job::check_features(set.features.view(), &self.saved.encoder, &set.name, |row| row)?;
        match &self.saved.predictions {
            Predictions::Classes(names) if set.is_regression() => Err(RunError::run(format!(
                "{}: the target is a number, but the net predicts the classes {}",
                set.name,
                names.join(", ")
            ))),
            Predictions::Classes(names) => {
                let unknown = |(row, &label): (usize, &usize)| {
                    let class = &set.class_names()[label];
                    (!names.contains(class)).then_some((row, class))
                };
                match set.labels().iter().enumerate().find_map(unknown) {
                    Some((row, class)) => Err(RunError::run(format!(
                        "{}, row {row}: expected one of the net's classes {}, found \"{class}\"",
                        set.name,
                        names.join(", ")
                    ))),
                    None => Ok(set.with_class_order(names)?),
                }
            }
            Predictions::Number { name, .. } if !set.is_regression() => Err(RunError::run(format!(
                "{}: the target is a class, but the net predicts the number \"{name}\"",
                set.name
            ))),
            Predictions::Masks(_) if !set.targets.is_segmentation() => {
                Err(RunError::run(format!("{}: there are no masks, which the net predicts", set.name)))
            }
            Predictions::Masks(names) if set.class_names() != names => Err(RunError::run(format!(
                "{}: expected the classes of the net, {}, found {} | name them in classes.txt, in this order",
                set.name,
                names.join(", "),
                set.class_names().join(", ")
            ))),
            Predictions::Masks(_) => Ok(set),
            Predictions::Number { name, .. } => {
                job::check_target(set.values(), name, &set.name)?;
                Ok(set)
            }
        }
    }

    /// Data other than tables, encoded for the net, with their targets if `labeled`.
    fn arrays(&self, data: &DataSource, labeled: bool) -> Result<Dataset, RunError> {
        let task = match &self.saved.predictions {
            Predictions::Classes(_) => Task::Classification,
            Predictions::Number { .. } => Task::Regression,
            Predictions::Masks(_) => Task::Segmentation,
        };
        let rng = &mut rng(self.settings.seed.unwrap_or(SEED));
        let target = self.settings.target.clone().filter(|target| data.check_target(Some(target)).is_ok());
        let loaded = match target {
            None => data.open_arrays(task, labeled, rng)?,
            // a table that the library carries
            target => data.open(&CsvOptions { target, task, ..CsvOptions::default() }, rng)?,
        };
        let rows = Vec::from_iter(loaded.given_test().unwrap_or(0..loaded.rows()));
        let as_they_stand =
            loaded.dataset(&rows, &loaded.prepare(&rows, Some(surprisal_data::Scaling::None))?)?;
        let (wants, has) = (self.saved.encoder.feature_names(), &as_they_stand.feature_names);
        if wants != *has {
            let shown = |names: &[String]| match names {
                [first, .., last] => format!("{} columns, {first} to {last}", names.len()),
                _ => format!("{names:?}"),
            };
            return Err(RunError::run(format!(
                "the model takes {}, but {data} has {}: is this the data it was trained on?",
                shown(&wants),
                shown(has)
            )));
        }
        Ok(loaded.dataset(&rows, &self.saved.encoder)?)
    }

    /// The parts of the data of its training, split and scaled as they were then.
    ///
    /// # Errors
    /// If the file does not contain the settings of its training, or the data have changed.
    pub fn parts(&self) -> Result<Job, RunError> {
        if self.saved.settings.is_empty() {
            return Err(
                RunError::usage("the file does not name the data of its training | set data").with(&["data"])
            );
        }
        let seed = Settings::from_toml(&self.saved.settings, "the model")?.seed.unwrap_or(SEED);
        if let Some(other) = self.given.seed.filter(|&given| given != seed) {
            return Err(RunError::usage(format!(
                "seed {other}: the training split was drawn with the seed {seed} | leave seed out, or set data"
            ))
            .with(&["data"]));
        }
        let mut settings = Settings { start_from: None, ..self.settings.clone() };
        if settings.validation == Some(0.0) {
            // a model of an earlier version may have been chosen by the test rows; it can still be evaluated
            settings =
                Settings { patience: None, min_delta: None, keep_best: None, schedule: None, ..settings };
        }
        let job = Job::new(&settings)?;
        match job.same_data(&self.saved) {
            Ok(()) => Ok(job),
            Err(error) => {
                Err(RunError::run(format!("{}: {error} | set data to use all of their rows", self.data()?))
                    .with(&["data"]))
            }
        }
    }

    /// The loss that it was trained with, which determines what its outputs mean.
    pub fn objective(&self) -> Objective {
        job::objective(&self.settings, matches!(self.saved.predictions, Predictions::Number { .. }))
    }

    /// A column of the table, as it is written, and its name.
    ///
    /// # Errors
    /// If the data are not a table, and as its reader.
    pub fn column(&self, name: &str) -> Result<(String, Vec<String>), RunError> {
        let DataSource::Csv(path) = self.data()? else {
            return Err(RunError::usage(format!("column \"{name}\": the data are not a table")));
        };
        let options = CsvOptions { target: Some(name.into()), ..job::table_options(&self.settings)? };
        let column = TargetColumn::read_csv_path(path, &options)?;
        Ok((column.name().into(), column.texts().map(String::from).collect()))
    }

    /// Predictions: the probability of every class, or the number; for masks, a row for each pixel.
    ///
    /// # Errors
    /// If an output is not finite, with its row.
    pub fn predict(&self, features: ArrayView2<f64>) -> Result<Array2<f64>, RunError> {
        let outputs = outputs(&self.model, &self.params, features.mapv(|x| x as f32).view());
        let said = job::said(self.objective(), &self.saved.predictions, outputs.view());
        match said.rows().into_iter().position(|row| row.iter().any(|x| !x.is_finite())) {
            Some(row) => Err(RunError::run(format!(
                "the net's output for row {row} is not finite: did the training diverge, or is the row far from those of the training?"
            ))),
            None => Ok(said),
        }
    }

    /// Every metric that applies to this task.
    ///
    /// # Errors
    /// If an output is not finite.
    pub fn scores(&self, set: &Dataset) -> Result<Scores, RunError> {
        let predictions = &self.saved.predictions;
        let evaluation =
            evaluate(&self.model, &self.params, self.objective(), &job::examples_of(set, predictions))?;
        Ok(job::scores(predictions, &job::in_units(evaluation, predictions, &set.targets)))
    }
}
