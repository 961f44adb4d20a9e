//! Charts that several experiments share.

use super::Record;
use surprisal_report::chart::{Band, Chart, Line};
use surprisal_report::statistics::{Estimate, MOST_RUNS, mean};

/// One arm of a comparison: its name in the chart, and a record for each seed.
pub struct Arm<'a> {
    /// The name of the line.
    pub name: String,
    /// A record for each seed.
    pub records: Vec<&'a Record>,
}

/// Adds the mean over seeds of one column against another, with its 95 % interval as a band; a single seed is a line without a band.
///
/// A seed that ended early counts up to its end.
pub fn fan(chart: Chart, arms: &[Arm], x: &str, y: &str) -> Chart {
    fan_within(chart, arms, x, y, [f64::NEG_INFINITY, f64::INFINITY])
}

/// As [`fan`], for numbers from 0 to 1 such as an accuracy: the band ends there.
pub fn fan_of_shares(chart: Chart, arms: &[Arm], x: &str, y: &str) -> Chart {
    fan_within(chart, arms, x, y, [0.0, 1.0])
}

fn fan_within(chart: Chart, arms: &[Arm], x: &str, y: &str, [least, most]: [f64; 2]) -> Chart {
    let (mut lines, mut bands) = (Vec::new(), Vec::new());
    for (color, arm) in arms.iter().enumerate() {
        let runs: Vec<_> = arm.records.iter().map(|record| record.points(x, y)).collect();
        let longest = runs.iter().max_by_key(|run| run.len()).map_or(&[][..], |run| run);
        let (mut mean, mut band) = (vec![], vec![]);
        for (i, &(at, _)) in longest.iter().enumerate() {
            let values: Vec<f64> = runs.iter().filter_map(|run| run.get(i)).map(|point| point.1).collect();
            let estimate = match values[..] {
                [one] => Estimate::exactly(one),
                _ => Estimate::of(&values[..values.len().min(MOST_RUNS)]),
            };
            mean.push((at, estimate.mean));
            band.push((at, estimate.low.max(least), estimate.high.min(most)));
        }
        if runs.len() > 1 {
            bands.push(Band::new(band).color(color));
        }
        lines.push(Line::new(&*arm.name, mean).color(color));
    }
    lines.into_iter().fold(bands.into_iter().fold(chart, Chart::band), Chart::line)
}

/// Every run as a faint line, and their mean above; the runs have the same values of x, of which the first `most` are drawn.
///
/// A run without rows counts for nothing.
pub fn every_run(chart: Chart, arms: &[Arm], [x, y]: [&str; 2], most: usize) -> Chart {
    let points = |record: &&Record| record.points(x, y).into_iter().take(most).collect::<Vec<_>>();
    let (mut chart, mut means) = (chart, vec![]);
    for (color, arm) in arms.iter().enumerate() {
        let runs: Vec<_> = arm.records.iter().map(points).filter(|run| !run.is_empty()).collect();
        let at = |i: usize| runs.iter().map(|run| run[i].1).collect::<Vec<_>>();
        let longest = runs.first().map_or(&[][..], |run| run);
        let mean: Vec<_> = longest.iter().enumerate().map(|(i, &(x, _))| (x, mean(&at(i)))).collect();
        means.push(Line::new(&*arm.name, mean).color(color));
        chart =
            runs.into_iter().fold(chart, |chart, run| chart.line(Line::new("", run).color(color).faint()));
    }
    means.into_iter().fold(chart, Chart::line)
}

/// Returns the mean with half of its 95 % interval: "0.713 ± 0.042".
pub fn plus_minus(values: &[f64]) -> String {
    let estimate = Estimate::of(values);
    format!("{:.3} ± {:.3}", estimate.mean, estimate.high - estimate.mean)
}
