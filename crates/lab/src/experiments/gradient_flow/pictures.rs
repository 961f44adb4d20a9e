//! Charts by layer, and the table of quotients.

use super::{ACTIVATIONS, HEADS, Quotients, geometric, of_stage};
use crate::gallery::{Lab, Record, Report, short};
use surprisal_report::Table;
use surprisal_report::chart::{Chart, Line, Style};

type Place<'a> = &'a dyn Fn(usize, usize, usize, usize, usize) -> usize;

/// The gradient norm of each layer at a stage, for the first depth and the shared rate: the geometric mean over seeds, relative to the last layer
/// if `relative`.
fn norms(
    runs: &[[Record; 2]],
    place: Place,
    (a, h): (usize, usize),
    stage: f64,
    seeds: usize,
    relative: bool,
) -> Vec<(f64, f64)> {
    let of_seed = |seed: usize| of_stage(&runs[place(0, 0, seed, a, h)][0], stage, "norm");
    let all: Vec<Vec<f64>> =
        (0..seeds).map(of_seed).filter(|norms| norms.first().is_some_and(|&norm| norm > 0.0)).collect();
    let layers = all.first().map_or(0, Vec::len);
    let mean = |layer: usize| {
        geometric(all.iter().map(|norms| norms[layer] / if relative { norms[layers - 1] } else { 1.0 }))
    };
    (0..layers).filter_map(|layer| Some(((layer + 1) as f64, mean(layer)?))).collect()
}

fn lines(chart: Chart, of: impl Fn((usize, usize)) -> Vec<(f64, f64)>) -> Chart {
    let styles = [Style::Solid, Style::Dashed, Style::Solid, Style::Dashed, Style::Dotted];
    let colors = [1, 0, 2];
    (0..ACTIVATIONS.len()).flat_map(|a| (0..HEADS.len()).map(move |h| (a, h))).fold(chart, |chart, (a, h)| {
        let name = if h == 0 { ACTIVATIONS[a].to_string() } else { String::new() };
        chart.line(Line::new(name, of((a, h))).color(colors[a]).style(styles[h]))
    })
}

pub(super) fn relative_chart(
    lab: &Lab,
    runs: &[[Record; 2]],
    place: Place,
    depth: usize,
    seeds: usize,
) -> Chart {
    let of = |net| norms(runs, place, net, 0.0, seeds, true);
    let first = |a: usize| of((a, 0)).first().map_or(f64::NAN, |point| point.1);
    let chart = Chart::new("How much of the gradient comes down?")
        .subtitle(format!("before training, {depth} hidden layers, geometric mean over {seeds} seeds"))
        .x_label("layer, from the input up")
        .y_label("gradient norm over that of the last layer")
        .log_y()
        .alt(lab.text_with(
            "alt: relative",
            &[("sigmoid", &short(first(0))), ("tanh", &short(first(1))), ("relu", &short(first(2)))],
        ));
    lines(chart, of)
}

pub(super) fn pictures(report: Report, lab: &Lab, runs: &[[Record; 2]], place: Place) -> Report {
    let (depth, seeds) = (lab.setting.counts("depths")[0], lab.seeds.len());
    let (epochs, eta) = (lab.count("epochs"), lab.number("eta"));
    let absolute = |title: String, stage: f64| {
        let of = |net| norms(runs, place, net, stage, seeds, false);
        let alt = lab.text_with("alt: norms", &[("title", &title)]);
        let chart = Chart::new(title).subtitle("solid: cross-entropy, dashed: squared error on the same heads, dotted: squared error on raw outputs");
        lines(chart.x_label("layer").y_label("gradient norm").log_y().alt(alt), of).to_svg()
    };
    let idle = |a: usize, stage: f64| -> Vec<(f64, f64)> {
        let nets = || {
            (0..seeds).flat_map(|seed| {
                (0..HEADS.len()).map(move |h| of_stage(&runs[place(0, 0, seed, a, h)][0], stage, "idle"))
            })
        };
        let mean = |layer: usize| {
            let shares: Vec<f64> = nets().filter_map(|net| net.get(layer).copied()).collect();
            shares.iter().sum::<f64>() / shares.len() as f64
        };
        (0..depth).map(|layer| ((layer + 1) as f64, mean(layer))).collect()
    };
    let mut shares = Chart::new("Units that pass on next to nothing")
        .subtitle(format!(
            "solid: before training, dashed: after {epochs} epochs at rate {eta}; mean over losses and seeds"
        ))
        .x_label("hidden layer")
        .y_label("fraction of saturated outputs (sigmoid, tanh) or dead units (relu)")
        .percent_y()
        .include_y(0.0);
    let mut ends = vec![];
    for (a, color) in [(0, 1), (1, 0), (2, 2)] {
        for (stage, style) in [(0.0, Style::Solid), (1.0, Style::Dashed)] {
            let name = if stage == 0.0 { ACTIVATIONS[a].to_string() } else { String::new() };
            shares = shares.line(Line::new(name, idle(a, stage)).color(color).style(style));
        }
        let most = idle(a, 0.0).into_iter().map(|point| point.1).fold(0.0, f64::max);
        ends.push(format!("{} at most {} %", ACTIVATIONS[a], short(100.0 * most)));
    }
    report
        .section("Layer by layer")
        .captioned(lab, "norms", absolute("The gradient of every layer before training".into(), 0.0))
        .captioned(
            lab,
            "trained",
            absolute(format!("The gradient of every layer after {epochs} epochs at rate {eta}"), 1.0),
        )
        .paragraphs(lab.text("note: after training"))
        .captioned(
            lab,
            "idle",
            shares.alt(lab.text_with("alt: idle", &[("most", &ends.join(", "))])).to_svg(),
        )
        .section("In numbers")
}

pub(super) fn quotient_table(lab: &Lab, stages: &[(String, Vec<Quotients>)]) -> Table {
    let cell = |quotients: &[Quotients], a: usize| {
        let alive = quotients.iter().flat_map(|q| q[a]).filter(|q| *q > 0.0 && q.is_finite());
        geometric(alive).map_or("none".into(), short)
    };
    Table::new(
        lab.text("table: quotients"),
        1,
        std::iter::once("when".to_string()).chain(ACTIVATIONS.map(|a| a.to_string())),
        stages
            .iter()
            .map(|(stage, q)| std::iter::once(stage.clone()).chain((0..3).map(|a| cell(q, a))).collect()),
    )
}
