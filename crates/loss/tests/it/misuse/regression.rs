//! The losses of regression.

use surprisal_loss::{
    HuberLoss, PoissonNllLoss, QuantileLoss, SmoothL1Loss, huber_loss, l1_loss, log_cosh_loss,
    poisson_nll_loss, quantile_loss, smooth_l1_loss,
};
use surprisal_tensor::Tape;
use surprisal_tensor::ndarray::array;

use super::{V, says, zeros};

/// Closures, not the functions themselves: behind a pointer these do not know their caller.
type Loss = for<'t> fn(V<'t>, V<'t>) -> V<'t>;

fn of_zeros<'t>(tape: &'t Tape<'t>, loss: impl Fn(V<'t>, V<'t>) -> V<'t>, a: &[usize], b: &[usize]) -> V<'t> {
    loss(tape.input(&zeros(a)), tape.input(&zeros(b)))
}

#[test]
fn input_and_target_have_the_same_shape_and_hold_something() {
    let losses: [(&str, Loss); 6] = [
        ("l1_loss", |x, t| l1_loss(x, t)),
        ("smooth_l1_loss", |x, t| smooth_l1_loss(x, t)),
        ("huber_loss", |x, t| huber_loss(x, t)),
        ("log_cosh_loss", |x, t| log_cosh_loss(x, t)),
        ("quantile_loss", |x, t| quantile_loss(x, t, &[0.5])),
        ("poisson_nll_loss", |x, t| poisson_nll_loss(x, t)),
    ];
    for (name, loss) in losses {
        says(
            &format!("{name}: the input is [2, 2], the target [2, 3]: they must have the same shape"),
            |tape| of_zeros(tape, loss, &[2, 2], &[2, 3]),
        );
        says(
            &format!(
                "{name}: the input is [1, 4], the target [4]: they must have the same shape\n  hint: the numbers of elements agree: \
                 reshape the target to [1, 4]"
            ),
            |tape| of_zeros(tape, loss, &[1, 4], &[4]),
        );
        says(&format!("{name}: the batch [0, 3] is empty: there is no loss of nothing"), |tape| {
            of_zeros(tape, loss, &[0, 3], &[0, 3])
        });
    }
}

#[test]
fn a_target_that_is_no_number_is_named() {
    let losses: [(&str, Loss); 5] = [
        ("l1_loss", |x, t| l1_loss(x, t)),
        ("smooth_l1_loss", |x, t| smooth_l1_loss(x, t)),
        ("huber_loss", |x, t| huber_loss(x, t)),
        ("log_cosh_loss", |x, t| log_cosh_loss(x, t)),
        ("quantile_loss", |x, t| quantile_loss(x, t, &[0.5])),
    ];
    for (name, loss) in losses {
        says(
            &format!("{name}: target 1 is NaN: a target is a number: is one missing in the data?"),
            |tape| loss(tape.input(&zeros(&[2])), tape.input(&array![1.0, f64::NAN])),
        );
    }
    for (wrong, told) in [(-1.0, "-1"), (f64::NAN, "NaN")] {
        says(&format!("poisson_nll_loss: target 1 is {told}: targets are not negative"), |tape| {
            poisson_nll_loss(tape.input(&zeros(&[2])), tape.input(&array![3.0, wrong]))
        });
    }
}

#[test]
fn where_targets_have_no_gradient_none_is_promised() {
    let losses: [(&str, Loss); 2] = [
        ("quantile_loss", |x, t| quantile_loss(x, t, &[0.5])),
        ("poisson_nll_loss", |x, t| poisson_nll_loss(x, t)),
    ];
    for (name, loss) in losses {
        says(
            &format!(
                "{name}: the targets need a gradient, and this loss has none for them: give it targets.detach(), or data"
            ),
            |tape| loss(tape.input(&zeros(&[2])), tape.input(&zeros(&[2])).requires_grad()),
        );
    }
}

#[test]
fn options_lie_in_their_ranges() {
    for (wrong, told) in [(-0.5, "-0.5"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        says(
            &format!(
                "smooth_l1_loss: beta is {told}: it is 0 (which gives l1_loss) or more, and finite in the input's type"
            ),
            |tape| {
                let loss = SmoothL1Loss { beta: wrong, ..Default::default() };
                of_zeros(tape, |x, t| loss.loss(x, t), &[2], &[2])
            },
        );
        says(
            &format!("poisson_nll_loss: eps is {told}: it is 0 or more, and finite in the input's type"),
            |tape| {
                let loss = PoissonNllLoss { eps: wrong, ..Default::default() };
                of_zeros(tape, |x, t| loss.loss(x, t), &[2], &[2])
            },
        );
    }
    for (wrong, told) in [(0.0, "0"), (-1.0, "-1"), (f64::NAN, "NaN")] {
        says(
            &format!("huber_loss: delta is {told}: it is above 0, also when rounded to the input's type"),
            |tape| {
                let loss = HuberLoss { delta: wrong, ..Default::default() };
                of_zeros(tape, |x, t| loss.loss(x, t), &[2], &[2])
            },
        );
    }
}

#[test]
fn levels_lie_between_0_and_1_and_each_has_its_column() {
    for (wrong, told) in [(0.0, "0"), (1.0, "1"), (90.0, "90"), (-0.5, "-0.5"), (f64::NAN, "NaN")] {
        says(&format!("quantile_loss: level 1 is {told}: it lies between 0 and 1, and is neither"), |tape| {
            of_zeros(tape, |x, t| quantile_loss(x, t, &[0.5, wrong]), &[4, 2], &[4])
        });
    }
    says("quantile_loss: q holds no level: it lies between 0 and 1, as 0.5 for the median", |tape| {
        of_zeros(tape, |x, t| quantile_loss(x, t, &[]), &[4], &[4])
    });
    for (input, target, told) in [
        (&[4, 2][..], &[4][..], "the input is [4, 2], the target [4]"),
        (&[4, 3], &[4, 3], "the input is [4, 3], the target [4, 3]"),
        (&[3], &[3], "the input is [3], the target [3]"),
        (&[3, 4], &[4], "the input is [3, 4], the target [4]"),
    ] {
        says(
            &format!(
                "quantile_loss: {told}, with 3 levels q: the input must have the target's shape and behind it one axis more, of \
                 length 3"
            ),
            |tape| {
                let loss = QuantileLoss { q: vec![0.1, 0.5, 0.9], ..Default::default() };
                of_zeros(tape, |x, t| loss.loss(x, t), input, target)
            },
        );
    }
    says("quantile_loss: the batch [0, 2] is empty: there is no loss of nothing", |tape| {
        of_zeros(tape, |x, t| quantile_loss(x, t, &[0.25, 0.75]), &[0, 2], &[0])
    });
}
