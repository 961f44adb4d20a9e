//! Every message of the crate, in messages.txt below what gives it; and the file that a panic names is that of the caller.

use std::cell::RefCell;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use expect_test::expect_file;
use surprisal_optim::{
    Adagrad, Adam, AdamW, At, GradientMean, Hyperparameter, OptimError, Optimizer, OptimizerKind,
    OptimizerSettings, OptimizerState, ParamGroup, Penalty, RmsProp, Schedule, Sgd, clip_grad_norm,
    clip_grad_value,
};
use surprisal_tensor::ndarray::array;
use surprisal_tensor::{Gradients, ParamId, Params, Workspace};

thread_local! { static FILE: RefCell<Option<String>> = const { RefCell::new(None) } }

/// The message of code that must panic in this file.
fn panic_of(code: impl FnOnce()) -> String {
    static HOOK: Once = Once::new(); // for all threads
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            FILE.set(panic.location().map(|at| at.file().to_string()));
            before(panic);
        }));
    });
    let panic = catch_unwind(AssertUnwindSafe(code)).expect_err("this should have panicked");
    let message = panic.downcast_ref::<String>().expect("a formatted message");
    assert_eq!(FILE.take().as_deref(), Some(file!()), "{message}");
    message.clone()
}

/// The file so far.
struct Messages(String);

impl Messages {
    /// Adds the message of an error, below what gives it.
    fn add(&mut self, case: impl Display, error: impl Display) {
        self.0 += &format!("{case}\n    {error}\n\n");
    }
}

/// Adds the message of expressions that all panic with the same one.
macro_rules! panics {
    ($messages:ident, $case:expr, $($code:expr),+ $(,)?) => {{
        let mut messages = vec![$((stringify!($code), panic_of(|| _ = $code))),+];
        let (_, message) = messages.swap_remove(0);
        for (code, other) in messages {
            assert_eq!(other, message, "{code}");
        }
        $messages.add($case, message);
    }};
}

#[test]
fn messages() {
    let mut messages = Messages(String::new());
    for part in [
        ranges,
        rounded_epsilons,
        rules,
        parameters,
        penalties_and_limits,
        groups,
        states,
        settings,
        schedules,
    ] {
        part(&mut messages);
    }
    expect_file!["messages.txt"].assert_eq(&messages.0);
}

const NO_NUMBERS: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

fn settings_of_eps(eps: f64) -> OptimizerSettings {
    OptimizerSettings { eps: Some(eps), ..Default::default() }
}

fn ranges(m: &mut Messages) {
    for rate in NO_NUMBERS.into_iter().chain([0.0, -0.0, -0.1]) {
        let mut boxed: Box<dyn Optimizer<f64>> = Box::new(Adam::new(0.1));
        panics!(
            m,
            format!("learning rate {rate:?}"),
            Sgd::<f32>::new(rate),
            Adam::<f32>::new(rate),
            AdamW::<f32>::new(rate),
            RmsProp::<f32>::new(rate),
            Adagrad::<f32>::new(rate),
            ParamGroup::named("w").learning_rate(rate),
            Optimizer::<f32>::set_learning_rate(&mut Sgd::new(0.1), rate),
            Optimizer::<f32>::set_learning_rate(&mut Adam::new(0.1), rate),
            Optimizer::<f32>::set_learning_rate(&mut AdamW::new(0.1), rate),
            Optimizer::<f32>::set_learning_rate(&mut RmsProp::new(0.1), rate),
            Optimizer::<f32>::set_learning_rate(&mut Adagrad::new(0.1), rate),
            boxed.set_learning_rate(rate),
            Sgd::<f32>::try_new(rate).unwrap_or_else(|error| panic!("{error}")),
            Adam::<f32>::try_new(rate).unwrap_or_else(|error| panic!("{error}")),
            AdamW::<f32>::try_new(rate).unwrap_or_else(|error| panic!("{error}")),
            RmsProp::<f32>::try_new(rate).unwrap_or_else(|error| panic!("{error}")),
            Adagrad::<f32>::try_new(rate).unwrap_or_else(|error| panic!("{error}")),
        );
    }
    assert_eq!(Hyperparameter::LearningRate.check(1e-300), Ok(1e-300));
    for x in NO_NUMBERS.into_iter().chain([-0.1, 1.0, 9.0]) {
        panics!(
            m,
            format!("momentum {x:?}"),
            Sgd::<f32>::new(0.1).momentum(x),
            RmsProp::<f32>::new(0.1).momentum(x)
        );
        panics!(m, format!("beta1 {x:?}"), Adam::<f32>::new(0.1).betas(x, 0.999));
        panics!(
            m,
            format!("beta2 {x:?}"),
            Adam::<f32>::new(0.1).betas(0.9, x),
            AdamW::<f32>::new(0.1).betas(0.9, x)
        );
        panics!(m, format!("alpha {x:?}"), RmsProp::<f32>::new(0.1).alpha(x));
    }
    for eps in NO_NUMBERS.into_iter().chain([0.0, -1e-8]) {
        panics!(
            m,
            format!("eps {eps:?}"),
            Adam::<f32>::new(0.1).eps(eps),
            AdamW::<f32>::new(0.1).eps(eps),
            RmsProp::<f32>::new(0.1).eps(eps),
            Adagrad::<f32>::new(0.1).eps(eps),
            OptimizerKind::Adam.build::<f32>(&settings_of_eps(eps)).unwrap_or_else(|error| panic!("{error}")),
        );
    }
    for lambda in NO_NUMBERS.into_iter().chain([-1e-4]) {
        panics!(
            m,
            format!("weight decay {lambda:?}"),
            Sgd::<f32>::new(0.1).weight_decay(lambda),
            Adam::<f32>::new(0.1).weight_decay(lambda),
            AdamW::<f32>::new(0.1).weight_decay(lambda),
            RmsProp::<f32>::new(0.1).weight_decay(lambda),
            Adagrad::<f32>::new(0.1).weight_decay(lambda),
            ParamGroup::named("w").weight_decay(lambda),
        );
    }
    let _none_is_allowed = Sgd::<f32>::new(0.1).momentum(0.0).weight_decay(0.0);
}

/// Epsilons that are 0 or infinite in the type of the parameters.
fn rounded_epsilons(m: &mut Messages) {
    for eps in [1e-46, f64::MIN_POSITIVE, 1e39] {
        panics!(
            m,
            format!("eps {eps:?} in f32"),
            Adam::<f32>::new(0.1).eps(eps),
            AdamW::<f32>::new(0.1).eps(eps),
            RmsProp::<f32>::new(0.1).eps(eps),
            Adagrad::<f32>::new(0.1).eps(eps),
        );
        for kind in having(Hyperparameter::Eps) {
            let error = kind.build::<f32>(&settings_of_eps(eps)).err().unwrap();
            assert!(matches!(error, OptimError::OutOfRangeWhenRounded { .. }), "{error}");
            assert!(kind.build::<f64>(&settings_of_eps(eps)).is_ok(), "{kind}");
        }
    }
    drop((
        Adam::<f64>::new(0.1).eps(1e-300),
        Adam::<f32>::new(0.1).eps(1e-45),
        RmsProp::<f64>::new(0.1).eps(1e300),
    ));
}

fn rules(m: &mut Messages) {
    let at = At { epoch: 3, step: 0, steps_per_epoch: 1, epochs: 9 };
    panics!(m, "a step after every 0 epochs", Schedule::Step { every: 0, factor: 0.5 }.rate(0.1, at, &[]));
    // nothing overflows, however long training is
    let late = At { epoch: usize::MAX, step: usize::MAX, steps_per_epoch: usize::MAX, epochs: usize::MAX };
    for warmup in [0, 1, usize::MAX - 1, usize::MAX] {
        let rate = Schedule::Cosine { warmup, floor: 0.5 }.rate(0.1, late, &[]);
        assert!((0.05..=0.1).contains(&rate), "{rate}");
    }
    panics!(
        m,
        "nesterov without momentum",
        Sgd::<f32>::new(0.1).nesterov(),
        Sgd::<f32>::new(0.1).momentum(0.9).nesterov().momentum(0.0),
    );
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

/// One parameter, and the gradient of its sum.
fn one(name: &str, values: &[f64]) -> (Params<f64>, ParamId, Workspace<f64>) {
    let mut params = Params::default();
    let id = params.add(name, &surprisal_tensor::ndarray::Array1::from(values.to_vec()));
    let mut workspace = Workspace::new();
    workspace.grad(&params, |tape| tape.param(id).sum());
    (params, id, workspace)
}

fn parameters(m: &mut Messages) {
    let mut params = Params::<f64>::default();
    let w = params.add("w", &array![1.0]);
    params.add("hidden.weight", &array![[1.0]]);
    let mut workspace = Workspace::new();
    let (_, grads) = workspace.grad(&params, |tape| tape.param(w).sum());
    let mut boxed: Box<dyn Optimizer<f64>> = Box::new(Sgd::new(0.1));
    let borrowed: &mut dyn Optimizer<f64> = &mut Adam::new(0.1);
    panics!(
        m,
        "a parameter that the loss never reached",
        boxed.step(&mut params, grads),
        borrowed.step(&mut params, grads),
        Sgd::new(0.1).step(&mut params, grads),
        Adam::new(0.1).step(&mut params, grads),
        AdamW::new(0.1).step(&mut params, grads),
        RmsProp::new(0.1).step(&mut params, grads),
    );

    let mut params = Params::<f64>::default();
    let (a, b) = (params.add("a", &array![1.0]), params.add("b", &array![1.0]));
    params.freeze(b);
    let (_, grads) = workspace.grad(&params, |tape| (tape.param(a) * tape.param(b)).sum());
    params.unfreeze(b);
    panics!(m, "a parameter that was frozen", Sgd::new(0.1).step(&mut params, grads));

    let mut params = Params::<f64>::default();
    params.add("w", &array![[1.0], [2.0]]);
    panics!(m, "no gradients", Sgd::new(0.1).step(&mut params, Workspace::new().grads()));
    let (.., others) = one("v", &[1.0, 2.0]);
    panics!(
        m,
        "gradients of other parameters",
        Sgd::new(0.1).step(&mut params, others.grads()),
        Adam::new(0.1).step(&mut params, others.grads()),
    );

    for kind in OptimizerKind::ALL {
        let momentum = (kind == OptimizerKind::Sgd).then_some(0.9);
        let optimizer = &mut kind.build(&OptimizerSettings { momentum, ..Default::default() }).unwrap();
        let (mut params, w, mut workspace) = one("w", &[1.0, 2.0]);
        optimizer.step(&mut params, workspace.grads());
        let late = params.add("late", &array![3.0]);
        let (_, grads) = workspace.grad(&params, |tape| tape.param(w).sum() + tape.param(late).sum());
        panics!(m, format!("{kind}: a parameter more after a step"), optimizer.step(&mut params, grads));
    }
}

fn penalties_and_limits(m: &mut Messages) {
    for price in NO_NUMBERS.into_iter().chain([-0.1]) {
        panics!(m, format!("l1 {price:?}"), Penalty::new(price, 0.0));
        panics!(m, format!("l2 {price:?}"), Penalty::new(0.0, price));
    }
    let (mut params, ..) = one("w", &[1.0]);
    let mut none = Gradients::default();
    panics!(
        m,
        "no gradients",
        Penalty::new(0.1, 0.1).add_to(&mut none, &params),
        GradientMean::new().add(&mut params, &none, 1),
    );
    let grads = &mut Gradients::<f64>::default();
    for limit in NO_NUMBERS.into_iter().chain([0.0, -1.0]) {
        panics!(m, format!("clip_grad_norm {limit:?}"), clip_grad_norm(grads, limit));
        panics!(m, format!("clip_grad_value {limit:?}"), clip_grad_value(grads, limit));
    }
    let mut params = Params::<f64>::default();
    panics!(m, "an empty micro-batch", GradientMean::new().add(&mut params, grads, 0));
    let mut mean = GradientMean::new();
    mean.add(&mut params, grads, 3);
    mean.take();
    panics!(m, "a mean taken twice", mean.take());
}

fn groups(m: &mut Messages) {
    for kind in OptimizerKind::ALL {
        let (mut params, _, workspace) = one("hidden.weight", &[1.0]);
        let mut optimizer = kind.build(&OptimizerSettings::default()).unwrap();
        optimizer.set_groups(vec![ParamGroup::named("hidden"), ParamGroup::named("hiden")]);
        let case = format!("{kind}: a group of no parameters");
        panics!(m, case, optimizer.step(&mut params, workspace.grads()));
        assert_eq!((params.as_slice(), optimizer.state().steps), (&[1.0][..], 0));
    }
}

fn states(m: &mut Messages) {
    let state = |name: &str, memory: &[(&str, &[f64])]| OptimizerState {
        name: name.to_string(),
        steps: 3,
        steps_of_each: Vec::new(),
        memory: memory.iter().map(|(name, numbers)| (name.to_string(), numbers.to_vec())).collect(),
    };
    let mut refused = |optimizer: &mut dyn Optimizer<f64>, state: OptimizerState<f64>| {
        let before = optimizer.state();
        let error = optimizer.load_state(&state).unwrap_err();
        assert_eq!(optimizer.state(), before);
        let steps = state.steps_of_each;
        m.add(
            format!("{}: a state of {} with {:?}, {steps:?}", before.name, state.name, state.memory),
            error,
        );
    };
    let adam = &mut Adam::new(0.1);
    refused(adam, state("adamw", &[("mean", &[0.0]), ("square", &[0.0])]));
    for memory in [
        &[("mean", &[0.0][..])][..],
        &[],
        &[("mean", &[0.0]), ("mean", &[0.0])],
        &[("mean", &[0.0]), ("square", &[0.0]), ("cube", &[0.0])],
        &[("mean", &[0.0]), ("square", &[0.0, 1.0])],
    ] {
        refused(adam, state("adam", memory));
    }
    let velocity = state("sgd", &[("velocity", &[0.0])]);
    refused(&mut Sgd::new(0.1), velocity.clone());

    // a count of its own for each parameter
    let counted = |steps_of_each: &[u64]| OptimizerState {
        steps_of_each: steps_of_each.to_vec(),
        ..state("adam", &[("mean", &[0.0]), ("square", &[0.0])])
    };
    refused(adam, counted(&[3, 4]));
    let (mut params, v, workspace) = one("v", &[1.0]);
    adam.load_state(&counted(&[3, 2])).unwrap();
    let error = adam.try_step(&mut params, workspace.grads()).unwrap_err();
    assert_eq!(error, OptimError::OtherStepCounts { parameters: 1, found: 2 });
    m.add("adam: a step from a state of more parameters", error);
    assert_eq!(params[v], [1.0]);

    // the length beside that of the parameters shows at the step
    let mut sgd = Sgd::new(0.1).momentum(0.9);
    sgd.load_state(&velocity).unwrap();
    let (mut params, _, workspace) = one("w", &[1.0, 2.0]);
    let error = sgd.try_step(&mut params, workspace.grads()).unwrap_err();
    assert_eq!(error, OptimError::LayoutChanged { remembered: 1, found: 2 });
}

/// The optimizers that have a setting.
fn having(setting: Hyperparameter) -> Vec<OptimizerKind> {
    let has = |kind: &OptimizerKind| kind.settings().iter().any(|(own, _)| *own == setting);
    OptimizerKind::ALL.into_iter().filter(has).collect()
}

fn settings(m: &mut Messages) {
    let usual = OptimizerSettings::default();
    let some = Some(0.5);
    for (kind, case, settings) in [
        (OptimizerKind::Adagrad, "momentum 0.5", OptimizerSettings { momentum: some, ..usual }),
        (OptimizerKind::Sgd, "alpha 0.5", OptimizerSettings { alpha: some, ..usual }),
        (OptimizerKind::RmsProp, "beta1 0.5", OptimizerSettings { beta1: some, ..usual }),
        (OptimizerKind::RmsProp, "beta2 0.5", OptimizerSettings { beta2: some, ..usual }),
        (OptimizerKind::Sgd, "eps 0.5", OptimizerSettings { eps: some, ..usual }),
        (OptimizerKind::AdamW, "nesterov", OptimizerSettings { nesterov: true, ..usual }),
        (OptimizerKind::Adam, "beta2 1", OptimizerSettings { beta2: Some(1.0), ..usual }),
    ] {
        m.add(format!("{kind}: {case}"), kind.build::<f32>(&settings).err().unwrap());
    }
    assert_eq!(
        OptimizerKind::Sgd.build::<f32>(&OptimizerSettings { nesterov: true, ..usual }).err(),
        Some(OptimError::NesterovWithoutMomentum)
    );
    m.add("\"Adam\"", "Adam".parse::<OptimizerKind>().unwrap_err());
    for kind in OptimizerKind::ALL {
        assert_eq!(kind.to_string().parse(), Ok(kind));
        assert_eq!(kind.build::<f32>(&usual).unwrap().learning_rate(), kind.usual_rate());
        assert_eq!(kind.build::<f32>(&usual).unwrap().state().name, kind.to_string());
    }
}

fn schedules(m: &mut Messages) {
    for text in [
        "",
        "linear",
        "plateu:patience=3",
        "constant:rate=1",
        "cosine:5",
        "cosine:warmpu=5",
        "step:every=2,every=3",
        "step:every=0",
        "cosine:warmup=1.5",
        "exponential:factor=fast",
        "plateau:threshold=1",
        "plateau:least=inf",
    ] {
        m.add(format!("{text:?}"), text.parse::<Schedule>().unwrap_err());
    }
    let long = Schedule::Cosine { warmup: 3, floor: 0.0 };
    assert_eq!(long.check(3).unwrap_err(), OptimError::LongWarmup { warmup: 3, epochs: 3 });
    assert_eq!(long.check(4), Ok(()));
}
