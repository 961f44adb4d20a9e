//! `surprisal train`

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use surprisal_data::{Preprocess, Split};
use surprisal_lab::folder::RunFolder;
use surprisal_layers::{Sizes, summary};
use surprisal_optim::{Adam, Hyperparameter, Optimizer, Sgd};
use surprisal_train::{Epoch, Examples, SavedModel, Trainer};

use crate::Failure;
use crate::model_options::ModelOptions;
use crate::progress::EpochBar;

#[derive(Args)]
pub struct Options {
    /// The sizes of the layers, from the columns of the data to the classes (or 1 for yes and no), such as 64-32-10
    #[arg(long, value_name = "SIZES")]
    model: Sizes,
    #[command(flatten)]
    common: ModelOptions,
    /// The optimizer
    #[arg(long, value_enum, default_value_t = Opt::Sgd)]
    opt: Opt,
    /// The learning rate [default: 0.1 for sgd, 0.001 for adam]
    #[arg(long, allow_negative_numbers = true, value_parser = |text: &str| in_range(Hyperparameter::LearningRate, text))]
    lr: Option<f64>,
    /// How much of the last step's velocity stays, for sgd: 0 to below 1
    #[arg(long, allow_negative_numbers = true, default_value = "0", value_parser = |text: &str| in_range(Hyperparameter::Momentum, text))]
    momentum: f64,
    /// Rows in a step [default: 64, or all rows if there are fewer]
    #[arg(long)]
    batch: Option<usize>,
    /// Passes over the training rows
    #[arg(long, default_value_t = 10)]
    epochs: usize,
    /// The folder to make [default: the next free runs/train-N]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Opt {
    Sgd,
    Adam,
}

fn in_range(of: Hyperparameter, text: &str) -> Result<f64, String> {
    let number = text.parse().map_err(|_| format!("\"{text}\" is not a number"))?;
    of.check(number).map_err(|error| error.to_string())
}

pub fn run(options: Options) -> Result<(), Failure> {
    let Options { model: sizes, common, opt, lr, momentum, batch, epochs, out } = options;
    common.check_target()?;
    if opt == Opt::Adam && momentum != 0.0 {
        return Err(Failure::usage("--momentum is for --opt sgd; adam has its own"));
    }
    if epochs == 0 || batch == Some(0) {
        return Err(Failure::usage("--epochs and --batch are 1 or more"));
    }
    let folder = match &out {
        Some(place) => RunFolder::exactly(place)?,
        None => RunFolder::take("runs".as_ref(), "train")?,
    };

    let (Split { train, test, preprocess }, model, mut params) = common.start(&sizes)?;
    let ModelOptions { data, loss, seed, .. } = common;
    let mut optimizer: Box<dyn Optimizer<f32>> = match opt {
        Opt::Sgd => Box::new(Sgd::new(lr.unwrap_or(0.1)).momentum(momentum)),
        Opt::Adam => Box::new(Adam::new(lr.unwrap_or(0.001))),
    };
    let (rows, unseen, classes) = (train.rows(), test.rows(), train.classes());
    eprintln!(
        "{data}: {rows} training and {unseen} test rows, {classes} classes\n{}",
        summary(&params, &model, [1, sizes.inputs()])
    );
    let batch_size = batch.unwrap_or(64.min(rows));
    let trainer = Trainer { objective: loss, epochs, batch_size, seed, measure_gradient: false };
    let bar = EpochBar::new(epochs);
    let (train_rows, test_rows) = (Examples::new(&train), Examples::new(&test));
    let each = |epoch: &Epoch| bar.show(epoch);
    let history = trainer
        .fit(&model, &mut params, &mut *optimizer, &train_rows, &test_rows, each)
        .map_err(Failure::run)?;
    bar.end();

    let counts = test.class_counts();
    let best = (0..counts.len()).max_by_key(|&class| counts[class]);
    let commonest = best.map(|class| (test.class_names[class].clone(), counts[class] as f64 / unseen as f64));
    let (offset, scale) = offset_and_scale(&preprocess, train.columns());
    let saved = SavedModel {
        sizes: sizes.to_string(),
        activation: model.activation().to_string(),
        feature_names: train.feature_names,
        class_names: train.class_names,
        offset,
        scale,
        parameters: SavedModel::parameters_of(&params),
    };
    let files = [("model.surprisal", saved.to_bytes()), ("history.csv", history.to_csv().into_bytes())];
    let place = folder.fill(&files.map(|(name, bytes)| (name.to_string(), bytes)))?;
    eprintln!("the model: {}", place.join("model.surprisal").display());
    let end = history.last();
    if let Some((name, share)) = commonest {
        eprintln!(
            "for comparison: always answering \"{name}\" is right on {:.2}% of the test rows",
            100.0 * share
        );
    }
    crate::tell(&format!(
        "train accuracy: {:.2}%\ntest accuracy: {:.2}%\n",
        100.0 * end.train_accuracy,
        100.0 * end.test_accuracy
    ))
}

/// Every preprocessing, as what is taken off and what is divided by.
fn offset_and_scale(preprocess: &Preprocess, columns: usize) -> (Vec<f64>, Vec<f64>) {
    match preprocess {
        Preprocess::None => (vec![0.0; columns], vec![1.0; columns]),
        Preprocess::Divide(by) => (vec![0.0; columns], vec![*by; columns]),
        Preprocess::Standardize(s) => (s.mean().to_vec(), s.scale().to_vec()),
        Preprocess::MinMax(m) => (m.min().to_vec(), m.range().to_vec()),
    }
}
