//! `surprisal inspect`

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use surprisal_data::{Encoding, Npz, read_file, read_npy};
use surprisal_run::Settings;
use surprisal_train::interchange::safetensors_arrays;
use surprisal_train::{ModelFile, Numbers, Objective, Predictions, SavedModel, load_onnx};

use crate::Failure;

#[derive(Args)]
pub struct Options {
    /// A model or checkpoint of surprisal, a net as .onnx, or a file of parameters: .safetensors, .npz, .npy; the whole file is checked
    file: PathBuf,
    /// Print JSON instead; for a model also how each column is encoded
    #[arg(long)]
    json: bool,
}

/// The contents of a file.
enum Content {
    Single(Box<SavedModel>),
    Double(Box<ModelFile<f64>>),
    /// Name, type and shape.
    Arrays(Vec<(String, String, Vec<usize>)>),
}

pub fn run(Options { file, json }: Options) -> Result<(), Failure> {
    let content = read(&file)?;
    let bytes = fs::metadata(&file).map_or(0, |data| data.len());
    if json {
        let mut value = match &content {
            Content::Single(file) => model_json(file),
            Content::Double(file) => model_json(file),
            Content::Arrays(arrays) => {
                json!({ "arrays": Vec::from_iter(arrays.iter().map(|(name, dtype, shape)| {
                    json!({ "name": name, "dtype": dtype, "shape": shape })
                }))})
            }
        };
        value["bytes"] = bytes.into();
        return crate::tell_json(&format!("{value}\n")).map(drop);
    }
    let text = match &content {
        Content::Single(file) => model(file),
        Content::Double(file) => model(file),
        Content::Arrays(all) => arrays(all),
    };
    crate::tell(&format!("{}: {bytes} bytes\n{text}", file.display()))
}

fn read(file: &Path) -> Result<Content, Failure> {
    let read =
        || read_file(file).map_err(|error| Failure::run(format!("{}: cannot read: {error}", file.display())));
    Ok(match file.extension().and_then(|ending| ending.to_str()).unwrap_or_default() {
        "safetensors" => Content::Arrays(safetensors_arrays(&read()?, file).map_err(Failure::run)?),
        "onnx" => Content::Single(Box::new(load_onnx(file).map_err(Failure::run)?)),
        "npz" => {
            let npz = Npz::read(file).map_err(Failure::run)?;
            let header = |name: &str| {
                npz.verify(name)?;
                npz.header(name).map(|(dtype, shape)| (name.into(), dtype.to_string(), shape))
            };
            Content::Arrays(npz.names().map(header).collect::<Result<_, _>>().map_err(Failure::run)?)
        }
        "npy" => {
            let array = read_npy(file).map_err(Failure::run)?;
            Content::Arrays(vec![("array".into(), array.dtype().to_string(), array.shape().to_vec())])
        }
        _ => {
            let bytes = read()?;
            match bytes.get(10) {
                Some(8) => {
                    Content::Double(Box::new(ModelFile::from_bytes(&bytes, file).map_err(Failure::run)?))
                }
                _ => Content::Single(Box::new(SavedModel::from_bytes(&bytes, file).map_err(Failure::run)?)),
            }
        }
    })
}

fn model_json<T: Numbers>(file: &ModelFile<T>) -> Value {
    let parameters = file.parameters.iter().map(|p| json!({ "name": p.name, "shape": p.shape }));
    let mut value = json!({
        "sizes": file.sizes,
        "activation": file.activation,
        "columns": file.encoder.columns,
        "answers": file.predictions,
        "parameters": Vec::from_iter(parameters),
        "settings": file.settings,
    });
    if let Some(checkpoint) = &file.checkpoint {
        value["checkpoint"] = json!({
            "epoch": checkpoint.epoch,
            "step": checkpoint.step,
            "steps_per_epoch": checkpoint.steps_per_epoch,
            "optimizer": checkpoint.optimizer.name,
        });
    }
    value
}

/// Whether the output z is the logarithm of the prediction.
fn predicts_rates<T: Numbers>(file: &ModelFile<T>) -> bool {
    let settings = Settings::from_toml(&file.settings, "settings");
    settings.is_ok_and(|settings| settings.loss.is_some_and(Objective::is_rate))
}

fn model<T: Numbers>(file: &ModelFile<T>) -> String {
    let mut text = match file.sizes.as_str() {
        "" => "a model of your own program\n".to_string(),
        net if file.activation.is_empty() => format!("a net {net}, f{}\n", 8 * size_of::<T>()),
        sizes => {
            format!("a net {sizes}, activation {}, f{}\n", file.activation, 8 * size_of::<T>())
        }
    };
    if let Some(checkpoint) = &file.checkpoint {
        text += &format!(
            "a checkpoint: {} epochs and {} of {} steps completed; {} after {} steps\n",
            checkpoint.epoch,
            checkpoint.step,
            checkpoint.steps_per_epoch,
            checkpoint.optimizer.name,
            checkpoint.optimizer.steps
        );
    }
    if !file.encoder.columns.is_empty() {
        text += &format!("\ninputs ({})\n", file.encoder.width());
    }
    const MOST: usize = 40;
    for column in file.encoder.columns.iter().take(MOST) {
        let name = &column.name;
        text += &match &column.encoding {
            Encoding::Number { fill, offset, scale } => {
                let fill = fill.map_or(String::new(), |fill| format!("; {fill} if missing"));
                format!("  {name}: (x - {offset}) / {scale}{fill}\n")
            }
            Encoding::Date { fill, offset, scale } => {
                let fill = fill.map_or(String::new(), |fill| format!("; {fill} if missing"));
                format!("  {name}: (days since 1970-01-01 - {offset}) / {scale}{fill}\n")
            }
            Encoding::OneHot { categories, fill } => {
                let fill = fill.map_or(String::new(), |fill| format!("; {} if missing", categories[fill]));
                format!("  {name}: one-hot of {}{fill}\n", categories.join(", "))
            }
        };
    }
    if file.encoder.columns.len() > MOST {
        text += &format!("  and {} more\n", file.encoder.columns.len() - MOST);
    }
    text += &match &file.predictions {
        Predictions::Classes(names) if names.is_empty() => String::new(),
        Predictions::Classes(names) => format!("\nclasses: {}\n", names.join(", ")),
        Predictions::Masks(names) => format!("\nclasses of pixels: {}\n", names.join(", ")),
        Predictions::Number { name, scale, .. } if predicts_rates(file) => {
            format!("\nprediction, from the output z: {name} = {scale} e^z\n")
        }
        Predictions::Number { name, offset, scale } => {
            format!("\nprediction, from the output z: {name} = {offset} + {scale} z\n")
        }
    };
    text += "\nparameters\n";
    let widest = file.parameters.iter().map(|p| p.name.len()).max().unwrap_or(0);
    for parameter in &file.parameters {
        let numbers = || parameter.values.iter().map(|v| v.value());
        let (least, most) =
            numbers().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        let norm = numbers().map(|v| v * v).sum::<f64>().sqrt();
        text += &format!(
            "  {:<widest$}  {:?}, from {least:.4} to {most:.4}, norm {norm:.4}\n",
            parameter.name, parameter.shape
        );
    }
    if !file.settings.is_empty() {
        text += &format!(
            "\nsettings\n{}",
            file.settings.lines().map(|line| format!("  {line}\n")).collect::<String>()
        );
    }
    text
}

fn arrays(arrays: &[(String, String, Vec<usize>)]) -> String {
    let widest = arrays.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
    arrays.iter().map(|(name, dtype, shape)| format!("  {name:<widest$}  {dtype} {shape:?}\n")).collect()
}
