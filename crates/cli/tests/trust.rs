//! What a training promises when the machine, the disk or the patience of its user ends: nothing is lost but the steps since the last
//! checkpoint, and what goes on ends in the same bytes.
#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{Folder, surprisal, tree, works};
use surprisal_train::{Checkpoint, SavedModel};

/// A checkpoint after every third step; the epochs are to follow.
const TRAIN: [&str; 12] = [
    "train",
    "--data",
    "digits",
    "--model",
    "64-32-10",
    "--opt",
    "adam",
    "--checkpoint-every",
    "3",
    "--quiet",
    "--out",
    "run",
];
const STEPS_PER_EPOCH: u64 = 22; // 1346 rows in batches of 64

fn with<'a>(arguments: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [arguments, more].concat()
}

fn start(folder: &Path, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_surprisal"))
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The command in a shell, after other commands.
fn in_a_shell(folder: &Path, before: &str, arguments: &str) -> Output {
    let script = format!("{before}; exec {} {arguments}", env!("CARGO_BIN_EXE_surprisal"));
    Command::new("sh").args(["-c", &script]).current_dir(folder).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Ctrl-C.
fn interrupt(child: &Child) {
    let kill = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// The checkpoint in a run's folder, if there is one: then it must be whole.
fn checkpoint(run: &Path) -> Option<Checkpoint<f32>> {
    let file = run.join("checkpoint.surprisal");
    file.exists().then(|| SavedModel::read(&file).unwrap().checkpoint.unwrap())
}

/// Waits until there is a checkpoint after this many epochs.
fn wait_for_epoch(run: &Path, epoch: u64) {
    let began = Instant::now();
    while checkpoint(run).is_none_or(|checkpoint| checkpoint.epoch < epoch) {
        assert!(began.elapsed() < Duration::from_secs(60), "no checkpoint after {epoch} epochs");
        sleep(Duration::from_millis(2));
    }
}

/// The files that training leaves, and their bytes.
fn results(run: &Path) -> Vec<(String, Vec<u8>)> {
    let name = |path: &Path| path.strip_prefix(run).unwrap().display().to_string();
    tree(run).iter().map(|path| (name(path), fs::read(path).unwrap())).collect()
}

#[track_caller]
fn assert_same(found: &[(String, Vec<u8>)], expected: &[(String, Vec<u8>)]) {
    let names = |files: &[(String, Vec<u8>)]| Vec::from_iter(files.iter().map(|(name, _)| name.clone()));
    assert_eq!(names(found), names(expected));
    for ((name, found), (_, expected)) in found.iter().zip(expected) {
        assert!(found == expected, "{name} has other bytes than that of the run that was not interrupted");
    }
}

/// Numbers from 0 to below 1, from a seed (SplitMix64).
fn random(seed: &mut u64) -> f64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z >> 11) as f64 / (1u64 << 53) as f64
}

/// `SURPRISAL_KILLS` says how often, 20 times if it is not set.
#[test]
fn killed_at_any_moment_a_training_goes_on_to_the_same_bytes() {
    let kills =
        std::env::var("SURPRISAL_KILLS").map_or(20, |n| n.parse().expect("SURPRISAL_KILLS is a number"));
    let folder = Folder::new("kill");
    let train = with(&TRAIN, &["--epochs", "30"]);
    let (run, began) = (folder.0.join("run"), Instant::now());
    works(&folder.0, &train);
    let (whole, expected) = (began.elapsed(), results(&run));
    let begin_anew = || {
        let _ = fs::remove_dir_all(&run);
    };

    let mut seed = 17;
    let (mut killed, mut before_the_first, mut loaded, mut ended) = (0, 0, 0, 0);
    let mut steps = None; // at the last checkpoint of this run
    begin_anew();
    loop {
        let mut child =
            start(&folder.0, if steps.is_some() { &["train", "--quiet", "--resume", "run"] } else { &train });
        if killed < kills {
            sleep(whole.mul_f64(random(&mut seed).powi(3))); // early moments more often
            child.kill().unwrap();
        }
        let output = child.wait_with_output().unwrap();
        if output.status.signal() != Some(9) {
            assert!(output.status.success(), "{}", stderr(&output));
            assert_same(&results(&run), &expected);
            ended += 1;
            if killed == kills {
                break;
            }
            (steps, _) = (None, begin_anew());
            continue;
        }
        killed += 1;
        let Some(checkpoint) = checkpoint(&run) else {
            assert_eq!(steps, None, "the checkpoint is gone");
            before_the_first += 1;
            begin_anew();
            continue;
        };
        loaded += 1;
        let now = checkpoint.epoch * STEPS_PER_EPOCH + checkpoint.step;
        assert!(now.is_multiple_of(3) || now == 30 * STEPS_PER_EPOCH, "{now} steps");
        assert!(Some(now) >= steps, "{now} steps, and before {steps:?}");
        // the epochs that were told: nothing is lost of them but the last two steps
        let told = fs::read_to_string(run.join("history.csv")).unwrap().matches('\n').count() as u64;
        assert!(now + 3 > told.saturating_sub(2) * STEPS_PER_EPOCH, "{now} steps after {told} lines");
        steps = Some(now);
    }
    println!(
        "{killed} kills: {before_the_first} before the first checkpoint, {loaded} with one, which loaded; {ended} runs ended, \
         each in the bytes of the run that was never killed"
    );
}

#[test]
fn ctrl_c_saves_the_step_and_says_how_to_go_on() {
    let folder = Folder::new("interrupted");
    let run = folder.0.join("run");
    let child = start(&folder.0, &with(&TRAIN, &["--epochs", "1000000"]));
    wait_for_epoch(&run, 1);
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    let saved = checkpoint(&run).unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert_eq!(output.stdout, b"");
    assert_eq!(
        stderr(&output),
        format!(
            "error: interrupted in epoch {}; every step until then is saved | to go on: surprisal train --resume run\n",
            saved.epoch + 1
        )
    );
    fs::write(run.join(".surprisal-0123456789abcdef.partial"), "what a killed process leaves").unwrap();
    let epochs = (saved.epoch + 2).to_string();
    works(&folder.0, &["train", "--resume", "run", "--epochs", &epochs, "--quiet"]);
    fs::write(run.join("config.toml"), "").unwrap(); // has the epochs that were asked for first
    let found = results(&run);
    fs::remove_dir_all(&run).unwrap();
    works(&folder.0, &with(&TRAIN, &["--epochs", &epochs]));
    fs::write(run.join("config.toml"), "").unwrap();
    assert_same(&found, &results(&run));
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let folder = Folder::new("interrupted-twice");
    let run = folder.0.join("run");
    // one step of 150000 batches
    let child = start(
        &folder.0,
        &[
            "train",
            "--data",
            "moons:n=200000",
            "--model",
            "2-256-256-2",
            "--batch",
            "1",
            "--accumulate",
            "150000",
            "--checkpoint-every",
            "1",
            "--out",
            "run",
        ],
    );
    wait_for_epoch(&run, 0);
    interrupt(&child);
    sleep(Duration::from_millis(200)); // two signals that come at the same time are one
    interrupt(&child);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    let saved = checkpoint(&run).unwrap();
    assert_eq!((saved.epoch, saved.step), (0, 0), "it went on to the end of the step");
}

#[test]
fn a_disk_that_is_full_leaves_the_last_checkpoint_and_says_so() {
    let folder = Folder::new("full");
    let run = folder.0.join("run");
    works(&folder.0, &with(&TRAIN, &["--epochs", "2"]));
    let before = fs::read(run.join("checkpoint.surprisal")).unwrap();
    let whole = || fs::read(run.join("checkpoint.surprisal")).unwrap() == before;
    let resume = "train --resume run --epochs 4 --quiet";

    // files may have 8 KiB, and a checkpoint has more
    let output = in_a_shell(&folder.0, "trap '' XFSZ; ulimit -f 16", resume);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(
        stderr(&output),
        "error: run/checkpoint.surprisal: cannot write: File too large (os error 27) | raise the limit on the size of files, or write \
         elsewhere; the last checkpoint is whole: to go on, surprisal train --resume run\n"
    );
    assert!(whole());
    // the same limit, which ends a program that does not expect it
    let output = in_a_shell(&folder.0, "ulimit -f 16", resume);
    assert!(output.status.signal().is_some(), "{}", stderr(&output));
    assert!(whole());

    works(&folder.0, &["train", "--resume", "run", "--epochs", "4", "--quiet"]);
    fs::write(run.join("config.toml"), "").unwrap();
    let found = results(&run);
    fs::remove_dir_all(&run).unwrap();
    works(&folder.0, &with(&TRAIN, &["--epochs", "4"]));
    fs::write(run.join("config.toml"), "").unwrap();
    assert_same(&found, &results(&run));
}

#[test]
fn answers_that_cannot_be_written_are_said_to_be_so() {
    let folder = Folder::new("full-answers");
    works(&folder.0, &["train", "--data", "iris", "--epochs", "1", "--out", "run"]);
    let predict = ["predict", "--model", "run/model.surprisal", "--data", "iris"];
    // files may have 1 KiB, and the answers have more
    let output =
        in_a_shell(&folder.0, "trap '' XFSZ; ulimit -f 2", &(predict.join(" ") + " --out answers.csv"));
    assert_eq!(
        (output.status.code(), stderr(&output).as_str()),
        (
            Some(1),
            "error: answers.csv: cannot write: File too large (os error 27) | raise the limit on the size of files, or write elsewhere\n"
        )
    );
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
    let output = in_a_shell(&folder.0, "exec >/dev/full", &predict.join(" "));
    assert_eq!(
        (output.status.code(), stderr(&output).as_str()),
        (Some(1), "error: standard output: cannot write: No space left on device (os error 28)\n")
    );
}

/// On a disk of 1 MiB there is room for one checkpoint, and not for the next beside it.
#[test]
fn on_a_disk_that_becomes_full_the_first_checkpoint_stays() {
    let folder = Folder::new("small-disk");
    let mounted = |script: &str| {
        let script = format!("mount -t tmpfs -o size=1m small disk && {{ {script}; }}");
        fs::create_dir_all(folder.0.join("disk")).unwrap();
        // in a namespace of its own: nobody else sees the disk, and it goes when the shell does
        Command::new("unshare").args(["-m", "sh", "-c", &script]).current_dir(&folder.0).output()
    };
    if !mounted("true").is_ok_and(|output| output.status.success()) {
        println!("skipped: no file system may be mounted here");
        return;
    }
    let bin = env!("CARGO_BIN_EXE_surprisal");
    let train =
        "train --data digits --model 64-640-10 --opt adam --checkpoint-every 3 --quiet --out disk/run";
    let output = mounted(&format!(
        "{bin} {train}; echo $?; {bin} inspect disk/run/checkpoint.surprisal; ls -A disk/run"
    ))
    .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        stderr(&output),
        "error: disk/run/checkpoint.surprisal: cannot write: No space left on device (os error 28) | make room, or write elsewhere; \
         the last checkpoint is whole: to go on, surprisal train --resume disk/run\n"
    );
    assert!(told.starts_with("1\ndisk/run/checkpoint.surprisal: "), "{told}");
    assert!(told.contains("a training that can go on: 0 epochs and 3 of 22 steps done"), "{told}");
    assert!(told.ends_with("\ncheckpoint.surprisal\nconfig.toml\nhistory.csv\nhistory.jsonl\n"), "{told}");
}
