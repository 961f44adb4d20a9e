//! What a training promises when the machine, the disk or the patience of its user ends: nothing is lost but the steps since the last
//! checkpoint, and what goes on ends in the same bytes.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::{Folder, refuses, surprisal, tree, works};
use expect_test::expect;
use surprisal_train::{Checkpoint, SavedModel};

/// A checkpoint after every third step; the epochs are to follow, and may be others when it goes on, since no rate depends on them.
const TRAIN: [&str; 14] = [
    "train",
    "--data",
    "digits",
    "--model",
    "64-32-10",
    "--schedule",
    "constant",
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

/// Sends a signal by its name.
fn send(signal: &str, child: &Child) {
    let kill = format!("kill -{signal} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// Waits until something is so.
#[track_caller]
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(300), "{what}"); // a machine may be busy
        sleep(Duration::from_millis(2));
    }
}

/// The names of hidden files and folders at any depth.
fn hidden(folder: &Path) -> Vec<PathBuf> {
    let is_hidden = |path: &PathBuf| path.file_name().unwrap().as_encoded_bytes().starts_with(b".");
    tree(folder).into_iter().filter(is_hidden).collect()
}

/// The checkpoint in a run's folder, if there is one: then it must be whole.
fn checkpoint(run: &Path) -> Option<Checkpoint<f32>> {
    let file = run.join("checkpoint.surprisal");
    file.exists().then(|| SavedModel::read(&file).unwrap().checkpoint.unwrap())
}

/// Waits until there is a checkpoint after this many epochs.
fn wait_for_epoch(run: &Path, epoch: u64) {
    let before = |checkpoint: Checkpoint<f32>| checkpoint.epoch < epoch;
    wait_until(&format!("no checkpoint after {epoch} epochs"), || !checkpoint(run).is_none_or(before));
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
        // the epochs that were given: nothing is lost of them but the last two steps
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
    send("INT", &child);
    let output = child.wait_with_output().unwrap();
    let saved = checkpoint(&run).unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert_eq!(output.stdout, b"");
    expect![[r#"
        error: interrupted in epoch N; all steps are saved | to resume: surprisal train --resume run
    "#]]
    .assert_eq(&stderr(&output).replace(&format!("epoch {}", saved.epoch + 1), "epoch N"));
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

/// Whether this process, and so what it starts, ignores a signal.
fn ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let signals = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    signals.is_some_and(|set| u64::from_str_radix(set.trim(), 16).unwrap() >> (signal - 1) & 1 == 1)
}

#[test]
fn asked_to_end_by_any_signal_it_saves_the_step_and_an_ignored_signal_stays_ignored() {
    let folder = Folder::new("signals");
    let run = folder.0.join("run");
    for (signal, code) in [("TERM", 143), ("HUP", 129)] {
        if ignored(code - 128) {
            eprintln!("skipped: these tests were started with SIG{signal} ignored, as by nohup");
            continue;
        }
        let _ = fs::remove_dir_all(&run);
        let child = start(&folder.0, &with(&TRAIN, &["--epochs", "1000000"]));
        wait_for_epoch(&run, 1);
        send(signal, &child);
        let output = child.wait_with_output().unwrap();
        let epoch = checkpoint(&run).unwrap().epoch + 1;
        assert_eq!((output.status.code(), output.status.signal()), (Some(code), None), "{}", stderr(&output));
        expect![[r#"
            error: interrupted in epoch N; all steps are saved | to resume: surprisal train --resume run
        "#]]
        .assert_eq(&stderr(&output).replace(&format!("epoch {epoch}"), "epoch N"));
    }

    if !Path::new("/proc/self/status").exists() {
        return; // only Linux tells which signals are ignored
    }
    fs::remove_dir_all(&run).unwrap();
    let train = with(&TRAIN, &["--epochs", "1000000"]).join(" ");
    let script = format!("trap '' INT HUP; exec {} {train}", env!("CARGO_BIN_EXE_surprisal"));
    let child = Command::new("sh")
        .args(["-c", &script])
        .current_dir(&folder.0)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_epoch(&run, 0);
    send("INT", &child);
    send("HUP", &child);
    wait_for_epoch(&run, checkpoint(&run).unwrap().epoch + 2);
    send("TERM", &child);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(143));
}

#[test]
fn no_command_that_was_ended_is_in_the_way_of_the_next() {
    let folder = Folder::new("in-the-way");
    let (long, short) = ("1000000", "1");
    let commands = |epochs: &str| {
        [
            format!("cv --data digits --epochs {epochs} --folds 2 --out here"),
            format!("cv --data digits --epochs {epochs} --folds 2"),
        ]
    };
    let steps =
        |steps: &str| format!("lr-range --data digits --steps {steps} --from 1e-9 --to 1e-8 --out here");
    let all = commands(long).into_iter().zip(commands(short)).chain([(steps("100000000"), steps("30"))]);
    for (begun, again) in all {
        let [begun, again] = [&begun, &again].map(|line| Vec::from_iter(line.split(' ')));
        for signal in ["INT", "TERM", "KILL", "KILL"] {
            let mut child = start(&folder.0, &begun);
            wait_until("it takes no folder", || {
                !hidden(&folder.0).is_empty() || child.try_wait().unwrap().is_some()
            });
            send(signal, &child);
            let status = child.wait_with_output().unwrap().status;
            match signal {
                "KILL" => assert_eq!(status.signal(), Some(9), "{begun:?}"),
                _ => {
                    assert_eq!(status.code(), Some(if signal == "INT" { 130 } else { 143 }), "{begun:?}");
                    assert!(tree(&folder.0).is_empty(), "{begun:?} left {:?}", tree(&folder.0));
                }
            }
        }
        works(&folder.0, &again);
        let made = if again.contains(&"here") { "here" } else { "runs" };
        assert!(hidden(&folder.0).is_empty(), "{:?}", hidden(&folder.0));
        assert!(made == "here" || folder.0.join("runs/cv-1").exists(), "a number was taken for ever");
        fs::remove_dir_all(folder.0.join(made)).unwrap();
    }
}

#[test]
fn a_run_that_another_process_trains_is_refused_until_that_one_ends() {
    let folder = Folder::new("twice");
    let run = folder.0.join("run");
    let mut child = start(&folder.0, &with(&TRAIN, &["--epochs", "1000000"]));
    wait_for_epoch(&run, 0);
    let output = surprisal(&folder.0, &["train", "--resume", "run"]);
    assert_eq!(output.status.code(), Some(1));
    expect![[r#"
        error: run: another process is training in it | wait until it has ended, or name another folder
    "#]]
    .assert_eq(&stderr(&output));
    assert!(child.try_wait().unwrap().is_none(), "the first has ended");
    child.kill().unwrap();
    child.wait().unwrap();
    let epochs = (checkpoint(&run).unwrap().epoch + 1).to_string();
    works(&folder.0, &["train", "--resume", "run", "--epochs", &epochs, "--quiet"]);
    assert!(hidden(&folder.0).is_empty());
}

#[test]
fn a_standard_error_that_nobody_reads_ends_nothing() {
    let folder = Folder::new("unread");
    for (command, code) in [
        ("train --data iris --epochs 3 --out train", 0),
        ("cv --data iris --epochs 1 --folds 2 --out cv", 0),
        ("sweep --data iris --epochs 1 --vary lr=0.1,0.2 --out sweep", 0),
        ("lr-range --data iris --steps 30 --out range", 0),
        ("explain --model train/model.surprisal --data iris --row 0 --out explained", 0),
        ("predict --model train/model.surprisal --data nowhere.csv", 1),
        ("train --data iris --lr 0", 2),
    ] {
        let arguments = Vec::from_iter(command.split(' '));
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut unread = Command::new(env!("CARGO_BIN_EXE_surprisal"));
        let status =
            unread.args(&arguments).current_dir(&folder.0).stdout(Stdio::null()).stderr(writer).status();
        assert_eq!(status.unwrap().code(), Some(code), "{command}");
    }
    assert_eq!(checkpoint(&folder.0.join("train")).unwrap().epoch, 3);
    let mut told = BTreeSet::new();
    for command in ["--help", "train --help", "--version", "loss --list"] {
        let output = in_a_shell(&folder.0, "exec >/dev/full", command);
        assert_eq!(output.status.code(), Some(1), "{command}");
        told.insert(stderr(&output));
    }
    expect![[r#"
        error: standard output: cannot write: No space left on device (os error 28)
    "#]]
    .assert_eq(&Vec::from_iter(told).concat());
}

#[test]
fn an_output_takes_the_place_of_nothing_but_a_regular_file_that_is_not_read() {
    let folder = Folder::new("outputs");
    let at = |name: &str| folder.0.join(name);
    let table = "a,b,y\n1,2,yes\n2,1,no\n3,4,yes\n4,3,no\n5,6,yes\n6,5,no\n7,8,yes\n8,7,no\n";
    fs::write(at("table.csv"), table).unwrap();
    works(&folder.0, &["train", "--data", "table.csv", "--target", "y", "--epochs", "1", "--out", "run"]);
    let model = fs::read(at("run/model.surprisal")).unwrap();
    fs::hard_link(at("table.csv"), at("same.csv")).unwrap();
    fs::write(at("precious"), "precious").unwrap();
    symlink("precious", at("link")).unwrap();
    fs::create_dir(at("folder")).unwrap();
    assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());

    let predict = ["predict", "--model", "run/model.surprisal", "--data", "table.csv", "--out"];
    let mut told = Vec::new();
    for out in ["table.csv", "./run/../table.csv", "same.csv", "run/model.surprisal"] {
        let (code, message) = refuses(&folder.0, &with(&predict, &[out]));
        assert_eq!(code, 2, "{message}");
        told.push(message);
    }
    for out in ["link", "pipe", "folder", ".", "no/such.csv"] {
        let (code, message) = refuses(&folder.0, &with(&predict, &[out]));
        assert_eq!(code, 1, "{message}");
        assert_eq!(refuses(&folder.0, &["loss", "half_squared_error", "--plot", out]), (1, message.clone()));
        told.push(message);
    }
    expect![[r#"
        --out table.csv: is table.csv, an input | name another file
        --out ./run/../table.csv: is table.csv, an input | name another file
        --out same.csv: is table.csv, an input | name another file
        --out run/model.surprisal: is run/model.surprisal, an input | name another file
        link: cannot write: it is a symbolic link | name a regular file
        pipe: cannot write: it is a device, a pipe or a socket | name a regular file
        folder: cannot write: it is a folder | name a file in it
        .: cannot write: it is a folder | name a file in it
        no/such.csv: cannot write: No such file or directory (os error 2) | there is no folder no: make it first, or write elsewhere"#]].assert_eq(&told.join("\n"));
    assert_eq!(fs::read_to_string(at("table.csv")).unwrap(), table);
    assert_eq!(fs::read_to_string(at("precious")).unwrap(), "precious");
    assert!(fs::read(at("run/model.surprisal")).unwrap() == model);
    assert!(at("pipe").symlink_metadata().unwrap().file_type().is_fifo());
    assert!(at("link").symlink_metadata().unwrap().is_symlink());

    fs::write(at("private.csv"), "old").unwrap();
    fs::set_permissions(at("private.csv"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("precious", at(".private.csv.partial")).unwrap(); // a name that somebody may guess
    works(&folder.0, &with(&predict, &["private.csv"]));
    works(&folder.0, &["loss", "half_squared_error", "--plot", "private.csv"]);
    assert!(fs::read_to_string(at("private.csv")).unwrap().starts_with("<svg"));
    assert_eq!(at("private.csv").metadata().unwrap().mode() & 0o7777, 0o600);
    assert_eq!(fs::read_to_string(at("precious")).unwrap(), "precious");

    symlink("nowhere", at("dangling.npz")).unwrap();
    let message = "dangling.npz: the file exists and is not overwritten".to_string();
    assert_eq!(refuses(&folder.0, &["convert", "run/model.surprisal", "dangling.npz"]), (1, message));
}

/// Everything but data for other programs, which stay as they are, and JSON, which stays JSON.
#[test]
fn nothing_of_a_file_or_an_argument_acts_on_a_terminal() {
    let folder = Folder::new("escapes");
    let (escape, turned) = ("\u{1b}[31m", "\u{202e}");
    let mut table = format!("a{escape},b{turned},y\n");
    (0..24).for_each(|k| {
        table += &format!("{k},{},{escape}{}\n", k * k % 7, if k % 2 == 0 { "even" } else { "odd" })
    });
    fs::write(folder.0.join("t.csv"), &table).unwrap();
    let header = format!(r#"{{"w\u001b[2J{turned}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}}}"#);
    let file = [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
    fs::write(folder.0.join("w.safetensors"), file).unwrap();
    let name = format!("no{escape}{turned}where");
    for command in [
        "train --data t.csv --target y --epochs 2 --out run",
        "eval --model run/model.surprisal --data t.csv --target y",
        "explain --model run/model.surprisal --data t.csv --target y --row 0 --full",
        "inspect run/model.surprisal",
        "inspect run/model.surprisal --json",
        "inspect w.safetensors",
        "inspect w.safetensors --json",
        "cv --data t.csv --target y --epochs 1 --folds 2",
        "train --data t.csv --target NAME --epochs 1",
        "predict --model NAME --data t.csv",
        "loss NAME",
        "NAME",
        "train --NAME",
        "explain NAME+1",
    ] {
        let command = command.replace("NAME", &name);
        let output = surprisal(&folder.0, &Vec::from_iter(command.split(' ')));
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap());
        for said in &said {
            assert!(!said.contains(['\u{1b}', '\u{202e}']), "{command}: {said:?}");
        }
        assert!(said.concat().len() > 20, "{command}");
        if command.ends_with("--json") {
            serde_json::from_str::<serde_json::Value>(&said[0]).unwrap();
        }
    }
    let answers = works(&folder.0, &["predict", "--model", "run/model.surprisal", "--data", "t.csv"]);
    assert!(answers.starts_with(&format!("row,predicted,p({escape}even),p({escape}odd)\n")), "{answers:?}");
    let page = fs::read_to_string(folder.0.join("run/report.html")).unwrap();
    assert!(!page.contains(['\u{1b}', '\u{202e}']));
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
    send("INT", &child);
    sleep(Duration::from_millis(200)); // two signals that come at the same time are one
    send("INT", &child);
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
    expect![[r#"
        error: run/checkpoint.surprisal: cannot write: File too large (os error 27) | raise the limit on the size of files, or write elsewhere; the last checkpoint is whole: resume run | option: --resume
    "#]].assert_eq(&stderr(&output));
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
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
    let full = in_a_shell(&folder.0, "exec >/dev/full", &predict.join(" "));
    assert_eq!((output.status.code(), full.status.code()), (Some(1), Some(1)));
    expect![[r#"
        error: answers.csv: cannot write: File too large (os error 27) | raise the limit on the size of files, or write elsewhere
        error: standard output: cannot write: No space left on device (os error 28)
    "#]].assert_eq(&(stderr(&output) + &stderr(&full)));
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
    expect![[r#"
        error: disk/run/checkpoint.surprisal: cannot write: No space left on device (os error 28) | make room, or write elsewhere; the last checkpoint is whole: resume disk/run | option: --resume
    "#]].assert_eq(&stderr(&output));
    assert!(told.starts_with("1\ndisk/run/checkpoint.surprisal: "), "{told}");
    assert!(told.contains("a checkpoint: 0 epochs and 3 of 22 steps completed"), "{told}");
    assert!(told.ends_with("\ncheckpoint.surprisal\nconfig.toml\nhistory.csv\nhistory.jsonl\n"), "{told}");
}
