//! [`Encoder`]: encoding of the columns of a table for a net.

pub(crate) mod error;

use crate::csv::column::{Column, ColumnValues, MOST_CATEGORIES};
use crate::csv::error::CsvProblem;
use crate::csv::fields::{Fields, days};
use crate::csv::numbers::Numbers;
use crate::csv::options::{CsvOptions, Missing, Unseen};
use crate::csv::table::Table;
use crate::csv::text::{Record, Rows, Text, open};
use crate::encoder::error::{EncoderError, EncoderProblem};
use crate::error::{DataError, ErrorKind};
use crate::min_max::MinMax;
use crate::preprocess::Preprocess;
use crate::source::error::SpecError;
use crate::standardize::{Standardize, is_unfit, mean_of};
use ndarray::{Array1, Array2, ArrayRef2, Zip};
use std::collections::{HashMap, HashSet};
use std::fmt::{self, Display, Formatter};
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;

/// The encoding of the columns of a table for a net, in their order.
///
/// It is fitted to the training rows, and is part of the model: new rows are encoded in the same way. With
/// the feature `serde` it can be written and read; after reading, call [`check`](Encoder::check).
///
/// ```
/// use surprisal_data::{CsvOptions, Encoder, Scaling, Table, Unseen};
///
/// let text = "color,width,kind\nred,1,a\nblue,3,b\nred,1,a\nblue,3,b\n";
/// let options = CsvOptions { target: Some("kind".to_owned()), ..CsvOptions::default() };
/// let table = Table::from_csv(text.as_bytes(), "boxes", &options)?;
/// let encoder = Encoder::fit(&table, Scaling::Standardize)?;
/// assert_eq!(encoder.feature_names(), ["color=blue", "color=red", "width"]);
/// assert_eq!(encoder.apply(&table)?.row(0).to_vec(), [0.0, 1.0, -1.0]);
///
/// // new rows: columns are found by their names, others are ignored
/// let new = "width,maker,color\n2,Miri,red\n";
/// let x = encoder.read_csv(new.as_bytes(), "new boxes", &options, Unseen::Error)?;
/// assert_eq!(x, ndarray::array![[0.0, 1.0, 0.0]]);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Encoder {
    /// The columns that a model reads, and their encodings.
    pub columns: Vec<EncodedColumn>,
}

/// One column that a model reads.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EncodedColumn {
    /// The name in the table.
    pub name: String,
    /// Its encoding.
    pub encoding: Encoding,
}

/// The encoding of one column.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Encoding {
    /// One number, `(x - offset) / scale`.
    Number {
        /// The fill value of missing values, before scaling; with `None` they are errors.
        fill: Option<f64>,
        /// The offset that is subtracted, finite.
        offset: f64,
        /// The divisor, finite and above 0.
        scale: f64,
    },
    /// One-hot encoding of the category; not scaled.
    OneHot {
        /// The names of the categories, in order.
        categories: Vec<String>,
        /// The index of the fill category of missing values; with `None` they are errors.
        fill: Option<usize>,
    },
    /// One number, the days since 1970-01-01 of a date, scaled like a [`Number`](Encoding::Number).
    Date {
        /// The fill value of missing dates in days, before scaling; with `None` they are errors.
        fill: Option<f64>,
        /// The offset that is subtracted, finite.
        offset: f64,
        /// The divisor, finite and above 0.
        scale: f64,
    },
}

/// The scaling of numeric columns; as text: `none`, `divide:255`, `standardize`,
/// `minmax`, `channels`.
///
/// ```
/// use surprisal_data::Scaling;
///
/// assert_eq!("divide:255".parse::<Scaling>()?, Scaling::Divide(255.0));
/// assert!("divide:0".parse::<Scaling>().is_err());
/// # Ok::<(), surprisal_data::SpecError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scaling {
    /// No scaling.
    None,
    /// Every number is divided by this one, finite and above 0: pixels, whose range is known.
    Divide(f64),
    /// Every column to mean 0 and standard deviation 1: [`Standardize`].
    Standardize,
    /// Every column to the range from 0 to 1: [`MinMax`].
    MinMax,
    /// Every channel of images to mean 0 and standard deviation 1, over all rows and pixels: [`Standardize::fit_channels`].
    Channels,
}

impl Scaling {
    /// Fits the scaling to `features`, `[rows, columns]`, the training rows.
    ///
    /// `image_shape` is [`Dataset::image_shape`](crate::Dataset::image_shape), which `Channels` needs.
    ///
    /// Errors if a divisor is not finite and above 0, and as [`Standardize::fit`], [`MinMax::fit`] and [`Standardize::fit_channels`] do.
    ///
    /// ```
    /// use ndarray::array;
    /// use surprisal_data::Scaling;
    ///
    /// let preprocess = Scaling::MinMax.fit(&array![[1.0], [5.0]], None)?;
    /// assert_eq!(preprocess.apply(&array![[2.0]])?, array![[0.25]]);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn fit(
        self,
        features: &ArrayRef2<f64>,
        image_shape: Option<[usize; 3]>,
    ) -> Result<Preprocess, DataError> {
        match self {
            Scaling::None => Ok(Preprocess::None),
            Scaling::Divide(by) => Preprocess::divide(by),
            Scaling::Standardize => Standardize::fit(features).map(Preprocess::Standardize),
            Scaling::MinMax => MinMax::fit(features).map(Preprocess::MinMax),
            Scaling::Channels => {
                let columns = features.ncols();
                let shape = image_shape.ok_or(ErrorKind::NoChannels { shape: None, columns })?;
                Standardize::fit_channels(features, shape).map(Preprocess::Standardize)
            }
        }
    }
}

/// The offset and the divisor of every column.
fn parts(preprocess: &Preprocess, columns: usize) -> Vec<(f64, f64)> {
    let pairs = |offset: &Array1<f64>, scale: &Array1<f64>| {
        offset.iter().copied().zip(scale.iter().copied()).collect()
    };
    match preprocess {
        Preprocess::None => vec![(0.0, 1.0); columns],
        Preprocess::Divide(by) => vec![(0.0, *by); columns],
        Preprocess::Standardize(fitted) => pairs(fitted.mean(), fitted.scale()),
        Preprocess::MinMax(fitted) => pairs(fitted.min(), fitted.range()),
    }
}

impl FromStr for Scaling {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Scaling, SpecError> {
        let known = &["none", "divide:255", "standardize", "minmax", "channels"];
        match (text, text.strip_prefix("divide:").map(str::parse::<f64>)) {
            ("none", _) => Ok(Scaling::None),
            ("standardize", _) => Ok(Scaling::Standardize),
            ("minmax", _) => Ok(Scaling::MinMax),
            ("channels", _) => Ok(Scaling::Channels),
            (_, Some(Ok(by))) if by.is_finite() && by > 0.0 => Ok(Scaling::Divide(by)),
            (_, Some(_)) => Err(SpecError::Divisor { found: text["divide:".len()..].to_owned() }),
            _ => Err(SpecError::Word { option: "scaling", found: text.to_owned(), known }),
        }
    }
}

/// The text that is read as this scaling.
impl Display for Scaling {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Scaling::None => f.write_str("none"),
            Scaling::Divide(by) => write!(f, "divide:{by}"),
            Scaling::Standardize => f.write_str("standardize"),
            Scaling::MinMax => f.write_str("minmax"),
            Scaling::Channels => f.write_str("channels"),
        }
    }
}

impl Encoder {
    /// Fits the encoder to the rows of a table: fill values, if it was read with [`Missing::Mean`], then offset
    /// and scale of numbers, including the filled ones. Categories are those of the whole file, with or
    /// without rows here, so that each part of a table gives a net as many inputs.
    ///
    /// Errors if there are no rows, if a column has no value to fill in, and if numbers cannot be scaled: see
    /// [`Standardize::fit`] and [`Preprocess::divide`].
    ///
    /// ```
    /// use surprisal_data::{CsvOptions, Encoder, Missing, Scaling, Table};
    ///
    /// let target = Some("-1".to_owned()); // the last column
    /// let options = CsvOptions { target, missing: Missing::Mean, ..CsvOptions::default() };
    /// let table = Table::from_csv("width,kind\n2,a\n?,b\n4,b\n".as_bytes(), "boxes", &options)?;
    /// let encoder = Encoder::fit(&table, Scaling::MinMax)?;
    /// assert_eq!(encoder.apply(&table)?, ndarray::array![[0.0], [0.5], [1.0]]);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn fit(table: &Table, scaling: Scaling) -> Result<Encoder, DataError> {
        Encoder::fit_rows(table, &Vec::from_iter(0..table.rows()), scaling)
    }

    /// [`fit`](Encoder::fit) to some rows.
    #[track_caller]
    pub(crate) fn fit_rows(table: &Table, rows: &[usize], scaling: Scaling) -> Result<Encoder, DataError> {
        let mean = table.missing() == Missing::Mean;
        let no_value = |name: &str| wrong(table.name(), Some(name), EncoderProblem::NothingToFill);
        let (mut columns, mut numbers) = (Vec::new(), Vec::new());
        for Column { name, values: column_values } in table.columns() {
            let encoding = match column_values {
                ColumnValues::Numbers(values) | ColumnValues::Dates(values) => {
                    let present = || {
                        let mut present = vec![0.0; rows.len()];
                        values.write(rows, &mut present, 1);
                        present.retain(|number| !number.is_nan());
                        present
                    };
                    let fill = match mean.then(present) {
                        Some(present) if present.is_empty() => return Err(no_value(name)),
                        Some(present) => Some(mean_of(&present)?),
                        None => None,
                    };
                    numbers.push((values, fill));
                    match column_values {
                        ColumnValues::Dates(_) => Encoding::Date { fill, offset: 0.0, scale: 1.0 },
                        _ => Encoding::Number { fill, offset: 0.0, scale: 1.0 },
                    }
                }
                ColumnValues::Categories { codes, names } => {
                    let fill = match mean {
                        true => Some(commonest(codes, rows).ok_or_else(|| no_value(name))?),
                        false => None,
                    };
                    Encoding::OneHot { categories: names.clone(), fill }
                }
            };
            columns.push(EncodedColumn { name: name.clone(), encoding });
        }
        let fetch = |columns: Range<usize>, slots: &mut [f64]| {
            let step = columns.len();
            for (k, column) in columns.enumerate() {
                let ((values, fill), slots): (&(&Numbers, Option<f64>), _) =
                    (&numbers[column], &mut slots[k..]);
                values.write(rows, slots, step);
                if let &Some(fill) = fill {
                    slots.iter_mut().step_by(step).filter(|slot| slot.is_nan()).for_each(|slot| *slot = fill);
                }
            }
        };
        let mut parts = fit_columns(scaling, rows.len(), numbers.len(), 2, &fetch)?.into_iter();
        for column in &mut columns {
            if let Encoding::Number { offset, scale, .. } | Encoding::Date { offset, scale, .. } =
                &mut column.encoding
                && let Some(part) = parts.next()
            {
                (*offset, *scale) = part;
            }
        }
        Ok(Encoder { columns })
    }

    /// The encoder of arrays: numbers without missing values, and their [`Preprocess`].
    ///
    /// Errors if there is not one name for each column that was standardized, and as
    /// [`check`](Encoder::check) does.
    ///
    /// ```
    /// use surprisal_data::{Dataset, Encoder, Preprocess};
    ///
    /// let digits = Dataset::digits();
    /// let encoder = Encoder::of_numbers(&digits.feature_names, &Preprocess::divide(16.0)?)?;
    /// assert_eq!(encoder.apply_array(&digits.features)?, &digits.features / 16.0);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn of_numbers(feature_names: &[String], preprocess: &Preprocess) -> Result<Encoder, DataError> {
        Encoder::of_parts(feature_names, parts(preprocess, feature_names.len()))
    }

    /// [`of_numbers`](Encoder::of_numbers), of the offset and the divisor of every column.
    pub(crate) fn of_parts(feature_names: &[String], parts: Vec<(f64, f64)>) -> Result<Encoder, DataError> {
        if feature_names.len() != parts.len() {
            let problem = EncoderProblem::ColumnCount { expected: parts.len(), found: feature_names.len() };
            return Err(wrong(SELF, None, problem));
        }
        let number = |(name, (offset, scale)): (&String, _)| EncodedColumn {
            name: name.clone(),
            encoding: Encoding::Number { fill: None, offset, scale },
        };
        let encoder = Encoder { columns: feature_names.iter().zip(parts).map(number).collect() };
        encoder.check()?;
        Ok(encoder)
    }

    /// Whether it can be applied: for an encoder that was read from a file, or written by hand.
    ///
    /// Errors if there are no columns or two of one name, if a number is not finite or a scale not above 0,
    /// if a column has no categories, one of them twice, or more than 1000, and if the one to fill in is not
    /// among them.
    ///
    /// ```
    /// use surprisal_data::{Encoder, Preprocess};
    ///
    /// let mut encoder = Encoder::of_numbers(&["x".to_owned()], &Preprocess::None)?;
    /// encoder.columns.push(encoder.columns[0].clone());
    /// assert!(encoder.check().is_err());
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn check(&self) -> Result<(), DataError> {
        if self.columns.is_empty() {
            return Err(wrong(SELF, None, EncoderProblem::NoColumns));
        }
        let mut names = HashSet::new();
        for EncodedColumn { name, encoding } in &self.columns {
            let problem = match encoding {
                _ if !names.insert(name) => EncoderProblem::ColumnTwice,
                &(Encoding::Number { fill, offset, scale } | Encoding::Date { fill, offset, scale })
                    if !(fill.unwrap_or(0.0).is_finite()
                        && offset.is_finite()
                        && scale.is_finite()
                        && scale > 0.0) =>
                {
                    EncoderProblem::Number { fill, offset, scale }
                }
                Encoding::OneHot { categories, .. } if !(1..=MOST_CATEGORIES).contains(&categories.len()) => {
                    EncoderProblem::CategoryCount { found: categories.len() }
                }
                Encoding::OneHot { categories, fill: Some(fill) } if *fill >= categories.len() => {
                    EncoderProblem::FillRange { fill: *fill, categories: categories.len() }
                }
                Encoding::OneHot { categories, .. } => {
                    let mut seen = HashSet::new();
                    match categories.iter().find(|category| !seen.insert(*category)) {
                        Some(category) => EncoderProblem::CategoryTwice { category: category.clone() },
                        None => continue,
                    }
                }
                Encoding::Number { .. } | Encoding::Date { .. } => continue,
            };
            return Err(wrong(SELF, Some(name), problem));
        }
        Ok(())
    }

    /// The names of the net's inputs: a column's name, or "color=red" for a category.
    pub fn feature_names(&self) -> Vec<String> {
        let names = |column: &EncodedColumn| match &column.encoding {
            Encoding::Number { .. } | Encoding::Date { .. } => vec![column.name.clone()],
            Encoding::OneHot { categories, .. } => {
                categories.iter().map(|category| format!("{}={category}", column.name)).collect()
            }
        };
        self.columns.iter().flat_map(names).collect()
    }

    /// The number of inputs of the net.
    pub fn width(&self) -> usize {
        self.columns.iter().map(|column| column.encoding.width()).sum()
    }

    /// Encodes a table, `[rows, width]`. Columns are found by their names.
    ///
    /// Errors if a column is not there or holds texts for numbers or numbers for texts, if a value is missing
    /// that nothing was measured for, and if a category is not known.
    ///
    /// See the example of [`Encoder`].
    pub fn apply(&self, table: &Table) -> Result<Array2<f64>, DataError> {
        let rows = Vec::from_iter(0..table.rows());
        let sources = self.sources(table, &rows)?;
        let mut encoded = vec![0.0; rows.len() * self.width()];
        self.encode(table, &sources, &rows, &mut encoded);
        Ok(Array2::from_shape_vec((rows.len(), self.width()), encoded).expect("as many numbers as were made"))
    }

    /// Finds the columns in a table, and whether each of these rows can be encoded.
    ///
    /// Errors as [`apply`](Encoder::apply) does, with the index of the row in `rows`.
    pub(crate) fn sources(&self, table: &Table, rows: &[usize]) -> Result<Vec<Source>, DataError> {
        let places: HashMap<&str, usize> =
            table.columns().iter().enumerate().map(|(at, column)| (column.name.as_str(), at)).collect();
        let missing: Vec<String> = self
            .columns
            .iter()
            .filter(|c| !places.contains_key(c.name.as_str()))
            .map(|c| c.name.clone())
            .collect();
        if !missing.is_empty() {
            let columns = table.columns().iter().map(|column| column.name.clone()).collect();
            return Err(wrong(table.name(), None, EncoderProblem::MissingColumns { missing, columns }));
        }
        let mut sources = Vec::new();
        for column in &self.columns {
            let at = places[column.name.as_str()];
            let mut known = Vec::new();
            let problem = match (&table.columns()[at].values, &column.encoding) {
                (ColumnValues::Numbers(numbers), Encoding::Number { fill, .. })
                | (ColumnValues::Dates(numbers), Encoding::Date { fill, .. }) => {
                    let lacks = fill.is_none() && numbers.missing() > 0;
                    let missing =
                        lacks.then(|| rows.iter().position(|&row| numbers.get(row).is_nan())).flatten();
                    missing.map(|row| EncoderProblem::MissingValue { row })
                }
                (ColumnValues::Categories { codes, names }, Encoding::OneHot { categories, fill }) => {
                    known = names.iter().map(|name| table.fields().find(name, categories)).collect();
                    let problem = |(row, &at): (usize, &usize)| match codes[at] {
                        None if fill.is_none() => Some(EncoderProblem::MissingValue { row }),
                        Some(code) if known[code as usize].is_none() => {
                            let category = names[code as usize].clone();
                            Some(EncoderProblem::UnseenCategory { row, category, known: categories.clone() })
                        }
                        _ => None,
                    };
                    rows.iter().enumerate().find_map(problem)
                }
                (found, expected) => {
                    Some(EncoderProblem::Kind { expected: expected.kind(), found: found.kind() })
                }
            };
            if let Some(problem) = problem {
                return Err(wrong(table.name(), Some(&column.name), problem));
            }
            sources.push(Source { at, known });
        }
        Ok(sources)
    }

    /// Encodes some rows, one after the other, into zeros.
    pub(crate) fn encode(&self, table: &Table, sources: &[Source], rows: &[usize], encoded: &mut [f64]) {
        let (width, mut first) = (self.width(), 0);
        for (column, Source { at, known }) in self.columns.iter().zip(sources) {
            match (&table.columns()[*at].values, &column.encoding) {
                (
                    ColumnValues::Numbers(numbers) | ColumnValues::Dates(numbers),
                    &(Encoding::Number { fill, offset, scale } | Encoding::Date { fill, offset, scale }),
                ) => {
                    let slots = encoded.get_mut(first..).unwrap_or_default();
                    numbers.write(rows, slots, width);
                    for slot in slots.iter_mut().step_by(width) {
                        let x = if slot.is_nan() { fill.unwrap_or(*slot) } else { *slot };
                        *slot = (x - offset) / scale;
                    }
                }
                (ColumnValues::Categories { codes, .. }, Encoding::OneHot { fill, .. }) => {
                    for (encoded, &row) in encoded.chunks_exact_mut(width).zip(rows) {
                        let place = codes[row].map_or(*fill, |code| known[code as usize]);
                        if let Some(place) = place {
                            encoded[first + place] = 1.0;
                        }
                    }
                }
                _ => unreachable!("the kinds have been compared"),
            }
            first += column.encoding.width();
        }
    }

    /// Encodes an array of numbers, `[rows, columns]`.
    ///
    /// Errors if the array has another number of columns, and if a column holds categories.
    ///
    /// See the example of [`of_numbers`](Encoder::of_numbers).
    pub fn apply_array(&self, features: &ArrayRef2<f64>) -> Result<Array2<f64>, DataError> {
        let mut encoded = features.to_owned();
        self.apply_array_in_place(&mut encoded)?;
        Ok(encoded)
    }

    pub(crate) fn apply_array_in_place(&self, features: &mut ArrayRef2<f64>) -> Result<(), DataError> {
        let (expected, found) = (self.columns.len(), features.ncols());
        if expected != found {
            return Err(wrong("an array", None, EncoderProblem::ColumnCount { expected, found }));
        }
        let parts = self.columns.iter().map(|column| match column.encoding {
            Encoding::Number { offset, scale, .. } => Ok((offset, scale)),
            ref other => {
                let problem = EncoderProblem::Kind { expected: other.kind(), found: "numbers" };
                Err(wrong("an array", Some(&column.name), problem))
            }
        });
        let parts = parts.collect::<Result<Array1<_>, _>>()?;
        for row in features.rows_mut() {
            Zip::from(row).and(&parts).for_each(|x, (offset, scale)| *x = (*x - offset) / scale);
        }
        Ok(())
    }

    /// Reads new rows and encodes them, `[rows, width]`. Columns are found by their names and may stand
    /// anywhere in the table, among others, which are ignored.
    ///
    /// Only the options for the format of a table are used: header, delimiter, decimal, thousands and
    /// missing words. Text is as in [`Dataset::from_csv`](crate::Dataset::from_csv); `name` stands in the
    /// messages.
    ///
    /// Errors if a column is not there, or there twice, on a row with a field too many or too few, and in
    /// these columns on text that is no number, infinity, a value that is missing and that nothing was
    /// measured for, and, if `unseen` says so, a category that is not known; if there are no rows.
    ///
    /// See the example of [`Encoder`].
    pub fn read_csv(
        &self,
        reader: impl Read,
        name: &str,
        options: &CsvOptions,
        unseen: Unseen,
    ) -> Result<Array2<f64>, DataError> {
        let text = Text::read(reader, name)?;
        self.read(&text, options.delimiter.unwrap_or(b','), options, unseen)
    }

    /// Reads and encodes the rows of a file, as [`read_csv`](Encoder::read_csv) does.
    ///
    /// Errors as `read_csv` does, or if the file cannot be read; the messages start with the path.
    ///
    /// ```
    /// use surprisal_data::{CsvOptions, Dataset, Encoder, Preprocess, Unseen};
    ///
    /// let iris = Dataset::iris();
    /// let encoder = Encoder::of_numbers(&iris.feature_names, &Preprocess::None)?;
    /// let x = encoder.read_csv_path("datasets/iris.csv", &CsvOptions::default(), Unseen::Error)?;
    /// assert_eq!(x, iris.features);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn read_csv_path(
        &self,
        path: impl AsRef<Path>,
        options: &CsvOptions,
        unseen: Unseen,
    ) -> Result<Array2<f64>, DataError> {
        let path = path.as_ref();
        let (name, file) = open(path)?;
        self.read(&Text::read(file, &name)?, options.separator_in(path), options, unseen)
    }

    fn read(
        &self,
        text: &Text,
        delimiter: u8,
        options: &CsvOptions,
        unseen: Unseen,
    ) -> Result<Array2<f64>, DataError> {
        let fields = Fields::of(options)?;
        let mut rows = Rows::of(text, delimiter, options.header)?;
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let places = rows.find(&names)?;
        let (mut count, mut numbers, mut row) = (0, Vec::new(), Record::default());
        while rows.next(&mut row)? {
            for (&at, column) in places.iter().zip(&self.columns) {
                let read = column.encoding.push(&row[at], &fields, unseen, &mut numbers);
                read.map_err(|problem| rows.error_in(&row, at, problem))?;
            }
            count += 1;
        }
        if count == 0 {
            return Err(text.error(None, None, CsvProblem::NoRows));
        }
        Ok(Array2::from_shape_vec((count, self.width()), numbers).expect("every row gave as many numbers"))
    }
}

/// What messages call an encoder.
const SELF: &str = "Encoder";

fn wrong(place: &str, column: Option<&str>, problem: EncoderProblem) -> DataError {
    EncoderError { place: place.to_owned(), column: column.map(str::to_owned), problem }.into()
}

impl Encoding {
    /// How many numbers a net sees of the column.
    fn width(&self) -> usize {
        match self {
            Encoding::Number { .. } | Encoding::Date { .. } => 1,
            Encoding::OneHot { categories, .. } => categories.len(),
        }
    }

    /// What messages call what it encodes.
    fn kind(&self) -> &'static str {
        match self {
            Encoding::Number { .. } => "numbers",
            Encoding::OneHot { .. } => "categories",
            Encoding::Date { .. } => "dates",
        }
    }

    /// Appends what a net is to see of one field.
    fn push(
        &self,
        field: &str,
        fields: &Fields,
        unseen: Unseen,
        numbers: &mut Vec<f64>,
    ) -> Result<(), CsvProblem> {
        match self {
            Encoding::Number { fill, offset, scale } => {
                let x = match (fields.number(field), *fill) {
                    (Err(CsvProblem::MissingNew { .. }), Some(fill)) => fill,
                    (read, _) => read?,
                };
                numbers.push((x - offset) / scale);
            }
            Encoding::Date { fill, offset, scale } => {
                let x = match (fields.is_missing(field), *fill) {
                    (true, Some(fill)) => fill,
                    (true, None) => return Err(CsvProblem::MissingNew { found: field.to_owned() }),
                    _ => days(field).ok_or_else(|| CsvProblem::NotADate { found: field.to_owned() })?,
                };
                numbers.push((x - offset) / scale);
            }
            Encoding::OneHot { categories, fill } => {
                let place = match fields.find(field, categories) {
                    None if fields.is_missing(field) => {
                        Some(fill.ok_or_else(|| CsvProblem::MissingNew { found: field.to_owned() })?)
                    }
                    None if unseen == Unseen::Error => {
                        let (category, known) = (field.to_owned(), categories.clone());
                        return Err(CsvProblem::UnseenCategory { category, known });
                    }
                    place => place,
                };
                numbers.extend((0..categories.len()).map(|k| if Some(k) == place { 1.0 } else { 0.0 }));
            }
        }
        Ok(())
    }
}

/// Where an encoded column comes from.
pub(crate) struct Source {
    /// Its index in the table.
    at: usize,
    /// The encoded category of each of the table's categories.
    known: Vec<Option<usize>>,
}

/// The offset and the divisor of every column of numbers, measured on some columns at a time, two or more; `fetch` writes the numbers of
/// some columns, row by row.
pub(crate) fn fit_columns(
    scaling: Scaling,
    rows: usize,
    columns: usize,
    together: usize,
    fetch: &dyn Fn(Range<usize>, &mut [f64]),
) -> Result<Vec<(f64, f64)>, DataError> {
    if columns == 0 {
        return Ok(Vec::new());
    }
    if !matches!(scaling, Scaling::Standardize | Scaling::MinMax) || rows == 0 {
        return Ok(parts(&scaling.fit(&Array2::zeros((0, columns)), None)?, columns));
    }
    let mut all = Vec::new();
    for first in (0..columns).step_by(together) {
        // of one column alone, unless there is no other, the numbers would be added in another order
        let (begin, end) = (first.min(columns.saturating_sub(2)), (first + together).min(columns));
        let mut numbers = Array2::zeros((rows, end - begin));
        fetch(begin..end, numbers.as_slice_mut().unwrap_or_default());
        match scaling.fit(&numbers, None) {
            Ok(fitted) => all.extend(parts(&fitted, end - begin).into_iter().skip(first - begin)),
            Err(error) => return Err(first_unfit(rows, columns, fetch, error)),
        }
    }
    Ok(all)
}

/// The error of the first row that cannot be measured.
fn first_unfit(
    rows: usize,
    columns: usize,
    fetch: &dyn Fn(Range<usize>, &mut [f64]),
    error: DataError,
) -> DataError {
    let &ErrorKind::UnfitValue { by, .. } = error.kind() else { return error };
    let mut numbers = vec![0.0; rows];
    let first = (0..columns).filter_map(|column| {
        fetch(column..column + 1, &mut numbers);
        let row = numbers.iter().position(|&number| is_unfit(number))?;
        Some((row, column, numbers[row]))
    });
    match first.min_by_key(|&(row, column, _)| (row, column)) {
        Some((row, column, value)) => ErrorKind::UnfitValue { by, row, column, value }.into(),
        None => error,
    }
}

/// The category that most of these rows have, of equals the first; none if none has any.
fn commonest(codes: &[Option<u32>], rows: &[usize]) -> Option<usize> {
    let mut counts = HashMap::new();
    let present = rows.iter().filter_map(|&row| codes[row]);
    present.for_each(|code| *counts.entry(code).or_insert(0_usize) += 1);
    counts.into_iter().min_by_key(|&(code, count)| (usize::MAX - count, code)).map(|(code, _)| code as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commonest_category_is_that_of_most_rows_and_of_equals_the_first() {
        let commonest = |codes: &[Option<u32>]| commonest(codes, &Vec::from_iter(0..codes.len()));
        assert_eq!(commonest(&[Some(0), Some(2), None, Some(2), None, None]), Some(2));
        assert_eq!(commonest(&[Some(3), Some(1), Some(3), Some(1), Some(0)]), Some(1));
        assert_eq!(commonest(&[None]), None);
    }
}
