//! [`Table`]: the columns of a file as they were read, before anything is done to them.

use crate::csv_options::{Categorical, CsvOptions, Missing, Task};
use crate::csv_text::{Rows, Text, is_missing, number, open};
use crate::dataset::Dataset;
use crate::error::{CsvProblem, DataError, SpecError};
use csv::StringRecord;
use ndarray::Array2;
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

/// More categories than this are not made columns of: 8 bytes in every row for each are too many.
pub(crate) const MOST_CATEGORIES: usize = 1000;
/// More texts than this are not taken for categories unasked.
const MOST_UNASKED: usize = 100;
/// More numbers than this in a target column may be meant as numbers.
const MOST_CLASSES_UNASKED: usize = 20;

/// A table as it was read: columns of numbers and of categories, some of them missing, and what is to be
/// predicted.
///
/// An [`Encoder`](crate::Encoder) makes numbers of it, which a net can see.
///
/// ```
/// use surprisal_data::{ColumnValues, CsvOptions, Missing, Table};
///
/// let text = "colour,width,kind\nred,2.5,a\nblue,,b\nred,4,a\nblue,3,b\n";
/// let target = Some("kind".to_owned());
/// let options = CsvOptions { target, missing: Missing::Mean, ..CsvOptions::default() };
/// let table = Table::from_csv(text.as_bytes(), "boxes", &options)?;
/// assert_eq!(table.class_names(), ["a", "b"]);
/// assert_eq!(table.labels(), [0, 1, 0, 1]);
/// let ColumnValues::Categories { codes, names } = &table.columns()[0].values else { panic!("texts") };
/// assert_eq!((names, codes[0]), (&vec!["blue".to_owned(), "red".to_owned()], Some(1)));
/// let ColumnValues::Numbers(widths) = &table.columns()[1].values else { panic!("numbers") };
/// assert!(widths[0] == 2.5 && widths[1].is_nan()); // an encoder will fill it in
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What the data set is called.
    set_name: String,
    /// What messages call the table.
    name: String,
    columns: Vec<Column>,
    labels: Vec<usize>,
    class_names: Vec<String>,
    values: Vec<f64>,
    missing: Missing,
    dropped: usize,
}

/// One column of a [`Table`], with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// What the header calls it.
    pub name: String,
    /// What it holds, one for every row.
    pub values: ColumnValues,
}

/// What a [`Column`] holds.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnValues {
    /// Finite numbers; NaN where one is missing.
    Numbers(Vec<f64>),
    /// Categories, each by its place among the names; `None` where one is missing.
    Categories {
        /// The category of every row.
        codes: Vec<Option<u32>>,
        /// What the categories are called: in order of value if all of them are numbers, else of letters.
        names: Vec<String>,
    },
}

impl Table {
    /// Reads a table as the options say.
    ///
    /// Text and rows are as in [`Dataset::from_csv`]. A column without a number in it holds categories; how
    /// many there may be is told at [`Categorical::Auto`]. Values that are missing are left out, or left to
    /// the [`Encoder`](crate::Encoder), as [`Missing`] says. `name` becomes the name of the set and stands in
    /// the messages.
    ///
    /// Errors as [`Dataset::from_csv`] does, and if an option names no column, numbers and texts stand in one
    /// column, a column holds too many texts, or a target column looks like numbers to predict, but nobody
    /// said so.
    ///
    /// ```
    /// use surprisal_data::{CsvOptions, Table, Task};
    ///
    /// let text = "rooms,rent\n2,700.5\n3,910\n4,1200\n";
    /// let target = Some("rent".to_owned());
    /// let options = CsvOptions { target, task: Task::Numbers, ..CsvOptions::default() };
    /// let flats = Table::from_csv(text.as_bytes(), "flats", &options)?;
    /// assert_eq!(flats.values(), [700.5, 910.0, 1200.0]);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn from_csv(reader: impl Read, name: &str, options: &CsvOptions) -> Result<Table, DataError> {
        read(&Text::read(reader, name)?, options, options.separator.unwrap_or(b','), name, name)
    }

    /// Reads a table from a file, as [`from_csv`](Table::from_csv) does; the set is named after the file, and
    /// a file whose name ends in `.tsv` is separated by tabs, if the options do not say otherwise.
    ///
    /// Errors as `from_csv` does, or if the file cannot be read; the messages start with the path.
    ///
    /// ```
    /// use surprisal_data::{CsvOptions, Table};
    ///
    /// let options = CsvOptions { target: Some("species".to_owned()), ..CsvOptions::default() };
    /// let iris = Table::from_csv_path("../../datasets/iris.csv", &options)?;
    /// assert_eq!((iris.rows(), iris.name()), (150, "../../datasets/iris.csv"));
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn from_csv_path(path: impl AsRef<Path>, options: &CsvOptions) -> Result<Table, DataError> {
        let path = path.as_ref();
        let (name, file) = open(path)?;
        let set_name = path.file_stem().map_or(name.clone(), |stem| stem.to_string_lossy().into_owned());
        read(&Text::read(file, &name)?, options, options.separator_in(path), &set_name, &name)
    }

    /// What messages call the table: its path, or the name that was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the data set is called: the file's name without its end, or the name that was given.
    pub(crate) fn set_name(&self) -> &str {
        &self.set_name
    }

    /// The number of rows that are there.
    pub fn rows(&self) -> usize {
        self.labels.len() + self.values.len() // one of them is empty
    }

    /// The number of rows that [`Missing::Drop`] left out: [`rows`](Table::rows) were kept, of so many more.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// What was asked for where a value is missing.
    pub(crate) fn missing(&self) -> Missing {
        self.missing
    }

    /// The columns to predict from, in the order of the table.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The class of every row, an index into [`class_names`](Table::class_names); empty if numbers are to be
    /// predicted.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// The name of every class; empty if numbers are to be predicted.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The number to predict in every row; empty if classes are to be predicted.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The chosen rows, in the order given; a row may be chosen more than once.
    ///
    /// Classes and categories keep their names and numbers, as in [`Dataset::select`].
    ///
    /// Panics if a row is not below [`rows`](Table::rows).
    ///
    /// ```
    /// use surprisal_data::{CsvOptions, Table};
    ///
    /// let options = CsvOptions { target: Some("species".to_owned()), ..CsvOptions::default() };
    /// let iris = Table::from_csv_path("../../datasets/iris.csv", &options)?;
    /// let two = iris.select(&[149, 0]);
    /// assert_eq!((two.labels(), two.class_names().len()), (&[2, 0][..], 3));
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    #[track_caller]
    pub fn select(&self, rows: &[usize]) -> Table {
        if let Some(row) = rows.iter().find(|&&row| row >= self.rows()) {
            panic!("select: row {row} of the table {:?}, which has {} rows", self.name, self.rows());
        }
        let select = |column: &Column| Column {
            name: column.name.clone(),
            values: match &column.values {
                ColumnValues::Numbers(numbers) => ColumnValues::Numbers(chosen(numbers, rows)),
                ColumnValues::Categories { codes, names } => {
                    ColumnValues::Categories { codes: chosen(codes, rows), names: names.clone() }
                }
            },
        };
        Table {
            set_name: self.set_name.clone(),
            name: self.name.clone(),
            columns: self.columns.iter().map(select).collect(),
            labels: chosen(&self.labels, rows),
            class_names: self.class_names.clone(),
            values: chosen(&self.values, rows),
            missing: self.missing,
            dropped: self.dropped,
        }
    }

    /// The data set of a table that holds nothing but numbers beside its target.
    pub(crate) fn into_dataset(self) -> Dataset {
        let (rows, columns) = (self.rows(), &self.columns);
        let number = |(row, column): (usize, usize)| match &columns[column].values {
            ColumnValues::Numbers(numbers) => numbers[row],
            ColumnValues::Categories { .. } => unreachable!("the options asked for numbers"),
        };
        Dataset {
            features: Array2::from_shape_fn((rows, columns.len()), number),
            feature_names: columns.iter().map(|column| column.name.clone()).collect(),
            name: self.set_name,
            labels: self.labels,
            values: self.values,
            class_names: self.class_names,
        }
    }
}

/// The chosen ones; none of none, because a table has either labels or values.
pub(crate) fn chosen<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    if values.is_empty() { Vec::new() } else { rows.iter().map(|&row| values[row]).collect() }
}

fn read(
    text: &Text,
    options: &CsvOptions,
    separator: u8,
    set_name: &str,
    name: &str,
) -> Result<Table, DataError> {
    let target = options.target.as_ref().ok_or(SpecError::NoTarget { table: name.to_owned() })?;
    let mut rows = Rows::of(text, separator, options.header)?;
    let Places { target: target_at, features, categorical } = Places::find(&rows, target, options)?;

    let mut columns: Vec<Reading> = categorical.iter().map(|&asked| Reading::new(asked)).collect();
    let mut answers = Reading::new(options.task != Task::Numbers);
    let header = rows.header.clone();
    let if_text = match &options.categorical {
        Categorical::Auto => IfText::Category,
        Categorical::Columns(columns) if columns.is_empty() => IfText::OnlyIn(&header[target_at]),
        Categorical::Columns(_) => IfText::Mixed,
    };
    let (mut kept, mut dropped) = (0, 0);
    let mut row = StringRecord::new();
    while rows.next(&mut row)? {
        // what is to be predicted is never filled in
        let matters = |&at: &usize| at == target_at || options.missing != Missing::Mean;
        let all = features.iter().copied().chain([target_at]);
        match all.filter(matters).find(|&at| is_missing(&row[at])) {
            None => kept += 1,
            Some(_) if options.missing == Missing::Drop => {
                dropped += 1;
                continue;
            }
            Some(at) => {
                let problem = CsvProblem::MissingValue { found: row[at].to_owned(), target: at == target_at };
                return Err(rows.error_in(&row, at, problem));
            }
        }
        for (&at, column) in features.iter().zip(&mut columns) {
            column.push(&row[at], if_text).map_err(|problem| rows.error_in(&row, at, problem))?;
        }
        let pushed = answers.push(&row[target_at], IfText::Predicted);
        pushed.map_err(|problem| rows.error_in(&row, target_at, problem))?;
    }
    if kept == 0 {
        let problem = if dropped > 0 { CsvProblem::NothingKept { dropped } } else { CsvProblem::NoRows };
        return Err(text.error(None, None, problem));
    }

    let in_column = |at: usize, problem| text.error(None, Some(&header[at]), problem);
    let answers = answers.finish();
    check_answers(&answers, options.task, kept).map_err(|problem| in_column(target_at, problem))?;
    let (labels, class_names, values) = match answers {
        ColumnValues::Numbers(values) => (Vec::new(), Vec::new(), values),
        ColumnValues::Categories { codes, names } => {
            (codes.into_iter().flatten().map(|code| code as usize).collect(), names, Vec::new())
        }
    };
    let mut read = Vec::new();
    for ((at, column), asked) in features.into_iter().zip(columns).zip(categorical) {
        let values = column.finish();
        check_column(&values, asked, kept).map_err(|problem| in_column(at, problem))?;
        read.push(Column { name: header[at].to_owned(), values });
    }
    let (set_name, name, missing) = (set_name.to_owned(), name.to_owned(), options.missing);
    Ok(Table { set_name, name, columns: read, labels, class_names, values, missing, dropped })
}

/// Where the columns stand that are read.
struct Places {
    target: usize,
    features: Vec<usize>,
    /// For every feature, whether the options name it as categorical.
    categorical: Vec<bool>,
}

impl Places {
    fn find(rows: &Rows, target: &str, options: &CsvOptions) -> Result<Places, DataError> {
        let (text, header) = (rows.text, &rows.header);
        let wrong = |column: Option<&str>, problem| text.error(None, column, problem);
        let names = || header.iter().map(str::to_owned).collect();
        let Some(target_at) = place(header, target) else {
            return Err(wrong(
                None,
                CsvProblem::UnknownTarget { target: target.to_owned(), columns: names() },
            ));
        };
        let named = |option: &'static str, chosen: &[String]| -> Result<Vec<bool>, DataError> {
            let mut is_named = vec![false; header.len()];
            for column in chosen {
                match place(header, column) {
                    Some(at) if at == target_at => {
                        return Err(wrong(Some(&header[at]), CsvProblem::TargetNamed { option }));
                    }
                    // of columns of one name, all are meant
                    Some(at) => (0..header.len())
                        .filter(|&k| header[k] == header[at])
                        .for_each(|k| is_named[k] = true),
                    None => {
                        let column = column.clone();
                        return Err(wrong(
                            None,
                            CsvProblem::UnknownColumn { option, column, columns: names() },
                        ));
                    }
                }
            }
            Ok(is_named)
        };
        let ignored = named("ignore", &options.ignore)?;
        let categorical = match &options.categorical {
            Categorical::Auto => vec![false; header.len()],
            Categorical::Columns(columns) => named("categorical", columns)?,
        };
        if let Some(at) = (0..header.len()).find(|&at| ignored[at] && categorical[at]) {
            return Err(wrong(Some(&header[at]), CsvProblem::IgnoredCategories));
        }
        rows.check_once(|at| !ignored[at])?;
        let features: Vec<usize> = (0..header.len()).filter(|&at| at != target_at && !ignored[at]).collect();
        if features.is_empty() {
            return Err(wrong(None, CsvProblem::NoFeatures { target: header[target_at].to_owned() }));
        }
        let categorical = features.iter().map(|&at| categorical[at]).collect();
        Ok(Places { target: target_at, features, categorical })
    }
}

/// The column of this name or, if there is none, at this place.
fn place(header: &StringRecord, column: &str) -> Option<usize> {
    header.iter().position(|name| name == column).or_else(|| {
        let at: isize = column.parse().ok()?;
        let at = if at < 0 { header.len().checked_add_signed(at)? } else { at as usize };
        (at < header.len()).then_some(at)
    })
}

/// A column while it is read.
enum Reading {
    Numbers(Vec<f64>),
    Texts {
        codes: Vec<Option<u32>>,
        places: HashMap<String, u32>,
        /// Whether somebody said that these are texts, so that they may look like numbers.
        asked: bool,
    },
}

/// What a text means in a column that holds numbers so far.
#[derive(Clone, Copy)]
enum IfText<'a> {
    /// A category, if there is no number yet.
    Category,
    /// A mistake, or a column that should have been named.
    Mixed,
    /// A mistake: text may stand in the target column alone, which is called this.
    OnlyIn(&'a str),
    /// A class, where numbers are to be predicted.
    Predicted,
}

impl Reading {
    fn new(texts: bool) -> Self {
        if texts {
            Reading::Texts { codes: Vec::new(), places: HashMap::new(), asked: true }
        } else {
            Reading::Numbers(Vec::new())
        }
    }

    /// Adds the field of the next row.
    fn push(&mut self, field: &str, if_text: IfText) -> Result<(), CsvProblem> {
        match self {
            Reading::Texts { codes, .. } if is_missing(field) => codes.push(None),
            Reading::Numbers(numbers) if is_missing(field) => numbers.push(f64::NAN),
            Reading::Texts { asked: false, .. } if field.parse::<f64>().is_ok() => {
                return Err(CsvProblem::MixedColumn { found: field.to_owned(), texts: true });
            }
            Reading::Texts { codes, places, .. } => {
                let new = places.len() as u32; // more than 2^32 texts do not fit into memory
                codes.push(Some(match places.get(field) {
                    Some(&place) => place,
                    None => *places.entry(field.to_owned()).or_insert(new),
                }));
            }
            Reading::Numbers(numbers) => match number(field) {
                Ok(number) => numbers.push(number),
                Err(CsvProblem::NotANumber { found, .. }) => match if_text {
                    IfText::Category if numbers.iter().all(|number| number.is_nan()) => {
                        let codes = vec![None; numbers.len()];
                        *self = Reading::Texts { codes, places: HashMap::new(), asked: false };
                        self.push(field, if_text)?;
                    }
                    IfText::Category | IfText::Mixed => {
                        return Err(CsvProblem::MixedColumn { found, texts: false });
                    }
                    IfText::OnlyIn(target) => {
                        return Err(CsvProblem::NotANumber { found, target: Some(target.to_owned()) });
                    }
                    IfText::Predicted => return Err(CsvProblem::TargetNotANumber { found }),
                },
                Err(problem) => return Err(problem),
            },
        }
        Ok(())
    }

    /// The column, its texts in order.
    fn finish(self) -> ColumnValues {
        match self {
            Reading::Numbers(numbers) => ColumnValues::Numbers(numbers),
            Reading::Texts { codes, places, .. } => {
                let (names, ranks) = sorted(places);
                let codes = codes.into_iter().map(|code| code.map(|code| ranks[code as usize])).collect();
                ColumnValues::Categories { codes, names }
            }
        }
    }
}

/// The texts in order, by value if all of them are numbers, so that 10 follows 9, else by letter; and which
/// is the how-manieth of them.
fn sorted(places: HashMap<String, u32>) -> (Vec<String>, Vec<u32>) {
    let mut texts: Vec<(String, u32)> = places.into_iter().collect();
    texts.sort();
    let value = |text: &str| text.parse().unwrap_or(f64::NAN);
    if texts.iter().all(|(text, _)| value(text).is_finite()) {
        texts.sort_by(|(a, _), (b, _)| value(a).total_cmp(&value(b)));
    }
    let mut ranks = vec![0; texts.len()];
    texts.iter().zip(0..).for_each(|(&(_, place), rank)| ranks[place as usize] = rank);
    (texts.into_iter().map(|(text, _)| text).collect(), ranks)
}

/// Whether there is something to predict, and no doubt what.
fn check_answers(answers: &ColumnValues, task: Task, rows: usize) -> Result<(), CsvProblem> {
    match answers {
        ColumnValues::Numbers(values) if values.iter().all(|value| value == &values[0]) => {
            Err(CsvProblem::OneValue { value: values[0], rows })
        }
        ColumnValues::Categories { names, .. } => {
            let values: Option<Vec<f64>> = names.iter().map(|name| name.parse().ok()).collect();
            let (distinct, many) = (names.len(), names.len() > MOST_CLASSES_UNASKED);
            match values {
                _ if distinct == 1 => Err(CsvProblem::OneClass { class: names[0].clone(), rows }),
                Some(values)
                    if task == Task::Auto
                        && many
                        && (2 * distinct > rows || values.iter().any(|value| value.fract() != 0.0)) =>
                {
                    Err(CsvProblem::LooksLikeNumbers { distinct, rows })
                }
                _ => Ok(()),
            }
        }
        ColumnValues::Numbers(_) => Ok(()),
    }
}

/// Whether there is anything in a column, and categories are not so many that there is nothing to learn of
/// them.
fn check_column(values: &ColumnValues, asked: bool, rows: usize) -> Result<(), CsvProblem> {
    match values {
        ColumnValues::Numbers(numbers) if numbers.iter().all(|number| number.is_nan()) => {
            Err(CsvProblem::NoValue { rows })
        }
        ColumnValues::Categories { names, .. } => {
            let (distinct, example) = (names.len(), names.first());
            match example {
                None => Err(CsvProblem::NoValue { rows }),
                Some(_) if asked && distinct > MOST_CATEGORIES => {
                    Err(CsvProblem::TooManyCategories { distinct })
                }
                Some(example) if !asked && (distinct > MOST_UNASKED || 2 * distinct > rows) => {
                    Err(CsvProblem::NoCategories { distinct, rows, example: example.clone() })
                }
                _ => Ok(()),
            }
        }
        ColumnValues::Numbers(_) => Ok(()),
    }
}
