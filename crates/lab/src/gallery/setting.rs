//! What can be set in an experiment: named numbers with a range, from options or from a file.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

use super::LabError;
use surprisal_suggest::closest;

/// A number, or a list of numbers, that a user may set.
#[derive(Clone, Copy, Debug)]
pub struct Knob {
    /// The name it is set by.
    pub key: &'static str,
    /// What it stands for, with its unit.
    pub meaning: &'static str,
    range: Range,
    list: bool,
    default: &'static str,
    quick: Option<&'static str>,
}

#[derive(Clone, Copy, Debug)]
enum Range {
    Count,
    Positive,
    Any,
    Share,
}

/// The largest count: nobody waits for more epochs than that.
const MOST: f64 = 1e7;
/// The longest list.
const LONGEST: usize = 1000;

impl Knob {
    const fn new(
        key: &'static str,
        range: Range,
        list: bool,
        default: &'static str,
        meaning: &'static str,
    ) -> Knob {
        Knob { key, meaning, range, list, default, quick: None }
    }
    /// An integer from 1 on.
    pub const fn count(key: &'static str, default: &'static str, meaning: &'static str) -> Knob {
        Knob::new(key, Range::Count, false, default, meaning)
    }
    /// Integers from 1 on.
    pub const fn counts(key: &'static str, default: &'static str, meaning: &'static str) -> Knob {
        Knob::new(key, Range::Count, true, default, meaning)
    }
    /// A number above 0.
    pub const fn positive(key: &'static str, default: &'static str, meaning: &'static str) -> Knob {
        Knob::new(key, Range::Positive, false, default, meaning)
    }
    /// Numbers above 0.
    pub const fn positives(key: &'static str, default: &'static str, meaning: &'static str) -> Knob {
        Knob::new(key, Range::Positive, true, default, meaning)
    }
    /// A finite number.
    pub const fn number(key: &'static str, default: &'static str, meaning: &'static str) -> Knob {
        Knob::new(key, Range::Any, false, default, meaning)
    }
    /// Finite numbers.
    pub const fn numbers(key: &'static str, default: &'static str, meaning: &'static str) -> Knob {
        Knob::new(key, Range::Any, true, default, meaning)
    }
    /// A number from 0 to 1.
    pub const fn share(key: &'static str, default: &'static str, meaning: &'static str) -> Knob {
        Knob::new(key, Range::Share, false, default, meaning)
    }
    /// Numbers from 0 to 1.
    pub const fn shares(key: &'static str, default: &'static str, meaning: &'static str) -> Knob {
        Knob::new(key, Range::Share, true, default, meaning)
    }
    /// What it is in the quick version.
    pub const fn quick(self, value: &'static str) -> Knob {
        Knob { quick: Some(value), ..self }
    }

    fn parse(&self, text: &str) -> Result<Vec<f64>, String> {
        let parts: Vec<&str> = if self.list { text.split(',').collect() } else { vec![text] };
        if parts.len() > LONGEST {
            return Err(format!("{} values: at most {LONGEST} are allowed", parts.len()));
        }
        let number = |part: &&str| {
            let number = part.trim().parse().ok().filter(|x: &f64| self.range.holds(*x));
            number.ok_or_else(|| format!("\"{}\" is not {}", part.trim(), self.range))
        };
        parts.iter().map(number).collect()
    }

    /// What may be written, with an example.
    fn expected(&self) -> String {
        let several = if self.list { ", or several with commas between" } else { "" };
        format!(
            "{} is {}: {}{several}, such as {}={}",
            self.key, self.meaning, self.range, self.key, self.default
        )
    }
}

impl Range {
    fn holds(self, x: f64) -> bool {
        match self {
            Range::Count => x.fract() == 0.0 && (1.0..=MOST).contains(&x),
            Range::Positive => x > 0.0 && x.is_finite(),
            Range::Any => x.is_finite(),
            Range::Share => (0.0..=1.0).contains(&x),
        }
    }
}
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Range::Count => write!(f, "an integer from 1 to {MOST}"),
            Range::Positive => f.write_str("a number above 0"),
            Range::Any => f.write_str("a finite number"),
            Range::Share => f.write_str("a number from 0 to 1"),
        }
    }
}

/// The value of every knob of an experiment.
#[derive(Clone, Debug)]
pub struct Setting {
    knobs: &'static [Knob],
    values: BTreeMap<&'static str, Vec<f64>>,
}

impl Setting {
    /// The values that knobs have by themselves, or in the quick version.
    pub fn new(knobs: &'static [Knob], quick: bool) -> Setting {
        let value = |knob: &Knob| {
            let text = knob.quick.filter(|_| quick).unwrap_or(knob.default);
            (
                knob.key,
                knob.parse(text).unwrap_or_else(|error| panic!("the default of {}: {error}", knob.key)),
            )
        };
        Setting { knobs, values: knobs.iter().map(value).collect() }
    }

    /// Sets one.
    ///
    /// # Errors
    /// If there is no such key, or the text is not what it takes.
    ///
    /// ```
    /// use surprisal_lab::experiments::find;
    /// let mut setting = find("saturated-neuron")?.setting(false);
    /// setting.set("eta", "0.3")?;
    /// let error = setting.set("etta", "0.3").unwrap_err().to_string();
    /// assert!(error.starts_with("there is no key \"etta\": did you mean \"eta\"?"), "{error}");
    /// # Ok::<(), surprisal_lab::gallery::LabError>(())
    /// ```
    pub fn set(&mut self, key: &str, text: &str) -> Result<(), LabError> {
        let Some(knob) = self.knobs.iter().find(|knob| knob.key == key) else {
            let keys = || self.knobs.iter().map(|knob| knob.key);
            let meant = closest(key, keys()).map_or(String::new(), |k| format!(": did you mean \"{k}\"?"));
            let known = match keys().collect::<Vec<_>>().join(", ") {
                none if none.is_empty() => "nothing can be set here".into(),
                keys => format!("what can be set is {keys}"),
            };
            return Err(LabError::Usage(format!("there is no key \"{key}\"{meant} ({known})")));
        };
        let values =
            knob.parse(text).map_err(|e| LabError::Usage(format!("{key}: {e} | {}", knob.expected())))?;
        self.values.insert(knob.key, values);
        Ok(())
    }

    /// The value of a knob that is a single number.
    ///
    /// # Panics
    /// If there is no such knob, or it is a list: as of the next three.
    #[track_caller]
    pub fn number(&self, key: &str) -> f64 {
        let [value] = self.numbers(key) else { panic!("{key} is a list") };
        *value
    }
    /// The values of a knob.
    #[track_caller]
    pub fn numbers(&self, key: &str) -> &[f64] {
        self.values.get(key).unwrap_or_else(|| panic!("there is no knob {key}"))
    }
    /// The value of a count.
    #[track_caller]
    pub fn count(&self, key: &str) -> usize {
        self.number(key) as usize // an integer, as its range says
    }
    /// The values of a list of counts.
    #[track_caller]
    pub fn counts(&self, key: &str) -> Vec<usize> {
        self.numbers(key).iter().map(|&x| x as usize).collect()
    }

    /// Every knob with its value as text, as it can be set.
    pub fn entries(&self) -> impl Iterator<Item = (&'static Knob, String)> {
        let text = |values: &[f64]| values.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
        self.knobs.iter().map(move |knob| (knob, text(self.numbers(knob.key))))
    }

    /// What is set otherwise than by default, as options of the command.
    pub fn options(&self, quick: bool) -> String {
        let usual = Setting::new(self.knobs, quick);
        let changed = self.entries().zip(usual.entries()).filter(|((_, now), (_, then))| now != then);
        changed.map(|((knob, now), _)| format!(" --set {}={now}", knob.key)).collect()
    }

    pub(super) fn to_json(&self) -> Value {
        let value = |knob: &Knob| match self.numbers(knob.key) {
            [one] if !knob.list => json!(one),
            several => json!(several),
        };
        self.knobs.iter().map(|knob| (knob.key.to_string(), value(knob))).collect::<Map<_, _>>().into()
    }

    /// Takes what a JSON object says.
    pub(super) fn take(&mut self, values: &Map<String, Value>) -> Result<(), LabError> {
        for (key, value) in values {
            let text = match value {
                Value::Array(values) => values.iter().map(Value::to_string).collect::<Vec<_>>().join(","),
                single => single.to_string(),
            };
            self.set(key, &text)?;
        }
        Ok(())
    }
}
