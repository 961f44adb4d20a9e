//! The values of a column while it is read: numbers, dates or texts, and what they turn out to be.

use crate::csv::error::{CsvProblem, Within};
use crate::csv::fields::{Fields, days};
use crate::csv::number_form::NumberForm;
use crate::csv::numbers::Numbers;
use crate::csv::options::Task;
use crate::csv::text::{Plain, PlainNumber};
use crate::notice::Notice;
use crate::spill::Spill;
use std::collections::HashMap;
use std::sync::Arc;

/// More categories than this are not made columns of: 8 bytes in every row for each are too many.
pub(crate) const MOST_CATEGORIES: usize = 1000;
/// More texts than this are not taken for categories unasked.
const MOST_UNASKED: usize = 100;
/// More whole numbers than this in a target column are taken for numbers to predict.
const MOST_CLASSES_UNASKED: usize = 20;
/// A target column of more different numbers is stored as numbers while it is read, not as texts.
const MOST_TEXTS: usize = 1000;

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
    Numbers(Numbers),
    /// Dates as days since 1970-01-01, with their fraction; NaN where one is missing.
    Dates(Numbers),
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
    /// Targets, which may turn out to be classes or numbers: texts, until they are [`ManyNumbers`](Holds::ManyNumbers).
    Targets,
    /// Targets that are numbers so far, and too many different ones for classes.
    ManyNumbers,
}

/// A column while it is read: every row in `numbers`, or every row in `texts`.
pub(super) struct Reading {
    pub(super) holds: Holds,
    pub(super) numbers: Numbers,
    pub(super) texts: Option<Box<Texts>>,
    pub(super) number_rows: usize,
    pub(super) text_rows: usize,
    pub(super) first_text: Option<(usize, String)>,
    pub(super) first_missing: Option<(usize, String)>,
    /// Whether every row is a whole number, 1 more than the one above.
    pub(super) counts: bool,
    /// The first and the last number while the rows are counted, or NaN.
    ends: [f64; 2],
    pub(super) leading_zero: Option<String>,
    /// Whether it has to be read again, as texts: a text is among [`ManyNumbers`](Holds::ManyNumbers).
    pub(super) again: bool,
}

impl Reading {
    /// Nothing yet; numbers are to be written to the file, if there is one.
    pub(super) fn new(holds: Holds, spill: Option<&Arc<Spill>>) -> Self {
        Reading {
            holds,
            numbers: Numbers::in_file(spill),
            texts: None,
            number_rows: 0,
            text_rows: 0,
            first_text: None,
            first_missing: None,
            counts: true,
            ends: [f64::NAN; 2],
            leading_zero: None,
            again: false,
        }
    }

    /// Adds the field of the next row.
    pub(super) fn push(&mut self, field: &str, line: usize, fields: &Fields) -> Result<(), CsvProblem> {
        if matches!(self.holds, Holds::Texts | Holds::Targets) {
            if !self.texts().push(field, line, fields) {
                self.first_missing.get_or_insert_with(|| (line, field.to_owned()));
            }
            self.count_texts(fields);
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
                self.note(number, field);
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
            Err(_) if self.holds == Holds::ManyNumbers => self.again = true,
            Err(problem) => return Err(problem),
        }
        Ok(())
    }

    /// Whether a number in plain digits can be [pushed](Self::push_plain).
    pub(super) fn takes_plain(&self) -> bool {
        matches!(self.holds, Holds::Numbers | Holds::Either | Holds::ManyNumbers) && self.text_rows == 0
    }

    /// [`push`](Self::push) of a number that has been read.
    #[inline]
    pub(super) fn push_plain(&mut self, Plain { number, text }: Plain) {
        match number {
            PlainNumber::Short(short) => {
                self.note(if self.counts { short.value() } else { 0.0 }, text);
                self.numbers.push_short(short);
            }
            PlainNumber::Float(number) => {
                self.note(number, text);
                self.numbers.push(number);
            }
        }
    }

    /// Notes what the column may turn out to be; the number counts only as long as the rows are counted.
    #[inline]
    fn note(&mut self, number: f64, field: &str) {
        if self.counts {
            let [first, last] = &mut self.ends;
            self.counts = number.fract() == 0.0 && (last.is_nan() || number == *last + 1.0);
            (*first, *last) = (if first.is_nan() { number } else { *first }, number);
        }
        self.number_rows += 1;
        if self.leading_zero.is_none() && has_leading_zero(field) {
            self.leading_zero = Some(field.to_owned());
        }
    }

    /// Appends the rows of the next piece of the text, which begins `lines` lines further down.
    pub(super) fn append(&mut self, mut next: Reading, lines: usize, fields: &Fields) {
        let moved = |found: Option<(usize, String)>| found.map(|(line, text)| (line + lines, text));
        let ([first, last], [next_first, next_last]) = (self.ends, next.ends);
        self.counts &= next.counts && (last.is_nan() || next_first.is_nan() || next_first == last + 1.0);
        let or = |one: f64, other| if one.is_nan() { other } else { one };
        self.ends = [or(first, next_first), or(next_last, last)];
        self.first_text = self.first_text.take().or(moved(next.first_text.take()));
        self.first_missing = self.first_missing.take().or(moved(next.first_missing.take()));
        self.leading_zero = self.leading_zero.take().or(next.leading_zero.take());
        self.again |= next.again;
        let many = |column: &Reading| column.holds == Holds::ManyNumbers;
        if many(self) != many(&next) {
            let other = if many(self) { &mut next } else { &mut *self };
            self.again |= !other.become_numbers(fields);
        }
        self.number_rows += next.number_rows;
        self.text_rows += next.text_rows;
        if self.again {
            return;
        }
        if self.is_mixed() {
            (self.numbers, self.texts) = (Numbers::default(), Some(Box::default())); // it is read again
        } else if self.text_rows > 0 || matches!(self.holds, Holds::Texts | Holds::Targets) {
            next.missing_as_texts();
            self.missing_as_texts();
            self.texts().append(*next.texts.unwrap_or_default(), lines, fields);
            self.count_texts(fields);
        } else {
            self.numbers.append(&next.numbers);
        }
    }

    /// Rows without a value, which were numbers until the first text.
    fn missing_as_texts(&mut self) {
        if self.texts.is_none() {
            self.texts().codes = vec![None; self.numbers.len()];
            self.numbers = self.numbers.beside();
        }
    }

    /// Stores targets as numbers once they can be nothing else.
    fn count_texts(&mut self, fields: &Fields) {
        let many = |texts: &Texts| texts.names.len() > MOST_TEXTS;
        if self.holds == Holds::Targets
            && self.texts.as_deref().is_some_and(many)
            && !self.become_numbers(fields)
        {
            self.holds = Holds::Texts;
        }
    }

    /// Stores targets as numbers; `false`, and nothing is changed, if one is a text.
    fn become_numbers(&mut self, fields: &Fields) -> bool {
        let Some(texts) = self.texts.as_deref() else { return self.holds == Holds::Targets };
        let values: Option<Vec<f64>> = texts.names.iter().map(|name| fields.number(name).ok()).collect();
        let Some(values) = values.filter(|_| self.holds == Holds::Targets) else { return false };
        let mut numbers = self.numbers.beside();
        texts.codes.iter().for_each(|code| numbers.push(code.map_or(f64::NAN, |code| values[code as usize])));
        self.numbers = numbers;
        self.number_rows = self.numbers.len() - self.numbers.missing();
        (self.holds, self.texts) = (Holds::ManyNumbers, None);
        true
    }

    pub(super) fn add_text(&mut self, field: &str, line: usize, fields: &Fields) {
        if self.text_rows == 0 {
            self.texts().codes = vec![None; self.numbers.len()];
            if self.number_rows == 0 {
                self.numbers = Numbers::default();
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
        let kept = match keep.contains(&false) {
            true => self.numbers.select(&Vec::from_iter((0..keep.len()).filter(|&row| keep[row]))),
            false => self.numbers,
        };
        match self.holds {
            Holds::Dates => ColumnValues::Dates(kept),
            _ => ColumnValues::Numbers(kept),
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
        let chosen = |task, distinct| Some(Notice::TaskChosen { target: name.to_owned(), task, distinct });
        if self.holds == Holds::ManyNumbers {
            let notice = chosen(Task::Regression, distinct(&self.numbers));
            return Ok((self.finish(keep, fields), notice));
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
        if !many {
            let notice = if distinct > 2 { chosen(Task::Classification, distinct) } else { None };
            return Ok((texts.finish(keep, fields), notice));
        }
        let mut numbers = Vec::with_capacity(distinct);
        for (text, &line) in texts.names.iter().zip(&texts.lines) {
            numbers.push(fields.number(text).map_err(|problem| (Some(line), problem))?);
        }
        let kept = texts.codes.iter().zip(keep).filter(|&(_, &keep)| keep);
        let values = kept.filter_map(|(code, _)| code.map(|code| numbers[code as usize])).collect();
        Ok((ColumnValues::Numbers(values), chosen(Task::Regression, distinct)))
    }
}

/// How many numbers are different.
fn distinct(numbers: &Numbers) -> usize {
    let present = numbers.iter().filter(|number| !number.is_nan());
    let mut bits: Vec<u64> = present.map(|number| (number + 0.0).to_bits()).collect(); // one zero
    bits.sort_unstable();
    bits.dedup();
    bits.len()
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

    /// Appends the rows of the next piece of the text, which begins `lines` lines further down.
    fn append(&mut self, next: Texts, lines: usize, fields: &Fields) {
        let mut codes = Vec::with_capacity(next.names.len());
        for ((name, line), is_number) in next.names.into_iter().zip(next.lines).zip(next.is_number) {
            let new = self.names.len() as u32;
            let code = match fields.number_key(&name).filter(|_| is_number) {
                Some(key) => *self.by_number.entry(key).or_insert(new),
                None => self.by_spelling.get(&name).copied().unwrap_or(new),
            };
            match self.names.get_mut(code as usize) {
                None => {
                    self.names.push(name);
                    self.lines.push(line + lines);
                    self.is_number.push(is_number);
                }
                Some(known) if (name.len(), &name) < (known.len(), known) => *known = name,
                Some(_) => {}
            }
            codes.push(code);
        }
        let spelled = next.by_spelling.into_iter().map(|(spelling, code)| (spelling, codes[code as usize]));
        self.by_spelling.extend(spelled);
        self.codes.extend(next.codes.into_iter().map(|code| code.map(|code| codes[code as usize])));
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
            ColumnValues::Numbers(numbers) | ColumnValues::Dates(numbers) => numbers.missing(),
            ColumnValues::Categories { codes, .. } => codes.iter().filter(|code| code.is_none()).count(),
        }
    }
}

/// Whether there is something to predict.
pub(super) fn check_answers(answers: &ColumnValues, rows: usize) -> Result<(), CsvProblem> {
    match answers {
        ColumnValues::Numbers(values) if values.iter().all(|value| value == values.get(0)) => {
            Err(CsvProblem::OneValue { value: values.get(0), rows })
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
