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
#[derive(Clone, PartialEq)]
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
        Chart {
            title: title.into(),
            subtitle: String::new(),
            x_label: String::new(),
            y_label: String::new(),
            log_x: false,
            log_y: false,
            percent_y: false,
            percent_x: false,
            include_y: Vec::new(),
            cells: None,
            bands: Vec::new(),
            points: Vec::new(),
            lines: Vec::new(),
            verticals: Vec::new(),
            marks: Vec::new(),
            alt: String::new(),
            id: None,
        }
    }

    /// Adds a subtitle, usually with the settings of the experiment.
    pub fn subtitle(mut self, text: impl Into<String>) -> Chart {
        self.subtitle = text.into();
        self
    }

    /// Names the horizontal axis, with its unit.
    pub fn x_label(mut self, text: impl Into<String>) -> Chart {
        self.x_label = text.into();
        self
    }

    /// Names the vertical axis, with its unit; drawn upright above the axis, where it can be read.
    pub fn y_label(mut self, text: impl Into<String>) -> Chart {
        self.y_label = text.into();
        self
    }

    /// Makes the horizontal axis logarithmic (base 10).
    pub fn log_x(mut self) -> Chart {
        self.log_x = true;
        self
    }

    /// Makes the vertical axis logarithmic (base 10).
    pub fn log_y(mut self) -> Chart {
        self.log_y = true;
        self
    }

    /// Labels the vertical axis in percent: the value 0.25 reads 25%.
    pub fn percent_y(mut self) -> Chart {
        self.percent_y = true;
        self
    }

    /// Labels the horizontal axis in percent.
    pub fn percent_x(mut self) -> Chart {
        self.percent_x = true;
        self
    }

    /// Widens the vertical axis to include a value, such as 0 for amounts or 1 for accuracies.
    ///
    /// A value that cannot be placed (not finite, or not positive on a logarithmic axis) changes nothing.
    pub fn include_y(mut self, value: f64) -> Chart {
        self.include_y.push(value);
        self
    }

    /// Adds a line; those without a color or style of their own get the next one.
    pub fn line(mut self, line: Line) -> Chart {
        self.lines.push(line);
        self
    }

    /// Colors the plane behind everything else; the axes end where the cells do, unless something lies outside of them.
    pub fn cells(mut self, cells: Cells) -> Chart {
        self.cells = Some(cells);
        self
    }

    /// Shades an interval behind the lines.
    pub fn band(mut self, band: Band) -> Chart {
        self.bands.push(band);
        self
    }

    /// Adds points that are not joined, between the bands and the lines.
    pub fn points(mut self, points: Points) -> Chart {
        self.points.push(points);
        self
    }

    /// Draws a thin dashed line from the bottom to the top at `x`, with a remark; the axis widens to include it.
    pub fn vertical(mut self, x: f64, text: impl Into<String>) -> Chart {
        self.verticals.push(Vertical { x, text: text.into() });
        self
    }

    /// Writes a remark at a point given in data units; the axes widen to include it.
    pub fn mark(mut self, x: f64, y: f64, text: impl Into<String>) -> Chart {
        self.marks.push(Mark { x, y, text: text.into() });
        self
    }

    /// Sets the alternative text, one or two sentences.
    ///
    /// By default it lists the axes and the names of the lines.
    pub fn alt(mut self, text: impl Into<String>) -> Chart {
        self.alt = text.into();
        self
    }

    /// Sets the prefix of the element ids, needed only to put two identical charts into one page.
    ///
    /// By default it is a fingerprint of the content. Characters other than ASCII letters, digits, `-` and `_` become `-`.
    pub fn id(mut self, prefix: impl Into<String>) -> Chart {
        self.id = Some(prefix.into());
        self
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
