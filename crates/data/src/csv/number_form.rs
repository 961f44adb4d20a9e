//! [`NumberForm`]: formats of numbers that are not read, recognized for the messages.

use crate::csv::error::Within;
use crate::csv::fields::{MINUS, days, digits, without_thousands};
use crate::csv::options::{Decimal, Thousands};
use std::fmt::{self, Display, Formatter};

/// A format of numbers that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NumberForm {
    /// "36.5", where the decimal sign is a comma.
    DecimalPoint,
    /// "36,5"
    DecimalComma,
    /// "1,200": a decimal comma, or a comma between thousands.
    Comma,
    /// "1,234.5", "1.234,5", "1 200", "1'200".
    Thousands(Thousands),
    /// "12%"
    Percent,
    /// "$5", "5 EUR"
    Money,
    /// "5 kg": the unit.
    Unit(String),
    /// "2024-03-31": a date that can be read.
    Date,
    /// "31.03.2024": a date whose order of day and month is not certain.
    OtherDate,
    /// "12:30"
    Time,
    /// "0x1F"
    Hex,
    /// "(12)", "12-": below zero in bookkeeping.
    Negative,
    /// "1/2"
    Fraction,
    /// "1_000", "1.5D3", or the digits of another script.
    Digits,
}

impl NumberForm {
    /// The settings that help in such a column.
    pub(crate) fn settings(&self, within: Option<Within>) -> &'static [&'static str] {
        use NumberForm::{Comma, Date, DecimalComma, DecimalPoint, OtherDate, Thousands};
        match (self, within) {
            (DecimalPoint | DecimalComma, None) => &["decimal"],
            (DecimalPoint | DecimalComma, Some(Within::Feature)) => &["decimal", "categorical", "ignore"],
            (DecimalPoint | DecimalComma, Some(Within::Target)) => &["decimal", "task"],
            (Comma | Thousands(_), None) => &["thousands", "decimal"],
            (Comma | Thousands(_), Some(Within::Feature)) => {
                &["thousands", "decimal", "categorical", "ignore"]
            }
            (Comma | Thousands(_), Some(Within::Target)) => &["thousands", "decimal", "task"],
            (Date | OtherDate, Some(Within::Feature)) => &["dates", "categorical", "ignore"],
            (_, Some(Within::Feature)) => &["categorical", "ignore"],
            (_, Some(Within::Target)) => &["task"],
            (_, None) => &[],
        }
    }

    /// The form of a text that is not a number, if it looks like one.
    pub(crate) fn of(field: &str) -> Option<NumberForm> {
        let text = field.trim_start_matches(['+', '-', MINUS]).trim();
        let digit = |byte: u8| byte.is_ascii_digit();
        if days(field).is_some() {
            return Some(NumberForm::Date);
        }
        if text.contains('.') && plain_number(text) {
            return Some(NumberForm::DecimalPoint); // it would be a number if the decimal sign were a point
        }
        if is_date(text) {
            return Some(NumberForm::OtherDate);
        }
        if is_time(text) {
            return Some(NumberForm::Time);
        }
        let prefix = text.get(..2).unwrap_or_default().to_ascii_lowercase();
        if prefix == "0x" && text.len() > 2 && text[2..].bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Some(NumberForm::Hex);
        }
        let negative = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        if let Some(inner) = negative.or_else(|| text.strip_suffix(['-', MINUS])) {
            return is_number_like(inner.trim_end()).then_some(NumberForm::Negative);
        }
        if let Some((over, under)) = text.split_once('/')
            && [over, under].iter().all(|part| digits(part.trim(), 1..=9).is_some())
        {
            return Some(NumberForm::Fraction);
        }
        if let Some(rest) = text.strip_suffix(['%', '\u{2030}']) {
            return is_number_like(rest.trim_end()).then_some(NumberForm::Percent);
        }
        if let Some(rest) = without_currency(text) {
            return is_number_like(rest.trim_start_matches(['+', '-', MINUS]).trim())
                .then_some(NumberForm::Money);
        }
        let others = |c: char| c.is_numeric() || "\u{66b}\u{ff0e}.,".contains(c);
        let begins_with_digit = text.starts_with(|c: char| c.is_ascii_digit());
        if begins_with_digit
            && text.contains(['_', 'd', 'D'])
            && plain_number(&text.replace('_', "").replace(['d', 'D'], "e"))
            || text.chars().any(|c| c.is_numeric() && !c.is_ascii()) && text.chars().all(others)
        {
            return Some(NumberForm::Digits);
        }
        if let Some(form) = separated(text) {
            return Some(form);
        }
        // a unit: letters behind the number, which no ordinal and no single letter of a code is
        let end = text.rfind(|c: char| c.is_ascii_digit())? + 1;
        let (number, unit) = (&text[..end], text[end..].trim_start());
        let ordinal = ["st", "nd", "rd", "th"].iter().any(|end| unit.eq_ignore_ascii_case(end));
        let letters = !unit.is_empty()
            && unit.chars().count() <= 12
            && unit.chars().all(|c| c.is_alphabetic() || "\u{b0}\u{b5}\u{b2}\u{b3}/\"'".contains(c));
        let begins = text.bytes().next().is_some_and(|byte| digit(byte) || byte == b'.');
        (begins && letters && !ordinal && is_number_like(number)).then(|| NumberForm::Unit(unit.to_owned()))
    }
}

/// Whether a text is a number, or one but for its decimal sign or thousands.
fn is_number_like(text: &str) -> bool {
    plain_number(text) || separated(text).is_some()
}

fn plain_number(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit()) && text.parse::<f64>().is_ok()
}

/// The form of digits with a decimal comma, or with something between thousands.
fn separated(text: &str) -> Option<NumberForm> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == ',') {
        return None;
    }
    let read = |thousands, decimal| {
        let plain = without_thousands(text, thousands, decimal)?;
        plain_number(&plain.replace(',', ".")).then_some(())
    };
    for thousands in [Thousands::Space, Thousands::Apostrophe] {
        if text.contains(thousands.signs()) {
            let fits = read(thousands, Decimal::Point).or_else(|| read(thousands, Decimal::Comma));
            return fits.map(|()| NumberForm::Thousands(thousands));
        }
    }
    let commas = text.matches(',').count();
    match (commas, text.contains('.')) {
        (0, _) if text.matches('.').count() > 1 => {
            read(Thousands::Point, Decimal::Comma).map(|()| NumberForm::Thousands(Thousands::Point))
        }
        (0, _) => None,
        (1, false) if read(Thousands::Comma, Decimal::Point).is_some() => Some(NumberForm::Comma),
        (1, false) => plain_number(&text.replace(',', ".")).then_some(NumberForm::DecimalComma),
        (_, _) => match (read(Thousands::Comma, Decimal::Point), read(Thousands::Point, Decimal::Comma)) {
            (Some(()), _) => Some(NumberForm::Thousands(Thousands::Comma)),
            (_, Some(())) => Some(NumberForm::Thousands(Thousands::Point)),
            _ => None,
        },
    }
}

/// Whether a text is three groups of digits with one sign between them, the last or the first a year; or a
/// month in letters with groups of digits.
fn is_date(text: &str) -> bool {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let words: Vec<&str> = text.split([' ', '-', '/', ',', '.']).filter(|word| !word.is_empty()).collect();
    let is_month = |word: &&&str| {
        MONTHS.iter().any(|month| word.eq_ignore_ascii_case(month) || word.eq_ignore_ascii_case(&month[..3]))
    };
    let groups = words.iter().filter(|word| digits(word, 1..=4).is_some()).count();
    if words.iter().filter(is_month).count() == 1 && (1..=2).contains(&groups) && groups + 1 == words.len() {
        return true;
    }
    let date = text.split([' ', 'T']).next().unwrap_or_default();
    ['.', '/', '-'].into_iter().any(|sign| {
        let groups: Vec<usize> = date.split(sign).map(str::len).collect();
        let digits = date.bytes().all(|byte| byte.is_ascii_digit() || byte == sign as u8);
        digits && matches!(groups[..], [4, 1..=2, 1..=2] | [1..=2, 1..=2, 4] | [2, 2, 2])
    })
}

/// Whether a text is two or three groups of digits with colons between them, perhaps with AM or PM.
fn is_time(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let clock = lower.strip_suffix("am").or_else(|| lower.strip_suffix("pm")).unwrap_or(&lower).trim_end();
    let groups: Vec<&str> = clock.split(':').collect();
    let (last, first) = groups.split_last().unwrap_or((&"", &[]));
    (2..=3).contains(&groups.len())
        && first.iter().all(|group| digits(group, 1..=4).is_some())
        && last.starts_with(|c: char| c.is_ascii_digit())
        && plain_number(last)
}

/// What is left without the sign or code of a currency, if there is one.
fn without_currency(text: &str) -> Option<&str> {
    const SIGNS: [char; 9] =
        ['$', '\u{20ac}', '\u{a3}', '\u{a5}', '\u{20b9}', '\u{20bd}', '\u{20a9}', '\u{20ba}', '\u{a2}'];
    const CODES: [&str; 12] =
        ["USD", "EUR", "GBP", "JPY", "CHF", "CNY", "INR", "CAD", "AUD", "SEK", "NOK", "DKK"];
    if let Some(at) = text.find(SIGNS) {
        let (before, behind) = (text[..at].trim(), text[at..].trim_start_matches(SIGNS).trim());
        let is_code = before.len() <= 3 && before.bytes().all(|byte| byte.is_ascii_alphabetic()); // US$
        return if behind.is_empty() { Some(before) } else { is_code.then_some(behind) };
    }
    CODES.iter().find_map(|&code| text.strip_prefix(code).or_else(|| text.strip_suffix(code)).map(str::trim))
}

impl Display for NumberForm {
    /// What it is and, after a bar, how it can be read.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (what, advice) = match self {
            Self::DecimalPoint => {
                ("a number with a decimal point", "set decimal to point, or thousands to point")
            }
            Self::DecimalComma => ("a number with a decimal comma", "set decimal to comma"),
            Self::Comma => ("a number with a comma", "set thousands to comma, or decimal to comma"),
            Self::Thousands(sign) => {
                let and = if *sign == Thousands::Point { ", and decimal to comma" } else { "" };
                return write!(f, "a number with thousands separators | set thousands to {sign}{and}");
            }
            Self::Percent => ("a percentage", "write the number without the sign"),
            Self::Money => ("an amount of money", "write the number without the currency"),
            Self::Unit(unit) => {
                let short: String = unit.chars().take(12).collect();
                return write!(f, "a number with {short:?} behind it | write the number alone");
            }
            Self::Date => ("a date", "name the column in dates, which makes it a number of days"),
            Self::OtherDate => ("a date", "write it as 2024-03-31 and name the column in dates"),
            Self::Time => ("a time", "write it as a number, such as minutes"),
            Self::Hex => ("a hexadecimal number", "write it in decimal"),
            Self::Negative => {
                ("a negative number in another notation", "write it with a minus sign in front")
            }
            Self::Fraction => ("a fraction", "write it as a decimal number"),
            Self::Digits => ("a number", "write it in plain digits"),
        };
        write!(f, "{what} | {advice}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_written_otherwise_are_known() {
        use NumberForm::{
            Comma, Date, DecimalComma, DecimalPoint, Digits, Fraction, Hex, Money, Negative, OtherDate,
            Percent, Time,
        };
        let unit = |unit: &str| NumberForm::Unit(unit.to_owned());
        for (text, form) in [
            ("0.5", DecimalPoint),
            ("-1.5e3", DecimalPoint),
            ("36,5", DecimalComma),
            ("-0,034", DecimalComma),
            ("0,5", DecimalComma),
            (",5", DecimalComma),
            ("1,200", Comma),
            ("1,200,300", NumberForm::Thousands(Thousands::Comma)),
            ("1,200.5", NumberForm::Thousands(Thousands::Comma)),
            ("1.200,5", NumberForm::Thousands(Thousands::Point)),
            ("1.200.300", NumberForm::Thousands(Thousands::Point)),
            ("1 200", NumberForm::Thousands(Thousands::Space)),
            ("1'200", NumberForm::Thousands(Thousands::Apostrophe)),
            ("12%", Percent),
            ("12,5 %", Percent),
            ("$1,200.50", Money),
            ("-\u{20ac} 5", Money),
            ("$-5", Money),
            ("5 EUR", Money),
            ("5 kg", unit("kg")),
            ("5,5cm", unit("cm")),
            ("20\u{b0}C", unit("\u{b0}C")),
            ("36 months", unit("months")),
            ("2024-03-31", Date),
            ("2012/01/01 12:30", Date),
            ("31.12.2024", OtherDate),
            ("12/31/24", OtherDate),
            ("12:30", Time),
            ("0x1F", Hex),
            ("(12)", Negative),
            ("(1,200)", Negative),
            ("12.50-", Negative),
            ("1/2", Fraction),
            ("120/80", Fraction),
            ("1.5D+3", Digits),
            ("US$5", Money),
            ("1.200,50 \u{20ac}", Money),
            ("12-Jan-2024", OtherDate),
            ("March 5, 2024", OtherDate),
            ("12:30 PM", Time),
            ("100:15:02.5", Time),
            ("1_000", Digits),
            ("\u{ff11}\u{ff12}", Digits),
        ] {
            assert_eq!(NumberForm::of(text), Some(form), "{text:?}");
        }
        for text in [
            "",
            "red",
            "1st",
            "4th",
            "10-20",
            "18-25",
            ">50K",
            "<5",
            "a5",
            "A/5 21171",
            "-",
            ".",
            ",",
            "%",
            "1.2.3.4",
            "x1",
            "(a)",
            "yes, 5",
            "5, yes",
            "3+",
            "true",
            "Jan",
            "may",
            "mar 1 2 3 4",
            "Mark 5",
            "a:b",
            "x$y z$",
            "\u{e9}",
        ] {
            assert_eq!(NumberForm::of(text), None, "{text:?}");
        }
    }
}
