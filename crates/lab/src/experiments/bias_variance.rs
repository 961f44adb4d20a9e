//! Is the expected error bias² + variance + noise, and do they trade places as a model grows?

use rand_distr::{Distribution, StandardNormal, Uniform};
use surprisal_layers::{Activation, Init, Layer, Mlp, Rng, Sizes, rng};
use surprisal_loss::mse_loss;
use surprisal_optim::Adam;
use surprisal_tensor::ndarray::Array2;
use surprisal_tensor::{Params, Workspace};

use crate::chart::{Chart, Line};
use crate::gallery::{Experiment, Finding, Knob, Lab, LabError, Record, Report, Seeds, Training, short};
use crate::page::{Align, Table};

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "bias-variance",
    title: "Too simple, too free",
    claim: "the expected squared error is bias² + variance + noise; as a model grows, bias falls and variance rises",
    background: &[
        "Someone measures y at places x: y = sin(2πx) + noise. From a few such points a model is trained, and asked about places it has not seen. With \
         other points it would have become another model. Over many sets of points its answers have a mean and a spread.",
        "The *bias* is how far that mean is from the truth: a model that is too simple misses it whatever the points. The *variance* is the spread: a \
         model that is too free follows the noise of the points it happened to see. The *noise* is in what is asked for and nobody can predict it. The \
         expected squared error is the sum bias² + variance + noise.",
        "Here models are networks with a hidden layer of more and more neurons, each trained on many sets of points of their own.",
    ],
    falsified_if: "the measured error is not the sum of the three, or bias does not fall, or variance does not rise",
    broken: "the variance is left out of the sum, and every model gets the same single hidden neuron",
    source: "Geman, Bienenstock and Doursat, \"Neural networks and the bias/variance dilemma\" (1992).",
    minutes: 0.5,
    seeds: Some(Seeds { usual: 8, quick: 4 }),
    knobs: &[
        Knob::counts("hidden", "1,2,3,4,8,16,32", "neurons in the hidden layer, model by model")
            .quick("1,3,16"),
        Knob::count("sets", "20", "sets of points for each model and seed").quick("8"),
        Knob::count("points", "15", "points in a set"),
        Knob::positive("noise", "0.3", "the standard deviation of the noise"),
        Knob::count("epochs", "3000", "steps on all points of a set").quick("1500"),
        Knob::positive("eta", "0.02", "the learning rate, of Adam"),
        Knob::positive(
            "tolerance",
            "0.1",
            "the share by which sum and error may differ: the error is measured on noise of its own",
        ),
    ],
    run,
};

/// Where models are asked.
const PLACES: usize = 101;

fn truth(x: f64) -> f64 {
    (2.0 * std::f64::consts::PI * x).sin()
}

fn run(lab: &Lab) -> Result<Report, LabError> {
    let hidden: Vec<usize> =
        lab.setting.counts("hidden").iter().map(|&h| if lab.broken { 1 } else { h }).collect();
    if hidden.len() < 2 || lab.count("sets") < 2 {
        return Err(LabError::Usage(
            "hidden and sets: at least two models are compared, on at least two sets".into(),
        ));
    }
    let jobs: Vec<(usize, usize, u64)> = hidden
        .iter()
        .enumerate()
        .flat_map(|(i, &h)| lab.seeds.iter().map(move |&seed| (i, h, seed)))
        .collect();
    let runs = lab.runs(
        "models on sets of points",
        &jobs,
        |(i, h, seed)| [("model", i.to_string()), ("hidden", h.to_string()), ("seed", seed.to_string())],
        |&(_, h, seed)| decompose(lab, h, seed),
    )?;

    // ---- measure
    let seeds = lab.seeds.len();
    let of = |model: usize, name: &str| {
        runs[model * seeds..][..seeds].iter().map(|[parts, _]| parts.last(name)).collect::<Vec<f64>>()
    };
    let last = hidden.len() - 1;
    let sum = |model: usize| {
        let variance = if lab.broken { vec![0.0; seeds] } else { of(model, "variance") };
        of(model, "bias_squared")
            .iter()
            .zip(variance)
            .map(|(b, v)| b + v + lab.number("noise").powi(2))
            .collect::<Vec<f64>>()
    };
    let ratio = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a / b).collect::<Vec<f64>>();
    let minus = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
    // over all models, seed by seed
    let off: Vec<f64> = (0..seeds)
        .map(|seed| {
            (0..=last).map(|model| sum(model)[seed] / of(model, "error")[seed]).sum::<f64>()
                / (last + 1) as f64
                - 1.0
        })
        .collect();

    // ---- verdict
    let smallest_and_largest = format!("{} hidden neurons against {}", hidden[last], hidden[0]);
    let report = Report::new()
        .figure("parts", parts_chart(lab, &hidden, &of).to_svg(),
            "To the left the error is bias: the model cannot bend as the truth does. To the right it is variance: the model bends to the noise.")
        .finding(
            Finding::seeds("Over all models", "(bias² + variance + noise) / error - 1", &off)
                .within(lab.number("tolerance"))
                .say(format!("The error is measured on answers with noise of their own; within ±{} counts as equal.", lab.number("tolerance"))),
        )
        .finding(
            Finding::seeds(&smallest_and_largest, "bias², smallest model - largest", &minus(&of(0, "bias_squared"), &of(last, "bias_squared")))
                .above(0.0)
                .say("A larger model misses the truth by less, on average over what it was trained on."),
        )
        .finding(
            Finding::ratios(&smallest_and_largest, "variance, largest model / smallest", &ratio(&of(last, "variance"), &of(0, "variance")))
                .above(1.0)
                .say("A larger model depends more on the points that it happened to see."),
        );
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    let row = |model: usize| {
        let parts = ["bias_squared", "variance"].map(|name| short(mean(of(model, name))));
        let [bias, variance] = parts;
        vec![
            hidden[model].to_string(),
            bias,
            variance,
            short(lab.number("noise").powi(2)),
            short(mean(sum(model))),
            short(mean(of(model, "error"))),
        ]
    };
    Ok(report
        .figure(
            "answers",
            answers_chart(&runs, seeds, &hidden).to_svg(),
            "The mean answer of the smallest and of the largest model, of the first seed, and the truth.",
        )
        .table(Table {
            caption: "The parts of the error: means over seeds".into(),
            header: ["hidden neurons", "bias²", "variance", "noise", "sum", "error"]
                .map(String::from)
                .to_vec(),
            rows: (0..=last).map(row).collect(),
            align: vec![Align::Right; 6],
        }))
}

/// Trains a model on every set; gives the parts of the error, and the mean answers.
fn decompose(lab: &Lab, hidden: usize, seed: u64) -> [Record; 2] {
    let (mut rng, sets, noise) = (rng(seed), lab.count("sets"), lab.number("noise"));
    let places = Array2::from_shape_fn((PLACES, 1), |(i, _)| i as f64 / (PLACES - 1) as f64);
    let (mut answers, mut error) = (vec![], 0.0);
    for _ in 0..sets {
        let answer = trained(lab, hidden, &mut rng, &places);
        for (x, said) in places.iter().zip(&answer) {
            error += (said - truth(*x) - noise * normal(&mut rng)).powi(2) / (sets * PLACES) as f64;
        }
        answers.push(answer);
    }
    let mut curve = Record::new("answers", &["x", "truth", "mean", "spread"]);
    let (mut bias, mut variance) = (0.0, 0.0);
    for (i, &x) in places.iter().enumerate() {
        let mean = answers.iter().map(|answer| answer[i]).sum::<f64>() / sets as f64;
        let spread = answers.iter().map(|answer| (answer[i] - mean).powi(2)).sum::<f64>() / (sets - 1) as f64;
        // the mean of a finite number of sets has a variance of its own, which is no bias
        bias += ((mean - truth(x)).powi(2) - spread / sets as f64) / PLACES as f64;
        variance += spread / PLACES as f64;
        curve.push([x, truth(x), mean, spread.sqrt()]);
    }
    [Record::once("parts", [("bias_squared", bias), ("variance", variance), ("error", error)]), curve]
}

/// The answers of a model that has learnt a new set of points.
fn trained(lab: &Lab, hidden: usize, rng: &mut Rng, places: &Array2<f64>) -> Vec<f64> {
    let points = lab.count("points");
    let anywhere = Uniform::new_inclusive(0.0, 1.0).expect("a range");
    let x = Array2::from_shape_simple_fn((points, 1), || anywhere.sample(rng));
    let y = x.mapv(|x| truth(x) + lab.number("noise") * normal(rng));
    let mut params = Params::<f64>::new();
    let sizes = Sizes::new(&[1, hidden, 1]).expect("counts are not 0");
    let model =
        Mlp::with_init(&mut params, &sizes, Activation::Tanh, Init::Normal(2.0), Init::Normal(1.0), rng);
    let training = Training { epochs: lab.count("epochs"), rows: points, batch: points };
    training.run(
        &mut params,
        &mut Adam::new(lab.number("eta")),
        rng,
        |tape, _| mse_loss(model.forward(tape.input(&x)), tape.input(&y)),
        |_, _| true,
    );
    Workspace::new().eval(&params, |tape| model.forward(tape.input(places))).into_iter().collect()
}

fn normal(rng: &mut Rng) -> f64 {
    StandardNormal.sample(rng)
}

// ---- pictures

fn parts_chart(lab: &Lab, hidden: &[usize], of: &impl Fn(usize, &str) -> Vec<f64>) -> Chart {
    let mean = |model, name| of(model, name).iter().sum::<f64>() / lab.seeds.len() as f64;
    let line = |name: &str, f: &dyn Fn(usize) -> f64| {
        Line::new(name, hidden.iter().enumerate().map(|(i, &h)| (h as f64, f(i))))
    };
    let (first, last) = (0, hidden.len() - 1);
    Chart::new("What the error is made of")
        .subtitle(format!(
            "{} points with noise {}, networks of one hidden layer",
            lab.count("points"),
            lab.number("noise")
        ))
        .x_label("hidden neurons")
        .y_label("squared error")
        .log_x()
        .include_y(0.0)
        .line(line("error", &|i| mean(i, "error")))
        .line(line("bias²", &|i| mean(i, "bias_squared")))
        .line(line("variance", &|i| mean(i, "variance")))
        .line(line("noise", &|_| lab.number("noise").powi(2)))
        .alt(format!(
            "From {} to {} hidden neurons bias² goes from {} to {}, variance from {} to {}; the noise stays.",
            hidden[first],
            hidden[last],
            short(mean(first, "bias_squared")),
            short(mean(last, "bias_squared")),
            short(mean(first, "variance")),
            short(mean(last, "variance")),
        ))
}

fn answers_chart(runs: &[[Record; 2]], seeds: usize, hidden: &[usize]) -> Chart {
    let curve = |model: usize| &runs[model * seeds][1];
    let last = hidden.len() - 1;
    Chart::new("Mean answers").subtitle("over the sets of points of the first seed").x_label("x").y_label("y")
        .line(Line::new("truth", curve(0).points("x", "truth")).colour(4))
        .line(Line::new(format!("{} hidden", hidden[0]), curve(0).points("x", "mean")).colour(0))
        .line(Line::new(format!("{} hidden", hidden[last]), curve(last).points("x", "mean")).colour(1))
        .alt("The truth is one wave of a sine. The smallest model's mean answer is a single bend; the largest model's follows the wave.")
}
