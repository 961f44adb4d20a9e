//! Files and texts that were changed at random: nothing panics, and memory follows the size of the file.

#[path = "../../../fuzz/targets.rs"]
mod targets;

use std::fs;
use std::ops::ControlFlow;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use crate::counting::{HELD, MOST};
use rand::{Rng, RngExt};
use surprisal::data::{EncodedColumn, Encoder, Encoding, NpyArray, Targets, npz_bytes};
use surprisal::prelude::*;
use surprisal::tensor::ndarray::ArrayD;
use surprisal::train::{
    At, Callback, Checkpoint, Epoch, Examples, Layout, OnnxOutput, Predictions, SavedModel, Trainer,
    onnx_bytes, save_safetensors,
};

/// What reads bytes.
type Reader = fn(&[u8]);

/// So much memory for messages and small models.
const BASE: usize = 64 << 10;

/// Each target, the memory that it may take for any file, and how many bytes for each of the file's.
///
/// serde reserves up to 1 MiB for a list that a model file claims, and has two of them open at a time. Deflate makes 1032 bytes of
/// one, and a vector that grows holds them up to three times. A byte of a PNG image has up to eight pixels, each of which becomes a byte and
/// a number of eight bytes. A node of an ONNX file has two bytes or more; an image that it states, of up to 2^20 numbers, has as many columns,
/// but no change makes those here so large.
const TARGETS: [(&str, Reader, usize, usize); 10] = [
    ("checkpoint", targets::checkpoint, (2 << 20) + BASE, 100),
    ("safetensors", targets::safetensors, BASE, 100),
    ("onnx", targets::onnx, BASE, 600),
    ("npz", targets::npz, BASE, 3 * 1032),
    ("npy", targets::npy, BASE, 100),
    ("idx", targets::idx, BASE, 3 * 1032),
    ("png", targets::png, 4 * BASE, 1032 * 8 * 25),
    ("csv", targets::csv, BASE, 100),
    ("model_spec", targets::model_spec, BASE, 100),
    ("config", targets::config, BASE, 100),
];

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target)
}

/// The files that a target starts from, in the order of their names.
fn starts(target: &str) -> Vec<Vec<u8>> {
    let files = fs::read_dir(corpus(target)).unwrap();
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// One to four changes: a bit, a byte, a number, a part cut out, doubled or taken from another file.
fn changed(start: &[u8], other: &[u8], rng: &mut impl Rng) -> Vec<u8> {
    let mut bytes = start.to_vec();
    for _ in 0..rng.random_range(1..=4) {
        let at = rng.random_range(0..=bytes.len());
        let end = rng.random_range(at..=bytes.len().min(at + 64));
        match rng.random_range(0..8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.random_range(0..8),
            1 if at < bytes.len() => bytes[at] = rng.random(),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..end)),
            4 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
            5 => {
                let from = rng.random_range(0..=other.len());
                let part = &other[from..other.len().min(from + 64)];
                bytes.splice(at..end, part.iter().copied());
            }
            6 => {
                // a number of 1 to 8 bytes, as large as can be or a power of 2
                let number: u64 = if rng.random() { u64::MAX } else { 1 << rng.random_range(0..64) };
                let size = rng.random_range(1..=8).min(bytes.len() - at);
                bytes[at..at + size].copy_from_slice(&number.to_le_bytes()[..size]);
            }
            _ => {
                // in text, the next number
                let digits = |byte: &u8| byte.is_ascii_digit();
                let Some(at) = bytes[at..].iter().position(digits).map(|next| at + next) else { continue };
                let end = at + bytes[at..].iter().take_while(|byte| digits(byte)).count();
                let numbers = [
                    "0",
                    "-1",
                    "1152921504606846976",
                    "18446744073709551615",
                    "1e308",
                    "99999999999999999999",
                ];
                bytes.splice(at..end, numbers[rng.random_range(0..numbers.len())].bytes());
            }
        }
    }
    bytes
}

/// The first changed file that makes the target panic or take too much memory, and what it did.
fn counterexample(
    target: Reader,
    base: usize,
    factor: usize,
    starts: &[Vec<u8>],
    tries: usize,
) -> Option<(Vec<u8>, String)> {
    let mut rng = rng(20);
    let tried = starts.iter().cloned().map(Some).chain((0..tries).map(|_| None));
    for start in tried {
        let pick = |rng: &mut surprisal::layers::Rng| &starts[rng.random_range(0..starts.len())];
        let bytes = start.unwrap_or_else(|| changed(pick(&mut rng), pick(&mut rng), &mut rng));
        let before = HELD.get();
        MOST.set(before);
        if catch_unwind(|| target(&bytes)).is_err() {
            return Some((bytes, "panic".into()));
        }
        let taken = MOST.get() - before;
        if taken > base + factor * bytes.len() {
            let told = format!("{taken} bytes of memory for {} of the file", bytes.len());
            return Some((bytes, told));
        }
    }
    None
}

#[test]
fn no_changed_file_makes_a_reader_panic_or_take_memory() {
    for (name, target, base, factor) in TARGETS {
        let starts = starts(name);
        assert!(!starts.is_empty(), "{name} has no files to start from");
        if let Some((bytes, told)) = counterexample(target, base, factor, &starts, 20_000) {
            panic!("{name}: {told}: {:?}", String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn planted_faults_are_found() {
    let starts = starts("npy");
    let unchecked_version = |bytes: &[u8]| assert!(bytes.len() < 8 || bytes[6] <= 3);
    assert_eq!(counterexample(unchecked_version, BASE, 100, &starts, 20_000).unwrap().1, "panic");
    let believes_the_header = |bytes: &[u8]| {
        if let &[low, high, ..] = bytes.get(8..).unwrap_or_default() {
            drop(vec![0u8; 16 * usize::from(u16::from_le_bytes([low, high]))]);
        }
    };
    let found = counterexample(believes_the_header, BASE, 100, &starts, 20_000).unwrap().1;
    assert!(found.contains(" bytes of memory for "), "{found}");
}

/// Where a training of a net 2-3-1 stands, with a velocity and a best epoch.
fn checkpoint() -> Checkpoint<f32> {
    struct AtTheEnd(Option<Checkpoint<f32>>);
    impl Callback<f32> for AtTheEnd {
        fn on_epoch(&mut self, at: &At<f32>, _: &Epoch) -> ControlFlow<()> {
            self.0 = Some(at.checkpoint());
            ControlFlow::Continue(())
        }
    }
    let targets = Targets::Classes { labels: vec![0, 1], names: vec!["0".into(), "1".into()] };
    let rows = Examples { features: ArrayD::<f32>::zeros(vec![2, 2]), targets };
    let mut params = Params::new();
    let model = Mlp::new(&mut params, &"2-3-1".parse().unwrap(), Activation::Relu, &mut rng(1));
    params.as_mut_slice().fill(0.0); // so that the bits are the same on every machine
    let (mut last, mut sgd) = (AtTheEnd(None), Sgd::new(0.5).momentum(0.9));
    let trainer = Trainer { epochs: 1, batch_size: 2, keep_best: true, ..Trainer::default() };
    let training = trainer.on(&rows).validate(&rows).callback(&mut last);
    training.fit(&model, &mut params, &mut sgd).unwrap();
    last.0.unwrap()
}

/// What the readers are meant for: a small file of each kind.
fn files() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let mut params = Params::new();
    Mlp::new(&mut params, &"2-3-1".parse().unwrap(), Activation::Relu, &mut rng(1));
    let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
    let number = |name: &str, fill| EncodedColumn {
        name: name.into(),
        encoding: Encoding::Number { fill, offset: 0.5, scale: 2.0 },
    };
    let model = SavedModel {
        sizes: "2-3-1".into(),
        activation: "relu".into(),
        encoder: Encoder { columns: vec![number("width", Some(1.5)), number("height", None)] },
        predictions: Predictions::Classes(names(&["no", "yes"])),
        settings: "data = \"boxes.csv\"\n".into(),
        data_checksum: 1,
        ..SavedModel::of(&params)
    };
    let mut files = vec![("checkpoint", "mlp", model.to_bytes())];
    files.push(("onnx", "mlp", onnx_bytes(&model, OnnxOutput::Probabilities).unwrap()));
    let exported = Path::new(env!("CARGO_MANIFEST_DIR")).join("../train/tests/onnx/exported");
    for name in
        ["mlp_17_fixed", "parts_17", "parts_21_dynamo", "normalized_17", "sklearn_classes", "sklearn_two"]
    {
        files.push(("onnx", name, fs::read(exported.join(format!("{name}.onnx"))).unwrap()));
    }
    files.push(("checkpoint", "training", SavedModel { checkpoint: Some(checkpoint()), ..model }.to_bytes()));
    for layout in [Layout::Surprisal, Layout::PyTorch] {
        let place = std::env::temp_dir().join(format!("surprisal-fuzz-{}-{layout}", std::process::id()));
        save_safetensors(&place, &params, layout).unwrap();
        files.push((
            "safetensors",
            if layout == Layout::PyTorch { "pytorch" } else { "surprisal" },
            fs::read(&place).unwrap(),
        ));
        fs::remove_file(place).unwrap();
    }
    let x = NpyArray::new(&[3, 2], &[0.5f32, 1.0, 1.5, 2.0, 2.5, 3.0]);
    let y = NpyArray::new(&[3], &[0i64, 1, 0]);
    files.push(("npz", "stored", npz_bytes([("x", &x), ("y", &y)]).unwrap()));
    files.push(("npy", "float32", x.as_bytes().to_vec()));
    files.push(("npy", "int64", y.as_bytes().to_vec()));
    let numpy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/tests/numpy");
    files.push(("npz", "packed", fs::read(numpy.join("packed.npz")).unwrap()));
    files.push(("npy", "fortran", fs::read(numpy.join("float32_fortran_big_endian.npy")).unwrap()));
    files.push(("npy", "version3", fs::read(numpy.join("version3.npy")).unwrap()));
    files.push(("idx", "bytes", [&[0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3][..], b"pixels"].concat()));
    files.push(("csv", "table", b"width,height,label\n1.5,2,no\n-3e2,\"4\",yes\n".to_vec()));
    files.push(("csv", "quoted", "\u{feff}\"wi\"\"dth\",height,label\r\n1,2,\"a\nb\"\r\n\r\n3,4,c".into()));
    files.push(("model_spec", "sizes", b"784-128-64-10".to_vec()));
    files.push(("model_spec", "synthetic", b"moons:n=500,noise=0.25".to_vec()));
    files.push(("model_spec", "mnist", b"mnist:path/to/folder".to_vec()));
    files.push(("model_spec", "hidden", b"64-32".to_vec()));
    files.push((
        "model_spec",
        "schedule",
        b"plateau:patience=3,factor=0.5,threshold=0.001,least=1e-6".to_vec(),
    ));
    files.push(("model_spec", "groups", b"layer1:lr=0.01,weight_decay=0;*.bias:lr=1".to_vec()));
    files.push((
        "config",
        "table",
        b"data = \"pets.csv\"\ntarget = \"kind\"\nignore = [\"a\", \"b\"]\nepochs = 1_000\n".to_vec(),
    ));
    files.push((
        "config",
        "numbers",
        b"# all kinds\nlr = 1e-3\nnesterov = true\nseed = 7\nschedule = \"cosine:warmup=5\"\nmodel = '4-3'\n"
            .to_vec(),
    ));
    files
}

/// `UPDATE_CORPUS=1` writes them.
#[test]
fn the_corpus_starts_with_good_files() {
    for (target, name, bytes) in files() {
        let path = corpus(target).join(name);
        if std::env::var_os("UPDATE_CORPUS").is_some() {
            fs::create_dir_all(corpus(target)).unwrap();
            fs::write(&path, &bytes).unwrap();
        }
        assert!(fs::read(&path).is_ok_and(|there| there == bytes), "{}", path.display());
    }
}
