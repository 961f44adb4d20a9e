//! A trained model in a file: what it takes, what it computes, what its answers are called.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `SURPRISL` |
//! | 8..10 | the version of the format, 1, little-endian as all that follows |
//! | 10 | the bytes of a number: 4 for `f32` |
//! | 11 | 0 |
//! | 12..20 | the length of the body |
//! | 20..24 | the CRC-32 of the body |
//! | 24.. | the body: the fields of [`SavedModel`] in bincode 2, fixed-width integers |
//!
//! bincode is used in this file only. Should another encoding take its place, the version tells them apart.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use surprisal_layers::{Activation, Init, Mlp, Sizes, rng};
use surprisal_tensor::Params;

use crate::write_atomically;

/// A multilayer perceptron with everything that is needed to use it.
///
/// ```
/// use std::path::Path;
/// use surprisal_layers::{Activation, Mlp, rng};
/// use surprisal_tensor::Params;
/// use surprisal_train::SavedModel;
///
/// let mut params = Params::<f32>::new();
/// Mlp::new(&mut params, &"2-3-2".parse()?, Activation::Tanh, &mut rng(7));
/// let saved = SavedModel {
///     sizes: "2-3-2".into(),
///     activation: "tanh".into(),
///     feature_names: vec!["width".into(), "height".into()],
///     class_names: vec!["no".into(), "yes".into()],
///     offset: vec![0.0; 2],
///     scale: vec![1.0; 2],
///     parameters: SavedModel::parameters_of(&params),
/// };
/// let read = SavedModel::from_bytes(&saved.to_bytes(), Path::new("in memory"))?;
/// let (_model, loaded) = read.load()?;
/// assert_eq!(loaded.as_slice(), params.as_slice());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedModel {
    /// "784-128-64-10"
    pub sizes: String,
    /// "relu"
    pub activation: String,
    /// What the features are called, in order.
    pub feature_names: Vec<String>,
    /// What the classes are called, in order.
    pub class_names: Vec<String>,
    /// What is taken off every feature ..
    pub offset: Vec<f64>,
    /// .. before it is divided by this.
    pub scale: Vec<f64>,
    /// Names, shapes and numbers of the parameters.
    pub parameters: Vec<SavedParameter>,
}

/// One parameter.
///
/// See the example of [`SavedModel::parameters_of`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedParameter {
    /// "layer1.weight"
    pub name: String,
    /// Its axes.
    pub shape: Vec<u64>,
    /// Its numbers, by rows.
    pub values: Vec<f32>,
}

const MAGIC: &[u8; 8] = b"SURPRISL";
const VERSION: u16 = 1;
const HEADER: usize = 24;

/// The encoding of the body, refusing to read more than so many bytes.
fn config<const LIMIT: usize>() -> impl bincode::config::Config {
    bincode::config::standard().with_little_endian().with_fixed_int_encoding().with_limit::<LIMIT>()
}

/// Reads a body; gives the model, and how many bytes it took.
///
/// A length inside the body is believed before what follows is there. The limit keeps a forged one from taking memory that the size
/// of the file does not justify; it is a constant of bincode's types, so the next one that is large enough is chosen.
fn decode(body: &[u8]) -> Result<(SavedModel, usize), bincode::error::DecodeError> {
    use bincode::serde::decode_from_slice as read;
    match 4 * body.len() {
        0..=0xffff => read(body, config::<0x1_0000>()),
        0x1_0000..=0xf_ffff => read(body, config::<0x10_0000>()),
        0x10_0000..=0xff_ffff => read(body, config::<0x100_0000>()),
        0x100_0000..=0xfff_ffff => read(body, config::<0x1000_0000>()),
        _ => read(body, config::<0x1_0000_0000>()),
    }
}

impl SavedModel {
    /// What the parameters of a model are saved as.
    ///
    /// ```
    /// use surprisal_layers::{Linear, rng};
    /// use surprisal_tensor::Params;
    /// use surprisal_train::SavedModel;
    /// let mut params = Params::<f32>::new();
    /// let out = Linear::new(&mut params, "out", 2, 1, &mut rng(7));
    /// let saved = SavedModel::parameters_of(&params);
    /// assert_eq!((saved[0].name.as_str(), &saved[0].shape[..]), ("out.weight", &[2, 1][..]));
    /// assert_eq!(saved[0].values, params[out.weight]);
    /// ```
    pub fn parameters_of(params: &Params<f32>) -> Vec<SavedParameter> {
        let save = |id| {
            let entry = params.entry(id);
            let shape = entry.shape.dims().iter().map(|&n| n as u64).collect();
            SavedParameter { name: entry.name.clone(), shape, values: params[id].to_vec() }
        };
        params.ids().map(save).collect()
    }

    /// The bytes of the file.
    ///
    /// ```
    /// # use surprisal_layers::{Activation, Mlp, rng};
    /// # use surprisal_tensor::Params;
    /// # use surprisal_train::SavedModel;
    /// # let mut params = Params::<f32>::new();
    /// # Mlp::new(&mut params, &"2-2".parse()?, Activation::Tanh, &mut rng(7));
    /// # let saved = SavedModel {
    /// #     sizes: "2-2".into(),
    /// #     activation: "tanh".into(),
    /// #     feature_names: vec!["width".into(), "height".into()],
    /// #     class_names: vec!["no".into(), "yes".into()],
    /// #     offset: vec![0.0; 2],
    /// #     scale: vec![1.0; 2],
    /// #     parameters: SavedModel::parameters_of(&params),
    /// # };
    /// let bytes = saved.to_bytes();
    /// assert_eq!(&bytes[..8], b"SURPRISL");
    /// # Ok::<(), surprisal_layers::SizesError>(())
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let body = bincode::serde::encode_to_vec(self, config::<{ usize::MAX }>())
            .expect("strings and numbers can always be encoded");
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend([size_of::<f32>() as u8, 0]);
        bytes.extend((body.len() as u64).to_le_bytes());
        bytes.extend(crc32fast::hash(&body).to_le_bytes());
        bytes.extend(body);
        bytes
    }

    /// Writes the file, [whole or not at all](write_atomically).
    ///
    /// ```
    /// # use surprisal_layers::{Activation, Mlp, rng};
    /// # use surprisal_tensor::Params;
    /// use surprisal_train::SavedModel;
    /// # let mut params = Params::<f32>::new();
    /// # Mlp::new(&mut params, &"2-2".parse()?, Activation::Tanh, &mut rng(7));
    /// # let saved = SavedModel {
    /// #     sizes: "2-2".into(),
    /// #     activation: "tanh".into(),
    /// #     feature_names: vec!["width".into(), "height".into()],
    /// #     class_names: vec!["no".into(), "yes".into()],
    /// #     offset: vec![0.0; 2],
    /// #     scale: vec![1.0; 2],
    /// #     parameters: SavedModel::parameters_of(&params),
    /// # };
    /// let path = std::env::temp_dir().join(format!("surprisal-example-{}.surprisal", std::process::id()));
    /// saved.write(&path)?;
    /// let read = SavedModel::read(&path);
    /// std::fs::remove_file(&path)?;
    /// assert_eq!(read?, saved);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If it cannot be written; what stood at the place is still there.
    pub fn write(&self, path: &Path) -> Result<(), SavedError> {
        write_atomically(path, &self.to_bytes())
            .map_err(|error| SavedError::new(path, None, format!("cannot write: {error}")))
    }

    /// Reads the file and checks all of it.
    ///
    /// ```
    /// use std::path::Path;
    /// use surprisal_train::SavedModel;
    /// let error = SavedModel::read(Path::new("no-such-model.surprisal")).unwrap_err();
    /// assert!(error.to_string().starts_with("no-such-model.surprisal: cannot read: "));
    /// ```
    ///
    /// # Errors
    /// If it is not such a file, of another version or number type, cut off, damaged, or contradicts itself: with the
    /// position, what was expected and what was found.
    pub fn read(path: &Path) -> Result<SavedModel, SavedError> {
        if path.is_dir() {
            let message = "this is a folder: name the file in it, such as model.surprisal";
            return Err(SavedError::new(path, None, message.into()));
        }
        let bytes =
            fs::read(path).map_err(|error| SavedError::new(path, None, format!("cannot read: {error}")))?;
        SavedModel::from_bytes(&bytes, path)
    }

    /// [`read`](Self::read), from bytes; `path` is for the messages.
    ///
    /// ```
    /// # use surprisal_layers::{Activation, Mlp, rng};
    /// # use surprisal_tensor::Params;
    /// use surprisal_train::SavedModel;
    /// # let mut params = Params::<f32>::new();
    /// # Mlp::new(&mut params, &"2-2".parse()?, Activation::Tanh, &mut rng(7));
    /// # let saved = SavedModel {
    /// #     sizes: "2-2".into(),
    /// #     activation: "tanh".into(),
    /// #     feature_names: vec!["width".into(), "height".into()],
    /// #     class_names: vec!["no".into(), "yes".into()],
    /// #     offset: vec![0.0; 2],
    /// #     scale: vec![1.0; 2],
    /// #     parameters: SavedModel::parameters_of(&params),
    /// # };
    /// let mut bytes = saved.to_bytes();
    /// assert_eq!(SavedModel::from_bytes(&bytes, "model".as_ref())?, saved);
    /// bytes[40] ^= 1; // a single bit
    /// let error = SavedModel::from_bytes(&bytes, "model".as_ref()).unwrap_err();
    /// assert_eq!(error.at, Some(20));
    /// assert!(error.to_string().ends_with("the file is damaged"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<SavedModel, SavedError> {
        let wrong = |at: usize, message: String| Err(SavedError::new(path, Some(at), message));
        if !bytes.starts_with(&MAGIC[..bytes.len().min(8)]) || bytes.is_empty() {
            return wrong(
                0,
                "expected \"SURPRISL\", found something else: is this a model of surprisal?".into(),
            );
        }
        let Some((header, body)) = bytes.split_at_checked(HEADER) else {
            return wrong(
                bytes.len(),
                format!("expected a header of {HEADER} bytes, found the end: is the file cut off?"),
            );
        };
        let version = u16::from_le_bytes([header[8], header[9]]);
        if version != VERSION {
            return wrong(
                8,
                format!(
                    "expected version {VERSION} of the format, found {version}: was it written by another surprisal?"
                ),
            );
        }
        if usize::from(header[10]) != size_of::<f32>() {
            return wrong(10, format!("expected numbers of 4 bytes (f32), found {} bytes", header[10]));
        }
        let mut field = [0; 8];
        field.copy_from_slice(&header[12..20]);
        let length = u64::from_le_bytes(field);
        if length != body.len() as u64 {
            let hint = if length > body.len() as u64 {
                "is the file cut off?"
            } else {
                "has something been added to it?"
            };
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
        match decode(body) {
            Ok((model, read)) if read == body.len() => match model.check() {
                Ok(()) => Ok(model),
                Err(message) => wrong(HEADER, message),
            },
            Ok((_, read)) => wrong(HEADER + read, "expected the end of the model, found more bytes".into()),
            Err(error) => wrong(HEADER, format!("the body cannot be decoded: {error}")),
        }
    }

    /// Whether the parts fit each other.
    fn check(&self) -> Result<(), String> {
        let sizes: Sizes = self.sizes.parse().map_err(|error| format!("{error}"))?;
        self.activation.parse::<Activation>()?;
        let (inputs, classes) = (sizes.inputs(), self.class_names.len());
        for (what, len) in [
            ("feature names", self.feature_names.len()),
            ("offsets", self.offset.len()),
            ("scales", self.scale.len()),
        ] {
            if len != inputs {
                return Err(format!("expected {inputs} {what} for sizes {sizes}, found {len}"));
            }
        }
        if classes != sizes.outputs() && !(sizes.outputs() == 1 && classes == 2) {
            return Err(format!("expected class names for {} outputs, found {classes}", sizes.outputs()));
        }
        let finite = |values: &[f64]| values.iter().all(|v| v.is_finite());
        if !finite(&self.offset) || !finite(&self.scale) || self.scale.contains(&0.0) {
            return Err("expected offsets and scales that are finite and scales that are not 0".into());
        }
        let weights: usize = sizes.as_slice().windows(2).fold(0usize, |n, pair| {
            n.saturating_add(pair[0].saturating_mul(pair[1]).saturating_add(pair[1]))
        });
        let found: usize = self.parameters.iter().map(|p| p.values.len()).sum();
        if weights != found {
            return Err(format!("expected {weights} numbers for sizes {sizes}, found {found}"));
        }
        let (_, params) = self.empty(&sizes);
        for (entry, saved) in params.entries().iter().zip(&self.parameters) {
            let shape: Vec<u64> = entry.shape.dims().iter().map(|&n| n as u64).collect();
            if entry.name != saved.name || shape != saved.shape || entry.shape.len() != saved.values.len() {
                return Err(format!(
                    "expected parameter \"{}\" {}, found \"{}\" {:?} with {} numbers",
                    entry.name,
                    entry.shape,
                    saved.name,
                    saved.shape,
                    saved.values.len()
                ));
            }
        }
        if params.entries().len() != self.parameters.len() {
            return Err(format!(
                "expected {} parameters, found {}",
                params.entries().len(),
                self.parameters.len()
            ));
        }
        Ok(())
    }

    fn empty(&self, sizes: &Sizes) -> (Mlp, Params<f32>) {
        let mut params = Params::new();
        let activation = self.activation.parse().unwrap_or_default(); // checked before
        let model = Mlp::with_init(&mut params, sizes, activation, Init::Zeros, Init::Zeros, &mut rng(0));
        (model, params)
    }

    /// The model and its parameters, ready to be run.
    ///
    /// ```
    /// # use surprisal_layers::{Activation, Mlp, rng};
    /// # use surprisal_tensor::Params;
    /// use surprisal_train::SavedModel;
    /// # let mut params = Params::<f32>::new();
    /// # Mlp::new(&mut params, &"2-2".parse()?, Activation::Tanh, &mut rng(7));
    /// # let saved = SavedModel {
    /// #     sizes: "2-2".into(),
    /// #     activation: "tanh".into(),
    /// #     feature_names: vec!["width".into(), "height".into()],
    /// #     class_names: vec!["no".into(), "yes".into()],
    /// #     offset: vec![0.0; 2],
    /// #     scale: vec![1.0; 2],
    /// #     parameters: SavedModel::parameters_of(&params),
    /// # };
    /// let (model, params) = saved.load()?;
    /// assert_eq!(params[model.layers()[0].weight], saved.parameters[0].values);
    /// let contradiction = SavedModel { sizes: "3-2".into(), ..saved };
    /// assert_eq!(contradiction.load().unwrap_err(), "expected 3 feature names for sizes 3-2, found 2");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the parts contradict each other; those of a model that was read do not.
    pub fn load(&self) -> Result<(Mlp, Params<f32>), String> {
        self.check()?;
        let (model, mut params) = self.empty(&self.sizes.parse().map_err(|error| format!("{error}"))?);
        for (id, saved) in params.ids().zip(&self.parameters) {
            params[id].copy_from_slice(&saved.values);
        }
        Ok((model, params))
    }
}

/// A model file that cannot be written or used.
///
/// ```
/// use surprisal_train::SavedModel;
/// let error = SavedModel::from_bytes(b"no model", "notes.txt".as_ref()).unwrap_err();
/// assert_eq!(error.at, Some(0));
/// assert_eq!(
///     error.to_string(),
///     "notes.txt, byte 0: expected \"SURPRISL\", found something else: is this a model of surprisal?"
/// );
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SavedError {
    /// The file.
    pub path: PathBuf,
    /// The byte at which something was wrong.
    pub at: Option<usize>,
    /// What was wrong.
    pub message: String,
}

impl SavedError {
    fn new(path: &Path, at: Option<usize>, message: String) -> Self {
        SavedError { path: path.to_path_buf(), at, message }
    }
}
impl fmt::Display for SavedError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "{}, byte {at}: {}", self.path.display(), self.message),
            None => write!(f, "{}: {}", self.path.display(), self.message),
        }
    }
}
impl std::error::Error for SavedError {}
