//! [`cross_validate`]: k-fold cross-validation: every row is in the test set once.

use serde_json::json;
use surprisal_data::metrics::Metric;
use surprisal_data::{Fold, Notice, Targets, k_fold, stratified_k_fold};
use surprisal_layers::rng;
use surprisal_report::csv::csv;
use surprisal_report::statistics::{Estimate, MOST_RUNS};
use surprisal_tensor::ndarray::Axis;
use surprisal_train::parallel::Progress;

use crate::cores::over_cores;
use crate::job::validation_share;
use crate::table::{aligned, short};
use crate::{Job, Rows, RunError, SEED, Settings, hold_out, open};

/// The scores of every fold.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossValidation {
    /// Name of the data.
    pub data: String,
    /// What was decided automatically while reading the data.
    pub notices: Vec<Notice>,
    /// What a row is called: "rows", or "images" if each has a mask.
    pub noun: &'static str,
    /// The folds, in order.
    pub folds: Vec<FoldScores>,
}

/// One fold: the scores on it of a net that was trained on the others.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldScores {
    /// Seed of the net's initial parameters and the order of its rows.
    pub seed: u64,
    /// Number of training rows.
    pub train: usize,
    /// Number of validation rows.
    pub validation: usize,
    /// Number of test rows.
    pub test: usize,
    /// Number of epochs.
    pub epochs: usize,
    /// Every metric that applies, on the test rows.
    pub scores: Vec<(Metric, f64)>,
    /// The classes that no pixel of the test masks has. The Dice of such a class is 1 if it is not predicted either, and else 0.
    pub absent: Vec<String>,
}

/// Splits the data into `folds` parts and trains one net for each: it is tested on this part and trained on the
/// others. Classes have the same proportions in all parts.
///
/// The data are opened once. Scaling and categories are fitted anew on each net's training rows. If
/// early stopping, the best epoch or a schedule needs validation rows, they are taken from the
/// training rows, never from the test rows. The setting `test` is ignored. Of data that come with
/// a test part of their own, only the others are cut.
///
/// Fold k has the seed `seed + k`, counted from 1. The folds run over the cores; how many there are changes no bit.
///
/// ```
/// use surprisal_data::metrics::Metric;
/// use surprisal_run::{Settings, cross_validate};
/// let settings = Settings::from_toml("data = \"iris\"\nopt = \"adam\"\nlr = 0.02\nepochs = 30\n", "iris.toml")?;
/// let outcome = cross_validate(&settings, 5, &())?;
/// let accuracy = outcome.estimate(Metric::Accuracy).expect("iris has classes");
/// assert!(accuracy.mean > 0.9 && accuracy.low < accuracy.mean);
/// assert!(outcome.folds.iter().all(|fold| (fold.train, fold.test) == (120, 30)));
/// # Ok::<(), surprisal_run::RunError>(())
/// ```
///
/// # Errors
/// If there are not 2 to 1000 folds, fewer rows (or rows of a class) than folds, where a setting does not
/// fit, and if a training diverges: with the fold.
pub fn cross_validate(
    settings: &Settings,
    folds: usize,
    progress: &dyn Progress,
) -> Result<CrossValidation, RunError> {
    if !(2..=MOST_RUNS).contains(&folds) {
        let message = format!("folds: expected 2 to {MOST_RUNS}, found {folds} | 5 or 10 are usual");
        return Err(RunError::usage(message));
    }
    if settings.test_data.is_some() {
        return Err(RunError::usage(
            "test_data: not used in cross-validation, where each part of the data is the test set once | leave it out",
        ));
    }
    let share = validation_share(settings)?;
    let seed = settings.seed.unwrap_or(SEED);
    let mut rng_of_folds = rng(seed);
    let loaded = open(settings, &mut rng_of_folds)?;
    let cut = match (loaded.given_test(), loaded.targets()) {
        (None, _) => loaded.k_fold(folds, &mut rng_of_folds)?,
        (Some(test), Targets::Classes { labels, .. }) => {
            stratified_k_fold(&labels[..test.start], folds, &mut rng_of_folds)?
        }
        (Some(test), _) => k_fold(test.start, folds, &mut rng_of_folds)?,
    };
    let cut: Vec<(u64, Fold)> = (1..).zip(cut).collect();
    let train = |(k, fold): &(u64, Fold)| {
        let seed = seed.wrapping_add(*k);
        let mut rng = rng(seed);
        let (train, validation) = hold_out(&loaded, fold.train.clone(), share, &mut rng)?;
        let rows = Rows { train, validation, test: fold.test.clone() };
        let sizes = [rows.train.len(), rows.validation.len(), rows.test.len()];
        let mut job = Job::on(&Settings { seed: Some(seed), ..settings.clone() }, &loaded, rows, &mut rng)?;
        let (history, _) = job.fit(None, &mut ())?;
        let scores = job.scores()?.pop().map_or(Vec::new(), |(_, of_test)| of_test);
        let [train, validation, test] = sizes;
        let absent = absent(loaded.targets(), &fold.test);
        Ok(FoldScores { seed, train, validation, test, epochs: history.last().epoch, scores, absent })
    };
    let of_fold =
        |fold: &(u64, Fold)| train(fold).map_err(|e: RunError| e.at(&format!("fold {} of {folds}", fold.0)));
    let folds = over_cores("cross-validation", &cut, progress, of_fold)?;
    let noun = if loaded.targets().is_segmentation() { "images" } else { "rows" };
    Ok(CrossValidation { data: loaded.name().to_string(), notices: loaded.notices().to_vec(), noun, folds })
}

/// The names of the classes that no pixel of these rows has; empty if they have no masks.
fn absent(targets: &Targets, rows: &[usize]) -> Vec<String> {
    let Targets::Masks { masks, names } = targets else { return Vec::new() };
    let mut found = vec![false; names.len()];
    for &row in rows {
        masks.index_axis(Axis(0), row).iter().for_each(|&class| found[usize::from(class)] = true);
    }
    names.iter().zip(found).filter(|(_, found)| !found).map(|(name, _)| name.clone()).collect()
}

impl CrossValidation {
    /// The metrics that every fold has.
    pub fn metrics(&self) -> impl Iterator<Item = Metric> {
        Metric::all().filter(|&metric| self.values(metric).len() == self.folds.len())
    }

    /// A metric of every fold that has it.
    pub fn values(&self, metric: Metric) -> Vec<f64> {
        let scores = self.folds.iter().flat_map(|fold| &fold.scores);
        scores.filter(|(of, _)| *of == metric).map(|(_, value)| *value).collect()
    }

    /// A metric's mean over the folds and its 95 % interval, by Student's t, as far as it lies in the metric's
    /// [range](Metric::range); `None` if a fold does not have the metric.
    ///
    /// The nets share most of their training rows and so are no independent runs: an interval from folds is
    /// rather too narrow (Bengio and Grandvalet 2004, *No Unbiased Estimator of the Variance of K-Fold
    /// Cross-Validation*).
    pub fn estimate(&self, metric: Metric) -> Option<Estimate> {
        let values = self.values(metric);
        (values.len() == self.folds.len()).then(|| Estimate::of(&values).within(metric.range()))
    }

    /// A metric's standard deviation over the folds, with k - 1 in the denominator; `None` if a fold does not have it.
    pub fn deviation(&self, metric: Metric) -> Option<f64> {
        let (values, mean) = (self.values(metric), self.estimate(metric)?.mean);
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        Some((squares / (values.len() - 1) as f64).sqrt())
    }

    /// A row for each metric, numbers written by `number`.
    fn rows(&self, number: fn(f64) -> String) -> Vec<Vec<String>> {
        let names = ["metric", "mean", "sd", "low", "high"].map(str::to_string).into_iter();
        let header = names.chain((1..=self.folds.len()).map(|k| format!("fold_{k}"))).collect();
        let row = |metric: Metric| {
            let (estimate, deviation) = (self.estimate(metric)?, self.deviation(metric)?);
            let summary = [estimate.mean, deviation, estimate.low, estimate.high];
            let numbers = summary.into_iter().chain(self.values(metric)).map(number);
            Some([metric.to_string()].into_iter().chain(numbers).collect())
        };
        [header].into_iter().chain(self.metrics().filter_map(row)).collect()
    }

    /// A table for readers: every metric, its mean, standard deviation and 95 % interval from `low` to
    /// `high`, and its folds.
    pub fn to_text(&self) -> String {
        let FoldScores { train, validation, test, .. } = &self.folds[0];
        let validation =
            if *validation > 0 { format!(", {validation} for validation") } else { String::new() };
        let rows = self.noun;
        let table = format!(
            "{}, {} folds: about {train} training {rows}{validation}, {test} test {rows}; 95 % intervals\n{}",
            self.data,
            self.folds.len(),
            aligned(&self.rows(short))
        );
        let absent = (1..).zip(&self.folds).flat_map(|(k, fold)| {
            fold.absent.iter().map(move |name| {
                format!(
                    "fold_{k}: no test pixel is \"{name}\": its Dice is 1 if it is predicted nowhere, and else 0\n"
                )
            })
        });
        table + &absent.collect::<String>()
    }

    /// The same table as CSV, with every digit.
    pub fn to_csv(&self) -> String {
        csv(self.rows(|number| number.to_string()))
    }

    /// The same and what each fold was, as JSON.
    pub fn to_json(&self) -> String {
        let fold = |fold: &FoldScores| {
            let scores = fold.scores.iter().map(|(metric, value)| (metric.to_string(), json!(value)));
            json!({
                "seed": fold.seed, "train": fold.train, "validation": fold.validation, "test": fold.test,
                "epochs": fold.epochs, "absent": fold.absent, "scores": scores.collect::<serde_json::Map<_, _>>(),
            })
        };
        let metric = |metric: Metric| {
            let (estimate, deviation) = (self.estimate(metric)?, self.deviation(metric)?);
            let Estimate { mean, low, high } = estimate;
            Some((metric.to_string(), json!({ "mean": mean, "sd": deviation, "low": low, "high": high })))
        };
        let metrics: serde_json::Map<_, _> = self.metrics().filter_map(metric).collect();
        let folds = Vec::from_iter(self.folds.iter().map(fold));
        format!("{:#}\n", json!({ "data": self.data, "metrics": metrics, "folds": folds }))
    }
}
