//! `train` and `predict` as a user meets them.

mod common;

use std::fs;
use std::path::Path;

use common::{Folder, fails, surprisal};

/// Standard output of a command that must succeed.
#[track_caller]
fn works(folder: &Path, arguments: &[&str]) -> String {
    let output = surprisal(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Exit code and the last line of standard error of a command that must fail in a folder that stays as it is.
#[track_caller]
fn refuses(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let before = fs::read_dir(folder).unwrap().count();
    let output = surprisal(folder, arguments);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{arguments:?}");
    assert_eq!(fs::read_dir(folder).unwrap().count(), before, "{arguments:?} left something behind");
    let stderr = String::from_utf8(output.stderr).unwrap();
    let error = stderr.find("error: ").map_or("", |at| &stderr[at + 7..]);
    (output.status.code().unwrap(), error.trim_end().to_string())
}

/// The number of a line such as "test accuracy: 97.53%".
fn percent(line: &str, label: &str) -> f64 {
    let number =
        line.strip_prefix(label).and_then(|rest| rest.strip_suffix('%')).unwrap_or_else(|| panic!("{line}"));
    assert_eq!(number.split_once('.').unwrap().1.len(), 2, "{line}");
    number.parse().unwrap()
}

const PETS: &str = "weight_kg,height_cm,kind\n4,24,cat\n5,25,cat\n3.5,23,cat\n4.5,26,cat\n30,60,dog\n25,55,dog\n35,65,dog\n28,58,dog\n";

#[test]
fn a_training_ends_with_two_lines_and_repeats_itself_to_the_bit() {
    let folder = Folder::new("digits");
    let arguments = [
        "train", "--data", "digits", "--model", "64-32-10", "--opt", "adam", "--lr", "0.01", "--epochs", "8",
    ];
    let first = works(&folder.0, &arguments);
    let [train, test] = first.lines().collect::<Vec<_>>()[..] else { panic!("{first}") };
    assert!(percent(train, "train accuracy: ") > 95.0 && percent(test, "test accuracy: ") > 90.0, "{first}");
    assert_eq!(works(&folder.0, &arguments), first);
    for file in ["model.surprisal", "history.csv"] {
        let [one, two] = [1, 2].map(|n| fs::read(folder.0.join(format!("runs/train-{n}/{file}"))).unwrap());
        assert!(one == two, "{file}");
    }
}

#[test]
fn a_saved_model_answers_with_its_own_preprocessing_and_class_names() {
    let folder = Folder::new("pets");
    fs::write(folder.0.join("pets.csv"), PETS).unwrap();
    let train = [
        "train", "--data", "pets.csv", "--target", "kind", "--model", "2-4-2", "--epochs", "300", "--batch",
        "6", "--out", "m",
    ];
    assert!(works(&folder.0, &train).starts_with("train accuracy: 100.00%\n"));
    // other columns, another order, no target
    fs::write(folder.0.join("new.csv"), "name,height_cm,weight_kg\nMiri,24,4.2\nBello,62,31\n").unwrap();
    let table = works(&folder.0, &["predict", "--model", "m/model.surprisal", "--data", "new.csv"]);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines[0], "row,predicted,p(cat),p(dog)");
    assert!(lines[1].starts_with("0,cat,0.9") && lines[2].starts_with("1,dog,0.0"), "{table}");
    let sum: f64 = lines[1].split(',').skip(2).map(|p| p.parse::<f64>().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-6);
}

#[test]
fn one_output_answers_yes_or_no_under_either_loss() {
    let folder = Folder::new("one-output");
    for loss in ["ce", "mse", "half_mse"] {
        let train = [
            "train",
            "--data",
            "breast_cancer",
            "--model",
            "30-1",
            "--loss",
            loss,
            "--epochs",
            "20",
            "--out",
            loss,
        ];
        let told = works(&folder.0, &train);
        assert!(percent(told.lines().last().unwrap(), "test accuracy: ") > 90.0, "{loss}: {told}");
        let model = format!("{loss}/model.surprisal");
        let table = works(&folder.0, &["predict", "--model", &model, "--data", "breast_cancer"]);
        assert_eq!(table.lines().next(), Some("row,predicted,p(malignant),p(benign)"));
        assert_eq!(table.lines().count(), 570);
    }
}

#[test]
fn every_option_takes_effect() {
    let folder = Folder::new("options");
    let base = ["train", "--data", "moons:n=200,noise=0.1", "--model", "2-8-2", "--epochs", "3"];
    let mut models = vec![];
    for more in [
        &[][..],
        &["--activation", "tanh"],
        &["--activation", "sigmoid"],
        &["--loss", "mse"],
        &["--opt", "adam"],
        &["--lr", "0.2"],
        &["--momentum", "0.9"],
        &["--batch", "10"],
        &["--seed", "8"],
        &["--init", "xavier_normal"],
    ] {
        works(&folder.0, &[&base[..], more].concat());
        let model =
            fs::read(folder.0.join(format!("runs/train-{}/model.surprisal", models.len() + 1))).unwrap();
        assert!(!models.contains(&model), "{more:?} changed nothing");
        models.push(model);
    }
}

#[test]
fn a_wrong_command_line_exits_with_2() {
    let base = ["train", "--data", "iris", "--model", "4-8-3"];
    for (more, says) in [
        (&["--data", "irsi"][..], "irsi"),
        (&["--model", "4-0-3"], "\"0\" is not a number from 1 on"),
        (&["--activation", "swish"], "there is no activation \"swish\""),
        (&["--loss", "hinge"], "there is no loss \"hinge\": choose one of ce, mse, half_mse"),
        (&["--opt", "lion"], "invalid value 'lion' for '--opt <OPT>'"),
        (&["--lr", "0"], "learning rate: expected a finite number above 0, found 0.0"),
        (&["--lr", "-1"], "learning rate: expected a finite number above 0, found -1.0"),
        (&["--lr", "nan"], "learning rate: expected a finite number above 0, found NaN"),
        (&["--momentum", "1"], "momentum: expected a number from 0 to below 1, found 1.0"),
        (&["--momentum", "0.5", "--opt", "adam"], "--momentum is for --opt sgd"),
        (&["--epochs", "0"], "--epochs and --batch are 1 or more"),
        (&["--batch", "0"], "--epochs and --batch are 1 or more"),
        (&["--init", "huge"], "huge"),
        (&["--target", "species"], "species"),
    ] {
        // a later option replaces the one of the same name
        let name = more[0];
        let mut arguments: Vec<_> = base.to_vec();
        match arguments.iter().position(|a| *a == name) {
            Some(at) => arguments[at + 1] = more[1],
            None => arguments.extend(more),
        }
        let (code, stderr) = fails(&arguments);
        assert_eq!(code, 2, "{arguments:?}: {stderr}");
        assert!(stderr.contains(says), "{arguments:?}: {stderr}");
    }
    let (code, stderr) = fails(&["train", "--data", "pets.csv", "--model", "2-2"]);
    assert!(code == 2 && stderr.contains("--target"), "{stderr}");
}

#[test]
fn what_the_data_bring_exits_with_1_and_leaves_nothing() {
    let folder = Folder::new("bad-data");
    let csv = |name: &str, text: &str| fs::write(folder.0.join(name), text).unwrap();
    csv("pets.csv", PETS);
    csv("missing.csv", "a,kind\n1,x\n,y\n");
    csv("text.csv", "a,kind\n1,x\ntwo,y\n");
    csv("nan.csv", "a,kind\n1,x\nNaN,y\n");
    csv("one.csv", "a,kind\n1,x\n2,x\n");
    csv("empty.csv", "a,kind\n");
    csv("short.csv", "a,b,kind\n1,2,x\n1,y\n");
    fs::create_dir(folder.0.join("mnist")).unwrap();
    fs::write(folder.0.join("file"), "").unwrap();
    let run = |data: &str, target: &str, model: &str| {
        refuses(&folder.0, &["train", "--data", data, "--target", target, "--model", model])
    };
    for (data, target, model, says) in [
        ("missing.csv", "kind", "1-2", &["missing.csv", "line 3", "\"a\""][..]),
        ("text.csv", "kind", "1-2", &["text.csv", "line 3", "two"]),
        ("nan.csv", "kind", "1-2", &["nan.csv", "line 3", "NaN"]),
        ("one.csv", "kind", "1-2", &["one.csv", "\"x\""]),
        ("empty.csv", "kind", "1-2", &["empty.csv", "row"]),
        ("short.csv", "kind", "2-2", &["short.csv", "line 3"]),
        ("pets.csv", "breed", "2-2", &["pets.csv", "breed", "kind"]),
        ("nowhere.csv", "kind", "2-2", &["nowhere.csv"]),
        (
            "pets.csv",
            "kind",
            "3-2",
            &["--model 3-2 takes 3 numbers, but pets.csv has 2 feature columns: begin with 2"],
        ),
        ("pets.csv", "kind", "2-3", &["the data has 2 classes and the model 3 outputs"]),
    ] {
        let (code, error) = run(data, target, model);
        assert_eq!(code, 1, "{data}: {error}");
        for part in says {
            assert!(error.contains(part), "{data}: {error}");
        }
    }
    let with = |more: &[&str]| refuses(&folder.0, &[&["train", "--model", "4-3"][..], more].concat());
    let (code, error) = with(&["--data", "iris", "--batch", "1000"]);
    assert!(code == 1 && error.contains("1000") && error.contains("111"), "{error}");
    let (code, error) = with(&["--data", "mnist:mnist"]);
    assert!(code == 1 && error.contains("train-images-idx3-ubyte"), "{error}");
    let (code, error) = with(&["--data", "iris", "--out", "mnist"]);
    assert!(
        code == 1 && error.starts_with("cannot write mnist: it is already there, and nothing is overwritten"),
        "{error}"
    );
    let (code, error) = with(&["--data", "iris", "--out", "file/m"]);
    assert!(code == 1 && error.starts_with("cannot write file"), "{error}");
    let (code, error) = with(&["--data", "iris", "--lr", "1e39"]);
    assert!(code == 1 && error.contains("the loss became NaN in epoch 1, step "), "{error}");
}

#[test]
fn a_model_file_that_is_none_exits_with_1_and_tells_the_byte() {
    let folder = Folder::new("bad-models");
    works(&folder.0, &["train", "--data", "iris", "--model", "4-3", "--epochs", "1", "--out", "m"]);
    let good = fs::read(folder.0.join("m/model.surprisal")).unwrap();
    let predict = |bytes: &[u8], data: &str| {
        fs::write(folder.0.join("x"), bytes).unwrap();
        refuses(&folder.0, &["predict", "--model", "x", "--data", data])
    };
    let (code, error) = predict(b"hello", "iris");
    assert_eq!(
        (code, error.as_str()),
        (1, "x, byte 0: expected \"SURPRISL\", found something else: is this a model of surprisal?")
    );
    let (code, error) = predict(&good[..good.len() / 2], "iris");
    assert!(
        code == 1 && error.starts_with("x, byte 12: expected ") && error.ends_with("is the file cut off?"),
        "{error}"
    );
    let (code, error) = predict(&good, "digits");
    assert_eq!(code, 1);
    assert!(
        error.starts_with("the model takes 4 columns, ")
            && error.ends_with("is this the data it was trained on?"),
        "{error}"
    );
    fs::write(folder.0.join("few.csv"), "petal_length_cm\n1\n").unwrap();
    let (code, error) = predict(&good, "few.csv");
    assert!(code == 1 && error.contains("few.csv") && error.contains("sepal_length_cm"), "{error}");
    let (code, error) = refuses(&folder.0, &["predict", "--model", "nowhere", "--data", "iris"]);
    assert!(code == 1 && error.starts_with("nowhere: cannot read: "), "{error}");
}
