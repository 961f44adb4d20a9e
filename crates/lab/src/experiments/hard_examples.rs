//! Does it help to train on the hardest examples of each batch, and what if some labels are wrong?

use surprisal_layers::rand::RngExt;
use surprisal_layers::{Activation, Layer, Mlp, Sizes, rng};
use surprisal_loss::topk_cross_entropy;
use surprisal_optim::Adam;
use surprisal_tensor::{Params, Workspace};

use super::encoders::{self, DIGITS, Images};
use crate::gallery::{
    Arm, Experiment, Finding, Knob, Lab, LabError, Record, Report, Seeds, Text, Training, fan_of_shares,
};
use surprisal_report::Table;
use surprisal_report::chart::Chart;
use surprisal_report::statistics::{Estimate, highest, mean, minus};

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "hard-examples",
    text: Text::new(include_str!("hard_examples.md")),
    minutes: 0.07,
    seeds: Some(Seeds { first: 1, usual: 8, quick: 4 }),
    knobs: &[
        encoders::DATA,
        Knob::count("labels", "1000", "the number of labeled images to train on"),
        Knob::count("batch", "64", "images in a step"),
        Knob::counts("k", "16,32,48", "how many of them are trained on, the hardest; at most all")
            .quick("16,32"),
        Knob::share("noise", "0.2", "the fraction of wrong training labels"),
        Knob::positive("eta", "0.003", "the learning rate of \"at the same rate\" (Adam), one of rates"),
        Knob::positives(
            "rates",
            "0.0003,0.001,0.003,0.01,0.03",
            "the rates among which each k finds its own best, on validation images",
        )
        .quick("0.003"),
        Knob::count("epochs", "40", "passes over the training images").quick("15"),
        Knob::count("hidden", "64", "units in the hidden layer"),
    ],
    run,
};

struct Job {
    wrong: usize,
    k: usize,
    rate: usize,
    seed: usize,
}

fn run(lab: &Lab) -> Result<Report, LabError> {
    let source = encoders::source(lab)?;
    let (labels, batch) = (lab.count("labels"), lab.batch_of(lab.count("labels"))?);
    let mut ks = lab.setting.counts("k");
    if let Some(k) = ks.iter().find(|k| **k > batch) {
        return Err(LabError::Usage(format!("k: {k} images of a batch, but it has only {batch}")));
    }
    ks.retain(|&k| k < batch);
    if ks.is_empty() {
        return Err(LabError::Usage(format!("k: expected a number below {batch}, all images of a batch")));
    }
    ks.push(batch);
    let all = ks.len() - 1;
    let noises = [0.0, lab.number("noise")];
    let (rates, eta, seeds) = (lab.numbers("rates"), lab.place("eta", "rates")?, lab.seeds.len());

    let images = Vec::from_iter(lab.seeds.iter().map(|&seed| source.images(seed, labels)));
    let mut jobs = vec![];
    for wrong in 0..2 {
        for k in 0..ks.len() {
            for rate in 0..rates.len() {
                jobs.extend((0..seeds).map(|seed| Job { wrong, k, rate, seed }));
            }
        }
    }
    let label = |job: &Job| {
        [
            ("wrong_labels", noises[job.wrong].to_string()),
            ("k", ks[job.k].to_string()),
            ("rate", rates[job.rate].to_string()),
            ("seed", lab.seeds[job.seed].to_string()),
        ]
    };
    let runs = lab.runs("nets", &jobs, label, |job| {
        let k = if lab.broken { batch } else { ks[job.k] }; // broken: all images of a batch
        [learn(lab, k, noises[job.wrong], rates[job.rate], &images[job.seed], lab.seeds[job.seed])]
    })?;

    // ---- measure
    let of = |wrong: usize, k: usize, rate: usize| {
        let first = ((wrong * ks.len() + k) * rates.len() + rate) * seeds;
        runs[first..][..seeds].iter().map(|[run]| run).collect::<Vec<&Record>>()
    };
    let ends = |wrong: usize, k: usize, rate: usize, name: &str| {
        of(wrong, k, rate).iter().map(|run| run.last(name)).collect::<Vec<f64>>()
    };
    let best = |wrong: usize, k: usize| {
        highest(&Vec::from_iter((0..rates.len()).map(|rate| mean(&ends(wrong, k, rate, "validation")))))
    };

    // ---- verdict
    let mut report = Report::new();
    for (wrong, name) in [(1, "wrong"), (0, "clean")] {
        let arms = Vec::from_iter((0..ks.len()).map(|k| Arm {
            name: if k == all { format!("all {batch}") } else { format!("the hardest {}", ks[k]) },
            records: of(wrong, k, best(wrong, k)),
        }));
        let told = Vec::from_iter(arms.iter().map(|arm| {
            let ends = Vec::from_iter(arm.records.iter().map(|run| run.last("accuracy")));
            format!("{} {:.1} %", arm.name, 100.0 * mean(&ends))
        }));
        let title = match wrong {
            0 => "Clean labels".to_string(),
            _ => format!("{} % wrong training labels", 100.0 * noises[1]),
        };
        let chart = Chart::new(title)
            .subtitle(format!(
                "{}-{}-10, batches of {batch}, each k at its own best rate",
                images[0].train.x.ncols(),
                lab.count("hidden")
            ))
            .x_label("epoch")
            .y_label("test accuracy")
            .percent_y()
            .alt(lab.text_with("alt: accuracy", &[("labels", &name), ("ends", &told.join(", "))]));
        report = report.captioned(
            lab,
            &format!("{name}-labels"),
            fan_of_shares(chart, &arms, "epoch", "accuracy").to_svg(),
        );
    }
    for wrong in 0..2 {
        let labels =
            if wrong == 0 { "Clean labels".into() } else { format!("{} % wrong labels", 100.0 * noises[1]) };
        for tuned in [false, true] {
            for k in 0..all {
                let rate = |k: usize| if tuned { best(wrong, k) } else { eta };
                let condition = match tuned {
                    true => format!(
                        "{labels}, each at its own best rate ({} and {})",
                        rates[rate(k)],
                        rates[rate(all)]
                    ),
                    false => format!("{labels}, at the same rate {}", rates[eta]),
                };
                let [hard, every] = [k, all].map(|k| ends(wrong, k, rate(k), "accuracy"));
                let memorized = [k, all].map(|k| mean(&ends(wrong, k, rate(k), "memorized")));
                let mut sentence =
                    format!("{} and {}.", Estimate::of(&hard).percent(), Estimate::of(&every).percent());
                if wrong == 1 {
                    let [a, b] = memorized.map(|share| format!("{:.0} %", 100.0 * share));
                    sentence +=
                        &format!(" {}", lab.text_with("finding: memorized", &[("hard", &a), ("all", &b)]));
                }
                let finding = Finding::seeds(
                    condition,
                    format!("test accuracy, the hardest {} of {batch} minus all", ks[k]),
                    &minus(&hard, &every),
                );
                let finding = if wrong == 0 { finding.above(0.0) } else { finding.below(0.0) };
                report = report.finding(finding.sentence(sentence));
            }
        }
    }
    let row = |(wrong, k, rate): (usize, usize, usize)| {
        let percent = |column| Estimate::of(&ends(wrong, k, rate, column)).percent();
        vec![
            format!("{} %", 100.0 * noises[wrong]),
            ks[k].to_string(),
            rates[rate].to_string(),
            percent("validation"),
            percent("accuracy"),
            if wrong == 0 { "none".into() } else { percent("memorized") },
        ]
    };
    let (count, last) = (ks.len(), rates.len());
    let every = (0..2).flat_map(|wrong| (0..count).map(move |k| (wrong, k)));
    Ok(report.table(Table::new(
        format!("After {} epochs: means and 95 % intervals over {seeds} seeds", lab.count("epochs")),
        3,
        ["wrong labels", "k", "rate", "validation", "test", "wrong labels learned"],
        every.flat_map(|(wrong, k)| (0..last).map(move |rate| (wrong, k, rate))).map(row),
    )))
}

/// Trains a net on the k hardest images of each batch. Returns the accuracies after every epoch, and the share of the wrong labels that it
/// predicts.
fn learn(lab: &Lab, k: usize, noise: f64, rate: f64, images: &Images, seed: u64) -> Record {
    let (mut params, mut rng) = (Params::new(), rng(seed));
    let mut train = images.train.clone();
    let rows = train.labels.len();
    let wrong = (noise * rows as f64).round() as usize;
    // rows are ten digits in turn, in random order of their images: every digit has as many wrong labels
    for label in &mut train.labels[..wrong] {
        *label = (*label + rng.random_range(1..DIGITS)) % DIGITS;
    }
    let corrupted = train.first(wrong.max(1));
    let sizes = Sizes::new(&[train.x.ncols(), lab.count("hidden"), DIGITS]).expect("counts are not 0");
    let model = Mlp::new(&mut params, &sizes, Activation::Relu, &mut rng);
    let (batch, mut workspace) = (lab.count("batch"), Workspace::new());
    let mut trajectory = Record::new("trajectory", &["epoch", "accuracy", "validation", "memorized"]);
    Training { epochs: lab.count("epochs"), rows, batch }.run(
        &mut params,
        &mut Adam::new(rate),
        &mut rng,
        |tape, rows| {
            let labels = Vec::from_iter(rows.iter().map(|&row| train.labels[row]));
            let k = (k * rows.len()).div_ceil(batch); // of the last batch, the same share
            topk_cross_entropy(model.forward(tape.rows(&train.x, rows)), &labels, k)
        },
        |epoch, params| {
            let [accuracy, validation, memorized] = [&images.test, &images.valid, &corrupted]
                .map(|part| part.accuracy(part.logits(&mut workspace, params, &model).view()));
            trajectory.push([
                epoch as f64,
                accuracy,
                validation,
                if wrong == 0 { f64::NAN } else { memorized },
            ]);
            true
        },
    );
    trajectory
}
