//! Kind `optimizers`: so many steps of every algorithm on every problem.
//!
//! The keys under `algorithms` and `problems` say what is meant, up to an underscore: `adam_other` is another `adam`.

use std::path::Path;

use serde_json::{Map, Value, json};
use surprisal_optim::{Adam, AdamW, Hyperparameter, Optimizer, RmsProp, Sgd};
use surprisal_tensor::ndarray::Array2;
use surprisal_tensor::{Params, Tape, Workspace};

use super::ReplayError;
use super::descent::not_finite;
use super::net::{Net, Number};
use super::place::Place;
use super::rows::Rows;
use surprisal_train::Head;

/// Every algorithm, made of the numbers that `of` reads by key.
const RULES: &[(&str, Rule)] = &[
    ("sgd", |of| Ok(Box::new(Sgd::new(of("lr")?)))),
    ("momentum", |of| Ok(Box::new(Sgd::new(of("lr")?).momentum(of("mu")?)))),
    ("nesterov", |of| {
        let sgd = Sgd::new(of("lr")?).momentum(of("mu")?);
        // looking ahead along no momentum is plain descent
        Ok(Box::new(if of("mu")? > 0.0 { sgd.nesterov() } else { sgd }))
    }),
    ("rmsprop", |of| Ok(Box::new(RmsProp::new(of("lr")?).alpha(of("alpha")?).eps(of("eps")?)))),
    ("adam", |of| Ok(Box::new(Adam::new(of("lr")?).betas(of("beta1")?, of("beta2")?).eps(of("eps")?)))),
    ("adamw", |of| {
        let adam_w = AdamW::new(of("lr")?).betas(of("beta1")?, of("beta2")?).eps(of("eps")?);
        Ok(Box::new(adam_w.weight_decay(of("weight_decay")?)))
    }),
];

type Rule = fn(&Numbers) -> Result<Box<dyn Optimizer<f64>>, ReplayError>;
type Numbers<'a> = dyn Fn(&str) -> Result<f64, ReplayError> + 'a;

const KEYS: &[(&str, Hyperparameter)] = &[
    ("lr", Hyperparameter::LearningRate),
    ("mu", Hyperparameter::Momentum),
    ("alpha", Hyperparameter::Alpha),
    ("beta1", Hyperparameter::Beta1),
    ("beta2", Hyperparameter::Beta2),
    ("eps", Hyperparameter::Eps),
    ("weight_decay", Hyperparameter::WeightDecay),
];

/// The function that is minimized, and the starting point.
struct Problem {
    start: Params<f64>,
    loss: Box<Loss>,
}

/// Each step becomes a row, kept in memory.
const MOST_STEPS_TOLD: usize = 100_000;

type Loss = dyn for<'t> Fn(&'t Tape<'t>) -> Number<'t>;
type Read = fn(&Place) -> Result<Problem, ReplayError>;

const PROBLEMS: &[(&str, Read)] = &[("quadratic", quadratic), ("logistic", logistic)];

pub(super) fn replay(setting: &Place, _: &Path) -> Result<Value, ReplayError> {
    let (problems, algorithms) = (setting.get("problems")?, setting.get("algorithms")?);
    let steps = setting.get("steps")?.count_to(MOST_STEPS_TOLD)?;
    let mut result = Map::new();
    for (name, problem) in problems.entries()? {
        let problem = problem.meant_by(kind(name), PROBLEMS)?(&problem)?;
        let mut paths = Map::new();
        for (name, numbers) in algorithms.entries()? {
            let rule = *numbers.meant_by(kind(name), RULES)?;
            paths.insert(name.into(), descend(&problem, rule, &numbers, steps)?.into());
        }
        result.insert(name.into(), paths.into());
    }
    Ok(result.into())
}

/// What a name means: "adam", of "adam_other".
fn kind(name: &str) -> &str {
    name.split_once('_').map_or(name, |(kind, _)| kind)
}

/// Loss and theta at the start, and after each step.
fn descend(problem: &Problem, rule: Rule, numbers: &Place, steps: usize) -> Result<Vec<Value>, ReplayError> {
    let mut optimizer = rule(&|key| number(numbers, key))?;
    let (mut params, mut workspace) = (problem.start.clone(), Workspace::new());
    let mut rows = Vec::new();
    for step in 0..=steps {
        let (loss, grads) = workspace.grad(&params, |tape| (problem.loss)(tape));
        let row = json!({ "step": step, "loss": loss, "theta": params.as_slice() });
        if let Some(key) = not_finite(&row) {
            return Err(numbers.get("lr")?.found(
                format!("an infinity or NaN in {key:?} at step {step}"),
                "numbers that stay finite",
                "try a smaller lr, or a start nearer 0",
            ));
        }
        rows.push(row);
        optimizer.step(&mut params, grads);
    }
    Ok(rows)
}

fn number(numbers: &Place, key: &str) -> Result<f64, ReplayError> {
    let place = numbers.get(key)?;
    let meaning = KEYS.iter().find(|(name, _)| *name == key).expect("every key of a rule is listed").1;
    meaning.check(place.number()?).map_err(|_| place.wrong(meaning.kind().to_string(), meaning.hint()))
}

/// θᵀAθ/2 - bᵀθ
fn quadratic(problem: &Place) -> Result<Problem, ReplayError> {
    let (start, a_at, b_at) = (problem.get("start")?.numbers()?, problem.get("A")?, problem.get("b")?);
    let (n, a, b) = (start.len(), a_at.matrix()?, b_at.numbers()?);
    if a.dim() != (n, n) {
        let found = format!("{} rows of {}", a.nrows(), a.ncols());
        return Err(a_at.found(found, &format!("{n} rows of {n}"), "as many as start has numbers"));
    }
    if b.len() != n {
        return Err(b_at.wrong(format!("a list of {n}"), "as many as start has numbers"));
    }
    let column = |numbers: Vec<f64>| Array2::from_shape_fn((n, 1), |(i, _)| numbers[i]);
    let (mut params, b) = (Params::default(), column(b));
    let theta = params.add("theta", &column(start));
    Ok(Problem {
        start: params,
        loss: Box::new(move |tape| {
            let theta = tape.param(theta);
            (0.5 * theta * tape.input(&a).matmul(theta) - tape.input(&b) * theta).sum()
        }),
    })
}

/// The mean cross-entropy of a logistic regression; theta is its weights, and then its bias.
fn logistic(problem: &Place) -> Result<Problem, ReplayError> {
    let rows = Rows::from_labels(&problem.get("X")?, &problem.get("y")?)?;
    let targets = rows.probabilities(1)?;
    let start = problem.get("start")?;
    let theta = start.numbers()?;
    let features = rows.x.ncols();
    if theta.len() != features + 1 {
        let expected = format!("a list of {}", features + 1);
        return Err(start.wrong(expected, "theta is one weight for each column of X, and then the bias"));
    }
    let net = Net::single(&theta[..features], theta[features], Head::SigmoidCrossEntropy);
    Ok(Problem {
        start: net.params.clone(),
        loss: Box::new(move |tape| net.record(tape, &rows.x, &targets).loss),
    })
}
