//! Ten digits, with initial weights so large that squared error is nearly level: cross-entropy first, then squared error.

use std::cell::Cell;

use surprisal_data::Dataset;
use surprisal_layers::{Activation, Init, Layer, Mlp, Sizes, rng};
use surprisal_optim::Sgd;
use surprisal_tensor::{Params, Workspace};

use crate::gallery::{
    Arm, Expected, Finding, Head, Lab, LabError, Record, Report, Rows, Training, fan_of_shares, three_parts,
};
use surprisal_report::Table;
use surprisal_report::chart::Chart;
use surprisal_report::statistics::{Estimate, highest, mean, minus};

/// The loss before the switch, and after.
const ARMS: [(&str, [Head; 2]); 3] = [
    ("cross-entropy", [Head::SoftmaxCrossEntropy; 2]),
    ("squared error", [Head::SoftmaxSquared; 2]),
    ("cross-entropy, then squared error", [Head::SoftmaxCrossEntropy, Head::SoftmaxSquared]),
];
const ENTROPY: usize = 0;
const SQUARED: usize = 1;
const SWITCHED: usize = 2;

struct Job {
    arm: usize,
    rate: usize,
    seed: usize,
}

/// Training, validation and test set of each seed.
pub(super) type Data = Vec<[Rows<f32>; 3]>;

/// Splits the data, and checks the settings before anything is trained.
pub(super) fn data(lab: &Lab) -> Result<Data, LabError> {
    let (epochs, switch, batch) = (lab.count("epochs"), lab.count("switch"), lab.count("batch"));
    lab.place("rate", "rates")?;
    if switch >= epochs {
        return Err(LabError::Usage(format!(
            "switch: expected an epoch before the last of {epochs}, found {switch}"
        )));
    }
    let parts = ["valid", "test"].map(|key| (key, lab.number(key)));
    let split = |&seed: &u64| -> Result<[Rows<f32>; 3], LabError> {
        Ok(three_parts(&Dataset::digits(), parts, &mut rng(seed))?.map(|part| Rows::new(&part, 16.0)))
    };
    let data: Data = lab.seeds.iter().map(split).collect::<Result<_, _>>()?;
    match data.iter().map(|[train, ..]| train.labels.len()).find(|&rows| rows < batch) {
        Some(rows) => {
            Err(LabError::Usage(format!("batch: {batch} images in a step, but there are only {rows}")))
        }
        None => Ok(data),
    }
}

pub(super) fn run(lab: &Lab, report: Report, data: &Data) -> Result<Report, LabError> {
    let (rates, rate) = (lab.numbers("rates"), lab.place("rate", "rates")?);
    let (epochs, switch) = (lab.count("epochs"), lab.count("switch"));
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
    let runs = lab.runs("ten digits", &jobs, label, |job| {
        // broken: without cross-entropy
        let losses = ARMS[if lab.broken && job.arm == SWITCHED { SQUARED } else { job.arm }].1;
        [train(lab, &data[job.seed], losses, rates[job.rate], lab.seeds[job.seed])]
    })?;

    // ---- measure
    let seeds = lab.seeds.len();
    let of = |arm: usize, rate: usize| &runs[(arm * rates.len() + rate) * seeds..][..seeds];
    let ends =
        |arm, rate, column: &str| of(arm, rate).iter().map(|[run]| run.last(column)).collect::<Vec<f64>>();
    let best = |arm| {
        let of = |rate| mean(&ends(arm, rate, "validation"));
        highest(&(0..rates.len()).map(of).collect::<Vec<_>>())
    };

    // ---- verdict
    let (margin, mut report) = (lab.number("margin"), report);
    for tuned in [false, true] {
        let chosen = [0, 1, 2].map(|arm| if tuned { best(arm) } else { rate });
        let accuracy = [0, 1, 2].map(|arm| ends(arm, chosen[arm], "accuracy"));
        let condition = match tuned {
            true => format!(
                "A change of loss, each at its own best rate ({})",
                chosen.map(|rate| rates[rate].to_string()).join(", ")
            ),
            false => format!("A change of loss, at the same rate {}", rates[rate]),
        };
        let values = (0..ARMS.len())
            .map(|arm| format!("{}: {}", ARMS[arm].0, Estimate::of(&accuracy[arm]).percent()))
            .collect::<Vec<_>>()
            .join("; ");
        let [won, left] = [SQUARED, ENTROPY].map(|other| minus(&accuracy[SWITCHED], &accuracy[other]));
        report = report
            .finding(
                Finding::seeds(
                    condition.clone(),
                    "test accuracy, cross-entropy and then squared error minus squared error alone",
                    &won,
                )
                .above(0.0)
                .sentence(format!("{values}.")),
            )
            .finding(
                Finding::seeds(
                    condition,
                    "test accuracy, cross-entropy and then squared error minus cross-entropy alone",
                    &left,
                )
                .within(margin)
                .and("the same difference", Estimate::of(&left), Expected::NotAbove(0.0))
                .and("what cross-entropy adds to squared error", Estimate::of(&won), Expected::Above(0.0))
                .sentence(lab.text("finding: no improvement")),
            );
    }
    let arms = [0, 1, 2].map(|arm| Arm {
        name: ARMS[arm].0.into(),
        records: of(arm, rate).iter().map(|[run]| run).collect(),
    });
    let last = arms.iter().map(|arm| {
        format!(
            "{} {:.3}",
            arm.name,
            mean(&arm.records.iter().map(|run| run.last("accuracy")).collect::<Vec<_>>())
        )
    });
    let chart = Chart::new("Ten digits from large initial weights")
        .subtitle(format!(
            "64-{}-10, weights from N(0, {}²), rate {}",
            lab.count("hidden"),
            lab.number("deviation"),
            rates[rate]
        ))
        .x_label("epoch")
        .y_label("test accuracy")
        .percent_y()
        .include_y(0.0)
        .include_y(1.0)
        .vertical(switch as f64, "the switch")
        .alt(lab.text_with(
            "alt: switch",
            &[("switch", &switch), ("ends", &last.collect::<Vec<_>>().join(", "))],
        ));
    let row = |(arm, rate): (usize, usize)| {
        vec![
            ARMS[arm].0.into(),
            rates[rate].to_string(),
            Estimate::of(&ends(arm, rate, "accuracy")).percent(),
        ]
    };
    Ok(report
        .section("A change of loss")
        .captioned(lab, "switch", fan_of_shares(chart, &arms, "epoch", "accuracy").to_svg())
        .table(Table::new(
            format!("Test accuracy after {epochs} epochs: mean and 95 % interval over {seeds} seeds"),
            1,
            ["loss", "rate", "accuracy"],
            (0..ARMS.len()).flat_map(|arm| (0..rates.len()).map(move |rate| (arm, rate))).map(row),
        )))
}

/// Where the loss overflows, the trajectory ends with the last whole epoch.
fn train(
    lab: &Lab,
    [train, valid, test]: &[Rows<f32>; 3],
    [first, then]: [Head; 2],
    rate: f64,
    seed: u64,
) -> Record {
    let (mut params, mut rng, mut workspace) = (Params::new(), rng(seed), Workspace::new());
    let sizes = Sizes::new(&[train.x.ncols(), lab.count("hidden"), train.outputs]).expect("counts are not 0");
    let start = Init::Normal(lab.number("deviation"));
    let model = Mlp::with_init(&mut params, &sizes, Activation::Sigmoid, start, start, &mut rng);
    let training =
        Training { epochs: lab.count("epochs"), rows: train.labels.len(), batch: lab.count("batch") };
    let mut trajectory = Record::new("trajectory", &["epoch", "accuracy", "validation"]);
    let loss = Cell::new(first);
    training.run(
        &mut params,
        &mut Sgd::new(rate),
        &mut rng,
        |tape, rows| {
            let [x, targets] = train.batch(tape, rows);
            loss.get().loss(model.forward(x), targets)
        },
        |epoch, params| {
            if epoch == lab.count("switch") {
                loss.set(then);
            }
            let [held_out, unseen] =
                [valid, test].map(|part| part.accuracy(part.logits(&mut workspace, params, &model).view()));
            trajectory.push([epoch as f64, unseen, held_out]);
            true
        },
    );
    trajectory
}
