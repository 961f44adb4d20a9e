//! Do the loss and the accuracy agree about when to stop, and about which net is best? Nets on digits that train too long.

use surprisal_data::{Dataset, argmax_rows};
use surprisal_layers::{Activation, Layer, Mlp, Sizes, rng};
use surprisal_loss::{Reduction, SoftmaxCrossEntropy, softmax_cross_entropy};
use surprisal_optim::Adam;
use surprisal_tensor::ndarray::Array2;
use surprisal_tensor::{Params, Workspace};

use crate::gallery::{
    Expected, Experiment, Finding, Knob, Lab, LabError, Record, Report, Rows, Seeds, Text, Training, short,
    three_parts,
};
use surprisal_report::Table;
use surprisal_report::chart::{Chart, Line, Panels};
use surprisal_report::statistics::{Estimate, highest, mean, minus};

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "loss-or-accuracy",
    text: Text::new(include_str!("loss_or_accuracy.md")),
    minutes: 0.08,
    seeds: Some(Seeds { first: 1, usual: 8, quick: 4 }),
    knobs: &[
        Knob::shares(
            "noise",
            "0,0.2",
            "the fractions of labels that are wrong, in the training and validation sets",
        )
        .quick("0"),
        Knob::counts("hidden", "8,32,128", "units in the hidden layer, the nets to choose from")
            .quick("32,128"),
        Knob::positives("rates", "0.003,0.01", "the learning rates (Adam), for each net").quick("0.01"),
        Knob::count("epochs", "150", "passes over the training images").quick("120"),
        Knob::count("batch", "32", "images in a step"),
        Knob::share("valid", "0.5", "the validation set, as a fraction of the images outside the test set"),
        Knob::share("test", "0.5", "the test set, as a fraction of all images"),
        Knob::share("margin", "0.01", "a difference in accuracy that counts as none"),
    ],
    run,
};

/// Training, validation and test images; those of the test set have their right labels.
type Data = [Rows<f32>; 3];

#[derive(Clone, Copy)]
struct Job {
    noise: usize,
    hidden: usize,
    rate: usize,
    seed: usize,
}

fn run(lab: &Lab) -> Result<Report, LabError> {
    let (noise, hidden, rates) = (lab.numbers("noise"), lab.setting.counts("hidden"), lab.numbers("rates"));
    let mut data = vec![];
    for &share in noise {
        data.push(lab.seeds.iter().map(|&seed| digits(lab, share, seed)).collect::<Result<Vec<_>, _>>()?);
    }
    lab.batch_of(data[0][0][0].labels.len())?;
    let mut jobs = vec![];
    for noise in 0..noise.len() {
        for hidden in 0..hidden.len() {
            for rate in 0..rates.len() {
                jobs.extend((0..lab.seeds.len()).map(|seed| Job { noise, hidden, rate, seed }));
            }
        }
    }
    let label = |job: &Job| {
        [
            ("noise", noise[job.noise].to_string()),
            ("hidden", hidden[job.hidden].to_string()),
            ("rate", rates[job.rate].to_string()),
            ("seed", lab.seeds[job.seed].to_string()),
        ]
    };
    let runs = lab.runs("nets on digits", &jobs, label, |job| {
        [train(lab, &data[job.noise][job.seed], hidden[job.hidden], rates[job.rate], lab.seeds[job.seed])]
    })?;

    // ---- measure and verdict
    let (seeds, nets, margin) = (lab.seeds.len(), hidden.len() * rates.len(), lab.number("margin"));
    if let Some((job, _)) = jobs.iter().zip(&runs).find(|(_, [run])| run.column("epoch").len() < 2) {
        return Err(LabError::Usage(format!(
            "rates: the loss overflows in the first epoch at {}: leave this rate out",
            rates[job.rate]
        )));
    }
    let run = |noise: usize, net: usize, seed: usize| &runs[(noise * nets + net) * seeds + seed][0];
    let name = |net: usize| format!("{} units, rate {}", hidden[net / rates.len()], rates[net % rates.len()]);
    let shown = nets - 1; // the largest net at the last rate
    let records = (0..seeds).map(|seed| run(0, shown, seed)).collect::<Vec<_>>();
    let mut report = pictures(lab, &records, &name(shown));
    let mut table = vec![];
    for (place, share) in noise.iter().enumerate() {
        let wrong = format!("{} % of labels wrong", short(100.0 * share));
        let one = |choose: &dyn Fn(&Record) -> usize| {
            (0..seeds).map(|seed| Chosen::new(run(place, shown, seed), choose)).collect::<Vec<_>>()
        };
        let (by_loss, by_accuracy) = (one(&|run| best(run, LOSS)), one(&|run| best(run, ACCURACY)));
        let last = one(&|run| run.column("epoch").len() - 1);
        // of all nets, each at its best epoch, the best
        let of_all = |criterion: Criterion| {
            let of_seed = |seed: usize| {
                let best_of = |net: usize| best(run(place, net, seed), criterion);
                let values = (0..nets).map(|net| criterion(run(place, net, seed))[best_of(net)]);
                let net = highest(&values.collect::<Vec<_>>());
                Chosen::new(run(place, net, seed), &|_| best_of(net))
            };
            (0..seeds).map(of_seed).collect::<Vec<_>>()
        };
        let (net_by_loss, net_by_accuracy) = (of_all(LOSS), of_all(ACCURACY));

        let [epoch, loss, accuracy] = [Chosen::epoch, Chosen::loss, Chosen::accuracy];
        let ratios = |a: &[Chosen], b: &[Chosen], of: fn(&Chosen) -> f64| {
            a.iter().zip(b).map(|(a, b)| of(a) / of(b)).collect::<Vec<f64>>()
        };
        let gap = |a: &[Chosen], b: &[Chosen]| minus(&each(a, accuracy), &each(b, accuracy));
        let condition = format!("{wrong}, the net with {}", name(shown));
        let means = |a: &[Chosen], b: &[Chosen], of| [a, b].map(|chosen| short(mean(&each(chosen, of))));
        let [late, early] = means(&by_accuracy, &by_loss, epoch);
        report = report.finding(
            Finding::ratios(
                &condition,
                "epoch of the highest validation accuracy / of the lowest validation loss",
                &ratios(&by_accuracy, &by_loss, epoch),
            )
            .above(1.0)
            .sentence(format!("Epochs {late} and {early} on average.")),
        );
        report = report.finding(
            Finding::ratios(
                &condition,
                "test loss at the last epoch / at the epoch of the lowest validation loss",
                &ratios(&last, &by_loss, loss),
            )
            .above(1.0)
            .and(
                "test accuracy, last epoch minus that epoch",
                Estimate::of(&gap(&last, &by_loss)),
                Expected::AtLeast(-margin / 2.0),
            )
            .sentence("If so, the loss says that the net gets worse, and the accuracy does not."),
        );
        let choices = [
            (condition.clone(), "epoch", &by_loss, &by_accuracy),
            (format!("{wrong}, the choice among {nets} nets"), "net", &net_by_loss, &net_by_accuracy),
        ];
        for (condition, what, by_loss, by_accuracy) in choices {
            report = report.finding(
                Finding::ratios(
                    condition,
                    format!("test loss of the {what} chosen by the accuracy / by the loss"),
                    &ratios(by_accuracy, by_loss, loss),
                )
                .above(1.0)
                .and(
                    "test accuracy, chosen by the loss minus by the accuracy",
                    Estimate::of(&gap(by_loss, by_accuracy)),
                    Expected::Within(margin),
                ),
            );
        }
        let rows = [
            ("one net: last epoch", &last),
            ("one net: epoch by the loss", &by_loss),
            ("one net: epoch by the accuracy", &by_accuracy),
            ("all nets: by the loss", &net_by_loss),
            ("all nets: by the accuracy", &net_by_accuracy),
        ];
        table.extend(rows.map(|(what, chosen)| {
            vec![
                wrong.clone(),
                what.into(),
                short(mean(&each(chosen, epoch))),
                short(mean(&each(chosen, loss))),
                Estimate::of(&each(chosen, accuracy)).percent(),
            ]
        }));
    }
    let columns = ["labels", "chosen", "epoch", "test loss", "test accuracy"];
    Ok(report.table(Table::new("Every choice: means over seeds", 2, columns, table)))
}

/// What to choose by: numbers of a run, a higher one is better.
type Criterion = fn(&Record) -> Vec<f64>;
const LOSS: Criterion = |run| run.column("valid_loss").iter().map(|loss| -loss).collect();
const ACCURACY: Criterion = |run| run.column("valid").to_vec();

/// The best epoch of a run after the first: the first of several that are equal.
fn best(run: &Record, criterion: Criterion) -> usize {
    1 + highest(&criterion(run)[1..])
}

/// A net at an epoch.
struct Chosen([f64; 3]);

impl Chosen {
    fn new(run: &Record, choose: &dyn Fn(&Record) -> usize) -> Chosen {
        let at = choose(run);
        Chosen(["epoch", "test_loss", "test"].map(|column| run.column(column)[at]))
    }
    fn epoch(&self) -> f64 {
        self.0[0]
    }
    fn loss(&self) -> f64 {
        self.0[1]
    }
    fn accuracy(&self) -> f64 {
        self.0[2]
    }
}

fn each(chosen: &[Chosen], of: fn(&Chosen) -> f64) -> Vec<f64> {
    chosen.iter().map(of).collect()
}

fn digits(lab: &Lab, noise: f64, seed: u64) -> Result<Data, LabError> {
    let mut rng = rng(seed);
    let parts = ["valid", "test"].map(|key| (key, lab.number(key)));
    let [train, valid, test] = three_parts(&Dataset::digits(), parts, &mut rng)?;
    let (train, _) = train.with_label_noise(noise, &mut rng)?;
    let (valid, _) = valid.with_label_noise(noise, &mut rng)?;
    Ok([train, valid, test].map(|part| Rows::new(&part, 16.0)))
}

/// Loss and accuracy after every epoch, and how much of the validation loss comes from images that are predicted wrongly.
fn train(lab: &Lab, [train, valid, test]: &Data, hidden: usize, rate: f64, seed: u64) -> Record {
    let (mut params, mut rng) = (Params::new(), rng(seed));
    let sizes = Sizes::new(&[train.x.ncols(), hidden, train.outputs]).expect("counts are not 0");
    let model = Mlp::new(&mut params, &sizes, Activation::Relu, &mut rng);
    let training =
        Training { epochs: lab.count("epochs"), rows: train.labels.len(), batch: lab.count("batch") };
    let columns = ["epoch", "train_loss", "valid_loss", "valid", "wrong", "right", "test_loss", "test"];
    let mut trajectory = Record::new("trajectory", &columns);
    let mut workspace = Workspace::new();
    training.run(
        &mut params,
        &mut Adam::new(rate),
        &mut rng,
        |tape, rows| {
            let labels = rows.iter().map(|&row| train.labels[row]).collect::<Vec<_>>();
            softmax_cross_entropy(model.forward(tape.rows(&train.x, rows)), &labels)
        },
        |epoch, params| {
            let of_part = [train, valid, test].map(|part| {
                let logits = part.logits(&mut workspace, params, &model);
                let losses = losses(&logits, &part.labels);
                let predicted = argmax_rows(&logits);
                let share = |right: bool| {
                    let of = losses.iter().zip(predicted.iter().zip(&part.labels));
                    let sum = of.filter(|(_, (a, b))| (a == b) == right).map(|(loss, _)| loss).sum::<f64>();
                    sum / losses.len() as f64
                };
                let accuracy = part.accuracy(logits.view());
                let loss = if lab.broken { 1.0 - accuracy } else { mean(&losses) };
                (loss, accuracy, [share(false), share(true)])
            });
            let [(train_loss, ..), (valid_loss, valid, [wrong, right]), (test_loss, test, _)] = of_part;
            trajectory.push([epoch as f64, train_loss, valid_loss, valid, wrong, right, test_loss, test]);
            true
        },
    );
    trajectory
}

/// The cross-entropy of every row.
fn losses(logits: &Array2<f32>, labels: &[usize]) -> Vec<f64> {
    let params = Params::new();
    let each = SoftmaxCrossEntropy { reduction: Reduction::None, ..Default::default() };
    let losses = Workspace::new().eval(&params, |tape| each.loss(tape.input(logits), labels));
    losses.iter().map(|&loss| f64::from(loss)).collect()
}

fn pictures(lab: &Lab, runs: &[&Record], net: &str) -> Report {
    let chosen = [LOSS, ACCURACY]
        .map(|criterion| mean(&runs.iter().map(|run| best(run, criterion) as f64).collect::<Vec<_>>()));
    let line = |column: &str| mean_line(runs, column);
    let chart = |title: &str| Chart::new(title).x_label("epoch");
    let losses = chart("Loss")
        .alt(lab.text("alt: loss"))
        .line(Line::new("", line("valid_loss")))
        .log_y()
        .vertical(chosen[0], "lowest loss");
    let errors = line("valid").into_iter().map(|(epoch, accuracy)| (epoch, 1.0 - accuracy));
    let errors = errors.filter(|(_, errors)| *errors > 0.0); // the axis is logarithmic
    let errors = chart("Errors")
        .alt(lab.text("alt: errors"))
        .line(Line::new("", errors))
        .log_y()
        .percent_y()
        .vertical(chosen[1], "fewest errors");
    let both = Panels::new("loss-or-accuracy", "The validation set while a net trains on", 2)
        .subtitle(format!("{net}, mean over seeds"))
        .panel(losses)
        .panel(errors);
    let parts = chart("Which images the validation loss comes from")
        .subtitle(format!("{net}, mean over seeds"))
        .line(Line::new("wrongly predicted images", line("wrong")).color(0))
        .line(Line::new("rightly predicted images", line("right")).color(1));
    Report::new().panels("both", both, lab.text("caption: both")).captioned(
        lab,
        "parts",
        parts.include_y(0.0).alt(lab.text("alt: parts")).to_svg(),
    )
}

/// The mean over runs after every epoch.
fn mean_line(runs: &[&Record], column: &str) -> Vec<(f64, f64)> {
    let columns = runs.iter().map(|run| run.column(column)).collect::<Vec<_>>();
    let at =
        |epoch: usize| mean(&columns.iter().filter_map(|run| run.get(epoch).copied()).collect::<Vec<_>>());
    runs[0].column("epoch").iter().skip(1).map(|&epoch| (epoch, at(epoch as usize))).collect()
}
