//! [`LrRange`]: the learning rate range test (Smith 2015, *Cyclical Learning Rates for Training Neural
//! Networks*; the finder of fastai).

use std::ops::ControlFlow;

use surprisal_optim::{OptimError, Optimizer, OptimizerState, ParamGroup, Schedule};
use surprisal_report::Page;
use surprisal_report::chart::{Chart, Line, Style};
use surprisal_report::csv::csv;
use surprisal_tensor::{Gradients, Params};
use surprisal_train::{At, Callback, Monitor, TrainError};

use crate::recorder::CONFIG;
use crate::report::sentence;
use crate::{Job, RunError, Settings};

/// The weight of the previous smoothed loss.
const BETA: f64 = 0.9;
/// The test ends at this multiple of the least smoothed loss.
const WORST: f64 = 4.0;
/// The first steps, where nothing is suggested: the mean is over few batches.
const SKIPPED: usize = 10;
/// Over how many steps, on either side, the slope is measured.
const REACH: usize = 5;

/// How the learning rate rises.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LrRange {
    /// The first rate.
    pub from: f64,
    /// The last.
    pub to: f64,
    /// Number of steps, of one batch each.
    pub steps: usize,
}

/// From 1e-6 to 10 in 200 steps: 28 for a factor of ten.
impl Default for LrRange {
    fn default() -> Self {
        LrRange { from: 1e-6, to: 10.0, steps: 200 }
    }
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LrStep {
    /// The learning rate of the step.
    pub rate: f64,
    /// The loss of its batch, before the step.
    pub loss: f64,
    /// The mean of this loss and those before, each weighing 0.9 times as much as the one after it.
    pub smoothed: f64,
}

/// The loss as the learning rate rises.
#[derive(Clone, Debug, PartialEq)]
pub struct LrCurve {
    /// Every step until the end, or until the loss diverged.
    pub steps: Vec<LrStep>,
    /// Whether the loss rose to 4 times its minimum, or was no longer finite, before the last rate.
    pub diverged: bool,
}

impl LrRange {
    /// The rate of step i = 0, 1, ..: `from (to / from)^(i / (steps - 1))`.
    pub fn rate(&self, step: usize) -> f64 {
        self.from * (self.to / self.from).powf(step as f64 / (self.steps - 1) as f64)
    }

    /// Trains a net of its own while the learning rate rises from step to step, and notes the loss of every batch.
    ///
    /// Everything else is as the settings say; their learning rate, schedule and early stopping are not used.
    /// The rates of groups rise in proportion. Ends early when the smoothed loss exceeds 4 times its least,
    /// or a loss is not finite. Nothing is saved.
    ///
    /// ```
    /// use surprisal_run::{LrRange, Settings};
    /// let settings = Settings::from_toml("data = \"iris\"\nbatch = 16\n", "iris.toml")?;
    /// let curve = LrRange::default().test(&settings)?;
    /// let rate = curve.steepest().expect("the loss falls");
    /// assert!((0.001..0.1).contains(&rate), "{rate}"); // of Adam
    /// # Ok::<(), surprisal_run::RunError>(())
    /// ```
    ///
    /// # Errors
    /// If `from` and `to` are not finite, above 0 and rising, if there are fewer than 30 steps, and as [`Job::new`].
    pub fn test(&self, settings: &Settings) -> Result<LrCurve, RunError> {
        let LrRange { from, to, steps } = *self;
        if !(from > 0.0 && to > from && to.is_finite()) {
            return Err(RunError::usage(format!(
                "from {from:?} to {to:?}: expected finite numbers above 0, the second the larger | 1e-6 and 10 are usual"
            )));
        }
        if steps < 30 {
            return Err(RunError::usage(format!(
                "steps: expected 30 or more, found {steps} | 200 are usual"
            )));
        }
        let (patience, min_delta, keep_best) = (None, None, None);
        let (lr, schedule) = (Some(from), Some(Schedule::Constant));
        let mut job =
            Job::new(&Settings { patience, min_delta, keep_best, lr, schedule, ..settings.clone() })?;
        job.trainer.monitor = Monitor::Loss;
        job.trainer.epochs = steps; // an epoch has a step at least
        job.optimizer = Box::new(Rising { optimizer: job.optimizer, range: *self, step: 0 });
        let mut seen = Seen { range: *self, steps: Vec::new(), diverged: false };
        match job.try_fit(None, &mut seen, None, None, None) {
            Err(TrainError::NotFinite { .. }) if !seen.steps.is_empty() => seen.diverged = true,
            outcome => drop(outcome?),
        }
        Ok(LrCurve { steps: seen.steps, diverged: seen.diverged })
    }
}

/// Another optimizer, whose learning rate rises from step to step, whatever it is given.
struct Rising {
    optimizer: Box<dyn Optimizer<f32>>,
    range: LrRange,
    step: usize,
}

impl Optimizer<f32> for Rising {
    fn try_step(&mut self, params: &mut Params<f32>, grads: &Gradients<f32>) -> Result<(), OptimError> {
        self.optimizer.set_learning_rate(self.range.rate(self.step));
        self.step += 1;
        self.optimizer.try_step(params, grads)
    }
    fn learning_rate(&self) -> f64 {
        self.optimizer.learning_rate()
    }
    fn set_learning_rate(&mut self, _: f64) {}
    fn set_groups(&mut self, groups: Vec<ParamGroup>) {
        self.optimizer.set_groups(groups);
    }
    fn add_scope(&mut self, pattern: &str) {
        self.optimizer.add_scope(pattern);
    }
    fn state(&self) -> OptimizerState<f32> {
        self.optimizer.state()
    }
    fn load_state(&mut self, state: &OptimizerState<f32>) -> Result<(), OptimError> {
        self.optimizer.load_state(state)
    }
}

/// Notes every step, and ends the training after the last, or where the loss is lost.
struct Seen {
    range: LrRange,
    steps: Vec<LrStep>,
    diverged: bool,
}

impl Callback<f32> for Seen {
    fn on_step(&mut self, at: &At<f32>) -> ControlFlow<()> {
        let i = self.steps.len();
        // a running mean that begins with 0 is too small by the factor 1 - beta^n after n steps
        let weight = |n: usize| 1.0 - BETA.powi(n as i32);
        let running = self.steps.last().map_or(0.0, |last| last.smoothed * weight(i));
        let smoothed = (BETA * running + (1.0 - BETA) * at.loss) / weight(i + 1);
        self.steps.push(LrStep { rate: self.range.rate(i), loss: at.loss, smoothed });
        let least = self.steps.iter().map(|step| step.smoothed).fold(f64::INFINITY, f64::min);
        self.diverged = smoothed > WORST * least;
        match self.diverged || self.steps.len() == self.range.steps {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

impl LrCurve {
    /// The step after which the smoothed loss only rises again; `None` if it never fell by a twentieth.
    fn minimum(&self) -> Option<usize> {
        let smoothed = |i: usize| self.steps[i].smoothed;
        let start = self.steps.get(SKIPPED)?.smoothed;
        let least = (SKIPPED..self.steps.len()).min_by(|&a, &b| smoothed(a).total_cmp(&smoothed(b)))?;
        (smoothed(least) < 0.95 * start).then_some(least)
    }

    /// The rate at which the smoothed loss falls most for a factor in the rate: there the net learns fastest.
    /// `None` if it never falls.
    pub fn steepest(&self) -> Option<f64> {
        let slope = |i: usize| self.steps[i + REACH].smoothed - self.steps[i - REACH].smoothed;
        let places = SKIPPED..(self.minimum()? + 1).min(self.steps.len() - REACH);
        let steepest = places.min_by(|&a, &b| slope(a).total_cmp(&slope(b)))?;
        Some(self.steps[steepest].rate)
    }

    /// A tenth of the rate with the least smoothed loss: at that rate itself the loss is about to rise.
    /// `None` if it never falls.
    pub fn tenth_of_minimum(&self) -> Option<f64> {
        Some(self.steps[self.minimum()?].rate / 10.0)
    }

    /// What the test suggests, in words.
    pub fn to_text(&self) -> String {
        let Some(last) = self.steps.last() else { return "no step was taken\n".into() };
        let end = digits(last.rate);
        let ended = match self.diverged {
            true => format!(
                "at a learning rate of {end} the loss rose to 4 times its minimum, or was no longer finite"
            ),
            false => format!("up to a learning rate of {end} the loss did not rise to 4 times its minimum"),
        };
        match (self.steepest(), self.tenth_of_minimum()) {
            (Some(steepest), Some(tenth)) => format!(
                "{ended}\n\
                 steepest descent: {}, where the loss falls fastest: a good rate to start with\n\
                 minimum / 10: {}, a tenth of the rate with the lowest loss, where the loss is about to rise: the other usual choice\n",
                digits(steepest),
                digits(tenth)
            ),
            _ => format!(
                "{ended}\nno suggestion: the loss never fell by 5 % | try more steps, or a higher last rate\n"
            ),
        }
    }

    /// A row for each step: `step,learning_rate,loss,smoothed`.
    pub fn to_csv(&self) -> String {
        let header = ["step", "learning_rate", "loss", "smoothed"].map(String::from);
        let row = |(i, step): (usize, &LrStep)| {
            [(i + 1).to_string(), step.rate.to_string(), step.loss.to_string(), step.smoothed.to_string()]
        };
        csv(std::iter::once(header).chain(self.steps.iter().enumerate().map(row)))
    }

    /// What the test suggests, the picture, and how to train with a suggestion, as a page of HTML that needs no other file; the
    /// settings are those of [`LrRange::test`].
    pub fn to_html(&self, settings: &Settings) -> String {
        let data = settings.get("data").unwrap_or_default();
        let text = self.to_text();
        let lines = Vec::from_iter(text.lines());
        let rate = self.steepest().map_or(String::from("RATE"), digits);
        lines
            .iter()
            .fold(Page::new(format!("Learning rates for {data}")), |page, line| page.paragraph(&sentence(line)))
            .figure(
                &self.to_svg(),
                "The loss of each batch, while the learning rate rises from step to step, and its running mean.",
            )
            .section("How to read it")
            .paragraph(
                "At the left the learning rate is too low: the loss does not change. Then it falls, fastest where the curve is \
                 steepest. At the right the steps are too long, and the loss rises. A good rate is where the loss falls fastest, or a tenth \
                 of the rate where it is lowest.",
            )
            .section("Train with it")
            .paragraph("With `DIR` for the folder that this page is in, from the folder that the test was started in:")
            .code(&format!("surprisal train --config DIR/{CONFIG} --lr {rate}"))
            .paragraph("The settings that were given:")
            .code(&settings.to_toml())
            .footer("Made by surprisal, a small deep-learning framework in Rust.")
            .to_html()
    }

    /// The loss against the learning rate, with the suggestions.
    pub fn to_svg(&self) -> String {
        // a loss that is lost would flatten all before it
        let top = self.steps.first().map_or(f64::NAN, |first| 2.0 * first.smoothed);
        let line = |of: fn(&LrStep) -> f64| {
            self.steps.iter().map(move |step| (step.rate, of(step))).filter(move |&(_, y)| y <= top)
        };
        let mut chart = Chart::new("Learning rate range test")
            .x_label("learning rate")
            .y_label("loss of the batch")
            .log_x()
            .include_y(0.0)
            .alt(format!(
                "The loss of a batch as the learning rate rises. {}",
                self.to_text().trim_end().replace('\n', "; ")
            ))
            .line(Line::new("", line(|step| step.loss)).color(0).faint())
            .line(Line::new("smoothed", line(|step| step.smoothed)).color(0).style(Style::Solid));
        for (rate, name) in [(self.steepest(), "steepest"), (self.tenth_of_minimum(), "minimum / 10")] {
            let step = |rate: &f64| self.steps.iter().find(|step| step.rate >= *rate);
            if let Some((rate, step)) = rate.and_then(|rate| Some((rate, step(&rate)?))) {
                chart = chart.mark(rate, step.smoothed, format!("{name}: {}", digits(rate)));
            }
        }
        chart.to_svg()
    }
}

/// Two digits of a rate: "0.032".
fn digits(rate: f64) -> String {
    format!("{rate:.1e}").parse().map_or(String::new(), |rate: f64| format!("{rate:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use surprisal_optim::Sgd;
    use surprisal_tensor::{Workspace, ndarray::array};

    #[test]
    fn each_step_is_taken_at_its_rate_whatever_the_trainer_says() {
        let range = LrRange { from: 1.0, to: 16.0, steps: 3 };
        let mut rising = Rising { optimizer: Box::new(Sgd::new(0.5)), range, step: 0 };
        let mut params = Params::new();
        let w = params.add("w", &array![0.0]);
        let mut workspace = Workspace::new();
        for expected in [-1.0, -5.0, -21.0] {
            let (_, grads) = workspace.grad(&params, |tape| tape.param(w).sum()); // gradient 1
            rising.set_learning_rate(0.5);
            rising.step(&mut params, grads);
            assert_eq!(params[w][0], expected);
        }
    }
}
