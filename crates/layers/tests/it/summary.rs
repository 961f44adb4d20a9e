//! The printed summary of a model, whole.

use surprisal_layers::*;
use surprisal_tensor::ndarray::array;
use surprisal_tensor::{Params, Scalar, Var};

#[track_caller]
fn prints<T: Scalar>(params: &Params<T>, model: &impl Layer, input: &[usize], expected: &str) {
    let text = summary(params, model, input).to_string();
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn every_kind_of_layer_has_its_line() {
    let (mut params, mut rng) = (Params::new(), rng(0));
    let model = (
        (Embedding::new(&mut params, "word", 1000, 16, &mut rng), Flatten),
        vec![Linear::new(&mut params, "first", 48, 32, &mut rng)],
        BatchNorm1d::new(&mut params, "batch", 32),
        (
            Relu,
            LeakyRelu { slope: 0.1 },
            Elu { alpha: 1.0 },
            Silu,
            Gelu,
            Softplus,
            (Sigmoid, Tanh),
            LogSigmoid,
        ),
        &Dropout::new(0.25),
        Residual((
            LayerNorm::new(&mut params, "row", 32),
            Linear::new(&mut params, "inside", 32, 32, &mut rng),
        )),
        Mlp::new(&mut params, &"32-16-10".parse().unwrap(), Activation::Gelu, &mut rng),
        (Softmax, LogSoftmax),
    );
    prints(
        &params,
        &model,
        &[5, 3],
        "\
layer   kind                      output      parameters  trainable  buffers
input                             [5, 3]
word    Embedding                 [5, 3, 16]      16,000     16,000        0
        Flatten                   [5, 48]              0          0        0
first   Linear                    [5, 32]          1,568      1,568        0
batch   BatchNorm1d               [5, 32]             64         64       64
        Relu                      [5, 32]              0          0        0
        LeakyRelu { slope: 0.1 }  [5, 32]              0          0        0
        Elu { alpha: 1.0 }        [5, 32]              0          0        0
        Silu                      [5, 32]              0          0        0
        Gelu                      [5, 32]              0          0        0
        Softplus                  [5, 32]              0          0        0
        Sigmoid                   [5, 32]              0          0        0
        Tanh                      [5, 32]              0          0        0
        LogSigmoid                [5, 32]              0          0        0
        Dropout { p: 0.25 }       [5, 32]              0          0        0
row     LayerNorm                 [5, 32]             64         64        0
inside  Linear                    [5, 32]          1,056      1,056        0
        Residual                  [5, 32]              0          0        0
layer1  Linear                    [5, 16]            528        528        0
        Gelu                      [5, 16]              0          0        0
layer2  Linear                    [5, 10]            170        170        0
        Softmax                   [5, 10]              0          0        0
        LogSoftmax                [5, 10]              0          0        0
total                                             19,450     19,450       64
",
    );
}

#[test]
fn frozen_shared_and_unused_parameters_are_reported_apart() {
    struct Bare(Linear);
    impl Layer for Bare {
        fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
            self.0.forward(x)
        }
    }
    let (mut params, mut rng) = (Params::<f64>::default(), rng(0));
    let twice = Linear::new(&mut params, "twice", 3, 3, &mut rng);
    let model = (twice, Tanh, twice, Bare(Linear::new(&mut params, "bare", 3, 2, &mut rng)));
    params.add("unused", &array![1.0]);
    params.freeze(twice.weight);
    prints(
        &params,
        &model,
        &[1, 3],
        "\
layer   kind             output  parameters  trainable
input                    [1, 3]
twice   Linear           [1, 3]          12          3
        Tanh             [1, 3]           0          0
twice   Linear (shared)  [1, 3]           0          0
bare    Linear           [1, 2]           8          8
unused  not used                          1          1
total                                    21         12
",
    );
    let summary = summary(&params, &model, [1, 3]);
    assert_eq!((summary.parameters(), summary.trainable(), summary.rows().len()), (21, 12, 5));
    assert_eq!(summary.parameters(), params.as_slice().len());
    assert_eq!(summary.rows()[0].name, "twice");
}

#[test]
fn a_model_without_parameters_has_a_summary_too() {
    prints(
        &Params::new(),
        &Vec::<Relu>::new(),
        &[],
        "\
layer  kind  output  parameters  trainable
input        []
total                         0          0
",
    );
}
