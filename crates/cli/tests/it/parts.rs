//! Parts of a sweep and of a cross-validation, each a process, and their merge.

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
    "#]].assert_eq(&told);
}
