//! Every mistake in a setting is told where it was made, with what was expected, and what to try.

use serde_json::{Value, json};

use super::replay;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");

fn neuron() -> Value {
    json!({
        "kind": "neuron", "epoch": "a word of documentation", "epochs": [0, 1, 10],
        "runs": [{ "id": "a", "loss": "bce", "eta": 0.5, "x": 1.0, "y": 0.0, "w0": 0.6, "b0": 0.9,
                   "milestones": [0.5], "cap": 100 }],
    })
}

fn logreg() -> Value {
    json!({
        "kind": "logreg", "data": "data_iris.json", "positive_class": 2, "preprocess": { "standardise": "population" },
        "n_features": 4, "epochs": [0, 1], "starts": [{ "id": "zero", "w0": [0, 0, 0, 0], "b0": 0 }],
        "runs": [{ "id": "a", "start": "zero", "loss": "mse", "eta": 0.1 }],
    })
}

fn mlp() -> Value {
    json!({
        "kind": "mlp", "epochs": [0, 1], "inputs": [[0, 1], [1, 0], [1, 1]], "targets": [[0], [1], [1]],
        "thresholds": { "values": [0.4], "caps": 10 },
        "runs": [{ "id": "a", "loss": "sigmoid_bce", "eta": 0.1, "hidden_activations": ["relu"],
                   "init": [{ "W": [[1, 2], [3, 4]], "b": [0, 0] }, { "W": [[1], [2]], "b": [0] }] }],
    })
}

fn gradient_flow() -> Value {
    json!({
        "kind": "gradient_flow", "sizes": [2, 1, 2], "X": [[0.5, 1], [1, 0.25]], "labels": [0, 1],
        "params": [{ "W": [[1], [2]], "b": [0] }, { "W": [[1, 2]], "b": [0, 0] }],
        "runs": [{ "id": "a", "loss": "linear_half_mse", "hidden": "tanh" }],
    })
}

fn optimizers() -> Value {
    json!({
        "kind": "optimizers", "steps": 2,
        "problems": { "quadratic": { "A": [[2, 0], [0, 1]], "b": [1, 0], "start": [1, 1] },
                      "logistic": { "X": [[1, 2], [3, 4]], "y": [0, 1], "start": [0, 0, 0] } },
        "algorithms": { "nesterov": { "lr": 0.1, "mu": 0.0 },
                        "adamw_mine": { "lr": 0.1, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.1 } },
    })
}

type Change = fn(&mut Value);

/// The setting is replayed as it is; with each of the changes, it gives the message that stands beside it.
#[track_caller]
fn check(setting: fn() -> Value, cases: &[(Change, &str)]) {
    replay(&setting(), FOLDER).unwrap();
    for (change, message) in cases {
        let mut changed = setting();
        change(&mut changed);
        assert_eq!(replay(&changed, FOLDER).unwrap_err().to_string().replace(FOLDER, "FOLDER"), *message);
    }
}

fn remove(value: &mut Value, key: &str) {
    value.as_object_mut().unwrap().remove(key);
}

#[test]
fn missing_and_misspelt_keys() {
    check(
        neuron,
        &[
            (
                |s| *s = json!([1]),
                "setting: expected an object, found a list of 1 | write {\"key\": value, ..}",
            ),
            (|s| *s = json!({}), "setting.kind: expected this key, found no keys | add it"),
            (
                |s| s["kind"] = json!("neurons"),
                "setting.kind: expected one of neuron, logreg, mlp, gradient_flow, optimizers, found \"neurons\" | did you mean \"neuron\"?",
            ),
            (
                |s| remove(s, "runs"),
                "setting.runs: expected this key, found only epoch, epochs, kind | add it",
            ),
            (
                |s| remove(s, "epochs"),
                "setting.epochs: expected this key, found \"epoch\" | is that a slip of the pen? Rename it, or add \"epochs\"",
            ),
            (
                |s| s["runs"][0] = json!({ "id": "a", "loss": "bce", "w0": 0.5, "b0": 0.5, "x": 1, "y": 0, "milestones": [], "cap": 1, "etta": 1 }),
                "setting.runs[0].eta: expected this key, found \"etta\" | is that a slip of the pen? Rename it, or add \"eta\"",
            ),
            (
                |s| remove(&mut s["runs"][0], "w0"),
                "setting.runs[0].w0: expected this key, found only b0, cap, eta, id, loss, milestones, x, y | add it",
            ),
        ],
    );
    check(
        mlp,
        &[(
            |s| {
                s["treshold"] = s["thresholds"].clone();
                remove(s, "thresholds");
            },
            "setting.thresholds: expected this key, found \"treshold\" | \
         is that a slip of the pen? Rename it, or add \"thresholds\"",
        )],
    );
}

#[test]
fn other_types_and_numbers_that_are_not_finite() {
    check(
        neuron,
        &[
            (
                |s| s["runs"][0]["eta"] = json!("0.5"),
                "setting.runs[0].eta: expected a finite number, found \"0.5\" | write a number such as 0.5, without quotes",
            ),
            (
                |s| s["runs"][0]["w0"] = json!(f64::INFINITY),
                "setting.runs[0].w0: expected a finite number, found null | write a number such as 0.5, without quotes",
            ),
            (
                |s| s["runs"][0]["milestones"] = json!([0.5, "NaN"]),
                "setting.runs[0].milestones[1]: expected a finite number, found \"NaN\" | \
             write a number such as 0.5, without quotes",
            ),
            (
                |s| s["runs"][0]["milestones"] = json!(0.5),
                "setting.runs[0].milestones: expected a list, found 0.5 | put it into brackets, also if it is one",
            ),
            (
                |s| s["runs"][0]["cap"] = json!(100.0),
                "setting.runs[0].cap: expected a count, found 100.0 | write 0 or a positive integer, without a decimal point",
            ),
            (
                |s| s["runs"][0]["id"] = json!(1),
                "setting.runs[0].id: expected a string, found 1 | put it into quotes",
            ),
            (
                |s| (s["runs"][0]["eta"], s["runs"][0]["x"]) = (json!(1e308), json!(1e10)),
                "setting.runs[0].eta: expected numbers that stay finite, found an infinity or NaN in \"w\" at epoch 1 | \
                 try a smaller eta, or a start nearer 0",
            ),
        ],
    );
    check(
        mlp,
        &[(
            |s| (s["inputs"][0][1], s["runs"][0]["init"][0]["W"][1][0]) = (json!(1e200), json!(1e200)),
            "setting.runs[0].eta: expected numbers that stay finite, found a loss of inf at epoch 0 | try a smaller eta, or a start nearer 0",
        )],
    );
}

#[test]
fn epochs_in_another_order() {
    let hint = "sort the list, and name each epoch once";
    let message = |at: usize, before: usize, found: usize| {
        format!("setting.epochs[{at}]: expected an epoch after {before}, found {found} | {hint}")
    };
    check(
        neuron,
        &[
            (|s| s["epochs"] = json!([0, 10, 5]), &message(2, 10, 5)),
            (|s| s["epochs"] = json!([0, 0]), &message(1, 0, 0)),
            (
                |s| s["epochs"] = json!([-1]),
                "setting.epochs[0]: expected a count, found -1 | write 0 or a positive integer, without a decimal point",
            ),
        ],
    );
}

#[test]
fn unknown_losses_activations_and_starts() {
    check(
        neuron,
        &[(
            |s| s["runs"][0]["loss"] = json!("bec"),
            "setting.runs[0].loss: expected one of half_squared, bce, found \"bec\" | did you mean \"bce\"?",
        )],
    );
    check(
        logreg,
        &[
            (
                |s| s["runs"][0]["loss"] = json!("hinge"),
                "setting.runs[0].loss: expected one of bce, half_mse, mse, found \"hinge\" | nothing else is known here",
            ),
            (
                |s| s["runs"][0]["start"] = json!("zeros"),
                "setting.runs[0].start: expected one of zero, found \"zeros\" | did you mean \"zero\"?",
            ),
        ],
    );
    check(
        mlp,
        &[
            (
                |s| s["runs"][0]["loss"] = json!("softmax_mse"),
                "setting.runs[0].loss: expected one of sigmoid_bce, sigmoid_half_mse, sigmoid_mse, softmax_ce, \
             softmax_half_mse, linear_half_mse, found \"softmax_mse\" | nothing else is known here",
            ),
            (
                |s| s["runs"][0]["hidden_activations"] = json!(["tahn"]),
                "setting.runs[0].hidden_activations[0]: expected one of sigmoid, tanh, relu, found \"tahn\" | \
             did you mean \"tanh\"?",
            ),
        ],
    );
}

#[test]
fn sizes_that_do_not_fit() {
    check(
        mlp,
        &[
            (
                |s| s["runs"][0]["init"][0]["W"] = json!([[1, 2]]),
                "setting.runs[0].init[0].W: expected as many rows as the layer has inputs, 2, found 1 | \
             W is listed as [inputs, outputs]: is it transposed?",
            ),
            (
                |s| s["runs"][0]["init"][0]["b"] = json!([1]),
                "setting.runs[0].init[0].b: expected a list of 2, found a list of 1 | b has one number for each column of W",
            ),
            (
                |s| s["runs"][0]["init"][0]["W"] = json!([[1, 2], [3]]),
                "setting.runs[0].init[0].W[1]: expected a list of 2, found a list of 1 | \
             the rows of a matrix have one length: is a number missing?",
            ),
            (
                |s| s["inputs"] = json!([]),
                "setting.inputs: expected rows of numbers, found a list of 0 | write [[1, 2], [3, 4]]",
            ),
            (
                |s| s["inputs"] = json!([[], [], []]),
                "setting.inputs[0]: expected a list of 1, found a list of 0 | \
             the rows of a matrix have one length: is a number missing?",
            ),
            (
                |s| s["runs"][0]["init"] = json!([]),
                "setting.runs[0].init: expected at least one layer, found a list of 0 | \
             write [{\"W\": [[..], ..], \"b\": [..]}]",
            ),
            (
                |s| s["runs"][0]["hidden_activations"] = json!([]),
                "setting.runs[0].hidden_activations: expected a list of 1, found a list of 0 | \
             one activation stands between two of the 2 layers in setting.runs[0].init",
            ),
            (
                |s| s["targets"] = json!([[0], [1]]),
                "setting.targets: expected 3 targets, one for each row, found 2 | do inputs and targets belong together?",
            ),
            (
                |s| s["targets"] = json!([[0, 1], [1, 0], [1, 0]]),
                "setting.targets: expected as many columns as the net has outputs, 1, found 2 | does the last layer have the right width?",
            ),
            (
                |s| s["targets"][1][0] = json!(1.5),
                "setting.targets[1]: expected a target from 0 to 1, found 1.5 | \
             a cross-entropy compares probabilities: name the `positive_class` of labels",
            ),
        ],
    );
    check(
        logreg,
        &[
            (
                |s| s["starts"][0]["w0"] = json!([0, 0, 0]),
                "setting.starts[0].w0: expected a list of 4, found a list of 3 | there is one weight for each feature",
            ),
            (
                |s| s["n_features"] = json!(5),
                "setting.n_features: expected 4, found 5 | is this the right data file?",
            ),
            (
                |s| remove(s, "positive_class"),
                "data_iris.json.y[100]: expected a target from 0 to 1, found 2 | \
             a cross-entropy compares probabilities: name the `positive_class` of labels",
            ),
        ],
    );
    check(
        neuron,
        &[(
            |s| s["runs"][0]["y"] = json!(-1),
            "setting.runs[0].y: expected a target from 0 to 1, found -1 | a cross-entropy compares probabilities",
        )],
    );
}

#[test]
fn data_files_and_what_is_done_to_them() {
    check(
        logreg,
        &[
            (
                |s| s["data"] = json!("data_irsi.json"),
                "setting.data: expected a file that can be read, found FOLDER/data_irsi.json: \
             No such file or directory (os error 2) | data files stand in the folder that is given to `replay`",
            ),
            (
                |s| s["positive_class"] = json!(3),
                "setting.positive_class: expected one of the labels in data_iris.json.y, found 3 | labels count from 0",
            ),
            (
                |s| s["data"] = json!("xor_mlp.json"),
                "xor_mlp.json.X: expected this key, found only claim, expected, name, provenance, schema, setting, \
             tolerance, validation | add it",
            ),
            (
                |s| s["preprocess"] = json!({ "standardise": "sample" }),
                "setting.preprocess.standardise: expected one of population, found \"sample\" | nothing else is known here",
            ),
            (
                |s| s["preprocess"] = json!({ "divide_by": 0 }),
                "setting.preprocess.divide_by: expected a number that is not 0, found 0 | divide pixels by 255",
            ),
            (
                |s| s["preprocess"] = json!({ "scale": 2 }),
                "setting.preprocess.divide_by: expected this key, found only scale | add it",
            ),
        ],
    );
}

#[test]
fn labels_are_classes_of_the_last_layer() {
    fn softmax() -> Value {
        json!({
            "kind": "mlp", "data": "data_iris.json", "targets": "one-hot", "epochs": [0],
            "preprocess": { "divide_by": 8 },
            "runs": [{ "id": "a", "loss": "softmax_ce", "eta": 0.1, "hidden_activations": [],
                       "init": [{ "W": vec![[0.5, 0.0, 0.0]; 4], "b": [0, 0, 0] }] }],
        })
    }
    check(
        softmax,
        &[(
            |s| s["runs"][0]["init"] = json!([{ "W": vec![[0.5, 0.0]; 4], "b": [0, 0] }]),
            "data_iris.json.y[100]: expected a class from 0 to 1, found 2 | is the last layer too narrow?",
        )],
    );
}

#[test]
fn flows_of_other_nets() {
    check(
        gradient_flow,
        &[
            (
                |s| s["sizes"] = json!([2, 2, 2]),
                "setting.sizes: expected [2, 1, 2], found [2, 2, 2] | which are the sizes of X and params",
            ),
            (
                |s| s["params"] = json!([]),
                "setting.params: expected at least one layer, found a list of 0 | write [{\"W\": [[..], ..], \"b\": [..]}]",
            ),
            (
                |s| s["labels"] = json!([0, 1, 1]),
                "setting.labels: expected 2 targets, one for each row, found 3 | do inputs and targets belong together?",
            ),
            (
                |s| s["labels"][1] = json!(2),
                "setting.labels[1]: expected a class from 0 to 1, found 2 | is the last layer too narrow?",
            ),
            (
                |s| s["runs"][0]["hidden"] = json!("sigmod"),
                "setting.runs[0].hidden: expected one of sigmoid, tanh, relu, found \"sigmod\" | did you mean \"sigmoid\"?",
            ),
            (
                |s| s["runs"][0]["hidden"] = json!(["tanh", "relu"]),
                "setting.runs[0].hidden: expected a list of 1, found a list of 2 | \
                 one activation stands between two of the 2 layers in setting.params",
            ),
            (
                |s| s["params"][1]["b"][0] = json!(1e200),
                "setting.runs[0]: expected finite numbers, found an infinity or NaN in \"layer_grad_norms\" | \
                 are the numbers in params and X too large, or does the net fit its targets exactly?",
            ),
            (
                |s| {
                    s["params"] = json!([{ "W": [[0], [0]], "b": [0] }, { "W": [[0, 0]], "b": [1, 0] }]);
                    s["labels"] = json!([0, 0]);
                },
                "setting.runs[0]: expected finite numbers, found an infinity or NaN in \"ratio_first_to_last\" | \
                 are the numbers in params and X too large, or does the net fit its targets exactly?",
            ),
        ],
    );
}

#[test]
fn algorithms_and_problems_that_are_none() {
    check(
        optimizers,
        &[
            (
                |s| s["algorithms"]["adamax_2"] = json!({}),
                "setting.algorithms.adamax_2: expected one of sgd, momentum, nesterov, rmsprop, adam, adamw, found \"adamax\" | \
                 did you mean \"adam\"?",
            ),
            (
                |s| s["algorithms"] = json!("adam"),
                "setting.algorithms: expected an object, found \"adam\" | write {\"key\": value, ..}",
            ),
            (
                |s| remove(&mut s["algorithms"]["adamw_mine"], "weight_decay"),
                "setting.algorithms.adamw_mine.weight_decay: expected this key, found only beta1, beta2, eps, lr | add it",
            ),
            (
                |s| s["algorithms"]["adamw_mine"]["beta2"] = json!(1),
                "setting.algorithms.adamw_mine.beta2: expected a number from 0 to below 1, found 1 | 0.999 is usual",
            ),
            (
                |s| s["algorithms"]["nesterov"]["lr"] = json!(0),
                "setting.algorithms.nesterov.lr: expected a finite number above 0, found 0 | \
                 0.1 is a usual start for Sgd, 0.001 for Adam",
            ),
            (
                |s| s["algorithms"]["nesterov"]["lr"] = json!(1e200),
                "setting.algorithms.nesterov.lr: expected numbers that stay finite, found an infinity or NaN in \"loss\" at step 1 | \
                 try a smaller lr, or a start nearer 0",
            ),
            (
                |s| s["problems"]["cubic"] = json!({}),
                "setting.problems.cubic: expected one of quadratic, logistic, found \"cubic\" | nothing else is known here",
            ),
            (
                |s| s["problems"]["quadratic"]["start"] = json!([1]),
                "setting.problems.quadratic.A: expected 1 rows of 1, found 2 rows of 2 | the start has as many numbers",
            ),
            (
                |s| s["problems"]["quadratic"]["b"] = json!([1]),
                "setting.problems.quadratic.b: expected a list of 2, found a list of 1 | the start has as many numbers",
            ),
            (
                |s| s["problems"]["logistic"]["start"] = json!([0, 0]),
                "setting.problems.logistic.start: expected a list of 3, found a list of 2 | \
                 theta is one weight for each column of X, and then the bias",
            ),
            (
                |s| s["problems"]["logistic"]["y"] = json!([0, 2]),
                "setting.problems.logistic.y[1]: expected a target from 0 to 1, found 2 | \
                 a cross-entropy compares probabilities: name the `positive_class` of labels",
            ),
            (
                |s| s["steps"] = json!(-1),
                "setting.steps: expected a count, found -1 | write 0 or a positive integer, without a decimal point",
            ),
        ],
    );
}
