//! How far it has come, on standard error: bars on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, stderr};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use surprisal_lab::parallel::Progress;
use surprisal_train::Epoch;

/// A bar for one part of the work after the other.
pub struct Bars {
    current: Mutex<Option<Part>>,
}

struct Part {
    name: String,
    runs: usize,
    done: usize,
    began: Instant,
    bar: Option<ProgressBar>, // on a terminal
}

impl Part {
    /// How long the rest takes if it goes on like this; nothing where that is no news.
    fn left(&self) -> String {
        let left = self.began.elapsed().mul_f64((self.runs - self.done) as f64 / self.done.max(1) as f64);
        if left < Duration::from_secs(1) {
            String::new()
        } else {
            format!(", about {} s left", left.as_secs())
        }
    }
}

impl Bars {
    pub fn new() -> Self {
        Bars { current: Mutex::new(None) }
    }
    fn current(&self) -> MutexGuard<'_, Option<Part>> {
        self.current.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Progress for Bars {
    fn begin(&self, what: &str, runs: usize) {
        let bar = stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{msg:<24} {bar:30} {pos:>4} of {len} runs, {eta} left");
            let bar = ProgressBar::new(runs as u64).with_message(what.to_string());
            if let Ok(style) = style { bar.with_style(style) } else { bar }
        });
        if bar.is_none() {
            eprintln!("{what}: {runs} runs");
        }
        *self.current() = Some(Part { name: what.to_string(), runs, done: 0, began: Instant::now(), bar });
    }

    fn advance(&self) {
        let mut current = self.current();
        let Some(part) = current.as_mut() else { return };
        part.done += 1;
        match &part.bar {
            Some(bar) => bar.inc(1),
            None if part.done % part.runs.div_ceil(4) == 0 || part.done == part.runs => {
                eprintln!("{}: {} of {} runs{}", part.name, part.done, part.runs, part.left());
            }
            None => {}
        }
    }

    fn end(&self) {
        if let Some(Part { bar: Some(bar), .. }) = self.current().take() {
            bar.finish();
        }
    }
}

/// The epochs of one training.
pub struct EpochBar(Option<ProgressBar>);

impl EpochBar {
    pub fn new(epochs: usize) -> Self {
        EpochBar(stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(epochs as u64);
            match ProgressStyle::with_template("{bar:30} epoch {pos} of {len}, {eta} left; {msg}") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        }))
    }

    pub fn show(&self, epoch: &Epoch) {
        let Epoch { epoch, loss, train_accuracy, test_accuracy, .. } = epoch;
        let told = format!(
            "loss {loss:.4}, train {:.2}%, test {:.2}%",
            100.0 * train_accuracy,
            100.0 * test_accuracy
        );
        match &self.0 {
            Some(bar) => {
                bar.set_position(*epoch as u64);
                bar.set_message(told);
            }
            None => eprintln!("epoch {epoch}: {told}"),
        }
    }

    pub fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish();
        }
    }
}
