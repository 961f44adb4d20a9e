//! What the operations of images say to shapes that do not fit: every message stands in images.txt.

use crate::panics::{message, without_places};
use expect_test::{expect, expect_file};
use surprisal_tensor::ndarray::{ArrayD, IxDyn};
use surprisal_tensor::ops::convolution::{Conv2d, ConvTranspose2d};
use surprisal_tensor::ops::pooling::{AvgPool2d, MaxPool2d};
use surprisal_tensor::ops::resample::{Border, Interpolation, Pad2d, Resize};
use surprisal_tensor::ops::sequences::{AvgPool1d, Conv1d, MaxPool1d};
use surprisal_tensor::{Op, Params, Shape, Var, Workspace};

/// Sequences are images of height 1: the same numbers and gradients, and the shapes of PyTorch's layers.
#[test]
fn operations_of_sequences_are_those_of_images_of_height_1() {
    let params = Params::<f64>::default();
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let numbers = |shape: &[usize], salt: f64| {
        let shape = Shape::try_new(shape).unwrap();
        tape.input_with(shape, |i| ((i as f64 + salt) * 1.7).sin()).requires_grad()
    };
    let same = |sequences: Var, images: Var, inputs: &[Var], length: usize| {
        let [n, c, l] = *sequences.shape().dims() else { panic!("{}", sequences.shape()) };
        assert_eq!(l, length);
        assert_eq!(images.shape().dims(), [n, c, 1, l]);
        assert_eq!(sequences.value().as_slice(), images.value().as_slice());
        let gradients = |y: Var| {
            y.square().sum().backward();
            Vec::from_iter(inputs.iter().map(|x| x.grad().unwrap()))
        };
        assert_eq!(gradients(sequences), gradients(images));
    };
    // torch.nn.Conv1d(4, 6, K, stride, padding, dilation, groups=2)(torch.zeros(3, 4, 11)).shape[-1]
    for ([kernel, stride, padding, dilation], length) in [
        ([3, 1, 0, 1], 9),
        ([3, 2, 1, 1], 6),
        ([5, 1, 2, 1], 11),
        ([3, 2, 2, 3], 5),
        ([1, 4, 0, 1], 3),
        ([4, 3, 1, 2], 3),
    ] {
        let (x, w, b) = (numbers(&[3, 4, 11], 0.0), numbers(&[6, 2, kernel], 0.3), numbers(&[6], 0.6));
        let y = x.conv1d(w, b, Conv1d { stride, padding, dilation, groups: 2 });
        let conv = Conv2d { stride: [1, stride], padding: [0, padding], dilation: [1, dilation], groups: 2 };
        same(y, x.unsqueeze(2).conv2d(w.unsqueeze(2), b, conv), &[x, w, b], length);
    }
    // torch.nn.MaxPool1d(K, stride, padding)(torch.zeros(3, 4, 11)).shape[-1]
    for ([kernel, stride, padding], length) in
        [([2, 2, 0], 5), ([3, 2, 1], 6), ([3, 1, 1], 11), ([11, 11, 0], 1)]
    {
        let x = numbers(&[3, 4, 11], 0.0);
        let images = MaxPool2d { kernel: [1, kernel], stride: [1, stride], padding: [0, padding] };
        same(
            x.max_pool1d(MaxPool1d { kernel, stride, padding }),
            x.unsqueeze(2).max_pool2d(images),
            &[x],
            length,
        );
        for count_include_pad in [true, false] {
            let MaxPool2d { kernel: sides, stride: steps, padding: border } = images;
            let images = AvgPool2d { kernel: sides, stride: steps, padding: border, count_include_pad };
            let y = x.avg_pool1d(AvgPool1d { kernel, stride, padding, count_include_pad });
            same(y, x.unsqueeze(2).avg_pool2d(images), &[x], length);
        }
    }
    let (x, w) = (numbers(&[3, 4, 11], 0.0), numbers(&[6, 4, 3], 0.3));
    let messages = [
        message(|| x.reshape([12, 11]).conv1d(w, None, Conv1d::default())),
        message(|| x.conv1d(w.reshape([6, 12]), None, Conv1d::default())),
        message(|| x.max_pool1d(MaxPool1d::new(12))),
    ];
    expect![[r#"
        conv1d: [12, 11] is not a batch of sequences [N, C, L]
          hint: reshape(..) gives it three axes; one sequence is x.unsqueeze(0)
        conv1d: [6, 12] is not a weight [O, C / groups, K]
          hint: reshape(..) gives it three axes; one sequence is x.unsqueeze(0)
        max_pool2d: a window of 1x12 does not fit into an image of 1x11 with padding [0, 0]
          input:  unsqueeze [3, 4, 1, 11]
          hint: use a smaller window, or fewer poolings before"#]]
    .assert_eq(&messages.join("\n"));
}

/// The messages of one operation, each below the shapes that it was given.
struct Messages(String);

impl Messages {
    #[track_caller]
    fn add(&mut self, op: impl Op + std::fmt::Debug, shapes: &[&[usize]]) {
        let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
        let tape = workspace.tape(&params);
        let names = ["x", "weight", "bias"];
        let inputs = shapes
            .iter()
            .zip(names)
            .map(|(shape, name)| tape.input(&ArrayD::<f64>::zeros(IxDyn(shape))).named(name));
        let inputs = Vec::from_iter(inputs);
        let case = format!("{op:?}, {shapes:?}");
        let error = tape.try_apply(op, &inputs).expect_err(&case).to_string();
        self.0 += &format!("{case}\n    {}\n\n", without_places(&error).replace('\n', "\n    "));
    }
}

#[test]
fn messages() {
    let mut m = Messages(String::new());
    let (x, w) = (&[2, 4, 5, 6][..], &[8, 4, 3, 3][..]);
    let conv = Conv2d::default();
    m.add(conv, &[&[2, 4, 2, 2], w]);
    m.add(Conv2d { padding: [1, 0], dilation: [3, 3], ..conv }, &[x, w]);
    m.add(Conv2d { groups: 3, ..conv }, &[x, w]);
    m.add(Conv2d { groups: 2, ..conv }, &[x, w]);
    m.add(Conv2d { groups: 0, ..conv }, &[x, w]);
    m.add(conv, &[x, &[8, 3, 3, 3]]);
    m.add(conv, &[x, w, &[4]]);
    m.add(conv, &[x, w, &[8, 1]]);
    m.add(Conv2d { stride: [1, 0], ..conv }, &[x, w]);
    m.add(Conv2d { dilation: [0, 1], ..conv }, &[x, w]);
    m.add(conv, &[&[4, 5, 6], w]);
    m.add(conv, &[x, &[4, 3, 3]]);
    m.add(conv, &[x, &[8, 4, 0, 3]]);
    m.add(Conv2d { padding: [usize::MAX, 0], ..conv }, &[x, w]);
    let (conv, w) = (ConvTranspose2d::default(), &[4, 8, 3, 3][..]);
    m.add(conv, &[x, &[8, 4, 3, 3]]);
    m.add(ConvTranspose2d { groups: 3, ..conv }, &[x, w]);
    m.add(conv, &[x, w, &[4]]);
    m.add(ConvTranspose2d { stride: [0, 1], ..conv }, &[x, w]);
    m.add(ConvTranspose2d { stride: [2, 2], output_padding: [2, 1], ..conv }, &[x, w]);
    m.add(ConvTranspose2d { padding: [4, 1], ..conv }, &[x, w]);
    m.add(ConvTranspose2d { stride: [usize::MAX, 1], ..conv }, &[x, w]);
    m.add(conv, &[x, &[4, 8, 3, 0]]);
    m.add(conv, &[x, &[4, 8]]);
    let pool = MaxPool2d::new([2, 2]);
    m.add(MaxPool2d::new([6, 2]), &[x]);
    m.add(MaxPool2d { stride: [2, 0], ..pool }, &[x]);
    m.add(MaxPool2d::new([0, 2]), &[x]);
    m.add(MaxPool2d { padding: [1, 2], ..pool }, &[x]);
    m.add(MaxPool2d { padding: [usize::MAX / 2; 2], ..MaxPool2d::new([usize::MAX; 2]) }, &[x]);
    m.add(pool, &[&[5, 6]]);
    m.add(AvgPool2d::new([2, 7]), &[x]);
    m.add(Resize { size: [0, 4], mode: Interpolation::Nearest }, &[x]);
    m.add(Resize { size: [4, 4], mode: Interpolation::Bilinear }, &[&[2, 4, 0, 6]]);
    m.add(Resize { size: [4, 4], mode: Interpolation::Area }, &[&[4, 5, 6]]);
    m.add(Resize { size: [1 << 40, 1 << 40], mode: Interpolation::Area }, &[x]);
    m.add(Pad2d { pad: [6, 0, 0, 0], mode: Border::Reflect }, &[x]);
    m.add(Pad2d { pad: [0, 0, 0, 5], mode: Border::Reflect }, &[x]);
    m.add(Pad2d { pad: [1, 0, 0, 0], mode: Border::Replicate }, &[&[2, 4, 5, 0]]);
    m.add(Pad2d { pad: [0, 0, 2, 0], mode: Border::Reflect }, &[&[2, 4, 0, 6]]);
    m.add(Pad2d { pad: [usize::MAX, 1, 0, 0], mode: Border::Constant(0.0) }, &[x]);
    m.add(Pad2d { pad: [usize::MAX, 1, 0, 0], mode: Border::Replicate }, &[x]);
    m.add(Pad2d { pad: [0; 4], mode: Border::Reflect }, &[&[5, 6]]);
    expect_file!["images.txt"].assert_eq(&m.0);
}
