//! How the values of settings are read and written.

use crate::ValueError;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use surprisal_data::{DataSource, Decimal, Missing, Scaling, Task, Thousands, join_list, split_list};
use surprisal_layers::{Activation, Architecture, Init};
use surprisal_optim::{Hyperparameter, OptimizerKind, Schedule};
use surprisal_settings::{Kind, Range};
use surprisal_train::{Augment, Monitor, Objective};

/// How the text of a setting is read and written.
pub(super) trait Value: Sized {
    const TEXT: bool = true;
    fn read(text: &str) -> Result<Self, ValueError>;
    fn written(&self) -> String;
}

pub(super) fn parsed<T: FromStr<Err: Into<ValueError>>>(text: &str) -> Result<T, ValueError> {
    text.parse().map_err(Into::into)
}

macro_rules! values {
    ($($type:ty),+) => { $(
        impl Value for $type {
            fn read(text: &str) -> Result<Self, ValueError> { parsed(text) }
            fn written(&self) -> String { self.to_string() }
        }
    )+ };
}
values! { DataSource, Task, Missing, Decimal, Thousands, Scaling, Balance, ClassWeight, Architecture, Hidden, Activation, Init, OptimizerKind, Schedule, Groups, Monitor, Memory }

macro_rules! plain {
    ($($type:ty: $what:literal),+) => { $(
        impl Value for $type {
            const TEXT: bool = false;
            fn read(text: &str) -> Result<Self, ValueError> {
                text.parse().map_err(|_| ValueError::Expected { what: $what, found: text.into() })
            }
            fn written(&self) -> String { format!("{self:?}") }
        }
    )+ };
}
plain! { bool: "true or false", usize: "a whole number, 0 or above", u64: "a whole number, 0 or above", f64: "a number" }

impl Value for String {
    fn read(text: &str) -> Result<Self, ValueError> {
        Ok(text.to_string())
    }
    fn written(&self) -> String {
        self.clone()
    }
}
impl Value for PathBuf {
    fn read(text: &str) -> Result<Self, ValueError> {
        Ok(text.into())
    }
    fn written(&self) -> String {
        self.display().to_string()
    }
}
impl Value for Augment {
    fn read(text: &str) -> Result<Self, ValueError> {
        text.parse().map_err(ValueError::Augment)
    }
    fn written(&self) -> String {
        self.to_string()
    }
}
impl Value for Objective {
    fn read(text: &str) -> Result<Self, ValueError> {
        parsed(text)
    }
    fn written(&self) -> String {
        self.spec()
    }
}

/// A size of memory in bytes; as text `1GiB`, `512MiB`, `2GB`, or a number of bytes.
///
/// ```
/// use surprisal_run::Memory;
/// assert_eq!("1.5GiB".parse::<Memory>().unwrap(), Memory(3 << 29));
/// assert_eq!(Memory(3 << 29).to_string(), "1536MiB");
/// assert!("much".parse::<Memory>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory(pub u64);

/// The units, from the largest.
const UNITS: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1000),
    ("B", 1),
];

impl FromStr for Memory {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let wrong = || ValueError::Expected { what: "a size such as 512MiB or 4GiB", found: text.into() };
        let unit = |&(unit, bytes): &(&str, u64)| {
            let end = text.len().checked_sub(unit.len())?;
            let (number, found) = (text.get(..end)?, text.get(end..)?);
            found.eq_ignore_ascii_case(unit).then_some((number.trim_end(), bytes))
        };
        let (number, bytes) = UNITS.iter().find_map(unit).unwrap_or((text, 1));
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let size = number * bytes as f64;
        if (1.0..1e18).contains(&size) { Ok(Memory(size as u64)) } else { Err(wrong()) }
    }
}

impl Display for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let whole = |(_, bytes): &&(&str, u64)| self.0.is_multiple_of(*bytes);
        let (unit, bytes) = UNITS.iter().find(whole).copied().unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / bytes)
    }
}

/// Names, separated by commas; a name with a comma is in double quotes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct List(pub Vec<String>);

impl Value for List {
    fn read(text: &str) -> Result<Self, ValueError> {
        Ok(List(split_list(text)?))
    }
    fn written(&self) -> String {
        join_list(&self.0)
    }
}

/// The sizes of hidden layers; none for a net without.
#[derive(Clone, Debug, PartialEq)]
pub struct Hidden(pub Vec<usize>);

impl FromStr for Hidden {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text == "none" {
            return Ok(Hidden(Vec::new()));
        }
        let size = |part: &str| part.trim().parse().ok().filter(|&size| size > 0);
        let sizes: Option<Vec<usize>> = text.split('-').map(size).collect();
        sizes.map(Hidden).ok_or_else(|| ValueError::Hidden { found: text.into() })
    }
}
impl Display for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self.0.is_empty() {
            true => f.write_str("none"),
            false => f.write_str(&Vec::from_iter(self.0.iter().map(usize::to_string)).join("-")),
        }
    }
}

/// Resampling of training rows, for imbalanced classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Balance {
    /// Nothing.
    None,
    /// Rows of rare classes are repeated.
    Oversample,
    /// Rows of common classes are left out.
    Undersample,
}

impl FromStr for Balance {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "none" => Ok(Balance::None),
            "oversample" => Ok(Balance::Oversample),
            "undersample" => Ok(Balance::Undersample),
            _ => Err(ValueError::Balance { found: text.into() }),
        }
    }
}
impl Display for Balance {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            Balance::None => "none",
            Balance::Oversample => "oversample",
            Balance::Undersample => "undersample",
        })
    }
}

/// The weight of each class in the loss.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassWeight {
    /// Weight 1 for all.
    None,
    /// Rows / (classes · rows of the class), over the training rows: every class has the same total weight.
    Balanced,
    /// A weight for each of these classes, 1 for the others.
    Of(Vec<(String, f64)>),
}

impl FromStr for ClassWeight {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "none" => return Ok(ClassWeight::None),
            "balanced" => return Ok(ClassWeight::Balanced),
            _ => {}
        }
        let mut weights: Vec<(String, f64)> = Vec::new();
        for part in text.split(',') {
            let what = "balanced, none, or weights such as cat=1,dog=2";
            let (class, weight) =
                part.rsplit_once('=').ok_or_else(|| ValueError::Expected { what, found: text.into() })?;
            let (class, number) = (class.trim().to_string(), f64::read(weight.trim())?);
            in_range(Kind::Number(Range::NOT_NEGATIVE), weight, "1 is usual")?;
            if weights.iter().any(|(other, _)| *other == class) {
                return Err(ValueError::ClassTwice { class });
            }
            weights.push((class, number));
        }
        Ok(ClassWeight::Of(weights))
    }
}
impl Display for ClassWeight {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            ClassWeight::None => f.write_str("none"),
            ClassWeight::Balanced => f.write_str("balanced"),
            ClassWeight::Of(weights) => {
                let weights = weights.iter().map(|(class, weight)| format!("{class}={weight:?}"));
                f.write_str(&Vec::from_iter(weights).join(","))
            }
        }
    }
}

/// Parameter groups: learning rates and weight decays by parameter name.
#[derive(Clone, Debug, PartialEq)]
pub struct Groups(pub Vec<Group>);

/// One of [`Groups`].
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Pattern of parameter names: "layer1", "*.bias".
    pub pattern: String,
    /// Their learning rate, if it differs.
    pub lr: Option<f64>,
    /// Their weight decay, if it differs.
    pub weight_decay: Option<f64>,
}

impl FromStr for Groups {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        text.split(';')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(group)
            .collect::<Result<_, _>>()
            .map(Groups)
    }
}
pub(super) fn group(text: &str) -> Result<Group, ValueError> {
    let wrong = || ValueError::Group { found: text.into() };
    let (pattern, rest) = text.split_once(':').ok_or_else(wrong)?;
    let mut group = Group { pattern: pattern.trim().to_string(), lr: None, weight_decay: None };
    for part in rest.split(',') {
        let (key, number) = part.split_once('=').ok_or_else(wrong)?;
        let number = f64::read(number.trim())?;
        let (place, range) = match key.trim() {
            "lr" => (&mut group.lr, Hyperparameter::LearningRate),
            "weight_decay" => (&mut group.weight_decay, Hyperparameter::WeightDecay),
            other => return Err(ValueError::GroupKey { found: other.into(), group: text.into() }),
        };
        ranged(range, number)?;
        *place = Some(number);
    }
    Ok(group)
}
impl Display for Groups {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let group = |group: &Group| {
            let parts = [("lr", group.lr), ("weight_decay", group.weight_decay)];
            let parts =
                parts.iter().filter_map(|(key, number)| number.map(|number| format!("{key}={number:?}")));
            format!("{}:{}", group.pattern, Vec::from_iter(parts).join(","))
        };
        f.write_str(&Vec::from_iter(self.0.iter().map(group)).join(";"))
    }
}

pub(super) fn ranged(of: Hyperparameter, number: impl Into<f64>) -> Result<(), ValueError> {
    let number = number.into();
    let checked = match of {
        Hyperparameter::Eps => of.check_in::<f32>(number), // in which nets are trained
        _ => of.check(number),
    };
    checked.map(drop).map_err(ValueError::Optimizer)
}

pub(super) fn in_range(expected: Kind, text: &str, hint: &'static str) -> Result<(), ValueError> {
    match expected.parse(text) {
        Some(_) => Ok(()),
        None => Err(ValueError::OutOfRange { expected, found: text.trim().into(), hint }),
    }
}
