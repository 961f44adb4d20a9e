//! What can go wrong between files and parameters.

use std::fmt;
use std::io;
use std::path::PathBuf;

use surprisal_data::DataError;
use surprisal_tensor::NoSuchParameter;

use super::Layout;
use surprisal_report::files::cannot_write;

/// Why parameters could not be written to a file, or read from one.
///
/// ```
/// use surprisal_tensor::{Params, ndarray::array};
/// use surprisal_train::{Layout, load_safetensors_bytes};
///
/// let mut params = Params::new();
/// params.add("w", &array![[0.0, 0.0]]);
/// let header = br#"{"v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
/// let file = [&(header.len() as u64).to_le_bytes(), &header[..], &[0; 4]].concat();
/// let error = load_safetensors_bytes(&file, "v.safetensors", &mut params, Layout::Surprisal).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "v.safetensors: 2 parameters do not fit\n  \"w\": expected [1, 2], found none\n  \"v\": expected none, found [1]\n  \
///      hint: is this a file of the same model?"
/// );
/// ```
pub enum InterchangeError {
    /// The file cannot be opened or read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The file cannot be written.
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The file is no safetensors file, or a damaged one.
    Damaged {
        /// The file.
        path: PathBuf,
        /// The byte at which something is wrong.
        at: usize,
        /// What is wrong.
        message: String,
    },
    /// The pattern matches no parameter of the model.
    NoSuchParameter(NoSuchParameter),
    /// The NPZ file cannot be read.
    Data(DataError),
    /// The file says that it has the other layout.
    OtherLayout {
        /// The file.
        path: PathBuf,
        /// Its layout.
        stated: Layout,
    },
    /// The file does not hold the parameters of this model.
    Misfit {
        /// The file.
        path: PathBuf,
        /// What does not fit: the model's parameters in order, then what else is in the file.
        misfits: Vec<Misfit>,
        /// The layout in which all of them would fit.
        fits_other: Option<Layout>,
    },
}

/// A parameter that is missing in a file, unexpected in it, or another there: of another shape or type.
///
/// See the example of [`InterchangeError`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// What it is called.
    pub name: String,
    /// The shape that it should have in the file, or the type; `None` if it should not be there.
    pub expected: Option<String>,
    /// What the file has.
    pub found: Option<String>,
}

impl fmt::Display for InterchangeError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        use InterchangeError::*;
        match self {
            Unreadable { path, error } => write!(f, "{}: cannot read: {error}", path.display()),
            Unwritable { path, error } => f.write_str(&cannot_write(path, error)),
            Damaged { path, at, message } => write!(f, "{}, byte {at}: {message}", path.display()),
            Data(error) => error.fmt(f),
            NoSuchParameter(error) => error.fmt(f),
            OtherLayout { path, stated } => write!(
                f,
                "{}: the file says that its layout is {stated} | load it in this layout, Layout::{stated:?}",
                path.display()
            ),
            Misfit { path, misfits, fits_other } => {
                writeln!(f, "{}: {}", path.display(), described(misfits))?;
                match fits_other {
                    Some(layout) => write!(
                        f,
                        "  hint: all fit in the layout {layout}: load it in this layout, Layout::{layout:?}"
                    ),
                    None if misfits.iter().all(self::Misfit::needs_rounding) => {
                        f.write_str("  hint: to round them, load into Params<f64> and use cast::<f32>()")
                    }
                    None => f.write_str("  hint: is this a file of the same model?"),
                }
            }
        }
    }
}

impl InterchangeError {
    /// The settings of a conversion that help: "layout" or "round".
    pub fn settings(&self) -> &'static [&'static str] {
        match self {
            Self::OtherLayout { .. } | Self::Misfit { fits_other: Some(_), .. } => &["layout"],
            Self::Misfit { misfits, .. } if misfits.iter().all(Misfit::needs_rounding) => &["round"],
            _ => &[],
        }
    }
}

impl Misfit {
    /// Whether only rounding is needed.
    fn needs_rounding(&self) -> bool {
        self.found.as_deref() == Some("float64")
    }
}

/// How many parameters do not fit, and the first of them.
pub(crate) fn described(misfits: &[Misfit]) -> String {
    const SHOWN: usize = 10;
    let what = if misfits.len() == 1 { "parameter does" } else { "parameters do" };
    let mut text = format!("{} {what} not fit", misfits.len());
    misfits.iter().take(SHOWN).for_each(|misfit| text += &format!("\n  {misfit}"));
    match misfits.len().saturating_sub(SHOWN) {
        0 => text,
        more => format!("{text}\n  and {more} more"),
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let shown = |what: &Option<String>| what.clone().unwrap_or("none".into());
        write!(f, "{:?}: expected {}, found {}", self.name, shown(&self.expected), shown(&self.found))
    }
}

/// As [`Display`](fmt::Display): what a `main` that returns it prints.
impl fmt::Debug for InterchangeError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for InterchangeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            InterchangeError::Unreadable { error, .. } | InterchangeError::Unwritable { error, .. } => {
                Some(error)
            }
            InterchangeError::Data(error) => Some(error),
            InterchangeError::NoSuchParameter(error) => Some(error),
            _ => None,
        }
    }
}

impl From<NoSuchParameter> for InterchangeError {
    fn from(error: NoSuchParameter) -> Self {
        InterchangeError::NoSuchParameter(error)
    }
}

impl From<DataError> for InterchangeError {
    fn from(error: DataError) -> Self {
        InterchangeError::Data(error)
    }
}
