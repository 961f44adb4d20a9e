//! Cross-entropy or squared error? The same models from the same initial parameters under two losses, on real data.
//!
//! Each scenario is trained once at the same learning rate and once with each loss at its own best rate of a grid, for several seeds of
//! split, initial parameters and row order. Progress is measured in epochs to a training accuracy and in test accuracy.

mod page;

use surprisal_data::{Dataset, Standardize, stratified_split};
use surprisal_layers::{Activation, Init, Mlp, Sizes, rng};
use surprisal_optim::Sgd;
use surprisal_tensor::Params;
use surprisal_train::{Epoch, Examples, Objective, Trainer};

use crate::gallery::{Experiment, Finding, Knob, Lab, LabError, Record, Report, Seeds, Text};
use surprisal_report::Verdict;
use surprisal_report::statistics::{Estimate, mean, minus};

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "compare",
    text: Text::new(include_str!("../compare.md")),
    minutes: 0.13,
    seeds: Some(Seeds { first: 7, usual: 8, quick: 2 }),
    knobs: &[
        Knob::word("data", &["both", "breast_cancer", "digits"], "both", "the data to compare on"),
        Knob::word("first", &LOSSES, "ce", "the loss that is claimed to learn faster"),
        Knob::word("second", &LOSSES, "mse", "the loss that it is compared with"),
        Knob::positive("rate", "0.1", "the learning rate that both losses share"),
        Knob::share("accuracy", "0.97", "the training accuracy to reach"),
        Knob::positives(
            "logistic_rates",
            "0.01,0.03,0.1,0.3,1,3,10,30,100,300,1000",
            "the learning rates of logistic regression among which each loss finds its own best",
        ),
        Knob::count("logistic_epochs", "400", "its epochs, of one step each").quick("200"),
        Knob::positives("net_rates", "0.03,0.1,0.3,1,3", "the same of the net"),
        Knob::count("net_epochs", "60", "its epochs, in batches of 32 rows").quick("30"),
    ],
    run,
};

const LOSSES: [&str; 3] = ["ce", "mse", "half_mse"];

/// One model on one data set from the same initial parameters.
struct Scenario {
    /// Its name in files.
    id: &'static str,
    title: &'static str,
    data: &'static str,
    sizes: &'static str,
    /// How weights and biases are initialized.
    init: [Init; 2],
    /// Rows in a step; `None` for all of them.
    batch: Option<usize>,
    /// The settings of its grid of rates and its epochs.
    knobs: [&'static str; 2],
}

const ZERO: Scenario = Scenario {
    id: "breast_cancer-zero",
    title: "Logistic regression with zero initial weights",
    data: "breast_cancer",
    sizes: "30-1",
    init: [Init::Zeros, Init::Zeros],
    batch: None,
    knobs: ["logistic_rates", "logistic_epochs"],
};
static SCENARIOS: [Scenario; 3] = [
    Scenario {
        id: "breast_cancer-saturated",
        title: "Logistic regression, initially confident and wrong",
        init: [Init::Constant(1.0), Init::Zeros],
        ..ZERO
    },
    ZERO,
    Scenario {
        id: "digits-mlp",
        title: "A small net on handwritten digits",
        data: "digits",
        sizes: "64-32-10",
        init: [Init::Linear, Init::Linear],
        batch: Some(32),
        knobs: ["net_rates", "net_epochs"],
    },
];

/// The share of rows that the model never sees in training.
const TEST_SHARE: f64 = 0.25;

/// One loss at one learning rate: a record of epochs for each seed, without rows if the run failed.
struct Arm {
    loss: Objective,
    rate: f64,
    runs: Vec<Record>,
}

/// All arms of one scenario.
struct Outcome {
    scenario: &'static Scenario,
    epochs: usize,
    accuracy: f64,
    /// Both losses at the rate they share.
    same: [Arm; 2],
    /// Both losses at every rate of the grid.
    grid: [Vec<Arm>; 2],
    /// For each loss the index of its own best rate: fewest epochs on average, the first of equals.
    best: [usize; 2],
}

impl Arm {
    /// The last value of a column, for each run that did not fail.
    fn ends(&self, column: &str) -> Vec<f64> {
        self.trained().map(|run| run.last(column)).collect()
    }
    fn trained(&self) -> impl Iterator<Item = &Record> {
        self.runs.iter().filter(|run| !run.column("epoch").is_empty())
    }
    /// The gradient norm before training, for each run.
    fn initial_norms(&self) -> Vec<f64> {
        self.trained().map(|run| run.column("gradient_norm")[0]).collect()
    }
}

/// The first epoch with at least this training accuracy.
fn reached(run: &Record, accuracy: f64) -> Option<f64> {
    run.points("epoch", "train_accuracy").iter().find(|point| point.1 >= accuracy).map(|point| point.0)
}

impl Outcome {
    /// Epochs to the accuracy, for each seed; one more than were trained where it was not reached.
    fn epochs(&self, arm: &Arm) -> Vec<f64> {
        let limit = self.epochs as f64 + 1.0;
        arm.runs.iter().map(|run| reached(run, self.accuracy).unwrap_or(limit)).collect()
    }
    /// The same, and how many seeds did not reach the accuracy.
    fn missed(&self, arm: &Arm) -> (Vec<f64>, usize) {
        let epochs = self.epochs(arm);
        let missed = epochs.iter().filter(|&&e| e > self.epochs as f64).count();
        (epochs, missed)
    }
    fn same(&self) -> [&Arm; 2] {
        self.same.each_ref()
    }
    fn best(&self) -> [&Arm; 2] {
        [0, 1].map(|loss| &self.grid[loss][self.best[loss]])
    }
}

fn run(lab: &Lab) -> Result<Report, LabError> {
    let loss = |key| lab.setting.word(key).parse().expect("the words are names of losses");
    let losses: [Objective; 2] = ["first", "second"].map(loss);
    if losses[0] == losses[1] {
        return Err(LabError::Usage(format!(
            "{} is compared with itself: choose two different losses",
            losses[0]
        )));
    }
    let data = lab.setting.word("data");
    let scenarios = SCENARIOS.iter().filter(|scenario| data == "both" || data == scenario.data);
    let outcomes = Vec::from_iter(scenarios.map(|scenario| train(lab, scenario, losses)));
    let outcomes: Vec<Outcome> = outcomes.into_iter().collect::<Result<_, _>>()?;
    outcomes.iter().for_each(|outcome| keep(lab, outcome));
    Ok(page::report(lab, losses, &outcomes))
}

/// Trains every arm of a scenario.
fn train(lab: &Lab, scenario: &'static Scenario, losses: [Objective; 2]) -> Result<Outcome, LabError> {
    let (grid, shared) = (lab.numbers(scenario.knobs[0]), lab.number("rate"));
    let (epochs, accuracy) = (lab.count(scenario.knobs[1]), lab.number("accuracy"));
    let prepared = lab.seeds.iter().map(|&seed| prepare(scenario, seed)).collect::<Result<Vec<_>, _>>()?;
    let rates: Vec<f64> = std::iter::once(shared).chain(grid.iter().copied()).collect();
    let mut jobs = vec![];
    for loss in 0..2 {
        for rate in 0..rates.len() {
            jobs.extend((0..lab.seeds.len()).map(|seed| (loss, rate, seed)));
        }
    }
    let label = |&(loss, rate, seed): &(usize, usize, usize)| {
        [
            ("loss", losses[loss].name().to_string()),
            ("rate", rates[rate].to_string()),
            ("seed", lab.seeds[seed].to_string()),
        ]
    };
    let runs = lab.try_runs(scenario.id, &jobs, label, |&(loss, rate, seed)| {
        let objective = losses[if lab.broken { 1 } else { loss }];
        let mut record = Record::new("history", &Epoch::COLUMNS);
        let (train, test, model, params) = &prepared[seed];
        let trainer = Trainer {
            objective,
            epochs,
            batch_size: scenario.batch.unwrap_or(train.rows()),
            seed: lab.seeds[seed],
            measure_gradient: true,
            ..Trainer::default()
        };
        let mut sgd = Sgd::new(rates[rate]);
        match trainer.on(train).validate(test).fit(model, &mut params.clone(), &mut sgd) {
            Ok(history) => {
                for epoch in history.epochs() {
                    record.push(epoch.cells().map(|cell| cell.unwrap_or(f64::NAN)));
                }
            }
            // too large a rate of the grid is a result
            Err(error) if rate == 0 => {
                return Err(LabError::Failure(format!("{} under {objective}: {error}", scenario.id)));
            }
            Err(_) => {}
        }
        Ok([record])
    })?;
    let mut runs = runs.into_iter().map(|[run]| run);
    let mut arms = losses.map(|loss| -> Vec<Arm> {
        let arm = |&rate| Arm { loss, rate, runs: runs.by_ref().take(lab.seeds.len()).collect() };
        rates.iter().map(arm).collect()
    });
    let same = arms.each_mut().map(|arms| arms.remove(0));
    let mut outcome = Outcome { scenario, epochs, accuracy, same, grid: arms, best: [0; 2] };
    outcome.best = [0, 1].map(|loss| {
        let means: Vec<f64> = outcome.grid[loss].iter().map(|arm| mean(&outcome.epochs(arm))).collect();
        (0..means.len()).fold(0, |best, i| if means[i] < means[best] { i } else { best })
    });
    Ok(outcome)
}

type Prepared = (Examples<f64>, Examples<f64>, Mlp, Params<f64>);

/// The rows and initial parameters of one seed: the same for both losses and every rate.
fn prepare(scenario: &Scenario, seed: u64) -> Result<Prepared, LabError> {
    let mut rng = rng(seed);
    let (mut train, mut test) = stratified_split(&Dataset::named(scenario.data)?, TEST_SHARE, &mut rng)?;
    if scenario.data == "breast_cancer" {
        let standardize = Standardize::fit(&train.features)?; // test rows are unknown in training
        train.features = standardize.apply(&train.features)?;
        test.features = standardize.apply(&test.features)?;
    } else {
        [&mut train, &mut test].into_iter().for_each(|part| part.features /= 16.0); // pixels 0 to 16
    }
    let sizes: Sizes = scenario.sizes.parse().expect("the sizes of a scenario are a list of sizes");
    let (mut params, [weight, bias]) = (Params::default(), scenario.init);
    let model = Mlp::with_init(&mut params, &sizes, Activation::Relu, weight, bias, &mut rng);
    Ok((Examples::new(&train), Examples::new(&test), model, params))
}

/// Keeps the end of every run, and every epoch of those in the pictures.
fn keep(lab: &Lab, outcome: &Outcome) {
    let id = outcome.scenario.id;
    for arm in outcome.same.iter().chain(outcome.grid.iter().flatten()) {
        for (run, seed) in arm.runs.iter().zip(&lab.seeds) {
            let labels = vec![
                ("scenario", id.to_string()),
                ("loss", arm.loss.name().into()),
                ("learning_rate", arm.rate.to_string()),
                ("seed", seed.to_string()),
            ];
            let values = [
                ("accuracy", outcome.accuracy),
                ("epochs_to_accuracy", reached(run, outcome.accuracy).unwrap_or(f64::NAN)),
                ("final_train_accuracy", run.last("train_accuracy")),
                ("final_test_accuracy", run.last("validation_accuracy")),
            ];
            lab.keep_labeled(labels, Record::once("summary", values));
        }
    }
    for (condition, arms) in [("same", outcome.same()), ("best", outcome.best())] {
        for arm in arms {
            for (run, seed) in arm.runs.iter().zip(&lab.seeds) {
                let mut run = run.clone();
                run.name = format!("history/{id}-{condition}-{}-rate{}", arm.loss.name(), arm.rate);
                lab.keep_labeled(vec![("seed", seed.to_string())], run);
            }
        }
    }
}

/// The claim "the first loss needs fewer epochs", at the shared rate and at each loss's own best.
fn findings(outcome: &Outcome) -> [Finding; 2] {
    let rates = outcome.best().map(|arm| arm.rate);
    [
        (outcome.same(), format!("at the same learning rate {}", outcome.same[0].rate)),
        (outcome.best(), format!("each at its own best learning rate ({} and {})", rates[0], rates[1])),
    ]
    .map(|(arms, condition)| {
        let [first, second] = arms.map(|arm| arm.loss);
        let [a, b] = arms.map(|arm| outcome.epochs(arm));
        let measure = format!("epochs under {second} minus under {first}");
        let condition = format!("{}, {condition}", outcome.scenario.title);
        let finding = Finding::seeds(condition, measure, &minus(&b, &a)).above(0.0);
        let conclusion = match finding.verdict {
            Verdict::Supported => format!("here {first} was faster"),
            Verdict::NotSupported => format!("here {second} was faster"),
            Verdict::Equal => "both took the same with every seed".to_string(),
            Verdict::Inconclusive => "a difference is not shown".to_string(),
        };
        let [x, y] = arms.map(|arm| needed(outcome, arm));
        finding.sentence(format!(
            "To {} % training accuracy, {first} took {x}, {second} {y}: {conclusion}.{}{}",
            100.0 * outcome.accuracy,
            stall(arms),
            accuracy(arms)
        ))
    })
}

/// "12.5 epochs", or how many runs did not reach the accuracy.
fn needed(outcome: &Outcome, arm: &Arm) -> String {
    let ((epochs, missed), limit) = (outcome.missed(arm), outcome.epochs);
    let (mean, all) = (mean(&epochs), epochs.len());
    match missed {
        0 => format!("{mean:.1} epochs on average"),
        _ if missed == all => format!("more than {limit} epochs in every one of {all} runs"),
        _ => format!(
            "{mean:.1} epochs or more on average ({missed} of {all} runs did not reach it in {limit})"
        ),
    }
}

/// What explains a stall, if there is one: how much larger the first gradient is at the same parameters.
fn stall([first, second]: [&Arm; 2]) -> String {
    let [a, b] = [first, second].map(|arm| arm.initial_norms().iter().sum::<f64>());
    let ratio = a / b;
    if first.rate != second.rate || !ratio.is_finite() || ratio < 2.0 {
        return String::new();
    }
    format!(
        " Initially, at the same parameters, the gradient norm of {} is {ratio:.0} times as large.",
        first.loss
    )
}

fn accuracy(arms: [&Arm; 2]) -> String {
    let [x, y] = arms.map(|arm| arm.ends("validation_accuracy"));
    if arms.iter().any(|arm| arm.trained().count() < arm.runs.len()) {
        return String::new();
    }
    let Estimate { mean, low, high } = Estimate::of(&minus(&x, &y));
    let better = |arm: &Arm| {
        format!(" After training, {} was {:.1} points better on unseen rows.", arm.loss, 100.0 * mean.abs())
    };
    if low > 0.0 {
        better(arms[0])
    } else if high < 0.0 {
        better(arms[1])
    } else if high - low > 0.1 {
        " After training, their accuracy on unseen rows varied too much between seeds to tell which is better.".into()
    } else {
        " After training, their accuracy on unseen rows did not differ by more than chance.".into()
    }
}

/// One verdict over all scenarios for each condition: how many comparisons went which way.
fn conclusions([first, second]: [Objective; 2], found: &[[Finding; 2]]) -> [(Verdict, String); 2] {
    let conditions = ["At the same learning rate", "With each loss at its own best learning rate"];
    [0, 1].map(|i| {
        let verdicts: Vec<Verdict> = found.iter().map(|findings| findings[i].verdict).collect();
        let (all, one) = (verdicts.len(), verdicts[0]);
        let verdict = if verdicts.iter().all(|&v| v == one) { one } else { Verdict::Inconclusive };
        let parts = [
            (Verdict::Supported, format!("faster than {second}")),
            (Verdict::NotSupported, "slower".into()),
            (Verdict::Equal, "exactly as fast".into()),
            (Verdict::Inconclusive, "neither clearly faster nor slower".into()),
        ];
        let counts = parts.iter().map(|(kind, what)| (verdicts.iter().filter(|v| *v == kind).count(), what));
        let parts: Vec<String> = counts
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| format!("{what} in {n} of {all} settings"))
            .collect();
        let condition = conditions[i];
        (
            verdict,
            format!("{condition}, {first} learned {} (faster in all {all} expected).", parts.join(", ")),
        )
    })
}
