//! The answers that a table gives itself: one column, as it stands.

use std::path::{Path, PathBuf};

use surprisal_data::{CsvOptions, closest};

use crate::RunError;

/// The texts of a column, and where each of them stands.
pub struct Column {
    path: PathBuf,
    name: String,
    texts: Vec<(u64, String)>, // with their lines
}

/// Reads the column of the answers.
pub fn column(path: &Path, options: &CsvOptions, target: Option<&str>) -> Result<Column, RunError> {
    let Some(target) = target else {
        return Err(RunError::Usage(
            "nobody says which column holds the answers: name it with --target".into(),
        ));
    };
    let wrong = |message: String| RunError::Run(format!("{}: {message}", path.display()));
    let tab = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("tsv"));
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .delimiter(options.separator.unwrap_or(if tab { b'\t' } else { b',' }))
        .from_path(path)
        .map_err(|error| wrong(format!("cannot read: {error}")))?;
    let mut records = reader.records();
    let mut first = None;
    if options.header {
        first =
            Some(records.next().transpose().map_err(|error| wrong(error.to_string()))?.unwrap_or_default());
    }
    let mut at = None;
    let mut texts = Vec::new();
    for record in records {
        let record = record.map_err(|error| wrong(error.to_string()))?;
        let place = match at {
            Some(place) => place,
            None => place(target, first.as_ref(), record.len()).map_err(wrong)?,
        };
        at = Some(place);
        let line = record.position().map_or(0, |position| position.line());
        let text = record.get(place).filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| {
            wrong(format!("line {line}, column \"{target}\": expected an answer, found nothing"))
        })?;
        texts.push((line, text.to_string()));
    }
    Ok(Column { path: path.into(), name: target.into(), texts })
}

/// Where the column stands.
fn place(target: &str, header: Option<&csv::StringRecord>, columns: usize) -> Result<usize, String> {
    if let Some(place) = header.and_then(|header| header.iter().position(|name| name == target)) {
        return Ok(place);
    }
    let by_number = target
        .parse::<isize>()
        .ok()
        .and_then(|at| if at < 0 { columns.checked_add_signed(at) } else { Some(at as usize) });
    if let Some(at) = by_number.filter(|&at| at < columns) {
        return Ok(at);
    }
    let names: Vec<&str> = header.map(|header| header.iter().collect()).unwrap_or_default();
    let hint = closest(target, names.iter().copied())
        .map_or(String::new(), |near| format!(" | did you mean \"{near}\"?"));
    Err(format!("no column is named \"{target}\" | columns: {}{hint}", names.join(", ")))
}

impl Column {
    /// The rows' labels, in the order of these classes.
    pub fn labels(&self, classes: &[String]) -> Result<Vec<usize>, RunError> {
        let label = |(line, text): &(u64, String)| {
            classes.iter().position(|class| class == text).ok_or_else(|| {
                let hint = closest(text, classes.iter().map(String::as_str))
                    .map_or(String::new(), |near| format!(" | did you mean \"{near}\"?"));
                self.wrong(
                    *line,
                    &format!(
                        "expected one of the net's classes {}, found \"{text}\"{hint}",
                        classes.join(", ")
                    ),
                )
            })
        };
        self.texts.iter().map(label).collect()
    }

    /// The rows' numbers.
    pub fn values(&self) -> Result<Vec<f64>, RunError> {
        let value = |(line, text): &(u64, String)| {
            let number = text.parse().ok().filter(|number: &f64| number.is_finite());
            number.ok_or_else(|| self.wrong(*line, &format!("expected a finite number, found \"{text}\"")))
        };
        self.texts.iter().map(value).collect()
    }

    fn wrong(&self, line: u64, message: &str) -> RunError {
        RunError::Run(format!("{}, line {line}, column \"{}\": {message}", self.path.display(), self.name))
    }
}
