//! Several charts in one figure.

use super::layout::{TEXT, WIDTH};
use super::pen::{Anchor, Drawing, Pen, head, identifier};
use super::theme::panels_css;
use super::{Chart, Forest, HeatMap, draw, forest, heat};
use crate::text::{number, wrap};

/// Charts side by side under one title, in a figure for any page.
///
/// It has its own background, and its styles do not affect anything outside of it.
///
/// ```
/// use surprisal_report::chart::{Chart, Line, Panels};
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
    pictures: Vec<Panel>,
}

impl Panels {
    /// Starts a figure with this number of panels in a row. Its `id` must be unique in a page.
    pub fn new(id: impl Into<String>, title: impl Into<String>, columns: usize) -> Panels {
        Panels { id: id.into(), title: title.into(), subtitle: String::new(), columns, pictures: Vec::new() }
    }

    /// Adds a subtitle.
    pub fn subtitle(mut self, text: impl Into<String>) -> Panels {
        self.subtitle = text.into();
        self
    }

    /// Adds a chart, a map or a forest plot; its own id is not used.
    pub fn panel(mut self, picture: impl Into<Panel>) -> Panels {
        self.pictures.push(picture.into());
        self
    }

    /// Returns the same panels below each other, with another id, for narrow windows.
    pub fn stacked(&self) -> Panels {
        Panels { id: format!("{}-stacked", self.id), columns: 1, ..self.clone() }
    }

    /// Returns the figure as one `<svg>` element without blank lines, to be saved or pasted into HTML or Markdown.
    pub fn to_svg(&self) -> String {
        svg(self)
    }
}

/// A chart that can be one of several.
#[derive(Debug, Clone, PartialEq)]
pub enum Panel {
    /// Lines, points and bands.
    Chart(Chart),
    /// Values as colors.
    HeatMap(HeatMap),
    /// Estimates with their intervals.
    Forest(Forest),
}

impl From<Chart> for Panel {
    fn from(chart: Chart) -> Panel {
        Panel::Chart(chart)
    }
}

impl From<HeatMap> for Panel {
    fn from(map: HeatMap) -> Panel {
        Panel::HeatMap(map)
    }
}

impl From<Forest> for Panel {
    fn from(forest: Forest) -> Panel {
        Panel::Forest(forest)
    }
}

impl Panel {
    fn drawing(&self, id: &str) -> Drawing {
        match self {
            Panel::Chart(chart) => draw::drawing(chart),
            Panel::HeatMap(map) => heat::drawing(map, id),
            Panel::Forest(forest) => forest::drawing(forest),
        }
    }
}

/// The charts in rows of `columns`, with aligned plots.
fn svg(panels: &Panels) -> String {
    const MARGIN: f64 = 22.0;
    const GAP: (f64, f64) = (36.0, 22.0);
    let columns = panels.columns.clamp(1, panels.pictures.len().max(1));
    let width = 2.0 * MARGIN + columns as f64 * WIDTH + (columns - 1) as f64 * GAP.0;
    let (mut pen, mut y, mut descriptions) = (Pen::default(), MARGIN, vec![panels.subtitle.clone()]);
    for (class, text, size) in [("head", &panels.title, 22.0 * 1.1), ("muted", &panels.subtitle, TEXT)] {
        for line in wrap(text, size, width - 2.0 * MARGIN) {
            pen.text(class, (MARGIN, y + 0.7 * size), Anchor::Start, &[line]);
            y += 1.4 * size;
        }
    }
    let id = identifier(&panels.id);
    let drawings =
        panels.pictures.iter().enumerate().map(|(n, picture)| picture.drawing(&format!("{id}-{n}")));
    let drawings: Vec<Drawing> = drawings.collect();
    for row in drawings.chunks(columns) {
        let lowest = row.iter().map(|drawing| drawing.top).fold(0.0, f64::max);
        let mut bottom = y;
        for (column, drawing) in row.iter().enumerate() {
            let (x, y) = (MARGIN + column as f64 * (WIDTH + GAP.0), y + GAP.1 + lowest - drawing.top);
            let (x_at, y_at, body) = (number(x), number(y), &drawing.body);
            pen.out += &format!("<g transform=\"translate({x_at} {y_at})\">\n{body}</g>\n");
            bottom = bottom.max(y + drawing.height);
            descriptions.push(format!("{}: {}", drawing.title, drawing.description));
        }
        y = bottom;
    }
    let mut rules: Vec<&str> = Vec::new();
    for rule in drawings.iter().flat_map(|drawing| &drawing.rules) {
        if !rules.contains(rule) {
            rules.push(rule);
        }
    }
    let height = number(y + MARGIN);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-labelledby=\"{id}-title {id}-desc\" style=\"display:block;width:100%;max-width:{width}px;height:auto;margin:12px 0\">\n\
         {head}<style>{css}</style>\n<g id=\"{id}\">\n\
         <rect class=\"paper\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>\n{body}</g>\n</svg>\n",
        head = head(&id, &panels.title, descriptions.join(" ").trim()),
        css = panels_css(&id, &rules),
        body = pen.out,
    )
}
