//! What is drawn of a chart's lines, and what has to be said about the rest.

use super::scale::placeable;
use super::{Chart, Line, Style};

/// A line as it will be drawn: its unbroken pieces in data units, and its looks.
pub(super) struct Series<'a> {
    pub(super) name: &'a str,
    pub(super) pieces: Vec<&'a [(f64, f64)]>,
    pub(super) colour: usize,
    pub(super) faint: bool,
    style: Style,
}

impl<'a> Series<'a> {
    pub(super) fn all(chart: &'a Chart) -> Vec<Series<'a>> {
        chart.lines.iter().enumerate().map(|(i, line)| Series::new(chart, i, line)).collect()
    }

    fn new(chart: &Chart, index: usize, line: &'a Line) -> Series<'a> {
        const STYLES: [Style; 4] = [Style::Solid, Style::Dashed, Style::DashDot, Style::Dotted];
        let style = if line.faint { Style::Solid } else { STYLES[index % 4] };
        Series {
            name: line.name.trim(),
            pieces: line.points.split(|&p| !chart.shows(p)).filter(|piece| !piece.is_empty()).collect(),
            // five colours and four styles: twenty different lines
            colour: line.colour.unwrap_or(index) % 5,
            faint: line.faint,
            style: line.style.unwrap_or(style),
        }
    }

    pub(super) fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.pieces.iter().copied().flatten().copied()
    }

    pub(super) fn end(&self) -> Option<(f64, f64)> {
        self.pieces.last()?.last().copied()
    }

    pub(super) fn is_named(&self) -> bool {
        !self.name.is_empty() && !self.pieces.is_empty()
    }

    /// The classes of its strokes.
    pub(super) fn class(&self) -> String {
        let style = match self.style {
            Style::Solid => "",
            Style::Dashed => " dashed",
            Style::Dotted => " dotted",
            Style::DashDot => " dashdot",
        };
        format!("line{style}{}", if self.faint { " faint" } else { "" })
    }
}

impl Chart {
    /// Whether the point can be placed on both axes.
    pub(super) fn shows(&self, (x, y): (f64, f64)) -> bool {
        placeable(x, self.log_x) && placeable(y, self.log_y)
    }

    /// The alternative text, and after it what could not be drawn.
    pub(super) fn description(&self, series: &[Series]) -> String {
        let mut text = self.alt.trim().to_owned();
        if text.is_empty() {
            let or =
                |label: &str, axis: &str| if label.is_empty() { axis.to_owned() } else { label.to_owned() };
            text = format!("Line chart of {} against {}", or(&self.y_label, "y"), or(&self.x_label, "x"));
            let names: Vec<&str> = series.iter().filter(|s| s.is_named()).map(|s| s.name).collect();
            text += &if names.is_empty() { ".".to_owned() } else { format!(": {}.", names.join(", ")) };
        }
        for note in self.left_out(series) {
            text = text + " " + &note;
        }
        text
    }

    /// One sentence for each reason why points or lines are missing from the picture.
    pub(super) fn left_out(&self, series: &[Series]) -> Vec<String> {
        let points = self.lines.iter().flat_map(|line| line.points.iter().copied());
        let marks = self.marks.iter().map(|mark| (mark.x, mark.y));
        let hidden: Vec<(f64, f64)> = points.chain(marks).filter(|&p| !self.shows(p)).collect();
        let infinite = hidden.iter().filter(|p| !placeable(p.0, false) || !placeable(p.1, false)).count();
        let reasons =
            [(infinite, "not finite"), (hidden.len() - infinite, "zero or negative, on a logarithmic axis")];
        let told = reasons.into_iter().filter(|(count, _)| *count > 0).map(|(count, reason)| match count {
            1 => format!("Not drawn: 1 point that is {reason}."),
            _ => format!("Not drawn: {count} points that are {reason}."),
        });
        let nothing = self.lines.is_empty() && self.marks.is_empty();
        let empty = series.iter().filter(|s| s.pieces.is_empty() && !s.name.is_empty());
        let empty = empty.map(|s| format!("Nothing to draw for {}.", s.name));
        told.chain(empty).chain(nothing.then(|| "There are no data.".to_owned())).collect()
    }
}
