//! Is cross-entropy never below entropy? The distribution p is fixed and q moves.

use rand_distr::{Distribution, Exp1};
use surprisal_layers::rng;
use surprisal_loss::{KlDiv, KlReduction, cross_entropy_probs, entropy};
use surprisal_tensor::ndarray::{Array1, Axis, arr1};
use surprisal_tensor::{Params, Workspace};

use crate::gallery::{Expected, Experiment, Finding, Knob, Lab, LabError, Record, Report, Text};
use surprisal_report::chart::{Chart, Line, Style};
use surprisal_report::statistics::Estimate;

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "entropy-bound",
    text: Text::new(include_str!("entropy_bound.md")),
    minutes: 0.002,
    seeds: None,
    knobs: &[
        Knob::share("p", "0.3", "the fixed probability of \"yes\" in the figure"),
        Knob::count("pairs", "20000", "number of random pairs of distributions").quick("2000"),
        Knob::count("classes", "20", "the largest number of outcomes of a distribution"),
        Knob::count("seed", "1", "the seed of the random pairs"),
    ],
    run,
};

/// The largest rounding error of sums of 20 terms in `f64`.
const ROUNDING: f64 = 1e-12;

/// H(p, q), H(p) and KL(p‖q), as the library computes them.
fn measure(p: &Array1<f64>, q: &Array1<f64>, broken: bool) -> [f64; 3] {
    let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    let tape = workspace.no_grad(&params);
    let [p, q] = [p, q].map(|distribution| tape.input(&distribution.view().insert_axis(Axis(0))));
    let cross = if broken { cross_entropy_probs(q, p) } else { cross_entropy_probs(p, q) };
    let divergence = KlDiv { reduction: KlReduction::BatchMean, ..Default::default() };
    [cross.item(), entropy(p).item(), divergence.loss(q.ln(), p).item()]
}

fn run(lab: &Lab) -> Result<Report, LabError> {
    let (p, most) = (lab.number("p"), lab.count("classes"));
    if most < 2 {
        return Err(LabError::Usage("classes: expected at least 2".into()));
    }
    let yes_or_no = |p: f64| arr1(&[p, 1.0 - p]);
    let mut curve = Record::new("moving_q", &["q", "cross_entropy", "entropy", "kl"]);
    for q in (1..200).map(|i| f64::from(i) / 200.0) {
        let [cross, entropy, kl] = measure(&yes_or_no(p), &yes_or_no(q), lab.broken);
        curve.push([q, cross, entropy, kl]);
    }

    // uniform over all distributions
    let mut rng = rng(lab.count("seed") as u64);
    let mut draw = |classes: usize| {
        let raw = Array1::from_shape_simple_fn(classes, || Exp1.sample(&mut rng)).mapv(|x: f64| x.max(1e-12));
        let sum = raw.sum();
        raw / sum
    };
    let (mut least, mut off_equal, mut off_kl) = (f64::INFINITY, 0f64, 0f64);
    for i in 0..lab.count("pairs") {
        let classes = 2 + i % (most - 1);
        let (p, q) = (draw(classes), draw(classes));
        let [cross, entropy, kl] = measure(&p, &q, lab.broken);
        let [same, own, _] = measure(&p, &p, lab.broken);
        least = least.min(cross - entropy);
        off_equal = off_equal.max((same - own).abs());
        off_kl = off_kl.max((cross - entropy - kl).abs());
    }
    lab.keep(Record::once(
        "extremes",
        [("smallest_gap", least), ("largest_gap_at_q_equal_p", off_equal), ("largest_gap_minus_kl", off_kl)],
    ));

    let drawn = format!("Over {} random pairs", lab.count("pairs"));
    let report = Report::new()
        .captioned(lab, "moving-q", chart(lab, &curve, p).to_svg())
        .finding(
            Finding::deterministic(&drawn, "smallest H(p, q) - H(p)", least)
                .expect(Expected::MoreThan(0.0))
                .and("largest |H(p, p) - H(p)|", Estimate::exactly(off_equal), Expected::AtMost(ROUNDING)),
        )
        .finding(
            Finding::deterministic(&drawn, "largest |H(p, q) - H(p) - KL(p‖q)|", off_kl)
                .expect(Expected::AtMost(ROUNDING))
                .sentence(lab.text("finding: divergence")),
        );
    Ok(report)
}

fn chart(lab: &Lab, curve: &Record, p: f64) -> Chart {
    let entropy = curve.last("entropy");
    Chart::new("Cross-entropy while q moves")
        .subtitle(format!("\"yes\" has probability p = {p}"))
        .x_label("q, the expected probability of \"yes\"")
        .y_label("nats")
        .include_y(0.0)
        .line(Line::new("H(p, q)", curve.points("q", "cross_entropy")))
        .line(Line::new("H(p)", curve.points("q", "entropy")).style(Style::Dashed))
        .mark(p, entropy, "q = p")
        .alt(lab.text_with("alt: moving-q", &[("entropy", &format!("{entropy:.3}")), ("p", &p)]))
}
