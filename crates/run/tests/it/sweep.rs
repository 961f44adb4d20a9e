//! Sweeps.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use expect_test::expect;
use surprisal_run::{Job, Plan, RunError, Settings, Sweep, Swept, sweep};
use surprisal_tensor::threads;
use surprisal_train::parallel::Progress;

static GOING: AtomicBool = AtomicBool::new(false);

/// A folder that is not there yet.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("surprisal-sweep-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn settings(toml: &str) -> Settings {
    Settings::from_toml(toml, "test.toml").unwrap()
}

/// Three rates, of which the last diverges, two seeds.
fn small() -> (Settings, Plan) {
    let plan = Plan { vary: vec!["lr=0.1,0.01,1e30".parse().unwrap()], random: None, seeds: 2, folds: None };
    (settings("data = \"moons:n=80\"\nhidden = \"4\"\nepochs = 2\nl2 = 0.01\n"), plan)
}

fn finished(swept: Result<Swept, RunError>) -> Sweep {
    match swept {
        Ok(Swept::Finished(sweep)) => *sweep,
        other => panic!("{other:?}"),
    }
}

/// Every file, by name.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|e| (e.file_name().into_string().unwrap(), fs::read_to_string(e.path()).unwrap())).collect()
}

/// What is in the folder when the sweep has been run there.
fn outcome(folder: &Path) -> BTreeMap<String, String> {
    let (settings, plan) = small();
    finished(sweep(&settings, &plan, folder, &GOING, &(), None));
    files(folder)
}

#[test]
fn killed_anywhere_it_ends_with_the_same_bytes_on_one_core_and_on_two() {
    let place = folder("whole");
    let whole = threads::with(1, || outcome(&place));
    fs::remove_dir_all(place).unwrap();
    let journal = &whole["journal.jsonl"];
    assert_eq!((whole.len(), journal.lines().count()), (7, 1 + 6));
    let page = &whole["report.html"];
    assert!(
        page.contains("the best")
            && page.contains("<svg")
            && page.contains("surprisal train --config DIR/best.toml")
    );
    let ends: Vec<usize> = journal.match_indices('\n').map(|(at, _)| at + 1).collect();
    for n in [1, 2] {
        // nothing, and each line whole, without its end, and half
        let cuts = ends
            .iter()
            .zip([0].iter().chain(&ends))
            .flat_map(|(&end, &start)| [end, end - 1, (start + end) / 2]);
        for cut in cuts.chain([0]) {
            let folder = folder(&format!("cut-{n}-{cut}"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("journal.jsonl"), &journal[..cut]).unwrap();
            assert!(threads::with(n, || outcome(&folder)) == whole, "cut at {cut}, {n} cores");
            fs::remove_dir_all(folder).unwrap();
        }
    }
}

#[test]
fn what_has_ended_is_not_computed_again() {
    threads::with(2, || {
        let folder = folder("again");
        let journal = folder.join("journal.jsonl");
        let before = outcome(&folder);
        let changed = before["journal.jsonl"].replacen("\"epochs\":2", "\"epochs\":77", 1);
        let marked = sealed(&changed);
        let two_lines: String = marked.split_inclusive('\n').take(2).collect();
        fs::write(&journal, two_lines).unwrap();
        let after = outcome(&folder);
        assert!(after["journal.jsonl"] == marked);
        let csv = &after["sweep.csv"];
        assert_eq!((csv.matches(",77,").count(), csv.matches(",2,").count()), (1, 3), "{csv}");
        fs::remove_dir_all(folder).unwrap();
    });
}

/// A journal with the checksums that its lines should have.
fn sealed(journal: &str) -> String {
    let (header, runs) = journal.split_once('\n').unwrap();
    let run = |line: &str| {
        let open = line.split_once(",\"crc32\":").unwrap().0;
        let mut crc = crc32fast::Hasher::new();
        crc.update(format!("{header}\n{open}").as_bytes());
        format!("{open},\"crc32\":\"{:08x}\"}}\n", crc.finalize())
    };
    format!("{header}\n{}", runs.lines().map(run).collect::<String>())
}

#[test]
fn a_run_that_was_changed_in_the_journal_is_refused_with_its_line() {
    threads::with(2, || {
        let folder = folder("changed-line");
        let whole = outcome(&folder);
        let journal = folder.join("journal.jsonl");
        let changed = whole["journal.jsonl"].replacen("\"loss\",0.", "\"loss\",1.", 1);
        assert_ne!(changed, whole["journal.jsonl"]);
        fs::write(&journal, &changed).unwrap();
        let (settings, plan) = small();
        let error = sweep(&settings, &plan, &folder, &GOING, &(), None).unwrap_err().to_string();
        expect!["DIR/journal.jsonl, line 2: it has been changed since it was written | delete the line: what it held is computed again"].assert_eq(&error.replace(&folder.display().to_string(), "DIR"));
        assert_eq!(fs::read_to_string(&journal).unwrap(), changed);
        let without: String = changed
            .split_inclusive('\n')
            .enumerate()
            .filter(|(k, _)| *k != 1)
            .map(|(_, line)| line)
            .collect();
        fs::write(&journal, without).unwrap();
        assert_eq!(outcome(&folder), whole);
        fs::remove_dir_all(&folder).unwrap();

        // a file of somebody's own, with a line break and without
        fs::create_dir_all(&folder).unwrap();
        let mut told = BTreeSet::new();
        for own in ["my notes", "my notes\n"] {
            fs::write(&journal, own).unwrap();
            let error = sweep(&settings, &plan, &folder, &GOING, &(), None).unwrap_err().to_string();
            told.insert(error.replace(&folder.display().to_string(), "DIR"));
            assert_eq!(fs::read_to_string(&journal).unwrap(), own);
        }
        expect!["DIR/journal.jsonl: this is no journal, or its first line has been changed | move it away, or write elsewhere"].assert_eq(&Vec::from_iter(told).join("\n"));
        fs::remove_dir_all(folder).unwrap();
    });
}

#[test]
fn asked_to_stop_it_begins_no_other_run_and_goes_on_when_asked_again() {
    /// Asks after so many runs.
    struct After(AtomicUsize, AtomicBool);
    impl Progress for After {
        fn begin(&self, _: &str, _: usize) {}
        fn advance(&self) {
            if self.0.fetch_sub(1, Ordering::Relaxed) == 1 {
                self.1.store(true, Ordering::Relaxed);
            }
        }
        fn end(&self) {}
    }
    threads::with(1, || {
        let (place, never, (settings, plan)) = (folder("stopped"), folder("never-stopped"), small());
        let whole = outcome(&never);
        // a run before this one was killed in the middle of its first line
        let torn = whole["journal.jsonl"].find('\n').unwrap() + 20;
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("journal.jsonl"), &whole["journal.jsonl"][..torn]).unwrap();
        let stop = After(AtomicUsize::new(2), AtomicBool::new(false));
        let swept = sweep(&settings, &plan, &place, &stop.1, &stop, None).unwrap();
        assert_eq!(swept, Swept::Interrupted { done: 2, runs: 6 });
        let left = files(&place);
        assert_eq!(left.keys().collect::<Vec<_>>(), ["journal.jsonl"]);
        assert!(whole["journal.jsonl"].starts_with(&left["journal.jsonl"]), "{}", left["journal.jsonl"]);
        assert_eq!(left["journal.jsonl"].lines().count(), 1 + 2);
        assert_eq!(outcome(&place), whole);
        [place, never].iter().for_each(|folder| fs::remove_dir_all(folder).unwrap());
    });
}

#[test]
fn a_run_that_diverges_is_a_row_with_its_reason_and_its_point_the_last() {
    threads::with(2, || {
        let folder = folder("diverges");
        let (settings, plan) = small();
        let outcome = finished(sweep(&settings, &plan, &folder, &GOING, &(), None));
        let files = files(&folder);
        let order: Vec<_> = outcome.points.iter().map(|point| point.name()).collect();
        assert_eq!(order, ["lr = 0.1", "lr = 0.01", "lr = 1e30"]);
        let rows: Vec<&str> =
            files["sweep.csv"].lines().filter(|line| line.contains("the loss became")).collect();
        assert_eq!(rows.len(), 2, "{}", files["sweep.csv"]);
        assert!(
            files["sweep.txt"].contains("2 of 2 runs failed")
                && files["sweep.txt"].contains("\nlr = 1e30: the loss became")
        );
        assert!(files["sweep.svg"].contains("1 of 3 points failed and are not drawn"));

        let plan = Plan { vary: vec!["lr=1e29,1e30".parse().unwrap()], ..plan };
        fs::remove_dir_all(&folder).unwrap();
        let error = sweep(&settings, &plan, &folder, &GOING, &(), None).unwrap_err().to_string();
        expect!["no point came through all its runs; the first that failed: the loss became NaN in epoch 1, step 2, at learning rate 9.619397662556433e28 | try a learning rate of 1 or less, or clip_norm = 1"].assert_eq(error.lines().next().unwrap());
        fs::remove_dir_all(folder).unwrap();
    });
}

#[test]
fn another_sweep_in_the_folder_is_refused_and_nothing_is_touched() {
    threads::with(2, || {
        let folder = folder("another");
        let before = outcome(&folder);
        let (settings, plan) = small();
        let other = Settings { epochs: Some(3), ..settings.clone() };
        let more = Plan { seeds: 3, ..plan.clone() };
        let refused =
            |settings, plan| sweep(settings, plan, &folder, &GOING, &(), None).unwrap_err().to_string();
        let mut told = vec![refused(&other, &plan), refused(&settings, &more)];
        assert_eq!(files(&folder), before);
        fs::remove_file(folder.join("journal.jsonl")).unwrap();
        told.push(refused(&settings, &plan));
        expect![[r#"
            DIR: the folder belongs to another sweep, with different settings | name another folder
            DIR: the folder belongs to another sweep, with different seeds | name another folder
            DIR: the folder is not empty and contains no journal of a sweep | name another folder"#]]
        .assert_eq(&told.join("\n").replace(&folder.display().to_string(), "DIR"));
        fs::remove_dir_all(folder).unwrap();
    });
}

#[test]
fn data_that_have_changed_are_another_sweep() {
    threads::with(2, || {
        let (place, table) = (folder("changed"), folder("changed-data").with_extension("csv"));
        let mut csv = String::from("x,y\n");
        (0..40).for_each(|i| writeln!(csv, "{i},{}", i * i).unwrap());
        fs::write(&table, &csv).unwrap();
        let settings = settings(&format!(
            "data = '{}'\ntarget = \"y\"\ntask = \"numbers\"\nepochs = 1\n",
            table.display()
        ));
        let plan = Plan { vary: vec!["lr=0.1,0.01".parse().unwrap()], random: None, seeds: 1, folds: None };
        finished(sweep(&settings, &plan, &place, &GOING, &(), None));
        fs::write(&table, csv.replace("39,1521", "39,1522")).unwrap();
        let error = sweep(&settings, &plan, &place, &GOING, &(), None).unwrap_err().to_string();
        expect!["DIR: the folder belongs to another sweep, with different data | name another folder"]
            .assert_eq(&error.replace(&place.display().to_string(), "DIR"));
        fs::remove_file(table).unwrap();
        fs::remove_dir_all(place).unwrap();
    });
}

#[test]
fn the_best_settings_train_to_the_numbers_of_the_sweep() {
    let folder = folder("best");
    let (settings, plan) = small();
    let outcome = finished(sweep(&settings, &plan, &folder, &GOING, &(), None));
    let best = Settings::read(folder.join("best.toml")).unwrap();
    assert_eq!((best.clone(), best.lr), (outcome.best(), Some(0.1)));
    let mut job = Job::new(&best).unwrap();
    let (history, _) = job.fit(None, &mut ()).unwrap();
    let measured = outcome.points[0].runs[0].outcome.clone().unwrap();
    assert_eq!(measured.validation[0], ("loss".to_string(), history.last().held_out().loss));
    for (part, told) in [("validation", &measured.validation[1..]), ("test", &measured.test)] {
        let scores = job.scores().unwrap().into_iter().find(|(name, _)| *name == part).unwrap().1;
        let scores: Vec<_> = scores.iter().map(|(metric, value)| (metric.to_string(), *value)).collect();
        assert_eq!(scores, told, "{part}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_test_part_decides_nothing() {
    threads::with(2, || {
        // numbers to predict are not cut by class, so that other answers of the test rows leave every part as it was
        let (place, table) = (folder("test-part"), folder("test-data").with_extension("csv"));
        let plan =
            Plan { vary: vec!["hidden=none,4,8".parse().unwrap()], random: None, seeds: 1, folds: None };
        let toml = format!(
            "data = '{}'\ntarget = \"y\"\ntask = \"numbers\"\nepochs = 5\nlr = 0.05\n",
            table.display()
        );
        let run = |answer: &dyn Fn(usize) -> i64| {
            let mut csv = String::from("x,y\n");
            (0..80).for_each(|i| writeln!(csv, "{i},{}", answer(i)).unwrap());
            fs::write(&table, csv).unwrap();
            let _ = fs::remove_dir_all(&place);
            finished(sweep(&settings(&toml), &plan, &place, &GOING, &(), None))
        };
        let bow = |i: usize| (i as i64 - 40).pow(2);
        let before = run(&bow);
        let mut rng = surprisal_layers::rng(surprisal_run::SEED);
        let settings = Settings { validation: Some(0.15), ..settings(&toml) };
        let loaded = surprisal_run::open(&settings, &mut rng).unwrap();
        let rows = surprisal_run::split(&settings, &loaded, &mut rng).unwrap();
        let after = run(&|i| if rows.test.contains(&i) { -5000 } else { bow(i) });
        let of_validation = |sweep: &Sweep| {
            let measured = sweep.points.iter().map(|point| point.runs[0].outcome.clone().unwrap().validation);
            (sweep.points.iter().map(|point| point.name()).collect::<Vec<_>>(), measured.collect::<Vec<_>>())
        };
        assert_eq!(of_validation(&before), of_validation(&after));
        assert_ne!(before.test(), after.test());
        fs::remove_file(table).unwrap();
        fs::remove_dir_all(place).unwrap();
    });
}

#[test]
fn the_best_is_that_with_the_most_of_what_should_be_much() {
    threads::with(2, || {
        let folder = folder("accuracy");
        let iris = settings("data = \"iris\"\nepochs = 10\nwatch = \"accuracy\"\nbatch = 16\n");
        let plan = Plan {
            vary: vec!["lr=1e-5,0.2".parse().unwrap(), "loss=ce,mse".parse().unwrap()],
            random: None,
            seeds: 3,
            folds: None,
        };
        let outcome = finished(sweep(&iris, &plan, &folder, &GOING, &(), None));
        let means: Vec<f64> =
            outcome.points.iter().map(|point| point.validation("accuracy").unwrap().mean).collect();
        assert!(means.is_sorted_by(|a, b| a >= b) && means[0] > 0.9 && means[3] < 0.7, "{means:?}");
        assert!(outcome.test().iter().any(|(name, estimate)| name == "accuracy" && estimate.mean > 0.85));
        let text = outcome.to_text();
        assert!(
            text.starts_with("iris: 4 points, the best first, means over 3 seeds and 95 % intervals\n"),
            "{text}"
        );
        // of several settings there is no axis, but a row each
        assert!(outcome.to_svg().contains("loss = mse"));
        fs::remove_dir_all(folder).unwrap();
    });
}

#[test]
fn without_rows_to_choose_by_there_is_no_sweep() {
    let (settings, plan) = small();
    let error =
        sweep(&Settings { validation: Some(0.0), ..settings }, &plan, folder("none"), &GOING, &(), None)
            .unwrap_err();
    expect![
        "validation 0: a sweep chooses the best settings on validation rows | leave it out, or set it to 0.15"
    ]
    .assert_eq(&error.to_string());
}

/// Every number of a run is the mean over the folds, of which each row outside the test set is in one; the folds of a seed are the same for all points.
#[test]
fn a_setting_is_chosen_by_cross_validation() {
    let folder = folder("folds");
    let iris = settings("data = \"iris\"\nepochs = 8\nwatch = \"accuracy\"\n");
    let plan = Plan { vary: vec!["lr=1e-5,0.2".parse().unwrap()], random: None, seeds: 2, folds: Some(3) };
    let outcome = finished(sweep(&iris, &plan, &folder, &GOING, &(), None));
    assert_eq!((outcome.folds, outcome.best().lr), (Some(3), Some(0.2)));
    for run in outcome.points.iter().flat_map(|point| &point.runs) {
        let measured = run.outcome.as_ref().unwrap();
        let accuracy = measured.validation.iter().find(|(name, _)| name == "accuracy").unwrap().1;
        let right = accuracy * 111.0; // three folds of 37 rows
        assert!((right - right.round()).abs() < 1e-9, "{accuracy}");
    }
    let text = outcome.to_text();
    assert!(
        text.starts_with("iris: 2 points, the best first, cross-validated in 3 folds, means over 2 seeds"),
        "{text}"
    );
    assert!(
        sweep(&iris, &Plan { folds: None, ..plan.clone() }, &folder, &GOING, &(), None).is_err(),
        "another sweep"
    );
    for (folds, more, message) in [
        (1, "", "folds: expected 2 to 1000, found 1 | 5 or 10 are usual"),
        (
            3,
            "validation = 0.2\n",
            "validation: not used with folds, each of which is the validation set once | leave it out",
        ),
    ] {
        let settings = settings(&format!("data = \"iris\"\n{more}"));
        let error =
            sweep(&settings, &Plan { folds: Some(folds), ..plan.clone() }, &folder, &GOING, &(), None)
                .unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    fs::remove_dir_all(folder).unwrap();
}
