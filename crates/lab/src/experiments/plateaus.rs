//! Where is the ground level? The surfaces of two losses over the two weights of a tiny net, after Glorot and Bengio.

use std::f64::consts::PI;

use surprisal_layers::{Init, Rng, rng};
use surprisal_loss::{BinaryCrossEntropyWithLogits, HalfSquaredError, Reduction};
use surprisal_tensor::ndarray::{Array2, aview1};
use surprisal_tensor::{Params, Var, Workspace};

use crate::gallery::{
    Expected, Experiment, Finding, Knob, Lab, LabError, Record, Report, Seeds, Text, short,
};
use surprisal_report::chart::{Chart, HeatMap, Line, Panels, Points, Style};

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "plateaus",
    text: Text::new(include_str!("plateaus.md")),
    minutes: 0.04,
    seeds: Some(Seeds { first: 1, usual: 20, quick: 4 }),
    knobs: &[
        Knob::positive("reach", "6", "both weights extend from minus this to this"),
        Knob::count("points", "241", "number of values of each weight").quick("61"),
        Knob::positive("level", "0.01", "ground is level below this fraction of the largest steepness"),
        Knob::positive("least", "1.5", "the smallest ratio of level fractions that counts"),
        Knob::count("signals", "16", "number of inputs"),
    ],
    run,
};

/// Inputs, and whether the target of each is yes.
struct Signals(Vec<f64>, Vec<bool>);

impl Signals {
    fn new(count: usize, input: impl Fn(f64) -> f64, answer: impl Fn(f64) -> bool) -> Signals {
        let places = || (0..count).map(|i| i as f64);
        Signals(places().map(input).collect(), places().map(answer).collect())
    }

    /// The signals of the first figure.
    fn first(count: usize) -> Signals {
        Signals::new(count, |i| 1.5 * (1.7 * i + 0.3).sin(), |i| (2.3 * i + 0.7).cos() > 0.0)
    }

    /// The same two waves, with frequencies from 1 to 3 and any phase.
    fn waves(count: usize, rng: &mut Rng) -> Signals {
        let mut draw = [0.0; 4];
        Init::Uniform(1.0).fill(&mut draw, 1, 1, rng);
        let [f, g, phase, other] = draw;
        Signals::new(
            count,
            |i| 1.5 * ((2.0 + f) * i + PI * phase).sin(),
            |i| ((2.0 + g) * i + PI * other).cos() > 0.0,
        )
    }

    /// Inputs from a normal distribution, targets by the toss of a coin.
    fn noise(count: usize, rng: &mut Rng) -> Signals {
        let (mut x, mut coin) = (vec![0.0; count], vec![0.0; count]);
        Init::Normal(1.0).fill(&mut x, 1, 1, rng);
        Init::Uniform(1.0).fill(&mut coin, 1, 1, rng);
        Signals(x, coin.into_iter().map(|toss| toss > 0.0).collect())
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Loss {
    Squared,
    CrossEntropy,
}
const NAMES: [&str; 2] = ["squared error", "cross-entropy"];

fn run(lab: &Lab) -> Result<Report, LabError> {
    if lab.count("points") < 2 {
        return Err(LabError::Usage("points: expected at least 2".into()));
    }
    let losses = [if lab.broken { Loss::CrossEntropy } else { Loss::Squared }, Loss::CrossEntropy];
    let count = lab.count("signals");
    let first = Signals::first(count);
    let surfaces = lab.runs(
        "the two surfaces",
        &[0, 1],
        |&arm| [("arm", NAMES[arm].into())],
        |&arm| [surface(lab, &first, losses[arm])],
    )?;
    let kinds = ["waves", "noise"];
    let jobs: Vec<_> =
        kinds.iter().flat_map(|&kind| lab.seeds.iter().map(move |&seed| (kind, seed))).collect();
    let drawn = lab.runs(
        "random signals",
        &jobs,
        |&(kind, seed)| [("signals", kind.to_string()), ("seed", seed.to_string())],
        |&(kind, seed)| {
            let draw = if kind == kinds[0] { Signals::waves } else { Signals::noise };
            let signals = draw(count, &mut rng(seed));
            let [squared, entropy] = losses.map(|loss| level(lab, &surface(lab, &signals, loss)).1);
            [Record::once("shares", [("squared", squared), ("cross_entropy", entropy)])]
        },
    )?;

    // ---- measure
    let (bound, least) = (lab.number("level"), lab.number("least"));
    let ground = [0, 1].map(|arm| level(lab, &surfaces[arm][0]));
    let shares = [ground[0].1, ground[1].1];
    let cell = 1.0 / (lab.count("points") as f64).powi(2);
    // a fraction of 0 counts as one point of the grid
    let ratio = |squared: f64, entropy: f64| squared.max(cell) / entropy.max(cell);
    let ratios: Vec<f64> =
        drawn.iter().map(|[r]| ratio(r.last("squared"), r.last("cross_entropy"))).collect();
    let (waves, noise) = ratios.split_at(lab.seeds.len());
    let spread = |values: &[f64]| {
        let few = values.iter().filter(|&&ratio| ratio < least).count();
        lab.text_with("finding: draws", &[("least", &short(least)), ("few", &few), ("draws", &values.len())])
    };
    let what = "level fraction under squared error / under cross-entropy";

    let steepness = [0, 1].map(|arm| {
        let against = |slope: f64| slope / ground[arm].0;
        let slopes = surfaces[arm][0].column("slope").into_iter().map(against);
        slopes.map(|steep| if steep < bound { f64::NAN } else { steep }).collect()
    });

    // ---- verdict
    let report = Report::new()
        .panels(
            "level",
            maps(lab, "level", "Where the ground is level", steepness, |arm, map| {
                map.subtitle(format!("level: {} %", percent(shares[arm])))
                    .value_label("steepness / largest")
                    .scale(bound.min(0.99), 1.0)
                    .log()
                    .missing(format!("below {} %", short(100.0 * bound)))
                    .alt(lab.text_with("alt: level", &[("fraction", &percent(shares[arm]))]))
            }),
            lab.text_with(
                "caption: level",
                &[
                    ("level", &short(100.0 * bound)),
                    ("squared", &percent(shares[0])),
                    ("entropy", &percent(shares[1])),
                ],
            ),
        )
        .finding(
            Finding::deterministic("These signals", what, ratio(shares[0], shares[1]))
                .expect(Expected::AtLeast(least))
                .sentence(lab.text_with(
                    "finding: these signals",
                    &[("squared", &percent(shares[0])), ("entropy", &percent(shares[1]))],
                )),
        )
        .finding(
            Finding::ratios("Waves of other frequencies and phases", what, waves)
                .expect(Expected::AtLeast(least))
                .sentence(spread(waves)),
        )
        .finding(
            Finding::ratios("Inputs and targets that are noise", what, noise)
                .expect(Expected::AtLeast(least))
                .sentence(spread(noise)),
        );
    let heights = maps(
        lab,
        "surfaces",
        "The surfaces",
        [0, 1].map(|arm| surfaces[arm][0].column("loss")),
        |arm, map| map.value_label("loss").alt(lab.text_with("alt: surfaces", &[("loss", &NAMES[arm])])),
    );
    Ok(report
        .section("The surfaces")
        .panels("surfaces", heights, lab.text("caption: surfaces"))
        .section("Other inputs and targets")
        .paragraphs(lab.text("note: other signals"))
        .captioned(lab, "draws", draws_chart(lab, &drawn)))
}

/// Height and steepness at every pair of weights; w2 varies fastest.
fn surface(lab: &Lab, Signals(x, answers): &Signals, loss: Loss) -> Record {
    let (points, reach) = (lab.count("points"), lab.number("reach"));
    let at = |i: usize| -reach + 2.0 * reach * i as f64 / (points - 1) as f64;
    let targets = Array2::from_shape_fn((points, x.len()), |(_, i)| f64::from(u8::from(answers[i])));
    let w2 = Array2::from_shape_fn((points, 1), |(i, _)| at(i));
    let (mut workspace, none) = (Workspace::new(), Params::<f64>::default());
    let mut record = Record::new("surface", &["w1", "w2", "loss", "slope"]);
    for row in 0..points {
        let tape = workspace.tape(&none); // one value of w1 and all of w2
        let w1 = tape.input(&Array2::from_elem((points, 1), at(row))).requires_grad();
        let w2 = tape.input(&w2).requires_grad();
        let z = w2 * (w1 * tape.input(&aview1(x))).tanh();
        let heights = each(loss, z, tape.input(&targets)).mean_axis(1);
        heights.sum().backward(); // each height depends only on its own weights
        let slopes = [w1, w2].map(|w| w.grad().map_or(vec![f64::NAN; points], |g| g.into_iter().collect()));
        heights.with_value(|heights: &[f64]| {
            for (i, &height) in heights.iter().enumerate() {
                record.push([at(row), at(i), height, slopes[0][i].hypot(slopes[1][i])]);
            }
        });
    }
    record
}

/// The loss of each signal.
fn each<'t>(loss: Loss, z: Var<'t>, targets: Var<'t>) -> Var<'t> {
    let reduction = Reduction::None;
    match loss {
        Loss::Squared => HalfSquaredError { reduction }.loss(z.sigmoid(), targets),
        Loss::CrossEntropy => {
            BinaryCrossEntropyWithLogits { reduction, ..Default::default() }.loss(z, targets)
        }
    }
}

/// The largest steepness, and the level fraction of the surface.
fn level(lab: &Lab, surface: &Record) -> (f64, f64) {
    let slopes = surface.column("slope");
    let largest = slopes.iter().copied().fold(0.0, f64::max);
    let level = slopes.iter().filter(|&&slope| slope < lab.number("level") * largest).count();
    (largest, level as f64 / slopes.len() as f64)
}

fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

// ---- charts

/// The most cells of a map in each direction.
const MOST: usize = 120;

fn maps(
    lab: &Lab,
    id: &str,
    title: &str,
    values: [Vec<f64>; 2],
    dress: impl Fn(usize, HeatMap) -> HeatMap,
) -> Panels {
    let (points, reach) = (lab.count("points"), lab.number("reach"));
    let shown = || (0..points).step_by(points.div_ceil(MOST));
    let end = -reach + 2.0 * reach * shown().next_back().unwrap_or(0) as f64 / (points - 1) as f64;
    let mut panels = Panels::new(format!("plateaus-{id}"), title, 2)
        .subtitle("output σ(w₂ tanh(w₁ x)), over both weights");
    for (arm, values) in values.iter().enumerate() {
        let map = HeatMap::new(NAMES[arm])
            .x_label("w₁")
            .y_label("w₂")
            .x_span(-reach, end)
            .y_span(-reach, end)
            .values(shown().map(|w2| shown().map(move |w1| values[w1 * points + w2])));
        panels = panels.panel(dress(arm, map));
    }
    panels
}

fn draws_chart(lab: &Lab, drawn: &[[Record; 1]]) -> String {
    let points = |records: &[[Record; 1]]| -> Vec<_> {
        records.iter().map(|[r]| (r.last("cross_entropy"), r.last("squared"))).collect()
    };
    let (waves, noise) = drawn.split_at(lab.seeds.len());
    let widest = drawn.iter().map(|[r]| r.last("cross_entropy")).fold(0.0, f64::max);
    let line = |name: &str, slope: f64| Line::new(name, [(0.0, 0.0), (widest, slope * widest)]).color(4);
    let least = lab.number("least");
    let chart = Chart::new("Level ground in other draws of the signals")
        .x_label("level under cross-entropy")
        .y_label("level under squared error")
        .percent_x()
        .percent_y()
        .points(Points::new("waves", points(waves)).color(0))
        .points(Points::new("noise", points(noise)).color(1))
        .line(line("equal", 1.0).faint())
        .line(line(&format!("{} times", short(least)), least).style(Style::Dashed));
    let above = drawn.iter().filter(|[r]| r.last("squared") > least * r.last("cross_entropy")).count();
    chart
        .alt(
            lab.text_with(
                "alt: draws",
                &[("above", &above), ("draws", &drawn.len()), ("least", &short(least))],
            ),
        )
        .to_svg()
}
