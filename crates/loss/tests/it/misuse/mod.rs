//! What a loss says to inputs that it cannot take, and that it says so of the caller's line.

mod basic;
mod information;
mod margins;
mod overlap;
mod regression;

use std::cell::RefCell;
use std::sync::Once;

use surprisal_tensor::ndarray::{Array, ArrayD};
use surprisal_tensor::{Params, Tape, Var, Workspace};

type V<'t> = Var<'t>;

thread_local! { static PANICKED_IN: RefCell<String> = const { RefCell::new(String::new()) } }

/// The first line and the hint of a panic in this file, without the lines between that name places.
#[track_caller]
fn says(expected: &str, f: impl for<'t> Fn(&'t Tape<'t>) -> V<'t>) {
    static HOOK: Once = Once::new(); // for all threads
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let file = panic.location().map(|at| at.file().to_owned());
            PANICKED_IN.set(file.unwrap_or_default());
            before(panic);
        }));
    });
    let run = std::panic::AssertUnwindSafe(|| {
        f(&Workspace::new().tape(&Params::new())); // one that records, so that targets may need a gradient
    });
    let panic = std::panic::catch_unwind(run).expect_err("this should have panicked");
    let message = panic.downcast_ref::<String>().expect("a message");
    let told: Vec<_> = message.lines().filter(|line| !line.contains(", recorded at ")).collect();
    assert_eq!(told.join("\n"), expected);
    let file = PANICKED_IN.take(); // not borrowed while it is asserted: a panic would set it
    assert!(file.contains("tests/it/misuse"), "{expected}: at {file}");
}

fn zeros(shape: &[usize]) -> ArrayD<f64> {
    Array::zeros(shape)
}
