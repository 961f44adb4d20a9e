//! Line charts as SVG text: they follow the reader's light or dark theme, need no other file, carry a text
//! alternative, and are byte-identical from run to run.
//!
//! In reading order: this page is what a caller sees; `series` sorts out what can be drawn, `scale` turns a range into
//! ticks, `labels` finds room for words, `layout` says where everything goes, and `draw` writes it. `theme` has the
//! colours, `text` measures and escapes.
//!
//! # Choices a reader of a chart should know
//! - **Left out, and said so.** A point that is not finite breaks its line; so does a value that is zero or negative
//!   on a logarithmic axis. The number of such points is printed under the chart and in its description.
//!   A magnitude above 1e300 counts as infinite, and one below 1e-290 as zero on a linear axis.
//! - **Flat means flat.** A range narrower than a millionth of its magnitude is drawn as a constant, so that rounding
//!   noise does not look like a curve.
//! - **Nothing is hidden.** Axes always span all points; [`Chart::include_y`] can only widen them.
//! - **Long series.** Of the points within half a unit of width (under a pixel) only the first, the lowest, the
//!   highest and the last are kept: the ink stays the same.
//! - **Names.** Lines are named at their right ends. Where the names do not fit, or a line ends early, a legend
//!   above the plot takes over. Colours are safe for colour-blind readers and never the only difference.

mod draw;
mod labels;
mod layout;
mod scale;
mod series;
mod text;
pub(crate) mod theme;

pub(crate) use text::escape;

/// A line chart, built up by chained calls and written with [`Chart::to_svg`]; [`Panels`] puts several into one picture.
///
/// ```
/// use surprisal_lab::chart::{Chart, Line};
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
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    title: String,
    subtitle: String,
    x_label: String,
    y_label: String,
    log_x: bool,
    log_y: bool,
    percent_y: bool,
    include_y: Vec<f64>,
    lines: Vec<Line>,
    marks: Vec<Mark>,
    alt: String,
    id: Option<String>,
}

/// A remark tied to a point of the plot.
#[derive(Debug, Clone, PartialEq)]
struct Mark {
    x: f64,
    y: f64,
    text: String,
}

impl Chart {
    /// Starts an empty chart; the title is drawn above the plot and is the picture's accessible name.
    pub fn new(title: impl Into<String>) -> Chart {
        Chart {
            title: title.into(),
            subtitle: String::new(),
            x_label: String::new(),
            y_label: String::new(),
            log_x: false,
            log_y: false,
            percent_y: false,
            include_y: Vec::new(),
            lines: Vec::new(),
            marks: Vec::new(),
            alt: String::new(),
            id: None,
        }
    }

    /// Adds a quieter line under the title, usually the setting of the experiment.
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

    /// Widens the vertical axis to include a value, such as 0 for amounts or 1 for accuracies.
    ///
    /// A value that cannot be placed (not finite, or not positive on a logarithmic axis) changes nothing.
    pub fn include_y(mut self, value: f64) -> Chart {
        self.include_y.push(value);
        self
    }

    /// Adds a line; those without a colour or style of their own get the next one.
    pub fn line(mut self, line: Line) -> Chart {
        self.lines.push(line);
        self
    }

    /// Writes a remark at a point given in data units; the axes widen to include it.
    pub fn mark(mut self, x: f64, y: f64, text: impl Into<String>) -> Chart {
        self.marks.push(Mark { x, y, text: text.into() });
        self
    }

    /// Says in one or two sentences what the picture shows, for those who do not see it.
    ///
    /// Without it the description lists the axes and the names of the lines.
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
        draw::svg(self)
    }
}

/// Charts side by side under one title, in a picture that can be put into any page.
///
/// It stands on paper of its own, and its styles reach nothing outside of it.
///
/// ```
/// use surprisal_lab::chart::{Chart, Line, Panels};
///
/// let parabola = Chart::new("e²").line(Line::new("", [(-1.0, 1.0), (0.0, 0.0), (1.0, 1.0)]));
/// let slope = Chart::new("2 e").line(Line::new("", [(-1.0, -2.0), (1.0, 2.0)]));
/// let svg = Panels::new("squared-error", "Squared error", 2).panel(parabola).panel(slope).to_svg();
/// assert!(svg.starts_with("<svg") && svg.contains("id=\"squared-error\""));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Panels {
    id: String,
    title: String,
    subtitle: String,
    columns: usize,
    charts: Vec<Chart>,
}

impl Panels {
    /// Starts a picture with so many charts in a row. Its `id` must be its own in every page that it is put into.
    pub fn new(id: impl Into<String>, title: impl Into<String>, columns: usize) -> Panels {
        Panels { id: id.into(), title: title.into(), subtitle: String::new(), columns, charts: Vec::new() }
    }

    /// Adds a quieter line under the title.
    pub fn subtitle(mut self, text: impl Into<String>) -> Panels {
        self.subtitle = text.into();
        self
    }

    /// Adds a chart; its own id is not used.
    pub fn panel(mut self, chart: Chart) -> Panels {
        self.charts.push(chart);
        self
    }

    /// Writes the picture as one `<svg>` element without blank lines, to be saved or pasted into HTML or Markdown.
    pub fn to_svg(&self) -> String {
        draw::panels(self)
    }
}

/// One series of points in the order they are joined, with a name.
///
/// ```
/// use surprisal_lab::chart::{Line, Style};
///
/// let seeds = Line::new("", [(1.0, 0.31), (2.0, 0.52)]).colour(1).faint(); // unnamed: background for others
/// let mean = Line::new("mean of 8 seeds", [(1.0, 0.30), (2.0, 0.55)]).colour(1).style(Style::Solid);
/// # assert_ne!(seeds, mean);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    name: String,
    points: Vec<(f64, f64)>,
    colour: Option<usize>,
    style: Option<Style>,
    faint: bool,
}

impl Line {
    /// Makes a line from `(x, y)` pairs; an empty name keeps it out of the labels.
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Line {
        Line {
            name: name.into(),
            points: points.into_iter().collect(),
            colour: None,
            style: None,
            faint: false,
        }
    }

    /// Chooses the colour: 0 blue, 1 vermilion, 2 green, 3 purple, 4 the ink of the text; larger numbers start over.
    pub fn colour(mut self, index: usize) -> Line {
        self.colour = Some(index);
        self
    }

    /// Chooses the dash pattern.
    pub fn style(mut self, style: Style) -> Line {
        self.style = Some(style);
        self
    }

    /// Draws the line thin and pale, for single runs behind a mean or for a diagonal to compare with.
    pub fn faint(mut self) -> Line {
        self.faint = true;
        self
    }
}

/// The dash pattern of a line, which keeps lines apart in grey print too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Unbroken.
    Solid,
    /// Long dashes.
    Dashed,
    /// Round dots.
    Dotted,
    /// Dashes and dots in turn.
    DashDot,
}
