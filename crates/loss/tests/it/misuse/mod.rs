//! Messages to inputs that a loss cannot take, in messages.txt, and that a panic is at the caller's line.

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

#[test]
fn messages() {
    let mut messages = String::new();
    for parts in [basic::PARTS, information::PARTS, margins::PARTS, overlap::PARTS, regression::PARTS] {
        parts.iter().for_each(|part| part(&mut messages));
    }
    expect_test::expect_file!["../messages.txt"].assert_eq(&messages);
}

/// Adds the messages of losses that panic, each below the loss.
macro_rules! says {
    ($messages:ident, $($loss:expr),+ $(,)?) => {
        $($crate::misuse::add($messages, stringify!($loss), $loss);)+
    };
}
use says;

/// The first line and the hint of a panic in these files, without the lines between that name places.
#[track_caller]
fn add(messages: &mut String, case: &str, loss: impl for<'t> Fn(&'t Tape<'t>) -> V<'t>) {
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
        loss(&Workspace::new().tape(&Params::new())); // one that records, so that targets may need a gradient
    });
    let panic = std::panic::catch_unwind(run).expect_err("this should have panicked");
    let message = panic.downcast_ref::<String>().expect("a message");
    let told: Vec<_> = message.lines().filter(|line| !line.contains(", recorded at ")).collect();
    let case = case.split_whitespace().collect::<Vec<_>>().join(" ");
    *messages += &format!("{}\n    {}\n\n", case.trim_start_matches("|tape| "), told.join("\n    "));
    let file = PANICKED_IN.take(); // not borrowed while it is asserted: a panic would set it
    assert!(file.contains("tests/it/misuse"), "{case}: at {file}");
}

fn zeros(shape: &[usize]) -> ArrayD<f64> {
    Array::zeros(shape)
}
