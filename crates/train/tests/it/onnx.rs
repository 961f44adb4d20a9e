//! ONNX files. Every kind of net, in onnxruntime: raw rows in, the same logits and classes out, to 1e-6; and read again: the same model.
//! Files of PyTorch and skl2onnx: their logits, to 1e-6.

use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::expect;
use serde_json::{Map, Value, json};
use surprisal_data::{CsvOptions, EncodedColumn, Encoder, Encoding, Unseen};
use surprisal_layers::{Activation, Architecture, Init, Sequential, rng};
use surprisal_tensor::Params;
use surprisal_tensor::ndarray::{Array2, Array3, Axis};
use surprisal_train::{
    OnnxOutput, Predictions, SavedModel, load_onnx, load_onnx_bytes, onnx_bytes, outputs, probabilities,
    save_onnx,
};

use crate::pytorch::python;

const ROWS: usize = 5;

/// A number from -1 to 1 for each k, without a pattern that a net could cancel.
fn wave(k: usize) -> f32 {
    (k as f32 * 12.9898).sin()
}

/// A net with parameters as after a training: no ones and zeros, and positive variances.
fn model(net: &str, activation: Activation, encoder: Encoder, predictions: Predictions) -> SavedModel {
    let parsed = net.parse::<Architecture>().unwrap();
    let plan = match predictions {
        Predictions::Masks(_) => parsed.plan_images(&[encoder.width()]),
        _ => parsed.plan(&[encoder.width()]),
    }
    .unwrap_or_else(|error| panic!("{net}: {error}"));
    let mut params = Params::new();
    let init = Init::KaimingUniform;
    Sequential::with_init(&mut params, &plan, activation, init, Init::Linear, &mut rng(7));
    let vectors = Vec::from_iter(params.ids().filter(|&id| params.entry(id).shape.rank() == 1));
    for id in vectors {
        let positive = ["weight", "running_var"].iter().any(|part| params.entry(id).name.ends_with(part));
        for (k, number) in params[id].iter_mut().enumerate() {
            *number = if positive { 1.0 + 0.4 * wave(k) } else { 0.3 * wave(k + 1) };
        }
    }
    SavedModel {
        sizes: plan.architecture().to_string(),
        activation: if plan.architecture().sizes().is_some() {
            activation.to_string()
        } else {
            String::new()
        },
        encoder,
        predictions,
        ..SavedModel::of(&params)
    }
}

fn classes(count: usize) -> Vec<String> {
    (0..count).map(|k| format!("class \"{k}\"")).collect()
}

fn numbers(columns: usize, scaling: impl Fn(usize) -> (f64, f64)) -> Encoder {
    let column = |k| {
        let (offset, scale) = scaling(k);
        EncodedColumn {
            name: format!("column {k}"),
            encoding: Encoding::Number { fill: None, offset, scale },
        }
    };
    Encoder { columns: (0..columns).map(column).collect() }
}

/// Writes the file, and beside it what its inputs are and what its outputs have to be.
fn write(
    folder: &Path,
    name: &str,
    model: &SavedModel,
    inputs: Map<String, Value>,
    encoded: &Array2<f64>,
    output: OnnxOutput,
) {
    save_onnx(folder.join(format!("{name}.onnx")), model, output).unwrap();
    let (net, params) = model.load().unwrap();
    let z = outputs(&net, &params, encoded.view()); // of masks, a row for each pixel
    let rows = encoded.nrows();
    let p = probabilities(z.view());
    // a row for each pixel becomes a channel for each class
    let by_channel = |values: &Array2<f64>| -> Vec<f64> {
        let pixels = values.nrows() / rows;
        let image = |row: usize| values.slice_axis(Axis(0), (row * pixels..(row + 1) * pixels).into());
        (0..rows).flat_map(|row| image(row).t().iter().copied().collect::<Vec<_>>()).collect()
    };
    let first_best =
        |row: &[f64]| (0..row.len()).fold(0, |best, k| if row[k] > row[best] { k } else { best });
    let wanted = match &model.predictions {
        Predictions::Number { offset, scale, .. } => {
            json!({"prediction": z.iter().map(|&z| offset + scale * f64::from(z)).collect::<Vec<_>>()})
        }
        _ => {
            let class = Vec::from_iter(p.rows().into_iter().map(|row| first_best(row.to_slice().unwrap())));
            match output {
                OnnxOutput::Logits => json!({"logits": by_channel(&z.mapv(f64::from)), "class": class}),
                OnnxOutput::Probabilities => json!({"probabilities": by_channel(&p), "class": class}),
            }
        }
    };
    let classes = match model.predictions.class_names() {
        [] => Value::Null,
        names => json!(names),
    };
    let text = json!({"inputs": inputs, "outputs": wanted, "classes": classes}).to_string();
    std::fs::write(folder.join(format!("{name}.json")), text).unwrap();
}

/// Of a net whose columns are numbers.
fn write_numbers(folder: &Path, name: &str, model: &SavedModel, output: OnnxOutput) {
    let columns = &model.encoder.columns;
    let raw = Array2::from_shape_fn((ROWS, columns.len()), |(row, k)| match columns[k].encoding {
        Encoding::Number { offset, scale, .. } => {
            f64::from((offset + scale * f64::from(wave(row * columns.len() + k))) as f32)
        }
        _ => unreachable!("numbers only"),
    });
    let inputs = Map::from_iter([("x".to_string(), json!(raw.iter().collect::<Vec<_>>()))]);
    write(folder, name, model, inputs, &model.encoder.apply_array(&raw).unwrap(), output);
}

/// Nets with numbers, codes and texts, their rows, with missing and unknown values, and these as inputs of the graph.
fn tables() -> [(SavedModel, Array2<f64>, Value); 2] {
    let column = |name: &str, encoding| EncodedColumn { name: name.into(), encoding };
    let one_hot = |categories: &[&str], fill| Encoding::OneHot {
        categories: categories.iter().map(|&category| category.into()).collect(),
        fill,
    };
    let number = |fill, offset, scale| Encoding::Number { fill, offset, scale };
    let code = column("code", one_hot(&["1", "2.5", "30"], Some(2)));
    let [age, year] =
        [column("age", number(Some(40.0), 38.3, 11.7)), column("year", number(None, 2012.3, 0.7))];
    let csv = "age,year,code,color,class,\n38,2011.5,2.5,red,x,1\n,2013,30,blue,y,2\n44.5,2012,,,x,3\n18,2012.5,7,green,z,4\n";
    let table = |columns: Vec<EncodedColumn>| {
        let encoder = Encoder { columns };
        let rows = encoder.read_csv(csv.as_bytes(), "rows", &CsvOptions::default(), Unseen::Ignore).unwrap();
        (encoder, rows)
    };
    let nan = Value::from("nan"); // as NumPy reads it
    let (encoder, rows) = table(vec![age.clone(), code.clone(), year.clone()]);
    let net = model("5-6-3", Activation::Relu, encoder, Predictions::Classes(classes(3)));
    let x = json!([[38, 2.5, 2011.5], [nan, 30, 2013], [44.5, nan, 2012], [18, 7, 2012.5]]);
    let codes = (net, rows, json!({ "x": x }));

    let texts = vec![
        age,
        year,
        column("color", one_hot(&["red", "blue"], Some(1))),
        code,
        column("class", one_hot(&["y", "x"], None)),
    ];
    let (encoder, rows) = table(texts);
    let net = model("9-6-1", Activation::Silu, encoder, Predictions::Classes(classes(2)));
    let inputs = json!({
        "age": [38, nan, 44.5, 18], "year": [2011.5, 2013, 2012, 2012.5], "color": ["red", "blue", "", "green"],
        "code": [2.5, 30, nan, 7], "class": ["x", "y", "x", "z"],
    });
    [codes, (net, rows, inputs)]
}

fn write_tables(folder: &Path) {
    let [codes, texts] = tables();
    for (name, (net, rows, inputs), output) in
        [("codes", codes, OnnxOutput::Logits), ("texts", texts, OnnxOutput::Probabilities)]
    {
        let Value::Object(inputs) = inputs else { unreachable!() };
        write(folder, name, &net, inputs, &rows, output);
    }
    // the output has the name that is free
    let path = folder.join("texts.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut stated: Value = serde_json::from_str(&text).unwrap();
    let wanted = stated["outputs"].as_object_mut().unwrap();
    let class = wanted.remove("class").unwrap();
    wanted.insert("class_".into(), class);
    std::fs::write(path, stated.to_string()).unwrap();
}

/// Every kind of net: the name of its file, and what it puts out.
fn nets() -> Vec<(String, SavedModel, OnnxOutput)> {
    let mut nets = Vec::new();
    let mut add = |name: String, net: SavedModel, output: OnnxOutput| nets.push((name, net, output));
    // a year needs both parts of its offset
    let table = |k| [(0.0, 1.0), (2012.3, 0.7), (-5.7, 255.0), (1e6 + 0.3, 0.01)][k % 4];
    let plain = |_| (0.0, 1.0);
    for activation in Activation::ALL {
        let net = model("8-16-16-3", *activation, numbers(8, table), Predictions::Classes(classes(3)));
        add(format!("dense-{activation}"), net, OnnxOutput::Logits);
    }
    for net in [
        "2x6x6-conv(4,3x2,padding=1,bias=false)-batchnorm-relu-maxpool(2)-convt(6,2,stride=2,groups=2)-groupnorm(3)\
         -avgpool(3x2,stride=1,padding=1)-upsample(2,bilinear)-silu-3",
        "2x6x6-conv(8,3,padding=1)-relu-dropout2d(0.2)-conv(8,3,stride=2x1,padding=2x1,dilation=2,groups=4)-globalavgpool-3",
        "2x6x6-upsample(2x3)-convt(3,3x2,stride=2x3,padding=1x0,dilation=1x2,output_padding=1x2)-maxpool(3x2,stride=2,padding=1)-gelu-3",
        "2x6x6-flatten-16-batchnorm-tanh-dropout(0.5)-groupnorm(4)-3",
        "1x1x72-conv(4,1x5)-relu-maxpool(1x2)-3",
        "16-mish-3-logsigmoid",
    ] {
        let kind = Predictions::Classes(classes(3));
        let file: String = net.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).take(40).collect();
        for (scaling, encoder) in [("same", numbers(72, |_| (0.5, 0.25))), ("each", numbers(72, table))] {
            let net = model(net, Activation::Relu, encoder, kind.clone());
            add(format!("{file}-{scaling}"), net, OnnxOutput::Probabilities);
        }
    }
    for (k, net) in [
        "unet(3,4)",
        "unet(2,4,norm=batch)",
        "unet(2,4,norm=group,groups=2,up=bilinear)",
        "unet(3,4,norm=batch,up=nearest)",
        "unet(1,4)",
    ]
    .into_iter()
    .enumerate()
    {
        for outputs in [1, 3] {
            let text = format!("2x8x8-{}out={outputs})", net.replace(')', ","));
            let masks = Predictions::Masks(classes(outputs.max(2)));
            let net = model(&text, Activation::Relu, numbers(128, plain), masks);
            for (name, output) in
                [("logits", OnnxOutput::Logits), ("probabilities", OnnxOutput::Probabilities)]
            {
                add(format!("unet-{k}-{outputs}-{name}"), net.clone(), output);
            }
        }
    }
    for output in [OnnxOutput::Logits, OnnxOutput::Probabilities] {
        for (net, count) in [("4-8-1", 2), ("4-8-2", 2), ("4-8-7", 7)] {
            let net = model(net, Activation::Elu, numbers(4, plain), Predictions::Classes(classes(count)));
            add(format!("{}-{output:?}", net.sizes), net, output);
        }
    }
    for (offset, scale) in [(0.0, 1.0), (-7.5e3, 120.0), (0.25, 1e-3)] {
        let kind = Predictions::Number { name: "price".into(), offset, scale };
        let net = model("4-8-1", Activation::Tanh, numbers(4, table), kind);
        add(format!("number-{scale}"), net, OnnxOutput::Logits);
    }
    // nothing to compute but the class
    let net = model("dropout(0.5)", Activation::Relu, numbers(2, plain), Predictions::Classes(classes(2)));
    add("nothing".into(), net, OnnxOutput::Logits);
    nets
}

#[test]
fn onnxruntime_predicts_what_the_library_predicts() {
    let Some(python) = python("numpy, onnx, onnxruntime") else { return };
    let folder: PathBuf = std::env::temp_dir().join(format!("surprisal-onnx-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (name, net, output) in nets() {
        write_numbers(&folder, &name, &net, output);
    }
    write_tables(&folder);

    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/onnx/run.py");
    let output = Command::new(python).arg(script).arg(&folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{said}");
    assert!(said.contains(&format!("{} files", std::fs::read_dir(&folder).unwrap().count() / 2)), "{said}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_file_that_was_written_is_the_same_model_again() {
    let tables = tables().into_iter().map(|(net, ..)| ("table".into(), net, OnnxOutput::Logits));
    for (name, net, output) in nets().into_iter().chain(tables) {
        let bytes = onnx_bytes(&net, output).unwrap();
        let read = load_onnx_bytes(&bytes, &name).unwrap();
        assert_eq!(read, net, "{name}");
        assert!(onnx_bytes(&read, output).unwrap() == bytes, "{name}");
    }
}

/// Reads the files of a folder that `export.py` made, and compares their logits or predictions; returns what they were read as.
fn read_exported(folder: &Path) -> String {
    let expected: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json")).unwrap()).unwrap();
    let numbers = |list: &Value| Vec::from_iter(list.as_array().unwrap().iter().map(|n| n.as_f64().unwrap()));
    let mut told = String::new();
    for (name, output) in expected["outputs"].as_object().unwrap() {
        let read = load_onnx(folder.join(format!("{name}.onnx"))).unwrap_or_else(|error| panic!("{error}"));
        let x = numbers(&expected["inputs"][output[0].as_str().unwrap()]);
        let columns = read.encoder.columns.len();
        let x = Array2::from_shape_vec((x.len() / columns, columns), x).unwrap();
        let (net, params) = read.load().unwrap();
        let z = outputs(&net, &params, read.encoder.apply_array(&x).unwrap().view());
        let wanted = numbers(&output[1]);
        let found = match &read.predictions {
            Predictions::Number { offset, scale, .. } => z.mapv(|z| offset + scale * f64::from(z)),
            Predictions::Classes(_) => z.mapv(f64::from),
            // a row for each pixel becomes a channel for each class
            Predictions::Masks(names) => {
                let image = Array3::from_shape_vec(
                    (x.nrows(), z.nrows() / x.nrows(), names.len()),
                    z.into_raw_vec_and_offset().0,
                );
                let channels = image.unwrap().permuted_axes([0, 2, 1]).mapv(f64::from);
                Array2::from_shape_vec((1, wanted.len()), channels.iter().copied().collect()).unwrap()
            }
        };
        let mut wanted = Array2::from_shape_vec(found.dim(), wanted).unwrap();
        let mut found = found;
        if name == "sklearn_classes" {
            // logits but for a number that is common to a row
            for values in [&mut wanted, &mut found] {
                let first = values.column(0).to_owned().insert_axis(Axis(1));
                *values -= &first;
            }
        }
        let size = wanted.iter().fold(1.0, |most: f64, y| most.max(y.abs()));
        let gap = (&found - &wanted).iter().fold(0.0, |most: f64, gap| most.max(gap.abs())) / size;
        assert!(gap <= 1e-6, "{name}: a difference of {gap}\n{found}\n{wanted}");
        let predicted = match &read.predictions {
            Predictions::Number { name, .. } => format!("the number {name}"),
            Predictions::Classes(names) => format!("classes {}", names.join(" ")),
            Predictions::Masks(names) => format!("masks {}", names.join(" ")),
        };
        told += format!("{name}: {} {}: {predicted}", read.sizes, read.activation).trim_end();
        told += "\n";
    }
    told
}

#[test]
fn files_of_pytorch_and_sklearn_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx/exported");
    expect![[r#"
        activations_13: 5-gelu-silu-mish-logsigmoid-gelu_tanh-softplus-elu-leaky_relu-sigmoid-tanh-batchnorm-2 : classes 0 1
        activations_17: 5-gelu-silu-mish-logsigmoid-gelu_tanh-softplus-elu-leaky_relu-sigmoid-tanh-batchnorm-2 : classes 0 1
        activations_18_dynamo: 5-gelu-silu-mish-logsigmoid-gelu_tanh-softplus-elu-leaky_relu-sigmoid-tanh-batchnorm-2 : classes 0 1
        activations_21_dynamo: 5-gelu-silu-mish-logsigmoid-gelu_tanh-softplus-elu-leaky_relu-sigmoid-tanh-batchnorm-2 : classes 0 1
        cnn_14_fixed: 2x6x6-conv(4,3)-relu-maxpool(2)-flatten-6-relu-3 : classes 0 1 2
        cnn_21_dynamo: 2x6x6-conv(4,3)-relu-maxpool(2)-flatten-6-relu-3 : classes 0 1 2
        linear_17: flatten-8-3 : classes 0 1 2
        mlp_13: 4-8-8-3 relu: classes 0 1 2
        mlp_17_fixed: 4-8-8-3 tanh: classes 0 1 2
        mlp_20: 4-8-8-3 gelu: classes 0 1 2
        normalized_17: 2x6x6-conv(3,3,stride=2,padding=1)-relu-flatten-1 : the number y
        normalized_18_dynamo: 2x6x6-conv(3,3,stride=2,padding=1)-relu-flatten-1 : the number add
        parts_13: 2x6x6-conv(4,3x2,padding=1)-relu-maxpool(2)-groupnorm(2)-silu-convt(6,2,stride=2,groups=2,output_padding=1)-avgpool(3x2,stride=1,padding=1)-upsample(2)-upsample(1x2,bilinear)-conv(4,3,stride=2,dilation=2,groups=2)-globalavgpool-flatten-batchnorm-3 : classes 0 1 2
        parts_17: 2x6x6-conv(4,3x2,padding=1)-relu-maxpool(2)-groupnorm(2)-silu-convt(6,2,stride=2,groups=2,output_padding=1)-avgpool(3x2,stride=1,padding=1)-upsample(2)-upsample(1x2,bilinear)-conv(4,3,stride=2,dilation=2,groups=2)-globalavgpool-flatten-batchnorm-3 : classes 0 1 2
        parts_18_dynamo: 2x6x6-conv(4,3x2,padding=1)-relu-maxpool(2)-groupnorm(2)-silu-convt(6,2,stride=2,groups=2,output_padding=1)-avgpool(3x2,stride=1,padding=1)-upsample(2)-upsample(1x2,bilinear)-conv(4,3,stride=2,dilation=2,groups=2)-globalavgpool-flatten-batchnorm-3 : classes 0 1 2
        parts_21_dynamo: 2x6x6-conv(4,3x2,padding=1)-relu-maxpool(2)-groupnorm(2)-silu-convt(6,2,stride=2,groups=2,output_padding=1)-avgpool(3x2,stride=1,padding=1)-upsample(2)-upsample(1x2,bilinear)-conv(4,3,stride=2,dilation=2,groups=2)-globalavgpool-flatten-batchnorm-3 : classes 0 1 2
        pixels_17: 2x6x6-conv(4,3,padding=1)-relu-conv(3,1) : masks 0 1 2
        sklearn_classes: 4-5-3 tanh: classes cat dog rabbit
        sklearn_number: 4-5-1 sigmoid: the number variable
        sklearn_two: 4-5-1 relu: classes 0 1
        two_classes_17: 4-8-1 elu: classes 0 1
    "#]].assert_eq(&read_exported(&folder));
}

#[test]
fn what_pytorch_exports_now_is_read() {
    let Some(python) = python("torch, numpy, onnx, onnxscript") else { return };
    let folder = std::env::temp_dir().join(format!("surprisal-exported-{}", std::process::id()));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/onnx/export.py");
    let output = Command::new(python).arg(script).arg(&folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    read_exported(&folder);
    std::fs::remove_dir_all(folder).unwrap();
}
