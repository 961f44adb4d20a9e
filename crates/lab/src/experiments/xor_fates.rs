//! Which starts learn XOR, and how soon? Hundreds of starts of three small nets, each under both losses.

use surprisal_layers::{Activation, Init, Layer, Mlp, Sizes, rng};
use surprisal_optim::Sgd;
use surprisal_tensor::ndarray::{Array2, ArrayD};
use surprisal_tensor::{Params, Workspace};

use crate::gallery::{
    Basis, Expected, Experiment, Finding, Head, Knob, Lab, LabError, Record, Report, Seeds, Training, short,
};
use surprisal_report::chart::{Chart, Line, Style};
use surprisal_report::statistics::Estimate;
use surprisal_report::{Align, Table};

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "xor-fates",
    title: "The fates of XOR",
    claim: "cross-entropy leaves plateaus of the output faster than squared error, and is no cure for a bad hidden layer",
    short: "cross-entropy leaves plateaus sooner, not bad basins",
    background: &[
        "*XOR* asks whether two bits differ; *parity* asks whether the number of ones among several bits is odd. No single neuron can answer: a \
         net needs *hidden units* between input and output, each a weighted sum bent by the sigmoid σ(z) = 1 / (1 + e^-z), a curve from 0 to 1. A \
         2-4-1 net has 2 inputs, 4 hidden units and 1 output. It learns by steps against the slope of a loss, here on all its cases at once \
         (one such step is an *epoch*), from a *start*: weights and biases drawn at random, here from the bell curve of mean 0 and deviation 1.",
        "On a *plateau* the slope is next to nothing and training seems to stand still. There are two kinds. The output can be sure and wrong: then squared error, \
         ½ (a - y)², has a small slope, as it carries the factor a (1 - a), and *cross-entropy*, -y ln a - (1 - y) ln(1 - a), has not. Or the \
         hidden units can have folded two cases with different answers onto one point: then no output layer can tell them apart, and the loss at the output \
         has no say in it.",
        "A start has *solved* its task when the output of every case is closer to the truth than a threshold. Both losses get the same starts. The intervals \
         of a difference of shares treat the two shares as independent, which for equal starts makes them wider than need be.",
    ],
    falsified_if: "cross-entropy does not solve more of the starts, or needs as many epochs, or the start in the bad basin is solved",
    broken: "both arms get squared error, and the start in the bad basin gives way to a good one",
    source: "Rumelhart, Hinton and Williams, \"Learning representations by back-propagating errors\" (1986), for XOR; Solla, Levin and Fleisher, \
             \"Accelerated learning in layered neural networks\" (1988); Newcombe, \"Interval estimation for the difference between independent \
             proportions\" (1998).",
    minutes: 0.5,
    seeds: Some(Seeds { usual: 200, quick: 24 }),
    knobs: &[
        Knob::positive("eta", "2", "the learning rate that both losses share"),
        Knob::positives("rates", "0.5,2,8,32,128", "the rates among which each loss finds its own best")
            .quick("2,8,32"),
        Knob::positive("deviation", "1", "the standard deviation of the drawn weights and biases"),
        Knob::share("threshold", "0.1", "the largest error of a start that has solved its task"),
        Knob::count("cap", "10000", "the epoch at which waiting ends").quick("2000"),
    ],
    run,
};

/// The nets: sizes, and what they learn.
const NETS: [(&[usize], &str); 3] =
    [(&[2, 2, 1], "XOR"), (&[2, 4, 1], "XOR"), (&[3, 4, 1], "parity of 3 bits")];

/// A start written out: each layer's weights by input, then its biases.
struct Fixed {
    name: &'static str,
    sizes: &'static [usize],
    eta: f64,
    start: &'static [f64],
}
const PLAIN: Fixed = Fixed {
    name: "plain",
    sizes: &[2, 2, 1],
    eta: 2.0,
    start: &[1.0, -1.0, 1.0, -1.0, -0.5, 1.5, 0.5, 0.5, -0.3],
};
const BAD_BASIN: Fixed = Fixed {
    name: "bad basin",
    sizes: &[2, 2, 1],
    eta: 2.0,
    start: &[0.5, -0.4, 0.3, 0.8, 0.1, -0.2, 0.7, -0.6, 0.05],
};
const SATURATED: Fixed = Fixed {
    name: "saturated output",
    sizes: &[2, 4, 1],
    eta: 0.5,
    start: &[
        1.2, -0.6, 0.4, -1.1, -0.9, 1.3, 0.9, -0.7, 0.1, -0.2, 0.3, -0.1, // hidden
        1.6, 1.8, 1.5, 1.4, 2.0, // output
    ],
};

/// A net, a loss, a rate.
#[derive(Clone, Copy)]
struct Arm {
    net: usize,
    loss: Head,
    rate: f64,
}

fn run(lab: &Lab) -> Result<Report, LabError> {
    let (threshold, cap, eta) = (lab.number("threshold"), lab.count("cap"), lab.number("eta"));
    if threshold == 0.0 || threshold >= 0.5 {
        return Err(LabError::Usage(format!(
            "threshold: {threshold} is not above 0 and below 0.5, the error of one who has no idea"
        )));
    }
    let losses = if lab.broken {
        [Head::SigmoidSquared; 2]
    } else {
        [Head::SigmoidSquared, Head::SigmoidCrossEntropy]
    };
    let stuck = if lab.broken { PLAIN } else { BAD_BASIN };
    let rates = lab.numbers("rates");

    let fixed: Vec<(&Fixed, Head, f64)> = [&PLAIN, &stuck, &SATURATED]
        .into_iter()
        .flat_map(|fixed| losses.map(|loss| (fixed, loss)))
        .flat_map(|(fixed, loss)| {
            std::iter::once(fixed.eta).chain(rates.iter().copied()).map(move |rate| (fixed, loss, rate))
        })
        .collect();
    let of_fixed = lab.runs(
        "starts that are written out",
        &fixed,
        |(fixed, loss, rate)| {
            [("start", fixed.name.into()), ("loss", loss.name().into()), ("rate", rate.to_string())]
        },
        |&(fixed, loss, rate)| [trajectory(fixed, loss, rate, threshold, cap)],
    )?;
    let mut grid = vec![eta];
    grid.extend(rates.iter().copied().filter(|&rate| rate != eta));
    let arms: Vec<Arm> = (0..NETS.len())
        .flat_map(|net| losses.map(|loss| (net, loss)))
        .flat_map(|(net, loss)| grid.iter().map(move |&rate| Arm { net, loss, rate }))
        .collect();
    let fates = lab.runs(
        "starts that are drawn",
        &arms,
        |arm| {
            [("net", name(NETS[arm.net].0)), ("loss", arm.loss.name().into()), ("rate", arm.rate.to_string())]
        },
        |&arm| [fates(lab, arm)],
    )?;

    // ---- measure
    let epochs = |net: usize, loss: usize, rate: usize| {
        fates[(net * 2 + loss) * grid.len() + rate][0].column("epochs")
    };
    let solved = |epochs: &[f64]| epochs.iter().filter(|epochs| epochs.is_finite()).count();
    let own = rates.iter().filter_map(|rate| grid.iter().position(|other| other == rate)).collect::<Vec<_>>();
    // the best is best in what is compared: most starts solved, or the smallest median of epochs; among equals, the other
    let best = |net: usize, loss: usize, by_time: bool| {
        let by_merit = |&a: &usize, &b: &usize| {
            let (a, b) = (epochs(net, loss, a), epochs(net, loss, b));
            let (share, time) = (solved(&b).cmp(&solved(&a)), median(&a).total_cmp(&median(&b)));
            if by_time { time.then(share) } else { share.then(time) }
        };
        own.iter().copied().min_by(by_merit).unwrap_or(0)
    };
    let own_best = |by_time| {
        (0..NETS.len()).map(|net| [best(net, 0, by_time), best(net, 1, by_time)]).collect::<Vec<_>>()
    };
    let same = vec![[0, 0]; NETS.len()];
    let conditions: [Condition; 2] = [
        (format!("At the same rate {eta}"), same.clone()),
        ("Each at its own best rate".into(), own_best(false)),
    ];
    let soonest_rates = [same, own_best(true)];
    let pairs =
        |net: usize, [squared, entropy]: [usize; 2]| [epochs(net, 0, squared), epochs(net, 1, entropy)];
    let per_fixed = rates.len() + 1;
    let until = |start: usize, loss: usize, rate: usize| {
        of_fixed[(start * 2 + loss) * per_fixed + rate][0].last("solved")
    };
    let soonest = |loss: usize| (1..per_fixed).map(|rate| until(2, loss, rate)).fold(f64::INFINITY, f64::min);

    // ---- verdict
    let mut report = Report::new().figure("solved", solved_chart(&conditions[0], losses, &pairs, cap).to_svg(),
        "The share of starts that have solved their task, against the epoch. Further left is sooner; a curve that ends below the top leaves starts unsolved.");
    let never =
        |epochs: f64| if epochs.is_finite() { epochs.to_string() } else { format!("more than {cap}") };
    for (condition, [squared, entropy]) in [
        (
            format!("From a saturated output, at the same rate {}", SATURATED.eta),
            [until(2, 0, 0), until(2, 1, 0)],
        ),
        ("From a saturated output, each at its own best rate".into(), [soonest(0), soonest(1)]),
    ] {
        // never against a number is as much as can be; never against never is unknown
        let ratio = if squared == entropy && squared.is_finite() { 1.0 } else { squared / entropy };
        report = report.finding(
            Finding::deterministic(condition, "epochs under squared error / under cross-entropy", ratio)
                .above(1.0)
                .say(format!("{} epochs against {}.", never(squared), never(entropy))),
        );
    }
    for ((condition, chosen), by_time) in conditions.iter().zip(&soonest_rates) {
        for (net, (sizes, task)) in NETS.iter().enumerate() {
            let both = pairs(net, chosen[net]);
            let [squared, entropy] =
                [0, 1].map(|loss| Estimate::wilson(solved(&both[loss]), both[loss].len()));
            let share = |share: Estimate| format!("{} %", short(100.0 * share.mean));
            let rates = if chosen[net] == [0, 0] {
                String::new()
            } else {
                format!(" (rates {} and {})", grid[chosen[net][1]], grid[chosen[net][0]])
            };
            report = report.finding(
                Finding::new(
                    format!("{condition}, {task} with {}", name(sizes)),
                    "share solved under cross-entropy - under squared error",
                    entropy.minus(squared),
                    Basis::Trials(lab.seeds.len()),
                )
                .above(0.0)
                .say(format!("{} against {}{rates}.", share(entropy), share(squared))),
            );
        }
        let ratios = speed(lab.seeds.len(), |net| pairs(net, by_time[net]));
        let of_net = |[squared, entropy]: &[usize; 2]| format!("{} and {}", grid[*entropy], grid[*squared]);
        let of_nets = by_time.iter().map(of_net).collect::<Vec<_>>().join("; ");
        let measure = "epochs under squared error / under cross-entropy, of starts that both solve";
        // "best" may mean two things, and the answer may hang on which
        let by_share = speed(lab.seeds.len(), |net| pairs(net, chosen[net]));
        let rule = match by_share.len() {
            _ if chosen == by_time => String::new(),
            0 | 1 => " Best is here the smallest median of epochs, and above the largest share.".into(),
            _ => format!(
                " Best is here the smallest median of epochs. At the rates that solve the largest share, as above, it is {}.",
                Finding::ratios("", "", &by_share).number()
            ),
        };
        report = match ratios.len() {
            0 | 1 => report.paragraph(format!("{condition}: fewer than two starts are solved under both losses, so their times cannot be compared.")),
            _ => report.finding(Finding::ratios(format!("{condition}, all three nets"), measure, &ratios).above(1.0)
                .say(format!("The geometric mean over the nets, at the rates {of_nets}, those of cross-entropy first.{rule}"))),
        };
    }
    let ends = [0, 1].map(|loss| of_fixed[(2 + loss) * per_fixed][0].last("error"));
    let out = [0, 1].into_iter().filter(|&loss| until(1, loss, 0).is_finite()).count();
    let left = [0, 1].map(|loss| (1..per_fixed).filter(|&rate| until(1, loss, rate).is_finite()).count());
    report = report
        .finding(
            Finding::deterministic(
                format!("From the bad basin, at its rate {}, within {cap} epochs", stuck.eta),
                "losses, of two, that get out",
                out as f64,
            )
            .expect(Expected::AtMost(0.0))
            .say(format!(
                "The largest error at the end is {} under squared error and {} under cross-entropy.",
                short(ends[0]),
                short(ends[1])
            )),
        )
        .finding(
            Finding::deterministic(
                "From the bad basin, at any rate of the table",
                "rates at which a loss gets out",
                (left[0] + left[1]) as f64,
            )
            .expect(Expected::AtMost(0.0))
            .say(format!(
                "Of {} rates, squared error gets out at {} and cross-entropy at {}.",
                rates.len(),
                left[0],
                left[1]
            )),
        );
    let chosen = [
        &of_fixed[4 * per_fixed][0],
        &of_fixed[5 * per_fixed][0],
        &of_fixed[2 * per_fixed][0],
        &of_fixed[3 * per_fixed][0],
    ];
    Ok(pictures(report, losses, chosen, cap)
        .section("Start by start")
        .figure("fates", fate_map(&conditions[1], &pairs, cap).to_svg(),
            "Every dot is a start. Below the diagonal cross-entropy was sooner (green). A start that is never solved stands at the far edge, twice the last epoch: at the right one only cross-entropy solves it \
             (blue), at the upper one only squared error (red), in the corner neither (grey), all of them in one dot.",
        )
        .table(fate_table(&conditions, &pairs))
        .table(rate_table(&grid, &own, losses, epochs, solved)))
}

fn name(sizes: &[usize]) -> String {
    sizes.iter().map(usize::to_string).collect::<Vec<_>>().join("-")
}

/// The middle number; infinite if more than half are.
fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    if low == high { low } else { (low + high) / 2.0 }
}

/// For each seed, the ratio of epochs where both losses solve its start: the geometric mean over the nets.
fn speed(seeds: usize, pairs: impl Fn(usize) -> [Vec<f64>; 2]) -> Vec<f64> {
    let nets: Vec<_> = (0..NETS.len()).map(pairs).collect();
    let of_seed = |seed: usize| {
        let ratios =
            nets.iter().map(|[squared, entropy]| (squared[seed].max(1.0) / entropy[seed].max(1.0)).ln());
        let logs: Vec<f64> = ratios.filter(|log| log.is_finite()).collect();
        (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp())
    };
    (0..seeds).filter_map(of_seed).collect()
}

/// One step after the other; `each` sees epoch, parameters and outputs, and says whether to go on.
fn descend(
    (sizes, start): (&[usize], impl FnOnce(&mut Params<f64>, &Sizes) -> Mlp),
    loss: Head,
    rate: f64,
    cap: usize,
    mut each: impl FnMut(usize, &Params<f64>, &ArrayD<f64>, f64) -> bool,
) {
    let sizes = Sizes::new(sizes).unwrap_or_else(|error| panic!("{error}"));
    let rows = 1 << sizes.inputs();
    let x = Array2::from_shape_fn((rows, sizes.inputs()), |(i, bit)| {
        f64::from((i >> (sizes.inputs() - 1 - bit)) as u8 & 1)
    });
    let y = Array2::from_shape_fn((rows, 1), |(i, _)| f64::from(i.count_ones() % 2));
    let mut params = Params::default();
    let net = start(&mut params, &sizes);
    let mut judge = Workspace::new();
    Training { epochs: cap, rows, batch: rows }.run(
        &mut params,
        &mut Sgd::new(rate),
        &mut rng(0), // all rows at once have no order
        |tape, _| loss.loss(net.forward(tape.input(&x)), tape.input(&y)),
        |epoch, params| {
            let outputs = judge.eval(params, |tape| net.forward(tape.input(&x)).sigmoid());
            let error = outputs.iter().zip(&y).map(|(a, y)| (a - y).abs()).fold(0.0, f64::max);
            each(epoch, params, &outputs, error)
        },
    );
}

/// The epoch at which each drawn start has solved its task; infinite if never.
fn fates(lab: &Lab, Arm { net, loss, rate }: Arm) -> Record {
    let mut record = Record::new("fates", &["seed", "epochs"]);
    let init = Init::Normal(lab.number("deviation"));
    for &seed in &lab.seeds {
        let start = |params: &mut Params<f64>, sizes: &Sizes| {
            Mlp::with_init(params, sizes, Activation::Sigmoid, init, init, &mut rng(seed))
        };
        let mut solved = f64::INFINITY;
        descend((NETS[net].0, start), loss, rate, lab.count("cap"), |epoch, _, _, error| {
            if error < lab.number("threshold") {
                solved = epoch as f64;
            }
            solved.is_infinite()
        });
        record.push([seed as f64, solved]);
    }
    record
}

/// The way of a start that is written out, at epochs that become sparse, and when it is solved. Hidden units are those of the 2-2-1 net.
fn trajectory(fixed: &Fixed, loss: Head, rate: f64, threshold: f64, cap: usize) -> Record {
    let mut record = Record::new(
        "trajectory",
        &[
            "epoch", "error", "solved", "a00", "a01", "a10", "a11", "h00", "k00", "h01", "k01", "h10", "k10",
            "h11", "k11",
        ],
    );
    let start = |params: &mut Params<f64>, sizes: &Sizes| {
        let net = Mlp::new(params, sizes, Activation::Sigmoid, &mut rng(0));
        params.as_mut_slice().copy_from_slice(fixed.start);
        net
    };
    let mut solved = f64::INFINITY;
    descend((fixed.sizes, start), loss, rate, cap, |epoch, params, a, error| {
        if error < threshold {
            solved = solved.min(epoch as f64);
        }
        let sparse = epoch <= 20 || epoch % (epoch / 20) == 0 || epoch == cap;
        if sparse || solved == epoch as f64 {
            let theta = params.as_slice();
            let width = fixed.sizes[1];
            let hidden = |row: usize, unit: usize| {
                let (first, second) = ((row / 2) as f64, (row % 2) as f64);
                let z = first * theta[unit] + second * theta[width + unit] + theta[2 * width + unit];
                1.0 / (1.0 + (-z).exp())
            };
            let mut row = vec![epoch as f64, error, solved];
            row.extend(a);
            row.extend((0..4).flat_map(|row| [hidden(row, 0), hidden(row, 1)]));
            record.push(row);
        }
        true
    });
    record
}

// ---- pictures

type Pairs<'a> = &'a dyn Fn(usize, [usize; 2]) -> [Vec<f64>; 2];
type Condition = (String, Vec<[usize; 2]>);

fn title(net: usize) -> String {
    format!("{}, {}", name(NETS[net].0), NETS[net].1)
}

/// The share of starts that have solved their task, against the epoch.
fn solved_chart((condition, chosen): &Condition, losses: [Head; 2], pairs: Pairs, cap: usize) -> Chart {
    let mut chart = Chart::new("How many have learnt it, and when?")
        .subtitle(condition)
        .x_label("epoch")
        .y_label("share of starts that have solved their task")
        .log_x()
        .percent_y()
        .include_y(0.0)
        .include_y(1.0);
    let mut ends = vec![];
    for net in 0..NETS.len() {
        for loss in [1, 0] {
            let mut epochs = pairs(net, chosen[net])[loss].clone();
            epochs.sort_by(f64::total_cmp);
            let share = |solved: usize| solved as f64 / epochs.len() as f64;
            let mut points = vec![];
            for (i, &epoch) in epochs.iter().enumerate().filter(|(_, epoch)| epoch.is_finite()) {
                points.extend([(epoch.max(1.0), share(i)), (epoch.max(1.0), share(i + 1))]);
            }
            let end = points.last().map_or(0.0, |point| point.1);
            points.push((cap as f64, end));
            let name = format!("{}, {}", name(NETS[net].0), losses[loss]);
            ends.push(format!("{name}: {} %", short(100.0 * end)));
            chart = chart.line(Line::new(name, points).colour(2 + net).style(STYLES[loss]));
        }
    }
    chart.alt(format!(
        "The share of starts that have solved their task, against the epoch. At the end: {}.",
        ends.join("; ")
    ))
}

/// Epochs under one loss against epochs under the other, a dot for each start of the smallest net.
fn fate_map((condition, chosen): &Condition, pairs: Pairs, cap: usize) -> Chart {
    let [squared, entropy] = pairs(0, chosen[0]);
    let [both, only, other, neither] = counts([&squared, &entropy]);
    let edge = 2.0 * cap as f64;
    let soonest = squared.iter().chain(&entropy).copied().fold(edge, f64::min).max(1.0);
    let chart = Chart::new(format!("The fate of every start: {}", title(0)))
        .subtitle(condition)
        .x_label("epochs under squared error")
        .y_label("epochs under cross-entropy")
        .log_x()
        .log_y()
        .line(Line::new("", [(soonest, soonest), (edge, edge)]).colour(4).faint())
        .alt(format!("Of {} starts both losses solve {both}, only cross-entropy {only}, only squared error {other}, neither {neither}.", squared.len()));
    let dots = squared.iter().zip(&entropy).map(|(&squared, &entropy)| {
        let colour = match (entropy.is_finite(), squared.is_finite()) {
            (true, true) => 2,
            (true, false) => 0,
            (false, true) => 1,
            (false, false) => 4,
        };
        Line::new("", [(squared.clamp(1.0, edge), entropy.clamp(1.0, edge))]).colour(colour)
    });
    dots.fold(chart, Chart::line)
}

/// How many starts both losses solve, only cross-entropy, only squared error, neither.
fn counts([squared, entropy]: [&[f64]; 2]) -> [usize; 4] {
    let count = |e: bool, s: bool| {
        squared
            .iter()
            .zip(entropy)
            .filter(|(squared, entropy)| (entropy.is_finite(), squared.is_finite()) == (e, s))
            .count()
    };
    [count(true, true), count(true, false), count(false, true), count(false, false)]
}

fn fate_table(conditions: &[Condition], pairs: Pairs) -> Table {
    let mut rows = vec![];
    for (condition, chosen) in conditions {
        for (net, &rates) in chosen.iter().enumerate() {
            let [squared, entropy] = pairs(net, rates);
            let mut row = vec![format!("{}, {}", name(NETS[net].0), condition.to_lowercase())];
            row.extend(counts([&squared, &entropy]).map(|count| count.to_string()));
            rows.push(row);
        }
    }
    Table {
        caption: "How many starts are solved under".into(),
        header: ["net and rate", "both", "only cross-entropy", "only squared error", "neither"]
            .map(String::from)
            .to_vec(),
        rows,
        align: vec![Align::Left, Align::Right, Align::Right, Align::Right, Align::Right],
    }
}

fn rate_table(
    grid: &[f64],
    own: &[usize],
    losses: [Head; 2],
    epochs: impl Fn(usize, usize, usize) -> Vec<f64>,
    solved: impl Fn(&[f64]) -> usize,
) -> Table {
    let cell = |epochs: &[f64]| {
        let middle = median(epochs);
        let middle = if middle.is_finite() { short(middle) } else { "never".into() };
        format!("{} % ({middle})", short(100.0 * solved(epochs) as f64 / epochs.len() as f64))
    };
    let rows = (0..NETS.len()).flat_map(|net| {
        let (cell, epochs) = (&cell, &epochs);
        [1, 0].map(move |loss| {
            let mut row = vec![name(NETS[net].0), losses[loss].to_string()];
            row.extend(own.iter().map(|&rate| cell(&epochs(net, loss, rate))));
            row
        })
    });
    Table {
        caption: "Share solved at every rate that was tried, and the median of epochs over all starts, \"never\" if more than half are not solved"
            .into(),
        header: ["net".to_string(), "loss".into()].into_iter().chain(own.iter().map(|&i| format!("rate {}", grid[i]))).collect(),
        rows: rows.collect(),
        align: [Align::Left; 2].into_iter().chain(own.iter().map(|_| Align::Right)).collect(),
    }
}

/// The lines of squared error and of cross-entropy; colours tell the nets, or the starts, apart.
const STYLES: [Style; 2] = [Style::Dashed, Style::Solid];

/// The starts that are written out: `chosen` is the saturated output under both losses, then the bad basin under both.
fn pictures(report: Report, losses: [Head; 2], chosen: [&Record; 4], cap: usize) -> Report {
    let mut errors = Chart::new("Two plateaus")
        .subtitle("the largest error over the four cases, each start at the rate that it came with")
        .x_label("epoch")
        .log_x()
        .include_y(0.0)
        .include_y(1.0)
        .y_label("largest error");
    for (i, record) in chosen.into_iter().enumerate() {
        let points = record.points("epoch", "error").into_iter().filter(|point| point.0 > 0.0);
        let start = if i < 2 { "saturated output" } else { "bad basin" };
        errors = errors.line(
            Line::new(format!("{start}, {}", losses[i % 2]), points).colour(2 + i / 2).style(STYLES[i % 2]),
        );
    }
    let ends: Vec<String> = chosen.iter().map(|record| short(record.last("error"))).collect();
    let errors = errors.alt(format!(
        "The largest error against the epoch. From the saturated output it ends at {} under {} and {} under {} after {cap} epochs; from the bad basin at {} and {}.",
        ends[0], losses[0], ends[1], losses[1], ends[2], ends[3],
    ));
    let folded = chosen[3];
    let mut hidden = Chart::new("What the hidden units make of the four cases")
        .subtitle(format!("from the bad basin, under {}: from the start to the dots at the end", losses[1]))
        .x_label("first hidden unit")
        .y_label("second hidden unit")
        .include_y(0.0)
        .include_y(1.0);
    for (colour, case) in ["00", "01", "10", "11"].into_iter().enumerate() {
        let points = folded.points(&format!("h{case}"), &format!("k{case}"));
        hidden = hidden.line(Line::new(case, points).colour(colour));
    }
    let end = |column: &str| short(folded.last(column));
    let hidden = hidden.alt(format!(
        "The four cases in the plane of the two hidden units. At the end 01 is at ({}, {}) and 11 at ({}, {}); their outputs are {} and {}.",
        end("h01"), end("k01"), end("h11"), end("k11"), end("a01"), end("a11"),
    ));
    report
        .section("Two plateaus, one cure")
        .figure("plateaus", errors.to_svg(),
            "From an output that is sure and wrong, cross-entropy moves at once and squared error waits. From the bad basin, both end with an error of one half.")
        .figure("hidden", hidden.to_svg(),
            "The same start under cross-entropy, seen from inside. Every case is a point in the plane of the two hidden units. Where 01, whose answer is 1, and 11, whose answer is \
             0, meet in a point, every output layer gives both the same answer, and one half is the best that it can say.")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Epochs to errors below 0.1 that another program found from the same starts.
    #[test]
    fn written_starts_take_their_known_time() {
        use Head::{SigmoidCrossEntropy, SigmoidSquared};
        let never = f64::INFINITY;
        for (fixed, entropy, squared) in
            [(PLAIN, 244.0, 1366.0), (SATURATED, 484.0, 3038.0), (BAD_BASIN, never, never)]
        {
            for (loss, epochs) in [(SigmoidCrossEntropy, entropy), (SigmoidSquared, squared)] {
                let found = trajectory(&fixed, loss, fixed.eta, 0.1, 4000).last("solved");
                assert_eq!(found, epochs, "{} under {loss}", fixed.name);
            }
        }
    }

    #[test]
    fn seeds_that_one_loss_does_not_solve_are_left_out_of_the_times() {
        let never = f64::INFINITY;
        let nets = [
            [vec![8.0, never, never], vec![2.0, 3.0, never]],
            [vec![9.0, 7.0, never], vec![9.0, never, 1.0]],
            [vec![never; 3], vec![1.0; 3]],
        ];
        assert_eq!(speed(3, |net| nets[net].clone()), [2.0]); // the geometric mean of 4 and 1
        assert_eq!(counts([&nets[0][0], &nets[0][1]]), [1, 1, 0, 1]);
        assert_eq!((median(&[3.0, 1.0, never]), median(&[1.0, never])), (3.0, never));
    }
}
