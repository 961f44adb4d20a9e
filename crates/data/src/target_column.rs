//! [`TargetColumn`]: the target column of a table, for an existing model.

use crate::csv::error::{CsvError, CsvProblem};
use crate::csv::fields::Fields;
use crate::csv::options::CsvOptions;
use crate::csv::text::{Record, Rows, Text, open};
use crate::error::{DataError, ErrorKind};
use crate::source::error::SpecError;
use std::path::Path;

/// The target column of a table as it is written, to be read as the labels or the numbers that a model knows.
///
/// ```
/// use surprisal_data::{CsvOptions, TargetColumn};
///
/// let path = std::env::temp_dir().join(format!("surprisal-targets-{}.csv", std::process::id()));
/// std::fs::write(&path, "x,y\n1,2.0\n2,1\n")?;
/// let options = CsvOptions { target: Some("y".to_owned()), ..CsvOptions::default() };
/// let targets = TargetColumn::read_csv_path(&path, &options);
/// std::fs::remove_file(&path)?;
/// let targets = targets?;
/// assert_eq!(targets.values()?, [2.0, 1.0]);
/// assert_eq!(targets.labels(&["1".to_owned(), "2".to_owned()])?, [1, 0]); // equal numbers are one class
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TargetColumn {
    source_name: String,
    column: String,
    fields: Fields,
    texts: Vec<(usize, String)>, // with their lines
}

impl TargetColumn {
    /// Reads the target column of a file; the options say which it is, and how the table is written.
    ///
    /// Errors if no target is named, if the file cannot be read or has no such column, on a row with a field too many or too few,
    /// and on a value that is missing, unless it is the name of a class.
    ///
    /// See the example of [`TargetColumn`].
    pub fn read_csv_path(path: impl AsRef<Path>, options: &CsvOptions) -> Result<TargetColumn, DataError> {
        let path = path.as_ref();
        let (source_name, file) = open(path)?;
        let target = options.target.as_ref().ok_or(SpecError::NoTarget { table: source_name.clone() })?;
        let (text, fields) = (Text::read(file, &source_name)?, Fields::of(options)?);
        let mut rows = Rows::of(&text, options.separator_in(path), options.header)?;
        let at = rows.find_target(target)?;
        let (mut texts, mut row) = (Vec::new(), Record::default());
        while rows.next(&mut row)? {
            texts.push((row.line(), row[at].to_owned()));
        }
        if texts.is_empty() {
            return Err(text.error(None, None, CsvProblem::NoRows));
        }
        let column = rows.header[at].to_owned();
        drop(text);
        Ok(TargetColumn { source_name, column, fields, texts })
    }

    /// The class of every row, an index into `classes`; equal numbers are one class, however they are written.
    ///
    /// Errors if a value is missing, or is not one of the classes.
    pub fn labels(&self, classes: &[String]) -> Result<Vec<usize>, DataError> {
        let label = |(line, text): &(usize, String)| match self.fields.find(text, classes) {
            Some(label) => Ok(label),
            None if self.fields.is_missing(text) => {
                Err(self.error(*line, CsvProblem::MissingNew { found: text.clone() }))
            }
            None => {
                let problem = CsvProblem::UnknownClass { found: text.clone(), known: classes.to_vec() };
                Err(self.error(*line, problem))
            }
        };
        self.texts.iter().map(label).collect()
    }

    /// The number of every row.
    ///
    /// Errors on a value that is missing, and on one that is not a finite number.
    pub fn values(&self) -> Result<Vec<f64>, DataError> {
        let value = |(line, text): &(usize, String)| {
            self.fields.number(text).map_err(|problem| self.error(*line, problem))
        };
        self.texts.iter().map(value).collect()
    }

    /// The name of the column.
    pub fn name(&self) -> &str {
        &self.column
    }

    /// The column as it is written.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|(_, text)| text.as_str())
    }

    fn error(&self, line: usize, problem: CsvProblem) -> DataError {
        let (source_name, column) = (self.source_name.clone(), Some(self.column.clone()));
        ErrorKind::Csv(CsvError { source_name, line: Some(line), column, problem }).into()
    }
}
