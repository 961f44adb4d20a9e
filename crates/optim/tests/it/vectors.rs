//! Every optimizer on two problems, held against reference trajectories and PyTorch's to ten digits; schedules against PyTorch's.

use std::ops::Range;

use serde_json::{Value, json};
use surprisal_optim::{
    Adam, AdamW, At, GradientMean, Optimizer, OptimizerKind, OptimizerSettings, ParamGroup, Penalty, RmsProp,
    Schedule, Sgd, clip_grad_norm, clip_grad_value,
};
use surprisal_tensor::ndarray::{Array2, Axis};
use surprisal_tensor::{Params, Tape, Var, Workspace};

fn reference() -> Value {
    serde_json::from_str(include_str!("../vectors/optimizers_20_steps.json")).unwrap()
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
fn quadratic<'t>(tape: &'t Tape<'t>, problem: &Value) -> Var<'t> {
    let theta = tape.param(tape.find("theta").unwrap());
    let (a, b) = (tape.input(&matrix(&problem["A"])), tape.input(&matrix(&problem["b"])));
    (0.5 * theta * a.matmul(theta) - b * theta).sum()
}

/// mean(softplus(z) - y z) with z = X w + b, in the form that neither overflows nor cancels.
fn logistic<'t>(tape: &'t Tape<'t>, problem: &Value) -> Var<'t> {
    logistic_of_rows(tape, problem, 0..4)
}

fn logistic_of_rows<'t>(tape: &'t Tape<'t>, problem: &Value, rows: Range<usize>) -> Var<'t> {
    let [w, b] = ["weight", "bias"].map(|name| tape.param(tape.find(name).unwrap()));
    let rows: Vec<usize> = rows.collect();
    let [x, y] = ["X", "y"].map(|key| tape.input(&matrix(&problem[key]).select(Axis(0), &rows)));
    let z = x.affine(w, b);
    let size = z.relu() + (-z).relu();
    (z.relu() - y * z + ((-size).exp() + 1.0).ln()).mean()
}

/// One problem: how theta is cut into parameters, and the loss.
type Problem = (&'static str, &'static [(&'static str, usize)], Loss);
type Loss = for<'t> fn(&'t Tape<'t>, &Value) -> Var<'t>;
const PROBLEMS: [Problem; 2] =
    [("quadratic", &[("theta", 2)], quadratic), ("logistic", &[("weight", 2), ("bias", 1)], logistic)];

fn start(parts: &[(&str, usize)], theta: &[f64]) -> Params<f64> {
    let (mut params, mut rest) = (Params::default(), theta);
    for &(name, len) in parts {
        let (part, behind) = rest.split_at(len);
        // a vector of weights is a column, a single bias has one axis
        let shape: &[usize] = if name == "bias" { &[1] } else { &[len, 1] };
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

fn pytorch() -> Value {
    serde_json::from_str(include_str!("../vectors/pytorch_50_steps.json")).unwrap()
}

fn built(case: &Value) -> Box<dyn Optimizer<f64>> {
    let number = |key: &str| case[key].as_f64();
    let settings = OptimizerSettings {
        learning_rate: number("lr"),
        momentum: number("momentum"),
        nesterov: case["nesterov"].as_bool().unwrap_or(false),
        alpha: number("alpha"),
        beta1: number("beta1"),
        beta2: number("beta2"),
        eps: number("eps"),
        weight_decay: number("weight_decay"),
    };
    let mut optimizer =
        case["optimizer"].as_str().unwrap().parse::<OptimizerKind>().unwrap().build(&settings).unwrap();
    if let Some(groups) = case["groups"].as_object() {
        let group = |(pattern, own): (&String, &Value)| {
            ParamGroup::named(pattern)
                .learning_rate(own["lr"].as_f64().unwrap())
                .weight_decay(own["weight_decay"].as_f64().unwrap())
        };
        optimizer.set_groups(groups.iter().map(group).collect());
    }
    optimizer
}

/// The gradients of one step, of a whole batch or of the mean over micro-batches, with penalty and clipping.
fn prepared<'a>(
    case: &Value,
    (problem, loss): (&Value, Loss),
    params: &mut Params<f64>,
    workspace: &'a mut Workspace<f64>,
    mean: &'a mut GradientMean<f64>,
) -> &'a mut surprisal_tensor::Gradients<f64> {
    let grads = match case["micro_batches"].as_array() {
        None => {
            workspace.grad(params, |tape| loss(tape, problem));
            workspace.grads_mut()
        }
        Some(counts) => {
            let mut first = 0;
            for count in counts.iter().map(|count| count.as_u64().unwrap() as usize) {
                let rows = first..first + count;
                let (_, grads) = workspace.grad(params, |tape| logistic_of_rows(tape, problem, rows));
                mean.add(params, grads, count);
                first += count;
            }
            mean.take()
        }
    };
    let number = |key: &str| case[key].as_f64();
    Penalty::new(number("l1").unwrap_or(0.0), number("l2").unwrap_or(0.0)).add_to(grads, params);
    if let Some(norm) = number("clip_grad_norm") {
        clip_grad_norm(grads, norm);
    }
    if let Some(limit) = number("clip_grad_value") {
        clip_grad_value(grads, limit);
    }
    grads
}

/// Fifty steps; in between, the optimizer and theta may be exchanged.
fn fifty_steps(
    trajectory: &Value,
    mut between: impl FnMut(u64, Box<dyn Optimizer<f64>>, &mut Params<f64>) -> Box<dyn Optimizer<f64>>,
) {
    let case = &trajectory["settings"];
    let (name, parts, loss) =
        PROBLEMS.into_iter().find(|problem| trajectory["problem"] == problem.0).unwrap();
    let problem = &reference()["setting"]["problems"][name];
    let mut params = start(parts, &numbers(&problem["start"]));
    let (mut workspace, mut mean, mut optimizer) = (Workspace::new(), GradientMean::new(), built(case));
    let rate = optimizer.learning_rate();
    for step in 1..=50 {
        let grads = prepared(case, (problem, loss), &mut params, &mut workspace, &mut mean);
        optimizer.step(&mut params, grads);
        optimizer.set_learning_rate(rate * case["decay_per_step"].as_f64().unwrap_or(1.0).powi(step as i32));
        optimizer = between(step, optimizer, &mut params);
    }
}

#[test]
fn every_optimizer_with_every_setting_goes_as_pytorch_s() {
    let pytorch = pytorch();
    let trajectories = pytorch["trajectories"].as_array().unwrap();
    for trajectory in trajectories {
        let mut rows = numbers(&pytorch["steps"]).into_iter().zip(trajectory["theta"].as_array().unwrap());
        let mut next = rows.next();
        fifty_steps(trajectory, |step, optimizer, params| {
            if let Some((reported, theta)) = next.filter(|(reported, _)| *reported == step as f64) {
                let what = format!("{} {}, step {reported}", trajectory["problem"], trajectory["name"]);
                assert_close(&what, params.as_slice(), &numbers(theta));
                next = rows.next();
            }
            optimizer
        });
        assert!(next.is_none());
    }
    let mut used: Vec<_> =
        trajectories.iter().map(|t| t["settings"]["optimizer"].as_str().unwrap()).collect();
    used.sort_unstable();
    used.dedup();
    assert_eq!(used, ["adagrad", "adam", "adamw", "rmsprop", "sgd"]); // all that PyTorch has of them
}

#[test]
fn every_optimizer_goes_on_from_its_state_with_the_same_bits() {
    let usual = |kind: OptimizerKind| {
        let settings = json!({ "optimizer": kind.name(), "weight_decay": 0.1 });
        json!({ "name": kind.name(), "problem": "logistic", "settings": settings })
    };
    let pytorch = pytorch();
    for trajectory in pytorch["trajectories"].as_array().unwrap().iter().chain(&OptimizerKind::ALL.map(usual))
    {
        let (mut straight, mut resumed) = (vec![], vec![]);
        fifty_steps(trajectory, |_, optimizer, params| {
            straight.push(params.as_slice().to_vec());
            optimizer
        });
        fifty_steps(trajectory, |step, optimizer, params| {
            resumed.push(params.as_slice().to_vec());
            if step % 7 != 0 {
                return optimizer;
            }
            let file = serde_json::to_string(&optimizer.state()).unwrap();
            let mut other = built(&trajectory["settings"]);
            other.load_state(&serde_json::from_str(&file).unwrap()).unwrap();
            assert_eq!(other.state(), optimizer.state());
            assert_eq!(other.state().steps, step);
            other.set_learning_rate(optimizer.learning_rate());
            other
        });
        assert_eq!(straight, resumed, "{}", trajectory["name"]);
    }
}

#[test]
fn schedules_go_as_pytorch_s() {
    for case in pytorch()["schedules"].as_array().unwrap() {
        let count = |key: &str| case[key].as_u64().unwrap() as usize;
        let (epochs, steps_per_epoch) = (count("epochs"), count("steps_per_epoch"));
        let (base, text) = (case["base"].as_f64().unwrap(), case["schedule"].as_str().unwrap());
        let schedule: Schedule = text.parse().unwrap();
        assert_eq!(schedule.to_string().parse(), Ok(schedule));
        let watched = if case["watched"].is_null() { vec![] } else { numbers(&case["watched"]) };
        let mut rates = vec![];
        for epoch in 0..epochs {
            for step in 0..steps_per_epoch {
                let at = At { epoch, step, steps_per_epoch, epochs };
                rates.push(schedule.rate(base, at, &watched[..epoch.min(watched.len())]));
            }
        }
        let expected = numbers(&case["rates"]);
        assert_close(text, &rates, &expected);
        assert!(expected.iter().any(|&rate| rate != base), "{text}: nothing to see");
    }
}

#[test]
fn no_rate_becomes_0_and_beyond_the_last_epoch_it_stays_at_the_floor() {
    let rate = |text: &str, epoch| {
        text.parse::<Schedule>().unwrap().rate(
            0.1,
            At { epoch, step: 0, steps_per_epoch: 4, epochs: 10 },
            &[],
        )
    };
    for text in ["exponential:factor=0.1", "step:every=1,factor=0.1", "cosine", "cosine:warmup=10"] {
        let rate = rate(text, 1000);
        assert!(rate > 0.0 && rate < 1e-300, "{text}: {rate}");
    }
    for text in ["cosine:floor=0.25", "cosine:warmup=10,floor=0.25"] {
        assert_eq!([10, 11, 1000].map(|epoch| rate(text, epoch)), [0.025; 3], "{text}");
    }
}
