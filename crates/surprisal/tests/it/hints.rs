//! The code that messages of panics advise compiles as it is written, after `use surprisal::prelude::*`, and cures the panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use surprisal::ndarray::{Array2, array};
use surprisal::prelude::*;

/// Each piece of code stands in the message, between back quotes.
#[track_caller]
fn advises(codes: &[&str], run: impl FnOnce()) {
    let panic = catch_unwind(AssertUnwindSafe(run)).expect_err("it panics");
    let message =
        panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    let message = message.expect("with a message");
    for code in codes {
        assert!(message.contains(&format!("`{code}`")), "`{code}` is not in: {message}");
    }
}

#[test]
fn a_seed_for_what_is_drawn() {
    let (params, mut workspace) = (Params::new(), Workspace::new());
    let x = Array2::<f32>::ones((2, 3));
    advises(&["workspace.tape(&params).seeded(rng.next_u64())", "let mut rng = rng(7)"], || {
        Dropout::new(0.5).forward(workspace.tape(&params).input(&x));
    });
    let mut rng = rng(7);
    let tape = workspace.tape(&params).seeded(rng.next_u64());
    Dropout::new(0.5).forward(tape.input(&x));
    let from_0_to_1 = rng.random::<f32>();
    assert!((0.0..1.0).contains(&from_0_to_1));
}

#[test]
fn the_gradient_of_an_input() {
    let (params, mut workspace) = (Params::new(), Workspace::new());
    let x = array![1.0f32, 2.0];
    let tape = workspace.tape(&params);
    advises(&["tape.input(&x).requires_grad()"], || {
        let late = tape.input(&x);
        let _ = late.exp();
        late.requires_grad();
    });
    tape.input(&x).requires_grad().sum().backward();
}

#[test]
fn a_scope_for_each_net() {
    let (mut params, mut rng) = (Params::new(), rng(7));
    Linear::new(&mut params, "out", 2, 1, &mut rng);
    advises(&["&mut params.scope(\"critic\")", "&mut params"], || {
        Linear::new(&mut params, "out", 2, 1, &mut rng);
    });
    Linear::new(&mut params.scope("critic"), "out", 2, 1, &mut rng);
}

#[test]
fn what_an_optimizer_is_to_step() {
    let mut params = Params::new();
    let hidden = Linear::new(&mut params, "hidden", 2, 1, &mut rng(7));
    Linear::new(&mut params, "forgotten", 2, 1, &mut rng(7));
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    hidden.forward(tape.input(&Array2::<f32>::ones((2, 2)))).sum().backward();
    advises(&[".only(\"hidden\")", "backward"], || {
        Sgd::new(0.1).step(&mut params, workspace.grads());
    });
    Sgd::new(0.1).only("hidden").step(&mut params, workspace.grads());
}

#[test]
fn statistics_that_stayed_behind_and_values_that_are_no_buffer() {
    let mut params = Params::new();
    let norm = BatchNorm1d::new(&mut params, "norm", 2);
    let x = array![[1.0f32, 2.0], [3.0, 5.0]];
    let mut workspace = Workspace::new();
    norm.forward(workspace.tape(&params).input(&x)).sum().backward();
    params[norm.weight].fill(2.0);
    advises(&["workspace.grads().apply_updates(&mut params)"], || {
        Workspace::new().eval(&params, |tape| norm.forward(tape.input(&x)));
    });
    workspace.grads().apply_updates(&mut params);
    Workspace::new().eval(&params, |tape| norm.forward(tape.input(&x)));

    advises(&["params.add_buffer"], || {
        let tape = workspace.tape(&params);
        tape.update(norm.weight, tape.param(norm.weight));
    });
    let seen = params.add_buffer("seen", &array![0.0]);
    let tape = workspace.tape(&params);
    tape.update(seen, tape.param(seen) + 1.0);
}

#[test]
fn a_momentum_for_nesterov() {
    advises(&[".momentum(0.9)", ".nesterov()"], || {
        let _ = Sgd::<f32>::new(0.1).nesterov();
    });
    let _ = Sgd::<f32>::new(0.1).momentum(0.9).nesterov();
}
