//! The files of an experiment: its page, its figures, its numbers; its summary; and the index of several experiments.

use serde_json::{Value, json};

use super::record::{Labeled, to_csv};
use super::report::Block;
use super::{Basis, Experiment, Finding, Outcome, Plan};
use surprisal_report::text::columns;
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
/// What follows "This is the quick version".
const QUICK: &str = ", with fewer epochs and seeds: trust the order of the numbers, not their digits.";

/// The command lines that a page shows; the command provides them, as it knows its own options.
pub struct Commands {
    /// Returns the command line that runs an experiment in this way.
    pub run: fn(&Experiment, &Plan) -> String,
    /// A sentence on where to enter it.
    pub entered: &'static str,
    /// The option that changes a setting: "--set key=value".
    pub set: &'static str,
    /// Returns the command line that shows a state of the playground.
    pub play: fn(&str) -> String,
    /// Where the playground is, seen from the page, if it is there.
    pub playground: Option<&'static str>,
}

impl Outcome {
    /// Returns every file: its path in the folder, and its content.
    pub fn files(&self, commands: &Commands) -> Vec<(String, Vec<u8>)> {
        let mut files = vec![
            ("report.html".to_string(), self.page(commands)),
            ("verdicts.json".into(), pretty(&self.verdicts())),
            ("setting.json".into(), pretty(&self.plan.to_json(self.experiment))),
        ];
        files.extend(self.figures().into_iter().map(|(name, svg)| (format!("{name}.svg"), svg.to_string())));
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
        let mut verdicts =
            json!({ "experiment": self.experiment.name, "claim": self.claim(), "verdicts": findings });
        if !self.report.conclusions.is_empty() {
            let conclusion = |(verdict, sentence): &(Verdict, String)| json!({ "verdict": verdict.word(), "sentence": sentence });
            verdicts["conclusions"] = self.report.conclusions.iter().map(conclusion).collect();
        }
        verdicts
    }

    fn title(&self) -> &str {
        self.report.title_and_claim.as_ref().map_or(self.experiment.title(), |[title, _]| title)
    }
    fn claim(&self) -> &str {
        self.report.title_and_claim.as_ref().map_or(self.experiment.claim(), |[_, claim]| claim)
    }

    /// Returns the hero, then every figure in order: name and SVG.
    fn figures(&self) -> Vec<(&str, &str)> {
        fn add<'a>(figures: &mut Vec<(&'a str, &'a str)>, block: &'a Block) {
            match block {
                Block::Figure { name, svg, .. } => figures.push((name, svg)),
                Block::Details(_, blocks) => blocks.iter().for_each(|block| add(figures, block)),
                _ => {}
            }
        }
        let mut figures = vec![];
        self.report.hero.iter().chain(&self.report.blocks).for_each(|block| add(&mut figures, block));
        figures
    }

    /// Returns the findings without a position of their own.
    fn together(&self) -> Vec<&Finding> {
        let placed = |index| self.report.blocks.iter().any(|b| matches!(b, Block::Finding(i) if *i == index));
        self.report.findings.iter().enumerate().filter(|(index, _)| !placed(*index)).map(|(_, f)| f).collect()
    }

    /// Returns the verdicts for a terminal, in lines of at most 100 characters.
    pub fn summary(&self) -> String {
        let Outcome { experiment, plan, report, .. } = self;
        let mut text = wrapped(&format!("{}: {}", experiment.name, self.claim()));
        if plan.broken {
            text += &wrapped(&format!(
                "  Broken on purpose: {}. A verdict that is SUPPORTED in the complete version must not be SUPPORTED here.",
                experiment.broken()
            ));
        }
        if plan.quick {
            text += &wrapped(&format!("  This is the quick version{QUICK}"));
        }
        let broken = if plan.broken { " (broken on purpose)" } else { "" };
        let line = |finding: &Finding| {
            wrapped(&format!("  {}{broken}: {}: {finding}", finding.verdict.word(), finding.condition))
        };
        text.extend(self.together().into_iter().map(line));
        for block in &report.blocks {
            match block {
                Block::Finding(index) => text += &line(&report.findings[*index]),
                Block::MainTable(table) => {
                    let rows: Vec<_> = std::iter::once(&table.header).chain(&table.rows).cloned().collect();
                    let right = |column: usize| table.align.get(column) == Some(&Align::Right);
                    text += &format!("\n{}{}", wrapped(&table.caption), columns(&rows, right));
                }
                _ => {}
            }
        }
        for (i, (verdict, sentence)) in report.conclusions.iter().enumerate() {
            text += if i == 0 { "\n" } else { "" };
            text += &wrapped(&format!("{}{broken}: {sentence}", verdict.word()));
        }
        text
    }

    /// A verdict for a page.
    fn verdict(&self, finding: &Finding) -> String {
        let broken = if self.plan.broken { BROKEN } else { "" };
        format!("{broken}*{}*: {finding}", finding.condition)
    }

    fn page(&self, commands: &Commands) -> String {
        let Outcome { experiment, plan, report, .. } = self;
        let broken = experiment.broken();
        let mut page = Page::new(self.title()).lead(&format!("The claim: {}", self.claim()));
        if plan.broken {
            page = page.paragraph(&format!(
                "*This version is broken on purpose*, to show that the verdicts can change: {broken}. A verdict that is SUPPORTED in the \
                 complete version must not be SUPPORTED here."
            ));
        }
        if plan.quick {
            page = page.paragraph(&format!("*This is the quick version*{QUICK}"));
        }
        let prefix = if plan.broken { BROKEN } else { "" };
        page = report.hero.iter().fold(page, |page, hero| self.add(page, hero));
        for (verdict, sentence) in &report.conclusions {
            page = page.verdict(*verdict, &format!("{prefix}{sentence}"));
        }
        if report.hero.is_some() {
            page = page.section("What it is about");
        }
        let is_first = matches!(report.blocks.first(), Some(Block::Figure { .. }));
        let (first, rest) = report.blocks.split_at(report.findings_at.unwrap_or(usize::from(is_first)));
        page = experiment.background().fold(page, |page, text| page.paragraph(text));
        page = first.iter().fold(page, |page, block| self.add(page, block));
        let certain = report.findings.iter().all(|finding| finding.basis == Basis::Deterministic);
        let together = self.together();
        page = page
            .section(if together.is_empty() { "How to read the results" } else { "Results" })
            .paragraph(if certain { CERTAIN } else { UNCERTAIN });
        for finding in together {
            page = page.verdict(finding.verdict, &self.verdict(finding));
        }
        page = page.paragraph(&format!("*The claim would be falsified if* {}.", experiment.falsified_if()));
        page = rest.iter().fold(page, |page, block| self.add(page, block));
        if let Some((state, what)) = experiment.playground() {
            page = page.section("See it happen").paragraph(what);
            if let Some(playground) = commands.playground {
                page = page.link("Open it in the playground", &format!("{playground}#{state}"));
            }
            page = page.code(&(commands.play)(state));
        }
        page = page
            .section("Doubt it, run it, break it")
            .paragraph(&format!(
                "This command computes the same numbers again, to the last digit, on any machine. {}",
                commands.entered
            ))
            .code(&(commands.run)(experiment, plan))
            .paragraph(&match plan.seeds {
                0 => "Nothing in it is random.".into(),
                n => format!(
                    "All random numbers come from the seeds {} to {}.",
                    plan.first_seed,
                    plan.first_seed.wrapping_add(n as u64 - 1)
                ),
            });
        if !experiment.knobs.is_empty() {
            page = page.table(&Table::new(
                format!("The settings, which `{}` changes, and their values here", commands.set),
                3,
                ["key", "value", "meaning"],
                plan.setting.entries().map(|(knob, value)| {
                    vec![
                        format!("`{}`", knob.setting.name),
                        value.replace(',', ", "),
                        knob.setting.help.into(),
                    ]
                }),
            ));
        }
        if !plan.broken {
            let broken_plan = Plan { broken: true, ..plan.clone() };
            page = page
                .paragraph(&format!(
                    "Can the verdicts fail? This command runs the experiment without the effect that its claim is about: {broken}. The \
                     verdicts that are SUPPORTED here must then not be SUPPORTED; a test ensures this."
                ))
                .code(&(commands.run)(experiment, &broken_plan));
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
    fn thumbnail(&self) -> Option<&str> {
        self.figures().first().map(|(name, _)| *name)
    }

    fn add(&self, page: Page, block: &Block) -> Page {
        match block {
            Block::Figure { svg, narrow: Some(narrow), caption, .. } => {
                page.wide_figure(svg, narrow, caption)
            }
            Block::Figure { svg, caption, .. } => page.figure(svg, caption),
            Block::Finding(index) => {
                let finding = &self.report.findings[*index];
                page.verdict(finding.verdict, &self.verdict(finding))
            }
            Block::Section(heading) => page.section(heading),
            Block::Paragraph(text) => page.paragraph(text),
            Block::Code(text) => page.code(text),
            Block::Table(table) | Block::MainTable(table) => page.table(table),
            Block::Details(heading, blocks) => {
                page.details(heading, |page| blocks.iter().fold(page, |page, block| self.add(page, block)))
            }
        }
    }
}

/// A line in lines of at most 100 characters; the second and later ones are indented by four.
fn wrapped(text: &str) -> String {
    let (mut lines, mut line) = (String::new(), String::new());
    for (i, word) in text.split(' ').enumerate() {
        if line.chars().count() + 1 + word.chars().count() > 100 {
            lines += &format!("{line}\n");
            line = format!("    {word}");
        } else {
            line += &format!("{}{word}", if i == 0 { "" } else { " " });
        }
    }
    lines + &line + "\n"
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
        let (name, title, claim) = (outcome.experiment.name, outcome.title(), outcome.claim());
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
pub fn index_markdown(
    outcomes: &[&Outcome],
    left_out: &[(&Experiment, String)],
    commands: &Commands,
) -> String {
    let mut text = format!("{}.\n", count(outcomes));
    for outcome in outcomes {
        let (name, title, claim) = (outcome.experiment.name, outcome.title(), outcome.claim());
        text += &format!("\n## {title}\n\n{}\n\n", sentence(claim));
        for f in &outcome.report.findings {
            let broken = if outcome.plan.broken { BROKEN } else { "" };
            text += &format!("- **{}** {broken}{}: {f}\n", f.verdict.word(), f.condition);
        }
        if let Some(picture) = outcome.thumbnail() {
            text += &format!("\n<img src=\"{name}/{picture}.svg\" width=\"480\" alt=\"{title}\">\n");
        }
        text += &format!(
            "\n`{}` ({})\n",
            (commands.run)(outcome.experiment, &outcome.plan),
            outcome.experiment.time()
        );
    }
    for (experiment, why) in left_out {
        text += &format!("\n## {}\n\nNot run: {why}.\n", experiment.title());
    }
    text
}
