//! Every value and every gradient against vectors computed with 500 digits, in f32 and f64, within each case's error budget.
//!
//! A budget counts the roundings that a careful evaluation cannot avoid, in units of u (2^-24 or 2^-53); a computed x must satisfy
//! |x - exact| <= 4 u budget + tiny. What the vectors contain and how they were made stands in `vectors/README.md`.

use serde_json::Value;
use surprisal_loss::{
    BinaryCrossEntropy, BinaryCrossEntropyWithLogits, NllLoss, Reduction, SoftmaxCrossEntropy,
    half_squared_error_with, mse_loss_with,
};
use surprisal_tensor::ndarray::{ArrayD, IxDyn};
use surprisal_tensor::{Params, Scalar, Tape, Var, Workspace};

/// The rules of one number type.
#[derive(Clone, Copy)]
struct Precision {
    name: &'static str,
    unit: f64,
    tiny: f64,
    largest: f64,
}
const F32: Precision = Precision {
    name: "f32",
    unit: 1.0 / (1u64 << 24) as f64,
    tiny: 7.174_648_137_343_064e-43,
    largest: f32::MAX as f64,
}; // 2^-140
const F64: Precision =
    Precision { name: "f64", unit: f64::EPSILON / 2.0, tiny: 5.06e-321, largest: f64::MAX }; // 2^-1064

fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some("inf") => f64::INFINITY,
        Some("-inf") => f64::NEG_INFINITY,
        Some("nan") => f64::NAN,
        Some(other) => panic!("{other} is no number"),
        None => value.as_f64().unwrap_or_else(|| panic!("{value} is no number")),
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    match value.as_array() {
        Some(values) => values.iter().flat_map(numbers).collect(),
        None => vec![number(value)],
    }
}

fn shape(value: &Value) -> Vec<usize> {
    match value.as_array() {
        Some(values) => [vec![values.len()], values.first().map(shape).unwrap_or_default()].concat(),
        None => vec![],
    }
}

struct Case<'a> {
    loss: &'a str,
    inputs: &'a Value,
    options: &'a Value,
}

impl Case<'_> {
    fn reduction(&self) -> Reduction {
        match self.options["reduction"].as_str() {
            Some("mean") | None => Reduction::Mean,
            Some("sum") => Reduction::Sum,
            Some("none") => Reduction::None,
            Some(other) => panic!("reduction {other}"),
        }
    }
    fn optional(&self, name: &str) -> Option<Vec<f64>> {
        self.inputs.get(name).map(numbers)
    }

    /// The output, given the inputs that are differentiated.
    fn output<'t, T: Scalar>(&self, tape: &'t Tape<'t, T>, input: impl Fn(&str) -> Var<'t, T>) -> Var<'t, T> {
        let reduction = self.reduction();
        let constant = |name: &str| tape.input(&array::<T>(&self.inputs[name]));
        let labels = || numbers(&self.inputs["targets"]).iter().map(|&t| t as i64).collect::<Vec<_>>();
        let ignore_index = self.options["ignore_index"].as_i64().unwrap_or(-100);
        match self.loss {
            "softmax_cross_entropy" => {
                let loss = SoftmaxCrossEntropy {
                    reduction,
                    weight: self.optional("weight"),
                    label_smoothing: self.options["label_smoothing"].as_f64().unwrap_or(0.0),
                    ignore_index,
                };
                if self.inputs.get("target_probs").is_some() {
                    return loss.loss(input("logits"), input("target_probs"));
                }
                loss.loss(input("logits"), &labels())
            }
            "nll_loss" => NllLoss { reduction, weight: self.optional("weight"), ignore_index }
                .loss(input("log_probs"), &labels()),
            "binary_cross_entropy" => BinaryCrossEntropy { reduction, weight: self.optional("weight") }
                .loss(input("probs"), constant("targets")),
            "binary_cross_entropy_with_logits" => BinaryCrossEntropyWithLogits {
                reduction,
                weight: self.optional("weight"),
                pos_weight: self.optional("pos_weight"),
            }
            .loss(input("logits"), constant("targets")),
            "mse_loss" => mse_loss_with(input("input"), input("target"), reduction),
            "half_squared_error" => half_squared_error_with(input("input"), input("target"), reduction),
            "softmax" => input("x").softmax(-1),
            "log_softmax" => input("x").log_softmax(-1),
            "logsumexp" => input("x").logsumexp_axis(-1),
            "sigmoid" => input("x").sigmoid(),
            "log_sigmoid" => input("x").log_sigmoid(),
            "softplus" => input("x").softplus(),
            "tanh" => input("x").tanh(),
            other => panic!("no loss {other}"),
        }
    }

    /// The value, and the gradient of every input in `wanted`.
    fn evaluate<T: Scalar>(&self, wanted: &[String]) -> (Vec<f64>, Vec<Vec<f64>>) {
        let mut params = Params::<T>::new();
        for (name, value) in self.inputs.as_object().unwrap() {
            if wanted.contains(name) || matches!(name.as_str(), "target_probs" | "target") {
                params.add(name, &array::<T>(value));
            }
        }
        let mut workspace = Workspace::new();
        let tape = workspace.tape(&params);
        let output = self.output(&tape, |name| tape.param(params.find(name).unwrap()));
        let value = output.value().iter().map(|v| v.value()).collect();
        let weighed = match self.inputs.get("grad_output") {
            Some(v) => output * tape.input(&array::<T>(v)),
            None => output,
        };
        weighed.sum().backward();
        let grads = workspace.grads();
        let grad = |name: &String| grads[params.find(name).unwrap()].iter().map(|v| v.value()).collect();
        (value, wanted.iter().map(grad).collect())
    }
}

fn array<T: Scalar>(value: &Value) -> ArrayD<T> {
    let numbers = numbers(value).into_iter().map(T::of).collect();
    ArrayD::from_shape_vec(IxDyn(&shape(value)), numbers).unwrap()
}

/// How far x is off, as a fraction of what is allowed.
fn ratio(x: f64, exact: f64, budget: f64, precision: Precision) -> f64 {
    if exact.abs() > precision.largest {
        return if x.is_infinite() && x.signum() == exact.signum() { 0.0 } else { f64::INFINITY };
    }
    let ratio = (x - exact).abs() / (4.0 * precision.unit * budget + precision.tiny);
    if ratio.is_nan() { f64::INFINITY } else { ratio }
}

#[track_caller]
fn holds(loss: &str, text: &str) {
    let file: Value = serde_json::from_str(text).unwrap();
    assert_eq!(file["loss"], loss);
    let cases = file["cases"].as_array().unwrap();
    assert!(cases.len() >= 10);
    let (mut failures, mut worst) = (vec![], 0f64);
    for case in cases {
        let (expected, name) = (&case["expected"], case["name"].as_str().unwrap());
        let wanted: Vec<String> = expected["grad"].as_object().unwrap().keys().cloned().collect();
        let precisions = if case["f64_only"] == true { vec![F64] } else { vec![F32, F64] };
        for precision in precisions {
            let case = Case { loss, inputs: &case["inputs"], options: &case["options"] };
            let (value, grads) = match precision.name {
                "f32" => case.evaluate::<f32>(&wanted),
                _ => case.evaluate::<f64>(&wanted),
            };
            let mut compare = |what: &str, got: &[f64], exact: &Value, budget: &Value| {
                let (exact, budget) = (numbers(exact), numbers(budget));
                assert_eq!((got.len(), got.len()), (exact.len(), budget.len()), "{name} {what}");
                for (i, ((&x, &e), &b)) in got.iter().zip(&exact).zip(&budget).enumerate() {
                    let ratio = ratio(x, e, b, precision);
                    worst = worst.max(ratio);
                    if ratio > 1.0 {
                        failures.push(format!(
                            "{name} {} {what}[{i}]: {x:e}, exactly {e:e}: {ratio:.2} of the budget",
                            precision.name
                        ));
                    }
                }
            };
            compare("value", &value, &expected["value"], &expected["budget"]["value"]);
            for (name, grad) in wanted.iter().zip(&grads) {
                compare(name, grad, &expected["grad"][name], &expected["budget"]["grad"][name]);
            }
        }
    }
    assert!(failures.is_empty(), "{loss}:\n{}", failures.join("\n"));
    println!("{loss}: at worst {worst:.2} of the budget");
}

macro_rules! oracle {
    ($($loss:ident)+) => { $(
        #[test]
        fn $loss() {
            holds(stringify!($loss), include_str!(concat!("vectors/", stringify!($loss), ".json")));
        }
    )+ };
}
oracle! {
    softmax_cross_entropy nll_loss
    binary_cross_entropy_with_logits binary_cross_entropy
    mse_loss half_squared_error
    softmax log_softmax logsumexp sigmoid log_sigmoid softplus tanh
}
