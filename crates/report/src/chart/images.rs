//! Images side by side.

use super::pen::{Drawing, prefix};
use crate::text::{escape, number};

/// Images in rows and columns, each a PNG file inside of the SVG, with a head above each column and a line of text below each row.
///
/// ```
/// use surprisal_report::chart::ImageGrid;
///
/// let png = b"the bytes of a PNG file";
/// let svg = ImageGrid::new("Two images", ["before", "after"])
///     .row("row 7", [1, 1], [&png[..], png])
///     .alt("An image before and after.")
///     .to_svg();
/// assert!(svg.starts_with("<svg") && svg.contains("data:image/png;base64,dGhl") && svg.contains("after"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ImageGrid {
    title: String,
    description: String,
    columns: Vec<String>,
    rows: Vec<(String, [usize; 2], Vec<String>)>, // text, height and width, images in base64
}

/// The width of the whole drawing, as of every chart.
const WIDTH: f64 = super::layout::WIDTH;
const MARGIN: f64 = 8.0;
const GAP: f64 = 6.0;
const LINE: f64 = 24.0;

impl ImageGrid {
    /// An empty grid with the heads of its columns.
    pub fn new(title: impl Into<String>, columns: impl IntoIterator<Item = impl Into<String>>) -> ImageGrid {
        let columns = columns.into_iter().map(Into::into).collect();
        ImageGrid { title: title.into(), description: String::new(), columns, rows: Vec::new() }
    }

    /// Adds a row: the text below it, the height and width of its images, and the bytes of their PNG files, from the left.
    pub fn row<'p>(
        mut self,
        text: impl Into<String>,
        size: [usize; 2],
        pngs: impl IntoIterator<Item = &'p [u8]>,
    ) -> ImageGrid {
        self.rows.push((text.into(), size, pngs.into_iter().map(base64).collect()));
        self
    }

    /// The alternative text.
    pub fn alt(mut self, text: impl Into<String>) -> ImageGrid {
        self.description = text.into();
        self
    }

    /// Writes the grid as one `<svg>` element, to be saved as a file or pasted into HTML. Pixels are drawn as squares.
    pub fn to_svg(&self) -> String {
        let columns = self.columns.len().max(1) as f64;
        let side = (WIDTH - 2.0 * MARGIN - (columns - 1.0) * GAP) / columns;
        let left = |column: usize| MARGIN + column as f64 * (side + GAP);
        let mut body = String::new();
        for (column, text) in self.columns.iter().enumerate() {
            let x = number(left(column) + side / 2.0);
            body += &format!("<text x=\"{x}\" y=\"{LINE}\" text-anchor=\"middle\">{}</text>\n", escape(text));
        }
        let mut top = LINE + 10.0;
        for (text, [height, width], images) in &self.rows {
            let high = side * *height as f64 / (*width).max(1) as f64;
            for (column, image) in images.iter().enumerate() {
                body += &format!(
                    "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" href=\"data:image/png;base64,{image}\" \
                     style=\"image-rendering:pixelated\"/>\n",
                    number(left(column)),
                    number(top),
                    number(side),
                    number(high)
                );
            }
            top += high;
            if !text.is_empty() {
                let y = number(top + LINE - 6.0);
                body += &format!("<text class=\"muted\" x=\"{MARGIN}\" y=\"{y}\">{}</text>\n", escape(text));
                top += LINE;
            }
            top += GAP;
        }
        let drawing = Drawing {
            title: self.title.clone(),
            description: self.description.clone(),
            body,
            height: top + MARGIN - GAP,
            top: 0.0,
            rules: Vec::new(),
        };
        drawing.to_svg(&prefix(None, self))
    }
}

/// Base64 of RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |k: usize| u32::from(three.get(k).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for k in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * k)) as usize & 63];
            text.push(if k > three.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    /// The examples of RFC 4648, section 10.
    #[test]
    fn base64_is_that_of_the_standard() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), expected);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
    }
}
