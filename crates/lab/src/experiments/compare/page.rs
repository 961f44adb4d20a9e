//! The page: its sections, tables and pictures.

use std::fmt::Display;

use surprisal_tensor::ndarray::Array2;
use surprisal_tensor::{Params, Scalar, Workspace};
use surprisal_train::Objective;

use super::{Arm, LOSSES, Outcome, conclusions, findings};
use crate::gallery::{self, Finding, Lab, Report, every_run};
use surprisal_report::Table;
use surprisal_report::chart::{Chart, Line};
use surprisal_report::statistics::{Estimate, mean};

pub(super) fn report(lab: &Lab, losses: [Objective; 2], outcomes: &[Outcome]) -> Report {
    let found: Vec<[Finding; 2]> = outcomes.iter().map(findings).collect();
    let mut report = introduction(lab, losses);
    for (verdict, sentence) in conclusions(losses, &found) {
        report = report.conclusion(verdict, sentence);
    }
    let race = outcomes[0].scenario.title.to_lowercase();
    let race = lab.text_with("caption: race", &[("scenario", &race), ("seeds", &lab.seeds.len())]);
    for (i, (outcome, [same, best])) in outcomes.iter().zip(found).enumerate() {
        let scenario = outcome.scenario;
        let [at_same, gradient, at_best] =
            charts(outcome).map(|(name, chart)| (format!("{}-{name}", scenario.id), chart.to_svg()));
        report = report
            .section(scenario.title)
            .paragraphs(lab.text(&format!("setting: {}", scenario.id)))
            .main_table(table(outcome));
        report = match i {
            0 => report.hero(at_same.0, at_same.1, &*race).paragraphs(lab.text("note: race")),
            _ => report.figure(at_same.0, at_same.1, lab.text("caption: accuracy")),
        };
        report = report
            .figure(gradient.0, gradient.1, lab.text("caption: gradient"))
            .finding_here(same)
            .figure(at_best.0, at_best.1, lab.text("caption: best"))
            .finding_here(best);
    }
    report
        .section("So which one?")
        .paragraphs(choosing(lab, losses, outcomes))
        .section("What this does not show")
        .paragraphs(lab.text("note: limits"))
        .details(
            "Every learning rate that was tried",
            outcomes
                .iter()
                .fold(Report::new(), |report, outcome| report.table(grid_table(outcome)))
                .paragraphs(lab.text("note: files")),
        )
        .details(
            "The formulas",
            Report::new()
                .paragraphs(lab.text("note: formulas"))
                .code(
                    "the sigmoid      da/dz = a (1 - a)\n\
                     squared error    l = (a - y)²                       dl/da = 2 (a - y)\n\
                     cross-entropy    l = -[y ln a + (1 - y) ln(1 - a)]  dl/da = (a - y) / (a (1 - a))",
                )
                .paragraphs(lab.text("note: slopes")),
        )
}

/// What the losses are, up to how to read the results.
fn introduction(lab: &Lab, losses: [Objective; 2]) -> Report {
    let [first, second] = losses.map(|loss| loss.to_string());
    let capital = first[..1].to_uppercase() + &first[1..];
    let explained = LOSSES.map(|name| (name, lab.text(&format!("loss: {name}")))); // one is not shown, and counts as used
    let explained = losses.map(|loss| {
        let found = explained.iter().find(|(name, _)| *name == loss.name());
        &found.expect("the losses are of the list").1
    });
    let slopes = ["of squared errors", "with cross-entropy"]
        .map(|which| lab.text(&format!("caption: slopes {which}")));
    Report::new()
        .about(
            lab.text_with("note: title", &[("First", &capital), ("second", &second)]),
            lab.text_with("note: claim", &[("first", &first), ("second", &second)]),
        )
        .captioned(lab, "sigmoid", sigmoid_chart(lab).to_svg())
        .paragraphs(lab.text_with("note: loss", &[("first", &explained[0]), ("second", &explained[1])]))
        .paragraphs(lab.text("note: step"))
        .figure(
            "slope",
            slope_chart(lab, losses).to_svg(),
            &*slopes[usize::from(losses.contains(&Objective::CrossEntropy))],
        )
        .findings_here()
        .table(words(lab))
}

/// In how many settings each loss reaches the accuracy at the rate that both share, and its own best rates.
fn choosing(lab: &Lab, losses: [Objective; 2], outcomes: &[Outcome]) -> String {
    let [first, second] = [0, 1].map(|loss| {
        let reached = outcomes.iter().filter(|o| o.missed(&o.same[loss]).1 == 0).count();
        let rates: Vec<String> = outcomes.iter().map(|o| o.best()[loss].rate.to_string()).collect();
        let values: [(&str, &dyn Display); 4] = [
            ("loss", &losses[loss]),
            ("reached", &reached),
            ("all", &outcomes.len()),
            ("rates", &rates.join(", ")),
        ];
        lab.text_with("note: reached", &values)
    });
    format!("{first} {second} {}", lab.text("note: choosing"))
}

/// The words of the results.
fn words(lab: &Lab) -> Table {
    let words = [
        "row",
        "training rows",
        "unseen rows",
        "accuracy",
        "epoch",
        "seed",
        "± and \"more than chance\"",
        "> 400, ≥ 350",
        "gradient",
    ];
    let row = |word: &str| {
        let seeds: &[(&str, &dyn Display)] = &[("seeds", &lab.seeds.len())];
        let values = if word == "seed" { seeds } else { &[] };
        vec![word.to_string(), lab.text_with(&format!("word: {word}"), values)]
    };
    Table::new("Words", 2, ["word", "what it means here"], words.map(row))
}

/// Mean epochs to the accuracy, with how many runs did not reach it.
fn epochs(outcome: &Outcome, arm: &Arm) -> String {
    let (epochs, missed) = outcome.missed(arm);
    let Estimate { mean, high, .. } = Estimate::of(&epochs);
    match missed {
        0 => format!("{mean:.1} ± {:.1}", high - mean),
        _ if missed == epochs.len() => format!("> {}", outcome.epochs),
        _ => format!("≥ {mean:.1} ({missed} of {} not)", epochs.len()),
    }
}

fn table(outcome: &Outcome) -> Table {
    let row = |(rates, arm): (&str, &Arm)| {
        vec![rates.into(), arm.loss.to_string(), arm.rate.to_string(), epochs(outcome, arm), percent(arm)]
    };
    let ([a, b], [c, d]) = (outcome.same(), outcome.best());
    let to = format!("epochs to {} %", 100.0 * outcome.accuracy);
    Table::new(
        format!("{}: mean and 95 % interval over {} seeds", outcome.scenario.title, a.runs.len()),
        2,
        ["rates", "loss", "learning rate", &to, "test accuracy at the end"],
        [("same", a), ("same", b), ("own best", c), ("own best", d)].map(row),
    )
}

fn grid_table(outcome: &Outcome) -> Table {
    let [first, second] = outcome.grid.each_ref();
    let row = |(a, b): (&Arm, &Arm)| vec![a.rate.to_string(), epochs(outcome, a), epochs(outcome, b)];
    let accuracy = 100.0 * outcome.accuracy;
    Table::new(
        format!("{}: epochs to {accuracy} % training accuracy at every rate", outcome.scenario.title),
        1,
        vec!["learning rate".into(), first[0].loss.to_string(), second[0].loss.to_string()],
        first.iter().zip(second).map(row),
    )
}

fn percent(arm: &Arm) -> String {
    match arm.ends("validation_accuracy")[..] {
        [] => "-".into(),
        [one] => format!("{:.1} %", 100.0 * one),
        ref several => Estimate::of(several).percent(),
    }
}

/// How many epochs a picture shows: three times those that the slowest run took to the accuracy, at least 10; all of them if a run
/// did not reach it.
fn shown(outcome: &Outcome, arms: [&Arm; 2]) -> usize {
    let slowest = arms.iter().flat_map(|arm| outcome.epochs(arm)).fold(0.0, f64::max) as usize;
    if slowest > outcome.epochs { outcome.epochs } else { (3 * slowest).clamp(10, outcome.epochs.max(10)) }
}

/// Accuracy and gradient norm at the same rate, and accuracy at the best rates: every run, and the means.
fn charts(outcome: &Outcome) -> [(&'static str, Chart); 3] {
    let (same, best) = (outcome.same(), outcome.best());
    let chart = |chart: Chart, arms: [&Arm; 2], column: &str| {
        let shown = shown(outcome, arms);
        let x = match outcome.epochs {
            epochs if shown >= epochs => "epoch".to_string(),
            epochs => format!("epoch (the first {shown} of {epochs})"),
        };
        let arms =
            arms.map(|arm| gallery::Arm { name: arm.loss.to_string(), records: arm.runs.iter().collect() });
        every_run(chart.x_label(x), &arms, ["epoch", column], shown)
    };
    let accuracy = |subtitle: &str, arms: [&Arm; 2]| {
        let ends = arms.map(|arm| format!("{} ends at {}", arm.loss, percent(arm))).join(", ");
        let picture =
            Chart::new("Accuracy on unseen rows against epoch").subtitle(subtitle).y_label("test accuracy");
        let alt = format!("Test accuracy against epoch, {subtitle}: {ends}.");
        chart(picture.percent_y().alt(alt), arms, "validation_accuracy")
    };
    let at_same = format!("both at learning rate {}", same[0].rate);
    let at_best = best.map(|arm| format!("{} ({})", arm.rate, arm.loss)).join(" and ");
    let initial =
        same.map(|arm| format!("{} begins with {:.2e}", arm.loss, mean(&arm.initial_norms()))).join(", ");
    let gradient =
        Chart::new("Gradient norm against epoch").subtitle(&at_same).y_label("gradient norm").log_y();
    let gradient = gradient.alt(format!("Gradient norm against epoch on a logarithmic scale: {initial}."));
    [
        ("accuracy-same", accuracy(&at_same, same)),
        ("gradient-same", chart(gradient, same, "gradient_norm")),
        ("accuracy-best", accuracy(&format!("learning rates {at_best}"), best)),
    ]
}

/// The curve that turns a score into a probability.
fn sigmoid_chart(lab: &Lab) -> Chart {
    let points = (-40..=40).map(|i| f64::from(i) / 4.0).map(|z| (z, z.sigmoid()));
    Chart::new("From a score to a probability")
        .x_label("score z")
        .y_label("probability of \"yes\"")
        .percent_y()
        .line(Line::new("", points))
        .alt(lab.text("alt: sigmoid"))
}

/// How hard each loss pushes a score that should be low, as the library computes it.
fn slope_chart(lab: &Lab, losses: [Objective; 2]) -> Chart {
    let scores: Vec<f64> = (-24..=40).map(|i| f64::from(i) / 4.0).collect();
    let params = Params::<f64>::default();
    let mut workspace = Workspace::new();
    let mut chart = Chart::new("How hard the loss pushes a wrong score down")
        .subtitle("the target is \"no\": the further right, the more wrong")
        .x_label("score z of \"yes\"")
        .y_label("slope of the loss, dl/dz");
    let mut slopes = Vec::new();
    for (color, loss) in losses.into_iter().enumerate() {
        let slope = |&z: &f64| {
            let tape = workspace.tape(&params);
            let score = tape.input(&Array2::from_elem((1, 1), z)).requires_grad();
            loss.loss(score, &[0]).backward();
            (z, score.grad().map_or(f64::NAN, |g| g[[0, 0]]))
        };
        let points: Vec<_> = scores.iter().map(slope).collect();
        let top = points.iter().copied().fold((0.0, f64::MIN), |top, at| if at.1 > top.1 { at } else { top });
        let (end, slope) = points[points.len() - 1];
        slopes.push(format!(
            "{loss} is steepest at score {} ({:.2}) and has slope {slope:.1e} at score {end}",
            top.0, top.1
        ));
        chart = chart.line(Line::new(loss.to_string(), points).color(color));
    }
    chart.alt(lab.text_with("alt: slope", &[("slopes", &slopes.join("; "))]))
}
