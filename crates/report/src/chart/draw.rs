//! Writing a chart, from the back to the front: grid, bands, points, lines, text.

use super::labels::{Rect, place_beside, place_centered, place_remark};
use super::layout::{LINE_HEIGHT, Layout, PAD, SAMPLE, TEXT};
use super::pen::{Anchor, Drawing, Pen};
use super::series::{Series, Shape, pieces};
use super::{Band, Cells, Chart};
use crate::text::{number, width, wrap};

/// The number of points above which the markers are small and translucent.
const FEW: usize = 200;

const BANDS: &[&str] = &[".band{fill:currentColor;fill-opacity:.2;stroke-width:1;stroke-opacity:.2}"];
const CELLS: &[&str] = &[".cell{fill:currentColor;stroke:none;shape-rendering:crispEdges}"];
/// The opacity of cells, from the faintest to the strongest.
const OPACITY: [f64; 5] = [0.06, 0.13, 0.2, 0.27, 0.34];
const VERTICALS: &[&str] = &[".vertical{stroke-width:1.2;stroke-dasharray:4 4}"];
const POINTS: &[&str] = &[
    ".disc{stroke-width:7;stroke-linecap:round}",
    ".square{stroke-width:6;stroke-linecap:square;stroke-linejoin:miter}",
    ".triangle{fill:currentColor;stroke:none}",
    ".cross{stroke-width:1.8}",
    ".many{opacity:.6}",
    ".many .disc{stroke-width:3.2}",
    ".many .square{stroke-width:2.8}",
    ".many .cross{stroke-width:1}",
    ".center{font-weight:700}",
];

pub(super) fn drawing(chart: &Chart) -> Drawing {
    let series = Series::all(chart);
    let layout = Layout::new(chart, &series);
    let notes = chart.left_out(&series);
    let mut pen = Pen::default();
    pen.header(&layout, &series);
    pen.axes(layout.plot, Some(&layout.x), Some(&layout.y), true);
    if let Some(cells) = &chart.cells {
        pen.cells(&layout, cells);
    }
    for (index, band) in chart.bands.iter().enumerate() {
        pen.band(&layout, chart, band, band.color.unwrap_or(index) % 5);
    }
    let mut ink = pen.points(&layout, &series);
    ink.extend(pen.lines(&layout, &series));
    pen.names(&layout, &series);
    let mut taken = pen.centers(&layout, &series);
    pen.verticals(&layout, chart, &mut taken, &mut ink);
    pen.remarks(&layout, chart, taken, &ink);
    let height = pen.footer(layout.plot, layout.plot.bottom + 32.0, &layout.x_label, &notes);
    let needed = [
        (chart.cells.is_some(), CELLS),
        (!chart.bands.is_empty(), BANDS),
        (!chart.points.is_empty(), POINTS),
        (!chart.verticals.is_empty(), VERTICALS),
    ];
    Drawing {
        title: chart.title.clone(),
        description: chart.description(&series),
        body: pen.out,
        height,
        top: layout.plot.top,
        rules: needed.into_iter().filter(|(needs, _)| *needs).flat_map(|(_, rules)| rules).copied().collect(),
    }
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
            self.open(&format!("c{}", one.color));
            match one.shape() {
                Some(shape) => self.markers(shape, &[(x + SAMPLE.0 / 2.0, middle)], false),
                None => self.path(&one.class(), &[(x, middle), (x + SAMPLE.0, middle)]),
            }
            self.text("name", (x + SAMPLE.0 + SAMPLE.1, middle), Anchor::Start, &entry.lines);
            self.close();
        }
        y += layout.legend_height + 8.0;
        self.block("muted", y, &layout.y_label);
    }

    /// Writes the cells, those of a color and an opacity as one path, neighbors in a row as one rectangle.
    fn cells(&mut self, layout: &Layout, cells: &Cells) {
        let (left, bottom) = layout.at((cells.x.0, cells.y.0));
        let (right, top) = layout.at((cells.x.1, cells.y.1));
        let look = |&(color, strength): &(usize, f64)| {
            (color % 5, ((strength.clamp(0.0, 1.0) * OPACITY.len() as f64) as usize).min(OPACITY.len() - 1))
        };
        let mut paths = vec![[const { String::new() }; OPACITY.len()]; 5];
        let height = (bottom - top) / cells.rows.len() as f64;
        for (above, row) in cells.rows.iter().enumerate() {
            let (y, width) = (bottom - (above + 1) as f64 * height, (right - left) / row.len() as f64);
            let mut first = 0;
            for run in row.chunk_by(|a, b| look(a) == look(b)) {
                let (color, opacity) = look(&run[0]);
                let [x, y, w, h] =
                    [left + first as f64 * width, y, run.len() as f64 * width, height].map(number);
                paths[color][opacity] += &format!("M{x} {y}h{w}v{h}h-{w}z");
                first += run.len();
            }
        }
        for (color, paths) in
            paths.iter().enumerate().filter(|(_, paths)| paths.iter().any(|path| !path.is_empty()))
        {
            self.open(&format!("c{color}"));
            for (path, opacity) in paths.iter().zip(OPACITY).filter(|(path, _)| !path.is_empty()) {
                self.out += &format!("<path class=\"cell\" fill-opacity=\"{opacity}\" d=\"{path}\"/>\n");
            }
            self.close();
        }
    }

    fn band(&mut self, layout: &Layout, chart: &Chart, band: &Band, color: usize) {
        self.open(&format!("c{color}"));
        for piece in pieces(&band.intervals, |interval| chart.shows_interval(interval)) {
            let edge = |of: fn(&(f64, f64, f64)) -> (f64, f64)| -> Vec<(f64, f64)> {
                thin(&piece.iter().map(|interval| layout.at(of(interval))).collect::<Vec<_>>())
            };
            let (mut outline, low) = (edge(|&(x, _, high)| (x, high)), edge(|&(x, low, _)| (x, low)));
            outline.extend(low.into_iter().rev());
            self.path("band", &outline);
        }
        self.close();
    }

    /// Draws the points; returns where they are.
    fn points(&mut self, layout: &Layout, series: &[Series]) -> Vec<(f64, f64)> {
        let shown = || series.iter().filter(|one| !one.pieces.is_empty());
        let marked = || shown().filter_map(|one| one.shape().map(|shape| (one, shape)));
        let many = marked().map(|(one, _)| one.points().count()).sum::<usize>() > FEW;
        let mut ink = Vec::new();
        for (one, shape) in marked() {
            let points: Vec<(f64, f64)> = one.points().map(|p| layout.at(p)).collect();
            self.open(&format!("c{}{}", one.color, if many { " many" } else { "" }));
            self.markers(shape, &points, many);
            self.close();
            ink.extend(points);
        }
        ink
    }

    /// Names at the middle of their points; returns where they are.
    fn centers(&mut self, layout: &Layout, series: &[Series]) -> Vec<Rect> {
        let mut taken = Vec::new();
        for one in series.iter().filter(|one| one.at_center && one.is_named()) {
            let (xs, ys): (Vec<f64>, Vec<f64>) = one.points().map(|p| layout.at(p)).unzip();
            let lines = wrap(one.name, TEXT, 0.4 * (layout.plot.right - layout.plot.left));
            let place = place_centered((median(xs), median(ys)), size(&lines), layout.plot, &taken);
            taken.push(place);
            self.open(&format!("c{}", one.color));
            self.text("halo center", middle(&place), Anchor::Middle, &lines);
            self.close();
        }
        taken
    }

    /// Writes the markers as one path, of strokes without length where their caps have the shape.
    fn markers(&mut self, shape: Shape, points: &[(f64, f64)], many: bool) {
        let r = if many { 1.9 } else { 4.0 };
        let (class, from, marker) = match shape {
            Shape::Disc => ("disc", (0.0, 0.0), "h0".to_owned()),
            Shape::Square => ("square", (0.0, 0.0), "h0".to_owned()),
            Shape::Triangle => ("triangle", (0.0, -1.1 * r), format!("l{r} {}h{}z", 1.8 * r, -2.0 * r)),
            Shape::Cross => {
                let d = 2.0 * r;
                ("cross", (-r, -r), format!("l{d} {d}m0 {}l{} {d}", -d, -d))
            }
        };
        let tenths = |value: f64| number((value * 10.0).round() / 10.0);
        let path: String = points
            .iter()
            .map(|(x, y)| format!("M{} {}{marker}", tenths(x + from.0), tenths(y + from.1)))
            .collect();
        self.out += &format!("<path class=\"{class}\" d=\"{path}\"/>\n");
    }

    /// Draws the lines, those behind first; returns points along them, close enough to keep text off the ink.
    fn lines(&mut self, layout: &Layout, series: &[Series]) -> Vec<(f64, f64)> {
        let mut ink = Vec::new();
        let (behind, before): (Vec<&Series>, Vec<&Series>) =
            series.iter().filter(|s| s.shape().is_none()).partition(|s| s.faint);
        for one in behind.into_iter().chain(before) {
            self.open(&format!("c{}", one.color));
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
            self.open(&format!("c{}", one.color));
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

    /// Draws the vertical lines and their labels, and adds both to the areas that remarks avoid.
    fn verticals(
        &mut self,
        layout: &Layout,
        chart: &Chart,
        taken: &mut Vec<Rect>,
        ink: &mut Vec<(f64, f64)>,
    ) {
        let Rect { top, bottom, .. } = layout.plot;
        for vertical in chart.verticals.iter().filter(|vertical| chart.shows((vertical.x, 1.0))) {
            let x = layout.plot.left + layout.x.place(vertical.x) * (layout.plot.right - layout.plot.left);
            self.path("vertical", &[(x, bottom), (x, top)]);
            ink.extend(along((x, bottom), (x, top)));
            // narrow where wide text would cover a line
            let places = [0.45, 0.28].map(|part| {
                let lines = wrap(&vertical.text, TEXT, part * (layout.plot.right - layout.plot.left));
                (place_beside(x, size(&lines), layout.plot, taken, ink), lines)
            });
            let [wide, narrow] = places;
            let ((_, place), lines) = if wide.0.0 <= narrow.0.0 + 10.0 { wide } else { narrow };
            taken.push(place);
            let (x, anchor) =
                if place.left > x { (place.left, Anchor::Start) } else { (place.right, Anchor::End) };
            self.text("halo", (x, middle(&place).1), anchor, &lines);
        }
    }

    fn remarks(&mut self, layout: &Layout, chart: &Chart, mut taken: Vec<Rect>, ink: &[(f64, f64)]) {
        let shown: Vec<_> = chart.marks.iter().filter(|mark| chart.shows((mark.x, mark.y))).collect();
        let ring = |(x, y): (f64, f64)| Rect { left: x - 6.0, top: y - 6.0, right: x + 6.0, bottom: y + 6.0 };
        taken.extend(shown.iter().map(|mark| ring(layout.at((mark.x, mark.y)))));
        for mark in shown {
            let point = layout.at((mark.x, mark.y));
            let lines = wrap(&mark.text, TEXT, 0.6 * (layout.plot.right - layout.plot.left));
            let place = place_remark(point, size(&lines), layout.plot, &taken, ink);
            taken.push(place);

            // the text may shrink: it stays at the side that faces the point
            let (x, anchor) = if place.left >= point.0 {
                (place.left, Anchor::Start)
            } else if place.right <= point.0 {
                (place.right, Anchor::End)
            } else {
                (middle(&place).0, Anchor::Middle)
            };
            let near = (point.0.clamp(place.left, place.right), point.1.clamp(place.top, place.bottom));
            if (near.0 - point.0).hypot(near.1 - point.1) > 14.0 {
                self.path("leader", &[point, near]);
            }
            self.circle("ring", point, 4.0);
            self.text("halo", (x, middle(&place).1), anchor, &lines);
        }
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

/// The room for lines of text.
fn size(lines: &[String]) -> (f64, f64) {
    let widest = lines.iter().map(|line| width(line, TEXT)).fold(0.0, f64::max);
    (widest, lines.len() as f64 * LINE_HEIGHT)
}

fn middle(place: &Rect) -> (f64, f64) {
    ((place.left + place.right) / 2.0, (place.top + place.bottom) / 2.0)
}

/// The middle value, or the upper of two; the values must not be empty.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
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
