//! The bytes of a model file. bincode is used here only; should another encoding take its place, the version tells them apart.

use std::path::Path;

use bincode::error::DecodeError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use surprisal_data::{EncodedColumn, Encoder, Encoding};
use surprisal_optim::OptimizerState;
use surprisal_tensor::Scalar;

use super::{LoadError, ModelFile, ModelFileError, Predictions, SavedParameter};
use crate::{Checkpoint, Epoch, History, Measured};

/// The number types of model files.
pub trait Numbers: Scalar + Serialize + DeserializeOwned {
    /// The body of a file, which is compiled here and not again where it is read.
    #[doc(hidden)]
    fn decode_model(version: u16, body: &[u8]) -> Decoded<Self>;
    /// As [`decode_model`](Self::decode_model).
    #[doc(hidden)]
    fn encode_model(model: &ModelFile<Self>) -> Vec<u8>;
}
macro_rules! numbers { ($($T:ty)+) => { $(
    impl Numbers for $T {
        fn decode_model(version: u16, body: &[u8]) -> Decoded<Self> { decode_version(version, body) }
        fn encode_model(model: &ModelFile<Self>) -> Vec<u8> {
            bincode::serde::encode_to_vec(model, config::<{ usize::MAX }>())
                .expect("strings and numbers can always be encoded")
        }
    }
)+ } }
numbers!(f32 f64);

/// A model, and how many bytes of the body it took.
type Decoded<T> = Result<(Result<ModelFile<T>, LoadError>, usize), DecodeError>;

fn decode_version<T: Numbers>(version: u16, body: &[u8]) -> Decoded<T> {
    match version {
        1 => decode(body).map(|(old, read): (V1<T>, usize)| (ModelFile::try_from(old), read)),
        2 => decode(body).map(|(old, read): (Old<T, V2Optimizer<T>>, usize)| (Ok(old.into()), read)),
        3 => decode(body).map(|(old, read): (Old<T, OptimizerState<T>>, usize)| (Ok(old.into()), read)),
        _ => decode(body).map(|(model, read)| (Ok(model), read)),
    }
}

const MAGIC: &[u8; 8] = b"SURPRISL";
const VERSION: u16 = 4;
const HEADER: usize = 24;

/// The body of version 1, whose models had columns of numbers and classes.
#[derive(Deserialize)]
struct V1<T> {
    sizes: String,
    activation: String,
    feature_names: Vec<String>,
    class_names: Vec<String>,
    offset: Vec<f64>,
    scale: Vec<f64>,
    parameters: Vec<SavedParameter<T>>,
}

impl<T: Numbers> TryFrom<V1<T>> for ModelFile<T> {
    type Error = LoadError;
    fn try_from(old: V1<T>) -> Result<Self, LoadError> {
        let columns = old.feature_names.len();
        for (what, found) in [("offsets", old.offset.len()), ("scales", old.scale.len())] {
            if found != columns {
                return Err(LoadError::Columns { what, columns, found });
            }
        }
        let column = |((name, offset), scale)| EncodedColumn {
            name,
            encoding: Encoding::Number { fill: None, offset, scale },
        };
        Ok(ModelFile {
            sizes: old.sizes,
            activation: old.activation,
            encoder: Encoder {
                columns: old.feature_names.into_iter().zip(old.offset).zip(old.scale).map(column).collect(),
            },
            predictions: Predictions::Classes(old.class_names),
            parameters: old.parameters,
            settings: String::new(),
            data_checksum: 0,
            checkpoint: None,
        })
    }
}

/// The body of versions 2 and 3, whose histories did not tell accuracy from R²; in version 2, optimizers counted the steps of all parameters together.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned, O: DeserializeOwned")]
struct Old<T, O> {
    sizes: String,
    activation: String,
    encoder: Encoder,
    predictions: Predictions,
    parameters: Vec<SavedParameter<T>>,
    settings: String,
    data_checksum: u32,
    checkpoint: Option<OldCheckpoint<T, O>>,
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned, O: DeserializeOwned")]
struct OldCheckpoint<T, O> {
    epoch: u64,
    step: u64,
    steps_per_epoch: u64,
    order: u128,
    seeds: u128,
    optimizer: O,
    history: Vec<OldEpoch>,
    best: Option<Vec<T>>,
}

#[derive(Deserialize)]
struct V2Optimizer<T> {
    name: String,
    steps: u64,
    memory: Vec<(String, Vec<T>)>,
}

impl<T> From<V2Optimizer<T>> for OptimizerState<T> {
    fn from(V2Optimizer { name, steps, memory }: V2Optimizer<T>) -> Self {
        OptimizerState { name, steps, steps_of_each: Vec::new(), memory }
    }
}

#[derive(Deserialize)]
struct OldEpoch {
    epoch: usize,
    loss: f64,
    train_score: f64,
    test_score: f64,
    gradient_norm: Option<f64>,
    test_loss: f64,
    learning_rate: f64,
    monitored: f64,
}

impl OldEpoch {
    fn read(self, numbers: bool) -> Epoch {
        let measured = |loss, score| {
            let (accuracy, r2) = if numbers { (None, Some(score)) } else { (Some(score), None) };
            Measured { loss, accuracy, r2 }
        };
        Epoch {
            epoch: self.epoch,
            train: measured(self.loss, self.train_score),
            validation: Some(measured(self.test_loss, self.test_score)),
            gradient_norm: self.gradient_norm,
            learning_rate: self.learning_rate,
            monitored: self.monitored,
        }
    }
}

impl<T, O: Into<OptimizerState<T>>> From<Old<T, O>> for ModelFile<T> {
    fn from(old: Old<T, O>) -> Self {
        let numbers = matches!(old.predictions, Predictions::Number { .. });
        let checkpoint = |old: OldCheckpoint<T, O>| Checkpoint {
            epoch: old.epoch,
            step: old.step,
            steps_per_epoch: old.steps_per_epoch,
            order: old.order,
            seeds: old.seeds,
            optimizer: old.optimizer.into(),
            history: History::from_iter(old.history.into_iter().map(|epoch| epoch.read(numbers))),
            best: old.best,
        };
        ModelFile {
            sizes: old.sizes,
            activation: old.activation,
            encoder: old.encoder,
            predictions: old.predictions,
            parameters: old.parameters,
            settings: old.settings,
            data_checksum: old.data_checksum,
            checkpoint: old.checkpoint.map(checkpoint),
        }
    }
}

/// The encoding of the body, refusing to read more than `LIMIT` bytes.
fn config<const LIMIT: usize>() -> impl bincode::config::Config {
    bincode::config::standard().with_little_endian().with_fixed_int_encoding().with_limit::<LIMIT>()
}

/// Reads a body; returns its content, and its length in bytes.
///
/// A length inside the body is believed before what follows is there. The limit keeps a forged one from taking memory that the size
/// of the file does not justify; it is a constant of bincode's types, so the next one that is large enough is chosen.
fn decode<B: DeserializeOwned>(body: &[u8]) -> Result<(B, usize), DecodeError> {
    use bincode::serde::decode_from_slice as read;
    match 4 * body.len() {
        0..=0xf_ffff => read(body, config::<0x10_0000>()),
        0x10_0000..=0x3ff_ffff => read(body, config::<0x400_0000>()),
        _ => read(body, config::<{ u32::MAX as usize }>()),
    }
}

impl<T: Numbers> ModelFile<T> {
    /// The bytes of the file.
    ///
    /// ```
    /// use surprisal_tensor::Params;
    /// use surprisal_train::SavedModel;
    /// let bytes = SavedModel::of(&Params::new()).to_bytes();
    /// assert_eq!(&bytes[..8], b"SURPRISL");
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let body = T::encode_model(self);
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend([size_of::<T>() as u8, 0]);
        bytes.extend((body.len() as u64).to_le_bytes());
        bytes.extend(crc32fast::hash(&body).to_le_bytes());
        bytes.extend(body);
        bytes
    }

    /// [`read`](Self::read), from bytes; `path` is for the messages.
    ///
    /// ```
    /// use surprisal_tensor::Params;
    /// use surprisal_train::SavedModel;
    /// let saved = SavedModel { settings: "epochs = 10".into(), ..SavedModel::of(&Params::new()) };
    /// let mut bytes = saved.to_bytes();
    /// assert_eq!(SavedModel::from_bytes(&bytes, "model")?, saved);
    /// bytes[40] ^= 1; // a single bit
    /// let error = SavedModel::from_bytes(&bytes, "model").unwrap_err();
    /// assert_eq!(error.at, Some(20));
    /// assert!(error.to_string().ends_with("the file is damaged"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn from_bytes(bytes: &[u8], path: impl AsRef<Path>) -> Result<Self, ModelFileError> {
        let path = path.as_ref();
        let wrong = |at: usize, message: String| Err(ModelFileError::new(path, Some(at), message));
        if !bytes.starts_with(&MAGIC[..bytes.len().min(8)]) || bytes.is_empty() {
            return wrong(
                0,
                "expected \"SURPRISL\", found something else: is this a model of surprisal?".into(),
            );
        }
        let Some((header, body)) = bytes.split_at_checked(HEADER) else {
            return wrong(
                bytes.len(),
                format!("expected a header of {HEADER} bytes, found the end: is the file truncated?"),
            );
        };
        let version = u16::from_le_bytes([header[8], header[9]]);
        if !(1..=VERSION).contains(&version) {
            return wrong(
                8,
                format!(
                    "expected version 1 to {VERSION} of the format, found {version}: was it written by a newer version of surprisal?"
                ),
            );
        }
        if usize::from(header[10]) != size_of::<T>() {
            let (wanted, found) = (size_of::<T>(), header[10]);
            return wrong(
                10,
                format!("expected numbers of {wanted} bytes (f{}), found {found} bytes", 8 * wanted),
            );
        }
        let mut field = [0; 8];
        field.copy_from_slice(&header[12..20]);
        let length = u64::from_le_bytes(field);
        if length != body.len() as u64 {
            let hint =
                if length > body.len() as u64 { "is the file truncated?" } else { "has data been appended?" };
            return wrong(
                12,
                format!("expected {length} bytes after the header, found {}: {hint}", body.len()),
            );
        }
        let mut field = [0; 4];
        field.copy_from_slice(&header[20..24]);
        let (expected, found) = (u32::from_le_bytes(field), crc32fast::hash(body));
        if expected != found {
            return wrong(
                20,
                format!("expected the checksum {expected:08x}, found {found:08x}: the file is damaged"),
            );
        }
        match T::decode_model(version, body) {
            Ok((model, read)) if read == body.len() => {
                let checked = model.and_then(|model| model.check().map(|()| model));
                checked.or_else(|error| wrong(HEADER, error.to_string()))
            }
            Ok((_, read)) => wrong(HEADER + read, "expected the end of the model, found more bytes".into()),
            Err(error) => {
                let what = match error {
                    DecodeError::LimitExceeded => {
                        "a length in the body is larger than the file allows".into()
                    }
                    DecodeError::UnexpectedEnd { .. } => "the body ends before the model does".into(),
                    other => format!("the body cannot be decoded ({other})"),
                };
                wrong(HEADER, format!("{what}: is the file damaged?"))
            }
        }
    }
}
