//! Every message of the crate, whole, and the line that a panic names: what a user reads is part of the interface.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Arc, Mutex};

use surprisal_optim::{Adam, AdamW, Hyperparameter, OptimError, Optimizer, RmsProp, Sgd};
use surprisal_tensor::ndarray::array;
use surprisal_tensor::{Params, Workspace};

/// The code panics with this message, at the line of this call: keep both on one line.
#[track_caller]
fn assert_panics_here(message: &str, code: impl FnOnce()) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(()); // the hook is global
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let place = Arc::new(Mutex::new(None));
    let (seen, previous) = (place.clone(), take_hook());
    set_hook(Box::new(move |panic| {
        *seen.lock().unwrap() = panic.location().map(|at| (at.file().to_string(), at.line()));
    }));
    let result = catch_unwind(AssertUnwindSafe(code));
    set_hook(previous);

    let panic = result.expect_err("this should have panicked");
    assert_eq!(panic.downcast_ref::<String>().expect("a formatted message"), message);
    let here = std::panic::Location::caller();
    assert_eq!(*place.lock().unwrap(), Some((here.file().to_string(), here.line())));
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
        assert_panics_here(&message, || Optimizer::<f32>::set_learning_rate(&mut Sgd::new(0.1), rate));
        assert_panics_here(&message, || Optimizer::<f32>::set_learning_rate(&mut Adam::new(0.1), rate));
        assert_panics_here(&message, || Optimizer::<f32>::set_learning_rate(&mut AdamW::new(0.1), rate));
        assert_panics_here(&message, || Optimizer::<f32>::set_learning_rate(&mut RmsProp::new(0.1), rate));
        let mut boxed: Box<dyn Optimizer<f32>> = Box::new(Adam::new(0.1));
        assert_panics_here(&message, || boxed.set_learning_rate(rate));
        assert_eq!(Sgd::<f32>::try_new(rate).unwrap_err().to_string(), message);
        assert_eq!(Adam::<f32>::try_new(rate).unwrap_err().to_string(), message);
        assert_eq!(AdamW::<f32>::try_new(rate).unwrap_err().to_string(), message);
        assert_eq!(RmsProp::<f32>::try_new(rate).unwrap_err().to_string(), message);
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
    let mut params = Params::<f64>::new();
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
    let mut params = Params::<f64>::new();
    let w = params.add("w", &array![1.0]);
    params.add("hidden.weight", &array![[1.0]]);
    let mut workspace = Workspace::new();
    let (_, grads) = workspace.grad(&params, |tape| tape.param(w).sum());

    let message = "the loss never reached the trainable parameter \"hidden.weight\": is a layer left out of the model, \
                   is its output detached, or was `backward` not called? Freeze it if that is what you want";
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
    let mut params = Params::<f64>::new();
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
    let mut params = Params::<f64>::new();
    params.add("w", &array![[1.0], [2.0]]);
    let mut others = Params::<f64>::new();
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
    let mut optimizers: [Box<dyn Optimizer<f64>>; 4] = [
        Box::new(Sgd::new(0.1).momentum(0.9)),
        Box::new(Adam::new(0.1)),
        Box::new(AdamW::new(0.1)),
        Box::new(RmsProp::new(0.1)),
    ];
    for optimizer in &mut optimizers {
        let mut params = Params::<f64>::new();
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
