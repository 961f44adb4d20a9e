//! Nets as [ONNX](https://onnx.ai) files, which other programs run.

mod error;
mod graph;
mod read;
mod schema;

use std::ops::Range;
use std::path::Path;

use prost::Message;
use surprisal_data::{EncodedColumn, Encoder, Encoding};
use surprisal_layers::{Architecture, Step};
use surprisal_report::files::write_atomically;

pub use error::OnnxError;
pub use read::{load_onnx, load_onnx_bytes};

use crate::{LoadError, Predictions, SavedModel};
use graph::{Graph, int, value_info};
use schema::{ValueInfo, element};

/// The outputs of a classification in an ONNX file, besides the class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnnxOutput {
    /// The logits, as the net has them: one for each class, or one for two classes.
    #[default]
    Logits,
    /// The probability of each class, by a softmax; of one logit z, by two sigmoids, of -z and z.
    Probabilities,
}

/// Writes a net with its encoder as an ONNX file of `f32`, for evaluation: raw rows come in, the prediction comes out.
///
/// | value | name | shape and type |
/// |---|---|---|
/// | input, if each column is read from a number | `x` | `[N, columns]`, or `[N, C, H, W]` if the net takes images; `f32` |
/// | inputs, if a column has categories that are texts | the name of each column | `[N, 1]`, `f32` or string |
/// | outputs of a classification | `logits` or `probabilities`, see [`OnnxOutput`] | `[N, outputs]`, `f32` |
/// | | `class`, the index of the class | `[N]`, `i64` |
/// | outputs of a segmentation | the same for each pixel | `[N, outputs, H, W]` and `[N, H, W]` |
/// | output of a regression | `prediction`, in the units of the target | `[N, 1]`, `f32` |
///
/// N, the number of rows, is free. A name that is already a column has an underscore behind it. Scaling and one-hot columns are nodes of the
/// graph: `(x - offset) / scale`, with the offset as a sum of two `f32`, and a comparison with each category. NaN, or an empty text, is a missing
/// value; it is filled in if the encoder does so, otherwise NaN is in the outputs, and a text has no category. The same holds for a category
/// that is not known. Categories are compared with numbers if all of them are numbers, otherwise with texts, letter by letter.
///
/// The file has the operators of opset 17, IR version 8; of opset 19, IR version 9, if texts are compared. Its `metadata_props` are
/// `architecture`, `activation`, `features` (the names of the columns) and `classes`, both JSON lists, or `target`, the name of the number;
/// `encoding` and `target_scaling` are the encoder and the offset and scale of the target in `f64`, for [`load_onnx`]. The same model makes the
/// same bytes.
///
/// ```
/// use surprisal_data::{Encoder, Preprocess};
/// use surprisal_layers::{Activation, Mlp, rng};
/// use surprisal_tensor::Params;
/// use surprisal_train::{OnnxOutput, Predictions, SavedModel, save_onnx};
///
/// let mut params = Params::new();
/// Mlp::new(&mut params, &"2-3-2".parse()?, Activation::Tanh, &mut rng(7));
/// let names = |names: [&str; 2]| names.map(String::from).to_vec();
/// let model = SavedModel {
///     sizes: "2-3-2".into(),
///     activation: "tanh".into(),
///     encoder: Encoder::of_numbers(&names(["width", "height"]), &Preprocess::divide(10.0)?)?,
///     predictions: Predictions::Classes(names(["no", "yes"])),
///     ..SavedModel::of(&params)
/// };
/// let path = std::env::temp_dir().join(format!("surprisal-example-{}.onnx", std::process::id()));
/// save_onnx(&path, &model, OnnxOutput::Probabilities)?;
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// In Python:
///
/// ```python
/// net = onnxruntime.InferenceSession("net.onnx")
/// probabilities, classes = net.run(None, {"x": rows.astype("float32")})
/// ```
///
/// # Errors
/// If the model is one of your own program, or its parts contradict each other; if it reads a date; if a scale or an offset is not a number
/// of `f32`; if probabilities are wanted of a regression; if the file would have 2 GiB or more; if it cannot be written: an existing file is
/// unchanged then.
pub fn save_onnx(path: impl AsRef<Path>, model: &SavedModel, output: OnnxOutput) -> Result<(), OnnxError> {
    let path = path.as_ref();
    let bytes = onnx_bytes(model, output)?;
    write_atomically(path, &bytes).map_err(|error| OnnxError::Unwritable { path: path.into(), error })
}

/// The bytes of the file that [`save_onnx`] writes.
///
/// # Errors
/// As there.
pub fn onnx_bytes(model: &SavedModel, output: OnnxOutput) -> Result<Vec<u8>, OnnxError> {
    let message = to_message(model, output)?;
    let bytes = message.encoded_len();
    // what a reader of protocol buffers takes
    if bytes > i32::MAX as usize {
        return Err(OnnxError::TooLarge { bytes });
    }
    Ok(message.encode_to_vec())
}

fn to_message(model: &SavedModel, output: OnnxOutput) -> Result<schema::Model, OnnxError> {
    let (net, params) = model.load()?;
    let plan = model.plan(&model.sizes.parse::<Architecture>().map_err(LoadError::Architecture)?)?;
    let mut graph = Graph::new(&params);
    let (input, mut x, texts) = encoded(&mut graph, model, net.image())?;
    let mut rank = if net.image().is_some() { 4 } else { 2 };
    for (k, step) in net.steps().iter().enumerate() {
        x = graph.step(step, &format!("layer{}", k + 1), rank, &x);
        if matches!(step, Step::Flatten(_)) {
            rank = 2;
        }
    }
    let pixels = match (&model.predictions, net.image()) {
        (Predictions::Masks(_), Some([_, height, width])) => vec![height, width],
        _ => Vec::new(),
    };
    let output = predicted(&mut graph, model, output, plan.outputs(), &pixels, x)?;

    let list = |names: Vec<&str>| serde_json::Value::from(names).to_string();
    let columns = model.encoder.columns.iter().map(|column| column.name.as_str()).collect();
    let mut properties = vec![("architecture", model.sizes.clone())];
    if !model.activation.is_empty() {
        properties.push(("activation", model.activation.clone()));
    }
    properties.push(("features", list(columns)));
    properties.push(("encoding", encodings(&model.encoder)));
    match &model.predictions {
        Predictions::Number { name, offset, scale } => {
            properties.push(("target", name.clone()));
            properties.push(("target_scaling", serde_json::Value::from(vec![*offset, *scale]).to_string()));
        }
        classes => {
            let names = classes.class_names().iter().map(String::as_str).collect();
            properties.push(("classes", list(names)));
        }
    }
    let property = |(key, value): (&str, String)| schema::Property { key: key.into(), value };
    let (ir_version, version) = if texts { (9, 19) } else { (8, 17) };
    Ok(schema::Model {
        ir_version,
        producer_name: "surprisal".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        opset_import: vec![schema::OperatorSet { domain: String::new(), version }],
        metadata_props: properties.into_iter().map(property).collect(),
        graph: Some(schema::Graph {
            name: "surprisal".into(),
            node: graph.nodes,
            initializer: graph.constants,
            input,
            output,
            sparse_initializer: Vec::new(),
        }),
        functions: Vec::new(),
    })
}

/// How each column is encoded, as JSON; once if all are numbers with the same scaling, as pixels are.
fn encodings(encoder: &Encoder) -> String {
    let mut all = Vec::from_iter(encoder.columns.iter().map(|column| &column.encoding));
    if all.iter().all(|encoding| matches!(encoding, Encoding::Number { .. }) && *encoding == all[0]) {
        all.truncate(1);
    }
    serde_json::to_string(&all).expect("texts and finite numbers")
}

/// What the values of a column are compared with.
enum Categories {
    Numbers(Vec<f32>),
    Texts(Vec<String>),
}

impl Categories {
    /// Numbers, if all of them are, and differ.
    fn of(categories: &[String]) -> Categories {
        let number = |text: &String| text.parse().ok().filter(|number: &f32| number.is_finite());
        let numbers: Option<Vec<f32>> = categories.iter().map(number).collect();
        let differ = |numbers: &Vec<f32>| (1..numbers.len()).all(|k| !numbers[..k].contains(&numbers[k]));
        match numbers.filter(differ) {
            Some(numbers) => Categories::Numbers(numbers),
            None => Categories::Texts(categories.to_vec()),
        }
    }
}

/// The inputs, the encoded columns as the net takes them, and whether texts are compared.
fn encoded(
    graph: &mut Graph,
    model: &SavedModel,
    image: Option<[usize; 3]>,
) -> Result<(Vec<ValueInfo>, String, bool), OnnxError> {
    let columns = &model.encoder.columns;
    if let Some(column) = columns.iter().find(|column| matches!(column.encoding, Encoding::Date { .. })) {
        return Err(OnnxError::Date { column: column.name.clone() });
    }
    let number = |column: &EncodedColumn| matches!(column.encoding, Encoding::Number { .. });
    let text = |column: &EncodedColumn| match &column.encoding {
        Encoding::OneHot { categories, .. } => matches!(Categories::of(categories), Categories::Texts(_)),
        _ => false,
    };
    let texts = columns.iter().any(text);
    if let Some(image) = image.filter(|_| columns.iter().all(number)) {
        let x = graph.name("x");
        let y = scaled(graph, columns, &image, &x)?;
        return Ok((vec![value_info(&x, element::FLOAT, &image)], y, false));
    }
    // neighbors that are numbers together, categories alone
    let mut parts: Vec<Range<usize>> = Vec::new();
    for (k, column) in columns.iter().enumerate() {
        match parts.last_mut() {
            Some(part) if number(column) && number(&columns[part.start]) => part.end = k + 1,
            _ => parts.push(k..k + 1),
        }
    }
    let (mut inputs, mut values) = (Vec::new(), Vec::new());
    if texts {
        for column in columns {
            let (name, element) =
                (graph.name(&column.name), if text(column) { element::STRING } else { element::FLOAT });
            inputs.push(value_info(&name, element, &[1]));
        }
        for part in &parts {
            let names = Vec::from_iter(inputs[part.clone()].iter().map(|input| input.name.as_str()));
            values.push(match names[..] {
                [name] => name.to_string(),
                _ => graph.node("Concat", &names, vec![int("axis", 1)]),
            });
        }
    } else {
        let x = graph.name("x");
        inputs.push(value_info(&x, element::FLOAT, &[columns.len()]));
        values = match parts.len() {
            1 => vec![x],
            _ => {
                let lengths =
                    graph.integers("lengths", &Vec::from_iter(parts.iter().map(|part| part.len() as i64)));
                graph.split("Split", &[&x, &lengths], parts.len(), vec![int("axis", 1)])
            }
        };
    }
    let mut encoded = Vec::new();
    for (part, x) in parts.into_iter().zip(&values) {
        encoded.push(match &columns[part.start].encoding {
            Encoding::OneHot { categories, fill } => one_hot(graph, categories, *fill, x),
            _ => scaled(graph, &columns[part.clone()], &[part.len()], x)?,
        });
    }
    let mut x = match &encoded[..] {
        [x] => x.clone(),
        _ => graph.node("Concat", &Vec::from_iter(encoded.iter().map(String::as_str)), vec![int("axis", 1)]),
    };
    if let Some([c, h, w]) = image {
        let shape = graph.integers("image", &[-1, c as i64, h as i64, w as i64]);
        x = graph.node("Reshape", &[&x, &shape], Vec::new());
    }
    Ok((inputs, x, texts))
}

/// Numbers: fills in missing ones, subtracts the offsets, divides by the scales.
fn scaled(
    graph: &mut Graph,
    columns: &[EncodedColumn],
    shape: &[usize],
    x: &str,
) -> Result<String, OnnxError> {
    let (mut fills, mut offsets, mut rests, mut scales) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for EncodedColumn { name, encoding } in columns {
        let &Encoding::Number { fill, offset, scale } = encoding else {
            unreachable!("categories and dates are not scaled")
        };
        let number = |x: f64| Some(x as f32).filter(|x| x.is_finite());
        let (Some(near), Some(divisor)) = (number(offset), number(scale).filter(|scale| scale.is_normal()))
        else {
            return Err(OnnxError::Scaling { column: name.clone(), offset, scale });
        };
        fills.push(fill.map_or(f32::NAN, |fill| fill as f32));
        offsets.push(near);
        rests.push((offset - f64::from(near)) as f32);
        scales.push(divisor);
    }
    let constant = |graph: &mut Graph, name: &str, values: &[f32]| {
        if values.iter().all(|value| value == &values[0]) {
            return graph.floats(name, &[], &values[..1]);
        }
        graph.floats(name, &[&[1], shape].concat(), values)
    };
    let mut x = x.to_string();
    if !fills.iter().all(|fill| fill.is_nan()) {
        let (missing, fill) = (graph.node("IsNaN", &[&x], Vec::new()), constant(graph, "fill", &fills));
        x = graph.node("Where", &[&missing, &fill, &x], Vec::new());
    }
    for (name, values) in [("offset", offsets), ("offset_rest", rests)] {
        if values.iter().any(|&value| value != 0.0) {
            let offset = constant(graph, name, &values);
            x = graph.node("Sub", &[&x, &offset], Vec::new());
        }
    }
    if scales.iter().any(|&scale| scale != 1.0) {
        let scale = constant(graph, "scale", &scales);
        x = graph.node("Div", &[&x, &scale], Vec::new());
    }
    Ok(x)
}

/// One column, `[N, 1]`, compared with each category, `[N, categories]`.
fn one_hot(graph: &mut Graph, categories: &[String], fill: Option<usize>, x: &str) -> String {
    let mut x = x.to_string();
    let known = match Categories::of(categories) {
        Categories::Numbers(numbers) => {
            if let Some(fill) = fill {
                let missing = graph.node("IsNaN", &[&x], Vec::new());
                let fill = graph.floats("fill", &[], &[numbers[fill]]);
                x = graph.node("Where", &[&missing, &fill, &x], Vec::new());
            }
            graph.floats("categories", &[1, numbers.len()], &numbers)
        }
        Categories::Texts(texts) => {
            if let Some(fill) = fill {
                let nothing = graph.texts("missing", &[], &[String::new()]);
                let missing = graph.node("Equal", &[&x, &nothing], Vec::new());
                let fill = graph.texts("fill", &[], &texts[fill..=fill]);
                x = graph.node("Where", &[&missing, &fill, &x], Vec::new());
            }
            graph.texts("categories", &[1, texts.len()], &texts)
        }
    };
    let equal = graph.node("Equal", &[&x, &known], Vec::new());
    graph.node("Cast", &[&equal], vec![int("to", element::FLOAT as usize)])
}

/// The outputs.
fn predicted(
    graph: &mut Graph,
    model: &SavedModel,
    output: OnnxOutput,
    outputs: usize,
    pixels: &[usize],
    z: String,
) -> Result<Vec<ValueInfo>, OnnxError> {
    let axis = || vec![int("axis", 1)];
    if let Predictions::Number { name, offset, scale } = &model.predictions {
        if output == OnnxOutput::Probabilities {
            return Err(OnnxError::NoProbabilities { target: name.clone() });
        }
        if !(*offset as f32).is_finite() || !(*scale as f32).is_normal() {
            return Err(OnnxError::Scaling { column: name.clone(), offset: *offset, scale: *scale });
        }
        let mut y = z;
        for (op, number, usual) in [("Mul", *scale, 1.0), ("Add", *offset, 0.0)] {
            if number != usual {
                y = graph.with(op, &y, number);
            }
        }
        let name = graph.name("prediction");
        graph.rename(&y, &name);
        return Ok(vec![value_info(&name, element::FLOAT, &[1])]);
    }
    let class = if outputs == 1 {
        let second = graph.with("Greater", &z, 0.0);
        let index = graph.node("Cast", &[&second], vec![int("to", element::INT64 as usize)]);
        let axes = graph.integers("axes", &[1]);
        graph.node("Squeeze", &[&index, &axes], Vec::new())
    } else {
        graph.node("ArgMax", &[&z], vec![int("axis", 1), int("keepdims", 0)])
    };
    let (scores, name, columns) = match output {
        OnnxOutput::Logits => (z, "logits", outputs),
        OnnxOutput::Probabilities if outputs == 1 => {
            let opposite = graph.node("Neg", &[&z], Vec::new());
            let [first, second] = [&opposite, &z].map(|z| graph.node("Sigmoid", &[z], Vec::new()));
            (graph.node("Concat", &[&first, &second], axis()), "probabilities", 2)
        }
        OnnxOutput::Probabilities => (graph.node("Softmax", &[&z], axis()), "probabilities", outputs),
    };
    let (name, class_name) = (graph.name(name), graph.name("class"));
    graph.rename(&scores, &name);
    graph.rename(&class, &class_name);
    Ok(vec![
        value_info(&name, element::FLOAT, &[&[columns], pixels].concat()),
        value_info(&class_name, element::INT64, pixels),
    ])
}

#[cfg(test)]
mod tests;
