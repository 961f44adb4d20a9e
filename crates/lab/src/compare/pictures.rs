//! The pictures: accuracy and gradient against epoch, the sigmoid, and the slope of each loss.

use surprisal_tensor::ndarray::Array2;
use surprisal_tensor::{Params, Scalar, Workspace};
use surprisal_train::{Epoch, History, Objective};

use super::tables::percent;
use super::{Arm, Outcome, Scenario};
use surprisal_report::chart::{Chart, Line};

/// How many epochs a picture shows: three times those that the slowest run took to the accuracy that is compared, at least 10, as what
/// happens after that is not what the verdict speaks of; all of them if a run never got there.
fn shown(scenario: &Scenario, arms: [&Arm; 2]) -> usize {
    let slowest = arms.iter().flat_map(|arm| arm.epochs(scenario)).fold(0.0, f64::max) as usize;
    if slowest > scenario.epochs { scenario.epochs } else { (3 * slowest).clamp(10, scenario.epochs.max(10)) }
}

/// The mean of a measure over the seeds, epoch by epoch, and every seed faintly behind it.
fn lines(chart: Chart, arms: [&Arm; 2], shown: usize, measure: impl Fn(&Epoch) -> f64) -> Chart {
    let points = |history: &History| -> Vec<(f64, f64)> {
        history.epochs().iter().take(shown).map(|e| (e.epoch as f64, measure(e))).collect()
    };
    let mut chart = chart;
    for (color, arm) in arms.into_iter().enumerate() {
        for history in arm.histories() {
            chart = chart.line(Line::new("", points(history)).color(color).faint());
        }
    }
    for (color, arm) in arms.into_iter().enumerate() {
        let runs: Vec<_> = arm.histories().map(points).collect();
        let mean =
            |i: usize| (runs[0][i].0, runs.iter().map(|run| run[i].1).sum::<f64>() / runs.len() as f64);
        let mean: Vec<_> = (0..runs.first().map_or(0, Vec::len)).map(mean).collect();
        chart = chart.line(Line::new(arm.objective.to_string(), mean).color(color));
    }
    chart
}

pub(super) fn charts(outcome: &Outcome) -> [(&'static str, Chart); 3] {
    let (same, best) = ([&outcome.same[0], &outcome.same[1]], outcome.best());
    let rate = same[0].learning_rate;
    let epochs = outcome.scenario.epochs;
    let axis = |shown: usize| match shown {
        _ if shown >= epochs => "epoch".to_string(),
        shown => format!("epoch (the first {shown} of {epochs})"),
    };
    let best_rates = format!(
        "learning rates {} ({}) and {} ({})",
        best[0].learning_rate, best[0].objective, best[1].learning_rate, best[1].objective
    );
    let accuracy = |subtitle: String, arms: [&Arm; 2]| {
        let ends = arms
            .map(|arm| format!("{} ends at {}", arm.objective, percent(&arm.test_accuracies())))
            .join(", ");
        let chart = Chart::new("Accuracy on unseen rows against epoch")
            .subtitle(&subtitle)
            .x_label(axis(shown(&outcome.scenario, arms)))
            .y_label("test accuracy");
        let chart = chart.percent_y().alt(format!("Test accuracy against epoch, {subtitle}: {ends}."));
        lines(chart, arms, shown(&outcome.scenario, arms), |e| e.held_out().score())
    };
    let start = same.map(|arm| {
        let norms: Vec<f64> = arm.histories().filter_map(|h| h.epochs()[0].gradient_norm).collect();
        format!("{} starts at {:.2e}", arm.objective, norms.iter().sum::<f64>() / norms.len() as f64)
    });
    let gradient =
        Chart::new("Length of the gradient against epoch").subtitle(format!("both at learning rate {rate}"));
    let same_epochs = shown(&outcome.scenario, same);
    let gradient = gradient.x_label(axis(same_epochs)).y_label("gradient norm").log_y();
    let gradient =
        gradient.alt(format!("Gradient norm against epoch on a logarithmic scale: {}.", start.join(", ")));
    [
        ("accuracy-same", accuracy(format!("both at learning rate {rate}"), same)),
        ("gradient-same", lines(gradient, same, same_epochs, |e| e.gradient_norm.unwrap_or(f64::NAN))),
        ("accuracy-best", accuracy(best_rates, best)),
    ]
}

/// The curve that turns a score into a probability.
pub(super) fn sigmoid_chart() -> Chart {
    let points = (-40..=40).map(|i| f64::from(i) / 4.0).map(|z| (z, z.sigmoid()));
    Chart::new("From a score to a probability")
        .x_label("score z")
        .y_label("probability of \"yes\"")
        .percent_y()
        .line(Line::new("", points))
        .alt("The sigmoid: an S-shaped curve from 0 % at score -10 through 50 % at score 0 to 100 % at score 10, level at both ends.")
}

/// How hard each loss pushes a score that should be low, as the library computes it.
pub(super) fn slope_chart(losses: [Objective; 2]) -> Chart {
    let scores: Vec<f64> = (-24..=40).map(|i| f64::from(i) / 4.0).collect();
    let params = Params::<f64>::default();
    let mut workspace = Workspace::new();
    let mut chart = Chart::new("How hard the loss pushes a wrong score down")
        .subtitle("the truth is \"no\": the further right, the more wrong")
        .x_label("score z of \"yes\"")
        .y_label("slope of the loss, dl/dz");
    let mut told = Vec::new();
    for (color, loss) in losses.into_iter().enumerate() {
        let slope = |&z: &f64| {
            let tape = workspace.tape(&params);
            let score = tape.input(&Array2::from_elem((1, 1), z)).requires_grad();
            loss.loss(score, &[0]).backward();
            (z, score.grad().map_or(f64::NAN, |g| g[[0, 0]]))
        };
        let points: Vec<_> = scores.iter().map(slope).collect();
        let highest =
            points.iter().copied().fold((0.0, f64::MIN), |top, at| if at.1 > top.1 { at } else { top });
        let (end, slope) = points[points.len() - 1];
        told.push(format!(
            "{loss} is steepest at score {} ({:.2}) and has slope {slope:.1e} at score {end}",
            highest.0, highest.1
        ));
        chart = chart.line(Line::new(loss.to_string(), points).color(color));
    }
    chart.alt(format!(
        "The slope of both losses against the score, when the truth is no: {}.",
        told.join("; ")
    ))
}
