//! Files without the properties of surprisal, and files that are refused.

use expect_test::expect;
use surprisal_data::Preprocess;
use surprisal_layers::{Activation, Init, Sequential, rng};
use surprisal_tensor::ndarray::Array2;

use super::super::schema::{Attribute, Dimension, Graph, Node, OperatorSet, Property, Tensor};
use super::super::tests::{model, names};
use super::super::{OnnxOutput, to_message};
use super::*;
use crate::outputs;

type Model = schema::Model;

fn text_of(result: Result<SavedModel, OnnxError>) -> String {
    match result {
        Ok(model) => format!("read as {} {:?}", model.sizes, model.predictions),
        Err(OnnxError::Damaged { message, .. }) => format!("damaged: {message}"),
        Err(OnnxError::Unsupported { message, .. }) => format!("unsupported: {message}"),
        Err(error) => panic!("{error}"),
    }
}

/// A net as another program would write it.
fn foreign(
    net: &str,
    activation: &str,
    columns: usize,
    predictions: Predictions,
    output: OnnxOutput,
) -> Model {
    let features = Vec::from_iter((0..columns).map(|k| format!("x{k}")));
    let encoder = Encoder::of_numbers(&features, &Preprocess::divide(4.0).unwrap()).unwrap();
    let mut model = model(net, activation, encoder, predictions);
    // numbers that differ
    for (k, value) in model.parameters.iter_mut().flat_map(|parameter| &mut parameter.values).enumerate() {
        *value += (k as f32 * 12.9898).sin() / 4.0;
    }
    let mut message = to_message(&model, output).unwrap();
    message.metadata_props.clear();
    message
}

#[test]
fn a_graph_alone_is_the_same_net() {
    let classes = |count: usize| Predictions::Classes((0..count).map(|k| k.to_string()).collect());
    let mut nets =
        Vec::from_iter(Activation::ALL.iter().map(|activation| ("8-16-16-3", activation.to_string())));
    let parts = [
        "2x6x6-conv(4,3x2,padding=1,bias=false)-batchnorm-relu-maxpool(2)-convt(6,2,stride=2,groups=2)-groupnorm(3)\
         -avgpool(3x2,stride=1,padding=1)-upsample(2,bilinear)-silu-3",
        "2x6x6-conv(8,3,padding=1)-relu-conv(8,3,stride=2x1,padding=2x1,dilation=2,groups=4)-globalavgpool-3",
        "2x6x6-upsample(2x3)-convt(3,3x2,stride=2x3,padding=1x0,dilation=1x2,output_padding=1x2)-maxpool(3x2,stride=2,padding=1)-gelu-3",
        "2x6x6-flatten-16-batchnorm-tanh-groupnorm(4)-3",
        "1x1x72-conv(4,1x5)-relu-maxpool(1x2)-3",
        "16-mish-3-logsigmoid",
        "flatten-5-3",
    ];
    nets.extend(parts.map(|net| (net, String::new())));
    for (net, activation) in nets {
        let columns = if net.starts_with("8-") { 8 } else { 72 };
        for output in [OnnxOutput::Logits, OnnxOutput::Probabilities] {
            let message = foreign(net, &activation, columns, classes(3), output);
            let found = load_onnx_bytes(&message.encode_to_vec(), net).unwrap();
            let mut again = to_message(&found, output).unwrap();
            again.metadata_props.clear();
            // the whole of an image may be a window of its size, and a dense layer's number that of the flattened image
            if !net.contains("globalavgpool") && !net.starts_with("flatten") {
                assert!(again == message, "{net}");
            }
            let plan = net.parse::<Architecture>().unwrap().plan(&[columns]).unwrap();
            let mut params = Params::<f32>::new();
            let (zeros, act) = (Init::Zeros, activation.parse().unwrap_or_default());
            let written = Sequential::with_init(&mut params, &plan, act, zeros, zeros, &mut rng(0));
            let numbers = found.parameters.iter().flat_map(|parameter| &parameter.values);
            params.as_mut_slice().iter_mut().zip(numbers).for_each(|(slot, &value)| *slot = value);
            let x = Array2::from_shape_fn((3, columns), |(row, k)| ((row * columns + k) as f64).sin());
            let (net_again, loaded) = found.load().unwrap();
            let encoded = found.encoder.apply_array(&(&x * 4.0)).unwrap();
            assert_eq!(encoded, x);
            assert_eq!(outputs(&net_again, &loaded, x.view()), outputs(&written, &params, x.view()), "{net}");
        }
    }
}

#[test]
fn the_end_of_a_net_says_what_it_predicts() {
    let number = || Predictions::Number { name: "price".into(), offset: 7.5, scale: 0.5 };
    let (two, three) =
        (|| Predictions::Classes(names(["no", "yes"])), || Predictions::Classes(names(["a", "b", "c"])));
    let masks = || Predictions::Masks(names(["a", "b", "c"]));
    let (logits, probabilities) = (OnnxOutput::Logits, OnnxOutput::Probabilities);
    let mut told = Vec::new();
    for (net, columns, kind, output) in [
        ("2-3-1", 2, number(), logits),
        ("2-3-1", 2, two(), logits),
        ("2-3-1", 2, two(), probabilities),
        ("2-3-2", 2, two(), logits),
        ("2-3-3", 2, three(), probabilities),
        ("1x4x4-conv(3,1)", 16, masks(), logits),
        ("1x4x4-conv(3,1)", 16, masks(), probabilities),
    ] {
        let activation = if net.contains("conv") { "" } else { "relu" };
        let mut message = foreign(net, activation, columns, kind.clone(), output);
        let plain = text_of(load_onnx_bytes(&message.encode_to_vec(), "net"));
        let property = |key: &str, value: &str| Property { key: key.into(), value: value.into() };
        message.metadata_props = vec![match kind {
            Predictions::Number { name, .. } => property("target", &name),
            classes => property("classes", &serde_json::Value::from(classes.class_names()).to_string()),
        }];
        told.push(format!(
            "{net} {output:?}: {plain}\n  with names: {}",
            text_of(load_onnx_bytes(&message.encode_to_vec(), "net"))
        ));
    }
    // a sigmoid is a layer if something follows it
    for (kind, output) in [(number(), logits), (two(), probabilities), (two(), logits)] {
        let message = foreign("3-relu-1-sigmoid", "", 2, kind, output);
        told.push(format!(
            "sigmoid {output:?}: {}",
            text_of(load_onnx_bytes(&message.encode_to_vec(), "net"))
        ));
    }
    let message = foreign("3-relu-3-sigmoid", "", 2, three(), probabilities);
    told.push(format!("sigmoids: {}", text_of(load_onnx_bytes(&message.encode_to_vec(), "net"))));
    expect![[r#"
        2-3-1 Logits: read as 2-3-1 Number { name: "prediction", offset: 7.5, scale: 0.5 }
          with names: read as 2-3-1 Number { name: "price", offset: 7.5, scale: 0.5 }
        2-3-1 Logits: read as 2-3-1 Classes(["0", "1"])
          with names: read as 2-3-1 Classes(["no", "yes"])
        2-3-1 Probabilities: read as 2-3-1 Classes(["0", "1"])
          with names: read as 2-3-1 Classes(["no", "yes"])
        2-3-2 Logits: read as 2-3-2 Classes(["0", "1"])
          with names: read as 2-3-2 Classes(["no", "yes"])
        2-3-3 Probabilities: read as 2-3-3 Classes(["0", "1", "2"])
          with names: read as 2-3-3 Classes(["a", "b", "c"])
        1x4x4-conv(3,1) Logits: read as 1x4x4-conv(3,1) Masks(["0", "1", "2"])
          with names: read as 1x4x4-conv(3,1) Masks(["a", "b", "c"])
        1x4x4-conv(3,1) Probabilities: read as 1x4x4-conv(3,1) Masks(["0", "1", "2"])
          with names: read as 1x4x4-conv(3,1) Masks(["a", "b", "c"])
        sigmoid Logits: read as 3-relu-1-sigmoid Number { name: "prediction", offset: 7.5, scale: 0.5 }
        sigmoid Probabilities: read as 3-relu-1-sigmoid Classes(["0", "1"])
        sigmoid Logits: read as 3-relu-1-sigmoid Classes(["0", "1"])
        sigmoids: read as 3-relu-3-sigmoid Classes(["0", "1", "2"])"#]]
    .assert_eq(&told.join("\n"));
}

/// A net of images: a convolution, a normalization, and two dense layers.
fn images() -> Model {
    foreign(
        "1x4x4-conv(2,3,padding=1)-batchnorm-relu-maxpool(2)-flatten-4-tanh-3",
        "",
        16,
        Predictions::Classes(names(["a", "b", "c"])),
        OnnxOutput::Probabilities,
    )
}

fn graph(model: &mut Model) -> &mut Graph {
    model.graph.as_mut().unwrap()
}

/// The node of this operator.
fn node<'a>(model: &'a mut Model, op: &str) -> &'a mut Node {
    graph(model).node.iter_mut().find(|node| node.op_type == op).unwrap()
}

fn attribute<'a>(model: &'a mut Model, op: &str, name: &str) -> &'a mut Attribute {
    let node = node(model, op);
    let at = node.attribute.iter().position(|attribute| attribute.name == name);
    let at = at.unwrap_or_else(|| {
        node.attribute.push(Attribute { name: name.into(), ..Attribute::default() });
        node.attribute.len() - 1
    });
    &mut node.attribute[at]
}

fn tensor<'a>(model: &'a mut Model, name: &str) -> &'a mut Tensor {
    graph(model).initializer.iter_mut().find(|tensor| tensor.name == name).unwrap()
}

fn input_lengths(model: &mut Model) -> &mut Vec<Dimension> {
    &mut graph(model).input[0].kind.as_mut().unwrap().tensor.as_mut().unwrap().shape.as_mut().unwrap().dims
}

fn added(model: &mut Model, op: &str, inputs: &[&str], output: &str) {
    let node = Node {
        op_type: op.into(),
        name: format!("new {op}"),
        input: inputs.iter().map(|input| input.to_string()).collect(),
        output: vec![output.into()],
        ..Node::default()
    };
    graph(model).node.push(node);
}

/// A change of a model, and its name.
type Case = (&'static str, fn(&mut Model));

/// What is said of each change.
fn told(model: Model, cases: &[Case]) -> String {
    let told = cases.iter().map(|(name, change)| {
        let mut model = model.clone();
        change(&mut model);
        format!("{name}\n  {}", text_of(load_onnx_bytes(&model.encode_to_vec(), "net")))
    });
    Vec::from_iter(told).join("\n")
}

#[test]
fn what_is_not_read_is_named() {
    let cases: &[Case] = &[
        ("nothing", |_| {}),
        ("no graph", |m| m.graph = None),
        ("an old opset", |m| m.opset_import[0].version = 9),
        ("a new opset", |m| m.opset_import[0].version = 99),
        ("no opset", |m| m.opset_import.clear()),
        ("two opsets", |m| m.opset_import.push(OperatorSet { domain: "ai.onnx".into(), version: 13 })),
        ("another domain beside", |m| m.opset_import.push(OperatorSet { domain: "x".into(), version: 1 })),
        ("a new IR", |m| m.ir_version = 1000),
        ("a negative IR", |m| m.ir_version = -1),
        ("functions", |m| m.functions.push(Vec::new())),
        ("sparse tensors", |m| graph(m).sparse_initializer.push(Vec::new())),
        ("no nodes", |m| graph(m).node.clear()),
        ("no inputs", |m| graph(m).input.clear()),
        ("two inputs", |m| {
            let mut other = graph(m).input[0].clone();
            other.name = "y".into();
            graph(m).input.push(other);
        }),
        ("an input twice", |m| {
            let other = graph(m).input[0].clone();
            graph(m).input.push(other);
        }),
        ("no outputs", |m| graph(m).output.clear()),
        ("an output without a node", |m| graph(m).output[0].name = "layer1.weight".into()),
        ("an output that is the input", |m| graph(m).output[0].name = "x".into()),
        ("two scores", |m| {
            let other = graph(m).output[0].clone();
            graph(m).output.push(other);
        }),
        ("float64 input", |m| {
            graph(m).input[0].kind.as_mut().unwrap().tensor.as_mut().unwrap().element = 11;
        }),
        ("an input without a type", |m| graph(m).input[0].kind = None),
        ("an input without a shape", |m| {
            graph(m).input[0].kind.as_mut().unwrap().tensor.as_mut().unwrap().shape = None;
        }),
        ("three axes", |m| drop(input_lengths(m).pop())),
        ("a dynamic height", |m| input_lengths(m)[2].value = None),
        ("a negative width", |m| input_lengths(m)[3].value = Some(-4)),
        ("a wide image", |m| input_lengths(m)[3].value = Some(i64::MAX)),
        ("a large image", |m| input_lengths(m)[3].value = Some(1 << 20)),
        ("another image", |m| input_lengths(m)[3].value = Some(6)),
        ("a batch of fixed size", |m| input_lengths(m)[0] = Dimension { value: Some(7), name: None }),
        ("a missing input", |m| node(m, "Relu").input[0] = "nowhere".into()),
        ("no input", |m| node(m, "Relu").input.clear()),
        ("an input left out", |m| node(m, "MaxPool").input[0] = String::new()),
        ("a cycle", |m| {
            let output = node(m, "Tanh").output[0].clone();
            node(m, "Relu").input[0] = output;
        }),
        ("its own input", |m| {
            let output = node(m, "Relu").output[0].clone();
            node(m, "Relu").input[0] = output;
        }),
        ("nodes in another order", |m| graph(m).node.reverse()),
        ("a value twice", |m| {
            let output = node(m, "Tanh").output[0].clone();
            node(m, "Relu").output[0] = output;
        }),
        ("an unused node", |m| added(m, "Relu", &["x"], "unused")),
        ("an unused constant", |m| added(m, "Identity", &["layer1.weight"], "unused")),
        ("a branch", |m| {
            let (first, second) = (node(m, "Relu").output[0].clone(), node(m, "Tanh").input[0].clone());
            added(m, "Add", &[&first, &second], "sum");
            let sum = graph(m).node.pop().unwrap();
            let at = graph(m).node.iter().position(|node| node.op_type == "Tanh").unwrap();
            graph(m).node.insert(at, sum);
            node(m, "Tanh").input[0] = "sum".into();
        }),
        ("a concatenation", |m| {
            node(m, "Relu").op_type = "Concat".into();
        }),
        ("a loop", |m| node(m, "Relu").op_type = "Loop".into()),
        ("a long name", |m| {
            let relu = node(m, "Relu");
            relu.op_type = "\n".repeat(1000);
            relu.name = "x".repeat(1000);
        }),
        ("another domain", |m| node(m, "Relu").domain = "com.microsoft".into()),
        ("an attribute", |m| attribute(m, "BatchNormalization", "spatial").i = Some(1)),
        ("training", |m| attribute(m, "BatchNormalization", "training_mode").i = Some(1)),
        ("another epsilon", |m| attribute(m, "BatchNormalization", "epsilon").f = Some(1e-3)),
        ("an epsilon that is a text", |m| {
            *attribute(m, "BatchNormalization", "epsilon") =
                Attribute { name: "epsilon".into(), s: Some(b"x".to_vec()), ..Attribute::default() };
        }),
        ("uneven padding", |m| attribute(m, "Conv", "pads").ints = vec![1, 1, 0, 0]),
        ("negative padding", |m| attribute(m, "Conv", "pads").ints = vec![-1; 4]),
        ("padding of one axis", |m| attribute(m, "Conv", "pads").ints = vec![1, 1]),
        ("too much padding", |m| attribute(m, "Conv", "pads").ints = vec![i64::MAX; 4]),
        ("automatic padding", |m| {
            attribute(m, "Conv", "auto_pad").s = Some(b"SAME_UPPER".to_vec());
            attribute(m, "Conv", "strides").ints = vec![2, 2];
        }),
        ("the same size", |m| {
            attribute(m, "Conv", "auto_pad").s = Some(b"SAME_LOWER".to_vec());
            attribute(m, "Conv", "pads").ints.clear();
        }),
        ("a stride of 0", |m| attribute(m, "Conv", "strides").ints = vec![0, 1]),
        ("a negative stride", |m| attribute(m, "Conv", "strides").ints = vec![-1, 1]),
        ("no groups", |m| attribute(m, "Conv", "group").i = Some(0)),
        ("groups", |m| attribute(m, "Conv", "group").i = Some(2)),
        ("another kernel", |m| attribute(m, "Conv", "kernel_shape").ints = vec![5, 5]),
        ("rounding up", |m| attribute(m, "MaxPool", "ceil_mode").i = Some(1)),
        ("a pool without a window", |m| node(m, "MaxPool").attribute.clear()),
        ("a pool of one axis", |m| attribute(m, "MaxPool", "kernel_shape").ints = vec![2]),
        ("the second output of a pool", |m| {
            let output = std::mem::replace(&mut node(m, "MaxPool").output, vec!["y".into()]);
            node(m, "MaxPool").output.extend(output);
        }),
        ("alpha", |m| attribute(m, "Gemm", "alpha").f = Some(2.0)),
        ("a transposed input", |m| attribute(m, "Gemm", "transA").i = Some(1)),
        ("a transposed weight", |m| attribute(m, "Gemm", "transB").i = Some(1)),
        ("half a transpose", |m| attribute(m, "Gemm", "transB").i = Some(2)),
        ("flattening a part", |m| attribute(m, "Flatten", "axis").i = Some(2)),
        ("no flattening", |m| {
            let x = node(m, "Flatten").input[0].clone();
            node(m, "Gemm").input[0] = x;
            graph(m).node.retain(|node| node.op_type != "Flatten");
        }),
        ("a softmax of rows", |m| attribute(m, "Softmax", "axis").i = Some(0)),
        ("a softmax in between", |m| {
            node(m, "Tanh").op_type = "Softmax".into();
        }),
        ("a class of rows", |m| attribute(m, "ArgMax", "axis").i = Some(0)),
        ("the class of a hidden layer", |m| {
            let hidden = node(m, "Tanh").output[0].clone();
            node(m, "ArgMax").input[0] = hidden;
        }),
        ("another output", |m| node(m, "ArgMax").op_type = "ArgMin".into()),
        ("maps as outputs", |m| {
            let argmax = node(m, "ArgMax");
            argmax.op_type = "ZipMap".into();
            argmax.domain = "ai.onnx.ml".into();
        }),
        ("a tensor in another file", |m| tensor(m, "layer1.weight").external_data.push(Vec::new())),
        ("a tensor elsewhere", |m| tensor(m, "layer1.weight").data_location = 1),
        ("half precision", |m| tensor(m, "layer1.weight").data_type = 10),
        ("texts as weights", |m| {
            let weight = tensor(m, "layer1.bias");
            weight.data_type = element::STRING;
            weight.string_data = vec![b"a".to_vec(); 2];
        }),
        ("an unknown type", |m| tensor(m, "layer1.weight").data_type = -5),
        ("a tensor twice", |m| {
            let other = tensor(m, "layer1.weight").clone();
            graph(m).initializer.push(other);
        }),
        ("a tensor that is missing", |m| graph(m).initializer.retain(|tensor| tensor.name != "layer1.bias")),
        ("a tensor that is computed", |m| {
            graph(m).initializer.retain(|tensor| tensor.name != "layer1.bias");
            node(m, "Conv").input[2] = "x".into();
        }),
        ("too few numbers", |m| tensor(m, "layer1.weight").raw_data.as_mut().unwrap().truncate(71)),
        ("no numbers", |m| tensor(m, "layer1.weight").raw_data = None),
        ("a negative length", |m| tensor(m, "layer1.weight").dims[0] = -2),
        ("lengths that overflow", |m| tensor(m, "layer1.weight").dims = vec![i64::MAX; 4]),
        ("many lengths", |m| tensor(m, "layer1.weight").dims = vec![1; 1000]),
        ("a length of 0", |m| {
            let weight = tensor(m, "layer8.weight");
            (weight.dims, weight.raw_data) = (vec![0, 1 << 40], None);
        }),
        ("a bias of another length", |m| {
            let bias = tensor(m, "layer8.bias");
            (bias.dims, bias.raw_data) = (vec![2], Some(vec![0; 8]));
        }),
        ("a weight of another length", |m| {
            let weight = tensor(m, "layer8.weight");
            (weight.dims, weight.raw_data) = (vec![5, 3], Some(vec![0; 60]));
        }),
        ("a variance of another length", |m| {
            let var = tensor(m, "layer2.running_var");
            (var.dims, var.raw_data) = (vec![1], Some(vec![0; 4]));
        }),
        ("a convolution of sequences", |m| tensor(m, "layer1.weight").dims = vec![2, 1, 9]),
        ("a divisor of 0", |m| tensor(m, "scale").raw_data = Some(vec![0; 4])),
        ("a divisor for each width", |m| {
            let scale = tensor(m, "scale");
            (scale.dims, scale.raw_data) = (vec![3], Some(vec![64; 12]));
        }),
        ("a scaling in between", |m| {
            let relu = node(m, "Relu");
            relu.op_type = "Mul".into();
            relu.input.push("scale".into());
        }),
        ("a scaling of logits", |m| {
            let logits = node(m, "Softmax").input[0].clone();
            added(m, "Mul", &[&logits, "scale"], "scaled");
            let scaled = graph(m).node.pop().unwrap();
            let at = graph(m).node.iter().position(|node| node.op_type == "ArgMax").unwrap();
            graph(m).node.insert(at, scaled);
            node(m, "Softmax").input[0] = "scaled".into();
            node(m, "ArgMax").input[0] = "scaled".into();
        }),
        ("a constant without a value", |m| {
            added(m, "Constant", &[], "constant");
        }),
        ("a sigmoid of classes", |m| {
            let softmax = node(m, "Softmax");
            softmax.op_type = "Sigmoid".into();
            softmax.attribute.clear();
            graph(m).output.pop();
            graph(m).node.retain(|node| node.op_type != "ArgMax");
        }),
    ];
    let told = told(images(), cases);
    expect![[r#"
        nothing
          read as 1x4x4-conv(2,3,padding=1)-batchnorm-relu-maxpool(2)-flatten-4-tanh-3 Classes(["0", "1", "2"])
        no graph
          damaged: expected a graph, found none: is this an ONNX model, or is it truncated?
        an old opset
          unsupported: opset: expected 13 to 21, found 9 | export with opset 17, in PyTorch with opset_version=17
        a new opset
          unsupported: opset: expected 13 to 21, found 99 | export with opset 17, in PyTorch with opset_version=17
        no opset
          damaged: opset_import: expected one version of the standard operators, found 0
        two opsets
          damaged: opset_import: expected one version of the standard operators, found 2
        another domain beside
          read as 1x4x4-conv(2,3,padding=1)-batchnorm-relu-maxpool(2)-flatten-4-tanh-3 Classes(["0", "1", "2"])
        a new IR
          unsupported: ir_version: expected 3 to 14, found 1000
        a negative IR
          unsupported: ir_version: expected 3 to 14, found -1
        functions
          unsupported: expected no functions, found 1 | replace them by their nodes, in Python with onnx.inliner.inline_local_functions
        sparse tensors
          unsupported: expected no sparse tensors, found 1
        no nodes
          unsupported: expected a value that a node computes, found "class"
        no inputs
          damaged: node "Div1" (Div): expected a source of its input "x", found none
        two inputs
          unsupported: expected one input, of the numbers of a row or an image, found 2
        an input twice
          damaged: input "x": expected it once, found it twice
        no outputs
          unsupported: expected one output of float32, found 0
        an output without a node
          unsupported: node "ArgMax10" (ArgMax): expected the largest of the net's outputs
        an output that is the input
          unsupported: node "ArgMax10" (ArgMax): expected the largest of the net's outputs
        two scores
          unsupported: expected one output of float32, found 2
        float64 input
          unsupported: input "x": expected float32 | export the net for float32
        an input without a type
          unsupported: input "x": expected float32 | export the net for float32
        an input without a shape
          unsupported: input "x": expected [N, features] or [N, C, H, W], found []
        three axes
          unsupported: input "x": expected [N, features] or [N, C, H, W], found [N, 1, 4]
        a dynamic height
          unsupported: input "x": expected [N, C, H, W] with fixed C, H and W | export with N as the only dynamic axis
        a negative width
          unsupported: input "x": expected [N, C, H, W] with fixed C, H and W | export with N as the only dynamic axis
        a wide image
          unsupported: input "x": expected the shape of 1 to 1048576 numbers, found [N, 1, 4, 9223372036854775807]
        a large image
          unsupported: input "x": expected the shape of 1 to 1048576 numbers, found [N, 1, 4, 1048576]
        another image
          damaged: its layers do not fit each other: expected 95 numbers for 1x4x6-conv(2,3,padding=1)-batchnorm-relu-maxpool(2)-flatten-4-tanh-3, found 79
        a batch of fixed size
          read as 1x4x4-conv(2,3,padding=1)-batchnorm-relu-maxpool(2)-flatten-4-tanh-3 Classes(["0", "1", "2"])
        a missing input
          damaged: node "Relu4" (Relu): expected a source of its input "nowhere", found none
        no input
          unsupported: node "Relu4" (Relu): operator not supported | supported are Gemm, MatMul, Conv, ConvTranspose, BatchNormalization, GroupNormalization, MaxPool, AveragePool, GlobalAveragePool, Resize, Flatten, Reshape, Dropout, Relu and the other activations, and at the end Softmax or Sigmoid
        an input left out
          damaged: node "MaxPool5" (MaxPool): expected an input, found none
        a cycle
          damaged: node "Relu4" (Relu): expected its inputs from nodes before it, found "Tanh8" from node "Tanh8" (Tanh)
        its own input
          damaged: node "Relu4" (Relu): expected its inputs from nodes before it, found "Relu4" from node "Relu4" (Relu)
        nodes in another order
          damaged: node "Softmax11" (Softmax): expected its inputs from nodes before it, found "Gemm9" from node "Gemm9" (Gemm)
        a value twice
          damaged: node "Tanh8" (Tanh): expected a name of its own for "Tanh8", found it twice
        an unused node
          unsupported: node "new Relu" (Relu): it is not in the chain from the input to the output | remove it, or save the parameters as safetensors
        an unused constant
          read as 1x4x4-conv(2,3,padding=1)-batchnorm-relu-maxpool(2)-flatten-4-tanh-3 Classes(["0", "1", "2"])
        a branch
          unsupported: node "new Add" (Add): expected a value and a constant; nets that branch are not supported, but for those that surprisal wrote | save the parameters as safetensors
        a concatenation
          unsupported: node "Relu4" (Concat): nets that branch are not supported, but for those that surprisal wrote | save the parameters as safetensors
        a loop
          unsupported: node "Relu4" (Loop): operator not supported | supported are Gemm, MatMul, Conv, ConvTranspose, BatchNormalization, GroupNormalization, MaxPool, AveragePool, GlobalAveragePool, Resize, Flatten, Reshape, Dropout, Relu and the other activations, and at the end Softmax or Sigmoid
        a long name
          unsupported: node "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx".. ("\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"..): operator not supported | supported are Gemm, MatMul, Conv, ConvTranspose, BatchNormalization, GroupNormalization, MaxPool, AveragePool, GlobalAveragePool, Resize, Flatten, Reshape, Dropout, Relu and the other activations, and at the end Softmax or Sigmoid
        another domain
          unsupported: node "Relu4" (com.microsoft.Relu): operator not supported | supported are Gemm, MatMul, Conv, ConvTranspose, BatchNormalization, GroupNormalization, MaxPool, AveragePool, GlobalAveragePool, Resize, Flatten, Reshape, Dropout, Relu and the other activations, and at the end Softmax or Sigmoid
        an attribute
          unsupported: node "BatchNormalization3" (BatchNormalization): attribute "spatial" is not supported | supported: epsilon, momentum, training_mode
        training
          unsupported: node "BatchNormalization3" (BatchNormalization): training_mode: expected 0, found 1
        another epsilon
          unsupported: node "BatchNormalization3" (BatchNormalization): epsilon: expected 1e-5, found 0.001
        an epsilon that is a text
          unsupported: node "BatchNormalization3" (BatchNormalization): epsilon: expected a number, found none
        uneven padding
          unsupported: node "Conv2" (Conv): pads: expected the same numbers at both ends, [h, w, h, w], found [1, 1, 0, 0]
        negative padding
          unsupported: node "Conv2" (Conv): pads: expected the same numbers at both ends, [h, w, h, w], found [-1, -1, -1, -1]
        padding of one axis
          unsupported: node "Conv2" (Conv): pads: expected the same numbers at both ends, [h, w, h, w], found [1, 1]
        too much padding
          damaged: its layers do not fit each other: part 1, "conv(2,3x3,stride=1x1,padding=9223372036854775807x9223372036"..: padding: expected a whole number, 0 or above, or two, such as 3x5, found "9223372036854775807x9223372036854775807"
        automatic padding
          unsupported: node "Conv2" (Conv): auto_pad: expected NOTSET, with pads, found SAME_UPPER
        the same size
          read as 1x4x4-conv(2,3,padding=1)-batchnorm-relu-maxpool(2)-flatten-4-tanh-3 Classes(["0", "1", "2"])
        a stride of 0
          damaged: its layers do not fit each other: part 1, "conv(2,3x3,stride=0x1,padding=1x1,dilation=1x1,groups=1,bias"..: stride: expected a whole number, 1 or above, or two, such as 3x5, found "0x1"
        a negative stride
          unsupported: node "Conv2" (Conv): strides: expected two numbers, of the height and the width, found [-1, 1]
        no groups
          unsupported: node "Conv2" (Conv): group: expected 1 or above, found 0
        groups
          damaged: its layers do not fit each other: part 1, conv(2,3,padding=1,groups=2): [1, 4, 4] arrives: 2 groups do not divide 1 channels and 2 outputs | choose a number of groups that divides both
        another kernel
          unsupported: node "Conv2" (Conv): kernel_shape: expected [3, 3], found [5, 5]
        rounding up
          unsupported: node "MaxPool5" (MaxPool): ceil_mode: expected 0, found 1
        a pool without a window
          damaged: its layers do not fit each other: part 4, maxpool(0x0,stride=1x1,padding=0x0): kernel: expected a whole number, 1 or above, or two, such as 3x5, found "0x0"
        a pool of one axis
          unsupported: node "MaxPool5" (MaxPool): kernel_shape: expected two numbers, of the height and the width, found [2]
        the second output of a pool
          unsupported: node "MaxPool5" (MaxPool): its output "MaxPool5" is not supported
        alpha
          unsupported: node "Gemm7" (Gemm): alpha: expected 1.0, found 2.0
        a transposed input
          unsupported: node "Gemm7" (Gemm): transA: expected 0, found 1
        a transposed weight
          unsupported: node "Gemm7" (Gemm): expected a bias [8], found [4]
        half a transpose
          unsupported: node "Gemm7" (Gemm): transB: expected 0 or 1, found 2
        flattening a part
          unsupported: node "Flatten6" (Flatten): axis: expected 1, found 2
        no flattening
          unsupported: node "Gemm7" (Gemm): expected rows of numbers, found images | put a Flatten before it
        a softmax of rows
          unsupported: node "Softmax11" (Softmax): axis: expected 1, found 0
        a softmax in between
          unsupported: node "Tanh8" (Softmax): expected it at the end of the net alone, found a layer behind it
        a class of rows
          unsupported: node "ArgMax10" (ArgMax): axis: expected 1, found 0
        the class of a hidden layer
          unsupported: node "ArgMax10" (ArgMax): expected the largest of the net's outputs
        another output
          unsupported: node "ArgMax10" (ArgMin): expected the class as an output, the ArgMax of the others | leave this output out
        maps as outputs
          unsupported: node "ArgMax10" (ai.onnx.ml.ZipMap): operator not supported | convert with options={'zipmap': False}
        a tensor in another file
          unsupported: tensor "layer1.weight": its numbers are in another file | write the model as a single file, in PyTorch with external_data=False
        a tensor elsewhere
          unsupported: tensor "layer1.weight": its numbers are in another file | write the model as a single file, in PyTorch with external_data=False
        half precision
          unsupported: node "Conv2" (Conv): tensor "layer1.weight": expected float32, found float16 | export the net in float32
        texts as weights
          unsupported: node "Conv2" (Conv): tensor "layer1.bias": expected float32, found string | export the net in float32
        an unknown type
          unsupported: node "Conv2" (Conv): tensor "layer1.weight": expected float32, found type -5 | export the net in float32
        a tensor twice
          damaged: tensor "layer1.weight": expected it once, found it twice
        a tensor that is missing
          damaged: node "Conv2" (Conv): expected a source of its input "layer1.bias", found none
        a tensor that is computed
          unsupported: node "Conv2" (Conv): expected constant numbers as its bias, found a value that the graph computes
        too few numbers
          damaged: tensor "layer1.weight": expected the 4 bytes of each float32 of [2, 1, 3, 3], found 71 bytes
        no numbers
          damaged: tensor "layer1.weight": expected the 18 values of [2, 1, 3, 3], found 0
        a negative length
          damaged: tensor "layer1.weight": expected the lengths of its axes, found [-2, 1, 3, 3]
        lengths that overflow
          damaged: tensor "layer1.weight": expected the lengths of its axes, found [9223372036854775807, 9223372036854775807, 9223372036854775807, 9223372036854775807]
        many lengths
          damaged: tensor "layer1.weight": expected the 4 bytes of each float32 of [1, 1, 1, 1, 1, 1, 1, 1] and 992 more, found 72 bytes
        a length of 0
          unsupported: node "Gemm9" (Gemm): expected a weight of 2 axes, found [0, 1099511627776]
        a bias of another length
          unsupported: node "Gemm9" (Gemm): expected a bias [3], found [2]
        a weight of another length
          damaged: its layers do not fit each other: expected 79 numbers for 1x4x4-conv(2,3,padding=1)-batchnorm-relu-maxpool(2)-flatten-4-tanh-3, found 82
        a variance of another length
          damaged: node "BatchNormalization3" (BatchNormalization): running_var: expected [2], found [1]
        a convolution of sequences
          unsupported: node "Conv2" (Conv): expected a weight of 4 axes, of images, found [2, 1, 9]
        a divisor of 0
          unsupported: node "Div1" (Div): expected finite constants, and those of products above 0
        a divisor for each width
          unsupported: node "Div1" (Div): expected constants for each of [1, 4, 4], found [3]
        a scaling in between
          unsupported: node "Relu4" (Mul): expected it before the first layer or behind the last one, found it between layers
        a scaling of logits
          unsupported: node "new Mul" (Mul): expected a layer, a softmax or a sigmoid
        a constant without a value
          damaged: node "new Constant" (Constant): expected one attribute, found 0
        a sigmoid of classes
          unsupported: output "probabilities": expected one output behind a sigmoid, found 3 | leave the sigmoid out"#]].assert_eq(&told);
}

/// Puts a node before the first one of an operator, on the way.
fn before(model: &mut Model, op: &str, new: &str, inputs: &[&str]) {
    let at = graph(model).node.iter().position(|node| node.op_type == op).unwrap();
    let x = graph(model).node[at].input[0].clone();
    added(model, new, &[&[x.as_str()], inputs].concat(), "new");
    let node = graph(model).node.pop().unwrap();
    graph(model).node[at].input[0] = "new".into();
    graph(model).node.insert(at, node);
}

fn integers(model: &mut Model, name: &str, values: &[i64]) {
    let tensor = Tensor {
        name: name.into(),
        dims: vec![values.len() as i64],
        data_type: element::INT64,
        int64_data: values.to_vec(),
        ..Tensor::default()
    };
    graph(model).initializer.push(tensor);
}

fn texts(model: &mut Model, values: &[&str]) {
    let tensor = Tensor {
        name: "names".into(),
        dims: vec![values.len() as i64],
        data_type: element::STRING,
        string_data: values.iter().map(|text| text.as_bytes().to_vec()).collect(),
        ..Tensor::default()
    };
    graph(model).initializer.push(tensor);
    let last = graph(model).node.iter().position(|node| node.op_type == "ArgMax").unwrap();
    graph(model).node[last].output[0] = "index".into();
    let named = Node {
        op_type: "ArrayFeatureExtractor".into(),
        domain: "ai.onnx.ml".into(),
        input: vec!["names".into(), "index".into()],
        output: vec!["class".into()],
        ..Node::default()
    };
    graph(model).node.insert(last + 1, named);
}

#[test]
fn other_layers_are_named_too() {
    let model = foreign(
        "2x4x4-groupnorm(2)-upsample(2)-globalavgpool-batchnorm-convt(2,1)-flatten-3",
        "",
        32,
        Predictions::Classes(names(["a", "b", "c"])),
        OnnxOutput::Logits,
    );
    let cases: &[Case] = &[
        ("nothing", |_| {}),
        ("names of classes", |m| texts(m, &["cat", "dog", "rabbit"])),
        ("too few names", |m| texts(m, &["cat", "dog"])),
        ("nothing to do", |m| before(m, "Flatten", "Identity", &[])),
        ("dropout", |m| before(m, "Flatten", "Dropout", &[])),
        ("dropout in training", |m| before(m, "Flatten", "Dropout", &["scale", "scale"])),
        ("float16 on the way", |m| {
            before(m, "Flatten", "Cast", &[]);
            attribute(m, "Cast", "to").i = Some(10);
        }),
        ("weights of groups for rows", |m| {
            for name in ["layer1.weight", "layer1.bias"] {
                tensor(m, name).dims = vec![2];
            }
        }),
        ("weights of groups for each pixel", |m| tensor(m, "layer1.weight").dims = vec![1, 1, 2]),
        ("other groups", |m| {
            tensor(m, "groups").raw_data = Some([0i64, 3, -1].map(i64::to_le_bytes).concat())
        }),
        ("no groups", |m| tensor(m, "groups").raw_data = Some([0i64, 0, -1].map(i64::to_le_bytes).concat())),
        ("a scale in the groups", |m| tensor(m, "group").raw_data = Some(vec![0; 8])),
        ("an epsilon of the groups", |m| attribute(m, "InstanceNormalization", "epsilon").f = Some(0.1)),
        ("groups as one operator", |m| {
            before(m, "Resize", "GroupNormalization", &["layer1.weight", "layer1.bias"])
        }),
        ("half a pixel", |m| attribute(m, "Resize", "nearest_mode").s = Some(b"ceil".to_vec())),
        ("cubic", |m| attribute(m, "Resize", "mode").s = Some(b"cubic".to_vec())),
        ("a mode that is not text", |m| attribute(m, "Resize", "mode").s = Some(vec![255])),
        ("corners", |m| {
            attribute(m, "Resize", "mode").s = Some(b"linear".to_vec());
            attribute(m, "Resize", "coordinate_transformation_mode").s = Some(b"align_corners".to_vec());
        }),
        ("half a scale", |m| {
            let scales = [1f32, 1.0, 0.5, 2.0].map(f32::to_le_bytes).concat();
            tensor(m, "scales").raw_data = Some(scales);
        }),
        ("a scale of channels", |m| {
            let scales = [1f32, 2.0, 2.0, 2.0].map(f32::to_le_bytes).concat();
            tensor(m, "scales").raw_data = Some(scales);
        }),
        ("a size", |m| {
            node(m, "Resize").input = vec!["x".into(), String::new(), String::new(), "groups".into()]
        }),
        ("the mean of the width", |m| {
            integers(m, "axes", &[3]);
            before(m, "Flatten", "ReduceMean", &["axes"]);
        }),
        ("the mean of images", |m| {
            integers(m, "axes", &[-1, -2]);
            before(m, "Flatten", "ReduceMean", &["axes"]);
        }),
        ("the mean as rows", |m| {
            integers(m, "axes", &[2, 3]);
            before(m, "Flatten", "ReduceMean", &["axes"]);
            attribute(m, "ReduceMean", "keepdims").i = Some(0);
        }),
        ("another shape", |m| {
            integers(m, "shape", &[-1, 1, 4]);
            before(m, "Flatten", "Reshape", &["shape"]);
        }),
        ("a shape of all", |m| {
            integers(m, "shape", &[-1]);
            before(m, "Flatten", "Reshape", &["shape"]);
        }),
        ("other rows", |m| {
            integers(m, "shape", &[-1, 1]);
            before(m, "Flatten", "Reshape", &["shape"]);
        }),
        ("the same rows", |m| {
            integers(m, "shape", &[-1, 2]);
            before(m, "Flatten", "Reshape", &["shape"]);
        }),
        ("images of images", |m| {
            integers(m, "shape", &[0, 1, 1, 2]);
            before(m, "ConvTranspose", "Reshape", &["shape"]);
        }),
        ("a shape that is computed", |m| before(m, "Flatten", "Reshape", &["x"])),
        ("more output padding than a stride", |m| {
            attribute(m, "ConvTranspose", "output_padding").ints = vec![1, 1]
        }),
        ("an output shape", |m| attribute(m, "ConvTranspose", "output_shape").ints = vec![1, 1]),
        ("another slope", |m| {
            before(m, "Flatten", "LeakyRelu", &[]);
            attribute(m, "LeakyRelu", "alpha").f = Some(0.2);
        }),
        ("another gelu", |m| {
            before(m, "Flatten", "Gelu", &[]);
            attribute(m, "Gelu", "approximate").s = Some(b"fast".to_vec());
        }),
        ("a scaler", |m| {
            before(m, "Div", "Scaler", &[]);
            node(m, "Scaler").domain = "ai.onnx.ml".into();
            for (name, value) in [("offset", 1.0), ("scale", 2.0)] {
                attribute(m, "Scaler", name).floats = vec![value];
            }
        }),
        ("a scaler without numbers", |m| {
            before(m, "Div", "Scaler", &[]);
            node(m, "Scaler").domain = "ai.onnx.ml".into();
        }),
        ("not layers at all", |m| {
            let output = graph(m).node.iter().find(|node| node.op_type == "Div").unwrap().output[0].clone();
            graph(m).node.truncate(1);
            graph(m).output.truncate(1);
            graph(m).output[0].name = output;
        }),
        ("a difference of constants", |m| {
            before(m, "Flatten", "Sub", &["scale"]);
            node(m, "Sub").input.swap(0, 1);
        }),
        ("a sum of one", |m| before(m, "Flatten", "Add", &[])),
    ];
    expect![[r#"
        nothing
          read as 2x4x4-groupnorm(2)-upsample(2)-avgpool(8)-batchnorm-convt(2,1)-flatten-3 Classes(["0", "1", "2"])
        names of classes
          read as 2x4x4-groupnorm(2)-upsample(2)-avgpool(8)-batchnorm-convt(2,1)-flatten-3 Classes(["cat", "dog", "rabbit"])
        too few names
          damaged: node "class" (ai.onnx.ml.ArrayFeatureExtractor): expected the names of 3 classes, found 2
        nothing to do
          read as 2x4x4-groupnorm(2)-upsample(2)-avgpool(8)-batchnorm-convt(2,1)-flatten-3 Classes(["0", "1", "2"])
        dropout
          read as 2x4x4-groupnorm(2)-upsample(2)-avgpool(8)-batchnorm-convt(2,1)-flatten-3 Classes(["0", "1", "2"])
        dropout in training
          unsupported: node "new Dropout" (Dropout): training_mode: expected a node for evaluation | export the net after model.eval()
        float16 on the way
          unsupported: node "new Cast" (Cast): to: expected 1, float32, found 10
        weights of groups for rows
          unsupported: node "InstanceNormalization3" (InstanceNormalization): expected weights for images, found those for rows
        weights of groups for each pixel
          unsupported: node "InstanceNormalization3" (InstanceNormalization): weight: expected [channels, 1, 1], found [1, 1, 2]
        other groups
          damaged: node "InstanceNormalization3" (InstanceNormalization): scale: expected [3], found [2]
        no groups
          unsupported: node "Reshape5" (Reshape): expected the shape [N, features] or [N, C, H, W], found a shape that the graph computes
        a scale in the groups
          unsupported: node "InstanceNormalization3" (InstanceNormalization): expected a scale of ones and a bias of zeros, before those of the channels
        an epsilon of the groups
          unsupported: node "InstanceNormalization3" (InstanceNormalization): epsilon: expected 1e-5, found 0.1
        groups as one operator
          unsupported: node "new GroupNormalization" (GroupNormalization): expected opset 21, where its weights are those of channels, found 17
        half a pixel
          unsupported: node "Resize8" (Resize): coordinate_transformation_mode: expected asymmetric with nearest_mode floor, or half_pixel with round_prefer_floor, found asymmetric with ceil
        cubic
          unsupported: node "Resize8" (Resize): mode: expected nearest or linear, found cubic
        a mode that is not text
          unsupported: node "Resize8" (Resize): mode: expected a text, found none
        corners
          unsupported: node "Resize8" (Resize): coordinate_transformation_mode: expected half_pixel, found align_corners
        half a scale
          unsupported: node "Resize8" (Resize): scales: expected 1, 1, and two whole numbers, found [1.0, 1.0, 0.5, 2.0]
        a scale of channels
          unsupported: node "Resize8" (Resize): scales: expected 1, 1, and two whole numbers, found [1.0, 2.0, 2.0, 2.0]
        a size
          unsupported: node "Resize8" (Resize): expected scales, found sizes | use nn.Upsample with scale_factor
        the mean of the width
          unsupported: node "new ReduceMean" (ReduceMean): axes: expected 2 and 3, the height and the width, found [3]
        the mean of images
          read as 2x4x4-groupnorm(2)-upsample(2)-avgpool(8)-batchnorm-convt(2,1)-globalavgpool-flatten-3 Classes(["0", "1", "2"])
        the mean as rows
          read as 2x4x4-groupnorm(2)-upsample(2)-avgpool(8)-batchnorm-convt(2,1)-globalavgpool-flatten-3 Classes(["0", "1", "2"])
        another shape
          unsupported: node "new Reshape" (Reshape): expected the shape [N, features] or [N, C, H, W], found [-1, 1, 4]
        a shape of all
          unsupported: node "new Reshape" (Reshape): expected the shape [N, features] or [N, C, H, W], found [-1]
        other rows
          unsupported: node "new Reshape" (Reshape): expected the shape [N, 2], of the numbers of a row
        the same rows
          read as 2x4x4-groupnorm(2)-upsample(2)-avgpool(8)-batchnorm-convt(2,1)-flatten-3 Classes(["0", "1", "2"])
        images of images
          unsupported: node "new Reshape" (Reshape): expected it before the first layer or behind the last one, found it between layers
        a shape that is computed
          unsupported: node "new Reshape" (Reshape): expected the shape [N, features] or [N, C, H, W], found a shape that the graph computes
        more output padding than a stride
          damaged: its layers do not fit each other: part 5, convt(2,1,output_padding=1): [2, 1, 1] arrives: an output padding of 1x1 with stride 1x1 and dilation 1x1 | output padding is smaller than the stride or the dilation
        an output shape
          unsupported: node "ConvTranspose11" (ConvTranspose): attribute "output_shape" is not supported | supported: kernel_shape, strides, pads, dilations, group, auto_pad, output_padding
        another slope
          unsupported: node "new LeakyRelu" (LeakyRelu): alpha: expected 0.01, found 0.2
        another gelu
          unsupported: node "new Gelu" (Gelu): approximate: expected none or tanh, found fast
        a scaler
          read as 2x4x4-groupnorm(2)-upsample(2)-avgpool(8)-batchnorm-convt(2,1)-flatten-3 Classes(["0", "1", "2"])
        a scaler without numbers
          unsupported: node "new Scaler" (ai.onnx.ml.Scaler): expected constants for each of [2, 4, 4], found [0]
        not layers at all
          unsupported: expected a layer, found none
        a difference of constants
          unsupported: node "new Sub" (Sub): expected a value and a constant; nets that branch are not supported, but for those that surprisal wrote | save the parameters as safetensors
        a sum of one
          damaged: node "new Add" (Add): expected 2 inputs, found 1"#]].assert_eq(&told(model, cases));
}

#[test]
fn a_truncated_or_random_file_is_an_error_or_the_same_net() {
    let bytes = images().encode_to_vec();
    let whole = load_onnx_bytes(&bytes, "net").unwrap();
    for end in 0..bytes.len() {
        if let Ok(read) = load_onnx_bytes(&bytes[..end], "net") {
            assert_eq!(read.parameters, whole.parameters);
        }
    }
    let mut written =
        foreign("2-3-2", "relu", 2, Predictions::Classes(names(["no", "yes"])), OnnxOutput::Logits);
    written.metadata_props = vec![Property { key: "architecture".into(), value: "9-9".into() }];
    assert_eq!(load_onnx_bytes(&written.encode_to_vec(), "net").unwrap().sizes, "2-3-2");
    expect!["net: expected an ONNX model, found other bytes (failed to decode Protobuf message: invalid tag value: 0): is the file truncated?"]
        .assert_eq(&load_onnx_bytes(&[0; 100], "net").unwrap_err().to_string());
    expect!["net: expected a graph, found none: is this an ONNX model, or is it truncated?"]
        .assert_eq(&load_onnx_bytes(&[], "net").unwrap_err().to_string());
}

#[test]
fn a_file_that_says_more_than_its_graph_is_believed_only_if_both_agree() {
    let encoder =
        Encoder::of_numbers(&names(["width", "height"]), &Preprocess::divide(4.0).unwrap()).unwrap();
    let own = model("3-dropout(0.5)-2", "", encoder, Predictions::Classes(names(["no", "yes"])));
    let message = || to_message(&own, OnnxOutput::Logits).unwrap();
    assert_eq!(load_onnx_bytes(&message().encode_to_vec(), "net").unwrap(), own);
    let changed = |key: &str, value: &str| {
        let mut message = message();
        let property = message.metadata_props.iter_mut().find(|property| property.key == key).unwrap();
        property.value = value.into();
        load_onnx_bytes(&message.encode_to_vec(), "net").unwrap()
    };
    // the graph alone
    for (key, value) in [
        ("architecture", "2-3-3"),
        ("architecture", "99999999999-dropout(0.5)-2"),
        ("architecture", "3-relu-dropout(0.5)-2"),
        ("encoding", "[]"),
        ("encoding", r#"[{"Number":{"fill":null,"offset":0.0,"scale":4.5}}]"#),
        ("encoding", r#"[{"Number":{"fill":null,"offset":0.0,"scale":0.0}}]"#),
        ("encoding", r#"[{"OneHot":{"categories":["a"],"fill":null}}]"#),
        ("features", r#"["width"]"#),
        ("features", "{"),
    ] {
        let read = changed(key, value);
        let same = own.parameters.iter().zip(&read.parameters).all(|(a, b)| a.values == b.values);
        assert!(
            same && read.sizes == "flatten-3-2" && read.encoder.width() == 2,
            "{key} {value} {}",
            read.sizes
        );
    }
    // other digits than those of float32
    let precise = changed("encoding", r#"[{"Number":{"fill":null,"offset":0.0,"scale":4.00000001}}]"#);
    assert_eq!(precise.sizes, own.sizes);
    assert_ne!(precise.encoder, own.encoder);
}
