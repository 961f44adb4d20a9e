//! `surprisal eval`

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};
use surprisal_data::metrics::{ClassificationReport, ConfusionTable, Metric};
use surprisal_data::{Dataset, Targets, Unseen, argmax_rows};
use surprisal_run::{Parts, Predictor, overlap_table};

use crate::Failure;
use crate::setting_options::SourceOptions;

#[derive(Args)]
pub struct Options {
    /// The file that `train` wrote, or an ONNX file
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    #[command(flatten)]
    settings: SourceOptions,
    /// The set of the net's own data to evaluate, if --data is not given
    #[arg(long, value_enum, default_value_t = Part::Test)]
    part: Part,
    /// Handling of unknown categories: error, or ignore (all known categories are 0)
    #[arg(long, value_name = "POLICY", default_value = "error")]
    unseen: Unseen,
    /// Print the metrics as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Part {
    Train,
    Validation,
    Test,
}

pub fn run(options: Options) -> Result<(), Failure> {
    let Options { model, settings: SourceOptions(given), part, unseen, json } = options;
    let predictor = Predictor::read(&model, &given)?;
    let rows = predictor.saved.predictions.rows();
    let (what, set) = if predictor.on_its_own_data() {
        let Parts { train, validation, test, .. } =
            predictor.parts().map_err(|error| error.of_data_elsewhere(predictor.settings()))?.parts;
        let (name, set) = match part {
            Part::Train => ("training", Some(train.dataset())),
            Part::Validation => ("validation", validation.map(|part| part.dataset())),
            Part::Test => ("test", Some(test.dataset()).filter(|test| test.rows() > 0)),
        };
        let set = set.ok_or_else(|| {
            Failure::usage(format!(
                "--part {name}: the net was trained without this part | name data with --data"
            ))
        })?;
        (format!("the {} {name} {rows} of {}", set.rows(), predictor.data()?), set)
    } else {
        let set = predictor.labeled(unseen)?;
        (format!("all {} {rows} of {}", set.rows(), predictor.data()?), set)
    };
    let scores = predictor.scores(&set)?;
    if json {
        let numbers: Map<String, Value> =
            scores.iter().map(|(metric, value)| (metric.to_string(), json!(value))).collect();
        return crate::tell_json(&format!("{}\n", json!({ "rows": set.rows(), "metrics": numbers })))
            .map(drop);
    }
    crate::tell(&format!("{what}\n\n{}{}", numbers(&scores), classes(&predictor, &set)?))
}

/// One metric a line.
fn numbers(scores: &[(Metric, f64)]) -> String {
    let widest = scores.iter().map(|(metric, _)| metric.to_string().len()).max().unwrap_or(0);
    scores.iter().map(|(metric, value)| format!("{metric:<widest$}  {value:.4}\n")).collect()
}

/// The report of every class, and the confusion matrix.
fn classes(predictor: &Predictor, set: &Dataset) -> Result<String, Failure> {
    let names = predictor.saved.predictions.class_names();
    if names.is_empty() {
        return Ok(String::new());
    }
    let said = argmax_rows(&predictor.predict(set.features.view())?);
    if let Targets::Masks { masks, .. } = &set.targets {
        let labels = Vec::from_iter(masks.iter().map(|&class| usize::from(class)));
        let confusion = ConfusionTable::new(&labels, &said, names).map_err(Failure::run)?;
        return Ok(format!("\n{}\n{confusion}", overlap_table(&labels, &said, names)?));
    }
    let report = ClassificationReport::new(set.labels(), &said, names).map_err(Failure::run)?;
    let confusion = ConfusionTable::new(set.labels(), &said, names).map_err(Failure::run)?;
    Ok(format!("\n{report}\n{confusion}"))
}
