//! The losses of margins, and the focal ones.

use surprisal_loss::{
    HingeLoss, MultiMarginLoss, SigmoidFocalLoss, SoftmaxFocalLoss, SquaredHingeLoss, hinge_loss,
    multi_margin_loss, sigmoid_focal_loss, soft_margin_loss, softmax_focal_loss, squared_hinge_loss,
    topk_cross_entropy,
};
use surprisal_tensor::Tape;
use surprisal_tensor::ndarray::array;

use super::{V, says, zeros};

pub(super) const PARTS: &[fn(&mut String)] = &[
    signs_are_plus_or_minus_one,
    sigmoid_focal_loss_takes_yes_or_no_and_nothing_between,
    targets_have_no_gradient,
    pairs_do_not_broadcast_and_hold_something,
    margins_are_finite_and_not_negative,
    multi_margin_loss_checks_its_power_and_its_weights,
    focal_losses_check_alpha_and_gamma,
    k_lies_between_1_and_the_number_of_rows,
    losses_that_contain_the_softmax_or_the_sigmoid_refuse_its_output,
    labels_are_one_class_for_each_row_and_none_is_ignored,
];

/// An input and targets of one element each, and more where a test needs them.
fn pair<'t>(tape: &'t Tape<'t>, target: f64) -> [V<'t>; 2] {
    [tape.input(&array![0.0, 0.0]), tape.input(&array![1.0, target])]
}

fn signs_are_plus_or_minus_one(m: &mut String) {
    for wrong in [0.0, f64::NAN] {
        says!(
            m,
            |tape| {
                let [x, y] = pair(tape, wrong);
                soft_margin_loss(x, y)
            },
            |tape| {
                let [x, y] = pair(tape, wrong);
                hinge_loss(x, y)
            },
            |tape| {
                let [x, y] = pair(tape, wrong);
                squared_hinge_loss(x, y)
            }
        );
    }
}

fn sigmoid_focal_loss_takes_yes_or_no_and_nothing_between(m: &mut String) {
    for wrong in [0.5, -1.0, f64::NAN] {
        says!(m, |tape| {
            let [z, t] = pair(tape, wrong);
            sigmoid_focal_loss(z, t)
        });
    }
}

fn targets_have_no_gradient(m: &mut String) {
    says!(
        m,
        |tape| {
            let [x, y] = pair(tape, 1.0);
            soft_margin_loss(x, y.requires_grad())
        },
        |tape| {
            let [x, y] = pair(tape, 1.0);
            hinge_loss(x, y.requires_grad())
        },
        |tape| {
            let [x, y] = pair(tape, 1.0);
            squared_hinge_loss(x, y.requires_grad())
        },
        |tape| {
            let [z, t] = pair(tape, 1.0);
            sigmoid_focal_loss(z, t.requires_grad())
        }
    );
}

fn pairs_do_not_broadcast_and_hold_something(m: &mut String) {
    fn ones<'t>(tape: &'t Tape<'t>, shape: &[usize]) -> V<'t> {
        tape.input(&(zeros(shape) + 1.0))
    }
    says!(
        m,
        |tape| soft_margin_loss(ones(tape, &[4, 1]), ones(tape, &[4])),
        |tape| hinge_loss(ones(tape, &[2, 2]), ones(tape, &[2, 3])),
        |tape| squared_hinge_loss(ones(tape, &[2]), ones(tape, &[3])),
        |tape| sigmoid_focal_loss(ones(tape, &[2]), ones(tape, &[3]))
    );
    says!(
        m,
        |tape| soft_margin_loss(ones(tape, &[0, 2]), ones(tape, &[0, 2])),
        |tape| hinge_loss(ones(tape, &[0, 2]), ones(tape, &[0, 2])),
        |tape| squared_hinge_loss(ones(tape, &[0, 2]), ones(tape, &[0, 2])),
        |tape| sigmoid_focal_loss(ones(tape, &[0, 2]), ones(tape, &[0, 2]))
    );
}

fn margins_are_finite_and_not_negative(m: &mut String) {
    for margin in [-1.0, f64::NAN, f64::INFINITY] {
        says!(
            m,
            |tape| {
                let [x, y] = pair(tape, 1.0);
                HingeLoss { margin, ..Default::default() }.loss(x, y)
            },
            |tape| {
                let [x, y] = pair(tape, 1.0);
                SquaredHingeLoss { margin, ..Default::default() }.loss(x, y)
            },
            |tape| MultiMarginLoss { margin, ..Default::default() }.loss(tape.input(&zeros(&[1, 2])), &[0])
        );
    }
}

fn multi_margin_loss_checks_its_power_and_its_weights(m: &mut String) {
    fn with<'t>(tape: &'t Tape<'t>, p: usize, weight: Option<Vec<f64>>) -> V<'t> {
        let loss = MultiMarginLoss { p, weight, ..Default::default() };
        loss.loss(tape.input(&zeros(&[1, 2])), &[0])
    }
    says!(m, |tape| with(tape, 3, None), |tape| with(tape, 1, Some(vec![1.0, -1.0])), |tape| with(
        tape,
        1,
        Some(vec![1.0; 3])
    ));
}

fn focal_losses_check_alpha_and_gamma(m: &mut String) {
    fn of_yes<'t>(tape: &'t Tape<'t>, alpha: f64, gamma: f64) -> V<'t> {
        let [z, t] = pair(tape, 1.0);
        SigmoidFocalLoss { alpha, gamma, ..Default::default() }.loss(z, t)
    }
    fn of_classes<'t>(tape: &'t Tape<'t>, alpha: Option<Vec<f64>>, gamma: f64) -> V<'t> {
        let loss = SoftmaxFocalLoss { alpha, gamma, ..Default::default() };
        loss.loss(tape.input(&zeros(&[1, 2])), &[0])
    }
    for alpha in [1.5, f64::NAN] {
        says!(m, |tape| of_yes(tape, alpha, 2.0));
    }
    for gamma in [-0.5, f64::NAN, f64::INFINITY] {
        says!(m, |tape| of_yes(tape, 0.25, gamma), |tape| of_classes(tape, None, gamma));
    }
    says!(m, |tape| of_classes(tape, Some(vec![f64::NAN, 1.0]), 2.0), |tape| of_classes(
        tape,
        Some(vec![1.0]),
        2.0
    ));
}

fn k_lies_between_1_and_the_number_of_rows(m: &mut String) {
    for k in [0, 3] {
        says!(m, |tape| topk_cross_entropy(tape.input(&zeros(&[2, 2])), &[0, 1], k));
    }
}

fn losses_that_contain_the_softmax_or_the_sigmoid_refuse_its_output(m: &mut String) {
    says!(
        m,
        |tape| {
            let [z, t] = pair(tape, 1.0);
            sigmoid_focal_loss(z.sigmoid(), t)
        },
        |tape| softmax_focal_loss(tape.input(&zeros(&[1, 2])).softmax(-1), &[0]),
        |tape| topk_cross_entropy(tape.input(&zeros(&[1, 2])).softmax(-1), &[0], 1)
    );
}

fn labels_are_one_class_for_each_row_and_none_is_ignored(m: &mut String) {
    type Loss = for<'t> fn(V<'t>, &[i64]) -> V<'t>;
    let losses: [Loss; 3] = [
        |x, labels| multi_margin_loss(x, labels),
        |z, labels| softmax_focal_loss(z, labels),
        |z, labels| topk_cross_entropy(z, labels, 1),
    ];
    for loss in losses {
        for label in [3, -100, i64::MIN] {
            says!(m, |tape| loss(tape.input(&zeros(&[2, 3])), &[0, label]));
        }
        says!(m, |tape| loss(tape.input(&zeros(&[2, 3])), &[0]));
        says!(m, |tape| loss(tape.input(&zeros(&[1, 2, 3])), &[0]));
        says!(m, |tape| loss(tape.input(&zeros(&[0, 3])), &[]));
    }
}
