//! Games between generator and discriminator, and what comes of them.

use surprisal_optim::{Adam, Optimizer, Sgd};
use surprisal_tensor::Workspace;

use super::data::{Data, quality};
use super::nets::{Nets, adam_of_discriminator, of_generator};
use super::{AIMS, pictures};
use crate::gallery::{Lab, LabError, Record, short};
use surprisal_report::statistics::mean;
use surprisal_report::{Align, Table};
use surprisal_train::parallel::in_parallel;

/// With a smaller loss, and no covered mode, the discriminator has won.
const WON: f64 = 0.1;
/// With a larger loss of the discriminator, the game has diverged.
const LOST: f64 = 1000.0;
/// The rows of a course.
const MEASURED: usize = 20;

/// The optimizer of a generator.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum By {
    Adam,
    Sgd,
}

impl By {
    pub(super) fn name(self) -> &'static str {
        match self {
            By::Adam => "Adam",
            By::Sgd => "SGD",
        }
    }
}

/// What is played about, and how.
pub(super) struct Setup<'d> {
    pub(super) name: &'static str,
    /// The name in a sentence.
    pub(super) on: &'static str,
    pub(super) data: &'d dyn Data,
    pub(super) rounds: usize,
    pub(super) batch: usize,
    /// Samples for measuring quality, and samples in a picture.
    pub(super) evaluated: usize,
    pub(super) shown: usize,
    /// The learning rate of the discriminator.
    pub(super) rate: f64,
    /// The optimizers of the generator, with their learning rates.
    pub(super) optimizers: Vec<(By, f64)>,
}

/// A game.
struct Job {
    arm: Arm,
    seed: usize,
}

/// The games that differ only in their seeds.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Arm {
    pub(super) by: By,
    /// The place of the generator's loss in [`AIMS`].
    pub(super) aim: usize,
    /// Whether the discriminator has been trained alone before.
    pub(super) sure: bool,
    /// Times the learning rate of the generator.
    pub(super) multiple: f64,
}

/// The nets of a seed before the game, with the optimizer of the discriminator.
#[derive(Clone)]
pub(super) struct Start<'d> {
    nets: Nets<'d>,
    optimizer: Adam,
}

/// The nets of a seed, fresh and with a sure discriminator, and the gradients of the generator on the way there.
fn starts<'d>(lab: &Lab, setup: &Setup<'d>, seed: u64) -> ([Start<'d>; 2], Record) {
    let (mut workspace, alone) = (Workspace::new(), lab.count("alone"));
    let nets = Nets::new(setup.data, [lab.count("hidden"), setup.batch], lab.broken, seed);
    let fresh = Start { nets, optimizer: adam_of_discriminator(setup.rate) };
    let mut sure = fresh.clone();
    let mut record = Record::new("gradients", &["steps", "saturating", "non-saturating", "d"]);
    let every = alone.div_ceil(MEASURED);
    for step in 0..=alone {
        if step % every == 0 || step == alone {
            let [saturating, other, d] = sure.nets.gradients(&mut workspace);
            record.push([step as f64, saturating, other, d]);
        }
        if step < alone {
            sure.nets.step_discriminator(&mut workspace, &mut sure.optimizer, None);
        }
    }
    ([fresh, sure], record)
}

/// All games of a setup, with their records.
pub(super) struct Games<'s> {
    pub(super) setup: &'s Setup<'s>,
    /// The gradients of the generator while the discriminator is trained alone, for each seed.
    pub(super) gradients: Vec<Record>,
    jobs: Vec<Job>,
    games: Vec<[Record; 3]>,
}

impl<'s> Games<'s> {
    /// Plays all of them.
    pub(super) fn play(lab: &Lab, setup: &'s Setup, multiples: &[f64]) -> Result<Games<'s>, LabError> {
        let (starts, gradients): (Vec<_>, Vec<_>) =
            in_parallel(&lab.seeds, |&seed| starts(lab, setup, seed)).into_iter().unzip();
        for (seed, record) in lab.seeds.iter().zip(&gradients) {
            lab.keep_labeled(vec![("data", setup.name.into()), ("seed", seed.to_string())], record.clone());
        }
        let mut jobs = vec![];
        for &multiple in multiples {
            for &(by, _) in &setup.optimizers {
                for aim in 0..AIMS.len() {
                    for &sure in if multiple == 1.0 { &[false, true][..] } else { &[true] } {
                        let arm = Arm { by, aim, sure, multiple };
                        jobs.extend((0..lab.seeds.len()).map(|seed| Job { arm, seed }));
                    }
                }
            }
        }
        let label = |Job { arm, seed }: &Job| {
            [
                ("data", setup.name.into()),
                ("optimizer", arm.by.name().into()),
                ("generator", AIMS[arm.aim].0.into()),
                ("discriminator", if arm.sure { "sure" } else { "fresh" }.into()),
                ("multiple", arm.multiple.to_string()),
                ("seed", lab.seeds[*seed].to_string()),
            ]
        };
        let games = lab.runs(&format!("games, {}", setup.name), &jobs, label, |job| {
            let [fresh, sure] = &starts[job.seed];
            play(setup, if job.arm.sure { sure } else { fresh }.clone(), job)
        })?;
        Ok(Games { setup, gradients, jobs, games })
    }

    /// The games of an arm, in the order of the seeds: course, end, samples.
    pub(super) fn of(&self, arm: Arm) -> impl Iterator<Item = &[Record; 3]> {
        let games = self.jobs.iter().zip(&self.games);
        games.filter(move |(job, _)| job.arm == arm).map(|(_, records)| records)
    }
    /// The games of an arm that did not diverge.
    pub(super) fn finite(&self, arm: Arm) -> impl Iterator<Item = &[Record; 3]> {
        self.of(arm).filter(|[_, end, _]| end.last("diverged") == 0.0)
    }
    pub(super) fn ends(&self, arm: Arm, column: &str) -> Vec<f64> {
        self.of(arm).map(|[_, end, _]| end.last(column)).collect()
    }
    /// The multiple of the rate with the best games against a sure discriminator, by the fraction of covered modes times that of good
    /// samples, on samples that no verdict counts.
    pub(super) fn best(&self, by: By, aim: usize, multiples: &[f64]) -> f64 {
        let score = |multiple: f64| mean(&self.ends(Arm { by, aim, sure: true, multiple }, "chosen_by"));
        multiples.iter().copied().fold(multiples[0], |best, m| if score(m) > score(best) { m } else { best })
    }

    /// Both losses at the same rate.
    pub(super) fn table(&self, lab: &Lab) -> Table {
        let mut rows = vec![];
        for &(by, _) in &self.setup.optimizers {
            for sure in [false, true] {
                for (aim, (loss, _)) in AIMS.into_iter().enumerate() {
                    rows.push(self.row(Arm { by, aim, sure, multiple: 1.0 }, loss));
                }
            }
        }
        let header = ["game", "loss", "first gradient", "modes", "good", "its loss", "lost", "diverged"];
        let align = [[Align::Left; 2].to_vec(), [Align::Right; 6].to_vec()].concat();
        let caption = lab.text_with(
            "caption: games",
            &[
                ("on", &self.setup.on),
                ("rounds", &self.setup.rounds),
                ("seeds", &lab.seeds.len()),
                ("won", &WON),
                ("lost", &LOST),
            ],
        );
        Table { caption, header: header.map(String::from).to_vec(), rows, align }
    }

    fn row(&self, arm: Arm, loss: &str) -> Vec<String> {
        let gradient = |record: &Record| {
            let all = record.column(loss);
            if arm.sure { all.last().copied() } else { all.first().copied() }.unwrap_or(f64::NAN)
        };
        let losses: Vec<f64> = self.finite(arm).map(|[_, end, _]| end.last("loss")).collect();
        let count = |column| self.ends(arm, column).iter().sum::<f64>().to_string();
        vec![
            format!("{}, {}", arm.by.name(), if arm.sure { "sure" } else { "fresh" }),
            loss.into(),
            short(mean(&self.gradients.iter().map(gradient).collect::<Vec<_>>())),
            format!("{:.1}", mean(&self.ends(arm, "modes"))),
            format!("{:.2}", mean(&self.ends(arm, "good"))),
            if losses.is_empty() { "none".into() } else { format!("{:.2}", mean(&losses)) },
            count("won"),
            count("diverged"),
        ]
    }
}

/// Plays a game. Returns its course, its end, and samples of the first seed.
fn play(
    setup: &Setup,
    Start { mut nets, optimizer: mut discriminator }: Start,
    Job { arm, seed }: &Job,
) -> [Record; 3] {
    let Setup { data, rounds, evaluated, shown, .. } = *setup;
    let rate = setup.optimizers.iter().find(|(by, _)| *by == arm.by).map_or(f64::NAN, |(_, rate)| *rate);
    let rate = arm.multiple * rate;
    let mut generator: Box<dyn Optimizer<f32>> = match arm.by {
        By::Adam => Box::new(of_generator(super::nets::adam(rate))),
        By::Sgd => Box::new(of_generator(Sgd::new(rate))),
    };
    let every = rounds.div_ceil(MEASURED);
    let mut workspace = Workspace::new();
    let mut course = Record::new("course", &["round", "loss", "modes", "good"]);
    let columns: Vec<String> = (1..=data.features()).map(|i| format!("x{i}")).collect();
    let columns: Vec<&str> = std::iter::once("round").chain(columns.iter().map(String::as_str)).collect();
    let mut samples = Record::new(&format!("samples-{}", setup.name), &columns);
    let (mut losses, mut finite) = (vec![], true);
    for round in 1..=rounds {
        let loss = nets.step_discriminator(&mut workspace, &mut discriminator, None);
        finite = loss < LOST && nets.step_generator(&mut workspace, &mut *generator, AIMS[arm.aim].1);
        if !finite {
            break;
        }
        losses.push(loss);
        if round % every == 0 || round == rounds {
            let [modes, good] = quality(data, &nets.samples(&mut workspace, evaluated));
            course.push([round as f64, mean(&losses[losses.len().saturating_sub(every)..]), modes, good]);
        }
        if *seed == 0 && pictures::rounds_shown(rounds).contains(&round) {
            for point in nets.samples(&mut workspace, shown).rows() {
                let numbers = std::iter::once(round as f64).chain(point.iter().map(|&x| f64::from(x)));
                samples.push(numbers.collect::<Vec<_>>());
            }
        }
    }
    // of a game that has diverged, nothing is good
    let mut measure =
        || if finite { quality(data, &nets.samples(&mut workspace, evaluated)) } else { [0.0, 0.0] };
    let ([modes, good], [choose_modes, choose_good]) = (measure(), measure());
    let last = mean(&losses[losses.len() - losses.len().div_ceil(10)..]);
    let end = Record::once(
        "end",
        [
            ("modes", modes),
            ("good", good),
            ("chosen_by", choose_modes / data.modes() as f64 * choose_good),
            ("loss", last),
            ("won", f64::from(finite && modes == 0.0 && last < WON)),
            ("diverged", f64::from(!finite)),
        ],
    );
    [course, end, samples]
}
