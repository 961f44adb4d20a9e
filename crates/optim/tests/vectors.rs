//! Twenty steps of every optimizer on two problems, held against reference trajectories to ten digits.

use serde_json::Value;
use surprisal_optim::{Adam, AdamW, Optimizer, RmsProp, Sgd};
use surprisal_tensor::ndarray::Array2;
use surprisal_tensor::{Params, Tape, Var, Workspace};

fn reference() -> Value {
    serde_json::from_str(include_str!("vectors/optimizers_20_steps.json")).unwrap()
}

fn numbers(list: &Value) -> Vec<f64> {
    match list.as_array() {
        Some(list) => list.iter().flat_map(numbers).collect(),
        None => vec![list.as_f64().unwrap_or_else(|| panic!("{list} is no number"))],
    }
}

/// A list of numbers, or of rows of numbers, as `[rows, columns]`.
fn matrix(list: &Value) -> Array2<f64> {
    let (rows, flat) = (list.as_array().unwrap().len(), numbers(list));
    Array2::from_shape_vec((rows, flat.len() / rows), flat).unwrap()
}

/// θᵀAθ/2 - bᵀθ
fn quadratic<'t>(tape: &'t Tape<'t, f64>, problem: &Value) -> Var<'t, f64> {
    let theta = tape.param(tape.params().find("theta").unwrap());
    let (a, b) = (tape.input(&matrix(&problem["A"])), tape.input(&matrix(&problem["b"])));
    (0.5 * theta * a.matmul(theta) - b * theta).sum()
}

/// mean(softplus(z) - y z) with z = X w + b, in the form that neither overflows nor cancels.
fn logistic<'t>(tape: &'t Tape<'t, f64>, problem: &Value) -> Var<'t, f64> {
    let [w, b] = ["w", "b"].map(|name| tape.param(tape.params().find(name).unwrap()));
    let (x, y) = (tape.input(&matrix(&problem["X"])), tape.input(&matrix(&problem["y"])));
    let z = x.affine(w, b);
    let size = z.relu() + (-z).relu();
    (z.relu() - y * z + ((-size).exp() + 1.0).ln()).mean()
}

/// One problem: how theta is cut into parameters, and the loss.
type Problem = (&'static str, &'static [(&'static str, usize)], Loss);
type Loss = for<'t> fn(&'t Tape<'t, f64>, &Value) -> Var<'t, f64>;
const PROBLEMS: [Problem; 2] =
    [("quadratic", &[("theta", 2)], quadratic), ("logistic", &[("w", 2), ("b", 1)], logistic)];

fn start(parts: &[(&str, usize)], theta: &[f64]) -> Params<f64> {
    let (mut params, mut rest) = (Params::new(), theta);
    for &(name, len) in parts {
        let (part, behind) = rest.split_at(len);
        // a vector of weights is a column, a single bias has one axis
        let shape: &[usize] = if name == "b" { &[1] } else { &[len, 1] };
        params.add_with(name, shape, |slots| slots.copy_from_slice(part));
        rest = behind;
    }
    params
}

/// Gives the largest difference in units of the tolerance.
#[track_caller]
fn assert_close(what: &str, found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len(), "{what}");
    let ratios = found.iter().zip(expected).map(|(found, expected)| {
        let ratio = (found - expected).abs() / (1e-10 * expected.abs() + 1e-14);
        assert!(ratio <= 1.0, "{what}: {found:?} is not {expected:?}");
        ratio
    });
    ratios.fold(0.0, f64::max)
}

/// Loss and theta before the first and after every step are those of the reference.
#[track_caller]
fn assert_follows_reference(
    algorithm: &str,
    optimizer: impl Fn(&dyn Fn(&str) -> f64) -> Box<dyn Optimizer<f64>>,
) {
    let reference = reference();
    let options = &reference["setting"]["algorithms"][algorithm];
    let mut worst = 0f64;
    for (name, parts, loss) in PROBLEMS {
        let problem = &reference["setting"]["problems"][name];
        let rows = reference["expected"][name][algorithm].as_array().unwrap();
        assert_eq!(rows.len(), 21);

        let mut optimizer = optimizer(&|option| options[option].as_f64().unwrap());
        let mut params = start(parts, &numbers(&problem["start"]));
        let mut workspace = Workspace::new();
        for (step, row) in rows.iter().enumerate() {
            let what = format!("{name}, {algorithm}, step {step}");
            let (value, grads) = workspace.grad(&params, |tape| loss(tape, problem));
            let theta = assert_close(&format!("{what}, theta"), params.as_slice(), &numbers(&row["theta"]));
            let loss = assert_close(&format!("{what}, loss"), &[value], &numbers(&row["loss"]));
            worst = worst.max(theta).max(loss);
            optimizer.step(&mut params, grads);
        }
    }
    println!("{algorithm}: at worst {worst:.2e} of the tolerance");
}

#[test]
fn plain_descent() {
    assert_follows_reference("sgd", |of| Box::new(Sgd::new(of("lr"))));
}

#[test]
fn momentum() {
    assert_follows_reference("momentum", |of| Box::new(Sgd::new(of("lr")).momentum(of("mu"))));
}

#[test]
fn nesterov() {
    assert_follows_reference("nesterov", |of| Box::new(Sgd::new(of("lr")).momentum(of("mu")).nesterov()));
}

#[test]
fn adam_with_the_constants_of_the_paper() {
    assert_follows_reference("adam", |of| {
        assert_eq!((of("beta1"), of("beta2"), of("eps")), (0.9, 0.999, 1e-8)); // which are the defaults
        Box::new(Adam::new(of("lr")))
    });
}

#[test]
fn adam_with_other_constants() {
    assert_follows_reference("adam_other", |of| {
        Box::new(Adam::new(of("lr")).betas(of("beta1"), of("beta2")).eps(of("eps")))
    });
}

#[test]
fn rms_prop() {
    assert_follows_reference("rmsprop", |of| {
        assert_eq!((of("alpha"), of("eps")), (0.99, 1e-8)); // which are the defaults
        Box::new(RmsProp::new(of("lr")))
    });
}

#[test]
fn adam_w() {
    assert_follows_reference("adamw", |of| {
        assert_eq!((of("beta1"), of("beta2"), of("eps")), (0.9, 0.999, 1e-8)); // which are the defaults
        Box::new(AdamW::new(of("lr")).weight_decay(of("weight_decay")))
    });
}

#[test]
fn these_are_all_that_the_reference_has() {
    let reference = reference();
    let keys = |object: &Value| object.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let all = ["adam", "adam_other", "adamw", "momentum", "nesterov", "rmsprop", "sgd"];
    assert_eq!(keys(&reference["setting"]["algorithms"]), all);
    assert_eq!(keys(&reference["expected"]), ["logistic", "quadratic"]);
}
