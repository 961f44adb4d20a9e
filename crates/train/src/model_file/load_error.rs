//! Errors of loading a saved model.

use std::fmt;

use surprisal_data::DataError;
use surprisal_layers::{Architecture, ArchitectureError};
use surprisal_settings::SettingError;
use surprisal_tensor::NoSuchParameter;

use crate::Misfit;
use crate::interchange::described;

/// Why the parts of a saved model contradict each other, or do not fit the parameters that they are copied to.
///
/// ```
/// use surprisal_layers::{Linear, rng};
/// use surprisal_tensor::Params;
/// use surprisal_train::{LoadError, SavedModel};
///
/// let (mut saved, mut others) = (Params::<f32>::new(), Params::new());
/// Linear::new(&mut saved, "out", 2, 1, &mut rng(7));
/// Linear::new(&mut others, "out", 3, 1, &mut rng(7));
/// let error = SavedModel::of(&saved).load_into(&mut others).unwrap_err();
/// let LoadError::Misfits(misfits) = error else { panic!("{error}") };
/// assert_eq!(misfits[0].to_string(), "\"out.weight\": expected [3, 1], found [2, 1]");
/// ```
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum LoadError {
    /// It has no net: a model of a program of its own, whose parameters alone can be loaded.
    NoSizes,
    /// A parameter holds a number that is not finite.
    NotFinite { parameter: String, place: usize, found: f64 },
    /// The parameters are others than those of the model.
    Misfits(Vec<Misfit>),
    /// The pattern matches no parameter of the model.
    NoSuchParameter(NoSuchParameter),
    /// Two parameters have one name.
    ParameterTwice { parameter: String },
    /// A parameter has more or fewer numbers than its shape.
    Numbers { parameter: String, shape: Vec<u64>, found: usize },
    /// The best parameters of the training are more or fewer than the parameters.
    BestParameters { expected: usize },
    /// The text of the net is not one, or the net does not fit its inputs.
    Architecture(ArchitectureError),
    /// There is no such activation.
    Activation(SettingError),
    /// The encoder contradicts itself.
    Encoder(DataError),
    /// The encoder makes another number of inputs than the net has.
    Inputs { net: Architecture, expected: usize, found: usize },
    /// The number of class names is not that of the outputs.
    ClassNames { outputs: usize, found: usize },
    /// A net that predicts a number has several outputs.
    Outputs { net: Architecture, found: usize },
    /// The scaling of predictions is not invertible.
    TargetScaling { offset: f64, scale: f64 },
    /// The net has more or fewer numbers than there are.
    NumbersOfNet { net: Architecture, expected: usize, found: usize },
    /// In a file of version 1: not one offset or scale for each feature name.
    Columns { what: &'static str, columns: usize, found: usize },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::NoSizes => f.write_str(
                "the file is a model of your own program, not a net of the command: use load_into",
            ),
            Self::NotFinite { parameter, place, found } => write!(
                f,
                "parameter \"{parameter}\": expected finite numbers, found {found} at place {place}: its training diverged"
            ),
            Self::Misfits(misfits) => f.write_str(&described(misfits)),
            Self::NoSuchParameter(error) => error.fmt(f),
            Self::ParameterTwice { parameter } => {
                write!(f, "parameter \"{parameter}\": expected it once, found it twice")
            }
            Self::Numbers { parameter, shape, found } => {
                write!(f, "parameter \"{parameter}\": expected the numbers of {shape:?}, found {found}")
            }
            Self::BestParameters { expected } => {
                write!(f, "expected the {expected} best parameters, found another number of them")
            }
            Self::Architecture(error) => error.fmt(f),
            Self::Activation(error) => error.fmt(f),
            Self::Encoder(error) => error.fmt(f),
            Self::Inputs { net, expected, found } => {
                write!(f, "expected columns for {expected} inputs of {net}, found {found}")
            }
            Self::ClassNames { outputs, found } => {
                write!(f, "expected class names for {outputs} outputs, found {found}")
            }
            Self::Outputs { net, found } => {
                write!(f, "expected one output for a number, found {found} in {net}")
            }
            Self::TargetScaling { offset, scale } => write!(
                f,
                "expected a finite offset and a finite scale that is not 0, found {offset:?} and {scale:?}"
            ),
            Self::NumbersOfNet { net, expected, found } => {
                write!(f, "expected {expected} numbers for {net}, found {found}")
            }
            Self::Columns { what, columns, found } => {
                write!(f, "expected {columns} {what} for as many feature names, found {found}")
            }
        }
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Architecture(error) => Some(error),
            Self::Activation(error) => Some(error),
            Self::Encoder(error) => Some(error),
            Self::NoSuchParameter(error) => Some(error),
            _ => None,
        }
    }
}
