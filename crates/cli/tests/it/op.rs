//! `op` as a user meets it: any operation on numbers from a file, listing, checking.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::common::{Folder, fails, surprisal};
use serde_json::{Value, json};
use surprisal_replay::operations;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../replay/tests/operations");

/// Runs `surprisal op` on a text.
fn given(text: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surprisal"));
    let piped = command.arg("op").args(arguments);
    let piped = piped.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn one_case_gives_one_line_with_value_and_gradient() {
    for (name, case, line) in [
        (
            "sum",
            r#"{"inputs": {"x": [1, 2]}, "grad_output": 10}"#,
            r#""value": 3.0, "grad": {"x": [10.0, 10.0]}"#,
        ),
        (
            "max_axis",
            r#"{"inputs": {"x": [[1, 5]]}, "options": {"axis": -1}}"#,
            r#""value": [5.0], "grad": {"x": [[0.0, 1.0]]}"#,
        ),
        (
            "matmul",
            r#"{"inputs": {"b": [[3], [4]], "a": [[1, 2]]}, "note": 1}"#,
            r#""value": [[11.0]], "grad": {"a": [[3.0, 4.0]], "b": [[1.0], [2.0]]}"#,
        ),
        (
            "gather",
            r#"{"inputs": {"x": [[1, 5]], "indices": [[1]]}, "options": {"axis": 1}}"#,
            r#""value": [[5.0]], "grad": {"x": [[0.0, 1.0]]}"#,
        ),
        (
            "concat",
            r#"{"inputs": {"b": [2], "a": [1], "c": [3]}}"#,
            r#""value": [1.0, 2.0, 3.0], "grad": {"a": [1.0], "b": [1.0], "c": [1.0]}"#,
        ),
        (
            "batch_norm2d",
            r#"{"inputs": {"x": [[0], [2]], "running_mean": [1]}, "options": {"eps": 0}, "grad_output": [[1], [1]]}"#,
            r#""value": [[-1.0], [1.0]], "grad": {"x": [[0.0], [0.0]]}, "running_mean": [1.0], "running_var": [1.1]"#,
        ),
    ] {
        let output = given(case, &[name]);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{name}");
        assert_eq!(text(&output.stdout), format!("{{\"name\": \"case 0\", {line}}}\n"));
    }
    let output = given(r#"{"inputs": {"x": [0.1]}}"#, &["exp", "--dtype", "f32"]);
    assert_eq!(
        text(&output.stdout),
        "{\"name\": \"case 0\", \"value\": [1.105171], \"grad\": {\"x\": [1.105171]}}\n"
    );
}

/// Whatever a case has, it is a line of its own, and the others are evaluated.
#[test]
fn a_case_that_cannot_be_evaluated_says_so_in_its_place() {
    let x = json!([[[[1, 2], [3, 4]]]]);
    let conv =
        |options: Value| json!({ "inputs": { "x": x, "weight": [[[[1, 1], [1, 1]]]] }, "options": options });
    let of_x = |options: Value| json!({ "inputs": { "x": x }, "options": options });
    for (name, case, says) in [
        ("conv2d", conv(json!({ "pading": 1 })), "no option is named \"pading\""),
        ("conv2d", conv(json!({ "stride": 0 })), "stride: expected a whole number from 1 to 65536"),
        ("conv2d", conv(json!({ "stride": [1, 2, 3] })), "the option \"stride\" has 3 numbers: expected 2"),
        ("conv2d", conv(json!({ "dilation": 65536 })), "does not fit into an image of 2x2"),
        ("conv2d", conv(json!({ "groups": 2 })), "2 groups do not divide 1 channels"),
        ("conv2d", conv(json!({ "groups": 1e15 })), "groups do not divide 1 channels"),
        ("conv2d", json!({ "inputs": { "x": x } }), "the input \"weight\" is missing"),
        ("conv2d", json!({ "inputs": { "x": x, "wieght": null } }), "no input is named \"wieght\""),
        (
            "conv2d",
            json!({ "inputs": { "x": [1], "weight": [1] } }),
            "[1] is not a batch of images [N, C, H, W]",
        ),
        ("max_pool2d", of_x(json!({})), "the option \"kernel\" is missing"),
        ("max_pool2d", of_x(json!({ "kernel": 3 })), "a window of 3x3 does not fit into an image of 2x2"),
        (
            "max_pool2d",
            of_x(json!({ "kernel": 65536, "padding": 1024 })),
            "does not fit into an image of 2x2",
        ),
        ("pad2d", of_x(json!({ "pad": [2, 0, 0, 0], "mode": "reflect" })), "pad2d: a border of [2, 0, 0, 0]"),
        ("pad2d", of_x(json!({ "pad": [9e15, 9e15, 9e15, 9e15] })), "than"),
        ("pad2d", of_x(json!({ "pad": [100000, 0, 100000, 0] })), "at most 16777216"),
        ("resize", of_x(json!({ "size": [0, 1] })), "an image of 2x2 cannot become one of [0, 1]"),
        ("resize", of_x(json!({ "size": [9e15, 9e15] })), "more elements than this machine can address"),
        ("upsample_nearest2d", of_x(json!({ "size": 100000 })), "at most 16777216"),
        ("group_norm", of_x(json!({ "groups": 2 })), "2 groups do not divide the 1 channels"),
        (
            "group_norm",
            json!({ "inputs": { "x": [1] }, "options": { "groups": 1 } }),
            "[1] is not [N, C, ..]",
        ),
        ("batch_norm2d", json!({ "inputs": { "x": [[1]] } }), "the variance of a batch in training needs 2"),
        (
            "batch_norm2d",
            json!({ "inputs": { "x": x, "weight": [1, 2] } }),
            "expected one number for each channel",
        ),
        ("batch_norm2d", of_x(json!({ "eps": 1e-60 })), "eps 1e-60 is rounded to 0"),
        ("global_avg_pool2d", json!({ "inputs": { "x": [1] } }), "is not a batch of images"),
        ("softmax", of_x(json!({ "axis": 7 })), "there is no axis 7"),
        ("permute", of_x(json!({ "axes": [0, 0, 1, 2] })), "is not an order of the axes"),
        ("slice", of_x(json!({ "start": 1, "end": 9 })), "1..9 does not lie in axis -1"),
        (
            "gather",
            json!({ "inputs": { "x": [1], "indices": [0.5] }, "options": { "axis": 0 } }),
            "index 0.5 at position 0",
        ),
        ("where", json!({ "inputs": { "c": [1], "a": [1, 2], "b": 0 } }), "does not fit the condition"),
        ("reshape", of_x(json!({ "shape": [3] })), "has 4 numbers"),
        ("leaky_relu", of_x(json!({ "slope": "steep" })), "slope: expected a number, found \"steep\""),
        ("sum", json!({ "inputs": { "x": [1, 2] }, "grad_output": [1, 2] }), "grad_output"),
        ("sum", json!({ "inputs": { "x": [[[[[[1]]]]]] } }), "at most 5 axes"),
        ("sum", json!({ "inputs": { "x": [1], "grad_output": 1 }, "grad_output": 1 }), "stands inside"),
        (
            "pixel_cross_entropy",
            json!({ "inputs": { "logits": x, "targets": [[[0, 0], [0, 1]]] } }),
            "label 1",
        ),
    ] {
        let cases = json!({ "cases": [case, {}] }).to_string();
        let output = given(&cases, &[name, "--dtype", "f32"]);
        assert_eq!(output.status.code(), Some(1), "{name}: {case}");
        let lines = lines(&output);
        assert_eq!(lines.len(), 2, "{name}: {case}");
        let error = lines[0]["error"].as_str().unwrap_or_else(|| panic!("{name}: {case} has no error"));
        assert!(error.contains(says) && !error.contains('\n'), "{name}: {error}\ndoes not say\n{says}");
        assert!(text(&output.stderr).contains("2 of 2 cases could not be evaluated"));
    }
    let wide = json!({ "inputs": { "a": vec![[0]; 5000], "b": [vec![0; 5000]] } });
    for name in ["add", "matmul"] {
        let output = given(&wide.to_string(), &[name]);
        assert!(
            lines(&output)[0]["error"].as_str().unwrap().contains("would have 25000000 numbers"),
            "{name}"
        );
    }
}

/// With inputs of any shape and no options, nothing panics.
#[test]
fn every_operation_takes_or_refuses_any_inputs() {
    let shapes =
        [json!(2), json!([]), json!([0.5, 1]), json!([[1, 0]]), json!([[[1], [0]]]), json!([[[[1, 0]]]])];
    for operation in operations() {
        let names = Vec::from_iter(operation.inputs.iter().map(|input| input.name));
        let of = |names: &[&str], shape: &Value| {
            let inputs = names.iter().map(|name| ((*name).to_owned(), shape.clone()));
            inputs.collect::<serde_json::Map<_, _>>()
        };
        let options = operation.options.iter().filter(|option| option.default.is_empty());
        let options = Value::Object(options.map(|option| (option.name.to_owned(), json!(1))).collect());
        let mut cases = vec![];
        for first in &shapes {
            cases.push(json!({ "inputs": of(&names[..1], first), "options": options }));
            for other in &shapes {
                let mut inputs = of(&names, other);
                inputs.insert(names[0].into(), first.clone());
                cases.push(json!({ "inputs": inputs.clone() }));
                cases.push(json!({ "inputs": inputs, "options": options }));
            }
        }
        for dtype in ["f32", "f64"] {
            let output = given(&json!({ "cases": cases }).to_string(), &[operation.name, "--dtype", dtype]);
            assert!(
                matches!(output.status.code(), Some(0 | 1)),
                "{}: {}",
                operation.name,
                text(&output.stderr)
            );
            assert_eq!(lines(&output).len(), cases.len(), "{}", operation.name);
        }
    }
}

#[test]
fn the_list_has_every_operation_with_inputs_and_options() {
    let output = given("", &["--list"]);
    let list = text(&output.stdout);
    for operation in operations() {
        assert!(list.contains(&format!("\n{}\n", operation.name)), "{}", operation.name);
        for option in operation.options {
            assert!(list.contains(option.name) && list.contains(option.help.split(' ').next().unwrap()));
        }
    }
    assert!(list.lines().all(|line| line.chars().count() <= 100 && line.trim_end() == line));
}

#[test]
fn files_are_compared_with_what_they_expect() {
    let files = ["conv2d", "batch_norm2d", "pixel_ce_dice"].map(|name| format!("{VECTORS}/{name}.json"));
    let [first, second, third] = &files;
    let output = surprisal(Path::new("."), &["op", "--check", first, second, third]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    assert_eq!(text(&output.stdout).lines().count(), 1 + 2 * 3);

    let folder = Folder::new("op-check");
    let mut document: Value = serde_json::from_str(&fs::read_to_string(first).unwrap()).unwrap();
    document["cases"][0]["expected"]["grad"]["weight"][0][0][0][0] = json!(1e6);
    fs::write(folder.0.join("wrong.json"), document.to_string()).unwrap();
    fs::write(folder.0.join("nameless.json"), r#"{"cases": []}"#).unwrap();
    let output = surprisal(&folder.0, &["op", "--check", "wrong.json", "nameless.json", "--dtype", "f64"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("3x3, weight[0][0][0][0]: "), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("nameless.json: \"op\" is missing"), "{}", text(&output.stderr));
}

#[test]
fn an_unknown_name_is_a_usage_error_with_the_nearest() {
    let (code, stderr) = fails(&["op", "conv2"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("there is no operation \"conv2\" (did you mean conv2d"), "{stderr}");
}
