//! Cross-validation.

use std::fmt::Write;

use expect_test::expect;
use surprisal_data::metrics::Metric;
use surprisal_run::{RunError, Settings, cross_validate};
use surprisal_tensor::threads;

fn settings(toml: &str) -> Settings {
    Settings::from_toml(toml, "test.toml").unwrap()
}

#[test]
fn rows_that_judge_are_not_trained_on() {
    // labels that have nothing to do with the columns: whoever trains on the rows that judge is right about most
    let mut state = 1u64;
    let mut draw = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        state >> 33
    };
    let mut csv = String::from("a,b,c,d,answer\n");
    for _ in 0..120 {
        let numbers = [(); 4].map(|()| (draw() % 1000).to_string()).join(",");
        writeln!(csv, "{numbers},{}", ["no", "yes"][(draw() % 2) as usize]).unwrap();
    }
    let path = std::env::temp_dir().join(format!("surprisal-cv-{}.csv", std::process::id()));
    std::fs::write(&path, csv).unwrap();
    let noise = settings(&format!(
        "data = '{}'\ntarget = \"answer\"\nhidden = \"64\"\nopt = \"adam\"\nlr = 0.02\nepochs = 200\n",
        path.display()
    ));
    let accuracy = cross_validate(&noise, 4, &()).unwrap().estimate(Metric::Accuracy).unwrap().mean;
    std::fs::remove_file(path).unwrap();
    assert!((0.3..0.7).contains(&accuracy), "{accuracy}");
}

#[test]
fn nets_differ_and_summaries_are_those_of_the_folds() {
    let outcome = cross_validate(&settings("data = \"iris\"\nepochs = 3\nseed = 40\n"), 3, &()).unwrap();
    assert_eq!(outcome.folds.iter().map(|fold| fold.seed).collect::<Vec<_>>(), [41, 42, 43]);
    assert_eq!(outcome.folds.iter().map(|fold| fold.test).collect::<Vec<_>>(), [50, 50, 50]);
    let [a, b, c] = outcome.values(Metric::LogLoss)[..] else { panic!("three folds") };
    assert!(a != b && b != c && a != c);
    let mean = (a + b + c) / 3.0;
    let deviation = (((a - mean).powi(2) + (b - mean).powi(2) + (c - mean).powi(2)) / 2.0).sqrt();
    let half = 4.303 * deviation / 3f64.sqrt(); // Student's t, 2 degrees of freedom
    let csv = outcome.to_csv();
    let row = csv.lines().find(|line| line.starts_with("log_loss,")).unwrap();
    let numbers: Vec<f64> = row.split(',').skip(1).map(|cell| cell.parse().unwrap()).collect();
    for (found, expected) in numbers.iter().zip([mean, deviation, mean - half, mean + half, a, b, c]) {
        assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
    }
    let json: serde_json::Value = serde_json::from_str(&outcome.to_json()).unwrap();
    assert_eq!(
        (json["metrics"]["log_loss"]["sd"].as_f64(), json["folds"][1]["scores"]["log_loss"].as_f64()),
        (Some(numbers[1]), Some(b))
    );
}

#[test]
fn what_decides_about_epochs_is_taken_from_the_rows_for_training() {
    let outcome = cross_validate(&settings("data = \"iris\"\nepochs = 3\npatience = 1\n"), 5, &()).unwrap();
    for fold in &outcome.folds {
        assert_eq!((fold.train, fold.validation, fold.test), (102, 18, 30));
    }
    let error =
        cross_validate(&settings("data = \"iris\"\npatience = 1\nvalidation = 0\n"), 5, &()).unwrap_err();
    expect!["validation 0: patience needs validation rows | leave validation out, or set it to 0.15"]
        .assert_eq(&error.to_string());
}

#[test]
fn numbers_are_judged_in_their_own_units_and_a_fold_that_diverges_is_named() {
    let mut csv = String::from("x,y\n");
    (0..40).for_each(|i| writeln!(csv, "{i},{}", 1000 * i + if i % 2 == 0 { 100 } else { -100 }).unwrap());
    let path = std::env::temp_dir().join(format!("surprisal-cv-line-{}.csv", std::process::id()));
    std::fs::write(&path, csv).unwrap();
    let line = settings(&format!(
        "data = '{}'\ntarget = \"y\"\ntask = \"numbers\"\nhidden = \"none\"\nopt = \"sgd\"\nlr = 0.1\nschedule = \"constant\"\nepochs = 40\nbatch = 8\n",
        path.display()
    ));
    let outcome = cross_validate(&line, 4, &()).unwrap();
    let diverged = cross_validate(&Settings { lr: Some(1e20), ..line }, 4, &());
    std::fs::remove_file(path).unwrap();
    assert!(outcome.estimate(Metric::R2).unwrap().mean > 0.99);
    let rmse = outcome.estimate(Metric::RootMeanSquaredError).unwrap().mean;
    assert!((90.0..130.0).contains(&rmse), "{rmse}"); // 100 on either side of the line
    let Err(RunError::Run(message)) = diverged else { panic!("{diverged:?}") };
    expect!["fold 1 of 4: the loss became inf in epoch 1, step 2, at learning rate 1e20 | try a learning rate of 1 or less, or clip_norm = 1"].assert_eq(message.text.lines().next().unwrap());
}

#[test]
fn as_many_folds_as_cannot_be_are_refused() {
    let told = [0, 1001, 51]
        .map(|folds| cross_validate(&settings("data = \"iris\"\n"), folds, &()).unwrap_err().to_string());
    expect![[r#"
        folds: expected 2 to 1000, found 0 | 5 or 10 are usual
        folds: expected 2 to 1000, found 1001 | 5 or 10 are usual
        k_fold: expected 51 rows or more of every class of "iris", one for each part, found 50 of "setosa" | add rows of it, merge it with another class, or leave it out"#]].assert_eq(&told.join("\n"));
}

#[test]
fn intervals_end_where_the_metric_does_and_the_accuracy_is_listed_once() {
    let outcome = cross_validate(&settings("data = \"iris\"\n"), 5, &()).unwrap();
    let accuracy = outcome.estimate(Metric::Accuracy).unwrap();
    assert!(accuracy.mean > 0.9 && accuracy.high <= 1.0, "{accuracy:?}");
    for metric in outcome.metrics() {
        let (least, most) = metric.range();
        let estimate = outcome.estimate(metric).unwrap();
        assert!(least <= estimate.low && estimate.high <= most, "{metric}: {estimate:?}");
    }
    for again in ["precision_micro", "recall_micro", "f1_micro", "recall_weighted"] {
        assert!(outcome.metrics().all(|metric| metric.to_string() != again), "{again}");
    }
}

#[test]
fn the_number_of_cores_changes_no_bit() {
    let settings = settings("data = \"breast_cancer\"\nepochs = 3\npatience = 2\n");
    let with = |cores: usize| threads::with(cores, || cross_validate(&settings, 3, &()).unwrap());
    let (one, two) = (with(1), with(2));
    assert_eq!(one, two);
    assert_eq!((one.to_text(), one.to_csv(), one.to_json()), (two.to_text(), two.to_csv(), two.to_json()));
}
