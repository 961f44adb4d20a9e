//! The layout. All lengths are in units of the drawing, which is [`WIDTH`] wide and as high as its text needs.

use super::Chart;
use super::labels::{Rect, spread};
use super::scale::{Axis, Kind, Label, placeable};
use super::series::Series;
use crate::text::{width, wrap};

pub(super) const WIDTH: f64 = 480.0;
pub(super) const PAD: f64 = 2.0;
pub(super) const LINE_HEIGHT: f64 = 20.0;
/// The font sizes on a phone, the largest in relation to the drawing; see the style sheet.
pub(super) const TEXT: f64 = 16.0;
pub(super) const TITLE: f64 = 17.0 * 1.1; // bold is wider
const PLOT_HEIGHT: f64 = 210.0;
/// The distance between the plot and the names at its right.
const NAME_GAP: f64 = 14.0;
/// Names at line ends break at this width, into at most two lines.
pub(super) const NAME_WIDTH: f64 = 136.0;
/// The farthest a name may stand from the height where its line ends.
const NAME_SHIFT: f64 = 2.5 * LINE_HEIGHT;
/// The distance between the plot and its tick labels.
pub(super) const TICK_GAP: f64 = 9.0;
/// The length of a line's sample in the legend, and the gap after it.
pub(super) const SAMPLE: (f64, f64) = (30.0, 8.0);

pub(super) struct Layout {
    pub(super) title: Vec<String>,
    pub(super) subtitle: Vec<String>,
    pub(super) y_label: Vec<String>,
    pub(super) x_label: Vec<String>,
    /// The names at the line ends or, where there are any, in the legend: one of the two is empty.
    pub(super) names: Vec<Name>,
    pub(super) legend: Vec<Name>,
    pub(super) legend_height: f64,
    pub(super) plot: Rect,
    pub(super) x: Axis,
    pub(super) y: Axis,
}

/// The name of a series, and the point at the middle of its left edge.
pub(super) struct Name {
    pub(super) series: usize,
    pub(super) lines: Vec<String>,
    pub(super) at: (f64, f64),
}

impl Name {
    fn height(&self) -> f64 {
        self.lines.len() as f64 * LINE_HEIGHT
    }
}

impl Layout {
    pub(super) fn new(chart: &Chart, series: &[Series]) -> Layout {
        let marks = chart.marks.iter().map(|mark| (mark.x, mark.y)).filter(|&p| chart.shows(p));
        let intervals = chart.bands.iter().flat_map(|band| &band.intervals);
        let intervals = intervals.filter(|interval| chart.shows_interval(interval));
        let ends = intervals.flat_map(|&(x, low, high)| [(x, low), (x, high)]);
        let corners = chart.cells.iter().flat_map(|cells| [(cells.x.0, cells.y.0), (cells.x.1, cells.y.1)]);
        let corners = corners.filter(|&corner| chart.shows(corner));
        let points: Vec<(f64, f64)> =
            series.iter().flat_map(Series::points).chain(marks).chain(ends).chain(corners).collect();
        let verticals = chart.verticals.iter().map(|v| v.x).filter(|&x| placeable(x, chart.log_x));
        let wanted = chart.include_y.iter().copied().filter(|&y| placeable(y, chart.log_y));
        let x_range = range(points.iter().map(|p| p.0).chain(verticals));
        let y_range = range(points.iter().map(|p| p.1).chain(wanted));

        let y_kind =
            Kind { log: chart.log_y, percent: chart.percent_y, whole: false, round: chart.cells.is_none() };
        let y = upright(y_range, y_kind, PLOT_HEIGHT);
        let whole = points.iter().all(|p| p.0.fract() == 0.0);
        let x_kind = Kind { log: chart.log_x, whole, percent: chart.percent_x, round: false };

        let mut names = end_names(series, &Axis::fit(x_range, x_kind, |_| true), &y);
        let (legend, legend_height) = if names.is_empty() { legend(series) } else { (Vec::new(), 0.0) };
        let widest_name = names.iter().flat_map(|n| &n.lines).map(|l| width(l, TEXT)).fold(0.0, f64::max);
        let left = PAD + widest_label(&y) + TICK_GAP;
        let right = WIDTH - PAD - if names.is_empty() { 8.0 } else { NAME_GAP + widest_name };
        let x = flat(x_range, x_kind, left, right);

        let (title, subtitle) = (full(&chart.title, TITLE), full(&chart.subtitle, TEXT));
        let (y_label, x_label) = (full(&chart.y_label, TEXT), full(&chart.x_label, TEXT));
        let above = (title.len() + subtitle.len() + y_label.len()) as f64 * LINE_HEIGHT;
        let top = PAD + above + legend_height + 22.0;
        let plot = Rect { left, top, right, bottom: top + PLOT_HEIGHT };
        for name in &mut names {
            name.at = (right + NAME_GAP, top + name.at.1);
        }
        Layout { title, subtitle, y_label, x_label, names, legend, legend_height, plot, x, y }
    }

    /// From data units to the drawing.
    pub(super) fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let Rect { left, top, right, bottom } = self.plot;
        (left + self.x.place(x) * (right - left), bottom - self.y.place(y) * (bottom - top))
    }
}

/// The lines of a text of full width.
pub(super) fn full(text: &str, size: f64) -> Vec<String> {
    wrap(text, size, WIDTH - 2.0 * PAD)
}

/// A vertical axis of that height whose labels keep their distance.
pub(super) fn upright(range: (f64, f64), kind: Kind, height: f64) -> Axis {
    Axis::fit(range, kind, |axis| {
        let at: Vec<f64> = axis.labels().map(|(at, _)| at).collect();
        at.windows(2).all(|pair| (pair[1] - pair[0]) * height >= 1.6 * LINE_HEIGHT)
    })
}

/// A horizontal axis between two edges whose labels keep their distance.
pub(super) fn flat(range: (f64, f64), kind: Kind, left: f64, right: f64) -> Axis {
    Axis::fit(range, kind, |axis| {
        let spans: Vec<(f64, f64)> = axis.labels().map(|(at, l)| tick_span(left, right, at, l)).collect();
        spans.windows(2).all(|pair| pair[0].1 + 12.0 <= pair[1].0)
    })
}

/// The smallest and the largest value; 1 and 10 if there are none, which any axis can show.
pub(super) fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if low <= high { (low, high) } else { (1.0, 10.0) }
}

/// The named series, stacked beside the ends of their lines, at heights relative to the top of the plot.
///
/// None if that would not work: a name is too long, a line ends far from the right edge, or the lines end so close
/// together that the names would have to stand far away.
fn end_names(series: &[Series], x: &Axis, y: &Axis) -> Vec<Name> {
    let mut names = Vec::new();
    for (index, one) in series.iter().enumerate().filter(|(_, s)| s.is_named() && !s.at_center) {
        let lines = wrap(one.name, TEXT, NAME_WIDTH);
        let whole_words =
            lines.iter().all(|line| one.name.split_whitespace().any(|word| line.ends_with(word)));
        match one.end() {
            Some(end) if lines.len() <= 2 && whole_words && x.place(end.0) >= 0.85 => {
                names.push(Name { series: index, lines, at: (0.0, (1.0 - y.place(end.1)) * PLOT_HEIGHT) });
            }
            _ => return Vec::new(),
        }
    }
    names.sort_by(|a, b| a.at.1.total_cmp(&b.at.1)); // stable: equal ends stay in order
    let wanted: Vec<(f64, f64)> = names.iter().map(|name| (name.at.1, name.height())).collect();
    let places = spread(&wanted, -LINE_HEIGHT / 2.0, PLOT_HEIGHT + LINE_HEIGHT / 2.0);
    if wanted.iter().zip(&places).any(|((end, _), place)| (end - place).abs() > NAME_SHIFT) {
        return Vec::new();
    }
    for (name, place) in names.iter_mut().zip(places) {
        name.at.1 = place;
    }
    names
}

/// The named series in rows, placed relative to the top left corner of the legend, and its height.
fn legend(series: &[Series]) -> (Vec<Name>, f64) {
    let sample = SAMPLE.0 + SAMPLE.1;
    let mut entries = Vec::new();
    let (mut x, mut y) = (0.0, 0.0);
    for (index, one) in series.iter().enumerate().filter(|(_, s)| s.is_named() && !s.at_center) {
        let lines = wrap(one.name, TEXT, WIDTH - 2.0 * PAD - sample);
        let needed = sample + lines.iter().map(|line| width(line, TEXT)).fold(0.0, f64::max);
        if x > 0.0 && (x + needed > WIDTH - 2.0 * PAD || lines.len() > 1) {
            (x, y) = (0.0, y + LINE_HEIGHT);
        }
        let height = lines.len() as f64 * LINE_HEIGHT;
        let multiple = lines.len() > 1;
        entries.push(Name { series: index, lines, at: (x, y + height / 2.0) });
        (x, y) = if multiple { (0.0, y + height) } else { (x + needed + 18.0, y) };
    }
    let rest = if x > 0.0 { LINE_HEIGHT } else { 0.0 };
    let margin = if entries.is_empty() { 0.0 } else { 10.0 };
    (entries, y + rest + margin)
}

/// The horizontal extent of a tick's label, kept inside the drawing.
pub(super) fn tick_span(left: f64, right: f64, at: f64, label: &Label) -> (f64, f64) {
    let half = label_width(label) / 2.0;
    let center = (left + at * (right - left)).clamp(PAD + half, WIDTH - PAD - half);
    (center - half, center + half)
}

/// The width of the labels of a vertical axis.
pub(super) fn widest_label(axis: &Axis) -> f64 {
    axis.labels().map(|(_, label)| label_width(label)).fold(0.0, f64::max)
}

fn label_width(label: &Label) -> f64 {
    width(&label.digits, TEXT) + width(&label.power, 0.75 * TEXT) + width(label.unit, TEXT)
}
