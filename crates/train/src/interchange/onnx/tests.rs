//! The decoded structure of small nets.

use expect_test::{Expect, expect};
use surprisal_data::{EncodedColumn, Encoder, Encoding, Preprocess};
use surprisal_layers::{Activation, Init, Sequential, rng};
use surprisal_tensor::Params;

use super::*;

/// Constant parameters: the numbers of a file are not what a snapshot is for.
pub(super) fn model(net: &str, activation: &str, encoder: Encoder, predictions: Predictions) -> SavedModel {
    let plan = net.parse::<Architecture>().unwrap();
    let plan = match predictions {
        Predictions::Masks(_) => plan.plan_images(&[encoder.width()]),
        _ => plan.plan(&[encoder.width()]),
    }
    .unwrap();
    let (mut params, half) = (Params::new(), Init::Constant(0.5));
    Sequential::with_init(
        &mut params,
        &plan,
        activation.parse().unwrap_or(Activation::Relu),
        half,
        half,
        &mut rng(7),
    );
    SavedModel {
        sizes: plan.architecture().to_string(),
        activation: activation.into(),
        encoder,
        predictions,
        ..SavedModel::of(&params)
    }
}

pub(super) fn names<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(String::from).to_vec()
}

fn shown(value: &ValueInfo) -> String {
    let tensor = value.kind.as_ref().unwrap().tensor.as_ref().unwrap();
    let length = |length: &schema::Dimension| {
        length.name.clone().unwrap_or_else(|| length.value.unwrap_or_default().to_string())
    };
    let lengths = Vec::from_iter(tensor.shape.as_ref().unwrap().dims.iter().map(length));
    format!("{} type {} [{}]", value.name, tensor.element, lengths.join(", "))
}

fn attribute(attribute: &schema::Attribute) -> String {
    let name = &attribute.name;
    match (attribute.kind, attribute) {
        (schema::attribute::FLOAT, schema::Attribute { f: Some(f), .. }) => format!("{name}={f}"),
        (schema::attribute::INT, schema::Attribute { i: Some(i), .. }) => format!("{name}={i}"),
        (schema::attribute::STRING, schema::Attribute { s: Some(s), .. }) => {
            format!("{name}={}", String::from_utf8_lossy(s))
        }
        (schema::attribute::INTS, schema::Attribute { ints, .. }) => format!("{name}={ints:?}"),
        (kind, _) => panic!("{name} has no value of its type {kind}"),
    }
}

#[track_caller]
fn assert_structure(model: &SavedModel, output: OnnxOutput, expected: Expect) {
    let bytes = onnx_bytes(model, output).unwrap();
    assert!(bytes == onnx_bytes(model, output).unwrap(), "the same model, other bytes");
    let read = schema::Model::decode(&bytes[..]).unwrap();
    let graph = read.graph.unwrap();
    let mut lines = vec![format!("IR {}, opset {}", read.ir_version, read.opset_import[0].version)];
    lines.extend(read.metadata_props.iter().map(|property| format!("{}: {}", property.key, property.value)));
    lines.extend(graph.input.iter().map(|value| format!("input {}", shown(value))));
    for schema::Tensor { name, dims, data_type, string_data, raw_data, .. } in &graph.initializer {
        let bytes = raw_data.as_deref().unwrap_or_default();
        let size = match *data_type {
            element::FLOAT => 4,
            element::INT64 => 8,
            _ => 1,
        };
        let numbers = (bytes.len() / size + string_data.len()) as i64;
        assert_eq!(dims.iter().product::<i64>(), numbers, "{name}");
        let values = match *data_type {
            element::FLOAT => format!(
                "{:?}",
                bytes.as_chunks().0.iter().take(3).map(|&n| f32::from_le_bytes(n)).collect::<Vec<_>>()
            ),
            element::INT64 => format!(
                "{:?}",
                bytes.as_chunks().0.iter().map(|&n| i64::from_le_bytes(n)).collect::<Vec<_>>()
            ),
            _ => format!(
                "{:?}",
                string_data.iter().map(|text| String::from_utf8_lossy(text)).collect::<Vec<_>>()
            ),
        };
        lines.push(format!("constant {name} type {data_type} {dims:?}: {values}"));
    }
    for node in &graph.node {
        let attributes = Vec::from_iter(node.attribute.iter().map(attribute));
        let line = format!(
            "{} = {}({}) {}",
            node.output.join(", "),
            node.op_type,
            node.input.join(", "),
            attributes.join(" ")
        );
        lines.push(line.trim_end().into());
    }
    lines.extend(graph.output.iter().map(|value| format!("output {}", shown(value))));
    expected.assert_eq(&(lines.join("\n") + "\n"));
}

#[test]
fn a_dense_net_is_scaling_products_and_the_class() {
    let encoder =
        Encoder::of_numbers(&names(["width", "height"]), &Preprocess::divide(10.0).unwrap()).unwrap();
    let net = model("2-3-2", "tanh", encoder, Predictions::Classes(names(["no", "yes"])));
    assert_structure(
        &net,
        OnnxOutput::Probabilities,
        expect![[r#"
        IR 8, opset 17
        architecture: 2-3-2
        activation: tanh
        features: ["width","height"]
        encoding: [{"Number":{"fill":null,"offset":0.0,"scale":10.0}}]
        classes: ["no","yes"]
        input x type 1 [N, 2]
        constant scale type 1 []: [10.0]
        constant layer1.weight type 1 [2, 3]: [0.5, 0.5, 0.5]
        constant layer1.bias type 1 [3]: [0.5, 0.5, 0.5]
        constant layer2.weight type 1 [3, 2]: [0.5, 0.5, 0.5]
        constant layer2.bias type 1 [2]: [0.5, 0.5]
        Div1 = Div(x, scale)
        Gemm2 = Gemm(Div1, layer1.weight, layer1.bias)
        Tanh3 = Tanh(Gemm2)
        Gemm4 = Gemm(Tanh3, layer2.weight, layer2.bias)
        class = ArgMax(Gemm4) axis=1 keepdims=0
        probabilities = Softmax(Gemm4) axis=1
        output probabilities type 1 [N, 2]
        output class type 7 [N]
    "#]],
    );
}

#[test]
fn a_net_of_images_takes_images() {
    let pixels = Vec::from_iter((0..16).map(|k| format!("p{k}")));
    let encoder = Encoder::of_numbers(&pixels, &Preprocess::None).unwrap();
    let classes = Predictions::Classes(names(["a", "b", "c"]));
    let net = model(
        "1x4x4-conv(2,3,padding=1)-batchnorm-relu-maxpool(2)-dropout(0.5)-flatten-3",
        "",
        encoder,
        classes,
    );
    assert_structure(
        &net,
        OnnxOutput::Logits,
        expect![[r#"
        IR 8, opset 17
        architecture: 1x4x4-conv(2,3,padding=1)-batchnorm-relu-maxpool(2)-dropout(0.5)-flatten-3
        features: ["p0","p1","p2","p3","p4","p5","p6","p7","p8","p9","p10","p11","p12","p13","p14","p15"]
        encoding: [{"Number":{"fill":null,"offset":0.0,"scale":1.0}}]
        classes: ["a","b","c"]
        input x type 1 [N, 1, 4, 4]
        constant layer1.weight type 1 [2, 1, 3, 3]: [0.5, 0.5, 0.5]
        constant layer1.bias type 1 [2]: [0.5, 0.5]
        constant layer2.weight type 1 [2]: [1.0, 1.0]
        constant layer2.bias type 1 [2]: [0.0, 0.0]
        constant layer2.running_mean type 1 [2]: [0.0, 0.0]
        constant layer2.running_var type 1 [2]: [1.0, 1.0]
        constant layer7.weight type 1 [8, 3]: [0.5, 0.5, 0.5]
        constant layer7.bias type 1 [3]: [0.5, 0.5, 0.5]
        Conv1 = Conv(x, layer1.weight, layer1.bias) strides=[1, 1] pads=[1, 1, 1, 1] dilations=[1, 1] group=1 kernel_shape=[3, 3]
        BatchNormalization2 = BatchNormalization(Conv1, layer2.weight, layer2.bias, layer2.running_mean, layer2.running_var) epsilon=0.00001
        Relu3 = Relu(BatchNormalization2)
        MaxPool4 = MaxPool(Relu3) kernel_shape=[2, 2] strides=[2, 2] pads=[0, 0, 0, 0]
        Flatten5 = Flatten(MaxPool4)
        logits = Gemm(Flatten5, layer7.weight, layer7.bias)
        class = ArgMax(logits) axis=1 keepdims=0
        output logits type 1 [N, 3]
        output class type 7 [N]
    "#]],
    );
}

/// A table with a number, a code and a text, and a column of the name of an output.
fn mixed() -> Encoder {
    let column = |name: &str, encoding| EncodedColumn { name: name.into(), encoding };
    let one_hot = |categories: &[&str], fill| Encoding::OneHot {
        categories: categories.iter().map(|&c| c.into()).collect(),
        fill,
    };
    Encoder {
        columns: vec![
            column("age", Encoding::Number { fill: Some(30.0), offset: 40.1, scale: 2.0 }),
            column("prediction", one_hot(&["1", "2"], None)),
            column("color", one_hot(&["red", "blue"], Some(1))),
        ],
    }
}

#[test]
fn categories_are_comparisons_and_a_regression_ends_in_its_units() {
    let number = Predictions::Number { name: "price".into(), offset: 7.5, scale: 0.5 };
    let net = model("5-1", "relu", mixed(), number);
    assert_structure(
        &net,
        OnnxOutput::Logits,
        expect![[r#"
        IR 9, opset 19
        architecture: 5-1
        activation: relu
        features: ["age","prediction","color"]
        encoding: [{"Number":{"fill":30.0,"offset":40.1,"scale":2.0}},{"OneHot":{"categories":["1","2"],"fill":null}},{"OneHot":{"categories":["red","blue"],"fill":1}}]
        target: price
        target_scaling: [7.5,0.5]
        input age type 1 [N, 1]
        input prediction type 1 [N, 1]
        input color type 8 [N, 1]
        constant fill type 1 []: [30.0]
        constant offset type 1 []: [40.1]
        constant offset_rest type 1 []: [1.5258789e-6]
        constant scale type 1 []: [2.0]
        constant categories type 1 [1, 2]: [1.0, 2.0]
        constant missing type 8 []: [""]
        constant fill_ type 8 []: ["blue"]
        constant categories_ type 8 [1, 2]: ["red", "blue"]
        constant layer1.weight type 1 [5, 1]: [0.5, 0.5, 0.5]
        constant layer1.bias type 1 [1]: [0.5]
        constant number type 1 []: [0.5]
        constant number_ type 1 []: [7.5]
        IsNaN1 = IsNaN(age)
        Where2 = Where(IsNaN1, fill, age)
        Sub3 = Sub(Where2, offset)
        Sub4 = Sub(Sub3, offset_rest)
        Div5 = Div(Sub4, scale)
        Equal6 = Equal(prediction, categories)
        Cast7 = Cast(Equal6) to=1
        Equal8 = Equal(color, missing)
        Where9 = Where(Equal8, fill_, color)
        Equal10 = Equal(Where9, categories_)
        Cast11 = Cast(Equal10) to=1
        Concat12 = Concat(Div5, Cast7, Cast11) axis=1
        Gemm13 = Gemm(Concat12, layer1.weight, layer1.bias)
        Mul14 = Mul(Gemm13, number)
        prediction_ = Add(Mul14, number_)
        output prediction_ type 1 [N, 1]
    "#]],
    );
    let error = onnx_bytes(&net, OnnxOutput::Probabilities).unwrap_err();
    assert!(matches!(error, OnnxError::NoProbabilities { .. }), "{error}");
    expect![[r#"the net predicts the number "price", which has no probabilities | leave them out"#]]
        .assert_eq(&error.to_string());
}

#[test]
fn what_has_no_operator_is_refused_by_its_column() {
    let with = |encoding| {
        let encoder = Encoder { columns: vec![EncodedColumn { name: "born".into(), encoding }] };
        let net = model("1-2", "relu", encoder, Predictions::Classes(names(["no", "yes"])));
        onnx_bytes(&net, OnnxOutput::Logits).unwrap_err()
    };
    let date = with(Encoding::Date { fill: None, offset: 0.0, scale: 1.0 });
    assert!(matches!(&date, OnnxError::Date { column } if column == "born"), "{date}");
    expect![[r#"column "born": its dates are read from text, for which ONNX has no operator | train with the date as a number of days"#]].assert_eq(&date.to_string());
    let too_small = with(Encoding::Number { fill: None, offset: 0.0, scale: 1e-310 });
    expect![[r#"column "born": expected an offset and a scale within the range of float32, found 0.0 and 1e-310 | train with the column in another unit"#]].assert_eq(&too_small.to_string());
    for (offset, scale) in [(0.0, 1e-310), (0.0, 1e300), (1e300, 1.0)] {
        let error = with(Encoding::Number { fill: None, offset, scale });
        assert!(matches!(&error, OnnxError::Scaling { column, .. } if column == "born"), "{error}");
    }
    let of_ones_own = SavedModel::of(&Params::new());
    let error = onnx_bytes(&of_ones_own, OnnxOutput::Logits).unwrap_err();
    assert!(matches!(error, OnnxError::Model(LoadError::NoSizes)), "{error}");
}
