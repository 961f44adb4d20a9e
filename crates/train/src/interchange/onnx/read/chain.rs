//! From the output of a graph back to its input: each node, or each known group of nodes, is a layer.

use surprisal_layers::Activation;
use surprisal_settings::quoted;

use super::super::schema::{Attribute, Node};
use super::file::{File, Lengths, called, is_standard, shown};
use super::{Read, damaged, transposed, unsupported};

/// What a layer of a chain is, from the input on.
pub(super) struct Piece {
    /// The node, for messages.
    pub(super) place: String,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    /// An operation with constants.
    Affine {
        op: Affine,
        lengths: Vec<usize>,
        values: Vec<f32>,
    },
    /// Rows become images.
    Image([usize; 3]),
    Dense {
        inputs: usize,
        outputs: usize,
        weight: Vec<f32>,
        bias: Vec<f32>,
    },
    Activation(Activation),
    /// A part of a net as text, with the names, lengths and numbers of its parameters.
    Layer {
        part: String,
        parameters: Vec<Parameter>,
    },
    /// What the layer behind it takes.
    Of {
        images: bool,
    },
    /// Images become rows, of this length if it is stated.
    Flatten(Option<usize>),
}

pub(super) type Parameter = (&'static str, Vec<usize>, Vec<f32>);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Affine {
    Add,
    Sub,
    Mul,
    Div,
}

/// The operators that are read, for messages.
const OPERATORS: &str = "Gemm, MatMul, Conv, ConvTranspose, BatchNormalization, GroupNormalization, MaxPool, AveragePool, \
     GlobalAveragePool, Resize, Flatten, Reshape, Dropout, Relu and the other activations, and at the end Softmax or Sigmoid";

/// Activations as operators: a list is an operator with its inputs, x what the activation takes. Sums and products may be turned.
const ACTIVATIONS: &[(&str, Activation)] = &[
    ("(Relu x)", Activation::Relu),
    ("(Mul x (Sigmoid x))", Activation::Silu),
    ("(Swish x)", Activation::Silu),
    ("(Mul x (Tanh (Softplus x)))", Activation::Mish),
    ("(Mish x)", Activation::Mish),
    ("(Neg (Softplus (Neg x)))", Activation::LogSigmoid),
    ("(Log (Sigmoid x))", Activation::LogSigmoid),
    ("(Mul (Mul x 0.5) (Add (Erf (Mul x 0.70710677)) 1))", Activation::Gelu),
    ("(Mul (Mul x (Add (Erf (Div x 1.4142135)) 1)) 0.5)", Activation::Gelu),
    ("(Mul x (Mul 0.5 (Add (Erf (Div x 1.4142135)) 1)))", Activation::Gelu),
    (
        "(Mul (Mul x 0.5) (Add (Tanh (Mul x (Add (Mul (Mul x x) 0.035677407) 0.7978846))) 1))",
        Activation::GeluTanh,
    ),
    (
        "(Mul (Mul x (Add (Tanh (Mul (Add x (Mul (Mul x (Mul x x)) 0.044715)) 0.7978846)) 1)) 0.5)",
        Activation::GeluTanh,
    ),
    (
        "(Mul x (Mul (Add (Tanh (Mul (Add x (Mul (Pow x 3) 0.044715)) 0.7978846)) 1) 0.5))",
        Activation::GeluTanh,
    ),
    ("(Sigmoid x)", Activation::Sigmoid),
    ("(Tanh x)", Activation::Tanh),
    ("(Softplus x)", Activation::Softplus),
    ("(Where (Greater x 20) x (Softplus x))", Activation::Softplus),
];
/// The probabilities of two classes, of one logit.
const TWO_CLASSES: [&str; 2] =
    ["(Concat (Sigmoid (Neg x)) (Sigmoid x))", "(Concat (Sub 1 (Sigmoid x)) (Sigmoid x))"];

/// A pattern of nodes.
enum Pattern {
    X,
    Number(f32),
    Node(String, Vec<Pattern>),
}

impl Pattern {
    /// Reads one of the constants above; returns what follows it.
    fn parse(text: &str) -> (Pattern, &str) {
        let text = text.trim_start();
        let Some(inner) = text.strip_prefix('(') else {
            let (word, rest) = text.split_at(text.find([' ', ')']).unwrap_or(text.len()));
            let number = word.parse().map(Pattern::Number);
            return (number.unwrap_or(Pattern::X), rest);
        };
        let (op, mut rest) = inner.split_at(inner.find(' ').unwrap_or(inner.len()));
        let mut inputs = Vec::new();
        while !rest.trim_start().starts_with(')') && !rest.is_empty() {
            let (input, behind) = Pattern::parse(rest);
            inputs.push(input);
            rest = behind;
        }
        (Pattern::Node(op.into(), inputs), rest.trim_start().get(1..).unwrap_or_default())
    }
}

/// Where a pattern fits: its x, and its nodes.
#[derive(Clone, Default)]
struct Fit<'a> {
    x: Option<&'a str>,
    nodes: Vec<usize>,
}

/// The way from an output to an input.
pub(super) struct Chain<'f, 'a> {
    file: &'f File<'a>,
    pub(super) used: Vec<bool>,
    /// From the output on.
    pub(super) pieces: Vec<Piece>,
    /// A node that normalizes the last axis, which is not that of the classes in images.
    pub(super) last_axis: Option<String>,
    /// Whether the class is the sign of the output.
    pub(super) logit: bool,
}

/// How a net ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    None,
    Softmax,
    Sigmoid,
}

impl<'f, 'a> Chain<'f, 'a> {
    pub(super) fn new(file: &'f File<'a>) -> Self {
        Chain {
            file,
            used: vec![false; file.graph.node.len()],
            pieces: Vec::new(),
            last_axis: None,
            logit: false,
        }
    }

    /// The node of a value, which is its first or only output.
    pub(super) fn node(&self, value: &str) -> Read<(usize, &'a Node)> {
        let Some((k, node)) = self.file.producer(value) else {
            let message = format!("expected a value that a node computes, found {}", quoted(value));
            return Err(unsupported("", message));
        };
        if node.output.first().is_none_or(|output| output != value) {
            let message = format!("its output {} is not supported", quoted(value));
            return Err(unsupported(&called(node), message));
        }
        Ok((k, node))
    }

    fn fits(&self, pattern: &Pattern, value: &'a str, fit: &mut Fit<'a>) -> bool {
        match pattern {
            Pattern::X => *fit.x.get_or_insert(value) == value,
            Pattern::Number(number) => {
                self.file.number(value).is_some_and(|found| (found - number).abs() <= 1e-6 * number.abs())
            }
            Pattern::Node(op, inputs) => {
                let Ok((k, node)) = self.node(value) else { return false };
                let plain = node.attribute.iter().all(|attribute| op == "Concat" && attribute.i == Some(1));
                if node.op_type != *op
                    || !is_standard(&node.domain)
                    || node.input.len() != inputs.len()
                    || !plain
                    || self.file.constant(value).is_some()
                {
                    return false;
                }
                let before = fit.clone();
                fit.nodes.push(k);
                if inputs.iter().zip(&node.input).all(|(pattern, input)| self.fits(pattern, input, fit)) {
                    return true;
                }
                let turned = before.clone();
                *fit = before;
                if matches!(op.as_str(), "Add" | "Mul") {
                    fit.nodes.push(k);
                    if inputs
                        .iter()
                        .rev()
                        .zip(&node.input)
                        .all(|(pattern, input)| self.fits(pattern, input, fit))
                    {
                        return true;
                    }
                    *fit = turned;
                }
                false
            }
        }
    }

    /// What a pattern of nodes takes, if the value is its result.
    fn matched(&mut self, text: &str, value: &'a str) -> Option<&'a str> {
        let (pattern, mut fit) = (Pattern::parse(text).0, Fit::default());
        if !self.fits(&pattern, value, &mut fit) {
            return None;
        }
        fit.nodes.iter().for_each(|&k| self.used[k] = true);
        fit.x
    }

    /// Goes behind what makes probabilities of logits; every value on the way is a score that belongs to a class.
    pub(super) fn head(&mut self, output: &'a str) -> Read<(Head, Vec<&'a str>, &'a str)> {
        let mut scores = vec![output];
        let mut value = output;
        while let Some(input) = self.same(value)? {
            value = input;
            scores.push(value);
        }
        let head = match self.file.producer(value) {
            Some((k, node))
                if matches!(node.op_type.as_str(), "Softmax" | "LogSoftmax") && is_standard(&node.domain) =>
            {
                let attributes = Attributes::of(node, &["axis"])?;
                match attributes.int("axis", -1)? {
                    1 => {}
                    -1 => self.last_axis = Some(called(node)),
                    other => return Err(attributes.wrong("axis", "1", &other.to_string())),
                }
                self.used[k] = true;
                value = first(node)?;
                scores.push(value);
                Head::Softmax
            }
            _ => match TWO_CLASSES.iter().find_map(|text| self.matched(text, value)) {
                Some(x) => {
                    value = x;
                    scores.push(value);
                    Head::Sigmoid
                }
                None => Head::None,
            },
        };
        Ok((head, scores, value))
    }

    /// Goes from an output that is the class back to the scores; returns the node that names the classes, if there is one, and the names.
    pub(super) fn class(&mut self, output: &'a str, scores: &[&str]) -> Read<Option<(String, Vec<String>)>> {
        let (mut value, mut names) = (output, None);
        loop {
            let (k, node) = self.node(value)?;
            self.used[k] = true;
            let place = called(node);
            value = match (is_standard(&node.domain), node.op_type.as_str()) {
                (true, "Identity" | "Cast" | "Reshape" | "Squeeze") => first(node)?,
                (false, "ArrayFeatureExtractor") => {
                    let Some((known, index)) = self.file.constant(first(node)?).zip(node.input.get(1)) else {
                        return Err(unsupported(&place, "expected the names of the classes as a constant"));
                    };
                    names = Some((place.clone(), known.texts(&place)?));
                    index
                }
                (true, "ArgMax") => {
                    let attributes = Attributes::of(node, &["axis", "keepdims", "select_last_index"])?;
                    attributes.expect_int("select_last_index", 0, 0)?;
                    match attributes.int("axis", 0)? {
                        1 => {}
                        -1 => self.last_axis = Some(place.clone()),
                        other => return Err(attributes.wrong("axis", "1", &other.to_string())),
                    }
                    if !scores.contains(&first(node)?) {
                        return Err(unsupported(&place, "expected the largest of the net's outputs"));
                    }
                    return Ok(names);
                }
                // of one logit
                (true, "Greater") => {
                    let zero = node.input.get(1).and_then(|input| self.file.number(input)) == Some(0.0);
                    if !zero || scores.last() != Some(&first(node)?) {
                        return Err(unsupported(&place, "expected the logit and 0"));
                    }
                    self.logit = true;
                    return Ok(names);
                }
                (false, "ZipMap") => {
                    let message = "operator not supported | convert with options={'zipmap': False}";
                    return Err(unsupported(&place, message));
                }
                _ => {
                    let message =
                        "expected the class as an output, the ArgMax of the others | leave this output out";
                    return Err(unsupported(&place, message));
                }
            };
        }
    }

    /// The input of a node that changes nothing.
    pub(super) fn same(&mut self, value: &str) -> Read<Option<&'a str>> {
        let Some((k, node)) = self.file.producer(value).filter(|(_, node)| is_standard(&node.domain)) else {
            return Ok(None);
        };
        match node.op_type.as_str() {
            "Identity" => {}
            "Dropout" => {
                Attributes::of(node, &["seed"])?;
                self.node(value)?;
                if node.input.get(2).is_some_and(|input| !input.is_empty()) {
                    return Err(unsupported(
                        &called(node),
                        "training_mode: expected a node for evaluation | export the net after model.eval()",
                    ));
                }
            }
            "Cast" => {
                let attributes = Attributes::of(node, &["to", "saturate"])?;
                match attributes.int("to", 0)? {
                    1 => {}
                    other => return Err(attributes.wrong("to", "1, float32", &other.to_string())),
                }
            }
            _ => return Ok(None),
        }
        self.used[k] = true;
        first(node).map(Some)
    }

    /// Goes back to the input, and leaves the layers in `pieces`, from the output on; returns the input's name.
    pub(super) fn walk(&mut self, value: &'a str) -> Read<&'a str> {
        let mut value = value;
        // in the order of the path a node comes once, so this ends
        while !self.file.inputs.iter().any(|input| input.name == value) {
            value = match self.same(value)? {
                Some(input) => input,
                None => self.layer(value)?,
            };
        }
        Ok(value)
    }

    fn push(&mut self, node: &Node, kind: Kind) {
        self.pieces.push(Piece { place: called(node), kind });
    }

    /// Adds the layer whose result a value is; returns what the layer takes.
    fn layer(&mut self, value: &'a str) -> Read<&'a str> {
        let (k, node) = self.node(value)?;
        if let Some((x, activation)) =
            ACTIVATIONS.iter().find_map(|&(text, activation)| Some((self.matched(text, value)?, activation)))
        {
            self.push(node, Kind::Activation(activation));
            return Ok(x);
        }
        self.used[k] = true;
        let place = called(node);
        let unknown = || unsupported(&place, format!("operator not supported | supported are {OPERATORS}"));
        if !is_standard(&node.domain) {
            return match (node.domain.as_str(), node.op_type.as_str()) {
                ("ai.onnx.ml", "Scaler") => self.scaler(node),
                _ => Err(unknown()),
            };
        }
        match node.op_type.as_str() {
            "Gemm" => self.gemm(node),
            "MatMul" => self.dense(node, node.input.get(1), None, false),
            "Add" | "Sub" | "Mul" | "Div" => self.arithmetic(node),
            "Conv" | "ConvTranspose" => self.convolution(node),
            "BatchNormalization" => self.batch_norm(node),
            "GroupNormalization" => self.group_normalization(node),
            "MaxPool" | "AveragePool" => self.pool(node),
            "GlobalAveragePool" => {
                Attributes::of(node, &[])?;
                self.push(node, Kind::Layer { part: "globalavgpool".into(), parameters: Vec::new() });
                first(node)
            }
            "ReduceMean" => self.mean(node),
            "Resize" => self.resize(node),
            "LeakyRelu" | "Elu" | "Gelu" => self.activation(node),
            "Flatten" => {
                let attributes = Attributes::of(node, &["axis"])?;
                match attributes.int("axis", 1)? {
                    1 => {}
                    other => return Err(attributes.wrong("axis", "1", &other.to_string())),
                }
                self.push(node, Kind::Flatten(None));
                first(node)
            }
            "Reshape" => self.reshape(node),
            "Softmax" | "LogSoftmax" => {
                Err(unsupported(&place, "expected it at the end of the net alone, found a layer behind it"))
            }
            "Concat" => Err(unsupported(
                &place,
                "nets that branch are not supported, but for those that surprisal wrote | save the parameters as safetensors",
            )),
            _ => Err(unknown()),
        }
    }

    /// The constant of an input.
    fn floats(&self, node: &Node, input: Option<&String>, what: &str) -> Read<(Vec<usize>, Vec<f32>)> {
        match input.and_then(|input| self.file.constant(input)) {
            Some(constant) => constant.floats(&called(node)),
            None => Err(unsupported(
                &called(node),
                format!("expected constant numbers as its {what}, found a value that the graph computes"),
            )),
        }
    }

    /// A vector of this length.
    fn vector(&self, node: &Node, input: usize, what: &str, length: usize) -> Read<Vec<f32>> {
        let (lengths, values) = self.floats(node, node.input.get(input), what)?;
        if lengths != [length] {
            let message = format!("{what}: expected [{length}], found {}", shown(&lengths));
            return Err(damaged(&called(node), message));
        }
        Ok(values)
    }

    fn dense(
        &mut self,
        node: &'a Node,
        weight: Option<&'a String>,
        bias: Option<&'a String>,
        turned: bool,
    ) -> Read<&'a str> {
        let (lengths, mut weight) = self.floats(node, weight, "weight")?;
        let [mut inputs @ 1..=usize::MAX, mut outputs @ 1..=usize::MAX] = lengths[..] else {
            let message = format!("expected a weight of 2 axes, found {}", shown(&lengths));
            return Err(unsupported(&called(node), message));
        };
        if turned {
            weight = transposed(&weight, inputs, outputs);
            (inputs, outputs) = (outputs, inputs);
        }
        let bias = match bias.filter(|bias| !bias.is_empty()) {
            None => vec![0.0; outputs],
            Some(bias) => {
                let (lengths, values) = self.floats(node, Some(bias), "bias")?;
                let rows = lengths.len() <= 1 || (lengths.len() == 2 && lengths[0] == 1);
                match values[..] {
                    [value] if rows => vec![value; outputs],
                    _ if rows && values.len() == outputs => values,
                    _ => {
                        let message = format!("expected a bias [{outputs}], found {}", shown(&lengths));
                        return Err(unsupported(&called(node), message));
                    }
                }
            }
        };
        self.push(node, Kind::Dense { inputs, outputs, weight, bias });
        first(node)
    }

    fn gemm(&mut self, node: &'a Node) -> Read<&'a str> {
        let attributes = Attributes::of(node, &["alpha", "beta", "transA", "transB"])?;
        for (name, usual) in [("alpha", 1.0), ("beta", 1.0)] {
            attributes.expect_float(name, usual, usual)?;
        }
        attributes.expect_int("transA", 0, 0)?;
        let turned = attributes.flag("transB")?;
        self.dense(node, node.input.get(1), node.input.get(2), turned)
    }

    /// An operation with a constant: the bias of a product, a group normalization, or a scaling.
    fn arithmetic(&mut self, node: &'a Node) -> Read<&'a str> {
        Attributes::of(node, &[])?;
        let (op, turns) = match node.op_type.as_str() {
            "Add" => (Affine::Add, true),
            "Sub" => (Affine::Sub, false),
            "Mul" => (Affine::Mul, true),
            _ => (Affine::Div, false),
        };
        let [a, b] = &node.input[..] else {
            return Err(damaged(&called(node), format!("expected 2 inputs, found {}", node.input.len())));
        };
        let (x, constant) = match (self.file.constant(a), self.file.constant(b)) {
            (None, Some(_)) => (a, b),
            (Some(_), None) if turns => (b, a),
            _ => {
                return Err(unsupported(
                    &called(node),
                    "expected a value and a constant; nets that branch are not supported, but for those that surprisal wrote | save the \
                     parameters as safetensors",
                ));
            }
        };
        if op == Affine::Add
            && let Some((k, product)) = self.file.producer(x)
            && is_standard(&product.domain)
        {
            if product.op_type == "MatMul" {
                Attributes::of(product, &[])?;
                self.node(x)?;
                self.used[k] = true;
                return self.dense(product, product.input.get(1), Some(constant), false);
            }
            if let Some(input) = self.group_norm(product, constant)? {
                self.used[k] = true;
                return Ok(input);
            }
        }
        let (lengths, values) = self.floats(node, Some(constant), "second operand")?;
        self.push(node, Kind::Affine { op, lengths, values });
        Ok(x)
    }

    /// Reshape, InstanceNormalization, Reshape, Mul and Add, with the product here: a normalization of groups.
    fn group_norm(&mut self, product: &'a Node, bias: &'a str) -> Read<Option<&'a str>> {
        let file = self.file;
        let before = |value: &str, op: &str| {
            file.producer(value).filter(|(_, node)| node.op_type == op && is_standard(&node.domain))
        };
        let ("Mul", [a, b]) = (product.op_type.as_str(), &product.input[..]) else { return Ok(None) };
        let (normal, weight) = if file.constant(a).is_some() { (b, a) } else { (a, b) };
        let Some((back, reshape)) = before(normal, "Reshape") else { return Ok(None) };
        let Some((middle, norm)) = before(first(reshape)?, "InstanceNormalization") else { return Ok(None) };
        let Some((front, grouping)) = before(first(norm)?, "Reshape") else { return Ok(None) };
        let place = called(norm);
        let x = first(grouping)?;
        let groups = match grouping.input.get(1).and_then(|shape| file.lengths(shape)) {
            Some(Lengths::Some(lengths)) => match lengths[..] {
                [Some(0) | None, Some(groups), Some(-1)] if groups > 0 => groups as usize,
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        match reshape.input.get(1).and_then(|shape| file.lengths(shape)) {
            Some(Lengths::All(of)) if of == x => {}
            _ => return Ok(None),
        }
        Attributes::of(norm, &["epsilon"])?.expect_float("epsilon", 1e-5, 1e-5)?;
        let ones = self.vector(norm, 1, "scale", groups)?;
        let zeros = self.vector(norm, 2, "bias", groups)?;
        if ones.iter().any(|&one| one != 1.0) || zeros.iter().any(|&zero| zero != 0.0) {
            return Err(unsupported(
                &place,
                "expected a scale of ones and a bias of zeros, before those of the channels",
            ));
        }
        let mut parameters = Vec::new();
        let mut axes = [0; 2];
        for (k, (name, input)) in [("weight", weight.as_str()), ("bias", bias)].into_iter().enumerate() {
            let (lengths, values) = self.floats(product, Some(&input.to_string()), name)?;
            axes[k] = lengths.len();
            if lengths.first() != Some(&values.len()) || axes[k] != axes[0] || ![1, 3].contains(&axes[0]) {
                let message = format!("{name}: expected [channels, 1, 1], found {}", shown(&lengths));
                return Err(unsupported(&place, message));
            }
            parameters.push((name, vec![values.len()], values));
        }
        for k in [back, middle, front] {
            self.used[k] = true;
        }
        self.push(norm, Kind::Layer { part: format!("groupnorm({groups})"), parameters });
        self.push(norm, Kind::Of { images: axes[0] == 3 });
        Ok(Some(x))
    }

    fn group_normalization(&mut self, node: &'a Node) -> Read<&'a str> {
        if self.file.opset < 21 {
            let message = format!(
                "expected opset 21, where its weights are those of channels, found {}",
                self.file.opset
            );
            return Err(unsupported(&called(node), message));
        }
        let attributes = Attributes::of(node, &["num_groups", "epsilon", "stash_type"])?;
        attributes.expect_float("epsilon", 1e-5, 1e-5)?;
        let groups = attributes.int("num_groups", 0)?;
        let (lengths, weight) = self.floats(node, node.input.get(1), "scale")?;
        let channels = weight.len();
        let bias = self.vector(node, 2, "bias", channels)?;
        if lengths != [channels] || groups < 1 {
            return Err(damaged(&called(node), "expected a scale [channels] and 1 group or more"));
        }
        let parameters = vec![("weight", vec![channels], weight), ("bias", vec![channels], bias)];
        self.push(node, Kind::Layer { part: format!("groupnorm({groups})"), parameters });
        first(node)
    }

    fn batch_norm(&mut self, node: &'a Node) -> Read<&'a str> {
        let attributes = Attributes::of(node, &["epsilon", "momentum", "training_mode"])?;
        attributes.expect_float("epsilon", 1e-5, 1e-5)?;
        attributes.expect_int("training_mode", 0, 0)?;
        let (_, weight) = self.floats(node, node.input.get(1), "scale")?;
        let channels = weight.len();
        let mut parameters = vec![("weight", vec![channels], weight)];
        for (k, name) in ["bias", "running_mean", "running_var"].into_iter().enumerate() {
            parameters.push((name, vec![channels], self.vector(node, k + 2, name, channels)?));
        }
        self.push(node, Kind::Layer { part: "batchnorm".into(), parameters });
        first(node)
    }

    fn convolution(&mut self, node: &'a Node) -> Read<&'a str> {
        let transposed = node.op_type == "ConvTranspose";
        let known = ["kernel_shape", "strides", "pads", "dilations", "group", "auto_pad", "output_padding"];
        let attributes = Attributes::of(node, &known[..if transposed { 7 } else { 6 }])?;
        let (lengths, weight) = self.floats(node, node.input.get(1), "weight")?;
        let [rows, columns, height, width] = lengths[..] else {
            let message = format!("expected a weight of 4 axes, of images, found {}", shown(&lengths));
            return Err(unsupported(&called(node), message));
        };
        attributes.expect_pair("kernel_shape", [height, width])?;
        let group = attributes.count("group")?;
        let outputs = if transposed { columns.saturating_mul(group) } else { rows };
        let window = attributes.window([height, width])?;
        let mut parameters = vec![("weight", lengths.clone(), weight)];
        let bias = node.input.get(2).is_some_and(|bias| !bias.is_empty());
        if bias {
            parameters.push(("bias", vec![outputs], self.vector(node, 2, "bias", outputs)?));
        }
        let mut part = format!(
            "{}({outputs},{height}x{width},{window},groups={group},bias={bias}",
            if transposed { "convt" } else { "conv" }
        );
        if transposed {
            part += &format!(",output_padding={}", by(attributes.pair("output_padding", 0)?));
        }
        self.push(node, Kind::Layer { part: part + ")", parameters });
        first(node)
    }

    fn pool(&mut self, node: &'a Node) -> Read<&'a str> {
        let max = node.op_type == "MaxPool";
        let known = [
            "kernel_shape",
            "strides",
            "pads",
            "dilations",
            "auto_pad",
            "ceil_mode",
            "storage_order",
            "count_include_pad",
        ];
        let attributes = Attributes::of(node, &known)?;
        attributes.expect_int("ceil_mode", 0, 0)?;
        attributes.expect_int("storage_order", 0, 0)?;
        attributes.expect_pair("dilations", [1, 1])?;
        let kernel = attributes.pair("kernel_shape", 0)?;
        let [stride, padding] = [attributes.pair("strides", 1)?, attributes.padding(kernel, [1, 1])?];
        if !max && padding != [0, 0] {
            attributes.expect_int("count_include_pad", 0, 1)?;
        }
        let part = format!(
            "{}({},stride={},padding={})",
            if max { "maxpool" } else { "avgpool" },
            by(kernel),
            by(stride),
            by(padding)
        );
        self.push(node, Kind::Layer { part, parameters: Vec::new() });
        first(node)
    }

    /// The mean of the height and the width.
    fn mean(&mut self, node: &'a Node) -> Read<&'a str> {
        let attributes = Attributes::of(node, &["axes", "keepdims", "noop_with_empty_axes"])?;
        let axes =
            match (attributes.ints("axes")?, node.input.get(1).and_then(|axes| self.file.lengths(axes))) {
                (Some(axes), _) => axes.to_vec(),
                (None, Some(Lengths::Some(axes))) => axes.into_iter().flatten().collect(),
                _ => Vec::new(),
            };
        let mut axes =
            Vec::from_iter(axes.iter().map(|&axis| if axis < 0 { axis.saturating_add(4) } else { axis }));
        axes.sort_unstable();
        if axes != [2, 3] {
            return Err(attributes.wrong("axes", "2 and 3, the height and the width", &shown(&axes)));
        }
        if attributes.int("keepdims", 1)? == 0 {
            self.push(node, Kind::Flatten(None));
        }
        self.push(node, Kind::Layer { part: "globalavgpool".into(), parameters: Vec::new() });
        first(node)
    }

    fn resize(&mut self, node: &'a Node) -> Read<&'a str> {
        let known = [
            "mode",
            "coordinate_transformation_mode",
            "nearest_mode",
            "antialias",
            "exclude_outside",
            "axes",
            // of no effect here
            "cubic_coeff_a",
            "extrapolation_value",
            "keep_aspect_ratio_policy",
        ];
        let attributes = Attributes::of(node, &known)?;
        attributes.expect_int("antialias", 0, 0)?;
        attributes.expect_int("exclude_outside", 0, 0)?;
        if attributes.ints("axes")?.is_some() {
            return Err(attributes.wrong("axes", "none", "some"));
        }
        let place = called(node);
        let scales = node.input.get(2).filter(|scales| !scales.is_empty());
        if scales.is_none() || node.input.get(3).is_some_and(|sizes| !sizes.is_empty()) {
            return Err(unsupported(
                &place,
                "expected scales, found sizes | use nn.Upsample with scale_factor",
            ));
        }
        let (_, scales) = self.floats(node, scales, "scales")?;
        let whole =
            |scale: f32| (scale.fract() == 0.0 && (1.0..=1e6).contains(&scale)).then_some(scale as usize);
        let scale = match scales[..] {
            [1.0, 1.0, high, wide] => whole(high).zip(whole(wide)),
            _ => None,
        };
        let Some((high, wide)) = scale else {
            let message = format!("scales: expected 1, 1, and two whole numbers, found {}", shown(&scales));
            return Err(unsupported(&place, message));
        };
        let coordinates = attributes.text("coordinate_transformation_mode", "half_pixel")?;
        let mode = match attributes.text("mode", "nearest")? {
            "nearest" => {
                let nearest = attributes.text("nearest_mode", "round_prefer_floor")?;
                // both are the pixel that a pixel lies in
                match (coordinates, nearest) {
                    ("asymmetric", "floor") | ("half_pixel", "round_prefer_floor" | "round_prefer_ceil") => {
                        "nearest"
                    }
                    _ => {
                        let expected =
                            "asymmetric with nearest_mode floor, or half_pixel with round_prefer_floor";
                        let found = format!("{coordinates} with {nearest}");
                        return Err(attributes.wrong("coordinate_transformation_mode", expected, &found));
                    }
                }
            }
            "linear" => match coordinates {
                "half_pixel" | "pytorch_half_pixel" => "bilinear",
                found => return Err(attributes.wrong("coordinate_transformation_mode", "half_pixel", found)),
            },
            found => return Err(attributes.wrong("mode", "nearest or linear", found)),
        };
        self.push(
            node,
            Kind::Layer { part: format!("upsample({high}x{wide},{mode})"), parameters: Vec::new() },
        );
        first(node)
    }

    /// Activations with settings.
    fn activation(&mut self, node: &'a Node) -> Read<&'a str> {
        let activation = match node.op_type.as_str() {
            "LeakyRelu" => {
                Attributes::of(node, &["alpha"])?.expect_float("alpha", 0.01, 0.01)?;
                Activation::LeakyRelu
            }
            "Elu" => {
                Attributes::of(node, &["alpha"])?.expect_float("alpha", 1.0, 1.0)?;
                Activation::Elu
            }
            _ => {
                let attributes = Attributes::of(node, &["approximate"])?;
                match attributes.text("approximate", "none")? {
                    "none" => Activation::Gelu,
                    "tanh" => Activation::GeluTanh,
                    found => return Err(attributes.wrong("approximate", "none or tanh", found)),
                }
            }
        };
        self.push(node, Kind::Activation(activation));
        first(node)
    }

    /// Images become rows, or rows images.
    fn reshape(&mut self, node: &'a Node) -> Read<&'a str> {
        let attributes = Attributes::of(node, &["allowzero"])?;
        let zero_is_rows = attributes.int("allowzero", 0)? == 0;
        let wanted = node.input.get(1).and_then(|shape| self.file.lengths(shape));
        let batch =
            self.file.inputs.first().and_then(|input| super::lengths_of(input)?.first().copied().flatten());
        let rows = |n: Option<i64>| match n {
            None => true,
            Some(0) => zero_is_rows,
            n => n == batch,
        };
        let length = |n: i64| usize::try_from(n).ok().filter(|&n| n > 0);
        let kind = match &wanted {
            Some(Lengths::Some(lengths)) => match lengths[..] {
                [n, Some(-1)] if rows(n) => Some(Kind::Flatten(None)),
                [n, Some(columns)] if rows(n) || n == Some(-1) => {
                    length(columns).map(|n| Kind::Flatten(Some(n)))
                }
                [n, Some(c), Some(h), Some(w)] if rows(n) || n == Some(-1) => {
                    length(c).zip(length(h)).zip(length(w)).map(|((c, h), w)| Kind::Image([c, h, w]))
                }
                _ => None,
            },
            _ => None,
        };
        let Some(kind) = kind else {
            let found = match wanted {
                Some(Lengths::Some(lengths)) => super::shown_lengths(&lengths),
                _ => "a shape that the graph computes".into(),
            };
            let message = format!("expected the shape [N, features] or [N, C, H, W], found {found}");
            return Err(unsupported(&called(node), message));
        };
        self.push(node, kind);
        first(node)
    }

    /// (x - offset) · scale
    fn scaler(&mut self, node: &'a Node) -> Read<&'a str> {
        let attributes = Attributes::of(node, &["offset", "scale"])?;
        for (op, name) in [(Affine::Mul, "scale"), (Affine::Sub, "offset")] {
            let values = attributes.floats(name);
            self.push(node, Kind::Affine { op, lengths: vec![values.len()], values: values.to_vec() });
        }
        first(node)
    }
}

/// The first input of a node.
pub(super) fn first(node: &Node) -> Read<&str> {
    match node.input.first() {
        Some(input) if !input.is_empty() => Ok(input),
        _ => Err(damaged(&called(node), "expected an input, found none")),
    }
}

fn by([high, wide]: [usize; 2]) -> String {
    format!("{high}x{wide}")
}

/// The attributes of a node, all of whose names are known.
pub(super) struct Attributes<'a> {
    node: &'a Node,
}

impl<'a> Attributes<'a> {
    pub(super) fn of(node: &'a Node, known: &[&str]) -> Read<Attributes<'a>> {
        match node.attribute.iter().find(|attribute| !known.contains(&attribute.name.as_str())) {
            None => Ok(Attributes { node }),
            Some(attribute) => {
                let known = if known.is_empty() { "none".into() } else { known.join(", ") };
                let name = quoted(&attribute.name);
                Err(unsupported(
                    &called(node),
                    format!("attribute {name} is not supported | supported: {known}"),
                ))
            }
        }
    }

    fn find(&self, name: &str) -> Option<&'a Attribute> {
        self.node.attribute.iter().find(|attribute| attribute.name == name)
    }

    pub(super) fn wrong(&self, name: &str, expected: &str, found: &str) -> super::Refusal {
        let found = if found.len() > 60 { quoted(found) } else { found.into() };
        unsupported(&called(self.node), format!("{name}: expected {expected}, found {found}"))
    }

    pub(super) fn int(&self, name: &str, usual: i64) -> Read<i64> {
        match self.find(name) {
            None => Ok(usual),
            Some(attribute) => attribute.i.ok_or_else(|| self.wrong(name, "a whole number", "none")),
        }
    }

    fn expect_int(&self, name: &str, usual: i64, expected: i64) -> Read<()> {
        match self.int(name, usual)? {
            found if found == expected => Ok(()),
            found => Err(self.wrong(name, &expected.to_string(), &found.to_string())),
        }
    }

    fn flag(&self, name: &str) -> Read<bool> {
        match self.int(name, 0)? {
            0 => Ok(false),
            1 => Ok(true),
            found => Err(self.wrong(name, "0 or 1", &found.to_string())),
        }
    }

    fn expect_float(&self, name: &str, usual: f32, expected: f32) -> Read<()> {
        let found = match self.find(name) {
            None => usual,
            Some(attribute) => attribute.f.ok_or_else(|| self.wrong(name, "a number", "none"))?,
        };
        if found == expected {
            return Ok(());
        }
        Err(self.wrong(name, &format!("{expected:?}"), &format!("{found:?}")))
    }

    fn floats(&self, name: &str) -> &'a [f32] {
        self.find(name).map_or(&[], |attribute| &attribute.floats)
    }

    fn text(&self, name: &str, usual: &'static str) -> Read<&'a str> {
        match self.find(name) {
            None => Ok(usual),
            Some(attribute) => {
                let text = attribute.s.as_deref().and_then(|text| std::str::from_utf8(text).ok());
                text.ok_or_else(|| self.wrong(name, "a text", "none"))
            }
        }
    }

    fn ints(&self, name: &str) -> Read<Option<&'a [i64]>> {
        Ok(self.find(name).map(|attribute| &attribute.ints[..]))
    }

    /// A number of 1 or more, by default 1.
    fn count(&self, name: &str) -> Read<usize> {
        let found = self.int(name, 1)?;
        let count = usize::try_from(found).ok().filter(|&count| count > 0);
        count.ok_or_else(|| self.wrong(name, "1 or above", &found.to_string()))
    }

    /// Along the height and the width; the usual number if it is not given.
    fn pair(&self, name: &str, usual: usize) -> Read<[usize; 2]> {
        let Some(found) = self.ints(name)? else { return Ok([usual; 2]) };
        let number = |n: i64| usize::try_from(n).ok();
        match found {
            &[high, wide] => number(high).zip(number(wide)).map(|(high, wide)| [high, wide]),
            _ => None,
        }
        .ok_or_else(|| self.wrong(name, "two numbers, of the height and the width", &shown(found)))
    }

    fn expect_pair(&self, name: &str, expected: [usize; 2]) -> Read<()> {
        if self.find(name).is_none() || self.pair(name, 0)? == expected {
            return Ok(());
        }
        Err(self.wrong(name, &format!("{expected:?}"), &shown(self.ints(name)?.unwrap_or_default())))
    }

    /// The rows and columns of zeros at each side.
    fn padding(&self, kernel: [usize; 2], dilation: [usize; 2]) -> Read<[usize; 2]> {
        match self.text("auto_pad", "NOTSET")? {
            "NOTSET" | "" => match self.ints("pads")?.unwrap_or(&[0; 4]) {
                &[top, left, bottom, right] if top == bottom && left == right && top >= 0 && left >= 0 => {
                    Ok([top as usize, left as usize])
                }
                found => {
                    Err(self.wrong("pads", "the same numbers at both ends, [h, w, h, w]", &shown(found)))
                }
            },
            "VALID" => Ok([0, 0]),
            same @ ("SAME_UPPER" | "SAME_LOWER") => {
                // as much at each side only if the size stays and the window has a middle
                let reach = [0, 1].map(|k| kernel[k].saturating_sub(1).saturating_mul(dilation[k]));
                if self.pair("strides", 1)? == [1, 1] && reach.iter().all(|n| n % 2 == 0) {
                    return Ok(reach.map(|n| n / 2));
                }
                Err(self.wrong("auto_pad", "NOTSET, with pads", same))
            }
            found => Err(self.wrong("auto_pad", "NOTSET, with pads", found)),
        }
    }

    /// Stride, padding and dilation, as options of a part.
    fn window(&self, kernel: [usize; 2]) -> Read<String> {
        let (stride, dilation) = (self.pair("strides", 1)?, self.pair("dilations", 1)?);
        let padding = self.padding(kernel, dilation)?;
        Ok(format!("stride={},padding={},dilation={}", by(stride), by(padding), by(dilation)))
    }
}
