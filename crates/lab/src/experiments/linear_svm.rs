//! Logistic regression and the linear support vector machine: is the loss the only difference? And what happens to a feature
//! that is there twice?

use surprisal_data::metrics::roc_auc_score;
use surprisal_data::{Dataset, Standardize, stratified_split};
use surprisal_layers::rng;
use surprisal_loss::{hinge_loss, soft_margin_loss};
use surprisal_optim::Sgd;
use surprisal_tensor::ndarray::{Array1, Array2, ArrayView1, Axis, concatenate};
use surprisal_tensor::{Params, Var};

use crate::gallery::{Experiment, Finding, Knob, Lab, LabError, Record, Report, Seeds, Text, Training};
use surprisal_report::chart::{Chart, Line};
use surprisal_report::statistics::mean;

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "linear-svm",
    text: Text::new(include_str!("linear_svm.md")),
    minutes: 0.01,
    seeds: Some(Seeds { first: 1, usual: 8, quick: 4 }),
    knobs: &[
        Knob::positive("eta", "0.1", "the learning rate"),
        Knob::count("epochs", "2000", "steps on all training rows").quick("1000"),
        Knob::positive("decay", "0.001", "weight decay: the factor of the L2 penalty"),
        Knob::positive("margin", "0.02", "the largest difference of AUCs that counts as none"),
    ],
    run,
};

#[derive(Clone, Copy, PartialEq)]
enum Loss {
    Logistic,
    Hinge,
}

impl Loss {
    fn of<'t>(self, scores: Var<'t>, signs: Var<'t>) -> Var<'t> {
        match self {
            Loss::Logistic => soft_margin_loss(scores, signs),
            Loss::Hinge => hinge_loss(scores, signs),
        }
    }
    /// Whether an example with this score times its sign has a gradient that is not 0.
    fn pulls(self, score: f64) -> bool {
        self == Loss::Logistic || score < 1.0
    }
}

/// Features, and +1 or -1.
type Rows = (Array2<f64>, Vec<usize>);

struct Model {
    weights: Vec<f64>, // and the bias
    auc: f64,
    pulling: f64,
    curve: Vec<f64>,
}

fn run(lab: &Lab) -> Result<Report, LabError> {
    let splits = lab.seeds.iter().map(|&seed| split(seed)).collect::<Result<Vec<_>, _>>()?;
    let jobs: Vec<(usize, u64)> = lab.seeds.iter().copied().enumerate().collect();
    let results = lab.runs(
        "splits of the tumors",
        &jobs,
        |(_, seed)| [("seed", seed.to_string())],
        |&(i, seed)| {
            let (train, test) = &splits[i];
            let logistic = fit(lab, Loss::Logistic, train, test);
            let svm = match lab.broken {
                false => fit(lab, Loss::Hinge, train, test),
                true => fit(lab, Loss::Logistic, &(train.0.clone(), shuffled(&train.1, seed)), test),
            };
            let features = train.0.ncols();
            let largest = (0..features)
                .max_by(|&a, &b| logistic.weights[a].abs().total_cmp(&logistic.weights[b].abs()))
                .unwrap_or(0);
            let [train2, test2] = [(train, false), (test, true)].map(|((x, y), testing)| {
                let copy = match lab.broken {
                    false => x.column(largest).to_owned(),
                    true => y
                        .iter()
                        .map(|&yes| if (yes == 1) != testing { 3.0 } else { -3.0 })
                        .collect::<Array1<f64>>(),
                };
                (
                    concatenate(Axis(1), &[x.view(), copy.view().insert_axis(Axis(1))])
                        .expect("as many rows"),
                    y.clone(),
                )
            });
            let twice = fit(lab, Loss::Logistic, &train2, &test2);
            let copies = [twice.weights[largest], twice.weights[features]];
            let mut curve = Record::new("training", &["epoch", "logistic_pulling", "svm_pulling"]);
            for (epoch, (a, b)) in logistic.curve.iter().zip(&svm.curve).enumerate() {
                curve.push([epoch as f64, *a, *b]);
            }
            let record = Record::once(
                "models",
                [
                    ("logistic_auc", logistic.auc),
                    ("svm_auc", svm.auc),
                    ("twice_auc", twice.auc),
                    ("logistic_pulling", logistic.pulling),
                    ("svm_pulling", svm.pulling),
                    ("weight", logistic.weights[largest]),
                    ("copy_1", copies[0]),
                    ("copy_2", copies[1]),
                ],
            );
            [record, curve]
        },
    )?;

    // ---- measure
    let of = |name: &str| results.iter().map(|[r, _]| r.last(name)).collect::<Vec<f64>>();
    let each = |f: fn(f64, f64) -> f64, a: &str, b: &str| {
        of(a).into_iter().zip(of(b)).map(|(a, b)| f(a, b)).collect::<Vec<f64>>()
    };
    let share: Vec<f64> = (0..results.len())
        .map(|i| of("copy_1")[i].abs().max(of("copy_2")[i].abs()) / of("weight")[i].abs())
        .collect();

    // ---- verdict
    let margin = lab.number("margin");
    let report = Report::new()
        .captioned(lab, "losses", losses_chart(lab).to_svg())
        .finding(
            Finding::seeds(
                "Same model, same steps, same data",
                "AUC, SVM minus logistic regression",
                &each(|a, b| a - b, "svm_auc", "logistic_auc"),
            )
            .within(margin)
            .sentence(lab.text_with(
                "finding: ranking",
                &[
                    ("svm", &format!("{:.4}", mean(&of("svm_auc")))),
                    ("logistic", &format!("{:.4}", mean(&of("logistic_auc")))),
                ],
            )),
        )
        .finding(
            Finding::seeds(
                "At the end of training",
                "fraction of training rows that pull, SVM minus logistic regression",
                &each(|a, b| a - b, "svm_pulling", "logistic_pulling"),
            )
            .below(0.0)
            .sentence(lab.text_with(
                "finding: rows that pull",
                &[
                    ("svm", &format!("{:.0}", 100.0 * mean(&of("svm_pulling")))),
                    ("logistic", &format!("{:.0}", 100.0 * mean(&of("logistic_pulling")))),
                ],
            )),
        )
        .finding(
            Finding::seeds(
                "With the feature of the largest weight twice",
                "the larger of the two weights / the weight of the feature alone",
                &share,
            )
            .below(1.0)
            .sentence(lab.text("finding: two copies")),
        )
        .finding(
            Finding::seeds(
                "With the feature of the largest weight twice",
                "AUC, with the copy minus without",
                &each(|a, b| a - b, "twice_auc", "logistic_auc"),
            )
            .within(margin),
        );
    Ok(report.captioned(lab, "pulling", pulling_chart(lab, &results[0][1]).to_svg()))
}

fn split(seed: u64) -> Result<(Rows, Rows), LabError> {
    let (train, test) = stratified_split(&Dataset::breast_cancer(), 0.25, &mut rng(seed))?;
    let standardize = Standardize::fit(&train.features)?;
    Ok((
        (standardize.apply(&train.features)?, train.labels().to_vec()),
        (standardize.apply(&test.features)?, test.labels().to_vec()),
    ))
}

/// The same labels in another order.
fn shuffled(labels: &[usize], seed: u64) -> Vec<usize> {
    let mut batches =
        surprisal_data::Batches::new(labels.len(), labels.len()).expect("one batch of all rows");
    batches.shuffle(&mut rng(seed));
    batches.iter().flatten().map(|&row| labels[row]).collect()
}

/// Trains a linear model, with initial weights of 0.
fn fit(lab: &Lab, loss: Loss, (x, labels): &Rows, (test, test_labels): &Rows) -> Model {
    let mut params = Params::<f64>::default();
    let (w, b) = (params.add("w", &Array2::zeros((x.ncols(), 1))), params.add("b", &Array1::zeros(1)));
    let sign = |label: &usize| if *label == 1 { 1.0 } else { -1.0 };
    let y = Array2::from_shape_fn((labels.len(), 1), |(i, _)| sign(&labels[i]));
    let (decay, rows) = (lab.number("decay"), labels.len());
    let scores = |theta: &[f64], x: &Array2<f64>| {
        let (bias, weights) = theta.split_last().expect("weights and a bias");
        x.dot(&ArrayView1::from(weights)) + *bias
    };
    let mut curve = vec![];
    Training { epochs: lab.count("epochs"), rows, batch: rows }.run(
        &mut params,
        &mut Sgd::new(lab.number("eta")),
        &mut rng(0), // all rows in a step have no order
        |tape, _| {
            let z = tape.input(x).affine(tape.param(w), tape.param(b));
            loss.of(z, tape.input(&y)) + tape.param(w).square().sum() * decay
        },
        |_, params| {
            let pulling =
                scores(params.as_slice(), x).iter().zip(&y).filter(|(s, y)| loss.pulls(*s * *y)).count();
            curve.push(pulling as f64 / rows as f64);
            true
        },
    );
    let predicted = scores(params.as_slice(), test).to_vec();
    let auc = roc_auc_score(test_labels, &predicted).unwrap_or(f64::NAN); // scores that are not finite cannot be ranked
    Model {
        weights: params.as_slice().to_vec(),
        auc,
        pulling: curve.last().copied().unwrap_or(f64::NAN),
        curve,
    }
}

// ---- charts

fn losses_chart(lab: &Lab) -> Chart {
    let line = |name: &str, f: fn(f64) -> f64| {
        Line::new(name, (-30..=40).map(|i| f64::from(i) / 10.0).map(|s| (s, f(s))))
    };
    Chart::new("Two losses of a score")
        .subtitle("for the target yes")
        .x_label("score s")
        .y_label("loss")
        .line(line("logistic, ln(1 + e^-s)", |s| (-s).exp().ln_1p()))
        .line(line("hinge, max(0, 1 - s)", |s| (1.0 - s).max(0.0)))
        .alt(lab.text("alt: losses"))
}

fn pulling_chart(lab: &Lab, curve: &Record) -> Chart {
    Chart::new("Rows that pull at the weights")
        .subtitle("first split")
        .x_label("epoch")
        .y_label("fraction of training rows")
        .percent_y()
        .include_y(0.0)
        .line(Line::new("logistic regression", curve.points("epoch", "logistic_pulling")))
        .line(Line::new("SVM", curve.points("epoch", "svm_pulling")))
        .alt(lab.text_with("alt: pulling", &[("svm", &format!("{:.0}", 100.0 * curve.last("svm_pulling")))]))
}
