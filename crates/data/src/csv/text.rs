//! The text of a table and its rows, read strictly after RFC 4180, and where in it an error is.

use crate::csv::error::{CsvError, CsvProblem};
use crate::csv::fields::WHOLE;
use crate::csv::numbers::{POWERS, Short};
use crate::csv::options::BY_TEXT;
use crate::error::{DataError, ErrorKind};
use crate::files::{self, open_text};
use std::collections::{HashMap, HashSet};
use std::io::{self, Read};
use std::ops::Index;
use std::path::Path;

/// Opens a file; returns its path too, as the messages show it.
pub(crate) fn open(path: &Path) -> Result<(String, Box<dyn Read + Send>), DataError> {
    let source_name = path.display().to_string();
    let unread = Text { source_name: &source_name, text: String::new() };
    let file = open_text(path).map_err(|error| unread.unreadable(error))?;
    Ok((source_name, file))
}

/// A table, or a piece of one, with all that an error in it needs to know.
pub(crate) struct Text<'a> {
    pub source_name: &'a str,
    pub text: String,
}

/// The fields of one row, without the blanks around them.
#[derive(Debug, Default, Clone)]
pub(crate) struct Record {
    text: String,
    ends: Vec<usize>,
    line: usize,
}

impl Record {
    /// The number of fields.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The line of the file in which the row begins, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    pub fn get(&self, at: usize) -> Option<&str> {
        (at < self.len()).then(|| &self[at])
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| &self[at])
    }

    pub fn clear(&mut self, line: usize) {
        self.text.clear();
        self.ends.clear();
        self.line = line;
    }

    /// Ends the field whose text was appended last, without the blanks around it.
    fn end_field(&mut self) {
        let start = self.ends.last().copied().unwrap_or(0);
        let field = &self.text[start..];
        let (ahead, kept) = (field.len() - field.trim_start().len(), field.trim().len());
        self.text.truncate(start + ahead + kept);
        self.text.drain(start..start + ahead);
        self.ends.push(self.text.len());
    }
}

impl Index<usize> for Record {
    type Output = str;

    fn index(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start..self.ends[at]]
    }
}

impl FromIterator<String> for Record {
    fn from_iter<I: IntoIterator<Item = String>>(fields: I) -> Self {
        let mut record = Record { line: 1, ..Record::default() };
        for field in fields {
            record.text += &field;
            record.end_field();
        }
        record
    }
}

/// A number in plain digits, and its text.
pub(crate) struct Plain<'a> {
    pub number: PlainNumber,
    pub text: &'a str,
}

pub(crate) enum PlainNumber {
    Short(Short),
    Float(f64),
}

/// The rows of a table, below its header.
pub(crate) struct Rows<'a> {
    /// The table.
    pub text: &'a Text<'a>,
    /// The names of the columns.
    pub header: Record,
    /// Whether the names are those of the table.
    pub named: bool,
    /// The first field that looks as if a quote were missing in it: its line and place, and how many lines it goes over.
    pub long_field: Option<(usize, usize, usize)>,
    /// The delimiter.
    pub delimiter: u8,
    /// The next byte to read, and its line.
    at: usize,
    line: usize,
}

impl<'a> Rows<'a> {
    /// The header, and the rows to come; without a header (`named`), columns are called by their places.
    pub fn of(text: &'a Text<'a>, delimiter: u8, named: bool) -> Result<Self, DataError> {
        let delimiter = match delimiter {
            BY_TEXT => text.delimiter(&text.text)?,
            known => known,
        };
        let first_byte = if text.text.starts_with('\u{feff}') { 3 } else { 0 };
        let mut rows = Rows {
            text,
            header: Record::default(),
            named,
            long_field: None,
            delimiter,
            at: first_byte,
            line: 1,
        };
        let mut first = Record::default();
        if !rows.read(&mut first)? {
            return Err(text.error(None, None, CsvProblem::NoHeader { named }));
        }
        if named {
            return Ok(Rows { header: first, ..rows });
        }
        let header = (0..first.len()).map(|place| place.to_string()).collect();
        Ok(Rows { header, at: first_byte, line: 1, ..rows })
    }

    /// The rows of another piece of the same table, which begins in this line.
    pub fn in_piece<'p>(&self, text: &'p Text<'p>, line: usize) -> Rows<'p> {
        let Rows { named, delimiter, .. } = *self;
        Rows { text, header: self.header.clone(), named, long_field: None, delimiter, at: 0, line }
    }

    /// The line of the next byte.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Goes past empty lines to the next row; `false` if there is none.
    pub fn begin_row(&mut self) -> bool {
        while self.line_break() {}
        self.at < self.text.text.len()
    }

    /// Goes past the delimiter behind a field, or past the line break behind the last one; `false` if something else is there.
    pub fn end_field(&mut self, last: bool) -> bool {
        match self.byte() {
            Some(byte) if byte == self.delimiter => {
                self.at += 1;
                !last
            }
            None => last,
            Some(_) => last && self.line_break(),
        }
    }

    /// Reads a number in plain digits, such as `-1.5e-3`, without blanks behind it; `None`, and nothing is read, if the field is anything
    /// else, or a number so large that it may have been rounded.
    #[inline]
    pub fn number(&mut self) -> Option<Plain<'_>> {
        let all = self.text.text.as_bytes();
        let mut at = self.at;
        while all.get(at) == Some(&b' ') {
            at += 1;
        }
        let start = at;
        let negative = all.get(at) == Some(&b'-');
        at += usize::from(negative || all.get(at) == Some(&b'+'));
        let (mut value, first) = (0u64, at);
        let mut digits = |at: &mut usize| {
            while let Some(digit) =
                all.get(*at).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10)
            {
                value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
                *at += 1;
            }
        };
        digits(&mut at);
        let (mut count, mut decimals) = (at - first, 0);
        if all.get(at) == Some(&b'.') {
            at += 1;
            let point = at;
            digits(&mut at);
            decimals = at - point;
            count += decimals;
        }
        let mut exponent = 0i32;
        if count > 0 && matches!(all.get(at), Some(b'e' | b'E')) {
            at += 1;
            let down = all.get(at) == Some(&b'-');
            at += usize::from(down || all.get(at) == Some(&b'+'));
            let first = at;
            while let Some(digit) =
                all.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10)
            {
                exponent = (exponent * 10 + i32::from(digit)).min(9999);
                at += 1;
            }
            if at == first {
                return None;
            }
            exponent = if down { -exponent } else { exponent };
        }
        let ends = |&byte: &u8| byte == self.delimiter || byte == b'\n' || byte == b'\r';
        if count == 0 || !all.get(at).is_none_or(ends) {
            return None;
        }
        let text = &self.text.text[start..at];
        let decimals = i32::try_from(decimals).ok()?.checked_sub(exponent)?;
        let exact = count < 20 && value <= 1 << 53; // 19 digits do not overflow
        let number = match Short::new(negative, value, decimals).filter(|_| exact) {
            Some(short) => PlainNumber::Short(short),
            None => {
                let power = POWERS.get(decimals.unsigned_abs() as usize).filter(|_| exact);
                let float = match power {
                    Some(power) if decimals < 0 => value as f64 * power,
                    Some(power) => value as f64 / power,
                    None => text.parse().ok()?,
                };
                if float.abs() >= WHOLE {
                    return None;
                }
                PlainNumber::Float(if negative { -float.abs() } else { float })
            }
        };
        self.at = at;
        Some(Plain { number, text })
    }

    /// Reads the next row, of as many fields as there are columns; `false` at the end.
    pub fn next(&mut self, row: &mut Record) -> Result<bool, DataError> {
        if !self.read(row)? {
            return Ok(false);
        }
        if row.len() == self.header.len() {
            return Ok(true);
        }
        // a row too short lacks its last columns, as far as anyone can tell; one too long blames no column
        let missing = self.header.get(row.len());
        let (expected, found, named) = (self.header.len(), row.len(), self.named);
        Err(self.text.error(Some(row.line), missing, CsvProblem::FieldCount { expected, found, named }))
    }

    /// The next record, of any number of fields; empty lines do not count.
    fn read(&mut self, record: &mut Record) -> Result<bool, DataError> {
        while self.line_break() {}
        record.clear(self.line);
        if self.at == self.text.text.len() {
            return Ok(false);
        }
        loop {
            self.field(record)?;
            if self.byte() == Some(self.delimiter) {
                self.at += 1;
            } else {
                self.line_break();
                return Ok(true);
            }
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.text.as_bytes().get(self.at).copied()
    }

    /// Goes past a line break (LF, CR LF, or CR alone), if there is one.
    fn line_break(&mut self) -> bool {
        let length = match self.text.text.as_bytes()[self.at..] {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => return false,
        };
        self.at += length;
        self.line += 1;
        true
    }

    fn blanks(&mut self) {
        while self.byte().is_some_and(|byte| b" \t".contains(&byte) && byte != self.delimiter) {
            self.at += 1;
        }
    }

    /// Reads one field, up to the delimiter, line break or end behind it.
    pub fn field(&mut self, record: &mut Record) -> Result<(), DataError> {
        let start = self.at;
        self.blanks();
        if self.byte() == Some(b'"') {
            self.at += 1;
            return self.quoted(record);
        }
        let rest = &self.text.text[start..];
        let ends = |byte: u8| byte == self.delimiter || byte == b'\n' || byte == b'\r';
        let length = rest.bytes().position(ends).unwrap_or(rest.len());
        record.text += &rest[..length];
        record.end_field();
        self.at = start + length;
        Ok(())
    }

    /// Reads the rest of a field behind its opening quote.
    fn quoted(&mut self, record: &mut Record) -> Result<(), DataError> {
        let (opened, start) = (self.line, self.at);
        let wrong = |rows: &Self, line, problem| {
            Err(rows.text.error(Some(line), rows.header.get(record.ends.len()), problem))
        };
        loop {
            let rest = &self.text.text[self.at..];
            let Some(length) = rest.find('"') else {
                return wrong(self, opened, CsvProblem::UnclosedQuote);
            };
            record.text += &rest[..length];
            self.line += line_breaks(&rest[..length]);
            self.at += length + 1;
            if self.byte() != Some(b'"') {
                break;
            }
            record.text.push('"');
            self.at += 1;
        }
        let field = &self.text.text[start..self.at];
        if self.long_field.is_none() && self.line > opened + 1 && self.looks_like_rows(field) {
            self.long_field = Some((opened, record.ends.len(), self.line - opened + 1));
        }
        let backslash = record.text.ends_with('\\');
        self.blanks();
        if self.byte().is_some_and(|byte| byte != self.delimiter && byte != b'\n' && byte != b'\r') {
            let rest = &self.text.text[self.at..];
            let length = rest.find(['\n', '\r', '"', char::from(self.delimiter)]).unwrap_or(rest.len());
            let found = rest[..length].to_owned();
            let closed = (self.line != opened).then_some(self.line);
            return wrong(self, opened, CsvProblem::AfterQuote { found, closed, backslash });
        }
        record.end_field();
        Ok(())
    }

    /// Whether every whole line inside a field has as many fields as the header.
    fn looks_like_rows(&self, field: &str) -> bool {
        let lines = field.split(['\r', '\n']).filter(|line| !line.is_empty());
        let mut delimiters = lines.map(|line| line.bytes().filter(|&byte| byte == self.delimiter).count());
        let (first, last) = (delimiters.next(), delimiters.next_back());
        let columns = self.header.len();
        columns > 1 && first.is_some() && last.is_some() && delimiters.all(|count| count == columns - 1)
    }

    /// The places of these columns; each must be there once, the others do not matter.
    pub fn find(&self, columns: &[impl AsRef<str>]) -> Result<Vec<usize>, DataError> {
        let places: HashMap<&str, usize> =
            self.header.iter().enumerate().map(|(at, column)| (column, at)).collect();
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for column in columns.iter().map(AsRef::as_ref) {
            match places.get(column) {
                Some(&at) => found.push(at),
                None => missing.push(column.to_owned()),
            }
        }
        if !missing.is_empty() {
            let columns = self.header.iter().map(str::to_owned).collect();
            return Err(self.text.error(None, None, CsvProblem::MissingColumns { missing, columns }));
        }
        let wanted: HashSet<&str> = columns.iter().map(AsRef::as_ref).collect();
        self.check_once(|at| wanted.contains(&self.header[at]))?;
        Ok(found)
    }

    /// The index of the target column: the column of this name or, if there is none, at this index.
    pub fn find_target(&self, target: &str) -> Result<usize, DataError> {
        place(&self.header, target).ok_or_else(|| {
            let (missing, columns) =
                (vec![target.to_owned()], self.header.iter().map(str::to_owned).collect());
            self.text.error(None, None, CsvProblem::MissingColumns { missing, columns })
        })
    }

    /// Whether no column that matters has the name of an earlier one that does.
    pub fn check_once(&self, matters: impl Fn(usize) -> bool) -> Result<(), DataError> {
        let mut places = HashMap::new();
        for (second, column) in self.header.iter().enumerate().filter(|&(at, _)| matters(at)) {
            if let Some(first) = places.insert(column, second) {
                let problem = CsvProblem::DuplicateColumn { first: first + 1, second: second + 1 };
                return Err(self.text.error(Some(self.header.line), Some(column), problem));
            }
        }
        Ok(())
    }

    /// An error in one field.
    pub fn error_in(&self, row: &Record, at: usize, problem: CsvProblem) -> DataError {
        self.text.error(Some(row.line), Some(&self.header[at]), problem)
    }
}

/// The column of this name or, if there is none, at this index.
pub(crate) fn place(header: &Record, column: &str) -> Option<usize> {
    header.iter().position(|name| name == column).or_else(|| {
        let at: isize = column.parse().ok()?;
        let at = if at < 0 { header.len().checked_add_signed(at)? } else { at as usize };
        (at < header.len()).then_some(at)
    })
}

/// How many lines end in a text.
fn line_breaks(text: &str) -> usize {
    let bytes = text.as_bytes();
    let ends = |&at: &usize| bytes[at] == b'\n' || bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    (0..bytes.len()).filter(ends).count()
}

impl<'a> Text<'a> {
    pub fn read(mut reader: impl Read, source_name: &'a str) -> Result<Self, DataError> {
        let mut bytes = Vec::new();
        let unread = Text { source_name, text: String::new() };
        reader.read_to_end(&mut bytes).map_err(|error| unread.unreadable(error))?;
        Text::of(source_name, bytes, 1)
    }

    /// The text in these bytes, which begin in this line.
    pub fn of(source_name: &'a str, bytes: Vec<u8>, line: usize) -> Result<Self, DataError> {
        let text = String::from_utf8(bytes).map_err(|error| {
            let (good, bad) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
            let line = line_breaks(&String::from_utf8_lossy(good)) + line;
            let unread = Text { source_name, text: String::new() };
            unread.error(Some(line), None, CsvProblem::NotUtf8 { byte: bad[0] })
        })?;
        Ok(Text { source_name, text })
    }

    pub fn unreadable(&self, error: io::Error) -> DataError {
        self.error(None, None, CsvProblem::Unreadable(error))
    }

    /// The delimiter, from the beginning of the text.
    pub fn delimiter(&self, begin: &str) -> Result<u8, DataError> {
        match begin.trim().is_empty() {
            true => Ok(b','),
            false => {
                files::delimiter(begin).ok_or_else(|| self.error(None, None, CsvProblem::UnknownDelimiter))
            }
        }
    }

    /// An error in this line and column, if they are known.
    pub fn error(&self, line: Option<usize>, column: Option<&str>, problem: CsvProblem) -> DataError {
        let source_name = self.source_name.to_owned();
        ErrorKind::Csv(CsvError { source_name, line, column: column.map(str::to_owned), problem }).into()
    }
}

/// The texts of a list that is written as one row of a table: `a,"b, c"` is "a" and "b, c".
///
/// A text that holds a comma or a quote is in double quotes, a quote inside is written twice. Empty texts count only in quotes, or
/// if there is nothing else.
///
/// Errors on a quote that is not closed, on text behind a closing quote, and on a line break.
///
/// ```
/// use surprisal_data::{join_list, split_list};
///
/// assert_eq!(split_list("z, \"size, cm\"").unwrap(), ["z", "size, cm"]);
/// assert_eq!(join_list(&["z", "size, cm"]), "z,\"size, cm\"");
/// assert!(split_list("\"size, cm").is_err());
/// ```
pub fn split_list(text: &str) -> Result<Vec<String>, DataError> {
    if text.trim().is_empty() {
        return Ok(vec![String::new()]);
    }
    let list = Text { source_name: "list of names", text: text.to_owned() };
    let mut rows = Rows {
        text: &list,
        header: Record::default(),
        named: false,
        long_field: None,
        delimiter: b',',
        at: 0,
        line: 1,
    };
    let (mut names, mut record) = (Vec::new(), Record::default());
    while rows.at < text.len() {
        record.clear(1);
        let start = rows.at;
        rows.field(&mut record)?;
        let quoted = text[start..].trim_start().starts_with('"');
        if quoted || !record[0].is_empty() {
            names.push(record[0].to_owned());
        }
        match rows.byte() {
            Some(b',') => rows.at += 1,
            Some(_) => {
                return Err(list.error(None, None, CsvProblem::LineBreakInList));
            }
            None => {}
        }
    }
    Ok(names)
}

/// The text that [`split_list`] reads as this list.
pub fn join_list(names: &[impl AsRef<str>]) -> String {
    let written = |name: &str| match name.is_empty() || name.contains([',', '"']) {
        true => format!("\"{}\"", name.replace('"', "\"\"")),
        false => name.to_owned(),
    };
    names.iter().map(|name| written(name.as_ref())).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Result<Vec<Vec<String>>, String> {
        let text = Text::read(text.as_bytes(), "t").map_err(|error| error.to_string())?;
        let mut rows = Rows::of(&text, b',', false).map_err(|error| error.to_string())?;
        let (mut all, mut record) = (Vec::new(), Record::default());
        while rows.read(&mut record).map_err(|error| error.to_string())? {
            all.push(record.iter().map(str::to_owned).collect());
        }
        Ok(all)
    }

    #[test]
    fn fields_and_quotes_are_those_of_rfc_4180() {
        for (text, expected) in [
            ("a,b\nc,d", vec![vec!["a", "b"], vec!["c", "d"]]),
            ("a,b\r\nc,d\r\n", vec![vec!["a", "b"], vec!["c", "d"]]),
            ("a,b\rc,d\r", vec![vec!["a", "b"], vec!["c", "d"]]),
            ("\n\na,b\n\n\r\nc,d\n\n", vec![vec!["a", "b"], vec!["c", "d"]]),
            ("\u{feff}a,\n", vec![vec!["a", ""]]),
            ("\"a, b\",\"c\nd\"", vec![vec!["a, b", "c\nd"]]),
            ("\"say \"\"hi\"\"\",\"\"", vec![vec!["say \"hi\"", ""]]),
            (" a , \"b, c\" ,\t\"d\"\t\n", vec![vec!["a", "b, c", "d"]]),
            ("5\" pipe,a\"b\"", vec![vec!["5\" pipe", "a\"b\""]]),
            ("\" a \",b", vec![vec!["a", "b"]]),
        ] {
            assert_eq!(records(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_list_is_read_as_it_is_written() {
        for names in [&["a", "size, cm", "5\" pipe", ""][..], &[""], &["a"]] {
            assert_eq!(split_list(&join_list(names)).unwrap(), names);
        }
        assert_eq!(split_list("a,,b,").unwrap(), ["a", "b"]);
        assert_eq!(split_list("").unwrap(), [""]);
        assert!(split_list("\"a\" b").is_err() && split_list("a\nb").is_err());
    }
}
