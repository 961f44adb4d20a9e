//! `surprisal predict`

use std::path::{Path, PathBuf};

use clap::Args;
use surprisal_data::{DataSource, Unseen, argmax_rows, image_paths, mask_to_png};
use surprisal_report::csv::csv;
use surprisal_report::files::same_file;
use surprisal_report::folder::RunFolder;
use surprisal_run::Predictor;
use surprisal_tensor::ndarray::Array2;
use surprisal_train::Predictions;

use crate::Failure;
use crate::setting_options::SourceOptions;

#[derive(Args)]
#[command(
    after_help = "Class names are written unchanged: a spreadsheet may read one that begins with =, +, - or @ as a formula. --out keeps the
permissions of an existing file, and never overwrites a device, a pipe, a link, the model or the data."
)]
pub struct Options {
    /// The file that `train` wrote, or an ONNX file
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    #[command(flatten)]
    settings: SourceOptions,
    /// Handling of unknown categories: error, or ignore (all known categories are 0)
    #[arg(long, value_name = "POLICY", default_value = "error")]
    unseen: Unseen,
    /// The column of row names, copied to the output instead of row numbers
    #[arg(long, value_name = "COLUMN")]
    row_id: Option<String>,
    /// The output file, instead of standard output; for masks, a new folder for their PNG files
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Prints a CSV table: for every row its number and the prediction, for classes with all probabilities. Of masks it writes images.
pub fn run(options: Options) -> Result<(), Failure> {
    let Options { model, settings: SourceOptions(given), unseen, row_id, out } = options;
    if given.data.is_none() {
        return Err(Failure::usage(
            "no data given | name a CSV file with the columns of the model, or a data set as for train | option: --data",
        ));
    }
    let predictor = Predictor::read(&model, &given)?;
    if let Predictions::Masks(names) = &predictor.saved.predictions {
        return masks(&predictor, names, unseen, row_id.as_deref(), out.as_deref());
    }
    if let Some(out) = &out {
        let data = predictor.data()?.files();
        let inputs = data.iter().map(PathBuf::as_path).chain([model.as_path()]);
        refuse_input(out, inputs)?;
    }
    let predictions = predictor.predict(predictor.features(unseen)?.view())?;

    let mut table: Vec<Vec<String>> = Vec::new();
    let (id, ids) = match row_id {
        Some(column) => predictor.column(&column)?,
        None => ("row".into(), (0..predictions.nrows()).map(|row| row.to_string()).collect()),
    };
    let header = [id, "predicted".into()];
    match &predictor.saved.predictions {
        Predictions::Classes(names) | Predictions::Masks(names) => {
            table.push(header.into_iter().chain(names.iter().map(|name| format!("p({name})"))).collect());
            for (row, p) in predictions.rows().into_iter().enumerate() {
                let best = (0..p.len()).fold(0, |best, k| if p[k] > p[best] { k } else { best });
                let first = [ids[row].clone(), names[best].clone()].into_iter();
                table.push(first.chain(p.iter().map(|&p| format!("{:?}", p as f32))).collect());
            }
        }
        Predictions::Number { offset, .. } => {
            table.push(header.to_vec());
            for (row, &number) in predictions.iter().enumerate() {
                table.push(vec![ids[row].clone(), digits(number, *offset)]);
            }
        }
    }
    let table = csv(&table);
    match out {
        Some(path) => crate::write_file(&path, table.as_bytes())?,
        None => crate::tell_data(&table)?,
    }
    if let Some(judged) = judged(&predictor) {
        note!("{judged}");
    }
    Ok(())
}

/// Writes a mask for every image to a new folder, by the names of the images, and prints how many pixels of each have each class.
fn masks(
    predictor: &Predictor,
    names: &[String],
    unseen: Unseen,
    row_id: Option<&str>,
    out: Option<&Path>,
) -> Result<(), Failure> {
    let Some(out) = out else {
        return Err(Failure::usage(
            "predictions are masks: name a new folder for their PNG files | option: --out",
        ));
    };
    if let Some(column) = row_id {
        return Err(Failure::usage(format!("--row-id {column}: images have no columns | leave it out")));
    }
    let folder = RunFolder::exactly(out)?;
    let features = predictor.features(unseen)?;
    let [height, width] = match predictor.model.image() {
        Some([_, height, width]) => [height, width],
        None => return Err(Failure::run("the net does not take images")),
    };
    let files = match predictor.data()? {
        DataSource::Images(folder) => {
            let name =
                |path: &PathBuf| path.file_name().map_or(String::new(), |name| name.to_string_lossy().into());
            image_paths(folder).map_err(Failure::run)?.iter().map(name).collect()
        }
        _ => Vec::from_iter((0..features.nrows()).map(|row| format!("{row:05}.png"))),
    };
    let predicted = argmax_rows(&predictor.predict(features.view())?);
    let header = ["row".to_string(), "mask".into()].into_iter();
    let mut table = vec![Vec::from_iter(header.chain(names.iter().map(|name| format!("pixels({name})"))))];
    let mut written = Vec::new();
    for (row, (file, mask)) in files.iter().zip(predicted.chunks(height * width)).enumerate() {
        let count = |class: usize| mask.iter().filter(|&&said| said == class).count().to_string();
        table.push([row.to_string(), file.clone()].into_iter().chain((0..names.len()).map(count)).collect());
        let mask = Array2::from_shape_fn((height, width), |(y, x)| mask[y * width + x] as u8);
        written.push((file.clone(), mask_to_png(mask.view(), names.len())));
    }
    let place = folder.fill_unsynced(&written)?;
    crate::tell_data(&csv(&table))?;
    note!("the masks: {}", place.display());
    Ok(())
}

/// The output must not overwrite an input, by whatever name.
fn refuse_input<'a>(out: &Path, mut inputs: impl Iterator<Item = &'a Path>) -> Result<(), Failure> {
    match inputs.find(|input| same_file(out, input)) {
        Some(input) => Err(Failure::usage(format!(
            "--out {}: is {}, an input | name another file",
            out.display(),
            input.display()
        ))),
        None => Ok(()),
    }
}

/// A number in the digits that it carries: the net computes its distance from the offset in single precision.
fn digits(number: f64, offset: f64) -> String {
    let precision = (number - offset).abs() * f64::from(f32::EPSILON);
    let decimals = (-precision.log10().floor()).clamp(0.0, 17.0);
    match decimals {
        0.0..17.0 => format!("{:?}", format!("{number:.*}", decimals as usize).parse().unwrap_or(number)),
        _ => format!("{number:?}"),
    }
}

/// How many predictions equal the target column, if the table has it.
fn judged(predictor: &Predictor) -> Option<String> {
    let (Predictions::Classes(_), DataSource::Csv(_)) =
        (&predictor.saved.predictions, predictor.data().ok()?)
    else {
        return None;
    };
    let set = predictor.labeled(Unseen::Ignore).ok()?;
    let predictions = predictor.predict(set.features.view()).ok()?;
    let right =
        argmax_rows(&predictions).iter().zip(set.labels()).filter(|(said, label)| said == label).count();
    let (target, rows) = (predictor.settings().target.as_deref()?, set.rows());
    Some(format!(
        "{right} of {rows} predictions equal the column \"{target}\" of the data; for metrics, use surprisal eval"
    ))
}
