//! Threes and few eights: do weights change the order of the scores, or only the threshold?

use surprisal_data::metrics::{
    average_precision_score, precision_recall_curve, precision_recall_f1, roc_auc_score,
};
use surprisal_data::{Batches, Dataset};
use surprisal_layers::{Layer, Linear, rng};
use surprisal_loss::{BinaryCrossEntropyWithLogits, Reduction, SigmoidFocalLoss};
use surprisal_optim::Sgd;
use surprisal_tensor::{Params, Scalar, Var, Workspace};

use crate::gallery::{
    Arm, Finding, Head, Lab, LabError, Record, Report, Rows, Training, fan_of_shares, three_parts,
};
use surprisal_report::Table;
use surprisal_report::chart::{Chart, Line};
use surprisal_report::statistics::{Estimate, highest, mean, minus};

/// The loss of an arm.
#[derive(Clone, Copy)]
enum Loss {
    Plain,
    /// The loss of an eight is multiplied by the number of threes per eight.
    Weighted,
    /// With α, or without weights.
    Focal(Option<f64>),
    Squared,
}

const ARMS: [(&str, Loss); 6] = [
    ("cross-entropy", Loss::Plain),
    ("weighted", Loss::Weighted),
    ("focal", Loss::Focal(None)),
    ("focal, α = 0.25", Loss::Focal(Some(0.25))),
    ("focal, α = 0.75", Loss::Focal(Some(0.75))),
    ("squared error", Loss::Squared),
];
const PLAIN: usize = 0;
const WEIGHTED: usize = 1;
const FOCAL: usize = 2;

/// An eight is a 1. Only the training images are imbalanced.
struct Data {
    train: Rows<f64>,
    /// The same images with shuffled labels.
    shuffled: Rows<f64>,
    valid: Rows<f64>,
    test: Rows<f64>,
}

struct Job {
    arm: usize,
    rate: usize,
    seed: usize,
}

pub(super) fn run(lab: &Lab, report: Report) -> Result<Report, LabError> {
    let (rates, rate) = (lab.numbers("logistic_rates"), lab.place("logistic_rate", "logistic_rates")?);
    let data = lab.seeds.iter().map(|&seed| threes_and_eights(lab, seed)).collect::<Result<Vec<_>, _>>()?;
    let mut jobs = vec![];
    for arm in 0..ARMS.len() {
        for rate in 0..rates.len() {
            jobs.extend((0..lab.seeds.len()).map(|seed| Job { arm, rate, seed }));
        }
    }
    let label = |job: &Job| {
        [
            ("loss", ARMS[job.arm].0.into()),
            ("rate", rates[job.rate].to_string()),
            ("seed", lab.seeds[job.seed].to_string()),
        ]
    };
    let runs = lab.runs("threes and eights", &jobs, label, |job| {
        train(lab, &data[job.seed], job.arm, rates[job.rate], lab.seeds[job.seed])
    })?;

    // ---- measure
    let seeds = lab.seeds.len();
    let of = |arm: usize, rate: usize| &runs[(arm * rates.len() + rate) * seeds..][..seeds];
    let values = |arm, rate, column: &str| {
        of(arm, rate).iter().map(|[measures, ..]| measures.last(column)).collect::<Vec<f64>>()
    };
    let best = |arm, by: &str| {
        let of = |rate| mean(&values(arm, rate, by));
        highest(&(0..rates.len()).map(of).collect::<Vec<_>>())
    };

    // ---- verdict
    let margin = lab.number("ranking_margin");
    let mut report = report.captioned(
        lab,
        "precision-recall",
        curves(
            lab,
            rates[rate],
            &|arm| of(arm, rate).iter().map(|[_, curve, _]| curve).collect(),
            "recall",
            "precision",
        )
        .to_svg(),
    );
    for tuned in [false, true] {
        for (arm, other, column) in [
            (WEIGHTED, PLAIN, "recall"),
            (FOCAL, PLAIN, "recall"),
            (WEIGHTED, PLAIN, "average_precision"),
            (FOCAL, WEIGHTED, "average_precision"),
        ] {
            let by = if column == "recall" { "validation_accuracy" } else { "validation" };
            let chosen = |arm| if tuned { best(arm, by) } else { rate };
            let [own, others] = [arm, other].map(|arm| values(arm, chosen(arm), column));
            let condition = match tuned {
                true => format!(
                    "A rare class, each at its own best rate ({} and {})",
                    rates[chosen(arm)],
                    rates[chosen(other)]
                ),
                false => format!("A rare class, at the same rate {}", rates[rate]),
            };
            let what = if column == "recall" { "recall at threshold ½" } else { "average precision" };
            let values_text = format!(
                "{}: {}; {}: {}.",
                ARMS[arm].0,
                Estimate::of(&own).percent(),
                ARMS[other].0,
                Estimate::of(&others).percent()
            );
            let difference = minus(&own, &others);
            let finding = Finding::seeds(
                condition,
                format!("{what}, {} minus {}", ARMS[arm].0, ARMS[other].0),
                &difference,
            );
            report = report.finding(match column {
                "recall" => finding
                    .above(0.0)
                    .sentence(lab.text_with("finding: threshold", &[("values", &values_text)])),
                _ => finding.within(margin).sentence(
                    lab.text_with("finding: ranking", &[("margin", &margin), ("values", &values_text)]),
                ),
            });
        }
    }
    let percent = |arm, rate, column: &str| Estimate::of(&values(arm, rate, column)).percent();
    let row = |(arm, rate): (usize, usize)| {
        let of = |column| percent(arm, rate, column);
        vec![
            ARMS[arm].0.into(),
            rates[rate].to_string(),
            of("recall"),
            of("precision"),
            of("average_precision"),
            of("roc_auc"),
        ]
    };
    Ok(report
        .section("A rare class")
        .paragraphs(lab.text("note: best rate"))
        .captioned(lab, "recall", curves(lab, rates[rate], &|arm| of(arm, rate).iter().map(|[_, _, recall]| recall).collect(), "threshold", "recall").to_svg())
        .paragraphs(lab.text("note: focus"))
        .table(Table::new(
            format!("{} threes and {} eights, tested on equally many of both: mean and 95 % interval over {seeds} seeds", lab.count("threes"), lab.count("eights")),
            1,
            ["loss", "rate", "recall at ½", "precision at ½", "average precision", "area under ROC"],
            (0..ARMS.len()).flat_map(|arm| (0..rates.len()).map(move |rate| (arm, rate))).map(row),
        )))
}

/// Splits the data, then imbalances the training set.
fn threes_and_eights(lab: &Lab, seed: u64) -> Result<Data, LabError> {
    let mut rng = rng(seed);
    let parts = ["valid", "test"].map(|key| (key, lab.number(key)));
    let [train, valid, test] = three_parts(&Dataset::digits().only_classes(&["3", "8"])?, parts, &mut rng)?;
    for (key, there) in ["threes", "eights"].into_iter().zip(train.class_counts()) {
        if lab.count(key) > there {
            return Err(LabError::Usage(format!(
                "{key}: {} training images, but there are only {there} without the validation and test images",
                lab.count(key)
            )));
        }
    }
    let train = train.imbalanced(&[lab.count("threes"), lab.count("eights")], &mut rng)?;
    let mut order = Batches::new(train.rows(), train.rows())?;
    order.shuffle(&mut rng);
    let mut shuffled = train.clone();
    *shuffled.targets.labels_mut() = order.iter().flatten().map(|&row| train.labels()[row]).collect();
    let [train, shuffled, valid, test] = [train, shuffled, valid, test].map(|part| Rows::new(&part, 16.0));
    Ok(Data { train, shuffled, valid, test })
}

impl Loss {
    fn loss<'t>(self, lab: &Lab, z: Var<'t>, targets: Var<'t>) -> Var<'t> {
        match self {
            Loss::Plain => Head::SigmoidCrossEntropy.loss(z, targets),
            Loss::Weighted => {
                let pos_weight = Some(vec![lab.number("threes") / lab.number("eights")]);
                BinaryCrossEntropyWithLogits { pos_weight, ..Default::default() }.loss(z, targets)
            }
            Loss::Focal(alpha) => {
                let (alpha, gamma) = (alpha.unwrap_or(-1.0), lab.number("gamma")); // -1 for no weights
                SigmoidFocalLoss { reduction: Reduction::Mean, alpha, gamma }.loss(z, targets)
            }
            Loss::Squared => Head::SigmoidSquared.loss(z, targets),
        }
    }
}

/// The metrics of an arm; its precision as one eight after the other is found; its recall at every threshold.
fn train(lab: &Lab, data: &Data, arm: usize, rate: f64, seed: u64) -> [Record; 3] {
    let (mut params, mut rng, mut workspace) = (Params::<f64>::default(), rng(seed), Workspace::new());
    let (train, loss) = match (lab.broken, arm) {
        (false, _) => (&data.train, ARMS[arm].1),
        (true, WEIGHTED) => (&data.shuffled, Loss::Plain),
        (true, _) => (&data.train, Loss::Plain),
    };
    let model = Linear::new(&mut params, "pixels", train.x.ncols(), 1, &mut rng);
    let rows = train.labels.len();
    Training { epochs: lab.count("logistic_epochs"), rows, batch: rows }.run(
        &mut params,
        &mut Sgd::new(rate),
        &mut rng,
        |tape, rows| {
            let [x, targets] = train.batch(tape, rows);
            loss.loss(lab, model.forward(x), targets)
        },
        |_, _| true,
    );
    let [valid, test] = [&data.valid, &data.test].map(|part| {
        let logits = part.logits(&mut workspace, &params, &model);
        logits.iter().map(|z| if z.is_finite() { *z } else { f64::MIN }).collect::<Vec<f64>>() // an overflow finds nothing
    });
    let both = "finite scores of both classes";
    let labels = &data.test.labels;
    let probabilities: Vec<f64> = test.iter().map(|z| z.sigmoid()).collect();
    let at_half = precision_recall_f1(labels, &probabilities, 0.5).expect(both);
    let right =
        valid.iter().zip(&data.valid.labels).filter(|&(&z, &label)| usize::from(z >= 0.0) == label).count();
    let measures = Record::once(
        "measures",
        [
            ("recall", at_half.recall),
            ("precision", at_half.precision),
            ("average_precision", average_precision_score(labels, &test).expect(both)),
            ("roc_auc", roc_auc_score(labels, &test).expect(both)),
            ("validation_accuracy", right as f64 / valid.len() as f64),
            ("validation", average_precision_score(&data.valid.labels, &valid).expect(both)),
        ],
    );
    let curve = precision_recall_curve(labels, &test).expect(both);
    let eights = labels.iter().sum::<usize>();
    let mut precision = Record::new("precision_recall", &["recall", "precision"]);
    for found in (1..=eights).map(|found| found as f64 / eights as f64) {
        let cut = curve.recall.iter().rposition(|&recall| recall >= found).expect("recall starts at 1");
        precision.push([found, curve.precision[cut]]);
    }
    let mut recall = Record::new("recall", &["threshold", "recall"]);
    for threshold in (0..=50).map(|i| f64::from(i) / 50.0) {
        let found =
            labels.iter().zip(&probabilities).filter(|&(&label, &p)| label == 1 && p >= threshold).count();
        recall.push([threshold, found as f64 / eights as f64]);
    }
    [measures, precision, recall]
}

/// The three arms of the verdicts, and squared error.
fn curves<'a>(lab: &Lab, rate: f64, of: &dyn Fn(usize) -> Vec<&'a Record>, x: &str, y: &str) -> Chart {
    let shown = [PLAIN, WEIGHTED, FOCAL, ARMS.len() - 1];
    let arms = shown.map(|arm| Arm { name: ARMS[arm].0.into(), records: of(arm) });
    let title = if x == "recall" { "The ranking" } else { "The threshold" };
    let middle = arms.iter().map(|arm| {
        let at: Vec<f64> = arm
            .records
            .iter()
            .map(|record| record.column(y))
            .map(|values| values[values.len() / 2])
            .collect();
        format!("{} {:.2}", arm.name, mean(&at))
    });
    let alt = lab.text_with(
        "alt: curves",
        &[("y", &y), ("x", &x), ("middle", &middle.collect::<Vec<_>>().join(", "))],
    );
    let chart = Chart::new(title)
        .subtitle(format!(
            "{} threes and {} eights, logistic regression, rate {rate}",
            lab.count("threes"),
            lab.count("eights")
        ))
        .x_label(match x {
            "recall" => "recall: fraction of the eights that are found",
            other => other,
        })
        .y_label(match y {
            "precision" => "precision: fraction of eights among the images found",
            other => other,
        })
        .percent_y()
        .include_y(1.0)
        .alt(alt);
    if y == "recall" {
        return fan_of_shares(chart, &arms, x, y);
    }
    // bands would hide that the means are one line
    arms.iter().fold(chart, |chart, arm| {
        let columns: Vec<_> = arm.records.iter().map(|record| record.column(y)).collect();
        let at = |i: usize| mean(&columns.iter().map(|column| column[i]).collect::<Vec<_>>());
        let points = arm.records[0].column(x).into_iter().enumerate().map(|(i, x)| (x, at(i)));
        chart.line(Line::new(&*arm.name, points))
    })
}
