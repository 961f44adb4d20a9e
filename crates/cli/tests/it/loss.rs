//! `loss` as a user meets it: evaluating, listing, checking, drawing.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::common::{Folder, surprisal};
use expect_test::expect;
use serde_json::Value;
use surprisal_loss::by_name::ALL;
use surprisal_loss::vectors::cases;
use surprisal_tensor::Scalar;

const LOSS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../loss");

fn start(arguments: &[&str]) -> std::process::Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surprisal"));
    let piped = command
        .arg("loss")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    piped.spawn().unwrap()
}

/// Runs `surprisal loss` on a text.
fn given(text: &str, arguments: &[&str]) -> Output {
    let mut child = start(arguments);
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}
fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}
fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}
fn lines(output: &Output) -> Vec<Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn vectors(loss: &str) -> PathBuf {
    Path::new(LOSS).join(format!("tests/vectors/{loss}.json"))
}

#[test]
fn one_case_gives_one_line_with_value_and_gradient() {
    let output = given(
        r#"{"inputs": {"input": [[1, 5], [2, 3]], "target": [[0, 3], [2, 3]]}, "unknown": 1}"#,
        &["mse_loss"],
    );
    assert_eq!((code(&output), stderr(&output)), (0, ""));
    let line = r#"{"name": "case 0", "value": 1.25, "grad": {"input": [[0.5, 1.0], [0.0, 0.0]], "target": [[-0.5, -1.0], [-0.0, -0.0]]}}"#;
    assert_eq!(stdout(&output), format!("{line}\n"));
}

#[test]
fn cases_come_in_order_and_infinities_are_texts() {
    let folder = Folder::new("loss-order");
    let text = r#"{"loss": "mse_loss", "cases": [
        {"name": "b", "inputs": {"input": [0, 2], "target": [0, 0]}, "options": {"reduction": "none"}},
        {"inputs": {"input": ["inf"], "target": [0]}},
        {"name": "a", "inputs": {"input": ["nan"], "target": ["-inf"]}, "options": null}]}"#;
    fs::write(folder.0.join("cases.json"), text).unwrap();
    let output = surprisal(&folder.0, &["loss", "mse_loss", "cases.json"]);
    assert_eq!((code(&output), stderr(&output)), (0, ""));
    let told: Vec<_> =
        lines(&output).iter().map(|line| format!("{} {}", line["name"], line["value"])).collect();
    assert_eq!(told, [r#""b" [0.0,4.0]"#, r#""case 1" "inf""#, r#""a" "nan""#]);
    assert_eq!(lines(&output)[1]["grad"]["target"][0], "-inf");
}

#[test]
fn a_case_that_cannot_be_evaluated_says_so_in_its_place() {
    let text = r#"{"cases": [
        {"name": "good", "inputs": {"logits": [[1, 2]], "targets": [1]}},
        {"name": "label", "inputs": {"logits": [[1, 2]], "targets": [2]}},
        {"name": "missing", "inputs": {"targets": [0]}},
        {"name": "ragged", "inputs": {"logits": [[1, 2], [3]], "targets": [0, 1]}},
        {"name": "option", "inputs": {"logits": [[1, 2]], "targets": [1]}, "options": {"reduction": "max"}},
        {"name": "none"}, 7,
        {"name": "good too", "inputs": {"logits": [[1, 2]], "targets": [0]}}]}"#;
    let output = given(text, &["softmax_cross_entropy"]);
    assert_eq!(code(&output), 1);
    expect![[r#"
        error: 6 of 8 cases could not be evaluated
    "#]]
    .assert_eq(stderr(&output));
    let lines = lines(&output);
    let told = lines.iter().map(|line| match line["error"].as_str() {
        Some(error) => error,
        None => {
            assert!(line["value"].is_number(), "{line}");
            line["name"].as_str().unwrap()
        }
    });
    expect![[r#"
        good
        softmax_cross_entropy: label 2 in row 0 is not one of the 2 classes 0 to 1: do the labels start at 1, or is the last layer too narrow?
        softmax_cross_entropy: the input "logits" is missing; there are: targets
        logits: one list holds 1 entries, the first at its depth 2: all are of one length
        softmax_cross_entropy: reduction: expected mean, sum or none, found "max"
        "inputs" is missing: an object of arrays by name
        a case is an object with "inputs", not a number
        good too"#]].assert_eq(&Vec::from_iter(told).join("\n"));
}

/// All numbers of a line, as they are written.
fn numbers(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        Value::Object(values) => values.values().flat_map(numbers).collect(),
        other => vec![other.to_string()],
    }
}

#[test]
fn numbers_read_back_as_the_same_bits() {
    for loss in ["softmax_cross_entropy", "sigmoid"] {
        let path = vectors(loss);
        let document: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let entry = surprisal_loss::by_name::find(loss).unwrap();
        for dtype in ["f32", "f64"] {
            let output = given("", &[loss, path.to_str().unwrap(), "--dtype", dtype]);
            assert_eq!(code(&output), 0, "{}", stderr(&output));
            let mut seen = 0;
            for (line, (name, case)) in stdout(&output).lines().zip(cases(&document).unwrap()) {
                let line: Value = serde_json::from_str(line).unwrap();
                assert_eq!(line["name"], name);
                let numbers = numbers(&line["value"]).into_iter().chain(numbers(&line["grad"]));
                let case = case.unwrap();
                if dtype == "f32" {
                    let outcome = case.evaluate::<f32>(entry).unwrap();
                    let grads = outcome.grads.iter().flat_map(|(_, grad)| grad);
                    for (text, x) in numbers.zip(outcome.value.iter().chain(grads)) {
                        let read: f32 = text.trim_matches('"').parse().unwrap();
                        assert!(
                            read.to_bits() == x.to_bits() || (read.is_nan() && x.is_nan()),
                            "{text} is {x:?}"
                        );
                        seen += 1;
                    }
                } else {
                    let outcome = case.evaluate::<f64>(entry).unwrap();
                    let grads = outcome.grads.iter().flat_map(|(_, grad)| grad);
                    for (text, x) in numbers.zip(outcome.value.iter().chain(grads)) {
                        let read: f64 = text.trim_matches('"').parse().unwrap();
                        assert!(
                            read.to_bits() == x.to_bits() || (read.is_nan() && x.is_nan()),
                            "{text} is {x:?}"
                        );
                        seen += 1;
                    }
                }
            }
            assert!(seen > 100);
        }
    }
}

#[test]
fn single_precision_is_computed_in_single_precision() {
    let case = r#"{"inputs": {"x": [0.3]}}"#;
    let [single, double] =
        ["f32", "f64"].map(|dtype| stdout(&given(case, &["sigmoid", "--dtype", dtype])).to_owned());
    assert_eq!(
        single,
        format!(
            "{{\"name\": \"case 0\", \"value\": [{:?}], \"grad\": {{\"x\": [{:?}]}}}}\n",
            0.3f32.sigmoid(),
            0.3f32.sigmoid_prime()
        )
    );
    assert!(double.contains("0.574442516811659"), "{double}");
}

#[test]
fn what_is_wrong_with_a_file_is_reported_with_its_place() {
    let folder = Folder::new("loss-files");
    let write = |name: &str, text: &str| fs::write(folder.0.join(name), text).unwrap();
    write("cut.json", "{\"cases\": [\n  {\"inputs\": {\"input\": [1, ");
    write("comma.json", "{\"inputs\":\n{\"input\": [1,,2]}}");
    write("large.json", "{\"inputs\": {\"input\": [1e400]}}");
    write("list.json", "[1, 2]");
    write("cases.json", "{\"cases\": 3}");
    fs::create_dir(folder.0.join("folder")).unwrap();
    let deep = format!("{{\"inputs\": {{\"input\": {}1{}}}}}", "[".repeat(5000), "]".repeat(5000));
    write("deep.json", &deep);
    let mut told = String::new();
    for file in [
        "cut.json",
        "comma.json",
        "large.json",
        "list.json",
        "cases.json",
        "folder",
        "nowhere.json",
        "deep.json",
    ] {
        let output = surprisal(&folder.0, &["loss", "mse_loss", file]);
        assert_eq!((code(&output), stdout(&output)), (1, ""), "{file}");
        told += stderr(&output);
    }
    let output = given("not json", &["mse_loss"]);
    assert_eq!(code(&output), 1);
    told += stderr(&output);
    expect![[r#"
        error: cut.json, line 2, column 27: this is not JSON: EOF while parsing a value
        error: comma.json, line 2, column 14: this is not JSON: expected value
        error: large.json, line 1, column 27: this is not JSON: number out of range
        error: list.json: this is a list: give an object with "cases", or one case, an object with "inputs"
        error: cases.json: "cases" is a number: it is a list of cases
        error: folder: cannot read: Is a directory (os error 21)
        error: nowhere.json: cannot read: No such file or directory (os error 2)
        error: deep.json, line 1, column 147: this is not JSON: recursion limit exceeded
        error: standard input, line 1, column 2: this is not JSON: expected ident
    "#]]
    .assert_eq(&told);
}

#[test]
fn nothing_in_a_case_makes_it_panic() {
    let inputs: Vec<Value> = [
        r#"{}"#,
        r#"{"input": 1, "target": 2}"#,
        r#"{"input": [], "target": [], "x": [], "logits": [], "targets": [], "p": []}"#,
        r#"{"input": [[], []], "target": [[], []], "logits": [[], []], "targets": [], "x": [[]]}"#,
        r#"{"input": "inf", "target": 1e308, "logits": "nan", "targets": 0, "x": 0}"#,
        r#"{"input": [[[[[[[[[[1]]]]]]]]]], "target": [[[[[[[[[[1]]]]]]]]]], "x": [[[[[[[[[[1]]]]]]]]]]}"#,
        r#"{"input": [1, 2], "target": [[1, 2]], "x": [1, 2], "grad_output": [1, 2, 3]}"#,
        r#"{"input": {"a": 1}, "target": true}"#,
        r#"{"x": ["inf", "-inf", "nan"], "logits": [[0]], "targets": [1e300]}"#,
        r#"{"p": [0.5], "probs": [2], "targets": [-1], "log_probs": [[0]], "logits": [[1, 2]], "weight": [-1]}"#,
    ]
    .map(|inputs| serde_json::from_str::<Value>(inputs).unwrap())
    .into();
    let odd: Value = serde_json::from_str(
        r#"{"reduction": 3, "base": [], "k": -1, "gamma": "nan", "q": ["inf"], "margin": {}, "mode": "x"}"#,
    )
    .unwrap();
    // what the loss does not know is an error by itself; here the values are odd
    let known = |value: &Value, names: &[&str]| {
        let members = value.as_object().unwrap().iter().filter(|(name, _)| names.contains(&name.as_str()));
        members.map(|(name, value)| (name.clone(), value.clone())).collect::<serde_json::Map<_, _>>()
    };
    for entry in ALL {
        let names: Vec<_> = entry.inputs.iter().map(|input| input.name).chain(["grad_output"]).collect();
        let options: Vec<_> = entry.options.iter().map(|option| option.name).collect();
        let case = |inputs: &Value, odd: &Value| serde_json::json!({"inputs": known(inputs, &names), "options": known(odd, &options)});
        let cases: Vec<Value> = inputs
            .iter()
            .flat_map(|x| [case(x, &Value::Object(Default::default())), case(x, &odd)])
            .collect();
        let text = serde_json::json!({"cases": cases}).to_string();
        let output = given(&text, &[entry.card.name]);
        let name = entry.card.name;
        assert!(
            stderr(&output).ends_with(&format!(" of {} cases could not be evaluated\n", cases.len())),
            "{name}"
        );
        assert_eq!(
            (code(&output), stderr(&output).lines().count(), lines(&output).len()),
            (1, 1, cases.len()),
            "{name}"
        );
    }
}

/// The error of the only case, or of the command.
#[track_caller]
fn refused(loss: &str, text: &str) -> String {
    let output = given(text, &[loss]);
    assert_eq!(code(&output), 1, "{loss} takes {text}");
    let told = match lines(&output).first() {
        Some(line) => line["error"].as_str().unwrap().to_owned(),
        None => stderr(&output).to_owned(),
    };
    assert!(told.len() < 400 && stderr(&output).len() < 400, "{told}");
    told
}

#[test]
fn what_a_loss_does_not_know_is_refused_and_the_nearest_name_suggested() {
    let logits = r#""logits": [[1, 2]], "targets": [0]"#;
    let error = r#""input": [1], "target": [0]"#;
    let told = [
        ("softmax_cross_entropy", logits, r#""label_smothing": 0.5"#),
        ("softmax_cross_entropy", logits, r#""labelsmoothing": 0.1"#),
        ("softmax_cross_entropy", logits, r#""weight": [1, 2]"#),
        ("softmax_cross_entropy", logits, r#""ignore_index": 0.5"#),
        ("huber_loss", error, r#""beta": 0.5"#),
        ("kl_div", error, r#""logtarget": true"#),
        ("mse_loss", error, r#""delta": 3"#),
        ("mse_loss", error, r#""Reduction": "sum""#),
        ("softmax", r#""x": [1, 2]"#, r#""axis": 0"#),
        ("softmax_cross_entropy", r#""logits": [[1, 2]], "targets": [0], "wieght": [1, 5]"#, ""),
        ("mse_loss", r#""inputs": [1], "target": [0]"#, ""),
        ("softmax_cross_entropy", r#""logits": [[1, 2]], "targets": [0], "target_probs": [[1, 0]]"#, ""),
        ("softmax_cross_entropy", r#""logits": [[], []], "targets": [0, 0]"#, ""),
    ]
    .map(|(loss, inputs, options)| {
        refused(loss, &format!(r#"{{"inputs": {{{inputs}}}, "options": {{{options}}}}}"#))
    });
    expect![[r#"
        softmax_cross_entropy: no option is named "label_smothing" | known: reduction, label_smoothing, ignore_index | did you mean "label_smoothing"?
        softmax_cross_entropy: no option is named "labelsmoothing" | known: reduction, label_smoothing, ignore_index | did you mean "label_smoothing"?
        softmax_cross_entropy: no option is named "weight" | known: reduction, label_smoothing, ignore_index
        softmax_cross_entropy: ignore_index: expected a whole number, found 0.5
        huber_loss: no option is named "beta" | known: reduction, delta | did you mean "delta"?
        kl_div: no option is named "logtarget" | known: reduction, log_target | did you mean "log_target"?
        mse_loss: no option is named "delta" | known: reduction
        mse_loss: no option is named "Reduction" | known: reduction | did you mean "reduction"?
        softmax: no option is named "axis" | there are none
        softmax_cross_entropy: no input is named "wieght" | known: logits, targets, target_probs, weight | did you mean "weight"?
        mse_loss: no input is named "inputs" | known: input, target | did you mean "input"?
        softmax_cross_entropy: both "targets" and "target_probs" are given: give class indices or probabilities, not both
        softmax_cross_entropy: the batch [2, 0] is empty: a loss needs at least one element"#]].assert_eq(&told.join("\n"));
}

#[test]
fn a_key_that_is_nearly_one_that_counts_is_refused_and_notes_are_not() {
    let inputs = r#""inputs": {"input": [1], "target": [0]}"#;
    let told = [
        format!(r#"{{{inputs}, "option": {{"reduction": "sum"}}}}"#),
        format!(r#"{{{inputs}, "optoins": {{"reduction": "sum"}}}}"#),
        format!(r#"{{{inputs}, "Options": {{"reduction": "sum"}}}}"#),
        format!(r#"{{{inputs}, "case": []}}"#),
        format!(r#"{{{inputs}, "f64only": true}}"#),
        format!(r#"{{{inputs}, "dtype": "f32"}}"#),
        format!(r#"{{{inputs}, "dtpye": "f32"}}"#),
        r#"{"input": {"input": [1], "target": [0]}}"#.into(),
        format!(r#"{{"cases": [{{{inputs}}}], {inputs}}}"#),
        format!(r#"{{"cases": [{{{inputs}}}], "options": {{}}}}"#),
        format!(r#"{{"cases": [{{{inputs}}}], "input": {{}}}}"#),
        format!(r#"{{"cases": [{{{inputs}, "cases": []}}]}}"#),
        format!(r#"{{{inputs}, {inputs}}}"#),
        r#"{"inputs": {"input": [1], "target": [0], "input": [2]}}"#.into(),
        format!(r#"{{{inputs}, "options": {{"reduction": "sum", "reduction": "mean"}}}}"#),
        format!(r#"{{{inputs}, "note": {{"a": 1, "a": 2}}}}"#),
        format!(r#"{{{inputs}, "options": {{"redution": null}}}}"#),
        r#"{"inputs": {"input": [1], "target": [0], "wieght": null}}"#.into(),
    ]
    .map(|text| refused("mse_loss", &text).trim_end().to_owned());
    expect![[r#"
        the key "option" is not known | did you mean "options"?
        the key "optoins" is not known | did you mean "options"?
        the key "Options" is not known | did you mean "options"?
        the key "case" is not known | did you mean "cases"?
        the key "f64only" is not known | did you mean "f64_only"?
        the key "dtype" is not read from a file | choose the type, f32 or f64, where the cases are evaluated
        the key "dtpye" is not read from a file | choose the type, f32 or f64, where the cases are evaluated
        the key "input" is not known | did you mean "inputs"?
        error: standard input: "inputs" stands beside "cases": it belongs into each case
        error: standard input: "options" stands beside "cases": it belongs into each case
        error: standard input: the key "input" is not known | did you mean "inputs"?
        "cases" stands inside a case
        error: standard input, line 1, column 50: the key "inputs" comes twice in one object
        error: standard input, line 1, column 48: the key "input" comes twice in one object
        error: standard input, line 1, column 85: the key "reduction" comes twice in one object
        error: standard input, line 1, column 62: the key "a" comes twice in one object
        mse_loss: no option is named "redution" | known: reduction | did you mean "reduction"?
        mse_loss: no input is named "wieght" | known: input, target"#]]
    .assert_eq(&told.join("\n"));
    let notes = r#""name": "a", "names": 1, "note": "n", "notes": [], "expected": {"value": 7}, "definition": "d", "loss": "x", "comment": 0, "output": 1, "source": {}"#;
    let output = given(&format!(r#"{{{inputs}, {notes}}}"#), &["mse_loss"]);
    assert_eq!((code(&output), stderr(&output)), (0, ""));
    assert_eq!(lines(&output)[0]["value"], 1.0);
}

#[test]
fn checking_refuses_what_evaluating_refuses() {
    let folder = Folder::new("loss-check-keys");
    let check = |text: &str| {
        fs::write(folder.0.join("a.json"), text).unwrap();
        let output = surprisal(&folder.0, &["loss", "--check", "a.json"]);
        assert_eq!(code(&output), 1, "{text}");
        format!("{}{}", stdout(&output), stderr(&output))
    };
    let case = |rest: &str| {
        format!(
            r#"{{"loss": "huber_loss", "cases": [{{"inputs": {{"input": [1], "target": [0]}}, {rest}
                "expected": {{"value": 0.5, "grad": {{"input": [1], "target": [-1]}}, "budget": {{"value": 1, "grad": {{"input": [1], "target": [1]}}}}}}}}]}}"#
        )
    };
    fs::write(folder.0.join("good.json"), case("")).unwrap();
    assert_eq!(code(&surprisal(&folder.0, &["loss", "--check", "good.json"])), 0);
    let told = [
        r#""options": {"dleta": 1},"#,
        r#""option": {"delta": 1},"#,
        r#""options": {"delta": 1, "delta": 2},"#,
    ];
    expect![[r#"
                type  cases  numbers  of budget  ULP: value  gradient  false 0/inf/NaN
        a.json  f32       1        0       0.00           -         -            0/0/0
        a.json  f64       1        0       0.00           -         -            0/0/0

        a.json, f32: 0 of 0 numbers exceed their budget, 1 of 1 cases cannot be evaluated
          case 0: huber_loss: no option is named "dleta" | known: reduction, delta | did you mean "delta"?

        a.json, f64: 0 of 0 numbers exceed their budget, 1 of 1 cases cannot be evaluated
          case 0: huber_loss: no option is named "dleta" | known: reduction, delta | did you mean "delta"?
        error: 1 of 1 files exceed their error budgets
                type  cases  numbers  of budget  ULP: value  gradient  false 0/inf/NaN
        a.json  f32       1        0       0.00           -         -            0/0/0
        a.json  f64       1        0       0.00           -         -            0/0/0

        a.json, f32: 0 of 0 numbers exceed their budget, 1 of 1 cases cannot be evaluated
          case 0: the key "option" is not known | did you mean "options"?

        a.json, f64: 0 of 0 numbers exceed their budget, 1 of 1 cases cannot be evaluated
          case 0: the key "option" is not known | did you mean "options"?
        error: 1 of 1 files exceed their error budgets
                type  cases  numbers  of budget  ULP: value  gradient  false 0/inf/NaN
        error: a.json, line 1, column 106: the key "delta" comes twice in one object
        error: 1 of 1 files exceed their error budgets
    "#]]
    .assert_eq(&told.map(|rest| check(&case(rest))).concat());
    let told = check(&format!(r#"{{"loss": "{}", "cases": []}}"#, "x".repeat(100_000)));
    assert!(told.len() < 600, "{} bytes", told.len());
}

#[test]
fn a_byte_order_mark_is_left_out() {
    let output = given("\u{feff}{\"inputs\": {\"x\": [0]}}", &["sigmoid"]);
    assert_eq!((code(&output), stderr(&output)), (0, ""));
    assert_eq!(lines(&output)[0]["value"][0], 0.5);
}

#[test]
fn messages_stay_short_whatever_the_file_holds() {
    let long = "long ".repeat(100_000);
    for text in [
        format!(r#"{{"inputs": {{"input": ["{long}"], "target": [0]}}}}"#),
        format!(r#"{{"inputs": {{"input": [{{"a": "{long}"}}], "target": [0]}}}}"#),
        format!(r#"{{"inputs": {{"input": [1], "target": [0], "{long}": [0]}}}}"#),
        format!(r#"{{"inputs": {{"input": [1], "target": [0], "{long}": "x"}}}}"#),
        format!(r#"{{"inputs": {{"input": [1], "target": [0]}}, "options": {{"{long}": 1}}}}"#),
        format!(r#"{{"inputs": {{"input": [1], "target": [0]}}, "options": {{"{long}": [[]]}}}}"#),
        format!(r#"{{"inputs": {{"input": [1], "target": [0]}}, "options": {{"reduction": "{long}"}}}}"#),
        format!(
            r#"{{"inputs": {{"input": [1], "target": [0]}}, "options": {{"reduction": [{}1]}}}}"#,
            "1, ".repeat(100_000)
        ),
        format!(r#"{{"inputs": {{"input": [1], "target": [0]}}, "{long}": 1, "{long}": 2}}"#),
    ] {
        refused("mse_loss", &text);
    }
    let told = refused("mse_loss", "{\"inputs\": {\"input\": [\"\\u001b[31mred\"], \"target\": [0]}}");
    assert!(!told.contains('\u{1b}'), "{told:?}");
}

#[test]
fn a_line_is_there_as_soon_as_it_is_written_and_a_closed_pipe_is_no_error() {
    let one = r#"{"name": "a long enough name to fill the pipe", "inputs": {"x": [1]}}"#;
    let text = format!("{{\"cases\": [{}]}}", vec![one; 20_000].join(","));
    let mut child = start(&["sigmoid"]);
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::with_capacity(64, child.stdout.take().unwrap()).read_line(&mut line).unwrap(); // and closed
    assert!(line.starts_with("{\"name\": \"a long"));
    let mut error = String::new();
    child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    assert_eq!((child.wait().unwrap().code(), error.as_str()), (Some(0), ""));
}

#[test]
fn the_list_names_every_loss_with_all_that_it_takes_in_100_columns() {
    let output = given("", &["--list"]);
    assert_eq!((code(&output), stderr(&output)), (0, ""));
    let text = stdout(&output);
    assert!(text.lines().all(|line| line.chars().count() <= 100 && line.trim_end() == line), "{text}");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for entry in ALL {
        let start = text.find(&format!("\n\n{}\n", entry.card.name)).expect(entry.card.name) + 2;
        let part = &text[start..];
        let part = words(&part[..part.find("\n\n").unwrap_or(part.len())]);
        assert!(
            part.contains(&words(entry.card.forward)) && part.contains(&words(entry.card.backward)),
            "{part}"
        );
        for input in entry.inputs {
            let mark = if input.differentiable { "*" } else { "" };
            assert!(part.contains(&words(&format!("{}{mark} {}", input.name, input.about))), "{part}");
        }
        for option in entry.options {
            assert!(
                part.contains(&words(&format!("{} = {} {}", option.name, option.default, option.help))),
                "{part}"
            );
        }
    }
}

#[test]
fn all_vectors_are_within_their_budgets() {
    let files: Vec<_> = ALL.iter().map(|entry| vectors(entry.card.name).display().to_string()).collect();
    let arguments: Vec<_> = ["--check"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let output = given("", &arguments);
    assert_eq!((code(&output), stderr(&output)), (0, ""), "{}", stdout(&output));
    assert_eq!(stdout(&output).lines().count(), 1 + 2 * files.len());
}

#[test]
fn a_wrong_expectation_falls_short_and_is_named() {
    let folder = Folder::new("loss-check");
    let good = fs::read_to_string(vectors("mse_loss")).unwrap();
    let mut document: Value = serde_json::from_str(&good).unwrap();
    document["cases"][1]["name"] = "tampered".into();
    let grad = &mut document["cases"][1]["expected"]["grad"]["input"];
    let first = if grad[0].is_array() { &mut grad[0][0] } else { &mut grad[0] };
    *first = (first.as_f64().unwrap() * 1.001).into();
    document["cases"][2]["name"] = "silent".into();
    document["cases"][2].as_object_mut().unwrap().remove("expected");
    fs::write(folder.0.join("bad.json"), document.to_string()).unwrap();
    fs::write(folder.0.join("good.json"), &good).unwrap();
    fs::write(folder.0.join("nameless.json"), "{\"cases\": []}").unwrap();
    fs::write(folder.0.join("strange.json"), "{\"loss\": \"mse\", \"cases\": []}").unwrap();

    let output = surprisal(&folder.0, &["loss", "--check", "bad.json", "good.json", "--dtype", "f64"]);
    assert_eq!(code(&output), 1);
    expect![[r#"
        error: 1 of 2 files exceed their error budgets
    "#]]
    .assert_eq(stderr(&output));
    let text = stdout(&output);
    let rows: Vec<Vec<_>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[1][..3], ["bad.json", "f64", "14"], "{text}");
    assert_eq!(rows[2][..3], ["good.json", "f64", "14"], "{text}");
    assert!(text.contains("\nbad.json, f64: 1 of "), "{text}");
    assert!(text.contains(" numbers exceed their budget, 1 of 14 cases cannot be evaluated\n"), "{text}");
    assert!(text.contains("\n  silent: \"expected\" is missing"), "{text}");
    assert!(text.contains("\n  tampered, input[0") && !text.contains("good.json, f64:"), "{text}");

    let output = surprisal(
        &folder.0,
        &["loss", "--check", "nameless.json", "strange.json", "nowhere.json", "good.json"],
    );
    assert_eq!(code(&output), 1);
    expect![[r#"
        error: nameless.json: "loss" is missing: a file to check must name its loss
        error: strange.json: there is no loss "mse" (did you mean mse_loss?); `surprisal loss --list` shows all
        error: nowhere.json: cannot read: No such file or directory (os error 2)
        error: 3 of 4 files exceed their error budgets
    "#]].assert_eq(stderr(&output));
    assert_eq!(stdout(&output).lines().count(), 3); // the good one is still told
}

/// Panics unless every tag is closed in its turn, quotes are paired and nothing is left bare.
fn parse_svg(text: &str) {
    let (mut open, mut rest) = (vec![], text.trim());
    while let Some(at) = rest.find('<') {
        assert!(!rest[..at].contains('>'), "a bare >: {}", &rest[..at]);
        assert!(
            rest[..at].split('&').skip(1).all(|entity| entity.contains(';')),
            "a bare &: {}",
            &rest[..at]
        );
        let end = at + rest[at..].find('>').expect("a tag ends");
        let tag = &rest[at + 1..end];
        assert!(tag.matches('"').count() % 2 == 0 && !tag.contains('<'), "{tag}");
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None if tag.ends_with('/') => {}
            None => open.push(tag.split(' ').next().unwrap()),
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty() && rest.is_empty(), "{open:?} {rest}");
}

#[test]
fn every_page_of_a_loss_of_single_numbers_shows_what_the_command_draws() {
    let folder = Folder::new("loss-plot");
    let (mut missing, mut ids) = (vec![], vec![]);
    for entry in ALL.iter().filter(|entry| entry.curve.is_some()) {
        let name = entry.card.name;
        let output = surprisal(&folder.0, &["loss", name, "--plot", "picture.svg"]);
        assert_eq!((code(&output), stdout(&output), stderr(&output)), (0, "", ""), "{name}");
        let drawn = fs::read_to_string(folder.0.join("picture.svg")).unwrap();
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "something is left behind");
        parse_svg(&drawn);
        // Markdown takes it as one block
        assert!(drawn.starts_with("<svg ") && drawn.lines().next().unwrap().ends_with('>'));
        assert!(drawn.lines().all(|line| line.starts_with('<')), "{name}");
        assert!(!drawn.contains("NaN") && !drawn.contains("Not drawn"), "{name}");
        ids.push(
            drawn
                .split(" id=\"")
                .skip(1)
                .map(|id| id.split('"').next().unwrap().to_owned())
                .collect::<Vec<_>>(),
        );

        let picture = format!("pictures/{name}.svg");
        let page = fs::read_to_string(Path::new(LOSS).join(format!("src/{name}.rs"))).unwrap();
        if fs::read_to_string(Path::new(LOSS).join(&picture)).unwrap_or_default() != drawn {
            missing.push(format!("cargo run --release -- loss {name} --plot crates/loss/{picture}"));
        }
        let line = format!("#![doc = include_str!(\"../{picture}\")]");
        if !page.contains(&format!("//!\n{line}\n//!\n")) {
            missing.push(format!("in crates/loss/src/{name}.rs, after the first paragraph: {line}"));
        }
    }
    assert!(missing.is_empty(), "pictures are missing or old:\n{}", missing.join("\n"));
    let mut unique: Vec<_> = ids.concat();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), ids.concat().len(), "two pictures share an id");
    for file in fs::read_dir(Path::new(LOSS).join("pictures")).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(
            ALL.iter().any(|e| e.card.name == name && e.curve.is_some()),
            "{name} is no loss that is drawn"
        );
    }
}

#[test]
fn a_picture_that_cannot_be_written_leaves_what_was_there() {
    let folder = Folder::new("loss-unwritable");
    fs::create_dir(folder.0.join("taken.svg")).unwrap();
    let told = ["taken.svg", "..", "no/where.svg"].map(|path| {
        let output = surprisal(&folder.0, &["loss", "mse_loss", "--plot", path]);
        assert_eq!(code(&output), 1);
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
        stderr(&output).to_owned()
    });
    expect![[r#"
        error: taken.svg: cannot write: it is a folder | name a file in it
        error: ..: cannot write: it is a folder | name a file in it
        error: no/where.svg: cannot write: No such file or directory (os error 2) | there is no folder no: make it first, or write elsewhere
    "#]].assert_eq(&told.concat());
    fs::write(folder.0.join("old.svg"), "old").unwrap();
    assert_eq!(code(&surprisal(&folder.0, &["loss", "mse_loss", "--plot", "old.svg"])), 0);
    assert!(fs::read_to_string(folder.0.join("old.svg")).unwrap().starts_with("<svg"));
}
