//! Reading a table of comma-separated values, with an error that points at the field.

use crate::csv::error::CsvProblem;
use crate::csv::fields::Fields;
use crate::csv::options::CsvOptions;
use crate::csv::table::Table;
use crate::csv::text::{Record, Rows, Text, open};
use crate::dataset::Dataset;
use crate::error::DataError;
use ndarray::Array2;
use std::io::Read;
use std::path::Path;

impl Dataset {
    /// Reads a table with a header line: numbers in every column, but class names in `target_column`.
    ///
    /// The label column may stand anywhere; its text, whatever it is, names the class. Classes are numbered
    /// in sorted order (by value if all of them are numbers, else by letter), so that it does not matter in
    /// which order the rows stand. [`with_class_order`](Dataset::with_class_order) renumbers them.
    ///
    /// The table is UTF-8, with fields separated by commas, in lines that end with LF, CR LF or CR. Blanks
    /// around a field and empty lines do not count. A field that holds a comma, a line break or a quote at its
    /// beginning is in double quotes, and a quote inside them is written twice. Numbers that are equal (`1`,
    /// `1.0`, `01`) are one class, called by the shortest of these texts. `name` becomes the name of the set and
    /// stands in the messages.
    ///
    /// A label column may also be an index, if no column has this name: "0" is the first, "-1" the last. Tables
    /// with columns of text, with gaps, or with numbers to predict are read by a [`Table`].
    ///
    /// Errors on a quote that is not closed, text behind a closing quote, a row with a field too many or too
    /// few, a value that is missing (see [`Missing`](crate::Missing)), text among the numbers, infinity, a whole
    /// number that `f64` would round, a repeated column name, a label column that is not there, no rows, or one
    /// class only.
    ///
    /// ```
    /// use surprisal_data::Dataset;
    ///
    /// let table = "height_cm, kind, weight_kg\n 24, cat, 4.1\n 61, dog, 30\n";
    /// let pets = Dataset::from_csv(table.as_bytes(), "pets", "kind")?;
    /// assert_eq!(pets.feature_names, ["height_cm", "weight_kg"]);
    /// assert_eq!(pets.features, ndarray::array![[24.0, 4.1], [61.0, 30.0]]);
    /// assert_eq!(pets.class_names(), ["cat", "dog"]);
    /// assert_eq!(pets.labels(), [0, 1]);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn from_csv(reader: impl Read, name: &str, target_column: &str) -> Result<Dataset, DataError> {
        Table::from_csv(reader, name, &CsvOptions::numbers_and(target_column)).map(Table::into_dataset)
    }

    /// Reads a table from a file, as [`from_csv`](Dataset::from_csv) does; the set is named after the file.
    ///
    /// Errors as `from_csv` does, or if the file cannot be read; the messages start with the path.
    ///
    /// ```
    /// use surprisal_data::Dataset;
    ///
    /// let iris = Dataset::from_csv_path("datasets/iris.csv", "species")?;
    /// assert_eq!(iris, Dataset::iris());
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn from_csv_path(path: impl AsRef<Path>, target_column: &str) -> Result<Dataset, DataError> {
        Table::from_csv_path(path, &CsvOptions::numbers_and(target_column)).map(Table::into_dataset)
    }
}

/// Reads the named columns of a table with a header line, in the order given: `[rows, columns]`.
///
/// For predictions of new rows: `columns` are the names of the features that it was trained on.
/// They may be anywhere in the table, among others, which are ignored: a label
/// column may be there or not. Text and rows are as in [`Dataset::from_csv`]; `name` is for the messages.
///
/// Errors if a column is not there, or there twice, on a row with a field too many or too few, and in these
/// columns on a value that is missing, text or infinity; if there are no rows.
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
    read_features(&Text::read(reader, name)?, b',', columns)
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
    let path = path.as_ref();
    let (name, file) = open(path)?;
    read_features(&Text::read(file, &name)?, CsvOptions::default().separator_in(path), columns)
}

fn read_features(text: &Text, delimiter: u8, columns: &[impl AsRef<str>]) -> Result<Array2<f64>, DataError> {
    let fields = Fields::of(&CsvOptions::default())?;
    let mut rows = Rows::of(text, delimiter, true)?;
    let chosen = rows.find(columns)?;
    let (mut count, mut numbers, mut row) = (0, Vec::new(), Record::default());
    while rows.next(&mut row)? {
        for &at in &chosen {
            numbers.push(fields.number(&row[at]).map_err(|problem| rows.error_in(&row, at, problem))?);
        }
        count += 1;
    }
    if count == 0 {
        return Err(text.error(None, None, CsvProblem::NoRows));
    }
    Ok(Array2::from_shape_vec((count, chosen.len()), numbers).expect("every row gave one number per column"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
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
            ("x,label\r1,a\r2,b\rbad,a\r", 4),
            ("x,label\r1,\"a\rb\"\rbad,a\r", 4),
            ("x,label\n1,a\n3,\"a\n4,b\n", 3),
            ("x,label\n1,\"a\nb\" c\n", 2),
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
            assert_eq!(set.labels(), [1, 0], "{table}");
        }
    }

    #[test]
    fn byte_order_mark_quotes_and_blanks_are_not_data() {
        let table = "\u{feff}x ,\"the label\"\r\n 1.5,\"a, quoted\" \r\n\r\n-2e3 ,b\r\n";
        let set = Dataset::from_csv(table.as_bytes(), "t", "the label").unwrap();
        assert_eq!(set.feature_names, ["x"]);
        assert_eq!(set.features, ndarray::array![[1.5], [-2000.0]]);
        assert_eq!(set.class_names(), ["a, quoted", "b"]);
    }

    #[test]
    fn classes_sort_by_value_only_if_all_are_numbers() {
        let classes = |names: [&str; 4]| {
            let table: String = names.iter().map(|name| format!("1,{name}\n")).collect();
            let set = Dataset::from_csv(format!("x,label\n{table}").as_bytes(), "t", "label").unwrap();
            set.class_names().to_vec()
        };
        assert_eq!(classes(["10", "9", "-1", "9"]), ["-1", "9", "10"]);
        assert_eq!(classes(["10", "9", "ten", "9"]), ["10", "9", "ten"]);
        assert_eq!(classes(["2", "inf", "10", "2"]), ["10", "2", "inf"]);
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
        let path = "datasets/breast_cancer.csv";
        let set = Dataset::from_csv_path(path, "diagnosis").unwrap();
        assert_eq!(features_from_csv_path(path, &set.feature_names).unwrap(), set.features);
    }
}
