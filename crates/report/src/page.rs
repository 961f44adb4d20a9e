//! One self-contained HTML page: text, verdicts, figures, tables and code, without any external file.
//!
//! Chained calls build the page from top to bottom. It follows the light or dark theme of the reader, fits a phone
//! and prints in black on white.
//!
//! # Inline markup
//! Every text except code is escaped, and has two marks: `*emphasis*` and `` `code` ``. A star opens
//! only at the start of a word and closes only at the end of one, so that `2 * 3` and `a*b*c` stay as they are. A mark
//! without its partner is an ordinary character. Inside code there are no other marks. A mark cannot be escaped; a literal star
//! goes into code.

use crate::text::escape;
use crate::theme::{DARK, LIGHT, Theme};

/// Builds an HTML page, which [`Page::to_html`] returns.
///
/// ```
/// use surprisal_report::{Page, Verdict};
///
/// let html = Page::new("The saturated neuron")
///     .lead("Squared error learns slowest when it is *most* wrong.")
///     .section("Result")
///     .verdict(Verdict::Supported, "1.22 times slower with cross-entropy, 1.72 times with squared error")
///     .code("cargo run -- lab saturated-neuron")
///     .footer("Deterministic: no seed is involved.")
///     .to_html();
/// assert!(html.starts_with("<!DOCTYPE html>") && html.contains("<em>most</em>"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    title: String,
    body: String,
    footer: String,
    /// The ids in use, which must be unique within a page.
    ids: Vec<String>,
}

/// The result of an experiment for its claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The numbers agree with the claim.
    Supported,
    /// The numbers contradict the claim.
    NotSupported,
    /// The two sides of a comparison are exactly equal, without chance.
    Equal,
    /// The interval contains the bound.
    Inconclusive,
}

impl Verdict {
    /// Returns the verdict in capitals: "NOT SUPPORTED".
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Supported => "SUPPORTED",
            Verdict::NotSupported => "NOT SUPPORTED",
            Verdict::Equal => "EQUAL",
            Verdict::Inconclusive => "INCONCLUSIVE",
        }
    }
}

/// A table; the first cell of each row names the row.
///
/// Missing cells are left empty, missing alignments mean [`Align::Left`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// The caption above the table.
    pub caption: String,
    /// The names of the columns.
    pub header: Vec<String>,
    /// The cells, row by row.
    pub rows: Vec<Vec<String>>,
    /// The alignment of each column.
    pub align: Vec<Align>,
}

impl Table {
    /// Returns a table whose first `left` columns are flush left, and the others flush right.
    pub fn new(
        caption: impl Into<String>,
        left: usize,
        header: impl IntoIterator<Item = impl Into<String>>,
        rows: impl IntoIterator<Item = Vec<String>>,
    ) -> Table {
        let header = Vec::from_iter(header.into_iter().map(Into::into));
        let align = (0..header.len()).map(|column| if column < left { Align::Left } else { Align::Right });
        Table { caption: caption.into(), align: align.collect(), rows: rows.into_iter().collect(), header }
    }
}

/// The alignment of a column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// Flush left, for words.
    #[default]
    Left,
    /// Flush right, for numbers.
    Right,
}

impl Page {
    /// Starts a page; the title is its first heading and the name of its tab, without inline markup.
    pub fn new(title: impl Into<String>) -> Page {
        Page { title: title.into(), body: String::new(), footer: String::new(), ids: Vec::new() }
    }

    /// Adds a paragraph in larger type, for a summary in one or two sentences.
    pub fn lead(self, text: &str) -> Page {
        self.push(format!("<p class=\"lead\">{}</p>", inline(text)))
    }

    /// Starts a section with a second-level heading, with an id from its words for links (`#the-result`).
    pub fn section(mut self, heading: &str) -> Page {
        let id = self.unique(&slug(heading));
        self.push(format!("<h2 id=\"{id}\">{}</h2>", inline(heading)))
    }

    /// Adds a paragraph.
    pub fn paragraph(self, text: &str) -> Page {
        self.push(format!("<p>{}</p>", inline(text)))
    }

    /// Adds a paragraph that is a link to another page.
    pub fn link(self, text: &str, href: &str) -> Page {
        self.push(format!("<p><a href=\"{}\">{}</a></p>", escape(href), inline(text)))
    }

    /// Adds a verdict: its word, and a text with the number and interval.
    pub fn verdict(self, verdict: Verdict, text: &str) -> Page {
        let (class, sign) = match verdict {
            Verdict::Supported => ("supported", "✓"),
            Verdict::NotSupported => ("not-supported", "✗"),
            Verdict::Equal => ("equal", "="),
            Verdict::Inconclusive => ("inconclusive", "≈"),
        };
        self.push(format!(
            "<p class=\"verdict {class}\"><strong><span aria-hidden=\"true\">{sign}</span> {}</strong> {}</p>",
            verdict.word(),
            inline(text)
        ))
    }

    /// Adds an entry of an index: a heading with a link to another page, a sentence, the file of a figure, verdicts.
    pub fn entry(
        mut self,
        heading: &str,
        href: &str,
        text: &str,
        picture: Option<&str>,
        verdicts: &[(Verdict, String)],
    ) -> Page {
        let (id, href) = (self.unique(&slug(heading)), escape(href));
        let mut page = self
            .push(format!("<h2 id=\"{id}\"><a href=\"{href}\">{}</a></h2>", inline(heading)))
            .paragraph(text);
        if let Some(picture) = picture {
            let picture = escape(picture);
            page = page.push(format!(
                "<figure><a href=\"{href}\"><img src=\"{picture}\" alt=\"{}\"/></a></figure>",
                escape(text)
            ));
        }
        verdicts.iter().fold(page, |page, (verdict, text)| page.verdict(*verdict, text))
    }

    /// Adds a figure with its caption.
    ///
    /// The SVG is inserted as it is: it must be one well-formed element, and from a source you trust.
    pub fn figure(self, svg: &str, caption: &str) -> Page {
        self.push(format!(
            "<figure>\n{}\n<figcaption>{}</figcaption>\n</figure>",
            svg.trim(),
            inline(caption)
        ))
    }

    /// Adds a figure in two shapes: one for wide windows, where it may be wider than the text, and one for narrow windows. As in
    /// [`Page::figure`], each is one SVG element from a source you trust; their ids must differ.
    pub fn wide_figure(self, wide: &str, narrow: &str, caption: &str) -> Page {
        self.push(format!(
            "<figure>\n<div class=\"wide\">\n{}\n</div>\n<div class=\"narrow\">\n{}\n</div>\n<figcaption>{}</figcaption>\n</figure>",
            wide.trim(),
            narrow.trim(),
            inline(caption)
        ))
    }

    /// Adds a table, which scrolls sideways in its own box where the screen is narrow.
    pub fn table(mut self, table: &Table) -> Page {
        let id = self.unique("table");
        let columns = table.rows.iter().map(Vec::len).fold(table.header.len(), usize::max);
        let row = |cells: &[String], cell: &dyn Fn(usize, &str, &str) -> String| -> String {
            let cells = (0..columns).map(|column| {
                let right = table.align.get(column) == Some(&Align::Right);
                let class = if right { " class=\"right\"" } else { "" };
                cell(column, class, &cells.get(column).map_or(String::new(), |text| inline(text)))
            });
            format!("<tr>{}</tr>\n", cells.collect::<String>())
        };
        let head = row(&table.header, &|_, class, text| format!("<th scope=\"col\"{class}>{text}</th>"));
        let cell = |column: usize, class: &str, text: &str| match column {
            0 => format!("<th scope=\"row\"{class}>{text}</th>"),
            _ => format!("<td{class}>{text}</td>"),
        };
        let body: String = table.rows.iter().map(|cells| row(cells, &cell)).collect();
        // a box that scrolls must be reachable by keyboard, and then needs a name
        self.push(format!(
            "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"{id}\">\n<table>\n\
             <caption id=\"{id}\">{caption}</caption>\n<thead>\n{head}</thead>\n<tbody>\n{body}</tbody>\n\
             </table>\n</div>",
            caption = inline(&table.caption),
        ))
    }

    /// Adds a part that is collapsed until the reader opens it; `content` adds to it as to a page.
    ///
    /// A footer set inside is dropped.
    ///
    /// ```
    /// # use surprisal_report::Page;
    /// let page = Page::new("Plateaus").details("Setting", |inside| inside.paragraph("16 points.").code("eta = 0.15"));
    /// assert!(page.to_html().contains("<summary>Setting</summary>"));
    /// ```
    pub fn details(mut self, summary: &str, content: impl FnOnce(Page) -> Page) -> Page {
        let mut inside = Page::new("");
        inside.ids = std::mem::take(&mut self.ids);
        let Page { body, ids, .. } = content(inside);
        self.ids = ids;
        self.push(format!("<details>\n<summary>{}</summary>\n{body}</details>", inline(summary)))
    }

    /// Adds preformatted text, shown as it is; long lines scroll.
    pub fn code(self, text: &str) -> Page {
        self.push(format!("<pre tabindex=\"0\"><code>{}</code></pre>", escape(text)))
    }

    /// Adds markup and a script that works on it, unchanged. They must be well-formed and from a source you trust. Without scripts the page
    /// must still be complete.
    pub fn interactive(self, html: &str, script: &str) -> Page {
        self.push(format!("{}\n<script>\n{}\n</script>", html.trim(), script.trim()))
    }

    /// Sets the small print at the end of the page.
    pub fn footer(mut self, text: &str) -> Page {
        self.footer = format!("<footer>\n<p>{}</p>\n</footer>\n", inline(text));
        self
    }

    /// Returns the page; the same calls give the same bytes.
    pub fn to_html(&self) -> String {
        let Page { title, body, footer, ids: _ } = self;
        // void elements are closed, so that XML tools can read the page as well
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <meta name=\"color-scheme\" content=\"light dark\"/>\n<link rel=\"icon\" href=\"data:,\"/>\n\
             <title>{title}</title>\n<style>\n:root{{{light}}}\n\
             @media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{STYLE}</style>\n</head>\n\
             <body>\n<main>\n<h1>{title}</h1>\n{body}</main>\n{footer}</body>\n</html>\n",
            title = escape(title),
            light = variables(&LIGHT),
            dark = variables(&DARK),
        )
    }

    fn push(mut self, block: String) -> Page {
        self.body += &block;
        self.body.push('\n');
        self
    }

    /// The name, with a number appended if it is taken.
    fn unique(&mut self, name: &str) -> String {
        let mut id = name.to_owned();
        let mut number = 1;
        while self.ids.contains(&id) {
            number += 1;
            id = format!("{name}-{number}");
        }
        self.ids.push(id.clone());
        id
    }
}

/// The letters and digits of a heading, joined by hyphens.
fn slug(heading: &str) -> String {
    let words = heading.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.map(str::to_lowercase).collect::<Vec<_>>().join("-");
    if slug.is_empty() { "section".to_owned() } else { slug }
}

/// Escapes a text and resolves its inline markup; see the beginning of this file.
fn inline(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut before = None; // the last character that was passed
    while let Some(mark) = rest.find(['*', '`']) {
        out += &escape(&rest[..mark]);
        before = rest[..mark].chars().next_back().or(before);
        rest = &rest[mark..];
        let (end, tag) = match rest.starts_with('`') {
            true => (code_end(rest), "code"),
            false => (emphasis_end(rest, before), "em"),
        };
        // without a partner the mark is an ordinary character
        let taken = match end {
            Some(end) => {
                let content = if tag == "code" { escape(&rest[1..end]) } else { inline(&rest[1..end]) };
                out += &format!("<{tag}>{content}</{tag}>");
                end + 1
            }
            None => {
                out += &rest[..1];
                1
            }
        };
        before = rest[..taken].chars().next_back();
        rest = &rest[taken..];
    }
    out + &escape(rest)
}

/// The end of the code span that opens at the start of `text`.
fn code_end(text: &str) -> Option<usize> {
    text[1..].find('`').map(|at| at + 1).filter(|&end| end > 1)
}

/// The position of the partner of the star that starts `text`; `before` is the character in front of it.
fn emphasis_end(text: &str, before: Option<char>) -> Option<usize> {
    let inside_word = before.is_some_and(|c| c.is_alphanumeric() || ")]}".contains(c));
    if inside_word || text[1..].starts_with(|c: char| c.is_whitespace() || c == '*') {
        return None;
    }
    let mut skip_to = 0; // past code, where a star is not a mark
    text.char_indices().skip(1).find_map(|(at, c)| {
        if at < skip_to {
            return None;
        }
        if c == '`' {
            skip_to = code_end(&text[at..]).map_or(0, |end| at + end + 1);
        }
        let ends_word = !text[..at].ends_with(char::is_whitespace);
        let goes_on = text[at + c.len_utf8()..].starts_with(char::is_alphanumeric);
        (c == '*' && ends_word && !goes_on).then_some(at)
    })
}

fn variables(theme: &Theme) -> String {
    let Theme { paper, ink, muted, grid, axis, lines: [link, not_supported, supported, ..] } = theme;
    format!(
        "--paper:{paper};--ink:{ink};--muted:{muted};--rule:{grid};--edge:{axis};--link:{link};\
         --supported:{supported};--not-supported:{not_supported}"
    )
}

/// The style sheet; its colors are the variables above.
const STYLE: &str = include_str!("page.css");

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_inline(text: &str, expected: &str) {
        assert_eq!(inline(text), expected, "from {text:?}");
    }

    #[test]
    fn marks_in_pairs_become_elements() {
        check_inline("a *big* step", "a <em>big</em> step");
        check_inline("(*p - y*), `x < 1`", "(<em>p - y</em>), <code>x &lt; 1</code>");
        check_inline("*see `a* b` now*", "<em>see <code>a* b</code> now</em>");
        check_inline("*ä*ö `*x*`", "*ä*ö <code>*x*</code>");
    }

    #[test]
    fn lone_marks_are_ordinary_characters() {
        for text in ["2 * 3 * 4", "a*b*c", "*", "**", "` alone", "``", "* item", "*open", "5 *", "f(x)*g(x)*"]
        {
            check_inline(text, text);
        }
    }

    #[test]
    fn markup_in_the_text_is_shown_not_obeyed() {
        check_inline("<b> & *<i>*", "&lt;b&gt; &amp; <em>&lt;i&gt;</em>");
    }
}
