//! What is handed bytes that anybody may have written. None of it may panic, or take more memory than the bytes justify.
//!
//! `cargo fuzz run --fuzz-dir crates/fuzz -s none NAME` looks for counterexamples as long as it is let (sanitizers need a nightly
//! compiler); `crates/surprisal/tests/it/fuzz.rs` tries some thousands of changes to `corpus/NAME` with every test run.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use surprisal::data::{DataSource, Dataset, NpyArray, Npz, features_from_csv, read_idx, read_png};
use surprisal::layers::{Activation, Architecture, Init, Mlp, Sizes, rng};
use surprisal::optim::{OptimizerKind, Schedule};
use surprisal::tensor::Params;
use surprisal::train::{
    Layout, LoadError, OnnxOutput, SavedModel, load_onnx_bytes, load_safetensors_bytes, onnx_bytes,
};
use surprisal_run::{Groups, Hidden, Settings};

/// A model file; and once more with a header that fits the body, since a checksum keeps changes from getting further.
pub fn checkpoint(bytes: &[u8]) {
    let _ = SavedModel::from_bytes(bytes, "fuzz");
    let body = bytes.get(24..).unwrap_or_default();
    for version in [1, 2, 3] {
        let mut forged = [&b"SURPRISL"[..], &[version, 0, 4, 0]].concat();
        forged.extend((body.len() as u64).to_le_bytes());
        forged.extend(crc32fast::hash(body).to_le_bytes());
        forged.extend(body);
        if let Ok(model) = SavedModel::from_bytes(&forged, "fuzz")
            && !model.sizes.is_empty()
        {
            // a net that was read can be loaded, unless its numbers are no numbers
            if let Err(error) = model.load() {
                assert!(matches!(error, LoadError::NotFinite { .. }), "{error}");
            }
        }
    }
}

pub fn safetensors(bytes: &[u8]) {
    for layout in [Layout::Surprisal, Layout::PyTorch] {
        let mut params = Params::new();
        Mlp::new(&mut params, &Sizes::new(&[2, 3, 1]).expect("three sizes"), Activation::Relu, &mut rng(1));
        let before = params.as_slice().to_vec();
        let loaded = load_safetensors_bytes(bytes, "fuzz", &mut params, layout);
        if let Err(error) = loaded {
            let _ = error.to_string();
            assert_eq!(params.as_slice(), before, "a file that is refused changes nothing");
        }
    }
}

pub fn onnx(bytes: &[u8]) {
    let model = match load_onnx_bytes(bytes, "fuzz") {
        Ok(model) => model,
        Err(error) => return drop(error.to_string()),
    };
    if let Err(error) = model.load() {
        assert!(matches!(error, LoadError::NotFinite { .. }), "{error}");
    } else if let Ok(written) = onnx_bytes(&model, OnnxOutput::Logits) {
        assert_eq!(load_onnx_bytes(&written, "fuzz").expect("it was written by us"), model);
    }
}

pub fn npz(bytes: &[u8]) {
    let Ok(npz) = Npz::from_bytes(bytes.to_vec(), "fuzz") else { return };
    for name in npz.names() {
        if let (Ok((dtype, shape)), Ok(array)) = (npz.header(name), npz.array(name)) {
            assert_eq!((dtype, &shape[..]), (array.dtype(), array.shape()));
        }
    }
}

pub fn npy(bytes: &[u8]) {
    let Ok(array) = NpyArray::from_bytes(bytes.to_vec(), "fuzz") else { return };
    let _ = array.array_i64();
    let _ = array.array_f32();
    if let Ok(numbers) = array.array_f64() {
        assert_eq!(numbers.shape(), array.shape());
    }
}

pub fn idx(bytes: &[u8]) {
    if let Ok(idx) = read_idx(bytes, "fuzz") {
        assert_eq!(idx.dims.iter().product::<usize>(), idx.values.len());
    }
}

pub fn png(bytes: &[u8]) {
    if let Ok(image) = read_png(bytes, "fuzz") {
        assert!(image.iter().all(|pixel| (0.0..=255.0).contains(pixel)));
    }
}

pub fn csv(bytes: &[u8]) {
    if let Ok(data) = Dataset::from_csv(bytes, "fuzz", "label") {
        data.check().expect("what is read is whole");
    }
    let _ = features_from_csv(bytes, "fuzz", &["width", "height"]);
}

/// Text that names a model, data, or how to train: what stands on a command line.
pub fn model_spec(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    comes_back::<Sizes>(text);
    comes_back::<Architecture>(text);
    comes_back::<Hidden>(text);
    comes_back::<Schedule>(text);
    comes_back::<Groups>(text);
    comes_back::<DataSource>(text);
    comes_back::<OptimizerKind>(text);
    comes_back::<Activation>(text);
    comes_back::<Init>(text);
    let _ = text.parse::<Layout>();
}

/// What is read is written as text that is read as the same.
fn comes_back<T: FromStr<Err: Debug + Display> + Display + Debug + PartialEq>(text: &str) {
    match text.parse::<T>() {
        Ok(value) => assert_eq!(value.to_string().parse::<T>().expect("it was written by us"), value),
        Err(error) => drop(error.to_string()),
    }
}

/// A file of settings.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Settings::from_toml(text, "fuzz") {
        Ok(settings) => {
            let again = Settings::from_toml(&settings.to_toml(), "fuzz");
            assert_eq!(again.expect("it was written by us"), settings);
        }
        Err(error) => drop(error.to_string()),
    }
}
