//! Two nets of one class in one set of parameters, each with an optimizer of its own.

use surprisal::ndarray::Array2;
use surprisal::optim::{OptimizerKind, OptimizerSettings};
use surprisal::prelude::*;

type Optimizers = Vec<Box<dyn Optimizer<f32>>>;

/// One of each kind, and some with more settings; `scope` is what they are to step.
fn optimizers(scope: Option<&str>) -> Optimizers {
    let mut all: Optimizers = vec![
        Box::new(Sgd::new(0.1).momentum(0.9).nesterov()),
        Box::new(RmsProp::new(0.01).momentum(0.5)),
        Box::new(AdamW::new(0.01).groups([ParamGroup::named("*.bias").weight_decay(0.0)])),
    ];
    let settings = OptimizerSettings { weight_decay: Some(0.01), ..Default::default() };
    all.extend(OptimizerKind::ALL.map(|kind| kind.build(&settings).unwrap()));
    for optimizer in &mut all {
        scope.into_iter().for_each(|scope| optimizer.add_scope(scope));
    }
    all
}

fn mlp(params: &mut Params, sizes: &str, seed: u64) -> Mlp {
    Mlp::new(params, &sizes.parse().unwrap(), Activation::Tanh, &mut rng(seed))
}

fn noise(step: usize) -> Array2<f32> {
    Array2::from_shape_fn((6, 2), |(i, j)| ((step * 12 + i * 2 + j) as f32 * 0.7).sin())
}

/// A step that needs one net only; a penalty and clipping included.
fn step(params: &mut Params, net: &Mlp, optimizer: &mut dyn Optimizer<f32>, k: usize, scope: Option<&str>) {
    let mut workspace = Workspace::new();
    let tape = workspace.tape(params);
    net.forward(tape.input(&noise(k))).square().mean().backward();
    let penalty = Penalty::new(0.001, 0.01);
    match scope {
        None => {
            penalty.add_to(workspace.grads_mut(), params);
            clip_grad_norm(workspace.grads_mut(), 0.05);
        }
        Some(scope) => {
            penalty.add_to_named(workspace.grads_mut(), params, scope);
            clip_grad_norm_named(workspace.grads_mut(), scope, 0.05);
        }
    }
    optimizer.step(params, workspace.grads());
}

#[test]
fn an_optimizer_with_a_scope_does_what_it_does_to_the_net_alone_and_touches_no_other() {
    for (k, (scoped, alone)) in optimizers(Some("b")).iter_mut().zip(&mut optimizers(None)).enumerate() {
        let (mut both, mut one) = (Params::new(), Params::new());
        mlp(&mut both.scope("a"), "2-5-1", 1);
        let b = mlp(&mut both.scope("b"), "2-4-3", 2);
        let net = mlp(&mut one, "2-4-3", 2);
        let before = both.clone();
        for t in 0..5 {
            step(&mut both, &b, &mut **scoped, t, Some("b"));
            step(&mut one, &net, &mut **alone, t, None);
        }
        let [of_a, of_b] = ["a", "b"].map(|scope| both.matching(scope).unwrap());
        assert!(of_a.iter().all(|&id| both[id] == before[id]));
        // the length is that of the same numbers, added in another order where a whole vector is one sum
        let pairs = of_b.iter().flat_map(|&id| &both[id]).zip(one.as_slice());
        assert!(pairs.clone().count() == one.as_slice().len());
        assert!(pairs.into_iter().all(|(x, y)| (x - y).abs() < 1e-6), "{both:?} {one:?}");

        // what it remembers goes on from a file as if nothing had been in between
        let mut again = optimizers(Some("b")).into_iter().nth(k).unwrap();
        again.load_state(&scoped.state()).unwrap();
        let mut resumed = both.clone();
        step(&mut resumed, &b, &mut *again, 9, Some("b"));
        step(&mut both, &b, &mut **scoped, 9, Some("b"));
        assert_eq!(resumed.as_slice(), both.as_slice());
    }
}

#[test]
fn a_generator_learns_to_please_a_critic_and_each_half_step_moves_one_of_them() {
    let mut params = Params::new();
    let generator = mlp(&mut params.scope("generator"), "2-8-1", 1);
    let critic = mlp(&mut params.scope("critic"), "1-8-1", 2);
    let mut step_generator = Adam::new(0.02).only("generator");
    let mut step_critic = Adam::new(0.02).only("critic");
    let mut workspace = Workspace::new();
    let real = Array2::from_shape_fn((6, 1), |(i, _)| 3.0 + 0.1 * i as f32);
    let mean = |params: &Params, workspace: &mut Workspace| {
        workspace.eval(params, |tape| generator.forward(tape.input(&noise(0)))).mean().unwrap()
    };
    let first = mean(&params, &mut workspace);
    for k in 0..300 {
        let tape = workspace.tape(&params);
        let fake = generator.forward(tape.input(&noise(k))).detach();
        let loss =
            critic.forward(fake).softplus().mean() + (-critic.forward(tape.input(&real))).softplus().mean();
        loss.backward();
        let before = params.clone();
        step_critic.step(&mut params, workspace.grads());
        let moved = |params: &Params, scope| {
            params.matching(scope).unwrap().iter().any(|&id| params[id] != before[id])
        };
        assert!(moved(&params, "critic") && !moved(&params, "generator"));

        let tape = workspace.tape(&params);
        (-critic.forward(generator.forward(tape.input(&noise(k))))).softplus().mean().backward();
        let before = params.clone();
        step_generator.step(&mut params, workspace.grads());
        let moved = |scope| params.matching(scope).unwrap().iter().any(|&id| params[id] != before[id]);
        assert!(moved("generator") && !moved("critic"));
    }
    let last = mean(&params, &mut workspace);
    assert!((last - 3.25).abs() < (first - 3.25).abs(), "{first} {last}");
}

#[test]
fn a_frozen_net_with_batch_norm_trains_again_once_it_is_unfrozen() {
    let (mut params, mut rng) = (Params::new(), rng(3));
    let body = Linear::new(&mut params.scope("body"), "in", 2, 4, &mut rng);
    let norm = BatchNorm1d::new(&mut params.scope("body"), "norm", 4);
    let model = (body, norm, Linear::new(&mut params, "head", 4, 1, &mut rng));
    let (mut workspace, mut adam) = (Workspace::new(), Adam::new(0.01));
    let mut step = |params: &mut Params| {
        let tape = workspace.tape(params);
        model.forward(tape.input(&noise(0))).square().mean().backward();
        adam.step(params, workspace.grads());
    };
    params.freeze_named("body").unwrap();
    let before = params.clone();
    step(&mut params);
    assert_eq!(params[norm.weight], before[norm.weight]);
    assert_ne!(params[norm.running_mean], before[norm.running_mean]); // the tape is in training
    params.unfreeze_named("body").unwrap();
    step(&mut params);
    assert_ne!(params[norm.weight], before[norm.weight]);
}

#[test]
fn what_a_scope_needs_and_misses_is_named() {
    let mut params = Params::new();
    let a = mlp(&mut params.scope("a"), "2-1", 1);
    mlp(&mut params.scope("b"), "2-1", 1);
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    a.forward(tape.input(&noise(0))).mean().backward();
    let told = |mut sgd: Sgd, params: &mut Params| {
        sgd.try_step(params, workspace.grads()).map_err(|error| error.to_string())
    };
    assert_eq!(told(Sgd::new(0.1).only("a"), &mut params), Ok(()));
    let both = told(Sgd::new(0.1).only("a").only("b"), &mut params).unwrap_err();
    let unknown = told(Sgd::new(0.1).only("c"), &mut params).unwrap_err();
    expect_test::expect![[r#"
        the loss never reached the trainable parameters "b.layer1.weight", "b.layer1.bias": is a layer left out of the model, is its output detached, or was `backward` not called? Freeze them if that is what you want, or name what the optimizer is to step: `.only("hidden")`
        no parameter matches "c" | there are "a.layer1.weight", "a.layer1.bias", "b.layer1.weight", "b.layer1.bias""#]].assert_eq(&[both, unknown].join("\n"));
}
