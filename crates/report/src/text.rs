//! Measuring, wrapping and escaping text, and formatting numbers.

use std::borrow::Cow;

/// Escapes text for XML and HTML, in content as well as in quoted attributes.
///
/// Characters that XML 1.0 cannot carry (most control characters) become U+FFFD; characters that reorder the text around them
/// are written as their code, as in [`visible`].
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' => out.push(c),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if reorders(c) => out.extend(c.escape_unicode()),
            _ => out.push(c),
        }
    }
    out
}

/// Makes text safe for a terminal. Control characters other than line breaks and tabs, which could move the cursor or change the screen,
/// and characters that reorder or hide others become their code, such as `\u{1b}`.
///
/// ```
/// use surprisal_report::text::visible;
/// assert_eq!(visible("Zürich\t1\n"), "Zürich\t1\n");
/// assert_eq!(visible("\u{1b}[2Jcat\u{202e}"), "\\u{1b}[2Jcat\\u{202e}");
/// ```
pub fn visible(text: &str) -> Cow<'_, str> {
    replaced(text, |c, out| out.extend(c.escape_unicode()))
}

/// Shortens a message for a screen: the middle of lines above 1000 characters and all lines after the first 40 are left out.
///
/// ```
/// use surprisal_report::text::for_screen;
/// assert_eq!(for_screen("no such file"), "no such file");
/// let long = for_screen(&format!("expected a number, found \"{}\"", "x".repeat(1 << 20))).into_owned();
/// assert!(long.starts_with("expected a number, found \"xxx") && long.contains("x … (1047903 characters left out) … x"));
/// assert!(for_screen(&"line\n".repeat(1000)).ends_with("line\n… (960 more lines)"));
/// ```
pub fn for_screen(message: &str) -> Cow<'_, str> {
    const LINES: usize = 40;
    const LINE: usize = 1000;
    const START: usize = 600;
    const END: usize = 100;
    let fits = |line: &str| line.len() <= LINE || line.chars().count() <= LINE;
    if message.lines().take(LINES + 1).count() <= LINES && message.lines().all(fits) {
        return Cow::Borrowed(message);
    }
    let mut lines: Vec<String> = Vec::new();
    for line in message.lines().take(LINES) {
        lines.push(match fits(line) {
            true => line.to_owned(),
            false => {
                let count = line.chars().count();
                let start: String = line.chars().take(START).collect();
                let end: String = line.chars().skip(count - END).collect();
                format!("{start} … ({} characters left out) … {end}", count - START - END)
            }
        });
    }
    let more = message.lines().count().saturating_sub(LINES);
    if more > 0 {
        lines.push(format!("… ({more} more lines)"));
    }
    Cow::Owned(lines.join("\n"))
}

/// Makes a JSON document safe for a terminal like [`visible`], with the escapes of JSON: `\u202e`.
///
/// ```
/// use surprisal_report::text::visible_json;
/// assert_eq!(visible_json("{\"name\": \"\u{202e}\u{e0001}\"}"), "{\"name\": \"\\u202e\\udb40\\udc01\"}");
/// ```
pub fn visible_json(document: &str) -> Cow<'_, str> {
    replaced(document, |c, out| {
        c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| *out += &format!("\\u{unit:04x}"));
    })
}

/// Rows of as many cells in columns of characters, indented by two; `right` selects the columns that are flush right.
///
/// ```
/// let rows = [["loss", "epochs"], ["ce", "9"]].map(|row| row.map(String::from).to_vec());
/// assert_eq!(surprisal_report::text::columns(&rows, |c| c > 0), "  loss   epochs\n  ce          9\n");
/// ```
pub fn columns(rows: &[Vec<String>], right: impl Fn(usize) -> bool) -> String {
    let columns = 0..rows.first().map_or(0, Vec::len);
    let width = |c: usize| rows.iter().map(|row| row[c].chars().count()).max().unwrap_or(0);
    let columns = Vec::from_iter(columns.map(|c| (width(c), right(c))));
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&columns).map(|(cell, &(width, right))| match right {
            true => format!("{cell:>width$}"),
            false => format!("{cell:<width$}"),
        });
        format!("  {}\n", Vec::from_iter(cells).join("   ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn replaced(text: &str, replace: impl Fn(char, &mut String)) -> Cow<'_, str> {
    let hidden = |c: char| c.is_control() && c != '\n' && c != '\t' || reorders(c);
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| if hidden(c) { replace(c, &mut out) } else { out.push(c) });
    Cow::Owned(out)
}

/// Whether a character changes the direction or the lines of the text around it, or is invisible.
fn reorders(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || ('\u{e0000}'..='\u{e007f}').contains(&c)
}

/// Returns an upper estimate of the width of a text, in the units of `size`.
///
/// The reader's font is unknown. The factors follow DejaVu Sans, the widest of the usual sans-serif fonts, so that
/// what fits by this measure also fits in Arial, Roboto, Segoe UI or San Francisco.
pub fn width(text: &str, size: f64) -> f64 {
    let em: f64 = text
        .chars()
        .map(|c| match c {
            ' ' | 'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.33,
            'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '-' | '/' | '"' | '\u{2009}' => 0.42,
            'm' | 'M' | 'W' | '%' | '@' | '\u{2026}' => 1.0,
            'w' | 'N' | 'O' | 'Q' | 'G' | 'H' | 'D' | 'U' | '+' | '=' | '<' | '>' | '\u{2212}' | '×' => 0.84,
            'A'..='Z' | '&' => 0.72,
            ' '..='~' | '\u{a0}'..='\u{24f}' | '\u{370}'..='\u{3ff}' => 0.64,
            _ => 1.1, // symbols, CJK, emoji
        })
        .sum();
    em * size
}

/// Breaks a text into lines no wider than `limit`, at spaces where possible and inside words where not.
pub fn wrap(text: &str, size: f64, limit: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let joined = if line.is_empty() { Cow::Borrowed(word) } else { Cow::Owned(format!("{line} {word}")) };
        if width(&joined, size) <= limit {
            line = joined.into_owned();
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for c in word.chars() {
            line.push(c);
            if width(&line, size) > limit && line.chars().count() > 1 {
                line.pop();
                lines.push(std::mem::replace(&mut line, c.to_string()));
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// A coordinate with at most two decimals and no superfluous zeros.
pub fn number(value: f64) -> String {
    let fixed = format!("{value:.2}");
    match fixed.trim_end_matches('0').trim_end_matches('.') {
        "-0" => "0".to_owned(),
        short => short.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_keeps_every_character_and_the_limit() {
        for text in ["two words", "a Donaudampfschifffahrtsgesellschaftskapitän speaks", "", "x"] {
            let lines = wrap(text, 16.0, 90.0);
            assert!(lines.iter().all(|line| width(line, 16.0) <= 90.0), "{lines:?}");
            assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        }
        assert_eq!(wrap("mean squared error", 16.0, 135.0), ["mean squared", "error"]);
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            [number(1.0), number(0.125), number(-0.001), number(2.5), number(100.0)],
            ["1", "0.12", "0", "2.5", "100"]
        );
    }

    #[test]
    fn escaping_covers_markup_and_control_characters() {
        assert_eq!(escape("a<b>&\"c'\u{0}\u{b}"), "a&lt;b&gt;&amp;&quot;c&#39;\u{fffd}\u{fffd}");
        assert_eq!(escape("a\u{202e}b\u{2066}"), "a\\u{202e}b\\u{2066}");
    }
}
