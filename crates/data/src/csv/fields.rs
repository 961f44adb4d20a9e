//! Parsing of single fields of a table: missing values, numbers, dates.

use crate::csv::error::CsvProblem;
use crate::csv::number_form::NumberForm;
use crate::csv::options::{CsvOptions, Decimal, Thousands};
use crate::source::error::SpecError;
use std::borrow::Cow;

/// The default words for a missing value, case-insensitive but for the last: those of pandas, and "?".
pub(crate) const MISSING_WORDS: [&str; 14] = [
    "NA", "NaN", "null", "?", "N/A", "#N/A", "#N/A N/A", "#NA", "<NA>", "-NaN", "1.#IND", "-1.#IND",
    "1.#QNAN", "-1.#QNAN",
];
/// Missing only as it is spelled here, because "none" may well be a category.
const MISSING_AS_SPELLED: &str = "None";

/// From this size on, not every whole number is an `f64`.
pub(super) const WHOLE: f64 = 9_007_199_254_740_992.0;

/// The format of the fields of a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fields {
    decimal: Decimal,
    thousands: Thousands,
    missing: Option<Vec<String>>,
    /// Words for missing values that are numbers, such as -999.
    missing_numbers: Vec<f64>,
}

impl Fields {
    /// Errors if one character is both the decimal sign and the thousands separator.
    pub fn of(options: &CsvOptions) -> Result<Fields, SpecError> {
        let &CsvOptions { decimal, thousands, .. } = options;
        if matches!(
            (decimal, thousands),
            (Decimal::Point, Thousands::Point) | (Decimal::Comma, Thousands::Comma)
        ) {
            return Err(SpecError::DecimalAndThousands { sign: decimal.to_string() });
        }
        let mut fields = Fields {
            decimal,
            thousands,
            missing: options.missing_words.clone(),
            missing_numbers: Vec::new(),
        };
        let words = fields.missing.iter().flatten();
        let numbers =
            words.filter_map(|word| fields.plain(word)?.parse().ok()).filter(|x: &f64| x.is_finite());
        fields.missing_numbers = numbers.collect();
        Ok(fields)
    }

    /// Whether a number is one in plain digits with a decimal point, whatever its value.
    pub fn are_plain(&self) -> bool {
        self.decimal == Decimal::Point && self.thousands == Thousands::None && self.missing_numbers.is_empty()
    }

    /// Whether the value of a field is missing.
    pub fn is_missing(&self, field: &str) -> bool {
        let is = |word: &str| field.eq_ignore_ascii_case(word);
        field.is_empty()
            || match &self.missing {
                None => field == MISSING_AS_SPELLED || MISSING_WORDS.into_iter().any(is),
                Some(words) => words.iter().any(|word| is(word)),
            }
            || !self.missing_numbers.is_empty()
                && self.parsed(field).is_some_and(|x| self.missing_numbers.contains(&x))
    }

    /// The finite number in a field, or the reason why it has none.
    pub fn number(&self, field: &str) -> Result<f64, CsvProblem> {
        let found = || field.to_owned();
        match self.parsed(field) {
            Some(number) if number.abs() < WHOLE && self.missing_numbers.is_empty() => Ok(number),
            _ if self.is_missing(field) => Err(CsvProblem::MissingNew { found: found() }),
            Some(number) if !number.is_finite() => Err(CsvProblem::NotFinite { found: found() }),
            Some(number) if number.abs() >= WHOLE && !self.holds(number, field) => {
                Err(CsvProblem::NotWhole { found: found(), read: number })
            }
            Some(number) => Ok(number),
            None => match NumberForm::of(field) {
                Some(form) => Err(CsvProblem::WrittenOtherwise { found: found(), form, within: None }),
                None => Err(CsvProblem::NotANumber { found: found(), target: None }),
            },
        }
    }

    /// The finite number that a field holds, if it holds one.
    pub fn value(&self, field: &str) -> Option<f64> {
        self.parsed(field).filter(|number| number.is_finite())
    }

    /// A text that two fields share if and only if both hold the same number, however they are written.
    pub fn number_key(&self, field: &str) -> Option<String> {
        let plain = self.plain(field)?;
        let (negative, unsigned) = match plain.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = [whole, fraction].concat();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let significant = digits.trim_start_matches('0').trim_end_matches('0');
        if significant.is_empty() {
            return Some("0".to_owned());
        }
        let zeros = (digits.len() - digits.trim_end_matches('0').len()) as i64;
        let exponent = exponent.checked_sub(fraction.len() as i64)?.checked_add(zeros)?;
        Some(format!("{}{significant}e{exponent}", if negative { "-" } else { "" }))
    }

    /// The index of the text that is equal to this one, or the same number.
    pub fn find(&self, field: &str, among: &[String]) -> Option<usize> {
        among.iter().position(|known| known == field).or_else(|| {
            let key = Some(self.number_key(field)?);
            among.iter().position(|known| self.number_key(known) == key)
        })
    }

    fn parsed(&self, field: &str) -> Option<f64> {
        self.plain(field)?.parse().ok()
    }

    /// The field as Rust would write the number: with a decimal point, and nothing between thousands.
    fn plain<'a>(&self, field: &'a str) -> Option<Cow<'a, str>> {
        let mut plain = Cow::Borrowed(field);
        if field.contains(MINUS) {
            plain = Cow::Owned(field.replace(MINUS, "-"));
        }
        if self.thousands != Thousands::None && plain.contains(self.thousands.signs()) {
            plain = Cow::Owned(without_thousands(&plain, self.thousands, self.decimal)?);
        }
        if self.decimal == Decimal::Comma {
            if plain.contains('.') {
                return None;
            }
            plain = Cow::Owned(plain.replace(',', "."));
        }
        Some(plain)
    }

    /// Whether a whole number of this size, written out, is held without rounding.
    fn holds(&self, number: f64, field: &str) -> bool {
        let plain = self.plain(field).unwrap_or_default();
        let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
        let written_out = !plain.contains(['e', 'E']) && fraction.bytes().all(|digit| digit == b'0');
        let digits = whole.trim_start_matches(['-', '+']).trim_start_matches('0');
        !written_out || digits == format!("{:.0}", number.abs())
    }
}

/// The minus sign of typesetters, read as a hyphen.
pub(super) const MINUS: char = '\u{2212}';

/// A number without what separates its thousands, if that stands before every third digit of the whole part and nowhere else.
pub(super) fn without_thousands(text: &str, thousands: Thousands, decimal: Decimal) -> Option<String> {
    let (whole, rest) = match text.find([decimal.sign(), 'e', 'E']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let unsigned = whole.trim_start_matches(['-', '+']);
    let groups: Vec<&str> = unsigned.split(thousands.signs()).collect();
    let digits = |group: &&str| group.bytes().all(|byte| byte.is_ascii_digit());
    let fits = (1..=3).contains(&groups[0].len())
        && (groups.len() == 1 || !groups[0].starts_with('0'))
        && groups[1..].iter().all(|group| group.len() == 3)
        && groups.iter().all(digits)
        && !rest.contains(thousands.signs());
    fits.then(|| format!("{}{}{rest}", &whole[..whole.len() - unsigned.len()], groups.concat()))
}

impl Decimal {
    fn sign(self) -> char {
        match self {
            Decimal::Point => '.',
            Decimal::Comma => ',',
        }
    }
}

impl Thousands {
    /// The characters that separate thousands.
    pub(super) fn signs(self) -> &'static [char] {
        match self {
            Thousands::None => &[],
            Thousands::Comma => &[','],
            Thousands::Point => &['.'],
            Thousands::Space => &[' ', '\u{a0}', '\u{2009}', '\u{202f}'],
            Thousands::Apostrophe => &['\'', '\u{2019}'],
        }
    }
}

/// The days since 1970-01-01 of a date, with their fraction if there is a time; the offset of a time zone is taken off.
///
/// Dates are `2024-03-31`, `2024/03/31` or `2024-03`, times `T12:30`, `T12:30:15` or `T12:30:15.5` (a blank may replace the T),
/// zones `Z` or `+01:00`.
pub(crate) fn days(field: &str) -> Option<f64> {
    let (date, time) = match field.find(['T', 't', ' ']) {
        Some(at) => (&field[..at], Some(&field[at + 1..])),
        None => (field, None),
    };
    let parts: Vec<&str> = date.split(if date.contains('/') { '/' } else { '-' }).collect();
    let (year, month, day) = match parts[..] {
        [year, month, day] => (year, month, digits(day, 1..=2)?),
        [year, month] if date.contains('-') && time.is_none() => (year, month, 1),
        _ => return None,
    };
    let (year, month) = (digits(year, 4..=4)?, digits(month, 1..=2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get((month as usize).checked_sub(1)?)?;
    if !(1..=length).contains(&day) {
        return None;
    }
    let before: i64 = lengths[..month as usize - 1].iter().sum();
    let leaps = |years: i64| years.div_euclid(4) - years.div_euclid(100) + years.div_euclid(400);
    let days = 365 * (year - 1970) + leaps(year - 1) - leaps(1969) + before + day - 1;
    let seconds = time.map_or(Some(0.0), seconds)?;
    Some(days as f64 + seconds / 86_400.0)
}

/// The seconds of a time since midnight in Greenwich.
fn seconds(time: &str) -> Option<f64> {
    let (clock, offset) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) if time[at..].eq_ignore_ascii_case("z") => (&time[..at], 0),
        Some(at) => {
            let (sign, zone) = (if time.as_bytes()[at] == b'-' { -1 } else { 1 }, &time[at + 1..]);
            let (hours, minutes) = match zone.split_once(':') {
                Some(parts) => parts,
                None => zone.split_at_checked(2)?,
            };
            let minutes = if minutes.is_empty() { 0 } else { digits(minutes, 2..=2).filter(|&m| m < 60)? };
            (&time[..at], sign * 60 * (60 * digits(hours, 2..=2).filter(|&h| h < 24)? + minutes))
        }
        None => (time, 0),
    };
    let parts: Vec<&str> = clock.trim_end().split(':').collect();
    let (hour, minute, second) = match parts[..] {
        [hour, minute] => (hour, minute, "0"),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let whole = second.split('.').next().unwrap_or_default();
    digits(whole, 1..=2)?;
    let second: f64 = second.parse().ok()?;
    let (hour, minute) = (digits(hour, 1..=2)?, digits(minute, 2..=2)?);
    let inside = hour < 24 && minute < 60 && second < 61.0;
    inside.then(|| (3600 * hour + 60 * minute - offset) as f64 + second)
}

/// The number of exactly `n` digits.
pub(super) fn digits(text: &str, how_many: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let all = text.bytes().all(|byte| byte.is_ascii_digit()) && how_many.contains(&text.len());
    if all { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(decimal: Decimal, thousands: Thousands) -> Fields {
        Fields::of(&CsvOptions { decimal, thousands, ..CsvOptions::default() }).unwrap()
    }

    #[test]
    fn numbers_are_read_as_the_options_say() {
        use Thousands::{Apostrophe, Comma, None, Point, Space};
        for (decimal, thousands, text, value) in [
            (Decimal::Point, None, "36.5", Some(36.5)),
            (Decimal::Point, None, "\u{2212}3e\u{2212}2", Some(-0.03)),
            (Decimal::Point, None, "36,5", Option::None),
            (Decimal::Comma, None, "36,5", Some(36.5)),
            (Decimal::Comma, None, "-,5e2", Some(-50.0)),
            (Decimal::Comma, None, "36.5", Option::None),
            (Decimal::Comma, None, "3,6,5", Option::None),
            (Decimal::Point, Comma, "1,234,567.25", Some(1_234_567.25)),
            (Decimal::Point, Comma, "-1,234", Some(-1234.0)),
            (Decimal::Point, Comma, "950", Some(950.0)),
            (Decimal::Point, Comma, "1,23", Option::None),
            (Decimal::Point, Comma, "0,123", Option::None),
            (Decimal::Point, Comma, "1234,567", Option::None),
            (Decimal::Point, Comma, "1.5,000", Option::None),
            (Decimal::Point, Comma, ",123", Option::None),
            (Decimal::Comma, Point, "1.234,5", Some(1234.5)),
            (Decimal::Comma, Point, "1.5", Option::None),
            (Decimal::Point, Space, "1 234\u{202f}567", Some(1_234_567.0)),
            (Decimal::Point, Apostrophe, "1'234\u{2019}567.5", Some(1_234_567.5)),
        ] {
            assert_eq!(fields(decimal, thousands).value(text), value, "{decimal} {thousands} {text:?}");
        }
    }

    #[test]
    fn equal_numbers_have_one_key_and_different_ones_two() {
        let fields = fields(Decimal::Point, Thousands::None);
        let key = |text: &str| fields.number_key(text);
        for equal in ["1", "1.0", "01", "+1", "1e0", "0.1e1", "10E-1", "1."] {
            assert_eq!(key(equal), key("1"), "{equal}");
            assert_ne!(key(&format!("-{}", equal.trim_start_matches('+'))), key("1"));
        }
        assert_eq!(key("-0.00"), key("0"));
        assert_ne!(key("9007199254740993"), key("9007199254740992"));
        assert_ne!(key("10"), key("1"));
        for text in ["", "a", "1a", "e5", ".", "-", "1.2.3", "inf", "nan", "1e99999999999999999999"] {
            assert_eq!(key(text), None, "{text}");
        }
    }

    #[test]
    fn whole_numbers_are_held_or_refused() {
        let fields = fields(Decimal::Point, Thousands::None);
        for held in [
            "9007199254740992",
            "-9007199254740994.0",
            "100000000000000000000",
            "1e300",
            "0.12345678901234567890",
            "9007199254740993.5",
            "1.2345678901234567e18",
        ] {
            assert!(fields.number(held).is_ok(), "{held}");
        }
        for refused in ["9007199254740993", "-9007199254740993.0", "+09007199254740993", "18014398509481985"]
        {
            assert!(matches!(fields.number(refused), Err(CsvProblem::NotWhole { .. })), "{refused}");
        }
    }

    #[test]
    fn what_is_missing_can_be_said() {
        let fields = |words: Option<&[&str]>| {
            let missing_words = words.map(|words| words.iter().map(|word| word.to_string()).collect());
            Fields::of(&CsvOptions { missing_words, ..CsvOptions::default() }).unwrap()
        };
        let missing = |words: Option<&[&str]>, field| fields(words).is_missing(field);
        for word in MISSING_WORDS.into_iter().chain(["", "None", "na", "n/a", "NULL"]) {
            assert!(missing(None, word), "{word}");
            assert_eq!(missing(Some(&[]), word), word.is_empty(), "{word}");
        }
        assert!(!missing(None, "none") && !missing(None, "-") && !missing(None, "-999"));
        let words = Some(&["-", "-999"][..]);
        for (field, expected) in
            [("-", true), ("-999", true), ("-999.0", true), ("NA", false), ("999", false)]
        {
            assert_eq!(missing(words, field), expected, "{field}");
        }
    }

    #[test]
    fn dates_are_days_since_1970() {
        for (text, expected) in [
            ("1970-01-01", 0.0),
            ("1969-12-31", -1.0),
            ("2000-02-29", 11016.0),
            ("2012/01/01", 15340.0),
            ("2024-03", 19783.0),
            ("1970-01-02T12:00", 1.5),
            ("1970-01-02 06:00:00", 1.25),
            ("1970-01-01T00:00:43.2Z", 0.0005),
            ("1970-01-01T01:00:00+01:00", 0.0),
            ("1970-01-01T18:30-0530", 1.0),
            ("0001-01-01", -719_162.0),
        ] {
            assert_eq!(days(text), Some(expected), "{text}");
        }
        for text in [
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-01",
            "31.12.2024",
            "2024-1-1x",
            "24-01-01",
            "2024-01-01T25:00",
            "2024-01-01T",
            "2024",
            "2024-01-01T12",
            "",
            "\u{e9}-01-01",
            "2024-01-01T12:00+1",
        ] {
            assert_eq!(days(text), None, "{text}");
        }
    }
}
