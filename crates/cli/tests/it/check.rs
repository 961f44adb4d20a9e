//! `check` as a user meets it.

use std::fs;

use crate::common::{Folder, houses, surprisal};
use expect_test::expect;

/// Exit code, standard output and standard error of `check`.
fn check(folder: &Folder, arguments: &[&str]) -> (i32, String, String) {
    let output = surprisal(&folder.0, &[&["check"], arguments].concat());
    let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    (output.status.code().unwrap(), stdout, stderr)
}

#[test]
fn a_sound_net_passes_all_checks() {
    let folder = Folder::new("check-sound");
    let (code, told, stderr) = check(&folder, &["all", "--data", "iris", "--model", "4-16-3"]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{told}");
    assert!(
        told.starts_with("iris: 111 rows, 3 classes; the loss is cross-entropy\n\nHOLDS  gradients\n"),
        "{told}"
    );
    let verdicts: Vec<_> = told.lines().filter_map(|line| line.strip_prefix("HOLDS  ")).collect();
    assert_eq!(verdicts, ["gradients", "init-loss", "overfit-one-batch", "shapes", "units"]);
    for part in ["  expected  ", "  found     ", "  means     "] {
        assert_eq!(told.matches(part).count(), 5, "{part}: {told}");
    }
}

#[test]
fn a_start_that_is_sure_and_saturated_fails_with_1_and_says_what_to_try() {
    let folder = Folder::new("check-sure");
    let net = ["--data", "iris", "--model", "4-16-3", "--activation", "tanh", "--init", "normal:30"];
    let (code, told, stderr) = check(&folder, &[&["all"][..], &net].concat());
    assert_eq!(code, 1, "{told}");
    expect![[r#"
        error: 2 of 5 checks failed: init-loss, units
    "#]]
    .assert_eq(&stderr);
    assert!(told.contains("FAILS  init-loss") && told.contains("FAILS  units"), "{told}");
    assert!(told.contains("\n  try       "), "{told}");
    // one check, and what it looks at is sound
    assert_eq!(check(&folder, &[&["shapes"][..], &net].concat()).0, 0);
}

#[test]
fn a_saved_model_is_checked_in_its_own_scale_and_order_of_classes() {
    let folder = Folder::new("check-saved");
    let csv =
        "size,kind\n1000,small\n1001,small\n1002,small\n1003,small\n1009,big\n1010,big\n1011,big\n1012,big\n";
    fs::write(folder.0.join("a.csv"), csv).unwrap();
    let mut lines: Vec<_> = csv.lines().collect();
    lines[1..].reverse(); // now "big" is the first class that occurs
    fs::write(folder.0.join("b.csv"), lines.join("\n")).unwrap();
    let train = "train --data a.csv --target kind --model 1-8-2 --epochs 300 --batch 6 --out m";
    assert!(surprisal(&folder.0, &Vec::from_iter(train.split(' '))).status.success());
    for data in ["a.csv", "b.csv"] {
        let model = ["--model", "m/model.surprisal", "--data", data, "--target", "kind"];
        let (code, told, stderr) = check(&folder, &[&["all"][..], &model].concat());
        assert_eq!(code, 0, "{told}{stderr}");
        assert!(told.contains("SKIPPED  init-loss"), "{told}");
        // it knows the answers already: no step is needed
        assert!(told.contains("after 0 steps; 8 of 8 rows right"), "{told}");
        let (code, told, _) = check(&folder, &[&["init-loss"][..], &model].concat());
        assert!(code == 1 && told.contains("FAILS  init-loss"), "{told}");
    }
}

const HOUSES: [&str; 6] = ["--data", "houses.csv", "--target", "price", "--task", "numbers"];

#[test]
fn a_net_that_predicts_a_number_passes_all_checks_under_every_loss() {
    let folder = Folder::new("check-numbers");
    houses(&folder.0);
    for loss in [&[][..], &["--loss", "half_mse"], &["--loss", "mae"], &["--loss", "huber"]] {
        let (code, told, stderr) = check(&folder, &[&["all"][..], &HOUSES, loss].concat());
        assert_eq!((code, stderr.as_str()), (0, ""), "{told}");
        assert!(told.starts_with("houses.csv: 45 rows, target price, scaled as (price - "), "{told}");
        let verdicts: Vec<_> = told.lines().filter_map(|line| line.strip_prefix("HOLDS  ")).collect();
        assert_eq!(verdicts, ["gradients", "init-loss", "overfit-one-batch", "shapes", "units"]);
        assert!(told.contains("the loss of predicting the mean of the targets"), "{told}");
    }
    // a net that was saved, and one of given sizes
    let train = [&["train", "--epochs", "3", "--out", "m"][..], &HOUSES].concat();
    assert!(surprisal(&folder.0, &train).status.success());
    for model in ["m/model.surprisal", "2-8-1"] {
        let (code, told, _) = check(&folder, &[&["gradients", "--model", model][..], &HOUSES].concat());
        assert!(code == 0 && told.contains("HOLDS  gradients"), "{told}");
    }
    let (code, told, _) = check(&folder, &[&["init-loss", "--init", "normal:30"][..], &HOUSES].concat());
    assert!(code == 1 && told.contains("FAILS  init-loss"), "{told}");
}

#[test]
fn without_a_model_the_net_is_the_one_that_training_would_begin_with() {
    let folder = Folder::new("check-usual");
    let (code, told, _) = check(&folder, &["shapes", "--data", "iris"]);
    assert!(code == 0 && told.contains("layer1") && told.contains("32"), "{told}");
    let (code, told, _) = check(&folder, &["shapes", "--data", "iris", "--hidden", "5-6"]);
    assert!(code == 0 && told.contains("layer3"), "{told}");
}

#[test]
fn a_loss_of_other_targets_is_wrong_usage() {
    let folder = Folder::new("check-losses");
    houses(&folder.0);
    for which in ["gradients", "init-loss", "overfit-one-batch", "shapes", "units", "all"] {
        for loss in ["mae", "huber"] {
            let (code, told, stderr) = check(&folder, &[which, "--data", "iris", "--loss", loss]);
            assert_eq!((code, told.as_str()), (2, ""), "{stderr}");
        }
        let (code, told, stderr) = check(&folder, &[&[which, "--loss", "ce"][..], &HOUSES].concat());
        assert_eq!((code, told.as_str()), (2, ""), "{stderr}");
    }
}
