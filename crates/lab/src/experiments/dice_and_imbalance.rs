//! Few foreground pixels: does Dice as a loss find them better than cross-entropy, or only at another threshold?

use surprisal_data::metrics::best_f1_threshold;
use surprisal_loss::{BinaryCrossEntropyWithLogits, CeDiceLoss, Reduction, SigmoidFocalLoss};
use surprisal_tensor::Var;

use crate::gallery::{
    Arm, Basis, Expected, Experiment, Finding, Knob, Lab, LabError, Masks, Record, Report, Seeds, Text,
    average_precision, check_net, dice, fan_of_shares, plus_minus, short,
};
use surprisal_report::Table;
use surprisal_report::chart::{Chart, ImageGrid, Line, Panels};
use surprisal_report::statistics::{Estimate, highest, mean, minus};

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "dice-and-imbalance",
    text: Text::new(include_str!("dice_and_imbalance.md")),
    minutes: 3.85,
    seeds: Some(Seeds { first: 101, usual: 8, quick: 4 }),
    knobs: &[
        Knob::count("train", "48", "training images").quick("24"),
        Knob::count("validation", "24", "images on which rates and thresholds are chosen").quick("12"),
        Knob::count("test", "200", "test images, the same for all seeds").quick("40"),
        Knob::count("side", "32", "the height and width of an image").quick("16"),
        Knob::number("noise", "0.25", "the standard deviation of the noise of a pixel"),
        Knob::count("levels", "3", "levels of the U-Net").quick("2"),
        Knob::count("width", "8", "channels of its first level").quick("4"),
        Knob::count("batch", "16", "images in a step").quick("8"),
        Knob::count("epochs", "134", "passes over the training images, of 3 steps each").quick("40"),
        Knob::count(
            "longer",
            "4",
            "times as many epochs for the trainings with cross-entropy, Dice and mix that go on",
        )
        .quick("2"),
        Knob::count("longer_seeds", "4", "seeds of these trainings, 2 or more").quick("2"),
        Knob::positives("rates", "0.003,0.01", "the learning rates of Adam").quick("0.003"),
        Knob::positive("rate", "0.003", "the rate of \"at the same rate\", one of the above"),
        Knob::positive("pos_weight", "30", "the weight of a foreground pixel in weighted cross-entropy"),
        Knob::positive("gamma", "2", "how much the focal loss turns down pixels of which the net is sure"),
        Knob::share("a", "0.5", "the weight of cross-entropy in the mix; Dice has the rest"),
    ],
    run,
};

#[derive(Clone, Copy)]
enum Loss {
    Plain,
    Weighted,
    Focal,
    Dice,
    Mix,
}

const ARMS: [(&str, Loss); 5] = [
    ("cross-entropy", Loss::Plain),
    ("weighted cross-entropy", Loss::Weighted),
    ("focal loss", Loss::Focal),
    ("Dice loss", Loss::Dice),
    ("mix", Loss::Mix),
];
const PLAIN: usize = 0;
const WEIGHTED: usize = 1;
const DICE: usize = 3;
const MIX: usize = 4;
/// Those that verdicts compare, that train longer, and that are drawn.
const SHOWN: [usize; 3] = [PLAIN, DICE, MIX];
/// A verdict is about the first minus the second.
const DICE_PLAIN: [usize; 2] = [DICE, PLAIN];
const MIX_PLAIN: [usize; 2] = [MIX, PLAIN];
const MIX_DICE: [usize; 2] = [MIX, DICE];
const MIX_WEIGHTED: [usize; 2] = [MIX, WEIGHTED];
/// Metrics: the column, and its name in a verdict.
const HALF: [&str; 2] = ["dice", "test Dice at threshold ½"];
const CHOSEN: [&str; 2] = ["dice_chosen", "test Dice at the threshold chosen on validation images"];
const RANKING: [&str; 2] = ["average_precision", "test average precision"];
/// A larger fraction of the pixels is "everything".
const EVERYTHING: f64 = 0.5;
/// Test images that are drawn.
const EXAMPLES: usize = 2;
/// Thresholds of a curve, from 0 to 1.
const THRESHOLDS: usize = 50;
/// The seed of the test images, and what is added to a seed for its validation images.
const TEST_SEED: u64 = 900_001;
const VALIDATION_SEEDS: u64 = 5000;

struct Job {
    arm: usize,
    place: usize, // of the rate
    seed: usize,
    epochs: usize,
}

/// The results of all runs: the course of a training, the curve over thresholds, and the examples.
struct Runs {
    all: Vec<[Record; 3]>,
    rates: usize,
    seeds: usize,
}

impl Runs {
    fn of(&self, arm: usize, place: usize) -> &[[Record; 3]] {
        &self.all[(arm * self.rates + place) * self.seeds..][..self.seeds]
    }
    /// A number of the course after an epoch, for every seed that trained as long.
    fn values(&self, arm: usize, place: usize, epoch: usize, column: &str) -> Vec<f64> {
        let at = |course: &Record| {
            let row = course.column("epoch").iter().position(|&x| x == epoch as f64)?;
            Some(course.column(column)[row])
        };
        self.of(arm, place).iter().filter_map(|[course, ..]| at(course)).collect()
    }
}

fn run(lab: &Lab) -> Result<Report, LabError> {
    let (rates, rate, epochs) = (lab.numbers("rates"), lab.place("rate", "rates")?, lab.count("epochs"));
    let long = epochs * lab.count("longer");
    if lab.count("longer_seeds") < 2 {
        return Err(LabError::Usage("longer_seeds: expected at least 2, which an interval needs".into()));
    }
    check_net(lab)?;
    lab.batch_of(lab.count("train"))?;
    let test = Masks::cells(lab, "test", TEST_SEED)?;
    let of_seed = |&seed: &u64| {
        let validation = Masks::cells(lab, "validation", seed.wrapping_add(VALIDATION_SEEDS))?;
        Ok([Masks::cells(lab, "train", seed)?, validation])
    };
    let data = lab.seeds.iter().map(of_seed).collect::<Result<Vec<_>, LabError>>()?;
    let examples: Vec<usize> =
        (0..test.rows()).filter(|&row| test.labels_of(row).contains(&1)).take(EXAMPLES).collect();
    let mut jobs = vec![];
    for arm in 0..ARMS.len() {
        for place in 0..rates.len() {
            let goes_on = |seed| place == rate && SHOWN.contains(&arm) && seed < lab.count("longer_seeds");
            let epochs = |seed| if goes_on(seed) { long } else { epochs };
            jobs.extend((0..lab.seeds.len()).map(|seed| Job { arm, place, seed, epochs: epochs(seed) }));
        }
    }
    let label = |job: &Job| {
        [
            ("loss", ARMS[job.arm].0.into()),
            ("rate", rates[job.place].to_string()),
            ("seed", lab.seeds[job.seed].to_string()),
        ]
    };
    let all = lab.runs("U-Nets", &jobs, label, |job| learn(lab, &data[job.seed], &test, &examples, job))?;

    // ---- measure
    let runs = Runs { all, rates: rates.len(), seeds: lab.seeds.len() };
    let best = |arm| {
        let of = |place| {
            ["validation_dice", "validation_precision"].map(|by| mean(&runs.values(arm, place, epochs, by)))
        };
        (1..rates.len()).fold(0, |best, place| if of(place) > of(best) { place } else { best })
    };
    let collapsed = |arm, place| {
        let fractions = runs.values(arm, place, epochs, "predicted");
        let nothing = fractions.iter().filter(|&&fraction| fraction == 0.0).count();
        [nothing, fractions.iter().filter(|&&fraction| fraction > EVERYTHING).count()]
    };

    // ---- verdict
    let finding =
        |condition: String, [a, b]: [usize; 2], places: [usize; 2], epoch, [column, name]: [&str; 2]| {
            let [own, other] =
                [(a, places[0]), (b, places[1])].map(|(arm, place)| runs.values(arm, place, epoch, column));
            let measure = format!("{name}, {} minus {}", ARMS[a].0, ARMS[b].0);
            let sentence =
                format!("{}: {}; {}: {}.", ARMS[a].0, plus_minus(&own), ARMS[b].0, plus_minus(&other));
            Finding::seeds(condition, measure, &minus(&own, &other)).above(0.0).sentence(sentence)
        };
    let mut report =
        Report::new().captioned(lab, "thresholds", thresholds(lab, &runs, rate, half_way(lab)).to_svg());
    let (early, shared) = (epochs.div_ceil(4), [rate; 2]);
    let condition = format!("Early, after {early} epochs at the same rate {}", rates[rate]);
    for (metric, pair) in [(HALF, DICE_PLAIN), (HALF, MIX_PLAIN), (RANKING, DICE_PLAIN), (RANKING, MIX_PLAIN)]
    {
        report = report.finding(finding(condition.clone(), pair, shared, early, metric));
    }
    let condition = format!("After {epochs} epochs at the same rate {}", rates[rate]);
    for (metric, pair) in [(HALF, DICE_PLAIN), (HALF, MIX_PLAIN), (CHOSEN, DICE_PLAIN), (CHOSEN, MIX_PLAIN)] {
        report = report.finding(finding(condition.clone(), pair, shared, epochs, metric));
    }
    for metric in [HALF, CHOSEN, RANKING] {
        for pair in [DICE_PLAIN, MIX_PLAIN, MIX_DICE, MIX_WEIGHTED] {
            if pair == MIX_WEIGHTED && metric == HALF {
                continue; // weights move the threshold
            }
            let places = pair.map(best);
            let [a, b] = places.map(|place| rates[place]);
            let condition = format!("After {epochs} epochs, each at its own best rate ({a} and {b})");
            report = report.finding(finding(condition, pair, places, epochs, metric));
        }
    }
    let condition = format!("After {long} epochs at the same rate {}", rates[rate]);
    for pair in [DICE_PLAIN, MIX_PLAIN] {
        report = report.finding(finding(condition.clone(), pair, shared, long, HALF));
    }
    let trials = rates.len() * runs.seeds;
    let lost = |arm| (0..rates.len()).flat_map(|place| collapsed(arm, place)).sum::<usize>();
    let counts = [("trials", trials), ("lost", lost(DICE)), ("plain", lost(PLAIN)), ("mix", lost(MIX))];
    report = report.finding(
        Finding::new(
            format!("Dice alone, at all rates ({})", join(rates)),
            "fraction of the runs that predict nothing or everything",
            Estimate::wilson(lost(DICE), trials),
            Basis::Trials(trials),
        )
        .expect(Expected::AtMost(0.0))
        .sentence(lab.text_with(
            "finding: safe",
            &counts.each_ref().map(|(key, count)| (*key, count as &dyn std::fmt::Display)),
        )),
    );

    let row = |(arm, place): (usize, usize)| {
        let of = |column| plus_minus(&runs.values(arm, place, epochs, column));
        let [nothing, everything] = collapsed(arm, place);
        let name = ARMS[arm].0.to_string() + if place == best(arm) { ", best" } else { "" };
        let counts = format!("{nothing}, {everything}");
        vec![name, rates[place].to_string(), of("dice"), of("dice_chosen"), of("average_precision"), counts]
    };
    let longer = |(arm, epoch): (usize, usize)| {
        let seeds = runs.values(arm, rate, long, "dice").len();
        let of = |column| plus_minus(&runs.values(arm, rate, epoch, column)[..seeds]);
        let name = ARMS[arm].0.into();
        vec![name, epoch.to_string(), of("dice"), of("dice_chosen"), of("average_precision")]
    };
    let silent = |(arm, place): (usize, usize)| {
        let until = runs.values(arm, place, epochs, "nothing_until");
        vec![ARMS[arm].0.into(), rates[place].to_string(), join(&until)]
    };
    let everyone = || (0..ARMS.len()).flat_map(|arm| (0..rates.len()).map(move |place| (arm, place)));
    let accuracy = 1.0 - test.labels().iter().sum::<usize>() as f64 / test.labels().len() as f64;
    Ok(report
        .captioned(lab, "examples", pictures(lab, &runs, &test, &examples, rate).to_svg())
        .captioned(lab, "thresholds-at-the-end", thresholds(lab, &runs, rate, epochs).to_svg())
        .section("Every loss and rate")
        .paragraphs(lab.text_with("note: table", &[("accuracy", &format!("{:.1}", 100.0 * accuracy))]))
        .table(Table::new(
            format!("Test images after {epochs} epochs: Dice at ½ and at the chosen threshold, average precision (AP), and the number of runs that predict nothing or everything; mean and 95 % interval over {} seeds", runs.seeds),
            1,
            ["loss", "rate", "Dice at ½", "at chosen", "AP", "nothing, all"],
            everyone().map(row),
        ))
        .section("Until when nothing is predicted")
        .panels("course", course(lab, &runs, rate), lab.text("caption: course"))
        .paragraphs(lab.text("note: silence"))
        .table(Table::new(
            format!("The last epoch up to {epochs} at which nothing is predicted on the validation images, for each seed; 0 for never"),
            1,
            ["loss", "rate", "epochs"],
            everyone().map(silent),
        ))
        .table(Table::new(
            format!(
                "Test images after {epochs} and {long} epochs at rate {}, over the first {} seeds",
                rates[rate],
                lab.count("longer_seeds").min(runs.seeds)
            ),
            1,
            ["loss", "epochs", "Dice at ½", "at chosen", "average precision"],
            SHOWN.into_iter().flat_map(|arm| [(arm, epochs), (arm, long)]).map(longer),
        )))
}

/// Trains a net. Returns its course, Dice over thresholds, and the probabilities of the examples.
fn learn(
    lab: &Lab,
    [train, validation]: &[Masks; 2],
    test: &Masks,
    examples: &[usize],
    job: &Job,
) -> [Record; 3] {
    let (epochs, rate) = (lab.count("epochs"), lab.numbers("rates")[job.place]);
    let columns = [
        "epoch",
        "dice",
        "threshold",
        "dice_chosen",
        "average_precision",
        "predicted",
        "validation_dice",
        "validation_precision",
        "nothing_until",
    ];
    let mut course = Record::new("course", &columns);
    let mut curve = Record::new("thresholds", &["epoch", "threshold", "dice"]);
    let mut shown = Record::new("examples", &["image", "pixel", "probability"]);
    let loss = if lab.broken { Loss::Plain } else { ARMS[job.arm].1 };
    let (often, mut silent) = ((epochs / 16).max(1), 0);
    train.train(
        lab,
        rate,
        job.epochs,
        lab.seeds[job.seed],
        |z, t| loss.loss(lab, z, t),
        |epoch, net| {
            let measured = is_measured(epoch, epochs) || epoch == job.epochs;
            if !measured && (epoch % often > 0 || epoch > epochs) {
                return;
            }
            let on_validation = net(validation);
            if on_validation.iter().all(|&p| p < 0.5) {
                silent = epoch;
            }
            if !measured {
                return;
            }
            let on_test = net(test);
            let (threshold, _) =
                best_f1_threshold(validation.labels(), &on_validation).expect("some foreground");
            course.push([
                epoch as f64,
                dice(test.labels(), &on_test, 0.5),
                threshold,
                dice(test.labels(), &on_test, threshold),
                average_precision(test.labels(), &on_test),
                on_test.iter().filter(|&&p| p >= 0.5).count() as f64 / on_test.len() as f64,
                dice(validation.labels(), &on_validation, 0.5),
                average_precision(validation.labels(), &on_validation),
                silent as f64,
            ]);
            if epoch == epochs || epoch == half_way(lab) {
                for (i, dice) in dice_curve(test.labels(), &on_test).into_iter().enumerate() {
                    curve.push([epoch as f64, i as f64 / THRESHOLDS as f64, dice]);
                }
            }
            if epoch == half_way(lab) && rate == lab.number("rate") && SHOWN.contains(&job.arm) {
                for &image in examples {
                    let of = &on_test[image * test.pixels()..][..test.pixels()];
                    let rounded = of.iter().map(|p| (1000.0 * p).round() / 1000.0);
                    rounded.enumerate().for_each(|(pixel, p)| shown.push([image as f64, pixel as f64, p]));
                }
            }
        },
    );
    [course, curve, shown]
}

/// Dice at every threshold of a curve.
fn dice_curve(labels: &[usize], probabilities: &[f64]) -> [f64; THRESHOLDS + 1] {
    let mut predicted = [[0.0; 2]; THRESHOLDS + 1]; // pixels of each class whose highest threshold this is
    for (&label, p) in labels.iter().zip(probabilities) {
        predicted[(p * THRESHOLDS as f64) as usize][label] += 1.0;
    }
    let foreground: f64 = predicted.iter().map(|counts| counts[1]).sum();
    let (mut wrong, mut right) = (0.0, 0.0);
    let mut curve = predicted.map(|_| 0.0);
    for (dice, counts) in curve.iter_mut().zip(&predicted).rev() {
        (wrong, right) = (wrong + counts[0], right + counts[1]);
        *dice = 2.0 * right / (foreground + wrong + right);
    }
    curve
}

/// Whether test images are measured after an epoch: after `epochs`, and half, a quarter, .., twice, four times, .. of it.
fn is_measured(epoch: usize, epochs: usize) -> bool {
    let before = (1..4).any(|k| epoch == epochs.div_ceil(1 << k));
    before || epoch.is_multiple_of(epochs) && (epoch / epochs).is_power_of_two()
}

impl Loss {
    fn loss<'t>(self, lab: &Lab, logits: Var<'t>, targets: Var<'t>) -> Var<'t> {
        match self {
            Loss::Plain => BinaryCrossEntropyWithLogits::default().loss(logits, targets),
            Loss::Weighted => {
                let pos_weight = Some(vec![lab.number("pos_weight")]);
                BinaryCrossEntropyWithLogits { pos_weight, ..Default::default() }.loss(logits, targets)
            }
            Loss::Focal => {
                let gamma = lab.number("gamma");
                SigmoidFocalLoss { reduction: Reduction::Mean, alpha: -1.0, gamma }.loss(logits, targets) // -1 for no weights
            }
            Loss::Dice => CeDiceLoss { a: 0.0, ..Default::default() }.loss(logits, targets),
            Loss::Mix => CeDiceLoss { a: lab.number("a"), ..Default::default() }.loss(logits, targets),
        }
    }
}

/// The epoch at which curves and examples are drawn, besides the last.
fn half_way(lab: &Lab) -> usize {
    lab.count("epochs").div_ceil(2)
}

/// Dice on test images for every threshold, after an epoch.
fn thresholds(lab: &Lab, runs: &Runs, place: usize, epoch: usize) -> Chart {
    let curve = |curve: &Record| {
        let rows = curve.column("epoch").into_iter().zip(curve.points("threshold", "dice"));
        rows.filter(|&(of, _)| of == epoch as f64).map(|(_, point)| point).collect::<Vec<_>>()
    };
    let mut chart = Chart::new(format!("Dice at every threshold, after {epoch} epochs"))
        .subtitle(format!("{} training images, rate {}", lab.count("train"), lab.numbers("rates")[place]))
        .x_label("threshold: a pixel is predicted from this probability on")
        .y_label("Dice on test images")
        .include_y(0.0)
        .include_y(0.8)
        .vertical(0.5, "½");
    let (mut means, mut told) = (vec![], vec![]);
    for (color, arm) in SHOWN.into_iter().enumerate() {
        let curves = Vec::from_iter(runs.of(arm, place).iter().map(|[_, record, _]| curve(record)));
        let at = |i: usize| mean(&curves.iter().map(|curve| curve[i].1).collect::<Vec<_>>());
        let of_all = Vec::from_iter((0..=THRESHOLDS).map(|i| (i as f64 / THRESHOLDS as f64, at(i))));
        let (top, half) = (highest(&of_all.iter().map(|point| point.1).collect::<Vec<_>>()), THRESHOLDS / 2);
        told.push(format!(
            "{} {} at ½ and {} at {}",
            ARMS[arm].0,
            short(of_all[half].1),
            short(of_all[top].1),
            of_all[top].0
        ));
        chart = curves
            .into_iter()
            .fold(chart, |chart, curve| chart.line(Line::new("", curve).color(color).faint()));
        means.push(Line::new(ARMS[arm].0, of_all).color(color));
    }
    let alt = lab.text_with("alt: thresholds", &[("epoch", &epoch), ("means", &told.join("; "))]);
    means.into_iter().fold(chart, Chart::line).alt(alt)
}

/// Dice at ½ and average precision over epochs.
fn course(lab: &Lab, runs: &Runs, place: usize) -> Panels {
    let panel = |[column, _]: [&str; 2], title: &str| {
        let arms = SHOWN.map(|arm| Arm {
            name: ARMS[arm].0.into(),
            records: runs.of(arm, place).iter().map(|[course, ..]| course).collect(),
        });
        let ends = SHOWN.map(|arm| {
            format!("{} {}", ARMS[arm].0, short(mean(&runs.values(arm, place, lab.count("epochs"), column))))
        });
        let alt = lab.text_with(
            "alt: course",
            &[("what", &title), ("epochs", &lab.count("epochs")), ("ends", &ends.join(", "))],
        );
        let chart = Chart::new(title)
            .x_label("epoch")
            .y_label("on test images")
            .log_x()
            .include_y(0.0)
            .include_y(1.0)
            .vertical(lab.count("epochs") as f64, lab.count("epochs").to_string())
            .alt(alt);
        fan_of_shares(chart, &arms, "epoch", column)
    };
    Panels::new("course", "Two metrics of the same trainings", 2)
        .subtitle(setting(lab, place))
        .panel(panel(HALF, "Dice at threshold ½"))
        .panel(panel(RANKING, "Average precision"))
}

/// Test images half way, with the probabilities and predictions of three losses, of the seed for which a chosen threshold adds most under
/// cross-entropy.
fn pictures(lab: &Lab, runs: &Runs, test: &Masks, examples: &[usize], place: usize) -> ImageGrid {
    let at = |arm, column: &str| runs.values(arm, place, half_way(lab), column);
    let seed = highest(&minus(&at(PLAIN, "dice_chosen"), &at(PLAIN, "dice")));
    let thresholds = SHOWN.map(|arm| at(arm, "threshold")[seed]);
    let columns = ["image, mask"].into_iter().chain(SHOWN.map(|arm| ARMS[arm].0));
    let mut grid = ImageGrid::new("The same images, three losses", columns);
    let mut told = vec![];
    for &image in examples {
        let probabilities = SHOWN.map(|arm| {
            let [_, _, shown] = &runs.of(arm, place)[seed];
            let rows = shown.column("image").into_iter().zip(shown.column("probability"));
            rows.filter(|&(of, _)| of == image as f64).map(|(_, p)| p).collect::<Vec<f64>>()
        });
        let drawn =
            |thresholds: [f64; 3]| [0, 1, 2].map(|i| test.pictures(image, &probabilities[i], thresholds[i]));
        let scores = |thresholds: [f64; 3]| {
            let of = |i: usize| dice(test.labels_of(image), &probabilities[i], thresholds[i]);
            [0, 1, 2].map(|i| format!("{:.2}", of(i))).join(", ")
        };
        let [of_half, of_chosen] = [[0.5; 3], thresholds].map(drawn);
        let [before, mask, ..] = &of_half[0];
        let at_half = format!("predicted at ½: Dice {}", scores([0.5; 3]));
        let at_chosen = format!("at {}: Dice {}", thresholds.map(short).join(", "), scores(thresholds));
        for (text, first, drawn, kind) in [
            ("probability", before, &of_half, 2),
            (&at_half, mask, &of_half, 3),
            (&at_chosen, mask, &of_chosen, 3),
        ] {
            let pngs = [first, &drawn[0][kind], &drawn[1][kind], &drawn[2][kind]];
            grid = grid.row(text, test.size(), pngs.map(|png| &png[..]));
        }
        told.push(format!("{} at ½, {} at the chosen thresholds", scores([0.5; 3]), scores(thresholds)));
    }
    grid.alt(lab.text_with("alt: examples", &[("scores", &told.join("; "))]))
}

fn setting(lab: &Lab, place: usize) -> String {
    let (train, epochs) = (lab.count("train"), lab.count("epochs"));
    format!("{train} training images, {epochs} epochs, rate {}", lab.numbers("rates")[place])
}

fn join(numbers: &[f64]) -> String {
    numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(", ")
}
