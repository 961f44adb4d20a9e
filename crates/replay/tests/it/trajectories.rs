//! Trajectories that another program computed, held number by number; and proof that a difference would be found.

use serde_json::{Value, json};
use surprisal_replay::{Reference, compare, replay};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");

fn reference(name: &str) -> Value {
    let text = std::fs::read_to_string(format!("{FOLDER}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[track_caller]
fn replayed(setting: &Value) -> Value {
    replay(setting, FOLDER).unwrap_or_else(|error| panic!("{error}"))
}

/// The whole `expected` is met. In each run alone it is found out if the step is longer by 1e-7, if the loss is another,
/// and if what is reported of each epoch is the state one update later.
#[track_caller]
fn check(name: &str) {
    let reference = reference(name);
    let (setting, expected) = (&reference["setting"], &reference["expected"]);
    let hold = |found: Value, expected: &Value| compare(&found, expected, &reference["tolerance"]);
    match hold(replayed(setting), expected) {
        Ok(agreement) => println!("{name}: at worst {:.2e} of the tolerance", agreement.ratio),
        Err(mismatch) => panic!("{name}: {mismatch}"),
    }

    let runs = setting["runs"].as_array().unwrap();
    for (i, run) in runs.iter().enumerate() {
        let mut alone = setting.clone();
        alone["runs"] = json!([run]);
        let expected = json!({ "runs": [expected["runs"][i]] });
        let found_out = |what: &str, found: Value| {
            assert!(hold(found, &expected).is_err(), "{name}: {what} in {} was not found out", run["id"]);
        };
        assert!(hold(replayed(&alone), &expected).is_ok());

        let mut longer_step = alone.clone();
        longer_step["runs"][0]["eta"] = json!(run["eta"].as_f64().unwrap() * (1.0 + 1e-7));
        found_out("a longer step", replayed(&longer_step));

        let mut other_loss = alone.clone();
        let other = runs.iter().map(|run| &run["loss"]).find(|loss| **loss != run["loss"]);
        other_loss["runs"][0]["loss"] = other.unwrap().clone();
        found_out("another loss", replayed(&other_loss));

        let mut one_late = alone;
        change_epochs(one_late["epochs"].as_array_mut().unwrap().iter_mut(), 1);
        let mut late = replayed(&one_late);
        let told = if setting["kind"] == "neuron" { "trajectory" } else { "rows" };
        let rows = late["runs"][0][told].as_array_mut().unwrap();
        change_epochs(rows.iter_mut().map(|row| &mut row["epoch"]), -1);
        found_out("a late state", late);
    }
}

fn change_epochs<'a>(epochs: impl Iterator<Item = &'a mut Value>, by: i64) {
    epochs.for_each(|epoch| *epoch = json!(epoch.as_i64().unwrap() + by));
}

#[test]
fn a_neuron_learns_as_in_the_reference() {
    check("neuron_nielsen");
}

#[test]
fn logistic_regression_learns_as_in_the_reference() {
    check("logreg_breast_cancer");
}

#[test]
fn a_net_learns_xor_as_in_the_reference() {
    check("xor_mlp");
}

#[test]
fn softmax_regression_and_a_tanh_net_learn_as_in_the_reference() {
    check("softmax_iris");
}

/// Every reference file that is there is met.
#[test]
fn every_reference_is_met() {
    let mut kinds = std::collections::BTreeSet::new();
    for entry in std::fs::read_dir(FOLDER).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let document: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let Some(kind) = document["setting"]["kind"].as_str() else { continue }; // data
        let reference = Reference::read(&path).unwrap();
        let found = reference.replay(None).unwrap_or_else(|error| panic!("{error}"));
        let agreement = reference.compare(&found).unwrap_or_else(|mismatch| panic!("{mismatch}"));
        println!("{}: {agreement:?}", path.file_name().unwrap().display());
        assert!(agreement.ratio <= 1.0 && agreement.held >= 10);
        kinds.insert(kind.to_owned());
    }
    assert_eq!(kinds.len(), 11, "{kinds:?}");
}

/// Multiplies a number somewhere in a setting, told by its JSON pointer.
fn scale(setting: &mut Value, pointer: &str, factor: f64) {
    let number = setting.pointer_mut(pointer).unwrap_or_else(|| panic!("nothing at {pointer}"));
    *number = json!(number.as_f64().unwrap() * factor);
}

/// The whole `expected` is met. In each run alone it is found out if one number of the net is larger by 1e-7, and if the loss
/// or the activation is another.
#[test]
fn gradients_flow_as_in_the_reference() {
    let reference = reference("gradient_flow");
    let (setting, expected) = (&reference["setting"], &reference["expected"]);
    let hold = |found: Value, expected: &Value| compare(&found, expected, &reference["tolerance"]);
    let agreement = hold(replayed(setting), expected).unwrap_or_else(|mismatch| panic!("{mismatch}"));
    println!("gradient_flow: at worst {:.2e} of the tolerance", agreement.ratio);

    let runs = setting["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 15);
    for (i, run) in runs.iter().enumerate() {
        let mut alone = setting.clone();
        alone["runs"] = json!([run]);
        let expected = json!({ "runs": [expected["runs"][i]] });
        assert!(hold(replayed(&alone), &expected).is_ok());
        let found_out = |what: &str, change: &dyn Fn(&mut Value)| {
            let mut changed = alone.clone();
            change(&mut changed);
            assert!(
                hold(replayed(&changed), &expected).is_err(),
                "{what} in {} was not found out",
                run["id"]
            );
        };
        found_out("a bias", &|s| scale(s, "/params/4/b/0", 1.0 + 1e-7));
        found_out("an input", &|s| scale(s, "/X/0/0", 1.0 + 1e-7));
        for key in ["loss", "hidden"] {
            for other in runs.iter().map(|other| &other[key]).filter(|other| **other != run[key]) {
                found_out(&format!("{key} {other}"), &|s| s["runs"][0][key] = other.clone());
            }
        }
    }
}

/// The whole `expected` is met. For each algorithm on each problem alone it is found out if one of its numbers is larger by
/// 1e-7 (eps: doubled), if the rule is another with the same numbers, and if what is reported is the state one step later.
#[test]
fn optimizers_step_as_in_the_reference() {
    let reference = reference("optimizers_20_steps");
    let (setting, expected) = (&reference["setting"], &reference["expected"]);
    let hold = |found: &Value, expected: &Value| compare(found, expected, &reference["tolerance"]);
    let found = replayed(setting);
    let agreement = hold(&found, expected).unwrap_or_else(|mismatch| panic!("{mismatch}"));
    println!("optimizers_20_steps: at worst {:.2e} of the tolerance", agreement.ratio);

    let algorithms = setting["algorithms"].as_object().unwrap();
    let mut held = 0;
    for (problem, algorithm) in
        ["quadratic", "logistic"].iter().flat_map(|p| algorithms.keys().map(move |a| (p, a)))
    {
        let (numbers, expected) = (&algorithms[algorithm], &expected[problem][algorithm]);
        let mut alone = setting.clone();
        alone["problems"] = json!({ *problem: setting["problems"][problem] });
        alone["algorithms"] = json!({ algorithm: numbers });
        let rows = |setting: &Value| replayed(setting)[problem][algorithm].clone();
        assert!(hold(&rows(&alone), expected).is_ok());
        let found_out = |what: &str, rows: &Value| {
            assert!(hold(rows, expected).is_err(), "{what} of {algorithm} on {problem} was not found out");
        };

        for key in numbers.as_object().unwrap().keys() {
            let mut changed = alone.clone();
            let factor = if key == "eps" { 2.0 } else { 1.0 + 1e-7 };
            scale(&mut changed, &format!("/algorithms/{algorithm}/{key}"), factor);
            found_out(key, &rows(&changed));
        }
        for rule in ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"] {
            let mut other = alone.clone();
            other["algorithms"] = json!({ rule: numbers });
            if algorithm.split('_').next() != Some(rule)
                && let Ok(found) = replay(&other, FOLDER)
            {
                found_out(rule, &found[problem][rule]);
            }
        }
        let mut one_late = alone.clone();
        one_late["steps"] = json!(21);
        let mut late = rows(&one_late).as_array().unwrap()[1..].to_vec();
        late.iter_mut().enumerate().for_each(|(step, row)| row["step"] = json!(step));
        found_out("a late state", &json!(late));
        held += 1;
    }
    assert_eq!(held, 14);
}

/// `sigmoid_mse` lacks the half and divides by the number of outputs, too: an eta `outputs / 2` times as large makes up
/// for both.
#[test]
fn squared_errors_differ_by_their_factors_only() {
    let setting = |loss: &str, eta: f64| {
        json!({
            "kind": "mlp", "epochs": [0, 1, 20], "inputs": [[0.5, -1.0], [2.0, 0.3]], "targets": [[1, 0, 0], [0, 1, 1]],
            "runs": [{ "id": "", "loss": loss, "eta": eta, "hidden_activations": ["relu"], "init": [
                { "W": [[0.4, -0.2], [0.1, 0.7]], "b": [0.3, 0.1] },
                { "W": [[0.5, -0.6, 0.2], [-0.3, 0.1, 0.8]], "b": [0.0, 0.2, -0.1] },
            ] }],
        })
    };
    let rows = |loss, eta| replayed(&setting(loss, eta))["runs"][0]["rows"].clone();
    let (mse, half_mse) = (rows("sigmoid_mse", 1.5), rows("sigmoid_half_mse", 1.0));
    for (mse, half_mse) in mse.as_array().unwrap().iter().zip(half_mse.as_array().unwrap()) {
        let tolerance = json!({ "rtol": 1e-13, "atol": 1e-15 });
        compare(&mse["params"], &half_mse["params"], &tolerance).unwrap();
        let ratio = mse["loss"].as_f64().unwrap() / half_mse["loss"].as_f64().unwrap();
        assert!((ratio - 2.0 / 3.0).abs() < 1e-13, "{ratio}");
    }
}

/// What a reference file repeats of its setting: it is no result.
const REPEATED: &[&str] = &[
    "id",
    "sizes",
    "theta",
    "theta_a",
    "theta_b",
    "z",
    "y",
    "w0",
    "b0",
    "z0",
    "logits",
    "label",
    "label_smoothing",
    "p",
    "q",
    "gamma",
    "alpha",
];

fn without_repeated(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(without_repeated),
        Value::Object(values) => {
            values.retain(|key, _| !REPEATED.contains(&key.as_str()));
            values.values_mut().for_each(without_repeated);
        }
        _ => {}
    }
}

/// The JSON pointers of all numbers in a setting.
fn numbers(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Number(_) => found.push(at),
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(i, value)| numbers(value, format!("{at}/{i}"), found));
        }
        Value::Object(values) => {
            values.iter().for_each(|(key, value)| numbers(value, format!("{at}/{key}"), found))
        }
        _ => {}
    }
}

/// The whole `expected` is met. Any number of the setting is found out, or refused, if it is another by 1e-7, or 1e-6 instead of 0; but for those
/// that no result depends on, which `without_effect` tells. Each pair of results under the keys `swapped` is found out if
/// one stands where the other should.
#[track_caller]
fn check_numbers(name: &str, without_effect: &dyn Fn(&Value, &str) -> bool, swapped: [&str; 2]) {
    let mut reference = reference(name);
    without_repeated(&mut reference["expected"]);
    let (setting, tolerance) = (&reference["setting"], &reference["tolerance"]);
    let agreement = compare(&replayed(setting), &reference["expected"], tolerance).unwrap();
    println!("{name}: at worst {:.2e} of the tolerance", agreement.ratio);

    let mut places = Vec::new();
    numbers(setting, String::new(), &mut places);
    assert!(places.len() >= 6);
    for at in &places {
        let mut changed = setting.clone();
        let number = changed.pointer_mut(at).unwrap();
        *number = match number.as_f64().unwrap() {
            0.0 => json!(1e-6),
            other => json!(other * (1.0 - 1e-7)),
        };
        let held = replay(&changed, FOLDER)
            .is_ok_and(|found| compare(&found, &reference["expected"], tolerance).is_ok());
        assert_eq!(held, without_effect(setting, at), "{name}: {at}");
    }

    let mut pairs = 0;
    exchange(&mut reference["expected"].clone(), swapped, &mut |_| pairs += 1);
    assert!(pairs > 0);
    for pair in 0..pairs {
        let (mut found, mut count) = (reference["expected"].clone(), 0);
        exchange(&mut found, swapped, &mut |values| {
            if count == pair {
                let (first, second) = (values[swapped[0]].clone(), values[swapped[1]].clone());
                (values[swapped[0]], values[swapped[1]]) = (second, first);
            }
            count += 1;
        });
        assert!(compare(&found, &reference["expected"], tolerance).is_err(), "{name}: {swapped:?} {pair}");
    }
}

/// Shows every object that has different values under the two keys.
fn exchange(value: &mut Value, keys: [&str; 2], show: &mut dyn FnMut(&mut Value)) {
    let both = keys.map(|key| value.get(key));
    if both[0].is_some() && both[1].is_some() && both[0] != both[1] {
        show(value);
    }
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| exchange(value, keys, show)),
        Value::Object(values) => values.values_mut().for_each(|value| exchange(value, keys, show)),
        _ => {}
    }
}

#[test]
fn a_neuron_leaves_saturation_as_in_the_reference() {
    check_numbers("neuron_saturation_sweep", &|_, _| false, ["half_squared", "bce"]);
}

#[test]
fn losses_bend_as_in_the_reference() {
    // at z = 0 the sigmoid is straight, and y does not bend it
    let is_straight = |setting: &Value, at: &str| {
        at.strip_suffix("/y").and_then(|point| setting.pointer(point)).is_some_and(|point| point["z"] == 0.0)
    };
    check_numbers("curvature", &is_straight, ["bce", "half_mse"]);
}

#[test]
fn slopes_are_0_where_the_reference_says() {
    let is_end = |_: &Value, at: &str| at.starts_with("/search_interval");
    check_numbers("local_minima_single_neuron", &is_end, ["half_mse", "bce"]);
}

#[test]
fn losses_at_single_points_are_those_of_the_reference() {
    // so far on the right side, all is 0
    let is_far = |setting: &Value, at: &str| {
        at.strip_suffix("/z").and_then(|point| setting.pointer(point)).is_some_and(|point| {
            matches!(
                (point["z"].as_f64(), point["y"].as_f64()),
                (Some(-800.0), Some(0.0)) | (Some(800.0), Some(1.0))
            )
        })
    };
    check_numbers("pointwise_losses", &is_far, ["bce", "half_squared"]);
}

#[test]
fn calibration_is_that_of_the_reference() {
    check_numbers("metrics_ece", &|_, _| false, ["accuracy", "confidence"]);
}

fn sweep(y: f64, starts: Value, cap: usize) -> Value {
    replayed(&json!({
        "kind": "neuron_sweep", "threshold_value": 0.2, "x": 1, "y": y, "eta": 0.5, "cap": cap, "starts": starts,
    }))["starts"]
        .clone()
}

/// To say yes where no is right is as hard as to say no where yes is right.
#[test]
fn a_target_of_1_is_the_mirror_of_0() {
    let (no, yes) = (sweep(0.0, json!([[2, 1.5]]), 1000), sweep(1.0, json!([[-2, -1.5]]), 1000));
    let tolerance = json!({ "rtol": 1e-13, "atol": 0 });
    for loss in ["half_squared", "bce"] {
        assert!(no[0][loss]["epochs_to_threshold"].as_u64().unwrap() > 3);
        compare(&yes[0][loss], &no[0][loss], &tolerance).unwrap();
    }
    assert!(sweep(0.3, json!([[2, 1.5]]), 1000)[0]["bce"]["gradient_flow_prediction"].is_null());
}

#[test]
fn a_threshold_that_is_not_reached_is_null_and_the_search_ends() {
    let told = sweep(0.0, json!([[4, 4]]), 20);
    let bce = |key: &str| told[0]["bce"][key].as_f64().unwrap();
    assert!((bce("epochs_to_threshold") - bce("gradient_flow_prediction")).abs() < 1.0);
    assert!(told[0]["half_squared"]["epochs_to_threshold"].is_null());
    assert!(told[0]["epochs_ratio_half_squared_over_bce"].is_null());
    // steps too small to change anything end the search long before the cap
    let told = sweep(0.0, json!([[20, 20]]), 100_000_000);
    assert!(
        told[0]["half_squared"]["epochs_to_threshold"].is_null()
            && told[0]["bce"]["epochs_to_threshold"].is_u64()
    );
}

#[test]
fn stationary_points_on_the_grid_far_out_and_where_there_are_none() {
    let told = |points: Value, ends: Value| {
        replayed(&json!({ "kind": "stationary_points", "points": points, "search_interval": ends }))
    };
    let on_grid = told(json!([[1, 0.5]]), json!([-1, 1]));
    let separable = told(json!([[1, 1], [-2, 0], [0.5, 1]]), json!([-1e4, 1e4]));
    for loss in ["half_mse", "bce"] {
        assert_eq!(on_grid[loss].as_array().unwrap().len(), 1);
        assert!(on_grid[loss][0]["w"].as_f64().unwrap().abs() < 1e-15 && on_grid[loss][0]["kind"] == "min");
        assert_eq!(separable[loss], json!([]));
    }
    // one point (x, y) has its least loss where σ(w x) = y, though 1 - y is tiny
    let far = told(json!([[2, 0.999999]]), json!([-50, 50]));
    let w = 0.5 * (0.999999f64 / (1.0 - 0.999999)).ln();
    assert!((far["half_mse"][0]["w"].as_f64().unwrap() / w - 1.0).abs() < 1e-14);
    assert!((far["bce"][0]["w"].as_f64().unwrap() / w - 1.0).abs() < 1e-14);
}

/// The eigenvalues of a Hessian sum to its trace; a net without hidden layer is convex under cross-entropy.
#[test]
fn hessians_of_nets_of_other_sizes() {
    for sizes in [&[2, 1][..], &[2, 3, 2, 1]] {
        let count: usize = sizes.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum();
        let theta: Vec<f64> = (0..count).map(|i| (i as f64 * 0.7).sin()).collect();
        let told =
            replayed(&json!({ "kind": "curvature", "mlp_points": [{ "sizes": sizes, "theta": theta }] }));
        assert_eq!(told.as_object().unwrap().len(), 1); // no section that was not asked for
        let bce = &told["mlp"][0]["sigmoid_bce"];
        let eigenvalues: Vec<f64> = serde_json::from_value(bce["eigenvalues_ascending"].clone()).unwrap();
        let trace: f64 = (0..count).map(|i| bce["hessian"][i][i].as_f64().unwrap()).sum();
        assert!((eigenvalues.iter().sum::<f64>() - trace).abs() < 1e-14);
        assert_eq!(bce["negative_eigenvalues"] == 0, sizes.len() == 2);
    }
}

/// The whole `expected` of a training of a convolutional net is met, and it is found out if any number of its setting is another by 1e-7 of
/// itself in the step, if a channel order, a loss or the batch is another, or if the state is one step late.
#[track_caller]
fn check_conv_net(name: &str, changes: &[(&str, Value)]) {
    let reference = reference(name);
    let (setting, expected) = (&reference["setting"], &reference["expected"]);
    let hold = |found: &Value| compare(found, expected, &reference["tolerance"]);
    match hold(&replayed(setting)) {
        Ok(agreement) => println!("{name}: at worst {:.2e} of the tolerance", agreement.ratio),
        Err(mismatch) => panic!("{name}: {mismatch}"),
    }
    for (at, other) in changes {
        let mut changed = setting.clone();
        let place = changed.pointer_mut(at).unwrap_or_else(|| panic!("{name} has no {at}"));
        assert_ne!(place, other);
        *place = other.clone();
        if let Ok(found) = replay(&changed, FOLDER) {
            assert!(hold(&found).is_err(), "{name}: {at} = {other} was not found out");
        }
    }
    let mut one_late = setting.clone();
    one_late["steps"] = json!(21);
    let mut late = replayed(&one_late);
    late["rows"].as_array_mut().unwrap().remove(0);
    late["rows"].as_array_mut().unwrap().iter_mut().enumerate().for_each(|(k, row)| row["step"] = json!(k));
    assert!(hold(&late).is_err(), "{name}: a late state was not found out");
}

#[test]
fn a_convolutional_net_learns_digits_as_in_the_reference() {
    check_conv_net(
        "lenet_digits",
        &[
            ("/eta", json!(0.300_000_03)),
            ("/batch", json!(100)),
            ("/nodes/0/padding", json!([1, 0])),
            ("/nodes/1/op", json!("tanh")),
            ("/nodes/2/op", json!("avg_pool2d")),
        ],
    );
}

#[test]
fn a_u_net_learns_masks_as_in_the_reference() {
    check_conv_net(
        "unet_masks",
        &[
            ("/eta", json!(0.500_000_05)),
            ("/loss/a", json!(0.250_000_1)),
            ("/loss/smooth", json!(1.000_01)),
            ("/nodes/9/from", json!(["u2", "e2r"])),
            ("/nodes/13/from", json!(["e1r", "u2"])),
        ],
    );
}

#[test]
fn an_encoder_learns_by_contrast_as_in_the_reference() {
    check_conv_net(
        "supcon_digits",
        &[
            ("/eta", json!(0.010_000_001)),
            ("/loss/temperature", json!(0.250_000_1)),
            ("/probe/eta", json!(2.000_000_2)),
            ("/probe/batch", json!(30)),
        ],
    );
}

/// Nodes and losses that no reference has, against differences of the loss: a step of gradient descent lowers it by eta times the squared
/// gradient norm.
#[test]
fn every_other_node_and_loss_descends() {
    let [x, y]: [Vec<Vec<i64>>; 2] = [[7, 16], [3, 2]].map(|[factor, of]| {
        (0..3).map(|n| (0..16).map(|i| (n * 5 + i * factor + i * i) % of).collect()).collect()
    });
    let weights = |count: i64, shape: &[usize]| {
        let numbers = (0..count).map(|i| ((i * 37 + 11) % 64 - 32) as f64 / 64.0).collect();
        let array = surprisal_tensor::ndarray::ArrayD::from_shape_vec(shape, numbers).unwrap();
        fn nested(x: surprisal_tensor::ndarray::ArrayViewD<f64>) -> Value {
            match x.ndim() {
                0 => json!(x.first().unwrap()),
                _ => x.outer_iter().map(nested).collect(),
            }
        }
        nested(array.view())
    };
    let setting = |eta: f64| {
        json!({
            "kind": "conv_net", "eta": eta, "steps": 1, "batch": 3,
            "data": { "x": x, "x_shape": [3, 1, 4, 4], "divide_by": 16, "y": y, "y_shape": [3, 4, 4] },
            "nodes": [
                { "name": "a", "op": "pad2d", "from": ["x"], "pad": [1, 1, 1, 1], "mode": "reflect" },
                { "name": "b", "op": "conv2d", "from": ["a"] },
                { "name": "c", "op": "batch_norm2d", "from": ["b"] },
                { "name": "d", "op": "leaky_relu", "from": ["c"], "slope": 0.1 },
                { "name": "e", "op": "avg_pool2d", "from": ["d"], "kernel": [2, 2] },
                { "name": "f", "op": "upsample_bilinear2d", "from": ["e"], "size": [4, 4] },
                { "name": "g", "op": "group_norm", "from": ["f"], "groups": 2 },
                { "name": "h", "op": "concat", "from": ["g", "c"] },
                { "name": "i", "op": "tanh", "from": ["h"] },
                { "name": "j", "op": "conv2d", "from": ["i"] },
            ],
            "init": {
                "b.weight": weights(36, &[4, 1, 3, 3]), "b.bias": weights(4, &[4]),
                "c.weight": [1, 0.5, 2, 1], "c.running_var": [1, 2, 3, 4],
                "j.weight": weights(16, &[2, 8, 1, 1]),
            },
            "loss": { "name": "pixel_ce" },
        })
    };
    let eta = 1e-6;
    let told = replayed(&setting(eta));
    let (row, next) = (&told["rows"][0], &told["rows"][1]);
    let number = |value: &Value| value.as_f64().unwrap();
    let fall = (number(&row["loss"]) - number(&next["loss"])) / eta;
    let squared_norm = number(&row["grad_norm"]).powi(2);
    assert!((fall / squared_norm - 1.0).abs() < 1e-3, "{fall} {squared_norm}");
    assert!(row["correct"].as_u64().unwrap() <= 48);
    assert_eq!(row["layer_grad_norms"].as_object().unwrap().len(), 4);
    // the statistics have moved once, by a tenth
    assert!(told["params"]["c.running_mean"][0] != json!(0.0));
    let moved = number(&told["params"]["c.running_var"][3]);
    assert!(moved > 3.6 && moved < 4.0, "{moved}");
}
