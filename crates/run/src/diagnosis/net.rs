//! Findings about the net and its inputs: flattened columns, units that are dead or saturated, huge weights.

use super::*;

/// The size of the largest hidden layer, if there is one.
pub(super) fn widest(job: &Job) -> Option<usize> {
    let sizes = job.settings.model.as_ref()?.sizes()?.as_slice();
    sizes.get(1..sizes.len().saturating_sub(1))?.iter().copied().max()
}

/// Columns, or a target, whose range is due to a few extreme values.
pub(super) fn flattened(job: &Job) -> Option<Finding> {
    let train = &job.parts.train;
    let numbers =
        job.encoder.columns.iter().filter(|column| matches!(column.encoding, Encoding::Number { .. }));
    let names = train.feature_names.iter().map(String::as_str).enumerate();
    let columns = names.filter(|(_, name)| numbers.clone().any(|column| column.name == *name));
    let mut flat = Vec::new();
    if train.is_finer_than(FLAT) {
        train.each_column(columns.map(|(at, _)| at), |at, values| {
            flat.extend(middle_share(values).map(|share| (train.feature_names[at].as_str(), share)));
        });
    }
    if let Predictions::Number { name, .. } = &job.predictions {
        let mut values = train.targets.values().to_vec();
        flat.extend(middle_share(&mut values).map(|share| (name.as_str(), share)));
    }
    let &(name, share) = flat.first()?;
    let others = match flat.len() {
        1 => String::new(),
        2 => format!("; the same holds for \"{}\"", flat[1].0),
        n => format!("; the same holds for {} other columns", n - 1),
    };
    Some(finding(
        Kind::FlattenedColumn,
        format!("90 % of the values of \"{name}\" span {} of its range{others}", percent(share)),
        "a few extreme values determine the range: after scaling, the net can hardly distinguish the other values",
        "check the largest and smallest values of the column: correct them, leave these rows out, or take logarithms",
    ))
}

/// The fraction of the range that the middle 90 % of the values span, if it is very small but not 0.
pub(super) fn middle_share(values: &mut [f64]) -> Option<f64> {
    let place = |share: f64| (share * (values.len() - 1) as f64).round() as usize;
    let [low, high] = [0.05, 0.95].map(place);
    let (least, most) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), &x| {
        (if x < least { x } else { least }, if x > most { x } else { most })
    });
    // most columns need no sorting: where too many neighbors are far from each other, one of the two is outside the middle
    let outside = low + values.len() - 1 - high;
    let far = |&[one, other]: &[f64; 2]| (one - other).abs() > 2.0 * FLAT * (most - least);
    if values.as_chunks().0.iter().filter(|&pair| far(pair)).nth(outside).is_some()
        || values.iter().filter(|&&x| x != least).count() < values.len() - high
    {
        return None;
    }
    let [low, high] = [low, high].map(|at| *values.select_nth_unstable_by(at, f64::total_cmp).1);
    let share = (high - low) / (most - least);
    (0.0 < share && share < FLAT).then_some(share)
}

/// Units that no longer respond to their inputs.
pub(super) fn units(job: &Job) -> Vec<Finding> {
    let lost = |count: usize, health: &UnitHealth| count as f64 >= LOST * health.units as f64;
    let is_lost = |activation, health: &UnitHealth| {
        lost(health.dead, health) || two_sided(activation) && lost(health.dead + health.saturated, health)
    };
    let mut findings = Vec::new();
    for (name, _, health) in lost_units(&job.model, &job.params, &job.parts.train, is_lost) {
        let name = name.replace("layer", "layer ");
        if lost(health.dead, &health) {
            findings.push(finding(
                Kind::DeadUnits,
                format!("{} of {} units of {name} are dead: their output is the same for every training row, with slope 0", health.dead, health.units),
                "no gradient passes through them: they no longer learn, nor do the units before them through them",
                "a lower learning rate, activation = leaky_relu, init = kaiming_normal",
            ));
        } else {
            findings.push(finding(
                Kind::SaturatedUnits,
                format!(
                    "{} of {} units of {name} are saturated: on 90 % of the rows their slope is below 5 % of its maximum; their pre-activations are {} ± {}",
                    health.dead + health.saturated, health.units, short(health.mean), short(health.deviation)
                ),
                "their output is one of two values, and they hardly learn",
                "smaller initial weights (init = xavier_normal), a lower learning rate, scaled features",
            ));
        }
    }
    findings
}

/// Flat on both sides: there a flat unit no longer learns. With only one flat side, a unit that is off on most rows has learned something rare.
pub(super) fn two_sided(activation: Activation) -> bool {
    matches!(activation, Activation::Sigmoid | Activation::Tanh)
}

/// Weights that make units act as steps.
pub(super) fn weights(job: &Job) -> Option<Finding> {
    let all = job.model.steps().iter().filter_map(Step::weights).flat_map(|(weight, _)| &job.params[weight]);
    let sizes = Vec::from_iter(all.map(|&w| f64::from(w.abs())));
    let huge = sizes.iter().filter(|&&size| size > HUGE).count();
    (huge as f64 > HUGE_SHARE * sizes.len() as f64).then(|| {
        finding(
            Kind::HugeWeights,
            format!(
                "{huge} of {} weights are larger than {HUGE}, the largest {}",
                sizes.len(),
                short(sizes.iter().copied().fold(0.0, f64::max))
            ),
            "such a large weight turns a small change of its input into a jump",
            "smaller initial weights (init = linear), a lower learning rate, l2 = 0.001, scaled features",
        )
    })
}
