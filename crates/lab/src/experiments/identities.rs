//! Four identities of cross-entropy, checked point by point and then by training: is it really the same, to the last digits?

use surprisal_data::{Dataset, Standardize, one_hot};
use surprisal_layers::{Activation, Init, Layer, Mlp, Sizes, rng};
use surprisal_loss::{
    BinaryCrossEntropyWithLogits, Entropy, KlDiv, KlReduction, Reduction, SoftMarginLoss,
    SoftmaxCrossEntropy, cross_entropy_probs,
};
use surprisal_optim::Sgd;
use surprisal_tensor::ndarray::{Array2, arr2};
use surprisal_tensor::{Params, Var, Workspace};

use crate::gallery::{
    Expected, Experiment, Finding, Knob, Lab, LabError, Record, Report, Seeds, Text, Training, short,
};
use surprisal_report::chart::{Chart, Line, Style};
use surprisal_report::statistics::Estimate;

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "identities",
    text: Text::new(include_str!("identities.md")),
    minutes: 0.006,
    seeds: Some(Seeds { first: 1, usual: 8, quick: 2 }),
    knobs: &[
        Knob::count("points", "1000", "number of random rows of logits and targets per seed").quick("200"),
        Knob::count("steps", "200", "number of steps of each training, on all rows"),
        Knob::positive("rate", "0.5", "the learning rate (where training is unstable, rounding errors grow)"),
        Knob::count("hidden", "5", "hidden units of the net"),
        Knob::share("smoothing", "0.1", "fraction of a soft target that is spread over all classes"),
    ],
    run,
};

/// The largest difference that counts as rounding.
const ROUNDING: f64 = 1e-12;
const CLASSES: usize = 5;
/// Standard deviations of the random logits, in turn: from undecided to so sure that e^-z is 0.
const SIZES: [f64; 4] = [1.0, 10.0, 100.0, 800.0];
/// Where formulas fail: equal, tiny, and huge logits, and gaps at which 1 - p and then p itself round to 0.
const EXTREMES: [[f64; CLASSES]; 6] = [
    [0.0; CLASSES],
    [1e-300, 0.0, -1e-300, 0.0, 0.0],
    [36.7, 0.0, 0.0, 0.0, 0.0],
    [0.0, -745.2, 745.2, 0.0, 1.0],
    [800.0, -800.0, 0.0, 0.0, 0.0],
    [1e9, 1e9, -1e9, 0.0, 1.0],
];
/// The trainings: columns of the files, and names.
const ARMS: [(&str, &str); 4] = [
    ("probabilities", "cross-entropy, probabilities"),
    ("indices", "cross-entropy, indices"),
    ("kl", "KL divergence"),
    ("by_hand", "p - y by hand"),
];

fn run(lab: &Lab) -> Result<Report, LabError> {
    let points =
        lab.runs("points", &lab.seeds, |seed| [("seed", seed.to_string())], |&seed| [pointwise(lab, seed)])?;
    let iris = Dataset::iris();
    let features = Standardize::fit(&iris.features)?.apply(&iris.features)?;
    let sizes =
        Sizes::new(&[iris.columns(), lab.count("hidden"), 3]).map_err(|e| LabError::Usage(e.to_string()))?;
    let jobs: Vec<(f64, u64)> = [0.0, lab.number("smoothing")]
        .iter()
        .flat_map(|&smoothing| lab.seeds.iter().map(move |&seed| (smoothing, seed)))
        .collect();
    let trainings = lab.runs(
        "trainings",
        &jobs,
        |(smoothing, seed)| [("smoothing", smoothing.to_string()), ("seed", seed.to_string())],
        |&(smoothing, seed)| [four_trainings(lab, &sizes, (&features, iris.labels()), smoothing, seed)],
    )?;
    let (hard, soft) = trainings.split_at(lab.seeds.len());

    // ---- measure
    let worst = |column: &str| largest(points.iter().map(|[record]| record.last(column)));
    let apart = |runs: &[[Record; 1]]| largest(runs.iter().flat_map(|[record]| record.column("difference")));
    let gap = 0.0 - largest_signed(points.iter().map(|[record]| -record.last("gap"))); // 0.0 - 0.0 is not -0
    let (splits, equal) = (worst("split"), worst("gap_at_equal"));

    // ---- verdict
    let (seeds, steps) = (lab.seeds.len(), lab.count("steps"));
    let over =
        format!("over {} random rows and {} extreme ones", seeds * lab.count("points"), EXTREMES.len());
    let same = |condition: &str, measure: &str, difference: f64| {
        Finding::deterministic(condition, measure, difference).expect(Expected::AtMost(ROUNDING))
    };
    let trained = format!("largest difference of a weight in {steps} steps, over {seeds} seeds");
    let report = Report::new()
        .captioned(lab, "trajectories", trajectories(&hard[0][0], lab).to_svg())
        .finding(
            same(
                "The gradient of cross-entropy against p - y",
                &format!("largest difference {over}"),
                worst("slope"),
            )
            .sentence(lab.text("finding: slope")),
        )
        .finding(
            same(
                "The gradient of KL against the gradient of cross-entropy",
                &format!("largest difference {over}"),
                worst("kl"),
            )
            .sentence(lab.text("finding: divergence")),
        )
        .finding(
            same(
                "The +1/-1 form of the logistic loss against its 0/1 form",
                &format!("largest difference, of value and gradient, {over}"),
                worst("coding"),
            )
            .sentence(lab.text("finding: coding")),
        )
        .finding(
            same(
                "-ln of the likelihood against the loss",
                &format!("largest difference over {} samples of 20 examples", seeds * lab.count("points")),
                worst("likelihood"),
            )
            .sentence(lab.text("finding: likelihood")),
        )
        .finding(
            Finding::deterministic("Cross-entropy minus entropy", format!("smallest value {over}"), gap)
                .expect(Expected::AtLeast(-ROUNDING))
                .and(
                    "its largest distance from 0 where the prediction equals the target",
                    Estimate::exactly(equal),
                    Expected::AtMost(ROUNDING),
                )
                .and(
                    "its largest distance from the KL divergence",
                    Estimate::exactly(splits),
                    Expected::AtMost(ROUNDING),
                ),
        )
        .finding(
            same("Four trainings, one-hot targets", &trained, apart(hard))
                .sentence(lab.text("finding: trainings")),
        )
        .finding(
            same(
                &format!("The same with soft targets, smoothing {}", lab.number("smoothing")),
                &trained,
                apart(soft),
            )
            .sentence(lab.text("finding: soft targets")),
        );
    Ok(report
        .section("How much is nothing?")
        .captioned(lab, "differences", differences(lab, &hard[0][0], &soft[0][0]).to_svg())
        .section("Never below the entropy")
        .captioned(lab, "floor", floor(lab).to_svg()))
}

/// The largest of differences; NaN counts as infinite.
fn largest(differences: impl IntoIterator<Item = f64>) -> f64 {
    largest_signed(differences).max(0.0)
}
fn largest_signed(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let number = |x: f64| if x.is_nan() { f64::INFINITY } else { x };
    numbers.into_iter().map(number).fold(f64::NEG_INFINITY, f64::max)
}

/// The largest difference between two lists, relative where a number is above 1.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    largest(a.iter().zip(b).map(|(a, b)| (a - b).abs() / a.abs().max(b.abs()).max(1.0)))
}

fn normal(count: usize, deviation: f64, seed: u64) -> Vec<f64> {
    let mut numbers = vec![0.0; count];
    Init::Normal(deviation).fill(&mut numbers, 1, 1, &mut rng(seed));
    numbers
}

/// e^z / Σ e^z of every row, by the definition.
fn softmax(z: &Array2<f64>) -> Array2<f64> {
    let mut p = z.clone();
    for mut row in p.rows_mut() {
        let top = row.fold(f64::NEG_INFINITY, |top, &z| top.max(z));
        row.mapv_inplace(|z| (z - top).exp());
        row /= row.sum();
    }
    p
}

/// The losses of single rows, or elements, and the gradient of their sum.
fn evaluate(z: &Array2<f64>, loss: impl for<'t> Fn(Var<'t>) -> Var<'t>) -> (Vec<f64>, Vec<f64>) {
    let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    let tape = workspace.tape(&params);
    let z = tape.input(z).requires_grad();
    let losses = loss(z);
    losses.sum().backward();
    let slope = z.grad().map_or(vec![], |slope| slope.iter().copied().collect());
    (losses.value().iter().copied().collect(), slope)
}

/// Cross-entropy of every row; broken, without the term with y.
fn cross_entropy<'t>(z: Var<'t>, y: Var<'t>, broken: bool) -> Var<'t> {
    if broken {
        return z.logsumexp_axis(-1);
    }
    SoftmaxCrossEntropy { reduction: Reduction::None, ..Default::default() }.loss(z, y)
}

fn kl<'t>(z: Var<'t>, y: Var<'t>) -> Var<'t> {
    KlDiv { reduction: KlReduction::None, ..Default::default() }.loss(z.log_softmax(-1), y).sum_axis(-1)
}

/// The identities at the rows of a seed: the largest difference of each.
fn pointwise(lab: &Lab, seed: u64) -> Record {
    let rows = lab.count("points") + EXTREMES.len();
    let drawn = normal(rows * CLASSES, 1.0, 3 * seed);
    let z = Array2::from_shape_fn((rows, CLASSES), |(i, k)| match EXTREMES.get(i) {
        Some(extreme) => extreme[k],
        None => SIZES[i % 4] * drawn[i * CLASSES + k],
    });
    // one half of the targets is one-hot, the other soft
    let scores = normal(rows * CLASSES, 2.0, 3 * seed + 1);
    let soft = softmax(&Array2::from_shape_fn((rows, CLASSES), |(i, k)| scores[i * CLASSES + k]));
    let y = Array2::from_shape_fn((rows, CLASSES), |(i, k)| match (i / 4) % 2 {
        0 => f64::from(u8::from(k == i % CLASSES)),
        _ => soft[[i, k]],
    });

    let (ce, slope) = evaluate(&z, |z| cross_entropy(z, z.tape().input(&y), lab.broken));
    let by_hand: Vec<f64> = (softmax(&z) - &y).into_iter().collect();
    let (divergence, kl_slope) = evaluate(&z, |z| kl(z, z.tape().input(&y)));
    let entropy = |p| evaluate(p, |p| Entropy { reduction: Reduction::None, ..Default::default() }.loss(p)).0;
    let h = entropy(&y);
    let sum: Vec<f64> = h.iter().zip(&divergence).map(|(h, kl)| h + kl).collect();
    let gap = -largest_signed(ce.iter().zip(&h).map(|(ce, h)| (h - ce) / ce.abs().max(1.0)));
    let at_equal = evaluate(&soft.ln(), |z| cross_entropy(z, z.tape().input(&soft), lab.broken)).0;

    let yes = y.mapv(f64::round);
    let (binary, binary_slope) = evaluate(&z, |s| binary(s, s.tape().input(&yes), lab.broken));
    let (signed, signed_slope) = evaluate(&z, |s| {
        SoftMarginLoss { reduction: Reduction::None }.loss(s, s.tape().input(&(&yes * 2.0 - 1.0)))
    });
    Record::once(
        "points",
        [
            ("slope", difference(&slope, &by_hand)),
            ("kl", difference(&kl_slope, &slope)),
            ("coding", difference(&binary, &signed).max(difference(&binary_slope, &signed_slope))),
            ("likelihood", likelihood(lab, seed)),
            ("gap", gap),
            ("gap_at_equal", difference(&at_equal, &entropy(&soft))),
            ("split", difference(&ce, &sum)),
        ],
    )
}

/// The 0/1 form; broken, without the term with y.
fn binary<'t>(s: Var<'t>, y: Var<'t>, broken: bool) -> Var<'t> {
    if broken {
        return s.softplus();
    }
    BinaryCrossEntropyWithLogits { reduction: Reduction::None, ..Default::default() }.loss(s, y)
}

/// Samples of 20 examples whose targets are drawn from the probabilities of the model: the product of these, against the loss.
fn likelihood(lab: &Lab, seed: u64) -> f64 {
    let rows = lab.count("points");
    let scores = normal(rows * 20, 2.0, 3 * seed + 2);
    let mut chance = vec![0.0; rows * 20];
    Init::Uniform(0.5).fill(&mut chance, 1, 1, &mut rng(3 * seed));
    let s = Array2::from_shape_fn((rows, 20), |(i, j)| scores[i * 20 + j]);
    let a = s.mapv(|s| 1.0 / (1.0 + (-s).exp()));
    let y =
        Array2::from_shape_fn((rows, 20), |(i, j)| f64::from(u8::from(chance[i * 20 + j] + 0.5 < a[[i, j]])));
    let likelihood = |i: usize| {
        a.row(i).iter().zip(y.row(i)).map(|(&a, &y)| if y == 1.0 { a } else { 1.0 - a }).product::<f64>()
    };
    let by_product: Vec<f64> = (0..rows).map(|i| -likelihood(i).ln()).collect();
    let losses = evaluate(&s, |s| binary(s, s.tape().input(&y), lab.broken).sum_axis(-1)).0;
    difference(&losses, &by_product)
}

/// The four arms with the same initial weights: the mean probability of the correct class in each, and how far their weights are apart.
fn four_trainings(
    lab: &Lab,
    sizes: &Sizes,
    (x, labels): (&Array2<f64>, &[usize]),
    smoothing: f64,
    seed: u64,
) -> Record {
    let y = one_hot(labels, 3).expect("iris has three classes") * (1.0 - smoothing) + smoothing / 3.0;
    let rows = labels.len();
    let arms = [0, 1, 2, 3].map(|arm| {
        let mut params = Params::<f64>::default();
        let net = Mlp::new(&mut params, sizes, Activation::Tanh, &mut rng(seed));
        let mut states = vec![];
        Training { epochs: lab.count("steps"), rows, batch: rows }.run(
            &mut params,
            &mut Sgd::new(lab.number("rate")),
            &mut rng(seed),
            |tape, _| {
                let (z, y) = (net.forward(tape.input(x)), tape.input(&y));
                match arm {
                    0 => cross_entropy(z, y, lab.broken).mean(),
                    1 => SoftmaxCrossEntropy { label_smoothing: smoothing, ..Default::default() }
                        .loss(z, labels),
                    2 => kl(z, y).mean(),
                    _ => {
                        let slope = if lab.broken { z.softmax(-1) } else { z.softmax(-1) - y };
                        (z * slope.detach()).sum() / rows as f64
                    }
                }
            },
            |_, params| {
                let z = Workspace::new().eval(params, |tape| net.forward(tape.input(x)).softmax(-1));
                let right =
                    labels.iter().enumerate().map(|(i, &label)| z[[i, label]]).sum::<f64>() / rows as f64;
                states.push((right, params.as_slice().to_vec()));
                true
            },
        );
        states
    });
    let mut record =
        Record::new("training", &["step", ARMS[0].0, ARMS[1].0, ARMS[2].0, ARMS[3].0, "difference"]);
    for step in 0..=lab.count("steps") {
        let state = |arm: usize| arms[arm].get(step);
        let right = |arm: usize| state(arm).map_or(f64::NAN, |state| state.0);
        let apart = |arm: usize| match (state(0), state(arm)) {
            (Some((_, a)), Some((_, b))) => largest(a.iter().zip(b).map(|(a, b)| (a - b).abs())),
            _ => f64::INFINITY, // a training that diverged
        };
        record.push([
            step as f64,
            right(0),
            right(1),
            right(2),
            right(3),
            apart(1).max(apart(2)).max(apart(3)),
        ]);
    }
    record
}

// ---- charts

fn trajectories(record: &Record, lab: &Lab) -> Chart {
    let styles = [Style::Solid, Style::Dashed, Style::DashDot, Style::Dotted];
    let lines = ARMS
        .iter()
        .zip(styles)
        .map(|(&(column, name), style)| Line::new(name, record.points("step", column)).style(style));
    let ends: Vec<String> = ARMS.iter().map(|(column, _)| short(record.last(column))).collect();
    let chart = Chart::new("Four formulas, one training")
        .subtitle(format!(
            "iris flowers, a net of {} hidden units, rate {}, one-hot targets, seed 1",
            lab.count("hidden"),
            lab.number("rate")
        ))
        .x_label("step")
        .y_label("mean probability of the correct class")
        .include_y(0.0)
        .include_y(1.0)
        .alt(lab.text_with("alt: trajectories", &[("ends", &ends.join(", "))]));
    lines.fold(chart, Chart::line)
}

fn differences(lab: &Lab, hard: &Record, soft: &Record) -> Chart {
    let steps = |record: &Record| {
        record
            .points("step", "difference")
            .into_iter()
            .map(|(x, y)| (x, y / f64::EPSILON))
            .collect::<Vec<_>>()
    };
    let (hard, soft) = (steps(hard), steps(soft));
    let most = |line: &[(f64, f64)]| short(largest(line.iter().map(|point| point.1)));
    Chart::new("What rounding leaves")
        .subtitle("seed 1")
        .x_label("step")
        .y_label("largest difference of a weight, in units of 2.2e-16")
        .include_y(0.0)
        .alt(lab.text_with("alt: differences", &[("hard", &most(&hard)), ("soft", &most(&soft))]))
        .line(Line::new("one-hot targets", hard))
        .line(Line::new("soft targets", soft))
}

/// The cross-entropy of a coin against the believed fraction of heads.
fn floor(lab: &Lab) -> Chart {
    const HEADS: f64 = 0.3;
    let cost = |q: f64| {
        let row = |p: f64| arr2(&[[p, 1.0 - p]]);
        evaluate(&row(q), |q| cross_entropy_probs(q.tape().input(&row(HEADS)), q)).0[0]
    };
    let points = (2..=98).map(|percent| f64::from(percent) / 100.0).map(|q| (q, cost(q)));
    let least = cost(HEADS);
    Chart::new("Cross-entropy against belief")
        .subtitle("a coin that shows heads in 30 of 100 throws")
        .x_label("believed fraction of heads")
        .y_label("nats per throw")
        .include_y(0.0)
        .line(Line::new("cross-entropy", points))
        .line(Line::new("entropy", [(0.02, least), (0.98, least)]))
        .mark(HEADS, least, "belief = truth")
        .alt(lab.text_with("alt: floor", &[("entropy", &short(least))]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_is_not_an_agreement() {
        assert_eq!(difference(&[1.0, 200.0], &[1.5, 100.0]), 0.5); // absolute up to 1, relative above
        assert_eq!(difference(&[0.0, f64::NAN], &[0.0, 0.0]), f64::INFINITY);
    }
}
