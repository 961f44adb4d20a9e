//! The page, the pictures, the tables.

use surprisal_tensor::ndarray::Array2;
use surprisal_tensor::{Params, Workspace};
use surprisal_train::{Epoch, History, Objective};

use super::{Arm, Comparison, Outcome, Start};
use crate::chart::{Chart, Line};
use crate::page::{Align, Page, Table, Verdict};
use crate::statistics::Estimate;

/// Every file of the run folder: path and content.
pub(super) fn files(comparison: &Comparison) -> Vec<(String, String)> {
    let mut files = vec![
        ("report.html".to_string(), page(comparison)),
        ("summary.csv".to_string(), summary_csv(comparison)),
    ];
    files.push(("slope.svg".into(), slope_chart(comparison.setting.losses).to_svg()));
    for outcome in &comparison.outcomes {
        let id = outcome.scenario.id;
        for (name, chart) in charts(outcome) {
            files.push((format!("{id}-{name}.svg"), chart.to_svg()));
        }
        for (condition, arms) in [("same", [&outcome.same[0], &outcome.same[1]]), ("best", outcome.best())] {
            for arm in arms {
                let name = format!(
                    "history/{id}-{condition}-{}-rate{}.csv",
                    arm.objective.name(),
                    arm.learning_rate
                );
                files.push((name, history_csv(comparison, arm)));
            }
        }
    }
    files
}

// ---- numbers

/// The histories of an arm, one seed below the other.
fn history_csv(comparison: &Comparison, arm: &Arm) -> String {
    let mut csv = String::new();
    for (seed, run) in comparison.setting.seeds().iter().zip(&arm.runs) {
        let Ok(history) = run else { continue };
        for (i, line) in history.to_csv().lines().enumerate() {
            match i {
                0 if csv.is_empty() => csv += &format!("seed,{line}\n"),
                0 => {}
                _ => csv += &format!("{seed},{line}\n"),
            }
        }
    }
    csv
}

/// Every arm at every rate: epochs to the accuracy (empty if it never came to that) and where it ended.
fn summary_csv(comparison: &Comparison) -> String {
    let mut csv = String::from(
        "scenario,loss,learning_rate,seed,accuracy,epochs_to_accuracy,final_train_accuracy,final_test_accuracy\n",
    );
    for outcome in &comparison.outcomes {
        let accuracy = outcome.scenario.accuracy;
        for arm in outcome.same.iter().chain(outcome.grid.iter().flatten()) {
            for (seed, run) in comparison.setting.seeds().iter().zip(&arm.runs) {
                let (epochs, train, test) = match run {
                    Ok(history) => {
                        let last = history.last();
                        let epochs = history.epochs_to(accuracy).map_or(String::new(), |e| e.to_string());
                        (epochs, last.train_accuracy.to_string(), last.test_accuracy.to_string())
                    }
                    Err(_) => Default::default(),
                };
                let (id, loss, rate) = (outcome.scenario.id, arm.objective.name(), arm.learning_rate);
                csv += &format!("{id},{loss},{rate},{seed},{accuracy},{epochs},{train},{test}\n");
            }
        }
    }
    csv
}

fn percent(values: &[f64]) -> String {
    match values {
        [] => "-".into(),
        [one] => format!("{:.1} %", 100.0 * one),
        values => {
            let Estimate { mean, high, .. } = Estimate::of(values);
            format!("{:.1} ± {:.1} %", 100.0 * mean, 100.0 * (high - mean))
        }
    }
}

/// Mean epochs to the accuracy, with how many runs did not get there.
fn epochs(outcome: &Outcome, arm: &Arm) -> String {
    let (epochs, limit) = (arm.epochs(&outcome.scenario), outcome.scenario.epochs as f64);
    let short = epochs.iter().filter(|&&e| e > limit).count();
    let Estimate { mean, high, .. } = Estimate::of(&epochs);
    match short {
        0 => format!("{mean:.1} ± {:.1}", high - mean),
        _ if short == epochs.len() => format!("> {limit}"),
        _ => format!("≥ {mean:.1} ({short} of {} not)", epochs.len()),
    }
}

fn table(outcome: &Outcome) -> Table {
    let best = outcome.best();
    let row = |condition: &str, arm: &Arm| {
        vec![
            condition.to_string(),
            arm.objective.to_string(),
            arm.learning_rate.to_string(),
            epochs(outcome, arm),
            percent(&arm.test_accuracies()),
        ]
    };
    let accuracy = 100.0 * outcome.scenario.accuracy;
    let to = format!("epochs to {accuracy} %");
    Table {
        caption: format!(
            "{}: mean and 95 % interval over {} seeds",
            outcome.scenario.title,
            best[0].runs.len()
        ),
        header: ["rates", "loss", "learning rate", &to, "test accuracy at the end"]
            .map(String::from)
            .to_vec(),
        rows: vec![
            row("same", &outcome.same[0]),
            row("same", &outcome.same[1]),
            row("own best", best[0]),
            row("own best", best[1]),
        ],
        align: vec![Align::Left, Align::Left, Align::Right, Align::Right, Align::Right],
    }
}

fn grid_table(outcome: &Outcome) -> Table {
    let [first, second] = [0, 1].map(|loss| &outcome.grid[loss]);
    Table {
        caption: format!(
            "Epochs to {} % training accuracy at every rate that was tried",
            100.0 * outcome.scenario.accuracy
        ),
        header: vec!["learning rate".into(), first[0].objective.to_string(), second[0].objective.to_string()],
        rows: first
            .iter()
            .zip(second)
            .map(|(a, b)| vec![a.learning_rate.to_string(), epochs(outcome, a), epochs(outcome, b)])
            .collect(),
        align: vec![Align::Left, Align::Right, Align::Right],
    }
}

/// The tables and the verdicts, for a terminal.
pub(super) fn summary(comparison: &Comparison) -> String {
    let mut text = String::new();
    for outcome in &comparison.outcomes {
        text += &aligned(&table(outcome));
        for finding in outcome.findings() {
            text += &format!("{}: {}\n", word(finding.verdict), finding.sentence);
        }
        text.push('\n');
    }
    for (verdict, sentence) in conclusions(comparison) {
        text += &format!("{}: {sentence}\n", word(verdict));
    }
    text + "(This speaks of these models, data, starts and rates.)\n"
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Supported => "SUPPORTED",
        Verdict::NotSupported => "NOT SUPPORTED",
        Verdict::Inconclusive => "INCONCLUSIVE",
    }
}

/// A table in columns of characters.
fn aligned(table: &Table) -> String {
    let lines = || std::iter::once(&table.header).chain(&table.rows);
    let width = |c: usize| lines().map(|row| row[c].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..table.header.len()).map(width).collect();
    let mut text = format!("{}\n", table.caption);
    for row in lines() {
        let cells = row.iter().zip(&widths).zip(&table.align).map(|((cell, &width), align)| match align {
            Align::Left => format!("{cell:<width$}"),
            Align::Right => format!("{cell:>width$}"),
        });
        text += &format!("  {}\n", cells.collect::<Vec<_>>().join("   ").trim_end());
    }
    text
}

/// One sentence over all scenarios for each condition: how many comparisons went which way.
fn conclusions(comparison: &Comparison) -> [(Verdict, String); 2] {
    let [first, second] = comparison.setting.losses;
    let conditions = ["At the same learning rate", "With each loss at its own best learning rate"];
    [0, 1].map(|condition| {
        let verdicts: Vec<_> = comparison.outcomes.iter().map(|o| o.findings()[condition].verdict).collect();
        let count = |verdict| verdicts.iter().filter(|&&v| v == verdict).count();
        let (yes, no, all) = (count(Verdict::Supported), count(Verdict::NotSupported), verdicts.len());
        let verdict = match (yes, no) {
            _ if yes == all => Verdict::Supported,
            _ if no == all => Verdict::NotSupported,
            _ => Verdict::Inconclusive,
        };
        let sentence = format!(
            "{}, {first} learned faster than {second} in {yes} of {all} settings, slower in {no}, and without a clear difference in {}.",
            conditions[condition],
            all - yes - no
        );
        (verdict, sentence)
    })
}

// ---- pictures

/// The mean of a measure over the seeds, epoch by epoch, and every seed faintly behind it.
fn lines(chart: Chart, arms: [&Arm; 2], measure: impl Fn(&Epoch) -> f64) -> Chart {
    let points = |history: &History| -> Vec<(f64, f64)> {
        history.epochs().iter().map(|e| (e.epoch as f64, measure(e))).collect()
    };
    let mut chart = chart;
    for (colour, arm) in arms.into_iter().enumerate() {
        for history in arm.histories() {
            chart = chart.line(Line::new("", points(history)).colour(colour).faint());
        }
    }
    for (colour, arm) in arms.into_iter().enumerate() {
        let runs: Vec<_> = arm.histories().map(points).collect();
        let mean =
            |i: usize| (runs[0][i].0, runs.iter().map(|run| run[i].1).sum::<f64>() / runs.len() as f64);
        let mean: Vec<_> = (0..runs.first().map_or(0, Vec::len)).map(mean).collect();
        chart = chart.line(Line::new(arm.objective.to_string(), mean).colour(colour));
    }
    chart
}

fn charts(outcome: &Outcome) -> [(&'static str, Chart); 3] {
    let (same, best) = ([&outcome.same[0], &outcome.same[1]], outcome.best());
    let rate = same[0].learning_rate;
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
            .x_label("epoch")
            .y_label("test accuracy");
        let chart = chart.percent_y().alt(format!("Test accuracy against epoch, {subtitle}: {ends}."));
        lines(chart, arms, |e| e.test_accuracy)
    };
    let start = same.map(|arm| {
        let norms: Vec<f64> = arm.histories().map(|h| h.epochs()[0].gradient_norm).collect();
        format!("{} starts at {:.2e}", arm.objective, norms.iter().sum::<f64>() / norms.len() as f64)
    });
    let gradient =
        Chart::new("Length of the gradient against epoch").subtitle(format!("both at learning rate {rate}"));
    let gradient = gradient.x_label("epoch").y_label("gradient norm").log_y();
    let gradient =
        gradient.alt(format!("Gradient norm against epoch on a logarithmic scale: {}.", start.join(", ")));
    [
        ("accuracy-same", accuracy(format!("both at learning rate {rate}"), same)),
        ("gradient-same", lines(gradient, same, |e| e.gradient_norm)),
        ("accuracy-best", accuracy(best_rates, best)),
    ]
}

/// How hard each loss pushes a score that should be low, as the library computes it.
pub(super) fn slope_chart(losses: [Objective; 2]) -> Chart {
    let scores: Vec<f64> = (-24..=40).map(|i| f64::from(i) / 4.0).collect();
    let params = Params::<f64>::new();
    let mut workspace = Workspace::new();
    let mut chart = Chart::new("How hard the loss pushes a wrong score down")
        .subtitle("the truth is \"no\": the further right, the more wrong")
        .x_label("score z of \"yes\"")
        .y_label("slope of the loss, dl/dz");
    let mut told = Vec::new();
    for (colour, loss) in losses.into_iter().enumerate() {
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
        chart = chart.line(Line::new(loss.to_string(), points).colour(colour));
    }
    chart.alt(format!(
        "The slope of both losses against the score, when the truth is no: {}.",
        told.join("; ")
    ))
}

// ---- the page

fn page(comparison: &Comparison) -> String {
    let [first, second] = comparison.setting.losses;
    let [same, best] = conclusions(comparison);
    let mut page = Page::new(format!("{} or {}?", title_case(first), second))
        .lead(&format!(
            "A model that is trained to say yes or no is told after each guess how wrong it was. Two ways of telling are compared \
             here on real data, from the same starts: *{first}* and *{second}*."
        ))
        .verdict(same.0, &same.1)
        .verdict(best.0, &best.1)
        .section("What is compared")
        .paragraph(
            "The model gives a *score*. A curve called the sigmoid turns the score into a probability: a large score means \
             \"surely yes\", 0 means \"half and half\", a very negative one \"surely no\". A *loss* measures how bad a \
             probability was once the truth is known, and training moves the model's weights downhill on that loss, by a step that is \
             proportional to the slope.",
        )
        .paragraph(&format!("{} {}", explained(first), explained(second)))
        .paragraph(
            "Saying 99 % to something that turns out false is a little worse than saying 90 % when errors are squared (0.98 against 0.81), \
             and twice as bad in surprise (4.6 against 2.3).",
        )
        .figure(&slope_chart(comparison.setting.losses).to_svg(), slope_caption(comparison.setting.losses));
    for outcome in &comparison.outcomes {
        page = section(page, outcome);
    }
    let seeds = comparison.setting.seeds();
    page.section("What this does not show")
        .paragraph(&format!(
            "These are {} seeds (each its own split into training and test rows, its own order of rows, and where weights are drawn its own \
             start) of {}. Nothing is said about other data, larger models or other ways of stepping. \"Own best\" rates were chosen on \
             the same runs that are shown, among the rates in the tables below; a finer search may find better ones. Both losses are summed \
             over the outputs and averaged over rows, so that neither takes smaller steps by its bookkeeping. The height of one loss is \
             nowhere compared with the height of the other: they measure different things.",
            seeds.len(),
            if comparison.outcomes.len() == 1 { "one model".into() } else { format!("{} settings", comparison.outcomes.len()) },
        ))
        .details("Every learning rate that was tried", |page| {
            comparison.outcomes.iter().fold(page, |page, outcome| page.paragraph(outcome.scenario.title).table(&grid_table(outcome)))
        })
        .details("The formulas", |page| {
            page.paragraph("With score z, probability a = σ(z) = 1 / (1 + e^-z) and truth y:")
                .code(
                    "squared error    l = (a - y)²                       dl/dz = 2 (a - y) σ(z) σ(-z)\n\
                     cross-entropy    l = -[y ln a + (1 - y) ln(1 - a)]  dl/dz = a - y",
                )
                .paragraph(
                    "The factor σ(z) σ(-z) is at most 1/4 and falls like e^-|z|. With several classes the sigmoid becomes a softmax, and the \
                     same holds: the slope of cross-entropy is softmax minus truth.",
                )
        })
        .details("Run it again", |page| page.code(&command(comparison)).paragraph(
            "The same command writes the same numbers, to the last digit, on the same machine. The histories stand in `history/`, one row \
             an epoch; `summary.csv` holds every run.",
        ))
        .footer("Made by surprisal, a small deep-learning framework in Rust. Data: UCI Machine Learning Repository, CC BY 4.0.")
        .to_html()
}

/// What a loss is, in words.
fn explained(loss: Objective) -> &'static str {
    match loss {
        Objective::CrossEntropy => {
            "*Cross-entropy* takes the surprise: minus the logarithm of the probability that was given to what then happened."
        }
        Objective::SquaredError => {
            "*Squared error* takes the difference between the probability and the truth (1 for yes, 0 for no), and squares it."
        }
        Objective::HalfSquaredError => {
            "*Half squared error* takes half the square of the difference between the probability and the truth (1 for yes, 0 for no)."
        }
    }
}

fn slope_caption(losses: [Objective; 2]) -> &'static str {
    if losses.contains(&Objective::CrossEntropy) {
        "The whole difference in one picture, computed by this library. Squared error measures a probability, and the sigmoid is flat \
         where it is sure of itself: a score that is very wrong is hardly pushed at all. In the slope of cross-entropy that flatness \
         cancels, and what is left is simply the error: predicted minus true."
    } else {
        "Computed by this library. One slope is half the other; both fall to 0 where the sigmoid is flat, however wrong the score is."
    }
}

fn section(page: Page, outcome: &Outcome) -> Page {
    let scenario = &outcome.scenario;
    let setting = match scenario.start {
        Start::Zero => {
            "The same model and the same data, but all weights start at 0: at first the model says 50 % to everything."
        }
        Start::SaturatedWrong => {
            "Is a tumour benign? Thirty measurements of 569 tumours, and a model with one weight for each: logistic regression. Every weight \
             starts at 1. On these data that makes the model very sure, and wrong about most tumours: it stands where the curve above is flat for squared error."
        }
        Start::Drawn => {
            "Which digit is it? Pictures of 8x8 pixels, and a net with one hidden layer of 32 units whose weights start at small random \
             numbers. The sigmoid becomes a softmax over ten classes. Here nothing is saturated at the start."
        }
    };
    let [accuracy_same, gradient, accuracy_best] = charts(outcome).map(|(_, chart)| chart.to_svg());
    let [same, best] = outcome.findings();
    page.section(scenario.title)
        .paragraph(setting)
        .figure(&accuracy_same, "Thick: the mean over the seeds. Thin: every seed.")
        .figure(
            &gradient,
            "How strongly the data pull at the weights. A short gradient far from the goal is a stall; a short one at the goal is rest.",
        )
        .verdict(same.verdict, &same.sentence)
        .figure(&accuracy_best, "Is it only the step size? The same, with each loss at its own best learning rate.")
        .verdict(best.verdict, &best.sentence)
        .table(&table(outcome))
}

fn title_case(loss: Objective) -> String {
    let name = loss.to_string();
    name[..1].to_uppercase() + &name[1..]
}

fn command(comparison: &Comparison) -> String {
    let setting = &comparison.setting;
    let mut command = String::from("cargo run --release -- compare");
    for data in &setting.data {
        command += &format!(" --data {data}");
    }
    command += &format!(" --losses {},{}", setting.losses[0].name(), setting.losses[1].name());
    if let Some(rate) = setting.learning_rate {
        command += &format!(" --lr {rate}");
    }
    command + &format!(" --seed {} --seeds {}", setting.seed, setting.seeds)
}
