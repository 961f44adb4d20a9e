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

fn neuron_sweep() -> Value {
    json!({
        "kind": "neuron_sweep", "threshold_value": 0.1, "x": 1, "y": 0, "eta": 0.5, "cap": 100, "starts": [[1, 1]],
    })
}

fn curvature() -> Value {
    json!({
        "kind": "curvature", "scalar_points": [{ "z": 1, "y": 0.5 }], "X": [[1, 2], [3, 4]], "y": [0, 1],
        "thetas": [[0, 0, 0]], "midpoint_pairs": [{ "theta_a": [0, 0, 0], "theta_b": [1, 1, 1] }],
        "mlp_points": [{ "id": "a", "sizes": [2, 1, 1], "theta": [1, 2, 3, 4, 5] }],
    })
}

fn stationary_points() -> Value {
    json!({ "kind": "stationary_points", "points": [[1, 0.5]], "search_interval": [-1, 1] })
}

fn pointwise() -> Value {
    json!({
        "kind": "pointwise", "binary_points": [{ "z": 1, "y": 0.5 }],
        "softmax_points": [{ "logits": [1, 2], "label": 1 }],
        "divergence_points": [{ "p": [0, 1], "q": [0.5, 0.5] }],
        "focal_points": [{ "z": 1, "y": 1, "gamma": 2 }],
    })
}

fn calibration() -> Value {
    json!({ "kind": "calibration", "confidence": [0.7, 0.1], "correct": [1, 0], "bins": 10 })
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
                "setting.kind: expected one of neuron, neuron_sweep, logreg, mlp, gradient_flow, optimizers, curvature, stationary_points, pointwise, calibration, found \"neurons\" | did you mean \"neuron\"?",
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

/// The reference files have it in either place.
#[test]
fn the_positive_class_is_taken_beside_preprocess_and_inside_of_it() {
    let beside = logreg();
    let mut inside = logreg();
    remove(&mut inside, "positive_class");
    inside["preprocess"]["positive_class"] = json!(2);
    let told = |setting: &Value| replay(setting, FOLDER).unwrap();
    assert_eq!(told(&inside), told(&beside));

    // also where nothing else is done to the data, and where the labels stand in the setting
    let mut unscaled = [logreg(), logreg()];
    remove(&mut unscaled[0], "preprocess");
    remove(&mut unscaled[1], "positive_class");
    unscaled[1]["preprocess"] = json!({ "positive_class": 2 });
    assert_eq!(told(&unscaled[1]), told(&unscaled[0]));
    let mut inline = [mlp(), mlp()];
    inline[1]["targets"] = json!([[0], [2], [2]]);
    inline[1]["preprocess"] = json!({ "positive_class": 2 });
    assert_eq!(told(&inline[1])["runs"], told(&inline[0])["runs"]);
}

#[test]
fn data_files_and_what_is_done_to_them() {
    check(
        logreg,
        &[
            (
                |s| s["data"] = json!("data_irsi.json"),
                "setting.data: expected a file that can be read, found FOLDER/data_irsi.json: \
             No such file or directory (os error 2) | data files stand beside the setting's file, or in the folder that is named (--data)",
            ),
            (
                |s| s["positive_class"] = json!(3),
                "setting.positive_class: expected one of the labels in data_iris.json.y, found 3 | labels count from 0",
            ),
            (
                |s| {
                    remove(s, "positive_class");
                    s["preprocess"]["positive_class"] = json!(3);
                },
                "setting.preprocess.positive_class: expected one of the labels in data_iris.json.y, found 3 | labels count from 0",
            ),
            (
                |s| s["preprocess"]["positive_class"] = json!(2),
                "setting.preprocess.positive_class: expected positive_class once, found 2 | it stands beside preprocess too: remove one of the two",
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

#[test]
fn sweeps_of_other_neurons() {
    check(
        neuron_sweep,
        &[
            (
                |s| s["threshold_value"] = json!(1),
                "setting.threshold_value: expected a number between 0 and 1, found 1 | it is the size of an error of σ",
            ),
            (
                |s| s["y"] = json!(2),
                "setting.y: expected a target from 0 to 1, found 2 | a cross-entropy compares probabilities",
            ),
            (
                |s| s["starts"][0] = json!([1]),
                "setting.starts[0]: expected a list of 2, found a list of 1 | a start is [w, b]",
            ),
            (
                |s| s["starts"][0][1] = json!("NaN"),
                "setting.starts[0][1]: expected a finite number, found \"NaN\" | write a number such as 0.5, without quotes",
            ),
            (
                |s| remove(s, "starts"),
                "setting.starts: expected this key, found only cap, eta, kind, threshold_value, x, y | add it",
            ),
            (
                |s| (s["eta"], s["x"], s["y"]) = (json!(1e308), json!(3), json!(0.5)),
                "setting.eta: expected numbers that stay finite, found a loss of inf at epoch 1 | \
                 try a smaller eta, or a start nearer 0",
            ),
        ],
    );
}

#[test]
fn curvature_of_what_does_not_fit() {
    check(
        curvature,
        &[
            (
                |s| s["scalar_points"][0]["y"] = json!(-1),
                "setting.scalar_points[0].y: expected a target from 0 to 1, found -1 | a cross-entropy compares probabilities",
            ),
            (
                |s| s["thetas"][0] = json!([0, 0]),
                "setting.thetas[0]: expected a list of 3, found a list of 2 | \
                 theta is one weight for each column of X, and then the bias",
            ),
            (
                |s| s["thetas"] = json!([0, 0, 0]),
                "setting.thetas[0]: expected a list, found 0 | put it into brackets, also if it is one",
            ),
            (
                |s| s["midpoint_pairs"][0]["theta_b"] = json!([0, 0, 0, 0]),
                "setting.midpoint_pairs[0].theta_b: expected a list of 3, found a list of 4 | \
                 theta is one weight for each column of X, and then the bias",
            ),
            (
                |s| s["y"] = json!([0]),
                "setting.y: expected 2 targets, one for each row, found 1 | do inputs and targets belong together?",
            ),
            (
                |s| s["mlp_points"][0]["sizes"] = json!([3, 1]),
                "setting.mlp_points[0].sizes: expected sizes from 2 to 1, such as [2, 4, 1], found [3, 1] | \
                 XOR has two inputs and one output",
            ),
            (
                |s| s["mlp_points"][0]["theta"] = json!([1]),
                "setting.mlp_points[0].theta: expected a list of 5, found a list of 1 | \
                 theta is W by rows, a row for each input, and then b, of one layer after the other",
            ),
            (
                |s| s["mlp_points"][0]["sizes"][1] = json!(1_000_000_000_000u64),
                "setting.mlp_points[0].sizes[1]: expected a count up to 500, found 1000000000000 | \
                 more would take too long, or too much memory",
            ),
            (
                |s| s["mlp_points"][0] = json!({ "sizes": [2, 200, 1], "theta": vec![0.5; 801] }),
                "setting.mlp_points[0].theta: expected at most 500 numbers, found a list of 801 | \
                 the Hessian has as many rows, and as many columns",
            ),
            (
                |s| s["X"][0][0] = json!(1e200),
                "setting.thetas[0]: expected finite derivatives, found an infinity or NaN | try numbers nearer 0",
            ),
            (
                |s| *s = json!({ "kind": "curvature", "scalar": [] }),
                "setting: expected one of scalar_points, thetas, midpoint_pairs, mlp_points, found an object | add a list of points",
            ),
        ],
    );
}

#[test]
fn stationary_points_of_what_does_not_fit() {
    check(
        stationary_points,
        &[
            (
                |s| s["points"] = json!([[1, 0, 1]]),
                "setting.points: expected rows of 2, found rows of 3 | a point is [x, y]",
            ),
            (
                |s| s["points"] = json!([[1, 0], [1, 1.5]]),
                "setting.points[1]: expected a target y from 0 to 1, found 1.5 | a cross-entropy compares probabilities",
            ),
            (
                |s| s["search_interval"] = json!([1, -1]),
                "setting.search_interval: expected two numbers, the lower first, found a list of 2 | write [-20, 10]",
            ),
            (
                |s| remove(s, "search_interval"),
                "setting.search_interval: expected this key, found only kind, points | add it",
            ),
        ],
    );
}

#[test]
fn points_outside_of_their_ranges() {
    check(
        pointwise,
        &[
            (
                |s| s["binary_points"][0]["y"] = json!(1.5),
                "setting.binary_points[0].y: expected a number from 0 to 1, found 1.5 | it is a probability, or a share",
            ),
            (
                |s| s["softmax_points"][0]["label"] = json!(2),
                "setting.softmax_points[0].label: expected a class, found 2 | \
                 classes count from 0, and setting.softmax_points[0].logits has 2",
            ),
            (
                |s| s["softmax_points"][0]["label_smoothing"] = json!(2),
                "setting.softmax_points[0].label_smoothing: expected a number from 0 to 1, found 2 | it is a probability, or a share",
            ),
            (
                |s| s["softmax_points"][0] = json!({ "logits": [1], "label": 0, "label_smothing": 0.1 }),
                "setting.softmax_points[0].label_smoothing: expected this key, found \"label_smothing\" | \
                 is that a slip of the pen? Rename it, or add \"label_smoothing\"",
            ),
            (
                |s| s["divergence_points"][0]["q"] = json!([0, 1]),
                "setting.divergence_points[0].q[0]: expected a probability above 0, found 0 | give one for each class",
            ),
            (
                |s| s["divergence_points"][0]["q"] = json!([0.5, 0.25, 0.25]),
                "setting.divergence_points[0].q: expected a list of 2, found a list of 3 | p and q tell of the same classes",
            ),
            (
                |s| s["divergence_points"][0]["p"] = json!([0.5, 0.25]),
                "setting.divergence_points[0].p: expected probabilities that sum to 1, found a sum of 0.75 | is a class missing?",
            ),
            (
                |s| s["focal_points"][0]["y"] = json!(0.5),
                "setting.focal_points[0].y: expected 0 or 1, found 0.5 | a focal loss knows yes and no",
            ),
            (
                |s| s["focal_points"][0]["gamma"] = json!(-1),
                "setting.focal_points[0].gamma: expected a number not below 0, found -1 | 2 is usual",
            ),
            (
                |s| s["focal_points"][0]["alpha"] = json!(-1),
                "setting.focal_points[0].alpha: expected a number from 0 to 1, found -1 | it is a probability, or a share",
            ),
            (
                |s| *s = json!({ "kind": "pointwise", "binary": "a word" }),
                "setting: expected one of binary_points, softmax_points, divergence_points, focal_points, found an object | \
                 add a list of points",
            ),
        ],
    );
}

#[test]
fn calibration_of_what_does_not_fit() {
    check(
        calibration,
        &[
            (
                |s| s["confidence"][1] = json!(1.5),
                "setting.confidence[1]: expected a number from 0 to 1, found 1.5 | a confidence is a probability",
            ),
            (
                |s| s["correct"][1] = json!(0.5),
                "setting.correct[1]: expected 0 or 1, found 0.5 | write 1 for a correct answer",
            ),
            (
                |s| s["correct"] = json!([1]),
                "setting.correct: expected a list of 2, found a list of 1 | each answer has a confidence",
            ),
            (
                |s| (s["confidence"], s["correct"]) = (json!([]), json!([])),
                "setting.confidence: expected at least one number, found a list of 0 | nothing has no calibration",
            ),
            (|s| s["bins"] = json!(0), "setting.bins: expected at least one bin, found 0 | 10 is usual"),
        ],
    );
}

/// What would take hours or fill the memory is refused at once.
#[test]
fn absurd_counts() {
    let told = |limit: usize, found: u64| {
        format!(
            "expected a count up to {limit}, found {found} | more would take too long, or too much memory"
        )
    };
    let steps = told(100_000_000, 1_000_000_000_000_000);
    check(
        neuron,
        &[
            (
                |s| s["runs"][0]["cap"] = json!(1_000_000_000_000_000u64),
                &format!("setting.runs[0].cap: {steps}"),
            ),
            (|s| s["epochs"][2] = json!(1_000_000_000_000_000u64), &format!("setting.epochs[2]: {steps}")),
        ],
    );
    check(
        mlp,
        &[(
            |s| s["thresholds"]["caps"] = json!(1_000_000_000_000_000u64),
            &format!("setting.thresholds.caps: {steps}"),
        )],
    );
    check(
        neuron_sweep,
        &[(|s| s["cap"] = json!(1_000_000_000_000_000u64), &format!("setting.cap: {steps}"))],
    );
    let bins = told(10_000, 1_000_000_000_000);
    check(calibration, &[(|s| s["bins"] = json!(1_000_000_000_000u64), &format!("setting.bins: {bins}"))]);
    let steps = told(100_000, 1_000_000_000);
    check(optimizers, &[(|s| s["steps"] = json!(1_000_000_000), &format!("setting.steps: {steps}"))]);
}

#[test]
fn files_that_are_no_references() {
    use super::Reference;
    let read = |name: &str| {
        Reference::read(format!("{FOLDER}/{name}")).map_err(|e| e.to_string().replace(FOLDER, "FOLDER"))
    };
    assert_eq!(
        read("nowhere.json").unwrap_err(),
        "FOLDER/nowhere.json: expected a file that can be read, found No such file or directory (os error 2) | is the path right?"
    );
    let data = read("data_iris.json").unwrap();
    assert_eq!(
        data.replay(None).unwrap_err().to_string().replace(FOLDER, "FOLDER"),
        "FOLDER/data_iris.json: setting: expected this key, found only X, d, feature_names, n, name, schema, source, target, y | add it"
    );
    let mismatch = data.compare(&json!({})).unwrap_err();
    assert!(mismatch.to_string().starts_with("expected: expected this key, found only X, d, "), "{mismatch}");
}
