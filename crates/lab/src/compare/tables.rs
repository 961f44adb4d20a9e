//! The numbers: as CSV, as tables, and as the text that the terminal shows.

use super::pictures::{charts, sigmoid_chart, slope_chart};
use super::{Arm, Comparison, Outcome};
use surprisal_report::csv::csv;
use surprisal_report::statistics::Estimate;
use surprisal_report::{Align, Table, Verdict};
use surprisal_train::Epoch;

/// Every file of the run folder: path and content.
pub(super) fn files(comparison: &Comparison) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("report.html".to_string(), super::report::page(comparison)),
        ("summary.csv".to_string(), summary_csv(comparison)),
    ];
    files.push(("sigmoid.svg".into(), sigmoid_chart().to_svg()));
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
    files.into_iter().map(|(name, content)| (name, content.into_bytes())).collect()
}

/// The histories of an arm, one seed below the other.
fn history_csv(comparison: &Comparison, arm: &Arm) -> String {
    let runs = comparison.setting.seeds().into_iter().zip(&arm.runs);
    let rows = runs.filter_map(|(seed, run)| Some((seed.to_string(), run.as_ref().ok()?))).flat_map(
        |(seed, run)| run.rows().map(move |row| std::iter::once(seed.clone()).chain(row).collect()),
    );
    let header = std::iter::once("seed").chain(Epoch::COLUMNS).map(String::from).collect();
    csv(std::iter::once(header).chain(rows).collect::<Vec<Vec<String>>>())
}

/// Every arm at every rate: epochs to the accuracy (empty if it never came to that) and where it ended.
fn summary_csv(comparison: &Comparison) -> String {
    let header = [
        "scenario",
        "loss",
        "learning_rate",
        "seed",
        "accuracy",
        "epochs_to_accuracy",
        "final_train_accuracy",
        "final_test_accuracy",
    ];
    let mut rows = vec![header.map(String::from)];
    for outcome in &comparison.outcomes {
        let accuracy = outcome.scenario.accuracy;
        for arm in outcome.same.iter().chain(outcome.grid.iter().flatten()) {
            for (seed, run) in comparison.setting.seeds().iter().zip(&arm.runs) {
                let (epochs, train, test) = match run {
                    Ok(history) => {
                        let last = history.last();
                        let epochs = history.epochs_to(accuracy).map_or(String::new(), |e| e.to_string());
                        (epochs, last.train.score().to_string(), last.held_out().score().to_string())
                    }
                    Err(_) => Default::default(),
                };
                let (id, loss, rate) = (outcome.scenario.id, arm.objective.name(), arm.learning_rate);
                let [id, loss] = [id, loss].map(String::from);
                rows.push([
                    id,
                    loss,
                    rate.to_string(),
                    seed.to_string(),
                    accuracy.to_string(),
                    epochs,
                    train,
                    test,
                ]);
            }
        }
    }
    csv(rows)
}

pub(super) fn percent(values: &[f64]) -> String {
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

pub(super) fn table(outcome: &Outcome) -> Table {
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

pub(super) fn grid_table(outcome: &Outcome) -> Table {
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
    let [first, second] = comparison.setting.losses;
    let mut text = wrapped("The claim: ", &format!("{first} learns faster than {second}.\n"));
    if comparison.setting.quick {
        text += &wrapped("This is the quick version: ", super::QUICK);
    }
    for outcome in &comparison.outcomes {
        text += &aligned(&table(outcome));
        for finding in outcome.findings() {
            text += &wrapped(&format!("  {}: ", finding.verdict.word()), &finding.sentence);
        }
        text.push('\n');
    }
    for (verdict, sentence) in conclusions(comparison) {
        text += &wrapped(&format!("{}: ", verdict.word()), &sentence);
    }
    text + "(This speaks of these models, data, starts and rates.)\n"
}

/// Text in lines of at most 100 characters, all but the first indented.
fn wrapped(label: &str, text: &str) -> String {
    let (mut lines, mut line) = (String::new(), label.to_string());
    for word in text.split(' ') {
        if line.chars().count() + word.chars().count() > 100 {
            lines += &format!("{}\n", line.trim_end());
            line = "    ".into();
        }
        line += word;
        line.push(' ');
    }
    lines + line.trim_end_matches(' ') + "\n"
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
pub(super) fn conclusions(comparison: &Comparison) -> [(Verdict, String); 2] {
    let [first, second] = comparison.setting.losses;
    let conditions = ["At the same learning rate", "With each loss at its own best learning rate"];
    [0, 1].map(|condition| {
        let verdicts: Vec<_> = comparison.outcomes.iter().map(|o| o.findings()[condition].verdict).collect();
        let count = |verdict| verdicts.iter().filter(|&&v| v == verdict).count();
        let all = verdicts.len();
        let kinds = [Verdict::Supported, Verdict::NotSupported, Verdict::Equal];
        let verdict = kinds.into_iter().find(|&kind| count(kind) == all).unwrap_or(Verdict::Inconclusive);
        let parts = [
            (count(Verdict::Supported), format!("faster than {second}")),
            (count(Verdict::NotSupported), "slower".into()),
            (count(Verdict::Equal), "exactly as fast".into()),
            (count(Verdict::Inconclusive), "neither clearly faster nor slower".into()),
        ];
        let parts: Vec<_> = parts
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| format!("{what} in {n} of {all} settings"))
            .collect();
        let sentence = format!(
            "{}, {first} learned {} (faster in all {all} expected).",
            conditions[condition],
            parts.join(", ")
        );
        (verdict, sentence)
    })
}
