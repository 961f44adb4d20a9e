//! [`diagnose`]: what the numbers of a training say about it, in words.
//!
//! Every sentence follows from a measured number: the losses of the epochs, the net's predictions for the rows, the slopes of its
//! units, its weights. The thresholds are below, each with its reason; `tests/it/diagnosis.rs` tries them on trainings that are in order and
//! on others that were broken on purpose, and prints both with `--nocapture`. How much each advice helps on real tables is shown in
//! `docs/tables.md`.

use std::fmt;

use surprisal_data::metrics::{log_loss, r2_score, roc_auc_score};
use surprisal_data::{Dataset, Encoding, argmax_rows};
use surprisal_layers::{Activation, Layer};
use surprisal_optim::Schedule;
use surprisal_report::statistics::{Estimate, mean};
use surprisal_tensor::Workspace;
use surprisal_tensor::ndarray::{Array2, ArrayView1, Ix2};
use surprisal_train::check::unit_health;
use surprisal_train::{Epoch, History, Predictions, TrainError, outputs};

use crate::Job;
use crate::error::not_finite;
use crate::job::said;
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
/// let findings = diagnose(&job, &history);
/// assert_eq!(findings[0].kind, Kind::RateTooLow);
/// assert!(findings[0].advice.contains("0.0001"), "{}", findings[0]); // ten times the rate
/// # Ok::<(), surprisal_run::RunError>(())
/// ```
pub fn diagnose(job: &Job, history: &History) -> Vec<Finding> {
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
        let parts = [("training", &job.parts.train), (part, monitored)];
        let predictions = parts.map(|(part, data)| PartPredictions::new(job, part, data));
        findings.extend(over_fitting(job, epochs, &predictions));
        findings.extend(against_guessing(job, epochs, &predictions, explained));
        findings.extend(classes(job, &predictions[0]));
    }
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
    let sizes =
        train.features.columns().into_iter().map(|column| column.fold(0.0, |most: f64, x| most.max(x.abs())));
    let (column, size) = sizes
        .enumerate()
        .fold((0, 0.0), |most, (column, size)| if size > most.1 { (column, size) } else { most });
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

/// Advice if the loss is no longer finite; for a rate such as 1e30, a tenth would not help.
pub(crate) fn rate_or_clipping(rate: f64) -> String {
    format!("a learning rate of {} or less, or clip_norm = 1", short((rate / 10.0).min(1.0)))
}

/// The course of the loss on the training rows.
fn course(job: &Job, epochs: &[Epoch]) -> Option<Finding> {
    let losses = Vec::from_iter(epochs.iter().map(|epoch| epoch.train.loss));
    let (n, start, end) = (losses.len() - 1, losses[0], losses[losses.len() - 1]);
    let rate = job.settings.lr.unwrap_or(f64::NAN);
    let rises = Vec::from_iter(losses.windows(2).map(|pair| pair[1] - pair[0]));
    let jumps = rises.iter().filter(|&&rise| rise > JUMP * start).count();
    let from_to = format!("from {} to {} in {n} epochs", short(start), short(end));

    let highest = losses.iter().copied().fold(start, f64::max);
    if end > start * (1.0 + JUMP)
        || highest > 2.0 * start && end > 0.5 * start
        || jumps > 1 && jumps * JUMPY >= n
    {
        return Some(finding(
            Kind::RateTooHigh,
            format!(
                "the training loss went {from_to}, with a maximum of {}, and rose by more than {} in {jumps} of these epochs",
                short(highest),
                short(JUMP * start)
            ),
            "the steps are too large: they overshoot the minimum",
            format!("a learning rate of {} instead of {}", short(rate / 10.0), short(rate)),
        ));
    }

    let fall = (start - end) / start;
    // a schedule makes steps shorter, which is no bend of the curve: time is counted in learning rate
    let time = |epochs: &[Epoch]| epochs.iter().map(|epoch| epoch.learning_rate).sum::<f64>();
    let pace = |from: usize, to: usize| (losses[from] - losses[to]) / time(&epochs[from + 1..=to]);
    let steady = rises.iter().filter(|&&rise| rise < 0.0).count() * 10 >= 9 * n
        && (n < 2 || pace(n / 2, n) >= STRAIGHT * pace(0, n.div_ceil(2)));
    if fall > 0.0 && fall < SLOW * n as f64 && fall < SOMEWHERE && steady {
        return Some(finding(
            Kind::RateTooLow,
            format!(
                "the training loss, {} at the start, fell by {} in {n} epochs, on average by {} in an epoch",
                short(start),
                short(start - end),
                percent(fall / n as f64)
            ),
            "every epoch improves the loss, but very slowly",
            format!("a learning rate of {}, ten times as high", short(10.0 * rate)),
        ));
    }
    if fall < FALL {
        return Some(finding(
            Kind::DidNotFall,
            format!(
                "the training loss went {from_to}, and was never below {}",
                short(losses.iter().copied().fold(end, f64::min))
            ),
            "the net has learned nothing",
            format!(
                "another learning rate: first {}, then {}; then other initial weights (seed = 8), or a larger net",
                short(10.0 * rate),
                short(rate / 10.0)
            ),
        ));
    }
    if let Some(worse) = ended_worse(job, epochs) {
        return Some(worse);
    }
    let quarter = 0.25 * time(&epochs[1..]);
    let before = (1..n).rev().find(|&epoch| time(&epochs[epoch + 1..]) >= quarter).unwrap_or(0);
    let late = (losses[before] - end) / (start - end);
    (n > 3 && late > LATE && epochs[n].held_out().loss < epochs[before].held_out().loss).then(|| {
        let longer = match job.trainer.stop {
            Some(stop) if n < job.trainer.epochs => format!("patience = {}", 2 * stop.patience),
            _ => format!("more epochs ({})", 2 * n),
        };
        finding(
            Kind::StillFalls,
            format!(
                "the training loss fell {from_to}, with {} of the decrease after epoch {}",
                percent(late),
                epochs[before].epoch
            ),
            format!(
                "the net was still learning at the end, and the {} loss was lower than before, too",
                job.parts.monitored().0
            ),
            format!("{longer}, or a learning rate of {}", short(3.0 * rate)),
        )
    })
}

/// Whether one epoch's accuracy, or R², is clearly below another's, on a part of the data.
fn clearly_below(job: &Job, later: f64, earlier: f64, rows: usize) -> bool {
    match &job.predictions {
        Predictions::Classes(_) => {
            let of = |share: f64| Estimate::wilson((share * rows as f64).round() as usize, rows);
            of(earlier).minus(of(later)).low > WORSE
        }
        Predictions::Number { .. } => 1.0 - later > WORSE_UNEXPLAINED * (1.0 - earlier) + WORSE_R2,
    }
}

/// A [`score`](surprisal_train::Measured::score) in words.
fn accuracy(job: &Job, value: f64) -> String {
    match &job.predictions {
        Predictions::Classes(_) => format!("{} right", percent(value)),
        Predictions::Number { .. } => format!("R² {}", short(value)),
    }
}

/// The epoch for which a number is largest, the first of several.
fn largest(epochs: &[Epoch], of: fn(&Epoch) -> f64) -> &Epoch {
    epochs.iter().fold(&epochs[0], |best, epoch| if of(epoch) > of(best) { epoch } else { best })
}

/// Whether the net that is saved is clearly worse than that of an earlier epoch, and not because it was trained for too long.
fn ended_worse(job: &Job, epochs: &[Epoch]) -> Option<Finding> {
    if job.trainer.keep_best {
        return None; // what is saved is the best epoch
    }
    let (part, monitored) = job.parts.monitored();
    let (start, last) = (&epochs[0], &epochs[epochs.len() - 1]);
    let least = largest(epochs, |epoch| -epoch.train.loss);
    let rise = last.train.loss - least.train.loss;
    let of_training = largest(epochs, |epoch| epoch.train.score());
    let of_others = largest(epochs, |epoch| epoch.held_out().score());
    let (better, what) =
        if clearly_below(job, last.train.score(), of_training.train.score(), job.parts.train.rows()) {
            let [earlier, later] = [of_training, last].map(|epoch| accuracy(job, epoch.train.score()));
            (of_training, format!("on the training rows {earlier}, and {later} at the end"))
        } else if rise > JUMP * (start.train.loss - least.train.loss) && rise > RISE * least.train.loss {
            (
                least,
                format!(
                    "the training loss {}, and {} at the end",
                    short(least.train.loss),
                    short(last.train.loss)
                ),
            )
        } else if last.train.loss >= of_others.train.loss
            && clearly_below(job, last.held_out().score(), of_others.held_out().score(), monitored.rows())
        {
            let [earlier, later] = [of_others, last].map(|epoch| accuracy(job, epoch.held_out().score()));
            (of_others, format!("on the {part} rows {earlier}, and {later} at the end"))
        } else {
            return None;
        };
    let before = &epochs[epochs.len() - 2];
    let jumped = match last.train.loss - before.train.loss > 0.5 * rise && rise > 0.0 {
        true => format!(
            "; the loss jumped in the last epoch, from {} to {}",
            short(before.train.loss),
            short(last.train.loss)
        ),
        false => String::new(),
    };
    let rate = format!("a learning rate of {}", short(job.settings.lr.unwrap_or(f64::NAN) / 3.0));
    let calmer = match job.trainer.schedule {
        Schedule::Constant => format!("schedule = cosine, or {rate}"),
        _ => rate,
    };
    Some(finding(
        Kind::EndedWorse,
        format!("the net was better after epoch {} than at the end: {what}{jumped}", better.epoch),
        "the saved net is that of the last epoch",
        format!("keep_best = true, which saves the best epoch on validation rows; {calmer}"),
    ))
}

/// The net's predictions for the rows of one part: the probability of every class, or the number.
struct PartPredictions<'a> {
    part: &'a str,
    data: &'a Dataset,
    answers: Array2<f64>,
    said: Vec<usize>, // the class of every row; empty for regression
}

impl<'a> PartPredictions<'a> {
    fn new(job: &Job, part: &'a str, data: &'a Dataset) -> Self {
        let answers = answers(job, data);
        let said = if data.is_regression() { Vec::new() } else { argmax_rows(&answers) };
        PartPredictions { part, data, answers, said }
    }

    /// Which share of a class's rows is found; `None` if it has none.
    fn recall(&self, class: usize) -> Option<Estimate> {
        let labels = || self.data.labels().iter().zip(&self.said).filter(|&(&label, _)| label == class);
        let rows = labels().count();
        (rows > 0).then(|| Estimate::wilson(labels().filter(|(label, said)| label == said).count(), rows))
    }

    fn accuracy(&self) -> Estimate {
        let right = self.data.labels().iter().zip(&self.said).filter(|(label, said)| label == said).count();
        Estimate::wilson(right, self.data.rows())
    }

    /// The mean of the classes' recalls, with the interval that follows from theirs.
    fn balanced_accuracy(&self) -> Estimate {
        let recalls = Vec::from_iter((0..self.data.classes()).filter_map(|class| self.recall(class)));
        let of = |number: fn(&Estimate) -> f64| Vec::from_iter(recalls.iter().map(number));
        let spread = |half: Vec<f64>| half.iter().map(|x| x * x).sum::<f64>().sqrt() / recalls.len() as f64;
        let middle = mean(&of(|e| e.mean));
        let (low, high) = (spread(of(|e| e.mean - e.low)), spread(of(|e| e.high - e.mean)));
        Estimate { mean: middle, low: middle - low, high: middle + high }
    }

    /// The area under the ROC curve of one class against all others; `None` where there are rows of one side alone.
    fn auc(&self, class: usize) -> Option<f64> {
        let labels = Vec::from_iter(self.data.labels().iter().map(|&label| usize::from(label == class)));
        roc_auc_score(&labels, &self.answers.column(class).to_vec()).ok()
    }

    /// The mean of it over the classes; `None` for numbers.
    fn mean_auc(&self) -> Option<f64> {
        let areas =
            Vec::from_iter((0..self.said.len().min(self.data.classes())).filter_map(|class| self.auc(class)));
        (!areas.is_empty()).then(|| mean(&areas))
    }
}

/// Whether the classes were balanced, so that plain accuracy is not the goal.
fn is_balanced(job: &Job) -> bool {
    job.settings.balance.is_some_and(|balance| balance != Balance::None)
}

/// The metric for classes: accuracy, or its mean over the classes where they count alike.
fn share_right(job: &Job, predictions: &PartPredictions) -> Estimate {
    if is_balanced(job) { predictions.balanced_accuracy() } else { predictions.accuracy() }
}

/// The size of the largest hidden layer, if there is one.
fn widest(job: &Job) -> Option<usize> {
    let sizes = job.settings.model.as_ref().map_or(&[][..], |sizes| sizes.as_slice());
    sizes.get(1..sizes.len().saturating_sub(1))?.iter().copied().max()
}

/// Whether the net generalizes to other rows.
fn over_fitting(job: &Job, epochs: &[Epoch], [learned, held]: &[PartPredictions; 2]) -> Option<Finding> {
    let (part, monitored) = job.parts.monitored();
    let least = largest(epochs, |epoch| -epoch.held_out().loss);
    let best = largest(epochs, |epoch| epoch.held_out().score());
    let (first, last) = (&epochs[0], &epochs[epochs.len() - 1]);
    let rise = last.held_out().loss - least.held_out().loss;
    let rose = rise > RISE * least.held_out().loss
        && rise > RISE_OF_START * first.held_out().loss
        && last.train.loss < least.train.loss;
    let fell = last.train.loss < best.train.loss
        && clearly_below(job, last.held_out().score(), best.held_out().score(), monitored.rows());
    let kept = if job.trainer.keep_best { "; the saved net is that of the best epoch" } else { "" };
    let stop = match (job.trainer.stop, job.trainer.keep_best) {
        (None, false) => "patience = 10 (early stopping), which saves the best epoch; ",
        _ => "",
    };
    let smaller = match widest(job) {
        None | Some(1) => String::new(),
        Some(widest) => format!("a smaller net (hidden = {}); ", (widest / 2).min(16)),
    };
    let advice = format!("{stop}{smaller}l2 = 0.001; more rows");
    let means = format!(
        "the net overfits: it learned details of the training rows that do not hold for other rows{kept}"
    );
    if rose || fell {
        let measured = match rose {
            true => format!(
                "the {part} loss was lowest after epoch {}, {}, and rose to {}, while the training loss fell from {} to {}",
                least.epoch,
                short(least.held_out().loss),
                short(last.held_out().loss),
                short(least.train.loss),
                short(last.train.loss)
            ),
            false => format!(
                "on the {part} rows the net was best after epoch {}, {}, and ended at {}, while the training loss fell from {} to {}",
                best.epoch,
                accuracy(job, best.held_out().score()),
                accuracy(job, last.held_out().score()),
                short(best.train.loss),
                short(last.train.loss)
            ),
        };
        return Some(finding(Kind::OverFitting, measured, means, advice));
    }
    let (gap, measured) = match &job.predictions {
        Predictions::Classes(_) => {
            let [training, others] = [learned, held].map(|predictions| share_right(job, predictions));
            let what = if is_balanced(job) { ", averaged over the classes," } else { "" };
            let measured = format!(
                "{} of the training rows{what} are right, and {} of the {part} rows",
                percent(training.mean),
                percent(others.mean)
            );
            (training.minus(others).low > GAP, measured)
        }
        Predictions::Number { .. } => {
            let [training, others] = [learned, held].map(explained_share);
            let measured = format!(
                "R² is {} on the training rows, and {} on the {part} rows",
                short(training),
                short(others)
            );
            (training - others > GAP_OF_R2, measured)
        }
    };
    gap.then(|| finding(Kind::OverFitting, measured, means, advice))
}

/// R² of numbers.
fn explained_share(predictions: &PartPredictions) -> f64 {
    let said = predictions.answers.iter().copied();
    r2_score(predictions.data.values(), &Vec::from_iter(said)).unwrap_or(f64::NAN)
}

/// Whether the net is better than a prediction that ignores the features; learning too little is not reported again if it is `explained`.
fn against_guessing(
    job: &Job,
    epochs: &[Epoch],
    [learned, held]: &[PartPredictions; 2],
    explained: bool,
) -> Option<Finding> {
    let of_others = gain(job, held);
    if of_others.most < 0.0 && held.mean_auc().is_none_or(|area| area < NOT_RANKED) {
        return Some(finding(
            Kind::WorseThanGuessing,
            of_others.words,
            "what it learned from the training rows does not hold for others",
            "check the targets of the training rows, and whether all parts have the same distribution",
        ));
    }
    let of_training = gain(job, learned);
    let surprise = surprise(job, learned);
    let no_less = surprise.is_some_and(|[of_net, of_classes]| of_net > (1.0 - LESS_SURPRISE) * of_classes);
    let little = of_training.share < LITTLE || of_training.share < HALF_WAY && no_less;
    if explained || !little {
        return None;
    }
    let area = learned.mean_auc();
    if !no_less && area.is_some_and(|area| area >= TOLD_APART) {
        return None; // the most frequent class is mostly the right prediction
    }
    let surprise = surprise.map_or(String::new(), |[of_net, of_classes]| {
        format!(
            "; its log-loss is {}, and that of the class frequencies alone {}",
            short(of_net),
            short(of_classes)
        )
    });
    let area = area.map_or(String::new(), |area| format!("; its AUC is {}", short(area)));
    // on real tables a net that is larger than the usual one was worse: docs/tables.md
    let larger = match widest(job) {
        None => "then a hidden layer (hidden = 32); ",
        Some(widest) if widest < 32 => "then a wider layer (hidden = 32); ",
        Some(_) => "",
    };
    Some(finding(
        Kind::UnderFitting,
        of_training.words + &surprise + &area,
        "the net underfits: it was trained too little, is too small, or the features are not informative",
        format!("more epochs ({}); {larger}if that does not help, other features", 2 * (epochs.len() - 1)),
    ))
}

/// How much of the possible gain over the most frequent class, or the mean, is reached on some rows.
struct Gain {
    share: f64, // 1 is all
    most: f64,  // that the number of rows leaves open
    words: String,
}

fn gain(job: &Job, predictions: &PartPredictions) -> Gain {
    let PartPredictions { part, data, .. } = predictions;
    let Predictions::Classes(names) = &job.predictions else {
        let share = explained_share(predictions);
        let words = format!("R² is {} on the {part} rows; always predicting their mean has 0", short(share));
        return Gain { share, most: share - BELOW_MEAN, words };
    };
    let Estimate { mean, high, .. } = share_right(job, predictions);
    let (guessed, words) = if is_balanced(job) {
        let guessed = 1.0 / names.len() as f64;
        let words = format!(
            "the balanced accuracy on the {part} rows is {}; always predicting one class has {}",
            percent(mean),
            percent(guessed)
        );
        (guessed, words)
    } else {
        let most_frequent = commonest_class(&job.parts.train);
        let guessed = share(data, |row| data.labels()[row] == most_frequent);
        let words = format!(
            "{} of the {part} rows are right; always predicting \"{}\" would be right on {}",
            percent(mean),
            names[most_frequent],
            percent(guessed)
        );
        (guessed, words)
    };
    Gain { share: (mean - guessed) / (1.0 - guessed), most: high - guessed, words }
}

/// The log-loss of the net on the training rows, and that of knowing only how frequent each class is.
fn surprise(job: &Job, learned: &PartPredictions) -> Option<[f64; 2]> {
    let train = learned.data;
    let shares = train.class_counts().into_iter().map(|count| count as f64 / train.rows() as f64);
    let of_classes = -shares.filter(|&share| share > 0.0).map(|share| share * share.ln()).sum::<f64>();
    let of_net = match job.predictions {
        Predictions::Classes(_) => log_loss(train.labels(), learned.answers.view()).ok()?,
        Predictions::Number { .. } => return None,
    };
    Some([of_net, of_classes])
}

/// Classes that are never predicted, or, if they are rare, too seldom.
fn classes(job: &Job, learned: &PartPredictions) -> Option<Finding> {
    let Predictions::Classes(names) = &job.predictions else { return None };
    let counts = job.parts.train.class_counts();
    let rows = job.parts.train.rows();
    let mut said = vec![0; names.len()];
    learned.said.iter().for_each(|&class| said[class] += 1);
    let rare = |class: usize| counts[commonest_class(&job.parts.train)] >= UNEVEN * counts[class];
    let unsaid = Vec::from_iter((0..names.len()).filter(|&class| counts[class] > 0 && said[class] == 0));
    let Some(&rarest) = unsaid.iter().min_by_key(|&&class| counts[class]) else {
        return (0..names.len())
            .filter(|&class| rare(class))
            .find_map(|class| missed(learned, class, &names[class]));
    };
    let advice = match rare(rarest) {
        true => BALANCE,
        false => "a third of the learning rate; then other initial weights (seed = 8); then a larger net",
    };
    let (kind, measured) = match said.iter().position(|&times| times == rows) {
        Some(class) => {
            let (name, count) = (&names[class], counts[class]);
            (
                Kind::OneClass,
                format!(
                    "the net predicts \"{name}\" for all {rows} training rows; {count} of them have that class"
                ),
            )
        }
        None => {
            let of = unsaid.iter().take(5).map(|&class| match counts[class] {
                1 => format!("\"{}\" (1 row)", names[class]),
                count => format!("\"{}\" ({count} rows)", names[class]),
            });
            let more =
                if unsaid.len() > 5 { format!(" or another {}", unsaid.len() - 5) } else { String::new() };
            (
                Kind::ClassNeverSaid,
                format!(
                    "the net predicts {}{more} for none of the {rows} training rows",
                    Vec::from_iter(of).join(" or ")
                ),
            )
        }
    };
    let means = match rare(rarest) {
        true => "errors on so few rows add little to the loss",
        false => {
            "these classes are frequent enough: the net has not learned, or has lost, the difference between them"
        }
    };
    Some(finding(kind, measured, means, advice))
}

/// Advice for rare classes.
const BALANCE: &str = "balance = oversample, which finds more of them and lowers accuracy; then use balanced_accuracy or f1_macro \
                       (monitor) instead of accuracy";

/// A rare class that the net separates from the others, but seldom predicts.
fn missed(learned: &PartPredictions, class: usize, name: &str) -> Option<Finding> {
    let recall = learned.recall(class).map(|recall| recall.mean).filter(|&recall| recall < FOUND)?;
    let area = learned.auc(class)?;
    (area >= TOLD_APART).then(|| {
        finding(
            Kind::RareClassMissed,
            format!(
                "the recall of the rare class \"{name}\" on training rows is {}, though the net ranks its rows well: AUC {}",
                percent(recall),
                short(area)
            ),
            "a rare class is seldom the most likely one, and accuracy hardly shows the missed rows",
            BALANCE,
        )
    })
}

/// Columns, or a target, whose range is due to a few extreme values.
fn flattened(job: &Job) -> Option<Finding> {
    let train = &job.parts.train;
    let numbers =
        job.encoder.columns.iter().filter(|column| matches!(column.encoding, Encoding::Number { .. }));
    let names = train.feature_names.iter().map(String::as_str);
    let columns = names
        .zip(train.features.columns())
        .filter(|(name, _)| numbers.clone().any(|column| column.name == *name));
    let target = match &job.predictions {
        Predictions::Number { name, .. } => Some((name.as_str(), ArrayView1::from(train.values()))),
        Predictions::Classes(_) => None,
    };
    let flat = Vec::from_iter(
        columns.chain(target).filter_map(|(name, values)| Some((name, middle_share(values)?))),
    );
    let &(name, share) = flat.first()?;
    let others = match flat.len() {
        1 => String::new(),
        2 => format!("; the same holds for \"{}\"", flat[1].0),
        n => format!("; the same holds for {} other columns", n - 1),
    };
    Some(finding(
        Kind::FlattenedColumn,
        format!("90 % of the values of \"{name}\" span {} of its range{others}", percent(share)),
        "a few extreme values determine the range: after scaling, the net can hardly distinguish the other values",
        "check the largest and smallest values of the column: correct them, leave these rows out, or take logarithms",
    ))
}

/// The fraction of the range that the middle 90 % of the values span, if it is very small but not 0.
fn middle_share(values: ArrayView1<f64>) -> Option<f64> {
    let mut values = values.to_vec();
    let place = |share: f64| (share * (values.len() - 1) as f64).round() as usize;
    let [low, high] = [0.05, 0.95].map(place);
    let (least, most) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), &x| (l.min(x), m.max(x)));
    let [low, high] = [low, high].map(|at| *values.select_nth_unstable_by(at, f64::total_cmp).1);
    let share = (high - low) / (most - least);
    (0.0 < share && share < FLAT).then_some(share)
}

/// Units that no longer respond to their inputs.
fn units(job: &Job) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut workspace = Workspace::new();
    let mut x = features(&job.parts.train);
    let hidden = job.model.layers().len() - 1;
    for (number, layer) in job.model.layers().iter().take(hidden).enumerate() {
        let z = workspace.eval(&job.params, |tape| layer.forward(tape.input(&x)));
        let z =
            z.into_dimensionality::<Ix2>().expect("a linear layer turns [rows, inputs] into [rows, outputs]");
        let health = unit_health(z.view(), &job.model.activation());
        let name = format!("layer {}", number + 1);
        let lost = |count: usize| count as f64 >= LOST * health.units as f64;
        if lost(health.dead) {
            findings.push(finding(
                Kind::DeadUnits,
                format!("{} of {} units of {name} are dead: their output is the same for every training row, with slope 0", health.dead, health.units),
                "no gradient passes through them: they no longer learn, nor do the units before them through them",
                "a lower learning rate, activation = leaky_relu, init = kaiming_normal",
            ));
        } else if two_sided(job.model.activation()) && lost(health.dead + health.saturated) {
            findings.push(finding(
                Kind::SaturatedUnits,
                format!(
                    "{} of {} units of {name} are saturated: on 90 % of the rows their slope is below 5 % of its maximum; their pre-activations are {} ± {}",
                    health.dead + health.saturated, health.units, short(health.mean), short(health.deviation)
                ),
                "their output is one of two values, and they hardly learn",
                "smaller initial weights (init = xavier_normal), a lower learning rate, scaled features",
            ));
        }
        let y = workspace.eval(&job.params, |tape| job.model.activation().forward(tape.input(&z)));
        x = y.into_dimensionality::<Ix2>().expect("an activation keeps the shape");
    }
    findings
}

/// Flat on both sides: there a flat unit no longer learns. With only one flat side, a unit that is off on most rows has learned something rare.
fn two_sided(activation: Activation) -> bool {
    matches!(activation, Activation::Sigmoid | Activation::Tanh)
}

/// Weights that make units act as steps.
fn weights(job: &Job) -> Option<Finding> {
    let all = job.model.layers().iter().flat_map(|layer| &job.params[layer.weight]);
    let sizes = Vec::from_iter(all.map(|&w| f64::from(w.abs())));
    let huge = sizes.iter().filter(|&&size| size > HUGE).count();
    (huge as f64 > HUGE_SHARE * sizes.len() as f64).then(|| {
        finding(
            Kind::HugeWeights,
            format!(
                "{huge} of {} weights are larger than {HUGE}, the largest {}",
                sizes.len(),
                short(sizes.iter().copied().fold(0.0, f64::max))
            ),
            "such a large weight turns a small change of its input into a jump",
            "smaller initial weights (init = linear), a lower learning rate, l2 = 0.001, scaled features",
        )
    })
}

fn features(data: &Dataset) -> Array2<f32> {
    data.features.mapv(|x| x as f32)
}

/// What the net predicts for every row: the probability of every class, or the number.
fn answers(job: &Job, data: &Dataset) -> Array2<f64> {
    said(
        job.trainer.objective,
        &job.predictions,
        outputs(&job.model, &job.params, features(data).view()).view(),
    )
}

/// The class that the net predicts for every row.
pub(crate) fn predicted(job: &Job, data: &Dataset) -> Vec<usize> {
    argmax_rows(&answers(job, data))
}

/// The number that the net predicts for every row.
pub(crate) fn numbers(job: &Job, data: &Dataset) -> Vec<f64> {
    answers(job, data).into_iter().collect()
}

/// The most frequent class, the first of several: the best prediction without features.
pub fn commonest_class(data: &Dataset) -> usize {
    let counts = data.class_counts();
    (0..counts.len()).fold(0, |most, class| if counts[class] > counts[most] { class } else { most })
}

pub(crate) fn share(data: &Dataset, of: impl Fn(usize) -> bool) -> f64 {
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
