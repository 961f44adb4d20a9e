//! Charts and tables of the seeds.

use super::{NETS, counts, median, name};
use crate::gallery::{Head, Lab, Record, Report, short};
use surprisal_report::Table;
use surprisal_report::chart::{Chart, Line, Style};

type Pairs<'a> = &'a dyn Fn(usize, [usize; 2]) -> [Vec<f64>; 2];

pub(super) type Condition = (String, Vec<[usize; 2]>);

fn title(net: usize) -> String {
    format!("{}, {}", name(NETS[net].0), NETS[net].1)
}

/// The fraction of nets that have solved their task, against the epoch.
pub(super) fn solved_chart(
    lab: &Lab,
    (condition, chosen): &Condition,
    losses: [Head; 2],
    pairs: Pairs,
) -> Chart {
    let mut chart = Chart::new("How many have learned it, and when?")
        .subtitle(condition)
        .x_label("epoch")
        .y_label("fraction that has solved its task")
        .log_x()
        .percent_y()
        .include_y(0.0)
        .include_y(1.0);
    let mut ends = vec![];
    for net in 0..NETS.len() {
        for loss in [1, 0] {
            let mut epochs = pairs(net, chosen[net])[loss].clone();
            epochs.sort_by(f64::total_cmp);
            let share = |solved: usize| solved as f64 / epochs.len() as f64;
            let mut points = vec![];
            for (i, &epoch) in epochs.iter().enumerate().filter(|(_, epoch)| epoch.is_finite()) {
                points.extend([(epoch.max(1.0), share(i)), (epoch.max(1.0), share(i + 1))]);
            }
            let end = points.last().map_or(0.0, |point| point.1);
            points.push((lab.number("cap"), end));
            let name = format!("{}, {}", name(NETS[net].0), losses[loss]);
            ends.push(format!("{name}: {} %", short(100.0 * end)));
            chart = chart.line(Line::new(name, points).color(2 + net).style(STYLES[loss]));
        }
    }
    chart.alt(lab.text_with("alt: solved", &[("ends", &ends.join("; "))]))
}

/// Epochs under one loss against epochs under the other, a dot for each seed of the smallest net.
pub(super) fn fate_map(lab: &Lab, (condition, chosen): &Condition, pairs: Pairs) -> Chart {
    let [squared, entropy] = pairs(0, chosen[0]);
    let [both, only, other, neither] = counts([&squared, &entropy]);
    let edge = 2.0 * lab.number("cap");
    let soonest = squared.iter().chain(&entropy).copied().fold(edge, f64::min).max(1.0);
    let chart = Chart::new(format!("The fate of every seed: {}", title(0)))
        .subtitle(condition)
        .x_label("epochs under squared error")
        .y_label("epochs under cross-entropy")
        .log_x()
        .log_y()
        .line(Line::new("", [(soonest, soonest), (edge, edge)]).color(4).faint())
        .alt(lab.text_with(
            "alt: fates",
            &[
                ("starts", &squared.len()),
                ("both", &both),
                ("only", &only),
                ("other", &other),
                ("neither", &neither),
            ],
        ));
    let dots = squared.iter().zip(&entropy).map(|(&squared, &entropy)| {
        let color = match (entropy.is_finite(), squared.is_finite()) {
            (true, true) => 2,
            (true, false) => 0,
            (false, true) => 1,
            (false, false) => 4,
        };
        Line::new("", [(squared.clamp(1.0, edge), entropy.clamp(1.0, edge))]).color(color)
    });
    dots.fold(chart, Chart::line)
}

pub(super) fn fate_table(conditions: &[Condition], pairs: Pairs) -> Table {
    let mut rows = vec![];
    for (condition, chosen) in conditions {
        for (net, &rates) in chosen.iter().enumerate() {
            let [squared, entropy] = pairs(net, rates);
            let mut row = vec![format!("{}, {}", name(NETS[net].0), condition.to_lowercase())];
            row.extend(counts([&squared, &entropy]).map(|count| count.to_string()));
            rows.push(row);
        }
    }
    Table::new(
        "Number of seeds that are solved under",
        1,
        ["net and rate", "both", "only cross-entropy", "only squared error", "neither"],
        rows,
    )
}

pub(super) fn rate_table(
    lab: &Lab,
    grid: &[f64],
    own: &[usize],
    losses: [Head; 2],
    epochs: impl Fn(usize, usize, usize) -> Vec<f64>,
    solved: impl Fn(&[f64]) -> usize,
) -> Table {
    let cell = |epochs: &[f64]| {
        let middle = median(epochs);
        let middle = if middle.is_finite() { short(middle) } else { "never".into() };
        format!("{} % ({middle})", short(100.0 * solved(epochs) as f64 / epochs.len() as f64))
    };
    let rows = (0..NETS.len()).flat_map(|net| {
        let (cell, epochs) = (&cell, &epochs);
        [1, 0].map(move |loss| {
            let mut row = vec![name(NETS[net].0), losses[loss].to_string()];
            row.extend(own.iter().map(|&rate| cell(&epochs(net, loss, rate))));
            row
        })
    });
    Table::new(
        lab.text("table: rates"),
        2,
        ["net".to_string(), "loss".into()]
            .into_iter()
            .chain(own.iter().map(|&i| format!("rate {}", grid[i]))),
        rows,
    )
}

/// The lines of squared error and of cross-entropy; colors distinguish the nets, or the initial parameters.
const STYLES: [Style; 2] = [Style::Dashed, Style::Solid];

/// The fixed initial parameters: `chosen` is the saturated output under both losses, then the bad basin under both.
pub(super) fn pictures(report: Report, lab: &Lab, losses: [Head; 2], chosen: [&Record; 4]) -> Report {
    let mut errors = Chart::new("Two plateaus")
        .subtitle("the largest error over the four examples, each at its own fixed rate")
        .x_label("epoch")
        .log_x()
        .include_y(0.0)
        .include_y(1.0)
        .y_label("largest error");
    for (i, record) in chosen.into_iter().enumerate() {
        let points = record.points("epoch", "error").into_iter().filter(|point| point.0 > 0.0);
        let start = if i < 2 { "saturated output" } else { "bad basin" };
        errors = errors.line(
            Line::new(format!("{start}, {}", losses[i % 2]), points).color(2 + i / 2).style(STYLES[i % 2]),
        );
    }
    let ends: Vec<String> = chosen.iter().map(|record| short(record.last("error"))).collect();
    let errors = errors.alt(lab.text_with(
        "alt: plateaus",
        &[
            ("ends_0", &ends[0]),
            ("loss_0", &losses[0]),
            ("ends_1", &ends[1]),
            ("loss_1", &losses[1]),
            ("cap", &lab.count("cap")),
            ("ends_2", &ends[2]),
            ("ends_3", &ends[3]),
        ],
    ));
    let folded = chosen[3];
    let mut hidden = Chart::new("What the hidden units make of the four examples")
        .subtitle(format!("from the bad basin, under {}; the dots are the end", losses[1]))
        .x_label("first hidden unit")
        .y_label("second hidden unit")
        .include_y(0.0)
        .include_y(1.0);
    for (color, case) in ["00", "01", "10", "11"].into_iter().enumerate() {
        let points = folded.points(&format!("h{case}"), &format!("k{case}"));
        hidden = hidden.line(Line::new(case, points).color(color));
    }
    let end = |column: &str| short(folded.last(column));
    let hidden = hidden.alt(lab.text_with(
        "alt: hidden",
        &[
            ("h01", &end("h01")),
            ("k01", &end("k01")),
            ("h11", &end("h11")),
            ("k11", &end("k11")),
            ("a01", &end("a01")),
            ("a11", &end("a11")),
        ],
    ));
    report.section("Two plateaus, one cure").captioned(lab, "plateaus", errors.to_svg()).captioned(
        lab,
        "hidden",
        hidden.to_svg(),
    )
}
