//! Does a triplet loss beside cross-entropy help a classifier that has few labels, and which triplets?

use surprisal_layers::{Linear, rng};
use surprisal_loss::{BatchTripletLoss, Mining, softmax_cross_entropy};
use surprisal_tensor::{Params, Workspace};

use super::encoders::{self, DIGITS, FEATURES, Images, Kind};
use crate::gallery::{Arm, Experiment, Finding, Knob, Lab, LabError, Record, Report, Seeds, Text, fan};
use surprisal_layers::Layer;
use surprisal_report::Table;
use surprisal_report::chart::Chart;
use surprisal_report::statistics::{Estimate, highest, mean, minus};

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "joint-triplet",
    text: Text::new(include_str!("joint_triplet.md")),
    minutes: 1.8,
    seeds: Some(Seeds { first: 1, usual: 8, quick: 4 }),
    knobs: &[
        encoders::DATA,
        Knob::counts("labels", "100,300,1000", "numbers of labeled images to train on").quick("100"),
        Knob::shares("lambdas", "1,0.75,0.5,0.25", "shares of cross-entropy in the loss; 1 is among them")
            .quick("1,0.25"),
        Knob::share("lambda", "0.5", "the share at which choices of triplets are compared").quick("0.25"),
        Knob::number("margin", "0.2", "how much nearer a positive must be than a negative, 0 or more"),
        Knob::positive("eta", "0.003", "the learning rate of \"at the same rate\" (Adam), one of rates"),
        Knob::positives(
            "rates",
            "0.001,0.003,0.01",
            "the rates among which each loss finds its own best, on validation images",
        )
        .quick("0.003"),
        Knob::count("steps", "400", "steps of training").quick("60"),
        encoders::BATCH,
    ],
    run,
};

/// A loss: the share of cross-entropy, and the triplets of the rest.
#[derive(Clone, Copy)]
struct Loss {
    lambda: f64,
    mining: Mining,
}

const HARD: &str = "batch-hard";
const OTHERS: [(&str, Mining); 2] = [("semi-hard", Mining::SemiHard), ("batch-all", Mining::BatchAll)];

struct Job {
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
    let (lambdas, compared) = (lab.numbers("lambdas"), lab.number("lambda"));
    let at = lab.place("lambda", "lambdas")?;
    let Some(alone) = lambdas.iter().position(|&lambda| lambda == 1.0) else {
        return Err(LabError::Usage("lambdas: expected 1 among them, cross-entropy alone".into()));
    };
    if compared == 1.0 {
        return Err(LabError::Usage(
            "lambda: expected a share below 1, where there are triplets, found 1".into(),
        ));
    }
    if lab.number("margin") < 0.0 {
        return Err(LabError::Usage(format!("margin: expected 0 or more, found {}", lab.number("margin"))));
    }
    let least = (0..lambdas.len()).fold(0, |least, i| if lambdas[i] < lambdas[least] { i } else { least });
    let mut losses = Vec::from_iter(lambdas.iter().map(|&lambda| Loss { lambda, mining: Mining::BatchHard }));
    losses.extend(OTHERS.map(|(_, mining)| Loss { lambda: compared, mining }));

    let most = sizes.iter().copied().max().unwrap_or(0);
    let images = Vec::from_iter(lab.seeds.iter().map(|&seed| source.images(seed, most)));
    // every share for every number of labels, and other choices of triplets for the first
    let shares = (0..sizes.len()).flat_map(|labels| (0..lambdas.len()).map(move |loss| (labels, loss)));
    let cells = Vec::from_iter(shares.chain((lambdas.len()..losses.len()).map(|loss| (0, loss))));
    let mut jobs = vec![];
    for &(labels, loss) in &cells {
        for rate in 0..rates.len() {
            jobs.extend((0..seeds).map(|seed| Job { labels, loss, rate, seed }));
        }
    }
    let triplets = |loss: usize| if loss < lambdas.len() { HARD } else { OTHERS[loss - lambdas.len()].0 };
    let label = |job: &Job| {
        [
            ("labels", sizes[job.labels].to_string()),
            ("lambda", losses[job.loss].lambda.to_string()),
            ("triplets", triplets(job.loss).into()),
            ("rate", rates[job.rate].to_string()),
            ("seed", lab.seeds[job.seed].to_string()),
        ]
    };
    let runs = lab.runs("encoders", &jobs, label, |job| {
        // broken: without triplets
        let Loss { lambda, mining } = losses[job.loss];
        let loss = Loss { lambda: if lab.broken { 1.0 } else { lambda }, mining };
        [learn(lab, loss, rates[job.rate], (&images[job.seed], sizes[job.labels]), lab.seeds[job.seed])]
    })?;

    // ---- measure
    let of = |labels: usize, loss: usize, rate: usize, name: &str| {
        let cell = cells.iter().position(|&cell| cell == (labels, loss)).expect("it was run");
        runs[(cell * rates.len() + rate) * seeds..][..seeds]
            .iter()
            .map(|[run]| run.last(name))
            .collect::<Vec<f64>>()
    };
    let best = |labels: usize, loss: usize| {
        highest(&Vec::from_iter((0..rates.len()).map(|rate| mean(&of(labels, loss, rate, "validation")))))
    };
    let at_best = |labels: usize, loss: usize, name: &str| of(labels, loss, best(labels, loss), name);

    // ---- verdict
    let arms = Vec::from_iter((0..sizes.len()).map(|labels| {
        let gains = Vec::from_iter(
            (0..lambdas.len())
                .map(|loss| minus(&at_best(labels, loss, "accuracy"), &at_best(labels, alone, "accuracy"))),
        );
        let of_seed = |seed: usize| {
            let mut record = Record::new("gain", &["share", "gain"]);
            let mut rows =
                Vec::from_iter(lambdas.iter().zip(&gains).map(|(&lambda, gain)| [1.0 - lambda, gain[seed]]));
            rows.sort_by(|a, b| a[0].total_cmp(&b[0]));
            rows.into_iter().for_each(|row| record.push(row));
            record
        };
        (format!("{} labels", sizes[labels]), Vec::from_iter((0..seeds).map(of_seed)))
    }));
    let mut report = Report::new().captioned(lab, "gain", gain_chart(lab, &arms).to_svg());
    let condition = |labels: usize, tuned: bool, compared: [usize; 2]| match tuned {
        true => {
            let [one, other] = compared.map(|loss| rates[best(labels, loss)]);
            format!("{} labels, each at its own best rate ({one} and {other})", sizes[labels])
        }
        false => format!("{} labels, at the same rate {}", sizes[labels], rates[eta]),
    };
    let difference = |labels: usize, tuned: bool, compared: [usize; 2], name: &str, measure: String| {
        let rate = |loss| if tuned { best(labels, loss) } else { eta };
        let [one, other] = compared.map(|loss| of(labels, loss, rate(loss), name));
        let [with, without] = [&one, &other].map(|values| Estimate::of(values).percent());
        Finding::seeds(condition(labels, tuned, compared), measure, &minus(&one, &other))
            .above(0.0)
            .sentence(format!("{with} and {without}."))
    };
    for labels in 0..sizes.len() {
        for (tuned, name, what) in [
            (false, "accuracy", "test accuracy"),
            (true, "accuracy", "test accuracy"),
            (true, "nearest", "test accuracy of the nearest training image"),
        ] {
            let measure = format!("{what}, λ = {} minus cross-entropy alone", lambdas[least]);
            report = report.finding(difference(labels, tuned, [least, alone], name, measure));
        }
    }
    for (other, (name, _)) in OTHERS.into_iter().enumerate().map(|(i, other)| (lambdas.len() + i, other)) {
        for tuned in [false, true] {
            let measure = format!("test accuracy with λ = {compared}, {HARD} minus {name} triplets");
            report = report.finding(difference(0, tuned, [at, other], "accuracy", measure));
        }
    }
    let row = |(labels, loss, rate): (usize, usize, usize)| {
        let percent = |column| Estimate::of(&of(labels, loss, rate, column)).percent();
        vec![
            sizes[labels].to_string(),
            losses[loss].lambda.to_string(),
            if losses[loss].lambda == 1.0 { "none".into() } else { triplets(loss).into() },
            rates[rate].to_string(),
            percent("validation"),
            percent("accuracy"),
            percent("nearest"),
        ]
    };
    let last = rates.len();
    Ok(report.table(Table::new(
        format!("All accuracies: means and 95 % intervals over {seeds} seeds"),
        3,
        ["labels", "λ", "triplets", "rate", "validation", "test", "test, nearest image"],
        cells.iter().flat_map(|&(labels, loss)| (0..last).map(move |rate| (labels, loss, rate))).map(row),
    )))
}

/// Trains an encoder and a last layer. Returns the accuracies of both together, and of the nearest training image.
fn learn(
    lab: &Lab,
    Loss { lambda, mining }: Loss,
    rate: f64,
    (images, labels): (&Images, usize),
    seed: u64,
) -> Record {
    let (mut params, mut rng) = (Params::new(), rng(seed));
    let encoder = Kind::Convolutional.encoder(&mut params, images, &mut rng);
    let last = Linear::new(&mut params, "last", FEATURES, DIGITS, &mut rng);
    let triplets = BatchTripletLoss { mining, margin: lab.number("margin"), normalize: true };
    encoders::train(
        lab,
        &mut params,
        &*encoder,
        (&images.train, labels),
        rate,
        &mut rng,
        |features, labels| {
            let entropy = softmax_cross_entropy(last.forward(features), labels);
            if lambda == 1.0 {
                return entropy;
            }
            lambda * entropy + (1.0 - lambda) * triplets.loss(features, labels)
        },
    );
    let model = (&*encoder, last);
    let mut workspace = Workspace::new();
    let [validation, accuracy] = [&images.valid, &images.test]
        .map(|rows| rows.accuracy(rows.logits(&mut workspace, &params, &model).view()));
    let few = images.train.first(labels);
    let [train, test] = [&few, &images.test].map(|rows| encoders::unit_features(&params, &*encoder, rows));
    let nearest = encoders::nearest((&train, &few.labels), (&test, &images.test.labels));
    Record::once("encoders", [("validation", validation), ("accuracy", accuracy), ("nearest", nearest)])
}

fn gain_chart(lab: &Lab, arms: &[(String, Vec<Record>)]) -> Chart {
    let ends = Vec::from_iter(arms.iter().map(|(name, records)| {
        let last = mean(&Vec::from_iter(records.iter().map(|record| record.last("gain"))));
        format!("{:+.1} points with {name}", 100.0 * last)
    }));
    let arms = Vec::from_iter(
        arms.iter().map(|(name, records)| Arm { name: name.clone(), records: records.iter().collect() }),
    );
    let chart = Chart::new("What triplets add to cross-entropy")
        .subtitle("convolutional net, batch-hard triplets, each loss at its own best rate")
        .x_label("share of the triplet loss, 1 - λ")
        .y_label("test accuracy minus that of cross-entropy alone")
        .percent_y()
        .include_y(0.0)
        .alt(lab.text_with("alt: gain", &[("ends", &ends.join(", "))]));
    fan(chart, &arms, "share", "gain")
}
