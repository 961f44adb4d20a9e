//! Does squared error memorize wrong labels more slowly, and does early stopping make up for it? Digits with wrong labels.

use surprisal_data::metrics::top_label_calibration;
use surprisal_data::{Dataset, argmax_rows};
use surprisal_layers::{Activation, Layer, Mlp, Sizes, rng};
use surprisal_optim::Adam;
use surprisal_tensor::ndarray::Ix2;
use surprisal_tensor::{Params, Workspace};

use crate::gallery::{
    Arm, Expected, Experiment, Finding, Head, Knob, Lab, LabError, Record, Report, Rows, Seeds, Text,
    Training, fan_of_shares, short, three_parts,
};
use surprisal_report::Table;
use surprisal_report::chart::{Chart, Forest, Line};
use surprisal_report::statistics::{Estimate, highest, mean, minus};

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "noise-and-calibration",
    text: Text::new(include_str!("noise_and_calibration.md")),
    minutes: 0.5,
    seeds: Some(Seeds { first: 1, usual: 8, quick: 3 }),
    knobs: &[
        Knob::shares("noise", "0,0.2,0.4,0.6", "the fractions of labels that are wrong").quick("0,0.2"),
        Knob::share("shown", "0.2", "the fraction of the verdicts, one of the above"),
        Knob::positives(
            "rates",
            "0.0001,0.0003,0.001,0.003,0.01",
            "the learning rates (Adam), for all losses",
        )
        .quick("0.01"),
        Knob::positive("rate", "0.003", "the rate of \"at the same rate\", one of the above").quick("0.01"),
        Knob::count("epochs", "120", "passes over the images").quick("40"),
        Knob::count("batch", "32", "images in a step"),
        Knob::count("hidden", "64", "units in the hidden layer"),
        Knob::share("valid", "0.2", "the validation set, as a fraction of the images outside the test set"),
        Knob::share("test", "0.25", "the test set, as a fraction of all images"),
        Knob::share("margin", "0.02", "a gap in accuracy within which two losses count as equal"),
        Knob::count("bins", "10", "the bins of confidence in the calibration error"),
    ],
    run,
};

const LOSSES: [Head; 5] = [
    Head::SoftmaxCrossEntropy,
    Head::SigmoidSquared,
    Head::SoftmaxSquared,
    Head::LinearSquared,
    Head::SoftmaxAbsolute,
];
/// The forms of squared error, and the one of all verdicts.
const FORMS: [usize; 3] = [1, 2, 3];
const SQUARED: usize = FORMS[0];

/// Training, validation and test images, and the training images with wrong labels.
struct Data {
    train: Rows<f32>,
    flipped: Vec<usize>,
    valid: Rows<f32>,
    test: Rows<f32>,
}

#[derive(Clone, Copy)]
struct Job {
    noise: usize,
    loss: usize,
    rate: usize,
    seed: usize,
}

fn run(lab: &Lab) -> Result<Report, LabError> {
    let (noise, rates) = (lab.numbers("noise"), lab.numbers("rates"));
    let (shown, rate) = (lab.place("shown", "noise")?, lab.place("rate", "rates")?);
    if noise[shown] == 0.0 {
        return Err(LabError::Usage(
            "shown: expected a fraction above 0, found 0: without wrong labels, none is memorized".into(),
        ));
    }
    let mut data = vec![];
    for &share in noise {
        data.push(lab.seeds.iter().map(|&seed| digits(lab, share, seed)).collect::<Result<Vec<_>, _>>()?);
    }
    lab.batch_of(data[0][0].train.labels.len())?;
    let mut jobs = vec![];
    for noise in 0..noise.len() {
        for loss in 0..LOSSES.len() {
            for rate in 0..rates.len() {
                jobs.extend((0..lab.seeds.len()).map(|seed| Job { noise, loss, rate, seed }));
            }
        }
    }
    let label = |job: &Job| {
        [
            ("noise", noise[job.noise].to_string()),
            ("loss", LOSSES[job.loss].name().into()),
            ("rate", rates[job.rate].to_string()),
            ("seed", lab.seeds[job.seed].to_string()),
        ]
    };
    let runs = lab.runs("networks on digits", &jobs, label, |job| {
        train(lab, &data[job.noise][job.seed], head(lab, job.loss), rates[job.rate], lab.seeds[job.seed])
    })?;
    let runs = Runs { runs: &runs, rates: rates.len(), seeds: lab.seeds.len() };

    // ---- verdict
    let (margin, mut report) = (lab.number("margin"), pictures(Report::new(), lab, &runs, shown, rate));
    for best in [false, true] {
        // a loss against cross-entropy: the condition, the differences over seeds, and both as text
        let against = |share: usize, loss: usize, moment, column: &str| {
            let of = |loss| Cell {
                noise: share,
                loss,
                rate: if best { runs.best(share, loss, moment) } else { rate },
            };
            let [own, entropy] = [loss, 0].map(of);
            let at = match best {
                true => {
                    format!("Each at its own best rate ({} and {})", rates[own.rate], rates[entropy.rate])
                }
                false => format!("At the same rate {}", rates[rate]),
            };
            let when = if matches!(moment, Moment::Last) { "last epoch" } else { "early stopping" };
            let [own, entropy] = [own, entropy].map(|cell| runs.values(cell, moment, column));
            let [values, other] = [&own, &entropy].map(|values| Estimate::of(values).percent());
            (
                format!("{at}, {} % of labels wrong, {when}", short(100.0 * noise[share])),
                minus(&own, &entropy),
                format!("{}: {values}; {}: {other}.", name(lab, loss), name(lab, 0)),
            )
        };
        let less = |loss| format!("{} minus {}", name(lab, loss), name(lab, 0));
        for loss in FORMS {
            let (condition, gap, values) = against(shown, loss, Moment::Last, "accuracy");
            report = report.finding(
                Finding::seeds(condition, format!("test accuracy, {}", less(loss)), &gap)
                    .above(0.0)
                    .sentence(values),
            );
        }
        let (condition, difference, values) = against(shown, SQUARED, Moment::Last, "memorized");
        let what = format!("fraction of wrong labels memorized, {}", less(SQUARED));
        report = report.finding(Finding::seeds(condition, what, &difference).below(0.0).sentence(values));

        let (_, gap, _) = against(shown, SQUARED, Moment::Last, "accuracy");
        let (condition, left, values) = against(shown, SQUARED, Moment::Stopped, "accuracy");
        let what = format!("test accuracy, {}", less(SQUARED));
        report = report.finding(
            Finding::seeds(condition.clone(), what, &left)
                .within(margin)
                .and(
                    "the same at the last epoch, the gap to be closed",
                    Estimate::of(&gap),
                    Expected::Above(0.0),
                )
                .sentence(values),
        );
        let what = "reduction of the gap in test accuracy by early stopping";
        report = report.finding(Finding::seeds(condition, what, &minus(&gap, &left)).above(0.0).sentence(
            format!(
                "At the last epoch the gap is {}, with early stopping {}.",
                Estimate::of(&gap).percent(),
                Estimate::of(&left).percent()
            ),
        ));
        if let Some(clean) = noise.iter().position(|&share| share == 0.0) {
            let (condition, difference, values) = against(clean, SQUARED, Moment::Last, "ece");
            let what = format!("calibration error, {}", less(SQUARED));
            report = report.finding(Finding::seeds(condition, what, &difference).below(0.0).sentence(values));
        }
    }
    Ok(tables(report, lab, &runs, shown, rate))
}

/// The loss of an arm: the same for all in the broken version.
fn head(lab: &Lab, loss: usize) -> Head {
    LOSSES[if lab.broken { 0 } else { loss }]
}

/// The name of a loss, in which all three forms of squared error differ.
fn name(lab: &Lab, loss: usize) -> String {
    match head(lab, loss) {
        Head::SigmoidSquared => "squared error on sigmoid".into(),
        other => other.to_string(),
    }
}

/// Splits the digits and makes labels wrong, but not those of the test images.
fn digits(lab: &Lab, noise: f64, seed: u64) -> Result<Data, LabError> {
    let mut rng = rng(seed);
    let parts = ["valid", "test"].map(|key| (key, lab.number(key)));
    let [train, valid, test] = three_parts(&Dataset::digits(), parts, &mut rng)?;
    let (train, flipped) = train.with_label_noise(noise, &mut rng)?;
    let (valid, _) = valid.with_label_noise(noise, &mut rng)?;
    if noise > 0.0 && flipped.is_empty() {
        return Err(LabError::Usage(format!(
            "noise: {noise} of {} labels is less than one label",
            train.rows()
        )));
    }
    let [train, valid, test] = [train, valid, test].map(|part| Rows::new(&part, 16.0));
    Ok(Data { train, flipped, valid, test })
}

/// A trajectory, and confidence and accuracy at its end. If the loss overflows, it ends with the last complete epoch.
fn train(lab: &Lab, data: &Data, loss: Head, rate: f64, seed: u64) -> [Record; 2] {
    let (mut params, mut rng) = (Params::new(), rng(seed));
    let Data { train, flipped, valid, test } = data;
    let sizes = Sizes::new(&[train.x.ncols(), lab.count("hidden"), train.outputs]).expect("counts are not 0");
    let model = Mlp::new(&mut params, &sizes, Activation::Relu, &mut rng);
    let training =
        Training { epochs: lab.count("epochs"), rows: train.labels.len(), batch: lab.count("batch") };
    let mut trajectory = Record::new("trajectory", &["epoch", "accuracy", "validation", "memorized", "ece"]);
    let mut reliability = Record::new("reliability", &["bin", "pictures", "right", "confidence"]);
    let mut workspace = Workspace::new();
    training.run(
        &mut params,
        &mut Adam::new(rate),
        &mut rng,
        |tape, rows| {
            let [x, targets] = train.batch(tape, rows);
            loss.loss(model.forward(x), targets)
        },
        |epoch, params| {
            let [seen, held_out, unseen] =
                [train, valid, test].map(|part| part.logits(&mut workspace, params, &model));
            let predicted = argmax_rows(&seen);
            let memorized = flipped.iter().filter(|&&row| predicted[row] == train.labels[row]).count();
            let calibration = (loss != Head::LinearSquared).then(|| {
                let outputs = workspace.eval(params, |tape| loss.outputs(tape.input(&unseen)));
                let outputs = outputs.into_dimensionality::<Ix2>().expect("as the logits").mapv(f64::from);
                top_label_calibration(&test.labels, outputs.view(), lab.count("bins")).ok()
            });
            let calibration = calibration.flatten(); // neither raw outputs nor overflows are probabilities
            trajectory.push([
                epoch as f64,
                test.accuracy(unseen.view()),
                valid.accuracy(held_out.view()),
                memorized as f64 / flipped.len() as f64,
                calibration.as_ref().map_or(f64::NAN, |found| found.ece),
            ]);
            if let (true, Some(found)) = (epoch == training.epochs, calibration) {
                for bin in found.bins {
                    let pictures = bin.count as f64;
                    reliability.push([
                        bin.index as f64,
                        pictures,
                        bin.accuracy * pictures,
                        bin.confidence * pictures,
                    ]);
                }
            }
            true
        },
    );
    [trajectory, reliability]
}

// ---- measure

/// One loss at one rate, with one fraction of wrong labels.
#[derive(Clone, Copy)]
struct Cell {
    noise: usize,
    loss: usize,
    rate: usize,
}

/// An epoch of a run.
#[derive(Clone, Copy)]
enum Moment {
    Last,
    /// The best on the validation images.
    Stopped,
    /// The best on the test images, which early stopping cannot know.
    Best,
}

struct Runs<'a> {
    runs: &'a [[Record; 2]],
    rates: usize,
    seeds: usize,
}

impl Runs<'_> {
    fn of(&self, Cell { noise, loss, rate }: Cell) -> &[[Record; 2]] {
        &self.runs[((noise * LOSSES.len() + loss) * self.rates + rate) * self.seeds..][..self.seeds]
    }
    fn arm(&self, lab: &Lab, cell: Cell) -> Arm<'_> {
        Arm { name: name(lab, cell.loss), records: self.of(cell).iter().map(|[run, _]| run).collect() }
    }
    fn values(&self, cell: Cell, moment: Moment, column: &str) -> Vec<f64> {
        let at = |[run, _]: &[Record; 2]| {
            let epoch = match moment {
                Moment::Last => run.column("epoch").len() - 1, // there is always the initial state
                Moment::Stopped => highest(&run.column("validation")),
                Moment::Best => highest(&run.column("accuracy")),
            };
            run.column(column)[epoch]
        };
        self.of(cell).iter().map(at).collect()
    }
    /// The rate that is best on the validation images.
    fn best(&self, noise: usize, loss: usize, moment: Moment) -> usize {
        let of = |rate| mean(&self.values(Cell { noise, loss, rate }, moment, "validation"));
        highest(&(0..self.rates).map(of).collect::<Vec<_>>())
    }
}

// ---- charts

fn pictures(report: Report, lab: &Lab, runs: &Runs, shown: usize, rate: usize) -> Report {
    let (noise, rates) = (lab.numbers("noise"), lab.numbers("rates"));
    let at = |loss| Cell { noise: shown, loss, rate };
    let setting = format!(
        "{} % of labels wrong, 64-{}-10, Adam, rate {}",
        100.0 * noise[shown],
        lab.count("hidden"),
        rates[rate]
    );
    let values = |column: &str| {
        [0, SQUARED]
            .map(|loss| {
                let of = |moment| Estimate::of(&runs.values(at(loss), moment, column)).percent();
                format!("{} ends at {}", name(lab, loss), of(Moment::Last))
            })
            .join(", ")
    };
    let against_epoch = |title: &str, y: &str, column: &str| {
        let chart = Chart::new(title)
            .subtitle(setting.clone())
            .x_label("epoch")
            .y_label(y)
            .percent_y()
            .include_y(1.0)
            .alt(format!("{title}, against epoch: {}.", values(column)));
        fan_of_shares(chart, &[0, SQUARED].map(|loss| runs.arm(lab, at(loss))), "epoch", column)
    };
    let mut gaps = Forest::new("Test accuracy, minus that of cross-entropy")
        .subtitle(setting.clone())
        .percent_x()
        .reference(0.0, "no gap");
    for loss in 1..LOSSES.len() {
        for (word, moment, color) in [("last epoch", Moment::Last, 1), ("early stopping", Moment::Stopped, 0)]
        {
            let [own, entropy] = [loss, 0].map(|loss| runs.values(at(loss), moment, "accuracy"));
            gaps =
                gaps.row(format!("{}, {word}", name(lab, loss)), Estimate::of(&minus(&own, &entropy)), color);
        }
    }
    let mut reliability = Chart::new("Is it right as often as it claims?")
        .subtitle(setting.clone())
        .x_label("confidence")
        .y_label("accuracy")
        .percent_y()
        .include_y(0.0);
    for loss in [0, SQUARED, 2] {
        reliability = reliability
            .line(Line::new(name(lab, loss), pooled(runs.of(at(loss)), lab.count("bins"))).color(loss));
    }
    reliability = reliability.line(Line::new("", [(0.0, 0.0), (1.0, 1.0)]).color(4).faint());
    let mut shares = Chart::new("The more labels are wrong")
        .subtitle(format!("last epoch, rate {}", rates[rate]))
        .x_label("fraction of labels that are wrong")
        .y_label("test accuracy")
        .percent_y();
    for loss in 0..LOSSES.len() {
        let points = (0..noise.len())
            .map(|i| (noise[i], mean(&runs.values(Cell { noise: i, loss, rate }, Moment::Last, "accuracy"))));
        let mut points: Vec<_> = points.collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        shares = shares.line(Line::new(name(lab, loss), points).color(loss));
    }
    report
        .captioned(
            lab,
            "accuracy",
            against_epoch("Accuracy on unseen images", "test accuracy", "accuracy").to_svg(),
        )
        .captioned(
            lab,
            "memorized",
            against_epoch("Wrong labels memorized", "fraction of wrong labels", "memorized").to_svg(),
        )
        .section("Early stopping")
        .paragraphs(lab.text("note: stopping early"))
        .captioned(lab, "gaps", gaps.alt(lab.text("alt: gaps")).to_svg())
        .paragraphs(lab.text("note: small rates"))
        .section("Is it as sure as it should be?")
        .captioned(lab, "reliability", reliability.alt(lab.text("alt: reliability")).to_svg())
        .section("All losses")
        .captioned(lab, "noise", shares.alt(lab.text("alt: noise")).to_svg())
}

/// Confidence and accuracy in each bin of confidence, over the runs of all seeds.
fn pooled(runs: &[[Record; 2]], bins: usize) -> Vec<(f64, f64)> {
    let mut sums = vec![[0.0; 3]; bins];
    for [_, record] in runs {
        let [bin, pictures, right, confidence] =
            ["bin", "pictures", "right", "confidence"].map(|column| record.column(column));
        for (i, &bin) in bin.iter().enumerate() {
            let sum = &mut sums[bin as usize];
            *sum = [sum[0] + pictures[i], sum[1] + confidence[i], sum[2] + right[i]];
        }
    }
    sums.iter()
        .filter(|sum| sum[0] > 0.0)
        .map(|[pictures, confidence, right]| (confidence / pictures, right / pictures))
        .collect()
}

fn tables(report: Report, lab: &Lab, runs: &Runs, shown: usize, rate: usize) -> Report {
    let (noise, rates) = (lab.numbers("noise"), lab.numbers("rates"));
    let percent = |cell, moment, column| {
        let estimate = Estimate::of(&runs.values(cell, moment, column));
        if estimate.mean.is_nan() { "none".into() } else { estimate.percent() }
    };
    let row = |loss| {
        let cell = Cell { noise: shown, loss, rate };
        let of = |moment, column| percent(cell, moment, column);
        let stopped = mean(&runs.values(cell, Moment::Stopped, "epoch"));
        vec![
            name(lab, loss),
            of(Moment::Last, "accuracy"),
            of(Moment::Last, "memorized"),
            of(Moment::Last, "ece"),
            format!("{stopped:.0}"),
            of(Moment::Stopped, "accuracy"),
            of(Moment::Best, "accuracy"),
            of(Moment::Stopped, "ece"),
        ]
    };
    let every = |(loss, rate): (usize, usize)| {
        let cell = Cell { noise: shown, loss, rate };
        let of = |moment, column| percent(cell, moment, column);
        vec![
            name(lab, loss),
            rates[rate].to_string(),
            of(Moment::Last, "accuracy"),
            of(Moment::Last, "memorized"),
            of(Moment::Stopped, "accuracy"),
        ]
    };
    report
        .table(Table::new(
            format!(
                "{} % of labels wrong, rate {}: mean and 95 % interval over {} seeds",
                100.0 * noise[shown],
                rates[rate],
                lab.seeds.len()
            ),
            1,
            [
                "loss",
                "last epoch",
                "memorized",
                "ECE",
                "stopped at epoch",
                "stopped",
                "best epoch in hindsight",
                "ECE, stopped",
            ],
            (0..LOSSES.len()).map(row),
        ))
        .paragraphs(lab.text("note: another program"))
        .table(Table::new(
            "At every rate",
            1,
            ["loss", "rate", "last epoch", "memorized", "stopped"],
            (0..LOSSES.len()).flat_map(|loss| (0..rates.len()).map(move |rate| (loss, rate))).map(every),
        ))
}
