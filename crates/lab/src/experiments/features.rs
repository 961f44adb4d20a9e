//! Are features better if they are learned by contrast? An encoder trained with SupCon or cross-entropy, frozen, with a linear layer on top.

use surprisal_data::Tsne;
use surprisal_layers::{Layer, Linear, rng};
use surprisal_loss::{SupconLoss, softmax_cross_entropy};
use surprisal_tensor::ndarray::{Array2, Axis};
use surprisal_tensor::{Params, symmetric_eigen};

use super::encoders::{self, DIGITS, FEATURES, Images, Kind};
use crate::gallery::{
    Arm, Experiment, Finding, Knob, Lab, LabError, Record, Report, Seeds, Text, fan, short,
};
use surprisal_report::Table;
use surprisal_report::chart::{Chart, Panels, Points};
use surprisal_report::statistics::{Estimate, highest, mean, minus};

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "features",
    text: Text::new(include_str!("features.md")),
    minutes: 1.1,
    seeds: Some(Seeds { first: 1, usual: 8, quick: 4 }),
    knobs: &[
        encoders::DATA,
        Knob::counts("labels", "100,300,1000", "numbers of labeled images to train on").quick("50,200"),
        Knob::positive("eta", "0.003", "the learning rate of \"at the same rate\" (Adam), one of rates"),
        Knob::positives(
            "rates",
            "0.001,0.003,0.01",
            "the rates among which each loss finds its own best, on validation images",
        )
        .quick("0.003"),
        Knob::count("steps", "400", "steps of an encoder").quick("40"),
        encoders::BATCH,
        Knob::positive(
            "temperature",
            "0.1",
            "the temperature of SupCon: the smaller it is, the more the hardest pairs count",
        ),
        Knob::count("head", "32", "outputs of the projection head"),
        Knob::count("probe", "300", "steps of the linear layer on frozen features").quick("40"),
        Knob::count("points", "300", "test images in the pictures of features, 20 or more").quick("40"),
    ],
    run,
};

#[derive(Clone, Copy, PartialEq)]
enum Loss {
    CrossEntropy,
    Contrast,
    ContrastWithHead,
}
use Loss::*;

const LOSSES: [(Loss, &str); 3] =
    [(CrossEntropy, "cross-entropy"), (Contrast, "SupCon"), (ContrastWithHead, "SupCon with a head")];
const KINDS: [Kind; 2] = [Kind::Dense, Kind::Convolutional];

struct Job {
    kind: usize,
    labels: usize,
    loss: usize,
    rate: usize,
    seed: usize,
}

fn run(lab: &Lab) -> Result<Report, LabError> {
    let source = encoders::source(lab)?;
    encoders::check_batch(lab)?;
    let (sizes, rates) = (lab.setting.counts("labels"), lab.numbers("rates"));
    let (eta, seeds) = (lab.place("eta", "rates")?, lab.seeds.len());
    if !sizes.is_sorted() {
        return Err(LabError::Usage("labels: expected ascending numbers".into()));
    }
    let most = sizes.last().copied().unwrap_or(0);
    if !(20..=source.tests()).contains(&lab.count("points")) {
        let (found, tests) = (lab.count("points"), source.tests());
        return Err(LabError::Usage(format!(
            "points: expected 20 to {tests}, the test images, found {found}"
        )));
    }
    let images = Vec::from_iter(lab.seeds.iter().map(|&seed| source.images(seed, most)));
    let mut jobs = vec![];
    for kind in 0..KINDS.len() {
        for labels in 0..sizes.len() {
            for loss in 0..LOSSES.len() {
                for rate in 0..rates.len() {
                    jobs.extend((0..seeds).map(|seed| Job { kind, labels, loss, rate, seed }));
                }
            }
        }
    }
    let label = |job: &Job| {
        [
            ("encoder", KINDS[job.kind].name().into()),
            ("labels", sizes[job.labels].to_string()),
            ("loss", LOSSES[job.loss].1.into()),
            ("rate", rates[job.rate].to_string()),
            ("seed", lab.seeds[job.seed].to_string()),
        ]
    };
    let runs = lab.runs("encoders", &jobs, label, |job| {
        // broken: every encoder is trained with cross-entropy
        let loss = if lab.broken { CrossEntropy } else { LOSSES[job.loss].0 };
        let drawn = job.seed == 0 && job.labels + 1 == sizes.len() && job.loss < 2 && job.kind == 1;
        let labels = sizes[job.labels];
        learn(
            lab,
            loss,
            KINDS[job.kind],
            rates[job.rate],
            (&images[job.seed], labels),
            lab.seeds[job.seed],
            drawn,
        )
    })?;

    // ---- measure
    let first = |kind: usize, labels: usize, loss: usize, rate: usize| {
        (((kind * sizes.len() + labels) * LOSSES.len() + loss) * rates.len() + rate) * seeds
    };
    let of = |kind: usize, labels: usize, loss: usize, rate: usize, name: &str| {
        let runs = &runs[first(kind, labels, loss, rate)..][..seeds];
        runs.iter().map(|[run, _]| run.last(name)).collect::<Vec<f64>>()
    };
    let best = |kind: usize, labels: usize, loss: usize| {
        highest(&Vec::from_iter(
            (0..rates.len()).map(|rate| mean(&of(kind, labels, loss, rate, "validation"))),
        ))
    };
    let accuracy = |kind, labels, loss| of(kind, labels, loss, best(kind, labels, loss), "accuracy");
    let gain = |kind, labels, loss| minus(&accuracy(kind, labels, loss), &accuracy(kind, labels, 0));

    // ---- verdict
    let last = sizes.len() - 1;
    let places = |loss: usize| &runs[first(1, last, loss, best(1, last, loss))][1];
    let shown = pictures(lab, [0, 1].map(places), most);
    let caption = lab.text_with("caption: pictures", &[("labels", &most)]);
    let mut report = Report::new().panels("pictures", shown, caption).section("What contrast adds");
    for (kind, name) in KINDS.map(Kind::name).into_iter().enumerate().rev() {
        let arms = [1, 2].map(|loss| gains(LOSSES[loss].1, &sizes, |labels| gain(kind, labels, loss)));
        let ends = mean(&gain(kind, 0, 1)) * 100.0;
        let alt =
            lab.text_with("alt: gain", &[("encoder", &name), ("gain", &short(ends)), ("labels", &sizes[0])]);
        report = report.captioned(
            lab,
            &format!("{name}-gain"),
            gain_chart(&format!("What contrast adds, {name} encoder"), &arms).alt(alt).to_svg(),
        );
    }
    let ends = (0..sizes.len()).step_by(last.max(1));
    for (kind, name) in KINDS.map(Kind::name).into_iter().enumerate() {
        for (labels, tuned) in ends.clone().flat_map(|labels| [(labels, false), (labels, true)]) {
            let rate = |loss| if tuned { best(kind, labels, loss) } else { eta };
            let condition = |loss: usize| {
                let start = format!("{} encoder, {} labels", capital(name), sizes[labels]);
                match tuned {
                    true => format!(
                        "{start}, each at its own best rate ({} and {})",
                        rates[rate(loss)],
                        rates[rate(0)]
                    ),
                    false => format!("{start}, at the same rate {}", rates[eta]),
                }
            };
            for loss in if tuned { 1..3 } else { 1..2 } {
                let [one, other] = [loss, 0].map(|loss| of(kind, labels, loss, rate(loss), "accuracy"));
                let measure =
                    format!("test accuracy of a linear layer, {} minus cross-entropy", LOSSES[loss].1);
                let [with, without] = [&one, &other].map(|values| Estimate::of(values).percent());
                report = report.finding(
                    Finding::seeds(condition(loss), measure, &minus(&one, &other))
                        .above(0.0)
                        .sentence(format!("{with} and {without}.")),
                );
            }
            if tuned {
                let [one, other] = [1, 0].map(|loss| of(kind, labels, loss, rate(loss), "separation"));
                let ratios = Vec::from_iter(one.iter().zip(&other).map(|(a, b)| a / b));
                let measure = "spread between digits / within, SupCon over cross-entropy";
                let [with, without] = [&one, &other].map(|values| short(mean(values)));
                report = report.finding(
                    Finding::ratios(condition(1), measure, &ratios)
                        .above(1.0)
                        .sentence(format!("{with} and {without} on average.")),
                );
            }
        }
        let [few, many] = [0, last].map(|labels| gain(kind, labels, 1));
        report = report.finding(
            Finding::seeds(
                format!("{} encoder, each at its own best rate", capital(name)),
                format!(
                    "what SupCon adds to the accuracy with {} labels minus with {}",
                    sizes[0], sizes[last]
                ),
                &minus(&few, &many),
            )
            .above(0.0)
            .sentence(format!("{} and {} points.", points(&few), points(&many))),
        );
    }
    let row = |(kind, labels, loss, rate): (usize, usize, usize, usize)| {
        let percent = |column| Estimate::of(&of(kind, labels, loss, rate, column)).percent();
        vec![
            KINDS[kind].name().into(),
            sizes[labels].to_string(),
            LOSSES[loss].1.into(),
            rates[rate].to_string(),
            percent("validation"),
            percent("accuracy"),
            percent("nearest"),
            short(mean(&of(kind, labels, loss, rate, "separation"))),
        ]
    };
    let all = (0..KINDS.len()).flat_map(|kind| {
        (0..sizes.len()).flat_map(move |labels| (0..LOSSES.len()).map(move |loss| (kind, labels, loss)))
    });
    Ok(report.section("All accuracies").paragraphs(lab.text("note: mnist")).table(Table::new(
        format!("Means and 95 % intervals over {seeds} seeds"),
        3,
        [
            "encoder",
            "labels",
            "loss",
            "rate",
            "validation",
            "test, linear layer",
            "test, nearest image",
            "between / within",
        ],
        all.flat_map(|(kind, labels, loss)| (0..rates.len()).map(move |rate| (kind, labels, loss, rate)))
            .map(row),
    )))
}

/// Trains an encoder, freezes it, trains a linear layer on its features. Returns accuracies and the separation, and the places of test images
/// in two pictures.
fn learn(
    lab: &Lab,
    loss: Loss,
    kind: Kind,
    rate: f64,
    (images, labels): (&Images, usize),
    seed: u64,
    drawn: bool,
) -> [Record; 2] {
    let (mut params, mut rng) = (Params::new(), rng(seed));
    let encoder = kind.encoder(&mut params, images, &mut rng);
    let outputs = if loss == CrossEntropy { DIGITS } else { lab.count("head") };
    let head = (loss != Contrast).then(|| Linear::new(&mut params, "head", FEATURES, outputs, &mut rng));
    let contrast = SupconLoss { temperature: lab.number("temperature"), ..Default::default() };
    encoders::train(
        lab,
        &mut params,
        &*encoder,
        (&images.train, labels),
        rate,
        &mut rng,
        |features, labels| {
            let outputs = match &head {
                Some(head) => head.forward(features.relu()),
                None => features,
            };
            match loss {
                CrossEntropy => softmax_cross_entropy(outputs, labels),
                Contrast | ContrastWithHead => contrast.loss(outputs, labels),
            }
        },
    );

    let few = images.train.first(labels);
    let [train, valid, test] =
        [&few, &images.valid, &images.test].map(|rows| encoders::unit_features(&params, &*encoder, rows));
    let [known, of_valid, of_test] = [&few, &images.valid, &images.test].map(|rows| &rows.labels[..]);
    let others = [(&valid, of_valid), (&test, of_test)];
    let [validation, accuracy] = encoders::probe((&train, known), lab.count("probe"), others, &mut rng);
    let nearest = encoders::nearest((&train, known), (&test, of_test));
    let test = test.mapv(f64::from);
    let measures = [
        ("validation", validation),
        ("accuracy", accuracy),
        ("nearest", nearest),
        ("separation", encoders::separation(&test, of_test)),
    ];
    let mut places = Record::new("places", &["digit", "pca_x", "pca_y", "tsne_x", "tsne_y"]);
    if drawn {
        let shown = test.view().split_at(Axis(0), lab.count("points")).0.to_owned();
        let plane = principal_plane(&shown);
        let perplexity = Tsne::default().perplexity.min(shown.nrows() as f64 / 4.0);
        // features that are not finite have no picture
        if let Ok(neighbors) = (Tsne { perplexity, ..Tsne::default() }).fit(shown.view(), &mut rng) {
            for (row, digit) in of_test.iter().enumerate().take(shown.nrows()) {
                let at = |places: &Array2<f64>| [places[[row, 0]], places[[row, 1]]];
                let ([a, b], [c, d]) = (at(&plane), at(&neighbors.places));
                places.push([*digit as f64, a, b, c, d]);
            }
        }
    }
    [Record::once("encoders", measures), places]
}

/// The rows in the two directions in which they vary most.
fn principal_plane(features: &Array2<f64>) -> Array2<f64> {
    let centered = features - &features.mean_axis(Axis(0)).expect("there are rows");
    let (_, directions) = symmetric_eigen(&centered.t().dot(&centered));
    centered.dot(&directions.select(Axis(1), &[FEATURES - 1, FEATURES - 2]))
}

// ---- charts

/// A difference in accuracy for each number of labels, seed by seed.
fn gains(name: &str, sizes: &[usize], gain: impl Fn(usize) -> Vec<f64>) -> (String, Vec<Record>) {
    let values = Vec::from_iter((0..sizes.len()).map(gain));
    let of_seed = |seed: usize| {
        let mut record = Record::new("gain", &["labels", "gain"]);
        sizes.iter().zip(&values).for_each(|(&labels, gain)| record.push([labels as f64, gain[seed]]));
        record
    };
    (name.into(), (0..values[0].len()).map(of_seed).collect())
}

fn gain_chart(title: &str, arms: &[(String, Vec<Record>)]) -> Chart {
    let arms = Vec::from_iter(
        arms.iter().map(|(name, records)| Arm { name: name.clone(), records: records.iter().collect() }),
    );
    let chart = Chart::new(title)
        .subtitle("a linear layer on frozen features, each loss at its own best rate")
        .x_label("labeled images")
        .y_label("test accuracy minus that of cross-entropy")
        .log_x()
        .percent_y()
        .include_y(0.0);
    fan(chart, &arms, "labels", "gain")
}

fn pictures(lab: &Lab, places: [&Record; 2], labels: usize) -> Panels {
    let mut panels = Panels::new("features-pictures", "Features of unseen images", 2)
        .subtitle(format!("convolutional encoder, {labels} labels, first seed"));
    for (record, (_, loss)) in places.into_iter().zip(LOSSES) {
        for (method, x, y, labels) in [
            ("principal components", "pca_x", "pca_y", ["first component", "second component"]),
            ("t-SNE", "tsne_x", "tsne_y", ["first coordinate", "second coordinate"]),
        ] {
            panels =
                panels.panel(picture(lab, record, &format!("{}, {method}", capital(loss)), [x, y], labels));
        }
    }
    panels
}

fn picture(lab: &Lab, record: &Record, title: &str, [x, y]: [&str; 2], labels: [&str; 2]) -> Chart {
    let digits = record.column("digit");
    let mut chart = Chart::new(title).x_label(labels[0]).y_label(labels[1]);
    for digit in 0..DIGITS {
        let all = record.points(x, y).into_iter().zip(&digits);
        let points = all.filter(|(_, d)| **d == digit as f64).map(|(point, _)| point);
        chart = chart.points(Points::new(digit.to_string(), points).color(digit).label_at_center());
    }
    chart.alt(lab.text_with("alt: features", &[("title", &title)]))
}

/// "+1.5 ± 0.5" in percentage points.
fn points(differences: &[f64]) -> String {
    let Estimate { mean, high, .. } = Estimate::of(differences);
    format!("{:+.1} ± {:.1}", 100.0 * mean, 100.0 * (high - mean))
}

/// With a capital at the beginning.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}
