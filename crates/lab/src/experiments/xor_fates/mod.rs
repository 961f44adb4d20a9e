//! From which initial parameters do nets learn XOR, and how soon? Hundreds of seeds for three small nets, each under both losses.

mod descent;
mod pictures;

use crate::gallery::{
    Basis, Expected, Experiment, Finding, Head, Knob, Lab, LabError, Report, Seeds, Text, short,
};
use descent::{Arm, BAD_BASIN, Fixed, PLAIN, SATURATED, fates, trajectory};
use pictures::{Condition, fate_map, fate_table, pictures, rate_table, solved_chart};
use surprisal_report::statistics::Estimate;

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "xor-fates",
    text: Text::new(include_str!("../xor_fates.md")),
    minutes: 0.5,
    seeds: Some(Seeds { first: 1, usual: 200, quick: 24 }),
    knobs: &[
        Knob::positive("eta", "2", "the learning rate that both losses share"),
        Knob::positives("rates", "0.5,2,8,32,128", "the rates among which each loss finds its own best")
            .quick("2,8,32"),
        Knob::positive("deviation", "1", "the standard deviation of the initial weights and biases"),
        Knob::share("threshold", "0.1", "the error below which a task is solved"),
        Knob::count("cap", "10000", "the last epoch to wait for").quick("2000"),
    ],
    run,
};

/// The nets: sizes and tasks.
const NETS: [(&[usize], &str); 3] =
    [(&[2, 2, 1], "XOR"), (&[2, 4, 1], "XOR"), (&[3, 4, 1], "parity of 3 bits")];

fn run(lab: &Lab) -> Result<Report, LabError> {
    let (threshold, cap, eta) = (lab.number("threshold"), lab.count("cap"), lab.number("eta"));
    if threshold == 0.0 || threshold >= 0.5 {
        return Err(LabError::Usage(format!(
            "threshold: expected a number above 0 and below 0.5, the error of a constant output, found {threshold}"
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
        "fixed initial parameters",
        &fixed,
        |(fixed, loss, rate)| {
            [("start", fixed.name.into()), ("loss", loss.name().into()), ("rate", rate.to_string())]
        },
        |&(fixed, loss, rate)| [trajectory(fixed, loss, rate, threshold, cap)],
    );
    let mut grid = vec![eta];
    grid.extend(rates.iter().copied().filter(|&rate| rate != eta));
    let arms: Vec<Arm> = (0..NETS.len())
        .flat_map(|net| losses.map(|loss| (net, loss)))
        .flat_map(|(net, loss)| grid.iter().map(move |&rate| Arm { net, loss, rate }))
        .collect();
    let fates = lab.runs(
        "random initial parameters",
        &arms,
        |arm| {
            [("net", name(NETS[arm.net].0)), ("loss", arm.loss.name().into()), ("rate", arm.rate.to_string())]
        },
        |&arm| [fates(lab, arm)],
    );
    let (of_fixed, fates) = (of_fixed?, fates?);

    // ---- measure
    let epochs = |net: usize, loss: usize, rate: usize| {
        fates[(net * 2 + loss) * grid.len() + rate][0].column("epochs")
    };
    let solved = |epochs: &[f64]| epochs.iter().filter(|epochs| epochs.is_finite()).count();
    let own = rates.iter().filter_map(|rate| grid.iter().position(|other| other == rate)).collect::<Vec<_>>();
    // the best in what is compared: most tasks solved, or the smallest median of epochs; the other breaks ties
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
    let mut report =
        Report::new().captioned(lab, "solved", solved_chart(lab, &conditions[0], losses, &pairs).to_svg());
    let never =
        |epochs: f64| if epochs.is_finite() { epochs.to_string() } else { format!("more than {cap}") };
    for (condition, [squared, entropy]) in [
        (
            format!("From a saturated output, at the same rate {}", SATURATED.eta),
            [until(2, 0, 0), until(2, 1, 0)],
        ),
        ("From a saturated output, each at its own best rate".into(), [soonest(0), soonest(1)]),
    ] {
        // never against a number is infinite; never against never is unknown
        let ratio = if squared == entropy && squared.is_finite() { 1.0 } else { squared / entropy };
        report = report.finding(
            Finding::deterministic(condition, "epochs under squared error / under cross-entropy", ratio)
                .above(1.0)
                .sentence(format!("{} epochs against {}.", never(squared), never(entropy))),
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
                    "fraction solved under cross-entropy - under squared error",
                    entropy.minus(squared),
                    Basis::Trials(lab.seeds.len()),
                )
                .above(0.0)
                .sentence(format!("{} against {}{rates}.", share(entropy), share(squared))),
            );
        }
        let ratios = speed(lab.seeds.len(), |net| pairs(net, by_time[net]));
        let of_net = |[squared, entropy]: &[usize; 2]| format!("{} and {}", grid[*entropy], grid[*squared]);
        let of_nets = by_time.iter().map(of_net).collect::<Vec<_>>().join("; ");
        let measure = "epochs under squared error / under cross-entropy, of tasks that both solve";
        // "best" has two meanings, and the result may depend on which
        let by_share = speed(lab.seeds.len(), |net| pairs(net, chosen[net]));
        let number = match by_share.len() {
            0 | 1 => "unknown".into(),
            _ => Finding::ratios("", "", &by_share).number(),
        };
        let mut times = lab.text_with("finding: times", &[("rates", &of_nets)]);
        let rule = lab.text_with("finding: which rate is best", &[("number", &number)]);
        if chosen != by_time {
            times += &format!(" {rule}");
        }
        let nothing = lab.text_with("note: nothing to compare", &[("condition", &condition)]);
        report = match ratios.len() {
            0 | 1 => report.paragraphs(nothing),
            _ => report.finding(
                Finding::ratios(format!("{condition}, all three nets"), measure, &ratios)
                    .above(1.0)
                    .sentence(times),
            ),
        };
    }
    let ends = [0, 1].map(|loss| of_fixed[(2 + loss) * per_fixed][0].last("error"));
    let out = [0, 1].into_iter().filter(|&loss| until(1, loss, 0).is_finite()).count();
    let left = [0, 1].map(|loss| (1..per_fixed).filter(|&rate| until(1, loss, rate).is_finite()).count());
    report = report
        .finding(
            Finding::deterministic(
                format!("From the bad basin, at its rate {}, within {cap} epochs", stuck.eta),
                "number of the two losses that get out",
                out as f64,
            )
            .expect(Expected::AtMost(0.0))
            .sentence(lab.text_with(
                "finding: bad basin",
                &[("squared", &short(ends[0])), ("entropy", &short(ends[1]))],
            )),
        )
        .finding(
            Finding::deterministic(
                "From the bad basin, at any rate of the table",
                "rates at which a loss gets out",
                (left[0] + left[1]) as f64,
            )
            .expect(Expected::AtMost(0.0))
            .sentence(lab.text_with(
                "finding: bad basin at any rate",
                &[("rates", &rates.len()), ("squared", &left[0]), ("entropy", &left[1])],
            )),
        );
    let chosen = [
        &of_fixed[4 * per_fixed][0],
        &of_fixed[5 * per_fixed][0],
        &of_fixed[2 * per_fixed][0],
        &of_fixed[3 * per_fixed][0],
    ];
    Ok(pictures(report, lab, losses, chosen)
        .section("Seed by seed")
        .captioned(lab, "fates", fate_map(lab, &conditions[1], &pairs).to_svg())
        .table(fate_table(&conditions, &pairs))
        .table(rate_table(lab, &grid, &own, losses, epochs, solved)))
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

/// The ratio of epochs for each seed that both losses solve: the geometric mean over the nets.
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

/// The number of seeds that both losses solve, only cross-entropy, only squared error, neither.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Epochs to errors below 0.1 that another program found from the same parameters.
    #[test]
    fn fixed_parameters_take_their_known_time() {
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
