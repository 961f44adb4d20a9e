//! The parts of a chart.

/// One series of points in the order they are joined, with a name.
///
/// ```
/// use surprisal_report::chart::{Line, Style};
///
/// let seeds = Line::new("", [(1.0, 0.31), (2.0, 0.52)]).color(1).faint(); // unnamed: background for others
/// let mean = Line::new("mean of 8 seeds", [(1.0, 0.30), (2.0, 0.55)]).color(1).style(Style::Solid);
/// # assert_ne!(seeds, mean);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
    pub(super) color: Option<usize>,
    pub(super) style: Option<Style>,
    pub(super) faint: bool,
}

impl Line {
    /// Makes a line from `(x, y)` pairs; an empty name keeps it out of the labels.
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Line {
        Line {
            name: name.into(),
            points: points.into_iter().collect(),
            color: None,
            style: None,
            faint: false,
        }
    }

    /// Chooses the color: 0 blue, 1 vermilion, 2 green, 3 purple, 4 the ink of the text; larger numbers start over. With it comes
    /// the dash pattern (solid, dashed, dash-dotted, dotted, solid), unless [`Line::style`] chooses another.
    pub fn color(mut self, index: usize) -> Line {
        self.color = Some(index);
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

/// The dash pattern of a line, which keeps lines apart in gray print too.
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

/// A shaded interval behind the lines, such as a mean's 95 % over seeds.
///
/// ```
/// use surprisal_report::chart::{Band, Chart, Line};
///
/// let svg = Chart::new("Accuracy")
///     .band(Band::new([(1.0, 0.28, 0.34), (2.0, 0.49, 0.55)]).color(0))
///     .line(Line::new("mean of 8 seeds", [(1.0, 0.31), (2.0, 0.52)]).color(0))
///     .to_svg();
/// assert!(svg.contains("class=\"band\""));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    pub(super) intervals: Vec<(f64, f64, f64)>,
    pub(super) color: Option<usize>,
}

impl Band {
    /// Makes a band from `(x, low, high)`; an interval that cannot be drawn breaks it.
    pub fn new(intervals: impl IntoIterator<Item = (f64, f64, f64)>) -> Band {
        Band { intervals: intervals.into_iter().collect(), color: None }
    }

    /// Chooses the color by the numbers of [`Line::color`]; without it the bands take them in turn.
    pub fn color(mut self, index: usize) -> Band {
        self.color = Some(index);
        self
    }
}

/// A series of points that are not joined.
///
/// Shapes and colors are taken in turn, so that twenty series differ, in gray print up to four. Above 200 points in a
/// chart they are small and translucent.
///
/// ```
/// use surprisal_report::chart::{Chart, Points};
///
/// let zeros = Points::new("0", [(1.0, 2.0), (1.5, 2.5)]).label_at_center();
/// let ones = Points::new("1", [(-3.0, 0.0), (-2.5, 0.5)]).label_at_center();
/// let svg = Chart::new("Digits, two principal components").points(zeros).points(ones).to_svg();
/// assert!(svg.contains("disc") && svg.contains("square"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
    pub(super) color: Option<usize>,
    pub(super) at_center: bool,
}

impl Points {
    /// Makes points from `(x, y)` pairs; an empty name keeps them out of the legend.
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Points {
        Points { name: name.into(), points: points.into_iter().collect(), color: None, at_center: false }
    }

    /// Chooses the color by the numbers of [`Line::color`].
    pub fn color(mut self, index: usize) -> Points {
        self.color = Some(index);
        self
    }

    /// Writes the name at the median of the points instead of in the legend, which reads best for clouds.
    pub fn label_at_center(mut self) -> Points {
        self.at_center = true;
        self
    }
}

/// A rectangle of the plane, cut into cells of equal size, each with a color and a strength from 0 to 1.
///
/// It lies behind everything else. Strengths are drawn in five steps of opacity.
///
/// ```
/// use surprisal_report::chart::{Cells, Chart, Points};
///
/// // two rows of three cells, the lowest row first: class 0 at the left, class 1 at the right
/// let cells = Cells::new((0.0, 3.0), (0.0, 2.0), [[(0, 1.0), (0, 0.2), (1, 1.0)], [(0, 1.0), (1, 0.2), (1, 1.0)]]);
/// let svg = Chart::new("Decision boundary").cells(cells).points(Points::new("a", [(0.5, 0.5)])).to_svg();
/// assert!(svg.contains("class=\"cell\""));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Cells {
    pub(super) x: (f64, f64),
    pub(super) y: (f64, f64),
    pub(super) rows: Vec<Vec<(usize, f64)>>,
}

impl Cells {
    /// Cuts the rectangle between the ends of `x` and of `y` into rows, the lowest first, of `(color, strength)`; colors by the numbers
    /// of [`Line::color`].
    pub fn new<R: IntoIterator<Item = (usize, f64)>>(
        x: (f64, f64),
        y: (f64, f64),
        rows: impl IntoIterator<Item = R>,
    ) -> Cells {
        Cells { x, y, rows: rows.into_iter().map(|row| row.into_iter().collect()).collect() }
    }
}
