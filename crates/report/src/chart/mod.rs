//! Charts as SVG: line charts, heat maps and forest plots. They follow the light or dark theme of the reader, need no other file,
//! have an alternative text, and are byte-identical from run to run.
//!
//! In reading order: this page and `items` are the public interface; `series` finds the drawable parts, `scale`
//! turns a range into ticks, `labels` places text, `layout` positions everything, and `draw` writes it with
//! the `pen`. `heat` and `forest` are other kinds of charts, and `panels` combines several. `theme` has
//! the colors, `text` measures and escapes.
//!
//! # How to read a chart
//! - **Left out, with a note.** A point that is not finite breaks its line; so does a value that is zero or negative
//!   on a logarithmic axis. The number of such points is printed under the chart and in its description.
//!   A magnitude above 1e300 counts as infinite, and one below 1e-290 as zero on a linear axis.
//! - **Flat means flat.** A range narrower than a millionth of its magnitude is drawn as a constant, so that rounding
//!   noise does not look like a curve.
//! - **Nothing is hidden.** Axes always span all points; [`Chart::include_y`] can only widen them.
//! - **Long series.** Of the points within half a unit of width (under a pixel) only the first, the lowest, the
//!   highest and the last are kept: the ink stays the same.
//! - **Names.** Lines are named at their right ends. Where the names do not fit, or a line ends early, a legend
//!   above the plot takes over. Colors are safe for color-blind readers and never the only difference.

/// Methods that set a field, or, by `+=`, add to a list, and return the whole.
macro_rules! builder {
    ($($(#[$meta:meta])* $name:ident($($argument:ident: $Type:ty),*) => $field:ident $op:tt $value:expr;)+) => { $(
        $(#[$meta])*
        pub fn $name(mut self $(, $argument: $Type)*) -> Self {
            builder!(@$op self.$field, $value);
            self
        }
    )+ };
    (@= $field:expr, $value:expr) => { $field = $value };
    (@+= $field:expr, $value:expr) => { $field.push($value) };
}

mod draw;
mod forest;
mod heat;
mod images;
mod items;
mod labels;
mod layout;
mod panels;
mod pen;
mod scale;
mod series;
pub(crate) mod theme;

pub use forest::Forest;
pub use heat::HeatMap;
pub use images::ImageGrid;
pub use items::{Band, Cells, Line, Points, Style};
pub use panels::{Panel, Panels};

use std::fmt;

/// A chart of lines, points and bands, built up by chained calls and written with [`Chart::to_svg`]; [`Panels`] combines several charts.
///
/// ```
/// use surprisal_report::chart::{Chart, Line};
///
/// let svg = Chart::new("Gradient norm by layer")
///     .x_label("layer")
///     .y_label("norm of the gradient")
///     .log_y()
///     .line(Line::new("sigmoid", [(1.0, 3e-5), (2.0, 1e-3), (3.0, 2e-2)]))
///     .line(Line::new("relu", [(1.0, 0.11), (2.0, 0.14), (3.0, 0.2)]))
///     .alt("The sigmoid net's gradient falls a thousandfold from the last layer to the first; relu's does not.")
///     .to_svg();
/// assert!(svg.starts_with("<svg") && svg.contains("sigmoid"));
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Chart {
    title: String,
    subtitle: String,
    x_label: String,
    y_label: String,
    log_x: bool,
    log_y: bool,
    percent_y: bool,
    percent_x: bool,
    include_y: Vec<f64>,
    cells: Option<Cells>,
    bands: Vec<Band>,
    points: Vec<Points>,
    lines: Vec<Line>,
    verticals: Vec<Vertical>,
    marks: Vec<Mark>,
    alt: String,
    id: Option<String>,
}

/// A remark at a point of the plot.
#[derive(Debug, Clone, PartialEq)]
struct Mark {
    x: f64,
    y: f64,
    text: String,
}

/// A remark at a value of the horizontal axis.
#[derive(Debug, Clone, PartialEq)]
struct Vertical {
    x: f64,
    text: String,
}

impl Chart {
    /// Starts an empty chart; the title is drawn above the plot and is its accessible name.
    pub fn new(title: impl Into<String>) -> Chart {
        Chart { title: title.into(), ..Chart::default() }
    }

    builder! {
        /// Adds a subtitle, usually with the settings of the experiment.
        subtitle(text: impl Into<String>) => subtitle = text.into();
        /// Names the horizontal axis, with its unit.
        x_label(text: impl Into<String>) => x_label = text.into();
        /// Names the vertical axis, with its unit; drawn upright above the axis, where it can be read.
        y_label(text: impl Into<String>) => y_label = text.into();
        /// Makes the horizontal axis logarithmic (base 10).
        log_x() => log_x = true;
        /// Makes the vertical axis logarithmic (base 10).
        log_y() => log_y = true;
        /// Labels the vertical axis in percent: the value 0.25 reads 25%.
        percent_y() => percent_y = true;
        /// Labels the horizontal axis in percent.
        percent_x() => percent_x = true;
        /// Widens the vertical axis to include a value, such as 0 for amounts or 1 for accuracies.
        ///
        /// A value that cannot be placed (not finite, or not positive on a logarithmic axis) changes nothing.
        include_y(value: f64) => include_y += value;
        /// Adds a line; those without a color or style of their own get the next one.
        line(line: Line) => lines += line;
        /// Colors the plane behind everything else; the axes end where the cells do, unless something lies outside of them.
        cells(cells: Cells) => cells = Some(cells);
        /// Shades an interval behind the lines.
        band(band: Band) => bands += band;
        /// Adds points that are not joined, between the bands and the lines.
        points(points: Points) => points += points;
        /// Draws a thin dashed line from the bottom to the top at `x`, with a remark; the axis widens to include it.
        vertical(x: f64, text: impl Into<String>) => verticals += Vertical { x, text: text.into() };
        /// Writes a remark at a point given in data units; the axes widen to include it.
        mark(x: f64, y: f64, text: impl Into<String>) => marks += Mark { x, y, text: text.into() };
        /// Sets the alternative text, one or two sentences.
        ///
        /// By default it lists the axes and the names of the lines.
        alt(text: impl Into<String>) => alt = text.into();
        /// Sets the prefix of the element ids, needed only to put two identical charts into one page.
        ///
        /// By default it is a fingerprint of the content. Characters other than ASCII letters, digits, `-` and `_` become `-`.
        id(prefix: impl Into<String>) => id = Some(prefix.into());
    }

    /// Writes the chart as one `<svg>` element, to be saved as a file or pasted into HTML.
    ///
    /// It brings its own styles for light and dark and scales to the width it is given; words are about 12 px at
    /// 360 px of width.
    pub fn to_svg(&self) -> String {
        draw::drawing(self).to_svg(&pen::prefix(self.id.as_deref(), self))
    }
}

/// What a chart does not have is not printed: its default id is a fingerprint of these words, and stays when charts learn
/// something new.
impl fmt::Debug for Chart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Chart");
        out.field("title", &self.title)
            .field("subtitle", &self.subtitle)
            .field("x_label", &self.x_label)
            .field("y_label", &self.y_label)
            .field("log_x", &self.log_x)
            .field("log_y", &self.log_y)
            .field("percent_y", &self.percent_y)
            .field("include_y", &self.include_y)
            .field("lines", &self.lines)
            .field("marks", &self.marks)
            .field("alt", &self.alt)
            .field("id", &self.id);
        if self.percent_x {
            out.field("percent_x", &self.percent_x);
        }
        if let Some(cells) = &self.cells {
            out.field("cells", cells);
        }
        if !self.bands.is_empty() {
            out.field("bands", &self.bands);
        }
        if !self.points.is_empty() {
            out.field("points", &self.points);
        }
        if !self.verticals.is_empty() {
            out.field("verticals", &self.verticals);
        }
        out.finish()
    }
}
