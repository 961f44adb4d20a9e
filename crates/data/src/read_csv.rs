//! Reading a table of comma-separated values, with an error that points at the field.

use crate::dataset::Dataset;
use crate::error::{CsvError, CsvProblem, DataError, ErrorKind};
use csv::{ReaderBuilder, StringRecord, Trim};
use ndarray::Array2;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

impl Dataset {
    /// Reads a table with a header line: numbers in every column, but class names in `target_column`.
    ///
    /// The label column may stand anywhere; its text, whatever it is, names the class. Classes are numbered
    /// in sorted order (by value if all of them are numbers, else by letter), so that it does not matter in
    /// which order the rows stand. [`with_class_order`](Dataset::with_class_order) renumbers them.
    ///
    /// The table is UTF-8, with fields separated by commas. Blanks around a field and empty lines do not
    /// count; a field that holds a comma or a line break stands in double quotes, right after the comma.
    /// `name` becomes the name of the set and stands in the messages.
    ///
    /// Errors on a row with a field too many or too few, an empty field, text among the numbers, NaN or
    /// infinity, a repeated column name, a label column that is not there, no rows, or one class only.
    ///
    /// ```
    /// use surprisal_data::Dataset;
    ///
    /// let table = "height_cm, kind, weight_kg\n 24, cat, 4.1\n 61, dog, 30\n";
    /// let pets = Dataset::from_csv(table.as_bytes(), "pets", "kind")?;
    /// assert_eq!(pets.feature_names, ["height_cm", "weight_kg"]);
    /// assert_eq!(pets.features, ndarray::array![[24.0, 4.1], [61.0, 30.0]]);
    /// assert_eq!(pets.class_names, ["cat", "dog"]);
    /// assert_eq!(pets.labels, [0, 1]);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn from_csv(reader: impl Read, name: &str, target_column: &str) -> Result<Dataset, DataError> {
        read(reader, name, name, target_column)
    }

    /// Reads a table from a file, as [`from_csv`](Dataset::from_csv) does; the set is named after the file.
    ///
    /// Errors as `from_csv` does, or if the file cannot be read; the messages start with the path.
    ///
    /// ```
    /// use surprisal_data::Dataset;
    ///
    /// let iris = Dataset::from_csv_path("../../datasets/iris.csv", "species")?;
    /// assert_eq!(iris, Dataset::iris());
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn from_csv_path(path: impl AsRef<Path>, target_column: &str) -> Result<Dataset, DataError> {
        let path = path.as_ref();
        let source_name = path.display().to_string();
        let name = path.file_stem().map_or(source_name.clone(), |stem| stem.to_string_lossy().into_owned());
        let file = File::open(path).map_err(|error| Table::unread(&source_name).unreadable(error))?;
        read(file, &source_name, &name, target_column)
    }
}

/// What an error needs to know of the table that it occurred in.
struct Table<'a> {
    source_name: &'a str,
    text: &'a str,
}

fn read(mut reader: impl Read, source_name: &str, name: &str, target: &str) -> Result<Dataset, DataError> {
    // the whole text is kept, for an error to find its line in
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).map_err(|error| Table::unread(source_name).unreadable(error))?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let (good, bad) = bytes.split_at(error.valid_up_to());
        let table = Table { source_name, text: &String::from_utf8_lossy(good) };
        table.error(Some(good.len()), None, CsvProblem::NotUtf8 { byte: bad[0] })
    })?;
    parse(&Table { source_name, text }, name, target)
}

fn parse(table: &Table, name: &str, target: &str) -> Result<Dataset, DataError> {
    // `flexible` leaves it to us to judge the number of fields, and to name the column that is missing
    let mut csv = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(table.text.as_bytes());
    let mut next =
        |record: &mut StringRecord| csv.read_record(record).map_err(|e| table.unreadable(e.into()));

    let mut header = StringRecord::new();
    next(&mut header)?;
    let target_at = check_header(table, &header, target)?;

    let (mut numbers, mut classes) = (Vec::new(), Vec::new());
    let mut record = StringRecord::new();
    while next(&mut record)? {
        let class = read_row(table, &header, &record, target_at, &mut numbers)?;
        classes.push(class.to_owned());
    }
    let class_names = sorted(&classes);
    if class_names.is_empty() {
        return Err(table.error(None, None, CsvProblem::NoRows));
    }
    if let [class] = class_names.as_slice() {
        let problem = CsvProblem::OneClass { class: class.clone(), rows: classes.len() };
        return Err(table.error(None, Some(target), problem));
    }
    let number: HashMap<&String, usize> = class_names.iter().enumerate().map(|(k, name)| (name, k)).collect();
    let shape = (classes.len(), header.len() - 1);
    Ok(Dataset {
        name: name.to_owned(),
        features: Array2::from_shape_vec(shape, numbers)
            .expect("every row gave one number per feature column"),
        labels: classes.iter().map(|class| number[class]).collect(),
        feature_names: header.iter().filter(|&column| column != target).map(str::to_owned).collect(),
        class_names,
    })
}

/// Finds the label column; every name must be there once, and there must be more than the label.
fn check_header(table: &Table, header: &StringRecord, target: &str) -> Result<usize, DataError> {
    if header.is_empty() {
        return Err(table.error(None, None, CsvProblem::NoHeader));
    }
    let Some(target_at) = header.iter().position(|column| column == target) else {
        let (target, columns) = (target.to_owned(), header.iter().map(str::to_owned).collect());
        return Err(table.error(None, None, CsvProblem::UnknownTarget { target, columns }));
    };
    for (second, column) in header.iter().enumerate() {
        if let Some(first) = header.iter().take(second).position(|earlier| earlier == column) {
            let problem = CsvProblem::DuplicateColumn { first: first + 1, second: second + 1 };
            return Err(table.error(Some(start(header)), Some(column), problem));
        }
    }
    if header.len() == 1 {
        return Err(table.error(None, None, CsvProblem::NoFeatures { target: target.to_owned() }));
    }
    Ok(target_at)
}

/// Appends the numbers of one row, and returns its class.
fn read_row<'a>(
    table: &Table,
    header: &StringRecord,
    row: &'a StringRecord,
    target_at: usize,
    numbers: &mut Vec<f64>,
) -> Result<&'a str, DataError> {
    let fail = |column, problem| Err(table.error(Some(start(row)), column, problem));
    if row.len() != header.len() {
        // a row too short lacks its last columns, as far as anyone can tell; one too long blames no column
        let missing = header.get(row.len());
        return fail(missing, CsvProblem::FieldCount { expected: header.len(), found: row.len() });
    }
    for (at, (column, field)) in header.iter().zip(row).enumerate() {
        let is_target = at == target_at;
        if field.is_empty() {
            let expected = if is_target { "a class name" } else { "a number" };
            return fail(Some(column), CsvProblem::EmptyField { expected });
        }
        if is_target {
            continue;
        }
        match field.parse::<f64>() {
            Ok(number) if number.is_finite() => numbers.push(number),
            Ok(_) => return fail(Some(column), CsvProblem::NotFinite { found: field.to_owned() }),
            Err(_) => {
                let problem =
                    CsvProblem::NotANumber { found: field.to_owned(), target: header[target_at].to_owned() };
                return fail(Some(column), problem);
            }
        }
    }
    Ok(&row[target_at])
}

/// The distinct classes: by value if all of them are numbers, so that 10 follows 9, else by letter.
fn sorted(classes: &[String]) -> Vec<String> {
    let mut names: Vec<String> = classes.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
    let value = |name: &String| name.parse().unwrap_or(f64::NAN);
    if names.iter().all(|name| value(name).is_finite()) {
        names.sort_by(|a, b| value(a).total_cmp(&value(b)));
    }
    names
}

/// The byte at which a record begins, before the empty lines above it.
fn start(record: &StringRecord) -> usize {
    record.position().map_or(0, |position| position.byte() as usize)
}

impl<'a> Table<'a> {
    fn unread(source_name: &'a str) -> Self {
        Table { source_name, text: "" }
    }

    fn unreadable(&self, error: io::Error) -> DataError {
        self.error(None, None, CsvProblem::Unreadable(error))
    }

    fn error(&self, start: Option<usize>, column: Option<&str>, problem: CsvProblem) -> DataError {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of_error(table: &str) -> Option<usize> {
        match Dataset::from_csv(table.as_bytes(), "t", "label").unwrap_err().kind() {
            ErrorKind::Csv(error) => error.line,
            kind => panic!("not a CSV error: {kind}"),
        }
    }

    #[test]
    fn line_numbers_are_those_of_an_editor() {
        for (table, line) in [
            ("x,label\n1,a\nbad,b\n", 3),
            ("x,label\r\n1,a\r\nbad,b\r\n", 3),
            ("x,label\n1,a\n\n\nbad,b", 5),
            ("\r\n\r\nx,label\r\n\r\n1,a\r\n\r\nbad,b", 7),
            ("\u{feff}x,label\n1,a\nbad,b", 3),
            ("x,label\n1,\"a\nb\nc\"\nbad,b", 5),
            ("x,label\nbad,\"a\nb\nc\"\n", 2),
        ] {
            assert_eq!(line_of_error(table), Some(line), "{table:?}");
        }
    }

    #[test]
    fn label_column_may_stand_anywhere_and_numbers_keep_their_columns() {
        for table in ["label,x,y\nb,1,2\na,3,4", "x,label,y\n1,b,2\n3,a,4", "x,y,label\n1,2,b\n3,4,a"] {
            let set = Dataset::from_csv(table.as_bytes(), "t", "label").unwrap();
            assert_eq!(set.features, ndarray::array![[1.0, 2.0], [3.0, 4.0]], "{table}");
            assert_eq!(set.feature_names, ["x", "y"], "{table}");
            assert_eq!(set.labels, [1, 0], "{table}");
        }
    }

    #[test]
    fn byte_order_mark_quotes_and_blanks_are_not_data() {
        let table = "\u{feff}x ,\"the label\"\r\n 1.5,\"a, quoted\" \r\n\r\n-2e3 ,b\r\n";
        let set = Dataset::from_csv(table.as_bytes(), "t", "the label").unwrap();
        assert_eq!(set.feature_names, ["x"]);
        assert_eq!(set.features, ndarray::array![[1.5], [-2000.0]]);
        assert_eq!(set.class_names, ["a, quoted", "b"]);
    }

    #[test]
    fn classes_sort_by_value_only_if_all_are_numbers() {
        let classes = |names: &[&str]| sorted(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        assert_eq!(classes(&["10", "9", "-1", "9"]), ["-1", "9", "10"]);
        assert_eq!(classes(&["10", "9", "ten"]), ["10", "9", "ten"]);
        assert_eq!(classes(&["2", "nan", "10"]), ["10", "2", "nan"]);
    }
}
