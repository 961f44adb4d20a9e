//! The losses of regression.

use surprisal_loss::{
    HuberLoss, PoissonNllLoss, QuantileLoss, SmoothL1Loss, huber_loss, l1_loss, log_cosh_loss,
    poisson_nll_loss, quantile_loss, smooth_l1_loss,
};
use surprisal_tensor::Tape;
use surprisal_tensor::ndarray::array;

use super::{V, says, zeros};

pub(super) const PARTS: &[fn(&mut String)] = &[
    input_and_target_have_the_same_shape_and_hold_something,
    a_target_that_is_no_number_is_named,
    where_targets_have_no_gradient_none_is_promised,
    options_lie_in_their_ranges,
    levels_lie_between_0_and_1_and_each_has_its_column,
];

/// Closures, not the functions themselves: behind a pointer these do not know their caller.
type Loss = for<'t> fn(V<'t>, V<'t>) -> V<'t>;

fn of_zeros<'t>(tape: &'t Tape<'t>, loss: impl Fn(V<'t>, V<'t>) -> V<'t>, a: &[usize], b: &[usize]) -> V<'t> {
    loss(tape.input(&zeros(a)), tape.input(&zeros(b)))
}

fn input_and_target_have_the_same_shape_and_hold_something(m: &mut String) {
    let losses: [Loss; 6] = [
        |x, t| l1_loss(x, t),
        |x, t| smooth_l1_loss(x, t),
        |x, t| huber_loss(x, t),
        |x, t| log_cosh_loss(x, t),
        |x, t| quantile_loss(x, t, &[0.5]),
        |x, t| poisson_nll_loss(x, t),
    ];
    for loss in losses {
        says!(
            m,
            |tape| of_zeros(tape, loss, &[2, 2], &[2, 3]),
            |tape| of_zeros(tape, loss, &[1, 4], &[4]),
            |tape| of_zeros(tape, loss, &[0, 3], &[0, 3])
        );
    }
}

fn a_target_that_is_no_number_is_named(m: &mut String) {
    let losses: [Loss; 5] = [
        |x, t| l1_loss(x, t),
        |x, t| smooth_l1_loss(x, t),
        |x, t| huber_loss(x, t),
        |x, t| log_cosh_loss(x, t),
        |x, t| quantile_loss(x, t, &[0.5]),
    ];
    for loss in losses {
        says!(m, |tape| loss(tape.input(&zeros(&[2])), tape.input(&array![1.0, f64::NAN])));
    }
    for wrong in [-1.0, f64::NAN] {
        says!(m, |tape| poisson_nll_loss(tape.input(&zeros(&[2])), tape.input(&array![3.0, wrong])));
    }
}

fn where_targets_have_no_gradient_none_is_promised(m: &mut String) {
    let losses: [Loss; 2] = [|x, t| quantile_loss(x, t, &[0.5]), |x, t| poisson_nll_loss(x, t)];
    for loss in losses {
        says!(m, |tape| loss(tape.input(&zeros(&[2])), tape.input(&zeros(&[2])).requires_grad()));
    }
}

fn options_lie_in_their_ranges(m: &mut String) {
    for wrong in [-0.5, f64::NAN, f64::INFINITY] {
        says!(
            m,
            |tape| {
                let loss = SmoothL1Loss { beta: wrong, ..Default::default() };
                of_zeros(tape, |x, t| loss.loss(x, t), &[2], &[2])
            },
            |tape| {
                let loss = PoissonNllLoss { eps: wrong, ..Default::default() };
                of_zeros(tape, |x, t| loss.loss(x, t), &[2], &[2])
            }
        );
    }
    for wrong in [0.0, -1.0, f64::NAN] {
        says!(m, |tape| {
            let loss = HuberLoss { delta: wrong, ..Default::default() };
            of_zeros(tape, |x, t| loss.loss(x, t), &[2], &[2])
        });
    }
}

fn levels_lie_between_0_and_1_and_each_has_its_column(m: &mut String) {
    for wrong in [0.0, 1.0, 90.0, -0.5, f64::NAN] {
        says!(m, |tape| of_zeros(tape, |x, t| quantile_loss(x, t, &[0.5, wrong]), &[4, 2], &[4]));
    }
    says!(m, |tape| of_zeros(tape, |x, t| quantile_loss(x, t, &[]), &[4], &[4]));
    for (input, target) in [(&[4, 2][..], &[4][..]), (&[4, 3], &[4, 3]), (&[3], &[3]), (&[3, 4], &[4])] {
        says!(m, |tape| {
            let loss = QuantileLoss { q: vec![0.1, 0.5, 0.9], ..Default::default() };
            of_zeros(tape, |x, t| loss.loss(x, t), input, target)
        });
    }
    says!(m, |tape| of_zeros(tape, |x, t| quantile_loss(x, t, &[0.25, 0.75]), &[0, 2], &[0]));
}
