//! The losses of overlap and of distance: dice_loss, ce_dice_loss, triplet_margin_loss, contrastive_loss, supcon_loss.

use surprisal_loss::{
    CeDiceLoss, ContrastiveLoss, DiceActivation, DiceLoss, DicePer, SupconLoss, TripletMarginLoss,
    ce_dice_loss, contrastive_loss, dice_loss, supcon_loss, triplet_margin_loss,
};
use surprisal_tensor::ndarray::array;
use surprisal_tensor::{Params, Tape, Workspace};

use super::{V, says, zeros};

/// Inputs of these shapes, of zeros.
fn of<'t, const N: usize>(tape: &'t Tape<'t>, shapes: [&[usize]; N]) -> [V<'t>; N] {
    shapes.map(|shape| tape.input(&zeros(shape)))
}

#[test]
fn dice_loss_compares_elements_with_elements() {
    says(
        "dice_loss: the input is [4, 1], the targets [4]: they must have the same shape\n  hint: the numbers of elements agree: \
         reshape the targets to [4, 1]",
        |tape| {
            let [x, t] = of(tape, [&[4, 1], &[4]]);
            dice_loss(x, t)
        },
    );
    says("dice_loss: the batch [0, 3] is empty: there is no loss of nothing", |tape| {
        let [x, t] = of(tape, [&[0, 3], &[0, 3]]);
        DiceLoss { per: DicePer::Sample, ..Default::default() }.loss(x, t)
    });
    says(
        "dice_loss: the input is [4]: samples stand along the first axis of two or more\n  hint: one sample is reshape([1, 4])",
        |tape| {
            let [x, t] = of(tape, [&[4], &[4]]);
            DiceLoss { per: DicePer::Sample, ..Default::default() }.loss(x, t)
        },
    );
}

#[test]
fn dice_loss_says_what_its_numbers_are() {
    for (wrong, told) in [(1.5, "1.5"), (-0.1, "-0.1"), (f64::NAN, "NaN")] {
        says(&format!("dice_loss: target 1 is {told}: targets lie between 0 (no) and 1 (yes)"), |tape| {
            dice_loss(tape.input(&zeros(&[2])), tape.input(&array![0.0, wrong]))
        });
        says(
            &format!(
                "dice_loss: probability 1 is {told}: probabilities lie between 0 and 1; of logits, the activation is Sigmoid"
            ),
            |tape| {
                let loss = DiceLoss { activation: DiceActivation::None, ..Default::default() };
                loss.loss(tape.input(&array![0.0, wrong]), tape.input(&zeros(&[2])))
            },
        );
    }
    says(
        "dice_loss: its input is the output of sigmoid, and it takes logits: leave the sigmoid out, this loss contains it. (To \
         squash twice on purpose, multiply by 1.0.)",
        |tape| {
            let [x, t] = of(tape, [&[2], &[2]]);
            dice_loss(x.sigmoid(), t)
        },
    );
    for (smooth, told) in [(-1.0, "-1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        says(&format!("dice_loss: smooth is {told}: it is finite and not negative"), |tape| {
            let [x, t] = of(tape, [&[2], &[2]]);
            DiceLoss { smooth, ..Default::default() }.loss(x, t)
        });
    }
}

#[test]
fn ce_dice_loss_speaks_for_its_parts() {
    says("ce_dice_loss: the input is [2, 3], the targets [2]: they must have the same shape", |tape| {
        let [z, t] = of(tape, [&[2, 3], &[2]]);
        ce_dice_loss(z, t)
    });
    says("ce_dice_loss: target 1 is 2: targets lie between 0 (no) and 1 (yes)", |tape| {
        ce_dice_loss(tape.input(&zeros(&[2])), tape.input(&array![0.0, 2.0]))
    });
    says(
        "ce_dice_loss: label 3 in row 1 is not one of the 3 classes 0 to 2: do the labels start at 1, or is the last layer too narrow?",
        |tape| ce_dice_loss(tape.input(&zeros(&[2, 3])), &[0, 3]),
    );
    says(
        "ce_dice_loss: label -100 in row 1 is not one of the 3 classes 0 to 2: do the labels start at 1, or is the last layer too \
         narrow?",
        |tape| ce_dice_loss(tape.input(&zeros(&[2, 3])), &[0, -100]),
    );
    says(
        "ce_dice_loss: 1 labels for the 2 rows of logits [2, 3]: one label is needed for each row",
        |tape| ce_dice_loss(tape.input(&zeros(&[2, 3])), &[0]),
    );
    says(
        "ce_dice_loss: 1 labels for the 3 rows of logits [1, 2, 3]: one label is needed for each row",
        |tape| ce_dice_loss(tape.input(&zeros(&[1, 2, 3])), &[0]),
    );
    says("ce_dice_loss: the batch [0, 3] is empty: there is no loss of nothing", |tape| {
        ce_dice_loss(tape.input(&zeros(&[0, 3])), &[0usize; 0])
    });
    says(
        "ce_dice_loss: its input is the output of softmax, and it takes logits: leave the softmax out, this loss contains it. (To \
         squash twice on purpose, multiply by 1.0.)",
        |tape| ce_dice_loss(tape.input(&zeros(&[2, 3])).softmax(-1), &[0, 1]),
    );
    fn with<'t>(tape: &'t Tape<'t>, loss: CeDiceLoss) -> V<'t> {
        loss.loss(tape.input(&zeros(&[2, 3])), &[0, 1])
    }
    for (a, told) in [(1.5, "1.5"), (-0.5, "-0.5"), (f64::NAN, "NaN")] {
        says(
            &format!("ce_dice_loss: a is {told}: it lies between 0 (only Dice) and 1 (only cross-entropy)"),
            |tape| with(tape, CeDiceLoss { a, ..Default::default() }),
        );
    }
    says("ce_dice_loss: smooth is -1: it is finite and not negative", |tape| {
        with(tape, CeDiceLoss { smooth: -1.0, ..Default::default() })
    });
}

#[test]
fn triplet_margin_loss_takes_three_of_a_shape() {
    fn triplet<'t>(tape: &'t Tape<'t>, shapes: [&[usize]; 3], loss: TripletMarginLoss) -> V<'t> {
        let [a, p, n] = of(tape, shapes);
        loss.loss(a, p, n)
    }
    says(
        "triplet_margin_loss: anchor is [4, 2], negative is [1, 2]: they must have the same shape",
        |tape| triplet(tape, [&[4, 2], &[4, 2], &[1, 2]], TripletMarginLoss::default()),
    );
    says("triplet_margin_loss: anchor is [1, 4, 2]: it must be [rows, numbers] or [numbers]", |tape| {
        let [a, p, n] = of(tape, [&[1, 4, 2], &[4, 2], &[4, 2]]);
        triplet_margin_loss(a, p, n)
    });
    says("triplet_margin_loss: the batch [4, 0] is empty: there is no loss of nothing", |tape| {
        triplet(tape, [&[4, 0]; 3], TripletMarginLoss::default())
    });
    says("triplet_margin_loss: margin is NaN: it is finite and not negative", |tape| {
        triplet(tape, [&[4, 2]; 3], TripletMarginLoss { margin: f64::NAN, ..Default::default() })
    });
    says("triplet_margin_loss: eps is -0.000001: it is finite and not negative", |tape| {
        triplet(tape, [&[4, 2]; 3], TripletMarginLoss { eps: -1e-6, ..Default::default() })
    });
}

#[test]
fn contrastive_loss_takes_a_target_for_each_pair() {
    says("contrastive_loss: x1 is [4, 2], x2 is [4, 3]: they must have the same shape", |tape| {
        let [a, b, y] = of(tape, [&[4, 2], &[4, 3], &[4]]);
        contrastive_loss(a, b, y)
    });
    says(
        "contrastive_loss: the targets are [4, 1], the pairs [4, 2]: one target is needed for each pair, [4]",
        |tape| {
            let [a, b, y] = of(tape, [&[4, 2], &[4, 2], &[4, 1]]);
            contrastive_loss(a, b, y)
        },
    );
    says("contrastive_loss: the batch [0, 2] is empty: there is no loss of nothing", |tape| {
        let [a, b, y] = of(tape, [&[0, 2], &[0, 2], &[0]]);
        contrastive_loss(a, b, y)
    });
    for (wrong, told) in [(-1.0, "-1"), (0.5, "0.5"), (f64::NAN, "NaN")] {
        says(&format!("contrastive_loss: target 1 is {told}: targets are 0 (no) or 1 (yes)"), |tape| {
            let [a, b] = of(tape, [&[2, 2], &[2, 2]]);
            contrastive_loss(a, b, tape.input(&array![1.0, wrong]))
        });
    }
    says("contrastive_loss: margin is inf: it is finite and not negative", |tape| {
        let [a, b, y] = of(tape, [&[2, 2], &[2, 2], &[2]]);
        ContrastiveLoss { margin: f64::INFINITY, ..Default::default() }.loss(a, b, y)
    });
}

#[test]
fn supcon_loss_needs_rows_to_compare() {
    says(
        "supcon_loss: 3 labels for the 4 rows of features [4, 2]: one label is needed for each row",
        |tape| supcon_loss(tape.input(&zeros(&[4, 2])), &[0, 0, 1]),
    );
    says("supcon_loss: the features are [4]: they must be [rows, numbers]", |tape| {
        supcon_loss(tape.input(&zeros(&[4])), &[0, 0, 1, 1])
    });
    says("supcon_loss: the batch [0, 2] is empty: there is no loss of nothing", |tape| {
        supcon_loss(tape.input(&zeros(&[0, 2])), &[0usize; 0])
    });
    says("supcon_loss: the batch [1, 2] is one row: it has no other to be compared with", |tape| {
        supcon_loss(tape.input(&zeros(&[1, 2])), &[0])
    });
    says("supcon_loss: all 3 labels differ, so no row has a positive: there is nothing to average", |tape| {
        supcon_loss(tape.input(&zeros(&[3, 2])), &[0, 1, 2])
    });
    for (temperature, told) in [(0.0, "0"), (-1.0, "-1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        says(&format!("supcon_loss: temperature is {told}: it is finite and greater than 0"), |tape| {
            SupconLoss { temperature, ..Default::default() }.loss(tape.input(&zeros(&[2, 2])), &[0, 0])
        });
    }
}

#[test]
fn nan_in_gives_nan_out() {
    fn is_nan(loss: impl for<'t> Fn(V<'t>, V<'t>) -> V<'t>) {
        let x = array![[f64::NAN, 1.0], [2.0, 3.0]];
        let zero = zeros(&[2, 2]);
        let value = Workspace::new().eval(&Params::new(), |tape| loss(tape.input(&x), tape.input(&zero)));
        assert!(value.sum().is_nan());
    }
    is_nan(dice_loss);
    is_nan(|x, zero| ce_dice_loss(x, zero));
    is_nan(|x, _| ce_dice_loss(x, &[0, 1]));
    for swap in [false, true] {
        let loss = TripletMarginLoss { swap, ..Default::default() };
        is_nan(|x, zero| loss.loss(x, zero, zero));
        is_nan(|x, zero| loss.loss(zero, zero, x));
    }
    is_nan(|x, zero| contrastive_loss(x, zero, x.tape().input(&array![0.0, 1.0])));
    is_nan(|x, zero| contrastive_loss(zero, x, x.tape().input(&array![1.0, 0.0])));
    is_nan(|x, _| supcon_loss(x, &[0, 0]));
}
