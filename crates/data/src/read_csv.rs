//! Reading a table of comma-separated values, with an error that points at the field.

use crate::dataset::Dataset;
use crate::error::{CsvError, CsvProblem, DataError, ErrorKind};
use csv::{ReaderBuilder, StringRecord, Trim};
use ndarray::Array2;
use std::collections::{BTreeSet, HashMap, HashSet};
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
        parse(&Table::read(reader, name)?, name, target_column)
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
        let (source_name, file) = open(path)?;
        let name = path.file_stem().map_or(source_name.clone(), |stem| stem.to_string_lossy().into_owned());
        parse(&Table::read(file, &source_name)?, &name, target_column)
    }
}

/// Reads the named columns of a table with a header line, in the order given: `[rows, columns]`.
///
/// For a model that is asked about new rows: `columns` are the names of the features that it was trained on.
/// They may stand anywhere in the table, among others, which are passed over whatever they hold: a label column
/// may be there or not. Text and rows are as in [`Dataset::from_csv`]; `name` stands in the messages.
///
/// Errors if a column is not there, or there twice, on a row with a field too many or too few, and in these
/// columns on an empty field, text, NaN or infinity; if there are no rows.
///
/// ```
/// use surprisal_data::features_from_csv;
///
/// let table = "name,weight_kg,height_cm\nMiri,4.1,24\nBello,30,61\n";
/// let x = features_from_csv(table.as_bytes(), "new pets", &["height_cm", "weight_kg"])?;
/// assert_eq!(x, ndarray::array![[24.0, 4.1], [61.0, 30.0]]);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn features_from_csv(
    reader: impl Read,
    name: &str,
    columns: &[impl AsRef<str>],
) -> Result<Array2<f64>, DataError> {
    parse_features(&Table::read(reader, name)?, columns)
}

/// Reads the named columns of a file, as [`features_from_csv`] does.
///
/// Errors as `features_from_csv` does, or if the file cannot be read; the messages start with the path.
///
/// ```
/// let error = surprisal_data::features_from_csv_path("no-such-file.csv", &["height_cm"]).unwrap_err();
/// assert!(error.to_string().starts_with("no-such-file.csv: "), "{error}");
/// ```
pub fn features_from_csv_path(
    path: impl AsRef<Path>,
    columns: &[impl AsRef<str>],
) -> Result<Array2<f64>, DataError> {
    let (source_name, file) = open(path.as_ref())?;
    features_from_csv(file, &source_name, columns)
}

/// Opens a file; returns its path too, as the messages show it.
fn open(path: &Path) -> Result<(String, File), DataError> {
    let source_name = path.display().to_string();
    let file = File::open(path).map_err(|error| Table::unread(&source_name).unreadable(error))?;
    Ok((source_name, file))
}

/// A table, with all that an error in it needs to know.
struct Table<'a> {
    source_name: &'a str,
    text: String,
}

/// The rows of a table, below its header.
struct Rows<'a> {
    table: &'a Table<'a>,
    csv: csv::Reader<&'a [u8]>,
}

impl<'a> Rows<'a> {
    /// The header, and the rows to come.
    fn of(table: &'a Table<'a>) -> Result<(StringRecord, Self), DataError> {
        // `flexible` leaves it to us to judge the number of fields, and to name the column that is missing
        let csv = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(Trim::All)
            .from_reader(table.text.as_bytes());
        let (mut header, mut rows) = (StringRecord::new(), Rows { table, csv });
        rows.next(&mut header)?;
        if header.is_empty() {
            return Err(table.error(None, None, CsvProblem::NoHeader));
        }
        Ok((header, rows))
    }

    fn next(&mut self, row: &mut StringRecord) -> Result<bool, DataError> {
        self.csv.read_record(row).map_err(|error| self.table.unreadable(error.into()))
    }
}

fn parse(table: &Table, name: &str, target: &str) -> Result<Dataset, DataError> {
    let (header, mut rows) = Rows::of(table)?;
    let target_at = check_header(table, &header, target)?;

    let (mut numbers, mut classes) = (Vec::new(), Vec::new());
    let mut row = StringRecord::new();
    while rows.next(&mut row)? {
        let class = read_row(table, &header, &row, target_at, &mut numbers)?;
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

fn parse_features(table: &Table, columns: &[impl AsRef<str>]) -> Result<Array2<f64>, DataError> {
    let (header, mut rows) = Rows::of(table)?;
    let chosen = find_columns(table, &header, columns)?;

    let (mut count, mut numbers) = (0, Vec::new());
    let mut row = StringRecord::new();
    while rows.next(&mut row)? {
        check_width(table, &header, &row)?;
        for &at in &chosen {
            numbers.push(read_number(table, &header, &row, at, None)?);
        }
        count += 1;
    }
    if count == 0 {
        return Err(table.error(None, None, CsvProblem::NoRows));
    }
    Ok(Array2::from_shape_vec((count, chosen.len()), numbers).expect("every row gave one number per column"))
}

/// Finds the label column; every name must be there once, and there must be more than the label.
fn check_header(table: &Table, header: &StringRecord, target: &str) -> Result<usize, DataError> {
    let Some(target_at) = header.iter().position(|column| column == target) else {
        let (target, columns) = (target.to_owned(), header.iter().map(str::to_owned).collect());
        return Err(table.error(None, None, CsvProblem::UnknownTarget { target, columns }));
    };
    check_once(table, header, |_| true)?;
    if header.len() == 1 {
        return Err(table.error(None, None, CsvProblem::NoFeatures { target: target.to_owned() }));
    }
    Ok(target_at)
}

/// Finds the columns that a model reads; each must be there once, the others do not matter.
fn find_columns(
    table: &Table,
    header: &StringRecord,
    columns: &[impl AsRef<str>],
) -> Result<Vec<usize>, DataError> {
    let places: HashMap<&str, usize> = header.iter().enumerate().map(|(at, column)| (column, at)).collect();
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for column in columns.iter().map(AsRef::as_ref) {
        match places.get(column) {
            Some(&at) => found.push(at),
            None => missing.push(column.to_owned()),
        }
    }
    if !missing.is_empty() {
        let columns = header.iter().map(str::to_owned).collect();
        return Err(table.error(None, None, CsvProblem::MissingColumns { missing, columns }));
    }
    let wanted: HashSet<&str> = columns.iter().map(AsRef::as_ref).collect();
    check_once(table, header, |column| wanted.contains(column))?;
    Ok(found)
}

/// Whether no column that matters has the name of an earlier one.
fn check_once(table: &Table, header: &StringRecord, matters: impl Fn(&str) -> bool) -> Result<(), DataError> {
    let mut places = HashMap::new();
    for (second, column) in header.iter().enumerate().filter(|(_, column)| matters(column)) {
        if let Some(first) = places.insert(column, second) {
            let problem = CsvProblem::DuplicateColumn { first: first + 1, second: second + 1 };
            return Err(table.error(Some(start(header)), Some(column), problem));
        }
    }
    Ok(())
}

/// Appends the numbers of one row, and returns its class.
fn read_row<'a>(
    table: &Table,
    header: &StringRecord,
    row: &'a StringRecord,
    target_at: usize,
    numbers: &mut Vec<f64>,
) -> Result<&'a str, DataError> {
    check_width(table, header, row)?;
    for at in 0..row.len() {
        if at != target_at {
            numbers.push(read_number(table, header, row, at, Some(target_at))?);
        } else if row[at].is_empty() {
            return Err(table.error_in(
                row,
                &header[at],
                CsvProblem::EmptyField { expected: "a class name" },
            ));
        }
    }
    Ok(&row[target_at])
}

/// Whether a row has as many fields as the header.
fn check_width(table: &Table, header: &StringRecord, row: &StringRecord) -> Result<(), DataError> {
    if row.len() == header.len() {
        return Ok(());
    }
    // a row too short lacks its last columns, as far as anyone can tell; one too long blames no column
    let missing = header.get(row.len());
    let problem = CsvProblem::FieldCount { expected: header.len(), found: row.len() };
    Err(table.error(Some(start(row)), missing, problem))
}

/// The number in one field; the label column is what else could have held text.
fn read_number(
    table: &Table,
    header: &StringRecord,
    row: &StringRecord,
    at: usize,
    target_at: Option<usize>,
) -> Result<f64, DataError> {
    let field = &row[at];
    let problem = match field.parse::<f64>() {
        Ok(number) if number.is_finite() => return Ok(number),
        Ok(_) => CsvProblem::NotFinite { found: field.to_owned() },
        Err(_) if field.is_empty() => CsvProblem::EmptyField { expected: "a number" },
        Err(_) => {
            let target = target_at.map(|at| header[at].to_owned());
            CsvProblem::NotANumber { found: field.to_owned(), target }
        }
    };
    Err(table.error_in(row, &header[at], problem))
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
    fn read(mut reader: impl Read, source_name: &'a str) -> Result<Self, DataError> {
        let mut bytes = Vec::new();
        let outcome = reader.read_to_end(&mut bytes);
        outcome.map_err(|error| Table::unread(source_name).unreadable(error))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let (good, bad) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
            let table = Table { source_name, text: String::from_utf8_lossy(good).into_owned() };
            table.error(Some(good.len()), None, CsvProblem::NotUtf8 { byte: bad[0] })
        })?;
        Ok(Table { source_name, text })
    }

    fn unread(source_name: &'a str) -> Self {
        Table { source_name, text: String::new() }
    }

    fn unreadable(&self, error: io::Error) -> DataError {
        self.error(None, None, CsvProblem::Unreadable(error))
    }

    fn error(&self, start: Option<usize>, column: Option<&str>, problem: CsvProblem) -> DataError {
        let source_name = self.source_name.to_owned();
        let line = start.map(|start| self.line(start));
        ErrorKind::Csv(CsvError { source_name, line, column: column.map(str::to_owned), problem }).into()
    }

    /// An error in one field.
    fn error_in(&self, row: &StringRecord, column: &str, problem: CsvProblem) -> DataError {
        self.error(Some(start(row)), Some(column), problem)
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
    use ndarray::array;

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

    #[test]
    fn features_come_in_the_order_asked_for_whatever_else_the_table_holds() {
        let columns = ["a", "b"];
        for table in ["a,b\n1,2\n3,4", "b,a\n2,1\n4,3", "b,kind,a,note,note\n2,,1,x,\n4,cat,3,NaN,y\n"] {
            let x = features_from_csv(table.as_bytes(), "t", &columns).unwrap();
            assert_eq!(x, array![[1.0, 2.0], [3.0, 4.0]], "{table}");
        }
    }

    #[test]
    fn features_of_a_table_with_labels_are_those_of_the_set() {
        let path = "../../datasets/breast_cancer.csv";
        let set = Dataset::from_csv_path(path, "diagnosis").unwrap();
        assert_eq!(features_from_csv_path(path, &set.feature_names).unwrap(), set.features);
    }
}
