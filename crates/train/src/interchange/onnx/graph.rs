//! Nodes and constants of a graph.

use std::collections::HashSet;

use surprisal_layers::{Activation, BatchNorm1d, GroupNorm, Interpolation, Step, UNet};
use surprisal_tensor::ops::convolution::{Conv2d, ConvTranspose2d};
use surprisal_tensor::ops::pooling::MaxPool2d;
use surprisal_tensor::{ParamId, Params};

use super::schema::{self, Attribute, Dimension, Node, Tensor, ValueInfo, attribute, element};

/// A graph that is being written. A value is known by its name.
pub(super) struct Graph<'a> {
    params: &'a Params<f32>,
    pub(super) nodes: Vec<Node>,
    pub(super) constants: Vec<Tensor>,
    names: HashSet<String>,
}

pub(super) fn int(name: &str, value: usize) -> Attribute {
    Attribute { i: Some(value as i64), kind: attribute::INT, name: name.into(), ..Attribute::default() }
}
pub(super) fn float(name: &str, value: f64) -> Attribute {
    Attribute { f: Some(value as f32), kind: attribute::FLOAT, name: name.into(), ..Attribute::default() }
}
fn text(name: &str, value: &str) -> Attribute {
    Attribute { s: Some(value.into()), kind: attribute::STRING, name: name.into(), ..Attribute::default() }
}
fn ints(name: &str, values: &[usize]) -> Attribute {
    let ints = values.iter().map(|&value| value as i64).collect();
    Attribute { ints, kind: attribute::INTS, name: name.into(), ..Attribute::default() }
}

/// Lengths, of which the first, the number of rows, is the symbol N.
pub(super) fn value_info(name: &str, element: i32, lengths: &[usize]) -> ValueInfo {
    let rows = Dimension { name: Some("N".into()), value: None };
    let others = lengths.iter().map(|&n| Dimension { value: Some(n as i64), name: None });
    let shape = schema::Shape { dims: std::iter::once(rows).chain(others).collect() };
    let tensor = schema::TensorType { element, shape: Some(shape) };
    ValueInfo { name: name.into(), kind: Some(schema::Type { tensor: Some(tensor) }) }
}

impl Graph<'_> {
    pub(super) fn new(params: &Params<f32>) -> Graph<'_> {
        Graph { params, nodes: Vec::new(), constants: Vec::new(), names: HashSet::new() }
    }

    /// The name, with underscores behind it if it is taken; the empty name would be a missing input.
    pub(super) fn name(&mut self, wanted: &str) -> String {
        let mut name = if wanted.is_empty() { "_".into() } else { wanted.to_string() };
        while !self.names.insert(name.clone()) {
            name.push('_');
        }
        name
    }

    /// Adds a node with several results.
    pub(super) fn split(
        &mut self,
        op: &str,
        inputs: &[&str],
        results: usize,
        attributes: Vec<Attribute>,
    ) -> Vec<String> {
        let name = self.name(&format!("{op}{}", self.nodes.len() + 1));
        let output = match results {
            1 => vec![name.clone()],
            _ => (1..=results).map(|k| self.name(&format!("{name}.{k}"))).collect(),
        };
        self.nodes.push(Node {
            input: inputs.iter().map(|input| input.to_string()).collect(),
            output: output.clone(),
            name,
            op_type: op.into(),
            attribute: attributes,
            ..Node::default()
        });
        output
    }

    /// Adds a node with one result.
    pub(super) fn node(&mut self, op: &str, inputs: &[&str], attributes: Vec<Attribute>) -> String {
        self.split(op, inputs, 1, attributes).remove(0)
    }

    /// Adds a node without attributes.
    fn plain(&mut self, op: &str, inputs: &[&str]) -> String {
        self.node(op, inputs, Vec::new())
    }

    fn tensor(
        &mut self,
        name: &str,
        data_type: i32,
        dims: &[usize],
        raw_data: Option<Vec<u8>>,
    ) -> &mut Tensor {
        let name = self.name(name);
        let dims = dims.iter().map(|&n| n as i64).collect();
        self.constants.push(Tensor { dims, data_type, name, raw_data, ..Tensor::default() });
        self.constants.last_mut().expect("just added")
    }

    pub(super) fn floats(&mut self, name: &str, dims: &[usize], values: &[f32]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(name, element::FLOAT, dims, Some(bytes)).name.clone()
    }

    pub(super) fn integers(&mut self, name: &str, values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(name, element::INT64, &[values.len()], Some(bytes)).name.clone()
    }

    pub(super) fn texts(&mut self, name: &str, dims: &[usize], values: &[String]) -> String {
        let tensor = self.tensor(name, element::STRING, dims, None);
        tensor.string_data = values.iter().map(|value| value.clone().into_bytes()).collect();
        tensor.name.clone()
    }

    /// An operation with a number.
    pub(super) fn with(&mut self, op: &str, x: &str, number: f64) -> String {
        let number = self.floats("number", &[], &[number as f32]);
        self.plain(op, &[x, &number])
    }

    fn param(&mut self, id: ParamId) -> String {
        let dims = self.params.entry(id).shape.dims().to_vec();
        self.param_as(id, &dims)
    }

    fn param_as(&mut self, id: ParamId, dims: &[usize]) -> String {
        let params = self.params;
        self.floats(&params.entry(id).name, dims, &params[id])
    }

    /// Gives a value the name of an output.
    pub(super) fn rename(&mut self, value: &str, name: &str) {
        if !self.nodes.iter().any(|node| node.output.iter().any(|output| output == value)) {
            let copy = self.plain("Identity", &[value]); // an input itself
            return self.rename(&copy, name);
        }
        for slot in self.nodes.iter_mut().flat_map(|node| node.input.iter_mut().chain(&mut node.output)) {
            if slot == value {
                *slot = name.into();
            }
        }
    }

    pub(super) fn activation(&mut self, activation: Activation, x: &str) -> String {
        match activation {
            Activation::Relu => self.plain("Relu", &[x]),
            Activation::LeakyRelu => self.node("LeakyRelu", &[x], vec![float("alpha", 0.01)]),
            Activation::Elu => self.node("Elu", &[x], vec![float("alpha", 1.0)]),
            Activation::Sigmoid => self.plain("Sigmoid", &[x]),
            Activation::Tanh => self.plain("Tanh", &[x]),
            Activation::Softplus => self.plain("Softplus", &[x]),
            Activation::Silu => {
                let gate = self.plain("Sigmoid", &[x]);
                self.plain("Mul", &[x, &gate])
            }
            Activation::Mish => {
                let softplus = self.plain("Softplus", &[x]);
                let gate = self.plain("Tanh", &[&softplus]);
                self.plain("Mul", &[x, &gate])
            }
            Activation::LogSigmoid => {
                let opposite = self.plain("Neg", &[x]);
                let softplus = self.plain("Softplus", &[&opposite]);
                self.plain("Neg", &[&softplus])
            }
            Activation::Gelu => {
                let scaled = self.with("Mul", x, std::f64::consts::FRAC_1_SQRT_2);
                let erf = self.plain("Erf", &[&scaled]);
                self.half_of_one_more(x, &erf)
            }
            Activation::GeluTanh => {
                // √(2/π) (x + 0.044715 x³) = x (c + 0.044715 c x²)
                let c = (2.0 / std::f64::consts::PI).sqrt();
                let square = self.plain("Mul", &[x, x]);
                let scaled = self.with("Mul", &square, 0.044715 * c);
                let factor = self.with("Add", &scaled, c);
                let inner = self.plain("Mul", &[x, &factor]);
                let tanh = self.plain("Tanh", &[&inner]);
                self.half_of_one_more(x, &tanh)
            }
        }
    }

    /// x/2 (1 + y)
    fn half_of_one_more(&mut self, x: &str, y: &str) -> String {
        let more = self.with("Add", y, 1.0);
        let half = self.with("Mul", x, 0.5);
        self.plain("Mul", &[&half, &more])
    }

    /// Adds a layer; `name` is that of its parameters, and `rank` the number of axes that arrive.
    pub(super) fn step(&mut self, step: &Step, name: &str, rank: usize, x: &str) -> String {
        match step {
            Step::Linear(layer) => {
                let (weight, bias) = (self.param(layer.weight), self.param(layer.bias));
                self.plain("Gemm", &[x, &weight, &bias])
            }
            Step::Activation(activation) => self.activation(*activation, x),
            Step::Conv2d(layer) => self.convolution(layer.weight, layer.bias, layer.conv, x),
            Step::ConvTranspose2d(layer) => self.transposed(layer.weight, layer.bias, layer.conv, x),
            Step::MaxPool2d(pool) => self.max_pool(*pool, x),
            Step::AvgPool2d(pool) => {
                let mut attributes = window(pool.kernel, pool.stride, pool.padding);
                attributes.push(int("count_include_pad", pool.count_include_pad.into()));
                self.node("AveragePool", &[x], attributes)
            }
            Step::Upsample(layer) => self.resize(layer.scale, layer.mode, x),
            Step::BatchNorm(norm) => self.batch_norm(norm, x),
            Step::GroupNorm(norm) => self.group_norm(norm, rank, x),
            Step::Flatten(_) => self.plain("Flatten", &[x]),
            Step::UNet(net) => self.unet(net, name, x),
            Step::Dropout(_) | Step::Dropout2d(_) => x.into(), // in training only
        }
    }

    /// A convolution, or its transpose.
    fn weighted(
        &mut self,
        op: &str,
        weight: ParamId,
        bias: Option<ParamId>,
        mut attributes: Vec<Attribute>,
        x: &str,
    ) -> String {
        attributes.push(ints("kernel_shape", &self.params.entry(weight).shape.dims()[2..]));
        let mut inputs = vec![x.to_string(), self.param(weight)];
        inputs.extend(bias.map(|bias| self.param(bias)));
        self.node(op, &Vec::from_iter(inputs.iter().map(String::as_str)), attributes)
    }

    fn convolution(&mut self, weight: ParamId, bias: Option<ParamId>, conv: Conv2d, x: &str) -> String {
        let attributes = convolved(conv.stride, conv.padding, conv.dilation, conv.groups);
        self.weighted("Conv", weight, bias, attributes, x)
    }

    fn transposed(
        &mut self,
        weight: ParamId,
        bias: Option<ParamId>,
        conv: ConvTranspose2d,
        x: &str,
    ) -> String {
        let mut attributes = convolved(conv.stride, conv.padding, conv.dilation, conv.groups);
        attributes.push(ints("output_padding", &conv.output_padding));
        self.weighted("ConvTranspose", weight, bias, attributes, x)
    }

    fn max_pool(&mut self, pool: MaxPool2d, x: &str) -> String {
        self.node("MaxPool", &[x], window(pool.kernel, pool.stride, pool.padding))
    }

    fn resize(&mut self, [high, wide]: [usize; 2], mode: Interpolation, x: &str) -> String {
        let scales = self.floats("scales", &[4], &[1.0, 1.0, high as f32, wide as f32]);
        // a layer of a net as text is either of these
        let attributes = match mode {
            Interpolation::Bilinear => {
                vec![text("mode", "linear"), text("coordinate_transformation_mode", "half_pixel")]
            }
            _ => vec![
                text("mode", "nearest"),
                text("coordinate_transformation_mode", "asymmetric"),
                text("nearest_mode", "floor"),
            ],
        };
        self.node("Resize", &[x, "", &scales], attributes)
    }

    /// With the running mean and variance, as in evaluation.
    fn batch_norm(&mut self, norm: &BatchNorm1d, x: &str) -> String {
        let [weight, bias, mean, var] =
            [norm.weight, norm.bias, norm.running_mean, norm.running_var].map(|id| self.param(id));
        self.node("BatchNormalization", &[x, &weight, &bias, &mean, &var], vec![float("epsilon", norm.eps)])
    }

    /// A group is an instance of one channel; the operator of this name has its weights for groups before opset 21.
    fn group_norm(&mut self, norm: &GroupNorm, rank: usize, x: &str) -> String {
        let groups = norm.groups;
        let [ones, zeros] = [1.0, 0.0].map(|value| self.floats("group", &[groups], &vec![value; groups]));
        let rows = self.integers("groups", &[0, groups as i64, -1]);
        let grouped = self.plain("Reshape", &[x, &rows]);
        let normal =
            self.node("InstanceNormalization", &[&grouped, &ones, &zeros], vec![float("epsilon", norm.eps)]);
        let shape = self.plain("Shape", &[x]);
        let normal = self.plain("Reshape", &[&normal, &shape]);
        let mut channels = vec![1; rank - 1];
        channels[0] = self.params[norm.weight].len();
        let [weight, bias] = [norm.weight, norm.bias].map(|id| self.param_as(id, &channels));
        let scaled = self.plain("Mul", &[&normal, &weight]);
        self.plain("Add", &[&scaled, &bias])
    }

    /// By the names of its parameters, which are part of its documentation.
    fn unet(&mut self, net: &UNet, name: &str, x: &str) -> String {
        let levels = net.options().levels;
        let mut skips = vec![self.unet_pair(net, &format!("{name}.down1"), x)];
        for level in 2..=levels {
            let half = self.max_pool(MaxPool2d::new([2, 2]), &skips[level - 2].clone());
            skips.push(self.unet_pair(net, &format!("{name}.down{level}"), &half));
        }
        let mut x = skips.pop().expect("one level or more");
        for (k, skip) in skips.iter().enumerate().rev() {
            let scope = format!("{name}.up{}", k + 1);
            x = match net.options().upsample {
                Some(mode) => self.resize([2, 2], mode, &x),
                None => {
                    let [weight, bias] =
                        ["weight", "bias"].map(|part| self.find(&format!("{scope}.up.{part}")));
                    let twice = ConvTranspose2d { stride: [2, 2], ..ConvTranspose2d::default() };
                    self.transposed(weight.expect("a U-Net without interpolation has it"), bias, twice, &x)
                }
            };
            let joined = self.node("Concat", &[skip, &x], vec![int("axis", 1)]);
            x = self.unet_pair(net, &scope, &joined);
        }
        self.unet_convolution(&format!("{name}.out"), Conv2d::default(), &x)
    }

    fn find(&self, name: &str) -> Option<ParamId> {
        self.params.find(name)
    }

    fn unet_convolution(&mut self, name: &str, conv: Conv2d, x: &str) -> String {
        let [weight, bias] = ["weight", "bias"].map(|part| self.find(&format!("{name}.{part}")));
        self.convolution(weight.expect("a U-Net has all its convolutions"), bias, conv, x)
    }

    /// Twice a convolution, its normalization and a relu.
    fn unet_pair(&mut self, net: &UNet, scope: &str, x: &str) -> String {
        let mut x = x.to_string();
        for k in 1..=2 {
            let same = Conv2d { padding: [1, 1], ..Conv2d::default() };
            x = self.unet_convolution(&format!("{scope}.conv{k}"), same, &x);
            let part = |part: &str| self.find(&format!("{scope}.norm{k}.{part}"));
            // the settings of both are those of their constructors
            x = match (
                net.options().norm,
                part("weight"),
                part("bias"),
                part("running_mean"),
                part("running_var"),
            ) {
                (_, Some(weight), Some(bias), Some(running_mean), Some(running_var)) => {
                    let norm =
                        BatchNorm1d { weight, bias, running_mean, running_var, eps: 1e-5, momentum: 0.1 };
                    self.batch_norm(&norm, &x)
                }
                (surprisal_layers::Normalization::Group(groups), Some(weight), Some(bias), ..) => {
                    self.group_norm(&GroupNorm { groups, weight, bias, eps: 1e-5 }, 4, &x)
                }
                _ => x,
            };
            x = self.plain("Relu", &[&x]);
        }
        x
    }
}

fn convolved(stride: [usize; 2], padding: [usize; 2], dilation: [usize; 2], groups: usize) -> Vec<Attribute> {
    let [high, wide] = padding;
    vec![
        ints("strides", &stride),
        ints("pads", &[high, wide, high, wide]),
        ints("dilations", &dilation),
        int("group", groups),
    ]
}

fn window(kernel: [usize; 2], stride: [usize; 2], [high, wide]: [usize; 2]) -> Vec<Attribute> {
    vec![ints("kernel_shape", &kernel), ints("strides", &stride), ints("pads", &[high, wide, high, wide])]
}
