//! Nets written as text: they come back as they were written, their shapes are those of their layers, and what is wrong has a message.

use expect_test::expect_file;
use surprisal_layers::{Activation, Architecture, Init, Layer, Mlp, Sequential, rng};
use surprisal_tensor::ndarray::Array2;
use surprisal_tensor::{Params, Workspace};

fn build(net: &str, input: &[usize]) -> (Sequential, Params) {
    let plan = net.parse::<Architecture>().unwrap().plan(input).unwrap();
    let mut params = Params::new();
    let model =
        Sequential::with_init(&mut params, &plan, Activation::Tanh, Init::Linear, Init::Zeros, &mut rng(3));
    assert_eq!(plan.parameters(), params.as_slice().len(), "{net}");
    let rows = Array2::<f32>::from_shape_fn((3, input.iter().product()), |(row, k)| ((row + k) % 5) as f32);
    let y = Workspace::new().eval(&params, |tape| model.forward(tape.input(&rows)));
    assert_eq!(y.shape(), [3, plan.outputs()], "{net}");
    // what was inferred is written down, and means the same without the input
    let written = plan.architecture().to_string();
    let again = written.parse::<Architecture>().unwrap();
    assert_eq!(&again, plan.architecture());
    assert_eq!(again.plan(&[input.iter().product()]).unwrap().architecture(), plan.architecture());
    (model, params)
}

/// With whole kernels and pairs, every option and every activation.
#[test]
fn the_shapes_and_numbers_that_are_inferred_are_those_of_the_layers() {
    let image = &[2, 9, 8][..];
    for (net, input) in [
        ("conv(4,3)-relu-maxpool(2)-10", image),
        ("conv(4,3x2,stride=2x1,padding=1x2,dilation=2,groups=2,bias=false)-7", image),
        ("convt(4,2x3,stride=3x2,padding=1,dilation=2x1,groups=2,output_padding=2x1)-7", image),
        ("maxpool(3,stride=2,padding=1)-avgpool(2x3,1)-5", image),
        (
            "conv(6,3)-batchnorm-silu-upsample(2x1,bilinear)-groupnorm(3)-dropout2d(0.25)-globalavgpool-flatten-dropout(0.5)-3",
            image,
        ),
        ("upsample(2)-dropout(0.5)-flatten-4", image),
        ("2x1x5-globalavgpool-3", &[10]),
        ("6-relu-dropout(0.5)-batchnorm-groupnorm(2)-3", &[4]),
        ("4-6-3", &[4]),
    ] {
        build(net, input);
    }
    for activation in Activation::ALL {
        build(&format!("conv(2,3)-{activation}-3"), image);
    }
}

#[test]
fn a_net_is_written_as_short_as_it_can_be() {
    for (text, written) in [
        (" 4 - 8 - 3 ", "4-8-3"),
        ("conv( 16 , 5x5 )-RELU".to_lowercase().as_str(), "conv(16,5)-relu"),
        ("conv(kernel=3x5,out=4,padding=0,bias=true)", "conv(4,3x5)"),
        ("conv(4,3,2,1)", "conv(4,3,stride=2,padding=1)"),
        ("maxpool(2,2)-avgpool(3,stride=1)", "maxpool(2)-avgpool(3,stride=1)"),
        ("upsample(2,mode=nearest)-upsample(2,mode=bilinear)", "upsample(2)-upsample(2,bilinear)"),
        ("dropout(5e-1)-batchnorm()", "dropout(0.5)-batchnorm"),
        ("3x32x32-conv(1,1)", "3x32x32-conv(1,1)"),
    ] {
        let net: Architecture = text.parse().unwrap();
        assert_eq!(net.to_string(), written);
        assert_eq!(written.parse(), Ok(net));
    }
}

#[test]
fn a_dense_net_is_a_multilayer_perceptron_to_the_bit() {
    let (model, params) = build("6-5-4-3", &[6]);
    let mut of_mlp = Params::new();
    let mlp = Mlp::with_init(
        &mut of_mlp,
        &"6-5-4-3".parse().unwrap(),
        Activation::Tanh,
        Init::Linear,
        Init::Zeros,
        &mut rng(3),
    );
    assert_eq!(params.as_slice(), of_mlp.as_slice());
    let names = |params: &Params| Vec::from_iter(params.entries().iter().map(|entry| entry.name.clone()));
    assert_eq!(names(&params), names(&of_mlp));
    let x = Array2::<f32>::from_shape_fn((4, 6), |(row, k)| (row as f32 - k as f32) / 3.0);
    let mut workspace = Workspace::new();
    assert_eq!(
        workspace.eval(&params, |tape| model.forward(tape.input(&x))),
        workspace.eval(&of_mlp, |tape| mlp.forward(tape.input(&x)))
    );
}

/// messages.txt has every message.
#[test]
fn what_is_wrong_with_a_net_is_told_with_the_part_and_what_arrives() {
    let mut text = String::from("# text that is not a net\n\n");
    for net in [
        "",
        "10",
        "64--10",
        "64-0-10",
        "maxpol(2)-10",
        "conv(8,3)-Relu-10",
        "conv(8,3)--10",
        "conv(8,3)-relu-",
        "conv(8,3)-0",
        "conv(8,3)-1.5",
        "conv(8,3)-10x",
        "conv",
        "conv(8)",
        "conv(8,0)",
        "conv(8,3x)",
        "conv(8,3,strid=2)",
        "conv(8,3,stride=2,2)",
        "conv(8,3,stride=2,stride=3)",
        "conv(8,3,bias=no)",
        "conv(8,3,1,0,1,1,true,9)",
        "conv(8,3",
        "conv(8,3)x-10",
        "upsample(2,cubic)",
        "dropout(1)",
        "groupnorm(0)",
        "relu(0.1)",
        "flatten(1)",
        "unet",
        "unet:levels=3",
        "unet:levels=11,width=8",
        "unet:levels=3,width=8,norm=layer",
        "1x28-conv(8,3)",
        "1x0x28-conv(8,3)",
        "1x28x28",
    ] {
        let error = net.parse::<Architecture>().unwrap_err();
        text += &format!("{net:?}\n    {error}\n");
    }
    text += "\n# nets that do not fit their input\n\n";
    for (net, input) in [
        ("4-3", &[5][..]),
        ("1x4x4-conv(8,3)-2", &[15]),
        ("conv(8,3)-10", &[64]),
        ("5-relu-maxpool(2)-3", &[1, 8, 8]),
        ("conv(8,9)-10", &[1, 8, 8]),
        ("conv(8,5,padding=1,dilation=3)-10", &[1, 8, 8]),
        ("conv(8,3)-relu-maxpool(2)-maxpool(4)-10", &[1, 8, 8]),
        ("maxpool(2,padding=2)-10", &[1, 8, 8]),
        ("conv(8,3,groups=3)-10", &[3, 8, 8]),
        ("conv(8,3)-groupnorm(3)-10", &[1, 8, 8]),
        ("convt(2,2,padding=8)-10", &[1, 2, 2]),
        ("convt(2,2,output_padding=1)-10", &[1, 2, 2]),
        ("conv(1,1,stride=9999,padding=99999)-10", &[1, 8, 8]),
        ("upsample(9007199254740992)-10", &[1, 8, 8]),
        ("conv(10,3)-relu", &[1, 8, 8]),
        ("unet(3,8,out=1)-10", &[1, 30, 32]),
        ("unet(3,6,norm=group,out=1)-10", &[1, 32, 32]),
        ("unet(3,8)-10", &[1, 32, 32]),
        ("unet(3,8,out=1)-10", &[64]),
    ] {
        let error = net.parse::<Architecture>().unwrap().plan(input).unwrap_err();
        text += &format!("{net} on {input:?}\n    {error}\n");
    }
    expect_file!["messages.txt"].assert_eq(&text);
}
