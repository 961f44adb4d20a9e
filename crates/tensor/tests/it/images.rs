//! What the operations of images say to shapes that do not fit: every message stands in images.txt.

use expect_test::expect_file;
use surprisal_tensor::ndarray::{ArrayD, IxDyn};
use surprisal_tensor::ops::convolution::{Conv2d, ConvTranspose2d};
use surprisal_tensor::ops::pooling::{AvgPool2d, MaxPool2d};
use surprisal_tensor::ops::resample::{Border, Interpolation, Pad2d, Resize};
use surprisal_tensor::{Op, Params, Workspace};

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
        // the lines of this file are no part of it
        let message =
            error.lines().map(|line| format!("    {}\n", line.split(", recorded at").next().unwrap_or(line)));
        self.0 += &format!("{case}\n{}\n", String::from_iter(message));
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
    m.add(Pad2d { pad: [usize::MAX, 1, 0, 0], mode: Border::Constant(0.0) }, &[x]);
    m.add(Pad2d { pad: [0; 4], mode: Border::Reflect }, &[&[5, 6]]);
    expect_file!["images.txt"].assert_eq(&m.0);
}
