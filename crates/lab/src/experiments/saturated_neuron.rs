//! Does squared error learn slowest when it is most wrong? One neuron, one input, and a closed form to compare with.

use surprisal_layers::rng;
use surprisal_optim::Sgd;
use surprisal_tensor::ndarray::arr2;
use surprisal_tensor::{Params, Scalar, Var, Workspace};

use crate::gallery::{
    Expected, Experiment, Finding, Head, Knob, Lab, LabError, Record, Report, Text, Training, short,
};
use surprisal_report::Table;
use surprisal_report::chart::{Chart, Line, Panels, Points};
use surprisal_report::statistics::Estimate;

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "saturated-neuron",
    text: Text::new(include_str!("saturated_neuron.md")),
    minutes: 0.002,
    seeds: None,
    knobs: &[
        Knob::positive("eta", "0.15", "the learning rate that both losses share"),
        Knob::positives(
            "rates",
            "0.05,0.15,0.5,1.5,5,15,50,150,500",
            "the rates among which each loss finds its own best",
        ),
        Knob::positive("animation_rate", "0.005", "the learning rate of the animation"),
        Knob::count("animation_epochs", "300", "its number of epochs"),
        Knob::numbers("scores", "1,2,3,4,5,6,7,8,9,10", "the initial scores, besides 1.5, 4 and 8")
            .quick("1,2,4,6,8"),
        Knob::count("epochs", "500", "number of epochs from Nielsen's initial parameters"),
        Knob::share("threshold", "0.1", "the output below which the neuron has learned"),
        Knob::count("cap", "200000", "the last epoch to wait for"),
    ],
    run,
};

const LOSSES: [Head; 2] = [Head::SigmoidSquared, Head::SigmoidCrossEntropy];
/// Weight and bias.
const NIELSEN: [(f64, f64); 2] = [(0.6, 0.9), (2.0, 2.0)];
/// The score relative to which slowdowns are measured: the first of Nielsen's.
const REFERENCE: f64 = 1.5;

fn run(lab: &Lab) -> Result<Report, LabError> {
    let (eta, threshold, cap) = (lab.number("eta"), lab.number("threshold"), lab.count("cap"));
    if !(threshold > 0.0 && threshold < REFERENCE.sigmoid()) {
        let message = format!(
            "threshold: {threshold} is not between 0 and {:.3}, the output at score {REFERENCE}",
            REFERENCE.sigmoid()
        );
        return Err(LabError::Usage(message));
    }

    let trajectories = lab.runs(
        "Nielsen's initial parameters",
        &pairs(&NIELSEN),
        |(loss, start)| [("loss", loss.name().into()), ("start", format!("{start:?}"))],
        |&(loss, start)| [trajectory(loss, start, eta, lab.count("epochs"), lab.broken)],
    )?;
    let exhibit = lab.runs(
        "the animation",
        &[(NIELSEN[0], false), (NIELSEN[0], true), (NIELSEN[1], false), (NIELSEN[1], true)],
        |(start, animated)| [("start", format!("{start:?}")), ("animated", animated.to_string())],
        |&(start, animated)| {
            let (rate, epochs) = (lab.number("animation_rate"), lab.count("animation_epochs"));
            [trajectory(LOSSES[1], start, rate, epochs, animated)]
        },
    )?;
    let mut scores = vec![REFERENCE, 4.0, 8.0]; // those of the verdicts
    for &score in lab.numbers("scores") {
        if !scores.contains(&score) {
            scores.push(score);
        }
    }
    let times = |what: &str, jobs: &[(Head, f64, f64)]| {
        let label = |(loss, score, eta): &(Head, f64, f64)| {
            [("loss", loss.name().into()), ("score", score.to_string()), ("rate", eta.to_string())]
        };
        lab.runs(what, jobs, label, |&(loss, score, eta)| {
            let epochs = epochs_to(loss, (score / 2.0, score / 2.0), eta, threshold, cap, lab.broken);
            [Record::once(
                "times",
                [("epochs", epochs), ("closed_form", closed_form(loss, score, threshold, eta))],
            )]
        })
    };
    let jobs: Vec<_> = pairs(&scores).into_iter().map(|(loss, score)| (loss, score, eta)).collect();
    let swept = times("times from each score", &jobs)?;
    let jobs: Vec<_> =
        pairs(lab.numbers("rates")).into_iter().map(|(loss, rate)| (loss, 4.0, rate)).collect();
    let tuned = times("times at each rate", &jobs)?;

    // ---- measure
    let of = |loss: usize| &swept[loss * scores.len()..][..scores.len()];
    let [squared, entropy] =
        [0, 1].map(|loss| of(loss).iter().map(|[r]| r.last("epochs")).collect::<Vec<_>>());
    let off = swept.iter().map(|[r]| (r.last("epochs") - r.last("closed_form")).abs()).fold(0.0, f64::max);
    let rates = lab.numbers("rates");
    let best = [0, 1].map(|loss| {
        let epochs = tuned[loss * rates.len()..][..rates.len()].iter().map(|[r]| r.last("epochs"));
        epochs.zip(rates).fold(
            (f64::INFINITY, 0.0),
            |best, (epochs, &rate)| if epochs < best.0 { (epochs, rate) } else { best },
        )
    });

    // ---- verdict
    // times that the formula does not confirm mean nothing
    let confirmed = |finding: Finding| {
        let measure = "largest difference from the formula's epochs, over all initial scores";
        finding.and(measure, Estimate::exactly(off), Expected::AtMost(3.0))
    };
    let ratio = squared[1] / entropy[1];
    let slowdown = |loss: &[f64], to: usize| loss[to] / loss[0];
    let more = slowdown(&squared, 2) / slowdown(&entropy, 2);
    let epochs = |count: f64| match count {
        1.0 => "1 epoch".into(),
        f64::INFINITY => format!("more than {cap} epochs"),
        count => format!("{count} epochs"),
    };
    let report = Report::new()
        .captioned(lab, "times", times_chart(lab, &scores, [&squared, &entropy], eta, threshold).to_svg())
        .finding(
            confirmed(
                Finding::deterministic(
                    format!("At the same rate {eta}, from score 4"),
                    "epochs under squared error / under cross-entropy",
                    ratio,
                )
                .above(1.0),
            )
            .sentence(format!("{} against {}.", epochs(squared[1]), epochs(entropy[1]))),
        )
        .finding(
            confirmed(
                Finding::deterministic(
                    "Whatever the rate, from score 8 against score 1.5",
                    "slowdown under squared error / under cross-entropy",
                    more,
                )
                .above(1.0),
            )
            .sentence(lab.text_with(
                "finding: slowdown",
                &[
                    ("squared_8", &short(slowdown(&squared, 2))),
                    ("entropy_8", &short(slowdown(&entropy, 2))),
                    ("squared_4", &short(slowdown(&squared, 1))),
                    ("entropy_4", &short(slowdown(&entropy, 1))),
                ],
            )),
        )
        .finding(
            Finding::deterministic(
                "Each at its own best rate of the table below, from score 4",
                "epochs under squared error / under cross-entropy",
                best[0].0 / best[1].0,
            )
            .above(1.0)
            .sentence(lab.text_with(
                "finding: best rate",
                &[
                    ("squared", &epochs(best[0].0)),
                    ("squared_rate", &best[0].1),
                    ("entropy", &epochs(best[1].0)),
                    ("entropy_rate", &best[1].1),
                ],
            )),
        );
    Ok(a_demo_that_is_wrong(pictures(report, lab, &trajectories, &tuned), lab, &exhibit))
}

fn pairs<T: Copy>(items: &[T]) -> Vec<(Head, T)> {
    LOSSES.iter().flat_map(|&loss| items.iter().map(move |&item| (loss, item))).collect()
}

/// The loss of score z for the target 0; in the broken version, a function whose slope is dL/da instead of dL/da · σ'(z).
fn recorded<'t>(loss: Head, z: Var<'t>, broken: bool) -> Var<'t> {
    if !broken {
        return loss.loss(z, z.tape().input(&arr2(&[[0.0]])));
    }
    let a = z.sigmoid();
    let slope = if loss == Head::SigmoidSquared { a } else { a / (a * (1.0 - a)) };
    (z * slope.detach()).sum()
}

/// The end of Nielsen's animation of cross-entropy, and the end of gradient descent on cross-entropy.
fn a_demo_that_is_wrong(report: Report, lab: &Lab, exhibit: &[[Record; 1]]) -> Report {
    let end = |i: usize| format!("{:.4}", exhibit[i][0].last("output"));
    report.section("A demonstration that is wrong").paragraphs(lab.text("note: the animation")).table(
        Table::new(
            format!(
                "Output (it should be 0) after {} epochs at learning rate {}",
                lab.count("animation_epochs"),
                lab.number("animation_rate")
            ),
            1,
            ["initial parameters", "with the slope of cross-entropy", "with the steps of the animation"],
            (0..2).map(|i| {
                vec![format!("w = {}, b = {}", NIELSEN[i].0, NIELSEN[i].1), end(2 * i), end(2 * i + 1)]
            }),
        ),
    )
}

/// Trains from a weight and a bias; `each` gets epoch, parameters and output, and returns whether to continue.
fn descend(
    loss: Head,
    (w, b): (f64, f64),
    eta: f64,
    epochs: usize,
    broken: bool,
    mut each: impl FnMut(usize, &[f64], f64) -> bool,
) {
    let mut params = Params::<f64>::default();
    let (w, b) = (params.add("w", &arr2(&[[w]])), params.add("b", &arr2(&[[b]])));
    let training = Training { epochs, rows: 1, batch: 1 };
    training.run(
        &mut params,
        &mut Sgd::new(eta),
        &mut rng(0), // a single row has no order
        |tape, _| recorded(loss, tape.param(w) + tape.param(b), broken), // the input is 1
        |epoch, params| {
            let theta = params.as_slice();
            each(epoch, theta, (theta[0] + theta[1]).sigmoid())
        },
    );
}

fn trajectory(loss: Head, start: (f64, f64), eta: f64, epochs: usize, broken: bool) -> Record {
    let mut record = Record::new("trajectory", &["epoch", "w", "b", "output", "slope"]);
    descend(loss, start, eta, epochs, broken, |epoch, theta, output| {
        record.push([epoch as f64, theta[0], theta[1], output, slope(loss, theta[0] + theta[1])]);
        true
    });
    record
}

/// The first epoch with an output below the threshold; infinite if there is none.
fn epochs_to(loss: Head, start: (f64, f64), eta: f64, threshold: f64, cap: usize, broken: bool) -> f64 {
    let mut reached = f64::INFINITY;
    descend(loss, start, eta, cap, broken, |epoch, _, output| {
        if output < threshold {
            reached = epoch as f64;
        }
        output >= threshold
    });
    reached
}

/// The time from score z0 to the threshold in small steps, and the correction for steps of finite length: ½ ln(last slope / first slope), the next
/// term of Euler's method.
fn closed_form(loss: Head, z0: f64, threshold: f64, eta: f64) -> f64 {
    let f = |z: f64| match loss {
        Head::SigmoidSquared => z.exp() + 3.0 * z - 3.0 * (-z).exp() - (-2.0 * z).exp() / 2.0,
        _ => z - (-z).exp(),
    };
    let z1 = (threshold / (1.0 - threshold)).ln();
    (f(z0) - f(z1)) / (2.0 * eta) + 0.5 * (slope(loss, z1) / slope(loss, z0)).ln()
}

/// dL/dz, as the library computes it.
fn slope(loss: Head, z: f64) -> f64 {
    let (mut workspace, params) = (Workspace::new(), Params::<f64>::default());
    let tape = workspace.tape(&params);
    let z = tape.input(&arr2(&[[z]])).requires_grad();
    recorded(loss, z, false).backward();
    z.grad().map_or(f64::NAN, |slope| slope[[0, 0]])
}

// ---- charts

fn times_chart(
    lab: &Lab,
    scores: &[f64],
    [squared, entropy]: [&[f64]; 2],
    eta: f64,
    threshold: f64,
) -> Chart {
    let line = |name: &str, epochs: &[f64], color| {
        let mut points: Vec<_> = scores.iter().copied().zip(epochs.iter().copied()).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Line::new(name, points).color(color)
    };
    let chart = Chart::new("The more wrong, the slower?")
        .subtitle(format!("one neuron, learning rate {eta}, until its output is below {threshold}"))
        .x_label("initial score (4 is output 0.98, 8 is 0.9997)")
        .y_label("epochs")
        .log_y()
        .line(line(&LOSSES[0].to_string(), squared, 1))
        .line(line(&LOSSES[1].to_string(), entropy, 0));
    let computed = LOSSES
        .into_iter()
        .flat_map(|loss| scores.iter().map(move |&z| (z, closed_form(loss, z, threshold, eta))));
    chart.points(Points::new("predicted by a formula", computed).color(4)).alt(lab.text_with(
        "alt: times",
        &[
            ("squared", &short(squared.iter().copied().fold(0.0, f64::max))),
            ("entropy", &short(entropy.iter().copied().fold(0.0, f64::max))),
        ],
    ))
}

fn pictures(report: Report, lab: &Lab, trajectories: &[[Record; 1]], tuned: &[[Record; 1]]) -> Report {
    let eta = lab.number("eta");
    let epochs = [0.0, lab.count("epochs") as f64];
    let mut output = Panels::new("saturated-neuron-output", "Output against epoch", 2)
        .subtitle(format!("learning rate {eta}; the target is 0"));
    for (place, (w, b)) in NIELSEN.into_iter().enumerate() {
        let threshold = epochs.map(|epoch| (epoch, lab.number("threshold")));
        let mut chart = Chart::new(format!("Initial score {}", w + b))
            .x_label("epoch")
            .y_label("output")
            .include_y(0.0)
            .include_y(1.0)
            .line(Line::new("", threshold).faint());
        for (loss, color) in [(0, 1), (1, 0)] {
            let [record] = &trajectories[loss * NIELSEN.len() + place];
            chart = chart
                .line(Line::new(LOSSES[loss].to_string(), record.points("epoch", "output")).color(color));
        }
        output = output.panel(chart.alt("Output against epoch, under both losses."));
    }
    let mut slopes = Chart::new("Slope against error")
        .subtitle("the further right, the more wrong")
        .x_label("output (should be 0)")
        .y_label("slope of the loss in the score")
        .line(Line::new("", [(0.0, 0.0), (1.0, 0.0)]).faint());
    for (color, loss) in [(1, Head::SigmoidSquared), (0, Head::SigmoidCrossEntropy)] {
        let points = (1..200).map(|i| f64::from(i) / 200.0).map(|a| (a, slope(loss, (a / (1.0 - a)).ln())));
        slopes = slopes.line(Line::new(loss.to_string(), points).color(color));
    }
    let slopes =
        slopes.mark(2.0 / 3.0, 4.0 / 27.0, "largest at 2/3, where it is 4/27").alt(lab.text("alt: slope"));
    let rates = lab.numbers("rates");
    let cell = |epochs: f64| if epochs.is_finite() { epochs.to_string() } else { "never".into() };
    let rows = rates.iter().enumerate().map(|(i, rate)| {
        vec![
            rate.to_string(),
            cell(tuned[i][0].last("epochs")),
            cell(tuned[rates.len() + i][0].last("epochs")),
        ]
    });
    report
        .table(Table::new(
            "Epochs from score 4 at every learning rate",
            0,
            ["learning rate", "squared error", "cross-entropy"],
            rows,
        ))
        .section("Why")
        .paragraphs(lab.text("note: why"))
        .captioned(lab, "slope", slopes.to_svg())
        .panels("output", output, lab.text("caption: output"))
        .section("The formula behind the dots")
        .paragraphs(lab.text("note: formula"))
}
