//! Is it only the learning rate? Logistic regression from four initial weights, with a rate for each and with one rate for all.

use surprisal_data::{Dataset, Standardize};
use surprisal_layers::{Init, rng};
use surprisal_optim::Sgd;
use surprisal_tensor::ndarray::{ArcArray2, Array1, Array2, Axis};
use surprisal_tensor::{Params, Tape, Workspace};

use crate::gallery::{
    Expected, Experiment, Finding, Head, Knob, Lab, LabError, Record, Report, Seeds, Text, Training, short,
};
use surprisal_report::Table;
use surprisal_report::chart::{HeatMap, Panels};

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "only-the-rate",
    text: Text::new(include_str!("only_the_rate.md")),
    minutes: 0.09,
    seeds: Some(Seeds { first: 1, usual: 8, quick: 3 }),
    knobs: &[
        Knob::positives(
            "rates",
            "0.03,0.1,0.3,1,3,10,30,100,300,1000,3000,10000",
            "the learning rates among which both losses choose",
        )
        .quick("3,30,100,300,3000"),
        Knob::numbers("starts", "0,0.3,1,3", "the initial values of all weights"),
        Knob::share("threshold", "0.97", "the accuracy to reach"),
        Knob::count("cap", "3000", "the last epoch to wait for").quick("500"),
    ],
    run,
};

/// The least ratio of epochs that counts as more than a matter of tuning.
const LEAST: Expected = Expected::AtLeast(2.0);
const WHAT: &str = "epochs under squared error / under cross-entropy";

fn run(lab: &Lab) -> Result<Report, LabError> {
    let losses = [
        if lab.broken { Head::SigmoidCrossEntropy } else { Head::SigmoidSquared },
        Head::SigmoidCrossEntropy,
    ];
    let cancer = Set::of("breast cancer", &Dataset::breast_cancer(), [0, 1])?;
    let reversed = cancer.rows("breast cancer in reverse", (0..cancer.labels.len()).rev())?;
    let others = [
        Set::of("breast cancer (yes is malignant)", &Dataset::breast_cancer(), [1, 0])?,
        Set::of("digits 3 or 8", &Dataset::digits(), [3, 8])?,
        Set::of("iris versicolor or virginica", &Dataset::iris(), [1, 2])?,
    ];
    let redrawn = lab.seeds.iter().map(|&seed| cancer.redrawn(seed)).collect::<Result<Vec<_>, _>>()?;
    let sets: Vec<Set> = [cancer, reversed].into_iter().chain(others).chain(redrawn).collect();
    let jobs: Vec<_> = sets.iter().flat_map(|set| [(set, 0), (set, 1)]).collect();
    let records = lab.runs(
        "descent from every initial weight at every rate",
        &jobs,
        |&(set, arm)| [("data", set.name.clone()), ("arm", ["squared error", "cross-entropy"][arm].into())],
        |&(set, arm)| [sweep(lab, set, losses[arm])],
    )?;
    let grids: Vec<Grid> = records.iter().map(|[record]| Grid::new(lab, record)).collect();
    let pairs: Vec<[&Grid; 2]> = grids.chunks_exact(2).map(|pair| [&pair[0], &pair[1]]).collect();

    // ---- measure
    let worst = pairs[0].map(|grid| grid.each_start().into_iter().fold(0.0, f64::max));
    let one = pairs[0].map(Grid::one_rate);
    let there = pairs[0][1].worst(one[0].0);
    let of = |[squared, entropy]: [&Grid; 2]| ratio(lab, squared.one_rate().1, entropy.one_rate().1);
    let (elsewhere, from_seeds) = pairs[2..].split_at(pairs.len() - 2 - lab.seeds.len());
    let lowest = elsewhere.iter().map(|&pair| of(pair)).fold(f64::INFINITY, f64::min);
    let redrawn: Vec<f64> = from_seeds.iter().map(|&pair| of(pair)).collect();
    let never = |pairs: &[[&Grid; 2]]| {
        [0, 1].map(|arm| pairs.iter().any(|pair| pair[arm].one_rate().1.is_infinite()))
    };

    // ---- verdict
    let epochs_text = |epochs: f64| epochs_text(lab, epochs);
    let report = Report::new()
        .panels("epochs", maps(lab, pairs[0]), lab.text("caption: epochs"))
        .finding(
            compare(
                lab,
                "Each initial weight with its own best rate, slowest of them",
                worst,
                Expected::Above(1.0),
            )
            .sentence(lab.text_with(
                "finding: own rates",
                &[
                    ("starts", &list(lab.numbers("starts").iter().map(|&x| short(x)))),
                    ("squared", &list(pairs[0][0].each_start().into_iter().map(epochs_text))),
                    ("entropy", &list(pairs[0][1].each_start().into_iter().map(epochs_text))),
                ],
            )),
        )
        .finding(
            compare(
                lab,
                "One rate for all initial weights, best for each loss, slowest of them",
                one.map(|(_, epochs)| epochs),
                LEAST,
            )
            .sentence(format!(
                "{} epochs at rate {} against {} at rate {}.",
                epochs_text(one[0].1),
                short(one[0].0),
                epochs_text(one[1].1),
                short(one[1].0),
            )),
        )
        .finding(
            compare(
                lab,
                &format!(
                    "The same rate for both losses, the best of squared error ({}), slowest initial weight",
                    short(one[0].0)
                ),
                [one[0].1, there],
                LEAST,
            )
            .sentence(format!(
                "{} epochs against {}.",
                epochs_text(one[0].1),
                epochs_text(there)
            )),
        )
        .finding(
            bounded(
                Finding::ratios("One rate for all initial weights, on the same data redrawn", WHAT, &redrawn),
                never(from_seeds),
            )
            .expect(LEAST)
            .sentence(lab.text("finding: redrawn")),
        )
        .finding(
            bounded(
                Finding::deterministic(
                    "One rate for all initial weights, on other data",
                    format!("smallest of {} ratios of {WHAT}", elsewhere.len()),
                    lowest,
                ),
                never(elsewhere),
            )
            .expect(LEAST)
            .sentence("The table below has all of them."),
        );
    let rows = pairs.iter().zip(&sets).map(|(&pair, set)| {
        let [squared, entropy] = pair
            .map(Grid::one_rate)
            .map(|(rate, epochs)| format!("{} at {}", epochs_text(epochs), short(rate)));
        vec![set.name.clone(), set.labels.len().to_string(), squared, entropy, short(of(pair))]
    });
    Ok(report
        .section("Why one rate is not enough")
        .paragraphs(lab.text("note: why"))
        .table(Table::new(
            "Epochs from the slowest initial weight, each loss at its best single rate",
            1,
            ["data", "rows", "squared error", "cross-entropy", "ratio"],
            rows,
        ))
        .section("How exact these numbers are")
        .paragraphs(rounding(lab, &pairs)))
}

/// A table of standardized numbers, and for each row whether the target is yes.
struct Set {
    name: String,
    features: Array2<f64>,
    labels: Vec<usize>,
}

impl Set {
    /// The rows of two classes.
    fn of(name: &str, data: &Dataset, [no, yes]: [usize; 2]) -> Result<Set, LabError> {
        let rows: Vec<usize> = (0..data.rows()).filter(|&i| [no, yes].contains(&data.labels()[i])).collect();
        let labels = data.labels().iter().map(|&label| usize::from(label == yes)).collect();
        Set { name: String::new(), features: data.features.clone(), labels }.rows(name, rows)
    }

    /// Some rows, standardized anew.
    fn rows(&self, name: &str, rows: impl IntoIterator<Item = usize>) -> Result<Set, LabError> {
        let rows: Vec<usize> = rows.into_iter().collect();
        let mut features = self.features.select(Axis(0), &rows);
        Standardize::fit(&features)?.apply_in_place(&mut features)?;
        Ok(Set { name: name.into(), features, labels: rows.iter().map(|&i| self.labels[i]).collect() })
    }

    /// The same number of rows, drawn with replacement.
    fn redrawn(&self, seed: u64) -> Result<Set, LabError> {
        let n = self.labels.len();
        let mut places = vec![0.0; n];
        Init::Uniform(0.5).fill(&mut places, 1, 1, &mut rng(seed));
        let row = |u: f64| (((u + 0.5) * n as f64) as usize).min(n - 1);
        self.rows(&format!("{} redrawn with seed {seed}", self.name), places.into_iter().map(row))
    }
}

/// The first epoch with the accuracy to reach, from every initial weight at every rate; infinite if there is none.
fn sweep(lab: &Lab, set: &Set, loss: Head) -> Record {
    let rows = set.labels.len();
    let x: ArcArray2<f64> = set.features.to_shared();
    let y = ArcArray2::from_shape_fn((rows, 1), |(i, _)| set.labels[i] as f64);
    let mut record = Record::new("epochs", &["start", "rate", "epochs"]);
    for &start in lab.numbers("starts") {
        for &rate in lab.numbers("rates") {
            let mut params = Params::default();
            let w = params.add("w", &Array2::from_elem((x.ncols(), 1), start));
            let b = params.add("b", &Array1::zeros(1));
            let mut scores = Workspace::new();
            let mut reached = f64::INFINITY;
            Training { epochs: lab.count("cap"), rows, batch: rows }.run(
                &mut params,
                &mut Sgd::new(rate),
                &mut rng(0), // all rows at once have no order
                |tape: &Tape, _| {
                    loss.loss(tape.shared(&x).affine(tape.param(w), tape.param(b)), tape.shared(&y))
                },
                |epoch, params| {
                    let z = scores.eval(params, |tape| tape.shared(&x).affine(tape.param(w), tape.param(b)));
                    let right =
                        z.iter().zip(&set.labels).filter(|&(&z, &label)| (z > 0.0) == (label == 1)).count();
                    if right as f64 >= lab.number("threshold") * rows as f64 {
                        reached = epoch as f64;
                    }
                    reached.is_infinite()
                },
            );
            record.push([start, rate, reached]);
        }
    }
    record
}

/// Epochs by initial weight and rate.
struct Grid {
    rates: Vec<f64>,
    /// For each initial weight, at every rate.
    epochs: Vec<Vec<f64>>,
}

impl Grid {
    fn new(lab: &Lab, record: &Record) -> Grid {
        let rates = lab.numbers("rates").to_vec();
        let epochs = record.column("epochs").chunks(rates.len()).map(<[f64]>::to_vec).collect();
        Grid { rates, epochs }
    }

    /// The fewest epochs of each initial weight.
    fn each_start(&self) -> Vec<f64> {
        self.epochs.iter().map(|row| row.iter().copied().fold(f64::INFINITY, f64::min)).collect()
    }

    /// The epochs of the slowest initial weight at a rate.
    fn worst(&self, rate: f64) -> f64 {
        let place = self.rates.iter().position(|&other| other == rate).unwrap_or(0); // all rates come from here
        self.epochs.iter().map(|row| row[place]).fold(0.0, f64::max)
    }

    /// The rate at which the slowest initial weight takes the fewest epochs, and their number.
    fn one_rate(&self) -> (f64, f64) {
        let all = self.rates.iter().map(|&rate| (rate, self.worst(rate)));
        all.fold((self.rates[0], f64::INFINITY), |best, now| if now.1 < best.1 { now } else { best })
    }
}

/// The ratio of epochs; fewer than 1 count as 1, and "never" counts as the cap.
fn ratio(lab: &Lab, squared: f64, entropy: f64) -> f64 {
    let counted = |epochs: f64| epochs.clamp(1.0, lab.number("cap"));
    counted(squared) / counted(entropy)
}

/// The verdict on the epochs of squared error and of cross-entropy.
fn compare(lab: &Lab, condition: &str, epochs: [f64; 2], expected: Expected) -> Finding {
    let ratio = ratio(lab, epochs[0], epochs[1]);
    bounded(Finding::deterministic(condition, WHAT, ratio), epochs.map(f64::is_infinite)).expect(expected)
}

/// A ratio with an end that was never reached: no upper bound if that is squared error's, no lower one if it is cross-entropy's.
fn bounded(mut finding: Finding, [squared, entropy]: [bool; 2]) -> Finding {
    if squared {
        finding.estimate.high = f64::INFINITY;
    }
    if entropy {
        finding.estimate.low = 0.0;
    }
    finding
}

fn epochs_text(lab: &Lab, epochs: f64) -> String {
    if epochs.is_finite() { epochs.to_string() } else { format!("over {}", lab.count("cap")) }
}

fn list(items: impl IntoIterator<Item = String>) -> String {
    items.into_iter().collect::<Vec<_>>().join(", ")
}

/// Which numbers change if the same sums are taken in another order.
fn rounding(lab: &Lab, pairs: &[[&Grid; 2]]) -> String {
    let mut changed = vec![];
    for (arm, name) in ["squared error", "cross-entropy"].iter().enumerate() {
        let [here, there] = [pairs[0][arm], pairs[1][arm]];
        for ((start, here), there) in lab.numbers("starts").iter().zip(&here.epochs).zip(&there.epochs) {
            for ((rate, &a), &b) in lab.numbers("rates").iter().zip(here).zip(there) {
                if a != b {
                    changed.push(format!(
                        "{name}, initial weight {start}, rate {rate}: {} becomes {}",
                        epochs_text(lab, a),
                        epochs_text(lab, b)
                    ));
                }
            }
        }
    }
    let cells = 2 * lab.numbers("starts").len() * lab.numbers("rates").len();
    let which = if changed.is_empty() { String::new() } else { format!(" ({})", changed.join("; ")) };
    lab.text_with("note: rounding", &[("count", &changed.len()), ("cells", &cells), ("which", &which)])
}

// ---- charts

fn maps(lab: &Lab, grids: [&Grid; 2]) -> Panels {
    let finite =
        || grids.iter().flat_map(|grid| grid.epochs.iter().flatten()).copied().filter(|x| x.is_finite());
    let slowest = finite().fold(2.0, f64::max);
    let map = |name: &str, grid: &Grid| {
        let (rate, worst) = grid.one_rate();
        HeatMap::new(name)
            .subtitle(format!("one rate for all: {} epochs at {}", epochs_text(lab, worst), short(rate)))
            .x_label("initial value of all weights")
            .y_label("learning rate")
            .value_label("epochs")
            .columns(lab.numbers("starts").iter().map(|&x| short(x)))
            .rows(lab.numbers("rates").iter().map(|&x| short(x)))
            .values((0..grid.rates.len()).map(|j| grid.epochs.iter().map(move |row| row[j].max(1.0))))
            .scale(1.0, slowest)
            .log()
            .decimals(0)
            .missing(format!("> {}", lab.count("cap")))
            .alt(lab.text_with(
                "alt: epochs",
                &[("epochs", &list(grid.each_start().into_iter().map(|e| epochs_text(lab, e))))],
            ))
    };
    Panels::new(
        "only-the-rate-epochs",
        format!("Epochs to an accuracy of {} %", short(100.0 * lab.number("threshold"))),
        2,
    )
    .subtitle("breast cancer, logistic regression")
    .panel(map("squared error", grids[0]))
    .panel(map("cross-entropy", grids[1]))
}
