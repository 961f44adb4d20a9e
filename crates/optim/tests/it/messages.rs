//! Every message of the crate, whole, and the line that a panic names: what a user reads is part of the interface.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use surprisal_optim::{
    Adagrad, Adam, AdamW, GradientMean, Hyperparameter, OptimError, Optimizer, OptimizerKind,
    OptimizerSettings, OptimizerState, ParamGroup, Penalty, RmsProp, Schedule, Sgd, clip_grad_norm,
    clip_grad_value,
};
use surprisal_tensor::ndarray::array;
use surprisal_tensor::{Gradients, Params, Workspace};

thread_local! { static PLACE: RefCell<Option<(String, u32)>> = const { RefCell::new(None) } }

/// The code panics with this message, at the line of this call: keep both on one line.
#[track_caller]
fn assert_panics_here(message: &str, code: impl FnOnce()) {
    static HOOK: Once = Once::new(); // for all threads
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            PLACE.set(panic.location().map(|at| (at.file().to_string(), at.line())));
            before(panic);
        }));
    });
    let result = catch_unwind(AssertUnwindSafe(code));
    let place = PLACE.take();

    let panic = result.expect_err("this should have panicked");
    assert_eq!(panic.downcast_ref::<String>().expect("a formatted message"), message);
    let here = std::panic::Location::caller();
    assert_eq!(place, Some((here.file().to_string(), here.line())));
}

const NO_NUMBERS: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

#[test]
fn learning_rates() {
    for rate in NO_NUMBERS.into_iter().chain([0.0, -0.0, -0.1]) {
        let message = format!(
            "learning rate: expected a finite number above 0, found {rate:?} \
             | 0.1 is a usual start for Sgd, 0.001 for Adam"
        );
        assert_panics_here(&message, || drop(Sgd::<f32>::new(rate)));
        assert_panics_here(&message, || drop(Adam::<f32>::new(rate)));
        assert_panics_here(&message, || drop(AdamW::<f32>::new(rate)));
        assert_panics_here(&message, || drop(RmsProp::<f32>::new(rate)));
        assert_panics_here(&message, || drop(Adagrad::<f32>::new(rate)));
        assert_panics_here(&message, || drop(ParamGroup::named("w").learning_rate(rate)));
        assert_panics_here(&message, || Optimizer::<f32>::set_learning_rate(&mut Sgd::new(0.1), rate));
        assert_panics_here(&message, || Optimizer::<f32>::set_learning_rate(&mut Adam::new(0.1), rate));
        assert_panics_here(&message, || Optimizer::<f32>::set_learning_rate(&mut AdamW::new(0.1), rate));
        assert_panics_here(&message, || Optimizer::<f32>::set_learning_rate(&mut RmsProp::new(0.1), rate));
        assert_panics_here(&message, || Optimizer::<f32>::set_learning_rate(&mut Adagrad::new(0.1), rate));
        let mut boxed: Box<dyn Optimizer<f32>> = Box::new(Adam::new(0.1));
        assert_panics_here(&message, || boxed.set_learning_rate(rate));
        assert_eq!(Sgd::<f32>::try_new(rate).unwrap_err().to_string(), message);
        assert_eq!(Adam::<f32>::try_new(rate).unwrap_err().to_string(), message);
        assert_eq!(AdamW::<f32>::try_new(rate).unwrap_err().to_string(), message);
        assert_eq!(RmsProp::<f32>::try_new(rate).unwrap_err().to_string(), message);
        assert_eq!(Adagrad::<f32>::try_new(rate).unwrap_err().to_string(), message);
    }
    assert_eq!(Hyperparameter::LearningRate.check(1e-300), Ok(1e-300));
}

#[test]
fn momenta() {
    for mu in NO_NUMBERS.into_iter().chain([-0.1, 1.0, 9.0]) {
        let message = format!("momentum: expected a number from 0 to below 1, found {mu:?} | 0.9 is usual");
        assert_panics_here(&message, || drop(Sgd::<f32>::new(0.1).momentum(mu)));
        assert_panics_here(&message, || drop(RmsProp::<f32>::new(0.1).momentum(mu)));
    }
    let _none_is_allowed = Sgd::<f32>::new(0.1).momentum(0.0);
}

#[test]
fn betas() {
    for beta in NO_NUMBERS.into_iter().chain([-0.1, 1.0, 9.0]) {
        let first = format!("beta1: expected a number from 0 to below 1, found {beta:?} | 0.9 is usual");
        assert_panics_here(&first, || drop(Adam::<f32>::new(0.1).betas(beta, 0.999)));
        let second = format!("beta2: expected a number from 0 to below 1, found {beta:?} | 0.999 is usual");
        assert_panics_here(&second, || drop(Adam::<f32>::new(0.1).betas(0.9, beta)));
        assert_panics_here(&second, || drop(AdamW::<f32>::new(0.1).betas(0.9, beta)));
    }
}

#[test]
fn alphas() {
    for alpha in NO_NUMBERS.into_iter().chain([-0.1, 1.0, 9.0]) {
        let message = format!("alpha: expected a number from 0 to below 1, found {alpha:?} | 0.99 is usual");
        assert_panics_here(&message, || drop(RmsProp::<f32>::new(0.1).alpha(alpha)));
    }
}

#[test]
fn epsilons() {
    for eps in NO_NUMBERS.into_iter().chain([0.0, -1e-8]) {
        let message = format!("eps: expected a finite number above 0, found {eps:?} | 1e-8 is usual");
        assert_panics_here(&message, || drop(Adam::<f32>::new(0.1).eps(eps)));
        assert_panics_here(&message, || drop(AdamW::<f32>::new(0.1).eps(eps)));
        assert_panics_here(&message, || drop(RmsProp::<f32>::new(0.1).eps(eps)));
        assert_panics_here(&message, || drop(Adagrad::<f32>::new(0.1).eps(eps)));
        let settings = OptimizerSettings { eps: Some(eps), ..Default::default() };
        assert_eq!(OptimizerKind::Adam.build::<f32>(&settings).err().unwrap().to_string(), message);
    }
}

#[test]
fn epsilons_that_are_nothing_in_the_type_of_the_parameters() {
    for (eps, rounded) in [(1e-46, "0.0"), (f64::MIN_POSITIVE, "0.0"), (1e39, "inf")] {
        let message = format!(
            "eps: expected a finite number above 0 also when rounded to f32, found {eps:?}, which becomes {rounded} | 1e-8 is usual"
        );
        assert_panics_here(&message, || drop(Adam::<f32>::new(0.1).eps(eps)));
        assert_panics_here(&message, || drop(AdamW::<f32>::new(0.1).eps(eps)));
        assert_panics_here(&message, || drop(RmsProp::<f32>::new(0.1).eps(eps)));
        assert_panics_here(&message, || drop(Adagrad::<f32>::new(0.1).eps(eps)));
        let settings = OptimizerSettings { eps: Some(eps), ..Default::default() };
        for kind in having(Hyperparameter::Eps) {
            assert_eq!(kind.build::<f32>(&settings).err().unwrap().to_string(), message);
            assert!(kind.build::<f64>(&settings).is_ok(), "{kind}");
        }
    }
    drop((
        Adam::<f64>::new(0.1).eps(1e-300),
        Adam::<f32>::new(0.1).eps(1e-45),
        RmsProp::<f64>::new(0.1).eps(1e300),
    ));
}

#[test]
fn a_rate_of_steps_after_every_0_epochs() {
    let at = surprisal_optim::At { epoch: 3, step: 0, steps_per_epoch: 1, epochs: 9 };
    let message = "step: expected every to be a whole number from 1 to 1000000, found 0";
    let never = Schedule::Step { every: 0, factor: 0.5 };
    assert_panics_here(message, || assert!(never.rate(0.1, at, &[]) > 0.0));
    // nothing overflows, however long training is
    let late = surprisal_optim::At {
        epoch: usize::MAX,
        step: usize::MAX,
        steps_per_epoch: usize::MAX,
        epochs: usize::MAX,
    };
    for warmup in [0, 1, usize::MAX - 1, usize::MAX] {
        let rate = Schedule::Cosine { warmup, floor: 0.5 }.rate(0.1, late, &[]);
        assert!((0.05..=0.1).contains(&rate), "{rate}");
    }
}

#[test]
fn weight_decays() {
    for lambda in NO_NUMBERS.into_iter().chain([-1e-4]) {
        let message = format!(
            "weight decay: expected a finite number, 0 or above, found {lambda:?} | 0 is none, 1e-4 is usual, 1e-2 for AdamW"
        );
        assert_panics_here(&message, || drop(Sgd::<f32>::new(0.1).weight_decay(lambda)));
        assert_panics_here(&message, || drop(Adam::<f32>::new(0.1).weight_decay(lambda)));
        assert_panics_here(&message, || drop(AdamW::<f32>::new(0.1).weight_decay(lambda)));
        assert_panics_here(&message, || drop(RmsProp::<f32>::new(0.1).weight_decay(lambda)));
        assert_panics_here(&message, || drop(Adagrad::<f32>::new(0.1).weight_decay(lambda)));
        assert_panics_here(&message, || drop(ParamGroup::named("w").weight_decay(lambda)));
    }
    let _none_is_allowed = Sgd::<f32>::new(0.1).weight_decay(0.0);
}

#[test]
fn nesterov_without_momentum() {
    let message =
        "nesterov: expected a momentum above 0, found none | call `.momentum(0.9)` before `.nesterov()`";
    assert_panics_here(message, || drop(Sgd::<f32>::new(0.1).nesterov()));
    assert_panics_here(message, || drop(Sgd::<f32>::new(0.1).momentum(0.9).nesterov().momentum(0.0)));
    assert_eq!(Sgd::<f32>::new(0.1).try_nesterov().unwrap_err(), OptimError::NesterovWithoutMomentum);
}

#[test]
fn errors_are_checked_before_anything_moves() {
    fn is_an_error<E: std::error::Error + Send + Sync + 'static>(_: &E) {}
    let mut params = Params::<f64>::default();
    let (a, _) = (params.add("a", &array![1.0]), params.add("b", &array![1.0]));
    let mut workspace = Workspace::new();
    let (_, grads) = workspace.grad(&params, |tape| tape.param(a).sum());
    let error = Adam::new(0.1).try_step(&mut params, grads).unwrap_err();
    is_an_error(&error);
    assert_eq!(error, OptimError::Unreached(grads.all_reached().unwrap_err()));
    assert_eq!(params.as_slice(), [1.0, 1.0]);
}

#[test]
fn a_parameter_that_the_loss_never_reached() {
    let mut params = Params::<f64>::default();
    let w = params.add("w", &array![1.0]);
    params.add("hidden.weight", &array![[1.0]]);
    let mut workspace = Workspace::new();
    let (_, grads) = workspace.grad(&params, |tape| tape.param(w).sum());

    let message = "the loss never reached the trainable parameter \"hidden.weight\": is a layer left out of the model, \
                   is its output detached, or was `backward` not called? Freeze it if that is what you want, or name what the optimizer is to step: `.only(\"hidden\")`";
    let mut boxed: Box<dyn Optimizer<f64>> = Box::new(Sgd::new(0.1));
    assert_panics_here(message, || boxed.step(&mut params, grads));
    let borrowed: &mut dyn Optimizer<f64> = &mut Adam::new(0.1);
    assert_panics_here(message, || borrowed.step(&mut params, grads));
    assert_panics_here(message, || Sgd::new(0.1).step(&mut params, grads));
    assert_panics_here(message, || Adam::new(0.1).step(&mut params, grads));
    assert_panics_here(message, || AdamW::new(0.1).step(&mut params, grads));
    assert_panics_here(message, || RmsProp::new(0.1).step(&mut params, grads));
}

#[test]
fn a_parameter_that_was_frozen_when_its_gradient_was_due() {
    let mut params = Params::<f64>::default();
    let (a, b) = (params.add("a", &array![1.0]), params.add("b", &array![1.0]));
    params.freeze(b);
    let mut workspace = Workspace::new();
    let (_, grads) = workspace.grad(&params, |tape| (tape.param(a) * tape.param(b)).sum());
    params.unfreeze(b);
    let message = "step: expected a gradient of \"b\", found none: it was frozen when `backward` ran \
                   | unfreeze it before the tape is started";
    assert_panics_here(message, || Sgd::new(0.1).step(&mut params, grads));
}

#[test]
fn gradients_of_other_parameters() {
    let mut params = Params::<f64>::default();
    params.add("w", &array![[1.0], [2.0]]);
    let mut others = Params::<f64>::default();
    let v = others.add("v", &array![1.0, 2.0]);

    let mut workspace = Workspace::new();
    let nothing = "step: expected the gradient of \"w\" [2, 1], found that of nothing \
                   | was `backward` called on a tape that was started with these parameters?";
    assert_panics_here(nothing, || Sgd::new(0.1).step(&mut params, workspace.grads()));

    let (_, grads) = workspace.grad(&others, |tape| tape.param(v).sum());
    let other = "step: expected the gradient of \"w\" [2, 1], found that of \"v\" [2] \
                 | was `backward` called on a tape that was started with these parameters?";
    assert_panics_here(other, || Sgd::new(0.1).step(&mut params, grads));
    assert_panics_here(other, || Adam::new(0.1).step(&mut params, grads));
}

#[test]
fn parameters_that_are_added_between_steps() {
    for kind in OptimizerKind::ALL {
        let momentum = (kind == OptimizerKind::Sgd).then_some(0.9);
        let optimizer = &mut kind.build(&OptimizerSettings { momentum, ..Default::default() }).unwrap();
        let mut params = Params::<f64>::default();
        let w = params.add("w", &array![1.0, 2.0]);
        let mut workspace = Workspace::new();
        let (_, grads) = workspace.grad(&params, |tape| tape.param(w).sum());
        optimizer.step(&mut params, grads);

        let late = params.add("late", &array![3.0]);
        let (_, grads) = workspace.grad(&params, |tape| tape.param(w).sum() + tape.param(late).sum());
        let message = "step: expected the 2 numbers of the first step, found 3 \
                       | add every parameter before the first step, or start with a new optimizer";
        assert_panics_here(message, || optimizer.step(&mut params, grads));
    }
}

#[test]
fn penalties() {
    for price in NO_NUMBERS.into_iter().chain([-0.1]) {
        let message =
            format!("l1: expected a finite number, 0 or above, found {price:?} | 0 is none, 1e-4 is usual");
        assert_panics_here(&message, || _ = Penalty::new(price, 0.0));
        assert_panics_here(&message.replace("l1", "l2"), || _ = Penalty::new(0.0, price));
    }
    let mut params = Params::<f64>::default();
    params.add("w", &array![1.0]);
    let message = "step: expected the gradient of \"w\" [1], found that of nothing \
                   | was `backward` called on a tape that was started with these parameters?";
    let mut none = Gradients::default();
    assert_panics_here(message, || Penalty::new(0.1, 0.1).add_to(&mut none, &params));
    assert_panics_here(message, || GradientMean::new().add(&mut params, &none, 1));
}

#[test]
fn limits_of_gradients() {
    let grads = &mut Gradients::<f64>::default();
    for limit in NO_NUMBERS.into_iter().chain([0.0, -1.0]) {
        let message = |what| {
            format!(
                "largest {what} of a gradient: expected a finite number above 0, found {limit:?} | 1 is usual"
            )
        };
        assert_panics_here(&message("norm"), || _ = clip_grad_norm(grads, limit));
        assert_panics_here(&message("value"), || clip_grad_value(grads, limit));
    }
}

#[test]
fn means_of_nothing() {
    let (mut params, grads) = (Params::<f64>::default(), Gradients::default());
    let empty = "add: expected a micro-batch of rows, found an empty one | leave it out";
    assert_panics_here(empty, || GradientMean::new().add(&mut params, &grads, 0));
    let mut mean = GradientMean::new();
    mean.add(&mut params, &grads, 3);
    mean.take();
    let taken = "take: expected the gradients of a micro-batch, found none | call `add` before each `take`";
    assert_panics_here(taken, || _ = mean.take());
}

#[test]
fn a_group_of_no_parameters() {
    let mut params = Params::<f64>::default();
    let w = params.add("hidden.weight", &array![1.0]);
    let mut workspace = Workspace::new();
    let (_, grads) = workspace.grad(&params, |tape| tape.param(w).sum());
    let message = "no parameter matches \"hiden\" | there are \"hidden.weight\"";
    for kind in OptimizerKind::ALL {
        let mut optimizer = kind.build(&OptimizerSettings::default()).unwrap();
        optimizer.set_groups(vec![ParamGroup::named("hidden"), ParamGroup::named("hiden")]);
        assert_panics_here(message, || optimizer.step(&mut params, grads));
        assert_eq!((params.as_slice(), optimizer.state().steps), (&[1.0][..], 0));
    }
}

#[test]
fn states_that_do_not_fit() {
    let state = |name: &str, memory: &[(&str, &[f64])]| OptimizerState {
        name: name.to_string(),
        steps: 3,
        steps_of_each: Vec::new(),
        memory: memory.iter().map(|(name, numbers)| (name.to_string(), numbers.to_vec())).collect(),
    };
    let refused = |optimizer: &mut dyn Optimizer<f64>, state, message: &str| {
        let before = optimizer.state();
        assert_eq!(optimizer.load_state(&state).unwrap_err().to_string(), message);
        assert_eq!(optimizer.state(), before);
    };
    let adam = &mut Adam::new(0.1);
    refused(
        adam,
        state("adamw", &[("mean", &[0.0]), ("square", &[0.0])]),
        "load_state: this is the state of adamw, not of adam | make the optimizer that it was saved from",
    );
    let settings = "had it the same settings, such as momentum, when it was saved?";
    for (memory, found) in [
        (&[("mean", &[0.0][..])][..], "mean"),
        (&[], "none"),
        (&[("mean", &[0.0]), ("mean", &[0.0])], "mean, mean"),
        (&[("mean", &[0.0]), ("square", &[0.0]), ("cube", &[0.0])], "mean, square, cube"),
    ] {
        let message =
            format!("load_state: expected mean, square in the memory of adam, found {found} | {settings}");
        refused(adam, state("adam", memory), &message);
    }
    refused(
        adam,
        state("adam", &[("mean", &[0.0]), ("square", &[0.0, 1.0])]),
        "load_state: expected as many numbers of each in the memory of adam, found 1 of mean, 2 of square \
         | is the file whole?",
    );
    let velocity = state("sgd", &[("velocity", &[0.0])]);
    let message = format!("load_state: expected none in the memory of sgd, found velocity | {settings}");
    refused(&mut Sgd::new(0.1), velocity.clone(), &message);

    // a count of its own for each parameter
    let counted = |steps_of_each: &[u64]| OptimizerState {
        steps_of_each: steps_of_each.to_vec(),
        ..state("adam", &[("mean", &[0.0]), ("square", &[0.0])])
    };
    refused(
        adam,
        counted(&[3, 4]),
        "load_state: expected at most the 3 steps of adam for each parameter, found 4 | is the file whole?",
    );
    let mut one = Params::default();
    let v = one.add("v", &array![1.0]);
    adam.load_state(&counted(&[3, 2])).unwrap();
    let mut workspace = Workspace::new();
    let (_, grads) = workspace.grad(&one, |tape| tape.param(v).sum());
    let error = adam.try_step(&mut one, grads).unwrap_err();
    assert_eq!(error, OptimError::OtherStepCounts { parameters: 1, found: 2 });
    assert_eq!(
        error.to_string(),
        "step: expected the counted steps of 1 parameters, found 2 | was the state saved for other parameters?"
    );
    assert_eq!(one[v], [1.0]);

    // the length beside that of the parameters shows at the step
    let mut sgd = Sgd::new(0.1).momentum(0.9);
    sgd.load_state(&velocity).unwrap();
    let mut params = Params::default();
    let w = params.add("w", &array![1.0, 2.0]);
    let mut workspace = Workspace::new();
    let (_, grads) = workspace.grad(&params, |tape| tape.param(w).sum());
    let error = sgd.try_step(&mut params, grads).unwrap_err();
    assert_eq!(error, OptimError::LayoutChanged { remembered: 1, found: 2 });
}

/// The optimizers that have a setting.
fn having(setting: Hyperparameter) -> Vec<OptimizerKind> {
    let has = |kind: &OptimizerKind| kind.settings().iter().any(|(own, _)| *own == setting);
    OptimizerKind::ALL.into_iter().filter(has).collect()
}

#[test]
fn settings_that_an_optimizer_does_not_have_or_that_are_out_of_range() {
    let message = |kind: OptimizerKind, settings| kind.build::<f32>(&settings).err().unwrap().to_string();
    let usual = OptimizerSettings::default();
    let names = OptimizerKind::ALL.map(OptimizerKind::name);
    assert!(names.starts_with(&["sgd", "adagrad", "rmsprop", "adam", "adamw"]));
    let some = Some(0.5);
    for (kind, settings, setting) in [
        (OptimizerKind::Adagrad, OptimizerSettings { momentum: some, ..usual }, Hyperparameter::Momentum),
        (OptimizerKind::Sgd, OptimizerSettings { alpha: some, ..usual }, Hyperparameter::Alpha),
        (OptimizerKind::RmsProp, OptimizerSettings { beta1: some, ..usual }, Hyperparameter::Beta1),
        (OptimizerKind::RmsProp, OptimizerSettings { beta2: some, ..usual }, Hyperparameter::Beta2),
        (OptimizerKind::Sgd, OptimizerSettings { eps: some, ..usual }, Hyperparameter::Eps),
        (OptimizerKind::AdamW, OptimizerSettings { nesterov: true, ..usual }, Hyperparameter::Nesterov),
    ] {
        let having = Vec::from_iter(having(setting).into_iter().map(OptimizerKind::name)).join(", ");
        assert_eq!(
            message(kind, settings),
            format!(
                "{kind}: expected no {setting}, found one | leave it out, or take one that has it: {having}"
            )
        );
    }
    assert_eq!(
        message(OptimizerKind::Adam, OptimizerSettings { beta2: Some(1.0), ..usual }),
        "beta2: expected a number from 0 to below 1, found 1.0 | 0.999 is usual"
    );
    assert_eq!(
        OptimizerKind::Sgd.build::<f32>(&OptimizerSettings { nesterov: true, ..usual }).err(),
        Some(OptimError::NesterovWithoutMomentum)
    );
    assert_eq!(
        "Adam".parse::<OptimizerKind>().unwrap_err().to_string(),
        format!("no optimizer is named \"Adam\" | known: {} | did you mean \"adam\"?", names.join(", "))
    );
    for kind in OptimizerKind::ALL {
        assert_eq!(kind.to_string().parse(), Ok(kind));
        assert_eq!(kind.build::<f32>(&usual).unwrap().learning_rate(), kind.usual_rate());
        assert_eq!(kind.build::<f32>(&usual).unwrap().state().name, kind.to_string());
    }
}

#[test]
fn texts_that_are_no_schedules() {
    let known = "known: constant, step, exponential, cosine, plateau";
    for (text, message) in [
        ("", format!("no schedule is named \"\" | {known}")),
        ("linear", format!("no schedule is named \"linear\" | {known}")),
        (
            "plateu:patience=3",
            format!("no schedule is named \"plateu\" | {known} | did you mean \"plateau\"?"),
        ),
        ("constant:rate=1", "constant: no parameter is named \"rate\" | known: none".to_string()),
        ("cosine:5", "cosine: expected NAME=VALUE, found \"5\" | parameters: warmup, floor".to_string()),
        (
            "cosine:warmpu=5",
            "cosine: no parameter is named \"warmpu\" | known: warmup, floor | did you mean \"warmup\"?"
                .to_string(),
        ),
        ("step:every=2,every=3", "step: expected every once, found it twice | keep one of them".to_string()),
        ("step:every=0", "step: expected every to be a whole number from 1 to 1000000, found 0".to_string()),
        (
            "cosine:warmup=1.5",
            "cosine: expected warmup to be a whole number from 0 to 1000000, found 1.5".to_string(),
        ),
        (
            "exponential:factor=fast",
            "exponential: expected factor to be a number above 0, up to 1, found \"fast\"".to_string(),
        ),
        (
            "plateau:threshold=1",
            "plateau: expected threshold to be a number from 0 to below 1, found 1".to_string(),
        ),
        (
            "plateau:least=inf",
            "plateau: expected least to be a finite number, 0 or above, found inf".to_string(),
        ),
    ] {
        assert_eq!(text.parse::<Schedule>().unwrap_err().to_string(), message);
    }
    let long = Schedule::Cosine { warmup: 3, floor: 0.0 };
    assert_eq!(long.check(3).unwrap_err(), OptimError::LongWarmup { warmup: 3, epochs: 3 });
    assert_eq!(long.check(4), Ok(()));
}
