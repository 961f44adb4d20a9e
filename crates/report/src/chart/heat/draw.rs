//! Writing a heat map: its color bar, its cells, its sides.

use std::ops::Range;

use super::{HeatMap, Side};
use crate::chart::labels::Rect;
use crate::chart::layout::{LINE_HEIGHT, NAME_WIDTH, PAD, TEXT, TICK_GAP, TITLE, WIDTH};
use crate::chart::layout::{flat, full, upright, widest_label};
use crate::chart::pen::{Anchor, Drawing, Pen};
use crate::chart::scale::{Axis, Kind, placeable};
use crate::text::{number, width, wrap};
use crate::theme::{RAMP, is_dark};

/// More cells than this in a row or a column cannot be distinguished.
const MOST: usize = 120;
/// Between the squares of a table.
const GAP: f64 = 2.0;
const BAR: f64 = 10.0;
/// The font sizes of the numbers in cells; the first at which all fit is used.
const SIZES: [f64; 2] = [22.0, TEXT];

const RULES: &[&str] = &[
    ".surface path{stroke-width:1.02}",
    ".white{fill:#fff}",
    ".black{fill:#000}",
    ".large text{font-size:22px}",
    ".hatch{stroke-width:1.5;opacity:.6}",
];

/// The numeric axis of `count` cells, whose middles are the numbers.
fn ends(first: f64, last: f64, count: usize) -> (f64, f64) {
    let half = if count > 1 { (last - first) / (count - 1) as f64 / 2.0 } else { 0.5 };
    (first - half, last + half)
}

/// `count` cells in at most [`MOST`] blocks of nearly the same size.
fn blocks(count: usize) -> Vec<Range<usize>> {
    let most = count.min(MOST);
    (0..most).map(|i| i * count / most..(i + 1) * count / most).collect()
}

pub(in crate::chart) fn drawing(map: &HeatMap, id: &str) -> Drawing {
    let (rows, columns) = map.shape();
    let colors = map.colors();
    let notes = map.notes(&colors);
    let mut pen = Pen::default();

    let mut top = PAD;
    top += pen.block("title", top, &full(&map.title, TITLE));
    top += pen.block("muted", top, &full(&map.subtitle, TEXT));
    top += 6.0 + pen.block("muted", top + 6.0, &full(&map.value_label, TEXT));
    pen.bar(&colors, top + 4.0);
    top += 4.0 + BAR + 32.0;
    top += 8.0 + pen.block("muted", top + 8.0, &full(&map.y_label, TEXT));
    top += 12.0;

    let right = WIDTH - PAD - 8.0;
    // names may break earlier where that makes room for numbers
    let sides = SIZES.iter().flat_map(|&size| [NAME_WIDTH, 0.6 * NAME_WIDTH].map(|limit| (size, limit))).map(
        |(size, limit)| {
            let names = map.row_names(limit);
            let room = names.iter().flatten().map(|line| width(line, TEXT)).fold(map.tick_room(), f64::max);
            let left = PAD + if room > 0.0 { room + TICK_GAP } else { 0.0 };
            let cell = (right - left) / columns.max(1) as f64;
            let is_table = matches!((&map.rows, &map.columns), (Side::Names(_), Side::Names(_)));
            let cells = if is_table { map.written(cell - GAP - 2.0, size) } else { Vec::new() };
            (names, left, cell, cells, size)
        },
    );
    let mut sides: Vec<_> = sides.collect();
    let fits = sides.iter().position(|(_, _, _, cells, _)| !cells.is_empty()).unwrap_or(0);
    let (row_names, left, cell, cells, size) = sides.swap_remove(fits);
    let size = if cells.is_empty() { TEXT } else { size };
    let lines = |of: &[Vec<String>]| of.iter().map(Vec::len).max().unwrap_or(1) as f64;
    let line_height = LINE_HEIGHT * size / TEXT;
    let height = match map.rows {
        Side::Names(_) => {
            rows as f64 * ((lines(&cells) * line_height).max(lines(&row_names) * LINE_HEIGHT) + 14.0)
        }
        Side::Span(..) => ((right - left) * rows as f64 / columns.max(1) as f64).clamp(150.0, 440.0),
    };
    let plot = Rect { left, top, right, bottom: top + height };

    let grid = Grid { map, colors: &colors, plot, rows: blocks(rows), columns: blocks(columns) };
    if map.cells().any(|value| !placeable(value, map.log)) {
        pen.hatch(id);
    }
    match (&map.rows, &map.columns) {
        (Side::Names(_), Side::Names(_)) if rows.max(columns) <= MOST => {
            pen.table(&grid, id, &cells, size > TEXT)
        }
        _ => pen.surface(&grid, id),
    }

    let x = match map.columns {
        Side::Span(first, last) => Some(flat(ends(first, last, columns), Kind::default(), left, right)),
        Side::Names(_) => None,
    };
    let y = match map.rows {
        Side::Span(first, last) => Some(upright(ends(first, last, rows), Kind::default(), height)),
        Side::Names(_) => None,
    };
    pen.axes(plot, x.as_ref(), y.as_ref(), false);
    for (row, lines) in row_names.iter().enumerate() {
        let y = top + (row as f64 + 0.5) * height / rows as f64;
        pen.text("muted", (left - TICK_GAP, y), Anchor::End, lines);
    }
    let below = plot.bottom
        + if let Side::Names(names) = &map.columns { pen.column_names(names, plot, cell) } else { 32.0 };
    let height = pen.footer(plot, below, &full(&map.x_label, TEXT), &notes);
    Drawing {
        title: map.title.clone(),
        description: map.description(&notes),
        body: pen.out,
        height,
        top,
        rules: RULES.to_vec(),
    }
}

impl HeatMap {
    fn row_names(&self, limit: f64) -> Vec<Vec<String>> {
        match &self.rows {
            Side::Names(names) => names.iter().map(|name| wrap(name, TEXT, limit)).collect(),
            Side::Span(..) => Vec::new(),
        }
    }

    /// The room for the words of a numeric axis, whose height is not known yet: the widest are those of the most ticks.
    fn tick_room(&self) -> f64 {
        match self.rows {
            Side::Names(_) => 0.0,
            Side::Span(first, last) => {
                widest_label(&upright(ends(first, last, self.shape().0), Kind::default(), 440.0))
            }
        }
    }
}

/// A map with its position.
struct Grid<'a> {
    map: &'a HeatMap,
    colors: &'a Axis,
    plot: Rect,
    rows: Vec<Range<usize>>,
    columns: Vec<Range<usize>>,
}

impl Grid<'_> {
    /// The step of the ramp for a block: that of the mean place on the scale, or none if one of its cells has none.
    fn step(&self, row: usize, column: usize) -> Option<usize> {
        let cells = self.rows[row].clone().flat_map(|r| self.columns[column].clone().map(move |c| (r, c)));
        let places = cells.map(|(r, c)| {
            let value = self.map.value(r, c);
            placeable(value, self.map.log).then(|| self.colors.place(value).clamp(0.0, 1.0))
        });
        let places: Vec<f64> = places.collect::<Option<_>>()?;
        Some(step(places.iter().sum::<f64>() / places.len() as f64))
    }

    fn is_upright(&self) -> bool {
        matches!(self.map.rows, Side::Span(..))
    }
}

fn step(place: f64) -> usize {
    ((place * RAMP.len() as f64) as usize).min(RAMP.len() - 1)
}

impl Pen {
    /// The colors from low to high, with ticks.
    fn bar(&mut self, colors: &Axis, top: f64) {
        let (left, right) = (PAD, WIDTH - PAD);
        let plot = Rect { left, top, right, bottom: top + BAR };
        let each = (right - left) / RAMP.len() as f64;
        for (i, color) in RAMP.iter().enumerate() {
            // a little wider, so that no paper shines through
            let seam = if i + 1 < RAMP.len() { 0.5 } else { 0.0 };
            self.rect(color, (left + i as f64 * each, top), (each + seam, BAR));
        }
        self.axes(plot, Some(colors), None, false);
    }

    /// The pattern of cells without a value, once for each map.
    fn hatch(&mut self, id: &str) {
        self.open("axis");
        self.out += &format!(
            "<pattern id=\"{id}-hatch\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" \
             patternTransform=\"rotate(45)\"><path class=\"hatch\" d=\"M3 0L3 7\"/></pattern>\n"
        );
        self.close();
    }

    /// Squares with their text.
    fn table(&mut self, grid: &Grid, id: &str, words: &[Vec<String>], large: bool) {
        let Rect { left, top, right, bottom } = grid.plot;
        let (columns, rows) = (grid.columns.len(), grid.rows.len());
        let (wide, high) = ((right - left) / columns as f64, (bottom - top) / rows as f64);
        self.open(if large { "cells large" } else { "cells" });
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
            let (x, y) = (left + column as f64 * wide, top + row as f64 * high);
            let step = grid.step(row, column);
            let fill = step.map_or_else(|| format!("url(#{id}-hatch)"), |step| RAMP[step].to_owned());
            self.rect(&fill, (x + GAP / 2.0, y + GAP / 2.0), (wide - GAP, high - GAP));
            let class = match step {
                None => "halo",
                Some(step) if is_dark(step) => "white",
                Some(_) => "black",
            };
            if let Some(lines) = words.get(row * columns + column).filter(|lines| !lines.is_empty()) {
                self.text(class, (x + wide / 2.0, y + high / 2.0), Anchor::Middle, lines);
            }
        }
        self.close();
    }

    /// Blocks without seams: for each color one path of strokes one block high, in units of blocks.
    fn surface(&mut self, grid: &Grid, id: &str) {
        let Rect { left, top, right, bottom } = grid.plot;
        let (columns, rows) = (grid.columns.len(), grid.rows.len());
        if columns * rows == 0 {
            return;
        }
        let mut strokes = vec![String::new(); RAMP.len()];
        let mut hatched = String::new();
        let (wide, high) = ((right - left) / columns as f64, (bottom - top) / rows as f64);
        for line in 0..rows {
            let row = if grid.is_upright() { rows - 1 - line } else { line };
            let steps: Vec<Option<usize>> = (0..columns).map(|column| grid.step(row, column)).collect();
            let mut column = 0;
            for run in steps.chunk_by(|a, b| a == b) {
                match run[0] {
                    Some(step) => strokes[step] += &format!("M{column} {line}h{}", run.len()),
                    None => {
                        let (x, y) = (left + column as f64 * wide, top + line as f64 * high);
                        let (x, y, length) = (number(x), number(y), number(run.len() as f64 * wide));
                        hatched += &format!("M{x} {y}h{length}v{high}h-{length}z", high = number(high));
                    }
                }
                column += run.len();
            }
        }
        // the strokes run through the middles of their rows
        self.out += &format!(
            "<g class=\"surface\" shape-rendering=\"crispEdges\" transform=\"translate({} {}) scale({wide:.5} {high:.5})\">\n",
            number(left),
            number(top + high / 2.0)
        );
        for (path, color) in strokes.iter().zip(RAMP).filter(|(path, _)| !path.is_empty()) {
            self.out += &format!("<path style=\"stroke:{color}\" d=\"{path}\"/>\n");
        }
        self.close();
        if !hatched.is_empty() {
            self.out += &format!("<path style=\"fill:url(#{id}-hatch);stroke:none\" d=\"{hatched}\"/>\n");
        }
    }

    /// The names under the columns; returns the height they need.
    fn column_names(&mut self, names: &[String], plot: Rect, cell: f64) -> f64 {
        let names: Vec<Vec<String>> = names.iter().map(|name| wrap(name, TEXT, cell - 4.0)).collect();
        for (column, lines) in names.iter().enumerate().filter(|(_, lines)| !lines.is_empty()) {
            let x = plot.left + (column as f64 + 0.5) * cell;
            let y = plot.bottom + 6.0 + lines.len() as f64 * LINE_HEIGHT / 2.0;
            self.text("muted", (x, y), Anchor::Middle, lines);
        }
        12.0 + names.iter().map(Vec::len).max().unwrap_or(0) as f64 * LINE_HEIGHT
    }

    fn rect(&mut self, fill: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        let [x, y, width, height] = [x, y, width, height].map(number);
        self.out +=
            &format!("<rect fill=\"{fill}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_every_cell_once() {
        for count in [0, 1, 119, 120, 121, 241, 1000] {
            let blocks = blocks(count);
            assert!(blocks.len() <= MOST && blocks.iter().all(|block| !block.is_empty()));
            assert!(blocks.into_iter().flatten().eq(0..count));
        }
    }

    #[test]
    fn the_ends_of_the_scale_have_the_end_colors() {
        assert_eq!([step(0.0), step(0.5), step(1.0)], [0, 8, 15]);
    }
}
