//! [`Notice`]: automatic decisions of the reader of tables.

use crate::csv::options::Task;
use crate::words::{listed, quoted};
use std::fmt::{self, Display, Formatter};

/// An automatic decision while reading a table; shown as one line.
///
/// ```
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha8Rng;
/// use surprisal_data::{CsvOptions, DataSource};
///
/// let penguins: DataSource = "penguins".parse()?;
/// let loaded = penguins.open(&CsvOptions::default(), &mut ChaCha8Rng::seed_from_u64(7))?;
/// assert!(loaded.notices()[0].to_string().starts_with("19 missing values are filled in: "));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Notice {
    /// The first line, taken for the names of the columns, looks like a row of data.
    HeaderLikeData {
        /// The names.
        names: Vec<String>,
    },
    /// A quoted field spans lines that look like rows.
    LongField {
        /// Its first line.
        line: usize,
        /// Its column.
        column: String,
        /// The number of lines.
        lines: usize,
    },
    /// Columns were left out automatically.
    ColumnsLeftOut {
        /// Why.
        reason: LeftOut,
        /// Their names, or "column 3" of one without a name.
        columns: Vec<String>,
    },
    /// Rows were left out because a value is missing.
    RowsLeftOut {
        /// How many.
        rows: usize,
        /// How many of them have no value in the target column.
        without_target: usize,
    },
    /// Missing values are filled in, as measured on the rows for training.
    FilledIn {
        /// The columns, and how many values in each.
        columns: Vec<(String, usize)>,
    },
    /// The task was chosen from the numbers of the target column.
    TaskChosen {
        /// The target column.
        target: String,
        /// The chosen task.
        task: Task,
        /// How many are different.
        distinct: usize,
    },
    /// A column was taken for one of categories, though some of its values look like numbers.
    MixedCategories {
        /// The column.
        column: String,
        /// Its categories.
        names: Vec<String>,
    },
    /// A column of numbers holds some with leading zeros, which may be codes.
    LeadingZeros {
        /// The column.
        column: String,
        /// One of them.
        example: String,
    },
}

/// Why columns were left out automatically.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// They have no name.
    Unnamed,
    /// They count the rows.
    Counting,
    /// They have no value in any row.
    Empty,
}

impl Display for Notice {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeaderLikeData { names } => write!(
                f,
                "the first line is read as names, but looks like a row of data: {} | set header to false if it is one",
                listed(names)
            ),
            Self::LongField { line, column, lines } => write!(
                f,
                "the field in line {line}, column {}, spans {lines} lines that look like rows | is a quote missing in one of them?",
                quoted(column)
            ),
            Self::ColumnsLeftOut { reason: LeftOut::Unnamed, columns } => {
                write!(f, "columns without a name are left out: {}", columns.join(", "))
            }
            Self::ColumnsLeftOut { reason: LeftOut::Counting, columns } => write!(
                f,
                "columns that count the rows are left out: {} | to keep one, name it in keep",
                listed(columns)
            ),
            Self::ColumnsLeftOut { reason: LeftOut::Empty, columns } => {
                write!(f, "columns without values are left out: {}", listed(columns))
            }
            Self::RowsLeftOut { rows, without_target } => {
                let were = if *rows == 1 { "1 row was".to_owned() } else { format!("{rows} rows were") };
                write!(f, "{were} left out because a value is missing")?;
                match without_target {
                    0 => Ok(()),
                    n if n == rows => f.write_str(" in the target column"),
                    n => write!(f, ", in {n} of them in the target column"),
                }
            }
            Self::FilledIn { columns } => {
                let all: usize = columns.iter().map(|&(_, count)| count).sum();
                let (values, are) = if all == 1 { ("value", "is") } else { ("values", "are") };
                write!(f, "{all} missing {values} {are} filled in: ")?;
                const SHOWN: usize = 20;
                let each =
                    columns.iter().take(SHOWN).map(|(name, count)| format!("{count} in {}", quoted(name)));
                f.write_str(&each.collect::<Vec<_>>().join(", "))?;
                match columns.len().saturating_sub(SHOWN) {
                    0 => Ok(()),
                    1 => f.write_str(" and 1 more column"),
                    more => write!(f, " and {more} more columns"),
                }
            }
            Self::TaskChosen { target, task, distinct } => {
                let (target, other) = (
                    quoted(target),
                    if *task == Task::Regression { Task::Classification } else { Task::Regression },
                );
                match task {
                    Task::Regression => write!(
                        f,
                        "the target {target} has {distinct} distinct numbers: the task is regression"
                    )?,
                    _ => write!(
                        f,
                        "the target {target} has {distinct} distinct numbers: the task is classification"
                    )?,
                }
                write!(f, " | set task to {other} if that is wrong")
            }
            Self::MixedCategories { column, names } => write!(
                f,
                "{} contains texts and numbers, and is read as categories: {}",
                quoted(column),
                listed(names)
            ),
            Self::LeadingZeros { column, example } => write!(
                f,
                "{} is read as numbers, some with leading zeros, such as {} | name it in categorical if they are codes",
                quoted(column),
                quoted(example)
            ),
        }
    }
}
