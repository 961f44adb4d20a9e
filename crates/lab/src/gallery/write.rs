//! The files of an experiment: its page, its figures, its numbers; and the index of several experiments.

use serde_json::{Value, json};

use super::record::{Labeled, to_csv};
use super::report::Block;
use super::{Basis, Experiment, Finding, Outcome};
use surprisal_report::{Align, Page, Table, Verdict};

/// How to read the verdicts: of deterministic numbers, and of numbers with intervals.
const CERTAIN: &str = "Every verdict is about a number, and names the number that was expected. These numbers are *deterministic*: every run gives the same. SUPPORTED \
    means that the number is as expected, NOT SUPPORTED that it is not, and EQUAL that the two sides of a comparison are exactly equal.";
const UNCERTAIN: &str = "Every verdict is about a number, and names the number that was expected. A number that depends on chance is measured several times, with \
    different *seeds* of the random number generator. The brackets after it contain its 95 % confidence interval; a number without brackets is \
    deterministic. SUPPORTED means that the whole interval is as expected, NOT SUPPORTED that no part of it is, EQUAL that the two sides of a \
    comparison are exactly equal, and INCONCLUSIVE that the interval contains the bound and does not decide.";
/// The beginning of every verdict of a broken version.
const BROKEN: &str = "Broken on purpose. ";

impl Outcome {
    /// Returns every file: its path in the folder, and its content.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = vec![
            ("report.html".to_string(), self.page()),
            ("verdicts.json".into(), pretty(&self.verdicts())),
            ("setting.json".into(), pretty(&self.plan.to_json(self.experiment))),
        ];
        for block in &self.report.blocks {
            if let Block::Figure { name, svg, .. } = block {
                files.push((format!("{name}.svg"), svg.clone()));
            }
        }
        for (name, records) in self.by_name() {
            let runs = records.iter().map(|Labeled { labels, record }| {
                let mut run = record.to_json();
                run["labels"] = labels
                    .iter()
                    .map(|(key, value)| (key.to_string(), json!(value)))
                    .collect::<serde_json::Map<_, _>>()
                    .into();
                run
            });
            files.push((format!("{name}.csv"), to_csv(&records)));
            files.push((format!("{name}.json"), format!("{}\n", runs.collect::<Value>())));
        }
        files.into_iter().map(|(name, content)| (name, content.into_bytes())).collect()
    }

    /// Records of one name together, in the order in which names appear.
    fn by_name(&self) -> Vec<(&str, Vec<&Labeled>)> {
        let mut groups: Vec<(&str, Vec<&Labeled>)> = vec![];
        for labeled in &self.records {
            match groups.iter_mut().find(|(name, _)| *name == labeled.record.name) {
                Some((_, group)) => group.push(labeled),
                None => groups.push((&labeled.record.name, vec![labeled])),
            }
        }
        groups
    }

    fn verdicts(&self) -> Value {
        let findings: Vec<Value> = self.report.findings.iter().map(|finding| finding.to_json()).collect();
        json!({ "experiment": self.experiment.name, "claim": self.experiment.claim(), "verdicts": findings })
    }

    /// Returns the verdicts for a terminal.
    pub fn summary(&self) -> String {
        let mut text = format!("{}: {}\n", self.experiment.name, self.experiment.claim());
        if self.plan.broken {
            text += &format!(
                "  Broken on purpose: {}. A verdict that is SUPPORTED without --break must not be SUPPORTED here.\n",
                self.experiment.broken()
            );
        }
        for finding in &self.report.findings {
            let broken = if self.plan.broken { " (broken on purpose)" } else { "" };
            text += &format!("  {}{broken}: {}: {finding}\n", finding.verdict.word(), finding.condition);
        }
        text
    }

    /// A verdict for a page.
    fn verdict(&self, finding: &Finding) -> String {
        let broken = if self.plan.broken { BROKEN } else { "" };
        format!("{broken}*{}*: {finding}", finding.condition)
    }

    /// Returns the command that gives the same numbers again.
    pub fn command(&self) -> String {
        let (experiment, plan) = (self.experiment, &self.plan);
        let usual = experiment.plan(plan.quick, false).seeds;
        let seeds = if plan.seeds == usual { String::new() } else { format!(" --seeds {}", plan.seeds) };
        let quick = if plan.quick { " --quick" } else { "" };
        let broken = if plan.broken { " --break" } else { "" };
        format!(
            "surprisal lab run {}{quick}{seeds}{}{broken}",
            experiment.name,
            plan.setting.options(plan.quick)
        )
    }

    fn page(&self) -> String {
        let Outcome { experiment, plan, report, .. } = self;
        let broken = experiment.broken();
        let mut page = Page::new(experiment.title()).lead(&format!("The claim: {}", experiment.claim()));
        if plan.broken {
            page = page.paragraph(&format!(
                "*This version is broken on purpose*, to show that the verdicts can change: {broken}. A verdict that is SUPPORTED in the \
                 complete version must not be SUPPORTED here."
            ));
        }
        if plan.quick {
            page = page.paragraph(
                "*This is the quick version*, with fewer epochs and seeds: trust the order of the numbers, not their digits.",
            );
        }
        let (first, rest) = match report.blocks.split_first() {
            Some((first @ Block::Figure { .. }, rest)) => (Some(first), rest),
            _ => (None, &report.blocks[..]),
        };
        page = experiment.background().fold(page, |page, text| page.paragraph(text));
        page = first.into_iter().fold(page, add);
        let certain = report.findings.iter().all(|finding| finding.basis == Basis::Deterministic);
        page = page.section("Results").paragraph(if certain { CERTAIN } else { UNCERTAIN });
        for finding in &report.findings {
            page = page.verdict(finding.verdict, &self.verdict(finding));
        }
        page = page.paragraph(&format!("*The claim would be falsified if* {}.", experiment.falsified_if()));
        page = rest.iter().fold(page, add);
        page = page
            .section("Doubt it, run it, break it")
            .paragraph("This command computes the same numbers again, to the last digit, on any machine. Type it into a terminal in the folder of this program, surprisal:")
            .code(&format!("cargo run --release -- {}", self.command().trim_start_matches("surprisal ")))
            .paragraph(&match plan.seeds {
                0 => "Nothing in it is random.".into(),
                n => format!("All random numbers come from the seeds 1 to {n}."),
            });
        if !experiment.knobs.is_empty() {
            page = page.table(&Table {
                caption: "The settings, which `--set key=value` changes, and their values here".into(),
                header: ["key", "value", "meaning"].map(String::from).to_vec(),
                rows: plan
                    .setting
                    .entries()
                    .map(|(knob, value)| {
                        vec![
                            format!("`{}`", knob.setting.name),
                            value.replace(',', ", "),
                            knob.setting.help.into(),
                        ]
                    })
                    .collect(),
                align: vec![Align::Left, Align::Left, Align::Left],
            });
        }
        if !plan.broken {
            page = page.paragraph(&format!(
                "Can the verdicts fail? With `--break` at the end of the command, the experiment runs without the effect that its claim is about: \
                 {broken}. The verdicts that are SUPPORTED here must then not be SUPPORTED; a test ensures this."
            ));
        }
        page.section("Sources")
            .paragraph(experiment.source())
            .footer(&format!(
                "Written by surprisal {}. The numbers of the figures are in the CSV and JSON files beside this page, the settings in `setting.json`.",
                env!("CARGO_PKG_VERSION")
            ))
            .to_html()
    }

    /// The name of the figure that shows the claim.
    fn thumbnail(&self) -> Option<&'static str> {
        self.report.blocks.iter().find_map(|block| match block {
            Block::Figure { name, .. } => Some(*name),
            _ => None,
        })
    }
}

fn add(page: Page, block: &Block) -> Page {
    match block {
        Block::Figure { svg, narrow: Some(narrow), caption, .. } => page.wide_figure(svg, narrow, caption),
        Block::Figure { svg, caption, .. } => page.figure(svg, caption),
        Block::Section(heading) => page.section(heading),
        Block::Paragraph(text) => page.paragraph(text),
        Block::Table(table) => page.table(table),
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// A clause as a sentence.
fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).chain(['.']).collect())
}

/// The number of each verdict, as text.
fn count(outcomes: &[&Outcome]) -> String {
    let all = || outcomes.iter().flat_map(|outcome| &outcome.report.findings);
    let of = |verdict| all().filter(|finding| finding.verdict == verdict).count();
    let words = [Verdict::Supported, Verdict::NotSupported, Verdict::Equal, Verdict::Inconclusive];
    words.map(|verdict| format!("{} {}", of(verdict), verdict.word())).join(", ")
}

/// Returns the page with links to several experiments, each in the folder of its name. `left_out` are those that could not run, with the reason.
pub fn index(outcomes: &[&Outcome], left_out: &[(&Experiment, String)]) -> String {
    let mut page = Page::new("Does cross-entropy beat squared error?").lead(
        "It is often said. Here it is split into claims that can fail, each with a number, an interval, a figure and a verdict.",
    );
    page = page.paragraph(&format!(
        "{} experiments, {} verdicts: {}.",
        outcomes.len(),
        outcomes.iter().map(|o| o.report.findings.len()).sum::<usize>(),
        count(outcomes)
    ));
    for outcome in outcomes {
        let (name, title, claim) =
            (outcome.experiment.name, outcome.experiment.title(), outcome.experiment.claim());
        let verdicts: Vec<_> = outcome
            .report
            .findings
            .iter()
            .map(|f| (f.verdict, outcome.verdict(&f.clone().sentence(""))))
            .collect();
        let picture = outcome.thumbnail().map(|picture| format!("{name}/{picture}.svg"));
        page = page.entry(
            title,
            &format!("{name}/report.html"),
            &sentence(claim),
            picture.as_deref(),
            &verdicts,
        );
    }
    for (experiment, why) in left_out {
        page = page.paragraph(&format!("*{}* was not run: {why}.", experiment.title()));
    }
    page.footer("Every page explains how to run its experiment again, vary it and break it.").to_html()
}

/// Returns the same as Markdown.
pub fn index_markdown(outcomes: &[&Outcome], left_out: &[(&Experiment, String)]) -> String {
    let mut text = format!("{}.\n", count(outcomes));
    for outcome in outcomes {
        let (name, title, claim) =
            (outcome.experiment.name, outcome.experiment.title(), outcome.experiment.claim());
        text += &format!("\n## {title}\n\n{}\n\n", sentence(claim));
        for f in &outcome.report.findings {
            let broken = if outcome.plan.broken { BROKEN } else { "" };
            text += &format!("- **{}** {broken}{}: {f}\n", f.verdict.word(), f.condition);
        }
        if let Some(picture) = outcome.thumbnail() {
            text += &format!("\n<img src=\"{name}/{picture}.svg\" width=\"480\" alt=\"{title}\">\n");
        }
        text += &format!("\n`{}` ({})\n", outcome.command(), outcome.experiment.time());
    }
    for (experiment, why) in left_out {
        text += &format!("\n## {}\n\nNot run: {why}.\n", experiment.title());
    }
    text
}
