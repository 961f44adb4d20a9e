//! Reading ONNX files: a graph that is a chain of known layers becomes a net.

mod chain;
mod file;
mod own;

use std::borrow::Cow;
use std::path::Path;

use prost::Message;
use surprisal_data::{EncodedColumn, Encoder, Encoding};
use surprisal_layers::{Activation, Architecture, Plan};
use surprisal_settings::quoted;
use surprisal_tensor::Params;

use super::OnnxError;
use super::schema::{self, ValueInfo, element};
use crate::interchange::layout::transposed;
use crate::{Predictions, SavedModel, SavedParameter};
use chain::{Affine, Chain, Head, Kind, Piece};
use file::{File, called, shown};

/// Images or rows with more numbers are refused: each is a column of the encoder.
const MOST_INPUTS: usize = 1 << 20;

/// Why a file is refused.
pub(super) struct Refusal {
    /// Whether the file contradicts the format, or only has what is not read.
    pub(super) damaged: bool,
    pub(super) message: String,
}

type Read<T> = Result<T, Refusal>;

fn refusal(damaged: bool, place: &str, message: Cow<str>) -> Refusal {
    let colon = if place.is_empty() { "" } else { ": " };
    Refusal { damaged, message: format!("{place}{colon}{message}") }
}
fn damaged<'m>(place: &str, message: impl Into<Cow<'m, str>>) -> Refusal {
    refusal(true, place, message.into())
}
fn unsupported<'m>(place: &str, message: impl Into<Cow<'m, str>>) -> Refusal {
    refusal(false, place, message.into())
}

/// Reads a net from an ONNX file, with its encoder: the counterpart of [`save_onnx`](super::save_onnx).
///
/// A file that `save_onnx` wrote becomes the same model, to the last bit, but for the settings and the state of its training. Of other
/// programs, files are read whose graph is a chain of layers that a net as text, an [`Architecture`], has: what `torch.onnx.export` writes of
/// a `Sequential`, or skl2onnx of a multilayer perceptron.
///
/// | read | as |
/// |---|---|
/// | `Gemm`, or `MatMul` with `Add` | a dense layer; without a bias, with one of zeros |
/// | `Conv`, `ConvTranspose` of images, with equal padding at both ends | `conv`, `convt` |
/// | `BatchNormalization`, `GroupNormalization` or its parts, with an epsilon of 1e-5 | `batchnorm`, `groupnorm` |
/// | `MaxPool`, `AveragePool`, `GlobalAveragePool`, `ReduceMean` of height and width | `maxpool`, `avgpool`, `globalavgpool` |
/// | `Resize` by whole numbers, nearest or linear | `upsample` |
/// | every [`Activation`], as an operator or as its formula | the activation |
/// | `Flatten`, `Reshape` to `[N, features]` | `flatten` |
/// | `Identity`, `Cast` to float32, `Dropout` | nothing |
/// | `Sub`, `Add`, `Div`, `Mul` by constants, or a `Scaler`, before the first layer | the encoder of the columns |
/// | the same behind the last layer, of a regression | the scale of the target |
/// | `Softmax`, `LogSoftmax` or a `Sigmoid` of one output at the end | nothing: the net ends with logits |
/// | `ArgMax`, also with the names of the classes, or `Greater` than 0, as a second output | the class |
///
/// Two or more outputs are classes, as is one output behind a sigmoid or beside a class; any other is a number. A net that ends with images is one of
/// segmentation. If the file does not name them in its `metadata_props`, the columns are called `x0`, `x1`, .. and the classes `0`, `1`, ..: set
/// [`encoder`](crate::ModelFile::encoder) and [`predictions`](crate::ModelFile::predictions) of the model to change that.
///
/// Opsets 13 to 21 and IR versions 3 to 14 are read, float32 only. No other file is opened.
///
/// ```
/// use surprisal_data::{Encoder, Preprocess};
/// use surprisal_layers::{Activation, Mlp, rng};
/// use surprisal_tensor::Params;
/// use surprisal_train::{OnnxOutput, Predictions, SavedModel, load_onnx, save_onnx};
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
/// let path = std::env::temp_dir().join(format!("surprisal-example-{}-read.onnx", std::process::id()));
/// save_onnx(&path, &model, OnnxOutput::Probabilities)?;
/// assert_eq!(load_onnx(&path)?, model);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the file cannot be read; if it is not an ONNX model, or damaged; if it has anything else than the above: the message names the node, its
/// operator and the attribute, and what is read.
pub fn load_onnx(path: impl AsRef<Path>) -> Result<SavedModel, OnnxError> {
    let path = path.as_ref();
    let bytes = surprisal_data::read_file(path)
        .map_err(|error| OnnxError::Unreadable { path: path.into(), error })?;
    load_onnx_bytes(&bytes, path)
}

/// [`load_onnx`], from bytes; `path` is for the messages.
///
/// # Errors
/// As there.
///
/// ```
/// use surprisal_train::{OnnxError, load_onnx_bytes};
/// let error = load_onnx_bytes(b"no net", "notes.txt").unwrap_err();
/// assert!(matches!(error, OnnxError::Damaged { .. }), "{error}");
/// ```
pub fn load_onnx_bytes(bytes: &[u8], path: impl AsRef<Path>) -> Result<SavedModel, OnnxError> {
    read(bytes).map_err(|Refusal { damaged, message }| {
        let path = path.as_ref().into();
        if damaged { OnnxError::Damaged { path, message } } else { OnnxError::Unsupported { path, message } }
    })
}

fn read(bytes: &[u8]) -> Read<SavedModel> {
    let message = schema::Model::decode(bytes).map_err(|error| {
        damaged("", format!("expected an ONNX model, found other bytes ({error}): is the file truncated?"))
    })?;
    let file = File::of(&message)?;
    match own::read(&message) {
        Some(model) => Ok(model),
        None => net(&message, &file),
    }
}

/// The value of a property.
fn property<'a>(message: &'a schema::Model, key: &str) -> Option<&'a str> {
    message.metadata_props.iter().find(|property| property.key == key).map(|property| property.value.as_str())
}

/// A property that is a list of names.
fn names(message: &schema::Model, key: &str) -> Option<Vec<String>> {
    serde_json::from_str(property(message, key)?).ok()
}

/// The lengths of a value, if the file states them; `None` is a length with a name.
fn lengths_of(value: &ValueInfo) -> Option<Vec<Option<i64>>> {
    let shape = value.kind.as_ref()?.tensor.as_ref()?.shape.as_ref()?;
    // 0 is what some programs write of a length that is not known
    Some(shape.dims.iter().map(|length| length.value.filter(|&n| n != 0)).collect())
}

fn element_of(value: &ValueInfo) -> i32 {
    value.kind.as_ref().and_then(|kind| kind.tensor.as_ref()).map_or(0, |tensor| tensor.element)
}

fn net(message: &schema::Model, file: &File) -> Read<SavedModel> {
    let graph = file.graph;
    let [input] = file.inputs[..] else {
        let found = file.inputs.len();
        return Err(unsupported(
            "",
            format!("expected one input, of the numbers of a row or an image, found {found}"),
        ));
    };
    let of_input = format!("input {}", quoted(&input.name));
    if element_of(input) != element::FLOAT {
        return Err(unsupported(&of_input, "expected float32 | export the net for float32"));
    }
    let scores = Vec::from_iter(graph.output.iter().filter(|output| element_of(output) == element::FLOAT));
    let [output] = scores[..] else {
        return Err(unsupported("", format!("expected one output of float32, found {}", scores.len())));
    };
    let of_output = format!("output {}", quoted(&output.name));
    let mut chain = Chain::new(file);
    let (head, scores, logits) = chain.head(&output.name)?;
    let mut named = None;
    for other in graph.output.iter().filter(|other| element_of(other) != element::FLOAT) {
        named = chain.class(&other.name, &scores)?.or(named);
    }
    chain.walk(logits)?;
    let unused = |&(k, node): &(usize, &schema::Node)| !chain.used[k] && !file.is_aside(node);
    if let Some((_, node)) = graph.node.iter().enumerate().find(unused) {
        let message = "it is not in the chain from the input to the output | remove it, or save the parameters as safetensors";
        return Err(unsupported(&called(node), message));
    }
    let (last_axis, logit) = (chain.last_axis.take(), chain.logit);
    let mut pieces = chain.pieces;
    pieces.reverse();

    let lengths = lengths_of(input).unwrap_or_default();
    let length = |n: Option<i64>| n.and_then(|n| usize::try_from(n).ok());
    let mut image = match lengths[..] {
        [_, c, h, w] => match (length(c), length(h), length(w)) {
            (Some(c), Some(h), Some(w)) => Some([c, h, w]),
            _ => {
                let message =
                    "expected [N, C, H, W] with fixed C, H and W | export with N as the only dynamic axis";
                return Err(unsupported(&of_input, message));
            }
        },
        [_, _] => None,
        _ => {
            let found = shown_lengths(&lengths);
            return Err(unsupported(
                &of_input,
                format!("expected [N, features] or [N, C, H, W], found {found}"),
            ));
        }
    };
    let first_shape = image;
    // operations before the first layer encode columns, those behind the last one the target
    let mut start = 0;
    while let Some(Piece { kind: kind @ (Kind::Affine { .. } | Kind::Image(_)), place }) = pieces.get(start) {
        if let Kind::Image(shape) = kind
            && image.replace(*shape).is_some()
        {
            return Err(unsupported(place, "expected the shape [N, features], found that of other images"));
        }
        start += 1;
    }
    let mut layers = pieces.split_off(start);
    let end =
        layers.iter().rposition(|piece| !matches!(piece.kind, Kind::Affine { .. })).map_or(0, |k| k + 1);
    let target = layers.split_off(end);
    let dense = layers.iter().find_map(|piece| match piece.kind {
        Kind::Dense { inputs, .. } => Some(inputs),
        _ => None,
    });
    let columns = match (image, &lengths[..]) {
        (Some([c, h, w]), _) => c.checked_mul(h).and_then(|n| n.checked_mul(w)),
        (None, &[_, Some(columns)]) => usize::try_from(columns).ok(),
        _ => dense,
    };
    let Some(columns) = columns.filter(|&columns| (1..=MOST_INPUTS).contains(&columns)) else {
        let message =
            format!("expected the shape of 1 to {MOST_INPUTS} numbers, found {}", shown_lengths(&lengths));
        return Err(unsupported(&of_input, message));
    };
    if let [_, Some(stated)] = lengths[..]
        && usize::try_from(stated) != Ok(columns)
    {
        return Err(unsupported(
            &of_input,
            format!("expected {columns} numbers of an image, found {stated}"),
        ));
    }
    let encoder = encoder(&pieces, columns, first_shape, names(message, "features"))?;
    let Written { text, activation, parameters, outputs, images, sigmoid } =
        written(layers, columns, image, head == Head::None && !logit && target.is_empty())?;

    let sigmoid = sigmoid || head == Head::Sigmoid;
    if outputs != 1 && sigmoid {
        let message =
            format!("expected one output behind a sigmoid, found {outputs} | leave the sigmoid out");
        return Err(unsupported(&of_output, message));
    }
    if outputs == 1 && head == Head::Softmax {
        return Err(unsupported(&of_output, "expected two classes or more behind a softmax, found 1"));
    }
    if let Some((place, names)) = &named
        && names.len() != outputs.max(2)
    {
        let message = format!("expected the names of {} classes, found {}", outputs.max(2), names.len());
        return Err(damaged(place, message));
    }
    let classes = named.map(|(_, names)| names).or_else(|| names(message, "classes"));
    let target_name = property(message, "target");
    let two = logit || classes.as_ref().is_some_and(|names| names.len() == 2 && target_name.is_none());
    let predictions = if images {
        if let Some(place) = last_axis {
            return Err(unsupported(
                &place,
                "axis: expected 1, of the classes of each pixel, found the last",
            ));
        }
        Predictions::Masks(class_names(classes, outputs))
    } else if outputs > 1 || sigmoid || two {
        Predictions::Classes(class_names(classes, outputs))
    } else {
        number(&target, target_name.unwrap_or(&output.name))?
    };
    if let (Some(piece), false) = (target.first(), matches!(predictions, Predictions::Number { .. })) {
        return Err(unsupported(&piece.place, "expected a layer, a softmax or a sigmoid"));
    }
    let model = SavedModel {
        sizes: text,
        activation,
        encoder,
        predictions,
        parameters,
        ..SavedModel::of(&Params::new())
    };
    model.check().map_err(unfit)?;
    Ok(model)
}

/// Layers of which one does not take what the one before it returns.
fn unfit(error: impl std::fmt::Display) -> Refusal {
    damaged("", format!("its layers do not fit each other: {error}"))
}

fn shown_lengths(lengths: &[Option<i64>]) -> String {
    let lengths = Vec::from_iter(lengths.iter().map(|n| n.map_or("N".into(), |n| n.to_string())));
    format!("[{}]", lengths[..lengths.len().min(8)].join(", "))
}

/// The names of the file, if they are as many as the outputs need.
fn class_names(names: Option<Vec<String>>, outputs: usize) -> Vec<String> {
    let count = outputs.max(2);
    names.filter(|names| names.len() == count).unwrap_or_else(|| (0..count).map(|k| k.to_string()).collect())
}

/// The columns of a file, scaled by the operations before the first layer.
fn encoder(
    pieces: &[Piece],
    columns: usize,
    image: Option<[usize; 3]>,
    names: Option<Vec<String>>,
) -> Read<Encoder> {
    let (mut offsets, mut scales) = (vec![0.0; columns], vec![1.0; columns]);
    let mut shape = image.map_or(vec![columns], Vec::from);
    for Piece { place, kind } in pieces {
        match kind {
            Kind::Image(image) => shape = image.to_vec(),
            Kind::Affine { op, lengths, values } => {
                let Some(each) = spread(lengths, values, &shape) else {
                    let message =
                        format!("expected constants for each of {shape:?}, found {}", shown(lengths));
                    return Err(unsupported(place, message));
                };
                for ((offset, scale), value) in offsets.iter_mut().zip(&mut scales).zip(each) {
                    match op {
                        Affine::Add => *offset -= value * *scale,
                        Affine::Sub => *offset += value * *scale,
                        Affine::Mul => *scale /= value,
                        Affine::Div => *scale *= value,
                    }
                    if !offset.is_finite() || !scale.is_finite() || *scale <= 0.0 {
                        return Err(unsupported(
                            place,
                            "expected finite constants, and those of products above 0",
                        ));
                    }
                }
            }
            _ => {}
        }
    }
    let names = names.filter(|names| names.len() == columns);
    let names = names.unwrap_or_else(|| (0..columns).map(|k| format!("x{k}")).collect());
    let column = |((name, offset), scale)| EncodedColumn {
        name,
        encoding: Encoding::Number { fill: None, offset, scale },
    };
    Ok(Encoder { columns: names.into_iter().zip(offsets).zip(scales).map(column).collect() })
}

/// The constant of each number of this shape, by the rules of broadcasting.
fn spread(lengths: &[usize], values: &[f32], shape: &[usize]) -> Option<Vec<f64>> {
    let lengths = match lengths.split_first() {
        Some((1, rest)) if rest.len() == shape.len() => rest, // of the rows
        _ => lengths,
    };
    let missing = shape.len().checked_sub(lengths.len())?;
    if lengths.iter().zip(&shape[missing..]).any(|(&own, &n)| own != 1 && own != n) {
        return None;
    }
    let count = shape.iter().product();
    let at = |flat: usize| {
        let (mut rest, mut index, mut step) = (flat, 0, 1);
        for (k, &n) in shape.iter().enumerate().rev() {
            if let Some(&own) = k.checked_sub(missing).and_then(|k| lengths.get(k)) {
                index += if own == 1 { 0 } else { rest % n * step };
                step *= own;
            }
            rest /= n;
        }
        values.get(index).map(|&value| f64::from(value))
    };
    (0..count).map(at).collect()
}

/// A number, scaled by the operations behind the last layer.
fn number(pieces: &[Piece], name: &str) -> Read<Predictions> {
    let (mut offset, mut scale) = (0.0, 1.0);
    for Piece { place, kind } in pieces {
        let Kind::Affine { op, lengths, values } = kind else { continue };
        let (&[value], true) = (&values[..], lengths.len() <= 2) else {
            return Err(unsupported(place, format!("expected one constant, found {}", values.len())));
        };
        let value = f64::from(value);
        match op {
            Affine::Add => offset += value,
            Affine::Sub => offset -= value,
            Affine::Mul => (offset, scale) = (offset * value, scale * value),
            Affine::Div => (offset, scale) = (offset / value, scale / value),
        }
        if !offset.is_finite() || !scale.is_finite() || scale == 0.0 {
            return Err(unsupported(place, "expected a finite constant, and that of a product other than 0"));
        }
    }
    Ok(Predictions::Number { name: name.into(), offset, scale })
}

/// A net as text, with its parameters.
struct Written {
    text: String,
    activation: String,
    parameters: Vec<SavedParameter>,
    outputs: usize,
    /// Whether it ends with images.
    images: bool,
    /// Whether a sigmoid followed.
    sigmoid: bool,
}

/// `bare` says that nothing follows these layers, so that a sigmoid at their end makes a probability.
fn written(mut layers: Vec<Piece>, columns: usize, image: Option<[usize; 3]>, bare: bool) -> Read<Written> {
    let sigmoid =
        bare && matches!(layers.last(), Some(Piece { kind: Kind::Activation(Activation::Sigmoid), .. }));
    if sigmoid {
        layers.pop();
    }
    let activation = if image.is_none() { activation(&layers) } else { None };
    let mut parts = match image {
        Some([c, h, w]) => vec![format!("{c}x{h}x{w}")],
        None if activation.is_some() => vec![columns.to_string()],
        // numbers alone would have activations between
        None if layers.iter().all(|piece| matches!(piece.kind, Kind::Dense { .. } | Kind::Flatten(_))) => {
            vec!["flatten".into()]
        }
        None => Vec::new(),
    };
    let unnumbered = usize::from(image.is_some() || activation.is_some());
    let (mut parameters, mut images, mut features) = (Vec::new(), image.is_some(), columns);
    for Piece { place, kind } in layers {
        let number = parts.len() + 1 - unnumbered;
        let mut parameter = |number: usize, name: &str, lengths: &[usize], values: Vec<f32>| {
            let shape = lengths.iter().map(|&n| n as u64).collect();
            parameters.push(SavedParameter { name: format!("layer{number}.{name}"), shape, values });
        };
        match kind {
            Kind::Dense { .. } if images => {
                return Err(unsupported(
                    &place,
                    "expected rows of numbers, found images | put a Flatten before it",
                ));
            }
            Kind::Dense { inputs, outputs, weight, bias } => {
                parameter(number, "weight", &[inputs, outputs], weight);
                parameter(number, "bias", &[outputs], bias);
                parts.push(outputs.to_string());
                features = outputs;
            }
            Kind::Of { images: expected } => {
                if expected != images {
                    let [expected, found] =
                        [expected, images].map(|images| if images { "images" } else { "rows" });
                    return Err(unsupported(
                        &place,
                        format!("expected weights for {found}, found those for {expected}"),
                    ));
                }
            }
            Kind::Activation(_) if activation.is_some() => {}
            Kind::Activation(activation) => parts.push(activation.to_string()),
            Kind::Layer { part, parameters } => {
                parts.push(part);
                parameters
                    .into_iter()
                    .for_each(|(name, lengths, values)| parameter(number, name, &lengths, values));
            }
            Kind::Flatten(stated) => {
                if images {
                    parts.push("flatten".into());
                    features = planned(&parts, columns, false)?.outputs();
                }
                if stated.is_some_and(|stated| stated != features) {
                    let message = format!("expected the shape [N, {features}], of the numbers of a row");
                    return Err(unsupported(&place, message));
                }
                images = false;
            }
            Kind::Affine { .. } | Kind::Image(_) => {
                return Err(unsupported(
                    &place,
                    "expected it before the first layer or behind the last one, found it between layers",
                ));
            }
        }
    }
    if parts.len() == unnumbered {
        return Err(unsupported("", "expected a layer, found none"));
    }
    let plan = planned(&parts, columns, images)?;
    let found: usize = parameters.iter().map(|parameter: &SavedParameter| parameter.values.len()).sum();
    if plan.parameters() != found {
        return Err(unfit(format!(
            "expected {} numbers for {}, found {found}",
            plan.parameters(),
            plan.architecture()
        )));
    }
    Ok(Written {
        text: plan.architecture().to_string(),
        activation: activation.map_or(String::new(), |activation| activation.to_string()),
        parameters,
        outputs: plan.outputs(),
        images,
        sigmoid,
    })
}

fn planned(parts: &[String], columns: usize, images: bool) -> Read<Plan> {
    let net: Architecture = parts.join("-").parse().map_err(unfit)?;
    if images { net.plan_images(&[columns]) } else { net.plan(&[columns]) }.map_err(unfit)
}

/// The activation of a dense net: dense layers with the same one between all of them.
fn activation(layers: &[Piece]) -> Option<Activation> {
    let (mut between, mut dense) = (None, false);
    for Piece { kind, .. } in layers {
        match kind {
            Kind::Dense { .. } if !dense => dense = true,
            Kind::Activation(activation) if dense && *between.get_or_insert(*activation) == *activation => {
                dense = false
            }
            Kind::Flatten(_) => {} // of rows
            _ => return None,
        }
    }
    dense.then(|| between.unwrap_or_default())
}

#[cfg(test)]
mod tests;
