//! Findings about the course of a training: rates too high or too low, losses that still fall, an end that is worse.

use super::*;

/// Advice if the loss is no longer finite; for a rate such as 1e30, a tenth would not help.
pub(crate) fn rate_or_clipping(rate: f64) -> String {
    format!("a learning rate of {} or less, or clip_norm = 1", short((rate / 10.0).min(1.0)))
}

/// The course of the loss on the training rows.
pub(super) fn course(job: &Job, epochs: &[Epoch]) -> Option<Finding> {
    let losses = Vec::from_iter(epochs.iter().map(|epoch| epoch.train.loss));
    let (n, start, end) = (losses.len() - 1, losses[0], losses[losses.len() - 1]);
    let rate = job.settings.lr.unwrap_or(f64::NAN);
    let rises = Vec::from_iter(losses.windows(2).map(|pair| pair[1] - pair[0]));
    let jumps = rises.iter().filter(|&&rise| rise > JUMP * start).count();
    let from_to = format!("from {} to {} in {n} epochs", short(start), short(end));

    let highest = losses.iter().copied().fold(start, f64::max);
    if end > start * (1.0 + JUMP)
        || highest > 2.0 * start && end > 0.5 * start
        || jumps > 1 && jumps * JUMPY >= n
    {
        return Some(finding(
            Kind::RateTooHigh,
            format!(
                "the training loss went {from_to}, with a maximum of {}, and rose by more than {} in {jumps} of these epochs",
                short(highest),
                short(JUMP * start)
            ),
            "the steps are too large: they overshoot the minimum",
            format!("a learning rate of {} instead of {}", short(rate / 10.0), short(rate)),
        ));
    }

    let fall = (start - end) / start;
    // a schedule makes steps shorter, which is no bend of the curve: time is counted in learning rate
    let time = |epochs: &[Epoch]| epochs.iter().map(|epoch| epoch.learning_rate).sum::<f64>();
    let pace = |from: usize, to: usize| (losses[from] - losses[to]) / time(&epochs[from + 1..=to]);
    let steady = rises.iter().filter(|&&rise| rise < 0.0).count() * 10 >= 9 * n
        && (n < 2 || pace(n / 2, n) >= STRAIGHT * pace(0, n.div_ceil(2)));
    if fall > 0.0 && fall < SLOW * n as f64 && fall < SOMEWHERE && steady {
        return Some(finding(
            Kind::RateTooLow,
            format!(
                "the training loss, {} at the start, fell by {} in {n} epochs, on average by {} in an epoch",
                short(start),
                short(start - end),
                percent(fall / n as f64)
            ),
            "every epoch improves the loss, but very slowly",
            format!("a learning rate of {}, ten times as high", short(10.0 * rate)),
        ));
    }
    if fall < FALL {
        return Some(finding(
            Kind::DidNotFall,
            format!(
                "the training loss went {from_to}, and was never below {}",
                short(losses.iter().copied().fold(end, f64::min))
            ),
            "the net has learned nothing",
            format!(
                "another learning rate: first {}, then {}; then other initial weights (seed = 8), or a larger net",
                short(10.0 * rate),
                short(rate / 10.0)
            ),
        ));
    }
    if let Some(worse) = ended_worse(job, epochs) {
        return Some(worse);
    }
    let quarter = 0.25 * time(&epochs[1..]);
    let before = (1..n).rev().find(|&epoch| time(&epochs[epoch + 1..]) >= quarter).unwrap_or(0);
    let late = (losses[before] - end) / (start - end);
    (n > 3 && late > LATE && epochs[n].held_out().loss < epochs[before].held_out().loss).then(|| {
        let longer = match job.trainer.stop {
            Some(stop) if n < job.trainer.epochs => format!("patience = {}", 2 * stop.patience),
            _ => format!("more epochs ({})", 2 * n),
        };
        finding(
            Kind::StillFalls,
            format!(
                "the training loss fell {from_to}, with {} of the decrease after epoch {}",
                percent(late),
                epochs[before].epoch
            ),
            format!(
                "the net was still learning at the end, and the {} loss was lower than before, too",
                job.parts.monitored().0
            ),
            format!("{longer}, or a learning rate of {}", short(3.0 * rate)),
        )
    })
}

/// Whether one epoch's accuracy, or R², is clearly below another's, on a part of the data.
pub(super) fn clearly_below(job: &Job, later: f64, earlier: f64, rows: usize) -> bool {
    match &job.predictions {
        Predictions::Classes(_) | Predictions::Masks(_) => {
            let of = |share: f64| Estimate::wilson((share * rows as f64).round() as usize, rows);
            of(earlier).minus(of(later)).low > WORSE
        }
        Predictions::Number { .. } => 1.0 - later > WORSE_UNEXPLAINED * (1.0 - earlier) + WORSE_R2,
    }
}

/// The epoch for which a number is largest, the first of several.
pub(super) fn largest(epochs: &[Epoch], of: fn(&Epoch) -> f64) -> &Epoch {
    epochs.iter().fold(&epochs[0], |best, epoch| if of(epoch) > of(best) { epoch } else { best })
}

/// Whether the net that is saved is clearly worse than that of an earlier epoch, and not because it was trained for too long.
pub(super) fn ended_worse(job: &Job, epochs: &[Epoch]) -> Option<Finding> {
    if job.trainer.keep_best {
        return None; // what is saved is the best epoch
    }
    let (part, monitored) = job.parts.monitored();
    let (start, last) = (&epochs[0], &epochs[epochs.len() - 1]);
    let least = largest(epochs, |epoch| -epoch.train.loss);
    let rise = last.train.loss - least.train.loss;
    let of_training = largest(epochs, |epoch| epoch.train.score());
    let of_others = largest(epochs, |epoch| epoch.held_out().score());
    let (better, what) =
        if clearly_below(job, last.train.score(), of_training.train.score(), job.parts.train.rows()) {
            let [earlier, later] = [of_training, last].map(|epoch| accuracy(job, epoch.train.score()));
            (of_training, format!("on the training rows {earlier}, and {later} at the end"))
        } else if rise > JUMP * (start.train.loss - least.train.loss) && rise > RISE * least.train.loss {
            (
                least,
                format!(
                    "the training loss {}, and {} at the end",
                    short(least.train.loss),
                    short(last.train.loss)
                ),
            )
        } else if last.train.loss >= of_others.train.loss
            && clearly_below(job, last.held_out().score(), of_others.held_out().score(), monitored.rows())
        {
            let [earlier, later] = [of_others, last].map(|epoch| accuracy(job, epoch.held_out().score()));
            (of_others, format!("on the {part} rows {earlier}, and {later} at the end"))
        } else {
            return None;
        };
    let before = &epochs[epochs.len() - 2];
    let jumped = match last.train.loss - before.train.loss > 0.5 * rise && rise > 0.0 {
        true => format!(
            "; the loss jumped in the last epoch, from {} to {}",
            short(before.train.loss),
            short(last.train.loss)
        ),
        false => String::new(),
    };
    let rate = format!("a learning rate of {}", short(job.settings.lr.unwrap_or(f64::NAN) / 3.0));
    let calmer = match job.trainer.schedule {
        Schedule::Constant => format!("schedule = cosine, or {rate}"),
        _ => rate,
    };
    Some(finding(
        Kind::EndedWorse,
        format!("the net was better after epoch {} than at the end: {what}{jumped}", better.epoch),
        "the saved net is that of the last epoch",
        format!("keep_best = true, which saves the best epoch on validation rows; {calmer}"),
    ))
}
