//! Heat maps: a value for each cell of a grid, shown as a color.

mod draw;

use super::layout::{PAD, WIDTH, flat, range};
use super::pen::prefix;
use super::scale::{Axis, Kind, placeable, signed};
use crate::text::{width, wrap};

pub(super) use draw::drawing;

/// A grid of values as colors from dark (low) to bright (high), the same in both themes.
///
/// With names on both sides it is a table: the number is written in each cell, unless one is too wide for its column.
/// With numbers on a side (see [`HeatMap::x_span`]) it is a surface: the colors touch, and a grid of more than 120 rows or
/// columns is averaged down to 120.
///
/// A value that is not finite, or not positive on a logarithmic scale, is hatched, and the number of such cells is noted.
///
/// ```
/// use surprisal_report::chart::HeatMap;
///
/// let svg = HeatMap::new("Epochs to 97 %")
///     .x_label("learning rate")
///     .columns(["0.1", "1"])
///     .rows(["small start", "sure and wrong"])
///     .values([[310.0, 42.0], [f64::NAN, 77.0]])
///     .missing("> 3000")
///     .log()
///     .to_svg();
/// assert!(svg.contains(">310<") && svg.contains("&gt; 3000"));
/// ```
#[derive(Debug, Default, Clone, PartialEq)]
pub struct HeatMap {
    title: String,
    subtitle: String,
    x_label: String,
    y_label: String,
    value_label: String,
    columns: Side,
    rows: Side,
    values: Vec<Vec<f64>>,
    scale: Option<(f64, f64)>,
    log: bool,
    percent: bool,
    decimals: Option<usize>,
    missing: String,
    alt: String,
    id: Option<String>,
}

impl Default for Side {
    fn default() -> Side {
        Side::Names(Vec::new())
    }
}

/// The meaning of the columns or the rows.
#[derive(Debug, Clone, PartialEq)]
enum Side {
    Names(Vec<String>),
    /// Evenly spaced numbers, the first and the last.
    Span(f64, f64),
}

impl HeatMap {
    /// Starts an empty map; the title is drawn above it and is its accessible name.
    pub fn new(title: impl Into<String>) -> HeatMap {
        HeatMap { title: title.into(), ..HeatMap::default() }
    }

    builder! {
        /// Adds a subtitle.
        subtitle(text: impl Into<String>) => subtitle = text.into();
        /// Sets the label of the columns.
        x_label(text: impl Into<String>) => x_label = text.into();
        /// Sets the label of the rows.
        y_label(text: impl Into<String>) => y_label = text.into();
        /// Sets the label of the values, with their unit, above the color bar.
        value_label(text: impl Into<String>) => value_label = text.into();
        /// Names the columns, from left to right.
        columns(names: impl IntoIterator<Item = impl Into<String>>) => columns = names_of(names);
        /// Names the rows, from the top down.
        rows(names: impl IntoIterator<Item = impl Into<String>>) => rows = names_of(names);
        /// Makes the columns evenly spaced numbers, from the first to the last.
        ///
        /// # Panics
        /// Unless both are finite and `first <= last`.
        #[track_caller]
        x_span(first: f64, last: f64) => columns = span(first, last);
        /// Makes the rows evenly spaced numbers, and lets the first row be the lowest, as in a chart.
        ///
        /// # Panics
        /// Unless both are finite and `first <= last`.
        #[track_caller]
        y_span(first: f64, last: f64) => rows = span(first, last);
        /// Sets the values, row by row; missing cells count as NaN.
        values(rows: impl IntoIterator<Item = impl IntoIterator<Item = f64>>) => values = rows.into_iter().map(|row| row.into_iter().collect()).collect();
        /// Sets the values of the darkest and the brightest color, so that several maps share one scale.
        ///
        /// Values beyond take the color at the end, and their number is noted. A bound that cannot be placed, or a low bound
        /// above the high one, leaves the scale to the values.
        scale(low: f64, high: f64) => scale = Some((low, high));
        /// Makes the scale of colors logarithmic.
        log() => log = true;
        /// Writes values in percent: 0.25 reads 25%.
        percent() => percent = true;
        /// Sets the decimals of the numbers in the cells; without it whole numbers have none, others two.
        decimals(count: usize) => decimals = Some(count);
        /// Sets the text of hatched cells, such as "> 3000".
        missing(text: impl Into<String>) => missing = text.into();
        /// Sets the alternative text, one or two sentences.
        alt(text: impl Into<String>) => alt = text.into();
        /// Sets the prefix of the element ids, as [`Chart::id`](super::Chart::id) does.
        id(prefix: impl Into<String>) => id = Some(prefix.into());
    }

    /// Writes the map as one `<svg>` element, to be saved as a file or pasted into HTML.
    pub fn to_svg(&self) -> String {
        let id = prefix(self.id.as_deref(), self);
        drawing(self, &id).to_svg(&id)
    }

    fn value(&self, row: usize, column: usize) -> f64 {
        self.values.get(row).and_then(|row| row.get(column)).copied().unwrap_or(f64::NAN)
    }

    /// The numbers of rows and of columns.
    fn shape(&self) -> (usize, usize) {
        let named = |side: &Side| if let Side::Names(names) = side { names.len() } else { 0 };
        let widest = self.values.iter().map(Vec::len).max().unwrap_or(0);
        (self.values.len().max(named(&self.rows)), widest.max(named(&self.columns)))
    }

    fn cells(&self) -> impl Iterator<Item = f64> {
        let (rows, columns) = self.shape();
        (0..rows).flat_map(move |row| (0..columns).map(move |column| self.value(row, column)))
    }

    /// The scale of colors, drawn `WIDTH` wide.
    fn colors(&self) -> Axis {
        let own = range(self.cells().filter(|&value| placeable(value, self.log)));
        let fits =
            |&(low, high): &(f64, f64)| placeable(low, self.log) && placeable(high, self.log) && low <= high;
        let kind = Kind { log: self.log, percent: self.percent, ..Kind::default() };
        flat(self.scale.filter(fits).unwrap_or(own), kind, PAD, WIDTH - PAD)
    }

    /// The lines of each cell in reading order, or none at all if a number of this size does not fit.
    fn written(&self, room: f64, size: f64) -> Vec<Vec<String>> {
        let factor = if self.percent { 100.0 } else { 1.0 };
        let shown = |value: &f64| placeable(*value, self.log);
        let whole = self
            .cells()
            .filter(shown)
            .map(|value| factor * value)
            .all(|value| (value - value.round()).abs() < 1e-9);
        let decimals = self.decimals.unwrap_or(if whole { 0 } else { 2 });
        let words = self.cells().map(|value| (self.words(value, decimals), shown(&value)));
        let fits = |text: &str, is_number: bool| match is_number {
            true => width(text, size) <= room,
            false => text.split_whitespace().all(|word| width(word, size) <= room),
        };
        let words: Option<Vec<Vec<String>>> =
            words.map(|(text, is_number)| fits(&text, is_number).then(|| wrap(&text, size, room))).collect();
        words.unwrap_or_default()
    }

    /// The text of a cell.
    fn words(&self, value: f64, decimals: usize) -> String {
        match (placeable(value, self.log), self.percent) {
            (false, _) => self.missing.clone(),
            (true, false) => signed(value, decimals as i32),
            (true, true) => signed(100.0 * value, decimals as i32) + "%",
        }
    }

    /// Notes about cells whose color is not their value.
    fn notes(&self, colors: &Axis) -> Vec<String> {
        let hatched = self.cells().filter(|&value| !placeable(value, self.log)).count();
        let beyond = self.cells().filter(|&value| placeable(value, self.log));
        let beyond = beyond.filter(|&value| !(-1e-9..=1.0 + 1e-9).contains(&colors.place(value))).count();
        let cells = |count: usize| if count == 1 { "1 cell".to_owned() } else { format!("{count} cells") };
        let reason = match self.missing.as_str() {
            "" => "without a value that can be shown".to_owned(),
            text => format!("({text})"),
        };
        let mut notes = Vec::new();
        if hatched > 0 {
            notes.push(format!("Hatched: {} {reason}.", cells(hatched)));
        }
        if beyond > 0 {
            notes.push(format!("Beyond the scale, in the color of its end: {}.", cells(beyond)));
        }
        if self.cells().next().is_none() {
            notes.push("There are no data.".to_owned());
        }
        notes
    }

    fn description(&self, notes: &[String]) -> String {
        let mut text = self.alt.trim().to_owned();
        if text.is_empty() {
            let or =
                |label: &str, word: &str| if label.is_empty() { word.to_owned() } else { label.to_owned() };
            let [value, y, x] =
                [(&self.value_label, "values"), (&self.y_label, "row"), (&self.x_label, "column")]
                    .map(|(l, w)| or(l, w));
            text = format!("Heat map of {value} by {y} and {x}.");
        }
        notes.iter().fold(text, |text, note| text + " " + note)
    }
}

fn names_of(names: impl IntoIterator<Item = impl Into<String>>) -> Side {
    Side::Names(names.into_iter().map(Into::into).collect())
}

#[track_caller]
fn span(first: f64, last: f64) -> Side {
    assert!(
        first.is_finite() && last.is_finite() && first <= last,
        "a span goes up from one finite number to another, not from {first} to {last}"
    );
    Side::Span(first, last)
}
