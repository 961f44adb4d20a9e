//! self_information, entropy, cross_entropy_probs, the two divergences, entropy_from_logits.

use surprisal_loss::{
    KlDiv, KlDivLogits, Reduction, cross_entropy_probs, entropy, entropy_from_logits, kl_div, kl_div_logits,
    self_information,
};
use surprisal_tensor::ndarray::{Array1, array};
use surprisal_tensor::{Params, Workspace};

use super::{V, says, zeros};

#[test]
fn probabilities_lie_between_0_and_1() {
    for (wrong, told) in [(1.5, "1.5"), (-0.1, "-0.1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let (right, wrong) = (Array1::from(vec![0.5; 3]), Array1::from(vec![0.0, 1.0, wrong]));
        let what = "probabilities lie between 0 and 1; softmax makes them of logits, a division by their sum of counts";
        says(&format!("self_information: p 2 is {told}: {what}"), |tape| {
            self_information(tape.input(&wrong))
        });
        says(&format!("entropy: p 2 is {told}: {what}"), |tape| entropy(tape.input(&wrong)));
        says(&format!("cross_entropy_probs: p 2 is {told}: {what}"), |tape| {
            cross_entropy_probs(tape.input(&wrong), tape.input(&right))
        });
        says(&format!("cross_entropy_probs: q 2 is {told}: {what}"), |tape| {
            cross_entropy_probs(tape.input(&right), tape.input(&wrong))
        });
    }
}

#[test]
fn kl_div_tells_probabilities_from_their_logarithms() {
    says(
        "kl_div: target 1 is -0.5: targets are probabilities, from 0 to 1; of their logarithms, set log_target",
        |tape| kl_div(tape.input(&zeros(&[2])), tape.input(&array![0.0, -0.5])),
    );
    says(
        "kl_div: target 0 is 0.25: with log_target, targets are logarithms of probabilities, at most 0",
        |tape| {
            KlDiv { log_target: true, ..Default::default() }
                .loss(tape.input(&zeros(&[2])), tape.input(&array![0.25, 0.75]))
        },
    );
    says(
        "kl_div: its input is the output of softmax, and it takes logarithms of probabilities: take log_softmax instead. (To go on with \
         probabilities on purpose, multiply by 1.0.)",
        |tape| kl_div(tape.input(&zeros(&[2, 3])).softmax(-1), tape.input(&zeros(&[2, 3]))),
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

#[test]
fn losses_that_contain_the_softmax_are_not_given_its_output() {
    let told = |loss: &str, op: &str| {
        format!(
            "{loss}: its input is the output of {op}, and it takes logits: leave the {op} out, this loss contains it. (To squash twice \
             on purpose, multiply by 1.0.)"
        )
    };
    says(&told("entropy_from_logits", "sigmoid"), |tape| {
        entropy_from_logits(tape.input(&zeros(&[2, 3])).sigmoid())
    });
    says(&told("kl_div_logits", "softmax"), |tape| {
        let z = tape.input(&zeros(&[2, 3]));
        kl_div_logits(z.softmax(-1), z)
    });
    says(&told("kl_div_logits", "softmax"), |tape| {
        let z = tape.input(&zeros(&[2, 3]));
        KlDivLogits { reduction: Reduction::Sum }.loss(z, z.softmax(-1))
    });
}

#[test]
fn rows_of_classes_that_hold_something() {
    says("entropy: the probabilities are [1, 2, 3]: they must be [rows, classes] or [classes]", |tape| {
        entropy(tape.input(&zeros(&[1, 2, 3])))
    });
    says("entropy: the probabilities are []: they must be [rows, classes] or [classes]", |tape| {
        entropy(tape.input(&zeros(&[])))
    });
    says("entropy: the batch [0, 3] is empty: there is no loss of nothing", |tape| {
        entropy(tape.input(&zeros(&[0, 3])))
    });
    says("self_information: the batch [0] is empty: there is no loss of nothing", |tape| {
        self_information(tape.input(&zeros(&[0])))
    });
    says(
        "entropy_from_logits: the logits are [1, 2, 3]: they must be [rows, classes] or [classes]",
        |tape| entropy_from_logits(tape.input(&zeros(&[1, 2, 3]))),
    );
    says("entropy_from_logits: the batch [2, 0] is empty: there is no loss of nothing", |tape| {
        entropy_from_logits(tape.input(&zeros(&[2, 0])))
    });
}

#[test]
fn losses_of_two_distributions_do_not_broadcast() {
    type Loss = for<'t> fn(V<'t>, V<'t>) -> V<'t>;
    // closures, as a pointer to the function itself has no caller to tell of
    let losses: [(&str, Loss, &str, &str); 3] = [
        ("cross_entropy_probs", |p, q| cross_entropy_probs(p, q), "p", "q"),
        ("kl_div", |p, q| kl_div(p, q), "input", "target"),
        ("kl_div_logits", |p, q| kl_div_logits(p, q), "p_logits", "q_logits"),
    ];
    for (name, loss, first, second) in losses {
        let of = |a: &'static [usize], b: &'static [usize], told: &str| {
            says(&format!("{name}: {told}"), |tape| loss(tape.input(&zeros(a)), tape.input(&zeros(b))));
        };
        of(&[2, 3], &[2, 4], &format!("{first} is [2, 3], {second} [2, 4]: they must have the same shape"));
        let hint = format!("hint: the numbers of elements agree: reshape {second} to [4]");
        of(
            &[4],
            &[4, 1],
            &format!("{first} is [4], {second} [4, 1]: they must have the same shape\n  {hint}"),
        );
        of(&[0, 3], &[0, 3], "the batch [0, 3] is empty: there is no loss of nothing");
    }
}
