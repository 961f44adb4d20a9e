//! Findings about predictions: overfitting, underfitting, classes that are missed.

use super::*;

/// The net's predictions for the rows of one part: the probability of every class, or the number.
pub(super) struct PartPredictions<'a> {
    part: &'a str,
    data: &'a DataPart,
    answers: Array2<f64>,
    said: Vec<usize>, // the class of every row; empty for regression
}

impl<'a> PartPredictions<'a> {
    pub(super) fn new(job: &Job, (part, data, outputs): (&'a str, &'a DataPart, &Array2<f32>)) -> Self {
        let answers = answers(job, outputs);
        let said = if data.targets.is_regression() { Vec::new() } else { argmax_rows(&answers) };
        PartPredictions { part, data, answers, said }
    }

    /// Which share of a class's rows is found; `None` if it has none.
    pub(super) fn recall(&self, class: usize) -> Option<Estimate> {
        let labels =
            || self.data.targets.labels().iter().zip(&self.said).filter(|&(&label, _)| label == class);
        let rows = labels().count();
        (rows > 0).then(|| Estimate::wilson(labels().filter(|(label, said)| label == said).count(), rows))
    }

    pub(super) fn accuracy(&self) -> Estimate {
        let right =
            self.data.targets.labels().iter().zip(&self.said).filter(|(label, said)| label == said).count();
        Estimate::wilson(right, self.data.rows())
    }

    /// The mean of the classes' recalls, with the interval that follows from theirs.
    pub(super) fn balanced_accuracy(&self) -> Estimate {
        let recalls = Vec::from_iter((0..self.data.targets.classes()).filter_map(|class| self.recall(class)));
        let of = |number: fn(&Estimate) -> f64| Vec::from_iter(recalls.iter().map(number));
        let spread = |half: Vec<f64>| half.iter().map(|x| x * x).sum::<f64>().sqrt() / recalls.len() as f64;
        let middle = mean(&of(|e| e.mean));
        let (low, high) = (spread(of(|e| e.mean - e.low)), spread(of(|e| e.high - e.mean)));
        Estimate { mean: middle, low: middle - low, high: middle + high }
    }

    /// The area under the ROC curve of one class against all others; `None` where there are rows of one side alone.
    pub(super) fn auc(&self, class: usize) -> Option<f64> {
        let labels =
            Vec::from_iter(self.data.targets.labels().iter().map(|&label| usize::from(label == class)));
        roc_auc_score(&labels, &self.answers.column(class).to_vec()).ok()
    }

    /// The mean of it over the classes; `None` for numbers.
    pub(super) fn mean_auc(&self) -> Option<f64> {
        let areas = Vec::from_iter(
            (0..self.said.len().min(self.data.targets.classes())).filter_map(|class| self.auc(class)),
        );
        (!areas.is_empty()).then(|| mean(&areas))
    }
}

/// Whether the classes were balanced, so that plain accuracy is not the goal.
pub(super) fn is_balanced(job: &Job) -> bool {
    job.settings.balance.is_some_and(|balance| balance != Balance::None)
}

/// The metric for classes: accuracy, or its mean over the classes where they count alike.
pub(super) fn share_right(job: &Job, predictions: &PartPredictions) -> Estimate {
    if is_balanced(job) { predictions.balanced_accuracy() } else { predictions.accuracy() }
}

/// Whether the net generalizes to other rows.
pub(super) fn over_fitting(
    job: &Job,
    epochs: &[Epoch],
    [learned, held]: &[PartPredictions; 2],
) -> Option<Finding> {
    let (part, monitored) = job.parts.monitored();
    let least = largest(epochs, |epoch| -epoch.held_out().loss);
    let best = largest(epochs, |epoch| epoch.held_out().score());
    let (first, last) = (&epochs[0], &epochs[epochs.len() - 1]);
    let rise = last.held_out().loss - least.held_out().loss;
    let rose = rise > RISE * least.held_out().loss
        && rise > RISE_OF_START * first.held_out().loss
        && last.train.loss < least.train.loss;
    let fell = last.train.loss < best.train.loss
        && clearly_below(job, last.held_out().score(), best.held_out().score(), monitored.rows());
    let kept = if job.trainer.keep_best { "; the saved net is that of the best epoch" } else { "" };
    let stop = match (job.trainer.stop, job.trainer.keep_best) {
        (None, false) => "patience = 10 (early stopping), which saves the best epoch; ",
        _ => "",
    };
    let smaller = match widest(job) {
        None | Some(1) => String::new(),
        Some(widest) => format!("a smaller net (hidden = {}); ", (widest / 2).min(16)),
    };
    let advice = format!("{stop}{smaller}l2 = 0.001; more rows");
    let means = format!(
        "the net overfits: it learned details of the training rows that do not hold for other rows{kept}"
    );
    if rose || fell {
        let measured = match rose {
            true => format!(
                "the {part} loss was lowest after epoch {}, {}, and rose to {}, while the training loss fell from {} to {}",
                least.epoch,
                short(least.held_out().loss),
                short(last.held_out().loss),
                short(least.train.loss),
                short(last.train.loss)
            ),
            false => format!(
                "on the {part} rows the net was best after epoch {}, {}, and ended at {}, while the training loss fell from {} to {}",
                best.epoch,
                accuracy(job, best.held_out().score()),
                accuracy(job, last.held_out().score()),
                short(best.train.loss),
                short(last.train.loss)
            ),
        };
        return Some(finding(Kind::OverFitting, measured, means, advice));
    }
    let (gap, measured) = match &job.predictions {
        Predictions::Classes(_) | Predictions::Masks(_) => {
            let [training, others] = [learned, held].map(|predictions| share_right(job, predictions));
            let what = if is_balanced(job) { ", averaged over the classes," } else { "" };
            let measured = format!(
                "{} of the training rows{what} are right, and {} of the {part} rows",
                percent(training.mean),
                percent(others.mean)
            );
            (training.minus(others).low > GAP, measured)
        }
        Predictions::Number { .. } => {
            let [training, others] = [learned, held].map(explained_share);
            let measured = format!(
                "R² is {} on the training rows, and {} on the {part} rows",
                short(training),
                short(others)
            );
            (training - others > GAP_OF_R2, measured)
        }
    };
    gap.then(|| finding(Kind::OverFitting, measured, means, advice))
}

/// R² of numbers.
pub(super) fn explained_share(predictions: &PartPredictions) -> f64 {
    let said = predictions.answers.iter().copied();
    r2_score(predictions.data.targets.values(), &Vec::from_iter(said)).unwrap_or(f64::NAN)
}

/// Whether the net is better than a prediction that ignores the features; learning too little is not reported again if it is `explained`.
pub(super) fn against_guessing(
    job: &Job,
    epochs: &[Epoch],
    [learned, held]: &[PartPredictions; 2],
    explained: bool,
) -> Option<Finding> {
    let of_others = gain(job, held);
    if of_others.most < 0.0 && held.mean_auc().is_none_or(|area| area < NOT_RANKED) {
        return Some(finding(
            Kind::WorseThanGuessing,
            of_others.words,
            "what it learned from the training rows does not hold for others",
            "check the targets of the training rows, and whether all parts have the same distribution",
        ));
    }
    let of_training = gain(job, learned);
    let surprise = surprise(job, learned);
    let no_less = surprise.is_some_and(|[of_net, of_classes]| of_net > (1.0 - LESS_SURPRISE) * of_classes);
    let little = of_training.share < LITTLE || of_training.share < HALF_WAY && no_less;
    if explained || !little {
        return None;
    }
    let area = learned.mean_auc();
    if !no_less && area.is_some_and(|area| area >= TOLD_APART) {
        return None; // the most frequent class is mostly the right prediction
    }
    let surprise = surprise.map_or(String::new(), |[of_net, of_classes]| {
        format!(
            "; its log-loss is {}, and that of the class frequencies alone {}",
            short(of_net),
            short(of_classes)
        )
    });
    let area = area.map_or(String::new(), |area| format!("; its AUC is {}", short(area)));
    // on real tables a net that is larger than the usual one was worse: docs/tables.md
    let larger = match widest(job) {
        None => "then a hidden layer (hidden = 32); ",
        Some(widest) if widest < 32 => "then a wider layer (hidden = 32); ",
        Some(_) => "",
    };
    Some(finding(
        Kind::UnderFitting,
        of_training.words + &surprise + &area,
        "the net underfits: it was trained too little, is too small, or the features are not informative",
        format!("more epochs ({}); {larger}if that does not help, other features", 2 * (epochs.len() - 1)),
    ))
}

/// How much of the possible gain over the most frequent class, or the mean, is reached on some rows.
pub(super) struct Gain {
    share: f64, // 1 is all
    most: f64,  // that the number of rows leaves open
    words: String,
}

pub(super) fn gain(job: &Job, predictions: &PartPredictions) -> Gain {
    let PartPredictions { part, data, .. } = predictions;
    let Predictions::Classes(names) = &job.predictions else {
        let share = explained_share(predictions);
        let words = format!("R² is {} on the {part} rows; always predicting their mean has 0", short(share));
        return Gain { share, most: share - BELOW_MEAN, words };
    };
    let Estimate { mean, high, .. } = share_right(job, predictions);
    let (guessed, words) = if is_balanced(job) {
        let guessed = 1.0 / names.len() as f64;
        let words = format!(
            "the balanced accuracy on the {part} rows is {}; always predicting one class has {}",
            percent(mean),
            percent(guessed)
        );
        (guessed, words)
    } else {
        let most_frequent = commonest_class(&job.parts.train.targets);
        let guessed = share(data, |row| data.targets.labels()[row] == most_frequent);
        let words = format!(
            "{} of the {part} rows are right; always predicting \"{}\" would be right on {}",
            percent(mean),
            names[most_frequent],
            percent(guessed)
        );
        (guessed, words)
    };
    Gain { share: (mean - guessed) / (1.0 - guessed), most: high - guessed, words }
}

/// The log-loss of the net on the training rows, and that of knowing only how frequent each class is.
pub(super) fn surprise(job: &Job, learned: &PartPredictions) -> Option<[f64; 2]> {
    let train = learned.data;
    let shares = train.targets.class_counts().into_iter().map(|count| count as f64 / train.rows() as f64);
    let of_classes = -shares.filter(|&share| share > 0.0).map(|share| share * share.ln()).sum::<f64>();
    let of_net = match job.predictions {
        Predictions::Classes(_) => log_loss(train.targets.labels(), learned.answers.view()).ok()?,
        _ => return None,
    };
    Some([of_net, of_classes])
}

/// Classes that are never predicted, or, if they are rare, too seldom.
pub(super) fn classes(job: &Job, learned: &PartPredictions) -> Option<Finding> {
    let Predictions::Classes(names) = &job.predictions else { return None };
    let counts = job.parts.train.targets.class_counts();
    let rows = job.parts.train.rows();
    let mut said = vec![0; names.len()];
    learned.said.iter().for_each(|&class| said[class] += 1);
    let rare = |class: usize| counts[commonest_class(&job.parts.train.targets)] >= UNEVEN * counts[class];
    let unsaid = Vec::from_iter((0..names.len()).filter(|&class| counts[class] > 0 && said[class] == 0));
    let Some(&rarest) = unsaid.iter().min_by_key(|&&class| counts[class]) else {
        return (0..names.len())
            .filter(|&class| rare(class))
            .find_map(|class| missed(learned, class, &names[class]));
    };
    let advice = match rare(rarest) {
        true => BALANCE,
        false => "a third of the learning rate; then other initial weights (seed = 8); then a larger net",
    };
    let (kind, measured) = match said.iter().position(|&times| times == rows) {
        Some(class) => {
            let (name, count) = (&names[class], counts[class]);
            (
                Kind::OneClass,
                format!(
                    "the net predicts \"{name}\" for all {rows} training rows; {count} of them have that class"
                ),
            )
        }
        None => {
            let of = unsaid.iter().take(5).map(|&class| match counts[class] {
                1 => format!("\"{}\" (1 row)", names[class]),
                count => format!("\"{}\" ({count} rows)", names[class]),
            });
            let more =
                if unsaid.len() > 5 { format!(" or another {}", unsaid.len() - 5) } else { String::new() };
            (
                Kind::ClassNeverSaid,
                format!(
                    "the net predicts {}{more} for none of the {rows} training rows",
                    Vec::from_iter(of).join(" or ")
                ),
            )
        }
    };
    let means = match rare(rarest) {
        true => "errors on so few rows add little to the loss",
        false => {
            "these classes are frequent enough: the net has not learned, or has lost, the difference between them"
        }
    };
    Some(finding(kind, measured, means, advice))
}

/// Of masks: a class that is found nowhere, hardly, or far better on the training images than on others.
pub(super) fn masks(
    job: &Job,
    names: &[String],
    parts: [(&str, &DataPart, &Array2<f32>); 2],
) -> Option<Finding> {
    let [learned, held] = parts.map(|(part, data, outputs)| {
        let (labels, said) = (labels(&data.targets), predicted(job, outputs));
        (part, overlap(&labels, &said, names.len()), labels, said)
    });
    let objective = job.trainer.objective.name();
    let or_overlap = |other: &str| match objective {
        "dice" | "ce_dice" => other.to_owned(),
        _ => format!("loss = ce_dice, which counts the overlap; {other}"),
    };
    for (part, data, _) in parts {
        let counts = data.targets.class_counts();
        if let Some(class) = (1..names.len()).find(|&class| counts[class] == 0) {
            return Some(finding(
                Kind::ClassAbsent,
                format!("no pixel of the {part} masks is \"{}\"", names[class]),
                match part {
                    "training" => {
                        "the net cannot learn a class that it never sees; where it is predicted nowhere, its Dice is 1"
                    }
                    _ => {
                        "its Dice is 1 if it is predicted nowhere, and else 0: it does not show how well the class is found"
                    }
                },
                "seed = 8, which splits the images differently; images with this class",
            ));
        }
    }
    let counts = job.parts.train.targets.class_counts();
    let unsaid = (1..names.len()).find(|class| counts[*class] > 0 && !learned.3.contains(class));
    if let Some(class) = unsaid {
        return Some(finding(
            Kind::ClassNeverSaid,
            format!(
                "the net predicts \"{}\" for none of the {} training pixels; {} have that class",
                names[class],
                learned.2.len(),
                counts[class]
            ),
            "errors on so few pixels add little to the mean over all of them",
            or_overlap("class_weight = balanced; more epochs; smaller batches, for more steps"),
        ));
    }
    let mean =
        |of: &[Overlap]| of[1..].iter().map(|class| class.dice).sum::<f64>() / (names.len() - 1) as f64;
    let [training, others] = [mean(&learned.1.ok()?), mean(&held.1.ok()?)];
    if training < LITTLE_DICE {
        return Some(finding(
            Kind::UnderFitting,
            format!("Dice is {} on the training images; a perfect prediction has 1", short(training)),
            "the net underfits: it was trained too little, or is too small",
            or_overlap("more epochs; a larger net (model = \"unet(3,16)\")"),
        ));
    }
    (learned.0 != held.0 && training - others > GAP_OF_DICE).then(|| {
        finding(
            Kind::OverFitting,
            format!(
                "Dice is {} on the training images, and {} on the {} images",
                short(training),
                short(others),
                held.0
            ),
            "the net overfits: it learned details of the training images that do not hold for other images",
            "augment = flip,shift:2; more images; a smaller net; l2 = 0.001",
        )
    })
}

/// By how much Dice is larger on training images if the net overfits.
const GAP_OF_DICE: f64 = 0.2;
/// A smaller Dice on training images is hardly better than nothing.
const LITTLE_DICE: f64 = 0.3;

/// Advice for rare classes.
const BALANCE: &str = "balance = oversample, which finds more of them and lowers accuracy; then use balanced_accuracy or f1_macro \
                       (monitor) instead of accuracy";

/// A rare class that the net separates from the others, but seldom predicts.
pub(super) fn missed(learned: &PartPredictions, class: usize, name: &str) -> Option<Finding> {
    let recall = learned.recall(class).map(|recall| recall.mean).filter(|&recall| recall < FOUND)?;
    let area = learned.auc(class)?;
    (area >= TOLD_APART).then(|| {
        finding(
            Kind::RareClassMissed,
            format!(
                "the recall of the rare class \"{name}\" on training rows is {}, though the net ranks its rows well: AUC {}",
                percent(recall),
                short(area)
            ),
            "a rare class is seldom the most likely one, and accuracy hardly shows the missed rows",
            BALANCE,
        )
    })
}
