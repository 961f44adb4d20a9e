//! Writing the picture, from the back to the front: grid, lines, words.

use super::labels::{Rect, place_remark};
use super::layout::{LINE_HEIGHT, Layout, PAD, SAMPLE, TEXT, TICK_GAP, WIDTH, tick_span};
use super::scale::Label;
use super::series::Series;
use super::text::{escape, number, width, wrap};
use super::theme::{chart_css, panels_css};
use super::{Chart, Panels};

pub(super) fn svg(chart: &Chart) -> String {
    let series = Series::all(chart);
    let (body, height) = body(chart, &Layout::new(chart, &series), &series);
    let id = match &chart.id {
        Some(id) => identifier(id),
        None => format!("chart-{:016x}", fingerprint(&format!("{chart:?}"))),
    };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"{id}-title {id}-desc\">\n{head}<style>{css}</style>\n{body}</svg>\n",
        height = number(height),
        head = head(&id, &chart.title, &chart.description(&series)),
        css = chart_css(),
    )
}

/// The charts in rows of `columns`, their plots in line, on paper.
pub(super) fn panels(panels: &Panels) -> String {
    const MARGIN: f64 = 22.0;
    const GAP: (f64, f64) = (36.0, 22.0);
    let columns = panels.columns.clamp(1, panels.charts.len().max(1));
    let width = 2.0 * MARGIN + columns as f64 * WIDTH + (columns - 1) as f64 * GAP.0;
    let (mut pen, mut y, mut told) = (Pen::default(), MARGIN, vec![panels.subtitle.clone()]);
    for (class, text, size) in [("head", &panels.title, 22.0 * 1.1), ("muted", &panels.subtitle, TEXT)] {
        for line in wrap(text, size, width - 2.0 * MARGIN) {
            pen.text(class, (MARGIN, y + 0.7 * size), Anchor::Start, &[line]);
            y += 1.4 * size;
        }
    }
    for row in panels.charts.chunks(columns) {
        let series: Vec<_> = row.iter().map(Series::all).collect();
        let layouts: Vec<_> =
            row.iter().zip(&series).map(|(chart, series)| Layout::new(chart, series)).collect();
        let lowest = layouts.iter().map(|layout| layout.plot.top).fold(0.0, f64::max);
        let mut bottom = y;
        for (column, ((chart, layout), series)) in row.iter().zip(&layouts).zip(&series).enumerate() {
            let (x, y) = (MARGIN + column as f64 * (WIDTH + GAP.0), y + GAP.1 + lowest - layout.plot.top);
            let (body, height) = body(chart, layout, series);
            pen.out += &format!("<g transform=\"translate({} {})\">\n{body}</g>\n", number(x), number(y));
            bottom = bottom.max(y + height);
            told.push(format!("{}: {}", chart.title, chart.description(series)));
        }
        y = bottom;
    }
    let (id, height) = (identifier(&panels.id), number(y + MARGIN));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-labelledby=\"{id}-title {id}-desc\" style=\"display:block;width:100%;max-width:{width}px;height:auto;margin:12px 0\">\n\
         {head}<style>{css}</style>\n<g id=\"{id}\">\n\
         <rect class=\"paper\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>\n{body}</g>\n</svg>\n",
        head = head(&id, &panels.title, told.join(" ").trim()),
        css = panels_css(&id),
        body = pen.out,
    )
}

/// What a chart is made of, and its height.
fn body(chart: &Chart, layout: &Layout, series: &[Series]) -> (String, f64) {
    let mut pen = Pen::default();
    pen.header(layout, series);
    pen.axes(layout);
    let ink = pen.lines(layout, series);
    pen.names(layout, series);
    pen.remarks(layout, chart, &ink);
    let height = pen.footer(layout, &chart.left_out(series));
    (pen.out, height)
}

/// The name and the description, for those who do not see the picture.
fn head(id: &str, title: &str, description: &str) -> String {
    format!(
        "<title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n",
        escape(title),
        escape(description)
    )
}

fn identifier(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect()
}

/// FNV-1a: the same content has the same id in every run.
fn fingerprint(content: &str) -> u64 {
    content
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Where a text stands in relation to its point.
#[derive(Clone, Copy)]
enum Anchor {
    Start,
    Middle,
    End,
}

/// Collects the elements of the picture.
#[derive(Default)]
struct Pen {
    out: String,
}

impl Pen {
    /// Title, subtitle, legend and the name of the vertical axis.
    fn header(&mut self, layout: &Layout, series: &[Series]) {
        let mut y = PAD;
        y += self.block("title", y, &layout.title);
        y += self.block("muted", y, &layout.subtitle);
        for entry in &layout.legend {
            let (x, middle) = (PAD + entry.at.0, y + 8.0 + entry.at.1);
            let one = &series[entry.series];
            self.open(&format!("c{}", one.colour));
            self.path(&one.class(), &[(x, middle), (x + SAMPLE.0, middle)]);
            self.text("name", (x + SAMPLE.0 + SAMPLE.1, middle), Anchor::Start, &entry.lines);
            self.close();
        }
        y += layout.legend_height + 8.0;
        self.block("muted", y, &layout.y_label);
    }

    fn axes(&mut self, layout: &Layout) {
        let Rect { left, top, right, bottom } = layout.plot;
        let across = |at: f64| left + at * (right - left);
        let up = |at: f64| bottom - at * (bottom - top);

        self.open("grid");
        for (at, _) in layout.y.labels() {
            self.path("", &[(left, up(at)), (right, up(at))]);
        }
        for (at, _) in layout.x.labels() {
            self.path("", &[(across(at), top), (across(at), bottom)]);
        }
        self.close();

        self.open("axis");
        self.path("", &[(left, bottom), (right, bottom)]);
        for tick in &layout.x.ticks {
            let length = if tick.label.is_some() { 6.0 } else { 3.0 };
            self.path("", &[(across(tick.at), bottom), (across(tick.at), bottom + length)]);
        }
        if layout.y.log {
            self.path("", &[(left, top), (left, bottom)]);
            for tick in &layout.y.ticks {
                let length = if tick.label.is_some() { 6.0 } else { 3.0 };
                self.path("", &[(left - length, up(tick.at)), (left, up(tick.at))]);
            }
        }
        self.close();

        self.open("muted");
        for (at, label) in layout.y.labels() {
            self.tick((left - TICK_GAP, up(at)), Anchor::End, label);
        }
        for (at, label) in layout.x.labels() {
            let (from, to) = tick_span(left, right, at, label);
            self.tick(((from + to) / 2.0, bottom + 19.0), Anchor::Middle, label);
        }
        self.close();
    }

    /// Draws the lines, those behind first; returns points along them, close enough to keep words off the ink.
    fn lines(&mut self, layout: &Layout, series: &[Series]) -> Vec<(f64, f64)> {
        let mut ink = Vec::new();
        let (behind, before): (Vec<&Series>, Vec<&Series>) = series.iter().partition(|s| s.faint);
        for one in behind.into_iter().chain(before) {
            self.open(&format!("c{}", one.colour));
            for piece in &one.pieces {
                let points: Vec<(f64, f64)> = piece.iter().map(|&p| layout.at(p)).collect();
                let points = thin(&points);
                match points[..] {
                    [alone] => self.circle("dot", alone, 3.0),
                    _ => self.path(&one.class(), &points),
                }
                ink.push(points[0]);
                ink.extend(points.windows(2).flat_map(|pair| along(pair[0], pair[1])));
            }
            self.close();
        }
        ink
    }

    /// Names at the line ends, with a leader where one had to move.
    fn names(&mut self, layout: &Layout, series: &[Series]) {
        for name in &layout.names {
            let one = &series[name.series];
            let Some(end) = one.end().map(|end| layout.at(end)) else { continue };
            self.open(&format!("c{}", one.colour));
            self.circle("dot", end, 3.0);
            if (end.1 - name.at.1).abs() > 3.0 || end.0 < layout.plot.right - 3.0 {
                self.path(
                    "leader",
                    &[(layout.plot.right.min(end.0 + 5.0), end.1), (name.at.0 - 3.0, name.at.1)],
                );
            }
            self.text("name", name.at, Anchor::Start, &name.lines);
            self.close();
        }
    }

    fn remarks(&mut self, layout: &Layout, chart: &Chart, ink: &[(f64, f64)]) {
        let shown: Vec<_> = chart.marks.iter().filter(|mark| chart.shows((mark.x, mark.y))).collect();
        let ring = |(x, y): (f64, f64)| Rect { left: x - 6.0, top: y - 6.0, right: x + 6.0, bottom: y + 6.0 };
        let mut taken: Vec<Rect> = shown.iter().map(|mark| ring(layout.at((mark.x, mark.y)))).collect();
        for mark in shown {
            let point = layout.at((mark.x, mark.y));
            let lines = wrap(&mark.text, TEXT, 0.6 * (layout.plot.right - layout.plot.left));
            let widest = lines.iter().map(|line| width(line, TEXT)).fold(0.0, f64::max);
            let size = (widest, lines.len() as f64 * LINE_HEIGHT);
            let place = place_remark(point, size, layout.plot, &taken, ink);
            taken.push(place);

            let middle = (place.top + place.bottom) / 2.0;
            // the words may shrink: they stay at the side that faces the point
            let (x, anchor) = if place.left >= point.0 {
                (place.left, Anchor::Start)
            } else if place.right <= point.0 {
                (place.right, Anchor::End)
            } else {
                ((place.left + place.right) / 2.0, Anchor::Middle)
            };
            let near = (point.0.clamp(place.left, place.right), point.1.clamp(place.top, place.bottom));
            if (near.0 - point.0).hypot(near.1 - point.1) > 14.0 {
                self.path("leader", &[point, near]);
            }
            self.circle("ring", point, 4.0);
            self.text("halo", (x, middle), anchor, &lines);
        }
    }

    /// The name of the horizontal axis and the notes; returns the height of the picture.
    fn footer(&mut self, layout: &Layout, notes: &[String]) -> f64 {
        let mut y = layout.plot.bottom + 32.0;
        for line in &layout.x_label {
            let half = width(line, TEXT) / 2.0;
            let centre = (layout.plot.left + layout.plot.right) / 2.0;
            let x = centre.clamp(PAD + half, WIDTH - PAD - half);
            self.text("muted", (x, y + LINE_HEIGHT / 2.0), Anchor::Middle, std::slice::from_ref(line));
            y += LINE_HEIGHT;
        }
        for note in notes {
            y += 4.0;
            y += self.block("muted", y, &wrap(note, TEXT, WIDTH - 2.0 * PAD));
        }
        y + PAD
    }

    fn open(&mut self, class: &str) {
        self.out += &format!("<g class=\"{class}\">\n");
    }

    fn close(&mut self) {
        self.out += "</g>\n";
    }

    fn path(&mut self, class: &str, points: &[(f64, f64)]) {
        let class = if class.is_empty() { String::new() } else { format!("class=\"{class}\" ") };
        let points: Vec<String> =
            points.iter().map(|&(x, y)| format!("{} {}", number(x), number(y))).collect();
        self.out += &format!("<path {class}d=\"M{}\"/>\n", points.join("L"));
    }

    fn circle(&mut self, class: &str, (x, y): (f64, f64), radius: f64) {
        self.out += &format!(
            "<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"{radius}\"/>\n",
            number(x),
            number(y)
        );
    }

    /// Writes lines of text around a middle height.
    ///
    /// Offsets are in em, so that the lines keep together when the style sheet changes the size.
    fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, lines: &[String]) {
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
    fn block(&mut self, class: &str, top: f64, lines: &[String]) -> f64 {
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

/// Keeps, of the consecutive points in a column half a unit wide, the first, the lowest, the highest and the last.
///
/// The stroke through these covers the same ground as the stroke through all of them, and there are at most four
/// points for each visit to a column.
fn thin(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let column = |p: &(f64, f64)| (p.0 * 2.0).floor();
    let mut kept = Vec::new();
    for run in points.chunk_by(|a, b| column(a) == column(b)) {
        let by_y = |&a: &usize, &b: &usize| run[a].1.total_cmp(&run[b].1);
        let lowest = (0..run.len()).min_by(by_y).unwrap_or(0);
        let highest = (0..run.len()).max_by(by_y).unwrap_or(0);
        let mut indices = [0, lowest, highest, run.len() - 1];
        indices.sort_unstable();
        let first = kept.len();
        for index in indices {
            if kept[first..].last() != Some(&run[index]) {
                kept.push(run[index]);
            }
        }
    }
    kept
}

/// Points from `a` (left out) to `b`, at most four units apart.
fn along(a: (f64, f64), b: (f64, f64)) -> impl Iterator<Item = (f64, f64)> {
    let steps = ((b.0 - a.0).hypot(b.1 - a.1) / 4.0).ceil().max(1.0);
    (1..=steps as usize).map(move |i| {
        let t = i as f64 / steps;
        (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_the_extremes_of_each_column() {
        let noisy: Vec<(f64, f64)> =
            (0..2000).map(|i| (f64::from(i) * 0.01, f64::from(i * i % 97))).collect();
        let kept = thin(&noisy);
        assert!(kept.len() <= 4 * 40, "{} points for 40 columns", kept.len());
        for column in 0..40 {
            let in_column = |p: &&(f64, f64)| (p.0 * 2.0).floor() == f64::from(column);
            let extremes = |points: &[(f64, f64)]| {
                let ys = points.iter().filter(in_column).map(|p| p.1);
                ys.fold((f64::MAX, f64::MIN), |(l, h), y| (l.min(y), h.max(y)))
            };
            assert_eq!(extremes(&kept), extremes(&noisy));
        }
        assert_eq!((kept.first(), kept.last()), (noisy.first(), noisy.last()));
    }

    #[test]
    fn sparse_lines_stay_as_they_are() {
        let sparse = [(0.0, 1.0), (1.0, 2.0), (2.0, 0.5)];
        assert_eq!(thin(&sparse), sparse);
    }
}
