//! What commands have in common: data, and a net that starts on them or was saved.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use surprisal_data::{DataSource, Dataset, Split};
use surprisal_layers::{Activation, Init, Mlp, Sizes, rng};
use surprisal_tensor::Params;
use surprisal_train::{Objective, SavedModel};

use crate::Failure;
use crate::predict::same_columns;

#[derive(Args)]
pub struct ModelOptions {
    /// iris, breast_cancer, digits, moons:n=500,noise=0.2 (or xor, circles, blobs, spirals), mnist:DIR, FILE.csv or FILE.npz
    #[arg(long)]
    pub data: DataSource,
    /// Between the layers: relu, sigmoid, tanh, leaky_relu, elu, silu, gelu, .. [default: relu]
    #[arg(long)]
    pub activation: Option<Activation>,
    /// ce (cross-entropy), mse (squared error of the probabilities) or half_mse
    #[arg(long, default_value = "ce")]
    pub loss: Objective,
    /// What the split, the start and the order of rows are drawn from
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Where weights start: linear, xavier_uniform, kaiming_normal, normal:0.5, .. [default: linear]
    #[arg(long)]
    pub init: Option<Init>,
    /// The column of a CSV file that holds the class
    #[arg(long, value_name = "COLUMN")]
    pub target: Option<String>,
}

impl ModelOptions {
    /// Whether the label column is named exactly where the data need it.
    pub fn check_target(&self) -> Result<(), Failure> {
        let advice =
            if self.target.is_some() { "leave out --target" } else { "name it with --target COLUMN" };
        let checked = self.data.check_target(self.target.as_deref());
        checked.map_err(|error| Failure::usage(format!("{error}: {advice}")))
    }

    /// The data, and a net of these sizes at its start: the same for every command with the same options.
    pub fn start(&self, sizes: &Sizes) -> Result<(Split, Mlp, Params<f32>), Failure> {
        let mut rng = rng(self.seed);
        let split = self.data.load(self.target.as_deref(), &mut rng).map_err(Failure::run)?;
        if sizes.inputs() != split.train.columns() {
            return Err(Failure::run(format!(
                "--model {sizes} takes {} numbers, but {} has {} feature columns: begin with {2}",
                sizes.inputs(),
                self.data,
                split.train.columns()
            )));
        }
        let init = self.init.unwrap_or(Init::Linear);
        // biases start as PyTorch's do where weights do, and at 0 otherwise
        let bias = if init == Init::Linear { Init::Linear } else { Init::Zeros };
        let mut params = Params::new();
        let model =
            Mlp::with_init(&mut params, sizes, self.activation.unwrap_or_default(), init, bias, &mut rng);
        Ok((split, model, params))
    }
}

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
    pub fn with_data(&self, common: &ModelOptions) -> Result<(Mlp, Params<f32>, Dataset), Failure> {
        common.check_target()?;
        match self {
            Model::Sizes(sizes) => {
                common.start(sizes).map(|(split, model, params)| (model, params, split.train))
            }
            Model::File(file) => {
                saved(file, common).map(|(model, params, [_, scaled])| (model, params, scaled))
            }
        }
    }

    /// The net with its parameters, and every row of the data in their own order: as they stand there, and as the net wants them.
    pub fn with_all_rows(&self, common: &ModelOptions) -> Result<(Mlp, Params<f32>, [Dataset; 2]), Failure> {
        common.check_target()?;
        match self {
            Model::Sizes(sizes) => {
                let (split, model, params) = common.start(sizes)?;
                let set = all_rows(common)?;
                let mut scaled = set.clone();
                split.preprocess.apply_in_place(&mut scaled.features).map_err(Failure::run)?;
                Ok((model, params, [set, scaled]))
            }
            Model::File(file) => saved(file, common),
        }
    }
}

/// Every row of the data, as they stand there.
fn all_rows(common: &ModelOptions) -> Result<Dataset, Failure> {
    let set = match &common.data {
        DataSource::Csv(path) => Dataset::from_csv_path(path, common.target.as_deref().unwrap_or_default()),
        DataSource::Embedded(name) => Dataset::named(name),
        DataSource::Synthetic(set) => Ok(set.draw(&mut rng(common.seed))),
        DataSource::Mnist(folder) => Dataset::mnist(folder).map(|(train, _)| train),
        DataSource::Npz(path) => Dataset::from_npz_path(path),
    };
    set.map_err(Failure::run)
}

/// A saved model, and the data in the order of its classes: as they stand there, and in its scale.
fn saved(file: &Path, common: &ModelOptions) -> Result<(Mlp, Params<f32>, [Dataset; 2]), Failure> {
    for (option, given) in [("--activation", common.activation.is_some()), ("--init", common.init.is_some())]
    {
        if given {
            return Err(Failure::usage(format!("{} has been trained: leave out {option}", file.display())));
        }
    }
    let saved = SavedModel::read(file).map_err(Failure::run)?;
    let (model, params) = saved.load().map_err(Failure::run)?;
    let set = all_rows(common)?;
    same_columns(&common.data, &set, &saved)?;
    let set = set.with_class_order(&saved.class_names).map_err(Failure::run)?;
    let mut scaled = set.clone();
    for (j, mut column) in scaled.features.columns_mut().into_iter().enumerate() {
        column.mapv_inplace(|x| (x - saved.offset[j]) / saved.scale[j]);
    }
    Ok((model, params, [set, scaled]))
}
