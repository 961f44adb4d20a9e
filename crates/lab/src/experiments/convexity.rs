//! One valley, or several? Where the losses of logistic regression bend upward, and where they do not.

use surprisal_data::{Dataset, Standardize};
use surprisal_layers::{Activation, Init, Layer, Mlp, Sizes, rng};
use surprisal_optim::Sgd;
use surprisal_tensor::ndarray::{Array2, Axis, arr1, arr2};
use surprisal_tensor::{Params, Tape, Var, Workspace, hessian, symmetric_eigen};

use crate::gallery::{
    Basis, Expected, Experiment, Finding, Head, Knob, Lab, LabError, Record, Report, Seeds, Text, Training,
    short,
};
use surprisal_report::chart::{Chart, HeatMap, Line, Panels, Style};
use surprisal_report::statistics::Estimate;

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "convexity",
    text: Text::new(include_str!("convexity.md")),
    minutes: 0.01,
    seeds: Some(Seeds { first: 1, usual: 8, quick: 4 }),
    knobs: &[
        Knob::positive(
            "reach",
            "1",
            "the slice and the plane extend from minus this to this in every weight",
        ),
        Knob::positive("bias_reach", "10", "the plane extends from minus this to this in the bias"),
        Knob::numbers("chord", "-1,1", "the two ends of the chord, as the value of every weight"),
        Knob::count("points", "41", "number of values of the weight, and of the bias, in the plane")
            .quick("15"),
        Knob::number("start", "1", "the initial value of all weights"),
        Knob::positive("eta", "10", "the learning rate"),
        Knob::count("epochs", "200", "number of steps").quick("40"),
        Knob::count("looks", "50", "how often the Hessian is computed on the way").quick("10"),
        Knob::numbers("inputs", "10,0.7", "the inputs of the examples with several minima"),
        Knob::shares("targets", "0.55,0.25", "their targets, as probabilities"),
        Knob::numbers("interval", "-20,10", "the interval of weights that is searched for minima"),
        Knob::positive("xor_eta", "2", "the learning rate of the net with a hidden layer"),
        Knob::count("xor_epochs", "1000", "number of steps of that net").quick("200"),
    ],
    run,
};

const NAMES: [&str; 2] = ["squared error", "cross-entropy"];
/// The most negative value that rounding can make of an eigenvalue of 0.
const FLOOR: f64 = -1e-12;

fn run(lab: &Lab) -> Result<Report, LabError> {
    let mut losses = [Head::SigmoidSquared, Head::SigmoidCrossEntropy];
    if lab.broken {
        losses.reverse();
    }
    let chord = ordered(lab, "chord")?;
    let interval = ordered(lab, "interval")?;
    let (inputs, targets) = (lab.numbers("inputs"), lab.numbers("targets"));
    if inputs.len() != targets.len() {
        let (n, m) = (inputs.len(), targets.len());
        return Err(LabError::Usage(format!("inputs: {n} inputs and {m} targets; every input needs one")));
    }
    if lab.count("points") < 2 {
        return Err(LabError::Usage("points: expected at least 2".into()));
    }
    let cancer = cancer()?;
    // all weights alike: as if the sum of an example's features were its only feature
    let sums = Cases::new(cancer.x.sum_axis(Axis(1)).insert_axis(Axis(1)), cancer.y.clone(), &[], 0);
    let few = Cases::new(column(inputs), column(targets), &[], 0);

    let looks = lab.count("looks");
    let arm = |&arm: &usize| [("arm", NAMES[arm].to_string())];
    let slices =
        lab.runs("the slice", &[0, 1], arm, |&arm| [slice(&sums, losses[arm], lab.number("reach"), chord)])?;
    let planes = lab.runs("the plane", &[0, 1], arm, |&arm| [plane(lab, &sums, losses[arm])])?;
    let minima =
        lab.runs("stationary points", &[0, 1], arm, |&arm| stationary(&few, losses[arm], interval))?;
    let ways = lab.runs("descent", &[0, 1], arm, |&arm| {
        let start = cancer.params(lab.number("start"), 0.0);
        [cancer.descent(losses[arm], start, lab.number("eta"), lab.count("epochs"), looks)]
    })?;
    let jobs: Vec<_> = lab.seeds.iter().flat_map(|&seed| [(seed, 0), (seed, 1)]).collect();
    let xor = lab.runs(
        "descent of a net",
        &jobs,
        |&(seed, arm)| [("seed", seed.to_string()), ("arm", NAMES[arm].into())],
        |&(seed, arm)| {
            let cases = exclusive_or(seed);
            let (eta, epochs) = (lab.number("xor_eta"), lab.count("xor_epochs"));
            let mut record = cases.descent(losses[arm], cases.drawn.clone(), eta, epochs, looks);
            record.name = "xor".into();
            [record]
        },
    )?;

    // ---- measure
    let lowest = |record: &Record| record.column("smallest").into_iter().fold(f64::INFINITY, f64::min);
    let [way, flat] = [&ways, &planes].map(|both| [lowest(&both[0][0]), lowest(&both[1][0])]);
    let down = [0, 1].map(|arm| {
        let values = planes[arm][0].column("smallest");
        values.iter().filter(|&&value| value < FLOOR).count() as f64 / values.len() as f64
    });
    let above = [0, 1].map(|arm| highest(&slices[arm][0], chord));
    let valleys = [0, 1].map(|arm| minima[arm][1].column("minimum").iter().filter(|&&is| is == 1.0).count());
    let nets = [0, 1].map(|arm| {
        let all: Vec<f64> =
            xor.iter().zip(&jobs).filter(|(_, job)| job.1 == arm).map(|([r], _)| lowest(r)).collect();
        let worst = all.iter().copied().fold(f64::INFINITY, f64::min);
        (all.iter().filter(|&&value| value >= FLOOR).count(), worst)
    });

    // ---- verdict
    let [squared, entropy] = above;
    let report = Report::new()
        .panels("chord", slice_charts(lab, &slices, chord, above), lab.text("caption: chord"))
        .finding(
            Finding::deterministic(
                "A chord on the breast cancer data",
                "largest height of squared error above it",
                squared.gap,
            )
            .expect(Expected::MoreThan(-FLOOR))
            .and(
                "largest height of cross-entropy above its own chord",
                Estimate::exactly(entropy.gap),
                Expected::AtMost(-FLOOR),
            )
            .sentence(lab.text_with(
                "finding: chord",
                &[
                    ("at", &short(squared.at)),
                    ("loss", &short(squared.loss)),
                    ("from", &short(chord[0])),
                    ("to", &short(chord[1])),
                    ("chord", &short(squared.chord)),
                ],
            )),
        )
        .finding(
            Finding::deterministic(
                "Hessians of 31 parameters on the way down, breast cancer",
                "smallest eigenvalue under cross-entropy",
                way[1],
            )
            .expect(Expected::AtLeast(FLOOR))
            .and(
                "smallest eigenvalue under squared error",
                Estimate::exactly(way[0]),
                Expected::AtMost(FLOOR),
            ),
        )
        .finding(
            Finding::deterministic(
                "Hessians of 2 parameters over a plane, breast cancer",
                "fraction that bends down under squared error",
                down[0],
            )
            .expect(Expected::MoreThan(0.0))
            .and("the same fraction under cross-entropy", Estimate::exactly(down[1]), Expected::AtMost(0.0))
            .sentence(
                lab.text_with(
                    "finding: plane",
                    &[("entropy", &short(flat[1])), ("squared", &short(flat[0]))],
                ),
            ),
        )
        .finding(
            Finding::deterministic(
                format!("{} examples, one weight", inputs.len()),
                "minima under squared error",
                valleys[0] as f64,
            )
            .expect(Expected::AtLeast(2.0))
            .and(
                "minima under cross-entropy",
                Estimate::exactly(valleys[1] as f64),
                Expected::AtMost(1.0),
            ),
        )
        .finding(
            Finding::new(
                "A net with a hidden layer (2-4-1, exclusive or)",
                "fraction of seeds with no negative eigenvalue of any Hessian under cross-entropy",
                Estimate::wilson(nets[1].0, lab.seeds.len()),
                Basis::Trials(lab.seeds.len()),
            )
            .expect(Expected::AtLeast(0.5))
            .sentence(
                lab.text_with(
                    "finding: net",
                    &[("entropy", &short(nets[1].1)), ("squared", &short(nets[0].1))],
                ),
            ),
        );
    Ok(report
        .section("A plane instead of a line")
        .panels("plane", plane_maps(lab, &planes, down), lab.text("caption: plane"))
        .section("Several valleys")
        .paragraphs(lab.text("note: several valleys"))
        .panels("minima", minima_charts(lab, &minima), lab.text("caption: minima"))
        .section("On the way down")
        .captioned(lab, "eigenvalues", way_chart(lab, &ways))
        .paragraphs(lab.text_with(
            "note: speed",
            &[
                ("epochs", &lab.count("epochs")),
                ("squared", &percent(ways[0][0].last("right"))),
                ("entropy", &percent(ways[1][0].last("right"))),
            ],
        )))
}

/// A setting of two different numbers, the smaller first.
fn ordered(lab: &Lab, key: &str) -> Result<[f64; 2], LabError> {
    match *lab.numbers(key) {
        [low, high] if low < high => Ok([low, high]),
        _ => Err(LabError::Usage(format!(
            "{key}: expected two numbers, the smaller first, such as {key}=-1,1"
        ))),
    }
}

fn percent(share: f64) -> String {
    format!("{} %", short(100.0 * share))
}

fn column(values: &[f64]) -> Array2<f64> {
    arr1(values).insert_axis(Axis(1))
}

/// Examples, and the model that is trained on them.
struct Cases {
    x: Array2<f64>,
    y: Array2<f64>,
    net: Mlp,
    drawn: Params<f64>,
}

impl Cases {
    /// Logistic regression, or a net with hidden units.
    fn new(x: Array2<f64>, y: Array2<f64>, hidden: &[usize], seed: u64) -> Cases {
        let mut drawn = Params::default();
        let sizes =
            Sizes::new(&[&[x.ncols()], hidden, &[1]].concat()).unwrap_or_else(|error| panic!("{error}"));
        let (weight, bias) = (Init::Normal(1.0), Init::Zeros);
        let net = Mlp::with_init(&mut drawn, &sizes, Activation::Sigmoid, weight, bias, &mut rng(seed));
        Cases { x, y, net, drawn }
    }

    /// Every weight `w`, and the bias of logistic regression.
    fn params(&self, w: f64, b: f64) -> Params<f64> {
        let mut params = self.drawn.clone();
        let theta = params.as_mut_slice();
        theta.fill(w);
        theta[self.x.ncols()] = b;
        params
    }

    fn loss<'t>(&self, loss: Head, tape: &'t Tape<'t>) -> Var<'t> {
        loss.loss(self.net.forward(tape.input(&self.x)), tape.input(&self.y))
    }

    /// The smallest eigenvalue of the Hessian; NaN where that is not finite.
    fn smallest(&self, loss: Head, params: &Params<f64>) -> f64 {
        let h = hessian(params, |tape| self.loss(loss, tape));
        if h.iter().all(|x| x.is_finite()) { symmetric_eigen(&h).0[0] } else { f64::NAN }
    }

    /// The smallest eigenvalue on the way down.
    fn descent(&self, loss: Head, mut params: Params<f64>, eta: f64, epochs: usize, looks: usize) -> Record {
        let rows = self.x.nrows();
        let mut record = Record::new("descent", &["epoch", "smallest", "right"]);
        let mut scores = Workspace::new();
        Training { epochs, rows, batch: rows }.run(
            &mut params,
            &mut Sgd::new(eta),
            &mut rng(0), // all rows at once have no order
            |tape, _| self.loss(loss, tape),
            |epoch, params| {
                if epoch.is_multiple_of(epochs.div_ceil(looks)) || epoch == epochs {
                    let z = scores.eval(params, |tape| self.net.forward(tape.input(&self.x)));
                    let right = z.iter().zip(&self.y).filter(|&(&z, &y)| (z > 0.0) == (y == 1.0)).count();
                    record.push([epoch as f64, self.smallest(loss, params), right as f64 / rows as f64]);
                }
                true
            },
        );
        record
    }
}

fn cancer() -> Result<Cases, LabError> {
    let data = Dataset::breast_cancer();
    let x = Standardize::fit(&data.features)?.apply(&data.features)?;
    let y = Array2::from_shape_fn((data.rows(), 1), |(i, _)| data.labels()[i] as f64);
    Ok(Cases::new(x, y, &[], 0))
}

fn exclusive_or(seed: u64) -> Cases {
    let x = arr2(&[[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
    Cases::new(x, column(&[0.0, 1.0, 1.0, 0.0]), &[4], seed)
}

/// n numbers from `low` to `high`.
fn evenly(n: usize, low: f64, high: f64) -> impl Iterator<Item = f64> + Clone {
    (0..n).map(move |i| low + (high - low) * i as f64 / (n - 1) as f64)
}

/// The loss with all weights alike, and the chord where it is.
fn slice(sums: &Cases, loss: Head, reach: f64, chord: [f64; 2]) -> Record {
    let mut workspace = Workspace::new();
    let mut at = |w| workspace.eval(&sums.params(w, 0.0), |tape| sums.loss(loss, tape)).sum();
    let ends = chord.map(&mut at);
    let mut record = Record::new("slice", &["weight", "loss", "chord"]);
    let on = |w: f64| ends[0] + (ends[1] - ends[0]) * (w - chord[0]) / (chord[1] - chord[0]);
    let mut places: Vec<f64> = evenly(121, -reach, reach).chain(evenly(101, chord[0], chord[1])).collect();
    places.sort_by(f64::total_cmp);
    for w in places {
        record.push([w, at(w), if (chord[0]..=chord[1]).contains(&w) { on(w) } else { f64::NAN }]);
    }
    record
}

/// The point where a slice is highest above its chord, or comes closest to it.
#[derive(Clone, Copy)]
struct Above {
    at: f64,
    loss: f64,
    chord: f64,
    gap: f64,
}

/// Searches between the ends, a twentieth of the chord away from them, where curve and chord meet.
fn highest(slice: &Record, [low, high]: [f64; 2]) -> Above {
    let margin = 0.05 * (high - low);
    let [weight, loss, chord] = ["weight", "loss", "chord"].map(|name| slice.column(name));
    let inside = (0..weight.len()).filter(|&i| weight[i] > low + margin && weight[i] < high - margin);
    let all =
        inside.map(|i| Above { at: weight[i], loss: loss[i], chord: chord[i], gap: loss[i] - chord[i] });
    let none = Above { at: low, loss: f64::NAN, chord: f64::NAN, gap: f64::NEG_INFINITY };
    all.fold(none, |best, now| if now.gap > best.gap { now } else { best })
}

fn plane(lab: &Lab, sums: &Cases, loss: Head) -> Record {
    let (n, reach, bias) = (lab.count("points"), lab.number("reach"), lab.number("bias_reach"));
    let mut workspace = Workspace::new();
    let mut record = Record::new("plane", &["weight", "bias", "loss", "smallest"]);
    for b in evenly(n, -bias, bias) {
        for w in evenly(n, -reach, reach) {
            let params = sums.params(w, b);
            let height = workspace.eval(&params, |tape| sums.loss(loss, tape)).sum();
            record.push([w, b, height, sums.smallest(loss, &params)]);
        }
    }
    record
}

/// The curve over the only weight, without a bias, and its stationary points.
fn stationary(cases: &Cases, loss: Head, [low, high]: [f64; 2]) -> [Record; 2] {
    let mut workspace = Workspace::new();
    let mut at = |w: f64| {
        let (height, slope) = workspace.grad(&cases.params(w, 0.0), |tape| cases.loss(loss, tape));
        (height, slope.as_slice()[0])
    };
    let mut curve = Record::new("curve", &["w", "loss", "slope"]);
    for w in evenly(3001, low, high) {
        let (height, slope) = at(w);
        curve.push([w, height, slope]);
    }
    let mut points = Record::new("stationary", &["w", "loss", "minimum"]);
    for pair in curve.points("w", "slope").windows(2) {
        let ((mut left, before), (mut right, after)) = (pair[0], pair[1]);
        let minimum = before < 0.0 && after >= 0.0;
        if minimum || (before > 0.0 && after <= 0.0) {
            for _ in 0..60 {
                let middle = 0.5 * (left + right);
                let same_side = (at(middle).1 < 0.0) == (before < 0.0);
                *(if same_side { &mut left } else { &mut right }) = middle;
            }
            points.push([right, at(right).0, f64::from(u8::from(minimum))]);
        }
    }
    [curve, points]
}

// ---- charts

fn slice_charts(lab: &Lab, slices: &[[Record; 1]], chord: [f64; 2], above: [Above; 2]) -> Panels {
    let mut panels = Panels::new("convexity-chord", "Above or below the chord", 2)
        .subtitle("breast cancer, logistic regression, all weights alike");
    for (arm, above) in above.into_iter().enumerate() {
        let record = &slices[arm][0];
        let joined = record.points("weight", "chord").into_iter().filter(|p| p.1.is_finite());
        let comparison = if above.gap > 0.0 {
            format!("The curve is up to {} above the chord.", short(above.gap))
        } else {
            "The curve is below the chord.".into()
        };
        panels = panels.panel(
            Chart::new(NAMES[arm])
                .x_label("every weight")
                .y_label("loss")
                .include_y(0.0)
                .line(Line::new("loss", record.points("weight", "loss")).color(1 - arm))
                .line(Line::new("chord", joined).color(4).style(Style::Dotted))
                .alt(lab.text_with(
                    "alt: chord",
                    &[
                        ("low", &short(-lab.number("reach"))),
                        ("high", &short(lab.number("reach"))),
                        ("from", &short(chord[0])),
                        ("to", &short(chord[1])),
                        ("comparison", &comparison),
                    ],
                )),
        );
    }
    panels
}

fn plane_maps(lab: &Lab, planes: &[[Record; 1]], down: [f64; 2]) -> Panels {
    let (n, reach, bias) = (lab.count("points"), lab.number("reach"), lab.number("bias_reach"));
    let mut panels = Panels::new("convexity-plane", "Where the ground bends down", 2)
        .subtitle("breast cancer, logistic regression, all weights alike");
    for (arm, down) in down.into_iter().enumerate() {
        let hatched = planes[arm][0].points("loss", "smallest").into_iter();
        let values: Vec<f64> =
            hatched.map(|(loss, bend)| if bend < FLOOR { f64::NAN } else { loss }).collect();
        panels = panels.panel(
            HeatMap::new(NAMES[arm])
                .subtitle(format!("bends down: {}", percent(down)))
                .x_label("every weight")
                .y_label("bias")
                .value_label("loss")
                .x_span(-reach, reach)
                .y_span(-bias, bias)
                .values(values.chunks(n).map(<[f64]>::to_vec))
                .missing("bends down")
                .alt(lab.text_with("alt: plane", &[("fraction", &percent(down))])),
        );
    }
    panels
}

fn minima_charts(lab: &Lab, minima: &[[Record; 2]]) -> Panels {
    let mut panels = Panels::new("convexity-minima", "Loss against the only weight", 2);
    for (arm, [curve, points]) in minima.iter().enumerate() {
        let mut chart = Chart::new(NAMES[arm])
            .x_label("weight")
            .y_label("loss")
            .line(Line::new("", curve.points("w", "loss")).color(1 - arm));
        let is = points.column("minimum");
        for ((w, loss), is) in points.points("w", "loss").into_iter().zip(&is) {
            let kind = if *is == 1.0 { "minimum" } else { "maximum" };
            chart = chart.mark(w, loss, format!("{kind} at {}", short(w)));
        }
        let found = is.iter().filter(|&&is| is == 1.0).count();
        panels = panels
            .panel(chart.alt(lab.text_with("alt: minima", &[("found", &found), ("points", &is.len())])));
    }
    panels
}

fn way_chart(lab: &Lab, ways: &[[Record; 1]]) -> String {
    let mut chart = Chart::new("Smallest eigenvalue on the way down")
        .subtitle(format!("breast cancer, 31 parameters, learning rate {}", lab.number("eta")))
        .x_label("epoch")
        .y_label("smallest eigenvalue of the Hessian")
        .include_y(0.0);
    for arm in [0, 1] {
        chart = chart.line(Line::new(NAMES[arm], ways[arm][0].points("epoch", "smallest")).color(1 - arm));
    }
    let lowest =
        [0, 1].map(|arm| short(ways[arm][0].column("smallest").into_iter().fold(f64::INFINITY, f64::min)));
    chart.alt(lab.text_with("alt: eigenvalues", &[("squared", &lowest[0]), ("entropy", &lowest[1])])).to_svg()
}
