//! A model in a file: its inputs, its net, its classes, and the state of its training.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `SURPRISL` |
//! | 8..10 | the version of the format, 4, little-endian as all that follows |
//! | 10 | the bytes of a number: 4 for `f32`, 8 for `f64` |
//! | 11 | 0 |
//! | 12..20 | the length of the body |
//! | 20..24 | the CRC-32 of the body |
//! | 24.. | the body: the fields of [`ModelFile`] in bincode 2, fixed-width integers |
//!
//! [`encoding`] knows the bytes, and every version of them; here is what they mean.

mod encoding;
mod error;
mod load_error;

use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};
use surprisal_data::Encoder;
use surprisal_layers::{Activation, Architecture, ArchitectureError, Init, Plan, Sequential, rng};
use surprisal_tensor::{NoSuchParameter, ParamId, Params, name_matches};

use crate::Checkpoint;
use crate::interchange::{Layout, Stored};
use surprisal_report::files::{advice, write_atomically, write_unsynced};

pub use encoding::Numbers;
pub use error::ModelFileError;
pub use load_error::LoadError;

/// A model file of `f32`: what the command writes and reads.
pub type SavedModel = ModelFile<f32>;

/// A net with everything that is needed to use it, and perhaps to go on training it.
///
/// A model of your own has no `sizes`: load its parameters with [`load_into`](Self::load_into).
///
/// ```
/// use surprisal_data::{Encoder, Preprocess};
/// use surprisal_layers::{Activation, Mlp, rng};
/// use surprisal_tensor::Params;
/// use surprisal_train::{Predictions, SavedModel};
///
/// let mut params = Params::new();
/// Mlp::new(&mut params, &"2-3-2".parse()?, Activation::Tanh, &mut rng(7));
/// let names = |names: [&str; 2]| names.map(String::from).to_vec();
/// let saved = SavedModel {
///     sizes: "2-3-2".into(),
///     activation: "tanh".into(),
///     encoder: Encoder::of_numbers(&names(["width", "height"]), &Preprocess::None)?,
///     predictions: Predictions::Classes(names(["no", "yes"])),
///     ..SavedModel::of(&params)
/// };
/// let read = SavedModel::from_bytes(&saved.to_bytes(), "in memory")?;
/// let (_model, loaded) = read.load()?;
/// assert_eq!(loaded.as_slice(), params.as_slice());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelFile<T> {
    /// The net as text, an [`Architecture`]: "784-128-64-10", "1x28x28-conv(16,5)-relu-maxpool(2)-flatten-10"; empty for a model of your own.
    pub sizes: String,
    /// The activation of a dense net, "relu"; empty for others, and for a model of your own.
    pub activation: String,
    /// The encoding of the columns of a table as inputs.
    pub encoder: Encoder,
    /// The classes, or the scaling of the number, that the outputs mean.
    pub predictions: Predictions,
    /// Names, shapes and numbers of the parameters.
    pub parameters: Vec<SavedParameter<T>>,
    /// The settings of the run that trained it, as TOML; empty if unknown.
    pub settings: String,
    /// The CRC-32 of its training, validation and test rows; 0 if unknown.
    pub data_checksum: u32,
    /// The state of its training, if it can be resumed.
    pub checkpoint: Option<Checkpoint<T>>,
}

/// The meaning of a model's outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Predictions {
    /// Classification, with one logit for each class, or one for two classes: the names of the classes, in order.
    Classes(Vec<String>),
    /// Regression, with one output z: the prediction is `offset + scale · z`.
    Number {
        /// The name of the target column.
        name: String,
        /// The prediction for z = 0.
        offset: f64,
        /// The scale: not 0.
        scale: f64,
    },
    /// Segmentation, with one logit of each pixel for each class, or one for two classes: the names of the classes, in order.
    Masks(Vec<String>),
}

impl Predictions {
    /// The names of the classes, of rows or of pixels; empty for a number.
    pub fn class_names(&self) -> &[String] {
        match self {
            Predictions::Classes(names) | Predictions::Masks(names) => names,
            Predictions::Number { .. } => &[],
        }
    }

    /// What a row of the data is called: "images" if each has a mask, else "rows".
    ///
    /// ```
    /// use surprisal_train::Predictions;
    /// assert_eq!(Predictions::Masks(vec!["background".into(), "cell".into()]).rows(), "images");
    /// ```
    pub fn rows(&self) -> &'static str {
        match self {
            Predictions::Masks(_) => "images",
            _ => "rows",
        }
    }
}

/// One parameter.
///
/// See the example of [`ModelFile::of`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedParameter<T = f32> {
    /// "layer1.weight"
    pub name: String,
    /// Its axes.
    pub shape: Vec<u64>,
    /// Its numbers, by rows.
    pub values: Vec<T>,
}

impl<T: Numbers> ModelFile<T> {
    /// The parameters of a model, and nothing about what they are for.
    ///
    /// ```
    /// use surprisal_layers::{Linear, rng};
    /// use surprisal_tensor::Params;
    /// use surprisal_train::SavedModel;
    /// let mut params = Params::new();
    /// let out = Linear::new(&mut params, "out", 2, 1, &mut rng(7));
    /// let saved = SavedModel::of(&params).parameters;
    /// assert_eq!((saved[0].name.as_str(), &saved[0].shape[..]), ("out.weight", &[2, 1][..]));
    /// assert_eq!(saved[0].values, params[out.weight]);
    /// ```
    pub fn of(params: &Params<T>) -> Self {
        Self::of_ids(params, params.ids().collect())
    }

    /// [`of`](Self::of), of the parameters that a pattern means, such as a scope's name.
    ///
    /// See the example of [`load_into_named`](Self::load_into_named).
    ///
    /// # Errors
    /// If it matches none.
    pub fn of_named(params: &Params<T>, pattern: &str) -> Result<Self, NoSuchParameter> {
        Ok(Self::of_ids(params, params.matching(pattern)?))
    }

    fn of_ids(params: &Params<T>, ids: Vec<ParamId>) -> Self {
        let save = |id| {
            let entry = params.entry(id);
            let shape = entry.shape.dims().iter().map(|&n| n as u64).collect();
            SavedParameter { name: entry.name.clone(), shape, values: params[id].to_vec() }
        };
        ModelFile {
            sizes: String::new(),
            activation: String::new(),
            encoder: Encoder { columns: Vec::new() },
            predictions: Predictions::Classes(Vec::new()),
            parameters: ids.into_iter().map(save).collect(),
            settings: String::new(),
            data_checksum: 0,
            checkpoint: None,
        }
    }

    /// Writes the file: first beside its place, synced, then renamed, so that there is never half a model.
    ///
    /// ```
    /// # use surprisal_layers::{Linear, rng};
    /// # use surprisal_tensor::Params;
    /// use surprisal_train::SavedModel;
    /// # let mut params = Params::new();
    /// # Linear::new(&mut params, "out", 2, 1, &mut rng(7));
    /// let saved = SavedModel::of(&params);
    /// let path = std::env::temp_dir().join(format!("surprisal-example-{}.surprisal", std::process::id()));
    /// saved.write(&path)?;
    /// let read = SavedModel::read(&path);
    /// std::fs::remove_file(&path)?;
    /// assert_eq!(read?, saved);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If it cannot be written; an existing file is unchanged.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), ModelFileError> {
        let path = path.as_ref();
        written(path, write_atomically(path, &self.to_bytes()))
    }

    /// As [`write`](ModelFile::write), without waiting for the disk: see [`write_unsynced`].
    ///
    /// # Errors
    /// If it cannot be written; an existing file is unchanged.
    pub fn write_unsynced(&self, path: impl AsRef<Path>) -> Result<(), ModelFileError> {
        let path = path.as_ref();
        written(path, write_unsynced(path, &self.to_bytes()))
    }

    /// Reads the file and checks all of it.
    ///
    /// ```
    /// use surprisal_train::SavedModel;
    /// let error = SavedModel::read("no-such-model.surprisal").unwrap_err();
    /// assert!(error.to_string().starts_with("no-such-model.surprisal: cannot read: "));
    /// ```
    ///
    /// # Errors
    /// If it is not such a file, of a later version or another number type, cut off, damaged, or contradicts itself: with the
    /// position, what was expected and what was found.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ModelFileError> {
        let path = path.as_ref();
        if path.is_dir() {
            let message = "is a folder | name the file in it, such as model.surprisal";
            return Err(ModelFileError::new(path, None, message.into()));
        }
        let bytes = surprisal_data::read_file(path)
            .map_err(|error| ModelFileError::new(path, None, format!("cannot read: {error}")))?;
        Self::from_bytes(&bytes, path)
    }

    /// Whether the parts fit each other.
    pub(crate) fn check(&self) -> Result<(), LoadError> {
        let mut names = HashSet::new();
        for SavedParameter { name, shape, values } in &self.parameters {
            if !names.insert(name) {
                return Err(LoadError::ParameterTwice { parameter: name.clone() });
            }
            let numbers = shape.iter().try_fold(1u64, |n, &axis| n.checked_mul(axis));
            if numbers != Some(values.len() as u64) {
                let (parameter, shape, found) = (name.clone(), shape.clone(), values.len());
                return Err(LoadError::Numbers { parameter, shape, found });
            }
        }
        if let Some(checkpoint) = &self.checkpoint {
            let numbers: usize = self.parameters.iter().map(|p| p.values.len()).sum();
            if checkpoint.best.as_ref().is_some_and(|best| best.len() != numbers) {
                return Err(LoadError::BestParameters { expected: numbers });
            }
        }
        if self.sizes.is_empty() {
            return Ok(());
        }
        let net: Architecture = self.sizes.parse().map_err(LoadError::Architecture)?;
        if net.sizes().is_some() {
            self.activation.parse::<Activation>().map_err(LoadError::Activation)?;
        }
        self.encoder.check().map_err(LoadError::Encoder)?;
        let plan = self.plan(&net)?;
        let outputs = plan.outputs();
        match &self.predictions {
            Predictions::Classes(names) | Predictions::Masks(names)
                if names.len() == outputs || (outputs == 1 && names.len() == 2) => {}
            Predictions::Classes(names) | Predictions::Masks(names) => {
                return Err(LoadError::ClassNames { outputs, found: names.len() });
            }
            Predictions::Number { .. } if outputs != 1 => {
                return Err(LoadError::Outputs { net, found: outputs });
            }
            Predictions::Number { offset, scale, .. } => {
                if !offset.is_finite() || !scale.is_finite() || *scale == 0.0 {
                    return Err(LoadError::TargetScaling { offset: *offset, scale: *scale });
                }
            }
        }
        // before memory is asked for: the net must be as large as the file says
        let found: usize = self.parameters.iter().map(|p| p.values.len()).sum();
        if plan.parameters() != found {
            return Err(LoadError::NumbersOfNet { net, expected: plan.parameters(), found });
        }
        let (_, params) = self.empty(&plan);
        self.places(&params, "*").map(drop)
    }

    /// Where in the file each parameter that a pattern means is, if it holds exactly these, and perhaps others that the pattern does not mean.
    fn places(&self, params: &Params<T>, pattern: &str) -> Result<Vec<usize>, LoadError> {
        let stored = self.parameters.iter().map(|parameter| Stored {
            name: parameter.name.clone(),
            dtype: format!("float{}", 8 * size_of::<T>()),
            float_bytes: Some(size_of::<T>()),
            shape: parameter.shape.iter().map(|&n| n as usize).collect(),
        });
        Layout::Surprisal.fit(params, pattern, &Vec::from_iter(stored)).map_err(LoadError::Misfits)
    }

    /// The net on the inputs that the encoder makes.
    pub(crate) fn plan(&self, net: &Architecture) -> Result<Plan, LoadError> {
        let planned = match self.predictions {
            Predictions::Masks(_) => net.plan_images(&[self.encoder.width()]),
            _ => net.plan(&[self.encoder.width()]),
        };
        planned.map_err(|error| match error {
            ArchitectureError::Inputs { net, expected, found } => LoadError::Inputs { net, expected, found },
            error => LoadError::Architecture(error),
        })
    }

    pub(crate) fn empty(&self, plan: &Plan) -> (Sequential, Params<T>) {
        let mut params = Params::default();
        let activation = self.activation.parse().unwrap_or_default(); // checked before
        let zeros = Init::Zeros;
        let model = Sequential::with_init(&mut params, plan, activation, zeros, zeros, &mut rng(0));
        (model, params)
    }

    /// The net and its parameters, ready to be run.
    ///
    /// # Errors
    /// If the parts contradict each other, which those of a model that was read do not; if a parameter is not finite; if it is a model of
    /// one's own.
    pub fn load(&self) -> Result<(Sequential, Params<T>), LoadError> {
        self.check()?;
        if self.sizes.is_empty() {
            return Err(LoadError::NoSizes);
        }
        let (model, mut params) =
            self.empty(&self.plan(&self.sizes.parse().map_err(LoadError::Architecture)?)?);
        self.load_into(&mut params)?;
        Ok((model, params))
    }

    /// Copies the parameters to a model of the same layout.
    ///
    /// ```
    /// # use surprisal_layers::{Linear, rng};
    /// # use surprisal_tensor::Params;
    /// use surprisal_train::SavedModel;
    /// let mut params = Params::new();
    /// let out = Linear::new(&mut params, "out", 2, 1, &mut rng(7));
    /// let saved = SavedModel::of(&params);
    /// params[out.weight].fill(0.0);
    /// saved.load_into(&mut params)?;
    /// assert_eq!(params[out.weight], saved.parameters[0].values);
    ///
    /// let mut others = Params::new();
    /// Linear::new(&mut others, "output", 2, 1, &mut rng(7));
    /// let error = saved.load_into(&mut others).unwrap_err();
    /// assert!(error.to_string().contains("\"output.weight\""), "{error}");
    /// # Ok::<(), surprisal_train::LoadError>(())
    /// ```
    ///
    /// # Errors
    /// If the layout is another: which parameters differ, and how; and if a number is not finite. Then nothing was copied.
    pub fn load_into(&self, params: &mut Params<T>) -> Result<(), LoadError> {
        self.copy(params, params.ids().collect(), "*")
    }

    /// [`load_into`](Self::load_into), only of the parameters that a pattern means, such as a scope's name: all of these have to be in the
    /// file, and nothing else whose name the pattern means. What else is in the file, and in the model, does not matter.
    ///
    /// ```
    /// use surprisal_layers::{Linear, rng};
    /// use surprisal_tensor::Params;
    /// use surprisal_train::SavedModel;
    /// let mut params = Params::<f32>::new();
    /// let [critic, generator] = ["critic", "generator"]
    ///     .map(|net| Linear::new(&mut params.scope(net), "out", 2, 1, &mut rng(7)));
    /// let saved = SavedModel::of_named(&params, "critic")?;
    /// params.as_mut_slice().fill(0.0);
    /// saved.load_into_named(&mut params, "critic")?;
    /// assert_eq!((params[critic.weight].len(), &params[generator.weight]), (2, &[0.0, 0.0][..]));
    /// assert_eq!(params[critic.weight], saved.parameters[0].values);
    /// assert!(saved.load_into(&mut params).unwrap_err().to_string().contains("\"generator.out.weight\": expected [2, 1], found none"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`load_into`](Self::load_into), and if the pattern means no parameter.
    pub fn load_into_named(&self, params: &mut Params<T>, pattern: &str) -> Result<(), LoadError> {
        let ids = params.matching(pattern).map_err(LoadError::NoSuchParameter)?;
        self.copy(params, ids, pattern)
    }

    fn copy(&self, params: &mut Params<T>, ids: Vec<ParamId>, pattern: &str) -> Result<(), LoadError> {
        let meant = |parameter: &&SavedParameter<T>| name_matches(&parameter.name, pattern);
        for SavedParameter { name, values, .. } in self.parameters.iter().filter(meant) {
            if let Some(at) = values.iter().position(|x| !x.is_finite()) {
                let (parameter, found) = (name.clone(), values[at].value());
                return Err(LoadError::NotFinite { parameter, place: at, found });
            }
        }
        for (id, place) in ids.into_iter().zip(self.places(params, pattern)?) {
            params[id].copy_from_slice(&self.parameters[place].values);
        }
        Ok(())
    }
}

fn written(path: &Path, outcome: std::io::Result<()>) -> Result<(), ModelFileError> {
    outcome.map_err(|error| {
        let advice = advice(path, &error);
        ModelFileError::new(path, None, format!("cannot write: {error} | {advice}"))
    })
}
