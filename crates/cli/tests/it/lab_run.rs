//! `lab list` and `lab run` as a user meets them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{Folder, fails, surprisal};
use expect_test::expect;

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.strip_prefix(folder).unwrap().to_path_buf(), fs::read(&path).unwrap())).collect()
}

#[test]
fn the_list_is_a_table_of_every_experiment_and_shows_one_in_detail() {
    let folder = Folder::new("lab-list");
    let told = |arguments: &[&str]| String::from_utf8(surprisal(&folder.0, arguments).stdout).unwrap();
    let list = told(&["lab", "list"]);
    assert!(list.starts_with("Start here: surprisal lab run saturated-neuron\n"), "{list}");
    assert!(list.lines().all(|line| line.chars().count() <= 100), "{list}");
    for experiment in surprisal_lab::experiments::all() {
        let row = list.lines().find(|line| line.starts_with(&format!("{} ", experiment.name))).unwrap();
        assert!(row.contains(experiment.short()) && row.ends_with(&experiment.time()), "{row}");
        let details = told(&["lab", "list", experiment.name]);
        assert!(
            details.contains(experiment.claim()) && details.contains(experiment.falsified_if()),
            "{details}"
        );
        for knob in experiment.knobs {
            assert!(
                details.contains(&format!("--set {}=", knob.setting.name))
                    && details.contains(knob.setting.help),
                "{details}"
            );
        }
    }
}

/// Without a terminal there is a line for each part of the work, and no progress.
#[test]
fn a_run_into_a_file_says_each_part_once() {
    let folder = Folder::new("lab-progress");
    let output = surprisal(&folder.0, &["lab", "run", "saturated-neuron", "--quick"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!(lines.len(), 4, "{stderr}");
    assert_eq!(lines[1], "the animation: 4 runs");
}

/// A broken version does not look like a finding.
#[test]
fn a_broken_run_says_so_in_every_line() {
    let folder = Folder::new("lab-broken");
    let output = surprisal(&folder.0, &["lab", "run", "saturated-neuron", "--quick", "--break"]);
    let stdout = String::from_utf8(output.stdout).unwrap().replace("\n    ", " ");
    assert!(stdout.contains("\n  Broken on purpose: every step leaves out the factor σ'(z)"), "{stdout}");
    let verdicts: Vec<&str> = stdout.lines().filter(|line| line.contains("expected")).collect();
    assert_eq!(verdicts.len(), 3);
    assert!(verdicts.iter().all(|line| line.contains(" (broken on purpose): ")), "{stdout}");
    assert!(
        verdicts[0].starts_with("  NOT SUPPORTED (broken on purpose): At the same rate 0.15, from score 4: "),
        "{stdout}"
    );
    assert!(
        verdicts[0].contains("over all initial scores = ")
            && verdicts[0].contains("(at most 3 expected, not met)"),
        "{stdout}"
    );
}

#[test]
fn a_run_gives_the_same_bytes_on_one_core_from_its_setting_file_and_again() {
    let folder = Folder::new("lab-run");
    let asked = ["lab", "run", "plateaus", "--quick", "--seeds", "3", "--set", "level=0.02"];
    let output = surprisal(&folder.0, &asked);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("SUPPORTED: "), "{stdout}");
    let page = Path::new("runs").join("plateaus-1").join("report.html");
    assert_eq!(stdout.lines().last().unwrap(), format!("The report: {}", page.display()));
    let first = files(&folder.0.join("runs/plateaus-1"));
    let page = String::from_utf8_lossy(&first[Path::new("report.html")]).into_owned();
    assert!(page.contains("lab run plateaus --quick --seeds 3 --set level=0.02"));

    let setting = "runs/plateaus-1/setting.json";
    assert!(
        surprisal(&folder.0, &["lab", "run", "plateaus", "--quick", "--setting", setting]).status.success()
    );
    assert!(files(&folder.0.join("runs/plateaus-2")) == first, "other bytes from the setting file");
    let one_core = Command::new("taskset")
        .args(["-c", "0", env!("CARGO_BIN_EXE_surprisal")])
        .args(asked)
        .current_dir(&folder.0)
        .output();
    match one_core {
        Ok(output) if output.status.success() => {
            assert!(files(&folder.0.join("runs/plateaus-3")) == first, "other bytes on one core");
        }
        _ => println!("SKIPPED: no taskset here"),
    }
    let left: Vec<_> =
        fs::read_dir(folder.0.join("runs")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{left:?}");
}

#[test]
fn a_long_name_that_is_unknown_is_reported_in_short() {
    let (code, stderr) = fails(&["lab", "run", &"x".repeat(50_000)]);
    assert!(code == 2 && stderr.len() < 1000, "{stderr}");
}

#[test]
fn data_that_are_not_there_exit_with_1() {
    let folder = Folder::new("lab-absent");
    let mnist = |value: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_surprisal"));
        command
            .current_dir(&folder.0)
            .args(["lab", "run", "mnist-stall", "--quick"])
            .env_remove("SURPRISAL_MNIST");
        if let Some(value) = value {
            command.env("SURPRISAL_MNIST", value);
        }
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let told = [mnist(None), mnist(Some("nowhere"))].map(|(code, stderr)| {
        assert_eq!(code, Some(1));
        stderr
    });
    expect![[r#"
        error: MNIST is too large to include: set SURPRISAL_MNIST to the folder with its four IDX files, packed or not
        error: nowhere: expected a folder with the four files of MNIST, found no folder | is the path right?
    "#]].assert_eq(&told.concat());
}
