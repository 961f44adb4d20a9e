//! A net: as it starts on data, or as it was saved.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use surprisal_data::{Dataset, Encoder, Encoding, Unseen};
use surprisal_layers::{Mlp, Sizes, rng};
use surprisal_run::{Asked, Job, SEED, Settings};
use surprisal_tensor::Params;
use surprisal_tensor::ndarray::Array2;

use crate::Failure;

/// A net: as it starts, or as it was saved.
#[derive(Clone)]
pub enum Model {
    Sizes(Sizes),
    File(PathBuf),
}

impl FromStr for Model {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.ends_with(".surprisal") {
            return Ok(Model::File(text.into()));
        }
        let sizes = text.parse().map(Model::Sizes);
        sizes.map_err(|error| format!("{error}, or name a file that ends with .surprisal"))
    }
}

impl Model {
    /// The net with its parameters, and the data as it wants them: the training part where it starts, everything where it was saved.
    pub fn with_data(&self, told: &Settings) -> Result<(Mlp, Params<f32>, Dataset), Failure> {
        match self {
            Model::Sizes(sizes) => {
                let job = Job::new(&Settings { model: Some(sizes.clone()), ..told.clone() })?;
                Ok((job.model, job.params, job.parts.train))
            }
            Model::File(file) => {
                let asked = saved(file, told)?;
                let set = asked.labelled(Unseen::Error)?;
                Ok((asked.model, asked.params, set))
            }
        }
    }

    /// The net with its parameters, and every row of the data in their own order: as they stand there, and as the net wants them.
    pub fn with_all_rows(&self, told: &Settings) -> Result<(Mlp, Params<f32>, [Dataset; 2]), Failure> {
        match self {
            Model::Sizes(sizes) => {
                let job = Job::new(&Settings { model: Some(sizes.clone()), ..told.clone() })?;
                let loaded = surprisal_run::open(told, &mut rng(told.seed.unwrap_or(SEED)))?;
                let rows = Vec::from_iter(0..loaded.given_test().map_or(loaded.rows(), |test| test.start));
                let scaled = loaded.dataset(&rows, &job.encoder).map_err(Failure::run)?;
                let mut set = scaled.clone();
                set.features = unscaled(&scaled.features, &job.encoder);
                Ok((job.model, job.params, [set, scaled]))
            }
            Model::File(file) => {
                let asked = saved(file, told)?;
                let scaled = asked.labelled(Unseen::Error)?;
                let mut set = scaled.clone();
                set.features = unscaled(&scaled.features, &asked.saved.encoder);
                Ok((asked.model, asked.params, [set, scaled]))
            }
        }
    }
}

/// A saved net, to be asked about the data that were told.
fn saved(file: &Path, told: &Settings) -> Result<Asked, Failure> {
    for (option, given) in [("--activation", told.activation.is_some()), ("--init", told.init.is_some())] {
        if given {
            return Err(Failure::usage(format!("{} has been trained: leave out {option}", file.display())));
        }
    }
    Ok(Asked::read(file, told)?)
}

/// Encoded numbers as they stood in the data.
fn unscaled(features: &Array2<f64>, encoder: &Encoder) -> Array2<f64> {
    let mut raw = features.clone();
    let mut columns = raw.columns_mut().into_iter();
    for column in &encoder.columns {
        match &column.encoding {
            Encoding::Number { offset, scale, .. } => {
                columns.by_ref().take(1).for_each(|mut column| column.mapv_inplace(|x| x * scale + offset));
            }
            Encoding::OneHot { categories, .. } => columns.by_ref().take(categories.len()).for_each(drop),
        }
    }
    raw
}
