//! Trajectories that another program computed, held number by number; and proof that a difference would be found.

use serde_json::{Value, json};
use surprisal_lab::replay::{compare, replay};

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
/// and if what is told of each epoch is the state one update later.
#[track_caller]
fn check(name: &str) {
    let reference = reference(name);
    let (setting, expected) = (&reference["setting"], &reference["expected"]);
    let hold = |found: Value, expected: &Value| compare(&found, expected, &reference["tolerance"]);
    match hold(replayed(setting), expected) {
        Ok(ratio) => println!("{name}: at worst {ratio:.2e} of the tolerance"),
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
    let ratio = hold(replayed(setting), expected).unwrap_or_else(|mismatch| panic!("{mismatch}"));
    println!("gradient_flow: at worst {ratio:.2e} of the tolerance");

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
/// 1e-7 (eps: doubled), if the rule is another with the same numbers, and if what is told is the state one step later.
#[test]
fn optimizers_step_as_in_the_reference() {
    let reference = reference("optimizers_20_steps");
    let (setting, expected) = (&reference["setting"], &reference["expected"]);
    let hold = |found: &Value, expected: &Value| compare(found, expected, &reference["tolerance"]);
    let found = replayed(setting);
    let ratio = hold(&found, expected).unwrap_or_else(|mismatch| panic!("{mismatch}"));
    println!("optimizers_20_steps: at worst {ratio:.2e} of the tolerance");

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
