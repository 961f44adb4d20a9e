//! The losses of overlap and of distance: dice_loss, ce_dice_loss, triplet_margin_loss, contrastive_loss, supcon_loss, and triplets of a batch.

use surprisal_loss::{
    BatchTripletLoss, CeDiceLoss, ContrastiveLoss, DiceActivation, DiceLoss, DicePer, SupconLoss,
    TripletMarginLoss, ce_dice_loss, contrastive_loss, dice_loss, supcon_loss, triplet_margin_loss,
};
use surprisal_tensor::ndarray::array;
use surprisal_tensor::{Params, Tape, Workspace};

use super::{V, says, zeros};

pub(super) const PARTS: &[fn(&mut String)] = &[
    dice_loss_compares_elements_with_elements,
    dice_loss_says_what_its_numbers_are,
    ce_dice_loss_speaks_for_its_parts,
    triplet_margin_loss_takes_three_of_a_shape,
    contrastive_loss_takes_a_target_for_each_pair,
    supcon_loss_needs_rows_to_compare,
    a_batch_needs_rows_for_triplets,
];

/// Inputs of these shapes, of zeros.
fn of<'t, const N: usize>(tape: &'t Tape<'t>, shapes: [&[usize]; N]) -> [V<'t>; N] {
    shapes.map(|shape| tape.input(&zeros(shape)))
}

fn dice_loss_compares_elements_with_elements(m: &mut String) {
    says!(
        m,
        |tape| {
            let [x, t] = of(tape, [&[4, 1], &[4]]);
            dice_loss(x, t)
        },
        |tape| {
            let [x, t] = of(tape, [&[0, 3], &[0, 3]]);
            DiceLoss { per: DicePer::Sample, ..Default::default() }.loss(x, t)
        },
        |tape| {
            let [x, t] = of(tape, [&[4], &[4]]);
            DiceLoss { per: DicePer::Sample, ..Default::default() }.loss(x, t)
        }
    );
}

fn dice_loss_says_what_its_numbers_are(m: &mut String) {
    for wrong in [1.5, -0.1, f64::NAN] {
        says!(m, |tape| dice_loss(tape.input(&zeros(&[2])), tape.input(&array![0.0, wrong])), |tape| {
            let loss = DiceLoss { activation: DiceActivation::None, ..Default::default() };
            loss.loss(tape.input(&array![0.0, wrong]), tape.input(&zeros(&[2])))
        });
    }
    says!(m, |tape| {
        let [x, t] = of(tape, [&[2], &[2]]);
        dice_loss(x.sigmoid(), t)
    });
    for smooth in [-1.0, f64::NAN, f64::INFINITY] {
        says!(m, |tape| {
            let [x, t] = of(tape, [&[2], &[2]]);
            DiceLoss { smooth, ..Default::default() }.loss(x, t)
        });
    }
}

fn ce_dice_loss_speaks_for_its_parts(m: &mut String) {
    says!(
        m,
        |tape| {
            let [z, t] = of(tape, [&[2, 3], &[2]]);
            ce_dice_loss(z, t)
        },
        |tape| ce_dice_loss(tape.input(&zeros(&[2])), tape.input(&array![0.0, 2.0])),
        |tape| ce_dice_loss(tape.input(&zeros(&[2, 3])), &[0, 3]),
        |tape| ce_dice_loss(tape.input(&zeros(&[2, 3])), &[0, -100]),
        |tape| ce_dice_loss(tape.input(&zeros(&[2, 3])), &[0]),
        |tape| ce_dice_loss(tape.input(&zeros(&[1, 2, 3])), &[0]),
        |tape| ce_dice_loss(tape.input(&zeros(&[0, 3])), &[0usize; 0]),
        |tape| ce_dice_loss(tape.input(&zeros(&[2, 3])).softmax(-1), &[0, 1])
    );
    fn with<'t>(tape: &'t Tape<'t>, loss: CeDiceLoss) -> V<'t> {
        loss.loss(tape.input(&zeros(&[2, 3])), &[0, 1])
    }
    for a in [1.5, -0.5, f64::NAN] {
        says!(m, |tape| with(tape, CeDiceLoss { a, ..Default::default() }));
    }
    says!(m, |tape| with(tape, CeDiceLoss { smooth: -1.0, ..Default::default() }));
}

fn triplet_margin_loss_takes_three_of_a_shape(m: &mut String) {
    fn triplet<'t>(tape: &'t Tape<'t>, shapes: [&[usize]; 3], loss: TripletMarginLoss) -> V<'t> {
        let [a, p, n] = of(tape, shapes);
        loss.loss(a, p, n)
    }
    says!(
        m,
        |tape| triplet(tape, [&[4, 2], &[4, 2], &[1, 2]], TripletMarginLoss::default()),
        |tape| {
            let [a, p, n] = of(tape, [&[1, 4, 2], &[4, 2], &[4, 2]]);
            triplet_margin_loss(a, p, n)
        },
        |tape| { triplet(tape, [&[4, 0]; 3], TripletMarginLoss::default()) },
        |tape| { triplet(tape, [&[4, 2]; 3], TripletMarginLoss { margin: f64::NAN, ..Default::default() }) },
        |tape| { triplet(tape, [&[4, 2]; 3], TripletMarginLoss { eps: -1e-6, ..Default::default() }) }
    );
}

fn contrastive_loss_takes_a_target_for_each_pair(m: &mut String) {
    says!(
        m,
        |tape| {
            let [a, b, y] = of(tape, [&[4, 2], &[4, 3], &[4]]);
            contrastive_loss(a, b, y)
        },
        |tape| {
            let [a, b, y] = of(tape, [&[4, 2], &[4, 2], &[4, 1]]);
            contrastive_loss(a, b, y)
        },
        |tape| {
            let [a, b, y] = of(tape, [&[0, 2], &[0, 2], &[0]]);
            contrastive_loss(a, b, y)
        }
    );
    for wrong in [-1.0, 0.5, f64::NAN] {
        says!(m, |tape| {
            let [a, b] = of(tape, [&[2, 2], &[2, 2]]);
            contrastive_loss(a, b, tape.input(&array![1.0, wrong]))
        });
    }
    says!(m, |tape| {
        let [a, b, y] = of(tape, [&[2, 2], &[2, 2], &[2]]);
        ContrastiveLoss { margin: f64::INFINITY, ..Default::default() }.loss(a, b, y)
    });
}

fn supcon_loss_needs_rows_to_compare(m: &mut String) {
    says!(
        m,
        |tape| supcon_loss(tape.input(&zeros(&[4, 2])), &[0, 0, 1]),
        |tape| supcon_loss(tape.input(&zeros(&[4])), &[0, 0, 1, 1]),
        |tape| supcon_loss(tape.input(&zeros(&[0, 2])), &[0usize; 0]),
        |tape| supcon_loss(tape.input(&zeros(&[1, 2])), &[0]),
        |tape| supcon_loss(tape.input(&zeros(&[3, 2])), &[0, 1, 2])
    );
    for temperature in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        says!(m, |tape| SupconLoss { temperature, ..Default::default() }
            .loss(tape.input(&zeros(&[2, 2])), &[0, 0]));
    }
}

fn a_batch_needs_rows_for_triplets(m: &mut String) {
    let of = BatchTripletLoss::default();
    says!(
        m,
        |tape| of.loss(tape.input(&zeros(&[4, 2])), &[0, 0, 1]),
        |tape| of.loss(tape.input(&zeros(&[4])), &[0, 0, 1, 1]),
        |tape| of.loss(tape.input(&zeros(&[0, 2])), &[0usize; 0]),
        |tape| of.loss(tape.input(&zeros(&[1, 2])), &[0]),
        |tape| of.loss(tape.input(&zeros(&[3, 2])), &[0, 1, 2]),
        |tape| of.loss(tape.input(&zeros(&[3, 2])), &[1, 1, 1]),
        |tape| BatchTripletLoss { margin: -0.2, ..of }.loss(tape.input(&zeros(&[4, 2])), &[0, 0, 1, 1])
    );
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
