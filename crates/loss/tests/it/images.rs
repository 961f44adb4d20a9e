//! Losses of classes on images and the like, `[N, classes, d1, ..]`: against definitions in plain operations along axis 1.

use surprisal_loss::{
    BinaryCrossEntropyWithLogits, CeDiceLoss, DiceLoss, DicePer, MultiMarginLoss, NllLoss, Reduction,
    SoftmaxCrossEntropy, SoftmaxFocalLoss, TopkCrossEntropy, nll_loss, softmax_cross_entropy,
};
use surprisal_tensor::ndarray::{Array, Array3, ArrayD, IxDyn, array};
use surprisal_tensor::{Params, Tape, Var, Workspace, check_gradient};

const CLASSES: usize = 3;
const SHAPES: [&[usize]; 4] = [&[2, 3, 2], &[2, 3, 2, 2], &[1, 3, 2, 1, 2], &[3, 3, 1]];

fn logits(shape: &[usize]) -> ArrayD<f64> {
    let mut i = 0.0f64;
    Array::from_shape_simple_fn(IxDyn(shape), || {
        i += 1.9;
        i.sin() * 2.0
    })
}

/// One for each of `[N, d1, ..]`, by rows; every class is there.
fn labels(shape: &[usize]) -> Vec<usize> {
    (0..shape.iter().product::<usize>() / CLASSES).map(|i| i * 5 % 7 % CLASSES).collect()
}

/// 1 at the class that it is, in the shape of the logits.
fn one_hot<'t>(tape: &'t Tape<'t>, shape: &[usize]) -> Var<'t> {
    let (labels, inner) = (labels(shape), shape[2..].iter().product::<usize>());
    tape.input_with(shape, |k| {
        let (n, class, place) = (k / inner / CLASSES, k / inner % CLASSES, k % inner);
        f64::from(labels[n * inner + place] == class)
    })
}

/// The fused loss, and its difference from single losses in plain operations, where a wrong gradient shows.
fn equal<'t>(fused: Var<'t>, each: Var<'t>, reduction: Reduction) -> Var<'t> {
    let plain = match reduction {
        Reduction::Mean => each.mean(),
        Reduction::Sum => each.sum(),
        Reduction::None => each,
    };
    assert_eq!(fused.shape(), plain.shape());
    let difference = fused - plain;
    assert!(difference.value().iter().all(|d| d.abs() < 1e-12));
    fused + difference * 1e3
}

#[test]
fn equal_their_definitions_along_the_axis_of_classes() {
    for shape in SHAPES {
        for reduction in [Reduction::Mean, Reduction::Sum, Reduction::None] {
            let (x, y) = ([logits(shape)], labels(shape));
            check_gradient(&x, |tape, z| {
                let each = -(one_hot(tape, shape) * z[0].log_softmax(1)).sum_axis(1);
                let loss = SoftmaxCrossEntropy { reduction, ..Default::default() };
                equal(loss.loss(z[0], &y), each, reduction)
            });
            check_gradient(&x, |tape, z| {
                let target = one_hot(tape, shape) * 0.75 + 0.1;
                let each = -(target * z[0].log_softmax(1)).sum_axis(1);
                let loss = SoftmaxCrossEntropy { reduction, ..Default::default() };
                equal(loss.loss(z[0], target), each, reduction)
            });
            check_gradient(&x, |tape, q| {
                let each = -(one_hot(tape, shape) * q[0]).sum_axis(1);
                equal(NllLoss { reduction, ..Default::default() }.loss(q[0], &y), each, reduction)
            });
            check_gradient(&x, |tape, z| {
                let p = (one_hot(tape, shape) * z[0].softmax(1)).sum_axis(1);
                let each = -((1.0 - p).square() * p.ln());
                equal(SoftmaxFocalLoss { reduction, ..Default::default() }.loss(z[0], &y), each, reduction)
            });
            check_gradient(&x, |tape, z| {
                let each = -(one_hot(tape, shape) * z[0].log_softmax(1)).sum_axis(1);
                equal(TopkCrossEntropy { reduction, k: y.len() }.loss(z[0], &y), each, reduction)
            });
            check_gradient(&x, |tape, x| {
                let own = one_hot(tape, shape);
                let lack = (x[0] - (own * x[0]).sum_axis(1).unsqueeze(1) + 1.0).relu();
                let each = ((1.0 - own) * lack).sum_axis(1) / CLASSES as f64;
                equal(MultiMarginLoss { reduction, ..Default::default() }.loss(x[0], &y), each, reduction)
            });
        }
    }
}

#[test]
fn a_class_is_a_set_of_pixels() {
    let shape = SHAPES[1];
    for a in [0.0, 0.5] {
        check_gradient(&[logits(shape)], |tape, z| {
            let (t, p) = (one_hot(tape, shape), z[0].softmax(1));
            let per_class = |x| Var::sum_axes(x, &[0, 2, 3]);
            let dice = (2.0 * per_class(p * t) + 1.0) / (per_class(p) + per_class(t) + 1.0);
            let cross_entropy = -(t * z[0].log_softmax(1)).sum_axis(1).mean();
            let plain = a * cross_entropy + (1.0 - a) * (1.0 - dice.mean());
            let loss = CeDiceLoss { a, ..Default::default() }.loss(z[0], &labels(shape));
            equal(loss, plain, Reduction::None)
        });
    }
}

/// Masks as an array, in any layout, are the labels by rows.
#[test]
fn masks_are_labels() {
    let shape = SHAPES[1];
    let masks = Array::from_shape_vec((2, 2, 2), labels(shape)).unwrap().mapv(|class| class as u8);
    let mut turned = Array3::zeros((2, 2, 2));
    turned.assign(&masks.view().permuted_axes([2, 1, 0]));
    let params = Params::<f64>::default();
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let z = tape.input(&logits(shape));
    let expected = softmax_cross_entropy(z, &labels(shape)).item();
    assert_eq!(softmax_cross_entropy(z, &masks).item(), expected);
    assert_eq!(softmax_cross_entropy(z, &turned.permuted_axes([2, 1, 0])).item(), expected);
    let dice = CeDiceLoss { a: 0.0, ..Default::default() };
    assert_eq!(dice.loss(z, &masks).item(), dice.loss(z, &labels(shape)).item());
}

/// Of yes or no for every element, each sample of a batch is a set of its own, whatever its shape.
#[test]
fn a_sample_is_a_set_of_elements() {
    let shape = [2, 3, 2, 2];
    check_gradient(&[logits(&shape)], |tape, z| {
        let (t, p) = (one_hot(tape, &shape), z[0].sigmoid());
        let per_sample = |x| Var::sum_axes(x, &[1, 2, 3]);
        let dice = (2.0 * per_sample(p * t) + 1.0) / (per_sample(p) + per_sample(t) + 1.0);
        let loss = DiceLoss { per: DicePer::Sample, reduction: Reduction::None, ..Default::default() };
        equal(loss.loss(z[0], t), 1.0 - dice, Reduction::None)
    });
}

/// Weights of a yes belong to the last axis: of channels in front, it is brought to the back.
#[test]
fn a_weight_for_each_channel() {
    let shape = [2, 3, 2, 2];
    check_gradient(&[logits(&shape)], |tape, z| {
        let t = one_hot(tape, &shape);
        let weights = tape.input(&array![0.5, 1.0, 2.0]).reshape([3, 1, 1]);
        let each = -(weights * t * z[0].log_sigmoid() + (1.0 - t) * (-z[0]).log_sigmoid());
        let pos_weight = Some(vec![0.5, 1.0, 2.0]);
        let loss = BinaryCrossEntropyWithLogits { pos_weight, ..Default::default() };
        equal(loss.loss(z[0].permute(&[0, 2, 3, 1]), t.permute(&[0, 2, 3, 1])), each, Reduction::Mean)
    });
}

#[test]
fn by_hand() {
    let params = Params::<f64>::default();
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    // two classes at each of two places: the probabilities 1/4 and 3/4, then 4/5 and 1/5
    let log_probs = array![[[0.25, 0.8], [0.75, 0.2]]].ln();
    let each = NllLoss { reduction: Reduction::None, ..Default::default() };
    let losses = each.loss(tape.input(&log_probs), &[1, 0]);
    assert_eq!(losses.value(), array![[-(0.75f64.ln()), -(0.8f64.ln())]].into_dyn());
    let z = tape.input(&log_probs).requires_grad();
    let loss = softmax_cross_entropy(z, &[1, 0]);
    loss.backward();
    assert!((loss.item() + (0.75f64 * 0.8).ln() / 2.0).abs() < 1e-15);
    let slopes: Array3<f64> = array![[[0.125, -0.1], [-0.125, 0.1]]]; // softmax minus one-hot, halved
    assert!((z.grad().unwrap() - slopes).iter().all(|d| d.abs() < 1e-15));
}

/// Weights and the ignored label: the mean is over what counts, wherever it stands.
#[test]
fn what_is_ignored_counts_nothing() {
    let shape = SHAPES[1];
    let mut y: Vec<i64> = labels(shape).iter().map(|&y| y as i64).collect();
    (y[1], y[6]) = (-100, -100);
    let weight = Some(vec![1.0, 2.0, 0.5]);
    check_gradient(&[logits(shape)], |tape, z| {
        let count = |k: usize| y.get(k).filter(|&&y| y >= 0).map_or(0.0, |&y| [1.0, 2.0, 0.5][y as usize]);
        let total: f64 = (0..y.len()).map(count).sum();
        let counts = tape.input_with([2, 2, 2], count);
        let kept = tape.input_with([2, 2, 2], |k| f64::from(y[k] >= 0));
        let classes: Vec<i64> = y.iter().map(|&y| y.max(0)).collect();
        let each = SoftmaxCrossEntropy { reduction: Reduction::None, ..Default::default() };
        let plain = (each.loss(z[0], &classes) * counts * kept).sum() / total;
        let loss = SoftmaxCrossEntropy { weight: weight.clone(), ..Default::default() }.loss(z[0], &y);
        let of_logs = NllLoss { weight: weight.clone(), ..Default::default() }.loss(z[0].log_softmax(1), &y);
        assert!((of_logs.item() - loss.item()).abs() < 1e-14);
        equal(loss, plain, Reduction::None)
    });
}

#[test]
fn a_loss_of_ignored_labels_only_is_an_error() {
    let params = Params::<f64>::default();
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let q = tape.input(&Array3::<f64>::zeros((1, 2, 2)));
    assert_eq!(nll_loss(q, &[0, 1]).item(), 0.0);
    let error = NllLoss::default().try_loss(q, &[-100, -100]).unwrap_err();
    expect_test::expect!["nll_loss: every row has the ignored label -100: there is nothing to average"]
        .assert_eq(&error.to_string());
}
