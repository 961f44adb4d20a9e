//! Errors of settings.

use std::fmt;

use surprisal_data::{DataError, ErrorKind, SpecError};
use surprisal_layers::ArchitectureError;
use surprisal_optim::OptimError;
use surprisal_settings::{Kind, closest};
use surprisal_train as train;

use crate::Settings;

/// Why a setting cannot be set, or varied by a sweep.
///
/// ```
/// use surprisal_run::{SettingError, Settings, ValueError};
/// let error = Settings::default().set("epochs", "0").unwrap_err();
/// assert!(matches!(error, SettingError::Value { ref key, error: ValueError::OutOfRange { .. } } if key == "epochs"));
/// assert_eq!(error.to_string(), "epochs: expected a whole number, 1 or above, found 0 | 50 is usual");
/// ```
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum SettingError {
    /// There is no setting of this name.
    UnknownKey { key: String },
    /// The text is not a value of the setting.
    Value { key: String, error: ValueError },
    /// What a sweep is to vary is not `SETTING=VALUES`.
    NoValues { found: String },
    /// A sweep cannot vary the setting.
    Fixed { key: &'static str },
    /// A range does not rise, or is not finite.
    Range { key: &'static str, found: String },
    /// A sweep has a value twice.
    ValueTwice { key: &'static str, value: String },
    /// A sweep has no value for a setting.
    Empty { key: &'static str },
}

/// Why a text is not a value of a setting. The message does not name the setting.
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum ValueError {
    /// The value is not one of the known words, or not a number in the range.
    Expected { what: &'static str, found: String },
    /// A number is out of its range.
    OutOfRange { expected: Kind, found: String, hint: &'static str },
    /// Not a list of sizes of hidden layers.
    Hidden { found: String },
    /// Not a way to balance classes.
    Balance { found: String },
    /// A class has two weights.
    ClassTwice { class: String },
    /// Not a group of parameters.
    Group { found: String },
    /// A group has no such setting.
    GroupKey { found: String, group: String },
    /// Data, or an option of a table.
    Data(SpecError),
    /// A list of names.
    Names(DataError),
    /// A net.
    Net(Box<ArchitectureError>),
    /// An activation or an initializer.
    Layers(surprisal_settings::SettingError),
    /// Random changes of images.
    Augment(surprisal_settings::SettingError),
    /// An optimizer, its hyperparameters, or a schedule.
    Optimizer(OptimError),
    /// A loss, or a monitored metric.
    Train(train::NameError),
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::UnknownKey { key } => {
                write!(f, "no setting is named \"{key}\" | ")?;
                let keys = Settings::ALL.iter().map(|setting| setting.key);
                match closest(key, keys.clone()) {
                    Some(key) => write!(f, "did you mean \"{key}\"?"),
                    None => write!(f, "known: {}", Vec::from_iter(keys).join(", ")),
                }
            }
            Self::Value { key, error } => write!(f, "{key}: {error}"),
            Self::NoValues { found } => {
                write!(f, "\"{found}\": expected a setting and its values | for example lr=0.01,0.1,1")
            }
            Self::Fixed { key } => {
                write!(f, "{key}: must be the same in all runs of a sweep | vary another setting")
            }
            Self::Range { key, found } => {
                write!(f, "{key}: expected an increasing range, found {found} | for example 0.001..1")
            }
            Self::ValueTwice { key, value } => write!(f, "{key}: {value} is given twice | leave one out"),
            Self::Empty { key } => write!(
                f,
                "{key}: expected values, found none | separate them by commas, or by | if they contain commas"
            ),
        }
    }
}

impl std::error::Error for SettingError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Value { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Expected { what, found } => write!(f, "expected {what}, found \"{found}\""),
            Self::OutOfRange { expected, found, hint } => write!(f, "{} | {hint}", expected.refusal(found)),
            Self::Hidden { found } => {
                write!(f, "expected sizes of hidden layers such as 64-32, or none, found \"{found}\"")
            }
            Self::Balance { found } => {
                write!(f, "expected one of none, oversample, undersample, found \"{found}\"")
            }
            Self::ClassTwice { class } => write!(f, "the class \"{class}\" is given twice"),
            Self::Group { found } => {
                write!(f, "expected a group such as layer1:lr=0.01,weight_decay=0, found \"{found}\"")
            }
            Self::GroupKey { found, group } => {
                let group = Self::Group { found: group.clone() };
                write!(f, "\"{found}\": a group can set lr and weight_decay | {group}")
            }
            Self::Data(error) => f.write_str(&error.problem()),
            Self::Names(error) => match error.kind() {
                ErrorKind::Csv(error) => error.problem.fmt(f),
                _ => error.fmt(f),
            },
            Self::Net(error) => error.fmt(f),
            Self::Layers(error) => error.fmt(f),
            Self::Augment(error) => error.problem.fmt(f),
            Self::Optimizer(error) => f.write_str(&error.problem()),
            Self::Train(error) => f.write_str(&error.problem()),
        }
    }
}

impl std::error::Error for ValueError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Data(error) => Some(error),
            Self::Names(error) => Some(error),
            Self::Net(error) => Some(&**error),
            Self::Layers(error) | Self::Augment(error) => Some(error),
            Self::Optimizer(error) => Some(error),
            Self::Train(error) => Some(error),
            _ => None,
        }
    }
}

macro_rules! from {
    ($($error:ty => $variant:ident),+) => { $(
        impl From<$error> for ValueError {
            fn from(error: $error) -> Self {
                ValueError::$variant(error.into())
            }
        }
    )+ };
}
from! {
    SpecError => Data, DataError => Names, ArchitectureError => Net, surprisal_settings::SettingError => Layers, OptimError => Optimizer,
    train::NameError => Train
}
