//! Runs in parts, and their merge.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use expect_test::expect;
use surprisal_run::{
    Part, Plan, RunError, Settings, Share, Swept, cross_validate, cross_validate_part,
    merge_cross_validation, merge_sweep, sweep, sweep_part,
};
use surprisal_train::parallel::Progress;

static GOING: AtomicBool = AtomicBool::new(false);

/// A folder that is not there yet, removed in the end.
struct Place(PathBuf);
impl Place {
    fn new(name: &str) -> Place {
        let folder = std::env::temp_dir().join(format!("surprisal-parts-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        Place(folder)
    }
    fn journal(&self, part: &str, number: usize) -> PathBuf {
        self.0.join(format!("part-{}/{number}.jsonl", part.replace('/', "-of-")))
    }
    /// The message of an error, with DIR for this folder.
    fn told<T>(&self, outcome: Result<T, RunError>) -> String {
        let error = outcome.err().expect("it must fail");
        assert!(matches!(error, RunError::Run(_)), "{error}");
        error.to_string().replace(&self.0.display().to_string(), "DIR") + "\n"
    }
}
impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn settings(toml: &str) -> Settings {
    Settings::from_toml(toml, "test.toml").unwrap()
}

fn part(text: &str) -> Part {
    text.parse().unwrap()
}

/// Three rates, of which the last diverges, two seeds: six runs.
fn small() -> (Settings, Plan) {
    let plan = Plan { vary: vec!["lr=0.1,0.01,1e30".parse().unwrap()], random: None, seeds: 2, folds: None };
    (settings("data = \"moons:n=60\"\nhidden = \"4\"\nepochs = 2\nl2 = 0.01\n"), plan)
}

/// Computes a part of the small sweep.
fn compute(place: &Place, text: &str) -> Result<Share, RunError> {
    let (settings, plan) = small();
    sweep_part(&settings, &plan, part(text), &place.0, &GOING, &())
}

/// Every file that is not of a part, by name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_string();
    files.map(|path| (name(&path), fs::read(&path).unwrap())).collect()
}

/// The files of one process.
fn of_one(name: &str, (settings, plan): &(Settings, Plan)) -> BTreeMap<String, Vec<u8>> {
    let place = Place::new(name);
    let swept = sweep(settings, plan, &place.0, &GOING, &(), None).unwrap();
    assert!(matches!(swept, Swept::Finished(_)));
    files(&place.0)
}

#[test]
fn merged_parts_have_the_bytes_of_one_process() {
    let random = Plan {
        vary: vec!["lr=0.001..1".parse().unwrap(), "hidden=none,4,8-4".parse().unwrap()],
        random: Some(3),
        seeds: 2,
        folds: Some(2),
    };
    let text = "data = \"iris\"\nepochs = 2\nmonitor = \"accuracy\"\nseed = 18446744073709551615\nclass_weight = \"balanced\"\ngroups = \"layer1:lr=0.01\"\n";
    for (name, sweep) in [("small", small()), ("random", (settings(text), random))] {
        let whole = of_one(name, &sweep);
        assert_eq!(whole.len(), 7);
        let (settings, plan) = &sweep;
        // the order in which they finish: of as many parts, the last of them first, the odd ones first; more parts than runs
        for order in [&[1][..], &[2, 1], &[1, 3, 2], &[5, 4, 3, 2, 1], &[7, 1, 6, 2, 5, 3, 4]] {
            let place = Place::new(&format!("{name}-of-{}", order.len()));
            let mut runs = 0;
            for k in order {
                let part = part(&format!("{k}/{}", order.len()));
                let share = sweep_part(settings, plan, part, &place.0, &GOING, &()).unwrap();
                assert!(share.done == share.runs && share.runs.abs_diff(6 / order.len()) <= 1);
                runs += share.runs;
            }
            assert_eq!(runs, 6);
            for _ in 0..2 {
                let merged = merge_sweep(&place.0).unwrap();
                assert!(files(&place.0) == whole, "{name} in {} parts", order.len());
                assert_eq!(merged.to_text().as_bytes(), &whole["sweep.txt"][..]);
            }
            // the merged folder is that of a finished sweep, and its parts are finished too
            let Swept::Finished(again) =
                surprisal_run::sweep(settings, plan, &place.0, &GOING, &(), None).unwrap()
            else {
                panic!("it has finished")
            };
            assert_eq!(again.to_json().as_bytes(), &whole["sweep.json"][..]);
            assert!(files(&place.0) == whole);
        }
    }
}

/// Interrupts after some runs.
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

#[test]
fn a_part_resumes_wherever_it_was_stopped() {
    let whole = of_one("resumed", &small());
    let place = Place::new("resume");
    compute(&place, "1/2").unwrap();
    compute(&place, "2/2").unwrap();
    let journal = place.journal("1/2", 1);
    let complete = fs::read(&journal).unwrap();
    assert_eq!(complete.iter().filter(|&&byte| byte == b'\n').count(), 1 + 3);
    for cut in (0..=complete.len()).step_by(complete.len() / 40).chain([complete.len() - 1, complete.len()]) {
        fs::write(&journal, &complete[..cut]).unwrap();
        let lines = complete[..cut].iter().filter(|&&byte| byte == b'\n').count();
        let second = place.journal("1/2", 2);
        let _ = fs::remove_file(&second);
        if lines < 4 {
            let told = place.told(merge_sweep(&place.0));
            let found = if lines == 0 {
                "1 of 2 has 0 of 3".into()
            } else {
                format!("1 of 2 has {} of 3", lines - 1)
            };
            assert!(told.contains(&found), "{found}: {told}");
        }
        assert_eq!(compute(&place, "1/2").unwrap(), Share { done: 3, runs: 3 });
        assert_eq!(fs::read(&journal).unwrap(), &complete[..cut], "only its own process writes a journal");
        let again = if lines == 4 { 0 } else { fs::read_to_string(&second).unwrap().lines().count() };
        assert_eq!(again, [4, 4, 3, 2, 0][lines], "cut at {cut}");
        merge_sweep(&place.0).unwrap();
        assert!(files(&place.0) == whole, "cut at {cut}");
    }

    let (settings, plan) = small();
    let place = Place::new("interrupted");
    let after = After(AtomicUsize::new(1), AtomicBool::new(false));
    let share = surprisal_tensor::threads::with(1, || {
        sweep_part(&settings, &plan, part("1/1"), &place.0, &after.1, &after).unwrap()
    });
    assert_eq!(share, Share { done: 1, runs: 6 });
    expect![[r#"
        DIR: not finished: part 1 of 1 has 1 of 6 runs | wait for them, or start them again: they resume
    "#]]
    .assert_eq(&place.told(merge_sweep(&place.0)));
    assert!(files(&place.0).is_empty());
    compute(&place, "1/1").unwrap();
    merge_sweep(&place.0).unwrap();
    assert!(files(&place.0) == whole);
}

#[test]
fn a_part_that_is_started_twice_computes_twice_and_harms_nothing() {
    let whole = of_one("once", &small());
    let place = Place::new("twice");
    std::thread::scope(|scope| {
        for text in ["1/2", "2/2", "1/2", "1/2"] {
            let place = &place;
            scope.spawn(move || compute(place, text).unwrap());
        }
    });
    merge_sweep(&place.0).unwrap();
    assert!(files(&place.0) == whole);
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let place = Place::new("refused");
    let mut told = place.told(merge_sweep(&place.0));
    fs::create_dir_all(&place.0).unwrap();
    told += &place.told(merge_sweep(&place.0));
    fs::write(place.0.join("notes.txt"), "mine").unwrap();
    told += &place.told(merge_sweep(&place.0));
    told += &place.told(compute(&place, "1/4"));
    fs::remove_file(place.0.join("notes.txt")).unwrap();

    for text in ["3/9", "1/9", "8/9"] {
        compute(&place, text).unwrap();
    }
    told += &place.told(merge_sweep(&place.0));
    told += &place.told(compute(&place, "1/4"));
    for text in ["2/9", "4/9", "5/9", "6/9", "7/9", "9/9"] {
        compute(&place, text).unwrap();
    }
    merge_sweep(&place.0).unwrap();
    let whole = files(&place.0);

    // other settings, other data, another command
    let (settings, plan) = small();
    let other = Settings { epochs: Some(3), ..settings.clone() };
    told += &place.told(sweep_part(&other, &plan, part("2/9"), &place.0, &GOING, &()));
    let seeds = Plan { seeds: 3, ..plan.clone() };
    told += &place.told(sweep_part(&settings, &seeds, part("2/9"), &place.0, &GOING, &()));
    let folds = Plan { folds: Some(2), ..plan.clone() };
    told += &place.told(sweep_part(&settings, &folds, part("2/9"), &place.0, &GOING, &()));
    told += &place.told(cross_validate_part(&settings, 6, part("2/9"), &place.0, &()));
    told += &place.told(merge_cross_validation(&place.0));

    // computed elsewhere, and moved there
    let elsewhere = Place::new("elsewhere");
    sweep_part(&other, &plan, part("2/9"), &elsewhere.0, &GOING, &()).unwrap();
    let [second, third] = ["2/9", "3/9"].map(|text| place.journal(text, 1));
    let kept = fs::read(&second).unwrap();
    fs::copy(elsewhere.journal("2/9", 1), &second).unwrap();
    told += &place.told(merge_sweep(&place.0));
    fs::copy(&third, &second).unwrap();
    told += &place.told(merge_sweep(&place.0));
    told += &place.told(compute(&place, "2/9"));
    fs::write(&second, &kept).unwrap();
    fs::create_dir(place.0.join("part-1-of-10")).unwrap();
    told += &place.told(merge_sweep(&place.0));
    fs::remove_dir(place.0.join("part-1-of-10")).unwrap();

    // changed by hand
    let changed = String::from_utf8(kept.clone()).unwrap().replacen("\"epochs\":2", "\"epochs\":3", 1);
    fs::write(&second, changed).unwrap();
    told += &place.told(merge_sweep(&place.0));
    fs::write(&second, "notes\n").unwrap();
    told += &place.told(merge_sweep(&place.0));
    fs::write(
        &second,
        sealed(&String::from_utf8(kept.clone()).unwrap(), "\"program\":\"", "\"program\":\"0.0.1-"),
    )
    .unwrap();
    told += &place.told(merge_sweep(&place.0));

    // two results of one run
    fs::write(&second, &kept).unwrap();
    let other = sealed(&String::from_utf8(kept.clone()).unwrap(), "\"epochs\":2", "\"epochs\":3");
    fs::write(place.journal("2/9", 2), other).unwrap();
    told += &place.told(merge_sweep(&place.0));
    told += &place.told(compute(&place, "2/9"));
    fs::remove_file(place.journal("2/9", 2)).unwrap();

    // begun and not more
    fs::write(place.journal("8/9", 1), "").unwrap();
    told += &place.told(merge_sweep(&place.0));
    compute(&place, "8/9").unwrap();
    assert!(files(&place.0) == whole, "an error has changed a file");
    merge_sweep(&place.0).unwrap();
    assert!(files(&place.0) == whole);
    expect![[r#"
        DIR: there is no such folder | name the folder of the parts
        DIR: expected a folder of parts, found no part in it | name the folder of the parts, or a new one for the first part
        DIR: expected a folder of parts, found no part in it | name the folder of the parts, or a new one for the first part
        DIR: expected a folder of parts, found no part in it | name the folder of the parts, or a new one for the first part
        DIR: missing parts of 9: 2, 4-7, 9 | compute them first
        DIR/part-1-of-9: expected parts of 4 only | compute all parts with the same number of parts, each number in a folder of its own
        DIR/part-2-of-9/1.jsonl: expected one computation in the folder, found a difference in its settings | compute all parts with the same settings, data and program, or elsewhere
        DIR/part-2-of-9/1.jsonl: expected one computation in the folder, found a difference in its seeds | compute all parts with the same settings, data and program, or elsewhere
        DIR/part-2-of-9/1.jsonl: expected one computation in the folder, found a difference in its folds | compute all parts with the same settings, data and program, or elsewhere
        DIR/part-2-of-9/1.jsonl: expected one computation in the folder, found a difference in its command | compute all parts with the same settings, data and program, or elsewhere
        DIR/part-1-of-9/1.jsonl: expected one computation in the folder, found a difference in its command | compute all parts with the same settings, data and program, or elsewhere
        DIR/part-2-of-9/1.jsonl: expected one computation in the folder, found a difference in its settings | compute all parts with the same settings, data and program, or elsewhere
        DIR/part-2-of-9: contains part 3 of 9, which is there twice then | remove the copy, and compute the part that belongs here
        DIR/part-2-of-9: contains part 3 of 9, which is there twice then | remove the copy, and compute the part that belongs here
        DIR/part-1-of-10: expected parts of 9 only | compute all parts with the same number of parts, each number in a folder of its own
        DIR/part-2-of-9/1.jsonl, line 2: it has been changed since it was written | delete the line: what it held is computed again
        DIR/part-2-of-9/1.jsonl: this is no journal, or its first line has been changed | move it away, or write elsewhere
        DIR/part-2-of-9/1.jsonl: expected one computation in the folder, found a difference in its program | compute all parts with the same settings, data and program, or elsewhere
        DIR/part-2-of-9/2.jsonl: run 1 has another result in another journal of its part | were they computed on machines of different kinds? Remove the folder of the part and compute it again
        DIR/part-2-of-9/2.jsonl: run 1 has another result in another journal of its part | were they computed on machines of different kinds? Remove the folder of the part and compute it again
        DIR: not finished: part 8 of 9 has not begun | wait for them, or start them again: they resume
    "#]].assert_eq(&told);
}

/// A journal with one text replaced, and the checksums that its lines then have.
fn sealed(journal: &str, old: &str, new: &str) -> String {
    let crc = |before: &str, open: &str| {
        let mut crc = crc32fast::Hasher::new();
        crc.update(before.as_bytes());
        crc.update(open.as_bytes());
        format!("{open},\"crc32\":\"{:08x}\"}}\n", crc.finalize())
    };
    let changed = journal.replacen(old, new, 1);
    assert_ne!(changed, journal);
    let mut lines = changed.lines().map(|line| line.split_once(",\"crc32\":").unwrap().0);
    let header = crc("", lines.next().unwrap());
    let runs = lines.map(|line| crc(&header, line)).collect::<String>();
    header + &runs
}

#[test]
fn a_journal_without_its_checksum_is_sealed_as_it_was() {
    let place = Place::new("sealed");
    compute(&place, "1/1").unwrap();
    let journal = fs::read_to_string(place.journal("1/1", 1)).unwrap();
    assert_eq!(
        sealed(&sealed(&journal, "\"epochs\":2", "\"epochs\":3"), "\"epochs\":3", "\"epochs\":2"),
        journal
    );
}

#[test]
fn another_table_is_another_computation() {
    let table = std::env::temp_dir().join(format!("surprisal-parts-table-{}.csv", std::process::id()));
    let rows = (0..40).map(|i| format!("{},{},{}\n", i % 7, i % 5, ["a", "b"][i % 2])).collect::<String>();
    let settings = settings(&format!("data = '{}'\ntarget = \"c\"\nepochs = 1\n", table.display()));
    let plan = Plan { vary: vec!["lr=0.1,0.2".parse().unwrap()], random: None, seeds: 1, folds: None };
    let place = Place::new("table");
    fs::write(&table, format!("x,y,c\n{rows}")).unwrap();
    sweep_part(&settings, &plan, part("1/2"), &place.0, &GOING, &()).unwrap();
    fs::write(&table, format!("x,y,c\n{rows}1,1,a\n")).unwrap();
    let resumed = place.told(sweep_part(&settings, &plan, part("1/2"), &place.0, &GOING, &()));
    sweep_part(&settings, &plan, part("2/2"), &place.0, &GOING, &()).unwrap();
    let merged = place.told(merge_sweep(&place.0));
    fs::remove_file(table).unwrap();
    assert!(files(&place.0).is_empty());
    expect![[r#"
        DIR/part-1-of-2/1.jsonl: expected one computation in the folder, found a difference in its data | compute all parts with the same settings, data and program, or elsewhere
        DIR/part-2-of-2/1.jsonl: expected one computation in the folder, found a difference in its data | compute all parts with the same settings, data and program, or elsewhere
    "#]].assert_eq(&(resumed + &merged));
}

#[test]
fn folds_in_parts_are_those_of_one_process() {
    let settings = settings("data = \"iris\"\nepochs = 3\nseed = 40\npatience = 2\n");
    let whole = cross_validate(&settings, 5, &()).unwrap();
    for order in [&[1][..], &[2, 1], &[1, 3, 2], &[5, 4, 3, 2, 1]] {
        let place = Place::new(&format!("cv-of-{}", order.len()));
        for k in order {
            let part = part(&format!("{k}/{}", order.len()));
            for _ in 0..2 {
                let (share, _) = cross_validate_part(&settings, 5, part, &place.0, &()).unwrap();
                assert!(share.runs.abs_diff(5 / order.len()) <= 1);
            }
            assert!(!place.journal(&format!("{k}/{}", order.len()), 2).exists(), "computed twice");
        }
        let (merged, toml) = merge_cross_validation(&place.0).unwrap();
        assert_eq!(toml, settings.to_toml());
        assert_eq!(merged, whole);
        assert_eq!(
            [merged.to_csv(), merged.to_json(), merged.to_text()],
            [whole.to_csv(), whole.to_json(), whole.to_text()]
        );
    }
    // a fold that fails is an error, as in one process, and the others are kept
    let place = Place::new("cv-diverges");
    let diverges = Settings { lr: Some(1e30), ..settings.clone() };
    let told = place.told(cross_validate_part(&diverges, 5, part("2/3"), &place.0, &()));
    assert!(told.starts_with("fold 2 of 5: "), "{told}");
    let told = place.told(merge_cross_validation(&place.0));
    expect![[r#"
        DIR: missing parts of 3: 1, 3 | compute them first
    "#]]
    .assert_eq(&told);
}
