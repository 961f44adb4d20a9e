//! `train` and `predict` as a user meets them.

use std::fs;

use crate::common::{Folder, surprisal, works};
use expect_test::expect;

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
        &["--opt", "sgd"],
        &["--lr", "0.2"],
        &["--opt", "sgd", "--momentum", "0.9"],
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
fn a_training_that_diverges_says_where_and_what_to_try() {
    let folder = Folder::new("diverges");
    let train =
        ["train", "--data", "iris", "--model", "4-3", "--lr", "1e39", "--schedule", "constant", "--quiet"];
    let output = surprisal(&folder.0, &train);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    expect![[r#"
        error: the loss became NaN in epoch 1, step 2, at learning rate 1e39; it was 0.808 at the start and 0.808 after epoch 0; the largest input is 3.08, in column "sepal_width_cm"
          every step overshot the minimum further than the one before, until the weights were no longer finite
          try: a learning rate of 1 or less, or clip_norm = 1
        12 of 12 weights are larger than 20, the largest inf
          such a large weight turns a small change of its input into a jump
          try: smaller initial weights (init = linear), a lower learning rate, l2 = 0.001, scaled features
        the history so far: runs/train-1/history.csv
    "#]].assert_eq(&error); // of the program, no line is of use
}

#[test]
fn a_run_is_extended_but_never_shortened_and_says_when_nothing_is_left() {
    let folder = Folder::new("extended");
    let train = |more: &[&str]| {
        let train = ["train", "--data", "iris", "--hidden", "4", "--schedule", "constant"];
        works(&folder.0, &[&train, more].concat())
    };
    let short = train(&["--epochs", "4", "--out", "a"]);
    train(&["--epochs", "6", "--out", "b"]);
    let read = |name: &str| fs::read(folder.0.join(name)).unwrap();

    let shorter = surprisal(&folder.0, &["train", "--resume", "a", "--epochs", "2"]);
    assert_eq!(shorter.status.code(), Some(2));

    let before = read("a/model.surprisal");
    let nothing = surprisal(&folder.0, &["train", "--resume", "a"]);
    expect![[r#"
        iris: 111 training and 39 test rows, 3 classes
        layer   kind    output  parameters  trainable
        input           [1, 4]
        layer1  Linear  [1, 4]          20         20
                Relu    [1, 4]           0          0
        layer2  Linear  [1, 3]          15         15
        total                           35         35
        all 4 epochs are done | to continue, set a larger --epochs
        the training loss fell from 1.16 to 0.971 in 4 epochs, with 17.9 % of the decrease after epoch 3
          the net was still learning at the end, and the test loss was lower than before, too
          try: more epochs (8), or a learning rate of 0.03
        the net predicts "setosa" (37 rows) for none of the 111 training rows
          these classes are frequent enough: the net has not learned, or has lost, the difference between them
          try: a third of the learning rate; then other initial weights (seed = 8); then a larger net
        the model: a/model.surprisal
        the report: a/report.html
        the baseline: always predicting "setosa" is right on 33.33% of the test rows
    "#]]
    .assert_eq(&String::from_utf8(nothing.stderr).unwrap());
    assert_eq!(String::from_utf8(nothing.stdout).unwrap(), short);
    assert!(read("a/model.surprisal") == before);

    works(&folder.0, &["train", "--resume", "a", "--epochs", "6"]);
    for file in ["config.toml", "model.surprisal", "history.csv", "report.html"] {
        assert!(read(&format!("a/{file}")) == read(&format!("b/{file}")), "{file}");
    }
}

#[test]
fn answers_can_carry_the_names_of_their_rows() {
    let folder = Folder::new("row-id");
    fs::write(folder.0.join("pets.csv"), PETS).unwrap();
    works(&folder.0, &["train", "--data", "pets.csv", "--target", "kind", "--epochs", "5", "--out", "m"]);
    fs::write(folder.0.join("new.csv"), "name,height_cm,weight_kg\n\"Miri, the cat\",24,4.2\nBello,62,31\n")
        .unwrap();
    let predict = ["predict", "--model", "m/model.surprisal", "--data", "new.csv", "--row-id"];
    let table = works(&folder.0, &[&predict[..], &["name"]].concat());
    let starts = Vec::from_iter(table.lines().map(|line| line.rsplitn(4, ',').last().unwrap()));
    assert_eq!(starts, ["name", "\"Miri, the cat\"", "Bello"]);
    let unknown = surprisal(&folder.0, &[&predict[..], &["nmae"]].concat());
    assert_eq!(unknown.status.code(), Some(1));
}
