//! Where does the gradient get lost on its way down? Deep small nets, three activations, five losses.

use serde_json::Value;
use surprisal_data::one_hot;
use surprisal_layers::{Activation, Init, Layer, Linear, rng};
use surprisal_optim::Sgd;
use surprisal_tensor::ndarray::{Array2, Axis};
use surprisal_tensor::{Params, Tape, Var, Workspace};

use crate::gallery::{
    Basis, Expected, Experiment, Finding, Head, Knob, Lab, LabError, Record, Report, Seeds, Training, short,
};
use surprisal_report::chart::{Chart, Line, Style};
use surprisal_report::statistics::Estimate;
use surprisal_report::{Align, Table};

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "gradient-flow",
    title: "Where the gradient gets lost",
    claim: "in deep nets the gradient vanishes because of the activation; the loss only rescales it",
    short: "the activation makes gradients vanish, not the loss",
    background: &[
        "A deep net is a chain of *layers*. Each takes weighted sums of what the layer before it says and bends them with an *activation*: the sigmoid, \
         from 0 to 1; tanh, from -1 to 1; or relu, which sets negative numbers to 0. A *loss* at the end of the chain says how wrong the outputs are, and its \
         *gradient*, how much it changes with each weight, is what every layer learns from. It is computed from the last layer down to the first, and each \
         layer on the way multiplies it by its weights and by the slope of its activation: at most ¼ for the sigmoid, at most 1 for the others.",
        "If the gradient of the first layer is a thousandth of that of the last, the first layer hardly learns: the gradient has *vanished*. The measure here is \
         that quotient, the length of the first layer's gradient over that of the last layer's. What rescales all layers alike leaves it as it is.",
        "The loss comes with a *head*, which turns the last sums into outputs: softmax (shares that add up to 1), sigmoids, or nothing. Two losses on the same head, \
         cross-entropy and half the squared error, differ in nothing but the loss. Losses on different heads also ask different questions.",
        "A factor is compared with a factor: how many times larger the largest of the three activations' quotients is than the smallest, and how many times larger that of one loss is than \
         that of the other. Factors are averaged by their logarithms.",
    ],
    falsified_if: "a change of the loss on the same head changes the quotient of first and last layer more than twofold, or more than a change of the activation does",
    broken: "all nets get the sigmoid, whatever activation they are said to have",
    source: "Hochreiter, *Untersuchungen zu dynamischen neuronalen Netzen* (1991); Bengio, Simard and Frasconi, \"Learning long-term dependencies with gradient \
             descent is difficult\" (1994); Glorot and Bengio, \"Understanding the difficulty of training deep feedforward neural networks\" (2010).",
    minutes: 0.01,
    seeds: Some(Seeds { usual: 8, quick: 4 }),
    knobs: &[
        Knob::counts(
            "depths",
            "4,8,12",
            "how many hidden layers, five units each; the first is trained at all rates",
        )
        .quick("4,8"),
        Knob::positive(
            "spread",
            "1.4",
            "starts are uniform: weights within this over √inputs, biases within 0.2",
        ),
        Knob::count("epochs", "200", "the length of the trainings, on all rows at once").quick("50"),
        Knob::positive("eta", "0.3", "the learning rate that all share"),
        Knob::positives("rates", "0.03,0.1,0.3,1,3", "the rates among which each net finds its own best")
            .quick("0.1,0.3,1"),
    ],
    run,
};

/// A net with its start, five rows, and what another program found there.
const REFERENCE: &str = include_str!("gradient_flow.json");
const ACTIVATIONS: [Activation; 3] = [Activation::Sigmoid, Activation::Tanh, Activation::Relu];
/// By heads: those of a pair differ in the loss alone.
const HEADS: [Head; 5] = [
    Head::SoftmaxCrossEntropy,
    Head::SoftmaxSquared,
    Head::SigmoidCrossEntropy,
    Head::SigmoidSquared,
    Head::LinearSquared,
];
const PAIRS: &[&[usize]] = &[&[0, 1], &[2, 3]];
const ALL: &[&[usize]] = &[&[0, 1, 2, 3, 4]];
const WIDTH: usize = 5;

/// An activation and a loss, as places in their lists; hidden layers, rate and seed.
#[derive(Clone, Copy)]
struct Job {
    activation: usize,
    head: usize,
    depth: usize,
    rate: f64,
    seed: u64,
}

/// Quotients by activation and loss, of one seed.
type Quotients = [[f64; HEADS.len()]; ACTIVATIONS.len()];

fn run(lab: &Lab) -> Result<Report, LabError> {
    let reference: Value =
        serde_json::from_str(REFERENCE).map_err(|e| LabError::Failure(format!("gradient_flow.json: {e}")))?;
    let data = Data::read(&reference["setting"])
        .ok_or_else(|| LabError::Failure("gradient_flow.json: X and labels are not numbers".into()))?;
    let (depths, eta) = (lab.setting.counts("depths"), lab.number("eta"));
    if let Some(deep) = depths.iter().find(|&&depth| depth > 100) {
        return Err(LabError::Usage(format!(
            "depths: {deep} hidden layers are more than 100, and of these nothing comes down that a number could hold"
        )));
    }
    let mut rates = vec![eta];
    rates.extend(lab.numbers("rates").iter().copied().filter(|&rate| rate != eta));
    let own: Vec<usize> =
        lab.numbers("rates").iter().filter_map(|rate| rates.iter().position(|r| r == rate)).collect();

    // depth, rate, seed, activation, loss: the order in which they are looked up
    let mut jobs = vec![];
    for (i, &depth) in depths.iter().enumerate() {
        for &rate in &rates[..if i == 0 { rates.len() } else { 1 }] {
            for &seed in &lab.seeds {
                for activation in 0..ACTIVATIONS.len() {
                    jobs.extend((0..HEADS.len()).map(|head| Job { activation, head, depth, rate, seed }));
                }
            }
        }
    }
    let runs = lab.runs(
        "nets",
        &jobs,
        |job| {
            let Job { activation, head, depth, rate, seed } = *job;
            [
                ("activation", ACTIVATIONS[activation].to_string()),
                ("loss", loss_name(head)),
                ("hidden_layers", depth.to_string()),
                ("rate", rate.to_string()),
                ("seed", seed.to_string()),
            ]
        },
        |&job| net(lab, &data, job),
    )?;

    // ---- measure
    let seeds = lab.seeds.len();
    let place = |depth: usize, rate: usize, seed: usize, activation: usize, head: usize| {
        let block = if depth == 0 { rate } else { rates.len() + depth - 1 };
        ((block * seeds + seed) * ACTIVATIONS.len() + activation) * HEADS.len() + head
    };
    let quotient = |run: &[Record; 2], stage: f64| {
        let norms = of_stage(&run[0], stage, "norm");
        norms.first().copied().unwrap_or(f64::NAN) / norms.last().copied().unwrap_or(f64::NAN)
    };
    let best = |seed: usize, activation: usize, head: usize| {
        let loss = |rate: usize| runs[place(0, rate, seed, activation, head)][1].last("loss");
        own.iter().copied().min_by(|&a, &b| loss(a).total_cmp(&loss(b))).unwrap_or(0)
    };
    let quotients = |of: &dyn Fn(usize, usize, usize) -> f64| -> Vec<Quotients> {
        let of_seed = |seed: usize| std::array::from_fn(|a| std::array::from_fn(|h| of(seed, a, h)));
        (0..seeds).map(of_seed).collect()
    };
    let at_start = |depth: usize| quotients(&|s, a, h| quotient(&runs[place(depth, 0, s, a, h)], 0.0));
    let trained = quotients(&|s, a, h| quotient(&runs[place(0, 0, s, a, h)], 1.0));
    // where cross-entropy led, under both losses of its head
    let same_weights = quotients(&|s, a, h| match h {
        1 | 3 => quotient(&runs[place(0, 0, s, a, h - 1)], 2.0),
        _ => quotient(&runs[place(0, 0, s, a, h)], 1.0),
    });
    let tuned = quotients(&|s, a, h| quotient(&runs[place(0, best(s, a, h), s, a, h)], 1.0));
    let known = data.quotients(lab.broken, &reference).ok_or_else(|| {
        LabError::Failure("gradient_flow.json: params or expected ratios are missing".into())
    })?;

    // ---- verdict
    let (first, last) = (depths[0], depths.len() - 1);
    let epochs = lab.count("epochs");
    let layers = format!("{first} hidden layers");
    let mut report = Report::new().figure("relative", relative_chart(&runs, &place, first, seeds).to_svg(),
        "The length of each layer's gradient over that of the last layer, at the start, for five losses under each activation. Lines of one colour differ in the loss alone (solid: cross-entropy, dashed: squared error, dotted: squared error on raw outputs), colours in the activation.");
    report = report.finding(of_the_reference(&known));
    report = compare(
        report,
        format!("At the start, {layers}, the loss on the same head"),
        &at_start(0),
        PAIRS,
        true,
    );
    if last > 0 {
        report = compare(
            report,
            format!("At the start, {} hidden layers, the loss on the same head", depths[last]),
            &at_start(last),
            PAIRS,
            true,
        );
    }
    report =
        compare(report, format!("At the start, {layers}, any of the five losses"), &at_start(0), ALL, false);
    report = compare(
        report,
        format!("After {epochs} epochs at the same rate {eta}, {layers}, the loss on the same head"),
        &trained,
        PAIRS,
        true,
    );
    report = compare(
        report,
        format!("After {epochs} epochs, each at its own best rate, {layers}, the loss on the same head"),
        &tuned,
        PAIRS,
        true,
    );
    report = compare(
        report,
        format!(
            "After {epochs} epochs of cross-entropy at rate {eta}, {layers}, both losses of a head at the same weights"
        ),
        &same_weights,
        PAIRS,
        true,
    );
    let stages: Vec<(String, Vec<Quotients>)> = depths
        .iter()
        .enumerate()
        .map(|(i, depth)| (format!("start, {depth} hidden layers"), at_start(i)))
        .chain([
            (format!("after {epochs} epochs at rate {eta}, {first} hidden layers"), trained),
            (format!("after {epochs} epochs at the best rate, {first} hidden layers"), tuned),
        ])
        .collect();
    Ok(pictures(report, &runs, &place, first, seeds, epochs, eta).table(quotient_table(&stages)))
}

/// "softmax_ce"
fn loss_name(head: usize) -> String {
    format!(
        "{}_{}",
        ["softmax", "sigmoid", "linear"][head / 2],
        if head % 2 == 1 || head == 4 { "half_mse" } else { ["ce", "bce"][head / 2] }
    )
}

/// The rows, and the start that comes with them.
struct Data {
    x: Array2<f64>,
    y: Array2<f64>,
    start: Vec<f64>,
    sizes: Vec<usize>,
}

impl Data {
    fn read(setting: &Value) -> Option<Data> {
        let numbers = |list: &Value| list.as_array()?.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>();
        let rows = setting["X"].as_array()?.iter().map(numbers).collect::<Option<Vec<_>>>()?;
        let labels: Vec<usize> =
            numbers(&setting["labels"])?.into_iter().map(|label| label as usize).collect();
        let sizes: Vec<usize> = numbers(&setting["sizes"])?.into_iter().map(|size| size as usize).collect();
        let mut start = vec![];
        for layer in setting["params"].as_array()? {
            for row in layer["W"].as_array()? {
                start.extend(numbers(row)?);
            }
            start.extend(numbers(&layer["b"])?);
        }
        let x = Array2::from_shape_vec((rows.len(), *sizes.first()?), rows.concat()).ok()?;
        Some(Data { x, y: one_hot(&labels, *sizes.last()?).ok()?, start, sizes })
    }

    /// What the library finds at the start of the reference, and the largest relative difference to what is expected there.
    fn quotients(&self, broken: bool, reference: &Value) -> Option<(Quotients, f64)> {
        let mut params = Params::default();
        let layers = layers(&mut params, &self.sizes, 0.0, 0);
        if params.as_slice().len() != self.start.len() {
            return None;
        }
        params.as_mut_slice().copy_from_slice(&self.start);
        let (mut found, mut off) = (Quotients::default(), 0.0f64);
        for (a, &activation) in ACTIVATIONS.iter().enumerate() {
            for (h, &head) in HEADS.iter().enumerate() {
                let net = Net {
                    layers: layers.clone(),
                    activation: if broken { Activation::Sigmoid } else { activation },
                    head,
                };
                let norms = net.norms(&params, self);
                found[a][h] = norms[0] / norms[norms.len() - 1];
                let id = format!("{activation}_{}", loss_name(h));
                let run =
                    reference["expected"]["runs"].as_array()?.iter().find(|run| run["id"] == id.as_str())?;
                let expected = run["ratio_first_to_last"].as_f64()?;
                off = off.max((found[a][h] / expected - 1.0).abs());
            }
        }
        Some((found, off))
    }
}

/// Layers with a drawn start.
fn layers(params: &mut Params<f64>, sizes: &[usize], spread: f64, seed: u64) -> Vec<Linear> {
    let mut rng = rng(seed);
    let pairs = sizes.windows(2).enumerate();
    pairs
        .map(|(i, pair)| {
            let weight = Init::Uniform(spread / (pair[0] as f64).sqrt());
            Linear::with_init(
                params,
                &format!("layer{i}"),
                pair[0],
                pair[1],
                weight,
                Init::Uniform(0.2),
                &mut rng,
            )
        })
        .collect()
}

struct Net {
    layers: Vec<Linear>,
    activation: Activation,
    head: Head,
}

impl Net {
    /// What every layer says before it is bent; the last are the logits.
    fn sums<'t>(&self, x: Var<'t>) -> Vec<Var<'t>> {
        let mut sums: Vec<Var> = vec![];
        for layer in &self.layers {
            let below = sums.last().map_or(x, |&z| self.activation.forward(z));
            sums.push(layer.forward(below));
        }
        sums
    }

    fn loss<'t>(&self, tape: &'t Tape<'t>, data: &Data) -> Var<'t> {
        let sums = self.sums(tape.input(&data.x));
        self.head.loss(sums[sums.len() - 1], tape.input(&data.y))
    }

    /// The length of every layer's gradient.
    fn norms(&self, params: &Params<f64>, data: &Data) -> Vec<f64> {
        let mut workspace = Workspace::new();
        self.loss(&workspace.tape(params), data).backward();
        let grads = workspace.grads();
        let length = |layer: &Linear| {
            grads[layer.weight].iter().chain(&grads[layer.bias]).map(|g| g * g).sum::<f64>().sqrt()
        };
        self.layers.iter().map(length).collect()
    }

    /// The share of every hidden layer that passes next to nothing on: of sigmoid and tanh the outputs within a twentieth of their range from its
    /// ends, of relu the units that are 0 for all rows.
    fn idle(&self, params: &Params<f64>, data: &Data) -> Vec<f64> {
        let mut workspace = Workspace::new();
        let tape = workspace.no_grad(params);
        let sums = self.sums(tape.input(&data.x));
        let share = |z: &Var| {
            let a = self.activation.forward(*z).value();
            let units = match self.activation {
                Activation::Sigmoid => a.mapv(|a| a.min(1.0 - a) < 0.05),
                Activation::Tanh => a.mapv(|a| a.abs() > 0.9),
                _ => a.map_axis(Axis(0), |unit| unit.iter().all(|&a| a == 0.0)),
            };
            units.iter().filter(|&&idle| idle).count() as f64 / units.len() as f64
        };
        sums[..sums.len() - 1].iter().map(share).collect()
    }
}

/// Layer by layer at the start (stage 0), at the end of training (1), and there under the other loss of its head (2); and the loss at the end.
fn net(lab: &Lab, data: &Data, Job { activation, head, depth, rate, seed }: Job) -> [Record; 2] {
    let mut sizes = vec![WIDTH; depth + 2];
    (sizes[0], sizes[depth + 1]) = (data.x.ncols(), data.y.ncols());
    let mut params = Params::default();
    let layers = layers(&mut params, &sizes, lab.number("spread"), seed);
    let activation = if lab.broken { Activation::Sigmoid } else { ACTIVATIONS[activation] };
    let other = HEADS[if head == 4 { head } else { head ^ 1 }];
    let (net, other) = (
        Net { layers: layers.clone(), activation, head: HEADS[head] },
        Net { layers, activation, head: other },
    );
    let mut record = Record::new("layers", &["stage", "layer", "norm", "idle"]);
    let mut note = |stage: f64, net: &Net, params: &Params<f64>| {
        let (norms, mut idle) = (net.norms(params, data), net.idle(params, data));
        idle.push(f64::NAN); // the last layer has no activation
        for (layer, (norm, idle)) in norms.into_iter().zip(idle).enumerate() {
            record.push([stage, (layer + 1) as f64, norm, idle]);
        }
    };
    note(0.0, &net, &params);
    let rows = data.x.nrows();
    let finite = Training { epochs: lab.count("epochs"), rows, batch: rows }.run(
        &mut params,
        &mut Sgd::new(rate),
        &mut rng(seed),
        |tape, _| net.loss(tape, data),
        |_, _| true,
    );
    let loss = if finite { net.loss(&Workspace::new().no_grad(&params), data).item() } else { f64::INFINITY };
    if loss.is_finite() {
        note(1.0, &net, &params);
        note(2.0, &other, &params);
    }
    [record, Record::once("end", [("loss", if loss.is_finite() { loss } else { f64::INFINITY })])]
}

/// A column of a record at one stage, by layers.
fn of_stage(record: &Record, stage: f64, column: &str) -> Vec<f64> {
    let rows = record.column("stage").into_iter().zip(record.column(column));
    rows.filter(|row| row.0 == stage).map(|row| row.1).collect()
}

/// How many times larger the largest is than the smallest; none if fewer than two are numbers above 0.
fn factor(quotients: impl IntoIterator<Item = f64>) -> Option<f64> {
    let alive: Vec<f64> = quotients.into_iter().filter(|q| *q > 0.0 && q.is_finite()).collect();
    let largest = alive.iter().copied().fold(0.0, f64::max);
    let smallest = alive.iter().copied().fold(f64::INFINITY, f64::min);
    (alive.len() > 1).then(|| largest / smallest)
}

fn geometric(factors: impl IntoIterator<Item = f64>) -> Option<f64> {
    let logs: Vec<f64> = factors.into_iter().map(f64::ln).collect();
    (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp())
}

/// The factors between activations with the same loss, and between losses of a group with the same activation.
fn factors(q: &Quotients, groups: &[&[usize]]) -> (Vec<f64>, Vec<f64>) {
    let activations = (0..HEADS.len()).filter_map(|h| factor(q.iter().map(|row| row[h]))).collect();
    let losses = groups
        .iter()
        .flat_map(|group| q.iter().filter_map(|row| factor(group.iter().map(|&h| row[h]))))
        .collect();
    (activations, losses)
}

/// Adds the verdict of one condition: does the activation change the quotient more than the loss, and the loss, if `at_most_twofold`, less than twofold?
fn compare(
    report: Report,
    condition: String,
    quotients: &[Quotients],
    groups: &[&[usize]],
    at_most_twofold: bool,
) -> Report {
    let all: Vec<(Vec<f64>, Vec<f64>)> = quotients.iter().map(|q| factors(q, groups)).collect();
    let means: Vec<(f64, f64)> = all
        .iter()
        .filter_map(|(a, l)| Some((geometric(a.iter().copied())?, geometric(l.iter().copied())?)))
        .collect();
    if means.len() < 2 {
        return report.paragraph(format!(
            "{condition}: in fewer than two starts any gradient comes down, so nothing can be compared."
        ));
    }
    let over = |of: fn(&(f64, f64)) -> f64| {
        let logs: Vec<f64> = means.iter().map(|pair| of(pair).ln()).collect();
        Estimate::of(&logs).map(f64::exp)
    };
    let [more, activation, loss] = [over(|(a, l)| a / l), over(|(a, _)| *a), over(|(_, l)| *l)];
    let losses = || all.iter().flat_map(|(_, losses)| losses);
    let worst = losses().copied().fold(0.0, f64::max);
    let beyond = losses().filter(|&&factor| factor > 2.0).count();
    let dead = quotients.iter().flatten().flatten().filter(|q| !(**q > 0.0 && q.is_finite())).count();
    let left_out = match dead {
        0 => String::new(),
        dead => format!(
            " {dead} of {} nets are left out: no gradient reaches their first layer, or training ran away.",
            quotients.len() * 15
        ),
    };
    let number = |e: Estimate| format!("{} [{}, {}]", short(e.mean), short(e.low), short(e.high));
    let mut finding = Finding::new(
        condition,
        "factor between activations / factor between losses",
        more,
        Basis::Ratios(means.len()),
    )
    .above(1.0);
    if at_most_twofold {
        finding = finding.and("factor between losses", loss, Expected::AtMost(2.0));
    }
    report.finding(
        finding
            .say(format!(
                "Activations change the quotient {}-fold, losses {}-fold; of {} changes of loss {beyond} change it more than twofold, the largest {}-fold.{left_out}",
                number(activation), number(loss), losses().count(), short(worst),
            )),
    )
}

/// The verdict on the start that is written out.
fn of_the_reference((q, off): &(Quotients, f64)) -> Finding {
    let (activations, losses) = factors(q, PAIRS);
    let least = activations.iter().copied().fold(f64::INFINITY, f64::min);
    let most = losses.iter().copied().fold(0.0, f64::max);
    let range = |a: usize| {
        let (low, high) =
            q[a].iter().fold((f64::INFINITY, 0.0f64), |(low, high), &q| (low.min(q), high.max(q)));
        format!("{} {} to {}", ACTIVATIONS[a], short(low), short(high))
    };
    Finding::deterministic("At a start that is written out, 4 hidden layers, the loss on the same head", "smallest factor between activations / largest between losses", least / most)
        .above(1.0)
        .and("largest factor between losses", Estimate::exactly(most), Expected::AtMost(2.0))
        .and("largest relative difference from the numbers of another program", Estimate::exactly(*off), Expected::AtMost(1e-10))
        .say(format!(
            "Activations change the quotient at least {}-fold, losses at most {}-fold. Over all five losses it is: {}.",
            short(least), short(most), [0, 1, 2].map(range).join(", "),
        ))
}

// ---- pictures

type Place<'a> = &'a dyn Fn(usize, usize, usize, usize, usize) -> usize;

/// Each layer's norm at a stage of the first depth at the shared rate: the geometric mean over seeds, of the last layer's if `relative`.
fn norms(
    runs: &[[Record; 2]],
    place: Place,
    (a, h): (usize, usize),
    stage: f64,
    seeds: usize,
    relative: bool,
) -> Vec<(f64, f64)> {
    let of_seed = |seed: usize| of_stage(&runs[place(0, 0, seed, a, h)][0], stage, "norm");
    let all: Vec<Vec<f64>> =
        (0..seeds).map(of_seed).filter(|norms| norms.first().is_some_and(|&norm| norm > 0.0)).collect();
    let layers = all.first().map_or(0, Vec::len);
    let mean = |layer: usize| {
        geometric(all.iter().map(|norms| norms[layer] / if relative { norms[layers - 1] } else { 1.0 }))
    };
    (0..layers).filter_map(|layer| Some(((layer + 1) as f64, mean(layer)?))).collect()
}

fn lines(chart: Chart, of: impl Fn((usize, usize)) -> Vec<(f64, f64)>) -> Chart {
    let styles = [Style::Solid, Style::Dashed, Style::Solid, Style::Dashed, Style::Dotted];
    let colours = [1, 0, 2];
    (0..ACTIVATIONS.len()).flat_map(|a| (0..HEADS.len()).map(move |h| (a, h))).fold(chart, |chart, (a, h)| {
        let name = if h == 0 { ACTIVATIONS[a].to_string() } else { String::new() };
        chart.line(Line::new(name, of((a, h))).colour(colours[a]).style(styles[h]))
    })
}

fn relative_chart(runs: &[[Record; 2]], place: Place, depth: usize, seeds: usize) -> Chart {
    let of = |net| norms(runs, place, net, 0.0, seeds, true);
    let first = |a: usize| of((a, 0)).first().map_or(f64::NAN, |point| point.1);
    let chart = Chart::new("How much of the gradient comes down?")
        .subtitle(format!("at the start, {depth} hidden layers, geometric mean over {seeds} seeds"))
        .x_label("layer, from the input up")
        .y_label("gradient norm over that of the last layer")
        .log_y()
        .alt(format!(
            "Gradient norm by layer, relative to the last layer. Under cross-entropy after a softmax the first layer has {} with the sigmoid, {} with tanh and {} with relu.",
            short(first(0)), short(first(1)), short(first(2)),
        ));
    lines(chart, of)
}

fn pictures(
    report: Report,
    runs: &[[Record; 2]],
    place: Place,
    depth: usize,
    seeds: usize,
    epochs: usize,
    eta: f64,
) -> Report {
    let absolute = |title: String, stage: f64| {
        let of = |net| norms(runs, place, net, stage, seeds, false);
        let alt =
            format!("{title}: gradient norm by layer under fifteen combinations of activation and loss.");
        let chart = Chart::new(title).subtitle("solid: cross-entropy, dashed: squared error on the same heads, dotted: squared error on raw outputs");
        lines(chart.x_label("layer").y_label("gradient norm").log_y().alt(alt), of).to_svg()
    };
    let idle = |a: usize, stage: f64| -> Vec<(f64, f64)> {
        let nets = || {
            (0..seeds).flat_map(|seed| {
                (0..HEADS.len()).map(move |h| of_stage(&runs[place(0, 0, seed, a, h)][0], stage, "idle"))
            })
        };
        let mean = |layer: usize| {
            let shares: Vec<f64> = nets().filter_map(|net| net.get(layer).copied()).collect();
            shares.iter().sum::<f64>() / shares.len() as f64
        };
        (0..depth).map(|layer| ((layer + 1) as f64, mean(layer))).collect()
    };
    let mut shares = Chart::new("Units that pass next to nothing on")
        .subtitle(format!(
            "solid: at the start, dashed: after {epochs} epochs at rate {eta}; mean over losses and seeds"
        ))
        .x_label("hidden layer")
        .y_label("share of saturated outputs (sigmoid, tanh) or dead units (relu)")
        .percent_y()
        .include_y(0.0);
    let mut ends = vec![];
    for (a, colour) in [(0, 1), (1, 0), (2, 2)] {
        for (stage, style) in [(0.0, Style::Solid), (1.0, Style::Dashed)] {
            let name = if stage == 0.0 { ACTIVATIONS[a].to_string() } else { String::new() };
            shares = shares.line(Line::new(name, idle(a, stage)).colour(colour).style(style));
        }
        let most = idle(a, 0.0).into_iter().map(|point| point.1).fold(0.0, f64::max);
        ends.push(format!("{} at most {} %", ACTIVATIONS[a], short(100.0 * most)));
    }
    report
        .section("Layer by layer")
        .figure("norms", absolute("The gradient of every layer at the start".into(), 0.0),
            "The loss moves a whole line up or down, and the activation sets how steeply it falls towards the first layer.")
        .figure("trained", absolute(format!("The gradient of every layer after {epochs} epochs at rate {eta}"), 1.0),
            "Look at the height of the lines, not only at their slope.")
        .paragraph("After training the quotient alone misleads. A net whose lower layers get no gradient still learns in its last layer how frequent each class is. Then the gradient \
             of the last layer is spent as well, and a quotient near 1 says only that all layers get equally little. Two losses that train for the same time also stand at different \
             places of their ways. And even at the same weights a loss rescales each row by a factor of its own: at the start all rows get nearly the same outputs, so that the factors are one; \
             once some rows are learnt and others are not, they differ, and the rows' different ways through the net weigh differently.")
        .figure("idle", shares.alt(format!("The share of idle units by layer at the start: {}.", ends.join(", "))).to_svg(),
            "Is it saturation? An output is counted as saturated within a twentieth of its range from its ends, a relu unit as dead if it is 0 for all rows. A sigmoid's gradient \
             can vanish without any saturation: its slope is at most ¼ everywhere.")
        .section("In numbers")
}

fn quotient_table(stages: &[(String, Vec<Quotients>)]) -> Table {
    let cell = |quotients: &[Quotients], a: usize| {
        let alive = quotients.iter().flat_map(|q| q[a]).filter(|q| *q > 0.0 && q.is_finite());
        geometric(alive).map_or("none".into(), short)
    };
    Table {
        caption: "First layer's gradient over the last layer's: the geometric mean over losses and seeds, of nets whose first layer is reached at all".into(),
        header: std::iter::once("when".to_string()).chain(ACTIVATIONS.map(|a| a.to_string())).collect(),
        rows: stages.iter().map(|(stage, q)| std::iter::once(stage.clone()).chain((0..3).map(|a| cell(q, a))).collect()).collect(),
        align: vec![Align::Left, Align::Right, Align::Right, Align::Right],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_is_met_and_a_wrong_activation_is_not() {
        let reference: Value = serde_json::from_str(REFERENCE).unwrap();
        let data = Data::read(&reference["setting"]).unwrap();
        assert!(data.quotients(false, &reference).unwrap().1 < 1e-10);
        assert!(data.quotients(true, &reference).unwrap().1 > 0.9);
    }

    #[test]
    fn the_reference_is_the_one_that_is_replayed() {
        let replayed = concat!(env!("CARGO_MANIFEST_DIR"), "/../replay/tests/vectors/gradient_flow.json");
        if let Ok(content) = std::fs::read_to_string(replayed) {
            assert!(content == REFERENCE, "copy {replayed} over the one beside this file"); // absent in the published crate
        }
    }

    #[test]
    fn dead_nets_are_left_out_of_a_factor() {
        assert_eq!(factor([0.5, 0.0, f64::NAN, 0.125]), Some(4.0));
        assert_eq!(factor([0.5, 0.0, f64::INFINITY]), None);
    }
}
