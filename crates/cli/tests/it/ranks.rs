//! Processes that `mpirun` starts. Those of one program with MPI need the feature `mpi`, and Open MPI.

use std::process::Command;

use crate::common::Folder;

#[cfg(not(feature = "mpi"))]
#[test]
fn a_program_without_mpi_refuses_to_compute_the_same_several_times() {
    let started = |command: &str, name: &str, size: &str| {
        let folder = Folder::new("no-mpi");
        let mut start = Command::new(env!("CARGO_BIN_EXE_surprisal"));
        start.args(crate::common::words(command)).args(["--out", "run"]).current_dir(&folder.0);
        let output = start.env(name, size).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap(), folder.0.join("run").exists())
    };
    for command in [
        "train --data iris --epochs 1",
        "sweep --data iris --epochs 1 --vary lr=0.1,0.2",
        "cv --data iris --epochs 1",
        "lab run saturated-neuron --quick",
    ] {
        for name in ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"] {
            let (code, message, wrote) = started(command, name, "3");
            assert_eq!(
                message,
                "error: mpirun started 3 processes, but this program was compiled without MPI, so each of them would compute everything | \
                 start it without mpirun, or compile it with: cargo install surprisal-cli --features mpi\n"
            );
            assert!(code == Some(2) && !wrote);
            assert_eq!(started(command, name, "1").0, Some(0)); // alone, it does no harm
        }
        if !command.starts_with("train") {
            // processes of one step that each have a part of their own
            let (code, message, _) = started(&format!("{command} --part 2/3"), "PMI_SIZE", "3");
            assert_eq!(code, Some(0), "{message}");
        }
    }
}

#[cfg(feature = "mpi")]
mod mpi {
    use super::*;

    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;
    use std::process::{Child, Output, Stdio};
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    use crate::common::{houses, tree, words, works};

    /// A net with all that a training can have.
    const NET: &str = "train --data digits --model 1x8x8-conv(4,3x3)-batchnorm-relu-maxpool(2)-dropout(0.2)-10 --batch 96 --clip-norm 1 --accumulate 2 \
                       --monitor log_loss --patience 30 --checkpoint-every 1 --quiet";

    fn mpirun(folder: &Path, arguments: &str) -> Command {
        let mut command = Command::new("mpirun");
        command.args(["--allow-run-as-root", "--oversubscribe"]).args(words(arguments)).current_dir(folder);
        command
    }

    /// The arguments of `mpirun` for some ranks of the command.
    fn ranks(number: usize, command: &str) -> String {
        format!("-n {number} {} {command}", env!("CARGO_BIN_EXE_surprisal"))
    }

    /// What a run left: its files.
    fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
        let name = |path: &Path| path.strip_prefix(folder).unwrap().display().to_string();
        let files = tree(folder).into_iter().filter(|path| path.is_file());
        files.map(|path| (name(&path), fs::read(&path).unwrap())).collect()
    }

    /// The line of an error, and the exit code; `mpirun` writes more.
    fn error(output: &Output) -> (Option<i32>, Vec<String>) {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let errors = text.lines().filter_map(|line| line.strip_prefix("error: ")).map(String::from);
        (output.status.code(), errors.collect())
    }

    #[test]
    fn any_number_of_ranks_writes_the_same_files_as_one_process() {
        let folder = Folder::new("ranks");
        let told = works(&folder.0, &words(&format!("{NET} --epochs 3 --shards 8 --out alone")));
        let alone = files(&folder.0.join("alone"));
        for number in 1..=4 {
            let output = mpirun(&folder.0, &ranks(number, &format!("{NET} --epochs 3 --out of-{number}")))
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(String::from_utf8_lossy(&output.stdout), told);
            assert!(files(&folder.0.join(format!("of-{number}"))) == alone, "{number} ranks");
        }
        // with the features in a temporary file of each rank
        let blocks = "train --data digits --memory 140MiB --block 500 --epochs 2 --quiet";
        works(&folder.0, &words(&format!("{blocks} --shards 8 --out blocks")));
        let output = mpirun(&folder.0, &ranks(3, &format!("{blocks} --out blocks-of-3"))).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(files(&folder.0.join("blocks")) == files(&folder.0.join("blocks-of-3")));
        // resumed by more ranks, by fewer, and by one process
        for (number, first, then) in [(1, 2, 3), (2, 4, 1)] {
            let out = format!("resumed-{number}");
            let begin = ranks(first, &format!("{NET} --epochs 2 --schedule constant --out {out}"));
            assert!(mpirun(&folder.0, &begin).output().unwrap().status.success());
            let resume = ranks(then, &format!("train --resume {out} --epochs 3 --quiet"));
            assert!(mpirun(&folder.0, &resume).output().unwrap().status.success());
        }
        works(&folder.0, &words(&format!("{NET} --epochs 3 --schedule constant --shards 8 --out whole")));
        let model = |out: &str| fs::read(folder.0.join(out).join("model.surprisal")).unwrap();
        assert!(model("resumed-1") == model("whole") && model("resumed-2") == model("whole"));
    }

    /// Commands of independent runs: twelve, five, and the stages of experiments, of one and of several stages.
    const RUNS: [&str; 4] = [
        "sweep --data digits --hidden 16 --epochs 2 --vary lr=0.01,0.1,1e30 --vary batch=64,128 --seeds 2",
        "cv --data iris --epochs 5 --folds 5",
        "lab run gradient-flow --quick",
        "lab run saturated-neuron --quick",
    ];

    #[test]
    fn runs_that_are_spread_over_ranks_write_the_same_files_as_one_process() {
        let folder = Folder::new("ranks-runs");
        for command in RUNS {
            let told = works(&folder.0, &words(&format!("{command} --out alone")));
            let alone = files(&folder.0.join("alone"));
            for number in 1..=4 {
                let output = mpirun(&folder.0, &ranks(number, &format!("{command} --out ranks"))).output();
                let output = output.unwrap();
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                assert_eq!(String::from_utf8_lossy(&output.stdout).replace("ranks/", "alone/"), told);
                assert!(files(&folder.0.join("ranks")) == alone, "{command}, {number} ranks");
                fs::remove_dir_all(folder.0.join("ranks")).unwrap();
            }
            fs::remove_dir_all(folder.0.join("alone")).unwrap();
        }
    }

    #[test]
    fn killed_ranks_leave_a_journal_with_which_the_same_command_resumes() {
        let folder = Folder::new("ranks-runs-kill");
        let sweep =
            "sweep --data digits --hidden 64 --epochs 30 --vary lr=0.01,0.1 --vary batch=64,128 --seeds 6";
        let lab = "lab run xor-fates --quick";
        let cv = "cv --data digits --hidden 64 --epochs 30 --folds 12";
        for (command, name) in [(sweep, "sweep"), (lab, "lab"), (cv, "cv")] {
            works(&folder.0, &words(&format!("{command} --out {name}-alone/run")));
            let again = format!("{command} --out {name}/run");
            let journal = || {
                let all = tree(&folder.0.join(name)).into_iter();
                all.filter(|path| path.display().to_string().contains("journal"))
                    .find_map(|path| fs::read_to_string(path).ok())
            };
            let lines = || journal().map_or(0, |text| text.lines().count());
            fs::create_dir(folder.0.join(name)).unwrap();
            let (mut kills, mut slowest) = (0, Duration::ZERO);
            loop {
                let before = lines();
                let mut start = mpirun(&folder.0, &ranks(3, &again));
                let mut job = start.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
                while lines() < before + 3 && job.try_wait().unwrap().is_none() {
                    sleep(Duration::from_millis(1));
                }
                let killed = process(&job, kills % 3).is_some_and(|id| {
                    let mut kill = Command::new("sh");
                    kill.args(["-c", &format!("kill -KILL {id}")]).stderr(Stdio::null());
                    kill.status().unwrap().success()
                });
                let since = Instant::now();
                let output = job.wait_with_output().unwrap();
                if output.status.success() {
                    break; // all runs have ended before the kill
                }
                assert!(killed, "{}", String::from_utf8_lossy(&output.stderr));
                slowest = slowest.max(since.elapsed());
                assert!(lines() >= before);
                kills += 1;
            }
            println!("{command}: {kills} kills, slowest end of a job: {slowest:?}");
            assert!(kills > 0 && slowest < Duration::from_secs(30), "{slowest:?}");
            assert!(
                files(&folder.0.join(name)) == files(&folder.0.join(format!("{name}-alone"))),
                "{command}"
            );
        }
    }

    #[test]
    fn a_signal_to_mpirun_keeps_the_runs_that_have_ended() {
        let folder = Folder::new("ranks-runs-signal");
        let sweep = "sweep --data digits --hidden 64 --epochs 30 --vary lr=0.01,0.1 --seeds 12 --out run";
        let mut job = mpirun(&folder.0, &ranks(2, sweep)).stderr(Stdio::null()).spawn().unwrap();
        let lines =
            || fs::read_to_string(folder.0.join("run/journal.jsonl")).map_or(0, |text| text.lines().count());
        while lines() < 3 {
            assert!(job.try_wait().unwrap().is_none());
            sleep(Duration::from_millis(1));
        }
        assert!(
            Command::new("sh").args(["-c", &format!("kill -TERM {}", job.id())]).status().unwrap().success()
        );
        assert!(!job.wait().unwrap().success());
        let kept = lines();
        assert!((3..25).contains(&kept));
        works(&folder.0, &words(&sweep.replace(" --out run", " --out alone")));
        assert!(mpirun(&folder.0, &ranks(2, sweep)).output().unwrap().status.success());
        assert!(files(&folder.0.join("run")) == files(&folder.0.join("alone")));
    }

    /// The process of a rank that `mpirun` started, as soon as it is there.
    fn process(mpirun: &Child, rank: usize) -> Option<u32> {
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", mpirun.id())).ok()?;
        children.split_whitespace().filter_map(|id| id.parse().ok()).find(|id: &u32| {
            let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            let wanted = format!("OMPI_COMM_WORLD_RANK={rank}");
            environment.split(|&byte| byte == 0).any(|variable| variable == wanted.as_bytes())
        })
    }

    #[test]
    fn killed_ranks_end_the_job_and_the_resumed_run_has_the_same_bytes() {
        let kills = std::env::var("SURPRISAL_KILLS").map_or(20, |kills| kills.parse().expect("a number"));
        let folder = Folder::new("ranks-kill");
        let net = format!("{NET} --epochs 40");
        works(&folder.0, &words(&format!("{net} --shards 8 --out whole")));
        let whole = files(&folder.0.join("whole"));
        let (mut killed, mut slowest, mut runs) = (0, Duration::ZERO, 0);
        while killed < kills {
            runs += 1;
            let out = format!("run-{runs}");
            let checkpoint = folder.0.join(&out).join("checkpoint.surprisal");
            let mut command = format!("{net} --out {out}");
            loop {
                if killed == kills {
                    assert!(mpirun(&folder.0, &ranks(2, &command)).output().unwrap().status.success());
                    break;
                }
                let mut start = mpirun(&folder.0, &ranks(2, &command));
                let mut job = start.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
                let before = fs::metadata(&checkpoint).and_then(|file| file.modified()).ok();
                // after a checkpoint of this job, at another time in each
                while fs::metadata(&checkpoint).and_then(|file| file.modified()).ok() == before
                    && job.try_wait().unwrap().is_none()
                {
                    sleep(Duration::from_millis(1));
                }
                sleep(Duration::from_millis(killed as u64 * 7 % 60));
                let Some(id) = process(&job, killed % 2) else {
                    assert!(job.wait().unwrap().success()); // it was faster
                    break;
                };
                let kill = Command::new("sh")
                    .args(["-c", &format!("kill -KILL {id}")])
                    .stderr(Stdio::null())
                    .status();
                let since = Instant::now();
                let output = job.wait_with_output().unwrap();
                if !kill.unwrap().success() || output.status.success() {
                    assert!(output.status.success());
                    break;
                }
                slowest = slowest.max(since.elapsed());
                let message = String::from_utf8_lossy(&output.stderr);
                assert!(message.contains("exited on signal 9 (Killed)"), "{message}");
                killed += 1;
                works(&folder.0, &["inspect", &format!("{out}/checkpoint.surprisal")]);
                command = format!("train --resume {out} --quiet");
            }
            assert!(files(&folder.0.join(&out)) == whole, "run {runs}");
        }
        println!(
            "{killed} kills in {runs} runs, each ended in the bytes of the run that was never killed; slowest end of a job: {slowest:?}"
        );
        assert!(slowest < Duration::from_secs(30), "{slowest:?}");
    }

    #[test]
    fn a_signal_to_mpirun_saves_all_steps() {
        let folder = Folder::new("ranks-signal");
        let net = "train --data digits --hidden 300 --batch 32 --epochs 5000 --out run";
        let mut job = mpirun(&folder.0, &ranks(2, net)).stderr(Stdio::null()).spawn().unwrap();
        let history = folder.0.join("run/history.csv");
        let lines = || fs::read_to_string(&history).map_or(0, |text| text.lines().count());
        while lines() < 5 {
            assert!(job.try_wait().unwrap().is_none());
            sleep(Duration::from_millis(2));
        }
        assert!(
            Command::new("sh").args(["-c", &format!("kill -TERM {}", job.id())]).status().unwrap().success()
        );
        assert!(!job.wait().unwrap().success());
        // what rank 0 writes after the signal is lost, but not what it saves
        let history = fs::read_to_string(&history).unwrap();
        let epochs = history.lines().last().unwrap().split(',').next().unwrap();
        let shown = works(&folder.0, &["inspect", "run/checkpoint.surprisal"]);
        assert!(shown.contains(&format!("a checkpoint: {epochs} epochs and ")), "{shown}, epoch {epochs}");
    }

    #[test]
    fn ranks_with_other_files_or_options_are_named() {
        let folder = Folder::new("ranks-differ");
        for place in ["a", "b", "c"] {
            fs::create_dir(folder.0.join(place)).unwrap();
            houses(&folder.0.join(place));
        }
        let table = folder.0.join("b/houses.csv");
        let text = fs::read_to_string(&table).unwrap();
        fs::write(&table, text.replacen("40,1,", "41,1,", 1)).unwrap();
        fs::remove_file(folder.0.join("c/houses.csv")).unwrap();
        let program = env!("CARGO_BIN_EXE_surprisal");
        let train = format!(
            "{program} train --data houses.csv --target price --epochs 2 --hidden 4 --out run --quiet"
        );
        let two = |other: &str, command: &str| {
            let arguments = format!("-n 1 --wdir a {train} : -n 1 --wdir {other} {command}");
            error(&mpirun(&folder.0, &arguments).output().unwrap())
        };
        let (code, errors) = two("b", &train);
        assert_eq!(
            errors,
            [
                "the data of rank 1 differ from those of rank 0 | start all ranks with the same program, options and files"
            ]
        );
        assert_eq!(code, Some(1));
        let (code, errors) = two("c", &train);
        assert_eq!(code, Some(1));
        assert_eq!(errors.len(), 1);
        assert!(errors[0].starts_with("rank 1: houses.csv: "), "{errors:?}");
        let (code, errors) = two("a", &format!("{train} --seed 3"));
        assert_eq!(
            errors,
            [
                "the options of rank 1 differ from those of rank 0 | start all ranks with the same program, options and files"
            ]
        );
        assert_eq!(code, Some(2));
        // the same of independent runs
        for command in ["cv --folds 3", "sweep --vary lr=0.01,0.1"] {
            let runs = format!(
                "{program} {command} --data houses.csv --target price --epochs 2 --hidden 4 --out runs"
            );
            let two = |other: &str, command: &str| {
                let arguments = format!("-n 1 --wdir a {runs} : -n 1 --wdir {other} {command}");
                error(&mpirun(&folder.0, &arguments).output().unwrap())
            };
            let (code, errors) = two("b", &runs);
            assert_eq!(
                errors,
                [
                    "the settings or data of rank 1 differ from those of rank 0 | start all ranks with the same program, options and files"
                ]
            );
            assert_eq!(code, Some(1));
            let (code, errors) = two("c", &runs);
            assert_eq!((code, errors.len()), (Some(1), 1));
            assert!(errors[0].starts_with("rank 1: houses.csv: "), "{errors:?}");
            let (code, errors) = two("a", &format!("{runs} --seed 3"));
            assert_eq!(
                errors,
                [
                    "the options of rank 1 differ from those of rank 0 | start all ranks with the same program, options and files"
                ]
            );
            assert_eq!(code, Some(2));
            assert!(!folder.0.join("a/runs").exists());
        }
        // what all ranks see alike is said once, before mpirun ends them, and nothing is left
        let three = |command: &str| error(&mpirun(&folder.0.join("a"), &ranks(3, command)).output().unwrap());
        for _ in 0..8 {
            let (code, errors) = three("train --data nowhere.csv --target price --out run");
            assert_eq!((code, errors.len()), (Some(1), 1), "{errors:?}");
            assert!(errors[0].starts_with("nowhere.csv: "), "{errors:?}");
            assert_eq!(
                three("train --data houses.csv --target price --shards 2 --out run --quiet"),
                (Some(2), vec!["shards: expected at least 3, the number of ranks, found 2 | start fewer ranks, or cut batches in more shards".into()])
            );
        }
        // a fold that diverges fails as in one process
        let (code, errors) = three("cv --data iris --folds 4 --lr 1e30 --out run");
        assert_eq!((code, errors.len()), (Some(1), 1), "{errors:?}");
        assert!(errors[0].contains("fold 1 of 4: the loss became "), "{errors:?}");
        assert!(!folder.0.join("a/run").exists());
    }
}
