//! Forest plots: estimates with their intervals, row by row, against a line that means "no difference".

use super::labels::Rect;
use super::layout::{LINE_HEIGHT, NAME_WIDTH, PAD, TEXT, TITLE, WIDTH, flat, full, range};
use super::pen::{Anchor, Drawing, Pen, prefix};
use super::scale::{Axis, Kind, placeable, signed};
use crate::statistics::Estimate;
use crate::text::{width, wrap};

/// Estimates with their intervals, one below the other, for verdicts.
///
/// The numbers are at the right, with a sign where the reference is 0, and with as many decimals as the narrowest interval
/// needs to have two digits; on a logarithmic axis, as its own interval needs.
///
/// ```
/// use surprisal_report::chart::Forest;
/// use surprisal_report::statistics::Estimate;
///
/// let svg = Forest::new("Accuracy won by cross-entropy")
///     .x_label("percentage points")
///     .reference(0.0, "no difference")
///     .row("digits", Estimate { mean: 4.2, low: 3.1, high: 5.3 }, 0)
///     .row("iris", Estimate { mean: -0.2, low: -1.5, high: 1.1 }, 1)
///     .to_svg();
/// assert!(svg.contains(">+4.2<") && svg.contains(">[3.1, 5.3]<"));
/// ```
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Forest {
    title: String,
    subtitle: String,
    x_label: String,
    log: bool,
    percent: bool,
    reference: Option<(f64, String)>,
    rows: Vec<Row>,
    alt: String,
    id: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    name: String,
    estimate: Estimate,
    color: usize,
}

const RULES: &[&str] = &[".interval{stroke-width:2.5}", ".reference{stroke-width:1.2;stroke-dasharray:4 4}"];
/// The distance between the plot and the text at its sides.
const GAP: f64 = 12.0;

impl Forest {
    /// Starts an empty plot; the title is drawn above it and is its accessible name.
    pub fn new(title: impl Into<String>) -> Forest {
        Forest { title: title.into(), ..Forest::default() }
    }

    builder! {
        /// Adds a subtitle.
        subtitle(text: impl Into<String>) => subtitle = text.into();
        /// Names the axis, with its unit.
        x_label(text: impl Into<String>) => x_label = text.into();
        /// Makes the axis logarithmic (base 10), for ratios.
        log_x() => log = true;
        /// Writes values in percent: 0.25 reads 25%.
        percent_x() => percent = true;
        /// Draws a vertical line with a label above; the axis widens to include it.
        reference(value: f64, word: impl Into<String>) => reference = Some((value, word.into()));
        /// Adds a row under the others, in a color by the numbers of [`Line::color`](super::Line::color).
        ///
        /// An estimate that cannot be drawn keeps its row, and is named in a note.
        row(name: impl Into<String>, estimate: Estimate, color: usize) => rows += Row { name: name.into(), estimate, color };
        /// Sets the alternative text, one or two sentences.
        ///
        /// By default it lists the rows with their numbers.
        alt(text: impl Into<String>) => alt = text.into();
        /// Sets the prefix of the element ids, as [`Chart::id`](super::Chart::id) does.
        id(prefix: impl Into<String>) => id = Some(prefix.into());
    }

    /// Writes the plot as one `<svg>` element, to be saved as a file or pasted into HTML.
    pub fn to_svg(&self) -> String {
        drawing(self).to_svg(&prefix(self.id.as_deref(), self))
    }

    fn shows(&self, estimate: &Estimate) -> bool {
        let Estimate { mean, low, high } = *estimate;
        [mean, low, high].into_iter().all(|value| placeable(value, self.log))
    }

    /// The reference, if the axis can show it.
    fn line(&self) -> Option<(f64, &str)> {
        let (value, word) = self.reference.as_ref()?;
        placeable(*value, self.log).then_some((*value, word))
    }

    /// The mean and the interval of each row as text.
    fn numbers(&self) -> Vec<[String; 2]> {
        let factor = if self.percent { 100.0 } else { 1.0 };
        let width = |e: &Estimate| factor * (e.high - e.low);
        let shown = self.rows.iter().map(|row| &row.estimate).filter(|e| self.shows(e));
        let narrowest = shown.map(width).filter(|width| *width > 0.0).fold(f64::INFINITY, f64::min);
        let decimals = |width: f64| match width > 0.0 && width.is_finite() {
            true => (1.0 - width.log10().floor()).clamp(0.0, 6.0) as i32,
            false => 1,
        };
        let words = |value: f64, decimals: i32| match value.is_finite() {
            true => signed(factor * value, decimals),
            false => "?".to_owned(),
        };
        let unit = if self.percent { "%" } else { "" };
        let differences = self.reference.as_ref().is_some_and(|(value, _)| *value == 0.0);
        let rows = self.rows.iter().map(|Row { estimate, .. }| {
            let Estimate { mean, low, high } = *estimate;
            let decimals = decimals(if self.log { width(estimate) } else { narrowest });
            let sign = if differences && mean > 0.0 { "+" } else { "" };
            let interval = format!("[{}, {}]", words(low, decimals), words(high, decimals));
            [format!("{sign}{}{unit}", words(mean, decimals)), interval]
        });
        rows.collect()
    }

    fn notes(&self) -> Vec<String> {
        let missing = self.rows.iter().filter(|row| !self.shows(&row.estimate));
        let missing = missing.map(|row| format!("Nothing to draw for {}.", row.name.trim()));
        missing.chain(self.rows.is_empty().then(|| "There are no data.".to_owned())).collect()
    }

    fn description(&self, numbers: &[[String; 2]], notes: &[String]) -> String {
        let mut text = self.alt.trim().to_owned();
        if text.is_empty() {
            let rows = self.rows.iter().zip(numbers);
            let rows: Vec<String> = rows
                .map(|(row, [mean, interval])| format!("{} {mean} {interval}", row.name.trim()))
                .collect();
            text = format!("Estimates with their intervals: {}.", rows.join("; "));
        }
        notes.iter().fold(text, |text, note| text + " " + note)
    }
}

pub(super) fn drawing(forest: &Forest) -> Drawing {
    let numbers = forest.numbers();
    let notes = forest.notes();
    let names: Vec<Vec<String>> = forest.rows.iter().map(|row| wrap(&row.name, TEXT, NAME_WIDTH)).collect();
    let widest =
        |words: &mut dyn Iterator<Item = &String>| words.map(|word| width(word, TEXT)).fold(0.0, f64::max);
    let left = PAD + GAP + widest(&mut names.iter().flatten());
    let right = WIDTH - PAD - GAP - widest(&mut numbers.iter().flatten());

    let shown = || forest.rows.iter().map(|row| &row.estimate).filter(|estimate| forest.shows(estimate));
    let values = shown().flat_map(|e| [e.mean, e.low, e.high]).chain(forest.line().map(|(value, _)| value));
    let kind = Kind { log: forest.log, percent: forest.percent, whole: false, round: true };
    let axis = flat(range(values), kind, left, right);

    let mut pen = Pen::default();
    let mut top = PAD;
    top += pen.block("title", top, &full(&forest.title, TITLE));
    top += pen.block("muted", top, &full(&forest.subtitle, TEXT));
    let word = forest.line().map(|(value, word)| (value, full(word, TEXT)));
    top += 8.0 + word.as_ref().map_or(0.0, |(_, lines)| lines.len() as f64 * LINE_HEIGHT + 4.0);
    let heights: Vec<f64> = names.iter().map(|name| name.len().max(2) as f64 * LINE_HEIGHT + 10.0).collect();
    let plot = Rect { left, top, right, bottom: top + heights.iter().sum::<f64>() };
    pen.axes(plot, Some(&axis), None, true);
    if let Some((value, lines)) = word {
        pen.reference(&plot, across(&plot, &axis, value), &lines);
    }
    let mut y = top;
    for (((row, name), numbers), height) in forest.rows.iter().zip(&names).zip(&numbers).zip(heights) {
        let middle = y + height / 2.0;
        y += height;
        pen.text("words", (PAD, middle), Anchor::Start, name);
        pen.text("words", (WIDTH - PAD, middle), Anchor::End, numbers);
        if !forest.shows(&row.estimate) {
            continue;
        }
        let [mean, low, high] =
            [row.estimate.mean, row.estimate.low, row.estimate.high].map(|value| across(&plot, &axis, value));
        pen.open(&format!("c{}", row.color % 5));
        pen.path("interval", &[(low, middle), (high, middle)]);
        for end in [low, high] {
            pen.path("interval", &[(end, middle - 5.0), (end, middle + 5.0)]);
        }
        pen.circle("dot", (mean, middle), 5.0);
        pen.close();
    }
    let height = pen.footer(plot, plot.bottom + 32.0, &full(&forest.x_label, TEXT), &notes);
    Drawing {
        title: forest.title.clone(),
        description: forest.description(&numbers, &notes),
        body: pen.out,
        height,
        top,
        rules: RULES.to_vec(),
    }
}

fn across(plot: &Rect, axis: &Axis, value: f64) -> f64 {
    plot.left + axis.place(value) * (plot.right - plot.left)
}

impl Pen {
    /// The line at `x` and its label above the plot, kept inside the chart.
    fn reference(&mut self, plot: &Rect, x: f64, lines: &[String]) {
        self.path("reference", &[(x, plot.bottom), (x, plot.top)]);
        let half = lines.iter().map(|line| width(line, TEXT)).fold(0.0, f64::max) / 2.0;
        let y = plot.top - 4.0 - lines.len() as f64 * LINE_HEIGHT / 2.0;
        if !lines.is_empty() {
            self.text("words", (x.clamp(PAD + half, WIDTH - PAD - half), y), Anchor::Middle, lines);
        }
    }
}
