//! Every check holds for a sound model, and finds out the mistake it is there for.

use std::collections::BTreeSet;

use expect_test::expect;
use surprisal_data::{Dataset, Standardize, Targets};
use surprisal_layers::{Activation, Init, Layer, Linear, Mlp, Relu, rng};
use surprisal_tensor::ndarray::{Array2, array};
use surprisal_tensor::ops::elementwise::Elementwise;
use surprisal_tensor::{Card, Params, Scalar, Var, Workspace};
use surprisal_train::check::{self, Check, ROWS, STEPS};
use surprisal_train::{Examples, Objective};

const CE: Objective = Objective::CrossEntropy;

fn iris() -> Examples<f32> {
    let mut data = Dataset::iris();
    data.features = Standardize::fit(&data.features).unwrap().apply(&data.features).unwrap();
    Examples::new(&data)
}

fn mlp(sizes: &str, activation: Activation) -> (Mlp, Params<f32>) {
    let mut params = Params::new();
    let model = Mlp::new(&mut params, &sizes.parse().unwrap(), activation, &mut rng(7));
    (model, params)
}

/// What a check that fails means.
#[track_caller]
fn fails<M>(check: &Check<M>) -> &str {
    assert!(!check.holds && check.advice.is_some(), "{check}");
    &check.means
}

/// Layers with a mistake.
macro_rules! layers {
    ($($Name:ident |$x:ident| $y:expr;)+) => { $(
        struct $Name;
        impl Layer for $Name {
            fn forward<'t>(&self, $x: Var<'t>) -> Var<'t> {
                $y
            }
        }
    )+ };
}
layers! {
    WrongSlope |x| x.map(Square);
    Detached |x| x + x.tanh().detach();
    Times30 |x| 30.0 * x;
    SoftmaxOverRows |x| x.softmax(0);
    LessTheMeanOfTheBatch |x| x - x.mean_axis(0);
    LeakInValueAlone |x| x - x.mean_axis(0).detach();
    LeakInSlopeAlone |x| x + (x.mean_axis(0) - x.mean_axis(0).detach());
}

#[derive(Clone, Copy)]
struct Square;
impl Elementwise for Square {
    const CARD: Card = Card { name: "square", inputs: "x", forward: "x²", backward: "x dy", story: "" };
    fn f<T: Scalar>(&self, x: T) -> T {
        x * x
    }
    fn df<T: Scalar>(&self, x: T, _: T) -> T {
        x // and where is the 2?
    }
}

#[test]
fn a_sound_model_passes_every_check_under_every_objective() {
    let data = iris();
    for activation in [Activation::Tanh, Activation::Relu] {
        for objective in Objective::CLASSIFICATION {
            let (model, params) = mlp("4-16-3", activation);
            let before = params.as_slice().to_vec();
            let gradients = check::gradients(&model, &params, objective, &data, ROWS).unwrap();
            assert!(gradients.holds, "{gradients}");
            assert_eq!((gradients.measured.compared, gradients.measured.of), (131, 131));
            let start = check::init_loss(&model, &params, objective, &data).unwrap();
            assert!(start.holds, "{start}");
            let overfit = check::overfit_one_batch(&model, &params, objective, &data, ROWS, STEPS).unwrap();
            assert!(overfit.holds && overfit.measured.right == ROWS, "{overfit}");
            let shapes = check::shapes(&model, &params, objective, &data).unwrap();
            assert!(shapes.holds && shapes.measured.leaks.is_empty(), "{shapes}");
            let units = check::units(&model, &params, objective, &data).unwrap();
            assert!(units.holds && units.measured.layers.len() == 1, "{units}");
            assert_eq!(params.as_slice(), before, "a check trains a copy");
        }
    }
}

#[test]
fn gradients_finds_a_wrong_derivative_and_a_value_cut_off() {
    let (data, mut params, mut rng) = (iris(), Params::new(), rng(7));
    let hidden = Linear::new(&mut params, "hidden", 4, 8, &mut rng);
    let out = Linear::new(&mut params, "out", 8, 3, &mut rng);
    let check = |model| check::gradients(&model, &params, CE, &data, ROWS).unwrap();
    let wrong = check((hidden, WrongSlope, out));
    // `out` is behind the mistake
    assert_eq!(wrong.measured.wrong.len(), 40, "{wrong}");
    assert!(wrong.measured.wrong.iter().all(|at| at.input.starts_with("hidden.")), "{wrong}");
    let detached = check::gradients(&(hidden, Detached, out), &params, CE, &data, ROWS).unwrap();
    expect![[r#"
        training would follow a wrong gradient
        training would follow a wrong gradient"#]]
    .assert_eq(&[fails(&wrong), fails(&detached)].join("\n"));
}

#[test]
fn gradients_samples_every_parameter_of_a_larger_net() {
    let data = Examples::<f32>::new(&Dataset::digits());
    let (model, params) = mlp("64-32-10", Activation::Tanh);
    let check = check::gradients(&model, &params, CE, &data, ROWS).unwrap();
    assert!(check.holds, "{check}");
    expect!["122 of 2410 derivatives, up to 40 of every parameter (seed 0)"]
        .assert_eq(check.found.lines().next().unwrap());
}

#[test]
fn gradients_calls_a_kink_a_kink() {
    let (data, mut params, mut rng) = (iris(), Params::new(), rng(7));
    let zeros = Linear::with_init(&mut params, "hidden", 4, 8, Init::Zeros, Init::Zeros, &mut rng);
    let model = (zeros, Relu, Linear::new(&mut params, "out", 8, 3, &mut rng));
    let check = check::gradients(&model, &params, CE, &data, ROWS).unwrap();
    assert!(check.holds && check.measured.kinks.len() == 40, "{check}");
    // without the worst of the numbers
    expect![[r#"
        40 at a kink, the first hidden.weight[0, 0]: no mistake, dual numbers agree;
        the loss bends sharply there (relu at 0), so that a central difference has another slope on either side"#]].assert_eq(&Vec::from_iter(check.found.lines().skip(5)).join("\n"));
}

#[test]
fn init_loss_expects_what_equal_probabilities_give() {
    let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    for objective in Objective::CLASSIFICATION {
        for outputs in [1, 2, 3, 10] {
            let classes = outputs.max(2);
            let labels: Vec<usize> = (0..30).map(|row| row % classes).collect();
            let names = (0..classes).map(|class| class.to_string()).collect();
            let targets = Targets::Classes { labels, names };
            let data = Examples { features: Array2::<f64>::ones((30, 4)).into_dyn(), targets };
            let mut start = Params::<f64>::default();
            let model =
                Linear::with_init(&mut start, "out", 4, outputs, Init::Zeros, Init::Zeros, &mut rng(0));
            let found = check::init_loss(&model, &start, objective, &data).unwrap().measured;
            let tape = workspace.no_grad(&params);
            let undecided = objective.loss(tape.input(&Array2::<f64>::zeros((1, outputs))), &[0]).item();
            assert!((found.expected - undecided).abs() < 1e-15, "{objective} {outputs}: {found:?}");
            assert!((found.loss - undecided).abs() < 1e-12, "{objective} {outputs}: {found:?}");
            // classes are equally frequent here
            assert!((found.constant - undecided).abs() < 1e-12, "{objective} {outputs}: {found:?}");
        }
    }
}

#[test]
fn init_loss_finds_logits_that_start_too_large_and_says_where() {
    let data = iris();
    let (model, mut params) = mlp("4-16-3", Activation::Tanh);
    let told = Objective::CLASSIFICATION.map(|objective| {
        fails(&check::init_loss(&(&model, Times30), &params, objective, &data).unwrap()).to_owned()
    });
    expect![[r#"
        the model is sure before it has seen anything: its logits have a standard deviation of 5.814
        (up to 1 is usual)
        the largest weights: layer1.weight, whose outputs are 0.554 times as large as its inputs (0.5 to 1.5 is usual)
        the features have a standard deviation of 1.000 (about 1 is usual)"#]].assert_eq(&Vec::from_iter(BTreeSet::from(told)).join("\n"));
    let weight = params.find("layer2.weight").unwrap();
    params[weight].iter_mut().for_each(|w| *w *= 30.0);
    expect![[r#"
        the model is sure before it has seen anything: its logits have a standard deviation of 5.549
        (up to 1 is usual)
        the largest weights: layer2.weight, whose outputs are 16.227 times as large as its inputs (0.5 to 1.5 is usual)
        the features have a standard deviation of 1.000 (about 1 is usual)"#]].assert_eq(fails(&check::init_loss(&model, &params, CE, &data).unwrap()));
}

#[test]
fn overfit_finds_rows_that_contradict_each_other() {
    let mut data = iris();
    data.features.fill(0.5);
    let (model, params) = mlp("4-16-3", Activation::Tanh);
    let check = check::overfit_one_batch(&model, &params, CE, &data, ROWS, 300).unwrap();
    expect!["rows 0 and 50 have the same features and the labels 0 and 1: no model can be right on both"]
        .assert_eq(fails(&check));
}

#[test]
fn overfit_finds_a_model_that_cannot_move_and_one_that_is_too_small() {
    let data = iris();
    let (model, mut params) = mlp("4-16-3", Activation::Relu);
    let last = params.find("layer2.bias").unwrap();
    params.freeze(last);
    let first = params.find("layer1.bias").unwrap();
    params[first].fill(-100.0);
    let check = check::overfit_one_batch(&model, &params, CE, &data, ROWS, 100).unwrap();
    expect!["the initial gradient norm is 0.0e0: no parameter makes a difference"].assert_eq(fails(&check));

    // exclusive or, without a hidden layer
    let features = array![[0f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let data = Examples {
        features: features.into_dyn(),
        targets: Targets::Classes { labels: vec![0, 1, 1, 0], names: vec!["0".into(), "1".into()] },
    };
    let (model, params) = mlp("2-2", Activation::Relu);
    let check = check::overfit_one_batch(&model, &params, CE, &data, ROWS, STEPS).unwrap();
    expect![[r#"
        the loss has stopped falling: the model is too small for these rows, units have died, or these initial weights
        leads to a plateau (under squared error an output that is sure and wrong learns no more)"#]].assert_eq(fails(&check));
    let (model, params) = mlp("2-8-2", Activation::Tanh);
    let in_a_hurry = check::overfit_one_batch(&model, &params, CE, &data, ROWS, 100).unwrap();
    expect!["the loss is still falling: more steps are needed"].assert_eq(fails(&in_a_hurry));
    assert_eq!(in_a_hurry.measured.right, 4, "{in_a_hurry}");
    assert!(check::overfit_one_batch(&model, &params, CE, &data, ROWS, STEPS).unwrap().holds);
}

#[test]
fn shapes_finds_rows_that_look_at_each_other() {
    let data = iris();
    let (model, params) = mlp("4-16-3", Activation::Tanh);
    let mut told = Vec::new();
    for check in [
        check::shapes(&(&model, SoftmaxOverRows), &params, CE, &data).unwrap(),
        check::shapes(&(LessTheMeanOfTheBatch, &model), &params, CE, &data).unwrap(),
    ] {
        told.push(fails(&check).to_owned());
        assert_eq!(check.measured.leaks, Vec::from_iter(1..64), "{check}");
        assert!(check.measured.difference > Some(0.01), "{check}");
    }
    let check = check::shapes(&(LeakInValueAlone, &model), &params, CE, &data).unwrap();
    told.push(fails(&check).to_owned());
    assert!(check.measured.leaks.is_empty(), "{check}");
    let check = check::shapes(&(LeakInSlopeAlone, &model), &params, CE, &data).unwrap();
    told.push(fails(&check).to_owned());
    assert!(check.measured.difference < Some(1e-9), "{check}");
    expect![[r#"
        rows of a batch are not independent: a prediction depends on the other rows
        rows of a batch are not independent: a prediction depends on the other rows
        rows of a batch are not independent: a prediction depends on the other rows
        rows of a batch are not independent: a prediction depends on the other rows"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn units_finds_dead_and_saturated_ones() {
    let mut data = iris();
    let (model, mut params) = mlp("4-16-3", Activation::Relu);
    let bias = params.find("layer1.bias").unwrap();
    params[bias].fill(-100.0);
    expect!["16 of 16 units of layer1 are dead: pre-activations are -100.000 ± 0.510, where the activation is flat"].assert_eq(fails(&check::units(&model, &params, CE, &data).unwrap()));

    let (model, params) = mlp("4-16-3", Activation::Tanh);
    data.features *= 100.0;
    let check = check::units(&model, &params, CE, &data).unwrap();
    expect!["16 of 16 units of layer1 are saturated: pre-activations are -0.026 ± 51.013, where the activation is flat"].assert_eq(fails(&check));
    assert!(check.measured.layers[0].1.deviation > 30.0, "{check}");
}

#[test]
fn units_finds_a_gradient_that_vanishes_on_its_way_back() {
    let (model, params) = mlp("4-16-16-16-16-16-16-3", Activation::Sigmoid);
    let check = check::units(&model, &params, CE, &iris()).unwrap();
    expect!["the gradient vanishes: no learning rate suits all layers"].assert_eq(fails(&check));
    assert_eq!(check.measured.gradient_norms.len(), 7);
}

/// 60 rows of two features and a number that depends on both, of mean 0 and standard deviation 1.
fn numbers() -> Examples<f32> {
    let features = Array2::from_shape_fn((60, 2), |(row, column)| match column {
        0 => (row as f32 - 29.5) / 17.3,
        _ => (row as f32 * 0.7).sin() * 1.4,
    });
    let raw = Vec::from_iter(features.outer_iter().map(|x| x[0] + x[1] * x[1]));
    let mean = raw.iter().sum::<f32>() / 60.0;
    let deviation = (raw.iter().map(|y| (y - mean).powi(2)).sum::<f32>() / 60.0).sqrt();
    let values = raw.iter().map(|y| f64::from((y - mean) / deviation)).collect();
    Examples { features: features.into_dyn(), targets: Targets::Values(values) }
}

#[test]
fn a_sound_model_of_numbers_passes_every_check_under_every_objective() {
    let data = numbers();
    for activation in [Activation::Tanh, Activation::Relu] {
        for objective in Objective::REGRESSION {
            let (model, params) = mlp("2-16-1", activation);
            let gradients = check::gradients(&model, &params, objective, &data, ROWS).unwrap();
            assert!(gradients.holds && gradients.measured.compared == 65, "{gradients}");
            let start = check::init_loss(&model, &params, objective, &data).unwrap();
            assert!(start.holds, "{start}");
            let overfit = check::overfit_one_batch(&model, &params, objective, &data, ROWS, STEPS).unwrap();
            assert!(overfit.holds && overfit.measured.right == ROWS, "{overfit}");
            let shapes = check::shapes(&model, &params, objective, &data).unwrap();
            assert!(shapes.holds && shapes.measured.outputs[0].1 == [1, 1], "{shapes}");
            let units = check::units(&model, &params, objective, &data).unwrap();
            assert!(units.holds, "{units}");
        }
    }
}

#[test]
fn init_loss_of_numbers_expects_the_loss_of_predicting_their_mean() {
    let data = numbers();
    let (model, params) = mlp("2-16-1", Activation::Tanh);
    for (objective, variance) in [(Objective::SquaredError, 1.0), (Objective::HalfSquaredError, 0.5)] {
        let found = check::init_loss(&model, &params, objective, &data).unwrap().measured;
        assert!((found.expected - variance).abs() < 1e-5, "{objective}: {found:?}");
    }
    let mut far = data.clone();
    far.targets = far.targets.map(|value| value + 100.0);
    let check = check::init_loss(&model, &params, Objective::SquaredError, &far).unwrap();
    expect![[r#"
        the first predictions are far from the targets: outputs are -0.265 ± 0.162, targets 100.000 ± 1.000
        the largest weights: layer1.weight, whose outputs are 0.580 times as large as its inputs (0.5 to 1.5 is usual)
        the features have a standard deviation of 0.990 (about 1 is usual)"#]].assert_eq(fails(&check));
    let mut equal = data;
    equal.targets = equal.targets.map(|_| 2.0);
    let check = check::init_loss(&model, &params, Objective::SquaredError, &equal).unwrap();
    expect!["every target is 2: there is nothing to learn"].assert_eq(fails(&check));
}

#[test]
fn overfit_finds_numbers_that_contradict_each_other() {
    let mut data = numbers();
    data.features.fill(0.5);
    let (model, params) = mlp("2-16-1", Activation::Tanh);
    let check = check::overfit_one_batch(&model, &params, Objective::SquaredError, &data, ROWS, 100).unwrap();
    expect!["rows 0 and 8 have the same features and the targets"]
        .assert_eq(fails(&check).split(" -").next().unwrap());
}

#[test]
fn an_objective_of_other_answers_is_refused_by_every_check() {
    let (iris, numbers) = (iris(), numbers());
    let (of_classes, of_numbers) = (mlp("4-16-3", Activation::Tanh), mlp("2-16-1", Activation::Tanh));
    for objective in Objective::ALL {
        for ((model, params), data) in [(&of_classes, &iris), (&of_numbers, &numbers)] {
            let fits = match data.targets.is_regression() {
                true => Objective::REGRESSION.contains(&objective),
                false => Objective::CLASSIFICATION.contains(&objective),
            };
            let found = [
                check::gradients(model, params, objective, data, 2).map(drop),
                check::init_loss(model, params, objective, data).map(drop),
                check::overfit_one_batch(model, params, objective, data, 2, 1).map(drop),
                check::shapes(model, params, objective, data).map(drop),
                check::units(model, params, objective, data).map(drop),
            ];
            for found in found {
                assert_eq!(found.is_ok(), fits, "{objective}");
                let expected =
                    objective.check(data.targets.is_regression()).map_err(|error| error.to_string());
                assert_eq!(found.map_err(|error| error.to_string()), expected);
            }
        }
    }
}
