//! The loss of a GAN is a cross-entropy. What follows from that for its discriminator, and what does not for its generator.

mod data;
mod digits;
mod games;
mod nets;
mod pictures;
mod ring;

use std::f64::consts::LN_2;

use surprisal_layers::rng;
use surprisal_optim::Optimizer;
use surprisal_tensor::ndarray::{Array1, arr1};
use surprisal_tensor::{Params, Workspace};

use self::data::Data;
use self::digits::Digits;
use self::games::{Arm, By, Games, Setup};
use self::nets::{Aim, Nets, discriminator_loss, generator_loss};
use self::ring::{Ring, jensen_shannon};
use crate::gallery::{
    Expected, Experiment, Finding, Knob, Lab, LabError, Record, Report, Seeds, Text, short,
};
use surprisal_report::statistics::{Estimate, mean, minus};

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "gan-is-cross-entropy",
    text: Text::new(include_str!("../gan_is_cross_entropy.md")),
    minutes: 1.7,
    seeds: Some(Seeds { first: 1, usual: 8, quick: 3 }),
    knobs: &[
        Knob::count("rounds", "2000", "steps of each net in a game on the ring").quick("60"),
        Knob::count("hidden", "64", "units in each of the two hidden layers of a net").quick("32"),
        Knob::count("batch", "256", "real points in a step, and as many samples").quick("64"),
        Knob::positive("rate", "0.001", "the learning rate of the discriminator (Adam)").quick("0.003"),
        Knob::positive("adam", "0.001", "the learning rate of a generator with Adam"),
        Knob::positive("sgd", "0.05", "the learning rate of a generator with SGD"),
        Knob::count("digit_rounds", "4000", "steps of each net in a game on digits").quick("40"),
        Knob::count("digit_batch", "64", "digits in a step, and as many samples").quick("16"),
        Knob::positive("digit_rate", "0.002", "the learning rate of both nets on digits (Adam)"),
        Knob::positives(
            "multiples",
            "0.1,1,10",
            "multiples of the generator's rates, among which each loss finds its own best; 1 is one of them",
        )
        .quick("1"),
        Knob::count("alone", "1000", "steps of the discriminator alone that make it sure"),
        Knob::count("evaluated", "4000", "samples for counting modes; an eighth of it on digits")
            .quick("1000"),
        Knob::numbers("blurs", "0,0.1,0.3,1", "standard deviations of the noise on the blurred rings")
            .quick("0,0.3"),
        Knob::count("steps", "4000", "steps of a discriminator against a blurred ring").quick("2000"),
        Knob::positive("blur_rate", "0.003", "its first learning rate (Adam), which falls to 0")
            .quick("0.01"),
        Knob::count("points", "200000", "points for the expected loss of a discriminator").quick("10000"),
    ],
    run,
};

/// The losses of the generator.
const AIMS: [(&str, Aim); 2] = [("saturating", Aim::Saturating), ("non-saturating", Aim::NonSaturating)];
/// The least ratio of the two gradients where the discriminator is sure, and that of an independent program.
const FADED: [f64; 2] = [1000.0, 2000.0];
/// How far the ratio may be from the formula's, as a factor.
const OFF: f64 = 2.0;
/// What the saturating loss costs if it matters: modes, and fraction of good samples.
const COST: [(&str, &str, f64); 2] =
    [("modes", "covered modes", 1.0), ("good", "fraction of good samples", 0.1)];
/// The loss of a discriminator that cannot tell real from fake.
const LOG_4: f64 = 2.0 * LN_2;

fn run(lab: &Lab) -> Result<Report, LabError> {
    let multiples = lab.numbers("multiples");
    if !multiples.contains(&1.0) {
        return Err(LabError::Usage(format!(
            "multiples: 1, the rate that both losses share, is not among {multiples:?}: add it there"
        )));
    }
    let blurs = lab.numbers("blurs");
    if !blurs.contains(&0.0) || blurs.iter().any(|&blur| blur < 0.0) {
        return Err(LabError::Usage(format!(
            "blurs: expected numbers from 0 on and 0 among them, found {blurs:?}"
        )));
    }

    // ---- run
    let (ring, digits) = (Ring::blurred(0.0), Digits::new());
    let setups = [
        Setup {
            name: "ring",
            on: "the ring",
            data: &ring,
            rounds: lab.count("rounds"),
            batch: lab.count("batch"),
            evaluated: lab.count("evaluated"),
            shown: 300,
            rate: lab.number("rate"),
            optimizers: vec![(By::Adam, lab.number("adam")), (By::Sgd, lab.number("sgd"))],
        },
        Setup {
            name: "digits",
            on: "digits",
            data: &digits,
            rounds: lab.count("digit_rounds"),
            batch: lab.count("digit_batch"),
            evaluated: lab.count("evaluated").div_ceil(8),
            shown: digits::SHEET * digits::SHEET,
            rate: lab.number("digit_rate"),
            optimizers: vec![(By::Adam, lab.number("digit_rate"))],
        },
    ];
    let games = [&setups[0], &setups[1]].map(|setup| Games::play(lab, setup, multiples));
    let mut alone = vec![];
    for &blur in blurs {
        alone.extend(lab.seeds.iter().map(|&seed| (blur, seed)));
    }
    let label = |&(blur, seed): &(f64, u64)| [("blur", blur.to_string()), ("seed", seed.to_string())];
    let against = lab.runs("discriminators", &alone, label, |&(blur, seed)| [alone_against(lab, blur, seed)]);
    let [on_ring, on_digits] = games;
    let (games, against) = ([on_ring?, on_digits?], against?);
    let bounds: Vec<f64> = blurs.iter().map(|&blur| bound(blur)).collect();

    // ---- measure and verdict
    let of_blur = |place: usize, column: &str| -> Vec<f64> {
        against[place * lab.seeds.len()..][..lab.seeds.len()].iter().map(|[r]| r.last(column)).collect()
    };
    let largest = |f: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
        let over_blurs = |seed| (0..blurs.len()).map(|place| f(place, seed).abs()).fold(0.0, f64::max);
        (0..lab.seeds.len()).map(over_blurs).collect()
    };
    let best_off = largest(&|place, seed| of_blur(place, "best")[seed] - bounds[place]);
    let net_off = largest(&|place, seed| of_blur(place, "net")[seed] - of_blur(place, "best")[seed]);
    let same = blurs.iter().position(|&blur| blur == 0.0).expect("checked above");
    let equal: Vec<f64> = of_blur(same, "net").iter().map(|loss| loss - LOG_4).collect();

    let sure = |column: &str| games[0].gradients.iter().map(|r| r.last(column)).collect::<Vec<f64>>();
    let ratio: Vec<f64> =
        sure("non-saturating").into_iter().zip(sure("saturating")).map(|(a, b)| a / b).collect();
    let means = mean(&sure("non-saturating")) / mean(&sure("saturating"));
    let predicted: Vec<f64> = ratio.iter().zip(sure("d")).map(|(ratio, d)| ratio * d / (1.0 - d)).collect();
    let geometric =
        |ratios: &[f64]| Estimate::of(&ratios.iter().map(|r| r.ln()).collect::<Vec<_>>()).map(f64::exp);
    let extreme = |f: fn(f64, f64) -> f64| short(ratio.iter().copied().reduce(f).unwrap_or(f64::NAN));
    let mut report = Report::new()
        .hero("pull", pictures::pull(lab, &games[0]).to_svg(), lab.text("caption: pull"))
        .captioned(lab, "bound", pictures::bound(lab, &against, bound).to_svg())
        .finding(
            Finding::deterministic(
                "Both losses of the generator",
                "largest difference of value or slope from ln(1 - D) and -ln D",
                off_definition(lab.broken),
            )
            .expect(Expected::AtMost(1e-12))
            .sentence(lab.text("finding: definition")),
        )
        .finding(
            Finding::ratios(
                "Where the discriminator is sure",
                "gradient norm of the generator, non-saturating / saturating",
                &ratio,
            )
            .expect(Expected::AtLeast(FADED[0]))
            .sentence(lab.text_with(
                "finding: gradient",
                &[
                    ("steps", &lab.count("alone")),
                    ("least", &extreme(f64::min)),
                    ("most", &extreme(f64::max)),
                    ("other", &FADED[1]),
                    ("means", &short(means)),
                    ("times", &short(means / FADED[1])),
                ],
            )),
        )
        .finding(
            Finding::ratios(
                "Where the discriminator is sure",
                "ratio of the gradients / (1 - D)/D, with the mean D of the samples",
                &predicted,
            )
            .expect(Expected::AtLeast(1.0 / OFF))
            .and("the same", geometric(&predicted), Expected::AtMost(OFF))
            .sentence(lab.text_with("finding: predicted", &[("sure", &short(mean(&sure("d"))))])),
        );
    for games in &games {
        for own_best in [false, true] {
            for &(by, rate) in &games.setup.optimizers {
                let multiple = |aim| if own_best { games.best(by, aim, multiples) } else { 1.0 };
                let arms = [0, 1].map(|aim| Arm { by, aim, sure: true, multiple: multiple(aim) });
                report = outcomes(report, lab, games, rate, arms, own_best);
            }
        }
    }
    report = report
        .finding(
            Finding::seeds("Real and fake from the same ring", "loss of the discriminator - log 4", &equal)
                .within(1e-4)
                .sentence(lab.text_with("finding: equal", &[("steps", &lab.count("steps"))])),
        )
        .finding(
            Finding::seeds(
                "The best discriminator, from the known densities",
                "largest |loss - (log 4 - 2 JS)| over all blurred rings",
                &best_off,
            )
            .expect(Expected::AtMost(if lab.count("points") < 100_000 { 0.03 } else { 0.01 }))
            .sentence(lab.text_with("finding: bound", &[("points", &lab.count("points"))])),
        )
        .finding(
            Finding::seeds(
                "The trained discriminator",
                "largest |loss - loss of the best discriminator| over all blurred rings",
                &net_off,
            )
            .expect(Expected::AtMost(0.03))
            .sentence(lab.text("finding: net")),
        );
    for games in &games {
        report = pictures::games(report.table(games.table(lab)), lab, games);
    }
    Ok(report.section("Why").paragraphs(lab.text("note: why")))
}

/// Adds what the loss of the generator changes in the end: modes and good samples of two arms, saturating and not.
fn outcomes(report: Report, lab: &Lab, games: &Games, rate: f64, arms: [Arm; 2], own_best: bool) -> Report {
    let name = format!("Games on {}, {}", games.setup.on, arms[0].by.name());
    let rates = arms.map(|arm| short(arm.multiple * rate));
    let condition = match own_best {
        true => {
            format!("{name}, each at its own best rate ({} and {}), sure discriminator", rates[1], rates[0])
        }
        false => format!("{name}, at the same rate {}, sure discriminator", rates[0]),
    };
    COST.into_iter().fold(report, |report, (column, measure, cost)| {
        let [saturating, other] = arms.map(|arm| games.ends(arm, column));
        let measure = format!("{measure}, non-saturating minus saturating");
        let means = [short(mean(&other)), short(mean(&saturating))];
        report.finding(
            Finding::seeds(&condition, measure, &minus(&other, &saturating))
                .expect(Expected::AtLeast(cost))
                .sentence(
                    lab.text_with("finding: outcome", &[("other", &means[0]), ("saturating", &means[1])]),
                ),
        )
    })
}

/// Trains a discriminator to tell the ring from a blurred one. Returns its expected loss and that of the best, on the same points.
fn alone_against(lab: &Lab, blur: f64, seed: u64) -> Record {
    let [real, fake] = [0.0, blur].map(Ring::blurred);
    let (mut workspace, rate, steps) = (Workspace::new(), lab.number("blur_rate"), lab.count("steps"));
    let mut nets = Nets::new(&real, [lab.count("hidden"), lab.count("batch")], lab.broken, seed);
    let mut optimizer = nets::adam_of_discriminator(rate);
    for step in 0..steps {
        optimizer.set_learning_rate(rate * (1.0 - step as f64 / steps as f64)); // down to 0: no noise of the last steps
        nets.step_discriminator(&mut workspace, &mut optimizer, Some(&fake));
    }
    let mut rng = rng(seed.wrapping_add(1 << 32)); // other points than in training
    let (mut logits, mut best) = ([vec![], vec![]], [vec![], vec![]]);
    let mut left = lab.count("points");
    while left > 0 {
        let rows = left.min(2000);
        left -= rows;
        for (side, ring) in [real, fake].into_iter().enumerate() {
            let points = ring.draw(rows, &mut rng);
            logits[side].extend(nets.logits(&mut workspace, &points));
            best[side].extend(points.rows().into_iter().map(|point| {
                let point = [point[0], point[1]].map(f64::from);
                real.log_density(point) - fake.log_density(point) // D = p / (p + q)
            }));
        }
    }
    let [net, best] = [logits, best].map(|sides| expected_loss(sides.map(Array1::from), lab.broken));
    Record::once("blurred", [("blur", blur), ("net", net), ("best", best)])
}

/// The loss of the discriminator for these logits of real and fake points.
fn expected_loss(logits: [Array1<f64>; 2], broken: bool) -> f64 {
    let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    let tape = workspace.no_grad(&params);
    let [real, fake] = logits.each_ref().map(|logits| tape.input(logits));
    discriminator_loss(real, fake, broken).item()
}

/// The least loss of a discriminator between the ring and a blurred one.
fn bound(blur: f64) -> f64 {
    LOG_4 - 2.0 * jensen_shannon(Ring::blurred(0.0), Ring::blurred(blur))
}

/// The largest difference of the generator's losses, and of their slopes in the logit, from ln(1 - D) and -ln D.
fn off_definition(broken: bool) -> f64 {
    let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    let mut off = 0f64;
    for z in (-40..=40).map(|i| f64::from(i) / 5.0) {
        let d = 1.0 / (1.0 + (-z).exp());
        for (aim, value, slope) in
            [(Aim::Saturating, (1.0 - d).ln(), -d), (Aim::NonSaturating, -d.ln(), d - 1.0)]
        {
            let tape = workspace.tape(&params);
            let logit = tape.input(&arr1(&[z])).requires_grad();
            let loss = generator_loss(aim, logit, broken);
            loss.backward();
            let found = logit.grad().map_or(f64::NAN, |slope| slope[[0]]);
            off = off.max((loss.item() - value).abs()).max((found - slope).abs());
        }
    }
    off
}
