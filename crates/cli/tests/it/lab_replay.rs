//! `lab replay` as a user meets it: one JSON value, or how far the numbers are from those expected.

use std::fs;
use std::path::Path;

use crate::common::{Folder, surprisal};
use expect_test::expect;
use serde_json::{Value, json};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../replay/tests/vectors");

fn vector(name: &str) -> String {
    format!("{VECTORS}/{name}.json")
}

/// Exit code, standard output and standard error of `lab replay`.
fn replay(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = surprisal(folder, &[&["lab", "replay"], arguments].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn document(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(vector(name)).unwrap()).unwrap()
}

#[test]
fn one_json_value_with_every_key_that_is_expected() {
    let folder = Folder::new("replay-keys");
    for name in ["metrics_ece", "curvature", "pointwise_losses", "softmax_iris"] {
        let (code, stdout, stderr) = replay(&folder.0, &[&vector(name)]);
        assert_eq!((code, stderr.as_str(), stdout.lines().count()), (0, "", 1), "{name}");
        let told: Value = serde_json::from_str(&stdout).unwrap();
        for (key, expected) in document(name)["expected"].as_object().unwrap() {
            let length = |value: &Value| value.as_array().map(Vec::len);
            assert_eq!(length(&told[key]), length(expected), "{name}: {key}");
        }
    }
}

#[test]
fn data_stand_beside_the_file_or_in_the_folder_that_is_named() {
    let folder = Folder::new("replay-data");
    fs::copy(vector("softmax_iris"), folder.0.join("other_name.json")).unwrap();
    let (code, stdout, stderr) = replay(&folder.0, &["other_name.json"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    expect![[r#"
        error: other_name.json: setting.data: expected a file that can be read, found data_iris.json: No such file or directory (os error 2) | put data files beside the setting's file, or into the folder of data that is given
    "#]].assert_eq(&stderr);
    let (code, stdout, _) = replay(&folder.0, &["other_name.json", "--data", VECTORS, "--check"]);
    assert!(code == 0 && stdout.starts_with("other_name.json: worst ratio "), "{stdout}");
    fs::copy(vector("data_iris"), folder.0.join("data_iris.json")).unwrap();
    assert_eq!(replay(&folder.0, &["other_name.json", "--check"]).0, 0);
}

#[test]
fn every_reference_holds_and_the_worst_place_is_reported() {
    let folder = Folder::new("replay-check");
    let names = [
        "gradient_flow",
        "local_minima_single_neuron",
        "neuron_saturation_sweep",
        "optimizers_20_steps",
        "xor_mlp",
    ];
    let files = names.map(vector);
    let arguments: Vec<_> = ["--check"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let (code, stdout, stderr) = replay(&folder.0, &arguments);
    assert_eq!((code, stderr.as_str(), stdout.lines().count()), (0, "", names.len()));
    for (line, file) in stdout.lines().zip(&files) {
        let told = line.strip_prefix(&format!("{file}: worst ratio ")).unwrap_or_else(|| panic!("{line}"));
        let (ratio, at) =
            told.split_once(" of the tolerance, at expected.").unwrap_or_else(|| panic!("{line}"));
        assert!(ratio.parse::<f64>().unwrap() < 1.0 && !at.is_empty(), "{line}");
    }
}

#[test]
fn a_number_that_does_not_hold_exits_with_1_and_the_others_are_reported_all_the_same() {
    let folder = Folder::new("replay-wrong");
    let write = |name: &str, change: &dyn Fn(&mut Value)| {
        let mut document = document("metrics_ece");
        change(&mut document);
        fs::write(folder.0.join(name), document.to_string()).unwrap();
    };
    write("number.json", &|d| d["expected"]["mce"] = json!(0.3550001));
    write("count.json", &|d| d["expected"]["bins"][0]["count"] = json!(2));
    write("good.json", &|_| ());
    write("nothing.json", &|d| d["expected"] = json!({}));
    write("unexpected.json", &|d| drop(d.as_object_mut().unwrap().remove("expected")));
    write("intolerant.json", &|d| d["tolerance"] = json!({ "rtol": 1e-9 }));
    let files = [
        "number.json",
        "count.json",
        "good.json",
        "nothing.json",
        "unexpected.json",
        "intolerant.json",
        "none.json",
    ];
    let (code, stdout, stderr) = replay(&folder.0, &[&["--check"], &files[..]].concat());
    assert_eq!(code, 1);
    let lines: Vec<_> = stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{stdout}"); // no ratio where something else than a number differs
    assert!(
        lines[0].starts_with("number.json: worst ratio 2.") && lines[0].ends_with(", at expected.mce"),
        "{stdout}"
    );
    assert!(lines[1].starts_with("good.json: worst ratio "), "{stdout}");
    expect![[r#"
        error: number.json: expected.mce: expected 0.3550001 to rtol 1e-12 and atol 1e-15, found 0.355 | 280898.798 times the tolerance
        error: count.json: expected.bins[0].count: expected 2, found 1
        error: nothing.json: expected: expected something to hold, found an object
        error: unexpected.json: expected: expected this key, found only claim, name, provenance, schema, setting, tolerance, validation
        error: intolerant.json: tolerance.atol: expected this key, found only rtol
        error: none.json: expected a file that can be read, found No such file or directory (os error 2) | is the path right?
        error: 6 of 7 files are not within their tolerance
    "#]].assert_eq(&stderr);
}

/// However long a text in the file is, the message about it fits a screen.
#[test]
fn messages_about_long_texts_are_short() {
    let folder = Folder::new("replay-long");
    let mut document = document("metrics_ece");
    document["setting"]["kind"] = json!("x".repeat(100_000));
    fs::write(folder.0.join("long.json"), document.to_string()).unwrap();
    for arguments in [&["long.json"][..], &["--check", "long.json"]] {
        let (code, stdout, stderr) = replay(&folder.0, arguments);
        assert_eq!((code, stdout.as_str()), (1, ""));
        assert!(stderr.len() < 2000, "{} bytes", stderr.len());
    }
}
