//! Every experiment of the gallery, in its quick version: it runs, its verdicts can be lost, its pages can be seen.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::browser::{Folder, faults};
use serde_json::Value;
use surprisal_lab::gallery::{self, Commands, Experiment, Journal, LabError, Outcome, Plan};
use surprisal_report::Verdict;
use surprisal_train::parallel::Progress;

/// The quick versions, whole and broken, run once for all tests; none where the data are not there, which is printed.
fn quick() -> &'static [[Outcome; 2]] {
    static OUTCOMES: OnceLock<Vec<[Outcome; 2]>> = OnceLock::new();
    let run = |experiment: &'static Experiment, broken| match experiment.run(
        experiment.plan(true, broken),
        &(),
        None,
        None,
    ) {
        Ok(outcome) => Some(outcome),
        Err(LabError::Absent(why)) => {
            println!("SKIPPED: {}: {why}", experiment.name);
            None
        }
        Err(error) => panic!("{}: {error}", experiment.name),
    };
    OUTCOMES.get_or_init(|| {
        let both =
            |&experiment: &&'static Experiment| Some([run(experiment, false)?, run(experiment, true)?]);
        surprisal_lab::experiments::all().iter().filter_map(both).collect()
    })
}

/// A program that runs experiments by their names.
const COMMANDS: Commands = Commands {
    run: command,
    entered: "Type it:",
    set: "key=value",
    play: |state| format!("play {state}"),
    playground: None,
};

fn command(experiment: &Experiment, plan: &Plan) -> String {
    format!("run {} quick={} broken={}", experiment.name, plan.quick, plan.broken)
}

/// A file of an outcome.
fn file(outcome: &Outcome, name: &str) -> String {
    let (_, content) = outcome.files(&COMMANDS).into_iter().find(|(other, _)| other == name).unwrap();
    String::from_utf8(content).unwrap()
}

fn write(folder: &Path, files: &[(String, Vec<u8>)]) -> Vec<PathBuf> {
    let path = |(name, content): &(String, Vec<u8>)| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    };
    files.iter().map(path).collect()
}

/// A gallery that says SUPPORTED whatever the losses are would be worth nothing.
#[test]
fn no_verdict_of_supported_survives_the_break() {
    let mut supported = 0;
    for [whole, broken] in quick() {
        let experiment = whole.experiment;
        let (findings, others) = (whole.report.findings(), broken.report.findings());
        assert_eq!(findings.len(), others.len(), "{}: other verdicts when broken", experiment.name);
        let held = findings.iter().filter(|finding| finding.verdict == Verdict::Supported).count();
        assert!(held > 0, "{}: nothing is SUPPORTED that a break could change", experiment.name);
        supported += held;
        let [conclusions, changed] = [whole, broken].map(|outcome| outcome.report.conclusions());
        assert_eq!(conclusions.len(), changed.len(), "{}: other conclusions when broken", experiment.name);
        for ((verdict, sentence), (broken, _)) in conclusions.iter().zip(changed) {
            assert!([verdict, broken].iter().any(|v| **v != Verdict::Supported), "{sentence}");
        }
        for (finding, broken) in findings.iter().zip(others) {
            assert!(
                finding.verdict != Verdict::Supported || broken.verdict != Verdict::Supported,
                "{}: {}: {} is SUPPORTED with {} and, broken, with {}",
                experiment.name,
                finding.condition,
                finding.measure,
                finding.number(),
                broken.number()
            );
        }
    }
    println!("{supported} verdicts of SUPPORTED, none of which survives");
}

/// A section with a misspelled name, or a placeholder without a value, panics; what is left over is found here.
#[test]
fn every_text_is_complete_and_all_of_it_is_used() {
    for experiment in surprisal_lab::experiments::all() {
        let common = [experiment.title(), experiment.claim(), experiment.short(), experiment.falsified_if()];
        assert!(common.iter().all(|text| !text.is_empty()), "{}", experiment.name);
    }
    for outcome in quick().iter().flatten() {
        assert_eq!(outcome.unused_text, [""; 0], "{}: sections that nothing shows", outcome.experiment.name);
    }
}

#[test]
fn every_page_and_the_index_can_be_seen() {
    let folder = Folder::new();
    let mut pages = vec![];
    for [outcome, broken] in quick() {
        let (name, files) = (outcome.experiment.name, outcome.files(&COMMANDS));
        for finding in outcome.report.findings() {
            let told = finding.to_string();
            assert!(!finding.condition.is_empty() && !finding.measure.is_empty(), "{name}: {finding:?}");
            assert!(!told.contains("NaN") && !told.contains("inf "), "{name}: {told}");
        }
        let ends: BTreeSet<&str> =
            files.iter().filter_map(|(name, _)| name.rsplit_once('.')).map(|(_, end)| end).collect();
        assert!(["html", "json", "svg", "csv"].iter().all(|end| ends.contains(end)), "{name}: {ends:?}");
        let written = write(&folder.0.join(name), &files);
        let page = fs::read_to_string(&written[0]).unwrap();
        for is_broken in [false, true] {
            let command = command(outcome.experiment, &outcome.experiment.plan(true, is_broken));
            assert!(page.contains(&format!("<code>{command}</code>")), "{name}: {command}");
        }
        pages.push(written[0].clone());
        pages
            .extend(write(&folder.0, &[(format!("{name}-broken.html"), file(broken, "report.html").into())]));
    }
    let left_out = [(surprisal_lab::experiments::all()[0], "only to see how that looks".to_string())];
    let outcomes: Vec<&Outcome> = quick().iter().map(|[whole, _]| whole).collect();
    let index = gallery::index(&outcomes, &left_out).into_bytes();
    pages.extend(write(&folder.0, &[("index.html".into(), index)]));
    if let Some(faults) = faults(&pages) {
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    }
}

/// Whether a number that lies between `low` and `high` is as expected; none if that cannot be known.
fn is_met(relation: &str, bound: f64, [low, high]: [f64; 2]) -> Option<bool> {
    let (met, failed) = match relation {
        "more than" => (low > bound, high < bound || (low, high) == (bound, bound)),
        "less than" => (high < bound, low > bound || (low, high) == (bound, bound)),
        "at least" => (low >= bound, high < bound),
        "at most" => (high <= bound, low > bound),
        "not above" => (low <= bound, low > bound),
        "within ±" => (low.max(high).max(-low) <= bound, low > bound || high < -bound),
        other => panic!("{other}"),
    };
    if met { Some(true) } else { failed.then_some(false) }
}

/// What a verdict says is what its numbers and bounds say, and every line names them: the condition that failed too.
#[test]
fn every_verdict_names_its_bounds_and_follows_from_its_numbers() {
    let mut counts = [0; 4];
    for outcome in quick().iter().flatten() {
        let (name, broken) = (outcome.experiment.name, outcome.plan.broken);
        let (summary, page) = (outcome.summary().replace("\n    ", " "), file(outcome, "report.html"));
        assert!(
            outcome.summary().lines().all(|line| line.chars().count() <= 100 || !line.trim().contains(' '))
        );
        let index = gallery::index_markdown(&[outcome], &[], &COMMANDS);
        let json: Value = serde_json::from_str(&file(outcome, "verdicts.json")).unwrap();
        for (finding, json) in outcome.report.findings().iter().zip(json["verdicts"].as_array().unwrap()) {
            let number = |json: &Value, key: &str| match &json[key] {
                Value::String(text) => text.parse().unwrap(),
                number => number.as_f64().unwrap_or_else(|| panic!("{name}: {key} of {json}")),
            };
            let line = finding.to_string();
            let answer = |json: &Value| {
                let (relation, bound) = (json["expected"].as_str().unwrap(), number(json, "bound"));
                let interval = ["low", "high"].map(|key| number(json, key));
                let met = is_met(relation, bound, interval);
                let space = if relation.ends_with('±') { "" } else { " " };
                let bound = if bound == 0.0 || bound.abs() >= 1e-3 {
                    bound.to_string()
                } else {
                    format!("{bound:e}")
                };
                let told = format!("{relation}{space}{bound} expected");
                assert!(line.contains(&told), "{name}: {told} is not in: {line}");
                if met == Some(false) && interval[0] != number(json, "bound") {
                    assert!(line.contains(&format!("{told}, not met")), "{name}: {told} is not met: {line}");
                }
                met
            };
            let main = answer(json);
            let also: Vec<_> = json["also"].as_array().unwrap().iter().map(answer).collect();
            let is_tie = ["low", "high"].iter().all(|key| number(json, key) == number(json, "bound"))
                && line.contains(", exactly equal");
            let verdict = match main {
                _ if also.contains(&Some(false)) => Verdict::NotSupported,
                Some(false) if is_tie && also.iter().all(|met| *met == Some(true)) => Verdict::Equal,
                Some(false) if !is_tie => Verdict::NotSupported,
                Some(true) if also.iter().all(|met| *met == Some(true)) => Verdict::Supported,
                _ => Verdict::Inconclusive,
            };
            assert_eq!(finding.verdict, verdict, "{name}: {line}");
            assert_eq!(json["verdict"], verdict.word());
            counts[verdict as usize] += 1;

            let [open, close] =
                if broken { [" (broken on purpose)", "Broken on purpose. "] } else { ["", ""] };
            let lines = [
                format!("  {}{open}: {}: {line}\n", verdict.word(), finding.condition),
                format!("- **{}** {close}{}: {line}\n", verdict.word(), finding.condition),
            ];
            assert!(summary.contains(&lines[0]), "{}{summary}", lines[0]);
            assert!(index.contains(&lines[1]), "{}{index}", lines[1]);
            assert!(page.contains(&format!("{}</strong> {close}<em>", verdict.word())), "{name}: {line}");
        }
        assert_eq!(summary.contains("Broken on purpose: "), broken, "{summary}");
    }
    assert!(counts.iter().all(|&count| count > 0), "verdicts of every kind are tried: {counts:?}");
}

/// Both losses need one step at their best rates: that is known, and no matter of chance.
#[test]
fn a_tie_without_chance_is_equal() {
    let [whole, _] = quick().iter().find(|[whole, _]| whole.experiment.name == "saturated-neuron").unwrap();
    let finding = &whole.report.findings()[2];
    assert_eq!((finding.verdict, finding.estimate.mean), (Verdict::Equal, 1.0), "{finding}");
    assert!(
        finding.to_string().contains("= 1 (more than 1 expected, exactly equal; deterministic)"),
        "{finding}"
    );
}

/// A ratio that only grows when the steps are wrong is not reported as a success, and the formula that found it out is named.
#[test]
fn the_broken_neuron_says_that_the_formula_is_not_met() {
    let [_, broken] = quick().iter().find(|[whole, _]| whole.experiment.name == "saturated-neuron").unwrap();
    let finding = &broken.report.findings()[0];
    assert!(finding.estimate.mean > 1.0 && finding.verdict == Verdict::NotSupported, "{finding}");
    assert!(finding.to_string().contains("(at most 3 expected, not met)"), "{finding}");
}

/// Counts what is begun.
#[derive(Default)]
struct Count(AtomicUsize);

impl Progress for Count {
    fn begin(&self, _: &str, runs: usize) {
        self.0.fetch_add(runs, Relaxed);
    }
    fn advance(&self) {}
    fn end(&self) {}
}

#[test]
fn an_interrupted_experiment_goes_on_and_ends_as_if_nothing_had_happened() {
    let folder = Folder::new();
    let experiment = surprisal_lab::experiments::find("saturated-neuron").unwrap();
    let (plan, all) = (experiment.plan(true, false), Count::default());
    let text = plan.to_json(experiment).to_string();
    let journal = Journal::open(&folder.0, experiment.name, &text).unwrap();
    let whole = experiment.run(plan.clone(), &all, Some(&journal), None).unwrap().files(&COMMANDS);
    drop(journal); // and is not closed: the process has ended

    let path = fs::read_dir(&folder.0).unwrap().next().unwrap().unwrap().path();
    let lines = fs::read_to_string(&path).unwrap();
    let half: Vec<&str> = lines.split_inclusive('\n').take(all.0.load(Relaxed) / 2).collect();
    let told = half.concat() + "{\"key\": \"half a li";
    fs::write(&path, told).unwrap();
    let journal = Journal::open(&folder.0, experiment.name, &text).unwrap();
    assert_eq!(journal.len(), half.len() - 1); // the first line says what it is a journal of
    let resumed = experiment.run(plan, &(), Some(&journal), None).unwrap().files(&COMMANDS);
    assert!(resumed == whole, "other bytes after an interruption");
    journal.close();
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
}

/// What `crates/lab/publish` has put there belongs to the experiments that there are.
#[test]
fn the_index_in_the_docs_has_every_experiment_with_its_picture_and_claim() {
    let docs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/experiments"));
    let index = fs::read_to_string(docs.join("README.md")).unwrap();
    let (map, results) = index.split_once("<!-- results -->").unwrap();
    for experiment in surprisal_lab::experiments::all() {
        let name = experiment.name;
        assert!(map.contains(&format!("`{name}`")), "{name} is not mapped to a claim");
        let told = [format!("## {}\n", experiment.title()), format!("`surprisal lab run {name}`")];
        assert!(told.iter().all(|told| results.contains(told)), "{name}: run crates/lab/publish again");
        let pictures = fs::read_dir(docs.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        for picture in pictures {
            let picture = picture.unwrap().file_name();
            let picture = format!("src=\"{name}/{}\"", picture.display());
            assert!(results.contains(&picture), "{picture} is not shown");
        }
    }
    assert_eq!(results.matches("\n## ").count(), surprisal_lab::experiments::all().len());
}

#[test]
fn names_tell_experiments_apart_and_defaults_are_in_range() {
    let names: BTreeSet<&str> =
        surprisal_lab::experiments::all().iter().map(|experiment| experiment.name).collect();
    assert_eq!(names.len(), surprisal_lab::experiments::all().len());
    for experiment in surprisal_lab::experiments::all() {
        for is_quick in [false, true] {
            let plan = experiment.plan(is_quick, false); // panics if a default is out of its range
            let mut again = experiment.plan(!is_quick, true);
            again.take(experiment, &plan.to_json(experiment)).unwrap();
            assert_eq!(
                again.setting.entries().map(|(_, v)| v).collect::<Vec<_>>(),
                plan.setting.entries().map(|(_, v)| v).collect::<Vec<_>>()
            );
            assert_eq!(
                (again.first_seed, again.seeds, again.broken),
                (plan.first_seed, plan.seeds, plan.broken)
            );
        }
    }
    let error = surprisal_lab::experiments::find("satured-neuron").err().unwrap().to_string();
    assert_eq!(error, "there is no experiment \"satured-neuron\" (did you mean saturated-neuron?)");
}
