//! The values of a column while it is read: numbers, dates or texts, and what they turn out to be.

use crate::csv::error::{CsvProblem, Within};
use crate::csv::fields::{Fields, days};
use crate::csv::number_form::NumberForm;
use crate::csv::options::Task;
use crate::notice::Notice;
use std::collections::HashMap;

/// More categories than this are not made columns of: 8 bytes in every row for each are too many.
pub(crate) const MOST_CATEGORIES: usize = 1000;
/// More texts than this are not taken for categories unasked.
const MOST_UNASKED: usize = 100;
/// More whole numbers than this in a target column are taken for numbers to predict.
const MOST_CLASSES_UNASKED: usize = 20;

/// One column of a [`Table`](crate::Table), with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The name in the header.
    pub name: String,
    /// The values, one for every row.
    pub values: ColumnValues,
}

/// The values of a [`Column`].
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnValues {
    /// Finite numbers; NaN where one is missing.
    Numbers(Vec<f64>),
    /// Dates as days since 1970-01-01, with their fraction; NaN where one is missing.
    Dates(Vec<f64>),
    /// Categories, each by its index among the names; `None` where one is missing.
    Categories {
        /// The category of every row.
        codes: Vec<Option<u32>>,
        /// The names of the categories: in order of value if all of them are numbers, else of letters.
        names: Vec<String>,
    },
}

/// What a column is read as.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Holds {
    Numbers,
    Texts,
    Dates,
    /// Numbers or texts, which its fields decide.
    Either,
}

/// A column while it is read: every row in `numbers`, or every row in `texts`.
pub(super) struct Reading {
    pub(super) holds: Holds,
    pub(super) numbers: Vec<f64>,
    pub(super) texts: Option<Box<Texts>>,
    pub(super) number_rows: usize,
    pub(super) text_rows: usize,
    pub(super) first_text: Option<(usize, String)>,
    pub(super) first_missing: Option<(usize, String)>,
    /// Whether every row is a whole number, 1 more than the one above.
    pub(super) counts: bool,
    last: Option<f64>,
    pub(super) leading_zero: Option<String>,
}

impl Reading {
    pub(super) fn new(holds: Holds) -> Self {
        Reading {
            holds,
            numbers: Vec::new(),
            texts: None,
            number_rows: 0,
            text_rows: 0,
            first_text: None,
            first_missing: None,
            counts: true,
            last: None,
            leading_zero: None,
        }
    }

    /// Adds the field of the next row.
    pub(super) fn push(&mut self, field: &str, line: usize, fields: &Fields) -> Result<(), CsvProblem> {
        if self.holds == Holds::Texts {
            if !self.texts().push(field, line, fields) {
                self.first_missing.get_or_insert_with(|| (line, field.to_owned()));
            }
            return Ok(());
        }
        let read = match self.holds {
            Holds::Dates if fields.is_missing(field) => {
                Err(CsvProblem::MissingNew { found: field.to_owned() })
            }
            Holds::Dates => days(field).ok_or_else(|| CsvProblem::NotADate { found: field.to_owned() }),
            _ => fields.number(field),
        };
        match read {
            Ok(number) => {
                self.counts &= number.fract() == 0.0 && self.last.is_none_or(|last| number == last + 1.0);
                self.last = Some(number);
                self.number_rows += 1;
                if self.leading_zero.is_none() && has_leading_zero(field) {
                    self.leading_zero = Some(field.to_owned());
                }
                if self.text_rows == 0 {
                    self.numbers.push(number);
                }
            }
            Err(CsvProblem::MissingNew { found }) => {
                self.first_missing.get_or_insert((line, found));
                self.counts = false;
                match self.text_rows {
                    0 => self.numbers.push(f64::NAN),
                    _ => self.texts().codes.push(None),
                }
            }
            Err(CsvProblem::NotANumber { .. } | CsvProblem::WrittenOtherwise { .. })
                if self.holds == Holds::Either =>
            {
                self.add_text(field, line, fields);
            }
            // "inf" among texts is one
            Err(CsvProblem::NotFinite { .. } | CsvProblem::NotWhole { .. })
                if self.holds == Holds::Either && self.text_rows > 0 =>
            {
                self.add_text(field, line, fields);
            }
            Err(problem) => return Err(problem),
        }
        Ok(())
    }

    pub(super) fn add_text(&mut self, field: &str, line: usize, fields: &Fields) {
        if self.text_rows == 0 {
            self.texts().codes = vec![None; self.numbers.len()];
            if self.number_rows == 0 {
                self.numbers = Vec::new();
            }
        }
        self.counts = false;
        self.text_rows += 1;
        self.first_text.get_or_insert_with(|| (line, field.to_owned()));
        if self.number_rows == 0 {
            self.texts().push(field, line, fields);
        }
    }

    pub(super) fn texts(&mut self) -> &mut Texts {
        self.texts.get_or_insert_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.number_rows == 0 && self.text_rows == 0
    }

    pub(super) fn is_mixed(&self) -> bool {
        self.number_rows > 0 && self.text_rows > 0
    }

    /// Whether the value is missing, for every row.
    pub(super) fn holes(&self) -> Vec<bool> {
        match &self.texts {
            Some(texts) => texts.codes.iter().map(Option::is_none).collect(),
            None => self.numbers.iter().map(|number| number.is_nan()).collect(),
        }
    }

    /// The rows that are kept.
    pub(super) fn finish(self, keep: &[bool], fields: &Fields) -> ColumnValues {
        if let Some(texts) = self.texts {
            return texts.finish(keep, fields);
        }
        let kept = self.numbers.into_iter().zip(keep).filter(|&(_, &keep)| keep).map(|(number, _)| number);
        match self.holds {
            Holds::Dates => ColumnValues::Dates(kept.collect()),
            _ => ColumnValues::Numbers(kept.collect()),
        }
    }

    /// The target column, as classes or as numbers, and what is to be said about that choice; a problem comes
    /// with its line.
    pub(super) fn into_answers(
        self,
        name: &str,
        task: Task,
        keep: &[bool],
        fields: &Fields,
    ) -> Result<(ColumnValues, Option<Notice>), (Option<usize>, CsvProblem)> {
        if task != Task::Auto {
            return Ok((self.finish(keep, fields), None));
        }
        let texts = self.texts.unwrap_or_default();
        let numeric = texts.numeric();
        let values = texts.names.iter().filter_map(|name| fields.value(name));
        let many = numeric > MOST_CLASSES_UNASKED || values.clone().any(|value| value.fract() != 0.0);
        if numeric < texts.names.len() {
            let rows_of_numbers =
                texts.codes.iter().flatten().filter(|&&code| texts.is_number[code as usize]).count();
            let rows_of_texts = texts.codes.iter().flatten().count() - rows_of_numbers;
            let otherwise = texts.written_otherwise();
            if let Some((line, found, form)) = otherwise {
                let within = Some(Within::Target);
                return Err((Some(line), CsvProblem::WrittenOtherwise { found, form, within }));
            }
            if many && rows_of_texts < rows_of_numbers {
                let first = texts.is_number.iter().position(|is_number| !is_number).unwrap_or(0);
                let found = texts.names[first].clone();
                return Err((Some(texts.lines[first]), CsvProblem::TargetNotANumber { found }));
            }
            return Ok((texts.finish(keep, fields), None));
        }
        let distinct = texts.names.len();
        let chosen = |task| Some(Notice::TaskChosen { target: name.to_owned(), task, distinct });
        if !many {
            let notice = if distinct > 2 { chosen(Task::Classification) } else { None };
            return Ok((texts.finish(keep, fields), notice));
        }
        let mut numbers = Vec::with_capacity(distinct);
        for (text, &line) in texts.names.iter().zip(&texts.lines) {
            numbers.push(fields.number(text).map_err(|problem| (Some(line), problem))?);
        }
        let kept = texts.codes.iter().zip(keep).filter(|&(_, &keep)| keep);
        let values = kept.filter_map(|(code, _)| code.map(|code| numbers[code as usize])).collect();
        Ok((ColumnValues::Numbers(values), chosen(Task::Regression)))
    }
}

/// Whether a field is a whole number with a zero before its first digit, as codes have.
pub(super) fn has_leading_zero(field: &str) -> bool {
    field.len() > 1 && field.starts_with('0') && field.bytes().all(|byte| byte.is_ascii_digit())
}

/// The texts of a column, each once; numbers that are equal are one text.
#[derive(Default)]
pub(super) struct Texts {
    codes: Vec<Option<u32>>,
    /// Every text, by its code; of equal numbers the shortest.
    pub(super) names: Vec<String>,
    /// The line in which each comes first.
    lines: Vec<usize>,
    is_number: Vec<bool>,
    by_spelling: HashMap<String, u32>,
    by_number: HashMap<String, u32>,
}

impl Texts {
    /// Adds the field of the next row; `false` if its value is missing.
    pub(super) fn push(&mut self, field: &str, line: usize, fields: &Fields) -> bool {
        if let Some(&code) = self.by_spelling.get(field) {
            self.codes.push(Some(code));
            return true;
        }
        if fields.is_missing(field) {
            self.codes.push(None);
            return false;
        }
        let new = self.names.len() as u32; // more than 2^32 texts do not fit into memory
        let key = fields.number_key(field);
        let is_number = key.is_some();
        let code = key.map_or(new, |key| *self.by_number.entry(key).or_insert(new));
        match self.names.get_mut(code as usize) {
            None => {
                self.names.push(field.to_owned());
                self.lines.push(line);
                self.is_number.push(is_number);
            }
            Some(name) if (field.len(), field) < (name.len(), name.as_str()) => *name = field.to_owned(),
            Some(_) => {}
        }
        self.by_spelling.insert(field.to_owned(), code);
        self.codes.push(Some(code));
        true
    }

    /// How many of the texts are numbers.
    pub(super) fn numeric(&self) -> usize {
        self.is_number.iter().filter(|&&is_number| is_number).count()
    }

    /// The first number that is written otherwise, with its line, if half of the texts are such numbers; of
    /// units, only the first counts.
    pub(super) fn written_otherwise(&self) -> Option<(usize, String, NumberForm)> {
        let forms: Vec<Option<NumberForm>> = self
            .names
            .iter()
            .zip(&self.is_number)
            .map(|(name, is_number)| if *is_number { None } else { NumberForm::of(name) })
            .collect();
        let first = forms.iter().position(Option::is_some)?;
        let first_form = forms[first].clone()?;
        let counts = |form: &&NumberForm| !matches!(form, NumberForm::Unit(_)) || **form == first_form;
        let all = forms.iter().flatten().filter(counts).count();
        (2 * all >= self.names.len()).then(|| (self.lines[first], self.names[first].clone(), first_form))
    }

    /// The rows that are kept, and the texts in them in order: by value if all are numbers, so that 10
    /// follows 9, else by letter.
    pub(super) fn finish(self, keep: &[bool], fields: &Fields) -> ColumnValues {
        let codes: Vec<Option<u32>> =
            self.codes.into_iter().zip(keep).filter(|&(_, &keep)| keep).map(|(code, _)| code).collect();
        let mut is_used = vec![false; self.names.len()];
        codes.iter().flatten().for_each(|&code| is_used[code as usize] = true);
        let mut texts: Vec<(String, usize)> =
            self.names.into_iter().zip(0..).filter(|&(_, code)| is_used[code]).collect();
        texts.sort();
        let value = |text: &str| fields.value(text).unwrap_or(f64::NAN);
        if texts.iter().all(|(text, _)| value(text).is_finite()) {
            texts.sort_by(|(a, _), (b, _)| value(a).total_cmp(&value(b)));
        }
        let mut ranks = vec![0; is_used.len()];
        texts.iter().zip(0..).for_each(|(&(_, code), rank)| ranks[code] = rank);
        let codes = codes.into_iter().map(|code| code.map(|code| ranks[code as usize])).collect();
        ColumnValues::Categories { codes, names: texts.into_iter().map(|(text, _)| text).collect() }
    }
}

impl ColumnValues {
    /// What messages call them.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            ColumnValues::Numbers(_) => "numbers",
            ColumnValues::Dates(_) => "dates",
            ColumnValues::Categories { .. } => "categories",
        }
    }

    /// How many values are missing.
    pub(super) fn missing(&self) -> usize {
        match self {
            ColumnValues::Numbers(numbers) | ColumnValues::Dates(numbers) => {
                numbers.iter().filter(|number| number.is_nan()).count()
            }
            ColumnValues::Categories { codes, .. } => codes.iter().filter(|code| code.is_none()).count(),
        }
    }
}

/// Whether there is something to predict.
pub(super) fn check_answers(answers: &ColumnValues, rows: usize) -> Result<(), CsvProblem> {
    match answers {
        ColumnValues::Numbers(values) if values.iter().all(|value| value == &values[0]) => {
            Err(CsvProblem::OneValue { value: values[0], rows })
        }
        ColumnValues::Categories { names, .. } if names.len() == 1 => {
            Err(CsvProblem::OneClass { class: names[0].clone(), rows })
        }
        _ => Ok(()),
    }
}

/// Whether there is anything in a column, and categories are not so many that there is nothing to learn of
/// them.
pub(super) fn check_column(values: &ColumnValues, asked: bool, rows: usize) -> Result<(), CsvProblem> {
    match values {
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
        _ if values.missing() == rows => Err(CsvProblem::NoValue { rows }),
        _ => Ok(()),
    }
}
