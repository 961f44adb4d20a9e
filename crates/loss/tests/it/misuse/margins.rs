//! The losses of margins, and the focal ones.

use surprisal_loss::{
    HingeLoss, MultiMarginLoss, SigmoidFocalLoss, SoftmaxFocalLoss, SquaredHingeLoss, hinge_loss,
    multi_margin_loss, sigmoid_focal_loss, soft_margin_loss, softmax_focal_loss, squared_hinge_loss,
    topk_cross_entropy,
};
use surprisal_tensor::Tape;
use surprisal_tensor::ndarray::array;

use super::{V, says, zeros};

/// An input and targets of one element each, and more where a test needs them.
fn pair<'t>(tape: &'t Tape<'t>, target: f64) -> [V<'t>; 2] {
    [tape.input(&array![0.0, 0.0]), tape.input(&array![1.0, target])]
}

#[test]
fn signs_are_plus_or_minus_one() {
    let told = "targets are +1 or -1; of labels y that are 0 or 1, 2 y - 1 is";
    for (wrong, named) in [(0.0, "0"), (f64::NAN, "NaN")] {
        says(&format!("soft_margin_loss: target 1 is {named}: {told}"), |tape| {
            let [x, y] = pair(tape, wrong);
            soft_margin_loss(x, y)
        });
        says(&format!("hinge_loss: target 1 is {named}: {told}"), |tape| {
            let [x, y] = pair(tape, wrong);
            hinge_loss(x, y)
        });
        says(&format!("squared_hinge_loss: target 1 is {named}: {told}"), |tape| {
            let [x, y] = pair(tape, wrong);
            squared_hinge_loss(x, y)
        });
    }
}

#[test]
fn sigmoid_focal_loss_takes_yes_or_no_and_nothing_between() {
    for (wrong, named) in [(0.5, "0.5"), (-1.0, "-1"), (f64::NAN, "NaN")] {
        says(&format!("sigmoid_focal_loss: target 1 is {named}: targets are 0 (no) or 1 (yes)"), |tape| {
            let [z, t] = pair(tape, wrong);
            sigmoid_focal_loss(z, t)
        });
    }
}

#[test]
fn targets_have_no_gradient() {
    let told = |loss| {
        format!(
            "{loss}: the targets need a gradient, and this loss has none for them: give it targets.detach(), or data"
        )
    };
    says(&told("soft_margin_loss"), |tape| {
        let [x, y] = pair(tape, 1.0);
        soft_margin_loss(x, y.requires_grad())
    });
    says(&told("hinge_loss"), |tape| {
        let [x, y] = pair(tape, 1.0);
        hinge_loss(x, y.requires_grad())
    });
    says(&told("squared_hinge_loss"), |tape| {
        let [x, y] = pair(tape, 1.0);
        squared_hinge_loss(x, y.requires_grad())
    });
    says(&told("sigmoid_focal_loss"), |tape| {
        let [z, t] = pair(tape, 1.0);
        sigmoid_focal_loss(z, t.requires_grad())
    });
}

#[test]
fn pairs_do_not_broadcast_and_hold_something() {
    fn ones<'t>(tape: &'t Tape<'t>, shape: &[usize]) -> V<'t> {
        tape.input(&(zeros(shape) + 1.0))
    }
    says(
        "soft_margin_loss: the input is [4, 1], the target [4]: they must have the same shape\n  hint: the numbers of elements \
         agree: reshape the target to [4, 1]",
        |tape| soft_margin_loss(ones(tape, &[4, 1]), ones(tape, &[4])),
    );
    says("hinge_loss: the input is [2, 2], the target [2, 3]: they must have the same shape", |tape| {
        hinge_loss(ones(tape, &[2, 2]), ones(tape, &[2, 3]))
    });
    says("squared_hinge_loss: the input is [2], the target [3]: they must have the same shape", |tape| {
        squared_hinge_loss(ones(tape, &[2]), ones(tape, &[3]))
    });
    says("sigmoid_focal_loss: the input is [2], the targets [3]: they must have the same shape", |tape| {
        sigmoid_focal_loss(ones(tape, &[2]), ones(tape, &[3]))
    });
    let empty = "the batch [0, 2] is empty: there is no loss of nothing";
    says(&format!("soft_margin_loss: {empty}"), |tape| {
        soft_margin_loss(ones(tape, &[0, 2]), ones(tape, &[0, 2]))
    });
    says(&format!("hinge_loss: {empty}"), |tape| hinge_loss(ones(tape, &[0, 2]), ones(tape, &[0, 2])));
    says(&format!("squared_hinge_loss: {empty}"), |tape| {
        squared_hinge_loss(ones(tape, &[0, 2]), ones(tape, &[0, 2]))
    });
    says(&format!("sigmoid_focal_loss: {empty}"), |tape| {
        sigmoid_focal_loss(ones(tape, &[0, 2]), ones(tape, &[0, 2]))
    });
}

#[test]
fn margins_are_finite_and_not_negative() {
    for (margin, named) in [(-1.0, "-1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let told = format!("margin is {named}: it is finite and not negative");
        says(&format!("hinge_loss: {told}"), |tape| {
            let [x, y] = pair(tape, 1.0);
            HingeLoss { margin, ..Default::default() }.loss(x, y)
        });
        says(&format!("squared_hinge_loss: {told}"), |tape| {
            let [x, y] = pair(tape, 1.0);
            SquaredHingeLoss { margin, ..Default::default() }.loss(x, y)
        });
        says(&format!("multi_margin_loss: {told}"), |tape| {
            MultiMarginLoss { margin, ..Default::default() }.loss(tape.input(&zeros(&[1, 2])), &[0])
        });
    }
}

#[test]
fn multi_margin_loss_checks_its_power_and_its_weights() {
    fn with<'t>(tape: &'t Tape<'t>, p: usize, weight: Option<Vec<f64>>) -> V<'t> {
        let loss = MultiMarginLoss { p, weight, ..Default::default() };
        loss.loss(tape.input(&zeros(&[1, 2])), &[0])
    }
    says("multi_margin_loss: p is 3: it is 1, or 2 for squares", |tape| with(tape, 3, None));
    says("multi_margin_loss: weight 1 is -1: weights are finite and not negative", |tape| {
        with(tape, 1, Some(vec![1.0, -1.0]))
    });
    says("multi_margin_loss: 3 weights for the 2 classes of input [1, 2]", |tape| {
        with(tape, 1, Some(vec![1.0; 3]))
    });
}

#[test]
fn focal_losses_check_alpha_and_gamma() {
    fn of_yes<'t>(tape: &'t Tape<'t>, alpha: f64, gamma: f64) -> V<'t> {
        let [z, t] = pair(tape, 1.0);
        SigmoidFocalLoss { alpha, gamma, ..Default::default() }.loss(z, t)
    }
    fn of_classes<'t>(tape: &'t Tape<'t>, alpha: Option<Vec<f64>>, gamma: f64) -> V<'t> {
        let loss = SoftmaxFocalLoss { alpha, gamma, ..Default::default() };
        loss.loss(tape.input(&zeros(&[1, 2])), &[0])
    }
    for (alpha, named) in [(1.5, "1.5"), (f64::NAN, "NaN")] {
        let told = "it lies between 0 and 1, or is negative for no weights";
        says(&format!("sigmoid_focal_loss: alpha is {named}: {told}"), |tape| of_yes(tape, alpha, 2.0));
    }
    for (gamma, named) in [(-0.5, "-0.5"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let told = format!("gamma is {named}: it is finite and not negative; 0 is cross-entropy, 2 is usual");
        says(&format!("sigmoid_focal_loss: {told}"), |tape| of_yes(tape, 0.25, gamma));
        says(&format!("softmax_focal_loss: {told}"), |tape| of_classes(tape, None, gamma));
    }
    says("softmax_focal_loss: alpha 0 is NaN: weights are finite and not negative", |tape| {
        of_classes(tape, Some(vec![f64::NAN, 1.0]), 2.0)
    });
    says("softmax_focal_loss: 1 weights for the 2 classes of logits [1, 2]", |tape| {
        of_classes(tape, Some(vec![1.0]), 2.0)
    });
}

#[test]
fn k_lies_between_1_and_the_number_of_rows() {
    for k in [0, 3] {
        let expected = format!(
            "topk_cross_entropy: k is {k}, of 2 rows: it lies between 1 and the number of rows; where the last batch may be \
             smaller, k.min(rows) does"
        );
        says(&expected, |tape| topk_cross_entropy(tape.input(&zeros(&[2, 2])), &[0, 1], k));
    }
}

#[test]
fn losses_that_contain_the_softmax_or_the_sigmoid_refuse_its_output() {
    let told = |loss, op| {
        format!(
            "{loss}: its input is the output of {op}, and it takes logits: leave the {op} out, this loss contains it. (To squash \
             twice on purpose, multiply by 1.0.)"
        )
    };
    says(&told("sigmoid_focal_loss", "sigmoid"), |tape| {
        let [z, t] = pair(tape, 1.0);
        sigmoid_focal_loss(z.sigmoid(), t)
    });
    says(&told("softmax_focal_loss", "softmax"), |tape| {
        softmax_focal_loss(tape.input(&zeros(&[1, 2])).softmax(-1), &[0])
    });
    says(&told("topk_cross_entropy", "softmax"), |tape| {
        topk_cross_entropy(tape.input(&zeros(&[1, 2])).softmax(-1), &[0], 1)
    });
}

#[test]
fn labels_are_one_class_for_each_row_and_none_is_ignored() {
    type Loss = for<'t> fn(V<'t>, &[i64]) -> V<'t>;
    let losses: [(&str, &str, Loss); 3] = [
        ("multi_margin_loss", "input", |x, labels| multi_margin_loss(x, labels)),
        ("softmax_focal_loss", "logits", |z, labels| softmax_focal_loss(z, labels)),
        ("topk_cross_entropy", "logits", |z, labels| topk_cross_entropy(z, labels, 1)),
    ];
    for (name, input, loss) in losses {
        for label in [3, -100, i64::MIN] {
            let expected = format!(
                "{name}: label {label} in row 1 is not one of the 3 classes 0 to 2: do the labels start at 1, or is the last layer \
                 too narrow?"
            );
            says(&expected, |tape| loss(tape.input(&zeros(&[2, 3])), &[0, label]));
        }
        let expected =
            format!("{name}: 1 labels for the 2 rows of {input} [2, 3]: one label is needed for each row");
        says(&expected, |tape| loss(tape.input(&zeros(&[2, 3])), &[0]));
        let expected =
            format!("{name}: 1 labels for the 3 rows of {input} [1, 2, 3]: one label is needed for each row");
        says(&expected, |tape| loss(tape.input(&zeros(&[1, 2, 3])), &[0]));
        let expected = format!("{name}: the batch [0, 3] is empty: there is no loss of nothing");
        says(&expected, |tape| loss(tape.input(&zeros(&[0, 3])), &[]));
    }
}
