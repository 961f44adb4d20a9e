//! Every experiment of the gallery, in its quick version: it runs, its verdicts can be lost, its pages can be seen.

#[path = "support/browser.rs"]
mod browser;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use browser::{Folder, faults};
use surprisal_lab::gallery::{self, Experiment, Journal, LabError, Outcome};
use surprisal_lab::page::Verdict;
use surprisal_lab::parallel::Progress;

/// The quick version; none where its data are not there, which is said.
fn quick(experiment: &'static Experiment, broken: bool) -> Option<Outcome> {
    match experiment.run(experiment.plan(true, broken), &(), None) {
        Ok(outcome) => Some(outcome),
        Err(LabError::Absent(why)) => {
            println!("SKIPPED: {}: {why}", experiment.name);
            None
        }
        Err(error) => panic!("{}: {error}", experiment.name),
    }
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
    for &experiment in gallery::all() {
        let (Some(whole), Some(broken)) = (quick(experiment, false), quick(experiment, true)) else {
            continue;
        };
        let (findings, others) = (whole.report.findings(), broken.report.findings());
        assert_eq!(findings.len(), others.len(), "{}: other verdicts when broken", experiment.name);
        let held = findings.iter().filter(|finding| finding.verdict == Verdict::Supported).count();
        assert!(held > 0, "{}: nothing is SUPPORTED that a break could change", experiment.name);
        supported += held;
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

#[test]
fn every_page_and_the_index_can_be_seen() {
    let folder = Folder::new();
    let outcomes: Vec<Outcome> =
        gallery::all().iter().filter_map(|&experiment| quick(experiment, false)).collect();
    let mut pages = vec![];
    for outcome in &outcomes {
        let (name, files) = (outcome.experiment.name, outcome.files());
        for finding in outcome.report.findings() {
            let words = [&finding.condition, &finding.measure, &finding.sentence];
            assert!(
                words.iter().all(|text| !text.is_empty() && !text.contains("NaN")),
                "{name}: {finding:?}"
            );
        }
        let ends: BTreeSet<&str> =
            files.iter().filter_map(|(name, _)| name.rsplit_once('.')).map(|(_, end)| end).collect();
        assert!(["html", "json", "svg", "csv"].iter().all(|end| ends.contains(end)), "{name}: {ends:?}");
        let written = write(&folder.0.join(name), &files);
        let page = fs::read_to_string(&written[0]).unwrap();
        assert!(page.contains(&outcome.command().replace("surprisal ", "cargo run --release -- ")), "{name}");
        pages.push(written[0].clone());
    }
    let left_out = [(gallery::all()[0], "only to see how that looks".to_string())];
    let index = gallery::index(&outcomes, &left_out).into_bytes();
    pages.extend(write(&folder.0, &[("index.html".into(), index)]));
    if let Some(faults) = faults(&pages) {
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    }
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
    let experiment = gallery::find("saturated-neuron").unwrap();
    let (plan, all) = (experiment.plan(true, false), Count::default());
    let text = plan.to_json(experiment).to_string();
    let journal = Journal::open(&folder.0, experiment.name, &text).unwrap();
    let whole = experiment.run(plan.clone(), &all, Some(&journal)).unwrap().files();
    drop(journal); // and is not closed: the process has ended

    let path = fs::read_dir(&folder.0).unwrap().next().unwrap().unwrap().path();
    let lines = fs::read_to_string(&path).unwrap();
    let half: Vec<&str> = lines.split_inclusive('\n').take(all.0.load(Relaxed) / 2).collect();
    let told = half.concat() + "{\"key\": \"half a li";
    fs::write(&path, told).unwrap();
    let journal = Journal::open(&folder.0, experiment.name, &text).unwrap();
    assert_eq!(journal.len(), half.len() - 1); // the first line says what it is a journal of
    let resumed = experiment.run(plan, &(), Some(&journal)).unwrap().files();
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
    for experiment in gallery::all() {
        let name = experiment.name;
        assert!(map.contains(&format!("`{name}`")), "{name} is not mapped to a claim");
        let told = [format!("## {}\n", experiment.title), format!("`surprisal lab run {name}`")];
        assert!(told.iter().all(|told| results.contains(told)), "{name}: run crates/lab/publish again");
        let pictures = fs::read_dir(docs.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        for picture in pictures {
            let picture = picture.unwrap().file_name();
            let picture = format!("src=\"{name}/{}\"", picture.display());
            assert!(results.contains(&picture), "{picture} is not shown");
        }
    }
    assert_eq!(results.matches("\n## ").count(), gallery::all().len());
}

#[test]
fn names_tell_experiments_apart_and_defaults_are_in_range() {
    let names: BTreeSet<&str> = gallery::all().iter().map(|experiment| experiment.name).collect();
    assert_eq!(names.len(), gallery::all().len());
    for experiment in gallery::all() {
        for is_quick in [false, true] {
            let plan = experiment.plan(is_quick, false); // panics if a default is out of its range
            let mut again = experiment.plan(!is_quick, true);
            again.take(experiment, &plan.to_json(experiment)).unwrap();
            assert_eq!(
                again.setting.entries().map(|(_, v)| v).collect::<Vec<_>>(),
                plan.setting.entries().map(|(_, v)| v).collect::<Vec<_>>()
            );
            assert_eq!((again.seeds, again.broken), (plan.seeds, plan.broken));
        }
    }
    let error = gallery::find("satured-neuron").err().unwrap().to_string();
    assert_eq!(
        error,
        "there is no experiment \"satured-neuron\" (did you mean saturated-neuron?); `surprisal lab list` shows all"
    );
}
