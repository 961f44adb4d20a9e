//! Data in files of many kinds, as a user meets them.

use std::fs;
use std::path::Path;

use crate::common::{Folder, refuses, words, works};
use expect_test::expect;
use surprisal_data::{NpyArray, write_npy, write_npz};

/// 40 rows of two columns, and the class of each.
fn rows() -> (NpyArray, Vec<i64>) {
    let x: Vec<f64> = (0..80).map(|k| f64::from(k * 37 % 41)).collect();
    let labels = x.chunks(2).map(|x| i64::from(x[0] > x[1])).collect();
    (NpyArray::new(&[40, 2], &x), labels)
}

/// The message of a command that must exit with 1.
#[track_caller]
fn refused(folder: &Folder, command: &str) -> String {
    let (code, message) = refuses(&folder.0, &words(command));
    assert_eq!(code, 1, "{command}: {message}");
    message
}

/// An array of texts, as NumPy writes it.
fn texts(labels: &[i64]) -> NpyArray {
    let text = format!("{{'descr': '<U3', 'fortran_order': False, 'shape': ({},), }}", labels.len());
    let mut bytes = [&b"\x93NUMPY\x01\0"[..], &(text.len() as u16).to_le_bytes(), text.as_bytes()].concat();
    for &label in labels {
        let word = if label == 0 { ['n', 'o', '\0'] } else { ['y', 'e', 's'] };
        word.iter().for_each(|&c| bytes.extend((c as u32).to_le_bytes()));
    }
    NpyArray::from_bytes(bytes, "texts").unwrap()
}

#[test]
fn rows_to_be_predicted_need_no_labels() {
    let folder = Folder::new("sources-predict");
    let (x, labels) = rows();
    let y = NpyArray::new(&[40], &labels);
    let path = |name: &str| folder.0.join(name);
    write_npz(path("train.npz"), [("x", &x), ("y", &y)]).unwrap();
    write_npz(path("new.npz"), [("x", &x)]).unwrap();
    write_npy(path("x.npy"), &x).unwrap();
    write_npy(path("y.npy"), &y).unwrap();
    works(&folder.0, &["train", "--data", "train.npz", "--out", "a", "--epochs", "3"]);
    works(&folder.0, &["train", "--data", "x.npy,y.npy", "--out", "b", "--epochs", "3"]);
    let answers = works(&folder.0, &["predict", "--model", "a/model.surprisal", "--data", "train.npz"]);
    for data in ["new.npz", "x.npy", "x.npy,y.npy"] {
        for model in ["a/model.surprisal", "b/model.surprisal"] {
            assert_eq!(works(&folder.0, &["predict", "--model", model, "--data", data]), answers);
        }
    }
    let told = ["train --data x.npy --epochs 3", "eval --model a/model.surprisal --data new.npz"];
    expect![[r#"
        x.npy: expected labels for these features, found none | name their file behind a comma: x.npy,y.npy
        new.npz: expected an array named "y" or "Y" or "labels" or "label" or "target", found "x" | give the array one of these names"#]].assert_eq(&told.map(|command| refused(&folder, command)).join("\n"));
}

#[test]
fn labels_of_every_type_are_classes_or_numbers_as_the_task_says() {
    let folder = Folder::new("sources-labels");
    let (x, labels) = rows();
    let whole: Vec<f64> = labels.iter().map(|&label| label as f64).collect();
    let fractions: Vec<f64> = (0..40).map(|k| f64::from(k) / 4.0).collect();
    for (name, y) in [
        ("texts.npz", texts(&labels)),
        ("whole.npz", NpyArray::new(&[40], &whole)),
        ("fractions.npz", NpyArray::new(&[40], &fractions)),
    ] {
        write_npz(folder.0.join(name), [("x", &x), ("y", &y)]).unwrap();
    }
    let train = |data: &str, task: &str| {
        let out = format!("{data}-{task}");
        works(&folder.0, &["train", "--data", data, "--task", task, "--epochs", "3", "--out", &out]);
        works(&folder.0, &["eval", "--model", &format!("{out}/model.surprisal"), "--data", data])
    };
    for (data, task) in
        [("texts.npz", "auto"), ("texts.npz", "classes"), ("whole.npz", "auto"), ("whole.npz", "classes")]
    {
        assert!(train(data, task).contains("accuracy"), "{data} {task}");
    }
    for (data, task) in
        [("fractions.npz", "auto"), ("fractions.npz", "regression"), ("whole.npz", "regression")]
    {
        assert!(train(data, task).contains("r2"), "{data} {task}");
    }
    let told = ["train --data fractions.npz --task classes", "train --data texts.npz --task regression"];
    expect![[r#"
        fractions.npz, array "y": expected labels that are whole numbers, found 0.25 in row 1 | for classes: array.astype("int64") or texts; a number to predict is a regression
        texts.npz, array "y": expected numbers, found texts | np.unique(array, return_inverse=True)[1] makes numbers of them; a CSV table may have columns of texts"#]].assert_eq(&told.map(|command| refused(&folder, command)).join("\n"));
}

#[test]
fn a_class_that_the_net_does_not_know_is_named() {
    let folder = Folder::new("sources-unknown");
    let (x, mut labels) = rows();
    let write = |name: &str, labels: &[i64]| {
        write_npz(folder.0.join(name), [("x", &x), ("y", &NpyArray::new(&[40], labels))]).unwrap();
    };
    write("a.npz", &labels);
    labels[7] = 5;
    write("b.npz", &labels);
    works(&folder.0, &["train", "--data", "a.npz", "--epochs", "3", "--out", "m"]);
    expect![[r#"b, row 7: expected one of the net's classes 0, 1, found "5""#]]
        .assert_eq(&refused(&folder, "eval --model m/model.surprisal --data b.npz"));
}

/// A table of 40 rows with this sign between its columns.
fn table(separator: char) -> String {
    let mut text = format!("size{separator}weight{separator}kind\n");
    for k in 0..40 {
        let kind = if k % 2 == 0 { "cat" } else { "dog" };
        text += &format!("{}{separator}{}{separator}{kind}\n", k % 7, k * 3 % 11);
    }
    text
}

fn packed(path: &Path, text: &str) {
    use std::io::Write;
    let mut file =
        flate2::write::GzEncoder::new(fs::File::create(path).unwrap(), flate2::Compression::default());
    file.write_all(text.as_bytes()).unwrap();
    file.finish().unwrap();
}

#[test]
fn tables_of_every_ending_are_the_same_table() {
    let folder = Folder::new("sources-tables");
    let mut names = vec!["plain.csv".to_string()];
    fs::write(folder.0.join("plain.csv"), table(',')).unwrap();
    for (end, separator) in [("csv", ','), ("tsv", '\t'), ("txt", ';'), ("data", ','), ("dat", '\t')] {
        let name = format!("table.{end}");
        fs::write(folder.0.join(&name), table(separator)).unwrap();
        packed(&folder.0.join(format!("{name}.gz")), &table(separator));
        names.extend([format!("{name}.gz"), name]);
    }
    let mut answers = Vec::new();
    for (k, name) in names.iter().enumerate() {
        let out = format!("m{k}");
        works(&folder.0, &["train", "--data", name, "--target", "kind", "--epochs", "3", "--out", &out]);
        let model = format!("{out}/model.surprisal");
        answers.push(works(&folder.0, &["predict", "--model", &model, "--data", name]));
        works(&folder.0, &["eval", "--model", &model, "--data", name]);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{names:?}");

    // what is not certain is asked for, and what is given is taken
    fs::write(folder.0.join("blanks.txt"), "size kind\n1 cat\n2 dog\n").unwrap();
    expect!["blanks.txt: expected one of comma, semicolon, tab and | as often in every line, found none of them, or several | set the delimiter | option: --delimiter"].assert_eq(&refused(&folder, "train --data blanks.txt --target kind"));
    fs::write(folder.0.join("mixed.txt"), table(';').replace("weight", "we,ight")).unwrap();
    let train =
        ["train", "--data", "mixed.txt", "--target", "kind", "--separator", "semicolon", "--epochs", "1"];
    works(&folder.0, &train);
}

#[test]
fn what_is_no_file_or_absurdly_large_is_refused_before_it_is_read() {
    let folder = Folder::new("sources-kinds");
    let mut told = Vec::new();
    for name in ["a.csv", "a.txt", "a.csv.gz", "a.npz", "a.npy"] {
        let path = folder.0.join(name);
        let target = if name.contains(".np") { "" } else { "--target kind" };
        let mut refused = || told.push(refused(&folder, &format!("train --data {name} {target}")));
        fs::File::create(&path).unwrap().set_len(200 << 30).unwrap();
        refused();
        fs::File::create(&path).unwrap().set_len(8 << 30).unwrap(); // zeros
        refused();
        fs::remove_file(&path).unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
            refused();
            fs::remove_file(&path).unwrap();
        }
        fs::create_dir(&path).unwrap();
        refused();
        fs::remove_dir(&path).unwrap();
    }
    #[cfg(unix)]
    expect![[r#"
        a.csv: cannot be read: it has 214748364800 bytes: the maximum is 17179869184 bytes (16 GiB) | is the path right?
        a.csv: cannot be read: byte 0 is 0, so it is not a text file | is the path right?
        a.csv: cannot be read: it is a device, a pipe or a socket, not a file | is the path right?
        a.csv: cannot be read: it is a folder | is the path right?
        a.txt: cannot be read: it has 214748364800 bytes: the maximum is 17179869184 bytes (16 GiB) | is the path right?
        a.txt: cannot be read: byte 0 is 0, so it is not a text file | is the path right?
        a.txt: cannot be read: it is a device, a pipe or a socket, not a file | is the path right?
        a.txt: cannot be read: it is a folder | is the path right?
        a.csv.gz: cannot be read: it has 214748364800 bytes: the maximum is 17179869184 bytes (16 GiB) | is the path right?
        a.csv.gz: cannot be read: byte 0 is 0, so it is not a text file | is the path right?
        a.csv.gz: cannot be read: it is a device, a pipe or a socket, not a file | is the path right?
        a.csv.gz: cannot be read: it is a folder | is the path right?
        a.npz: cannot be read: it has 214748364800 bytes: the maximum is 17179869184 bytes (16 GiB) | is the path right?
        a.npz, byte 0: expected the bytes 50 4b 03 04 of an NPZ file, found 00 00 00 00 | np.savez writes such files
        a.npz: cannot be read: it is a device, a pipe or a socket, not a file | is the path right?
        a.npz: cannot be read: it is a folder | is the path right?
        a.npy: cannot be read: it has 214748364800 bytes: the maximum is 17179869184 bytes (16 GiB) | is the path right?
        a.npy, byte 0: expected the bytes 93 4e 55 4d 50 59 of an NPY file, found 00 00 00 00 00 00 | np.save writes such files
        a.npy: cannot be read: it is a device, a pipe or a socket, not a file | is the path right?
        a.npy: cannot be read: it is a folder | is the path right?"#]].assert_eq(&told.join("\n"));
}
