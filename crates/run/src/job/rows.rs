//! The data of a job: opened, checked against the settings, and split into rows of training, validation and test.

use super::*;
use crate::settings::List;
use crate::{RunError, Settings};
use std::path::Path;
use std::sync::Arc;
use surprisal_data::{
    Categorical, CsvOptions, DataSource, Dataset, EncodedColumn, Encoder, Encoding, Loaded, Spill,
    TargetColumn, Targets, Unseen,
};
use surprisal_layers::Rng;
use surprisal_optim::Schedule;
use surprisal_tensor::ndarray::ArrayView2;
use surprisal_train::Predictions;

/// How the rows are split.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// Training rows.
    pub train: Vec<usize>,
    /// Validation rows; may be empty.
    pub validation: Vec<usize>,
    /// Test rows.
    pub test: Vec<usize>,
}

/// The data of these settings, opened.
pub fn open(settings: &Settings, rng: &mut Rng) -> Result<Loaded, RunError> {
    open_in(settings, rng, None)
}

/// [`open`], with the features in a temporary file, if there is one.
pub(super) fn open_in(
    settings: &Settings,
    rng: &mut Rng,
    spill: Option<&Arc<Spill>>,
) -> Result<Loaded, RunError> {
    let Some(data) = &settings.data else {
        return Err(
            RunError::usage("no data given | set data, such as \"iris\" or \"FILE.csv\"").with(&["data"])
        );
    };
    if let (DataSource::Csv(path), None) = (data, &settings.target) {
        return Err(RunError::usage(format!(
            "{}: no target column given | set target to its name",
            path.display()
        ))
        .with(&["target"]));
    }
    let names = |list: &Option<List>| list.clone().unwrap_or_default().0;
    let options = CsvOptions {
        task: settings.task.unwrap_or_default(),
        ignore: names(&settings.ignore),
        keep: names(&settings.keep),
        categorical: match &settings.categorical {
            Some(columns) => Categorical::Columns(columns.0.clone()),
            None => Categorical::Auto,
        },
        dates: names(&settings.dates),
        missing: settings.missing.unwrap_or_default(),
        ..table_options(settings)?
    };
    Ok(data.open_in(&options, rng, spill)?)
}

/// The format of a table and its target column, which new rows share with the training table.
pub(crate) fn table_options(settings: &Settings) -> Result<CsvOptions, RunError> {
    let delimiter = settings.delimiter.as_deref().map(CsvOptions::parse_delimiter).transpose();
    Ok(CsvOptions {
        header: settings.header.unwrap_or(true),
        delimiter: delimiter.map_err(RunError::usage)?,
        decimal: settings.decimal.unwrap_or_default(),
        thousands: settings.thousands.unwrap_or_default(),
        missing_words: settings.missing_words.as_ref().map(|List(words)| match &words[..] {
            [none] if none == "none" => Vec::new(),
            words => words.to_vec(),
        }),
        target: settings.target.clone(),
        ..CsvOptions::default()
    })
}

/// The fraction of validation rows, which decide which epoch is the best, when to stop, and when a plateau is reached.
///
/// # Errors
/// If it is 0 and a setting needs validation rows: the test rows would decide then.
pub(crate) fn validation_share(settings: &Settings) -> Result<f64, RunError> {
    let deciding = [
        ("patience", settings.patience.is_some()),
        ("keep_best", settings.keep_best == Some(true)),
        ("schedule plateau", matches!(settings.schedule, Some(Schedule::Plateau { .. }))),
    ];
    let deciding = deciding.into_iter().find(|(_, decides)| *decides);
    match (settings.validation, deciding) {
        (Some(0.0), Some((what, _))) => Err(RunError::usage(format!(
            "validation 0: {what} needs validation rows | leave validation out, or set it to {VALIDATION}"
        ))),
        (Some(share), _) => Ok(share),
        (None, Some(_)) => Ok(VALIDATION),
        (None, None) => Ok(0.0),
    }
}

/// Splits the rows by the settings.
pub fn split(settings: &Settings, loaded: &Loaded, rng: &mut Rng) -> Result<Rows, RunError> {
    let validation = validation_share(settings)?;
    if settings.test_data.is_some()
        && (settings.test.is_some_and(|share| share > 0.0) || loaded.given_test().is_some())
    {
        return Err(RunError::usage(
            "test_data: the data already have test rows | leave out test, or use data without a test set",
        ));
    }
    let all_to_train = settings.test_data.is_some() || settings.test == Some(0.0);
    let share = if all_to_train { 0.0 } else { settings.test.unwrap_or(TEST) };
    if validation + share >= 1.0 {
        return Err(RunError::usage(format!(
            "test {share:?} and validation {validation:?}: expected fractions whose sum is below 1 | 0.25 and 0.15 are usual"
        )));
    }
    if let Some(test) = loaded.given_test() {
        if settings.test.is_some() {
            return Err(RunError::usage("test: these data have their own test set | leave it out"));
        }
        let (train, validation) = hold_out(loaded, Vec::from_iter(0..test.start), validation, rng)?;
        return Ok(Rows { train, validation, test: test.collect() });
    }
    if all_to_train {
        let (train, validation) = hold_out(loaded, Vec::from_iter(0..loaded.rows()), validation, rng)?;
        return Ok(Rows { train, validation, test: Vec::new() });
    }
    let shares = match validation {
        0.0 => vec![1.0 - share, share],
        _ => vec![1.0 - share - validation, validation, share],
    };
    let mut parts = loaded.split(&shares, rng).map_err(|error| match loaded.targets() {
        Targets::Classes { names, .. } if names.iter().all(|name| name.parse::<f64>().is_ok()) => {
            RunError::run(format!("{error} | for regression, set task to regression")).with(&["task"])
        }
        _ => RunError::from(error),
    })?;
    let test = parts.pop().unwrap_or_default();
    let validation = if parts.len() > 1 { parts.pop().unwrap_or_default() } else { Vec::new() };
    Ok(Rows { train: parts.pop().unwrap_or_default(), validation, test })
}

/// Splits a fraction off some rows, stratified by class.
pub fn hold_out(
    loaded: &Loaded,
    rows: Vec<usize>,
    share: f64,
    rng: &mut Rng,
) -> Result<(Vec<usize>, Vec<usize>), RunError> {
    if share == 0.0 {
        return Ok((rows, Vec::new()));
    }
    let shares = [1.0 - share, share];
    let parts = match loaded.targets() {
        Targets::Classes { labels, .. } => {
            let labels = Vec::from_iter(rows.iter().map(|&row| labels[row]));
            surprisal_data::stratified_split_rows(&labels, &shares, rng)?
        }
        Targets::Values(_) | Targets::Masks { .. } => surprisal_data::split_rows(rows.len(), &shares, rng)?,
    };
    let [kept, taken] = [0, 1].map(|part: usize| parts[part].iter().map(|&i| rows[i]).collect());
    Ok((kept, taken))
}

/// The rows of a table with their targets, encoded for an existing net.
pub(crate) fn labeled_table(
    path: &Path,
    encoder: &Encoder,
    predictions: &Predictions,
    options: &CsvOptions,
    unseen: Unseen,
) -> Result<Dataset, RunError> {
    if let Predictions::Masks(_) = predictions {
        return Err(RunError::usage(format!(
            "{}: a table has no masks, which the net predicts | use images:DIR with the folders images and masks",
            path.display()
        )));
    }
    let features = encoder.read_csv_path(path, options, unseen)?;
    let (column, file) = (TargetColumn::read_csv_path(path, options)?, path.display().to_string());
    let targets = match predictions {
        Predictions::Classes(names) | Predictions::Masks(names) => {
            Targets::Classes { labels: column.labels(names)?, names: names.clone() }
        }
        Predictions::Number { name, .. } => {
            let values = column.values()?;
            check_target(&values, name, &file)?;
            Targets::Values(values)
        }
    };
    Ok(Dataset { name: file, features, targets, feature_names: encoder.feature_names(), image_shape: None })
}

/// The first name in two lists that differs: what was found, and what was expected.
pub(super) fn other_of(found: &[String], expected: &[String]) -> Option<(String, String)> {
    let name =
        |names: &[String], at| names.get(at).map_or("none".into(), |name: &String| format!("\"{name}\""));
    let at = (0..found.len().max(expected.len())).find(|&at| found.get(at) != expected.get(at))?;
    Some((name(found, at), name(expected, at)))
}

/// The first column or category of an encoder with another name: what it is, what was found, and what was expected.
pub(super) fn other_name(found: &Encoder, expected: &Encoder) -> Option<(&'static str, String, String)> {
    let columns =
        |encoder: &Encoder| Vec::from_iter(encoder.columns.iter().map(|column| column.name.clone()));
    if let Some((found, expected)) = other_of(&columns(found), &columns(expected)) {
        return Some(("column", found, expected));
    }
    let (found, expected) = other_of(&found.feature_names(), &expected.feature_names())?;
    Some(("input", found, expected))
}

/// A feature that `f32` does not hold.
pub(super) struct Unfit {
    column: usize, // of the encoder
    row: usize,
    value: f64, // as it was read
}

impl Unfit {
    /// The same, in rows that follow this number of others.
    pub fn below(self, rows: usize) -> Unfit {
        Unfit { row: self.row + rows, ..self }
    }
    /// The first of several has the smallest.
    pub fn place(&self) -> (usize, usize) {
        (self.column, self.row)
    }
    pub fn error(&self, encoder: &Encoder, data: &str, row: impl Fn(usize) -> usize) -> RunError {
        // what was read, up to the rounding of the scaling
        let found = format!("{:.14e}", self.value).parse().unwrap_or(self.value);
        RunError::run(format!(
            "{data}: row {}, column \"{}\": {found:?} is outside the range of f32, up to {:.1e} | correct the value, leave the \
             row out, or divide the column",
            row(self.row),
            encoder.columns[self.column].name,
            f32::MAX
        ))
    }
}

/// The first feature that `f32` does not hold, before or after it was encoded, column by column.
pub(super) fn unfit_feature(features: ArrayView2<f64>, encoder: &Encoder) -> Option<Unfit> {
    let most = f64::from(f32::MAX);
    let largest = features.iter().fold(0.0, |largest, x| if x.abs() > largest { x.abs() } else { largest });
    let all_fit = |column: &EncodedColumn| match column.encoding {
        Encoding::Number { offset, scale, .. } | Encoding::Date { offset, scale, .. } => {
            largest * scale + offset.abs() <= most
        }
        Encoding::OneHot { .. } => true,
    };
    if largest <= most && encoder.columns.iter().all(all_fit) {
        return None;
    }
    let mut columns = features.columns().into_iter();
    for (at, column) in encoder.columns.iter().enumerate() {
        let (offset, scale) = match &column.encoding {
            Encoding::OneHot { categories, .. } => {
                columns.by_ref().take(categories.len()).for_each(drop);
                continue;
            }
            Encoding::Number { offset, scale, .. } | Encoding::Date { offset, scale, .. } => {
                (*offset, *scale)
            }
        };
        let encoded = columns.next()?;
        let raw = |x: f64| x * scale + offset;
        if let Some(row) = encoded.iter().position(|&x| raw(x).abs() > most || x.abs() > most) {
            return Some(Unfit { column: at, row, value: raw(encoded[row]) });
        }
    }
    None
}

/// Whether `f32` holds the features, before and after they are encoded; `row` is the number of a row in the data.
pub(crate) fn check_features(
    features: ArrayView2<f64>,
    encoder: &Encoder,
    data: &str,
    row: impl Fn(usize) -> usize,
) -> Result<(), RunError> {
    match unfit_feature(features, encoder) {
        Some(unfit) => Err(unfit.error(encoder, data, row)),
        None => Ok(()),
    }
}

/// Whether the squares of numbers to predict do not overflow.
pub(crate) fn check_target(values: &[f64], name: &str, data: &str) -> Result<(), RunError> {
    match values.iter().position(|value| value.abs() > LARGEST || value.is_nan()) {
        Some(row) => Err(RunError::run(format!(
            "{data}: row {row}, target \"{name}\": {:?} is too large: expected numbers up to {LARGEST:e}, whose squares do not overflow | \
             divide the column",
            values[row]
        ))),
        None => Ok(()),
    }
}
