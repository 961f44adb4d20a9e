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

/// Losses and activations that no run above uses: the first evaluation of a deeper net, against its reference.
#[test]
fn every_activation_meets_every_loss() {
    let reference = reference("gradient_flow");
    let flow = &reference["setting"];
    let labels = flow["labels"].as_array().unwrap();
    let one_hot: Vec<_> =
        labels.iter().map(|y| [0, 1, 2].map(|class| f64::from(y == &json!(class)))).collect();
    let runs = flow["runs"].as_array().unwrap().iter().zip(reference["expected"]["runs"].as_array().unwrap());
    let mut held = 0;
    for (run, expected) in runs.filter(|(run, _)| run["loss"] != "linear_half_mse") {
        let setting = json!({
            "kind": "mlp", "epochs": [0], "inputs": flow["X"], "targets": one_hot,
            "runs": [{ "id": run["id"], "loss": run["loss"], "eta": 0.0, "init": flow["params"],
                       "hidden_activations": vec![&run["hidden"]; 4] }],
        });
        let row = &replayed(&setting)["runs"][0]["rows"][0];
        for key in ["loss", "outputs", "layer_grad_norms"] {
            if let Err(mismatch) = compare(&row[key], &expected[key], &reference["tolerance"]) {
                panic!("{} {key}: {mismatch}", run["id"]);
            }
        }
        held += 1;
    }
    assert_eq!(held, 12);
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
