//! The U-Net: what it computes, its parameters in every form, and images that do not fit.

use surprisal_layers::*;
use surprisal_tensor::ndarray::Array4;
use surprisal_tensor::ops::convolution;
use surprisal_tensor::{Params, Shape, Var, Workspace, concat};

/// Two levels, written out: the order of the skip connection and of the up path, and names of the parameters.
#[test]
fn equals_its_formula_in_plain_operations() {
    let mut params = Params::<f64>::default();
    let options = UNetOptions { levels: 2, width: 3, ..UNetOptions::default() };
    let net = UNet::new(&mut params, "net", [2, 1], options, &mut rng(5));
    let images = Array4::from_shape_fn((2, 2, 4, 6), |(n, c, y, x)| {
        ((48 * n + 24 * c + 6 * y + x) as f64 * 1.7).sin()
    });
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let param = |name: String| {
        tape.param(params.find(&name).unwrap_or_else(|| panic!("no parameter is named {name}")))
    };
    let weight = |name: &str| param(format!("net.{name}.weight"));
    let bias = |name: &str| param(format!("net.{name}.bias"));
    let same = convolution::Conv2d { padding: [1, 1], ..Default::default() };
    fn relu<'t>(x: Var<'t>) -> Var<'t> {
        x.relu()
    }
    let conv = |x, name| relu(Var::conv2d(x, weight(name), bias(name), same));
    let x = tape.input(&images);
    let d1 = conv(conv(x, "down1.conv1"), "down1.conv2");
    let d2 = conv(conv(d1.max_pool2d(MaxPool2d::new([2, 2])), "down2.conv1"), "down2.conv2");
    let twice = convolution::ConvTranspose2d { stride: [2, 2], ..Default::default() };
    let up = d2.conv_transpose2d(weight("up1.up"), bias("up1.up"), twice);
    let u1 = conv(conv(concat(&[d1, up], 1), "up1.conv1"), "up1.conv2");
    let expected = u1.conv2d(weight("out"), bias("out"), Default::default()).value();
    let found = net.forward(x).value();
    assert_eq!(found.shape(), [2, 1, 4, 6]);
    let difference = (found - expected).iter().fold(0.0, |most: f64, d| most.max(d.abs()));
    assert!(difference < 1e-14, "{difference:e}");
}

/// The plan of a net as text has the numbers and the shapes of its layer, in every form.
#[test]
fn every_form_has_the_parameters_that_its_text_says() {
    for (text, written) in [
        ("unet:levels=3,width=8", "2x16x8-unet(3,8,out=3)"),
        ("unet(1,4)", "2x16x8-unet(1,4,out=3)"),
        ("unet:levels=2,width=4,norm=batch", "2x16x8-unet(2,4,norm=batch,out=3)"),
        ("unet(3,4,norm=group,groups=2,up=nearest)", "2x16x8-unet(3,4,norm=group,groups=2,up=nearest,out=3)"),
        ("unet(3,8,group,up=bilinear,out=3)", "2x16x8-unet(3,8,norm=group,up=bilinear,out=3)"),
        ("unet(2,4,out=6)-relu-conv(3,1)", "2x16x8-unet(2,4,out=6)-relu-conv(3,1)"),
    ] {
        let plan = text.parse::<Architecture>().unwrap().with_outputs(3).plan_images(&[2, 16, 8]).unwrap();
        assert_eq!(plan.architecture().to_string(), written);
        assert_eq!(written.parse(), Ok(plan.architecture().clone()));
        let mut params = Params::new();
        let init = Init::Linear;
        let model = Sequential::with_init(&mut params, &plan, Activation::Relu, init, init, &mut rng(3));
        assert_eq!((plan.outputs(), plan.parameters()), (3, params.as_slice().len()), "{text}");
        let rows = Array4::<f32>::from_shape_fn((2, 2, 16, 8), |(n, _, y, x)| ((n + y + x) % 3) as f32);
        let y = Workspace::new().eval(&params, |tape| model.forward(tape.input(&rows)));
        assert_eq!(y.shape(), [2, 3, 16, 8]);
        let summary = summary(&params, &model, [1, 2, 16, 8]);
        let buffers: usize = summary.rows().iter().map(|row| row.buffers).sum();
        assert_eq!(summary.parameters() + buffers, params.as_slice().len());
    }
}

#[test]
fn images_that_do_not_fit_a_skip_connection_are_refused_with_both_sizes() {
    for (levels, size, problem, advice) in [
        (
            3,
            [30, 32],
            "at level 2, an image of 15x16 comes back as 14x16",
            "multiples of 4, such as 28x32 or 32x32",
        ),
        (2, [5, 7], "at level 1, an image of 5x7 comes back as 4x6", "multiples of 2, such as 4x6 or 6x8"),
        (4, [4, 64], "at level 3, an image of 1x16 comes back as 0x16", "multiples of 8, such as 8x64, or"),
    ] {
        let options = UNetOptions { levels, ..UNetOptions::default() };
        let (found, todo) = options.check(size).unwrap_err();
        assert!(found.starts_with(problem), "{found}");
        assert!(todo.contains(advice), "{todo}");
        let mut params = Params::<f32>::new();
        let net = UNet::new(&mut params, "unet", [1, 1], options, &mut rng(5));
        let mut workspace = Workspace::new();
        let tape = workspace.no_grad(&params);
        let images = tape.input_with(Shape::from([1, 1, size[0], size[1]]), |_| 0.0);
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            net.forward(images);
        }))
        .unwrap_err();
        let message = panic.downcast_ref::<String>().unwrap();
        assert_eq!(message, &format!("unet: [1, 1, {}, {}] arrives: {found}: {todo}", size[0], size[1]));
    }
    for levels in 1..=5 {
        assert!(UNetOptions { levels, ..UNetOptions::default() }.check([16, 48]).is_ok());
    }
}
