//! Writing the SVG elements of all charts, and the frame around them.

use super::labels::Rect;
use super::layout::{LINE_HEIGHT, PAD, TEXT, TICK_GAP, WIDTH, tick_span};
use super::scale::{Axis, Label, Tick};
use super::theme::chart_css;
use crate::text::{escape, number, width, wrap};

/// A chart without its frame, [`WIDTH`] wide.
pub(super) struct Drawing {
    pub(super) title: String,
    /// The alternative text.
    pub(super) description: String,
    pub(super) body: String,
    pub(super) height: f64,
    /// The left edge of the plot, at which charts in a row are aligned.
    pub(super) top: f64,
    /// Its additional style rules.
    pub(super) rules: Vec<&'static str>,
}

impl Drawing {
    /// Returns the chart as a complete element.
    pub(super) fn to_svg(&self, id: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
             aria-labelledby=\"{id}-title {id}-desc\">\n{head}<style>{css}</style>\n{body}</svg>\n",
            height = number(self.height),
            head = head(id, &self.title, &self.description),
            css = chart_css(&self.rules),
            body = self.body,
        )
    }
}

/// The title and the alternative text.
pub(super) fn head(id: &str, title: &str, description: &str) -> String {
    format!(
        "<title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n",
        escape(title),
        escape(description)
    )
}

/// The prefix of the ids of a chart: the given one, or else a fingerprint of its content.
pub(super) fn prefix(id: Option<&str>, picture: &impl std::fmt::Debug) -> String {
    id.map_or_else(|| format!("chart-{:016x}", fingerprint(&format!("{picture:?}"))), identifier)
}

pub(super) fn identifier(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect()
}

/// FNV-1a: the same content has the same id in every run.
fn fingerprint(content: &str) -> u64 {
    content
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The position of a text relative to its point.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Collects the elements of a chart.
#[derive(Default)]
pub(super) struct Pen {
    pub(super) out: String,
}

impl Pen {
    /// The axes, with grid lines or, for a filled plot, with ticks only.
    pub(super) fn axes(&mut self, plot: Rect, x: Option<&Axis>, y: Option<&Axis>, grid: bool) {
        let Rect { left, top, right, bottom } = plot;
        let across = |at: f64| left + at * (right - left);
        let up = |at: f64| bottom - at * (bottom - top);
        let length = |tick: &Tick| if tick.label.is_some() { 6.0 } else { 3.0 };

        if grid {
            self.open("grid");
            for (at, _) in y.into_iter().flat_map(Axis::labels) {
                self.path("", &[(left, up(at)), (right, up(at))]);
            }
            for (at, _) in x.into_iter().flat_map(Axis::labels) {
                self.path("", &[(across(at), top), (across(at), bottom)]);
            }
            self.close();
        }

        self.open("axis");
        if let Some(axis) = x {
            self.path("", &[(left, bottom), (right, bottom)]);
            for tick in &axis.ticks {
                self.path("", &[(across(tick.at), bottom), (across(tick.at), bottom + length(tick))]);
            }
        }
        if let Some(axis) = y.filter(|axis| axis.log || !grid) {
            self.path("", &[(left, top), (left, bottom)]);
            for tick in &axis.ticks {
                self.path("", &[(left - length(tick), up(tick.at)), (left, up(tick.at))]);
            }
        }
        self.close();

        self.open("muted");
        for (at, label) in y.into_iter().flat_map(Axis::labels) {
            self.tick((left - TICK_GAP, up(at)), Anchor::End, label);
        }
        for (at, label) in x.into_iter().flat_map(Axis::labels) {
            let (from, to) = tick_span(left, right, at, label);
            self.tick(((from + to) / 2.0, bottom + 19.0), Anchor::Middle, label);
        }
        self.close();
    }

    /// The name of the horizontal axis under `top`, centered on the plot, and the notes; returns the height of the
    /// chart.
    pub(super) fn footer(&mut self, plot: Rect, top: f64, x_label: &[String], notes: &[String]) -> f64 {
        let mut y = top;
        for line in x_label {
            let half = width(line, TEXT) / 2.0;
            let x = ((plot.left + plot.right) / 2.0).clamp(PAD + half, WIDTH - PAD - half);
            self.text("muted", (x, y + LINE_HEIGHT / 2.0), Anchor::Middle, std::slice::from_ref(line));
            y += LINE_HEIGHT;
        }
        for note in notes {
            y += 4.0;
            y += self.block("muted", y, &wrap(note, TEXT, WIDTH - 2.0 * PAD));
        }
        y + PAD
    }

    pub(super) fn open(&mut self, class: &str) {
        self.out += &format!("<g class=\"{class}\">\n");
    }

    pub(super) fn close(&mut self) {
        self.out += "</g>\n";
    }

    pub(super) fn path(&mut self, class: &str, points: &[(f64, f64)]) {
        let class = if class.is_empty() { String::new() } else { format!("class=\"{class}\" ") };
        let points: Vec<String> =
            points.iter().map(|&(x, y)| format!("{} {}", number(x), number(y))).collect();
        self.out += &format!("<path {class}d=\"M{}\"/>\n", points.join("L"));
    }

    pub(super) fn circle(&mut self, class: &str, (x, y): (f64, f64), radius: f64) {
        self.out += &format!(
            "<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"{radius}\"/>\n",
            number(x),
            number(y)
        );
    }

    /// Writes lines of text around a middle height.
    ///
    /// Offsets are in em, so that the lines keep together when the style sheet changes the size.
    pub(super) fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, lines: &[String]) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let (x, y) = (number(x), number(y));
        let mut dy = 0.35 - 0.6 * (lines.len() as f64 - 1.0);
        self.out += &format!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\"{anchor}>");
        for line in lines {
            self.out += &format!("<tspan x=\"{x}\" dy=\"{}em\">{}</tspan>", number(dy), escape(line));
            dy = 1.2;
        }
        self.out += "</text>\n";
    }

    /// Writes lines of text at the left edge below `top`; returns their height.
    pub(super) fn block(&mut self, class: &str, top: f64, lines: &[String]) -> f64 {
        let height = lines.len() as f64 * LINE_HEIGHT;
        if !lines.is_empty() {
            self.text(class, (PAD, top + height / 2.0), Anchor::Start, lines);
        }
        height
    }

    fn tick(&mut self, (x, y): (f64, f64), anchor: Anchor, label: &Label) {
        let anchor = if matches!(anchor, Anchor::End) { "end" } else { "middle" };
        let Label { digits, power, unit } = label;
        let power = match power.as_str() {
            "" => String::new(),
            power => format!("<tspan class=\"power\" dy=\"-.5em\">{power}</tspan>"),
        };
        let unit = match (*unit, power.as_str()) {
            (unit, "") => unit.to_owned(),
            (unit, _) => format!("<tspan dy=\".375em\">{unit}</tspan>"),
        };
        let (x, y) = (number(x), number(y));
        self.out += &format!(
            "<text x=\"{x}\" y=\"{y}\" dy=\".35em\" text-anchor=\"{anchor}\">{digits}{power}{unit}</text>\n"
        );
    }
}
