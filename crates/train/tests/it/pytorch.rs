//! Parameters go to PyTorch and come back, in safetensors and NPZ: the same logits on both sides, to 1e-6, and the same bits of parameters.

use std::path::PathBuf;
use std::process::Command;

use surprisal_data::{NpyArray, Npz, write_npz};
use surprisal_layers::{
    Activation, Architecture, BatchNorm1d, Embedding, Init, Layer, LayerNorm, Linear, Mlp, Relu, Sequential,
    rng,
};
use surprisal_tensor::ndarray::{Array2, ArrayD, array};
use surprisal_tensor::{Params, Workspace};
use surprisal_train::interchange::safetensors_arrays;
use surprisal_train::{Layout, load_npz, load_safetensors, save_npz, save_safetensors};

/// A Python that can import these, or a word on why not.
pub fn python(packages: &str) -> Option<String> {
    let python = std::env::var("SURPRISAL_PYTHON").unwrap_or_else(|_| "python3".into());
    let there = Command::new(&python).args(["-c", &format!("import {packages}")]).output();
    if there.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    eprintln!("skipped: {python} cannot import {packages}; SURPRISAL_PYTHON names one that can");
    None
}

fn logits(model: &impl Layer, params: &Params<f32>, x: &Array2<f32>) -> ArrayD<f32> {
    Workspace::new().eval(params, |tape| model.forward(tape.input(x)))
}

#[track_caller]
fn assert_near(name: &str, found: &ArrayD<f32>, expected: &ArrayD<f32>) {
    assert_eq!(found.shape(), expected.shape());
    let gap = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(gap <= 1e-6, "{name}: logits differ by {gap}");
}

#[test]
fn a_model_gives_the_same_logits_here_and_in_pytorch() {
    let Some(python) = python("torch, numpy") else { return };
    let folder: PathBuf = std::env::temp_dir().join(format!("surprisal-pytorch-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let at = |name: &str| folder.join(name);

    let mut params = Params::new();
    let model = Mlp::new(&mut params, &"4-8-8-3".parse().unwrap(), Activation::Tanh, &mut rng(3));
    let x = array![[0.5f32, -1.0, 2.0, 0.1], [1.5, 0.0, -0.3, 0.7], [-2.0, 0.4, 0.2, 1.0]];
    let net = "2x6x6-conv(4,3x2,padding=1,bias=false)-batchnorm-relu-maxpool(2)-convt(6,2,stride=2,groups=2)-groupnorm(3)\
        -avgpool(3x2,stride=1,padding=1)-upsample(2,bilinear)-silu-3";
    let plan = net.parse::<Architecture>().unwrap().plan(&[72]).unwrap();
    let mut image_params = Params::new();
    let (relu, init) = (Activation::Relu, Init::Linear);
    let images = Sequential::with_init(&mut image_params, &plan, relu, init, init, &mut rng(1));
    let pixels = Array2::from_shape_fn((3, 72), |(row, k)| ((72 * row + k) as f32).sin());
    let mut arrays = Vec::new();
    for (name, params, x, logits) in [
        ("dense", &params, &x, logits(&model, &params, &x)),
        ("convolutional", &image_params, &pixels, logits(&images, &image_params, &pixels)),
    ] {
        save_safetensors(at(&format!("{name}.safetensors")), params, Layout::PyTorch).unwrap();
        save_npz(at(&format!("{name}.npz")), params, Layout::PyTorch).unwrap();
        arrays.push((format!("{name}_x"), NpyArray::new(x.shape(), x.as_slice().unwrap())));
        arrays.push((format!("{name}_logits"), NpyArray::new(logits.shape(), logits.as_slice().unwrap())));
    }
    write_npz(at("given.npz"), arrays.iter().map(|(name, array)| (name.as_str(), array))).unwrap();

    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pytorch/round_trip.py");
    let output = Command::new(python).arg(script).arg(&folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    for (name, params) in [("dense", &params), ("convolutional", &image_params)] {
        let [mut tensors, mut npz] = [(); 2].map(|()| params.map(|_| 0.0f32));
        load_safetensors(at(&format!("{name}_back.safetensors")), &mut tensors, Layout::PyTorch).unwrap();
        load_npz(at(&format!("{name}_back.npz")), &mut npz, Layout::PyTorch).unwrap();
        let bits =
            |params: &Params<f32>| Vec::from_iter(params.as_slice().iter().map(|number| number.to_bits()));
        assert_eq!((bits(&tensors), bits(&npz)), (bits(params), bits(params)), "{name}");
    }

    let expected = Npz::read(at("expected.npz")).unwrap();
    let expected = |name: &str| expected.array(name).unwrap().array_f32().unwrap();
    for name in ["plain", "dropout", "bfloat16"] {
        params.as_mut_slice().fill(0.0);
        load_safetensors(at(&format!("{name}.safetensors")), &mut params, Layout::PyTorch).unwrap();
        assert_near(name, &logits(&model, &params, &x), &expected(name));
        if name != "bfloat16" {
            params.as_mut_slice().fill(0.0);
            load_npz(at(&format!("{name}.npz")), &mut params, Layout::PyTorch).unwrap();
            assert_near(name, &logits(&model, &params, &x), &expected(name));
        }
    }

    let mut params = Params::new();
    let norm = BatchNorm1d::new(&mut params, "in", 4);
    let hidden = Linear::new(&mut params, "hidden", 4, 4, &mut rng(1));
    let named = (norm, hidden, Relu, LayerNorm::new(&mut params, "norm", 4));
    let named = (named, Linear::new(&mut params, "out", 4, 3, &mut rng(1)));
    load_safetensors(at("named.safetensors"), &mut params, Layout::PyTorch).unwrap();
    assert_near("named", &logits(&named, &params, &x), &expected("named"));
    let from_safetensors = params.as_slice().to_vec();
    params.as_mut_slice().fill(0.0);
    load_npz(at("named.npz"), &mut params, Layout::PyTorch).unwrap();
    assert_eq!(params.as_slice(), from_safetensors);

    let mut params = image_params;
    load_safetensors(at("images.safetensors"), &mut params, Layout::PyTorch).unwrap();
    let pixels = expected("pixels").into_dimensionality().unwrap();
    assert_near("images", &logits(&images, &params, &pixels), &expected("images"));
    save_safetensors(at("again.safetensors"), &params, Layout::PyTorch).unwrap();
    let names = |file: &str| {
        let arrays = safetensors_arrays(&std::fs::read(at(file)).unwrap(), file).unwrap();
        let array = |(name, _, shape): (String, String, Vec<usize>)| (name, shape);
        std::collections::BTreeMap::from_iter(arrays.into_iter().map(array))
    };
    let mut there = names("images.safetensors");
    there.remove("1.num_batches_tracked");
    assert_eq!(names("again.safetensors"), there);

    let mut params = Params::new();
    let words = Embedding::new(&mut params, "word", 5, 3, &mut rng(1));
    load_npz(at("words.npz"), &mut params, Layout::PyTorch).unwrap();
    let rows = Workspace::new().eval(&params, |tape| words.forward(tape.input(&array![4.0, 0.0, 4.0])));
    assert_near("words", &rows, &expected("words"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_python_package_safetensors_reads_and_writes_the_same_arrays() {
    let Some(python) = python("numpy, safetensors.numpy") else { return };
    let folder: PathBuf = std::env::temp_dir().join(format!("surprisal-safetensors-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut params = Params::<f32>::new();
    let model = Mlp::new(&mut params, &"4-8-8-3".parse().unwrap(), Activation::Tanh, &mut rng(3));
    let x = array![[0.5f32, -1.0, 2.0, 0.1], [1.5, 0.0, -0.3, 0.7]];
    let wide = params.cast::<f64>().map(|number| number / 3.0); // digits that f32 does not have
    for (layout, name) in [(Layout::PyTorch, "pytorch"), (Layout::Surprisal, "surprisal")] {
        save_safetensors(folder.join(format!("{name}.safetensors")), &params, layout).unwrap();
        save_safetensors(folder.join(format!("{name}_wide.safetensors")), &wide, layout).unwrap();
    }
    let given = logits(&model, &params, &x);
    let arrays = [
        ("x", NpyArray::new(&[2, 4], x.as_slice().unwrap())),
        ("logits", NpyArray::new(&[2, 3], given.as_slice().unwrap())),
    ];
    write_npz(folder.join("given.npz"), arrays.iter().map(|(name, array)| (*name, array))).unwrap();

    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pytorch/arrays.py");
    let output = Command::new(python).arg(script).arg(&folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    for (layout, name) in [(Layout::PyTorch, "pytorch"), (Layout::Surprisal, "surprisal")] {
        let (mut back, mut wide_back) = (params.map(|_| 0.0), wide.map(|_| 0.0));
        load_safetensors(folder.join(format!("{name}_back.safetensors")), &mut back, layout).unwrap();
        load_safetensors(folder.join(format!("{name}_wide_back.safetensors")), &mut wide_back, layout)
            .unwrap();
        assert_eq!((back.as_slice(), wide_back.as_slice()), (params.as_slice(), wide.as_slice()), "{name}");
        let bytes = |name: String| std::fs::read(folder.join(name)).unwrap();
        let arrays = |name: String| safetensors_arrays(&bytes(name.clone()), &name).unwrap();
        assert_eq!(arrays(format!("{name}.safetensors")), arrays(format!("{name}_back.safetensors")));
    }
    std::fs::remove_dir_all(folder).unwrap();
}
