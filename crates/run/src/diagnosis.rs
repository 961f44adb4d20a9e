//! [`diagnose`]: what the numbers of a training say about it, in words.
//!
//! Every sentence follows from a measured number: the losses of the epochs, the net's predictions for the rows, the slopes of its
//! units, its weights. The thresholds are below, each with its reason; `tests/it/diagnosis.rs` tries them on trainings that are in order and
//! on others that were broken on purpose, and prints both with `--nocapture`. How much each advice helps on real tables is shown in
//! `docs/tables.md`.

mod course;
mod fit;
mod net;

pub(crate) use course::rate_or_clipping;
use course::*;
use fit::*;
use net::*;

use std::fmt;

use surprisal_data::metrics::{Overlap, log_loss, overlap, r2_score, roc_auc_score};
use surprisal_data::{Encoding, Targets, argmax_rows};
use surprisal_layers::{Activation, Step};
use surprisal_optim::Schedule;
use surprisal_report::statistics::{Estimate, mean};
use surprisal_tensor::ndarray::Array2;
use surprisal_train::check::{UnitHealth, lost_units};
use surprisal_train::{Epoch, History, Predictions, TrainError};

use crate::Job;
use crate::error::not_finite;
use crate::job::{DataPart, Outputs, labels, said};
use crate::settings::Balance;

/// A rise of the loss in one epoch by more than this share of the loss at the start is a jump: batches differ by less. A twentieth would
/// be reached by plain gradient descent on the digits at its usual rate.
const JUMP: f64 = 0.1;
/// One jump in this many epochs is not an accident.
const JUMPY: usize = 10;
/// A loss that falls by less than this share of its start in an epoch takes more than three hundred epochs.
const SLOW: f64 = 0.003;
/// If the loss falls in the second half of the training by at least this share of its fall in the first (for the same learning rate), its
/// curve is still straight: the training has only begun.
const STRAIGHT: f64 = 0.5;
/// A loss that fell by this share made progress, however slowly.
const SOMEWHERE: f64 = 0.2;
/// A loss that fell by less than this share did not change.
const FALL: f64 = 0.01;
/// If the last quarter of the training brought more than this share of the whole fall, more epochs are worthwhile: a loss that
/// falls as 1/epoch gains less.
const LATE: f64 = 0.1;
/// The share by which the loss on rows that are not trained on may rise again from its minimum, relative to that minimum ..
const RISE: f64 = 0.1;
/// .. and relative to its start, because a fraction of a tiny loss means nothing.
const RISE_OF_START: f64 = 0.1;
/// How far the accuracy may fall from that of an earlier epoch, beyond the sampling error of the number of rows.
const WORSE: f64 = 0.02;
/// The same for R²: the unexplained share, 1 - R², may grow by this factor ..
const WORSE_UNEXPLAINED: f64 = 1.25;
/// .. and this amount.
const WORSE_R2: f64 = 0.02;
/// How much better the net may be on the rows that it was trained on, in accuracy, beyond the sampling error of the number of rows ..
const GAP: f64 = 0.05;
/// .. and in R².
const GAP_OF_R2: f64 = 0.2;
/// The share of the possible gain over the most frequent class, or the mean, below which little was learned: a line through two rings
/// gains 0.14 by chance.
const LITTLE: f64 = 0.2;
/// The share by which the log-loss must be below that of the class frequencies where accuracy gains no more than [`HALF_WAY`]: a line
/// through xor gets up to 0.72 of a hundred rows right by chance, and its log-loss stays as it was.
const LESS_SURPRISE: f64 = 0.05;
/// More than half of the possible gain is not chance.
const HALF_WAY: f64 = 0.5;
/// Scores with this area under the ROC curve, averaged over the classes, do separate the classes, whatever the accuracy.
const TOLD_APART: f64 = 0.7;
/// Scores with less than this hardly rank rows at all.
const NOT_RANKED: f64 = 0.6;
/// An R² below this is not chance: the mean of the training rows has one a little below 0.
const BELOW_MEAN: f64 = -0.1;
/// A class is rare if another has this many times as many training rows.
const UNEVEN: usize = 3;
/// A rare class is missed if less than this share of its rows is found.
const FOUND: f64 = 0.5;
/// The share of a layer's units that may be lost; half of them cannot be a few rare features.
const LOST: f64 = 0.5;
/// The size of a weight that makes a unit jump: inputs are about 1, and functions of them bend between -5 and 5.
const HUGE: f64 = 20.0;
/// The share of weights that may be so large.
const HUGE_SHARE: f64 = 0.01;
/// A column is flattened if the middle 90 % of its values span less than this fraction of its range: a net whose inputs are about 1
/// cannot resolve them within a usual training.
const FLAT: f64 = 0.001;
/// Above this size, an input makes gradients so large that usual steps are too long.
const LARGE: f64 = 1000.0;

/// One finding about a training.
///
/// See the example of [`diagnose`].
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The kind of finding.
    pub kind: Kind,
    /// The measurement, with its numbers.
    pub measured: String,
    /// What it means.
    pub means: String,
    /// What to try.
    pub advice: String,
}

/// The kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Nothing was found.
    Nothing,
    /// The loss is no longer finite.
    NotFinite,
    /// The loss rose, or jumps up and down.
    RateTooHigh,
    /// The loss falls by very little in every epoch.
    RateTooLow,
    /// The loss has not changed since the start.
    DidNotFall,
    /// The loss is still falling at the end.
    StillFalls,
    /// The net that is saved is clearly worse than that of an earlier epoch.
    EndedWorse,
    /// The net is better on the rows that it was trained on than on others, or got worse on others while it was trained on.
    OverFitting,
    /// The net is hardly better than the most frequent class, or the mean, even on the rows that it was trained on.
    UnderFitting,
    /// On other rows, the most frequent class, or the mean, would be a better prediction.
    WorseThanGuessing,
    /// Half of a layer's units or more have the same output for every row.
    DeadUnits,
    /// Half of a layer's units or more are saturated.
    SaturatedUnits,
    /// The net predicts one class for every row.
    OneClass,
    /// The net never predicts a class that has rows.
    ClassNeverSaid,
    /// No pixel of the masks has one of the classes.
    ClassAbsent,
    /// The net ranks the rows of a rare class well, and yet predicts it for less than half of them.
    RareClassMissed,
    /// Weights are so large that units act as steps.
    HugeWeights,
    /// A few extreme values compress the other values of a column.
    FlattenedColumn,
}

/// Three lines: what was measured, what it means, what to try.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}\n  {}\n  try: {}", self.measured, self.means, self.advice)
    }
}

fn finding(kind: Kind, measured: String, means: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding { kind, measured, means: means.into(), advice: advice.into() }
}

/// Findings about a finished training: at least one, if only that there is [nothing](Kind::Nothing) to report.
///
/// ```
/// use surprisal_run::{Job, Kind, Settings, diagnose};
/// let settings = |lr: f64| Settings::from_toml(&format!("data = \"iris\"\nlr = {lr:?}\nepochs = 40\n"), "iris.toml");
/// let mut job = Job::new(&settings(1e-5)?)?;
/// let (history, _) = job.fit(None, &mut ())?;
/// let findings = diagnose(&job, &history, &job.outputs());
/// assert_eq!(findings[0].kind, Kind::RateTooLow);
/// assert!(findings[0].advice.contains("0.0001"), "{}", findings[0]); // ten times the rate
/// # Ok::<(), surprisal_run::RunError>(())
/// ```
pub fn diagnose(job: &Job, history: &History, outputs: &Outputs) -> Vec<Finding> {
    let epochs = history.epochs();
    let trained = epochs.len() > 1;
    let course = if trained { course(job, epochs) } else { None };
    let begun = trained && course.as_ref().is_none_or(|finding| finding.kind != Kind::RateTooLow);
    let mut findings = Vec::from_iter(course);
    findings.extend(flattened(job));
    findings.extend(units(job));
    findings.extend(weights(job));
    if begun {
        // of a net that is as it started, nothing else can be said
        let why_so_little =
            [Kind::RateTooHigh, Kind::StillFalls, Kind::EndedWorse, Kind::DeadUnits, Kind::FlattenedColumn];
        let explained = findings.iter().any(|finding| why_so_little.contains(&finding.kind));
        let (part, monitored) = job.parts.monitored();
        let parts =
            [("training", &job.parts.train, outputs.of("train")), (part, monitored, outputs.of(part))];
        if let Predictions::Masks(names) = &job.predictions {
            findings.extend(masks(job, names, parts));
            return or_nothing(findings, trained);
        }
        let predictions = parts.map(|part| PartPredictions::new(job, part));
        findings.extend(over_fitting(job, epochs, &predictions));
        findings.extend(against_guessing(job, epochs, &predictions, explained));
        findings.extend(classes(job, &predictions[0]));
    }
    or_nothing(findings, trained)
}

/// The findings, or that there are none.
fn or_nothing(mut findings: Vec<Finding>, trained: bool) -> Vec<Finding> {
    if findings.is_empty() {
        let looked_at = if trained {
            "the course of the loss, the best epoch, overfitting, underfitting, missed classes, extreme values, dead and saturated units, \
             the size of weights"
        } else {
            "extreme values, dead and saturated units, the size of weights; no epoch was completed"
        };
        let advice =
            if trained { "other seeds, to see the variation by chance" } else { "resuming the training" };
        findings.push(finding(
            Kind::Nothing,
            format!("no problem found; checked: {looked_at}"),
            "nothing has to be changed",
            advice,
        ));
    }
    findings
}

/// Findings about a training that failed; the history is that of the epochs before.
///
/// ```
/// use surprisal_run::{Job, Kind, Settings, diagnose_failure};
/// use surprisal_train::History;
/// let settings = Settings::from_toml("data = \"xor\"\nopt = \"sgd\"\nlr = 1e38\nactivation = \"relu\"\n", "xor.toml")?;
/// let mut job = Job::new(&settings)?;
/// let Job { parts, trainer, model, params, optimizer, .. } = &mut job;
/// let error = trainer.on(&parts.train).fit(model, params, &mut **optimizer).unwrap_err();
/// assert_eq!(diagnose_failure(&job, &History::default(), &error)[0].kind, Kind::NotFinite);
/// # Ok::<(), surprisal_run::RunError>(())
/// ```
pub fn diagnose_failure(job: &Job, history: &History, error: &TrainError) -> Vec<Finding> {
    let TrainError::NotFinite { learning_rate, .. } = error else {
        return Vec::new(); // the error says what the data or the settings lack
    };
    let losses = match (history.epochs().first(), history.epochs().last()) {
        (Some(first), Some(last)) => format!(
            "it was {} at the start and {} after epoch {}",
            short(first.train.loss),
            short(last.train.loss),
            last.epoch
        ),
        _ => "no epoch was completed before".to_string(),
    };
    let train = &job.parts.train;
    let (mut column, mut size) = (0, 0.0);
    train.each_column(0..train.feature_names.len(), |at, values| {
        let most = values.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        if most > size {
            (column, size) = (at, most);
        }
    });
    let name =
        train.feature_names.get(column).map_or(String::new(), |name| format!(", in column \"{name}\""));
    let (means, advice) = if size > LARGE {
        (
            "such large inputs make such large gradients that a usual step gives weights that are not finite"
                .to_string(),
            "scale the features: scaling = standardize".to_string(),
        )
    } else {
        (
            "every step overshot the minimum further than the one before, until the weights were no longer finite"
                .to_string(),
            rate_or_clipping(*learning_rate),
        )
    };
    let measured = format!(
        "{}; {losses}; the largest input is {}{name}",
        not_finite(error).unwrap_or_default(),
        short(size)
    );
    let mut findings = vec![finding(Kind::NotFinite, measured, means, advice)];
    findings.extend(weights(job));
    findings
}

/// A [`score`](surprisal_train::Measured::score) in words.
fn accuracy(job: &Job, value: f64) -> String {
    match &job.predictions {
        Predictions::Classes(_) | Predictions::Masks(_) => format!("{} right", percent(value)),
        Predictions::Number { .. } => format!("R² {}", short(value)),
    }
}

/// What outputs predict for every row, or every pixel of masks: the probability of every class, or the number.
pub(crate) fn answers(job: &Job, outputs: &Array2<f32>) -> Array2<f64> {
    said(job.trainer.objective, &job.predictions, outputs.view())
}

/// The class that is predicted for every row, or every pixel of masks.
pub(crate) fn predicted(job: &Job, outputs: &Array2<f32>) -> Vec<usize> {
    argmax_rows(&answers(job, outputs))
}

/// The number that is predicted for every row.
pub(crate) fn numbers(job: &Job, outputs: &Array2<f32>) -> Vec<f64> {
    answers(job, outputs).into_iter().collect()
}

/// The most frequent class, the first of several: the best prediction without features.
pub fn commonest_class(targets: &Targets) -> usize {
    let counts = targets.class_counts();
    (0..counts.len()).fold(0, |most, class| if counts[class] > counts[most] { class } else { most })
}

pub(crate) fn share(data: &DataPart, of: impl Fn(usize) -> bool) -> f64 {
    (0..data.rows()).filter(|&row| of(row)).count() as f64 / data.rows() as f64
}

/// Three digits.
pub(crate) fn short(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 || !x.is_finite() {
        return x.to_string();
    }
    if !(1e-4..1e5).contains(&size) {
        return format!("{x:.1e}").replace(".0e", "e");
    }
    let decimals = (2 - size.log10().floor() as i32).clamp(0, 6) as usize;
    let fixed = format!("{x:.decimals$}");
    match fixed.contains('.') {
        true => fixed.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => fixed,
    }
}

/// "97.3 %", with more decimals for small values.
pub(crate) fn percent(share: f64) -> String {
    match share.abs() {
        0.0 => "0 %".to_string(),
        size if size < 0.001 => format!("{} %", short(100.0 * share)),
        _ => format!("{:.1} %", 100.0 * share),
    }
}
