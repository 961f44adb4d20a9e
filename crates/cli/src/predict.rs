//! `surprisal predict`

use std::path::PathBuf;

use clap::Args;
use surprisal_data::{DataSource, Dataset, features_from_csv_path};
use surprisal_layers::{Layer, rng};
use surprisal_tensor::Workspace;
use surprisal_tensor::ndarray::{Array2, Axis};
use surprisal_train::SavedModel;

use crate::Failure;

#[derive(Args)]
pub struct Options {
    /// The file that `train` wrote
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// What to answer about: as for `train`; of mnist:DIR the test images; a CSV file needs the columns of the model; others are not looked at
    #[arg(long)]
    data: DataSource,
    /// What synthetic data are drawn from
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

/// Prints a CSV table: for every row its number, the class, and the probability of every class.
pub fn run(Options { model: file, data, seed }: Options) -> Result<(), Failure> {
    let saved = SavedModel::read(&file).map_err(Failure::run)?;
    let (model, params) = saved.load().map_err(Failure::run)?;
    let features = features(&data, &saved, seed)?;

    let mut table = csv::Writer::from_writer(Vec::new());
    let header = ["row", "predicted"].map(String::from).into_iter();
    write(&mut table, header.chain(saved.class_names.iter().map(|class| format!("p({class})"))))?;
    let mut workspace = Workspace::new();
    const ROWS: usize = 1024; // at once
    for (chunk, rows) in features.axis_chunks_iter(Axis(0), ROWS).enumerate() {
        let mut x = Array2::<f32>::zeros(rows.dim());
        for (mut to, from) in x.rows_mut().into_iter().zip(rows.rows()) {
            for (j, (to, &from)) in to.iter_mut().zip(from).enumerate() {
                *to = ((from - saved.offset[j]) / saved.scale[j]) as f32;
            }
        }
        let answers = workspace.eval(&params, |tape| {
            let logits = model.forward(tape.input(&x));
            if saved.class_names.len() == logits.shape().dims()[1] {
                logits.softmax(-1)
            } else {
                logits.sigmoid()
            }
        });
        for (i, answer) in answers.outer_iter().enumerate() {
            let yes_or_no = |p: &f32| vec![1.0 - p, *p];
            let p: Vec<f32> = match answer.as_slice() {
                Some([p]) if saved.class_names.len() == 2 => yes_or_no(p),
                _ => answer.iter().copied().collect(),
            };
            let best = (0..p.len()).fold(0, |best, k| if p[k] > p[best] { k } else { best });
            let first = [(chunk * ROWS + i).to_string(), saved.class_names[best].clone()].into_iter();
            write(&mut table, first.chain(p.iter().map(|p| format!("{p:?}"))))?;
        }
    }
    let bytes = table.into_inner().map_err(Failure::run)?;
    crate::tell(&String::from_utf8_lossy(&bytes))
}

fn write(table: &mut csv::Writer<Vec<u8>>, cells: impl Iterator<Item = String>) -> Result<(), Failure> {
    table.write_record(cells.collect::<Vec<_>>()).map_err(Failure::run)
}

/// The features of every row, as they stand in the data, in the order of the model.
fn features(data: &DataSource, saved: &SavedModel, seed: u64) -> Result<Array2<f64>, Failure> {
    let set = match data {
        DataSource::Csv(path) => {
            return features_from_csv_path(path, &saved.feature_names).map_err(Failure::run);
        }
        DataSource::Embedded(name) => Dataset::named(name).map_err(Failure::run)?,
        DataSource::Synthetic(set) => set.draw(&mut rng(seed)),
        DataSource::Mnist(folder) => Dataset::mnist(folder).map_err(Failure::run)?.1,
        DataSource::Npz(path) => Dataset::from_npz_path(path).map_err(Failure::run)?,
    };
    same_columns(data, &set, saved)?;
    Ok(set.features)
}

/// Whether the columns of the data are those of the model.
pub fn same_columns(data: &DataSource, set: &Dataset, saved: &SavedModel) -> Result<(), Failure> {
    if set.feature_names != saved.feature_names {
        let told = |names: &[String]| match names {
            [first, .., last] => format!("{} columns, {first} to {last}", names.len()),
            _ => format!("{names:?}"),
        };
        let (wants, has) = (told(&saved.feature_names), told(&set.feature_names));
        return Err(Failure::run(format!(
            "the model takes {wants}, but {data} has {has}: is this the data it was trained on?"
        )));
    }
    Ok(())
}
