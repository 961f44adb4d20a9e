//! [`Text`]: the text of an experiment, in a Markdown file beside its code.

use std::fmt::Display;
use std::sync::OnceLock;

/// A section that an experiment may have: a state of the playground, and what to try there.
const PLAYGROUND: &str = "Playground";
/// The sections that every experiment has.
const COMMON: [&str; 6] = ["Claim", "In short", "Background", "Falsified if", "Broken version", "Source"];

/// The Markdown file of an experiment: `# title`, then sections, each with a heading `## name` and one paragraph or more.
///
/// Every experiment has the sections Claim, In short, Background, Falsified if, Broken version and Source. The section
/// Playground, which it may have, begins with a state of the playground, a word, and says what to try there. The others are sentences of
/// findings, captions and notes, which [`Lab::text`](super::Lab::text) reads by name. Lines of a paragraph are joined by spaces. `{rate}` is a
/// placeholder, which the computation fills; there are no other braces.
pub struct Text {
    markdown: &'static str,
    sections: OnceLock<Sections>,
}

impl Text {
    /// Takes the content of a file: `Text::new(include_str!("linear_svm.md"))`.
    pub const fn new(markdown: &'static str) -> Text {
        Text { markdown, sections: OnceLock::new() }
    }

    /// Returns the sections, read once.
    ///
    /// # Panics
    /// If the file is not as described: a mistake in the program, which the tests find.
    #[track_caller]
    pub(super) fn sections(&self) -> &Sections {
        self.sections.get_or_init(|| Sections::parse(self.markdown).unwrap_or_else(|error| panic!("{error}")))
    }
}

/// The title and the sections of a file.
pub(super) struct Sections {
    pub title: String,
    /// The name of each section, and its paragraphs joined by empty lines.
    all: Vec<(String, String)>,
}

impl Sections {
    /// Reads a file.
    ///
    /// # Errors
    /// If there is no title, a common section is missing, a section is there twice or empty, or there is text outside of all sections.
    fn parse(markdown: &str) -> Result<Sections, String> {
        let text = format!("\n{}", markdown.replace("\r\n", "\n"));
        let mut parts = text.split("\n## ");
        let title = paragraphs(parts.next().unwrap_or_default());
        let title = title.strip_prefix("# ").filter(|title| !title.contains("\n\n"));
        let title = title.ok_or("expected \"# title\" alone before the first section")?.to_string();
        let mut all: Vec<(String, String)> = vec![];
        for part in parts {
            let (name, body) = part.split_once('\n').unwrap_or((part, ""));
            let (name, body) = (name.trim().to_string(), paragraphs(body));
            if body.is_empty() {
                return Err(format!("\"{name}\" has no text"));
            }
            if all.iter().any(|(other, _)| *other == name) {
                return Err(format!("\"{name}\" is there twice"));
            }
            all.push((name, body));
        }
        match COMMON.iter().find(|&common| !all.iter().any(|(name, _)| name == common)) {
            Some(missing) => Err(format!("expected a section \"{missing}\"")),
            None => Ok(Sections { title, all }),
        }
    }

    /// Returns a section as it is written.
    ///
    /// # Errors
    /// If there is no such section.
    pub fn section(&self, name: &str) -> Result<&str, String> {
        let section = self.all.iter().find(|(other, _)| other == name);
        section.map(|(_, body)| &**body).ok_or_else(|| format!("there is no section \"{name}\""))
    }

    /// Returns a section with its placeholders filled.
    ///
    /// # Errors
    /// If there is no such section, a placeholder has no value, or a value no placeholder.
    pub fn filled(&self, name: &str, values: &[(&str, &dyn Display)]) -> Result<String, String> {
        let wrong = |what: String| format!("section \"{name}\": {what}");
        let (mut filled, mut used) = (String::new(), vec![false; values.len()]);
        let mut pieces = self.section(name)?.split('{');
        filled += pieces.next().unwrap_or_default();
        for piece in pieces {
            let (key, after) = piece.split_once('}').ok_or_else(|| wrong("a brace is not closed".into()))?;
            let place = values.iter().position(|(other, _)| *other == key);
            let place = place.ok_or_else(|| wrong(format!("{{{key}}} has no value")))?;
            used[place] = true;
            filled += &values[place].1.to_string();
            filled += after;
        }
        match used.iter().position(|used| !used) {
            Some(place) => Err(wrong(format!("there is no {{{}}}", values[place].0))),
            None => Ok(filled),
        }
    }

    /// Returns the names of the sections that not every experiment has.
    pub fn own(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|(name, _)| &**name).filter(|name| !COMMON.contains(name) && *name != PLAYGROUND)
    }

    /// Returns the state of the playground that shows the experiment, and what to try there.
    pub fn playground(&self) -> Option<(&str, &str)> {
        self.section(PLAYGROUND).ok()?.split_once(' ')
    }
}

/// The paragraphs of a text, each on one line, with an empty line between them.
fn paragraphs(text: &str) -> String {
    let blocks = text.split("\n\n").map(|block| block.split_whitespace().collect::<Vec<_>>().join(" "));
    blocks.filter(|block| !block.is_empty()).collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(more: &str) -> Result<Sections, String> {
        let common = COMMON.map(|name| format!("## {name}\nof\nall\n\n")).concat();
        Sections::parse(&format!("# A title\n\n{common}{more}"))
    }

    #[test]
    fn placeholders_are_filled_and_lines_joined() {
        let text = text("## caption: a\nRate {rate} and\n{n}.\n\n{rate} again.\n").unwrap();
        assert_eq!((&*text.title, text.section("Claim").unwrap()), ("A title", "of all"));
        assert_eq!(text.own().collect::<Vec<_>>(), ["caption: a"]);
        let filled = text.filled("caption: a", &[("n", &7), ("rate", &"0.5")]).unwrap();
        assert_eq!(filled, "Rate 0.5 and 7.\n\n0.5 again.");
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        for (file, error) in [
            ("## a\nx\n## a\ny", "\"a\" is there twice"),
            ("## a\n\n## b\ny", "\"a\" has no text"),
            ("## a", "\"a\" has no text"),
        ] {
            assert_eq!(text(file).err().unwrap(), error);
        }
        assert_eq!(Sections::parse("# t\n\n## Claim\nx").err().unwrap(), "expected a section \"In short\"");
        let title = "expected \"# title\" alone before the first section";
        assert!(
            ["## Claim\nx", "# t\n\nmore\n\n## Claim\nx", ""]
                .iter()
                .all(|m| Sections::parse(m).err().unwrap() == title)
        );
        let text = text("## a\n{x} {y}\n## b\n{x").unwrap();
        for (name, values, error) in [
            ("c", &[][..], "there is no section \"c\""),
            ("a", &[("x", &1 as &dyn Display)], "section \"a\": {y} has no value"),
            ("a", &[("x", &1), ("y", &2), ("z", &3)], "section \"a\": there is no {z}"),
            ("b", &[("x", &1)], "section \"b\": a brace is not closed"),
        ] {
            assert_eq!(text.filled(name, values).unwrap_err(), error);
        }
    }
}
