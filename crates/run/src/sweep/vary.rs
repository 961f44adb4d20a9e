//! [`Vary`]: a setting and its values; [`Plan`]: which of them are tried.

use std::str::FromStr;

use rand::RngExt;
use surprisal_layers::rng;
use surprisal_report::statistics::MOST_RUNS;
use surprisal_train::Monitor;

use crate::{RunError, SEED, SettingError, Settings};

/// The maximum number of points of a sweep.
const MOST_POINTS: usize = 10_000;
/// Settings that are drawn on a logarithmic scale.
const BY_FACTORS: [&str; 7] = ["lr", "weight_decay", "l1", "l2", "eps", "clip_norm", "clip_value"];
/// Settings that must be the same in all runs, or that the sweep itself sets.
const FIXED: [&str; 9] =
    ["data", "target", "task", "test", "test_data", "validation", "monitor", "seed", "checkpoint_every"];

/// A setting and the values it takes.
///
/// | text | values |
/// |---|---|
/// | `lr=0.01,0.1,1` | these three |
/// | `model=conv(8,3)-relu-10,conv(16,3)-relu-10` | these two: commas in parentheses belong to the value |
/// | `schedule=constant\|step:every=10,factor=0.5` | these two: where there is a bar, it is the delimiter, and commas belong to the values |
/// | `lr=0.001..1` | drawn between the two, both included; only with [`Plan::random`] |
///
/// What is drawn for a setting of whole numbers is whole. It is drawn evenly, or, for `lr`, `weight_decay`,
/// `l1`, `l2`, `eps`, `clip_norm` and `clip_value` where the lower end is above 0, evenly in its logarithm:
/// as often from 0.001 to 0.01 as from 0.1 to 1.
///
/// ```
/// use surprisal_run::Vary;
/// assert!("hidden=8,16-8,none".parse::<Vary>().is_ok());
/// assert!("model=conv(8,3)-10,conv(8,5)-10".parse::<Vary>().is_ok());
/// let error = "lr=0.1,-1".parse::<Vary>().unwrap_err();
/// assert_eq!(error.to_string(), "lr: expected a finite number above 0, found -1.0 | 0.1 is usual for Sgd, 0.001 for Adam");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Vary {
    key: &'static str,
    values: Values,
}

#[derive(Clone, Debug, PartialEq)]
enum Values {
    These(Vec<String>),
    Between { low: f64, high: f64, whole: bool },
}

impl FromStr for Vary {
    type Err = SettingError;
    fn from_str(text: &str) -> Result<Self, SettingError> {
        let Some((key, values)) = text.split_once('=') else {
            return Err(SettingError::NoValues { found: text.into() });
        };
        let plain = key.trim().replace('-', "_");
        let found = Settings::ALL.iter().find(|setting| setting.key == plain);
        let unknown = || SettingError::UnknownKey { key: key.trim().into() };
        let key = found.map(|setting| setting.key).ok_or_else(unknown)?;
        if FIXED.contains(&key) {
            return Err(SettingError::Fixed { key });
        }
        if let Some((low, high)) = values.split_once("..")
            && let (Ok(from), Ok(to)) = (low.trim().parse::<f64>(), high.trim().parse::<f64>())
        {
            read(key, low.trim())?;
            read(key, high.trim())?;
            if !(from < to && (to - from).is_finite()) {
                return Err(SettingError::Range { key, found: values.into() });
            }
            return Ok(Vary {
                key,
                values: Values::Between { low: from, high: to, whole: read(key, "0.5").is_err() },
            });
        }
        let separator = if values.contains('|') { '|' } else { ',' };
        let mut depth = 0; // a comma in parentheses belongs to the value
        let between = |c: char| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            c == separator && depth <= 0
        };
        let texts = values.split(between).map(str::trim).filter(|value| !value.is_empty());
        let mut these: Vec<String> = Vec::new();
        for text in texts {
            let value = read(key, text)?;
            if these.contains(&value) {
                return Err(SettingError::ValueTwice { key, value });
            }
            these.push(value);
        }
        match these.is_empty() {
            true => Err(SettingError::Empty { key }),
            false => Ok(Vary { key, values: Values::These(these) }),
        }
    }
}

/// The text of a value as the setting itself writes it, so that 0.1 and 1e-1 are one.
fn read(key: &str, text: &str) -> Result<String, SettingError> {
    let mut settings = Settings::default();
    settings.set(key, text)?;
    Ok(settings.get(key).unwrap_or_default())
}

/// What a sweep tries.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The settings that vary.
    pub vary: Vec<Vary>,
    /// Number of points to draw at random; `None` tries every combination.
    pub random: Option<usize>,
    /// Runs of each point, from the settings' seed on.
    pub seeds: usize,
    /// The number of folds of a cross-validation that takes the place of the validation set; `None` for one validation set.
    pub folds: Option<usize>,
}

/// The values of the settings that vary, in the order of the plan.
pub(super) type Assignment = Vec<(&'static str, String)>;

impl Plan {
    /// Every point, each once.
    pub(super) fn points(&self, settings: &Settings) -> Result<Vec<Assignment>, RunError> {
        let usage = |message: String| Err(RunError::usage(message));
        if self.vary.is_empty() {
            let none = "no setting varies | give a setting and its values, such as lr=0.01,0.1,1";
            return Err(RunError::usage(none).with(&["vary"]));
        }
        for (i, vary) in self.vary.iter().enumerate() {
            if self.vary[..i].iter().any(|before| before.key == vary.key) {
                return usage(format!("{}: given twice | give all its values at once", vary.key));
            }
        }
        if let Some(folds) = self.folds {
            if !(2..=MOST_RUNS).contains(&folds) {
                return usage(format!("folds: expected 2 to {MOST_RUNS}, found {folds} | 5 or 10 are usual"));
            }
            if settings.validation.is_some() || self.vary.iter().any(|vary| vary.key == "validation") {
                let message = "validation: not used with folds, each of which is the validation set once | leave it out";
                return Err(RunError::usage(message));
            }
        }
        if !(1..=MOST_RUNS).contains(&self.seeds) {
            return usage(format!(
                "seeds: expected 1 to {MOST_RUNS}, found {} | 3 or 5 are usual",
                self.seeds
            ));
        }
        if self.vary.iter().any(|vary| vary.key == "loss")
            && settings.monitor.unwrap_or(Monitor::Loss) == Monitor::Loss
        {
            let compared =
                "loss: varies, so losses cannot be compared | set monitor to a metric, such as accuracy";
            return Err(RunError::usage(compared).with(&["monitor"]));
        }
        match self.random {
            Some(n) => self.drawn(n, settings.seed.unwrap_or(SEED)),
            None => self.grid(),
        }
    }

    /// Number of combinations; `None` if a range has infinitely many.
    fn combinations(&self) -> Option<f64> {
        let counts = self.vary.iter().map(|vary| match &vary.values {
            Values::These(values) => Some(values.len() as f64),
            Values::Between { .. } => None,
        });
        counts.product()
    }

    fn grid(&self) -> Result<Vec<Assignment>, RunError> {
        let combinations = self.combinations();
        if combinations.is_some_and(|n| n > MOST_POINTS as f64) {
            return Err(RunError::usage(format!(
                "more than {MOST_POINTS} combinations | draw some of them: set random to 50"
            ))
            .with(&["random"]));
        }
        let mut points = vec![Vec::new()];
        for Vary { key, values } in &self.vary {
            let Values::These(values) = values else {
                return Err(RunError::usage(format!(
                    "{key}: a range is drawn from, so it needs random | set random to a number of points, or list values, separated by commas"
                ))
                .with(&["random"]));
            };
            let longer = |point: &Assignment| {
                let with = |value: &String| [&point[..], &[(*key, value.clone())]].concat();
                values.iter().map(with).collect::<Vec<_>>()
            };
            points = points.iter().flat_map(longer).collect();
        }
        Ok(points)
    }

    fn drawn(&self, n: usize, seed: u64) -> Result<Vec<Assignment>, RunError> {
        if !(1..=MOST_POINTS).contains(&n) {
            return Err(RunError::usage(format!(
                "random: expected 1 to {MOST_POINTS}, found {n} | 20 are usual"
            )));
        }
        if let Some(all) = self.combinations().filter(|&all| all <= n as f64) {
            return Err(RunError::usage(format!(
                "random {n}: there are only {all} combinations | leave it out to try all"
            )));
        }
        let mut rng = rng(seed);
        rng.set_stream(1); // no draw of a run's own
        let mut points = Vec::new();
        for _ in 0..1000 * n {
            let point = self.vary.iter().map(|vary| (vary.key, vary.draw(|| rng.random()))).collect();
            if !points.contains(&point) {
                points.push(point);
            }
            if points.len() == n {
                return Ok(points);
            }
        }
        Err(RunError::usage(format!(
            "random {n}: only {} different points were found | draw fewer points",
            points.len()
        )))
    }
}

impl Vary {
    /// One of the values; `uniform` draws from 0 to below 1.
    fn draw(&self, mut uniform: impl FnMut() -> f64) -> String {
        let u = uniform();
        match self.values {
            Values::These(ref values) => values[(u * values.len() as f64) as usize].clone(),
            Values::Between { low, high, whole: true } => {
                (low + (u * (high - low + 1.0)).floor()).to_string()
            }
            Values::Between { low, high, whole: false } => {
                let number = match BY_FACTORS.contains(&self.key) && low > 0.0 {
                    true => low * (high / low).powf(u),
                    false => low + u * (high - low),
                };
                // four digits are enough, and readable
                let number = format!("{number:.3e}").parse().unwrap_or(number).clamp(low, high);
                read(self.key, &number.to_string()).unwrap_or_default()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(vary: &[&str], random: Option<usize>) -> Plan {
        Plan { vary: vary.iter().map(|text| text.parse().unwrap()).collect(), random, seeds: 1, folds: None }
    }
    fn points(vary: &[&str], random: Option<usize>) -> Vec<Assignment> {
        plan(vary, random).points(&Settings::default()).unwrap()
    }
    fn refused((vary, random): (&[&str], Option<usize>)) -> String {
        let parsed: Result<Vec<Vary>, SettingError> = vary.iter().map(|text| text.parse()).collect();
        match parsed {
            Err(error) => error.to_string(),
            Ok(vary) => Plan { vary, random, seeds: 1, folds: None }
                .points(&Settings::default())
                .unwrap_err()
                .to_string(),
        }
    }

    #[test]
    fn a_grid_has_every_combination_once_and_the_last_setting_varies_fastest() {
        let points = points(&["lr=0.1,1e0", "schedule=constant|step:every=10,factor=0.5"], None);
        let texts: Vec<_> =
            points.iter().map(|p| p.iter().map(|(_, value)| &value[..]).collect::<Vec<_>>()).collect();
        let step = "step:every=10,factor=0.5";
        assert_eq!(texts, [["0.1", "constant"], ["0.1", step], ["1.0", "constant"], ["1.0", step]]);
    }

    #[test]
    fn what_is_drawn_is_in_its_range_whole_where_the_setting_is_and_rates_as_often_in_each_decade() {
        let points = points(
            &["lr=0.001..1", "epochs=1..4", "momentum=0..0.9", "hidden=8..16", "opt=sgd,adam"],
            Some(3000),
        );
        let column = |key: &str| {
            points
                .iter()
                .map(move |p| p.iter().find(|(k, _)| *k == key).unwrap().1.clone())
                .collect::<Vec<_>>()
        };
        let numbers =
            |key: &str| column(key).iter().map(|value| value.parse::<f64>().unwrap()).collect::<Vec<_>>();
        assert!(numbers("lr").iter().all(|lr| (0.001..=1.0).contains(lr)));
        let lowest = numbers("lr").iter().filter(|&&lr| lr < 0.01).count(); // 1000 expected, standard deviation 26
        assert!((870..1130).contains(&lowest), "{lowest}");
        for epochs in 1..=4 {
            let count = column("epochs").iter().filter(|value| **value == epochs.to_string()).count(); // 750, 24
            assert!((630..870).contains(&count), "{epochs}: {count}");
        }
        let upper = numbers("momentum").iter().filter(|&&mu| mu > 0.45).count(); // 1500, 27
        assert!((1365..1635).contains(&upper), "{upper}");
        assert!(numbers("hidden").iter().all(|n| (8.0..=16.0).contains(n) && n.fract() == 0.0));
        assert_eq!(
            points,
            super::tests::points(
                &["lr=0.001..1", "epochs=1..4", "momentum=0..0.9", "hidden=8..16", "opt=sgd,adam"],
                Some(3000)
            )
        );
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_to_try() {
        let told = [
            (&["lr"][..], None),
            (&["wieght_decay=0"], None),
            (&["lr=0.1,1e-1"], None),
            (&["lr="], None),
            (&["lr=1..0.1"], Some(2)),
            (&["lr=-1..1"], Some(2)),
            (&["seed=1,2"], None),
            (&["lr=0.001..1"], None),
            (&["lr=1", "lr=2"], None),
            (&["lr=1,2"], Some(2)),
            (&["epochs=1..3"], Some(4)),
            (&["loss=ce,mse"], None),
            (&[], None),
        ];
        expect_test::expect![[r#"
            "lr": expected a setting and its values | for example lr=0.01,0.1,1
            no setting is named "wieght_decay" | did you mean "weight_decay"?
            lr: 0.1 is given twice | leave one out
            lr: expected values, found none | separate them by commas, or by | if they contain commas
            lr: expected an increasing range, found 1..0.1 | for example 0.001..1
            lr: expected a finite number above 0, found -1.0 | 0.1 is usual for Sgd, 0.001 for Adam
            seed: must be the same in all runs of a sweep | vary another setting
            lr: a range is drawn from, so it needs random | set random to a number of points, or list values, separated by commas
            lr: given twice | give all its values at once
            random 2: there are only 2 combinations | leave it out to try all
            random 4: only 3 different points were found | draw fewer points
            loss: varies, so losses cannot be compared | set monitor to a metric, such as accuracy
            no setting varies | give a setting and its values, such as lr=0.01,0.1,1"#]].assert_eq(&told.map(refused).join("\n"));
    }
}
