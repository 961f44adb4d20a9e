//! Kind `conv_net`: a graph of convolutions and other operations, trained by gradient descent on batches; then, where there is one, a
//! linear probe on its features.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde_json::{Map, Value, json};
use surprisal_loss::by_name;
use surprisal_loss::{CeDiceLoss, LossError, SoftmaxCrossEntropy, SupconLoss};
use surprisal_tensor::ndarray::{ArrayD, Axis, IxDyn};
use surprisal_tensor::ops::by_name::{CallError, read_options};
use surprisal_tensor::ops::{Signature, view::Reshape};
use surprisal_tensor::{ParamId, Params, Shape, Tape, Var, Workspace};

use super::ReplayError;
use super::descent::not_finite;
use super::net::norm;
use super::operation::{How, NormLayer, find_operation, of_shapes, operations};
use super::place::{MOST_STEPS, Place};

pub(super) fn replay(setting: &Place, _: &Path) -> Result<Value, ReplayError> {
    let data = Data::read(&setting.get("data")?)?;
    let mut net = Net::read(&setting.get("nodes")?, &setting.get("init")?, &data)?;
    let mut result = train(setting, &mut net, &data)?;
    if let Some(place) = setting.find("probe")? {
        let of_probe = probe(&place, &net, data)?;
        result["probe_rows"] = of_probe["rows"].clone();
        result["probe_params"] = of_probe["params"].clone();
    }
    Ok(result)
}

/// A linear layer on the features of all rows, each scaled to length 1: the net before it stays as it is.
fn probe(place: &Place, encoder: &Net, data: Data) -> Result<Value, ReplayError> {
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&encoder.params).evaluating();
    let features = encoder.record(&tape, &data.x)?[encoder.nodes.len()];
    let features = features.value();
    if features.ndim() != 2 {
        return Err(place.found(
            format!("features of shape {:?}", features.shape()),
            "features [rows, numbers]",
            "flatten the last node before a probe",
        ));
    }
    let data = Data { x: of_length_one(&features), ..data };
    let nodes = json!([{ "name": "probe", "op": "linear", "from": ["x"] }]);
    let nodes = Place { path: place.path.clone(), value: &nodes };
    let mut net = Net::read(&nodes, &place.get("init")?, &data)?;
    train(place, &mut net, &data)
}

/// Samples along axis 0, and what is expected of each.
struct Data {
    x: ArrayD<f64>,
    /// Labels or 0 and 1: of each sample as many.
    y: Vec<i64>,
    y_shape: Vec<usize>,
    path: String,
}

impl Data {
    fn read(place: &Place) -> Result<Data, ReplayError> {
        let divisor = place.get("divide_by")?.number_within(
            |by| by > 0.0,
            "a number above 0",
            "1 leaves x as it is",
        )?;
        let (x_at, shape_at) = (place.get("x")?, place.get("x_shape")?);
        let shape = dimensions(&shape_at)?;
        if shape.len() != 4 {
            return Err(shape_at.wrong("four lengths", "images are [N, C, H, W]"));
        }
        let x = x_at.matrix()? / divisor;
        let (rows, columns) = x.dim();
        if rows != shape[0] || columns != shape[1..].iter().product::<usize>() {
            return Err(shape_at.found(
                format!("{shape:?}"),
                &format!("the shape of {rows} rows of {columns} numbers"),
                "each row of x has the numbers of one sample",
            ));
        }
        let x = x
            .into_dyn()
            .into_shape_with_order(shape.clone())
            .map_err(|error| shape_at.found(error.to_string(), "a shape", "images are [N, C, H, W]"))?;
        let y_at = place.get("y")?;
        let (mut y, mut y_shape) = (vec![], vec![rows]);
        let label = |label: &Place| label.count_to(1_000_000).map(|label| label as i64);
        match place.find("y_shape")? {
            None => {
                for row in y_at.list()? {
                    y.push(label(&row)?);
                }
            }
            Some(shape) => {
                y_shape = dimensions(&shape)?;
                let of_each = y_shape.iter().skip(1).product::<usize>();
                for row in y_at.list()? {
                    let before = y.len();
                    for pixel in row.list()? {
                        y.push(label(&pixel)?);
                    }
                    if y.len() - before != of_each {
                        return Err(row.wrong(
                            format!("a list of {of_each}"),
                            "y_shape says how many numbers a sample has",
                        ));
                    }
                }
            }
        }
        if y_shape.first() != Some(&rows) || y.len() != y_shape.iter().product::<usize>() {
            return Err(y_at.wrong(format!("a list of {rows}"), "y belongs to the rows of x, one by one"));
        }
        Ok(Data { x, y, y_shape, path: y_at.path })
    }

    fn rows(&self) -> usize {
        self.x.shape()[0]
    }

    /// The rows of update k + 1, counted round.
    fn batch(&self, k: usize, size: usize) -> Batch {
        let rows = self.rows();
        let first = (k as u128 * size as u128 % rows.max(1) as u128) as usize;
        let indices = Vec::from_iter((0..size).map(|i| (first + i) % rows));
        let of_each = self.y.len() / rows.max(1);
        let y = indices.iter().flat_map(|&row| self.y[row * of_each..(row + 1) * of_each].iter().copied());
        let mut y_shape = self.y_shape.clone();
        y_shape[0] = size;
        Batch { x: self.x.select(Axis(0), &indices), y: y.collect(), y_shape }
    }
}

struct Batch {
    x: ArrayD<f64>,
    y: Vec<i64>,
    y_shape: Vec<usize>,
}

/// Lengths that a tensor has: 1 or more each.
fn dimensions(place: &Place) -> Result<Vec<usize>, ReplayError> {
    place
        .list()?
        .map(|length| match length.count_to(1_000_000)? {
            0 => Err(length.wrong("a count, 1 or above", "nothing is left of an axis of length 0")),
            length => Ok(length),
        })
        .collect()
}

/// A list of lists of numbers, whose nesting is its shape.
fn array(place: &Place) -> Result<ArrayD<f64>, ReplayError> {
    fn fill(
        place: &Place,
        depth: usize,
        shape: &mut Vec<usize>,
        numbers: &mut Vec<f64>,
    ) -> Result<(), ReplayError> {
        if !place.value.is_array() {
            if depth < shape.len() {
                return Err(place.wrong("a list", "arrays are nested lists of one depth"));
            }
            numbers.push(place.number()?);
            return Ok(());
        }
        let parts = Vec::from_iter(place.list()?);
        if numbers.is_empty() && depth == shape.len() {
            shape.push(parts.len());
        }
        match shape.get(depth) {
            Some(&length) if length == parts.len() => {}
            Some(&length) => {
                return Err(
                    place.wrong(format!("a list of {length}"), "the lists at one depth have one length")
                );
            }
            None => return Err(place.wrong("a number", "arrays are nested lists of one depth")),
        }
        parts.iter().try_for_each(|part| fill(part, depth + 1, shape, numbers))
    }
    let (mut shape, mut numbers) = (vec![], vec![]);
    fill(place, 0, &mut shape, &mut numbers)?;
    ArrayD::from_shape_vec(IxDyn(&shape), numbers).map_err(|error| {
        place.found(error.to_string(), "nested lists", "arrays are nested lists of one depth")
    })
}

/// How a node is recorded.
#[derive(Clone)]
enum Kind {
    /// From the nodes before it, and its weight and bias.
    Tape(Signature, BTreeMap<String, by_name::Value>),
    Norm(NormLayer),
    /// Of channels, rows and columns in one axis, in this order.
    Flatten,
}

struct Node {
    name: String,
    path: String,
    op: String,
    /// 0 is x, k + 1 is node k.
    from: Vec<usize>,
    kind: Kind,
    parameters: Vec<(&'static str, ParamId)>,
}

struct Net {
    params: Params<f64>,
    nodes: Vec<Node>,
}

impl Net {
    fn read(nodes: &Place, init: &Place, data: &Data) -> Result<Net, ReplayError> {
        let mut net = Net { params: Params::default(), nodes: vec![] };
        for place in nodes.list()? {
            let node = net.node(&place, init, data)?;
            net.nodes.push(node);
        }
        if net.nodes.is_empty() {
            return Err(nodes.wrong("at least one node", "the value of the last node goes to the loss"));
        }
        let known: HashSet<_> = net.params.entries().iter().map(|entry| entry.name.clone()).collect();
        match init.entries()?.find(|(key, _)| !known.contains(*key)) {
            Some((key, place)) => Err(place.found(
                format!("{key:?}"),
                "a parameter of a node",
                "parameters are NODE.weight and NODE.bias, of batch_norm2d also NODE.running_mean and NODE.running_var",
            )),
            None => Ok(net),
        }
    }

    fn node(&mut self, place: &Place, init: &Place, data: &Data) -> Result<Node, ReplayError> {
        let (name_at, op_at, from_at) = (place.get("name")?, place.get("op")?, place.get("from")?);
        let (name, op) = (name_at.text()?, op_at.text()?);
        let position = |name: &str| match name {
            "x" => Some(0),
            name => self.nodes.iter().position(|node| node.name == name).map(|k| k + 1),
        };
        if name.is_empty() || name.contains('.') || position(name).is_some() {
            return Err(name_at.wrong("a name of its own, without a dot", "\"x\" are the images"));
        }
        let mut from = vec![];
        for earlier in from_at.list()? {
            from.push(
                position(earlier.text()?)
                    .ok_or_else(|| earlier.wrong("an earlier node, or \"x\"", "nodes are in order"))?,
            );
        }
        if from.is_empty() {
            return Err(from_at.wrong("at least one name", "\"x\" are the images"));
        }
        let mut options = BTreeMap::new();
        for (key, option) in place.entries()? {
            if !matches!(key, "name" | "op" | "from") {
                options.insert(key.to_owned(), value(&option)?);
            }
        }
        let (op, mut node) = (
            op.to_owned(),
            Node {
                name: name.into(),
                path: place.path.clone(),
                op: op.into(),
                from,
                kind: Kind::Flatten,
                parameters: vec![],
            },
        );
        match op.as_str() {
            "flatten" => {
                if let Some(key) = options.keys().next() {
                    return Err(place.get(key)?.wrong("no option", "flatten has none"));
                }
                if node.from.len() > 1 {
                    return Err(from_at.wrong("one name", "flatten has one input"));
                }
            }
            "concat" => {
                options.insert("axis".into(), by_name::Value::Number(1.0));
            }
            _ => {}
        }
        if op == "flatten" {
            return Ok(node);
        }
        let operation = find_operation(if op == "linear" { "affine" } else { &op }).ok_or_else(|| {
            let names = operations().map(|operation| operation.name).chain(["linear", "flatten"]);
            let near = surprisal_settings::nearest(&op, names).join(" or ");
            let hint = if near.is_empty() {
                "`surprisal op --list` has all".into()
            } else {
                format!("did you mean {near}?")
            };
            op_at.found(format!("{op:?}"), "an operation", &hint)
        })?;
        let parameter = |params: &mut Params<f64>, part: &'static str, needed: bool| {
            let key = format!("{name}.{part}");
            if !needed && init.value.get(&key).is_none() {
                return Ok(None);
            }
            let values = array(&init.get(&key)?)?;
            Shape::try_new(values.shape()).map_err(|error| node_error(&init.path, &error.to_string()))?;
            Ok(Some((part, params.add(&key, &values))))
        };
        node.kind = match operation.how {
            How::Tape(signature) => {
                let options_of = read_options(signature.settings, &options);
                options_of.map_err(|error| node_error(&place.path, &error.to_string()))?;
                for input in signature.inputs.iter().filter(|input| matches!(input.name, "weight" | "bias")) {
                    let found = parameter(&mut self.params, input.name, !input.optional || op == "linear")?;
                    node.parameters.extend(found);
                }
                Kind::Tape(signature, options)
            }
            How::Norm(norm) => {
                let read = read_options(operation.options, &options);
                let read = read.map_err(|error| node_error(&place.path, &error.to_string()))?;
                let of = |name: &str| {
                    let place = operation.options.iter().position(|option| option.name == name)?;
                    read[place].as_ref()?.number()
                };
                if of("training") == Some(0.0) {
                    return Err(place.get("training")?.wrong("true", "rows are measured in training mode"));
                }
                let mut workspace = Workspace::new();
                let batch = data.batch(0, data.rows());
                let x = self.record(&workspace.tape(&self.params), &batch.x)?[node.from[0]].shape();
                let numbers = [of("eps").unwrap_or(1e-5), of("momentum").unwrap_or(0.1)];
                let groups = of("groups").map(|groups| groups as usize);
                let layer = NormLayer::new(norm, &mut self.params, name, x.dims(), groups, numbers);
                let layer = layer.map_err(|message| node_error(&place.path, &message))?;
                for (part, id) in layer.parameters() {
                    let key = format!("{name}.{part}");
                    if init.value.get(&key).is_some() {
                        let at = init.get(&key)?;
                        let values = at.numbers()?;
                        if values.len() != self.params[id].len() {
                            return Err(at.wrong(
                                format!("a list of {}", self.params[id].len()),
                                "there is one number for each channel",
                            ));
                        }
                        self.params[id].copy_from_slice(&values);
                    }
                    node.parameters.push((part, id));
                }
                Kind::Norm(layer)
            }
            How::Loss(_) => {
                return Err(op_at.found(format!("{op:?}"), "an operation", "name the loss under \"loss\""));
            }
        };
        Ok(node)
    }

    /// The images, and the value of every node.
    fn record<'t>(&self, tape: &'t Tape<'t>, x: &ArrayD<f64>) -> Result<Vec<Var<'t>>, ReplayError> {
        let mut values = vec![tape.input(x)];
        for node in &self.nodes {
            let wrong = |message: String| node_error(&node.path, &message);
            let from = Vec::from_iter(node.from.iter().map(|&k| values[k]));
            let value = match &node.kind {
                Kind::Flatten => {
                    let shape = from[0].shape();
                    let n = shape.dims().first().copied().unwrap_or(1);
                    let shape = Shape::try_new(&[n, shape.len() / n.max(1)]);
                    shape
                        .and_then(|shape| tape.try_apply(Reshape { shape }, [from[0]]))
                        .map_err(|error| wrong(error.to_string()))?
                }
                Kind::Norm(layer) => {
                    let shape = from[0].shape();
                    layer
                        .check(shape.dims(), true)
                        .map_err(|message| wrong(format!("{}: {message}", node.op)))?;
                    layer.forward(from[0])
                }
                Kind::Tape(signature, options) => {
                    let parameters = node.parameters.iter().map(|&(part, id)| (part, tape.param(id)));
                    let names = signature.inputs.iter().map(|input| input.name);
                    let names = names.filter(|name| !matches!(*name, "weight" | "bias"));
                    let given = names.clone().zip(from.iter().copied()).chain(parameters);
                    if from.len() > names.count() {
                        return Err(wrong(format!("{}: {} inputs are too many", node.op, from.len())));
                    }
                    let call_error = |error: CallError| match error {
                        CallError::Shape(error) => wrong(of_shapes(error)),
                        other => wrong(format!("{}: {other}", node.op)),
                    };
                    signature.call(&Vec::from_iter(given), options).map_err(call_error)?
                }
            };
            values.push(value);
        }
        Ok(values)
    }

    /// The parameters by their names, as nested lists.
    fn to_json(&self) -> Value {
        let entry = |(entry, id): (&surprisal_tensor::Entry, ParamId)| {
            (entry.name.to_string(), nested(entry.shape.dims(), &self.params[id]))
        };
        Value::Object(Map::from_iter(self.params.entries().iter().zip(self.params.ids()).map(entry)))
    }
}

/// The error that a node cannot be recorded: what an operation says, and what to try.
fn node_error(at: &str, message: &str) -> ReplayError {
    let (found, hint) =
        message.split_once(" hint: ").or_else(|| message.split_once(" | ")).unwrap_or((message, ""));
    let hint = if hint.is_empty() { "`surprisal op --list` has inputs and options of each" } else { hint };
    ReplayError::new(at, "an operation that fits its inputs", found.trim(), hint.trim())
}

/// The value of an option.
fn value(place: &Place) -> Result<by_name::Value, ReplayError> {
    Ok(match place.value {
        Value::Bool(flag) => by_name::Value::Flag(*flag),
        Value::String(text) => by_name::Value::Text(text.clone()),
        Value::Array(_) => by_name::Value::Numbers(place.numbers()?),
        _ => by_name::Value::Number(place.number()?),
    })
}

fn nested(shape: &[usize], numbers: &[f64]) -> Value {
    match shape {
        [] => json!(numbers[0]),
        [_] => json!(numbers),
        [_, inner @ ..] => {
            numbers.chunks(inner.iter().product::<usize>().max(1)).map(|part| nested(inner, part)).collect()
        }
    }
}

#[derive(Clone, Copy)]
enum Loss {
    SoftmaxCe,
    PixelCe,
    CeDice(CeDiceLoss),
    Supcon(SupconLoss),
}

impl Loss {
    fn read(place: &Place) -> Result<Loss, ReplayError> {
        const NAMES: &[(&str, usize)] = &[("softmax_ce", 0), ("pixel_ce", 1), ("ce_dice", 2), ("supcon", 3)];
        Ok(match place.get("name")?.one_of(NAMES)? {
            0 => Loss::SoftmaxCe,
            1 => Loss::PixelCe,
            2 => {
                let a = place.get("a")?.number_within(
                    |a| (0.0..=1.0).contains(&a),
                    "a number from 0 to 1",
                    "a is the share of cross-entropy",
                )?;
                let smooth =
                    place.get("smooth")?.number_within(|s| s >= 0.0, "a number, 0 or above", "1 is usual")?;
                Loss::CeDice(CeDiceLoss { a, smooth })
            }
            _ => {
                let temperature = place.get("temperature")?.number_within(
                    |t| t > 0.0,
                    "a number above 0",
                    "0.07 is usual",
                )?;
                Loss::Supcon(SupconLoss { temperature, ..Default::default() })
            }
        })
    }

    fn record<'t>(self, output: Var<'t>, batch: &Batch, data: &Data) -> Result<Var<'t>, ReplayError> {
        let shape = output.shape();
        let wrong = |error: LossError| {
            let message = surprisal_loss::vectors::in_file(error).0;
            let (found, hint) =
                message.split_once(" hint: ").unwrap_or((&message, "the last node and y belong together"));
            ReplayError::new(&*data.path, format!("targets that fit the last node, {shape}"), found, hint)
        };
        let fits = match self {
            Loss::SoftmaxCe | Loss::Supcon(_) => shape.rank() == 2 && batch.y_shape.len() == 1,
            Loss::PixelCe => {
                shape.rank() == 4 && batch.y_shape == [&shape.dims()[..1], &shape.dims()[2..]].concat()
            }
            Loss::CeDice(_) => shape.rank() == 4 && shape.dims()[1] == 1 && batch.y_shape == shape.dims(),
        };
        if !fits {
            let expected = match self {
                Loss::SoftmaxCe => "logits [N, classes] and a label for each row",
                Loss::Supcon(_) => "features [N, numbers] and a label for each row",
                Loss::PixelCe => "logits [N, classes, H, W] and y_shape [N, H, W]",
                Loss::CeDice(_) => "logits [N, 1, H, W] and y_shape [N, 1, H, W]",
            };
            return Err(ReplayError::new(
                &*data.path,
                expected,
                format!("a last node of {shape} and targets of {:?}", batch.y_shape),
                "the last node and y belong together",
            ));
        }
        match self {
            Loss::SoftmaxCe | Loss::PixelCe => SoftmaxCrossEntropy::default().try_loss(output, &batch.y[..]),
            Loss::CeDice(loss) => {
                if batch.y.iter().any(|&y| y > 1) {
                    return Err(ReplayError::new(
                        &*data.path,
                        "pixels of 0 and 1",
                        "another number",
                        "ce_dice has two classes",
                    ));
                }
                loss.try_loss(output, output.tape().input_with(shape, |i| batch.y[i] as f64))
            }
            Loss::Supcon(loss) => loss.try_loss(output, &batch.y),
        }
        .map_err(wrong)
    }

    /// What is measured beside the loss.
    fn measure(self, output: &ArrayD<f64>, batch: &Batch) -> Value {
        let first_rows =
            || nested_array(&output.slice_axis(Axis(0), (0..2.min(output.shape()[0])).into()).to_owned());
        // of the first image, of each channel
        let pixel_rows = || {
            let image = output.index_axis(Axis(0), 0);
            (image.shape()[1] > 8).then(|| image.index_axis(Axis(1), 8).to_owned())
        };
        match self {
            Loss::SoftmaxCe => json!({ "correct": correct(output, &batch.y), "outputs": first_rows() }),
            Loss::PixelCe => {
                let rows = pixel_rows().map(|rows| nested_array(&rows));
                let mut result = json!({ "correct": correct(output, &batch.y) });
                result
                    .as_object_mut()
                    .into_iter()
                    .for_each(|result| result.extend(rows.clone().map(|rows| ("outputs_row".into(), rows))));
                result
            }
            Loss::CeDice(_) => {
                let set = output.iter().zip(&batch.y).map(|(&z, &y)| (z > 0.0, y == 1));
                let [mut both, mut said, mut meant] = [0usize; 3];
                for (s, m) in set {
                    (both, said, meant) =
                        (both + usize::from(s && m), said + usize::from(s), meant + usize::from(m));
                }
                let dice = if said + meant == 0 { 1.0 } else { (2 * both) as f64 / (said + meant) as f64 };
                let mut result = json!({ "hard_dice": dice, "predicted_pixels": said });
                if let Some(rows) = pixel_rows() {
                    result["outputs_row"] = nested_array(&rows.index_axis(Axis(0), 0).to_owned());
                }
                result
            }
            Loss::Supcon(_) => {
                json!({ "nearest_has_label": nearest_has_label(output, &batch.y), "outputs": first_rows() })
            }
        }
    }
}

fn nested_array(x: &ArrayD<f64>) -> Value {
    nested(x.shape(), &Vec::from_iter(x.iter().copied()))
}

/// Rows, or pixels, whose largest number along axis 1 is that of their label; of equal ones the first.
fn correct(output: &ArrayD<f64>, labels: &[i64]) -> usize {
    let classes = output.shape()[1];
    let mut order = Vec::from_iter(0..output.ndim());
    order.remove(1);
    order.push(1);
    let last = output.view().permuted_axes(order);
    let numbers = Vec::from_iter(last.iter().copied());
    let argmax = |row: &[f64]| (1..row.len()).fold(0, |best, k| if row[k] > row[best] { k } else { best });
    numbers.chunks(classes.max(1)).zip(labels).filter(|&(row, &label)| argmax(row) as i64 == label).count()
}

/// Rows whose nearest other row, by cosine, has their label; of equally near ones the first.
fn nearest_has_label(features: &ArrayD<f64>, labels: &[i64]) -> usize {
    let unit = of_length_one(features);
    let row = |i: usize| unit.index_axis(Axis(0), i);
    let cosine = |i: usize, j: usize| row(i).iter().zip(row(j)).map(|(a, b)| a * b).sum::<f64>();
    let nearest = |i: usize| {
        let others = (0..labels.len()).filter(|&j| j != i).map(|j| (cosine(i, j), j));
        others.reduce(|best, other| if other.0 > best.0 { other } else { best })
    };
    (0..labels.len()).filter(|&i| nearest(i).is_some_and(|(_, j)| labels[j] == labels[i])).count()
}

/// Each row divided by its length.
fn of_length_one(features: &ArrayD<f64>) -> ArrayD<f64> {
    let mut unit = features.clone();
    for mut row in unit.axis_iter_mut(Axis(0)) {
        let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
        row /= length;
    }
    unit
}

/// A row for each of 0 to `steps` updates, on the batch of the next, and the parameters after the last.
fn train(setting: &Place, net: &mut Net, data: &Data) -> Result<Value, ReplayError> {
    let eta = setting.get("eta")?;
    let (step_size, steps) = (eta.number()?, setting.get("steps")?.count_to(MOST_STEPS)?);
    let (loss, size_at) = (Loss::read(&setting.get("loss")?)?, setting.get("batch")?);
    let size = size_at.count()?;
    if size == 0 || size > data.rows() {
        return Err(size_at.wrong(
            format!("a count from 1 to {}", data.rows()),
            "a batch has some of the rows of x, or all",
        ));
    }
    let diverged = |found: String, step: usize| {
        eta.found(
            format!("{found} at step {step}"),
            "numbers that stay finite",
            "try a smaller eta, or a start nearer 0",
        )
    };
    let (mut workspace, mut rows) = (Workspace::new(), vec![]);
    for step in 0..=steps {
        let batch = data.batch(step, size);
        let tape = workspace.tape(&net.params);
        let output = net.record(&tape, &batch.x)?[net.nodes.len()];
        let cost = loss.record(output, &batch, data)?;
        cost.backward();
        let (cost, output) = (cost.item(), output.value());
        if !cost.is_finite() {
            return Err(diverged(format!("a loss of {cost}"), step));
        }
        let grads = workspace.grads();
        let of_node = |node: &Node| {
            let parts = node.parameters.iter().filter(|(_, id)| net.params.is_trainable(*id));
            let parts = Vec::from_iter(parts.map(|(_, id)| &grads[*id]));
            (!parts.is_empty()).then(|| (node.name.clone(), norm(&parts)))
        };
        let norms: BTreeMap<_, _> = net.nodes.iter().filter_map(of_node).collect();
        let mut row = json!({
            "step": step,
            "loss": cost,
            "grad_norm": norms.values().map(|norm| norm * norm).sum::<f64>().sqrt(),
            "layer_grad_norms": norms,
        });
        if let (Value::Object(row), Value::Object(measured)) = (&mut row, loss.measure(&output, &batch)) {
            row.extend(measured);
        }
        if let Some(key) = not_finite(&row) {
            return Err(diverged(format!("an infinity or NaN in {key:?}"), step));
        }
        rows.push(row);
        if step < steps {
            for id in net.params.ids().filter(|&id| net.params.is_trainable(id)).collect::<Vec<_>>() {
                for (theta, g) in net.params[id].iter_mut().zip(&workspace.grads()[id]) {
                    *theta -= step_size * g;
                }
            }
            workspace.grads().apply_updates(&mut net.params);
        }
    }
    Ok(json!({ "rows": rows, "params": net.to_json() }))
}
