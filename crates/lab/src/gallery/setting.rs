//! [`Knob`], [`Values`]: what can be set in an experiment, from options or from a file.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use surprisal_settings::{Kind, Problem, Range, Setting, Value, find};

use super::LabError;

/// A number, a list of numbers, or a word, that a user may set; the quick version of an experiment may have another default.
#[derive(Clone, Copy, Debug)]
pub struct Knob {
    /// Name, range, default and meaning.
    pub setting: Setting,
    quick: Option<&'static str>,
}

/// The largest count: nobody waits for more epochs than that.
const COUNT: Range = Range::at_least(1.0).at_most(1e7);
/// The longest list.
const LONGEST: usize = 1000;

macro_rules! knobs {
    ($($(#[$doc:meta])* $name:ident: $kind:expr;)+) => {
        impl Knob {
            $(
                $(#[$doc])*
                pub const fn $name(name: &'static str, default: &'static str, help: &'static str) -> Knob {
                    Knob { setting: Setting { name, kind: $kind, default, help }, quick: None }
                }
            )+
        }
    };
}
knobs! {
    /// A whole number, 1 or above.
    count: Kind::Whole(COUNT);
    /// Whole numbers, 1 or above.
    counts: Kind::Wholes(COUNT);
    /// A number above 0.
    positive: Kind::Number(Range::POSITIVE);
    /// Numbers above 0.
    positives: Kind::Numbers(Range::POSITIVE);
    /// A finite number.
    number: Kind::Number(Range::ANY);
    /// Finite numbers.
    numbers: Kind::Numbers(Range::ANY);
    /// A number from 0 to 1.
    share: Kind::Number(Range::FRACTION);
    /// Numbers from 0 to 1.
    shares: Kind::Numbers(Range::FRACTION);
}

impl Knob {
    /// One of these words.
    pub const fn word(
        name: &'static str,
        words: &'static [&'static str],
        default: &'static str,
        help: &'static str,
    ) -> Knob {
        Knob { setting: Setting { name, kind: Kind::Word(words), default, help }, quick: None }
    }

    /// With another default in the quick version.
    pub const fn quick(self, value: &'static str) -> Knob {
        Knob { quick: Some(value), ..self }
    }

    fn is_list(&self) -> bool {
        matches!(self.setting.kind, Kind::Numbers(_) | Kind::Wholes(_))
    }
}

/// The values of all knobs of an experiment.
#[derive(Clone, Debug)]
pub struct Values {
    knobs: &'static [Knob],
    values: BTreeMap<&'static str, Value>,
}

impl Values {
    /// The defaults, or those of the quick version.
    pub fn new(knobs: &'static [Knob], quick: bool) -> Values {
        let mut values = Values { knobs, values: BTreeMap::new() };
        for knob in knobs {
            let text = knob.quick.filter(|_| quick).unwrap_or(knob.setting.default);
            values.set(knob.setting.name, text).unwrap_or_else(|error| panic!("the default: {error}"));
        }
        values
    }

    /// Sets one.
    ///
    /// # Errors
    /// If there is no setting of this name, or the text is not a value of it.
    ///
    /// ```
    /// use surprisal_lab::experiments::find;
    /// let mut setting = find("saturated-neuron")?.setting(false);
    /// setting.set("eta", "0.3")?;
    /// let error = setting.set("etta", "0.3").unwrap_err().to_string();
    /// assert!(error.starts_with("no setting is named \"etta\" | known: "), "{error}");
    /// assert!(error.ends_with(" | did you mean \"eta\"?"), "{error}");
    /// # Ok::<(), surprisal_lab::gallery::LabError>(())
    /// ```
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), LabError> {
        let settings = Vec::from_iter(self.knobs.iter().map(|knob| knob.setting));
        let usage = |problem: Problem| LabError::Usage(problem.to_string());
        let setting = find("setting", &settings, name).map_err(usage)?;
        let value = setting.parse(text).map_err(|problem| {
            LabError::Usage(format!("{problem} | {}, such as {name}={}", setting.help, setting.default))
        })?;
        let numbers = value.numbers();
        if numbers.len() > LONGEST {
            let found = numbers.len();
            return Err(LabError::Usage(format!("{name}: expected at most {LONGEST} values, found {found}")));
        }
        self.values.insert(setting.name, value);
        Ok(())
    }

    /// The value of a setting that is a single number.
    ///
    /// # Panics
    /// If there is no such setting, or it is a list; the next three likewise.
    #[track_caller]
    pub fn number(&self, key: &str) -> f64 {
        let [value] = self.numbers(key) else { panic!("{key} is a list") };
        *value
    }
    /// The values of a setting.
    #[track_caller]
    pub fn numbers(&self, key: &str) -> &[f64] {
        self.value(key).numbers()
    }
    /// The value of a word.
    ///
    /// # Panics
    /// If there is no such setting, or it is not a word.
    #[track_caller]
    pub fn word(&self, key: &str) -> &str {
        let Value::Text(word) = self.value(key) else { panic!("{key} is not a word") };
        word
    }
    #[track_caller]
    fn value(&self, key: &str) -> &Value {
        self.values.get(key).unwrap_or_else(|| panic!("no setting is named {key}"))
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

    /// Every setting with its value as text, as it can be set.
    pub fn entries(&self) -> impl Iterator<Item = (&'static Knob, String)> {
        let text = |value: &Value| match value {
            Value::Text(word) => word.clone(),
            value => value.numbers().iter().map(f64::to_string).collect::<Vec<_>>().join(","),
        };
        self.knobs.iter().map(move |knob| (knob, text(self.value(knob.setting.name))))
    }

    /// The names and values of the settings that differ from their defaults.
    pub fn changed(&self, quick: bool) -> Vec<(&'static str, String)> {
        let usual = Values::new(self.knobs, quick);
        let changed = self.entries().zip(usual.entries()).filter(|((_, now), (_, then))| now != then);
        changed.map(|((knob, now), _)| (knob.setting.name, now)).collect()
    }

    pub(super) fn to_json(&self) -> Json {
        let value = |knob: &Knob| match self.value(knob.setting.name) {
            Value::Text(word) => json!(word),
            value => match value.numbers() {
                [one] if !knob.is_list() => json!(one),
                several => json!(several),
            },
        };
        self.knobs
            .iter()
            .map(|knob| (knob.setting.name.to_string(), value(knob)))
            .collect::<Map<_, _>>()
            .into()
    }

    /// Sets those of a JSON object.
    pub(super) fn take(&mut self, values: &Map<String, Json>) -> Result<(), LabError> {
        for (key, value) in values {
            let is_word = |k: &Knob| k.setting.name == key && matches!(k.setting.kind, Kind::Word(_));
            let text = match value {
                Json::String(word) if self.knobs.iter().any(is_word) => word.clone(),
                Json::Array(values) => values.iter().map(Json::to_string).collect::<Vec<_>>().join(","),
                single => single.to_string(),
            };
            self.set(key, &text)?;
        }
        Ok(())
    }
}
