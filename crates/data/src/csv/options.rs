//! [`CsvOptions`]: how to read a table, and its target.

use crate::source::error::SpecError;
use std::fmt::{self, Display, Formatter};
use std::path::Path;
use std::str::FromStr;

/// How to read a table: its delimiter, its target, columns to leave out, missing values.
///
/// ```
/// use surprisal_data::{CsvOptions, Missing, Table};
///
/// let text = "id;kind;weight_kg;legs\n1;cat;4.1;4\n2;bird;0.3;2\n3;dog;30;4\n4;dog;NA;4\n";
/// let options = CsvOptions {
///     delimiter: Some(b';'),
///     target: Some("kind".to_owned()),
///     ignore: vec!["id".to_owned()],
///     missing: Missing::Drop,
///     ..CsvOptions::default()
/// };
/// let pets = Table::from_csv(text.as_bytes(), "pets", &options)?;
/// assert_eq!((pets.rows(), pets.dropped(), pets.columns().len()), (3, 1, 2));
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CsvOptions {
    /// Whether the first line names the columns, as it does by default. If not, they are called "0", "1" and
    /// so on.
    pub header: bool,
    /// The delimiter, one byte of ASCII. By default a tab in a file whose name ends in
    /// `.tsv`, a comma in all others.
    pub delimiter: Option<u8>,
    /// The sign before the fraction of a number.
    pub decimal: Decimal,
    /// The thousands separator of numbers.
    pub thousands: Thousands,
    /// The words for a missing value, in capitals or not; a word that is a number, such as -999, however it
    /// is written. An empty field is always missing. By default `NA`, `NaN`, `null`, `?`, and the other words
    /// that pandas knows: `N/A`, `#N/A`, `None` (spelled so), ..
    pub missing_words: Option<Vec<String>>,
    /// The target column: its name or, if no column has this name, its index: "0" is the first, "-1" the
    /// last.
    pub target: Option<String>,
    /// Classification or regression.
    pub task: Task,
    /// Columns to leave out, by name or index.
    ///
    /// Three kinds of columns are left out without being named, with a [`Notice`](crate::Notice): those
    /// without a name (or `Unnamed: 0`, as pandas calls it), if there is a header; those that count the rows (in 8 rows or more, each a whole number
    /// that is 1 more than the one above), unless all are left out then; and those without any value.
    pub ignore: Vec<String>,
    /// Columns to keep although they have no name, or count the rows.
    pub keep: Vec<String>,
    /// Which columns hold categories.
    pub categorical: Categorical,
    /// Columns of dates such as `2024-03-31`, with or without a time; each becomes the number of days since
    /// 1970-01-01.
    pub dates: Vec<String>,
    /// Handling of missing values.
    pub missing: Missing,
}

impl Default for CsvOptions {
    fn default() -> Self {
        CsvOptions {
            header: true,
            delimiter: None,
            decimal: Decimal::Point,
            thousands: Thousands::None,
            missing_words: None,
            target: None,
            task: Task::Auto,
            ignore: Vec::new(),
            keep: Vec::new(),
            categorical: Categorical::Auto,
            dates: Vec::new(),
            missing: Missing::default(),
        }
    }
}

/// Instead of a delimiter: it is determined from the text.
pub(crate) const BY_TEXT: u8 = 0;

impl CsvOptions {
    /// The options, besides the target, that are not as by default.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        let usual = CsvOptions::default();
        let all = [
            ("header", self.header != usual.header),
            ("delimiter", self.delimiter != usual.delimiter),
            ("decimal", self.decimal != usual.decimal),
            ("thousands", self.thousands != usual.thousands),
            ("missing_words", self.missing_words != usual.missing_words),
            ("task", self.task != usual.task),
            ("ignore", self.ignore != usual.ignore),
            ("keep", self.keep != usual.keep),
            ("categorical", self.categorical != usual.categorical),
            ("dates", self.dates != usual.dates),
            ("missing", self.missing != usual.missing),
        ];
        all.into_iter().filter(|&(_, given)| given).map(|(name, _)| name).collect()
    }

    /// Classes in this column, numbers in all others, nothing missing: what
    /// [`Dataset::from_csv`](crate::Dataset) reads.
    pub(crate) fn numbers_and(target: &str) -> Self {
        CsvOptions {
            target: Some(target.to_owned()),
            task: Task::Classification,
            categorical: Categorical::None,
            missing: Missing::Error,
            ..CsvOptions::default()
        }
    }

    /// The delimiter of a file of this name, or [`BY_TEXT`] if the name does not determine it.
    pub(crate) fn separator_in(&self, path: &Path) -> u8 {
        let end = |path: &Path| path.extension().map(|end| end.to_ascii_lowercase());
        let unpacked = path.with_extension(""); // "a.csv" of "a.csv.gz"
        let end = end(path).filter(|end| *end != "gz").or_else(|| end(&unpacked)).unwrap_or_default();
        self.delimiter.unwrap_or(match end.to_str() {
            Some("tsv") => b'\t',
            Some("txt" | "data" | "dat") => BY_TEXT,
            _ => b',',
        })
    }

    /// Parses a delimiter: `comma`, `semicolon`, `tab`, or the character itself.
    ///
    /// Errors if it is not a single ASCII character, or one that a number, a name or a line is made of: a
    /// letter, a digit, a blank, one of `.+-_"`, a line break.
    ///
    /// ```
    /// use surprisal_data::CsvOptions;
    ///
    /// assert_eq!(CsvOptions::parse_delimiter("tab")?, b'\t');
    /// assert_eq!(CsvOptions::parse_delimiter(";")?, b';');
    /// assert!(CsvOptions::parse_delimiter(";;").is_err());
    /// # Ok::<(), surprisal_data::SpecError>(())
    /// ```
    pub fn parse_delimiter(text: &str) -> Result<u8, SpecError> {
        match (text, text.as_bytes()) {
            ("comma", _) => Ok(b','),
            ("semicolon", _) => Ok(b';'),
            ("tab" | "\\t", _) => Ok(b'\t'),
            (_, &[byte]) if byte == b'\t' || byte.is_ascii_punctuation() && !b".+-_\"".contains(&byte) => {
                Ok(byte)
            }
            _ => Err(SpecError::Delimiter { found: text.to_owned() }),
        }
    }
}

/// An option that is one of a few words: read from them, shown as them.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $option:literal, $($(#[$about:meta])* $variant:ident = $word:literal $(| $other:literal)*,)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub enum $name { $($(#[$about])* $variant,)+ }

        impl $name {
            /// The words that name them on a command line.
            pub const NAMES: &[&str] = &[$($word),+];
        }

        impl FromStr for $name {
            type Err = SpecError;

            fn from_str(text: &str) -> Result<Self, SpecError> {
                match text {
                    $($word $(| $other)* => Ok(Self::$variant),)+
                    _ => Err(SpecError::Word { option: $option, found: text.to_owned(), known: Self::NAMES }),
                }
            }
        }

        impl Display for $name {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $word),+ })
            }
        }
    };
}

words! {
    /// The task: what the target of a row is.
    ///
    /// ```
    /// use surprisal_data::Task;
    ///
    /// assert_eq!("regression".parse::<Task>()?, Task::Regression);
    /// assert_eq!("numbers".parse::<Task>()?, Task::Regression);
    /// assert!("regresion".parse::<Task>().unwrap_err().to_string().ends_with("did you mean \"regression\"?"));
    /// # Ok::<(), surprisal_data::SpecError>(())
    /// ```
    Task, "task",
    /// Regression if all targets are numbers, and one has a fraction or more than 20 are distinct; otherwise
    /// classification. Images with masks: segmentation.
    #[default]
    Auto = "auto",
    /// Classification.
    Classification = "classification" | "classes",
    /// Regression.
    Regression = "regression" | "numbers",
    /// Segmentation: a class for every pixel of an image.
    Segmentation = "segmentation" | "masks",
}

words! {
    /// Handling of missing values: an empty field, or one of the
    /// [words](CsvOptions::missing_words) for it.
    ///
    /// ```
    /// use surprisal_data::Missing;
    ///
    /// assert_eq!("drop".parse::<Missing>()?, Missing::Drop);
    /// # Ok::<(), surprisal_data::SpecError>(())
    /// ```
    Missing, "missing",
    /// An error.
    Error = "error",
    /// Leave the row out.
    Drop = "drop",
    /// Fill in the mean of the column, or its most frequent category, as measured on the rows for training.
    /// Rows without a value in the target column are left out.
    #[default]
    Mean = "mean",
}

words! {
    /// The sign before the fraction of a number.
    ///
    /// ```
    /// use surprisal_data::Decimal;
    ///
    /// assert_eq!("comma".parse::<Decimal>()?, Decimal::Comma);
    /// # Ok::<(), surprisal_data::SpecError>(())
    /// ```
    Decimal, "decimal",
    /// 36.5
    #[default]
    Point = "point",
    /// 36,5
    Comma = "comma",
}

words! {
    /// The thousands separator of numbers.
    ///
    /// ```
    /// use surprisal_data::Thousands;
    ///
    /// assert_eq!("space".parse::<Thousands>()?, Thousands::Space);
    /// # Ok::<(), surprisal_data::SpecError>(())
    /// ```
    Thousands, "thousands",
    /// None: 1200
    #[default]
    None = "none",
    /// 1,200
    Comma = "comma",
    /// 1.200
    Point = "point",
    /// 1 200, also with one of the spaces at which no line is broken.
    Space = "space",
    /// 1'200
    Apostrophe = "apostrophe",
}

words! {
    /// Handling of categories that were not in the training data.
    ///
    /// ```
    /// use surprisal_data::Unseen;
    ///
    /// assert_eq!("ignore".parse::<Unseen>()?, Unseen::Ignore);
    /// # Ok::<(), surprisal_data::SpecError>(())
    /// ```
    Unseen, "unseen",
    /// An error.
    #[default]
    Error = "error",
    /// Zeros in all columns of the known categories.
    Ignore = "ignore",
}

/// Which columns of a table hold categories: each becomes as many columns of 0 and 1 as it has categories.
///
/// ```
/// use surprisal_data::{Categorical, CsvOptions, ErrorKind, Table};
///
/// // numbers that are codes, not quantities
/// let text = "zone,rent\n20,9.5\n10,7\n20,8.5\n10,8\n";
/// let read = |categorical| {
///     let target = Some("rent".to_owned());
///     let options = CsvOptions { target, categorical, ..CsvOptions::default() };
///     Table::from_csv(text.as_bytes(), "rents", &options)
/// };
/// let zones = read(Categorical::Columns(vec!["zone".to_owned()]))?;
/// assert_ne!(zones.columns(), read(Categorical::Auto)?.columns());
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Categorical {
    /// The columns of text: those without a number in them, and those of which most texts, in most rows, are
    /// no numbers. They are to have at most 100 different texts, at most half as many as there are rows: what
    /// is different in nearly every row is a name, of which there is nothing to learn.
    #[default]
    Auto,
    /// These, by name or index, even if they contain numbers, besides those of [`Auto`](Categorical::Auto).
    Columns(Vec<String>),
    /// None: text anywhere but in the target column is an error.
    None,
}
