//! [`Setting`]: a row of a table, and how values are read against it.

use std::fmt;

use crate::{Problem, Range, SettingError, quoted};

/// A setting: its name, the values that it takes, its default, its help.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// "label_smoothing"
    pub name: &'static str,
    /// The values that it takes.
    pub kind: Kind,
    /// Its value where none is given, as text.
    pub default: &'static str,
    /// What it does, with its unit.
    pub help: &'static str,
}

/// The values that a setting takes. Its text follows "expected": "a finite number, 0 or above".
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A number.
    Number(Range),
    /// A whole number, at most 2^53 in size.
    Whole(Range),
    /// One or more numbers, separated by commas or blanks.
    Numbers(Range),
    /// One or more whole numbers, separated by commas or blanks.
    Wholes(Range),
    /// Height and width, whole numbers: 5 for both, or 3x5.
    Pair(Range),
    /// True or false.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// 1.5
    Number(f64),
    /// "sum"
    Text(String),
    /// true
    Flag(bool),
    /// 0.1, 0.5, 0.9
    Numbers(Vec<f64>),
}

impl Value {
    /// The number that it is; 1 and 0 of a flag.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Flag(flag) => Some(f64::from(*flag)),
            _ => None,
        }
    }
    /// The numbers that it holds, also if it is a single one.
    pub fn numbers(&self) -> &[f64] {
        match self {
            Value::Number(number) => std::slice::from_ref(number),
            Value::Numbers(numbers) => numbers,
            _ => &[],
        }
    }
}

/// As JSON has it; long lists are cut.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Value::Number(x) => write!(f, "{x}"),
            Value::Text(text) => f.write_str(&quoted(text)),
            Value::Flag(flag) => write!(f, "{flag}"),
            Value::Numbers(x) if x.len() > 8 => write!(f, "a list of {} numbers", x.len()),
            Value::Numbers(x) => write!(f, "{x:?}"),
        }
    }
}

fn is_whole(x: f64) -> bool {
    x.fract() == 0.0 && x.abs() <= 2f64.powi(53)
}

impl Kind {
    /// The value of a text, if it is one of this kind and within its range.
    ///
    /// ```
    /// use surprisal_settings::{Kind, Range, Value};
    /// assert_eq!(Kind::Numbers(Range::ANY).parse("1, 2"), Some(Value::Numbers(vec![1.0, 2.0])));
    /// assert_eq!(Kind::Whole(Range::ANY).parse("1.5"), None);
    /// assert_eq!(Kind::Word(&["mean", "sum"]).parse("sum"), Some(Value::Text("sum".into())));
    /// assert_eq!(Kind::Pair(Range::ANY).parse("3x5"), Some(Value::Numbers(vec![3.0, 5.0])));
    /// ```
    pub fn parse(self, text: &str) -> Option<Value> {
        let text = text.trim();
        let value = match self {
            Kind::Number(_) | Kind::Whole(_) => Value::Number(text.parse().ok()?),
            Kind::Numbers(_) | Kind::Wholes(_) => {
                let number = |part: &str| part.trim().parse().ok();
                let numbers: Option<_> = match text.contains(',') {
                    true => text.split(',').map(number).collect(),
                    false => text.split_whitespace().map(number).collect(),
                };
                Value::Numbers(numbers?)
            }
            Kind::Pair(_) => {
                let (high, wide) = text.split_once('x').unwrap_or((text, text));
                Value::Numbers(vec![high.trim().parse().ok()?, wide.trim().parse().ok()?])
            }
            Kind::Flag => Value::Flag(text.parse().ok()?),
            Kind::Word(_) => Value::Text(text.into()),
        };
        self.holds(&value).then_some(value)
    }

    /// "expected a whole number, 1 or above, found 0": of a text that is not a value of this kind.
    ///
    /// ```
    /// use surprisal_settings::{Kind, Range};
    /// let count = Kind::Whole(Range::AT_LEAST_ONE);
    /// assert_eq!(count.refusal("many"), "expected a whole number, 1 or above, found \"many\"");
    /// assert_eq!(count.refusal("1e99"), "expected a whole number, 1 or above, found 1e99, which is above 2^53");
    /// ```
    pub fn refusal(self, found: &str) -> String {
        let number = found.parse::<f64>().ok().filter(|_| found.len() < 30);
        let text = if number.is_some() { found.into() } else { quoted(found) };
        let whole = matches!(self, Kind::Whole(_) | Kind::Wholes(_));
        let large =
            if whole && number.is_some_and(|x| x > 2f64.powi(53)) { ", which is above 2^53" } else { "" };
        format!("expected {self}, found {text}{large}")
    }

    /// Whether a value is of this kind and within its range.
    pub fn holds(self, value: &Value) -> bool {
        match (self, value) {
            (Kind::Number(range) | Kind::Numbers(range), Value::Number(x)) => range.holds(*x),
            (Kind::Whole(range) | Kind::Wholes(range), Value::Number(x)) => range.holds(*x) && is_whole(*x),
            (Kind::Numbers(range), Value::Numbers(x)) => !x.is_empty() && x.iter().all(|&x| range.holds(x)),
            (Kind::Wholes(range), Value::Numbers(x)) => {
                !x.is_empty() && x.iter().all(|&x| range.holds(x) && is_whole(x))
            }
            (Kind::Pair(range), Value::Numbers(x)) => {
                x.len() == 2 && x.iter().all(|&x| range.holds(x) && is_whole(x))
            }
            (Kind::Flag, Value::Flag(_)) => true,
            (Kind::Word(words), Value::Text(text)) => words.contains(&text.as_str()),
            (Kind::Word(words), Value::Number(x)) => words.contains(&x.to_string().as_str()), // base = 2
            _ => false,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Kind::Number(range) => write!(f, "{}{range}", range.noun()),
            Kind::Whole(range) => write!(f, "a whole number{range}"),
            Kind::Numbers(range) => write!(f, "{}{range}, or several, separated by commas", range.noun()),
            Kind::Wholes(range) => write!(f, "a whole number{range}, or several, separated by commas"),
            Kind::Pair(range) => write!(f, "a whole number{range}, or two, such as 3x5"),
            Kind::Flag => f.write_str("true or false"),
            Kind::Word([one]) => f.write_str(one),
            Kind::Word([first @ .., last]) => write!(f, "{} or {last}", first.join(", ")),
            Kind::Word([]) => f.write_str("nothing"),
        }
    }
}

impl Setting {
    /// The value of a text.
    ///
    /// # Errors
    /// [`Problem::Value`].
    pub fn parse(&self, text: &str) -> Result<Value, Problem> {
        self.kind.parse(text).ok_or_else(|| Problem::Value {
            name: self.name.into(),
            expected: self.kind.into(),
            found: text.trim().into(),
        })
    }
}

/// The setting of that name.
///
/// # Errors
/// [`Problem::Unknown`], with the noun `what`.
pub fn find<'a>(what: &'static str, table: &'a [Setting], name: &str) -> Result<&'a Setting, Problem> {
    table.iter().find(|setting| setting.name == name).ok_or_else(|| Problem::Unknown {
        what,
        found: name.into(),
        known: names(table),
    })
}

fn names(table: &[Setting]) -> Vec<&'static str> {
    table.iter().map(|setting| setting.name).collect()
}

/// The name and the list of `name:list`.
pub fn named(text: &str) -> (&str, Option<&str>) {
    match text.split_once(':') {
        Some((name, list)) => (name.trim(), Some(list)),
        None => (text.trim(), None),
    }
}

/// The values of all settings of a table, in its order, from a list `name=value,name=value`; those that are not in the list have their
/// defaults.
///
/// # Errors
/// A [`SettingError`] of `owner`, in which the settings are called `what`: if a name is unknown or given twice, or a value wrong.
///
/// # Panics
/// If a default of the table is not of its kind.
pub fn read(
    owner: &str,
    what: &'static str,
    table: &[Setting],
    list: Option<&str>,
) -> Result<Vec<Value>, SettingError> {
    let mut given: Vec<Option<Value>> = vec![None; table.len()];
    for part in list.into_iter().flat_map(|list| list.split(',')) {
        let Some((name, text)) = part.split_once('=') else {
            return Err(Problem::NoAssignment { found: part.into(), known: names(table) }.of(owner));
        };
        let setting = find(what, table, name.trim()).map_err(|problem| problem.of(owner))?;
        let at = table.iter().position(|other| other.name == setting.name).unwrap_or_default();
        if given[at].is_some() {
            return Err(Problem::Twice { name: setting.name.into() }.of(owner));
        }
        given[at] = Some(setting.parse(text).map_err(|problem| problem.of(owner))?);
    }
    let default = |setting: &Setting| match setting.parse(setting.default) {
        Ok(value) => value,
        Err(problem) => panic!("the default: {problem}"),
    };
    Ok(given
        .into_iter()
        .zip(table)
        .map(|(value, setting)| value.unwrap_or_else(|| default(setting)))
        .collect())
}
