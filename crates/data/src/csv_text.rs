//! The text of a table, its rows, and where in it an error stands.

use crate::error::{CsvError, CsvProblem, DataError, ErrorKind};
use csv::{ReaderBuilder, StringRecord, Trim};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Opens a file; returns its path too, as the messages show it.
pub(crate) fn open(path: &Path) -> Result<(String, File), DataError> {
    let source_name = path.display().to_string();
    let unread = Text { source_name: &source_name, text: String::new() };
    let file = File::open(path).map_err(|error| unread.unreadable(error))?;
    Ok((source_name, file))
}

/// Whether a field says that its value is missing.
pub(crate) fn is_missing(field: &str) -> bool {
    field.is_empty() || ["na", "nan", "null", "?"].iter().any(|word| field.eq_ignore_ascii_case(word))
}

/// The finite number that a field holds, or why it holds none.
pub(crate) fn number(field: &str) -> Result<f64, CsvProblem> {
    let found = || field.to_owned();
    match field.parse::<f64>() {
        _ if is_missing(field) => Err(CsvProblem::MissingNew { found: found() }),
        Ok(number) if number.is_finite() => Ok(number),
        Ok(_) => Err(CsvProblem::NotFinite { found: found() }),
        Err(_) => Err(CsvProblem::NotANumber { found: found(), target: None }),
    }
}

/// A table, with all that an error in it needs to know.
pub(crate) struct Text<'a> {
    source_name: &'a str,
    text: String,
}

/// The rows of a table, below its header.
pub(crate) struct Rows<'a> {
    /// The table.
    pub text: &'a Text<'a>,
    /// The names of the columns.
    pub header: StringRecord,
    /// Whether the names stand in the table.
    named: bool,
    csv: csv::Reader<&'a [u8]>,
}

impl<'a> Rows<'a> {
    /// The header, and the rows to come; without a header (`named`), columns are called by their places.
    pub fn of(text: &'a Text<'a>, separator: u8, named: bool) -> Result<Self, DataError> {
        // `flexible` leaves it to us to judge the number of fields, and to name the column that is missing
        let reader = || {
            ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .delimiter(separator)
                .trim(Trim::All)
                .from_reader(text.text.as_bytes())
        };
        let mut first = StringRecord::new();
        let mut rows = Rows { text, header: StringRecord::new(), named, csv: reader() };
        if !rows.read(&mut first)? {
            return Err(text.error(None, None, CsvProblem::NoHeader { named }));
        }
        if named {
            return Ok(Rows { header: first, ..rows });
        }
        let header = StringRecord::from_iter((0..first.len()).map(|place| place.to_string()));
        Ok(Rows { header, csv: reader(), ..rows })
    }

    /// Reads the next row, of as many fields as there are columns; `false` at the end.
    pub fn next(&mut self, row: &mut StringRecord) -> Result<bool, DataError> {
        if !self.read(row)? {
            return Ok(false);
        }
        if row.len() == self.header.len() {
            return Ok(true);
        }
        // a row too short lacks its last columns, as far as anyone can tell; one too long blames no column
        let missing = self.header.get(row.len());
        let (expected, found, named) = (self.header.len(), row.len(), self.named);
        Err(self.text.error(Some(start(row)), missing, CsvProblem::FieldCount { expected, found, named }))
    }

    fn read(&mut self, row: &mut StringRecord) -> Result<bool, DataError> {
        self.csv.read_record(row).map_err(|error| self.text.unreadable(error.into()))
    }

    /// The places of these columns; each must be there once, the others do not matter.
    pub fn find(&self, columns: &[impl AsRef<str>]) -> Result<Vec<usize>, DataError> {
        let places: HashMap<&str, usize> =
            self.header.iter().enumerate().map(|(at, column)| (column, at)).collect();
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for column in columns.iter().map(AsRef::as_ref) {
            match places.get(column) {
                Some(&at) => found.push(at),
                None => missing.push(column.to_owned()),
            }
        }
        if !missing.is_empty() {
            let columns = self.header.iter().map(str::to_owned).collect();
            return Err(self.text.error(None, None, CsvProblem::MissingColumns { missing, columns }));
        }
        let wanted: HashSet<&str> = columns.iter().map(AsRef::as_ref).collect();
        self.check_once(|at| wanted.contains(&self.header[at]))?;
        Ok(found)
    }

    /// Whether no column that matters has the name of an earlier one that does.
    pub fn check_once(&self, matters: impl Fn(usize) -> bool) -> Result<(), DataError> {
        let mut places = HashMap::new();
        for (second, column) in self.header.iter().enumerate().filter(|&(at, _)| matters(at)) {
            if let Some(first) = places.insert(column, second) {
                let problem = CsvProblem::DuplicateColumn { first: first + 1, second: second + 1 };
                return Err(self.text.error(Some(start(&self.header)), Some(column), problem));
            }
        }
        Ok(())
    }

    /// An error in one field.
    pub fn error_in(&self, row: &StringRecord, at: usize, problem: CsvProblem) -> DataError {
        self.text.error(Some(start(row)), Some(&self.header[at]), problem)
    }
}

/// The byte at which a record begins, before the empty lines above it.
fn start(record: &StringRecord) -> usize {
    record.position().map_or(0, |position| position.byte() as usize)
}

impl<'a> Text<'a> {
    pub fn read(mut reader: impl Read, source_name: &'a str) -> Result<Self, DataError> {
        let mut bytes = Vec::new();
        let unread = Text { source_name, text: String::new() };
        reader.read_to_end(&mut bytes).map_err(|error| unread.unreadable(error))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let (good, bad) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
            let table = Text { source_name, text: String::from_utf8_lossy(good).into_owned() };
            table.error(Some(good.len()), None, CsvProblem::NotUtf8 { byte: bad[0] })
        })?;
        Ok(Text { source_name, text })
    }

    fn unreadable(&self, error: io::Error) -> DataError {
        self.error(None, None, CsvProblem::Unreadable(error))
    }

    /// An error in the record that starts at this byte, in this column, as far as it has a place.
    pub fn error(&self, start: Option<usize>, column: Option<&str>, problem: CsvProblem) -> DataError {
        let source_name = self.source_name.to_owned();
        let line = start.map(|start| self.line(start));
        ErrorKind::Csv(CsvError { source_name, line, column: column.map(str::to_owned), problem }).into()
    }

    /// The line, counted from 1, of the record that starts at this byte, or below empty lines that do.
    ///
    /// The csv crate has a line number as well, but it stops before empty lines and before the LF of a CR LF.
    fn line(&self, start: usize) -> usize {
        let breaks = self.text[start..].bytes().take_while(|byte| b"\r\n".contains(byte)).count();
        self.text[..start + breaks].matches('\n').count() + 1
    }
}
