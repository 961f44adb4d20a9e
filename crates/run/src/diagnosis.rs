//! [`diagnose`]: what a training's numbers say about it, in words.
//!
//! Every sentence follows from a number that was measured: the losses of the epochs, what the net says of every row, the slopes of its
//! units, its weights. The thresholds are below, each with its reason; `tests/diagnosis.rs` holds them against trainings that are in
//! order and others that were broken on purpose, and prints both with `--nocapture`.

use std::fmt;

use surprisal_data::metrics::{log_loss, r2_score};
use surprisal_data::{Dataset, argmax_rows};
use surprisal_lab::statistics::Estimate;
use surprisal_layers::{Activation, Layer};
use surprisal_tensor::Workspace;
use surprisal_tensor::ndarray::{Array2, Ix2};
use surprisal_train::check::unit_health;
use surprisal_train::{Answers, Epoch, History, TrainError, outputs};

use crate::Job;
use crate::asked::said;

/// An epoch after which the loss is higher by this share of its start went astray: what batches differ by is less. A twentieth would be
/// reached by plain descent on the digits at its usual rate.
const JUMP: f64 = 0.1;
/// One such epoch in so many is no accident.
const JUMPY: usize = 10;
/// A loss that falls by less than this share of its start in an epoch takes more than three hundred epochs.
const SLOW: f64 = 0.003;
/// A fall in the second half of at least this share of that in the first is no bend: the training is still at its beginning.
const STRAIGHT: f64 = 0.5;
/// A loss that fell by this share did get somewhere, however slowly.
const SOMEWHERE: f64 = 0.2;
/// A loss that fell by less than this share is where it was.
const FALL: f64 = 0.01;
/// Of all that was gained, the share that the last quarter of the epochs brought, above which more are worth while: a loss that falls
/// as 1/epoch gains less.
const LATE: f64 = 0.1;
/// The share by which the loss on rows that are not trained on may rise again from its least, measured against that ..
const RISE: f64 = 0.1;
/// .. and against its start, because a share of next to nothing is nothing.
const RISE_OF_START: f64 = 0.05;
/// How much better the net may be on what it was trained on, in accuracy, beyond what so few rows leave open ..
const GAP: f64 = 0.05;
/// .. and in R².
const GAP_OF_R2: f64 = 0.2;
/// The share of what there is to gain beyond the commonest class, or the mean, below which little was learned: a line through two rings
/// gains 0.14 by chance.
const LITTLE: f64 = 0.2;
/// The share of the surprise at the classes that must be gone where accuracy is no more than [`HALF_WAY`]: a line through xor gets up to
/// 0.72 of a hundred rows right by chance, and is as surprised as before.
const LESS_SURPRISE: f64 = 0.05;
/// More than half of what there is to gain is no chance.
const HALF_WAY: f64 = 0.5;
/// An R² below this is no chance: the mean of the training rows has one a little below 0.
const BELOW_MEAN: f64 = -0.1;
/// How many times as common a class may be as another before that explains why the other is not said.
const UNEVEN: usize = 3;
/// The share of a layer's units that may be lost; so many cannot be a few rare features.
const LOST: f64 = 0.5;
/// The size of a weight that makes a unit jump: inputs are about 1, and functions of them bend between -5 and 5.
const HUGE: f64 = 20.0;
/// The share of weights that may be so large.
const HUGE_SHARE: f64 = 0.01;

/// One thing that stands out in a training.
///
/// See the example of [`diagnose`].
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// What was measured, with the numbers.
    pub measured: String,
    /// What it means.
    pub means: String,
    /// What to try.
    pub advice: String,
}

/// What can stand out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Nothing does.
    Nothing,
    /// The loss left the finite numbers.
    NotFinite,
    /// The loss rose, or jumps up and down.
    RateTooHigh,
    /// The loss falls by hardly anything, in every epoch alike.
    RateTooLow,
    /// The loss is where it was.
    DidNotFall,
    /// The loss still falls at the end.
    StillFalls,
    /// The net is better on what it was trained on than on other rows.
    OverFitting,
    /// The net is hardly better than the commonest class, or the mean, even on what it was trained on.
    UnderFitting,
    /// On other rows, the commonest class, or the mean, would have been the better answer.
    WorseThanGuessing,
    /// Half of a layer's units or more put out the same whatever goes in.
    DeadUnits,
    /// Half of a layer's units or more are where the activation is flat.
    SaturatedUnits,
    /// The net says one class of every row.
    OneClass,
    /// The net never says a class that has rows.
    ClassNeverSaid,
    /// Weights are so large that units jump.
    HugeWeights,
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

/// What stands out in a training that came to its end: at least one finding, if only that there is [nothing](Kind::Nothing).
///
/// ```
/// use surprisal_run::{Job, Kind, Settings, diagnose};
/// let settings = |lr: f64| Settings::from_toml(&format!("data = \"iris\"\nlr = {lr:?}\nepochs = 40\n"), "iris.toml".as_ref());
/// let mut job = Job::new(&settings(1e-5)?)?;
/// let (history, _) = job.fit(None, &mut ())?;
/// let findings = diagnose(&job, &history);
/// assert_eq!(findings[0].kind, Kind::RateTooLow);
/// assert!(findings[0].advice.contains("0.0001"), "{}", findings[0]); // ten times the rate
/// # Ok::<(), surprisal_run::RunError>(())
/// ```
pub fn diagnose(job: &Job, history: &History) -> Vec<Finding> {
    let trained = history.epochs().len() > 1;
    let course = if trained { course(job, history.epochs()) } else { None };
    let begun = trained && course.as_ref().is_none_or(|finding| finding.kind != Kind::RateTooLow);
    let mut findings = Vec::from_iter(course);
    findings.extend(units(job));
    findings.extend(weights(job));
    if begun {
        // of a net that is as it started, nothing else can be said
        let why_so_little = [Kind::RateTooHigh, Kind::StillFalls, Kind::DeadUnits];
        let explained = findings.iter().any(|finding| why_so_little.contains(&finding.kind));
        findings.extend(over_fitting(job, history.epochs()));
        findings.extend(against_guessing(job, explained));
        findings.extend(classes(job));
    }
    if findings.is_empty() {
        let looked_at = if trained {
            "whether the loss fell, jumped or still falls, the difference between rows trained on and others, classes that are never said, \
             units that are dead or saturated, the size of weights"
        } else {
            "units that are dead or saturated and the size of weights; no epoch was completed"
        };
        let advice = if trained {
            "nothing in particular; another seed shows how much is luck"
        } else {
            "surprisal train --resume"
        };
        findings.push(finding(
            Kind::Nothing,
            format!("nothing stands out: looked at {looked_at}"),
            "none of it is a reason to distrust this training",
            advice,
        ));
    }
    findings
}

/// What stands out in a training that could not go on; the history is that of the epochs before.
///
/// ```
/// use surprisal_run::{Job, Kind, Settings, diagnose_failure};
/// use surprisal_train::History;
/// let settings = Settings::from_toml("data = \"xor\"\nlr = 1e38\nactivation = \"relu\"\n", "xor.toml".as_ref())?;
/// let mut job = Job::new(&settings)?;
/// let rows = surprisal_train::Examples::new(&job.parts.train);
/// let Job { trainer, model, params, optimizer, .. } = &mut job;
/// let error = trainer.fit(model, params, &mut **optimizer, &rows, &rows, |_| ()).unwrap_err();
/// assert_eq!(diagnose_failure(&job, &History::default(), &error)[0].kind, Kind::NotFinite);
/// # Ok::<(), surprisal_run::RunError>(())
/// ```
pub fn diagnose_failure(job: &Job, history: &History, error: &TrainError) -> Vec<Finding> {
    let TrainError::NotFinite { epoch, step, loss, learning_rate, .. } = error else {
        return Vec::new(); // the error says all of what the data or the settings lack
    };
    let losses = match (history.epochs().first(), history.epochs().last()) {
        (Some(first), Some(last)) => format!(
            "it was {} at the start and {} after epoch {}",
            short(first.loss),
            short(last.loss),
            last.epoch
        ),
        _ => "no epoch was completed before".to_string(),
    };
    let feature = job.parts.train.features.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let large = feature > 1000.0;
    let advice = if large {
        "scale the features: scaling = standardize".to_string()
    } else {
        format!("a learning rate of {} or less, or clip_norm = 1", short((learning_rate / 10.0).min(1.0)))
    };
    let mut findings = vec![finding(
        Kind::NotFinite,
        format!(
            "the loss became {loss} in epoch {epoch}, step {step}, at learning rate {learning_rate:?}; {losses}; the largest feature is {}",
            short(feature)
        ),
        match large {
            true => {
                "features so large make gradients so large that a usual step throws the weights out of the numbers there are"
            }
            false => {
                "every step went further past the goal than the one before, until the weights left the numbers there are"
            }
        },
        advice,
    )];
    findings.extend(weights(job));
    findings
}

/// How the loss on the training rows went.
fn course(job: &Job, epochs: &[Epoch]) -> Option<Finding> {
    let losses = Vec::from_iter(epochs.iter().map(|epoch| epoch.loss));
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
                "the training loss went {from_to}, at most {}, and rose by more than {} in {jumps} of them",
                short(highest),
                short(JUMP * start)
            ),
            "the steps are longer than the valley is wide: they lead past its floor and up the other side",
            format!("a learning rate of {} instead of {}", short(rate / 10.0), short(rate)),
        ));
    }

    let fall = (start - end) / start;
    let [first, second] = [start - losses[n.div_ceil(2)], losses[n / 2] - end];
    let steady = rises.iter().filter(|&&rise| rise < 0.0).count() * 10 >= 9 * n && second >= STRAIGHT * first;
    if fall > 0.0 && fall < SLOW * n as f64 && fall < SOMEWHERE && steady {
        return Some(finding(
            Kind::RateTooLow,
            format!(
                "the training loss, {} at the start, fell by {} in {n} epochs: by {} in each, or nearly so",
                short(start),
                short(start - end),
                percent(fall / n as f64)
            ),
            "every epoch goes the right way, and hardly anywhere",
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
            "nothing was learned that the net did not know at its start",
            format!(
                "another learning rate: first {}, then {}; then a larger net, or another start",
                short(10.0 * rate),
                short(rate / 10.0)
            ),
        ));
    }
    let before = &epochs[n - (n / 4).max(1)];
    let late = (before.loss - end) / (start - end);
    (n > 3 && late > LATE && epochs[n].test_loss < before.test_loss).then(|| {
        finding(
            Kind::StillFalls,
            format!(
                "the training loss fell {from_to}, {} of that after epoch {}",
                percent(late),
                before.epoch
            ),
            format!("it was still learning when it ended, and the {} loss fell too", job.parts.watched().0),
            format!(
                "more epochs ({}), or a learning rate of {}",
                2 * n,
                short(3.0 * job.settings.lr.unwrap_or(f64::NAN))
            ),
        )
    })
}

/// Whether what was learned holds for other rows.
fn over_fitting(job: &Job, epochs: &[Epoch]) -> Option<Finding> {
    let (part, watched) = job.parts.watched();
    let mut least = &epochs[0];
    for epoch in epochs {
        if epoch.test_loss < least.test_loss {
            least = epoch;
        }
    }
    let (first, last) = (&epochs[0], &epochs[epochs.len() - 1]);
    let rise = last.test_loss - least.test_loss;
    let rose =
        rise > RISE * least.test_loss && rise > RISE_OF_START * first.test_loss && last.loss < least.loss;
    let gap = match &job.answers {
        Answers::Classes(_) => {
            let of = |share: f64, data: &Dataset| {
                Estimate::wilson((share * data.rows() as f64).round() as usize, data.rows())
            };
            of(last.train_accuracy, &job.parts.train).minus(of(last.test_accuracy, watched)).low > GAP
        }
        Answers::Number { .. } => last.train_accuracy - last.test_accuracy > GAP_OF_R2,
    };
    let kept = if job.trainer.keep_best { "; the model that is kept is that of the best epoch" } else { "" };
    let advice = format!(
        "{}weight_decay = 0.01 with adamw or l2 = 0.001, a smaller net, more rows",
        if job.trainer.stop.is_some() { "" } else { "patience = 10, " }
    );
    let means = format!("it learns the training rows by heart: what is true of them alone{kept}");
    if rose {
        let measured = format!(
            "the {part} loss was least after epoch {}, {}, and rose to {}, while the training loss fell from {} to {}",
            least.epoch,
            short(least.test_loss),
            short(last.test_loss),
            short(least.loss),
            short(last.loss)
        );
        return Some(finding(Kind::OverFitting, measured, means, advice));
    }
    gap.then(|| {
        let measured = match &job.answers {
            Answers::Classes(_) => format!(
                "{} of the training rows are right, and {} of the {part} rows",
                percent(last.train_accuracy),
                percent(last.test_accuracy)
            ),
            Answers::Number { .. } => format!(
                "R² is {} on the training rows, and {} on the {part} rows",
                short(last.train_accuracy),
                short(last.test_accuracy)
            ),
        };
        finding(Kind::OverFitting, measured, means, advice)
    })
}

/// Whether the net is better than an answer that looks at nothing; too little learned is nothing new where that is `explained`.
fn against_guessing(job: &Job, explained: bool) -> Option<Finding> {
    let (part, watched) = job.parts.watched();
    let [learned, held] =
        [("training", &job.parts.train), (part, watched)].map(|(part, data)| gain(job, part, data));
    if held.most < 0.0 {
        return Some(finding(
            Kind::WorseThanGuessing,
            held.words,
            "what it learned from the training rows is not true of others",
            "look whether the answers of the training rows are right, and whether the parts are alike",
        ));
    }
    let surprise = surprise(job);
    let no_less = surprise.is_some_and(|[of_net, of_classes]| of_net > (1.0 - LESS_SURPRISE) * of_classes);
    let little = learned.share < LITTLE || learned.share < HALF_WAY && no_less;
    let surprise = surprise.map_or(String::new(), |[of_net, of_classes]| {
        format!(
            "; its log-loss is {}, and {} that of knowing only how common each class is",
            short(of_net),
            short(of_classes)
        )
    });
    (little && !explained).then(|| {
        finding(
            Kind::UnderFitting,
            learned.words + &surprise,
            "the net hardly knows even what it was trained on: it is too small, or not trained enough, or the features say nothing",
            "a larger net (hidden = 64-32), a higher learning rate, more epochs; then other features",
        )
    })
}

/// How much of what there is to gain over the commonest class, or the mean, is gained on some rows.
struct Gain {
    share: f64, // 1 is all
    most: f64,  // that so few rows leave open
    words: String,
}

fn gain(job: &Job, part: &str, data: &Dataset) -> Gain {
    let Answers::Classes(names) = &job.answers else {
        let share = r2_score(&data.values, &numbers(job, data)).unwrap_or(f64::NAN);
        let words = format!("R² is {} on the {part} rows; 0 is that of their mean", short(share));
        return Gain { share, most: share - BELOW_MEAN, words };
    };
    let (said, commonest) = (predicted(job, data), commonest_class(&job.parts.train));
    let right = (0..data.rows()).filter(|&row| said[row] == data.labels[row]).count();
    let guessed = share(data, |row| data.labels[row] == commonest);
    let Estimate { mean, high, .. } = Estimate::wilson(right, data.rows());
    let words = format!(
        "{} of the {part} rows are right; {} would be if the answer were always \"{}\"",
        percent(mean),
        percent(guessed),
        names[commonest]
    );
    Gain { share: (mean - guessed) / (1.0 - guessed), most: high - guessed, words }
}

/// How surprised the net is at the classes of the training rows, and how surprised one is who knows how common each is.
fn surprise(job: &Job) -> Option<[f64; 2]> {
    let train = &job.parts.train;
    let shares = train.class_counts().into_iter().map(|count| count as f64 / train.rows() as f64);
    let of_classes = -shares.filter(|&share| share > 0.0).map(|share| share * share.ln()).sum::<f64>();
    let of_net = match job.answers {
        Answers::Classes(_) => log_loss(&train.labels, answers(job, train).view()).ok()?,
        Answers::Number { .. } => return None,
    };
    Some([of_net, of_classes])
}

/// Classes that are never said.
fn classes(job: &Job) -> Option<Finding> {
    let Answers::Classes(names) = &job.answers else { return None };
    let counts = job.parts.train.class_counts();
    let rows = job.parts.train.rows();
    let mut said = vec![0; names.len()];
    predicted(job, &job.parts.train).into_iter().for_each(|class| said[class] += 1);
    let unsaid = Vec::from_iter((0..names.len()).filter(|&class| counts[class] > 0 && said[class] == 0));
    let rarest = *unsaid.iter().min_by_key(|&&class| counts[class])?;
    let uneven = counts[commonest_class(&job.parts.train)] >= UNEVEN * counts[rarest];
    let advice = match uneven {
        true => "balance = oversample, and watch = f1_macro instead of what the common rows decide",
        false => "a learning rate of a third, another start (seed = 8), a larger net",
    };
    let (kind, measured) = match said.iter().position(|&times| times == rows) {
        Some(class) => {
            let (name, count) = (&names[class], counts[class]);
            (
                Kind::OneClass,
                format!(
                    "the net says \"{name}\" of all {rows} training rows; {count} of them are of that class"
                ),
            )
        }
        None => {
            let of =
                unsaid.iter().take(5).map(|&class| format!("\"{}\" ({} rows)", names[class], counts[class]));
            let more =
                if unsaid.len() > 5 { format!(" or another {}", unsaid.len() - 5) } else { String::new() };
            (
                Kind::ClassNeverSaid,
                format!(
                    "of {rows} training rows, none is said to be {}{more}",
                    Vec::from_iter(of).join(" or ")
                ),
            )
        }
    };
    let means = match uneven {
        true => "being wrong about so few rows costs it less than telling them apart",
        false => "these classes are common enough: it has not learned, or has lost, what tells them apart",
    };
    Some(finding(kind, measured, means, advice))
}

/// Units that no longer answer to their inputs.
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
                format!("{} of {} units of {name} are dead: they put out the same for every training row, with slope 0", health.dead, health.units),
                "no gradient passes through them: they learn nothing any more, and pass nothing on",
                "a lower learning rate, activation = leaky_relu, init = kaiming_normal",
            ));
        } else if two_sided(job.model.activation()) && lost(health.dead + health.saturated) {
            findings.push(finding(
                Kind::SaturatedUnits,
                format!(
                    "{} of {} units of {name} are saturated: on nine rows of ten their slope is below 5 % of the largest; what goes in is {} ± {}",
                    health.dead + health.saturated, health.units, short(health.mean), short(health.deviation)
                ),
                "they only say yes or no, and hardly learn any more",
                "a smaller start (init = xavier_normal), a lower learning rate, scaled features",
            ));
        }
        let y = workspace.eval(&job.params, |tape| job.model.activation().forward(tape.input(&z)));
        x = y.into_dimensionality::<Ix2>().expect("an activation keeps the shape");
    }
    findings
}

/// Flat on both sides: there a flat unit is lost. Where one side alone is flat, a unit that is off on most rows has learned something rare.
fn two_sided(activation: Activation) -> bool {
    matches!(activation, Activation::Sigmoid | Activation::Tanh)
}

/// Weights that make units jump.
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
            "so large a weight turns a small change of its input into a jump",
            "a smaller start (init = linear), a lower learning rate, l2 = 0.001, scaled features",
        )
    })
}

fn features(data: &Dataset) -> Array2<f32> {
    data.features.mapv(|x| x as f32)
}

/// What the net says of every row: the probability of every class, or the number.
fn answers(job: &Job, data: &Dataset) -> Array2<f64> {
    said(&job.answers, outputs(&job.model, &job.params, features(data).view()).view())
}

/// The class that it says of every row.
pub(crate) fn predicted(job: &Job, data: &Dataset) -> Vec<usize> {
    argmax_rows(answers(job, data).view())
}

/// The number that it says of every row.
pub(crate) fn numbers(job: &Job, data: &Dataset) -> Vec<f64> {
    answers(job, data).into_iter().collect()
}

/// The first of the commonest classes: the answer of somebody who looks at nothing.
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

/// "97.3 %", and as many decimals as it takes to see something.
pub(crate) fn percent(share: f64) -> String {
    match share.abs() {
        0.0 => "0 %".to_string(),
        size if size < 0.001 => format!("{} %", short(100.0 * share)),
        _ => format!("{:.1} %", 100.0 * share),
    }
}
