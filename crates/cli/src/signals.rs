//! Signals: SIGINT (Ctrl-C), SIGTERM, SIGHUP.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use surprisal_report::files;

use crate::Failure;

/// The last signal received.
static SIGNAL: AtomicU8 = AtomicU8::new(0);
/// Whether the command saves its state when the first signal comes.
static SAVES: AtomicBool = AtomicBool::new(false);
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on the first signal only makes the returned flag true, so that the command can save its state; the second ends the
/// process, as the first does elsewhere.
pub fn save_first() -> &'static AtomicBool {
    SAVES.store(true, Ordering::Relaxed);
    &INTERRUPTED
}

/// The exit code of a command that was interrupted: 128 and the number of the signal.
pub fn exit_code() -> u8 {
    128 + SIGNAL.load(Ordering::Relaxed)
}

fn receive(signal: u8) {
    SIGNAL.store(signal, Ordering::Relaxed);
    if !SAVES.load(Ordering::Relaxed) || INTERRUPTED.swap(true, Ordering::Relaxed) {
        files::exit(exit_code().into());
    }
}

/// Receives signals from now on; those that are ignored already (by `nohup`, or by a shell for its background jobs) stay so.
#[cfg(unix)]
pub fn install() -> Result<(), Failure> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let ignored = ignored();
    let received = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored & 1 << (signal - 1) == 0);
    let mut signals = Signals::new(received).map_err(Failure::run)?;
    std::thread::spawn(move || {
        signals.forever().filter_map(|signal| signal.try_into().ok()).for_each(receive)
    });
    Ok(())
}

#[cfg(not(unix))]
pub fn install() -> Result<(), Failure> {
    ctrlc::set_handler(|| receive(2)).map_err(Failure::run)
}

/// The signals that this process ignores, a bit each: Linux tells, elsewhere none are taken to be.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
