//! [`Table`]: the columns of a file, before encoding.

use crate::csv::column::{Column, ColumnValues, Holds, Reading, Texts, check_answers, check_column};
use crate::csv::error::{CsvProblem, Within};
use crate::csv::fields::Fields;
use crate::csv::number_form::NumberForm;
use crate::csv::numbers::{Numbers, cut};
use crate::csv::options::{BY_TEXT, Categorical, CsvOptions, Missing, Task};
use crate::csv::pieces::{PIECE, Pieces, in_order};
use crate::csv::text::{Record, Rows, Text, open, place};
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::notice::{LeftOut, Notice};
use crate::source::error::SpecError;
use crate::spill::Spill;
use crate::targets::{Targets, chosen};
use ndarray::Array2;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// In fewer rows than this, numbers that go up by 1 may do so by chance.
const FEWEST_COUNTED: usize = 8;

/// A table as read: columns of numbers and of categories, with missing values, and the
/// targets.
///
/// An [`Encoder`](crate::Encoder) turns it into the inputs of a net.
///
/// ```
/// use surprisal_data::{ColumnValues, CsvOptions, Missing, Table};
///
/// let text = "color,width,kind\nred,2.5,a\nblue,,b\nred,4,a\nblue,3,b\n";
/// let target = Some("kind".to_owned());
/// let options = CsvOptions { target, missing: Missing::Mean, ..CsvOptions::default() };
/// let table = Table::from_csv(text.as_bytes(), "boxes", &options)?;
/// assert_eq!(table.targets().class_names(), ["a", "b"]);
/// assert_eq!(table.targets().labels(), [0, 1, 0, 1]);
/// let ColumnValues::Categories { codes, names } = &table.columns()[0].values else { panic!("texts") };
/// assert_eq!((names, codes[0]), (&vec!["blue".to_owned(), "red".to_owned()], Some(1)));
/// let ColumnValues::Numbers(widths) = &table.columns()[1].values else { panic!("numbers") };
/// assert!(widths.get(0) == 2.5 && widths.get(1).is_nan()); // an encoder will fill it in
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The name of the data set.
    set_name: String,
    /// The name of the table in messages.
    name: String,
    columns: Vec<Column>,
    targets: Targets,
    missing: Missing,
    dropped: usize,
    notices: Vec<Notice>,
    fields: Fields,
}

impl Table {
    /// Reads a table with these options.
    ///
    /// Text and rows are as in [`Dataset::from_csv`]. Which columns hold categories is reported at
    /// [`Categorical::Auto`], which are left out at [`CsvOptions::ignore`], what the target column holds at
    /// [`Task::Auto`]; such decisions are in the [`notices`](Table::notices). Missing values are
    /// left out, or left to the [`Encoder`](crate::Encoder), as [`Missing`] says. Numbers that are equal are
    /// one category or class, however they are written. `name` becomes the name of the set and stands in the
    /// messages.
    ///
    /// Errors as [`Dataset::from_csv`] does, and if an option names no column, a column of numbers holds a
    /// text, a column holds too many texts, or texts that are numbers or dates written otherwise, unless they
    /// were called categories.
    ///
    /// ```
    /// use surprisal_data::{CsvOptions, Table, Task};
    ///
    /// let text = "rooms,rent\n2,700.5\n3,910\n4,1200\n";
    /// let target = Some("rent".to_owned());
    /// let options = CsvOptions { target, task: Task::Regression, ..CsvOptions::default() };
    /// let flats = Table::from_csv(text.as_bytes(), "flats", &options)?;
    /// assert_eq!(flats.targets().values(), [700.5, 910.0, 1200.0]);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn from_csv(reader: impl Read, name: &str, options: &CsvOptions) -> Result<Table, DataError> {
        let text = Text::read(reader, name)?.text;
        let open = || Ok(Box::new(text.as_bytes()) as Box<dyn Read + Send + '_>);
        read(&open, PIECE, options, options.delimiter.unwrap_or(b','), (name, name), None)
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
    /// let iris = Table::from_csv_path("datasets/iris.csv", &options)?;
    /// assert_eq!((iris.rows(), iris.name()), (150, "datasets/iris.csv"));
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn from_csv_path(path: impl AsRef<Path>, options: &CsvOptions) -> Result<Table, DataError> {
        Table::read_path(path.as_ref(), options, None)
    }

    /// [`from_csv_path`](Table::from_csv_path), with the numbers in a temporary file, if there is one.
    pub(crate) fn read_path(
        path: &Path,
        options: &CsvOptions,
        spill: Option<&Arc<Spill>>,
    ) -> Result<Table, DataError> {
        let name = path.display().to_string();
        let set_name = path.file_stem().map_or(name.clone(), |stem| stem.to_string_lossy().into_owned());
        read(&|| Ok(open(path)?.1), PIECE, options, options.separator_in(path), (&set_name, &name), spill)
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
        self.targets.len()
    }

    /// The number of rows that were left out because a value is missing, in addition to the
    /// [`rows`](Table::rows) that are there.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// Automatic decisions.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The format of its fields.
    pub(crate) fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The handling of missing values.
    pub(crate) fn missing(&self) -> Missing {
        self.missing
    }

    /// The features, in the order of the table.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The target of every row.
    pub fn targets(&self) -> &Targets {
        &self.targets
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
    /// let iris = Table::from_csv_path("datasets/iris.csv", &options)?;
    /// let two = iris.select(&[149, 0]);
    /// assert_eq!((two.targets().labels(), two.targets().classes()), (&[2, 0][..], 3));
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
                ColumnValues::Numbers(numbers) => ColumnValues::Numbers(numbers.select(rows)),
                ColumnValues::Dates(days) => ColumnValues::Dates(days.select(rows)),
                ColumnValues::Categories { codes, names } => {
                    ColumnValues::Categories { codes: chosen(codes, rows), names: names.clone() }
                }
            },
        };
        Table {
            set_name: self.set_name.clone(),
            name: self.name.clone(),
            columns: self.columns.iter().map(select).collect(),
            targets: self.targets.select(rows),
            missing: self.missing,
            dropped: self.dropped,
            notices: self.notices.clone(),
            fields: self.fields.clone(),
        }
    }

    /// Forgets the features of the rows from an index on, and gives their memory back.
    pub(crate) fn truncate(&mut self, rows: usize) {
        for column in &mut self.columns {
            match &mut column.values {
                ColumnValues::Numbers(numbers) | ColumnValues::Dates(numbers) => numbers.forget(rows),
                ColumnValues::Categories { codes, .. } => cut(codes, rows),
            }
        }
    }

    /// The data set of a table that holds nothing but numbers beside its target.
    pub(crate) fn into_dataset(self) -> Dataset {
        let (rows, columns) = (self.rows(), &self.columns);
        let number = |(row, column): (usize, usize)| match &columns[column].values {
            ColumnValues::Numbers(numbers) => numbers.get(row),
            _ => unreachable!("the options asked for numbers"),
        };
        Dataset {
            features: Array2::from_shape_fn((rows, columns.len()), number),
            feature_names: columns.iter().map(|column| column.name.clone()).collect(),
            name: self.set_name,
            targets: self.targets,
            image_shape: None,
        }
    }
}

/// Opens the text from its beginning.
type Opened<'a> = dyn Fn() -> Result<Box<dyn Read + Send + 'a>, DataError> + 'a;

/// The columns of a table while they are read.
struct Columns {
    features: Vec<Reading>,
    target: Reading,
    rows: usize,
    /// How many lines the rows take.
    lines: usize,
    long_field: Option<(usize, usize, usize)>,
}

/// What the columns of a table hold, and how.
struct Plan<'a> {
    places: &'a Places,
    holds_target: Holds,
    fields: &'a Fields,
    /// The column that alone may hold texts, if the options say so.
    only_in: Option<String>,
}

impl Plan<'_> {
    fn columns(&self, spill: Option<&Arc<Spill>>) -> Columns {
        let features =
            self.places.features.iter().map(|feature| Reading::new(feature.holds, spill)).collect();
        let target = Reading::new(self.holds_target, spill);
        Columns { features, target, rows: 0, lines: 0, long_field: None }
    }

    /// Reads the rows one after the other, with the error of the first that is wrong.
    fn read(&self, rows: &mut Rows, columns: &mut Columns) -> Result<(), DataError> {
        let mut row = Record::default();
        while rows.next(&mut row)? {
            for (feature, column) in self.places.features.iter().zip(&mut columns.features) {
                column.push(&row[feature.at], row.line(), self.fields).map_err(|problem| {
                    rows.error_in(&row, feature.at, in_feature(problem, self.only_in.clone()))
                })?;
            }
            let target = self.places.target;
            let pushed = columns.target.push(&row[target], row.line(), self.fields);
            pushed.map_err(|problem| rows.error_in(&row, target, in_target(problem)))?;
            columns.rows += 1;
        }
        columns.lines = rows.line() - 1;
        columns.long_field = columns.long_field.or(rows.long_field);
        Ok(())
    }

    /// The columns of some rows, of which nothing is known about the rows before; `None` if these matter, or a row may be wrong.
    fn read_alone(&self, mut rows: Rows) -> Option<Columns> {
        let plain = self.fields.are_plain();
        let mut columns = self.columns(None);
        let mut places: Vec<Option<usize>> = vec![None; rows.header.len()];
        self.places.features.iter().enumerate().for_each(|(k, feature)| places[feature.at] = Some(k));
        let (last, mut record) = (places.len() - 1, Record::default());
        while rows.begin_row() {
            let line = rows.line();
            for (at, place) in places.iter().enumerate() {
                let column = match *place {
                    Some(k) => Some(&mut columns.features[k]),
                    None => Some(&mut columns.target).filter(|_| at == self.places.target),
                };
                let number = match &column {
                    Some(column) if plain && column.takes_plain() => rows.number(),
                    _ => None,
                };
                match (column, number) {
                    (Some(column), Some(number)) => column.push_plain(number),
                    (column, _) => {
                        record.clear(line);
                        rows.field(&mut record).ok()?;
                        if let Some(column) = column {
                            column.push(&record[0], line, self.fields).ok()?;
                        }
                    }
                }
                if !rows.end_field(at == last) {
                    return None;
                }
            }
            columns.rows += 1;
        }
        columns.lines = rows.line() - 1;
        rows.long_field.is_none().then_some(columns)
    }
}

impl Columns {
    /// Appends the rows of the next piece of the text.
    fn append(&mut self, next: Columns, fields: &Fields) {
        for (column, next) in self.features.iter_mut().zip(next.features) {
            column.append(next, self.lines, fields);
        }
        self.target.append(next.target, self.lines, fields);
        self.rows += next.rows;
        self.lines += next.lines;
    }
}

/// Reads a table in pieces of at least `size` bytes.
fn read(
    open: &Opened,
    size: usize,
    options: &CsvOptions,
    delimiter: u8,
    (set_name, name): (&str, &str),
    spill: Option<&Arc<Spill>>,
) -> Result<Table, DataError> {
    let target = options.target.as_ref().ok_or(SpecError::NoTarget { table: name.to_owned() })?;
    let fields = Fields::of(options)?;
    let text = &Text { source_name: name, text: String::new() }; // for errors that are in no piece
    let mut pieces = Pieces::new(open()?, size).map_err(|error| text.unreadable(error))?;
    let delimiter = match delimiter {
        BY_TEXT => text.delimiter(&String::from_utf8_lossy(pieces.begin()))?,
        known => known,
    };
    let first = pieces.next(delimiter).map_err(|error| text.unreadable(error))?;
    let first = Text::of(name, first.unwrap_or_default(), 1)?;
    let mut rows = Rows::of(&first, delimiter, options.header)?;
    let places = Places::find(&rows, target, options)?;
    let Places { target: target_at, features, unnamed } = &places;
    let target_at = *target_at;
    let header: Vec<String> = rows.header.iter().map(str::to_owned).collect();
    let plan = Plan {
        places: &places,
        holds_target: match options.task {
            Task::Regression => Holds::Numbers,
            Task::Auto => Holds::Targets,
            _ => Holds::Texts,
        },
        fields: &fields,
        only_in: (options.categorical == Categorical::None).then(|| header[target_at].clone()),
    };
    let mut read = plan.columns(spill);
    plan.read(&mut rows, &mut read)?;
    let piece = |bytes: io::Result<Vec<u8>>| {
        let bytes = match String::from_utf8(bytes.map_err(|error| text.unreadable(error))?) {
            Ok(text) => {
                let piece = Text { source_name: name, text };
                match plan.read_alone(rows.in_piece(&piece, 1)) {
                    Some(columns) => return Ok(Ok(columns)),
                    None => piece.text.into_bytes(),
                }
            }
            Err(error) => error.into_bytes(),
        };
        Ok::<_, DataError>(Err(bytes)) // to be read when the number of lines before is known
    };
    in_order(pieces, delimiter, piece, |outcome| match outcome? {
        Ok(columns) => {
            read.append(columns, &fields);
            Ok(())
        }
        Err(bytes) => {
            let line = read.lines + 1;
            plan.read(&mut rows.in_piece(&Text::of(name, bytes, line)?, line), &mut read)
        }
    })?;
    spill.map_or(Ok(()), |spill| spill.check())?;
    let Columns { features: mut columns, target: mut answers, rows: count, long_field, .. } = read;
    if count == 0 {
        return Err(text.error(None, None, CsvProblem::NoRows));
    }

    // columns that nobody needs
    let in_column = |at: usize, line: Option<usize>, problem| text.error(line, Some(&header[at]), problem);
    let of_kind = |is: &dyn Fn(&Reading) -> bool| -> Vec<bool> {
        features.iter().zip(&columns).map(|(feature, column)| feature.may_be_left_out && is(column)).collect()
    };
    let empty = of_kind(&Reading::is_empty);
    let mut counting = of_kind(&|column| column.counts && count >= FEWEST_COUNTED);
    if (0..features.len()).all(|k| empty[k] || counting[k]) {
        counting.fill(false);
    }
    let used: Vec<bool> = (0..features.len()).map(|k| !empty[k] && !counting[k]).collect();
    if !used.contains(&true) {
        return Err(in_column(features[0].at, None, CsvProblem::NoValue { rows: count }));
    }

    // columns of both numbers and texts
    let mixed: Vec<usize> = (0..features.len()).filter(|&k| used[k] && columns[k].is_mixed()).collect();
    let not_a_number = |column: &Reading, at| {
        let (line, found) = column.first_text.clone().unwrap_or_default();
        let problem = match NumberForm::of(&found) {
            Some(form) => CsvProblem::WrittenOtherwise { found, form, within: Some(Within::Feature) },
            None => CsvProblem::MixedColumn { found },
        };
        in_column(at, Some(line), problem)
    };
    for &k in &mixed {
        if columns[k].text_rows < columns[k].number_rows {
            return Err(not_a_number(&columns[k], features[k].at));
        }
    }
    let again =
        Vec::from_iter(mixed.iter().map(|&k| features[k].at).chain(answers.again.then_some(target_at)));
    let mut as_texts = if again.is_empty() {
        Vec::new()
    } else {
        read_texts(Pieces::new(open()?, size), &rows, &again, &fields)?
    };
    if answers.again {
        let first_missing = answers.first_missing.take();
        answers = Reading::new(Holds::Texts, spill);
        (answers.first_missing, answers.texts) = (first_missing, as_texts.pop().map(Box::new));
    }
    let mut notices = Vec::new();
    for (texts, &k) in as_texts.into_iter().zip(&mixed) {
        let at = features[k].at;
        let (names, numeric) = (texts.names.len(), texts.numeric());
        if 2 * numeric >= names {
            return Err(not_a_number(&columns[k], at));
        }
        let mut names = texts.names.clone();
        names.sort();
        columns[k].texts = Some(Box::new(texts));
        columns[k].numbers = Numbers::default();
        notices.push(Notice::MixedCategories { column: header[at].clone(), names });
    }

    // rows that lack a value
    let used_columns =
        || columns.iter().zip(features).zip(&used).filter(|&(_, &used)| used).map(|(pair, _)| pair);
    let first_missing = used_columns()
        .map(|(column, feature)| (column, feature.at))
        .chain([(&answers, target_at)])
        .filter_map(|(column, at)| column.first_missing.as_ref().map(|(line, found)| (*line, found, at)))
        .min_by_key(|&(line, ..)| line);
    let missing_value = |line, found: &String, at| {
        in_column(at, Some(line), CsvProblem::MissingValue { found: found.clone(), target: at == target_at })
    };
    if let (Missing::Error, Some((line, found, at))) = (options.missing, first_missing) {
        return Err(missing_value(line, found, at));
    }
    let lacks_target = answers.holes();
    let without_target = lacks_target.iter().filter(|&&hole| hole).count();
    if without_target == count
        && let Some((line, found)) = &answers.first_missing
    {
        return Err(missing_value(*line, found, target_at));
    }
    let mut keep: Vec<bool> = lacks_target.iter().map(|hole| !hole).collect();
    if options.missing == Missing::Drop {
        for (column, _) in used_columns() {
            keep.iter_mut().zip(column.holes()).for_each(|(keep, hole)| *keep &= !hole);
        }
    }
    let kept = keep.iter().filter(|&&keep| keep).count();
    let dropped = count - kept;
    if kept == 0 {
        return Err(text.error(None, None, CsvProblem::NothingKept { dropped }));
    }

    // what is left of columns and rows
    let mut read = Vec::new();
    for ((column, feature), _) in columns.into_iter().zip(features).zip(&used).filter(|&(_, &used)| used) {
        let (at, asked) = (feature.at, feature.holds == Holds::Texts);
        if let (Some(example), None) = (&column.leading_zero, &column.texts) {
            notices.push(Notice::LeadingZeros { column: header[at].clone(), example: example.clone() });
        }
        let otherwise =
            (!asked && !column.is_mixed()).then(|| column.texts.as_ref()?.written_otherwise()).flatten();
        if let Some((line, found, form)) = otherwise {
            let problem = CsvProblem::WrittenOtherwise { found, form, within: Some(Within::Feature) };
            return Err(in_column(at, Some(line), problem));
        }
        let values = column.finish(&keep, &fields);
        check_column(&values, asked, kept).map_err(|problem| in_column(at, None, problem))?;
        read.push(Column { name: header[at].clone(), values });
    }
    let (answers, task_chosen) = answers
        .into_answers(&header[target_at], options.task, &keep, &fields)
        .map_err(|(line, problem)| in_column(target_at, line, problem))?;
    check_answers(&answers, kept).map_err(|problem| in_column(target_at, None, problem))?;

    // what was decided
    let mut all_notices = Vec::new();
    if options.header && 2 * header.iter().filter(|name| fields.value(name).is_some()).count() > header.len()
    {
        all_notices.push(Notice::HeaderLikeData { names: header.clone() });
    }
    if let Some((line, at, lines)) = long_field {
        all_notices.push(Notice::LongField { line, column: header[at].clone(), lines });
    }
    let at = |which: &[bool]| -> Vec<usize> {
        features.iter().zip(which).filter(|&(_, &is)| is).map(|(feature, _)| feature.at).collect()
    };
    for (reason, places) in [
        (LeftOut::Unnamed, unnamed.clone()),
        (LeftOut::Counting, at(&counting)),
        (LeftOut::Empty, at(&empty)),
    ] {
        let called = |at: usize| match header[at].as_str() {
            "" => format!("column {}", at + 1),
            name => name.to_owned(),
        };
        if !places.is_empty() {
            let columns = places.into_iter().map(called).collect();
            all_notices.push(Notice::ColumnsLeftOut { reason, columns });
        }
    }
    if dropped > 0 {
        all_notices.push(Notice::RowsLeftOut { rows: dropped, without_target });
    }
    let filled: Vec<(String, usize)> = read
        .iter()
        .map(|column| (column.name.clone(), column.values.missing()))
        .filter(|&(_, missing)| missing > 0)
        .collect();
    if !filled.is_empty() {
        all_notices.push(Notice::FilledIn { columns: filled });
    }
    all_notices.extend(task_chosen);
    all_notices.extend(notices);

    let targets = match answers {
        ColumnValues::Numbers(values) | ColumnValues::Dates(values) => {
            Targets::Values(values.iter().collect())
        }
        ColumnValues::Categories { codes, names } => Targets::Classes {
            labels: codes.into_iter().flatten().map(|code| code as usize).collect(),
            names,
        },
    };
    let (set_name, name, missing) = (set_name.to_owned(), name.to_owned(), options.missing);
    let notices = all_notices;
    Ok(Table { set_name, name, columns: read, targets, missing, dropped, notices, fields })
}

/// The texts of some columns, of which some may be numbers.
fn read_texts(
    pieces: io::Result<Pieces>,
    table: &Rows,
    columns: &[usize],
    fields: &Fields,
) -> Result<Vec<Texts>, DataError> {
    let name = table.text.source_name;
    let unreadable = |error| table.text.unreadable(error);
    let mut pieces = pieces.map_err(unreadable)?;
    let (mut texts, mut row): (Vec<Texts>, _) =
        (columns.iter().map(|_| Texts::default()).collect(), Record::default());
    let mut line = 1;
    while let Some(piece) = pieces.next(table.delimiter).map_err(unreadable)? {
        let piece = Text::of(name, piece, line)?;
        let mut rows = match line {
            1 => Rows::of(&piece, table.delimiter, table.named)?,
            _ => table.in_piece(&piece, line),
        };
        while rows.next(&mut row)? {
            for (texts, &at) in texts.iter_mut().zip(columns) {
                texts.push(&row[at], row.line(), fields);
            }
        }
        line = rows.line();
    }
    Ok(texts)
}

/// The problem of a column to predict from; only the column `only_in` may contain text.
fn in_feature(problem: CsvProblem, only_in: Option<String>) -> CsvProblem {
    match problem {
        CsvProblem::NotANumber { found, .. } => CsvProblem::NotANumber { found, target: only_in },
        problem => problem,
    }
}

/// The problem of the column to predict.
fn in_target(problem: CsvProblem) -> CsvProblem {
    match problem {
        CsvProblem::NotANumber { found, .. } => CsvProblem::TargetNotANumber { found },
        CsvProblem::WrittenOtherwise { found, form, .. } => {
            CsvProblem::WrittenOtherwise { found, form, within: Some(Within::Target) }
        }
        problem => problem,
    }
}

/// One column to predict from.
struct Feature {
    at: usize,
    holds: Holds,
    /// Whether it may be left out without being named.
    may_be_left_out: bool,
}

/// The indices of the columns that are read.
struct Places {
    target: usize,
    features: Vec<Feature>,
    /// Columns that are left out because they have no name.
    unnamed: Vec<usize>,
}

impl Places {
    fn find(rows: &Rows, target: &str, options: &CsvOptions) -> Result<Places, DataError> {
        let (text, header) = (rows.text, &rows.header);
        let wrong = |column: Option<&str>, problem| text.error(None, column, problem);
        let target_at = rows.find_target(target)?;
        let named = |option: &'static str, chosen: &[String]| -> Result<Vec<bool>, DataError> {
            let mut is_named = vec![false; header.len()];
            for column in chosen {
                match place(header, column) {
                    Some(at) if at == target_at => {
                        return Err(wrong(Some(&header[at]), CsvProblem::TargetNamed { option }));
                    }
                    // of columns of one name, all are meant
                    Some(at) => (0..header.len())
                        .filter(|&k| k == at || k != target_at && header[k] == header[at])
                        .for_each(|k| is_named[k] = true),
                    None => {
                        let (column, columns) = (column.clone(), header.iter().map(str::to_owned).collect());
                        return Err(wrong(None, CsvProblem::UnknownColumn { option, column, columns }));
                    }
                }
            }
            Ok(is_named)
        };
        let auto = options.categorical != Categorical::None;
        let of_texts = match &options.categorical {
            Categorical::Columns(columns) => columns.as_slice(),
            Categorical::Auto | Categorical::None => &[],
        };
        let lists = [
            ("ignore", named("ignore", &options.ignore)?),
            ("keep", named("keep", &options.keep)?),
            ("categorical", named("categorical", of_texts)?),
            ("dates", named("dates", &options.dates)?),
        ];
        for (one, other) in [(0, 1), (0, 2), (0, 3), (2, 3)] {
            if let Some(at) = (0..header.len()).find(|&at| lists[one].1[at] && lists[other].1[at]) {
                let options = [lists[one].0, lists[other].0];
                return Err(wrong(Some(&header[at]), CsvProblem::NamedTwice { options }));
            }
        }
        let [(_, ignored), (_, kept), (_, categorical), (_, dates)] = lists;
        let wanted: Vec<usize> = (0..header.len()).filter(|&at| at != target_at && !ignored[at]).collect();
        let is_asked = |at: usize| kept[at] || categorical[at] || dates[at];
        let has_name = |at: usize| !(auto && rows.named && is_no_name(&header[at])) || is_asked(at);
        let (mut used, mut unnamed): (Vec<usize>, Vec<usize>) = wanted.iter().partition(|&&at| has_name(at));
        if used.is_empty() {
            (used, unnamed) = (wanted, Vec::new());
        }
        let mut matters = vec![false; header.len()];
        used.iter().chain([&target_at]).for_each(|&at| matters[at] = true);
        rows.check_once(|at| matters[at])?;
        if used.is_empty() {
            return Err(wrong(None, CsvProblem::NoFeatures { target: header[target_at].to_owned() }));
        }
        let feature = |at| Feature {
            at,
            holds: match () {
                () if categorical[at] => Holds::Texts,
                () if dates[at] => Holds::Dates,
                () if auto => Holds::Either,
                () => Holds::Numbers,
            },
            may_be_left_out: auto && !is_asked(at),
        };
        Ok(Places { target: target_at, features: used.into_iter().map(feature).collect(), unnamed })
    }
}

/// Whether a column has no name: an empty one, or what pandas makes of it, "Unnamed: 0".
fn is_no_name(name: &str) -> bool {
    let place = name.strip_prefix("Unnamed: ").unwrap_or(name);
    name.is_empty() || place != name && place.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_the_same_in_pieces_of_any_size() {
        let rows = |n: usize, row: &dyn Fn(usize) -> String| (0..n).map(row).collect::<String>();
        let fraction = |row: usize| row as f64 / 8.0 - 3.0;
        let plain = rows(40, &|k| format!("{},{k},0{k},{}\n", fraction(k), k % 3));
        let texts = rows(40, &|k| {
            format!("{},{},{k}\r\n", ["red", "", "NA", " blue "][k % 4], ["7", "7.0", "x\"y"][k % 3])
        });
        let many = rows(1500, &|k| format!("{},{}\n", k % 5, fraction(k)));
        let quoted = rows(30, &|k| format!("\"a\n,{}\",\"{k}\"\n\n", k % 2));
        let mixed = rows(40, &|k| {
            format!("{},{},{}\n", if k > 30 { "7" } else { ["u", "v", "inf"][k % 3] }, 1e-9 * k as f64, k % 2)
        });
        let dates = rows(20, &|k| format!("2024-01-{:02},{}\n", k + 1, k % 2));
        let tables = [
            format!("a,b,c,y\n{plain}"),
            format!("a,b,c,y\n{plain}1,2,3\n{plain}"),
            format!("a,b,c,y\n{plain}1,2,inf,0\n"),
            format!("a,b,c,y\n{plain}1,9007199254740993,3,0\n"),
            format!("a,b,c,y\n{plain}1,?,,\n1e300,-0.0,+.5,2"),
            format!("a,b,c,y\n{plain}1,red,3,0\n{plain}"),
            format!("\u{feff}a,b,y\r\n{texts}"),
            format!("a,y\n{many}"),
            format!("a,y\n{many}1,many\n{many}"),
            format!("a,y\n{many}1,inf\n"),
            format!("a,y\n{many}1,?\n2,\n"),
            format!("a,y\n{quoted}"),
            format!("a,y\n{quoted}\"b\" c,1\n"),
            format!("a,y\n{quoted}\"b,1\n"),
            format!("m,b,y\n{mixed}"),
            format!("d,y\n{dates}2024-02-30,1\n"),
            "a,y\n".to_owned(),
            String::new(),
        ];
        let mut bytes: Vec<Vec<u8>> = tables.map(String::into_bytes).into();
        bytes.push([bytes[0].as_slice(), b"1,2,\xff,4\n"].concat());
        let mut told = Vec::new();
        for bytes in &bytes {
            for (task, missing) in [
                (Task::Auto, Missing::Mean),
                (Task::Classification, Missing::Drop),
                (Task::Regression, Missing::Error),
            ] {
                let dates = if bytes.starts_with(b"d") { vec!["d".to_owned()] } else { Vec::new() };
                let target = Some("y".to_owned());
                let options = CsvOptions { target, task, missing, dates, ..CsvOptions::default() };
                let open = || Ok(Box::new(&bytes[..]) as Box<dyn Read + Send + '_>);
                let read = |size| {
                    let table = read(&open, size, &options, b',', ("t", "t"), None);
                    table.map(|table| format!("{table:?}")).map_err(|error| error.to_string())
                };
                let whole = read(PIECE);
                for size in [1, 50, 300, 4000] {
                    assert_eq!(read(size), whole, "{size} {task} {}", String::from_utf8_lossy(bytes));
                }
                told.push(whole);
            }
        }
        assert!(told.iter().filter(|told| told.is_ok()).count() > 12, "{told:?}");
        assert!(told.iter().filter(|told| told.is_err()).count() > 12, "{told:?}");
    }
}
