//! The graph of a file, checked: every value has one source, nodes are in the order of computation, and tensors have the numbers of their
//! shapes.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::rc::Rc;

use surprisal_settings::quoted;

use super::super::schema::{self, Node, Tensor, ValueInfo, element};
use super::{Read, damaged, unsupported};

/// What is read of the format.
const IR_VERSIONS: std::ops::RangeInclusive<i64> = 3..=14;
const OPSETS: std::ops::RangeInclusive<i64> = 13..=21;
/// Longer shapes are not computed.
const MOST_LENGTHS: usize = 8;

/// A graph with an index of its values.
pub(super) struct File<'a> {
    pub(super) graph: &'a schema::Graph,
    pub(super) opset: i64,
    /// Without the initializers that are listed as inputs.
    pub(super) inputs: Vec<&'a ValueInfo>,
    /// The node that computes each value.
    producers: HashMap<&'a str, usize>,
    constants: HashMap<&'a str, Constant<'a>>,
    lengths: HashMap<&'a str, Lengths<'a>>,
}

/// A tensor that does not depend on the inputs.
#[derive(Clone)]
pub(super) struct Constant<'a> {
    tensor: Source<'a>,
    transposed: bool,
}

#[derive(Clone)]
enum Source<'a> {
    File(&'a Tensor),
    /// Of the numbers in attributes.
    Made(Rc<Tensor>),
}

/// Lengths that a graph computes from the shape of a value.
#[derive(Clone)]
pub(super) enum Lengths<'a> {
    /// All lengths of this value.
    All(&'a str),
    /// Some; `None` is the number of rows.
    Some(Vec<Option<i64>>),
}

/// The first of some numbers, for a message.
pub(super) fn shown<T: Debug>(numbers: &[T]) -> String {
    match numbers.get(..MOST_LENGTHS) {
        Some(first) if numbers.len() > MOST_LENGTHS => {
            format!("{first:?} and {} more", numbers.len() - MOST_LENGTHS)
        }
        _ => format!("{numbers:?}"),
    }
}

/// "node "/0/Gemm" (Gemm)"
pub(super) fn called(node: &Node) -> String {
    let name = if node.name.is_empty() { node.output.first().map_or("", String::as_str) } else { &node.name };
    let domain = if is_standard(&node.domain) { String::new() } else { format!("{}.", node.domain) };
    let op = format!("{domain}{}", node.op_type);
    let op = if op.len() <= 60 && op.chars().all(|c| c.is_ascii_graphic()) { op } else { quoted(&op) };
    format!("node {} ({op})", quoted(name))
}

pub(super) fn is_standard(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

fn type_name(data_type: i32) -> String {
    let name = usize::try_from(data_type).ok().and_then(|k| element::NAMES.get(k));
    name.map_or(format!("type {data_type}"), |name| name.to_string())
}

/// Its lengths, and the number of its elements.
fn shape(tensor: &Tensor) -> Read<(Vec<usize>, usize)> {
    let lengths = tensor.dims.iter().map(|&n| usize::try_from(n).ok()).collect::<Option<Vec<_>>>();
    let counted = lengths.and_then(|lengths| {
        let count = lengths.iter().try_fold(1usize, |count, &n| count.checked_mul(n))?;
        Some((lengths, count))
    });
    counted.ok_or_else(|| {
        let message = format!("expected the lengths of its axes, found {}", shown(&tensor.dims));
        damaged(&of_tensor(tensor), message)
    })
}

fn of_tensor(tensor: &Tensor) -> String {
    format!("tensor {}", quoted(&tensor.name))
}

/// Whether the numbers are in the file, and as many as the shape says.
fn check(tensor: &Tensor) -> Read<()> {
    if tensor.data_location != 0 || !tensor.external_data.is_empty() {
        return Err(unsupported(
            &of_tensor(tensor),
            "its numbers are in another file | write the model as a single file, in PyTorch with external_data=False",
        ));
    }
    let (_, count) = shape(tensor)?;
    let raw = tensor.raw_data.as_ref().filter(|raw| !raw.is_empty());
    let (bytes, numbers) = match tensor.data_type {
        element::FLOAT => (4, tensor.float_data.len()),
        element::INT32 => (4, tensor.int32_data.len()),
        element::INT64 => (8, tensor.int64_data.len()),
        element::STRING => (1, tensor.string_data.len()),
        _ => return Ok(()), // refused where it is used
    };
    let (stated, place) = (shown(&tensor.dims), &of_tensor(tensor));
    match raw.filter(|_| tensor.data_type != element::STRING) {
        Some(raw) if count.checked_mul(bytes) == Some(raw.len()) => Ok(()),
        Some(raw) => {
            let name = type_name(tensor.data_type);
            let message =
                format!("expected the {bytes} bytes of each {name} of {stated}, found {} bytes", raw.len());
            Err(damaged(place, message))
        }
        None if numbers == count => Ok(()),
        None => Err(damaged(place, format!("expected the {count} values of {stated}, found {numbers}"))),
    }
}

impl Constant<'_> {
    fn tensor(&self) -> &Tensor {
        match &self.tensor {
            Source::File(tensor) => tensor,
            Source::Made(tensor) => tensor,
        }
    }

    /// Its lengths and numbers; `place` is the node that needs them.
    pub(super) fn floats(&self, place: &str) -> Read<(Vec<usize>, Vec<f32>)> {
        let tensor = self.tensor();
        let (mut lengths, _) = shape(tensor)?;
        let mut values: Vec<f32> = match (&tensor.raw_data, tensor.data_type) {
            (Some(raw), element::FLOAT) if !raw.is_empty() => {
                raw.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
            }
            (_, element::FLOAT) => tensor.float_data.clone(),
            (_, other) => {
                let message = format!(
                    "{}: expected float32, found {} | export the net in float32",
                    of_tensor(tensor),
                    type_name(other)
                );
                return Err(unsupported(place, message));
            }
        };
        if self.transposed {
            values = super::transposed(&values, lengths[0], lengths[1]);
            lengths.swap(0, 1);
        }
        Ok((lengths, values))
    }

    /// Whole numbers of one axis or none.
    pub(super) fn integers(&self, place: &str) -> Read<Vec<i64>> {
        let tensor = self.tensor();
        let raw = tensor.raw_data.as_deref().unwrap_or_default();
        match tensor.data_type {
            element::INT64 if raw.is_empty() => Ok(tensor.int64_data.clone()),
            element::INT64 => Ok(raw.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect()),
            element::INT32 if raw.is_empty() => Ok(tensor.int32_data.iter().map(|&n| n.into()).collect()),
            element::INT32 => {
                Ok(raw.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes).into()).collect())
            }
            other => Err(unsupported(
                place,
                format!("{}: expected int64, found {}", of_tensor(tensor), type_name(other)),
            )),
        }
    }

    /// Its whole numbers, if they are as few as the lengths of a shape.
    fn few(&self) -> Option<Vec<i64>> {
        let (_, count) = shape(self.tensor()).ok()?;
        if count <= MOST_LENGTHS { self.integers("").ok() } else { None }
    }

    /// Texts, or whole numbers as texts: the names of classes.
    pub(super) fn texts(&self, place: &str) -> Read<Vec<String>> {
        let tensor = self.tensor();
        if tensor.data_type == element::STRING {
            return Ok(tensor
                .string_data
                .iter()
                .map(|text| String::from_utf8_lossy(text).into_owned())
                .collect());
        }
        Ok(self.integers(place)?.iter().map(i64::to_string).collect())
    }
}

impl<'a> File<'a> {
    pub(super) fn of(model: &'a schema::Model) -> Read<File<'a>> {
        let Some(graph) = &model.graph else {
            return Err(damaged(
                "",
                "expected a graph, found none: is this an ONNX model, or is it truncated?",
            ));
        };
        if !IR_VERSIONS.contains(&model.ir_version) {
            let message = format!(
                "ir_version: expected {} to {}, found {}",
                IR_VERSIONS.start(),
                IR_VERSIONS.end(),
                model.ir_version
            );
            return Err(unsupported("", message));
        }
        let standard = Vec::from_iter(model.opset_import.iter().filter(|set| is_standard(&set.domain)));
        let opset = match standard[..] {
            [set] => set.version,
            _ => {
                let message = format!(
                    "opset_import: expected one version of the standard operators, found {}",
                    standard.len()
                );
                return Err(damaged("", message));
            }
        };
        if !OPSETS.contains(&opset) {
            let message = format!(
                "opset: expected {} to {}, found {opset} | export with opset 17, in PyTorch with opset_version=17",
                OPSETS.start(),
                OPSETS.end()
            );
            return Err(unsupported("", message));
        }
        if !model.functions.is_empty() {
            let message = format!(
                "expected no functions, found {} | replace them by their nodes, in Python with onnx.inliner.inline_local_functions",
                model.functions.len()
            );
            return Err(unsupported("", message));
        }
        if !graph.sparse_initializer.is_empty() {
            let found = graph.sparse_initializer.len();
            return Err(unsupported("", format!("expected no sparse tensors, found {found}")));
        }
        let mut file = File {
            graph,
            opset,
            inputs: Vec::new(),
            producers: HashMap::new(),
            constants: HashMap::new(),
            lengths: HashMap::new(),
        };
        for tensor in &graph.initializer {
            check(tensor)?;
            let constant = Constant { tensor: Source::File(tensor), transposed: false };
            if file.constants.insert(&tensor.name, constant).is_some() {
                return Err(damaged(&of_tensor(tensor), "expected it once, found it twice"));
            }
        }
        let mut known: HashSet<&str> = file.constants.keys().copied().collect();
        for input in &graph.input {
            if known.insert(&input.name) {
                file.inputs.push(input);
            } else if !file.constants.contains_key(input.name.as_str()) {
                return Err(damaged(
                    &format!("input {}", quoted(&input.name)),
                    "expected it once, found it twice",
                ));
            }
        }
        for (k, node) in graph.node.iter().enumerate() {
            for output in node.output.iter().filter(|output| !output.is_empty()) {
                if known.contains(output.as_str()) || file.producers.insert(output, k).is_some() {
                    let message =
                        format!("expected a name of its own for {}, found it twice", quoted(output));
                    return Err(damaged(&called(node), message));
                }
            }
        }
        for node in &graph.node {
            for input in node.input.iter().filter(|input| !input.is_empty()) {
                if !known.contains(input.as_str()) {
                    let message = match file.producers.get(input.as_str()) {
                        Some(&later) => format!(
                            "expected its inputs from nodes before it, found {} from {}",
                            quoted(input),
                            called(&graph.node[later])
                        ),
                        None => format!("expected a source of its input {}, found none", quoted(input)),
                    };
                    return Err(damaged(&called(node), message));
                }
            }
            known.extend(node.output.iter().map(String::as_str));
            file.fold(node)?;
        }
        Ok(file)
    }

    /// Notes what a node computes if it does not depend on the inputs, or only on their shape.
    fn fold(&mut self, node: &'a Node) -> Read<()> {
        let Some(output) = node.output.first().filter(|_| is_standard(&node.domain)) else { return Ok(()) };
        let first = node.input.first().map_or("", String::as_str);
        match node.op_type.as_str() {
            "Constant" => {
                let constant = Constant { tensor: self.made(node)?, transposed: false };
                self.constants.insert(output, constant);
            }
            "Identity" => {
                if let Some(constant) = self.constants.get(first) {
                    self.constants.insert(output, constant.clone());
                }
            }
            "Transpose" => {
                let turned =
                    |attribute: &schema::Attribute| attribute.name == "perm" && attribute.ints == [1, 0];
                if let Some(constant) = self.constants.get(first)
                    && constant.tensor().dims.len() == 2
                    && node.attribute.iter().all(turned)
                {
                    let constant = Constant { transposed: !constant.transposed, ..constant.clone() };
                    self.constants.insert(output, constant);
                }
            }
            "Shape" => {
                let start =
                    |attribute: &schema::Attribute| attribute.name == "start" && attribute.i == Some(0);
                if node.attribute.iter().all(start) && !self.constants.contains_key(first) {
                    self.lengths.insert(output, Lengths::All(first));
                }
            }
            "Gather" => {
                let index = node.input.get(1).and_then(|index| self.constants.get(index.as_str()));
                if let (Some(Lengths::All(_)), Some(index)) = (self.lengths.get(first), index)
                    && index.few().is_some_and(|index| index == [0])
                {
                    self.lengths.insert(output, Lengths::Some(vec![None]));
                }
            }
            "Unsqueeze" | "Cast" => {
                if let Some(lengths @ Lengths::Some(_)) = self.lengths.get(first) {
                    self.lengths.insert(output, lengths.clone());
                }
            }
            "Concat" => {
                let mut all = Vec::new();
                for input in &node.input {
                    match (self.lengths.get(input.as_str()), self.constants.get(input.as_str())) {
                        (Some(Lengths::Some(some)), _) => all.extend_from_slice(some),
                        (_, Some(constant)) => match constant.few() {
                            Some(some) => all.extend(some.into_iter().map(Some)),
                            None => return Ok(()),
                        },
                        _ => return Ok(()),
                    }
                    if all.len() > MOST_LENGTHS {
                        return Ok(());
                    }
                }
                self.lengths.insert(output, Lengths::Some(all));
            }
            _ => {}
        }
        Ok(())
    }

    /// The value of a node `Constant`.
    fn made(&self, node: &'a Node) -> Read<Source<'a>> {
        let [attribute] = &node.attribute[..] else {
            let message = format!("expected one attribute, found {}", node.attribute.len());
            return Err(damaged(&called(node), message));
        };
        let made = match (attribute.name.as_str(), attribute) {
            ("value", schema::Attribute { t: Some(tensor), .. }) => {
                check(tensor)?;
                return Ok(Source::File(tensor));
            }
            ("value_float", schema::Attribute { f: Some(f), .. }) => {
                Tensor { data_type: element::FLOAT, float_data: vec![*f], ..Tensor::default() }
            }
            ("value_int", schema::Attribute { i: Some(i), .. }) => {
                Tensor { data_type: element::INT64, int64_data: vec![*i], ..Tensor::default() }
            }
            ("value_floats", schema::Attribute { floats, .. }) => Tensor {
                dims: vec![floats.len() as i64],
                data_type: element::FLOAT,
                float_data: floats.clone(),
                ..Tensor::default()
            },
            ("value_ints", schema::Attribute { ints, .. }) => Tensor {
                dims: vec![ints.len() as i64],
                data_type: element::INT64,
                int64_data: ints.clone(),
                ..Tensor::default()
            },
            (name, _) => {
                let message = format!("attribute {}: expected a tensor of numbers", quoted(name));
                return Err(unsupported(&called(node), message));
            }
        };
        Ok(Source::Made(Rc::new(made)))
    }

    /// The node that computes a value, and its index.
    pub(super) fn producer(&self, value: &str) -> Option<(usize, &'a Node)> {
        self.producers.get(value).map(|&k| (k, &self.graph.node[k]))
    }

    pub(super) fn constant(&self, value: &str) -> Option<&Constant<'a>> {
        self.constants.get(value)
    }

    /// The lengths that a value contains, if they are known.
    pub(super) fn lengths(&self, value: &str) -> Option<Lengths<'a>> {
        let constant =
            || Some(Lengths::Some(self.constants.get(value)?.few()?.into_iter().map(Some).collect()));
        self.lengths.get(value).cloned().or_else(constant)
    }

    /// A constant of one number.
    pub(super) fn number(&self, value: &str) -> Option<f32> {
        let constant = self.constants.get(value)?;
        let (_, count) = shape(constant.tensor()).ok()?;
        if count == 1 { constant.floats("").ok()?.1.first().copied() } else { None }
    }

    /// Whether nothing of the net is computed by a node: only constants, or lengths.
    pub(super) fn is_aside(&self, node: &Node) -> bool {
        let aside = |value: &String| {
            self.constants.contains_key(value.as_str()) || self.lengths.contains_key(value.as_str())
        };
        node.output.iter().all(aside)
    }
}
