//! Trainings on data that are larger than the memory that they may take.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{Folder, refuses, works};
use surprisal_data::{NpyArray, write_npy, write_npz};

/// The files of a run, without the setting of memory and what contains it.
fn results(run: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(run).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = fs::read(&path).unwrap();
        match name.as_str() {
            "checkpoint.surprisal" | "model.surprisal" => continue,
            "config.toml" | "report.html" => {
                let text = String::from_utf8(bytes).unwrap();
                let kept = text.lines().filter(|line| !line.starts_with("memory = ")).collect::<Vec<_>>();
                files.push((name, kept.join("\n").into_bytes()));
            }
            _ => files.push((name, bytes)),
        }
    }
    files.sort();
    files
}

/// Runs the same training in memory and with a maximum of memory: all results must have the same bytes, also the parameters.
#[track_caller]
fn same_in_memory_and_not(folder: &Path, arguments: &str) {
    let run = |out: &str, more: &str| {
        let command = format!("train {arguments} --quiet --out {out} {more}");
        let told = works(folder, &command.split_whitespace().collect::<Vec<_>>());
        let parameters = format!("{out}.safetensors");
        works(folder, &["convert", &format!("{out}/model.surprisal"), &parameters]);
        (told, results(&folder.join(out)), fs::read(folder.join(parameters)).unwrap())
    };
    let [one, other] = [run("in", ""), run("out", "--memory 120MiB")];
    assert_eq!(one.0, other.0, "{arguments}");
    for ((name, one), (_, other)) in one.1.iter().zip(&other.1) {
        assert!(one == other, "{arguments}: {name}");
    }
    assert_eq!(one.1.len(), other.1.len());
    assert!(one.2 == other.2, "{arguments}: the parameters");
    for path in ["in", "out"] {
        fs::remove_dir_all(folder.join(path)).unwrap();
        fs::remove_file(folder.join(format!("{path}.safetensors"))).unwrap();
    }
}

/// A table of numbers and texts with missing values, longer than a piece of a file and a chunk of a column.
fn mixed_table(rows: usize) -> String {
    let mut table = "width,color,height,kind,weight\n".to_owned();
    for row in 0..rows {
        let noise = (row * 7919 % 1000) as f64 / 1000.0;
        let width = if row % 11 == 3 { "NA".to_owned() } else { format!("{:.4}", noise - 0.3) };
        let color = ["red", "green", "", "blue"][row % 4];
        let kind = ["a", "b", "c"][(row + usize::from(noise > 0.6)) % 3];
        table += &format!("{width},{color},{},{kind},{}\n", row as f64 / 7.0, 2.0 * noise + (row % 3) as f64);
    }
    table
}

#[test]
fn a_table_gives_the_same_bits_in_memory_and_in_a_file() {
    let folder = Folder::new("memory-table");
    folder.write("t.csv", mixed_table(9000));
    let common = "--data t.csv --block 700 --epochs 2 --hidden 5 --batch 100";
    for more in [
        "--target kind --patience 2 --balance oversample --class-weight balanced",
        "--target weight --scaling minmax --validation 0.2 --monitor r2",
        "--target weight --missing drop --test 0",
    ] {
        same_in_memory_and_not(&folder.0, &format!("{common} {more}"));
    }
}

#[test]
fn arrays_give_the_same_bits_in_memory_and_in_a_file() {
    let folder = Folder::new("memory-arrays");
    let (rows, columns) = (600, 30);
    let numbers = Vec::from_iter((0..rows * columns).map(|k| (k * 31 % 101) as f32 / 9.0));
    let labels = Vec::from_iter((0..rows as i64).map(|row| row % 3));
    let (x, y) = (NpyArray::new(&[rows, columns], &numbers), NpyArray::new(&[rows], &labels));
    write_npz(folder.0.join("d.npz"), [("x", &x), ("y", &y)]).unwrap();
    write_npy(folder.0.join("x.npy"), &x).unwrap();
    write_npy(folder.0.join("y.npy"), &y).unwrap();
    for data in ["d.npz", "x.npy,y.npy", "digits"] {
        same_in_memory_and_not(&folder.0, &format!("--data {data} --block 64 --epochs 2 --batch 50"));
    }
    // the four files of MNIST, in small
    let image = |row: usize| (0..36).map(move |pixel| ((row * 37 + pixel * 11) % 256) as u8);
    for (part, rows) in [("train", 200_usize), ("t10k", 50)] {
        let header = |dims: &[u32]| {
            let sizes = dims.iter().flat_map(|size| size.to_be_bytes());
            [0, 0, 8, dims.len() as u8].into_iter().chain(sizes).collect::<Vec<u8>>()
        };
        let images = [header(&[rows as u32, 6, 6]), (0..rows).flat_map(image).collect()].concat();
        let labels = [header(&[rows as u32]), (0..rows).map(|row| (row % 4) as u8).collect()].concat();
        folder.write(&format!("{part}-images-idx3-ubyte"), images);
        folder.write(&format!("{part}-labels-idx1-ubyte"), labels);
    }
    same_in_memory_and_not(&folder.0, "--data mnist:. --block 30 --epochs 2 --validation 0.2 --hidden 6");
    same_in_memory_and_not(
        &folder.0,
        "--data mnist:. --block 30 --epochs 2 --model conv(2,3)-relu-4 --augment shift:1",
    );
}

#[test]
fn a_resumed_training_has_the_bits_of_one_in_memory() {
    let folder = Folder::new("memory-resume");
    folder.write("t.csv", mixed_table(2000));
    let train = |out: &str, epochs: &str, more: &[&str]| {
        let mut arguments = vec!["train", "--data", "t.csv", "--target", "kind", "--block", "300", "--quiet"];
        arguments.extend(["--schedule", "constant", "--out", out, "--epochs", epochs]);
        arguments.extend(more);
        works(&folder.0, &arguments)
    };
    let whole = train("whole", "12", &["--checkpoint-every", "5"]);
    let arguments = "train --data t.csv --target kind --block 300 --quiet --schedule constant --out parts --epochs 12 --memory 120MiB --checkpoint-every 5";
    let mut killed = Command::new(env!("CARGO_BIN_EXE_surprisal"))
        .args(arguments.split_whitespace())
        .current_dir(&folder.0)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let begun =
        || fs::read_to_string(folder.0.join("parts/history.csv")).is_ok_and(|text| text.lines().count() > 3);
    while !begun() && killed.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(works(&folder.0, &["train", "--resume", "parts", "--quiet"]), whole);
    let [one, other] = ["whole", "parts"].map(|run| results(&folder.0.join(run)));
    for ((name, one), (_, other)) in one.iter().zip(&other) {
        assert!(one == other, "{name}");
    }
}

#[test]
fn memory_that_is_too_small_and_data_that_are_wrong_are_refused() {
    let folder = Folder::new("memory-refused");
    let mut table = mixed_table(30_000);
    folder.write("t.csv", &table);
    table += "1,red,2,a,x\n";
    folder.write("late.csv", table);
    fs::create_dir(folder.0.join("images")).unwrap();
    let (x, y) = (NpyArray::new(&[40, 2], &[0.5f32; 80]), NpyArray::new(&[40], &[[0i64, 1]; 20].concat()));
    write_npy(folder.0.join("y.npy"), &y).unwrap();
    let place = x.as_bytes().windows(5).position(|bytes| bytes == b"False").unwrap();
    let mut turned = x.as_bytes().to_vec();
    turned[place..place + 5].copy_from_slice(b"True ");
    folder.write("turned.npy", turned);
    write_npz(folder.0.join("damaged.npz"), [("x", &x), ("y", &y)]).unwrap();
    let mut damaged = fs::read(folder.0.join("damaged.npz")).unwrap();
    damaged[300] ^= 1; // a number
    folder.write("damaged.npz", damaged);
    let train = |arguments: &str| {
        let command = format!("train --epochs 1 --out run {arguments}");
        refuses(&folder.0, &command.split_whitespace().collect::<Vec<_>>())
    };
    let told = Vec::from_iter(
        [
            "--data t.csv --target kind --memory 1MiB",
            "--data t.csv --target kind --memory 100MiB --block 30000",
            "--data late.csv --target weight --task regression --memory 120MiB",
            "--data images:images --memory 1GiB",
            "--data cells --memory 1GiB",
            "--data turned.npy,y.npy --memory 1GiB",
            "--data damaged.npz --memory 1GiB",
        ]
        .map(|arguments| format!("{arguments}\n{:?}", train(arguments))),
    );
    expect_test::expect![[r#"
        --data t.csv --target kind --memory 1MiB
        (1, "memory 1MiB: expected 101MiB or more, for 30000 rows without features, 152 bytes each, 323 parameters, and a block of 64 rows | set memory to 101MiB | option: --memory")
        --data t.csv --target kind --memory 100MiB --block 30000
        (1, "memory 100MiB: expected 101MiB or more, for 30000 rows without features, 152 bytes each, 323 parameters, and a block of 22500 rows | set memory to 101MiB | option: --memory")
        --data late.csv --target weight --task regression --memory 120MiB
        (1, "late.csv, line 30002, column \"weight\": expected a number for regression, found \"x\" | set task to classification for texts | option: --task")
        --data images:images --memory 1GiB
        (2, "memory: does not support folders of images, found images:images | leave it out, or convert the images to NumPy arrays")
        --data cells --memory 1GiB
        (2, "memory: does not support segmentation | leave it out")
        --data turned.npy,y.npy --memory 1GiB
        (1, "turned.npy: the features are in the order of Fortran, in which no row is known before the end | save np.ascontiguousarray(x), or leave out memory")
        --data damaged.npz --memory 1GiB
        (1, "damaged.npz, byte 35: expected content with the checksum 90f56818, found 7bbdba4f | was the file damaged?")"#]].assert_eq(&told.join("\n"));
    #[cfg(unix)]
    {
        // as on a disk that is full
        let command = format!(
            "trap '' XFSZ; ulimit -f 100; exec {} train --data t.csv --target kind --memory 1GiB --out run",
            env!("CARGO_BIN_EXE_surprisal")
        );
        let output = Command::new("sh").args(["-c", &command]).current_dir(&folder.0).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains("a temporary file cannot be written"), "{message}");
        assert!(!folder.0.join("run").exists());
    }
    for command in ["cv", "check all"] {
        let arguments = format!("{command} --data t.csv --target kind --memory 1GiB");
        let (code, message) = refuses(&folder.0, &arguments.split_whitespace().collect::<Vec<_>>());
        assert_eq!(code, 2, "{message}");
        assert!(message.contains("memory"), "{message}");
    }
}

/// The features take 128 MB in `f32`.
#[cfg(target_os = "linux")]
#[test]
fn the_maximum_is_kept() {
    let folder = Folder::new("memory-peak");
    let (rows, columns) = (8000_usize, 4000_usize);
    for (part, rows) in [("train", rows), ("t10k", 10)] {
        let sizes = |dims: &[u32]| dims.iter().flat_map(|size| size.to_be_bytes()).collect::<Vec<u8>>();
        let mut images = [vec![0, 0, 8, 3], sizes(&[rows as u32, 100, columns as u32 / 100])].concat();
        images.extend((0..rows * columns).map(|k| (k * 7 % 251) as u8));
        let labels = (0..rows).map(|row| (row % 2) as u8).collect();
        folder.write(&format!("{part}-images-idx3-ubyte"), images);
        let labels = [vec![0, 0, 8, 1], sizes(&[rows as u32]), labels].concat();
        folder.write(&format!("{part}-labels-idx1-ubyte"), labels);
    }
    let x =
        NpyArray::new(&[rows, columns], &Vec::from_iter((0..rows * columns).map(|k| (k * 7 % 251) as f32)));
    let y = NpyArray::new(&[rows], &Vec::from_iter((0..rows as i64).map(|row| row % 2)));
    write_npz(folder.0.join("d.npz"), [("x", &x), ("y", &y)]).unwrap();
    drop(x);
    let peak = |data: &str, more: &[&str]| {
        let train =
            ["train", "--data", data, "--epochs", "1", "--hidden", "none", "--batch", "20", "--quiet"];
        let script = format!(
            "{} {} --out run {} > /dev/null & while kill -0 $! 2> /dev/null; do grep VmHWM /proc/$!/status 2> /dev/null; sleep 0.02; done; wait $!",
            env!("CARGO_BIN_EXE_surprisal"),
            train.join(" "),
            more.join(" ")
        );
        let output = Command::new("sh").args(["-c", &script]).current_dir(&folder.0).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::remove_dir_all(folder.0.join("run")).unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        let kilobytes = told.lines().filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kilobytes.max().unwrap() << 10
    };
    for data in ["mnist:.", "d.npz"] {
        let bounded = peak(data, &["--memory", "140MiB"]);
        assert!(bounded < 140 << 20, "{data}: {bounded}");
    }
    let free = peak("d.npz", &[]); // pixels stay bytes
    assert!(free > 160 << 20, "{free}");
}
