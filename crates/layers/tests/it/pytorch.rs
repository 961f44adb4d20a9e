//! Values, gradients and starts against PyTorch's in `pytorch/values.json`, which `pytorch/make_values.py` wrote.

use std::sync::LazyLock;

use serde_json::Value;
use surprisal_layers::*;
use surprisal_tensor::ndarray::{ArrayD, IxDyn};
use surprisal_tensor::{Params, Workspace};

static VALUES: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../pytorch/values.json")).expect("this file is JSON")
});

fn numbers(value: &Value) -> Vec<f64> {
    match value.as_array() {
        Some(values) => values.iter().flat_map(numbers).collect(),
        None => vec![value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))],
    }
}

fn array(value: &Value) -> ArrayD<f64> {
    fn shape(value: &Value) -> Vec<usize> {
        match value.as_array() {
            Some(values) => [vec![values.len()], values.first().map(shape).unwrap_or_default()].concat(),
            None => vec![],
        }
    }
    ArrayD::from_shape_vec(IxDyn(&shape(value)), numbers(value)).expect("lists of equal lengths")
}

/// Relative to what is expected where that is larger than 1.
#[track_caller]
fn agree(what: &str, found: &[f64], expected: &Value) {
    let expected = numbers(expected);
    assert_eq!(found.len(), expected.len(), "{what}");
    let difference = |(f, e): (&f64, &f64)| (f - e).abs() / e.abs().max(1.0);
    let worst = found.iter().zip(&expected).map(difference).fold(0.0, f64::max);
    println!("{what}: {worst:.1e}"); // with `--nocapture`
    assert!(worst <= 1e-12, "{what} differs from PyTorch's by {worst:e}:\n{found:?}\n{expected:?}");
}

/// Runs one case forward and backward; the parameters are called "layer.NAME".
#[track_caller]
fn holds(name: &str, case: &Value, params: &mut Params<f64>, model: &impl Layer) {
    for (part, values) in case["parameters"].as_object().expect("an object") {
        let id = params.find(&format!("layer.{part}")).expect("a parameter of this name");
        params[id].copy_from_slice(&numbers(values));
    }
    let grads = case["grads"].as_object().expect("an object");
    let mut workspace = Workspace::new();
    let mut tape = workspace.tape(params);
    if case["training"] == false {
        tape = tape.evaluating();
    }
    let mut x = tape.input(&array(&case["inputs"]));
    if grads.contains_key("x") {
        x = x.requires_grad();
    }
    let y = model.forward(x);
    agree(&format!("{name}, value"), y.value().as_slice().unwrap(), &case["output"]);
    (y * tape.input(&array(&case["grad_output"]))).sum().backward();
    let dx = x.grad();
    for (part, expected) in grads {
        let found = match params.find(&format!("layer.{part}")) {
            Some(id) => workspace.grads()[id].to_vec(),
            None => dx.iter().flatten().copied().collect(),
        };
        agree(&format!("{name}, gradient of {part}"), &found, expected);
    }
    workspace.grads().apply_updates(params);
}

#[test]
fn linear() {
    let mut params = Params::default();
    let layer = Linear::new(&mut params, "layer", 5, 3, &mut rng(0));
    holds("linear", &VALUES["linear"], &mut params, &layer);
}

#[test]
fn activations() {
    let cases = VALUES["activations"].as_object().unwrap();
    for (name, case) in cases {
        let params = &mut Params::default();
        match name.as_str() {
            "softmax" => holds(name, case, params, &Softmax),
            "log_softmax" => holds(name, case, params, &LogSoftmax),
            _ => holds(name, case, params, &name.parse::<Activation>().unwrap()),
        }
    }
    for activation in Activation::ALL {
        assert!(cases.contains_key(&activation.to_string()), "{activation}");
    }
}

#[test]
fn layer_norm() {
    for (case, features) in VALUES["layer_norm"].as_array().unwrap().iter().zip([8, 4]) {
        let mut params = Params::default();
        let layer = LayerNorm::new(&mut params, "layer", features);
        holds("layer_norm", case, &mut params, &layer);
    }
}

#[test]
fn rms_norm() {
    for (case, features) in VALUES["rms_norm"].as_array().unwrap().iter().zip([8, 4]) {
        let mut params = Params::default();
        let layer = RmsNorm::new(&mut params, "layer", features);
        holds("rms_norm", case, &mut params, &layer);
    }
}

#[test]
fn batch_norm_in_two_steps_of_training_and_an_evaluation() {
    let mut params = Params::default();
    let layer = BatchNorm1d::new(&mut params, "layer", 4);
    for (step, case) in VALUES["batch_norm"].as_array().unwrap().iter().enumerate() {
        holds(&format!("batch_norm, step {step}"), case, &mut params, &layer);
        agree("running mean", &params[layer.running_mean], &case["running_mean"]);
        agree("running variance", &params[layer.running_var], &case["running_var"]);
    }
}

#[test]
fn embedding() {
    let mut params = Params::default();
    let layer = Embedding::new(&mut params, "layer", 6, 3, &mut rng(0));
    holds("embedding", &VALUES["embedding"], &mut params, &layer);
}

/// The mean square and the largest of what 100 draws of a start give, as PyTorch's stand in the file.
fn moments(mut draw: impl FnMut(&mut Rng) -> Vec<f64>) -> (f64, f64, f64) {
    let mut rng = rng(3);
    let drawn: Vec<f64> = (0..100).flat_map(|_| draw(&mut rng)).collect();
    let mean_square = drawn.iter().map(|w| w * w).sum::<f64>() / drawn.len() as f64;
    (mean_square, drawn.iter().fold(0f64, |largest, w| largest.max(w.abs())), drawn.len() as f64)
}

/// Both mean squares are estimates, of relative deviation at most √(2/n) each; 5 deviations of their difference.
#[track_caller]
fn moments_agree(name: &str, (mean_square, largest, n): (f64, f64, f64), bounded: bool) {
    let start = &VALUES["starts"][name];
    let (expected, expected_largest) =
        (start["mean_square"].as_f64().unwrap(), start["largest"].as_f64().unwrap());
    let allowed = 5.0 * (2.0 * 2.0 / n).sqrt();
    assert!(
        (mean_square - expected).abs() <= allowed * expected,
        "{name}: mean square {mean_square}, PyTorch's {expected}"
    );
    // of n uniform numbers the largest is beyond 1 - 20 / n of the bound; normal ones have tails
    let allowed = if bounded { 20.0 / n } else { 0.2 };
    assert!(
        (largest - expected_largest).abs() <= allowed * expected_largest,
        "{name}: largest {largest}, PyTorch's {expected_largest}"
    );
}

#[test]
fn starts() {
    for (name, start) in VALUES["starts"].as_object().unwrap() {
        assert!(start["mean_square"].is_number(), "{name}");
        let Ok(init) = name.parse::<Init>() else { continue }; // a layer's, below
        let bounded = name.contains("uniform") || name == "linear";
        let found = moments(|rng| {
            let mut weight = vec![0.0; 200 * 100];
            init.fill(&mut weight, 200, 100, rng);
            weight
        });
        moments_agree(name, found, bounded);
    }
}

#[test]
fn layers_start_as_those_of_pytorch() {
    let linear = |part: fn(&Linear) -> surprisal_tensor::ParamId| {
        moments(move |rng| {
            let mut params = Params::<f64>::default();
            let layer = Linear::new(&mut params, "layer", 200, 100, rng);
            params[part(&layer)].to_vec()
        })
    };
    moments_agree("linear", linear(|layer| layer.weight), true);
    moments_agree("linear, bias", linear(|layer| layer.bias), true);
    let embedding = moments(|rng| {
        let mut params = Params::<f64>::default();
        Embedding::new(&mut params, "layer", 200, 100, rng);
        params.as_slice().to_vec()
    });
    moments_agree("embedding", embedding, false);
}
