//! The drawable parts of the lines of a chart, and notes about the others.

use super::scale::placeable;
use super::{Chart, Line, Points, Style};

/// A line, or points, as they will be drawn: its unbroken pieces in data units, and its looks.
pub(super) struct Series<'a> {
    pub(super) name: &'a str,
    pub(super) pieces: Vec<&'a [(f64, f64)]>,
    pub(super) color: usize,
    pub(super) faint: bool,
    /// Named at the middle of its points.
    pub(super) at_center: bool,
    look: Look,
}

/// How a series is distinguished without color.
#[derive(Clone, Copy, PartialEq)]
enum Look {
    Joined(Style),
    Marked(Shape),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    Disc,
    Square,
    Triangle,
    Cross,
}

impl<'a> Series<'a> {
    pub(super) fn all(chart: &'a Chart) -> Vec<Series<'a>> {
        let lines = chart.lines.iter().enumerate().map(|(i, line)| Series::joined(chart, i, line));
        let points = chart.points.iter().enumerate().map(|(i, points)| Series::marked(chart, i, points));
        lines.chain(points).collect()
    }

    fn joined(chart: &Chart, index: usize, line: &'a Line) -> Series<'a> {
        const STYLES: [Style; 4] = [Style::Solid, Style::Dashed, Style::DashDot, Style::Dotted];
        // a chosen color brings its style, so that both mean the same in several charts
        let style = if line.faint { Style::Solid } else { STYLES[line.color.unwrap_or(index) % 4] };
        Series {
            name: line.name.trim(),
            pieces: pieces(&line.points, |&p| chart.shows(p)),
            // five colors and four styles: twenty different lines
            color: line.color.unwrap_or(index) % 5,
            faint: line.faint,
            at_center: false,
            look: Look::Joined(line.style.unwrap_or(style)),
        }
    }

    fn marked(chart: &Chart, index: usize, points: &'a Points) -> Series<'a> {
        const SHAPES: [Shape; 4] = [Shape::Disc, Shape::Square, Shape::Triangle, Shape::Cross];
        Series {
            name: points.name.trim(),
            pieces: pieces(&points.points, |&p| chart.shows(p)),
            // beside lines they take the remaining colors
            color: points.color.unwrap_or(chart.lines.len() + index) % 5,
            faint: false,
            at_center: points.at_center,
            look: Look::Marked(SHAPES[index % 4]),
        }
    }

    pub(super) fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.pieces.iter().copied().flatten().copied()
    }

    /// Where a line ends; points do not.
    pub(super) fn end(&self) -> Option<(f64, f64)> {
        if self.shape().is_some() {
            return None;
        }
        self.pieces.last()?.last().copied()
    }

    pub(super) fn is_named(&self) -> bool {
        !self.name.is_empty() && !self.pieces.is_empty()
    }

    pub(super) fn shape(&self) -> Option<Shape> {
        match self.look {
            Look::Joined(_) => None,
            Look::Marked(shape) => Some(shape),
        }
    }

    /// The classes of its strokes.
    pub(super) fn class(&self) -> String {
        let style = match self.look {
            Look::Joined(Style::Solid) | Look::Marked(_) => "",
            Look::Joined(Style::Dashed) => " dashed",
            Look::Joined(Style::Dotted) => " dotted",
            Look::Joined(Style::DashDot) => " dashdot",
        };
        format!("line{style}{}", if self.faint { " faint" } else { "" })
    }
}

/// The unbroken pieces of a series.
pub(super) fn pieces<T>(points: &[T], shown: impl Fn(&T) -> bool) -> Vec<&[T]> {
    points.split(|p| !shown(p)).filter(|piece| !piece.is_empty()).collect()
}

impl Chart {
    /// Whether the interval can be placed on both axes.
    pub(super) fn shows_interval(&self, &(x, low, high): &(f64, f64, f64)) -> bool {
        self.shows((x, low)) && self.shows((x, high))
    }

    /// Whether the point can be placed on both axes.
    pub(super) fn shows(&self, (x, y): (f64, f64)) -> bool {
        placeable(x, self.log_x) && placeable(y, self.log_y)
    }

    /// The alternative text, followed by the notes.
    pub(super) fn description(&self, series: &[Series]) -> String {
        let mut text = self.alt.trim().to_owned();
        if text.is_empty() {
            let or =
                |label: &str, axis: &str| if label.is_empty() { axis.to_owned() } else { label.to_owned() };
            let kind = if self.points.is_empty() { "Line chart" } else { "Chart" };
            text = format!("{kind} of {} against {}", or(&self.y_label, "y"), or(&self.x_label, "x"));
            let names: Vec<&str> = series.iter().filter(|s| s.is_named()).map(|s| s.name).collect();
            text += &if names.is_empty() { ".".to_owned() } else { format!(": {}.", names.join(", ")) };
        }
        for note in self.left_out(series) {
            text = text + " " + &note;
        }
        text
    }

    /// One sentence for each reason why points or lines are not drawn.
    pub(super) fn left_out(&self, series: &[Series]) -> Vec<String> {
        let joined = self.lines.iter().flat_map(|line| line.points.iter().copied());
        let points = self.points.iter().flat_map(|points| points.points.iter().copied());
        let marks = self.marks.iter().map(|mark| (mark.x, mark.y));
        let verticals = self.verticals.iter().map(|vertical| (vertical.x, 1.0));
        // an interval is represented by the end that cannot be drawn
        let intervals = self.bands.iter().flat_map(|band| &band.intervals);
        let intervals = intervals.map(|&(x, low, high)| (x, if self.shows((x, low)) { high } else { low }));
        let all = joined.chain(points).chain(marks).chain(verticals).chain(intervals);
        let hidden: Vec<(f64, f64)> = all.filter(|&p| !self.shows(p)).collect();
        let infinite = hidden.iter().filter(|p| !placeable(p.0, false) || !placeable(p.1, false)).count();
        let reasons =
            [(infinite, "not finite"), (hidden.len() - infinite, "zero or negative, on a logarithmic axis")];
        let notes = reasons.into_iter().filter(|(count, _)| *count > 0).map(|(count, reason)| match count {
            1 => format!("Not drawn: 1 point that is {reason}."),
            _ => format!("Not drawn: {count} points that are {reason}."),
        });
        let nothing = series.is_empty() && self.bands.is_empty() && self.marks.is_empty();
        let empty = series.iter().filter(|s| s.pieces.is_empty() && !s.name.is_empty());
        let empty = empty.map(|s| format!("Nothing to draw for {}.", s.name));
        notes.chain(empty).chain(nothing.then(|| "There are no data.".to_owned())).collect()
    }
}
