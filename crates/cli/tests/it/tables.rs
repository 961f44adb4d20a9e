//! Tables as people have them, through every command that reads one.

use std::collections::BTreeSet;
use std::fs;
use std::process::Output;

use crate::common::{Folder, refuses, surprisal, words, works};
use expect_test::expect;

impl Folder {
    /// The command, word by word.
    fn says(&self, command: &str) -> Output {
        surprisal(&self.0, &Vec::from_iter(command.split(' ')))
    }
    /// What it prints on standard error; it must succeed.
    #[track_caller]
    fn tells(&self, command: &str) -> String {
        let output = self.says(command);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{command}: {told}");
        told
    }
    #[track_caller]
    fn prints(&self, command: &str) -> String {
        works(&self.0, &Vec::from_iter(command.split(' ')))
    }
}

/// 40 rows, two numbers that tell the kind.
fn rows(row: impl Fn(usize, bool) -> String) -> String {
    (0..40).map(|k| row(k, k % 3 == 0)).collect()
}

#[test]
fn quotes_that_do_not_match_are_refused_by_every_command() {
    let folder = Folder::new("quotes");
    let good =
        format!("x,kind,note\n{}", rows(|k, yes| format!("{k},{},fine\n", if yes { "a" } else { "b" })));
    folder.write("good.csv", &good);
    folder.write("open.csv", good.replace("10,b,fine", "10,b,\"fine"));
    folder
        .write("behind.csv", good.replace("10,b,fine", "10,b,\"fi\"ne").replace("30,a,fine", "30,a,\"fine"));
    folder.prints("train --data good.csv --target kind --ignore note --epochs 1 --out m");
    let (model, options) = ("--model m/model.surprisal", "--target kind --ignore note --epochs 1 --out x");
    let mut told = BTreeSet::new();
    for file in ["open.csv", "behind.csv"] {
        for command in [
            format!("train --data {file} {options}"),
            format!("cv --data {file} {options}"),
            format!("sweep --data {file} {options} --vary hidden=2,4"),
            format!("lr-range --data {file} {options}"),
            format!("predict --data {file} {model}"),
            format!("eval --data {file} --target kind {model}"),
            format!("explain --data {file} --target kind {model} --row 0"),
            format!("check all --data {file} --target kind --ignore note --model 1-4-2"),
        ] {
            let (code, message) = refuses(&folder.0, &words(&command));
            assert_eq!(code, 1, "{command}: {message}");
            told.insert(message);
        }
    }
    expect![[r#"
        behind.csv, line 12, column "note": expected the end of the field after its closing quote, found "ne" | a quote inside a quoted field is written twice, ""
        open.csv, line 12, column "note": expected a closing quote, found the end of the table | close the quote that begins the field, or remove it"#]].assert_eq(&Vec::from_iter(told).join("\n"));
}

#[test]
fn new_rows_are_read_as_the_table_of_the_training_was_written() {
    let folder = Folder::new("written");
    let table = rows(|k, yes| {
        let (low, kind) = if yes { (1, "a") } else { (3, "b") };
        format!("{low}.000,{}; 2024-0{low}-{:02}T12:00;-;{kind}\n", k % 10, 1 + k % 28)
    });
    folder.write("t.csv", format!("price;day;rest;kind\n{table}"));
    let written = "--delimiter semicolon --decimal comma --thousands point --missing-words=-";
    let told =
        folder.tells(&format!("train --data t.csv --target kind --dates day --epochs 60 --out m {written}"));
    assert!(told.contains("\"rest\""), "{told}");
    let inspected = folder.prints("inspect m/model.surprisal");
    assert!(inspected.contains("day: (days since 1970-01-01 - 197"), "{inspected}");
    assert!(
        folder.prints("eval --model m/model.surprisal --data t.csv").contains("accuracy            1.0000")
    );

    // in another order, without what was left out, with a gap
    folder.write("new.csv", "day;price\n2024-01-05;1.000,5\n2024-03-05 06:30;3.000\n-;3.000,25\n");
    let answers = folder.prints("predict --model m/model.surprisal --data new.csv");
    let kinds: Vec<&str> = answers.lines().skip(1).map(|line| line.split(',').nth(1).unwrap()).collect();
    assert_eq!(kinds, ["a", "b", "b"]);
    // options given now override those of the training
    folder.write("point.csv", "day,price\n2024-01-05,1000.5\n2024-03-05,3000\n");
    let point = folder.prints(
        "predict --model m/model.surprisal --data point.csv --delimiter comma --decimal point --thousands none",
    );
    assert_eq!(point.lines().nth(1).unwrap(), answers.lines().nth(1).unwrap());

    // points where commas were announced: as features, and as the target
    let mixed = rows(|k, yes| format!("0.{k};0,{k};{}\n", if yes { "1,5" } else { "2.5" }));
    folder.write("mixed.csv", format!("p;q;y\n{mixed}"));
    let mut told = Vec::new();
    for target in ["y --ignore p", "q --ignore y"] {
        let output = folder.says(&format!(
            "train --data mixed.csv --delimiter semicolon --decimal comma --out no --target {target}"
        ));
        assert_eq!(output.status.code(), Some(1), "{target}");
        told.push(String::from_utf8(output.stderr).unwrap());
    }
    expect![[r#"
        error: mixed.csv, line 3, column "y": expected a number, found "2.5", a number with a decimal point | set decimal to point, or thousands to point, or set task to classification if the values are classes | options: --decimal, --task
        error: mixed.csv, line 2, column "p": expected a number, found "0.0", a number with a decimal point | set decimal to point, or thousands to point, or name the column in categorical or ignore | options: --decimal, --categorical, --ignore
    "#]].assert_eq(&told.concat());
}

#[test]
fn what_was_decided_is_printed_and_stands_in_the_report() {
    let folder = Folder::new("decided");
    let table = rows(|k, yes| {
        let hole = if k == 5 { "" } else { "4.5" };
        format!("{k},{},{hole},{}.5\n", usize::from(yes), k % 9)
    });
    folder.write("t.csv", format!(",x,z,y\n{table}40,1,4,\n"));
    let told = folder.tells("train --data t.csv --target y --epochs 1 --out m");
    let notices = folder.tells("check shapes --data t.csv --target y");
    expect![[r#"
        columns without a name are left out: column 1
        1 row was left out because a value is missing in the target column
        1 missing value is filled in: 1 in "z"
        the target "y" has 9 distinct numbers: the task is regression | set task to classification if that is wrong
    "#]].assert_eq(&notices);
    let page = fs::read_to_string(folder.0.join("m/report.html")).unwrap();
    let cv = folder.tells("cv --data t.csv --target y --epochs 1 --out c");
    for notice in notices.lines() {
        assert!(told.contains(notice) && cv.contains(notice), "{told}{cv}");
        let text = notice.split('"').next().unwrap();
        assert!(page.contains(text), "{text}");
    }
    // nobody needs the column that was left out
    folder.write("new.csv", "z,x\n4.5,1\n");
    assert_eq!(folder.prints("predict --model m/model.surprisal --data new.csv").lines().count(), 2);
    assert!(folder.says("train --data t.csv --target y --keep 0 --epochs 1 --out k").status.success());
    let kept = folder.says("predict --model k/model.surprisal --data new.csv");
    expect![[r#"
        error: new.csv: expected a column named "", found the columns "z", "x"
    "#]]
    .assert_eq(&String::from_utf8(kept.stderr).unwrap());
}

#[test]
fn equal_numbers_are_one_class_when_a_model_is_evaluated() {
    let folder = Folder::new("equal");
    let table = |ones: &str| {
        format!("x,y\n{}", rows(|k, yes| format!("{},{}\n", k % 7, if yes { ones } else { "0" })))
    };
    folder.write("t.csv", table("1"));
    folder.write("points.csv", table("1.0"));
    folder.prints("train --data t.csv --target y --epochs 1 --out m");
    let eval = |file| folder.prints(&format!("eval --model m/model.surprisal --data {file} --json"));
    assert_eq!(eval("t.csv"), eval("points.csv"));
}

#[test]
fn a_column_whose_name_holds_a_comma_can_be_named() {
    let folder = Folder::new("comma");
    let table = rows(|k, yes| format!("{},{},{}\n", k % 4, k % 5, if yes { "a" } else { "b" }));
    folder.write("t.csv", format!("\"size, cm\",z,y\n{table}"));
    let inputs = |arguments: &[&str], out: &str| {
        let train = ["train", "--data", "t.csv", "--target", "y", "--epochs", "1", "--out", out];
        works(&folder.0, &[&train[..], arguments].concat());
        let config = format!("{out}/config.toml");
        let again = format!("{out}2");
        works(&folder.0, &["train", "--config", &config, "--out", &again]);
        let inspect = |out: &str| {
            let text = folder.prints(&format!("inspect {out}/model.surprisal"));
            text.lines().find(|line| line.starts_with("inputs")).unwrap().to_string()
        };
        assert_eq!(inspect(&again), inspect(out));
        inspect(out)
    };
    assert_eq!(inputs(&["--ignore", "\"size, cm\""], "a"), "inputs (1)");
    assert_eq!(inputs(&["--categorical", "z,\"size, cm\""], "b"), "inputs (9)");
    assert_eq!(inputs(&["--categorical", "0"], "c"), "inputs (5)");
    folder.write("list.toml", "data = \"t.csv\"\ntarget = \"y\"\nignore = [\"size, cm\"]\nepochs = 1\n");
    folder.prints("train --config list.toml --out d");
    assert!(folder.prints("inspect d/model.surprisal").contains("inputs (1)"));
}

#[test]
fn penguins_are_there_with_their_words_and_missing_values() {
    let folder = Folder::new("penguins");
    let told = folder.tells("train --data penguins --epochs 30 --opt adam --lr 0.01 --out m");
    assert!(told.contains("penguins: 258 training and 86 test rows, 3 classes"), "{told}");
    assert!(told.contains("19 missing values are filled in: 2 in \"bill_length_mm\""), "{told}");
    let eval = folder.prints("eval --model m/model.surprisal");
    assert!(eval.starts_with("the 86 test rows of penguins"), "{eval}");
    let told = folder.tells("train --data penguins --target body_mass_g --epochs 1 --out w");
    expect![[r#"penguins: 256 training and 86 test rows, "body_mass_g" is a number"#]]
        .assert_eq(told.lines().find(|line| line.contains("body_mass_g")).unwrap());
    assert_eq!(folder.prints("predict --model m/model.surprisal --data penguins").lines().count(), 345);
    // of two penguins, the mass is not known
    assert_eq!(folder.prints("predict --model w/model.surprisal --data penguins").lines().count(), 343);
}
