//! [`write_results`]: the results of a training, as numbers, pictures and a page.

mod masks;
mod pictures;

use std::path::Path;

use surprisal_data::metrics::{Average, Metric, dice_score};
use surprisal_layers::Sizes;
use surprisal_optim::{OptimizerKind, Schedule};
use surprisal_report::files::{cannot_write, write_unsynced};
use surprisal_report::{Page, Table};
use surprisal_tensor::ndarray::Array2;
use surprisal_train::{Augment, Ended, History, Monitor, Predictions};

use crate::diagnosis::{commonest_class, numbers, percent, predicted, share, short};
use crate::job::{DataPart, Scores, labels};
use crate::recorder::{CONFIG, MODEL};
use crate::{Finding, Job, Outputs, RunError, diagnose};
use pictures::{Judged, Picture, best, curves, judged};

pub use masks::{ChosenThreshold, chosen_threshold, overlap_table};

/// The metrics of all parts.
pub const METRICS: &str = "metrics.json";
/// The page.
pub const REPORT: &str = "report.html";

/// More classes than this cannot be read from a picture.
const CLASSES: usize = 20;
/// The metrics that are shown first.
const MAIN: [Metric; 5] = [
    Metric::Accuracy,
    Metric::BalancedAccuracy,
    Metric::F1(Average::Macro),
    Metric::MatthewsCorrcoef,
    Metric::LogLoss,
];
/// Those of masks.
const MAIN_OF_MASKS: [Metric; 5] =
    [Metric::Dice, Metric::Iou, Metric::MeanIou, Metric::AveragePrecision, Metric::Accuracy];

/// Writes the results of a training to the folder of its run: metrics.json, the pictures (.svg) and report.html, which needs no other
/// file. The outputs and the scores are those of [`Job::outputs`] and [`Job::scores`]. Two runs of the same settings write the same bytes. Returns the findings of the page,
/// those of [`diagnose`].
///
/// ```
/// use surprisal_run::{Job, Settings, write_results};
/// let mut job = Job::new(&Settings::from_toml("data = \"iris\"\nepochs = 50\n", "iris.toml")?)?;
/// let (history, ended) = job.fit(None, &mut ())?;
/// let folder = std::env::temp_dir().join(format!("surprisal-example-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// let outputs = job.outputs();
/// write_results(&folder, &job, &history, ended, &outputs, &job.scores_of(&outputs)?)?;
/// assert!(folder.join("report.html").exists() && folder.join("confusion.svg").exists());
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), surprisal_run::RunError>(())
/// ```
///
/// # Errors
/// If a file cannot be written, the history is empty, or the net's predictions are not finite.
pub fn write_results(
    place: impl AsRef<Path>,
    job: &Job,
    history: &History,
    ended: Ended,
    outputs: &Outputs,
    scores: &[(&'static str, Scores)],
) -> Result<Vec<Finding>, RunError> {
    let place = place.as_ref();
    if history.epochs().is_empty() {
        return Err(RunError::usage(
            "the history has no epoch, not even epoch 0 | pass the one that Job::fit returns",
        ));
    }
    let curves = curves(job, history.epochs(), ended);
    let judged = judged(job, outputs)?;
    let (chosen, findings) = (chosen_threshold(job, outputs)?, diagnose(job, history, outputs));
    let page = page(job, history, ended, (outputs, scores), (&curves, &judged), chosen, &findings);
    let write = |name: &str, text: &str| {
        let path = place.join(name);
        write_unsynced(&path, text.as_bytes()).map_err(|error| RunError::run(cannot_write(&path, &error)))
    };
    for Picture { name, svg, .. } in curves.iter().chain(&judged.pictures) {
        write(name, svg)?;
    }
    write(METRICS, &metrics(scores))?;
    write(REPORT, &page.to_html())?;
    Ok(findings)
}

fn metrics(scores: &[(&'static str, Scores)]) -> String {
    let of_part = |metrics: &[(Metric, f64)]| {
        let values = metrics.iter().map(|&(metric, value)| (metric.to_string(), value.into())); // NaN becomes null
        serde_json::Value::Object(values.collect())
    };
    let parts = scores.iter().map(|(part, metrics)| (part.to_string(), of_part(metrics))).collect();
    format!("{:#}\n", serde_json::Value::Object(parts))
}

fn page(
    job: &Job,
    history: &History,
    ended: Ended,
    (outputs, scores): (&Outputs, &[(&'static str, Scores)]),
    (curves, judged): (&[Picture], &Judged),
    chosen: Option<ChosenThreshold>,
    findings: &[Finding],
) -> Page {
    let name = &job.parts.train.name;
    let mut page = Page::new(format!("Trained on {name}")).lead(&lead(job, outputs).replace(" %", "\u{a0}%"));
    page =
        page.section("Data and model").paragraph(&data(job)).paragraph(&net(job)).paragraph(&training(job));
    page = page.section("Evaluation").paragraph(&held_out(job, history));
    let main = if let Predictions::Masks(_) = job.predictions { MAIN_OF_MASKS } else { MAIN };
    let told = |metric: Metric| main.contains(&metric) || job.trainer.monitor == Monitor::Metric(metric);
    let of_all = scores.last().is_none_or(|(_, metrics)| metrics.len() <= MAIN.len());
    page = page.table(&result(job, scores, |metric| told(metric) || of_all));
    if !of_all {
        page = page.details("Every metric", |inside| inside.table(&result(job, scores, |_| true)));
    }
    if let Some(ChosenThreshold { threshold, validation, test }) = chosen {
        page = page.paragraph(&format!(
            "The table counts a pixel as foreground from a probability of 1/2 on. The threshold {}, which has the largest Dice on the \
             validation images, {}, has a Dice of *{}* on the test images.",
            short(threshold),
            short(validation),
            short(test)
        ));
    }
    page = page.section("Training");
    page = curves.iter().fold(page, |page, picture| page.figure(&picture.svg, &picture.caption));
    page = page.section("Diagnosis");
    for finding in findings {
        page = page.paragraph(&format!(
            "{} {} Try: {}.",
            sentence(&finding.measured),
            sentence(&finding.means),
            finding.advice
        ));
    }
    page = page.section("Prediction errors");
    page = judged.pictures.iter().fold(page, |page, picture| page.figure(&picture.svg, &picture.caption));
    for (summary, text) in &judged.tables {
        page = page.details(summary, |inside| inside.code(text));
    }
    let resume = if ended == Ended::Interrupted {
        "\n# resume the training\nsurprisal train --resume DIR"
    } else {
        ""
    };
    let data = match job.predictions {
        Predictions::Masks(_) => "images:IMAGES --out MASKS",
        _ => "FILE.csv",
    };
    page.section("Reproduce the training and use the model")
        .paragraph("Replace `DIR` with the folder of this page, and run the commands in the folder where the training was started:")
        .code(&format!(
            "# repeat the training\nsurprisal train --config DIR/{CONFIG}\n# predict other rows\nsurprisal predict --model \
             DIR/{MODEL} --data {data}{resume}"
        ))
        .paragraph("All settings, including the defaults:")
        .code(&job.settings.to_toml())
        .footer("Made by surprisal, a small deep-learning framework in Rust. The same settings give the same page, to the last digit.")
}

/// A summary in two sentences.
fn lead(job: &Job, outputs: &Outputs) -> String {
    let (train, (part, test)) = (&job.parts.train, job.parts.evaluated());
    let outputs = outputs.of(part);
    let rows = match part {
        "train" => "these rows".to_string(),
        part => format!("{} {part} rows", test.rows()),
    };
    match &job.predictions {
        Predictions::Classes(names) => {
            let said = predicted(job, outputs);
            let most = commonest_class(&train.targets);
            format!(
                "A net that predicts one of {} classes, trained on {} rows. On {rows}, *{}* of its predictions are \
                 right; always predicting \"{}\", the most frequent class, would be right on {}.",
                names.len(),
                train.rows(),
                percent(share(test, |row| said[row] == test.targets.labels()[row])),
                names[most],
                percent(share(test, |row| test.targets.labels()[row] == most))
            )
        }
        Predictions::Masks(names) => {
            let (labels, said) = (labels(&test.targets), predicted(job, outputs));
            let right = labels.iter().zip(&said).filter(|(label, said)| label == said).count();
            let dice = dice_score(&labels, &said, names.len()).map_or("—".into(), short);
            let most = commonest_class(&train.targets);
            let images = match part {
                "train" => "these images".to_string(),
                part => format!("{} {part} images", test.rows()),
            };
            format!(
                "A net that predicts one of {} classes for every pixel, trained on {} images. On {images}, Dice is *{dice}* and {} of the pixels are \
                 right; always predicting \"{}\", the most frequent class, would be right on {}.",
                names.len(),
                train.rows(),
                percent(right as f64 / labels.len() as f64),
                names[most],
                percent(labels.iter().filter(|&&label| label == most).count() as f64 / labels.len() as f64)
            )
        }
        Predictions::Number { name, .. } => {
            let [mean, _] = mean_and_deviation(train.targets.values());
            let said = numbers(job, outputs);
            let off = |said: &dyn Fn(usize) -> f64| {
                (0..test.rows()).map(|row| (test.targets.values()[row] - said(row)).abs()).sum::<f64>()
                    / test.rows() as f64
            };
            format!(
                "A net that predicts a number, *{name}*, trained on {} rows. On {rows}, its mean absolute error is *{}*; always \
                 predicting {}, the mean, would have {}.",
                train.rows(),
                short(off(&|row| said[row])),
                short(mean),
                short(off(&|_| mean))
            )
        }
    }
}

fn data(job: &Job) -> String {
    let (parts, noun) = (&job.parts, job.predictions.rows());
    let rows = |data: &DataPart, part: &str| match data.rows() {
        1 => format!("1 {part} {}", noun.trim_end_matches('s')),
        rows => format!("{rows} {part} {noun}"),
    };
    let mut text = format!("*{}* has {}", parts.train.name, rows(&parts.train, "training"));
    if let Some(validation) = &parts.validation {
        text += &format!(", {}", rows(validation, "validation"));
    }
    text += &match parts.test.rows() {
        0 => format!("; there are no test {noun}."),
        _ => format!(" and {}.", rows(&parts.test, "test")),
    };
    for notice in &job.notices {
        text += &format!(" Note: {}.", notice.to_string().replace(" | ", "; "));
    }
    if let Some(noise) = job.settings.label_noise.filter(|&noise| noise > 0.0) {
        text +=
            &format!(" Label noise: {} of the training rows have a wrong class on purpose.", percent(noise));
    }
    if let Some(augment) = job.settings.augment.filter(|&augment| augment != Augment::default()) {
        text += &format!(" Training images are changed at random in every epoch: {augment}.");
    }
    match &job.predictions {
        Predictions::Classes(names) | Predictions::Masks(names) => {
            let (counts, masks) = (parts.train.targets.class_counts(), parts.train.targets.is_segmentation());
            let all = counts.iter().sum::<usize>() as f64;
            let classes = names.iter().zip(counts).take(CLASSES).map(|(name, count)| match masks {
                true => format!("{name} ({})", percent(count as f64 / all)),
                false => format!("{name} ({count})"),
            });
            let of = if masks { "share of the training pixels" } else { "number of training rows" };
            let more = if names.len() > CLASSES {
                format!(" and {} more", names.len() - CLASSES)
            } else {
                String::new()
            };
            text + &format!(
                " The classes, with the {of} of each: {}{more}.",
                Vec::from_iter(classes).join(", ")
            )
        }
        Predictions::Number { name, .. } => {
            let [mean, deviation] = mean_and_deviation(job.parts.train.targets.values());
            text + &format!(
                " In the training rows, {name} has the mean {} and the standard deviation {}.",
                short(mean),
                short(deviation)
            )
        }
    }
}

fn net(job: &Job) -> String {
    let Some(net) = &job.settings.model else { return String::new() };
    let inputs = match job.encoder.width() {
        1 => "1 input".to_string(),
        inputs => format!("{inputs} inputs"),
    };
    let activation = job.settings.get("activation").unwrap_or_default();
    let hidden = match net.sizes().map(Sizes::as_slice) {
        None if job.model.steps().len() == 1 => "1 layer".to_string(),
        None => format!("{} layers", job.model.steps().len()),
        Some([_, layers @ .., last, _]) if !layers.is_empty() => format!(
            "hidden layers of {} and {last} units with {activation}",
            Vec::from_iter(layers.iter().map(usize::to_string)).join(", "),
        ),
        Some([_, units, _]) => format!("a hidden layer of {units} units with {activation}"),
        Some(_) => "no hidden layers".to_string(),
    };
    let outputs = match &job.predictions {
        Predictions::Number { .. } => "1 output, the prediction".to_string(),
        Predictions::Masks(names) => match job.trainer.objective.outputs_of_pixel(names.len()) {
            1 => "1 output for each pixel, the logit of the second class".to_string(),
            outputs => format!(
                "{outputs} outputs for each pixel, the logits; the class with the largest logit is predicted"
            ),
        },
        Predictions::Classes(names) => {
            match net.sizes().map_or_else(|| job.trainer.objective.outputs(names.len()), Sizes::outputs) {
                1 => "1 output, the logit of the second class".to_string(),
                outputs => {
                    format!("{outputs} outputs, the logits; the class with the largest logit is predicted")
                }
            }
        }
    };
    format!(
        "The net, `{net}`, has {} parameters: {inputs}, {hidden}, and {outputs}.",
        job.params.as_slice().len()
    )
}

fn training(job: &Job) -> String {
    let kind = job.settings.opt.unwrap_or(OptimizerKind::Sgd);
    let words = match kind {
        OptimizerKind::Sgd if job.settings.momentum.is_some_and(|momentum| momentum > 0.0) => {
            "SGD with momentum: each step adds the negative gradient of one batch to a part of the last step"
        }
        _ => kind.about(),
    };
    let trainer = &job.trainer;
    let schedule = match trainer.schedule {
        Schedule::Constant => String::new(),
        ref schedule => format!(", with the schedule `{schedule}`"),
    };
    format!(
        "Training minimizes the {}, for {}{} epochs, with a batch size of {}. The optimizer is {words}. The learning rate is {}{schedule}.",
        trainer.objective,
        if trainer.stop.is_some() { "at most " } else { "" },
        trainer.epochs,
        trainer.batch_size,
        short(job.settings.lr.unwrap_or(f64::NAN))
    )
}

/// Which epoch is saved, and what the test scores mean.
fn held_out(job: &Job, history: &History) -> String {
    let saved = match job.trainer.keep_best {
        true => {
            format!("The saved net is that of epoch {}, the best epoch. ", best(job, history.epochs()).epoch)
        }
        false => String::new(),
    };
    let rows = job.predictions.rows();
    saved
        + &match job.parts.test.rows() {
            0 => format!(
                "*There are no test {rows}: this run cannot estimate how good the net is on new {rows}.* Use cross-validation with the \
                 same settings, or a test set, for that."
            ),
            _ => format!(
                "The test {rows} were used neither for training nor to choose the epoch, so similar scores can be expected on new {rows} \
                 of the same kind."
            ),
        }
}

/// The targets of the training rows, for regression.
fn mean_and_deviation(values: &[f64]) -> [f64; 2] {
    let n = values.len().max(1) as f64;
    let mean = values.iter().map(|value| value / n).sum::<f64>();
    [mean, (values.iter().map(|value| (value - mean) / n * (value - mean)).sum::<f64>()).sqrt()]
}

/// Metrics on every part, and of a prediction that ignores the features.
fn result(job: &Job, scores: &[(&'static str, Scores)], told: impl Fn(Metric) -> bool) -> Table {
    let (train, (part, test)) = (&job.parts.train, job.parts.evaluated());
    let noun = job.predictions.rows();
    let (name, guess): (String, Box<dyn Fn(Metric) -> Option<f64>>) = match &job.predictions {
        Predictions::Classes(names) | Predictions::Masks(names) => {
            let counts = train.targets.class_counts();
            let all = counts.iter().sum::<usize>() as f64;
            let shares = Vec::from_iter(counts.into_iter().map(|count| count as f64 / all));
            let labels = labels(&test.targets).into_owned();
            let said = Array2::from_shape_fn((labels.len(), names.len()), |(_, class)| shares[class]);
            (
                format!("always \"{}\"", names[commonest_class(&train.targets)]),
                Box::new(move |metric| metric.of_classes(&labels, said.view()).ok()),
            )
        }
        Predictions::Number { .. } => {
            let [mean, _] = mean_and_deviation(train.targets.values());
            let (said, values) = (vec![mean; test.rows()], test.targets.values().to_vec());
            ("always the mean".to_string(), Box::new(move |metric| metric.of_numbers(&values, &said).ok()))
        }
    };
    let all = scores.last().map_or(&[][..], |(_, metrics)| metrics);
    let cell = |value: Option<f64>| match value {
        None => "—".to_string(),
        Some(value) if value.abs() < 10.0 => format!("{value:.3}"),
        Some(value) => short(value),
    };
    // the held-out part first: a phone shows no more
    let row = |head: String, mut parts: Vec<String>, guess: String| {
        parts.reverse();
        parts.insert(1.min(parts.len()), guess);
        [vec![head], parts].concat()
    };
    let rows = all.iter().filter(|&&(metric, _)| told(metric)).map(|&(metric, _)| {
        let of = |metrics: &[(Metric, f64)]| {
            metrics.iter().find(|(other, _)| *other == metric).map(|&(_, value)| value)
        };
        row(
            metric.to_string(),
            scores.iter().map(|(_, metrics)| cell(of(metrics))).collect(),
            cell(guess(metric)),
        )
    });
    Table::new(
        format!(
            "The net and a baseline that ignores the features, on the {part} {noun}; then the net on the other {noun}."
        ),
        1,
        row("metric".to_string(), scores.iter().map(|(part, _)| part.to_string()).collect(), name),
        rows,
    )
}

/// The text with a capital first letter, and a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map_or(String::new(), |first| first.to_uppercase().to_string());
    format!("{first}{}.", letters.as_str())
}
