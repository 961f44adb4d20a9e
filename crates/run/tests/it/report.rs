//! What a run leaves behind is complete, says what was measured, can be read, and is the same for the same settings.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::browser::{Folder, faults};
use expect_test::expect;
use surprisal_data::argmax_rows;
use surprisal_data::metrics::{Metric, confusion_matrix};
use surprisal_run::{Job, Settings, write_results};
use surprisal_train::{Ended, Examples, History, outputs};

const DIGITS: &str = "data = \"digits\"\nopt = \"adam\"\nlr = 0.003\nepochs = 40\npatience = 5\nwatch = \"accuracy\"\nschedule = \"cosine\"\n";
const MOONS: &str = "data = \"moons:n=300,noise=0.15\"\n";
const IRIS: &str =
    "data = \"iris\"\nhidden = \"none\"\nopt = \"sgd\"\nmomentum = 0.9\nepochs = 3\nwatch = \"f1_macro\"\n";

/// Numbers to predict, with a class or a value that a page must not take for markup.
fn houses(folder: &Path) -> String {
    let path = folder.join("houses.csv");
    let rows = (0..300).map(|i| {
        let [area, age] = [0.754_877_666, 0.569_840_291].map(|step: f64| (i as f64 * step).fract());
        format!(
            "{},{},{}\n",
            200.0 * area,
            90.0 * age,
            1000.0 * area - 200.0 * area * age + 30.0 * (i % 5) as f64
        )
    });
    fs::write(&path, format!("area,age,\"price <k>\"\n{}", rows.collect::<String>())).unwrap();
    format!(
        "data = \"{}\"\ntarget = \"price <k>\"\ntask = \"numbers\"\nopt = \"adam\"\nlr = 0.01\nepochs = 60\nwatch = \"mae\"\n",
        path.display()
    )
}

/// Trains, writes, and gives the files by name.
fn run(settings: &str, place: &Path) -> (Job, History, BTreeMap<String, String>) {
    let mut job = Job::new(&Settings::from_toml(settings, "test.toml").unwrap()).unwrap();
    let (history, ended) = job.fit(None, &mut ()).unwrap();
    let scores = job.scores().unwrap();
    fs::create_dir_all(place).unwrap();
    write_results(place, &job, &history, ended, &job.outputs(), &scores).unwrap();
    let file = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_str().unwrap().to_string(), fs::read_to_string(&path).unwrap())
    };
    (job, history, fs::read_dir(place).unwrap().map(file).collect())
}

#[test]
fn the_same_settings_write_the_same_bytes() {
    let folder = Folder::new();
    for (settings, files) in [
        (
            DIGITS.to_string(),
            &[
                "accuracy.svg",
                "confusion.svg",
                "learning_rate.svg",
                "loss.svg",
                "metrics.json",
                "report.html",
            ][..],
        ),
        (
            IRIS.to_string(),
            &[
                "accuracy.svg",
                "confusion.svg",
                "f1_macro.svg",
                "learning_rate.svg",
                "loss.svg",
                "metrics.json",
                "report.html",
            ],
        ),
        (
            MOONS.to_string(),
            &[
                "accuracy.svg",
                "boundary.svg",
                "confusion.svg",
                "learning_rate.svg",
                "loss.svg",
                "metrics.json",
                "report.html",
            ],
        ),
        (
            houses(&folder.0),
            &[
                "learning_rate.svg",
                "loss.svg",
                "mae.svg",
                "metrics.json",
                "predicted.svg",
                "r2.svg",
                "report.html",
            ],
        ),
    ] {
        let [(_, _, first), (_, _, second)] = ["one", "two"]
            .map(|name| run(&settings, &folder.0.join(format!("{name}-{}", files.len() + settings.len()))));
        assert_eq!(Vec::from_iter(first.keys()), files);
        assert!(first == second, "two runs differ");
        let other = run(&format!("{settings}seed = 8\n"), &folder.0.join("other")).2;
        assert_ne!(first["metrics.json"], other["metrics.json"], "another seed is another run");
        fs::remove_dir_all(folder.0.join("other")).unwrap();
    }
}

#[test]
fn the_page_says_what_was_measured() {
    let folder = Folder::new();
    let (job, history, files) = run(DIGITS, &folder.0.join("digits"));
    let (page, scores) = (&files["report.html"], job.scores().unwrap());
    let accuracy = scores[2].1.iter().find(|(metric, _)| *metric == Metric::Accuracy).unwrap().1;
    assert_eq!(scores[2].0, "test");
    let epochs = history.epochs();
    let best = epochs.iter().rev().max_by(|a, b| a.monitored.total_cmp(&b.monitored)).unwrap(); // the first of the highest
    assert_eq!(best.epoch + 5, history.last().epoch);
    let labels = job.parts.test.targets.labels();
    let guessed = labels.iter().filter(|&&label| label == 3).count() as f64 / labels.len() as f64;
    let test = Examples::<f32>::new(&job.parts.test.dataset());
    let said = argmax_rows(&outputs(&job.model, &job.params, test.features.view()));
    let confused = confusion_matrix(labels, &said, 10).unwrap();
    let most =
        confused.indexed_iter().filter(|((is, said), _)| is != said).map(|(_, &count)| count).max().unwrap();
    for said in [
        format!(", {most} times"),
        format!("<em>{:.1}\u{a0}%</em> of its predictions are right", 100.0 * accuracy),
        "1077 training rows".into(),
        "the accuracy had not improved for 5 epochs".into(),
        format!("on the validation rows, {:.3}, after epoch {}", best.monitored, best.epoch),
        format!("The saved net is that of epoch {}, the best", best.epoch),
        format!(
            "always predicting &quot;3&quot;, the most frequent class, would be right on {:.1}\u{a0}%",
            100.0 * guessed
        ),
        "No problem found".into(),
        "<code>cosine".into(),
        "opt = &quot;adam&quot;".into(),
        "hidden = &quot;32&quot;".into(),
        "\ntest = 0.25".into(),
    ] {
        assert!(page.contains(&said), "{said:?} is not on the page");
    }
    let metrics: serde_json::Value = serde_json::from_str(&files["metrics.json"]).unwrap();
    assert_eq!(metrics["test"]["accuracy"], accuracy);

    let (_, _, files) = run(&houses(&folder.0), &folder.0.join("houses"));
    assert!(
        files["report.html"].contains("<em>price &lt;k&gt;</em>") && !files["report.html"].contains("<k>")
    );
}

#[test]
fn what_is_no_number_is_null_and_what_cannot_be_written_is_named() {
    let folder = Folder::new();
    let mut job = Job::new(&Settings::from_toml(IRIS, "test.toml").unwrap()).unwrap();
    let (history, ended) = job.fit(None, &mut ()).unwrap();
    write_results(
        &folder.0,
        &job,
        &history,
        ended,
        &job.outputs(),
        &[("test", vec![(Metric::Accuracy, 0.5), (Metric::LogLoss, f64::NAN)])],
    )
    .unwrap();
    let metrics = fs::read_to_string(folder.0.join("metrics.json")).unwrap();
    assert_eq!(metrics, "{\n  \"test\": {\n    \"accuracy\": 0.5,\n    \"log_loss\": null\n  }\n}\n");

    let page = || fs::read_to_string(folder.0.join("report.html")).unwrap();
    assert!(page().contains("all epochs were completed") && !page().contains("--resume"));
    write_results(&folder.0, &job, &history, Ended::Interrupted, &job.outputs(), &job.scores().unwrap())
        .unwrap();
    assert!(page().contains("it was interrupted") && page().contains("train --resume DIR"));
    let error = write_results(&folder.0, &job, &History::default(), ended, &job.outputs(), &[]).unwrap_err();
    expect!["the history has no epoch, not even epoch 0 | pass the one that Job::fit returns"]
        .assert_eq(&error.to_string());
    write_results(folder.0.join("absent"), &job, &history, ended, &job.outputs(), &[]).unwrap_err();
    assert!(!folder.0.join("absent").exists());
}

#[test]
fn pages_are_shown_without_a_fault() {
    let folder = Folder::new();
    let settings = [DIGITS, IRIS, MOONS].map(str::to_string);
    let [digits, iris, moons] = settings;
    let pages = [("digits", digits), ("iris", iris), ("moons", moons), ("houses", houses(&folder.0))].map(
        |(name, settings)| {
            run(&settings, &folder.0.join(name));
            folder.0.join(name).join("report.html")
        },
    );
    if let Some(faults) = faults(&pages) {
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

#[test]
fn a_net_of_two_inputs_shows_its_decision_boundary_in_the_units_of_the_table() {
    let folder = Folder::new();
    let path = folder.0.join("plane.csv");
    let rows = (0..200).map(|i| {
        let [height, weight] = [0.754_877_666, 0.569_840_291].map(|step: f64| (i as f64 * step).fract());
        let (height, weight) = (1000.0 + 50.0 * height, 3.0 + weight);
        format!("{height},{weight},{}\n", if height > 1025.0 { "tall" } else { "small" })
    });
    fs::write(&path, format!("height,weight,kind\n{}", rows.collect::<String>())).unwrap();
    let settings = format!("data = \"{}\"\ntarget = \"kind\"\nepochs = 5\n", path.display());
    let (_, _, files) = run(&settings, &folder.0.join("plane"));
    let svg = &files["boundary.svg"];
    for shown in [">height<", ">weight<", ">tall<", ">small<", ">1020<", "class=\"cell\""] {
        assert!(svg.contains(shown), "{shown} is not in the picture");
    }
    assert!(files["report.html"].contains("Decision boundary"));
    // three inputs are no plane
    fs::write(&path, "a,b,c,kind\n".to_string() + &"1,2,3,x\n3,2,1,y\n1,1,3,x\n3,3,1,y\n".repeat(5)).unwrap();
    assert!(!run(&settings, &folder.0.join("space")).2.contains_key("boundary.svg"));
}
