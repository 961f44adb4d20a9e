//! Errors of the text that names data, and of options: usage errors.

use crate::dataset::Dataset;
use crate::metrics::Metric;
use crate::synthetic::Synthetic;
use crate::words::{did_you_mean, quoted};
use std::fmt::{self, Display, Formatter, Write};
use surprisal_settings::{SettingError, closest};

/// An error in the text that names data or a metric, or in a parameter: a usage error.
///
/// ```
/// use surprisal_data::{DataSource, SpecError};
///
/// let error = "mooons:n=500".parse::<DataSource>().unwrap_err();
/// assert!(matches!(error, SpecError::UnknownSource { .. }));
/// assert!(error.to_string().ends_with("did you mean \"moons\"?"));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum SpecError {
    /// No data set has this name, and it is not the file of a table.
    UnknownSource { text: String },
    /// An embedded set is followed by parameters.
    NoParameters { set: &'static str, found: String },
    /// A parameter is unknown, given twice, or not what it must be.
    Setting(SettingError),
    /// `mnist` or `images` comes without a folder.
    NoFolder { of: &'static str },
    /// A table comes without the name of its label column.
    NoTarget { table: String },
    /// Data other than tables come with the name of a label column.
    NeedlessTarget { origin: String, target: String },
    /// Data other than tables come with options of tables.
    NeedlessOptions { origin: String, options: Vec<&'static str> },
    /// Data without masks are to be used for segmentation.
    NoMasks { origin: String },
    /// An option is none of the words that it can be.
    Word { option: &'static str, found: String, known: &'static [&'static str] },
    /// A delimiter is not one suitable character.
    Delimiter { found: String },
    /// One character is both the decimal sign and the thousands separator.
    DecimalAndThousands { sign: String },
    /// No metric has this name.
    UnknownMetric { name: String },
    /// The divisor of scaling is not a finite number above 0.
    Divisor { found: String },
}

impl SpecError {
    /// The set, the table or the option that the message begins with, if it does.
    pub fn subject(&self) -> Option<String> {
        match self {
            Self::NoParameters { set, .. } => Some((*set).to_owned()),
            Self::Setting(error) => Some(error.of.clone()),
            Self::NoFolder { of } => Some((*of).to_owned()),
            Self::NoTarget { table } => Some(table.clone()),
            Self::NeedlessTarget { origin, .. }
            | Self::NeedlessOptions { origin, .. }
            | Self::NoMasks { origin } => Some(origin.clone()),
            Self::Word { option, .. } => Some((*option).to_owned()),
            Self::Delimiter { .. } => Some("delimiter".to_owned()),
            Self::DecimalAndThousands { .. } => Some("decimal and thousands".to_owned()),
            Self::Divisor { .. } => Some("scaling divide".to_owned()),
            Self::UnknownSource { .. } | Self::UnknownMetric { .. } => None,
        }
    }

    /// The message without its [`subject`](SpecError::subject).
    pub fn problem(&self) -> String {
        let mut problem = String::new();
        self.write_problem(&mut problem).expect("a string takes everything");
        problem
    }

    fn write_problem(&self, f: &mut impl Write) -> fmt::Result {
        match self {
            Self::UnknownSource { text } => {
                let sets = || Dataset::NAMES.into_iter().chain(Synthetic::NAMES);
                let name = text.split(':').next().unwrap_or_default();
                write!(
                    f,
                    "no data set is named {} | known: {}, mnist:DIR, mnist-clutter:DIR, images:DIR, FILE.csv, FILE.npz",
                    quoted(text),
                    Vec::from_iter(sets()).join(", ")
                )?;
                did_you_mean(f, closest(name, sets().chain(["mnist", "mnist-clutter", "images"])))
            }
            Self::NoParameters { found, .. } => {
                write!(f, "expected no parameters, found {} | this data set has none", quoted(found))
            }
            Self::Setting(error) => write!(f, "{}", error.problem),
            Self::NoFolder { of } => write!(
                f,
                "expected the folder with the {}, found none | write {of}:DIR",
                if of.starts_with("mnist") { "four MNIST files" } else { "images" }
            ),
            Self::NoTarget { .. } => {
                write!(f, "expected the name of the label column, found none | a table needs one")
            }
            Self::NeedlessTarget { target, .. } => write!(
                f,
                "expected no label column, found {} | only a table (FILE.csv) needs one",
                quoted(target)
            ),
            Self::NeedlessOptions { options, .. } => write!(
                f,
                "expected no options of tables, found {} | only a table (FILE.csv) takes them",
                options.join(", ")
            ),
            Self::NoMasks { .. } => write!(
                f,
                "segmentation needs images with masks, found none | use images:DIR with the folders images and masks, nuclei, cells or clutter"
            ),
            Self::Word { found, known, .. } => {
                write!(f, "expected one of {}, found {}", known.join(", "), quoted(found))?;
                did_you_mean(f, closest(found, known.iter().copied()))
            }
            Self::Delimiter { found } => write!(
                f,
                "expected comma, semicolon, tab, or one such character, found {} | \
                 in a shell, quote the character: ';'",
                quoted(found)
            ),
            Self::DecimalAndThousands { sign } => {
                write!(
                    f,
                    "expected two different characters, found {sign} for both | set thousands to another character"
                )
            }
            Self::UnknownMetric { name } => {
                let known = Metric::names(|_| true);
                write!(f, "no metric is named {} | known: {}", quoted(name), known.join(", "))?;
                did_you_mean(f, closest(name, known))
            }
            Self::Divisor { found } => write!(
                f,
                "expected a finite number above 0, found {} | divide:255 is for pixels of one byte",
                quoted(found)
            ),
        }
    }
}

impl Display for SpecError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(subject) = self.subject() {
            write!(f, "{subject}: ")?;
        }
        self.write_problem(f)
    }
}

impl std::error::Error for SpecError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Setting(error) => Some(error),
            _ => None,
        }
    }
}

impl From<SettingError> for SpecError {
    fn from(error: SettingError) -> Self {
        Self::Setting(error)
    }
}
