//! Are features better if they are learned by contrast? An encoder trained with SupCon or cross-entropy, frozen, with a linear layer on top.

use surprisal_data::{Dataset, stratified_split};
use surprisal_layers::{Activation, Layer, Linear, Mlp, Sizes, rng};
use surprisal_loss::{SupconLoss, softmax_cross_entropy};
use surprisal_optim::Adam;
use surprisal_tensor::ndarray::{Array2, Axis, Ix2};
use surprisal_tensor::{Params, Workspace, symmetric_eigen};
use surprisal_train::{Batched, Examples};

use crate::gallery::{
    Experiment, Finding, Knob, Lab, LabError, Record, Report, Seeds, Text, Training, correct, short,
};
use surprisal_report::Table;
use surprisal_report::chart::{Chart, Points};
use surprisal_report::statistics::mean;

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "features",
    text: Text::new(include_str!("features.md")),
    minutes: 0.03,
    seeds: Some(Seeds { first: 1, usual: 8, quick: 3 }),
    knobs: &[
        Knob::positive("eta", "0.003", "the learning rate that both losses share (Adam)"),
        Knob::positives(
            "rates",
            "0.001,0.003,0.01",
            "the rates among which each loss finds its own best, on the validation set",
        )
        .quick("0.003"),
        Knob::count("epochs", "40", "passes over the training images").quick("8"),
        Knob::count("batch", "128", "images in a step"),
        Knob::positive(
            "temperature",
            "0.1",
            "the temperature of SupCon: the smaller it is, the more the hardest pairs count",
        ),
        Knob::count("probe", "300", "steps of the linear layer on frozen features").quick("100"),
    ],
    run,
};

const FEATURES: usize = 32;
const DIGITS: usize = 10;
/// The test set as a fraction of all rows, and the validation set as a fraction of the others.
const APART: [f64; 2] = [0.3, 0.2];

#[derive(Clone, Copy, PartialEq)]
enum Loss {
    Contrast,
    CrossEntropy,
}

struct Data {
    train: Examples<f32>,
    choose: Examples<f32>,
    test: Examples<f32>,
}

fn run(lab: &Lab) -> Result<Report, LabError> {
    let data = lab.seeds.iter().map(|&seed| data(seed)).collect::<Result<Vec<_>, _>>()?;
    lab.batch_of(data[0].train.rows())?;
    let losses = [if lab.broken { Loss::CrossEntropy } else { Loss::Contrast }, Loss::CrossEntropy];
    let rates = [&[lab.number("eta")], lab.numbers("rates")].concat();
    let mut jobs = vec![];
    for arm in 0..2 {
        for (place, &rate) in rates.iter().enumerate() {
            jobs.extend(lab.seeds.iter().enumerate().map(|(i, &seed)| (arm, place, rate, i, seed)));
        }
    }
    let label = |&(arm, place, rate, _, seed): &(usize, usize, f64, usize, u64)| {
        let which = if place == 0 { "shared" } else { "grid" };
        [
            ("arm", ["contrast", "cross-entropy"][arm].into()),
            ("rates", which.into()),
            ("rate", rate.to_string()),
            ("seed", seed.to_string()),
        ]
    };
    let runs = lab.runs("encoders", &jobs, label, |&(arm, _, rate, i, seed)| {
        learn(lab, losses[arm], rate, &data[i], seed)
    })?;

    // ---- measure
    let seeds = lab.seeds.len();
    let of = |arm: usize, place: usize, name: &str| {
        runs[(arm * rates.len() + place) * seeds..][..seeds]
            .iter()
            .map(|[r, _]| r.last(name))
            .collect::<Vec<f64>>()
    };
    let best = [0, 1].map(|arm| {
        (1..rates.len()).fold(1, |best, place| {
            if mean(&of(arm, place, "chosen_by")) > mean(&of(arm, best, "chosen_by")) { place } else { best }
        })
    });
    let paired = |name: &str, places: [usize; 2], f: fn(f64, f64) -> f64| {
        of(0, places[0], name)
            .into_iter()
            .zip(of(1, places[1], name))
            .map(|(a, b)| f(a, b))
            .collect::<Vec<f64>>()
    };

    // ---- verdict
    let coordinates = |arm: usize| &runs[(arm * rates.len() + best[arm]) * seeds][1];
    let mut report = Report::new()
        .captioned(lab, "contrast", plane(lab, coordinates(0), "Features learned by contrast").to_svg())
        .captioned(
            lab,
            "cross-entropy",
            plane(lab, coordinates(1), "Features learned with cross-entropy").to_svg(),
        );
    let conditions = [
        (format!("At the same rate {}", rates[0]), [0, 0]),
        (format!("Each at its own best rate ({} and {})", rates[best[0]], rates[best[1]]), best),
    ];
    for (condition, places) in &conditions {
        let percent = |arm: usize| format!("{:.2} %", 100.0 * mean(&of(arm, places[arm], "accuracy")));
        let spread = |arm: usize| short(mean(&of(arm, places[arm], "separation")));
        report = report
            .finding(
                Finding::seeds(
                    condition,
                    "test accuracy of a linear layer, contrast minus cross-entropy",
                    &paired("accuracy", *places, |a, b| a - b),
                )
                .above(0.0)
                .sentence(format!("{} and {} on average.", percent(0), percent(1))),
            )
            .finding(
                Finding::ratios(
                    condition,
                    "spread between digits / within, contrast over cross-entropy",
                    &paired("separation", *places, |a, b| a / b),
                )
                .above(1.0)
                .sentence(format!("{} and {} on average.", spread(0), spread(1))),
            );
    }
    let row = |arm: usize, place: usize| {
        let name = ["contrast", "cross-entropy"][arm];
        let percent = |column| format!("{:.2} %", 100.0 * mean(&of(arm, place, column)));
        vec![
            name.into(),
            rates[place].to_string(),
            percent("chosen_by"),
            percent("accuracy"),
            short(mean(&of(arm, place, "separation"))),
        ]
    };
    Ok(report.table(Table::new(
        "Every learning rate: means over seeds",
        1,
        ["loss", "rate", "validation accuracy", "test accuracy", "between / within"],
        (0..2)
            .flat_map(|arm| (1..rates.len()).map(move |place| (arm, place)))
            .map(|(arm, place)| row(arm, place)),
    )))
}

fn data(seed: u64) -> Result<Data, LabError> {
    let mut digits = Dataset::digits();
    digits.features /= 16.0; // pixels 0 to 16
    let mut rng = rng(seed);
    let (rest, test) = stratified_split(&digits, APART[0], &mut rng)?;
    let (train, choose) = stratified_split(&rest, APART[1], &mut rng)?;
    Ok(Data { train: Examples::new(&train), choose: Examples::new(&choose), test: Examples::new(&test) })
}

/// Trains an encoder, freezes it, trains a linear layer on its features. Returns accuracies and the separation, and a plane of features.
fn learn(lab: &Lab, loss: Loss, rate: f64, data: &Data, seed: u64) -> [Record; 2] {
    let (mut params, mut rng) = (Params::new(), rng(seed));
    let sizes = Sizes::new(&[data.train.features.shape()[1], 64, FEATURES]).expect("sizes are not 0");
    let encoder = Mlp::new(&mut params, &sizes, Activation::Relu, &mut rng);
    let last =
        (loss == Loss::CrossEntropy).then(|| Linear::new(&mut params, "last", FEATURES, DIGITS, &mut rng));
    let contrast = SupconLoss { temperature: lab.number("temperature"), ..Default::default() };
    let training =
        Training { epochs: lab.count("epochs"), rows: data.train.rows(), batch: lab.count("batch") };
    training.run(
        &mut params,
        &mut Adam::new(rate),
        &mut rng,
        |tape, rows| {
            let batch = data.train.batch(tape, rows);
            match &last {
                Some(last) => softmax_cross_entropy(last.forward(encoder.forward(batch.x)), batch.labels()),
                None => contrast.loss(encoder.forward(batch.x), batch.labels()),
            }
        },
        |_, _| true,
    );

    let mut workspace = Workspace::new();
    let mut features = |examples: &Examples<f32>| {
        let raw = workspace.eval(&params, |tape| encoder.forward(tape.input(&examples.features)));
        let mut features = raw.into_dimensionality::<Ix2>().expect("features are [rows, 32]");
        for mut row in features.rows_mut() {
            let norm = row.dot(&row).sqrt().max(f32::MIN_POSITIVE);
            row /= norm;
        }
        features
    };
    let [train, choose, test] = [&data.train, &data.choose, &data.test].map(&mut features);

    let mut params = Params::new();
    let probe = Linear::new(&mut params, "probe", FEATURES, DIGITS, &mut rng);
    let training = Training { epochs: lab.count("probe"), rows: train.nrows(), batch: train.nrows() };
    training.run(
        &mut params,
        &mut Adam::new(0.05),
        &mut rng,
        |tape, _| softmax_cross_entropy(probe.forward(tape.input(&train)), data.train.targets.labels()),
        |_, _| true,
    );
    let mut accuracy = |features: &Array2<f32>, labels: &[usize]| {
        let logits = workspace.eval(&params, |tape| probe.forward(tape.input(features)));
        let logits = logits.into_dimensionality::<Ix2>().expect("logits are [rows, 10]");
        correct(logits.view(), labels) as f64 / labels.len() as f64
    };
    let (chosen_by, tested) =
        (accuracy(&choose, data.choose.targets.labels()), accuracy(&test, data.test.targets.labels()));
    let test = test.mapv(f64::from);
    let separation = separation(&test, data.test.targets.labels());
    [
        Record::once(
            "encoders",
            [("chosen_by", chosen_by), ("accuracy", tested), ("separation", separation)],
        ),
        principal_plane(&test, data.test.targets.labels()),
    ]
}

/// The mean squared distance of class means from the common mean, divided by that of rows from the mean of their class.
fn separation(features: &Array2<f64>, labels: &[usize]) -> f64 {
    let all = features.mean_axis(Axis(0)).expect("there are rows");
    let (mut between, mut within) = (0.0, 0.0);
    for digit in 0..DIGITS {
        let rows: Vec<usize> = (0..labels.len()).filter(|&row| labels[row] == digit).collect();
        let of_digit = features.select(Axis(0), &rows);
        let Some(mean) = of_digit.mean_axis(Axis(0)) else { continue };
        between += rows.len() as f64 * (&mean - &all).mapv(|x| x * x).sum();
        within += (&of_digit - &mean).mapv(|x| x * x).sum();
    }
    between / within
}

/// The features in the two directions in which they vary most.
fn principal_plane(features: &Array2<f64>, labels: &[usize]) -> Record {
    let centered = features - &features.mean_axis(Axis(0)).expect("there are rows");
    let (_, directions) = symmetric_eigen(&centered.t().dot(&centered));
    let place = centered.dot(&directions.select(Axis(1), &[FEATURES - 1, FEATURES - 2]));
    let mut record = Record::new("plane", &["x", "y", "digit"]);
    place
        .rows()
        .into_iter()
        .zip(labels)
        .for_each(|(row, &digit)| record.push([row[0], row[1], digit as f64]));
    record
}

fn plane(lab: &Lab, record: &Record, title: &str) -> Chart {
    let digits = record.column("digit");
    let mut chart = Chart::new(title)
        .subtitle("unseen images, first seed, two principal components")
        .x_label("first component")
        .y_label("second component");
    for digit in 0..DIGITS {
        let points = record
            .points("x", "y")
            .into_iter()
            .zip(&digits)
            .filter(|(_, d)| **d == digit as f64)
            .map(|(point, _)| point);
        chart = chart.points(Points::new(digit.to_string(), points).color(digit).label_at_center());
    }
    chart.alt(lab.text_with("alt: features", &[("title", &title)]))
}
