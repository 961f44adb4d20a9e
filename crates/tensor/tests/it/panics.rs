//! Panics that a test expects.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// The line that a panic is raised at, while one is expected: it is not printed.
    static LINE: Cell<Option<u32>> = const { Cell::new(None) }
}

/// The message of a panic, and the line it was raised at.
pub fn panic_of<R>(f: impl FnOnce() -> R) -> (String, u32) {
    panicked(f).expect("this should have panicked")
}

/// The message of a panic, without places.
pub fn message<R>(f: impl FnOnce() -> R) -> String {
    without_places(&panic_of(f).0)
}

/// Leaves out where nodes were recorded, which changes with every edit.
pub fn without_places(message: &str) -> String {
    Vec::from_iter(message.lines().map(|line| line.split(", recorded at ").next().unwrap_or(line))).join("\n")
}

/// What a call says when it panics; `None` if it does not.
pub fn refusal<R>(f: impl FnOnce() -> R) -> Option<String> {
    panicked(f).map(|(message, _)| message)
}

fn panicked<R>(f: impl FnOnce() -> R) -> Option<(String, u32)> {
    static HOOK: Once = Once::new(); // for all threads
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| match LINE.get() {
            Some(_) => LINE.set(panic.location().map(|at| at.line())),
            None => before(panic),
        }));
    });
    let outer = LINE.replace(Some(0));
    let outcome = catch_unwind(AssertUnwindSafe(|| drop(f())));
    let line = LINE.replace(outer);
    let panic = outcome.err()?;
    let message = panic.downcast_ref::<String>().cloned();
    let message = message.or_else(|| panic.downcast_ref::<&str>().map(|s| s.to_string()));
    Some((message.expect("a panic says why"), line.expect("and where")))
}
