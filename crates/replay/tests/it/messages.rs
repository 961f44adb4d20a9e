//! Every mistake in a setting, with its message in messages.txt: where it was made, what was expected, and what to try.

use expect_test::expect_file;
use serde_json::{Value, json};
use surprisal_replay::{Reference, replay};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");

#[test]
fn messages() {
    let mut messages = String::new();
    for part in [
        missing_and_misspelled_keys,
        other_types_and_numbers_that_are_not_finite,
        epochs_in_another_order,
        unknown_losses_activations_and_starts,
        sizes_that_do_not_fit,
        data_files_and_what_is_done_to_them,
        labels_are_classes_of_the_last_layer,
        flows_of_other_nets,
        algorithms_and_problems_that_are_none,
        sweeps_of_other_neurons,
        curvature_of_what_does_not_fit,
        stationary_points_of_what_does_not_fit,
        points_outside_of_their_ranges,
        calibration_of_what_does_not_fit,
        convolutional_nets_that_do_not_fit,
        absurd_counts,
        files_that_are_no_references,
    ] {
        part(&mut messages);
    }
    expect_file!["messages.txt"].assert_eq(&messages);
}

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

fn part(messages: &mut String, title: &str) {
    *messages += &format!("# {title}\n\n");
}

/// Adds the message of a result that must be an error, below what gives it.
#[track_caller]
fn add<T, E: ToString>(messages: &mut String, case: &str, result: Result<T, E>) {
    let Err(error) = result else { panic!("this should have failed: {case}") };
    *messages += &format!("{case}\n    {}\n\n", error.to_string().replace(FOLDER, "FOLDER"));
}

/// The setting is replayed as it is; with each of the changes, it gives a message.
macro_rules! check {
    ($messages:ident, $setting:ident, $($change:expr),+ $(,)?) => {
        replay(&$setting(), FOLDER).unwrap();
        $(
            let mut changed = $setting();
            let change: fn(&mut Value) = $change;
            change(&mut changed);
            let case = stringify!($change).split_whitespace().collect::<Vec<_>>().join(" ");
            let case = case.strip_prefix("|s| ").unwrap();
            add($messages, &format!("{}: {case}", stringify!($setting)), replay(&changed, FOLDER));
        )+
    };
}

fn remove(value: &mut Value, key: &str) {
    value.as_object_mut().unwrap().remove(key);
}

fn missing_and_misspelled_keys(m: &mut String) {
    part(m, "missing and misspelled keys");
    check!(
        m,
        neuron,
        |s| *s = json!([1]),
        |s| *s = json!({}),
        |s| s["kind"] = json!("neurons"),
        |s| remove(s, "runs"),
        |s| remove(s, "epochs"),
        |s| s["runs"][0] = json!({ "id": "a", "loss": "bce", "w0": 0.5, "b0": 0.5, "x": 1, "y": 0, "milestones": [], "cap": 1, "etta": 1 }),
        |s| remove(&mut s["runs"][0], "w0")
    );
    check!(m, mlp, |s| {
        s["treshold"] = s["thresholds"].clone();
        remove(s, "thresholds");
    });
}

fn other_types_and_numbers_that_are_not_finite(m: &mut String) {
    part(m, "other types and numbers that are not finite");
    check!(
        m,
        neuron,
        |s| s["runs"][0]["eta"] = json!("0.5"),
        |s| s["runs"][0]["w0"] = json!(f64::INFINITY),
        |s| s["runs"][0]["milestones"] = json!([0.5, "NaN"]),
        |s| s["runs"][0]["milestones"] = json!(0.5),
        |s| s["runs"][0]["cap"] = json!(100.0),
        |s| s["runs"][0]["id"] = json!(1),
        |s| (s["runs"][0]["eta"], s["runs"][0]["x"]) = (json!(1e308), json!(1e10))
    );
    check!(m, mlp, |s| (s["inputs"][0][1], s["runs"][0]["init"][0]["W"][1][0]) =
        (json!(1e200), json!(1e200)));
}

fn epochs_in_another_order(m: &mut String) {
    part(m, "epochs in another order");
    check!(
        m,
        neuron,
        |s| s["epochs"] = json!([0, 10, 5]),
        |s| s["epochs"] = json!([0, 0]),
        |s| s["epochs"] = json!([-1])
    );
}

fn unknown_losses_activations_and_starts(m: &mut String) {
    part(m, "unknown losses, activations and starts");
    check!(m, neuron, |s| s["runs"][0]["loss"] = json!("bec"));
    check!(m, logreg, |s| s["runs"][0]["loss"] = json!("hinge"), |s| s["runs"][0]["start"] = json!("zeros"));
    check!(m, mlp, |s| s["runs"][0]["loss"] = json!("softmax_mse"), |s| s["runs"][0]["hidden_activations"] =
        json!(["tahn"]));
}

fn sizes_that_do_not_fit(m: &mut String) {
    part(m, "sizes that do not fit");
    check!(
        m,
        mlp,
        |s| s["runs"][0]["init"][0]["W"] = json!([[1, 2]]),
        |s| s["runs"][0]["init"][0]["b"] = json!([1]),
        |s| s["runs"][0]["init"][0]["W"] = json!([[1, 2], [3]]),
        |s| s["inputs"] = json!([]),
        |s| s["inputs"] = json!([[], [], []]),
        |s| s["runs"][0]["init"] = json!([]),
        |s| s["runs"][0]["hidden_activations"] = json!([]),
        |s| s["targets"] = json!([[0], [1]]),
        |s| s["targets"] = json!([[0, 1], [1, 0], [1, 0]]),
        |s| s["targets"][1][0] = json!(1.5)
    );
    check!(m, logreg, |s| s["starts"][0]["w0"] = json!([0, 0, 0]), |s| s["n_features"] = json!(5), |s| {
        remove(s, "positive_class")
    });
    check!(m, neuron, |s| s["runs"][0]["y"] = json!(-1));
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

fn data_files_and_what_is_done_to_them(m: &mut String) {
    part(m, "data files and what is done to them");
    check!(
        m,
        logreg,
        |s| s["data"] = json!("data_irsi.json"),
        |s| s["positive_class"] = json!(3),
        |s| {
            remove(s, "positive_class");
            s["preprocess"]["positive_class"] = json!(3);
        },
        |s| s["preprocess"]["positive_class"] = json!(2),
        |s| s["data"] = json!("xor_mlp.json"),
        |s| s["preprocess"] = json!({ "standardise": "sample" }),
        |s| s["preprocess"] = json!({ "divide_by": 0 }),
        |s| s["preprocess"] = json!({ "scale": 2 })
    );
}

fn labels_are_classes_of_the_last_layer(m: &mut String) {
    part(m, "labels are classes of the last layer");
    fn softmax() -> Value {
        json!({
            "kind": "mlp", "data": "data_iris.json", "targets": "one-hot", "epochs": [0],
            "preprocess": { "divide_by": 8 },
            "runs": [{ "id": "a", "loss": "softmax_ce", "eta": 0.1, "hidden_activations": [],
                       "init": [{ "W": vec![[0.5, 0.0, 0.0]; 4], "b": [0, 0, 0] }] }],
        })
    }
    check!(m, softmax, |s| s["runs"][0]["init"] = json!([{ "W": vec![[0.5, 0.0]; 4], "b": [0, 0] }]));
}

fn flows_of_other_nets(m: &mut String) {
    part(m, "flows of other nets");
    check!(
        m,
        gradient_flow,
        |s| s["sizes"] = json!([2, 2, 2]),
        |s| s["params"] = json!([]),
        |s| s["labels"] = json!([0, 1, 1]),
        |s| s["labels"][1] = json!(2),
        |s| s["runs"][0]["hidden"] = json!("sigmod"),
        |s| s["runs"][0]["hidden"] = json!(["tanh", "relu"]),
        |s| s["params"][1]["b"][0] = json!(1e200),
        |s| {
            s["params"] = json!([{ "W": [[0], [0]], "b": [0] }, { "W": [[0, 0]], "b": [1, 0] }]);
            s["labels"] = json!([0, 0]);
        }
    );
}

fn algorithms_and_problems_that_are_none(m: &mut String) {
    part(m, "algorithms and problems that are none");
    check!(
        m,
        optimizers,
        |s| s["algorithms"]["adamax_2"] = json!({}),
        |s| s["algorithms"] = json!("adam"),
        |s| remove(&mut s["algorithms"]["adamw_mine"], "weight_decay"),
        |s| s["algorithms"]["adamw_mine"]["beta2"] = json!(1),
        |s| s["algorithms"]["nesterov"]["lr"] = json!(0),
        |s| s["algorithms"]["nesterov"]["lr"] = json!(1e200),
        |s| s["problems"]["cubic"] = json!({}),
        |s| s["problems"]["quadratic"]["start"] = json!([1]),
        |s| s["problems"]["quadratic"]["b"] = json!([1]),
        |s| s["problems"]["logistic"]["start"] = json!([0, 0]),
        |s| s["problems"]["logistic"]["y"] = json!([0, 2]),
        |s| s["steps"] = json!(-1)
    );
}

fn sweeps_of_other_neurons(m: &mut String) {
    part(m, "sweeps of other neurons");
    check!(
        m,
        neuron_sweep,
        |s| s["threshold_value"] = json!(1),
        |s| s["y"] = json!(2),
        |s| s["starts"][0] = json!([1]),
        |s| s["starts"][0][1] = json!("NaN"),
        |s| remove(s, "starts"),
        |s| (s["eta"], s["x"], s["y"]) = (json!(1e308), json!(3), json!(0.5))
    );
}

fn curvature_of_what_does_not_fit(m: &mut String) {
    part(m, "curvature of what does not fit");
    check!(
        m,
        curvature,
        |s| s["scalar_points"][0]["y"] = json!(-1),
        |s| s["thetas"][0] = json!([0, 0]),
        |s| s["thetas"] = json!([0, 0, 0]),
        |s| s["midpoint_pairs"][0]["theta_b"] = json!([0, 0, 0, 0]),
        |s| s["y"] = json!([0]),
        |s| s["mlp_points"][0]["sizes"] = json!([3, 1]),
        |s| s["mlp_points"][0]["theta"] = json!([1]),
        |s| s["mlp_points"][0]["sizes"][1] = json!(1_000_000_000_000u64),
        |s| s["mlp_points"][0] = json!({ "sizes": [2, 200, 1], "theta": vec![0.5; 801] }),
        |s| s["X"][0][0] = json!(1e200),
        |s| *s = json!({ "kind": "curvature", "scalar": [] })
    );
}

fn stationary_points_of_what_does_not_fit(m: &mut String) {
    part(m, "stationary points of what does not fit");
    check!(
        m,
        stationary_points,
        |s| s["points"] = json!([[1, 0, 1]]),
        |s| s["points"] = json!([[1, 0], [1, 1.5]]),
        |s| s["search_interval"] = json!([1, -1]),
        |s| remove(s, "search_interval")
    );
}

fn points_outside_of_their_ranges(m: &mut String) {
    part(m, "points outside of their ranges");
    check!(
        m,
        pointwise,
        |s| s["binary_points"][0]["y"] = json!(1.5),
        |s| s["softmax_points"][0]["label"] = json!(2),
        |s| s["softmax_points"][0]["label_smoothing"] = json!(2),
        |s| s["softmax_points"][0] = json!({ "logits": [1], "label": 0, "label_smothing": 0.1 }),
        |s| s["divergence_points"][0]["q"] = json!([0, 1]),
        |s| s["divergence_points"][0]["q"] = json!([0.5, 0.25, 0.25]),
        |s| s["divergence_points"][0]["p"] = json!([0.5, 0.25]),
        |s| s["focal_points"][0]["y"] = json!(0.5),
        |s| s["focal_points"][0]["gamma"] = json!(-1),
        |s| s["focal_points"][0]["alpha"] = json!(-1),
        |s| *s = json!({ "kind": "pointwise", "binary": "a word" })
    );
}

fn calibration_of_what_does_not_fit(m: &mut String) {
    part(m, "calibration of what does not fit");
    check!(
        m,
        calibration,
        |s| s["confidence"][1] = json!(1.5),
        |s| s["correct"][1] = json!(0.5),
        |s| s["correct"] = json!([1]),
        |s| (s["confidence"], s["correct"]) = (json!([]), json!([])),
        |s| s["bins"] = json!(0)
    );
}

fn conv_net() -> Value {
    json!({
        "kind": "conv_net", "eta": 0.1, "steps": 1, "batch": 2,
        "data": { "x": [[1, 2, 3, 4], [4, 0, 1, 2]], "x_shape": [2, 1, 2, 2], "divide_by": 4, "y": [0, 1] },
        "nodes": [
            { "name": "conv", "op": "conv2d", "from": ["x"], "padding": [1, 1] },
            { "name": "relu", "op": "relu", "from": ["conv"] },
            { "name": "flat", "op": "flatten", "from": ["relu"] },
            { "name": "out", "op": "linear", "from": ["flat"] },
        ],
        "init": {
            "conv.weight": [[[[0.5, -0.25], [0.25, 1]]]], "conv.bias": [0.125],
            "out.weight": [[1, 0], [0, 1], [1, 1], [0, 1], [1, 0], [1, 1], [0, 0.5], [1, 0.25], [0.75, 1]], "out.bias": [0, 0],
        },
        "loss": { "name": "softmax_ce" },
    })
}

fn convolutional_nets_that_do_not_fit(m: &mut String) {
    part(m, "convolutional nets that do not fit");
    check!(
        m,
        conv_net,
        |s| remove(s, "nodes"),
        |s| s["nodes"] = json!([]),
        |s| s["nodes"][1]["op"] = json!("rellu"),
        |s| s["nodes"][1]["op"] = json!("pixel_ce_dice"),
        |s| s["nodes"][1]["from"] = json!(["out"]),
        |s| s["nodes"][1]["from"] = json!([]),
        |s| s["nodes"][1]["from"] = json!(["conv", "x"]),
        |s| s["nodes"][1]["name"] = json!("conv"),
        |s| s["nodes"][0]["pading"] = json!([1, 1]),
        |s| s["nodes"][0]["stride"] = json!([0, 1]),
        |s| s["nodes"][0]["stride"] = json!([1, 1, 1]),
        |s| s["nodes"][0]["groups"] = json!(2),
        |s| s["nodes"][2]["axis"] = json!(1),
        |s| s["nodes"][1] = json!({ "name": "relu", "op": "max_pool2d", "from": ["conv"] }),
        |s| s["nodes"][1] = json!({ "name": "relu", "op": "group_norm", "from": ["conv"], "groups": 2 }),
        |s| s["nodes"][1] =
            json!({ "name": "relu", "op": "batch_norm2d", "from": ["conv"], "training": false }),
        |s| remove(&mut s["init"], "conv.weight"),
        |s| remove(&mut s["init"], "out.bias"),
        |s| s["init"]["relu.weight"] = json!([1]),
        |s| s["init"]["conv.weight"] = json!([[[[1, 2, 3, 4, 5, 6]]]]),
        |s| s["init"]["conv.weight"] = json!([[[[1, 2], [3]]]]),
        |s| s["init"]["conv.weight"] = json!([[[[1, 2], 3]]]),
        |s| s["init"]["conv.weight"] = json!([[[[[[1]]]]]]),
        |s| s["init"]["conv.bias"] = json!([1, 2]),
        |s| s["data"]["x_shape"] = json!([2, 1, 2, 3]),
        |s| s["data"]["x_shape"] = json!([2, 4]),
        |s| s["data"]["x_shape"] = json!([2, 1, 0, 4]),
        |s| s["data"]["divide_by"] = json!(0),
        |s| s["data"]["y"] = json!([0]),
        |s| s["data"]["y"] = json!([0, 2]),
        |s| s["data"]["y"] = json!([0, 0.5]),
        |s| {
            s["data"]["y"] = json!([[0, 1], [1, 0]]);
            s["data"]["y_shape"] = json!([2, 1, 2, 2]);
        },
        |s| s["loss"]["name"] = json!("softmax"),
        |s| s["loss"] = json!({ "name": "pixel_ce" }),
        |s| s["loss"] = json!({ "name": "ce_dice", "a": 2, "smooth": 1 }),
        |s| s["loss"] = json!({ "name": "ce_dice", "a": 0.5, "smooth": 1 }),
        |s| s["loss"] = json!({ "name": "supcon", "temperature": 0 }),
        |s| s["loss"] = json!({ "name": "supcon", "temperature": 0.1 }),
        |s| s["batch"] = json!(0),
        |s| s["eta"] = json!(1e300),
        |s| s["probe"] =
            json!({ "init": {}, "eta": 1, "steps": 1, "batch": 2, "loss": { "name": "softmax_ce" } }),
    );
}

/// What would take hours or fill the memory is refused at once.
fn absurd_counts(m: &mut String) {
    part(m, "absurd counts");
    check!(m, neuron, |s| s["runs"][0]["cap"] = json!(1_000_000_000_000_000u64), |s| s["epochs"][2] =
        json!(1_000_000_000_000_000u64));
    check!(m, mlp, |s| s["thresholds"]["caps"] = json!(1_000_000_000_000_000u64));
    check!(m, neuron_sweep, |s| s["cap"] = json!(1_000_000_000_000_000u64));
    check!(m, calibration, |s| s["bins"] = json!(1_000_000_000_000u64));
    check!(m, optimizers, |s| s["steps"] = json!(1_000_000_000));
    check!(
        m,
        conv_net,
        |s| s["steps"] = json!(1_000_000_000),
        |s| s["batch"] = json!(3),
        |s| s["data"]["x_shape"] = json!([2, 1_000_000, 1_000_000, 1_000_000]),
        |s| {
            s["nodes"][1]["op"] = json!("upsample_nearest2d");
            s["nodes"][1]["size"] = json!([100_000, 100_000]);
        },
    );
}

fn files_that_are_no_references(m: &mut String) {
    part(m, "files that are no references");
    let data = Reference::read(format!("{FOLDER}/data_iris.json")).unwrap();
    add(m, "nowhere.json", Reference::read(format!("{FOLDER}/nowhere.json")));
    add(m, "replay data_iris.json", data.replay(None));
    add(m, "compare data_iris.json", data.compare(&json!({})));
}
