//! Import and export of parameters: [safetensors](https://huggingface.co/docs/safetensors), which PyTorch's users exchange, and
//! NumPy's NPZ; whole nets, with their encoders, as ONNX files: [`save_onnx`] and [`load_onnx`].
//!
//! ```
//! use surprisal_layers::{Activation, Mlp, rng};
//! use surprisal_tensor::Params;
//! use surprisal_train::{Layout, load_safetensors, save_safetensors};
//!
//! let (mut trained, mut fresh) = (Params::new(), Params::new());
//! Mlp::new(&mut trained, &"4-8-3".parse()?, Activation::Relu, &mut rng(1));
//! Mlp::new(&mut fresh, &"4-8-3".parse()?, Activation::Relu, &mut rng(2));
//!
//! let path = std::env::temp_dir().join(format!("surprisal-example-{}.safetensors", std::process::id()));
//! save_safetensors(&path, &trained, Layout::PyTorch)?;
//! load_safetensors(&path, &mut fresh, Layout::PyTorch)?;
//! assert_eq!(fresh.as_slice(), trained.as_slice());
//! # std::fs::remove_file(&path)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! In PyTorch that file is the `state_dict` of a plain `Sequential`:
//!
//! ```python
//! model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
//! model.load_state_dict(safetensors.torch.load_file("model.safetensors"))
//! ```

mod error;
mod layout;
mod onnx;
mod safetensors;

use std::path::Path;

pub(crate) use error::described;
pub use error::{InterchangeError, Misfit};
pub use layout::Layout;
pub(crate) use layout::Stored;
pub use onnx::{OnnxError, OnnxOutput, load_onnx, load_onnx_bytes, onnx_bytes, save_onnx};

use surprisal_data::{NpyArray, Npz, npz_bytes};
use surprisal_tensor::{ParamId, Params, Scalar};

use surprisal_report::files::write_atomically;

/// Writes all parameters, frozen ones and buffers too, to a safetensors file: `f32` as F32, `f64` as F64; of dual numbers, the values.
///
/// The layout stands in the file, `"format": "pt"` for [`Layout::PyTorch`] and `"surprisal"` for [`Layout::Surprisal`]. The same
/// parameters make the same bytes.
///
/// # Errors
/// If the file cannot be written; an existing file is unchanged.
pub fn save_safetensors<T: Scalar>(
    path: impl AsRef<Path>,
    params: &Params<T>,
    layout: Layout,
) -> Result<(), InterchangeError> {
    save_safetensors_named(path, params, ALL, layout)
}

/// [`save_safetensors`] of the parameters that a pattern means, such as a scope's name, under their full names.
///
/// See the example of [`load_safetensors_named`].
///
/// # Errors
/// As there, and if the pattern means no parameter.
pub fn save_safetensors_named<T: Scalar>(
    path: impl AsRef<Path>,
    params: &Params<T>,
    pattern: &str,
    layout: Layout,
) -> Result<(), InterchangeError> {
    write(path.as_ref(), &safetensors::to_bytes(params, pattern_ids(params, pattern)?, layout))
}

/// All parameters, as a pattern.
const ALL: &str = "*";

/// The parameters that a pattern matches; [`ALL`] may match none.
fn pattern_ids<T: Scalar>(params: &Params<T>, pattern: &str) -> Result<Vec<ParamId>, InterchangeError> {
    if pattern == ALL { Ok(params.ids().collect()) } else { Ok(params.matching(pattern)?) }
}

/// Reads all parameters from a safetensors file. Numbers keep their values: F16, BF16 and F32 are widened as needed, F64 is read
/// into `f64` only.
///
/// # Errors
/// If the file cannot be read, is damaged or says that it has the other layout, and if it does not hold exactly the parameters of
/// the model: then all that are missing, unexpected, of another shape or type are named. The parameters are as they were.
///
/// ```
/// use surprisal_layers::{Linear, rng};
/// use surprisal_tensor::Params;
/// use surprisal_train::{Layout, load_safetensors, save_safetensors};
/// # let path = std::env::temp_dir().join(format!("surprisal-example-{}-f64.safetensors", std::process::id()));
/// let mut doubles = Params::<f64>::default();
/// Linear::new(&mut doubles, "out", 2, 1, &mut rng(1));
/// save_safetensors(&path, &doubles, Layout::Surprisal)?;
///
/// let mut params = doubles.cast::<f32>();
/// let error = load_safetensors(&path, &mut params, Layout::Surprisal).unwrap_err();
/// assert!(error.to_string().contains("\"out.weight\": expected float16, bfloat16, float32, found float64"));
/// // where rounding is meant
/// load_safetensors(&path, &mut doubles, Layout::Surprisal)?;
/// params = doubles.cast();
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn load_safetensors<T: Scalar>(
    path: impl AsRef<Path>,
    params: &mut Params<T>,
    layout: Layout,
) -> Result<(), InterchangeError> {
    load_safetensors_named(path, params, ALL, layout)
}

/// [`load_safetensors`], only of the parameters that a pattern means, such as a scope's name: all of these have to be in the file, and
/// nothing else whose name the pattern means. What else is in the file, and in the model, does not matter.
///
/// ```
/// use surprisal_layers::{Activation, Linear, Mlp, rng};
/// use surprisal_tensor::Params;
/// use surprisal_train::{Layout, load_safetensors_named, save_safetensors};
/// # let path = std::env::temp_dir().join(format!("surprisal-example-{}-part.safetensors", std::process::id()));
/// let mut pretrained = Params::<f32>::new();
/// Mlp::new(&mut pretrained.scope("encoder"), &"4-8-3".parse()?, Activation::Relu, &mut rng(1));
/// Linear::new(&mut pretrained, "head", 3, 10, &mut rng(1));
/// save_safetensors(&path, &pretrained, Layout::Surprisal)?;
///
/// let mut params = Params::<f32>::new();
/// let encoder = Mlp::new(&mut params.scope("encoder"), &"4-8-3".parse()?, Activation::Relu, &mut rng(2));
/// let head = Linear::new(&mut params, "another_head", 3, 2, &mut rng(2));
/// load_safetensors_named(&path, &mut params, "encoder", Layout::Surprisal)?;
/// assert_eq!(params.norm_named("encoder")?, pretrained.norm_named("encoder")?);
///
/// let error = load_safetensors_named(&path, &mut params, "another_head", Layout::Surprisal).unwrap_err();
/// assert!(error.to_string().contains("\"another_head.weight\": expected [3, 2], found none"), "{error}");
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`load_safetensors`], and if the pattern means no parameter.
pub fn load_safetensors_named<T: Scalar>(
    path: impl AsRef<Path>,
    params: &mut Params<T>,
    pattern: &str,
    layout: Layout,
) -> Result<(), InterchangeError> {
    let path = path.as_ref();
    let bytes = surprisal_data::read_file(path)
        .map_err(|error| InterchangeError::Unreadable { path: path.into(), error })?;
    load_safetensors_part(&bytes, path, params, pattern, layout)
}

/// [`load_safetensors`], from bytes; `path` is for the messages.
///
/// # Errors
/// As there.
///
/// ```
/// use surprisal_tensor::{Params, ndarray::array};
/// use surprisal_train::{Layout, load_safetensors_bytes};
///
/// let header = br#"{"w":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}"#;
/// let file = [&(header.len() as u64).to_le_bytes(), &header[..], &[0xc0, 0x3f]].concat();
/// let mut params = Params::new();
/// let w = params.add("w", &array![0.0]);
/// load_safetensors_bytes(&file, "w.safetensors", &mut params, Layout::PyTorch)?;
/// assert_eq!(params[w], [1.5]);
/// # Ok::<(), surprisal_train::InterchangeError>(())
/// ```
pub fn load_safetensors_bytes<T: Scalar>(
    bytes: &[u8],
    path: impl AsRef<Path>,
    params: &mut Params<T>,
    layout: Layout,
) -> Result<(), InterchangeError> {
    load_safetensors_part(bytes, path.as_ref(), params, ALL, layout)
}

fn load_safetensors_part<T: Scalar>(
    bytes: &[u8],
    path: &Path,
    params: &mut Params<T>,
    pattern: &str,
    layout: Layout,
) -> Result<(), InterchangeError> {
    let (stated, tensors) = parsed(bytes, path)?;
    if let Some(stated) = stated.filter(|&stated| stated != layout) {
        return Err(InterchangeError::OtherLayout { path: path.into(), stated });
    }
    let stored = tensors.iter().map(safetensors::Tensor::stored).collect();
    layout.load(path, params, pattern, stored, |k| Ok(tensors[k].values()))
}

fn parsed<'a>(
    bytes: &'a [u8],
    path: &Path,
) -> Result<(Option<Layout>, Vec<safetensors::Tensor<'a>>), InterchangeError> {
    safetensors::parse(bytes).map_err(|(at, message)| InterchangeError::Damaged {
        path: path.into(),
        at,
        message,
    })
}

/// Name, type and shape of every array in the bytes of a safetensors file, as in its header, by name; `path` is for the
/// messages.
///
/// # Errors
/// If the file is damaged: its arrays have to fill it without a gap, each with the bytes of its type and shape, and each name
/// stands once.
///
/// ```
/// use surprisal_train::interchange::safetensors_arrays;
/// let header = br#"{"w":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}"#;
/// let file = [&(header.len() as u64).to_le_bytes(), &header[..], &[0; 4]].concat();
/// assert_eq!(safetensors_arrays(&file, "w.safetensors")?, [("w".into(), "BF16".into(), vec![2])]);
/// assert!(safetensors_arrays(&file[..file.len() - 1], "w.safetensors").is_err());
/// # Ok::<(), surprisal_train::InterchangeError>(())
/// ```
pub fn safetensors_arrays(
    bytes: &[u8],
    path: impl AsRef<Path>,
) -> Result<Vec<(String, String, Vec<usize>)>, InterchangeError> {
    let path = path.as_ref();
    let (_, tensors) = parsed(bytes, path)?;
    let mut arrays = Vec::from_iter(tensors.iter().map(safetensors::Tensor::header));
    arrays.sort();
    Ok(arrays)
}

/// Writes all parameters, frozen ones and buffers too, to an NPZ file, as `np.savez(path, **arrays)` does: `f32` as float32, `f64` as float64.
///
/// # Errors
/// If the file cannot be written, or they take more than 4 GiB; an existing file is unchanged.
///
/// ```
/// use surprisal_layers::{Linear, rng};
/// use surprisal_tensor::Params;
/// use surprisal_train::{Layout, load_npz, save_npz};
/// # let path = std::env::temp_dir().join(format!("surprisal-example-{}-params.npz", std::process::id()));
/// let mut params = Params::new();
/// Linear::new(&mut params, "out", 3, 2, &mut rng(1));
/// save_npz(&path, &params, Layout::PyTorch)?;
/// let npz = surprisal_data::Npz::read(&path)?;
/// assert_eq!(npz.array("out.weight")?.shape(), [2, 3]); // PyTorch's order: outputs, inputs
///
/// let mut doubles = params.map(|_| 0.0f64);
/// load_npz(&path, &mut doubles, Layout::PyTorch)?;
/// assert_eq!(doubles.as_slice(), params.cast::<f64>().as_slice());
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn save_npz<T: Scalar>(
    path: impl AsRef<Path>,
    params: &Params<T>,
    layout: Layout,
) -> Result<(), InterchangeError> {
    save_npz_named(path, params, ALL, layout)
}

/// [`save_npz`] of the parameters that a pattern means, such as a scope's name, under their full names.
///
/// See the example of [`load_npz_named`].
///
/// # Errors
/// As there, and if the pattern means no parameter.
pub fn save_npz_named<T: Scalar>(
    path: impl AsRef<Path>,
    params: &Params<T>,
    pattern: &str,
    layout: Layout,
) -> Result<(), InterchangeError> {
    let arrays = layout.arrays(params, pattern_ids(params, pattern)?).map(|(name, shape, values)| {
        let array = match Layout::float_bytes::<T>() {
            4 => NpyArray::new(&shape, &values.iter().map(|&value| value as f32).collect::<Vec<_>>()),
            _ => NpyArray::new(&shape, &values),
        };
        (name, array)
    });
    let arrays: Vec<(String, NpyArray)> = arrays.collect();
    write(path.as_ref(), &npz_bytes(arrays.iter().map(|(name, array)| (name.as_str(), array)))?)
}

/// Reads all parameters from an NPZ file; numbers keep their values, float16 and float32 are widened as needed.
///
/// An NPZ file does not say which layout it has: a weight of as many outputs as inputs fits both.
///
/// # Errors
/// As [`load_safetensors`].
pub fn load_npz<T: Scalar>(
    path: impl AsRef<Path>,
    params: &mut Params<T>,
    layout: Layout,
) -> Result<(), InterchangeError> {
    load_npz_named(path, params, ALL, layout)
}

/// [`load_npz`], only of the parameters that a pattern means, as [`load_safetensors_named`].
///
/// ```
/// use surprisal_layers::{Linear, rng};
/// use surprisal_tensor::Params;
/// use surprisal_train::{Layout, load_npz_named, save_npz_named};
/// # let path = std::env::temp_dir().join(format!("surprisal-example-{}-part.npz", std::process::id()));
/// let mut params = Params::<f32>::new();
/// let [critic, generator] = ["critic", "generator"]
///     .map(|net| Linear::new(&mut params.scope(net), "out", 3, 2, &mut rng(1)));
/// save_npz_named(&path, &params, "critic", Layout::PyTorch)?;
///
/// let saved = params[critic.weight].to_vec();
/// params[critic.weight].fill(0.0);
/// load_npz_named(&path, &mut params, "critic", Layout::PyTorch)?;
/// assert_eq!(params[critic.weight], saved);
/// assert!(load_npz_named(&path, &mut params, "generator", Layout::PyTorch).is_err()); // it is not in the file
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`load_safetensors`], and if the pattern means no parameter.
pub fn load_npz_named<T: Scalar>(
    path: impl AsRef<Path>,
    params: &mut Params<T>,
    pattern: &str,
    layout: Layout,
) -> Result<(), InterchangeError> {
    let npz = Npz::read(&path)?;
    let names: Vec<&str> = npz.names().collect();
    let mut stored = Vec::new();
    for &name in &names {
        let (dtype, shape) = npz.header(name)?;
        stored.push(Stored {
            name: name.into(),
            dtype: dtype.to_string(),
            float_bytes: dtype.float_bytes(),
            shape,
        });
    }
    layout.load(path.as_ref(), params, pattern, stored, |k| {
        Ok(npz.array(names[k])?.array_f64()?.into_raw_vec_and_offset().0)
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), InterchangeError> {
    write_atomically(path, bytes).map_err(|error| InterchangeError::Unwritable { path: path.into(), error })
}
