//! self_information, entropy, cross_entropy_probs, the two divergences, entropy_from_logits.

use surprisal_loss::{
    KlDiv, KlDivLogits, Reduction, cross_entropy_probs, entropy, entropy_from_logits, kl_div, kl_div_logits,
    self_information,
};
use surprisal_tensor::ndarray::{Array1, array};
use surprisal_tensor::{Params, Workspace};

use super::{V, says, zeros};

pub(super) const PARTS: &[fn(&mut String)] = &[
    probabilities_lie_between_0_and_1,
    kl_div_tells_probabilities_from_their_logarithms,
    losses_that_contain_the_softmax_are_not_given_its_output,
    rows_of_classes_that_hold_something,
    losses_of_two_distributions_do_not_broadcast,
];

fn probabilities_lie_between_0_and_1(m: &mut String) {
    for wrong in [1.5, -0.1, f64::NAN, f64::INFINITY] {
        let (right, wrong) = (Array1::from(vec![0.5; 3]), Array1::from(vec![0.0, 1.0, wrong]));
        says!(
            m,
            |tape| self_information(tape.input(&wrong)),
            |tape| entropy(tape.input(&wrong)),
            |tape| cross_entropy_probs(tape.input(&wrong), tape.input(&right)),
            |tape| cross_entropy_probs(tape.input(&right), tape.input(&wrong))
        );
    }
}

fn kl_div_tells_probabilities_from_their_logarithms(m: &mut String) {
    says!(
        m,
        |tape| kl_div(tape.input(&zeros(&[2])), tape.input(&array![0.0, -0.5])),
        |tape| KlDiv { log_target: true, ..Default::default() }
            .loss(tape.input(&zeros(&[2])), tape.input(&array![0.25, 0.75])),
        |tape| kl_div(tape.input(&zeros(&[2, 3])).softmax(-1), tape.input(&zeros(&[2, 3])))
    );
}

#[test]
fn what_a_model_computes_is_not_judged_and_rounding_is_forgiven() {
    let value = |loss: &dyn for<'t> Fn(V<'t>) -> V<'t>, p: f64| {
        Workspace::new().eval(&Params::<f64>::default(), |tape| loss(tape.input(&array![p])))[[]]
    };
    assert!(value(&|p| entropy(p * 1.0), -0.5).is_nan());
    assert!((value(&|p| self_information(p), 1.000_000_1) + 1e-7).abs() < 1e-9);
    assert!((value(&|p| kl_div(p * 0.0, p), 1.000_000_1) - 1e-7).abs() < 1e-9);
}

fn losses_that_contain_the_softmax_are_not_given_its_output(m: &mut String) {
    says!(
        m,
        |tape| entropy_from_logits(tape.input(&zeros(&[2, 3])).sigmoid()),
        |tape| {
            let z = tape.input(&zeros(&[2, 3]));
            kl_div_logits(z.softmax(-1), z)
        },
        |tape| {
            let z = tape.input(&zeros(&[2, 3]));
            KlDivLogits { reduction: Reduction::Sum }.loss(z, z.softmax(-1))
        }
    );
}

fn rows_of_classes_that_hold_something(m: &mut String) {
    says!(
        m,
        |tape| entropy(tape.input(&zeros(&[1, 2, 3]))),
        |tape| entropy(tape.input(&zeros(&[]))),
        |tape| entropy(tape.input(&zeros(&[0, 3]))),
        |tape| self_information(tape.input(&zeros(&[0]))),
        |tape| entropy_from_logits(tape.input(&zeros(&[1, 2, 3]))),
        |tape| entropy_from_logits(tape.input(&zeros(&[2, 0])))
    );
}

fn losses_of_two_distributions_do_not_broadcast(m: &mut String) {
    for shapes in [[&[2, 3][..], &[2, 4]], [&[4], &[4, 1]], [&[0, 3], &[0, 3]]] {
        let [a, b] = shapes.map(zeros);
        says!(
            m,
            |tape| cross_entropy_probs(tape.input(&a), tape.input(&b)),
            |tape| kl_div(tape.input(&a), tape.input(&b)),
            |tape| kl_div_logits(tape.input(&a), tape.input(&b)),
        );
    }
}
