//! `op` as a user meets it: any operation on numbers from a file, listing, checking.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::common::{Folder, surprisal};
use expect_test::expect;
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

/// The error of the first case, which is one line.
#[track_caller]
fn error_of(lines: &[Value]) -> String {
    let error = lines[0]["error"].as_str().expect("an error");
    assert!(!error.contains('\n'), "{error}");
    error.to_owned()
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
    let told = [
        ("conv2d", conv(json!({ "pading": 1 }))),
        ("conv2d", conv(json!({ "stride": 0 }))),
        ("conv2d", conv(json!({ "stride": [1, 2, 3] }))),
        ("conv2d", conv(json!({ "dilation": 65536 }))),
        ("conv2d", conv(json!({ "groups": 2 }))),
        ("conv2d", conv(json!({ "groups": 1e15 }))),
        ("conv2d", json!({ "inputs": { "x": x } })),
        ("conv2d", json!({ "inputs": { "x": x, "wieght": null } })),
        ("conv2d", json!({ "inputs": { "x": [1], "weight": [1] } })),
        ("max_pool2d", of_x(json!({}))),
        ("max_pool2d", of_x(json!({ "kernel": 3 }))),
        ("max_pool2d", of_x(json!({ "kernel": 65536, "padding": 1024 }))),
        ("pad2d", of_x(json!({ "pad": [2, 0, 0, 0], "mode": "reflect" }))),
        ("pad2d", of_x(json!({ "pad": [9e15, 9e15, 9e15, 9e15] }))),
        ("pad2d", of_x(json!({ "pad": [100000, 0, 100000, 0] }))),
        ("resize", of_x(json!({ "size": [0, 1] }))),
        ("resize", of_x(json!({ "size": [9e15, 9e15] }))),
        ("upsample_nearest2d", of_x(json!({ "size": 100000 }))),
        ("group_norm", of_x(json!({ "groups": 2 }))),
        ("group_norm", json!({ "inputs": { "x": [1] }, "options": { "groups": 1 } })),
        ("batch_norm2d", json!({ "inputs": { "x": [[1]] } })),
        ("batch_norm2d", json!({ "inputs": { "x": x, "weight": [1, 2] } })),
        ("batch_norm2d", of_x(json!({ "eps": 1e-60 }))),
        ("global_avg_pool2d", json!({ "inputs": { "x": [1] } })),
        ("softmax", of_x(json!({ "axis": 7 }))),
        ("permute", of_x(json!({ "axes": [0, 0, 1, 2] }))),
        ("slice", of_x(json!({ "start": 1, "end": 9 }))),
        ("gather", json!({ "inputs": { "x": [1], "indices": [0.5] }, "options": { "axis": 0 } })),
        ("where", json!({ "inputs": { "c": [1], "a": [1, 2], "b": 0 } })),
        ("reshape", of_x(json!({ "shape": [3] }))),
        ("leaky_relu", of_x(json!({ "slope": "steep" }))),
        ("sum", json!({ "inputs": { "x": [1, 2] }, "grad_output": [1, 2] })),
        ("sum", json!({ "inputs": { "x": [[[[[[1]]]]]] } })),
        ("sum", json!({ "inputs": { "x": [1], "grad_output": 1 }, "grad_output": 1 })),
        ("pixel_cross_entropy", json!({ "inputs": { "logits": x, "targets": [[[0, 0], [0, 1]]] } })),
    ]
    .map(|(name, case)| {
        let cases = json!({ "cases": [case, {}] }).to_string();
        let output = given(&cases, &[name, "--dtype", "f32"]);
        assert_eq!(output.status.code(), Some(1), "{name}: {case}");
        let lines = lines(&output);
        assert_eq!(lines.len(), 2, "{name}: {case}");
        assert_eq!(text(&output.stderr).lines().count(), 1, "{name}: {case}");
        error_of(&lines)
    });
    expect![[r#"
        conv2d: no option is named "pading" | known: stride, padding, dilation, groups | did you mean "padding"?
        conv2d: stride: expected a whole number from 1 to 65536, or several, separated by commas, found 0
        conv2d: the option "stride" has 3 numbers: expected 2
        conv2d: a kernel of 2x2 with dilation [65536, 65536] does not fit into an image of 2x2 with padding [0, 0] | use a smaller kernel, more padding, or fewer poolings before
        conv2d: 2 groups do not divide 1 channels and 1 outputs | choose a number of groups that divides both
        conv2d: 1000000000000000 groups do not divide 1 channels and 1 outputs | choose a number of groups that divides both
        conv2d: the input "weight" is missing
        conv2d: no input is named "wieght" | known: x, weight, bias | did you mean "weight"?
        conv2d: [1] is not a batch of images [N, C, H, W] | one image is x.unsqueeze(0), rows of pixels are x.reshape([n, channels, height, width])
        max_pool2d: the option "kernel" is missing: a whole number from 1 to 65536, or several, separated by commas
        max_pool2d: a window of 3x3 does not fit into an image of 2x2 with padding [0, 0] | use a smaller window, or fewer poolings before
        max_pool2d: a window of 65536x65536 does not fit into an image of 2x2 with padding [1024, 1024] | use a smaller window, or fewer poolings before
        pad2d: a border of [2, 0, 0, 0] around an image of 2x2 | a mirrored border is smaller than the image: left and right less than its width, top and bottom than its height
        pad2d: [1, 1, 18000000000000002, 18000000000000002] has more elements than this machine can address
        pad2d: the result [1, 1, 100002, 100002] would have 10000400004 numbers: expected at most 16777216
        resize: an image of 2x2 cannot become one of [0, 1] | all four lengths are 1 or more
        resize: [1, 1, 9000000000000000, 9000000000000000] has more elements than this machine can address
        upsample_nearest2d: the result [1, 1, 100000, 100000] would have 10000000000 numbers: expected at most 16777216
        group_norm: 2 groups do not divide the 1 channels of [1, 1, 2, 2]: choose a number that does
        group_norm: [1] is not [N, C, ..]
        batch_norm2d: [1, 1] has 1 numbers in each channel, and the variance of a batch in training needs 2: use more samples or larger images, or "training": false
        batch_norm2d: the input "weight" is [2], but x is [1, 1, 2, 2]: expected one number for each channel, [1]
        batch_norm2d: eps 1e-60 is rounded to 0 in the type of the numbers: expected a larger one, or 0
        resize: [1] is not a batch of images [N, C, H, W] | one image is x.unsqueeze(0), rows of pixels are x.reshape([n, channels, height, width])
        softmax: there is no axis 7 | axes are 0 to 3 from the front, -1 to -4 from the back
        permute: [0, 0, 1, 2] is not an order of the axes of [1, 1, 2, 2] | each of the axes 0 to 3 must occur once
        slice: 1..9 does not lie in axis -1 of [1, 1, 2, 2] | its length is 2
        gather: index 0.5 at position 0 does not lie in axis 0 of [1], whose length is 1
        where: [2] does not fit the condition [1] | both values have the shape of the condition, or are a single number
        reshape: [1, 1, 2, 2] has 4 numbers, [3] would have 3
        leaky_relu: slope: expected a number, found "steep"
        grad_output is [2], the output []: they must have the same shape
        a tensor has at most 5 axes, not 6
        "grad_output" stands inside "inputs" and beside them
        softmax_cross_entropy: label 1 at [0, 1, 1] is not one of the 1 classes 0 to 0: do the labels start at 1, or is the last layer too narrow?"#]].assert_eq(&told.join("\n"));
    let wide = json!({ "inputs": { "a": vec![[0]; 5000], "b": [vec![0; 5000]] } }).to_string();
    let told = ["add", "matmul"].map(|name| error_of(&lines(&given(&wide, &[name]))));
    expect![[r#"
        add: the result [5000, 5000] would have 25000000 numbers: expected at most 16777216
        matmul: the result [5000, 5000] would have 25000000 numbers: expected at most 16777216"#]]
    .assert_eq(&told.join("\n"));
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
    expect![[r#"
        error: nameless.json: "op" is missing: a file to check must name its operation
        error: 2 of 2 files exceed their error budgets
    "#]]
    .assert_eq(text(&output.stderr));
}
