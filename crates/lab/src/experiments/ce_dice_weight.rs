//! The weight of cross-entropy in a mix with Dice, chosen by cross-validation: is it worth the trouble?

use surprisal_data::k_fold;
use surprisal_layers::rng;
use surprisal_loss::CeDiceLoss;

use crate::gallery::{
    Experiment, Finding, Knob, Lab, LabError, Masks, Record, Report, Seeds, Text, average_precision,
    check_net, dice, plus_minus,
};
use surprisal_report::Table;
use surprisal_report::chart::{Band, Chart, Line};
use surprisal_report::statistics::{Estimate, highest, mean, minus};

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "ce-dice-weight",
    text: Text::new(include_str!("ce_dice_weight.md")),
    minutes: 0.97,
    seeds: Some(Seeds { first: 1, usual: 8, quick: 6 }),
    knobs: &[
        Knob::count("train", "48", "images, which the folds divide").quick("16"),
        Knob::count("folds", "3", "folds of the cross-validation, 2 to the number of images").quick("2"),
        Knob::count("test", "200", "test images, the same for all seeds").quick("40"),
        Knob::count("side", "32", "the height and width of an image").quick("16"),
        Knob::number("noise", "0.25", "the standard deviation of the noise of a pixel"),
        Knob::count("levels", "2", "levels of the U-Net"),
        Knob::count("width", "8", "channels of its first level").quick("4"),
        Knob::count("batch", "8", "images in a step"),
        Knob::count("epochs", "50", "passes over the training images").quick("50"),
        Knob::positive("rate", "0.003", "the learning rate of Adam"),
        Knob::shares("weights", "0,0.25,0.5,0.75,0.9,1", "the weights a; with 0, 0.5 and 1").quick("0,0.5,1"),
    ],
    run,
};

/// The weights that the chosen one is compared with.
const DICE_ALONE: f64 = 0.0;
const HALF: f64 = 0.5;
const CROSS_ENTROPY_ALONE: f64 = 1.0;
/// The largest weight that is not near 1.
const NEAR_ONE: f64 = 0.8;
/// The seed of the test images.
const TEST_SEED: u64 = 900_001;

/// One training: of a fold, or, without one, of all images.
struct Job {
    weight: usize,
    seed: usize,
    fold: Option<usize>,
}

/// The images of a seed, and the training and held-out images of each of its folds.
struct Data {
    all: Masks,
    folds: Vec<[Masks; 2]>,
}

fn run(lab: &Lab) -> Result<Report, LabError> {
    let (weights, folds) = (lab.numbers("weights"), lab.count("folds"));
    let place = |a: f64| {
        weights.iter().position(|&weight| weight == a).ok_or_else(|| {
            LabError::Usage(format!(
                "weights: expected {a} among them, found {weights:?}: the chosen weight is compared with it"
            ))
        })
    };
    let compared = [place(DICE_ALONE)?, place(CROSS_ENTROPY_ALONE)?, place(HALF)?];
    check_net(lab)?;
    let test = Masks::cells(lab, "test", TEST_SEED)?;
    let data = lab.seeds.iter().map(|&seed| data(lab, seed)).collect::<Result<Vec<_>, _>>()?;
    let least = data.iter().flat_map(|data| &data.folds).map(|[train, _]| train.rows()).min();
    let least = least.expect("there are folds");
    if lab.count("batch") > least {
        return Err(LabError::Usage(format!(
            "batch: {} images in a step, but a fold trains on only {least}",
            lab.count("batch")
        )));
    }
    let mut jobs = vec![];
    for weight in 0..weights.len() {
        for seed in 0..lab.seeds.len() {
            jobs.extend((0..folds).map(Some).chain([None]).map(|fold| Job { weight, seed, fold }));
        }
    }
    let label = |job: &Job| {
        [
            ("a", weights[job.weight].to_string()),
            ("seed", lab.seeds[job.seed].to_string()),
            ("trained_on", job.fold.map_or("all".into(), |fold| format!("without fold {}", fold + 1))),
        ]
    };
    let runs = lab.runs("U-Nets", &jobs, label, |job| {
        let data = &data[job.seed];
        let [train, held_out] = match job.fold {
            Some(fold) => [&data.folds[fold][0], &data.folds[fold][1]],
            None => [&data.all, &test],
        };
        [learn(lab, train, held_out, weights[job.weight], lab.seeds[job.seed])]
    })?;

    // ---- measure
    let seeds = lab.seeds.len();
    let of = |weight: usize, seed: usize| &runs[(weight * seeds + seed) * (folds + 1)..][..folds + 1];
    let tested = |weight: usize, column: &str| {
        (0..seeds).map(|seed| of(weight, seed)[folds][0].last(column)).collect::<Vec<f64>>()
    };
    let validated = |weight: usize, seed: usize| {
        mean(&of(weight, seed)[..folds].iter().map(|[fold]| fold.last("dice")).collect::<Vec<_>>())
    };
    let over_seeds = |weight| (0..seeds).map(|seed| validated(weight, seed)).collect::<Vec<f64>>();
    let chosen: Vec<usize> = (0..seeds)
        .map(|seed| highest(&(0..weights.len()).map(|weight| validated(weight, seed)).collect::<Vec<_>>()))
        .collect();
    let of_chosen = |column: &str| {
        chosen.iter().enumerate().map(|(seed, &weight)| tested(weight, column)[seed]).collect::<Vec<f64>>()
    };

    // ---- verdict
    let mut report = Report::new().captioned(lab, "weight", chart(lab, &over_seeds, &tested).to_svg());
    for (column, name) in
        [("dice", "test Dice at threshold ½"), ("average_precision", "test average precision")]
    {
        for (other, what) in compared.into_iter().zip(["Dice alone", "cross-entropy alone", "a fixed weight"])
        {
            let (own, others) = (of_chosen(column), tested(other, column));
            report = report.finding(
                Finding::seeds(
                    format!("The chosen weight against {what}, a = {}", weights[other]),
                    format!("{name}, chosen minus fixed"),
                    &minus(&own, &others),
                )
                .above(0.0)
                .sentence(format!(
                    "Chosen: {}; a = {}: {}.",
                    plus_minus(&own),
                    weights[other],
                    plus_minus(&others)
                )),
            );
        }
    }
    let [_, alone, half] = compared;
    let near_one = chosen.iter().filter(|&&weight| weights[weight] > NEAR_ONE).count();
    report = report.finding(
        Finding::seeds(
            "What cross-validation sees of cross-entropy alone",
            format!(
                "cross-validated Dice at threshold ½, a = {} minus a = {}",
                weights[half], weights[alone]
            ),
            &minus(&over_seeds(half), &over_seeds(alone)),
        )
        .above(0.0)
        .sentence(lab.text_with(
            "finding: near one",
            &[("near_one", &near_one), ("seeds", &seeds), ("bound", &NEAR_ONE)],
        )),
    );
    let row = |weight: usize| {
        let times = chosen.iter().filter(|&&chosen| chosen == weight).count();
        vec![
            weights[weight].to_string(),
            plus_minus(&over_seeds(weight)),
            plus_minus(&tested(weight, "dice")),
            plus_minus(&tested(weight, "average_precision")),
            format!("{times} of {seeds}"),
        ]
    };
    let empty = |weight: usize| {
        let folds: Vec<&Record> =
            (0..seeds).flat_map(|seed| &of(weight, seed)[..folds]).map(|[fold]| fold).collect();
        let sum = |column| folds.iter().map(|fold| fold.last(column)).sum::<f64>();
        let [images, empty, silent] = ["images", "empty_images", "empty_and_none_predicted"].map(sum);
        vec![
            weights[weight].to_string(),
            format!("{:.3}", mean(&over_seeds(weight))),
            format!("{:.3}", sum("dice_of_images") / images),
            format!("{silent} of {empty}"),
        ]
    };
    let all = || 0..weights.len();
    Ok(report
        .section("Every weight")
        .table(Table::new(
            format!("Dice at ½ and average precision: mean and 95 % interval over {seeds} seeds"),
            1,
            ["a", "cross-validated Dice", "test Dice", "average precision", "chosen"],
            all().map(row),
        ))
        .section("Images without foreground")
        .paragraphs(lab.text("note: empty"))
        .table(Table::new(
            format!(
                "The held-out images of {folds} folds and {seeds} seeds: mean Dice over the pixels of a fold, mean Dice of single images, and \
                 in how many of those without a disc nothing is predicted"
            ),
            1,
            ["a", "of folds", "of images", "nothing predicted"],
            all().map(empty),
        )))
}

/// Draws the images of a seed and divides them.
fn data(lab: &Lab, seed: u64) -> Result<Data, LabError> {
    let all = Masks::cells(lab, "train", seed)?;
    let folds = k_fold(all.rows(), lab.count("folds"), &mut rng(seed))
        .map_err(|error| LabError::Usage(format!("folds: {error}")))?;
    let folds = folds.iter().map(|fold| [all.select(&fold.train), all.select(&fold.test)]).collect();
    Ok(Data { all, folds })
}

/// Trains a net, and measures it on held-out images, which may have no foreground.
fn learn(lab: &Lab, train: &Masks, held_out: &Masks, weight: f64, seed: u64) -> Record {
    let a = if lab.broken { HALF } else { weight };
    let (epochs, mut measured) = (lab.count("epochs"), None);
    let loss = CeDiceLoss { a, ..Default::default() };
    train.train(
        lab,
        lab.number("rate"),
        epochs,
        seed,
        |z, t| loss.loss(z, t),
        |epoch, net| {
            if epoch < epochs {
                return;
            }
            let probabilities = net(held_out);
            let (mut of_images, mut empty, mut silent) = (0.0, 0, 0);
            for (row, p) in probabilities.chunks(held_out.pixels()).enumerate() {
                let labels = held_out.labels_of(row);
                of_images += dice(labels, p, 0.5);
                if !labels.contains(&1) {
                    empty += 1;
                    silent += usize::from(p.iter().all(|&p| p < 0.5));
                }
            }
            let labels = held_out.labels();
            let ranking =
                if labels.contains(&1) { average_precision(labels, &probabilities) } else { f64::NAN };
            measured = Some(Record::once(
                "measures",
                [
                    ("dice", dice(labels, &probabilities, 0.5)),
                    ("average_precision", ranking),
                    ("images", held_out.rows() as f64),
                    ("dice_of_images", of_images),
                    ("empty_images", f64::from(empty)),
                    ("empty_and_none_predicted", silent as f64),
                ],
            ));
        },
    );
    measured.expect("the last epoch is measured")
}

/// Cross-validated and test Dice over the weight.
fn chart(
    lab: &Lab,
    validated: &dyn Fn(usize) -> Vec<f64>,
    tested: &dyn Fn(usize, &str) -> Vec<f64>,
) -> Chart {
    let weights = lab.numbers("weights");
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&i, &k| weights[i].total_cmp(&weights[k]));
    let of = |values: &dyn Fn(usize) -> Vec<f64>| -> Vec<(f64, Estimate)> {
        order.iter().map(|&i| (weights[i], Estimate::of(&values(i)).within((0.0, 1.0)))).collect()
    };
    let both = [("cross-validation", of(validated)), ("test", of(&|i| tested(i, "dice")))];
    let means = both.iter().map(|(name, points)| {
        let means = points.iter().map(|(_, estimate)| format!("{:.2}", estimate.mean)).collect::<Vec<_>>();
        format!("{name} {}", means.join(", "))
    });
    let alt = lab.text_with("alt: weight", &[("means", &means.collect::<Vec<_>>().join("; "))]);
    let mut chart = Chart::new("Dice over the weight of cross-entropy")
        .subtitle(format!(
            "{} images, {} folds, {} epochs",
            lab.count("train"),
            lab.count("folds"),
            lab.count("epochs")
        ))
        .x_label("a: 0 is Dice alone, 1 is cross-entropy alone")
        .y_label("Dice at threshold ½")
        .include_y(0.0)
        .alt(alt);
    for (color, (_, points)) in both.iter().enumerate() {
        chart = chart.band(Band::new(points.iter().map(|(a, e)| (*a, e.low, e.high))).color(color));
    }
    for (color, (name, points)) in both.into_iter().enumerate() {
        chart = chart.line(Line::new(name, points.into_iter().map(|(a, e)| (a, e.mean))).color(color));
    }
    chart
}
