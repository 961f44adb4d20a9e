//! Is the expected error bias² + variance + noise, and do they trade places as a model grows?

use rand_distr::{Distribution, StandardNormal, Uniform};
use surprisal_layers::{Activation, Init, Layer, Mlp, Rng, Sizes, rng};
use surprisal_loss::mse_loss;
use surprisal_optim::Adam;
use surprisal_tensor::ndarray::Array2;
use surprisal_tensor::{Params, Workspace, symmetric_eigen};

use crate::gallery::{
    Experiment, Finding, Knob, Lab, LabError, Record, Report, Seeds, Text, Training, short,
};
use surprisal_report::Table;
use surprisal_report::chart::{Chart, Line};
use surprisal_report::statistics::{mean, minus};

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "bias-variance",
    text: Text::new(include_str!("bias_variance.md")),
    minutes: 0.12,
    seeds: Some(Seeds { first: 1, usual: 8, quick: 4 }),
    knobs: &[
        Knob::counts("degrees", "1,3,5,7,9,11", "degrees of the polynomials").quick("1,3,9"),
        Knob::counts("hidden", "1,2,3,4,8,16,32", "hidden units of the networks").quick("1,3,16"),
        Knob::count("sets", "20", "training sets for each model and seed").quick("8"),
        Knob::count("points", "20", "points in a training set"),
        Knob::positive("noise", "0.3", "the standard deviation of the noise"),
        Knob::count("epochs", "3000", "steps on all points of a training set").quick("1500"),
        Knob::positive("eta", "0.02", "the learning rate, of Adam"),
        Knob::positive(
            "tolerance",
            "0.1",
            "the largest relative difference of sum and error that counts as none",
        ),
    ],
    run,
};

/// The number of points at which models predict.
const PLACES: usize = 101;

fn truth(x: f64) -> f64 {
    (2.0 * std::f64::consts::PI * x).sin()
}

#[derive(Clone, Copy, PartialEq)]
enum Model {
    Polynomial(usize),
    Network(usize),
}

/// Models of one kind, the smallest first.
struct Family {
    name: &'static str,
    size: &'static str,
    models: Vec<Model>,
}

impl Model {
    fn size(self) -> usize {
        let (Model::Polynomial(size) | Model::Network(size)) = self;
        size
    }
}

fn run(lab: &Lab) -> Result<Report, LabError> {
    let sizes = |key: &str| {
        let sizes = lab.setting.counts(key);
        if lab.broken { vec![sizes[0]; sizes.len()] } else { sizes }
    };
    let families = [
        Family {
            name: "polynomials",
            size: "degree",
            models: sizes("degrees").into_iter().map(Model::Polynomial).collect(),
        },
        Family {
            name: "networks",
            size: "hidden units",
            models: sizes("hidden").into_iter().map(Model::Network).collect(),
        },
    ];
    let highest = sizes("degrees").into_iter().max().unwrap_or(0);
    if families.iter().any(|family| family.models.len() < 2)
        || lab.count("sets") < 2
        || highest >= lab.count("points")
    {
        let message = "degrees, hidden, sets: expected at least two models and two sets, and degrees below the number of points";
        return Err(LabError::Usage(message.into()));
    }
    let mut report = Report::new();
    let mut off = vec![0.0; lab.seeds.len()];
    let mut sections = vec![];
    let measured = families.each_ref().map(|family| Parts::measure(lab, family));
    for (family, parts) in families.iter().zip(measured) {
        let parts = parts?;
        for (off, of_family) in off.iter_mut().zip(&parts.off) {
            *off += of_family / families.len() as f64;
        }
        let last = family.models.len() - 1;
        let compared = format!(
            "{}, {} {} against {}",
            family.name,
            family.size,
            family.models[last].size(),
            family.models[0].size()
        );
        let (bias, variance) = (|m: usize| &parts.bias[m], |m: usize| &parts.variance[m]);
        let fall = minus(bias(0), bias(last));
        let rise: Vec<f64> =
            variance(last).iter().zip(variance(0)).map(|(large, small)| large / small).collect();
        let findings = [
            Finding::seeds(&compared, "bias², smallest model - largest", &fall)
                .above(0.0)
                .sentence(lab.text("finding: bias")),
            Finding::ratios(&compared, "variance, largest model / smallest", &rise)
                .above(1.0)
                .sentence(lab.text("finding: variance")),
        ];
        sections.push((family, parts, findings));
    }

    let (first, ..) = &sections[0];
    report = report.captioned(lab, "polynomials", sections[0].1.chart(lab, first).to_svg()).finding(
        Finding::seeds("Over all models", "(bias² + variance + noise) / error - 1", &off)
            .within(lab.number("tolerance"))
            .sentence(lab.text("finding: sum")),
    );
    for (_, _, findings) in &sections {
        report = findings.iter().cloned().fold(report, Report::finding);
    }
    let (family, parts, _) = &sections[1];
    report = report.section("Networks are another matter").paragraphs(lab.text("note: networks")).captioned(
        lab,
        "networks",
        parts.chart(lab, family).to_svg(),
    );
    Ok(sections.iter().fold(report, |report, (family, parts, _)| report.table(parts.table(lab, family))))
}

/// The parts of the error of every model of a family, seed by seed.
struct Parts {
    bias: Vec<Vec<f64>>,
    variance: Vec<Vec<f64>>,
    error: Vec<Vec<f64>>,
    /// The relative difference of the sum to the error: the mean over the models.
    off: Vec<f64>,
    broken: bool,
}

impl Parts {
    fn measure(lab: &Lab, family: &Family) -> Result<Parts, LabError> {
        let jobs: Vec<(usize, Model, u64)> = family
            .models
            .iter()
            .enumerate()
            .flat_map(|(i, &m)| lab.seeds.iter().map(move |&seed| (i, m, seed)))
            .collect();
        let runs = lab.runs(
            family.name,
            &jobs,
            |(i, model, seed)| {
                [
                    ("family", family.name.into()),
                    ("model", i.to_string()),
                    ("size", model.size().to_string()),
                    ("seed", seed.to_string()),
                ]
            },
            |&(_, model, seed)| decompose(lab, model, seed),
        )?;
        let of = |name: &str| -> Vec<Vec<f64>> {
            runs.chunks(lab.seeds.len())
                .map(|of_model| of_model.iter().map(|[parts, _]| parts.last(name)).collect())
                .collect()
        };
        let mut parts = Parts {
            bias: of("bias_squared"),
            variance: of("variance"),
            error: of("error"),
            off: vec![],
            broken: lab.broken,
        };
        let (models, noise) = (family.models.len(), lab.number("noise").powi(2));
        let off = |model: usize, seed: usize| parts.sum(model, noise)[seed] / parts.error[model][seed] - 1.0;
        parts.off = (0..lab.seeds.len())
            .map(|seed| (0..models).map(|m| off(m, seed)).sum::<f64>() / models as f64)
            .collect();
        Ok(parts)
    }

    fn sum(&self, model: usize, noise: f64) -> Vec<f64> {
        let variance = |v: &f64| if self.broken { 0.0 } else { *v };
        self.bias[model].iter().zip(&self.variance[model]).map(|(b, v)| b + variance(v) + noise).collect()
    }

    fn table(&self, lab: &Lab, family: &Family) -> Table {
        let noise = lab.number("noise").powi(2);
        let row = |(model, of): (usize, &Model)| {
            let means = [
                mean(&self.bias[model]),
                mean(&self.variance[model]),
                noise,
                mean(&self.sum(model, noise)),
                mean(&self.error[model]),
            ];
            [of.size().to_string()].into_iter().chain(means.map(short)).collect()
        };
        Table::new(
            format!("The parts of the error of {}: means over seeds", family.name),
            0,
            [family.size, "bias²", "variance", "noise", "sum", "error"],
            family.models.iter().enumerate().map(row),
        )
    }

    fn chart(&self, lab: &Lab, family: &Family) -> Chart {
        let line = |name: &str, f: &dyn Fn(usize) -> f64| {
            Line::new(name, family.models.iter().enumerate().map(|(i, model)| (model.size() as f64, f(i))))
        };
        let last = family.models.len() - 1;
        let ends = |values: &[Vec<f64>]| {
            format!("from {} to {}", short(mean(&values[0])), short(mean(&values[last])))
        };
        Chart::new(format!("The parts of the error of {}", family.name))
            .subtitle(format!("{} points with noise {}", lab.count("points"), lab.number("noise")))
            .x_label(family.size)
            .y_label("squared error")
            .log_y()
            .line(line("error", &|i| mean(&self.error[i])))
            .line(line("bias²", &|i| mean(&self.bias[i])))
            .line(line("variance", &|i| mean(&self.variance[i])))
            .line(line("noise", &|_| lab.number("noise").powi(2)))
            .alt(lab.text_with(
                "alt: parts",
                &[("family", &family.name), ("bias", &ends(&self.bias)), ("variance", &ends(&self.variance))],
            ))
    }
}

/// Trains a model on every set. Returns the parts of the error, and the mean predictions.
fn decompose(lab: &Lab, model: Model, seed: u64) -> [Record; 2] {
    let (mut rng, sets, noise) = (rng(seed), lab.count("sets"), lab.number("noise"));
    let places = Array2::from_shape_fn((PLACES, 1), |(i, _)| i as f64 / (PLACES - 1) as f64);
    let (mut answers, mut error) = (vec![], 0.0);
    for _ in 0..sets {
        let (x, y) = points(lab, &mut rng);
        let answer = match model {
            Model::Polynomial(degree) => fitted(degree, &x, &y, &places),
            Model::Network(hidden) => trained(lab, hidden, &x, &y, &mut rng, &places),
        };
        for (x, predicted) in places.iter().zip(&answer) {
            error += (predicted - truth(*x) - noise * normal(&mut rng)).powi(2) / (sets * PLACES) as f64;
        }
        answers.push(answer);
    }
    let mut curve = Record::new("answers", &["x", "truth", "mean", "spread"]);
    let (mut bias, mut variance) = (0.0, 0.0);
    for (i, &x) in places.iter().enumerate() {
        let mean = answers.iter().map(|answer| answer[i]).sum::<f64>() / sets as f64;
        let spread = answers.iter().map(|answer| (answer[i] - mean).powi(2)).sum::<f64>() / (sets - 1) as f64;
        // the mean of a finite number of sets has a variance of its own, which is not bias
        bias += ((mean - truth(x)).powi(2) - spread / sets as f64) / PLACES as f64;
        variance += spread / PLACES as f64;
        curve.push([x, truth(x), mean, spread.sqrt()]);
    }
    [Record::once("parts", [("bias_squared", bias), ("variance", variance), ("error", error)]), curve]
}

/// One random x in each of `count` equal parts of 0 to 1, and the y measured there.
fn points(lab: &Lab, rng: &mut Rng) -> (Array2<f64>, Array2<f64>) {
    let count = lab.count("points");
    let within = Uniform::new(0.0, 1.0).expect("a range");
    let x = Array2::from_shape_fn((count, 1), |(i, _)| (i as f64 + within.sample(rng)) / count as f64);
    let y = x.mapv(|x| truth(x) + lab.number("noise") * normal(rng));
    (x, y)
}

/// The predictions of the polynomial with the smallest squared error, in Legendre's basis, from the eigenvectors of XᵀX.
fn fitted(degree: usize, x: &Array2<f64>, y: &Array2<f64>, places: &Array2<f64>) -> Vec<f64> {
    let basis = |x: &Array2<f64>| {
        let mut columns = Array2::ones((x.nrows(), degree + 1));
        for (mut row, x) in columns.rows_mut().into_iter().zip(x) {
            let x = 2.0 * x - 1.0;
            row[1] = x; // a degree is at least 1
            for k in 2..=degree {
                row[k] = ((2 * k - 1) as f64 * x * row[k - 1] - (k - 1) as f64 * row[k - 2]) / k as f64;
            }
        }
        columns
    };
    let columns = basis(x);
    let (values, vectors) = symmetric_eigen(&columns.t().dot(&columns));
    let largest = values.last().copied().unwrap_or(0.0);
    let along = vectors.t().dot(&columns.t().dot(y));
    let scaled = Array2::from_shape_fn(along.raw_dim(), |(k, _)| {
        if values[k] > 1e-12 * largest { along[[k, 0]] / values[k] } else { 0.0 } // the points do not determine it
    });
    basis(places).dot(&vectors.dot(&scaled)).into_iter().collect()
}

/// The predictions of a network trained on the points.
fn trained(
    lab: &Lab,
    hidden: usize,
    x: &Array2<f64>,
    y: &Array2<f64>,
    rng: &mut Rng,
    places: &Array2<f64>,
) -> Vec<f64> {
    let points = x.nrows();
    let mut params = Params::<f64>::default();
    let sizes = Sizes::new(&[1, hidden, 1]).expect("counts are not 0");
    let model =
        Mlp::with_init(&mut params, &sizes, Activation::Tanh, Init::Normal(2.0), Init::Normal(1.0), rng);
    let training = Training { epochs: lab.count("epochs"), rows: points, batch: points };
    training.run(
        &mut params,
        &mut Adam::new(lab.number("eta")),
        rng,
        |tape, _| mse_loss(model.forward(tape.input(x)), tape.input(y)),
        |_, _| true,
    );
    Workspace::new().eval(&params, |tape| model.forward(tape.input(places))).into_iter().collect()
}

fn normal(rng: &mut Rng) -> f64 {
    StandardNormal.sample(rng)
}
