//! What a sweep writes: tables, JSON, a picture, the best settings.

use serde_json::{Map, Value, json};
use surprisal_report::chart::{Band, Chart, Forest, Line, Points};
use surprisal_report::csv::csv;
use surprisal_report::statistics::Estimate;
use surprisal_report::{Page, Table};

use super::{BEST, Measured, Point, Run, Sweep, find};
use crate::report::REPORT;
use crate::table::{aligned, short};

/// The maximum number of rows in a picture.
const DRAWN: usize = 24;

impl Sweep {
    /// Every file but the journal, by name.
    pub(super) fn files(&self) -> [(&'static str, String); 6] {
        [
            ("sweep.csv", self.to_csv()),
            ("sweep.txt", self.to_text()),
            ("sweep.json", self.to_json()),
            ("sweep.svg", self.to_svg()),
            (REPORT, self.to_html()),
            (BEST, self.best().to_toml()),
        ]
    }

    fn keys(&self) -> impl Iterator<Item = String> {
        self.points[0].values.iter().map(|(key, _)| key.to_string())
    }

    /// The test scores of the best point, by metric.
    pub fn test(&self) -> Vec<(String, Estimate)> {
        let best = &self.points[0];
        let names =
            best.runs.iter().filter_map(|run| run.outcome.as_ref().ok()).flat_map(|measured| &measured.test);
        let mut all: Vec<(String, Estimate)> = Vec::new();
        for (name, _) in names {
            if all.iter().all(|(known, _)| known != name)
                && let Some(estimate) = best.estimate(name, |measured| &measured.test)
            {
                all.push((name.clone(), estimate));
            }
        }
        all
    }

    /// The points, the best first, and the best one's test scores, for readers.
    pub fn to_text(&self) -> String {
        let (monitor, seeds) = (self.monitor.to_string(), self.points[0].runs.len());
        let several = seeds > 1; // else there is no interval
        let numbers = |estimate: Option<Estimate>| {
            let numbers = |e: Estimate| if several { vec![e.mean, e.low, e.high] } else { vec![e.mean] };
            let empty = vec![String::new(); if several { 3 } else { 1 }];
            estimate.map_or(empty, |e| numbers(e).into_iter().map(short).collect())
        };
        let head = |name: &str| {
            let interval = ["low", "high"].map(str::to_string).into_iter().filter(|_| several);
            [name.to_string()].into_iter().chain(interval)
        };
        let failed = |point: &Point| {
            let failed = point.runs.iter().filter(|run| run.outcome.is_err()).count();
            if failed > 0 { format!("{failed} of {seeds} runs failed") } else { String::new() }
        };
        let row = |point: &Point| {
            let values = point.values.iter().map(|(_, value)| value.clone());
            values.chain(numbers(point.validation(&monitor))).chain([failed(point)]).collect()
        };
        let header =
            self.keys().chain(head(&format!("validation {monitor}"))).chain([String::new()]).collect();
        let rows: Vec<Vec<String>> = [header].into_iter().chain(self.points.iter().map(row)).collect();
        let folds = self.folds.map_or(String::new(), |folds| format!(", cross-validated in {folds} folds"));
        let over =
            if several { format!(", means over {seeds} seeds and 95 % intervals") } else { String::new() };
        let data = self.settings.get("data").unwrap_or_default();
        let mut text =
            format!("{data}: {} points, the best first{folds}{over}\n{}", self.points.len(), aligned(&rows));
        for point in &self.points {
            if let Some(reason) = point.failure() {
                text += &format!("{}: {}\n", point.name(), first_line(reason));
            }
        }
        let header = head("test").collect::<Vec<_>>();
        let header = [vec![String::new()], header].concat();
        let of_test =
            self.test().into_iter().map(|(name, estimate)| [vec![name], numbers(Some(estimate))].concat());
        let rows: Vec<Vec<String>> = [header].into_iter().chain(of_test).collect();
        text + &format!("the best: {}\n{}", self.points[0].name(), aligned(&rows))
    }

    /// The best point, the picture, the points and the test scores of the best, as a page of HTML that needs no other file.
    fn to_html(&self) -> String {
        let (monitor, best) = (self.monitor.to_string(), &self.points[0]);
        let several = best.runs.len() > 1;
        let number = |e: Estimate| match several {
            true => format!("{} ({} to {})", short(e.mean), short(e.low), short(e.high)),
            false => short(e.mean),
        };
        let data = self.settings.get("data").unwrap_or_default();
        let lead = format!(
            "Of {} points, *{}* has the best {monitor} on the validation rows{}: {}.",
            self.points.len(),
            best.name(),
            self.folds.map_or(String::new(), |folds| format!(", the mean over {folds} folds")),
            best.validation(&monitor).map_or(String::new(), number)
        );
        let over = match several {
            true => format!(" Means over {} seeds, with 95 % intervals.", best.runs.len()),
            false => String::new(),
        };
        let row = |point: &Point| {
            let values = point.values.iter().map(|(_, value)| value.clone());
            let reason = || point.failure().map_or(String::new(), |reason| first_line(reason).to_string());
            values.chain([point.validation(&monitor).map_or_else(reason, number)]).collect()
        };
        let points = Table::new(
            format!("The points, the best first.{over}"),
            0,
            self.keys().chain([format!("validation {monitor}")]),
            self.points.iter().map(row),
        );
        let test = Table::new(
            format!("The best point on the test rows, which decided nothing.{over}"),
            1,
            ["metric", "test"],
            self.test().into_iter().map(|(name, e)| vec![name, number(e)]),
        );
        let figure =
            if several { "One mark for each point, with its interval." } else { "One mark for each point." };
        Page::new(format!("Settings compared on {data}"))
            .lead(&lead)
            .figure(&self.to_svg(), figure)
            .section("The points")
            .table(&points)
            .section("The best point on the test set")
            .table(&test)
            .section("Train with it")
            .paragraph("With `DIR` for the folder that this page is in, from the folder that the sweep was started in:")
            .code(&format!("surprisal train --config DIR/{BEST}"))
            .code(&self.best().to_toml())
            .footer("Made by surprisal, a small deep-learning framework in Rust. The same settings make the same page, to the last digit.")
            .to_html()
    }

    /// A row for each run, in the order of the points: its values, its seed, its epochs, what was measured of
    /// the validation part, or why it failed.
    pub fn to_csv(&self) -> String {
        let runs = || self.points.iter().flat_map(|point| point.runs.iter().map(move |run| (point, run)));
        let mut names: Vec<&String> = Vec::new();
        for (name, _) in
            runs().filter_map(|(_, run)| run.outcome.as_ref().ok()).flat_map(|measured| &measured.validation)
        {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let words = |words: [&str; 2]| words.map(str::to_string).into_iter();
        let header = self.keys().chain(words(["seed", "epochs"]));
        let header =
            header.chain(names.iter().map(|name| format!("validation_{name}"))).chain(["failed".to_string()]);
        let row = |(point, Run { seed, outcome, .. }): (&Point, &Run)| {
            let values = point.values.iter().map(|(_, value)| value.clone()).chain([seed.to_string()]);
            let measured = outcome.as_ref().ok();
            let score = |name: &&String| {
                let of = |measured: &Measured| find(&measured.validation, name);
                measured.and_then(of).map_or(String::new(), |value| value.to_string())
            };
            let epochs = measured.map_or(String::new(), |measured| measured.epochs.to_string());
            let failed = outcome.as_ref().err().map_or("", |reason| first_line(reason)).to_string();
            values.chain([epochs]).chain(names.iter().map(score)).chain([failed]).collect()
        };
        csv([header.collect()].into_iter().chain(runs().map(row)).collect::<Vec<Vec<String>>>())
    }

    /// The same as the text, with every digit.
    pub fn to_json(&self) -> String {
        let monitor = self.monitor.to_string();
        let estimate = |e: Estimate| json!({ "mean": e.mean, "low": e.low, "high": e.high });
        let values = |point: &Point| {
            point.values.iter().map(|(key, value)| (key.to_string(), json!(value))).collect::<Map<_, _>>()
        };
        let point = |point: &Point| {
            let runs = point.runs.iter().map(|run| match &run.outcome {
                Ok(Measured { epochs, validation, .. }) => {
                    let scores = validation
                        .iter()
                        .map(|(name, value)| (name.clone(), json!(value)))
                        .collect::<Map<_, _>>();
                    json!({ "seed": run.seed, "epochs": epochs, "validation": scores })
                }
                Err(reason) => json!({ "seed": run.seed, "failed": reason }),
            });
            let of_validation = point.validation(&monitor).map_or(Value::Null, estimate);
            json!({ "settings": values(point), "validation": of_validation, "runs": runs.collect::<Vec<_>>() })
        };
        let test = self.test().into_iter().map(|(name, e)| (name, estimate(e))).collect::<Map<_, _>>();
        let points = self.points.iter().map(point).collect::<Vec<_>>();
        let best = json!({ "settings": values(&self.points[0]), "test": test });
        format!("{:#}\n", json!({ "monitor": monitor, "points": points, "best": best }))
    }

    /// The monitored metric against the setting that varies, if that is one numeric setting; otherwise point by point.
    pub fn to_svg(&self) -> String {
        let monitor = self.monitor.to_string();
        let title = format!("Validation {monitor}");
        let whole =
            Vec::from_iter(self.points.iter().filter_map(|point| Some((point, point.validation(&monitor)?))));
        let mut remarks = Vec::new();
        if whole.len() < self.points.len() {
            remarks.push(format!(
                "{} of {} points failed and are not drawn",
                self.points.len() - whole.len(),
                self.points.len()
            ));
        }
        let several = self.points[0].runs.len() > 1;
        let number = |point: &Point| match &point.values[..] {
            [(_, value)] => value.parse::<f64>().ok(),
            _ => None,
        };
        let along: Option<Vec<(f64, &Point, Estimate)>> =
            whole.iter().map(|&(point, estimate)| Some((number(point)?, point, estimate))).collect();
        let Some(along) = along.filter(|along| along.len() > 1) else {
            if several {
                remarks.push("means over the seeds and 95 % intervals".into());
            }
            if whole.len() > DRAWN {
                remarks.push(format!("the best {DRAWN} of {}", whole.len()));
            }
            let forest = Forest::new(title).subtitle(remarks.join("; ")).x_label(monitor);
            let row = |forest: Forest, &(point, estimate): &(&Point, Estimate)| {
                // a single number has no interval, from which its digits would follow
                let number = if several { String::new() } else { format!(": {}", short(estimate.mean)) };
                forest.row(point.name() + &number, estimate, 0)
            };
            return whole.iter().take(DRAWN).fold(forest, row).to_svg();
        };
        self.against(along, Chart::new(title), remarks)
    }

    /// The picture of one setting that varies: its values, their points, and what is drawn of them.
    fn against(
        &self,
        mut along: Vec<(f64, &Point, Estimate)>,
        chart: Chart,
        mut remarks: Vec<String>,
    ) -> String {
        let (monitor, several) = (self.monitor.to_string(), self.points[0].runs.len() > 1);
        along.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (least, most) = (along[0].0, along[along.len() - 1].0);
        let one = |run: &Run| find(&run.outcome.as_ref().ok()?.validation, &monitor);
        let single =
            along.iter().flat_map(|(x, point, _)| point.runs.iter().filter_map(one).map(|y| (*x, y)));
        let single = Vec::from_iter(single);
        let [low, high] = [f64::min, f64::max]
            .map(|of: fn(f64, f64) -> f64| single.iter().map(|(_, y)| *y).fold(f64::NAN, of));
        // an error of a run that is about to diverge would flatten all others
        let wide = low > 0.0 && high >= 100.0 * low && !self.monitor.larger_is_better();
        if several {
            let intervals = if wide { "" } else { " and 95 % intervals" };
            remarks.push(format!("single runs, means over the seeds{intervals}"));
        }
        let mut chart = chart
            .subtitle(remarks.join("; "))
            .x_label(self.points[0].values[0].0)
            .y_label(&monitor)
            .points(Points::new("", single).color(0))
            .line(Line::new("", along.iter().map(|(x, _, e)| (*x, e.mean))).color(0));
        if wide {
            chart = chart.log_y();
        } else if several {
            chart = chart.band(Band::new(along.iter().map(|(x, _, e)| (*x, e.low, e.high))).color(0));
        }
        if least > 0.0 && most >= 10.0 * least {
            chart = chart.log_x();
        }
        chart.to_svg()
    }
}

/// The first line of a message.
fn first_line(reason: &str) -> &str {
    reason.lines().next().unwrap_or_default()
}

impl Point {
    /// "lr = 0.1, hidden = 8".
    pub fn name(&self) -> String {
        Vec::from_iter(self.values.iter().map(|(key, value)| format!("{key} = {value}"))).join(", ")
    }
}
