//! `surprisal inspect`

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;
use surprisal_data::{Encoding, Npz, read_npy};
use surprisal_train::{Answers, ModelFile, Numbers, SavedModel};

use crate::Failure;

#[derive(Args)]
pub struct Options {
    /// A model or checkpoint of surprisal, or a file of parameters: .safetensors, .npz, .npy
    file: PathBuf,
}

pub fn run(Options { file }: Options) -> Result<(), Failure> {
    let read =
        || fs::read(&file).map_err(|error| Failure::run(format!("{}: cannot read: {error}", file.display())));
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let told = match ending {
        "safetensors" => arrays(safetensors(&file, &read()?)?),
        "npz" => {
            let npz = Npz::read(&file).map_err(Failure::run)?;
            let headers = npz
                .names()
                .map(|name| npz.header(name).map(|(dtype, shape)| (name.into(), dtype.to_string(), shape)));
            arrays(headers.collect::<Result<_, _>>().map_err(Failure::run)?)
        }
        "npy" => {
            let array = read_npy(&file).map_err(Failure::run)?;
            arrays(vec![("array".into(), array.dtype().to_string(), array.shape().to_vec())])
        }
        _ => {
            let bytes = read()?;
            match bytes.get(10) {
                Some(8) => model(&ModelFile::<f64>::from_bytes(&bytes, &file).map_err(Failure::run)?),
                _ => model(&SavedModel::from_bytes(&bytes, &file).map_err(Failure::run)?),
            }
        }
    };
    crate::tell(&format!(
        "{}: {} bytes\n{told}",
        file.display(),
        fs::metadata(&file).map_or(0, |data| data.len())
    ))
}

fn model<T: Numbers>(file: &ModelFile<T>) -> String {
    let mut told = match file.sizes.as_str() {
        "" => "a model of its own program\n".to_string(),
        sizes => format!(
            "a net {sizes}, {} between the layers, numbers of {} bytes\n",
            file.activation,
            size_of::<T>()
        ),
    };
    if let Some(checkpoint) = &file.checkpoint {
        told += &format!(
            "a training that can go on: {} epochs and {} of {} steps done, with {} after {} steps\n",
            checkpoint.epoch,
            checkpoint.step,
            checkpoint.steps_per_epoch,
            checkpoint.optimizer.name,
            checkpoint.optimizer.steps
        );
    }
    if !file.encoder.columns.is_empty() {
        told += &format!("\ninputs ({})\n", file.encoder.width());
    }
    const MOST: usize = 40;
    for column in file.encoder.columns.iter().take(MOST) {
        let name = &column.name;
        told += &match &column.encoding {
            Encoding::Number { fill, offset, scale } => {
                let fill = fill.map_or(String::new(), |fill| format!(", {fill} where it is missing"));
                format!("  {name}: (x - {offset}) / {scale}{fill}\n")
            }
            Encoding::Date { fill, offset, scale } => {
                let fill = fill.map_or(String::new(), |fill| format!(", {fill} where it is missing"));
                format!("  {name}: (days since 1970-01-01 - {offset}) / {scale}{fill}\n")
            }
            Encoding::OneHot { categories, fill } => {
                let fill =
                    fill.map_or(String::new(), |fill| format!(", {} where it is missing", categories[fill]));
                format!("  {name}: 0 or 1 for each of {}{fill}\n", categories.join(", "))
            }
        };
    }
    if file.encoder.columns.len() > MOST {
        told += &format!("  and {} more\n", file.encoder.columns.len() - MOST);
    }
    told += &match &file.answers {
        Answers::Classes(names) if names.is_empty() => String::new(),
        Answers::Classes(names) => format!("\nanswers: {}\n", names.join(", ")),
        Answers::Number { name, offset, scale } => format!("\nanswer: {name} = {offset} + {scale} z\n"),
    };
    told += "\nparameters\n";
    let widest = file.parameters.iter().map(|p| p.name.len()).max().unwrap_or(0);
    for parameter in &file.parameters {
        let numbers = || parameter.values.iter().map(|v| v.value());
        let (least, most) =
            numbers().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        let norm = numbers().map(|v| v * v).sum::<f64>().sqrt();
        told += &format!(
            "  {:<widest$}  {:?}, from {least:.4} to {most:.4}, length {norm:.4}\n",
            parameter.name, parameter.shape
        );
    }
    if !file.settings.is_empty() {
        told += &format!(
            "\nsettings\n{}",
            file.settings.lines().map(|line| format!("  {line}\n")).collect::<String>()
        );
    }
    told
}

fn arrays(arrays: Vec<(String, String, Vec<usize>)>) -> String {
    let widest = arrays.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
    arrays.iter().map(|(name, dtype, shape)| format!("  {name:<widest$}  {dtype} {shape:?}\n")).collect()
}

/// Names, types and shapes, as the header of the file says.
fn safetensors(path: &Path, bytes: &[u8]) -> Result<Vec<(String, String, Vec<usize>)>, Failure> {
    let damaged =
        |what: &str| Failure::run(format!("{}: {what}: is this a safetensors file?", path.display()));
    let (length, rest) = bytes.split_first_chunk().ok_or_else(|| damaged("expected a header of 8 bytes"))?;
    let header = usize::try_from(u64::from_le_bytes(*length)).ok().and_then(|length| rest.get(..length));
    let header = header.ok_or_else(|| damaged("the header is longer than the file"))?;
    let header: Value = serde_json::from_slice(header).map_err(|error| damaged(&error.to_string()))?;
    let header = header.as_object().ok_or_else(|| damaged("the header is no object"))?;
    let array = |(name, array): (&String, &Value)| {
        let shape = array["shape"]
            .as_array()
            .map(|axes| axes.iter().filter_map(|n| n.as_u64().map(|n| n as usize)).collect());
        Some((name.clone(), array["dtype"].as_str()?.to_string(), shape?))
    };
    let arrays = header.iter().filter(|(name, _)| *name != "__metadata__").map(array);
    arrays.collect::<Option<_>>().ok_or_else(|| damaged("an array has no dtype or no shape"))
}
