//! [`write_results`]: the results of a training, as numbers, pictures and a page.

mod masks;

use std::path::Path;

use surprisal_data::metrics::{Average, ClassificationReport, ConfusionTable, Metric, dice_score};
use surprisal_data::{Dataset, EncodedColumn, Encoding};
use surprisal_layers::Sizes;
use surprisal_optim::{OptimizerKind, Schedule};
use surprisal_report::chart::{Cells, Chart, HeatMap, Line, Points};
use surprisal_report::files::{cannot_write, write_unsynced};
use surprisal_report::statistics::highest;
use surprisal_report::{Page, Table};
use surprisal_tensor::ndarray::{Array2, ArrayView1};
use surprisal_train::{Augment, Ended, Epoch, History, Monitor, Predictions, outputs};

use crate::diagnosis::{commonest_class, numbers, percent, predicted, share, short};
use crate::job::{Scores, unit};
use crate::job::{labels, said};
use crate::recorder::{CONFIG, MODEL};
use crate::{Job, RunError, diagnose};

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
/// More points than this only cover each other.
const POINTS: usize = 2000;

/// The colors of a chart.
const COLORS: usize = 5;
/// The cells of a decision boundary, across and up.
const CELLS: (usize, usize) = (96, 48);
/// How far it goes beyond the outermost rows, as a share of their range.
const MARGIN: f64 = 0.05;

/// Writes the results of a training to the folder of its run: metrics.json, the pictures (.svg) and report.html, which needs no other
/// file. The scores are those of [`Job::scores`]. Two runs of the same settings write the same bytes.
///
/// ```
/// use surprisal_run::{Job, Settings, write_results};
/// let mut job = Job::new(&Settings::from_toml("data = \"iris\"\nepochs = 50\n", "iris.toml")?)?;
/// let (history, ended) = job.fit(None, &mut ())?;
/// let folder = std::env::temp_dir().join(format!("surprisal-example-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// write_results(&folder, &job, &history, ended, &job.scores()?)?;
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
    scores: &[(&'static str, Scores)],
) -> Result<(), RunError> {
    let place = place.as_ref();
    if history.epochs().is_empty() {
        return Err(RunError::usage(
            "the history has no epoch, not even epoch 0 | pass the one that Job::fit returns",
        ));
    }
    let curves = curves(job, history.epochs(), ended);
    let judged = judged(job)?;
    let page = page(job, history, ended, scores, &curves, &judged, chosen_threshold(job)?);
    let write = |name: &str, text: &str| {
        let path = place.join(name);
        write_unsynced(&path, text.as_bytes()).map_err(|error| RunError::run(cannot_write(&path, &error)))
    };
    for Picture { name, svg, .. } in curves.iter().chain(&judged.pictures) {
        write(name, svg)?;
    }
    write(METRICS, &metrics(scores))?;
    write(REPORT, &page.to_html())
}

struct Picture {
    name: String,
    svg: String,
    caption: String,
}

/// How the net does on the test rows.
struct Judged {
    pictures: Vec<Picture>,
    tables: Vec<(&'static str, String)>, // a summary, and what it unfolds to
}

fn metrics(scores: &[(&'static str, Scores)]) -> String {
    let of_part = |metrics: &[(Metric, f64)]| {
        let values = metrics.iter().map(|&(metric, value)| (metric.to_string(), value.into())); // NaN becomes null
        serde_json::Value::Object(values.collect())
    };
    let parts = scores.iter().map(|(part, metrics)| (part.to_string(), of_part(metrics))).collect();
    format!("{:#}\n", serde_json::Value::Object(parts))
}

/// The epoch with the best monitored metric: the first, if there are several.
fn best<'h>(job: &Job, epochs: &'h [Epoch]) -> &'h Epoch {
    let larger = job.trainer.monitor.larger_is_better();
    epochs.iter().fold(&epochs[0], |best, epoch| {
        let better = if larger { epoch.monitored > best.monitored } else { epoch.monitored < best.monitored };
        if better || best.monitored.is_nan() && !epoch.monitored.is_nan() { epoch } else { best }
    })
}

fn curves(job: &Job, epochs: &[Epoch], ended: Ended) -> Vec<Picture> {
    let (part, _) = job.parts.monitored();
    let (first, last, best) = (&epochs[0], &epochs[epochs.len() - 1], best(job, epochs));
    let unit = match job.trainer.monitor {
        Monitor::Loss => 1.0,
        Monitor::Metric(metric) => unit(metric, &job.predictions),
    };
    let chart = |title: String| {
        let chart = Chart::new(title).x_label("epoch");
        if best.epoch == last.epoch { chart } else { chart.vertical(best.epoch as f64, "best") }
    };
    let line = |name: &str, of: &dyn Fn(&Epoch) -> f64| {
        Line::new(name, epochs.iter().map(|epoch| (epoch.epoch as f64, of(epoch))))
    };
    let dashed = match best.epoch == last.epoch {
        true => String::new(),
        false => format!(
            " The vertical line marks the best {} on the {part} rows, {}, after epoch {}.",
            job.trainer.monitor,
            short(unit * best.monitored),
            best.epoch
        ),
    };
    let scale = if matches!(job.predictions, Predictions::Number { .. }) {
        " of the standardized targets"
    } else {
        ""
    };
    let from_to = |of: &dyn Fn(&Epoch) -> f64| format!("from {} to {}", short(of(first)), short(of(last)));

    let losses = epochs
        .iter()
        .flat_map(|epoch| [epoch.train.loss, epoch.held_out().loss])
        .filter(|loss| loss.is_finite());
    let (least, most) = losses
        .fold((f64::INFINITY, 0.0), |(least, most): (f64, f64), loss| (least.min(loss), most.max(loss)));
    let loss = chart("Loss".to_string()).y_label(format!("{}{scale}", job.trainer.objective));
    let wide = least > 0.0 && most > 30.0 * least; // below a tenth, a plain axis shows nothing
    let loss = if wide { loss.log_y() } else { loss.include_y(0.0) };
    let caption = format!(
        "The loss that the training minimizes. It went {} on the training rows and {} on the {part} rows.{dashed} {}",
        from_to(&|epoch| epoch.train.loss),
        from_to(&|epoch| epoch.held_out().loss),
        why_it_ended(job, last, ended)
    );
    let mut pictures = vec![Picture {
        name: "loss.svg".into(),
        svg: loss
            .line(line("training", &|e| e.train.loss))
            .line(line(part, &|e| e.held_out().loss))
            .alt(&caption)
            .to_svg(),
        caption,
    }];

    let (name, title, what) = match job.predictions {
        Predictions::Classes(_) => {
            ("accuracy", "Accuracy", "The fraction of rows whose predicted class is right")
        }
        Predictions::Masks(_) => {
            ("accuracy", "Accuracy", "The fraction of pixels whose predicted class is right")
        }
        Predictions::Number { .. } => (
            "r2",
            "R²",
            "The fraction of the variance that is explained: 1 for perfect predictions, 0 for always predicting the mean of these rows",
        ),
    };
    let classes = !matches!(job.predictions, Predictions::Number { .. });
    let share = |share: f64| if classes { percent(share) } else { short(share) };
    let caption = format!(
        "{what}. At the end it is {} on the training rows and {} on the {part} rows.",
        share(last.train.score()),
        share(last.held_out().score())
    );
    let accuracy = chart(title.to_string()).include_y(1.0);
    let accuracy = if classes { accuracy.percent_y() } else { accuracy };
    pictures.push(Picture {
        name: format!("{name}.svg"),
        svg: accuracy
            .line(line("training", &|e| e.train.score()))
            .line(line(part, &|e| e.held_out().score()))
            .alt(&caption)
            .to_svg(),
        caption,
    });

    if let Monitor::Metric(metric) = job.trainer.monitor
        && metric.to_string() != name
    {
        let caption = format!(
            "The monitored metric, which determines the best epoch. It went {} on the {part} rows.",
            from_to(&|epoch| unit * epoch.monitored)
        );
        pictures.push(Picture {
            name: format!("{metric}.svg"),
            svg: chart(metric.to_string()).line(line(part, &|e| unit * e.monitored)).alt(&caption).to_svg(),
            caption,
        });
    }
    if job.trainer.schedule != Schedule::Constant {
        let caption = format!(
            "The learning rate at the end of each epoch, by the schedule `{}`.",
            job.trainer.schedule
        );
        pictures.push(Picture {
            name: "learning_rate.svg".into(),
            svg: Chart::new("Learning rate")
                .x_label("epoch")
                .line(line("", &|e| e.learning_rate))
                .alt(&caption)
                .to_svg(),
            caption,
        });
    }
    pictures
}

fn why_it_ended(job: &Job, last: &Epoch, ended: Ended) -> String {
    let patience = job.trainer.stop.map_or(0, |stop| stop.patience);
    let why = match ended {
        Ended::Finished => "all epochs were completed".to_string(),
        Ended::Early => format!("the {} had not improved for {patience} epochs", job.trainer.monitor),
        Ended::Interrupted => "it was interrupted".to_string(),
    };
    format!("Training ended after epoch {}: {why}.", last.epoch)
}

fn judged(job: &Job) -> Result<Judged, RunError> {
    let (part, test) = job.parts.evaluated();
    match &job.predictions {
        Predictions::Masks(names) => {
            let (labels, said) = (labels(test), predicted(job, test));
            let table = ConfusionTable::new(&labels, &said, names)?;
            Ok(Judged {
                pictures: Vec::from_iter(masks::pictures(job, part, test)),
                tables: vec![
                    ("Dice and intersection over union of each class", overlap_table(&labels, &said, names)?),
                    ("The confusion matrix of the pixels", table.to_string()),
                ],
            })
        }
        Predictions::Classes(names) => {
            let said = predicted(job, test);
            let table = ConfusionTable::new(test.labels(), &said, names)?;
            let report = ClassificationReport::new(test.labels(), &said, names)?;
            let confusion = (names.len() <= CLASSES).then(|| confusion(&table));
            Ok(Judged {
                pictures: Vec::from_iter(confusion.into_iter().chain(boundary(job, names))),
                tables: vec![
                    ("Precision and recall of each class", report.to_string()),
                    ("The confusion matrix as a table", table.to_string()),
                ],
            })
        }
        Predictions::Number { name, .. } => {
            let said = numbers(job, test);
            Ok(Judged { pictures: vec![scatter(name, test.values(), &said)], tables: Vec::new() })
        }
    }
}

fn confusion(table: &ConfusionTable) -> Picture {
    let names = &table.class_names;
    let classes = names.len();
    let worst = (0..classes)
        .flat_map(|row| (0..classes).map(move |column| (row, column)))
        .filter(|(row, column)| row != column)
        .fold(None, |worst: Option<(usize, usize)>, at| match worst {
            Some(worst) if table.counts[worst] >= table.counts[at] => Some(worst),
            _ => Some(at),
        })
        .filter(|&at| table.counts[at] > 0);
    let caption = match worst {
        None => "Every row is on the diagonal: no prediction is wrong.".to_string(),
        Some(at) => format!(
            "The number of rows by true and predicted class; correct predictions are on the diagonal. The most frequent mistake: \
             \"{}\" predicted as \"{}\", {}.",
            names[at.0],
            names[at.1],
            if table.counts[at] == 1 { "once".to_string() } else { format!("{} times", table.counts[at]) }
        ),
    };
    let map = HeatMap::new("Confusion matrix")
        .x_label("predicted class")
        .y_label("true class")
        .value_label("rows")
        .columns(names.iter().map(String::as_str))
        .rows(names.iter().map(String::as_str))
        .values(
            table.counts.rows().into_iter().map(|row| Vec::from_iter(row.iter().map(|&count| count as f64))),
        )
        .alt(&caption);
    Picture { name: "confusion.svg".into(), svg: map.to_svg(), caption }
}

/// What the net predicts over the plane of its two inputs, and the training rows; none for other nets, and for more classes than there
/// are colors.
fn boundary(job: &Job, names: &[String]) -> Option<Picture> {
    let [EncodedColumn { name: of_x, encoding: x }, EncodedColumn { name: of_y, encoding: y }] =
        &job.encoder.columns[..]
    else {
        return None;
    };
    let (Encoding::Number { offset: x0, scale: dx, .. }, Encoding::Number { offset: y0, scale: dy, .. }) =
        (x, y)
    else {
        return None;
    };
    if names.len() > COLORS {
        return None;
    }
    let train = &job.parts.train;
    // a little beyond the outermost rows; a column of one value has a place too
    let [x, y] = [0, 1].map(|column| {
        let values = train.features.column(column);
        let (low, high) =
            values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
        let margin = if high > low { MARGIN * (high - low) } else { 1.0 };
        (low - margin, high + margin)
    });
    let middle = |(low, high): (f64, f64), i: usize, cells: usize| {
        low + (high - low) * (i as f64 + 0.5) / cells as f64
    };
    let (columns, rows) = CELLS;
    let inputs = Array2::from_shape_fn((columns * rows, 2), |(cell, input)| match input {
        0 => middle(x, cell % columns, columns) as f32,
        _ => middle(y, cell / columns, rows) as f32,
    });
    let probabilities =
        said(job.trainer.objective, &job.predictions, outputs(&job.model, &job.params, inputs.view()).view());
    let chance = 1.0 / names.len() as f64;
    let cell = |row: ArrayView1<f64>| {
        let class = highest(&row.to_vec());
        (class, (row[class] - chance) / (1.0 - chance))
    };
    let cells = Vec::from_iter(probabilities.rows().into_iter().map(cell));
    let [of_data_x, of_data_y] =
        [(x0, dx), (y0, dy)].map(|(offset, scale)| move |value: f64| offset + scale * value);
    let ends = |(low, high): (f64, f64), of_data: &dyn Fn(f64) -> f64| (of_data(low), of_data(high));
    let cells =
        Cells::new(ends(x, &of_data_x), ends(y, &of_data_y), cells.chunks(columns).map(|row| row.to_vec()));
    let every = train.rows().div_ceil(POINTS);
    let some = if every > 1 { format!(" Every {every}th row is shown.") } else { String::new() };
    let caption = format!(
        "Each point is a training row in the color of its class. The background has the color of the predicted class, and is the \
         stronger the higher its probability is.{some}"
    );
    let chart = Chart::new("Decision boundary").x_label(of_x).y_label(of_y).cells(cells).alt(&caption);
    let points = |class: usize| {
        let rows = (0..train.rows()).step_by(every).filter(move |&row| train.labels()[row] == class);
        rows.map(|row| (of_data_x(train.features[[row, 0]]), of_data_y(train.features[[row, 1]])))
    };
    let chart = names
        .iter()
        .enumerate()
        .fold(chart, |chart, (class, name)| chart.points(Points::new(name, points(class)).color(class)));
    Some(Picture { name: "boundary.svg".into(), svg: chart.to_svg(), caption })
}

fn scatter(name: &str, targets: &[f64], said: &[f64]) -> Picture {
    let every = targets.len().div_ceil(POINTS);
    let points = targets.iter().copied().zip(said.iter().copied()).step_by(every);
    let range = targets
        .iter()
        .chain(said)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
    let farthest = (0..targets.len()).fold(0, |worst, row| {
        let off = |row: usize| (targets[row] - said[row]).abs();
        if off(row) > off(worst) { row } else { worst }
    });
    let some = if every > 1 { format!(" Every {every}th row is shown.") } else { String::new() };
    let caption = format!(
        "One point for each row; on the dashed line the prediction equals the target. The largest error: {} was predicted where {} is true.{some}",
        short(said[farthest]),
        short(targets[farthest])
    );
    let chart = Chart::new(format!("Predicted {name}"))
        .x_label("true")
        .y_label("predicted")
        .line(
            Line::new("", [(range.0, range.0), (range.1, range.1)])
                .color(4)
                .faint()
                .style(surprisal_report::chart::Style::Dashed),
        )
        .points(Points::new("", points).color(0))
        .alt(&caption);
    Picture { name: "predicted.svg".into(), svg: chart.to_svg(), caption }
}

fn page(
    job: &Job,
    history: &History,
    ended: Ended,
    scores: &[(&'static str, Scores)],
    curves: &[Picture],
    judged: &Judged,
    chosen: Option<ChosenThreshold>,
) -> Page {
    let name = &job.parts.train.name;
    let mut page = Page::new(format!("Trained on {name}")).lead(&lead(job).replace(" %", "\u{a0}%"));
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
    for finding in diagnose(job, history) {
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
fn lead(job: &Job) -> String {
    let (train, (part, test)) = (&job.parts.train, job.parts.evaluated());
    let rows = match part {
        "train" => "these rows".to_string(),
        part => format!("{} {part} rows", test.rows()),
    };
    match &job.predictions {
        Predictions::Classes(names) => {
            let said = predicted(job, test);
            let most = commonest_class(train);
            format!(
                "A net that predicts one of {} classes, trained on {} rows. On {rows}, *{}* of its predictions are \
                 right; always predicting \"{}\", the most frequent class, would be right on {}.",
                names.len(),
                train.rows(),
                percent(share(test, |row| said[row] == test.labels()[row])),
                names[most],
                percent(share(test, |row| test.labels()[row] == most))
            )
        }
        Predictions::Masks(names) => {
            let (labels, said) = (labels(test), predicted(job, test));
            let right = labels.iter().zip(&said).filter(|(label, said)| label == said).count();
            let dice = dice_score(&labels, &said, names.len()).map_or("—".into(), short);
            let most = commonest_class(train);
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
            let [mean, _] = mean_and_deviation(train.values());
            let said = numbers(job, test);
            let off = |said: &dyn Fn(usize) -> f64| {
                (0..test.rows()).map(|row| (test.values()[row] - said(row)).abs()).sum::<f64>()
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
    let parts = &job.parts;
    let rows = |data: &Dataset, part: &str| match data.rows() {
        1 => format!("1 {part} row"),
        rows => format!("{rows} {part} rows"),
    };
    let mut text = format!("*{}* has {}", parts.train.name, rows(&parts.train, "training"));
    if let Some(validation) = &parts.validation {
        text += &format!(", {}", rows(validation, "validation"));
    }
    text += &match parts.test.rows() {
        0 => "; there are no test rows.".to_string(),
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
            let (counts, masks) = (parts.train.class_counts(), parts.train.targets.is_segmentation());
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
            let [mean, deviation] = mean_and_deviation(job.parts.train.values());
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
    saved
        + match job.parts.test.rows() {
            0 => {
                "*There are no test rows: this run cannot estimate how good the net is on new rows.* Use cross-validation with the same \
                 settings, or a test set, for that."
            }
            _ => {
                "The test rows were used neither for training nor to choose the epoch, so similar scores can be expected on new rows of the \
                 same kind."
            }
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
    let (name, guess): (String, Box<dyn Fn(Metric) -> Option<f64>>) = match &job.predictions {
        Predictions::Classes(names) | Predictions::Masks(names) => {
            let counts = train.class_counts();
            let all = counts.iter().sum::<usize>() as f64;
            let shares = Vec::from_iter(counts.into_iter().map(|count| count as f64 / all));
            let labels = labels(test).into_owned();
            let said = Array2::from_shape_fn((labels.len(), names.len()), |(_, class)| shares[class]);
            (
                format!("always \"{}\"", names[commonest_class(train)]),
                Box::new(move |metric| metric.of_classes(&labels, said.view()).ok()),
            )
        }
        Predictions::Number { .. } => {
            let [mean, _] = mean_and_deviation(train.values());
            let (said, values) = (vec![mean; test.rows()], test.values().to_vec());
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
            "The net and a baseline that ignores the features, on the {part} rows; then the net on the other rows."
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
