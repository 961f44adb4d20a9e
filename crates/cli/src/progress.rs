//! Progress on standard error: bars on a terminal; elsewhere one line for each part of the work.

use std::io::{IsTerminal, stderr};
use std::sync::{Mutex, MutexGuard};

use indicatif::{ProgressBar, ProgressStyle};
use surprisal_train::parallel::Progress;
use surprisal_train::{At, Epoch};

/// A bar for one part of the work after the other.
pub struct Bars {
    current: Mutex<Option<ProgressBar>>,
}

impl Bars {
    pub fn new() -> Self {
        Bars { current: Mutex::new(None) }
    }
    fn current(&self) -> MutexGuard<'_, Option<ProgressBar>> {
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
            note!("{what}: {runs} runs");
        }
        *self.current() = bar;
    }

    fn advance(&self) {
        if let Some(bar) = self.current().as_ref() {
            bar.inc(1);
        }
    }

    fn end(&self) {
        if let Some(bar) = self.current().take() {
            bar.finish();
        }
    }
}

/// The epochs of one training.
pub struct EpochBar {
    bar: Option<ProgressBar>,
    quiet: bool,
}

/// Parts of an epoch that the bar can tell apart.
const PARTS: u64 = 1000;

impl EpochBar {
    pub fn new(epochs: usize, quiet: bool) -> Self {
        let bar = (stderr().is_terminal() && !quiet).then(|| {
            let bar = ProgressBar::new((epochs as u64).saturating_mul(PARTS));
            match ProgressStyle::with_template("{bar:30} {prefix}, {eta} left; {msg}") {
                Ok(style) => bar.with_style(style).with_prefix(format!("epoch 0 of {epochs}")),
                Err(_) => bar,
            }
        });
        EpochBar { bar, quiet }
    }

    /// After a step.
    pub fn step(&mut self, at: &At<f32>) {
        let Some(bar) = &self.bar else { return };
        let done = (at.epoch - 1) * at.steps_per_epoch + at.step;
        bar.set_position(done as u64 * PARTS / at.steps_per_epoch as u64);
        let rate = done as f64 / bar.elapsed().as_secs_f64().max(1e-9);
        bar.set_prefix(format!("epoch {} of {}, {rate:.0} steps/s", at.epoch, at.epochs));
    }

    /// After an epoch; `monitored` is what the second part is called, `share` what is reported of both: "accuracy" in percent, or "r2".
    pub fn show(&self, epoch: &Epoch, monitored: &str, share: &str) {
        let (loss, train, held_out) = (epoch.train.loss, epoch.train.score(), epoch.held_out().score());
        let epoch = epoch.epoch;
        let numbers = match share {
            "accuracy" => {
                format!("loss {loss:.4}, train {:.2}%, {monitored} {:.2}%", 100.0 * train, 100.0 * held_out)
            }
            _ => format!("loss {loss:.4}, train {share} {train:.4}, {monitored} {share} {held_out:.4}"),
        };
        match &self.bar {
            Some(bar) => bar.set_message(numbers),
            None if !self.quiet => note!("epoch {epoch}: {numbers}"),
            None => {}
        }
    }

    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish();
        }
    }
}
