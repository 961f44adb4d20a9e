//! Does saturation stop squared error at scale? Nielsen's network on MNIST, with two initializations.

use std::path::PathBuf;

use surprisal_data::{Dataset, argmax_rows};
use surprisal_layers::{Activation, Init, Layer, Mlp, Sizes, rng};
use surprisal_optim::Sgd;
use surprisal_tensor::ndarray::{ArcArray2, Axis, Ix2};
use surprisal_tensor::{Params, Workspace};

use crate::gallery::{
    Arm, Expected, Experiment, Finding, Head, Knob, Lab, LabError, Record, Report, Seeds, Text, Training,
    fan, fan_of_shares,
};
use surprisal_report::Table;
use surprisal_report::chart::{Chart, Line};
use surprisal_report::statistics::{Estimate, highest, mean, minus};

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "mnist-stall",
    text: Text::new(include_str!("mnist_stall.md")),
    minutes: 0.9,
    seeds: Some(Seeds { first: 1, usual: 6, quick: 6 }),
    knobs: &[
        Knob::positives("rates", "0.5,1,3", "the learning rates, for both losses").quick("3"),
        Knob::count("hidden", "100", "units in the hidden layer"),
        Knob::count("images", "50000", "number of training images").quick("3000"),
        Knob::count("tests", "10000", "number of test images").quick("2000"),
        Knob::count("epochs", "5", "passes over the images").quick("3"),
        Knob::count("batch", "10", "images in a step"),
        Knob::share("stalled", "0.93", "the largest accuracy of a stalled network").quick("0.7"),
    ],
    run,
};

/// The initializers of the weights; biases are drawn from N(0, 1) under both.
const STARTS: [(&str, Init); 2] =
    [("N(0, 1)", Init::Normal(1.0)), ("N(0, 1)/√n", Init::NormalOverSqrtInputs)];
struct Data {
    train: (ArcArray2<f32>, Vec<usize>),
    test: (ArcArray2<f32>, Vec<usize>),
}

#[derive(Clone, Copy)]
struct Job {
    start: usize,
    arm: usize,
    loss: Head,
    rate: f64,
    seed: u64,
}

fn run(lab: &Lab) -> Result<Report, LabError> {
    run_on(lab, &mnist(lab)?)
}

fn run_on(lab: &Lab, data: &Data) -> Result<Report, LabError> {
    let losses = if lab.broken {
        [Head::SigmoidSquared; 2]
    } else {
        [Head::SigmoidCrossEntropy, Head::SigmoidSquared]
    };
    let rates = lab.numbers("rates");
    let mut jobs = vec![];
    for start in 0..2 {
        for (arm, &loss) in losses.iter().enumerate() {
            for &rate in rates {
                jobs.extend(lab.seeds.iter().map(|&seed| Job { start, arm, loss, rate, seed }));
            }
        }
    }
    let label = |job: &Job| {
        let arm = format!("{} {}", ["first", "second"][job.arm], job.loss.name());
        [
            ("start", STARTS[job.start].0.into()),
            ("loss", arm),
            ("rate", job.rate.to_string()),
            ("seed", job.seed.to_string()),
        ]
    };
    let runs = lab.runs("networks on MNIST", &jobs, label, |job| train(lab, data, *job))?;

    // ---- measure
    let seeds = lab.seeds.len();
    let records = |start: usize, arm: usize, rate: usize| {
        runs[((start * 2 + arm) * rates.len() + rate) * seeds..][..seeds]
            .iter()
            .map(|[trajectory, _]| trajectory)
            .collect::<Vec<_>>()
    };
    let ends =
        |start, arm, rate| records(start, arm, rate).iter().map(|r| r.last("accuracy")).collect::<Vec<f64>>();
    let best =
        |start, arm| highest(&(0..rates.len()).map(|rate| mean(&ends(start, arm, rate))).collect::<Vec<_>>());
    let percent = |values: &[f64]| Estimate::of(values).percent();

    // ---- verdict
    let [ce, squared] = [0, 1].map(|arm| best(0, arm));
    let [ce_ends, squared_ends] = [ends(0, 0, ce), ends(0, 1, squared)];
    let gap = minus(&ce_ends, &squared_ends);
    let [other_ce, other_squared] = [0, 1].map(|arm| ends(1, arm, best(1, arm)));
    let other_gap = minus(&other_ce, &other_squared);
    let mut report = Report::new().captioned(
        lab,
        "accuracy",
        accuracy_chart(
            lab,
            losses,
            [0, 1].map(|arm| records(0, arm, best(0, arm))),
            [ce, squared].map(|rate| rates[rate]),
            0,
        )
        .to_svg(),
    );
    for (i, rate) in rates.iter().enumerate() {
        let (a, b) = (ends(0, 0, i), ends(0, 1, i));
        report = report.finding(
            Finding::seeds(
                format!("From N(0, 1), both at rate {rate}"),
                "test accuracy, cross-entropy minus squared error",
                &minus(&a, &b),
            )
            .above(0.0)
            .sentence(format!("{} against {}.", percent(&a), percent(&b))),
        );
    }
    let dearth = |arm: usize, rate: usize| {
        mean(&records(0, arm, rate).iter().map(|r| r.last("digits_never_said")).collect::<Vec<_>>())
    };
    report = report
        .finding(
            Finding::seeds(
                "From N(0, 1), each at its own best rate",
                "test accuracy, cross-entropy minus squared error",
                &gap,
            )
            .above(0.0)
            .sentence(lab.text_with(
                "finding: best rate",
                &[
                    ("entropy", &percent(&ce_ends)),
                    ("entropy_rate", &rates[ce]),
                    ("squared", &percent(&squared_ends)),
                    ("squared_rate", &rates[squared]),
                    ("squared_missing", &format!("{:.1}", dearth(1, squared))),
                    ("entropy_missing", &format!("{:.1}", dearth(0, ce))),
                ],
            )),
        )
        .finding({
            let line = lab.number("stalled");
            Finding::seeds(
                "From N(0, 1), each at its own best rate",
                "test accuracy under squared error",
                &squared_ends,
            )
            .expect(Expected::AtMost(line))
            .and("test accuracy under cross-entropy", Estimate::of(&ce_ends), Expected::AtLeast(line))
            .sentence(lab.text_with("finding: stalled", &[("line", &(100.0 * line))]))
        })
        .finding(
            Finding::seeds(
                "The two initializations, each loss at its best rate",
                "how much larger the gap is from N(0, 1) than from N(0, 1)/√n",
                &minus(&gap, &other_gap),
            )
            .above(0.0)
            .sentence(lab.text_with(
                "finding: other start",
                &[("entropy", &percent(&other_ce)), ("squared", &percent(&other_squared))],
            )),
        );
    Ok(report
        .section("Why")
        .captioned(lab, "scores", scores_chart(lab, &runs, seeds * rates.len() * 2).to_svg())
        .captioned(
            lab,
            "digits",
            digits_chart(lab, losses, [0, 1].map(|arm| records(0, arm, best(0, arm)))).to_svg(),
        )
        .section("The other initialization")
        .captioned(
            lab,
            "other-start",
            accuracy_chart(
                lab,
                losses,
                [0, 1].map(|arm| records(1, arm, best(1, arm))),
                [0, 1].map(|arm| rates[best(1, arm)]),
                1,
            )
            .to_svg(),
        )
        .table(Table::new(
            format!(
                "Test accuracy after {} epochs: mean and 95 % interval over {seeds} seeds",
                lab.count("epochs")
            ),
            2,
            ["initial weights", "loss", "rate", "accuracy", "lowest", "highest"],
            (0..2)
                .flat_map(|start| {
                    (0..2).flat_map(move |arm| (0..rates.len()).map(move |rate| (start, arm, rate)))
                })
                .map(|(start, arm, rate)| {
                    let ends = ends(start, arm, rate);
                    let extreme = |f: fn(f64, f64) -> f64| {
                        format!("{:.1} %", 100.0 * ends.iter().copied().reduce(f).unwrap_or(f64::NAN))
                    };
                    vec![
                        STARTS[start].0.into(),
                        losses[arm].to_string(),
                        rates[rate].to_string(),
                        percent(&ends),
                        extreme(f64::min),
                        extreme(f64::max),
                    ]
                }),
        )))
}

/// The images, with pixels divided by 256 as in `network2`.
fn mnist(lab: &Lab) -> Result<Data, LabError> {
    let Some(folder) = std::env::var_os("SURPRISAL_MNIST").map(PathBuf::from) else {
        return Err(LabError::Absent(
            "MNIST is too large to include: set SURPRISAL_MNIST to the folder with its four IDX files, packed or not".into(),
        ));
    };
    let (train, test) = Dataset::mnist(folder)?;
    let part = |data: Dataset, key: &str| {
        let count = lab.count(key);
        if count > data.rows() {
            return Err(LabError::Usage(format!(
                "{key}: {count} images, but there are only {}",
                data.rows()
            )));
        }
        let pixels = data.features.view().split_at(Axis(0), count).0.mapv(|pixel| pixel as f32 / 256.0);
        Ok((pixels.into_shared(), data.labels()[..count].to_vec()))
    };
    let data = Data { train: part(train, "images")?, test: part(test, "tests")? };
    lab.batch_of(data.train.1.len()).map(|_| data)
}

/// A trajectory, and the histogram of the scores before training.
fn train(lab: &Lab, data: &Data, Job { start, loss, rate, seed, .. }: Job) -> [Record; 2] {
    let (mut params, mut rng) = (Params::new(), rng(seed));
    let (train, labels) = &data.train;
    let sizes = Sizes::new(&[train.ncols(), lab.count("hidden"), 10]).expect("counts are not 0");
    let model = Mlp::with_init(
        &mut params,
        &sizes,
        Activation::Sigmoid,
        STARTS[start].1,
        Init::Normal(1.0),
        &mut rng,
    );
    let training = Training { epochs: lab.count("epochs"), rows: labels.len(), batch: lab.count("batch") };
    let mut trajectory = Record::new("trajectory", &["epoch", "accuracy", "digits_never_said"]);
    let mut spread = Record::new("scores_at_the_start", &["score", "share"]);
    let mut workspace = Workspace::new();
    training.run(
        &mut params,
        &mut Sgd::new(rate),
        &mut rng,
        |tape, rows| {
            let y = tape.input_with([rows.len(), 10], |i| f64::from(labels[rows[i / 10]] == i % 10));
            loss.loss(model.forward(tape.rows(train, rows)), y)
        },
        |epoch, params| {
            let logits = workspace.eval(params, |tape| model.forward(tape.shared(&data.test.0)));
            let logits = logits.into_dimensionality::<Ix2>().expect("logits are [rows, 10]");
            if epoch == 0 {
                histogram(logits.iter().map(|&z| f64::from(z)), &mut spread);
            }
            let predicted = argmax_rows(&logits);
            let right = predicted.iter().zip(&data.test.1).filter(|(class, label)| class == label).count();
            let never = (0..10).filter(|digit| !predicted.contains(digit)).count();
            trajectory.push([epoch as f64, right as f64 / predicted.len() as f64, never as f64]);
            true
        },
    );
    [trajectory, spread]
}

/// The fraction of scores in each cell of width 1 from -40 to 40.
fn histogram(scores: impl Iterator<Item = f64>, into: &mut Record) {
    let (mut cells, mut all) = ([0.0; 81], 0.0);
    for score in scores {
        cells[(score.round().clamp(-40.0, 40.0) + 40.0) as usize] += 1.0;
        all += 1.0;
    }
    cells.iter().enumerate().for_each(|(i, count)| into.push([i as f64 - 40.0, count / all]));
}

// ---- charts

fn arms<'a>(losses: [Head; 2], records: [Vec<&'a Record>; 2]) -> Vec<Arm<'a>> {
    losses.iter().zip(records).map(|(loss, records)| Arm { name: loss.to_string(), records }).collect()
}

fn accuracy_chart(
    lab: &Lab,
    losses: [Head; 2],
    records: [Vec<&Record>; 2],
    rates: [f64; 2],
    start: usize,
) -> Chart {
    let ends = records.each_ref().map(|records| {
        Estimate::of(&records.iter().map(|r| r.last("accuracy")).collect::<Vec<_>>()).percent()
    });
    let chart = Chart::new("Accuracy on unseen digits")
        .subtitle(format!(
            "784-{}-10, initial weights {}, rates {} ({}) and {} ({})",
            lab.count("hidden"),
            STARTS[start].0,
            rates[0],
            losses[0],
            rates[1],
            losses[1]
        ))
        .x_label("epoch")
        .y_label("test accuracy")
        .percent_y()
        .include_y(0.0)
        .include_y(1.0)
        .alt(lab.text_with(
            "alt: accuracy",
            &[
                ("start", &STARTS[start].0),
                ("entropy", &losses[0]),
                ("entropy_ends", &ends[0]),
                ("squared", &losses[1]),
                ("squared_ends", &ends[1]),
            ],
        ));
    fan_of_shares(chart, &arms(losses, records), "epoch", "accuracy")
}

fn digits_chart(lab: &Lab, losses: [Head; 2], records: [Vec<&Record>; 2]) -> Chart {
    let chart = Chart::new("Digits that are never predicted")
        .subtitle(format!("784-{}-10 from N(0, 1), each loss at its own best rate", lab.count("hidden")))
        .x_label("epoch")
        .y_label("number of the ten digits")
        .include_y(0.0)
        .alt(lab.text("alt: digits"));
    fan(chart, &arms(losses, records), "epoch", "digits_never_said")
}

/// The scores of the first network of each initialization.
fn scores_chart(lab: &Lab, runs: &[[Record; 2]], second: usize) -> Chart {
    let chart = Chart::new("Scores of the outputs before training")
        .subtitle("one seed, all unseen images, all ten outputs")
        .x_label("score")
        .y_label("fraction of outputs")
        .percent_y();
    let line = |chart: Chart, (i, run): (usize, usize)| {
        chart.line(Line::new(STARTS[i].0, runs[run][1].points("score", "share")))
    };
    [(0, 0), (1, second)].into_iter().fold(chart, line).alt(lab.text("alt: scores"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A few made-up images, since MNIST itself may not be there.
    #[test]
    fn the_text_fits() {
        let run = |lab: &Lab| {
            let images = ArcArray2::from_shape_fn((10, 4), |(i, j)| if i % 4 == j { 1.0 } else { 0.0 });
            let part = (images, (0..10).collect());
            run_on(lab, &Data { train: part.clone(), test: part })
        };
        let text = Text::new(include_str!("mnist_stall.md"));
        let (name, minutes, knobs) = (EXPERIMENT.name, EXPERIMENT.minutes, EXPERIMENT.knobs);
        let small = Experiment { name, text, minutes, seeds: EXPERIMENT.seeds, knobs, run };
        let small: &'static Experiment = Box::leak(Box::new(small));
        let outcome = small.run(small.plan(true, false), &(), None, None).unwrap();
        assert_eq!(outcome.unused_text, [""; 0]);
    }
}
