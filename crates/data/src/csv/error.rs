//! Errors of tables.

use crate::csv::column::MOST_CATEGORIES;
use crate::csv::number_form::NumberForm;
use crate::words::{did_you_mean, listed, quoted};
use std::fmt::{self, Display, Formatter};
use std::io;
use surprisal_settings::closest;

/// An error in a table, with its position.
#[derive(Debug)]
pub struct CsvError {
    /// The file's path, or the name given to the reader's content.
    pub source_name: String,
    /// The line in the file, counted from 1, if the problem is in one line.
    pub line: Option<usize>,
    /// The column's name in the header, if the problem is in one column.
    pub column: Option<String>,
    /// The problem.
    pub problem: CsvProblem,
}

/// The problem of a table.
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum CsvProblem {
    /// A list of names, which is one row, has a line break.
    LineBreakInList,
    /// The file cannot be opened or read.
    Unreadable(io::Error),
    /// The table is not UTF-8 text.
    NotUtf8 { byte: u8 },
    /// The delimiter cannot be determined, from the name of the file or from its text.
    UnknownDelimiter,
    /// The table has no line at all; `named` if the first one was to name the columns.
    NoHeader { named: bool },
    /// One or more columns of a model are missing, or the target.
    MissingColumns { missing: Vec<String>, columns: Vec<String> },
    /// Two columns have the same name; positions count from 1.
    DuplicateColumn { first: usize, second: usize },
    /// An option names a column that does not exist.
    UnknownColumn { option: &'static str, column: String, columns: Vec<String> },
    /// An option for features names the target column.
    TargetNamed { option: &'static str },
    /// Two options that exclude each other name one column.
    NamedTwice { options: [&'static str; 2] },
    /// The label column is the only column, or the only one that is not left out.
    NoFeatures { target: String },
    /// A row has more or fewer fields than the header, or than the first row if no header is `named`.
    FieldCount { expected: usize, found: usize, named: bool },
    /// A field begins with a quote that is not closed.
    UnclosedQuote,
    /// There is text behind a closing quote, which is in the line `closed` if that is another.
    AfterQuote { found: String, closed: Option<usize>, backslash: bool },
    /// A value is missing in a training table, in the target column (`target`) or another.
    MissingValue { found: String, target: bool },
    /// A value is missing in a row to predict.
    MissingNew { found: String },
    /// A feature is text; the label column `target` could have been, if there is one.
    NotANumber { found: String, target: Option<String> },
    /// The target column of a regression contains text.
    TargetNotANumber { found: String },
    /// A numeric column contains text.
    MixedColumn { found: String },
    /// A number is infinite, or too large for an `f64`.
    NotFinite { found: String },
    /// A whole number that `f64` cannot represent exactly.
    NotWhole { found: String, read: f64 },
    /// The format of a number does not match the options; `within` is its column.
    WrittenOtherwise { found: String, form: NumberForm, within: Option<Within> },
    /// A column of dates holds something else.
    NotADate { found: String },
    /// There is nothing below the header.
    NoRows,
    /// In every row, a value is missing.
    NothingKept { dropped: usize },
    /// A column has no value in any row.
    NoValue { rows: usize },
    /// A text column that is not declared as categorical contains too many texts.
    NoCategories { distinct: usize, rows: usize, example: String },
    /// A categorical column contains too many categories.
    TooManyCategories { distinct: usize },
    /// A category was not in the training data.
    UnseenCategory { category: String, known: Vec<String> },
    /// All rows have the same label.
    OneClass { class: String, rows: usize },
    /// All rows have the same target.
    OneValue { value: f64, rows: usize },
    /// A class that the model does not know.
    UnknownClass { found: String, known: Vec<String> },
}

/// The column that holds a number written otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// A feature.
    Feature,
    /// The target.
    Target,
}

impl Display for CsvError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source_name)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column {}", quoted(column))?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl Display for CsvProblem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::LineBreakInList => {
                f.write_str("expected names on one line, separated by commas, found a line break")
            }
            Self::Unreadable(error) => write!(f, "cannot be read: {error} | is the path right?"),
            Self::UnknownDelimiter => f.write_str(
                "expected one of comma, semicolon, tab and | as often in every line, found none of them, or several | set the \
                 delimiter",
            ),
            Self::NotUtf8 { byte } => {
                write!(f, "expected UTF-8 text, found the byte 0x{byte:02X} | save the table as UTF-8")
            }
            Self::NoHeader { named: false } => {
                f.write_str("expected rows, found nothing | is the file empty?")
            }
            Self::NoHeader { named: true } => f.write_str(
                "expected a header line with the names of the columns, found nothing | is the file empty?",
            ),
            Self::MissingColumns { missing, columns } => {
                let (names, columns_listed) = (listed(missing), listed(columns));
                let wanted = if missing.len() == 1 { "a column" } else { "columns" };
                write!(f, "expected {wanted} named {names}, found the columns {columns_listed}")?;
                about_header(f, columns, &near_names(missing, columns))
            }
            Self::UnknownColumn { option, column, columns } => {
                let (name, listed) = (quoted(column), listed(columns));
                write!(f, "{option}: expected the name of a column, found {name} | the columns are {listed}")?;
                about_header(f, columns, &near_names(std::slice::from_ref(column), columns))
            }
            Self::TargetNamed { option } => write!(
                f,
                "{option}: expected columns to predict from, found the target | name another column, or another target"
            ),
            Self::NamedTwice { options: [one, other] } => write!(
                f,
                "the column is in both {one} and {other} | keep one of them"
            ),
            Self::DuplicateColumn { first, second } => write!(
                f,
                "expected one column of this name, found it as column {first} and as column {second} | \
                 rename one of them"
            ),
            Self::NoFeatures { target } => write!(
                f,
                "expected columns to predict from beside the label column {}, found none | \
                 is the delimiter right?",
                quoted(target)
            ),
            Self::FieldCount { expected, found, named } => {
                let first = if *named { "header" } else { "first row" };
                write!(f, "expected {expected} fields, as in the {first}, found {found} | ")?;
                f.write_str(match found < expected {
                    true => "is a value missing, or the line truncated?",
                    false => "a value that contains the delimiter must be in double quotes",
                })
            }
            Self::MissingValue { found, target } => {
                write!(f, "expected a value, found {} | ", gap(found))?;
                f.write_str(match target {
                    true => "fill it in, or set missing to drop, which leaves the row out",
                    false => "fill it in, or set missing to drop, which leaves the row out, or to mean",
                })
            }
            Self::MissingNew { found } => {
                write!(f, "expected a value, found {} | fill it in, or leave the row out", gap(found))
            }
            Self::TargetNotANumber { found } => write!(
                f,
                "expected a number for regression, found {} | set task to classification for texts",
                quoted(found)
            ),
            Self::MixedColumn { found } if may_be_missing(found) => write!(
                f,
                "expected a number, found {} | if it stands for a missing value, name it in missing_words; otherwise \
                 correct it, or name the column in categorical or ignore",
                quoted(found)
            ),
            Self::MixedColumn { found } => write!(
                f,
                "expected a number, found {} | correct it, or name the column in categorical (text is a category) or \
                 ignore",
                quoted(found)
            ),
            Self::NotANumber { found, target } => {
                write!(f, "expected a number, found {} | every column ", quoted(found))?;
                match target {
                    Some(target) => write!(f, "but the label column {} must contain numbers", quoted(target)),
                    None => f.write_str("that the model reads must contain numbers"),
                }
            }
            Self::NotFinite { found } => write!(
                f,
                "expected a finite number, found {} | correct the value, or leave the row out",
                quoted(found)
            ),
            Self::NotWhole { found, read } => write!(
                f,
                "expected a whole number that a 64-bit float holds, found {}, which would become {read:.0} | \
                 if the column holds identifiers, name it in ignore or categorical",
                quoted(found)
            ),
            Self::WrittenOtherwise { found, form, within } => {
                write!(f, "expected a number, found {}, {form}", quoted(found))?;
                f.write_str(match within {
                    None => "",
                    Some(Within::Feature) => ", or name the column in categorical or ignore",
                    Some(Within::Target) => ", or set task to classification if the values are classes",
                })
            }
            Self::NotADate { found } => write!(
                f,
                "expected a date such as 2024-03-31 or 2024-03-31T12:30, found {} | correct the format, or leave the row out",
                quoted(found)
            ),
            Self::UnclosedQuote => f.write_str(
                "expected a closing quote, found the end of the table | close the quote that begins the field, or \
                 remove it",
            ),
            Self::AfterQuote { found, closed, backslash } => {
                f.write_str("expected the end of the field after its closing quote")?;
                if let Some(closed) = closed {
                    write!(f, " in line {closed}")?;
                }
                write!(f, ", found {} | ", quoted(found))?;
                f.write_str(match backslash {
                    true => "a quote inside a quoted field is written twice, \"\", and not as \\\"",
                    false => "a quote inside a quoted field is written twice, \"\"",
                })
            }
            Self::NoRows => {
                f.write_str("expected rows below the header, found none | is the file truncated?")
            }
            Self::NothingKept { dropped } => write!(
                f,
                "expected a row without a missing value, found none among {dropped} | name columns with few values in \
                 ignore, or set missing to mean, which fills them in"
            ),
            Self::NoValue { rows } => {
                write!(f, "the column has no value in {rows} rows | name it in ignore, which leaves it out")
            }
            Self::NoCategories { distinct, rows, example } => write!(
                f,
                "expected numbers, or a few texts that repeat, found {distinct} different texts in \
                 {rows} rows, such as {} | name the column in ignore, which leaves it out, or in categorical",
                quoted(example)
            ),
            Self::TooManyCategories { distinct } => write!(
                f,
                "expected at most {MOST_CATEGORIES} categories, found {distinct} | \
                 name the column in ignore, which leaves it out, or merge rare categories"
            ),
            Self::UnseenCategory { category, known } => {
                write!(
                    f,
                    "expected a category of the training, found {} | known: {} | set unseen to ignore, which counts it as \
                     none of them",
                    quoted(category),
                    listed(known)
                )?;
                did_you_mean(f, closest(category, known.iter().map(String::as_str)))
            }
            Self::OneValue { value, rows } => write!(
                f,
                "the target is {value} in all {rows} rows | is this the target column?"
            ),
            Self::UnknownClass { found, known } => {
                write!(
                    f,
                    "expected one of the model's classes, found {} | known: {}",
                    quoted(found),
                    listed(known)
                )?;
                did_you_mean(f, closest(found, known.iter().map(String::as_str)))
            }
            Self::OneClass { class, rows } => write!(
                f,
                "expected two classes or more, found {} in all {rows} rows | is this the label column?",
                quoted(class)
            ),
        }
    }
}

impl CsvProblem {
    /// The settings that help, by the names that they have in [`CsvOptions`](crate::CsvOptions) and in a configuration.
    pub fn settings(&self) -> &'static [&'static str] {
        match self {
            Self::UnknownDelimiter | Self::NoFeatures { .. } => &["delimiter"],
            Self::MissingColumns { columns, .. } | Self::UnknownColumn { columns, .. }
                if is_undivided(columns) =>
            {
                &["delimiter"]
            }
            Self::TargetNamed { .. } => &["target"],
            Self::MissingValue { .. } => &["missing"],
            Self::TargetNotANumber { .. } => &["task"],
            Self::MixedColumn { found } if may_be_missing(found) => {
                &["missing_words", "categorical", "ignore"]
            }
            Self::MixedColumn { .. } | Self::NotWhole { .. } | Self::NoCategories { .. } => {
                &["categorical", "ignore"]
            }
            Self::WrittenOtherwise { form, within, .. } => form.settings(*within),
            Self::NothingKept { .. } => &["ignore", "missing"],
            Self::NoValue { .. } | Self::TooManyCategories { .. } => &["ignore"],
            Self::UnseenCategory { .. } => &["unseen"],
            _ => &[],
        }
    }
}

/// Whether one column name may contain the names of several columns.
fn is_undivided(columns: &[String]) -> bool {
    matches!(columns, [only] if only.contains([',', ';', '\t', '|']))
}

/// Whether a text looks like a word for a missing value.
fn may_be_missing(text: &str) -> bool {
    const WORDS: [&str; 8] =
        ["missing", "unknown", "none", "nil", "n.a.", "n.d.", "not available", "undefined"];
    !text.chars().any(char::is_alphanumeric) || WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A field whose value is missing.
fn gap(found: &str) -> String {
    match found {
        "" => "an empty field".to_owned(),
        word => format!("{}, a word for a missing value", quoted(word)),
    }
}

/// For each missing name, the column that may have been meant.
fn near_names<'a>(missing: &'a [String], columns: &'a [String]) -> Vec<(&'a str, &'a str)> {
    const ASKED: usize = 5;
    let near = |name: &'a String| Some((name.as_str(), closest(name, columns.iter().map(String::as_str))?));
    missing.iter().take(ASKED).filter_map(near).collect()
}

/// Advice about a header that lacks a column.
fn about_header(f: &mut Formatter<'_>, columns: &[String], near: &[(&str, &str)]) -> fmt::Result {
    match (columns, near) {
        _ if is_undivided(columns) => f.write_str(" | set the delimiter"),
        _ if columns.iter().any(|column| column.parse::<f64>().is_ok()) => {
            f.write_str(" | is the header line missing?")
        }
        (_, [(_, near)]) => did_you_mean(f, Some(near)),
        (_, []) => Ok(()),
        (_, several) => {
            let pairs: Vec<String> =
                several.iter().map(|(name, near)| format!("{near:?} for {name:?}")).collect();
            write!(f, " | did you mean {}?", pairs.join(", "))
        }
    }
}
