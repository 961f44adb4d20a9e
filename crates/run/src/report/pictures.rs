//! The pictures of a run: curves of the training, and how the net does on the test rows.

use surprisal_data::metrics::{ClassificationReport, ConfusionTable};
use surprisal_data::{EncodedColumn, Encoding};
use surprisal_optim::Schedule;
use surprisal_report::chart::{Cells, Chart, HeatMap, Line, Points};
use surprisal_report::statistics::highest;
use surprisal_tensor::ndarray::{Array2, ArrayView1};
use surprisal_train::{Ended, Epoch, Monitor, Predictions, outputs};

use super::{CLASSES, masks, overlap_table};
use crate::diagnosis::{numbers, percent, predicted, short};
use crate::job::{labels, said, unit};
use crate::{Job, Outputs, RunError};

/// More points than this only cover each other.
const POINTS: usize = 2000;

/// The colors of a chart.
const COLORS: usize = 5;
/// The cells of a decision boundary, across and up.
const CELLS: (usize, usize) = (96, 48);
/// How far it goes beyond the outermost rows, as a share of their range.
const MARGIN: f64 = 0.05;

/// A picture, its file and its caption.
pub(super) struct Picture {
    pub name: String,
    pub svg: String,
    pub caption: String,
}

/// How the net does on the test rows.
pub(super) struct Judged {
    pub pictures: Vec<Picture>,
    pub tables: Vec<(&'static str, String)>, // a summary, and what it unfolds to
}

/// The epoch with the best monitored metric: the first, if there are several.
pub(super) fn best<'h>(job: &Job, epochs: &'h [Epoch]) -> &'h Epoch {
    let larger = job.trainer.monitor.larger_is_better();
    epochs.iter().fold(&epochs[0], |best, epoch| {
        let better = if larger { epoch.monitored > best.monitored } else { epoch.monitored < best.monitored };
        if better || best.monitored.is_nan() && !epoch.monitored.is_nan() { epoch } else { best }
    })
}

pub(super) fn curves(job: &Job, epochs: &[Epoch], ended: Ended) -> Vec<Picture> {
    let (part, _) = job.parts.monitored();
    let (first, last, best) = (&epochs[0], &epochs[epochs.len() - 1], best(job, epochs));
    let unit = match job.trainer.monitor {
        Monitor::Loss => 1.0,
        Monitor::Metric(metric) => unit(metric, &job.predictions),
    };
    let rows = job.predictions.rows();
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
            " The vertical line marks the best {} on the {part} {rows}, {}, after epoch {}.",
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
        "The loss that the training minimizes. It went {} on the training {rows} and {} on the {part} {rows}.{dashed} {}",
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
        "{what}. At the end it is {} on the training {rows} and {} on the {part} {rows}.",
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
            "The monitored metric, which determines the best epoch. It went {} on the {part} {rows}.",
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

pub(super) fn judged(job: &Job, outputs: &Outputs) -> Result<Judged, RunError> {
    let (part, test) = job.parts.evaluated();
    let outputs = outputs.of(part);
    match &job.predictions {
        Predictions::Masks(names) => {
            let (labels, said) = (labels(&test.targets), predicted(job, outputs));
            let table = ConfusionTable::new(&labels, &said, names)?;
            Ok(Judged {
                pictures: Vec::from_iter(masks::pictures(job, (part, test, outputs))),
                tables: vec![
                    ("Dice and intersection over union of each class", overlap_table(&labels, &said, names)?),
                    ("The confusion matrix of the pixels", table.to_string()),
                ],
            })
        }
        Predictions::Classes(names) => {
            let said = predicted(job, outputs);
            let table = ConfusionTable::new(test.targets.labels(), &said, names)?;
            let report = ClassificationReport::new(test.targets.labels(), &said, names)?;
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
            let said = numbers(job, outputs);
            Ok(Judged { pictures: vec![scatter(name, test.targets.values(), &said)], tables: Vec::new() })
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
    let columns_of_data = [0, 1].map(|column| train.column(column));
    let [x, y] = columns_of_data.each_ref().map(|values| {
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
        let rows = (0..train.rows()).step_by(every).filter(move |&row| train.targets.labels()[row] == class);
        rows.map(|row| (of_data_x(columns_of_data[0][row]), of_data_y(columns_of_data[1][row])))
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
