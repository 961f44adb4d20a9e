//! Parts of a sweep, of a cross-validation and of experiments, each a process, and their merge.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::{Folder, refuses, tree, words, works};
use expect_test::expect;

/// Six points with two seeds: twelve runs.
const SWEEP: &str =
    "sweep --data digits --hidden 16 --epochs 4 --vary lr=0.01,0.1,1e30 --vary batch=64,128 --seeds 2";
const CV: &str = "cv --data iris --epochs 5 --folds 5";

fn start(folder: &Path, command: &str) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_surprisal"));
    child
        .args(words(command))
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The files of a result, without those of parts.
fn results(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = tree(folder).into_iter().filter(|path| path.is_file() && path.parent() == Some(folder));
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_string();
    files.map(|path| (name(&path), fs::read(&path).unwrap())).collect()
}

#[test]
fn processes_of_which_some_are_killed_write_what_one_writes() {
    let folder = Folder::new("parts");
    let told = works(&folder.0, &words(&format!("{SWEEP} --out one")));
    let whole = results(&folder.0.join("one"));
    assert_eq!(whole.len(), 7);
    for parts in [1, 2, 3, 5] {
        let command = |k: usize| format!("{SWEEP} --part {k}/{parts} --out of-{parts}");
        let mut all = Vec::from_iter((1..=parts).rev().map(|k| start(&folder.0, &command(k))));
        // the first part is killed after a run
        let journal = folder.0.join(format!("of-{parts}/part-1-of-{parts}/1.jsonl"));
        let lines = || fs::read_to_string(&journal).map_or(0, |text| text.lines().count());
        let began = Instant::now();
        while lines() < 2 {
            assert!(began.elapsed() < Duration::from_secs(300), "no run has ended"); // a machine may be busy
            sleep(Duration::from_millis(2));
        }
        let mut first = all.pop().unwrap();
        first.kill().unwrap();
        first.wait().unwrap();
        all.iter_mut().for_each(|child| assert!(child.wait().unwrap().success()));
        works(&folder.0, &words(&command(1)));
        let merged = works(&folder.0, &words(&format!("sweep --merge of-{parts}")));
        assert_eq!(merged, told);
        assert!(results(&folder.0.join(format!("of-{parts}"))) == whole, "{parts} parts");
    }
}

#[test]
fn folds_in_processes_write_what_one_writes() {
    let folder = Folder::new("cv-parts");
    let told = works(&folder.0, &words(&format!("{CV} --out one")));
    let whole = results(&folder.0.join("one"));
    assert_eq!(whole.len(), 4);
    for parts in [1, 2, 3, 5] {
        for k in (1..=parts).rev() {
            works(&folder.0, &words(&format!("{CV} --part {k}/{parts} --out of-{parts}")));
        }
        assert_eq!(works(&folder.0, &words(&format!("cv --merge of-{parts}"))), told);
        assert!(results(&folder.0.join(format!("of-{parts}"))) == whole, "{parts} parts");
    }
}

/// Experiments with one stage, with two, and with four, which end after the first stage that needs other parts.
const EXPERIMENTS: [&str; 3] = ["gradient-flow", "xor-fates", "saturated-neuron"];

/// Every file below a folder.
fn all(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let name = |path: &Path| path.strip_prefix(folder).unwrap().display().to_string();
    let files = tree(folder).into_iter().filter(|path| path.is_file());
    files.map(|path| (name(&path), fs::read(&path).unwrap())).collect()
}

#[test]
fn experiments_in_processes_write_what_one_writes() {
    let folder = Folder::new("lab-parts");
    for name in EXPERIMENTS {
        let told = works(&folder.0, &words(&format!("lab run {name} --quick --out one")));
        let whole = all(&folder.0.join(format!("one/{name}-1")));
        assert!(whole.contains_key("report.html"));
        for parts in [1, 2, 3] {
            let out = format!("{name}-of-{parts}");
            let command = |k: usize| format!("lab run {name} --quick --part {k}/{parts} --out {out}");
            let mut all_parts = Vec::from_iter((1..=parts).rev().map(|k| start(&folder.0, &command(k))));
            all_parts.iter_mut().for_each(|child| assert!(child.wait().unwrap().success()));
            // a first time, the merge computes what no part could begin; then the parts do
            for time in 1..=2 {
                let merged = works(&folder.0, &words(&format!("lab run --merge {out}")));
                assert_eq!(
                    merged.replace(&format!("{out}/{name}-{time}"), "one/NAME"),
                    told.replace(&format!("one/{name}-1"), "one/NAME")
                );
                assert!(
                    all(&folder.0.join(format!("{out}/{name}-{time}"))) == whole,
                    "{name}, {parts} parts"
                );
                (1..=parts).for_each(|k| _ = works(&folder.0, &words(&command(k))));
            }
            let hidden = tree(&folder.0.join(&out)).into_iter().filter(|path| path.is_file());
            let hidden = hidden.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with('.'));
            assert_eq!(hidden.count(), 0);
        }
    }
}

/// Repeated parts compute the next stage, and then nothing is left.
#[test]
fn parts_that_are_repeated_compute_the_next_stages() {
    let folder = Folder::new("lab-stages");
    let lines = |k: usize, journal: usize| {
        let journal = folder.0.join(format!("s/part-{k}-of-2/{journal}.jsonl"));
        fs::read_to_string(journal).unwrap().matches("\"key\"").count()
    };
    let part = |k: usize| {
        works(&folder.0, &words(&format!("lab run saturated-neuron --quick --part {k}/2 --out s")))
    };
    let told = [1, 2, 1, 2, 1, 2, 1, 2, 1, 2].map(part);
    assert_eq!((lines(1, 1), lines(2, 1)), (2, 4)); // the second part found the first stage finished
    let of = |k: usize| (1..=5).map(|journal| lines(k, journal)).sum::<usize>();
    assert_eq!(told[8], format!("part 1 of 2 has finished: {} runs\n", of(1)));
    assert_eq!(told[9], format!("part 2 of 2 has finished: {} runs\n", of(2)));
    assert_eq!((lines(1, 5), lines(2, 5)), (0, 0));
    let merged = works(&folder.0, &words("lab run --merge s"));
    assert!(merged.ends_with("The report: s/saturated-neuron-1/report.html\n"));
}

#[test]
fn a_part_of_an_experiment_that_is_killed_resumes() {
    let folder = Folder::new("lab-killed");
    let experiment = "lab run xor-fates --quick";
    works(&folder.0, &words(&format!("{experiment} --out one")));
    let command = |k: usize| format!("{experiment} --part {k}/2 --out two");
    let journal = folder.0.join("two/part-1-of-2/1.jsonl");
    let lines = || fs::read_to_string(&journal).map_or(0, |text| text.lines().count());
    let (mut first, began) = (start(&folder.0, &command(1)), Instant::now());
    while lines() < 3 {
        assert!(began.elapsed() < Duration::from_secs(300), "no run has ended");
        sleep(Duration::from_millis(1));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    let done = lines();
    works(&folder.0, &words(&command(2)));
    if !fs::read_to_string(&journal).unwrap().contains("\"ended\"") {
        let (code, message) = refuses(&folder.0, &words("lab run --merge two"));
        assert_eq!(code, 1);
        assert_eq!(
            message,
            "two: not finished: part 1 of 2 has not ended | wait for them, or start them again: they resume"
        );
    }
    works(&folder.0, &words(&command(1)));
    let resumed = fs::read_to_string(folder.0.join("two/part-1-of-2/2.jsonl")).unwrap();
    let first = fs::read_to_string(&journal).unwrap();
    assert!(first.lines().count() >= done);
    let keys = |text: &str| {
        Vec::from_iter(
            text.lines()
                .filter(|line| line.contains("\"key\""))
                .map(|line| line[..line.find("\"records\"").unwrap()].to_string()),
        )
    };
    assert!(keys(&resumed).iter().all(|key| !keys(&first).contains(key)), "a run was computed again");
    works(&folder.0, &words("lab run --merge two"));
    assert!(all(&folder.0.join("two/xor-fates-1")) == all(&folder.0.join("one/xor-fates-1")));
}

#[test]
fn messages() {
    let folder = Folder::new("parts-messages");
    let mut told = String::new();
    let mut refuse = |code: i32, command: &str| {
        let (found, message) = refuses(&folder.0, &words(command));
        assert_eq!(found, code, "{command}: {message}");
        told += &format!("$ surprisal {command}\n{message}\n");
    };
    let small = "sweep --data iris --vary lr=0.1,0.2,0.3";
    for part in ["0/4", "5/4", "3", "a/b", "1/0", "+1/4", "-1/4", "1/4/4", "''"] {
        refuse(2, &format!("{small} --part {part}"));
    }
    refuse(2, "cv --data iris --part 6/5 --out c");
    refuse(2, "cv --data iris --part 1/5");
    refuse(2, &format!("{small} --part 1/4 --merge s"));
    refuse(2, "sweep --merge s --out t");
    refuse(2, "cv --merge s --folds 5");
    refuse(1, "sweep --merge s");
    refuse(1, "cv --merge s");
    for part in ["1/4", "3/4"] {
        works(&folder.0, &words(&format!("{small} --part {part} --out s")));
    }
    refuse(1, "sweep --merge s");
    refuse(1, "cv --merge s");
    refuse(1, "sweep --merge s/part-1-of-4");
    refuse(1, &format!("{small} --part 2/3 --out s"));
    refuse(1, &format!("{small} --hidden 4 --part 3/4 --out s"));
    refuse(1, &format!("{small} --out s"));
    let lab = "lab run saturated-neuron --quick";
    refuse(2, &format!("{lab} --part 1/4"));
    refuse(2, "lab run --merge l --quick");
    refuse(2, "lab run saturated-neuron --merge l");
    refuse(2, "lab run");
    refuse(1, "lab run --merge l");
    refuse(1, "lab run --merge s");
    for part in [1, 2, 5] {
        works(&folder.0, &words(&format!("{lab} --part {part}/5 --out l")));
    }
    refuse(1, "lab run --merge l");
    refuse(1, "sweep --merge l");
    refuse(1, &format!("{lab} --part 2/3 --out l"));
    refuse(1, &format!("{lab} --break --part 3/5 --out l"));
    refuse(1, &format!("{lab} --part 1/4 --out s"));
    refuse(1, "lab run all --quick --part 3/5 --out l");
    for part in [3, 4] {
        works(&folder.0, &words(&format!("{lab} --part {part}/5 --out l")));
    }
    fs::copy(folder.0.join("l/part-3-of-5/1.jsonl"), folder.0.join("l/part-4-of-5/1.jsonl")).unwrap();
    refuse(1, "lab run --merge l");
    expect![[r#"
        $ surprisal sweep --data iris --vary lr=0.1,0.2,0.3 --part 0/4
        invalid value '0/4' for '--part <K/N>': expected K/N with K from 1 to N, such as 3/16, found "0/4"

        For more information, try '--help'.
        $ surprisal sweep --data iris --vary lr=0.1,0.2,0.3 --part 5/4
        invalid value '5/4' for '--part <K/N>': expected K/N with K from 1 to N, such as 3/16, found "5/4"

        For more information, try '--help'.
        $ surprisal sweep --data iris --vary lr=0.1,0.2,0.3 --part 3
        invalid value '3' for '--part <K/N>': expected K/N with K from 1 to N, such as 3/16, found "3"

        For more information, try '--help'.
        $ surprisal sweep --data iris --vary lr=0.1,0.2,0.3 --part a/b
        invalid value 'a/b' for '--part <K/N>': expected K/N with K from 1 to N, such as 3/16, found "a/b"

        For more information, try '--help'.
        $ surprisal sweep --data iris --vary lr=0.1,0.2,0.3 --part 1/0
        invalid value '1/0' for '--part <K/N>': expected K/N with K from 1 to N, such as 3/16, found "1/0"

        For more information, try '--help'.
        $ surprisal sweep --data iris --vary lr=0.1,0.2,0.3 --part +1/4
        invalid value '+1/4' for '--part <K/N>': expected K/N with K from 1 to N, such as 3/16, found "+1/4"

        For more information, try '--help'.
        $ surprisal sweep --data iris --vary lr=0.1,0.2,0.3 --part -1/4
        unexpected argument '-1' found

        Usage: surprisal sweep [OPTIONS] --vary <SETTING=VALUES>

        For more information, try '--help'.
        $ surprisal sweep --data iris --vary lr=0.1,0.2,0.3 --part 1/4/4
        invalid value '1/4/4' for '--part <K/N>': expected K/N with K from 1 to N, such as 3/16, found "1/4/4"

        For more information, try '--help'.
        $ surprisal sweep --data iris --vary lr=0.1,0.2,0.3 --part ''
        invalid value '' for '--part <K/N>': expected K/N with K from 1 to N, such as 3/16, found ""

        For more information, try '--help'.
        $ surprisal cv --data iris --part 6/5 --out c
        invalid value '6/5' for '--part <K/N>': expected K/N with K from 1 to N, such as 3/16, found "6/5"

        For more information, try '--help'.
        $ surprisal cv --data iris --part 1/5
        the following required arguments were not provided:
          --out <DIR>

        Usage: surprisal cv --out <DIR> --data <SOURCE> --part <K/N>

        For more information, try '--help'.
        $ surprisal sweep --data iris --vary lr=0.1,0.2,0.3 --part 1/4 --merge s
        the argument '--merge <DIR>' cannot be used with one or more of the other specified arguments

        Usage: surprisal sweep [OPTIONS] --vary <SETTING=VALUES>

        For more information, try '--help'.
        $ surprisal sweep --merge s --out t
        the argument '--merge <DIR>' cannot be used with one or more of the other specified arguments

        Usage: surprisal sweep [OPTIONS] --vary <SETTING=VALUES>

        For more information, try '--help'.
        $ surprisal cv --merge s --folds 5
        the argument '--merge <DIR>' cannot be used with one or more of the other specified arguments

        Usage: surprisal cv [OPTIONS]

        For more information, try '--help'.
        $ surprisal sweep --merge s
        s: there is no such folder | name the folder of the parts
        $ surprisal cv --merge s
        s: there is no such folder | name the folder of the parts
        $ surprisal sweep --merge s
        s: missing parts of 4: 2, 4 | compute them first
        $ surprisal cv --merge s
        s/part-1-of-4/1.jsonl: expected one computation in the folder, found a difference in its command | compute all parts with the same settings, data and program, or elsewhere
        $ surprisal sweep --merge s/part-1-of-4
        s/part-1-of-4: expected a folder of parts, found no part in it | name the folder of the parts, or a new one for the first part
        $ surprisal sweep --data iris --vary lr=0.1,0.2,0.3 --part 2/3 --out s
        s/part-1-of-4: expected parts of 3 only | compute all parts with the same number of parts, each number in a folder of its own | option: --out
        $ surprisal sweep --data iris --vary lr=0.1,0.2,0.3 --hidden 4 --part 3/4 --out s
        s/part-3-of-4/1.jsonl: expected one computation in the folder, found a difference in its settings | compute all parts with the same settings, data and program, or elsewhere | option: --out
        $ surprisal sweep --data iris --vary lr=0.1,0.2,0.3 --out s
        s: the folder is not empty and contains no journal of a sweep | name another folder | option: --out
        $ surprisal lab run saturated-neuron --quick --part 1/4
        the following required arguments were not provided:
          --out <DIR>

        Usage: surprisal lab run --out <DIR> --quick --part <K/N> <NAME>

        For more information, try '--help'.
        $ surprisal lab run --merge l --quick
        the argument '--merge <DIR>' cannot be used with one or more of the other specified arguments

        Usage: surprisal lab run [OPTIONS] <NAME>

        For more information, try '--help'.
        $ surprisal lab run saturated-neuron --merge l
        the argument '--merge <DIR>' cannot be used with one or more of the other specified arguments

        Usage: surprisal lab run [OPTIONS] <NAME>

        For more information, try '--help'.
        $ surprisal lab run
        the following required arguments were not provided:
          <NAME>

        Usage: surprisal lab run <NAME>

        For more information, try '--help'.
        $ surprisal lab run --merge l
        l: there is no such folder | name the folder of the parts
        $ surprisal lab run --merge s
        s/part-1-of-4/1.jsonl: expected one computation in the folder, found a difference in its command | compute all parts with the same settings, data and program, or elsewhere
        $ surprisal lab run --merge l
        l: missing parts of 5: 3-4 | compute them first
        $ surprisal sweep --merge l
        l/part-1-of-5/1.jsonl: expected one computation in the folder, found a difference in its command | compute all parts with the same settings, data and program, or elsewhere
        $ surprisal lab run saturated-neuron --quick --part 2/3 --out l
        l/part-1-of-5: expected parts of 3 only | compute all parts with the same number of parts, each number in a folder of its own | option: --out
        $ surprisal lab run saturated-neuron --quick --break --part 3/5 --out l
        l/part-1-of-5/1.jsonl: expected one computation in the folder, found a difference in its settings | compute all parts with the same settings, data and program, or elsewhere | option: --out
        $ surprisal lab run saturated-neuron --quick --part 1/4 --out s
        s/part-1-of-4/1.jsonl: expected one computation in the folder, found a difference in its command | compute all parts with the same settings, data and program, or elsewhere | option: --out
        $ surprisal lab run all --quick --part 3/5 --out l
        l/part-1-of-5/1.jsonl: expected one computation in the folder, found a difference in its experiment, settings | compute all parts with the same settings, data and program, or elsewhere | option: --out
        $ surprisal lab run --merge l
        l/part-4-of-5: contains part 3 of 5, which is there twice then | remove the copy, and compute the part that belongs here
    "#]].assert_eq(&told);
}
