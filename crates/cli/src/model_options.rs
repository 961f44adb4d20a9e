//! A net: untrained, or saved.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use surprisal_data::{Dataset, Encoder, Encoding, Unseen};
use surprisal_layers::{Architecture, ArchitectureError, Sequential, rng};
use surprisal_run::{Job, Predictor, RunError, SEED, Settings};
use surprisal_tensor::Params;
use surprisal_tensor::ndarray::Array2;
use surprisal_train::{Objective, Predictions};

use crate::Failure;

/// A net: untrained, or saved.
#[derive(Clone, Default)]
pub enum Model {
    /// The untrained net that `train` would create for these data.
    #[default]
    Usual,
    Net(Architecture),
    File(PathBuf),
}

/// A net on data.
pub struct OnData {
    pub model: Sequential,
    pub params: Params<f32>,
    pub predictions: Predictions,
    /// The loss of the net.
    objective: Objective,
    /// The raw features ..
    pub raw: Dataset,
    /// .. and encoded for the net, regression targets too.
    pub scaled: Dataset,
}

impl FromStr for Model {
    type Err = NoModel;
    fn from_str(text: &str) -> Result<Self, NoModel> {
        if text.ends_with(".surprisal") {
            return Ok(Model::File(text.into()));
        }
        text.parse().map(Model::Net).map_err(NoModel)
    }
}

/// A text that is neither a net nor the name of a model file.
#[derive(Debug)]
pub struct NoModel(ArchitectureError);

impl fmt::Display for NoModel {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}, or name a file that ends with .surprisal", self.0)
    }
}
impl std::error::Error for NoModel {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl Model {
    /// The settings of an untrained net; `None` for a saved one.
    fn start(&self, given: &Settings, loss: Option<Objective>) -> Option<Settings> {
        let given = Settings { loss, ..given.clone() };
        match self {
            Model::Usual => Some(given),
            Model::Net(net) => Some(Settings { model: Some(net.clone()), ..given }),
            Model::File(_) => None,
        }
    }

    /// The net with its parameters, and data: the training set for an untrained net, all rows for a saved one.
    ///
    /// A given loss is that of the untrained net: it determines how regression targets are scaled.
    pub fn with_data(&self, given: &Settings, loss: Option<Objective>) -> Result<OnData, Failure> {
        let Some(settings) = self.start(given, loss) else { return self.with_all_rows(given, loss) };
        let job = Job::exact(&settings)?;
        job.notices.iter().for_each(|notice| note!("{notice}"));
        let (objective, train) = (job.trainer.objective, job.parts.train.dataset());
        Ok(OnData::new(job.model, job.params, job.predictions, objective, &job.encoder, train))
    }

    /// The net with its parameters, and every row of the data in their own order.
    pub fn with_all_rows(&self, given: &Settings, loss: Option<Objective>) -> Result<OnData, Failure> {
        match (self, self.start(given, loss)) {
            (Model::File(file), _) => {
                let predictor = saved(file, given)?;
                let (set, objective) = (predictor.labeled(Unseen::Error)?, predictor.objective());
                let Predictor { model, params, saved, .. } = predictor;
                Ok(OnData::new(model, params, saved.predictions, objective, &saved.encoder, set))
            }
            (_, settings) => {
                let settings = settings.unwrap_or_default();
                let job = Job::new(&settings)?;
                job.notices.iter().for_each(|notice| note!("{notice}"));
                let loaded = surprisal_run::open(&settings, &mut rng(settings.seed.unwrap_or(SEED)))?;
                let rows = Vec::from_iter(0..loaded.given_test().map_or(loaded.rows(), |test| test.start));
                let set = loaded.dataset(&rows, &job.encoder).map_err(Failure::run)?;
                let objective = job.trainer.objective;
                Ok(OnData::new(job.model, job.params, job.predictions, objective, &job.encoder, set))
            }
        }
    }
}

impl OnData {
    /// Of data whose features are encoded.
    fn new(
        model: Sequential,
        params: Params<f32>,
        predictions: Predictions,
        objective: Objective,
        encoder: &Encoder,
        mut scaled: Dataset,
    ) -> OnData {
        let raw = Dataset { features: unscaled(&scaled.features, encoder), ..scaled.clone() };
        if let Predictions::Number { offset, scale, .. } = &predictions {
            scaled.targets = scaled.targets.map(|value| (value - offset) / scale);
        }
        OnData { model, params, predictions, objective, raw, scaled }
    }

    /// The given loss, or the default one for the task.
    pub fn loss(&self, named: Option<Objective>) -> Result<Objective, Failure> {
        let regression = matches!(self.predictions, Predictions::Number { .. });
        let usual = match regression {
            _ if self.objective.is_rate() => self.objective,
            true => Objective::SquaredError,
            false => Objective::CrossEntropy,
        };
        let loss = named.unwrap_or(usual);
        loss.check(regression).map_err(RunError::from)?;
        if loss.is_rate() != self.objective.is_rate() {
            return Err(Failure::usage(format!(
                "loss {}: the net was trained with {}, and the outputs of poisson are logarithms of rates | leave the loss out",
                loss.name(),
                self.objective.name()
            )));
        }
        Ok(loss)
    }

    /// The prediction from the output z of a regression net, in the units of the data.
    pub fn prediction(&self, z: f64) -> f64 {
        match &self.predictions {
            Predictions::Number { offset, scale, .. } => offset + scale * self.objective.prediction(z),
            Predictions::Classes(_) | Predictions::Masks(_) => z,
        }
    }

    /// Whether the output is the logarithm of the prediction.
    pub fn is_rate(&self) -> bool {
        self.objective.is_rate()
    }
}

/// A saved net, for the given data.
fn saved(file: &Path, given: &Settings) -> Result<Predictor, Failure> {
    for (option, given) in [
        ("--hidden", given.hidden.is_some()),
        ("--activation", given.activation.is_some()),
        ("--init", given.init.is_some()),
    ] {
        if given {
            return Err(Failure::usage(format!("{} is a trained net: leave out {option}", file.display())));
        }
    }
    Ok(Predictor::read(file, given)?)
}

/// Encoded numbers as they stood in the data.
fn unscaled(features: &Array2<f64>, encoder: &Encoder) -> Array2<f64> {
    let mut raw = features.clone();
    let mut columns = raw.columns_mut().into_iter();
    for column in &encoder.columns {
        match &column.encoding {
            Encoding::Number { offset, scale, .. } | Encoding::Date { offset, scale, .. } => {
                columns.by_ref().take(1).for_each(|mut column| column.mapv_inplace(|x| x * scale + offset));
            }
            Encoding::OneHot { categories, .. } => columns.by_ref().take(categories.len()).for_each(drop),
        }
    }
    raw
}
